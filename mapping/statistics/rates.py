"""Counts and rates with exact intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaincinv

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["poisson_interval", "rate_per_1000_a_year"]


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


def rate_per_1000_a_year(counts: ArrayLike, residents: ArrayLike, *, months: ArrayLike) -> NDArray[np.float64]:
    """Incidents per 1,000 residents a year, from counts of so many months.

    Parameters
    ----------
    counts, residents
        Of one shape, or broadcastable; `residents` above 0.
    months
        How many months each count covers, at least 1.

    Raises
    ------
    ValueError
        If `months` or any number of residents is below 1.

    Notes
    -----
    rate = 1000 x 12 / (m N): x counted in m months among N residents.

    Examples
    --------
    >>> float(rate_per_1000_a_year(41, 8200, months=6))
    10.0
    """
    n = np.asarray(residents, dtype=float)
    m = np.asarray(months)
    if np.any(m < 1) or np.any(n < 1):
        message = "a rate needs at least one month and one resident"
        raise ValueError(message)
    rate: NDArray[np.float64] = 1000 * 12 * np.asarray(counts, dtype=float) / (m * n)
    return rate
