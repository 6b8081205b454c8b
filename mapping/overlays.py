"""Two boundary sets laid over each other: which parts their areas share, in EPSG:27700 metres."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from sqlalchemy import select, type_coerce
from sqlalchemy.types import NullType

from mapping.statistics.apportionment import shares_of
from mapping.store.models import Ward

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse
    from sqlalchemy import Connection

__all__ = ["SLIVER_SHARE", "overlaps", "read_shapes", "shares_by_shape"]

SLIVER_SHARE = 0.01
"""A part of less than this share of an area is taken for the drawing of its border, not for land."""


def read_shapes(connection: Connection, set_id: int) -> NDArray[np.object_]:
    """The original shapes of a set in EPSG:27700, by ward code."""
    geometry = type_coerce(Ward.geom, NullType())
    rows = connection.scalars(select(geometry).where(Ward.boundary_set_id == set_id).order_by(Ward.code)).all()
    raw = np.empty(len(rows), dtype=object)
    raw[:] = rows
    return np.asarray(shapely.from_wkb(raw), dtype=object)


def overlaps(
    old: NDArray[np.object_], new: NDArray[np.object_]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Pairs of areas that share ground: index of the old, index of the new, square metres; by old, then new.

    Shapes that are equal to the last digit are not laid over anything: they share all of each other, and nothing else.
    """
    at_new = {wkb: j for j, wkb in enumerate(shapely.to_wkb(new, include_srid=False))}
    twin = np.array([at_new.get(wkb, -1) for wkb in shapely.to_wkb(old, include_srid=False)], dtype=np.int64)
    equal = np.flatnonzero(twin >= 0)
    left_old, left_new = np.flatnonzero(twin < 0), np.setdiff1d(np.arange(len(new)), twin[equal])
    i, j = np.asarray(shapely.STRtree(new[left_new]).query(old[left_old], predicate="intersects"), dtype=np.int64)
    shared = np.asarray(shapely.area(shapely.intersection(old[left_old][i], new[left_new][j])))
    some = shared > 0
    rows = np.concatenate([equal, left_old[i[some]]])
    columns = np.concatenate([twin[equal], left_new[j[some]]])
    area_m2 = np.concatenate([shapely.area(old[equal]), shared[some]])
    order = np.lexsort((columns, rows))
    return rows[order], columns[order], area_m2[order]


def shares_by_shape(old: NDArray[np.object_], new: NDArray[np.object_]) -> sparse.csr_array:
    """Which share of the ground of each old area is in each new one, shape (old, new).

    What is left of an area when slivers are taken off, if it is all but a sliver of it, is the whole area.
    """
    rows, columns, shared = overlaps(old, new)
    whole = np.asarray(shapely.area(old))
    land = shared >= SLIVER_SHARE * whole[rows]
    rows, columns, shared = rows[land], columns[land], shared[land]
    inside = np.bincount(rows, weights=shared, minlength=len(old))
    totals = np.where(inside >= (1 - SLIVER_SHARE) * whole, inside, whole)
    return shares_of(rows, columns, shared, shape=(len(old), len(new)), totals=totals)
