"""Which rows count where extracts of changes amend others: of each reference the newest state, wherever it came from.

What counts is worked out from the windows and the extracts of changes that are in the store now, whatever their order. For
each reference that an extract of changes names:

- Its newest change is the one updated last; of two updated at the same moment, that of the later extract. All rows of it count
  together, older changes do not.
- A row of a window is as new as its own time of update, else as the end of the day that its extract was cut (`as_of`), else
  older than any change. What is not newer than the newest change gives way to it; what is newer stands, and no change does.
- A newest change that cancels leaves nothing of its reference. Any other counts where a window covers its day; a window that
  was cut later than the change, and does not hold it, knew better; where none covers it, it waits.

Rows without a reference, and references that no change names, are never touched. What does not count is kept in
`held_incident`, with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import delete, insert, literal, select, update

from mapping.store.models import Extract, HeldIncident, Incident, SuppliedWindow
from mapping.vocabulary import Month

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from sqlalchemy import Connection, Select

__all__ = ["CANCELLED", "COUNTS", "SUPERSEDED", "WAITING", "Amended", "Settled", "has_changes", "settle"]

COUNTS, SUPERSEDED, CANCELLED, WAITING = "", "superseded", "cancelled", "waiting"

_OLDEST = np.iinfo(np.int64).min
_AT_ONCE = 10_000  # ids in a statement
_COLUMNS = [column.name for column in Incident.__table__.columns]


@dataclass(slots=True)
class Amended:
    """What an extract of changes did, counted by reference; `older` counts rows that something newer stands above."""

    amended: int = 0
    reclassified: int = 0
    moved: int = 0
    cancelled: int = 0
    added: int = 0
    waiting: int = 0
    older: int = 0


@dataclass(slots=True)
class Settled:
    """What settling a stream did.

    `months` are those in which other rows count now; `by_extract` tells what each extract of changes did; `standing` gives for
    each extract of a window how many of its rows stand amended, and by which extracts; `back` is how many rows count again.
    """

    months: set[Month] = field(default_factory=set)
    by_extract: dict[int, Amended] = field(default_factory=dict)
    standing: dict[int, tuple[int, list[int]]] = field(default_factory=dict)
    back: int = 0


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of references that changes name, and all that are held: arrays of one length.

    `reference` numbers the references, -1 for none; `updated` is in microseconds since 1970; `day` in days since then.
    """

    id: NDArray[np.int64]
    extract: NDArray[np.int64]
    day: NDArray[np.int64]
    reference: NDArray[np.int64]
    updated: NDArray[np.int64]
    cancels: NDArray[np.bool_]
    changes: NDArray[np.bool_]
    why: NDArray[np.str_]
    crime_type: NDArray[np.int64]
    place: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Decision:
    """For each row why it does not count (else `COUNTS`), and for each reference the extract of its newest change, or 0.

    `stands` says of each reference whether that change is what counts, not something newer of a window.
    """

    why: NDArray[np.str_]
    newest: NDArray[np.int64]
    stands: NDArray[np.bool_]


def settle(connection: Connection, *, source_id: int, stream: str) -> Settled:
    """Make rows of a stream count, or not, as its windows and changes say now; counting months anew is the caller's."""
    extracts = {
        row.id: (row.kind == "changes", row.as_of)
        for row in connection.execute(
            select(Extract.id, Extract.kind, Extract.as_of).where(Extract.source_id == source_id, Extract.stream == stream)
        )
    }
    rows = _read_rows(connection, extracts)
    if not len(rows.id):
        return Settled()
    windows = connection.execute(
        select(SuppliedWindow.date_from, SuppliedWindow.date_to, Extract.as_of, Extract.id)
        .join(Extract, Extract.id == SuppliedWindow.extract_id)
        .where(Extract.source_id == source_id, Extract.stream == stream)
        .order_by(SuppliedWindow.date_from)
    ).all()
    decision = _decide(rows, [(_day(w.date_from), _day(w.date_to), _end_of(w.as_of), w.id) for w in windows])
    done = Settled(back=int(((rows.why != COUNTS) & (decision.why == COUNTS) & ~rows.changes).sum()))
    done.months = _move(connection, rows, decision.why)
    for extract_id in np.unique(rows.extract[rows.changes]).tolist():
        done.by_extract[extract_id] = _amended(rows, decision, extract_id)
    amended = ~rows.changes & ~rows.cancels & (decision.why != COUNTS)
    for extract_id in np.unique(rows.extract[amended]).tolist():
        mine = amended & (rows.extract == extract_id)
        by = np.unique(decision.newest[rows.reference[mine]])
        done.standing[extract_id] = (int(mine.sum()), by.tolist())
    return done


def has_changes(connection: Connection, *, source_id: int, stream: str) -> bool:
    """Whether any extract of changes of a stream is in force."""
    mine = (Extract.source_id == source_id) & (Extract.stream == stream)
    changes = select(Extract.id).where(mine, Extract.kind == "changes", Extract.withdrawn_at.is_(None)).limit(1)
    return connection.scalar(changes) is not None


def _read_rows(connection: Connection, extracts: dict[int, tuple[bool, date | None]]) -> _Rows:
    """All held rows of the extracts, those that changes brought, and those of windows whose reference a change names."""
    changes = [i for i, (is_changes, _) in extracts.items() if is_changes]
    held, counted = HeldIncident, Incident
    named = (
        select(counted.reference)
        .where(counted.extract_id.in_(changes))
        .union(select(held.reference).where(held.extract_id.in_(changes)))
    )
    base = [i for i in extracts if i not in set(changes)]
    found: list[tuple[object, ...]] = []
    for statement in (
        _fields(held, held.cancels, held.why).where(held.extract_id.in_(list(extracts))),
        _fields(counted).where(counted.extract_id.in_(changes)),
        _fields(counted).where(counted.extract_id.in_(base), counted.reference.in_(named)) if changes else None,
    ):
        if statement is not None:
            found += [tuple(row) for row in connection.execute(statement.order_by("id"))]
    columns = list(zip(*found, strict=True)) if found else [()] * 9
    ids, extract_ids, days, references, updated, types, places, cancels, why = columns
    numbers = {text: i for i, text in enumerate(dict.fromkeys(r for r in references if r is not None))}
    end_of = {i: _end_of(as_of) for i, (_, as_of) in extracts.items()}
    return _Rows(
        id=np.array(ids, dtype=np.int64),
        extract=np.array(extract_ids, dtype=np.int64),
        day=np.array(days, dtype="datetime64[D]").astype(np.int64),
        reference=np.array([numbers.get(r, -1) for r in references], dtype=np.int64),
        updated=np.array(
            [_microseconds(u) if u else end_of[e] for u, e in zip(updated, extract_ids, strict=True)], dtype=np.int64
        ),
        cancels=np.array(cancels, dtype=bool),
        changes=np.isin(np.array(extract_ids, dtype=np.int64), changes),
        why=np.array(why, dtype="U10"),
        crime_type=np.array(types, dtype=np.int64),
        place=np.array([place or 0 for place in places], dtype=np.int64),
    )


def _fields(model: type[Incident | HeldIncident], *more: Any) -> Select[Any]:  # noqa: ANN401 - columns
    fields = (model.id, model.extract_id, model.date, model.reference, model.updated_at, model.crime_type_id, model.place_id)
    return select(*fields, *(more or (literal(value=False).label("cancels"), literal(COUNTS).label("why"))))


def _microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1)) // timedelta(microseconds=1)  # noqa: DTZ001 - the clock of the place


def _day(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def _end_of(day: date | None) -> int:
    """The last moment of a day, or the oldest of all."""
    return (_day(day) + 1) * 86_400_000_000 - 1 if day else _OLDEST


def _decide(rows: _Rows, windows: list[tuple[int, int, int, int]]) -> _Decision:
    """What counts; `windows` are first and last day, the moment they were cut and their extract, in order, without overlap."""
    n = int(rows.reference.max(initial=-1)) + 1
    # One more at the end, for rows without a reference: no change names them.
    newest, updated, cancelled = np.zeros(n + 1, np.int64), np.full(n + 1, _OLDEST), np.zeros(n + 1, bool)
    change = np.flatnonzero(rows.changes)
    ordered = change[np.lexsort((rows.extract[change], rows.updated[change], rows.reference[change]))]
    # Of each reference the last one written is the newest.
    newest[rows.reference[ordered]] = rows.extract[ordered]
    updated[rows.reference[ordered]] = rows.updated[ordered]
    named = newest > 0
    of_newest = rows.changes & (rows.extract == newest[rows.reference]) & (rows.updated == updated[rows.reference])
    cancelled[rows.reference[of_newest & rows.cancels]] = True
    newer = ~rows.changes & (rows.updated > updated[rows.reference]) & named[rows.reference]
    stands = named.copy()
    stands[rows.reference[newer]] = False

    why = np.where(rows.cancels, CANCELLED, COUNTS).astype("U10")
    gives_way = ~rows.changes & named[rows.reference] & ~newer
    why[gives_way] = np.where(cancelled[rows.reference[gives_way]], CANCELLED, SUPERSEDED)
    in_place = of_newest & stands[rows.reference]
    why[rows.changes & ~in_place] = SUPERSEDED
    covered, cut, extract = _covering(rows.day, windows)
    current = in_place & ~cancelled[rows.reference]
    why[in_place & cancelled[rows.reference]] = CANCELLED
    why[current & ~covered] = WAITING
    # A window that holds the reference itself says something older of it, or the change would not stand.
    base = ~rows.changes & named[rows.reference]
    most = max(int(rows.extract.max(initial=0)), int(extract.max(initial=0))) + 1
    holds = np.isin(rows.reference * most + extract, (rows.reference * most + rows.extract)[base])
    knew_better = (cut >= rows.updated) & ~holds
    why[current & covered] = np.where(knew_better[current & covered], SUPERSEDED, COUNTS)
    return _Decision(why, newest, stands)


def _covering(
    days: NDArray[np.int64], windows: list[tuple[int, int, int, int]]
) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]:
    """Whether a window covers each day, when that was cut, and its extract."""
    if not windows:
        return np.zeros(len(days), bool), np.full(len(days), _OLDEST), np.zeros(len(days), np.int64)
    first, last, cut, extract = np.array(windows, dtype=np.int64).T
    at = np.searchsorted(first, days, side="right") - 1
    covered = (at >= 0) & (days <= last[at])
    return covered, np.where(covered, cut[at], _OLDEST), np.where(covered, extract[at], 0)


def _move(connection: Connection, rows: _Rows, why: NDArray[np.str_]) -> set[Month]:
    """Put every row where it belongs; returns the months in which other rows count now."""
    changed = rows.why != why
    held = [*(getattr(Incident, name) for name in _COLUMNS), literal(value=False)]
    for reason in (SUPERSEDED, CANCELLED, WAITING):
        for chunk in _chunks(rows.id[changed & (why == reason) & (rows.why == COUNTS)]):
            taken = select(*held, literal(reason)).where(Incident.id.in_(chunk))
            connection.execute(insert(HeldIncident).from_select([*_COLUMNS, "cancels", "why"], taken))
            connection.execute(delete(Incident).where(Incident.id.in_(chunk)))
        for chunk in _chunks(rows.id[changed & (why == reason) & (rows.why != COUNTS)]):
            connection.execute(update(HeldIncident).where(HeldIncident.id.in_(chunk)).values(why=reason))
    for chunk in _chunks(rows.id[changed & (why == COUNTS)]):
        freed = select(*(getattr(HeldIncident, name) for name in _COLUMNS)).where(HeldIncident.id.in_(chunk))
        connection.execute(insert(Incident).from_select(_COLUMNS, freed))
        connection.execute(delete(HeldIncident).where(HeldIncident.id.in_(chunk)))
    other = changed & ((why == COUNTS) | (rows.why == COUNTS))
    return {Month.of(day) for day in np.unique(rows.day[other]).astype("datetime64[D]").tolist()}


def _chunks(ids: NDArray[np.int64]) -> Iterable[list[int]]:
    return (ids[start : start + _AT_ONCE].tolist() for start in range(0, len(ids), _AT_ONCE))


def _amended(rows: _Rows, decision: _Decision, extract_id: int) -> Amended:
    mine = np.flatnonzero((decision.newest == extract_id) & decision.stands)
    chosen = np.isin(rows.reference, mine)
    before, after = chosen & (rows.why == COUNTS), chosen & (decision.why == COUNTS)
    was, now = np.isin(mine, rows.reference[before]), np.isin(mine, rows.reference[after])
    kept = mine[was & now]
    own = rows.extract == extract_id
    months = rows.day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return Amended(
        amended=len(kept),
        reclassified=len(np.intersect1d(kept, _differing(rows.reference, rows.crime_type, before, after))),
        moved=len(
            np.intersect1d(
                kept,
                np.union1d(
                    _differing(rows.reference, months, before, after), _differing(rows.reference, rows.place, before, after)
                ),
            )
        ),
        cancelled=len(np.unique(rows.reference[own & chosen & (decision.why == CANCELLED)])),
        added=int((now & ~was).sum()),
        waiting=len(np.unique(rows.reference[own & (decision.why == WAITING)])),
        older=int((own & (decision.why == SUPERSEDED)).sum()),
    )


def _differing(
    references: NDArray[np.int64], values: NDArray[np.int64], before: NDArray[np.bool_], after: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """References of which the values before and after are not the same, however often each."""
    chosen = before | after
    pairs, at = np.unique(np.stack([references[chosen], values[chosen]]), axis=1, return_inverse=True)
    balance = np.bincount(at.ravel(), weights=after[chosen].astype(float) - before[chosen], minlength=pairs.shape[1])
    return np.unique(pairs[0][balance != 0])
