"""Which wards of a set touch each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy import sparse
from sqlalchemy import select

from mapping.store.models import Ward

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sqlalchemy import Connection

__all__ = ["APART_M", "contiguity", "read_neighbours"]

APART_M = 1.0
"""Wards no further apart than this touch: publishers' borders do not always meet to the millimetre."""


def read_neighbours(connection: Connection, boundary_set_id: int) -> sparse.csr_array:
    """`contiguity` of a set's wards, in order of code, by their shapes as published."""
    shapes = connection.scalars(select(Ward.geom).where(Ward.boundary_set_id == boundary_set_id).order_by(Ward.code)).all()
    return contiguity(np.array(shapes, dtype=object))


def contiguity(shapes: NDArray[np.object_], *, apart_m: float = APART_M) -> sparse.csr_array:
    """Who touches whom, at a point too (queen contiguity); a ward that touches none is joined to the nearest.

    Parameters
    ----------
    shapes
        shapely polygons in EPSG:27700 metres.
    apart_m
        Up to which distance shapes touch, in metres.

    Returns
    -------
    neighbours
        0 and 1, symmetric, the diagonal 0: shape (wards, wards).
    """
    n = len(shapes)
    if n < 2:
        return sparse.csr_array((n, n))
    tree = shapely.STRtree(shapes)
    one, other = tree.query(shapes, predicate="dwithin", distance=apart_m)
    apart = one != other
    one, other = one[apart], other[apart]
    islands = np.setdiff1d(np.arange(n), one)
    if len(islands):
        ward, nearest = tree.query_nearest(shapes[islands], exclusive=True, all_matches=False)
        one, other = np.concatenate([one, islands[ward], nearest]), np.concatenate([other, nearest, islands[ward]])
    joined = sparse.csr_array((np.ones(len(one)), (one, other)), shape=(n, n))
    joined.data[:] = 1  # two islands that are each other's nearest were joined twice
    return joined
