"""What a rate is per: people, households, premises or land of each ward, by year, and which of it belongs to a period."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import select

from mapping.store.models import Denominator, DenominatorFile, Ward

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from sqlalchemy import Connection

    from mapping.vocabulary import Period

__all__ = [
    "FURTHEST_YEARS",
    "KINDS",
    "Denominators",
    "Divisor",
    "Kind",
    "YearOfKind",
    "list_denominators",
    "read_denominators",
]

FURTHEST_YEARS = 2
"""How far outside the period a year may be, where the years given do not lie around it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of denominator.

    `name` heads a column, `many` is what is counted, `one` is one of it, `unit` so many as a rate is per (`scale` of them).
    Under `fewest` there is no rate. `year_word` stands before a year; `loaded` says that it comes from a file.
    """

    id: str
    name: str
    many: str
    one: str
    unit: str
    scale: int = 1000
    fewest: float = 200
    year_word: str = ""
    loaded: bool = True


KINDS = {
    kind.id: kind
    for kind in (
        Kind("residents", "Residents", "residents", "resident", "1,000 residents", year_word="mid-"),
        Kind("households", "Households", "households", "household", "1,000 households"),
        # As ONS means it: people in work are counted where they work, all others where they live.
        Kind(
            "workday",
            "Workday population",
            "people there on a working day",
            "person there on a working day",
            "1,000 workday population",
        ),
        Kind("area", "Area", "km²", "km²", "km²", scale=1, fewest=0.01, loaded=False),
        Kind("premises", "Premises", "premises", "premises", "1,000 premises"),
    )
}
"""Every kind by its id. 200 of whatever is counted: with fewer, one more or less of them moves the rate by over half a
percent, and a rate per 1,000 speaks of more than are there. A hectare of land: less than the points are precise to."""


@dataclass(frozen=True, slots=True)
class YearOfKind:
    """One kind in one year: for each ward, in order of code, its number (NaN: none), and where the numbers came from."""

    value: NDArray[np.float64]
    file_name: str
    attribution: str
    estimated: bool


@dataclass(frozen=True, slots=True)
class Divisor:
    """What the figures of a period are divided by, for each ward (NaN: none).

    `years` are the one or two years it is of, none for land; of two it is interpolated.
    """

    kind: Kind
    value: NDArray[np.float64]
    years: tuple[int, ...]
    given: tuple[YearOfKind, ...]

    @property
    def estimated(self) -> bool:
        """Whether it was worked out: between two years, or from the numbers of other areas."""
        return len(self.years) > 1 or any(year.estimated for year in self.given)

    @property
    def attribution(self) -> tuple[str, ...]:
        """What must be printed with it."""
        return tuple(dict.fromkeys(year.attribution for year in self.given if year.attribution))

    @property
    def words(self) -> str:
        """Of when it is, as it stands behind a number: `, mid-2020`."""
        years = [f"{self.kind.year_word}{year}" for year in self.years]
        when = f", estimated between {years[0]} and {years[1]}" if len(years) > 1 else "".join(f", {year}" for year in years)
        return when + (", estimated from other areas" if any(year.estimated for year in self.given) else "")

    @property
    def source(self) -> str:
        """What it is, of when and from which files."""
        files = " and ".join(dict.fromkeys(year.file_name for year in self.given)) or "the shapes of the wards"
        return f"{self.kind.many}{self.words} ({files})"


@dataclass(frozen=True, slots=True)
class Denominators:
    """All that is known of a set's wards: each kind by year, in order of years, and the land of each ward in km²."""

    kinds: dict[str, dict[int, YearOfKind]]
    area_km2: NDArray[np.float64]

    def has(self, kind_id: str) -> bool:
        """Whether anything of a kind is there, of any year."""
        return not KINDS[kind_id].loaded or bool(self.kinds.get(kind_id))

    def divisor(self, kind_id: str, period: Period) -> Divisor | None:
        """What figures of a period are divided by, or None where no year fits.

        Notes
        -----
        The year wanted is the one whose middle is nearest the middle of the period (of two equally near the later, if it is
        given). If it is not given but years on both sides of it are, the nearest of each side are interpolated along a
        straight line, ward by ward. Otherwise the nearest year counts, if it is at most `FURTHEST_YEARS` outside the period.
        Nothing is extrapolated.
        """
        kind = KINDS[kind_id]
        if not kind.loaded:
            return Divisor(kind, self.area_km2, (), ())
        given = self.kinds.get(kind_id, {})
        # A year's figure is taken for its middle: where the period's own middle is a New Year, two years are equally near.
        middle = (period.first.index + period.last.index + 1) / 24
        wanted = next((year for year in (floor(middle), ceil(middle) - 1) if year in given), floor(middle))
        before, after = [y for y in given if y <= wanted], [y for y in given if y >= wanted]
        if before and after:
            low, high = max(before), min(after)
            if low == high:
                return Divisor(kind, given[low].value, (low,), (given[low],))
            share = (wanted - low) / (high - low)
            value = (1 - share) * given[low].value + share * given[high].value
            return Divisor(kind, value, (low, high), (given[low], given[high]))
        first, last = period.first.year - FURTHEST_YEARS, period.last.year + FURTHEST_YEARS
        near = [year for year in given if first <= year <= last]
        if not near:
            return None
        year = max(near) if before else min(near)
        return Divisor(kind, given[year].value, (year,), (given[year],))


def read_denominators(connection: Connection, boundary_set_id: int) -> Denominators:
    """Everything that wards of a set can be divided by; arrays are in the order of ward codes."""
    wards = connection.execute(
        select(Ward.code, Ward.area_km2).where(Ward.boundary_set_id == boundary_set_id).order_by(Ward.code)
    ).all()
    at = {ward.code: i for i, ward in enumerate(wards)}
    kinds: dict[str, dict[int, YearOfKind]] = {}
    for file in _files(connection, boundary_set_id):
        name = PurePosixPath(file.file_name.replace("\\", "/")).name
        empty = np.full(len(at), np.nan)
        kinds.setdefault(file.kind, {})[file.year] = YearOfKind(empty, name, file.attribution, file.estimated)
    for row in _numbers(connection, boundary_set_id):
        if row.ward_code in at:
            kinds[row.kind][row.year].value[at[row.ward_code]] = row.value
    return Denominators(kinds, np.array([ward.area_km2 for ward in wards], dtype=float))


def list_denominators(found: Denominators, boundaries: str) -> list[dict[str, Any]]:
    """What is loaded of a set, by kind and year, as `wardwatch status` gives it; `total` is of its wards now."""
    return [
        {
            "boundaries": boundaries,
            "kind": kind_id,
            "year": year,
            "total": _whole_if_so(float(np.nansum(given.value))),
            "file": given.file_name,
            "estimated": given.estimated,
            "attribution": given.attribution,
        }
        for kind_id in KINDS
        for year, given in found.kinds.get(kind_id, {}).items()
    ]


def _whole_if_so(number: float) -> float | int:
    """A total without the last digits that adding fractions leaves."""
    return round(number) if abs(number - round(number)) < 1e-6 else round(number, 6)


def _files(connection: Connection, set_id: int) -> Iterable[Any]:
    file = DenominatorFile
    return connection.execute(select(file).where(file.boundary_set_id == set_id).order_by(file.kind, file.year)).all()


def _numbers(connection: Connection, set_id: int) -> Iterable[Any]:
    number = Denominator
    return connection.execute(
        select(number.kind, number.year, number.ward_code, number.value).where(number.boundary_set_id == set_id)
    ).all()
