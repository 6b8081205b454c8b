"""What each stream supplied, as the page of data shows it: a strip of months by year, and what is missing, with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from mapping.vocabulary import Month, Period

if TYPE_CHECKING:
    from mapping.coverage import Stream
    from mapping.reader import Catalogue, Reader

__all__ = ["StreamStrip", "areas_of_sources", "stream_strip"]


@dataclass(frozen=True, slots=True)
class MonthMark:
    """A month of the strip: `share` is its rows as a percentage of the normal ones, empty if not known or not supplied."""

    status: str
    share: str


@dataclass(frozen=True, slots=True)
class Missing:
    """Months in a row that are missing for one reason; `rows` and `normal` are those of a single month."""

    months: str
    status: str
    reason: str
    rows: int | None
    normal: float | None


@dataclass(frozen=True, slots=True)
class StreamStrip:
    """A stream's months by year, None before its first and after its last; `counts` unless its rows are outcomes."""

    stream: str
    counts: bool
    years: list[tuple[int, list[MonthMark | None]]]
    missing: list[Missing]

    @property
    def shares(self) -> bool:
        """Whether any month can be compared with what is normal."""
        return any(mark and mark.share for _, marks in self.years for mark in marks)


def stream_strip(stream: Stream) -> StreamStrip:
    """The strip of a stream."""
    judged = {month: (found, *stream.judged(month)) for month, found in stream.months.items()}
    marks = {
        # No share where nothing was supplied: 0% would read as a figure.
        month: MonthMark(status, f"{100 * found.share:.0f}%" if found.share is not None and status != "not-supplied" else "")
        for month, (found, status, _) in judged.items()
    }
    years = sorted({month.year for month in marks})
    return StreamStrip(
        stream=stream.stream,
        counts=stream.records != "outcomes",
        years=[(year, [marks.get(Month(year, number)) for number in range(1, 13)]) for year in years],
        missing=[
            _missing([judged[month][0].month for _, month in run], stream)
            for _, run in groupby(
                enumerate(month for month, (_, status, _) in judged.items() if status != "supplied"),
                key=lambda at: (judged[at[1]][1:], at[1].index - at[0]),
            )
        ],
    )


def _missing(months: list[Month], stream: Stream) -> Missing:
    status, reason = stream.judged(months[0])
    one = stream.at(months[0]) if len(months) == 1 and status == "partial" else None
    words = Period(months[0], months[-1]).words
    return Missing(words, status, reason, one.rows if one else None, one.normal if one else None)


def areas_of_sources(store: Reader, catalogue: Catalogue) -> dict[str, list[tuple[str, int, int]]]:
    """For each source and boundary set how many of how many wards it covers."""
    areas: dict[str, list[tuple[str, int, int]]] = {source.id: [] for source in catalogue.sources}
    for boundary_set in catalogue.boundary_sets:
        reach = store.reach(catalogue, boundary_set)
        for source, sent in catalogue.coverage.by_source().items():
            covered = np.any([reach[source, stream.stream] for stream in sent.streams], axis=0)
            areas[source].append((boundary_set.name, int(covered.sum()), len(covered)))
    return areas
