"""Made-up counties in memory, put to the measures through the same view as loaded ones."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mapping.breaks import Break
from mapping.counts import Counts
from mapping.coverage import Coverage, Stream, StreamMonth
from mapping.denominators import Denominators, YearOfKind
from mapping.harm_weights import HarmWeights
from mapping.measures import Area, Figures, View, find_measure
from mapping.vocabulary import Month, Period
from mapping.ward_groups import WardGroups

Floats = NDArray[np.float64]

LAST = Month(2031, 12)
"""The last month of every county: no month that is looked back on is one of the pandemic's."""

SEASON = 1 + 0.15 * np.sin(2 * np.pi * (np.arange(12) + 2) / 12)
"""How much of the usual month each calendar month has."""


HARD, SOFT = (
    Break("", (), ("burglary",), LAST.plus(-5), kind, within=False, what=what, vouched_for_by="us")
    for kind, what in (("hard", "a new system"), ("soft", "a new form"))
)
"""Changes of recording in July 2031."""


def season(months: int) -> Floats:
    """Of so many months up to the last."""
    return SEASON[np.arange(LAST.index - months + 1, LAST.index + 1) % 12]


def drawn(means: Floats, phi: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Counts around means, whose variance is phi times them."""
    return rng.poisson(means) if phi == 1 else rng.negative_binomial(means / (phi - 1), 1 / phi)


def county_means(wards: int, months: int, *, usual: float, rng: np.random.Generator) -> Floats:
    """Means of wards that differ as real ones do (by a factor of about 10), with a season and nothing to tell of."""
    level = usual * rng.lognormal(0, 0.7, wards)
    return level[:, None] * season(months)


def view_of(
    counts: NDArray[np.int64],
    measure: str,
    *,
    last: Month = LAST,
    looking_at: int | None = None,
    types: tuple[str, ...] = ("burglary",),
    asked: tuple[str, ...] = (),
    missing: Collection[Month] = (),
    partly: Collection[Month] = (),
    breaks: tuple[Break, ...] = (),
    residents: Floats | None = None,
    neighbours: sparse.csr_array | None = None,
    weights: HarmWeights | None = None,
    groups: WardGroups | None = None,
    **options: str,
) -> View:
    """The view of a measure on a county that one source covers.

    Parameters
    ----------
    counts
        Of consecutive months up to `last`: shape (wards, months), or (wards, months, types).
    looking_at
        How many months; by default as many as the measure does.
    types, asked
        The crime types of `counts`, and those in view: all by default.
    missing, partly
        The months that were not supplied, or in part.
    breaks
        Changes of recording; those that touch the types in view count.
    residents
        5,000 in each ward by default.
    neighbours
        Those of `grid` by default.
    """
    every = counts[:, :, None] if counts.ndim == 2 else counts
    wards, length, _ = every.shape
    first = last.plus(1 - length)
    status = dict.fromkeys(missing, "not-supplied") | dict.fromkeys(partly, "partial")
    by_month = {month: StreamMonth(month, status.get(month, "supplied"), rows=1) for month in Period(first, last)}
    coverage = Coverage((Stream("county", "street", by_month, frozenset(types), frozenset(types)),))
    codes = tuple(f"W{i:05d}" for i in range(wards))
    people = np.full(wards, 5000.0) if residents is None else residents
    found = find_measure(measure)
    chosen = {option.id: option.values[0] for option in found.options} | options
    looked_at = Period(max(first, last.plus(1 - (looking_at or found.default_months))), last)
    wanted = asked or types
    view = View(
        areas=tuple(Area(code, f"Ward {i}") for i, code in enumerate(codes)),
        area_of_ward=np.arange(wards),
        covered_wards=np.ones(wards, dtype=bool),
        crime_type_name=" and ".join(wanted).capitalize(),
        crime_types=wanted,
        period=found.narrowed(looked_at, chosen) if found.narrowed else looked_at,
        counts=Counts(every, codes, tuple(Period(first, last)), types),
        coverage=coverage,
        groups=(coverage,),
        group_of_area=np.zeros(wards, dtype=np.int64),
        denominators=Denominators({"residents": {last.year: YearOfKind(people, "", "", estimated=False)}}, np.ones(wards)),
        options=chosen,
        source_names={"county": "County Police"},
        type_names={kind: kind.capitalize() for kind in types},
        breaks=(tuple(b for b in breaks if b.touches("county", "street", frozenset(wanted))),),
        neighbours=lambda: grid(wards) if neighbours is None else neighbours,
        weights=lambda: weights,
        ward_groups=lambda: groups,
    )
    return replace(view, of_every_type=lambda: replace(view, crime_types=types))


def grid(wards: int) -> sparse.csr_array:
    """Wards in rows of ten, touching at corners too."""
    x, y = np.arange(wards) % 10, np.arange(wards) // 10
    near = (np.abs(x[:, None] - x) <= 1) & (np.abs(y[:, None] - y) <= 1)
    np.fill_diagonal(near, val=False)
    return sparse.csr_array(near.astype(float))


def constant(a_month: float = 2, *, months: int = 24, wards: int = 12) -> NDArray[np.int64]:
    """Every ward counts the same every month: nothing varies, and phi is 1."""
    return np.full((wards, months), a_month)


def figures(measure: str, counts: NDArray[np.int64], **asked: Any) -> Figures:
    """What a measure makes of a county."""
    return find_measure(measure).compute(view_of(counts, measure, **asked))


def loud(counts: NDArray[np.int64], measure: str, **given: object) -> NDArray[np.bool_]:
    """Which wards a measure says something of: those in another class than its quiet one."""
    found = find_measure(measure)
    classes = found.compute(view_of(counts, measure, **given)).classes  # type: ignore[arg-type]
    # What is 90% sure is drawn, and called nothing.
    return np.array([c not in ("", found.quiet) and not c.endswith("-90") for c in classes])
