"""The ledger of extracts, read: which ones a figure came from, and what the last load altered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import func, select

from mapping.store.models import CrimeTypeRow, Extract, ExtractFile, Load, LoadChange, Source, SuppliedWindow
from mapping.vocabulary import Month

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlalchemy import Connection, Select

    from mapping.coverage import Coverage
    from mapping.vocabulary import Period

__all__ = ["Ledger", "LedgerEntry", "base_name", "current_extracts", "last_load", "read_alterations", "read_ledger"]


def base_name(name: str) -> str:
    """The last part of a file's name: where it lay on somebody's machine is nobody else's business."""
    return name.replace("\\", "/").rpartition("/")[2]


def current_extracts() -> Select[tuple[int]]:
    """Ids of the extracts that figures stand on: those that cover days, and changes that were not withdrawn."""
    covering = select(SuppliedWindow.extract_id)
    changes = select(Extract.id).where(Extract.kind == "changes", Extract.withdrawn_at.is_(None))
    return covering.union(changes)  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """An extract; `current` where figures stand on it, `windows` are the days that it covers now (or once did)."""

    id: int
    source: str
    stream: str
    kind: str
    first: date
    last: date
    as_of: date | None
    files: tuple[str, ...]
    sha256: tuple[str, ...]
    loaded_at: datetime
    current: bool
    windows: tuple[tuple[date, date], ...]


class Ledger:
    """Every extract that this audience may know of, by id; `number` is that of the last command that wrote into it."""

    def __init__(self, entries: list[LedgerEntry], *, number: int) -> None:
        self.number = number
        self.entries = tuple(entries)
        streams = sorted({(e.source, e.stream) for e in entries})
        self._stream_at = {stream: i for i, stream in enumerate(streams)}
        # One line for each window, so that a question is answered without looking at every extract.
        lines = [
            (
                i,
                self._stream_at[e.source, e.stream],
                Month.of(first).index,
                Month.of(last).index,
                e.kind == "changes",
                e.current,
            )
            for i, e in enumerate(entries)
            for first, last in e.windows
        ]
        self._lines = np.array(lines, dtype=np.int64).reshape(-1, 6).T

    def behind(self, coverage: Coverage, period: Period) -> list[int]:
        """Ids of the extracts that figures of these streams and this period stand on.

        They are the current ones with a window that reaches into the period, and all changes: what is no longer counted in
        the period may have been moved by any of them.
        """
        at, *_, current = self._lines
        return sorted({self.entries[i].id for i in at[self._touching(coverage, period) & (current == 1)].tolist()})

    def of(self, coverage: Coverage, period: Period | None) -> list[LedgerEntry]:
        """The extracts of these streams, those that others replaced included; with a period, as in `behind`."""
        at = self._lines[0]
        return [self.entries[i] for i in sorted(set(at[self._touching(coverage, period)].tolist()))]

    def _touching(self, coverage: Coverage, period: Period | None) -> np.ndarray[Any, np.dtype[np.bool_]]:
        _, stream, first, last, changes, _ = self._lines
        wanted = [self._stream_at[key] for s in coverage.streams if (key := (s.source, s.stream)) in self._stream_at]
        found: np.ndarray[Any, np.dtype[np.bool_]] = np.isin(stream, wanted)
        if period is not None:
            found &= (changes == 1) | ((first <= period.last.index) & (last >= period.first.index))
        return found


def read_ledger(connection: Connection, *, open_only: bool) -> Ledger:
    """All extracts by their numbers; or those of open sources, by numbers of their own."""
    visible = Source.access == "open" if open_only else Source.access.is_not(None)
    files: dict[int, list[tuple[str, str]]] = {}
    for file in connection.execute(select(ExtractFile).order_by(ExtractFile.extract_id, ExtractFile.position)):
        files.setdefault(file.extract_id, []).append((file.name, file.sha256))
    windows: dict[int, list[tuple[date, date]]] = {}
    for window in connection.execute(select(SuppliedWindow).order_by(SuppliedWindow.extract_id, SuppliedWindow.date_from)):
        windows.setdefault(window.extract_id, []).append((window.date_from, window.date_to))
    extracts = connection.execute(
        select(Extract, Source.slug).join(Source, Source.id == Extract.source_id).where(visible).order_by(Extract.id)
    )
    return Ledger(
        [
            LedgerEntry(
                # Gaps in the numbers would tell the public of extracts that it does not see.
                id=place if open_only else row.id,
                source=row.slug,
                stream=row.stream,
                kind=row.kind,
                first=row.date_from,
                last=row.date_to,
                as_of=row.as_of,
                files=tuple(name for name, _ in files.get(row.id, [])),
                sha256=tuple(sha256 for _, sha256 in files.get(row.id, [])),
                loaded_at=row.loaded_at,
                current=row.id in windows or (row.kind == "changes" and row.withdrawn_at is None),
                windows=tuple(windows.get(row.id, [(row.date_from, row.date_to)])),
            )
            for place, row in enumerate(extracts, start=1)
        ],
        number=last_load(connection),
    )


def last_load(connection: Connection) -> int:
    """The number of the last command that changed which incidents count; 0 before the first."""
    return connection.scalar(select(func.max(Load.id))) or 0


def read_alterations(connection: Connection, *, open_only: bool) -> dict[str, Any] | None:
    """What the last load (or withdrawal) altered in months that were supplied before it, by source, month and type.

    For the public it is the last that altered anything of open sources, and without words: they may name others.
    """
    visible = Source.access == "open" if open_only else Source.access.is_not(None)
    altering = select(LoadChange.load_id).join(Source, Source.id == LoadChange.source_id).where(visible)
    shown = Load.id.in_(altering) if open_only else Load.id.is_not(None)
    load = connection.execute(select(Load).where(shown).order_by(Load.id.desc()).limit(1)).first()
    if load is None:
        return None
    rows = connection.execute(
        select(LoadChange, Source.slug.label("source"), CrimeTypeRow.slug.label("crime_type"))
        .join(Source, Source.id == LoadChange.source_id)
        .join(CrimeTypeRow, CrimeTypeRow.id == LoadChange.crime_type_id)
        .where(LoadChange.load_id == load.id, visible)
        .order_by(Source.slug, LoadChange.month, CrimeTypeRow.slug)
    )
    numbers = ("before", "after", "gone", "added")
    return {
        "done_at": load.done_at.isoformat(),
        "what": None if open_only else load.what,
        "rows": [
            {
                "source": row.source,
                "month": str(Month.of(row.month)),
                "crime_type": row.crime_type,
                **{name: getattr(row, name) for name in numbers},
            }
            for row in rows
        ],
    }
