"""Incidents at certain places, counted by ward, month and type from `month_places`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import func, select

from mapping.counts import Counts
from mapping.store.models import CrimeTypeRow, MonthPlaces, Source
from mapping.vocabulary import Month

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from sqlalchemy import Connection

    Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]

__all__ = ["count_at_places"]


def count_at_places(
    connection: Connection, pairs: Mapping[str, Pairs], *, ward_codes: Sequence[str], crime_types: Sequence[str]
) -> Counts:
    """Count the incidents at these places in the wards that each place is given for.

    Parameters
    ----------
    pairs
        For each source id two arrays of the same length: place ids, and indices into `ward_codes`. A place may stand there
        with several wards: its incidents then count once in each.
    crime_types
        Ids of the types, in the order of the third axis.
    """
    ids = dict(connection.execute(select(Source.slug, Source.id).where(Source.slug.in_(list(pairs)))).all())
    first, last = connection.execute(
        select(func.min(MonthPlaces.month), func.max(MonthPlaces.month)).where(MonthPlaces.source_id.in_(ids.values()))
    ).one()
    start, length = (Month.of(first).index, Month.of(last).index - Month.of(first).index + 1) if first else (0, 0)
    values = np.zeros((len(ward_codes), length, len(crime_types)), dtype=np.int64)
    type_at = _type_indices(connection, crime_types)
    for source, (place_ids, wards) in sorted(pairs.items()):
        order = np.argsort(place_ids, kind="stable")
        places, in_wards = place_ids[order], wards[order]
        of_source = MonthPlaces.source_id == ids.get(source)
        for row in connection.execute(select(MonthPlaces).where(of_source).order_by(MonthPlaces.month)):
            at = np.frombuffer(row.place_ids, "<i4")
            types = type_at[np.frombuffer(row.crime_type_ids, "<i4")]
            begin = np.searchsorted(places, at, side="left")
            times = np.searchsorted(places, at, side="right") - begin
            times[types < 0] = 0
            incident = np.repeat(np.arange(len(at)), times)
            # The how-manieth ward of its incident each entry is.
            step = np.arange(len(incident)) - np.repeat(np.cumsum(times) - times, times)
            month = Month.of(row.month).index - start
            np.add.at(values[:, month], (in_wards[begin[incident] + step], types[incident]), 1)
    months = tuple(Month.from_index(start + i) for i in range(length))
    return Counts(values, tuple(ward_codes), months, tuple(crime_types))


def _type_indices(connection: Connection, crime_types: Sequence[str]) -> NDArray[np.int64]:
    """The index of each type at its number in the store; -1 for those not asked for."""
    rows = connection.execute(select(CrimeTypeRow.id, CrimeTypeRow.slug)).all()
    indices = np.full(max((row.id for row in rows), default=0) + 1, -1, dtype=np.int64)
    at = {crime_type: i for i, crime_type in enumerate(crime_types)}
    for row in rows:
        indices[row.id] = at.get(row.slug, -1)
    return indices
