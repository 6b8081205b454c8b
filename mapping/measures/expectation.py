"""What windows of months should have counted in each area, given only what came before them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from mapping.measures.base import SUPPLIED
from mapping.measures.judging import PANDEMIC, shared_phi
from mapping.statistics.expected import (
    LEFT_OUT,
    YEARS,
    Forecast,
    expected_from_season,
    expected_from_years,
    predicted_range,
    season_of,
    tail_p,
    with_phi_of_at_least,
)
from mapping.vocabulary import Period

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mapping.measures.base import View
    from mapping.vocabulary import Month

__all__ = ["BEFORE", "LOOKED_BACK", "Expectation", "expect"]

BEFORE = 3
"""How many months before a window count as recent."""

LOOKED_BACK = 12 * YEARS + 1
"""How many months before a window are looked at."""

_ENOUGH = 0.6  # of the months that a history should have: the pandemic's, which are left out, may be a quarter of five years


@dataclass(frozen=True, slots=True)
class Expectation:
    """All of shape (areas, windows); the figures are NaN where nothing is expected.

    `count` is what was counted, `recent` that with the three months before; `mean`, `low` and `high` are what was expected and
    its 95% range, `p` the doubled smaller tail. `way` says how it was made: `years` (Noufaily's model), `season` or `short`
    (less than two years); it is empty where it was not, for the reason in `lacking` (a status). `phi` has one for each window.
    """

    count: NDArray[np.float64]
    recent: NDArray[np.float64]
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    p: NDArray[np.float64]
    way: NDArray[np.object_]
    lacking: NDArray[np.object_]
    phi: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Past:
    """Counts of areas and which months of them were supplied whole; the same of wards, for phi."""

    span: Period
    counts: NDArray[np.float64]
    whole: NDArray[np.bool_]
    of_wards: NDArray[np.float64]
    whole_of_wards: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Window:
    """What the forecast of one window stands on: the history of all areas, and of the wanted ones way, reason and phi.

    `calendar` has the calendar months of the history and, behind them, of the window.
    """

    counts: NDArray[np.float64]
    usable: NDArray[np.bool_]
    calendar: NDArray[np.int64]
    way: NDArray[np.object_]
    lacking: NDArray[np.object_]
    phi: float


def expect(view: View, ends: Sequence[Month], *, months: int = 1, only: NDArray[np.int64] | None = None) -> Expectation:
    """Work out what the windows that end in these months should have counted.

    Parameters
    ----------
    ends
        The last month of each window.
    months
        How many months a window has: 1, 3 or 12.
    only
        The areas that are wanted, by index; all by default. Season and phi are those of all areas in any case.
    """
    wanted = np.arange(len(view.areas)) if only is None else only
    past = _read(view, Period(min(ends).plus(1 - months - LOOKED_BACK), max(ends)))
    windows = [_window(view, past, Period(end.plus(1 - months), end), wanted) for end in ends]
    shape = (len(wanted), len(ends))
    # One series for each area and window, area by area.
    way = np.stack([window.way for window in windows], axis=1).ravel()
    phi = np.array([window.phi for window in windows])
    forecast = with_phi_of_at_least(_forecast(windows, way, wanted), np.broadcast_to(phi, shape).ravel())
    low, high = predicted_range(forecast)
    count, recent = (np.stack(part, axis=1).ravel() for part in _counted(past, ends, wanted, months))
    known = way != ""
    judged = (np.where(known, part, np.nan) for part in (forecast.mean, low, high, tail_p(count, forecast)))
    lacking = np.stack([window.lacking for window in windows], axis=1)
    mean, least, most, p = (part.reshape(shape) for part in judged)
    return Expectation(count.reshape(shape), recent.reshape(shape), mean, least, most, p, way.reshape(shape), lacking, phi)


def _read(view: View, span: Period) -> _Past:
    counts, whole = view.observed(span).astype(float), view.month_codes(span) == SUPPLIED
    if view.by_ward:
        return _Past(span, counts, whole, counts, whole)
    wards = view.ward_view
    return _Past(span, counts, whole, wards.observed(span).astype(float), wards.month_codes(span) == SUPPLIED)


def _window(view: View, past: _Past, window: Period, wanted: NDArray[np.int64]) -> _Window:
    start, months = window.first, len(window)
    at = start.index - past.span.first.index
    history, inside = slice(at - LOOKED_BACK, at), slice(at, at + months)
    before = slice(at - LOOKED_BACK, at - LEFT_OUT)
    since, split = _breaks(view, window)
    back = np.arange(start.index - LOOKED_BACK, start.index)
    since_then = back >= since[:, None]
    ordinary = (back < PANDEMIC.first.index) | (back > PANDEMIC.last.index)
    usable: NDArray[np.bool_] = past.whole[:, history] & since_then & ordinary
    way = _way(usable)[wanted]
    gap = ~past.whole[wanted, inside].all(axis=1)
    cut = np.any(past.whole[:, history] & ~since_then, axis=1)[wanted]
    lacking = np.where(gap, "not-supplied", np.where(split[wanted] | ((way == "") & cut), "break", "too-short"))
    known = (way != "") & ~gap & ~split[wanted]
    return _Window(
        counts=past.counts[:, history],
        usable=usable,
        calendar=(start.number - 1 + np.arange(-LOOKED_BACK, months)) % 12,
        way=np.where(known, way, ""),
        lacking=np.where(known, "", lacking).astype(object),
        phi=shared_phi(past.of_wards[:, before], past.whole_of_wards[:, before] & ordinary[: LOOKED_BACK - LEFT_OUT]),
    )


def _counted(
    past: _Past, ends: Sequence[Month], wanted: NDArray[np.int64], months: int
) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
    """For each window what the wanted areas counted in it, and with the months just before it."""
    count, recent = [], []
    there = np.where(past.whole, past.counts, 0)[wanted]
    for end in ends:
        after = end.index - past.span.first.index + 1
        count.append(past.counts[wanted, after - months : after].sum(axis=1))
        recent.append(count[-1] + there[:, after - months - BEFORE : after - months].sum(axis=1))
    return count, recent


def _breaks(view: View, window: Period) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """For each area since which month (its index) recording has been the same, and whether it changed within the window."""
    hard = [[b.month for b in of_group if b.kind == "hard"] for of_group in view.breaks] or [[] for _ in view.groups]
    since = [max((m.index for m in of_group if m <= window.first), default=0) for of_group in hard]
    split = [any(window.first < m <= window.last for m in of_group) for of_group in hard]
    return np.array(since)[view.group_of_area], np.array(split)[view.group_of_area]


def _way(usable: NDArray[np.bool_]) -> NDArray[np.object_]:
    """What the history of each area allows: `years`, `season`, `short`, or nothing."""
    size = usable.shape[1]
    depth = np.where(usable.any(axis=1), size - usable.argmax(axis=1), 0)
    number = usable[:, : size - LEFT_OUT].sum(axis=1)
    ways = (
        ("years", (depth >= 12 * YEARS) & (number >= _ENOUGH * (12 * YEARS - LEFT_OUT))),
        ("season", (depth >= 24) & (number >= _ENOUGH * (24 - LEFT_OUT))),
        ("short", (depth >= 12) & (usable[:, -12:].sum(axis=1) >= _ENOUGH * 12)),
    )
    way: NDArray[np.object_] = np.select([holds for _, holds in ways], [name for name, _ in ways], "").astype(object)
    return way


def _forecast(windows: list[_Window], way: NDArray[np.object_], wanted: NDArray[np.int64]) -> Forecast:
    """The forecasts of all wanted areas and windows, area by area, each by its way."""
    mean, phi, chi2, freedom, error, doubt = np.zeros((6, len(way)))
    found = Forecast(mean, phi, chi2, freedom, error, doubt, np.zeros(len(way), dtype=bool))

    def put(at: NDArray[np.int64], part: Forecast) -> None:
        for column in fields(Forecast):
            getattr(found, column.name)[at] = getattr(part, column.name)

    one_month = len(windows[0].calendar) - LOOKED_BACK == 1
    at = np.flatnonzero(way == "years")
    if one_month and len(at):
        # Five years before a month look alike whichever month it is: all windows at once.
        area, window = np.divmod(at, len(windows))
        counts, usable = (
            np.stack([getattr(windows[w], part)[wanted[a]] for a, w in zip(area, window, strict=True)])
            for part in ("counts", "usable")
        )
        put(at, expected_from_years(counts, usable=usable))
    for number, of_window in enumerate(windows):
        for name in ("season", "short") if one_month else ("years", "season", "short"):
            mine = np.flatnonzero(of_window.way == name)
            if len(mine):
                put(mine * len(windows) + number, _from_season(of_window, wanted[mine], name))
    return found


def _from_season(window: _Window, areas: NDArray[np.int64], way: str) -> Forecast:
    size = LOOKED_BACK
    # A short history is all there is; a longer one leaves out what may be part of what is looked for.
    seen = slice(size - 12, size) if way == "short" else slice(0, size)
    back = seen if way == "short" else slice(0, size - LEFT_OUT)
    calendar = window.calendar[:size]
    season = season_of(_totals(window.counts, window.usable)[seen], calendar=calendar[seen])
    return expected_from_season(
        window.counts[areas][:, back],
        season=season[calendar[back]],
        ahead=season[window.calendar[size:]],
        usable=window.usable[areas][:, back],
        lag=1 + size - back.stop,
        with_trend=way == "years",
    )


def _totals(counts: NDArray[np.float64], usable: NDArray[np.bool_]) -> NDArray[np.float64]:
    """What areas counted together in each month, NaN where most were not supplied: of those that have every month most have."""
    most = usable.mean(axis=0) >= 0.5
    areas = usable[:, most].all(axis=1)
    totals: NDArray[np.float64] = np.where(most & areas.any(), counts[areas].sum(axis=0), np.nan)
    return totals
