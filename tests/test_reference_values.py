"""Every statistic against numbers that someone else computed.

R is 4.2.2 with surveillance 1.20.3 and spdep 1.2-7; PHE stands for the workbooks and test files of Public Health England.
"""

import json
from pathlib import Path

import esda
import geopandas as gpd
import libpysal
import numpy as np
import pymannkendall
import pytest
from libpysal import examples
from scipy import stats

from mapping.statistics.changes import compare_counts, e_test
from mapping.statistics.clusters import gi_star, local_moran, two_sided
from mapping.statistics.concentration import generalised_gini, gini
from mapping.statistics.discovery import false_discovery
from mapping.statistics.expected import Forecast, expected_from_years, predicted_range, tail_p
from mapping.statistics.funnels import funnel
from mapping.statistics.hot_spots import classify_histories
from mapping.statistics.rates import (
    byar_interval,
    indirectly_expected,
    location_quotient,
    poisson_interval,
    standardised_ratio,
)
from mapping.statistics.smoothing import neighbourhoods, smoothed_rates
from mapping.statistics.trends import log_linear_trend, mann_kendall, seasonal_mann_kendall, sen_slope

SERIES = {
    name: np.array(found["values"], dtype=float)
    for name, found in json.loads(Path(__file__).with_name("fixtures").joinpath("series.json").read_text()).items()
}
VANS, DRIVERS = SERIES["van_killed"], SERIES["drivers_killed"]


def close(found, wanted, digits=9):
    assert np.ravel(found).astype(float) == pytest.approx(np.ravel(wanted).astype(float), rel=10.0**-digits)


# Counts, rates and ratios


def test_exact_intervals_as_r_and_statsmodels_have_them():
    low, high = poisson_interval([0, 1, 3, 10, 24, 41, 100])

    close(low, [0, 0.025317808, 0.618672123, 4.795388696, 15.377252855, 29.422307869, 81.363991251], 7)
    close(high, [3.688879454, 5.571643391, 8.767273070, 18.390356043, 35.710097594, 55.621129566, 121.626793792], 7)


def test_byar_intervals_as_phe_has_them():
    low, high = byar_interval([1, 20, 65, 1045])

    close(low, [0.013072, 12.211429, 50.163188, 982.593202], 4)
    close(high, [5.563756, 30.889880, 82.849139, 1110.331213], 6)


def test_a_rate_and_its_interval():
    low, high = (1000 * bound / 7842 for bound in poisson_interval(41))

    close([1000 * 41 / 7842, low, high], [5.2283, 3.7519, 7.0927], 4)


# Deaths in 19 age bands, with people, and of the reference deaths and people: PHE's `testdata_big`.
BANDS = np.array(
    [
        *((127, 636, 10303, 50520), (25, 558, 2824, 57173), (18, 609, 0, 60213), (21, 543, 3615, 54659)),
        *((12, 384, 3641, 44345), (27, 594, 3490, 50128), (48, 669, 3789, 62163), (27, 843, 3213, 67423)),
        *((29, 660, 3031, 62899), (32, 576, 2771, 55463), (32, 606, 3089, 60479), (34, 522, 3490, 49974)),
        *((45, 426, 3595, 44140), (65, 273, 4745, 40888), (38, 300, 5514, 37239), (68, 288, 7125, 30819)),
        *((74, 153, 5694, 18136), (82, 123, 6210, 15325), (91, 207, 5757, 13918)),
    ]
)


def test_a_standardised_ratio_as_phe_has_it():
    counts, people, of_reference, people_of_reference = BANDS.T
    expected = indirectly_expected(people, of_reference, people_of_reference)

    assert counts.sum() == 895
    close(expected, 835.883561)
    close(standardised_ratio(895, expected)[0], 1.070723, 6)
    # PHE takes Byar's interval from 10 up, and the exact one below.
    close(np.array(byar_interval(895)) / expected, [1.001715, 1.143233], 6)
    close(np.array(byar_interval(895, level=0.998)) / expected, [0.963516, 1.186007], 6)
    close(np.array([91, *map(float, byar_interval(91))]) / expected, [0.108867, 0.087650, 0.133666], 5)
    close(standardised_ratio(9, expected), [0.010767, 0.004923, 0.020439], 4)


def test_a_location_quotient():
    close(location_quotient([[40, 60], [10, 190]])[0, 0], 2.4)


# Two counts


def test_two_counts_as_r_and_statsmodels_have_them():
    found = compare_counts([41, 41], [24, 72], t_before=[1, 3])

    close(found.ratio, [1.708333, 1.708333], 6)
    close(found.low, [1.008029668, 1.134850], 6)
    close(found.high, [2.955797677, 2.541036], 6)
    close(found.p, [0.0463534743, 0.01008476], 6)


def test_the_change_of_a_long_series():
    # AirPassengers, the last 24 months: 5714 and 5140.
    close(100 * (compare_counts(5714, 5140).ratio - 1), 11.16731518)
    # VanKilled, the last 12 months and those before.
    assert [VANS[-12:].sum(), VANS[-24:-12].sum()] == [64, 63]


def test_the_e_test_as_its_authors_have_it():
    close(e_test([41, 3, 6, 20], [24, 0, 2, 20]), [0.0349781258, 0.08837901, 0.17487482, 1.0], 7)


def test_the_e_test_of_unequal_exposures_by_brute_force():
    # Not pooled: the sum over all pairs of counts at least as far apart under the common rate.
    rate, pairs = (5 + 0) / (1 + 3), np.arange(60)
    one, other = pairs[:, None], pairs[None, :]
    variance = one / 1 + other / 9
    distance = np.abs(one - other / 3) / np.sqrt(np.where(variance > 0, variance, np.inf))
    chance = stats.poisson.pmf(one, rate) * stats.poisson.pmf(other, 3 * rate)

    close(e_test(0, 5, t_after=1, t_before=3), chance[distance >= distance[0, 5] - 1e-12].sum(), 8)


# Many tests


def test_false_discovery_as_its_authors_have_it():
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528, 0.759, 1]
    q = false_discovery(p)

    assert (q <= 0.05).sum() == 4
    close(q[3:6], [0.035625, 0.0603, 0.063857], 5)


# Expected ranges


def exactly(mean, phi):
    """A forecast without any error of its own."""
    one, none = np.ones(1), np.zeros(1)
    return Forecast(mean * one, phi * one, none, np.full(1, 1e9), none, none, none.astype(bool))


@pytest.mark.parametrize(
    ("phi", "low", "high", "at_least_41"),
    [(1, 15, 34, 0.000986576937), (1.5, 13, 37, 0.0066842), (2, 12, 39, 0.0163829), (3, 10, 43, 0.0394055)],
)
def test_ranges_of_poisson_and_negative_binomial_counts_as_r_has_them(phi, low, high, at_least_41):
    assert [float(bound[0]) for bound in predicted_range(exactly(24, phi))] == [low, high]
    close(tail_p([41], exactly(24, phi)), 2 * at_least_41, 5)


@pytest.mark.parametrize(("mean", "low", "high"), [(2, 0, 5), (5, 1, 10), (10, 4, 17), (24, 15, 34), (50, 37, 64)])
def test_ranges_by_mean(mean, low, high):
    assert [float(bound[0]) for bound in predicted_range(exactly(mean, 1))] == [low, high]


def plug_in_upper(found, level):
    """R's upper bound: no error of the fit."""
    return [
        stats.nbinom.ppf(level, mean / (phi - 1), 1 / phi) if phi > 1 else stats.poisson.ppf(level, mean)
        for mean, phi in zip(found.mean, found.phi, strict=True)
    ]


def five_years_before(series, months):
    """The 61 months before each of these, which are counted from 1."""
    return np.array([series[month - 62 : month - 1] for month in months])


def test_expected_counts_as_surveillance_has_them():
    # farringtonFlexible(b = 5, w = 1, noPeriods = 10, pastWeeksNotIncluded = 3, weightsThreshold = 2.58, thresholdMethod =
    # "nbPlugin", alpha = 0.05) of monthly series, in R.
    found = expected_from_years(five_years_before(DRIVERS, range(169, 193)))

    first = [145, 128, 123, 124, 123, 129, 133, 137, 144, 151, 158, 150]
    assert plug_in_upper(found, 0.95) == [*first, 140, 123, 116, 114, 113, 115, 118, 124, 137, 143, 144, 136]
    close(found.mean[-1], 109.751624962, 10)
    close(found.mean[:3], [115.388927516, 105.475283231, 102.337870873], 10)


def test_expected_counts_of_a_smaller_series_as_surveillance_has_them():
    found = expected_from_years(five_years_before(VANS, range(180, 193)))

    assert plug_in_upper(found, 0.95) == [10, 9, 8, 7, 8, 8, 8, 9, 9, 10, 10, 10, 8]
    close(found.mean[:4], [5.69084700533, 5.04567751726, 4.46622385223, 3.92503374544], 9)
    close(found.mean[-1], 4.62583071872, 9)


# Trends


def test_a_trend_as_r_has_it():
    found = log_linear_trend([VANS], calendar=np.arange(192) % 12)

    # R stops iterating when its deviance changes by less than 1e-8: six digits of the error are settled by then.
    close(found.slope, -0.0507071368, 8)
    close(found.error, 0.0052878171, 5)
    close(found.chi2 / found.freedom, 0.910888511, 8)
    close([found.percent[0], found.low[0], found.high[0]], [-4.944299, -5.924362, -3.954025], 6)


def test_a_trend_of_counts_that_vary_more_than_poisson_as_r_has_it():
    found = log_linear_trend([DRIVERS], calendar=np.arange(192) % 12)

    close(found.error, 0.00216, 3)
    close(found.error / np.sqrt(found.phi), 0.00142, 2)


def test_rank_tests_as_r_and_pymannkendall_have_them():
    found = {name: mann_kendall([SERIES[name]]) for name in ("precip_gl", "nile", "van_killed")}

    assert [float(test.s[0]) for test in found.values()] == [989, -1387, -7252]
    close([test.variance[0] for test in found.values()], [74398.33333333, 112728.33333333, 786474])
    close([found["precip_gl"].p[0], found["nile"].p[0]], [2.9208e-4, 3.65826e-5], 4)


@pytest.mark.parametrize("series", [VANS, DRIVERS, np.arange(40.0) % 7])
def test_seasonal_rank_tests_as_pymannkendall_has_them(series):
    series = series[: len(series) // 12 * 12]
    ours, theirs = seasonal_mann_kendall([series]), pymannkendall.seasonal_test(series, period=12)
    correlated = seasonal_mann_kendall([series], correlated=True)
    their_correlated = pymannkendall.correlated_seasonal_test(series, period=12)

    assert (float(ours.s[0]), float(ours.variance[0])) == pytest.approx((theirs.s, theirs.var_s))
    close(ours.z, theirs.z)
    close(correlated.variance, their_correlated.var_s)
    close(correlated.p, their_correlated.p, 6)


def test_slopes_as_r_and_scipy_have_them():
    nile = sen_slope([SERIES["nile"]])

    close(sen_slope([VANS]).slope, -0.0394736842)
    close([nile.slope[0], nile.low[0], nile.high[0]], [-2.6, -3.627906977, -1.428571429])


# Funnels


@pytest.mark.parametrize(
    ("expected", "low", "high"),
    [
        (15, 0.559692409, 1.649347925),
        (20, 0.610825979, 1.544418895),
        (30, 0.674695801, 1.427562180),
    ],
)
def test_limits_as_funnelplotr_has_them(expected, low, high):
    close([float(bound) / expected for bound in poisson_interval(expected)], [low, high], 8)


def test_flags_as_phe_has_them():
    observed, expected = np.array([8, 151, 159, 150]), np.array([6.2399, 106.443, 232.933, 119.570])
    found = funnel(observed, expected, tau2=0.0)

    high = observed > expected
    assert [(bool(up), p <= 0.002, p <= 0.05) for up, p in zip(high, found.p, strict=True)] == [
        (True, False, False),
        (True, True, True),
        (False, True, True),
        (True, False, True),
    ]


# Small areas, clusters


@pytest.fixture(scope="module")
def columbus():
    """Crime in the neighbourhoods of Columbus, with queen contiguity."""
    shapes = gpd.read_file(examples.get_path("columbus.shp"))
    weights = libpysal.weights.Queen.from_dataframe(shapes, use_index=False)
    return shapes["CRIME"].to_numpy(float), weights


@pytest.fixture(scope="module")
def sids():
    """Sudden infant deaths in the counties of North Carolina, 1974."""
    shapes = gpd.read_file(examples.get_path("sids2.shp"))
    return (
        shapes["SID74"].to_numpy(float),
        shapes["BIR74"].to_numpy(float),
        libpysal.weights.Queen.from_dataframe(shapes, use_index=False),
    )


def test_smoothed_rates_as_spdep_and_esda_have_them(sids):
    deaths, births, _ = sids
    rates = smoothed_rates(deaths, births)

    wanted = [0.00169729733086, 0.00170537768084, 0.00177308702207, 0.00201286808422, 0.00353491314916]
    close(rates[:5], wanted, 11)
    close(rates.max(), 0.00483880405213, 11)
    assert rates.argmax() == 84
    close(rates, esda.smoothing.Empirical_Bayes(deaths, births).r.ravel())


def test_rates_smoothed_among_neighbours_as_esda_has_them(sids):
    deaths, births, weights = sids
    ordered = libpysal.weights.W(weights.neighbors, id_order=list(range(len(deaths))), silence_warnings=True)
    theirs = esda.smoothing.Spatial_Empirical_Bayes(deaths, births, ordered).r.ravel()
    ours = smoothed_rates(deaths, births, among=neighbourhoods(ordered.sparse))

    # Where neighbours differ no more than chance esda lets the variance fall under 0.
    held = np.array([deaths[[i, *ordered.neighbors[i]]].sum() > 0 for i in range(len(deaths))])
    same = np.isclose(ours, theirs, rtol=1e-9)
    assert same[held].mean() > 0.7
    assert np.all(ours >= 0)


def test_gi_star_as_arcgis_spdep_and_esda_have_it(columbus):
    crime, weights = columbus
    z = gi_star(crime, weights.sparse)

    assert weights.sparse.nnz == 236
    close(z[:5], [-1.43277965397, -1.34000809746, -0.771998680953, -0.131733364491, 1.28536279844], 11)
    close([z.max(), z.min()], [3.47505135616, -2.85102317658], 11)
    assert (z.argmax(), z.argmin(), (z > 1.96).sum(), (z < -1.96).sum()) == (15, 31, 11, 7)
    assert (false_discovery(two_sided(z)) <= 0.05).sum() == 9
    close(z, esda.getisord.G_Local(crime, weights, transform="B", star=True, permutations=0).Zs, 9)


def test_gi_star_of_many_columns_is_that_of_each(columbus):
    crime, weights = columbus
    both = gi_star(np.column_stack([crime, crime[::-1]]), weights.sparse)

    close(both[:, 0], gi_star(crime, weights.sparse))
    close(both[:, 1], gi_star(crime[::-1], weights.sparse))


def test_moran_as_r_and_esda_have_it(columbus):
    crime, weights = columbus
    found = local_moran(crime, weights.sparse, rng=np.random.default_rng(1), permutations=999)

    close(found.moran, 0.50018855718, 10)
    close(found.moran_p, 2 * stats.norm.sf(5.58938267504), 6)
    # The parts sum to (n - 1) I, as R scales them; the p of esda, of one side, is doubled.
    close(found.value.sum() / (len(crime) - 1), found.moran)
    assert found.p.min() == pytest.approx(2 / 1000)
    assert found.quadrants[int(crime.argmax())] == "high-high"


@pytest.mark.parametrize(
    ("bins", "scores", "word"),
    [
        ([0] * 11 + [1], None, "new"),
        ([0] * 9 + [1] * 3, None, "consecutive"),
        ([1] * 12, np.linspace(2, 4, 12), "intensifying"),
        ([1] * 12, np.full(12, 3.0), "persistent"),
        ([1] * 12, np.linspace(4, 2, 12), "diminishing"),
        ([1] * 11 + [0], None, "historical"),
        ([0, 1] * 6, None, "sporadic"),
        ([-1, *[0] * 10, 1], None, "oscillating"),
        ([0] * 12, None, "none"),
        ([-1] * 12, np.linspace(-4, -2, 12), "diminishing-cold"),
        ([1] * 10 + [0, 0], None, "sporadic"),
        ([0] + [1] * 11, None, "persistent"),
    ],
)
def test_words_of_histories(bins, scores, word):
    z = np.array(bins) * 3.0 if scores is None else scores
    if word == "persistent" and scores is None:
        z = np.full(12, 3.0)

    assert classify_histories([bins], [z]) == [word]


# Concentration


@pytest.mark.parametrize(
    ("counts", "plain", "general"),
    [([10, 8, 2] + [0] * 7, 0.78, 0.78), ([5, 2, 1] + [0] * 7, 0.8, 0.75), ([1] * 5 + [0] * 5, 0.5, 0.0)],
)
def test_gini_as_lorenzgini_has_it(counts, plain, general):
    close(gini(counts), plain)
    assert float(generalised_gini(counts)) == pytest.approx(general)
