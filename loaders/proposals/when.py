"""When: which column counts, which say from and to, and in which order days and months stand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from loaders.layouts.declaration import EXCEL
from loaders.moments import UNREADABLE, parse_moments
from loaders.proposals.clocks import clock_formats, is_clock, kin, part_columns
from loaders.proposals.dates import read_dates
from loaders.proposals.orders import Dated, When, decide_order
from loaders.proposals.words import is_named, personal_word, rank
from loaders.sorting import FIRST_YEAR

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from loaders.proposals.profiles import Profile

__all__ = ["find_when"]

_NOT_THESE = re.compile(
    r"\b(arrest|arrested|clear|cleared|clearance|closed|closing|court|due|disposed|disposition|outcome|print|export|extract|load)"
)
_SERIAL = re.compile(r"[2-6][0-9]{4}(\.[0-9]+)?")
_EPOCH = re.compile(r"1[0-9]{9}([0-9]{3})?")
_WORD = re.compile(r"[^\W\d_]+")
_COMPARED_ROWS = 20_000


def find_when(profiles: Sequence[Profile], *, today: date, line_of: Callable[[int], int]) -> When:
    """Find the columns that say when, and how their dates are written."""
    dated = [d for p in profiles if (d := _dated(p)) is not None]
    when = When(used={d.profile.name for d in dated})
    chosen = _assign(dated, when)
    if chosen:
        _add_clocks(chosen, profiles, when, today=today, line_of=line_of)
        return when
    parts = part_columns(profiles)
    if parts:
        _take_parts(parts, profiles, when)
    elif not when.question:
        named = [p for p in profiles if rank(p.words, "month") is not None and p.share(_WORD) == 1]
        worded = (
            f"; '{named[0].name[:40]}' gives months in words, which layouts do not read" if named and named[0].sample else ""
        )
        when.question = f"which column holds the date? None of them reads as dates{worded}"
    return when


def _dated(profile: Profile) -> Dated | None:
    named = is_named(profile.words, "date", "recorded", "occurred", "from", "to", "updated", "time")
    if personal_word(profile.words) or is_clock(profile):
        return None
    special = ""
    writing = read_dates(profile) if named or not profile.share(re.compile(r"[0-9]+")) else None
    if writing is None:
        says_date = is_named(profile.words, "date", "time")
        if says_date and profile.share(_SERIAL) >= 0.95:
            special = EXCEL
        elif says_date and profile.share(_EPOCH) >= 0.95:
            special = "epoch"
        else:
            return None
    role, place = _role(profile.words)
    return Dated(profile, role, place, writing, special)


def _role(words: tuple[str, ...]) -> tuple[str, int]:
    if _NOT_THESE.search(" ".join(words)):
        return "other", 0
    for role in ("updated", "recorded", "to", "from", "occurred"):
        place = rank(words, role)
        if place is not None:
            return role, place
    return "date", rank(words, "date") or 0


def _best(dated: list[Dated], *roles: str) -> Dated | None:
    for role in roles:
        found = sorted((d for d in dated if d.role == role and d.special != "epoch"), key=lambda d: d.rank)
        if found:
            return found[0]
    return None


def _assign(dated: list[Dated], when: When) -> dict[str, Dated]:
    """Which column of dates plays which role, by their names and by which comes first in the rows."""
    counts = _best(dated, "recorded", "date")
    start, end = _best(dated, "from"), _best(dated, "to")
    happened = _best(dated, "occurred")
    when.notes += [
        f"'{d.profile.name[:40]}' looks like seconds since 1970 ('{d.profile.sample[0]}'), which layouts do not read: export "
        "dates as text"
        for d in dated
        if d.special == "epoch"
    ]
    chosen: dict[str, Dated] = {}
    if counts is None and start and happened and _order(happened, start) == 1:
        counts, start = start, happened
        when.why["date"] = f"never before '{happened.profile.name[:40]}', so it is when it was recorded or opened"
    elif counts is None and (happened or start):
        counts = happened or start
        when.why["date"] = "no column says when it was recorded: it counts when it happened"
        start = start or (counts if end else None)
    elif counts is not None:
        what = "when it was recorded" if counts.role == "recorded" else "the date"
        when.why["date"] = f"its name says {what}"
        start = start or happened
    rivals = [d for d in dated if counts and d is not counts and (d.role, d.rank) == ("date", counts.rank) and not d.special]
    if rivals and counts and counts.role == "date":
        # Their names say no more of one than of the other.
        counts = None
    if counts is None:
        if dated:
            names = ", ".join(f"'{d.profile.name[:40]}'" for d in dated[:8])
            when.question = f"which column says when a row counts? Dates are in {names}"
        return {}
    chosen["date"] = counts
    others = {"from": start, "to": end, "updated": _best(dated, "updated")}
    chosen |= {role: d for role, d in others.items() if d is not None and (d is not counts or role == "from")}
    if "to" in chosen and "from" not in chosen:
        del chosen["to"]
    plain = [d.profile.name for d in dated if d.role == counts.role and d not in chosen.values()]
    if plain:
        when.notes.append("other dates, if that is not the one that counts: " + ", ".join(f"'{n[:40]}'" for n in plain[:6]))
    _say_order(chosen, when)
    return chosen


def _order(first: Dated, second: Dated) -> float | None:
    """In which share of the rows the first is not later than the second; None if nothing can be compared."""
    if not (first.writing and second.writing) or first is second:
        return None
    rows = np.unique(np.linspace(0, first.profile.rows - 1, min(_COMPARED_ROWS, first.profile.rows)).astype(np.int64))
    orders = first.writing.orders or second.writing.orders or {""}
    shares = []
    for order in sorted(orders):
        seconds = []
        for d in (first, second):
            formats = d.writing.formats(order) if d.writing else []
            seconds.append(parse_moments(d.profile.of_rows(rows), formats=formats, iso=False).seconds)
        both = (seconds[0] > UNREADABLE) & (seconds[1] > UNREADABLE)
        if both.any():
            day = 86_400
            shares.append(float((seconds[0][both] // day <= seconds[1][both] // day).mean()))
    return max(shares) if shares else None


def _say_order(chosen: dict[str, Dated], when: When) -> None:
    for role, before, words in (
        ("to", "from", "not before"),
        ("from", "date", "not after"),
        ("updated", "date", "not before"),
    ):
        if role not in chosen or before not in chosen:
            continue
        pair = (chosen[before], chosen[role]) if words == "not before" else (chosen[role], chosen[before])
        share = _order(*pair)
        if share is not None:
            when.why[role] = f"{words} '{chosen[before].profile.name[:40]}' in {_percent(share)}"
            if share < 0.5:
                when.why[role] += ": is it what its name says?"


def _percent(share: float) -> str:
    return "all rows" if share == 1 else f"{min(share, 0.999):.1%} of rows"


def _add_clocks(
    chosen: dict[str, Dated], profiles: Sequence[Profile], when: When, *, today: date, line_of: Callable[[int], int]
) -> None:
    when.columns = {role: d.profile.name for role, d in chosen.items()}
    order = decide_order(chosen, when, today=today, line_of=line_of)
    clocks = [p for p in profiles if is_clock(p)]
    when.used |= {p.name for p in clocks}
    formats: list[str] = []
    for role, d in chosen.items():
        own = d.writing.formats(order) if d.writing else [EXCEL]
        clock = _clock_of(d, clocks, only=len(chosen) == 1) if role in ("date", "from", "to") else None
        name = "time" if role == "date" else f"{role}_time"
        if clock is not None:
            timed = clock_formats(clock)
            if timed is None:
                when.notes.append(
                    f"'{clock.name[:40]}' holds times that can be read in two ways, or in none ('{clock.sample[0][:20]}')"
                )
            else:
                when.columns[name] = clock.name
                when.why[name] = f"the time of '{d.profile.name[:40]}'"
                formats += [f"{f} {t}" for f in own for t in timed]
        formats += own
        _say_unread(d, when, order)
    if "time" not in when.columns and not (chosen["date"].writing and chosen["date"].writing.is_timed):
        _add_hours(chosen["date"], profiles, when)
    when.formats = list(dict.fromkeys(formats)) if not when.format_question else []
    writing = chosen["date"].writing
    when.span = writing.span(order) if writing and not when.format_question else None
    if when.span and (when.span[0].year < FIRST_YEAR or when.span[1] > today):
        when.notes.append(f"some dates are before {FIRST_YEAR} or after today: a load refuses them")


def _clock_of(dated: Dated, clocks: list[Profile], *, only: bool) -> Profile | None:
    if dated.writing is None or dated.writing.is_timed or not dated.writing.has_days:
        return None
    alike = [c for c in clocks if kin(c) == kin(dated.profile)]
    if not alike and only and len(clocks) == 1:
        alike = clocks
    return alike[0] if alike else None


def _add_hours(dated: Dated, profiles: Sequence[Profile], when: When) -> None:
    number = re.compile(r"[01]?[0-9]|2[0-3]")
    hours = [p for p in profiles if rank(p.words, "hour") is not None and p.share(number) == 1 and kin(p) == kin(dated.profile)]
    if hours and dated.writing and dated.writing.has_days:
        when.columns["hour"] = hours[0].name
        when.why["hour"] = f"the hour of '{dated.profile.name[:40]}'"
        when.used.add(hours[0].name)


def _say_unread(dated: Dated, when: When, order: str) -> None:
    if dated.special == EXCEL:
        when.format_why.append(
            f"'{dated.profile.name[:40]}' holds a spreadsheet's numbers of days ('{dated.profile.sample[0]}')"
        )
    if dated.writing is None:
        return
    for writing in dated.writing.writings:
        if writing.idle_times:
            times = " or ".join(time.strip() for time in writing.idle_times)
            when.format_why.append(
                f"all times of '{dated.profile.name[:40]}' are {times}, which is no time of day: days are read"
            )
    if dated.writing.is_timed and any("%z" in f for f in dated.writing.formats()):
        when.format_why.append(f"'{dated.profile.name[:40]}' has offsets from UTC: a load turns it into local time of the UK")
    impossible = dated.writing.impossible(order)
    if impossible and not when.format_question:
        texts = ", ".join(f"'{text[:20]}'" for text in impossible[:3])
        when.notes.append(f"'{dated.profile.name[:40]}' holds dates that are none: {texts}")
    if dated.writing.unread:
        shown = ", ".join(f"'{text[:30]}'" for text in dated.writing.odd[:3])
        when.notes.append(
            f"{dated.writing.unread:,} rows of '{dated.profile.name[:40]}' hold no date that a layout can read: {shown}"
        )


def _take_parts(parts: dict[str, Profile], profiles: Sequence[Profile], when: When) -> None:
    when.columns = {part: profile.name for part, profile in parts.items()}
    when.used |= {p.name for p in parts.values()}
    when.why["year"] = "year, month and day stand in columns of their own"
    clocks = [p for p in profiles if is_clock(p)]
    if "day" in parts and "hour" not in parts and clocks and set(clock_formats(clocks[0]) or ["?"]) <= {"%H:%M", "%H:%M:%S"}:
        when.columns["time"] = clocks[0].name
        when.used.add(clocks[0].name)
