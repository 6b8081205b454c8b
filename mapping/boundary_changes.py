"""What changed between two boundary sets, with the incidents that lie in what changed: for the page and the API of a pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mapping.errors import NotFound
from mapping.questions import resolve_period
from mapping.reach import streams_of_wards
from mapping.vintages import CHANGED, compare_sets, read_moves
from mapping.vocabulary import Month, Period, group_members

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from mapping.coverage import Coverage
    from mapping.questions import Question
    from mapping.reader import BoundarySetInfo, Catalogue, Reader
    from mapping.vintages import Comparison

__all__ = ["CHANGE_COLUMNS", "BoundaryChanges", "Flow", "boundary_changes", "change_rows", "older_sets", "pairs_of_sets"]

CHANGE_COLUMNS = (
    *("old_code", "old_name", "old_kind", "new_code", "new_name", "new_kind", "kind"),
    *("share_of_old", "share_of_new", "incidents"),
)


@dataclass(frozen=True, slots=True)
class Flow:
    """The ground (as shares of each) and the incidents that an old and a new ward have in common; None is in no ward.

    `incidents` is None where nothing was supplied of either ward.
    """

    old: int | None
    new: int | None
    kind: str
    share_of_old: float
    share_of_new: float
    incidents: int | None


@dataclass(frozen=True, slots=True)
class BoundaryChanges:
    """Two sets held against each other, and the incidents of a period on both.

    `old_incidents` and `new_incidents` are by ward, None where nothing was supplied of it; `flows` are by old, then new ward;
    `missing` is what was not supplied, `extracts` the ids of those that the incidents came from.
    """

    old: BoundarySetInfo
    new: BoundarySetInfo
    comparison: Comparison
    period: Period
    flows: tuple[Flow, ...]
    old_incidents: tuple[int | None, ...]
    new_incidents: tuple[int | None, ...]
    missing: list[dict[str, str]]
    extracts: list[int]

    @property
    def totals(self) -> dict[str, int | None]:
        """Incidents in all wards of each set, in those that changed, and in another ward although both sets draw it alike.

        In wards that changed: of the old set redrawn, split, merged or gone; of the new redrawn, split off, merged or new.
        """
        old_kinds, new_kinds = self.comparison.old_kinds, self.comparison.new_kinds
        return {
            "old": _total(self.old_incidents, [True for _ in old_kinds]),
            "in_changed_old": _total(self.old_incidents, [kind in CHANGED for kind in old_kinds]),
            "new": _total(self.new_incidents, [True for _ in new_kinds]),
            "in_changed_new": _total(self.new_incidents, [kind in CHANGED for kind in new_kinds]),
            "across_slivers": _total([flow.incidents for flow in self.flows], [flow.kind == "sliver" for flow in self.flows]),
        }


def _total(incidents: Sequence[int | None], wanted: Iterable[bool]) -> int | None:
    """The sum of what is known of those wanted; None where nothing at all is known."""
    if all(n is None for n in incidents):
        return None
    return sum(n for n, take in zip(incidents, wanted, strict=True) if take and n is not None)


def pairs_of_sets(sets: tuple[BoundarySetInfo, ...]) -> list[tuple[BoundarySetInfo, BoundarySetInfo]]:
    """Each pair of sets of one kind, the older first, the newest pairs first."""
    ordered = sorted(sets, key=lambda s: (_day(s.effective), s.id))
    pairs = [(old, new) for n, new in enumerate(ordered) for old in ordered[:n] if old.kind == new.kind]
    return pairs[::-1]


def older_sets(catalogue: Catalogue, boundary_set: BoundarySetInfo) -> list[BoundarySetInfo]:
    """The sets of the same kind that were in force before this one, the latest first."""
    return [old for old, new in pairs_of_sets(catalogue.boundary_sets) if new.id == boundary_set.id and old.effective]


def _day(effective: date | None) -> str:
    return str(effective or "")


def boundary_changes(reader: Reader, old: str, new: str, question: Question) -> BoundaryChanges:
    """Hold two sets against each other; of the incidents that have places, say where they are on both.

    Raises
    ------
    NotFound
        If there is no such set.
    BadRequest
        If a parameter has a value that is not there.
    """
    catalogue = reader.catalogue()
    sets = {found.name: found for found in catalogue.boundary_sets}
    for name in (old, new):
        if name not in sets:
            raise NotFound(
                f"There is no boundary set '{name}'.",
                hint="Loaded: " + (", ".join(sets) or "none") + ".",
                parameter="boundaries",
                value=name,
            )
    first, second = sets[old], sets[new]
    comparison = reader.keep(catalogue, f"compare {first.id} {second.id}", lambda c: compare_sets(c, first.id, second.id))
    sources = [s.id for s in catalogue.sources_in_view(question.source)]
    names = " ".join(sources)
    moves = reader.keep(
        catalogue, f"moves {first.id} {second.id} {names}", lambda c: read_moves(c, first.id, second.id, sources=sources)
    )
    members = {t.id for t in group_members(question.crime_type, catalogue.crime_types)}
    supplied = catalogue.coverage.of(sources=sources)
    placed = _placed(supplied)
    period = _period(question, placed if placed.span else supplied, second)
    sending = placed.of(crime_types=members)
    # As in every measure, rows of a month that was not supplied are no figure of it.
    counted = moves.during([month for month in period if sending.status(month) != "not-supplied"], members)
    old_known, new_known = (_known(reader, catalogue, one, sending, period) for one in (first, second))
    old_incidents, new_incidents = ([0 if known else None for known in wards] for wards in (old_known, new_known))
    for (i, j), count in counted.items():
        if i >= 0 and (here := old_incidents[i]) is not None:
            old_incidents[i] = here + count
        if j >= 0 and (here := new_incidents[j]) is not None:
            new_incidents[j] = here + count
    return BoundaryChanges(
        first,
        second,
        comparison,
        period,
        _flows(comparison, counted, old_known, new_known),
        tuple(old_incidents),
        tuple(new_incidents),
        sending.missing(period),
        reader.ledger(catalogue).behind(sending, period),
    )


def _known(
    reader: Reader, catalogue: Catalogue, boundary_set: BoundarySetInfo, sending: Coverage, period: Period
) -> list[bool]:
    """For each ward whether any of these streams that covers it supplied any of the period: of others, none is no zero."""
    there = sending.only(
        any(stream.judged(month, sending.crime_types)[0] != "not-supplied" for month in period) for stream in sending.streams
    )
    covers = streams_of_wards(reader.reach(catalogue, boundary_set), there, wards=len(boundary_set.wards))
    return [bool(known) for known in np.any(covers, axis=1)]


def _period(question: Question, coverage: Coverage, boundary_set: BoundarySetInfo) -> Period:
    """The period asked for; where nothing was supplied yet, the month in which the set came into force: shapes need no data."""
    if coverage.span is None and not (question.first and question.last):
        month = Month.of(boundary_set.effective or boundary_set.loaded_at.date())
        return Period(question.first or question.last or month, question.last or question.first or month)
    return resolve_period(question, coverage, months=12)


def _placed(coverage: Coverage) -> Coverage:
    """The streams whose incidents have places."""
    return coverage.only(stream.records == "incidents" for stream in coverage.streams)


def _flows(
    comparison: Comparison, counted: dict[tuple[int, int], int], old_known: Sequence[bool], new_known: Sequence[bool]
) -> tuple[Flow, ...]:
    shared = {(pair.old, pair.new): pair for pair in comparison.pairs}
    # Wards that share ground with none of the other set, and have no incident either, are told too.
    alone = {(i, -1) for i in set(range(len(comparison.old_kinds))) - {i for i, _ in (*shared, *counted)}}
    alone |= {(-1, j) for j in set(range(len(comparison.new_kinds))) - {j for _, j in (*shared, *counted)}}
    flows = []
    for i, j in sorted({*shared, *counted, *alone}):
        pair = shared.get((i, j))
        kind = pair.kind if pair else "outside" if min(i, j) < 0 else _kind_unshared(comparison, i, j)
        shares = (pair.share_of_old, pair.share_of_new) if pair else (0.0, 0.0)
        known = (i >= 0 and old_known[i]) or (j >= 0 and new_known[j])
        incidents = counted.get((i, j), 0) if known else None
        flows.append(Flow(i if i >= 0 else None, j if j >= 0 else None, kind, *shares, incidents=incidents))
    return tuple(flows)


def _kind_unshared(comparison: Comparison, i: int, j: int) -> str:
    """What incidents cross where two wards share no more than the drawing of a border."""
    return "part" if comparison.old_kinds[i] in CHANGED and comparison.new_kinds[j] in CHANGED else "sliver"


def change_rows(found: BoundaryChanges) -> list[dict[str, Any]]:
    """Rows with the columns of `CHANGE_COLUMNS`, one for each pair of wards that share ground or incidents."""
    rows = []
    for flow in found.flows:
        old = found.old.wards[flow.old] if flow.old is not None else None
        new = found.new.wards[flow.new] if flow.new is not None else None
        rows.append(
            {
                "old_code": old.code if old else None,
                "old_name": old.name if old else None,
                "old_kind": found.comparison.old_kinds[flow.old] if flow.old is not None else None,
                "new_code": new.code if new else None,
                "new_name": new.name if new else None,
                "new_kind": found.comparison.new_kinds[flow.new] if flow.new is not None else None,
                "kind": flow.kind,
                "share_of_old": flow.share_of_old,
                "share_of_new": flow.share_of_new,
                "incidents": flow.incidents,
            }
        )
    return rows
