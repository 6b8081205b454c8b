"""`load incidents`: what is kept, repaired, set aside; what a window replaces; what never changes."""

import gzip
import json
import zipfile

import pytest

from tests.digest import digest, read_tables
from tests.tiny import (
    ASB,
    BOTH_ENGINES,
    BURGLARY,
    CLOCK,
    CODES,
    DRUGS,
    HEADER,
    LAYOUT,
    NE,
    NW,
    OUTSIDE,
    SOURCE,
    STREET,
    SW,
    WARDS,
    county_on,
    street_rows,
    write_calls,
    write_layout,
    write_street,
    write_table,
)


@pytest.fixture(scope="module", params=BOTH_ENGINES)
def county(request, tmp_path_factory):
    """Give a store that holds the four wards."""
    with county_on(request.param, request, tmp_path_factory.mktemp("county")) as county:
        yield county


@pytest.fixture
def tiny(county, invoke, tmp_path):
    """Run commands on a copy of it: tiny("load", "incidents", path)."""
    with county.copy(tmp_path) as url:

        def run(*arguments, status=0):
            return invoke(*arguments, store=url, env=CLOCK, status=status)

        run.url = url
        yield run


def state(tiny):
    return json.loads(tiny("status", "--format", "json").stdout)


def counts(tiny, *options):
    """Counts as {(ward, month, type): count}."""
    lines = tiny("counts", "--format", "csv", *options).stdout.splitlines()[1:]
    fields = [line.split(",") for line in lines]
    return {(code, month, kind): int(count) for code, _name, month, kind, count in fields}


def by_month(tiny):
    found = {}
    for (_, month, _), count in counts(tiny).items():
        found[month] = found.get(month, 0) + count
    return found


def test_the_tiny_county_counts_as_by_hand(tiny):
    done = tiny("load", "incidents", STREET)

    assert counts(tiny) == {
        (CODES[NW], "2024-01", "anti-social-behaviour"): 2,
        (CODES[NW], "2024-01", "burglary"): 2,
        (CODES[SW], "2024-01", "shoplifting"): 1,
        (CODES[NE], "2024-01", "anti-social-behaviour"): 1,
        (CODES[NE], "2024-01", "vehicle-crime"): 1,
        (CODES[NE], "2024-01", "violent-crime"): 1,
    }
    found = state(tiny)
    [source] = found["sources"]
    [ward_set] = found["boundary_sets"]
    assert (source["id"], source["access"], source["streams"]) == (SOURCE, "open", ["street"])
    assert (source["read"], source["kept"], source["without_coordinates"], source["rejected"]) == (10, 10, 1, 0)
    assert (ward_set["in_ward"], ward_set["outside"], ward_set["wards_with_incidents"]) == (8, 1, 3)
    assert "10 rows read: 10 kept (of them 0 repaired, 1 without coordinates)" in done.stderr
    assert "On wd24: 8 in a ward, 1 outside every ward." in done.stderr


def test_the_same_files_again_change_nothing_at_all(tiny):
    tiny("load", "incidents", STREET)
    before = digest(tiny.url)

    done = tiny("load", "incidents", STREET)

    assert digest(tiny.url) == before
    assert "already loaded from the same files" in done.stderr


def test_files_folders_zips_and_gzips_load_alike_and_the_same_bytes_once(tiny, tmp_path):
    folder = tmp_path / "folder" / "2024-01"
    january = write_street(folder, "2024-01", [(BURGLARY, NW)])
    write_table(folder / "2024-01-tiny-outcomes.csv", ["Crime ID", "Outcome type"], [["1", "None"]])
    february = write_street(tmp_path, "2024-02", [(ASB, NE)])
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        archive.write(february, "2024-02/2024-02-tiny-street.csv")
        archive.write(january, "2024-01/2024-01-tiny-street.csv")
        archive.writestr("__MACOSX/2024-01/._2024-01-tiny-street.csv", b"\0\0")
        archive.writestr("readme.pdf", b"%PDF")
    march = write_street(tmp_path, "2024-03", [(DRUGS, SW)])
    packed = tmp_path / "2024-03-tiny-street.csv.gz"
    packed.write_bytes(gzip.compress(march.read_bytes()))

    done = tiny("load", "incidents", folder.parent, tmp_path / "more.zip", packed)

    assert by_month(tiny) == {"2024-01": 1, "2024-02": 1, "2024-03": 1}
    assert "has the same content as" in done.stderr
    assert "2 files were left out" in done.stderr
    assert "outcomes.csv" in done.stderr


def test_rows_without_an_id_are_never_taken_for_one_another(tiny, tmp_path):
    tiny("load", "incidents", write_street(tmp_path, "2024-02", [(ASB, NW)] * 5))

    assert counts(tiny) == {(CODES[NW], "2024-02", "anti-social-behaviour"): 5}


def test_a_repeated_id_is_kept_and_reported(tiny, tmp_path):
    rows = [(BURGLARY, NW, "a" * 64), (DRUGS, NW, "a" * 64), (BURGLARY, NW, "b" * 64)]

    done = tiny("load", "incidents", write_street(tmp_path, "2024-02", rows))

    assert by_month(tiny) == {"2024-02": 3}
    assert "2 rows repeat a reference; all are kept." in done.stderr


def test_sources_come_from_the_rows_not_from_the_name(tiny, tmp_path):
    rows = street_rows("2024-02", [(BURGLARY, NW)]) + street_rows("2024-02", [(DRUGS, NE)], force="British Transport Police")
    path = write_table(tmp_path / "2024-02-hertfordshire-street.csv", HEADER, rows)

    tiny("load", "incidents", path)

    assert [(s["id"], s["kept"]) for s in state(tiny)["sources"]] == [("british-transport-police", 1), (SOURCE, 1)]
    assert counts(tiny, "--source", SOURCE) == {(CODES[NW], "2024-02", "burglary"): 1}


def test_one_source_spelled_in_two_ways_is_counted_once(tiny, tmp_path):
    rows = street_rows("2024-02", [(BURGLARY, NW)]) + street_rows("2024-02", [(DRUGS, NE)], force="TINY  Constabulary")
    path = write_table(tmp_path / "2024-02-tiny-street.csv", HEADER, rows)

    tiny("load", "incidents", path)

    [source] = state(tiny)["sources"]
    assert (source["id"], source["read"], source["kept"]) == (SOURCE, 2, 2)


def test_a_reissue_replaces_its_month_and_no_other(tiny, tmp_path):
    january = write_street(tmp_path / "old", "2024-01", [(BURGLARY, NW), (ASB, NW)])
    february = write_street(tmp_path / "old", "2024-02", [(ASB, NE)])
    tiny("load", "incidents", january, february)

    done = tiny("load", "incidents", write_street(tmp_path / "new", "2024-01", [(DRUGS, SW), (ASB, NW), (ASB, NW)], tag="x"))

    assert counts(tiny) == {
        (CODES[NW], "2024-01", "anti-social-behaviour"): 2,
        (CODES[SW], "2024-01", "drugs"): 1,
        (CODES[NE], "2024-02", "anti-social-behaviour"): 1,
    }
    assert "in place of 2" in done.stderr
    assert [(e["id"], e["current"]) for e in state(tiny)["extracts"]] == [(1, False), (2, True), (3, True)]


def test_the_report_and_the_ledger_tell_what_was_loaded(tiny, tmp_path):
    path = write_street(tmp_path, "2024-01", [(BURGLARY, NW)])
    tiny("load", "incidents", path)

    [extract] = state(tiny)["extracts"]

    assert extract["from"] == "2024-01-01"
    assert extract["to"] == "2024-01-31"
    assert extract["files"] == [str(path)]
    assert len(extract["sha256"][0]) == 64
    assert extract["loaded_at"] == CLOCK["WARDWATCH_NOW"]


def test_a_weekly_file_replaces_its_week_only(tiny, tmp_path):
    layout = write_layout(tmp_path)
    load = ("load", "incidents", "--layout", layout)
    month = write_calls(tmp_path, [("02/01/2024", "NOISE", NW), ("09/01/2024", "NOISE", NW), ("30/01/2024", "NOISE", SW)])
    tiny(*load, "--window", "2024-01-01:2024-01-31", month)

    week = write_calls(tmp_path, [("08/01/2024", "BREAK-IN", NE), ("14/01/2024", "BREAK-IN", NE)], name="week.csv")
    tiny(*load, "--window", "2024-01-08:2024-01-14", week)

    assert counts(tiny) == {
        (CODES[NW], "2024-01", "anti-social-behaviour"): 1,
        (CODES[SW], "2024-01", "anti-social-behaviour"): 1,
        (CODES[NE], "2024-01", "burglary"): 2,
    }
    assert state(tiny)["sources"][0]["months"] == [
        {"month": "2024-01", "status": "supplied", "kept": 4, "share": None, "reason": ""}
    ]


def test_a_month_that_a_new_window_leaves_empty_counts_nothing(tiny, tmp_path):
    load = ("load", "incidents", "--layout", write_layout(tmp_path), "--window", "2024-01:2024-03")
    days = ("05/01/2024", "05/02/2024", "05/03/2024")
    tiny(*load, write_calls(tmp_path, [(day, "NOISE", NW) for day in days]))

    tiny(*load, write_calls(tmp_path, [(day, "NOISE", NW) for day in (days[0], days[2])], name="corrected.csv"))

    assert by_month(tiny) == {"2024-01": 1, "2024-03": 1}
    assert state(tiny)["boundary_sets"][0]["in_ward"] == 2


def test_streams_of_one_source_do_not_erase_each_other(tiny, tmp_path):
    window = ("--window", "2024-01:2024-01")
    for stream, kind in (("crimes", "BREAK-IN"), ("asb", "NOISE")):
        layout = write_layout(tmp_path / stream, LAYOUT.replace('"calls"', f'"{stream}"'))
        extract = write_calls(tmp_path / stream, [("05/01/2024", kind, NW)])
        tiny("load", "incidents", "--layout", layout, *window, extract)

    assert by_month(tiny) == {"2024-01": 2}
    assert state(tiny)["sources"][0]["streams"] == ["asb", "crimes"]


def test_rows_outside_the_window_are_set_aside_and_told(tiny, tmp_path):
    layout = write_layout(tmp_path)
    path = write_calls(tmp_path, [("31/12/2023", "NOISE", NW), ("05/01/2024", "NOISE", NW), ("05/01/2024", "NOISE", NE)])

    done = tiny("load", "incidents", "--layout", layout, "--window", "2024-01:2024-01", path)

    [source] = state(tiny)["sources"]
    assert (source["read"], source["kept"], source["set_aside"]) == (3, 2, 1)
    assert "set-aside: 1 row: outside the window 2024-01-01:2024-01-31" in done.stderr
    assert "line 2, Recorded: '2023-12-31'" in done.stderr


def test_a_point_that_cannot_be_is_dropped_and_its_row_kept(tiny, tmp_path):
    points = [NW, NW, NW, NW, (0, 0), (99_999_999, 201_500), ("five", 201_500), (500_500, "")]
    path = write_calls(tmp_path, [("05/01/2024", "NOISE", point) for point in points])

    done = tiny("load", "incidents", "--layout", write_layout(tmp_path), "--window", "2024-01:2024-01", path)

    [source] = state(tiny)["sources"]
    assert (source["kept"], source["repaired"], source["without_coordinates"]) == (8, 4, 4)
    for words in (
        "the point is at 0,0",
        "the point is outside the United Kingdom",
        "a coordinate is not a number",
        "one coordinate is missing",
    ):
        assert f"repaired: 1 row: {words}" in done.stderr
    assert "line 6, East, North: '0, 0'" in done.stderr


def test_an_incident_keeps_when_it_happened_and_how_precisely(tiny, tmp_path):
    rows = [
        ("05/01/2024", "BREAK-IN", NW, "03/01/2024 22:15", "04/01/2024 07:30"),
        ("05/01/2024", "BREAK-IN", NW, "03/01/2024"),
        ("05/01/2024", "NOISE", NW, "04/01/2024 07:30", "03/01/2024 22:15"),
        ("05/01/2024", "NOISE", NW, "", "lunchtime"),
        ("05/01/2024", "NOISE", NW),
    ]

    done = tiny(
        "load", "incidents", "--layout", write_layout(tmp_path), "--window", "2024-01:2024-01", write_calls(tmp_path, rows)
    )

    kept = [(row["precision"], str(row["started_at"]), str(row["ended_at"])) for row in read_tables(tiny.url)["incident"]]
    assert kept == [
        ("minute", "2024-01-03 22:15:00", "2024-01-04 07:30:00"),
        ("day", "2024-01-03 00:00:00", "2024-01-03 00:00:00"),
        ("minute", "2024-01-04 07:30:00", "2024-01-04 07:30:00"),
        ("day", "None", "None"),
        ("day", "None", "None"),
    ]
    assert "repaired: 1 row: ends before it starts: the start is taken" in done.stderr
    assert "repaired: 1 row: the time cannot be read" in done.stderr


def test_an_incident_is_known_no_better_than_its_bounds(tiny, tmp_path):
    rows = [
        ("05/01/2024 13:05", "BREAK-IN", NW, "03/01/2024"),
        ("05/01/2024", "BREAK-IN", NW, "03/01/2024 12:10", "03/01/2024"),
        ("05/01/2024", "BREAK-IN", NW, "03/01/2024 12:10", "04/01/2024"),
    ]

    done = tiny(
        "load", "incidents", "--layout", write_layout(tmp_path), "--window", "2024-01:2024-01", write_calls(tmp_path, rows)
    )

    kept = [(row["precision"], str(row["started_at"]), str(row["ended_at"])) for row in read_tables(tiny.url)["incident"]]
    assert kept == [
        ("day", "2024-01-03 00:00:00", "2024-01-03 00:00:00"),
        ("day", "2024-01-03 12:10:00", "2024-01-03 12:10:00"),
        ("day", "2024-01-03 12:10:00", "2024-01-04 00:00:00"),
    ]
    assert "(of them 0 repaired" in done.stderr


def test_columns_that_the_layout_does_not_name_are_not_stored(tiny, tmp_path):
    rows = [["1", "05/01/2024", "", "", *NW, "NOISE", "Mr Secret of 5 Hidden Street"]]
    path = write_table(tmp_path / "calls.csv", ["Ref", "Recorded", "From", "To", "East", "North", "What", "Notes"], rows)

    tiny("load", "incidents", "--layout", write_layout(tmp_path), "--window", "2024-01:2024-01", path)

    assert "Hidden" not in repr(read_tables(tiny.url))
    assert by_month(tiny) == {"2024-01": 1}


def test_nearly_all_outside_every_ward_is_a_warning(tiny, tmp_path):
    done = tiny("load", "incidents", write_street(tmp_path, "2024-02", [(ASB, OUTSIDE)] * 11 + [(ASB, NW)]))

    assert "Warning:" in done.stderr
    assert "11 of 12 rows lie outside every ward of wd24" in done.stderr


def test_without_boundaries_incidents_are_kept_and_placed_later(store_url, invoke):
    invoke("init", store=store_url)
    first = invoke("load", "incidents", STREET, store=store_url, env=CLOCK)
    assert "No boundary set is loaded" in first.stderr

    invoke("load", "boundaries", WARDS, store=store_url, env=CLOCK)

    lines = invoke("counts", "--format", "csv", store=store_url).stdout.splitlines()[1:]
    assert sum(int(line.rsplit(",", 1)[1]) for line in lines) == 8


def test_unload_takes_an_extract_out_and_names_what_to_load_again(tiny, tmp_path):
    old = write_street(tmp_path / "old", "2024-01", [(BURGLARY, NW)])
    new = write_street(tmp_path / "new", "2024-01", [(DRUGS, NW)])
    tiny("load", "incidents", write_street(tmp_path, "2023-12", [(ASB, NW)]))
    tiny("load", "incidents", old)
    tiny("load", "incidents", new)

    done = tiny("unload", "3")

    assert by_month(tiny) == {"2023-12": 1}
    assert [m["status"] for m in state(tiny)["sources"][0]["months"]] == ["supplied", "not-supplied"]
    assert str(old) in done.stderr
    again = tiny("unload", "3", status=1)
    assert "Nothing of an extract 3 is in the store" in again.stderr
    tiny("load", "incidents", old)
    assert by_month(tiny) == {"2023-12": 1, "2024-01": 1}


def test_repaired_rows_are_those_that_are_still_there(tiny, tmp_path):
    load = ("load", "incidents", "--layout", write_layout(tmp_path))
    days = [("05/01/2024", "NOISE", NW), ("05/01/2024", "NOISE", NW), ("05/02/2024", "NOISE", (0, 0))]
    tiny(*load, "--window", "2024-01:2024-02", write_calls(tmp_path, days))
    assert state(tiny)["sources"][0]["repaired"] == 1

    # Its numbers are free again: the new rows must not be taken for the repaired one.
    tiny(*load, "--window", "2024-02:2024-02", write_calls(tmp_path, [("06/02/2024", "NOISE", NW)], name="february.csv"))

    assert state(tiny)["sources"][0]["repaired"] == 0


def test_the_data_version_tells_answers_apart(tiny, tmp_path):
    one = write_street(tmp_path / "one", "2024-01", [(BURGLARY, NW)])
    other = write_street(tmp_path / "other", "2024-01", [(DRUGS, NW)])

    answers = {}
    for path in (one, other, one):
        tiny("load", "incidents", path)
        answer = tiny("measure", "count", "--crime-type", "drugs", "--format", "csv").stdout
        assert answers.setdefault(state(tiny)["data_version"], answer) == answer, "one version, two answers"

    assert len(answers) > 1


def test_a_month_taken_out_changes_the_data_version(tiny, tmp_path):
    tiny("load", "incidents", write_street(tmp_path, "2024-01", [(BURGLARY, NW)]))
    before = state(tiny)["data_version"]
    tiny("load", "incidents", write_street(tmp_path, "2024-02", [(BURGLARY, NW)]))

    tiny("unload", "2")

    assert [m["status"] for m in state(tiny)["sources"][0]["months"]] == ["supplied", "not-supplied"]
    assert state(tiny)["data_version"] != before


def test_a_type_that_is_sent_no_more_is_warned_of(county, invoke, tmp_path):
    before = write_street(tmp_path, "2024-01", [(ASB, NW)] * 25 + [(BURGLARY, NW)])
    after = write_street(tmp_path, "2024-02", [(BURGLARY, NW)] * 20)
    with county.copy(tmp_path) as url:
        invoke("load", "incidents", before, store=url, env=CLOCK)
        said = invoke("load", "incidents", after, store=url, env=CLOCK).stderr

    assert "2024-02-tiny-street.csv: no row is of Anti-social behaviour, of which the extract before had 25." in said
    assert "Burglary" not in said


def test_a_month_without_coordinates_is_warned_of(county, invoke, tmp_path):
    nowhere = write_street(tmp_path, "2024-01", [(ASB, None)] * 3)
    with county.copy(tmp_path) as url:
        said = invoke("load", "incidents", nowhere, store=url, env=CLOCK).stderr

    assert "3 of 3 rows have no coordinates" in said
    assert "zeros of these months say nothing" in said


def test_the_report_counts_only_what_is_new(county, invoke, tmp_path):
    known, new = (write_street(tmp_path, month, [(ASB, NW), (ASB, OUTSIDE)]) for month in ("2024-01", "2024-02"))
    with county.copy(tmp_path) as url:
        invoke("load", "incidents", known, store=url, env=CLOCK)
        said = invoke("load", "incidents", known, new, store=url, env=CLOCK).stderr

    assert "Of what is new, on wd24: 1 in a ward, 1 outside every ward." in said
