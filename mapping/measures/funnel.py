"""Wards beside comparable ones: who is unusual, without a league table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mapping.classes import LegendClass
from mapping.measures.base import Figures, Measure, Option
from mapping.measures.judging import judge, shared_phi
from mapping.measures.per import PER, read_base
from mapping.measures.words import CHANCE, about, counted, times
from mapping.statistics.funnels import between_variance, funnel, funnel_limits
from mapping.statistics.rates import standardised_ratio

if TYPE_CHECKING:
    from mapping.measures.base import View

__all__ = ["MEASURE"]

SIMILAR = "similar-wards"

FEWEST_WARDS = 10
"""With fewer wards beside it there is little to compare a ward with."""


def _compute(view: View) -> Figures:
    base = read_base(view)
    n = len(view.areas)
    groups, why = _groups(view)
    phi = shared_phi(view.observed(view.period).astype(float), base.whole)
    ratio, low, high, p, expected, least, most = np.full((7, n), np.nan)
    tau2 = np.zeros(n)
    for group in dict.fromkeys(name for name in groups if name):
        at = np.array([name == group for name in groups]) & base.known
        total = base.counted[at].sum()
        if at.sum() < FEWEST_WARDS or not total:
            nothing = "nothing recorded in any of the wards it is compared with"
            few = f"fewer than {FEWEST_WARDS} wards to compare it with" if total else nothing
            why = [few if here else said for here, said in zip(at, why, strict=True)]
            continue
        e = total * base.exposure[at] / base.exposure[at].sum()
        # Counts that vary phi times as much as Poisson counts tell as much as a phi-th of them.
        between = between_variance(base.counted[at] / phi, e / phi, corrected=True)
        found = funnel(base.counted[at] / phi, e / phi, tau2=between)
        expected[at], p[at], tau2[at] = e, found.p, found.tau2
        ratio[at], low[at], high[at] = standardised_ratio(base.counted[at], e)
        least[at], most[at] = funnel_limits(e / phi, tau2=found.tau2)
    verdicts = judge(p)
    ways = np.where(ratio > 1, "higher", "lower")
    classes = verdicts.classes(ways, "in-line")
    others = "similar wards" if view.options["among"] == SIMILAR else "other wards"
    status, sentences = [], []
    for i, area in enumerate(view.areas):
        of_rate = base.status(view, i)
        if verdicts.tested[i]:
            status.append(of_rate)
            way = ways[i]
            said = f"{way} than {others}" if verdicts.sure[i] else f"in line with {others}"
            if verdicts.perhaps[i]:
                said = f"perhaps {way} than {others}: {CHANCE}"
            at_theirs = f"about {about(expected[i])} at their rate"
            bounds = f"could be {times(low[i])} to {times(high[i])}"
            ratios = f"{times(ratio[i])} times ({bounds}; {base.subject.what[i]}; {base.people(i)})"
            usual = f"Of wards of its size 95 in 100 would lie between {times(least[i])} and {times(most[i])}"
            recorded = f"{counted(base.counted[i])} recorded"
            sentences.append(f"{area.name}: {said}; {recorded}, {at_theirs}: {ratios}. {usual}.{base.ending(i)}")
        elif of_rate in {"not-supplied", "no-denominator"}:
            status.append(of_rate)
            sentences.append(f"{area.name}: {base.why_none(view, i, 'comparison')}")
        else:
            status.append("not-applicable")
            sentences.append(f"{area.name}: not compared, because there are {why[i]} ({base.subject.what[i]}).")

    def working(i: int) -> str:
        z = 2 * (np.sqrt(base.counted[i] / phi) - np.sqrt(expected[i] / phi))
        ratio_of = f"{counted(base.counted[i])} / {expected[i]:,.4g} = {ratio[i]:.4g}"
        return f"{ratio_of}; z = {z:.3g}, tau2 = {tau2[i]:.3g}; {verdicts.working(i)}"

    higher, lower = classes.count("higher"), classes.count("lower")
    of_all = f"{higher:,} higher and {lower:,} lower than {others}, of {verdicts.family:,} looked at together"
    figures = Figures(
        ratio,
        low,
        high,
        status,
        classes,
        sentences,
        phi=phi,
        family=verdicts.family,
        working=working,
        perhaps=verdicts.leanings(ways),
        notes=(f"More than chance, beyond how much wards differ anyway: {of_all}.",),
    )
    return base.cite(figures)


def _groups(view: View) -> tuple[list[str], list[str]]:
    """The group that each area is compared in, empty for none; and why an area has none, or is not compared."""
    n = len(view.areas)
    if not view.by_ward:
        return [""] * n, ["only wards to compare, not totals of them"] * n
    if view.options["among"] != SIMILAR:
        return ["all"] * n, [""] * n
    groups = view.ward_groups()
    if groups is None:
        return [""] * n, ["no groups of similar wards; `wardwatch load groups FILE` loads some"] * n
    return list(groups.of_ward), ["" if name else "no wards said to be similar to it" for name in groups.of_ward]


MEASURE = Measure(
    id="funnel",
    name="Beside other wards",
    unit="times as many as at the others' rate",
    legend="diverging",
    explanation="How many times as many incidents were recorded as the ward would have at the rate of the wards it is "
    "compared with. Wards differ for many reasons: one is called higher or lower only where it stands out from how much they "
    "differ anyway, and more than chance would have it. It is no rank. Town centres stand out because they have visitors: "
    "compare them with similar wards where groups are loaded.",
    formula="O / E, E = N sum O / sum N over all wards of the set (or of the group); interval: that of O (Garwood) over E. z "
    "= 2 (sqrt O - sqrt E), winsorised by 10% on each side; tau2 from the mean of z^2 (Spiegelhalter 2005); adjusted z = "
    "(sqrt(O/E) - 1) / sqrt(1/(4E) + tau2). p is the larger of its two-sided p and of the doubled smaller tail of O; class by "
    "Benjamini and Hochberg's q <= 0.05 over all wards. At least 10 wards.",
    compute=_compute,
    format=lambda value: f"{value:,.2f}",
    decimals=2,
    needs=("population",),
    options=(
        Option("among", "Compared with", ("other-wards", SIMILAR), labels=("All other wards", "Similar wards")),
        PER,
    ),
    classes=(
        LegendClass("higher", "Higher than comparable wards", None, None, "#b35806"),
        LegendClass("lower", "Lower than comparable wards", None, None, "#542788"),
        LegendClass("in-line", "In line with comparable wards", None, None, "#f7f7f7"),
    ),
    quiet="in-line",
    asks="place",
)
