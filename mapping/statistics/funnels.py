"""Observed against expected among comparable areas: who is unusual, without a league table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats
from scipy.special import gammainc, gammaincc, ndtr, ndtri

from mapping.statistics.dispersion import winsorised

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Funnel", "between_variance", "funnel", "funnel_limits"]


@dataclass(frozen=True, slots=True)
class Funnel:
    """How far areas are from what was expected: shape (areas,).

    `z` is unadjusted; `adjusted` allows for `tau2`, how much areas differ anyway; `p` is two-sided: never under the doubled
    smaller tail of the count, so that no area is called unusual whose exact interval holds what was expected.
    """

    z: NDArray[np.float64]
    adjusted: NDArray[np.float64]
    p: NDArray[np.float64]
    tau2: float


def between_variance(observed: ArrayLike, expected: ArrayLike, *, share: float = 0.1, corrected: bool = False) -> float:
    """tau2: the variance between areas of the square root of observed over expected, beyond that of Poisson counts.

    Parameters
    ----------
    observed, expected
        Shape (areas,), expected above 0.
    share
        Winsorised on each side, so that the unusual do not widen the limits that they are held against.
    corrected
        Whether to make up for what winsorising takes from areas of which none is unusual: without it every tenth county has one
        that is called so.

    Returns
    -------
    tau2
        At least 0; 0 for fewer than two areas.

    Notes
    -----
    z = 2 (sqrt(O) - sqrt(E)), winsorised; phi = mean z^2; w = 4 E;
    tau2 = max(0, (n phi - (n - 1)) / (sum w - sum w^2 / sum w)). Corrected: mean z^2 over that of a winsorised standard normal
    (0.68 for a tenth on each side).
    Spiegelhalter (2005), Statistics in Medicine 24, 1185-1202, and Quality and Safety in Health Care 14, 347-351.

    Examples
    --------
    >>> between_variance([100, 100], [100, 100])
    0.0
    """
    o, e = np.asarray(observed, dtype=float), np.asarray(expected, dtype=float)
    n, w = len(o), 4 * e
    if n < 2:
        return 0.0
    phi = float((winsorised(2 * (np.sqrt(o) - np.sqrt(e)), share=share) ** 2).mean())
    if corrected:
        bound = -ndtri(share)
        phi /= 1 - 2 * share - 2 * bound * float(stats.norm.pdf(bound)) + 2 * share * bound**2
    return max(0.0, float((n * phi - (n - 1)) / (w.sum() - (w**2).sum() / w.sum())))


def funnel(observed: ArrayLike, expected: ArrayLike, *, tau2: float | None = None) -> Funnel:
    """Hold counts against what was expected of them.

    Parameters
    ----------
    observed, expected
        Shape (areas,), expected above 0.
    tau2
        How much areas differ anyway; by default estimated from these (`between_variance`).

    Raises
    ------
    ValueError
        If an expected number is not above 0 or a count is negative.

    Notes
    -----
    z = 2 (sqrt(O) - sqrt(E)); adjusted = (sqrt(O/E) - 1) / sqrt(1/(4E) + tau2). The square root is defined where nothing was
    observed, as the logarithm is not.

    Examples
    --------
    >>> found = funnel([36, 25], [25, 25], tau2=0.0)
    >>> found.z.tolist(), found.adjusted.round(6).tolist()
    ([2.0, 0.0], [2.0, 0.0])
    """
    o, e = np.asarray(observed, dtype=float), np.asarray(expected, dtype=float)
    if np.any(e <= 0) or np.any(o < 0):
        message = "what is expected must be above 0, and no count negative"
        raise ValueError(message)
    between = between_variance(o, e) if tau2 is None else tau2
    z = 2 * (np.sqrt(o) - np.sqrt(e))
    adjusted = (np.sqrt(o / e) - 1) / np.sqrt(1 / (4 * e) + between)
    as_many = np.where(o > 0, gammainc(np.maximum(o, 1e-12), e), 1.0)
    exact = np.minimum(1, 2 * np.minimum(as_many, gammaincc(o + 1, e)))
    return Funnel(z, adjusted, np.maximum(exact, 2 * ndtr(-np.abs(adjusted))), between)


def funnel_limits(
    expected: ArrayLike, *, tau2: float = 0.0, level: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The limits of observed over expected within which areas of that size should lie.

    Parameters
    ----------
    expected
        Any shape, above 0.
    tau2
        How much areas differ anyway.
    level
        95% or 99.8% by custom.

    Raises
    ------
    ValueError
        If an expected number is not above 0 or `level` is not between 0 and 1.

    Notes
    -----
    With tau2 = 0 Poisson quantiles, made continuous: r the least count with F(r) >= p, limit = r - (F(r) - p) / f(r), over E
    (Spiegelhalter 2005). Else (1 -+ z sqrt(1/(4E) + tau2))^2, where `funnel` has |adjusted| = z.

    Examples
    --------
    The least count whose chance to be reached is over 2.5% is 12: 12 - (0.0390 - 0.025) / 0.0176 = 11.2, over 20.

    >>> [round(float(limit), 4) for limit in funnel_limits(20)]
    [0.5603, 1.4373]
    """
    e = np.asarray(expected, dtype=float)
    if np.any(e <= 0) or not 0 < level < 1:
        message = "what is expected must be above 0, and a level between 0 and 1"
        raise ValueError(message)
    tail = (1 - level) / 2
    if tau2 > 0:
        reach = -ndtri(tail) * np.sqrt(1 / (4 * e) + tau2)
        return np.maximum(1 - reach, 0) ** 2, (1 + reach) ** 2
    limits = []
    for p in (tail, 1 - tail):
        r = stats.poisson.ppf(p, e)
        limits.append(np.maximum(r - (stats.poisson.cdf(r, e) - p) / stats.poisson.pmf(r, e), 0) / e)
    return limits[0], limits[1]
