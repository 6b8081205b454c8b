"""A received table, read by its layout: every row ends kept, set aside or rejected, and nothing is guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from loaders.checking import SHOWN, Checking, constant
from loaders.coordinates import read_points
from loaders.crime_types import read_crime_types
from loaders.quality import Issue
from loaders.times import read_times
from mapping.errors import DataRefused
from mapping.vocabulary import Month, slug

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from numpy.typing import NDArray

    from loaders.layouts import Layout
    from loaders.tables import Table

__all__ = ["CheckedFile", "check_rows"]

_NAMED_MONTH = re.compile(r"^((?:19|20)\d{2}-(?:0[1-9]|1[0-2]))-")


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """The rows of one file, and what was found about them.

    `rows` has the columns source, source_name, date, precision, crime_type, x, y (EPSG:27700 metres to the millimetre, null
    where there are none), started_at, ended_at, updated_at, reference, location, lsoa, outcome, code, opening, class, status,
    repeat_victim and cancels (its status says that it was none); repeating texts are dictionaries. A crime type of null
    means, but in a file of outcomes, that the row is set aside by the issue of its index. `lines` gives the lines of rows by
    index, as issues name them.
    """

    name: str
    sha256: str
    layout: Layout
    rows: pa.Table
    lines: Callable[[NDArray[np.int64]], list[int]]
    named_month: Month | None
    issues: list[Issue]


def check_rows(
    table: Table,
    *,
    name: str,
    sha256: str,
    layout: Layout,
    source: str | None,
    today: date,
    skip_bad_rows: bool,
    set_aside_unknown: bool,
    is_workbook: bool,
) -> CheckedFile:
    """Check and convert the rows of one file.

    Raises
    ------
    DataRefused
        With every reason for which the whole file is refused.
    """
    check = Checking(table, layout, name, is_workbook=is_workbook)
    if table.bad_rows and not skip_bad_rows:
        _refuse_bad_rows(check)
    if not table.rows:
        raise DataRefused("\n".join([*check.faults, f"{name}: the file has a header and no rows."]), hint="Fetch it again.")
    columns = {
        **_sources(check, source),
        **read_crime_types(check, set_aside_unknown=set_aside_unknown),
        **read_times(check, today),
        **_points(check),
        "reference": check.text(layout.columns.reference),
        "location": check.phrases(layout.columns.location),
        "lsoa": check.phrases(layout.columns.lsoa),
        "outcome": check.phrases(layout.columns.outcome),
        "repeat_victim": check.marks(layout.columns.repeat_victim),
    }
    if check.faults:
        raise DataRefused("\n".join(check.faults))
    check.issues += [
        Issue("rejected", "another number of fields than the header", name, bad.line, "", f"{bad.fields} of {bad.expected}")
        for bad in table.bad_rows
    ]
    named = _NAMED_MONTH.match(re.split(r"[/\\]", name)[-1])
    month = Month.parse(named[1]) if named and layout.window == "month" else None
    return CheckedFile(name, sha256, layout, pa.table(columns), table.lines, month, check.issues)


def _refuse_bad_rows(check: Checking) -> None:
    bad = check.table.bad_rows
    first = ", ".join(f"line {b.line} ({b.fields} of {b.expected})" for b in bad[:SHOWN])
    cut = " The last row is one of them: the file looks cut short." if len(bad) == 1 and bad[0].line > check.table.rows else ""
    check.faults.append(
        f"{check.name}: {len(bad)} rows have another number of fields than the header: {first}.{cut}\n"
        "Fetch or export it again; or --skip-bad-rows rejects these rows and keeps the others."
    )


def _sources(check: Checking, given: str | None) -> dict[str, pa.Array]:
    """Who sent each row: as given, as the layout says, or as the rows say."""
    layout, rows = check.layout, check.table.rows
    if given or not layout.columns.source:
        source = given or layout.source
        if not source:
            check.faults.append(
                f"{check.name}: neither its rows nor the layout {layout.name} say who supplied it.\n"
                'Name the source with --source ID, or with source = "..." in a layout of your own.'
            )
        name = given or layout.source_name or source
        return {"source": constant(source, rows), "source_name": constant(name, rows)}
    names = check.distinct(layout.columns.source)
    ids = [slug(name) for name in names.dictionary.to_pylist()]
    if not all(ids):
        check.faults.append(
            f"{check.name}: '{layout.columns.source}' is blank in some rows, or has no letter of the Latin alphabet: "
            "nobody is named as their source.\n"
            "Give it with --source ID if one source sent them all."
        )
    sources = pa.DictionaryArray.from_arrays(names.indices, pa.array(ids, pa.string()))
    if len(set(ids)) < len(ids):  # one source, spelled in two ways
        sources = sources.dictionary_decode().dictionary_encode()
    return {"source": sources, "source_name": names}


def _points(check: Checking) -> dict[str, pa.Array]:
    """Where; a point that cannot be used is dropped and its row kept, as repaired."""
    columns = check.layout.columns
    if not columns.x:
        nothing = pa.nulls(check.table.rows, pa.float64())
        return {"x": nothing, "y": nothing}
    x_texts, y_texts = check.table.columns[columns.x], check.table.columns[columns.y]
    points = read_points(x_texts, y_texts, crs=check.layout.crs, decimal=check.layout.decimal)
    if points.doubt:
        check.faults.append(
            f"{check.name}: more than half of its coordinates {points.doubt} ({columns.x} and {columns.y}, read as "
            f"{check.layout.crs}): {points.hint}\nCorrect the layout or the file."
        )
    else:
        check.repair(points.unusable, points.why, f"{columns.x}, {columns.y}", x_texts, y_texts)
    nowhere = np.isnan(points.x)
    return {"x": pa.array(points.x, mask=nowhere), "y": pa.array(points.y, mask=nowhere)}
