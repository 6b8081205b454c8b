"""Extracts entered in the ledger: who sent them, which days they take over, whether they are there already."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, update

from loaders.ledger import clear_window, months_of, next_id, rows_in_window, supplied_months
from mapping.errors import DataRefused
from mapping.store.models import Extract, ExtractFile, Incident, Source, SuppliedWindow
from mapping.vocabulary import Month

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlalchemy import Connection

    from loaders.quality import ExtractReport
    from loaders.sorting import ReceivedExtract

__all__ = ["Fresh", "OpenLedger"]

Fresh = tuple["ReceivedExtract", "ExtractReport", int]
"""A new extract, its report, and the id of its source."""


@dataclass(frozen=True, slots=True)
class _Stored:
    """What is current of a stream: days that are covered, or an extract of changes, and from what it came."""

    kind: str
    first: date
    last: date
    layout_sha256: str
    rejected: int
    as_of: date | None
    files: tuple[str, ...]
    records: str


class OpenLedger:
    """The ledger while extracts are entered: what it says of each source and stream is read once, and written at the end."""

    def __init__(self, connection: Connection, now: datetime) -> None:
        self.connection = connection
        self.now = now
        self.fresh: list[Fresh] = []
        self.touched: dict[tuple[int, str], set[Month]] = defaultdict(set)
        self.supplied_before: dict[tuple[int, str], set[Month]] = {}
        self._sources: dict[str, tuple[int, str]] = {
            row.slug: (row.id, row.access) for row in connection.execute(select(Source))
        }
        self._current: dict[tuple[int, str], list[_Stored]] = {}
        self._next_id = next_id(connection, Extract)

    def enter(self, extract: ReceivedExtract, done: ExtractReport, *, replace: bool) -> None:
        """Make room for an extract that is new; one that is stored already is marked so in its report."""
        source_id = self._source_id(extract)
        stream, window = extract.layout.stream, extract.window
        stored = self._stored(source_id, stream)
        done.unchanged = any(_is_same(extract, found) for found in stored)
        if done.unchanged:
            return
        _refuse_other_records(extract, stored)
        key = (source_id, stream)
        windows = [found for found in stored if found.kind == "window"]
        self.supplied_before[key] = set[Month]().union(*(months_of(w.first, w.last) for w in windows))
        if extract.kind == "window":
            start, end = Month.of(window.first).first, Month.of(window.last).last
            if any(found.first <= end and found.last >= start for found in windows):
                self._replace_window(source_id, extract, done, replace=replace)
            if extract.layout.records == "incidents":
                self.touched[key] |= months_of(window.first, window.last)
        else:
            self.touched[key] |= set()
        done.extract_id = self._next_id
        self._next_id += 1
        self.fresh.append((extract, done, source_id))

    def close(self) -> dict[int, set[Month]]:
        """Write the new extracts down; returns, for each source, the touched months that others of its extracts cover too."""
        supplied = supplied_months(self.connection)
        shared: dict[int, set[Month]] = defaultdict(set)
        for (source_id, _), months in self.touched.items():
            shared[source_id] |= months & supplied.get(source_id, set())
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
            if extract.kind == "window"
        ]
        if windows:
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

    def _stored(self, source_id: int, stream: str) -> list[_Stored]:
        if (source_id, stream) not in self._current:
            files: dict[int, list[str]] = defaultdict(list)
            mine = (Extract.source_id == source_id) & (Extract.stream == stream)
            for row in self.connection.execute(
                select(ExtractFile.extract_id, ExtractFile.sha256)
                .join(Extract, Extract.id == ExtractFile.extract_id)
                .where(mine)
            ):
                files[row.extract_id].append(row.sha256)
            about = (
                *(Extract.id, Extract.kind, Extract.layout_sha256, Extract.rows_rejected),
                *(Extract.as_of, Extract.records),
            )
            windows = select(SuppliedWindow.date_from, SuppliedWindow.date_to, *about).join(
                Extract, Extract.id == SuppliedWindow.extract_id
            )
            changes = select(Extract.date_from, Extract.date_to, *about).where(
                Extract.kind == "changes", Extract.withdrawn_at.is_(None)
            )
            self._current[source_id, stream] = [
                _Stored(
                    row.kind,
                    row.date_from,
                    row.date_to,
                    row.layout_sha256,
                    row.rows_rejected,
                    row.as_of,
                    tuple(sorted(files[row.id])),
                    row.records,
                )
                for statement in (windows, changes)
                for row in self.connection.execute(statement.where(mine))
            ]
        return self._current[source_id, stream]

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
            "kind": extract.kind,
            "records": extract.layout.records,
            "areas": "",
            "as_of": extract.as_of,
            "precision_m": extract.layout.precision_m,
        }


def _is_same(extract: ReceivedExtract, stored: _Stored) -> bool:
    """Whether just these files are current already, read by the same layout with the same outcome; a window whole."""
    return (
        (stored.kind, stored.first, stored.last) == (extract.kind, extract.window.first, extract.window.last)
        and (stored.layout_sha256, stored.rejected) == (extract.layout.sha256, extract.rejected)
        and extract.as_of in (None, stored.as_of)
        and stored.files == tuple(sorted(sha256 for _, sha256 in extract.files))
    )


def _refuse_other_records(extract: ReceivedExtract, stored: list[_Stored]) -> None:
    """A window replaces what its stream has: so a stream has rows of one kind."""
    records = extract.layout.records
    other = next((found.records for found in stored if found.records != records), None)
    if other:
        raise DataRefused(
            f"{extract.files[0][0]}: its rows are {records}, and the stream {extract.layout.stream} of {extract.source} holds "
            f"{other}.\nGive the layout {extract.layout.name} a stream of its own."
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
            Extract.kind == "window",
            Incident.precision == "month",
            Incident.date.between(Month.of(window.first).first, window.last),
        )
    )
    if monthly:
        raise DataRefused(
            f"{extract.files[0][0]}: the window {window} cuts a month of which {monthly:,} rows are stored without a day.\n"
            "Load whole months of this stream, or give the layout a stream of its own."
        )
