"""Incidents weighted by the harm of their type."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["weighted_total"]


def weighted_total(
    counts: ArrayLike, weights: ArrayLike, *, level: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The sum of weights over incidents, and its interval.

    Parameters
    ----------
    counts
        Shape (..., types), none negative.
    weights
        Shape (types,), none negative.
    level
        Confidence.

    Returns
    -------
    total, low, high
        Shape (...); `low` is never under 0.

    Raises
    ------
    ValueError
        If a count or a weight is negative, or `level` is not between 0 and 1.

    Notes
    -----
    sum w x -+ z sqrt(sum w^2 x): the variance of a weighted sum of Poisson counts. One rare incident of a great weight makes it
    wide. Where nothing was counted the interval is 0 to 0, and says nothing.

    Examples
    --------
    Four at 10 and one at 100: 140, with a variance of 4 x 100 + 10,000.

    >>> [round(float(v), 2) for v in weighted_total([4, 1], [10, 100])]
    [140.0, 0.0, 339.88]
    """
    x, w = np.asarray(counts, dtype=float), np.asarray(weights, dtype=float)
    if np.any(x < 0) or np.any(w < 0):
        message = "neither counts nor weights can be negative"
        raise ValueError(message)
    if not 0 < level < 1:
        message = f"level is {level}; it must lie between 0 and 1"
        raise ValueError(message)
    total, reach = x @ w, -ndtri((1 - level) / 2) * np.sqrt(x @ w**2)
    return total, np.maximum(total - reach, 0), total + reach
