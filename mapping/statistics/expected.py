"""What a month, or a few, should have counted given only what came before, and how sure that is.

With five years of history the model of Noufaily and others; with less, the level of the series and the season of all series
together. Both give a mean, how much more than Poisson counts vary, and the error of the mean; `predicted_range` turns these
into a range and `tail_p` into the p that is its twin.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats
from scipy.special import betainc, gammainc, gammaincc, ndtr, ndtri, stdtr, stdtrit

from mapping.statistics.regression import regress

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from mapping.statistics.regression import Regression

__all__ = [
    "LEFT_OUT",
    "YEARS",
    "Forecast",
    "expected_from_season",
    "expected_from_years",
    "predicted_range",
    "season_of",
    "tail_p",
    "with_shared_phi",
]

YEARS = 5
"""How many years back `expected_from_years` looks."""

LEFT_OUT = 3
"""The months just before the window say nothing: an outbreak that has begun would hide itself."""

_AROUND = 1  # months on either side of the same calendar month
_OUTLYING = 2.58  # Anscombe residuals above it are weighted down
_FEWEST_FOR_TREND = 10  # incidents in all the reference months, under which no trend is fitted
_POISSON = 1 + 1e-9  # variance over mean, up to which a count is as good as Poisson
_AT_ONCE = 2048  # series: what is worked on stays in the processor's cache


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is expected of each series: shape (series,).

    `mean`; `phi`, the variance over mean of such a count around the true mean, at least 1; `chi2` and `freedom`, Pearson's
    statistic and the degrees of freedom that it is estimated from. The estimated mean has the variance `phi * error + doubt`:
    that of the fit, and the square of what a trend that was dropped would have added. `trend`: whether one was fitted.
    """

    mean: NDArray[np.float64]
    phi: NDArray[np.float64]
    chi2: NDArray[np.float64]
    freedom: NDArray[np.float64]
    error: NDArray[np.float64]
    doubt: NDArray[np.float64]
    trend: NDArray[np.bool_]

    @property
    def spread(self) -> NDArray[np.float64]:
        """Variance over mean of the count to come, the error of the mean included."""
        of_mean = np.divide(self.phi * self.error + self.doubt, self.mean, out=np.zeros(len(self.mean)), where=self.mean > 0)
        spread: NDArray[np.float64] = self.phi + of_mean
        return spread


def with_shared_phi(forecast: Forecast, *, among: NDArray[np.bool_] | None = None) -> Forecast:
    """The same, `phi` of each series being at least that of all series together.

    A series alone, above all one of few incidents, often looks less variable than it is.

    Parameters
    ----------
    among
        Which series are pooled; all by default.

    Notes
    -----
    phi = max(own, sum chi2 / sum df).
    """
    every = np.ones(len(forecast.mean), dtype=bool) if among is None else among
    freedom = forecast.freedom[every].sum()
    shared = forecast.chi2[every].sum() / freedom if freedom > 0 else 1.0
    return replace(forecast, phi=np.maximum(forecast.phi, shared))


def expected_from_years(history: ArrayLike, *, usable: ArrayLike | None = None, months: int = 1) -> Forecast:
    """What the next months should count, from the five years before them.

    Parameters
    ----------
    history
        Counts of the months before the window, oldest first, the last column being the month just before it: shape (series, at
        least 60 months). What is older than 61 months is not looked at.
    usable
        Which of them may be used (those that were not supplied may not): of that shape; all by default.
    months
        How many months the window has: 1, or up to 12, which are summed.

    Raises
    ------
    ValueError
        If there are fewer than 60 months, a count is negative, or `months` is not 1 to 12.

    Notes
    -----
    The flexible method of Noufaily et al. (2013), Statistics in Medicine 32, 1206-1222, after Farrington et al. (1996), with
    months in place of weeks: b = 5 years back, w = 1 month around the same calendar month, which together are one level of a
    factor whose other nine levels are the remaining calendar months; the last three months are left out. A log-linear
    quasi-Poisson regression on factor and trend gives phi = max(1, Pearson chi2 / df) and Anscombe residuals
    s = 1.5 (y^(2/3) mu^(-1/6) - mu^(1/2)) / sqrt(phi (1 - h)); past outbreaks (s > 2.58) are weighted down by s^-2, the weights
    summing to the number of months, and the regression is fitted again. Where the mean for a month is above all that was ever
    seen, or there are fewer than 10 incidents, the trend is dropped. A window of several months has each calendar month for a
    level of its own, and its mean is the sum of theirs.

    Examples
    --------
    Ten every month, for five years and a month:

    >>> found = expected_from_years([[10] * 61])
    >>> round(float(found.mean[0]), 6), float(found.phi[0])
    (10.0, 1.0)
    """
    y = np.asarray(history, dtype=float)
    if not 1 <= months <= 12:
        message = f"a window of {months} months: it must have 1 to 12"
        raise ValueError(message)
    if y.ndim != 2 or y.shape[1] < 12 * YEARS or np.any(y < 0):
        message = f"history must be counts of at least {12 * YEARS} months by series, none negative"
        raise ValueError(message)
    lags = np.arange(min(12 * YEARS + _AROUND, y.shape[1]), LEFT_OUT, -1)
    use = np.ones(y.shape, dtype=bool) if usable is None else np.broadcast_to(np.asarray(usable, dtype=bool), y.shape)
    y, use = y[:, -lags], use[:, -lags]
    levels, ahead = _levels(lags, months)
    parts = [
        _fit(np.where(use[i : i + _AT_ONCE], y[i : i + _AT_ONCE], 0), use[i : i + _AT_ONCE], -lags / 12, levels, ahead)
        for i in range(0, len(y), _AT_ONCE)
    ]
    if not parts:
        none = np.zeros(0)
        return Forecast(none, none, none, none, none, none, none.astype(bool))
    return Forecast(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Forecast)))


def season_of(totals: ArrayLike, *, calendar: ArrayLike) -> NDArray[np.float64]:
    """How much of its usual month each calendar month has, from the months of a whole county.

    Parameters
    ----------
    totals
        Counts of consecutive months, oldest first; NaN where a month is not to be used.
    calendar
        The calendar month of each, 0 to 11.

    Returns
    -------
    season
        12 numbers, 1 being the usual month; 1 where a calendar month was never seen, or nothing was counted.

    Notes
    -----
    Each month over the mean of its year (counted back from the last month, so that years are whole), averaged over years; what
    trend there is within years is taken for season.

    Examples
    --------
    >>> season_of([2] * 6 + [4] * 6, calendar=range(12)).round(2).tolist()
    [0.67, 0.67, 0.67, 0.67, 0.67, 0.67, 1.33, 1.33, 1.33, 1.33, 1.33, 1.33]
    """
    counts, month = np.asarray(totals, dtype=float), np.asarray(calendar, dtype=int)
    back = np.arange(len(counts))[::-1] // 12
    sums, seen = np.zeros(12), np.zeros(12)
    for year in range(len(counts) // 12):
        at = np.flatnonzero((back == year) & ~np.isnan(counts))
        if counts[at].sum() > 0:
            np.add.at(sums, month[at], counts[at] / counts[at].mean())
            np.add.at(seen, month[at], 1)
    season = np.divide(sums, seen, out=np.ones(12), where=seen > 0)
    return season / season.mean() if season.sum() else np.ones(12)


def expected_from_season(
    history: ArrayLike, *, season: ArrayLike, ahead: ArrayLike, usable: ArrayLike | None = None
) -> Forecast:
    """What the next months should count, from the mean of a short history and a season known from elsewhere.

    Parameters
    ----------
    history
        Counts of the months that are looked back on: shape (series, months).
    season
        How much of the usual month each of these has: shape (months,).
    ahead
        The same of the months of the window, which are summed.
    usable
        Which months of the history may be used: of its shape; all by default.

    Raises
    ------
    ValueError
        If a count is negative.

    Notes
    -----
    A month of season s has the mean A s, A = sum y / sum s; phi = max(1, Pearson chi2 / (n - 1)); the variance of A is
    phi A / sum s. The season is taken as known: it is pooled over many series.

    Examples
    --------
    24 in a year, and a month with half as much again as the usual one:

    >>> found = expected_from_season([[2] * 12], season=[1] * 12, ahead=[1.5])
    >>> float(found.mean[0]), float(found.phi[0]), float(found.error[0])
    (3.0, 1.0, 0.375)
    """
    y, s = np.asarray(history, dtype=float), np.asarray(season, dtype=float)
    if np.any(y < 0):
        message = "a count cannot be negative"
        raise ValueError(message)
    use = np.ones(y.shape) if usable is None else np.broadcast_to(np.asarray(usable, dtype=float), y.shape)
    of_season, wanted = use @ s, float(np.sum(ahead))
    level = np.divide((use * y).sum(axis=1), of_season, out=np.zeros(len(y)), where=of_season > 0)
    mu = level[:, None] * s
    chi2 = np.divide(use * (y - mu) ** 2, mu, out=np.zeros(y.shape), where=mu > 0).sum(axis=1)
    freedom = np.maximum(use.sum(axis=1) - 1, 0)
    phi = np.maximum(1, chi2 / np.maximum(freedom, 1))
    error = np.divide(level, of_season, out=np.zeros(len(y)), where=of_season > 0) * wanted**2
    return Forecast(level * wanted, phi, chi2, freedom, error, np.zeros(len(y)), np.zeros(len(y), dtype=bool))


def predicted_range(forecast: Forecast, *, level: float = 0.95) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The range within which the count to come should lie: whole numbers, both ends included.

    Raises
    ------
    ValueError
        If `level` is not between 0 and 1.

    Notes
    -----
    Quantiles of the negative binomial with mean mu and variance f mu, f = phi + (variance of mu) / mu (size mu / (f - 1),
    probability 1 / f); of the Poisson where f is 1.

    Examples
    --------
    A mean of 24, known exactly, of Poisson counts and of such as vary twice as much:

    >>> nothing, mean, phi = np.zeros(2), np.array([24.0, 24.0]), np.array([1.0, 2.0])
    >>> exactly = Forecast(mean, phi, nothing, np.full(2, 1e6), nothing, nothing, nothing.astype(bool))
    >>> [bound.tolist() for bound in predicted_range(exactly)]
    [[15.0, 12.0], [34.0, 39.0]]
    """
    if not 0 < level < 1:
        message = f"level is {level}; it must lie between 0 and 1"
        raise ValueError(message)
    mu, f = forecast.mean, forecast.spread
    # In the middle of a normal as far out as Student's t is at that level.
    tail = ndtr(stdtrit(np.maximum(forecast.freedom, 1), (1 - level) / 2))
    low, high = np.zeros((2, len(mu)))
    poisson, more = (mu > 0) & (f <= _POISSON), (mu > 0) & (f > _POISSON)
    for bound, q in ((low, tail), (high, 1 - tail)):
        bound[poisson] = stats.poisson.ppf(q[poisson], mu[poisson])
        bound[more] = stats.nbinom.ppf(q[more], mu[more] / (f[more] - 1), 1 / f[more])
    return low, high


def tail_p(counts: ArrayLike, forecast: Forecast) -> NDArray[np.float64]:
    """The doubled smaller tail of counts under what was expected: under .05 just where a count is outside the 95% range.

    Parameters
    ----------
    counts
        One a series.

    Examples
    --------
    A Poisson count of 41 or more where the mean is 24 has the chance 0.000987:

    >>> nothing, mean = np.zeros(1), np.array([24.0])
    >>> exactly = Forecast(mean, np.ones(1), nothing, np.full(1, 1e9), nothing, nothing, nothing.astype(bool))
    >>> round(float(tail_p([41], exactly)[0]), 6)
    0.001973
    """
    few, many = tails(counts, forecast)
    smaller = np.minimum(np.minimum(few, many), 0.5)
    p: NDArray[np.float64] = 2 * stdtr(np.maximum(forecast.freedom, 1), ndtri(smaller))
    return p


def tails(counts: ArrayLike, forecast: Forecast) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The chance of so few, and the chance of so many: both hold the count itself."""
    x, mu, f = np.asarray(counts, dtype=float), forecast.mean, forecast.spread
    poisson = f <= _POISSON
    size = np.where(poisson, 1, mu / np.where(poisson, 1, f - 1))
    some = np.maximum(size, 1e-12)
    few = np.where(poisson, gammaincc(x + 1, mu), betainc(some, x + 1, 1 / f))
    many = np.where(poisson, gammainc(np.maximum(x, 1e-12), mu), betainc(np.maximum(x, 1e-12), some, 1 - 1 / f))
    return np.where(mu > 0, few, 1.0), np.where(x > 0, np.where(mu > 0, many, 0.0), 1.0)


def _levels(lags: NDArray[np.int64], months: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The level of each reference month, and of each month of the window, counted from its first month."""
    position = -lags % 12
    ahead = np.arange(months)
    if months > 1:
        return position, ahead
    around = np.minimum(position, 12 - position) <= _AROUND
    _, levels = np.unique(np.where(around, 0, position), return_inverse=True)
    return levels, ahead


def _fit(
    y: NDArray[np.float64], use: NDArray[np.bool_], t: NDArray[np.float64], levels: NDArray[np.int64], ahead: NDArray[np.int64]
) -> Forecast:
    """Fit and fit again with outbreaks weighted down; those whose trend leads beyond all that was seen without it."""
    trend = y.sum(axis=1) >= _FEWEST_FOR_TREND
    found = _forecast(_twice(y, use, t, levels, trend), ahead, trend)
    beyond = trend & (found.mean > len(ahead) * y.max(axis=1))
    if beyond.any():
        flat = np.zeros(int(beyond.sum()), dtype=bool)
        again = _forecast(_twice(y[beyond], use[beyond], t, levels, flat), ahead, flat)
        doubt = (found.mean[beyond] - again.mean) ** 2
        for field in fields(Forecast):
            getattr(found, field.name)[beyond] = getattr(again, field.name)
        found.doubt[beyond] = doubt
    return found


def _twice(
    y: NDArray[np.float64],
    use: NDArray[np.bool_],
    t: NDArray[np.float64],
    levels: NDArray[np.int64],
    trend: NDArray[np.bool_],
) -> Regression:
    """Regress, weight down what was far above, and regress again."""
    weights = use.astype(float)
    first = regress(y, weights, levels, t[:, None], trend[:, None])
    some = first.mu > 0
    phi = np.maximum(1, first.chi2 / np.maximum(first.freedom, 1))
    root = np.sqrt(np.where(some, first.mu, 1))
    rest = np.maximum(1 - first.leverage, 0.01)
    residual = 1.5 * (np.cbrt(y) ** 2 / np.cbrt(root) - root) / np.sqrt(phi[:, None] * rest)
    outlying = some & use & (residual > _OUTLYING)
    omega = np.where(outlying, np.where(outlying, residual, 1.0) ** -2, weights)
    omega *= (use.sum(axis=1) / np.maximum(omega.sum(axis=1), 1e-12))[:, None]
    return regress(y, omega, levels, t[:, None], trend[:, None])


def _forecast(found: Regression, ahead: NDArray[np.int64], trend: NDArray[np.bool_]) -> Forecast:
    """Carry a regression forward to the months of the window, whose levels are their own numbers."""
    slope, later = found.slopes[:, 0], ahead / 12
    # A level in which nothing ever happened is not one in which nothing can: half an incident, as Jeffreys' prior has it.
    seen = np.maximum(found.totals, 0.5)[:, ahead]
    growth = found.growth[:, ahead]
    mean = np.divide(seen, growth, out=np.zeros_like(growth), where=growth > 0) * np.exp(slope[:, None] * later)
    of_slope = (mean * (later - found.middle[:, ahead, 0])).sum(axis=1)
    error = (mean**2 / seen).sum(axis=1) + of_slope**2 * found.covariance[:, 0, 0]
    phi = np.maximum(1, found.chi2 / np.maximum(found.freedom, 1))
    return Forecast(mean.sum(axis=1), phi, found.chi2, found.freedom, error, np.zeros(len(mean)), trend.copy())
