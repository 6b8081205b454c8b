"""What a command alters in months that were supplied before it: written down, so that `status --changes` can say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import func, insert, select

from mapping.store.models import Load, LoadChange, MonthPlaces
from mapping.vocabulary import Month

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray
    from sqlalchemy import Connection

__all__ = ["Alterations"]

_Packed = dict[tuple[int, Month], tuple[bytes, bytes]]


class Alterations:
    """The months of each source as they were when this was made, to be compared with what they are when it is written."""

    def __init__(self, connection: Connection, months: dict[int, set[Month]]) -> None:
        self.connection = connection
        self.months = months
        self._before = self._read()

    def _read(self) -> _Packed:
        found: _Packed = {}
        for source_id, months in self.months.items():
            firsts = [month.first for month in months]
            statement = select(MonthPlaces).where(MonthPlaces.source_id == source_id, MonthPlaces.month.in_(firsts))
            for row in self.connection.execute(statement):
                found[source_id, Month.of(row.month)] = (row.place_ids, row.crime_type_ids)
        return found

    def write(self, *, now: datetime, what: str) -> None:
        """Write the command down, and for each month and type what is gone and what was added, by place."""
        load_id = (self.connection.scalar(select(func.max(Load.id))) or 0) + 1
        self.connection.execute(insert(Load).values(id=load_id, done_at=now, what=what))
        after = self._read()
        nothing = (b"", b"")
        rows = [
            {"load_id": load_id, "source_id": source_id, "month": month.first, **row}
            for source_id, month in sorted(self._before.keys() | after.keys())
            for row in _compare(self._before.get((source_id, month), nothing), after.get((source_id, month), nothing))
        ]
        if rows:
            self.connection.execute(insert(LoadChange), rows)


def _compare(before: tuple[bytes, bytes], after: tuple[bytes, bytes]) -> list[dict[str, int]]:
    """The types of which other places count than before, with the numbers of incidents."""
    if before == after:
        return []
    then, now = _keys(before), _keys(after)
    keys, at = np.unique(np.concatenate([then, now]), return_inverse=True)
    of_then, of_now = (np.bincount(part, minlength=len(keys)) for part in np.split(at, [len(then)]))
    types, type_at = np.unique(keys >> 32, return_inverse=True)
    columns = {
        "before": of_then,
        "after": of_now,
        "gone": np.maximum(of_then - of_now, 0),
        "added": np.maximum(of_now - of_then, 0),
    }
    summed = {name: np.bincount(type_at, weights=counts).astype(int) for name, counts in columns.items()}
    return [
        {"crime_type_id": int(crime_type), **{name: int(counts[i]) for name, counts in summed.items()}}
        for i, crime_type in enumerate(types)
        if summed["gone"][i] or summed["added"][i]
    ]


def _keys(packed: tuple[bytes, bytes]) -> NDArray[np.int64]:
    """One number for each incident: its type and its place."""
    places, types = (np.frombuffer(part, "<i4").astype(np.int64) for part in packed)
    return (types << 32) + places
