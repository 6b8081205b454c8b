"""load_lookup: which share of each small area is in each ward, from a file or from the shapes of two boundary sets."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import delete, insert, select

from loaders.area_cells import counted_in_no_ward
from loaders.extracts import open_received
from loaders.listings import distinct, fitting, named_so, numbers_in, plain_numbers, read_listing, refuse_long, shown
from mapping.area_counts import recount_areas
from mapping.errors import DataRefused
from mapping.overlays import read_shapes, shares_by_shape
from mapping.statistics.apportionment import shares_of
from mapping.store import bulk_insert, check_ready, writing
from mapping.store.models import AreaLookup, AreaLookupFile, BoundarySet, Ward
from mapping.store.stamp import stamp
from mapping.vocabulary import slug

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from numpy.typing import NDArray
    from scipy import sparse
    from sqlalchemy import Connection, Engine

    from loaders.tables import Table

__all__ = ["WEIGHTED_BY", "LookupReport", "keep_lookups", "load_lookup", "load_lookup_from_shapes"]

WEIGHTED_BY = ("population", "area", "best-fit")

_CODE = re.compile(r"^[A-Z]\d{8}$")
_WEIGHT = re.compile(
    r"weight|share|proportion|percent|population|residents|persons|households|(^|\W|_)(pop|area)($|\W|_)", re.IGNORECASE
)
_NO_WEIGHT = re.compile(r"^(object_?id|fid|id|index|globalid|shape_?(area|length))$", re.IGNORECASE)


@dataclass(slots=True)
class LookupReport:
    """What became of a lookup."""

    areas: str
    boundaries: str
    weighted_by: str
    known: int
    outside: int
    wards: int
    notes: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The report as it is printed."""
        by = "each in one ward (best fit)" if self.weighted_by == "best-fit" else f"weighted by {self.weighted_by}"
        written = [f"Lookup from {self.areas} to {self.boundaries}: {self.known:,} areas in {self.wards:,} wards, {by}."]
        if self.outside:
            written.append(f"{self.outside:,} areas of the lookup lie in no ward of {self.boundaries}.")
        return written + self.notes


@dataclass(frozen=True, slots=True)
class _Lookup:
    """Areas by code, and their shares of the set's wards."""

    codes: list[str]
    shares: sparse.csr_array
    weighted_by: str


def load_lookup(
    engine: Engine,
    path: Path,
    *,
    areas: str,
    boundaries: str,
    now: datetime,
    weighted_by: str | None = None,
    attribution: str = "",
) -> LookupReport:
    """Load a lookup from a CSV or XLSX file, in place of the one between the same areas and wards.

    Parameters
    ----------
    areas
        What the areas are called, as `load counts` calls them: `lsoa21`.
    weighted_by
        What the weights are of, one of `WEIGHTED_BY`; without a column of weights each area must be in one ward (`best-fit`).

    Raises
    ------
    DataRefused
        If the columns cannot be told, an area has no weight, or no ward is of the set.
    """
    check_ready(engine)
    _check_name(areas)
    received = next(open_received([path], left_out=[]))
    table = read_listing(received)
    with writing(engine) as connection:
        set_id, wards = _read_wards(connection, boundaries)
        known = _read_wards(connection, areas)[1] if _is_set(connection, areas) else []
        found = _read_lookup(table, received.name, areas=areas, known=known, wards=wards, weighted_by=weighted_by)
        return _store(
            connection,
            found,
            areas=areas,
            set_id=set_id,
            wards=wards,
            file={"file_name": received.name, "sha256": received.sha256, "loaded_at": now, "attribution": attribution},
        )


def load_lookup_from_shapes(engine: Engine, *, from_boundaries: str, boundaries: str, now: datetime) -> LookupReport:
    """Make a lookup between two boundary sets, weighted by area, from their shapes.

    Parts of under 1% of an area are taken for the drawing of a border, not for land.

    Raises
    ------
    DataRefused
        If there is no such set, or they are one.
    """
    check_ready(engine)
    with writing(engine) as connection:
        from_id, codes = _read_wards(connection, from_boundaries)
        set_id, wards = _read_wards(connection, boundaries)
        if from_id == set_id:
            raise DataRefused(
                f"The areas and the wards are both {boundaries}.", hint="Counts of a set's own areas need no lookup."
            )
        shares = shares_by_shape(read_shapes(connection, from_id), read_shapes(connection, set_id))
        if not shares.nnz:
            raise DataRefused(f"No area of {from_boundaries} lies in a ward of {boundaries}.", hint="Are they of one county?")
        digest = connection.execute(
            select(BoundarySet.sha256).where(BoundarySet.id.in_([from_id, set_id])).order_by(BoundarySet.name)
        ).scalars()
        made_of = hashlib.sha256("".join(digest).encode()).hexdigest()
        return _store(
            connection,
            _Lookup(codes, shares, "area"),
            areas=from_boundaries,
            set_id=set_id,
            wards=wards,
            file={"file_name": "", "sha256": made_of, "loaded_at": now, "attribution": ""},
        )


def _check_name(areas: str) -> None:
    if not areas or areas != slug(areas):
        raise DataRefused(f"'{areas}' is not a name of areas.", hint=f"Write it as '{slug(areas) or 'lsoa21'}'.")


def _is_set(connection: Connection, name: str) -> bool:
    return connection.scalar(select(BoundarySet.id).where(BoundarySet.name == name)) is not None


def _read_wards(connection: Connection, boundaries: str) -> tuple[int, list[str]]:
    set_id = connection.scalar(select(BoundarySet.id).where(BoundarySet.name == boundaries))
    if set_id is None:
        names = ", ".join(connection.scalars(select(BoundarySet.name).order_by(BoundarySet.id))) or "none"
        raise DataRefused(
            f"There is no boundary set '{boundaries}'.", hint=f"Loaded: {names}.", parameter="boundaries", value=boundaries
        )
    codes = connection.scalars(select(Ward.code).where(Ward.boundary_set_id == set_id).order_by(Ward.code))
    return set_id, list(codes)


def _read_lookup(
    table: Table, name: str, *, areas: str, known: list[str], wards: list[str], weighted_by: str | None
) -> _Lookup:
    area, ward = _code_columns(table, name, areas, known, wards)
    empty = {c for c in (area, ward) if "" in pc.unique(table.columns[c]).to_pylist()}
    if empty:
        at = table.lines(np.flatnonzero(pc.equal(table.columns[min(empty)], "").to_numpy())[:1])[0]
        raise DataRefused(f"{name}, line {at}: has no code in '{min(empty)}'.", hint="Correct the file.")
    refuse_long(table, area, name)
    codes = sorted(distinct(table, area))
    at_area = {code: i for i, code in enumerate(codes)}
    at_ward = {code: i for i, code in enumerate(wards)}
    area_index = _indices(table.columns[area], at_area)
    ward_index = _indices(table.columns[ward], at_ward)
    weight = _weight_column(table, name, (area, ward), one_ward=table.rows == len(codes))
    if weight is None:
        if table.rows != len(codes):
            twice = codes[int(np.argmax(np.bincount(area_index)))]
            raise DataRefused(
                f"{name}: the area {twice} has several rows, and there is no column of weights.",
                hint="Give a file with a column `weight`, or one row for each area (best fit).",
            )
        if weighted_by not in (None, "best-fit"):
            raise DataRefused(
                f"{name}: has no column of weights: each area is in one ward, which is a best fit, not {weighted_by}.",
                hint="Use --weighted-by best-fit, or a file with weights.",
            )
        weights, weighted_by = np.ones(table.rows), "best-fit"
    else:
        if weighted_by is None or (weighted_by == "best-fit" and table.rows != len(codes)):
            raise DataRefused(
                f"{name}: what are the weights in '{weight}' of?", hint="Say it: --weighted-by population, or area."
            )
        weights = plain_numbers(table.columns[weight]).cast(pa.float64()).to_numpy()
    _refuse_repeats(area_index, pc.index_in(table.columns[ward], pc.unique(table.columns[ward])), table, name)
    nothing = np.flatnonzero(np.bincount(area_index, weights=weights) <= 0)
    if len(nothing):
        raise DataRefused(
            f"{name}: {len(nothing):,} areas have no weight at all: {shown(codes[i] for i in nothing)}.",
            hint="An area without any weight is in no ward, and in all of them. Correct the file.",
        )
    return _Lookup(codes, shares_of(area_index, ward_index, weights, shape=(len(codes), len(wards))), weighted_by)


def _indices(texts: pa.ChunkedArray, at: dict[str, int]) -> NDArray[np.int64]:
    found = texts.combine_chunks().dictionary_encode()
    numbers = np.array([at.get(text, -1) for text in found.dictionary.to_pylist()], dtype=np.int64)
    of_rows: NDArray[np.int64] = numbers[found.indices.to_numpy()]
    return of_rows


def _code_columns(table: Table, name: str, areas: str, known: list[str], wards: list[str]) -> tuple[str, str]:
    """The columns of area codes and of ward codes."""
    ward_codes, area_codes = set(wards), set(known)
    ward = fitting(table, ward_codes.__contains__)
    if ward is None:
        raise DataRefused(f"{name}: no column holds codes of the set's wards.", hint="Is it of the same vintage as the set?")
    if area_codes:
        # Two vintages share most of their codes: the column of the areas is the one named so, or the better fit.
        named = named_so(table, areas)
        area = named or fitting(table, area_codes.__contains__, besides=(ward,))
        if named == ward:
            ward = fitting(table, ward_codes.__contains__, besides=(named,)) or ""
    else:
        area = named_so(table, areas)
        likely = [c for c in table.columns if c != ward and all(map(_CODE.match, distinct(table, c)))]
        if area is None and len(likely) == 1:
            area = likely[0]
    if area is None or not ward or area == ward:
        raise DataRefused(
            f"{name}: it cannot be told which column holds the codes of {areas}.",
            hint=f"Name it `{areas}` (or {areas.upper()}CD) in the header. Its columns: {shown(table.columns, most=15)}.",
        )
    return area, ward


def _weight_column(table: Table, name: str, besides: tuple[str, str], *, one_ward: bool) -> str | None:
    numeric = [c for c in numbers_in(table, besides=besides) if not _NO_WEIGHT.match(c)]
    named = [c for c in numeric if _WEIGHT.search(c)]
    if len(named) > 1 or (not named and len(numeric) > 1 and not one_ward):
        raise DataRefused(
            f"{name}: several columns could be weights: {shown(named or numeric)}.",
            hint="Leave one of them, or call it `weight`." if "weight" not in named else "Leave one of them.",
        )
    if named:
        return named[0]
    return numeric[0] if numeric and not one_ward else None


def _refuse_repeats(area_index: NDArray[np.int64], wards: pa.ChunkedArray, table: Table, name: str) -> None:
    pairs = area_index * (table.rows + 1) + wards.to_numpy()
    _, first, times = np.unique(pairs, return_index=True, return_counts=True)
    if (times > 1).any():
        row = np.flatnonzero(pairs == pairs[first[np.argmax(times)]])[1:2]
        raise DataRefused(
            f"{name}, line {table.lines(row)[0]}: the same area and ward stand in a line above.",
            hint="Give one row for each area and ward.",
        )


def _store(
    connection: Connection, found: _Lookup, *, areas: str, set_id: int, wards: list[str], file: dict[str, object]
) -> LookupReport:
    for model in (AreaLookup, AreaLookupFile):
        connection.execute(delete(model).where(model.areas == areas, model.boundary_set_id == set_id))
    key = {"areas": areas, "boundary_set_id": set_id}
    connection.execute(insert(AreaLookupFile).values(key | file | {"weighted_by": found.weighted_by}))
    at = found.shares.tocoo()
    bulk_insert(
        connection,
        AreaLookup.__table__,  # type: ignore[arg-type]
        pa.table(
            {
                "areas": [areas] * at.nnz,
                "boundary_set_id": np.full(at.nnz, set_id),
                "area_code": np.array(found.codes, dtype=object)[at.row],
                "ward_code": np.array(wards, dtype=object)[at.col],
                "weight": at.data,
            }
        ),
    )
    recount_areas(connection, set_ids=[set_id])
    stamp(connection)
    boundaries = str(connection.scalar(select(BoundarySet.name).where(BoundarySet.id == set_id)))
    outside = int((np.diff(found.shares.indptr) == 0).sum())
    empty = [wards[i] for i in np.flatnonzero(np.bincount(at.col, minlength=len(wards)) == 0)]
    notes = [f"{len(empty):,} wards of {boundaries} hold no area: {shown(empty)}."] if empty else []
    notes += counted_in_no_ward(connection, areas=areas, set_id=set_id, name=boundaries)
    reached = len(wards) - len(empty)
    return LookupReport(areas, boundaries, found.weighted_by, len(found.codes) - outside, outside, reached, notes)


def keep_lookups(connection: Connection, set_id: int, codes: list[str]) -> list[str]:
    """Take out the lookups that a set which is loaded again with these codes cannot keep, and say which.

    It keeps those to it if none leads to a code that is gone; those measured from its shapes must be made anew.
    """
    files = AreaLookupFile
    name = connection.scalar(select(BoundarySet.name).where(BoundarySet.id == set_id))
    led = set(connection.scalars(select(AreaLookup.ward_code).where(AreaLookup.boundary_set_id == set_id)))
    mine = files.boundary_set_id == set_id
    measured = (files.file_name == "") & (mine | (files.areas == name))
    gone = measured if led <= set(codes) else measured | mine
    notes = []
    for file in connection.execute(
        select(files.areas, files.boundary_set_id, BoundarySet.name)
        .join(BoundarySet, BoundarySet.id == files.boundary_set_id)
        .where(gone)
        .order_by(files.areas, BoundarySet.name)
    ).all():
        for model in (AreaLookup, AreaLookupFile):
            same = (model.areas == file.areas) & (model.boundary_set_id == file.boundary_set_id)
            connection.execute(delete(model).where(same))
        notes.append(f"The lookup from {file.areas} to {file.name} was of other shapes, and taken out. Load it again.")
    return notes
