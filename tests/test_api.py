"""`/api/v1` answers exactly as documented, in figures that can be counted by hand."""

import csv
import gzip
import io
import json

import pytest
from python_calamine import CalamineWorkbook

from mapping.vocabulary import to_lonlat
from tests.county import DISTRICTS, HOSTILE, RESIDENTS, WARDS, load_county, load_fire_service, visitor

META = {
    *("measure", "unit", "denominator", "crime_type", "from", "to", "boundaries", "sources", "extracts", "missing"),
    *("family", "phi", "notes", "data_as_of", "data_version", "attribution", "estimated", "classes"),
}
POLICE = "test-constabulary"
FEBRUARY = [{"source": POLICE, "month": "2020-02", "status": "not-supplied", "reason": "no extract covers it"}]
ATTRIBUTION = [
    "Contains public sector information licensed under the Open Government Licence v3.0. Source: data.police.uk.",
    "Contains Ordnance Survey data © Crown copyright.",
]


@pytest.fixture(scope="module")
def client(county):
    """Give a visitor of the public server."""
    with visitor(county) as client:
        yield client


@pytest.fixture(scope="module")
def in_postgis(databases, tmp_path_factory):
    """Give a visitor of a server on the other engine."""
    with databases.fresh() as url:
        load_county(url, tmp_path_factory.mktemp("postgis"))
        with visitor(url) as client:
            yield client


@pytest.fixture(scope="module")
def ask(client):
    """Ask the API: what it answers, as every strict parser reads it."""

    def ask(path, status=200, **parameters):
        answer = client.get(f"/api/v1/{path}", query_string=parameters)
        assert answer.status_code == status, answer.text

        def refuse(constant):
            raise AssertionError(constant)

        return json.loads(answer.text, parse_constant=refuse)

    return ask


def rows(answer, *keys):
    return [tuple(row[key] for key in keys) for row in answer["rows"]]


@pytest.mark.parametrize(
    "path", ["boundary-sets", "crime-types", "measures", "measures/count", "measures/rate", "counts", "coverage"]
)
def test_every_list_has_meta_and_rows(ask, path):
    answer = ask(path)

    assert list(answer) == ["meta", "rows"]
    assert set(answer["meta"]) == META
    assert answer["meta"]["sources"] == [POLICE]
    assert answer["meta"]["data_as_of"] == "2020-03"


def test_boundary_sets_lead_to_their_shapes(ask, client):
    (row,) = ask("boundary-sets")["rows"]

    assert client.get(row.pop("shapes")).json["features"][0]["id"] == "E05000001"
    assert row == {
        "name": "wd20",
        "kind": "ward",
        "effective": "2020-12-31",
        "wards": 4,
        "loaded_at": "2026-01-15T12:00:00",
        "attribution": ATTRIBUTION[1],
    }


def test_crime_types_name_their_groups(ask):
    types = rows(ask("crime-types"), "id", "name", "groups")

    assert ("anti-social-behaviour", "Anti-social behaviour", ["all", "asb"]) in types
    assert len(types) == 15


def test_measures_are_declared(ask):
    found = {row["id"]: row for row in ask("measures")["rows"]}

    assert set(found["rate"]) == {"id", "name", "unit", "legend", "default_months", "needs", "options"}
    assert found["rate"]["needs"] == ["population"]
    assert found["count"]["legend"] == "sequential"


def test_a_measure_gives_every_ward_a_figure(ask):
    answer = ask("measures/count")

    keys = ("ward_code", "ward_name", "value", "status", "class")
    assert rows(answer, *keys) == [
        (code, WARDS[code], value, "partial", "") for code, value in zip(WARDS, (5, 2, 2, 0), strict=True)
    ]
    assert list(answer["rows"][0]) == ["ward_code", "ward_name", "value", "low", "high", "status", "class", "sentence"]
    meta = answer["meta"]
    assert (meta["measure"], meta["unit"], meta["crime_type"]) == ("count", "incidents", "all")
    assert (meta["from"], meta["to"], meta["boundaries"]) == ("2020-01", "2020-03", "wd20")
    assert (meta["missing"], meta["attribution"]) == (FEBRUARY, ATTRIBUTION)
    assert set(meta["classes"][0]) == {"class", "label", "low", "high", "colour"}


@pytest.mark.parametrize(
    ("parameters", "values"),
    [
        ({"crime_type": "burglary"}, [2, 1, 0, 0]),
        ({"crime_type": "asb", "from": "2020-01", "to": "2020-01"}, [3, 1, 0, 0]),
        ({"from": "2020-03"}, [0, 1, 2, 0]),
        ({"by": "district"}, [7, 2]),
        ({"by": "set", "source": POLICE, "boundaries": "wd20"}, [9]),
        ({"district": "E07000002"}, [2, 0]),
        ({"ward": "E05000003"}, [2]),
        ({"crime_type": "", "from": "", "district": ""}, [5, 2, 2, 0]),
        ({"measure": "count"}, [5, 2, 2, 0]),
    ],
)
def test_every_parameter_filters(ask, parameters, values):
    assert [row["value"] for row in ask("measures/count", **parameters)["rows"]] == values


def test_a_rate_counts_the_months_that_were_supplied(ask):
    answer = ask("measures/rate", to="2020-01", **{"from": "2020-01"})

    assert rows(answer, "value", "status") == [(60.0, "ok"), (6.0, "ok"), (None, "no-denominator"), (0.0, "ok")]


def test_counts_are_types_by_ward_and_month_without_zeros(ask):
    answer = ask("counts")

    assert rows(answer, "ward_code", "ward_name", "month", "crime_type", "count") == [
        ("E05000001", "Alder", "2020-01", "anti-social-behaviour", 3),
        ("E05000001", "Alder", "2020-01", "burglary", 2),
        ("E05000002", "Birch", "2020-01", "anti-social-behaviour", 1),
        ("E05000002", "Birch", "2020-03", "burglary", 1),
        ("E05000003", HOSTILE, "2020-03", "drugs", 2),
    ]
    assert answer["meta"]["unit"] == "incidents"
    assert answer["meta"]["missing"] == FEBRUARY


def test_counts_take_the_query_of_a_page(ask):
    assert rows(ask("counts", measure="rate", crime_type="drugs", ward="E05000003"), "count") == [(2,)]


def test_coverage_counts_rows_in_no_ward_too(ask):
    answer = ask("coverage")

    few = {"share": None, "normal": None, "missing_types": []}
    assert answer["rows"] == [
        {"source": POLICE, "stream": "street", "month": "2020-01", "status": "supplied", "rows": 8, "reason": ""} | few,
        FEBRUARY[0] | {"stream": "street", "rows": 0} | few,
        {"source": POLICE, "stream": "street", "month": "2020-03", "status": "supplied", "rows": 3, "reason": ""} | few,
    ]
    assert rows(ask("coverage", source=POLICE, to="2020-02", **{"from": "2020-02"}), "month") == [("2020-02",)]


def test_wards_are_geojson_in_longitude_and_latitude(ask, client):
    answer = ask("wards")

    assert answer["type"] == "FeatureCollection"
    assert client.get("/api/v1/wards").mimetype == "application/geo+json"
    first = answer["features"][0]
    lon, lat = first["geometry"]["coordinates"][0][0][0]
    assert -0.2 < lon < 0
    assert 51.6 < lat < 51.8
    assert first["id"] == "E05000001"
    area = first["properties"].pop("area_km2")
    assert area == pytest.approx(1, abs=1e-6)
    assert first["properties"] == {
        "ward_code": "E05000001",
        "ward_name": "Alder",
        "district_code": "E07000001",
        "district_name": "West",
        "residents": 1000,
    }
    assert [f["properties"]["residents"] for f in answer["features"]] == list(RESIDENTS.values())
    assert [f["id"] for f in ask("wards", district="E07000002")["features"]] == ["E05000002", "E05000004"]
    assert [f["id"] for f in ask("wards", ward="E05000002")["features"]] == ["E05000002"]


def at(ask, x, y):
    lon, lat = to_lonlat(x, y)
    return ask("wards/at", lon=float(lon), lat=float(lat))


def test_the_ward_at_a_point(ask):
    answer = at(ask, 531_500, 201_500)

    assert list(answer) == ["ward", "nearest"]
    assert answer["ward"]["ward_code"] == "E05000002"
    assert answer["ward"]["district_name"] == DISTRICTS["E07000002"]
    assert answer["nearest"] == {"ward_code": "E05000002", "ward_name": "Birch", "distance_m": 0}


def test_the_ward_nearest_to_a_point_outside_all(ask):
    answer = at(ask, 533_000, 200_500)

    assert answer["ward"] is None
    assert answer["nearest"]["ward_code"] == "E05000004"
    assert answer["nearest"]["distance_m"] == pytest.approx(1000, abs=0.01)


@pytest.mark.parametrize(
    ("path", "parameters", "parameter", "status"),
    [
        ("measures/count", {"crime_type": "murder"}, "crime_type", 400),
        ("measures/count", {"from": "2020-13"}, "from", 400),
        ("measures/count", {"to": "January"}, "to", 400),
        ("measures/count", {"from": "2020-03", "to": "2020-01"}, "from", 400),
        ("measures/count", {"boundaries": "wd99"}, "boundaries", 400),
        ("measures/count", {"source": "nobody"}, "source", 400),
        ("measures/count", {"source": "hidden-fire-service"}, "source", 400),
        ("measures/count", {"district": "E07000009"}, "district", 400),
        ("measures/count", {"ward": "E05000009"}, "ward", 400),
        ("measures/count", {"by": "street"}, "by", 400),
        ("measures/count", {"format": "pdf"}, "format", 400),
        ("measures/count", {"view": "all"}, "view", 400),
        ("measures/count", {"measure": "rate"}, "measure", 400),
        ("measures/count", {"against": "year-before"}, "against", 400),
        ("measures/count", {"crime-type": "drugs"}, "crime-type", 400),
        ("measures/nothing", {}, "measure", 404),
        ("counts", {"measure": "nothing"}, "measure", 404),
        ("counts", {"by": "district"}, "by", 400),
        ("coverage", {"ward": "E05000001"}, "ward", 400),
        ("boundary-sets", {"crime_type": "drugs"}, "crime_type", 400),
        ("wards/at", {"lat": 51}, "lon", 400),
        ("wards/at", {"lon": "x", "lat": 51}, "lon", 400),
        ("wards/at", {"lon": "nan", "lat": 51}, "lon", 400),
        ("wards/at", {"lon": 0, "lat": "inf"}, "lat", 400),
        ("wards/at", {"lon": 0, "lat": 91}, "lat", 400),
        ("wards/at", {"lon": 0, "lat": 51, "boundaries": "wd99"}, "boundaries", 400),
    ],
)
def test_a_bad_value_is_named(ask, path, parameters, parameter, status):
    error = ask(path, status=status, **parameters)["error"]

    assert set(error) == {"status", "kind", "message", "hint", "parameter", "value", "reference"}
    assert (error["status"], error["parameter"]) == (status, parameter)
    assert error["kind"] == {400: "bad-request", 404: "not-found"}[status]
    assert error["hint"]


def test_a_repeated_parameter_is_refused(client):
    answer = client.get("/api/v1/counts?crime_type=drugs&crime_type=drugs")

    assert (answer.status_code, answer.json["error"]["parameter"]) == (400, "crime_type")


def test_csv_has_the_figures_of_the_json(ask, client):
    answer = client.get("/api/v1/measures/rate?format=csv&from=2020-01&to=2020-01")

    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="wardwatch-rate-all-wd20-2020-01-2020-01.csv"'
    assert "\r" not in answer.text
    table = list(csv.DictReader(io.StringIO(answer.text)))
    figures = ask("measures/rate", to="2020-01", **{"from": "2020-01"})["rows"]
    assert [row["ward_name"] for row in table] == ["Alder", "Birch", f"'{HOSTILE}", "Dale"]
    for written, row in zip(table, figures, strict=True):
        assert [float(written[key]) if written[key] else None for key in ("value", "low", "high")] == [
            row[key] for key in ("value", "low", "high")
        ]
        assert (written["status"], written["sentence"].lstrip("'")) == (row["status"], row["sentence"])


def test_csv_says_what_it_was_made_from(client, ask):
    headers = client.get("/api/v1/counts?format=csv").headers

    found = {name: headers[f"X-Wardwatch-{name}"] for name in ("Data-As-Of", "Boundaries", "Sources", "Missing")}
    assert found == {
        "Data-As-Of": "2020-03",
        "Boundaries": "wd20",
        "Sources": POLICE,
        "Missing": "test-constabulary 2020-02 not-supplied",
    }
    assert headers["X-Wardwatch-Data-Version"] == ask("counts")["meta"]["data_version"]
    assert headers["X-Wardwatch-Attribution"].endswith("Contains Ordnance Survey data %C2%A9 Crown copyright.")


def test_xlsx_has_the_figures_too(client):
    answer = client.get("/api/v1/counts?format=xlsx")

    sheet = CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_name("Figures").to_python()
    assert sheet[1] == ["E05000001", "Alder", "2020-01", "anti-social-behaviour", 3]
    assert sheet[5][1] == HOSTILE


def test_a_workbook_of_a_measure_holds_what_the_page_shows(client, ask):
    answer = client.get("/api/v1/measures/count?format=xlsx&district=E07000002&crime_type=burglary")

    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.data))
    assert book.sheet_names == ["Figures", "Districts", "All wards", "About"]
    figures, districts, whole = (book.get_sheet_by_name(name).to_python() for name in book.sheet_names[:3])
    assert figures[0] == ["ward_code", "ward_name", "value", "low", "high", "status", "class", "sentence"]
    assert districts[0][:3] == ["code", "name", "value"]
    found = ask("measures/count", by="district", district="E07000002", crime_type="burglary")["rows"]
    assert [row[:3] for row in districts[1:]] == [[row["ward_code"], row["ward_name"], row["value"]] for row in found]
    assert whole[1][2] == ask("measures/count", by="set", crime_type="burglary")["rows"][0]["value"]
    about = dict(row[:2] for row in book.get_sheet_by_name("About").to_python())
    assert (about["Crime type"], about["District"], about["Ward"]) == ("Burglary", found[0]["ward_name"], "all")
    assert about["Period"] == "January to March 2020"
    assert about["sources"] == POLICE
    assert about["missing"] == f"{POLICE} 2020-02 not-supplied no extract covers it"


def test_the_explorers_view_is_the_same_answer_for_a_page(ask):
    plain = ask("measures/count", crime_type="burglary")
    answer = ask("measures/count", crime_type="burglary", view="explorer", selected="E05000001")

    assert list(answer) == ["meta", "view"]
    assert answer["meta"] == plain["meta"]
    assert "Alder" in answer["view"]["panel"]
    assert HOSTILE not in answer["view"]["table"]


def test_answers_are_revalidated_and_set_no_cookie(client):
    for path in ("/api/v1/measures/count", "/api/v1/wards", "/api/v1/counts?format=csv", "/api/v1/counts?format=xlsx"):
        for encoding in ("identity", "gzip", "br", "zstd"):
            first = client.get(path, headers={"Accept-Encoding": encoding})
            tag, weak = first.get_etag()
            assert tag
            assert not weak
            assert first.headers["Cache-Control"] == "public, no-cache"
            assert first.headers["Vary"] == "Accept-Encoding"
            assert "Set-Cookie" not in first.headers

            again = client.get(path, headers={"Accept-Encoding": encoding, "If-None-Match": first.headers["ETag"]})

            assert (again.status_code, again.data) == (304, b"")
            assert again.headers["ETag"] == first.headers["ETag"]


def test_answers_are_compressed(client):
    answer = client.get("/api/v1/measures/count", headers={"Accept-Encoding": "gzip"})

    assert answer.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(answer.data))["meta"]["measure"] == "count"


def test_head_and_options_are_answered(client):
    whole = client.get("/api/v1/counts")
    head = client.head("/api/v1/counts")
    options = client.options("/api/v1/counts")

    assert (head.status_code, head.data, head.headers["ETag"]) == (200, b"", whole.headers["ETag"])
    assert options.status_code == 200
    assert "GET" in options.headers["Allow"]


@pytest.mark.parametrize(("audience", "allowed"), [("public", "*"), ("internal", None)])
def test_other_sites_may_read_a_public_server_and_no_other(county, audience, allowed):
    with visitor(county, audience=audience) as client:
        shapes = client.get("/api/v1/boundary-sets").json["rows"][0]["shapes"]

        for path in ("/api/v1/counts", "/api/v1/counts?x=1", shapes):
            assert client.get(path).headers.get("Access-Control-Allow-Origin") == allowed


def test_a_load_by_another_process_shows_at_once(tmp_path):
    url = f"sqlite:///{tmp_path / 'store.db'}"
    load_county(url, tmp_path, protected=False)
    with visitor(url, audience="internal") as client:
        before = client.get("/api/v1/measures/count")
        load_fire_service(url, tmp_path)
        after = client.get("/api/v1/measures/count")

    assert [row["value"] for row in before.json["rows"]] == [5, 2, 2, 0]
    assert [row["value"] for row in after.json["rows"]] == [5, 2, 2, 5]
    assert before.headers["ETag"] != after.headers["ETag"]


@pytest.mark.postgis
@pytest.mark.parametrize(
    "path",
    [
        "boundary-sets",
        "crime-types",
        "measures",
        "measures/count",
        "measures/rate?format=csv&by=district",
        "counts",
        "coverage",
        "wards",
        "wards/at?lon=-0.1&lat=51.7",
    ],
)
def test_both_engines_answer_the_same(in_postgis, client, path):
    assert in_postgis.get(f"/api/v1/{path}").data == client.get(f"/api/v1/{path}").data
