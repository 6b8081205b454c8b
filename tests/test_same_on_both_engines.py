"""The same files in both engines: every table and every answer is byte for byte the same."""

from collections import Counter
from contextlib import ExitStack

import pytest
from sqlalchemy import text

from loaders.area_counts import load_area_counts
from loaders.boundaries import load_boundaries
from loaders.demo import write_demo
from loaders.harm_weights import load_weights
from loaders.incidents import Window, load_incidents
from loaders.ledger import unload_extract
from loaders.lookups import load_lookup, load_lookup_from_shapes
from loaders.population import load_population
from loaders.recording_breaks import load_breaks
from loaders.ward_groups import load_groups
from mapping.coverage_notes import set_districts, set_note
from mapping.default_places import read_default_places
from mapping.reader import Reader
from mapping.store import open_engine
from mapping.store.models import Base
from mapping.store.upgrade import init_store
from mapping.verdicts import decide_verdict
from mapping.vocabulary import Month
from tests import history
from tests.county import visitor
from tests.digest import read_tables
from tests.tiny import (
    ASB,
    BURGLARY,
    CLOCK,
    DRUGS,
    FIXTURES,
    LAYOUT,
    NE,
    NOW,
    NW,
    OUTSIDE,
    POPULATION,
    STREET,
    WARDS,
    write_calls,
    write_layout,
    write_street,
    write_table,
)

DEMO_YEAR = 2024
TABLES = ["version", *sorted(Base.metadata.tables)]

COMMANDS = [
    ("status", "--format", "json"),
    ("status", "--changes"),
    ("status", "--changes", "--format", "json"),
    *(
        (*command, "--format", format_)
        for format_ in ("csv", "json", "table")
        for command in (
            ("counts",),
            ("counts", "--crime-type", "asb", "--boundaries", "demo21", "--from", "2024-03", "--to", "2024-06"),
            ("measure", "count"),
            ("nearness", "--boundaries", "wd24"),
            ("places",),
            ("measure", "rate", "--boundaries", "demo25", "--by", "district"),
            ("measure", "rate", "--crime-type", "burglary", "--boundaries", "wd24", "--source", "tiny-constabulary"),
            ("measure", "count", "--by", "set"),
            ("measure", "rate", "--boundaries", "demo25", "--option", "per=workday"),
            ("measure", "rate", "--boundaries", "demo21", "--option", "per=area", "--by", "district"),
            ("measure", "change", "--boundaries", "demo25", "--option", "against=period-before", "--from", "2024-07"),
            ("measure", "funnel", "--boundaries", "demo25", "--option", "among=similar-wards"),
            ("measure", "smoothed-rate", "--boundaries", "demo21", "--option", "towards=neighbours"),
            ("measure", "cluster", "--boundaries", "demo25", "--option", "method=local-moran"),
            ("measure", "harm", "--boundaries", "demo25", "--by", "district"),
            ("concentration", "--boundaries", "demo25"),
            ("breaks",),
        )
    ),
]

ADDRESSES = [
    "extracts",
    *("boundary-sets", "crime-types", "measures", "coverage"),
    *("measures/count", "measures/rate?boundaries=demo25&by=district", "measures/count?crime_type=burglary&format=csv"),
    *("counts?boundaries=wd24", "counts?format=csv", "counts?boundaries=demo21&crime_type=asb&from=2024-05&to=2024-06"),
    *("wards", "wards?boundaries=wd24", "wards/at?lon=-0.547&lat=51.703&boundaries=wd24", "wards/at?lon=-0.3&lat=51.7"),
    *("nearness", "nearness?boundaries=wd24&format=csv", "measures/count?nearness=hatched"),
    *("boundary-changes?old=demo21&new=demo25", "boundary-changes?old=demo21&new=demo25&crime_type=asb&format=csv"),
    *(f"measures/{measure}?boundaries=demo25&crime_type=burglary" for measure in ("change", "cluster", "emerging", "share")),
    *("measures/expected?boundaries=demo25&crime_type=crime&to=2024-12", "measures/trend?boundaries=demo25&from=2024-01"),
    *("concentration?boundaries=demo21&crime_type=asb", "breaks", "breaks?format=csv"),
    *("measures/none", "counts?from=soon"),
]


def fill(url, demo, folder):
    """Load much of what there is to load, in an order that replaces, cuts and takes out."""
    engine = open_engine(url, must_exist=False)
    init_store(engine)
    load_boundaries(engine, WARDS, now=NOW, attribution="© The Müller brothers")
    for found in demo.boundaries:
        load_boundaries(engine, found.path, now=NOW, name=found.name, effective=found.effective)
    load_population(engine, POPULATION, boundaries="wd24", year=2024, now=NOW)
    for found in (*demo.populations, *demo.denominators):
        load_population(engine, found.path, boundaries=found.boundaries, year=found.year, now=NOW, what=found.what)
    for found in demo.extracts:
        if found.window_from.year == DEMO_YEAR:
            window = Window(found.window_from, found.window_to)
            load_incidents(engine, found.paths, now=NOW.replace(year=2026), layout=str(found.layout), window=window)
    load_incidents(engine, [STREET], now=NOW)
    rows = [(BURGLARY, NW), (ASB, NE), (ASB, None), (DRUGS, OUTSIDE), ('=cmd|"é', NE)]
    odd = write_layout(folder, "extends = 'police-uk'\n[crime_types]\n'=cmd|\"é' = 'other-crime'\n", name="odd.toml")
    february = write_street(folder, "2024-02", rows)
    load_incidents(engine, [february], now=NOW, layout=str(odd))
    # A source that a dictionary puts before tiny-constabulary, and the bytes behind it.
    layout = write_layout(folder, LAYOUT.replace('source = "tiny-control-room"', 'source = "tinyc"'))
    calls = [
        ("05/01/2024", "NOISE", NW),
        ("09/01/2024 10:00", "BREAK-IN", NE, "08/01/2024 22:00", "x"),
        ("1/2/2024", "NOISE", (0, 0)),
    ]
    january = Window(NOW.date().replace(month=1, day=1), NOW.date().replace(month=1, day=31))
    load_incidents(engine, [write_calls(folder, calls)], now=NOW, layout=str(layout), window=january)
    week = Window(january.first.replace(day=8), january.first.replace(day=14))
    changed = write_calls(folder, calls[1:2] * 2, name="week.csv")
    load_incidents(engine, [changed], now=NOW, layout=str(layout), window=week)
    load_boundaries(engine, WARDS, now=NOW, replace=True)
    areas = [("A", "X05900001", 2), ("A", "X05900002", 1), ("É", "X05900002", 3), ("É", "X05999999", 4)]
    lookup = write_table(folder / "lookup.csv", ("parish", "ward", "weight"), areas)
    load_lookup(engine, lookup, areas="parish", boundaries="wd24", weighted_by="population", now=NOW, attribution="© Parishes")
    load_lookup_from_shapes(engine, from_boundaries="demo21", boundaries="demo25", now=NOW)
    thirds = [("A", "2024-01", "burglary", 100), ("É", "2024-01", "burglary", 7), ("A", "2024-02", "drugs", 11)]
    counts = write_table(folder / "counts.csv", ("parish", "month", "type", "count"), thirds)
    load_area_counts(engine, counts, areas="parish", source="counting-house", now=NOW, access="open")
    _fill_corrections(engine, folder)
    march = Window(NOW.date().replace(month=3, day=1), NOW.date().replace(month=3, day=31))
    for name in ("force-crimes", "force-incidents"):
        sample = FIXTURES / "layouts" / f"{name}.csv"
        load_incidents(engine, [sample], now=NOW, layout=name, source="tiny-police", window=march)
    load_incidents(engine, [FIXTURES / "layouts" / "2024-01-tiny-outcomes.csv"], now=NOW)
    first = write_street(folder, "2023-12", [(ASB, NW)])
    report = load_incidents(engine, [first], now=NOW)
    unload_extract(engine, report.extracts[0].extract_id, now=NOW)
    month = Month.parse("2024-02")
    set_note(engine, "tinyc", stream="", first=month, last=None, status="partial", reason="=é, by post", now=NOW)
    set_districts(engine, "tiny-constabulary", ["X07900001"])
    # The demo's made-up default location is found by the rule; the other is anywhere.
    reader = Reader(engine, open_only=False)
    [piled] = [p.id for p in read_default_places(reader, reader.catalogue()) if p.evidence]
    decide_verdict(engine, piled, verdict="confirmed", reason="é = the station's desk", now=NOW)
    decide_verdict(engine, 1, verdict="dismissed", reason="=busy", now=NOW)
    _fill_judging(engine, folder, demo)
    engine.dispose()


def _fill_judging(engine, folder, demo):
    """What figures are judged with, some of it in the place of what was there."""
    for found in demo.groups:
        load_groups(engine, found.path, now=NOW, boundaries=found.boundaries, attribution="© É")
    header = ("source", "crime_type", "month", "kind", "what")
    breaks = [("tinyc", "all", "2024-02", "soft", "=é, by post"), ("", "burglary drugs", "2024-03", "hard", "Z")]
    load_breaks(engine, demo.breaks, now=NOW)
    load_breaks(engine, write_table(folder / "breaks.csv", header, breaks), now=NOW)
    header = ("crime_type", "weight", "source", "version", "date")
    weights = [("robbery", 1000.5, "=É", "a", "2024-11-01"), ("burglary", 320, "", "", "")]
    load_weights(engine, write_table(folder / "weights.csv", header, weights), now=NOW, attribution="© Z")


def _fill_corrections(engine, folder):
    """A month that is amended, moved, cancelled, and loaded again as of a day between two changes."""
    layouts = [
        write_layout(folder, text.replace("tiny-control-room", "tiny-corrected"), name=name)
        for name, text in (("window.toml", history.LAYOUT), ("changes.toml", 'kind = "changes"\n' + history.LAYOUT))
    ]
    month = Window(NOW.date().replace(month=1, day=1), NOW.date().replace(month=1, day=31))
    rows = [(reference, "05/01/2024", *NW, "NOISE", "", "") for reference in ("é", "Z", "a", "b", "")]
    changes = [
        ("é", "05/01/2024", *NE, "BREAK-IN", "01/03/2024 10:00", ""),
        ("Z", "05/01/2024", *NW, "NOISE", "02/03/2024 10:00", "No incident"),
        ("a", "05/02/2024", *NW, "NOISE", "02/03/2024 10:00", ""),
        ("new", "06/01/2024", *OUTSIDE, "NOISE", "03/03/2024 10:00", ""),
    ]
    calls = write_table(folder / "window.csv", history.HEADER, rows)
    load_incidents(engine, [calls], now=NOW, layout=str(layouts[0]), window=month)
    amending = write_table(folder / "amending.csv", history.HEADER, changes)
    load_incidents(engine, [amending], now=NOW, layout=str(layouts[1]))
    load_incidents(engine, [calls], now=NOW, layout=str(layouts[0]), window=month, as_of=NOW.date().replace(month=3, day=1))


@pytest.fixture(scope="module")
def both(databases, tmp_path_factory):
    """Give the two stores: the embedded one, and PostGIS in a database that sorts text as a dictionary does."""
    folder = tmp_path_factory.mktemp("both")
    demo = write_demo(folder / "demo")
    name = databases.create("template0")
    databases.drop(name)
    with databases.server.connect() as connection:
        connection.execute(
            text(f"CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-GB-u-ka-shifted'")
        )
    urls = f"sqlite:///{folder / 'store.db'}", databases.url_of(name)
    try:
        for url in urls:
            fill(url, demo, folder)
        yield urls
    finally:
        databases.drop(name)


@pytest.fixture(scope="module")
def tables(both):
    """Give the tables of both."""
    return [read_tables(url) for url in both]


@pytest.mark.postgis
@pytest.mark.parametrize("table", TABLES)
def test_tables(tables, table):
    embedded, postgis = tables

    assert embedded[table]
    assert postgis[table] == embedded[table]


@pytest.mark.postgis
def test_counts_are_those_of_the_incidents(tables):
    for found in tables:
        extracts = {row["id"]: row["source_id"] for row in found["extract"]}
        placed = {}
        for row in found["place_ward"]:
            placed.setdefault(row["place_id"], []).append((row["boundary_set_id"], row["ward_id"]))
        counted = Counter(
            (set_id, extracts[row["extract_id"]], row["date"].replace(day=1), ward_id, row["crime_type_id"])
            for row in found["incident"]
            for set_id, ward_id in placed.get(row["place_id"], [])
        )
        assert {tuple(row.values())[:5]: row["count"] for row in found["ward_month_count"]} == counted


@pytest.mark.postgis
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_answers_of_the_command_line(both, invoke, command):
    embedded, postgis = (invoke(*command, store=url, env=CLOCK) for url in both)

    assert embedded.stdout
    assert postgis.stdout == embedded.stdout
    assert postgis.stderr == embedded.stderr


@pytest.fixture(scope="module", params=["public", "internal"])
def visitors(both, request):
    """Give a visitor of a server on each."""
    with ExitStack() as stack:
        yield [stack.enter_context(visitor(url, audience=request.param, secret="the same on both")) for url in both]


@pytest.mark.postgis
@pytest.mark.parametrize("address", ADDRESSES)
def test_answers_of_the_api(visitors, address):
    embedded, postgis = (client.get(f"/api/v1/{address}") for client in visitors)

    assert embedded.data
    assert embedded.status_code in (200, 400, 404)
    assert (postgis.status_code, postgis.data) == (embedded.status_code, embedded.data)
    assert postgis.headers.get("ETag") == embedded.headers.get("ETag")


@pytest.mark.postgis
def test_pages_and_maps(visitors):
    pages = ("/", "/wards", "/wards/wd24/X05900001", "/map/count", "/embed/rate", "/data", "/methods")
    for address in (*pages, "/boundaries", "/boundaries/demo21/demo25"):
        embedded, postgis = (client.get(address) for client in visitors)
        assert embedded.status_code == 200, address
        assert postgis.data == embedded.data, address


@pytest.mark.postgis
def test_the_other_database_does_sort_otherwise(both):
    """Else this file would prove less than it says."""
    engine = open_engine(both[1])
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 'tinyc' < 'tiny-constabulary'")) is True
    engine.dispose()
