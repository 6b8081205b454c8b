"""`load boundaries`: every kind of file, any coordinate system; repaired and reported, never guessed."""

import json
import shutil
import zipfile
from contextlib import contextmanager

import geopandas
import numpy as np
import pytest
import shapely

from loaders.shapes import display_shapes
from tests.digest import digest, read_tables
from tests.tiny import (
    BOTH_ENGINES,
    CLOCK,
    CODES,
    LAYOUT,
    NE,
    NW,
    POPULATION,
    STREET,
    WARDS,
    county_on,
    write_calls,
    write_layout,
)


@pytest.fixture(scope="module")
def in_file(request, tmp_path_factory):
    """Give a store that holds January and no wards, in a file: how a file is read does not depend on the engine."""
    with county_on("sqlite", request, tmp_path_factory.mktemp("county"), incidents=[STREET], wards=False) as county:
        yield county


@pytest.fixture(scope="module", params=BOTH_ENGINES)
def on_both(request, tmp_path_factory):
    """Give the same on each engine in turn."""
    with county_on(request.param, request, tmp_path_factory.mktemp("county"), incidents=[STREET], wards=False) as county:
        yield county


@pytest.fixture
def load(in_file, invoke, tmp_path):
    """Load boundaries: load(path, "--name", "x"), with status=1 if they must be refused and the store left as it was."""
    with loading(in_file, invoke, tmp_path) as load:
        yield load


@pytest.fixture
def load_both(on_both, invoke, tmp_path):
    """Load them on each engine in turn."""
    with loading(on_both, invoke, tmp_path) as load:
        yield load


@contextmanager
def loading(county, invoke, folder):
    with county.copy(folder) as url:

        def run(path, *options, status=0):
            before = digest(url)
            done = invoke("load", "boundaries", path, *options, store=url, env=CLOCK, status=status)
            assert status == 0 or digest(url) == before
            return done.stderr

        def sets():
            return json.loads(invoke("status", "--format", "json", store=url).stdout)["boundary_sets"]

        run.url, run.sets, run.invoke = url, sets, invoke
        yield run


@pytest.fixture
def wards():
    """Give the four wards as a GeoDataFrame in EPSG:27700, corners to the metre."""
    frame = geopandas.read_file(WARDS).to_crs(27700)
    squares = [shapely.box(x - 500, y - 500, x + 500, y + 500) for x, y in CODES]
    frame["geometry"] = [squares[list(CODES.values()).index(code)] for code in frame["WD24CD"]]
    return frame


PLACED = {"name": "wd24", "kind": "ward", "wards": 4, "wards_with_incidents": 3, "in_ward": 8, "outside": 1} | {
    "effective": "2024-12-31",
    "area_counts": [],
}


def write_shapefile(frame, folder, *, encoding="utf-8"):
    folder.mkdir(parents=True, exist_ok=True)
    frame.to_file(folder / "wards.shp", encoding=encoding, engine="pyogrio")
    return folder / "wards.shp"


def zip_folder(folder, path, *, inside=""):
    with zipfile.ZipFile(path, "w") as archive:
        for part in sorted(folder.iterdir()):
            archive.write(part, inside + part.name)
    return path


# Kinds of files


def test_geojson_in_degrees(load_both):
    said = load_both(WARDS)

    assert load_both.sets() == [PLACED]
    assert "Boundary set wd24: 4 areas in 2 districts." in said
    assert "4 of 5 places are in one of them." in said


@pytest.mark.parametrize("crs", [27700, 4326, 32630, 3857, 29903])
def test_any_coordinate_system(load, wards, tmp_path, crs):
    wards.to_crs(crs).to_file(tmp_path / "wards.gpkg")

    load(tmp_path / "wards.gpkg")

    assert load.sets() == [PLACED]


def test_a_plain_shapefile(load, wards, tmp_path):
    load(write_shapefile(wards, tmp_path / "plain"))

    assert load.sets() == [PLACED]
    area = {row["code"]: row["area_km2"] for row in read_tables(load.url)["ward"]}
    assert area == dict.fromkeys(CODES.values(), 1.0)


@pytest.mark.parametrize("inside", ["", "Wards (May 2024) UK BFC/", "a/b/"])
def test_a_zipped_shapefile_in_a_subfolder_too(load, wards, tmp_path, inside):
    write_shapefile(wards, tmp_path / "plain")

    load(zip_folder(tmp_path / "plain", tmp_path / "wards.zip", inside=inside))

    assert load.sets() == [PLACED]


def test_other_layers_without_polygons_do_not_matter(load, wards, tmp_path):
    path = tmp_path / "wards.gpkg"
    wards.assign(geometry=wards.centroid).to_file(path, layer="points")
    wards.to_file(path, layer="polygons")

    load(path)

    assert load.sets() == [PLACED]


def test_several_layers_of_polygons_are_a_question(load, wards, tmp_path):
    path = tmp_path / "wards.gpkg"
    wards.to_file(path, layer="old")
    wards.to_file(path, layer="new")

    assert "several layers of polygons: old, new" in load(path, status=1)


def test_a_prj_without_an_authority(load, wards, tmp_path):
    path = write_shapefile(wards, tmp_path / "plain")
    prj = path.with_suffix(".prj")
    prj.write_text(prj.read_text().replace("British_National_Grid", "unnamed").replace("OSGB_1936_British", "unnamed_2"))

    load(path)

    assert load.sets() == [PLACED]


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
@pytest.mark.parametrize("cpg", [True, False])
def test_the_encoding_of_names(load, wards, tmp_path, encoding, cpg):
    wards["WD24NM"] = ["Ynys Môn", "Southwest", "Saint-Éloi", "Southeast"]
    path = write_shapefile(wards, tmp_path / "plain", encoding=encoding)
    if not cpg:
        path.with_suffix(".cpg").unlink()

    load(path)

    names = [row["name"] for row in read_tables(load.url)["ward"]]
    assert names == ["Ynys Môn", "Southwest", "Saint-Éloi", "Southeast"]


def test_a_prj_that_places_nothing_on_earth_is_asked_for(load, wards, tmp_path):
    path = tmp_path / "wards.shp"
    wards.to_file(path)
    path.with_suffix(".prj").write_text('LOCAL_CS["plan",UNIT["metre",1]]')

    assert "its coordinate system but" in load(path, status=1)
    assert "4 areas" in load(path, "--crs", "EPSG:27700")


def test_a_missing_prj_is_asked_for(load, wards, tmp_path):
    path = write_shapefile(wards, tmp_path / "plain")
    path.with_suffix(".prj").unlink()

    said = load(path, status=1)
    assert "coordinate system" in said
    assert "--crs: EPSG:27700" in said
    assert "'EPSG:x' is not a coordinate system" in load(path, "--crs", "EPSG:x", status=1)
    assert "outside the United Kingdom" in load(path, "--crs", "EPSG:4326", status=1)

    load(path, "--crs", "EPSG:27700")
    assert load.sets() == [PLACED]


@pytest.mark.parametrize("part", [".shx", ".dbf"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_shapefile_with_a_part_missing(load, wards, tmp_path, part, packed):
    path = write_shapefile(wards, tmp_path / "plain")
    path.with_suffix(part).unlink()
    if packed:
        path = zip_folder(tmp_path / "plain", tmp_path / "wards.zip")

    said = load(path, status=1)

    assert f"lacks its {part} part" in said
    assert "together" in said


@pytest.mark.parametrize("part", [".shp", ".shx", ".dbf"])
def test_a_shapefile_with_a_part_cut_short(load, wards, tmp_path, part):
    path = write_shapefile(wards, tmp_path / "plain")
    cut = path.with_suffix(part)
    cut.write_bytes(cut.read_bytes()[: -len(cut.read_bytes()) // 3])

    said = load(path, status=1)

    assert "wards.shp" in said
    assert part in said or "cannot be read" in said


def test_a_geopackage_cut_short(load, wards, tmp_path):
    path = tmp_path / "wards.gpkg"
    wards.to_file(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    assert "wards.gpkg" in load(path, status=1)


# What is in them


def test_points_only(load, wards, tmp_path):
    wards.assign(geometry=wards.centroid).to_file(tmp_path / "points.gpkg")

    assert "holds no polygons" in load(tmp_path / "points.gpkg", status=1)


def test_coordinates_swapped_or_of_another_system(load, wards, tmp_path):
    lonlat = wards.to_crs(4326)
    wrong = lonlat.assign(geometry=shapely.transform(lonlat.geometry.to_numpy(), lambda xy: xy[:, ::-1])).set_crs(4326)
    wrong.to_file(tmp_path / "swapped.gpkg")
    assert "x and y swapped" in load(tmp_path / "swapped.gpkg", status=1)

    degrees = wards.to_crs(4326).set_crs(27700, allow_override=True)
    degrees.to_file(tmp_path / "degrees.gpkg")
    assert "outside the United Kingdom when read as OSGB36" in load(tmp_path / "degrees.gpkg", status=1)


def test_geojson_in_metres_needs_to_be_told(load, wards, tmp_path):
    made = json.loads(wards.to_json(drop_id=True))
    made.pop("crs", None)
    path = tmp_path / "metres.geojson"
    path.write_text(json.dumps(made))

    assert "--crs" in load(path, status=1)

    load(path, "--crs", "EPSG:27700")
    assert load.sets() == [PLACED]


def test_invalid_rings_are_repaired_and_told(load_both, wards, tmp_path):
    bow = shapely.Polygon([(500_000, 201_000), (501_000, 202_000), (501_000, 201_000), (500_000, 202_000)])
    wards.loc[wards["WD24CD"] == CODES[NW], "geometry"] = bow
    wards.to_file(tmp_path / "wards.gpkg")

    said = load_both(tmp_path / "wards.gpkg")

    assert "Feature 1: Self-intersection" in said
    assert "repaired (its area changed by 500,000 m²)" in said
    shapes = [row["geom"] for row in read_tables(load_both.url)["ward"]]
    assert all(shapely.from_wkb(shape).is_valid for shape in shapes)


def test_an_area_in_degrees_is_not_told(load, wards, tmp_path):
    bow = shapely.Polygon([(500_000, 201_000), (501_000, 202_000), (501_000, 201_000), (500_000, 202_000)])
    wards.loc[0, "geometry"] = bow
    wards.to_crs(4326).to_file(tmp_path / "wards.gpkg")

    said = load(tmp_path / "wards.gpkg")

    assert ": repaired." in said
    assert "area" not in said.partition("repaired.")[2].partition("\n")[0]


def test_the_polygons_of_a_collection_are_taken_and_told(load, wards, tmp_path):
    made = json.loads(wards.to_crs(4326).to_json())
    parts = [made["features"][0]["geometry"], {"type": "Point", "coordinates": [0, 51]}]
    inner = {"type": "GeometryCollection", "geometries": parts}
    made["features"][0]["geometry"] = {"type": "GeometryCollection", "geometries": [inner]}
    made["features"][1]["geometry"] = {"type": "GeometryCollection", "geometries": parts[1:]}
    path = tmp_path / "wards.geojson"
    path.write_text(json.dumps(made))

    said = load(path)

    assert "Feature 1: is a GeometryCollection: its polygons (1) were taken, 1 other shapes left out." in said
    assert f"Feature 2 ({wards['WD24CD'][1]}) has no polygon: left out." in said
    assert load.sets()[0]["wards"] == 3


@pytest.mark.parametrize(
    ("square", "says"),
    [
        (shapely.box(133, -25, 134, -24), "lies outside the United Kingdom"),
        (shapely.box(51.8, -0.5, 51.9, -0.4), "lies outside the United Kingdom"),
        (shapely.box(0, -95, 1, -94), "lies outside the United Kingdom, too far to be placed: left out."),
    ],
)
def test_one_ward_outside_the_united_kingdom_is_told(load, wards, tmp_path, square, says):
    wards = wards.to_crs(4326)
    wards.loc[2, "geometry"] = square
    wards.to_file(tmp_path / "wards.geojson")

    said = load(tmp_path / "wards.geojson")

    assert f"Feature 3 ({wards['WD24CD'][2]}) {says}" in said
    assert said.count("outside the United Kingdom") == 1
    assert all(np.isfinite(shapely.get_coordinates(shapely.from_wkb(r["geom"]))).all() for r in read_tables(load.url)["ward"])


@pytest.mark.parametrize("column", ["WD24CD", "WD24NM", "LAD24CD"])
def test_names_that_cannot_be_shown_are_refused(load, wards, tmp_path, column):
    for value, says in (("x" * 301, "is 301 characters long"), ("a\x07b", "holds a control character")):
        wards.loc[1, column] = value
        wards.to_file(tmp_path / "wards.geojson")

        assert f"feature 2: its '{column}' {says}" in load(tmp_path / "wards.geojson", status=1)


def test_names_of_300_characters(load_both, wards, tmp_path):
    wards.loc[1, ["WD24CD", "WD24NM", "LAD24CD"]] = ["c" * 300, "é" * 300, "d" * 300]
    wards.to_file(tmp_path / "wards.geojson")

    load_both(tmp_path / "wards.geojson")

    assert load_both.sets()[0]["wards"] == 4


def test_garbage_in_a_zip_is_named_as_it_was_given(load, wards, tmp_path):
    write_shapefile(wards, tmp_path / "plain").write_bytes(b"garbage" * 100)

    said = load(zip_folder(tmp_path / "plain", tmp_path / "wards.zip", inside="in/"), status=1)

    assert f"{tmp_path / 'wards.zip'}: in/wards.shp: is not what its name says." in said
    assert "wardwatch-" not in said


def test_null_codes_and_shapes_are_left_out_and_told(load_both, wards, tmp_path):
    wards.loc[0, "WD24CD"] = None
    wards.loc[1, "geometry"] = None
    wards.to_file(tmp_path / "wards.gpkg")

    said = load_both(tmp_path / "wards.gpkg")

    assert "Feature 1 (Northwest) has no code in 'WD24CD': left out." in said
    assert f"Feature 2 ({wards['WD24CD'][1]}) has no polygon: left out." in said
    assert load_both.sets()[0]["wards"] == 2


def test_a_repeated_code_is_joined_and_told_or_refused(load, wards, tmp_path):
    same = [0, 1]
    wards.loc[same, "WD24CD"] = CODES[NW]
    wards.to_file(tmp_path / "wards.gpkg")
    said = load(tmp_path / "wards.gpkg", status=1)
    assert f"the code {CODES[NW]} stands for different names in features 1, 2" in said

    wards.loc[same, "WD24NM"] = "West"
    wards.to_file(tmp_path / "wards.gpkg")
    said = load(tmp_path / "wards.gpkg")
    assert f"The code {CODES[NW]} stands in features 1, 2: joined into one." in said
    assert load.sets()[0] == PLACED | {"wards": 3, "wards_with_incidents": 2}


def test_a_point_on_a_shared_edge_counts_once_in_the_lower_code(load_both, wards, tmp_path):
    wards.to_file(tmp_path / "wards.gpkg")
    load_both(tmp_path / "wards.gpkg")
    edges = [(501_000, 201_500), (501_000, 200_500), (500_500, 201_000), (501_000, 201_000), (501_000, 202_000)]
    extract = write_calls(tmp_path, [("05/01/2024", "NOISE", edge) for edge in edges])
    window = ("--window", "2024-01:2024-01")
    load_both.invoke(
        "load", "incidents", "--layout", write_layout(tmp_path, LAYOUT), *window, extract, store=load_both.url, env=CLOCK
    )

    asked = ("counts", "--source", "tiny-control-room", "--format", "csv")
    lines = load_both.invoke(*asked, store=load_both.url).stdout.splitlines()[1:]

    assert [(line.split(",")[0], line.split(",")[-1]) for line in lines] == [("X05900001", "4"), ("X05900002", "1")]


def test_wards_that_overlap_are_told(load, wards, tmp_path):
    wards["geometry"] = wards.buffer(5, join_style="mitre")
    wards.to_file(tmp_path / "wards.gpkg")

    assert "4 areas overlap a neighbour" in load(tmp_path / "wards.gpkg")


# Columns and names


def test_columns_that_are_not_named_as_ons_does_are_asked_for(load, wards, tmp_path):
    wards = wards.rename(columns={"WD24CD": "beat_id", "WD24NM": "beat", "LAD24CD": "sector", "LAD24NM": "sector_name"})
    path = tmp_path / "beats.gpkg"
    wards.to_file(path)

    said = load(path, status=1)
    assert "--code-column" in said
    assert "beat_id, beat, sector, sector_name" in said
    assert "--name" in load(path, "--code-column", "beat_id", status=1)
    assert "has no column 'x'" in load(path, "--code-column", "x", status=1)

    columns = ("--code-column", "beat_id", "--name-column", "beat", "--district-column", "sector")
    load(path, *columns, "--name", "beats24", "--kind", "beat")
    assert load.sets() == [PLACED | {"name": "beats24", "kind": "beat", "effective": None}]
    assert {row["name"]: row["district_code"] for row in read_tables(load.url)["ward"]}["Northwest"] == "X07900001"


def test_two_vintages_in_one_file_are_a_question(load, wards, tmp_path):
    wards.assign(WD23CD=wards["WD24CD"]).to_file(tmp_path / "wards.gpkg")

    assert "several columns of codes: WD24CD, WD23CD" in load(tmp_path / "wards.gpkg", status=1)
    load(tmp_path / "wards.gpkg", "--code-column", "WD23CD")
    assert load.sets()[0]["name"] == "wd23"


@pytest.mark.parametrize(
    ("columns", "code"), [({"LAD24CD": "LADCD_ACTIVE", "LAD24NM": "LADNM"}, "X07900001"), ({}, "X07900001")]
)
def test_district_columns_by_their_patterns(load, wards, tmp_path, columns, code):
    wards.rename(columns=columns).to_file(tmp_path / "wards.gpkg")

    load(tmp_path / "wards.gpkg")

    tables = read_tables(load.url)
    assert {row["district_code"] for row in tables["ward"]} == {code, "X07900002"}
    assert [row["name"] for row in tables["district"]] == ["Westshire", "Eastshire"]


def test_a_name_that_is_no_id(load):
    assert "Write it as 'wards-2024'" in load(WARDS, "--name", "Wards 2024", status=1)


# Again, beside, and instead


def test_a_set_is_replaced_only_on_request(load_both, wards, tmp_path):
    load_both(WARDS)
    load_both.invoke("load", "population", POPULATION, "--boundaries", "wd24", "--year", 2020, store=load_both.url, env=CLOCK)
    assert "is loaded already" in load_both(WARDS, status=1)

    half = tmp_path / "half.gpkg"
    wards.assign(
        geometry=[
            g if c != CODES[NE] else shapely.box(501_000, 201_000, 501_001, 201_001)
            for g, c in zip(wards.geometry, wards["WD24CD"], strict=True)
        ]
    ).to_file(half)
    load_both(half, "--replace")

    assert load_both.sets() == [PLACED | {"wards_with_incidents": 2, "in_ward": 5, "outside": 4}]
    status = json.loads(load_both.invoke("status", "--format", "json", store=load_both.url).stdout)
    assert status["population"] == [{"boundaries": "wd24", "year": 2020, "residents": 4650}]


def test_a_replaced_set_with_other_codes_loses_its_population(load_both, wards, tmp_path):
    load_both(WARDS)
    load_both.invoke("load", "population", POPULATION, "--boundaries", "wd24", "--year", 2020, store=load_both.url, env=CLOCK)
    wards["WD24CD"] = [f"X0690000{i}" for i in range(4)]
    wards.to_file(tmp_path / "wards.gpkg")

    said = load_both(tmp_path / "wards.gpkg", "--replace")

    assert "its population was taken out" in said
    assert json.loads(load_both.invoke("status", "--format", "json", store=load_both.url).stdout)["population"] == []


def test_the_same_set_again_is_the_same_store(load_both):
    load_both(WARDS)
    before = digest(load_both.url)

    load_both(WARDS, "--replace")

    assert digest(load_both.url) == before


def of_first_set(url):
    return {name: [row for row in rows if row.get("boundary_set_id") == 1] for name, rows in read_tables(url).items()}


def test_a_second_set_leaves_the_first_as_it_was(load_both, wards, tmp_path):
    load_both(WARDS)
    before = of_first_set(load_both.url)
    whole = wards.dissolve().assign(WD25CD="X05900009", WD25NM="Whole").drop(columns=["WD24CD", "WD24NM"])
    whole.to_file(tmp_path / "whole.gpkg")

    load_both(tmp_path / "whole.gpkg")

    assert of_first_set(load_both.url) == before
    assert load_both.sets()[1] == PLACED | {
        "name": "wd25",
        "effective": "2025-12-31",
        "wards": 1,
        "wards_with_incidents": 1,
    }
    load_both.invoke("unload", "boundaries", "wd25", store=load_both.url)
    assert load_both.sets() == [PLACED]
    assert (
        "There is no boundary set 'wd25'"
        in load_both.invoke("unload", "boundaries", "wd25", store=load_both.url, status=1).stderr
    )


# Shapes for display


def test_neighbours_still_share_edges_when_simplified():
    zigzag = [(1000 + 15 * (i % 2), 40 * i) for i in range(51)]
    west = shapely.Polygon([(0, 0), *zigzag, (0, 2000)])
    east = shapely.Polygon([*zigzag, (2000, 2000), (2000, 0)])
    metres = shapely.transform(np.array([west, east]), lambda xy: xy + np.array([500_000, 200_000]))

    made = display_shapes(metres, codes=["A", "B"], names=["West", "East"], district_codes=["D", "D"])

    for tolerance, data in made.items():
        shapes = [shapely.geometry.shape(f["geometry"]) for f in json.loads(data)["features"]]
        assert shapely.coverage_is_valid(shapes), tolerance
        assert sum(shapely.get_num_coordinates(shapes)) < 20


def test_a_label_lies_inside_its_ward():
    ring = shapely.Point(500_500, 200_500).buffer(500).difference(shapely.Point(500_500, 200_500).buffer(400))
    [feature] = json.loads(display_shapes(np.array([ring]), codes=["A"], names=["Ring"], district_codes=[""])[60])["features"]

    assert shapely.geometry.shape(feature["geometry"]).buffer(1e-4).contains(shapely.Point(feature["properties"]["label"]))


def test_unpacked_archives_leave_nothing_behind(load, wards, tmp_path, monkeypatch):
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(work))
    write_shapefile(wards, tmp_path / "plain")
    load(zip_folder(tmp_path / "plain", tmp_path / "wards.zip"))

    assert not list(work.iterdir())
    shutil.rmtree(work)
