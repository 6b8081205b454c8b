"""Checked extracts go into the store: replace their windows, place new places, recount. One transaction."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from sqlalchemy import func, insert, select

from loaders.ledger import clear_window, months_of, next_id, rows_in_window, stamp
from loaders.quality import ExtractReport, LoadReport
from mapping.counts import count_combinations, months_in_store, recount, store_counts
from mapping.errors import DataRefused
from mapping.places import place_places, read_place_wards, read_places
from mapping.store import bulk_insert, writing
from mapping.store.models import (
    BoundarySet,
    CrimeTypeRow,
    Extract,
    ExtractFile,
    ExtractTypeCount,
    Incident,
    IssueRow,
    Phrase,
    Place,
    Source,
    SuppliedWindow,
)
from mapping.vocabulary import Month

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from numpy.typing import NDArray
    from sqlalchemy import Connection, Engine

    from loaders.incidents import ReceivedExtract
    from mapping.vocabulary import CrimeType

    Progress = Callable[[str, float], None]

__all__ = ["shelve"]

_MOST_OUTSIDE = 0.9


def shelve(
    engine: Engine,
    extracts: list[ReceivedExtract],
    report: LoadReport,
    *,
    now: datetime,
    replace: bool,
    progress: Progress,
) -> None:
    """Store extracts, each in place of what was known of its window; fills `report`.

    Raises
    ------
    DataRefused
        If a window would lose more than half its rows without `replace`, or a source would change who may see it.
    """
    with writing(engine) as connection:
        type_ids = _type_ids(connection, (t for extract in extracts for t in extract.layout.all_types))
        touched: dict[int, set[Month]] = defaultdict(set)
        fresh: list[tuple[ReceivedExtract, ExtractReport, int]] = []
        faults: list[str] = []
        for extract in extracts:
            done = _report_of(extract)
            report.extracts.append(done)
            try:
                source_id = _source_id(connection, extract)
                done.unchanged = _is_stored(connection, source_id, extract)
                if not done.unchanged:
                    _replace_window(connection, source_id, extract, done, replace=replace)
                    done.extract_id = _enter(connection, source_id, extract, done, now=now)
                    touched[source_id] |= months_of(extract.window.first, extract.window.last)
                    fresh.append((extract, done, source_id))
            except DataRefused as error:
                faults.append(str(error))
        if faults:
            raise DataRefused("\n\n".join(faults), hint="Nothing was stored.")
        if fresh:
            kept_months = {source_id: months_in_store(connection, source_id, months) for source_id, months in touched.items()}
            _Shelf(connection, fresh, progress).store(type_ids, kept_months)
            stamp(connection)
        _warn(connection, report)


def _report_of(extract: ReceivedExtract) -> ExtractReport:
    rows = extract.rows
    repaired = {issue.row for issue in extract.issues if issue.outcome == "repaired"}
    return ExtractReport(
        source=extract.source,
        stream=extract.layout.stream,
        window=(extract.window.first, extract.window.last),
        files=[name for name, _ in extract.files],
        read=rows.num_rows + extract.set_aside + extract.rejected,
        kept=rows.num_rows,
        repaired=len(repaired),
        set_aside=extract.set_aside,
        rejected=extract.rejected,
        without_coordinates=rows["x"].null_count,
        repeated_references=sum(issue.outcome == "noted" for issue in extract.issues),
        issues=extract.issues,
    )


def _type_ids(connection: Connection, types: Iterable[CrimeType]) -> dict[str, int]:
    """Ids of all crime types, those that a layout adds included."""
    known = dict(connection.execute(select(CrimeTypeRow.slug, CrimeTypeRow.id)).tuples().all())
    for crime_type in types:
        if crime_type.id not in known:
            known[crime_type.id] = len(known) + 1
            connection.execute(
                insert(CrimeTypeRow).values(
                    id=known[crime_type.id], slug=crime_type.id, name=crime_type.name, group=crime_type.group
                )
            )
    return known


def _source_id(connection: Connection, extract: ReceivedExtract) -> int:
    known = connection.execute(select(Source).where(Source.slug == extract.source)).first()
    if known is None:
        source_id = next_id(connection, Source)
        connection.execute(
            insert(Source).values(
                id=source_id,
                slug=extract.source,
                name=extract.source_name,
                access=extract.layout.access,
                attribution=extract.layout.attribution,
            )
        )
        return source_id
    if known.access != extract.layout.access:
        raise DataRefused(
            f"{extract.files[0][0]}: the source {extract.source} is {known.access} in the store, and the layout "
            f"{extract.layout.name} says {extract.layout.access}.\nWho may see a source is never changed by a load: correct the "
            "layout, or give these files a source of their own with --source."
        )
    return int(known.id)


def _is_stored(connection: Connection, source_id: int, extract: ReceivedExtract) -> bool:
    """Whether the window is covered whole by an extract of just these files, read by the same layout with the same outcome."""
    found = connection.execute(
        select(Extract)
        .join(SuppliedWindow, SuppliedWindow.extract_id == Extract.id)
        .where(
            Extract.source_id == source_id,
            Extract.stream == extract.layout.stream,
            Extract.layout_sha256 == extract.layout.sha256,
            Extract.rows_rejected == extract.rejected,
            SuppliedWindow.date_from == extract.window.first,
            SuppliedWindow.date_to == extract.window.last,
        )
    ).first()
    if found is None:
        return False
    files = connection.scalars(select(ExtractFile.sha256).where(ExtractFile.extract_id == found.id)).all()
    return sorted(files) == sorted(sha256 for _, sha256 in extract.files)


def _replace_window(
    connection: Connection, source_id: int, extract: ReceivedExtract, done: ExtractReport, *, replace: bool
) -> None:
    window, stream = extract.window, extract.layout.stream
    if not window.is_whole_months:
        _refuse_over_months(connection, source_id, extract)
    where = {"source_id": source_id, "stream": stream, "first": window.first, "last": window.last}
    done.replaced_rows = rows_in_window(connection, **where)  # type: ignore[arg-type]
    if done.kept * 2 < done.replaced_rows and not replace:
        raise DataRefused(
            f"{', '.join(done.files[:3])}: would leave {extract.source} {stream} {window} with {done.kept:,} rows, where "
            f"{done.replaced_rows:,} are stored.\nA cut file looks like this. If it is right, load it with --replace."
        )
    clear_window(connection, **where)  # type: ignore[arg-type]


def _refuse_over_months(connection: Connection, source_id: int, extract: ReceivedExtract) -> None:
    window = extract.window
    monthly = connection.scalar(
        select(func.count())
        .select_from(Incident)
        .join(Extract, Extract.id == Incident.extract_id)
        .where(
            Extract.source_id == source_id,
            Extract.stream == extract.layout.stream,
            Incident.precision == "month",
            Incident.date.between(Month.of(window.first).first, window.last),
        )
    )
    if monthly:
        raise DataRefused(
            f"{extract.files[0][0]}: the window {window} cuts a month of which {monthly:,} rows are stored without a day.\n"
            "Load whole months of this stream, or give the layout a stream of its own."
        )


def _enter(connection: Connection, source_id: int, extract: ReceivedExtract, done: ExtractReport, *, now: datetime) -> int:
    """Write the extract into the ledger; returns its id."""
    extract_id = next_id(connection, Extract)
    connection.execute(
        insert(Extract).values(
            id=extract_id,
            source_id=source_id,
            stream=done.stream,
            layout=extract.layout.name,
            layout_sha256=extract.layout.sha256,
            counted_by=extract.layout.month_of,
            date_from=extract.window.first,
            date_to=extract.window.last,
            loaded_at=now,
            withdrawn_at=None,
            rows_read=done.read,
            rows_kept=done.kept,
            rows_repaired=done.repaired,
            rows_set_aside=done.set_aside,
            rows_rejected=done.rejected,
            rows_without_coordinates=done.without_coordinates,
            repeated_references=done.repeated_references,
        )
    )
    files = [
        {"extract_id": extract_id, "position": i, "name": name, "sha256": sha256}
        for i, (name, sha256) in enumerate(extract.files)
    ]
    connection.execute(insert(ExtractFile), files)
    connection.execute(
        insert(SuppliedWindow).values(extract_id=extract_id, date_from=extract.window.first, date_to=extract.window.last)
    )
    return extract_id


class _Shelf:
    """The rows of new extracts on their way into the store, all together, in arrays of one length."""

    def __init__(self, connection: Connection, fresh: list[tuple[ReceivedExtract, ExtractReport, int]], progress: Progress) -> None:
        self.connection = connection
        self.progress = progress
        self.reports = [done for _, done, _ in fresh]
        self.rows = pa.concat_tables([extract.rows for extract, _, _ in fresh]).unify_dictionaries()
        sizes = [done.kept for done in self.reports]
        self.starts = np.concatenate([[0], np.cumsum(sizes)])
        self.extract_ids = np.repeat([done.extract_id for done in self.reports], sizes)
        self.source_ids = np.repeat([source_id for _, _, source_id in fresh], sizes)

    def store(self, type_ids: dict[str, int], kept_months: dict[int, set[Month]]) -> None:
        """Place and insert the rows, then count them; `kept_months` hold incidents of other extracts too."""
        self.progress("placing", 0)
        place_ids = _place_ids(self.connection, self.rows["x"].to_numpy(), self.rows["y"].to_numpy())
        self.progress("storing", 0)
        types = self._by_dictionary("crime_type", type_ids)
        phrases = _phrase_ids(self.connection, [self.rows[name] for name in ("location", "lsoa", "outcome")])
        first = next_id(self.connection, Incident)
        bulk_insert(
            self.connection,
            Incident.__table__,  # type: ignore[arg-type]
            pa.table(
                {
                    "id": np.arange(first, first + self.rows.num_rows),
                    "extract_id": self.extract_ids,
                    "date": self.rows["date"],
                    "crime_type_id": types,
                    "place_id": pa.array(place_ids, mask=place_ids == 0),
                    **{name: self.rows[name] for name in ("precision", "started_at", "ended_at", "reference")},
                    **dict(zip(("location_id", "lsoa_id", "outcome_id"), phrases, strict=True)),
                }
            ),
        )
        self._store_types(types)
        _store_issues(self.connection, self.reports, [first + int(start) for start in self.starts])
        self.progress("counting", 0)
        self._count(place_ids, types, kept_months)
        self.progress("counting", 1)

    def _by_dictionary(self, column: str, ids: dict[str, int]) -> NDArray[np.int64]:
        texts = self.rows[column].combine_chunks()
        return np.array([ids[text] for text in texts.dictionary.to_pylist()], dtype=np.int64)[texts.indices.to_numpy()]

    def _store_types(self, types: NDArray[np.int64]) -> None:
        (extracts, kinds), counts = count_combinations(self.extract_ids, types)
        rows = [
            {"extract_id": int(e), "crime_type_id": int(t), "count": int(n)}
            for e, t, n in zip(extracts, kinds, counts, strict=True)
        ]
        self.connection.execute(insert(ExtractTypeCount), rows)

    def _count(self, place_ids: NDArray[np.int64], types: NDArray[np.int64], kept_months: dict[int, set[Month]]) -> None:
        """Months that hold nothing else are counted from the rows at hand; the others from the store."""
        days, at = np.unique(self.rows["date"].to_numpy(), return_inverse=True)
        months = np.array([Month.of(day).index for day in days.tolist()], dtype=np.int64)[at]
        mixed = np.zeros(len(months), dtype=bool)
        for source_id, kept in kept_months.items():
            mixed |= (self.source_ids == source_id) & np.isin(months, [month.index for month in kept])
        sets = self.connection.execute(select(BoundarySet.id, BoundarySet.name).order_by(BoundarySet.id)).all()
        for found in sets:
            wards = read_place_wards(self.connection, found.id)[place_ids]
            for done, start, end in zip(self.reports, self.starts, self.starts[1:], strict=False):
                done.in_ward[found.name] = int((wards[start:end] > 0).sum())
            store_counts(
                self.connection,
                found.id,
                source_ids=self.source_ids[~mixed],
                months=months[~mixed],
                ward_ids=wards[~mixed],
                crime_type_ids=types[~mixed],
            )
        recount(self.connection, set_ids=[found.id for found in sets], months=kept_months)


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
        new_points = shapely.points(new.real, new.imag)
        bulk_insert(connection, Place.__table__, pa.table({"id": new_ids, "geom": shapely.to_wkb(new_points)}))  # type: ignore[arg-type]
        place_places(connection, new_ids, new_points)
    result = np.zeros(len(x), dtype=np.int64)
    result[located] = place_of[at]
    return result


def _phrase_ids(connection: Connection, columns: list[pa.ChunkedArray]) -> list[pa.Array]:
    """The phrase of each row and column, null where there is none; new phrases are stored."""
    known = dict(connection.execute(select(Phrase.text, Phrase.id)).tuples().all())
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


def _store_issues(connection: Connection, reports: list[ExtractReport], starts: list[int]) -> None:
    first = (connection.scalar(select(func.max(IssueRow.id))) or 0) + 1
    found = [(done, start, issue) for done, start in zip(reports, starts, strict=False) for issue in done.issues]
    columns = {
        "id": pa.array(np.arange(first, first + len(found))),
        "extract_id": pa.array([done.extract_id for done, _, _ in found], pa.int64()),
        "incident_id": pa.array([start + issue.row if issue.row >= 0 else None for _, start, issue in found], pa.int64()),
        "line": pa.array([issue.line for _, _, issue in found], pa.int64()),
        **{
            name: pa.array([getattr(issue, name) for _, _, issue in found], pa.string())
            for name in ("outcome", "kind", "file", "field", "value")
        },
    }
    bulk_insert(connection, IssueRow.__table__, pa.table(columns))  # type: ignore[arg-type]


def _warn(connection: Connection, report: LoadReport) -> None:
    """Say what the figures alone would not: nothing to be in, or nearly nothing in it."""
    sets = connection.scalars(select(BoundarySet.name)).all()
    if not sets:
        report.warnings.append("No boundary set is loaded: nothing is in a ward yet. Run `wardwatch load boundaries FILE`.")
    for done in report.extracts:
        for name, in_ward in done.in_ward.items():
            outside = done.kept - done.without_coordinates - in_ward
            if outside > _MOST_OUTSIDE * done.kept:
                report.warnings.append(
                    f"{', '.join(done.files[:2])}: {outside:,} of {done.kept:,} rows lie outside every ward of {name}."
                )
