"""What is normal for a month of a stream, and which of its crime types are missing although their month was supplied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LEAST_NORMAL", "Comparison", "compare_months"]

LEAST_SHARE = 0.5
"""A month with a smaller share of its normal rows is not there whole."""

LEAST_NORMAL = 50
"""Below so many normal rows, few are no sign of anything."""

_MOST_COMPARED, _FEWEST_COMPARED = 12, 6
_FIRST_MONTHS = 3


@dataclass(frozen=True, slots=True)
class Comparison:
    """Months beside others: NaN, and false, where these are fewer than six.

    `normal` is the median of the rows of the months compared; `absent` tells the types of which the month has no row, and more
    than half of the months compared have at least `LEAST_NORMAL` (shape (months, types)). Those say nothing of the other types:
    `normal_present` is the median of these, and `few` whether the month has less than `LEAST_SHARE` of it.
    """

    normal: NDArray[np.float64]
    normal_present: NDArray[np.float64]
    few: NDArray[np.bool_]
    absent: NDArray[np.bool_]


def compare_months(by_type: NDArray[np.int64], whole: NDArray[np.bool_]) -> Comparison:
    """Compare each month with up to 12 others that were supplied whole, those nearest to it.

    A stream that grows starts small, and all that its first three months can be compared with is later: they are held against
    the lower quartile of those months in place of the median, and a type must be common in three quarters of them.

    Parameters
    ----------
    by_type
        Rows of consecutive months: shape (months, types).
    whole
        The months that others are compared with.
    """
    at, rows = np.flatnonzero(whole), by_type.sum(axis=1)
    normal, present = np.full((2, len(whole)), np.nan)
    few, absent = np.zeros(len(whole), dtype=bool), np.zeros(by_type.shape, dtype=bool)
    for i in range(len(whole)):
        others = at[at != i]
        if len(others) < _FEWEST_COMPARED:
            continue
        nearest = others[np.lexsort((others, np.abs(others - i)))[:_MOST_COMPARED]]
        common = (by_type[nearest] >= LEAST_NORMAL).mean(axis=0)
        early = (others < i).sum() < _FIRST_MONTHS
        absent[i] = (common >= 0.75 if early else common > 0.5) & (by_type[i] == 0)
        like = by_type[nearest][:, ~absent[i]].sum(axis=1)
        normal[i], present[i] = np.median(rows[nearest]), np.median(like)
        held_against = np.quantile(like, 0.25) if early else present[i]
        few[i] = held_against >= LEAST_NORMAL and rows[i] < LEAST_SHARE * held_against
    return Comparison(normal, present, few, absent)
