"""The ledger of extracts: which days are covered by which, and what is taken back out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select, update

from mapping.counts import pack_from_store, recount
from mapping.errors import NotFound
from mapping.store import writing
from mapping.store.models import (
    AreaLookup,
    AreaLookupFile,
    BoundarySet,
    BoundaryShapes,
    Denominator,
    DenominatorFile,
    District,
    Extract,
    ExtractFile,
    Incident,
    PlaceWard,
    Source,
    SuppliedWindow,
    Ward,
    WardAreaCount,
    WardMonthCount,
)
from mapping.store.stamp import stamp
from mapping.vocabulary import Month, Period

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlalchemy import Connection, Engine

__all__ = [
    "Unloaded",
    "clear_window",
    "months_of",
    "next_id",
    "rows_in_window",
    "supplied_months",
    "unload_boundaries",
    "unload_extract",
]


def next_id(connection: Connection, model: type[Source | Extract | Incident]) -> int:
    """The id after the highest in use."""
    return (connection.scalar(select(func.max(model.id))) or 0) + 1


def months_of(first: date, last: date) -> set[Month]:
    """The months that a window touches."""
    return set(Period(Month.of(first), Month.of(last)))


def supplied_months(connection: Connection) -> dict[int, set[Month]]:
    """For each source id the months that any of its extracts covers, whole or in part."""
    months: dict[int, set[Month]] = {}
    for row in connection.execute(
        select(Extract.source_id, SuppliedWindow.date_from, SuppliedWindow.date_to).join(
            Extract, Extract.id == SuppliedWindow.extract_id
        )
    ):
        months.setdefault(row.source_id, set()).update(months_of(row.date_from, row.date_to))
    return months


def _in_window(source_id: int, stream: str, first: date, last: date):  # type: ignore[no-untyped-def]  # noqa: ANN202
    extracts = select(Extract.id).where(Extract.source_id == source_id, Extract.stream == stream)
    return Incident.extract_id.in_(extracts) & Incident.date.between(first, last)


def rows_in_window(connection: Connection, *, source_id: int, stream: str, first: date, last: date) -> int:
    """Incidents of a source and stream that count in a window."""
    where = _in_window(source_id, stream, first, last)
    return connection.scalar(select(func.count()).select_from(Incident).where(where)) or 0


def clear_window(connection: Connection, *, source_id: int, stream: str, first: date, last: date) -> None:
    """Take a window's incidents out, and the window from what earlier extracts cover."""
    connection.execute(delete(Incident).where(_in_window(source_id, stream, first, last)))
    overlapping = connection.execute(
        select(SuppliedWindow)
        .join(Extract, Extract.id == SuppliedWindow.extract_id)
        .where(
            Extract.source_id == source_id,
            Extract.stream == stream,
            SuppliedWindow.date_from <= last,
            SuppliedWindow.date_to >= first,
        )
    ).all()
    day = timedelta(days=1)
    for window in overlapping:
        connection.execute(
            delete(SuppliedWindow).where(
                SuppliedWindow.extract_id == window.extract_id, SuppliedWindow.date_from == window.date_from
            )
        )
        for date_from, date_to in ((window.date_from, first - day), (last + day, window.date_to)):
            if date_from <= date_to:
                left = {"extract_id": window.extract_id, "date_from": date_from, "date_to": date_to}
                connection.execute(insert(SuppliedWindow).values(left))


@dataclass(frozen=True, slots=True)
class Unloaded:
    """What was taken out: how many incidents, of which window, from which files, and from which it had taken over."""

    what: str
    incidents: int
    files: list[str]
    replaced_files: list[str]


def unload_extract(engine: Engine, extract_id: int, *, now: datetime) -> Unloaded:
    """Take an extract back out; its days become not supplied. It stays in the ledger, as withdrawn.

    Raises
    ------
    NotFound
        If there is no such extract, or nothing of it is in the store.
    """
    with writing(engine) as connection:
        extract = connection.execute(
            select(Extract, Source.slug).join(Source, Source.id == Extract.source_id).where(Extract.id == extract_id)
        ).first()
        windows = connection.execute(select(SuppliedWindow).where(SuppliedWindow.extract_id == extract_id)).all()
        if extract is None or not windows:
            raise NotFound(
                f"Nothing of an extract {extract_id} is in the store.",
                hint="`wardwatch status` lists the extracts that are.",
                parameter="extract",
                value=str(extract_id),
            )
        removed = connection.execute(delete(Incident).where(Incident.extract_id == extract_id)).rowcount
        connection.execute(delete(SuppliedWindow).where(SuppliedWindow.extract_id == extract_id))
        connection.execute(update(Extract).where(Extract.id == extract_id).values(withdrawn_at=now))
        months = set[Month]().union(*(months_of(w.date_from, w.date_to) for w in windows))
        pack_from_store(connection, {extract.source_id: months})
        recount(connection, set_ids=_all_sets(connection), months={extract.source_id: months})
        files = _files_of(connection, extract_id)
        before = _files_before(connection, extract_id, extract.source_id, extract.stream, windows)
        stamp(connection)
    what = f"extract {extract_id} ({extract.slug} {extract.stream}, {extract.date_from} to {extract.date_to})"
    return Unloaded(what, removed, files, before)


def _files_before(connection: Connection, extract_id: int, source_id: int, stream: str, windows) -> list[str]:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """Files of the latest earlier extract of any of these days, which this one had replaced; none if there was none."""
    first, last = min(w.date_from for w in windows), max(w.date_to for w in windows)
    earlier = connection.scalars(
        select(Extract.id)
        .where(
            Extract.source_id == source_id,
            Extract.stream == stream,
            Extract.id < extract_id,
            Extract.withdrawn_at.is_(None),
            Extract.date_from <= last,
            Extract.date_to >= first,
        )
        .order_by(Extract.id.desc())
    ).all()
    return _files_of(connection, earlier[0]) if earlier else []


def _files_of(connection: Connection, extract_id: int) -> list[str]:
    files = select(ExtractFile.name).where(ExtractFile.extract_id == extract_id).order_by(ExtractFile.position)
    return list(connection.scalars(files))


def unload_boundaries(engine: Engine, name: str) -> Unloaded:
    """Take a boundary set out, with its population and its counts; incidents stay.

    Raises
    ------
    NotFound
        If there is no such set.
    """
    with writing(engine) as connection:
        found = connection.execute(select(BoundarySet).where(BoundarySet.name == name)).first()
        if found is None:
            names = ", ".join(connection.scalars(select(BoundarySet.name).order_by(BoundarySet.id))) or "none"
            raise NotFound(f"There is no boundary set '{name}'.", hint=f"Loaded: {names}.", parameter="boundaries", value=name)
        models = (
            *(WardMonthCount, WardAreaCount, PlaceWard, BoundaryShapes, District),
            *(Denominator, DenominatorFile, AreaLookup, AreaLookupFile, Ward),
        )
        for model in models:
            connection.execute(delete(model).where(model.boundary_set_id == found.id))
        connection.execute(delete(BoundarySet).where(BoundarySet.id == found.id))
        stamp(connection)
    return Unloaded(f"boundary set {name}", 0, [found.file_name], [])


def _all_sets(connection: Connection) -> list[int]:
    return list(connection.scalars(select(BoundarySet.id).order_by(BoundarySet.id)))
