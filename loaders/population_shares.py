"""apportion_population: what rates are per, from the wards of one boundary set to those of another."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from sqlalchemy import select

from loaders.population import check_year, store_denominator
from loaders.ward_tables import read_areas
from mapping.denominators import KINDS, read_denominators
from mapping.errors import DataRefused
from mapping.statistics.apportionment import apportion
from mapping.store import check_ready, writing
from mapping.store.models import AreaLookup, AreaLookupFile, DenominatorFile
from mapping.store.stamp import stamp

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray
    from sqlalchemy import Connection, Engine

__all__ = ["ApportionedReport", "apportion_population"]

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class ApportionedReport:
    """What became of the numbers of another set's wards."""

    from_boundaries: str
    boundaries: str
    year: int
    kind: str
    wards: int
    total: float
    outside: float
    weighted_by: str

    def lines(self) -> list[str]:
        """The report as it is printed."""
        kind = KINDS[self.kind]
        estimated = f"estimated from {self.from_boundaries} by a lookup ({self.weighted_by})"
        total = f"{self.total:,.0f} in {self.wards:,} wards"
        written = [f"{kind.name} of {self.boundaries}, {kind.year_word}{self.year}: {total}, {estimated}."]
        if self.outside >= 0.5:
            written.append(f"{self.outside:,.0f} more are in wards of {self.from_boundaries} that no ward of the set holds.")
        return written


def apportion_population(
    engine: Engine, *, from_boundaries: str, boundaries: str, year: int, now: datetime, what: str = "residents"
) -> ApportionedReport:
    """Give the wards of a set what is known of another set's wards, divided as the lookup between them says.

    It is kept as estimated, in place of what was known of that kind and year. The total is conserved, less what lies in no
    ward of the set.

    Parameters
    ----------
    from_boundaries
        The set whose numbers are loaded; a lookup from its wards must be loaded too.
    what, year
        Which of its numbers.

    Raises
    ------
    DataRefused
        If there are no such numbers or no lookup, or a ward gets nothing by it.
    """
    check_ready(engine)
    check_year(year, now=now)
    with writing(engine) as connection:
        from_id, areas = read_areas(connection, from_boundaries)
        set_id, wards = read_areas(connection, boundaries)
        if from_id == set_id:
            raise DataRefused(f"Both sets are {boundaries}.", hint="Name the other set, whose numbers are loaded.")
        given = read_denominators(connection, from_id).kinds.get(what, {})
        if year not in given:
            raise DataRefused(
                f"No figures of {KINDS[what].name.lower()} of {from_boundaries} in {year} are loaded.",
                hint=f"Loaded years: {', '.join(map(str, given)) or 'none'}. Load them with `wardwatch load population FILE "
                f"--boundaries {from_boundaries} --year {year}{'' if what == 'residents' else f' --what {what}'}`.",
            )
        numbers = given[year]
        lookup = connection.execute(
            select(AreaLookupFile).where(AreaLookupFile.areas == from_boundaries, AreaLookupFile.boundary_set_id == set_id)
        ).first()
        if lookup is None:
            raise DataRefused(
                f"No lookup from {from_boundaries} to {boundaries} is loaded.",
                hint=f"Load one from a file, or make one with `wardwatch load lookup --from-boundaries {from_boundaries} "
                f"--boundaries {boundaries}`.",
            )
        shares = _read_shares(connection, from_boundaries, set_id, [a.code for a in areas], [w.code for w in wards])
        _refuse_holes(shares, numbers.value, [a.code for a in areas], [f"{w.code} {w.name}" for w in wards], boundaries)
        value = np.asarray(apportion(numbers.value[:, None], shares))[:, 0]
        digest = connection.scalar(
            select(DenominatorFile.sha256).where(
                DenominatorFile.boundary_set_id == from_id, DenominatorFile.kind == what, DenominatorFile.year == year
            )
        )
        file = {
            "file_name": f"{numbers.file_name}, apportioned from {from_boundaries} by {lookup.weighted_by}",
            "sha256": hashlib.sha256(f"{digest} {lookup.sha256}".encode()).hexdigest(),
            "loaded_at": now,
            "attribution": "; ".join(dict.fromkeys(filter(None, (numbers.attribution, lookup.attribution)))),
            "estimated": True,
        }
        by_code = {ward.code: float(n) for ward, n in zip(wards, value, strict=True)}
        store_denominator(connection, by_code, set_id=set_id, kind=what, year=year, file=file)
        stamp(connection)
    total = float(value.sum())
    outside = float(numbers.value.sum()) - total
    return ApportionedReport(from_boundaries, boundaries, year, what, len(wards), total, max(outside, 0.0), lookup.weighted_by)


def _read_shares(
    connection: Connection, areas: str, set_id: int, area_codes: list[str], ward_codes: list[str]
) -> sparse.csr_array:
    """Which share of each area is in each ward, in the order of their codes."""
    at_area = {code: i for i, code in enumerate(area_codes)}
    at_ward = {code: i for i, code in enumerate(ward_codes)}
    pairs = connection.execute(
        select(AreaLookup.area_code, AreaLookup.ward_code, AreaLookup.weight)
        .where(AreaLookup.areas == areas, AreaLookup.boundary_set_id == set_id)
        .order_by(AreaLookup.area_code, AreaLookup.ward_code)
    )
    # A set may have been loaded again since: a pair of codes that are gone says nothing.
    known = [(at_area[a], at_ward[w], weight) for a, w, weight in pairs if a in at_area and w in at_ward]
    rows, columns, weights = zip(*known, strict=True) if known else ((), (), ())
    return sparse.coo_array((weights, (rows, columns)), shape=(len(area_codes), len(ward_codes)), dtype=float).tocsr()


def _refuse_holes(
    shares: sparse.csr_array, numbers: NDArray[np.float64], areas: list[str], wards: list[str], boundaries: str
) -> None:
    """Refuse what would give a ward nothing, or too little, without anybody having said so."""
    without = [areas[i] for i in np.flatnonzero(np.isnan(numbers))]
    if without:
        raise DataRefused(
            f"{len(without)} wards have no figure to apportion: {', '.join(without[:_SHOWN])}.",
            hint="Load the figures of the set that it is apportioned from again.",
        )
    empty = [wards[i] for i in np.flatnonzero(np.bincount(shares.indices, minlength=len(wards)) == 0)]
    if empty:
        raise DataRefused(
            f"{len(empty)} of {len(wards)} wards of {boundaries} hold no part of any area of the lookup: "
            f"{', '.join(empty[:_SHOWN])}.",
            hint="Are both sets of the same county? If so, load the lookup again.",
        )
