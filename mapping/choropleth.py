"""A measure on a Folium map: Folium's part as a script with stable names, and the values, legend and colours as data.

Folium builds the map object and its layers. What it would decide for us is left out: its links to four other servers, its
inline styles, its random ids and every place where it puts text into script. Shapes and values reach the
browser as data; nothing that came from a file is ever handed to Folium.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import folium
from folium.utilities import JsCode

from mapping.classes import find_class
from mapping.lines import changeable_wards, hatches_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from branca.element import Figure

    from mapping.answers import Answer

__all__ = [
    "CANVAS_ABOVE",
    "STATUS_WORDS",
    "FoliumParts",
    "class_of",
    "contrast",
    "dashed_wards",
    "draw_map",
    "legend",
    "map_values",
    "outline",
    "shapes_centre",
    "tolerance_for",
]

CANVAS_ABOVE = 1000
"""With more wards than this, paths are drawn on one canvas, and from the coarser shapes."""

STATUS_WORDS = {
    "not-supplied": "Not supplied",
    "no-denominator": "No rate: too few to divide by, or not known",
    "suppressed": "Fewer than 5: not shown",
    "too-few": "Too few to judge",
    "too-short": "Series too short to judge",
    "break": "Recording changed: not compared",
    "not-applicable": "Does not apply here",
}
"""Why an area has no figure, as legends and tables say it. Each has a hatch of its own."""

_EMPTY = {"type": "FeatureCollection", "features": []}

# Lines between wards: the palest that stands out 3:1 from its fill (WCAG 1.4.11), so that light classes stay calm.
_OUTLINES = ("#7b8794", "#52606d", "#1f2933", "#ffffff")
_RANDOM_ID = re.compile(r"_[0-9a-f]{32}\b")


@dataclass(frozen=True, slots=True)
class FoliumParts:
    """What Folium makes of a map: the element it draws in, and the script that draws. The same on every machine.

    The script declares `ward_map` (the Leaflet map), `ward_shapes` and `district_borders` (GeoJSON layers, both empty) with
    `ward_shapes_add(data)` and `district_borders_add(data)` to fill them.
    """

    html: str
    script: str


def draw_map(
    *, centre: tuple[float, float], canvas: bool = False, tiles_url: str = "", tiles_attribution: str = ""
) -> FoliumParts:
    """Let Folium build the map, and give its parts under stable names.

    Parameters
    ----------
    centre
        Longitude and latitude that the map starts from, before it fits the shapes.
    canvas
        Whether thousands of shapes are drawn on a canvas instead of as SVG paths.
    tiles_url, tiles_attribution
        Background tiles; none by default.
    """
    lon, lat = centre
    the_map = folium.Map(
        location=[lat, lon],
        zoom_start=9,
        tiles=None,
        prefer_canvas=canvas,
        # Wards, not the map, are what the keyboard moves between; the wheel scrolls the page until the map is used.
        keyboard=False,
        scroll_wheel_zoom=False,
        zoom_snap=1 if tiles_url else 0.1,
        attribution_control=bool(tiles_url),
    )
    # Leaflet alone is needed, and served by us. These lists belong to the class: set them on this map only.
    the_map.default_js, the_map.default_css = [], []
    names = {the_map.get_name(): "ward_map"}
    if tiles_url:
        tiles = folium.TileLayer(tiles_url, attr=tiles_attribution or " ", control=False)
        names[tiles.get_name()] = "background"
        tiles.add_to(the_map)
    wards = folium.GeoJson(
        _EMPTY,
        control=False,
        smooth_factor=1.0 if canvas else 0.3,
        color="#7b8794",
        weight=1,
        fillColor="#ffffff",
        fillOpacity=0.75 if tiles_url else 1,
    )
    # District borders lie above the wards, on a canvas of their own: they are no wards, take no clicks, and what counts or
    # reads the paths of the map finds wards only.
    borders = folium.GeoJson(
        _EMPTY,
        control=False,
        smooth_factor=1.0 if canvas else 0.3,
        color="#0b1a2a",
        weight=2,
        interactive=False,
        renderer=JsCode('L.canvas({pane: "districts", padding: 0.5})'),
        pane="districts",
    )
    names |= {wards.get_name(): "ward_shapes", borders.get_name(): "district_borders"}
    wards.add_to(the_map)
    borders.add_to(the_map)
    figure = cast("Figure", the_map.get_root())
    figure.render()
    html, script = figure.html.render(), figure.script.render()
    for random_name, stable_name in names.items():
        html, script = html.replace(random_name, stable_name), script.replace(random_name, stable_name)
    # The pane must be there before Folium adds the layer to it.
    script = script.replace("function ward_shapes_onEachFeature", f"{_PANE}\n        function ward_shapes_onEachFeature", 1)
    if left := _RANDOM_ID.search(html + script):
        message = f"Folium made an element that has no stable name: {left[0]}"
        raise AssertionError(message)
    return FoliumParts(html.strip(), script)


_PANE = (
    'ward_map.createPane("districts").style.zIndex = 420;\n'
    '        ward_map.getPane("districts").style.pointerEvents = "none";\n'
)


def tolerance_for(wards: int, *, small: bool = False) -> int:
    """Which shapes a map needs, by their tolerance in metres: the coarse ones for `small` maps and for many wards."""
    return 250 if small or wards > CANVAS_ABOVE else 60


def shapes_centre(shapes: bytes) -> tuple[float, float]:
    """Longitude and latitude of the middle of a set's display shapes."""
    points = [f["properties"]["label"] for f in json.loads(shapes)["features"]]
    if not points:
        return (-2.0, 53.0)
    lons, lats = zip(*points, strict=True)
    return (round((min(lons) + max(lons)) / 2, 4), round((min(lats) + max(lats)) / 2, 4))


def class_of(row: dict[str, Any], found: Answer) -> int | None:
    """Index of the class that a row of an answer is in: by its id, and where classes are ranges by its value."""
    value = row["value"]
    if value is None:
        return None
    if not row["class"]:
        return find_class(value, found.classes, decimals=found.measure.decimals)
    shown = round(value, found.measure.decimals)
    return next((i for i, c in enumerate(found.classes) if row["class"] == c.id and c.holds(shown)), None)


def map_values(answer: Answer) -> dict[str, Any]:
    """What the renderer in the browser needs to colour the map, name it and say it.

    `wards` gives for each ward `[class index or status, figure as shown, sentence]`; a ward that the answer does not hold
    is drawn without a figure. `near` names those that are hatched because their class could change, `dashed` those some of
    whose months are missing.
    """
    classes, write = answer.classes, answer.measure.format
    wards: dict[str, list[Any]] = {}
    for row in answer.rows:
        kind: int | str | None = class_of(row, answer)
        shown = "" if row["value"] is None else write(row["value"])
        wards[row["ward_code"]] = [row["status"] if kind is None else kind, shown, row["sentence"]]
    return {
        "unit": answer.measure.unit,
        # What is judged is named by its class first; a range of a legend by the figure itself.
        "classes": [
            {"colour": c.colour, "outline": outline(c.colour), "label": c.label if answer.measure.quiet else ""}
            for c in classes
        ],
        "statuses": STATUS_WORDS,
        "districts": answer.boundary_set.districts,
        "wards": wards,
        "near": changeable_wards(answer),
        "dashed": dashed_wards(answer),
    }


def dashed_wards(answer: Answer) -> list[str]:
    """The wards whose figure lacks some months, where others' do not: where all lack some, dashes would tell nothing."""
    known = [row for row in answer.rows if row["value"] is not None]
    partial = [row["ward_code"] for row in known if row["status"] == "partial"]
    return partial if len(partial) < len(known) else []


def legend(answer: Answer) -> list[dict[str, Any]]:
    """The lines of a legend: each class that some ward is in, then why wards have no figure, where any has none.

    Last, how many wards lack some months, and where it is asked for, how many could change class: they are counted in their
    class too.
    """
    counts: dict[int | str, int] = {}
    for row in answer.rows:
        kind = class_of(row, answer)
        key = row["status"] if kind is None else kind
        counts[key] = counts.get(key, 0) + 1
    lines: list[dict[str, Any]] = [
        {"label": c.label, "colour": c.colour, "outline": outline(c.colour), "hatch": None, "wards": counts[i]}
        for i, c in enumerate(answer.classes)
        if i in counts
    ]
    lines += [
        {"label": words, "colour": None, "outline": None, "hatch": status, "wards": counts[status]}
        for status, words in STATUS_WORDS.items()
        if status in counts
    ]
    if dashed := dashed_wards(answer):
        words = answer.measure.partial
        words = f"{words[:1].upper()}{words[1:]}"
        lines.append({"label": words, "colour": None, "outline": None, "hatch": "partial", "wards": len(dashed)})
    if hatches_lines(answer):
        n = len(changeable_wards(answer))
        words = "No ward could change class: points are exact"
        if answer.near:
            within = next(iter(answer.near.values())).within
            words = f"{n:,} ward{'s' * (n != 1)} could change class: incidents within {within} of a line may belong next door"
        lines.append({"label": words, "colour": None, "outline": None, "hatch": "near", "wards": None})
    return lines


def outline(colour: str) -> str:
    """The line that is drawn around a ward of this colour: at least 3:1 against it."""
    return next((line for line in _OUTLINES if contrast(line, colour) >= 3), _OUTLINES[-2])


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours `#rrggbb` (WCAG 2.2), from 1 to 21.

    >>> contrast("#ffffff", "#000000")
    21.0
    """
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = _linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(colour: str) -> Iterator[float]:
    for i in (1, 3, 5):
        part = int(colour[i : i + 2], 16) / 255
        yield part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
