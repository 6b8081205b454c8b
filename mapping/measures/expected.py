"""Whether a month, or a few, counted what its own past leads to expect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mapping.classes import LegendClass
from mapping.measures.base import Figures, Measure, Option
from mapping.measures.expectation import BEFORE, LOOKED_BACK, expect
from mapping.measures.judging import judge
from mapping.measures.words import CHANCE, Subject, about, counted, ending
from mapping.vocabulary import Period

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mapping.measures.base import View
    from mapping.measures.expectation import Expectation
    from mapping.measures.judging import Verdicts

__all__ = ["FEW", "MEASURE", "alarms"]

FEW = 5
"""With fewer incidents in the window and the three months before it there is no alarm, as in Farrington's rule; and where fewer
are expected in the window, a doubling goes unseen most of the time."""


def alarms(view: View) -> dict[int, str]:
    """The areas whose last month of the period stands out, by index: `higher` or `lower`."""
    found = expect(view, [view.period.last])
    verdicts = _judge(found)
    return {int(i): "higher" if found.count[i, 0] > found.high[i, 0] else "lower" for i in np.flatnonzero(verdicts.sure)}


def _judge(found: Expectation) -> Verdicts:
    """The verdicts on the first window; areas with next to no incidents are not tested."""
    tested = ~np.isnan(found.mean[:, 0]) & (found.recent[:, 0] >= FEW)
    return judge(np.where(tested, found.p[:, 0], np.nan))


def _compute(view: View) -> Figures:
    months = int(view.options["months"])
    found = expect(view, [view.period.last], months=months)
    count, mean, low, high = (part[:, 0] for part in (found.count, found.mean, found.low, found.high))
    verdicts = _judge(found)
    known, tested = ~np.isnan(mean), verdicts.tested
    way = np.where(count > high, "higher", "lower")
    classes = verdicts.classes(way, "within")
    subject = Subject.of(view, [view.period])
    breaks = view.breaks_between(view.period.first.plus(-LOOKED_BACK), view.period.last)
    estimated = view.estimated_words(view.period, among=np.ones((len(view.areas), months), dtype=bool))
    sentences, status = [], []
    for i, area in enumerate(view.areas):
        if not known[i]:
            status.append(str(found.lacking[i, 0]))
            hard = ending(breaks[i], kind="hard") if status[-1] == "break" else ""
            gone = subject.missing[i] if status[-1] == "not-supplied" else ""
            sentences.append(f"{area.name}: {_WHY_NOT[status[-1]]} ({subject.what[i]}).{hard}{gone}")
            continue
        usual = f"usual range {counted(low[i])} to {counted(high[i])}; {subject.what[i]}"
        figures = f"{counted(count[i])} recorded, about {about(mean[i])} expected ({usual})."
        made = str(found.way[i, 0])
        if not tested[i]:
            status.append("too-few")
            sentences.append(f"{area.name}: too few to judge: {figures}{_FEW_WORDS}{_MADE[made]}")
            continue
        status.append("partial" if made == "short" else "estimated" if estimated[i] else "ok")
        said = f"{way[i]} than expected: " if verdicts.sure[i] else "within the usual range: "
        if verdicts.perhaps[i]:
            said = f"perhaps {way[i]} than expected: {CHANCE}; "
        weak = _weak(months) if mean[i] < FEW and not verdicts.sure[i] else ""
        sentences.append(f"{area.name}: {said}{figures}{_MADE[made]}{weak}{ending(breaks[i])}{estimated[i]}")
    shown = np.where(tested, 0.0, np.nan)

    def working(i: int) -> str:
        return (
            f"mean {mean[i]:.4g}, 95% range {low[i]:.0f} to {high[i]:.0f}; {counted(count[i])} recorded; {verdicts.working(i)}"
        )

    return Figures(
        count + shown,
        low + shown,
        high + shown,
        status,
        classes,
        sentences,
        phi=float(found.phi[0]),
        family=verdicts.family,
        working=working,
        perhaps=verdicts.leanings(way),
        notes=_notes(classes, verdicts.family, mean, months),
    )


_WHY_NOT = {
    "not-supplied": "not judged, because not every month was supplied whole",
    "too-short": "not judged, because there is less than a year of history",
    "break": "not judged, because recording changed and there is less than a year since",
}
_MADE = {
    "years": "",
    "season": " Less than five years of history: the mean of the years there are, with the season of all wards.",
    "short": " Short history: the mean of the last 12 months, with the season of all wards.",
}
_FEW_WORDS = f" Fewer than {FEW} with the {BEFORE} months before."
_LONGER = {1: " Look at 3 or 12 months.", 3: " Look at 12 months.", 12: ""}


def _weak(months: int) -> str:
    return f" With fewer than {FEW} expected a doubling goes unseen most of the time.{_LONGER[months]}"


def _notes(classes: list[str], family: int, mean: NDArray[np.float64], months: int) -> tuple[str, ...]:
    higher, lower, weak = classes.count("higher"), classes.count("lower"), int((mean < FEW).sum())
    checked = (
        f"More than chance: {higher:,} higher and {lower:,} lower than expected. {family:,} ward-and-type pairs are checked "
        "together; on average no more than 5% of those flagged are chance."
    )
    silence = (
        f"In {weak:,} of them fewer than {FEW} are expected: there a doubling goes unseen most of the time, and silence is no "
        f"all-clear.{_LONGER[months]}"
    )
    return (checked, silence) if weak else (checked,)


MEASURE = Measure(
    id="expected",
    name="Against expectation",
    unit="incidents",
    legend="diverging",
    explanation="What was recorded in the month, beside the range that the ward's own last five years lead to expect for the "
    "time of year. A ward is coloured only where it lies outside and that is more than chance, allowing for all wards that are "
    "looked at together. Where few are expected a month cannot tell much: choose 3 or 12 months.",
    formula="Noufaily's Farrington (2013), monthly: five years back, the same month and one on either side, the other months "
    "as a factor, the last three and the months of the pandemic left out; quasi-Poisson with trend, past outbreaks weighted "
    "down. Range: quantiles of the negative binomial of mean mu and variance phi mu + the error of mu, 2.5% on each side; phi "
    "at least that of all wards together. p is the doubled smaller tail, class by q <= 0.05 over all wards. With 2 to 5 "
    "years: the mean of the years there are and the season of all wards; with 1 to 2 years that of the last 12 months "
    "(partial). Not judged with fewer than 5 incidents in the window and the three months before.",
    compute=_compute,
    format=lambda value: f"{value:,.0f}",
    whole=True,
    default_months=1,
    needs=("12 months",),
    options=(Option("months", "Over", ("1", "3", "12"), labels=("One month", "3 months", "12 months")),),
    classes=(
        LegendClass("higher", "Higher than expected", None, None, "#b35806"),
        LegendClass("lower", "Lower than expected", None, None, "#542788"),
        LegendClass("within", "Within the usual range, or could be chance", None, None, "#f7f7f7"),
    ),
    quiet="within",
    asks="change",
    interval="Usual range",
    partial="short history",
    narrowed=lambda period, options: Period(period.last.plus(1 - int(options["months"])), period.last),
)
