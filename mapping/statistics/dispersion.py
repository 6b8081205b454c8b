"""How much more than Poisson counts vary, over all wards of a type."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["MOST", "month_dispersion", "spread_of_changes", "winsorised"]

_BLOCK = 12
_NOTHING = 1e-9

MOST = 10
"""A series counts for at most so many times what is to be expected of it: one festival is not to widen all wards' ranges."""


def month_dispersion(counts: ArrayLike) -> float:
    """phi: variance over mean of monthly counts around each series' own level and the season of all of them.

    Parameters
    ----------
    counts
        Of consecutive months: shape (series, months). They are looked at in blocks of 12 months, counted from the end; what is
        left over at the beginning, and a block of one month, is not looked at.

    Returns
    -------
    phi
        At least 1; 1 where there is too little to tell.

    Notes
    -----
    max(1, sum of (x - mu)^2 / sum of mu (1 - share of its series)(1 - share of its month)) over the blocks; in each a count is
    expected to be mu = (total of its series) x (total of its month) / (total of the block), and the shares are of that total. A
    series that changes from one block to the next, or a county that does, adds nothing to it. What a series adds above is held
    at `MOST` times what it adds below. Pearson's chi2 / df, which sums (x - mu)^2 / mu, tends to the same for large counts; it
    is a fifth too small where a ward has one incident in two months and phi is 2.5, mu being made of the counts it divides.

    Examples
    --------
    Two wards that take turns: 1 for each of 4 cells, over 2 x 1/2 x 1/2 for each.

    >>> month_dispersion([[3, 1], [1, 3]])
    2.0
    """
    x = np.asarray(counts, dtype=float)
    squares = freedom = 0.0
    months = x.shape[1]
    for start in range(months % _BLOCK if months > _BLOCK else 0, months, _BLOCK):
        block = x[:, start : start + _BLOCK]
        total = max(float(block.sum()), 1.0)
        of_series, of_month = block.sum(axis=1, keepdims=True) / total, block.sum(axis=0) / total
        mu = total * of_series * of_month
        free = (mu * (1 - of_series) * (1 - of_month)).sum(axis=1)
        squares += float(np.minimum(((block - mu) ** 2).sum(axis=1), MOST * free).sum())
        freedom += float(free.sum())
    return max(1.0, squares / freedom) if freedom > _NOTHING else 1.0


def spread_of_changes(
    after: ArrayLike, before: ArrayLike, *, t_after: ArrayLike = 1.0, t_before: ArrayLike = 1.0, share: float = 0.1
) -> float:
    """phi: how much more series change between two periods than Poisson counts that all changed alike would.

    Parameters
    ----------
    after, before
        Counts: shape (series,).
    t_after, t_before
        Exposures, as for `compare_counts`.
    share
        The share of series on each side whose change counts only as much as that of the next: those that really changed are not
        to hide themselves.

    Returns
    -------
    phi
        At least 1; 1 for fewer than 10 series that have incidents.

    Notes
    -----
    max(1, mean of z^2), z = (x1 - n p) / sqrt(n p (1 - p)) winsorised, n = x1 + x0, p the share of x1 in all n. Series that
    drift from year to year vary more between periods than between the months of one.

    Examples
    --------
    Ten wards that all double:

    >>> spread_of_changes([20] * 10, [10] * 10)
    1.0
    """
    x1, x0 = np.asarray(after, dtype=float), np.asarray(before, dtype=float)
    n = x1 + x0
    some = n > 0
    if np.count_nonzero(some) < 10:
        return 1.0
    t1, t0 = (np.broadcast_to(np.asarray(t, dtype=float), n.shape)[some] for t in (t_after, t_before))
    x1, x0, n = x1[some], x0[some], n[some]
    rate1, rate0 = x1.sum() / t1.sum(), x0.sum() / t0.sum()
    if rate1 == 0 or rate0 == 0:
        return 1.0
    p = rate1 * t1 / (rate1 * t1 + rate0 * t0)
    z = winsorised((x1 - n * p) / np.sqrt(n * p * (1 - p)), share=share)
    return max(1.0, float((z**2).mean()))


def winsorised(z: NDArray[np.float64], *, share: float = 0.1) -> NDArray[np.float64]:
    """Numbers of which the lowest and the highest share are put at the quantiles that bound them.

    >>> winsorised(np.array([-9.0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 40])).tolist()
    [0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 8.0]
    """
    low, high = np.quantile(z, [share, 1 - share])
    clipped: NDArray[np.float64] = np.clip(z, low, high)
    return clipped
