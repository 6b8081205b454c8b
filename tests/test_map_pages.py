"""Every page with a map in a real browser: what is drawn, what it weighs, and that nothing of it is inline."""

import re
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.request import urlopen

import pytest

from tests.grid import code

FILLS = "[...document.querySelectorAll('path.leaflet-interactive')].map(p => p.getAttribute('fill'))"


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
