"""Many tests at once: which of them stand when it is allowed for how many there were."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["SIGNIFICANT", "false_discovery"]

SIGNIFICANT = 0.05
"""Up to this q a difference is called more than chance: of those so called, on average no more than 5% are chance."""


def false_discovery(p: ArrayLike) -> NDArray[np.float64]:
    """Benjamini and Hochberg's q of each test of a family.

    Parameters
    ----------
    p
        All p values of the family, any shape. NaN, of what could not be tested, counts as a member that is not significant.

    Returns
    -------
    q
        Of that shape, NaN where p is: the least rate of false discoveries at which the test would be among those that stand.

    Raises
    ------
    ValueError
        If a p is not between 0 and 1.

    Notes
    -----
    In order of p, q_i = min over j >= i of m p_j / j. Benjamini and Hochberg (1995), J. Roy. Stat. Soc. B 57, 289-300; by
    scipy's `false_discovery_control`.

    Examples
    --------
    Four in the family: the least p times 4, the others times 4/2 and 4/3, none above those after it.

    >>> false_discovery([0.01, 0.04, 0.03, np.nan]).round(4).tolist()
    [0.04, 0.0533, 0.0533, nan]
    """
    given = np.asarray(p, dtype=float)
    untested = np.isnan(given)
    if np.any((given < 0) | (given > 1)):
        message = "a p must lie between 0 and 1"
        raise ValueError(message)
    if not given.size:
        return given
    q = stats.false_discovery_control(np.where(untested, 1.0, given).ravel(), method="bh").reshape(given.shape)
    return np.where(untested, np.nan, q)
