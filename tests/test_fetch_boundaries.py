"""`fetch boundaries` against a server that answers as the ONS portal does, faults included."""

import json
import math
import re
from dataclasses import replace as altered

import pytest

from loaders.fetching.ons_names import choose_service, lookups_of, read_title
from mapping.errors import BadRequest
from tests.publishers import Answer, Layer, published, said

DISTRICTS = [("E07000095", "Broxbourne"), ("E07000096", "Dacorum"), ("E06000055", "Bedford")]
"""Two of Hertfordshire and a unitary authority."""

COUNTIES = {"E07000095": ("E10000015", "Hertfordshire"), "E07000096": ("E10000015", "Hertfordshire")}
BFC, LOOKUP = "Wards_December_2024_Boundaries_UK_BFC", "LAD24_CTY24_EN_LU"


def square(number):
    """The ring of a square of 1 km in a row of them."""
    east, north = 520_000 + 1000 * number, 210_000
    return [[east, north], [east, north + 1000], [east + 1000, north + 1000], [east + 1000, north], [east, north]]


def wards(*, each=2, year=24, names=("WD{}CD", "WD{}NM", "LAD{}CD", "LAD{}NM")):
    """So many wards of each district, next to each other."""
    columns = [name.format(year) for name in names]
    rows = []
    for code, name in DISTRICTS:
        for i in range(each):
            number = len(rows)
            values = (f"E0500{number:04d}", f"{name} {i + 1}", code, name)
            rows.append((dict(zip(columns, values, strict=False)), square(number)))
    return rows


def county_rows(year=24):
    columns = [f"LAD{year}CD", f"LAD{year}NM", f"CTY{year}CD", f"CTY{year}NM"]
    return [(dict(zip(columns, (c, n, *COUNTIES[c]), strict=True)), None) for c, n in DISTRICTS if c in COUNTIES]


@pytest.fixture
def portal():
    """Give a publisher with the wards of three districts, and which of them are in a county."""
    with published() as publisher:
        publisher.layers = {
            "WD_DEC_2023_UK_BFC": Layer(wards(year=23)),
            BFC: Layer(wards()),
            "Wards_December_2024_Boundaries_UK_BSC": Layer(wards()),
            "LSOA21_WD24_LAD24_EW_LU": Layer([]),
            LOOKUP: Layer(county_rows()),
        }
        yield publisher


@pytest.fixture
def fetch(invoke, portal, tmp_path):
    """Run `fetch boundaries` against it, without waits."""
    settings = {
        "WARDWATCH_ONS_URL": f"{portal.url}/ons",
        "WARDWATCH_FETCH_PAUSE_S": "0",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "NO_PROXY": "*",
    }

    def run(*options, title="Wards December 2024", area="Hertfordshire", env=None, status=0):
        arguments = ("fetch", "boundaries", title, *(("--area", area) if area else ()), *options)
        return invoke(*arguments, env=settings | (env or {}), status=status).stderr

    return run


def features(path):
    return json.loads(path.read_text())["features"]


FILE = "wards-december-2024-hertfordshire.geojson"


def test_what_is_fetched_is_loaded_as_it_is(fetch, invoke, sqlite_url, tmp_path):
    told = fetch().splitlines()

    assert told[0] == f"4 areas in 2 districts of {BFC} written to {FILE}."
    command = re.fullmatch(r"Load them with: wardwatch (.* '(Source: .*2024\.)')", told[-1])
    assert command
    invoke("init", store=sqlite_url)
    loaded = invoke("load", "boundaries", FILE, "--attribution", command[2], store=sqlite_url)
    assert loaded.stderr.splitlines() == ["Boundary set wd24: 4 areas in 2 districts."]
    status = json.loads(invoke("status", "--format", "json", store=sqlite_url).stdout)
    assert [(s["name"], s["kind"], s["wards"]) for s in status["boundary_sets"]] == [("wd24", "ward", 4)]
    first = features(tmp_path / FILE)[0]
    assert first["properties"] == {
        "WD24CD": "E05000000",
        "WD24NM": "Broxbourne 1",
        "LAD24CD": "E07000095",
        "LAD24NM": "Broxbourne",
    }
    assert first["geometry"]["coordinates"] == [square(0)]


@pytest.mark.parametrize(
    ("area", "codes"),
    [
        ("hertfordshire", ["E07000095", "E07000096"]),
        ("E10000015", ["E07000095", "E07000096"]),
        ("Bedford", ["E06000055"]),
        ("e07000096", ["E07000096"]),
        (None, ["E06000055", "E07000095", "E07000096"]),
    ],
)
def test_areas_are_districts_and_counties_by_name_or_code(fetch, tmp_path, area, codes):
    fetch("--into", "found.geojson", area=area)

    assert sorted({f["properties"]["LAD24CD"] for f in features(tmp_path / "found.geojson")}) == codes


@pytest.mark.parametrize(
    ("area", "hint"),
    [
        ("Hertfordshir", "Near to it: Hertfordshire."),
        ("Brox", "Near to it: Broxbourne."),
        ("Zzz' OR 1=1 --", "Give the name of a district"),
    ],
)
def test_an_area_that_is_not_there_is_told_with_those_near_to_it(fetch, portal, tmp_path, area, hint):
    told = fetch(area=area, status=1)

    assert f"No district or county is called '{area}'" in told
    assert hint in told
    assert not list(tmp_path.glob("*.geojson"))
    assert "OR" not in str([query for _, query, _ in portal.asked])


def test_pages_are_put_together(fetch, portal, tmp_path):
    portal.layers[BFC] = Layer(wards(each=7), page=3)

    fetch()

    assert len(features(tmp_path / FILE)) == 14
    pages = [query for path, query, _ in portal.asked if "outSR" in query]
    assert [(q["resultOffset"], q["resultRecordCount"], q["orderByFields"]) for q in pages] == [
        (str(offset), "3", "FID") for offset in (0, 3, 6, 9, 12)
    ]


def test_two_thousand_at_a_time(fetch, portal):
    portal.layers[BFC] = Layer(wards(), page=16_000)

    fetch()

    assert {query["resultRecordCount"] for _, query, _ in portal.asked if "outSR" in query} == {"2000"}


def test_pages_are_kept_until_the_layer_is_edited(fetch, portal, tmp_path):
    fetch()
    portal.asked.clear()
    assert "4 areas" in fetch()
    assert not [query for _, query, _ in portal.asked if "outSR" in query]

    portal.layers[BFC] = Layer(wards(each=3), edited=1_800_000_000_000)
    told = fetch(status=1)
    assert f"{FILE}: another file is there already." in told
    assert len(features(tmp_path / FILE)) == 4
    assert "6 areas" in fetch("--replace")
    assert len(features(tmp_path / FILE)) == 6
    # An undated layer is asked every time; a page that is damaged on disk too.
    portal.layers[BFC].edited = None
    portal.asked.clear()
    fetch()
    assert [query for _, query, _ in portal.asked if "outSR" in query]


def test_a_layer_without_districts_is_cut_by_the_lookup(fetch, portal, tmp_path):
    """WD25 of May 2025: `wd25cd`, no column of districts."""
    rows = [({"wd24cd": row["WD24CD"], "wd24nm": row["WD24NM"]}, ring) for row, ring in wards()]
    portal.layers[BFC] = Layer(rows)
    county = {"CTY24CD": "E10000015", "CTY24NM": "Hertfordshire"}
    none = {"CTY24CD": "", "CTY24NM": ""}
    lookup = [({**row, **(county if row["LAD24CD"] in COUNTIES else none)}, None) for row, _ in wards()]
    portal.layers["WD24_LAD24_CTY24_OTH_UK_LU"] = Layer(lookup, page=2)

    told = fetch()

    assert "The service calls its fields otherwise: wd24cd for WD24CD, wd24nm for WD24NM." in told
    assert [f["properties"]["LAD24NM"] for f in features(tmp_path / FILE)] == ["Broxbourne"] * 2 + ["Dacorum"] * 2
    portal.layers[BFC].rows.pop(1)
    assert "has 3 areas of those, and 4 are listed for Hertfordshire" in fetch("--replace", status=1)


@pytest.mark.parametrize(
    "names",
    [
        ("wd{}cd", "wd{}nm", "lad{}cd", "lad{}nm"),
        ("WARDCD", "WARDNM", "LADCD", "LADNM"),
        ("ward_code", "ward_name", "LTLA{}CD", "LTLA{}NM"),
    ],
    ids=["small", "without-year", "words"],
)
def test_a_renamed_field_is_found_by_its_pattern(fetch, portal, tmp_path, names):
    portal.layers[BFC] = Layer(wards(names=names))

    assert "The service calls its fields otherwise" in fetch()
    assert list(features(tmp_path / FILE)[0]["properties"]) == ["WD24CD", "WD24NM", "LAD24CD", "LAD24NM"]


@pytest.mark.parametrize(
    "names", [("CODE", "LABEL", "LAD24CD", "LAD24NM"), ("WD23CD", "WD22CD", "LAD24CD", "LAD24NM")], ids=["other", "two-years"]
)
def test_a_field_that_no_pattern_fits_is_told_with_those_there_are(fetch, portal, names):
    portal.layers[BFC] = Layer(wards(names=names))

    told = fetch(status=1)

    assert f"{BFC}: has no field like WD24CD" in told
    assert f"Its fields: FID, {', '.join(names)}." in told


def test_degrees_are_told_from_metres(fetch, portal, invoke, sqlite_url, tmp_path):
    """A service that leaves `outSR` out of account sends longitude and latitude, as GeoJSON has it."""
    ring = [[-0.1, 51.8], [-0.1, 51.81], [-0.09, 51.81], [-0.09, 51.8], [-0.1, 51.8]]
    portal.layers[BFC] = Layer([(row, ring) for row, _ in wards()[:1]], crs=None)

    fetch(area="Broxbourne")

    file = tmp_path / "wards-december-2024-broxbourne.geojson"
    assert "crs" not in json.loads(file.read_text())
    invoke("init", store=sqlite_url)
    assert "wd24: 1 areas" in invoke("load", "boundaries", file, store=sqlite_url).stderr
    portal.layers[BFC] = Layer(wards(), crs="EPSG:3857", edited=5)
    assert "says that its coordinates are in 'EPSG:3857'" in fetch(status=1)


def page_fault(change):
    """What a page becomes, its count being told truly before."""

    def fault(right):
        told = json.loads(right.body)
        return said(change(told) or told) if "features" in told and "properties" in str(told) else right

    return fault


def without_last(told):
    told["features"].pop()


def repeat_first(told):
    told["features"][-1] = told["features"][0]


def one_without(told, part, value):
    told["features"][1][part] = value


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (without_last, "announced 4 areas and sent 3."),
        (lambda told: told["features"].append(told["features"][0]), "sent the area with the id 1 twice"),
        (repeat_first, "sent the area with the id 1 twice"),
        (lambda told: one_without(told, "geometry", None), "the area with the id 2 has no shape"),
        (lambda told: one_without(told, "geometry", {"type": "Point", "coordinates": [1, 2]}), "has no shape"),
        (lambda told: told["features"][1]["properties"].update(WD24CD=None), "the area with the id 2 has no code"),
        (lambda told: one_without(told, "properties", None), "sends something else than areas"),
        (lambda _: {"features": "none"}, "sends a page without features"),
        (lambda _: {"features": [3], "crs": "grid", "properties": 7}, "sends something else than areas"),
        (
            lambda told: told.update(crs={"properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}),
            "says that its coordinates are",
        ),
        (lambda told: told["features"][1]["geometry"].update(coordinates=[[]]), "a shape without coordinates"),
        (
            lambda told: told["features"][1]["geometry"]["coordinates"][0].append([float("nan"), 0]),
            "cannot be written as GeoJSON",
        ),
    ],
    ids=[
        "fewer",
        "more",
        "repeated",
        "no-shape",
        "a-point",
        "no-code",
        "no-properties",
        "no-list",
        "no-objects",
        "crs",
        "no-coordinates",
        "nan",
    ],
)
def test_a_page_that_is_not_right_leaves_nothing(fetch, portal, tmp_path, change, complaint):
    portal.faults[f"/ons/{BFC}/FeatureServer/0/query"] = [page_fault(change)] * 9

    assert complaint in fetch(status=1)
    assert not list(tmp_path.glob("*.geojson"))
    assert not list(tmp_path.glob(".fetching-*"))
    # Nothing of it is kept: the same again is right once the service is.
    portal.faults.clear()
    assert "4 areas" in fetch()


def error(code, message="Cannot perform query."):
    return said({"error": {"code": code, "message": message, "details": []}})


def test_errors_with_status_200_are_seen(fetch, portal, tmp_path):
    portal.faults["/ons"] = [error(504, "Timed out"), said({"services": []}), Answer(status=500)]
    portal.faults[f"/ons/{BFC}/FeatureServer/0/query"] = [error(429)]
    fetch()
    assert len(features(tmp_path / FILE)) == 4

    portal.faults[f"/ons/{BFC}/FeatureServer/0"] = [error(400, "Invalid URL")]
    told = fetch("--replace", status=1)
    assert "the service says: '400 Invalid URL'" in told


def test_a_layer_that_says_what_no_number_is(fetch, portal):
    portal.faults[f"/ons/{BFC}/FeatureServer/0"] = [lambda right: said(json.loads(right.body) | {"maxRecordCount": math.inf})]
    assert "does not describe its fields" in fetch(status=1)


@pytest.mark.parametrize("too_much", [error(400), Answer(b" " * (2**20 + 1))], ids=["refused", "too-large"])
def test_a_page_that_is_too_much_is_halved(fetch, portal, tmp_path, monkeypatch, too_much):
    monkeypatch.setattr("loaders.fetching.ons_portal._LARGEST_PAGE_MIB", 1)

    def halved(right):
        told = json.loads(right.body)
        return too_much if "crs" in told and len(told["features"]) > 200 else right

    portal.layers[BFC] = Layer(wards(each=300))
    portal.faults[f"/ons/{BFC}/FeatureServer/0/query"] = [halved] * 20

    fetch()

    assert len(features(tmp_path / FILE)) == 600
    assert {q["resultRecordCount"] for _, q, _ in portal.asked if "outSR" in q} == {"2000", "1000", "500", "250", "125"}


def test_a_county_is_known_by_the_nearest_year_whose_districts_are_those(fetch, portal, tmp_path):
    del portal.layers[LOOKUP]
    other = [(row | {"LAD23CD": "E07000999"}, None) for row, _ in county_rows(23)[:1]] + county_rows(23)
    portal.layers |= {"LAD23_CTY23_EN_LU": Layer(other), "LAD21_CTY21_EN_LU": Layer(county_rows(21))}

    fetch()

    assert len(features(tmp_path / FILE)) == 4
    assert "/ons/LAD21_CTY21_EN_LU/FeatureServer/0/query" in portal.paths("CTY21")


def test_an_empty_page_is_not_the_end_while_there_is_more(fetch, portal, tmp_path):
    def empty(right):
        told = json.loads(right.body)
        return said(told | {"features": [], "properties": {"exceededTransferLimit": True}}) if "crs" in told else right

    portal.faults[f"/ons/{BFC}/FeatureServer/0/query"] = [empty] * 4  # districts, county, count, and a page

    fetch()

    assert len(features(tmp_path / FILE)) == 4


def test_faults_on_the_way(fetch, portal):
    page = Answer(b"<html>Log in</html>", headers={"Content-Type": "text/html"})
    for fault, complaint in [
        (page, "answers with a web page instead of JSON"),
        (Answer(b"[1, 2]"), "answers with something else than a service does"),
        (Answer(b'{"fields": 3}'), "does not describe its fields"),
        (Answer(b'{"fields": [{"name": "a"}]}'), "does not describe its fields"),
        (Answer(b"{"), "the answer is no JSON"),
        (Answer(b"[" * 100_000), "the answer is no JSON"),
    ]:
        portal.faults[f"/ons/{BFC}/FeatureServer/0"] = [fault]
        assert complaint in fetch(status=1)
    portal.faults["/ons"] = [lambda right: altered(right, cut_after=5)]
    fetch()
    told = fetch(env={"WARDWATCH_ONS_URL": "http://no-such-host.invalid/rest"}, status=1)
    assert "This machine reaches no network, or not the name no-such-host.invalid." in told
    assert "search for 'Wards December 2024'" in told


def test_other_wishes_that_cannot_be(fetch, portal, tmp_path):
    assert "does not say of what and when" in fetch(title="Parishes", status=1)
    assert "Near to it: " + BFC in fetch(title="Wards December 2025", status=1)
    assert "in BGC" in fetch("--resolution", "BGC", status=1)
    assert "what is written is GeoJSON" in fetch("--into", "a.gpkg", status=1)
    portal.layers[BFC].rows.clear()
    portal.layers[BFC].rows.append(({"WD24CD": "", "WD24NM": "", "LAD24CD": "", "LAD24NM": ""}, None))
    assert "No district or county" in fetch(status=1)
    assert not list(tmp_path.glob("*.geojson"))


def test_names_from_the_network_write_nothing_on_a_terminal(fetch, portal):
    rows = wards()
    rows[0][0]["LAD24NM"] = "Brox\x1b[2Jbourne"
    portal.layers = {"Wards_\x1b]0;x\x07_December_2024_BFC": Layer(rows), BFC: Layer(rows), LOOKUP: portal.layers[LOOKUP]}

    for told in (fetch(area="Brox", status=1), fetch(title="Wards 2020", status=1)):
        assert "Near to it" in told
        assert "\x1b" not in told


def test_bgc_stands_in_for_bfc_and_says_so(fetch, portal):
    portal.layers["Wards_December_2024_Boundaries_UK_BGC"] = portal.layers.pop(BFC)

    assert "It is not published in full resolution (BFC): this is BGC, generalised to 20 m." in fetch()


def test_the_next_command_names_a_set_of_another_month(fetch, portal):
    portal.layers["WD_MAY_2025_UK_BFC_V2"] = Layer(wards(year=25))

    told = fetch(title="Wards May 2025", area="Dacorum")

    assert "wards-may-2025-dacorum.geojson --name wd25-may --effective 2025-05-31 --attribution 'Source: " in told


def test_small_areas_too(fetch, portal, invoke, sqlite_url):
    rows = [({"LSOA21CD": row["WD24CD"], "LSOA21NM": row["WD24NM"]}, ring) for row, ring in wards()]
    portal.layers["Lower_layer_Super_Output_Areas_December_2021_Boundaries_EW_BFC_V10"] = Layer(rows)

    told = fetch(title="LSOA December 2021", area=None).splitlines()

    assert "wardwatch load boundaries lsoa-december-2021.geojson --kind lsoa --attribution" in told[-1]
    invoke("init", store=sqlite_url)
    loaded = invoke("load", "boundaries", "lsoa-december-2021.geojson", "--kind", "lsoa", store=sqlite_url)
    assert "Boundary set lsoa21: 6 areas." in loaded.stderr
    assert "--area is for wards and districts" in fetch(title="LSOA December 2021", status=1)


NAMES = [
    *("Wards_December_2024_Boundaries_UK_BFC", "Wards_December_2024_Boundaries_UK_BGC", "WD_MAY_2024_UK_BFC"),
    *("WD_MAY_2025_UK_BGC", "WD_MAY_2025_UK_BGC_V2", "Wards_December_2021_UK_BGC_2022", "Wards_May_2024_Boundaries_UK_BFE_"),
    *("Wards_December_2016_Full_Clipped_Boundaries_in_Great_Britain", "CMWD_2011_EW_BFC", "LAD_MAY_2025_UK_BFC_V2"),
    *("Local_Authority_Districts_December_2024_Boundaries_UK_BFC", "WD_DEC_2024_UK_NC", "WD24_LAD24_CTY24_CED24_EN_LU"),
    *("LSOA21_WD24_LAD24_EW_LU", "LAD24_CTY24_EN_LU", "LAD23_CTY23_EN_LU_V2", "LAD23_CTY23_EN_LU"),
    "Ward_to_Local_Authority_District_to_County_to_Region_to_Country_December_2020_Lookup_in_United_Kingdom_V2",
]


@pytest.mark.parametrize(
    ("title", "grade", "name"),
    [
        ("Wards December 2024", None, "Wards_December_2024_Boundaries_UK_BFC"),
        ("Wards (December 2024) Boundaries UK BGC", None, "Wards_December_2024_Boundaries_UK_BGC"),
        ("wards dec 2024", "BGC", "Wards_December_2024_Boundaries_UK_BGC"),
        ("WD May 2025", None, "WD_MAY_2025_UK_BGC_V2"),
        ("WD_MAY_2025_UK_BGC", None, "WD_MAY_2025_UK_BGC"),
        ("Wards 2021", None, "Wards_December_2021_UK_BGC_2022"),
        ("Wards December 2016", None, "Wards_December_2016_Full_Clipped_Boundaries_in_Great_Britain"),
        ("Wards May 2024", "BFE", "Wards_May_2024_Boundaries_UK_BFE_"),
        ("Local Authority Districts May 2025", None, "LAD_MAY_2025_UK_BFC_V2"),
        ("LAD December 2024", None, "Local_Authority_Districts_December_2024_Boundaries_UK_BFC"),
    ],
)
def test_a_title_means_one_service(title, grade, name):
    assert choose_service(read_title(title), NAMES, grade=grade).name == name


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("Wards 2024", "may be any of WD_MAY_2024_UK_BFC, Wards_December_2024_Boundaries_UK_BFC"),
        ("Wards December 2022", "has no 'Wards December 2022'"),
        ("Wards May 2024 BSC", "published as WD_MAY_2024_UK_BFC, Wards_May_2024_Boundaries_UK_BFE_"),
    ],
)
def test_a_title_that_means_none_or_several_lists_them(title, said):
    with pytest.raises(BadRequest) as refused:
        choose_service(read_title(title), NAMES, grade=None)

    assert said in str(refused.value)


def test_lookups_are_those_of_the_year_the_shortest_first():
    assert [found.name for found in lookups_of(NAMES, 2024, with_wards=False)][:3] == [
        "LAD24_CTY24_EN_LU",
        "WD24_LAD24_CTY24_CED24_EN_LU",
        "LAD23_CTY23_EN_LU_V2",
    ]
    assert [found.name for found in lookups_of(NAMES, 2020, with_wards=True)] == [NAMES[-1]]
