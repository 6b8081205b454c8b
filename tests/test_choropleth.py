"""The map that Folium builds, and the values and legend that colour it."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from mapping.answers import Question, answer
from mapping.choropleth import class_of, contrast, draw_map, legend, map_values, outline, shapes_centre, tolerance_for
from mapping.classes import SEQUENTIAL
from mapping.reader import Reader
from mapping.store import open_engine
from tests.grid import code, load_grid
from web.figures import headline

MIDDLE = (-0.2, 51.8)


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """Give a reader of the grid county."""
    folder = tmp_path_factory.mktemp("grid")
    url = f"sqlite:///{folder / 'store.db'}"
    load_grid(url, folder)
    engine = open_engine(url)
    yield Reader(engine, open_only=True)
    engine.dispose()


def test_folium_parts_are_the_same_every_time_and_in_every_thread():
    """Random ids would give each worker another page and another ETag."""
    with ThreadPoolExecutor(4) as pool:
        parts = set(pool.map(lambda _: draw_map(centre=MIDDLE), range(12)))
    assert len(parts) == 1
    made = parts.pop()
    assert 'id="ward_map"' in made.html
    assert not re.search(r"[0-9a-f]{32}", made.html + made.script)
    for name in ("ward_map", "ward_shapes", "district_borders"):
        assert f"var {name} = L." in made.script


def test_where_nothing_is_recorded_no_ward_is_the_busiest(reader):
    """Zeros make no ranking; what is missing is said all the same."""
    found = answer(reader, "count", Question())
    none = replace(found, rows=[row | {"value": 0} for row in found.rows])
    assert headline(found, "All").sentence.endswith("busiest: Ward 24 (Far North), 396 (some months not supplied)")
    assert headline(none, "All").sentence.endswith("2021 — none recorded (some months not supplied)")
    assert headline(none, "All").code == ""


def test_folium_asks_no_other_server():
    """No address of a CDN, no tiles, unless tiles are configured."""
    made = draw_map(centre=MIDDLE)
    assert "http" not in made.script + made.html
    tiled = draw_map(centre=MIDDLE, tiles_url="https://tiles.example/{z}/{x}/{y}.png", tiles_attribution="</script>'`${1}")
    assert re.findall(r"https?://[^/]*", tiled.script) == ["https://tiles.example"]
    assert "</script" not in tiled.script


def test_drawing_a_map_leaves_folium_as_it_was():
    """Its lists of scripts belong to the class: another user of Folium in the process keeps theirs."""
    import folium  # noqa: PLC0415 - what is looked at

    before = list(folium.Map.default_js)
    draw_map(centre=MIDDLE)
    assert folium.Map.default_js == before


def test_each_class_is_outlined_three_to_one():
    """Every colour of every palette, as WCAG 1.4.11 asks."""
    for palette in SEQUENTIAL.values():
        for colour in palette:
            assert contrast(colour, outline(colour)) >= 3, colour


def test_every_ward_is_in_the_class_whose_range_holds_it(reader):
    """The classes that the map fills in are those that the legend lists."""
    found = answer(reader, "count", Question())
    values = map_values(found)
    used = {values["wards"][row["ward_code"]][0] for row in found.rows}
    assert used == set(range(len(found.classes))) == {0, 1, 2, 3, 4}
    for row in found.rows:
        kind, shown, sentence = values["wards"][row["ward_code"]]
        assert found.classes[kind].holds(row["value"])
        assert sum(c.holds(row["value"]) for c in found.classes) == 1
        assert (shown, sentence) == (f"{row['value']:,}", row["sentence"])
    assert [(line["label"], line["wards"]) for line in legend(found)] == [
        (c.label, sum(class_of(row, found) == i for row in found.rows)) for i, c in enumerate(found.classes)
    ]


def test_a_ward_without_a_figure_is_never_in_a_class(reader):
    """It carries its status, which the legend explains; only statuses that some ward has are listed."""
    found = answer(reader, "rate", Question())
    assert map_values(found)["wards"][code(24)][0] == "no-denominator"
    last = legend(found)[-1]
    assert (last["hatch"], last["colour"], last["wards"]) == ("no-denominator", None, 1)
    assert [line["hatch"] for line in legend(found)].count(None) == len(found.classes)


def test_coarse_shapes_for_small_maps_and_many_wards():
    """60 m, or 250 m."""
    assert [tolerance_for(179), tolerance_for(179, small=True), tolerance_for(1001)] == [60, 250, 250]


def test_the_middle_of_the_shapes(reader):
    """Longitude first; without shapes, somewhere in Britain."""
    lon, lat = shapes_centre(reader.shapes(reader.catalogue().boundary_set(None).shapes[60]))
    assert -0.2 < lon < 0.1
    assert 51.6 < lat < 51.8
    assert shapes_centre(b'{"features": []}') == (-2.0, 53.0)
