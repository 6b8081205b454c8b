"""The history of a hot spot in one word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mapping.statistics.trends import mann_kendall

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["EMERGING", "classify_histories"]

_ALMOST_ALWAYS = 0.9
_HOT = (
    "new",
    "consecutive",
    "intensifying",
    "persistent",
    "diminishing",
    "sporadic",
    "oscillating",
    "historical",
)
EMERGING = (*_HOT, *(f"{word}-cold" for word in _HOT), "none")
"""The words, hot ones first."""


def classify_histories(bins: ArrayLike, z: ArrayLike, *, level: float = 0.05) -> list[str]:
    """Say of each area how its months came to be hot or cold.

    Parameters
    ----------
    bins
        1 where a month is hot, -1 where it is cold, else 0: shape (areas, months), the last month last.
    z
        The scores that they come from, of that shape: their trend is looked at by `mann_kendall`.
    level
        Up to which p a trend counts.

    Returns
    -------
    words
        One of `EMERGING` for each area.

    Notes
    -----
    Of n months h are hot, c cold. The hot side, in this order; the cold side is its mirror:

    1. h >= 0.9 n, the last not hot: historical;
    2. h >= 0.9 n: intensifying if z rises, diminishing if it falls, else persistent;
    3. h < 0.9 n, the last hot: oscillating if any month was cold; new if only the last is hot; consecutive if all hot months
       form the final run; else sporadic;
    4. the last neither, h > 0, none cold: sporadic.

    After Esri's emerging hot spot analysis, where its words leave two readings the first that fits.

    Examples
    --------
    >>> months = [[0, 0, 0, 1], [0, 0, 1, 1], [1, 1, 1, 1], [1, 0, 0, 1], [-1, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, -1]]
    >>> classify_histories(months, months)
    ['new', 'consecutive', 'persistent', 'sporadic', 'oscillating', 'none', 'new-cold']
    """
    b = np.asarray(bins, dtype=int)
    test = mann_kendall(np.asarray(z, dtype=float))
    trend = np.where(test.p <= level, np.sign(test.s), 0)
    hot, cold = _side(b, trend), _side(-b, -trend)
    return [h or (f"{c}-cold" if c else "none") for h, c in zip(hot, cold, strict=True)]


def _side(bins: NDArray[np.int64], trend: NDArray[np.float64]) -> list[str]:
    """The words of the hot side; nothing where no rule of it fits."""
    n = bins.shape[1]
    hot, cold = bins == 1, bins == -1
    h, last = hot.sum(axis=1), hot[:, -1]
    first_hot = np.where(h > 0, hot.argmax(axis=1), n)
    always, any_cold = h >= _ALMOST_ALWAYS * n, np.any(cold, axis=1)
    rules = (
        (always & ~last, "historical"),
        (always & (trend > 0), "intensifying"),
        (always & (trend < 0), "diminishing"),
        (always, "persistent"),
        (last & any_cold, "oscillating"),
        (last & (h == 1), "new"),
        (last & (first_hot + h == n), "consecutive"),
        (last, "sporadic"),
        (~cold[:, -1] & (h > 0) & ~any_cold, "sporadic"),
    )
    words = np.full(len(bins), "", dtype=object)
    for holds, word in reversed(rules):
        words[holds] = word
    found: list[str] = words.tolist()
    return found
