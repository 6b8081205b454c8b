"""The rate of a small ward drawn towards those of others, as far as it could be chance."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mapping.denominators import KINDS
from mapping.measures.base import CLASSES, Figures, Measure, Option
from mapping.measures.per import PER, read_base
from mapping.measures.words import counted
from mapping.statistics.smoothing import neighbourhoods, smoothed_rates

if TYPE_CHECKING:
    from mapping.measures.base import View
    from mapping.measures.per import Base

__all__ = ["MEASURE", "smooth"]

NEIGHBOURS = "neighbours"


def smooth(view: View, base: Base, *, towards: str = "all") -> tuple[float, ...] | list[float]:
    """Smoothed rates a year of all areas, in the unit of the rate; NaN where there is none."""
    rates = np.full(len(view.areas), np.nan)
    at = np.flatnonzero(base.known)
    if len(at):
        among = None
        if towards == NEIGHBOURS and view.neighbours and view.by_ward:
            among = neighbourhoods(view.neighbours()[at][:, at])
        rates[at] = base.kind.scale * smoothed_rates(base.counted[at], base.exposure[at], among=among)
    return rates.tolist()


def _compute(view: View) -> Figures:
    base = read_base(view)
    kind, n = base.kind, len(view.areas)
    towards = view.options["towards"]
    value = np.array(smooth(view, base, towards=towards))
    raw = base.a_year(base.counted)
    whose = "its neighbours" if towards == NEIGHBOURS else "all wards"
    status, sentences = [], []
    for i, area in enumerate(view.areas):
        status.append(base.status(view, i))
        if base.known[i]:
            sentences.append(
                f"{area.name}: {value[i]:,.1f} per {kind.unit} a year, adjusted for small numbers towards {whose}; the raw "
                f"figure is {raw[i]:,.1f} ({counted(base.counted[i])} recorded; {base.subject.what[i]}; "
                f"{base.people(i)}).{base.ending(i)}"
            )
        else:
            sentences.append(f"{area.name}: {base.why_none(view, i, 'rate')}")
    nothing = np.full(n, np.nan)

    def working(i: int) -> str:
        return f"{raw[i]:,.4g} drawn towards the mean of {whose}: {value[i]:,.4g}"

    figures = Figures(value, nothing, nothing.copy(), status, [""] * n, sentences, working=working)
    return base.cite(figures)


def _chosen(measure: Measure, options: dict[str, str]) -> Measure:
    unit = KINDS[options["per"]].unit
    return replace(measure, name=f"Smoothed rate per {unit}", unit=f"per {unit} a year")


MEASURE = Measure(
    id="smoothed-rate",
    name="Smoothed rate",
    unit="per 1,000 residents a year",
    legend="sequential",
    explanation="The rate, adjusted for small numbers: where few live, a handful of incidents more or less makes the raw rate "
    "highest or lowest of all, by chance. Each ward is drawn towards the mean, the more the fewer it has. A map of it shows "
    "the underlying level; a true spike of one small ward it hides, so no alarm is ever taken from it.",
    formula="Empirical Bayes (Marshall 1991): b = sum O / sum N; s2 = sum N (r - b)^2 / sum N; a = max(0, s2 - b / mean N); "
    "r~ = b + a / (a + b / N) (r - b), over all wards, or over a ward and its neighbours; O and N as for the rate.",
    compute=_compute,
    format=lambda value: f"{value:,.1f}",
    decimals=1,
    needs=("population",),
    options=(
        PER,
        Option("towards", "Smoothed towards", ("all", NEIGHBOURS), labels=("All wards", "Neighbouring wards")),
        CLASSES,
    ),
    chosen=_chosen,
    interval="",
)
