"""Verdicts: what an analyst decided of a place that looked like a default location."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from mapping.errors import BadRequest, NotFound
from mapping.store import check_ready, writing
from mapping.store.models import Place, PlaceVerdict
from mapping.store.stamp import stamp

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Engine

__all__ = ["LONGEST_REASON", "Verdict", "clear_verdict", "decide_verdict", "read_verdicts"]

LONGEST_REASON = 500
"""Characters that a reason may have."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an analyst decided of a place: `confirmed` or `dismissed`."""

    verdict: str
    reason: str
    decided_at: datetime


def read_verdicts(connection: Connection) -> dict[int, Verdict]:
    """Every verdict by place id."""
    rows = connection.execute(select(PlaceVerdict).order_by(PlaceVerdict.place_id)).all()
    return {row.place_id: Verdict(row.verdict, row.reason, row.decided_at) for row in rows}


def decide_verdict(
    engine: Engine, place_id: int, *, verdict: str, reason: str, now: datetime, wait_s: float | None = None
) -> Verdict:
    """Say of a place that it is a default location (`confirmed`) or none (`dismissed`), in place of what was said before.

    Parameters
    ----------
    reason
        Why; one line, at most `LONGEST_REASON` characters.
    wait_s
        How long to wait for a load that holds the store, in seconds.

    Raises
    ------
    BadRequest
        If the reason cannot be one.
    NotFound
        If there is no such place.
    """
    said = " ".join(reason.split())
    if not said or len(said) > LONGEST_REASON or not said.isprintable():
        raise BadRequest(
            f"The reason has {len(said)} characters." if said.isprintable() else "The reason has unprintable characters.",
            hint=f"Say in a line of at most {LONGEST_REASON} characters why: others will read the figures by it.",
            parameter="reason",
            value=said[:80] if said.isprintable() else "",
        )
    check_ready(engine)
    with writing(engine, wait_s=wait_s) as connection:
        if connection.scalar(select(Place.id).where(Place.id == place_id)) is None:
            raise _no_place(place_id)
        connection.execute(delete(PlaceVerdict).where(PlaceVerdict.place_id == place_id))
        row = {"place_id": place_id, "verdict": verdict, "reason": said, "decided_at": now}
        connection.execute(insert(PlaceVerdict).values(row))
        stamp(connection)
    return Verdict(verdict, said, now)


def clear_verdict(engine: Engine, place_id: int, *, wait_s: float | None = None) -> None:
    """Forget what was said of a place; `NotFound` if nothing was."""
    check_ready(engine)
    with writing(engine, wait_s=wait_s) as connection:
        if not connection.execute(delete(PlaceVerdict).where(PlaceVerdict.place_id == place_id)).rowcount:
            raise NotFound(
                f"Nothing was decided about place {place_id}.",
                hint="`wardwatch places` lists the places that were.",
                parameter="place",
                value=str(place_id),
            )
        stamp(connection)


def _no_place(place_id: int) -> NotFound:
    return NotFound(
        f"There is no place {place_id}.",
        hint="`wardwatch places` lists those that may be default locations, with their numbers.",
        parameter="place",
        value=str(place_id),
    )
