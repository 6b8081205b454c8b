"""From extracts, notes and rows to coverage: what was supplied, by the days covered, by a rule and by hand."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import func, literal, select

from mapping.coverage import NO_EXTRACT, Coverage, Gap, Stream, StreamMonth
from mapping.coverage_notes import read_notes, shipped_gaps
from mapping.normals import LEAST_NORMAL, compare_months
from mapping.store.models import (
    AreaCount,
    CrimeTypeRow,
    Extract,
    ExtractTypeCount,
    Incident,
    MonthPlaces,
    OutcomeRow,
    Source,
    SuppliedWindow,
)
from mapping.vocabulary import Month, Period

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray
    from sqlalchemy import Connection

    from mapping.normals import Comparison

__all__ = ["read_coverage"]

LATE_MONTHS = 3
"""How many months are not complete yet where incidents count in the month they began."""


@dataclass(slots=True)
class _Supply:
    """What the ledger and the rows say of one stream; `rows` are by month and number of the crime type."""

    source: str
    stream: str
    known: Period
    records: str
    counted_by_start: bool = False
    days: dict[Month, int] = field(default_factory=lambda: defaultdict(int))
    sent: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    rows: dict[tuple[Month, int], int] = field(default_factory=lambda: defaultdict(int))

    def cover(self, first: date, last: date) -> None:
        """Add a window; windows do not overlap."""
        for month in Period(Month.of(first), Month.of(last)):
            self.days[month] += (min(last, month.last) - max(first, month.first) + timedelta(days=1)).days


def read_coverage(connection: Connection, *, open_only: bool) -> Coverage:
    """The coverage of every stream, or only of those of open sources, by source and stream."""
    supplies = _read_streams(connection, open_only=open_only)
    _read_windows(connection, supplies)
    _read_types(connection, supplies)
    _read_rows(connection, supplies)
    names = {row.id: (row.slug, row.name) for row in connection.execute(select(CrimeTypeRow))}
    notes = read_notes(connection)
    return Coverage(tuple(_stream(supply, names, notes) for _, supply in sorted(supplies.items())))


def _read_streams(connection: Connection, *, open_only: bool) -> dict[tuple[str, str], _Supply]:
    visible = Source.access == "open" if open_only else Source.access.is_not(None)
    # The ledger forgets no extract, so a month that was taken out again is known, and not supplied. An extract of changes
    # covers no days.
    supplies: dict[tuple[str, str], _Supply] = {}
    for row in connection.execute(
        select(
            Source.slug,
            Extract.stream,
            Extract.counted_by,
            Extract.records,
            func.min(Extract.date_from).label("first"),
            func.max(Extract.date_to).label("last"),
        )
        .join(Source, Source.id == Extract.source_id)
        .where(visible, Extract.kind == "window")
        .group_by(Source.slug, Extract.stream, Extract.counted_by, Extract.records)
        .order_by(Source.slug, Extract.stream, Extract.records, Extract.counted_by)
    ):
        key = (row.slug, row.stream)
        first, last = Month.of(row.first), Month.of(row.last)
        supply = supplies.setdefault(key, _Supply(*key, Period(first, last), row.records))
        supply.known = Period(min(supply.known.first, first), max(supply.known.last, last))
        supply.counted_by_start |= row.counted_by == "from"
    return supplies


def _read_windows(connection: Connection, supplies: dict[tuple[str, str], _Supply]) -> None:
    for window in connection.execute(
        select(Source.slug, Extract.stream, SuppliedWindow.date_from, SuppliedWindow.date_to)
        .join(Extract, Extract.id == SuppliedWindow.extract_id)
        .join(Source, Source.id == Extract.source_id)
    ):
        if supply := supplies.get((window.slug, window.stream)):
            supply.cover(window.date_from, window.date_to)


def _read_types(connection: Connection, supplies: dict[tuple[str, str], _Supply]) -> None:
    for row in connection.execute(
        select(Source.slug, Extract.stream, CrimeTypeRow.slug.label("type"), func.max(ExtractTypeCount.count).label("most"))
        .join(Extract, Extract.source_id == Source.id)
        .join(ExtractTypeCount, ExtractTypeCount.extract_id == Extract.id)
        .join(CrimeTypeRow, CrimeTypeRow.id == ExtractTypeCount.crime_type_id)
        .where(Extract.withdrawn_at.is_(None))
        .group_by(Source.slug, Extract.stream, CrimeTypeRow.slug)
    ):
        if supply := supplies.get((row.slug, row.stream)):
            supply.sent.add(row.type)
            if row.most:
                supply.seen.add(row.type)


def _read_rows(connection: Connection, supplies: dict[tuple[str, str], _Supply]) -> None:
    """Rows by month and type; of a source's only stream of incidents from what is packed, which is many times faster."""
    ids = dict(connection.execute(select(Source.slug, Source.id)).all())
    streams: dict[str, list[_Supply]] = defaultdict(list)
    for supply in supplies.values():
        if supply.records == "incidents":
            streams[supply.source].append(supply)
        else:
            _read_other_rows(connection, supply, ids[supply.source])
    for source, found in streams.items():
        if len(found) == 1:
            for row in connection.execute(
                select(MonthPlaces.month, MonthPlaces.crime_type_ids)
                .where(MonthPlaces.source_id == ids[source])
                .execution_options(yield_per=60)
            ):
                counts = np.bincount(np.frombuffer(row.crime_type_ids, "<i4"))
                for crime_type in np.flatnonzero(counts):
                    found[0].rows[Month.of(row.month), int(crime_type)] = int(counts[crime_type])
        else:
            _read_incidents(connection, {supply.stream: supply for supply in found}, ids[source])


def _read_incidents(connection: Connection, supplies: dict[str, _Supply], source_id: int) -> None:
    stream_of = dict(connection.execute(select(Extract.id, Extract.stream).where(Extract.source_id == source_id)).all())
    # By day and type, as the index has them: how a date becomes a month is said differently by each engine.
    for extract_id, day, crime_type, rows in connection.execute(
        select(Incident.extract_id, Incident.date, Incident.crime_type_id, func.count())
        .where(Incident.extract_id.in_(select(Extract.id).where(Extract.source_id == source_id)))
        .group_by(Incident.extract_id, Incident.date, Incident.crime_type_id)
    ):
        if supply := supplies.get(stream_of[extract_id]):
            supply.rows[Month.of(day), crime_type] += rows


def _read_other_rows(connection: Connection, supply: _Supply, source_id: int) -> None:
    mine = select(Extract.id).where(Extract.source_id == source_id, Extract.stream == supply.stream)
    rows = (
        select(OutcomeRow.date, literal(0), func.count()).where(OutcomeRow.extract_id.in_(mine)).group_by(OutcomeRow.date)
        if supply.records == "outcomes"
        else select(AreaCount.month, AreaCount.crime_type_id, func.sum(AreaCount.count))
        .where(AreaCount.extract_id.in_(mine))
        .group_by(AreaCount.month, AreaCount.crime_type_id)
    )
    for day, crime_type, count in connection.execute(rows):
        supply.rows[Month.of(day), crime_type] += int(count)


def _stream(supply: _Supply, names: dict[int, tuple[str, str]], notes: tuple[Gap, ...]) -> Stream:
    months = list(supply.known)
    types = sorted({crime_type for _, crime_type in supply.rows})
    by_type = np.zeros((len(months), len(types)), dtype=np.int64)
    at = {crime_type: i for i, crime_type in enumerate(types)}
    for (month, crime_type), rows in supply.rows.items():
        if supply.known.first <= month <= supply.known.last:
            by_type[month.index - months[0].index, at[crime_type]] = rows
    judged = [_by_days(supply, month) for month in months]
    by_hand = [_of(notes, supply, month) for month in months]
    shipped = [_of(shipped_gaps(), supply, month) for month in months]
    whole = np.array(
        [
            status == "supplied" and not gap and (not note or note.status == "supplied")
            for (status, _), note, gap in zip(judged, by_hand, shipped, strict=True)
        ],
        dtype=bool,
    )
    beside = compare_months(by_type, whole)
    found = {}
    for i, month in enumerate(months):
        rows = int(by_type[i].sum())
        usual = None if np.isnan(beside.normal[i]) else float(beside.normal[i])
        status, reason = judged[i]
        if status == "supplied":
            status, reason = _by_rule(rows, beside, i)
        if gap := shipped[i]:
            status, reason = _in_gap(gap, status, reason, usual)
        all_days = judged[i][0] == "supplied"
        gone = _missing(beside.absent[i], types, names) if all_days and status != "not-supplied" else {}
        if note := by_hand[i]:
            covered = supply.days[month] > 0
            # A month that no extract covers is not supplied, whatever is said of it.
            status = note.status if covered else "not-supplied"
            reason = f"by hand: {note.reason}" if covered or note.status != "supplied" else reason
            gone = gone if status == "partial" else {}
        found[month] = StreamMonth(month, status, reason, rows, usual, gone)
    outside = (*shipped_gaps(), *(replace(n, reason=f"by hand: {n.reason}") for n in notes if n.status != "supplied"))
    return Stream(supply.source, supply.stream, found, frozenset(supply.sent), frozenset(supply.seen), supply.records, outside)


def _of(gaps: tuple[Gap, ...], supply: _Supply, month: Month) -> Gap | None:
    """The latest that is said of a month."""
    return next((gap for gap in reversed(gaps) if gap.of(supply.source, supply.stream, month)), None)


def _by_days(supply: _Supply, month: Month) -> tuple[str, str]:
    covered, all_days = supply.days[month], month.last.day
    if not covered:
        return "not-supplied", NO_EXTRACT
    if covered < all_days:
        return "partial", f"extracts cover {covered} of its {all_days} days"
    if supply.counted_by_start and month in sorted(m for m, days in supply.days.items() if days)[-LATE_MONTHS:]:
        return "partial", "incidents count in the month they began, and this one is still filling up"
    return "supplied", ""


def _by_rule(rows: int, beside: Comparison, i: int) -> tuple[str, str]:
    if not rows and beside.normal[i] >= LEAST_NORMAL:
        return "not-supplied", f"no rows, where {beside.normal[i]:,.0f} are normal"
    if beside.few[i]:
        usual = beside.normal_present[i]
        return "partial", f"{rows:,} rows are {100 * rows / usual:.0f}% of the normal {usual:,.0f}"
    return "supplied", ""


def _in_gap(gap: Gap, status: str, reason: str, usual: float | None) -> tuple[str, str]:
    if status == "not-supplied":
        return status, gap.reason
    if status == "supplied" and usual is not None and usual >= LEAST_NORMAL:
        return status, reason  # as many rows as are normal: the gap was filled later
    return "partial", gap.reason


def _missing(absent: NDArray[np.bool_], types: list[int], names: dict[int, tuple[str, str]]) -> dict[str, str]:
    return dict(sorted(names[types[i]] for i in np.flatnonzero(absent)))
