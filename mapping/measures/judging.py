"""What measures that judge share: whether there is anything to judge, and the one rule that gives word, class and colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mapping.measures.base import SUPPLIED
from mapping.statistics.discovery import SIGNIFICANT, false_discovery
from mapping.statistics.dispersion import month_dispersion
from mapping.vocabulary import Month, Period

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mapping.measures.base import View

__all__ = ["PANDEMIC", "Verdicts", "judge", "shared_phi", "why_not_supplied"]


PANDEMIC = Period(Month(2020, 4), Month(2021, 7))
"""The months of restrictions: what was high or low then tells of no trend, and not what to expect of other years."""


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The outcome of a family of tests: p and q of each (NaN: not tested), and the two degrees of being sure.

    `sure` is what gives the class; `perhaps` are those whose own interval excludes that there is nothing to tell, and q does
    not.
    """

    p: NDArray[np.float64]
    q: NDArray[np.float64]
    sure: NDArray[np.bool_]
    perhaps: NDArray[np.bool_]

    @property
    def family(self) -> int:
        """How many tests stood beside each other, those included that could not be made."""
        return len(self.q)

    @property
    def tested(self) -> NDArray[np.bool_]:
        """Those that could be tested."""
        return ~np.isnan(self.p)

    def classes(self, way: NDArray[np.str_], quiet: str) -> list[str]:
        """The class of each: its way where that is sure, else the quiet one; empty where nothing was tested."""
        found: list[str] = np.where(self.tested, np.where(self.sure, way, quiet), "").tolist()
        return found

    def leanings(self, way: NDArray[np.str_]) -> dict[int, str]:
        """The way of those that are perhaps something, by index."""
        return {int(i): str(way[i]) for i in np.flatnonzero(self.perhaps)}

    def working(self, i: int) -> str:
        """The chances of one, as an explanation ends."""
        return f"p = {self.p[i]:.4g}, q = {self.q[i]:.4g} among {self.family:,}."


def judge(p: NDArray[np.float64]) -> Verdicts:
    """Benjamini and Hochberg's q <= .05 over all areas of an answer; NaN counts as a test that finds nothing."""
    q = false_discovery(p)
    sure = np.nan_to_num(q, nan=1.0) <= SIGNIFICANT
    perhaps = ~sure & (np.nan_to_num(p, nan=1.0) < SIGNIFICANT)
    return Verdicts(p, q, sure, perhaps)


def shared_phi(counts: NDArray[np.float64], whole: NDArray[np.bool_]) -> float:
    """How much more than Poisson the months of wards vary, from those that were supplied whole: shape (wards, months)."""
    # The months that most wards have: a hole in one ward's history is not to leave the others' out.
    some = np.flatnonzero(whole.mean(axis=0) >= 0.5)
    wards = whole[:, some].all(axis=1)
    return month_dispersion(counts[wards][:, some]) if len(some) and wards.any() else 1.0


def why_not_supplied(view: View, periods: Sequence[Period]) -> list[str]:
    """For each area why these periods cannot be compared: a status, or nothing where every month was supplied whole.

    `too-short` where all that is missing lies before anything was supplied; else `not-supplied`.
    """
    codes = np.concatenate([view.month_codes(period) for period in periods], axis=1)
    months = [month for period in periods for month in period]
    starts = [group.span.first if group.span else None for group in view.groups]
    known = np.array([[start is not None and month >= start for month in months] for start in starts], dtype=bool)
    late = known.reshape(len(starts), len(months))[view.group_of_area]
    whole: NDArray[np.bool_] = codes == SUPPLIED
    every: NDArray[np.bool_] = np.all(whole, axis=1)
    hole: NDArray[np.bool_] = np.any(~whole & late, axis=1) | ~np.any(late, axis=1)
    return ["" if there else "not-supplied" if gap else "too-short" for there, gap in zip(every, hole, strict=True)]
