"""`/api/v1`: what the store holds and what every measure says, as data."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from flask import Blueprint, Response, url_for

from mapping.answers import COUNT_COLUMNS, MEASURE_COLUMNS, answer, attribution, count_rows
from mapping.boundary_changes import CHANGE_COLUMNS, boundary_changes, change_rows
from mapping.breaks import BREAK_COLUMNS, break_rows
from mapping.choropleth import tolerance_for
from mapping.concentration import CONCENTRATION_COLUMNS, concentration_rows
from mapping.errors import BadRequest
from mapping.ledger import base_name
from mapping.lines import NEARNESS_COLUMNS, nearness_rows
from mapping.measures import all_measures, find_measure
from mapping.questions import resolve_period, wanted_wards
from mapping.vocabulary import group_members
from web import explorer
from web.audiences import audience, reader
from web.params import read_number, read_query
from web.points import find_ward
from web.tables import Workbook, json_answer, rows_answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mapping.answers import Answer
    from mapping.ledger import LedgerEntry
    from mapping.reader import BoundarySetInfo, Catalogue, Reader

__all__ = ["blueprint"]

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")


@blueprint.get("/boundary-sets")
@audience("public")
def boundary_sets() -> Response:
    """Every boundary set and the address of its shapes."""
    read_query(common=())
    catalogue = reader().catalogue()
    rows = [
        {
            "name": found.name,
            "kind": found.kind,
            "effective": str(found.effective) if found.effective else None,
            "wards": len(found.wards),
            "loaded_at": found.loaded_at.isoformat(),
            "shapes": url_for("assets.shapes", sha256=_shapes(found)),
            "attribution": found.attribution,
        }
        for found in catalogue.boundary_sets
    ]
    return json_answer(
        {"meta": _meta(catalogue, printed=[s.attribution for s in catalogue.boundary_sets if s.attribution]), "rows": rows}
    )


@blueprint.get("/crime-types")
@audience("public")
def crime_types() -> Response:
    """Every crime type and the groups it is counted in."""
    read_query(common=())
    catalogue = reader().catalogue()
    rows = [{"id": t.id, "name": t.name, "groups": list(t.groups)} for t in catalogue.crime_types]
    return json_answer({"meta": _meta(catalogue), "rows": rows})


@blueprint.get("/measures")
@audience("public")
def measures() -> Response:
    """Every measure, from its declaration."""
    read_query(common=())
    rows = [
        {
            "id": measure.id,
            "name": measure.name,
            "unit": measure.unit,
            "legend": measure.legend,
            "default_months": measure.default_months,
            "needs": list(measure.needs),
            "options": [{"id": o.id, "name": o.name, "values": list(o.values)} for o in measure.options],
        }
        for measure in all_measures().values()
    ]
    return json_answer({"meta": _meta(reader().catalogue()), "rows": rows})


@blueprint.get("/measures/<measure_id>")
@audience("public")
def measure(measure_id: str) -> Response:
    """One figure for each ward, district or set. `view=explorer`: the parts of its page that show them."""
    query = read_query(measure=find_measure(measure_id).id, extra=("by", "format", "view", "selected"))
    found = answer(reader(), measure_id, query.question)
    if view := query.extra.get("view"):
        if view != "explorer":
            raise BadRequest(f"There is no view '{view}'.", hint="Known: explorer.", parameter="view", value=view)
        # The rows are in the view already; twice they would be half as much again for every change of a filter.
        parts = explorer.fragments(found, query.question, query.extra.get("selected", ""))
        return json_answer({"meta": found.meta, "view": parts})
    form = query.extra.get("format", "")
    name = "-".join([measure_id, *(part for option in found.unusual_options.items() for part in option)])
    return rows_answer(MEASURE_COLUMNS, found.rows, found.meta, name=name, form=form, book=lambda: _workbook(found))


def _workbook(found: Answer) -> Workbook:
    """The totals that the page shows under its table, and the question in words."""
    store, question, boundary_set = reader(), found.question, found.boundary_set
    sheets = {}
    if question.by == "ward":
        plain = replace(question, ward=None)
        if boundary_set.districts:
            sheets["Districts"] = answer(store, found.measure.id, replace(plain, by="district")).rows
        sheets["All wards"] = answer(store, found.measure.id, replace(plain, by="set", district=None)).rows
    about = {
        "Measure": found.measure.name,
        "Crime type": store.catalogue().crime_type_name(question.crime_type),
        "Period": found.period.words,
        "District": boundary_set.districts.get(question.district or "", "all"),
        "Ward": boundary_set.ward(question.ward).name if question.ward else "all",
    }
    return Workbook(sheets, about)


@blueprint.get("/counts")
@audience("public")
def counts() -> Response:
    """Counts by ward, month and crime type. A measure's name and options may stand in the query: one query fits all."""
    query = read_query(extra=("format",))
    rows, meta = count_rows(reader(), query.question)
    return rows_answer(COUNT_COLUMNS, rows, meta, name="counts", form=query.extra.get("format", ""))


@blueprint.get("/nearness")
@audience("public")
def nearness() -> Response:
    """How many of each ward's incidents lie so near another ward that they may belong there. One query fits all here too."""
    query = read_query(extra=("format",))
    rows, meta = nearness_rows(reader(), query.question)
    return rows_answer(NEARNESS_COLUMNS, rows, meta, name="nearness", form=query.extra.get("format", ""))


@blueprint.get("/concentration")
@audience("public")
def concentration() -> Response:
    """How many wards, and how many places, hold half of the incidents. One query fits all here too."""
    query = read_query(extra=("format",))
    store, question = reader(), query.question
    catalogue = store.catalogue()
    meta = _meta(catalogue, boundary_set=catalogue.boundary_set(question.boundaries), source=question.source)
    rows = concentration_rows(store, question)
    meta |= {"crime_type": question.crime_type, "unit": "incidents"}
    return rows_answer(CONCENTRATION_COLUMNS, rows, meta, name="concentration", form=query.extra.get("format", ""))


@blueprint.get("/breaks")
@audience("public")
def breaks() -> Response:
    """The recording breaks: from which months what is recorded in another way, and who says so."""
    query = read_query(common=("source",), extra=("format",))
    catalogue = reader().catalogue()
    wanted = {"", *(s.id for s in catalogue.sources_in_view(query.question.source))}
    rows = break_rows(found for found in reader().breaks(catalogue) if found.source in wanted)
    meta = _meta(catalogue, source=query.question.source)
    return rows_answer(BREAK_COLUMNS, rows, meta, name="breaks", form=query.extra.get("format", ""))


@blueprint.get("/coverage")
@audience("public")
def coverage() -> Response:
    """For each stream of each source, which months it supplied, how many rows are kept of them, and what is normal."""
    question = read_query(common=("from", "to", "source")).question
    store = reader()
    catalogue = store.catalogue()
    sources = [s.id for s in catalogue.sources_in_view(question.source)]
    in_view = catalogue.coverage.of(sources=sources)
    rows = [
        {
            "source": stream.source,
            "stream": stream.stream,
            "month": str(month),
            "status": stream.judged(month)[0],
            "rows": found.rows,
            "share": found.share,
            "normal": found.normal,
            "reason": stream.judged(month)[1],
            "missing_types": list(found.missing_types),
        }
        for stream in in_view.streams
        for month, found in stream.months.items()
        if (not question.first or question.first <= month) and (not question.last or month <= question.last)
    ]
    meta = _meta(catalogue, source=question.source)
    if in_view.span:
        period = resolve_period(question, in_view, months=None)
        meta |= {"from": str(period.first), "to": str(period.last), "missing": in_view.missing(period)}
    return json_answer({"meta": meta, "rows": rows})


@blueprint.get("/extracts")
@audience("public")
def extracts() -> Response:
    """The ledger: which extracts the figures of a question come from, and those that others replaced since."""
    question = read_query(common=("crime_type", "from", "to", "source")).question
    store = reader()
    catalogue = store.catalogue()
    sources = [s.id for s in catalogue.sources_in_view(question.source)]
    members = [t.id for t in group_members(question.crime_type, catalogue.crime_types)]
    in_view = catalogue.coverage.of(sources=sources)
    meta = _meta(catalogue, source=question.source) | {"crime_type": question.crime_type}
    found: list[LedgerEntry] = []
    if in_view.streams:
        period = resolve_period(question, in_view, months=None)
        sending, ledger = in_view.of(crime_types=members), store.ledger(catalogue)
        meta |= {"from": str(period.first), "to": str(period.last), "extracts": ledger.behind(sending, period)}
        found = ledger.of(sending, period)
    rows = [
        {
            "id": entry.id,
            "source": entry.source,
            "stream": entry.stream,
            "kind": entry.kind,
            "from": str(entry.first),
            "to": str(entry.last),
            "as_of": str(entry.as_of) if entry.as_of else None,
            "files": [base_name(name) for name in entry.files],
            "sha256": list(entry.sha256),
            "loaded_at": entry.loaded_at.isoformat(),
            "current": entry.current,
        }
        for entry in found
    ]
    return json_answer({"meta": meta, "rows": rows})


@blueprint.get("/boundary-changes")
@audience("public")
def boundary_changes_between() -> Response:
    """What changed between the sets `old` and `new`: a row for each pair of wards that share ground or incidents."""
    query = read_query(common=("crime_type", "from", "to", "source"), extra=("old", "new", "format"))
    for name in ("old", "new"):
        if name not in query.extra:
            raise BadRequest(f"The parameter {name} is missing.", hint="Name two boundary sets: old and new.", parameter=name)
    found = boundary_changes(reader(), query.extra["old"], query.extra["new"], query.question)
    catalogue = reader().catalogue()
    printed = [*attribution(catalogue, found.old, query.question.source), found.new.attribution]
    meta = _meta(catalogue, source=query.question.source, printed=filter(None, printed)) | {
        "unit": "incidents",
        "crime_type": query.question.crime_type,
        "from": str(found.period.first),
        "to": str(found.period.last),
        "boundaries": found.new.name,
        "missing": found.missing,
        "old": found.old.name,
        "new": found.new.name,
        "wards": found.comparison.counted(),
        "incidents": found.totals,
        "extracts": found.extracts,
    }
    form = query.extra.get("format", "")
    return rows_answer(CHANGE_COLUMNS, change_rows(found), meta, name="boundary-changes", form=form)


@blueprint.get("/wards")
@audience("public")
def wards() -> Response:
    """A set's wards as GeoJSON in longitude and latitude, in the display shapes of the map."""
    question = read_query(common=("boundaries", "district", "ward")).question
    store = reader()
    catalogue = store.catalogue()
    boundary_set = catalogue.boundary_set(question.boundaries)
    shapes = {f["id"]: f["geometry"] for f in json.loads(store.shapes(_shapes(boundary_set)))["features"]}
    residents = _residents(store, catalogue, boundary_set)
    features = [
        {
            "type": "Feature",
            "id": boundary_set.wards[i].code,
            "properties": _properties(boundary_set, i, residents),
            "geometry": shapes[boundary_set.wards[i].code],
        }
        for i in wanted_wards(question, boundary_set)
    ]
    meta = _meta(catalogue, boundary_set=boundary_set)
    return json_answer({"type": "FeatureCollection", "meta": meta, "features": features}, mimetype="application/geo+json")


@blueprint.get("/wards/at")
@audience("public")
def ward_at() -> Response:
    """Which ward a point is in, and which is nearest."""
    query = read_query(common=("boundaries",), extra=("lon", "lat"))
    lon = read_number(query, "lon", low=-180, high=180)
    lat = read_number(query, "lat", low=-90, high=90)
    store = reader()
    catalogue = store.catalogue()
    boundary_set = catalogue.boundary_set(query.question.boundaries)
    code, nearest = find_ward(store, catalogue, boundary_set, lon, lat)
    at = next((i for i, ward in enumerate(boundary_set.wards) if ward.code == code), None)
    residents = _residents(store, catalogue, boundary_set)
    return json_answer(
        {
            "ward": None if at is None else _properties(boundary_set, at, residents),
            "nearest": nearest
            and {"ward_code": nearest.ward_code, "ward_name": nearest.ward_name, "distance_m": nearest.distance_m},
        }
    )


def _shapes(boundary_set: BoundarySetInfo) -> str:
    """The hash of the display shapes that the explorer's map shows."""
    return boundary_set.shapes[tolerance_for(len(boundary_set.wards))]


def _properties(boundary_set: BoundarySetInfo, index: int, residents: Sequence[int | None]) -> dict[str, Any]:
    ward = boundary_set.wards[index]
    return {
        "ward_code": ward.code,
        "ward_name": ward.name,
        "district_code": ward.district_code,
        "district_name": ward.district_name,
        "area_km2": ward.area_km2,
        "residents": residents[index],
    }


def _residents(store: Reader, catalogue: Catalogue, boundary_set: BoundarySetInfo) -> list[int | None]:
    """Residents of each ward in the latest year there is."""
    years = store.denominators(catalogue, boundary_set).kinds.get("residents", {})
    if not years:
        return [None] * len(boundary_set.wards)
    return [None if np.isnan(n) else round(n) for n in years[max(years)].value]


def _meta(
    catalogue: Catalogue,
    *,
    boundary_set: BoundarySetInfo | None = None,
    source: str | None = None,
    printed: Iterable[str] | None = None,
) -> dict[str, Any]:
    """Every key of `meta`, for a list that is no measure's answer."""
    sources = catalogue.sources_in_view(source)
    latest = catalogue.coverage.of(sources=[s.id for s in sources]).latest
    return {
        "measure": None,
        "unit": None,
        "denominator": None,
        "crime_type": None,
        "from": None,
        "to": None,
        "boundaries": boundary_set.name if boundary_set else None,
        "sources": [s.id for s in sources],
        "extracts": [],
        "missing": [],
        "family": None,
        "phi": None,
        "notes": [],
        "data_as_of": str(latest) if latest else None,
        "data_version": catalogue.data_version,
        "attribution": attribution(catalogue, boundary_set, source) if printed is None else list(dict.fromkeys(printed)),
        "estimated": [],
        "classes": [],
    }
