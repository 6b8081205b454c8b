"""How often past months lay in the range that was to be expected given only what came before: `make backtest` on a store."""

import csv
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mapping.measures.base import SUPPLIED, View
from mapping.measures.expectation import expect
from mapping.questions import Question, read_ground, read_view
from mapping.reader import Reader
from mapping.settings import load_settings
from mapping.store import open_engine
from mapping.vocabulary import Month, Period
from tests.calibration.counties import view_of

SERIES = Path(__file__).parents[3] / "shared" / "data" / "series" / "camden_violence_2015_2020.csv"
MONTHS = 12


@dataclass(frozen=True)
class Tested:
    """Ward-months of a type with an expected range, and how many lay in it, above and below; by how it was made."""

    what: str
    way: str
    number: int
    inside: int
    above: int
    below: int
    mean: float

    @property
    def line(self) -> str:
        """A row of the table."""
        parts = [100 * n / self.number for n in (self.inside, self.above, self.below)]
        way = {"years": "five years", "season": "2 to 5 years", "short": "under 2 years"}[self.way]
        return f"| {self.what} | {way} | {self.number:,} | {self.mean:.1f} | " + " | ".join(f"{p:.1f}%" for p in parts) + " |"


HEAD = ["| what | history | ward-months | expected a month | inside | above | below |", "|" + "---|" * 7]


def backtest(view: View, what: str, months: list[Month]) -> Iterator[Tested]:
    """Test these months of a view, ward by ward."""
    found = expect(view, months)
    for way in ("years", "season", "short"):
        at = found.way == way
        if at.any():
            count, low, high = (part[at] for part in (found.count, found.low, found.high))
            above, below = int((count > high).sum()), int((count < low).sum())
            number = int(at.sum())
            yield Tested(what, way, number, number - above - below, above, below, float(found.mean[at].mean()))


def backtest_store(reader: Reader, *, months: int = MONTHS) -> Iterator[Tested]:
    """The last months of every crime type in a store, and of all together."""
    catalogue = reader.catalogue()
    seen = frozenset().union(*(stream.seen for stream in catalogue.coverage.streams))
    for crime_type in ["all", *sorted(seen)]:
        question = Question(crime_type=crime_type)
        ground = read_ground(reader, question, months=months)
        view = read_view(reader, ground, question, {})
        whole = (view.month_codes(ground.period) == SUPPLIED).any(axis=0)
        asked = [month for month, there in zip(ground.period, whole, strict=True) if there]
        if asked:
            yield from backtest(view, crime_type, asked)


def read_series(path: Path) -> tuple[NDArray[np.int64], Period]:
    """A table of ward_name, month and count as counts by ward and month."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(row["ward_name"], Month.parse(row["month"]), int(row["count"])) for row in csv.DictReader(file)]
    wards = sorted({ward for ward, _, _ in rows})
    period = Period(min(month for _, month, _ in rows), max(month for _, month, _ in rows))
    counts = np.zeros((len(wards), len(period)), dtype=np.int64)
    for ward, month, count in rows:
        counts[wards.index(ward), month.index - period.first.index] = count
    return counts, period


def backtest_series(path: Path = SERIES) -> Iterator[Tested]:
    """The real series beside the project, year by year from its second."""
    counts, period = read_series(path)
    view = view_of(counts, "expected", last=period.last)
    for year in range(period.first.year + 1, period.last.year + 1):
        yield from backtest(view, f"Camden, violence, {year}", list(Period(Month(year, 1), Month(year, 12))))


def main() -> None:
    """Print the table of the store that the settings name, and of the real series where it is there."""
    reader = Reader(open_engine(load_settings().store_url), open_only=False)
    tested = [*backtest_store(reader), *(backtest_series() if SERIES.is_file() else ())]
    sys.stdout.write("\n".join([*HEAD, *(each.line for each in tested), ""]))


if __name__ == "__main__":
    main()
