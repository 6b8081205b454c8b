"""What holds whatever is loaded, in whatever order; and of points, the transform and intervals, whatever they are."""

import json
import tempfile
import warnings
from calendar import monthrange
from collections import Counter
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
import shapely
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyproj.transformer import TransformerGroup

from loaders.boundaries import load_boundaries
from loaders.incidents import Window, load_incidents
from loaders.ledger import unload_extract
from mapping.places import WardFinder, place_points
from mapping.statistics.rates import poisson_interval
from mapping.status import read_status
from mapping.store import open_engine, reading
from mapping.vocabulary import to_lonlat, to_metres
from tests.digest import read_tables
from tests.tiny import (
    ASB,
    BURGLARY,
    DRUGS,
    LAYOUT,
    NE,
    NOW,
    NW,
    OUTSIDE,
    SE,
    SW,
    county_on,
    write_calls,
    write_layout,
    write_street,
)

TYPES = {
    ASB: "anti-social-behaviour",
    BURGLARY: "burglary",
    DRUGS: "drugs",
    "NOISE": "anti-social-behaviour",
    "BREAK-IN": "burglary",
}
STREAMS = {"street": "tiny-constabulary", "calls": "tiny-control-room"}
SQUARES = {
    "four": {"W1": NW, "W2": SW, "W3": NE, "W4": SE},
    "shifted": {"W1": (NW[0] + 300, NW[1]), "W2": SE, "W9": (SW[0] - 700, SW[1] - 700)},
    "one": {"W5": NE},
}

points = st.sampled_from([NW, SW, NE, SE, OUTSIDE, None, (500_900, 201_400), (501_250, 200_750)])
street = st.builds(
    lambda month, rows: ("street", month, rows),
    st.integers(1, 3),
    st.lists(st.tuples(st.sampled_from([ASB, BURGLARY, DRUGS]), points), min_size=1, max_size=4),
)
calls = st.builds(
    lambda first, days, rows: ("calls", date(2024, first // 40 + 1, first % 27 + 1), days, rows),
    st.integers(0, 79),
    st.sampled_from([1, 7, 40]),
    st.lists(st.tuples(st.integers(-3, 45), st.sampled_from(["NOISE", "BREAK-IN"]), points), max_size=4),
)
boundaries = st.tuples(st.just("boundaries"), st.sampled_from(["set-a", "set-b"]), st.sampled_from(sorted(SQUARES)))
unloads = st.tuples(st.just("unload"), st.integers(0, 9))
histories = st.lists(st.one_of(street, street, calls, calls, boundaries, unloads), min_size=1, max_size=7)


class Story:
    """What should be in a store, worked out the long way, beside the store itself."""

    def __init__(self, url, folder):
        self.engine = open_engine(url)
        self.folder = folder
        self.layout = write_layout(folder, LAYOUT)
        self.rows = []
        self.sets = {}
        self.files = 0

    def street(self, month, rows):
        """Load a month of street crime."""
        path = write_street(self.fresh(), f"2024-{month:02}", rows)
        window = Window(date(2024, month, 1), date(2024, month, monthrange(2024, month)[1]))
        self.load("street", path, window, [(window.first, TYPES[kind], point) for kind, point in rows])

    def calls(self, first, days, rows):
        """Load a window of days of calls; some rows lie outside it."""
        window = Window(first, date.fromordinal(first.toordinal() + days - 1))
        dated = [(date.fromordinal(first.toordinal() + day), kind, point) for day, kind, point in [(0, "NOISE", NW), *rows]]
        path = write_calls(self.fresh(), [(f"{day:%d/%m/%Y}", kind, point) for day, kind, point in dated])
        self.load("calls", path, window, [(day, TYPES[kind], point) for day, kind, point in dated])

    def load(self, stream, path, window, rows):
        """Load a file, and do the same to the rows that should be there."""
        given = {} if stream == "street" else {"layout": str(self.layout), "window": window}
        [done] = load_incidents(self.engine, [path], now=NOW, replace=True, **given).extracts
        if not done.unchanged:
            self.rows = [row for row in self.rows if row[0] != stream or not window.first <= row[1] <= window.last]
            self.rows += [(stream, *row, done.extract_id) for row in rows if window.first <= row[0] <= window.last]

    def boundaries(self, name, squares):
        """Load a boundary set, or put it in place of the one of that name."""
        features = [
            {
                "type": "Feature",
                "properties": {"code": code},
                "geometry": shapely.geometry.mapping(shapely.box(x - 500, y - 500, x + 500, y + 500)),
            }
            for code, (x, y) in SQUARES[squares].items()
        ]
        path = self.fresh() / "wards.geojson"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
        load_boundaries(self.engine, path, now=NOW, name=name, code_column="code", crs="EPSG:27700", replace=True)
        self.sets[name] = SQUARES[squares]

    def unload(self, number):
        """Take one of the extracts that are there out."""
        extracts = sorted({row[4] for row in self.rows})
        if extracts:
            gone = extracts[number % len(extracts)]
            unload_extract(self.engine, gone, now=NOW)
            self.rows = [row for row in self.rows if row[4] != gone]

    def fresh(self):
        """Give a folder for the next file."""
        self.files += 1
        folder = self.folder / str(self.files)
        folder.mkdir()
        return folder

    def expected(self):
        """Counts by set, source, month, ward and type."""
        found = Counter()
        for name, squares in self.sets.items():
            for stream, day, kind, point, _ in self.rows:
                ward = ward_of(point, squares)
                if ward:
                    found[name, STREAMS[stream], day.replace(day=1), ward, kind] += 1
        return found


def ward_of(point, squares):
    hit = [code for code, (x, y) in squares.items() if point and abs(point[0] - x) <= 500 and abs(point[1] - y) <= 500]
    return min(hit, default=None)


def stored_counts(tables):
    """The kept counts, and the same from scratch: each by set, source, month, ward and type."""
    name = {row["id"]: row["name"] for row in tables["boundary_set"]}
    source = {row["id"]: row["slug"] for row in tables["source"]}
    kind = {row["id"]: row["slug"] for row in tables["crime_type"]}
    code = {row["id"]: row["code"] for row in tables["ward"]}
    sender = {row["id"]: source[row["source_id"]] for row in tables["extract"]}
    kept = {
        (name[r["boundary_set_id"]], source[r["source_id"]], r["month"], code[r["ward_id"]], kind[r["crime_type_id"]]): r[
            "count"
        ]
        for r in tables["ward_month_count"]
    }
    again = Counter(
        (
            name[p["boundary_set_id"]],
            sender[i["extract_id"]],
            i["date"].replace(day=1),
            code[p["ward_id"]],
            kind[i["crime_type_id"]],
        )
        for i in tables["incident"]
        for p in tables["place_ward"]
        if p["place_id"] == i["place_id"]
    )
    return kept, again


def tell(county, history):
    """Live through a history, looking after each step."""
    with tempfile.TemporaryDirectory() as folder, county.copy(Path(folder)) as url:
        story = Story(url, Path(folder))
        story.boundaries("set-a", "four")
        for step, *arguments in history:
            getattr(story, step)(*arguments)
            kept, again = stored_counts(read_tables(url))
            assert kept == again
            assert kept == story.expected()
            check_status(read_status(story.engine, open_only=False), len(story.rows))
        story.engine.dispose()


def check_status(status, rows):
    for source in status["sources"]:
        assert source["read"] == source["kept"] + source["set_aside"] + source["rejected"]
        assert source["repaired"] <= source["kept"]
        assert source["kept"] == sum(month["kept"] for month in source["months"])
    kept = sum(source["kept"] for source in status["sources"])
    nowhere = sum(source["without_coordinates"] for source in status["sources"])
    assert kept == rows
    for found in status["boundary_sets"]:
        assert kept == found["in_ward"] + found["outside"] + nowhere


QUIET = {"deadline": None, "derandomize": True, "database": None, "suppress_health_check": list(HealthCheck)}
SHORT = QUIET | {"phases": [Phase.generate]}  # histories are short anyway, and making them shorter would take minutes


@pytest.fixture(scope="module")
def in_file(request, tmp_path_factory):
    """Give an empty store in a file."""
    with county_on("sqlite", request, tmp_path_factory.mktemp("county"), wards=False) as county:
        yield county


@pytest.fixture(scope="module")
def in_postgis(request, tmp_path_factory):
    """Give an empty store in PostGIS."""
    with county_on("postgis", request, tmp_path_factory.mktemp("county"), wards=False) as county:
        yield county


@settings(max_examples=25, **SHORT)
@given(history=histories)
def test_counts_are_always_those_of_what_is_there(in_file, history):
    tell(in_file, history)


@pytest.mark.postgis
@settings(max_examples=5, **SHORT)
@given(history=histories)
def test_counts_are_always_those_of_what_is_there_in_postgis(in_postgis, history):
    tell(in_postgis, history)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@settings(max_examples=600, **SHORT | {"derandomize": False})
@given(history=histories)
def test_counts_over_many_histories(in_file, history):
    tell(in_file, history)


@pytest.mark.soak
@pytest.mark.postgis
@pytest.mark.timeout(3600)
@settings(max_examples=150, **SHORT | {"derandomize": False})
@given(history=histories)
def test_counts_over_many_histories_in_postgis(in_postgis, history):
    tell(in_postgis, history)


# Points in wards


def grid(columns, rows, *, size=1000):
    """Squares that share their edges, in an order of codes that is not that of their places."""
    squares = [shapely.box(x * size, y * size, (x + 1) * size, (y + 1) * size) for x in range(columns) for y in range(rows)]
    return np.array(sorted(squares, key=lambda s: (s.bounds[0] * 7 + s.bounds[1] * 3) % 11))


coordinate = st.one_of(st.integers(-1, 9).map(lambda n: n * 500.0), st.floats(-600, 4600))


@settings(max_examples=60, **QUIET)
@given(pairs=st.lists(st.tuples(coordinate, coordinate), min_size=1, max_size=20))
def test_every_point_is_in_one_ward_and_on_an_edge_in_the_lowest(pairs):
    wards = grid(4, 4)
    found = place_points(shapely.points(pairs), wards)

    for (x, y), ward in zip(pairs, found.tolist(), strict=True):
        hit = [i for i, square in enumerate(wards) if square.intersects(shapely.Point(x, y))]
        assert ward == min(hit, default=-1)
        assert (ward >= 0) == (0 <= x <= 4000 and 0 <= y <= 4000)


@pytest.fixture(scope="module")
def finder(in_file, tmp_path_factory):
    """Give the live index over four squares, their codes and their shapes."""
    folder = tmp_path_factory.mktemp("finder")
    with in_file.copy(folder) as url:
        story = Story(url, folder)
        story.boundaries("set-a", "four")
        with reading(story.engine) as connection:
            finder = WardFinder(connection, 1)
        story.engine.dispose()
    boxes = [shapely.box(x - 500, y - 500, x + 500, y + 500) for x, y in SQUARES["four"].values()]
    return finder, sorted(SQUARES["four"]), np.array(boxes)


@settings(max_examples=100, **QUIET)
@given(x=coordinate, y=coordinate)
def test_single_look_ups_agree_with_the_load(finder, x, y):
    live, codes, boxes = finder
    point = shapely.Point(x + 499_000, y + 199_000)
    [placed] = place_points(np.array([point]), boxes)

    assert live.at(point.x, point.y) == (codes[placed] if placed >= 0 else None)
    nearest = live.nearest(point.x, point.y)
    distances = shapely.distance(boxes, point)
    assert nearest.distance_m == pytest.approx(distances.min())
    assert distances[codes.index(nearest.ward_code)] == pytest.approx(distances.min())
    assert (nearest.distance_m == 0) == (placed >= 0)


# The transform


@settings(max_examples=100, **QUIET)
@given(x=st.floats(100_000, 650_000), y=st.floats(20_000, 1_200_000))
def test_there_and_back_is_where_it_was(x, y):
    assert np.hypot(*np.subtract(to_metres(*to_lonlat(x, y)), (x, y))) < 0.01


def test_the_transform_is_epsg_1314():
    """Pinned to the Helmert transform, compared with PROJ's own of that number: `OSGB36 to WGS 84 (6)`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that PROJ would rather fetch a grid
        group = TransformerGroup(4326, 27700, always_xy=True, allow_ballpark=False)
    [proj] = [t for t in group.transformers if "OSGB36 to WGS 84 (6)" in t.description and "Inverse" in t.description]
    lon, lat = np.array([-5.7, -0.1276, 1.75, -1.15, -0.547]), np.array([50.07, 51.5072, 52.48, 60.15, 51.7])

    assert np.abs(np.subtract(to_metres(lon, lat), proj.transform(lon, lat))).max() < 0.001


def test_the_transform_against_numbers_of_the_ordnance_survey():
    """Greenwich Observatory and Caister water tower; the Helmert transform is at most 5 m off."""
    lon, lat = np.array([-0.0014, 1.7160731]), np.array([51.4778, 52.6580078])

    x, y = to_metres(lon, lat)

    assert np.hypot(x - [538_890, 651_409.8], y - [177_320, 313_177.4]).max() < 25


# Intervals

GARWOOD = {  # by R, poisson.test
    0: (0, 3.688879454),
    1: (0.025317808, 5.571643391),
    3: (0.618672123, 8.767273070),
    10: (4.795388696, 18.390356043),
    24: (15.377252855, 35.710097594),
    41: (29.422307869, 55.621129566),
    100: (81.363991251, 121.626793792),
}


def test_garwoods_interval_is_that_of_r():
    low, high = poisson_interval(list(GARWOOD))

    np.testing.assert_allclose(np.column_stack([low, high]), list(GARWOOD.values()), atol=1e-8)


def test_the_rate_of_a_ward_worked_by_hand():
    """G3: 41 in 7,842 residents is 5.2283 (3.7519 to 7.0927) per 1,000."""
    low, high = poisson_interval([41])

    assert [round(1000 * float(v) / 7842, 4) for v in (low[0], 41, high[0])] == [3.7519, 5.2283, 7.0927]


@settings(max_examples=60, **QUIET)
@given(x=st.integers(0, 5000), level=st.floats(0.5, 0.999))
def test_each_end_of_the_interval_leaves_half_the_rest_beyond(x, level):
    [low], [high] = poisson_interval([x], level=level)
    tail = (1 - level) / 2

    assert low <= x <= high
    assert scipy.stats.poisson.cdf(x, high) == pytest.approx(tail, rel=1e-6)
    if x:
        assert scipy.stats.poisson.sf(x - 1, low) == pytest.approx(tail, rel=1e-6)
