"""Layouts: what suppliers really send, read as it was meant; and declarations that say what is wrong with them."""

import re
from datetime import date, datetime

import pytest
import xlsxwriter

from loaders.layouts import built_in_layouts, read_layout
from mapping.errors import DataRefused
from mapping.vocabulary import BUILT_IN_CRIME_TYPES
from tests.digest import read_tables
from tests.tiny import (
    BURGLARY,
    CALLS,
    CLOCK,
    DRUGS,
    HEADER,
    LAYOUT,
    NE,
    NW,
    SE,
    STREET,
    SW,
    county_on,
    street_rows,
    write_calls,
    write_layout,
    write_table,
)

WINDOW = ("--window", "2024-01:2024-01")


@pytest.fixture(scope="module")
def county(request, tmp_path_factory):
    """Give a store with the wards; how a file is read does not depend on the engine."""
    with county_on("sqlite", request, tmp_path_factory.mktemp("county")) as county:
        yield county


@pytest.fixture
def load(county, invoke, tmp_path):
    """Load files, and return the rows of `incident` as dictionaries, with what was printed: load(path, "--layout", ...)."""
    with county.copy(tmp_path) as url:

        def run(*arguments, status=0):
            done = invoke("load", "incidents", *arguments, store=url, env=CLOCK, status=status)
            tables = read_tables(url)
            types = {row["id"]: row["slug"] for row in tables["crime_type"]}
            wards = {row["place_id"]: row["ward_id"] for row in tables["place_ward"]}
            rows = [
                {
                    "date": str(row["date"]),
                    "type": types[row["crime_type_id"]],
                    "ward": wards.get(row["place_id"]),
                    "precision": row["precision"],
                    "start": row["started_at"],
                    "end": row["ended_at"],
                    "reference": row["reference"],
                }
                for row in tables["incident"]
            ]
            return rows, done

        run.url = url
        yield run


moment = datetime.fromisoformat


def expected(rows, *fields):
    return [tuple(row[field] for field in fields) for row in rows]


# Texts


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xef\xbb\xbf" + STREET.read_bytes(), id="UTF-8 with a mark"),
        pytest.param(STREET.read_text(encoding="utf-8").encode("utf-16"), id="UTF-16"),
        pytest.param(STREET.read_bytes().replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(STREET.read_bytes().rstrip(b"\n"), id="no line end"),
        pytest.param(STREET.read_bytes().replace(b"\n", b"\n\n"), id="blank lines"),
        pytest.param(STREET.read_bytes().replace(b"\n", b",,,\n").replace(b"Context,,,", b"Context"), id="empty fields behind"),
        pytest.param(STREET.read_bytes().replace(b"Burglary", b" BURGLARY "), id="case and space"),
        pytest.param(b"Street crime in the tiny county\n\n" + STREET.read_bytes(), id="title above the header"),
        pytest.param(STREET.read_bytes().replace(b"Tiny 001A", b'"Tiny, 001A"'), id="commas in quotes"),
    ],
)
def test_street_files_as_they_come(load, tmp_path, data):
    plain, _ = load(STREET)
    (tmp_path / STREET.name).write_bytes(data)

    rows, done = load("--source", "another", tmp_path / STREET.name)

    assert "10 rows read: 10 kept" in done.stderr
    assert [r | {"reference": None} for r in rows[10:]] == [r | {"reference": None} for r in plain]


def test_text_with_line_breaks_that_is_not_kept_does_not_matter(load, tmp_path):
    rows = street_rows("2024-02", [(BURGLARY, NW), (DRUGS, NE)])
    rows[0][11] = 'He said: "No",\nand left,\nby the back'

    found, _ = load(write_table(tmp_path / "2024-02-tiny-street.csv", HEADER, rows))

    assert expected(found, "type", "ward") == [("burglary", 1), ("drugs", 3)]


def test_old_names_of_types_are_known(load, tmp_path):
    rows = street_rows("2012-02", [("Violent crime", NW), ("Public disorder and weapons", NE)])

    found, _ = load(write_table(tmp_path / "2012-02-tiny-street.csv", HEADER, rows))

    assert expected(found, "type") == [("violent-crime",), ("public-disorder-weapons",)]


def test_every_type_of_police_uk_is_mapped():
    mapped = set(built_in_layouts()["police-uk"].crime_types.values())

    assert mapped == {t.id for t in BUILT_IN_CRIME_TYPES}


def test_tabs_and_semicolons_are_seen(load, tmp_path):
    layout = write_layout(tmp_path)
    for name, delimiter in (("calls.tsv", "\t"), ("calls.txt", ";"), ("calls.csv", "|")):
        rows = [["R1", "05/01/2024", "", "", *NW, "NOISE"]]
        write_table(tmp_path / name, CALLS, rows, delimiter=delimiter)
        found, _ = load("--layout", layout, *WINDOW, "--replace", tmp_path / name)
        assert expected(found, "reference", "ward") == [("R1", 1)], name


def test_semicolons_decimal_commas_and_cp1252(load, tmp_path):
    head = 'encoding = "cp1252"\ndelimiter = ";"\ndecimal = ","\n'
    layout = write_layout(tmp_path, head + LAYOUT.replace('"NOISE" =', '"LÄRM \N{EN DASH} NACHTS" ='))
    rows = [["Ré1", "05/01/2024", "", "", "500.500,25", "201500,75", "Lärm \N{EN DASH} nachts"]]
    path = write_table(tmp_path / "calls.csv", CALLS, rows, delimiter=";", encoding="cp1252")

    found, _ = load("--layout", layout, *WINDOW, path)

    assert expected(found, "reference", "type", "ward") == [("Ré1", "anti-social-behaviour", 1)]


def test_thousands_commas_in_coordinates(load, tmp_path):
    path = write_calls(tmp_path, [("05/01/2024", "NOISE", ("500,500", "201,500.0"))])

    found, _ = load("--layout", write_layout(tmp_path), *WINDOW, path)

    assert expected(found, "ward") == [(1,)]


# Workbooks


def write_workbook(path, header, rows, *, above=()):
    with xlsxwriter.Workbook(path) as book:
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        minute = book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
        sheet = book.add_worksheet("Cover")
        sheet.write(0, 0, "Calls to the control room")
        sheet = book.add_worksheet("Data")
        for number, row in enumerate([*above, header, *rows]):
            for column, value in enumerate(row):
                if isinstance(value, date):
                    sheet.write_datetime(number, column, value, minute if isinstance(value, datetime) else day)
                else:
                    sheet.write(number, column, value)
    return path


def test_a_workbook_with_dates_as_cells_and_numbers_as_text(load, tmp_path):
    rows = [
        ["R1", date(2024, 1, 5), moment("2024-01-03 22:15"), moment("2024-01-04 07:30"), 500_500, 201_500.25, "BREAK-IN"],
        [1002, "06/01/2024", "", "", "500500", "200500", "noise"],
        ["", "", "", "", "", "", ""],
        [1003, moment("2024-01-07 13:05"), "", "", 501_500, 201_500, "NOISE"],
    ]
    path = write_workbook(tmp_path / "calls.xlsx", CALLS, rows, above=[["Made on Monday"], []])

    found, done = load("--layout", write_layout(tmp_path), *WINDOW, path)

    assert "3 rows read: 3 kept" in done.stderr
    assert expected(found, "reference", "date", "precision", "ward") == [
        ("R1", "2024-01-05", "minute", 1),
        ("1002", "2024-01-06", "day", 2),
        ("1003", "2024-01-07", "minute", 3),
    ]
    assert found[0]["start"] == moment("2024-01-03 22:15")
    assert found[0]["end"] == moment("2024-01-04 07:30")


def test_a_month_that_a_spreadsheet_made_a_day_of_is_a_month(load, tmp_path):
    rows = street_rows("2024-02", [(BURGLARY, NW), (DRUGS, NE)])
    for row in rows:
        row[1] = date(2024, 2, 1)
    path = write_workbook(tmp_path / "2024-02-tiny-street.xlsx", HEADER, rows)

    found, _ = load(path)

    assert expected(found, "date", "precision") == [("2024-02-01", "month")] * 2


def test_a_workbook_in_a_zip_with_the_line_of_a_fault(load, tmp_path):
    path = write_workbook(tmp_path / "calls.xlsx", CALLS, [["R1", "05/01/2024", "", "", 0, 0, "NOISE"]], above=[["Title"]])

    _, done = load("--layout", write_layout(tmp_path), *WINDOW, path)

    assert "calls.xlsx, line 3, East, North: '0, 0'" in done.stderr


# Dates


def test_a_date_with_a_time_is_also_when_it_happened(load, tmp_path):
    text = LAYOUT.replace('from = "From"\nto = "To"\n', "")
    path = write_calls(tmp_path, [("05/01/2024 23:59", "NOISE", NW), ("05/01/2024", "NOISE", NW)])

    found, _ = load("--layout", write_layout(tmp_path, text), *WINDOW, path)

    late = moment("2024-01-05 23:59")
    assert expected(found, "date", "precision", "start", "end") == [
        ("2024-01-05", "minute", late, late),
        ("2024-01-05", "day", None, None),
    ]


@pytest.mark.parametrize("day", [True, False])
def test_year_month_and_day_in_columns_of_their_own(load, tmp_path, day):
    columns = 'date = "Recorded"\nfrom = "From"\nto = "To"\n'
    text = LAYOUT.replace(columns, "").split("[dates]")
    declared = '[dates]\nyear = "Y"\nmonth = "M"\n' + ('day = "D"\n' if day else "")
    layout = write_layout(tmp_path, text[0] + declared + text[1][text[1].index("[crime_types]") :])
    path = write_table(
        tmp_path / "calls.csv", ["Ref", "Y", "M", "D", "East", "North", "What"], [["R", 2024, 1, 5, *SW, "NOISE"]]
    )

    found, _ = load("--layout", layout, *WINDOW, path)

    assert expected(found, "date", "precision", "ward") == [
        ("2024-01-05" if day else "2024-01-01", "day" if day else "month", 2)
    ]


def test_counting_by_the_start_puts_it_in_that_month_and_marks_the_last_three(load, invoke, tmp_path):
    text = LAYOUT.replace('stream = "calls"', 'stream = "calls"\nmonth_of = "from"')
    rows = [(f"05/{month + 1:02}/2024", "BREAK-IN", NW, f"28/{month:02}/2024 22:00") for month in (1, 2, 3, 4, 5)]

    found, _ = load("--layout", write_layout(tmp_path, text), "--window", "2024-01:2024-05", write_calls(tmp_path, rows))

    assert [row["date"][:7] for row in found] == ["2024-01", "2024-02", "2024-03", "2024-04", "2024-05"]
    told = invoke("status", store=load.url).stdout
    assert re.findall(r"(2024-\d\d) partial", told) == ["2024-03", "2024-04", "2024-05"]


# Declarations


def test_a_layout_may_add_types(load, invoke, tmp_path):
    text = (
        LAYOUT + '"CAT IN TREE" = "animal-rescue"\n[[types]]\nid = "animal-rescue"\nname = "Animal rescue"\ngroup = "other"\n'
    )
    path = write_calls(tmp_path, [("05/01/2024", "CAT IN TREE", SE), ("05/01/2024", "NOISE", SE)])

    load("--layout", write_layout(tmp_path, text), *WINDOW, path)

    counted = invoke("counts", "--crime-type", "other", "--format", "csv", store=load.url).stdout.splitlines()
    assert counted[1:] == ["X05900004,Southeast,2024-01,animal-rescue,1"]


def test_extends_takes_the_rest_over(tmp_path):
    path = write_layout(tmp_path, 'extends = "police-uk"\n[crime_types]\n"Arson" = "criminal-damage-arson"\n')

    layout, base = read_layout(path), built_in_layouts()["police-uk"]

    assert layout.crime_types == base.crime_types | {"Arson": "criminal-damage-arson"}
    assert (layout.columns, layout.window, layout.access) == (base.columns, "month", "open")
    assert layout.sha256 != base.sha256


def test_every_other_layout_is_protected_unless_it_says_otherwise(tmp_path):
    assert read_layout(write_layout(tmp_path, LAYOUT.replace('access = "protected"\n', ""))).access == "protected"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('name = "tiny', 'nickname = "x"\nname = "tiny', "nickname: is not a word that layouts know"),
        ('crime_type = "What"', "", "columns.crime_type: is missing"),
        ('source = "tiny-control-room"', 'source = "Tiny Room"', "write 'tiny-room'"),
        ('y = "North"', "", "x and y go together"),
        ('crs = "EPSG:27700"', "", 'x and y need crs = "EPSG:27700" or "EPSG:4326"'),
        ('crs = "EPSG:27700"', 'crs = "EPSG:99"', "'EPSG:99' is not a coordinate system"),
        ('crs = "EPSG:27700"', 'crs = "EPSG:27700"\nencoding = "latin-nine"', "'latin-nine' is not the name of an encoding"),
        ('crs = "EPSG:27700"', "crs = 'LOCAL_CS[\"plan\"]'", "is not a coordinate system"),
        ('crs = "EPSG:27700"', 'crs = "EPSG:27700"\nencoding = "punycode"', "'punycode' is not the name of an encoding"),
        ('source = "tiny-control-room"', f'source = "{"x" * 501}"', "source: holds control characters, or more than 500"),
        ("[crime_types]", f'[[types]]\nid = "z"\nname = "{"x" * 501}"\ngroup = "asb"\n[crime_types]', "more than 500"),
        ("[crime_types]", '[[types]]\nid = "z"\nname = "\\u009bZ"\ngroup = "asb"\n[crime_types]', "holds control characters"),
        ("[crime_types]", '[[types]]\nid = "z"\nname = ""\ngroup = "asb"\n[crime_types]', "is empty"),
        ("[dates]", f"deep = {'[' * 5000}\n[dates]", "not TOML"),
        ('date = "Recorded"', "", "columns must name date, or year and month"),
        ('formats = ["%d/%m/%Y", "%d/%m/%Y %H:%M"]', "", "[dates] must give format or formats"),
        ('from = "From"', 'to = "To"', "not TOML"),
        ('"NOISE" = "anti-social-behaviour"', '"NOISE" = "noise"', "maps 'NOISE' to 'noise', which is no crime type"),
        ('access = "protected"', 'access = "secret"', "access"),
        ('stream = "calls"', 'stream = "calls"\nmonth_of = "from"', None),
        ('from = "From"\nto = "To"', "", None),
    ],
)
def test_what_is_wrong_with_a_layout_is_said(tmp_path, old, new, says):
    path = write_layout(tmp_path, LAYOUT.replace(old, new))
    assert path.read_text() != LAYOUT

    if says is None:
        read_layout(path)
        return
    with pytest.raises(DataRefused) as caught:
        read_layout(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)


def test_counting_by_the_start_needs_a_start(tmp_path):
    text = LAYOUT.replace('from = "From"\n', "").replace('stream = "calls"', 'stream = "calls"\nmonth_of = "from"')
    with pytest.raises(DataRefused, match='month_of = "from" needs the column from'):
        read_layout(write_layout(tmp_path, text))


def test_a_layout_that_is_not_there(load, tmp_path):
    _, done = load("--layout", tmp_path / "gone.toml", STREET, status=1)
    assert "gone.toml: No such file" in done.stderr
    assert "police-uk" in done.stderr


def test_somebody_must_be_named_as_the_source(load, tmp_path):
    layout = write_layout(tmp_path, LAYOUT.replace('source = "tiny-control-room"', ""))
    path = write_calls(tmp_path, [("05/01/2024", "NOISE", NW)])

    _, done = load("--layout", layout, *WINDOW, path, status=1)
    assert "neither its rows nor the layout tiny-control-room say who supplied it" in done.stderr
    rows, _ = load("--layout", layout, *WINDOW, path, "--source", "tiny-room")

    assert len(rows) == 1


def test_a_base_that_is_none(tmp_path):
    with pytest.raises(DataRefused, match=r"extends 'nothing', which is not a layout of ours"):
        read_layout(write_layout(tmp_path, 'extends = "nothing"\n'))
