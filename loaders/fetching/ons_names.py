"""How ONS names the services of its Open Geography portal, and which of them a title means.

Two ways of writing stand side by side: `Wards_December_2024_Boundaries_UK_BFC` and `WD_DEC_2025_UK_BFC_V2`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mapping.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["GRADES", "KINDS", "MONTHS", "ServiceName", "choose_service", "lookups_of", "read_name", "read_title"]

GRADES = ("BFC", "BFE", "BGC", "BSC")
"""Full resolution clipped to the coast, full to the extent of the realm, generalised to 20 m, super generalised to 200 m."""

KINDS = {"wd": "ward", "lad": "district", "lsoa": "lsoa", "msoa": "msoa"}
"""Sets that `load boundaries` reads, by ONS's abbreviation: its own word for each."""

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_PHRASES = [
    (r"local authority districts?", "lad"),
    (r"lower layer super output areas?", "lsoa"),
    (r"middle layer super output areas?", "msoa"),
    (r"counties and unitary authorities", "ctyua"),
    (r"wards?(?: electoral divisions?)?", "wd"),
    (r"count(?:y|ies)", "cty"),
    (r"lookup", "lu"),
    (r"united kingdom", "uk"),
    (r"super generalised(?: clipped)?", "bsc"),
    (r"generalised(?: clipped)?", "bgc"),
    (r"full clipped", "bfc"),
    (r"full extent", "bfe"),
    (r"boundar(?:y|ies)|to|in|of|the|as|at", ""),
]
_SMALLER_THAN_WARDS = {"oa", "lsoa", "msoa", "par", "pcd", "pcds"}


@dataclass(frozen=True, slots=True)
class ServiceName:
    """A name taken apart: what it is of (`wd24` is of `wd` and 2024), when, in which grade, and what else it says."""

    name: str
    kinds: tuple[str, ...]
    years: frozenset[int]
    month: str
    grade: str
    version: int
    rest: frozenset[str]


def read_name(name: str) -> ServiceName:
    """Take a name or a title apart.

    >>> found = read_name("WD_MAY_2025_UK_BGC_V2")
    >>> found.kinds, found.month, sorted(found.years), found.grade, found.version
    (('wd',), 'may', [2025], 'BGC', 2)
    """
    text = f" {' '.join(re.findall(r'[a-z0-9]+', name.lower()))} "
    for phrase, word in _PHRASES:
        text = re.sub(rf" (?:{phrase})(?= )", f" {word}", text)
    kinds: list[str] = []
    years: list[int] = []
    month, grade, version, rest = "", "", 1, set[str]()
    for word in text.split():
        coded = re.fullmatch(r"([a-z]{2,6})(\d\d)(?:cd)?", word)
        if coded and coded[1] not in MONTHS:
            kinds.append(coded[1])
            years.append(2000 + int(coded[2]))
        elif word in (*KINDS, "cty", "ctyua"):
            kinds.append(word)
        elif word[:3] in MONTHS and word.isalpha() and (len(word) == 3 or word in _LONG_MONTHS) and not month:
            month = word[:3]
        elif re.fullmatch(r"(?:19|20)\d\d", word):
            # A second year, as in Wards_December_2021_UK_BGC_2022, is when it was published.
            years += [] if years else [int(word)]
        elif word.upper() in GRADES:
            grade = word.upper()
        elif re.fullmatch(r"v\d+", word):
            version = int(word[1:])
        else:
            rest.add(word)
    return ServiceName(name, tuple(kinds), frozenset(years), month, grade, version, frozenset(rest))


_LONG_MONTHS = (
    *("january", "february", "march", "april", "june", "july", "august", "sept", "september"),
    *("october", "november", "december"),
)


def read_title(title: str) -> ServiceName:
    """What a set is asked for by.

    Raises
    ------
    BadRequest
        If it says no kind of area that can be loaded, or no year.
    """
    asked = read_name(title)
    if not asked.kinds or asked.kinds[0] not in KINDS or not asked.years:
        raise BadRequest(
            f"'{title}' does not say of what and when.",
            hint='Write what the portal calls it, e.g. "Wards December 2024". There are wards, local authority districts, LSOA '
            "and MSOA.",
        )
    return asked


def choose_service(asked: ServiceName, names: Iterable[str], *, grade: str | None) -> ServiceName:
    """The one service that a title means: the version with the highest number, BFC before BGC unless a grade is asked for.

    Raises
    ------
    BadRequest
        If there is none, or several that differ in more than their version; they are listed.
    """
    names = list(names)
    exact = [name for name in names if name == asked.name]
    if exact and asked.grade:
        return asked
    of_kind = [found for found in map(read_name, names) if found.grade and found.kinds == asked.kinds[:1]]
    fitting = [
        found
        for found in of_kind
        if asked.years <= found.years and asked.month in ("", found.month) and asked.rest <= found.rest
    ]
    for wanted in (grade,) if grade else (asked.grade,) if asked.grade else ("BFC", "BGC"):
        graded = [found for found in fitting if found.grade == wanted]
        sets = {(found.month, found.rest) for found in graded}
        if len(sets) > 1:
            raise BadRequest(
                f"'{asked.name}' may be any of {_listed(graded)}.", hint="Write more of its name: the month, or UK, EW, GB."
            )
        if graded:
            return max(graded, key=lambda found: (found.version, found.name))
    if fitting:
        hint = f"It is published as {_listed(fitting)}: ask for one with --resolution."
    else:
        near = sorted(of_kind, key=lambda found: (min(abs(y - min(asked.years)) for y in found.years or {0}), found.name))
        hint = (
            f"Near to it: {', '.join(service.name for service in near[:8])}." if near else "The portal lists none of its kind."
        )
    raise BadRequest(
        f"The portal has no '{asked.name}'{f' in {grade}' if grade else ''}.", hint=hint, parameter="title", value=asked.name
    )


def lookups_of(names: Iterable[str], year: int, *, with_wards: bool) -> list[ServiceName]:
    """The tables that say which county a district is in (and which district a ward), the nearest and shortest first."""
    found = [
        lookup
        for lookup in map(read_name, names)
        if "lu" in lookup.rest
        and "lad" in lookup.kinds
        and (with_wards or {"cty", "ctyua"} & {*lookup.kinds})
        and ("wd" in lookup.kinds or not with_wards)
        and not _SMALLER_THAN_WARDS & {*lookup.kinds}
        and lookup.years
        and (year in lookup.years or not with_wards)
    ]

    def fitness(lookup: ServiceName) -> tuple[int, bool, int, int, str]:
        away = min(abs(y - year) for y in lookup.years)
        return away, not {"cty", "ctyua"} & {*lookup.kinds}, len(lookup.kinds), -lookup.version, lookup.name

    return sorted(found, key=fitness)


def _listed(found: list[ServiceName]) -> str:
    return ", ".join(sorted(service.name for service in found))
