"""How many incidents were recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mapping.measures.base import CLASSES, NOT_SUPPLIED, SUPPLIED, Figures, Measure
from mapping.measures.where import NEARNESS, look_where
from mapping.measures.words import Subject
from mapping.statistics.rates import poisson_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mapping.measures.base import View
    from mapping.measures.where import Near, Where

__all__ = ["MEASURE"]


def _compute(view: View) -> Figures:
    codes = view.month_codes(view.period)
    known: NDArray[np.bool_] = np.any(codes > NOT_SUPPLIED, axis=1)
    whole: NDArray[np.bool_] = np.all(codes == SUPPLIED, axis=1)
    # Rows of a month that was not supplied, such as those that other months' files bring, are no figure of it.
    there = np.where(codes > NOT_SUPPLIED, view.observed(view.period), 0).sum(axis=1)
    observed = np.where(known, there, np.nan)
    low, high = np.full((2, len(observed)), np.nan)
    low[known], high[known] = poisson_interval(observed[known])
    where = look_where(view, codes > NOT_SUPPLIED)
    near = where.near(observed)
    estimated = view.estimated_words(view.period, among=codes > NOT_SUPPLIED)
    subject = Subject.of(view, [view.period])
    sentences = [
        f"{area.name}: {observed[i]:,.0f} recorded ({subject.what[i]}). Allowing for chance, its level is {low[i]:,.0f} to "
        f"{high[i]:,.0f}.{_of_places(where, near, i)}{estimated[i]}{subject.missing[i]}"
        if known[i]
        else f"{area.name}: no figure for {subject.what[i]}.{subject.missing[i]}"
        for i, area in enumerate(view.areas)
    ]
    given = ["estimated" if said else "ok" for said in estimated]
    status = ["not-supplied" if not known[i] else given[i] if whole[i] else "partial" for i in range(len(observed))]

    def working(i: int) -> str:
        return f"x = {observed[i]:,.0f}: chi2(0.025; 2x)/2 = {low[i]:,.4g}, chi2(0.975; 2x + 2)/2 = {high[i]:,.4g}"

    return Figures(observed, low, high, status, [""] * len(observed), sentences, near=near, working=working)


def _of_places(where: Where, near: Near | None, i: int) -> str:
    lines = near.words(i, of="them", write=MEASURE.format) if near else ""
    return lines + where.default_words(i, of="them")


MEASURE = Measure(
    id="count",
    name="Incidents",
    unit="incidents",
    legend="sequential",
    explanation="How many incidents were recorded in the period. Busy places have many incidents because many people are "
    "there: read it beside the rate.",
    formula="x, with the exact (Garwood) 95% interval of a Poisson count: chi2(0.025; 2x)/2 to chi2(0.975; 2x + 2)/2.",
    compute=_compute,
    format=lambda value: f"{value:,.0f}",
    whole=True,
    options=(NEARNESS, CLASSES),
)
