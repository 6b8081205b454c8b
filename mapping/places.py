"""Which ward a place is in: for all places at once at a load, and for one point at a time while the map is used."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import rtree.index
import shapely
from sqlalchemy import delete, func, select, type_coerce
from sqlalchemy.types import NullType

from mapping.store import bulk_insert
from mapping.store.models import BoundarySet, Place, PlaceWard, Ward

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sqlalchemy import Connection

__all__ = [
    "Nearest",
    "WardFinder",
    "place_places",
    "place_points",
    "read_place_wards",
    "read_places",
    "replace_all_places",
]


def place_points(points: NDArray[np.object_], wards: NDArray[np.object_]) -> NDArray[np.int64]:
    """For each point the index of the ward it is in, or -1.

    Parameters
    ----------
    points
        shapely points, n of them, in EPSG:27700 metres.
    wards
        shapely polygons in the same coordinates, ordered by ward code: on a shared edge the first, so the lowest code, wins,
        and no incident is counted twice.
    """
    found = np.full(len(points), len(wards), dtype=np.int64)
    # The tree holds the points and is asked by ward: prepared polygons make that several times faster than the reverse.
    ward_index, point_index = shapely.STRtree(points).query(wards, predicate="intersects")
    np.minimum.at(found, point_index, ward_index)
    found[found == len(wards)] = -1
    return found


def read_places(connection: Connection) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    """Ids and points (EPSG:27700) of every place, by id."""
    # As the engine has it, WKB or its hexadecimal form: all at once is many times faster than one by one.
    rows = connection.execute(select(Place.id, type_coerce(Place.geom, NullType())).order_by(Place.id)).all()
    raw = np.empty(len(rows), dtype=object)
    raw[:] = [row[1] for row in rows]
    return np.array([row[0] for row in rows], dtype=np.int64), shapely.from_wkb(raw)


def read_place_wards(connection: Connection, set_id: int) -> NDArray[np.int64]:
    """The ward id of each place on a boundary set, at the place's own id; 0 where it is in none (and at 0, no place)."""
    rows = connection.execute(select(PlaceWard.place_id, PlaceWard.ward_id).where(PlaceWard.boundary_set_id == set_id)).all()
    highest = connection.scalar(select(func.max(Place.id))) or 0
    wards = np.zeros(highest + 1, dtype=np.int64)
    if rows:
        place_ids, ward_ids = np.array([tuple(row) for row in rows], dtype=np.int64).T
        wards[place_ids] = ward_ids
    return wards


def place_places(connection: Connection, place_ids: NDArray[np.int64], points: NDArray[np.object_]) -> None:
    """Put new places in the wards of every boundary set."""
    for set_id in connection.scalars(select(BoundarySet.id).order_by(BoundarySet.id)).all():
        _store_placed(connection, set_id, place_ids, points)


def replace_all_places(connection: Connection, set_id: int) -> None:
    """Put every place anew in the wards of one boundary set."""
    connection.execute(delete(PlaceWard).where(PlaceWard.boundary_set_id == set_id))
    _store_placed(connection, set_id, *read_places(connection))


def _store_placed(connection: Connection, set_id: int, place_ids: NDArray[np.int64], points: NDArray[np.object_]) -> None:
    rows = connection.execute(select(Ward.id, Ward.geom).where(Ward.boundary_set_id == set_id).order_by(Ward.code)).all()
    shapes = np.empty(len(rows), dtype=object)
    shapes[:] = [row.geom for row in rows]
    found = place_points(points, shapes)
    inside = found >= 0
    ward_ids = np.array([row.id for row in rows], dtype=np.int64)
    placed = {
        "boundary_set_id": np.full(int(inside.sum()), set_id),
        "place_id": place_ids[inside],
        "ward_id": ward_ids[found[inside]],
    }
    bulk_insert(connection, PlaceWard.__table__, pa.table(placed))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Nearest:
    """A ward and how far it is, in metres (0 inside)."""

    ward_code: str
    ward_name: str
    distance_m: float


class WardFinder:
    """A live R-tree over the wards of one boundary set, for single look-ups in microseconds."""

    def __init__(self, connection: Connection, set_id: int) -> None:
        rows = connection.execute(
            select(Ward.code, Ward.name, Ward.geom).where(Ward.boundary_set_id == set_id).order_by(Ward.code)
        ).all()
        self._names = [(row.code, row.name) for row in rows]
        self._shapes = [row.geom for row in rows]
        for shape in self._shapes:
            shapely.prepare(shape)
        # The tree is not safe to share between threads.
        self._lock = threading.Lock()
        entries = ((i, shape.bounds, None) for i, shape in enumerate(self._shapes))
        self._tree = rtree.index.Index(entries) if rows else rtree.index.Index()

    def at(self, x_m: float, y_m: float) -> str | None:
        """Code of the ward that a point (EPSG:27700) is in; on a shared edge the lowest."""
        point = shapely.Point(x_m, y_m)
        with self._lock:
            near = list(self._tree.intersection(point.bounds))
        hits = sorted(i for i in near if self._shapes[i].intersects(point))
        return self._names[hits[0]][0] if hits else None

    def nearest(self, x_m: float, y_m: float) -> Nearest | None:
        """The ward nearest to a point (EPSG:27700); None only where there are no wards."""
        point = shapely.Point(x_m, y_m)
        wanted, total = 4, len(self._shapes)
        while total:
            with self._lock:
                near = list(self._tree.nearest(point.bounds, min(wanted, total)))
            best = min(near, key=lambda i: (self._shapes[i].distance(point), i))
            distance = float(self._shapes[best].distance(point))
            # The tree orders by boxes: it is enough once the farthest box looked at is farther than the best shape.
            if len(near) >= total or max(shapely.box(*self._shapes[i].bounds).distance(point) for i in near) > distance:
                return Nearest(*self._names[best], distance)
            wanted *= 2
        return None
