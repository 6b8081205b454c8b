"""propose_layout: an unknown file in, the TOML of a layout out, with what was seen as comments and what is asked left empty."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from loaders.proposals.document import Proposal, Seen, write_proposal
from loaders.proposals.kinds import find_kinds
from loaders.proposals.opening import open_unknown
from loaders.proposals.points import find_points
from loaders.proposals.profiles import Profile, profiles_of
from loaders.proposals.when import find_when
from loaders.proposals.words import personal_word, rank

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

__all__ = ["propose_layout"]

_LSOA = re.compile(r"[EW]01[0-9]{6}|S01[0-9]{6}")
_LETTER = re.compile(r".*[^\W\d_].*")
_ID = re.compile(r"(?=.*[0-9])[\w/-]{3,40}")
_HASH = re.compile(r"[0-9a-fA-F-]{16,}")
_SHAPE = re.compile(r"(POINT|\{).*")
_TELEPHONE = re.compile(r"(?=(?:\D*[0-9]){10})(\+|0)[0-9() -]{9,16}")  # ten digits: a date has eight
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[a-zA-Z]{2,}")
_FREE_TEXT_LENGTH = 60
_NOT_STREETS = {"type", "description", "desc", "code"}


def propose_layout(path: Path, *, today: date) -> Proposal:
    """Look at a file (or the first table in a folder or archive) and propose its layout.

    Raises
    ------
    DataRefused
        If it cannot be read as a table, or no header can be told from its rows.
    """
    opened = open_unknown(path)
    profiles = profiles_of(opened.table)

    def line_of(row: int) -> int:
        return opened.table.lines(np.array([row]))[0]

    personal = {p.name for p in profiles if personal_word(p.words) or _is_personal(p)}
    others = [p for p in profiles if p.name not in personal]
    when = find_when(others, today=today, line_of=line_of)
    zones = [f"utm zone {p.sample[0]}" for p in profiles if "zone" in p.words and p.distinct == 1]
    points = find_points(others, [*opened.titles, *opened.header, *zones])
    used = when.used | set(points.used)
    roles = _by_name([p for p in others if p.name not in used])
    free = {p.name for p in others} - used - set(roles.values())
    kinds = find_kinds(others, free=free, outcomes={"reference", "outcome"} <= set(roles))
    return write_proposal(Seen(opened, profiles, when, points, kinds, roles, personal))


def _is_personal(profile: Profile) -> bool:
    """Whether its texts are long and hardly repeat, or are addresses or telephone numbers of people."""
    long = profile.mean_length > _FREE_TEXT_LENGTH and profile.distinct > max(0.5 * profile.filled, 3)
    if long and profile.share(_HASH) < 0.8 and not profile.share(_SHAPE):
        return True
    telephone = rank(profile.words, "reference") is None and profile.share(_TELEPHONE) > 0.8
    return telephone or profile.share(_MAIL) > 0.5


def _by_name(profiles: list[Profile]) -> dict[str, str]:
    """Columns for the roles that stand by themselves, by name and by what their texts are."""
    found: dict[str, str] = {}
    named = [(r, i) for i, p in enumerate(profiles) if (r := rank(p.words, "reference")) is not None and _hardly_repeats(p)]
    alike = [i for i, p in enumerate(profiles) if p.distinct == p.rows > 20 and p.share(_ID) == 1]
    if named or alike:
        found["reference"] = profiles[min(named)[1] if named else alike[0]].name
    lsoa = [p.name for p in profiles if p.share(_LSOA) > 0.9]
    if lsoa:
        found["lsoa"] = lsoa[0]
    for role in ("source", "status", "outcome", "location"):
        free = [p for p in profiles if p.name not in found.values() and p.share(_LETTER) > 0.5]
        if role == "location":
            free = [p for p in free if not _NOT_STREETS.intersection(p.words)]
        else:
            free = [p for p in free if p.distinct <= 200]
        best = min(((r, i) for i, p in enumerate(free) if (r := rank(p.words, role)) is not None), default=None)
        if best:
            found[role] = free[best[1]].name
    return found


def _hardly_repeats(profile: Profile) -> bool:
    return profile.distinct >= 0.9 * profile.filled > 0
