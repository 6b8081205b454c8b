"""The page shell: Jinja with our templates and assets, with Flask or, as for `wardwatch map`, without it."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

import xstatic.pkg.leaflet
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from mapping.answers import answer
from mapping.choropleth import (
    CANVAS_ABOVE,
    STATUS_WORDS,
    FoliumParts,
    draw_map,
    legend,
    shapes_centre,
    tolerance_for,
)
from mapping.measures import all_measures
from web.figures import GAP, headline, notes, page_values, table_rows, total_rows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from mapping.answers import Answer
    from mapping.reader import Reader
    from mapping.settings import Settings

__all__ = [
    "MAP_SCRIPTS",
    "Site",
    "asset_bytes",
    "assets_version",
    "folium_parts",
    "json_block",
    "query_string",
    "render",
    "render_map_file",
    "render_page",
]

_HERE = Path(__file__).parent
_STATIC = _HERE / "static"
_LEAFLET = Path(xstatic.pkg.leaflet.BASE_DIR)
_FROM_LEAFLET = ("leaflet.js", "leaflet.css", "images/layers.png", "images/layers-2x.png", "images/marker-icon.png")

_IN_BLOCK = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}

MAP_SCRIPTS = ("names.js", "keys.js", "map.js", "table.js", "start.js")
"""Our scripts of every page with a map, in the order they run, after Leaflet's and Folium's."""


@dataclass(frozen=True, slots=True)
class Site:
    """What the shell of every page needs: the name at its head, and the prefix under which a proxy shows us."""

    title: str
    root: str = ""
    audience: str = "public"
    here: str = ""

    def asset(self, name: str) -> str:
        """The address of an asset."""
        return f"{self.root}/assets/{assets_version()}/{name}"


def render(template: str, *, site: Site, **context: object) -> str:
    """Render one of our templates. Everything that is not `Markup` is escaped; a name that is not given is an error."""
    return _environment().get_template(template).render(site=site, **context)


def render_page(template: str, **context: object) -> str:
    """Render a template for the request at hand."""
    from flask import request  # noqa: PLC0415 - the rest of this module works without Flask

    from web.audiences import settings  # noqa: PLC0415

    known = settings()
    site = Site(title=known.title, root=request.script_root, audience=known.audience, here=request.path)
    return render(template, site=site, **context)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {"json_block": json_block, "day": _day, "path": lambda text: quote(text, safe=""), "unit": _unit}
    made.globals |= {"measures_with": _measures_with, "query_string": query_string, "status_words": STATUS_WORDS, "gap": GAP}
    return made


def _measures_with(option: str) -> list[str]:
    """The measures that have an option, which stays as it is when one of them is chosen in place of another."""
    return [measure.id for measure in all_measures().values() if any(o.id == option for o in measure.options)]


def _day(day: date | None) -> str:
    """A day in words: `1 May 2022`."""
    return f"{day.day} {day:%B %Y}" if day else ""


def _unit(unit: str, figure: str) -> str:
    """A unit beside a figure: `1 incident`, `2 incidents`."""
    return unit.removesuffix("s") if figure == "1" else unit


def asset_bytes(name: str) -> bytes | None:
    """A file of `static/`, or of Leaflet's package under `leaflet/`; None if there is no such asset."""
    return _assets().get(name)


@cache
def _assets() -> dict[str, bytes]:
    """All assets by name. They are few and small, and only a new installation changes them."""
    ours = {path.name: path.read_bytes() for path in sorted(_STATIC.iterdir()) if path.is_file()}
    return ours | {f"leaflet/{name}": (_LEAFLET / name).read_bytes() for name in _FROM_LEAFLET}


@cache
def assets_version() -> str:
    """A hash of all assets, which stands in their addresses: those may be cached for ever."""
    digest = hashlib.sha256(version("folium").encode())
    for name, content in _assets().items():
        digest.update(name.encode() + hashlib.sha256(content).digest())
    return digest.hexdigest()[:16]


@lru_cache(maxsize=64)
def folium_parts(shapes_sha256: str, centre: tuple[float, float], wards: int, tiles_url: str, attribution: str) -> FoliumParts:
    """Folium's part of the map of a set, kept: it is the same for every measure, filter and visitor."""
    del shapes_sha256  # part of what is kept under
    return draw_map(centre=centre, canvas=wards > CANVAS_ABOVE, tiles_url=tiles_url, tiles_attribution=attribution)


def json_block(value: object) -> Markup:
    """JSON for a `<script type="application/json">`: no text in it can end the element or start another."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.translate(_IN_BLOCK))  # noqa: S704 - escaped above for the one place it goes


def query_string(parameters: Mapping[str, str | None], **changes: str | None) -> str:
    """`?a=b&c=d` of what is not empty, in the order given; nothing where nothing is left."""
    wanted = {name: value for name, value in {**parameters, **changes}.items() if value}
    return f"?{urlencode(wanted)}" if wanted else ""


def render_map_file(reader: Reader, found: Answer, settings: Settings) -> str:
    """A map as one HTML file that asks nothing of any server: opened from a disk, an e-mail or a memory stick.

    Parameters
    ----------
    reader
        Gives the shapes, and the totals that end the table.
    found
        Figures of wards.
    """
    catalogue, boundary_set, question = reader.catalogue(), found.boundary_set, found.question
    # A district or a ward chooses the rows of the table; the map shows them among all the others.
    all_wards = replace(question, district=None, ward=None)
    everywhere = found if question == all_wards else answer(reader, found.measure.id, all_wards)
    shapes = reader.shapes(boundary_set.shapes[tolerance_for(len(boundary_set.wards))])
    # No tiles, whatever the settings say: they would be asked for.
    folium = draw_map(centre=shapes_centre(shapes), canvas=len(boundary_set.wards) > CANVAS_ABOVE)
    scripts = [_inert(text) for text in (_text("leaflet/leaflet.js"), folium.script, *map(_text, MAP_SCRIPTS))]
    styles = [_text("leaflet/leaflet.css"), _text("wardwatch.css")]
    head = headline(found, catalogue.crime_type_name(question.crime_type))
    return render(
        "map_file.html",
        site=Site(title=settings.title),
        folium_html=Markup(folium.html),  # noqa: S704 - Folium's own, made of no data
        scripts=[Markup(text) for text in scripts],  # noqa: S704 - our own files
        styles=[Markup(text) for text in styles],  # noqa: S704 - our own files
        policy=_policy(scripts, styles),
        shapes=json_block(shapes.decode()),
        values=page_values(everywhere) | {"busiest": head.code, "district": question.district, "selected": question.ward},
        head=head,
        found=found,
        district_name=boundary_set.districts.get(question.district or "", ""),
        lines=legend(everywhere),
        rows=table_rows(found),
        totals=total_rows(reader, found, question),
        notes=notes(reader, found),
    )


def _text(name: str) -> str:
    """An asset as text that is put into a page: without the address of a source map, which would be asked for."""
    text = (asset_bytes(name) or b"").decode()
    return "\n".join(line for line in text.splitlines() if not line.startswith("//# sourceMappingURL="))


def _inert(script: str) -> str:
    """A script that no text in it can end."""
    return script.replace("</script", "<\\/script")


def _policy(scripts: list[str], styles: list[str]) -> str:
    """A Content-Security-Policy that runs these blocks and nothing else, and asks nobody for anything."""

    def hashes(blocks: list[str]) -> str:
        return " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(b.encode()).digest()).decode()}'" for b in blocks)

    return f"default-src 'none'; script-src {hashes(scripts)}; style-src {hashes(styles)}; img-src data:"
