"""Extracts of changes: what they amend, move and cancel; what stands above them; what the ledger and `status` say of it."""

import json

import pytest

from tests.county import visitor
from tests.digest import digest, read_tables
from tests.history import HEADER, LAYOUT
from tests.tiny import (
    ASB,
    BOTH_ENGINES,
    BURGLARY,
    CLOCK,
    CODES,
    NE,
    NW,
    SE,
    SW,
    county_on,
    write_layout,
    write_street,
    write_table,
)

JANUARY = ("--window", "2024-01:2024-01")
A, B, C, D = (
    ("A", "05/01/2024", *NW, "NOISE", "", ""),
    ("B", "06/01/2024", *SW, "NOISE", "", ""),
    ("C", "07/02/2024", *NE, "BREAK-IN", "", ""),
    ("D", "08/02/2024", *NE, "BREAK-IN", "", ""),
)
CHANGED = [
    ("A", "05/01/2024", *NW, "BREAK-IN", "01/03/2024 10:00", ""),
    ("B", "06/01/2024", *SW, "NOISE", "01/03/2024 10:00", "No incident"),
    ("C", "07/01/2024", *SE, "BREAK-IN", "02/03/2024 10:00", ""),
    ("E", "08/01/2024", *SE, "NOISE", "02/03/2024 10:00", ""),
    ("F", "08/03/2024", *SE, "NOISE", "09/03/2024 10:00", ""),
]
BEFORE = {
    (CODES[NW], "2024-01", "anti-social-behaviour"): 1,
    (CODES[SW], "2024-01", "anti-social-behaviour"): 1,
    (CODES[NE], "2024-02", "burglary"): 2,
}
AFTER = {
    (CODES[NW], "2024-01", "burglary"): 1,
    (CODES[SE], "2024-01", "burglary"): 1,
    (CODES[SE], "2024-01", "anti-social-behaviour"): 1,
    (CODES[NE], "2024-02", "burglary"): 1,
}


@pytest.fixture(scope="module", params=BOTH_ENGINES)
def county(request, tmp_path_factory):
    """Give a store that holds the four wards."""
    with county_on(request.param, request, tmp_path_factory.mktemp("county")) as county:
        yield county


class Desk:
    """An analyst's desk: writes files and loads them."""

    def __init__(self, url, invoke, folder):
        self.url, self.invoke, self.folder, self.files = url, invoke, folder, 0
        self.window_layout = write_layout(folder, LAYOUT)
        self.changes_layout = write_layout(folder, 'kind = "changes"\n' + LAYOUT, name="changes.toml")

    def run(self, *arguments, status=0):
        """Run a command."""
        return self.invoke(*arguments, store=self.url, env=CLOCK, status=status)

    def write(self, rows):
        """Write rows into a file of their own."""
        self.files += 1
        return write_table(self.folder / "received" / f"calls{self.files}.csv", HEADER, rows)

    def load(self, rows, *options, window="2024-01:2024-02", status=0):
        """Load the rows of a window."""
        file = rows if hasattr(rows, "suffix") else self.write(rows)
        return self.run(
            "load", "incidents", file, "--layout", self.window_layout, "--window", window, "--replace", *options, status=status
        )

    def change(self, *files, options=(), status=0):
        """Load extracts of changes: files, or the rows of one."""
        given = [file if hasattr(file, "suffix") else self.write(file) for file in files]
        return self.run("load", "incidents", *given, "--layout", self.changes_layout, *options, status=status)

    def counts(self):
        """Counts as {(ward, month, type): count}."""
        rows = json.loads(self.run("counts", "--format", "json").stdout)["rows"]
        return {(row["ward_code"], row["month"], row["crime_type"]): row["count"] for row in rows}

    def status(self, *options):
        """What `status` says, as data."""
        return json.loads(self.run("status", "--format", "json", *options).stdout)

    def rows(self):
        """Read, kept, set aside, and of these superseded, cancelled and waiting."""
        [source] = self.status()["sources"]
        return tuple(source[key] for key in ("read", "kept", "set_aside", "superseded", "cancelled", "waiting"))


@pytest.fixture
def desk(county, invoke, tmp_path):
    """Give a desk with a copy of that store."""
    with county.copy(tmp_path) as url:
        yield Desk(url, invoke, tmp_path)


def test_changes_reclassify_move_cancel_and_add_by_reference(desk):
    desk.load([A, B, C, D])
    assert desk.counts() == BEFORE

    said = desk.change(CHANGED).stderr

    assert desk.counts() == AFTER
    assert "extract 2 of changes: 2 incidents amended (of them 1 reclassified, 1 moved to another month or place), " in said
    assert "1 cancelled, 1 added, 1 waiting for a window that covers the day." in said
    assert "5 rows read: 3 kept (of them 0 repaired, 0 without coordinates), 2 set aside, 0 rejected." in said
    assert desk.rows() == (9, 4, 5, 2, 2, 1)
    [ward_set] = desk.status()["boundary_sets"]
    assert (ward_set["in_ward"], ward_set["outside"]) == (4, 0)


def test_the_order_of_windows_and_changes_does_not_matter(desk):
    desk.change(CHANGED)
    assert desk.rows() == (5, 0, 5, 0, 1, 4)

    desk.load([A, B, C, D])

    assert desk.counts() == AFTER
    assert desk.rows() == (9, 4, 5, 2, 2, 1)


def test_the_same_changes_again_change_nothing_at_all(desk):
    desk.load([A, B, C, D])
    file = desk.write(CHANGED)
    desk.change(file)
    before = digest(desk.url)

    assert "already loaded from the same files" in desk.change(file).stderr
    assert digest(desk.url) == before


def test_what_is_withdrawn_uncovers_what_it_stood_above(desk):
    desk.load([A, B, C, D])
    first = read_tables(desk.url)["incident"]
    desk.change(CHANGED)

    said = desk.run("unload", "2").stderr

    assert "Taken out: extract 2 (tiny-control-room calls, 2024-01-05 to 2024-03-08), 3 incidents." in said
    assert "Rows of other extracts that count again: 3." in said
    assert "not supplied" not in said
    assert desk.counts() == BEFORE
    assert read_tables(desk.url)["incident"] == first
    assert "Nothing of an extract 2 is in the store" in desk.run("unload", "2", status=1).stderr


def test_a_window_that_is_withdrawn_leaves_its_changes_waiting(desk):
    desk.load([A, B, C, D])
    desk.change(CHANGED)

    desk.run("unload", "1")

    assert desk.rows() == (5, 0, 5, 0, 1, 4)
    assert {m["status"] for m in desk.status()["sources"][0]["months"]} == {"not-supplied"}
    desk.load([A, B, C, D])
    assert desk.counts() == AFTER


def test_a_window_that_comes_again_stands_amended_unless_it_says_when_it_was_cut(desk):
    desk.load([A, B, C, D])
    desk.change(CHANGED)
    again = desk.write([A, B, C, D, ("G", "09/02/2024", *NE, "BREAK-IN", "", "")])

    said = desk.load(again).stderr

    assert desk.counts() == AFTER | {(CODES[NE], "2024-02", "burglary"): 2}
    assert "3 rows of it stand as amended by extract 2 (updated up to 2024-03-09)." in said
    assert "--as-of" in said

    said = desk.load(again, "--as-of", "2024-03-01").stderr

    # Of what was updated up to that day the window knows; C moved the day after, E was added then.
    assert "stand as amended" not in said
    assert desk.counts() == BEFORE | {
        (CODES[SE], "2024-01", "burglary"): 1,
        (CODES[SE], "2024-01", "anti-social-behaviour"): 1,
        (CODES[NE], "2024-02", "burglary"): 2,
    }
    desk.load(again, "--as-of", "2024-03-02")
    assert desk.counts() == BEFORE | {(CODES[NE], "2024-02", "burglary"): 3}
    before = digest(desk.url)
    assert "already loaded" in desk.load(again).stderr
    assert digest(desk.url) == before


def test_a_change_newer_than_the_row_of_a_window_cut_later_is_not_lost(desk):
    desk.load([("A", "05/01/2024", *NW, "NOISE", "20/02/2024 10:00", "")], "--as-of", "2024-03-02")

    desk.change(CHANGED[:1])

    assert desk.counts() == {(CODES[NW], "2024-01", "burglary"): 1}


def test_what_a_later_window_does_not_hold_was_taken_back(desk):
    desk.load([A])
    desk.change([("E", "08/01/2024", *SE, "NOISE", "02/03/2024 10:00", "")])
    assert sum(desk.counts().values()) == 2

    desk.load([A], "--as-of", "2024-03-02")

    assert desk.counts() == {(CODES[NW], "2024-01", "anti-social-behaviour"): 1}


def test_a_row_of_a_window_that_was_updated_later_stands(desk):
    desk.load([(*A[:5], "02/03/2024 00:00", ""), (*B[:5], "01/03/2024 10:00", "")])

    desk.change(CHANGED[:2])

    assert desk.counts() == {(CODES[NW], "2024-01", "anti-social-behaviour"): 1}
    assert desk.rows() == (4, 1, 3, 1, 2, 0)


def test_the_newest_of_several_changes_holds_however_they_come(desk):
    old, new = desk.write([CHANGED[0]]), desk.write([("A", "05/01/2024", *SE, "NOISE", "05/03/2024 10:00", "")])
    desk.load([A])
    desk.change(new)

    said = desk.change(old).stderr

    assert "0 incidents amended, 1 row older than what stands." in said
    assert desk.counts() == {(CODES[SE], "2024-01", "anti-social-behaviour"): 1}


def test_files_of_changes_that_overlap_count_each_state_once(desk):
    more = [*CHANGED, ("A", "05/01/2024", *NW, "BREAK-IN", "03/03/2024 10:00", "")]
    desk.load([A, B, C, D])

    desk.change(desk.write(CHANGED), desk.write(more))

    assert desk.counts() == AFTER


def test_a_reference_in_several_rows_is_one_state_with_several_rows(desk):
    desk.load([A, A])

    desk.change([CHANGED[0], ("A", "05/01/2024", *SE, "NOISE", "01/03/2024 10:00", "")])

    assert desk.counts() == {
        (CODES[NW], "2024-01", "burglary"): 1,
        (CODES[SE], "2024-01", "anti-social-behaviour"): 1,
    }


def test_rows_that_no_change_names_are_left_alone(desk):
    nameless = ("", "05/01/2024", *NW, "NOISE", "", "")
    desk.load([nameless, nameless, D, D])

    desk.change([CHANGED[0]])

    assert desk.counts() == {
        (CODES[NW], "2024-01", "anti-social-behaviour"): 2,
        (CODES[NE], "2024-02", "burglary"): 2,
        (CODES[NW], "2024-01", "burglary"): 1,
    }


def test_a_row_of_a_window_that_says_it_was_none_does_not_count(desk):
    said = desk.load([A, (*B[:6], "No incident")]).stderr

    assert desk.counts() == {(CODES[NW], "2024-01", "anti-social-behaviour"): 1}
    assert desk.rows() == (2, 1, 1, 0, 1, 0)
    assert "2 rows read: 1 kept (of them 0 repaired, 0 without coordinates), 1 set aside, 0 rejected." in said


@pytest.mark.parametrize(
    ("rows", "options", "says"),
    [
        (CHANGED, JANUARY, ["complete for no days", "without --window"]),
        (CHANGED, ("--as-of", "2024-03-01"), ["complete for no days", "without --as-of"]),
        ([CHANGED[0], ("", *CHANGED[1][1:])], (), ["no reference in 'Ref'", "line 3"]),
        ([(*CHANGED[0][:5], "", "")], (), ["no readable time of change in 'Updated'", "line 2"]),
        ([(*CHANGED[0][:5], "16/06/2024 10:00", "")], (), ["updated after today (2024-06-15)", "line 2"]),
    ],
    ids=["window", "as of", "no reference", "no update", "not yet"],
)
def test_changes_that_cannot_be_right_are_refused(desk, rows, options, says):
    desk.load([A, B, C, D])
    before = digest(desk.url)

    said = desk.change(rows, options=options, status=1).stderr

    assert all(words in said for words in says), said
    assert digest(desk.url) == before


@pytest.mark.parametrize(("day", "says"), [("2024-06-16", "is not there yet"), ("2023-12-31", "is before its window")])
def test_a_window_is_cut_neither_before_it_begins_nor_after_today(desk, day, says):
    assert says in desk.load([A], "--as-of", day, status=1).stderr


def test_status_says_what_the_last_load_altered_in_past_months(desk):
    desk.load([A, B, C, D])
    assert "changes" not in desk.status()
    assert desk.status("--changes")["changes"] == {
        "done_at": "2024-06-15T12:00:00",
        "what": "loaded calls1.csv (tiny-control-room calls)",
        "rows": [],
    }

    desk.change(CHANGED)

    keys = ("month", "crime_type", "before", "after", "gone", "added")
    found = desk.status("--changes")["changes"]["rows"]
    assert [tuple(row[key] for key in keys) for row in found] == [
        ("2024-01", "anti-social-behaviour", 2, 1, 2, 1),
        ("2024-01", "burglary", 0, 2, 0, 2),
        ("2024-02", "burglary", 2, 1, 1, 0),
    ]
    text = desk.run("status", "--changes").stdout
    assert "Last load, 2024-06-15 12:00: loaded calls2.csv (tiny-control-room calls)." in text
    assert "  tiny-control-room 2024-01 anti-social-behaviour: 2 before, 1 now (2 gone, 1 added)" in text
    assert "Set aside by changes: 2 superseded, 2 cancelled, 1 waiting." in text
    desk.run("unload", "2")
    found = desk.status("--changes")["changes"]
    assert found["what"] == "took out extract 2 (tiny-control-room calls, 2024-01-05 to 2024-03-08)"
    assert [(row["before"], row["after"]) for row in found["rows"]] == [(1, 2), (2, 0), (1, 2)]


def test_a_month_issued_again_is_told_and_a_new_one_is_not(desk):
    january = [(BURGLARY, NW), (ASB, NE)]
    desk.run("load", "incidents", write_street(desk.folder / "old", "2024-01", january))

    new = write_street(desk.folder / "new", "2024-01", [(BURGLARY, SW), (ASB, NE)])
    desk.run("load", "incidents", new, write_street(desk.folder / "new", "2024-02", january))

    [row] = desk.status("--changes")["changes"]["rows"]
    assert [row[key] for key in ("month", "crime_type", "before", "after", "gone", "added")] == [
        "2024-01",
        "burglary",
        1,
        1,
        1,
        1,
    ]


def test_a_figure_names_its_extracts_and_the_public_learns_nothing_else(desk):
    desk.run("load", "incidents", *(write_street(desk.folder / "open", f"2024-0{m}", [(BURGLARY, NW)]) for m in (1, 2)))
    desk.load([A, B, C, D])
    desk.change(CHANGED)
    desk.run("load", "incidents", write_street(desk.folder / "again", "2024-01", [(BURGLARY, SE)]))

    def extracts(*options):
        return json.loads(desk.run("counts", "--format", "json", *options).stdout)["meta"]["extracts"]

    assert extracts() == [2, 3, 4, 5]
    assert extracts("--from", "2024-02") == [2, 3, 4]
    assert extracts("--from", "2024-01", "--to", "2024-01", "--source", "tiny-constabulary") == [5]
    assert extracts("--crime-type", "burglary", "--source", "tiny-control-room") == [3, 4]
    with visitor(desk.url) as public, visitor(desk.url, audience="internal") as internal:
        for client, behind, all_of_them in ((public, [2, 3], [1, 2, 3]), (internal, [2, 3, 4, 5], [1, 2, 3, 4, 5])):
            answer = client.get("/api/v1/extracts").get_json()
            assert answer["meta"]["extracts"] == behind
            assert [row["id"] for row in answer["rows"]] == all_of_them
            assert [row["id"] for row in answer["rows"] if row["current"]] == behind
            assert client.get("/api/v1/measures/count").get_json()["meta"]["extracts"] == behind
            assert str(desk.folder) not in client.get("/api/v1/extracts").text + client.get("/data").text
        told = internal.get("/api/v1/extracts?source=tiny-control-room&from=2024-02&crime_type=asb").get_json()["rows"]
        assert [(row["id"], row["kind"], row["files"]) for row in told] == [
            (3, "window", ["calls1.csv"]),
            (4, "changes", ["calls2.csv"]),
        ]
        assert public.get("/api/v1/extracts?source=tiny-control-room").status_code == 400


def test_the_page_of_data_shows_what_was_altered_and_the_public_only_of_open_sources(desk):
    desk.run("load", "incidents", write_street(desk.folder / "open", "2024-01", [(BURGLARY, NW)]))
    with visitor(desk.url) as public:
        assert "Nothing is recorded of months that were supplied before." in public.get("/data").text
    desk.run("load", "incidents", write_street(desk.folder / "again", "2024-01", [(BURGLARY, SE)]))
    desk.load([A, B, C, D])
    desk.change(CHANGED)

    with visitor(desk.url) as public, visitor(desk.url, audience="internal") as internal:
        open_page, page = (client.get("/data").text.partition('id="altered"')[2] for client in (public, internal))
    assert "loaded calls2.csv (tiny-control-room calls)" in page
    assert "Anti-social behaviour" in page
    assert "Tiny Constabulary" in open_page
    assert "calls" not in open_page
    assert "control" not in open_page


def test_an_extract_that_is_loaded_again_is_named_by_its_new_number(desk):
    file = write_street(desk.folder / "open", "2024-01", [(BURGLARY, NW)])
    desk.run("load", "incidents", file)
    with visitor(desk.url) as client:
        before = client.get("/api/v1/measures/count").get_json()["meta"]
        desk.run("unload", "1")
        desk.run("load", "incidents", file)
        after = client.get("/api/v1/measures/count").get_json()["meta"]

    assert before["data_version"] == after["data_version"]
    assert (before["extracts"], after["extracts"]) == ([1], [2])
