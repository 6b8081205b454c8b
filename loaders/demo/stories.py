"""What is planted in the demo county, for later features to find."""

from dataclasses import dataclass

import numpy as np

from loaders.demo.chance import Chance, FloatArray, IntArray
from loaders.demo.model import FIRST_YEAR, MONTHS, TYPES
from loaders.demo.places import Places
from loaders.demo.wards import Ward

__all__ = ["STORIES", "Story", "gathered", "growth", "piled_up"]


@dataclass(frozen=True)
class Story:
    """One planted story."""

    kind: str
    wards: tuple[str, ...]  # codes of demo25; demo21 has the same wards under the same codes
    crime_type: str  # an id, or `all`
    first: str  # month, YYYY-MM
    last: str
    size: float
    words: str

    @property
    def months(self) -> slice:
        """Its months, counted from the first of the series."""
        start, end = (12 * (int(month[:4]) - FIRST_YEAR) + int(month[5:]) - 1 for month in (self.first, self.last))
        return slice(start, end + 1)


RISING = Story(
    "rising-hot-spot", ("X05000028", "X05000018", "X05000022"), "anti-social-behaviour", "2024-07", "2025-12", 2.5,
    "Anti-social behaviour in Wharfside, Foundry and Parklands (Kelsworth) rises month by month to 2.5 times the "
    "usual, around the recreation ground of Wharfside.",
)  # fmt: skip
SERIES = Story(
    "burglary-series", ("X05000051",), "burglary", "2025-09", "2025-11", 4.0,
    "Burglaries in Tolsham Abbey are 4 times the usual for three months, three in four of them at a few places "
    "close together.",
)  # fmt: skip
PILE_UP = Story(
    "station-pile-up", ("X05000027",), "all", "2019-01", "2025-12", 0.03,
    "Of the police incidents of the Kelsworth district 3 in 100, of every type, are recorded at the police station in "
    "Victoria: its default location, not where they happened.",
)  # fmt: skip
STORIES = (RISING, SERIES, PILE_UP)

# How many places of a ward a story gathers at.
GATHER_AT = {RISING.kind: 6, SERIES.kind: 8}


def growth(wards: list[Ward]) -> FloatArray:
    """Return by how much the stories multiply what is expected; shape (wards, types, months)."""
    factor = np.ones((len(wards), len(TYPES), MONTHS))
    for story in (RISING, SERIES):
        length = story.months.stop - story.months.start
        rise = np.arange(1, length + 1) / length if story is RISING else np.ones(length)
        for ward in _positions(story, wards):
            factor[ward, _kind(story), story.months] = 1 + (story.size - 1) * rise
    return factor


def gathered(
    place: IntArray, extra: FloatArray, kind: IntArray, wards: list[Ward], places: Places, *, chance: Chance
) -> IntArray:
    """Move what the stories add to where they happen.

    Parameters
    ----------
    place, kind
        Of each incident: its place, the position of its type; shape (rows,).
    extra
        The chance that an incident was added by a story; shape (rows,).
    """
    moved = place.copy()
    added = chance.uniform(len(place)) < extra
    for story in (RISING, SERIES):
        positions = _positions(story, wards)
        heart = _heart(story, positions, places)
        for ward in positions:
            rows = np.flatnonzero(added & (places.ward[place] == ward) & (kind == _kind(story)))
            scene = places.near(heart, number=GATHER_AT[story.kind], within=np.array([ward]))
            moved[rows] = scene[chance.whole(0, len(scene) - 1, size=len(rows))]
    return moved


def piled_up(place: IntArray, wards: list[Ward], places: Places, *, chance: Chance) -> IntArray:
    """Record some of a district's incidents at its police station."""
    station = places.standing("POLICE STATION")
    district = np.array([*(ward.district for ward in wards), -1])
    here = district[places.ward[place]] == district[places.ward[station]]
    return np.where(here & chance.chosen(PILE_UP.size, size=len(place)), station, place)


def _heart(story: Story, positions: list[int], places: Places) -> int:
    """Return the place a story happens around: a recreation ground, or for burglaries any street."""
    wanted = "RECREATION GROUND" if story is RISING else ""
    return next(n for n in np.flatnonzero(places.ward == positions[0]).tolist() if places.label[n].startswith(wanted))


def _positions(story: Story, wards: list[Ward]) -> list[int]:
    codes = [ward.code for ward in wards]
    return [codes.index(code) for code in story.wards]


def _kind(story: Story) -> int:
    return [spec.id for spec in TYPES].index(story.crime_type)
