"""Counts of areas: exact on their own areas, apportioned on other sets, whole in sum. On both engines."""

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from loaders.area_counts import load_area_counts
from loaders.boundaries import load_boundaries
from loaders.ledger import unload_boundaries, unload_extract
from loaders.lookups import load_lookup, load_lookup_from_shapes
from mapping.answers import Question, answer, count_rows
from mapping.errors import DataRefused
from mapping.reader import Reader
from mapping.status import read_status, status_lines
from mapping.store import open_engine, reading
from mapping.store.models import AreaCount, StoreState, WardAreaCount
from mapping.vocabulary import Month
from tests.tiny import BOTH_ENGINES, CODES, NOW, STREET, WARDS, county_on, write_table

NORTHWEST, SOUTHWEST, NORTHEAST, SOUTHEAST = CODES.values()
COUNTS = ("LSOA21CD", "month", "crime_type", "count")
ROWS = [
    ("E01000001", "2024-01", "burglary", 100),
    ("E01000002", "2024-01", "Burglary", 50),
    ("E01000002", "2024-02", "drugs", 3),
    ("E01000009", "2024-01", "drugs", 7),
]
# The areas of METHODS 22, and one that lies in no ward of the set.
LOOKUP = [
    ("E01000001", NORTHWEST, 600),
    ("E01000001", SOUTHWEST, 400),
    ("E01000002", SOUTHWEST, 1200),
    ("E01000009", "E05999999", 5),
]


@pytest.fixture(scope="module", params=BOTH_ENGINES)
def tiny(request, tmp_path_factory):
    with county_on(request.param, request, tmp_path_factory.mktemp(request.param)) as county:
        yield county


@pytest.fixture
def engine(tiny, tmp_path):
    with tiny.copy(tmp_path) as url:
        engine = open_engine(url)
        yield engine
        engine.dispose()


def load(engine, folder, rows=ROWS, *, header=COUNTS, areas="lsoa21", source="north-force", **options):
    path = write_table(folder / "counts.csv", header, rows)
    return load_area_counts(engine, path, areas=areas, source=source, now=NOW, **options)


def look_up(engine, folder, rows=LOOKUP, *, areas="lsoa21", boundaries="wd24", weighted_by="population"):
    path = write_table(folder / "lookup.csv", (areas, "ward", "weight"), rows)
    return load_lookup(engine, path, areas=areas, boundaries=boundaries, weighted_by=weighted_by, now=NOW)


def figures(engine, *, open_only=False, **asked):
    found = answer(Reader(engine, open_only=open_only), "count", Question(**asked))
    return {row["ward_code"]: (row["value"], row["status"]) for row in found.rows}


def version(engine):
    with reading(engine) as connection:
        return connection.scalar(select(StoreState.data_version))


def test_apportioned_by_a_lookup_whichever_came_first(engine, tmp_path):
    expected = {
        NORTHWEST: (60, "estimated"),
        SOUTHWEST: (90, "estimated"),
        NORTHEAST: (None, "not-supplied"),  # no area reaches it: that is no zero
        SOUTHEAST: (None, "not-supplied"),
    }
    report = load(engine, tmp_path)
    assert "On wd24 they give no figure: no lookup from lsoa21 to wd24 is loaded (`wardwatch load lookup`)." in report.lines()
    look_up(engine, tmp_path)

    assert figures(engine, crime_type="burglary", last=Month(2024, 1)) == expected
    again = load(engine, tmp_path, source="another")
    assert "On wd24 they are estimated: apportioned by population." in again.lines()
    assert figures(engine, crime_type="burglary", last=Month(2024, 1), source="another") == expected


def test_a_sentence_says_how_many_and_from_what(engine, tmp_path):
    load(engine, tmp_path)
    look_up(engine, tmp_path)

    found = answer(Reader(engine, open_only=False), "count", Question(crime_type="burglary", ward=SOUTHWEST))
    rows, meta = count_rows(Reader(engine, open_only=False), Question())

    assert "Estimated: 90 of 90 apportioned from lsoa21 by population." in found.rows[0]["sentence"]
    assert meta["estimated"] == [{"source": "north-force", "areas": "lsoa21", "weighted_by": "population"}]
    assert [(row["ward_code"], row["month"], row["crime_type"], row["count"]) for row in rows] == [
        (NORTHWEST, "2024-01", "burglary", 60),
        (SOUTHWEST, "2024-01", "burglary", 90),
        (SOUTHWEST, "2024-02", "drugs", 3),
    ]


def test_fractions_are_not_cut_off(engine, tmp_path):
    load(engine, tmp_path, [("E01000001", "2024-01", "burglary", 1)])
    look_up(engine, tmp_path)

    assert figures(engine)[NORTHWEST] == (pytest.approx(0.6), "estimated")


def test_counts_that_a_lookup_leaves_out_are_told_whichever_came_first(engine, tmp_path):
    """Names where the lookup has codes, say: without a word, all of them would be gone."""
    elm = ("Elm", "2024-01", "drugs", 5)
    first = load(engine, tmp_path, [*ROWS, elm])
    led = look_up(engine, tmp_path)
    again = load(engine, tmp_path, [*ROWS[:3], elm], replace=True)

    words = "in no ward of wd24: the lookup from lsoa21 has no share of these there."
    assert not any("in no ward" in line for line in first.lines())
    assert f"12 incidents counted in E01000009, Elm are {words}" in led.lines()
    assert f"5 incidents counted in Elm are {words}" in again.lines()


def test_without_a_lookup_there_is_no_figure_and_the_reason(engine, tmp_path):
    load(engine, tmp_path)

    found = answer(Reader(engine, open_only=False), "count", Question())

    assert {row["status"] for row in found.rows} == {"not-supplied"}
    assert "January to February 2024 (no lookup from lsoa21 to wd24 is loaded)." in found.rows[0]["sentence"]


def test_counts_of_a_sets_own_wards_are_exact(engine, tmp_path):
    report = load(
        engine,
        tmp_path,
        [("North-West", "2024-01", 4), ("southwest", "2024-01", 0)],
        header=("ward", "month", "count"),
        areas="wd24",
        match="name",
        crime_type="burglary",
    )

    assert report.stream == "area-counts-burglary"
    assert figures(engine) == {
        NORTHWEST: (4, "ok"),
        SOUTHWEST: (0, "ok"),  # a zero that was supplied
        NORTHEAST: (None, "not-supplied"),
        SOUTHEAST: (None, "not-supplied"),
    }
    assert isinstance(figures(engine)[NORTHWEST][0], int)
    assert count_rows(Reader(engine, open_only=False), Question())[1]["estimated"] == []


def test_names_find_their_ward_when_the_set_is_loaded_later(engine, tmp_path):
    rows = [("Northwest", "2024-01", "burglary", 4), ("Southeast", "2024-01", "burglary", 2)]
    load(engine, tmp_path, rows, header=("area", *COUNTS[1:]), areas="older", match="name")
    load_boundaries(engine, WARDS, now=NOW, name="older")

    assert {code: value for code, (value, _) in figures(engine, boundaries="older").items() if value} == {
        NORTHWEST: 4,
        SOUTHEAST: 2,
    }


def test_on_another_set_by_area(engine, tmp_path):
    load_boundaries(engine, WARDS, now=NOW, name="older")
    load(engine, tmp_path, [(NORTHWEST, "2024-01", "burglary", 4)], header=("older", *COUNTS[1:]), areas="older")
    load_lookup_from_shapes(engine, from_boundaries="older", boundaries="wd24", now=NOW)

    assert figures(engine, boundaries="wd24")[NORTHWEST] == (4, "estimated")
    replaced = load_boundaries(engine, WARDS, now=NOW, name="older", replace=True)
    assert "The lookup from older to wd24 was of other shapes, and taken out. Load it again." in replaced.notes
    assert figures(engine, boundaries="wd24")[NORTHWEST] == (None, "not-supplied")
    assert figures(engine, boundaries="older")[NORTHWEST] == (4, "ok")


def test_points_and_counts_are_added(engine, tmp_path):
    from loaders.incidents import load_incidents  # noqa: PLC0415 - this test alone

    load_incidents(engine, [STREET], now=NOW)
    before = figures(engine, crime_type="burglary", last=Month(2024, 1), first=Month(2024, 1))
    load(engine, tmp_path, [("E01000002", "2024-01", "burglary", 50), ("E01000001", "2024-01", "drugs", 1)])
    look_up(engine, tmp_path)

    after = figures(engine, crime_type="burglary", last=Month(2024, 1), first=Month(2024, 1))

    assert after[SOUTHWEST] == (before[SOUTHWEST][0] + 50, "estimated")
    assert after[NORTHEAST] == before[NORTHEAST]


def test_the_ledger_replaces_refuses_and_takes_out(engine, tmp_path):
    first = load(engine, tmp_path)
    stamped = version(engine)
    assert load(engine, tmp_path).extract_id is None
    assert version(engine) == stamped
    with pytest.raises(DataRefused, match="with 3 incidents, where 160 are stored"):
        load(engine, tmp_path, [("E01000001", "2024-01", "burglary", 1), ("E01000002", "2024-02", "drugs", 2)])
    with pytest.raises(DataRefused, match="has no row of drugs"):
        load(engine, tmp_path, [("E01000001", "2024-01", "burglary", 150)])
    with pytest.raises(DataRefused, match="is protected in the store, not open"):
        load(engine, tmp_path, access="open")
    assert version(engine) == stamped

    january = load(engine, tmp_path, [("E01000001", "2024-01", "burglary", 150)], replace=True)
    look_up(engine, tmp_path)
    assert figures(engine, first=Month(2024, 1))[SOUTHWEST] == (63, "estimated")
    unload_extract(engine, january.extract_id, now=NOW)
    assert figures(engine, first=Month(2024, 1))[SOUTHWEST] == (3, "partial")
    gone = unload_extract(engine, first.extract_id, now=NOW)
    assert gone.incidents == 3
    with reading(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(AreaCount)) == 0
        assert connection.scalar(select(func.count()).select_from(WardAreaCount)) == 0
    unload_boundaries(engine, "wd24")


def test_the_public_sees_only_open_sources(engine, tmp_path):
    load(engine, tmp_path)
    look_up(engine, tmp_path)
    load(engine, tmp_path, [("E01000002", "2024-01", "burglary", 8)], source="published", access="open")

    assert figures(engine, open_only=True)[SOUTHWEST] == (8, "estimated")
    assert figures(engine)[SOUTHWEST] == (101, "partial")


def test_status_tells_them_apart_from_incidents(engine, tmp_path):
    load(engine, tmp_path)
    look_up(engine, tmp_path)

    found = read_status(engine, open_only=False)
    source = found["sources"][0]

    assert (source["area_counts"], source["read"], source["kept"]) == (160, 0, 0)
    assert (found["boundary_sets"][0]["in_ward"], found["boundary_sets"][0]["effective"]) == (0, "2024-12-31")
    assert "  160 incidents more as counts of areas: lsoa21 on wd24 by population." in status_lines(found)


def test_a_workbook_with_dates_and_titles(engine, tmp_path):
    path = tmp_path / "counts.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet()
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    sheet.write_row(0, 0, ["Counts of offences"])
    sheet.write_row(2, 0, ["LSOA21CD", "Month", "Offence", "Offences recorded"])
    sheet.write_row(3, 0, ["E01000001", None, "Burglary", 5])
    sheet.write_datetime(3, 1, NOW.replace(month=1, day=1, hour=0), day)
    book.close()

    report = load_area_counts(engine, path, areas="lsoa21", source="north-force", now=NOW)

    assert (report.total, report.rows) == (5, 1)


JANUARY = ("E01000001", "2024-01", "burglary", 1)


@pytest.mark.parametrize(
    ("rows", "options", "words"),
    [
        ([JANUARY, ("E01000002", *JANUARY[1:3], -1)], {}, "line 3: '-1' is not a count"),
        ([JANUARY, ("E01000002", "2024-01", "burglary", "1.5")], {}, "line 3: '1.5' is not a count"),
        ([JANUARY, JANUARY], {}, "line 3: E01000001, 2024-01, burglary stands in a line above"),
        ([JANUARY, (*JANUARY[:2], "witchcraft", 2)], {}, r"'witchcraft' \(1 rows\) is no crime type"),
        ([JANUARY, ("E01000001", "2024-13", "burglary", 2)], {}, r"'2024-13' \(1 rows\) is not a month"),
        ([JANUARY, ("E01000001", "2024-03", "burglary", 2)], {}, "no row is of 2024-02"),
        ([("E01000001", "2024-07", "burglary", 1)], {}, "between 1970 and the current month"),
        ([JANUARY], {"areas": "wd24"}, r"'E01000001' \(1 rows\) is the code of no area of wd24"),
        ([JANUARY], {"areas": "LSOA 21"}, "is not the name of areas"),
        ([JANUARY], {"crime_type": "burglary"}, "holds crime types already"),
        ([("", *JANUARY[1:])], {}, "names no area"),
        ([("E" * 301, *JANUARY[1:])], {}, "301 characters long, over 300"),
        ([(f"E0100000{i}", *JANUARY[1:3], 999_999_999) for i in range(3)], {}, "more than can be"),
    ],
)
def test_refused(engine, tmp_path, rows, options, words):
    before = version(engine)

    with pytest.raises(DataRefused, match=words):
        load(engine, tmp_path, rows, **options)

    assert version(engine) == before


def test_by_the_command_line(tiny, tmp_path, invoke):
    path = write_table(tmp_path / "counts.tsv", ("LSOA21CD", "month", "count"), [("E01000001", "2024-01", 5)], delimiter="\t")
    with tiny.copy(tmp_path) as url:
        clock = {"WARDWATCH_NOW": NOW.isoformat()}
        told = ("--areas", "lsoa21", "--source", "north-force", "--crime-type", "burglary", "--window", "2023-12:2024-02")
        done = invoke("load", "counts", path, *told, store=url, env=clock)
        assert "2023-12-01:2024-02-29: 5 incidents in 1 areas (lsoa21), from 1 rows." in done.stderr
        assert "No row is of 2023-12, 2024-02, which counts as supplied, with none." in done.stderr
        assert "the same as what is stored" in invoke("load", "counts", path, *told, store=url, env=clock).stderr


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_totals_of_wards_are_those_of_areas(engine, tmp_path, data):
    """Every area lies wholly in the set: whatever is loaded in whatever order, no incident is lost or made."""
    cells = st.tuples(st.sampled_from("AB"), st.sampled_from(["2024-01", "2024-02"]), st.integers(0, 1000))
    rows = {cell[:2]: cell for cell in data.draw(st.lists(cells, min_size=1))}
    counts = [(area, month, "burglary", count) for area, month, count in rows.values()]
    pairs = st.tuples(st.sampled_from("AB"), st.sampled_from([*CODES.values()]), st.integers(1, 50))
    weights = {pair[:2]: pair for pair in [("A", NORTHWEST, 1), ("B", SOUTHEAST, 1), *data.draw(st.lists(pairs))]}
    steps = [
        lambda: load(engine, tmp_path, counts, header=("lsoa21", *COUNTS[1:]), replace=True, window=None),
        lambda: look_up(engine, tmp_path, list(weights.values())),
        lambda: load_boundaries(engine, WARDS, now=NOW, replace=True),
    ]
    load(engine, tmp_path, [(a, m, "burglary", 1) for a in "AB" for m in ("2024-01", "2024-02")], replace=True)
    for step in data.draw(st.permutations(steps)):
        step()

    with reading(engine) as connection:
        counted = connection.scalar(select(func.sum(AreaCount.count)))
        on_wards = connection.scalar(select(func.sum(WardAreaCount.value))) or 0
    assert on_wards == pytest.approx(counted)


def test_what_counts_of_areas_alter_in_past_months_is_told(engine, tmp_path):
    load(engine, tmp_path)
    reader = Reader(engine, open_only=False)
    assert reader.alterations()["rows"] == []

    changed = [("E01000001", "2024-01", "burglary", 90), ("E01000002", "2024-01", "burglary", 65), *ROWS[2:]]
    load(engine, tmp_path, changed)

    found = reader.alterations()
    assert found["what"] == "loaded counts.csv (north-force area-counts)"
    [row] = found["rows"]
    assert (row["month"], row["crime_type"]) == ("2024-01", "burglary")
    assert [row[key] for key in ("before", "after", "gone", "added")] == [150, 155, 10, 15]
    unload_extract(engine, 2, now=NOW)
    assert [(row["before"], row["after"]) for row in reader.alterations()["rows"]] == [(155, 0), (7, 0), (3, 0)]
