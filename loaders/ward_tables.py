"""A table with a row for each ward, as statistics offices publish them: which column is which, and which row is whose."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from loaders.tables import decode
from mapping.errors import DataRefused
from mapping.store.models import BoundarySet, District, Ward

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from loaders.extracts import Received

__all__ = ["Area", "Columns", "cell", "find_columns", "match_rows", "read_areas", "read_records"]

_MOST_OTHER_NAMES = 0.01
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Area:
    """A ward as it is matched: names are empty where the set has none."""

    code: str
    name: str
    district_code: str
    district_name: str


@dataclass(frozen=True, slots=True)
class Columns:
    """Positions of the columns, -1 for none."""

    header: list[str]
    code: int
    name: int
    district_code: int
    district_name: int
    number: int

    def words(self) -> str:
        """Their headers."""
        found = (self.code, self.name, self.district_code, self.district_name, self.number)
        return ", ".join(self.header[i] for i in found if i >= 0)


def read_records(received: Received) -> list[list[str]]:
    """The fields of a CSV file's rows, whatever its delimiter; UTF-8, else cp1252.

    Raises
    ------
    DataRefused
        If it is no CSV file.
    """
    if received.name.lower().endswith(".xlsx"):
        raise DataRefused(f"{received.name}: is a workbook.", hint="Save the sheet with the figures as CSV.")
    try:
        data = decode(received, encoding="utf-8")
    except DataRefused:
        data = decode(received, encoding="cp1252")
    text = data.decode("utf-8")
    delimiter = max(",;\t", key=text[:5000].count)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        return [[field.strip() for field in record] for record in reader if any(field.strip() for field in record)]
    except csv.Error as error:
        raise DataRefused(f"{received.name}: cannot be read: {error}.", hint="Fetch or export it again as CSV.") from error


def read_areas(connection: Connection, boundaries: str) -> tuple[int, list[Area]]:
    """The id and the wards, by code, of a boundary set; `DataRefused` if there is none of that name."""
    found = connection.execute(select(BoundarySet).where(BoundarySet.name == boundaries)).first()
    if found is None:
        names = ", ".join(connection.scalars(select(BoundarySet.name).order_by(BoundarySet.id))) or "none"
        raise DataRefused(
            f"There is no boundary set '{boundaries}'.", hint=f"Loaded: {names}.", parameter="boundaries", value=boundaries
        )
    districts = connection.execute(select(District.code, District.name).where(District.boundary_set_id == found.id))
    names_of = {row.code: row.name for row in districts}
    wards = connection.execute(
        select(Ward.code, Ward.name, Ward.district_code).where(Ward.boundary_set_id == found.id).order_by(Ward.code)
    )
    return found.id, [Area(w.code, w.name, w.district_code, names_of.get(w.district_code, "")) for w in wards]


def _key(name: str) -> str:
    """How names are compared: letters and digits only, `&` as `and`."""
    plain = unicodedata.normalize("NFKD", name.replace("&", " and ")).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "", plain.casefold())


def find_columns(
    records: list[list[str]], areas: list[Area], name: str, *, find_number: Callable[[list[str]], int]
) -> tuple[Columns, list[list[str]]]:
    """Which column is which, seen from what stands in it; and the rows from the first ward on.

    Parameters
    ----------
    name
        Of the file, for messages.
    find_number
        Says which column of a header holds the numbers. The header is the last row above the first ward.

    Raises
    ------
    DataRefused
        If no column holds the wards' codes or names.
    """
    width = max((len(record) for record in records), default=0)
    codes = {area.code for area in areas}
    names = {_key(area.name) for area in areas}
    code = _most(records, width, lambda field: field in codes)
    name_at = _most(records, width, lambda field: _key(field) in names, besides=(code,))
    if code < 0 and name_at < 0:
        raise DataRefused(
            f"{name}: no column holds codes or names of the set's wards.", hint="Is it of the same vintage as the set?"
        )

    def is_ward(record: list[str]) -> bool:
        return (0 <= code < len(record) and record[code] in codes) or (
            0 <= name_at < len(record) and _key(record[name_at]) in names
        )

    looks_like_code = re.compile(r"^[A-Z]\d{8}$")
    first = next(
        i
        for i, record in enumerate(records)
        if is_ward(record) or (code >= 0 and len(record) > code and looks_like_code.match(record[code]))
    )
    header = records[first - 1] if first else []
    header = header + [""] * (width - len(header))
    district_codes = {area.district_code for area in areas} - {""}
    district_names = {_key(area.district_name) for area in areas} - {""}
    besides = (code, name_at)
    wards = [record for record in records[first:] if is_ward(record)]
    district_code = _most(wards, width, lambda field: field in district_codes, besides=besides)
    district_name = _most(wards, width, lambda field: _key(field) in district_names, besides=(*besides, district_code))
    if district_name < 0 <= district_code:
        # The set may know no district names: the text column beside the codes, with one name for each code, gives them.
        district_name = _beside(wards, district_code, besides)
    return Columns(header, code, name_at, district_code, district_name, find_number(header)), records[first:]


def _most(records: list[list[str]], width: int, fits, *, besides: tuple[int, ...] = ()) -> int:  # type: ignore[no-untyped-def]  # noqa: ANN001
    hits = Counter(i for record in records for i, field in enumerate(record) if field and i not in besides and fits(field))
    return hits.most_common(1)[0][0] if hits and width else -1


def _beside(wards: list[list[str]], district_code: int, besides: tuple[int, ...]) -> int:
    for at in (district_code + 1, district_code - 1):
        pairs = {(row[district_code], row[at]) for row in wards if 0 <= at < len(row) and at not in besides}
        named = [pair[1] for pair in pairs]
        if pairs and len(pairs) == len({pair[0] for pair in pairs}) and all(re.search("[A-Za-z]{2}", n) for n in named):
            return at
    return -1


def cell(row: list[str], at: int) -> str:
    """A field of a row, empty where it has none."""
    return row[at] if 0 <= at < len(row) else ""


def match_rows(
    rows: list[list[str]], columns: Columns, areas: list[Area], *, match: str, name: str, boundaries: str
) -> dict[str, list[str]]:
    """The row of every ward, by ward code.

    Parameters
    ----------
    match
        `code`, or `name` (district and name) where a file's codes are wrong.
    name, boundaries
        Of the file and of the set, for messages.

    Raises
    ------
    DataRefused
        If a ward gets no row or several, or more than 1% of the matched codes carry another name.
    """
    matched = _match_names(rows, columns, areas, name) if match == "name" else _match_codes(rows, columns, areas, name)
    missing = [area for area in areas if area.code not in matched]
    if missing:
        shown = ", ".join(f"{a.code} {a.name}" for a in missing[:_SHOWN])
        names = " If its codes are wrong and its names right, load it with --match name." if match == "code" else ""
        raise DataRefused(
            f"{name}: {len(missing)} of {len(areas)} wards of {boundaries} get no row: {shown}.",
            hint=f"Is it of the same vintage as the set?{names}",
        )
    return matched


def _match_codes(rows: list[list[str]], columns: Columns, areas: list[Area], name: str) -> dict[str, list[str]]:
    of = {area.code: area for area in areas}
    matched: dict[str, list[str]] = {}
    others: list[str] = []
    for row in rows:
        area = of.get(cell(row, columns.code))
        if area is None:
            continue
        _refuse_second(matched, area, name)
        matched[area.code] = row
        found = cell(row, columns.name)
        # Where either side has no name, nothing contradicts the code.
        if found and area.name != area.code and _key(found) != _key(area.name):
            others.append(f"{area.code} is {area.name} in the set and {found} in the file")
    if len(others) > _MOST_OTHER_NAMES * len(matched):
        raise DataRefused(
            f"{name}: the codes of {len(others)} of {len(areas)} wards carry another name: {'; '.join(others[:3])}.",
            hint="Its codes look wrong (a spreadsheet's drag-fill does this). If its names are right, use --match name.",
        )
    return matched


def _match_names(rows: list[list[str]], columns: Columns, areas: list[Area], name: str) -> dict[str, list[str]]:
    by_name: dict[str, list[Area]] = {}
    for area in areas:
        by_name.setdefault(_key(area.name), []).append(area)
    knows_district = columns.district_code >= 0 or columns.district_name >= 0
    matched: dict[str, list[str]] = {}
    for row in rows:
        fitting = by_name.get(_key(cell(row, columns.name)), [])
        if knows_district:
            fitting = [a for a in fitting if _same_district(a, row, columns)]
        if len(fitting) > 1:
            raise DataRefused(
                f"{name}: the name {fitting[0].name} stands for several wards ({', '.join(a.code for a in fitting)}), and no "
                "column tells their districts.",
                hint="Use a file with codes, or with a column of district codes or names.",
            )
        for area in fitting:
            _refuse_second(matched, area, name)
            matched[area.code] = row
    return matched


def _same_district(area: Area, row: list[str], columns: Columns) -> bool:
    if columns.district_code >= 0 and area.district_code:
        return cell(row, columns.district_code) == area.district_code
    return not area.district_name or _key(cell(row, columns.district_name)) == _key(area.district_name)


def _refuse_second(matched: dict[str, list[str]], area: Area, name: str) -> None:
    if area.code in matched:
        raise DataRefused(
            f"{name}: the ward {area.code} {area.name} has more than one row.",
            hint="Give a file with one row a ward (not one a ward and age).",
        )
