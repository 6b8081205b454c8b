"""Rates of small areas drawn towards those of others, as far as they could be chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["neighbourhoods", "smoothed_rates"]


def neighbourhoods(neighbours: sparse.sparray) -> sparse.csr_array:
    """Each area with its neighbours: contiguity, shape (areas, areas), 0 and 1, with 1 on the diagonal."""
    size = neighbours.shape[0]
    whole = sparse.csr_array(neighbours).astype(float) + sparse.eye_array(size, format="csr")
    whole.data = np.minimum(whole.data, 1.0)
    return sparse.csr_array(whole)


def smoothed_rates(counts: ArrayLike, denominators: ArrayLike, *, among: sparse.sparray | None = None) -> NDArray[np.float64]:
    """Empirical-Bayes rates: what a ward's rate most likely is, given that it is one of many.

    Parameters
    ----------
    counts
        Shape (areas,) or (areas, k), none negative.
    denominators
        What they are divided by, of the same shape, or (areas, 1), above 0.
    among
        The areas that each is drawn towards, itself included (`neighbourhoods`): local rates. By default all areas: global
        ones.

    Returns
    -------
    rates
        Of the shape of `counts`, per unit of the denominator.

    Raises
    ------
    ValueError
        If a count is negative or a denominator not above 0.

    Notes
    -----
    Marshall (1991), Applied Statistics 40, 283-294: b = sum O / sum N; s2 = sum N (r - b)^2 / sum N;
    a = max(0, s2 - b / mean N); r~ = b + a / (a + b / N) (r - b), the sums being over all areas or over those in `among`.
    Where a is 0 all areas have the same rate as far as anyone can tell. (esda has the same in `Empirical_Bayes`, where a may
    fall under 0, and which divides by 0 where there are no incidents.)

    Examples
    --------
    Two large areas that differ keep most of it, and a small one that has none is drawn up:

    >>> smoothed_rates([200, 100, 0], [1000, 1000, 10]).round(4).tolist()
    [0.197, 0.1029, 0.1288]
    """
    o = np.asarray(counts, dtype=float)
    n = np.broadcast_to(np.asarray(denominators, dtype=float), o.shape)
    if np.any(o < 0) or not np.all(n > 0):
        message = "counts must not be negative, and denominators above 0"
        raise ValueError(message)

    def total(x: NDArray[np.float64]) -> NDArray[np.float64]:
        summed: NDArray[np.float64] = x.sum(axis=0, keepdims=True) if among is None else among @ x
        return summed

    of_n, areas = total(n), total(np.ones(o.shape))
    b = total(o) / of_n
    # sum N (r - b)^2 = sum O^2 / N - b^2 sum N
    s2 = total(o**2 / n) / of_n - b**2
    a = np.maximum(0, s2 - b * areas / of_n)
    weight = np.divide(a, a + b / n, out=np.zeros(o.shape), where=a + b / n > 0)
    rates: NDArray[np.float64] = b + weight * (o / n - b)
    return rates
