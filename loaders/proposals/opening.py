"""An unknown file as a table of texts: its delimiter and where its header stands, each with what showed it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from loaders.extracts import open_received
from loaders.proposals.encodings import Encoding, find_encoding
from loaders.proposals.words import known_words, words_of
from loaders.recognition import DELIMITERS
from loaders.tables import first_records, read_delimited, read_workbook
from mapping.errors import DataRefused

if TYPE_CHECKING:
    from pathlib import Path

    from loaders.extracts import Received
    from loaders.tables import Table

__all__ = ["Opened", "open_unknown"]

_VALUE = re.compile(r"[+-]?[0-9][0-9.,:/ T-]*|[(].*[)]")
_MOST_COLUMNS = 1000
_DELIMITER_WORDS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "upright bars"}


@dataclass(frozen=True, slots=True)
class Opened:
    """The table of a file with every column that a layout could name, and how it was opened; `titles` stand above it."""

    name: str
    table: Table
    header: list[str]
    encoding: Encoding | None
    delimiter: str
    delimiter_why: str
    is_workbook: bool
    notes: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)


def open_unknown(path: Path) -> Opened:
    """Open a file, or the first table in a folder or an archive.

    Raises
    ------
    DataRefused
        If it is not there, is no table, or no header can be told from the rows.
    """
    left_out: list[str] = []
    received = next(iter(open_received([path], left_out=left_out)))
    opened = _open_workbook(received) if received.name.lower().endswith(".xlsx") else _open_text(received)
    if received.name != str(path) and not str(path).endswith(".gz"):
        opened.notes.append(f"This is about the first table in it: {received.name}.")
    if opened.table.bad_rows:
        bad = opened.table.bad_rows[0]
        opened.notes.append(
            f"{len(opened.table.bad_rows):,} rows have another number of fields than the header (line {bad.line}: {bad.fields} "
            f"of "
            f"{bad.expected}): a load refuses them, or rejects them with --skip-bad-rows."
        )
    if not opened.table.rows:
        raise DataRefused(f"{opened.name}: the file has a header and no rows.", hint="Give a file with rows to look at.")
    return opened


def _nameable(header: list[str]) -> list[str]:
    """The columns that a layout can name: those whose header is there, and there once."""
    times = Counter(header)
    return [column for column in header if column and times[column] == 1]


def _header_notes(header: list[str], header_line: int) -> list[str]:
    notes = []
    twice = sorted(column for column, times in Counter(header).items() if column and times > 1)
    if twice:
        shown = ", ".join(repr(column[:60]) for column in twice[:5])
        notes.append(f"These columns stand in the header more than once, so no layout can name them: {shown}.")
    if header_line > 1:
        notes.append(f"The header stands in line {header_line}; what is above it is passed over.")
    return notes


def _open_workbook(received: Received) -> Opened:
    header: list[str] = []

    def wanted(fields: list[str]) -> list[str]:
        _refuse_wide(fields, received.name)
        header.extend(fields)
        return _nameable(fields)

    table = read_workbook(received, find_header=_looks_like_header, wanted=wanted)
    if table is None:
        raise _no_header(received.name)
    line = table.lines(np.array([0]))[0] - 1 if table.rows else 1
    return Opened(received.name, table, header, None, "", "", is_workbook=True, notes=_header_notes(header, line))


def _open_text(received: Received) -> Opened:
    encoding, data = find_encoding(received)
    delimiter, header, line, same, seen = _find_header(data, received.name)
    above = [field for fields, at in first_records(data, delimiter=delimiter) if at < line for field in fields if field]
    table = read_delimited(
        data,
        received.name,
        delimiter=delimiter,
        header=header,
        header_line=line,
        wanted=_nameable(header),
        line_breaks=True,
    )
    why = f"{_DELIMITER_WORDS[delimiter]}: {len(header)} fields in the header and in {same} of the {seen} rows after it"
    notes = _header_notes(header, line)
    return Opened(received.name, table, header, encoding, delimiter, why, is_workbook=False, notes=notes, titles=above)


def _find_header(data: bytes, name: str) -> tuple[str, list[str], int, int, int]:
    """The delimiter, the header and its line, and how many of the next rows have as many fields."""
    best = None
    for delimiter in DELIMITERS:
        records = [(fields, line) for fields, line in first_records(data, delimiter=delimiter) if any(fields)]
        for at, (fields, line) in enumerate(records):
            after = [len(_trimmed(row)) for row, _ in records[at + 1 :]]
            # Spreadsheets leave out, and append, empty fields at the end of a row.
            same = sum(len(_trimmed(fields)) * 0.6 <= n <= len(fields) for n in after)
            if not _looks_like_header(fields) or same * 2 < len(after):
                continue
            _refuse_wide(fields, name)
            told = sum(known_words(words_of(field)) for field in fields)
            exact = sum(len(row) == len(fields) for row, _ in records[at + 1 :])
            score = (exact * 2 >= len(after), min(told, 3), len(fields))
            if best is None or score > best[0]:
                best = (score, delimiter, fields, line, exact, len(after))
            break
    if best is None:
        raise _no_header(name)
    return best[1:]


def _refuse_wide(header: list[str], name: str) -> None:
    if len(header) > _MOST_COLUMNS:
        raise DataRefused(
            f"{name}: has {len(header):,} columns, where {_MOST_COLUMNS:,} are the most that are looked at.",
            hint="Keep the columns that matter, or write the layout by hand (docs/layouts.md).",
        )


def _trimmed(fields: list[str]) -> list[str]:
    last = max((i for i, field in enumerate(fields) if field), default=-1)
    return fields[: last + 1]


def _looks_like_header(fields: list[str]) -> bool:
    """Whether a row names columns: several, mostly different, of which hardly any is a number, a date or long."""
    filled = [field for field in fields if field]
    if len(filled) < 2 or len(filled) < 0.6 * len(_trimmed(fields)) or len(set(filled)) < 0.8 * len(filled):
        return False
    values = sum(bool(_VALUE.fullmatch(field)) or len(field) > 120 for field in filled)
    return values <= 0.2 * len(filled)


def _no_header(name: str) -> DataRefused:
    return DataRefused(
        f"{name}: no header can be told from its rows in the first lines, with commas, semicolons, tabs or upright bars.",
        hint="Put a line with the names of the columns above the rows, then look again.",
    )
