"""Lookups between small areas and wards, on both engines."""

import pytest
from sqlalchemy import select

from loaders.boundaries import load_boundaries
from loaders.lookups import load_lookup, load_lookup_from_shapes
from mapping.errors import DataRefused
from mapping.store import open_engine, reading
from mapping.store.models import AreaLookup, AreaLookupFile, StoreState
from tests.tiny import NOW, WARDS, fill, write_table

NORTHWEST, SOUTHWEST, NORTHEAST, SOUTHEAST = "X05900001", "X05900002", "X05900003", "X05900004"


@pytest.fixture
def engine(store_url):
    fill(store_url, incidents=())
    engine = open_engine(store_url)
    yield engine
    engine.dispose()


def weights(engine, areas="lsoa21"):
    with reading(engine) as connection:
        rows = connection.execute(
            select(AreaLookup.area_code, AreaLookup.ward_code, AreaLookup.weight)
            .where(AreaLookup.areas == areas)
            .order_by(AreaLookup.area_code, AreaLookup.ward_code)
        )
        return {(row.area_code, row.ward_code): row.weight for row in rows}


def version(engine):
    with reading(engine) as connection:
        return connection.scalar(select(StoreState.data_version))


def test_weights_are_shares_of_an_area(engine, tmp_path):
    rows = [("E01000001", NORTHWEST, "1,200"), ("E01000001", SOUTHWEST, 400), ("E01000002", SOUTHWEST, 7)]
    rows += [("E01000003", NORTHEAST, 30), ("E01000003", "E05999999", 10), ("E01000004", "E05999999", 5)]
    path = write_table(tmp_path / "lookup.csv", ("LSOA21CD", "WD24CD", "Residents"), rows)
    before = version(engine)

    report = load_lookup(engine, path, areas="lsoa21", boundaries="wd24", weighted_by="population", now=NOW)

    assert weights(engine) == {
        ("E01000001", NORTHWEST): 0.75,
        ("E01000001", SOUTHWEST): 0.25,
        ("E01000002", SOUTHWEST): 1,
        ("E01000003", NORTHEAST): 0.75,  # a quarter of it lies outside the set
    }
    assert (report.known, report.outside, report.wards) == (3, 1, 3)
    assert f"1 wards of wd24 hold no area: {SOUTHEAST}." in report.lines()
    assert version(engine) != before


def test_a_part_without_weight_leads_nowhere(engine, tmp_path):
    """A ward of such parts only is not covered: as a ward that holds an area its figure would be a true zero."""
    rows = [("E01000001", NORTHWEST, 400), ("E01000001", SOUTHWEST, 0)]
    path = write_table(tmp_path / "lookup.csv", ("LSOA21CD", "WD24CD", "Residents"), rows)

    report = load_lookup(engine, path, areas="lsoa21", boundaries="wd24", weighted_by="population", now=NOW)

    assert weights(engine) == {("E01000001", NORTHWEST): 1}
    assert report.wards == 1


def test_a_best_fit_as_the_statistics_office_publishes_it(engine, tmp_path):
    header = ("LSOA21CD", "LSOA21NM", "WD24CD", "WD24NM", "LAD24CD", "LAD24NM", "ObjectId")
    rows = [
        ("E01000001", "Tiny 001A", NORTHWEST, "Northwest", "E07000001", "Tiny", 1),
        ("E01000002", "Tiny 001B", SOUTHEAST, "Southeast", "E07000001", "Tiny", 2),
    ]
    path = write_table(tmp_path / "best.csv", header, rows)

    report = load_lookup(engine, path, areas="lsoa21", boundaries="wd24", now=NOW, attribution="OGL")

    assert weights(engine) == {("E01000001", NORTHWEST): 1, ("E01000002", SOUTHEAST): 1}
    assert report.weighted_by == "best-fit"
    with reading(engine) as connection:
        assert connection.scalar(select(AreaLookupFile.attribution)) == "OGL"


def test_a_second_one_takes_the_place_of_the_first(engine, tmp_path):
    for ward in (NORTHWEST, SOUTHEAST):
        path = write_table(tmp_path / "best.csv", ("lsoa21", "ward"), [("E01000001", ward)])
        load_lookup(engine, path, areas="lsoa21", boundaries="wd24", now=NOW)

    assert weights(engine) == {("E01000001", SOUTHEAST): 1}


def test_made_from_shapes(engine):
    load_boundaries(engine, WARDS, now=NOW, name="older")

    report = load_lookup_from_shapes(engine, from_boundaries="older", boundaries="wd24", now=NOW)

    codes = (NORTHWEST, SOUTHWEST, NORTHEAST, SOUTHEAST)
    assert weights(engine, "older") == {(code, code): 1 for code in codes}
    assert report.weighted_by == "area"


TWICE = [("E01000001", NORTHWEST, 1), ("E01000001", NORTHWEST, 2)]
SPLIT = [("E01000001", NORTHWEST, 1), ("E01000001", SOUTHWEST, 2)]


@pytest.mark.parametrize(
    ("table", "by", "words"),
    [
        ((("lsoa21", "wd24", "weight"), SPLIT), None, "what are the weights in 'weight' of"),
        ((("lsoa21", "wd24", "weight"), SPLIT), "best-fit", "what are the weights in 'weight' of"),
        ((("lsoa21", "wd24", "name"), [(a, w, "x") for a, w, _ in SPLIT]), None, "E01000001 has several rows"),
        ((("lsoa21", "wd24", "name"), [(a, w, "x") for a, w, _ in SPLIT[:1]]), "population", "has no column of weights"),
        ((("lsoa21", "wd24", "weight"), TWICE), "population", "line 3: the same area and ward"),
        ((("lsoa21", "wd24", "weight"), [("E01000001", NORTHWEST, 0)]), "population", "no weight at all: E01000001"),
        (
            (("lsoa21", "wd24", "weight", "area"), [(*row, 3) for row in SPLIT]),
            "population",
            "several columns could be weights",
        ),
        ((("lsoa21", "wd24", "weight"), [("E01000001", "E05999999", 1)]), "population", "no column holds codes of the set's"),
        ((("place", "wd24", "weight"), [("Elm Street", NORTHWEST, 1)]), "population", "cannot be told which column"),
        ((("lsoa21", "wd24", "weight"), [("", NORTHWEST, 1)]), "population", "line 2: has no code in 'lsoa21'"),
    ],
)
def test_refused(engine, tmp_path, table, by, words):
    path = write_table(tmp_path / "lookup.csv", *table)

    with pytest.raises(DataRefused, match=words):
        load_lookup(engine, path, areas="lsoa21", boundaries="wd24", weighted_by=by, now=NOW)

    assert weights(engine) == {}


def test_by_the_command_line(store_url, tmp_path, invoke):
    fill(store_url, incidents=())
    path = write_table(tmp_path / "best.csv", ("lsoa21", "ward"), [("E01000001", NORTHWEST)])

    done = invoke("load", "lookup", path, "--areas", "lsoa21", "--boundaries", "wd24", store=store_url)
    assert "1 areas in 1 wards, each in one ward (best fit)" in done.stderr
    invoke("load", "lookup", "--boundaries", "wd24", store=store_url, status=2)
    invoke("load", "lookup", path, "--from-boundaries", "wd24", "--boundaries", "wd24", store=store_url, status=2)
    refused = invoke("load", "lookup", "--from-boundaries", "wd24", "--boundaries", "wd24", store=store_url, status=1)
    assert "need no lookup" in refused.stderr
