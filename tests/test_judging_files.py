"""What figures are judged with: recording breaks, harm weights and groups of wards, from files, on both engines."""

import json
from contextlib import contextmanager

import pytest

from mapping.breaks import KINDS, shipped_breaks
from tests.county import visitor
from tests.digest import read_tables
from tests.tiny import (
    BOTH_ENGINES,
    BURGLARY,
    CLOCK,
    CODES,
    DRUGS,
    NE,
    NW,
    SE,
    SOURCE,
    SW,
    WARDS,
    county_on,
    write_calls,
    write_layout,
    write_street,
    write_table,
)

BREAKS = ("source", "crime_type", "month", "kind", "what")
WEIGHTS = ("crime_type", "weight", "source", "version", "date")
FEB = ("--from", "2024-02", "--to", "2024-02")


@pytest.fixture(scope="module", params=BOTH_ENGINES)
def county(request, tmp_path_factory):
    """Give a store with January and February 2024: 10 burglaries and a drug offence in the north-west, 2 and none elsewhere."""
    folder = tmp_path_factory.mktemp("judging")
    rows = [*(10 * [(BURGLARY, NW)]), (DRUGS, NW), *((BURGLARY, point) for point in (SW, NE, SE) for _ in range(2))]
    files = [write_street(folder, month, rows) for month in ("2024-01", "2024-02")]
    with county_on(request.param, request, folder, incidents=files) as county:
        yield county


@pytest.fixture
def url(county, tmp_path):
    """Give a copy of it."""
    with county.copy(tmp_path) as url:
        yield url


@pytest.fixture
def ask(url, invoke):
    """Run a command on it, and return what was printed on both ways out."""

    def run(*command, status=0):
        done = invoke(*command, store=url, env=CLOCK, status=status)
        return done.stdout + done.stderr

    return run


@pytest.fixture
def load(ask, tmp_path):
    """Load a table: load("breaks", BREAKS, [row, ...])."""

    def run(what, header, rows, *options, status=0):
        path = write_table(tmp_path / f"{what}.csv", header, rows)
        return ask("load", what, path, *options, status=status)

    return run


@contextmanager
def unchanged(url):
    """Nothing in the store is another than before."""
    before = read_tables(url)
    yield
    assert read_tables(url) == before


def northwest(ask, measure, *command):
    """The figure of the ward."""
    rows = json.loads(ask("measure", measure, *command, "--format", "json").partition("\n}\n")[0] + "\n}")["rows"]
    return next(row for row in rows if row["ward_code"] == CODES[NW])


def change(ask, *command):
    return northwest(ask, "change", *FEB, "--option", "against=period-before", "--crime-type", "burglary", *command)


BREAK = (SOURCE, "burglary", "2024-02", "hard", "Reports come over a new form")


def test_nothing_is_compared_across_a_hard_one(ask, load):
    assert change(ask)["status"] == "ok"

    assert "1 recording break loaded." in load("breaks", BREAKS, [BREAK])

    found = change(ask)
    assert (found["status"], found["value"]) == ("break", None)
    assert "Recording changed: February 2024: Reports come over a new form." in found["sentence"]
    assert "shipped and 1 from breaks.csv" in ask("status")


@pytest.mark.parametrize(
    ("row", "touches"),
    [
        (("", "burglary", "2024-02", "hard", "x"), True),
        (("", "all", "2024-02", "hard", "x"), True),
        (("", "crime", "2024-02-01", "hard", "x"), True),
        ((SOURCE, "drugs burglary", "2024-02", "HARD", "x"), True),
        (("somebody-else", "burglary", "2024-02", "hard", "x"), False),
        ((SOURCE, "drugs", "2024-02", "hard", "x"), False),
        ((SOURCE, "burglary", "2024-01", "hard", "x"), False),
        ((SOURCE, "burglary", "2024-03", "hard", "x"), False),
        ((SOURCE, "burglary", "2024-02", "soft", "x"), False),
    ],
)
def test_which_figures_one_touches(ask, load, row, touches):
    load("breaks", BREAKS, [row])

    assert (change(ask)["status"] == "break") == touches


def test_what_only_moved_between_types_is_no_break_of_them_together(ask, load):
    header = (*BREAKS, "within")
    load("breaks", header, [(SOURCE, "burglary drugs", "2024-02", "hard", "x", "yes")])

    assert change(ask)["status"] == "break"
    assert change(ask, "--crime-type", "crime")["status"] == "ok"


def test_another_file_takes_the_place_of_the_last(ask, load):
    load("breaks", BREAKS, [BREAK, BREAK])
    load("breaks", BREAKS, [(SOURCE, "drugs", "2023-07", "soft", "Another")])

    printed = ask("breaks", "--format", "json")
    own = [row for row in json.loads(printed)["rows"] if row["origin"] == "loaded"]
    assert [(row["crime_type"], row["month"], row["what"]) for row in own] == [("drugs", "2023-07", "Another")]


def test_the_printed_list_can_be_edited_and_loaded_again(ask, load, tmp_path):
    load("breaks", BREAKS, [BREAK])
    printed = ask("breaks", "--format", "csv")
    (tmp_path / "again.csv").write_text(printed, encoding="utf-8")

    ask("load", "breaks", tmp_path / "again.csv")

    assert ask("breaks", "--format", "csv") == printed


def test_a_shipped_one_can_be_struck_out(ask, load):
    shipped = next(b for b in shipped_breaks() if b.crime_types == ("anti-social-behaviour",))
    row = ("", "anti-social-behaviour", str(shipped.month), "none", "", " ".join(shipped.streams))

    load("breaks", (*BREAKS, "stream"), [row])

    assert len(json.loads(ask("breaks", "--format", "json"))["rows"]) == len(shipped_breaks()) - 1


def test_they_are_taken_out_again(url, ask, load):
    before = read_tables(url)
    load("breaks", BREAKS, [BREAK])

    assert "To load it again: breaks.csv" in ask("unload", "breaks")

    assert read_tables(url) == before
    assert "No breaks are loaded." in ask("unload", "breaks", status=1)


@pytest.mark.parametrize(
    ("header", "row", "complaint"),
    [
        (BREAKS[:-1], ("", "all", "2024-02", "hard"), "has no column what"),
        (BREAKS, ("", "all", "2024-02", "big", "x"), "line 2: 'big' is no kind of break"),
        (BREAKS, ("", "all", "soon", "hard", "x"), "line 2: 'soon' is not a month"),
        (BREAKS, ("", "all", "2034-02", "hard", "x"), "2034-02 is more than a year ahead"),
        (BREAKS, ("", "arson", "2024-02", "hard", "x"), "There is no crime type 'arson'"),
        (BREAKS, ("", "all", "2024-02", "hard", ""), "line 2: does not say what changed"),
        ((*BREAKS, "within"), ("", "all", "2024-02", "hard", "x", "perhaps"), "'perhaps' says neither yes nor no"),
        (BREAKS, ("", "all", "2024-02", "hard", "x", "y"), "line 2: has 6 fields, the header 5"),
        (BREAKS, ("", "all", "2024-02", "hard", "x" * 301), "301 characters long"),
    ],
)
def test_what_is_wrong_is_named_and_changes_nothing(url, load, header, row, complaint):
    load("breaks", BREAKS, [BREAK])

    with unchanged(url):
        assert complaint in load("breaks", header, [row], status=1)


def test_those_shipped_can_be_vouched_for():
    assert len(shipped_breaks()) >= 5
    for found in shipped_breaks():
        assert found.kind in KINDS[:2]
        assert found.what
        assert found.vouched_for_by


def test_a_break_of_a_protected_source_is_not_public(url, ask, load, tmp_path):
    layout = write_layout(tmp_path)
    calls = write_calls(tmp_path, [("05/02/2024", "BREAK-IN", NW)])
    ask("load", "incidents", calls, "--layout", layout, "--window", "2024-02-01:2024-02-29")
    load("breaks", BREAKS, [("tiny-control-room", "all", "2024-02", "soft", "Hidden words"), BREAK])

    for audience, seen in (("public", False), ("internal", True)):
        with visitor(url, audience=audience) as client:
            said = {path: client.get(path).text for path in ("/api/v1/breaks", "/methods", f"/wards/wd24/{CODES[NW]}", "/data")}
        assert [("Hidden words" in text) for text in said.values()][:2] == [seen, seen]
        assert seen or not any(word in text for text in said.values() for word in ("Hidden words", "tiny-control-room"))


WEIGHING = (("burglary", "320", "Made up, for tests", "2", "2024-11-01"), ("robbery", "1,000.5", "", "", ""))


def test_harm_is_worked_out_with_them(ask, load, tmp_path):
    residents = write_table(tmp_path / "residents.csv", ("code", "residents"), [(code, 1000) for code in CODES.values()])
    ask("load", "population", residents, "--boundaries", "wd24", "--year", "2024")
    assert northwest(ask, "harm", "--crime-type", "burglary")["status"] == "not-applicable"

    load("weights", WEIGHTS, WEIGHING, "--attribution", "Nobody")

    found = northwest(ask, "harm", "--crime-type", "burglary", *FEB)
    assert found["value"] == pytest.approx(10 * 320 * 12)
    assert "Made up, for tests, 2, 1 November 2024" in found["sentence"]
    assert "Nobody" in ask("measure", "harm", "--crime-type", "burglary", "--format", "json")
    assert northwest(ask, "harm", "--crime-type", "anti-social-behaviour")["status"] == "not-applicable"
    assert "2 crime types" in ask("status")


def test_weights_are_taken_out_again(url, ask, load):
    before = read_tables(url)
    load("weights", WEIGHTS, WEIGHING)

    assert "To load it again: weights.csv" in ask("unload", "weights")

    assert read_tables(url) == before


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([("burglary", "320", "a", "", "2024-11-01")], "its column version says nothing"),
        ([("burglary", "320", "a", "1", "2024-11-01"), ("robbery", "1", "b", "", "")], "source says 2 different things"),
        ([("burglary", "320", "a", "1", "November")], "'November' is not a date"),
        ([("burgling", "320", "a", "1", "2024-11-01")], "line 2: there is no crime type 'burgling'"),
        ([("burglary", "much", "a", "1", "2024-11-01")], "line 2: 'much' is not a weight"),
        ([("burglary", "-1", "a", "1", "2024-11-01")], "'-1' is not a weight"),
        ([("burglary", "nan", "a", "1", "2024-11-01")], "'nan' is not a weight"),
        ([("burglary", "1", "a", "1", "2024-11-01"), ("burglary", "2", "", "", "")], "line 3: the crime type burglary stands"),
        ([("anti-social-behaviour", "5", "a", "1", "2024-11-01")], "anti-social behaviour has no harm weight"),
        ([("burglary", "0", "a", "1", "2024-11-01")], "no type has a weight above 0"),
    ],
)
def test_wrong_weights_are_named_and_change_nothing(url, load, rows, complaint):
    load("weights", WEIGHTS, WEIGHING)

    with unchanged(url):
        assert complaint in load("weights", WEIGHTS, rows, status=1)


GROUPING = tuple((code, "town" if code in (CODES[NW], CODES[SW]) else "country") for code in CODES.values())


def test_the_set_is_told_from_the_codes(ask, load):
    said = load("groups", ("ward_code", "group"), GROUPING)

    assert "Groups of wd24: 4 wards in 2 groups (group)." in said
    assert "Groups of fewer than 10 wards say little: country, town." in said
    assert "Groups of wd24: 4 wards in 2 groups (groups.csv)" in ask("status")


def test_a_ward_may_be_in_none(load):
    said = load("groups", ("ward_code", "group"), [*GROUPING[:2], (CODES[NE], "")])

    assert "2 wards of wd24 in no group: not compared with similar wards." in said


def test_they_stay_while_the_codes_do(ask, load):
    load("groups", ("ward_code", "group"), GROUPING)

    ask("load", "boundaries", WARDS, "--replace")

    assert "Groups of wd24: 4 wards" in ask("status")


def test_they_go_with_their_set(url, ask, load):
    load("groups", ("ward_code", "group"), GROUPING)

    ask("unload", "boundaries", "wd24")

    assert not read_tables(url)["ward_group"]
    assert not read_tables(url)["ward_group_file"]


def test_groups_are_taken_out_again(url, ask, load):
    before = read_tables(url)
    load("groups", ("ward_code", "group"), GROUPING)

    assert "To load it again: groups.csv" in ask("unload", "groups", "wd24")

    assert read_tables(url) == before
    assert "No groups of wd24 are loaded." in ask("unload", "groups", "wd24", status=1)
    assert "Usage" in ask("unload", "groups", status=2)


@pytest.mark.parametrize(
    ("table", "options", "complaint"),
    [
        ((("ward", "group"), [("X99", "a")]), (), "no column holds codes of wards of a loaded set"),
        ((("ward", "group"), [(CODES[NW], "a"), (CODES[NW], "b")]), (), f"the ward {CODES[NW]} is in two groups, a and b"),
        ((("ward", "one", "two"), [(CODES[NW], "a", "b")]), (), "no column looks like groups"),
        ((("ward", "group"), [(CODES[NW], "a")]), ("--column", "none"), "has no column 'none'"),
        ((("ward", "group"), [(CODES[NW], "a")]), ("--boundaries", "wd99"), "There is no boundary set 'wd99'"),
    ],
)
def test_wrong_groups_are_named_and_change_nothing(url, load, table, options, complaint):
    load("groups", ("ward_code", "group"), GROUPING)

    with unchanged(url):
        assert complaint in load("groups", *table, *options, status=1)
