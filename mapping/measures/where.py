"""What a count owes to where its points are: how many lie near the line, and how many at a default location."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mapping.measures.base import Option

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mapping.measures.base import Area, View

__all__ = ["HATCHED", "NEARNESS", "Near", "NearRow", "Where", "look_where", "near_rows"]

HATCHED = "hatched"

NEARNESS = Option("nearness", "Near a line", ("plain", HATCHED), labels=("Not marked", "Hatched"))
"""Whether the map hatches wards whose class would change if points near the line belonged on its other side."""


@dataclass(frozen=True, slots=True)
class Near:
    """For each area: incidents near another area and others near it, and the figure if either belonged next door.

    `low` and `high` are on the measure's own scale, NaN where it has no figure; `within` says how near, in words.
    """

    within: str
    out: NDArray[np.int64]
    into: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def words(self, i: int, *, of: str, write: Callable[[float], str]) -> str:
        """A sentence on an area's incidents near the line, or nothing; `of` says whose they are, `write` writes a figure."""
        if not (self.out[i] or self.into[i]):
            return ""
        mine = f"{self.out[i]:,} of {of} lie" if self.out[i] > 1 else f"{('None', 'One')[self.out[i]]} of {of} lies"
        others = f"{self.into[i]:,} others" if self.into[i] > 1 else ("no other", "one other")[self.into[i]]
        return (
            f" {mine} within {self.within} of another ward, and {others} within {self.within} of this "
            f"one: {write(self.low[i])} to {write(self.high[i])} if they belonged next door."
        )


class NearRow(NamedTuple):
    """What `Near` says of one area."""

    within: str
    out: int
    into: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Where:
    """Of the incidents behind a figure, for each area, those near the line and those at a confirmed default location.

    `out` and `into` are those of `Near`, None where points are exact.
    """

    within: str
    out: NDArray[np.int64] | None
    into: NDArray[np.int64] | None
    at_default: NDArray[np.int64]

    def near(self, counted: NDArray[np.float64], *, scale: NDArray[np.float64] | float = 1.0) -> Near | None:
        """The range of figures, from the counts that they are made of and what each incident adds to them."""
        if self.out is None or self.into is None:
            return None
        return Near(self.within, self.out, self.into, scale * (counted - self.out), scale * (counted + self.into))

    def default_words(self, i: int, *, of: str) -> str:
        """A sentence on the incidents of an area that are at a default location, or nothing."""
        n = int(self.at_default[i])
        return f" {n:,} of {of} {'is' if n == 1 else 'are'} at a default location (not left out of counts)." if n else ""


def look_where(view: View, counted: NDArray[np.bool_]) -> Where:
    """Look at the places behind a figure.

    Parameters
    ----------
    counted
        Which months of the period each area's figure stands on: shape (areas, months).
    """

    def total(by_month: NDArray[np.int64]) -> NDArray[np.int64]:
        summed: NDArray[np.int64] = np.where(counted, by_month, 0).sum(axis=1)
        return summed

    nearness = view.nearness()
    none = np.zeros(len(view.areas), dtype=np.int64)
    at_default = none if view.at_default is None else total(view.total_of(view.at_default, view.period))
    if nearness is None:
        return Where("", None, None, at_default)
    out, into = (total(view.total_of(counts, view.period)) for counts in (nearness.out, nearness.into))
    return Where(nearness.words, out, into, at_default)


def near_rows(near: Near | None, areas: tuple[Area, ...]) -> dict[str, NearRow]:
    """What is near the line, by the code of the area; areas without a figure are left out."""
    if near is None:
        return {}
    columns = (near.out.tolist(), near.into.tolist(), near.low.tolist(), near.high.tolist())
    rows = {area.code: NearRow(near.within, *row) for area, row in zip(areas, zip(*columns, strict=True), strict=True)}
    return {code: row for code, row in rows.items() if not math.isnan(row.low)}
