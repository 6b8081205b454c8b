"""The layouts of ours: a small made-up file for each, every figure of it counted by hand; and what extends them."""

import json
import zipfile
from datetime import datetime

import pytest
import xlsxwriter

from loaders.layouts import built_in_layouts, read_layout
from loaders.layouts.codes import code_tables, read_code_table
from mapping.errors import DataRefused
from mapping.vocabulary import BUILT_IN_CRIME_TYPES
from tests.digest import read_tables
from tests.tiny import BOTH_ENGINES, CLOCK, CODES, FIXTURES, NE, NW, SE, STREET, SW, county_on, write_layout, write_table

SAMPLES = FIXTURES / "layouts"
MARCH = ("--window", "2024-03:2024-03")
OURS = ("--source", "tiny-police", *MARCH)
OUTCOMES = SAMPLES / "2024-01-tiny-outcomes.csv"
STOPS = SAMPLES / "2024-04-tiny-stop-and-search.csv"

moment = datetime.fromisoformat


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


@pytest.fixture(scope="module")
def one_engine(request, tmp_path_factory):
    with county_on("sqlite", request, tmp_path_factory.mktemp("one")) as county:
        yield county


@pytest.fixture
def load(one_engine, invoke, tmp_path):
    """Load files as incidents, and return their rows with what was printed; how a file is read knows no engine."""
    with one_engine.copy(tmp_path) as url:

        def run(*arguments, status=0):
            done = invoke("load", "incidents", *arguments, store=url, env=CLOCK, status=status)
            return rows_of(url), done

        yield run


def rows_of(url):
    """Incidents as dictionaries, with the words that their numbers stand for."""
    tables = read_tables(url)
    types = {row["id"]: row["slug"] for row in tables["crime_type"]}
    words = {row["id"]: row["text"] for row in tables["phrase"]} | {None: None}
    numbered = ("location_id", "lsoa_id", "outcome_id", "code_id", "opening_code_id", "class_id", "status_id")
    return [
        {name: words[row[name]] if name in numbered else row[name] for name in row} | {"type": types[row["crime_type_id"]]}
        for row in tables["incident"]
    ]


def counts(tiny, *options):
    """Counts as {(ward, type): count}."""
    lines = tiny("counts", "--format", "csv", *options).stdout.splitlines()[1:]
    fields = [line.split(",") for line in lines]
    return {(code, kind): int(count) for code, _name, _month, kind, count in fields}


def picked(rows, *names):
    return [tuple(row[name] for name in names) for row in rows]


# A force's crimes


def test_crimes_of_a_force(tiny):
    done = tiny("load", "incidents", SAMPLES / "force-crimes.csv", *OURS)

    assert "7 rows read: 6 kept (of them 3 repaired, 1 without coordinates), 1 set aside, 0 rejected." in done.stderr
    assert "On wd24: 4 in a ward, 1 outside every ward." in done.stderr
    assert counts(tiny) == {
        (CODES[NW], "burglary"): 1,
        (CODES[SW], "shoplifting"): 1,
        (CODES[SW], "drugs"): 1,
        (CODES[NE], "violent-crime"): 1,
    }
    rows = [row for row in rows_of(tiny.url) if row["reference"] != "41/0004/24"]
    evening, night = moment("2024-03-12 21:15:30"), moment("2024-03-07 00:00")
    assert picked(rows, "type", "code_id", "status_id", "started_at", "ended_at") == [
        ("burglary", "28E", "Recorded", moment("2024-03-02 18:00"), moment("2024-03-03 07:30")),
        ("shoplifting", "46", "Recorded", moment("2024-03-05 12:10"), moment("2024-03-05 12:10")),
        ("violent-crime", "105a", "Finalised", None, None),
        ("vehicle-crime", "37.2", "Recorded", moment("2024-03-01 00:00"), moment("2024-03-06 00:00")),
        ("criminal-damage-arson", "58C", "Recorded", night, night),
        ("drugs", "092E", None, evening, evening),
    ]
    found = json.loads(tiny("status", "--format", "json").stdout)
    assert [(s["id"], s["access"], s["streams"]) for s in found["sources"]] == [("tiny-police", "protected", ["crimes"])]


def test_a_crime_that_was_none_is_not_counted(tiny):
    tiny("load", "incidents", SAMPLES / "force-crimes.csv", *OURS)

    tables = read_tables(tiny.url)

    assert [(row["reference"], row["why"], row["cancels"]) for row in tables["held_incident"]] == [
        ("41/0004/24", "cancelled", True)
    ]


def test_nothing_but_what_a_layout_names_is_stored(tiny):
    for name in ("force-crimes", "force-incidents", "emergency-department"):
        tiny("load", "incidents", SAMPLES / f"{name}.csv", *OURS)

    stored = repr(read_tables(tiny.url))

    assert "not stored" not in stored
    assert "nightclub" not in stored
    assert "105a" in stored


def test_an_unknown_code_refuses_the_load_and_is_named(tiny, tmp_path):
    text = (SAMPLES / "force-crimes.csv").read_text(encoding="utf-8")
    path = tmp_path / "crimes.csv"
    path.write_text(text.replace(",46,", ",777,").replace(",105a,", ",8Z,"), encoding="utf-8")

    done = tiny("load", "incidents", path, *OURS, status=1)

    assert '"777" = ""  # 1 rows' in done.stderr
    assert '"8Z" = ""  # 1 rows' in done.stderr
    assert 'extends = "force-crimes"' in done.stderr
    assert "its table of codes home-office" in done.stderr
    assert read_tables(tiny.url)["incident"] == []

    done = tiny("load", "incidents", path, *OURS, "--set-aside-unknown")

    assert "7 rows read: 4 kept" in done.stderr
    assert "set-aside: 1 row: unknown crime type '777'\n" in done.stderr
    assert "set-aside: 1 row: unknown crime type '8Z'\n" in done.stderr
    assert f"  {path}, line 3, HO Code: '777'" in done.stderr
    found = json.loads(tiny("status", "--format", "json").stdout)["sources"][0]
    assert (found["read"], found["kept"], found["set_aside"]) == (7, 4, 3)


def test_only_rows_of_unknown_types(tiny, tmp_path):
    """Of a file of which nothing counts the window is supplied, with none."""
    path = write_table(
        tmp_path / "f.csv",
        ["Incident Number", "Call Date", "Call Time", "Incident Type", "Easting", "Northing"],
        [["F1", "01/03/2024", "", "Cat in tree", 500_500, 201_500]],
    )

    done = tiny("load", "incidents", path, *OURS, "--set-aside-unknown")

    assert "1 row read: 0 kept" in done.stderr
    assert counts(tiny) == {}
    assert json.loads(tiny("status", "--format", "json").stdout)["data_as_of"] == "2024-03"


# Incident logs


def test_incident_logs(tiny):
    done = tiny("load", "incidents", SAMPLES / "force-incidents.csv", *OURS)

    assert "6 rows read: 5 kept (of them 1 repaired, 0 without coordinates), 1 set aside, 0 rejected." in done.stderr
    assert "set-aside: 1 row: the layout force-incidents does not count 'Duplicate' (Duplicate of another log)" in done.stderr
    assert "repaired: 1 row: is neither yes nor no" in done.stderr
    assert picked(rows_of(tiny.url), "type", "code_id", "opening_code_id", "class_id", "repeat_victim", "started_at") == [
        ("asb-noise", "Noise", "ASB - Nuisance", "Nuisance", True, moment("2024-03-01 22:15")),
        *[("asb-rowdy-behaviour", *["Rowdy or Inconsiderate Behaviour"] * 2, "Personal", False, moment("2024-03-01 23:05"))],
        ("transport-incident", "RTC \N{EN DASH} Damage Only", "RTC", None, None, moment("2024-03-02 09:30")),
        ("anti-social-behaviour", "asb - environmental", "ASB ENVIRONMENTAL", None, None, None),
        ("asb-street-drinking", "Street Drinking", "Concern for safety", "Environmental", True, moment("2024-03-03 01:10")),
    ]


def test_the_group_asb_sums_the_types_of_a_force_with_those_of_police_uk(tiny):
    tiny("load", "incidents", SAMPLES / "force-incidents.csv", *OURS)
    tiny("load", "incidents", STREET)

    march = counts(tiny, "--crime-type", "asb", "--from", "2024-03")
    january = counts(tiny, "--crime-type", "asb", "--to", "2024-01")

    assert march == {
        (CODES[NW], "asb-noise"): 1,
        (CODES[SW], "asb-rowdy-behaviour"): 1,
        (CODES[NE], "asb-street-drinking"): 1,
        (CODES[SE], "anti-social-behaviour"): 1,
    }
    assert sum(january.values()) == 3
    assert counts(tiny, "--crime-type", "other") == {(CODES[NE], "transport-incident"): 1}


def test_the_class_that_a_category_states_is_kept_where_no_column_gives_one(load, tmp_path):
    layout = write_layout(tmp_path, 'extends = "force-incidents"\n[columns]\nclass = ""\nrepeat_victim = ""\n')

    rows, _ = load(SAMPLES / "force-incidents.csv", "--layout", layout, *OURS)

    assert picked(rows, "code_id", "class_id", "repeat_victim")[3] == ("asb - environmental", "Environmental", None)
    assert picked(rows, "class_id")[:3] == [(None,)] * 3


def test_a_change_to_what_is_not_counted_cancels(tiny, tmp_path):
    """A log that was closed as noise and turns out a duplicate is none, whatever its old row says."""
    tiny("load", "incidents", SAMPLES / "force-incidents.csv", *OURS)
    text = 'extends = "force-incidents"\nkind = "changes"\n[columns]\nupdated = "Updated"\n'
    header = (SAMPLES / "force-incidents.csv").read_text("utf-8").splitlines()[0].split(",")[:-1]
    rows = [
        ["0301-0412", "01/03/2024", "22:15", "ASB - Nuisance", "Duplicate", "", "", *NW, "05/03/2024 10:00"],
        ["0303-0019", "03/03/2024", "01:10", "Concern for safety", "Noise", "Nuisance", "", *NE, "05/03/2024 10:00"],
    ]
    path = write_table(tmp_path / "changes.csv", [*header, "Updated"], rows)

    done = tiny("load", "incidents", path, "--layout", write_layout(tmp_path, text), "--source", "tiny-police")

    assert "1 incident amended (of them 1 reclassified), 1 cancelled." in done.stderr
    assert "does not count 'Duplicate'" in done.stderr
    assert counts(tiny, "--crime-type", "asb") == {
        (CODES[NE], "asb-noise"): 1,
        (CODES[SW], "asb-rowdy-behaviour"): 1,
        (CODES[SE], "anti-social-behaviour"): 1,
    }
    found = json.loads(tiny("status", "--format", "json").stdout)["sources"][0]
    assert found["read"] == found["kept"] + found["set_aside"] + found["rejected"] == 8


# Other agencies


def test_incidents_of_a_fire_service(tiny):
    done = tiny("load", "incidents", SAMPLES / "fire-incidents.csv", "--source", "tiny-fire", *MARCH)

    assert "4 rows read: 4 kept (of them 0 repaired" in done.stderr
    assert counts(tiny, "--crime-type", "other") == {
        (CODES[SE], "fire-deliberate"): 2,
        (CODES[NW], "fire-false-alarm"): 1,
        (CODES[NW], "fire-special-service"): 1,
    }
    assert counts(tiny, "--crime-type", "crime") == {}


def test_incidents_of_an_ambulance_service(tiny):
    done = tiny("load", "incidents", SAMPLES / "ambulance-incidents.csv", "--source", "tiny-ambulance", *MARCH)

    assert "4 rows read: 4 kept (of them 0 repaired, 1 without coordinates)" in done.stderr
    assert counts(tiny) == {
        (CODES[NE], "ambulance-assault"): 1,
        (CODES[NE], "ambulance-stab-gunshot"): 1,
        (CODES[SW], "ambulance-overdose"): 1,
    }


def test_attendances_at_an_emergency_department(tiny):
    done = tiny("load", "incidents", SAMPLES / "emergency-department.csv", "--source", "tiny-hospital", *MARCH)

    assert "4 rows read: 4 kept (of them 0 repaired, 4 without coordinates)" in done.stderr
    assert "4 of 4 rows have no coordinates" in done.stderr
    assert picked(rows_of(tiny.url), "type", "started_at", "ended_at") == [
        ("ed-assault-body-part", *[moment("2024-03-02 23:50")] * 2),
        ("ed-assault-object", None, None),
        ("ed-assault-blade", *[moment("2024-03-17 03:15")] * 2),
        ("ed-assault-unspecified", *[moment("2024-03-23 00:00")] * 2),
    ]


# data.police.uk's outcomes and stops


def outcomes_of(tiny):
    return json.loads(tiny("status", "--format", "json").stdout)["sources"][0]["outcomes"]


def test_outcomes_are_joined_to_their_crimes_and_count_in_no_figure(tiny):
    tiny("load", "incidents", STREET)
    before = json.loads(tiny("status", "--format", "json").stdout)["sources"][0]
    figures = counts(tiny)

    done = tiny("load", "incidents", OUTCOMES)

    assert "tiny-constabulary outcomes 2024-01-01 to 2024-01-31: extract 2, 4 outcomes kept." in done.stderr
    assert "4 outcomes kept: 3 belong to a crime that is loaded." in done.stderr
    assert "rows read" not in done.stderr
    found = json.loads(tiny("status", "--format", "json").stdout)["sources"][0]
    assert found == before | {"streams": ["outcomes", "street"], "outcomes": {"rows": 4, "joined": 3}}
    assert "Outcomes: 4, of which 3 belong to a crime that is loaded." in tiny("status").stdout
    assert counts(tiny) == figures
    tables = read_tables(tiny.url)
    words = {row["id"]: row["text"] for row in tables["phrase"]}
    assert [(row["reference"][-2:], words[row["outcome_id"]]) for row in tables["outcome"]] == [
        ("01", "Investigation complete; no suspect identified"),
        ("06", "Unable to prosecute suspect"),
        ("06", "Suspect charged"),
        ("ff", "Local resolution"),
    ]
    assert [row["records"] for row in tables["extract"]] == ["incidents", "outcomes"]


def test_outcomes_wait_for_their_crimes(tiny):
    done = tiny("load", "incidents", OUTCOMES)

    assert "4 outcomes kept: 0 belong to a crime that is loaded." in done.stderr
    assert outcomes_of(tiny) == {"rows": 4, "joined": 0}
    assert json.loads(tiny("status", "--format", "json").stdout)["data_as_of"] is None

    tiny("load", "incidents", STREET)

    assert outcomes_of(tiny) == {"rows": 4, "joined": 3}
    tiny("unload", "2")
    assert outcomes_of(tiny) == {"rows": 4, "joined": 0}


def test_the_crimes_of_another_source_are_not_theirs(tiny):
    tiny("load", "incidents", STREET, "--source", "another")
    done = tiny("load", "incidents", OUTCOMES)

    assert "4 outcomes kept: 0 belong" in done.stderr


def test_outcomes_are_replaced_found_again_and_taken_out(tiny, tmp_path):
    tiny("load", "incidents", STREET, OUTCOMES)
    assert outcomes_of(tiny) == {"rows": 4, "joined": 3}
    version = json.loads(tiny("status", "--format", "json").stdout)["data_version"]
    assert "outcomes 2024-01-01 to 2024-01-31: already loaded" in tiny("load", "incidents", OUTCOMES).stderr

    shorter = tmp_path / OUTCOMES.name
    shorter.write_text("".join(OUTCOMES.read_text("utf-8").splitlines(keepends=True)[:2]), "utf-8")
    done = tiny("load", "incidents", shorter, status=1)
    assert "would leave tiny-constabulary outcomes 2024-01-01:2024-01-31 with 1 rows, where 4 are stored" in done.stderr
    done = tiny("load", "incidents", shorter, "--replace")
    assert "1 outcome kept, in place of 4." in done.stderr
    assert "1 outcome kept: 1 belongs to a crime that is loaded." in done.stderr
    assert json.loads(tiny("status", "--format", "json").stdout)["data_version"] != version

    done = tiny("unload", "3")

    assert "1 outcome. Its days are not supplied now" in done.stderr
    assert outcomes_of(tiny) == {"rows": 0, "joined": 0}
    assert sum(counts(tiny).values()) == 8
    tiny("load", "incidents", OUTCOMES)
    assert json.loads(tiny("status", "--format", "json").stdout)["data_version"] == version


def test_a_month_of_outcomes_covers_no_month_of_crimes(tiny, tmp_path):
    tiny("load", "incidents", STREET)
    february = tmp_path / "2024-02-tiny-outcomes.csv"
    february.write_text(OUTCOMES.read_text("utf-8").replace("2024-01", "2024-02"), "utf-8")

    tiny("load", "incidents", february)

    found = json.loads(tiny("status", "--format", "json").stdout)
    assert found["data_as_of"] == "2024-01"
    assert [(m["month"], m["status"]) for m in found["sources"][0]["months"]] == [("2024-01", "supplied")]
    answer = json.loads(tiny("measure", "count", "--format", "json", "--from", "2024-01", "--to", "2024-01").stdout)
    assert answer["meta"]["missing"] == []


def test_a_stream_is_of_incidents_or_of_outcomes(tiny, tmp_path):
    layout = write_layout(tmp_path, 'extends = "police-uk-outcomes"\nstream = "street"\n')
    tiny("load", "incidents", STREET)

    done = tiny("load", "incidents", OUTCOMES, "--layout", layout, status=1)

    assert "its rows are outcomes, and the stream street of tiny-constabulary holds incidents" in done.stderr
    assert read_tables(tiny.url)["outcome"] == []


def test_in_a_folder_archives_without_what_is_asked_for_are_left_out(tiny, tmp_path):
    for name, path in (("street.zip", STREET), ("more.zip", OUTCOMES)):
        with zipfile.ZipFile(tmp_path / "folder.zip", "w") as archive:
            archive.write(path, path.name)
        (tmp_path / "folder").mkdir(exist_ok=True)
        (tmp_path / "folder.zip").rename(tmp_path / "folder" / name)
    asked = ("--layout", "police-uk-outcomes")

    done = tiny("load", "incidents", tmp_path / "folder", *asked)

    assert "4 outcomes kept: 0 belong" in done.stderr
    assert "street.zip/2024-01-tiny-street.csv" in done.stderr
    (tmp_path / "folder" / "more.zip").unlink()
    done = tiny("load", "incidents", tmp_path / "folder", *asked, status=1)
    assert "no archive in the folder holds a file to read" in done.stderr
    done = tiny("load", "incidents", tmp_path / "folder" / "street.zip", *asked, status=1)
    assert "the archive holds no" in done.stderr


def test_an_archive_gives_what_its_layout_is_asked_for(tiny, tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in (STREET, OUTCOMES, STOPS):
            archive.write(path, f"2024/{path.name}")

    done = tiny("load", "incidents", tmp_path / "all.zip")
    assert "2 files were left out" in done.stderr
    assert "those that end in -outcomes.csv are read with --layout police-uk-outcomes." in done.stderr
    assert "those that end in -stop-and-search.csv are read with --layout police-uk-stop-and-search." in done.stderr
    done = tiny("load", "incidents", tmp_path / "all.zip", "--layout", "police-uk-outcomes")
    assert "4 outcomes kept: 3 belong" in done.stderr
    tiny("load", "incidents", tmp_path / "all.zip", "--layout", "police-uk-stop-and-search", "--source", "tiny-constabulary")

    assert [row["stream"] for row in read_tables(tiny.url)["extract"]] == ["street", "outcomes", "stops"]


def test_stops_are_incidents_of_their_own_group_by_local_time(tiny):
    done = tiny("load", "incidents", STOPS, status=1)
    assert "Name the source with --source ID" in done.stderr

    done = tiny("load", "incidents", STOPS, "--source", "tiny-constabulary")

    assert "tiny-constabulary stops 2024-04-01 to 2024-04-30: extract 1, 3 rows kept." in done.stderr
    assert counts(tiny) == {(CODES[NW], "stop-and-search"): 1, (CODES[NE], "stop-and-search"): 1}
    assert counts(tiny, "--crime-type", "other") == counts(tiny)
    assert picked(rows_of(tiny.url), "date", "started_at", "code_id", "outcome_id") == [
        (moment("2024-04-01").date(), moment("2024-04-01 00:30"), "Controlled drugs", "A no further action disposal"),
        (moment("2024-04-15").date(), moment("2024-04-15 14:05"), "Stolen goods", "Arrest"),
        (moment("2024-04-30").date(), moment("2024-04-30 23:30"), "Controlled drugs", "A no further action disposal"),
    ]
    assert "Female" not in repr(read_tables(tiny.url))


# Tables of codes


def test_every_table_of_ours_is_whole(tmp_path):
    known = {t.id for t in BUILT_IN_CRIME_TYPES} | {"set-aside"}
    added = {t.id for layout in built_in_layouts().values() for t in layout.types}

    for name in code_tables():
        table = read_code_table(name, folder=tmp_path)
        assert {code.crime_type for code in table.codes} <= known | added
        assert len(table.codes) > 50
        assert "Open Government Licence" in table.comment


@pytest.mark.parametrize(
    ("text", "crime_type"),
    [
        ("8N", "violent-crime"),
        (" 008n ", "violent-crime"),
        ("28E", "burglary"),
        ("28K", "burglary"),
        ("28/3", "burglary"),
        ("30C", "burglary"),
        ("105A", "violent-crime"),
        ("105/01", "violent-crime"),
        ("37/1", "violent-crime"),
        ("037.02", "vehicle-crime"),
        ("4.10", "violent-crime"),
        ("49/10", "other-theft"),
        ("49A", "other-theft"),
        ("802", "other-crime"),
        ("281", None),
        ("8", None),
        ("8/11", None),
        ("", None),
        ("*", None),
    ],
)
def test_home_office_codes_as_they_are_written(tmp_path, text, crime_type):
    found = read_code_table("home-office", folder=tmp_path).find(text)

    assert (found.crime_type if found else None) == crime_type


def test_a_table_of_ones_own(load, invoke, tmp_path):
    ours = invoke("layout", "codes", "home-office").stdout
    (tmp_path / "own.csv").write_text(ours.replace("46*,Shoplifting,shoplifting", "46*,Shoplifting,other-theft"), "utf-8")
    layout = write_layout(tmp_path, 'extends = "force-crimes"\ncodes = "own.csv"\n[crime_types]\n"028e" = "set-aside"\n')

    rows, done = load(SAMPLES / "force-crimes.csv", "--layout", layout, *OURS)

    assert picked(rows, "reference", "type")[0] == ("41/0002/24", "other-theft")
    assert "does not count '28E' (Burglary - residential)" in done.stderr


def test_a_table_that_changed_is_read_again(load, invoke, tmp_path):
    table = tmp_path / "own.csv"
    table.write_text(invoke("layout", "codes", "home-office").stdout, "utf-8")
    layout = write_layout(tmp_path, 'extends = "force-crimes"\ncodes = "own.csv"\n')
    arguments = (SAMPLES / "force-crimes.csv", "--layout", layout, *OURS)
    load(*arguments)
    assert "already loaded" in load(*arguments)[1].stderr

    table.write_text(table.read_text("utf-8").replace("46*,Shoplifting,shoplifting", "46*,Shoplifting,other-theft"), "utf-8")
    rows, _ = load(*arguments)

    assert "other-theft" in {row["type"] for row in rows}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is no table of codes: its header is missing"),
        ("code;name;crime_type\n", "its header is code;name;crime_type"),
        ("code,name,crime_type\n", "holds no code"),
        ("code,name,crime_type\n1,One,\n", "line 2: '1' has no crime type"),
        ("# a\ncode,name,crime_type\n,One,drugs\n", "line 3: 'One' has no code"),
        ("code,name,crime_type\n1,One,drugs\n01,One,robbery\n", "line 3: '01' is drugs above and robbery here"),
        ("code,name,crime_type\n1,One,fly-tipping\n", "maps to 'fly-tipping', which is no crime type"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(tmp_path, text, says):
    (tmp_path / "own.csv").write_text(text, encoding="utf-8")
    layout = write_layout(tmp_path, 'extends = "force-crimes"\ncodes = "own.csv"\n')

    with pytest.raises(DataRefused) as caught:
        read_layout(layout)

    assert says in str(caught.value)


def test_a_layout_comes_before_its_table(tmp_path):
    text = 'extends = "force-crimes"\n[crime_types]\n"28*" = "other-crime"\n"802" = "set-aside"\n'

    layout = read_layout(write_layout(tmp_path, text))

    assert layout.types_of(["28E", "028/3", "29A", "802"]) == ["other-crime", "other-crime", "burglary", "set-aside"]


def test_a_table_that_is_not_there(tmp_path):
    with pytest.raises(DataRefused, match=r"none\.csv: No such file.*\n.*home-office, nicl"):
        read_layout(write_layout(tmp_path, 'extends = "force-crimes"\ncodes = "none.csv"\n'))


def test_a_table_that_a_spreadsheet_saved(tmp_path):
    text = '\ufeff"# of ours, 2024",,\n,,\ncode,name,crime_type,\n28E,Burglary,burglary,\n,,,\n'
    (tmp_path / "own.csv").write_text(text, encoding="utf-8")

    layout = read_layout(write_layout(tmp_path, 'extends = "force-crimes"\ncodes = "own.csv"\n'))

    assert layout.types_of(["028E", "46"]) == ["burglary", None]


# Extending


@pytest.mark.parametrize("name", sorted(built_in_layouts()))
def test_every_layout_of_ours_may_be_extended(tmp_path, name):
    base = built_in_layouts()[name]
    text = f'extends = "{name}"\nname = "own"\nsource = "own"\n[[types]]\nid = "own-type"\nname = "Own"\ngroup = "other"\n'

    layout = read_layout(write_layout(tmp_path, text))

    assert (layout.columns, layout.dates, layout.access) == (base.columns, base.dates, base.access)
    assert [t.id for t in layout.types] == [t.id for t in base.types] + ["own-type"]


def test_headers_of_ones_own(load, tmp_path):
    layout = write_layout(
        tmp_path,
        """
        extends = "force-crimes"
        name = "own"
        source = "own-police"
        encoding = "cp1252"
        cancelled = []
        [columns]
        reference = "No"
        crime_type = "Offence"
        date = "Enregistré"
        from = "From"
        from_time = ""
        to = "To"
        to_time = ""
        status = ""
        [dates]
        format = "%d-%b-%y %H:%M"
        """.replace("        ", ""),
    )
    header = ["No", "Enregistré", "From", "To", "Offence", "Easting", "Northing"]
    rows = [["1", "04-Mar-24 00:00", "03-Mar-24 22:00", "04-Mar-24 06:00", "45", *NW]]
    path = write_table(tmp_path / "own.csv", header, rows, encoding="cp1252")

    found, _ = load(path, "--layout", layout, *MARCH)

    assert picked(found, "type", "started_at", "ended_at") == [
        ("vehicle-crime", moment("2024-03-03 22:00"), moment("2024-03-04 06:00"))
    ]


def test_formats_of_ones_own_replace_those_of_the_base(load, tmp_path):
    """03/25 can be no day and month: beside a month-first format the base's day-first one would guess."""
    layout = write_layout(tmp_path, 'extends = "fire-incidents"\n[dates]\nformat = "%m/%d/%Y %H:%M"\n')
    path = write_table(
        tmp_path / "f.csv",
        ["Incident Number", "Call Date", "Call Time", "Incident Type", "Easting", "Northing"],
        [["F1", "03/04/2024", "10:00", "Special service", *NW], ["F2", "25/03/2024", "10:00", "Special service", *NW]],
    )

    _, done = load(path, "--layout", layout, "--source", "x", *MARCH, status=1)

    assert "1 rows have no readable date in 'Call Date': line 3 '25/03/2024'" in done.stderr


# Files as they come


FIRE = ["Incident Number", "Call Date", "Call Time", "Incident Type", "Easting", "Northing"]


def test_a_workbook_with_titles_day_and_time_cells(load, tmp_path):
    with xlsxwriter.Workbook(tmp_path / "fire.xlsx") as book:
        day, clock = book.add_format({"num_format": "dd/mm/yyyy"}), book.add_format({"num_format": "hh:mm"})
        sheet = book.add_worksheet("Export")
        sheet.write(0, 0, "Incidents, March 2024")
        sheet.write(1, 0, "Official")
        sheet.write_row(3, 0, FIRE)
        sheet.write_row(4, 0, ["F1", None, None, "Special service", 500_500, 201_500])
        sheet.write_datetime(4, 1, moment("2024-03-09"), day)
        sheet.write_datetime(4, 2, moment("1899-12-31 17:20"), clock)
        sheet.write_row(5, 0, ["F2", "10/03/2024", "08:15", "special service", "500,500", "201,500"])
        sheet.write_row(6, 0, ["F3", None, None, "Special service", 500_500, 201_500])
        sheet.write_datetime(6, 1, moment("2024-03-11"), day)
        sheet.write_row(7, 0, ["F4", None, "18:05", "Special service", 500_500, 201_500])
        sheet.write_datetime(7, 1, moment("2024-03-12"), day)

    rows, _ = load(tmp_path / "fire.xlsx", "--source", "x", *MARCH)

    assert picked(rows, "reference", "date", "precision", "started_at") == [
        ("F1", moment("2024-03-09").date(), "minute", moment("2024-03-09 17:20")),
        ("F2", moment("2024-03-10").date(), "minute", moment("2024-03-10 08:15")),
        ("F3", moment("2024-03-11").date(), "day", None),
        ("F4", moment("2024-03-12").date(), "minute", moment("2024-03-12 18:05")),
    ]


def test_numbers_of_days_that_a_spreadsheet_left(load, tmp_path):
    layout = write_layout(tmp_path, 'extends = "ambulance-incidents"\n[dates]\nformats = ["excel", "%d/%m/%Y"]\n')
    header = ["CAD Number", "Call Start", "Chief Complaint", "Easting", "Northing"]
    rows = [[n, when, "Assault", *NW] for n, when in enumerate(("45353", "45353.9791666667", "03/03/2024"))]

    found, _ = load(write_table(tmp_path / "a.csv", header, rows), "--layout", layout, "--source", "x", *MARCH)

    assert picked(found, "date", "precision", "started_at") == [
        (moment("2024-03-02").date(), "day", None),
        (moment("2024-03-02").date(), "minute", moment("2024-03-02 23:30")),
        (moment("2024-03-03").date(), "day", None),
    ]


def test_a_mark_crlf_and_line_breaks_in_text_that_is_not_stored(load, tmp_path):
    header = [*FIRE, "Notes"]
    rows = [
        ["F1", "09/03/2024", "02:45", "Special service", *NW, 'He said "fire",\nthen left'],
        ["F2", "10/03/2024", "", "Special service", *NW, ""],
    ]
    path = write_table(tmp_path / "f.csv", header, rows)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))

    found, _ = load(path, "--source", "x", *MARCH)

    assert picked(found, "reference", "precision") == [("F1", "minute"), ("F2", "day")]


def test_hours_and_minutes_in_columns_of_their_own(load, tmp_path):
    layout = write_layout(
        tmp_path, 'extends = "fire-incidents"\n[columns]\ntime = ""\n[dates]\nhour = "Hour"\nminute = "Min"\n'
    )
    header = ["Incident Number", "Call Date", "Hour", "Min", "Incident Type", "Easting", "Northing"]
    hours = [("23", "05"), ("7", ""), ("", ""), ("24", "00"), ("x", "1")]
    rows = [[f"F{n}", "09/03/2024", *hour, "Special service", *NW] for n, hour in enumerate(hours)]

    found, done = load(write_table(tmp_path / "f.csv", header, rows), "--layout", layout, "--source", "x", *MARCH)

    assert picked(found, "precision", "started_at") == [
        ("minute", moment("2024-03-09 23:05")),
        ("minute", moment("2024-03-09 07:00")),
        *[("day", None)] * 3,
    ]
    assert "repaired: 2 rows: the time cannot be read" in done.stderr
    assert "line 5, Hour, Min: '24, 00'" in done.stderr


def test_hours_beside_years_months_and_days(load, tmp_path):
    parts = 'date = ""\ntime = "At"\n[dates]\nyear = "Y"\nmonth = "M"\nday = "D"\n'
    layout = write_layout(tmp_path, f'extends = "fire-incidents"\n[columns]\n{parts}')
    header = ["Incident Number", "Y", "M", "D", "At", "Incident Type", "Easting", "Northing"]
    rows = [["F1", "2024", "3", "9", "02:45", "Special service", *NW], ["F2", "2024", "03", "10", "", "Special service", *NW]]

    found, _ = load(write_table(tmp_path / "f.csv", header, rows), "--layout", layout, "--source", "x", *MARCH)

    assert picked(found, "date", "precision") == [
        (moment("2024-03-09").date(), "minute"),
        (moment("2024-03-10").date(), "day"),
    ]


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("2024-03-31T00:59:00+00:00", "2024-03-31 00:59"),
        ("2024-03-31T01:00:00+00:00", "2024-03-31 02:00"),
        ("2024-03-31T01:30:00Z", "2024-03-31 02:30"),
        ("2023-10-29T00:59:00+00:00", "2023-10-29 01:59"),
        ("2023-10-29T01:00:00+00:00", "2023-10-29 01:00"),
        ("2024-01-01T00:30:00+02:00", "2023-12-31 22:30"),
        ("2024-06-01 12:00:00+0100", "2024-06-01 12:00"),
    ],
)
def test_moments_with_an_offset_are_local_time(load, tmp_path, text, local):
    header = STOPS.read_text(encoding="utf-8").splitlines()[0].split(",")
    row = ["Person search", text, "", "", "51.703252", "-0.547067", *[""] * 9]
    path = write_table(tmp_path / "stops.csv", header, [row])

    rows, _ = load(path, "--source", "x", "--window", f"{local[:7]}:{local[:7]}")

    assert picked(rows, "started_at") == [(moment(local),)]


# Recognition and the command line


def test_no_header_of_a_layout_fits_another():
    """Without --layout each sample is read by its own."""
    for layout in built_in_layouts().values():
        others = [o for o in built_in_layouts().values() if o.name != layout.name]
        assert [o.name for o in others if not o.missing_columns(list(layout.columns.named))] == []


def test_layouts_and_tables_are_printed(invoke):
    listed = invoke("layout", "list").stdout.splitlines()
    assert "force-crimes: incidents of the stream crimes, protected" in listed
    assert {line.split(":")[0] for line in listed} == set(built_in_layouts())
    assert 'name = "force-crimes"' in invoke("layout", "show", "force-crimes").stdout
    assert "28E,Burglary - residential,burglary" in invoke("layout", "codes", "home-office").stdout
    assert "There is no layout 'nothing'" in invoke("layout", "show", "nothing", status=1).stderr
    assert "Ours: home-office, nicl." in invoke("layout", "codes", "../home-office", status=1).stderr


def test_police_uk_layouts_alone_are_open():
    assert {name for name, layout in built_in_layouts().items() if layout.access == "open"} == {
        *("police-uk", "police-uk-outcomes", "police-uk-stop-and-search")
    }
