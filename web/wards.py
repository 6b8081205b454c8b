"""The table of all wards `/wards`, and a ward's profile `/wards/<boundaries>/<code>` in its first form."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flask import Blueprint

from mapping.answers import answer
from mapping.errors import BadRequest, NotFound
from mapping.measures import all_measures, find_measure
from web.audiences import audience, reader
from web.charts import series_chart
from web.explorer import panel_context, parameters_of
from web.figures import headline, notes, table_rows, total_rows, ward_figures
from web.pages import render_page
from web.params import DEFAULT_MEASURE, read_query
from web.points import find_ward, read_point

if TYPE_CHECKING:
    from mapping.answers import Answer, Question

__all__ = ["blueprint"]

blueprint = Blueprint("wards", __name__)


@blueprint.get("/wards")
@audience("public")
def wards() -> str:
    """Every ward of a set with its figure; `find` keeps those whose name, district or code holds the text."""
    query = read_query(extra=("find",))
    found = answer(reader(), find_measure(query.measure or DEFAULT_MEASURE).id, replace(query.question, ward=None))
    text = query.extra.get("find", "").strip()
    rows, context = table_rows(found), _context(found, query.question)
    said = ""
    if text and (place := _at(text, found)):
        code, said = place
        rows = [row for row in rows if row.code == code]
    elif text:
        words = text.casefold().replace(",", " ").split()
        rows = [
            row
            for row in rows
            if all(word in f"{row.name} {row.district}".casefold() for word in words) or row.code.casefold() == text.casefold()
        ]
        said = f"{len(rows)} ward{'s' if len(rows) != 1 else ''} with “{text}”"
    if text:
        # The totals are of whole districts, not of what was found.
        context["totals"] = []
    return render_page("wards.html", find=text, said=said, rows=rows, **context)


def _at(text: str, found: Answer) -> tuple[str, str] | None:
    """The ward that a point is in, or the nearest, and what to say of it; None where the text is no point."""
    try:
        point = read_point(text)
        if point is None:
            return None
        store = reader()
        code, nearest = find_ward(store, store.catalogue(), found.boundary_set, *point)
    except BadRequest as error:
        return "", f"{error.message} {error.hint}"
    if code:
        ward = found.boundary_set.ward(code)
        beyond = "" if any(row["ward_code"] == code for row in found.rows) else ", which is not in the district chosen"
        return code, f"{text} is in {ward.name}{beyond}"
    if nearest is None:
        return "", f"{text} is in no ward"
    return (
        nearest.ward_code,
        f"{text} is in no ward. The nearest is {nearest.ward_name}, {nearest.distance_m / 1000:.1f} km away",
    )


@blueprint.get("/wards/<boundaries>/<path:code>")
@audience("public")
def ward(boundaries: str, code: str) -> str:
    """A ward's figures, series and crime types; `view=panel` gives the explorer's panel alone."""
    query = read_query(extra=("view",))
    catalogue = reader().catalogue()
    # In a path, what does not exist is not found, rather than badly asked for.
    boundary_set = next((s for s in catalogue.boundary_sets if s.name == boundaries), None)
    if boundary_set is None:
        raise NotFound(
            f"There is no boundary set '{boundaries}'.",
            hint="Loaded: " + (", ".join(s.name for s in catalogue.boundary_sets) or "none") + ".",
            parameter="boundaries",
            value=boundaries,
        )
    boundary_set.ward(code)
    question = replace(query.question, boundaries=boundaries, ward=None, district=None)
    found = answer(reader(), find_measure(query.measure or DEFAULT_MEASURE).id, question)
    context = _context(found, question)
    if query.extra.get("view") == "panel":
        # The links of the panel keep the explorer's own address, with its district.
        asked = replace(query.question, boundaries=query.question.boundaries, ward=None)
        context["parameters"] = parameters_of(found, asked)
        return render_page("_panel.html", highest=[], **context, **panel_context(found, question, code))
    figures = ward_figures(reader(), found, question, code, months=None)
    return render_page(
        "ward.html",
        chosen=figures,
        chart=series_chart(figures.series, found.period, width=720, height=228),
        measures=[_measure_row(name, question, code, asked=found.measure.id) for name in all_measures()],
        **context,
    )


def _measure_row(measure_id: str, question: Question, code: str, *, asked: str) -> dict[str, Any]:
    """A measure's figure for one ward, its district and the whole set; what its range is called, and whether it applies."""
    # Options are those of the measure that was asked for; the others are shown as they usually are.
    plain = question if measure_id == asked else replace(question, options={})
    found = answer(reader(), measure_id, replace(plain, ward=code))
    district = next(w.district_code for w in found.boundary_set.wards if w.code == code)
    return {
        "name": found.measure.name,
        "range": found.measure.interval,
        "applies": found.rows[0]["status"] != "not-applicable",
        "row": table_rows(found)[0],
        "totals": total_rows(reader(), found, replace(plain, district=district or None)),
    }


def _context(found: Answer, question: Question) -> dict[str, Any]:
    catalogue = reader().catalogue()
    name = catalogue.crime_type_name(question.crime_type)
    return {
        "found": found,
        "head": headline(found, name),
        "type_name": name,
        "question": question,
        "parameters": parameters_of(found, replace(question, ward=None)),
        "totals": total_rows(reader(), found, replace(question, ward=None)),
        "notes": notes(reader(), found),
    }
