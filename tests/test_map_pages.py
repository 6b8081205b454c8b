"""Every page with a map in a real browser: what is drawn, what it weighs, and that nothing of it is inline."""

import re
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.request import urlopen

import pytest

from loaders.incidents import load_incidents
from mapping.store import open_engine
from mapping.vocabulary import to_lonlat
from tests.grid import NOW, code, load_grid
from tests.server import WARDWATCH, environment, served
from tests.tiny import write_table

FILLS = "[...document.querySelectorAll('path.leaflet-interactive')].map(p => p.getAttribute('fill'))"


@pytest.fixture(scope="module")
def line_store(tmp_path_factory):
    """Give a store of the grid county to which a month of incidents at one station, near a line, was added."""
    folder = tmp_path_factory.mktemp("line")
    url = f"sqlite:///{folder / 'store.db'}"
    load_grid(url, folder)
    point = [f"{float(value):.6f}" for value in to_lonlat(531_960, 202_500)]
    header = ["Crime ID", "Month", "Reported by", "Longitude", "Latitude", "Location", "Crime type"]
    engine = open_engine(url)
    for month in ("2020-11", "2020-12"):
        types = ["Burglary", "Drugs", "Robbery", "Shoplifting", "Vehicle crime"] * 30
        rows = [
            [f"{month}{n:057d}", month, "Line Police", *point, "Police Station", crime_type, "", ""]
            for n, crime_type in enumerate(types)
        ]
        file = write_table(folder / f"{month}-line-street.csv", [*header, "Last outcome category", "LSOA code"], rows)
        load_incidents(engine, [file], now=NOW)
    engine.dispose()
    return url


@pytest.fixture(scope="module")
def line_server(line_store, tmp_path_factory):
    """Give the URL of a public server of it."""
    command = [WARDWATCH, "serve", "--workers", "1"]
    with served(command, cwd=tmp_path_factory.mktemp("server"), env=environment(line_store)) as address:
        yield address


def drawn(page):
    """Wait until the map is there."""
    page.wait_for_selector("html[data-map=drawn]", state="attached")


@pytest.mark.parametrize("path", ["/", "/map/count", "/embed/count", "/map/rate", "/embed/rate"])
@pytest.mark.parametrize("size", [(1440, 900), (390, 844)], ids=str)
def test_the_map_is_there_with_every_ward_and_every_class(grid, new_context, path, size):
    """At least 300 px high within the first screen, as many visible paths as wards, as many classes as the legend lists."""
    page = new_context(viewport={"width": size[0], "height": size[1]}).new_page()
    page.goto(grid + path)
    drawn(page)
    box = page.locator(".leaflet-container").bounding_box()
    assert box["height"] >= 300
    assert box["y"] + 300 <= size[1]
    paths = page.locator(".leaflet-container path")
    assert paths.count() == 24
    assert all(paths.nth(i).bounding_box()["width"] > 5 for i in range(24))
    fills = set(page.evaluate(FILLS))
    listed = page.locator(".legend-classes li")
    assert listed.count() == len(fills)
    swatches = page.evaluate(FILLS.replace("path.leaflet-interactive", ".legend-classes li rect:last-child"))
    assert set(swatches) == fills
    assert page.locator(".map-name.top").inner_text() == "Ward 24" if "count" in path else "Ward 23"
    title, legend = page.locator("h1").bounding_box(), page.locator(".legend-classes").bounding_box()
    assert title["y"] >= 0
    assert legend["y"] + legend["height"] <= size[1]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("path", ["/", "/map/rate", "/embed/count"])
def test_a_print_holds_the_whole_map(grid, page, path):
    """The map has the sheet's size while it is printed, all wards within it; afterwards the screen is as it was."""
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(grid + path)
    drawn(page)
    box = page.locator(".leaflet-container")
    screen = box.bounding_box()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 718, "height": 1000})  # A4 within Chromium's margins
    sheet = box.bounding_box()
    assert sheet["x"] + sheet["width"] <= 718
    for ward in page.locator("path.leaflet-interactive").all():
        shape = ward.bounding_box()
        assert shape["x"] >= sheet["x"]
        assert shape["x"] + shape["width"] <= sheet["x"] + sheet["width"]
        assert shape["y"] >= sheet["y"]
        assert shape["y"] + shape["height"] <= sheet["y"] + sheet["height"]
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert box.bounding_box() == screen


@pytest.fixture
def other_site(tmp_path, guard):
    """Give the URL of a folder on another origin."""
    handler = partial(SimpleHTTPRequestHandler, directory=tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as site:
        Thread(target=site.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{site.server_port}"
        guard.allow(url)
        yield url
        site.shutdown()


def test_an_embed_works_in_a_sandbox_without_an_origin(grid, page, other_site, tmp_path):
    """`sandbox="allow-scripts"` makes the origin null: shapes must come all the same."""
    frame = f'<iframe sandbox="allow-scripts" src="{grid}/embed/count" width="700" height="600"></iframe>'
    (tmp_path / "page.html").write_text(f'<!doctype html><link rel="icon" href="data:,">{frame}')
    page.goto(f"{other_site}/page.html")
    inside = page.frame_locator("iframe")
    inside.locator(".leaflet-container path").nth(23).wait_for()
    assert inside.locator(".leaflet-container path").count() == 24


def test_an_empty_store_says_what_to_load(sqlite_url, wardwatch, serve, page):
    """The four commands, those done marked."""
    wardwatch("init", store=sqlite_url)
    page.goto(serve(sqlite_url, "--workers", 1))
    assert [line.split()[1] for line in page.locator(".steps code").all_inner_texts()] == ["init", "load", "load", "load"]
    assert page.locator(".steps .done").count() == 1


def test_the_first_page_and_a_change_are_small(grid, page):
    """Under 180 kB compressed with shapes, styles and scripts; a change of filter under 20 kB."""
    finished = []

    def note(request):
        finished.append(request)

    page.on("requestfinished", note)
    page.goto(grid)
    drawn(page)
    page.wait_for_load_state("networkidle")
    assert sum("/shapes/" in request.url for request in finished) == 1
    assert sum(request.sizes()["responseBodySize"] for request in finished) < 180_000
    with page.expect_request_finished(lambda request: "view=explorer" in request.url) as change:
        page.select_option("#f-type", "burglary")
    assert change.value.sizes()["responseBodySize"] < 20_000


def test_nothing_is_inline(grid):
    """No inline script, style or handler: what the policy forbids is not there."""
    for path in ("/", f"/?ward={code(3)}", "/map/rate", "/embed/count", "/wards", f"/wards/wd20/{code(3)}"):
        with urlopen(grid + path) as answer:
            html = answer.read().decode()
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", html), path
        assert all("src=" in tag or "application/json" in tag for tag in re.findall(r"<script[^>]*>", html)), path


def test_wards_whose_class_could_change_are_lined_on_their_colour(line_server, new_context, guard):
    """By a choice in the form; in the class's own colour, with a line of the legend, a word in the table and in labels."""
    guard.allow(line_server)
    page = new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(line_server)
    drawn(page)
    plain = page.evaluate(FILLS)
    assert all(fill.startswith("#") for fill in plain)

    with page.expect_response(re.compile("nearness=hatched")):
        page.select_option("select[name=nearness]", "hatched")
    page.wait_for_selector(".legend li.hatched")
    assert "nearness=hatched" in page.url
    lined = page.evaluate(FILLS)
    changed = [i for i, (one, other) in enumerate(zip(plain, lined, strict=True)) if one != other]
    assert [lined[i] for i in changed] == [f"url(#near-{plain[i].removeprefix('#')})" for i in changed]
    assert page.evaluate("[...document.querySelectorAll('[id^=near-] rect')].map(r => r.getAttribute('fill'))")
    said = page.locator(".legend li.hatched").inner_text()
    assert said == f"{len(changed)} wards could change class: incidents within 100 m of a line may belong next door"
    assert page.locator("td", has_text="lass could change").count() == len(changed) > 1
    labels = page.evaluate("[...document.querySelectorAll('path.leaflet-interactive')].map(p => p.getAttribute('aria-label'))")
    assert [i for i, label in enumerate(labels) if label.endswith("class could change")] == changed

    # The choice stays when the other measure that has it is chosen, and when the address is opened without scripts.
    with page.expect_response(re.compile("measures/rate.*nearness=hatched")):
        page.select_option("select[name=measure]", "rate")
    still = new_context(java_script_enabled=False).new_page()
    still.goto(page.url)
    assert still.locator("select[name=nearness]").input_value() == "hatched"


def test_a_place_is_decided_about_without_scripts_and_by_keyboard(line_store, serve, new_context):
    """On a server of three workers, whose forms must all be taken by any of them."""
    address = serve(line_store, "--workers", 3, env={"WARDWATCH_AUDIENCE": "internal"})
    page = new_context(java_script_enabled=False).new_page()
    for word, tabs in (("Confirmed", 1), ("Dismissed", 2), ("Confirmed", 1)):
        page.goto(f"{address}/data#places")
        page.get_by_label("reason").fill(f"so it is {tabs}")
        for _ in range(tabs):
            page.keyboard.press("Tab")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert re.search(r"/data#place-\d+$", page.url)
        assert page.locator(".place strong", has_text=word).count() == 1
