"""The rows of new extracts on their way into the store: placed, inserted and counted together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from sqlalchemy import func, insert, select

from loaders.amendments import CANCELLED, WAITING
from loaders.ledger import next_id
from mapping.counts import count_combinations, pack_from_store, pack_months, recount
from mapping.places import place_places, read_place_wards, read_places
from mapping.store import bulk_insert
from mapping.store.models import BoundarySet, ExtractTypeCount, HeldIncident, Incident, IssueRow, Phrase, Place
from mapping.vocabulary import Month

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sqlalchemy import Connection

    from loaders.progress import Progress
    from loaders.quality import ExtractReport
    from loaders.sorting import ReceivedExtract


__all__ = ["Shelf", "store_issues", "store_phrases"]

_PHRASE_COLUMNS = {
    "location": "location_id",
    "lsoa": "lsoa_id",
    "outcome": "outcome_id",
    "code": "code_id",
    "opening": "opening_code_id",
    "class": "class_id",
    "status": "status_id",
}


class Shelf:
    """The rows of new extracts on their way into the store, all together, in arrays of one length."""

    def __init__(
        self, connection: Connection, fresh: list[tuple[ReceivedExtract, ExtractReport, int]], progress: Progress
    ) -> None:
        self.connection = connection
        self.progress = progress
        self.reports = [done for _, done, _ in fresh]
        self.declared = [extract.layout.declared_types for extract, _, _ in fresh]
        self.rows = pa.concat_tables([extract.rows for extract, _, _ in fresh]).unify_dictionaries()
        self.first_id = next_id(connection, Incident, HeldIncident)
        sizes = [done.kept for done in self.reports]
        self.starts = np.concatenate([[0], np.cumsum(sizes)])
        # What changes bring waits until it is settled which state of each reference is the newest.
        windows = np.repeat([extract.kind == "window" for extract, _, _ in fresh], sizes)
        self.counts = windows & ~self.rows["cancels"].to_numpy()
        self.extract_ids = np.repeat([done.extract_id for done in self.reports], sizes)
        self.source_ids = np.repeat([source_id for _, _, source_id in fresh], sizes)

    def store(self, type_ids: dict[str, int]) -> None:
        """Place and insert the rows: those that count, and those that are held."""
        self.progress("placing", 0)
        self.place_ids = _place_ids(self.connection, self.rows["x"].to_numpy(), self.rows["y"].to_numpy())
        self.progress("storing", 0)
        self.types = self._by_dictionary("crime_type", type_ids)
        phrases = store_phrases(self.connection, [self.rows[name] for name in _PHRASE_COLUMNS])
        rows = pa.table(
            {
                "id": np.arange(self.first_id, self.first_id + self.rows.num_rows),
                "extract_id": self.extract_ids,
                "date": self.rows["date"],
                "crime_type_id": self.types,
                "place_id": pa.array(self.place_ids, mask=self.place_ids == 0),
                **{name: self.rows[name] for name in ("precision", "started_at", "ended_at", "reference")},
                **_filled(dict(zip(_PHRASE_COLUMNS.values(), phrases, strict=True))),
                **_filled({name: self.rows[name] for name in ("repeat_victim", "updated_at")}),
            }
        )
        if not self.counts.all():
            held = rows.append_column("cancels", self.rows["cancels"])
            held = held.append_column("why", pc.if_else(self.rows["cancels"], CANCELLED, WAITING))
            bulk_insert(self.connection, HeldIncident.__table__, held.filter(pa.array(~self.counts)))  # type: ignore[arg-type]
            rows = rows.filter(pa.array(self.counts))
        # Into an empty table it is quicker to insert first and index then.
        indexes = Incident.__table__.indexes if self.first_id == 1 else ()  # type: ignore[attr-defined]
        for index in indexes:
            index.drop(self.connection)
        bulk_insert(self.connection, Incident.__table__, rows)  # type: ignore[arg-type]
        for index in indexes:
            index.create(self.connection)
        self._store_types(self.types, type_ids)
        firsts = [self.first_id + int(start) for start in self.starts[:-1]]
        store_issues(self.connection, list(zip(self.reports, firsts, strict=True)))

    def read_held(self) -> None:
        """Look up which rows do not count, after changes were settled."""
        extracts = [done.extract_id for done in self.reports]
        held = self.connection.scalars(select(HeldIncident.id).where(HeldIncident.extract_id.in_(extracts))).all()
        self.counts = np.ones(self.rows.num_rows, dtype=bool)
        self.counts[np.array(held, dtype=np.int64) - self.first_id] = False

    def _by_dictionary(self, column: str, ids: dict[str, int]) -> NDArray[np.int64]:
        texts = self.rows[column].combine_chunks()
        numbers = np.array([ids[text] for text in texts.dictionary.to_pylist()], dtype=np.int64)
        of_rows: NDArray[np.int64] = numbers[texts.indices.to_numpy()]
        return of_rows

    def _store_types(self, types: NDArray[np.int64], type_ids: dict[str, int]) -> None:
        """How many of each type; a type that the layout can say and no row did is known to be sent, with none."""
        (extracts, kinds), counts = count_combinations(self.extract_ids, types)
        found = {(int(e), int(t)): int(n) for e, t, n in zip(extracts, kinds, counts, strict=True)}
        ids = [int(done.extract_id or 0) for done in self.reports]
        rows = [
            {"extract_id": extract_id, "crime_type_id": crime_type, "count": found.get((extract_id, crime_type), 0)}
            for extract_id, declared in zip(ids, self.declared, strict=True)
            for crime_type in sorted(type_ids[name] for name in declared)
        ]
        self.connection.execute(insert(ExtractTypeCount), rows)

    def count(self, touched: dict[int, set[Month]], kept_months: dict[int, set[Month]]) -> None:
        """Count the touched months and fill the reports.

        Parameters
        ----------
        touched
            For each source the months to count.
        kept_months
            Those of them that hold other incidents than the rows at hand, or not all of these: they are packed from the
            store, the others from the rows.
        """
        self.progress("counting", 0)
        self._report_held()
        days, at = np.unique(self.rows["date"].to_numpy(), return_inverse=True)
        months = np.array([Month.of(day).index for day in days.tolist()], dtype=np.int64)[at]
        mixed = ~self.counts
        others: dict[int, set[Month]] = {}
        for source_id, kept in kept_months.items():
            mine = (self.source_ids == source_id) & self.counts
            mixed |= mine & np.isin(months, [month.index for month in kept])
            others[source_id] = kept | (touched[source_id] - {Month.from_index(int(i)) for i in np.unique(months[mine])})
        pack_months(
            self.connection,
            source_ids=self.source_ids[~mixed],
            months=months[~mixed],
            place_ids=self.place_ids[~mixed],
            crime_type_ids=self.types[~mixed],
        )
        pack_from_store(self.connection, others)
        sets = self.connection.execute(select(BoundarySet.id, BoundarySet.name).order_by(BoundarySet.id)).all()
        for found in sets:
            inside = (read_place_wards(self.connection, found.id)[self.place_ids] > 0) & self.counts
            for done, start, end in zip(self.reports, self.starts, self.starts[1:], strict=False):
                done.in_ward[found.name] = int(inside[start:end].sum())
        told = self.progress
        recount(
            self.connection,
            set_ids=[found.id for found in sets],
            months=touched,
            progress=lambda share: told("counting", share),
        )

    def _report_held(self) -> None:
        """Rows that do not count are none of those kept."""
        for done, start, end in zip(self.reports, self.starts, self.starts[1:], strict=False):
            counts = self.counts[start:end]
            if counts.all():
                continue
            done.kept = int(counts.sum())
            done.set_aside += len(counts) - done.kept
            done.without_coordinates = int((counts & (self.place_ids[start:end] == 0)).sum())
            done.repaired = len({i.row for i in done.issues if i.outcome == "repaired" and counts[i.row]})


def _place_ids(connection: Connection, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int64]:
    """The place of each row (0 where it has no coordinates); new places are stored and put in their wards."""
    located = ~np.isnan(x)
    wanted, at = np.unique(x[located] + 1j * y[located], return_inverse=True)
    ids, points = read_places(connection)
    known = shapely.get_x(points) + 1j * shapely.get_y(points) if len(ids) else np.array([], dtype=complex)
    order = np.argsort(known)
    found = np.searchsorted(known[order], wanted)
    is_known = np.zeros(len(wanted), dtype=bool)
    if len(known):
        is_known = known[order][np.minimum(found, len(known) - 1)] == wanted
    place_of = np.zeros(len(wanted), dtype=np.int64)
    place_of[is_known] = ids[order][found[is_known]]
    new = wanted[~is_known]
    new_ids = np.arange(len(new)) + (int(ids.max()) if len(ids) else 0) + 1
    place_of[~is_known] = new_ids
    if len(new):
        new_points = np.asarray(shapely.points(new.real, new.imag), dtype=object)
        bulk_insert(connection, Place.__table__, pa.table({"id": new_ids, "geom": shapely.to_wkb(new_points)}))  # type: ignore[arg-type]
        place_places(connection, new_ids, new_points)
    result = np.zeros(len(x), dtype=np.int64)
    result[located] = place_of[at]
    return result


def _filled(columns: dict[str, pa.Array]) -> dict[str, pa.Array]:
    """The columns that hold anything: writing nothing into millions of rows takes time too."""
    return {name: column for name, column in columns.items() if column.null_count < len(column)}


def store_phrases(connection: Connection, columns: list[pa.ChunkedArray]) -> list[pa.Array]:
    """The phrase of each row and column, null where there is none; new phrases are stored."""
    known = {row[0]: row[1] for row in connection.execute(select(Phrase.text, Phrase.id))}
    before = len(known)
    arrays = [column.combine_chunks() for column in columns]
    for array in arrays:
        for text in array.dictionary.to_pylist():
            known.setdefault(text, len(known) + 1)
    new = list(known.items())[before:]
    texts = pa.table({"id": pa.array([i for _, i in new], pa.int64()), "text": pa.array([t for t, _ in new], pa.string())})
    bulk_insert(connection, Phrase.__table__, texts)  # type: ignore[arg-type]
    return [
        pa.array([known[text] for text in array.dictionary.to_pylist()], pa.int64()).take(array.indices) for array in arrays
    ]


def store_issues(connection: Connection, reports: list[tuple[ExtractReport, int | None]]) -> None:
    """Store the issues of extracts; with each the id of its first row, or None where its rows are no incidents."""
    first_id = (connection.scalar(select(func.max(IssueRow.id))) or 0) + 1
    found = [(done, first, issue) for done, first in reports for issue in done.issues]
    incidents = [None if first is None or issue.row < 0 else first + issue.row for _, first, issue in found]
    columns = {
        "id": pa.array(np.arange(first_id, first_id + len(found))),
        "extract_id": pa.array([done.extract_id for done, _, _ in found], pa.int64()),
        "incident_id": pa.array(incidents, pa.int64()),
        "line": pa.array([issue.line for _, _, issue in found], pa.int64()),
        **{
            name: pa.array([getattr(issue, name) for _, _, issue in found], pa.string())
            for name in ("outcome", "kind", "file", "field", "value")
        },
    }
    bulk_insert(connection, IssueRow.__table__, pa.table(columns))  # type: ignore[arg-type]
