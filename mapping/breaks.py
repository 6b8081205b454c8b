"""Recording breaks: months from which something is recorded in another way, so that before and after are not the same thing."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from sqlalchemy import select

from mapping.store.models import RecordingBreak
from mapping.vocabulary import Month

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

__all__ = ["BREAK_COLUMNS", "KINDS", "Break", "break_rows", "read_breaks", "shipped_breaks"]

KINDS = ("hard", "soft", "none")
"""Hard: no comparison across it. Soft: read with care. None: strikes out a shipped one of that stream, month and types."""

BREAK_COLUMNS = ("source", "stream", "crime_type", "month", "kind", "within", "what", "vouched_for_by", "origin")


@dataclass(frozen=True, slots=True)
class Break:
    """One of them. `source`, `streams` and `crime_types` are empty where it holds for all.

    `within`: incidents only moved between its crime types, so that figures of all of them together go on as before.
    """

    source: str
    streams: tuple[str, ...]
    crime_types: tuple[str, ...]
    month: Month
    kind: str
    within: bool
    what: str
    vouched_for_by: str
    shipped: bool = False

    def touches(self, source: str, stream: str, crime_types: frozenset[str]) -> bool:
        """Whether figures of these types, from that stream, are recorded in another way from its month on."""
        if self.source not in ("", source) or (self.streams and stream not in self.streams):
            return False
        if not self.crime_types:
            return True
        mine = frozenset(self.crime_types)
        return bool(mine & crime_types) and not (self.within and mine <= crime_types)

    @property
    def words(self) -> str:
        """As a sentence says it: `May 2013: ...`."""
        return f"{self.month.words}: {self.what}"


@cache
def shipped_breaks() -> tuple[Break, ...]:
    """Changes of national recording that somebody vouches for: `breaks.csv` names who, line by line."""
    lines = files("mapping").joinpath("breaks.csv").read_text(encoding="utf-8").splitlines()
    return tuple(
        Break(
            row["source"],
            tuple(row["stream"].split()),
            tuple(row["crime_type"].split()),
            Month.parse(row["month"]),
            row["kind"],
            row["within"] == "yes",
            row["what"],
            row["vouched_for_by"],
            shipped=True,
        )
        for row in csv.DictReader(lines)
    )


def read_breaks(connection: Connection) -> tuple[Break, ...]:
    """Those shipped and those of the analyst's file, by month; what the file strikes out is left out."""
    own = [
        Break(
            row.source,
            tuple(row.stream.split()),
            tuple(row.crime_types.split()),
            Month.of(row.month),
            row.kind,
            row.within,
            row.what,
            row.vouched_for_by,
        )
        for row in connection.execute(select(RecordingBreak).order_by(RecordingBreak.id))
    ]
    struck = {_key(found) for found in own if found.kind == "none"}
    every = [*(b for b in shipped_breaks() if _key(b) not in struck), *(b for b in own if b.kind != "none")]
    return tuple(sorted(every, key=lambda b: (b.month, b.source, b.streams, b.crime_types)))


def _key(found: Break) -> tuple[Month, frozenset[str], frozenset[str]]:
    return found.month, frozenset(found.streams), frozenset(found.crime_types)


def break_rows(breaks: Iterable[Break]) -> list[dict[str, str]]:
    """Rows with the columns of `BREAK_COLUMNS`: a file of them can be edited and loaded again."""
    return [
        {
            "source": found.source,
            "stream": " ".join(found.streams),
            "crime_type": " ".join(found.crime_types) or "all",
            "month": str(found.month),
            "kind": found.kind,
            "within": "yes" if found.within else "no",
            "what": found.what,
            "vouched_for_by": found.vouched_for_by,
            "origin": "shipped" if found.shipped else "loaded",
        }
        for found in breaks
    ]
