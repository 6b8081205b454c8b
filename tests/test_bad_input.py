"""Bad input: one clear message that says what, where and what to do; exit code 1; the store exactly as before."""

import gzip
import io
import re
import socket
import sqlite3
import tomllib
import warnings
import zipfile

import pytest
import xlsxwriter
from sqlalchemy import create_engine, make_url, text

from tests.digest import digest
from tests.tiny import (
    ASB,
    BOTH_ENGINES,
    BURGLARY,
    CALLS,
    CLOCK,
    DRUGS,
    HEADER,
    LAYOUT,
    NE,
    NW,
    POPULATION,
    STREET,
    WARDS,
    county_on,
    fill,
    street_rows,
    write_calls,
    write_layout,
    write_street,
    write_table,
)

GOOD = STREET.read_bytes()
LINES = GOOD.splitlines(keepends=True)
NAME = "2024-02-tiny-street.csv"


@pytest.fixture(scope="module", params=BOTH_ENGINES)
def county(request, tmp_path_factory):
    """Give a store that holds the wards and January: nothing here may change it."""
    with county_on(request.param, request, tmp_path_factory.mktemp("county"), incidents=[STREET]) as county:
        yield county


@pytest.fixture
def refused(county, invoke):
    """Run a command that must be refused, saying these words: refused("load", "incidents", path, says=[...])."""

    def run(*arguments, says):
        before = digest(county.url)
        done = invoke(*arguments, store=county.url, env=CLOCK, status=1)
        assert digest(county.url) == before
        assert done.stdout == ""
        assert done.stderr.startswith("Error: ")
        assert "Traceback" not in done.stderr
        missing = [words for words in says if words not in done.stderr]
        assert not missing, f"{missing} not in\n{done.stderr}"
        return done.stderr

    return run


@pytest.fixture
def refused_file(refused, tmp_path):
    """Load a file of these bytes under a name, which must be refused."""

    def run(name, data, *options, says):
        (tmp_path / name).write_bytes(data)
        return refused("load", "incidents", *options, tmp_path / name, says=[name, *says])

    return run


def zipped(**members):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return made.getvalue()


def workbook(rows, *, far=False):
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
        if far:
            sheet.write(1_048_575, 16_383, "x")
    return made.getvalue()


# Files that cannot be read


def test_a_missing_file(refused, tmp_path):
    refused("load", "incidents", tmp_path / "gone.csv", says=["gone.csv", "No such file", "Check the name"])


def test_one_missing_file_among_good_ones(refused, tmp_path):
    refused("load", "incidents", STREET, tmp_path / "gone.csv", says=["gone.csv", "No such file"])


def test_a_folder_without_tables(refused, tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "letter.pdf").write_bytes(b"%PDF")
    refused("load", "incidents", tmp_path / "letters", says=["letters", "holds no .csv"])


FLAG = 6, 8  # where a zip's local and central headers keep the mark of encryption


def encrypted():
    data = bytearray(zipped(**{"2024-02-tiny-street.csv": GOOD}))
    for signature, offset in ((b"PK\x03\x04", FLAG[0]), (b"PK\x01\x02", FLAG[1])):
        data[data.index(signature) + offset] |= 1
    return bytes(data)


def damaged():
    data = bytearray(zipped(**{"2024-02-tiny-street.csv": GOOD}))
    data[100] ^= 255
    return bytes(data)


UNREADABLE = {
    "empty": (NAME, b"", ["is empty", "Fetch it again"]),
    "blank": (NAME, b"\n \n\r\n", ["is empty"]),
    "header only": (NAME, LINES[0], ["a header and no rows"]),
    "not a table": ("letter.pdf", b"%PDF-1.7", ["not a table", ".csv"]),
    "picture named csv": (NAME, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", ["binary file", "CSV or XLSX"]),
    "zero bytes far inside": (NAME, GOOD + LINES[1] * 99 + LINES[1].replace(b"Mill", b"\0"), ["binary file"]),
    "workbook named csv": (NAME, workbook([HEADER]), ["whatever its name says"]),
    "csv named xlsx": ("extract.xlsx", GOOD, ["no XLSX workbook", "whatever its name says"]),
    "csv named zip": ("extract.zip", GOOD, ["zip archive is damaged"]),
    "csv named gz": ("extract.csv.gz", GOOD, ["gzip file is damaged"]),
    "cut workbook": ("extract.xlsx", workbook([HEADER] * 99)[:-400], ["damaged or cut short", "Fetch it again"]),
    "cut zip": ("extract.zip", zipped(**{NAME: GOOD})[:-60], ["damaged or cut short", "Fetch it again"]),
    "damaged zip": ("extract.zip", damaged(), ["damaged or cut short"]),
    "cut gzip": (f"{NAME}.gz", gzip.compress(GOOD)[:-20], ["damaged or cut short", "Fetch it again"]),
    "zip of no tables": ("extract.zip", zipped(**{"readme.md": "hello"}), ["holds no .csv", "readme.md"]),
    "zip of nothing": ("extract.zip", zipped(), ["holds no .csv", "nothing"]),
    "zip of zips": ("extract.zip", zipped(**{"inner.zip": zipped(**{NAME: GOOD})}), ["holds no .csv", "inner.zip"]),
    "zip with a password": ("extract.zip", encrypted(), ["is encrypted", "without a password"]),
    "path that climbs out": ("extract.zip", zipped(**{"../../etc/x.csv": GOOD}), ["'../../etc/x.csv' climbs out"]),
    "path from the root": ("extract.zip", zipped(**{"/etc/x.csv": GOOD}), ["climbs out"]),
    "path to a drive": ("extract.zip", zipped(**{"C:\\x.csv": GOOD}), ["climbs out"]),
    "zip bomb": ("extract.zip", zipped(**{NAME: bytes(60 * 2**20)}), ["would expand", "zip bomb", "unpack it yourself"]),
    "workbook bomb": ("extract.xlsx", zipped(**{"xl/sheet1.xml": bytes(60 * 2**20)}), ["would expand", "zip bomb"]),
    "workbook with a cell far away": (
        "extract.xlsx",
        workbook([HEADER], far=True),
        ["row 1,048,576 and column 16,384", "too far"],
    ),
    "gzip bomb": (f"{NAME}.gz", gzip.compress(bytes(60 * 2**20)), ["would expand", "bomb"]),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_a_file_that_cannot_be_read(refused_file, case):
    name, data, says = UNREADABLE[case]
    refused_file(name, data, says=says)


def test_a_path_in_a_zip_writes_nothing_outside(refused, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "wards.zip").write_bytes(zipped(**{"../../escaped.geojson": WARDS.read_bytes()}))

    refused("load", "boundaries", tmp_path / "in" / "wards.zip", says=["climbs out", "Do not trust"])

    assert not list(tmp_path.rglob("escaped*"))


# Headers, rows and encodings


def test_a_header_that_no_layout_knows(refused_file):
    refused_file(
        "extract.csv", b"Ref,When,What\n1,2,3\n", says=["no layout knows its header: Ref, When, What", "--layout FILE"]
    )


def test_a_header_that_lacks_a_column_of_the_chosen_layout(refused, tmp_path):
    extract = write_table(tmp_path / "calls.csv", [c for c in CALLS if c != "East"], [["1"] * 6])
    says = ["calls.csv", "the layout tiny-control-room", "East", "Ref, Recorded"]
    refused("load", "incidents", "--layout", write_layout(tmp_path), extract, says=says)


def swap_line(number, line):
    return b"".join([*LINES[:number], line, *LINES[number + 1 :]])


SPOILED = {
    "cut in a row": (GOOD[: GOOD.rindex(b"Drugs")], ["line 11 (10 of 12)", "cut short", "--skip-bad-rows"]),
    "cut inside quotes": (swap_line(10, b'x,2024-01,"Tiny Consta'), ["quotation mark is opened and never closed"]),
    "too few fields": (swap_line(3, b"a,b,c\n"), ["1 rows have another number of fields", "line 4 (3 of 12)"]),
    "too many fields": (swap_line(3, LINES[3].strip() + b",more\n"), ["line 4 (13 of 12)"]),
    "cp1252 bytes": (GOOD.replace(b"Mill Lane", b"Mill L\xe4ne", 1), ["line 2", "0xe4 is not utf-8", "cp1252"]),
    "a stray pair of quotes": (GOOD.replace(b"On or near", b'"On or near').replace(b"Lane,E", b'Lane,"E'), ["line"]),
    "UTF-16 without a mark": (GOOD.decode().encode("utf-16-le"), ["binary file"]),
}


@pytest.mark.parametrize("case", SPOILED)
def test_a_spoiled_text(refused_file, case):
    data, says = SPOILED[case]
    refused_file("2024-01-tiny-street.csv", data, says=says)


@pytest.mark.parametrize("column", [3, 6, 8], ids=["Falls within", "Location", "LSOA name"])
def test_stray_quotes_that_join_two_rows(refused_file, column):
    """Well-formed CSV with a row less: seen by the rows that stand inside one field, kept column or not."""
    lines = [line.decode().split(",") for line in LINES]
    lines[1][column] = '"' + lines[1][column]
    lines[2][column] = lines[2][column] + '"'
    refused_file("2024-01-tiny-street.csv", "".join(map(",".join, lines)).encode(), says=["quotation mark", "joined"])


def test_utf_8_where_the_layout_says_cp1252(refused, tmp_path):
    layout = write_layout(tmp_path, LAYOUT.replace("crs =", 'encoding = "cp1252"\ncrs ='))
    extract = tmp_path / "calls.csv"
    extract.write_text("Ref,Recorded,From,To,East,North,What\n1é,05/01/2024,,,1,1,NOISE\n", encoding="utf-8")
    refused("load", "incidents", "--layout", layout, extract, says=["states cp1252", "is UTF-8", 'encoding = "utf-8"'])


def test_one_bad_file_refuses_them_all_and_every_fault_is_told(refused, tmp_path):
    good = write_street(tmp_path, "2024-02", [(ASB, NW)])
    bad = tmp_path / "2024-03-tiny-street.csv"
    bad.write_bytes(LINES[0] + b"a,b,c\n")
    worse = write_street(tmp_path, "2024-04", [("Arson", NW)])
    refused("load", "incidents", good, bad, worse, says=[bad.name, "(3 of 12)", worse.name, "Arson", "Nothing was stored"])


# Coordinates


@pytest.mark.parametrize(
    ("crs", "point", "says"),
    [
        ("EPSG:27700", (201_500, 9_500_500), "which coordinate system"),
        ("EPSG:27700", (1_201_500, 500_500), "x and y look swapped"),
        ("EPSG:4326", (51.7, -0.54), "x and y look swapped"),
        ("EPSG:27700", (-0.54, 51.7), 'longitude and latitude: crs = "EPSG:4326"?'),
        ("EPSG:27700", (51.7, -0.54), "latitude and longitude: swapped"),
        ("EPSG:4326", (500_500, 201_500), 'easting and northing: crs = "EPSG:27700"?'),
    ],
)
def test_coordinates_that_are_swapped_or_of_another_system(refused, tmp_path, crs, point, says):
    layout = write_layout(tmp_path, LAYOUT.replace("EPSG:27700", crs))
    extract = write_calls(tmp_path, [("05/01/2024", "NOISE", point)] * 2 + [("05/01/2024", "NOISE", None)])
    window = ("--window", "2024-01:2024-01")
    wanted = ["calls.csv", "more than half of its coordinates lie outside the United Kingdom", says, crs]
    refused("load", "incidents", "--layout", layout, *window, extract, says=wanted)


# Months, types and windows


@pytest.mark.parametrize(
    ("month", "says"),
    [
        ("2024-07", ["dated after the current month (2024-06)", "line 2 '2024-07'"]),
        ("2204-01", ["dated after the current month"]),
        ("2024-13", ["no readable date in 'Month'", "line 2 '2024-13'", "%Y-%m"]),
        ("January 2024", ["no readable date", "'January 2024'"]),
        ("", ["no readable date"]),
    ],
)
def test_a_month_in_the_future_or_unreadable(refused, tmp_path, month, says):
    rows = street_rows("2024-01", [(BURGLARY, NW)])
    rows[0][1] = month
    refused("load", "incidents", write_table(tmp_path / "2024-01-tiny-street.csv", HEADER, rows), says=says)


def test_unknown_types_are_all_listed_with_lines_that_then_work(refused, invoke, tmp_path):
    rows = [("Arson", NW), ("Arson", NE), ('Odd "kind"', NW), (BURGLARY, NW)]
    extract = write_street(tmp_path, "2024-02", rows)
    said = refused("load", "incidents", extract, says=["2 crime types", "in 3 rows", 'extends = "police-uk"'])

    lines = re.findall(r'^"(.*)" = ""  # ([\d,]+) rows$', said, flags=re.MULTILINE)
    assert lines == [("Arson", "2"), ('Odd \\"kind\\"', "1")]
    pasted = said[said.index("[crime_types]") :].split("\nNothing")[0]
    filled = 'extends = "police-uk"\n' + pasted.replace('= ""', '= "other-crime"')
    url = f"sqlite:///{tmp_path / 'other.db'}"
    fill(url, incidents=())
    done = invoke("load", "incidents", "--layout", write_layout(tmp_path, filled), extract, store=url, env=CLOCK)
    assert "4 rows read: 4 kept" in done.stderr


HOSTILE = "\x07\x9b2J\u202e\x7f"
"""What a terminal would obey: a bell, a sequence that clears it, and letters that turn round."""


def test_what_a_file_says_never_reaches_a_terminal_raw(refused, county, invoke, tmp_path):
    day, extract = "05/02/2024", tmp_path / "calls.csv"
    options = ("--layout", write_layout(tmp_path), "--window", "2024-02:2024-02")
    for row in ((day, HOSTILE, NW), (HOSTILE, "NOISE", NW)):
        said = refused("load", "incidents", write_calls(tmp_path, [row]), *options, says=["calls.csv"])
        assert said.replace("\n", "").isprintable()
    unknown = refused("load", "incidents", write_calls(tmp_path, [(day, HOSTILE, NW)]), *options, says=[])
    pasted = unknown[unknown.index("[crime_types]") :].split("\nNothing")[0]
    assert tomllib.loads(pasted) == {"crime_types": {HOSTILE: ""}}
    extract.write_text(f"Re{HOSTILE}f,What\n1,2\n", encoding="utf-8")
    assert "Re\\x07\\x9b2J\\u202e\\x7ff" in refused("load", "incidents", extract, says=["no layout knows its header"])
    with county.copy(tmp_path) as url:
        rows = [(day, HOSTILE, NW), (day, "NOISE", NW)]
        done = invoke("load", "incidents", write_calls(tmp_path, rows), *options, "--set-aside-unknown", store=url, env=CLOCK)
    assert done.stderr.replace("\n", "").isprintable()


def test_a_coordinate_out_of_any_range_is_one_that_is_outside(county, invoke, tmp_path):
    rows = [("05/02/2024", "NOISE", NW), ("05/02/2024", "NOISE", NW), ("05/02/2024", "NOISE", ("-1e308", "201500"))]
    options = ("--layout", write_layout(tmp_path), "--window", "2024-02:2024-02")
    with county.copy(tmp_path) as url, warnings.catch_warnings():
        warnings.simplefilter("error")
        done = invoke("load", "incidents", write_calls(tmp_path, rows), *options, store=url, env=CLOCK)
    assert "repaired: 1 row: the point is outside the United Kingdom" in done.stderr


def test_unknown_types_of_a_users_own_layout_go_into_that_layout(refused, tmp_path):
    extract = write_calls(tmp_path, [("05/01/2024", "SHOUTING", NW)])
    options = ("--layout", write_layout(tmp_path), "--window", "2024-01:2024-01")
    said = refused("load", "incidents", *options, extract, says=["tiny-control-room", '"SHOUTING" = ""  # 1 rows'])
    assert "extends" not in said


def test_without_a_window_one_is_proposed_that_then_works(refused, invoke, tmp_path):
    layout = write_layout(tmp_path)
    extract = write_calls(tmp_path, [("05/01/2024", "NOISE", NW), ("11/02/2024", "NOISE", NW)])
    said = refused("load", "incidents", "--layout", layout, extract, says=["run from 2024-01-05 to 2024-02-11"])

    proposed = re.search(r"--window (\S+?);", said)[1]
    assert proposed == "2024-01-05:2024-02-11"
    url = f"sqlite:///{tmp_path / 'other.db'}"
    fill(url, incidents=())
    invoke("load", "incidents", "--layout", layout, "--window", proposed, extract, store=url, env=CLOCK)


def test_a_street_file_of_several_months_that_no_name_tells(refused, tmp_path):
    rows = street_rows("2024-02", [(BURGLARY, NW)]) + street_rows("2024-03", [(BURGLARY, NW)])
    refused("load", "incidents", write_table(tmp_path / "all.csv", HEADER, rows), says=["--window 2024-02-01:2024-03-31"])


def test_a_file_under_the_name_of_another_month(refused, tmp_path):
    wrong = write_street(tmp_path, "2024-02", [(ASB, NW)], name="2024-03-tiny-street.csv")
    refused("load", "incidents", wrong, says=["no row lies in its window 2024-03-01:2024-03-31", "2024-02-01"])


def test_a_window_that_cuts_a_month_of_which_no_day_is_known(refused, tmp_path):
    window = ("--window", "2024-02-01:2024-02-10")
    refused("load", "incidents", *window, write_street(tmp_path, "2024-02", [(ASB, NW)]), says=["start and end with a month"])


def test_a_window_of_days_over_a_month_that_is_stored_without_days(refused, tmp_path):
    layout = LAYOUT.replace('"tiny-control-room"', '"tiny-constabulary"').replace('"calls"', '"street"')
    layout = write_layout(tmp_path, layout.replace("protected", "open"))
    week = write_calls(tmp_path, [("09/01/2024", "NOISE", NW)])
    window = ("--window", "2024-01-08:2024-01-14")
    refused("load", "incidents", "--layout", layout, *window, week, says=["cuts a month", "10 rows", "without a day"])


def test_a_window_may_not_lose_more_than_half_its_rows(refused, tmp_path):
    few = tmp_path / STREET.name
    few.write_bytes(b"".join(LINES[:5]))
    refused("load", "incidents", few, says=["with 4 rows, where 10 are stored", "--replace"])


def test_two_issues_of_one_month_in_one_command(refused, tmp_path):
    old = write_street(tmp_path / "old", "2024-02", [(BURGLARY, NW), (DRUGS, NW)])
    new = write_street(tmp_path / "new", "2024-02", [(BURGLARY, NW), (DRUGS, NW), (ASB, NW)])
    refused("load", "incidents", old, new, says=[str(old), str(new), "two issues", "the newer one only"])


def test_overlapping_windows_in_one_command(refused, tmp_path):
    month = write_street(tmp_path, "2024-02", [(BURGLARY, NW)])
    rows = street_rows("2024-02", [(ASB, NE)], tag="y")
    other = write_table(tmp_path / "again.csv", HEADER, [*rows, *street_rows("2024-02", [(DRUGS, NE)], tag="z")])
    layout = write_layout(tmp_path, 'extends = "police-uk"\nwindow = ""\n')
    refused("load", "incidents", month, other, "--layout", layout, says=["nothing says which days it is complete for"])


def test_a_source_is_never_opened_or_closed_by_a_load(refused, tmp_path):
    layout = write_layout(tmp_path, 'extends = "police-uk"\naccess = "protected"\n')
    february = write_street(tmp_path, "2024-02", [(ASB, NW)])
    says = ["tiny-constabulary is open in the store", "says protected", "--source"]
    refused("load", "incidents", "--layout", layout, february, says=says)


def test_a_row_that_names_nobody_as_its_source(refused, tmp_path):
    rows = street_rows("2024-02", [(BURGLARY, NW)], force="")
    path = write_table(tmp_path / NAME, HEADER, rows)
    refused("load", "incidents", path, says=["'Reported by' is blank", "--source ID"])


def test_a_source_that_is_no_id(refused):
    refused("load", "incidents", "--source", "Tiny Police", STREET, says=["'Tiny Police'", "'tiny-police'"])


@pytest.mark.parametrize("window", ["2024-01", "2024-02-30:2024-03-01", "2024-03:2024-01", "a:b"])
def test_a_window_that_is_none_is_wrong_usage(county, invoke, window):
    before = digest(county.url)
    done = invoke("load", "incidents", "--window", window, STREET, store=county.url, status=2)
    assert "--window" in done.stderr
    assert digest(county.url) == before


def test_skip_bad_rows_rejects_them_and_keeps_the_rest(county, invoke, tmp_path):
    path = tmp_path / STREET.name
    path.write_bytes(swap_line(3, b"a,b,c\n"))
    with county.copy(tmp_path) as url:
        done = invoke("load", "incidents", "--skip-bad-rows", path, store=url, env=CLOCK)
    assert "10 rows read: 9 kept" in done.stderr
    assert "1 rejected" in done.stderr
    assert "line 4" in done.stderr
    assert "'3 of 12'" in done.stderr


def test_replace_lets_a_window_lose_its_rows(county, invoke, tmp_path):
    few = tmp_path / STREET.name
    few.write_bytes(b"".join(LINES[:3]))
    with county.copy(tmp_path) as url:
        done = invoke("load", "incidents", "--replace", few, store=url, env=CLOCK)
    assert "2 rows kept, in place of 10" in done.stderr


# Boundaries and population


BAD_BOUNDARIES = {
    "empty": ("wards.geojson", b"", ["is empty"]),
    "not json": ("wards.geojson", b"hello", ["not what its name says"]),
    "cut": ("wards.geojson", WARDS.read_bytes()[:900], ["cannot be read", "Fetch or export it again"]),
    "csv": ("wards.csv", GOOD, ["no file of boundaries", ".gpkg"]),
    "cut zip": ("wards.zip", zipped(**{"w.geojson": WARDS.read_bytes()})[:-60], ["damaged or cut short"]),
    "zip of tables": ("wards.zip", zipped(**{"w.csv": GOOD}), ["holds no .shp", "w.csv"]),
    "two in a zip": (
        "wards.zip",
        zipped(**{"a.geojson": b"{}", "b.geojson": b"{}"}),
        ["holds 2 files of boundaries", "a.geojson"],
    ),
    "no features": ("wards.geojson", b'{"type": "FeatureCollection", "features": []}', ["holds no polygons"]),
}


@pytest.mark.parametrize("case", BAD_BOUNDARIES)
def test_boundaries_that_cannot_be_read(refused, tmp_path, case):
    name, data, says = BAD_BOUNDARIES[case]
    (tmp_path / name).write_bytes(data)
    refused("load", "boundaries", "--name", "other", tmp_path / name, says=[name, *says])


def test_boundaries_that_are_not_there(refused, tmp_path):
    refused("load", "boundaries", tmp_path / "gone.shp", says=["gone.shp", "No such file"])


def test_population_of_a_set_that_is_not_there(refused):
    refused("load", "population", POPULATION, "--boundaries", "wd99", "--year", "2020", says=["'wd99'", "Loaded: wd24"])


def test_population_that_is_not_there_or_no_table(refused, tmp_path):
    load = ("load", "population", "--boundaries", "wd24", "--year", "2020")
    refused(*load, tmp_path / "gone.csv", says=["gone.csv", "No such file"])
    (tmp_path / "people.xlsx").write_bytes(workbook([["WD24CD", "residents"]]))
    refused(*load, tmp_path / "people.xlsx", says=["people.xlsx", "workbook", "CSV"])


# The store


ASK = {
    "status": ("status",),
    "counts": ("counts",),
    "load": ("load", "incidents", STREET),
    "boundaries": ("load", "boundaries", WARDS),
    "unload": ("unload", "1"),
}


@pytest.mark.parametrize("command", ASK)
def test_a_store_that_is_not_there(invoke, tmp_path, command):
    done = invoke(*ASK[command], store=f"sqlite:///{tmp_path / 'none.db'}", status=1)

    assert "There is no store at" in done.stderr
    assert "wardwatch init" in done.stderr
    assert not (tmp_path / "none.db").exists()


@pytest.mark.parametrize("command", ASK)
def test_a_store_without_tables(invoke, store_url, command):
    if store_url.startswith("sqlite"):
        sqlite3.connect(make_url(store_url).database).execute("PRAGMA user_version = 1").connection.close()

    done = invoke(*ASK[command], store=store_url, status=1)

    assert "no tables of ours" in done.stderr
    assert "Run `wardwatch init`" in done.stderr


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://localhost/x", "is not the address of a store"),
        ("nonsense", "is not the address of a store"),
        ("sqlite://", "is not the address of a store"),
        ("postgresql+nothing://x/y", None),
    ],
)
def test_an_address_that_is_none(invoke, url, says):
    done = invoke("status", store=url, status=1)
    assert says is None or says in done.stderr


def test_a_password_is_never_shown(invoke):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    done = invoke("status", store=f"postgresql+psycopg://someone:sesame@127.0.0.1:{port}/x", status=1)
    assert "cannot be used" in done.stderr
    assert "efused" in done.stderr
    assert "See that the database runs" in done.stderr
    assert "sesame" not in done.stderr


def test_a_database_that_is_not_there(invoke, databases):
    done = invoke("load", "incidents", STREET, store=databases.url_of("no_such_database"), status=1)
    assert "cannot be used" in done.stderr
    assert "no_such_database" in done.stderr


def test_a_file_that_is_no_store(invoke, tmp_path):
    path = tmp_path / "letter.db"
    path.write_text("Dear Sir, " * 500)
    for command in (("status",), ("init",)):
        done = invoke(*command, store=f"sqlite:///{path}", status=1)
        assert "is not a store" in done.stderr
    assert path.read_text() == "Dear Sir, " * 500


def test_another_programs_tables_are_left_alone(invoke, store_url):
    engine = create_engine(store_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE place (name text)"))
    engine.dispose()

    assert "no tables of ours" in invoke("status", store=store_url, status=1).stderr
    done = invoke("init", store=store_url, status=1)

    assert "tables that are not ours: place" in done.stderr
    assert "Nothing was changed" in done.stderr


@pytest.mark.parametrize(("version", "says"), [("0000", "older wardwatch"), ("9999", "newer wardwatch")])
def test_a_store_of_another_version(county, invoke, tmp_path, version, says):
    with county.copy(tmp_path) as url:
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text("UPDATE wardwatch_version SET version_num = :v"), {"v": version})
        engine.dispose()

        done = invoke("load", "incidents", STREET, store=url, status=1)
        assert says in done.stderr
        if version == "9999":
            done = invoke("init", store=url, status=1)
            assert says in done.stderr


def test_a_store_that_cannot_be_written_to(invoke, tmp_path):
    (tmp_path / "folder.db").mkdir()
    done = invoke("init", store=f"sqlite:///{tmp_path / 'folder.db'}", status=1)
    assert "cannot be used" in done.stderr


def test_a_damaged_store(invoke, tmp_path):
    path = tmp_path / "store.db"
    fill(f"sqlite:///{path}")
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)

    done = invoke("status", store=f"sqlite:///{path}", status=1)

    assert str(path) in done.stderr


# What lies about itself


def test_coordinates_that_are_no_numbers(refused, tmp_path):
    layout = write_layout(tmp_path)
    extract = write_calls(tmp_path, [("05/03/2024", "NOISE", ("500500,25", "201500,1"))] * 4)
    refused(
        *("load", "incidents", "--layout", layout, "--window", "2024-03:2024-03", extract),
        says=["more than half of its coordinates are not numbers", 'decimal = ","'],
    )


@pytest.mark.parametrize("window", ["2024-01-01:2026-12-31", "1066-10-01:2024-01-31", "0001-01-01:9999-12-30"])
def test_a_window_that_nothing_can_be_complete_for(refused, tmp_path, window):
    extract = write_street(tmp_path, "2024-01", [(ASB, NW)])
    refused("load", "incidents", "--window", window, extract, says=["is not between 1970 and the current month (2024-06)"])


def test_rows_dated_before_there_were_computers(refused, tmp_path):
    refused("load", "incidents", write_street(tmp_path, "1066-10", [(ASB, NW)]), says=["before 1970", "1066-10"])


def test_a_field_that_holds_half_a_file(refused, tmp_path):
    rows = street_rows("2024-02", [(BURGLARY, NW)])
    rows[0][HEADER.index("Location")] = "x" * 501
    long = write_table(tmp_path / "2024-02-tiny-street.csv", HEADER, rows)
    refused("load", "incidents", long, says=["'Location' holds a text of 501 characters"])


def test_a_column_that_stands_twice(refused, tmp_path):
    header = [*HEADER[:-1], "Crime type"]
    twice = write_table(tmp_path / "2024-02-tiny-street.csv", header, street_rows("2024-02", [(BURGLARY, NW)]))
    refused("load", "incidents", twice, says=["has the column 'Crime type' more than once"])


def test_a_type_that_two_layouts_define_differently(invoke, tmp_path):
    url = f"sqlite:///{tmp_path / 'other.db'}"
    fill(url, incidents=())
    added = '\n[[types]]\nid = "fly-tipping"\nname = "Fly-tipping"\ngroup = "{}"\n'
    extract = write_calls(tmp_path, [("05/03/2024", "NOISE", NW)])
    options = ("--window", "2024-03:2024-03", extract)
    first = write_layout(tmp_path, LAYOUT + added.format("asb"), name="a.toml")
    second = write_layout(tmp_path, LAYOUT + added.format("other"), name="b.toml")
    invoke("load", "incidents", "--layout", first, *options, store=url, env=CLOCK)

    said = invoke("load", "incidents", "--layout", second, *options, store=url, env=CLOCK, status=1).stderr

    assert "'Fly-tipping' of the group asb in the store, and the layout says 'Fly-tipping' of other" in said
