"""load_population: residents by ward, from the tables that statistics offices publish."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from loaders.extracts import Received, open_received
from loaders.tables import decode
from mapping.errors import DataRefused
from mapping.store import check_ready, writing
from mapping.store.models import BoundarySet, Denominator, DenominatorFile, District, Ward
from mapping.store.stamp import stamp

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Connection, Engine

__all__ = ["PopulationReport", "load_population"]

_RESIDENTS = re.compile(r"^all ages$|population|residents|^persons$|^total$", re.IGNORECASE)
_MOST_OTHER_NAMES = 0.01
_SHOWN = 5
_MOST_RESIDENTS = 2_000_000_000  # of a ward; what both stores can hold


@dataclass(frozen=True, slots=True)
class PopulationReport:
    """What became of a population file."""

    boundaries: str
    year: int
    wards: int
    residents: int
    other_rows: int
    districts_named: int
    columns: str

    def lines(self) -> list[str]:
        """The report as it is printed."""
        total = f"{self.residents:,} residents in {self.wards:,} wards"
        written = [f"Population of {self.boundaries}, mid-{self.year}: {total} (columns: {self.columns})."]
        if self.other_rows:
            written.append(f"{self.other_rows:,} other rows (other wards, titles, footnotes) were ignored.")
        if self.districts_named:
            written.append(f"{self.districts_named} district names were taken from it.")
        return written


@dataclass(frozen=True, slots=True)
class _Area:
    code: str
    name: str
    district_code: str
    district_name: str


@dataclass(frozen=True, slots=True)
class _Columns:
    """Positions of the columns, -1 for none."""

    header: list[str]
    code: int
    name: int
    district_code: int
    district_name: int
    residents: int

    def words(self) -> str:
        found = (self.code, self.name, self.district_code, self.district_name, self.residents)
        return ", ".join(self.header[i] for i in found if i >= 0)


def load_population(
    engine: Engine,
    path: Path,
    *,
    boundaries: str,
    year: int,
    now: datetime,
    match: str = "code",
    residents_column: str | None = None,
) -> PopulationReport:
    """Load the residents of every ward of a boundary set in a mid-year, in place of what was known of that year.

    Parameters
    ----------
    match
        `code`, or `name` (district and name) where a file's codes are wrong.
    residents_column
        The header of the column of residents, where several or none look like it.

    Raises
    ------
    DataRefused
        If a ward gets no row or several, or more than 1% of the matched codes carry another name.
    """
    check_ready(engine)
    received = next(open_received([path], left_out=[]))
    records = _records(received)
    if not 1900 <= year <= now.year + 1:
        raise DataRefused(
            f"{year} is not the year of a population.", hint="Give the mid-year of the estimate, e.g. --year 2020."
        )
    with writing(engine) as connection:
        set_id, areas = _read_areas(connection, boundaries)
        columns, rows = _find_columns(records, areas, received.name, residents_column, year)
        matched = (
            _match_names(rows, columns, areas, received.name)
            if match == "name"
            else _match_codes(rows, columns, areas, received.name)
        )
        missing = [area for area in areas if area.code not in matched]
        if missing:
            shown = ", ".join(f"{a.code} {a.name}" for a in missing[:_SHOWN])
            raise DataRefused(
                f"{received.name}: {len(missing)} of {len(areas)} wards of {boundaries} get no row: {shown}.",
                hint=_other_way(match, "Is it of the same vintage as the set?"),
            )
        residents = {code: _residents(row, columns, received.name) for code, row in matched.items()}
        if not any(residents.values()):
            raise DataRefused(
                f"{received.name}: every ward has 0 residents (column '{columns.header[columns.residents]}').",
                hint="Say which column holds them with --residents-column.",
            )
        _store(connection, residents, set_id=set_id, year=year, received=received, now=now)
        named = _name_districts(connection, set_id, areas, matched, columns)
        stamp(connection)
    return PopulationReport(
        boundaries, year, len(areas), sum(residents.values()), len(rows) - len(matched), named, columns.words()
    )


def _records(received: Received) -> list[list[str]]:
    if received.name.lower().endswith(".xlsx"):
        raise DataRefused(f"{received.name}: is a workbook.", hint="Save the sheet with the residents as CSV.")
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


def _read_areas(connection: Connection, boundaries: str) -> tuple[int, list[_Area]]:
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
    return found.id, [_Area(w.code, w.name, w.district_code, names_of.get(w.district_code, "")) for w in wards]


def _key(name: str) -> str:
    """How names are compared: letters and digits only, `&` as `and`."""
    plain = unicodedata.normalize("NFKD", name.replace("&", " and ")).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "", plain.casefold())


def _find_columns(
    records: list[list[str]], areas: list[_Area], name: str, residents: str | None, year: int
) -> tuple[_Columns, list[list[str]]]:
    """Which column is which is seen from what stands in it; the header is the last row above the first ward."""
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
    return _Columns(
        header, code, name_at, district_code, district_name, _residents_column(header, name, residents, year)
    ), records[first:]


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


def _residents_column(header: list[str], name: str, given: str | None, year: int) -> int:
    if given:
        if given not in header:
            raise DataRefused(
                f"{name}: has no column '{given}'.", hint=f"Its columns: {', '.join(h for h in header[:20] if h)}."
            )
        return header.index(given)
    fitting = [i for i, column in enumerate(header) if _RESIDENTS.search(column)]
    of_year = [i for i in fitting if str(year) in header[i]]
    chosen = of_year if len(fitting) > 1 else fitting
    if len(chosen) != 1:
        what = "several columns look like residents" if fitting else "no column looks like residents"
        raise DataRefused(
            f"{name}: {what}.",
            hint=f"Say which with --residents-column. Its columns: {', '.join(h for h in header[:20] if h)}.",
        )
    return chosen[0]


def _cell(row: list[str], at: int) -> str:
    return row[at] if 0 <= at < len(row) else ""


def _match_codes(rows: list[list[str]], columns: _Columns, areas: list[_Area], name: str) -> dict[str, list[str]]:
    of = {area.code: area for area in areas}
    matched: dict[str, list[str]] = {}
    others: list[str] = []
    for row in rows:
        area = of.get(_cell(row, columns.code))
        if area is None:
            continue
        _refuse_second(matched, area, name)
        matched[area.code] = row
        found = _cell(row, columns.name)
        # Where either side has no name, nothing contradicts the code.
        if found and area.name != area.code and _key(found) != _key(area.name):
            others.append(f"{area.code} is {area.name} in the set and {found} in the file")
    if len(others) > _MOST_OTHER_NAMES * len(matched):
        raise DataRefused(
            f"{name}: the codes of {len(others)} of {len(areas)} wards carry another name: {'; '.join(others[:3])}.",
            hint="Its codes look wrong (a spreadsheet's drag-fill does this). If its names are right, use --match name.",
        )
    return matched


def _match_names(rows: list[list[str]], columns: _Columns, areas: list[_Area], name: str) -> dict[str, list[str]]:
    by_name: dict[str, list[_Area]] = {}
    for area in areas:
        by_name.setdefault(_key(area.name), []).append(area)
    knows_district = columns.district_code >= 0 or columns.district_name >= 0
    matched: dict[str, list[str]] = {}
    for row in rows:
        fitting = by_name.get(_key(_cell(row, columns.name)), [])
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


def _same_district(area: _Area, row: list[str], columns: _Columns) -> bool:
    if columns.district_code >= 0 and area.district_code:
        return _cell(row, columns.district_code) == area.district_code
    return not area.district_name or _key(_cell(row, columns.district_name)) == _key(area.district_name)


def _refuse_second(matched: dict[str, list[str]], area: _Area, name: str) -> None:
    if area.code in matched:
        raise DataRefused(
            f"{name}: the ward {area.code} {area.name} has more than one row.",
            hint="Give a file with one row a ward (not one a ward and age).",
        )


def _residents(row: list[str], columns: _Columns, name: str) -> int:
    text = _cell(row, columns.residents)
    plain = re.sub(r"[,\s\u00a0]", "", text)
    ward = _cell(row, columns.name) or _cell(row, columns.code)
    if not re.fullmatch(r"\d+(\.0*)?", plain):
        raise DataRefused(
            f"{name}: '{text}' is not a number of residents (of {ward}).",
            hint="Say which column holds them with --residents-column.",
        )
    digits = plain.partition(".")[0].lstrip("0") or "0"
    if len(digits) > len(str(_MOST_RESIDENTS)) or int(digits) > _MOST_RESIDENTS:
        shown = text if len(text) <= 40 else f"{text[:40]}…"
        raise DataRefused(
            f"{name}: {shown} residents (of {ward}) are more than a ward can have ({_MOST_RESIDENTS:,}).",
            hint="Correct the file, or say which column holds the residents with --residents-column.",
        )
    return int(digits)


def _other_way(match: str, otherwise: str) -> str:
    return (
        f"{otherwise} If its codes are wrong and its names right, load it with --match name." if match == "code" else otherwise
    )


def _store(
    connection: Connection, residents: dict[str, int], *, set_id: int, year: int, received: Received, now: datetime
) -> None:
    kind = "residents"
    for model in (Denominator, DenominatorFile):
        connection.execute(delete(model).where(model.boundary_set_id == set_id, model.kind == kind, model.year == year))
    key = {"boundary_set_id": set_id, "kind": kind, "year": year}
    file = {"file_name": received.name, "sha256": received.sha256, "loaded_at": now, "attribution": "", "estimated": False}
    connection.execute(insert(DenominatorFile).values(key | file))
    connection.execute(insert(Denominator), [key | {"ward_code": c, "value": n} for c, n in sorted(residents.items())])


def _name_districts(
    connection: Connection, set_id: int, areas: list[_Area], matched: dict[str, list[str]], columns: _Columns
) -> int:
    """Names, and where the set has none also codes, of districts that the set's own file did not give."""
    known = set(connection.scalars(select(District.code).where(District.boundary_set_id == set_id)))
    found: dict[str, str] = {}
    for area in areas:
        code = area.district_code or _cell(matched[area.code], columns.district_code)
        if code and not area.district_code:
            connection.execute(
                update(Ward).where(Ward.boundary_set_id == set_id, Ward.code == area.code).values(district_code=code)
            )
        name = _cell(matched[area.code], columns.district_name)
        if code and name and code not in known:
            found.setdefault(code, name)
    if found:
        connection.execute(
            insert(District), [{"boundary_set_id": set_id, "code": c, "name": n} for c, n in sorted(found.items())]
        )
    return len(found)
