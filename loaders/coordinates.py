"""Texts to points in EPSG:27700 metres, and the question whether they can be where the layout says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from mapping.vocabulary import LONLAT, METRES, in_united_kingdom, to_lonlat, to_metres

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Points", "find_system", "metres_of", "read_numbers", "read_points"]

_THOUSANDS = re.compile(r"-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class Points:
    """Easting and northing in EPSG:27700 metres to the millimetre, NaN where there is no usable pair.

    `unusable` marks rows that gave something which could not be used, `why` says what; `doubt` says what more than half
    of the pairs are, where that is wrong, and `hint` what may be the reason.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    unusable: NDArray[np.int64]
    why: list[str]
    doubt: str = ""
    hint: str = ""


def find_system(text: object) -> CRS | None:
    """The coordinate system of a name or a definition; None where it is none, or none that says where on Earth a point is."""
    try:
        found = CRS.from_user_input(text)
    except CRSError:
        return None
    # Local systems, as drawing programs write them, and heights lead nowhere.
    return found if found.is_geographic or found.is_projected else None


def read_numbers(texts: pa.ChunkedArray, *, decimal: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Numbers (NaN where blank or unreadable) and which texts could not be read."""
    trimmed = pc.utf8_trim_whitespace(texts)
    blank = pc.equal(trimmed, "")
    plain = pc.if_else(blank, None, trimmed)
    if decimal == ",":
        plain = pc.replace_substring(pc.replace_substring(plain, ".", ""), ",", ".")
    try:
        numbers = pc.cast(plain, pa.float64()).to_numpy()
        bad = np.zeros(len(numbers), dtype=bool)
    except pa.ArrowInvalid:
        numbers = np.array([_number(text) for text in plain.to_pylist()], dtype=float)
        bad = np.isnan(numbers) & ~blank.to_numpy()
    infinite = ~np.isfinite(numbers) & ~np.isnan(numbers)
    return np.where(infinite, np.nan, numbers), bad | infinite


def _number(text: str | None) -> float:
    if text is None:
        return np.nan
    plain = text.replace(",", "") if _THOUSANDS.fullmatch(text) else text
    # float() alone would also read 5_1.7, and digits of other scripts.
    return float(plain) if _NUMBER.fullmatch(plain) else np.nan


def read_points(x_texts: pa.ChunkedArray, y_texts: pa.ChunkedArray, *, crs: str, decimal: str) -> Points:
    """Read two columns of coordinates in any coordinate system."""
    x, x_bad = read_numbers(x_texts, decimal=decimal)
    y, y_bad = read_numbers(y_texts, decimal=decimal)
    given = ~(np.isnan(x) & np.isnan(y)) | x_bad | y_bad
    paired = ~np.isnan(x) & ~np.isnan(y)
    zero = paired & (x == 0) & (y == 0)
    usable = paired & ~zero
    # Places repeat: each distinct pair is projected once.
    pairs, at = np.unique(x[usable] + 1j * y[usable], return_inverse=True)
    east, north, inside = _locate(pairs.real, pairs.imag, crs=crs)
    doubt, hint = "", ""
    if int((x_bad | y_bad).sum()) * 2 > int(given.sum()):
        doubt, hint = "are not numbers", 'is the decimal mark right (decimal = ","), and are these the columns?'
    elif len(pairs) and inside[at].mean() < 0.5:
        doubt, hint = "lie outside the United Kingdom", _other_reading(pairs.real, pairs.imag, crs)
    placed = np.flatnonzero(usable)[inside[at]]
    result_x, result_y = np.full(len(x), np.nan), np.full(len(x), np.nan)
    for result, metres in ((result_x, east), (result_y, north)):
        # Only those inside: of what is far out of any range, rounding overflows.
        result[placed] = np.round(np.where(inside, metres, 0), 3)[at][inside[at]]
    unusable = np.flatnonzero(given & np.isnan(result_x))
    reasons = [_reason(zero=bool(zero[i]), paired=bool(paired[i]), bad=bool(x_bad[i] or y_bad[i])) for i in unusable]
    return Points(result_x, result_y, unusable, reasons, doubt, hint)


def _reason(*, zero: bool, paired: bool, bad: bool) -> str:
    if zero:
        return "the point is at 0,0"
    if paired:
        return "the point is outside the United Kingdom"
    return "a coordinate is not a number" if bad else "one coordinate is missing"


def metres_of(x: NDArray[np.float64], y: NDArray[np.float64], *, crs: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Any coordinate system to EPSG:27700 metres: by way of longitude and latitude and the one pinned operation."""
    return _locate(x, y, crs=crs)[:2]


def _locate(
    x: NDArray[np.float64], y: NDArray[np.float64], *, crs: str
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Easting and northing, and whether the point lies in the box of the United Kingdom."""
    system = CRS.from_user_input(crs)
    if system.to_epsg(min_confidence=25) == METRES:
        east, north = x, y
        lon, lat = to_lonlat(x, y)
    else:
        lon, lat = x, y
        if system.to_epsg() != LONLAT:
            lon, lat = Transformer.from_crs(system, LONLAT, always_xy=True).transform(x, y)
        east, north = to_metres(lon, lat)
    return east, north, in_united_kingdom(lon, lat) & np.isfinite(east) & np.isfinite(north)


def _other_reading(x: NDArray[np.float64], y: NDArray[np.float64], crs: str) -> str:
    readings = {
        "x and y look swapped": (y, x, crs),
        'they look like longitude and latitude: crs = "EPSG:4326"?': (x, y, f"EPSG:{LONLAT}"),
        'they look like easting and northing: crs = "EPSG:27700"?': (x, y, f"EPSG:{METRES}"),
        'they look like latitude and longitude: swapped, and crs = "EPSG:4326"?': (y, x, f"EPSG:{LONLAT}"),
    }
    for words, (a, b, system) in readings.items():
        if _locate(a, b, crs=system)[2].mean() > 0.5:
            return words
    return "which coordinate system are they in?"
