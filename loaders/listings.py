"""Small tables that need no layout: every column as text, and which column is which seen from what stands in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from loaders.tables import Table, decode, first_records, read_delimited, read_workbook
from mapping.errors import DataRefused
from mapping.vocabulary import slug

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from loaders.extracts import Received

__all__ = ["distinct", "fitting", "named_so", "numbers_in", "our_name", "plain_numbers", "read_listing", "refuse_long", "shown"]

_DELIMITERS = (",", "\t", ";", "|")
_NUMBER = r"^\d{1,15}(\.\d+)?$"

LONGEST = 300
"""Characters of a code or a name."""


def read_listing(received: Received, *, names: frozenset[str] = frozenset()) -> Table:
    """All columns of a CSV, TSV or XLSX file, blanks around texts taken off.

    The header is the first row that has all the `names`, as `our_name` has them; where none has, the first that is as wide as
    any of the first rows: titles above it are passed over.

    Raises
    ------
    DataRefused
        If the file cannot be read, has no rows, or a row has another number of fields than the header.
    """
    read = _read_workbook if received.name.lower().endswith(".xlsx") else _read_text
    table = read(received, names)
    if table.bad_rows:
        bad = table.bad_rows[0]
        raise DataRefused(
            f"{received.name}, line {bad.line}: has {bad.fields} fields, the header {bad.expected}.",
            hint="Correct the file, or export it again.",
        )
    if not table.rows:
        raise DataRefused(f"{received.name}: holds no row.", hint="Fetch or export it again.")
    columns = {name: pc.utf8_trim_whitespace(values) for name, values in table.columns.items()}
    return Table(columns, table.rows, table.lines)


def our_name(heading: str) -> str:
    """A heading in small letters, with _ for blanks and hyphens: `Crime type` is `crime_type`."""
    return slug(heading).replace("-", "_")


def _has(fields: list[str], names: frozenset[str]) -> bool:
    return bool(names) and names <= {our_name(field) for field in fields}


def _read_text(received: Received, names: frozenset[str]) -> Table:
    try:
        data = decode(received, encoding="utf-8")
    except DataRefused:
        data = decode(received, encoding="cp1252")
    by_delimiter = {d: first_records(data, delimiter=d) for d in _DELIMITERS}
    sought = [(d, fields, line) for d, records in by_delimiter.items() for fields, line in records if _has(fields, names)]
    widest = max((_width(fields) for records in by_delimiter.values() for fields, _ in records), default=0)
    wide = [(d, fields, line) for d, records in by_delimiter.items() for fields, line in records if _width(fields) == widest]
    if widest < 2:
        raise DataRefused(f"{received.name}: has only one column.", hint="Export it as CSV, TSV or XLSX.")
    delimiter, header, line = next(iter(sought or wide))
    return read_delimited(
        data, received.name, delimiter=delimiter, header=header, header_line=line, wanted=_named(header, received.name)
    )


def _read_workbook(received: Received, names: frozenset[str]) -> Table:
    ways: tuple[Callable[[list[str]], bool], ...] = (lambda header: _has(header, names), lambda header: _width(header) >= 2)
    for find_header in ways:
        table = read_workbook(received, find_header=find_header, wanted=lambda header: _named(header, received.name))
        if table is not None:
            return table
    raise DataRefused(f"{received.name}: no sheet holds a table.", hint="Save the sheet with the table as CSV.")


def _width(fields: list[str]) -> int:
    return sum(1 for field in fields if field)


def _named(header: list[str], name: str) -> list[str]:
    named = [column for column in header if column]
    twice = next((column for column in named if named.count(column) > 1), None)
    if twice:
        raise DataRefused(f"{name}: its header has the column '{twice[:60]}' more than once.", hint="Correct the file.")
    return named


def distinct(table: Table, column: str) -> list[str]:
    """The different texts of a column, empty ones left out."""
    return [text for text in pc.unique(table.columns[column]).to_pylist() if text]


def refuse_long(table: Table, column: str, name: str) -> None:
    """No code or name is longer than `LONGEST`, and no page could show one."""
    for text in distinct(table, column):
        if len(text) > LONGEST:
            raise DataRefused(
                f"{name}: a text in '{column}' is {len(text):,} characters long, over {LONGEST}: {text[:40]!a}.",
                hint="Correct the file.",
            )


def fitting(table: Table, fits: Callable[[str], bool], *, besides: Iterable[str] = ()) -> str | None:
    """The column most of whose different texts fit; None where none fits at all."""
    others = set(besides)
    hits = {c: sum(map(fits, distinct(table, c))) for c in table.columns if c not in others}
    best = max(hits, key=lambda column: hits[column], default=None)
    return best if best is not None and hits[best] else None


def named_so(table: Table, areas: str) -> str | None:
    """The column that the header names as these areas: of `lsoa21` `LSOA21CD`, `lsoa21` or `LSOA21 code`."""
    wanted = {areas, f"{areas}cd", f"{areas}-code"}
    return next((column for column in table.columns if slug(column) in wanted), None)


def numbers_in(table: Table, *, besides: Iterable[str] = ()) -> list[str]:
    """The columns in which every row holds a plain number, none negative; commas of thousands are understood."""
    others = set(besides)
    return [
        column
        for column, values in table.columns.items()
        if column not in others and pc.all(pc.match_substring_regex(plain_numbers(values), _NUMBER)).as_py()
    ]


def plain_numbers(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Texts of numbers without commas of thousands."""
    return pc.replace_substring_regex(values, r",(\d{3})", r"\1")


def shown(texts: Iterable[str], *, most: int = 5) -> str:
    """The first few of some texts, and how many more there are."""
    listed = list(texts)
    more = f" and {len(listed) - most:,} more" if len(listed) > most else ""
    return ", ".join(text if len(text) <= 40 else f"{text[:40]}…" for text in listed[:most]) + more
