"""load_incidents: open, read, check, sort into extracts, place, store, recount. One command is one transaction."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders.extracts import open_received
from loaders.layouts import built_in_layouts
from loaders.quality import Issue, LoadReport
from loaders.recognition import find_layout, read_by_layout
from loaders.rows import CheckedFile, check_rows
from loaders.shelving import shelve
from mapping.errors import DataRefused
from mapping.store import check_ready
from mapping.vocabulary import Month, slug

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import date, datetime
    from pathlib import Path

    from sqlalchemy import Engine

    from loaders.extracts import Received
    from loaders.layouts import Layout

    Progress = Callable[[str, float], None]

A = TypeVar("A")
B = TypeVar("B")

__all__ = ["ReceivedExtract", "Window", "load_incidents"]


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """An inclusive pair of days that an extract is complete for."""

    first: date
    last: date

    @property
    def is_whole_months(self) -> bool:
        """Whether it starts on a first and ends on a last day of a month."""
        return self.first.day == 1 and self.last == Month.of(self.last).last

    def __str__(self) -> str:
        return f"{self.first}:{self.last}"


@dataclass(slots=True)
class ReceivedExtract:
    """The checked rows of one source, stream and window, ready to be stored. Issues name rows by their index here."""

    source: str
    source_name: str
    layout: Layout
    window: Window
    files: list[tuple[str, str]] = field(default_factory=list)
    tables: list[pa.Table] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    set_aside: int = 0
    rejected: int = 0

    @property
    def rows(self) -> pa.Table:
        """Its rows, file by file."""
        return pa.concat_tables(self.tables)


def load_incidents(
    engine: Engine,
    paths: Sequence[Path],
    *,
    now: datetime,
    layout: str | None = None,
    source: str | None = None,
    window: Window | None = None,
    replace: bool = False,
    skip_bad_rows: bool = False,
    progress: Progress = lambda _step, _share: None,
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
    replace
        Allow a window to be left with less than half the rows it had.
    skip_bad_rows
        Reject rows with another number of fields than the header, instead of refusing the file.
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
    files = _check_files(
        paths, layouts, report, source=source, today=now.date(), skip_bad_rows=skip_bad_rows, progress=progress
    )
    extracts = _sort_into_extracts(files, window)
    shelve(engine, extracts, report, now=now, replace=replace, progress=progress)
    return report


def _check_files(
    paths: Sequence[Path],
    layouts: Sequence[Layout],
    report: LoadReport,
    *,
    source: str | None,
    today: date,
    skip_bad_rows: bool,
    progress: Progress,
) -> list[CheckedFile]:
    def check(received: Received) -> CheckedFile | DataRefused:
        try:
            table, layout = read_by_layout(received, layouts)
            return check_rows(
                table,
                name=received.name,
                sha256=received.sha256,
                layout=layout,
                source=source,
                today=today,
                skip_bad_rows=skip_bad_rows,
                is_workbook=received.name.lower().endswith(".xlsx"),
            )
        except DataRefused as error:
            return error

    outcomes = list(_in_parallel(check, _distinct_files(paths, report, progress)))
    faults = [str(outcome) for outcome in outcomes if isinstance(outcome, DataRefused)]
    if faults:
        raise DataRefused("\n\n".join(faults), hint="Nothing was stored.")
    progress("reading", 1)
    return [outcome for outcome in outcomes if isinstance(outcome, CheckedFile)]


def _distinct_files(paths: Sequence[Path], report: LoadReport, progress: Progress) -> Iterator[Received]:
    """The files received, each content once."""
    seen: dict[str, str] = {}
    for number, received in enumerate(open_received(paths, left_out=report.left_out)):
        progress("reading", 1 - 1 / (number + 2))
        if received.sha256 in seen:
            report.warnings.append(f"{received.name} has the same content as {seen[received.sha256]}: it counts once.")
            continue
        seen[received.sha256] = received.name
        yield received


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


def _sort_into_extracts(files: Sequence[CheckedFile], given: Window | None) -> list[ReceivedExtract]:
    """Put each file's rows with their source, stream and window; rows outside the window are set aside."""
    extracts: dict[tuple[str, str, Window], ReceivedExtract] = {}
    faults: list[str] = []
    for file in files:
        for source in pc.unique(file.rows["source"]).to_pylist():
            mine = pc.equal(file.rows["source"], source)
            days = pc.filter(file.rows["date"], mine)
            try:
                window = given or _window_of(file, days)
                _check_window(file, pc.filter(file.rows["precision"], mine), days, window)
            except DataRefused as error:
                faults.append(str(error))
                continue
            key = (source, file.layout.stream, window)
            name = pc.filter(file.rows["source_name"], mine)[0].as_py()
            extract = extracts.setdefault(key, ReceivedExtract(source, name, file.layout, window))
            _add_file(extract, file, mine.to_numpy())
    faults += _clashes(list(extracts.values()))
    if faults:
        raise DataRefused("\n\n".join(faults), hint="Nothing was stored.")
    return [extracts[key] for key in sorted(extracts)]


def _window_of(file: CheckedFile, days: pa.ChunkedArray) -> Window:
    first, last = pc.min(days).as_py(), pc.max(days).as_py()
    if file.layout.window == "month":
        month = file.named_month or (Month.of(first) if Month.of(first) == Month.of(last) else None)
        if month:
            return Window(month.first, month.last)
    proposed = Window(Month.of(first).first, Month.of(last).last)
    raise DataRefused(
        f"{file.name}: nothing says which days it is complete for; its rows run from {first} to {last}.\n"
        f"If it holds all that was recorded in those months, load it with --window {proposed}."
    )


def _check_window(file: CheckedFile, precision: pa.ChunkedArray, days: pa.ChunkedArray, window: Window) -> None:
    if not window.is_whole_months and "month" in pc.unique(precision).to_pylist():
        raise DataRefused(f"{file.name}: its dates are whole months, so the window {window} must start and end with a month.")
    inside = pc.and_(pc.greater_equal(days, window.first), pc.less_equal(days, window.last))
    if not pc.any(inside).as_py():
        raise DataRefused(
            f"{file.name}: no row lies in its window {window}; they run from {pc.min(days)} to {pc.max(days)}.\n"
            "Is the file under a wrong name? Give --window if the rows are right."
        )


def _add_file(extract: ReceivedExtract, file: CheckedFile, mine: np.ndarray) -> None:
    days = file.rows["date"]
    window = extract.window
    inside = pc.and_(pc.greater_equal(days, window.first), pc.less_equal(days, window.last)).to_numpy()
    kept = np.flatnonzero(mine & inside)
    aside = np.flatnonzero(mine & ~inside)
    offset = sum(table.num_rows for table in extract.tables)
    position = np.full(len(mine), -1)
    position[kept] = offset + np.arange(len(kept))
    for issue in file.issues:
        if issue.outcome == "rejected":
            # A row that could not be read belongs to no source: it is told with the first.
            if mine[0]:
                extract.issues.append(issue)
                extract.rejected += 1
        elif position[issue.row] >= 0:
            extract.issues.append(_moved(issue, int(position[issue.row])))
    lines = file.lines(aside) if len(aside) else []
    extract.issues += [
        Issue("set-aside", f"outside the window {window}", file.name, line, file.layout.columns.date or "date", str(day))
        for line, day in zip(lines, days.take(pa.array(aside)).to_pylist(), strict=True)
    ]
    extract.set_aside += len(aside)
    extract.files.append((file.name, file.sha256))
    extract.tables.append(file.rows.take(pa.array(kept)) if len(kept) < len(mine) else file.rows)
    _note_repeats(extract, file, kept, offset)


def _moved(issue: Issue, row: int) -> Issue:
    return Issue(issue.outcome, issue.kind, issue.file, issue.line, issue.field, issue.value, row)


def _note_repeats(extract: ReceivedExtract, file: CheckedFile, kept: np.ndarray, offset: int) -> None:
    references = extract.tables[-1]["reference"]
    if pc.count_distinct(references).as_py() == len(references) - references.null_count:
        return
    counted = pc.value_counts(references)
    often = counted.field("values").filter(pc.greater(counted.field("counts"), 1)).drop_null()
    repeated = np.flatnonzero(pc.is_in(references, often).to_numpy())
    lines = file.lines(kept[repeated])
    values = references.take(pa.array(repeated)).to_pylist()
    extract.issues += [
        Issue(
            "noted",
            "its reference stands in another row too",
            file.name,
            line,
            file.layout.columns.reference,
            value,
            int(row) + offset,
        )
        for line, value, row in zip(lines, values, repeated, strict=True)
    ]


def _clashes(extracts: list[ReceivedExtract]) -> list[str]:
    """Files that together cannot be one delivery: overlapping windows, or two issues of the same extract."""
    faults = []
    for i, one in enumerate(extracts):
        for other in extracts[i + 1 :]:
            same = (one.source, one.layout.stream) == (other.source, other.layout.stream)
            if same and one.window.first <= other.window.last and other.window.first <= one.window.last:
                faults.append(
                    f"{one.files[0][0]} and {other.files[0][0]}: both are of {one.source} {one.layout.stream}, and their "
                    f"windows {one.window} and {other.window} overlap.\nLoad them one after the other: the later replaces."
                )
        for j, table in enumerate(one.tables):
            for k in range(j):
                references = table["reference"].drop_null()
                if len(references) and pc.mean(pc.is_in(references, one.tables[k]["reference"].combine_chunks())).as_py() > 0.5:
                    faults.append(
                        f"{one.files[k][0]} and {one.files[j][0]}: both are of {one.source} {one.layout.stream} {one.window}, "
                        "and most references stand in both.\nThey look like two issues of one extract: load the newer one only."
                    )
    return faults
