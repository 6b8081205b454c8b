"""The grid county with a story: burglary in 24 wards over more than five years, of which one ward doubles and one has a series.

Every ward has about 8 burglaries a month, drawn from a fixed seed, and 4 incidents of anti-social behaviour. Ward 8 has about
24 in the last 12 months, ward 3 has 40 in the very last. Recording changes, softly, in January 2022.
"""

from pathlib import Path

import numpy as np

from loaders.boundaries import load_boundaries
from loaders.incidents import load_incidents
from loaders.population import load_population
from loaders.recording_breaks import load_breaks
from mapping.store import open_engine
from mapping.store.upgrade import init_store
from mapping.vocabulary import Month
from tests.grid import NOW, middle, write_boundaries, write_population
from tests.tiny import HEADER, write_table

FIRST, LAST = Month(2019, 1), Month(2025, 6)
RISEN, ALARMED = 8, 3
BROKEN = "Reports come over a new form"


def burglaries() -> np.ndarray:
    """Shape (wards, months)."""
    months = LAST.index - FIRST.index + 1
    counts = np.random.default_rng(11).poisson(8, (24, months))
    counts[RISEN - 1, -12:] = np.random.default_rng(12).poisson(24, 12)
    counts[ALARMED - 1, -1] = 40
    return counts


def load_story(url: str, folder: Path) -> None:
    """Fill an empty store with the county."""
    engine = open_engine(url, must_exist=False)
    init_store(engine)
    load_boundaries(engine, write_boundaries(folder), now=NOW, attribution="Contains OS data.")
    load_population(engine, write_population(folder), boundaries="wd20", year=2024, now=NOW)
    load_incidents(engine, [_month(folder, i) for i in range(burglaries().shape[1])], now=NOW)
    breaks = [("", "burglary", "2022-01", "soft", BROKEN)]
    load_breaks(engine, write_table(folder / "breaks.csv", ("source", "crime_type", "month", "kind", "what"), breaks), now=NOW)
    engine.dispose()


def _month(folder: Path, index: int) -> Path:
    month = FIRST.plus(index)
    rows = []
    for ward, number in enumerate(burglaries()[:, index], start=1):
        where = [str(month), "Story Constabulary", "", *middle(ward), "On or near", "", ""]
        rows += [[f"{month}-{ward}-{i}", *where, "Burglary", "", ""] for i in range(number)]
        rows += [["", *where, "Anti-social behaviour", "", ""]] * 4
    return write_table(folder / f"{month}-story-street.csv", HEADER, rows)
