"""How many incidents were recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mapping.measures.base import Figures, Measure
from mapping.statistics import poisson_interval

if TYPE_CHECKING:
    from mapping.measures.base import View

__all__ = ["MEASURE"]


def _compute(view: View) -> Figures:
    observed = view.observed(view.period).sum(axis=1).astype(float)
    statuses = {view.month_status(month) for month in view.period}
    status = statuses.pop() if len(statuses) == 1 else "partial"
    missing = view.missing_words(view.period)
    what = f"{view.crime_type_name[:1].lower()}{view.crime_type_name[1:]}, {view.period.words}"
    if status == "not-supplied":
        nothing = np.full(len(view.areas), np.nan)
        sentences = [f"{area.name}: no figure for {what}.{missing}" for area in view.areas]
        return Figures(nothing, nothing, nothing, [status] * len(view.areas), [""] * len(view.areas), sentences)
    low, high = poisson_interval(observed)
    sentences = [
        f"{area.name}: {x:,.0f} recorded ({what}). Allowing for chance, its level is {lo:,.0f} to {hi:,.0f}.{missing}"
        for area, x, lo, hi in zip(view.areas, observed, low, high, strict=True)
    ]
    given = "ok" if status == "supplied" else "partial"
    return Figures(observed, low, high, [given] * len(view.areas), [""] * len(view.areas), sentences)


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
)
