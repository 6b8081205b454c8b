"""The classes of a map: their bounds, colours and words."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import mapclassify
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["SEQUENTIAL", "ZERO", "LegendClass", "could_change", "sequential_classes"]

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
    """A class of a legend. A sequential one holds the values from `low` to `high`, both of which some ward has."""

    id: str
    label: str
    low: float | None
    high: float | None
    colour: str


def sequential_classes(values: NDArray[np.float64], *, write: Callable[[float], str]) -> tuple[LegendClass, ...]:
    """A class of their own for zeros, then at most five with about as many wards in each; every class holds at least one value.

    Parameters
    ----------
    values
        The figures of a map; NaN (no figure) is left out.
    write
        How a bound is written.
    """
    none = (LegendClass("zero", NONE_RECORDED, 0, 0, ZERO),) if (values == 0).any() else ()
    known = values[~np.isnan(values) & (values != 0)]
    if not len(known):
        return none
    with warnings.catch_warnings():
        # Fewer distinct values than classes, as in a county of zeros, is no mistake.
        warnings.simplefilter("ignore")
        bounds = np.unique(mapclassify.Quantiles(known, k=5).bins)
    # Interpolated bounds would name values that no ward has: end each class at the greatest value in it.
    ends = sorted({float(known[known <= bound].max()) for bound in bounds if (known <= bound).any()} | {float(known.max())})
    starts = [float(known.min())]
    starts += [float(known[known > end].min()) for end in ends[:-1]]
    # Rounded, the least may read as zero: then it is said to lie over it.
    zeros = [write(0)] if none else []
    labels = _labels([*zeros, *map(write, starts)], [*zeros, *map(write, ends)])[len(zeros) :]
    return none + tuple(
        LegendClass(f"class-{i + 1}", label, starts[i], ends[i], colour)
        for i, (label, colour) in enumerate(zip(labels, SEQUENTIAL[len(ends)], strict=True))
    )


def could_change(value: float, low: float, high: float, classes: tuple[LegendClass, ...]) -> bool:
    """Whether a figure's range reaches a value that the legend gives to another class than the figure's own.

    Between two classes lie values that no ward has: they belong to neither.

    Examples
    --------
    >>> classes = (LegendClass("class-1", "1 to 2", 1, 2, "#c7e9b4"), LegendClass("class-2", "8 to 9", 8, 9, "#2c7fb8"))
    >>> could_change(1, 0, 7, classes), could_change(1, 0, 8, classes), could_change(9, 3, 20, classes)
    (False, True, False)
    """
    bounds = [(c.low, c.high) for c in classes if c.low is not None and c.high is not None]
    own = next((i for i, (least, most) in enumerate(bounds) if least <= value <= most), None)
    if own is None:
        return False
    return (own > 0 and low <= bounds[own - 1][1]) or (own + 1 < len(bounds) and high >= bounds[own + 1][0])


def _labels(starts: list[str], ends: list[str]) -> list[str]:
    """Ranges in words. Where rounding makes a class start where the last one ends, it is said to lie over it."""
    labels = []
    for i, (start, end) in enumerate(zip(starts, ends, strict=True)):
        if i and start == ends[i - 1]:
            labels.append(f"over {start} to {end}" if start != end else f"over {start}")
        else:
            labels.append(start if start == end else f"{start} to {end}")
    return labels
