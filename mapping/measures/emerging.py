"""How wards came to be hot or cold spots: one word a ward, from its months and those of its neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from mapping.classes import LegendClass
from mapping.measures.base import SUPPLIED, Figures, Measure
from mapping.measures.cluster import FEWEST_WARDS
from mapping.measures.words import Subject, ending
from mapping.statistics.clusters import space_time_gi_star, two_sided
from mapping.statistics.discovery import SIGNIFICANT, false_discovery
from mapping.statistics.hot_spots import classify_histories
from mapping.statistics.smoothing import smoothed_rates

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mapping.measures.base import View

__all__ = ["LEAST_MONTHS", "MEASURE"]

LEAST_MONTHS = 10
"""With fewer months there is no history to tell of."""

_FEWEST_RESIDENTS = 200


def _compute(view: View) -> Figures:
    n = len(view.areas)
    subject = Subject.of(view, [view.period])
    divisor = view.denominators.divisor("residents", view.period)
    number = view.summed(divisor.value) if divisor else np.full(n, np.nan)
    breaks = view.breaks_between(view.period.first, view.period.last)
    broken = np.array([any(b.kind == "hard" for b in of_area) for of_area in breaks], dtype=bool)
    whole: NDArray[np.bool_] = np.all(view.month_codes(view.period) == SUPPLIED, axis=1)
    peopled = np.nan_to_num(number) >= _FEWEST_RESIDENTS
    at = np.flatnonzero(whole & ~broken & peopled)
    why = _why_not(view, len(at))
    z = np.full((n, len(view.period)), np.nan)
    if not why:
        z[at] = _scores(view, at, number[at])
        if np.isnan(z[at]).all():
            why = "no ward's months differ from the others' by more than chance"
    q = false_discovery(np.where(np.isnan(z), np.nan, two_sided(z)))
    bins = np.where(np.nan_to_num(q, nan=1.0) <= SIGNIFICANT, np.sign(np.nan_to_num(z)), 0).astype(int)
    tested = ~np.isnan(z[:, -1])
    words = classify_histories(bins, z)
    classes = [words[i] if tested[i] else "" for i in range(n)]
    status, sentences = [], []
    for i, area in enumerate(view.areas):
        if tested[i]:
            status.append("ok")
            hot, cold = int((bins[i] == 1).sum()), int((bins[i] == -1).sum())
            months = f"{hot} of {len(view.period)} months hot, {cold} cold; last z {z[i, -1]:.2f}"
            sentences.append(f"{area.name}: {_WORDS[classes[i]]} ({months}; {subject.what[i]}).{ending(breaks[i])}")
            continue
        reason, said = _reason(view, whole=bool(whole[i]), broken=bool(broken[i]), peopled=bool(peopled[i]), why=why)
        status.append(reason)
        hard = ending(breaks[i], kind="hard") if reason == "break" else ""
        sentences.append(f"{area.name}: {said} ({subject.what[i]}).{hard}{subject.missing[i] if not whole[i] else ''}")

    def working(i: int) -> str:
        marks = "".join({1: "h", -1: "c", 0: "."}[b] for b in bins[i].tolist())
        return f"months from the first to the last, h hot, c cold: {marks}; z of the last {z[i, -1]:.4g}."

    hot_now = sum(1 for i in range(n) if bins[i, -1] == 1)
    none = np.full(n, np.nan)
    return Figures(
        z[:, -1],
        none,
        none.copy(),
        status,
        classes,
        sentences,
        family=int(q.size),
        denominator=divisor.source if divisor else None,
        attribution=divisor.attribution if divisor else (),
        working=working,
        notes=(f"Hot in {view.period.last.words}: {hot_now:,} wards. All wards and months are looked at together.",),
    )


def _scores(view: View, at: NDArray[np.int64], number: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gi* of the wards and months, of what was counted over what residents and the county's month would give, smoothed."""
    counts = view.observed(view.period, without_default_places=True)[at].astype(float)
    of_month = counts.sum(axis=0)
    share = number / number.sum()
    expected = np.maximum(np.outer(share, of_month), 1e-12)
    # One variance for all wards and months: estimated month by month it is often 0, and the other months would stand out.
    ratio = smoothed_rates(counts.ravel(), expected.ravel()).reshape(counts.shape)
    ratio[:, of_month == 0] = 1.0
    assert view.neighbours is not None  # noqa: S101 - `_why_not` looked
    # The cube root of counts of few is about as even to both sides as that of many: else chance alone makes hot months of them.
    return space_time_gi_star(np.cbrt(ratio), sparse.csr_array(view.neighbours()[at][:, at]))


def _why_not(view: View, wards: int) -> str:
    if not view.by_ward or view.neighbours is None:
        return "hot spots are wards, not totals of them"
    if len(view.period) < LEAST_MONTHS:
        return f"it takes {LEAST_MONTHS} months"
    if wards < FEWEST_WARDS:
        return f"among fewer than {FEWEST_WARDS} wards nothing can be said to lie together"
    return ""


def _reason(view: View, *, whole: bool, broken: bool, peopled: bool, why: str) -> tuple[str, str]:
    """The status of a ward that has no word, and why."""
    if len(view.period) < LEAST_MONTHS:
        return "too-short", f"no history, because {why}"
    if not whole:
        return "not-supplied", "no history, because not every month was supplied whole"
    if broken:
        return "break", "no history, because recording changed in between"
    if not peopled:
        return "no-denominator", f"no history, because it has fewer than {_FEWEST_RESIDENTS} residents, or no figure of them"
    return "not-applicable", f"no history: {why}"


_WORDS = {
    "new": "new: a hot spot in the last month for the first time",
    "consecutive": "consecutive: a hot spot without a break up to the last month, and never before",
    "intensifying": "intensifying: a hot spot in at least 9 of 10 months, and ever hotter",
    "persistent": "persistent: a hot spot in at least 9 of 10 months, neither hotter nor less so",
    "diminishing": "diminishing: a hot spot in at least 9 of 10 months, and ever less hot",
    "sporadic": "sporadic: a hot spot in some months",
    "oscillating": "oscillating: a hot spot in the last month that was a cold one before",
    "historical": "historical: a hot spot in at least 9 of 10 months, but not in the last",
    "new-cold": "new cold spot: cold in the last month for the first time",
    "consecutive-cold": "consecutive cold spot: cold without a break up to the last month, and never before",
    "intensifying-cold": "intensifying cold spot: cold in at least 9 of 10 months, and ever colder",
    "persistent-cold": "persistent cold spot: cold in at least 9 of 10 months, neither colder nor less so",
    "diminishing-cold": "diminishing cold spot: cold in at least 9 of 10 months, and ever less cold",
    "sporadic-cold": "sporadic cold spot: cold in some months",
    "oscillating-cold": "oscillating cold spot: cold in the last month, and hot before",
    "historical-cold": "historical cold spot: cold in at least 9 of 10 months, but not in the last",
    "none": "no hot or cold spot",
}

_COLOURS = {
    "intensifying": ("Intensifying hot spot", "#67000d"),
    "persistent": ("Persistent hot spot", "#a50f15"),
    "consecutive": ("Consecutive hot spot", "#d7301f"),
    "new": ("New hot spot", "#f16913"),
    "oscillating": ("Oscillating hot spot", "#dd3497"),
    "diminishing": ("Diminishing hot spot", "#fc9272"),
    "sporadic": ("Sporadic hot spot", "#fdd0a2"),
    "historical": ("Historical hot spot", "#a6761d"),
    "historical-cold": ("Historical cold spot", "#bcbddc"),
    "sporadic-cold": ("Sporadic cold spot", "#c6dbef"),
    "diminishing-cold": ("Diminishing cold spot", "#6baed6"),
    "oscillating-cold": ("Oscillating cold spot", "#807dba"),
    "new-cold": ("New cold spot", "#1b9e9e"),
    "consecutive-cold": ("Consecutive cold spot", "#2171b5"),
    "persistent-cold": ("Persistent cold spot", "#08519c"),
    "intensifying-cold": ("Intensifying cold spot", "#08306b"),
    "none": ("No hot or cold spot", "#f7f7f7"),
}

MEASURE = Measure(
    id="emerging",
    name="Emerging hot spots",
    unit="last Gi* z",
    legend="categorical",
    explanation="How each ward came to be a hot spot, or a cold one, over the months: new, consecutive, intensifying, "
    "persistent, diminishing, sporadic, oscillating or historical. Each month is looked at with the month before and with the "
    "wards that touch. The season does not show, because every month is held against what the county counted in it. What is "
    "at a confirmed default location is left out.",
    formula="x = cube root of the smoothed O / E of each ward and month, E = the ward's share of residents x what all wards "
    "counted in the month; Gi* in space and time: the ward and its neighbours in this and the previous month, mean "
    "and S over all wards and months; hot or cold by Benjamini and Hochberg's q <= 0.05 over all of them. Of n months"
    " h are hot: h >= 0.9 n and the last not hot: historical; h >= 0.9 n: intensifying or diminishing by Mann-Kendall"
    " of z (p <= 0.05), else persistent; the last hot: oscillating if any is cold, new if only the last is hot, "
    "consecutive if all hot ones end the series, else sporadic; the last neither, some hot, none cold: sporadic. Cold"
    " is the mirror of it. At least 10 months and 10 wards.",
    compute=_compute,
    format=lambda value: f"{value:,.2f}",
    decimals=2,
    default_months=24,
    needs=("population", "neighbours", f"{LEAST_MONTHS} months"),
    classes=tuple(LegendClass(word, label, None, None, colour) for word, (label, colour) in _COLOURS.items()),
    quiet="none",
    asks="place",
    interval="",
)
