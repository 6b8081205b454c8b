"""Write the tables of docs/calibration.md anew: `make calibrate`, or `python -m tests.calibration --seeds 50` for a rough look.

Every table is simulated afresh from seeds, so that the same code gives the same figures. A table of data that are not there
stays as it was.
"""

import argparse
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from loaders.demo.fill import fill_demo
from mapping.reader import Reader
from mapping.store import open_engine
from tests.calibration import backtest, checks, stories

PAGE = Path(__file__).parents[2] / "docs" / "calibration.md"
PHIS = (1.0, 1.5, 2.5)
NOMINAL = 0.05

Rows = list[str]


def table(*cells: str) -> str:
    """A row of a table."""
    return f"| {' | '.join(cells)} |"


def head(*cells: str) -> Rows:
    """The first two rows of a table."""
    return [table(*cells), "|" + "---|" * len(cells)]


def rng_of(*key: float) -> np.random.Generator:
    """The random numbers of one cell, whatever the order in which cells are worked out."""
    return np.random.default_rng([int(10 * part) for part in key])


def any_called(pool: ProcessPoolExecutor, *, seeds: int) -> Rows:
    """Counties without a story in which any ward is called."""
    settings = [(phi, usual) for phi in PHIS for usual in (1.0, 5.0, 20.0)]
    rows = head("measure", *(f"{usual:g} a month, phi {phi:g}" for phi, usual in settings))
    for measure in checks.MEASURES:
        found = pool.map(partial(_any_called, measure, seeds), settings)
        rows.append(table(measure, *(str(share) for share in found)))
    limit = NOMINAL + checks.Share(0, seeds).error(NOMINAL)
    return [*rows, "", f"{seeds:,} counties in each cell: at most {100 * limit:.1f}% (5% and twice the Monte Carlo error)."]


def _any_called(measure: str, seeds: int, setting: tuple[float, float]) -> checks.Share:
    phi, usual = setting
    return checks.any_called(measure, phi=phi, usual=usual, seeds=seeds)


def per_test(pool: ProcessPoolExecutor, *, seeds: int) -> Rows:
    """Single tests that find what is not there."""
    rows = head("a month", *(f"{what}, phi {phi:g}" for what in checks.PER_TEST for phi in PHIS))
    for mean in (0.5, 1.0, 2.0, 5.0, 20.0, 50.0):
        cells = [(what, mean, phi, seeds) for what in checks.PER_TEST for phi in PHIS]
        rows.append(table(f"{mean:g}", *(str(share) for share in pool.map(_per_test, cells))))
    return rows


def _per_test(cell: tuple[str, float, float, int]) -> checks.Share:
    what, mean, phi, seeds = cell
    return checks.PER_TEST[what](mean, phi, counties=max(seeds // 5, 10), rng=rng_of(1, mean, phi))


def exact(_: ProcessPoolExecutor, *, seeds: int) -> Rows:
    """How often exact intervals hold the truth."""
    rows = head("mean", "count (Garwood)", "ratio of two counts")
    for mean in (1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 400.0):
        of_count, of_ratio = checks.exact_coverage(mean, draws=80 * seeds, rng=rng_of(2, mean))
        rows.append(table(f"{mean:g}", str(of_count), str(of_ratio)))
    limit = checks.Share(0, 80 * seeds).error(NOMINAL)
    return [*rows, "", f"{80 * seeds:,} draws in each cell: twice the Monte Carlo error is {100 * limit:.2f} points."]


def ranges(pool: ProcessPoolExecutor, *, seeds: int) -> Rows:
    """How often expected ranges hold what comes, and how even the chances are that they give to what came."""
    rows = head("a month", *(f"{what}, phi {phi:g}" for phi in PHIS for what in ("inside", "PIT")))
    for mean in (0.5, 1.0, 2.0, 5.0, 8.0, 12.0, 20.0, 50.0, 100.0):
        found = pool.map(_range, [(mean, phi, seeds) for phi in PHIS])
        rows.append(table(f"{mean:g}", *(cell for inside, distance in found for cell in (str(inside), f"{distance:.3f}"))))
    return rows


def _range(cell: tuple[float, float, int]) -> tuple[checks.Share, float]:
    mean, phi, seeds = cell
    inside, distance, _ = checks.range_coverage(mean, phi, counties=max(seeds // 5, 10), rng=rng_of(3, mean, phi))
    return inside, distance


def trends(pool: ProcessPoolExecutor, *, seeds: int) -> Rows:
    """How often the interval of a trend holds the truth."""
    rows = head("a month", *(f"phi {phi:g}" for phi in PHIS))
    for mean in (0.5, 1.0, 2.0, 5.0, 20.0, 50.0):
        found = pool.map(_trend, [(mean, phi, seeds) for phi in PHIS])
        rows.append(table(f"{mean:g}", *(str(share) for share in found)))
    return rows


def _trend(cell: tuple[float, float, int]) -> checks.Share:
    mean, phi, seeds = cell
    return checks.trend_coverage(mean, phi, counties=max(seeds // 5, 10), rng=rng_of(4, mean, phi))


def powers(pool: ProcessPoolExecutor, *, seeds: int) -> Rows:
    """How often a ward that does change is called."""
    asked = [(measure, factor) for measure in ("change", "expected") for factor in (1.5, 2.0)]
    names = {"change": "12 months", "expected": "one month"}
    size = {1.5: "+50%", 2.0: "doubled"}
    rows = head("a month", *(f"{names[measure]}, {size[factor]}" for measure, factor in asked))
    for mean in (0.5, 1.0, 2.0, 5.0, 10.0, 24.0, 50.0):
        found = pool.map(_power, [(measure, mean, factor, seeds) for measure, factor in asked])
        rows.append(table(f"{mean:g}", *(str(share) for share in found)))
    return rows


def _power(cell: tuple[str, float, float, int]) -> checks.Share:
    measure, mean, factor, seeds = cell
    return checks.power(measure, mean, factor, seeds=max(seeds // 2, 10))


def planted(pool: ProcessPoolExecutor, *, seeds: int) -> Rows:
    """Whether the demo county's stories are found."""
    number = min(20, seeds)
    by_story: dict[tuple[str, str], list[stories.Found]] = {}
    for found in pool.map(stories.look_for_stories, range(number)):
        for each in found:
            by_story.setdefault((each.story, each.measure), []).append(each)
    rows = head("story", "measure", "found", "counted beside the usual", "times")
    for (story, measure), found in by_story.items():
        counted, usual = (np.array([getattr(each, part) for each in found], dtype=float) for part in ("counted", "usual"))
        size = counted / usual
        called = f"{sum(each.called for each in found)} of {number}"
        beside = f"{np.median(counted):.0f} beside {np.median(usual):.0f} (medians)"
        rows.append(table(story, measure, called, beside, f"{size.min():.2f} to {size.max():.2f}"))
    return rows


def demo(_: ProcessPoolExecutor, *, seeds: int) -> Rows:  # noqa: ARG001 - there is one demo county
    """The last months of the demo county."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "demo.db"
        fill_demo(path)
        reader = Reader(open_engine(f"sqlite:///{path}"), open_only=False)
        return [*backtest.HEAD, *(tested.line for tested in backtest.backtest_store(reader))]


def series(_: ProcessPoolExecutor, *, seeds: int) -> Rows:  # noqa: ARG001 - there is one series
    """The real series, where it is there."""
    return [*backtest.HEAD, *(tested.line for tested in backtest.backtest_series())] if backtest.SERIES.is_file() else []


TABLES: dict[str, Callable[..., Rows]] = {
    "any-called": any_called,
    "per-test": per_test,
    "exact": exact,
    "ranges": ranges,
    "trends": trends,
    "power": powers,
    "stories": planted,
    "demo": demo,
    "series": series,
}


def put(page: str, name: str, rows: Iterable[str]) -> str:
    """A page with the table of that name, between its marks, replaced."""
    marks = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    if not marks.search(page):
        message = f"{PAGE.name} has no place for the table '{name}': <!-- {name} --> and, further down, <!-- end -->"
        raise ValueError(message)
    return marks.sub(lambda found: "".join([found[1], *(f"{row}\n" for row in rows), found[2]]), page)


def main(arguments: list[str] | None = None) -> Iterator[str]:
    """Work out the tables one after the other, writing each as soon as it is there."""
    parser = argparse.ArgumentParser(prog="make calibrate", description="Write the tables of docs/calibration.md anew.")
    parser.add_argument("--seeds", type=int, default=500, help="counties in each cell (default: 500)")
    parser.add_argument("--only", choices=TABLES, help="one table")
    chosen = parser.parse_args(arguments)
    with ProcessPoolExecutor() as pool:
        for name in [chosen.only] if chosen.only else TABLES:
            rows = TABLES[name](pool, seeds=chosen.seeds)
            if rows:
                PAGE.write_text(put(PAGE.read_text(encoding="utf-8"), name, rows), encoding="utf-8")
            yield "\n".join([f"{name}:", *(rows or ["the data are not there; the table stays as it was"]), ""])


if __name__ == "__main__":
    for said in main():
        sys.stdout.write(f"{said}\n")
        sys.stdout.flush()
