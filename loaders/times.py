"""When each row counts, when it happened and when it was last changed."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders.moments import BLANK, PRECISIONS, UNREADABLE, Moments, parse_moments
from mapping.vocabulary import Month

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from loaders.checking import Checking

__all__ = ["read_times"]

_DAY_S = 86_400
_DAY, _MINUTE = PRECISIONS.index("day"), PRECISIONS.index("minute")
_PART_FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d")
_UNREADABLE_TIME = "the time cannot be read"


def read_times(check: Checking, today: date) -> dict[str, pa.Array]:
    """The columns date, precision, started_at, ended_at and updated_at: the date that counts, and what else is known."""
    columns = check.layout.columns
    counted, field = _counted(check)
    started = _moments(check, columns.from_, columns.from_time) if columns.from_ else None
    ended = _moments(check, columns.to, columns.to_time) if columns.to else None
    begin = _readable(check, started, columns.from_)
    finish = _readable(check, ended, columns.to)
    finish = _not_before(check, begin, finish, ended)
    begin, finish = np.where(begin == BLANK, finish, begin), np.where(finish == BLANK, begin, finish)
    if not columns.from_:
        # A date that carries a time is also when it happened, as far as anyone knows.
        timed = (counted.precision == _MINUTE) & (counted.seconds > UNREADABLE)
        begin, finish = np.where(timed, counted.seconds, begin), np.where(timed, counted.seconds, finish)
    precision = _known_to(counted, [moments for moments in (started, ended) if moments is not None])
    if check.layout.month_of == "from" and started is not None:
        known = started.seconds > UNREADABLE
        seconds = np.where(known, started.seconds, counted.seconds)
        counted = Moments(seconds, np.where(known, started.precision, counted.precision))
    days = counted.seconds // _DAY_S
    _refuse_dates(check, counted, field, days, today)
    return {
        "date": pa.array(np.where(counted.seconds <= UNREADABLE, 0, days).astype(np.int32)).cast(pa.date32()),
        "precision": pa.DictionaryArray.from_arrays(pa.array(precision.astype(np.int32)), pa.array(PRECISIONS)),
        "started_at": _timestamps(begin),
        "ended_at": _timestamps(finish),
        "updated_at": _updated(check),
    }


def _known_to(counted: Moments, bounds: list[Moments]) -> NDArray[np.int8]:
    """How precisely each row says when it happened: as its least precise bound, or as its date where it has none."""
    least = np.full(len(counted.seconds), len(PRECISIONS))
    for bound in bounds:
        least = np.where(bound.seconds > UNREADABLE, np.minimum(least, bound.precision), least)
    return np.where(least < len(PRECISIONS), least, counted.precision).astype(np.int8)


def _counted(check: Checking) -> tuple[Moments, str]:
    """When each row counts, and the columns that say so."""
    columns = check.layout.columns
    if columns.date:
        counted, field = _moments(check, columns.date, columns.time), columns.date
    else:
        parts = [columns.year, columns.month] + ([columns.day] if columns.day else [])
        texts = pc.binary_join_element_wise(*(_trimmed(check, part) for part in parts), "-")
        formats = _PART_FORMATS if columns.day else ("%Y-%m",)
        counted, field = _with_time(check, texts, columns.time, formats), ", ".join(parts)
    return (_at_hour(check, counted) if columns.hour else counted), field


def _moments(check: Checking, column: str, time_column: str) -> Moments:
    return _with_time(check, check.table.columns[column], time_column, check.layout.dates.all)


def _with_time(check: Checking, dates: pa.ChunkedArray, time_column: str, formats: tuple[str, ...]) -> Moments:
    """Dates with the time of day that stands in a column of its own; a time that cannot be read is dropped."""
    if not time_column:
        return parse_moments(dates, formats=formats, iso=check.is_workbook)
    days, times = pc.utf8_trim_whitespace(dates), _trimmed(check, time_column)
    if check.is_workbook:
        # A cell that holds a day may come with midnight, and one that holds a time with the day on which spreadsheets begin.
        days = pc.replace_substring_regex(days, r"^(\d{4}-\d\d-\d\d) 00:00:00$", r"\1")
        times = pc.replace_substring_regex(times, r"^(1899-12-3[01]|1900-01-0[01]) ", "")
    blank = pc.or_(pc.equal(days, ""), pc.equal(times, ""))
    joined = parse_moments(
        pc.if_else(blank, days, pc.binary_join_element_wise(days, times, " ")), formats=formats, iso=check.is_workbook
    )
    bad = np.flatnonzero(joined.seconds == UNREADABLE)
    if not len(bad):
        return joined
    alone = parse_moments(days, formats=formats, iso=check.is_workbook)
    rows = bad[alone.seconds[bad] > UNREADABLE]
    check.repair(rows, [_UNREADABLE_TIME] * len(rows), time_column, check.table.columns[time_column])
    joined.seconds[rows], joined.precision[rows] = alone.seconds[rows], alone.precision[rows]
    return joined


def _at_hour(check: Checking, days: Moments) -> Moments:
    """Days with the hour and the minute that stand in columns of their own."""
    columns = check.layout.columns
    hours, bad_hour = _whole_numbers(check, columns.hour, highest=23)
    minutes, bad_minute = np.zeros(check.table.rows, dtype=np.int64), np.zeros(check.table.rows, dtype=bool)
    if columns.minute:
        minutes, bad_minute = _whole_numbers(check, columns.minute, highest=59)
    rows = np.flatnonzero(bad_hour | bad_minute)
    fields = [columns.hour, columns.minute] if columns.minute else [columns.hour]
    texts = [check.table.columns[field] for field in fields]
    check.repair(rows, [_UNREADABLE_TIME] * len(rows), ", ".join(fields), *texts)
    timed = (hours >= 0) & ~bad_minute & (days.seconds > UNREADABLE) & (days.precision == _DAY)
    seconds = days.seconds + np.where(timed, hours * 3600 + np.maximum(minutes, 0) * 60, 0)
    return Moments(seconds, np.where(timed, np.int8(_MINUTE), days.precision))


def _whole_numbers(check: Checking, column: str, *, highest: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Numbers from 0 on, -1 where there is none, and which texts are none of them."""
    texts = check.distinct(column)
    words = texts.dictionary.to_pylist()
    read = [int(word) if word.isascii() and word.isdigit() and int(word) <= highest else -1 for word in words]
    odd = np.array([number < 0 and word != "" for number, word in zip(read, words, strict=True)], dtype=bool)
    at = texts.indices.to_numpy()
    return np.array(read, dtype=np.int64)[at], odd[at]


def _trimmed(check: Checking, column: str) -> pa.ChunkedArray:
    return pc.utf8_trim_whitespace(check.table.columns[column])


def _readable(check: Checking, moments: Moments | None, column: str) -> NDArray[np.int64]:
    """Seconds, `BLANK` where there is nothing; what cannot be read is dropped and its row repaired."""
    if moments is None:
        return np.full(check.table.rows, BLANK)
    bad = np.flatnonzero(moments.seconds == UNREADABLE)
    check.repair(bad, [_UNREADABLE_TIME] * len(bad), column, check.table.columns[column])
    return np.where(moments.seconds == UNREADABLE, BLANK, moments.seconds)


def _not_before(
    check: Checking, begin: NDArray[np.int64], finish: NDArray[np.int64], ended: Moments | None
) -> NDArray[np.int64]:
    """The ends, none of them before its start: where one would be, the start."""
    early = (begin > UNREADABLE) & (finish > UNREADABLE) & (finish < begin)
    if ended is None or not early.any():
        return finish
    # An end without a time of day is any time of that day, so on the day of the start it is not before it.
    any_time = (ended.precision == _DAY) & (finish // _DAY_S == begin // _DAY_S)
    rows = np.flatnonzero(early & ~any_time)
    column = check.layout.columns.to
    check.repair(rows, ["ends before it starts: the start is taken"] * len(rows), column, check.table.columns[column])
    return np.where(early, begin, finish)


def _updated(check: Checking) -> pa.Array:
    """When the supplier last changed each row; changes must all say so, and name what they change."""
    columns = check.layout.columns
    if not columns.updated:
        return pa.nulls(check.table.rows, pa.timestamp("s"))
    moments = _moments(check, columns.updated, "")
    if check.layout.kind == "changes":
        undated = np.flatnonzero(moments.seconds <= UNREADABLE)
        nameless = np.flatnonzero(pc.equal(_trimmed(check, columns.reference), "").to_numpy())
        if len(undated):
            check.faults.append(
                f"{check.name}: {len(undated):,} rows have no readable time of change in '{columns.updated}': "
                f"{check.examples(undated, columns.updated)}.\nWhich of two states of a row is the newer one would be a guess."
            )
        if len(nameless):
            check.faults.append(
                f"{check.name}: {len(nameless):,} rows have no reference in '{columns.reference}', the first on line "
                f"{check.table.lines(nameless[:1])[0]}.\nChanges are made by reference: without one nobody knows what changed."
            )
    return _timestamps(_readable(check, moments, columns.updated))


def _refuse_dates(check: Checking, counted: Moments, field: str, days: NDArray[np.int64], today: date) -> None:
    unreadable = np.flatnonzero(counted.seconds <= UNREADABLE)
    if len(unreadable):
        check.faults.append(
            f"{check.name}: {len(unreadable):,} rows have no readable date in '{field}': {check.examples(unreadable, field)}."
            f"\nThe layout {check.layout.name} reads {' or '.join(check.layout.dates.all) or 'year, month, day'}."
        )
    last = (Month.of(today).last - date(1970, 1, 1)).days
    early = np.flatnonzero((counted.seconds > UNREADABLE) & (counted.seconds < 0))
    if len(early):
        check.faults.append(
            f"{check.name}: {len(early):,} rows are dated before 1970: {check.examples(early, field)}.\nIs the year right?"
        )
    future = np.flatnonzero((counted.seconds > UNREADABLE) & (days > last))
    if len(future):
        check.faults.append(
            f"{check.name}: {len(future):,} rows are dated after the current month ({Month.of(today)}): "
            f"{check.examples(future, field)}.\nIs the day before the month, or the machine's clock wrong?"
        )


def _timestamps(seconds: NDArray[np.int64]) -> pa.Array:
    return pa.array(np.where(seconds == BLANK, 0, seconds), mask=seconds == BLANK).cast(pa.timestamp("s"))
