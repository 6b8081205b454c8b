"""Which coordinate systems two columns of numbers could be in, and which of them something in the file speaks for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pyproj import Transformer

from mapping.vocabulary import LONLAT, METRES, to_lonlat

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["System", "agreeing_system", "fitting_systems", "lonlat_of", "named_system", "utm_zone"]


@dataclass(frozen=True, slots=True)
class System:
    """A coordinate system, the box in which the places it is made for have their x and y, and words that name it."""

    epsg: int
    name: str
    x: tuple[float, float]
    y: tuple[float, float]
    words: str = ""

    def holds(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> bool:
        """Whether nearly all of the points lie in its box."""
        inside = (x >= self.x[0]) & (x <= self.x[1]) & (y >= self.y[0]) & (y <= self.y[1])
        return bool(len(x)) and float(inside.mean()) >= 0.95


# Boxes of the land that each is made for, rounded outwards; systems by the EPSG register.
_NATIONAL = (
    System(METRES, "British national grid", (0, 660_000), (0, 1_225_000), "osgb|bng|british national|27700"),
    System(29903, "Irish grid", (10_000, 370_000), (10_000, 470_000), "irish grid|tm65|tm75|29902|29903"),
    System(2157, "Irish Transverse Mercator", (410_000, 770_000), (510_000, 970_000), "itm|irenet|2157"),
    System(28992, "Dutch RD New", (10_000, 280_000), (300_000, 625_000), "rd|rdnew|rijksdriehoek|28992"),
    System(31370, "Belgian Lambert 72", (20_000, 300_000), (20_000, 250_000), "lambert72|lambert 72|31370"),
    System(2154, "French Lambert-93", (95_000, 1_250_000), (6_040_000, 7_130_000), "lambert93|lambert 93|l93|2154"),
    System(3006, "SWEREF 99 TM", (260_000, 930_000), (6_120_000, 7_680_000), "sweref|sweref99|sweref99tm|3006"),
    System(21781, "Swiss LV03", (480_000, 840_000), (70_000, 300_000), "lv03|ch1903|21781"),
    System(2056, "Swiss LV95", (2_480_000, 2_840_000), (1_070_000, 1_300_000), "lv95|ch1903plus|2056"),
    System(31466, "Gauss-Krueger zone 2", (2_490_000, 2_620_000), (5_240_000, 6_110_000), "31466"),
    System(31467, "Gauss-Krueger zone 3", (3_370_000, 3_630_000), (5_240_000, 6_110_000), "31467"),
    System(31468, "Gauss-Krueger zone 4", (4_370_000, 4_630_000), (5_240_000, 6_110_000), "31468"),
    System(31469, "Gauss-Krueger zone 5", (5_370_000, 5_630_000), (5_240_000, 6_110_000), "31469"),
    System(25833, "ETRS89, UTM zone 33N (Berlin and the east of Germany)", (170_000, 500_000), (5_230_000, 6_110_000), "25833"),
    System(25832, "ETRS89, UTM zone 32N (Germany, Denmark)", (280_000, 830_000), (5_230_000, 6_410_000), "25832"),
    System(4647, "ETRS89, UTM zone 32N with the zone before x", (32_280_000, 32_930_000), (5_230_000, 6_110_000), "4647"),
    System(5650, "ETRS89, UTM zone 33N with the zone before x", (33_170_000, 33_700_000), (5_230_000, 6_110_000), "5650"),
    System(3035, "ETRS89 LAEA of Europe", (2_500_000, 7_000_000), (1_400_000, 5_500_000), "laea|3035"),
    System(3857, "Web Mercator", (-20_037_509, 20_037_509), (-15_000_000, 15_000_000), "webmercator|web mercator|3857|102100"),
)
_UTM = System(0, "UTM metres of some zone", (160_000, 840_000), (0, 9_400_000), "utm")
_FEET = System(
    0, "US State Plane feet of some zone", (80_000, 8_500_000), (50_000, 4_500_000), "state plane|stateplane|feet|ft|sp"
)
_WEB_MERCATOR_LEAST = 700_000  # nearer to 0,0 there is hardly any land that it would be
_EPSG = re.compile(r"\b(?:epsg|srid|crs)\D{0,3}(\d{4,5})\b")
_ZONE = re.compile(r"\b(?:utm|zone)\D{0,6}(\d{1,2}) ?([ns])?\b")


def fitting_systems(x: NDArray[np.float64], y: NDArray[np.float64]) -> list[System]:
    """The systems in whose box the points lie, families of zones, which have epsg 0, first."""
    fitting = [
        s for s in _NATIONAL if s.holds(x, y) and (s.epsg != 3857 or float(np.median(np.hypot(x, y))) > _WEB_MERCATOR_LEAST)
    ]
    return [family for family in (_UTM, _FEET) if family.holds(x, y)] + fitting


def named_system(texts: Iterable[str]) -> tuple[int, str] | None:
    """The EPSG code that a header or title names, by number or by name, and the text that does."""
    for text in texts:
        plain = " ".join(re.findall(r"[a-z]+|\d+", text.lower().replace("_", " ")))
        code = _EPSG.search(plain)
        if code:
            return int(code[1]), text
        zone = _ZONE.search(plain)
        if zone and "utm" in plain and 1 <= int(zone[1]) <= 60:
            # A zone without S is taken for north only where it says N.
            if zone[2]:
                return (32700 if zone[2] == "s" else 32600) + int(zone[1]), text
            continue
        for system in _NATIONAL:
            if any(re.search(rf"\b{word}\b", text.lower().replace("_", " ")) for word in system.words.split("|")):
                return system.epsg, text
    return None


def utm_zone(lon: float, lat: float) -> int:
    """The EPSG code of the UTM zone (WGS 84) of a point."""
    return (32600 if lat >= 0 else 32700) + int((lon + 180) // 6) + 1


def agreeing_system(
    x: NDArray[np.float64], y: NDArray[np.float64], lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> int | None:
    """The EPSG code of the system in which x and y are where longitude and latitude are, to 150 m; None if none known is."""
    zone = utm_zone(float(np.median(lon)), float(np.median(lat)))
    codes = [system.epsg for system in fitting_systems(x, y) if system.epsg] + [zone, zone - 1, zone + 1]
    for code in dict.fromkeys(codes):
        found_lon, found_lat = lonlat_of(x, y, epsg=code)
        off = np.hypot((found_lon - lon) * np.cos(np.radians(lat)), found_lat - lat) * 111_000
        if np.isfinite(off).all() and float(np.median(off)) < 150:
            return code
    return None


def lonlat_of(x: NDArray[np.float64], y: NDArray[np.float64], *, epsg: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitude and latitude of points of a system."""
    if epsg == METRES:
        return to_lonlat(x, y)
    if epsg == LONLAT:
        return x, y
    lon, lat = Transformer.from_crs(epsg, LONLAT, always_xy=True).transform(x, y)
    return lon, lat
