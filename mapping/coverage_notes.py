"""What is known of a source beyond its extracts: gaps that are shipped with wardwatch, and what an analyst notes by hand."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select

from mapping.coverage import Gap
from mapping.errors import BadRequest, NotFound
from mapping.store import writing
from mapping.store.models import CoverageNote, District, Extract, Source, SourceDistrict, Ward
from mapping.store.stamp import stamp
from mapping.vocabulary import Month

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine

__all__ = [
    "EVERYWHERE",
    "clear_note",
    "list_notes",
    "read_notes",
    "read_source_districts",
    "set_districts",
    "set_note",
    "shipped_gaps",
]

EVERYWHERE = "*"
"""In place of district codes: the source covers every ward of every set."""


@cache
def shipped_gaps() -> tuple[Gap, ...]:
    """Gaps in national data that somebody vouches for: `gaps.csv` names who, line by line."""
    lines = files("mapping").joinpath("gaps.csv").read_text(encoding="utf-8").splitlines()
    return tuple(
        Gap(0, row["source"], row["stream"], Month.parse(row["first"]), Month.parse(row["last"]), "", row["reason"])
        for row in csv.DictReader(lines)
    )


def read_notes(connection: Connection) -> tuple[Gap, ...]:
    """The notes by hand, in the order in which they were made: of two on one month the later holds."""
    return tuple(
        Gap(
            note.id,
            note.source,
            note.stream,
            Month.of(note.month_from),
            Month.of(note.month_to) if note.month_to else None,
            note.status,
            note.reason,
        )
        for note in connection.execute(select(CoverageNote).order_by(CoverageNote.id))
    )


def set_note(
    engine: Engine, source: str, *, stream: str, first: Month, last: Month | None, status: str, reason: str, now: datetime
) -> Gap:
    """Note the status of a source's months by hand; it comes before what a rule says.

    Raises
    ------
    BadRequest
        If there is no such source or stream, the months are the wrong way round, or there is no reason.
    """
    if last is not None and last < first:
        raise BadRequest(f"The note ends ({last}) before it starts ({first}).", hint="Swap --from and --to.")
    if not reason.strip():
        raise BadRequest("A note needs a reason.", hint="Say in a sentence how it is known: --reason TEXT.")
    with writing(engine) as connection:
        streams = _streams(connection, source)
        if stream and stream not in streams:
            raise BadRequest(
                f"The source {source} has no stream '{stream}'.", hint=f"Its streams: {', '.join(streams)}.", value=stream
            )
        made = Gap(
            (connection.scalar(select(func.max(CoverageNote.id))) or 0) + 1,
            source,
            stream,
            first,
            last,
            status,
            " ".join(reason.split()),
        )
        connection.execute(
            insert(CoverageNote).values(
                id=made.id,
                source=source,
                stream=stream,
                month_from=first.first,
                month_to=last.first if last else None,
                status=status,
                reason=made.reason,
                noted_at=now,
            )
        )
        stamp(connection)
    return made


def list_notes(connection: Connection) -> list[str]:
    """The notes and the areas given by hand, as they are printed."""
    areas = [
        f"{source} covers {'everywhere' if EVERYWHERE in codes else ', '.join(codes)}"
        for source, codes in read_source_districts(connection).items()
    ]
    return [*(note.line for note in read_notes(connection)), *areas] or ["Nothing is noted by hand."]


def clear_note(engine: Engine, note_id: int) -> None:
    """Forget a note; `NotFound` if there is none of that number."""
    with writing(engine) as connection:
        if not connection.execute(delete(CoverageNote).where(CoverageNote.id == note_id)).rowcount:
            raise NotFound(f"There is no note {note_id}.", hint="`wardwatch coverage` lists them.", value=str(note_id))
        stamp(connection)


def read_source_districts(connection: Connection) -> dict[str, tuple[str, ...]]:
    """The districts that were given by hand, for each source that has any; `EVERYWHERE` stands for all."""
    found: dict[str, tuple[str, ...]] = {}
    for row in connection.execute(select(SourceDistrict).order_by(SourceDistrict.source, SourceDistrict.district_code)):
        found[row.source] = (*found.get(row.source, ()), row.district_code)
    return found


def set_districts(engine: Engine, source: str, codes: Sequence[str]) -> tuple[str, ...]:
    """Say which districts a source covers, in place of what was said before; none: the rule decides again.

    Raises
    ------
    BadRequest
        If there is no such source, or no boundary set has a district of one of these codes.
    """
    wanted = tuple(sorted(set(codes)))
    with writing(engine) as connection:
        _streams(connection, source)
        known = set(connection.scalars(select(Ward.district_code).distinct())) | set(connection.scalars(select(District.code)))
        unknown = [code for code in wanted if code not in known and code != EVERYWHERE]
        if unknown:
            raise BadRequest(
                f"No boundary set has a district '{unknown[0]}'.",
                hint="Known: " + (", ".join(sorted(known - {""})[:20]) or "none") + ".",
                value=unknown[0],
            )
        connection.execute(delete(SourceDistrict).where(SourceDistrict.source == source))
        if wanted:
            connection.execute(insert(SourceDistrict), [{"source": source, "district_code": code} for code in wanted])
        stamp(connection)
    return wanted


def _streams(connection: Connection, source: str) -> Sequence[str]:
    known = connection.scalars(select(Source.slug).order_by(Source.slug)).all()
    if source not in known:
        raise BadRequest(f"There is no source '{source}'.", hint=f"Loaded: {', '.join(known) or 'none'}.", value=source)
    return connection.scalars(
        select(Extract.stream)
        .join(Source, Source.id == Extract.source_id)
        .where(Source.slug == source)
        .distinct()
        .order_by(Extract.stream)
    ).all()
