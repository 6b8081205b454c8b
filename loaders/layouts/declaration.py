"""What a layout may say of how a supplier arranges its extracts, and what contradicts itself."""

from __future__ import annotations

import codecs
import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationInfo, field_validator, model_validator

from loaders.coordinates import find_system
from loaders.layouts.codes import SET_ASIDE, CodeTable, code_key, find_code, read_code_table
from mapping.vocabulary import BUILT_IN_CRIME_TYPES, GROUP_NAMES, CrimeType, slug

__all__ = ["EXCEL", "AddedType", "Columns", "Dates", "Layout", "type_key"]

EXCEL = "excel"
"""The format of dates that a spreadsheet left as numbers: days since the end of 1899."""

_LONGEST = 500
"""Characters of a name or an attribution."""


def type_key(text: str) -> str:
    """How the names of crime types are compared: without regard to case and spacing."""
    return " ".join(text.split()).casefold()


def _checked_format(text: str) -> str:
    if text == EXCEL:
        return text
    moment = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)  # any moment will do
    try:
        datetime.strptime(moment.strftime(text), text)  # noqa: DTZ007
    except (ValueError, re.error):
        raise ValueError(f"'{text}' is not a format of dates; write for example %d/%m/%Y") from None
    return text


def _checked_text(text: str) -> str:
    if not text:
        raise ValueError("is empty")
    if not text.isprintable() or len(text) > _LONGEST:
        raise ValueError(f"holds control characters, or more than {_LONGEST} characters")
    return text


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Columns(_Strict):
    """The file's column for each role; a column that has no role is not stored."""

    crime_type: str = ""
    crime_type_or: str = ""
    code: str = ""
    opening: str = ""
    class_: str = Field("", alias="class")
    date: str = ""
    time: str = ""
    year: str = ""
    month: str = ""
    day: str = ""
    hour: str = ""
    minute: str = ""
    from_: str = Field("", alias="from")
    from_time: str = ""
    to: str = ""
    to_time: str = ""
    updated: str = ""
    status: str = ""
    repeat_victim: str = ""
    x: str = ""
    y: str = ""
    reference: str = ""
    source: str = ""
    location: str = ""
    lsoa: str = ""
    outcome: str = ""

    @property
    def named(self) -> list[str]:
        """Every column that the layout names."""
        return [column for column in self.__dict__.values() if column]


class Dates(_Strict):
    """How dates are written: in strptime's letters, or `excel`; a format without `%d` means a whole month."""

    format: str = ""
    formats: tuple[str, ...] = ()

    @field_validator("format")
    @classmethod
    def _is_format(cls, value: str) -> str:
        return _checked_format(value) if value else value

    @field_validator("formats")
    @classmethod
    def _are_formats(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_checked_format(value) for value in values)

    @property
    def all(self) -> tuple[str, ...]:
        """The formats in the order to try them."""
        return ((self.format,) if self.format else ()) + self.formats


class AddedType(_Strict):
    """A crime type beyond the built-in ones."""

    id: str
    name: str
    group: Literal["crime", "asb", "other"]

    @field_validator("id", "name")
    @classmethod
    def _plain(cls, value: str) -> str:
        return _checked_text(value)


class Layout(_Strict):
    """A supplier's arrangement. `window = "month"`: each file is complete for the one month its name or its rows give.

    `kind` is `window` (complete for its window) or `changes` (rows that amend, by reference). `codes` names the table that
    says which crime type a code stands for; `crime_type` is the one type of all rows, where no column gives it. `cancelled`
    lists the values of the column status that say that it was none. `files` is how the names end of what is taken from folders
    and archives when the layout is asked for by name. `precision_m` is how far, in metres, a point may lie from where it
    happened; without it points count as exact.
    """

    name: str
    source: str = ""
    source_name: str = ""
    access: Literal["open", "protected"] = "protected"
    stream: str = "incidents"
    kind: Literal["window", "changes"] = "window"
    records: Literal["incidents", "outcomes"] = "incidents"
    files: str = ""
    encoding: str = "utf-8"
    delimiter: str = ""
    decimal: Literal[".", ","] = "."
    crs: str = ""
    window: Literal["", "month"] = ""
    month_of: Literal["date", "from"] = "date"
    attribution: str = ""
    precision_m: int | None = Field(None, ge=1, le=5000)
    codes: str = ""
    crime_type: str = ""
    cancelled: tuple[str, ...] = ()
    columns: Columns
    dates: Dates = Dates()
    crime_types: dict[str, str] = {}
    types: tuple[AddedType, ...] = ()
    _table: CodeTable | None = PrivateAttr(None)

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            known = codecs.lookup(value).name
            "".encode(known)
        except (LookupError, UnicodeError):
            known = ""
        # Those of the names of hosts are no encodings of files.
        if known in ("", "idna", "punycode"):
            raise ValueError(f"'{value}' is not the name of an encoding")
        return value

    @field_validator("crs")
    @classmethod
    def _known_crs(cls, value: str) -> str:
        if value and not find_system(value):
            raise ValueError(f"'{value}' is not a coordinate system; write for example EPSG:27700")
        return value

    @field_validator("name", "source", "stream", "source_name", "attribution", "files")
    @classmethod
    def _plain(cls, value: str, info: ValidationInfo) -> str:
        if not value and info.field_name in ("name", "stream"):
            raise ValueError("is empty")
        return _checked_text(value) if value else value

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, value: str) -> str:
        if len(value) > 1 or value in ('"', "\n", "\r"):
            raise ValueError(f"'{value}' is not one character")
        return value

    @field_validator("source", "stream")
    @classmethod
    def _an_id(cls, value: str) -> str:
        if value != slug(value):
            raise ValueError(f"'{value}' is not an id; write '{slug(value)}'")
        return value

    @model_validator(mode="after")
    def _consistent(self, info: ValidationInfo) -> Layout:
        if self.codes:
            # Paths are relative to the layout file.
            self._table = read_code_table(self.codes, folder=(info.context or {}).get("folder", Path()))
        columns = self.columns
        faults = self._role_faults()
        if bool(columns.x) != bool(columns.y):
            faults.append("columns x and y go together")
        if columns.x and not self.crs:
            faults.append('x and y need crs = "EPSG:27700" or "EPSG:4326"')
        if columns.x and columns.x == columns.y:
            faults.append("columns x and y are the same column")
        if columns.date and columns.year:
            faults.append("columns name both date and year: one of them is when it counts")
        if not (columns.date or (columns.year and columns.month)):
            faults.append("columns must name date, or year and month (and day)")
        if (columns.date or columns.from_) and not self.dates.all:
            faults.append("[dates] must give format or formats")
        if self.month_of == "from" and not columns.from_:
            faults.append('month_of = "from" needs the column from')
        faults += self._type_faults()
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _role_faults(self) -> list[str]:
        """What is wrong with which columns are named together."""
        columns = self.columns
        needs = {
            "time": columns.date or columns.year,
            "hour": columns.date or columns.year,
            "minute": columns.hour,
            "from_time": columns.from_,
            "to_time": columns.to,
            "crime_type_or": columns.crime_type,
        }
        faults = [
            f"columns.{role} needs the column {'date' if role in ('time', 'hour') else other}"
            for role, other in zip(needs, ("date", "date", "hour", "from", "to", "crime_type"), strict=True)
            if getattr(columns, role) and not needs[role]
        ]
        if columns.time and columns.hour:
            faults.append("columns name both time and hour: one of them is the time of day")
        if self.cancelled and not columns.status:
            faults.append("cancelled needs the column status")
        if self.kind == "changes" and not (columns.reference and columns.updated):
            faults.append('kind = "changes" needs the columns reference and updated')
        if self.records == "outcomes":
            if not (columns.reference and columns.outcome):
                faults.append('records = "outcomes" needs the columns reference and outcome')
            if self.kind == "changes" or columns.crime_type or self.crime_type:
                faults.append('records = "outcomes" are complete for a window and have no crime type')
        elif columns.crime_type and self.crime_type:
            faults.append("both columns and the layout itself name a crime_type")
        elif not columns.crime_type and not self.crime_type:
            faults.append("columns.crime_type: is missing")
        return faults

    def _type_faults(self) -> list[str]:
        """What is wrong with the crime types that it maps and adds."""
        ids = [t.id for t in self.types]
        built_in = {t.id for t in BUILT_IN_CRIME_TYPES}
        faults = [
            f"[[types]] says '{i}' again, which is defined already" for i in set(ids) if ids.count(i) > 1 or i in built_in
        ]
        said: dict[str, set[str]] = {}
        for text, crime_type in self.crime_types.items():
            said.setdefault(type_key(text), set()).add(crime_type)
        faults += [f"[crime_types] maps '{text}' to {' and '.join(sorted(to))}" for text, to in said.items() if len(to) > 1]
        known = {t.id for t in self.all_types}
        faults += [
            f"[crime_types] maps '{k}' to '{v}', which is no crime type"
            for k, v in self.crime_types.items()
            if v not in known and v != SET_ASIDE
        ]
        if self.crime_type and self.crime_type not in known:
            faults.append(f"crime_type is '{self.crime_type}', which is no crime type")
        if self._table:
            strange = sorted({code.crime_type for code in self._table.codes} - known - {SET_ASIDE})
            faults += [f"codes, the table {self.codes}, maps to '{t}', which is no crime type" for t in strange]
        reserved = {*GROUP_NAMES, SET_ASIDE}
        faults += [f"[[types]] may not use '{t.id}'" for t in self.types if t.id in reserved or t.id != slug(t.id)]
        return faults

    @property
    def all_types(self) -> tuple[CrimeType, ...]:
        """The built-in crime types and those that the layout adds."""
        return BUILT_IN_CRIME_TYPES + tuple(CrimeType(t.id, t.name, t.group) for t in self.types)

    @property
    def declared_types(self) -> set[str]:
        """The crime types that its rows can be of."""
        mapped = set(self.crime_types.values()) | ({self.crime_type} if self.crime_type else set())
        coded = {code.crime_type for code in self._table.codes} if self._table else set()
        return (mapped | coded) - {SET_ASIDE}

    @property
    def code_table(self) -> CodeTable | None:
        """The table that `codes` names."""
        return self._table

    @property
    def sha256(self) -> str:
        """Changes when anything of the layout does, or of the table of its codes."""
        said = self.model_dump_json(by_alias=True, exclude_defaults=True)
        return hashlib.sha256((said + (self._table.sha256 if self._table else "")).encode()).hexdigest()

    def types_of(self, texts: list[str]) -> list[str | None]:
        """The crime type (or `set-aside`) that each text stands for, None where nothing says.

        What [crime_types] says of a text comes before what the table of codes says.
        """
        if self._table is None:
            words = {type_key(text): crime_type for text, crime_type in self.crime_types.items()}
            return [words.get(type_key(text)) for text in texts]
        said = {code_key(text): crime_type for text, crime_type in self.crime_types.items()}
        coded = ((text, self._table.find(text)) for text in texts)
        return [find_code(said, text) or (code.crime_type if code else None) for text, code in coded]

    def missing_columns(self, header: list[str]) -> list[str]:
        """The columns it names that a header lacks."""
        return [column for column in self.columns.named if column not in header]
