"""Code tables: which crime type a supplier's offence or incident code stands for; ours in `codes/`, or a user's own."""

from __future__ import annotations

import csv
import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from mapping.errors import DataRefused, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")

__all__ = ["SET_ASIDE", "Code", "CodeTable", "code_key", "code_table_text", "code_tables", "find_code", "read_code_table"]

SET_ASIDE = "set-aside"
"""What stands in place of a crime type where rows of a code are known not to be counted here."""

_FOLDER = Path(__file__).with_name("codes")
_COLUMNS = ["code", "name", "crime_type"]
_DASHES = r"\-" + "\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{EN DASH}\N{EM DASH}"  # as they stand in a regular expression


@dataclass(frozen=True, slots=True)
class Code:
    """One code; `class_` is the class of anti-social behaviour that it implies, empty where it implies none."""

    code: str
    name: str
    crime_type: str
    class_: str = ""


@dataclass(frozen=True)
class CodeTable:
    """The codes of one list, in its order, and the comment that says where they come from."""

    name: str
    comment: str
    codes: tuple[Code, ...]

    @cached_property
    def _by_key(self) -> dict[str, Code]:
        return {code_key(code.code): code for code in self.codes}

    def find(self, text: str) -> Code | None:
        """The code that a text means: itself, or `28*` for 28 with any letter or subclass; None if the table has neither."""
        return find_code(self._by_key, text)

    @property
    def sha256(self) -> str:
        """Changes when a code, its type or its class does."""
        return hashlib.sha256(repr(self.codes).encode()).hexdigest()


def find_code(by_key: Mapping[str, T], text: str) -> T | None:
    """What is said of a code, else of its whole class (`28*`), by keys of `code_key`."""
    key = code_key(text)
    number = re.match("[0-9]+", key)
    return by_key.get(key) or (by_key.get(number[0] + "*") if number else None)


def code_key(text: str) -> str:
    """How codes are compared: without regard to case, spaces, dashes and leading zeros.

    Between digits a full stop or a dash is a slash.

    >>> code_key(" 008N "), code_key("4.1"), code_key("37-02"), code_key("RTC - Damage Only")
    ('8n', '4/1', '37/2', 'rtcdamageonly')
    """
    plain = re.sub(r"\s+", "", text).casefold()
    plain = re.sub(rf"(?<=[0-9])[.{_DASHES}](?=[0-9])", "/", plain)
    plain = re.sub(f"[{_DASHES}]", "", plain)
    return re.sub(r"(?<![0-9a-z])0+(?=[0-9])", "", plain)


def code_tables() -> dict[str, Path]:
    """The files of the tables of ours by name."""
    return {path.stem: path for path in sorted(_FOLDER.glob("*.csv"))}


def code_table_text(name: str) -> str:
    """The file of a table of ours, as it may be copied, edited and named by a layout.

    Raises
    ------
    NotFound
        If there is no such table.
    """
    path = code_tables().get(name)
    if path is None:
        raise NotFound(f"There is no table of codes '{name}'.", hint=f"Ours: {', '.join(code_tables())}.", value=name)
    return path.read_text(encoding="utf-8")


def read_code_table(name_or_path: str, *, folder: Path) -> CodeTable:
    """The table of ours of that name, or a CSV file, whose path is relative to `folder`.

    Raises
    ------
    DataRefused
        If there is neither, or the file is no table of codes.
    """
    path = code_tables().get(name_or_path) or folder / name_or_path
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataRefused(
            f"{path}: {error.strerror}.",
            hint=f"codes names a table of ours ({', '.join(code_tables())}) or a CSV file beside the layout.",
        ) from error
    except UnicodeDecodeError as error:
        raise DataRefused(f"{path}: is not UTF-8 text.", hint="Save the table of codes as CSV UTF-8.") from error
    return _read_codes(text, name=path.stem, where=str(path))


def _read_codes(text: str, *, name: str, where: str) -> CodeTable:
    """A table from its text: lines of comment that begin with `#`, the header, and a row for each code."""
    lines = text.splitlines()
    comment = []
    # A spreadsheet that saves the table quotes lines of comment and appends empty fields.
    while lines and (not lines[0].strip(" ,") or lines[0].lstrip('" ').startswith("#")):
        comment.append(lines.pop(0))
    try:
        parsed = [[field.strip() for field in row] for row in csv.reader(lines)]
    except csv.Error as error:
        raise DataRefused(f"{where}: is no CSV file ({error}).", hint="Save the table of codes as CSV.") from error
    rows = [(number, row) for number, row in enumerate(parsed, start=len(comment) + 1) if any(row)]
    header = rows[0][1] if rows else []
    if header[:3] != _COLUMNS:
        raise DataRefused(
            f"{where}: is no table of codes: its header is {','.join(header)[:80] or 'missing'}.",
            hint=f"It begins with the columns {','.join(_COLUMNS)}; `wardwatch layout codes home-office` prints one.",
        )
    at_class = header.index("class") if "class" in header else None
    codes: dict[str, Code] = {}
    faults = []
    for number, row in rows[1:]:
        code, label, crime_type = (*row, "", "", "")[:3]
        class_ = row[at_class] if at_class is not None and at_class < len(row) else ""
        key = code_key(code)
        if not key or not crime_type:
            faults.append(f"line {number}: '{code or label}' has no {'crime type' if key else 'code'}")
        elif key in codes and codes[key].crime_type != crime_type:
            faults.append(f"line {number}: '{code}' is {codes[key].crime_type} above and {crime_type} here")
        else:
            codes.setdefault(key, Code(code, label, crime_type, class_))
    if faults or not codes:
        raise DataRefused(
            f"{where}: " + ("; ".join(faults[:20]) or "holds no code") + ".",
            hint=f"Each row is a code, its name, and a crime type or {SET_ASIDE}.",
        )
    return CodeTable(name, "\n".join(comment), tuple(codes.values()))
