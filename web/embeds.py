"""A map for another site's `<iframe>`: `/embed/<measure>`, without cookies, working in a sandbox that allows scripts only."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint

from mapping.answers import answer
from mapping.measures import find_measure
from web.assets import map_addresses
from web.audiences import audience, reader
from web.explorer import map_context
from web.pages import MAP_SCRIPTS, render_page
from web.params import read_query

__all__ = ["blueprint"]

blueprint = Blueprint("embeds", __name__)


@blueprint.get("/embed/<measure>")
@audience("public")
def embed(measure: str) -> str:
    """The map, its legend and one sentence; the table of the same figures below."""
    query = read_query(measure=find_measure(measure).id)
    question = replace(query.question, ward=None)
    found = answer(reader(), measure, question)
    context = map_context(found, question, query.question.ward or "")
    return render_page("embed.html", map=map_addresses(found.boundary_set, small=True), scripts=MAP_SCRIPTS, **context)
