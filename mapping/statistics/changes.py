"""Two counts of the same thing: their ratio, its exact interval, and whether it is more than chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import betainc, betaincinv

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Comparison", "compare_counts", "e_test"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What `compare_counts` finds, each of the shape of the counts.

    `ratio` is NaN where nothing was counted at all, infinite where nothing was counted before; `high` is infinite there too.
    `p` is 1 where nothing was counted.
    """

    ratio: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    p: NDArray[np.float64]


def compare_counts(
    after: ArrayLike,
    before: ArrayLike,
    *,
    t_after: ArrayLike = 1.0,
    t_before: ArrayLike = 1.0,
    phi: ArrayLike = 1.0,
    level: float = 0.95,
) -> Comparison:
    """Compare two counts, given the exposure (months, days, people) that each was counted over.

    Parameters
    ----------
    after, before
        Counts of one shape, or broadcastable, none negative. With counts that were apportioned they may be fractions.
    t_after, t_before
        Their exposures, above 0, in one unit.
    phi
        Variance over mean of such counts, at least 1: 1 for Poisson counts.
    level
        Confidence.

    Raises
    ------
    ValueError
        If a count is negative, an exposure not above 0, `phi` under 1 or `level` not between 0 and 1.

    Notes
    -----
    Given their sum, the later of two Poisson counts is binomial: X1 | X1 + X0 = n ~ Bin(n, r t1 / (r t1 + t0)), r the ratio of
    the rates (Przyborowski and Wilenski 1940, Biometrika 31, 313-323). The interval is Clopper and Pearson's for that share
    (1934, Biometrika 26, 404-413), turned into r = p / (1 - p) t0 / t1; p is the doubled smaller tail at r = 1, so that the
    interval at 95% excludes 1 just where p < .05. Both through the incomplete beta function, which is also defined for
    fractions: where counts vary phi times as much as Poisson counts, x / phi is put in place of x.

    Examples
    --------
    Six after none: only one split in 64 is as extreme on either side, 2/64 = 0.03125.

    >>> found = compare_counts([6, 41, 3], [0, 24, 3])
    >>> [round(float(p), 6) for p in found.p]
    [0.03125, 0.046353, 1.0]
    >>> round(float(found.low[1]), 6), round(float(found.high[1]), 6)
    (1.00803, 2.955798)
    """
    x1, x0, t1, t0, f = np.broadcast_arrays(*(np.asarray(a, dtype=float) for a in (after, before, t_after, t_before, phi)))
    if np.any(x1 < 0) or np.any(x0 < 0):
        message = "a count cannot be negative"
        raise ValueError(message)
    if not (np.all(t1 > 0) and np.all(t0 > 0) and np.all(f >= 1)):
        message = "exposures must be above 0, and phi at least 1"
        raise ValueError(message)
    if not 0 < level < 1:
        message = f"level is {level}; it must lie between 0 and 1"
        raise ValueError(message)
    a, b, share, at = _each_once(x1 / f, x0 / f, t1 / (t1 + t0))
    # The incomplete beta function is not defined at 0, where the limits are known.
    a1, b1, tail = np.where(a > 0, a, 1), np.where(b > 0, b, 1), (1 - level) / 2
    as_many = np.where(a > 0, betainc(a1, b + 1, share), 1)
    as_few = np.where(b > 0, betainc(b1, a + 1, 1 - share), 1)
    p = np.minimum(1, 2 * np.minimum(as_many, as_few))
    least, most = betaincinv(a1, b + 1, tail), betaincinv(a + 1, b1, 1 - tail)
    a, b, p, least, most = (part[at].reshape(x1.shape) for part in (a, b, p, least, most))
    low = np.where(a > 0, least / (1 - least) * t0 / t1, 0)
    high = np.divide(most * t0, (1 - most) * t1, out=np.full(x1.shape, np.inf), where=b > 0)
    ratio = np.divide(x1 * t0, x0 * t1, out=np.where(x1 > 0, np.inf, np.nan), where=x0 > 0)
    return Comparison(ratio, low, high, np.where(x1 + x0 > 0, p, 1.0))


def _each_once(
    a: NDArray[np.float64], b: NDArray[np.float64], share: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """The pairs of a and b that are there, and where each is: most pairs of small counts occur in many wards."""
    if a.size == 0 or np.ptp(share) > 0:
        return a.ravel(), b.ravel(), share.ravel(), np.arange(a.size)
    pairs, at = np.unique(a.ravel() + 1j * b.ravel(), return_inverse=True)
    return pairs.real, pairs.imag, np.full(len(pairs), share.flat[0]), at


def e_test(after: ArrayLike, before: ArrayLike, *, t_after: ArrayLike = 1.0, t_before: ArrayLike = 1.0) -> NDArray[np.float64]:
    """The p of the E-test of two Poisson counts: more powerful than `compare_counts`, and the twin of no interval.

    It is here to be compared with: figures carry the p that their interval agrees with.

    Parameters
    ----------
    after, before
        Whole numbers of one shape, or broadcastable, none negative.
    t_after, t_before
        Their exposures, above 0.

    Raises
    ------
    ValueError
        If a count is negative or an exposure not above 0.

    Notes
    -----
    Krishnamoorthy and Thomson (2004), J. Stat. Plan. Inference 119, 23-35: the chance, under the common rate estimated from
    both, of a standardised difference (variance not pooled) at least as large as the one seen. By statsmodels
    (`method="etest-wald"`), which divides by the second count: where that is 0 the two change places, and p is the same.

    Examples
    --------
    >>> [round(float(p), 6) for p in e_test([41, 3, 0], [24, 0, 0])]
    [0.034978, 0.088379, 1.0]
    """
    from statsmodels.stats.rates import test_poisson_2indep  # noqa: PLC0415 - takes longer to import than all our figures

    x1, x0, t1, t0 = np.broadcast_arrays(*(np.asarray(a, dtype=float) for a in (after, before, t_after, t_before)))
    if np.any(x1 < 0) or np.any(x0 < 0) or not (np.all(t1 > 0) and np.all(t0 > 0)):
        message = "counts must not be negative, and exposures above 0"
        raise ValueError(message)
    pairs, at = np.unique(np.stack([x1, x0, t1, t0]).reshape(4, -1), axis=1, return_inverse=True)
    ps = np.ones(pairs.shape[1])
    for i, (later, earlier, t_later, t_earlier) in enumerate(pairs.T):
        if earlier > 0:
            ps[i] = test_poisson_2indep(later, t_later, earlier, t_earlier, method="etest-wald").pvalue
        elif later > 0:
            ps[i] = test_poisson_2indep(earlier, t_earlier, later, t_later, method="etest-wald").pvalue
    return np.minimum(ps[at.reshape(x1.shape)], 1)
