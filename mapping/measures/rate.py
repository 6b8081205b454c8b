"""Incidents a year for every 1,000 residents, or households, people there on a working day, premises; or for a km²."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mapping.denominators import KINDS
from mapping.measures.base import CLASSES, Figures, Measure
from mapping.measures.per import PER, read_base
from mapping.measures.where import NEARNESS, look_where
from mapping.measures.words import counted
from mapping.statistics.rates import poisson_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mapping.denominators import Divisor
    from mapping.measures.base import View

__all__ = ["MEASURE"]

_COMPARED = ("workday", "premises", "households", "area")
"""What a ward's standing per resident is held against: the first of these that is known."""

_EXPLANATIONS = {
    "residents": "Recorded incidents for every 1,000 residents, as if the period were a year long. Wards of different size can "
    "be compared; town centres have more visitors than residents, and their rate is high for that reason.",
    "households": "Recorded incidents for every 1,000 households, as if the period were a year long: for burglary of homes, "
    "where what is at risk is the home and not the person.",
    "workday": "Recorded incidents for every 1,000 of the workday population, as if the period were a year long: people in "
    "work are counted where they work, all others where they live. Shoppers, travellers and evening visitors are not in it.",
    "area": "Recorded incidents on every km² of land, as if the period were a year long: where much happens close together. It "
    "says nothing of how many people are there.",
    "premises": "Recorded incidents for every 1,000 premises, as if the period were a year long: for what happens to shops, "
    "offices and homes alike.",
}
_NOTES = {"residents": " People who visit or work there are not residents."}


def _compute(view: View) -> Figures:
    base = read_base(view)
    kind, divisor, n = base.kind, base.divisor, len(view.areas)
    low, high = poisson_interval(base.counted)
    value, low, high = base.a_year(base.counted), base.a_year(low), base.a_year(high)
    standing = _standing(view, divisor, base.counted / np.maximum(base.months, 1), base.known) if divisor else [""] * n
    where = look_where(view, base.whole)
    near = where.near(base.counted, scale=base.a_year(np.ones(n)))
    status, sentences = [], []
    for i, area in enumerate(view.areas):
        status.append(base.status(view, i))
        if base.known[i]:
            of_places = (near.words(i, of="its incidents", write=MEASURE.format) if near else "") + where.default_words(
                i, of="its incidents"
            )
            sentences.append(
                f"{area.name}: {value[i]:,.1f} per {kind.unit} a year (could be {low[i]:,.1f} to {high[i]:,.1f}; "
                f"{base.subject.what[i]}; {base.people(i)})."
                f"{_NOTES.get(kind.id, '')}{standing[i]}{of_places}{base.ending(i)}"
            )
        else:
            sentences.append(f"{area.name}: {base.why_none(view, i, 'rate')}")

    def working(i: int) -> str:
        divided = f"{base.months[i]} x {base.written(i)}"
        return f"{kind.scale:,} x {counted(base.counted[i])} x 12 / ({divided}) = {value[i]:,.4g}"

    figures = Figures(value, low, high, status, [""] * n, sentences, near=near, working=working)
    return base.cite(figures)


def _standing(view: View, divisor: Divisor, counted: NDArray[np.float64], known: NDArray[np.bool_]) -> list[str]:
    """A clause for each ward that is among the highest fifth by one denominator and not by another; else nothing.

    Parameters
    ----------
    counted
        Incidents of each area, over equally long times.
    known
        Which areas have a rate.
    """
    kind, said = divisor.kind, [""] * len(view.areas)
    others = _COMPARED if kind.id == "residents" else ("residents",)
    other = next((found for o in others if (found := view.denominators.divisor(o, view.period))), None)
    if other is None or not view.by_ward:
        return said
    both = np.flatnonzero(known & (np.nan_to_num(other.value) >= other.kind.fewest))
    here, there = (_highest_fifth(counted[both] / each.value[both]) for each in (divisor, other))
    for i in np.flatnonzero(here != there):
        fifth = "among the highest fifth of wards"
        said[both[i]] = (
            f" It is {fifth} per {kind.one}, but not per {other.kind.one}."
            if here[i]
            else f" It is not {fifth} per {kind.one}, but is per {other.kind.one}."
        )
    return said


def _highest_fifth(rates: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which rates are so high that no more than a fifth of all are as high: wards that tie are all in it, or none."""
    as_high = len(rates) - np.searchsorted(np.sort(rates), rates, side="left")
    return 5 * as_high <= len(rates)


def _chosen(measure: Measure, options: dict[str, str]) -> Measure:
    kind = KINDS[options["per"]]
    name, unit = f"Rate per {kind.unit}", f"per {kind.unit} a year"
    return replace(measure, name=name, unit=unit, explanation=_EXPLANATIONS[kind.id])


MEASURE = Measure(
    id="rate",
    name="Rate",
    unit="per 1,000 residents a year",
    legend="sequential",
    explanation=_EXPLANATIONS["residents"],
    formula="1000 x * 12 / (m N): x incidents in the m months that every source sending the type supplied, N residents (or "
    "households, workday population, premises) in the year nearest the period: that year's, or between the nearest years "
    "given on both sides of it, interpolated and marked estimated, else of a year at most two off. No rate under 200. Per "
    "km²: 12 x / (m A), A the area of the ward's own shape, no rate under 0.01 km². The 95% interval is the exact (Garwood) "
    "interval of x on the same scale.",
    compute=_compute,
    format=lambda value: f"{value:,.1f}",
    decimals=1,
    needs=("population",),
    options=(PER, NEARNESS, CLASSES),
    chosen=_chosen,
)
