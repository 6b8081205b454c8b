"""Figures of a country made up in memory, 7,600 wards x 180 months x 16 types, beside a loop over statsmodels or esda.

national.py ours | loop      prints `name_s=seconds`; the loop does a sample of the same, and says for how many times as much

Both sides print a few of their figures, by which the bench sees that they did the same job.
"""

import sys
import time
from collections.abc import Callable, Iterator

import esda
import libpysal
import numpy as np
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy import sparse, stats
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.rates import test_poisson_2indep

from mapping.statistics.changes import compare_counts
from mapping.statistics.clusters import gi_star
from mapping.statistics.discovery import false_discovery
from mapping.statistics.dispersion import month_dispersion
from mapping.statistics.expected import expected_from_years, predicted_range, with_phi_of_at_least

ROWS, COLUMNS, MONTHS, TYPES = 76, 100, 180, 16
WARDS = ROWS * COLUMNS
DAYS = (365.0, 366.0)
OF_CHANGES, OF_MAPS, OF_SERIES = 2000, 24, 200
"""How many the loop does of each: pairs of counts, maps of a month and type, series."""

Work = tuple[Callable[[], NDArray[np.float64]], int]


def made_up() -> NDArray[np.int32]:
    """Counts of wards that differ tenfold, with a season: shape (types, wards, months)."""
    rng = np.random.default_rng(1)
    season = 1 + 0.15 * np.sin(np.arange(MONTHS) * np.pi / 6)
    level = rng.lognormal(0, 0.7, (TYPES, WARDS, 1)) * rng.lognormal(0.5, 1, (TYPES, 1, 1))
    return rng.poisson(level * season).astype(np.int32)


def touching() -> sparse.csr_array:
    """Wards in rows of squares, which touch at corners too."""
    return sparse.csr_array(libpysal.weights.lat2W(ROWS, COLUMNS, rook=False).sparse)


def phis(counts: NDArray[np.int32]) -> NDArray[np.float64]:
    """Over-dispersion of each type, from its last two years."""
    return np.array([month_dispersion(of_type[:, -24:]) for of_type in counts])


def ours(counts: NDArray[np.int32], neighbours: sparse.csr_array) -> Iterator[tuple[str, Work]]:
    """All of it, by our functions."""
    every = WARDS * TYPES

    def change() -> NDArray[np.float64]:
        after, before = counts[:, :, -12:].sum(axis=2), counts[:, :, -24:-12].sum(axis=2)
        phi = np.repeat(phis(counts), WARDS)
        found = compare_counts(after.ravel(), before.ravel(), t_after=DAYS[0], t_before=DAYS[1], phi=phi)
        for p in found.p.reshape(TYPES, WARDS):
            false_discovery(p)
        return np.stack([found.low, found.high], axis=1)[:OF_CHANGES]

    def cluster() -> NDArray[np.float64]:
        # Maps in rows: wards x (types x months), one sparse product.
        maps = np.moveaxis(counts, 1, 0).reshape(WARDS, -1)
        return gi_star(maps.astype(float), neighbours).T[:OF_MAPS]

    def expected() -> NDArray[np.float64]:
        history = counts[:, :, -62:-1].reshape(every, 61).astype(float)
        found = expected_from_years(history)
        shared = np.repeat([month_dispersion(of_type[:, -62:-4]) for of_type in counts], WARDS)
        predicted_range(with_phi_of_at_least(found, shared))
        return found.mean[:OF_SERIES]

    yield from (("change", (change, 1)), ("cluster", (cluster, 1)), ("expected", (expected, 1)))


def loop(counts: NDArray[np.int32], _: sparse.csr_array) -> Iterator[tuple[str, Work]]:
    """A sample of it, one after the other."""
    every = WARDS * TYPES

    def change() -> NDArray[np.float64]:
        after, before = (counts[0, :OF_CHANGES, part].sum(axis=1) for part in (slice(-12, None), slice(-24, -12)))
        phi = phis(counts[:1])[0]
        found = []
        for x1, x0 in zip(after / phi, before / phi, strict=True):
            test_poisson_2indep(int(x1), DAYS[0], int(x0), DAYS[1], method="exact-cond")
            low, high = proportion_confint(x1, x1 + x0, method="beta")
            found.append([side / (1 - side) * DAYS[1] / DAYS[0] if side < 1 else np.inf for side in (low, high)])
        return np.array(found)

    def cluster() -> NDArray[np.float64]:
        weights = libpysal.weights.lat2W(ROWS, COLUMNS, rook=False)
        maps = np.moveaxis(counts, 1, 0).reshape(WARDS, -1)[:, :OF_MAPS].T.astype(float)
        return np.array([esda.getisord.G_Local(m, weights, transform="B", star=True, permutations=0).Zs for m in maps])

    def expected() -> NDArray[np.float64]:
        return np.array([_farrington(series[-62:-1].astype(float)) for series in counts[0, :OF_SERIES]])

    yield "change", (change, every // OF_CHANGES)
    yield "cluster", (cluster, TYPES * MONTHS // OF_MAPS)
    yield "expected", (expected, every // OF_SERIES)


def _farrington(history: NDArray[np.float64]) -> float:
    """The mean of one series by Noufaily's model, as one writes it with statsmodels."""
    lags = np.arange(61, 3, -1)
    position = -lags % 12
    block = np.where(np.minimum(position, 12 - position) <= 1, 0, position)
    blocks = (block[:, None] == np.unique(block)).astype(float)
    y, time_back = history[-lags], -lags / 12
    weights, with_trend = np.ones(len(y)), y.sum() >= 10
    x = np.column_stack([time_back, blocks]) if with_trend else blocks
    ahead = np.r_[[0.0] * int(with_trend), np.unique(block) == 0]
    for _ in range(2):
        fit = sm.GLM(y, x, family=sm.families.Poisson(), var_weights=weights).fit(tol=1e-12)
        mean = float(np.exp(ahead @ fit.params))
        phi = max(1.0, fit.pearson_chi2 / fit.df_resid)
        leverage = weights * fit.mu * np.einsum("ij,jk,ik->i", x, fit.cov_params() / fit.scale, x)
        s = 1.5 * (y ** (2 / 3) * fit.mu ** (-1 / 6) - fit.mu**0.5) / np.sqrt(phi * (1 - leverage))
        raw = np.where(s > 2.58, 1 / np.maximum(s, 2.58) ** 2, 1)
        weights = raw * len(y) / raw.sum()
    if with_trend and mean > y.max():
        fit = sm.GLM(y, blocks, family=sm.families.Poisson(), var_weights=np.ones(len(y))).fit(tol=1e-12)
        mean = float(np.exp((np.unique(block) == 0) @ fit.params))
    stats.nbinom.ppf([0.025, 0.975], mean / max(phi - 1, 1e-9), 1 / max(phi, 1 + 1e-9))
    return mean


def main(side: str) -> None:
    """Time each of a side's figures."""
    counts, neighbours = made_up(), touching()
    for name, (work, times) in {"ours": ours, "loop": loop}[side](counts, neighbours):
        started = time.perf_counter()
        found = work()
        seconds = (time.perf_counter() - started) * times
        told = " ".join(f"{name}_{i}={abs(v):.6f}" for i, v in enumerate(np.nan_to_num(found.ravel()[:5], posinf=1e6)))
        print(f"{name}_s={seconds:.3f} {told}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
