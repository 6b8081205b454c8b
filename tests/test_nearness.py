"""Nearness to the line: counted by hand on four squares, and against brute force on drawn shapes."""

import numpy as np
import pytest
import shapely

from loaders.incidents import Window, load_incidents
from loaders.population import load_population
from mapping.answers import Question, answer
from mapping.choropleth import legend, map_values
from mapping.coverage_notes import set_note
from mapping.lines import changeable_wards
from mapping.nearness import near_wards, read_nearness, read_precisions
from mapping.reader import Reader
from mapping.store import open_engine, reading
from mapping.vocabulary import Month
from tests.county import visitor
from tests.tiny import (
    ASB,
    BURGLARY,
    CODES,
    DRUGS,
    LAYOUT,
    NE,
    NOW,
    NW,
    POPULATION,
    SE,
    SOURCE,
    SW,
    fill,
    write_calls,
    write_layout,
    write_street,
)

# Along the line between the western and the eastern wards (x = 501000) and beyond the county's edge (x = 500000).
WEST_OF_LINE, EAST_OF_LINE = (500_940, 201_500), (501_030, 201_500)
CORNER = (500_990, 200_990)  # in the Southwest, near the three others
BEYOND = (499_970, 201_400)  # in no ward
FAR_FROM_LINE = (500_880, 201_500)  # 120 m
CONTROL_ROOM = "tiny-control-room"


def nearness(url, source=None):
    engine = open_engine(url)
    reader = Reader(engine, open_only=False)
    catalogue = reader.catalogue()
    found = read_nearness(reader, catalogue, catalogue.boundary_set(None), source)
    engine.dispose()
    return found


def by_ward(counts, crime_type=None):
    wanted = slice(None) if crime_type is None else [counts.crime_types.index(crime_type)]
    return counts.values[:, :, wanted].sum(axis=(1, 2)).tolist()


@pytest.fixture
def lined(store_url, tmp_path):
    """Give a store of a month of street data along the lines of the four squares."""
    rows = [(ASB, WEST_OF_LINE)] * 3 + [(BURGLARY, EAST_OF_LINE)] * 2 + [(ASB, CORNER), (ASB, BEYOND), (ASB, FAR_FROM_LINE)]
    rows += [(ASB, NW), (ASB, None)] + [(DRUGS, SE)] * 20
    fill(store_url, incidents=[write_street(tmp_path, "2024-01", rows)])
    return store_url


def test_incidents_near_another_ward_and_others_near_it(lined):
    found = nearness(lined)

    # In the order Northwest, Southwest, Northeast, Southeast.
    assert found.within_m == (100,)
    assert found.words == "100 m"
    assert by_ward(found.out) == [3, 1, 2, 0]
    assert by_ward(found.into) == [2 + 1 + 1, 0, 3 + 1, 1]
    assert by_ward(found.into, "burglary") == [2, 0, 0, 0]


def test_sources_each_have_their_own_precision(lined, tmp_path):
    exact = write_layout(tmp_path, LAYOUT)
    january = Window(NOW.date().replace(month=1, day=1), NOW.date().replace(month=1, day=31))
    calls = write_calls(tmp_path, [("05/01/2024", "NOISE", WEST_OF_LINE), ("06/01/2024", "NOISE", FAR_FROM_LINE)])
    engine = open_engine(lined)
    load_incidents(engine, [calls], now=NOW, layout=str(exact), window=january)
    with reading(engine) as connection:
        assert read_precisions(connection, [SOURCE, CONTROL_ROOM]) == {SOURCE: 100}
    assert nearness(lined, CONTROL_ROOM) is None
    assert by_ward(nearness(lined).out) == [3, 1, 2, 0]

    vague = write_layout(tmp_path, f"precision_m = 150\n{LAYOUT}", name="vague.toml")
    load_incidents(engine, [calls], now=NOW, layout=str(vague), window=january)
    engine.dispose()

    assert nearness(lined).words == "100 m or 150 m"
    # Both of its calls count now; the police's own at 120 m still does not.
    assert by_ward(nearness(lined).out) == [3 + 2, 1, 2, 0]
    assert by_ward(nearness(lined, CONTROL_ROOM).into) == [0, 0, 2, 0]


def test_near_wards_are_those_of_every_distance():
    random = np.random.default_rng(7)
    wards = shapely.buffer(shapely.points(random.uniform(0, 1000, (12, 2))), random.uniform(50, 250, 12), quad_segs=3)
    points = shapely.points(random.uniform(-100, 1100, (400, 2)))

    pairs = set(zip(*map(np.ndarray.tolist, near_wards(points, wards, within_m=60)), strict=True))

    distances = shapely.distance(points[:, None], wards[None, :])
    assert pairs == set(zip(*map(np.ndarray.tolist, np.nonzero(distances <= 60)), strict=True))
    assert 0 < len(pairs) < 12 * 400


def ask(url, measure, **question):
    engine = open_engine(url)
    found = answer(Reader(engine, open_only=True), measure, Question(**question))
    engine.dispose()
    return found


def test_a_count_says_what_lies_near_the_line_and_how_far_that_could_move_it(lined):
    found = ask(lined, "count")
    said = {row["ward_code"]: row["sentence"].split("its level is ")[1].split(". ", 1)[1:] for row in found.rows}

    line = "{} within 100 m of another ward, and {} within 100 m of this one: {} if they belonged next door."
    assert said == {
        CODES[NW]: [line.format("3 of them lie", "4 others", "2 to 9")],
        CODES[SW]: [line.format("One of them lies", "no other", "0 to 1")],
        CODES[NE]: [line.format("2 of them lie", "4 others", "0 to 6")],
        CODES[SE]: [line.format("None of them lies", "one other", "20 to 21")],
    }
    for by in ("district", "set"):
        totals = ask(lined, "count", by=by)
        assert totals.near == {}
        assert not any("100 m" in row["sentence"] for row in totals.rows)
    assert "next door" not in ask(lined, "count", crime_type="drugs", ward=CODES[SE]).rows[0]["sentence"]


def test_what_lies_near_the_line_is_of_the_months_that_the_count_is_of(lined, tmp_path):
    """The rows of a month that counts as not supplied are in no count: nor can any of them belong next door."""
    engine = open_engine(lined)
    load_incidents(engine, [write_street(tmp_path, "2024-02", [(ASB, WEST_OF_LINE)] * 5 + [(ASB, EAST_OF_LINE)] * 5)], now=NOW)
    set_note(engine, SOURCE, stream="", first=Month(2024, 2), last=None, status="not-supplied", reason="Half a file.", now=NOW)
    engine.dispose()
    near = ask(lined, "count", first=Month(2024, 1), last=Month(2024, 2)).near[CODES[NW]]

    assert (near.out, near.into, near.low, near.high) == (3, 4, 2, 9)


def test_a_rate_has_the_same_range_on_its_own_scale(lined):
    engine = open_engine(lined)
    load_population(engine, POPULATION, boundaries="wd24", year=2024, now=NOW)
    engine.dispose()
    counts, rates = ask(lined, "count"), ask(lined, "rate")
    value = {row["ward_code"]: row["value"] for row in counts.rows}
    scaled = [row for row in rates.rows if row["value"]]

    assert scaled
    for row in scaled:
        code = row["ward_code"]
        one = row["value"] / value[code]
        near, of_count = rates.near[code], counts.near[code]
        assert (near.out, near.into) == (of_count.out, of_count.into)
        assert (near.low, near.high) == pytest.approx((one * of_count.low, one * of_count.high))
        assert f": {near.low:,.1f} to {near.high:,.1f} if they belonged next door." in row["sentence"]


def test_the_map_marks_the_wards_whose_class_could_change(lined):
    plain, hatched = ask(lined, "count"), ask(lined, "count", options={"nearness": "hatched"})

    assert [row["value"] for row in hatched.rows] == [5, 1, 2, 20]
    assert changeable_wards(plain) == map_values(plain)["near"] == []
    assert not any(line["hatch"] for line in legend(plain))
    # The Southeast with its 20 stays the highest, one more or not, and the Southwest with its 1 the lowest.
    assert map_values(hatched)["near"] == [CODES[NW], CODES[NE]]
    assert legend(hatched)[:-1] == legend(plain)
    assert legend(hatched)[-1]["hatch"] == "near"
    assert legend(hatched)[-1]["label"].startswith("2 wards could change class: incidents within 100 m")


def test_rows_of_nearness_are_the_same_on_the_command_line_and_over_http(lined, invoke):
    expected = "ward_code,ward_name,count,near,others_near,low,high,within\n"
    expected += f"{CODES[NW]},Northwest,5,3,4,2,9,100 m\n{CODES[SW]},Southwest,1,1,0,0,1,100 m\n"
    expected += f"{CODES[NE]},Northeast,2,2,4,0,6,100 m\n{CODES[SE]},Southeast,20,0,1,20,21,100 m\n"

    assert invoke("nearness", "--format", "csv", store=lined).stdout == expected
    with visitor(lined) as client:
        assert client.get("/api/v1/nearness?format=csv").text == expected
        assert "Class could change" in client.get("/wards?nearness=hatched").text
        assert "Class could change" not in client.get("/wards").text


def test_rows_of_nearness_are_empty_where_points_are_exact(store_url, tmp_path, invoke):
    fill(store_url, incidents=[])
    engine = open_engine(store_url)
    january = Window(NOW.date().replace(month=1, day=1), NOW.date().replace(month=1, day=31))
    calls = write_calls(tmp_path, [("05/01/2024", "NOISE", SW)])
    load_incidents(engine, [calls], now=NOW, layout=str(write_layout(tmp_path)), window=january)
    engine.dispose()

    assert f"{CODES[SW]},Southwest,1,,,,,\n" in invoke("nearness", "--format", "csv", store=store_url).stdout
    with visitor(store_url, audience="internal") as client:
        assert "No ward could change class: points are exact" in client.get("/map/count?nearness=hatched").text
