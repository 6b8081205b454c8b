"""Counts of small areas on wards: reference values and what always holds. METHODS 22."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.statistics.apportionment import apportion, shares_of

# LSOA A: 100 crimes, residents 600 and 400 in wards 1 and 2, half its area in each. LSOA B: 50 crimes, all in ward 2.
CRIMES = np.array([[100.0], [50.0]])
PAIRS = [0, 0, 1], [0, 1, 1]


@pytest.mark.parametrize(
    ("weights", "wards"),
    [([600, 400, 1200], [60, 90]), ([50, 50, 80], [50, 100]), ([1, 0, 1], [100, 50])],
    ids=["population", "area", "best fit"],
)
def test_golden_g34(weights, wards):
    found = apportion(CRIMES, shares_of(*PAIRS, weights, shape=(2, 2)))

    assert found[:, 0] == pytest.approx(wards)
    assert found.sum() == pytest.approx(150)


def test_what_lies_in_no_ward_is_lost_and_no_more():
    shares = shares_of([0, 0, 1], [0, -1, 1], [3, 1, 5], shape=(2, 2))

    assert shares.toarray() == pytest.approx(np.array([[0.75, 0], [0, 1]]))
    assert apportion(CRIMES, shares)[:, 0] == pytest.approx([75, 50])


def test_shares_of_a_given_total():
    shares = shares_of([0, 0], [0, 1], [30, 20], shape=(1, 2), totals=[100])

    assert shares.toarray() == pytest.approx(np.array([[0.3, 0.2]]))


@pytest.mark.parametrize("weights", [[1, -1], [np.nan, 1], [np.inf, 1], [0, 0]])
def test_weights_that_say_nothing(weights):
    with pytest.raises(ValueError, match="weight"):
        shares_of([0, 0], [0, 1], weights, shape=(1, 2))


@given(st.data())
def test_totals_are_conserved(data):
    areas, wards = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 5))
    cells = areas * wards
    weights = data.draw(st.lists(st.integers(0, 10**6), min_size=cells, max_size=cells))
    weights[::wards] = [w + 1 for w in weights[::wards]]  # no area is without any
    counts = np.array(data.draw(st.lists(st.integers(0, 10**7), min_size=areas, max_size=areas)), float)[:, None]
    at, ward = np.divmod(np.arange(cells), wards)

    found = apportion(counts, shares_of(at, ward, weights, shape=(areas, wards)))

    assert found.sum() == pytest.approx(counts.sum())
    assert found.min() >= 0
