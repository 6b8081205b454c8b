"""The words everything shares: crime types, months and periods, coordinate systems."""

from __future__ import annotations

import calendar
import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from pyproj import Transformer
from pyproj.network import set_network_enabled  # type: ignore[attr-defined]

from mapping.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import ArrayLike, NDArray

# No machine may differ from another by a grid that one can fetch and the other cannot.
set_network_enabled(active=False)

__all__ = [
    "BUILT_IN_CRIME_TYPES",
    "GROUP_NAMES",
    "LONLAT",
    "METRES",
    "CrimeType",
    "Month",
    "Period",
    "group_members",
    "in_united_kingdom",
    "name_key",
    "slug",
    "to_lonlat",
    "to_metres",
]

METRES = 27700
"""EPSG code of the national grid: every coordinate inside wardwatch, in metres."""

LONLAT = 4326
"""EPSG code of longitude and latitude in degrees: only at the edges."""


@dataclass(frozen=True, slots=True)
class CrimeType:
    """One kind of incident; `group` is `crime`, `asb` or `other`."""

    id: str
    name: str
    group: str

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups it is counted in, widest first."""
        return ("all", self.group)


BUILT_IN_CRIME_TYPES = (
    CrimeType("anti-social-behaviour", "Anti-social behaviour", "asb"),
    CrimeType("bicycle-theft", "Bicycle theft", "crime"),
    CrimeType("burglary", "Burglary", "crime"),
    CrimeType("criminal-damage-arson", "Criminal damage and arson", "crime"),
    CrimeType("drugs", "Drugs", "crime"),
    CrimeType("other-crime", "Other crime", "crime"),
    CrimeType("other-theft", "Other theft", "crime"),
    CrimeType("possession-of-weapons", "Possession of weapons", "crime"),
    CrimeType("public-order", "Public order", "crime"),
    CrimeType("robbery", "Robbery", "crime"),
    CrimeType("shoplifting", "Shoplifting", "crime"),
    CrimeType("theft-from-the-person", "Theft from the person", "crime"),
    CrimeType("vehicle-crime", "Vehicle crime", "crime"),
    CrimeType("violent-crime", "Violence and sexual offences", "crime"),
    CrimeType("public-disorder-weapons", "Public disorder and weapons (to April 2013)", "crime"),
)
"""The ids of the data.police.uk API, and the one that its older files use."""

GROUP_NAMES = {
    "all": "All crime and anti-social behaviour",
    "crime": "All crime",
    "asb": "All anti-social behaviour",
    "other": "Other incidents",
}


def group_members(crime_type: str, known: Iterable[CrimeType]) -> list[CrimeType]:
    """The types that a `crime_type` filter means: the one of that id, or the members of that group.

    Raises
    ------
    BadRequest
        If `crime_type` is neither a known type nor a group.
    """
    types = list(known)
    members = [t for t in types if crime_type == t.id or crime_type in t.groups]
    if not members and crime_type not in GROUP_NAMES:
        raise BadRequest(
            f"There is no crime type '{crime_type}'.",
            hint="Known: " + ", ".join([*GROUP_NAMES, *(t.id for t in types)]) + ".",
            parameter="crime_type",
            value=crime_type,
        )
    return members


_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month, written `YYYY-MM`."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str, *, parameter: str = "month") -> Month:
        """Read `YYYY-MM`; anything else is a `BadRequest`."""
        found = _MONTH.fullmatch(text)
        if not found or not 1 <= int(found[2]) <= 12 or not 1900 <= int(found[1]) <= 2200:
            raise BadRequest(
                f"'{text}' is not a month.",
                hint="Write months as YYYY-MM, for example 2021-03.",
                parameter=parameter,
                value=text,
            )
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of(cls, day: date) -> Month:
        """The month that a day lies in."""
        return cls(day.year, day.month)

    @classmethod
    def from_index(cls, index: int) -> Month:
        """The inverse of `index`."""
        return cls(index // 12, index % 12 + 1)

    @property
    def index(self) -> int:
        """Months since year 0: consecutive months differ by one."""
        return self.year * 12 + self.number - 1

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.number, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        return date(self.year, self.number, calendar.monthrange(self.year, self.number)[1])

    @property
    def words(self) -> str:
        """`March 2021`."""
        return f"{calendar.month_name[self.number]} {self.year}"

    def plus(self, months: int) -> Month:
        """The month so many months later (earlier if negative)."""
        return Month.from_index(self.index + months)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"


@dataclass(frozen=True, slots=True)
class Period:
    """An inclusive pair of months."""

    first: Month
    last: Month

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise BadRequest(
                f"The period ends ({self.last}) before it starts ({self.first}).",
                hint="Swap `from` and `to`.",
                parameter="from",
                value=str(self.first),
            )

    def __iter__(self) -> Iterator[Month]:
        return (Month.from_index(i) for i in range(self.first.index, self.last.index + 1))

    def __len__(self) -> int:
        return self.last.index - self.first.index + 1

    def shifted(self, months: int) -> Period:
        """The period of the same length so many months later (earlier if negative)."""
        return Period(self.first.plus(months), self.last.plus(months))

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last.last - self.first.first).days + 1

    @property
    def words(self) -> str:
        """`January to December 2021`, `March 2021`, `July 2020 to June 2021`."""
        if self.first == self.last:
            return self.first.words
        if self.first.year == self.last.year:
            return f"{calendar.month_name[self.first.number]} to {self.last.words}"
        return f"{self.first.words} to {self.last.words}"


def slug(text: str) -> str:
    """An id made of a name: `Hertfordshire Constabulary` -> `hertfordshire-constabulary`."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.casefold()).strip("-")


def name_key(name: str) -> str:
    """How names of places are compared, letters and digits only: `King's Cross & Euston` -> `kingscrossandeuston`."""
    return slug(name.replace("&", " and ").replace("'", "").replace("\u2019", "")).replace("-", "")


# EPSG:1314 (OSGB36 to WGS 84, 7-parameter Helmert, stated accuracy 2 m), written out so that no PROJ database, version or
# grid can choose another operation; then EPSG:27700's projection.
_LONLAT_TO_METRES = (
    "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad "
    "+step +proj=push +v_3 +step +proj=cart +ellps=WGS84 "
    "+step +inv +proj=helmert +x=446.448 +y=-125.157 +z=542.06 +rx=0.15 +ry=0.247 +rz=0.842 +s=-20.489 "
    "+convention=position_vector "
    "+step +inv +proj=cart +ellps=airy +step +proj=pop +v_3 "
    "+step +proj=tmerc +lat_0=49 +lon_0=-2 +k=0.9996012717 +x_0=400000 +y_0=-100000 +ellps=airy"
)


@cache
def _transformer() -> Transformer:
    return Transformer.from_pipeline(_LONLAT_TO_METRES)


def to_metres(lon: ArrayLike, lat: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitude and latitude (EPSG:4326, degrees) to easting and northing (EPSG:27700, metres).

    Points that the projection cannot reach become infinite.
    """
    x, y = _transformer().transform(np.asarray(lon, float), np.asarray(lat, float))
    return np.asarray(x, float), np.asarray(y, float)


def to_lonlat(x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Easting and northing (EPSG:27700, metres) to longitude and latitude (EPSG:4326, degrees)."""
    lon, lat = _transformer().transform(np.asarray(x, float), np.asarray(y, float), direction="INVERSE")
    return np.asarray(lon, float), np.asarray(lat, float)


def in_united_kingdom(lon: ArrayLike, lat: ArrayLike) -> NDArray[np.bool_]:
    """Whether points lie in the box of the United Kingdom (Scilly to Shetland, Fermanagh to Lowestoft).

    The box leaves out the origin of the national grid, so that `0,0`, and degrees taken for metres, fall outside it.
    """
    lon, lat = np.asarray(lon, float), np.asarray(lat, float)
    inside: NDArray[np.bool_] = (lon >= -8.75) & (lon <= 1.9) & (lat >= 49.8) & (lat <= 61.0)
    return inside
