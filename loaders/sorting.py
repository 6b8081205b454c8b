"""Checked files sorted into extracts: what one source sent of one stream for one window."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders.quality import Issue
from mapping.errors import DataRefused
from mapping.vocabulary import Month

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loaders.layouts import Layout
    from loaders.rows import CheckedFile

_SHOWN = 5
FIRST_YEAR = 1970
"""Nothing is dated before."""

__all__ = ["ReceivedExtract", "Window", "sort_into_extracts"]


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
    """The checked rows of one source, stream and window, ready to be stored. Issues name rows by their index here.

    An extract of changes is one file; its window runs from the first to the last day of its rows, and says nothing of
    completeness.
    """

    source: str
    source_name: str
    layout: Layout
    window: Window
    files: list[tuple[str, str]] = field(default_factory=list)
    tables: list[pa.Table] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    set_aside: int = 0
    rejected: int = 0
    as_of: date | None = None

    @property
    def kind(self) -> str:
        """`window` or `changes`."""
        return self.layout.kind

    @property
    def rows(self) -> pa.Table:
        """Its rows, file by file."""
        return pa.concat_tables(self.tables)


def sort_into_extracts(
    files: Sequence[CheckedFile], given: Window | None, *, as_of: date | None = None, today: date
) -> list[ReceivedExtract]:
    """Put each file's rows with their source, stream and window; rows outside the window are set aside.

    Parameters
    ----------
    given
        The window of all files, where neither layout nor file name says.
    as_of
        The day on which the files of windows were cut.

    Raises
    ------
    DataRefused
        With every reason.
    """
    # Each file of changes is an extract of its own: what two of them say of one reference is two states, not one.
    extracts: dict[tuple[str, str, Window, int], ReceivedExtract] = {}
    faults: list[str] = []
    for number, file in enumerate(files, start=1):
        changes = file.layout.kind == "changes"
        for source in pc.unique(file.rows["source"]).to_pylist():
            mine = pc.equal(file.rows["source"], source)
            days = pc.filter(file.rows["date"], mine)
            try:
                _check_updates(file, today)
                if changes:
                    _check_changes(file, given, as_of)
                    window = Window(pc.min(days).as_py(), pc.max(days).as_py())
                else:
                    window = given or _window_of(file, days)
                    _check_window(file, pc.filter(file.rows["precision"], mine), days, window, today)
                    _check_cut(file, window, as_of, today)
            except DataRefused as error:
                faults.append(str(error))
                continue
            key = (source, file.layout.stream, window, number if changes else 0)
            name = pc.filter(file.rows["source_name"], mine)[0].as_py()
            extract = extracts.setdefault(key, ReceivedExtract(source, name, file.layout, window, as_of=as_of))
            _add_file(extract, file, mine.to_numpy())
    faults += _clashes([extract for extract in extracts.values() if extract.kind == "window"])
    if faults:
        raise DataRefused("\n\n".join(dict.fromkeys(faults)), hint="Nothing was stored.")
    # Of changes that were updated at the same moment the later extract holds: so they are numbered in the order of time.
    return [extracts[key] for key in sorted(extracts, key=lambda key: (*key[:2], _newest(extracts[key]), *key[2:]))]


def _newest(extract: ReceivedExtract) -> datetime:
    """When the newest of the changes was updated; of a window, before all of them."""
    newest = pc.max(extract.rows["updated_at"]).as_py() if extract.kind == "changes" else None
    return newest or datetime.min  # noqa: DTZ901 - the clock of the place


def _check_updates(file: CheckedFile, today: date) -> None:
    updated = file.rows["updated_at"]
    late = np.flatnonzero(pc.greater(updated, _end_of(today)).fill_null(fill_value=False).to_numpy())
    if len(late):
        raise DataRefused(
            f"{file.name}: {len(late):,} rows were updated after today ({today}), by their '{file.layout.columns.updated}': "
            f"{_lines(file, late)}.\nThey would stand above every later change. Is the day before the month, or the machine's "
            "clock wrong?"
        )


def _check_changes(file: CheckedFile, given: Window | None, as_of: date | None) -> None:
    """Refuse what can only be said of a window."""
    if given or as_of:
        raise DataRefused(
            f"{file.name}: the layout {file.layout.name} is of changes, which are complete for no days.\n"
            f"Load it without {'--window' if given else '--as-of'}: each row says when it was updated."
        )


def _check_cut(file: CheckedFile, window: Window, as_of: date | None, today: date) -> None:
    if as_of and not window.first <= as_of <= today:
        why = "is not there yet" if as_of > today else f"is before its window {window}"
        raise DataRefused(f"{file.name}: the day {as_of} on which it was cut, by --as-of, {why}.")


def _lines(file: CheckedFile, rows: np.ndarray) -> str:
    shown = ", ".join(f"line {line}" for line in file.lines(rows[:_SHOWN]))
    return shown + (" ..." if len(rows) > _SHOWN else "")


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time.max)


def _window_of(file: CheckedFile, days: pa.ChunkedArray) -> Window:
    first, last = pc.min(days).as_py(), pc.max(days).as_py()
    if file.layout.window == "month":
        month = file.named_month or (Month.of(first) if Month.of(first) == Month.of(last) else None)
        if month:
            return Window(month.first, month.last)
    monthly = "month" in pc.unique(file.rows["precision"]).to_pylist()
    proposed = Window(Month.of(first).first, Month.of(last).last) if monthly else Window(first, last)
    raise DataRefused(
        f"{file.name}: nothing says which days it is complete for; its rows run from {first} to {last}.\n"
        f"If it holds all that was recorded on those days, load it with --window {proposed}; if it is complete for more "
        "days, name those."
    )


def _check_window(file: CheckedFile, precision: pa.ChunkedArray, days: pa.ChunkedArray, window: Window, today: date) -> None:
    if window.first.year < FIRST_YEAR or window.last > Month.of(today).last:
        raise DataRefused(
            f"{file.name}: the window {window} is not between {FIRST_YEAR} and the current month ({Month.of(today)}): nothing "
            "can be complete for it.\nGive the days that the file is complete for."
        )
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
    # What its type sets aside was said so when the file was checked; the others must lie in the window.
    typed = file.rows["crime_type"].is_valid().to_numpy() | (file.layout.records != "incidents")
    kept = np.flatnonzero(mine & typed & inside)
    aside = np.flatnonzero(mine & typed & ~inside)
    extract.set_aside += int((mine & ~typed).sum())
    offset = sum(table.num_rows for table in extract.tables)
    position = np.full(len(mine), -1)
    position[kept] = offset + np.arange(len(kept))
    for issue in file.issues:
        if issue.outcome == "rejected":
            # A row that could not be read belongs to no source: it is told with the first.
            if mine[0]:
                extract.issues.append(issue)
                extract.rejected += 1
        elif issue.outcome == "set-aside":
            if mine[issue.row]:
                extract.issues.append(_moved(issue, -1))
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
    if file.layout.records == "outcomes":  # of which a crime may have several
        return
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
