"""How measures say things: the same words for the same, and numbers rounded only here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mapping.breaks import Break
    from mapping.measures.base import View
    from mapping.vocabulary import Period

__all__ = ["CHANCE", "Subject", "about", "counted", "ending", "lower_first", "percent", "times"]

CHANCE = "could be chance, given how many wards are looked at"
"""What is said where the interval of a ward excludes that there is nothing to tell, and the family of all wards does not."""

_ENOUGH_FOR_PERCENT = 50


@dataclass(frozen=True, slots=True)
class Subject:
    """What figures are of, for each area: type, months and sources, to stand in brackets; and what is missing of them."""

    what: tuple[str, ...]
    missing: tuple[str, ...]

    @classmethod
    def of(cls, view: View, periods: Iterable[Period], *, by: str = " against ") -> Subject:
        """The types in view over one period, or over several that are held against each other."""
        asked = list(periods)
        months = by.join(period.words for period in asked)
        head = f"{lower_first(view.crime_type_name)}, {months}"
        missing = [view.missing_words(period) for period in asked]
        return cls(
            tuple(f"{head}; {sources}" for sources in view.sources_words()),
            tuple("".join(dict.fromkeys(said)) for said in zip(*missing, strict=True)),
        )


def lower_first(text: str) -> str:
    """A name within a sentence."""
    return f"{text[:1].lower()}{text[1:]}"


def counted(number: float) -> str:
    """A count: whole, or of apportioned parts rounded.

    >>> counted(1204), counted(0.4), counted(11.6)
    ('1,204', '0.4', '12')
    """
    if 0 < number < 10 and not float(number).is_integer():
        return f"{number:.1f}"
    return f"{number:,.0f}"


def about(number: float) -> str:
    """A mean.

    >>> about(23.7), about(3.14), about(0.02)
    ('24', '3.1', 'less than 0.1')
    """
    if number < 0.05:
        return "less than 0.1" if number > 0 else "0"
    return f"{number:.1f}" if number < 9.95 else f"{number:,.0f}"


def times(ratio: float) -> str:
    """A ratio with two decimals, or more where it is so near 1 that it would be rounded to it.

    >>> times(1.7083), times(1.002), times(0.99996), times(1.0)
    ('1.71', '1.002', '0.99996', '1')
    """
    if ratio == 1:
        return "1"
    decimals = next((d for d in range(2, 9) if round(ratio, d) != 1), 9)
    return f"{ratio:,.{decimals}f}"


def percent(after: float, before: float) -> str:
    """By how many percent, in brackets, where there is enough to take percent of; else nothing.

    >>> percent(5714, 5140), percent(40, 80), percent(3, 1)
    (' (11%)', ' (50%)', '')
    """
    if before < _ENOUGH_FOR_PERCENT:
        return ""
    change = abs(100 * (after / before - 1))
    return f" ({change:,.0f}%)" if change >= 0.5 or change == 0 else " (less than 1%)"


def ending(breaks: Iterable[Break], *, kind: str = "soft") -> str:
    """A sentence on how recording changed, or nothing."""
    said = [found.words for found in breaks if found.kind == kind]
    return f" Recording changed: {'; '.join(said)}." if said else ""


def spread(low: float, high: float) -> str:
    """A range of ratios: `between 1.01 and 2.96 times`, or `at least 2.13 times` where it has no end."""
    return f"at least {times(low)} times" if np.isinf(high) else f"between {times(low)} and {times(high)} times"
