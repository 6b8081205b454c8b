"""Run the benchmarks: `make bench`, or `python -m tests.benchmarks --only embedded --runs 3`.

Every comparison is of whole processes on warm files, in turn, the fastest run of each side. Nothing is asserted of a time: the
ratios are for reading. What fails is a side that cannot be run, or two sides that did not do the same job.
"""

import argparse
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import psycopg

from tests.benchmarks.materials import Materials, Wards, find_materials, repeat
from tests.benchmarks.measuring import Run, SideFailedError, best, python, wardwatch
from tests.cluster import Databases, private_cluster
from tests.machine import MissingError

BY_HAND = Path(__file__).with_name("by_hand.py")
BY_HAND_POSTGIS = Path(__file__).with_name("by_hand_postgis.py")
POSTGIS_WAYS = (
    ("plain", "a plain join", "at most 0.5"),
    ("indexed", "a join of wards with GiST", ""),
    ("subdivided", "a join of subdivided wards with GiST", "at most 1.0"),
)
MILLION = 1_000_000
SAME_WITHIN = 0.01
"""By how much of the incidents in a ward two sides may differ: they transform coordinates, and treat borders, in two ways."""

SAME_FIGURE = 1e-4
"""By how much of a figure two sides may differ: they stop their regressions at different steps."""


def say(text: str = "") -> None:
    """Print at once: a run takes minutes."""
    print(text, flush=True)


def row(what: str, ours: str, theirs: str, ratio: str, target: str) -> None:
    """Print a row of the table."""
    say(f"| {what} | {ours} | {theirs} | {ratio} | {target} |")


def in_ward(store: str, boundaries: str) -> float:
    """Return how many incidents a store counts in the wards of a set."""
    said = python("-c", _COUNT, boundaries, store=store)
    return said.told("in_ward")


_COUNT = """
import sys
from mapping.settings import load_settings
from mapping.status import read_status
from mapping.store import open_engine
status = read_status(open_engine(load_settings().store_url), open_only=False)
print(f"in_ward={sum(s['in_ward'] for s in status['boundary_sets'] if s['name'] == sys.argv[1])}")
"""


def same_job(ours: float, theirs: float) -> None:
    """Refuse to compare sides that did not count the same."""
    if not theirs or abs(ours - theirs) > SAME_WITHIN * theirs:
        raise SideFailedError(f"the sides did not do the same job: {ours:,.0f} and {theirs:,.0f} incidents in a ward")


def same_figure(ours: float, theirs: float) -> None:
    """Refuse to compare sides that did not work out the same."""
    if abs(ours - theirs) > SAME_FIGURE * max(abs(theirs), SAME_FIGURE):
        raise SideFailedError(f"the sides did not work out the same: {ours} and {theirs}")


@dataclass
class Bench:
    """What all benchmarks share: the material, a folder to work in, and stores that are made once and copied for each run."""

    folder: Path
    materials: Materials
    runs: int
    rows: int

    @cached_property
    def empty_store(self) -> Path:
        """A store with the wards and no incidents."""
        return self._make_store("wards.db", None)

    @cached_property
    def full_store(self) -> Path:
        """A store with the wards and a million rows."""
        return self._make_store("million.db", self.million)

    @cached_property
    def million(self) -> Path:
        """A folder of a million rows."""
        folder = self.folder / "million"
        written = repeat(self.materials.street, folder, rows=self.rows)
        print(f"({written:,} rows in {len(list(folder.rglob('*.csv')))} files)", file=sys.stderr)
        return folder

    def _make_store(self, name: str, incidents: Path | None) -> Path:
        path = self.folder / name
        fill(url_of(path), self.materials.wards)
        if incidents:
            wardwatch("load", "incidents", incidents, store=url_of(path))
        with_checkpoint(path)
        return path

    def on_copy(self, store: Path, *arguments: object) -> Callable[[], Run]:
        """Return what runs a command on a fresh copy of a store each time."""

        def run() -> Run:
            path = self.folder / "copy.db"
            for leftover in self.folder.glob("copy.db*"):
                leftover.unlink()
            shutil.copyfile(store, path)
            return wardwatch(*arguments, store=url_of(path))

        return run

    @property
    def copy_url(self) -> str:
        """The store that the last command ran on."""
        return url_of(self.folder / "copy.db")


def url_of(path: Path) -> str:
    """Return the address of an embedded store."""
    return f"sqlite:///{path}"


def with_checkpoint(path: Path) -> None:
    """Leave nothing beside the file, so that copying it copies all."""
    python("-c", "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('PRAGMA wal_checkpoint(TRUNCATE)')", path)


def fill(store: str, wards: Wards) -> None:
    """Make the tables and load the wards."""
    wardwatch("init", store=store)
    wardwatch("load", "boundaries", wards.path, store=store)


def embedded(bench: Bench) -> None:
    """Print how long incidents take into the embedded store, from received files to counted."""
    wards = bench.materials.wards
    cases = (("the sample", bench.materials.street, 2.0), (f"{bench.rows:,} rows", bench.million, 1.5))
    for what, incidents, most in cases:
        found = best(
            bench.runs,
            {
                "ours": bench.on_copy(bench.empty_store, "load", "incidents", incidents),
                "theirs": lambda i=incidents: python(BY_HAND, i, wards.path, wards.code, bench.folder / "map.html"),
                "no map": lambda i=incidents: python(BY_HAND, i, wards.path, wards.code),
            },
        )
        same_job(in_ward(bench.copy_url, wards.code[:-2].lower()), found["theirs"].told("in_ward"))
        ours, theirs, no_map = found["ours"], found["theirs"], found["no map"]
        name = f"{what} into the embedded store"
        row(f"{name}, against by hand with its map", cost(ours), cost(theirs), ratio(ours, theirs), f"at most {most}")
        row(f"{name}, against by hand without a map", cost(ours), cost(no_map), ratio(ours, no_map), "")


def boundaries(bench: Bench) -> None:
    """Print how long a second boundary set takes over a million incidents."""
    wards = bench.materials.other_wards
    found = best(
        bench.runs,
        {
            "ours": bench.on_copy(bench.full_store, "load", "boundaries", wards.path),
            "theirs": lambda: python(BY_HAND, bench.million, wards.path, wards.code),
        },
    )
    ours, theirs = found["ours"], found["theirs"]
    same_job(in_ward(bench.copy_url, wards.code[:-2].lower()), theirs.told("in_ward"))
    what = f"a second boundary set over {bench.rows:,} rows"
    row(f"{what}, against by hand", cost(ours), cost(theirs), ratio(ours, theirs), "at most 0.4")
    join = theirs.told("join_and_group_s")
    row(f"{what}, against its join and group alone", cost(ours), f"{join:.2f} s", f"{ours.seconds / join:.2f}", "")


def postgis(bench: Bench) -> None:
    """Print how long a million rows take into PostGIS, from files to all columns stored and counted."""
    wards = bench.materials.wards
    with databases() as server:
        empty = server.create(server.template)
        fill(server.url_of(empty), wards)
        by_hand = server.create(server.template)
        python(BY_HAND_POSTGIS, "prepare", plain_url(server.url_of(by_hand)), wards.path, wards.code)
        counted: dict[str, float] = {}

        def ours() -> Run:
            with fresh(server, empty) as url:
                run = wardwatch("load", "incidents", bench.million, store=url)
                counted["ours"] = in_ward(url, wards.code[:-2].lower())
            return run

        def theirs(way: str) -> Run:
            with fresh(server, by_hand) as url:
                run = python(BY_HAND_POSTGIS, way, plain_url(url), bench.million)
            same_job(counted["ours"], run.told("in_ward"))
            return run

        found = best(bench.runs, {"ours": ours, **{way: partial(theirs, way) for way, _, _ in POSTGIS_WAYS}})
        for name in (empty, by_hand):
            server.drop(name)
    mine, what = found["ours"], f"{bench.rows:,} rows into PostGIS"
    for way, words, target in POSTGIS_WAYS:
        row(f"{what}, against COPY and {words}", cost(mine), cost(found[way]), ratio(mine, found[way]), target)


@contextmanager
def databases() -> Iterator[Databases]:
    """Give the PostgreSQL server: a private one, or that of WARDWATCH_TEST_DATABASE_URL."""
    with ExitStack() as stack:
        server = Databases(os.environ.get("WARDWATCH_TEST_DATABASE_URL") or stack.enter_context(private_cluster()))
        stack.callback(server.close)
        yield server


@contextmanager
def fresh(server: Databases, template: str) -> Iterator[str]:
    """Give the URL of a copy of a database, with nothing left to write from before, and drop it afterwards."""
    name = server.create(template)
    try:
        with psycopg.connect(plain_url(server.url_of(name)), autocommit=True) as connection:
            connection.execute("CHECKPOINT")
        yield server.url_of(name)
    finally:
        server.drop(name)


def plain_url(url: str) -> str:
    """Return a URL as libpq wants it."""
    return url.replace("postgresql+psycopg:", "postgresql:")


def national(bench: Bench) -> None:
    """Print what the figures of a country cost, 7,600 wards x 180 months x 16 types in memory, beside a loop over a sample."""
    ours, theirs = (
        [python("-m", "tests.benchmarks.national", side) for _ in range(runs)]
        for side, runs in (("ours", bench.runs), ("loop", 1))
    )
    cases = (
        ("change", "`change` of all wards and types, exact tests, other exposures, phi and q", "statsmodels", "under 0.5 s"),
        ("cluster", "Gi* of all months and types", "esda", "under 2 s"),
        ("expected", "`expected` of a month, all wards and types", "statsmodels", "under 20 s"),
    )
    for name, what, library, target in cases:
        mine, loop = min(run.told(f"{name}_s") for run in ours), theirs[0].told(f"{name}_s")
        for i in range(5):
            same_figure(ours[0].told(f"{name}_{i}"), theirs[0].told(f"{name}_{i}"))
        row(f"{what}, against a loop over {library}", f"{mine:.2f} s", f"{loop:,.0f} s", f"{mine / loop:.4f}", target)


def explorer(bench: Bench) -> None:
    """Print what a change of filter and the first page cost."""
    wards, path = bench.materials.wards, bench.folder / "explorer.db"
    shutil.copyfile(bench.empty_store, path)
    wardwatch("load", "incidents", bench.materials.street, store=url_of(path))
    drawn = bench.folder / "map.html"
    python(BY_HAND, bench.materials.street, wards.path, wards.code, drawn)
    found = python("-m", "tests.benchmarks.serving", drawn, store=url_of(path))
    told = found.told
    ours = f"{told('median_ms'):.1f} ms (95% under {told('p95_ms'):.1f})"
    row(f"a change of filter, median of {told('requests'):.0f}", ours, "", "", "under 30 ms")
    ours = f"{told('median_bytes') / 1000:.1f} kB (at most {told('largest_bytes') / 1000:.1f})"
    row("a change of filter, compressed", ours, "", "", "under 20 kB")
    theirs = f"{told('by_hand_bytes') / 1000:.0f} kB (compressed {told('by_hand_gzip_bytes') / 1000:.0f}), and four CDNs"
    ours, share = f"{told('page_bytes') / 1000:.0f} kB", f"{told('page_bytes') / told('by_hand_bytes'):.2f}"
    row("the first page with shapes, styles and scripts, compressed", ours, theirs, share, "under 180 kB")


def county(bench: Bench) -> None:
    """Print what a screen of the demo county costs, of the slowest measure, and the panel of a ward."""
    found = python("-m", "tests.benchmarks.county", bench.folder)
    ours = f"{found.told('slowest_ms'):.1f} ms ({found.word('slowest')}; `change` {found.told('change'):.1f} ms)"
    row("a screen of the demo county, the slowest of all measures, median", ours, "", "", "under 50 ms")
    row("a ward's panel with its series, median", f"{found.told('panel'):.1f} ms", "", "", "")


def cost(run: Run) -> str:
    """Return what a run cost."""
    return f"{run.seconds:.2f} s, {run.peak_mb:.0f} MB"


def ratio(ours: Run, theirs: Run) -> str:
    """Return how many times as long ours took."""
    return f"{ours.seconds / theirs.seconds:.2f}"


BENCHMARKS = {
    "embedded": embedded,
    "boundaries": boundaries,
    "postgis": postgis,
    "explorer": explorer,
    "county": county,
    "national": national,
}


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--only", choices=BENCHMARKS, action="append", help="which benchmarks (all)")
    parser.add_argument("--runs", type=int, default=5, help="runs of each side (5)")
    parser.add_argument("--rows", type=int, default=MILLION, help="how many rows a million is")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ww-bench-") as folder:
        bench = Bench(Path(folder), find_materials(Path(folder)), asked.runs, asked.rows)
        say(
            f"{bench.materials.street.name} on {bench.materials.wards.path.name}; {os.cpu_count()} cores, {platform.system()}, "
            f"Python {platform.python_version()}; the fastest of {bench.runs} runs, taken in turn.\n"
        )
        say("| what | wardwatch | by hand | ratio | target |\n|---|---|---|---|---|")
        for name in asked.only or BENCHMARKS:
            BENCHMARKS[name](bench)


if __name__ == "__main__":
    try:
        main()
    except (SideFailedError, MissingError) as error:
        sys.exit(f"\n{error}")
