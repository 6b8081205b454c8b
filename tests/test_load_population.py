"""`load population`: tables as statistics offices publish them; every ward gets its residents, or nothing is stored."""

import json

import pytest

from mapping.denominators import KINDS
from tests.digest import digest
from tests.tiny import CLOCK, POPULATION, STREET, WARDS, county_on, write_table

NAMES = ["Northwest", "Southwest", "Northeast", "Southeast"]
CODES = [f"X0590000{n}" for n in (1, 2, 3, 4)]
HEADER = ["code", "name", "LA code", "LA name", "All ages"]
ROWS = [
    [CODES[0], "Northwest", "X07900001", "Westshire", "2,000"],
    [CODES[1], "Southwest", "X07900001", "Westshire", "1,000"],
    [CODES[2], "Northeast", "X07900002", "Eastshire", "1,500"],
    [CODES[3], "Southeast", "X07900002", "Eastshire", "150"],
]


@pytest.fixture(scope="module")
def county(request, tmp_path_factory):
    """Give a store that holds the wards and January; how a table is read does not depend on the engine."""
    with county_on("sqlite", request, tmp_path_factory.mktemp("county"), incidents=[STREET]) as county:
        yield county


@pytest.fixture
def load(county, invoke, tmp_path):
    """Load a population, 2020 unless it says: load(path, "--match", "name"); `load.residents()` is what is stored."""
    with county.copy(tmp_path) as url:

        def run(path, *options, year=2020, status=0):
            before = digest(url)
            command = ("load", "population", path, "--boundaries", "wd24", "--year", year, *options)
            done = invoke(*command, store=url, env=CLOCK, status=status)
            assert (digest(url) == before) == (status == 1)
            return done.stderr

        def stored():
            found = json.loads(invoke("status", "--format", "json", store=url).stdout)["population"]
            return {row["year"]: row["residents"] for row in found}

        run.url, run.residents = url, stored
        yield run


def test_by_code(load):
    said = load(POPULATION)

    assert load.residents() == {2020: 4650}
    assert "4,650 residents in 4 wards" in said


def test_preamble_footnotes_thousands_commas_and_other_wards(load, tmp_path):
    path = tmp_path / "ons.csv"
    lines = ["Mid-2020 estimates", "", "Persons,,,,", ",".join(HEADER)]
    lines += [",".join([*row[:4], f'"{row[4]}"']) for row in ROWS]
    lines += ['X05900099,Elsewhere,X07900009,Othershire,"9,999"', "", "Source: made up,,,,", "1. Residents only"]
    path.write_bytes("\r\n".join(lines).encode("utf-8-sig"))

    said = load(path)

    assert load.residents() == {2020: 4650}
    assert "3 other rows" in said


@pytest.mark.parametrize(("delimiter", "encoding"), [(";", "utf-8"), ("\t", "cp1252")])
def test_other_delimiters_and_encodings(load, tmp_path, delimiter, encoding):
    load(write_table(tmp_path / "p.csv", [*HEADER[:4], "Résidents (population)"], ROWS, delimiter=delimiter, encoding=encoding))

    assert load.residents() == {2020: 4650}


def test_a_year_again_replaces_that_year_only(load, tmp_path):
    load(POPULATION)
    load(POPULATION, year=2022)
    more = [[*row[:4], "100"] for row in ROWS]

    load(write_table(tmp_path / "p.csv", HEADER, more))

    assert load.residents() == {2020: 400, 2022: 4650}


def test_names_may_be_written_another_way(load, tmp_path):
    rows = [["", "NORTH-WEST", *ROWS[0][2:]], *(["", *row[1:]] for row in ROWS[1:])]

    load(write_table(tmp_path / "p.csv", HEADER, rows), "--match", "name")

    assert load.residents() == {2020: 4650}


def test_codes_of_a_spreadsheets_drag_fill_are_refused_and_names_are_the_way_out(load, tmp_path):
    dragged = [[CODES[(i + 1) % 4], *row[1:]] for i, row in enumerate(ROWS)]
    path = write_table(tmp_path / "dragged.csv", HEADER, dragged)

    said = load(path, status=1)
    assert "4 of 4" in said
    assert "X05900002 is Southwest in the set and Northwest in the file" in said
    assert "--match name" in said

    load(path, "--match", "name")
    assert load.residents() == {2020: 4650}


@pytest.mark.parametrize(
    ("header", "rows", "says"),
    [
        (HEADER, ROWS[:3], ["1 of 4 wards of wd24 get no row", "X05900004 Southeast", "--match name"]),
        (HEADER, [*ROWS, ROWS[0]], ["X05900001 Northwest has more than one row", "one row a ward"]),
        (HEADER, [*ROWS[:3], [*ROWS[3][:4], "n/a"]], ["'n/a' is not a number of residents (of Southeast)"]),
        (HEADER, [*ROWS[:3], [*ROWS[3][:4], "-5"]], ["'-5' is not a number"]),
        (HEADER, [*ROWS[:3], [*ROWS[3][:4], "2147483648"]], ["2147483648 residents (of Southeast) are more than a ward can"]),
        (HEADER, [*ROWS[:3], [*ROWS[3][:4], "9" * 5000]], ["9… residents (of Southeast) are more than a ward can have"]),
        (HEADER, [[*row[:4], "0"] for row in ROWS], ["every ward has 0 residents (column 'All ages')"]),
        (["code", "name", "a", "b", "c"], ROWS, ["no column looks like residents", "--column"]),
        (["code", "name", "Population 2019", "b", "Residents 2021"], ROWS, ["several columns", "--column"]),
        (HEADER, [["E1", "Elsewhere", "", "", "5"]], ["no column holds codes or names of the set's wards"]),
    ],
)
def test_what_is_refused(load, tmp_path, header, rows, says):
    said = load(write_table(tmp_path / "p.csv", header, rows), status=1)

    assert not [words for words in ("p.csv", *says) if words not in said], said


def test_the_column_of_residents_may_be_named_or_told_by_its_year(load, tmp_path):
    rows = [[*row[:2], "1", "2", row[4]] for row in ROWS]
    path = write_table(tmp_path / "p.csv", ["code", "name", "Population 2019", "Population 2020", "z"], rows)

    load(path)
    assert load.residents() == {2020: 8}
    load(path, "--column", "z")
    assert load.residents() == {2020: 4650}
    assert "has no column 'y'" in load(path, "--column", "y", status=1)


@pytest.mark.parametrize("year", [20, 2099])
def test_a_year_that_cannot_be(load, year):
    assert f"{year} is not the year of a population" in load(POPULATION, year=year, status=1)


# Wards of one name in two districts, and wards without a name


@pytest.fixture
def twins(county, invoke, tmp_path):
    """Load a set whose wards have names like these, with or without districts; then its population."""
    with county.copy(tmp_path) as url:

        def run(names, rows, header, *options, columns=("LAD24CD", "LAD24NM"), status=0):
            path = tmp_path / "wards.geojson"
            made = json.loads(WARDS.read_text())
            for feature, name in zip(made["features"], names, strict=True):
                given = feature["properties"]
                code, area = given["WD24CD"], {k: v for k, v in given.items() if k in columns}
                feature["properties"] = {"WD25CD": code, "WD25NM": name} | area
            path.write_text(json.dumps(made))
            invoke("load", "boundaries", path, store=url, env=CLOCK)
            table = write_table(tmp_path / "p.csv", header, rows)
            command = ("load", "population", table, "--boundaries", "wd25", "--year", 2020, *options)
            said = invoke(*command, store=url, env=CLOCK, status=status).stderr
            return said, url

        yield run


def test_one_name_in_two_districts_is_told_apart_by_the_district(twins, invoke):
    names = ["Central", "Southwest", "Central", "Southeast"]
    rows = [[names[i], *row[3:]] for i, row in enumerate(ROWS)]

    _, url = twins(names, rows, ["name", "district", "residents"], "--match", "name")

    found = json.loads(invoke("status", "--format", "json", store=url).stdout)["population"]
    assert found == [{"boundaries": "wd25", "year": 2020, "residents": 4650}]


def test_one_name_in_two_districts_is_refused_where_nothing_tells_them_apart(twins):
    names = ["Central", "Southwest", "Central", "Southeast"]
    rows = [[names[i], row[4]] for i, row in enumerate(ROWS)]

    said, *_ = twins(names, rows, ["name", "residents"], "--match", "name", status=1)

    assert "the name Central stands for several wards (X05900001, X05900003)" in said
    assert "column of district codes or names" in said


def test_where_one_side_has_no_name_nothing_contradicts_the_code(twins):
    rows = [ROWS[0], [CODES[1], "", *ROWS[1][2:]], *ROWS[2:]]

    said, *_ = twins([None, *NAMES[1:]], rows, HEADER)

    assert "4,650 residents in 4 wards" in said


def test_districts_get_their_names_from_it_and_keep_them(twins, invoke, tmp_path):
    said, url = twins(NAMES, ROWS, HEADER, columns=["LAD24CD"])
    assert "2 district names were taken from it" in said
    asked = ("measure", "count", "--boundaries", "wd25", "--by", "district", "--format", "csv")
    named = invoke(*asked, store=url).stdout
    assert "Westshire" in named

    invoke("load", "boundaries", tmp_path / "wards.geojson", "--replace", store=url, env=CLOCK)

    assert invoke(*asked, store=url).stdout == named


# Other kinds


def numbers(path, *columns):
    """Write a table of wards with columns of this name, each with a number."""
    return write_table(path, ["code", *(name for name, _ in columns)], [(code, *(n for _, n in columns)) for code in CODES])


@pytest.mark.parametrize(
    ("what", "header", "says"),
    [
        ("households", "Number of households", None),
        ("workday", "Workday population: all persons", None),
        ("premises", "Addresses", None),
        ("residents", "Workday population", "no column looks like residents"),
        ("workday", "Workplace population", "no column looks like people there on a working day"),
        ("households", "All ages", "no column looks like households"),
    ],
)
def test_the_column_of_a_kind_is_seen_from_its_words(load, tmp_path, what, header, says):
    said = load(numbers(tmp_path / "p.csv", (header, 700)), "--what", what, status=1 if says else 0)

    assert (says or f"2,800 {KINDS[what].many} in 4 wards (columns: code, {header})") in said
    assert says is None or "--column" in said


def test_a_column_that_names_another_year_is_told(load, tmp_path):
    path = numbers(tmp_path / "p.csv", ("population_mid2018", 700))

    assert "'population_mid2018' names another year than 2020" in load(path)
    assert "another year" not in load(path, year=2018)


def test_of_several_kinds_in_one_file_each_finds_its_own(load, invoke, tmp_path):
    kinds = {"residents": ("Residents", 10), "households": ("Households", 20), "workday": ("Workday population", 30)}
    path = numbers(tmp_path / "all.csv", *kinds.values(), ("Premises", 40))

    for what in (*kinds, "premises"):
        load(path, "--what", what)

    found = json.loads(invoke("status", "--format", "json", store=load.url).stdout)["denominators"]
    assert {row["kind"]: row["total"] for row in found} == {"residents": 40, "households": 80, "workday": 120, "premises": 160}


def test_a_kind_and_year_again_replaces_only_itself(load, invoke, tmp_path):
    load(numbers(tmp_path / "a.csv", ("Residents", 1)), year=2019)
    load(numbers(tmp_path / "b.csv", ("Households", 2)), "--what", "households")
    load(numbers(tmp_path / "c.csv", ("Residents", 3)))
    load(numbers(tmp_path / "d.csv", ("z", 4)), "--residents-column", "z")

    found = json.loads(invoke("status", "--format", "json", store=load.url).stdout)["denominators"]
    assert {(row["kind"], row["year"]): row["total"] for row in found} == {
        ("residents", 2019): 4,
        ("residents", 2020): 16,
        ("households", 2020): 8,
    }
