"""What a count owes to where its points are: how many lie near the line, and how many at a default location."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mapping.measures.base import Option

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mapping.measures.base import View

__all__ = ["HATCHED", "NEARNESS", "Near", "Where", "look_where"]

HATCHED = "hatched"

NEARNESS = Option("nearness", "Wards near a change of class", ("plain", HATCHED))
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

    def default_words(self, i: int) -> str:
        """A sentence on the incidents of an area that are at a default location, or nothing."""
        n = int(self.at_default[i])
        return f" {n:,} of them {'is' if n == 1 else 'are'} at a default location (not left out of counts)." if n else ""


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
    at_default = total(view.observed(view.period) - view.observed(view.period, without_default_places=True))
    if nearness is None:
        return Where("", None, None, at_default)
    out, into = (total(view.summed(counts, view.period)) for counts in (nearness.out, nearness.into))
    return Where(nearness.words, out, into, at_default)
