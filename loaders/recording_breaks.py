"""load_breaks: the months from which something is recorded in another way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from loaders.judging import JudgingReport, find_named, known_types, lines_of, open_table, texts_of
from loaders.listings import shown
from loaders.quality import number_of
from mapping.breaks import KINDS
from mapping.errors import BadRequest, DataRefused
from mapping.store import check_ready, writing
from mapping.store.models import BreakFile, RecordingBreak, Source
from mapping.store.stamp import stamp
from mapping.vocabulary import CrimeType, Month, group_members

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Engine

__all__ = ["load_breaks"]

_NEEDED = ("source", "crime_type", "month", "kind", "what")
_YES, _NO = {"yes", "y", "true", "1"}, {"", "no", "n", "false", "0"}


def load_breaks(engine: Engine, path: Path, *, now: datetime) -> JudgingReport:
    """Load recording breaks from a table, in place of those loaded before.

    Its columns are source, crime_type, month, kind and what; stream, within and vouched_for_by may be there. Those shipped with
    wardwatch stay, unless a row of kind `none` with the same stream, month and types strikes one out.

    Raises
    ------
    DataRefused
        If a column is missing, or a row has a month, kind or crime type that it cannot have.
    """
    check_ready(engine)
    received, table = open_table(path, names=_NEEDED)
    columns = find_named(table, received, _NEEDED, ("stream", "within", "vouched_for_by"))
    rows = [
        dict(zip(columns, values, strict=True)) for values in zip(*(texts_of(table, c) for c in columns.values()), strict=True)
    ]
    own = [(line, row) for line, row in zip(lines_of(table), rows, strict=True) if row.get("origin") != "shipped"]
    with writing(engine) as connection:
        types = known_types(connection)
        made = [_break(row, f"{received.name}, line {line}", types, now=now) for line, row in own]
        for model in (RecordingBreak, BreakFile):
            connection.execute(delete(model))
        file = {"id": 1, "file_name": received.base_name, "sha256": received.sha256, "loaded_at": now}
        connection.execute(insert(BreakFile).values(file))
        if made:
            connection.execute(insert(RecordingBreak), [{"id": i} | row for i, row in enumerate(made, start=1)])
        known = set(connection.scalars(select(Source.slug)))
        stamp(connection)
    report = JudgingReport(f"{number_of(sum(row['kind'] != 'none' for row in made), 'recording break')} loaded.")
    struck = sum(row["kind"] == "none" for row in made)
    if struck:
        report.notes.append(f"{number_of(struck, 'shipped one')} struck out, if it is there.")
    strangers = sorted({str(row["source"]) for row in made} - known - {""})
    if strangers:
        report.notes.append(f"Not loaded yet: {shown(strangers)}. The rows hold once they are.")
    return report


def _break(row: dict[str, str], where: str, types: list[CrimeType], *, now: datetime) -> dict[str, object]:
    kind, within = row["kind"].lower(), row.get("within", "").lower()
    if kind not in KINDS:
        raise DataRefused(f"{where}: '{row['kind'][:40]}' is no kind of break.", hint=f"Write one of: {', '.join(KINDS)}.")
    if within not in _YES | _NO:
        raise DataRefused(f"{where}: '{within[:40]}' says neither yes nor no.", hint="Write yes or no under within.")
    if not row["what"] and kind != "none":
        raise DataRefused(f"{where}: does not say what changed.", hint="Say it in a sentence: it is shown on every series.")
    try:
        month = Month.parse(row["month"][:7], parameter="month")
        wanted = [t.id for word in row["crime_type"].split() if word != "all" for t in group_members(word, types)]
    except BadRequest as error:
        raise DataRefused(f"{where}: {error.message}", hint=error.hint) from None
    if month > Month.of(now.date()).plus(12):
        raise DataRefused(f"{where}: {month} is more than a year ahead.", hint="Correct the month.")
    return {
        "source": row["source"],
        "stream": " ".join(row.get("stream", "").split()),
        "crime_types": " ".join(dict.fromkeys(wanted)),
        "month": month.first,
        "kind": kind,
        "within": within in _YES,
        "what": " ".join(row["what"].split()).rstrip("."),
        "vouched_for_by": row.get("vouched_for_by", ""),
    }
