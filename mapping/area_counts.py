"""Counts that were supplied for areas, on every boundary set: exact on the areas themselves, else apportioned by a lookup."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from sqlalchemy import delete, select

from mapping.counts import Supply
from mapping.store import bulk_insert
from mapping.store.models import (
    AreaCount,
    AreaLookup,
    AreaLookupFile,
    BoundarySet,
    CrimeTypeRow,
    Extract,
    Source,
    SuppliedWindow,
    Ward,
    WardAreaCount,
)
from mapping.vocabulary import Month, Period, name_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from numpy.typing import NDArray
    from scipy import sparse
    from sqlalchemy import Connection, Row

    from mapping.counts import Counts
    from mapping.coverage import Coverage

__all__ = [
    "AreaFigures",
    "add_area_counts",
    "area_indices",
    "coverage_on_set",
    "reach_of_supplies",
    "read_area_figures",
    "read_supplies",
    "recount_areas",
]


@dataclass(frozen=True, slots=True)
class AreaFigures:
    """What area counts say on one boundary set: one entry a ward, month and type; `values` may be fractions.

    `wards` are indices by ward code, `months` are `Month.index`.
    """

    wards: NDArray[np.int64]
    months: NDArray[np.int64]
    crime_types: NDArray[np.object_]
    values: NDArray[np.float64]
    estimated: NDArray[np.bool_]
    supplies: tuple[Supply, ...]


def area_indices(areas: Iterable[str], codes: Sequence[str], names: Sequence[str]) -> dict[str, int]:
    """For each area that is one of these wards, by its code or else by a name that only one of them has, the ward's index."""
    by_code = {code: i for i, code in enumerate(codes)}
    named: dict[str, list[int]] = defaultdict(list)
    for i, name in enumerate(names):
        named[name_key(name)].append(i)
    found = {}
    for area in areas:
        same = named.get(name_key(area), [])
        if area in by_code:
            found[area] = by_code[area]
        elif len(same) == 1:
            found[area] = same[0]
    return found


def recount_areas(
    connection: Connection, *, set_ids: Iterable[int] | None = None, source_ids: Iterable[int] | None = None
) -> None:
    """Make `ward_area_count` agree with `area_count` and the lookups, within the caller's transaction.

    Parameters
    ----------
    set_ids, source_ids
        The boundary sets and sources to recount; all by default.
    """
    sets: Sequence[Any] = connection.execute(select(BoundarySet.id, BoundarySet.name).order_by(BoundarySet.id)).all()
    chosen = None if set_ids is None else set(set_ids)
    sources = set(source_ids) if source_ids is not None else None
    wanted_sets = [s for s in sets if chosen is None or s.id in chosen]
    for found in wanted_sets:
        gone = delete(WardAreaCount).where(WardAreaCount.boundary_set_id == found.id)
        connection.execute(gone if sources is None else gone.where(WardAreaCount.source_id.in_(sources)))
    if not wanted_sets:
        return
    counted = _read_counted(connection, sources)
    for found in wanted_sets:
        wards = _read_wards(connection, found.id)
        parts = [
            _on_set(counts, shares, [w.id for w in wards], source_id=source_id, estimated=areas != found.name)
            for (source_id, areas), counts in counted.items()
            if (shares := _shares(connection, found, areas, counts.areas, wards)) is not None
        ]
        _insert(connection, found.id, parts)


@dataclass(frozen=True, slots=True)
class _Counted:
    """Counts of one source's areas of one kind: a sparse matrix of areas by cells, a cell being a month and a type."""

    areas: list[str]
    months: NDArray[np.object_]
    crime_types: NDArray[np.int64]
    matrix: sparse.csr_array


def _read_counted(connection: Connection, sources: set[int] | None) -> dict[tuple[int, str], _Counted]:
    of_source = Extract.source_id.is_not(None) if sources is None else Extract.source_id.in_(sources)
    rows = connection.execute(
        select(Extract.source_id, Extract.areas, AreaCount.area_code, AreaCount.month, AreaCount.crime_type_id, AreaCount.count)
        .join(Extract, Extract.id == AreaCount.extract_id)
        .where(of_source)
    ).all()
    by_kind: dict[tuple[int, str], list[tuple[str, date, int, int]]] = defaultdict(list)
    for source_id, areas, code, month, crime_type, count in rows:
        by_kind[source_id, areas].append((code, month, crime_type, count))
    return {key: _matrix(cells) for key, cells in sorted(by_kind.items())}


def _matrix(cells: list[tuple[str, date, int, int]]) -> _Counted:
    from scipy import sparse

    # Sorted, so that sums of fractions are the same to the last digit whatever order an engine gave the rows in.
    cells.sort()
    area_of, month_of, type_of, count_of = zip(*cells, strict=True)
    areas = sorted(set(area_of))
    at_area = {area: i for i, area in enumerate(areas)}
    pairs = sorted(set(zip(month_of, type_of, strict=True)))
    at_pair = {pair: i for i, pair in enumerate(pairs)}
    rows = [at_area[area] for area in area_of]
    columns = [at_pair[pair] for pair in zip(month_of, type_of, strict=True)]
    matrix = sparse.coo_array((np.array(count_of, float), (rows, columns)), shape=(len(areas), len(pairs)))
    months = np.empty(len(pairs), dtype=object)
    months[:] = [month for month, _ in pairs]
    return _Counted(areas, months, np.array([crime_type for _, crime_type in pairs], dtype=np.int64), matrix.tocsr())


def _shares(
    connection: Connection, found: Row[Any], areas: str, codes: list[str], wards: Sequence[Row[Any]]
) -> sparse.csr_array | None:
    """Shares of these areas in the wards of a set; None where there is no way from them to it."""
    from scipy import sparse

    shape = (len(codes), len(wards))
    if areas == found.name:
        at = area_indices(codes, [w.code for w in wards], [w.name for w in wards])
        pairs = [(i, at[code], 1.0) for i, code in enumerate(codes) if code in at]
    else:
        rows = connection.execute(
            select(AreaLookup.area_code, AreaLookup.ward_code, AreaLookup.weight)
            .where(AreaLookup.areas == areas, AreaLookup.boundary_set_id == found.id)
            .order_by(AreaLookup.area_code, AreaLookup.ward_code)
        ).all()
        if not rows and not _has_lookup(connection, areas, found.id):
            return None
        at_area = {code: i for i, code in enumerate(codes)}
        at_ward = {w.code: i for i, w in enumerate(wards)}
        pairs = [(at_area[a], at_ward[w], weight) for a, w, weight in rows if a in at_area and w in at_ward]
    i, j, weight = zip(*pairs, strict=True) if pairs else ((), (), ())
    return sparse.coo_array((np.array(weight, float), (np.array(i, int), np.array(j, int))), shape=shape).tocsr()


def _read_wards(connection: Connection, set_id: int) -> Sequence[Row[Any]]:
    wards = select(Ward.id, Ward.code, Ward.name).where(Ward.boundary_set_id == set_id)
    found: Sequence[Any] = connection.execute(wards.order_by(Ward.code)).all()
    return found


def _has_lookup(connection: Connection, areas: str, set_id: int) -> bool:
    files = AreaLookupFile
    return connection.scalar(select(files.areas).where(files.areas == areas, files.boundary_set_id == set_id)) is not None


def _on_set(counted: _Counted, shares: sparse.csr_array, ward_ids: list[int], *, source_id: int, estimated: bool) -> pa.Table:
    from scipy import sparse

    from mapping.statistics.apportionment import apportion

    found = sparse.coo_array(apportion(counted.matrix, shares))
    found.sum_duplicates()
    some = found.data > 0
    ward, cell = found.coords[0][some], found.coords[1][some]
    return pa.table(
        {
            "source_id": np.full(len(ward), source_id),
            "month": pa.array(counted.months[cell].tolist(), pa.date32()),
            "ward_id": np.array(ward_ids, dtype=np.int64)[ward],
            "crime_type_id": counted.crime_types[cell],
            "value": found.data[some],
            "estimated": np.full(len(ward), estimated),
        }
    )


def _insert(connection: Connection, set_id: int, parts: list[pa.Table]) -> None:
    if not parts:
        return
    # A source may have counted one month and type in two kinds of areas, say from two streams: they are added.
    keys = ["source_id", "month", "ward_id", "crime_type_id"]
    summed = pa.concat_tables(parts).group_by(keys, use_threads=False).aggregate([("value", "sum"), ("estimated", "max")])
    rows = summed.rename_columns([*keys, "value", "estimated"])
    rows = rows.append_column("boundary_set_id", pa.array(np.full(rows.num_rows, set_id)))
    bulk_insert(connection, WardAreaCount.__table__, rows.sort_by([(key, "ascending") for key in keys]))  # type: ignore[arg-type]


def read_area_figures(connection: Connection, set_id: int, *, sources: Sequence[str]) -> AreaFigures:
    """What area counts of these sources say on one boundary set."""
    wards = _read_wards(connection, set_id)
    at = {ward.id: i for i, ward in enumerate(wards)}
    kept = WardAreaCount
    rows = connection.execute(
        select(kept.ward_id, kept.month, CrimeTypeRow.slug, kept.value, kept.estimated)
        .join(Source, Source.id == kept.source_id)
        .join(CrimeTypeRow, CrimeTypeRow.id == kept.crime_type_id)
        .where(kept.boundary_set_id == set_id, Source.slug.in_(sources))
        .order_by(Source.slug, kept.month, kept.ward_id, kept.crime_type_id)
    ).all()
    types = np.empty(len(rows), dtype=object)
    types[:] = [row.slug for row in rows]
    return AreaFigures(
        wards=np.array([at[row.ward_id] for row in rows], dtype=np.int64),
        months=np.array([Month.of(row.month).index for row in rows], dtype=np.int64),
        crime_types=types,
        values=np.array([row.value for row in rows], dtype=float),
        estimated=np.array([row.estimated for row in rows], dtype=bool),
        supplies=read_supplies(connection, set_id, sources=sources),
    )


def read_supplies(connection: Connection, set_id: int, *, sources: Sequence[str]) -> tuple[Supply, ...]:
    """How the counts of areas of these sources come onto a boundary set."""
    months: dict[tuple[str, str, str], set[Month]] = defaultdict(set)
    for row in connection.execute(
        select(Source.slug, Extract.stream, Extract.areas, SuppliedWindow.date_from, SuppliedWindow.date_to)
        .join(Extract, Extract.id == SuppliedWindow.extract_id)
        .join(Source, Source.id == Extract.source_id)
        .where(Extract.records == "area-counts", Source.slug.in_(sources))
    ):
        months[row.slug, row.stream, row.areas].update(Period(Month.of(row.date_from), Month.of(row.date_to)))
    if not months:
        return ()
    found = connection.execute(select(BoundarySet).where(BoundarySet.id == set_id)).one()
    wards = _read_wards(connection, set_id)
    supplies = []
    for (source, stream, areas), covered in sorted(months.items()):
        file = connection.execute(
            select(AreaLookupFile.weighted_by, AreaLookupFile.attribution).where(
                AreaLookupFile.areas == areas, AreaLookupFile.boundary_set_id == set_id
            )
        ).first()
        codes = connection.scalars(
            select(AreaCount.area_code)
            .distinct()
            .join(Extract, Extract.id == AreaCount.extract_id)
            .join(Source, Source.id == Extract.source_id)
            .where(Source.slug == source, Extract.stream == stream, Extract.areas == areas)
        ).all()
        shares = _shares(connection, found, areas, sorted(codes), wards)
        exact = areas == found.name
        supplies.append(
            Supply(
                source=source,
                stream=stream,
                areas=areas,
                weighted_by="" if exact else file.weighted_by if file else None,
                attribution=file.attribution if file and not exact else "",
                months=frozenset(covered),
                wards=frozenset() if shares is None else frozenset(shares.indices.tolist()),
            )
        )
    return tuple(supplies)


def coverage_on_set(coverage: Coverage, supplies: Sequence[Supply], boundary_set: str) -> Coverage:
    """Coverage as a boundary set has it: months of counts of areas from which no lookup leads to it are not supplied there."""
    led: dict[tuple[str, str], set[Month]] = defaultdict(set)
    lost: dict[tuple[str, str], list[str]] = defaultdict(list)
    for supply in supplies:
        key = supply.source, supply.stream
        led[key] |= set() if supply.weighted_by is None else supply.months
        if supply.weighted_by is None:
            lost[key].append(supply.areas)
    streams = []
    for stream in coverage.streams:
        key = stream.source, stream.stream
        if key not in lost:
            streams.append(stream)
            continue
        why = f"no lookup from {' or '.join(lost[key])} to {boundary_set} is loaded"
        months = {
            month: found
            if month in led[key] or found.status == "not-supplied"
            else replace(found, status="not-supplied", reason=why)
            for month, found in stream.months.items()
        }
        streams.append(replace(stream, months=months))
    return replace(coverage, streams=tuple(streams))


def reach_of_supplies(supplies: Sequence[Supply], *, wards: int) -> dict[tuple[str, str], NDArray[np.bool_]]:
    """For each source and stream that counts areas, which of so many wards they reach.

    Where a lookup is missing that is not known, and taken for all: there the months are not supplied, which says it.
    """
    reach: dict[tuple[str, str], NDArray[np.bool_]] = {}
    for supply in supplies:
        here = reach.setdefault((supply.source, supply.stream), np.zeros(wards, dtype=bool))
        here[list(range(wards)) if supply.weighted_by is None else sorted(supply.wards)] = True
    return reach


def add_area_counts(counts: Counts, found: AreaFigures) -> Counts:
    """Counts of incidents with those of areas added to them; as they are where no source in view counts areas."""
    if not found.supplies:
        return counts
    months = found.months.tolist() + ([counts.months[0].index, counts.months[-1].index] if counts.months else [])
    first, last = (min(months), max(months)) if months else (0, -1)
    shape = (len(counts.ward_codes), last - first + 1, len(counts.crime_types))
    values, estimated = np.zeros(shape), np.zeros(shape)
    if counts.months:
        start = counts.months[0].index - first
        values[:, start : start + len(counts.months)] = counts.values
    at_type = {crime_type: i for i, crime_type in enumerate(counts.crime_types)}
    types = np.array([at_type.get(crime_type, -1) for crime_type in found.crime_types.tolist()], dtype=np.int64)
    known = types >= 0
    cells = found.wards[known], found.months[known] - first, types[known]
    np.add.at(values, cells, found.values[known])
    np.add.at(estimated, cells, np.where(found.estimated, found.values, 0.0)[known])
    return replace(
        counts,
        values=values,
        months=tuple(Month.from_index(i) for i in range(first, last + 1)),
        estimated=estimated,
        supplies=found.supplies,
    )
