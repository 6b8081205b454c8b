"""Charts drawn on the server as SVG: no script, crisp in print, and with every number in a table beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from web.figures import Bar

__all__ = ["Chart", "series_chart"]

_LEFT, _TOP, _BOTTOM = 40.0, 10.0, 20.0
_TICK, _ZERO_WIDTH = 1.5, 8.0
_GAP_LABEL_WIDTH = 62.0  # what "not supplied" takes at the chart's size of text


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


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that the template draws, in the units of the view box."""

    width: float
    height: float
    columns: tuple[Column, ...]
    lines: tuple[Mark, ...]
    months: tuple[Mark, ...]
    gaps: tuple[Mark, ...]
    zeros: tuple[Mark, ...]
    left: float
    base: float
    summary: str


def series_chart(bars: Sequence[Bar], *, width: float = 360, height: float = 150) -> Chart:
    """A column for each month; a zero is a tick on the line. Months not supplied are hatched and named: they are not zero.

    Parameters
    ----------
    bars
        The months in order.
    width, height
        Size of the view box.
    """
    base, inner = height - _BOTTOM, width - _LEFT
    top = nice_ceiling(max((bar.count for bar in bars), default=0))
    step = min(inner / max(len(bars), 1), inner / 8)
    columns: list[Column] = []
    for i, bar in enumerate(bars):
        x, thick = _LEFT + i * step, max(step * 0.82, 1.0)
        tall = (base - _TOP) * bar.count / top
        words = {"not-supplied": "not supplied", "partial": f"{bar.count:,} (only part supplied)"}
        title = f"{bar.month.words}: {words.get(bar.status, format(bar.count, ','))}"
        if bar.status != "supplied":
            columns.append(_column(x, _TOP, thick, base - _TOP, title, chosen=bar.chosen, hatch=bar.status))
        if bar.status != "not-supplied":
            tall = max(tall, _TICK)
            columns.append(_column(x, base - tall, thick, tall, title, chosen=bar.chosen, hatch=""))
    known = [bar for bar in bars if bar.status != "not-supplied"]
    summary = (
        f"Monthly incidents, {bars[0].month.words} to {bars[-1].month.words}: from {min(b.count for b in known):,} "
        f"to {max(b.count for b in known):,} a month."
        if known
        else "No month of this series was supplied."
    )
    return Chart(
        width=width,
        height=height,
        columns=tuple(columns),
        lines=tuple(Mark(_LEFT - 6, round(base - (base - _TOP) * share, 1), f"{top * share:,.0f}") for share in (0, 0.5, 1)),
        months=tuple(_month_marks(bars, step, height - 5)),
        gaps=tuple(_gap_marks(bars, step, base)),
        zeros=tuple(
            Mark(round(_LEFT + (i + 0.41) * step, 1), base - _TICK - 3, "0")
            for i, bar in enumerate(bars)
            if not bar.count and bar.status != "not-supplied" and step >= _ZERO_WIDTH
        ),
        left=_LEFT,
        base=base,
        summary=summary,
    )


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


def _column(x: float, y: float, width: float, height: float, title: str, *, chosen: bool, hatch: str) -> Column:
    return Column(round(x, 1), round(y, 1), round(width, 1), round(height, 1), title, chosen, hatch)


def _month_marks(bars: Sequence[Bar], step: float, y: float) -> list[Mark]:
    """Names under the columns: months of a short series, years of a long one."""
    if len(bars) <= 13:
        every = 1 if step > 24 else 2
        named = [(i, f"{bar.month.first:%b}") for i, bar in enumerate(bars) if i % every == 0]
    else:
        named = [(i, str(bar.month.year)) for i, bar in enumerate(bars) if bar.month.number == 1]
    return [Mark(round(_LEFT + (i + 0.41) * step, 1), y, text) for i, text in named]


def _gap_marks(bars: Sequence[Bar], step: float, base: float) -> list[Mark]:
    """`not supplied`, once for each run of hatched months that is wide enough to hold the words."""
    marks, start = [], None
    for i in range(len(bars) + 1):
        gap = i < len(bars) and bars[i].status == "not-supplied"
        if gap and start is None:
            start = i
        elif not gap and start is not None:
            if (i - start) * step >= _GAP_LABEL_WIDTH:
                marks.append(Mark(round(_LEFT + (start + i) / 2 * step, 1), round((base + _TOP) / 2, 1), "not supplied"))
            start = None
    return marks
