"""Which months each source supplied: what makes a zero a zero."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import compress
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from mapping.store.models import CrimeTypeRow, Extract, ExtractTypeCount, Incident, Source, SuppliedWindow
from mapping.vocabulary import Month, Period

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

LATE_MONTHS = 3
"""How many months are not complete yet where incidents count in the month they began."""

__all__ = ["Coverage", "Stream", "StreamMonth", "month_statuses", "read_coverage", "read_stream_months"]


@dataclass(frozen=True, slots=True)
class Stream:
    """What one source sends of one stream: its months from first to last, and the crime types that it can say.

    `seen` are those of which there was ever an incident.
    """

    source: str
    stream: str
    months: dict[Month, str]
    crime_types: frozenset[str]
    seen: frozenset[str]

    def status(self, month: Month) -> str:
        """`supplied`, `partial` or `not-supplied`."""
        return self.months.get(month, "not-supplied")


@dataclass(frozen=True, slots=True)
class StreamMonth:
    """How many rows are kept of one stream's month."""

    source: str
    stream: str
    month: Month
    rows: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """The streams in view."""

    streams: tuple[Stream, ...]

    def status(self, month: Month) -> str:
        """Whether every stream supplied the month; where there is none, nobody did."""
        found = {stream.status(month) for stream in self.streams} or {"not-supplied"}
        return found.pop() if len(found) == 1 else "partial"

    def of(self, *, crime_types: Iterable[str] | None = None, sources: Iterable[str] | None = None) -> Coverage:
        """The streams that send any of these types, of these sources."""
        types = None if crime_types is None else set(crime_types)
        names = None if sources is None else set(sources)
        return Coverage(
            tuple(s for s in self.streams if (types is None or s.crime_types & types) and (names is None or s.source in names))
        )

    def only(self, wanted: Iterable[bool]) -> Coverage:
        """Its streams that are wanted, one truth for each."""
        return Coverage(tuple(compress(self.streams, wanted)))

    @property
    def span(self) -> Period | None:
        """From the first to the last month of which anything is there."""
        months = [m for s in self.streams for m, status in s.months.items() if status != "not-supplied"]
        return Period(min(months), max(months)) if months else None

    @property
    def latest(self) -> Month | None:
        """The latest month that any stream supplied whole (else in part): what the data are as of."""
        whole = [m for s in self.streams for m, status in s.months.items() if status == "supplied"]
        span = self.span
        return max(whole) if whole else span.last if span else None

    def by_source(self) -> dict[str, dict[Month, str]]:
        """For each source its months from first to last: `supplied` only where every stream of it is."""
        grouped: dict[str, list[Stream]] = defaultdict(list)
        for stream in self.streams:
            grouped[stream.source].append(stream)
        return {source: _together(streams) for source, streams in sorted(grouped.items())}

    def missing(self, period: Period) -> list[dict[str, str]]:
        """Source, month and status of what is not there in a period, by source and month."""
        return [
            {"source": source, "month": str(month), "status": months.get(month, "not-supplied")}
            for source, months in self.by_source().items()
            for month in period
            if months.get(month, "not-supplied") != "supplied"
        ]


def _together(streams: list[Stream]) -> dict[Month, str]:
    known = [month for stream in streams for month in stream.months]
    months: dict[Month, str] = {}
    for month in Period(min(known), max(known)):
        found = {s.status(month) for s in streams}
        months[month] = found.pop() if len(found) == 1 else "partial"
    return months


def month_statuses(windows: Iterable[tuple[date, date]], *, known: Period) -> dict[Month, str]:
    """Status of each month of a period that holds the windows.

    Parameters
    ----------
    windows
        Inclusive pairs of days that do not overlap.
    known
        The months that were ever supplied, those taken out again included.
    """
    days: dict[Month, int] = defaultdict(int)
    for first, last in windows:
        for month in Period(Month.of(first), Month.of(last)):
            days[month] += (min(last, month.last) - max(first, month.first) + timedelta(days=1)).days
    return {
        month: "not-supplied" if not days[month] else "supplied" if days[month] == month.last.day else "partial"
        for month in known
    }


def _late_months_partial(months: dict[Month, str]) -> dict[Month, str]:
    """Where incidents count in the month they began, the last three months are still filling up."""
    late = sorted(month for month, status in months.items() if status != "not-supplied")[-LATE_MONTHS:]
    return {month: "partial" if month in late and status == "supplied" else status for month, status in months.items()}


def read_coverage(connection: Connection, *, open_only: bool) -> Coverage:
    """The coverage of every stream, or only of those of open sources."""
    visible = Source.access == "open" if open_only else Source.access.is_not(None)
    # The ledger forgets no extract, so a month that was taken out again is known, and not supplied.
    known: dict[tuple[str, str], Period] = {}
    counted_by_start: set[tuple[str, str]] = set()
    for row in connection.execute(
        select(Source.slug, Extract.stream, Extract.counted_by, func.min(Extract.date_from), func.max(Extract.date_to))
        .join(Source, Source.id == Extract.source_id)
        .where(visible, Extract.kind == "window")
        .group_by(Source.slug, Extract.stream, Extract.counted_by)
        .order_by(Source.slug, Extract.stream)
    ):
        key, first, last = (row[0], row[1]), Month.of(row[3]), Month.of(row[4])
        before = known.get(key, Period(first, last))
        known[key] = Period(min(before.first, first), max(before.last, last))
        if row.counted_by == "from":
            counted_by_start.add(key)
    windows: dict[tuple[str, str], list[tuple[date, date]]] = defaultdict(list)
    for window in connection.execute(
        select(Source.slug, Extract.stream, SuppliedWindow.date_from, SuppliedWindow.date_to)
        .join(Extract, Extract.id == SuppliedWindow.extract_id)
        .join(Source, Source.id == Extract.source_id)
        .where(visible)
    ):
        windows[window.slug, window.stream].append((window.date_from, window.date_to))
    types: dict[tuple[str, str], set[str]] = defaultdict(set)
    counted: dict[tuple[str, str], set[str]] = defaultdict(set)
    for sent in connection.execute(
        select(Source.slug, Extract.stream, CrimeTypeRow.slug.label("type"), func.max(ExtractTypeCount.count).label("most"))
        .join(Extract, Extract.source_id == Source.id)
        .join(ExtractTypeCount, ExtractTypeCount.extract_id == Extract.id)
        .join(CrimeTypeRow, CrimeTypeRow.id == ExtractTypeCount.crime_type_id)
        .where(visible, Extract.withdrawn_at.is_(None))
        .group_by(Source.slug, Extract.stream, CrimeTypeRow.slug)
    ):
        types[sent.slug, sent.stream].add(sent.type)
        if sent.most:
            counted[sent.slug, sent.stream].add(sent.type)
    months = {key: month_statuses(windows[key], known=period) for key, period in known.items()}
    for key in counted_by_start:
        months[key] = _late_months_partial(months[key])
    return Coverage(tuple(Stream(*key, months[key], frozenset(types[key]), frozenset(counted[key])) for key in known))


def read_stream_months(connection: Connection, *, open_only: bool) -> list[StreamMonth]:
    """Rows kept of each source, stream and month, wherever they lie; months without any are left out."""
    visible = Source.access == "open" if open_only else Source.access.is_not(None)
    # By day, as the index has it: how a date becomes a month is said differently by each engine.
    by_day = (
        select(Incident.extract_id, Incident.date, func.count().label("rows"))
        .group_by(Incident.extract_id, Incident.date)
        .subquery()
    )
    kept: dict[tuple[str, str, Month], int] = defaultdict(int)
    for row in connection.execute(
        select(Source.slug, Extract.stream, by_day.c.date, by_day.c.rows)
        .join(Extract, Extract.id == by_day.c.extract_id)
        .join(Source, Source.id == Extract.source_id)
        .where(visible)
    ):
        kept[row.slug, row.stream, Month.of(row.date)] += row.rows
    return [StreamMonth(*key, rows) for key, rows in sorted(kept.items())]
