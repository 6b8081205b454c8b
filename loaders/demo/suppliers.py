"""What the police and the council send: each its own columns, words and files, as real suppliers do."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from loaders.demo.chance import Chance, IntArray
from loaders.demo.incidents import Incidents
from loaders.demo.model import FIRST_YEAR, MONTHS, TYPES
from loaders.demo.names import COUNTY
from loaders.demo.places import Places
from loaders.demo.times import DAY, LAST_DAY

__all__ = ["ATTRIBUTION", "CHANGED_MONTH", "COUNCIL", "MISSING_MONTH", "POLICE", "Supplier", "council_rows", "police_rows"]

ATTRIBUTION = f"Made-up data: the {COUNTY} demo of wardwatch. No place, person or incident is real."
# The month that the council failed to send: 30 months before the last.
MISSING_MONTH = "2023-06"
# From then on its reports come by a new system.
CHANGED_MONTH = "2023-07"

_COUNTY = COUNTY.lower()
_START = date(FIRST_YEAR, 1, 1)
_YEARS = range(FIRST_YEAR, FIRST_YEAR + MONTHS // 12)


@dataclass(frozen=True)
class Supplier:
    """One supplier and how it writes."""

    source: str
    stream: str
    delimiter: str
    encoding: str
    columns: dict[str, str]  # our name -> its heading; others it has are not named in its layout
    header: tuple[str, ...]
    words: dict[str, tuple[tuple[str, int], ...]]  # crime type -> (what it calls it, how often in percent)
    windows: tuple[tuple[date, date], ...]

    @property
    def layout(self) -> str:
        """The layout file that reads its extracts, as TOML."""
        lines = [
            "# The layout of a supplier of the made-up county.",
            *(f'{key} = "{value}"' for key, value in self._head().items()),
            "\n[columns]",
            *(f'{ours} = "{theirs}"' for ours, theirs in self.columns.items()),
            '\n[dates]\nformats = ["%d/%m/%Y", "%d/%m/%Y %H:%M"]',
            "\n[crime_types]",
            *(f'"{word}" = "{kind}"' for kind, words in self.words.items() for word, _ in words),
        ]
        return "\n".join(lines) + "\n"

    def _head(self) -> dict[str, str]:
        return {
            "name": self.source, "source": self.source, "source_name": self.source.replace("-", " ").title(),
            "access": "open", "attribution": ATTRIBUTION,
            "stream": self.stream, "encoding": self.encoding, "delimiter": self.delimiter, "crs": "EPSG:27700",
        }  # fmt: skip


POLICE = Supplier(
    source=f"{_COUNTY}-police",
    stream="incidents",
    delimiter=",",
    encoding="utf-8",
    columns={
        "reference": "Crime No", "date": "Recorded Date", "from": "Committed From", "to": "Committed To",
        "x": "Easting", "y": "Northing", "crime_type": "Offence",
    },
    header=("Crime No", "Recorded Date", "Committed From", "Committed To", "Easting", "Northing", "Offence", "Location"),
    words={
        "anti-social-behaviour": (("ASB - NUISANCE", 72), ("ASB - PERSONAL", 19), ("ASB - ENVIRONMENTAL", 9)),
        "bicycle-theft": (("THEFT OF PEDAL CYCLE", 100),),
        "burglary": (("BURGLARY - RESIDENTIAL", 70), ("BURGLARY - BUSINESS AND COMMUNITY", 30)),
        "criminal-damage-arson": (("CRIMINAL DAMAGE TO VEHICLE", 44), ("CRIMINAL DAMAGE - OTHER", 51), ("ARSON", 5)),
        "drugs": (("POSSESSION OF CANNABIS", 62), ("POSSESSION OF OTHER DRUG", 18), ("SUPPLY OF DRUGS", 20)),
        "other-crime": (("GOING EQUIPPED", 20), ("PERVERTING JUSTICE", 25), ("OTHER NOTIFIABLE OFFENCE", 55)),
        "other-theft": (("THEFT - OTHER", 67), ("MAKING OFF WITHOUT PAYMENT", 25), ("THEFT BY EMPLOYEE", 8)),
        "possession-of-weapons": (("POSSESSION OF BLADED ARTICLE", 65), ("POSSESSION OF OFFENSIVE WEAPON", 35)),
        "public-order": (("PUBLIC FEAR ALARM OR DISTRESS", 80), ("VIOLENT DISORDER AND AFFRAY", 20)),
        "robbery": (("ROBBERY OF PERSONAL PROPERTY", 88), ("ROBBERY OF BUSINESS PROPERTY", 12)),
        "shoplifting": (("THEFT FROM SHOP", 100),),
        "theft-from-the-person": (("THEFT FROM THE PERSON", 100),),
        "vehicle-crime": (("THEFT FROM VEHICLE", 52), ("THEFT OF VEHICLE", 33), ("INTERFERING WITH VEHICLE", 15)),
        "violent-crime": (
            ("ASSAULT WITHOUT INJURY", 34), ("ASSAULT WITH INJURY", 25), ("HARASSMENT", 18), ("STALKING", 7),
            ("MALICIOUS COMMUNICATIONS", 8), ("SEXUAL OFFENCE", 8),
        ),
    },
    windows=tuple((date(year, 1, 1), date(year, 12, 31)) for year in _YEARS),
)  # fmt: skip

_MISSING = date.fromisoformat(f"{MISSING_MONTH}-01")
COUNCIL = Supplier(
    source=f"{_COUNTY}-council",
    stream="asb",
    delimiter=";",
    encoding="cp1252",
    columns={"reference": "Ref", "date": "Reported", "x": "X", "y": "Y", "crime_type": "Category"},
    header=("Ref", "Reported", "X", "Y", "Category", "Street"),
    words={
        "anti-social-behaviour": (
            ("Noise \N{EN DASH} neighbours", 31), ("Noise \N{EN DASH} street", 12), ("Rowdy behaviour", 22),
            ("Street drinking", 8), ("Abandoned vehicle", 12), ("Graffiti", 6), ("Fires and fireworks", 9),
        )
    },
    windows=tuple(
        window
        for start, end in POLICE.windows
        for window in (
            ((start, _MISSING - timedelta(1)), (_MISSING.replace(month=_MISSING.month + 1), end))
            if start <= _MISSING <= end
            else ((start, end),)
        )
    ),
)  # fmt: skip


def police_rows(incidents: Incidents, places: Places, *, chance: Chance) -> tuple[list[str], IntArray]:
    """Return the police's incidents as lines of its files, and the day each was recorded."""
    rows = np.flatnonzero(~incidents.council)
    x, y = _coordinates(incidents, places, rows)
    columns = zip(
        _numbers(incidents.recorded[rows]), incidents.recorded[rows].tolist(), _times(incidents.start[rows]),
        _times(incidents.end[rows]), x, y, _words(POLICE, incidents.kind[rows], chance=chance),
        (places.label[place] for place in incidents.place[rows]), strict=True,
    )  # fmt: skip
    lines = [
        f"{_DAYS[day][-2:]}/{number:05d}/ML,{_DAYS[day]},{start},{end},{x},{y},{word},{label.replace(', ', ' - ')}"
        for number, day, start, end, x, y, word, label in columns
    ]
    return lines, incidents.recorded[rows]


def council_rows(incidents: Incidents, places: Places, *, chance: Chance) -> tuple[list[str], IntArray]:
    """Return the council's incidents as lines of its files, and the day each was reported."""
    rows = np.flatnonzero(incidents.council)
    x, y = _coordinates(incidents, places, rows)
    columns = zip(
        _numbers(incidents.recorded[rows]), _times(incidents.start[rows]), x, y,
        _words(COUNCIL, incidents.kind[rows], chance=chance), (places.label[place] for place in incidents.place[rows]),
        strict=True,
    )  # fmt: skip
    lines = [
        f"ASB{time[8:10]}-{number:05d};{time};{x};{y};{word};{_street(label)}" for number, time, x, y, word, label in columns
    ]
    return lines, incidents.recorded[rows]


def _street(label: str) -> str:
    """Write a street as the council does: with a typesetter's apostrophe, which cp1252 has and ASCII has not."""
    return label.partition(", ")[0].title().replace("'S ", "\N{RIGHT SINGLE QUOTATION MARK}s ")


_DAYS = [f"{_START + timedelta(day):%d/%m/%Y}" for day in range(LAST_DAY + 1)]
_CLOCK = [f"{minute // 60:02d}:{minute % 60:02d}" for minute in range(DAY)]


def _times(minutes: IntArray) -> Iterator[str]:
    day, minute = np.divmod(minutes, DAY)
    return (f"{_DAYS[d]} {_CLOCK[m]}" for d, m in zip(day.tolist(), minute.tolist(), strict=True))


def _numbers(day: IntArray) -> list[int]:
    """The numbers of incidents, counted from 1 in each year; `day` is in order."""
    year = (np.datetime64(_START) + day).astype("datetime64[Y]")
    _, first, position = np.unique(year, return_index=True, return_inverse=True)
    numbers: list[int] = (np.arange(len(day)) - first[position] + 1).tolist()
    return numbers


def _coordinates(incidents: Incidents, places: Places, rows: IntArray) -> Iterator[list[str]]:
    """Return eastings and northings as text: some empty, some 0."""
    place, nowhere, at_zero = (column[rows] for column in (incidents.place, incidents.nowhere, incidents.at_zero))
    for axis in (places.x, places.y):
        text = np.where(at_zero, 0, axis[place]).astype(str)
        yield np.where(nowhere, "", text).tolist()


def _words(supplier: Supplier, kind: IntArray, *, chance: Chance) -> list[str]:
    """Draw what `supplier` calls each incident of the types `kind`."""
    words = np.empty(len(kind), dtype=object)
    for number, spec in enumerate(TYPES):
        rows = np.flatnonzero(kind == number)
        if len(rows):
            texts, shares = zip(*supplier.words[spec.id], strict=True)
            words[rows] = np.array(texts, dtype=object)[chance.pick(np.array(shares), size=len(rows))]
    return words.tolist()
