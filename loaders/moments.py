"""Texts to dates and times, each distinct text once, in the formats that a layout states and no other."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from loaders.layouts.declaration import EXCEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["BLANK", "PRECISIONS", "UNREADABLE", "Moments", "parse_moments"]

PRECISIONS = ("month", "day", "minute")
BLANK = np.iinfo(np.int64).min
UNREADABLE = BLANK + 1
# What a spreadsheet's own date cells become, alone and with a time of day that stands beside them as text.
_ISO = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d")
_LOCAL = ZoneInfo("Europe/London")
_SERIAL = re.compile(r"[0-9]{1,6}(\.[0-9]+)?")
_SERIAL_DAY_0 = -25_569  # days from 1970 to 30 December 1899, where spreadsheets begin to count


@dataclass(frozen=True, slots=True)
class Moments:
    """Seconds since 1970 in local time (or `BLANK`, `UNREADABLE`), and the index of each one's precision in `PRECISIONS`."""

    seconds: NDArray[np.int64]
    precision: NDArray[np.int8]


def parse_moments(texts: pa.ChunkedArray, *, formats: Sequence[str], iso: bool) -> Moments:
    """Read a column of dates or times.

    Parameters
    ----------
    formats
        strptime formats, tried in order; one without `%d` gives a month, one with `%H` or `%I` a minute. A moment with an
        offset from UTC (`%z`) becomes local time. `excel` reads a spreadsheet's number of days.
    iso
        Whether ISO dates are read too, because a workbook's date cells were written so. Where the formats know months
        only, such a cell is one too: a spreadsheet makes the first of the month of it.
    """
    encoded = texts.combine_chunks().dictionary_encode() if texts.num_chunks else pa.array([], pa.string()).dictionary_encode()
    tried = [(f, _precision(f)) for f in (*formats, *(_ISO if iso else ()))]
    parsed = [_parse(text.strip(), tried) for text in encoded.dictionary.to_pylist()]
    if iso and not any(_precision(f) for f in formats):
        parsed = [(_first_of_month(second), 0) for second, _ in parsed]
    seconds = np.array([p[0] for p in parsed], dtype=np.int64)
    precision = np.array([p[1] for p in parsed], dtype=np.int8)
    at = encoded.indices.to_numpy(zero_copy_only=False)
    return Moments(seconds[at], precision[at])


def _first_of_month(seconds: int) -> int:
    if seconds <= UNREADABLE:
        return seconds
    return int(datetime.fromtimestamp(seconds, UTC).replace(day=1, hour=0, minute=0, second=0).timestamp())


def _precision(format_: str) -> int:
    if format_ == EXCEL:
        return 1
    if any(letter in format_ for letter in ("%H", "%I", "%X", "%c")):
        return 2
    return 1 if any(letter in format_ for letter in ("%d", "%j", "%x", "%D")) else 0


def _parse(text: str, tried: list[tuple[str, int]]) -> tuple[int, int]:
    if not text:
        return BLANK, 0
    for format_, precision in tried:
        if format_ == EXCEL:
            if _SERIAL.fullmatch(text):
                return _of_serial(float(text))
            continue
        try:
            moment = datetime.strptime(text, format_)  # noqa: DTZ007 - with an offset only where the format has one
        except ValueError:
            continue
        if moment.tzinfo:
            moment = moment.astimezone(_LOCAL)
        # The clock of the place, whatever its zone: counted as if it were UTC, so that no hour is lost or doubled.
        return int(moment.replace(tzinfo=UTC).timestamp()), precision
    return UNREADABLE, 0


def _of_serial(days: float) -> tuple[int, int]:
    """A spreadsheet's number of days, to the second that its rounding allows."""
    seconds = round((days + _SERIAL_DAY_0) * 86_400)
    return seconds, 2 if seconds % 86_400 else 1
