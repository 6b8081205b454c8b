"""Population from the wards of one boundary set to those of another, by a lookup between them: estimated, totals conserved."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert

from loaders.boundaries import load_boundaries
from loaders.population import load_population
from loaders.population_shares import apportion_population
from mapping.answers import Question, answer
from mapping.denominators import read_denominators
from mapping.reader import Reader
from mapping.store import open_engine, reading, writing
from mapping.store.models import AreaLookup, AreaLookupFile, Denominator
from mapping.vocabulary import Month, to_lonlat
from tests.digest import digest
from tests.tiny import (
    BOTH_ENGINES,
    BURGLARY,
    CLOCK,
    CODES,
    NE,
    NOW,
    NW,
    POPULATION,
    county_on,
    write_street,
    write_table,
)

WARDS = sorted(CODES.values())


@pytest.fixture(scope="module", params=BOTH_ENGINES)
def county(request, tmp_path_factory):
    """Give a store with January 2024: 9 incidents in the west, 1 in the east; residents; and the wards and halves."""
    folder = tmp_path_factory.mktemp("halves")
    rows = 9 * [(BURGLARY, NW)] + [(BURGLARY, NE)]
    with county_on(request.param, request, folder, incidents=[write_street(folder, "2024-01", rows)]) as county:
        engine = open_engine(county.url)
        load_boundaries(engine, halves(folder), now=NOW, name="halves")
        load_population(engine, POPULATION, boundaries="wd24", year=2024, now=NOW)
        engine.dispose()
        yield county


@pytest.fixture
def url(county, tmp_path):
    """Give a copy of it."""
    with county.copy(tmp_path) as url:
        yield url


def halves(folder):
    """Write a set of two wards: the western ones as one, the eastern as one."""
    features = []
    for code, west in (("H1", 500_000), ("H2", 501_000)):
        ring = [(west, 200_000), (west + 1000, 200_000), (west + 1000, 202_000), (west, 202_000), (west, 200_000)]
        lon, lat = to_lonlat(*zip(*ring, strict=True))
        shape = {"type": "Polygon", "coordinates": [[list(p) for p in zip(lon, lat, strict=True)]]}
        features.append({"type": "Feature", "properties": {"WD25CD": code, "WD25NM": f"Half {code}"}, "geometry": shape})
    path = folder / "halves.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


@pytest.fixture
def look_up(url, invoke, tmp_path):
    """Load a lookup of (ward, half, weight), or without rows the one by shapes."""

    def run(rows=(), *options):
        if not rows:
            return invoke("load", "lookup", "--from-boundaries", "wd24", "--boundaries", "halves", store=url, env=CLOCK)
        path = write_table(tmp_path / "lookup.csv", ("wd24", "halves", "weight"), rows)
        said = ("--areas", "wd24", "--boundaries", "halves", "--weighted-by", "population")
        return invoke("load", "lookup", path, *said, *options, store=url, env=CLOCK)

    return run


LOAD = ("load", "population", "--from-boundaries", "wd24", "--boundaries", "halves", "--year", 2024)


def rate(url):
    engine = open_engine(url)
    question = Question(boundaries="halves", first=Month(2024, 1), last=Month(2024, 1))
    found = answer(Reader(engine, open_only=False), "rate", question)
    engine.dispose()
    return found


def test_population_is_apportioned_by_a_lookup_and_marked_estimated(url, look_up, invoke):
    shares = [(WARDS[0], "H1", 3), (WARDS[0], "H2", 1), (WARDS[1], "H1", 1), (WARDS[2], "H2", 1), (WARDS[3], "H2", 1)]
    look_up(shares, "--attribution", "Lookup Office")

    said = invoke(*LOAD, store=url, env=CLOCK).stderr

    # 2,000 + 1,000 in the west and 1,500 + 150 in the east, of which a quarter of the first 2,000 goes east.
    assert "Residents of halves, mid-2024: 4,650 in 2 wards, estimated from wd24 by a lookup (population)." in said
    found = rate(url)
    assert [(row["value"], row["status"]) for row in found.rows] == [
        (pytest.approx(9 * 12 * 1000 / 2500), "estimated"),
        (pytest.approx(1 * 12 * 1000 / 2150), "estimated"),
    ]
    assert "2,500 residents, mid-2024, estimated from other areas" in found.rows[0]["sentence"]
    assert found.meta["attribution"][-1] == "Lookup Office"
    [_, row] = json.loads(invoke("status", "--format", "json", store=url).stdout)["denominators"]
    assert (row["total"], row["estimated"]) == (4650, True)
    assert row["file"] == "tiny_population.csv, apportioned from wd24 by population"


def test_by_the_shapes_of_both_sets(url, look_up, invoke):
    look_up()

    invoke(*LOAD, store=url, env=CLOCK)

    assert [row["value"] for row in rate(url).rows] == [
        pytest.approx(9 * 12 * 1000 / 3000),
        pytest.approx(1 * 12 * 1000 / 1650),
    ]


def test_what_cannot_be_apportioned(url, look_up, invoke):
    def refused(*options):
        before = digest(url)
        said = invoke(*LOAD[:-2], *options, store=url, env=CLOCK, status=1).stderr
        assert digest(url) == before
        return said

    said = refused("--year", 2024)
    assert "No lookup from wd24 to halves is loaded" in said
    assert "wardwatch load lookup --from-boundaries wd24 --boundaries halves" in said
    look_up()
    said = refused("--year", 2023)
    assert "No figures of residents of wd24 in 2023 are loaded" in said
    assert "Loaded years: 2024" in said
    assert "No figures of workday population of wd24" in refused("--year", 2024, "--what", "workday")
    assert "Both sets are wd24" in refused("--year", 2024, "--boundaries", "wd24")
    assert "There is no boundary set 'wd99'" in refused("--year", 2024, "--boundaries", "wd99")
    assert "12 is not the year of a population" in refused("--year", 12)
    look_up([(code, "H1", 1) for code in WARDS])
    assert "1 of 2 wards of halves hold no part of any area of the lookup: H2 Half H2." in refused("--year", 2024)


def test_what_lies_in_no_ward_is_said(url, look_up, invoke):
    look_up([(WARDS[0], "H1", 1), (WARDS[0], "X9", 1), *((code, "H2", 1) for code in WARDS[1:])])

    said = invoke(*LOAD, store=url, env=CLOCK).stderr

    assert "3,650 in 2 wards" in said
    assert "1,000 more are in wards of wd24 that no ward of the set holds." in said


@pytest.mark.parametrize(
    "options", [[], ["x.csv", "--from-boundaries", "wd24"], ["--from-boundaries", "wd24", "--match", "name"]]
)
def test_a_file_or_another_set(invoke, options):
    said = invoke("load", "population", "--boundaries", "wd24", "--year", 2024, *options, env=CLOCK, status=2).stderr

    assert "--from-boundaries" in said


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 1000)), min_size=4, max_size=4))
def test_totals_are_conserved(url, numbers):
    """Whatever is loaded, and however it is divided."""
    engine = open_engine(url)
    with writing(engine) as connection:
        connection.execute(delete(AreaLookup))
        connection.execute(delete(AreaLookupFile))
        connection.execute(delete(Denominator))
        key = {"areas": "wd24", "boundary_set_id": 2}
        file = {"weighted_by": "area", "file_name": "", "sha256": "", "loaded_at": NOW, "attribution": ""}
        connection.execute(insert(AreaLookupFile).values(key | file))
        for code, (number, share) in zip(WARDS, numbers, strict=True):
            row = {"boundary_set_id": 1, "kind": "residents", "year": 2024, "ward_code": code, "value": number}
            connection.execute(insert(Denominator).values(row))
            for half, weight in (("H1", share / 1000), ("H2", 1 - share / 1000)):
                connection.execute(insert(AreaLookup).values(key | {"area_code": code, "ward_code": half, "weight": weight}))

    report = apportion_population(engine, from_boundaries="wd24", boundaries="halves", year=2024, now=NOW)

    with reading(engine) as connection:
        kept = read_denominators(connection, 2).kinds["residents"][2024]
    engine.dispose()
    assert kept.value.sum() == pytest.approx(sum(number for number, _ in numbers))
    assert (kept.estimated, kept.value.min() >= 0) == (True, True)
    assert report.outside == pytest.approx(0, abs=1e-6)
