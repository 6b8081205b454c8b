"""What a rate stands on: incidents of the months that are there whole, and what they are divided by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mapping.denominators import FURTHEST_YEARS, KINDS
from mapping.measures.base import Option
from mapping.measures.words import Subject
from mapping.statistics.rates import rate_a_year

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mapping.denominators import Divisor, Kind
    from mapping.measures.base import Figures, View

__all__ = ["PER", "Base", "read_base"]

PER = Option(
    "per",
    "Per",
    tuple(KINDS),
    labels=tuple(kind.many if kind.scale == 1 else kind.name.lower() for kind in KINDS.values()),
    denominators=True,
)
"""What a rate is per."""


@dataclass(frozen=True, slots=True)
class Base:
    """For each area its incidents, how long they were counted, and what they are divided by.

    `counted` are those of the `months` that were supplied whole (`whole`: shape (areas, months)), `number` what they are
    divided by; `known` tells the areas that have a rate, `estimated` says of which incidents were apportioned.
    """

    kind: Kind
    divisor: Divisor | None
    number: NDArray[np.float64]
    whole: NDArray[np.bool_]
    months: NDArray[np.int64]
    counted: NDArray[np.float64]
    known: NDArray[np.bool_]
    subject: Subject
    estimated: tuple[str, ...]

    def a_year(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Counts of the areas that have a rate, as rates a year; NaN for the others."""
        rates = np.full(len(self.known), np.nan)
        if self.known.any():
            at = self.known
            rates[at] = rate_a_year(counts[at], self.number[at], months=self.months[at], per=self.kind.scale)
        return rates

    @property
    def exposure(self) -> NDArray[np.float64]:
        """What is exposed, for so long: the number times the years of the months that are there."""
        exposed: NDArray[np.float64] = self.number * self.months / 12
        return exposed

    def status(self, view: View, i: int) -> str:
        """Why an area has no rate, or what its rate is."""
        if not self.months[i]:
            return "not-supplied"
        if not self.known[i]:
            return "no-denominator"
        if self.months[i] < len(view.period):
            return "partial"
        return "estimated" if (self.divisor and self.divisor.estimated) or self.estimated[i] else "ok"

    def why_none(self, view: View, i: int, what: str) -> str:
        """A sentence on why an area has none of `what`, from its verb on."""
        if not self.months[i]:
            several = len(view.groups[view.group_of_area[i]].streams) > 1
            one = " Ask for one source to see what it supplied." if several else ""
            missing = self.subject.missing[i]
            return f"no {what} for {self.subject.what[i]}: no month is there whole.{missing}{one}"
        return f"no {what} for {self.subject.what[i]}: {self._why_no_number(view, float(self.number[i]))}."

    def _why_no_number(self, view: View, number: float) -> str:
        kind, divisor = self.kind, self.divisor
        if divisor and np.isnan(number):
            return f"there is no figure of {kind.name.lower()}{divisor.words} for it"
        if divisor:
            return f"only {number:.4g} {kind.many}{divisor.words}, less than {kind.fewest:g}"
        known = f"no figures of {kind.name.lower()}"
        if view.denominators.has(kind.id):
            return f"{known} within {FURTHEST_YEARS} years of {view.period.words} are loaded"
        return f"{known} are loaded; `wardwatch load population FILE --what {kind.id}` loads them"

    def written(self, i: int) -> str:
        """The number that an area's rate is per."""
        return f"{self.number[i]:,.2f}" if self.kind.scale == 1 else f"{self.number[i]:,.0f}"

    def people(self, i: int) -> str:
        """The same with what it is a number of, and of when."""
        return f"{self.written(i)} {self.kind.many}{self.divisor.words if self.divisor else ''}"

    def ending(self, i: int) -> str:
        """Sentences on the months a figure is of where some are missing, on what was apportioned, on what is not there."""
        months = self.whole.shape[1]
        gaps = f" Worked out over the {self.months[i]} of {months} months that were supplied whole."
        return f"{gaps if self.months[i] < months else ''}{self.estimated[i]}{self.subject.missing[i]}"

    def cite(self, figures: Figures) -> Figures:
        """Figures with where what they are divided by is from, and what must be printed for it."""
        if self.divisor is None:
            return figures
        return replace(figures, denominator=self.divisor.source, attribution=(*self.divisor.attribution, *figures.attribution))


def read_base(view: View, *, without_default_places: bool = False) -> Base:
    """What rates of a view stand on; figures of where things cluster leave out what is at default locations."""
    kind, n = KINDS[view.options["per"]], len(view.areas)
    whole = view.supplied(view.period)
    months = whole.sum(axis=1)
    divisor = view.denominators.divisor(kind.id, view.period)
    number = view.summed(divisor.value) if divisor else np.full(n, np.nan)
    observed = view.observed(view.period, without_default_places=without_default_places)
    return Base(
        kind=kind,
        divisor=divisor,
        number=number,
        whole=whole,
        months=months,
        counted=np.where(whole, observed, 0).sum(axis=1).astype(float),
        known=(np.nan_to_num(number) >= kind.fewest) & (months > 0),
        subject=Subject.of(view, [view.period]),
        estimated=tuple(view.estimated_words(view.period, among=whole)),
    )
