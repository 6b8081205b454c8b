"""One received table while it is checked: what refuses the file, and what is found about its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders.quality import Issue

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from loaders.layouts import Layout
    from loaders.tables import Table

__all__ = ["PHRASES", "SHOWN", "Checking", "blank_as_null", "constant"]

PHRASES = pa.dictionary(pa.int32(), pa.string())
"""The type of columns of texts that repeat."""

SHOWN = 5
"""How many examples a refusal gives."""

_LONGEST = 500  # characters: no street, reference or name is longer
_YES = frozenset({"y", "yes", "true", "t", "1"})
_NO = frozenset({"n", "no", "false", "f", "0"})


class Checking:
    """One file while it is checked: `faults` refuse it, `issues` are of rows."""

    def __init__(self, table: Table, layout: Layout, name: str, *, is_workbook: bool) -> None:
        self.table = table
        self.layout = layout
        self.name = name
        self.is_workbook = is_workbook
        self.faults: list[str] = []
        self.issues: list[Issue] = []

    def text(self, column: str) -> pa.Array:
        """A column as it stands, blank as null."""
        if not column:
            return pa.nulls(self.table.rows, pa.string())
        values = pc.utf8_trim_whitespace(self.table.columns[column])
        self._refuse_long(values, column)
        return pc.if_else(pc.equal(values, ""), None, values)

    def distinct(self, column: str) -> pa.DictionaryArray:
        """A column's distinct texts, and which of them each row holds."""
        values = pc.utf8_trim_whitespace(self.table.columns[column])
        distinct = values.combine_chunks().dictionary_encode()
        self._refuse_long(distinct.dictionary, column)
        return distinct

    def phrases(self, column: str) -> pa.Array:
        """A column of texts that repeat, blank as null."""
        return blank_as_null(self.distinct(column)) if column else self.no_phrases()

    def no_phrases(self) -> pa.Array:
        """A column of texts that repeat, with none in any row."""
        return pa.nulls(self.table.rows, PHRASES)

    def marks(self, column: str) -> pa.Array:
        """A column of yes and no, null where blank; what is neither is dropped and its row repaired."""
        if not column:
            return pa.nulls(self.table.rows, pa.bool_())
        texts = self.distinct(column)
        words = [text.casefold() for text in texts.dictionary.to_pylist()]
        read = [True if word in _YES else False if word in _NO else None for word in words]
        odd = np.array([value is None and word != "" for value, word in zip(read, words, strict=True)], dtype=bool)
        rows = np.flatnonzero(odd[texts.indices.to_numpy()])
        self.repair(rows, ["is neither yes nor no"] * len(rows), column, self.table.columns[column])
        return pa.array(read, pa.bool_()).take(texts.indices)

    def examples(self, rows: NDArray[np.int64], field: str) -> str:
        """The lines and texts of the first of these rows."""
        shown = rows[:SHOWN]
        columns = [self.table.columns[column] for column in field.split(", ")]
        texts = [" ".join(column[int(row)].as_py() for column in columns) for row in shown]
        return ", ".join(f"line {line} '{text[:40]}'" for line, text in zip(self.table.lines(shown), texts, strict=True))

    def repair(self, rows: NDArray[np.int64], why: list[str], field: str, *texts: pa.ChunkedArray) -> None:
        """Note that a value of these rows was dropped, and why."""
        self.note("repaired", rows, why, field, *texts)

    def note(self, outcome: str, rows: NDArray[np.int64], why: list[str], field: str, *texts: pa.ChunkedArray) -> None:
        """Note what became of these rows, and why."""
        values = [", ".join(t) for t in zip(*(text.take(pa.array(rows)).to_pylist() for text in texts), strict=True)]
        lines = self.table.lines(rows) if len(rows) else []
        self.issues += [
            Issue(outcome, kind, self.name, line, field, value, int(row))
            for kind, line, value, row in zip(why, lines, values, rows, strict=True)
        ]

    def _refuse_long(self, values: pa.Array | pa.ChunkedArray, column: str) -> None:
        longest = pc.max(pc.utf8_length(values)).as_py() or 0
        if longest > _LONGEST:
            fault = f"{self.name}: '{column}' holds a text of {longest:,} characters, where {_LONGEST} are the most.\n"
            self.faults.append(f"{fault}Is it the right column, and the file whole?")


def blank_as_null(texts: pa.DictionaryArray) -> pa.DictionaryArray:
    """The same texts with null where they are blank."""
    blank = pc.equal(texts.dictionary, "")
    indices = pc.if_else(pc.take(blank, texts.indices), None, texts.indices)
    return pa.DictionaryArray.from_arrays(indices, texts.dictionary)


def constant(text: str, rows: int) -> pa.Array:
    """A column with the same text in every row."""
    return pa.DictionaryArray.from_arrays(np.zeros(rows, dtype=np.int32), pa.array([text], pa.string()))
