"""Rows of named columns as text that machines and spreadsheets read."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import TYPE_CHECKING
from unicodedata import category

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["printable", "write_csv", "write_text"]

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_csv(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """Write CSV: a header, commas, LF; quotes only where a cell needs them.

    Parameters
    ----------
    columns
        The columns, in their order; what else a row has is left out.
    rows
        Cells by column. Numbers are written unrounded; None, NaN and infinity become empty cells. A text that a spreadsheet
        would run as a formula gets an apostrophe before it.

    Examples
    --------
    >>> print(write_csv(["name", "value"], [{"name": "=1+1", "value": -0.5}, {"name": "Bury, East", "value": None}]), end="")
    name,value
    '=1+1,-0.5
    "Bury, East",
    """
    lines = [",".join(_quoted(name) for name in columns)]
    lines += [",".join(_cell(row[name]) for name in columns) for row in rows]
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    if isinstance(value, str):
        return _quoted(f"'{value}" if value.startswith(_FORMULA_STARTS) else value)
    if value is None:
        return ""
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real):
        return repr(float(value)) if math.isfinite(value) else ""
    return _cell(str(value))


def _quoted(text: str) -> str:
    if any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def printable(text: str) -> str:
    r"""A text as one line that no terminal obeys: what is no letter, mark or space is written as its escape.

    >>> print(printable("Bury\x1b[2J\nEast"))
    Bury\x1b[2J\nEast
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or category(c) == "Zs" else c.encode("unicode_escape").decode() for c in text)


def write_text(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """Rows as aligned text for a terminal, numbers rounded to two decimals."""

    def text(value: object) -> str:
        return "" if value is None else f"{value:,.2f}" if isinstance(value, float) else printable(str(value))

    grid = [list(columns), *([text(row[column]) for column in columns] for row in rows)]
    widths = [max(len(line[i]) for line in grid) for i in range(len(columns) - 1)]
    # The last column is not padded: sentences are long.
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(line[:-1], widths, strict=True)), line[-1]]) for line in grid
    )
