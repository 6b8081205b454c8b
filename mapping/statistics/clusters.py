"""Where high and low values lie together: Getis and Ord's Gi*, Moran's I and its parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

from mapping.statistics.smoothing import neighbourhoods

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from scipy import sparse

__all__ = ["LocalMoran", "gi_star", "local_moran", "space_time_gi_star", "two_sided"]


def gi_star(values: ArrayLike, neighbours: sparse.sparray) -> NDArray[np.float64]:
    """Gi* of each area: how far the sum of its neighbourhood is from what the mean of all would give, as a z score.

    Parameters
    ----------
    values
        Rates, not counts, whose areas differ in size: shape (areas,) or (areas, k), each column by itself.
    neighbours
        Who touches whom: shape (areas, areas), 0 and 1, symmetric, the diagonal 0.

    Returns
    -------
    z
        Of the shape of `values`; NaN where all values of a column are the same, and for an area that neighbours all others.

    Notes
    -----
    z = (sum_j w_ij x_j - xbar W_i) / (S sqrt((n sum_j w_ij^2 - W_i^2) / (n - 1))), S^2 = sum x^2 / n - xbar^2, w_ij 1 for
    neighbours and for the area itself, W_i their sum. Getis and Ord (1992), Geographical Analysis 24, 189-206; Ord and Getis
    (1995), 27, 286-306. ArcGIS shows the same z.

    Examples
    --------
    Four areas in a row, high at one end:

    >>> from scipy import sparse
    >>> row = sparse.csr_array([[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0]])
    >>> gi_star([3, 3, 1, 1], row).round(4).tolist()
    [1.7321, 1.0, -1.0, -1.7321]
    """
    x = np.asarray(values, dtype=float)
    around = neighbourhoods(neighbours)
    n, weight = len(x), np.asarray(around.sum(axis=1), dtype=float)
    mean = x.mean(axis=0)
    return _z(around @ x, mean, _deviation(x, mean), weight if x.ndim == 1 else weight[:, None], n)


def space_time_gi_star(values: ArrayLike, neighbours: sparse.sparray) -> NDArray[np.float64]:
    """Gi* of each area and month among all of them, the neighbourhood being that of this month and the month before.

    Parameters
    ----------
    values
        Shape (areas, months): rates, or observed over expected, so that the season does not show.
    neighbours
        As for `gi_star`.

    Returns
    -------
    z
        Shape (areas, months); NaN where all values are the same.

    Notes
    -----
    As `gi_star`, with n the number of areas and months, and mean and S over all of them; the first month has no month before.

    Examples
    --------
    The mean is 2 and S^2 is 2; in the last month four values are near, whose sum is 10 where 8 is the mean.

    >>> from scipy import sparse
    >>> two = sparse.csr_array([[0, 1], [1, 0]])
    >>> space_time_gi_star([[1, 1, 4], [1, 1, 4]], two).round(4).tolist()
    [[-1.118, -2.2361, 1.118], [-1.118, -2.2361, 1.118]]
    """
    x = np.asarray(values, dtype=float)
    around = neighbourhoods(neighbours)
    now = around @ x
    total = now.copy()
    total[:, 1:] += now[:, :-1]
    weight = np.asarray(around.sum(axis=1), dtype=float)[:, None] * np.where(np.arange(x.shape[1]) > 0, 2, 1)
    mean = x.mean()
    return _z(total, mean, _deviation(x.ravel(), mean), weight, x.size)


def two_sided(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """The two-sided p of normal scores; NaN stays."""
    p: NDArray[np.float64] = 2 * ndtr(-np.abs(z))
    return p


@dataclass(frozen=True, slots=True)
class LocalMoran:
    """Moran's I of all areas and its p; of each area its part of it, its p, and the quadrant that it is in.

    Quadrants: `high-high`, `low-high` (a low area among high ones), `low-low`, `high-low`.
    """

    moran: float
    moran_p: float
    value: NDArray[np.float64]
    p: NDArray[np.float64]
    quadrants: list[str]


_QUADRANTS = {1: "high-high", 2: "low-high", 3: "low-low", 4: "high-low"}


def local_moran(
    values: ArrayLike, neighbours: sparse.sparray, *, rng: np.random.Generator, permutations: int = 9999
) -> LocalMoran:
    """Which areas are like their neighbours, or unlike them, and whether that is more than chance.

    Parameters
    ----------
    values
        Shape (areas,); they must differ.
    neighbours
        As for `gi_star`; an area without neighbours gets 0, and a p of 1.
    rng
        Chance for the permutations.
    permutations
        How many; the least p that can be found is 2 / (permutations + 1).

    Raises
    ------
    ValueError
        If all values are the same.

    Notes
    -----
    I_i = z_i sum_j w_ij z_j, z standardised and rows of w summing to 1; p by holding i and drawing its neighbours' values from
    all others without replacement, (r + 1) / (permutations + 1), doubled because esda folds it to one side. Anselin (1995),
    Geographical Analysis 27, 93-115; by esda's `Moran_Local` and, for all areas together, `Moran` (p by normal approximation
    under randomisation).

    Examples
    --------
    >>> from scipy import sparse
    >>> row = sparse.csr_array([[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0]])
    >>> found = local_moran([4, 3, 1, 0], row, rng=np.random.default_rng(1), permutations=99)
    >>> round(found.moran, 4), found.quadrants
    (0.5, ['high-high', 'high-high', 'low-low', 'low-low'])
    """
    from esda import Moran, Moran_Local  # noqa: PLC0415 - takes seconds to import, and few questions need it
    from libpysal.weights import WSP  # noqa: PLC0415

    x = np.asarray(values, dtype=float)
    if len(np.unique(x)) < 2:
        message = "all values are the same: nothing lies together"
        raise ValueError(message)
    weights = WSP(neighbours.tocsr().astype(float)).to_W(silence_warnings=True)
    seed = int(rng.integers(2**31))
    found = Moran_Local(x, weights, permutations=permutations, seed=seed, n_jobs=1, keep_simulations=False)
    whole = Moran(x, weights, permutations=0)
    alone = np.array([not weights.neighbors[i] for i in weights.id_order])
    p = np.where(alone, 1.0, np.minimum(1, 2 * found.p_sim))
    return LocalMoran(float(whole.I), float(whole.p_rand), found.Is, p, [_QUADRANTS[int(q)] for q in found.q])


def _deviation(x: NDArray[np.float64], mean: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """S of each column, exactly 0 where nothing varies."""
    spread: NDArray[np.float64] = np.sqrt(((x - mean) ** 2).mean(axis=0))
    return np.where(spread > 1e-12 * np.maximum(1e-300, np.abs(x).max(axis=0, initial=0)), spread, 0)


def _z(
    total: NDArray[np.float64],
    mean: NDArray[np.float64] | float,
    deviation: NDArray[np.float64],
    weight: NDArray[np.float64],
    n: int,
) -> NDArray[np.float64]:
    away = deviation * np.sqrt(np.maximum(n * weight - weight**2, 0) / max(n - 1, 1))
    z: NDArray[np.float64] = np.divide(total - mean * weight, away, out=np.full(total.shape, np.nan), where=away > 0)
    return z
