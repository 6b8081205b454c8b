"""Nearness to the line: counted by hand on four squares, and against brute force on drawn shapes."""

import numpy as np
import pytest
import shapely

from loaders.incidents import Window, load_incidents
from mapping.nearness import near_wards, read_nearness, read_precisions
from mapping.reader import Reader
from mapping.store import open_engine, reading
from tests.tiny import (
    ASB,
    BURGLARY,
    LAYOUT,
    NE,
    NOW,
    NW,
    SOURCE,
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
    rows += [(ASB, NW), (ASB, None)]
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


def test_nothing_is_near_where_points_are_exact(store_url, tmp_path):
    fill(store_url, incidents=[])
    engine = open_engine(store_url)
    january = Window(NOW.date().replace(month=1, day=1), NOW.date().replace(month=1, day=31))
    calls = write_calls(tmp_path, [("05/01/2024", "NOISE", NE), ("06/01/2024", "NOISE", EAST_OF_LINE)])
    load_incidents(engine, [calls], now=NOW, layout=str(write_layout(tmp_path)), window=january)
    engine.dispose()

    assert nearness(store_url) is None
