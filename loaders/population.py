"""load_population: what rates are per, ward by ward: residents, households, workday population, premises."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from loaders.extracts import open_received
from loaders.ward_tables import cell, find_columns, match_rows, read_areas, read_records
from mapping.denominators import KINDS
from mapping.errors import DataRefused
from mapping.store import check_ready, writing
from mapping.store.models import Denominator, DenominatorFile, District, Ward
from mapping.store.stamp import stamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Connection, Engine

    from loaders.ward_tables import Area, Columns

__all__ = ["PopulationReport", "check_year", "load_population", "store_denominator"]

_COLUMNS = {
    "residents": re.compile(r"^all ages$|population|residents|^persons$|^total$", re.IGNORECASE),
    "households": re.compile(r"household", re.IGNORECASE),
    "workday": re.compile(r"work\s*-?\s*day|working day|daytime", re.IGNORECASE),
    "premises": re.compile(r"premises|addresses", re.IGNORECASE),
}
"""What the header of a kind's column holds. Bare totals are taken for residents only: of another kind they would be a guess."""

_MOST = 2_000_000_000  # of a ward: far beyond any, and exact in every column and cell


@dataclass(frozen=True, slots=True)
class PopulationReport:
    """What became of a file of residents, households, workday population or premises."""

    boundaries: str
    year: int
    kind: str
    wards: int
    total: int
    other_rows: int
    districts_named: int
    columns: str
    number_column: str

    def lines(self) -> list[str]:
        """The report as it is printed."""
        kind = KINDS[self.kind]
        what = "Population" if self.kind == "residents" else kind.name
        total = f"{self.total:,} {kind.many} in {self.wards:,} wards"
        written = [f"{what} of {self.boundaries}, {kind.year_word}{self.year}: {total} (columns: {self.columns})."]
        if self.other_rows:
            written.append(f"{self.other_rows:,} other rows (other wards, titles, footnotes) were ignored.")
        named = re.findall(r"(?<!\d)(?:19|20)\d\d(?!\d)", self.number_column)
        if named and str(self.year) not in named:
            written.append(f"Its column '{self.number_column}' names another year than {self.year}: was --year meant so?")
        if self.districts_named:
            written.append(f"{self.districts_named} district names were taken from it.")
        return written


def load_population(
    engine: Engine,
    path: Path,
    *,
    boundaries: str,
    year: int,
    now: datetime,
    what: str = "residents",
    match: str = "code",
    column: str | None = None,
    attribution: str = "",
) -> PopulationReport:
    """Load one kind of denominator for every ward of a boundary set, in place of what was known of that kind and year.

    Parameters
    ----------
    what
        A kind that `mapping.denominators` loads: `residents`, `households`, `workday` or `premises`.
    match
        `code`, or `name` (district and name) where a file's codes are wrong.
    column
        The header of the column of numbers, where several or none look like it.
    attribution
        What must be printed with figures made from it.

    Raises
    ------
    DataRefused
        If a ward gets no row or several, or more than 1% of the matched codes carry another name.
    """
    check_ready(engine)
    received = next(open_received([path], left_out=[]))
    records = read_records(received)
    check_year(year, now=now)
    with writing(engine) as connection:
        set_id, areas = read_areas(connection, boundaries)
        find = partial(_number_column, name=received.name, what=what, given=column, year=year)
        columns, rows = find_columns(records, areas, received.name, find_number=find)
        matched = match_rows(rows, columns, areas, match=match, name=received.name, boundaries=boundaries)
        numbers = {code: _number(row, columns, received.name, what) for code, row in matched.items()}
        if not any(numbers.values()):
            raise DataRefused(
                f"{received.name}: every ward has 0 {KINDS[what].many} (column '{columns.header[columns.number]}').",
                hint="Say which column holds them with --column.",
            )
        file = {"file_name": received.base_name, "sha256": received.sha256, "attribution": attribution, "estimated": False}
        store_denominator(connection, numbers, set_id=set_id, kind=what, year=year, file=file | {"loaded_at": now})
        named = _name_districts(connection, set_id, areas, matched, columns)
        stamp(connection)
    total, others = sum(numbers.values()), len(rows) - len(matched)
    number_column = columns.header[columns.number]
    return PopulationReport(boundaries, year, what, len(areas), total, others, named, columns.words(), number_column)


def check_year(year: int, *, now: datetime) -> None:
    """Refuse a year that no figures can be of."""
    if not 1900 <= year <= now.year + 1:
        raise DataRefused(
            f"{year} is not the year of a population.", hint="Give the mid-year of the estimate, e.g. --year 2020."
        )


def store_denominator(
    connection: Connection, numbers: Mapping[str, float], *, set_id: int, kind: str, year: int, file: dict[str, object]
) -> None:
    """Write the numbers of wards by code, and the file they are from, in place of those of the same kind and year."""
    for model in (Denominator, DenominatorFile):
        connection.execute(delete(model).where(model.boundary_set_id == set_id, model.kind == kind, model.year == year))
    key = {"boundary_set_id": set_id, "kind": kind, "year": year}
    connection.execute(insert(DenominatorFile).values(key | file))
    connection.execute(insert(Denominator), [key | {"ward_code": c, "value": n} for c, n in sorted(numbers.items())])


def _number_column(header: list[str], *, name: str, what: str, given: str | None, year: int) -> int:
    if given:
        if given not in header:
            raise DataRefused(
                f"{name}: has no column '{given}'.", hint=f"Its columns: {', '.join(h for h in header[:20] if h)}."
            )
        return header.index(given)
    others = [words for kind, words in _COLUMNS.items() if kind not in (what, "residents")]
    fitting = [
        i for i, text in enumerate(header) if _COLUMNS[what].search(text) and not any(words.search(text) for words in others)
    ]
    of_year = [i for i in fitting if str(year) in header[i]]
    chosen = of_year if len(fitting) > 1 else fitting
    if len(chosen) != 1:
        what_fits = "several columns look like" if fitting else "no column looks like"
        raise DataRefused(
            f"{name}: {what_fits} {KINDS[what].many}.",
            hint=f"Say which with --column. Its columns: {', '.join(h for h in header[:20] if h)}.",
        )
    return chosen[0]


def _number(row: list[str], columns: Columns, name: str, what: str) -> int:
    many = KINDS[what].many
    text = cell(row, columns.number)
    plain = re.sub(r"[,\s\u00a0]", "", text)
    ward = cell(row, columns.name) or cell(row, columns.code)
    if not re.fullmatch(r"[0-9]+(\.0*)?", plain):
        raise DataRefused(
            f"{name}: '{text}' is not a number of {many} (of {ward}).",
            hint="Say which column holds them with --column.",
        )
    digits = plain.partition(".")[0].lstrip("0") or "0"
    if len(digits) > len(str(_MOST)) or int(digits) > _MOST:
        shown = text if len(text) <= 40 else f"{text[:40]}…"
        raise DataRefused(
            f"{name}: {shown} {many} (of {ward}) are more than a ward can have ({_MOST:,}).",
            hint=f"Correct the file, or say which column holds the {many} with --column.",
        )
    return int(digits)


def _name_districts(
    connection: Connection, set_id: int, areas: list[Area], matched: dict[str, list[str]], columns: Columns
) -> int:
    """Names, and where the set has none also codes, of districts that the set's own file did not give."""
    known = set(connection.scalars(select(District.code).where(District.boundary_set_id == set_id)))
    found: dict[str, str] = {}
    for area in areas:
        code = area.district_code or cell(matched[area.code], columns.district_code)
        if code and not area.district_code:
            connection.execute(
                update(Ward).where(Ward.boundary_set_id == set_id, Ward.code == area.code).values(district_code=code)
            )
        name = cell(matched[area.code], columns.district_name)
        if code and name and code not in known:
            found.setdefault(code, name)
    if found:
        connection.execute(
            insert(District), [{"boundary_set_id": set_id, "code": c, "name": n} for c, n in sorted(found.items())]
        )
    return len(found)
