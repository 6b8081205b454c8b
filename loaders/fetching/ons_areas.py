"""Which wards belong to a district or a county: by the columns of the layer, or by the portal's lookup tables."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loaders.fetching.http import Unreachable
from loaders.fetching.ons_names import lookups_of
from mapping.errors import BadRequest

if TYPE_CHECKING:
    from loaders.fetching.ons_portal import Layer, Portal

__all__ = ["CODE", "NAME", "WORDS", "Chosen", "choose_areas"]

CODE, NAME = "CD|CODE", "NM|NAME"
WORDS = {"wd": "WD|WARD", "lad": "LAD|LTLA|DISTRICT", "lsoa": "LSOA", "msoa": "MSOA"}
"""How the fields of each kind of area begin, whatever year and case."""

_COUNTY = "CTY|CTYUA|COUNTY"
_TABLES = 4
_CODES_A_QUERY = 100
"""They are written into the address."""

_GSS = re.compile(r"[A-Z]\d{8}")


@dataclass(frozen=True, slots=True)
class Chosen:
    """What to ask the layer for: one condition or several; and of each ward its district, where the layer does not say it."""

    wheres: list[str]
    districts: dict[str, tuple[str, str]] = field(default_factory=dict)
    wards: int | None = None


def choose_areas(portal: Portal, layer: Layer, services: list[str], area: str | None, *, kind: str, year: int) -> Chosen:
    """What of a layer is in an area: a district or a county, by its name or its code; None: all of it.

    Raises
    ------
    BadRequest
        If nothing is called so; the names near to it are listed.
    """
    if not area:
        return Chosen(["1=1"])
    if kind not in ("wd", "lad"):
        raise BadRequest("--area is for wards and districts.", hint="Fetch the whole set; cut it in QGIS if it is too large.")
    search = _Search(portal, services, area, year)
    code, name = (layer.find(WORDS["lad"], ending, year=year) for ending in (CODE, NAME))
    if code and name:
        districts = {row[0]: row[1] for row in portal.distinct(layer, [code, name])}
        found = search.among(districts) or search.in_county(set(districts))
        if found:
            return Chosen([_is_in(code, sorted(found))])
    elif kind == "wd":
        wards = search.wards()
        column = layer.find(WORDS["wd"], CODE, year=year)
        codes = sorted(wards)
        if codes:
            parts = [codes[i : i + _CODES_A_QUERY] for i in range(0, len(codes), _CODES_A_QUERY)]
            return Chosen([_is_in(column, part) for part in parts], wards, len(codes))
    raise BadRequest(
        f"No district or county is called '{area}' in {layer.service}.", hint=search.near(), parameter="area", value=area
    )


class _Search:
    """For one area; it remembers the names that it met."""

    def __init__(self, portal: Portal, services: list[str], area: str, year: int) -> None:
        self._portal, self._services, self._area, self._year = portal, services, area.strip().casefold(), year
        self._names: set[str] = set()

    def among(self, districts: dict[str, str]) -> set[str]:
        """The codes of the districts that are called so."""
        self._names |= set(districts.values())
        return {code for code, name in districts.items() if self._is_it(code, name)}

    def in_county(self, districts: set[str]) -> set[str]:
        """The districts of a county, by the first table that knows it and speaks of the districts there are."""
        for lookup in lookups_of(self._services, self._year, with_wards=False)[:_TABLES]:
            table = self._portal.layer(lookup.name)
            told = min(lookup.years, key=lambda y: abs(y - self._year))
            pairs = ((WORDS["lad"], CODE), (_COUNTY, CODE), (_COUNTY, NAME))
            columns = [table.find(words, ending, year=told) for words, ending in pairs]
            if not all(columns):
                continue
            rows = self._portal.distinct(table, columns)
            self._names |= {name for _, _, name in rows}
            found = {district for district, code, name in rows if self._is_it(code, name)}
            if found and found <= districts:
                return found
        return set()

    def wards(self) -> dict[str, tuple[str, str]]:
        """The wards of a district or county with their districts, where a layer of wards does not name districts."""
        for lookup in lookups_of(self._services, self._year, with_wards=True)[:_TABLES]:
            table = self._portal.layer(lookup.name)
            pairs = ((WORDS["wd"], CODE), (WORDS["lad"], CODE), (WORDS["lad"], NAME))
            columns = [table.find(words, ending, year=self._year) for words, ending in pairs]
            county = [table.find(_COUNTY, ending, year=self._year) for ending in (CODE, NAME)]
            if not all(columns):
                continue
            found = {}
            for ward, district, name, *of_county in self._portal.distinct(table, [*columns, *(county if all(county) else [])]):
                self._names |= {name, *of_county[1:]}
                if self._is_it(district, name) or (of_county and self._is_it(*of_county)):
                    found[ward] = (district, name)
            if found:
                return found
        return {}

    def near(self) -> str:
        """The names that it met and that are like it."""
        by_key = {name.casefold(): name for name in self._names if name}
        near = [key for key in sorted(by_key) if self._area in key]
        near += difflib.get_close_matches(self._area, by_key, n=5, cutoff=0.6)
        if not near:
            return "Give the name of a district, a unitary authority or a county, or its code."
        return f"Near to it: {', '.join(by_key[key] for key in dict.fromkeys(near))}."

    def _is_it(self, code: str, name: str) -> bool:
        return bool(code) and self._area in (code.casefold(), name.strip().casefold())


def _is_in(column: str, codes: list[str]) -> str:
    """The condition; codes come from a network, and stand in quotation marks."""
    wrong = next((code for code in codes if not _GSS.fullmatch(code)), None)
    if wrong is not None or not re.fullmatch(r"\w+", column):
        raise Unreachable(f"{wrong or column!r} is no code of an area.", hint="The service has changed.")
    return f"{column} IN ({','.join(repr(code) for code in codes)})"
