"""Which months each stream supplied, and why not: what makes a zero a zero."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import compress, groupby
from typing import TYPE_CHECKING

from mapping.vocabulary import Month, Period

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["NO_EXTRACT", "Coverage", "Gap", "Stream", "StreamMonth", "missing_words"]

NO_EXTRACT = "no extract covers it"


@dataclass(frozen=True, slots=True)
class Gap:
    """What is known of the months of a source beyond its extracts, until further notice where `last` is None.

    `stream` is empty where it holds for every stream; `id` is 0 where it is shipped with wardwatch.
    """

    id: int
    source: str
    stream: str
    first: Month
    last: Month | None
    status: str
    reason: str

    @property
    def line(self) -> str:
        """A note as it is printed."""
        until = "" if self.last == self.first else f" to {self.last}" if self.last else " until further notice"
        what = f"{self.source} {self.stream}".strip()
        return f"{self.id}: {what} {self.first}{until} {self.status}: {self.reason}"

    def of(self, source: str, stream: str, month: Month) -> bool:
        """Whether it says anything of a month of a stream."""
        return (
            self.source == source
            and self.stream in ("", stream)
            and self.first <= month
            and (self.last is None or month <= self.last)
        )


@dataclass(frozen=True, slots=True)
class StreamMonth:
    """A month of a stream: its status, the reason for it in words, and its rows, wherever they lie.

    `normal` is how many rows are usual (None where there is too little to compare with); `missing_types` are the crime types,
    id and name, of which a month that is there otherwise has none although many are usual.
    """

    month: Month
    status: str
    reason: str = ""
    rows: int = 0
    normal: float | None = None
    missing_types: dict[str, str] = field(default_factory=dict)

    @property
    def share(self) -> float | None:
        """Its rows as a share of the normal ones."""
        return self.rows / self.normal if self.normal else None


@dataclass(frozen=True, slots=True)
class Stream:
    """What one source sends of one stream: its months from first to last, and the crime types that it can say.

    `seen` are those of which there was ever an incident. `records` says what its rows are: `incidents`, `outcomes` (which
    count nothing) or `area-counts`. `gaps` tell of months before its first and after its last.
    """

    source: str
    stream: str
    months: dict[Month, StreamMonth]
    crime_types: frozenset[str]
    seen: frozenset[str]
    records: str = "incidents"
    gaps: tuple[Gap, ...] = ()

    def at(self, month: Month) -> StreamMonth:
        """What is known of any month."""
        if month in self.months:
            return self.months[month]
        said = [gap.reason for gap in self.gaps if gap.of(self.source, self.stream, month)]
        return StreamMonth(month, "not-supplied", said[-1] if said else NO_EXTRACT)

    def judged(self, month: Month, crime_types: frozenset[str] | None = None) -> tuple[str, str]:
        """`supplied`, `partial` or `not-supplied`, and why, for figures of these types, or of all."""
        found = self.at(month)
        wanted = self.seen if crime_types is None else self.seen & crime_types
        gone = {slug: name for slug, name in found.missing_types.items() if slug in wanted}
        if found.status == "not-supplied" or not gone:
            return found.status, found.reason
        reasons = [found.reason] if found.reason else []
        return (
            "not-supplied" if wanted == gone.keys() else "partial",
            "; ".join([*reasons, f"no rows of {', '.join(sorted(gone.values()))}"]),
        )


@dataclass(frozen=True, slots=True)
class Coverage:
    """The streams in view, for figures of `crime_types` (None: of all). Streams of outcomes are listed, and count nothing."""

    streams: tuple[Stream, ...]
    crime_types: frozenset[str] | None = None

    @property
    def counting(self) -> tuple[Stream, ...]:
        """The streams that incidents are counted from."""
        return tuple(s for s in self.streams if s.records != "outcomes")

    def status(self, month: Month) -> str:
        """Whether every stream supplied the month; where there is none, nobody did."""
        found = {stream.judged(month, self.crime_types)[0] for stream in self.counting} or {"not-supplied"}
        return found.pop() if len(found) == 1 else "partial"

    def of(self, *, crime_types: Iterable[str] | None = None, sources: Iterable[str] | None = None) -> Coverage:
        """The streams that send any of these types, of these sources."""
        types = None if crime_types is None else frozenset(crime_types)
        names = None if sources is None else set(sources)
        return Coverage(
            tuple(s for s in self.streams if (types is None or s.crime_types & types) and (names is None or s.source in names)),
            self.crime_types if types is None else types,
        )

    def only(self, wanted: Iterable[bool]) -> Coverage:
        """Its streams that are wanted, one truth for each."""
        return Coverage(tuple(compress(self.streams, wanted)), self.crime_types)

    @property
    def span(self) -> Period | None:
        """From the first to the last month of which anything is there."""
        months = [m for s in self.counting for m, found in s.months.items() if found.status != "not-supplied"]
        return Period(min(months), max(months)) if months else None

    @property
    def latest(self) -> Month | None:
        """The latest month that any stream supplied whole (else in part): what the data are as of."""
        whole = [m for s in self.counting for m, found in s.months.items() if found.status == "supplied"]
        span = self.span
        return max(whole) if whole else span.last if span else None

    def by_source(self) -> dict[str, Coverage]:
        """For each source what it sends, by source."""
        grouped: dict[str, list[Stream]] = defaultdict(list)
        for stream in self.counting:
            grouped[stream.source].append(stream)
        return {source: Coverage(tuple(streams), self.crime_types) for source, streams in sorted(grouped.items())}

    @property
    def known(self) -> Period | None:
        """From the first to the last month that was ever supplied, those taken out again included."""
        months = [month for stream in self.counting for month in stream.months]
        return Period(min(months), max(months)) if months else None

    def reason(self, month: Month) -> str:
        """Why the month is not there whole, naming the streams (of several sources, these too) where reasons differ."""
        judged = [(stream, *stream.judged(month, self.crime_types)) for stream in self.counting]
        if len({reason for _, _, reason in judged}) <= 1:
            return judged[0][2] if judged else "no source in view supplies it"
        several = len({stream.source for stream in self.counting}) > 1
        return "; ".join(
            f"{f'{stream.source} ' if several else ''}{stream.stream}: {reason}"
            for stream, status, reason in judged
            if status != "supplied"
        )

    def missing(self, period: Period) -> list[dict[str, str]]:
        """Source, month, status and reason of what is not there in a period, by source and month."""
        return [
            {"source": source, "month": str(month), "status": status, "reason": streams.reason(month)}
            for source, streams in self.by_source().items()
            for month in period
            if (status := streams.status(month)) != "supplied"
        ]


def missing_words(missing: list[dict[str, str]], *, most: int = 3) -> str:
    """What is missing as a list in words, months of one kind together, at most so many of them.

    >>> gap = {"source": "a", "status": "partial", "reason": "38% of normal"}
    >>> missing_words([gap | {"month": "2021-01"}, gap | {"month": "2021-02"}, gap | {"month": "2021-04"}])
    'a January to February 2021 (in part: 38% of normal), a April 2021 (in part: 38% of normal)'
    """
    runs = []
    for (source, status, reason, _), found in groupby(
        enumerate(missing),
        key=lambda m: (m[1]["source"], m[1]["status"], m[1]["reason"], Month.parse(m[1]["month"]).index - m[0]),
    ):
        months = [Month.parse(gap["month"]) for _, gap in found]
        why = ": ".join(filter(None, ["in part" if status == "partial" else "", reason]))
        runs.append(f"{source} {Period(months[0], months[-1]).words}" + (f" ({why})" if why else ""))
    more = f" and {len(runs) - most} more" if len(runs) > most else ""
    return ", ".join(runs[:most]) + more
