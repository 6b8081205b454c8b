"""Questions that a layout still asks: `layout new` leaves empty what only a person can say, and a load waits for it."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["unanswered"]

_TABLE = re.compile(r"\s*\[+\s*([\w.-]+)\s*\]+")
_ASKED = re.compile(r'\s*([\w-]+)\s*=\s*""\s*#\s*\?\s*(.*)')
_MOST_SHOWN = 12


def unanswered(declared: dict[str, Any], text: str) -> list[str]:
    """What a layout leaves empty that must be said: empty values with a question behind `# ?`, and words without a type."""
    faults = []
    for (table, key), (line, question) in _asked(text).items():
        told = declared.get(table) if table else declared
        if isinstance(told, dict) and told.get(key) == "":
            faults.append(f"line {line}, {f'[{table}] ' if table else ''}{key}: {question}")
    told = declared.get("crime_types")
    types = [key for key, value in told.items() if value == ""] if isinstance(told, dict) else []
    if types:
        shown = ", ".join(repr(key[:60]) for key in types[:_MOST_SHOWN])
        more = f" and {len(types) - _MOST_SHOWN:,} more" if len(types) > _MOST_SHOWN else ""
        faults.append(f"[crime_types]: which crime type is each of these? {shown}{more}")
    return faults


def _asked(text: str) -> dict[tuple[str, str], tuple[int, str]]:
    """The line and the question of each key that has one, by its table (empty at the top)."""
    found: dict[tuple[str, str], tuple[int, str]] = {}
    table = ""
    last: tuple[str, str] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        header, asked = _TABLE.match(line), _ASKED.match(line)
        if header:
            table, last = header[1], None
        elif asked and table != "crime_types":
            last = (table, asked[1])
            found[last] = (number, asked[2].strip())
        elif last and line.startswith("#   "):
            # A long question goes on in the lines below.
            found[last] = (found[last][0], f"{found[last][1]} {line[4:].strip()}")
        else:
            last = None
    return found
