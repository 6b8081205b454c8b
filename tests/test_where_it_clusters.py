"""The measures `funnel`, `cluster` and `emerging` on counties with planted differences."""

import numpy as np
import pytest
from scipy import stats

from mapping.ward_groups import WardGroups
from tests.calibration.counties import constant, figures


def test_one_stands_out():
    counts = np.random.default_rng(7).poisson(10, (60, 12))
    counts[0] = 40

    found = figures("funnel", counts)

    x, total = counts[0].sum(), counts.sum()
    assert found.classes[0] == "higher"
    assert found.value[0] == pytest.approx(x / (total / 60))
    # Garwood's interval of what was observed, over what was expected.
    low, high = stats.chi2.ppf(0.025, 2 * x) / 2, stats.chi2.ppf(0.975, 2 * x + 2) / 2
    assert (found.low[0], found.high[0]) == pytest.approx((low / (total / 60), high / (total / 60)))
    assert found.sentences[0].startswith("Ward 0: higher than other wards; 480 recorded, about ")


def test_where_wards_differ_anyway_none_stands_out():
    rng = np.random.default_rng(7)
    counts = rng.poisson(10 * rng.lognormal(0, 0.5, (60, 1)), (60, 12))

    assert figures("funnel", counts).classes.count("in-line") >= 58


def test_similar_wards_are_compared_among_themselves():
    counts = np.vstack([constant(10, wards=12, months=12), constant(40, wards=12, months=12), constant(5, wards=3, months=12)])
    groups = WardGroups((*["country"] * 12, *["town"] * 12, *["hamlet"] * 2, ""), "groups.csv", "")

    found = figures("funnel", counts, groups=groups, among="similar-wards")

    assert found.value[:24].tolist() == pytest.approx([1.0] * 24)
    assert "in line with similar wards" in found.sentences[0]
    assert found.status[24:] == ["not-applicable"] * 3
    assert "there are fewer than 10 wards to compare it with" in found.sentences[24]
    assert "there are no wards said to be similar to it" in found.sentences[26]


def test_without_groups_it_says_how_to_load_some():
    found = figures("funnel", constant(10), among="similar-wards")

    assert set(found.status) == {"not-applicable"}
    assert "`wardwatch load groups FILE`" in found.sentences[0]


def hot_corner():
    counts = np.random.default_rng(3).poisson(10, (100, 12))
    corner = [x + 10 * y for x in range(3) for y in range(3)]
    counts[corner] += 20
    return counts, corner


def test_high_wards_that_lie_together():
    counts, corner = hot_corner()

    found = figures("cluster", counts)

    assert found.classes[11] == "hot-99"
    assert found.sentences[11].startswith("Ward 11: part of a cluster of high wards, less than 1 in 100 by chance after ")
    assert found.classes[99] == "none"
    assert {i for i, c in enumerate(found.classes) if c.startswith("hot")} <= {
        j for i in corner for j in (i, i + 1, i + 10, i + 11) if j < 100
    }


def test_local_moran_tells_outliers():
    counts = np.random.default_rng(3).poisson(10, (100, 12))
    counts[[x + 10 * y for x in range(5, 10) for y in range(10)]] += 20
    counts[22] = 60

    found = figures("cluster", counts, method="local-moran")

    assert found.classes[88] == "high-high"
    assert found.classes[22] == "high-low"
    assert "it stands out from its neighbours" in found.sentences[22]


def test_where_all_are_alike_there_is_none():
    found = figures("cluster", constant(10, months=12))

    assert set(found.status) == {"not-applicable"}
    assert "no ward's rate differs from the others' by more than chance" in found.sentences[0]


def test_a_block_that_is_hot_throughout():
    counts = np.random.default_rng(3).poisson(20, (100, 24))
    block = [x + 10 * y for x in range(3) for y in range(3)]
    counts[block] *= 3

    found = figures("emerging", counts)

    assert found.classes[11] in {"persistent", "intensifying", "diminishing"}
    assert "24 of 24 months hot, 0 cold" in found.sentences[11]
    assert found.classes[77] == "none"
    assert found.family == 100 * 24


def test_a_block_that_becomes_hot():
    counts = np.random.default_rng(3).poisson(20, (100, 24))
    block = [x + 10 * y for x in range(3) for y in range(3)]
    counts[block, -6:] *= 3

    found = figures("emerging", counts)

    assert found.classes[11] == "consecutive"
    assert found.sentences[11].startswith("Ward 11: consecutive: a hot spot without a break up to the last month, and never")


def test_a_season_that_all_share_is_no_hot_month():
    means = 20 * (1 + 0.8 * np.sin(np.arange(24) * np.pi / 6))
    counts = np.random.default_rng(3).poisson(np.tile(means, (100, 1)))

    assert set(figures("emerging", counts).classes) == {"none"}


def test_nine_months_are_too_short():
    found = figures("emerging", constant(10, months=9))

    assert set(found.status) == {"too-short"}
    assert "it takes 10 months" in found.sentences[0]
