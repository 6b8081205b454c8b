"""A received table, read by its layout: every row ends kept, set aside or rejected, and nothing is guessed."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders.coordinates import read_points
from loaders.layouts import Layout, built_in_layouts, type_key
from loaders.moments import BLANK, PRECISIONS, UNREADABLE, Moments, parse_moments
from loaders.quality import Issue
from mapping.errors import DataRefused
from mapping.vocabulary import Month, slug

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from loaders.tables import Table

__all__ = ["CheckedFile", "check_rows"]

_SHOWN = 5
_UNKNOWN_SHOWN = 500
_LONGEST = 500  # characters: no street, reference or name is longer
_DAY_S = 86_400
_DICTIONARY = pa.dictionary(pa.int32(), pa.string())
_NAMED_MONTH = re.compile(r"^((?:19|20)\d{2}-(?:0[1-9]|1[0-2]))-")


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """The rows of one file that can be kept, and what was found about them.

    `rows` has the columns source, source_name, date, precision, crime_type, x, y (EPSG:27700 metres to the millimetre, null
    where there are none), started_at, ended_at, reference, location, lsoa and outcome; repeating texts are dictionaries.
    `lines` gives the lines of rows by index, as issues name them.
    """

    name: str
    sha256: str
    layout: Layout
    rows: pa.Table
    lines: Callable[[NDArray[np.int64]], list[int]]
    named_month: Month | None
    issues: list[Issue]
    warnings: list[str]


def check_rows(
    table: Table,
    *,
    name: str,
    sha256: str,
    layout: Layout,
    source: str | None,
    today: date,
    skip_bad_rows: bool,
    is_workbook: bool,
) -> CheckedFile:
    """Check and convert the rows of one file.

    Raises
    ------
    DataRefused
        With every reason for which the whole file is refused.
    """
    check = _Check(table, layout, name, is_workbook=is_workbook)
    if table.bad_rows and not skip_bad_rows:
        check.refuse_bad_rows()
    if not table.rows:
        raise DataRefused("\n".join([*check.faults, f"{name}: the file has a header and no rows."]), hint="Fetch it again.")
    columns = {
        **check.sources(source),
        "crime_type": check.crime_types(),
        **check.times(today),
        **check.points(),
        "reference": check.text(layout.columns.reference),
        "location": check.phrases(layout.columns.location),
        "lsoa": check.phrases(layout.columns.lsoa),
        "outcome": check.phrases(layout.columns.outcome),
    }
    if check.faults:
        raise DataRefused("\n".join(check.faults))
    check.issues += [
        Issue("rejected", "another number of fields than the header", name, bad.line, "", f"{bad.fields} of {bad.expected}")
        for bad in table.bad_rows
    ]
    named = _NAMED_MONTH.match(re.split(r"[/\\]", name)[-1])
    month = Month.parse(named[1]) if named and layout.window == "month" else None
    return CheckedFile(name, sha256, layout, pa.table(columns), table.lines, month, check.issues, check.warnings)


class _Check:
    """One file while it is checked: `faults` refuse it, `issues` are of rows."""

    def __init__(self, table: Table, layout: Layout, name: str, *, is_workbook: bool) -> None:
        self.table = table
        self.layout = layout
        self.name = name
        self.is_workbook = is_workbook
        self.faults: list[str] = []
        self.issues: list[Issue] = []
        self.warnings: list[str] = []

    def refuse_bad_rows(self) -> None:
        bad = self.table.bad_rows
        first = ", ".join(f"line {b.line} ({b.fields} of {b.expected})" for b in bad[:_SHOWN])
        cut = (
            " The last row is one of them: the file looks cut short." if len(bad) == 1 and bad[0].line > self.table.rows else ""
        )
        self.faults.append(
            f"{self.name}: {len(bad)} rows have another number of fields than the header: {first}.{cut}\n"
            "Fetch or export it again; or --skip-bad-rows rejects these rows and keeps the others."
        )

    def text(self, column: str) -> pa.Array:
        """A column as it stands, blank as null."""
        if not column:
            return pa.nulls(self.table.rows, pa.string())
        values = pc.utf8_trim_whitespace(self.table.columns[column])
        self._refuse_long(values, column)
        return pc.if_else(pc.equal(values, ""), None, values)

    def phrases(self, column: str) -> pa.Array:
        """A column of texts that repeat, blank as null."""
        if not column:
            return pa.nulls(self.table.rows, _DICTIONARY)
        texts = self._distinct(column)
        blank = pc.equal(texts.dictionary, "")
        indices = pc.if_else(pc.take(blank, texts.indices), None, texts.indices)
        return pa.DictionaryArray.from_arrays(indices, texts.dictionary)

    def sources(self, given: str | None) -> dict[str, pa.Array]:
        """Who sent each row: as given, as the layout says, or as the rows say."""
        rows = self.table.rows
        if given or not self.layout.columns.source:
            source = given or self.layout.source
            name = given or self.layout.source_name or source
            return {"source": _constant(source, rows), "source_name": _constant(name, rows)}
        names = self._distinct(self.layout.columns.source)
        ids = [slug(name) for name in names.dictionary.to_pylist()]
        if not all(ids):
            self.faults.append(
                f"{self.name}: '{self.layout.columns.source}' is blank in some rows, or has no letter of the Latin alphabet: "
                "nobody is named as their source.\n"
                "Give it with --source ID if one source sent them all."
            )
        sources = pa.DictionaryArray.from_arrays(names.indices, pa.array(ids, pa.string()))
        if len(set(ids)) < len(ids):  # one source, spelled in two ways
            sources = sources.dictionary_decode().dictionary_encode()
        return {"source": sources, "source_name": names}

    def crime_types(self) -> pa.Array:
        """The crime type of each row; unknown ones refuse the file, all of them listed."""
        names = self._distinct(self.layout.columns.crime_type)
        known = self.layout.type_of()
        texts = names.dictionary.to_pylist()
        ids = [known.get(type_key(text)) for text in texts]
        if None in ids:
            counts = np.bincount(names.indices.to_numpy(), minlength=len(texts))
            unknown = Counter({text: int(n) for text, n, i in zip(texts, counts, ids, strict=True) if i is None})
            lines = [f'"{_toml(text)}" = ""  # {n:,} rows' for text, n in unknown.most_common(_UNKNOWN_SHOWN)]
            if len(unknown) > _UNKNOWN_SHOWN:
                lines.append(f"# ... and {len(unknown) - _UNKNOWN_SHOWN:,} more: is it the right column?")
            if self.layout.columns.crime_type in unknown:
                lines.append("# The header stands again among the rows: give the files that were joined one by one.")
            listed = "\n".join(lines)
            self.faults.append(
                f"{self.name}: {len(unknown)} crime types of its '{self.layout.columns.crime_type}' are unknown to the layout "
                f"{self.layout.name}, in {sum(unknown.values()):,} rows.\n"
                "Say which type each one is: put these lines, filled in, into a layout file and load with --layout FILE.\n"
                f"{_extending(self.layout)}[crime_types]\n{listed}"
            )
        return pa.DictionaryArray.from_arrays(names.indices, pa.array(ids, pa.string()))

    def times(self, today: date) -> dict[str, pa.Array]:
        """When: the date that counts, and the window where the layout has one."""
        columns, formats = self.layout.columns, self.layout.dates.all
        if columns.date:
            counted = self._moments(columns.date, formats)
            field = columns.date
        else:
            counted, field = self._from_parts()
        started = self._moments(columns.from_, formats) if columns.from_ else None
        ended = self._moments(columns.to, formats) if columns.to else None
        begin = self._readable(started, columns.from_)
        finish = self._readable(ended, columns.to)
        finish = self._not_before(begin, finish, columns.to)
        begin, finish = np.where(begin == BLANK, finish, begin), np.where(finish == BLANK, begin, finish)
        if not columns.from_:
            # A date that carries a time is also when it happened, as far as anyone knows.
            timed = (counted.precision == PRECISIONS.index("minute")) & (counted.seconds > UNREADABLE)
            begin, finish = np.where(timed, counted.seconds, begin), np.where(timed, counted.seconds, finish)
        precision = counted.precision
        for moments in (started, ended):
            if moments is not None:
                precision = np.where(moments.seconds > UNREADABLE, np.maximum(precision, moments.precision), precision)
        if self.layout.month_of == "from" and started is not None:
            known = started.seconds > UNREADABLE
            seconds = np.where(known, started.seconds, counted.seconds)
            counted = Moments(seconds, np.where(known, started.precision, counted.precision))
        days = counted.seconds // _DAY_S
        self._refuse_dates(counted, field, days, today)
        return {
            "date": pa.array(np.where(counted.seconds <= UNREADABLE, 0, days).astype(np.int32)).cast(pa.date32()),
            "precision": pa.DictionaryArray.from_arrays(pa.array(precision.astype(np.int32)), pa.array(PRECISIONS)),
            "started_at": _timestamps(begin),
            "ended_at": _timestamps(finish),
        }

    def points(self) -> dict[str, pa.Array]:
        """Where; a point that cannot be used is dropped and its row kept, as repaired."""
        columns = self.layout.columns
        if not columns.x:
            nothing = pa.nulls(self.table.rows, pa.float64())
            return {"x": nothing, "y": nothing}
        x_texts, y_texts = self.table.columns[columns.x], self.table.columns[columns.y]
        points = read_points(x_texts, y_texts, crs=self.layout.crs, decimal=self.layout.decimal)
        if points.doubt:
            self.faults.append(
                f"{self.name}: more than half of its coordinates {points.doubt} ({columns.x} and {columns.y}, read as "
                f"{self.layout.crs}): {points.hint}\nCorrect the layout or the file."
            )
        else:
            self._repair(points.unusable, points.why, f"{columns.x}, {columns.y}", x_texts, y_texts)
        nowhere = np.isnan(points.x)
        return {"x": pa.array(points.x, mask=nowhere), "y": pa.array(points.y, mask=nowhere)}

    def _distinct(self, column: str) -> pa.DictionaryArray:
        values = pc.utf8_trim_whitespace(self.table.columns[column])
        distinct = values.combine_chunks().dictionary_encode()
        self._refuse_long(distinct.dictionary, column)
        return distinct

    def _refuse_long(self, values: pa.Array | pa.ChunkedArray, column: str) -> None:
        longest = pc.max(pc.utf8_length(values)).as_py() or 0
        if longest > _LONGEST:
            fault = f"{self.name}: '{column}' holds a text of {longest:,} characters, where {_LONGEST} are the most.\n"
            self.faults.append(f"{fault}Is it the right column, and the file whole?")

    def _moments(self, column: str, formats: tuple[str, ...]) -> Moments:
        return parse_moments(self.table.columns[column], formats=formats, iso=self.is_workbook)

    def _from_parts(self) -> tuple[Moments, str]:
        columns = self.layout.columns
        parts = [columns.year, columns.month] + ([columns.day] if columns.day else [])
        texts = pc.binary_join_element_wise(*(pc.utf8_trim_whitespace(self.table.columns[part]) for part in parts), "-")
        formats = ("%Y-%m-%d",) if columns.day else ("%Y-%m",)
        return parse_moments(texts, formats=formats, iso=False), ", ".join(parts)

    def _readable(self, moments: Moments | None, column: str) -> NDArray[np.int64]:
        """Seconds, `BLANK` where there is nothing; what cannot be read is dropped and its row repaired."""
        if moments is None:
            return np.full(self.table.rows, BLANK)
        bad = np.flatnonzero(moments.seconds == UNREADABLE)
        self._repair(bad, ["the time cannot be read"] * len(bad), column, self.table.columns[column])
        return np.where(moments.seconds == UNREADABLE, BLANK, moments.seconds)

    def _not_before(self, begin: NDArray[np.int64], finish: NDArray[np.int64], column: str) -> NDArray[np.int64]:
        wrong = (begin > UNREADABLE) & (finish > UNREADABLE) & (finish < begin)
        rows = np.flatnonzero(wrong)
        if len(rows):
            self._repair(rows, ["ends before it starts: the start is taken"] * len(rows), column, self.table.columns[column])
        return np.where(wrong, begin, finish)

    def _refuse_dates(self, counted: Moments, field: str, days: NDArray[np.int64], today: date) -> None:
        unreadable = np.flatnonzero(counted.seconds <= UNREADABLE)
        if len(unreadable):
            self.faults.append(
                f"{self.name}: {len(unreadable):,} rows have no readable date in '{field}': "
                f"{self._examples(unreadable, field)}."
                f"\nThe layout {self.layout.name} reads {' or '.join(self.layout.dates.all) or 'year, month, day'}."
            )
        last = (Month.of(today).last - date(1970, 1, 1)).days
        early = np.flatnonzero((counted.seconds > UNREADABLE) & (counted.seconds < 0))
        if len(early):
            self.faults.append(
                f"{self.name}: {len(early):,} rows are dated before 1970: {self._examples(early, field)}.\nIs the year right?"
            )
        future = np.flatnonzero((counted.seconds > UNREADABLE) & (days > last))
        if len(future):
            self.faults.append(
                f"{self.name}: {len(future):,} rows are dated after the current month ({Month.of(today)}): "
                f"{self._examples(future, field)}.\nIs the day before the month, or the machine's clock wrong?"
            )

    def _examples(self, rows: NDArray[np.int64], field: str) -> str:
        shown = rows[:_SHOWN]
        columns = [self.table.columns[column] for column in field.split(", ")]
        texts = [" ".join(column[int(row)].as_py() for column in columns) for row in shown]
        return ", ".join(f"line {line} '{text[:40]}'" for line, text in zip(self.table.lines(shown), texts, strict=True))

    def _repair(self, rows: NDArray[np.int64], why: list[str], field: str, *texts: pa.ChunkedArray) -> None:
        values = [", ".join(t) for t in zip(*(text.take(pa.array(rows)).to_pylist() for text in texts), strict=True)]
        lines = self.table.lines(rows) if len(rows) else []
        self.issues += [
            Issue("repaired", kind, self.name, line, field, value, int(row))
            for kind, line, value, row in zip(why, lines, values, rows, strict=True)
        ]


def _constant(text: str, rows: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(np.zeros(rows, dtype=np.int32), pa.array([text], pa.string()))


def _timestamps(seconds: NDArray[np.int64]) -> pa.Array:
    return pa.array(np.where(seconds == BLANK, 0, seconds), mask=seconds == BLANK).cast(pa.timestamp("s"))


def _extending(layout: Layout) -> str:
    """The line by which a user's layout takes over one of ours; their own they have at hand."""
    return f'extends = "{layout.name}"\n' if built_in_layouts().get(layout.name) == layout else ""


def _toml(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
