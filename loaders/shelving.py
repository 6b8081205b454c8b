"""Checked extracts go into the store: replace their windows, place new places, recount. One transaction."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select

from loaders.ledger import clear_window, months_of, next_id, rows_in_window, stamp
from loaders.quality import ExtractReport, LoadReport
from loaders.shelf import Shelf
from mapping.counts import months_in_store
from mapping.errors import DataRefused
from mapping.store import writing
from mapping.store.models import (
    BoundarySet,
    CrimeTypeRow,
    Extract,
    ExtractFile,
    Incident,
    Source,
    SuppliedWindow,
)
from mapping.vocabulary import Month

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from loaders.progress import Progress
    from loaders.sorting import ReceivedExtract
    from mapping.vocabulary import CrimeType


__all__ = ["shelve"]

_MOST_OUTSIDE = 0.9


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
        type_ids = _type_ids(connection, (t for extract in extracts for t in extract.layout.all_types))
        touched: dict[int, set[Month]] = defaultdict(set)
        fresh: list[tuple[ReceivedExtract, ExtractReport, int]] = []
        faults: list[str] = []
        for extract in extracts:
            done = _report_of(extract)
            report.extracts.append(done)
            try:
                source_id = _source_id(connection, extract)
                done.unchanged = _is_stored(connection, source_id, extract)
                if not done.unchanged:
                    _replace_window(connection, source_id, extract, done, replace=replace)
                    done.extract_id = _enter(connection, source_id, extract, done, now=now)
                    touched[source_id] |= months_of(extract.window.first, extract.window.last)
                    fresh.append((extract, done, source_id))
            except DataRefused as error:
                faults.append(str(error))
        if faults:
            raise DataRefused("\n\n".join(faults), hint="Nothing was stored.")
        if fresh:
            kept_months = {source_id: months_in_store(connection, source_id, months) for source_id, months in touched.items()}
            Shelf(connection, fresh, progress).store(type_ids, touched, kept_months)
            stamp(connection)
        _warn(connection, report)


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
        without_coordinates=rows["x"].null_count,
        repeated_references=sum(issue.outcome == "noted" for issue in extract.issues),
        issues=extract.issues,
    )


def _type_ids(connection: Connection, types: Iterable[CrimeType]) -> dict[str, int]:
    """Ids of all crime types, those that a layout adds included."""
    known = {row[0]: row[1] for row in connection.execute(select(CrimeTypeRow.slug, CrimeTypeRow.id))}
    for crime_type in types:
        if crime_type.id not in known:
            known[crime_type.id] = len(known) + 1
            connection.execute(
                insert(CrimeTypeRow).values(
                    id=known[crime_type.id], slug=crime_type.id, name=crime_type.name, group=crime_type.group
                )
            )
    return known


def _source_id(connection: Connection, extract: ReceivedExtract) -> int:
    known = connection.execute(select(Source).where(Source.slug == extract.source)).first()
    if known is None:
        source_id = next_id(connection, Source)
        connection.execute(
            insert(Source).values(
                id=source_id,
                slug=extract.source,
                name=extract.source_name,
                access=extract.layout.access,
                attribution=extract.layout.attribution,
            )
        )
        return source_id
    if known.access != extract.layout.access:
        raise DataRefused(
            f"{extract.files[0][0]}: the source {extract.source} is {known.access} in the store, and the layout "
            f"{extract.layout.name} says {extract.layout.access}.\nWho may see a source is never changed by a load: correct "
            "the layout, or give these files a source of their own with --source."
        )
    return int(known.id)


def _is_stored(connection: Connection, source_id: int, extract: ReceivedExtract) -> bool:
    """Whether the window is covered whole by an extract of just these files, read by the same layout with the same outcome."""
    found = connection.execute(
        select(Extract)
        .join(SuppliedWindow, SuppliedWindow.extract_id == Extract.id)
        .where(
            Extract.source_id == source_id,
            Extract.stream == extract.layout.stream,
            Extract.layout_sha256 == extract.layout.sha256,
            Extract.rows_rejected == extract.rejected,
            SuppliedWindow.date_from == extract.window.first,
            SuppliedWindow.date_to == extract.window.last,
        )
    ).first()
    if found is None:
        return False
    files = connection.scalars(select(ExtractFile.sha256).where(ExtractFile.extract_id == found.id)).all()
    return sorted(files) == sorted(sha256 for _, sha256 in extract.files)


def _replace_window(
    connection: Connection, source_id: int, extract: ReceivedExtract, done: ExtractReport, *, replace: bool
) -> None:
    window, stream = extract.window, extract.layout.stream
    if not window.is_whole_months:
        _refuse_over_months(connection, source_id, extract)
    where = {"source_id": source_id, "stream": stream, "first": window.first, "last": window.last}
    done.replaced_rows = rows_in_window(connection, **where)  # type: ignore[arg-type]
    if done.kept * 2 < done.replaced_rows and not replace:
        raise DataRefused(
            f"{', '.join(done.files[:3])}: would leave {extract.source} {stream} {window} with {done.kept:,} rows, where "
            f"{done.replaced_rows:,} are stored.\nA cut file looks like this. If it is right, load it with --replace."
        )
    clear_window(connection, **where)  # type: ignore[arg-type]


def _refuse_over_months(connection: Connection, source_id: int, extract: ReceivedExtract) -> None:
    window = extract.window
    monthly = connection.scalar(
        select(func.count())
        .select_from(Incident)
        .join(Extract, Extract.id == Incident.extract_id)
        .where(
            Extract.source_id == source_id,
            Extract.stream == extract.layout.stream,
            Incident.precision == "month",
            Incident.date.between(Month.of(window.first).first, window.last),
        )
    )
    if monthly:
        raise DataRefused(
            f"{extract.files[0][0]}: the window {window} cuts a month of which {monthly:,} rows are stored without a day.\n"
            "Load whole months of this stream, or give the layout a stream of its own."
        )


def _enter(connection: Connection, source_id: int, extract: ReceivedExtract, done: ExtractReport, *, now: datetime) -> int:
    """Write the extract into the ledger; returns its id."""
    extract_id = next_id(connection, Extract)
    connection.execute(
        insert(Extract).values(
            id=extract_id,
            source_id=source_id,
            stream=done.stream,
            layout=extract.layout.name,
            layout_sha256=extract.layout.sha256,
            counted_by=extract.layout.month_of,
            date_from=extract.window.first,
            date_to=extract.window.last,
            loaded_at=now,
            withdrawn_at=None,
            rows_read=done.read,
            rows_kept=done.kept,
            rows_repaired=done.repaired,
            rows_set_aside=done.set_aside,
            rows_rejected=done.rejected,
            rows_without_coordinates=done.without_coordinates,
            repeated_references=done.repeated_references,
        )
    )
    files = [
        {"extract_id": extract_id, "position": i, "name": name, "sha256": sha256}
        for i, (name, sha256) in enumerate(extract.files)
    ]
    connection.execute(insert(ExtractFile), files)
    connection.execute(
        insert(SuppliedWindow).values(extract_id=extract_id, date_from=extract.window.first, date_to=extract.window.last)
    )
    return extract_id


def _warn(connection: Connection, report: LoadReport) -> None:
    """Say what the figures alone would not: nothing to be in, or nearly nothing in it."""
    sets = connection.scalars(select(BoundarySet.name)).all()
    if not sets:
        report.warnings.append("No boundary set is loaded: nothing is in a ward yet. Run `wardwatch load boundaries FILE`.")
    for done in report.extracts:
        for name, in_ward in done.in_ward.items():
            outside = done.kept - done.without_coordinates - in_ward
            if outside > _MOST_OUTSIDE * done.kept:
                report.warnings.append(
                    f"{', '.join(done.files[:2])}: {outside:,} of {done.kept:,} rows lie outside every ward of {name}."
                )
