"""What is loaded and how good it is, how every figure is made, and whether the server is well."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response

from mapping.answers import Answer, Question, answer
from mapping.coverage_notes import read_notes
from mapping.denominators import KINDS
from mapping.errors import WardwatchError
from mapping.measures import all_measures
from mapping.status import read_status
from mapping.vocabulary import Month
from web.audiences import audience, reader
from web.pages import render_page
from web.params import read_query, read_whole_number
from web.places import places_context
from web.supplied import StreamStrip, areas_of_sources, stream_strip
from web.tables import json_answer

if TYPE_CHECKING:
    from mapping.measures import Measure
    from mapping.reader import Catalogue

__all__ = ["blueprint"]

blueprint = Blueprint("info", __name__)

ISSUES_ON_A_PAGE = 500
ALTERATIONS_ON_A_PAGE = 100


@blueprint.get("/data")
@audience("public")
def data() -> str:
    """What is loaded, month by month, and what became of every row."""
    read_query(common=())
    store = reader()
    catalogue = store.catalogue()
    ledger = store.ledger(catalogue)
    status = store.keep(catalogue, f"status {ledger.number}", lambda _: read_status(store.engine, open_only=store.open_only))
    reasons: dict[str, list[object]] = defaultdict(list)
    for counted in store.issue_counts(catalogue):
        reasons[counted.source].append(counted)
    streams: dict[str, list[StreamStrip]] = defaultdict(list)
    for stream in catalogue.coverage.streams:
        streams[stream.source].append(stream_strip(stream))
    notes = store.keep(catalogue, "coverage notes", read_notes)
    return render_page(
        "data.html",
        status=status,
        as_of=Month.parse(status["data_as_of"]).words if status["data_as_of"] else "",
        sets=catalogue.boundary_sets,
        kinds=KINDS,
        attribution={source.id: source.attribution for source in catalogue.sources},
        streams=streams,
        areas=areas_of_sources(store, catalogue),
        notes=[note for note in notes if note.source in streams],
        reasons=reasons,
        altered=_altered(catalogue),
        internal=not store.open_only,
        places=places_context(store, catalogue),
    )


@blueprint.get("/data/extracts/<int(max=2147483647):extract_id>/issues")
@audience("internal")
def issues(extract_id: int) -> str:
    """Each issue of an extract: file, line, field, value."""
    after = read_whole_number(read_query(common=(), extra=("after",)), "after")
    lines = reader().issues(extract_id, after=after, limit=ISSUES_ON_A_PAGE + 1)
    more = lines[ISSUES_ON_A_PAGE - 1].id if len(lines) > ISSUES_ON_A_PAGE else None
    return render_page("issues.html", extract_id=extract_id, lines=lines[:ISSUES_ON_A_PAGE], more=more)


@blueprint.get("/methods")
@audience("public")
def methods() -> str:
    """How every figure is made, each with an example of what is loaded."""
    read_query(common=())
    return render_page("methods.html", measures=[(measure, _example(measure)) for measure in all_measures().values()])


@blueprint.get("/healthz")
@audience("public")
def healthz() -> Response:
    """Whether the server answers at all."""
    return _probe({"status": "ok"})


@blueprint.get("/readyz")
@audience("public")
def readyz() -> Response:
    """Whether it can answer questions: 503 while the store cannot be read."""
    return _probe({"status": "ready", "data_version": reader().data_version()})


def _probe(body: dict[str, str]) -> Response:
    made = json_answer(body)
    made.headers["Cache-Control"] = "no-store"
    return made


def _altered(catalogue: Catalogue) -> dict[str, Any] | None:
    """What the last load altered, that which changed most by itself where it is much; None where nothing is recorded."""
    found = reader().alterations()
    if not found:
        return None
    most = sorted(found["rows"], key=lambda row: row["gone"] + row["added"], reverse=True)[:ALTERATIONS_ON_A_PAGE]
    names = {source.id: source.name for source in catalogue.sources}
    return {
        "when": f"On {found['done_at'][:10]}",
        "what": found["what"],
        "more": len(found["rows"]) - len(most),
        "rows": [
            row | {"source": names[row["source"]], "crime_type": catalogue.crime_type_name(row["crime_type"])}
            for row in sorted(most, key=lambda row: (row["source"], row["month"], row["crime_type"]))
        ],
    }


def _example(measure: Measure) -> dict[str, Any] | None:
    """What a measure says of the ward with the most incidents; None where nothing is loaded."""
    try:
        found: Answer = answer(reader(), measure.id, Question())
        counted = found if measure.id == "count" else answer(reader(), "count", Question())
    except WardwatchError:
        return None
    if not counted.rows:
        return None
    busiest = max(counted.rows, key=lambda row: (row["value"] or 0, row["ward_code"]))["ward_code"]
    row = next(row for row in found.rows if row["ward_code"] == busiest)
    return {"row": row, "period": found.period.words, "boundaries": found.boundary_set.name}
