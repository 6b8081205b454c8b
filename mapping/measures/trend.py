"""How fast incidents rise or fall, in percent a year."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mapping.classes import LegendClass
from mapping.measures.base import SUPPLIED, Figures, Measure
from mapping.measures.judging import PANDEMIC, judge, shared_phi
from mapping.measures.words import CHANCE, Subject, counted, ending
from mapping.statistics.trends import log_linear_trend, seasonal_mann_kendall, sen_slope

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mapping.breaks import Break
    from mapping.measures.base import View
    from mapping.vocabulary import Month, Period

__all__ = ["FEWEST", "LEAST_MONTHS", "MEASURE"]

LEAST_MONTHS = 24
FEWEST = 24
"""Incidents under which a series tells of no trend: one a month for two years."""

_ENOUGH = 0.75  # of the months of the period, to be supplied
_FOR_SLOPES = 5  # incidents a month under which medians of slopes stick at 0


def _compute(view: View) -> Figures:
    period = view.period
    counts, usable = view.observed(period).astype(float), view.month_codes(period) == SUPPLIED
    n, months = len(view.areas), np.array([month.index for month in period])
    calendar = months % 12
    total = np.where(usable, counts, 0).sum(axis=1)
    first = np.where(usable.any(axis=1), usable.argmax(axis=1), len(months))
    depth = len(months) - first
    short = (depth < LEAST_MONTHS) | (usable.sum(axis=1) < _ENOUGH * np.maximum(depth, LEAST_MONTHS))
    none = ~usable.any(axis=1)
    few = total < FEWEST
    tested = ~none & ~short & ~few
    breaks = view.breaks_between(period.first, period.last)
    percent, low, high, p, slope = np.full((5, n), np.nan)
    chi2, freedom = np.zeros((2, n))
    phi = np.full(n, np.nan)
    # Where a calendar month has few incidents its own mean fits them too well: the months of all wards tell more.
    least = shared_phi(counts, usable)
    for steps, areas in _by_steps(period, breaks, tested):
        found = log_linear_trend(
            counts[areas],
            calendar=calendar,
            steps=steps,
            usable=usable[areas],
            share_phi=view.by_ward,
            least_phi=least,
        )
        for column, values in (
            (percent, found.percent),
            (low, found.low),
            (high, found.high),
            (p, found.p),
            (phi, found.phi),
            (chi2, found.chi2),
            (freedom, found.freedom),
            (slope, found.slope),
        ):
            column[areas] = values
    # A series whose months are all but empty may tell nothing of a slope.
    few |= tested & np.isnan(p)
    tested &= ~np.isnan(p)
    verdicts = judge(np.where(tested, p, np.nan))
    direction = np.where(percent > 0, "rising", "falling")
    classes = verdicts.classes(direction, "no-clear-trend")
    second = _second_opinion(counts, usable, tested, total)
    subject = Subject.of(view, [period])
    estimated = view.estimated_words(period, among=usable)
    whole: NDArray[np.bool_] = np.all(usable, axis=1)
    status, sentences = [], []
    for i, area in enumerate(view.areas):
        if tested[i]:
            status.append("estimated" if estimated[i] else "ok" if whole[i] else "partial")
            said = _said(percent[i], low[i], high[i], sure=bool(verdicts.sure[i]), perhaps=bool(verdicts.perhaps[i]))
            changed = f"{ending(breaks[i], kind='hard')}{ending(breaks[i])}"
            sentences.append(
                f"{area.name}: {said}, after allowing for the time of year ({counted(total[i])} recorded; "
                f"{subject.what[i]}).{second[i]}{changed}{estimated[i]}{subject.missing[i]}"
            )
        else:
            status.append("not-supplied" if none[i] else "too-short" if short[i] else "too-few")
            why = _WHY_NOT[status[-1]]
            enough = f", {counted(total[i])} recorded" if status[-1] == "too-few" else ""
            sentences.append(f"{area.name}: {why}{enough} ({subject.what[i]}).{subject.missing[i]}")
    shared = float(chi2.sum() / freedom.sum()) if freedom.sum() else 1.0

    def working(i: int) -> str:
        return f"100 (exp({slope[i]:.4g}) - 1) = {percent[i]:.4g}% a year; phi = {phi[i]:.3g}; {verdicts.working(i)}"

    rising, falling = classes.count("rising"), classes.count("falling")
    of_all = f"{rising:,} rising and {falling:,} falling, of {verdicts.family:,} looked at together"
    return Figures(
        percent,
        low,
        high,
        status,
        classes,
        sentences,
        phi=max(least, shared),
        family=verdicts.family,
        working=working,
        perhaps=verdicts.leanings(direction),
        notes=(f"More than chance: {of_all}; on average no more than 5% of those are chance.",),
    )


def _by_steps(
    period: Period, breaks: list[tuple[Break, ...]], tested: NDArray[np.bool_]
) -> list[tuple[NDArray[np.float64], NDArray[np.int64]]]:
    """Areas by the breaks that they have, with the steps that allow for these and for the pandemic."""
    months = list(period)
    pandemic = [float(PANDEMIC.first <= month <= PANDEMIC.last) for month in months]
    by_breaks: dict[tuple[Month, ...], list[int]] = {}
    for i in np.flatnonzero(tested).tolist():
        by_breaks.setdefault(tuple(dict.fromkeys(found.month for found in breaks[i])), []).append(i)
    return [
        (
            np.array([pandemic, *([float(month >= since) for month in months] for since in starts)]).T,
            np.array(areas),
        )
        for starts, areas in by_breaks.items()
    ]


def _second_opinion(
    counts: NDArray[np.float64], usable: NDArray[np.bool_], tested: NDArray[np.bool_], total: NDArray[np.float64]
) -> list[str]:
    """For each area a sentence by ranks and the median of slopes, for series that have enough incidents; else nothing."""
    said = [""] * len(counts)
    at = np.flatnonzero(tested & (total >= _FOR_SLOPES * usable.sum(axis=1)))
    if not len(at):
        return said
    values = np.where(usable[at], counts[at], np.nan)
    p, slope = seasonal_mann_kendall(values, correlated=True).p, sen_slope(values, season=12).slope
    for i, chance, a_year in zip(at.tolist(), p, slope, strict=True):
        way = "rises" if a_year > 0 else "falls" if a_year < 0 else "neither rises nor falls"
        found = "finds no clear trend" if chance > 0.05 else "finds one too"
        amount = f" by {abs(a_year):.1f} a year" if a_year else ""
        said[i] = f" A rank test that allows for drift {found}; the same month of the year typically {way}{amount}."
    return said


def _said(percent: float, low: float, high: float, *, sure: bool, perhaps: bool) -> str:
    way = "rising" if percent > 0 else "falling"
    amount = f"{way} about {_size(percent)}% a year ({_between(low, high)})"
    if sure:
        return amount
    if perhaps:
        return f"perhaps {amount}: {CHANCE}"
    return f"no clear trend: {_between(low, high)} a year"


def _between(low: float, high: float) -> str:
    if low >= 0 or high <= 0:
        small, large = sorted((abs(low), abs(high)))
        return f"between {_size(small)}% and {_size(large)}%"
    return f"between falling {_size(low)}% and rising {_size(high)}%"


def _size(percent: float) -> str:
    """A change without its sign; what is not nothing is not said to be."""
    size = abs(percent)
    return f"{size:,.0f}" if size >= 9.95 else f"{size:.1f}" if size >= 0.05 or size == 0 else "less than 0.1"


_WHY_NOT = {
    "not-supplied": "no trend, because no month was supplied whole",
    "too-short": f"no trend, because there are too few whole months: it takes {LEAST_MONTHS}, and three in four of the period",
    "too-few": f"too few to judge: it takes {FEWEST} incidents",
}


MEASURE = Measure(
    id="trend",
    name="Trend",
    unit="% a year",
    legend="diverging",
    explanation="By how many percent a year incidents rise or fall over the period, allowing for the time of year, for the "
    "months of the pandemic and for changes in recording. A ward is coloured only where the trend is more than chance, "
    "allowing for all wards that are looked at together. It describes the past, and forecasts nothing.",
    formula="log mu = a + b t + month of the year + steps, t in years, the steps being the pandemic (April 2020 to July 2021) "
    "and each recorded break; 100 (e^b - 1). Quasi-Poisson: phi = max(1, Pearson chi2 / df), at least that of all wards "
    "together; Student's t. Class by Benjamini and Hochberg's q <= 0.05 over all wards. Second opinion: seasonal Mann-Kendall "
    "with correlated seasons, and the median of slopes within months (Sen), from 5 incidents a month. Not judged under 24 "
    "months or 24 incidents.",
    compute=_compute,
    format=lambda value: f"{value:+,.1f}" if abs(value) >= 0.05 else "0.0",
    decimals=1,
    default_months=60,
    needs=("24 months",),
    classes=(
        LegendClass("rising", "Rising", None, None, "#b35806"),
        LegendClass("falling", "Falling", None, None, "#542788"),
        LegendClass("no-clear-trend", "No clear trend", None, None, "#f7f7f7"),
    ),
    quiet="no-clear-trend",
    asks="change",
)
