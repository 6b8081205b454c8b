"""What a measure is: a declaration, what it sees, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mapping.coverage import missing_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from scipy import sparse

    from mapping.breaks import Break
    from mapping.classes import LegendClass
    from mapping.counts import Counts
    from mapping.coverage import Coverage
    from mapping.denominators import Denominators
    from mapping.harm_weights import HarmWeights
    from mapping.measures.where import Near
    from mapping.nearness import Nearness
    from mapping.vocabulary import Month, Period
    from mapping.ward_groups import WardGroups

__all__ = [
    "ASKS",
    "CLASSES",
    "FOR_THESE",
    "NOT_SUPPLIED",
    "PARTIAL",
    "SUPPLIED",
    "Area",
    "Figures",
    "Measure",
    "Option",
    "View",
]

NOT_SUPPLIED, PARTIAL, SUPPLIED = 0, 1, 2
_NAMED = 3  # sources, up to which a sentence names them
_CODES = {"not-supplied": NOT_SUPPLIED, "partial": PARTIAL, "supplied": SUPPLIED}


@dataclass(frozen=True, slots=True)
class Area:
    """What a figure is given for: a ward, a district or a whole set."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Option:
    """A choice that a measure offers beyond the common parameters; the first value is the default.

    `labels` are what a screen calls the values, in their order. `denominators`: the values are kinds of denominator, of which
    some may not be loaded.
    """

    id: str
    name: str
    values: tuple[str, ...]
    labels: tuple[str, ...] = ()
    denominators: bool = False

    @property
    def labelled(self) -> list[tuple[str, str]]:
        """Each value and what it is called."""
        return list(zip(self.values, self.labels or self.values, strict=True))


ASKS = {"level": "How much", "change": "What has changed", "place": "Where, and beside whom"}
"""The questions that measures answer, as menus say them."""

FOR_THESE = "period"
CLASSES = Option("classes", "Classes", ("steady", FOR_THESE), labels=("Steady", "Of this period"))
"""Whether the ranges of a legend stay the same when the months change. Measures whose legend is sequential have it."""


@dataclass(frozen=True, slots=True)
class View:
    """All that a measure may look at. Arrays of areas are in the order of `areas`.

    `area_of_ward` gives for each ward the index of its area; `covered_wards` tells the wards that some source in view covers,
    the only ones that count. `coverage` is that of the streams that send the crime types in view, wherever; which of them
    cover an area is in `groups`, one for each combination of streams that some area has, and `group_of_area` gives its
    index. `denominators` are of wards. `nearness` works out which incidents lie near another area (None where points are
    exact, or areas are not single wards); `at_default` are those of `counts` that are at confirmed default locations, None
    where there are none. `source_names` and `type_names` name the sources and all crime types; `breaks` are the recording
    breaks of the types in view for each of `groups`. `of_wards_alone` and `of_every_type` give the same view ward by ward, and
    of all crime types; `neighbours`, `weights` and `ward_groups` what is known of the set's wards and of harm.
    """

    areas: tuple[Area, ...]
    area_of_ward: NDArray[np.int64]
    covered_wards: NDArray[np.bool_]
    crime_type_name: str
    crime_types: tuple[str, ...]
    period: Period
    counts: Counts
    coverage: Coverage
    groups: tuple[Coverage, ...]
    group_of_area: NDArray[np.int64]
    denominators: Denominators
    options: dict[str, str] = field(default_factory=dict)
    nearness: Callable[[], Nearness | None] = lambda: None
    at_default: Counts | None = None
    source_names: dict[str, str] = field(default_factory=dict)
    type_names: dict[str, str] = field(default_factory=dict)
    breaks: tuple[tuple[Break, ...], ...] = ()
    of_wards_alone: Callable[[], View] | None = None
    of_every_type: Callable[[], View] | None = None
    neighbours: Callable[[], sparse.csr_array] | None = None
    weights: Callable[[], HarmWeights | None] = lambda: None
    ward_groups: Callable[[], WardGroups | None] = lambda: None

    def observed(self, period: Period, *, without_default_places: bool = False) -> NDArray[Any]:
        """Incidents of the types in view in the wards that a source covers: shape (areas, months of the period).

        They are whole numbers, unless some were apportioned from counts of other areas.
        Figures of where things cluster leave out what is at a confirmed default location; counts keep it.
        """
        every = self.total_of(self.counts, period)
        if not without_default_places or self.at_default is None:
            return every
        left: NDArray[Any] = every - self.total_of(self.at_default, period)
        return left

    def estimated_words(self, period: Period, *, among: NDArray[np.bool_]) -> list[str]:
        """For each area a sentence on how many of its incidents were apportioned from counts of other areas, or nothing.

        Parameters
        ----------
        among
            Which months of the period count: shape (areas, months).
        """
        if self.counts.estimated is None:
            return [""] * len(self.areas)
        how: list[dict[str, None]] = [{} for _ in self.areas]
        sending = {(s.source, s.stream) for s in self.coverage.streams}
        months = list(period)
        for supply in self.counts.supplies:
            if supply.weighted_by and (supply.source, supply.stream) in sending:
                covered = np.array([month in supply.months for month in months])
                for area in {int(self.area_of_ward[ward]) for ward in supply.wards}:
                    if (among[area] & covered).any():
                        how[area][f"{supply.areas} by {supply.weighted_by.replace('-', ' ')}"] = None
        every = (replace(self.counts, values=self.counts.estimated), self.counts)
        part, whole = (np.where(among, self.total_of(counts, period), 0).sum(axis=1) for counts in every)
        return [
            f" Estimated: {part[i]:,.0f} of {whole[i]:,.0f} apportioned from {' and '.join(said)}." if said else ""
            for i, said in enumerate(how)
        ]

    def total_of(self, counts: Counts, period: Period) -> NDArray[Any]:
        """Counts of the set's wards as `observed` sums them."""
        by_ward = self.of_wards(counts, period)
        if self.by_ward:
            return by_ward
        summed = np.zeros((len(self.areas), len(period)), dtype=counts.values.dtype)
        np.add.at(summed, self.area_of_ward, by_ward)
        return summed

    def of_wards(self, counts: Counts, period: Period) -> NDArray[Any]:
        """Counts of the types in view in each ward, whatever the areas: shape (wards, months of the period)."""
        by_ward = np.zeros((len(counts.ward_codes), len(period)), dtype=counts.values.dtype)
        if not counts.months:
            return by_ward
        first, last = max(period.first, counts.months[0]), min(period.last, counts.months[-1])
        if first > last:
            return by_ward
        there = slice(first.index - counts.months[0].index, last.index - counts.months[0].index + 1)
        wanted = [i for i, t in enumerate(counts.crime_types) if t in self.crime_types]
        start = first.index - period.first.index
        by_ward[:, start : start + last.index - first.index + 1] = counts.values[:, there][:, :, wanted].sum(axis=2)
        # What strays into wards that no source covers is no figure of theirs, nor of a total that holds them.
        by_ward[~self.covered_wards] = 0
        return by_ward

    def summed(self, by_ward: NDArray[np.float64]) -> NDArray[np.float64]:
        """The sums of each area's covered wards: NaN where any of them has no figure."""
        summed = np.zeros(len(self.areas))
        np.add.at(summed, self.area_of_ward[self.covered_wards], by_ward[self.covered_wards])
        return summed

    @property
    def by_ward(self) -> bool:
        """Whether the areas are the wards themselves."""
        return tuple(area.code for area in self.areas) == self.counts.ward_codes

    def month_codes(self, period: Period) -> NDArray[np.int8]:
        """`SUPPLIED`, `PARTIAL` or `NOT_SUPPLIED`, from the streams that cover each area: shape (areas, months)."""
        by_group = np.array([[_CODES[group.status(month)] for month in period] for group in self.groups], dtype=np.int8)
        return by_group[self.group_of_area]

    def supplied(self, period: Period) -> NDArray[np.bool_]:
        """Whether each month of a period is there whole: shape (areas, months)."""
        whole: NDArray[np.bool_] = self.month_codes(period) == SUPPLIED
        return whole

    @property
    def ward_view(self) -> View:
        """The same ward by ward, whatever the areas."""
        return self if self.by_ward or self.of_wards_alone is None else self.of_wards_alone()

    @property
    def seen_types(self) -> frozenset[str]:
        """The crime types of which there was ever an incident."""
        return frozenset().union(*(stream.seen for stream in self.coverage.streams))

    def breaks_between(self, first: Month, last: Month) -> list[tuple[Break, ...]]:
        """For each area the recording breaks of a month after `first` and up to `last`: those that part the two."""
        by_group = [tuple(b for b in breaks if first < b.month <= last) for breaks in self.breaks]
        return [by_group[i] if by_group else () for i in self.group_of_area]

    def sources_words(self) -> list[str]:
        """For each area the names of the sources that its figures come from."""
        by_group = []
        for group in self.groups:
            ids = list(dict.fromkeys(stream.source for stream in group.counting))
            names = [self.source_names.get(source, source) for source in ids]
            by_group.append(" and ".join(names) if len(names) <= _NAMED else f"{len(names)} sources")
        return [by_group[i] or "no source" for i in self.group_of_area]

    def missing_words(self, period: Period) -> list[str]:
        """For each area a sentence on what is not there in the period, or nothing."""
        by_group = [self._missing_of(group, period) for group in self.groups]
        return [by_group[i] for i in self.group_of_area]

    def _missing_of(self, group: Coverage, period: Period) -> str:
        if not group.streams:
            return " No source in view covers it." if self.coverage.streams else " No source in view sends it."
        missing = missing_words(group.missing(period))
        return f" Not supplied: {missing}." if missing else ""


@dataclass(frozen=True, slots=True)
class Figures:
    """A measure's answer for each area: NaN where `status` gives no value; `classes` are ids that the legend lists.

    `low` and `high` may be infinite where there is no bound. `denominator` says what values were divided by and where that is
    from, `attribution` what must be printed for it. `near` says how far figures would move if incidents near the line belonged
    next door, where that is known. `family` is how many tests stood beside each other, `phi` how much more than Poisson counts
    were taken to vary. `working` gives the formula with an area's numbers in it, `against` the months that
    the period is held against. `notes` are sentences on all areas together. `perhaps` gives the class,
    by index, that areas in the quiet one would be in if none but they were looked at.
    """

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    status: list[str]
    classes: list[str]
    sentences: list[str]
    phi: float | None = None
    family: int | None = None
    denominator: str | None = None
    attribution: tuple[str, ...] = ()
    near: Near | None = None
    working: Callable[[int], str] | None = None
    against: str = ""
    notes: tuple[str, ...] = ()
    perhaps: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Measure:
    """The one declaration from which come the command line, the API, the menu, the legend, the table and the page of methods.

    `legend` is `sequential`, `diverging` (around nothing to tell) or `categorical`; of the last two `classes` are what the
    legend lists, and `quiet` is the id of the class in which there is nothing to tell. `interval` is what the range beside a
    value is called, empty where there is none; `partial` what the status of that name means. `asks` is one of `ASKS`, by which
    menus are ordered. `format` writes a value as the screen shows it, with `decimals`, so that classes are of figures as they
    are shown; `whole` says that values are whole numbers. `needs` says in words what must be loaded. `narrowed` gives the
    months that figures are of, where these are not all that are asked for. `chosen` gives the measure as it is under options
    that change its name, unit, classes or explanation.
    """

    id: str
    name: str
    unit: str
    legend: Literal["sequential", "diverging", "categorical"]
    explanation: str
    formula: str
    compute: Callable[[View], Figures]
    format: Callable[[float], str]
    whole: bool = False
    decimals: int = 0
    default_months: int = 12
    needs: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    chosen: Callable[[Measure, dict[str, str]], Measure] | None = None
    classes: tuple[LegendClass, ...] = ()
    quiet: str = ""
    partial: str = "some months not supplied"
    asks: str = "level"
    interval: str = "95% interval"
    narrowed: Callable[[Period, dict[str, str]], Period] | None = None

    def __post_init__(self) -> None:
        if self.asks not in ASKS:
            message = f"the measure {self.id} asks '{self.asks}'; it must be one of {', '.join(ASKS)}"
            raise ValueError(message)
