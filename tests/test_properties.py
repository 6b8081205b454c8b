"""What holds whatever is loaded, in whatever order; and of points, the transform and intervals, whatever they are."""

import tempfile
import warnings
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
import shapely
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyproj.transformer import TransformerGroup

from mapping.places import WardFinder, place_points
from mapping.statistics.rates import poisson_interval
from mapping.store import reading
from mapping.vocabulary import to_lonlat, to_metres
from tests.digest import read_tables
from tests.history import SQUARES, Story, histories
from tests.history_checks import check, check_alterations, check_holes, packed, stored_counts, supplied_months
from tests.tiny import county_on


def tell(county, history, random):
    """Live through a history, looking after each step; then load what is left of it anew, in another order."""
    # Hypothesis may break an example off in its middle, where the order of loading is drawn.
    with tempfile.TemporaryDirectory() as folder, county.copy(Path(folder)) as url, ExitStack() as engines:
        story = Story(url, folder)
        engines.callback(story.engine.dispose)
        story.boundaries("set-a", "four")
        for step, *arguments in history:
            before, supplied, loads = story.totals(), supplied_months(story), len(read_tables(url)["load"])
            getattr(story, step)(*arguments)
            tables = check(story)
            if len(tables["load"]) > loads:
                check_alterations(story, before, supplied)
        if "set-a" in story.sets and story.windows:
            check_holes(story)
        tables = read_tables(url)
        with county.copy(story.fresh()) as fresh:
            again = story.tell_again(fresh, random)
            loaded = read_tables(fresh)
            assert stored_counts(loaded) == stored_counts(tables)
            assert packed(loaded) == packed(tables)
            again.engine.dispose()


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


@settings(max_examples=10, **SHORT)
@given(history=histories, random=st.randoms(use_true_random=False))
def test_counts_are_always_those_of_what_is_there(in_file, history, random):
    tell(in_file, history, random)


@pytest.mark.postgis
@settings(max_examples=3, **SHORT)
@given(history=histories, random=st.randoms(use_true_random=False))
def test_counts_are_always_those_of_what_is_there_in_postgis(in_postgis, history, random):
    tell(in_postgis, history, random)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@settings(max_examples=600, **SHORT | {"derandomize": False})
@given(history=histories, random=st.randoms(use_true_random=False))
def test_counts_over_many_histories(in_file, history, random):
    tell(in_file, history, random)


@pytest.mark.soak
@pytest.mark.postgis
@pytest.mark.timeout(3600)
@settings(max_examples=150, **SHORT | {"derandomize": False})
@given(history=histories, random=st.randoms(use_true_random=False))
def test_counts_over_many_histories_in_postgis(in_postgis, history, random):
    tell(in_postgis, history, random)


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
