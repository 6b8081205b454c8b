"""What is loaded and how good it is, how every figure is made, and whether the server is well."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response

from mapping.answers import Answer, Question, answer, count_rows
from mapping.coverage_notes import read_notes
from mapping.denominators import KINDS
from mapping.errors import WardwatchError
from mapping.measures import ASKS, all_measures
from mapping.status import read_status
from mapping.vocabulary import Month
from web.audiences import audience, reader
from web.pages import render_page
from web.params import read_query, read_whole_number
from web.places import places_context
from web.supplied import StreamStrip, areas_of_sources, stream_strip
from web.tables import json_answer

if TYPE_CHECKING:
    from mapping.breaks import Break
    from mapping.measures import Measure
    from mapping.reader import Catalogue, Reader

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
    groups = [
        (words, [(measure, _example(measure)) for measure in all_measures().values() if measure.asks == asks])
        for asks, words in ASKS.items()
    ]
    return render_page("methods.html", groups=groups, breaks=_breaks(), denominators=KINDS)


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
    """What a measure says of the ward with the most incidents, or if that has no figure of one that has; None without data."""
    store = reader()
    try:
        counted = answer(store, "count", Question())
        found = _answer_that_tells(store, measure)
    except WardwatchError:
        return None
    busy = {row["ward_code"]: row["value"] or 0 for row in counted.rows}
    rows = sorted(found.rows, key=lambda row: (row["value"] is None, -busy.get(row["ward_code"], 0), row["ward_code"]))
    if not rows:
        return None
    row = rows[0]
    return {
        "row": row,
        "type": store.catalogue().crime_type_name(found.question.crime_type),
        "period": found.period.words,
        "boundaries": found.boundary_set.name,
        "working": found.working(row["ward_code"]) if row["value"] is not None else "",
    }


def _answer_that_tells(store: Reader, measure: Measure) -> Answer:
    """Of all incidents; where a measure has nothing to say of these, of the type with the most."""
    found = answer(store, measure.id, Question())
    if any(row["value"] is not None for row in found.rows):
        return found
    totals = Counter[str]()
    for row in count_rows(store, Question())[0]:
        totals[row["crime_type"]] += row["count"]
    of_types = (answer(store, measure.id, Question(crime_type=name)) for name, _ in totals.most_common(1))
    return next((told for told in of_types if any(row["value"] is not None for row in told.rows)), found)


def _breaks() -> tuple[Break, ...]:
    """The recording breaks that this audience may see; none where there is no store."""
    try:
        return reader().breaks(reader().catalogue())
    except WardwatchError:
        return ()
