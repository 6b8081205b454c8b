"""Which layout a received file follows, and its table read by that layout."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from loaders.layouts import Layout, built_in_layouts, read_layout
from loaders.tables import Table, decode, decode_beginning, first_records, read_delimited, read_workbook
from mapping.errors import DataRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loaders.extracts import Received

__all__ = ["DELIMITERS", "find_layout", "read_by_layout"]

DELIMITERS = (",", "\t", ";", "|")


def find_layout(name_or_path: str) -> Layout:
    """The layout of a name, or that in a TOML file; `DataRefused` if there is neither."""
    return built_in_layouts().get(name_or_path) or read_layout(Path(name_or_path))


def read_by_layout(received: Received, layouts: Sequence[Layout]) -> tuple[Table, Layout]:
    """The file's table, and the one of the layouts that its header fits.

    Raises
    ------
    DataRefused
        If none fits, or two fit equally well, or the file cannot be read as the layout says.
    """
    if received.name.lower().endswith(".xlsx"):
        return _read_workbook(received, layouts)
    fits: list[tuple[Layout, bytes, str, list[str], int]] = []
    seen: list[str] = []
    begun: dict[str, bytes] = {}
    records: dict[tuple[str, str], list[tuple[list[str], int]]] = {}
    whole: dict[str, bytes | DataRefused] = {}
    for layout in layouts:
        encoding, columns = layout.encoding, layout.columns.named
        if encoding not in begun:
            begun[encoding] = decode_beginning(received, encoding=encoding)
        for delimiter in [layout.delimiter] if layout.delimiter else DELIMITERS:
            key = (encoding, delimiter)
            if key not in records:
                records[key] = first_records(begun[encoding], delimiter=delimiter)
            seen = max(seen, records[key][0][0] if records[key] else [], key=len)
            header = next(((fields, line) for fields, line in records[key] if all(c in fields for c in columns)), None)
            if header:
                # A long file is decoded whole only where its header fits.
                data = whole[encoding] = whole.get(encoding) or _decoded(received, encoding)
                if isinstance(data, bytes):
                    fits.append((layout, data, delimiter, *header))
                break
    if not fits:
        decoded = [whole.get(e) or _decoded(received, e) for e in dict.fromkeys(layout.encoding for layout in layouts)]
        refusals = [data for data in decoded if isinstance(data, DataRefused)]
        raise refusals[0] if refusals else _unknown_header(received.name, seen, layouts)
    layout = _only([fit[0] for fit in fits], received.name)
    _, data, delimiter, fields, line = next(fit for fit in fits if fit[0] is layout)
    twice = [column for column in layout.columns.named if fields.count(column) > 1]
    if twice:
        raise DataRefused(
            f"{received.name}: its header has the column '{twice[0]}' more than once.",
            hint="Which one is it? Correct the file.",
        )
    table = read_delimited(
        data,
        received.name,
        delimiter=delimiter,
        header=fields,
        header_line=line,
        wanted=list(dict.fromkeys(layout.columns.named)),
    )
    return table, layout


def _decoded(received: Received, encoding: str) -> bytes | DataRefused:
    try:
        return decode(received, encoding=encoding)
    except DataRefused as error:
        return error


def _read_workbook(received: Received, layouts: Sequence[Layout]) -> tuple[Table, Layout]:
    fitting: list[Layout] = []
    seen: list[str] = []

    def fits(header: list[str]) -> bool:
        nonlocal seen, fitting
        seen = seen or header
        fitting = [layout for layout in layouts if not layout.missing_columns(header)]
        return bool(fitting)

    table = read_workbook(
        received,
        find_header=fits,
        wanted=lambda _header: list(dict.fromkeys(_only(fitting, received.name).columns.named)),
    )
    if table is None:
        raise _unknown_header(received.name, seen, layouts)
    return table, _only(fitting, received.name)


def _only(fitting: list[Layout], name: str) -> Layout:
    most = max(len(layout.columns.named) for layout in fitting)
    best = [layout for layout in fitting if len(layout.columns.named) == most]
    if len(best) > 1:
        raise DataRefused(
            f"{name}: its header fits several layouts: {', '.join(layout.name for layout in best)}.",
            hint="Say which with --layout.",
        )
    return best[0]


def _unknown_header(name: str, header: list[str], layouts: Sequence[Layout]) -> DataRefused:
    shown = ", ".join(field[:40] for field in header[:15]) or "nothing that can be read"
    # The layouts that come nearest.
    missing = {layout.name: (layout.missing_columns(header), len(layout.columns.named)) for layout in layouts}
    nearest = sorted(missing, key=lambda name: (len(missing[name][0]) / missing[name][1], name))[:3]
    lacking = "\n".join(f"{name} lacks: {', '.join(missing[name][0])}" for name in nearest)
    return DataRefused(
        f"{name}: no layout knows its header: {shown}.\nOf the columns that it names, the layout {lacking}.",
        hint="Correct the [columns], delimiter or encoding of a layout of your own; for another supplier's file "
        "`wardwatch layout new FILE` proposes one: give it with --layout FILE (docs/layouts.md).",
    )
