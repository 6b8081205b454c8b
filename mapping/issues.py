"""Why rows were repaired, set aside or rejected, as the loads recorded it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from mapping.errors import NotFound
from mapping.ledger import current_extracts
from mapping.store.models import Extract, HeldIncident, Incident, IssueRow, Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

_HELD = {
    "superseded": "superseded: another extract brought a newer state",
    "cancelled": "cancelled: the newest state says that it was none",
    "waiting": "waiting: no window covers the day of the change",
}

__all__ = ["IssueCount", "IssueLine", "read_issue_counts", "read_issues"]


@dataclass(frozen=True, slots=True)
class IssueCount:
    """How many rows of a source's extracts in force have an issue of one kind."""

    source: str
    outcome: str
    kind: str
    rows: int


@dataclass(frozen=True, slots=True)
class IssueLine:
    """One issue, with the value that the file has. Only for those who may see the file."""

    id: int
    outcome: str
    kind: str
    file: str
    line: int
    field: str
    value: str


def read_issue_counts(connection: Connection, *, open_only: bool) -> list[IssueCount]:
    """Issues by source, outcome and kind, of what is in the store now: not of rows that later extracts replaced."""
    visible = Source.access == "open" if open_only else Source.access.is_not(None)
    by_extract = (
        select(IssueRow.extract_id, IssueRow.outcome, IssueRow.kind, func.count().label("rows"))
        # Of a window that was replaced the numbers are free again: another extract's row may bear one.
        .outerjoin(Incident, (Incident.id == IssueRow.incident_id) & (Incident.extract_id == IssueRow.extract_id))
        .where(IssueRow.incident_id.is_(None) | Incident.id.is_not(None))
        .group_by(IssueRow.extract_id, IssueRow.outcome, IssueRow.kind)
        .subquery()
    )
    counted = by_extract.c
    found = connection.execute(
        select(Source.slug, counted.outcome, counted.kind, func.sum(counted.rows).label("rows"))
        .join(Extract, Extract.id == counted.extract_id)
        .join(Source, Source.id == Extract.source_id)
        .where(visible, Extract.id.in_(current_extracts()))
        .group_by(Source.slug, counted.outcome, counted.kind)
    )
    counts = [IssueCount(row.slug, row.outcome, row.kind, int(row.rows)) for row in found]
    held = connection.execute(
        select(Source.slug, HeldIncident.why, func.count().label("rows"))
        .join(Extract, Extract.id == HeldIncident.extract_id)
        .join(Source, Source.id == Extract.source_id)
        .where(visible)
        .group_by(Source.slug, HeldIncident.why)
    )
    counts += [IssueCount(row.slug, "set-aside", _HELD[row.why], row.rows) for row in held]
    return sorted(counts, key=lambda c: (c.source, c.outcome, -c.rows, c.kind))


def read_issues(connection: Connection, extract_id: int, *, after: int = 0, limit: int) -> Sequence[IssueLine]:
    """Issues of an extract in the order of its files, from the one after an id.

    Raises
    ------
    NotFound
        If there is no such extract.
    """
    if connection.scalar(select(Extract.id).where(Extract.id == extract_id)) is None:
        raise NotFound(
            f"There is no extract {extract_id}.", hint="`/data` lists them.", parameter="extract", value=str(extract_id)
        )
    rows = connection.execute(
        select(IssueRow.id, IssueRow.outcome, IssueRow.kind, IssueRow.file, IssueRow.line, IssueRow.field, IssueRow.value)
        .where(IssueRow.extract_id == extract_id, IssueRow.id > after)
        .order_by(IssueRow.id)
        .limit(limit)
    )
    return [IssueLine(*row) for row in rows]
