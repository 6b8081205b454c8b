"""The ledger of extracts: which days are covered by which, and what is taken back out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select, update

from loaders.alterations import Alterations
from loaders.amendments import settle
from loaders.quality import number_of
from mapping.area_counts import recount_areas
from mapping.counts import pack_from_store, recount
from mapping.errors import NotFound
from mapping.store import writing
from mapping.store.models import (
    AreaCount,
    AreaLookup,
    AreaLookupFile,
    BoundarySet,
    BoundaryShapes,
    Denominator,
    DenominatorFile,
    District,
    Extract,
    ExtractFile,
    HeldIncident,
    Incident,
    OutcomeRow,
    PlaceWard,
    Source,
    SuppliedWindow,
    Ward,
    WardAreaCount,
    WardGroup,
    WardGroupFile,
    WardMonthCount,
)
from mapping.store.stamp import stamp
from mapping.vocabulary import Month, Period

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlalchemy import ColumnElement, Connection, Engine

__all__ = [
    "Unloaded",
    "clear_window",
    "months_covered",
    "months_of",
    "next_id",
    "rows_in_window",
    "supplied_months",
    "unload_boundaries",
    "unload_extract",
]


_ROWS = (Incident, HeldIncident, OutcomeRow)
"""What extracts bring; a stream holds incidents or outcomes, never both."""


def next_id(connection: Connection, *models: type[Source | Extract | Incident | HeldIncident | OutcomeRow]) -> int:
    """The id after the highest in use in any of these tables."""
    return max(connection.scalar(select(func.max(model.id))) or 0 for model in models) + 1


def months_of(first: date, last: date) -> set[Month]:
    """The months that a window touches."""
    return set(Period(Month.of(first), Month.of(last)))


def supplied_months(connection: Connection) -> dict[int, set[Month]]:
    """For each source id the months that any of its extracts of incidents covers, whole or in part."""
    months: dict[int, set[Month]] = {}
    for row in connection.execute(
        select(Extract.source_id, SuppliedWindow.date_from, SuppliedWindow.date_to).join(
            Extract, (Extract.id == SuppliedWindow.extract_id) & (Extract.records == "incidents")
        )
    ):
        months.setdefault(row.source_id, set()).update(months_of(row.date_from, row.date_to))
    return months


def _in_window(
    model: type[Incident | HeldIncident | OutcomeRow], source_id: int, stream: str, first: date, last: date
) -> ColumnElement[bool]:
    """Rows that extracts of windows brought; what extracts of changes brought is not theirs to replace."""
    extracts = select(Extract.id).where(Extract.source_id == source_id, Extract.stream == stream, Extract.kind == "window")
    return model.extract_id.in_(extracts) & model.date.between(first, last)


def rows_in_window(connection: Connection, *, source_id: int, stream: str, first: date, last: date) -> int:
    """Rows of a source and stream that windows brought into a window, those included that changes stand above."""
    return sum(
        connection.scalar(select(func.count()).select_from(model).where(_in_window(model, source_id, stream, first, last))) or 0
        for model in _ROWS
    )


def clear_window(connection: Connection, *, source_id: int, stream: str, first: date, last: date) -> None:
    """Take a window's rows out, and the window from what earlier extracts cover."""
    for model in _ROWS:
        connection.execute(delete(model).where(_in_window(model, source_id, stream, first, last)))
    extracts = select(Extract.id).where(Extract.source_id == source_id, Extract.stream == stream)
    connection.execute(delete(AreaCount).where(AreaCount.extract_id.in_(extracts), AreaCount.month.between(first, last)))
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
    """What was taken out: what it was, from which files, and from which files it had taken over days.

    `incidents` is how many of its rows counted, `back` how many others count again; of an extract of changes `covered` is
    false: no day becomes not supplied.
    """

    what: str
    incidents: int
    files: list[str]
    replaced_files: list[str]
    back: int = 0
    covered: bool = False
    records: str = "incidents"

    def lines(self) -> list[str]:
        """What was done, as it is printed."""
        if not self.incidents and not self.back and not self.covered:
            return [f"Taken out: {self.what}."]
        days = " Its days are not supplied now." if self.covered else ""
        back = f" Rows of other extracts that count again: {self.back:,}." if self.back else ""
        return [f"Taken out: {self.what}, {number_of(self.incidents, self.records.removesuffix('s'))}.{days}{back}"]


def unload_extract(engine: Engine, extract_id: int, *, now: datetime) -> Unloaded:
    """Take an extract back out; the days of a window become not supplied. It stays in the ledger, as withdrawn.

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
        changes = extract is not None and extract.kind == "changes" and extract.withdrawn_at is None
        if extract is None or not (windows or changes):
            raise NotFound(
                f"Nothing of an extract {extract_id} is in the store.",
                hint="`wardwatch status` lists the extracts that are.",
                parameter="extract",
                value=str(extract_id),
            )
        days = connection.scalars(select(Incident.date).where(Incident.extract_id == extract_id).distinct())
        months = {Month.of(day) for day in days}
        if extract.records != "outcomes":
            months = months.union(*(months_of(w.date_from, w.date_to) for w in windows))
        supplied = months_covered(connection, source_id=extract.source_id, stream=extract.stream)
        removed = connection.execute(delete(Incident).where(Incident.extract_id == extract_id)).rowcount
        connection.execute(delete(HeldIncident).where(HeldIncident.extract_id == extract_id))
        removed += connection.execute(delete(OutcomeRow).where(OutcomeRow.extract_id == extract_id)).rowcount
        connection.execute(delete(SuppliedWindow).where(SuppliedWindow.extract_id == extract_id))
        connection.execute(update(Extract).where(Extract.id == extract_id).values(withdrawn_at=now))
        settled = settle(connection, source_id=extract.source_id, stream=extract.stream)
        touched = {extract.source_id: months | settled.months}
        alterations = Alterations(connection, {extract.source_id: touched[extract.source_id] & supplied})
        removed += connection.scalar(select(func.sum(AreaCount.count)).where(AreaCount.extract_id == extract_id)) or 0
        connection.execute(delete(AreaCount).where(AreaCount.extract_id == extract_id))
        pack_from_store(connection, touched)
        recount(connection, set_ids=_all_sets(connection), months=touched)
        recount_areas(connection, source_ids=[extract.source_id])
        files = _files_of(connection, extract_id)
        before = _files_before(connection, extract_id, extract.source_id, extract.stream, windows) if windows else []
        stamp(connection)
        what = f"extract {extract_id} ({extract.slug} {extract.stream}, {extract.date_from} to {extract.date_to})"
        alterations.write(now=now, what=f"took out {what}")
    return Unloaded(what, removed, files, before, settled.back, covered=bool(windows), records=extract.records)


def months_covered(connection: Connection, *, source_id: int, stream: str) -> set[Month]:
    """The months that a stream covers, whole or in part."""
    windows = connection.execute(
        select(SuppliedWindow.date_from, SuppliedWindow.date_to)
        .join(Extract, Extract.id == SuppliedWindow.extract_id)
        .where(Extract.source_id == source_id, Extract.stream == stream)
    )
    return set[Month]().union(*(months_of(w.date_from, w.date_to) for w in windows))


def _files_before(connection: Connection, extract_id: int, source_id: int, stream: str, windows) -> list[str]:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """Files of the latest earlier extract of any of these days, which this one had replaced; none if there was none."""
    first, last = min(w.date_from for w in windows), max(w.date_to for w in windows)
    earlier = connection.scalars(
        select(Extract.id)
        .where(
            Extract.source_id == source_id,
            Extract.stream == stream,
            Extract.id < extract_id,
            Extract.kind == "window",
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
            *(Denominator, DenominatorFile, AreaLookup, AreaLookupFile, WardGroup, WardGroupFile, Ward),
        )
        for model in models:
            connection.execute(delete(model).where(model.boundary_set_id == found.id))
        connection.execute(delete(BoundarySet).where(BoundarySet.id == found.id))
        stamp(connection)
    return Unloaded(f"boundary set {name}", 0, [found.file_name], [])


def _all_sets(connection: Connection) -> list[int]:
    return list(connection.scalars(select(BoundarySet.id).order_by(BoundarySet.id)))
