"""The explorer `/` and a map on a page of its own `/map/<measure>`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from flask import Blueprint, request
from werkzeug.datastructures import MultiDict

from mapping.answers import Answer, Question, answer
from mapping.choropleth import legend
from mapping.errors import BadRequest, StoreNotReady
from mapping.measures import ASKS, all_measures, find_measure
from mapping.vocabulary import GROUP_NAMES
from web.assets import map_addresses
from web.audiences import audience, reader
from web.charts import series_chart
from web.figures import headline, notes, page_values, table_rows, total_rows, ward_figures
from web.pages import MAP_SCRIPTS, render_page
from web.params import DEFAULT_MEASURE, read_query

if TYPE_CHECKING:
    from datetime import date

    from mapping.reader import Catalogue
    from mapping.vocabulary import CrimeType, Month

__all__ = ["blueprint", "fragments", "map_context", "panel_context", "parameters_of"]

blueprint = Blueprint("explorer", __name__)

BEGINNING = 5
"""How many of the highest wards are listed before one is chosen."""


@blueprint.get("/")
@audience("public")
def explorer() -> str:
    """The map with everything around it; on a store without data, how to fill it."""
    query = read_query(args=_own_arguments(), extra=("shown",))
    try:
        store = reader()
        catalogue = store.catalogue()
        if not catalogue.boundary_sets or catalogue.coverage.span is None:
            return _welcome(catalogue)
    except StoreNotReady as error:
        # A database that cannot be reached is no empty store: nobody should be told to make a new one.
        if error.__cause__:
            raise
        return _welcome(None)
    measure = find_measure(query.measure or DEFAULT_MEASURE).id
    question, selected = replace(query.question, ward=None), query.question.ward or ""
    if query.extra.get("shown", measure) != measure:
        # Without scripts the form sends the months of the measure before: each looks back as far as it needs.
        question = replace(question, first=None)
    found = answer(store, measure, question)
    context = map_context(found, question, selected)
    return render_page(
        "explorer.html",
        map=map_addresses(found.boundary_set),
        filters=_filters(catalogue, found, question),
        scripts=(*MAP_SCRIPTS, "search.js", "explorer.js"),
        **context,
    )


def _own_arguments() -> MultiDict[str, str]:
    """The query string without other measures' options: without scripts, the form sends those of the measure before."""
    every = {option.id for measure in all_measures().values() for option in measure.options}
    own = {option.id for option in find_measure(request.args.get("measure") or DEFAULT_MEASURE).options}
    return MultiDict((name, value) for name, value in request.args.items(multi=True) if name in own or name not in every)


@blueprint.get("/map/<measure>")
@audience("public")
def map_page(measure: str) -> str:
    """A map on a page of its own."""
    query = read_query(measure=find_measure(measure).id)
    question = replace(query.question, ward=None)
    found = answer(reader(), measure, question)
    context = map_context(found, question, query.question.ward or "")
    return render_page("map.html", map=map_addresses(found.boundary_set), scripts=MAP_SCRIPTS, **context)


def fragments(found: Answer, question: Question, selected: str) -> dict[str, Any]:
    """The parts of the explorer that another question changes: HTML by the id of its element, and `map`, the values.

    They come from the templates of the whole page, so that text and figures never disagree.
    """
    context = map_context(found, replace(question, ward=None), selected)
    names = ("heading", "legend", "panel", "table", "notes", "caption", "options")
    parts: dict[str, Any] = {name: render_page(f"_{name}.html", **context) for name in names}
    return parts | {"title": context["head"].sentence, "map": context["values"]}


def map_context(found: Answer, question: Question, selected: str) -> dict[str, Any]:
    """What the templates of a map need."""
    store = reader()
    catalogue = store.catalogue()
    if selected:
        _must_exist(found, selected)
    # A district chooses the rows of the table; the map goes on showing all wards, those outside it dimmed.
    everywhere = answer(store, found.measure.id, replace(question, district=None)) if question.district else found
    type_name = catalogue.crime_type_name(question.crime_type)
    head = headline(found, type_name)
    parameters = parameters_of(found, question)
    rows = table_rows(found)
    return {
        "found": found,
        "head": head,
        "type_name": type_name,
        "linked": "map",
        "question": question,
        "parameters": parameters,
        "district_name": found.boundary_set.districts.get(question.district or "", ""),
        "lines": legend(everywhere),
        "rows": rows,
        "totals": total_rows(store, found, question),
        "highest": [] if head.none_recorded else [row for row in rows if row.value is not None and not row.quiet][:BEGINNING],
        "notes": notes(store, found),
        "denominators": store.denominators(catalogue, found.boundary_set),
        "values": page_values(everywhere)
        | {
            "busiest": head.code,
            "district": question.district,
            "selected": selected or None,
            "boundaries": found.boundary_set.name,
        },
        **panel_context(everywhere, question, selected),
    }


def panel_context(found: Answer, question: Question, selected: str) -> dict[str, Any]:
    """What the panel of a ward needs; without a ward it says how to choose one."""
    if not selected:
        return {"chosen": None, "chart": None}
    chosen = ward_figures(reader(), found, question, selected)
    return {"chosen": chosen, "chart": series_chart(chosen.series, found.period, height=138)}


def parameters_of(found: Answer, question: Question) -> dict[str, str | None]:
    """The question as it stands in an address, without what is the default."""
    return {
        "measure": None if found.measure.id == DEFAULT_MEASURE else found.measure.id,
        "crime_type": None if question.crime_type == "all" else question.crime_type,
        "from": str(question.first) if question.first else None,
        "to": str(question.last) if question.last else None,
        "boundaries": question.boundaries,
        "source": question.source,
        "district": question.district,
        **found.unusual_options,
    }


def _must_exist(found: Answer, selected: str) -> None:
    if all(ward.code != selected for ward in found.boundary_set.wards):
        raise BadRequest(
            f"There is no ward '{selected}' in the boundary set {found.boundary_set.name}.",
            hint="A ward of another vintage has another code: name its set with `boundaries`.",
            parameter="ward",
            value=selected,
        )


def _welcome(catalogue: Catalogue | None) -> str:
    """What to load, and how; what is done already is marked."""
    sets = catalogue.boundary_sets if catalogue else ()
    done = {
        "init": catalogue is not None,
        "boundaries": bool(sets),
        "population": any(reader().denominators(catalogue, found).kinds for found in sets) if catalogue else False,
        "incidents": bool(catalogue and catalogue.coverage.span),
    }
    return render_page("welcome.html", done=done, set_name=sets[0].name if sets else "wd24")


@dataclass(frozen=True, slots=True)
class Filters:
    """The choices of the form, each with what is chosen now."""

    measures: list[tuple[str, list[tuple[str, str]]]]
    groups: list[tuple[str, str]]
    crime_types: list[CrimeType]
    months: list[Month]
    districts: dict[str, str]
    boundary_sets: list[tuple[str, date | None]]
    sources: list[tuple[str, str]]
    first: Month
    last: Month


def _filters(catalogue: Catalogue, found: Answer, question: Question) -> Filters:
    seen = frozenset().union(*(stream.seen for stream in catalogue.coverage.streams)) | {question.crime_type}
    types = [t for t in catalogue.crime_types if t.id in seen]
    kinds = {t.group for t in types}
    span = catalogue.coverage.span
    months = {*(span or ()), *found.period}
    return Filters(
        measures=[(words, [(m.id, m.name) for m in all_measures().values() if m.asks == asks]) for asks, words in ASKS.items()],
        groups=[(group, catalogue.crime_type_name(group)) for group in GROUP_NAMES if group == "all" or group in kinds],
        # ASB is what most partnerships meet about: first among equals.
        crime_types=sorted(types, key=lambda t: (t.group != "asb", t.group == "other", t.name)),
        months=sorted(months, reverse=True),
        districts=found.boundary_set.districts,
        boundary_sets=[(s.name, s.effective) for s in catalogue.boundary_sets],
        sources=[(s.id, s.name) for s in catalogue.sources],
        first=found.period.first,
        last=found.period.last,
    )
