"""Shapes for display: simplified together so that neighbours still share edges, in longitude and latitude."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from mapping.vocabulary import to_lonlat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["DISPLAY_TOLERANCES_M", "check_coverage", "display_shapes"]

DISPLAY_TOLERANCES_M = (60, 250)
"""For maps; and for embeds, thumbnails and sets of over 1,000 wards."""

_DECIMALS = 5  # of a degree: about a metre


def check_coverage(shapes: NDArray[np.object_]) -> list[str]:
    """What is to be said of wards that overlap or whose shared edges do not meet (EPSG:27700)."""
    if shapely.coverage_is_valid(shapes):
        return []
    faulty = [edges for edges in shapely.coverage_invalid_edges(shapes) if edges is not None and not edges.is_empty]
    length = sum(edges.length for edges in faulty)
    where = f"{len(faulty)} areas overlap a neighbour or do not meet it exactly, along {length / 1000:,.1f} km"
    return [f"{where}: a point where two overlap counts in the one with the lower code."]


def display_shapes(
    shapes: NDArray[np.object_], *, codes: Sequence[str], names: Sequence[str], district_codes: Sequence[str]
) -> dict[int, bytes]:
    """A GeoJSON FeatureCollection in EPSG:4326 for each of `DISPLAY_TOLERANCES_M`.

    Parameters
    ----------
    shapes
        Multipolygons in EPSG:27700 metres, ordered by code.

    Returns
    -------
    dict
        By tolerance in metres. Each feature's `id` is the ward's code and its properties are `ward_code`, `ward_name`,
        `district_code` and `label` (a point inside, for the name); the member `borders` holds the lines between districts
        and around them, or null where there are none.
    """
    labels = shapely.get_coordinates(_in_degrees(shapely.point_on_surface(shapes))).tolist()
    return {
        tolerance: _collection(
            shapely.coverage_simplify(shapes, tolerance), labels=labels, codes=codes, names=names, district_codes=district_codes
        )
        for tolerance in DISPLAY_TOLERANCES_M
    }


def _collection(
    shapes: NDArray[np.object_],
    *,
    labels: list[list[float]],
    codes: Sequence[str],
    names: Sequence[str],
    district_codes: Sequence[str],
) -> bytes:
    geometries = [json.loads(text) for text in shapely.to_geojson(_in_degrees(shapes))]
    features = [
        {
            "type": "Feature",
            "id": code,
            "properties": {"ward_code": code, "ward_name": names[i], "district_code": district_codes[i], "label": labels[i]},
            "geometry": geometries[i],
        }
        for i, code in enumerate(codes)
    ]
    collection = {"type": "FeatureCollection", "features": features, "borders": _borders(shapes, district_codes)}
    return json.dumps(collection, ensure_ascii=False, separators=(",", ":")).encode()


def _borders(shapes: NDArray[np.object_], district_codes: Sequence[str]) -> dict[str, Any] | None:
    districts = sorted(set(district_codes))
    if len(districts) < 2:
        return None
    of = np.array(district_codes)
    outlines = [shapely.boundary(shapely.union_all(shapes[of == district])) for district in districts]
    lines = shapely.line_merge(shapely.union_all(outlines))
    borders: dict[str, Any] = json.loads(shapely.to_geojson(_in_degrees(lines)))
    return borders


def _in_degrees(shapes: Any) -> Any:  # noqa: ANN401 - a shapely geometry, or an array of them
    """From EPSG:27700 to EPSG:4326, rounded."""
    return shapely.transform(shapes, lambda xy: np.column_stack(to_lonlat(xy[:, 0], xy[:, 1])).round(_DECIMALS))
