"""Counts of incidents by ward, month and crime type: kept by every load, read as a labelled array."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from sqlalchemy import Date as SqlDate
from sqlalchemy import Integer, delete, func, insert, literal, select

from mapping.store import bulk_insert
from mapping.store.models import CrimeTypeRow, Extract, Incident, PlaceWard, Source, Ward, WardMonthCount
from mapping.vocabulary import Month

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray
    from sqlalchemy import ColumnElement, Connection

__all__ = ["Counts", "count_combinations", "months_in_store", "read_counts", "recount", "store_counts"]


@dataclass(frozen=True, slots=True)
class Counts:
    """Whole numbers of incidents, labelled.

    `values` has the shape (wards, months, crime types); `months` are consecutive. No incidents is 0: whether a month was
    supplied at all is not said here, but by `mapping.coverage`.
    """

    values: NDArray[np.int64]
    ward_codes: tuple[str, ...]
    months: tuple[Month, ...]
    crime_types: tuple[str, ...]


def count_combinations(*parts: NDArray[np.int64]) -> tuple[tuple[NDArray[np.int64], ...], NDArray[np.int64]]:
    """The distinct combinations of whole numbers (none negative), in order, and how often each occurs.

    >>> count_combinations(np.array([1, 2, 1]), np.array([5, 5, 5]))
    ((array([1, 2]), array([5, 5])), array([2, 1]))
    """
    # One number for each combination: sorting numbers is many times faster than sorting rows.
    sizes = [int(part.max(initial=0)) + 1 for part in parts]
    keys, counts = np.unique(np.ravel_multi_index(parts, sizes), return_counts=True)
    return np.unravel_index(keys, sizes), counts


def months_in_store(connection: Connection, source_id: int, months: Iterable[Month]) -> set[Month]:
    """Which of these months hold any incident of a source."""
    return {
        month
        for month in months
        if connection.scalar(select(Incident.id).where(_of_month(source_id, month)).limit(1)) is not None
    }


def store_counts(
    connection: Connection,
    set_id: int,
    *,
    source_ids: NDArray[np.int64],
    months: NDArray[np.int64],
    ward_ids: NDArray[np.int64],
    crime_type_ids: NDArray[np.int64],
) -> None:
    """Count incidents that are all there is of their source and month, in place of what was counted.

    Parameters
    ----------
    source_ids, months, ward_ids, crime_type_ids
        One entry an incident; `months` are `Month.index`, `ward_ids` are 0 where an incident is in no ward.
    """
    kept = WardMonthCount
    for source_id, month in zip(*count_combinations(source_ids, months)[0], strict=True):
        first = Month.from_index(int(month)).first
        connection.execute(
            delete(kept).where(kept.boundary_set_id == set_id, kept.source_id == int(source_id), kept.month == first)
        )
    inside = ward_ids > 0
    found, counts = count_combinations(source_ids[inside], months[inside], ward_ids[inside], crime_type_ids[inside])
    source, month, ward, crime_type = found
    distinct, at = np.unique(month, return_inverse=True)
    firsts = pa.array([Month.from_index(int(m)).first for m in distinct], pa.date32())
    rows = {
        "boundary_set_id": np.full(len(counts), set_id),
        "source_id": source,
        "month": firsts.take(pa.array(at)),
        "ward_id": ward,
        "crime_type_id": crime_type,
        "count": counts,
    }
    bulk_insert(connection, kept.__table__, pa.table(rows))  # type: ignore[arg-type]


def recount(
    connection: Connection,
    *,
    set_ids: Iterable[int],
    months: dict[int, set[Month]],
    progress: Callable[[], None] = lambda: None,
) -> None:
    """Make `ward_month_count` agree with the incidents, within the caller's transaction.

    Parameters
    ----------
    set_ids
        The boundary sets to recount.
    months
        For each source id the months to recount.
    progress
        Called once for each source and month of a set.
    """
    for set_id in set_ids:
        for source_id, touched in sorted(months.items()):
            for month in sorted(touched):
                _recount_month(connection, set_id, source_id, month)
                progress()


def _recount_month(connection: Connection, set_id: int, source_id: int, month: Month) -> None:
    kept = WardMonthCount
    connection.execute(
        delete(kept).where(kept.boundary_set_id == set_id, kept.source_id == source_id, kept.month == month.first)
    )
    counted = (
        select(
            literal(set_id, Integer),
            literal(source_id, Integer),
            literal(month.first, SqlDate),
            PlaceWard.ward_id,
            Incident.crime_type_id,
            func.count(),
        )
        .select_from(Incident)
        .join(PlaceWard, (PlaceWard.place_id == Incident.place_id) & (PlaceWard.boundary_set_id == set_id))
        .where(_of_month(source_id, month))
        .group_by(PlaceWard.ward_id, Incident.crime_type_id)
    )
    columns = ["boundary_set_id", "source_id", "month", "ward_id", "crime_type_id", "count"]
    connection.execute(insert(kept).from_select(columns, counted))


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
