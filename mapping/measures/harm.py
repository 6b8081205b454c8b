"""Incidents weighted by the harm of their type, for every 1,000 residents a year."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mapping.measures.base import CLASSES, Figures, Measure
from mapping.measures.per import PER, read_base
from mapping.measures.words import Subject, counted
from mapping.statistics.harm import weighted_total
from mapping.statistics.rates import poisson_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mapping.harm_weights import HarmWeights
    from mapping.measures.base import View

__all__ = ["MEASURE"]


def _compute(view: View) -> Figures:
    found = view.weights()
    weighed = [t for t in view.crime_types if found and t in found.weights]
    if found is None or not weighed:
        return _none(view, found)
    base = read_base(view)
    n, weights = len(view.areas), np.array([found.weights[t] for t in weighed])
    counts = np.stack(
        [np.where(base.whole, replace(view, crime_types=(t,)).observed(view.period), 0).sum(axis=1) for t in weighed], axis=1
    ).astype(float)
    total, low, high = weighted_total(counts, weights)
    # Where nothing was counted the variance of nothing says nothing: as many as a count of 0 is compatible with, of the mix of
    # all areas.
    mix = counts.sum(axis=0)
    usual = float(mix @ weights / mix.sum()) if mix.sum() else float(weights.mean())
    high = np.where(counts.sum(axis=1) > 0, high, poisson_interval(0)[1] * usual)
    value, low, high = base.a_year(total), base.a_year(low), base.a_year(high)
    unweighed = "" if len(weighed) == len(view.crime_types) else _unweighed(view, weighed)
    kind = base.kind
    status, sentences = [], []
    for i, area in enumerate(view.areas):
        status.append(base.status(view, i))
        if base.known[i]:
            most = _mostly(view, weighed, counts[i], weights)
            bounds = f"could be {low[i]:,.0f} to {high[i]:,.0f}"
            sentences.append(
                f"{area.name}: harm {value[i]:,.0f} per {kind.unit} a year ({bounds}; {counted(counts[i].sum())} incidents "
                f"weighed; {base.subject.what[i]}; {base.people(i)}; weights: {found.words}).{most}{unweighed}"
                f"{base.ending(i)}"
            )
        else:
            sentences.append(f"{area.name}: {base.why_none(view, i, 'harm')}")

    def working(i: int) -> str:
        sums = " + ".join(f"{counted(x)} x {w:g}" for x, w in zip(counts[i], weights, strict=True) if x)
        return f"({sums or '0'}) x {kind.scale:,} x 12 / ({base.months[i]} x {base.written(i)}) = {value[i]:,.4g}"

    printed = (found.attribution,) if found.attribution else ()
    notes = (f"Harm weights: {found.words}. They use what a crime carries in law, not what its victim went through.",)
    figures = Figures(value, low, high, status, [""] * n, sentences, working=working, notes=notes, attribution=printed)
    return base.cite(figures)


def _none(view: View, found: HarmWeights | None) -> Figures:
    """No harm: nothing is weighed."""
    n = len(view.areas)
    nothing = np.full(n, np.nan)
    why = (
        "no harm weights are loaded; `wardwatch load weights FILE` loads some, and docs/measures.md says where they are "
        "published"
        if found is None
        else f"{found.source} has no weight for it"
    )
    if set(view.crime_types) == {"anti-social-behaviour"}:
        why = "anti-social behaviour has no harm weight in any published index: its harm is unknown, not nought"
    subject = Subject.of(view, [view.period])
    sentences = [f"{area.name}: no harm for {what}: {why}." for area, what in zip(view.areas, subject.what, strict=True)]
    return Figures(nothing, nothing.copy(), nothing.copy(), ["not-applicable"] * n, [""] * n, sentences)


def _mostly(view: View, weighed: list[str], counts: NDArray[np.float64], weights: NDArray[np.float64]) -> str:
    """Which type most of it is of, where one is more than half."""
    parts = counts * weights
    if not parts.sum() or parts.max() <= parts.sum() / 2 or len(weighed) == 1:
        return ""
    name = view.type_names.get(weighed[int(parts.argmax())], weighed[int(parts.argmax())])
    return f" {100 * parts.max() / parts.sum():.0f}% of it is {name[:1].lower()}{name[1:]}."


def _unweighed(view: View, weighed: list[str]) -> str:
    without = [t for t in view.crime_types if t not in weighed and t in view.seen_types]
    names = [view.type_names.get(t, t) for t in without]
    return f" Not weighed: {', '.join(f'{name[:1].lower()}{name[1:]}' for name in names)}." if names else ""


MEASURE = Measure(
    id="harm",
    name="Harm",
    unit="harm per 1,000 residents a year",
    legend="sequential",
    explanation="Incidents weighted by how harmful their type is: volume hides violence. The weights are those that your "
    "partnership loaded; none are shipped. They use sentence lengths or the like, not victims' experience, and one rare grave "
    "crime moves a small ward far: read it beside the count, and never rank wards on a month of it. Anti-social behaviour has "
    "no weight, and is not in it.",
    formula="sum w x * 1000 * 12 / (m N), w the weight of a type, x, m and N as for the rate. 95% interval: sum w x -+ 1.96 "
    "sqrt(sum w^2 x) on the same scale, not under 0; of a ward without incidents up to 3.69 of the usual weight.",
    compute=_compute,
    format=lambda value: f"{value:,.0f}",
    needs=("harm weights", "population"),
    options=(PER, CLASSES),
)
