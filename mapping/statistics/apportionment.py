"""Counts of small areas apportioned to wards by weights. Totals are conserved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["apportion", "shares_of"]


def shares_of(
    areas: ArrayLike, wards: ArrayLike, weights: ArrayLike, *, shape: tuple[int, int], totals: ArrayLike | None = None
) -> sparse.csr_array:
    """Which share of each area is in each ward.

    Parameters
    ----------
    areas, wards, weights
        One entry a pair: indices of an area and of a ward (-1 for what lies in none of the wards), and a weight of any unit
        (residents, square metres ...), none negative. The weights of a pair that stands twice are added.
    shape
        How many areas and wards there are.
    totals
        What the weights of each area are shares of; by default their own sum, those in no ward included.

    Returns
    -------
    shares
        Of that shape. A row sums to 1, less what lies in no ward; pairs of weight 0 are left out.

    Raises
    ------
    ValueError
        If a weight is negative or no number, or an area that has weights has a total of 0.
    """
    at, ward, weight = np.asarray(areas, int), np.asarray(wards, int), np.asarray(weights, float)
    if not np.all(np.isfinite(weight) & (weight >= 0)):
        message = "weights must be numbers, and none negative"
        raise ValueError(message)
    whole = np.bincount(at, weights=weight, minlength=shape[0]) if totals is None else np.asarray(totals, float)
    if np.any(whole[at] <= 0):
        message = "an area has no weight at all"
        raise ValueError(message)
    # A part that nothing weighs on is no part: a ward of such parts only is not covered, rather than a zero.
    inside = (ward >= 0) & (weight > 0)
    share = (weight / whole[at])[inside]
    return sparse.coo_array((share, (at[inside], ward[inside])), shape=shape).tocsr()


def apportion(counts: NDArray[np.float64] | sparse.sparray, shares: sparse.csr_array) -> NDArray[np.float64] | sparse.sparray:
    """Counts of areas, shape (areas, k), as counts of wards, shape (wards, k), sparse where they are.

    y = W' x, where W are the shares: what an area counted is divided as its weights are. If every row of W sums to 1, the
    columns keep their sums; else they lose what lies in no ward.
    """
    return shares.T @ counts
