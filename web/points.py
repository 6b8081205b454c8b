"""Which ward a point in longitude and latitude is in, for the API and for the search box without scripts."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from mapping.errors import BadRequest
from mapping.vocabulary import in_united_kingdom, to_metres

if TYPE_CHECKING:
    from mapping.places import Nearest
    from mapping.reader import BoundarySetInfo, Catalogue, Reader

__all__ = ["find_ward", "read_point"]

_POINT = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*[,\s]\s*(-?\d+(?:\.\d+)?)\s*", re.ASCII)


def read_point(text: str) -> tuple[float, float] | None:
    """The longitude and latitude that a text gives; None where it is no pair of numbers.

    Raises
    ------
    BadRequest
        If the numbers are no degrees, or stand in the other order.
    """
    found = _POINT.fullmatch(text)
    if not found:
        return None
    lon, lat = float(found[1]), float(found[2])
    if bool(in_united_kingdom(lat, lon)):
        raise BadRequest(f"{text.strip()} has the latitude first.", hint=f"Longitude comes first: {found[2]}, {found[1]}.")
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise BadRequest(
            f"{text.strip()} is not longitude and latitude in degrees.", hint="Give them like -0.2, 51.8, the longitude first."
        )
    return lon, lat


def find_ward(
    store: Reader, catalogue: Catalogue, boundary_set: BoundarySetInfo, lon: float, lat: float
) -> tuple[str | None, Nearest | None]:
    """The code of the ward that a point is in, and the nearest ward.

    Raises
    ------
    BadRequest
        If the point is too far away to say.
    """
    x, y = (float(v) for v in to_metres(lon, lat))
    if not (math.isfinite(x) and math.isfinite(y)):
        raise BadRequest(
            f"The point {lon}, {lat} is too far from the United Kingdom.",
            hint="Longitude comes first: lon=-0.2&lat=51.8 is in Hertfordshire.",
            parameter="lon",
            value=str(lon),
        )
    finder = store.ward_finder(catalogue, boundary_set)
    return finder.at(x, y), finder.nearest(x, y)
