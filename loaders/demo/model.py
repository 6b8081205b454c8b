"""How many incidents of which type are to be expected: by the kind of ward, the season, the year and the pandemic."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from loaders.demo.chance import Chance, FloatArray, IntArray

__all__ = ["FIRST_YEAR", "KINDS", "MONTHS", "TYPES", "CrimeSpec", "days_in_month", "drawn", "expected"]

FIRST_YEAR, MONTHS = 2019, 84
KINDS = ("hub", "centre", "market", "inner", "estate", "suburb", "village")
# Brings the whole county to about 200,000 incidents.
LEVEL = 0.83

SUMMER = (84, 85, 93, 100, 106, 112, 117, 115, 105, 100, 93, 90)
WINTER = (114, 109, 103, 97, 92, 88, 87, 90, 96, 104, 112, 108)
SHOPS = (94, 94, 98, 98, 100, 99, 99, 99, 99, 103, 109, 108)
EVEN = (97, 97, 100, 100, 102, 102, 103, 102, 100, 101, 99, 97)

# How hard the pandemic held, in percent, for the months it did (0 = January 2019).
PANDEMIC = dict(enumerate((35, 100, 85, 50, 20, 10, 15, 25, 55, 35, 70, 65, 40, 15), start=14))


@dataclass(frozen=True)
class CrimeSpec:
    """What is to be expected of one crime type."""

    id: str
    rate: float  # incidents per 1,000 residents a year, where the factor of the kind of ward is 1
    factors: tuple[float, ...]  # by KINDS
    season: tuple[int, ...]  # percent, January to December
    trend: float  # change a year, as a share of the level at mid-series
    spread: float  # variance over mean of a ward's month
    pandemic: float  # what is left of it at the height of the pandemic


TYPES = (
    CrimeSpec("anti-social-behaviour", 19.0, (4.2, 2.2, 1.5, 1.5, 1.6, 0.6, 0.35), SUMMER, -0.03, 1.50, 1.80),
    CrimeSpec("bicycle-theft", 1.0, (4.5, 2.4, 1.2, 1.8, 0.8, 0.6, 0.2), SUMMER, -0.07, 1.10, 0.80),
    CrimeSpec("burglary", 4.2, (1.8, 1.5, 1.2, 1.3, 1.1, 0.9, 0.95), WINTER, -0.045, 1.20, 0.65),
    CrimeSpec("criminal-damage-arson", 7.0, (2.4, 1.7, 1.3, 1.4, 1.6, 0.7, 0.55), EVEN, -0.03, 1.20, 0.75),
    CrimeSpec("drugs", 2.8, (3.6, 1.9, 1.3, 1.6, 1.6, 0.5, 0.3), EVEN, 0.0, 1.45, 1.30),
    CrimeSpec("other-crime", 1.6, (1.9, 1.4, 1.1, 1.1, 1.2, 0.8, 0.8), EVEN, 0.01, 1.10, 0.90),
    CrimeSpec("other-theft", 6.0, (3.5, 1.9, 1.4, 1.2, 1.0, 0.8, 1.0), EVEN, -0.01, 1.15, 0.60),
    CrimeSpec("possession-of-weapons", 0.9, (3.0, 1.8, 1.2, 1.5, 1.6, 0.5, 0.3), EVEN, 0.03, 1.05, 0.80),
    CrimeSpec("public-order", 6.5, (4.2, 2.1, 1.4, 1.5, 1.5, 0.55, 0.35), SUMMER, 0.02, 1.30, 0.80),
    CrimeSpec("robbery", 0.7, (4.5, 2.2, 1.0, 1.8, 1.4, 0.4, 0.1), WINTER, -0.01, 1.05, 0.55),
    CrimeSpec("shoplifting", 6.5, (11.0, 5.5, 3.2, 1.2, 0.8, 0.4, 0.08), SHOPS, 0.08, 1.55, 0.55),
    CrimeSpec("theft-from-the-person", 0.8, (9.0, 3.6, 1.6, 1.2, 0.6, 0.3, 0.15), SHOPS, 0.0, 1.10, 0.35),
    CrimeSpec("vehicle-crime", 5.5, (1.6, 1.4, 1.1, 1.3, 1.1, 0.9, 1.0), WINTER, -0.02, 1.35, 0.60),
    CrimeSpec("violent-crime", 27.0, (3.3, 1.8, 1.3, 1.5, 1.7, 0.6, 0.45), EVEN, 0.015, 1.35, 0.80),
)


def days_in_month() -> IntArray:
    """Return the number of days of each month of the series; shape (months,)."""
    starts = np.arange(f"{FIRST_YEAR}-01", MONTHS + 1, dtype="datetime64[M]").astype("datetime64[D]")
    return np.diff(starts).astype(np.int64)


def expected(residents: IntArray, kinds: list[str], *, chance: Chance) -> FloatArray:
    """Return how many incidents to expect; shape (wards, types, months).

    Parameters
    ----------
    residents
        Of each ward; shape (wards,).
    kinds
        Of each ward, from `KINDS`.
    chance
        Makes each ward a little its own.
    """
    wards = len(residents)
    own = 0.82 + 0.36 * chance.uniform(wards)[:, None]
    own = own * (0.85 + 0.30 * chance.uniform(wards * len(TYPES)).reshape(wards, -1))
    factors = np.array([spec.factors for spec in TYPES])[:, [KINDS.index(kind) for kind in kinds]].T
    level = LEVEL * residents[:, None] / 1000 / 12 * own * factors
    means: FloatArray = np.round(level[:, :, None] * _course()[None], 6)
    return means


def _course() -> FloatArray:
    """Return each type's level over time against its usual one; shape (types, months)."""
    month = np.arange(MONTHS)
    held = np.array([PANDEMIC.get(m, 0) for m in range(MONTHS)]) / 100
    by_type = [
        spec.rate
        * np.array(spec.season)[month % 12] / 100
        * (1 + spec.trend * (month - MONTHS / 2) / 12)
        * (1 + held * (spec.pandemic - 1))
        for spec in TYPES
    ]  # fmt: skip
    return np.array(by_type) * days_in_month() / 30.4375


def drawn(means: FloatArray, *, chance: Chance) -> IntArray:
    """Draw counts around `means` (wards, types, months), each a Poisson whose rate a gamma has moved.

    By the inverse of the negative binomial: with `size = mean / (spread - 1)` its variance is `spread * mean`.
    """
    spread = np.array([spec.spread for spec in TYPES])[None, :, None]
    chances = chance.uniform(means.size).reshape(means.shape)
    counts: IntArray = stats.nbinom.ppf(chances, means / (spread - 1), 1 / spread).astype(np.int64)
    return counts
