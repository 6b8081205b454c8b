"""Checked extracts go into the store: replace their windows, place new places, recount. One transaction."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow.compute as pc
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import aliased

from loaders.ledger import clear_window, months_of, next_id, rows_in_window, supplied_months
from loaders.quality import ExtractReport, LoadReport
from loaders.shelf import Shelf
from mapping.errors import DataRefused
from mapping.store import writing
from mapping.store.models import (
    BoundarySet,
    CrimeTypeRow,
    Extract,
    ExtractFile,
    ExtractTypeCount,
    Incident,
    Source,
    SuppliedWindow,
)
from mapping.store.stamp import stamp
from mapping.vocabulary import Month

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from sqlalchemy import Connection, Engine

    from loaders.progress import Progress
    from loaders.sorting import ReceivedExtract
    from mapping.vocabulary import CrimeType


__all__ = ["shelve"]

_MOST_OUTSIDE = 0.9
_PLENTY = 20


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
        ledger = _OpenLedger(connection, now)
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
            kept_months = ledger.close()
            Shelf(connection, ledger.fresh, progress).store(type_ids, ledger.touched, kept_months)
            stamp(connection)
            report.warnings += [w for _, done, source_id in ledger.fresh for w in _types_gone(connection, done, source_id)]
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
        months={Month.of(day) for day in pc.unique(rows["date"]).to_pylist()},
    )


def _type_ids(connection: Connection, types: Iterable[CrimeType]) -> dict[str, int]:
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


@dataclass(frozen=True, slots=True)
class _StoredWindow:
    """Days that are covered now, and by what."""

    first: date
    last: date
    layout_sha256: str
    rejected: int
    files: tuple[str, ...]


class _OpenLedger:
    """The ledger while extracts are entered: what it says of each source and stream is read once, and written at the end."""

    def __init__(self, connection: Connection, now: datetime) -> None:
        self.connection = connection
        self.now = now
        self.fresh: list[tuple[ReceivedExtract, ExtractReport, int]] = []
        self.touched: dict[int, set[Month]] = defaultdict(set)
        self._sources: dict[str, tuple[int, str]] = {
            row.slug: (row.id, row.access) for row in connection.execute(select(Source))
        }
        self._windows: dict[tuple[int, str], list[_StoredWindow]] = {}
        self._next_id = next_id(connection, Extract)

    def enter(self, extract: ReceivedExtract, done: ExtractReport, *, replace: bool) -> None:
        """Make room for an extract that is new; one that is stored already is marked so in its report."""
        source_id = self._source_id(extract)
        stream, window = extract.layout.stream, extract.window
        stored = self._stored(source_id, stream)
        done.unchanged = any(_is_same(extract, found) for found in stored)
        if done.unchanged:
            return
        if any(found.first <= Month.of(window.last).last and found.last >= Month.of(window.first).first for found in stored):
            self._replace_window(source_id, extract, done, replace=replace)
        done.extract_id = self._next_id
        self._next_id += 1
        self.touched[source_id] |= months_of(window.first, window.last)
        self.fresh.append((extract, done, source_id))

    def close(self) -> dict[int, set[Month]]:
        """Write the new extracts down; returns, for each source, the touched months that others of its extracts cover too."""
        supplied = supplied_months(self.connection)
        shared = {source_id: months & supplied.get(source_id, set()) for source_id, months in self.touched.items()}
        self.connection.execute(insert(Extract), [self._entry(*fresh) for fresh in self.fresh])
        files = [
            {"extract_id": done.extract_id, "position": i, "name": name, "sha256": sha256}
            for extract, done, _ in self.fresh
            for i, (name, sha256) in enumerate(extract.files)
        ]
        self.connection.execute(insert(ExtractFile), files)
        windows = [
            {"extract_id": done.extract_id, "date_from": extract.window.first, "date_to": extract.window.last}
            for extract, done, _ in self.fresh
        ]
        self.connection.execute(insert(SuppliedWindow), windows)
        return shared

    def _source_id(self, extract: ReceivedExtract) -> int:
        if extract.source not in self._sources:
            source_id = next_id(self.connection, Source)
            self.connection.execute(
                insert(Source).values(
                    id=source_id,
                    slug=extract.source,
                    name=extract.source_name,
                    access=extract.layout.access,
                    attribution=extract.layout.attribution,
                )
            )
            self._sources[extract.source] = (source_id, extract.layout.access)
        source_id, access = self._sources[extract.source]
        if access != extract.layout.access:
            raise DataRefused(
                f"{extract.files[0][0]}: the source {extract.source} is {access} in the store, and the layout "
                f"{extract.layout.name} says {extract.layout.access}.\nWho may see a source is never changed by a load: "
                "correct the layout, or give these files a source of their own with --source."
            )
        if extract.layout.attribution:
            # What must be printed is what the supplier's layout says now.
            self.connection.execute(update(Source).where(Source.id == source_id).values(attribution=extract.layout.attribution))
        return source_id

    def _stored(self, source_id: int, stream: str) -> list[_StoredWindow]:
        if (source_id, stream) not in self._windows:
            files: dict[int, list[str]] = defaultdict(list)
            mine = (Extract.source_id == source_id) & (Extract.stream == stream)
            for row in self.connection.execute(
                select(ExtractFile.extract_id, ExtractFile.sha256)
                .join(Extract, Extract.id == ExtractFile.extract_id)
                .where(mine)
            ):
                files[row.extract_id].append(row.sha256)
            self._windows[source_id, stream] = [
                _StoredWindow(
                    row.date_from, row.date_to, row.layout_sha256, row.rows_rejected, tuple(sorted(files[row.extract_id]))
                )
                for row in self.connection.execute(
                    select(SuppliedWindow, Extract.layout_sha256, Extract.rows_rejected)
                    .join(Extract, Extract.id == SuppliedWindow.extract_id)
                    .where(mine)
                )
            ]
        return self._windows[source_id, stream]

    def _replace_window(self, source_id: int, extract: ReceivedExtract, done: ExtractReport, *, replace: bool) -> None:
        window, stream = extract.window, extract.layout.stream
        if not window.is_whole_months:
            _refuse_over_months(self.connection, source_id, extract)
        done.replaced_rows = rows_in_window(
            self.connection, source_id=source_id, stream=stream, first=window.first, last=window.last
        )
        if done.kept * 2 < done.replaced_rows and not replace:
            raise DataRefused(
                f"{', '.join(done.files[:3])}: would leave {extract.source} {stream} {window} with {done.kept:,} rows, where "
                f"{done.replaced_rows:,} are stored.\nA cut file looks like this. If it is right, load it with --replace."
            )
        clear_window(self.connection, source_id=source_id, stream=stream, first=window.first, last=window.last)

    def _entry(self, extract: ReceivedExtract, done: ExtractReport, source_id: int) -> dict[str, object]:
        return {
            "id": done.extract_id,
            "source_id": source_id,
            "stream": done.stream,
            "layout": extract.layout.name,
            "layout_sha256": extract.layout.sha256,
            "counted_by": extract.layout.month_of,
            "date_from": extract.window.first,
            "date_to": extract.window.last,
            "loaded_at": self.now,
            "withdrawn_at": None,
            "rows_read": done.read,
            "rows_kept": done.kept,
            "rows_repaired": done.repaired,
            "rows_set_aside": done.set_aside,
            "rows_rejected": done.rejected,
            "rows_without_coordinates": done.without_coordinates,
            "repeated_references": done.repeated_references,
            "kind": "window",
            "records": "incidents",
            "areas": "",
            "as_of": None,
            "precision_m": extract.layout.precision_m,
        }


def _is_same(extract: ReceivedExtract, stored: _StoredWindow) -> bool:
    """Whether a window is covered whole by just these files, read by the same layout with the same outcome."""
    return (
        (stored.first, stored.last) == (extract.window.first, extract.window.last)
        and (stored.layout_sha256, stored.rejected) == (extract.layout.sha256, extract.rejected)
        and stored.files == tuple(sorted(sha256 for _, sha256 in extract.files))
    )


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


def _types_gone(connection: Connection, done: ExtractReport, source_id: int) -> list[str]:
    """Say of which types the extract before this one had plenty, and this one has none."""
    before = connection.scalar(
        select(Extract.id)
        .where(
            Extract.source_id == source_id,
            Extract.stream == done.stream,
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


def _warn(connection: Connection, report: LoadReport) -> None:
    """Say what the figures alone would not: nothing to be in, or nearly nothing in it."""
    sets = connection.scalars(select(BoundarySet.name)).all()
    if not sets:
        report.warnings.append("No boundary set is loaded: nothing is in a ward yet. Run `wardwatch load boundaries FILE`.")
    for done in report.extracts:
        empty = sorted(months_of(*done.window) - done.months)
        if empty and not done.unchanged:
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
