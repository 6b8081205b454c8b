"""The made-up county: parishes, wards in two vintages, districts, residents.

Coordinates are EPSG:27700 metres, whole numbers. The county lies over the English Midlands only because its
coordinates must lie somewhere on land.
"""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import shapely

from loaders.demo.chance import BoolArray, Chance, FloatArray, IntArray
from loaders.demo.names import DISTRICTS, OUTLINE_KM, TOWNS
from loaders.demo.shapes import Cells, Point, draw_cells, outline
from loaders.demo.wards import Ward, coded, distance, grow, reviewed

__all__ = ["CORNER_M", "County", "draw_county"]

# This county was looked at. Another seed may draw borders that cross, or wards that the review cannot change.
SEED = 1

CORNER_M = (455_000, 222_000)
# Seeds of cells beyond the county's edge, to give it one, in metres.
MARGIN_M = 9_000
# No parish has its middle this close to a town, in metres.
CLEAR_M = 200
TOWN_SPACING_M, RURAL_SPACING_M = 640, 2_300


@dataclass(frozen=True)
class County:
    """The parishes, who lives there, and the wards of each boundary set."""

    cells: Cells
    residents_2020: IntArray  # by parish
    growth: IntArray  # by parish, in thousandths a year
    sets: dict[str, list[Ward]]

    def residents(self, ward: Ward, *, year: int) -> int:
        """Return who lived in `ward` at the middle of `year`."""
        people = self.residents_2020 * (1000 + self.growth * (year - 2020)) // 1000
        return int(people[list(ward.cells)].sum())

    def shape(self, cells: Iterable[int]) -> shapely.Polygon:
        """Return the area of `cells`, in EPSG:27700 metres."""
        outer, *holes = outline(self.cells, set(cells))
        return shapely.Polygon(outer, holes)


def draw_county() -> County:
    """Draw the county: always the same one, everywhere."""
    middles, inside, town = _scatter(Chance(SEED, 0))
    cells = draw_cells(middles, seed=SEED)
    inside = _rounded_off(inside, cells)
    chance = Chance(SEED, 2)
    people = np.where(town >= 0, chance.whole(1700, 2700, size=len(town)), chance.whole(160, 400, size=len(town)))
    residents = np.where(inside, people, 0)
    district = _districts(cells, inside, town)
    before = coded([*_town_wards(cells, town, residents), *_rural_wards(cells, town, district, residents)])
    after = reviewed(before, cells, residents)
    return County(cells, residents, chance.whole(-3, 13, size=len(town)), {"demo21": before, "demo25": after})


def _metres(points_km: Iterable[tuple[float, ...]]) -> FloatArray:
    return np.array([[1000 * p for p in point] for point in points_km])


# Each built-up disc (x, y, radius in metres from the county's corner), and the town it belongs to.
_DISCS = np.concatenate([_metres(town.built) for town in TOWNS])
_DISC_TOWN = [number for number, town in enumerate(TOWNS) for _ in town.built]


def _scatter(chance: Chance) -> tuple[list[Point], BoolArray, IntArray]:
    """Scatter seeds, close together in towns and ever wider apart away from them.

    Returns them with whether each is in the county and its town (-1: none).
    """
    edge = shapely.Polygon(_metres(OUTLINE_KM))
    bounds = np.array(edge.bounds)
    low, high = bounds[:2] - MARGIN_M, bounds[2:] + MARGIN_M
    kept: list[Point] = []
    for x, y, radius in _DISCS.tolist():
        box = np.array([[x - radius, y - radius], [x + radius, y + radius]])
        darts = np.floor(box[0] + chance.uniform(1400).reshape(-1, 2) * (box[1] - box[0]))
        _keep_apart(kept, [dart for dart in darts if _to_town(dart)[0] < 0])
    darts = np.floor(low + chance.uniform(14_000).reshape(-1, 2) * (high - low))
    _keep_apart(kept, [dart for dart in darts if _to_town(dart)[0] > CLEAR_M])
    points = np.array(kept)
    town_of = np.array([number if gap < 0 else -1 for gap, number in map(_to_town, points)])
    seeds = [(x + CORNER_M[0], y + CORNER_M[1]) for x, y in kept]
    return seeds, shapely.contains_xy(edge, points), town_of


def _keep_apart(kept: list[Point], darts: Iterable[FloatArray]) -> None:
    """Add to `kept` those of `darts`, in turn, that keep their distance from all others."""
    for dart in darts:
        gap = _to_town(dart)[0]
        apart = min(RURAL_SPACING_M, TOWN_SPACING_M if gap < 0 else 850 + 0.45 * gap)
        if not kept or ((np.array(kept) - dart) ** 2).sum(axis=1).min() >= apart**2:
            kept.append((int(dart[0]), int(dart[1])))


def _to_town(point: FloatArray) -> tuple[float, int]:
    """Return the metres to the nearest town (negative within) and which town it is."""
    gaps = np.sqrt(((_DISCS[:, :2] - point) ** 2).sum(axis=1)) - _DISCS[:, 2]
    nearest = int(gaps.argmin())
    return float(gaps[nearest]), _DISC_TOWN[nearest]


def _rounded_off(inside: BoolArray, cells: Cells) -> BoolArray:
    """Drop parishes that stick out of the county and take in those that it nearly surrounds."""
    for _ in range(2):
        share = {c: np.mean(inside[others]) for c, others in cells.neighbours.items()}
        inside = np.array([share.get(c, 0) > (0.4 if now else 0.6) for c, now in enumerate(inside.tolist())])
    return inside


def _districts(cells: Cells, inside: BoolArray, town: IntArray) -> IntArray:
    """Give each parish of the county to the district whose town it reaches first, from neighbour to neighbour."""
    district = np.full(len(cells.middles), -1)
    queue = [(0, cell, TOWNS[town[cell]].district) for cell in np.flatnonzero(town >= 0).tolist()]
    heapq.heapify(queue)
    while queue:
        far, cell, number = heapq.heappop(queue)
        if district[cell] >= 0:
            continue
        district[cell] = number
        for other in cells.neighbours[cell]:
            if inside[other] and district[other] < 0:
                heapq.heappush(queue, (far + distance(cells, cell, other), other, number))
    return district


def _town_wards(cells: Cells, town: IntArray, residents: IntArray) -> list[Ward]:
    wards = []
    for number, place in enumerate(TOWNS):
        members = np.flatnonzero(town == number).tolist()
        middle = np.array(CORNER_M) + _metres(place.built)[0, :2]
        far = ((np.array(cells.middles)[members] - middle) ** 2).sum(axis=1)
        groups = grow(cells, members, members[far.argmin()], number=len(place.wards), size=residents)
        wards += [
            Ward(name, place.district, number, kind, group) for (name, kind), group in zip(place.wards, groups, strict=True)
        ]
    return wards


def _rural_wards(cells: Cells, town: IntArray, district: IntArray, residents: IntArray) -> list[Ward]:
    wards = []
    for number, area in enumerate(DISTRICTS):
        members = np.flatnonzero((district == number) & (town < 0)).tolist()
        groups = grow(cells, members, members[0], number=len(area.rural), size=residents)
        wards += [Ward(name, number, -1, "village", group) for name, group in zip(area.rural, groups, strict=True)]
    return wards
