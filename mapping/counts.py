"""Counts of incidents by ward, month and crime type: kept by every load, read as a labelled array."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pyarrow as pa
from sqlalchemy import Delete, Select, delete, func, insert, select

from mapping.places import read_place_wards
from mapping.store import bulk_insert
from mapping.store.models import CrimeTypeRow, Extract, Incident, MonthPlaces, Source, Ward, WardMonthCount
from mapping.vocabulary import Month

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

    from numpy.typing import NDArray
    from sqlalchemy import ColumnElement, Connection

S = TypeVar("S", Delete, Select[Any])

__all__ = ["Counts", "Supply", "count_combinations", "pack_from_store", "pack_months", "read_counts", "recount"]

_MONTHS_AT_ONCE = 24  # of a whole country in memory
_COUNTABLE = 8  # cells for each incident, up to which counting beats sorting


@dataclass(frozen=True, slots=True)
class Supply:
    """How the counts of one source, stream and kind of areas come onto a boundary set, and the months that they cover.

    `weighted_by` is empty where the areas are the wards themselves, and None where no lookup leads from them to the set.
    `wards` are the indices of the wards that any of its areas reaches.
    """

    source: str
    stream: str
    areas: str
    weighted_by: str | None
    attribution: str
    months: frozenset[Month]
    wards: frozenset[int]


@dataclass(frozen=True, slots=True)
class Counts:
    """Incidents, labelled.

    `values` has the shape (wards, months, crime types); `months` are consecutive. No incidents is 0: whether a month was
    supplied at all is not said here, but by `mapping.coverage`. They are whole numbers, unless some were supplied as counts
    of areas (`supplies`): then `estimated` says how many of each were apportioned, and both may be fractions.
    """

    values: NDArray[Any]
    ward_codes: tuple[str, ...]
    months: tuple[Month, ...]
    crime_types: tuple[str, ...]
    estimated: NDArray[np.float64] | None = None
    supplies: tuple[Supply, ...] = ()


def count_combinations(*parts: NDArray[np.int64]) -> tuple[tuple[NDArray[np.int64], ...], NDArray[np.int64]]:
    """The distinct combinations of whole numbers, in order, and how often each occurs.

    >>> count_combinations(np.array([1, 2, 1]), np.array([5, 5, 5]))
    ((array([1, 2]), array([5, 5])), array([2, 1]))
    """
    if not len(parts[0]):
        return parts, np.array([], dtype=np.int64)
    # One number for each combination: counting, or else sorting, numbers is many times faster than sorting rows.
    lowest = [int(part.min()) for part in parts]
    sizes = [int(part.max()) - low + 1 for part, low in zip(parts, lowest, strict=True)]
    keys = np.ravel_multi_index([part - low for part, low in zip(parts, lowest, strict=True)], sizes)
    if np.prod(sizes, dtype=float) <= _COUNTABLE * len(keys):
        all_counts = np.bincount(keys)
        distinct = np.flatnonzero(all_counts)
        counts = all_counts[distinct]
    else:
        distinct, counts = np.unique(keys, return_counts=True)
    found = np.unravel_index(distinct, sizes)
    return tuple(part + low for part, low in zip(found, lowest, strict=True)), counts


def pack_months(
    connection: Connection,
    *,
    source_ids: NDArray[np.int64],
    months: NDArray[np.int64],
    place_ids: NDArray[np.int64],
    crime_type_ids: NDArray[np.int64],
) -> None:
    """Keep where incidents are, in place of what was kept of their sources and months.

    Parameters
    ----------
    source_ids, months, place_ids, crime_type_ids
        One entry an incident; `months` are `Month.index`, `place_ids` are 0 where there is no place. They must be all the
        incidents of their sources and months.
    """
    order = np.lexsort((crime_type_ids, place_ids, months, source_ids))
    source_ids, months = source_ids[order], months[order]
    changes = np.flatnonzero((np.diff(source_ids) != 0) | (np.diff(months) != 0)) + 1
    places, types = (np.split(part[order].astype("<i4"), changes) for part in (place_ids, crime_type_ids))
    rows: list[dict[str, Any]] = [
        {
            "source_id": int(source_ids[start]),
            "month": Month.from_index(int(months[start])).first,
            "place_ids": places[i].tobytes(),
            "crime_type_ids": types[i].tobytes(),
        }
        for i, start in enumerate([0, *changes.tolist()] if len(order) else [])
    ]
    for row in rows:
        connection.execute(_packed_of(delete(MonthPlaces), row["source_id"], [row["month"]]))
    if rows:
        connection.execute(insert(MonthPlaces), rows)


def pack_from_store(connection: Connection, months: dict[int, set[Month]]) -> None:
    """Keep anew where the incidents in the store are, for each source id its months; a month without any is forgotten."""
    for source_id, touched in sorted(months.items()):
        for month in sorted(touched):
            connection.execute(_packed_of(delete(MonthPlaces), source_id, [month.first]))
            rows = connection.execute(
                select(Incident.place_id, Incident.crime_type_id).where(_of_month(source_id, month))
            ).all()
            pairs = np.array([(row[0] or 0, row[1]) for row in rows], dtype=np.int64).reshape(-1, 2)
            pack_months(
                connection,
                source_ids=np.full(len(pairs), source_id),
                months=np.full(len(pairs), month.index),
                place_ids=pairs[:, 0],
                crime_type_ids=pairs[:, 1],
            )


def recount(
    connection: Connection,
    *,
    set_ids: Iterable[int],
    months: dict[int, set[Month]],
    progress: Callable[[float], None] = lambda _share: None,
) -> None:
    """Make `ward_month_count` agree with `month_places`, within the caller's transaction.

    Parameters
    ----------
    set_ids
        The boundary sets to recount.
    months
        For each source id the months to recount.
    progress
        Told the share that is done.
    """
    chunks = [
        (source_id, sorted(touched)[start : start + _MONTHS_AT_ONCE])
        for source_id, touched in sorted(months.items())
        for start in range(0, len(touched), _MONTHS_AT_ONCE)
    ]
    sets = list(set_ids)
    for i, set_id in enumerate(sets):
        wards = read_place_wards(connection, set_id)
        for j, (source_id, chunk) in enumerate(chunks):
            _recount_chunk(connection, set_id, source_id, chunk, wards)
            progress((i + (j + 1) / len(chunks)) / len(sets))


def _recount_chunk(connection: Connection, set_id: int, source_id: int, months: list[Month], wards: NDArray[np.int64]) -> None:
    kept, firsts = WardMonthCount, [month.first for month in months]
    connection.execute(delete(kept).where(kept.boundary_set_id == set_id, kept.source_id == source_id, kept.month.in_(firsts)))
    packed = connection.execute(_packed_of(select(MonthPlaces), source_id, firsts)).all()
    if not packed:
        return
    places = [np.frombuffer(row.place_ids, "<i4") for row in packed]
    types = np.concatenate([np.frombuffer(row.crime_type_ids, "<i4") for row in packed]).astype(np.int64)
    months_of = np.repeat([Month.of(row.month).index for row in packed], [len(part) for part in places])
    ward_ids = wards[np.concatenate(places)]
    inside = ward_ids > 0
    (month, ward, crime_type), counts = count_combinations(months_of[inside], ward_ids[inside], types[inside])
    distinct, at = np.unique(month, return_inverse=True)
    days = pa.array([Month.from_index(int(m)).first for m in distinct], pa.date32())
    rows = {
        "boundary_set_id": np.full(len(counts), set_id),
        "source_id": np.full(len(counts), source_id),
        "month": days.take(pa.array(at)),
        "ward_id": ward,
        "crime_type_id": crime_type,
        "count": counts,
    }
    bulk_insert(connection, kept.__table__, pa.table(rows))  # type: ignore[arg-type]


def _packed_of(statement: S, source_id: int, firsts: list[date]) -> S:
    return statement.where(MonthPlaces.source_id == source_id, MonthPlaces.month.in_(firsts))


def _of_month(source_id: int, month: Month) -> ColumnElement[bool]:
    extracts = select(Extract.id).where(
        Extract.source_id == source_id, Extract.date_from <= month.last, Extract.date_to >= month.first
    )
    return Incident.extract_id.in_(extracts) & Incident.date.between(month.first, month.last)


def read_counts(connection: Connection, boundary_set_id: int, *, sources: Sequence[str], crime_types: Sequence[str]) -> Counts:
    """Counts on one boundary set, summed over sources, for all the months of which anything was counted.

    Parameters
    ----------
    sources
        Ids of the sources to sum.
    crime_types
        Ids of the types, in the order of the third axis.
    """
    codes = connection.scalars(select(Ward.code).where(Ward.boundary_set_id == boundary_set_id).order_by(Ward.code)).all()
    rows = connection.execute(
        select(Ward.code, WardMonthCount.month, CrimeTypeRow.slug, func.sum(WardMonthCount.count))
        .join(Ward, Ward.id == WardMonthCount.ward_id)
        .join(Source, Source.id == WardMonthCount.source_id)
        .join(CrimeTypeRow, CrimeTypeRow.id == WardMonthCount.crime_type_id)
        .where(WardMonthCount.boundary_set_id == boundary_set_id, Source.slug.in_(sources))
        .group_by(Ward.code, WardMonthCount.month, CrimeTypeRow.slug)
    ).all()
    indices = [Month.of(row[1]).index for row in rows]
    first, last = (min(indices), max(indices)) if indices else (0, -1)
    values = np.zeros((len(codes), last - first + 1, len(crime_types)), dtype=np.int64)
    ward_at = {code: i for i, code in enumerate(codes)}
    type_at = {crime_type: i for i, crime_type in enumerate(crime_types)}
    for (code, _, crime_type, count), index in zip(rows, indices, strict=True):
        values[ward_at[code], index - first, type_at[crime_type]] = count
    months = tuple(Month.from_index(i) for i in range(first, last + 1))
    return Counts(values, tuple(codes), months, tuple(crime_types))
