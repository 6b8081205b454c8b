"""Rows as JSON, CSV or XLSX answers, each with what it was made from."""

from __future__ import annotations

import io
import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import xlsxwriter
from flask import Response

from mapping.errors import BadRequest
from mapping.tables import write_csv
from mapping.vocabulary import slug

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["FORMATS", "Workbook", "json_answer", "rows_answer", "table_headers"]

FORMATS = ("json", "csv", "xlsx")

_XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_XLSX_ROWS = 1_048_575
_MOST_MISSING = 24
_MOST_CHARACTERS = 1500
_PRINTABLE = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")


def json_answer(body: object, *, status: int = 200, mimetype: str = "application/json") -> Response:
    """JSON as every standard parser reads it: no NaN, no infinity."""
    text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # A lone surrogate (an embedded store may hold one) becomes the JSON escape of itself.
    return Response(text.encode("utf-8", "backslashreplace") + b"\n", status, mimetype=mimetype)


@dataclass(frozen=True, slots=True)
class Workbook:
    """What a workbook holds beside its rows: more sheets of the same columns, and words about the question."""

    sheets: dict[str, list[dict[str, Any]]]
    about: dict[str, str]


def rows_answer(
    columns: Sequence[str],
    rows: list[dict[str, Any]],
    meta: dict[str, Any],
    *,
    name: str,
    form: str,
    book: Callable[[], Workbook] | None = None,
) -> Response:
    """Rows in the form asked for.

    Parameters
    ----------
    name
        What the download is called, without its ending.
    form
        One of `FORMATS`; empty means JSON.
    book
        Asked only for a workbook.

    Raises
    ------
    BadRequest
        If there is no such form, or a sheet cannot hold the rows.
    """
    if form in ("", "json"):
        return json_answer({"meta": meta, "rows": rows})
    if form not in FORMATS:
        raise BadRequest(f"There is no format '{form}'.", hint=f"Known: {', '.join(FORMATS)}.", parameter="format", value=form)
    if form == "csv":
        answer = Response(write_csv(columns, rows).encode("utf-8", "backslashreplace"), mimetype="text/csv")
    else:
        answer = Response(_xlsx(columns, rows, meta, book() if book else Workbook({}, {})), mimetype=_XLSX_TYPE)
    answer.headers["Content-Disposition"] = f'attachment; filename="{_file_name(name, meta)}.{form}"'
    answer.headers.update(table_headers(meta))
    return answer


def table_headers(meta: dict[str, Any]) -> dict[str, str]:
    """What a table was made from, for HTTP headers.

    Whatever is not printable ASCII, and `%` itself, is percent-encoded UTF-8; lists are joined by `; `, long ones cut.
    """
    missing = [f"{m['source']} {m['month']} {m['status']}" for m in meta["missing"]]
    if len(missing) > _MOST_MISSING:
        missing = [*missing[:_MOST_MISSING], f"and {len(missing) - _MOST_MISSING} more"]
    said = {
        "Data-As-Of": meta["data_as_of"] or "",
        "Boundaries": meta["boundaries"] or "",
        "Sources": "; ".join(meta["sources"]),
        "Missing": "; ".join(missing),
        "Denominator": meta["denominator"] or "",
        "Estimated": "; ".join(f"{e['source']} from {e['areas']} by {e['weighted_by']}" for e in meta["estimated"]),
        "Data-Version": meta["data_version"],
        "Attribution": "; ".join(meta["attribution"]),
    }
    return {f"X-Wardwatch-{name}": quote(text[:_MOST_CHARACTERS], safe=_PRINTABLE) for name, text in said.items()}


def _file_name(name: str, meta: dict[str, Any]) -> str:
    parts = ("wardwatch", name, meta["crime_type"], meta["boundaries"], meta["from"], meta["to"])
    return "-".join(filter(None, (slug(part or "") for part in parts)))


def _xlsx(columns: Sequence[str], rows: list[dict[str, Any]], meta: dict[str, Any], more: Workbook) -> bytes:
    """A workbook: the rows, more sheets, and what they were made from. Text is written as text, never as a formula."""
    if len(rows) > _XLSX_ROWS:
        raise BadRequest(
            f"A sheet holds {_XLSX_ROWS:,} rows; these are {len(rows):,}.",
            hint="Ask for format=csv, or for a shorter period.",
            parameter="format",
            value="xlsx",
        )
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    # A fixed time, so that the same figures are the same bytes on every server.
    book.set_properties({"title": "wardwatch", "created": datetime(2000, 1, 1, tzinfo=UTC)})
    bold = book.add_format({"bold": True})
    for title, lines in {"Figures": rows, **more.sheets}.items():
        sheet = book.add_worksheet(title)
        sheet.freeze_panes(1, 0)
        for at, column in enumerate(columns):
            # What is no ward has the same columns: a code and a name.
            sheet.write_string(0, at, column if title == "Figures" else column.removeprefix("ward_"), bold)
        for line, row in enumerate(lines, start=1):
            for at, column in enumerate(columns):
                _write_cell(sheet, line, at, row[column])
    about = book.add_worksheet("About")
    for line, (name, value) in enumerate((more.about | meta).items()):
        about.write_string(line, 0, name, bold)
        _write_cell(about, line, 1, value if isinstance(value, int | float | str | None) else _words(value))
    book.close()
    return buffer.getvalue()


def _write_cell(sheet: Any, line: int, at: int, value: object) -> None:  # noqa: ANN401 - xlsxwriter has no types
    if isinstance(value, str):
        sheet.write_string(line, at, value[:32_767])
    elif isinstance(value, int | float) and math.isfinite(value):
        sheet.write_number(line, at, value)


def _words(value: list[Any]) -> str:
    """A list of texts, or of objects, in one cell."""
    objects = (item.values() if isinstance(item, dict) else [item] for item in value)
    return "; ".join(" ".join(str(part) for part in parts if part is not None) for parts in objects)
