"""Poisson regression of many series at once, on a factor and a few covariates that all series share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Regression", "regress"]

_STEPS = 30
_CLOSE = 1e-10
_NO_INFORMATION = 1e-9


@dataclass(frozen=True, slots=True)
class Regression:
    """log mu = level + slopes . covariates, fitted to each series.

    `slopes` (series, covariates) are 0 where nothing in a series tells of them; `covariance` (series, covariates, covariates)
    is theirs if phi is 1, and 0 there. `mu` and `leverage` have the shape of the counts; `totals` are the weighted sums of
    counts by level and `growth` those of offset exp(slopes . covariates), so that a level is log(totals / growth); `middle`
    (series, levels, covariates) are the means of the covariates in each level, weighted by mu. `chi2` is Pearson's, `freedom`
    the months less what was estimated.
    """

    slopes: Floats
    covariance: Floats
    mu: Floats
    leverage: Floats
    totals: Floats
    growth: Floats
    middle: Floats
    chi2: Floats
    freedom: Floats


def regress(
    y: Floats,
    weights: Floats,
    levels: NDArray[np.int64],
    covariates: Floats,
    wanted: NDArray[np.bool_],
    *,
    offset: Floats | None = None,
) -> Regression:
    """Fit each series by maximum likelihood.

    Parameters
    ----------
    y, weights
        Counts and their weights, 0 for months that are left out: shape (series, months).
    levels
        The level of each month, 0 to the number of levels less 1: shape (months,).
    covariates
        Shape (months, covariates).
    wanted
        Which covariates each series has: shape (series, covariates).
    offset
        What multiplies the mean of each month, such as a season that is known: shape (months,), above 0; nothing by default.

    Notes
    -----
    For given slopes each level is its total over the sum of exp(slopes . covariates), so that only the slopes are left to solve
    for: by Newton's method on the profile likelihood, which is concave, all series in step. A level without incidents has a
    mean of 0.
    """
    number, d = int(levels.max()) + 1, covariates.shape[1]
    of_level = np.zeros((len(levels), number))
    of_level[np.arange(len(levels)), levels] = 1
    pairs = [(i, j) for i in range(d) for j in range(i, d)]
    # Sums over each level of 1, of each covariate and of each product of two, in one product of matrices.
    products = [covariates[:, i] for i in range(d)] + [covariates[:, i] * covariates[:, j] for i, j in pairs]
    sums = np.hstack([of_level, *(of_level * p[:, None] for p in products)])
    scale = np.ones(len(levels)) if offset is None else offset
    shared: dict[str, Any] = {"covariates": covariates, "sums": sums, "pairs": pairs, "scale": scale}
    totals, target = (weights * y) @ of_level, (weights * y) @ covariates
    slopes = np.zeros((len(y), d))
    moving = np.any(wanted, axis=1)
    for _ in range(_STEPS):
        if not moving.any():
            break
        growth, middle, information = _profile(slopes[moving], weights[moving], totals[moving], **shared)
        score = target[moving] - (totals[moving][:, :, None] * middle).sum(axis=1)
        free, inverse = _inverse(information, wanted[moving])
        step = np.clip(np.einsum("sij,sj->si", inverse, np.where(free, score, 0)), -1, 1)
        slopes[moving] += step
        moving[moving] = np.any(np.abs(step) > _CLOSE, axis=1)
    growth, middle, information = _profile(slopes, weights, totals, **shared)
    free, covariance = _inverse(information, wanted)
    factor = np.divide(totals, growth, out=np.zeros_like(totals), where=growth > 0)
    mu = factor[:, levels] * np.exp(slopes @ covariates.T) * scale
    away = covariates - middle[:, levels]
    one_over_total = np.divide(1, totals, out=np.zeros_like(totals), where=totals > 0)
    about = np.einsum("snj,sjk,snk->sn", away, covariance, away, optimize=True)
    leverage = weights * mu * (one_over_total[:, levels] + about)
    chi2 = np.divide(weights * (y - mu) ** 2, mu, out=np.zeros_like(mu), where=mu > 0).sum(axis=1)
    seen = np.count_nonzero((weights > 0) @ of_level, axis=1)
    freedom = np.maximum(np.count_nonzero(weights, axis=1) - seen - np.count_nonzero(free, axis=1), 0)
    return Regression(slopes, covariance, mu, leverage, totals, growth, middle, chi2, freedom.astype(float))


def _profile(
    slopes: Floats,
    weights: Floats,
    totals: Floats,
    *,
    covariates: Floats,
    sums: Floats,
    pairs: list[tuple[int, int]],
    scale: Floats,
) -> tuple[Floats, Floats, Floats]:
    """For given slopes: the sums of exp(slopes . covariates) by level, the weighted means of covariates, the information."""
    series, number = totals.shape
    d = covariates.shape[1]
    of_e = ((weights * np.exp(slopes @ covariates.T) * scale) @ sums).reshape(series, -1, number)
    growth = of_e[:, 0]
    some = growth > 0
    middle = np.zeros((series, number, d))
    information = np.zeros((series, d, d))
    for i in range(d):
        middle[:, :, i] = np.divide(of_e[:, 1 + i], growth, out=np.zeros_like(growth), where=some)
    for at, (i, j) in enumerate(pairs, start=1 + d):
        mean = np.divide(of_e[:, at], growth, out=np.zeros_like(growth), where=some)
        information[:, i, j] = information[:, j, i] = (totals * (mean - middle[:, :, i] * middle[:, :, j])).sum(axis=1)
    return growth, middle, information


def _inverse(information: Floats, wanted: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], Floats]:
    """Which covariates are wanted and told of, and the inverse of the information about these: 0 for the others."""
    diagonal = np.einsum("sii->si", information)
    free = wanted & (diagonal > _NO_INFORMATION)
    both = free[:, :, None] & free[:, None, :]
    held = np.where(both, information, 0)
    one = np.eye(information.shape[1])
    # A covariate that is left out stands alone with an information of 1.
    held += one * ~free[:, :, None]
    scale = np.sqrt(np.einsum("sii->si", held))
    held = held / scale[:, :, None] / scale[:, None, :] + 1e-12 * one
    inverse = np.linalg.inv(held) / scale[:, :, None] / scale[:, None, :]
    return free, np.where(both, inverse, 0)
