"""What is normal for a month of a stream, and which of its crime types are missing although their month was supplied."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LEAST_NORMAL", "LEAST_SHARE", "compare_months"]

LEAST_SHARE = 0.5
"""A month with a smaller share of its normal rows is not there whole."""

LEAST_NORMAL = 50
"""Below so many normal rows, few are no sign of anything."""

_MOST_COMPARED, _FEWEST_COMPARED = 12, 6
_FIRST_MONTHS = 3


def compare_months(
    by_type: NDArray[np.int64], whole: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Compare each month with up to 12 others that were supplied whole, those nearest to it.

    A stream that grows starts small: all that its first three months can be compared with is later, so their normal is the
    least of those months, and a type must be common in every one of them.

    Parameters
    ----------
    by_type
        Rows of consecutive months: shape (months, types).
    whole
        The months that others are compared with.

    Returns
    -------
    normal
        The median of the rows of the months compared; NaN where these are fewer than six.
    normal_present
        The same of the types that are not `absent`: how few these are says nothing of the others.
    absent
        Types of which the month has no row, and more than half of the months compared have at least `LEAST_NORMAL`:
        shape (months, types).
    """
    at, rows = np.flatnonzero(whole), by_type.sum(axis=1)
    normal, present = np.full((2, len(whole)), np.nan)
    absent = np.zeros(by_type.shape, dtype=bool)
    for i in range(len(whole)):
        others = at[at != i]
        if len(others) < _FEWEST_COMPARED:
            continue
        nearest = others[np.lexsort((others, np.abs(others - i)))[:_MOST_COMPARED]]
        common = (by_type[nearest] >= LEAST_NORMAL).mean(axis=0)
        early = (others < i).sum() < _FIRST_MONTHS
        absent[i] = (common == 1 if early else common > 0.5) & (by_type[i] == 0)
        usual = np.min if early else np.median
        normal[i] = usual(rows[nearest])
        present[i] = usual(by_type[nearest][:, ~absent[i]].sum(axis=1))
    return normal, present, absent
