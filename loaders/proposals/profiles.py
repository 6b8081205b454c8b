"""Each column of an unknown table: its distinct texts, how often each, and a sample to tell kinds of texts by."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders.proposals.words import words_of

if TYPE_CHECKING:
    import re

    from numpy.typing import NDArray

    from loaders.tables import Table

__all__ = ["Profile", "profiles_of"]

_SAMPLE = 1000


@dataclass(frozen=True, slots=True)
class Profile:
    """One column, trimmed: `texts[i]` stands in `counts[i]` rows, row r holds `texts[at[r]]`; `blank` rows hold nothing."""

    name: str
    words: tuple[str, ...]
    texts: pa.Array
    at: NDArray[np.int32]
    counts: NDArray[np.int64]
    blank: int
    sample: list[str]

    @property
    def rows(self) -> int:
        """All rows."""
        return len(self.at)

    @property
    def filled(self) -> int:
        """The rows that hold something."""
        return self.rows - self.blank

    @property
    def distinct(self) -> int:
        """How many different texts, blank left out."""
        return len(self.texts) - (1 if self.blank else 0)

    def share(self, pattern: re.Pattern[str]) -> float:
        """The share of the sample that a pattern matches wholly."""
        return sum(bool(pattern.fullmatch(text)) for text in self.sample) / len(self.sample) if self.sample else 0.0

    def row_of(self, text_index: int) -> int:
        """The first row that holds a text."""
        return int(np.argmax(self.at == text_index))

    def of_rows(self, rows: NDArray[np.int64]) -> pa.ChunkedArray:
        """The texts of some rows."""
        return pa.chunked_array([self.texts.take(pa.array(self.at[rows]))])

    @property
    def mean_length(self) -> float:
        """Characters of a text, on average over the sample."""
        return sum(map(len, self.sample)) / len(self.sample) if self.sample else 0.0


def profiles_of(table: Table) -> list[Profile]:
    """Profiles of all columns, in the order of the header."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(_profile, table.columns, table.columns.values()))


def _profile(name: str, values: pa.ChunkedArray) -> Profile:
    encoded = pc.utf8_trim_whitespace(values).combine_chunks().dictionary_encode()
    texts = encoded.dictionary
    at = encoded.indices.to_numpy(zero_copy_only=False)
    counts = np.bincount(at, minlength=len(texts))
    empty = pc.index(texts, "").as_py()
    blank = int(counts[empty]) if empty >= 0 else 0
    # Evenly over the file: its first rows may be of one day or one place.
    chosen = np.unique(np.linspace(0, max(len(texts) - 1, 0), min(_SAMPLE, len(texts))).astype(np.int64))
    sample = [text for text in texts.take(pa.array(chosen)).to_pylist() if text]
    return Profile(name, words_of(name), texts, at, counts, blank, sample)
