"""A ward's months: what was counted, what was to be expected, which stood out, and when recording changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mapping.measures.expectation import expect
from mapping.measures.expected import alarms
from mapping.questions import read_ground, read_view
from mapping.vocabulary import Period

if TYPE_CHECKING:
    from collections.abc import Callable

    from mapping.breaks import Break
    from mapping.coverage import Coverage
    from mapping.measures import View
    from mapping.questions import Ground, Question
    from mapping.reader import Reader
    from mapping.vocabulary import Month

__all__ = ["Series", "SeriesMonth", "ward_series"]


@dataclass(frozen=True, slots=True)
class SeriesMonth:
    """A month of a series; `reason` says why it is not there whole, and where it is not there at all, nothing is counted.

    `mean`, `low` and `high` are what was to be expected and its 95% range, None where too little came before. `alarm` is
    `higher` or `lower` where the month stands out by more than chance among all wards of that month, else empty.
    """

    month: Month
    count: int
    status: str
    reason: str
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    alarm: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """The months of a ward, the recording breaks among them, and how many ward-and-type pairs are looked at each month."""

    months: tuple[SeriesMonth, ...]
    breaks: tuple[Break, ...]
    pairs: int

    @property
    def expected(self) -> bool:
        """Whether anything was to be expected in any of its months."""
        return any(month.mean is not None for month in self.months)


def ward_series(reader: Reader, question: Question, code: str, *, period: Period, months: int | None) -> Series:
    """The series of a ward for the types of a question.

    Parameters
    ----------
    code
        A ward of the question's set.
    period
        The months that were asked for: the series holds their end.
    months
        How many months it has; None for all that were supplied.
    """
    ground = read_ground(reader, replace(question, first=None, last=None, by="ward", ward=None, district=None), months=None)
    span = _span(ground.sending if ground.sending.streams else ground.supplied, period, months)
    name = f"series {ground.boundary_set.id} {question.source} {question.crime_type} {code} {span}"
    return reader.keep(ground.catalogue, name, lambda _: _read(reader, ground, question, code, span))


def _read(reader: Reader, ground: Ground, question: Question, code: str, span: Period) -> Series:
    view = read_view(reader, ground, replace(question, by="ward", ward=None, district=None), {})
    at = next(i for i, area in enumerate(view.areas) if area.code == code)
    coverage = view.groups[view.group_of_area[at]]
    counts = view.observed(span)[at]
    statuses = {month: coverage.status(month) for month in span}
    plain = [
        SeriesMonth(
            month,
            0 if statuses[month] == "not-supplied" else round(count),
            statuses[month],
            coverage.reason(month) if statuses[month] != "supplied" else "",
        )
        for month, count in zip(span, counts.tolist(), strict=True)
    ]

    def stand_out(month: Month) -> dict[int, str]:
        """The wards that stand out in a month, by index, kept until the data change."""
        name = f"alarms {ground.boundary_set.id} {question.source} {question.crime_type} {month}"
        return reader.keep(ground.catalogue, name, lambda _: alarms(replace(view, period=Period(month, month))))

    return Series(
        months=tuple(_judged(view, at, plain, stand_out)),
        breaks=view.breaks_between(span.first.plus(-1), span.last)[at],
        pairs=len(view.areas),
    )


def _judged(view: View, at: int, months: list[SeriesMonth], stand_out: Callable[[Month], dict[int, str]]) -> list[SeriesMonth]:
    """The months with what was to be expected of those that were supplied whole, and the alarms among them."""
    whole = [found.month for found in months if found.status == "supplied"]
    if not whole:
        return months
    found = expect(view, whole, only=np.array([at]))
    window = {month: i for i, month in enumerate(whole) if not np.isnan(found.mean[0, i])}
    judged = []
    for plain in months:
        i = window.get(plain.month)
        if i is None:
            judged.append(plain)
            continue
        mean, low, high = (float(part[0, i]) for part in (found.mean, found.low, found.high))
        # Only where a month is outside its own range can it stand out among those of all wards.
        inside = low <= found.count[0, i] <= high
        alarm = "" if inside else stand_out(plain.month).get(at, "")
        judged.append(replace(plain, mean=mean, low=low, high=high, alarm=alarm))
    return judged


def _span(coverage: Coverage, period: Period, months: int | None) -> Period:
    """The months of a series: they hold the end of the period, and lie within what was supplied."""
    span = coverage.span or period
    first, last = min(span.first, period.first), max(span.last, period.last)
    if months is not None:
        last = min(last, max(period.last, period.first.plus(months - 1)))
        first = max(first, last.plus(1 - months))
    return Period(first, last)
