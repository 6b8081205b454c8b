"""Default locations: found by a rule, decided by an analyst, never by the program."""

import csv
import io
import json
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from loaders.incidents import Window, load_incidents
from mapping.answers import Question, answer
from mapping.default_places import DEFAULT_PLACE_COLUMNS, count_at_default_places, default_place_rows, read_default_places
from mapping.errors import BadRequest, NotFound
from mapping.measures import all_measures, find_measure
from mapping.reader import Reader
from mapping.statistics.pile_ups import find_pile_ups
from mapping.store import open_engine, reading
from mapping.verdicts import clear_verdict, decide_verdict, read_verdicts
from tests.tiny import NOW, SW, fill, write_layout, write_table

TYPES = ["NOISE", "BREAK-IN", "THEFT", "ASSAULT", "DRUGS"]
LAYOUT = """
name = "tiny-desk"
source = "tiny-desk"
access = "protected"
stream = "crimes"
crs = "EPSG:27700"
[columns]
date = "Recorded"
x = "East"
y = "North"
crime_type = "What"
location = "Where"
[dates]
format = "%d/%m/%Y"
[crime_types]
"NOISE" = "anti-social-behaviour"
"BREAK-IN" = "burglary"
"THEFT" = "other-theft"
"ASSAULT" = "violent-crime"
"DRUGS" = "drugs"
"""
STATION, SHOP, ROUND, CUSTODY = (500_512, 201_507), (501_503, 201_411), (501_000, 200_000), (500_333, 200_444)


def busy(random, places, *, most):
    """Counts by type of places that each have a mix of their own, the busiest having about so many."""
    sizes = np.sort(random.gamma(0.7, 1, places))[::-1]
    sizes = np.ceil(sizes / sizes[0] * most).astype(int)
    return np.array([random.multinomial(n, random.dirichlet(np.full(8, 0.8))) for n in sizes])


def found_in(by_type, months=None):
    whole = np.full(len(by_type), 12) if months is None else months
    found = find_pile_ups(by_type, whole, all_months=12)
    return set(np.flatnonzero(found.far_more).tolist()), set(np.flatnonzero(found.like_the_whole).tolist())


@pytest.mark.parametrize("seed", range(5))
def test_busy_places_of_their_own_kind_are_not_pile_ups_and_a_planted_one_is(seed):
    random = np.random.default_rng(seed)
    town = busy(random, 900, most=200)
    top = np.median(town.sum(axis=1)[1:21])
    mix = town.sum(axis=0) / town.sum()
    assert found_in(town) == (set(), set())

    planted = np.vstack([town, random.multinomial(int(3 * top), mix)])
    assert found_in(planted) == ({900}, {900})

    # Only as busy as the busy ones, it is told by its mix; of one type, as a shop is, by nothing.
    assert found_in(np.vstack([town, random.multinomial(int(1.2 * top), mix)])) == (set(), {900})
    assert found_in(np.vstack([town, np.eye(8, dtype=int)[3] * int(3 * top)])) == (set(), set())


def test_a_pile_up_is_there_in_most_months_and_has_thirty_incidents():
    town = busy(np.random.default_rng(1), 300, most=9)
    planted = np.vstack([town, np.full(8, 4)])
    seldom = np.r_[np.full(300, 12), 5]

    assert found_in(planted)[0] == {300}
    assert found_in(planted, seldom)[0] == set()
    assert found_in(np.vstack([town, np.full(8, 3)]))[0] == set()


def test_many_stations_do_not_hide_each_other():
    random = np.random.default_rng(3)
    town = busy(random, 500, most=60)
    stations = random.multinomial(400, town.sum(axis=0) / town.sum(), size=8)

    assert found_in(np.vstack([town, stations]))[0] == set(range(500, 508))


def test_a_handful_of_places_tells_nothing():
    assert found_in(np.array([[50, 40, 30], [1, 1, 1], [1, 1, 1]])) == (set(), set())
    assert found_in(np.zeros((0, 3), dtype=int)) == (set(), set())


def desk_rows():
    """Two months of a force that puts what it cannot place at its station: 60 places, each with a type of its own."""
    for month in (1, 2):
        day = f"05/{month:02d}/2024"
        for n in range(56):
            x, y = 500_100 + 27 * (n % 30), 200_107 + 61 * n % 1800
            yield from [(day, x, y, TYPES[n % 5], f"Street {n}")] * (1 + n % 4)
        yield from [(day, *STATION, kind, "Desk") for kind in TYPES for _ in range(8)]
        yield from [(day, *SHOP, "THEFT", "Shop")] * 60
        yield from [(day, *ROUND, kind, "") for kind in TYPES]
        yield from [(day, *CUSTODY, "ASSAULT", "CUSTODY SUITE")] * 20
        yield from [(day, 0, 0, "NOISE", "")] * 3


@pytest.fixture
def desk(store_url, tmp_path):
    """Give a store with that force's extract."""
    fill(store_url, incidents=[])
    file = write_table(tmp_path / "desk.csv", ["Recorded", "East", "North", "What", "Where"], desk_rows())
    engine = open_engine(store_url)
    window = Window(date(2024, 1, 1), date(2024, 2, 29))
    load_incidents(engine, [file], now=NOW, layout=str(write_layout(tmp_path, LAYOUT)), window=window)
    yield engine
    engine.dispose()


def places_of(engine):
    reader = Reader(engine, open_only=False)
    return {(p.easting, p.northing): p for p in read_default_places(reader, reader.catalogue())}


def test_candidates_come_with_their_evidence(desk):
    found = places_of(desk)

    assert list(found) == [STATION, CUSTODY, ROUND]
    station = found[STATION]
    assert (station.incidents, station.types, station.months, station.rank) == (80, 5, 2, 2)
    assert (station.location, station.ward_code, station.source) == ("Desk", "X05900001", "tiny-desk")
    located = 2 * (sum(1 + n % 4 for n in range(56)) + 40 + 60 + 5 + 20)
    assert station.share == pytest.approx(100 * 80 / located)
    # The busiest others: the shop with 120, the custody suite with 40, the round point with 10 and streets with 8.
    assert station.evidence[0] == "10.0 times the median of the 20 busiest other places (8)"
    assert found[CUSTODY].evidence == ("its location is named 'CUSTODY SUITE'",)
    assert found[ROUND].evidence == ("its coordinates are whole kilometres",)
    assert {p.verdict for p in found.values()} == {""}
    assert default_place_rows([found[CUSTODY]])[0]["evidence"] == "its location is named 'CUSTODY SUITE'"


def test_a_verdict_stays_with_the_place_and_renews_the_stamp(desk):
    station, before = places_of(desk)[STATION].id, Reader(desk, open_only=False).data_version()

    decide_verdict(desk, station, verdict="confirmed", reason="  the  enquiry desk ", now=NOW)

    confirmed = places_of(desk)[STATION]
    assert (confirmed.verdict, confirmed.reason) == ("confirmed", "the enquiry desk")
    after = Reader(desk, open_only=False).data_version()
    assert after != before

    decide_verdict(desk, station, verdict="dismissed", reason="it is a real place", now=NOW)
    assert places_of(desk)[STATION].verdict == "dismissed"
    clear_verdict(desk, station)
    assert places_of(desk)[STATION].verdict == ""
    assert Reader(desk, open_only=False).data_version() == before
    with pytest.raises(NotFound, match=f"Nothing was decided about place {station}"):
        clear_verdict(desk, station)


def test_any_place_can_be_decided_about_and_no_other(desk):
    with reading(desk) as connection:
        assert read_verdicts(connection) == {}
    shop = places_of(desk)[STATION].id + 1

    decide_verdict(desk, shop, verdict="confirmed", reason="known here", now=NOW)

    added = [p for p in places_of(desk).values() if p.id == shop]
    assert [(p.evidence, p.verdict) for p in added] == [((), "confirmed")]
    with pytest.raises(NotFound, match="There is no place 99999"):
        decide_verdict(desk, 99999, verdict="confirmed", reason="x", now=NOW)


def test_a_reason_is_a_line_of_text(desk):
    station = places_of(desk)[STATION].id

    for reason in ("", "   \n", "x" * 501, "a\0b", "\ud800", "\u202eevil"):
        with pytest.raises(BadRequest, match="reason") as refused:
            decide_verdict(desk, station, verdict="confirmed", reason=reason, now=NOW)
        assert refused.value.parameter == "reason"

    assert places_of(desk)[STATION].verdict == ""


def test_counts_keep_what_is_at_a_confirmed_place_and_know_it(desk):
    def at_default(**options):
        reader = Reader(desk, open_only=False)
        catalogue = reader.catalogue()
        found = count_at_default_places(reader, catalogue, catalogue.boundary_set(None), None, **options)
        return None if found is None else found.values.sum(axis=(1, 2)).tolist()

    station, custody = places_of(desk)[STATION].id, places_of(desk)[CUSTODY].id
    assert at_default() is None
    decide_verdict(desk, station, verdict="confirmed", reason="desk", now=NOW)
    decide_verdict(desk, custody, verdict="dismissed", reason="they do happen there", now=NOW)

    assert at_default() == [80, 0, 0, 0]
    decide_verdict(desk, custody, verdict="confirmed", reason="on second thoughts", now=NOW)
    assert at_default() == [80, 40, 0, 0]
    assert at_default(only=custody) == [0, 40, 0, 0]


def test_places_are_not_public(desk):
    reader = Reader(desk, open_only=True)

    with pytest.raises(NotFound):
        read_default_places(reader, reader.catalogue())


def test_a_place_whose_incidents_were_taken_out_keeps_its_verdict(desk, tmp_path):
    station = places_of(desk)[STATION].id
    decide_verdict(desk, station, verdict="confirmed", reason="desk", now=NOW)
    window = Window(date(2024, 1, 1), date(2024, 2, 29))
    file = write_table(
        tmp_path / "less.csv", ["Recorded", "East", "North", "What", "Where"], [("05/01/2024", *SW, "NOISE", "")]
    )
    load_incidents(desk, [file], now=NOW, layout=str(tmp_path / "layout.toml"), window=window, replace=True)

    [left] = places_of(desk).values()
    assert (left.id, left.incidents, left.source, left.rank, left.verdict) == (station, 0, "", None, "confirmed")


def test_figures_of_clusters_leave_out_what_counts_keep(desk, monkeypatch):
    decide_verdict(desk, places_of(desk)[STATION].id, verdict="confirmed", reason="desk", now=NOW)
    seen = []

    def compute(view):
        seen.append((view.observed(view.period), view.observed(view.period, without_default_places=True)))
        return counting.compute(view)

    counting = find_measure("count")
    monkeypatch.setitem(all_measures(), "clusters", replace(counting, id="clusters", compute=compute))
    found = answer(Reader(desk, open_only=False), "clusters", Question())

    [(every, left)] = seen
    assert (every - left).tolist() == [[40, 40], [0, 0], [0, 0], [0, 0]]
    assert [row["value"] for row in found.rows] == every.sum(axis=1).tolist()
    northwest = found.rows[0]["sentence"]
    assert "80 of them are at a default location (not left out of counts)." in northwest
    assert "default location" not in found.rows[1]["sentence"]


def test_the_command_lists_and_decides(desk, invoke):
    url = desk.url.render_as_string(hide_password=False)
    listed = invoke("places", store=url)
    assert listed.stdout.splitlines()[0].split()[:4] == ["id", "source", "ward_name", "incidents"]
    assert listed.stderr == "tiny-desk: 6 rows are at 0,0; they are kept without coordinates.\n"

    found = json.loads(invoke("places", "--format", "json", store=url).stdout)
    assert found["meta"]["at_zero"] == [{"source": "tiny-desk", "rows": 6}]
    station = found["rows"][0]
    assert tuple(station) == DEFAULT_PLACE_COLUMNS
    assert (station["easting"], station["northing"]) == STATION

    invoke("places", "confirm", station["id"], "--reason", "=desk", store=url)
    first = next(csv.DictReader(io.StringIO(invoke("places", "--format", "csv", store=url).stdout)))
    assert (first["id"], first["verdict"], first["reason"]) == (str(station["id"]), "confirmed", "'=desk")
    invoke("places", "dismiss", station["id"], "--reason", " ", store=url, status=1)
    invoke("places", "dismiss", station["id"], store=url, status=2)
    invoke("places", "confirm", 0, "--reason", "x", store=url, status=2)
    invoke("places", "clear", station["id"], store=url)
    refused = invoke("places", "clear", station["id"], store=url, status=1)
    assert "Nothing was decided" in refused.stderr
    assert json.loads(invoke("places", "--format", "json", store=url).stdout) == found
