"""A table of counts of areas, checked: which area, month and crime type each row is of, and its count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import func, select

from loaders.listings import distinct, fitting, named_so, plain_numbers, refuse_long, shown
from loaders.sorting import FIRST_YEAR
from mapping.area_counts import area_indices
from mapping.errors import DataRefused
from mapping.store.models import AreaCount, AreaLookup, BoundarySet, CrimeTypeRow, Extract, Ward
from mapping.vocabulary import BUILT_IN_CRIME_TYPES, Month, name_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from sqlalchemy import Connection

    from loaders.tables import Table

__all__ = ["Cells", "counted_in_no_ward", "read_cells"]

_COUNT_NAMES = r"(?i)count|offences|incidents|crimes|number|total|value"
_CODE = r"^[A-Z]\d{8}$"
_MONTH = r"^(\d{4})-(\d{2})(-01)?( 00:00:00)?$"


@dataclass(frozen=True, slots=True)
class Cells:
    """One entry a row of the file: its area, its month (`Month.index`), its type and its count."""

    areas: NDArray[np.object_]
    months: NDArray[np.int64]
    crime_types: NDArray[np.object_]
    counts: NDArray[np.int64]


def read_cells(connection: Connection, table: Table, name: str, *, areas: str, match: str, crime_type: str | None) -> Cells:
    """The cells of a table of counts: which column is which is seen from what stands in it.

    Raises
    ------
    DataRefused
        If a column cannot be told, or a month, a type, an area or a count cannot be what it says it is.
    """
    known = {row.slug: row.name for row in connection.execute(select(CrimeTypeRow).order_by(CrimeTypeRow.id))}
    known |= {t.id: t.name for t in BUILT_IN_CRIME_TYPES}
    by_name = {name_key(text): slug_ for slug_, name_ in known.items() for text in (slug_, name_)}
    month = fitting(table, lambda text: _as_month(text) is not None)
    kind = fitting(table, lambda text: name_key(text) in by_name, besides=filter(None, [month]))
    if month is None:
        raise DataRefused(f"{name}: no column holds months.", hint="Write them as 2024-03, one row for each area and month.")
    if crime_type is not None and crime_type not in known:
        raise DataRefused(f"There is no crime type '{crime_type}'.", hint="Known: " + ", ".join(known) + ".")
    if (kind is None) == (crime_type is None):
        said = f"The column '{kind}' holds crime types already." if kind else "No column holds crime types."
        raise DataRefused(f"{name}: {said}", hint="Leave --crime-type out." if kind else "Say which with --crime-type.")
    used = [column for column in (month, kind) if column]
    count = _count_column(table, name, used)
    area = _area_column(connection, table, name, areas=areas, match=match, used=[*used, count])
    refuse_long(table, area, name)
    months = _translated(table, month, _as_month, name=name, what="is not a month", hint="Write months as 2024-03.")
    types = (
        np.full(table.rows, crime_type, dtype=object)
        if kind is None
        else _translated(
            table, kind, lambda text: by_name.get(name_key(text)), name=name, what="is no crime type", hint=_types_hint(known)
        )
    )
    counts = plain_numbers(table.columns[count])
    whole = pc.match_substring_regex(counts, r"^\d{1,9}(\.0*)?$").to_numpy()
    if not whole.all():
        row = np.flatnonzero(~whole)[:1]
        text = table.columns[count][int(row[0])].as_py()
        raise DataRefused(
            f"{name}, line {table.lines(row)[0]}: '{text[:40]}' is not a count ('{count}').",
            hint="Counts are whole numbers from 0 to 999,999,999. A count that is hidden in the file cannot be loaded.",
        )
    codes = _resolved(connection, table, area, name, areas=areas, match=match)
    cells = Cells(codes, months.astype(np.int64), types, counts.cast(pa.float64()).to_numpy().astype(np.int64))
    _refuse_repeats(cells, table, name)
    return cells


def _as_month(text: str) -> int | None:
    """`Month.index` of `2024-03`, `2024-03-01` or a workbook's first day of a month."""
    found = pc.match_substring_regex(pa.scalar(text), _MONTH).as_py()
    year, number = (int(text[:4]), int(text[5:7])) if found else (0, 0)
    return Month(year, number).index if year >= FIRST_YEAR and 1 <= number <= 12 else None


def _types_hint(known: dict[str, str]) -> str:
    return "Known, by id or name: " + ", ".join(known) + "."


def _translated(
    table: Table, column: str, translate: Callable[[str], object], *, name: str, what: str, hint: str
) -> NDArray[np.object_]:
    """A column's texts as something else, row by row; those that cannot be are refused with their list and their counts."""
    texts = table.columns[column].combine_chunks().dictionary_encode()
    found = [translate(text) for text in texts.dictionary.to_pylist()]
    if None in found:
        times = np.bincount(texts.indices.to_numpy(), minlength=len(found))
        wrong = [
            f"'{t[:40]}' ({n:,} rows)" for t, n, f in zip(texts.dictionary.to_pylist(), times, found, strict=True) if f is None
        ]
        raise DataRefused(f"{name}: {shown(wrong, most=20)} {what} ('{column}').", hint=hint)
    values = np.empty(len(found), dtype=object)
    values[:] = found
    of_rows: NDArray[np.object_] = values[texts.indices.to_numpy()]
    return of_rows


def _count_column(table: Table, name: str, used: list[str]) -> str:
    left = [column for column in table.columns if column not in used]
    numeric = [c for c in left if any(text.replace(",", "").replace(".", "").isdigit() for text in distinct(table, c))]
    named = [c for c in numeric if pc.match_substring_regex(pa.scalar(c), _COUNT_NAMES).as_py()]
    chosen = named if len(numeric) > 1 else numeric
    if len(chosen) != 1:
        what = f"several columns could be counts: {shown(chosen or numeric)}" if numeric else "no column holds counts"
        raise DataRefused(f"{name}: {what}.", hint="Call the one `count`, and leave the others out.")
    return chosen[0]


def _area_column(connection: Connection, table: Table, name: str, *, areas: str, match: str, used: list[str]) -> str:
    left = [column for column in table.columns if column not in used]
    named = named_so(table, areas)
    if named and named in left:
        return named
    wards = _wards_of(connection, areas)
    codes, names = {code for code, _ in wards}, {name_key(ward) for _, ward in wards}
    fits = (lambda text: text in codes) if match == "code" else (lambda text: name_key(text) in names)
    best = fitting(table, fits, besides=used) if wards else None
    if best:
        return best
    coded = [c for c in left if all(pc.match_substring_regex(pa.array(distinct(table, c)), _CODE).to_pylist())]
    likely = coded if match == "code" else [c for c in left if c not in coded]
    if len(likely) != 1:
        raise DataRefused(
            f"{name}: it cannot be told which column holds the {match}s of {areas}.",
            hint=f"Name it `{areas}` in the header"
            + (", or use --match name where the file has no codes" if match == "code" else "")
            + f". Its columns: {shown(table.columns, most=15)}.",
        )
    return likely[0]


def _wards_of(connection: Connection, areas: str) -> list[tuple[str, str]]:
    """Code and name of the areas, where they are a loaded boundary set."""
    rows = connection.execute(
        select(Ward.code, Ward.name)
        .join(BoundarySet, BoundarySet.id == Ward.boundary_set_id)
        .where(BoundarySet.name == areas)
        .order_by(Ward.code)
    )
    return [(row.code, row.name) for row in rows]


def _resolved(connection: Connection, table: Table, column: str, name: str, *, areas: str, match: str) -> NDArray[np.object_]:
    """The code of each row's area; where no set of these areas is loaded, what stands in the file."""
    wards = _wards_of(connection, areas)
    codes = {code for code, _ in wards}
    at = area_indices(distinct(table, column), [code for code, _ in wards], [ward for _, ward in wards]) if wards else {}

    def code_of(text: str) -> str | None:
        if not text:
            return None
        if not wards:
            return text
        if match == "code":
            return text if text in codes else None
        return wards[at[text]][0] if text in at else None

    what = f"is the {match} of no area of {areas}" if wards else "names no area"
    other = "" if match == "name" else " Where the file has names and no codes, use --match name."
    hint = f"Are they of the vintage of {areas}? Areas of another vintage need a name of their own (--areas).{other}"
    return _translated(table, column, code_of, name=name, what=what, hint=hint if wards else "Correct the file.")


def _refuse_repeats(cells: Cells, table: Table, name: str) -> None:
    seen: set[tuple[str, int, str]] = set()
    for row, key in enumerate(zip(cells.areas, cells.months.tolist(), cells.crime_types, strict=True)):
        if key in seen:
            raise DataRefused(
                f"{name}, line {table.lines(np.array([row]))[0]}: {key[0]}, {Month.from_index(key[1])}, {key[2]} stands in a "
                "line above too.",
                hint="Give one row for each area, month and type.",
            )
        seen.add(key)


def counted_in_no_ward(connection: Connection, *, areas: str, set_id: int, name: str) -> list[str]:
    """What a lookup leaves out: areas with counts that it puts in no ward of the set, as lines of a report."""
    placed = select(AreaLookup.area_code).where(AreaLookup.areas == areas, AreaLookup.boundary_set_id == set_id)
    rows = connection.execute(
        select(AreaCount.area_code, func.sum(AreaCount.count).label("total"))
        .join(Extract, Extract.id == AreaCount.extract_id)
        .where(Extract.areas == areas, AreaCount.area_code.not_in(placed))
        .group_by(AreaCount.area_code)
        .order_by(AreaCount.area_code)
    ).all()
    lost = sum(int(row.total) for row in rows)
    if not rows:
        return []
    which = shown(row.area_code for row in rows)
    told = f"{lost:,} incidents counted in {which} are in no ward of {name}"
    return [f"{told}: the lookup from {areas} has no share of these there."]
