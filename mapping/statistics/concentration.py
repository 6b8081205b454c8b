"""How unevenly incidents are spread over wards or places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["generalised_gini", "gini", "holding"]


def holding(counts: ArrayLike, *, share: float = 0.5) -> NDArray[np.int64]:
    """The fewest places that together hold that share of the incidents.

    Parameters
    ----------
    counts
        Shape (..., places), none negative.
    share
        Between 0 and 1.

    Returns
    -------
    places
        Shape (...); 0 where there are no incidents.

    Examples
    --------
    Of 10, 6, 2 and 2 incidents the first place holds half:

    >>> int(holding([2, 10, 6, 2]))
    1
    """
    x = -np.sort(-np.asarray(counts, dtype=float), axis=-1)
    total = x.sum(axis=-1, keepdims=True)
    # A sum that falls short of the share by the last digit of a fraction has reached it.
    enough = x.cumsum(axis=-1) >= share * total * (1 - 1e-12)
    found: NDArray[np.int64] = np.where(total[..., 0] > 0, enough.argmax(axis=-1) + 1, 0)
    return found


def gini(counts: ArrayLike) -> NDArray[np.float64]:
    """Gini's coefficient: 0 where all places have as many, towards 1 where one has all.

    Parameters
    ----------
    counts
        Shape (..., places), none negative.

    Returns
    -------
    G
        Shape (...); NaN where there are no incidents.

    Notes
    -----
    G = 2 sum i x_(i) / (n sum x) - (n + 1) / n, x_(i) in rising order.

    Examples
    --------
    >>> round(float(gini([10, 8, 2, 0, 0, 0, 0, 0, 0, 0])), 6)
    0.78
    """
    x = np.sort(np.asarray(counts, dtype=float), axis=-1)
    n, total = x.shape[-1], x.sum(axis=-1)
    weighted = (np.arange(1, n + 1) * x).sum(axis=-1)
    uneven: NDArray[np.float64] = np.divide(2 * weighted, n * total, out=np.full(total.shape, np.nan), where=total > 0)
    uneven -= (n + 1) / n
    return uneven


def generalised_gini(counts: ArrayLike) -> NDArray[np.float64]:
    """Gini's coefficient where there are fewer incidents than places: 0 if no two of them share a place.

    Parameters
    ----------
    counts
        Shape (..., places), none negative.

    Returns
    -------
    G'
        Shape (...); NaN where there are no incidents.

    Notes
    -----
    G' = max(1, n / c) (G - 1) + 1, c incidents at n places: that most places have none is no concentration when incidents are
    fewer than places. Bernasco and Steenbeek (2017), J. Quantitative Criminology 33, 451-467.

    Examples
    --------
    >>> round(float(generalised_gini([5, 2, 1, 0, 0, 0, 0, 0, 0, 0])), 6)
    0.75
    """
    x = np.asarray(counts, dtype=float)
    total = x.sum(axis=-1)
    sparseness = np.divide(x.shape[-1], total, out=np.full(total.shape, np.nan), where=total > 0)
    general: NDArray[np.float64] = np.maximum(1, sparseness) * (gini(x) - 1) + 1
    return general
