"""What a command alters in months that were supplied before it: written down, so that `status --changes` can say."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import func, insert, select

from mapping.store.models import AreaCount, Extract, Load, LoadChange, MonthPlaces
from mapping.vocabulary import Month

if TYPE_CHECKING:
    from datetime import date, datetime

    from numpy.typing import NDArray
    from sqlalchemy import Connection

__all__ = ["Alterations"]

_Counted = tuple["NDArray[np.int64]", "NDArray[np.int64]"]
"""Numbers that each stand for a type and a place or an area, and how many incidents count there."""

_NOTHING = (np.array([], dtype=np.int64), np.array([], dtype=np.int64))
_TYPES = 1 << 33
_AREAS = 1 << 32  # the numbers from here on are areas, those below places


class Alterations:
    """The months of each source as they were when this was made, to be compared with what they are when it is written."""

    def __init__(self, connection: Connection, months: dict[int, set[Month]]) -> None:
        self.connection = connection
        self.months = months
        self._area_numbers: dict[str, int] = {}
        self._before = self._read()

    def _read(self) -> dict[tuple[int, Month], _Counted]:
        found: dict[tuple[int, Month], list[_Counted]] = defaultdict(list)
        for source_id, months in self.months.items():
            firsts = [month.first for month in months]
            packed = select(MonthPlaces).where(MonthPlaces.source_id == source_id, MonthPlaces.month.in_(firsts))
            for row in self.connection.execute(packed):
                places, types = (np.frombuffer(part, "<i4").astype(np.int64) for part in (row.place_ids, row.crime_type_ids))
                found[source_id, Month.of(row.month)].append((types * _TYPES + places, np.ones_like(places)))
            for month, counted in self._areas(source_id, firsts).items():
                keys, counts = np.array(counted, dtype=np.int64).T
                found[source_id, month].append((keys, counts))
        return {key: tuple(np.concatenate(part) for part in zip(*parts, strict=True)) for key, parts in found.items()}  # type: ignore[misc]

    def _areas(self, source_id: int, firsts: list[date]) -> dict[Month, list[tuple[int, int]]]:
        found: dict[Month, list[tuple[int, int]]] = defaultdict(list)
        cells = (
            select(AreaCount.month, AreaCount.crime_type_id, AreaCount.area_code, AreaCount.count)
            .join(Extract, Extract.id == AreaCount.extract_id)
            .where(Extract.source_id == source_id, AreaCount.month.in_(firsts))
        )
        for month, crime_type, area, count in self.connection.execute(cells):
            number = self._area_numbers.setdefault(area, len(self._area_numbers))
            found[Month.of(month)].append((crime_type * _TYPES + _AREAS + number, count))
        return found

    def write(self, *, now: datetime, what: str) -> None:
        """Write the command down, and for each month and type what is gone and what was added, by place or area."""
        load_id = (self.connection.scalar(select(func.max(Load.id))) or 0) + 1
        self.connection.execute(insert(Load).values(id=load_id, done_at=now, what=what))
        after = self._read()
        rows = [
            {"load_id": load_id, "source_id": source_id, "month": month.first, **row}
            for source_id, month in sorted(self._before.keys() | after.keys())
            for row in _compare(self._before.get((source_id, month), _NOTHING), after.get((source_id, month), _NOTHING))
        ]
        if rows:
            self.connection.execute(insert(LoadChange), rows)


def _compare(before: _Counted, after: _Counted) -> list[dict[str, int]]:
    """The types of which other places or areas count than before, with the numbers of incidents."""
    keys, at = np.unique(np.concatenate([before[0], after[0]]), return_inverse=True)
    then, now = (
        np.bincount(part, weights=counts, minlength=len(keys)).astype(np.int64)
        for part, (_, counts) in zip(np.split(at, [len(before[0])]), (before, after), strict=True)
    )
    types, type_at = np.unique(keys // _TYPES, return_inverse=True)
    columns = {"before": then, "after": now, "gone": np.maximum(then - now, 0), "added": np.maximum(now - then, 0)}
    summed = {name: np.bincount(type_at, weights=counts, minlength=len(types)) for name, counts in columns.items()}
    return [
        {"crime_type_id": int(crime_type), **{name: int(counts[i]) for name, counts in summed.items()}}
        for i, crime_type in enumerate(types)
        if summed["gone"][i] or summed["added"][i]
    ]
