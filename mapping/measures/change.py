"""How incidents changed from one period to another, and whether that is more than chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mapping.classes import LegendClass
from mapping.measures.base import Figures, Measure, Option
from mapping.measures.judging import judge, shared_phi, why_not_supplied
from mapping.measures.words import CHANCE, Subject, counted, ending, percent, spread, times
from mapping.statistics.changes import compare_counts
from mapping.statistics.dispersion import spread_of_changes
from mapping.vocabulary import Period

if TYPE_CHECKING:
    from mapping.measures.base import View
    from mapping.statistics.changes import Comparison

__all__ = ["FEWEST", "MEASURE"]

FEWEST = 6
"""With fewer incidents in both periods together no split between them can reach 5%."""

_MONTHS_OF_PHI = 24
_AS_LONG = 0.01  # periods whose days differ by less are as long as each other


def _before(period: Period, against: str) -> Period:
    """What a period is held against: the same months of earlier years, or the months just before it."""
    length = len(period)
    return period.shifted(-12 * -(-length // 12) if against == "year-before" else -length)


def _compute(view: View) -> Figures:
    after, before = view.period, _before(view.period, view.options["against"])
    n = len(view.areas)
    x1, x0 = (view.observed(period).sum(axis=1).astype(float) for period in (after, before))
    # February is a tenth shorter than January; a leap year is as long as any.
    per_day = abs(after.days / before.days - 1) >= _AS_LONG
    t1, t0 = (float(after.days), float(before.days)) if per_day else (1.0, 1.0)
    lacking = why_not_supplied(view, (before, after))
    breaks = view.breaks_between(before.first, after.last)
    broken = [any(found.kind == "hard" for found in of_area) for of_area in breaks]
    status = [lacking[i] or ("break" if broken[i] else "too-few" if x1[i] + x0[i] < FEWEST else "ok") for i in range(n)]
    tested = np.array([found == "ok" for found in status], dtype=bool)
    phi = _phi(view, before, after, t1=t1, t0=t0)
    found = compare_counts(x1, x0, t_after=t1, t_before=t0, phi=phi)
    verdicts = judge(np.where(tested, found.p, np.nan))
    # Where nothing was recorded before there is no ratio: half an incident more on each side gives one.
    value = np.where(np.isinf(found.ratio), (x1 + 0.5) * t0 / ((x0 + 0.5) * t1), found.ratio)
    direction = np.where(found.ratio > 1, "up", "down")
    classes = verdicts.classes(direction, "no-clear-change")
    subject = Subject.of(view, (after, before))
    among = np.ones((n, len(after)), dtype=bool)
    estimated = view.estimated_words(after, among=among)
    estimated = [now or then for now, then in zip(estimated, view.estimated_words(before, among=among), strict=True)]
    sentences = []
    for i, area in enumerate(view.areas):
        if tested[i]:
            said = _said(
                x1[i], x0[i], found, i, sure=bool(verdicts.sure[i]), perhaps=bool(verdicts.perhaps[i]), per_day=per_day
            )
            sentences.append(f"{area.name}: {said}; {subject.what[i]}).{ending(breaks[i])}{estimated[i]}")
        else:
            why = _why_not(status[i], x1[i], x0[i])
            hard = ending(breaks[i], kind="hard") if status[i] == "break" else ""
            sentences.append(f"{area.name}: {why} ({subject.what[i]}).{hard}{subject.missing[i] if lacking[i] else ''}")
    status = ["estimated" if found == "ok" and estimated[i] else found for i, found in enumerate(status)]
    nothing = np.where(tested, 0.0, np.nan)

    def working(i: int) -> str:
        of_days = f", of {after.days} and {before.days} days" if per_day else ""
        return f"{counted(x1[i])} against {counted(x0[i])}{of_days}: {value[i]:.4g}; phi = {phi:.3g}; {verdicts.working(i)}"

    return Figures(
        value + nothing,
        found.low + nothing,
        found.high + nothing,
        status,
        classes,
        sentences,
        phi=phi,
        family=verdicts.family,
        working=working,
        perhaps=verdicts.leanings(direction),
        against=before.words,
        notes=_notes(classes, verdicts.family, int(verdicts.perhaps.sum())),
    )


def _phi(view: View, before: Period, after: Period, *, t1: float, t0: float) -> float:
    """How much more than Poisson counts vary: from month to month, or where that is more, in how wards change."""
    months = Period(min(before.first, after.last.plus(1 - _MONTHS_OF_PHI)), after.last)
    wards = view.ward_view
    of_months = shared_phi(wards.observed(months).astype(float), wards.supplied(months))
    both = np.all(np.concatenate([wards.supplied(before), wards.supplied(after)], axis=1), axis=1)
    x1, x0 = (wards.observed(period)[both].sum(axis=1) for period in (after, before))
    return max(of_months, spread_of_changes(x1, x0, t_after=t1, t_before=t0))


def _said(x1: float, x0: float, found: Comparison, i: int, *, sure: bool, perhaps: bool, per_day: bool) -> str:
    """The finding, up to the bracket that the subject ends."""
    ratio, low, high = found.ratio[i], found.low[i], found.high[i]
    many = "" if np.isinf(ratio) else f"{times(ratio)} times as many{' a day' if per_day else ''} "
    share = "" if per_day else percent(x1, x0)
    way = "up" if ratio > 1 else "down"
    from_to = f"{way} from {counted(x0) if x0 else 'none'} to {counted(x1) if x1 else 'none'}{share}"
    bounds = f"{many}({spread(low, high)}"
    if sure:
        return f"{from_to}, more than chance would usually give: {bounds}"
    if perhaps:
        return f"perhaps {from_to}: {CHANCE}; {bounds}"
    return f"no clear change: {counted(x1)} recorded, {counted(x0)} before; {bounds}"


def _why_not(status: str, x1: float, x0: float) -> str:
    figures = f"{counted(x1)} recorded, {counted(x0)} before"
    return {
        "not-supplied": "not compared, because not every month was supplied",
        "too-short": "not compared, because there is nothing from so long ago",
        "break": "not compared, because recording changed in between",
        "too-few": f"too few to judge: {figures}, and a change of this size is common by chance",
    }[status]


def _notes(classes: list[str], family: int, perhaps: int) -> tuple[str, ...]:
    up, down = classes.count("up"), classes.count("down")
    more = f" {perhaps:,} more {'differs' if perhaps == 1 else 'differ'}, but could be chance." if perhaps else ""
    of_all = f"{up:,} up and {down:,} down, of {family:,} looked at together"
    return (f"More than chance: {of_all}; on average no more than 5% of those are chance.{more}",)


MEASURE = Measure(
    id="change",
    name="Change",
    unit="times as many as before",
    legend="diverging",
    explanation="How many times as many incidents were recorded as in the period before, and whether that is more than "
    "chance. A ward is coloured only where it is, allowing for all the wards that are looked at together: of those coloured, "
    "on average no more than 5% are chance. Most rises from one incident to three are nothing but chance.",
    formula="x1 / x0 (per day where the periods differ in days); of n = x1 + x0 incidents x1 is binomial, with the chance t1 "
    "/ (t1 + t0) if nothing changed, t being the lengths of the periods. p is the doubled smaller tail, the interval Clopper "
    "and Pearson's, both of x / phi: phi = max(1, how months vary around ward and season, how wards' changes vary around the "
    "county's), pooled over all wards. Class by Benjamini and Hochberg's q <= 0.05 over all wards. Not judged with fewer than "
    "6 incidents in both, over a month that was not supplied, or over a break in recording. Where x0 is 0 the ratio is of x + "
    "0.5.",
    compute=_compute,
    format=lambda value: f"{value:,.2f}",
    decimals=2,
    needs=("24 months",),
    options=(
        Option(
            "against",
            "Against",
            ("year-before", "period-before"),
            labels=("A year before", "Just before"),
        ),
    ),
    classes=(
        LegendClass("up", "Up: at least twice as many", 2, None, "#b35806"),
        LegendClass("up", "Up: less than twice as many", None, 2, "#fdb863"),
        LegendClass("down", "Down: by up to half", 0.5, None, "#b2abd2"),
        LegendClass("down", "Down: by more than half", None, 0.5, "#542788"),
        LegendClass("no-clear-change", "No clear change", None, None, "#f7f7f7"),
    ),
    quiet="no-clear-change",
    asks="change",
)
