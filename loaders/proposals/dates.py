"""How the dates of a column are written: their shapes and, from all rows, which number is the day."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders.moments import UNREADABLE, parse_moments
from loaders.proposals.shapes import Found, match_date

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from loaders.proposals.profiles import Profile

__all__ = ["DateWriting", "Writing", "read_dates"]

_MIDNIGHT = {"00:00", "00:00:00", "0:00", "0:00:00", "12:00:00 AM", "12:00 AM", "00:00:00.000", "00:00:00.000Z", "00:00:00Z"}
_WHOLE_HOUR = re.compile(r"\d{1,2}:00(:00(\.0+)?)?( ?[AP]M)?(Z|[+-]\d\d:?\d\d)?")
_MANY_ROWS = 20
_NOTHING = {"NULL", "(NULL)", "NONE", "NA", "N/A", "NAN", "NAT", "-", "--", "UNKNOWN", "NIL", "0", "\\N"}
_MOST_TIMES = 3
_MOST_SHAPES = 1500
_HIGHEST = {"d": 31, "m": 12, "y": 99}


@dataclass(slots=True)
class Writing:
    """Dates written alike: the orders that its numbers allow, where several were possible, and what excluded the others.

    An order is `dmy`, `mdy`, `ymd` ...; `found` makes its format. `excluded` gives, for an order that a row excludes, the row
    and its text. `days` are the distinct texts of the dates without their times.
    """

    found: Found
    orders: set[str]
    rows: int = 0
    excluded: dict[str, tuple[int, str]] = field(default_factory=dict)
    days: set[str] = field(default_factory=set)
    times: set[str] = field(default_factory=set)

    @property
    def idle_times(self) -> list[str]:
        """Its times where they say no time of day: midnight, or one or two whole hours in many rows (midnight elsewhere)."""
        times = sorted(self.times)
        plain = [time.strip(" T,").upper() for time in times]
        if len(times) == 1 and plain[0] in _MIDNIGHT:
            return times
        idle = 0 < len(times) < _MOST_TIMES and self.rows >= _MANY_ROWS and all(_WHOLE_HOUR.fullmatch(time) for time in plain)
        return times if idle else []

    def formats(self, order: str) -> list[str]:
        """Its strptime formats in an order of its numbers, if it knows it; idle times as they stand: a day is read."""
        idle = self.idle_times
        day = self.day_format(order)
        return [day + time for time in idle] if idle else [self.found.format(self._known(order))]

    def _known(self, order: str) -> str:
        known = self.found.orders
        return order if order in known else next((o for o in known if o in self.orders), known[0])

    def day_format(self, order: str) -> str:
        """The format of the date alone."""
        return self.found.day_format(self._known(order))


@dataclass(slots=True)
class DateWriting:
    """All that is written in a column of dates; `unread` counts rows that are none that a layout can read, `odd` shows some."""

    writings: list[Writing]
    unread: int = 0
    odd: list[str] = field(default_factory=list)

    @property
    def is_ambiguous(self) -> bool:
        """Whether some of it leaves open, by its shape alone, which number is the day."""
        return any(len(w.found.orders) > 1 for w in self.writings)

    @property
    def orders(self) -> set[str]:
        """The orders that all rows allow; empty where rows contradict each other."""
        allowed = [w.orders for w in self.writings if len(w.found.orders) > 1]
        return set.intersection(*allowed) if allowed else set()

    @property
    def is_timed(self) -> bool:
        """Whether some of it holds a time of day."""
        return any(w.found.is_timed and not w.idle_times for w in self.writings)

    @property
    def has_days(self) -> bool:
        """Whether it says the day."""
        return any("d" in order for w in self.writings for order in w.found.orders)

    def formats(self, order: str = "") -> list[str]:
        """Its formats, the most frequent first; an ambiguous one in the order given."""
        frequent = sorted(self.writings, key=lambda w: -w.rows)
        return list(dict.fromkeys(f for w in frequent for f in w.formats(order)))

    def proof(self) -> tuple[int, str, str] | None:
        """The row, its text and the order that it proves, where rows leave one order of several."""
        left = self.orders
        for writing in self.writings:
            for order in writing.excluded:
                if len(left) == 1 and len(writing.found.orders) > 1:
                    return (*writing.excluded[order], next(iter(left)))
        return None

    def span(self, order: str = "") -> tuple[date, date] | None:
        """The first and the last day, read in an order."""
        read = self.read_days(order)
        return (min(read), max(read)) if read else None

    def read_days(self, order: str = "") -> set[date]:
        """Its different days, read in an order."""
        return {_day(second) for _, second in self._days(order) if second > UNREADABLE}

    def impossible(self, order: str = "") -> list[str]:
        """What has the shape of a date and is none: `99/99/9999`."""
        return sorted(text for text, second in self._days(order) if second <= UNREADABLE)

    def _days(self, order: str) -> Iterator[tuple[str, int]]:
        """Its distinct dates, as they stand and in seconds."""
        for writing in self.writings:
            days = sorted(writing.days)
            texts = pa.chunked_array([pa.array(days, pa.string())])
            seconds = parse_moments(texts, formats=[writing.day_format(order)], iso=False).seconds
            yield from zip(days, map(int, seconds), strict=True)


def _day(seconds: int) -> date:
    return datetime.fromtimestamp(seconds, UTC).date()


def read_dates(profile: Profile) -> DateWriting | None:
    """How a column writes dates, or None if most of it is no date."""
    sample = [text for text in profile.sample if text.upper() not in _NOTHING]
    if not sample or sum(match_date(text) is not None for text in sample) < 0.6 * len(sample):
        return None
    writings: dict[str, Writing] = {}
    result = DateWriting([])
    none = 0
    shapes = pc.replace_substring_regex(profile.texts, pattern="[0-9]", replacement="9").dictionary_encode()
    if len(shapes.dictionary) > _MOST_SHAPES:
        return None
    for members in _groups(shapes.indices.to_numpy(zero_copy_only=False), len(shapes.dictionary)):
        texts = profile.texts.take(pa.array(members))
        example = texts[0].as_py()
        if not example:
            continue
        for found, mine in _readings(texts):
            rows = int(profile.counts[members[mine]].sum())
            if found is None:
                result.unread += rows
                result.odd += texts.take(pa.array(np.flatnonzero(mine)[:2])).to_pylist()
                none += rows if example.upper() in _NOTHING else 0
                continue
            writing = writings.setdefault(found.key, Writing(found, set(found.orders)))
            _add(writing, found, texts.filter(pa.array(mine)), members[mine], profile)
            writing.rows += rows
    result.writings = sorted(writings.values(), key=lambda w: -w.rows)
    if result.unread - none > 0.4 * max(profile.filled - none, 1):
        return None
    return result


def _groups(at: NDArray[np.int32], number: int) -> Iterator[NDArray[np.int64]]:
    """The indices of each group."""
    order = np.argsort(at, kind="stable")
    ends = np.cumsum(np.bincount(at, minlength=number))
    return (group for group in np.split(order, ends[:-1]) if len(group))


def _readings(texts: pa.Array) -> Iterator[tuple[Found | None, NDArray[np.bool_]]]:
    """What texts of one shape are, and which of them: their offsets and the digits of their years may tell them apart."""
    example = texts[0].as_py()
    everything = np.ones(len(texts), dtype=bool)
    found = match_date(example)
    if found is None:
        # The first may be the odd one out.
        tried = texts.take(pa.array(np.linspace(0, len(texts) - 1, min(len(texts), 9)).astype(np.int64))).to_pylist()
        found = next((f for f in map(match_date, tried) if f is not None), None)
    if found is None:
        yield None, everything
        return
    if not found.varying:
        yield found, everything
        return
    start, end = found.varying
    parts = pc.utf8_slice_codeunits(texts, start, end).dictionary_encode()
    at = parts.indices.to_numpy(zero_copy_only=False)
    for number, members in enumerate(_groups(at, len(parts.dictionary))):
        yield match_date(texts[int(members[0])].as_py()) if number < 9 else None, at == number


def _add(writing: Writing, found: Found, texts: pa.Array, members: NDArray[np.int64], profile: Profile) -> None:
    """Note which orders these texts, all of one shape, exclude, and their days."""
    writing.days.update(pc.unique(pc.utf8_slice_codeunits(texts, 0, found.day_end)).to_pylist())
    if found.is_timed and len(writing.times) < _MOST_TIMES:
        times = pc.unique(pc.utf8_slice_codeunits(texts, found.day_end, 100))
        writing.times.update(times[:_MOST_TIMES].to_pylist())
    if len(found.orders) < 2:
        return
    for place, (start, end) in enumerate(found.numbers):
        numbers = pc.utf8_slice_codeunits(texts, start, end).cast(pa.int32()).to_numpy()
        for order in found.orders:
            # Over 31 it is neither: a fault of the row that says nothing about the others, unless years stand there.
            highest, most = _HIGHEST[found.letters(order)[place]], 99 if len(found.numbers) > 2 else 31
            over = np.flatnonzero((numbers > highest) & (numbers <= most))
            if len(over):
                proof = (profile.row_of(int(members[over[0]])), texts[int(over[0])].as_py())
                writing.excluded[order] = min(proof, writing.excluded.get(order, proof))
                writing.orders.discard(order)
