"""Counts of incidents by ward, month and crime type: kept by every load, read as a labelled array."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import Date as SqlDate
from sqlalchemy import Integer, delete, func, insert, literal, select

from mapping.store.models import CrimeTypeRow, Extract, Incident, PlaceWard, Source, Ward, WardMonthCount
from mapping.vocabulary import Month

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray
    from sqlalchemy import Connection

__all__ = ["Counts", "read_counts", "recount"]


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
        .where(
            Incident.extract_id.in_(
                select(Extract.id).where(
                    Extract.source_id == source_id, Extract.date_from <= month.last, Extract.date_to >= month.first
                )
            ),
            Incident.date.between(month.first, month.last),
        )
        .group_by(PlaceWard.ward_id, Incident.crime_type_id)
    )
    columns = ["boundary_set_id", "source_id", "month", "ward_id", "crime_type_id", "count"]
    connection.execute(insert(kept).from_select(columns, counted))


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
