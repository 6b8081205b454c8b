"""load_area_counts: incidents that a source gives only as counts of areas, by month and crime type."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from sqlalchemy import func, insert, select, update

from loaders.alterations import Alterations
from loaders.area_cells import Cells, counted_in_no_ward, read_cells
from loaders.extracts import open_received
from loaders.ledger import clear_window, months_covered, months_of, next_id
from loaders.listings import read_listing, shown
from loaders.shelving import type_ids
from loaders.sorting import FIRST_YEAR, Window
from mapping.area_counts import recount_areas
from mapping.errors import DataRefused
from mapping.store import bulk_insert, check_ready, writing
from mapping.store.models import (
    AreaCount,
    AreaLookupFile,
    BoundarySet,
    CrimeTypeRow,
    Extract,
    ExtractFile,
    ExtractTypeCount,
    Source,
    SuppliedWindow,
)
from mapping.store.stamp import stamp
from mapping.vocabulary import BUILT_IN_CRIME_TYPES, Month, Period, slug

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Connection, Engine

    from loaders.extracts import Received

__all__ = ["AreaCountsReport", "load_area_counts"]

STREAM = "area-counts"
_MOST = 2_000_000_000  # in one file; what both stores can hold


@dataclass(slots=True)
class AreaCountsReport:
    """What became of a file of counts."""

    source: str
    stream: str
    areas: str
    window: Window
    rows: int
    known: int
    total: int
    extract_id: int | None = None
    notes: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The report as it is printed."""
        what = f"{self.source} {self.stream} {self.window}"
        if self.extract_id is None:
            return [f"{what}: the same as what is stored. Nothing changed."]
        counted = f"{self.total:,} incidents in {self.known:,} areas ({self.areas}), from {self.rows:,} rows"
        return [f"Extract {self.extract_id}: {what}: {counted}.", *self.notes]


def load_area_counts(
    engine: Engine,
    path: Path,
    *,
    areas: str,
    source: str,
    now: datetime,
    access: str = "protected",
    window: Window | None = None,
    match: str = "code",
    crime_type: str | None = None,
    attribution: str = "",
    replace: bool = False,
) -> AreaCountsReport:
    """Load counts from a CSV or XLSX file with a row for each area, month and crime type; rows of 0 may be left out.

    Parameters
    ----------
    areas
        What the areas are called: a loaded boundary set, or what a lookup leads from.
    window
        The whole months that the file is complete for; by default those it has rows of, if no month between is missing.
    match
        `code`, or `name` where the file has names of areas only.
    crime_type
        The type of every row, where the file has no column of types.
    replace
        Allow the window to be left with less than half of what it counted, or without a type that it had.

    Raises
    ------
    DataRefused
        With the reason; the store is as it was.
    """
    check_ready(engine)
    for what, given in (("areas", areas), ("a source", source)):
        if not given or given != slug(given):
            raise DataRefused(f"'{given}' is not the name of {what}.", hint=f"Write it as '{slug(given) or 'lsoa21'}'.")
    received = next(open_received([path], left_out=[]))
    table = read_listing(received)
    with writing(engine) as connection:
        cells = read_cells(connection, table, received.name, areas=areas, match=match, crime_type=crime_type)
        found = _window_of(cells, window, received.name, Month.of(now.date()))
        report = AreaCountsReport(
            source=source,
            stream=f"{STREAM}-{crime_type}" if crime_type else STREAM,
            areas=areas,
            window=found,
            rows=table.rows,
            known=len(set(cells.areas.tolist())),
            total=int(cells.counts.sum()),
        )
        if report.total > _MOST:
            raise DataRefused(
                f"{received.name}: counts {report.total:,} incidents, more than can be ({_MOST:,}).", hint="Correct the file."
            )
        read_as = hashlib.sha256(f"{areas}|{match}|{crime_type or ''}".encode()).hexdigest()
        source_id = _source_id(connection, source, access=access, attribution=attribution)
        if _is_stored(connection, source_id, report, received, read_as):
            return report
        past = months_of(found.first, found.last) & months_covered(connection, source_id=source_id, stream=report.stream)
        alterations = Alterations(connection, {source_id: past})
        _make_room(connection, source_id, report, cells, name=received.name, replace=replace)
        report.extract_id = _enter(connection, source_id, report, received, read_as=read_as, now=now)
        _store_cells(connection, report, cells)
        recount_areas(connection, source_ids=[source_id])
        report.notes += _notes(connection, report, cells)
        stamp(connection)
        alterations.write(now=now, what=f"loaded {received.base_name} ({source} {report.stream})")
    return report


def _window_of(cells: Cells, given: Window | None, name: str, current: Month) -> Window:
    has = {Month.from_index(int(i)) for i in np.unique(cells.months)}
    span = Period(min(has), max(has))
    if given is None:
        gaps = [str(month) for month in span if month not in has]
        if gaps:
            raise DataRefused(
                f"{name}: no row is of {shown(gaps)}, and nothing says whether nothing was recorded or nothing supplied.",
                hint=f"If the file is complete for them too, load it with --window {span.first}:{span.last}; if not, load the "
                "parts before and after each from files of their own.",
            )
        given = Window(span.first.first, span.last.last)
    if not given.is_whole_months:
        raise DataRefused(f"The window {given} is not of whole months.", hint="Counts are of months: --window 2024-01:2024-12.")
    if given.first.year < FIRST_YEAR or given.last > current.last:
        raise DataRefused(
            f"{name}: the window {given} is not between {FIRST_YEAR} and the current month ({current}): nothing can be "
            "complete for it.",
            hint="Give the months that the file is complete for.",
        )
    if span.first.first < given.first or span.last.last > given.last:
        raise DataRefused(
            f"{name}: its rows run from {span.first} to {span.last}, beyond the window {given}.",
            hint="Give a window that holds them, or a file of those months only.",
        )
    return given


def _source_id(connection: Connection, source: str, *, access: str, attribution: str) -> int:
    found = connection.execute(select(Source).where(Source.slug == source)).first()
    if found is None:
        source_id = next_id(connection, Source)
        name = source.replace("-", " ").capitalize()
        values = {"id": source_id, "slug": source, "name": name, "access": access, "attribution": attribution}
        connection.execute(insert(Source).values(values))
        return source_id
    if found.access != access:
        raise DataRefused(
            f"The source {source} is {found.access} in the store, not {access}.",
            hint=f"Who may see a source is never changed by a load: use --access {found.access}, or another --source.",
        )
    if attribution:
        connection.execute(update(Source).where(Source.id == found.id).values(attribution=attribution))
    return int(found.id)


def _is_stored(connection: Connection, source_id: int, report: AreaCountsReport, received: Received, read_as: str) -> bool:
    return (
        connection.scalar(
            select(Extract.id)
            .join(SuppliedWindow, SuppliedWindow.extract_id == Extract.id)
            .join(ExtractFile, ExtractFile.extract_id == Extract.id)
            .where(
                Extract.source_id == source_id,
                Extract.stream == report.stream,
                Extract.layout_sha256 == read_as,
                ExtractFile.sha256 == received.sha256,
                SuppliedWindow.date_from == report.window.first,
                SuppliedWindow.date_to == report.window.last,
            )
        )
        is not None
    )


def _make_room(
    connection: Connection, source_id: int, report: AreaCountsReport, cells: Cells, *, name: str, replace: bool
) -> None:
    mine = (Extract.source_id == source_id) & (Extract.stream == report.stream)
    if connection.scalar(select(Extract.id).where(mine, Extract.records != "area-counts").limit(1)):
        raise DataRefused(
            f"{name}: the stream {report.stream} of {report.source} holds incidents, not counts of areas.",
            hint="Give these counts another --source.",
        )
    window = report.window
    stored = connection.execute(
        select(CrimeTypeRow.slug, func.sum(AreaCount.count))
        .join(AreaCount, AreaCount.crime_type_id == CrimeTypeRow.id)
        .join(Extract, Extract.id == AreaCount.extract_id)
        .where(mine, AreaCount.month.between(window.first, window.last))
        .group_by(CrimeTypeRow.slug)
        .order_by(CrimeTypeRow.slug)
    ).all()
    before = sum(int(total) for _, total in stored)
    gone = sorted({slug_ for slug_, total in stored if total} - set(cells.crime_types.tolist()))
    if report.total * 2 < before and not replace:
        raise DataRefused(
            f"{name}: would leave {report.source} {report.stream} {window} with {report.total:,} incidents, where {before:,} "
            "are stored.",
            hint="A cut file looks like this. If it is right, load it with --replace.",
        )
    if gone and not replace:
        raise DataRefused(
            f"{name}: has no row of {', '.join(gone)}, of which {report.source} {window} has counts that this file would take "
            "the place of.",
            hint="Counts of another type belong to another --source, or in one file. If they are gone, load it with --replace.",
        )
    clear_window(connection, source_id=source_id, stream=report.stream, first=window.first, last=window.last)


def _enter(
    connection: Connection, source_id: int, report: AreaCountsReport, received: Received, *, read_as: str, now: datetime
) -> int:
    extract_id = next_id(connection, Extract)
    entry = {
        "id": extract_id,
        "source_id": source_id,
        "stream": report.stream,
        "layout": STREAM,
        "layout_sha256": read_as,
        "counted_by": "date",
        "date_from": report.window.first,
        "date_to": report.window.last,
        "loaded_at": now,
        "withdrawn_at": None,
        "rows_read": report.rows,
        "rows_kept": report.rows,
        "kind": "window",
        "records": "area-counts",
        "areas": report.areas,
        "as_of": None,
        "precision_m": None,
    }
    none = ("rows_repaired", "rows_set_aside", "rows_rejected", "rows_without_coordinates", "repeated_references")
    connection.execute(insert(Extract).values(entry | dict.fromkeys(none, 0)))
    file = {"extract_id": extract_id, "position": 0, "name": received.name, "sha256": received.sha256}
    connection.execute(insert(ExtractFile).values(file))
    window = {"extract_id": extract_id, "date_from": report.window.first, "date_to": report.window.last}
    connection.execute(insert(SuppliedWindow).values(window))
    return extract_id


def _store_cells(connection: Connection, report: AreaCountsReport, cells: Cells) -> None:
    ids = type_ids(connection, BUILT_IN_CRIME_TYPES)
    types = np.array([ids[crime_type] for crime_type in cells.crime_types.tolist()], dtype=np.int64)
    # Zeros are kept: they say which areas the source counts.
    bulk_insert(
        connection,
        AreaCount.__table__,  # type: ignore[arg-type]
        pa.table(
            {
                "extract_id": np.full(len(types), report.extract_id),
                "area_code": pa.array(cells.areas.tolist(), pa.string()),
                "month": pa.array([Month.from_index(i).first for i in cells.months.tolist()], pa.date32()),
                "crime_type_id": types,
                "count": cells.counts,
            }
        ),
    )
    totals = np.bincount(types, weights=cells.counts)
    rows = [{"extract_id": report.extract_id, "crime_type_id": int(t), "count": int(totals[t])} for t in np.unique(types)]
    connection.execute(insert(ExtractTypeCount), rows)


def _notes(connection: Connection, report: AreaCountsReport, cells: Cells) -> list[str]:
    """Say what no figure would: months without a row, and sets that the counts do not come onto."""
    months = {Month.from_index(int(i)) for i in np.unique(cells.months)}
    window = Period(Month.of(report.window.first), Month.of(report.window.last))
    empty = [str(month) for month in window if month not in months]
    notes = [f"No row is of {shown(empty)}, which counts as supplied, with none."] if empty else []
    for set_id, name in connection.execute(select(BoundarySet.id, BoundarySet.name).order_by(BoundarySet.id)).all():
        file = AreaLookupFile
        led = connection.scalar(select(file.weighted_by).where(file.areas == report.areas, file.boundary_set_id == set_id))
        if name == report.areas:
            notes.append(f"On {name} they are exact.")
        elif led:
            notes.append(f"On {name} they are estimated: apportioned by {led}.")
            notes += counted_in_no_ward(connection, areas=report.areas, set_id=set_id, name=name)
        else:
            notes.append(
                f"On {name} they give no figure: no lookup from {report.areas} to {name} is loaded (`wardwatch load lookup`)."
            )
    return notes
