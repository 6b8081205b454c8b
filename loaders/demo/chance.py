"""Chance that falls the same on every machine.

Only PCG64's raw stream is used: numpy promises that it never changes, and promises nothing for the distributions
built on it. All here is made from those 64 bits with exact operations.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["BoolArray", "Chance", "FloatArray", "IntArray"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


class Chance:
    """One named stream of chance; streams of different keys are independent, so that one may grow alone."""

    def __init__(self, seed: int, *keys: int) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence((seed, *keys)))

    def uniform(self, size: int) -> FloatArray:
        """Draw `size` numbers in [0, 1), with 53 bits each."""
        return (self._bits.random_raw(size) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def whole(self, low: int, high: int, *, size: int) -> IntArray:
        """Draw `size` whole numbers from `low` to `high`, both included."""
        return low + np.floor(self.uniform(size) * (high - low + 1)).astype(np.int64)

    def chosen(self, share: float, *, size: int) -> BoolArray:
        """Choose each of `size` things with the chance `share`."""
        return self.uniform(size) < share

    def pick(self, weights: IntArray, *, size: int) -> IntArray:
        """Draw `size` positions of `weights` (whole numbers, at least one above 0), each as often as its weight."""
        ends = np.cumsum(weights)
        drawn = np.floor(self.uniform(size) * ends[-1])
        picked: IntArray = np.searchsorted(ends, drawn, side="right")
        return picked
