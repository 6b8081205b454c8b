"""Where incidents happen: street points around each parish's middle, and the few places where much happens."""

from dataclasses import dataclass

import numpy as np
import shapely

from loaders.demo.chance import BoolArray, Chance, IntArray
from loaders.demo.county import CORNER_M, County
from loaders.demo.model import TYPES
from loaders.demo.names import STREET_FIRST, STREET_LAST, TOWNS, VILLAGE_FIRST, VILLAGE_LAST
from loaders.demo.wards import Ward

__all__ = ["Places", "lay_out"]

TOWN_POINTS, VILLAGE_POINTS, OUTSIDE_POINTS = 42, 15, 60

# How much more of a type happens at a landmark than at a street point; the number under "" is for all other types.
LANDMARKS: dict[str, dict[str, int]] = {
    "HIGH STREET": {"": 9, "shoplifting": 60, "theft-from-the-person": 30, "burglary": 3, "vehicle-crime": 2},
    "MARKET PLACE": {"": 10, "anti-social-behaviour": 25, "shoplifting": 40, "burglary": 2, "vehicle-crime": 2},
    "RAILWAY STATION": {"": 8, "bicycle-theft": 60, "robbery": 20, "burglary": 0, "shoplifting": 3},
    "BUS STATION": {"": 8, "anti-social-behaviour": 24, "burglary": 0, "vehicle-crime": 0, "shoplifting": 1},
    "SUPERSTORE": {"": 4, "shoplifting": 150, "burglary": 1},
    "RECREATION GROUND": {"": 3, "anti-social-behaviour": 16, "drugs": 12, "burglary": 0, "shoplifting": 0},
    "HOSPITAL": {"": 4, "violent-crime": 14, "other-theft": 14, "shoplifting": 0},
    "POLICE STATION": {"": 0},
}
# Landmarks of a ward by its kind; the high street is long.
STANDING: dict[str, list[str]] = {
    "hub": [*["HIGH STREET"] * 8, "MARKET PLACE", "RAILWAY STATION", "BUS STATION", "SUPERSTORE", "RECREATION GROUND"],
    "centre": [*["HIGH STREET"] * 5, "MARKET PLACE", "RAILWAY STATION", "RECREATION GROUND"],
    "market": [*["HIGH STREET"] * 3, "MARKET PLACE", "RECREATION GROUND"],
    "inner": ["RECREATION GROUND", "SUPERSTORE"],
    "estate": ["RECREATION GROUND", "SUPERSTORE"],
    "suburb": ["RECREATION GROUND"],
    "village": [],
}
# Landmarks that a town has once: ward name -> what stands there.
SINGLE = {"Priory": "HOSPITAL", "Victoria": "POLICE STATION"}


@dataclass(frozen=True)
class Places:
    """Points in EPSG:27700 metres, ordered by ward, after them the points outside the county."""

    x: IntArray
    y: IntArray
    ward: IntArray  # position in the list of wards; the number of wards for those outside
    weight: IntArray  # (places, types): how much of what happens there, against the ward's other places
    label: list[str]

    def standing(self, landmark: str) -> int:
        """Return the place of the county's only `landmark`."""
        return next(n for n, label in enumerate(self.label) if label.startswith(landmark))

    def near(self, place: int, *, number: int, within: IntArray) -> IntArray:
        """Return the `number` places nearest to `place` in the wards at the positions `within`."""
        far = (self.x - self.x[place]) ** 2 + (self.y - self.y[place]) ** 2
        candidates = np.flatnonzero(np.isin(self.ward, within))
        return candidates[np.argsort(far[candidates], kind="stable")[:number]]


def lay_out(county: County, wards: list[Ward], *, seed: int) -> Places:
    """Lay out the places of `wards`, and some elsewhere in Great Britain."""
    points, ward, weight, labels = [], [], [], []
    for number, each in enumerate(wards):
        for parish in sorted(each.cells):
            chance = Chance(seed, 3, parish)
            found = _street_points(county, parish, in_town=each.town >= 0, chance=chance)
            points.append(found)
            ward += [number] * len(found)
            weight.append(_street_weights(len(found), chance=chance))
            labels += _streets(len(found), _settlement(each, chance=chance), chance=chance)
        _stand(each, weight[-1], labels, chance=Chance(seed, 4, number))
    outside = _outside(county, wards, chance=Chance(seed, 5))
    points.append(outside)
    x, y = np.concatenate(points).T
    weight.append(np.ones((len(outside), len(TYPES)), dtype=np.int64))
    labels += ["OUTSIDE FORCE AREA"] * len(outside)
    return Places(x, y, np.array(ward + [len(wards)] * len(outside)), np.concatenate(weight), labels)


def _street_points(county: County, parish: int, *, in_town: bool, chance: Chance) -> IntArray:
    """Return points of one parish: all over it in a town, mostly in the village in the country."""
    shape = county.shape([parish])
    number = TOWN_POINTS if in_town else VILLAGE_POINTS
    tries = 8 * number
    # The sum of two even draws is dense in the middle.
    around = (chance.uniform(4 * tries) * 2 - 1).reshape(2, tries, 2).sum(axis=0)
    reach = np.where(chance.chosen(0.0 if in_town else 0.75, size=tries), 260, 700 if in_town else 1500)
    points = np.array(county.cells.middles[parish]) + np.floor(around * reach[:, None]).astype(np.int64)
    inside: BoolArray = shapely.contains_xy(shape, points[:, 0], points[:, 1])
    found: IntArray = points[inside][:number]
    return found


def _street_weights(number: int, *, chance: Chance) -> IntArray:
    """A few street points see much more than most."""
    weight = np.floor(100 / (0.15 + chance.uniform(number))).astype(np.int64)
    return np.repeat(weight[:, None], len(TYPES), axis=1)


def _streets(number: int, settlement: str, *, chance: Chance) -> list[str]:
    first = chance.whole(0, len(STREET_FIRST) - 1, size=number)
    last = chance.whole(0, len(STREET_LAST) - 1, size=number)
    return [f"{STREET_FIRST[a]} {STREET_LAST[b]}, {settlement}".upper() for a, b in zip(first, last, strict=True)]


def _settlement(ward: Ward, *, chance: Chance) -> str:
    if ward.town >= 0:
        return TOWNS[ward.town].name
    (first,), (last,) = (chance.whole(0, len(part) - 1, size=1) for part in (VILLAGE_FIRST, VILLAGE_LAST))
    return VILLAGE_FIRST[first] + VILLAGE_LAST[last]


def _stand(ward: Ward, weight: IntArray, labels: list[str], *, chance: Chance) -> None:
    """Turn some of the street points of a ward's last parish into its landmarks."""
    standing = [*STANDING[ward.kind], *([SINGLE[ward.name]] if ward.name in SINGLE else [])]
    points = np.argsort(chance.uniform(len(weight)), kind="stable")
    for point, landmark in zip(points, standing, strict=False):
        more = LANDMARKS[landmark]
        weight[point] = [150 * more.get(spec.id, more[""]) for spec in TYPES]
        at = len(labels) - len(weight) + int(point)
        labels[at] = f"{landmark}, {labels[at].split(', ')[1]}"


def _outside(county: County, wards: list[Ward], *, chance: Chance) -> IntArray:
    """Return points within 80 km of the county's corner, on land, that no ward covers."""
    points = np.array(CORNER_M) + chance.whole(-50_000, 90_000, size=40 * OUTSIDE_POINTS).reshape(-1, 2)
    county_shape = county.shape(cell for ward in wards for cell in ward.cells)
    inside: BoolArray = shapely.contains_xy(county_shape, points[:, 0], points[:, 1])
    return points[~inside][:OUTSIDE_POINTS]
