"""Times of day, and years, months, days, hours and minutes, in columns of their own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from loaders.proposals.shapes import CLOCK, clock_format
from loaders.proposals.words import is_named, rank

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loaders.proposals.profiles import Profile

__all__ = ["clock_formats", "is_clock", "kin", "part_columns"]

_FOUR_DIGITS = re.compile(r"([01][0-9]|2[0-3])[0-5][0-9]")
_DIGITS = re.compile(r"[0-9]{1,4}")
_TWELVE = re.compile(r"(0?[1-9]|1[0-2]):[0-5][0-9](:[0-5][0-9])?")
_MANY = 20
_MOST_HOURS = 10
_PARTS = {
    "year": re.compile(r"(19|20)[0-9][0-9]"),
    "month": re.compile(r"0?[1-9]|1[0-2]"),
    "day": re.compile(r"0?[1-9]|[12][0-9]|3[01]"),
    "hour": re.compile(r"[01]?[0-9]|2[0-3]"),
    "minute": re.compile(r"[0-5]?[0-9]"),
}
_OF_DATES = {"date", "dat", "dt", "datum", "fecha", "data", "day", "jour", "dia", "tag", "dag", "datetime"}
_OF_CLOCKS = {"time", "tm", "uhrzeit", "zeit", "heure", "hora", "uur", "tijd", "tid", "stunde", "hour", "hr", "minute", "min"}


def is_clock(profile: Profile) -> bool:
    """Whether a column holds times of day."""
    named = is_named(profile.words, "time", "hour")
    return profile.share(CLOCK) >= 0.9 or (named and profile.share(_DIGITS) >= 0.9 and max(map(len, profile.sample)) >= 3)


def clock_formats(profile: Profile) -> list[str] | None:
    """The formats of its times of day; None if some of them cannot be read for certain (`130` may be 01:30 or 13:00)."""
    if _is_half_a_day(profile):
        return None
    formats: set[str] = set()
    for text in profile.texts.to_pylist():
        if not text:
            continue
        found = "%H%M" if _FOUR_DIGITS.fullmatch(text) else clock_format(text)
        if found is None or len(formats) > 4:
            return None
        formats.add(found)
    return sorted(formats) or None


def _is_half_a_day(profile: Profile) -> bool:
    """Whether all hours are 1 to 12, nearly all of these, and nothing says before or after noon."""
    if profile.filled < _MANY or profile.share(_TWELVE) < 1:
        return False
    return len({int(text.split(":")[0]) for text in profile.texts.to_pylist() if text}) >= _MOST_HOURS


def kin(profile: Profile) -> frozenset[str]:
    """What a header says beside that it is a date or a time: columns of one moment have it in common."""
    return frozenset(profile.words) - _OF_DATES - _OF_CLOCKS - {"of", "the", "on", "at", "de", "la", "du"}


def part_columns(profiles: Sequence[Profile]) -> dict[str, Profile]:
    """The columns of year, month, day, hour and minute, by name and by their numbers; those of one moment."""
    found: dict[str, list[Profile]] = {}
    for part, pattern in _PARTS.items():
        named = [(r, len(p.words), i) for i, p in enumerate(profiles) if (r := rank(p.words, part)) is not None]
        found[part] = [profiles[i] for _, _, i in sorted(named) if profiles[i].sample and profiles[i].share(pattern) == 1]
    if not found["year"] or not found["month"]:
        return {}
    year = found["year"][0]
    theirs = kin(year) - {"year", "yr", "jahr", "annee", "ano", "anio", "jaar", "ar"}
    parts = {"year": year}
    for part in ("month", "day", "hour", "minute"):
        alike = [p for p in found[part] if theirs <= set(p.words)]
        if alike and (part != "minute" or "hour" in parts):
            parts[part] = alike[0]
    return parts if "month" in parts else {}
