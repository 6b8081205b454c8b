"""The classes of a map: their bounds, colours and words."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import mapclassify
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["SEQUENTIAL", "ZERO", "LegendClass", "could_change", "find_class", "sequential_classes"]

# ColorBrewer's YlGnBu (colorbrewer2.org): safe for colour-blind readers and ordered in lightness, so also in grey.
SEQUENTIAL = {
    1: ("#41b6c4",),
    2: ("#c7e9b4", "#2c7fb8"),
    3: ("#edf8b1", "#7fcdbb", "#2c7fb8"),
    4: ("#ffffcc", "#a1dab4", "#41b6c4", "#225ea8"),
    5: ("#ffffcc", "#a1dab4", "#41b6c4", "#2c7fb8", "#253494"),
}

ZERO = "#ffffff"
NONE_RECORDED = "0: none recorded"
"""A true zero, which looks like neither the least of the figures nor like any reason why there is none."""


@dataclass(frozen=True, slots=True)
class LegendClass:
    """A class of a legend: of figures from `low` to `high` as they are shown, None where it has no end; or by its id alone.

    Several may share an id and divide its figures by size.
    """

    id: str
    label: str
    low: float | None
    high: float | None
    colour: str

    def holds(self, value: float) -> bool:
        """Whether a figure, rounded as it is shown, lies between its bounds."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


def sequential_classes(
    values: NDArray[np.float64], *, write: Callable[[float], str], decimals: int, with_zero: bool = False
) -> tuple[LegendClass, ...]:
    """A class of its own for zeros, then at most five with about as many wards in each, which leave no figure out.

    Every class holds a value; the first and the last hold also what is less or more, so that they serve other months.

    Parameters
    ----------
    values
        The figures of a map; NaN (no figure) is left out.
    write
        How a bound is written.
    decimals
        How many decimals figures are shown with: classes are of figures as they are shown.
    with_zero
        Have a class for zeros although none of these is one.
    """
    none = (LegendClass("zero", NONE_RECORDED, 0, 0, ZERO),) if with_zero or (values == 0).any() else ()
    known = values[~np.isnan(values) & (values != 0)]
    if not len(known):
        return none
    with warnings.catch_warnings():
        # Fewer distinct values than classes, as in a county of zeros, is no mistake.
        warnings.simplefilter("ignore")
        bounds = np.unique(mapclassify.Quantiles(known, k=5).bins)
    # Interpolated bounds would name values that no ward has: end each class at the greatest value in it, as it is shown.
    shown = np.round(known, decimals)
    ends = sorted({float(shown[known <= bound].max()) for bound in bounds if (known <= bound).any()} | {float(shown.max())})
    step = 10.0**-decimals
    starts = [round(end + step, decimals) for end in ends[:-1]]
    # Whole figures that are not 0 begin at 1; others may be shown as 0.0 without being it.
    least: float | None = 1.0 if decimals == 0 and shown.min() >= 1 else None
    labels = _labels(ends, starts, write, least=least)
    lows, highs = [least, *starts], [*ends[:-1], None]
    return none + tuple(
        LegendClass(f"class-{i + 1}", label, lows[i], highs[i], colour)
        for i, (label, colour) in enumerate(zip(labels, SEQUENTIAL[len(ends)], strict=True))
    )


def _labels(ends: list[float], starts: list[float], write: Callable[[float], str], *, least: float | None) -> list[str]:
    """Ranges in words, the first and the last without an end."""
    if not starts:
        return [f"{write(least)} or more" if least else f"over {write(0)}"]
    first = f"up to {write(ends[0])}" if least is None else _range(least, ends[0], write)
    between = [_range(start, end, write) for start, end in zip(starts[:-1], ends[1:-1], strict=True)]
    return [first, *between, f"{write(starts[-1])} or more"]


def _range(start: float, end: float, write: Callable[[float], str]) -> str:
    return write(end) if start == end else f"{write(start)} to {write(end)}"


def find_class(value: float, classes: Sequence[LegendClass], *, decimals: int) -> int | None:
    """The index of the class that a figure is in, by what it is shown as; only 0 itself is a zero.

    Examples
    --------
    >>> classes = (LegendClass("zero", "0", 0, 0, "#ffffff"), LegendClass("class-1", "1 to 2", 1, 2, "#c7e9b4"))
    >>> [find_class(value, classes, decimals=0) for value in (0, 2, 2.4, 3)]
    [0, 1, 1, None]
    """
    shown = round(float(value), decimals)
    for i, found in enumerate(classes):
        if (found.id != "zero" and found.holds(shown)) or (found.id == "zero" and value == 0):
            return i
    return None


def could_change(value: float, low: float, high: float, classes: Sequence[LegendClass], *, decimals: int) -> bool:
    """Whether a figure's range reaches another class than the figure's own.

    Examples
    --------
    >>> classes = (LegendClass("class-1", "1 to 7", 1, 7, "#c7e9b4"), LegendClass("class-2", "8 or more", 8, None, "#2c7fb8"))
    >>> [could_change(*given, classes, decimals=0) for given in ((1, 1, 7), (1, 1, 8), (9, 3, 20))]
    [False, True, True]
    """
    own = find_class(value, classes, decimals=decimals)
    return own is not None and any(find_class(end, classes, decimals=decimals) not in (own, None) for end in (low, high))
