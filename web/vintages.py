"""The boundary sets `/boundaries`, and what changed between two of them `/boundaries/<old>/<new>`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Blueprint

from mapping.answers import attribution
from mapping.boundary_changes import boundary_changes, pairs_of_sets
from mapping.choropleth import CANVAS_ABOVE, outline
from mapping.errors import BadRequest
from mapping.vintages import KINDS, SLIVER_THICKNESS_M
from mapping.vocabulary import GROUP_NAMES, Month
from web.assets import map_addresses
from web.audiences import audience, reader
from web.pages import MAP_SCRIPTS, render_page
from web.params import read_query

if TYPE_CHECKING:
    from mapping.boundary_changes import BoundaryChanges
    from mapping.reader import BoundarySetInfo, Catalogue, WardInfo
    from web.params import Query

__all__ = ["blueprint"]

blueprint = Blueprint("vintages", __name__)

COLOURS = {
    "unchanged": "#eef1f4",
    "renamed": "#cfe3f5",
    "recoded": "#9cc4e6",
    "redrawn": "#f6c667",
    "split": "#d9c2e8",
    "merged": "#c3a3d6",
    "gone": "#f2b5a7",
    "new": "#f2b5a7",
}
"""The fill of each kind; where paths are drawn each but the first has a pattern of its own too. Words stand beside all."""


@dataclass(frozen=True, slots=True)
class Part:
    """A ward of the other set that has a part of this one: its share of this ward's ground, and of its incidents."""

    ward: WardInfo | None
    kind: str
    ground: float
    incidents: int | None
    share: float | None


@dataclass(frozen=True, slots=True)
class Line:
    """A ward that is not unchanged, and the wards of the other set that have parts of it."""

    ward: WardInfo
    kind: str
    incidents: int | None
    parts: tuple[Part, ...]


@blueprint.get("/boundaries")
@audience("public")
def boundaries() -> str:
    """Every boundary set, since when it is in force, and which can be compared."""
    read_query(common=())
    catalogue = reader().catalogue()
    return render_page("boundaries.html", sets=catalogue.boundary_sets[::-1], pairs=pairs_of_sets(catalogue.boundary_sets))


@blueprint.get("/boundaries/<old>/<new>")
@audience("public")
def pair(old: str, new: str) -> str:
    """What became of each ward between two sets, on a map (`map=old`: of the old set), in a list, and with its incidents."""
    query = read_query(common=("crime_type", "from", "to", "source"), extra=("map",))
    side = query.extra.get("map", "new")
    if side not in ("old", "new"):
        raise BadRequest(f"There is no map '{side}'.", hint="Known: old, new.", parameter="map", value=side)
    store = reader()
    found = boundary_changes(store, old, new, query.question)
    catalogue = store.catalogue()
    drawn = found.old if side == "old" else found.new
    lines = {"old": _lines(found, of="old"), "new": _lines(found, of="new")}
    addresses = map_addresses(drawn)
    return render_page(
        "boundary_changes.html",
        found=found,
        type_name=catalogue.crime_type_name(query.question.crime_type),
        side=side,
        drawn=drawn,
        kinds=KINDS,
        counted=found.comparison.counted(),
        colours=COLOURS,
        totals=found.totals,
        legend=_legend(found, side),
        groups={name: _by_district(listed, found) for name, listed in lines.items()},
        choices=_choices(catalogue, found, query),
        parameters=_parameters(query),
        sliver_m=SLIVER_THICKNESS_M,
        attribution=list(dict.fromkeys([*attribution(catalogue, found.old, query.question.source), found.new.attribution])),
        values=_map_values(found, lines[side], side, drawn),
        map=addresses,
        scripts=MAP_SCRIPTS,
    )


def _lines(found: BoundaryChanges, *, of: str) -> list[Line]:
    """The wards of a set that are not unchanged, by name, the largest parts first."""
    mine, other = (found.old, found.new) if of == "old" else (found.new, found.old)
    kinds = found.comparison.old_kinds if of == "old" else found.comparison.new_kinds
    incidents = found.old_incidents if of == "old" else found.new_incidents
    parts: dict[int, list[Part]] = {i: [] for i, kind in enumerate(kinds) if kind != "unchanged"}
    for flow in found.flows:
        at, to = (flow.old, flow.new) if of == "old" else (flow.new, flow.old)
        ground = flow.share_of_old if of == "old" else flow.share_of_new
        if at in parts and (ground or flow.incidents):
            whole = incidents[at]
            share = flow.incidents / whole if whole and flow.incidents is not None else None
            parts[at].append(Part(other.wards[to] if to is not None else None, flow.kind, ground, flow.incidents, share))
    listed = [
        Line(mine.wards[i], kinds[i], incidents[i], tuple(sorted(p, key=lambda part: (-(part.incidents or 0), -part.ground))))
        for i, p in parts.items()
    ]
    return sorted(listed, key=lambda line: (line.ward.name, line.ward.code))


def _by_district(lines: list[Line], found: BoundaryChanges) -> dict[str, list[Line]]:
    """The wards by the name of their district, which either set may know."""
    named = {code: name for one in (found.old, found.new) for code, name in one.districts.items() if name and name != code}
    groups: dict[str, list[Line]] = {}
    for line in lines:
        groups.setdefault(named.get(line.ward.district_code, line.ward.district_code), []).append(line)
    return dict(sorted(groups.items()))


def _legend(found: BoundaryChanges, side: str) -> list[dict[str, Any]]:
    kinds = found.comparison.old_kinds if side == "old" else found.comparison.new_kinds
    return [
        {"kind": kind, "label": label, "colour": COLOURS[kind], "outline": outline(COLOURS[kind]), "wards": kinds.count(kind)}
        for kind, label in KINDS.items()
        if kind in kinds
    ]


def _map_values(found: BoundaryChanges, lines: list[Line], side: str, drawn: BoundarySetInfo) -> dict[str, Any]:
    """What the renderer in the browser needs: kinds are patterns, or colours alone where a canvas draws thousands of wards."""
    kinds = found.comparison.old_kinds if side == "old" else found.comparison.new_kinds
    canvas = len(drawn.wards) > CANVAS_ABOVE
    order = list(KINDS)
    sentences = {line.ward.code: _sentence(line, side) for line in lines}
    wards = {}
    for ward, kind in zip(drawn.wards, kinds, strict=True):
        plain = canvas or kind == "unchanged"
        said = sentences.get(ward.code, f"{ward.name}: unchanged.")
        wards[ward.code] = [order.index(kind) if plain else kind, KINDS[kind].lower() if plain else "", said]
    return {
        "unit": "",
        "classes": [{"colour": COLOURS[kind], "outline": outline(COLOURS[kind])} for kind in order],
        "statuses": {kind: label for kind, label in KINDS.items() if kind != "unchanged"},
        "districts": drawn.districts,
        "wards": wards,
        "near": [],
        "partial": [],
        "perhaps": {},
        "busiest": None,
        "district": None,
        "selected": None,
        "boundaries": drawn.name,
    }


def _sentence(line: Line, side: str) -> str:
    where = [
        f"{part.ward.name}{'' if part.incidents is None else f' ({part.incidents:,} incidents)'}"
        for part in line.parts[:3]
        if part.ward and part.kind != "sliver"
    ]
    more = f" and {len(line.parts) - 3} more" if len(line.parts) > 3 else ""
    way = "now in" if side == "old" else "before in"
    return f"{line.ward.name}: {KINDS[line.kind].lower()}{f'; {way} ' + ', '.join(where) + more if where else ''}."


def _choices(catalogue: Catalogue, found: BoundaryChanges, query: Query) -> dict[str, Any]:
    """What the form offers, and what is chosen."""
    span = catalogue.coverage.span
    seen = frozenset[str]().union(*(stream.seen for stream in catalogue.coverage.streams))
    types = [(t.id, t.name) for t in catalogue.crime_types if t.id in seen | {query.question.crime_type}]
    groups = [(group, catalogue.crime_type_name(group)) for group in GROUP_NAMES]
    return {
        "crime_types": groups + types,
        "crime_type": query.question.crime_type,
        "months": sorted({*(span or ()), *found.period}, reverse=True),
        "sources": [(s.id, s.name) for s in catalogue.sources],
        "source": query.question.source,
    }


def _parameters(query: Query) -> dict[str, str | None]:
    asked = query.question
    first, last = (str(month) if isinstance(month, Month) else None for month in (asked.first, asked.last))
    crime_type = None if asked.crime_type == "all" else asked.crime_type
    return {"crime_type": crime_type, "from": first, "to": last, "source": asked.source}
