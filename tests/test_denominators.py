"""What rates are per: residents, households, the workday population, land, premises; of which year, and from where.

Wards are squares of 1 km. Hand-computed figures are per year, of a period that is one month long: twelve times the month's.
"""

import csv
import io
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.load import load_population_command
from loaders.boundaries import load_boundaries
from loaders.incidents import load_incidents
from loaders.population import load_population
from mapping.answers import Question, answer
from mapping.denominators import KINDS, Denominators, YearOfKind
from mapping.measures import find_measure
from mapping.reader import Reader
from mapping.statistics.rates import poisson_interval, rate_a_year
from mapping.store import open_engine
from mapping.vocabulary import Month, Period
from tests.county import visitor
from tests.tiny import (
    BOTH_ENGINES,
    BURGLARY,
    CLOCK,
    CODES,
    DRUGS,
    NE,
    NOW,
    NW,
    SE,
    SW,
    county_on,
    fill,
    write_street,
    write_table,
)

WARDS = [CODES[NW], CODES[SW], CODES[NE], CODES[SE]]
NAMES = ["Northwest", "Southwest", "Northeast", "Southeast"]
JANUARY = {"first": Month(2024, 1), "last": Month(2024, 1)}


@pytest.fixture(scope="module", params=BOTH_ENGINES)
def county(request, tmp_path_factory):
    """Give a store with January 2024: 6 incidents in the north-west, 3 in the south-west, 1 in the north-east."""
    folder = tmp_path_factory.mktemp("denominators")
    rows = 5 * [(BURGLARY, NW)] + [(DRUGS, NW)] + 3 * [(BURGLARY, SW)] + [(BURGLARY, NE)]
    with county_on(request.param, request, folder, incidents=[write_street(folder, "2024-01", rows)]) as county:
        yield county


@pytest.fixture
def url(county, tmp_path):
    """Give a copy of it."""
    with county.copy(tmp_path) as url:
        yield url


@pytest.fixture
def load(url, invoke, tmp_path):
    """Load numbers of the four wards: load([...], year=2024, what="households")."""

    def run(numbers, *options, year=2024, what="residents", column=None, status=0):
        header = ["code", "name", column or what]
        path = write_table(tmp_path / f"{what}-{year}.csv", header, zip(WARDS, NAMES, numbers, strict=True))
        command = ("load", "population", path, "--boundaries", "wd24", "--year", year, "--what", what, *options)
        return invoke(*command, store=url, env=CLOCK, status=status).stderr

    return run


def rates(url, *, by="ward", period=JANUARY, **options):
    """The answer, and of its rows value and status by code."""
    engine = open_engine(url)
    found = answer(Reader(engine, open_only=False), "rate", Question(by=by, options=options, **period))
    engine.dispose()
    return found, {row["ward_code"]: (row["value"], row["status"]) for row in found.rows}


def sentence(found, code):
    return next(row["sentence"] for row in found.rows if row["ward_code"] == code)


def test_golden_g3():
    """METHODS 1: 41 in 7,842 residents, in a year."""
    low, high = poisson_interval([41])

    found = [float(rate_a_year(x, 7842, months=12)) for x in (41, low[0], high[0])]

    assert [round(n, 4) for n in found] == [5.2283, 3.7519, 7.0927]


@pytest.mark.parametrize(("months", "denominator"), [(0, 5), (1, 0), (1, -1), (1, math.nan)])
def test_what_nothing_can_be_divided_by(months, denominator):
    with pytest.raises(ValueError, match="denominator above 0"):
        rate_a_year(1, denominator, months=months)


# The choice


def test_each_choice_has_its_figures_unit_and_words(url, load):
    load([2000, 1000, 1500, 4000])
    load([1200, 400, 600, 100], what="households")
    load([12000, 800, "1,500", 4000], what="workday", column="Workday population")
    load([300, 600, 500, 400], what="premises", column="Addresses")

    found, by_code = rates(url)
    assert by_code[WARDS[0]] == (6 * 12 * 1000 / 2000, "ok")
    assert (found.measure.name, found.meta["unit"]) == ("Rate per 1,000 residents", "per 1,000 residents a year")
    assert sentence(found, WARDS[0]).startswith("Northwest: 36.0 per 1,000 residents a year (could be 13.2 to 78.4; ")
    assert "; 2,000 residents, mid-2024). People who visit or work there are not residents." in sentence(found, WARDS[0])
    assert found.meta["denominator"] == "residents, mid-2024 (residents-2024.csv)"

    found, by_code = rates(url, per="households")
    assert by_code == {
        WARDS[0]: (6 * 12 * 1000 / 1200, "ok"),
        WARDS[1]: (3 * 12 * 1000 / 400, "ok"),
        WARDS[2]: (1 * 12 * 1000 / 600, "ok"),
        WARDS[3]: (None, "no-denominator"),
    }
    assert (found.measure.name, found.meta["unit"]) == ("Rate per 1,000 households", "per 1,000 households a year")
    assert "90.0 per 1,000 households a year" in sentence(found, WARDS[1])
    assert "; 400 households, 2024)." in sentence(found, WARDS[1])
    asked = "all crime and anti-social behaviour, January 2024; Tiny Constabulary"
    assert sentence(found, WARDS[3]) == f"Southeast: no rate for {asked}: only 100 households, 2024, less than 200."

    found, by_code = rates(url, per="workday")
    assert by_code[WARDS[0]] == (6 * 12 * 1000 / 12000, "ok")
    assert found.meta["unit"] == "per 1,000 workday population a year"
    assert "; 12,000 people there on a working day, 2024)." in sentence(found, WARDS[0])

    found, by_code = rates(url, per="premises")
    assert by_code[WARDS[0]] == (6 * 12 * 1000 / 300, "ok")
    assert "; 300 premises, 2024)." in sentence(found, WARDS[0])

    found, by_code = rates(url, per="area")
    value, status = by_code[WARDS[0]]
    assert (value, status) == (pytest.approx(6 * 12, rel=1e-3), "ok")
    assert (found.measure.name, found.meta["unit"]) == ("Rate per km²", "per km² a year")
    assert "; 1.00 km²)." in sentence(found, WARDS[0])
    assert found.meta["denominator"] == "km² (the shapes of the wards)"


def test_sums_of_wards(url, load):
    load([1200, 400, 600, 100], what="households")

    for per, by, expected in [
        ("households", "set", 10 * 12 * 1000 / 2300),
        ("area", "set", 10 * 12 / 4),
        ("area", "district", 9 * 12 / 2),
    ]:
        found, _ = rates(url, by=by, per=per)
        assert found.rows[0]["value"] == pytest.approx(expected, rel=1e-3)
        assert "highest fifth" not in found.rows[0]["sentence"]


def test_land_needs_no_file_and_a_kind_that_is_not_loaded_says_how_to_load_it(url):
    assert rates(url, per="area")[1][WARDS[3]] == (0, "ok")

    for kind in ("residents", "households", "workday", "premises"):
        found, by_code = rates(url, per=kind)
        assert by_code[WARDS[0]] == (None, "no-denominator")
        said = sentence(found, WARDS[0])
        assert f"no figures of {KINDS[kind].name.lower()} are loaded; `wardwatch load population FILE --what {kind}`" in said
        assert found.meta["denominator"] is None


def test_a_kind_that_there_is_not_is_refused(url, invoke):
    said = invoke("measure", "rate", "--option", "per=sheep", store=url, status=1).stderr

    assert "The measure rate has no option per=sheep" in said
    assert "residents or households or workday or area or premises" in said


def test_the_command_line_loads_what_the_measure_offers():
    [what] = [p for p in load_population_command.params if p.name == "what"]

    assert [*what.type.choices] == [kind.id for kind in KINDS.values() if kind.loaded]
    assert find_measure("rate").options[0].values == tuple(KINDS)


# Years


def test_between_two_years_a_straight_line_is_drawn_ward_by_ward(url, load):
    load([1000, 2000, 300, 100], year=2020)
    load([2000, 1000, 300, 280], year=2025)

    found, by_code = rates(url)

    # 2024 is four of the five years from 2020 to 2025.
    assert by_code[WARDS[0]] == (pytest.approx(6 * 12 * 1000 / 1800), "estimated")
    assert by_code[WARDS[1]] == (pytest.approx(3 * 12 * 1000 / 1200), "estimated")
    assert by_code[WARDS[3]] == (0, "estimated")
    assert "; 1,800 residents, estimated between mid-2020 and mid-2025)." in sentence(found, WARDS[0])
    assert found.meta["denominator"] == (
        "residents, estimated between mid-2020 and mid-2025 (residents-2020.csv and residents-2025.csv)"
    )


def test_a_gap_goes_before_an_estimate(url, load):
    load([1000, 2000, 300, 100], year=2022)
    load([2000, 1000, 300, 280], year=2024)
    until_january = {"first": Month(2023, 1), "last": Month(2024, 1)}

    found, by_code = rates(url, period=until_january)

    assert by_code[WARDS[0]] == (pytest.approx(6 * 12 * 1000 / 1500), "partial")
    assert "1,500 residents, estimated between mid-2022 and mid-2024" in sentence(found, WARDS[0])
    assert "Worked out over the 1 of 13 months" in sentence(found, WARDS[0])


def year(number):
    return Period(Month(number, 1), Month(number, 12))


@pytest.mark.parametrize(
    ("given", "period", "taken"),
    [
        ([2021], year(2021), (2021,)),
        ([2020, 2021, 2022], year(2021), (2021,)),
        ([2018, 2020, 2022, 2023], year(2021), (2020, 2022)),
        ([2011, 2021], year(2016), (2011, 2021)),
        ([2019], year(2021), (2019,)),
        ([2017, 2018], year(2021), ()),
        ([2023, 2024], year(2021), (2023,)),
        ([2024], year(2021), ()),
        # Of two equally near the later, if it is there.
        ([2020, 2021], Period(Month(2020, 7), Month(2021, 6)), (2021,)),
        ([2020, 2022], Period(Month(2020, 7), Month(2021, 6)), (2020,)),
        # At most two years off the period, not off its middle.
        ([2023], Period(Month(2015, 1), Month(2021, 12)), (2023,)),
        ([], year(2021), ()),
    ],
)
def test_which_year_is_taken(given, period, taken):
    made = {y: YearOfKind(np_of(y), f"{y}.csv", "", estimated=False) for y in given}

    found = Denominators({"residents": made}, np_of(1)).divisor("residents", period)

    assert (found.years if found else ()) == taken
    assert found is None or found.estimated == (len(taken) > 1)


def np_of(number):
    return np.array([float(number)])


@given(st.lists(st.integers(1990, 2040), unique=True, max_size=5), st.integers(1990, 2040), st.integers(0, 40))
def test_nothing_is_extrapolated(years, first, months):
    """Whatever is given: two years lie around what they give, and one is at most two years outside the period."""
    period = Period(Month(first, 1), Month(first, 1).plus(months))
    given = {y: YearOfKind(np_of(y), "", "", estimated=False) for y in sorted(years)}

    found = Denominators({"residents": given}, np_of(1)).divisor("residents", period)

    if found is None:
        assert all(y < period.first.year - 2 or y > period.last.year + 2 for y in years)
    else:
        assert set(found.years) <= set(years)
        assert min(found.years) <= found.value[0] <= max(found.years)
        assert len(found.years) == 2 or period.first.year - 2 <= found.years[0] <= period.last.year + 2


def test_a_ward_without_a_figure_in_one_of_the_two_years_has_none():
    given = {y: YearOfKind(np_of(n), "", "", estimated=False) for y, n in ((2020, 5), (2022, math.nan))}

    found = Denominators({"residents": given}, np_of(1)).divisor("residents", year(2021))

    assert math.isnan(found.value[0])


# Standing


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Give an embedded store of ten wards in a row, with incidents, residents and a workday population."""
    folder = tmp_path_factory.mktemp("many")
    url = f"sqlite:///{folder / 'many.db'}"
    fill(url, incidents=[], wards=False)
    engine = open_engine(url)
    load_boundaries(engine, ten_wards(folder), now=NOW, crs="EPSG:27700")
    # Two incidents in each ward, ten in W00 and nine in W01.
    rows = [(BURGLARY, (500_500 + 1000 * i, 200_500)) for i, n in enumerate([10, 9, *8 * [2]]) for _ in range(n)]
    load_incidents(engine, [write_street(folder, "2024-01", rows)], now=NOW)
    engine.dispose()
    return url


def ten_wards(folder):
    features = [
        {
            "type": "Feature",
            "properties": {"WD24CD": f"W{i:02}", "WD24NM": f"Ward {i}"},
            "geometry": {
                "type": "Polygon",
                "coordinates": [
                    [[500_000 + 1000 * (i + dx), 200_000 + 1000 * dy] for dx, dy in ((0, 0), (1, 0), (1, 1), (0, 1), (0, 0))]
                ],
            },
        }
        for i in range(10)
    ]
    path = folder / "ten.geojson"
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::27700"}}
    path.write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": features}))
    return path


def load_ten(url, folder, numbers, what):
    path = write_table(folder / f"{what}.csv", ["code", what], [(f"W{i:02}", n) for i, n in enumerate(numbers)])
    engine = open_engine(url)
    load_population(engine, path, boundaries="wd24", year=2024, now=NOW, what=what)
    engine.dispose()


def test_a_ward_whose_standing_depends_on_the_choice_is_told_so(many, tmp_path):
    load_ten(many, tmp_path, [1000] * 10, "residents")

    # Per resident W00 and W01 are the highest fifth; all wards are of one size, so that land changes nothing.
    assert [row["sentence"] for row in rates(many)[0].rows if "fifth" in row["sentence"]] == []

    # With ten times as many people by day, W00 is below all others; W02 comes up.
    load_ten(many, tmp_path, [10_000, 1000, 500, *7 * [1000]], "workday")
    found, _ = rates(many)
    told = {row["ward_code"]: row["sentence"] for row in found.rows if "fifth" in row["sentence"]}
    assert told.keys() == {"W00", "W02"}
    assert "It is among the highest fifth of wards per resident, but not per person there on a working day." in told["W00"]
    assert "It is not among the highest fifth of wards per resident, but is per person there on a working day." in told["W02"]

    other, _ = rates(many, per="workday")
    assert "It is not among the highest fifth of wards per person there on a working day, but is per resident." in sentence(
        other, "W00"
    )


# Sources


def test_every_denominator_names_its_source(url, load, invoke):
    load([2000, 1000, 1500, 4000], "--attribution", "© <b>Office</b> for Made-up Statistics")
    load([1200, 400, 600, 300], what="households", year=2021)

    found = json.loads(invoke("status", "--format", "json", store=url).stdout)
    assert found["denominators"] == [
        {
            "boundaries": "wd24",
            "kind": kind,
            "year": year,
            "total": total,
            "file": f"{kind}-{year}.csv",
            "estimated": False,
            "attribution": attribution,
        }
        for kind, year, total, attribution in (
            ("residents", 2024, 8500, "© <b>Office</b> for Made-up Statistics"),
            ("households", 2021, 2500, ""),
        )
    ]
    assert found["population"] == [{"boundaries": "wd24", "year": 2024, "residents": 8500}]
    assert "Households of wd24, 2021: 2,500 (households-2021.csv)." in invoke("status", store=url).stdout

    printed = "© <b>Office</b> for Made-up Statistics"
    with visitor(url) as client:
        page = client.get("/data").text
        assert "residents-2024.csv" in page
        assert "© &lt;b&gt;Office&lt;/b&gt; for Made-up Statistics" in page
        assert "<b>Office</b>" not in page
        rate = client.get("/api/v1/measures/rate?from=2024-01&to=2024-01").json
        assert rate["meta"]["attribution"][-1] == printed
        assert printed not in client.get("/api/v1/measures/rate?per=area").json["meta"]["attribution"]
        assert printed not in client.get("/api/v1/measures/count").json["meta"]["attribution"]


def test_the_path_of_a_file_is_nobodys_to_see(url, load, invoke, tmp_path):
    load([2000, 1000, 1500, 4000])

    assert str(tmp_path) not in invoke("status", "--format", "json", store=url).stdout
    with visitor(url) as client:
        assert str(tmp_path) not in client.get("/data").text


def test_csv_and_workbook_name_the_choice(url, load):
    load([1200, 400, 600, 300], what="households")
    with visitor(url) as client:
        answered = client.get("/api/v1/measures/rate?per=households&from=2024-01&to=2024-01&format=csv")
        rows = {row["ward_code"]: row for row in csv.DictReader(io.StringIO(answered.text))}
        assert rows[WARDS[0]]["value"] == "60.0"
        assert answered.headers["X-Wardwatch-Denominator"] == "households, 2024 (households-2024.csv)"
        assert "wardwatch-rate-per-households-all-wd24-2024-01" in answered.headers["Content-Disposition"]
        assert "per 1,000 households a year" in rows[WARDS[0]]["sentence"]
        book = client.get("/api/v1/measures/rate?per=households&format=xlsx")
        assert book.status_code == 200


def test_pages_say_the_choice(url, load):
    load([1200, 400, 600, 300], what="households")
    with visitor(url) as client:
        page = client.get("/?measure=rate&per=households&from=2024-01&to=2024-01").text
        assert "rate per 1,000 households" in page
        assert '<option value="households" selected>households</option>' in page
        assert '<option value="workday">workday population (not loaded)</option>' in page
        assert '<option value="area">km²</option>' in page
        assert "households, 2024 (households-2024.csv)" in page
        profile = client.get(f"/wards/wd24/{WARDS[0]}?measure=rate&per=households&from=2024-01&to=2024-01").text
        assert "60.0 per 1,000 households a year" in profile
        methods = client.get("/methods").text
        assert "<code>workday</code>: per 1,000 workday population a year" in methods
