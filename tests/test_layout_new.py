"""`layout new`: unknown files of many agencies and countries; what is proposed, what is asked, and that a load then works."""

import re
import tomllib
import zipfile
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
import xlsxwriter
from pyproj import Transformer

from loaders.layouts import read_layout
from loaders.proposals import propose_layout
from mapping.errors import DataRefused
from tests.digest import read_tables
from tests.tiny import CLOCK, NE, NW, SE, STREET, SW, county_on, write_table

TODAY = date(2024, 6, 15)
SPOTS = [NW, SW, NE, SE]
DAYS = [datetime(2024, 3, 1, 9, 5) + timedelta(days=i * 3, hours=i) for i in range(30)]  # noqa: DTZ001 - the place's own clock


@pytest.fixture(scope="module")
def county(request, tmp_path_factory):
    """Give a store with the wards; what is proposed does not depend on the engine."""
    with county_on("sqlite", request, tmp_path_factory.mktemp("county")) as county:
        yield county


@pytest.fixture
def propose(tmp_path):
    """Propose a layout for a table written as said: its text, and what TOML it is."""

    def run(header, rows, *, name="unknown.csv", above="", mark="", end="\n", encoding="utf-8", delimiter=","):
        path = write_table(tmp_path / name, header, rows, delimiter=delimiter)
        text = above + path.read_text(encoding="utf-8")
        path.write_bytes((mark + text.replace("\n", end)).encode(encoding))
        text = propose_layout(path, today=TODAY).text
        return text, tomllib.loads(text)

    return run


def filled(text, answers, types="other-crime"):
    """A proposal with its questions answered."""
    for key, value in answers.items():
        text, times = re.subn(rf'^{key} = ""  # \?.*$', f'{key} = "{value}"', text, count=1, flags=re.MULTILINE)
        assert times == 1, key
    head, mark, listed = text.partition("[crime_types]")
    return head + mark + listed.replace('= ""', f'= "{types}"')


def asked(text):
    """The keys that a proposal asks for, without crime types."""
    return re.findall(r'^(\w+) = ""  # \?', text.partition("[crime_types]")[0], flags=re.MULTILINE)


def unwrapped(text):
    """A proposal whose comments go on in one line."""
    return text.replace("\n#   ", " ")


def projected(epsg, lon, lat):
    """Thirty points around a place, in a coordinate system."""
    to = Transformer.from_crs(4326, epsg, always_xy=True)
    return [to.transform(lon + i * 0.002, lat + (i % 7) * 0.003) for i in range(30)]


# From an unknown file to figures


def niche_rows():
    kinds = ["BURGLARY DWELLING", "Shoplifting", "THEFT OF CYCLE"]
    for i, day in enumerate(DAYS):
        point = SPOTS[i % 4] if i % 10 else (0, 0)
        times = [f"{t:%d/%m/%Y %H:%M}" for t in (day, day - timedelta(hours=9), day - timedelta(hours=2))]
        yield [
            f"41/{i:04}/24",
            *times,
            kinds[i % 3],
            *point,
            "Mill L\N{LATIN SMALL LETTER A WITH DIAERESIS}ne",
            "Filed",
            "A. Name",
        ]


NICHE = ["Crime Number", "Recorded Date", "Committed From", "Committed To", "Offence", "Easting", "Northing", "Location"]
NICHE += ["Status", "Victim Name"]


def storm_rows():
    kinds = ["ASB Nuisance", "ASB Personal", "ASB Environmental"]
    for i, day in enumerate(DAYS):
        closing = kinds[i % 3] if i % 5 else ""
        yield [f"L{i:04}", f"{day:%d-%b-%Y}", f"{day:%H:%M:%S}", kinds[(i + 1) % 3], closing, *SPOTS[i % 4], "Mill Lane", "N"]


STORM = [
    "Log Number",
    "Log Date",
    "Log Time",
    "Opening Type",
    "Closing Type",
    "Grid East",
    "Grid North",
    "Street",
    "Repeat Victim",
]


def french_rows():
    for i, day in enumerate(DAYS):
        x, y = SPOTS[i % 4]
        yield [f"{i:04}", f"{day:%d.%m.%Y}", "Cambriolage", f"{x},25", f"{y},50", "E01999999"]


UK = {
    "crimes": (
        (NICHE, niche_rows),
        {"encoding": "cp1252", "end": "\r\n", "above": "Crime export\n\n"},
        {"source": "tiny-police"},
        3,
    ),
    "logs": ((STORM, storm_rows), {"delimiter": "\t", "end": "\r\n", "mark": "\ufeff"}, {"source": "tiny-police"}, 0),
    "commas": (
        (["Ref", "Date", "Nature", "Easting", "Northing", "LSOA"], french_rows),
        {"delimiter": ";", "encoding": "utf-16"},
        {"source": "tiny-police"},
        0,
    ),
}


@pytest.mark.parametrize("case", UK)
def test_from_an_unknown_file_to_counts(county, invoke, tmp_path, case):
    (header, rows), how, answers, nowhere = UK[case]
    path = write_table(tmp_path / "unknown.csv", header, rows(), delimiter=how.get("delimiter", ","))
    text = how.get("mark", "") + how.get("above", "") + path.read_text(encoding="utf-8")
    path.write_bytes(text.replace("\n", how.get("end", "\n")).encode(how.get("encoding", "utf-8")))
    layout = tmp_path / "layout.toml"

    with county.copy(tmp_path) as url:
        done = invoke("layout", "new", path, store=url, env=CLOCK)
        layout.write_text(done.stdout, encoding="utf-8")
        load = ("load", "incidents", path, "--layout", layout, "--window", "2024-03:2024-05")
        refusal = invoke(*load, store=url, env=CLOCK, status=1).stderr
        layout.write_text(filled(done.stdout, answers), encoding="utf-8")
        told = invoke(*load, store=url, env=CLOCK).stderr
        tables = read_tables(url)

    assert "Questions that it leaves" in done.stderr
    assert "it is not finished" in refusal
    assert "source: who supplied it?" in refusal
    assert "30 rows read: 30 kept" in told
    assert sum(row["place_id"] is None for row in tables["incident"]) == nowhere
    assert {str(row["date"]) for row in tables["incident"]} == {f"{day:%Y-%m-%d}" for day in DAYS}
    assert len(tables["place_ward"]) == 4


def test_street_files_are_known_and_proposed_all_the_same(tmp_path):
    with zipfile.ZipFile(tmp_path / "street.zip", "w") as archive:
        archive.write(STREET, "2024-01/2024-01-tiny-street.csv")
        archive.write(STREET, "2024-02/2024-02-tiny-street.csv")

    proposal = propose_layout(tmp_path / "street.zip", today=TODAY)

    assert proposal.text.startswith("# The layout police-uk fits this file: no new one is needed.\n")
    assert "the first table in it" in proposal.text
    assert "2024-01-tiny-street.csv" in proposal.text
    told = tomllib.loads(proposal.text)
    assert told["columns"]["crime_type"] == "Crime type"
    assert told["columns"]["lsoa"] == "LSOA code"
    assert (told["crs"], told["access"], told["dates"]["format"]) == ("EPSG:4326", "protected", "%Y-%m")
    assert proposal.questions == 0


# Files of other countries

MANY = range(30)
CANADA = projected(26910, -123.12, 49.26)
CHICAGO = projected(4326, -87.65, 41.88)
PARIS = projected(2154, 2.35, 48.85)
STOCKHOLM = projected(3006, 18.06, 59.33)
DUBLIN = projected(2157, -6.26, 53.35)
AMSTERDAM = projected(28992, 4.9, 52.37)


def test_columns_of_year_month_day_and_metres_with_a_tenth_at_zero(propose):
    header = ["TYPE", "YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "HUNDRED_BLOCK", "X", "Y"]
    rows = [
        [f"Type {i % 4}", 2023, 1 + i % 12, 1 + i, i % 24, i, f"{i}XX DAVIE ST", *(CANADA[i] if i % 10 else (0, 0))]
        for i in MANY
    ]

    text, told = propose(header, rows)

    parts = {role: role.upper() for role in ("year", "month", "day", "hour", "minute", "x", "y")}
    assert told["columns"] == {**parts, "crime_type": "TYPE", "location": "HUNDRED_BLOCK"}
    assert asked(text) == ["source", "crs"]
    assert "UTM zone 1N to 60N" in unwrapped(text)
    assert "0,0 in 3 of 30 rows (10.0%)" in unwrapped(text)


def test_month_first_with_half_days_and_degrees(propose):
    header = ["ID", "Case Number", "Date", "Updated On", "Block", "Primary Type", "Latitude", "Longitude", "Location"]
    rows = [
        [
            i,
            f"JG{i}",
            *(f"{t:%m/%d/%Y %I:%M:%S %p}" for t in (d, d + timedelta(days=5))),
            "X ST",
            f"T{i % 3}",
            y,
            x,
            f"({y}, {x})",
        ]
        for i, (d, (x, y)) in enumerate(zip(DAYS, CHICAGO, strict=True))
    ]

    text, told = propose(header, rows)

    assert told["dates"]["format"] == "%m/%d/%Y %I:%M:%S %p"
    assert "The month first: line 6 of 'Date' has '03/13/2024 01:05:00 PM'" in unwrapped(text)
    assert told["columns"] == {
        "reference": "Case Number",
        "date": "Date",
        "updated": "Updated On",
        "x": "Longitude",
        "y": "Latitude",
        "crime_type": "Primary Type",
        "location": "Block",
    }
    assert "outside the United Kingdom" in unwrapped(text)
    assert "'Location' holds both coordinates in one text" in unwrapped(text)


def test_times_in_columns_of_their_own(propose):
    header = ["CMPLNT_NUM", "CMPLNT_FR_DT", "CMPLNT_FR_TM", "CMPLNT_TO_DT", "CMPLNT_TO_TM", "RPT_DT", "OFNS_DESC", "SUSP_RACE"]
    rows = [
        [i, f"{d:%m/%d/%Y}", f"{d:%H:%M:%S}", f"{d:%m/%d/%Y}", f"{d:%H:%M:%S}", f"{d + timedelta(days=1):%m/%d/%Y}", "X", "Y"]
        for i, d in enumerate(DAYS)
    ]

    text, told = propose(header, rows)

    assert told["columns"] == {
        "reference": "CMPLNT_NUM",
        "date": "RPT_DT",
        "from": "CMPLNT_FR_DT",
        "from_time": "CMPLNT_FR_TM",
        "to": "CMPLNT_TO_DT",
        "to_time": "CMPLNT_TO_TM",
        "crime_type": "OFNS_DESC",
    }
    assert set(told["dates"]["formats"]) == {"%m/%d/%Y", "%m/%d/%Y %H:%M:%S"}
    assert "personal data or free text: SUSP_RACE" in unwrapped(text)


def test_midnights_that_say_nothing_beside_times_that_do(propose):
    header = ["DR_NO", "Date Rptd", "DATE OCC", "TIME OCC", "Crm Cd Desc", "LAT", "LON"]
    rows = [
        [i, f"{d:%m/%d/%Y} 12:00:00 AM", f"{d:%m/%d/%Y} 12:00:00 AM", f"{d:%H%M}", "THEFT", *(CHICAGO[i][::-1])]
        for i, d in enumerate(DAYS)
    ]

    _, told = propose(header, rows)

    assert told["columns"]["from_time"] == "TIME OCC"
    assert told["dates"]["formats"] == ["%m/%d/%Y 12:00:00 AM", "%m/%d/%Y 12:00:00 AM %H%M"]


ABROAD = {
    "French": (
        ["Numéro", "Date du fait", "Heure", "Nature de l'infraction", "X_L93", "Y_L93", "Rue", "Commentaire"],
        lambda i, d: (
            [i, f"{d:%d/%m/%Y}", f"{d:%H:%M}", "Dégradations"]
            + [f"{v:.2f}".replace(".", ",") for v in PARIS[i]]
            + ["Rue Foch", "il a vu la voiture noire près de la gare et de la poste, " * 2 + str(i)]
        ),
        {"delimiter": ";", "encoding": "latin-1", "above": "Faits constatés;;;;;;;\n"},
        {"encoding": "cp1252", "delimiter": ";", "decimal": ",", "crs": "EPSG:2154"},
        {"date": "Date du fait", "time": "Heure", "x": "X_L93", "y": "Y_L93", "crime_type": "Nature de l'infraction"},
        ["source"],
    ),
    "German": (
        ["ANGELEGT_AM", "TATZEIT_ANFANG_DATUM", "TATZEIT_ENDE_DATUM", "LOR", "DELIKT", "ERFASSUNGSGRUND"],
        lambda i, d: [*[f"{d - timedelta(days=n):%d.%m.%Y}" for n in (0, 2, 1)], f"0110{i}", "Fahrraddiebstahl", "Rädern"],
        {"encoding": "cp1252"},
        {"encoding": "cp1252", "delimiter": ","},
        {"date": "ANGELEGT_AM", "from": "TATZEIT_ANFANG_DATUM", "to": "TATZEIT_ENDE_DATUM", "crime_type": "DELIKT"},
        ["source"],
    ),
    "Swedish": (
        ["Diarienummer", "Brottsdatum", "Brottstyp", "N", "E", "Gata"],
        lambda i, d: [f"K{i}", f"{d:%Y-%m-%d %H:%M}", "Stöld", round(STOCKHOLM[i][1]), round(STOCKHOLM[i][0]), "Götgatan"],
        {"delimiter": ";", "mark": "\ufeff", "end": "\r\n"},
        {"encoding": "utf-8", "delimiter": ";"},
        {"reference": "Diarienummer", "date": "Brottsdatum", "x": "E", "y": "N", "crime_type": "Brottstyp", "location": "Gata"},
        ["source", "crs"],
    ),
    "Irish": (
        ["Incident No", "Date Reported", "Incident Type", "Easting", "Northing"],
        lambda i, d: [i, f"{d:%d-%b-%y}", "Burglary", *map(round, DUBLIN[i])],
        {},
        {"stream": "crimes"},
        {"reference": "Incident No", "date": "Date Reported", "x": "Easting", "y": "Northing", "crime_type": "Incident Type"},
        ["source", "crs"],
    ),
    "Dutch": (
        ["Pleegdatum", "Soort misdrijf", "X-coordinaat", "Y-coordinaat", "Straatnaam"],
        lambda i, d: [f"{d:%d-%m-%Y}", "Woninginbraak", *map(round, AMSTERDAM[i]), "Damrak"],
        {"delimiter": ";"},
        {"delimiter": ";"},
        {"date": "Pleegdatum", "crime_type": "Soort misdrijf", "x": "X-coordinaat", "y": "Y-coordinaat"},
        ["source", "crs"],
    ),
    "Mexican": (
        ["fecha_inicio", "hora_inicio", "fecha_hecho", "hora_hecho", "delito", "edad", "latitud", "longitud"],
        lambda i, d: (
            [f"{d:%Y-%m-%d}", "10:00:05", f"{d - timedelta(days=i % 3):%Y-%m-%d}", "08:00:00", "FRAUDE", 33]
            + ([19.43, -99.13] if i % 7 else ["", ""])
        ),
        {},
        {"crs": "EPSG:4326"},
        {"date": "fecha_inicio", "time": "hora_inicio", "from": "fecha_hecho", "from_time": "hora_hecho", "x": "longitud"},
        ["source"],
    ),
    "Brazilian": (
        ["NUM_BO", "DATAOCORRENCIA", "DATA_REGISTRO", "LATITUDE", "LONGITUDE", "NATUREZA", "LOGRADOURO"],
        lambda i, d: [
            i,
            f"{d:%d/%m/%Y}",
            f"{d + timedelta(days=1):%d/%m/%Y %H:%M:%S}",
            f"-23,55{i:02}",
            f"-46,63{i:02}",
            "FURTO",
            "R",
        ],
        {"delimiter": ";", "encoding": "utf-16"},
        {"encoding": "utf-16", "decimal": ",", "crs": "EPSG:4326"},
        {"date": "DATA_REGISTRO", "from": "DATAOCORRENCIA", "x": "LONGITUDE", "y": "LATITUDE", "crime_type": "NATUREZA"},
        ["source"],
    ),
    "zones and bars": (
        ["incident_id", "created_at", "nature", "lng", "lat"],
        lambda i, d: [i, f"{d:%Y-%m-%dT%H:%M:%S}.000Z", "rtc", -0.5 + i / 1000, 51.7],
        {"delimiter": "|"},
        {"delimiter": "|", "crs": "EPSG:4326", "dates": {"format": "%Y-%m-%dT%H:%M:%S.%f%z"}},
        {"reference": "incident_id", "date": "created_at", "crime_type": "nature", "x": "lng", "y": "lat"},
        ["source"],
    ),
}


@pytest.mark.parametrize("country", ABROAD)
def test_files_from_abroad(propose, tmp_path, country):
    header, row, how, top, columns, questions = ABROAD[country]

    text, told = propose(header, [row(i, day) for i, day in enumerate(DAYS)], **how)

    assert {key: told.get(key) for key in top} == top
    assert {key: told["columns"].get(key) for key in columns} == columns
    assert asked(text) == questions
    layout = tmp_path / "layout.toml"
    layout.write_text(
        filled(text, {"source": "abroad"} | ({"crs": "EPSG:3857"} if "crs" in questions else {})), encoding="utf-8"
    )
    assert read_layout(layout).columns.date == columns["date"]


def test_a_load_of_places_abroad_says_so(county, invoke, tmp_path, propose):
    header, row, how, *_ = ABROAD["Brazilian"]
    text, _ = propose(header, [row(i, day) for i, day in enumerate(DAYS)], **how)
    (tmp_path / "layout.toml").write_text(filled(text, {"source": "abroad"}), encoding="utf-8")

    load = ("load", "incidents", tmp_path / "unknown.csv", "--layout", tmp_path / "layout.toml", "--window", "2024-03:2024-05")
    done = invoke(*load, store=county.url, env=CLOCK, status=1)

    assert "more than half of its coordinates lie outside the United Kingdom" in done.stderr


# Dates


def propose_dates(propose, texts, *, other="x"):
    return propose(["Ref", "Date", "Type"], [[f"R{i}", text, other] for i, text in enumerate(texts)])


def test_an_order_that_no_row_proves_is_asked(propose, tmp_path):
    text, _ = propose_dates(propose, ["01/02/2024", "03/04/2024", "05/06/2024"])

    assert asked(text) == ["source", "format"]
    assert "from 2024-02-01 to 2024-06-05" in unwrapped(text)
    assert "from 2024-01-02 to 2024-05-06" in unwrapped(text)
    (tmp_path / "layout.toml").write_text(text, encoding="utf-8")
    with pytest.raises(DataRefused, match=r"\[dates\] format: is '01/02/2024' written day first or month first\?"):
        read_layout(tmp_path / "layout.toml")


def test_orders_that_contradict_each_other_are_asked(propose):
    text, _ = propose_dates(propose, ["13/02/2024", "03/04/2024", "05/16/2024"])

    assert asked(text) == ["source", "format"]
    assert "line 2 '13/02/2024' of 'Date' cannot be with the month first" in unwrapped(text)
    assert "line 4 '05/16/2024' of 'Date' cannot be with the day first" in unwrapped(text)


@pytest.mark.parametrize("year", [2021, 2024])
def test_an_order_that_another_column_proves_and_this_one_belies_is_asked(propose, year):
    days = [datetime(year, 3, 1 + i % 12) for i in range(24)]  # noqa: DTZ001 - the place's own clock
    rows = [[f"R{i}", f"{day:%d/%m/%Y}", f"03/{1 + i:02}/{year}", "x"] for i, day in enumerate(days)]

    text, _ = propose(["Ref", "Recorded", "Occurred", "Type"], rows)

    assert asked(text) == ["source", "format"]
    assert f"line 14 '03/13/{year}' of 'Occurred' has the month first, but 'Recorded' speaks against it" in unwrapped(
        text
    ).replace("The month", "the month")
    assert f"from {year}-01-03 to {year}-12-03; with" in unwrapped(text)
    assert f"from {year}-03-01 to {year}-03-12." in unwrapped(text)


def test_an_order_that_another_column_proves_holds_for_a_week(propose):
    rows = [[f"R{i}", f"{1 + i % 9:02}/03/2024", f"{27 + i % 3}/02/2024", "x"] for i in range(24)]

    text, told = propose(["Ref", "Recorded", "Occurred", "Type"], rows)

    assert (asked(text), told["dates"]) == (["source"], {"format": "%d/%m/%Y"})


def test_hours_of_half_a_day_are_pointed_at(propose):
    rows = [[f"R{i}", f"{1 + i}/03/2024", f"{1 + i % 12}:15", "x"] for i in range(24)]

    text, told = propose(["Ref", "Incident Date", "Incident Time", "Type"], rows)

    assert "time" not in told["columns"]
    assert "'Incident Time' holds times that can be read in two ways" in unwrapped(text)


def test_a_column_in_two_roles_is_told_once(propose):
    text, _ = propose(["Start date", "End date", "Type"], [["2024-03-01 10:05:00", "2024-03-02 11:10:00", "x"]])

    assert text.count("# 'Start date' as in") == 1


def test_an_order_that_would_lie_in_the_future_is_none(propose):
    text, told = propose_dates(propose, ["05/12/2024", "06/11/2024"])

    assert told["dates"]["format"] == "%m/%d/%Y"
    assert "in any other order some rows would lie after today" in unwrapped(text)


@pytest.mark.parametrize(
    ("texts", "formats"),
    [
        (["13/02/24", "28/02/24"], ["%d/%m/%y"]),
        (["2/28/2023", "10/1/2023"], ["%m/%d/%Y"]),
        (["20210131", "20210201"], ["%Y%m%d"]),
        (["31-Jan-2021 09:00", "01-Feb-2021"], ["%d-%b-%Y", "%d-%b-%Y %H:%M"]),
        (["January 5, 2021", "March 31, 2021"], ["%B %d, %Y"]),
        (["2021-01-05T10:00:00+00:00", "2021-07-05T10:00:01+01:00"], ["%Y-%m-%dT%H:%M:%S%z"]),
        (["44197", "44198.5"], ["excel"]),
        (["2021-01", "2021-02"], ["%Y-%m"]),
    ],
)
def test_how_dates_are_written(propose, texts, formats):
    text, told = propose_dates(propose, texts)

    assert asked(text) == ["source"]
    assert sorted(told["dates"].get("formats", [told["dates"].get("format")])) == formats


def test_dates_of_which_none_says_that_it_counts_are_asked(propose):
    text, _ = propose(["Date 1", "Date 2", "Type"], [[f"{d:%Y-%m-%d}", f"{d:%Y-%m-%d}", "x"] for d in DAYS])
    months, _ = propose(["Year", "Month", "Type"], [[2024, "March", "x"]] * 5)

    assert asked(text) == asked(months) == ["source", "date", "format"]
    assert "Dates are in 'Date 1', 'Date 2'" in unwrapped(text)
    assert "'Month' gives months in words" in unwrapped(months)


def test_numbers_and_words_that_layouts_cannot_read_are_asked(propose):
    epoch, _ = propose_dates(propose, ["1609459200000", "1609545600000"])
    french, _ = propose_dates(propose, ["5 janvier 2021", "6 février 2021"])

    assert asked(epoch) == asked(french) == ["source", "date", "format"]
    assert "seconds since 1970" in epoch


def test_a_workbook_whose_days_and_months_a_spreadsheet_has_swapped(tmp_path):
    with xlsxwriter.Workbook(tmp_path / "book.xlsx") as book:
        format_ = book.add_format({"num_format": "dd/mm/yyyy"})
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Ref", "Recorded", "Offence"])
        for day in range(1, 29):
            sheet.write_row(day, 0, [f"R{day}", f"{day}/03/2024", "BURGLARY"])
            if day <= 12:
                sheet.write_datetime(day, 1, datetime(2024, day, 3), format_)  # noqa: DTZ001

    text = propose_layout(tmp_path / "book.xlsx", today=TODAY).text

    assert asked(text) == ["source", "format"]
    assert "has swapped days and months" in unwrapped(text)


# Places


@pytest.mark.parametrize(
    ("header", "point", "crs", "x"),
    [
        (["Easting", "Northing"], NW, "EPSG:27700", "Easting"),
        (["Longitude", "Latitude"], (51.7, -0.54), "EPSG:4326", "Latitude"),
        (["Latitude", "Longitude"], (-122.3, 47.6), "EPSG:4326", "Latitude"),
        (["X", "Y"], (-0.54, 51.7), "EPSG:4326", "X"),
        (["X (EPSG:3857)", "Y (EPSG:3857)"], (-60112, 6749876), "EPSG:3857", "X (EPSG:3857)"),
        (["UTM_X", "UTM_Y", "Zone"], (491_000, 5_450_000, "10N"), "EPSG:32610", "UTM_X"),
        (["x_utm32n", "y_utm32n"], (391000, 5820000), "EPSG:32632", "x_utm32n"),
    ],
)
def test_coordinate_systems_that_can_be_told(propose, header, point, crs, x):
    _, told = propose(["Date", "Type", *header], [["13/02/2024", "x", *point]] * 5)

    assert (told["crs"], told["columns"]["x"]) == (crs, x)


@pytest.mark.parametrize("point", [NW, (121_000, 487_000), (333_000, 374_000), (1_176_000, 1_900_000), (-8_238_000, 4_970_000)])
def test_coordinate_systems_that_cannot_be_told_are_asked(propose, point):
    text, _ = propose(["Date", "Type", "X", "Y", "Postcode"], [["13/02/2024", "x", *point, "1012 AB"]] * 5)

    assert asked(text) == ["source", "crs"]


def test_both_coordinates_in_one_column_are_asked_for_in_two(propose):
    text, _ = propose(["Date", "Type", "geom"], [["13/02/2024", "x", "POINT (-0.54 51.7)"]] * 5)

    assert asked(text) == ["source", "crs", "x", "y"]
    assert "layouts need two columns" in unwrapped(text)


# Kinds, codes and what rows are


def test_codes_of_the_home_office_need_no_answers(propose, tmp_path):
    rows = [["13/02/2024", "28/3", "Residential"], ["14/02/2024", "8N", "Assault"], ["15/02/2024", "999/99", "Odd"]]

    text, told = propose(["Recorded", "HO Code", "Wording"], rows * 9 + rows[:2] * 9)

    assert (told["codes"], told["columns"]["crime_type"], told["stream"]) == ("home-office", "HO Code", "crimes")
    assert told["crime_types"] == {"999/99": ""}
    (tmp_path / "layout.toml").write_text(filled(text, {"source": "x"}), encoding="utf-8")
    assert read_layout(tmp_path / "layout.toml").types_of(["28/3"]) == ["burglary"]


def test_logs_of_all_kinds_are_not_in_the_stream_of_crimes(propose):
    asb = [[f"L{i}", f"{1 + i % 28}/02/2024", ["Noise", "Begging"][i % 2]] for i in MANY]

    all_kinds = propose(["Log Number", "Log Date", "Closing Code"], [*asb, *(["L", "13/02/2024", "RTC"] for _ in range(9))])[1]
    only_asb = propose(["Log Number", "Log Date", "Closing Code"], [*asb, ["L", "13/02/2024", "Duplicate"]])[1]

    assert (all_kinds["codes"], all_kinds["stream"], only_asb["stream"]) == ("nicl", "incidents", "asb")


def test_without_a_column_of_kinds_it_is_asked(propose):
    text, _ = propose(["Date", "Colour", "Beat"], [["13/02/2024", ["red", "green"][i % 2], i] for i in MANY])

    assert asked(text) == ["source", "crime_type"]
    assert "'Colour' (2 different, as" in unwrapped(text)


def test_very_many_kinds_are_perhaps_none(propose):
    text, told = propose(["Date", "Type"], [["13/02/2024", f"kind {i % 600}"] for i in range(1800)])

    assert "more than 200 different texts" in unwrapped(text)
    assert len(told["crime_types"]) == 500
    assert "... and 100 more" in text


def test_outcomes_and_counts_of_areas_are_not_taken_for_incidents(propose):
    outcomes, told = propose(["Crime ID", "Month", "Outcome type"], [[f"c{i}", "2024-01", "Charged"] for i in MANY])
    counts, _ = propose(["ward", "month", "crime_type", "count"], [["A", "2024-01", "burglary", i] for i in MANY])

    assert (told["records"], told["stream"], asked(outcomes)) == ("outcomes", "outcomes", ["source"])
    assert "records" in asked(counts)


def test_states_and_changes_are_pointed_at(propose):
    rows = [[i, f"{d:%d/%m/%Y}", f"{d:%d/%m/%Y}", "BURGLARY", "No Crime" if i % 9 else "Filed"] for i, d in enumerate(DAYS)]

    text, told = propose(["Crime No", "Recorded", "Last Updated", "Offence", "Status"], rows)

    assert (told["columns"]["updated"], told["columns"]["status"]) == ("Last Updated", "Status")
    assert "cancelled" in asked(text)
    assert 'write ["No Crime"] to leave them out' in unwrapped(text)
    assert 'add kind = "changes"' in unwrapped(text)


def test_grouped_thousands_are_asked_where_they_could_be_decimals(propose):
    asking, _ = propose(["Date", "Type", "X", "Y"], [["13/02/2024", "x", f"500.{100 + i}", f"201.{100 + i}"] for i in MANY])
    text, told = propose(["Date", "Type", "X", "Y"], [["13/02/2024", "x", f"440.{100 + i}", f"4.474.{100 + i}"] for i in MANY])

    assert "decimal" in asked(asking)
    assert told["decimal"] == ","
    assert "'X' runs from 440,100 to 440,129" in unwrapped(text)


# Texts that mean harm, and files that are odd


def test_hostile_texts_stay_texts(propose, tmp_path):
    kind = 'a"]\n[evil]\nx = "\\ \x1b[31m \u202e' + "y" * 90
    header = ["Date", 'Ty"pe"\x07', "Note\n[columns]"]

    text, told = propose(header, [["13/02/2024", kind, "n"], ["14/02/2024", "plain", "m"]])

    assert set(told) <= {"name", "source", "access", "stream", "encoding", "delimiter", "columns", "dates", "crime_types"}
    assert told["columns"]["crime_type"] == 'Ty"pe"\x07'
    assert told["crime_types"] == {kind: "", "plain": ""}
    assert text.replace("\n", "").isprintable()
    (tmp_path / "layout.toml").write_text(filled(text, {"source": "x"}), encoding="utf-8")
    assert set(read_layout(tmp_path / "layout.toml").crime_types) == {kind, "plain"}


@pytest.mark.parametrize(
    ("encoding", "asks"), [("cp1252", False), ("utf-8", False), ("mac-roman", True), ("cp850", True), ("cp1251", True)]
)
def test_bytes_that_are_no_utf_8(propose, encoding, asks):
    word = "Кража" if encoding == "cp1251" else "Málaga Tür"

    text, told = propose(["Date", "Type"], [["13/02/2024", word]] * 3, encoding=encoding)

    assert told["encoding"] == ("" if asks else encoding)
    assert ("encoding" in asked(text)) == asks
    assert word[:5] in text


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"1,13/02/2024,500500\n2,14/02/2024,500501\n", "no header can be told"),
        (b"Ref,Date,Type\n", "a header and no rows"),
        (b'Ref,Date,Type\n1,2,"3\n', "never closed"),
        (b'Ref,"Da"te,Type\n1,2,"3"\n4,5\n', "expected after"),
        (b"\0\0\0\0", "binary file"),
        (",".join(f"Column {i}" for i in range(1001)).encode() + b"\n" + b"1," * 1001, "1,001 columns"),
    ],
)
def test_what_is_no_table_is_refused(invoke, tmp_path, data, says):
    (tmp_path / "odd.csv").write_bytes(data)

    done = invoke("layout", "new", tmp_path / "odd.csv", status=1)

    assert done.stdout == ""
    assert says in done.stderr


def test_the_docs_show_what_is_printed(tmp_path):
    page = (Path(__file__).parent.parent / "docs/layouts.md").read_text(encoding="utf-8")
    file = re.search(r"<!-- file: log.csv -->\n```csv\n(.*?)```", page, flags=re.DOTALL)[1]
    (tmp_path / "log.csv").write_text(file, encoding="utf-8")

    assert f"```toml\n{propose_layout(tmp_path / 'log.csv', today=TODAY).text}```" in page
