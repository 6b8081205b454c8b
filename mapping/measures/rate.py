"""Incidents a year for every 1,000 residents, or households, people there on a working day, premises; or for a km²."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mapping.denominators import FURTHEST_YEARS, KINDS
from mapping.measures.base import Figures, Measure, Option
from mapping.measures.where import NEARNESS, look_where
from mapping.statistics.rates import poisson_interval, rate_a_year

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mapping.denominators import Divisor, Kind
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
    kind, n = KINDS[view.options["per"]], len(view.areas)
    whole = view.supplied(view.period)
    months = whole.sum(axis=1)
    missing = view.missing_words(view.period)
    what = f"{view.crime_type_name[:1].lower()}{view.crime_type_name[1:]}, {view.period.words}"
    value, low, high = (np.full(n, np.nan) for _ in range(3))
    divisor = view.denominators.divisor(kind.id, view.period)
    number = view.summed(divisor.value) if divisor else np.full(n, np.nan)
    known = (np.nan_to_num(number) >= kind.fewest) & (months > 0)
    counted = np.where(whole, view.observed(view.period), 0).sum(axis=1)
    least, most = poisson_interval(counted[known])
    for rates, counts in ((value, counted[known]), (low, least), (high, most)):
        rates[known] = rate_a_year(counts, number[known], months=months[known], per=kind.scale)
    standing = _standing(view, divisor, counted / np.maximum(months, 1), known) if divisor else [""] * n
    where = look_where(view, whole)
    one_more = np.full(n, np.nan)
    one_more[known] = rate_a_year(np.ones(int(known.sum())), number[known], months=months[known], per=kind.scale)
    near = where.near(counted.astype(float), scale=one_more)
    estimated = view.estimated_words(view.period, among=whole)
    status, sentences = [], []
    for i, area in enumerate(view.areas):
        if not months[i]:
            status.append("not-supplied")
            several = len(view.groups[view.group_of_area[i]].streams) > 1
            one = " Ask for one source to see what it supplied." if several else ""
            sentences.append(f"{area.name}: no rate for {what}: no month is there whole.{missing[i]}{one}")
        elif divisor and known[i]:
            gaps = months[i] < len(view.period)
            status.append("partial" if gaps else "estimated" if divisor.estimated or estimated[i] else "ok")
            over = f" Worked out over the {months[i]} of {len(view.period)} months that were supplied whole." if gaps else ""
            of_places = (near.words(i, of="its incidents", write=MEASURE.format) if near else "") + where.default_words(
                i, of="its incidents"
            )
            sentences.append(
                f"{area.name}: {value[i]:,.1f} per {kind.unit} a year (could be {low[i]:,.1f} to {high[i]:,.1f}; {what}; "
                f"{_written(kind, number[i])} {kind.many}{divisor.words}).{_NOTES.get(kind.id, '')}{standing[i]}"
                f"{of_places}{over}{estimated[i]}{missing[i]}"
            )
        else:
            status.append("no-denominator")
            sentences.append(f"{area.name}: no rate: {_why_none(view, kind, divisor, float(number[i]))}.")
    figures = Figures(value, low, high, status, [""] * n, sentences, near=near)
    return replace(figures, denominator=divisor.source, attribution=divisor.attribution) if divisor else figures


def _written(kind: Kind, number: float) -> str:
    return f"{number:,.2f}" if kind.scale == 1 else f"{number:,.0f}"


def _why_none(view: View, kind: Kind, divisor: Divisor | None, number: float) -> str:
    if divisor and np.isnan(number):
        return f"there is no figure of {kind.name.lower()}{divisor.words} for it"
    if divisor:
        return f"only {number:.4g} {kind.many}{divisor.words}, less than {kind.fewest:g}"
    known = f"no figures of {kind.name.lower()}"
    if view.denominators.has(kind.id):
        return f"{known} within {FURTHEST_YEARS} years of {view.period.words} are loaded"
    return f"{known} are loaded; `wardwatch load population FILE --what {kind.id}` loads them"


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
    needs=("population",),
    options=(
        Option(
            "per",
            "Per",
            tuple(KINDS),
            labels=tuple(kind.many if kind.scale == 1 else kind.name.lower() for kind in KINDS.values()),
            denominators=True,
        ),
        NEARNESS,
    ),
    chosen=_chosen,
)
