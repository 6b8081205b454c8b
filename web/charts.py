"""Charts drawn on the server as SVG: no script, crisp in print, and with every number in a table beside them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mapping.series import Series, SeriesMonth
    from mapping.vocabulary import Period

__all__ = ["Chart", "series_chart"]

_LEFT, _TOP, _BOTTOM = 40.0, 18.0, 20.0
_TICK, _ZERO_WIDTH = 1.5, 8.0
_GAP_LABEL_WIDTH = 62.0  # what "not supplied" takes at the chart's size of text
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Column:
    """A bar, or the hatch behind a month of which there is no whole figure: `not-supplied` or `partial`."""

    x: float
    y: float
    width: float
    height: float
    title: str
    chosen: bool
    hatch: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A text at a place of the chart."""

    x: float
    y: float
    text: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that the template draws, in the units of the view box.

    `bands` are paths around the range that was to be expected, one for each run of months that have one; `alarms` mark the
    months that stand out, `breaks` the months from which recording is another, by a letter.
    """

    width: float
    height: float
    columns: tuple[Column, ...]
    bands: tuple[str, ...]
    alarms: tuple[Mark, ...]
    breaks: tuple[Mark, ...]
    lines: tuple[Mark, ...]
    months: tuple[Mark, ...]
    gaps: tuple[Mark, ...]
    zeros: tuple[Mark, ...]
    left: float
    top: float
    base: float
    summary: str


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where things are drawn: `step` is the width of a month, `most` the number at the top."""

    width: float
    height: float
    base: float
    step: float
    most: float

    def x(self, i: float) -> float:
        return round(_LEFT + i * self.step, 1)

    def y(self, number: float) -> float:
        return round(self.base - (self.base - _TOP) * number / self.most, 1)


def series_chart(series: Series, period: Period, *, width: float = 360, height: float = 150) -> Chart:
    """A column for each month, the range that was to be expected of it, and what stood out.

    A zero is a tick on the line. Months not supplied are hatched and named: they are not zero.

    Parameters
    ----------
    period
        The months that are chosen.
    width, height
        Size of the view box.
    """
    months = series.months
    most = nice_ceiling(max((max(month.count, month.high or 0) for month in months), default=0))
    inner = width - _LEFT
    frame = _Frame(width, height, height - _BOTTOM, min(inner / max(len(months), 1), inner / 8), most)
    return Chart(
        width=width,
        height=height,
        columns=tuple(_columns(months, period, frame)),
        bands=tuple(_bands(months, frame)),
        alarms=tuple(
            Mark(
                frame.x(i + 0.41),
                round(max(frame.y(max(month.count, month.high or 0)) - 4, 9.0), 1),
                "▲" if month.alarm == "higher" else "▼",
                f"{month.month.words}: {month.alarm} than expected",
            )
            for i, month in enumerate(months)
            if month.alarm
        ),
        breaks=tuple(
            Mark(frame.x(found.month.index - months[0].month.index - 0.09), _TOP - 6, letter, found.words)
            for letter, found in zip(_LETTERS, series.breaks, strict=False)
        ),
        lines=tuple(Mark(_LEFT - 6, frame.y(most * share), f"{most * share:,.0f}") for share in (0, 0.5, 1)),
        months=tuple(_month_marks(months, frame)),
        gaps=tuple(_gap_marks(months, frame)),
        zeros=tuple(
            Mark(frame.x(i + 0.41), frame.base - _TICK - 3, "0")
            for i, month in enumerate(months)
            if not month.count and month.status != "not-supplied" and frame.step >= _ZERO_WIDTH
        ),
        left=_LEFT,
        top=_TOP,
        base=frame.base,
        summary=_summary(series),
    )


def _columns(months: Sequence[SeriesMonth], period: Period, frame: _Frame) -> Iterator[Column]:
    thick = round(max(frame.step * 0.82, 1.0), 1)
    for i, month in enumerate(months):
        words = {"not-supplied": "not supplied", "partial": f"{month.count:,} (only part supplied)"}
        usual = f", usual range {month.low:,.0f} to {month.high:,.0f}" if month.high is not None else ""
        title = f"{month.month.words}: {words.get(month.status, format(month.count, ','))}{usual}"
        chosen = period.first <= month.month <= period.last
        if month.status != "supplied":
            yield Column(frame.x(i), _TOP, thick, round(frame.base - _TOP, 1), title, chosen, month.status)
        if month.status != "not-supplied":
            tall = max(frame.base - frame.y(month.count), _TICK)
            yield Column(frame.x(i), round(frame.base - tall, 1), thick, round(tall, 1), title, chosen, "")


def _bands(months: Sequence[SeriesMonth], frame: _Frame) -> Iterator[str]:
    """Paths around the ranges: along their upper ends and back along their lower ends, a step for each month."""
    for known, run in groupby(enumerate(months), key=lambda pair: pair[1].high is not None):
        if not known:
            continue
        steps = [(frame.x(i), frame.x(i + 1), frame.y(m.low or 0), frame.y(m.high or 0)) for i, m in run]
        upper = [f"{x:g},{high:g} {end:g},{high:g}" for x, end, _, high in steps]
        lower = [f"{end:g},{low:g} {x:g},{low:g}" for x, end, low, _ in reversed(steps)]
        yield f"M{' L'.join(upper)} L{' L'.join(lower)} Z"


def _summary(series: Series) -> str:
    known = [month for month in series.months if month.status != "not-supplied"]
    if not known:
        return "No month of this series was supplied."
    first, last = series.months[0].month.words, series.months[-1].month.words
    few, many = min(m.count for m in known), max(m.count for m in known)
    alarms = [f"{m.month.words} {m.alarm}" for m in series.months if m.alarm]
    stood_out = f" More than chance: {', '.join(alarms)} than expected." if alarms else ""
    return f"Monthly incidents, {first} to {last}: from {few:,} to {many:,} a month.{stood_out}"


def nice_ceiling(value: float) -> int:
    """The least even number of the form 1, 2, 4, 5, 6 or 8 times a power of ten that is not under a value.

    >>> [nice_ceiling(v) for v in (0, 1, 7, 31, 412)]
    [2, 2, 8, 40, 500]
    """
    power = 1
    while True:
        for first in (1, 2, 4, 5, 6, 8):
            if (ceiling := first * power) >= max(value, 2) and ceiling % 2 == 0:
                return ceiling
        power *= 10


def _month_marks(months: Sequence[SeriesMonth], frame: _Frame) -> Iterator[Mark]:
    """Names under the columns: months of a short series, years of a long one."""
    if len(months) <= 13:
        every = 1 if frame.step > 24 else 2
        named = [(i, f"{month.month.first:%b}") for i, month in enumerate(months) if i % every == 0]
    else:
        named = [(i, str(month.month.year)) for i, month in enumerate(months) if month.month.number == 1]
    return (Mark(frame.x(i + 0.41), frame.height - 5, text) for i, text in named)


def _gap_marks(months: Sequence[SeriesMonth], frame: _Frame) -> Iterator[Mark]:
    """`not supplied`, once for each run of hatched months that is wide enough to hold the words."""
    for gone, run in groupby(enumerate(months), key=lambda pair: pair[1].status == "not-supplied"):
        at = [i for i, _ in run]
        if gone and len(at) * frame.step >= _GAP_LABEL_WIDTH:
            yield Mark(frame.x((at[0] + at[-1] + 1) / 2), round((frame.base + _TOP) / 2, 1), "not supplied")
