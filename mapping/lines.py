"""What an answer says of the lines between wards: as rows, and as the wards whose class could change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mapping.answers import Question, answer
from mapping.classes import could_change
from mapping.measures.where import HATCHED, NEARNESS

if TYPE_CHECKING:
    from mapping.answers import Answer
    from mapping.reader import Reader

__all__ = ["NEARNESS_COLUMNS", "changeable_wards", "hatches_lines", "nearness_rows"]

NEARNESS_COLUMNS = ("ward_code", "ward_name", "count", "near", "others_near", "low", "high", "within")


def nearness_rows(reader: Reader, question: Question) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """For each ward how many of its incidents lie near another, with the columns of `NEARNESS_COLUMNS`; what they stand on.

    `low` is the count without those, `high` the count with the others near it; `within` says how near. They are empty where
    points are exact, and where there is no count.
    """
    found = answer(reader, "count", question)
    rows = []
    for row in found.rows:
        near = found.near.get(row["ward_code"])
        numbers = (near.out, near.into, int(near.low), int(near.high), near.within) if near else (None, None, None, None, "")
        given = (row["ward_code"], row["ward_name"], row["value"], *numbers)
        rows.append(dict(zip(NEARNESS_COLUMNS, given, strict=True)))
    return rows, found.meta


def hatches_lines(found: Answer) -> bool:
    """Whether the question asks the map to hatch wards whose class could change, and there are figures."""
    asked = found.question.options.get(NEARNESS.id) == HATCHED
    return asked and any(row["value"] is not None for row in found.rows)


def changeable_wards(found: Answer) -> list[str]:
    """Codes of the wards whose class would change if incidents near the line belonged next door, where that is asked for."""
    if not hatches_lines(found):
        return []
    known = {row["ward_code"]: row["value"] for row in found.rows if row["value"] is not None}
    ranges = {code: (near.low, near.high) for code, near in found.near.items() if code in known}
    decimals = found.measure.decimals
    return [code for code, ends in ranges.items() if could_change(known[code], *ends, found.classes, decimals=decimals)]
