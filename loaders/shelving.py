"""Checked extracts go into the store: replace their windows, place new places, recount. One transaction."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pyarrow.compute as pc
from sqlalchemy import func, insert, select
from sqlalchemy.orm import aliased

from loaders.alterations import Alterations
from loaders.amendments import has_changes, settle
from loaders.entering import OpenLedger
from loaders.ledger import months_of
from loaders.outcomes import report_joined, store_outcomes
from loaders.quality import ExtractReport, LoadReport, number_of
from loaders.shelf import Shelf
from mapping.errors import DataRefused
from mapping.ledger import base_name
from mapping.store import writing
from mapping.store.models import BoundarySet, CrimeTypeRow, Extract, ExtractTypeCount, HeldIncident, Incident
from mapping.store.stamp import stamp
from mapping.vocabulary import Month

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from loaders.amendments import Settled
    from loaders.entering import Fresh
    from loaders.progress import Progress
    from loaders.sorting import ReceivedExtract
    from mapping.vocabulary import CrimeType


__all__ = ["shelve", "type_ids"]

_MOST_OUTSIDE = 0.9
_PLENTY = 20
_NAMED = 3


def shelve(
    engine: Engine,
    extracts: list[ReceivedExtract],
    report: LoadReport,
    *,
    now: datetime,
    replace: bool,
    progress: Progress,
) -> None:
    """Store extracts, each in place of what was known of its window; fills `report`.

    Raises
    ------
    DataRefused
        If a window would lose more than half its rows without `replace`, or a source would change who may see it.
    """
    with writing(engine) as connection:
        ids_of_types = type_ids(connection, (t for extract in extracts for t in extract.layout.all_types))
        ledger = OpenLedger(connection, now)
        faults: list[str] = []
        for extract in extracts:
            done = _report_of(extract)
            report.extracts.append(done)
            try:
                ledger.enter(extract, done, replace=replace)
            except DataRefused as error:
                faults.append(str(error))
        if faults:
            raise DataRefused("\n\n".join(faults), hint="Nothing was stored.")
        if ledger.fresh:
            _store(connection, ledger, ids_of_types, now=now, progress=progress)
            stamp(connection)
            report.warnings += [
                warning
                for extract, done, source_id in ledger.fresh
                if extract.kind == "window"
                for warning in (*_types_gone(connection, done, source_id), *_stands_amended(connection, extract, done))
            ]
        _warn(connection, report)


def _store(connection: Connection, ledger: OpenLedger, type_ids: dict[str, int], *, now: datetime, progress: Progress) -> None:
    """Store what is new, let the newest state of each reference count, and count the months that this touches."""
    shared = ledger.close()
    outcomes = [new for new in ledger.fresh if new[0].layout.records == "outcomes"]
    store_outcomes(connection, outcomes)
    _store_incidents(connection, ledger, type_ids, shared, now=now, progress=progress)
    report_joined(connection, outcomes)


def _store_incidents(
    connection: Connection,
    ledger: OpenLedger,
    type_ids: dict[str, int],
    shared: dict[int, set[Month]],
    *,
    now: datetime,
    progress: Progress,
) -> None:
    incidents = [new for new in ledger.fresh if new[0].layout.records == "incidents"]
    if not incidents:
        Alterations(connection, {}).write(now=now, what=_in_words(ledger.fresh))
        return
    shelf = Shelf(connection, incidents, progress)
    shelf.store(type_ids)
    touched, past = defaultdict[int, set[Month]](set), defaultdict[int, set[Month]](set)
    amended = False
    for (source_id, stream), windows in ledger.touched.items():
        months = set(windows)
        if has_changes(connection, source_id=source_id, stream=stream):
            amended = True
            settled = settle(connection, source_id=source_id, stream=stream)
            _report_changes(ledger.fresh, settled)
            months |= settled.months
            # Of this stream the rows at hand are not all that count, or not all of them do.
            shared[source_id] = shared.get(source_id, set()) | months
        touched[source_id] |= months
        past[source_id] |= months & ledger.supplied_before[source_id, stream]
    if amended:
        shelf.read_held()
    alterations = Alterations(connection, past)
    shelf.count(touched, shared)
    alterations.write(now=now, what=_in_words(ledger.fresh))


def _report_changes(fresh: list[Fresh], settled: Settled) -> None:
    new = {done.extract_id for _, done, _ in fresh}
    for _, done, _ in fresh:
        extract_id = done.extract_id or 0
        done.changes = settled.by_extract.get(extract_id, done.changes)
        rows, by = settled.standing.get(extract_id, (0, []))
        before = [number for number in by if number not in new]
        if before:
            done.amended_by = (rows, before)


def _in_words(fresh: list[Fresh]) -> str:
    """What was loaded, with no path: `loaded jan.csv, feb.csv (tiny-constabulary street)`."""
    names = [base_name(name) for extract, _, _ in fresh for name, _ in extract.files]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    of = sorted({f"{extract.source} {extract.layout.stream}" for extract, _, _ in fresh})
    return f"loaded {', '.join(names[:_NAMED])}{more} ({', '.join(of)})"


def _report_of(extract: ReceivedExtract) -> ExtractReport:
    rows = extract.rows
    repaired = {issue.row for issue in extract.issues if issue.outcome == "repaired"}
    return ExtractReport(
        source=extract.source,
        stream=extract.layout.stream,
        window=(extract.window.first, extract.window.last),
        files=[name for name, _ in extract.files],
        read=rows.num_rows + extract.set_aside + extract.rejected,
        kept=rows.num_rows,
        repaired=len(repaired),
        set_aside=extract.set_aside,
        rejected=extract.rejected,
        without_coordinates=rows["x"].null_count if extract.layout.records == "incidents" else 0,
        repeated_references=sum(issue.outcome == "noted" for issue in extract.issues),
        issues=extract.issues,
        months={Month.of(day) for day in pc.unique(rows["date"]).to_pylist()},
        records=extract.layout.records,
    )


def type_ids(connection: Connection, types: Iterable[CrimeType]) -> dict[str, int]:
    """Ids of all crime types, those that a layout adds included."""
    known = {row.slug: row for row in connection.execute(select(CrimeTypeRow))}
    ids: dict[str, int] = {slug: row.id for slug, row in known.items()}
    for crime_type in types:
        stored = known.get(crime_type.id)
        if stored and (stored.name, stored.type_group) != (crime_type.name, crime_type.group):
            raise DataRefused(
                f"The type {crime_type.id} is '{stored.name}' of the group {stored.type_group} in the store, and the layout "
                f"says '{crime_type.name}' of {crime_type.group}.",
                hint="Give it another id in the layout. Nothing was stored.",
            )
        if crime_type.id not in ids:
            ids[crime_type.id] = len(ids) + 1
            connection.execute(
                insert(CrimeTypeRow).values(
                    id=ids[crime_type.id], slug=crime_type.id, name=crime_type.name, group=crime_type.group
                )
            )
    return ids


def _types_gone(connection: Connection, done: ExtractReport, source_id: int) -> list[str]:
    """Say of which types the extract before this one had plenty, and this one has none."""
    before = connection.scalar(
        select(Extract.id)
        .where(
            Extract.source_id == source_id,
            Extract.stream == done.stream,
            Extract.kind == "window",
            Extract.date_to < done.window[0],
            Extract.withdrawn_at.is_(None),
        )
        .order_by(Extract.date_to.desc(), Extract.id.desc())
        .limit(1)
    )
    then, now = aliased(ExtractTypeCount), aliased(ExtractTypeCount)
    gone = connection.execute(
        select(CrimeTypeRow.name, then.count)
        .join(then, then.crime_type_id == CrimeTypeRow.id)
        .join(now, now.crime_type_id == CrimeTypeRow.id)
        .where(then.extract_id == before, then.count >= _PLENTY, now.extract_id == done.extract_id, now.count == 0)
        .order_by(CrimeTypeRow.id)
    ).all()
    return [
        f"{', '.join(done.files[:2])}: no row is of {name}, of which the extract before had {count:,}. If it was not sent, its "
        "zeros say nothing."
        for name, count in gone
    ]


def _stands_amended(connection: Connection, extract: ReceivedExtract, done: ExtractReport) -> list[str]:
    """Say that changes loaded before stand above rows of which nothing says whether they are newer."""
    rows, by = done.amended_by
    if not rows or extract.as_of or not extract.rows["updated_at"].null_count:
        return []
    last = max(
        filter(
            None,
            (connection.scalar(select(func.max(m.updated_at)).where(m.extract_id.in_(by))) for m in (Incident, HeldIncident)),
        )
    )
    which = f"{'extract' if len(by) == 1 else 'extracts'} {', '.join(map(str, by))} (updated up to {last:%Y-%m-%d})"
    stand = f"{number_of(rows, 'row')} of it {'stands' if rows == 1 else 'stand'}"
    cut = "If this extract was cut later, say so: load it again with --as-of and the day."
    return [f"{', '.join(done.files[:2])}: {stand} as amended by {which}. {cut}"]


def _warn(connection: Connection, report: LoadReport) -> None:
    """Say what the figures alone would not: nothing to be in, or nearly nothing in it."""
    sets = connection.scalars(select(BoundarySet.name)).all()
    if not sets:
        report.warnings.append("No boundary set is loaded: nothing is in a ward yet. Run `wardwatch load boundaries FILE`.")
    for done in report.extracts:
        empty = sorted(months_of(*done.window) - done.months)
        if empty and not done.unchanged and not done.changes:
            shown = ", ".join(str(month) for month in empty[:6]) + (" ..." if len(empty) > 6 else "")
            report.warnings.append(f"{', '.join(done.files[:2])}: no row is of {shown}, which counts as supplied, with none.")
        if not done.unchanged and done.without_coordinates > _MOST_OUTSIDE * done.kept:
            report.warnings.append(
                f"{', '.join(done.files[:2])}: {done.without_coordinates:,} of {done.kept:,} rows have no coordinates, and so "
                "are in no ward: zeros of these months say nothing."
            )
        for name, in_ward in done.in_ward.items():
            outside = done.kept - done.without_coordinates - in_ward
            if outside > _MOST_OUTSIDE * done.kept:
                report.warnings.append(
                    f"{', '.join(done.files[:2])}: {outside:,} of {done.kept:,} rows lie outside every ward of {name}."
                )
