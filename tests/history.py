"""Histories of a store: loads, corrections and withdrawals in any order, and what should be there, worked out the long way."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

import shapely
from hypothesis import strategies as st

from loaders.boundaries import load_boundaries
from loaders.incidents import Window, load_incidents
from loaders.ledger import unload_boundaries, unload_extract
from loaders.population import load_population
from mapping.store import open_engine
from mapping.vocabulary import Month
from tests.tiny import ASB, BURGLARY, DRUGS, NE, NOW, NW, OUTSIDE, SE, SW, write_layout, write_street, write_table

TYPES = {
    ASB: "anti-social-behaviour",
    BURGLARY: "burglary",
    DRUGS: "drugs",
    "NOISE": "anti-social-behaviour",
    "BREAK-IN": "burglary",
}
STREAMS = {"street": "tiny-constabulary", "calls": "tiny-control-room"}
SQUARES = {
    "four": {"W1": NW, "W2": SW, "W3": NE, "W4": SE},
    "shifted": {"W1": (NW[0] + 300, NW[1]), "W2": SE, "W9": (SW[0] - 700, SW[1] - 700)},
    "one": {"W5": NE},
}
HEADER = ("Ref", "Recorded", "East", "North", "What", "Updated", "Status")
LAYOUT = """
name = "tiny-control-room"
source = "tiny-control-room"
stream = "calls"
crs = "EPSG:27700"
cancelled = ["No incident"]
[columns]
reference = "Ref"
date = "Recorded"
x = "East"
y = "North"
crime_type = "What"
updated = "Updated"
status = "Status"
[dates]
formats = ["%d/%m/%Y", "%d/%m/%Y %H:%M"]
[crime_types]
"NOISE" = "anti-social-behaviour"
"BREAK-IN" = "burglary"
"""


@dataclass(frozen=True)
class Row:
    """A row of a call, as its file has it; of a street file it has neither reference nor time of update."""

    day: date
    kind: str
    point: tuple[float, float] | None
    reference: str = ""
    updated: datetime | None = None
    cancels: bool = False


def calls_row(day, kind, point, reference="", update=None, *, cancels=False):
    """Make a row; updates are numbered by day."""
    return Row(day, kind, point, reference, update and moment(update), cancels)


def moment(number):
    """Noon of a day of April."""
    return datetime.combine(cut_on(number), time(12))


def cut_on(number):
    """Return that day."""
    return date(2024, 4, number)


points = st.sampled_from([NW, SW, NE, SE, OUTSIDE, None, (500_900, 201_400), (501_250, 200_750)])
kinds = st.sampled_from(["NOISE", "BREAK-IN"])
references = st.sampled_from(["A", "B", "C", "D", "E"])
days = st.integers(0, 79).map(lambda n: date(2024, n // 40 + 1, n % 27 + 1))
cancels = st.sampled_from([False, False, False, True])
updates = st.integers(1, 6)

street = st.builds(
    lambda month, rows: ("street", month, rows),
    st.integers(1, 3),
    st.lists(st.tuples(st.sampled_from([ASB, BURGLARY, DRUGS]), points), min_size=1, max_size=4),
)
calls = st.builds(
    lambda first, length, rows, cut: ("calls", first, length, rows, cut),
    days,
    st.sampled_from([1, 7, 40]),
    st.lists(
        st.tuples(st.integers(-3, 45), kinds, points, st.one_of(st.just(""), references), st.none() | updates, cancels),
        max_size=4,
    ),
    st.none() | updates,
)
changes = st.builds(
    lambda rows: ("changes", rows),
    st.lists(st.tuples(days, kinds, points, references, updates, cancels), min_size=1, max_size=4),
)
boundaries = st.tuples(st.just("boundaries"), st.sampled_from(["set-a", "set-b"]), st.sampled_from(sorted(SQUARES)))
unloads = st.tuples(st.just("unload"), st.integers(0, 9))
without_sets = st.tuples(st.just("without_set"), st.sampled_from(["set-a", "set-b"]))
histories = st.lists(
    st.one_of(street, calls, calls, calls, changes, changes, changes, boundaries, unloads, unloads, without_sets),
    min_size=1,
    max_size=8,
)


class Story:
    """What should be in a store, beside the store itself.

    `windows` holds for each piece of days that is covered its stream, days, extract, when that was cut, and where its rows came
    from; `base` the rows of windows, `amending` those of each extract of changes.
    """

    def __init__(self, url, folder):
        self.url = url
        self.engine = open_engine(url)
        self.folder = Path(folder)
        self.layouts = {
            "calls": write_layout(self.folder, LAYOUT),
            "changes": write_layout(self.folder, 'kind = "changes"\n' + LAYOUT, name="changes.toml"),
        }
        self.windows, self.base, self.amending, self.sets = [], [], {}, {}
        self.files = 0

    def street(self, month, rows):
        """Load a month of street crime."""
        path = write_street(self.fresh(), f"2024-{month:02}", rows)
        window = Window(Month(2024, month).first, Month(2024, month).last)
        self.take("street", path, window, [Row(window.first, kind, point) for kind, point in rows])

    def calls(self, first, length, rows, cut):
        """Load a window of days of calls; some rows lie outside it."""
        window = Window(first, first + timedelta(days=length - 1))
        dated = [Row(first, "NOISE", NW), *(calls_row(first + timedelta(days=r[0]), *r[1:5], cancels=r[5]) for r in rows)]
        self.take("calls", self.write(dated), window, dated, cut and cut_on(cut))

    def take(self, stream, path, window, rows, cut=None):
        """Load the file of a window, and do the same to what should be there."""
        given = {"layout": str(self.layouts["calls"]), "window": window, "as_of": cut} if stream == "calls" else {}
        [done] = load_incidents(self.engine, [path], now=NOW, replace=True, **given).extracts
        if done.unchanged:
            return
        inside = [row for row in rows if window.first <= row.day <= window.last]
        self.base = [b for b in self.base if b[0] != stream or not window.first <= b[2].day <= window.last]
        self.base += [(stream, done.extract_id, row) for row in inside]
        self.windows = [piece for found in self.windows for piece in cut_out(found, stream, window)]
        self.windows.append((stream, window.first, window.last, done.extract_id, cut, path))

    def changes(self, rows):
        """Load an extract of changes."""
        made = [calls_row(*row[:5], cancels=row[5]) for row in rows]
        [done] = load_incidents(self.engine, [self.write(made)], now=NOW, layout=str(self.layouts["changes"])).extracts
        if not done.unchanged:
            self.amending[done.extract_id] = made

    def boundaries(self, name, squares):
        """Load a boundary set, or put it in place of the one of that name."""
        features = [
            {
                "type": "Feature",
                "properties": {"code": code},
                "geometry": shapely.geometry.mapping(shapely.box(x - 500, y - 500, x + 500, y + 500)),
            }
            for code, (x, y) in SQUARES[squares].items()
        ]
        path = self.fresh() / "wards.geojson"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
        load_boundaries(self.engine, path, now=NOW, name=name, code_column="code", crs="EPSG:27700", replace=True)
        self.sets[name] = squares
        residents = self.fresh() / "residents.csv"
        residents.write_text("".join(["code,residents\n", *(f"{code},1000\n" for code in SQUARES[squares])]))
        load_population(self.engine, residents, boundaries=name, year=2024, now=NOW)

    def without_set(self, name):
        """Take a boundary set out, if it is there."""
        if self.sets.pop(name, None):
            unload_boundaries(self.engine, name)

    def unload(self, number):
        """Take one of the extracts that are there out."""
        extracts = sorted({window[3] for window in self.windows} | set(self.amending))
        if extracts:
            gone = extracts[number % len(extracts)]
            unload_extract(self.engine, gone, now=NOW)
            self.windows = [window for window in self.windows if window[3] != gone]
            self.base = [row for row in self.base if row[1] != gone]
            self.amending.pop(gone, None)

    def write(self, rows):
        """Write rows of calls."""
        written = [
            [
                *(row.reference, f"{row.day:%d/%m/%Y}", *(row.point or ("", "")), row.kind),
                *(f"{row.updated:%d/%m/%Y %H:%M}" if row.updated else "", "No incident" if row.cancels else ""),
            ]
            for row in rows
        ]
        return write_table(self.fresh() / "calls.csv", HEADER, written)

    def fresh(self):
        """Give a folder for the next file."""
        self.files += 1
        folder = self.folder / str(self.files)
        folder.mkdir()
        return folder

    def counting(self):
        """Return the rows that count, as stream and row."""
        cut = {found[3]: found[4] for found in self.windows}
        newest = {}
        for extract, rows in sorted(self.amending.items()):
            for row in rows:
                if row.reference not in newest or (row.updated, extract) >= newest[row.reference]:
                    newest[row.reference] = (row.updated, extract)
        found, known_better = [], set()
        for stream, extract, row in self.base:
            change = newest.get(row.reference) if stream == "calls" and row.reference else None
            if change and not newness(row, cut[extract]) > change[0]:
                continue
            if change:
                known_better.add(row.reference)
            if not row.cancels:
                found.append((stream, row))
        for reference, (updated, extract) in newest.items():
            rows = [r for r in self.amending[extract] if (r.reference, r.updated) == (reference, updated)]
            if reference in known_better or any(row.cancels for row in rows):
                continue
            found += [("calls", row) for row in rows if self.covers(row)]
        return found

    def covers(self, row):
        """Whether a window of calls covers the day of a change, and was not cut after it."""
        over = [w for w in self.windows if w[0] == "calls" and w[1] <= row.day <= w[2]]
        return bool(over) and (over[0][4] is None or datetime.combine(over[0][4], time.max) < row.updated)

    def totals(self):
        """Return incidents by source, month and type, in wards or not."""
        return Counter((STREAMS[stream], row.day.replace(day=1), TYPES[row.kind]) for stream, row in self.counting())

    def expected(self):
        """Return counts by set, source, month, ward and type."""
        found = Counter()
        for name, squares in self.sets.items():
            for stream, row in self.counting():
                ward = ward_of(row.point, SQUARES[squares])
                if ward:
                    found[name, STREAMS[stream], row.day.replace(day=1), ward, TYPES[row.kind]] += 1
        return found

    def tell_again(self, url, random):
        """Load what is current into an empty store, in another order."""
        again = Story(url, self.fresh())
        steps = []
        for stream, first, last, extract, cut, path in self.windows:
            if stream == "street":
                steps.append(lambda p=path: load_incidents(again.engine, [p], now=NOW))
                continue
            # A row that was none, so that a piece of days without any can be loaded.
            rows = [row for s, e, row in self.base if (s, e) == (stream, extract) and first <= row.day <= last]
            given = {"window": Window(first, last), "as_of": cut, "layout": str(again.layouts["calls"])}
            file = again.write([Row(first, "NOISE", None, cancels=True), *rows])
            steps.append(lambda f=file, g=given: load_incidents(again.engine, [f], now=NOW, **g))
        updates = [
            lambda rows=rows: load_incidents(again.engine, [again.write(rows)], now=NOW, layout=str(again.layouts["changes"]))
            for _, rows in sorted(self.amending.items())
        ]
        said = Counter(key for rows in self.amending.values() for key in {(r.reference, r.updated) for r in rows})
        if max(said.values(), default=1) == 1:
            steps += updates
            updates = []
        steps += [lambda s=s: again.boundaries(*s) for s in self.sets.items()]
        random.shuffle(steps)
        for place, update in enumerate(updates):
            # Of changes of one moment the later extract holds, so these keep their order.
            steps.insert(min(len(steps), place * 2), update)
        for step in steps:
            step()
        return again


def cut_out(found, stream, window):
    """Return what is left of a piece of days under a new window."""
    of, first, last, *rest = found
    if of != stream or last < window.first or first > window.last:
        return [found]
    day = timedelta(days=1)
    pieces = [(first, window.first - day), (window.last + day, last)]
    return [(of, start, end, *rest) for start, end in pieces if start <= end]


def newness(row, cut):
    """Return when a row of a window was as it says."""
    return row.updated or (datetime.combine(cut, time.max) if cut else moment(1) - timedelta(days=9999))


def ward_of(point, squares):
    """Return the lowest code of the squares that a point is in."""
    hit = [code for code, (x, y) in squares.items() if point and abs(point[0] - x) <= 500 and abs(point[1] - y) <= 500]
    return min(hit, default=None)
