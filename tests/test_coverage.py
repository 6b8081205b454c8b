"""Which months and which wards a source supplied: by the days covered, by a rule, by hand and from known gaps."""

import json
import re

import numpy as np
import pytest

from loaders.boundaries import load_boundaries
from loaders.incidents import load_incidents
from mapping.answers import Question, answer, count_rows
from mapping.choropleth import legend, map_values
from mapping.classes import SEQUENTIAL, ZERO, find_class, sequential_classes
from mapping.coverage import Coverage, Stream, StreamMonth
from mapping.coverage_notes import shipped_gaps
from mapping.normals import compare_months
from mapping.reach import covered_wards
from mapping.reader import Reader
from mapping.store import open_engine
from mapping.store.upgrade import init_store
from mapping.vocabulary import Month, Period, to_lonlat
from tests.county import visitor
from tests.tiny import ASB, BOTH_ENGINES, BURGLARY, CLOCK, DRUGS, NOW, county_on, write_street
from web.supplied import MonthMark, stream_strip

HOME, NEXT = "Home Constabulary", "Next Police"
MANCHESTER = "Greater Manchester Police"
GMP = "greater-manchester-police"
MONTHS = [f"2021-{number:02d}" for number in range(1, 10)]
NO_BURGLARY, FEW, EMPTY_HANDED = "2021-04", "2021-06", "2021-08"


def middle(ward):
    """Of ward number `ward`, from 0: squares of 1 km in a row."""
    return 500_500 + 1000 * ward, 200_500


def write_wards(folder):
    """Fifteen wards in five districts: three of Home, three of Next, nine beyond them."""
    features = []
    for ward in range(15):
        x, y = 500_000 + 1000 * ward, 200_000
        lon, lat = to_lonlat([x, x + 1000, x + 1000, x, x], [y, y, y + 1000, y + 1000, y])
        names = {"WD21CD": f"E0500{ward:04d}", "WD21NM": f"Ward {ward}", "LAD21CD": f"E070000{ward // 3:02d}"}
        shape = {"type": "Polygon", "coordinates": [[[float(a), float(b)] for a, b in zip(lon, lat, strict=True)]]}
        features.append({"type": "Feature", "properties": names, "geometry": shape})
    (folder / "wards.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return folder / "wards.geojson"


def write_home(folder):
    """A force whose months are whole, but for three: one without burglaries, one with few rows, one with hardly any."""
    written = []
    for month in MONTHS:
        each = 5 if month == FEW else 20
        rows = [(kind, middle(ward)) for ward in range(3) for kind in (ASB, BURGLARY, DRUGS) for _ in range(each)]
        if month == NO_BURGLARY:
            rows = [row for row in rows if row[0] != BURGLARY]
        if month == EMPTY_HANDED:
            rows = rows[:1]
        # Two in a hundred stray, into a district next door and into one far away.
        strays = [(ASB, middle(6)), (ASB, middle(14))]
        written.append(write_street(folder, month, rows + strays, name=f"{month}-home-street.csv", force=HOME))
    return written


def write_next(folder):
    """Another force, which does not supply September."""
    rows = [(DRUGS, middle(ward)) for ward in (3, 4, 5) for _ in range(20)]
    return [write_street(folder, month, rows, name=f"{month}-next-street.csv", force=NEXT, tag="n") for month in MONTHS[:-1]]


@pytest.fixture(scope="module", params=BOTH_ENGINES)
def filled(request, tmp_path_factory):
    """Give the two forces on their wards, on each engine in turn."""
    folder = tmp_path_factory.mktemp("forces")
    with county_on(request.param, request, folder, wards=False) as county:
        engine = open_engine(county.url)
        load_boundaries(engine, write_wards(folder), now=NOW)
        load_incidents(engine, write_home(folder) + write_next(folder), now=NOW)
        engine.dispose()
        yield county


@pytest.fixture
def forces(filled, tmp_path):
    """Give a copy to write in."""
    with filled.copy(tmp_path) as url:
        yield url


@pytest.fixture
def ask(filled):
    """Ask a measure of the store that nobody writes in: statuses or values by ward, or the whole answer."""
    engine = open_engine(filled.url)
    reader = Reader(engine, open_only=True)
    yield lambda measure, **question: answer(reader, measure, Question(**question))
    engine.dispose()


def months(first, last):
    return {"first": Month.parse(first), "last": Month.parse(last)}


def by_ward(found, column="status"):
    return [row[column] for row in found.rows]


def test_beyond_every_source_there_is_no_zero(ask):
    """Strays make no district covered, nor safe."""
    found = ask("count", **months("2021-02", "2021-03"))

    assert by_ward(found, "value") == 3 * [120] + 3 * [40] + 9 * [None]
    assert by_ward(found) == 6 * ["ok"] + 9 * ["not-supplied"]
    assert found.rows[6]["sentence"].endswith("No source in view covers it.")
    assert found.meta["missing"] == []


@pytest.mark.parametrize("view", ["", "&view=panel"])
def test_pages_call_nothing_none_where_nothing_was_supplied(filled, view):
    """Beyond every source, and in a month that a force did not send; a quiet part of its own area is another thing."""
    with visitor(filled.url) as client:

        def types(ward, month):
            page = client.get(f"/wards/wd21/E0500{ward:04d}?from={month}&to={month}{view}").text
            return re.split("<h2>Types|Most common", page)[1].split("</section>")[0]

        beyond, unsent, quiet = types(7, "2021-03"), types(4, "2021-09"), types(1, EMPTY_HANDED)

    assert "Not supplied." in beyond
    assert "Not supplied." in unsent
    assert "None recorded (some months not supplied)." in quiet
    assert "None recorded" not in beyond + unsent


def test_a_month_that_was_not_supplied_has_no_share():
    """It would read as a figure: 0%."""
    march, april = Month.parse("2022-03"), Month.parse("2022-04")
    months = {march: StreamMonth(march, "partial", rows=40, normal=100), april: StreamMonth(april, "not-supplied", normal=100)}
    ((_, marks),) = stream_strip(Stream("home", "street", months, frozenset(), frozenset())).years

    assert marks[2:4] == [MonthMark("partial", "40%"), MonthMark("not-supplied", "")]


def test_a_total_stands_for_the_wards_that_are_covered(ask):
    districts, whole = (ask("count", by=by, **months("2021-02", "2021-03")) for by in ("district", "set"))

    assert by_ward(districts, "value") == [360, 120, None, None, None]
    assert [(row["ward_name"], row["value"]) for row in whole.rows] == [("The 6 covered wards of wd21", 480)]


def test_a_hole_in_one_force_is_no_hole_in_another(ask):
    september = ask("count", **months("2021-09", "2021-09"))
    autumn = ask("count", **months("2021-07", "2021-09"), by="district", crime_type="drugs")

    assert by_ward(september) == 3 * ["ok"] + 12 * ["not-supplied"]
    assert september.meta["missing"] == [
        {"source": "next-police", "month": "2021-09", "status": "not-supplied", "reason": "no extract covers it"}
    ]
    assert by_ward(autumn)[:2] == ["partial", "partial"]
    assert "next-police" not in autumn.rows[0]["sentence"]
    assert autumn.rows[1]["sentence"].endswith("Not supplied: next-police September 2021 (no extract covers it).")


def test_a_source_alone_answers_for_its_own_wards(ask):
    found = ask("count", source="next-police", **months("2021-02", "2021-02"))

    assert by_ward(found, "value") == 3 * [None] + 3 * [20] + 9 * [None]


def test_a_month_with_few_of_its_normal_rows_is_there_in_part(ask):
    found = ask("count", source="home-constabulary", **months(FEW, FEW))

    assert by_ward(found)[0] == "partial"
    assert "home-constabulary June 2021 (in part: 47 rows are 26% of the normal 182)" in found.rows[0]["sentence"]


def test_a_type_that_is_missing_concerns_its_own_figures_only(ask):
    april = months(NO_BURGLARY, NO_BURGLARY)

    assert by_ward(ask("count", crime_type="burglary", **april))[0] == "not-supplied"
    assert by_ward(ask("count", crime_type="drugs", **april))[0] == "ok"
    assert by_ward(ask("count", crime_type="crime", **april))[0] == "partial"
    assert by_ward(ask("count", crime_type="burglary", **months("2021-03", "2021-05")), "value")[0] == 40
    assert "no rows of Burglary" in ask("count", crime_type="burglary", **april).rows[0]["sentence"]


def test_a_zero_a_hole_and_a_part_are_drawn_apart(ask):
    """The other force sends no burglaries; of Home's three months one has none; nobody covers the rest."""
    found = ask("count", crime_type="burglary", **months("2021-03", "2021-05"))

    lines = {(line["label"], line["hatch"]): (line["colour"], line["wards"]) for line in legend(found)}
    assert lines == {
        ("0: none recorded", None): (ZERO, 3),
        ("1 or more", None): (SEQUENTIAL[1][0], 3),
        ("Not supplied", "not-supplied"): (None, 9),
        ("Some months not supplied", "partial"): (None, 3),
    }
    assert map_values(found)["dashed"] == [f"E0500000{ward}" for ward in range(3)]


def test_a_figure_that_rounds_to_zero_is_none():
    classes = sequential_classes(np.array([0, 0.01, 0.04, 5, np.nan]), write=lambda value: f"{value:.1f}", decimals=1)

    assert [c.label for c in classes] == ["0: none recorded", "up to 0.0", "0.1 or more"]
    assert (classes[0].id, classes[0].low, classes[0].high) == ("zero", 0, 0)
    assert [find_class(value, classes, decimals=1) for value in (0, 0.01, 0.04, 5)] == [0, 1, 1, 2]


def test_the_coverage_says_what_is_normal_and_why_not(filled):
    with visitor(filled.url, audience="internal") as client:
        rows = {(row["source"], row["month"]): row for row in client.get("/api/v1/coverage").json["rows"]}

    home = {month: rows["home-constabulary", month] for month in MONTHS}
    assert [home[m]["status"] for m in MONTHS] == [
        *("supplied", "supplied", "supplied", "partial", "supplied", "partial", "supplied", "partial", "supplied")
    ]
    few = home[FEW]
    assert (few["rows"], few["normal"], few["reason"]) == (47, 182, "47 rows are 26% of the normal 182")
    assert few["share"] == pytest.approx(47 / 182)
    assert (home[NO_BURGLARY]["missing_types"], home[NO_BURGLARY]["reason"]) == (["burglary"], "no rows of Burglary")
    assert home[EMPTY_HANDED]["missing_types"] == ["burglary", "drugs"]


def test_status_says_it_too(invoke, filled):
    found = json.loads(invoke("status", "--format", "json", store=filled.url, env=CLOCK).stdout)

    june = next(s for s in found["sources"] if s["id"] == "home-constabulary")["months"][5]
    assert (june["status"], june["kept"], round(june["share"], 2)) == ("partial", 47, 0.26)
    assert "2021-06 partial (47 rows are 26% of the normal 182)" in invoke("status", store=filled.url, env=CLOCK).stdout


def test_what_is_known_by_hand_comes_before_the_rule(invoke, forces):
    def coverage(*words, status=0):
        return invoke("coverage", *words, store=forces, env=CLOCK, status=status)

    def june():
        shown = invoke("measure", "count", "--ward", "E05000000", "--from", FEW, "--to", FEW, "--format", "json", store=forces)
        return json.loads(shown.stdout)["rows"][0]

    versions = [version(invoke, forces)]
    one_month = ("home-constabulary", "--from", FEW, "--to", FEW, "--reason")
    coverage("set", *one_month, "Checked: a quiet month", "--status", "supplied")
    assert (june()["status"], june()["value"]) == ("ok", 15)
    versions.append(version(invoke, forces))
    coverage("set", *one_month, "The file was cut off", "--status", "not-supplied", "--stream", "street")
    assert (june()["status"], june()["value"]) == ("not-supplied", None)
    assert "(by hand: The file was cut off)" in june()["sentence"]
    listed = coverage().stdout
    assert "2: home-constabulary street 2021-06 not-supplied: The file was cut off" in listed
    coverage("clear", 2)
    coverage("clear", 1)
    assert june()["status"] == "partial"
    assert coverage().stdout == "Nothing is noted by hand.\n"
    assert version(invoke, forces) == versions[0] != versions[1]


def version(invoke, store):
    return json.loads(invoke("status", "--format", "json", store=store, env=CLOCK).stdout)["data_version"]


def test_no_note_supplies_a_month_that_no_extract_covers(invoke, forces):
    september = ("--from", "2021-09", "--to", "2021-10", "--status", "supplied", "--reason", "It came by post")
    invoke("coverage", "set", "next-police", *september, store=forces, env=CLOCK)

    found = invoke("measure", "count", "--ward", "E05000003", "--from", "2021-09", "--to", "2021-10", store=forces, env=CLOCK)
    assert "not-supplied" in found.stdout
    assert "no extract covers it" in found.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("set", "nobody", "--from", "2021-01"), "There is no source 'nobody'"),
        (("set", "next-police", "--stream", "calls", "--from", "2021-01"), "has no stream 'calls'"),
        (("set", "next-police", "--from", "2021-03", "--to", "2021-01"), "ends (2021-01) before it starts (2021-03)"),
        (("set", "next-police", "--from", "soon"), "'soon' is not a month"),
        (("clear", "7"), "There is no note 7"),
        (("area", "nobody", "--everywhere"), "There is no source 'nobody'"),
        (("area", "next-police", "--districts", "E07999999"), "No boundary set has a district 'E07999999'"),
    ],
)
def test_what_cannot_be_noted_is_refused(invoke, filled, words, said):
    noted = ("--status", "partial", "--reason", "So it is") if words[0] == "set" else ()

    assert said in invoke("coverage", *words, *noted, store=filled.url, env=CLOCK, status=1).stderr
    assert invoke("coverage", store=filled.url, env=CLOCK).stdout == "Nothing is noted by hand.\n"


def test_the_area_of_a_source_may_be_given_by_hand(invoke, forces):
    def covered():
        shown = invoke("measure", "count", "--source", "home-constabulary", "--format", "json", store=forces, env=CLOCK)
        return [row["status"] != "not-supplied" for row in json.loads(shown.stdout)["rows"]]

    invoke("coverage", "area", "home-constabulary", "--districts", "E07000000,E07000002", store=forces, env=CLOCK)
    assert covered() == 3 * [True] + 3 * [False] + 3 * [True] + 6 * [False]
    invoke("coverage", "area", "home-constabulary", "--everywhere", store=forces, env=CLOCK)
    assert covered() == 15 * [True]
    assert invoke("coverage", store=forces, env=CLOCK).stdout == "home-constabulary covers everywhere\n"
    invoke("coverage", "area", "home-constabulary", "--clear", store=forces, env=CLOCK)
    assert covered() == 3 * [True] + 12 * [False]


def test_a_known_gap_is_told_as_such(store_url, tmp_path):
    """Months of it that hold a few rows are no whole months."""
    engine = open_engine(store_url, must_exist=False)
    init_store(engine)
    load_boundaries(engine, write_wards(tmp_path), now=NOW)
    files = [write_street(tmp_path, m, [(DRUGS, middle(0))], force=MANCHESTER) for m in ("2019-06", "2019-08")]
    load_incidents(engine, files, now=NOW)
    reader = Reader(engine, open_only=True)
    found = answer(reader, "count", Question(**months("2019-06", "2019-09")))
    _, meta = count_rows(reader, Question(**months("2019-06", "2019-09")))
    engine.dispose()

    reason = "Greater Manchester Police did not supply police.uk after its change of computer system in July 2019"
    assert [(gap["month"], gap["status"], gap["reason"]) for gap in found.meta["missing"]] == [
        ("2019-07", "not-supplied", reason),
        ("2019-08", "partial", reason),
        ("2019-09", "not-supplied", reason),
    ]
    assert meta["missing"] == found.meta["missing"]


def test_shipped_gaps_name_a_source_and_its_months():
    assert {gap.source for gap in shipped_gaps()} >= {GMP}
    assert all(gap.last and gap.first <= gap.last and gap.reason for gap in shipped_gaps())


def test_outcomes_are_listed_and_count_nothing():
    """They come later than the crimes, and months without them are no holes."""
    march, april = Month.parse("2022-03"), Month.parse("2022-04")
    types = frozenset({"drugs"})
    street = Stream("home", "street", {march: StreamMonth(march, "supplied")}, types, types)
    outcomes = Stream("home", "outcomes", {april: StreamMonth(april, "supplied")}, frozenset(), frozenset(), "outcomes")
    coverage = Coverage((outcomes, street))

    assert (coverage.span, coverage.latest, coverage.known) == (Period(march, march), march, Period(march, march))
    assert coverage.missing(Period(march, march)) == []
    assert coverage.by_source() == {"home": Coverage((street,))}
    assert [gap["reason"] for gap in coverage.missing(Period(april, april))] == ["no extract covers it"]
    assert coverage.streams == (outcomes, street)


def grown(*rows):
    return np.array(rows)[:, None], np.ones(len(rows), dtype=bool)


def test_a_growing_source_starts_small():
    by_type, whole = grown(60, 70, 85, 100, 120, 145, 175, 210, 250, 300, 360, 430, 520)

    assert not compare_months(by_type, whole).few.any()


def test_a_first_month_that_is_cut_off_is_noticed():
    few = compare_months(*grown(20, 200, 210, 3, 190, 220, 200, 205)).few

    assert few.tolist() == [True, False, False, True, False, False, False, False]


def test_without_six_months_to_compare_with_nothing_is_normal():
    found = compare_months(*grown(100, 100, 100, 0, 100, 100))

    assert np.isnan(found.normal).all()
    assert not found.few.any()
    assert not found.absent.any()


def test_a_type_that_has_ended_or_begun_is_not_missing():
    """As at police.uk in May 2013: one type in place of another."""
    by_type = np.array(12 * [[100, 0]] + 12 * [[0, 100]])

    assert not compare_months(by_type, np.ones(24, dtype=bool)).absent.any()


def test_a_source_that_lies_thinly_over_the_country_covers_it():
    """Railway police: most wards have no station."""
    districts = np.repeat([f"E07{n:06d}" for n in range(30)], 10)
    inside = np.zeros(300)
    inside[::10] = 900
    inside[::50] = 9000

    assert covered_wards(inside, districts, everywhere=400_000).all()


def test_a_force_covers_its_districts_and_not_where_its_strays_lie():
    """Strays crowd at the border: the next district has 3% of what the force's own has, in one of its wards."""
    districts = np.repeat(["own 1", "own 2", "next", "far"], 10)
    inside = np.concatenate([np.full(10, 400), np.full(10, 90), [150], np.full(9, 1), np.full(10, 0)]).astype(float)

    assert covered_wards(inside, districts, everywhere=5200).tolist() == 20 * [True] + 20 * [False]


def test_a_source_covers_nothing_of_a_set_that_it_hardly_touches():
    """A force of 3 million incidents, a dozen of them in another county."""
    inside = np.zeros(179)
    inside[:12] = 1

    assert not covered_wards(inside, np.repeat("", 179), everywhere=3_000_000).any()
    assert covered_wards(inside, np.repeat("", 179), everywhere=12).all()
