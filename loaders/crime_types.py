"""What each row is: its crime type, by the layout's words and codes, and whether it is counted here at all."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders.checking import blank_as_null, constant
from loaders.layouts import SET_ASIDE, Layout, built_in_layouts, type_key
from loaders.layouts.writing import quoted

if TYPE_CHECKING:
    from loaders.checking import Checking

__all__ = ["read_crime_types"]

_UNKNOWN_SHOWN = 500
_LONGEST_NAME = 80


def read_crime_types(check: Checking, *, set_aside_unknown: bool) -> dict[str, pa.Array]:
    """The columns crime_type, code, opening, class, status and cancels.

    `crime_type` is null where the row is set aside; where it changes another row, it cancels that instead. Unknown types refuse
    the file, all of them listed, unless `set_aside_unknown`: then their rows are set aside, by name.
    """
    columns = check.layout.columns
    rows = check.table.rows
    status = check.phrases(columns.status)
    found = {
        "code": check.phrases(columns.code),
        "opening": check.phrases(columns.opening),
        "class": check.phrases(columns.class_),
        "status": status,
        "cancels": _cancels(status, check.layout),
    }
    if check.layout.records == "outcomes":
        return {"crime_type": check.no_phrases(), **found}
    if not columns.crime_type:
        return {"crime_type": constant(check.layout.crime_type, rows), **found}
    texts = _texts(check)
    table = check.layout.code_table
    if table and not columns.code:
        found["code"] = blank_as_null(texts)
    if table and not columns.class_:
        codes = [table.find(text) for text in texts.dictionary.to_pylist()]
        classes = pa.array([code.class_ or None if code else None for code in codes], pa.string())
        found["class"] = classes.take(texts.indices).dictionary_encode()
    types = _types(check, texts, set_aside_unknown=set_aside_unknown)
    if check.layout.kind == "changes" and types.null_count and not check.faults:
        # What is not counted any more takes the place of what was: it cancels, whatever the type that is written down.
        found["cancels"] = pc.or_(found["cancels"], types.is_null())
        types = pc.fill_null(types.dictionary_decode(), min(check.layout.declared_types)).dictionary_encode()
    return {"crime_type": types, **found}


def _texts(check: Checking) -> pa.DictionaryArray:
    """What says the type of each row: its column, or where that is blank the other that the layout names."""
    columns = check.layout.columns
    texts = check.distinct(columns.crime_type)
    if not columns.crime_type_or:
        return texts
    otherwise = check.distinct(columns.crime_type_or).dictionary_decode()
    first = texts.dictionary_decode()
    return pc.if_else(pc.equal(first, ""), otherwise, first).dictionary_encode()


def _cancels(status: pa.Array, layout: Layout) -> pa.Array:
    if not layout.cancelled:
        return pa.array(np.zeros(len(status), dtype=bool))
    cancelled = {type_key(value) for value in layout.cancelled}
    says_so = pa.array([type_key(text) in cancelled for text in status.dictionary.to_pylist()], pa.bool_())
    return pc.fill_null(says_so.take(status.indices), False)  # noqa: FBT003 - the value, not a flag


def _types(check: Checking, texts: pa.DictionaryArray, *, set_aside_unknown: bool) -> pa.Array:
    layout = check.layout
    distinct = texts.dictionary.to_pylist()
    at = texts.indices.to_numpy()
    meant = layout.types_of(distinct)
    if None in meant:
        counts = np.bincount(at, minlength=len(distinct))
        unknown = Counter({t: int(n) for t, n, i in zip(distinct, counts, meant, strict=True) if i is None and n})
        if not set_aside_unknown:
            check.faults.append(_unknown_fault(check, unknown))
            return check.no_phrases()
    kinds = [_aside_kind(text, crime_type, layout) for text, crime_type in zip(distinct, meant, strict=True)]
    aside = np.array([kind is not None for kind in kinds], dtype=bool)[at]
    if not aside.any():
        return pa.DictionaryArray.from_arrays(texts.indices, pa.array(meant, pa.string()))
    rows = np.flatnonzero(aside)
    field = layout.columns.crime_type
    check.note("set-aside", rows, [kinds[i] or "" for i in at[rows]], field, check.table.columns[field])
    # Each type once, and none for the rows that are set aside.
    types = sorted({t for t in meant if t not in (None, SET_ASIDE)})
    place = np.array([types.index(t) if t in types else -1 for t in meant], dtype=np.int32)[at]
    return pa.DictionaryArray.from_arrays(pa.array(place, mask=aside), pa.array(types, pa.string()))


def _aside_kind(text: str, crime_type: str | None, layout: Layout) -> str | None:
    """Why rows of a text are set aside; None where they are not."""
    if crime_type is None:
        return f"unknown crime type '{text[:_LONGEST_NAME]}'"
    if crime_type != SET_ASIDE:
        return None
    name = _name_of(text, layout)
    return f"the layout {layout.name} does not count '{text[:_LONGEST_NAME]}'" + (f" ({name})" if name else "")


def _name_of(text: str, layout: Layout) -> str:
    code = layout.code_table.find(text) if layout.code_table else None
    return code.name[:_LONGEST_NAME] if code else ""


def _unknown_fault(check: Checking, unknown: Counter[str]) -> str:
    layout, column = check.layout, check.layout.columns.crime_type
    lines = [f'{quoted(text)} = ""  # {n:,} rows' for text, n in unknown.most_common(_UNKNOWN_SHOWN)]
    if len(unknown) > _UNKNOWN_SHOWN:
        lines.append(f"# ... and {len(unknown) - _UNKNOWN_SHOWN:,} more: is it the right column?")
    if column in unknown:
        lines.append("# The header stands again among the rows: give the files that were joined one by one.")
    listed = "\n".join(lines)
    by_table = f" and its table of codes {layout.codes}" if layout.codes else ""
    return (
        f"{check.name}: {len(unknown)} crime types of its '{column}' are unknown to the layout {layout.name}{by_table}, in "
        f"{sum(unknown.values()):,} rows.\n"
        "Say which type each one is: put these lines, filled in, into a layout file and load with --layout FILE. What is not "
        f'to be counted is "{SET_ASIDE}"; --set-aside-unknown sets all of these aside.\n'
        f"{_extending(layout)}[crime_types]\n{listed}"
    )


def _extending(layout: Layout) -> str:
    """The line by which a user's layout takes over one of ours; their own they have at hand."""
    return f'extends = "{layout.name}"\n' if built_in_layouts().get(layout.name) == layout else ""
