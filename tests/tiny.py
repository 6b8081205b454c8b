"""The tiny county of `tests/fixtures`, four squares of 1 km, and files for it made from a few words.

Its south-west corner is at (500000, 200000). The western wards are X05900001 Northwest and X05900002 Southwest, the eastern
ones X05900003 Northeast and X05900004 Southeast.
"""

import csv
import io
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import make_url

from loaders.boundaries import load_boundaries
from loaders.incidents import load_incidents
from mapping.store import open_engine
from mapping.store.upgrade import init_store
from mapping.vocabulary import to_lonlat

FIXTURES = Path(__file__).with_name("fixtures")
WARDS = FIXTURES / "tiny_wards.geojson"
STREET = FIXTURES / "2024-01-tiny-street.csv"
POPULATION = FIXTURES / "tiny_population.csv"

CLOCK = {"WARDWATCH_NOW": "2024-06-15T12:00:00"}
NOW = datetime.fromisoformat(CLOCK["WARDWATCH_NOW"])
SOURCE = "tiny-constabulary"

NW, SW, NE, SE = (500_500, 201_500), (500_500, 200_500), (501_500, 201_500), (501_500, 200_500)
OUTSIDE = (505_000, 205_000)
CODES = {NW: "X05900001", SW: "X05900002", NE: "X05900003", SE: "X05900004"}
ASB, BURGLARY, DRUGS = "Anti-social behaviour", "Burglary", "Drugs"

HEADER = [
    *("Crime ID", "Month", "Reported by", "Falls within", "Longitude", "Latitude", "Location", "LSOA code", "LSOA name"),
    *("Crime type", "Last outcome category", "Context"),
]

LAYOUT = """
name = "tiny-control-room"
source = "tiny-control-room"
access = "protected"
stream = "calls"
crs = "EPSG:27700"
[columns]
reference = "Ref"
date = "Recorded"
from = "From"
to = "To"
x = "East"
y = "North"
crime_type = "What"
[dates]
formats = ["%d/%m/%Y", "%d/%m/%Y %H:%M"]
[crime_types]
"NOISE" = "anti-social-behaviour"
"BREAK-IN" = "burglary"
"""
"""A supplier with days, from-to windows and national grid metres."""

CALLS = ("Ref", "Recorded", "From", "To", "East", "North", "What")


def street_rows(month: str, rows: Iterable[Sequence], *, force: str = "Tiny Constabulary", tag: str = "") -> list[list[str]]:
    """police-uk rows of a month: each (crime type, point or None), or with its Crime ID as third."""
    written = []
    for number, (kind, point, *reference) in enumerate(rows):
        lon, lat = ("", "") if point is None else (f"{float(v):.6f}" for v in to_lonlat(*point))
        crime_id = reference[0] if reference else "" if kind == ASB else f"{month}{tag}{number:04d}".ljust(64, "0")
        place = ["On or near Mill Lane", "E01999999", "Tiny 001A"] if point else ["No Location", "", ""]
        outcome = "" if kind == ASB else "Under investigation"
        written.append([crime_id, month, force, force, lon, lat, *place, kind, outcome, ""])
    return written


def write_street(folder: Path, month: str, rows: Iterable[Sequence], *, name: str = "", **options: str) -> Path:
    """Write them into a file named as data.police.uk names it."""
    return write_table(folder / (name or f"{month}-tiny-street.csv"), HEADER, street_rows(month, rows, **options))


def write_calls(folder: Path, rows: Iterable[Sequence], *, name: str = "calls.csv") -> Path:
    """Write an extract for `LAYOUT`: rows of (recorded, what, point), or with from and to behind them."""
    table = []
    for number, (recorded, kind, point, *times) in enumerate(rows):
        start, end = (*times, "", "")[:2]
        table.append([f"R{number}", recorded, start, end, *(point or ("", "")), kind])
    return write_table(folder / name, CALLS, table)


def write_layout(folder: Path, text: str = LAYOUT, *, name: str = "layout.toml") -> Path:
    """Write a layout file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence], *, delimiter: str = ",", encoding="utf-8") -> Path:
    """Write a delimited file."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows([header, *rows])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def fill(url: str, *, incidents: Sequence[Path] = (STREET,), wards: bool = True) -> None:
    """Make the tables, and load the wards and these incidents."""
    engine = open_engine(url, must_exist=False)
    init_store(engine)
    if wards:
        load_boundaries(engine, WARDS, now=NOW)
    if incidents:
        load_incidents(engine, incidents, now=NOW)
    engine.dispose()


class County:
    """A store that holds the wards (and what else it was filled with) on one engine, and fresh copies of it."""

    def __init__(self, url: str, copy: Callable[[Path], AbstractContextManager[str]]) -> None:
        self.url = url
        self.copy = copy


@contextmanager
def county_on(engine: str, request, folder: Path, *, incidents: Sequence[Path] = (), wards: bool = True) -> Iterator[County]:
    """Make one, for a module's fixture: filling a store takes longer than copying it."""
    if engine == "sqlite":
        file = folder / "county.db"
        fill(f"sqlite:///{file}", incidents=incidents, wards=wards)

        @contextmanager
        def copy(place: Path) -> Iterator[str]:
            shutil.copy(file, place / "store.db")
            yield f"sqlite:///{place / 'store.db'}"

        yield County(f"sqlite:///{file}", copy)
        return
    databases = request.getfixturevalue("databases")
    with databases.fresh() as url:
        fill(url, incidents=incidents, wards=wards)

        @contextmanager
        def copy(_place: Path) -> Iterator[str]:
            name = databases.create(make_url(url).database)
            try:
                yield databases.url_of(name)
            finally:
                databases.drop(name)

        yield County(url, copy)


BOTH_ENGINES = ["sqlite", pytest.param("postgis", marks=pytest.mark.postgis)]
