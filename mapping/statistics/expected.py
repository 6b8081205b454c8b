"""What a month, or a few, should have counted given only what came before, and how sure that is.

For a month with five years of history the model of Noufaily and others; for several months, or with less history, the level of
the series and the season of all series together. Both give a mean, how much more than Poisson counts vary, and the error of the
mean; `predicted_range` turns these into a range and `tail_p` into the p that is its twin.
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
    "with_phi_of_at_least",
]

YEARS = 5
"""How many years back `expected_from_years` looks."""

LEFT_OUT = 3
"""The months just before the window say nothing: an outbreak that has begun would hide itself."""

_AROUND = 1  # months on either side of the same calendar month
_OUTLYING = 2.58  # Anscombe residuals above it are weighted down
_FEWEST_FOR_TREND = 10  # incidents in all the reference months, under which no trend is fitted
_AS_IF_SEEN = 10.0  # incidents of each calendar month, as many as the usual one
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


def with_phi_of_at_least(forecast: Forecast, phi: ArrayLike) -> Forecast:
    """The same, `phi` of each series being at least so much, such as what all wards together show.

    A series alone, above all one of few incidents, often looks less variable than it is.
    """
    return replace(forecast, phi=np.maximum(forecast.phi, phi))


def expected_from_years(history: ArrayLike, *, usable: ArrayLike | None = None) -> Forecast:
    """What the next month should count, from the five years before it.

    Parameters
    ----------
    history
        Counts of the months before it, oldest first, the last column being the month just before: shape (series, at least 60
        months). What is older than 61 months is not looked at.
    usable
        Which of them may be used (those that were not supplied may not): of that shape; all by default.

    Raises
    ------
    ValueError
        If there are fewer than 60 months, or a count is negative.

    Notes
    -----
    The flexible method of Noufaily et al. (2013), Statistics in Medicine 32, 1206-1222, after Farrington et al. (1996), with
    months in place of weeks: b = 5 years back, w = 1 month around the same calendar month, which together are one level of a
    factor whose other nine levels are the remaining calendar months; the last three months are left out. A log-linear
    quasi-Poisson regression on factor and trend gives phi = max(1, Pearson chi2 / df) and Anscombe residuals
    s = 1.5 (y^(2/3) mu^(-1/6) - mu^(1/2)) / sqrt(phi (1 - h)); past outbreaks (s > 2.58) are weighted down by s^-2, the weights
    summing to the number of months, and the regression is fitted again. Where the mean is above all that was ever seen, or
    there are fewer than 10 incidents, the trend is dropped.

    Examples
    --------
    Ten every month, for five years and a month:

    >>> found = expected_from_years([[10] * 61])
    >>> round(float(found.mean[0]), 6), float(found.phi[0])
    (10.0, 1.0)
    """
    y, use = _history(history, usable, fewest=12 * YEARS)
    lags = np.arange(min(12 * YEARS + _AROUND, y.shape[1]), LEFT_OUT, -1)
    position = -lags % 12
    around = np.minimum(position, 12 - position) <= _AROUND
    _, levels = np.unique(np.where(around, 0, position), return_inverse=True)
    months = _Months(-lags / 12, levels, np.ones(len(lags)))
    return _fit(y[:, -lags], use[:, -lags], months, _Months(np.zeros(1), np.zeros(1, dtype=int), np.ones(1)))


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
        12 numbers above 0, 1 being the usual month, also where a calendar month was never seen.

    Notes
    -----
    (S + 10) / (E + 10), S what was counted in that calendar month and E what the means of those years would give (years counted
    back from the last month, so that they are whole), scaled to a mean of 1. The ten incidents keep chance in small counties
    from passing for season; what trend there is within years is taken for season.

    Examples
    --------
    Half a year with 20 a month and half with 40, where the mean is 30: 30 over 40, and 50 over 40.

    >>> season_of([20] * 6 + [40] * 6, calendar=range(12)).tolist()
    [0.75, 0.75, 0.75, 0.75, 0.75, 0.75, 1.25, 1.25, 1.25, 1.25, 1.25, 1.25]
    """
    counts, month = np.asarray(totals, dtype=float), np.asarray(calendar, dtype=int)
    back = np.arange(len(counts))[::-1] // 12
    seen, usual = np.full((2, 12), _AS_IF_SEEN)
    for year in range(len(counts) // 12):
        at = np.flatnonzero((back == year) & ~np.isnan(counts))
        if len(at):
            np.add.at(seen, month[at], counts[at])
            np.add.at(usual, month[at], counts[at].mean())
    season: NDArray[np.float64] = seen / usual
    season /= season.mean()
    return season


def expected_from_season(
    history: ArrayLike,
    *,
    season: ArrayLike,
    ahead: ArrayLike,
    usable: ArrayLike | None = None,
    lag: int = 1,
    with_trend: bool = False,
) -> Forecast:
    """What the next months should count together, from the level of a history and a season known from elsewhere.

    Parameters
    ----------
    history
        Counts of the months that are looked back on: shape (series, months).
    season
        How much of the usual month each of these has: shape (months,), above 0.
    ahead
        The same of the months of the window, which are summed.
    usable
        Which months of the history may be used: of its shape; all by default.
    lag
        How many months lie from the last month of the history to the first of the window: 1 where they follow each other.
    with_trend
        Whether the level may have a trend: over several years.

    Raises
    ------
    ValueError
        If a count is negative.

    Notes
    -----
    log mu = a + b t + log season, fitted as in `expected_from_years`, outbreaks weighted down and the trend dropped by the same
    rules. Without a trend a month of season s has the mean A s, A = sum w y / sum w s. The season is taken as known: it is
    pooled over many series.

    Examples
    --------
    24 in a year, and a month with half as much again as the usual one; the variance of the mean is 1.5^2 x 24 / 12^2:

    >>> found = expected_from_season([[2] * 12], season=[1] * 12, ahead=[1.5])
    >>> float(found.mean[0]), float(found.phi[0]), round(float(found.error[0]), 6)
    (3.0, 1.0, 0.375)
    """
    y, use = _history(history, usable, fewest=1)
    size, coming = y.shape[1], np.asarray(ahead, dtype=float)
    months = _Months(np.arange(1 - size, 1) / 12, np.zeros(size, dtype=int), np.asarray(season, dtype=float))
    later = _Months((lag + np.arange(len(coming))) / 12, np.zeros(len(coming), dtype=int), coming)
    return _fit(y, use, months, later, with_trend=with_trend)


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


@dataclass(frozen=True, slots=True)
class _Months:
    """Months by their time in years, the level of the factor that they are in, and how much of the usual month they have."""

    t: NDArray[np.float64]
    levels: NDArray[np.int64]
    season: NDArray[np.float64]


def _history(history: ArrayLike, usable: ArrayLike | None, *, fewest: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Counts, 0 where they are not to be used, and which are."""
    y = np.asarray(history, dtype=float)
    if y.ndim != 2 or y.shape[1] < fewest or np.any(y < 0):
        message = f"history must be counts of at least {fewest} months by series, none negative"
        raise ValueError(message)
    use = np.ones(y.shape, dtype=bool) if usable is None else np.broadcast_to(np.asarray(usable, dtype=bool), y.shape)
    return np.where(use, y, 0), use


def _fit(
    y: NDArray[np.float64], use: NDArray[np.bool_], months: _Months, ahead: _Months, *, with_trend: bool = True
) -> Forecast:
    """Fit and fit again with outbreaks weighted down; those whose trend leads beyond all that was seen without it."""
    trend = (y.sum(axis=1) >= _FEWEST_FOR_TREND) & with_trend
    none = np.zeros(0)
    parts = [Forecast(none, none, none, none, none, none, none.astype(bool))]
    for start in range(0, len(y), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        found = _forecast(_twice(y[part], use[part], months, trend[part]), ahead, trend[part])
        beyond = trend[part] & (found.mean > ahead.season.sum() * (y[part] / months.season).max(axis=1))
        if beyond.any():
            flat = np.zeros(int(beyond.sum()), dtype=bool)
            again = _forecast(_twice(y[part][beyond], use[part][beyond], months, flat), ahead, flat)
            doubt = (found.mean[beyond] - again.mean) ** 2
            for field in fields(Forecast):
                getattr(found, field.name)[beyond] = getattr(again, field.name)
            found.doubt[beyond] = doubt
        parts.append(found)
    return Forecast(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Forecast)))


def _twice(y: NDArray[np.float64], use: NDArray[np.bool_], months: _Months, trend: NDArray[np.bool_]) -> Regression:
    """Regress, weight down what was far above, and regress again."""
    t, wanted = months.t[:, None], trend[:, None]
    weights = use.astype(float)
    first = regress(y, weights, months.levels, t, wanted, offset=months.season)
    some = first.mu > 0
    phi = np.maximum(1, first.chi2 / np.maximum(first.freedom, 1))
    root = np.sqrt(np.where(some, first.mu, 1))
    rest = np.maximum(1 - first.leverage, 0.01)
    residual = 1.5 * (np.cbrt(y) ** 2 / np.cbrt(root) - root) / np.sqrt(phi[:, None] * rest)
    outlying = some & use & (residual > _OUTLYING)
    omega = np.where(outlying, np.where(outlying, residual, 1.0) ** -2, weights)
    omega *= (use.sum(axis=1) / np.maximum(omega.sum(axis=1), 1e-12))[:, None]
    return regress(y, omega, months.levels, t, wanted, offset=months.season)


def _forecast(found: Regression, ahead: _Months, trend: NDArray[np.bool_]) -> Forecast:
    """Carry a regression forward to the months of a window."""
    # A level in which nothing ever happened is not one in which nothing can: half an incident, as Jeffreys' prior has it.
    seen = np.maximum(found.totals, 0.5)
    factor = np.divide(seen, found.growth, out=np.zeros_like(seen), where=found.growth > 0)
    mean = factor[:, ahead.levels] * np.exp(found.slopes[:, :1] * ahead.t) * ahead.season
    of_levels = np.zeros_like(seen)
    for month, level in enumerate(ahead.levels):
        of_levels[:, level] += mean[:, month]
    of_slope = (mean * (ahead.t - found.middle[:, ahead.levels, 0])).sum(axis=1)
    error = (of_levels**2 / seen).sum(axis=1) + of_slope**2 * found.covariance[:, 0, 0]
    phi = np.maximum(1, found.chi2 / np.maximum(found.freedom, 1))
    return Forecast(mean.sum(axis=1), phi, found.chi2, found.freedom, error, np.zeros(len(mean)), trend.copy())
