"""Default locations on the page of data: the evidence, and the forms by which an analyst decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request, url_for

from mapping.answers import Question, answer
from mapping.default_places import ZERO_POINT, count_at_default_places, kept_verdicts, read_default_places
from mapping.errors import BadRequest, StoreNotReady
from mapping.verdicts import LONGEST_REASON, clear_verdict, decide_verdict
from web.audiences import audience, reader, settings
from web.forms import check_form, form_token
from web.params import read_query

if TYPE_CHECKING:
    from mapping.answers import Answer
    from mapping.default_places import DefaultPlace
    from mapping.reader import Catalogue, Reader
    from mapping.verdicts import Verdict

__all__ = ["blueprint", "places_context"]

blueprint = Blueprint("places", __name__)

VERDICTS = ("confirmed", "dismissed")
CLEARED = "cleared"
_WAIT_S = 5
"""How long a visitor waits for a load to finish, in seconds."""


@dataclass(frozen=True, slots=True)
class Effect:
    """A confirmed place in its ward: incidents of the period there, and the ward's count with and without them."""

    ward: str
    period: str
    boundaries: str
    here: int
    with_it: int
    without_it: int


@dataclass(frozen=True, slots=True)
class PlaceCard:
    """A place as the page shows it: what each source has there, what was decided, what that does, and the form's token."""

    id: int
    sources: list[DefaultPlace]
    verdict: Verdict | None
    effect: Effect | None
    token: str


@blueprint.post("/data/places/<int(max=2147483647):place_id>/verdict")
@audience("internal")
def decide(place_id: int) -> Response:
    """Confirm or dismiss a place, or forget what was said of it; then back to the page."""
    read_query(common=())
    store = reader()
    check_form(*_state(place_id, kept_verdicts(store, store.catalogue()).get(place_id)))
    verdict = request.form.get("verdict", "")
    if verdict == CLEARED:
        clear_verdict(store.engine, place_id, wait_s=_WAIT_S)
    elif verdict in VERDICTS:
        reason = request.form.get("reason", "")
        decide_verdict(store.engine, place_id, verdict=verdict, reason=reason, now=settings().clock(), wait_s=_WAIT_S)
    else:
        raise BadRequest(
            f"There is no verdict '{verdict}'.",
            hint=f"Known: {', '.join((*VERDICTS, CLEARED))}.",
            parameter="verdict",
            value=verdict,
        )
    back = url_for("info.data", _anchor=f"place-{place_id}")
    return Response(status=303, headers={"Location": back, "Cache-Control": "no-store"})


def places_context(store: Reader, catalogue: Catalogue) -> dict[str, object] | None:
    """What the section on places needs; None for the public."""
    if store.open_only:
        return None
    verdicts = kept_verdicts(store, catalogue)
    by_place: dict[int, list[DefaultPlace]] = {}
    for found in read_default_places(store, catalogue):
        by_place.setdefault(found.id, []).append(found)
    counted = _counted(store) if any(v.verdict == "confirmed" for v in verdicts.values()) else None
    cards = [
        PlaceCard(
            place,
            sources,
            verdicts.get(place),
            _effect(store, catalogue, counted, sources[0]) if counted and sources[0].verdict == "confirmed" else None,
            form_token(*_state(place, verdicts.get(place))),
        )
        for place, sources in by_place.items()
    ]
    nowhere = [counted for counted in store.issue_counts(catalogue) if counted.kind == ZERO_POINT]
    return {"cards": cards, "nowhere": nowhere, "longest": LONGEST_REASON}


def _state(place_id: int, verdict: Verdict | None) -> tuple[str, ...]:
    """What a form is about: its address, and what had been decided when it was shown."""
    said = (verdict.verdict, verdict.reason, verdict.decided_at.isoformat()) if verdict else ("", "", "")
    return ("places.decide", str(place_id), *said)


def _counted(store: Reader) -> Answer | None:
    """Counts of the default question; None where nothing can be counted."""
    try:
        return answer(store, "count", Question())
    except StoreNotReady:
        return None


def _effect(store: Reader, catalogue: Catalogue, counted: Answer, place: DefaultPlace) -> Effect | None:
    row = next((row for row in counted.rows if row["ward_code"] == place.ward_code), None)
    at = count_at_default_places(store, catalogue, counted.boundary_set, None, only=place.id)
    if row is None or row["value"] is None or at is None:
        return None
    at_ward = at.ward_codes.index(place.ward_code)
    reach = store.reach(catalogue, counted.boundary_set)
    covering = catalogue.coverage.only(reach[s.source, s.stream][at_ward] for s in catalogue.coverage.streams)
    # Rows of a month that was not supplied are not in the ward's count either.
    there = {month for month in counted.period if covering.status(month) != "not-supplied"}
    here = int(at.values[at_ward, [month in there for month in at.months]].sum())
    name, value = row["ward_name"], row["value"]
    return Effect(name, counted.period.words, counted.boundary_set.name, here, value, value - here)
