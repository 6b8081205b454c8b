"""The demo county into an embedded store, by the same loaders as anybody's files."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from loaders.boundaries import load_boundaries
from loaders.demo.files import write_demo
from loaders.demo.suppliers import ATTRIBUTION
from loaders.incidents import Window, load_incidents
from loaders.population import load_population
from loaders.progress import Progress, untold
from loaders.recording_breaks import load_breaks
from loaders.ward_groups import load_groups
from mapping.errors import StoreNotReady
from mapping.settings import sqlite_url
from mapping.store import check_ready, open_engine
from mapping.store.upgrade import init_store

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from loaders.demo.files import DemoFiles

__all__ = ["DEMO_LOADED_AT", "fill_demo", "load_demo"]

DEMO_LOADED_AT = datetime(2026, 1, 5, 9, 0)  # noqa: DTZ001 - the clock of the made-up county, soon after its last month


def fill_demo(path: Path, *, progress: Progress = untold) -> None:
    """Make the demo store in a file, unless it is there already; an interrupted run leaves none.

    The county's own files stay beside it, in the folder `demo`, to look at and to try the loaders on.
    """
    engine = open_engine(sqlite_url(path), must_exist=False)
    try:
        if path.is_file():
            check_ready(engine)
            return
    except StoreNotReady:
        path.unlink()
    finally:
        engine.dispose()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="demo-", dir=path.parent) as folder:
        store = Path(folder) / "demo.db"
        engine = open_engine(sqlite_url(store), must_exist=False)
        init_store(engine)
        progress("writing the county", 0)
        files = write_demo(path.parent / "demo")
        load_demo(engine, files, progress=progress)
        engine.dispose()
        store.replace(path)


def load_demo(engine: Engine, files: DemoFiles, *, progress: Progress = untold) -> None:
    """Load the demo's files into a store that has tables."""
    total = sum(len(part) for part in (files.boundaries, files.populations, files.denominators, files.groups, files.extracts))
    done = 0

    def step(what: str) -> None:
        nonlocal done
        progress(what, done / total)
        done += 1

    for boundary_set in files.boundaries:
        step(f"boundaries {boundary_set.name}")
        load_boundaries(
            engine,
            boundary_set.path,
            now=DEMO_LOADED_AT,
            name=boundary_set.name,
            effective=boundary_set.effective,
            attribution=ATTRIBUTION,
        )
    for population in (*files.populations, *files.denominators):
        step(f"{population.what} {population.year}")
        load_population(
            engine,
            population.path,
            boundaries=population.boundaries,
            year=population.year,
            now=DEMO_LOADED_AT,
            what=population.what,
        )
    for groups in files.groups:
        step(f"groups of {groups.boundaries}")
        load_groups(engine, groups.path, now=DEMO_LOADED_AT, boundaries=groups.boundaries)
    for extract in files.extracts:
        step(f"incidents {extract.window_from.year}")
        window = Window(extract.window_from, extract.window_to)
        load_incidents(engine, extract.paths, now=DEMO_LOADED_AT, layout=str(extract.layout), window=window)
    load_breaks(engine, files.breaks, now=DEMO_LOADED_AT)
    progress("done", 1)
