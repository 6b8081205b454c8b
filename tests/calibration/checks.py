"""What is asked of the measures, each a table of rows: how often they are wrong where the truth is known."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from mapping.measures.change import FEWEST
from mapping.measures.trend import FEWEST as FEWEST_OF_TREND
from mapping.statistics.changes import compare_counts
from mapping.statistics.dispersion import month_dispersion
from mapping.statistics.expected import Forecast, expected_from_years, predicted_range, tails, with_phi_of_at_least
from mapping.statistics.rates import poisson_interval
from mapping.statistics.trends import log_linear_trend
from tests.calibration.counties import county_means, drawn, loud, season

WARDS = 60
HISTORY = 61
MEASURES = ("change", "expected", "trend", "funnel", "cluster", "emerging")


@dataclass(frozen=True)
class Share:
    """How many of so many, with the error that chance gives such a share."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        """The share, 0 to 1."""
        return self.hits / self.of

    def error(self, nominal: float) -> float:
        """Twice the Monte Carlo error around a nominal share."""
        return 2 * float(np.sqrt(nominal * (1 - nominal) / self.of))

    def __str__(self) -> str:
        return f"{100 * self.value:.1f}%"


def share(which: NDArray[np.bool_]) -> Share:
    return Share(int(which.sum()), which.size)


def any_called(measure: str, *, phi: float, usual: float, seeds: int, months: int = 84) -> Share:
    """The share of counties with no story in which any ward is called."""
    hits = 0
    for seed in range(seeds):
        rng = np.random.default_rng((seed, int(100 * phi), int(usual)))
        counts = drawn(county_means(WARDS, months, usual=usual, rng=rng), phi, rng)
        residents = 5000 * np.exp(rng.normal(0, 0.3, WARDS))
        if measure in ("funnel", "cluster", "emerging"):
            # All wards have the same rate: their counts follow their residents.
            counts = drawn(usual * residents[:, None] / 5000 * season(months), phi, rng)
        hits += bool(loud(counts, measure, residents=residents).any())
    return Share(hits, seeds)


def exact_coverage(mean: float, *, draws: int, rng: np.random.Generator) -> tuple[Share, Share]:
    """How often the exact intervals hold the truth: that of a count, and that of the ratio of two (true ratio 1.5)."""
    counts = rng.poisson(mean, draws)
    low, high = poisson_interval(counts)
    ratio = compare_counts(rng.poisson(1.5 * mean, draws), rng.poisson(mean, draws))
    return share((low <= mean) & (mean <= high)), share((ratio.low <= 1.5) & (ratio.high >= 1.5))


def forecasts(mean: float, phi: float, *, counties: int, rng: np.random.Generator) -> tuple[Forecast, NDArray[np.int64]]:
    """Forecasts of one month for counties of wards of that mean, each with its county's phi, and what came."""
    counts = drawn(np.broadcast_to(mean * season(HISTORY + 1), (counties * WARDS, HISTORY + 1)), phi, rng)
    shared = [month_dispersion(counts[i * WARDS : (i + 1) * WARDS, : HISTORY - 3]) for i in range(counties)]
    found = expected_from_years(counts[:, :HISTORY])
    return with_phi_of_at_least(found, np.repeat(shared, WARDS)), counts[:, HISTORY]


def range_coverage(mean: float, phi: float, *, counties: int, rng: np.random.Generator) -> tuple[Share, float, Share]:
    """How often the expected range holds what comes; how far the PIT is from uniform; how often a month is outside by p."""
    found, came = forecasts(mean, phi, counties=counties, rng=rng)
    low, high = predicted_range(found)
    few, many = tails(came, found)
    pit = (1 - many) + rng.uniform(size=len(came)) * (few + many - 1)
    distance = float(stats.kstest(pit, "uniform").statistic)
    inside = (low <= came) & (came <= high)
    return share(inside), distance, share(~inside)


def trend_coverage(mean: float, phi: float, *, counties: int, rng: np.random.Generator) -> Share:
    """How often the 95% interval of a trend holds the truth (4% a year)."""
    slope = np.log(1.04)
    means = mean * season(60) * np.exp(slope * (np.arange(60) - 30) / 12)
    found = 0
    for _ in range(counties):
        counts = drawn(np.broadcast_to(means, (WARDS, 60)), phi, rng)
        least = month_dispersion(counts)
        trend = log_linear_trend(counts, calendar=np.arange(60) % 12, share_phi=True, least_phi=least)
        found += int(((trend.low <= 4) & (trend.high >= 4)).sum())
    return Share(found, counties * WARDS)


def change_alarms(mean: float, phi: float, *, counties: int, rng: np.random.Generator) -> Share:
    """How often two years that did not change differ at p < .05, phi estimated from the county."""
    hits = tested = 0
    for _ in range(counties):
        counts = drawn(np.broadcast_to(mean * season(24), (WARDS, 24)), phi, rng)
        x0, x1 = counts[:, :12].sum(axis=1), counts[:, 12:].sum(axis=1)
        enough = x0 + x1 >= FEWEST
        p = compare_counts(x1, x0, phi=month_dispersion(counts)).p
        hits, tested = hits + int((p[enough] < 0.05).sum()), tested + int(enough.sum())
    return Share(hits, max(tested, 1))


def trend_alarms(mean: float, phi: float, *, counties: int, rng: np.random.Generator) -> Share:
    """How often a series without a trend has one at p < .05, by the measure as it is."""
    hits = tested = 0
    for _ in range(counties):
        counts = drawn(np.broadcast_to(mean * season(60), (WARDS, 60)), phi, rng)
        enough = counts.sum(axis=1) >= FEWEST_OF_TREND
        least = month_dispersion(counts)
        p = log_linear_trend(counts, calendar=np.arange(60) % 12, share_phi=True, least_phi=least).p
        hits, tested = hits + int((p[enough] < 0.05).sum()), tested + int((enough & ~np.isnan(p)).sum())
    return Share(hits, max(tested, 1))


def range_alarms(mean: float, phi: float, *, counties: int, rng: np.random.Generator) -> Share:
    """How often a month in which nothing happened lies outside its expected range."""
    return range_coverage(mean, phi, counties=counties, rng=rng)[2]


PER_TEST = {"change": change_alarms, "expected": range_alarms, "trend": trend_alarms}
"""Single tests at p < .05, before any allowance for how many there are."""


def power(measure: str, mean: float, factor: float, *, seeds: int, phi: float = 1.5) -> Share:
    """How often the one ward of a county that rises in its last year (`change`) or month (`expected`) is called."""
    hits = 0
    for seed in range(seeds):
        rng = np.random.default_rng((seed, int(10 * mean), int(10 * factor)))
        means = county_means(WARDS, 84, usual=mean, rng=rng)
        means[0] = mean * season(84)
        means[0, -12 if measure == "change" else -1 :] *= factor
        hits += bool(loud(drawn(means, phi, rng), measure)[0])
    return Share(hits, seeds)
