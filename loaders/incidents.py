"""load_incidents: open, read, check, sort into extracts, place, store, recount. One command is one transaction."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from loaders.extracts import open_received
from loaders.layouts import built_in_layouts
from loaders.progress import Progress, untold
from loaders.quality import LoadReport
from loaders.recognition import find_layout, read_by_layout
from loaders.rows import CheckedFile, check_rows
from loaders.shelving import shelve
from loaders.sorting import Window, sort_into_extracts
from mapping.errors import DataRefused
from mapping.store import check_ready
from mapping.vocabulary import slug

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import date, datetime
    from pathlib import Path

    from sqlalchemy import Engine

    from loaders.extracts import Received
    from loaders.layouts import Layout


A = TypeVar("A")
B = TypeVar("B")

__all__ = ["Window", "load_incidents"]


def load_incidents(
    engine: Engine,
    paths: Sequence[Path],
    *,
    now: datetime,
    layout: str | None = None,
    source: str | None = None,
    window: Window | None = None,
    as_of: date | None = None,
    replace: bool = False,
    skip_bad_rows: bool = False,
    set_aside_unknown: bool = False,
    progress: Progress = untold,
) -> LoadReport:
    """Load files, folders and archives of incidents: all of them, or nothing.

    Parameters
    ----------
    now
        The current local time: no row may be dated after its month.
    layout
        A layout's name or the path of a TOML file; without it each file's header tells.
    source
        Id of the source, in place of what the layout or the rows say.
    window
        The days that the files are complete for, where neither layout nor file name says.
    as_of
        The day on which the files were cut, where that is known: changes of up to that day are in them already.
    replace
        Allow a window to be left with less than half the rows it had.
    skip_bad_rows
        Reject rows with another number of fields than the header, instead of refusing the file.
    set_aside_unknown
        Set rows of unknown crime types aside, by name, instead of refusing the file.
    progress
        Told the step and the share of it that is done.

    Raises
    ------
    DataRefused
        With every reason; the store is as it was.
    StoreNotReady, StoreBusy
        If the store cannot be written.
    """
    check_ready(engine)
    if source is not None and source != slug(source):
        raise DataRefused(f"'{source}' is not the id of a source.", hint=f"Write it as '{slug(source)}'.")
    layouts = [find_layout(layout)] if layout else list(built_in_layouts().values())
    report = LoadReport()
    received = _distinct_files(paths, report, progress, layout=layouts[0] if layout else None)

    def check(file: Received) -> CheckedFile | DataRefused:
        try:
            table, fitting = read_by_layout(file, layouts)
            return check_rows(
                table,
                name=file.name,
                sha256=file.sha256,
                layout=fitting,
                source=source,
                today=now.date(),
                skip_bad_rows=skip_bad_rows,
                set_aside_unknown=set_aside_unknown,
                is_workbook=file.name.lower().endswith(".xlsx"),
            )
        except DataRefused as error:
            return error

    files = _all_or_none(_in_parallel(check, received))
    progress("reading", 1)
    extracts = sort_into_extracts(files, window, as_of=as_of, today=now.date())
    shelve(engine, extracts, report, now=now, replace=replace, progress=progress)
    return report


def _all_or_none(checked: Iterable[CheckedFile | DataRefused]) -> list[CheckedFile]:
    """The checked files; `DataRefused` with every reason where one is refused."""
    found = list(checked)
    faults = [str(file) for file in found if isinstance(file, DataRefused)]
    if faults:
        raise DataRefused("\n\n".join(faults), hint="Nothing was stored.")
    return [file for file in found if isinstance(file, CheckedFile)]


def _distinct_files(
    paths: Sequence[Path], report: LoadReport, progress: Progress, *, layout: Layout | None
) -> Iterator[Received]:
    """The files received, each content once: of folders and archives those of the layout, or those that need none named."""
    special = {found.files.lower(): found.name for found in built_in_layouts().values() if found.files}

    def wanted(name: str) -> bool:
        if layout and layout.files:
            return name.lower().endswith(layout.files.lower())
        return not name.lower().endswith(tuple(special))

    seen: dict[str, str] = {}
    for number, received in enumerate(open_received(paths, left_out=report.left_out, wanted=wanted)):
        progress("reading", 1 - 1 / (number + 2))
        if received.sha256 in seen:
            report.warnings.append(f"{received.name} has the same content as {seen[received.sha256]}: it counts once.")
            continue
        seen[received.sha256] = received.name
        yield received
    report.hints += [
        f"Of them, those that end in {ending} are read with --layout {name}."
        for ending, name in special.items()
        if any(left.lower().endswith(ending) for left in report.left_out)
    ]


def _in_parallel(work: Callable[[A], B], items: Iterable[A]) -> Iterator[B]:
    """Results in the order of the items, of which no more are held than are worked on."""
    threads = min(4, os.cpu_count() or 1)
    with ThreadPoolExecutor(threads) as pool:
        pending: deque[Future[B]] = deque()
        for item in items:
            pending.append(pool.submit(work, item))
            if len(pending) > threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
