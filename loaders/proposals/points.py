"""Where the incidents are: which two columns are x and y, in which coordinate system and with which decimal mark."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from loaders.coordinates import read_numbers
from loaders.proposals.systems import System, agreeing_system, fitting_systems, lonlat_of, named_system
from loaders.proposals.words import rank
from mapping.vocabulary import LONLAT, METRES, in_united_kingdom

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from loaders.proposals.profiles import Profile

__all__ = ["Points", "find_points", "is_number"]

_NUMBER = re.compile(r"[+-]?([0-9]{1,3}([., ][0-9]{3})+|[0-9]+)?([.,][0-9]+)?([eE][+-]?[0-9]+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?([0-9]{1,3}(\.[0-9]{3})+|[0-9]+),[0-9]+")
_NOT_THOUSANDS = re.compile(r"[+-]?[0-9]*,([0-9]{1,2}|[0-9]{4,})|[+-]?[0-9]{4,},[0-9]+|[+-]?0?,[0-9]+|.*\..*,[0-9]+")
_TWO_DOTS = re.compile(r"[+-]?[0-9]{1,3}(\.[0-9]{3}){2,}(,[0-9]+)?")
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}[.][0-9]{3}|0")
_POINT_DECIMAL = re.compile(r"[+-]?[0-9]*\.[0-9]+|[+-]?[0-9]{1,3}(,[0-9]{3})+\.[0-9]+")
_BOTH = re.compile(
    r"\(?\s*-?[0-9]{1,3}\.[0-9]+[°,;\s]\s*-?[0-9]{1,3}\.[0-9]+\s*\)?|(SRID=[0-9]+;)?POINT\s?\(.*\)|\{.*coordinates.*\}",
    re.IGNORECASE,
)
_GB_CODE = re.compile(r"[EWS]0[0-9][0-9]{6}|[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}|.*\b(Constabulary|Police Scotland)\b.*")
_GB_WORDS = re.compile(r"\b(lsoa|home office|ho code|nsir|nicl|osgb|bng|lad code)\b", re.IGNORECASE)
_EASTING, _NORTHING = {"east", "easting", "eastings"}, {"north", "northing", "northings"}


@dataclass(slots=True)
class Points:
    """The columns of x and y (None where only a person can tell), the CRS (empty likewise), and what showed it."""

    x: Profile | None = None
    y: Profile | None = None
    crs: str = ""
    decimal: str = "."
    why: list[str] = field(default_factory=list)
    question: str = ""
    crs_question: str = ""
    decimal_question: str = ""
    used: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Pair:
    """Two columns that may be x and y, as numbers; what is blank, 0,0 or -1,-1 left out of `a` and `b`."""

    x: Profile
    y: Profile
    decimal: str
    decimal_question: str
    degrees: bool
    a: NDArray[np.float64]
    b: NDArray[np.float64]
    notes: list[str]


def is_number(profile: Profile) -> bool:
    """Whether nearly all texts of a column are numbers, with either decimal mark."""
    return profile.share(_NUMBER) >= 0.9


def find_points(profiles: Sequence[Profile], titles: Sequence[str]) -> Points:
    """Find x and y among the columns; `titles` are other texts that may name a coordinate system."""
    pairs = [_pair(x, y, degrees=degrees) for x, y, degrees in _named_pairs(profiles)]
    both = [p for p in profiles if p.share(_BOTH) >= 0.5]
    points = Points(used=[p.name for p in both])
    if both:
        points.why.append(
            f"'{both[0].name}' holds both coordinates in one text ('{both[0].sample[0][:40]}'): layouts need two columns"
        )
    degrees = next((p for p in pairs if p.degrees and len(p.a)), None)
    projected = next((p for p in pairs if not p.degrees and len(p.a)), None)
    for pair in pairs:
        points.used += [pair.x.name, pair.y.name]
    if degrees is not None:
        _take_degrees(points, degrees, projected)
    elif projected is not None:
        _take_projected(points, projected, profiles, titles)
        others = [p for p in pairs if not p.degrees and p is not projected and len(p.a)]
        points.why += [f"'{p.x.name}' and '{p.y.name}' are there too, given in {len(p.a):,} rows" for p in others[:2]]
    elif both or pairs:
        points.question = "which column holds x (easting, longitude)? " + (
            "Split the text into two columns first" if both else "No pair of columns holds numbers"
        )
    return points


def _named_pairs(profiles: Sequence[Profile]) -> list[tuple[Profile, Profile, bool]]:
    """Pairs of columns by name, those that say degrees first, and whether their numbers are degrees."""
    pairs = []
    for x_role, y_role in (("lon", "lat"), ("east", "north")):
        xs = sorted((r, i) for i, p in enumerate(profiles) if (r := rank(p.words, x_role)) is not None and is_number(p))
        ys = [(r, i) for i, p in enumerate(profiles) if (r := rank(p.words, y_role)) is not None and is_number(p)]
        for _, i in xs:
            # The y beside this x, then the one that is called best.
            near = min(((abs(j - i) > 1, r, abs(j - i), j) for r, j in ys if j != i), default=None)
            if near:
                pairs.append((profiles[i], profiles[near[3]], x_role == "lon"))
                ys = [(r, j) for r, j in ys if j != near[3]]
    return pairs


def _numbers(profile: Profile, decimal: str) -> NDArray[np.float64]:
    values, _ = read_numbers(pa.chunked_array([profile.texts]), decimal=decimal)
    return values[profile.at]


def _decimal_of(x: Profile, y: Profile, *, degrees: bool) -> tuple[str, str]:
    """The decimal mark of two columns, and the question where it cannot be told."""
    texts = x.sample + y.sample
    ask = "is '{}' a number with decimals, or one with thousands?"
    commas = [t for t in texts if _DECIMAL_COMMA.fullmatch(t)]
    if any(_TWO_DOTS.fullmatch(t) or _NOT_THOUSANDS.fullmatch(t) for t in texts) or (commas and degrees):
        return ",", ""
    if not degrees and texts and all(_GROUPED.fullmatch(t) for t in texts):
        return "", ask.format(texts[0][:30])
    if commas and not any(_POINT_DECIMAL.fullmatch(t) for t in texts) and max(map(len, commas)) <= 6:
        return "", ask.format(commas[0][:30])
    return ".", ""


def _pair(x: Profile, y: Profile, *, degrees: bool) -> _Pair:
    decimal, question = _decimal_of(x, y, degrees=degrees)
    a, b = _numbers(x, decimal or ","), _numbers(y, decimal or ",")
    rows = len(a)
    given = ~np.isnan(a) & ~np.isnan(b)
    zero, less = given & (a == 0) & (b == 0), given & (a == -1) & (b == -1)
    notes = []
    for what, mask in (("blank", ~given), ("0,0", zero), ("-1,-1", less)):
        if mask.any():
            notes.append(f"{what} in {int(mask.sum()):,} of {rows:,} rows ({mask.mean():.1%})")
    usable = given & ~zero & ~less
    a, b = a[usable], b[usable]
    # A name may say X and the numbers degrees.
    small = bool(len(a)) and bool((np.abs(a) <= 180).mean() > 0.95 and (np.abs(b) <= 180).mean() > 0.95)
    return _Pair(x, y, decimal, question, small, a, b, notes)


def _take(points: Points, pair: _Pair, epsg: int | None, why: str) -> None:
    points.x, points.y = pair.x, pair.y
    points.decimal, points.decimal_question = pair.decimal, pair.decimal_question
    points.crs = f"EPSG:{epsg}" if epsg else ""
    points.why.insert(0, why)
    if pair.notes:
        points.why.append(
            f"no place is given where '{pair.x.name}' and '{pair.y.name}' are {'; '.join(pair.notes)}: those rows are kept "
            "without a place"
        )
    if pair.decimal == ",":
        example = next((t for t in pair.x.sample + pair.y.sample if "," in t), pair.x.sample[0])
        points.why.append(f"commas are decimal, full stops group thousands: '{example[:30]}'")


def _range(values: NDArray[np.float64]) -> str:
    low, high = np.percentile(values, [1, 99], method="nearest")
    digits = 3 if abs(high) <= 400 else 0
    return f"{low:,.{digits}f} to {high:,.{digits}f}"


def _take_degrees(points: Points, pair: _Pair, projected: _Pair | None) -> None:
    swapped = (np.abs(pair.b) > 90).mean() > 0.5 and (np.abs(pair.a) <= 90).mean() > 0.95
    if not swapped:
        straight, turned = in_united_kingdom(pair.a, pair.b).mean(), in_united_kingdom(pair.b, pair.a).mean()
        swapped = turned > 0.5 > straight
    if swapped:
        pair.x, pair.y, pair.a, pair.b = pair.y, pair.x, pair.b, pair.a
    why = f"degrees: '{pair.x.name}' runs from {_range(pair.a)}, '{pair.y.name}' from {_range(pair.b)}"
    if swapped:
        why += "; the names are the wrong way round: the other way they lie nowhere, or outside the United Kingdom"
    _take(points, pair, LONLAT, why)
    if not in_united_kingdom(pair.a, pair.b).mean() > 0.5:
        points.why.append(
            "most of these points are outside the United Kingdom: wardwatch has no other country, and a load says so"
        )
    if projected is not None:
        points.why.append(_words_of_other(pair, projected))


def _words_of_other(degrees: _Pair, other: _Pair) -> str:
    names = f"'{other.x.name}' and '{other.y.name}'"
    lon, lat = _numbers(degrees.x, degrees.decimal), _numbers(degrees.y, degrees.decimal)
    x, y = _numbers(other.x, other.decimal or "."), _numbers(other.y, other.decimal or ".")
    rows = np.flatnonzero((np.abs(np.nan_to_num(lon)) > 0.001) & (np.abs(np.nan_to_num(x)) > 1) & ~np.isnan(lat) & ~np.isnan(y))
    rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), 50)).astype(int)] if len(rows) else rows
    code = agreeing_system(x[rows], y[rows], lon[rows], lat[rows]) if len(rows) else None
    if code:
        return f"{names} say the same places in EPSG:{code} (they agree with the degrees to 150 m), and could be used instead"
    return f"{names} are there too, in a system of their own"


def _take_projected(points: Points, pair: _Pair, profiles: Sequence[Profile], titles: Sequence[str]) -> None:
    why = f"'{pair.x.name}' runs from {_range(pair.a)}, '{pair.y.name}' from {_range(pair.b)}"
    named = named_system([pair.x.name, pair.y.name, *titles])
    systems = fitting_systems(pair.a, pair.b)
    if named:
        _take(points, pair, named[0], f"{why}; '{named[1][:60]}' names the system")
        return
    british = [s for s in systems if s.epsg == METRES]
    sign = _british_sign(profiles) if british else ""
    rivals = [s.name for s in systems if s.epsg in (29903, 2157)]
    called = bool(_EASTING.intersection(pair.x.words) and _NORTHING.intersection(pair.y.words))
    if british and (sign or (called and not rivals)):
        reason = sign or "the names are those of the British grid, and no Irish grid fits"
        _take(points, pair, METRES, f"{why}: within the British national grid; {reason}. {_middle(pair, METRES)}")
        return
    _take(points, pair, None, why)
    points.crs_question = "which coordinate system are they in? " + (_candidates(pair, systems) or "none known here fits")


def _british_sign(profiles: Sequence[Profile]) -> str:
    for profile in profiles:
        if _GB_WORDS.search(" ".join(profile.words)):
            return f"the column '{profile.name[:40]}' is of Great Britain"
        if profile.share(_GB_CODE) > 0.5:
            return f"so is '{profile.sample[0][:40]}' of '{profile.name[:40]}'"
    return ""


def _middle(pair: _Pair, epsg: int) -> str:
    lon, lat = lonlat_of(np.array([np.median(pair.a)]), np.array([np.median(pair.b)]), epsg=epsg)
    return f"Their middle is at longitude {lon[0]:.2f}, latitude {lat[0]:.2f}"


def _candidates(pair: _Pair, systems: list[System]) -> str:
    said = []
    for system in systems:
        if system.epsg:
            said.append(f"EPSG:{system.epsg} ({system.name}; {_middle(pair, system.epsg).lower()})")
        elif system.words == "utm":
            said.append("EPSG:32601 to 32660 (UTM zone 1N to 60N) or 32701 to 32760 (south): the zone is not in the numbers")
        else:
            said.append(
                "a State Plane zone in feet, for example EPSG:3435 (Illinois East), 2263 (New York), 2229 (Los Angeles)"
            )
    return "; or ".join(said)
