"""Incidents per 1,000 residents a year."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mapping.measures.base import Figures, Measure
from mapping.statistics import poisson_interval, rate_per_1000_a_year

if TYPE_CHECKING:
    from mapping.measures.base import View
    from mapping.vocabulary import Period

__all__ = ["FEWEST_RESIDENTS", "FURTHEST_YEARS", "MEASURE", "nearest_year"]

FEWEST_RESIDENTS = 200
"""Below this a rate says more about the denominator than about the ward."""

FURTHEST_YEARS = 2
"""How far from the period a population may be, in years."""


def nearest_year(years: list[int], period: Period) -> int | None:
    """The year nearest to the middle of the period, or None where none is within `FURTHEST_YEARS` of the period."""
    first, last = period.first.year, period.last.year
    near = [y for y in years if first - FURTHEST_YEARS <= y <= last + FURTHEST_YEARS]
    middle = (period.first.index + period.last.index + 1) / 24
    # A mid-year estimate is for 30 June; of two equally near the later is taken.
    return min(near, key=lambda y: (abs(y + 0.5 - middle), -y)) if near else None


def _compute(view: View) -> Figures:
    n = len(view.areas)
    whole = view.supplied(view.period)
    months = whole.sum(axis=1)
    missing = view.missing_words(view.period)
    what = f"{view.crime_type_name[:1].lower()}{view.crime_type_name[1:]}, {view.period.words}"
    year = nearest_year(sorted(view.residents), view.period)
    residents = view.residents_in(year) if year is not None else np.full(n, np.nan)
    value, low, high = (np.full(n, np.nan) for _ in range(3))
    known = (np.nan_to_num(residents) >= FEWEST_RESIDENTS) & (months > 0)
    counted = np.where(whole, view.observed(view.period), 0).sum(axis=1)[known]
    value[known] = rate_per_1000_a_year(counted, residents[known], months=months[known])
    least, most = poisson_interval(counted)
    low[known] = rate_per_1000_a_year(least, residents[known], months=months[known])
    high[known] = rate_per_1000_a_year(most, residents[known], months=months[known])
    status, sentences = [], []
    for i, area in enumerate(view.areas):
        if not months[i]:
            status.append("not-supplied")
            several = len(view.groups[view.group_of_area[i]].streams) > 1
            one = " Ask for one source to see what it supplied." if several else ""
            sentences.append(f"{area.name}: no rate for {what}: no month is there whole.{missing[i]}{one}")
        elif known[i]:
            gaps = months[i] < len(view.period)
            status.append("partial" if gaps else "ok")
            over = f" Worked out over the {months[i]} of {len(view.period)} months that were supplied whole." if gaps else ""
            sentences.append(
                f"{area.name}: {value[i]:,.1f} per 1,000 residents a year (could be {low[i]:,.1f} to {high[i]:,.1f}; {what}; "
                f"{residents[i]:,.0f} residents, mid-{year}). People who visit or work there are not residents.{over}"
                f"{missing[i]}"
            )
        else:
            status.append("no-denominator")
            sentences.append(f"{area.name}: no rate: {_why_none(float(residents[i]), year, view.period)}.")
    return Figures(value, low, high, status, [""] * n, sentences)


def _why_none(residents: float, year: int | None, period: Period) -> str:
    if year is None:
        return f"no population within {FURTHEST_YEARS} years of {period.words} is loaded"
    if np.isnan(residents):
        return f"the population of mid-{year} has no figure for it"
    return f"only {residents:,.0f} residents in mid-{year}, fewer than {FEWEST_RESIDENTS}"


MEASURE = Measure(
    id="rate",
    name="Rate per 1,000 residents",
    unit="per 1,000 residents a year",
    legend="sequential",
    explanation="Recorded incidents for every 1,000 residents, as if the period were a year long. Wards of different size can "
    "be compared; town centres have more visitors than residents, and their rate is high for that reason.",
    formula="1000 x * 12 / (m N): x incidents in the m months that every source sending the type supplied, N residents in "
    "the mid-year nearest the period (at most two years off; no rate under 200). The 95% interval is the exact (Garwood) "
    "interval of x on the same scale.",
    compute=_compute,
    format=lambda value: f"{value:,.1f}",
    needs=("population",),
)
