"""How suppliers arrange their extracts: one short TOML declaration each, ours beside this file, or a user's own."""

from __future__ import annotations

import hashlib
import re
import tomllib
from datetime import datetime
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator
from pyproj import CRS
from pyproj.exceptions import CRSError

from mapping.errors import DataRefused
from mapping.vocabulary import BUILT_IN_CRIME_TYPES, GROUP_NAMES, CrimeType, slug

__all__ = ["Columns", "Dates", "Layout", "built_in_layouts", "read_layout", "type_key"]


def type_key(text: str) -> str:
    """How the names of crime types are compared: without regard to case and spacing."""
    return " ".join(text.split()).casefold()


def _checked_format(text: str) -> str:
    moment = datetime(2001, 2, 3, 4, 5, 6)  # noqa: DTZ001 - any moment will do
    try:
        datetime.strptime(moment.strftime(text), text)  # noqa: DTZ007
    except (ValueError, re.error):
        raise ValueError(f"'{text}' is not a format of dates; write for example %d/%m/%Y") from None
    return text


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Columns(_Strict):
    """The file's column for each role; a column that has no role is not stored."""

    crime_type: str
    date: str = ""
    year: str = ""
    month: str = ""
    day: str = ""
    from_: str = Field("", alias="from")
    to: str = ""
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
    """How dates are written, in strptime's letters; a format without `%d` means a whole month."""

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


class Layout(_Strict):
    """A supplier's arrangement. `window = "month"`: each file is complete for the one month its name or its rows give.

    `precision_m` is how far, in metres, a point may lie from where it happened; without it points count as exact.
    """

    name: str
    source: str = ""
    source_name: str = ""
    access: Literal["open", "protected"] = "protected"
    stream: str = "incidents"
    encoding: str = "utf-8"
    delimiter: str = ""
    decimal: Literal[".", ","] = "."
    crs: str = ""
    window: Literal["", "month"] = ""
    month_of: Literal["date", "from"] = "date"
    attribution: str = ""
    precision_m: int | None = Field(None, ge=1, le=5000)
    columns: Columns
    dates: Dates = Dates()
    crime_types: dict[str, str]
    types: tuple[AddedType, ...] = ()

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            "".encode(value)
        except LookupError:
            raise ValueError(f"'{value}' is not the name of an encoding") from None
        return value

    @field_validator("crs")
    @classmethod
    def _known_crs(cls, value: str) -> str:
        try:
            CRS.from_user_input(value) if value else None
        except CRSError:
            raise ValueError(f"'{value}' is not a coordinate system; write for example EPSG:27700") from None
        return value

    @field_validator("name", "stream", "source_name", "attribution")
    @classmethod
    def _plain(cls, value: str, info: ValidationInfo) -> str:
        if not value and info.field_name in ("name", "stream"):
            raise ValueError("is empty")
        if not value.isprintable() or len(value) > 500:
            raise ValueError("holds control characters, or more than 500 characters")
        return value

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
    def _consistent(self) -> Layout:
        columns = self.columns
        faults = []
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
        if not self.source and not columns.source:
            faults.append("source is missing: who supplied it")
        faults += self._type_faults()
        if faults:
            raise ValueError("; ".join(faults))
        return self

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
            f"[crime_types] maps '{k}' to '{v}', which is no crime type" for k, v in self.crime_types.items() if v not in known
        ]
        faults += [f"[[types]] may not use '{t.id}'" for t in self.types if t.id in GROUP_NAMES or t.id != slug(t.id)]
        return faults

    @property
    def all_types(self) -> tuple[CrimeType, ...]:
        """The built-in crime types and those that the layout adds."""
        return BUILT_IN_CRIME_TYPES + tuple(CrimeType(t.id, t.name, t.group) for t in self.types)

    @property
    def sha256(self) -> str:
        """Changes when anything of the layout does."""
        return hashlib.sha256(self.model_dump_json(by_alias=True).encode()).hexdigest()

    def type_of(self) -> dict[str, str]:
        """The crime type of each name, by `type_key`."""
        return {type_key(text): crime_type for text, crime_type in self.crime_types.items()}

    def missing_columns(self, header: list[str]) -> list[str]:
        """The columns it names that a header lacks."""
        return [column for column in self.columns.named if column not in header]


@cache
def built_in_layouts() -> dict[str, Layout]:
    """Ours, and those of entry points `wardwatch.layouts` (each gives the path of a TOML file)."""
    paths = sorted(Path(__file__).parent.glob("*.toml"))
    paths += [Path(entry.load()) for entry in entry_points(group="wardwatch.layouts")]
    layouts = (read_layout(path) for path in paths)
    return {layout.name: layout for layout in layouts}


def read_layout(path: Path) -> Layout:
    """Read a layout file.

    `extends = "police-uk"` takes everything from that layout and adds to it.

    Raises
    ------
    DataRefused
        If it is not there, is no TOML, or does not say what a layout must.
    """
    try:
        declared = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataRefused(
            f"{path}: {error.strerror}.", hint="Give the path of a layout, or the name of one of: police-uk."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataRefused(f"{path}: is not TOML: {error}.", hint="docs/layouts.md shows a layout.") from error
    try:
        return Layout.model_validate(_with_base(declared, path))
    except ValidationError as error:
        faults = [".".join(str(part) for part in fault["loc"]) + ": " + _words(fault) for fault in error.errors()]
        raise DataRefused(
            f"{path}: " + "; ".join(f.removeprefix(": ") for f in faults) + ".",
            hint="docs/layouts.md says what a layout may hold.",
        ) from error


def _words(fault: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    words = {"missing": "is missing", "extra_forbidden": "is not a word that layouts know"}
    return words.get(fault["type"], re.sub("^Value error, ", "", fault["msg"]))


def _with_base(declared: dict[str, Any], path: Path) -> dict[str, Any]:
    declared = dict(declared)
    # `[dates]` may also say which columns hold year, month and day.
    dates = dict(declared.get("dates", {}))
    parts = {part: dates.pop(part) for part in ("year", "month", "day") if part in dates}
    if parts:
        declared["dates"] = dates
        declared["columns"] = {**declared.get("columns", {}), **parts}
    base_name = declared.pop("extends", None)
    if base_name is None:
        return declared
    base = Path(__file__).parent / f"{slug(str(base_name))}.toml"
    if not base.is_file():
        raise DataRefused(f"{path}: extends '{base_name}', which is not a layout of ours.", hint="Known: police-uk.")
    merged = tomllib.loads(base.read_text(encoding="utf-8"))
    for key, value in declared.items():
        merged[key] = {**merged[key], **value} if isinstance(value, dict) and key in merged else value
    return merged
