"""Counts, rates and ratios of counts, with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaincinv, ndtri

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "byar_interval",
    "indirectly_expected",
    "location_quotient",
    "poisson_interval",
    "rate_a_year",
    "standardised_ratio",
]


def poisson_interval(counts: ArrayLike, *, level: float = 0.95) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Exact (Garwood) interval for the mean of a Poisson count.

    Parameters
    ----------
    counts
        Whole numbers, any shape, none negative.
    level
        Confidence, between 0 and 1.

    Returns
    -------
    low, high
        Of the shape of `counts`; `low` is 0 where the count is 0.

    Raises
    ------
    ValueError
        If a count is negative or `level` is not between 0 and 1.

    Notes
    -----
    With a = 1 - level, low = chi2(a/2; 2x)/2 and high = chi2(1 - a/2; 2x + 2)/2, where chi2(p; d) is the quantile of the
    chi-squared distribution with d degrees of freedom; chi2(p; 2k)/2 is the inverse of the regularised incomplete gamma
    function P(k, .). Garwood (1936), Biometrika 28, 437-442.

    Examples
    --------
    With nothing counted the upper limit is -ln(0.025):

    >>> low, high = poisson_interval([0, 10])
    >>> [round(float(v), 6) for v in low], [round(float(v), 6) for v in high]
    ([0.0, 4.795389], [3.688879, 18.390356])
    """
    x, tail = _checked(counts, level)
    # P(k, .) is not defined at k = 0, where the limit is known to be 0.
    low = np.where(x > 0, gammaincinv(np.maximum(x, 1), tail), 0.0)
    return low, np.asarray(gammaincinv(x + 1, 1 - tail))


def rate_a_year(counts: ArrayLike, denominators: ArrayLike, *, months: ArrayLike, per: float = 1000) -> NDArray[np.float64]:
    """Incidents a year for so many of what they are divided by, from counts of so many months.

    Parameters
    ----------
    counts, denominators, months
        Of one shape, or broadcastable: incidents; residents, households, km² ..., above 0; the months that the counts cover,
        at least 1.
    per
        How many of the denominator a rate is for: 1000 residents, 1 km².

    Raises
    ------
    ValueError
        If a number of months is below 1 or a denominator not above 0.

    Notes
    -----
    rate = per x 12 x / (m N): x counted in m months among N.

    Examples
    --------
    >>> float(rate_a_year(41, 8200, months=6))
    10.0
    >>> float(rate_a_year(6, 0.5, months=12, per=1))
    12.0
    """
    n, m = np.asarray(denominators, dtype=float), np.asarray(months, dtype=float)
    if np.any(m < 1) or not np.all(n > 0):
        message = "a rate needs at least one month, and a denominator above 0"
        raise ValueError(message)
    rate: NDArray[np.float64] = per * 12 * np.asarray(counts, dtype=float) / (m * n)
    return rate


def byar_interval(counts: ArrayLike, *, level: float = 0.95) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Byar's approximate interval for the mean of a Poisson count, as English public-health dashboards show it from 10 up.

    It is here to be compared with; every figure of ours has the exact interval.

    Parameters
    ----------
    counts, level
        As for `poisson_interval`.

    Returns
    -------
    low, high
        Of the shape of `counts`; `low` is 0 where the count is 0.

    Raises
    ------
    ValueError
        As for `poisson_interval`.

    Notes
    -----
    low = x (1 - 1/(9x) - z/(3 sqrt(x)))^3 and high = (x+1) (1 - 1/(9(x+1)) + z/(3 sqrt(x+1)))^3, with z the normal quantile.
    Breslow and Day (1987), Statistical methods in cancer research II, 69. Under the name of Byar other formulas go round.

    Examples
    --------
    >>> low, high = byar_interval([20])
    >>> round(float(low[0]), 6), round(float(high[0]), 6)
    (12.211429, 30.88988)
    """
    x, tail = _checked(counts, level)
    z, one_more = ndtri(1 - tail), x + 1
    some = np.maximum(x, 1)
    low = np.where(x > 0, x * (1 - 1 / (9 * some) - z / (3 * np.sqrt(some))) ** 3, 0.0)
    return low, one_more * (1 - 1 / (9 * one_more) + z / (3 * np.sqrt(one_more))) ** 3


def indirectly_expected(
    populations: ArrayLike, reference_counts: ArrayLike, reference_populations: ArrayLike
) -> NDArray[np.float64]:
    """What areas would count if every stratum of them had the rate of the reference.

    Parameters
    ----------
    populations
        Of each area by stratum: shape (..., strata).
    reference_counts, reference_populations
        Of the reference by stratum: shape (strata,), populations above 0.

    Returns
    -------
    expected
        Shape (...).

    Raises
    ------
    ValueError
        If a reference population is not above 0.

    Notes
    -----
    E = sum_k N_k O_k / M_k: N the area's own, O and M the reference's counts and populations.

    Examples
    --------
    100 young at 2 in 10, 50 old at 1 in 10:

    >>> float(indirectly_expected([100, 50], [20, 5], [100, 50]))
    25.0
    """
    whole = np.asarray(reference_populations, dtype=float)
    if not np.all(whole > 0):
        message = "a reference population must be above 0"
        raise ValueError(message)
    expected: NDArray[np.float64] = np.asarray(populations, dtype=float) @ (np.asarray(reference_counts, dtype=float) / whole)
    return expected


def standardised_ratio(
    observed: ArrayLike, expected: ArrayLike, *, level: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Observed over expected, with the exact interval of the count observed.

    Parameters
    ----------
    observed, expected
        Of one shape, or broadcastable; what is expected above 0 (NaN gives NaN).
    level
        Confidence.

    Returns
    -------
    ratio, low, high

    Raises
    ------
    ValueError
        If an expected number is not above 0, or as for `poisson_interval`.

    Notes
    -----
    O / E, and the Garwood interval of O divided by E, which is taken as known.

    Examples
    --------
    >>> [round(float(v), 4) for v in standardised_ratio(24, 12)]
    [2.0, 1.2814, 2.9758]
    """
    e = np.asarray(expected, dtype=float)
    if np.any(e <= 0):
        message = "what is expected must be above 0"
        raise ValueError(message)
    low, high = poisson_interval(observed, level=level)
    return np.asarray(observed, dtype=float) / e, low / e, high / e


def location_quotient(counts: ArrayLike) -> NDArray[np.float64]:
    """By how much more each type makes up of an area's incidents than of all areas'.

    Parameters
    ----------
    counts
        Shape (..., areas, types), none negative. The types are to be all there are: a quotient is of shares of their sum.

    Returns
    -------
    quotients
        Of that shape; 1 is the share that the type has in all areas together. NaN where the area has no incidents, or no area
        any of the type.

    Raises
    ------
    ValueError
        If a count is negative.

    Notes
    -----
    (O_ik / O_i.) / (O_.k / O_..), a dot standing for a sum. A quotient is of shares: it rises when other types fall.

    Examples
    --------
    40 of 100 incidents here, 50 of 300 in all:

    >>> round(float(location_quotient([[40, 60], [10, 190]])[0, 0]), 6)
    2.4
    """
    x = np.asarray(counts, dtype=float)
    if np.any(x < 0):
        message = "a count cannot be negative"
        raise ValueError(message)
    of_area, of_type = x.sum(axis=-1, keepdims=True), x.sum(axis=-2, keepdims=True)
    expected = of_area * of_type / np.maximum(x.sum(axis=(-1, -2), keepdims=True), 1e-300)
    quotient: NDArray[np.float64] = np.divide(x, expected, out=np.full(x.shape, np.nan), where=expected > 0)
    return quotient


def _checked(counts: ArrayLike, level: float) -> tuple[NDArray[np.float64], float]:
    """Counts as numbers, and what a level leaves on each side."""
    x = np.asarray(counts, dtype=float)
    if not 0 < level < 1:
        message = f"level is {level}; it must lie between 0 and 1"
        raise ValueError(message)
    if np.any(x < 0):
        message = "a count cannot be negative"
        raise ValueError(message)
    return x, (1 - level) / 2
