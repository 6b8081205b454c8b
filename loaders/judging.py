"""What figures are judged with, from files that an analyst keeps: what their loaders share, and taking them out again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import delete, select

from loaders.extracts import open_received
from loaders.listings import distinct, our_name, read_listing, refuse_long, shown
from mapping.errors import DataRefused, NotFound
from mapping.store import writing
from mapping.store.models import (
    BoundarySet,
    BreakFile,
    CrimeTypeRow,
    HarmWeight,
    HarmWeightFile,
    RecordingBreak,
    WardGroup,
    WardGroupFile,
)
from mapping.store.stamp import stamp
from mapping.vocabulary import BUILT_IN_CRIME_TYPES, CrimeType

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sqlalchemy import Connection, Engine

    from loaders.extracts import Received
    from loaders.tables import Table

__all__ = ["JudgingReport", "find_named", "known_types", "lines_of", "one_text", "open_table", "texts_of", "unload_judging"]


@dataclass(slots=True)
class JudgingReport:
    """What became of a file."""

    done: str
    notes: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The report as it is printed."""
        return [self.done, *self.notes]


def open_table(path: Path, *, names: Iterable[str] = ()) -> tuple[Received, Table]:
    """A file and the table in it: CSV, TSV or XLSX; its header is the row with these names, where there is one."""
    received = next(open_received([path], left_out=[]))
    return received, read_listing(received, names=frozenset(names))


def find_named(table: Table, received: Received, needed: Iterable[str], more: Iterable[str]) -> dict[str, str]:
    """Our names of columns and the file's, which may have blanks, capitals and hyphens."""
    by_name = {our_name(column): column for column in table.columns}
    missing = [name for name in needed if name not in by_name]
    if missing:
        raise DataRefused(
            f"{received.name}: has no column {' and no column '.join(missing)}.",
            hint=f"It needs: {', '.join(needed)}. Its columns: {shown(table.columns, most=20)}.",
        )
    found = {name: by_name[name] for name in (*needed, *more, "origin") if name in by_name}
    for column in found.values():
        refuse_long(table, column, received.name)
    return found


def texts_of(table: Table, column: str) -> list[str]:
    """The texts of a column, row by row."""
    return [text or "" for text in table.columns[column].to_pylist()]


def lines_of(table: Table) -> list[int]:
    """The line of each row in its file."""
    return table.lines(np.arange(table.rows))


def one_text(table: Table, column: str, received: Received) -> str:
    """What a column says that may say only one thing; `DataRefused` if it says more, or nothing."""
    said = distinct(table, column)
    if len(said) != 1:
        what = f"says {len(said)} different things" if said else "says nothing"
        raise DataRefused(
            f"{received.name}: its column {column} {what}.", hint="Give one source, version and date for all weights."
        )
    return said[0]


def known_types(connection: Connection) -> list[CrimeType]:
    """Every crime type there is: the built-in ones, and those that layouts added."""
    added = connection.execute(select(CrimeTypeRow.slug, CrimeTypeRow.name, CrimeTypeRow.group).order_by(CrimeTypeRow.slug))
    types = {t.id: t for t in BUILT_IN_CRIME_TYPES} | {slug: CrimeType(slug, name, group) for slug, name, group in added}
    return list(types.values())


def unload_judging(engine: Engine, what: str, name: str | None = None) -> list[str]:
    """Take the `weights`, the `breaks` of a file, or the `groups` of a set out again; the files they came from.

    Raises
    ------
    NotFound
        If there are none.
    """
    models: dict[str, tuple[type, type]] = {
        "weights": (HarmWeight, HarmWeightFile),
        "breaks": (RecordingBreak, BreakFile),
        "groups": (WardGroup, WardGroupFile),
    }
    rows, file = models[what]
    with writing(engine) as connection:
        chosen = select(file.file_name)  # type: ignore[attr-defined]
        sets = select(BoundarySet.id).where(BoundarySet.name == name)
        if what == "groups":
            chosen = chosen.where(WardGroupFile.boundary_set_id.in_(sets))
        files = list(connection.scalars(chosen))
        if not files:
            of = f" of {name}" if name else ""
            raise NotFound(f"No {what}{of} are loaded.", hint="`wardwatch status` lists what is.", value=name or what)
        for model in (rows, file):
            gone = delete(model)
            connection.execute(gone.where(model.boundary_set_id.in_(sets)) if what == "groups" else gone)  # type: ignore[attr-defined]
        stamp(connection)
    return files
