"""Counts and rates with exact intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaincinv

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["poisson_interval", "rate_a_year"]


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
    x = np.asarray(counts, dtype=float)
    if not 0 < level < 1:
        message = f"level is {level}; it must lie between 0 and 1"
        raise ValueError(message)
    if np.any(x < 0):
        message = "a count cannot be negative"
        raise ValueError(message)
    tail = (1 - level) / 2
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
