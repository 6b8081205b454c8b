"""Nearness to the line: which incidents lie so near another ward that they may belong there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from sqlalchemy import func, or_, select

from mapping.at_places import count_at_places
from mapping.places import read_place_wards, read_places
from mapping.store.models import Extract, Source, SuppliedWindow, Ward

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from sqlalchemy import Connection

    from mapping.counts import Counts
    from mapping.reader import BoundarySetInfo, Catalogue, Reader

__all__ = ["Nearness", "near_wards", "read_nearness", "read_precisions"]


@dataclass(frozen=True, slots=True)
class Nearness:
    """Incidents that may belong on the other side of a line between wards.

    `out` counts a ward's incidents whose place is within their source's precision of another ward; `into` counts the
    incidents of other wards, and of no ward, whose place is within it of this one. `within_m` are the precisions of the
    sources in view, in metres; sources that are exact have none and add nothing.
    """

    within_m: tuple[int, ...]
    out: Counts
    into: Counts

    @property
    def words(self) -> str:
        """The precisions: `100 m`, or `50 m or 100 m` where sources differ."""
        return " or ".join(f"{metres:,} m" for metres in self.within_m)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Places near a ward that they are not in (`across`), and in which ward those of them are that are in one (`home`).

    Both are place ids and ward indices, in the order of ward codes.
    """

    across: tuple[NDArray[np.int64], NDArray[np.int64]]
    home: tuple[NDArray[np.int64], NDArray[np.int64]]


def read_nearness(reader: Reader, catalogue: Catalogue, boundary_set: BoundarySetInfo, source: str | None) -> Nearness | None:
    """Nearness on a set, of the sources in view; None where all of them are exact.

    Worked out when first asked for, and kept until the data change: a load does not wait for it.
    """
    sources = [s.id for s in catalogue.sources_in_view(source)]
    precisions = reader.keep(
        catalogue, f"precisions {','.join(sources)}", lambda connection: read_precisions(connection, sources)
    )
    if not precisions:
        return None
    pairs = {metres: _kept_pairs(reader, catalogue, boundary_set, metres) for metres in sorted(set(precisions.values()))}
    codes = [ward.code for ward in boundary_set.wards]
    types = [t.id for t in catalogue.crime_types]

    def count(connection: Connection) -> Nearness:
        out, into = (
            count_at_places(
                connection,
                {slug: getattr(pairs[metres], which) for slug, metres in precisions.items()},
                ward_codes=codes,
                crime_types=types,
            )
            for which in ("home", "across")
        )
        return Nearness(tuple(pairs), out, into)

    return reader.keep(catalogue, f"nearness on {boundary_set.id} of {','.join(sources)}", count)


def _kept_pairs(reader: Reader, catalogue: Catalogue, boundary_set: BoundarySetInfo, within_m: int) -> _Pairs:
    name = f"pairs within {within_m} m on {boundary_set.id}"
    return reader.keep(catalogue, name, lambda connection: _read_pairs(connection, boundary_set.id, within_m=within_m))


def read_precisions(connection: Connection, sources: Sequence[str]) -> dict[str, int]:
    """How far the points of each source may lie from where it happened, in metres: the most of its extracts in force.

    A source whose points are exact is left out.
    """
    in_force = or_(Extract.id.in_(select(SuppliedWindow.extract_id)), Extract.kind == "changes")
    rows = connection.execute(
        select(Source.slug, func.max(Extract.precision_m))
        .join(Extract, Extract.source_id == Source.id)
        .where(
            Source.slug.in_(sources),
            Extract.records == "incidents",
            Extract.withdrawn_at.is_(None),
            Extract.precision_m.is_not(None),
            in_force,
        )
        .group_by(Source.slug)
        .order_by(Source.slug)
    ).all()
    return {slug: metres for slug, metres in rows if metres is not None}


def near_wards(
    points: NDArray[np.object_], wards: NDArray[np.object_], *, within_m: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of points and of the wards that they are in or within that distance of: one entry a pair.

    Parameters
    ----------
    points, wards
        shapely points and polygons in EPSG:27700 metres; the polygons as they were published, not simplified.
    """
    # As in `place_points`, the tree holds the points: prepared polygons answer many times.
    ward_index, point_index = shapely.STRtree(points).query(wards, predicate="dwithin", distance=within_m)
    return point_index, ward_index


def _read_pairs(connection: Connection, set_id: int, *, within_m: int) -> _Pairs:
    wards = connection.execute(select(Ward.id, Ward.geom).where(Ward.boundary_set_id == set_id).order_by(Ward.code)).all()
    place_ids, points = read_places(connection)
    shapes = np.array([row.geom for row in wards], dtype=object)
    at = np.full(max((row.id for row in wards), default=0) + 1, -1, dtype=np.int64)
    at[[row.id for row in wards]] = np.arange(len(wards))
    # The ward a place was given at its load; 0, of no ward, becomes -1.
    own = at[read_place_wards(connection, set_id)[place_ids]]
    point, ward = near_wards(points, shapes, within_m=within_m)
    other = ward != own[point]
    point, ward = point[other], ward[other]
    near = np.unique(point)
    near = near[own[near] >= 0]
    return _Pairs(across=(place_ids[point], ward), home=(place_ids[near], own[near]))
