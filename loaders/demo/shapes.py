"""Parishes as cells of a plane: the building blocks of wards, with natural borders that neighbours share exactly.

Coordinates are EPSG:27700 metres, whole numbers throughout, so that every machine draws the same county.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from scipy.spatial import Voronoi

from loaders.demo.chance import Chance

__all__ = ["Cells", "Point", "Ring", "draw_cells", "outline"]

Point: TypeAlias = tuple[int, int]
Ring: TypeAlias = list[Point]
Kite: TypeAlias = tuple[Point, Point, Point, Point]

# A border is divided until its pieces are this short, in metres.
PIECE_M = 160
# A border this short, against the distance of the two cells, is a corner: nothing grows through it.
CORNER = 0.2


@dataclass(frozen=True)
class Cells:
    """A plane cut into cells, one around each seed."""

    seed: int
    middles: list[Point]  # the point each cell was drawn around
    edges: dict[tuple[int, int], tuple[Point, Point]]  # (lower cell, higher cell) -> where their border starts and ends
    neighbours: dict[int, list[int]]  # cells that share more than a corner, in order
    _bent: dict[tuple[int, int], list[Point]] = field(default_factory=dict)

    def border(self, low: int, high: int) -> list[Point]:
        """Return the border between two cells, bent as a border is; the same for both of them."""
        if (low, high) not in self._bent:
            kite = (*self.edges[low, high], self.middles[low], self.middles[high])
            self._bent[low, high] = _natural(kite, chance=Chance(self.seed, 1, low, high))
        return self._bent[low, high]


def draw_cells(middles: list[Point], *, seed: int) -> Cells:
    """Cut the plane into one cell around each of `middles`, leaving borders that reach infinity out."""
    diagram = Voronoi(np.array(middles, dtype=np.float64))
    # Rounded at once: the last bits of a quotient are the machine's own.
    corners = [(int(x), int(y)) for x, y in np.rint(diagram.vertices)]
    edges = {}
    neighbours: dict[int, list[int]] = defaultdict(list)
    for pair, ends in zip(diagram.ridge_points.tolist(), diagram.ridge_vertices, strict=True):
        low, high = sorted(pair)
        start, end = sorted((corners[ends[0]], corners[ends[1]]))
        if -1 in ends or start == end:
            continue
        edges[low, high] = start, end
        if _square(start, end) > CORNER**2 * _square(middles[low], middles[high]):
            neighbours[low].append(high)
            neighbours[high].append(low)
    return Cells(seed, middles, edges, {cell: sorted(others) for cell, others in neighbours.items()})


def outline(cells: Cells, members: Collection[int]) -> list[Ring]:
    """Return the closed rings around `members`: the outer ring first, anticlockwise, then holes, clockwise."""
    inside = set(members)
    ways: dict[Point, list[list[Point]]] = defaultdict(list)
    for low, high in cells.edges:
        if (low in inside) != (high in inside):
            line = cells.border(low, high)
            ways[line[0]].append(line)
            ways[line[-1]].append(line[::-1])
    rings = []
    while ways:
        rings.append(_walk(ways))
    rings.sort(key=lambda ring: -abs(_doubled_area(ring)))
    return [_turned(ring, anticlockwise=n == 0) for n, ring in enumerate(rings)]


def _walk(ways: dict[Point, list[list[Point]]]) -> Ring:
    """Take one closed ring out of `ways`, following borders end to end."""
    here = start = min(ways)
    ring: Ring = []
    while True:
        line = ways[here].pop()
        ways[line[-1]].remove(line[::-1])
        for end in (here, line[-1]):
            if not ways[end]:
                del ways[end]
        ring.extend(line[:-1])
        here = line[-1]
        if here == start:
            return ring


def _turned(ring: Ring, *, anticlockwise: bool) -> Ring:
    """Close a ring, begin it at its lowest point and turn it the way asked for, so that it has one spelling."""
    if (_doubled_area(ring) > 0) != anticlockwise:
        ring = ring[::-1]
    first = ring.index(min(ring))
    return [*ring[first:], *ring[: first + 1]]


def _natural(kite: Kite, *, chance: Chance) -> list[Point]:
    """Bend the straight border between the first two corners of `kite` by displacing midpoints.

    Every point stays in the kite between the border's ends and the middles of the two cells. The kites of a diagram
    do not overlap, so borders cannot cross however they bend.
    """
    # Some borders follow a road, others a brook.
    roughness = 0.08 + 0.17 * chance.uniform(1)[0]
    line = [*kite[:2]]
    while any(_square(a, b) > PIECE_M**2 for a, b in pairwise(line)):
        draws = iter(chance.uniform(2 * len(line)).tolist())
        bent = line[:1]
        for a, b in pairwise(line):
            if _square(a, b) > PIECE_M**2:
                along, across = 0.35 + 0.3 * next(draws), roughness * (2 * next(draws) - 1)
                bent.append(_displaced(a, b, along, across, kite=kite))
            bent.append(b)
        line = bent
    return line


def _displaced(a: Point, b: Point, along: float, across: float, *, kite: Kite) -> Point:
    """Return a point between `a` and `b`, put aside by `across` of their distance, or by less to stay in the kite."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    while True:
        point = (round(a[0] + along * dx - across * dy), round(a[1] + along * dy + across * dx))
        if abs(across) < 0.01 or _in_kite(point, kite):
            return point
        across /= 2


def _in_kite(point: Point, kite: Kite) -> bool:
    start, end, *middles = kite
    foot = ((start[0] + end[0]) // 2, (start[1] + end[1]) // 2)
    # The kite a little narrowed, so that borders keep apart.
    tips = [(foot[0] + 4 * (m[0] - foot[0]) // 5, foot[1] + 4 * (m[1] - foot[1]) // 5) for m in middles]
    return any(_in_triangle(point, start, end, tip) for tip in tips)


def _in_triangle(point: Point, a: Point, b: Point, c: Point) -> bool:
    turns = _cross(a, b, point), _cross(b, c, point), _cross(c, a, point)
    return min(turns) >= 0 or max(turns) <= 0


def _cross(a: Point, b: Point, c: Point) -> int:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _square(a: Point, b: Point) -> int:
    return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2


def _doubled_area(ring: Ring) -> int:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, [*ring[1:], ring[0]], strict=True))
