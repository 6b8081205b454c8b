"""Which wards of a boundary set a source covers: outside its area, no incidents are no zero.

The rule is cautious, because about one located row in a hundred of a force lies outside its area, anywhere in Britain: a few
strays must not make a district safe. What an analyst says by hand comes before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import select

from mapping.coverage_notes import EVERYWHERE, read_source_districts
from mapping.places import read_place_wards
from mapping.store.models import MonthPlaces, Source, Ward

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from sqlalchemy import Connection

    from mapping.coverage import Coverage

__all__ = ["covered_wards", "group_areas", "reaching", "read_reach", "streams_of_wards"]

SMALL = 20
"""Up to so many incidents in the usual ward, a district without any may be a quiet one: all wards count as covered."""

LEAST_SHARE = 0.05
"""A district whose middle ward has less than this share of the usual incidents holds strays."""

LEAST_IN_A_WARD = 5e-6
"""Of all a source's incidents, what must lie in the average ward of a set for it to cover any of it."""


def read_reach(
    connection: Connection, boundary_set_id: int, district_codes: Sequence[str], *, incidents: Mapping[str, int]
) -> dict[str, NDArray[np.bool_]]:
    """For each source, which wards of a set it covers, in the order of their codes.

    Parameters
    ----------
    district_codes
        The district of each ward, empty where the set has none.
    incidents
        For each source all its incidents, in wards or not.
    """
    ward_ids = connection.scalars(select(Ward.id).where(Ward.boundary_set_id == boundary_set_id).order_by(Ward.code)).all()
    # From what is packed, as a recount does it: adding up the counts of a whole country takes ten times as long.
    order = np.zeros(max(ward_ids, default=0) + 1, dtype=np.int64)
    order[list(ward_ids)] = np.arange(1, len(ward_ids) + 1)
    wards = order[read_place_wards(connection, boundary_set_id)]
    inside = {source: np.zeros(len(ward_ids) + 1) for source in incidents}
    for source, place_ids in connection.execute(
        select(Source.slug, MonthPlaces.place_ids)
        .join(Source, Source.id == MonthPlaces.source_id)
        .execution_options(yield_per=60)
    ):
        if source in inside:
            inside[source] += np.bincount(wards[np.frombuffer(place_ids, "<i4")], minlength=len(ward_ids) + 1)
    by_hand, districts = read_source_districts(connection), np.array(district_codes, dtype=object)
    reach = {}
    for source, counts in inside.items():
        given = by_hand.get(source, ())
        named = np.isin(districts.astype(str), given) | (EVERYWHERE in given)
        # Districts of another county, or of another vintage, say nothing of a set that has none of them.
        reach[source] = named if named.any() else covered_wards(counts[1:], districts, everywhere=incidents[source])
    return reach


def covered_wards(inside: NDArray[np.float64], districts: NDArray[np.object_], *, everywhere: int) -> NDArray[np.bool_]:
    """Which wards a source covers, by where its incidents are.

    Of a set with districts, a district is left out if its middle ward (by incidents) has less than `LEAST_SHARE` of the usual
    incidents: the median of the middle wards of the districts that together hold 95% of the source's incidents. Strays crowd
    into a few wards along the border, so that the middle ward has next to none. Where the usual ward has fewer than `SMALL`,
    as with little data, or with a source whose incidents lie thinly along railways, no ward is left out.

    Parameters
    ----------
    inside
        Incidents in each ward, of all months.
    districts
        The district code of each ward; empty where there is none.
    everywhere
        All the source's incidents, in wards or not.
    """
    if inside.sum() < LEAST_IN_A_WARD * everywhere * len(inside):
        return np.zeros(len(inside), dtype=bool)
    codes, at = np.unique(districts.astype(str), return_inverse=True)
    if len(codes) == 1:
        return np.ones(len(inside), dtype=bool)
    held = np.bincount(at, weights=inside)
    middle = np.array([np.median(inside[at == i]) for i in range(len(codes))])
    fullest = np.argsort(-held, kind="stable")
    main = fullest[: int(np.searchsorted(held[fullest].cumsum(), 0.95 * held.sum())) + 1]
    usual = float(np.median(middle[main]))
    covered: NDArray[np.bool_] = (middle >= LEAST_SHARE * usual)[at]
    return covered if usual >= SMALL else np.ones(len(inside), dtype=bool)


def streams_of_wards(
    reach: Mapping[tuple[str, str], NDArray[np.bool_]], coverage: Coverage, *, wards: int
) -> NDArray[np.bool_]:
    """Which streams cover each of so many wards, from the reach of each source and stream: shape (wards, streams)."""
    by_stream = [reach[stream.source, stream.stream] for stream in coverage.streams]
    return np.array(by_stream, dtype=bool).reshape(len(by_stream), wards).T


def reaching(coverage: Coverage, covers: NDArray[np.bool_]) -> Coverage:
    """The streams that cover any ward."""
    some: NDArray[np.bool_] = np.any(covers, axis=0)
    return coverage.only(some)


def group_areas(
    covers: NDArray[np.bool_], coverage: Coverage, area_of_ward: NDArray[np.int64], *, areas: int
) -> tuple[tuple[Coverage, ...], NDArray[np.int64]]:
    """The combinations of streams that cover areas, and for each area which it is.

    Parameters
    ----------
    covers
        Which streams of `coverage` cover each ward: an area is covered by those that cover any ward of it.
    areas
        How many areas there are.
    """
    of_area = np.zeros((areas, covers.shape[1]), dtype=bool)
    np.logical_or.at(of_area, area_of_ward, covers)
    combinations, group = np.unique(np.packbits(of_area, axis=1), axis=0, return_inverse=True)
    chosen = np.unpackbits(combinations, axis=1, count=covers.shape[1]).astype(bool)
    return tuple(coverage.only(line) for line in chosen), group.reshape(-1)
