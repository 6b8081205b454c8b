"""Received bytes to columns of text: CSV and TSV strictly, XLSX as it stands, each row with its line."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from python_calamine import CalamineError, load_workbook

from mapping.errors import DataRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from loaders.extracts import Received

__all__ = ["BadRow", "Table", "decode", "decode_beginning", "first_records", "read_delimited", "read_workbook"]

_BEGINNING = 2**16  # bytes
_HEADER_WITHIN = 20  # records: titles that a spreadsheet puts above its table


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row whose number of fields is not that of the header."""

    line: int
    fields: int
    expected: int


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of text by header name, rows that are wholly blank left out, and where each row stands.

    `lines` gives the lines (1 = the first of the file) of rows by index.
    """

    columns: dict[str, pa.ChunkedArray]
    rows: int
    lines: Callable[[NDArray[np.int64]], list[int]]
    bad_rows: tuple[BadRow, ...] = ()


def decode(received: Received, *, encoding: str) -> bytes:
    """The file's bytes as UTF-8 without a mark.

    Raises
    ------
    DataRefused
        If the bytes are not of the encoding that the layout states; a byte order mark overrules it.
    """
    data, encoding = _without_mark(received.data, encoding)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataRefused(
            f"{received.name}, line {line}: the byte 0x{data[error.start]:02x} is not {encoding}.",
            hint="Save the file as UTF-8, or load it by a layout that states its `encoding` (from Windows often cp1252).",
        ) from error
    if encoding.lower() not in ("utf-8", "utf-16", "ascii") and not data.isascii() and _is_utf8(data):
        raise DataRefused(
            f"{received.name}: the layout states {encoding}, but the file is UTF-8.",
            hint='Put encoding = "utf-8" in the layout, else names would be garbled.',
        )
    return data if encoding == "utf-8" else text.encode()


def decode_beginning(received: Received, *, encoding: str) -> bytes:
    """As much of the file as holds its header, as `decode` would give it; what is not of the encoding is left out."""
    data, encoding = _without_mark(received.data[:_BEGINNING], encoding)
    return data.decode(encoding, errors="ignore").encode()


def _without_mark(data: bytes, encoding: str) -> tuple[bytes, str]:
    """The bytes behind a byte order mark, and the encoding that it tells; else the one that is stated."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data, "utf-16"
    return (data[3:], "utf-8") if data.startswith(b"\xef\xbb\xbf") else (data, encoding)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def first_records(data: bytes, *, delimiter: str) -> list[tuple[list[str], int]]:
    """The first records of a delimited file, each with the number of the line it ends on."""
    text = data[:_BEGINNING].decode("utf-8", errors="ignore")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    records = []
    try:
        for record in reader:
            records.append(([field.strip() for field in record], reader.line_num))
            if len(records) == _HEADER_WITHIN:
                break
    except csv.Error:
        pass  # the strict reading of the whole file will say where
    return records


def read_delimited(
    data: bytes,
    name: str,
    *,
    delimiter: str,
    header: Sequence[str],
    header_line: int,
    wanted: Sequence[str],
    line_breaks: bool = False,
) -> Table:
    """Read the wanted columns of a delimited UTF-8 file whose header ends on `header_line`.

    A line break in a wanted field is refused unless `line_breaks`: then free text is among what is wanted.

    Raises
    ------
    DataRefused
        If a quotation mark is never closed. Rows with another number of fields than the header are in `bad_rows`.
    """
    if data.count(b'"') % 2:
        raise DataRefused(
            f"{name}: a quotation mark is opened and never closed.", hint="The file may be cut short. Fetch or export it again."
        )
    broken = False

    def note(_row: object) -> str:
        nonlocal broken
        broken = True
        return "skip"

    unique = [f"{i}" for i in range(len(header))]
    at = {column: header.index(column) for column in wanted}
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(data),
            read_options=pyarrow.csv.ReadOptions(skip_rows=header_line, column_names=unique, block_size=2**22),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=b'"' in data, invalid_row_handler=note
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                include_columns=[unique[i] for i in at.values()],
                column_types=dict.fromkeys(unique, pa.string()),
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        broken = True
    if broken:
        # The slow reader knows the line of every fault and forgives the empty fields that spreadsheets append.
        return _read_slowly(
            data, name, delimiter=delimiter, header=header, header_line=header_line, at=at, line_breaks=line_breaks
        )
    columns = {column: table.column(unique[i]) for column, i in at.items()}
    lines = data.count(b"\n") + (0 if data.endswith(b"\n") else 1)
    if b'"' in data and table.num_rows != lines - header_line:
        # Line breaks inside quotation marks: only row by row is it seen whether they belong there.
        return _read_slowly(
            data, name, delimiter=delimiter, header=header, header_line=header_line, at=at, line_breaks=line_breaks
        )
    if table.num_rows == lines - header_line:
        # Nothing may hold on to the file's bytes: a load has many files.
        return _without_blank_rows(columns, table.num_rows, lambda rows: [int(row) + header_line + 1 for row in rows])

    def line_of(rows: NDArray[np.int64]) -> list[int]:
        ends = _line_ends(data, delimiter=delimiter, header_line=header_line)
        return [ends[int(row)] for row in rows]

    return _without_blank_rows(columns, table.num_rows, line_of)


def _records(data: bytes, *, delimiter: str) -> Any:  # noqa: ANN401 - csv's own reader has no public class
    stream = io.TextIOWrapper(io.BytesIO(data), "utf-8", newline="")
    return csv.reader(stream, delimiter=delimiter, strict=True)


def _pass_header(reader: Any, header_line: int) -> None:  # noqa: ANN401
    while reader.line_num < header_line:
        next(reader)


def _line_ends(data: bytes, *, delimiter: str, header_line: int) -> list[int]:
    reader = _records(data, delimiter=delimiter)
    _pass_header(reader, header_line)
    return [reader.line_num for record in reader if record]


def _read_slowly(
    data: bytes,
    name: str,
    *,
    delimiter: str,
    header: Sequence[str],
    header_line: int,
    at: dict[str, int],
    line_breaks: bool,
) -> Table:
    reader = _records(data, delimiter=delimiter)
    records, ends, bad = [], [], []
    try:
        _pass_header(reader, header_line)
        for record in reader:
            if not record:
                continue
            if _holds_rows(record, delimiter):
                raise DataRefused(
                    f"{name}, line {reader.line_num}: one of its fields holds other rows.",
                    hint="A stray quotation mark has joined them. Export the file again.",
                )
            if len(record) < len(header) or any(record[len(header) :]):
                bad.append(BadRow(reader.line_num, len(record), len(header)))
            else:
                records.append(record)
                ends.append(reader.line_num)
    except csv.Error as error:
        raise DataRefused(f"{name}, line {reader.line_num}: {error}.", hint="Fetch or export the file again.") from error
    columns = {column: pa.chunked_array([pa.array([record[i] for record in records], pa.string())]) for column, i in at.items()}
    if not line_breaks:
        _refuse_line_breaks(columns, name)
    table = _without_blank_rows(columns, len(records), lambda rows: [ends[int(row)] for row in rows])
    return Table(table.columns, table.rows, table.lines, tuple(bad))


def _holds_rows(record: list[str], delimiter: str) -> bool:
    """Whether a field holds the end of one row, then whole rows, then the beginning of another."""
    last = len(record) - 1
    for at, field in enumerate(record):
        if "\n" in field:
            first, *between, end = (line.count(delimiter) for line in field.split("\n"))
            if first == last - at and end == at and all(count == last for count in between):
                return True
    return False


def _refuse_line_breaks(columns: dict[str, pa.ChunkedArray], name: str) -> None:
    """A stray quotation mark swallows rows up to the next one: seen as a line break in a field that should have none."""
    for column, values in columns.items():
        distinct = pc.unique(values)
        hit = distinct.filter(pc.match_substring_regex(distinct, r"[\r\n]"))
        if len(hit):
            raise DataRefused(
                f"{name}: the field '{column}' holds a line break: '{hit[0].as_py()[:60]!r}'.",
                hint="A stray quotation mark has joined two rows. Export the file again.",
            )


def _without_blank_rows(
    columns: dict[str, pa.ChunkedArray], rows: int, lines: Callable[[NDArray[np.int64]], list[int]]
) -> Table:
    blank = np.ones(rows, dtype=bool)
    for values in columns.values():
        blank &= pc.equal(values, "").to_numpy()
        if not blank.any():
            return Table(columns, rows, lines)
    kept = np.flatnonzero(~blank)
    taken = pa.array(kept)
    return Table({c: v.take(taken) for c, v in columns.items()}, len(kept), lambda wanted: lines(kept[wanted]))


def read_workbook(
    received: Received, *, find_header: Callable[[list[str]], bool], wanted: Callable[[list[str]], Sequence[str]]
) -> Table | None:
    """Read the first sheet of an XLSX workbook in whose first rows `find_header` is true.

    Dates become ISO text, whole numbers are written without a decimal point. None if no sheet has such a header.

    Raises
    ------
    DataRefused
        If the workbook cannot be read.
    """
    try:
        workbook = load_workbook(io.BytesIO(received.data))
        for sheet in workbook.sheet_names:
            grid = workbook.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
            for index, row in enumerate(grid[:_HEADER_WITHIN]):
                header = [_cell_text(cell).strip() for cell in row]
                if find_header(header):
                    return _grid_table(grid[index + 1 :], header, first_line=index + 2, wanted=wanted(header))
    except BaseException as error:
        # A damaged workbook makes the reader panic, which is no ordinary exception.
        if not isinstance(error, CalamineError) and type(error).__name__ != "PanicException":
            raise
        raise DataRefused(
            f"{received.name}: the workbook cannot be read ({error}).", hint="Save it again as XLSX, or as CSV."
        ) from error
    return None


def _grid_table(grid: list[list[Any]], header: list[str], *, first_line: int, wanted: Sequence[str]) -> Table:
    columns = {}
    for column in wanted:
        at = header.index(column)
        columns[column] = pa.chunked_array([pa.array([_cell_text(row[at]) for row in grid], pa.string())])
    return _without_blank_rows(columns, len(grid), lambda rows: [int(row) + first_line for row in rows])


def _cell_text(cell: object) -> str:
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ", timespec="seconds")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell)
