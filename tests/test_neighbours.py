"""Which wards touch: by shapes a person can draw, and kept between questions."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from mapping.neighbours import contiguity
from mapping.reader import Reader
from mapping.store import open_engine
from tests.tiny import BOTH_ENGINES, county_on


def square(x, y, size=1000.0):
    return shapely.box(x, y, x + size, y + size)


def links(*shapes):
    """The pairs that touch."""
    found = contiguity(np.array(shapes, dtype=object))
    assert (found != found.T).nnz == 0
    assert found.diagonal().sum() == 0
    assert set(found.data.tolist()) <= {1.0}
    return sorted((int(i), int(j)) for i, j in zip(*found.nonzero(), strict=True) if i < j)


def test_an_edge_and_a_corner_touch_alike():
    assert links(square(0, 0), square(1000, 0), square(1000, 1000), square(5000, 0)) == [(0, 1), (0, 2), (1, 2), (1, 3)]


def test_borders_that_miss_each_other_by_a_hand_touch():
    assert links(square(0, 0), square(1000.4, 0), square(0, 1000), square(3000, 0)) == [(0, 1), (0, 2), (1, 2), (1, 3)]


def test_an_island_is_joined_to_the_nearest():
    assert links(square(0, 0), square(1000, 0), square(9000, 0)) == [(0, 1), (1, 2)]


def test_islands_only_are_joined_in_pairs():
    # Each to its nearest; two that are each other's nearest once.
    assert links(square(0, 0), square(3000, 0), square(9000, 0)) == [(0, 1), (1, 2)]


@pytest.mark.parametrize("shapes", [(), (square(0, 0),)])
def test_one_ward_or_none_touches_nobody(shapes):
    assert contiguity(np.array(shapes, dtype=object)).nnz == 0


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=2, max_size=20, unique=True))
def test_everybody_has_a_neighbour_and_is_one(cells):
    found = contiguity(np.array([square(1000 * x, 1000 * y) for x, y in cells], dtype=object))

    assert (found.sum(axis=1) >= 1).all()
    assert (found != found.T).nnz == 0
    # Whoever touches by distance is joined, whatever else is.
    near = {(i, j) for i, a in enumerate(cells) for j, b in enumerate(cells) if i != j and max(np.abs(np.subtract(a, b))) <= 1}
    assert near <= set(zip(*(part.tolist() for part in found.nonzero()), strict=True))


@pytest.mark.parametrize("engine", BOTH_ENGINES)
def test_wards_of_a_store(engine, request, tmp_path):
    with county_on(engine, request, tmp_path) as county:
        opened = open_engine(county.url)
        reader = Reader(opened, open_only=False)
        catalogue = reader.catalogue()

        found = reader.neighbours(catalogue, catalogue.boundary_set("wd24"))

        # Four squares that meet in one corner: all touch all.
        assert found.toarray().tolist() == (1 - np.eye(4)).tolist()
        assert reader.neighbours(catalogue, catalogue.boundary_set("wd24")) is found
        opened.dispose()
