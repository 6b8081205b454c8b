"""What became of crimes: outcomes that were supplied, and how many of them belong to a crime that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from mapping.store.models import Extract, Incident, OutcomeRow, Source

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

__all__ = ["count_outcomes"]


def count_outcomes(connection: Connection, source: str, *, extracts: Collection[int] | None = None) -> dict[str, int]:
    """Outcomes of a source (of these extracts only): how many `rows`, and how many of them are `joined` to a crime of it.

    They are joined by reference; a crime may have several outcomes. A reference means nothing to another source.
    """
    of_source = select(Extract.id).join(Source, Source.id == Extract.source_id).where(Source.slug == source)
    mine = OutcomeRow.extract_id.in_(of_source if extracts is None else list(extracts))
    rows = connection.scalar(select(func.count()).select_from(OutcomeRow).where(mine)) or 0
    if not rows:
        return {"rows": 0, "joined": 0}
    named = select(OutcomeRow.reference).where(mine, OutcomeRow.reference.is_not(None))
    there = select(Incident.reference).where(Incident.extract_id.in_(of_source), Incident.reference.in_(named))
    joined = connection.scalar(select(func.count()).select_from(OutcomeRow).where(mine, OutcomeRow.reference.in_(there)))
    return {"rows": rows, "joined": joined or 0}
