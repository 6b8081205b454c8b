"""Seven years of incidents: how many, where, when, and who recorded them."""

from dataclasses import dataclass

import numpy as np

from loaders.demo.chance import BoolArray, Chance, IntArray
from loaders.demo.county import County
from loaders.demo.model import TYPES, drawn, expected
from loaders.demo.places import Places, lay_out
from loaders.demo.stories import gathered, growth, piled_up
from loaders.demo.times import DAY, HABITS, LAST_DAY, lasted, started
from loaders.demo.wards import Ward

__all__ = ["Incidents", "imagine"]

# The habit of a type; in the centre of a town some happen at night.
USUAL = {
    "anti-social-behaviour": "evening", "bicycle-theft": "away", "burglary": "home", "criminal-damage-arson": "parked",
    "other-theft": "away", "shoplifting": "shops", "theft-from-the-person": "away", "vehicle-crime": "parked",
}  # fmt: skip
AT_NIGHT = {"drugs", "public-order", "robbery", "theft-from-the-person", "violent-crime"}

COUNCIL_SHARE = 0.22  # of anti-social behaviour
OUTSIDE, NOWHERE, AT_ZERO = 0.007, 0.014, 0.0015
# How many days later a crime is recorded: share in percent, at least, at most.
LATE = np.array([(72, 0, 0), (17, 1, 1), (9, 2, 6), (2, 7, 60)])


@dataclass(frozen=True)
class Incidents:
    """One entry for each incident, in the order of recording; all arrays of shape (rows,)."""

    kind: IntArray  # position in model.TYPES
    place: IntArray
    start: IntArray  # minutes since times.EPOCH
    end: IntArray
    recorded: IntArray  # days since times.EPOCH
    council: BoolArray
    nowhere: BoolArray  # no coordinates
    at_zero: BoolArray  # coordinates 0, 0


def imagine(county: County, wards: list[Ward], *, seed: int) -> tuple[Incidents, Places]:
    """Imagine the incidents of `wards` and the places they happen at."""
    places = lay_out(county, wards, seed=seed)
    residents = np.array([county.residents(ward, year=2022) for ward in wards])
    means = expected(residents, [ward.kind for ward in wards], chance=Chance(seed, 6))
    story = growth(wards)
    # What a story adds is not left to chance: it has the size it says.
    counts = drawn(means, chance=Chance(seed, 7)) + np.rint(means * (story - 1)).astype(np.int64)
    ward, kind, month = (np.repeat(axis.ravel(), counts.ravel()) for axis in np.indices(counts.shape))

    place = _placed(ward, kind, places, chance=Chance(seed, 8))
    extra = 1 - 1 / story[ward, kind, month]
    place = gathered(place, extra, kind, wards, places, chance=Chance(seed, 9))
    council = (kind == 0) & Chance(seed, 10).chosen(COUNCIL_SHARE, size=len(kind))
    piled = piled_up(place, wards, places, chance=Chance(seed, 11))
    place = np.where(council, place, piled)

    habit = _habits(wards)[ward, kind]
    start, end, recorded = _timed(habit, month, council, chance=Chance(seed, 12))
    chance = Chance(seed, 13)
    size = len(kind)
    away = np.flatnonzero(places.ward == len(wards))
    place = np.where(chance.chosen(OUTSIDE, size=size), away[chance.whole(0, len(away) - 1, size=size)], place)
    nowhere, at_zero = chance.chosen(NOWHERE, size=size), chance.chosen(AT_ZERO, size=size)
    order = np.lexsort((chance.uniform(size), recorded))
    incidents = Incidents(
        kind[order], place[order], start[order], end[order], recorded[order], council[order], nowhere[order], at_zero[order]
    )
    return incidents, places


def _placed(ward: IntArray, kind: IntArray, places: Places, *, chance: Chance) -> IntArray:
    """Draw the place of each incident among those of its ward, by their weight for its type."""
    first = np.searchsorted(places.ward, np.arange(places.ward.max() + 2))
    place = np.empty(len(ward), dtype=np.int64)
    for number in range(len(TYPES)):
        rows = np.flatnonzero(kind == number)
        ends = np.concatenate([[0], np.cumsum(places.weight[:, number])])
        low, high = ends[first[ward[rows]]], ends[first[ward[rows] + 1]]
        at = low + np.floor(chance.uniform(len(rows)) * (high - low)).astype(np.int64)
        place[rows] = np.searchsorted(ends, at, side="right") - 1
    return place


def _habits(wards: list[Ward]) -> IntArray:
    """Return the position in HABITS for each ward and type; shape (wards, types)."""
    names = list(HABITS)
    by_day = [names.index(USUAL.get(spec.id, "any")) for spec in TYPES]
    by_night = [names.index("night") if spec.id in AT_NIGHT else day for spec, day in zip(TYPES, by_day, strict=True)]
    return np.array([by_night if ward.kind in {"hub", "centre", "market"} else by_day for ward in wards])


def _timed(habit: IntArray, month: IntArray, council: BoolArray, *, chance: Chance) -> tuple[IntArray, IntArray, IntArray]:
    """Draw when each incident started, ended (minutes) and was recorded (days); a council records at once."""
    start = started(habit, month, chance=chance)
    end = start + np.where(council, 0, lasted(habit, chance=chance))
    shares, least, most = LATE.T
    delay = chance.pick(shares, size=len(habit))
    late = least[delay] + np.floor(chance.uniform(len(habit)) * (most - least + 1)[delay]).astype(np.int64)
    late = np.where(council | (end // DAY + late > LAST_DAY), 0, late)
    # The series ends on its last day: what would end later is moved a week back, so that its weekday stays.
    back = np.where(end // DAY > LAST_DAY, 7 * DAY, 0)
    return start - back, end - back, (end - back) // DAY + late
