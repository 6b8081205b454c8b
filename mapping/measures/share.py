"""Which crime types a ward has more of than others, as a share of all its incidents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mapping.classes import LegendClass
from mapping.measures.base import Figures, Measure
from mapping.measures.words import Subject, counted, times
from mapping.statistics.rates import location_quotient

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mapping.measures.base import View

__all__ = ["FEW", "MEASURE"]

FEW = 5
"""Where both what is counted and what the county's share would give are fewer, a share is chance."""


def _compute(view: View) -> Figures:
    every = view.of_every_type() if view.of_every_type else view
    n = len(view.areas)
    # Both the type and all types must be there: a month in which one source failed has another mix.
    whole = view.supplied(view.period) & every.supplied(view.period)
    x, total = (np.where(whole, seen.observed(view.period), 0).sum(axis=1).astype(float) for seen in (view, every))
    wards, all_wards = view.ward_view, every.ward_view
    there = wards.supplied(view.period) & all_wards.supplied(view.period)
    of_all, all_of_all = (float(np.where(there, seen.observed(view.period), 0).sum()) for seen in (wards, all_wards))
    everything = set(view.crime_types) >= set(every.crime_types)
    value = _quotients(x, total, of_all, all_of_all)
    expected = total * of_all / all_of_all if all_of_all else np.zeros(n)
    known: NDArray[np.bool_] = np.any(whole, axis=1)
    few = (x < FEW) & (expected < FEW)
    subject = Subject.of(view, [view.period])
    estimated = view.estimated_words(view.period, among=whole)
    status, sentences = [], []
    for i, area in enumerate(view.areas):
        here = f"{counted(x[i])} of {counted(total[i])} incidents here"
        if everything:
            status.append("not-applicable")
            sentences.append(f"{area.name}: no share: these are all incidents; choose a type ({subject.what[i]}).")
        elif not known[i]:
            status.append("not-supplied")
            sentences.append(f"{area.name}: no share ({subject.what[i]}).{subject.missing[i]}")
        elif few[i] or np.isnan(value[i]):
            status.append("too-few")
            sentences.append(f"{area.name}: too few to judge: {here} ({subject.what[i]}).{subject.missing[i]}")
        else:
            gaps = whole[i].sum() < len(view.period)
            status.append("partial" if gaps else "estimated" if estimated[i] else "ok")
            here = f"{here} ({100 * x[i] / total[i]:.1f}%)"
            there_ = f"{100 * of_all / all_of_all:.1f}% in all wards"
            sentences.append(
                f"{area.name}: {here}, {there_}: {times(value[i])} times that share ({subject.what[i]}). A share rises when "
                f"other types fall.{estimated[i]}{subject.missing[i]}"
            )
    shown = np.array([s in {"ok", "partial", "estimated"} for s in status], dtype=bool)
    none = np.full(n, np.nan)

    def working(i: int) -> str:
        here = f"({counted(x[i])} / {counted(total[i])})"
        return f"{here} / ({counted(of_all)} / {counted(all_of_all)}) = {value[i]:.4g}"

    return Figures(np.where(shown, value, np.nan), none, none.copy(), status, [""] * n, sentences, working=working)


def _quotients(x: NDArray[np.float64], total: NDArray[np.float64], of_all: float, all_of_all: float) -> NDArray[np.float64]:
    """Location quotients of areas against all wards, each a table of two by two."""
    tables = np.empty((len(x), 2, 2))
    tables[:, 0, 0], tables[:, 0, 1] = x, total - x
    tables[:, 1, 0], tables[:, 1, 1] = of_all - x, (all_of_all - of_all) - (total - x)
    return location_quotient(np.maximum(tables, 0))[:, 0, 0]


MEASURE = Measure(
    id="share",
    name="Share of all incidents",
    unit="times the share in all wards",
    legend="diverging",
    explanation="How much of all that is recorded in the ward is of the chosen type, beside how much of it is in all wards "
    "together (the location quotient): 2 means twice the share. It tells what a ward is about, not how much happens there, "
    "and it rises when other types fall.",
    formula="(O_ik / O_i.) / (O_.k / O_..): of ward i and type k, a dot standing for all; over the months in which every "
    "source sent both the type and all types. Not given where both O_ik and what the share of all wards would give are under "
    "5.",
    compute=_compute,
    format=lambda value: f"{value:,.2f}",
    decimals=2,
    needs=("a crime type",),
    classes=(
        LegendClass("", "At least twice the share", 2, None, "#b35806"),
        LegendClass("", "1.25 to 2 times the share", 1.25, 2, "#fdb863"),
        LegendClass("", "About the same share", 0.8, 1.25, "#f7f7f7"),
        LegendClass("", "0.5 to 0.8 times the share", 0.5, 0.8, "#b2abd2"),
        LegendClass("", "Less than half the share", None, 0.5, "#542788"),
    ),
    interval="",
)
