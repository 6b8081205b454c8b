"""How fast series rise or fall: a log-linear regression, and as a second opinion rank tests and the median of slopes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from mapping.statistics.regression import regress

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["RankTest", "Slope", "Trend", "log_linear_trend", "mann_kendall", "seasonal_mann_kendall", "sen_slope"]

_AT_ONCE = 2048  # series


@dataclass(frozen=True, slots=True)
class Trend:
    """What `log_linear_trend` finds, each of shape (series,).

    `slope` is on the log scale, a year; `error` its standard error, `phi` included. `percent`, `low` and `high` are the change
    a year in percent. `chi2` and `freedom` are what phi is estimated from. All NaN where nothing tells of a trend.
    """

    slope: NDArray[np.float64]
    error: NDArray[np.float64]
    percent: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    p: NDArray[np.float64]
    phi: NDArray[np.float64]
    chi2: NDArray[np.float64]
    freedom: NDArray[np.float64]


def log_linear_trend(
    counts: ArrayLike,
    *,
    calendar: ArrayLike,
    steps: ArrayLike | None = None,
    usable: ArrayLike | None = None,
    share_phi: bool = False,
    least_phi: float = 1.0,
    level: float = 0.95,
) -> Trend:
    """Percent a year, allowing for the time of year.

    Parameters
    ----------
    counts
        Of consecutive months: shape (series, months).
    calendar
        The calendar month of each month, 0 to 11.
    steps
        What else changes the level, such as 1 in the months after recording changed: shape (months, steps); nothing by default.
    usable
        Which months may be used: of the shape of `counts`; all by default.
    share_phi
        Whether the phi of each series is at least that of all of them together (sum of chi2 over sum of freedom).
    least_phi
        What no phi is taken to be less than.
    level
        Confidence.

    Raises
    ------
    ValueError
        If a count is negative, or `level` is not between 0 and 1.

    Notes
    -----
    log mu = a + b t + month of the year + steps, t in years; phi = Pearson chi2 / (n - p). Where phi is at most 1 the standard
    error is that of Poisson counts and the interval normal; else quasi-Poisson: times sqrt(phi), and Student's t with n - p
    degrees of freedom; a calendar month without incidents has none. The change a year is 100 (e^b - 1). McCullagh and Nelder
    (1989), Generalized linear models, 6.2.

    Examples
    --------
    Counts that double every year, for three years:

    >>> found = log_linear_trend([[10] * 12 + [20] * 12 + [40] * 12], calendar=list(range(12)) * 3)
    >>> round(float(found.percent[0]), 6), float(found.phi[0])
    (100.0, 1.0)
    """
    y = np.asarray(counts, dtype=float)
    if np.any(y < 0):
        message = "a count cannot be negative"
        raise ValueError(message)
    if not 0 < level < 1:
        message = f"level is {level}; it must lie between 0 and 1"
        raise ValueError(message)
    months = y.shape[1]
    use = np.ones(y.shape) if usable is None else np.broadcast_to(np.asarray(usable, dtype=float), y.shape)
    years = (np.arange(months) - (months - 1) / 2) / 12
    extra = np.zeros((months, 0)) if steps is None else np.asarray(steps, dtype=float)
    covariates = np.hstack([years[:, None], extra])
    _, levels = np.unique(np.asarray(calendar, dtype=int), return_inverse=True)
    wanted = np.ones((len(y), covariates.shape[1]), dtype=bool)
    slope, unit, chi2, freedom = np.full((4, len(y)), np.nan)
    for start in range(0, len(y), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        found = regress(np.where(use[part] > 0, y[part], 0), use[part], levels, covariates, wanted[part])
        slope[part], unit[part] = found.slopes[:, 0], np.sqrt(found.covariance[:, 0, 0])
        chi2[part], freedom[part] = found.chi2, found.freedom - _of_empty_levels(use[part], levels, found.totals)
    known = (unit > 0) & (freedom > 0)
    phi = np.maximum(max(1.0, least_phi), chi2 / np.maximum(freedom, 1))
    if share_phi and known.any():
        phi = np.maximum(phi, chi2[known].sum() / freedom[known].sum())
    slope, phi = np.where(known, slope, np.nan), np.where(known, phi, np.nan)
    error = unit * np.sqrt(phi)
    z, many = slope / np.where(known, error, np.nan), np.maximum(freedom, 1)
    poisson = phi <= 1
    p = 2 * np.where(poisson, ndtr(-np.abs(z)), stdtr(many, -np.abs(z)))
    reach = error * -np.where(poisson, ndtri((1 - level) / 2), stdtrit(many, (1 - level) / 2))
    percent, low, high = (_percent(at) for at in (slope, slope - reach, slope + reach))
    return Trend(slope, np.where(known, error, np.nan), percent, low, high, np.where(known, p, np.nan), phi, chi2, freedom)


def _of_empty_levels(use: NDArray[np.float64], levels: NDArray[np.int64], totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """The degrees of freedom of calendar months without incidents, which have no chi2 to give."""
    number = np.stack([use[:, levels == level].sum(axis=1) for level in range(totals.shape[1])], axis=1)
    freedom: NDArray[np.float64] = np.where(totals == 0, np.maximum(number - 1, 0), 0).sum(axis=1)
    return freedom


def _percent(slope: NDArray[np.float64]) -> NDArray[np.float64]:
    percent: NDArray[np.float64] = 100 * np.expm1(np.minimum(slope, 700))
    return percent


@dataclass(frozen=True, slots=True)
class RankTest:
    """Kendall's S, its variance without a trend, and the two-sided p of z with its continuity correction: shape (series,)."""

    s: NDArray[np.float64]
    variance: NDArray[np.float64]
    z: NDArray[np.float64]
    p: NDArray[np.float64]


def mann_kendall(values: ArrayLike) -> RankTest:
    """Whether series rise or fall, by the signs of all differences.

    Parameters
    ----------
    values
        Shape (series, times); NaN is left out.

    Notes
    -----
    S = sum over i < j of sign(x_j - x_i); Var = [n(n-1)(2n+5) - sum t(t-1)(2t+5)] / 18, t the sizes of ties;
    z = (S -+ 1) / sqrt(Var), 0 where S is. Mann (1945), Econometrica 13, 245-259; Kendall (1975), Rank correlation methods.

    Examples
    --------
    Of the three pairs of 1, 2, 3 all rise:

    >>> found = mann_kendall([[1, 2, 3], [2, 2, 2]])
    >>> found.s.tolist(), found.variance.round(4).tolist(), found.p.round(4).tolist()
    ([3.0, 0.0], [3.6667, 0.0], [0.2963, 1.0])
    """
    x = np.asarray(values, dtype=float)
    return _tested(_signs(x), _variance(x))


def seasonal_mann_kendall(values: ArrayLike, *, season: int = 12, correlated: bool = False) -> RankTest:
    """The same within each season (calendar month) by itself, the results added up.

    Parameters
    ----------
    values
        Shape (series, times), the seasons in turn; NaN is left out.
    season
        How many seasons a year has.
    correlated
        Allow for seasons of a year that rise and fall together, as they do in series that drift.

    Notes
    -----
    S and Var are sums over seasons (Hirsch, Slack and Smith 1982, Water Resources Research 18, 107-121). With correlation the
    covariances of each pair of seasons are added to the variance: (K + 4 sum_i R_ig R_ih - n (n_g + 1)(n_h + 1)) / 3, where
    K = sum over i < j of sign((x_jg - x_ig)(x_jh - x_ih)) and R are ranks within a season, and z = S / sqrt(Var) (Hirsch and
    Slack 1984, 20, 727-732).

    Examples
    --------
    Two seasons of three years, both rising: 3 + 3 pairs, each season's variance 11/3.

    >>> found = seasonal_mann_kendall([[1, 10, 2, 20, 3, 30]], season=2)
    >>> float(found.s[0]), round(float(found.variance[0]), 4)
    (6.0, 7.3333)
    """
    x = np.asarray(values, dtype=float)
    years = -(-x.shape[1] // season)
    whole = np.full((len(x), years * season), np.nan)
    whole[:, : x.shape[1]] = x
    by_season = whole.reshape(len(x), years, season)
    s, variance = np.zeros((2, len(x)))
    for at in range(season):
        s += _signs(by_season[:, :, at])
        variance += _variance(by_season[:, :, at])
    if correlated:
        variance += _covariances(by_season)
    return _tested(s, variance, correction=not correlated)


@dataclass(frozen=True, slots=True)
class Slope:
    """The median slope a step, and its 95% interval from Kendall's variance: shape (series,); NaN where there is no pair."""

    slope: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def sen_slope(values: ArrayLike, *, season: int | None = None) -> Slope:
    """The median of the slopes between all pairs of times, of the same season where there are seasons.

    Parameters
    ----------
    values
        Shape (series, times); NaN is left out.
    season
        How many seasons a year has: slopes are then a year. Without seasons they are a step of time.

    Notes
    -----
    Theil (1950); Sen (1968), J. Amer. Stat. Assoc. 63, 1379-1389: with N slopes in order and C = 1.96 sqrt(Var(S)), the
    interval runs from number (N - C)/2 to number (N + C)/2 + 1. Counts are whole numbers: with few of them the median sticks
    at 0.

    Examples
    --------
    The slopes of 1, 3, 4 are 2, 1 and 1.5:

    >>> float(sen_slope([[1, 3, 4]]).slope[0])
    1.5
    """
    x = np.asarray(values, dtype=float)
    step = season or 1
    slopes = np.concatenate(
        [
            np.zeros((len(x), 0)),
            *((x[:, lag:] - x[:, :-lag]) / (lag / step) for lag in range(step, x.shape[1], step)),
        ],
        axis=1,
    )
    number = np.count_nonzero(~np.isnan(slopes), axis=1)
    ordered = np.sort(slopes, axis=1)
    variance = (seasonal_mann_kendall(x, season=season) if season else mann_kendall(x)).variance
    reach = -ndtri(0.025) * np.sqrt(variance)
    last = np.maximum(number - 1, 0)
    low = np.clip(np.round((number - reach) / 2) - 1, 0, last)
    high = np.clip(np.round((number + reach) / 2), 0, last)
    middle = (_number(ordered, last // 2) + _number(ordered, number // 2)) / 2
    return Slope(*(np.where(number > 0, found, np.nan) for found in (middle, _number(ordered, low), _number(ordered, high))))


def _number(ordered: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    if not ordered.shape[1]:
        return np.full(len(ordered), np.nan)
    found: NDArray[np.float64] = ordered[np.arange(len(ordered)), np.minimum(at.astype(int), ordered.shape[1] - 1)]
    return found


def _signs(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Kendall's S of each series."""
    s = np.zeros(len(x))
    for lag in range(1, x.shape[1]):
        s += np.nan_to_num(np.sign(x[:, lag:] - x[:, :-lag])).sum(axis=1)
    return s


def _variance(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Its variance without a trend, ties allowed for."""
    n = np.count_nonzero(~np.isnan(x), axis=1).astype(float)
    ordered = np.sort(x, axis=1)
    # With each value the sum over a tie of t of t(t-1)(2t+5)/t is gone through once; NaN equals nothing, itself included.
    same = np.ones(ordered.shape)
    for lag in range(1, x.shape[1]):
        equal = ordered[:, lag:] == ordered[:, :-lag]
        if not equal.any():
            break
        same[:, lag:] += equal
        same[:, :-lag] += equal
    ties = ((same - 1) * (2 * same + 5)).sum(axis=1)
    variance: NDArray[np.float64] = (n * (n - 1) * (2 * n + 5) - ties) / 18
    return variance


def _covariances(by_season: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sum of the covariances of S of all pairs of different seasons: `by_season` has the shape (series, years, seasons)."""
    years = by_season.shape[1]
    present = ~np.isnan(by_season)
    n_of = present.sum(axis=1)
    ranks = (n_of[:, None, :] + 1) / 2 * np.ones(by_season.shape)
    signs = []
    for earlier in range(years):
        for later in range(earlier + 1, years):
            sign = np.nan_to_num(np.sign(by_season[:, later] - by_season[:, earlier]))
            signs.append(sign)
            ranks[:, later] += sign / 2
            ranks[:, earlier] -= sign / 2
    if not signs:
        return np.zeros(len(by_season))
    together = np.stack(signs, axis=1)
    k = np.einsum("spg,sph->sgh", together, together)
    products = np.einsum("syg,syh->sgh", ranks, ranks)
    plus_one = n_of + 1
    covariance = (k + 4 * products - years * plus_one[:, :, None] * plus_one[:, None, :]) / 3
    whole: NDArray[np.float64] = covariance.sum(axis=(1, 2)) - np.einsum("sgg->s", covariance)
    return whole


def _tested(s: NDArray[np.float64], variance: NDArray[np.float64], *, correction: bool = True) -> RankTest:
    z = np.divide(s - np.sign(s) * correction, np.sqrt(variance), out=np.zeros(len(s)), where=variance > 0)
    return RankTest(s, variance, z, 2 * ndtr(-np.abs(z)))
