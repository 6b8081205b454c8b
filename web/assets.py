"""Files that never change under their address: styles, scripts, Leaflet, Folium's map scripts and the shapes."""

from __future__ import annotations

import hashlib
import mimetypes
from functools import lru_cache
from typing import TYPE_CHECKING

from flask import Blueprint, Response, url_for

from mapping.choropleth import shapes_centre, tolerance_for
from mapping.errors import NotFound
from web.audiences import audience, reader, settings
from web.pages import asset_bytes, assets_version, folium_parts

if TYPE_CHECKING:
    from mapping.choropleth import FoliumParts
    from mapping.reader import BoundarySetInfo

__all__ = ["MapAddresses", "blueprint", "map_addresses"]

blueprint = Blueprint("assets", __name__)

_FOR_EVER = "public, max-age=31536000, immutable"
_KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


@blueprint.get("/assets/<version>/<path:name>")
@audience("public")
def asset(version: str, name: str) -> Response:
    """A style, a script or an image."""
    content = asset_bytes(name)
    if content is None or version != assets_version():
        raise NotFound(f"There is no file '{name}' of version '{version}'.", hint="Load the page again.", value=name)
    ending = name[name.rfind(".") :]
    return _kept(content, _KINDS.get(ending) or mimetypes.guess_type(name)[0] or "application/octet-stream")


@blueprint.get("/shapes/<sha256>.geojson")
@audience("public")
def shapes(sha256: str) -> Response:
    """Display shapes of a boundary set, in longitude and latitude."""
    return _kept(reader().shapes(sha256), "application/geo+json")


@blueprint.get("/maps/<shapes_sha256>-<version>.js")
@audience("public")
def map_script(shapes_sha256: str, version: str) -> Response:
    """Folium's part of a map. It depends on the shapes and the tiles, never on figures."""
    script = _parts(shapes_sha256).script.encode()
    if version != _short_hash(script):
        raise NotFound("There is no such map script.", hint="Load the page again.", value=version)
    return _kept(script, "text/javascript")


class MapAddresses:
    """Where a page finds the parts of its map, and Folium's element."""

    def __init__(self, boundary_set: BoundarySetInfo, *, small: bool = False) -> None:
        """Choose the shapes: the coarse ones for `small` maps and for many wards."""
        sha256 = boundary_set.shapes[tolerance_for(len(boundary_set.wards), small=small)]
        parts = _parts(sha256)
        self.html = parts.html
        self.shapes = url_for("assets.shapes", sha256=sha256)
        self.script = url_for("assets.map_script", shapes_sha256=sha256, version=_short_hash(parts.script.encode()))


def map_addresses(boundary_set: BoundarySetInfo, *, small: bool = False) -> MapAddresses:
    """The parts of a map of a set."""
    return MapAddresses(boundary_set, small=small)


def _parts(sha256: str) -> FoliumParts:
    known = settings()
    centre, wards = _middle(sha256)
    return folium_parts(sha256, centre, wards, known.tiles_url, known.tiles_attribution)


_middles: dict[str, tuple[tuple[float, float], int]] = {}


def _middle(sha256: str) -> tuple[tuple[float, float], int]:
    """Where a set's middle is and how many wards it has, kept: reading all its shapes takes a while."""
    if sha256 not in _middles:
        content = reader().shapes(sha256)
        _middles[sha256] = (shapes_centre(content), content.count(b'"ward_code"'))
    return _middles[sha256]


@lru_cache(maxsize=64)
def _short_hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _kept(content: bytes, mimetype: str) -> Response:
    answer = Response(content, mimetype=mimetype)
    answer.headers["Cache-Control"] = _FOR_EVER
    return answer
