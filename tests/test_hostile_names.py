"""Names that would run, if any page trusted them: wards, districts and sources, in the browser, on every page.

The payloads are those that broke Folium's own tooltips, popups and titles.
"""

import pytest

from loaders.harm_weights import load_weights
from loaders.recording_breaks import load_breaks
from loaders.ward_groups import load_groups
from mapping.store import open_engine
from tests.grid import NOW, code, load_grid
from tests.server import WARDWATCH, environment, served
from tests.tiny import write_table

PAYLOADS = (
    "</script><img src=x onerror=window.pwned=1>",
    "`+(window.pwned=1)+`",
    "${window.pwned=1}",
    "\"'><svg onload=window.pwned=1>\\2",
    "</title><script>window.pwned=1</script>",
    "{{ 7*7 }}{% raw %}<!--",
    "\u202eRTL and 300 characters" + " long" * 55,
    '=HYPERLINK("http://evil.example","x")',
)
DISTRICTS = (
    "</script><img src=x onerror=window.pwned=1>",
    "${window.pwned=1}`",
    "\"' onfocus=window.pwned=1 \\2",
    "<b>North</b>",
)
BREAKS = (("2020-04", "soft"), ("2020-06", "soft"), ("2020-10", "hard"), ("2021-01", "soft"))
SOURCE = "</script><img src=x onerror=window.pwned=1> `${window.pwned=1}` Force"

PAGES = (
    "/",
    f"/?measure=rate&ward={code(1)}",
    f"/?ward={code(4)}",
    "/map/count",
    "/embed/rate",
    "/wards",
    "/wards?find=%3C%2Fscript%3E%3Cimg%20src%3Dx%20onerror%3Dwindow.pwned%3D1%3E",
    f"/wards/wd20/{code(1)}",
    f"/wards/wd20/{code(2)}?measure=change&against=period-before&from=2020-12&to=2021-02",
    f"/?measure=harm&ward={code(3)}",
    "/?measure=funnel&among=similar-wards",
    "/wards?measure=expected&months=3",
    "/embed/cluster",
    f"/wards/wd20/{code(4)}",
    "/data",
    "/methods",
    "/%3Cscript%3Ewindow.pwned=1%3C/script%3E",
    "/?ward=%3Cimg%20src%3Dx%20onerror%3Dwindow.pwned%3D1%3E",
)


def name(number: int) -> str:
    """The payload that names a ward."""
    return PAYLOADS[number % len(PAYLOADS)]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Give the grid county under hostile names."""
    folder = tmp_path_factory.mktemp("hostile")
    url = f"sqlite:///{folder / 'store.db'}"
    load_grid(url, folder, names=name, districts=DISTRICTS, source=SOURCE)
    load_judging(url, folder)
    return url


def load_judging(url, folder):
    """What figures are judged with, its words hostile too."""
    engine = open_engine(url)
    breaks = [("", "all", month, kind, PAYLOADS[i], PAYLOADS[i + 1]) for i, (month, kind) in enumerate(BREAKS)]
    header = ("source", "crime_type", "month", "kind", "what", "vouched_for_by")
    load_breaks(engine, write_table(folder / "breaks.csv", header, breaks), now=NOW)
    weights = [("burglary", 300, PAYLOADS[0], PAYLOADS[1], "2020-01-01")]
    header = ("crime_type", "weight", "source", "version", "date")
    load_weights(engine, write_table(folder / "weights.csv", header, weights), now=NOW, attribution=PAYLOADS[2])
    groups = [(code(n), PAYLOADS[n % 2]) for n in range(1, 25)]
    load_groups(engine, write_table(folder / "groups.csv", ("code", "group"), groups), now=NOW, attribution=PAYLOADS[3])
    engine.dispose()


@pytest.fixture(scope="module")
def server(store, tmp_path_factory):
    """Give the URL of its server."""
    command = [WARDWATCH, "serve", "--workers", "1"]
    with served(command, cwd=tmp_path_factory.mktemp("server"), env=environment(store)) as url:
        yield url


@pytest.fixture
def hostile(server, guard) -> str:
    """Give the same, the watched browser being allowed to reach it."""
    guard.allow(server)
    return server


@pytest.fixture
def careful(page, guard):
    """Give a page that fails the test when a payload ran, asked for its picture, or opened a dialog."""
    opened = []
    page.on("dialog", lambda dialog: (opened.append(dialog.message), dialog.dismiss()))
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    guard.expect("40[04]")
    yield page
    assert opened == []
    assert [url for url in asked if url.endswith("/x")] == []
    assert page.evaluate("window.pwned") is None


def unharmed(page):
    """Whether what the browser built holds no element that a name brought."""
    assert page.evaluate("window.pwned") is None
    assert page.locator("img, [onload], [onerror], [onfocus], main b:not(.tip b)").count() == 0
    assert page.locator("script:not([src]):not([type*=json])").count() == 0


@pytest.mark.parametrize("path", PAGES)
def test_no_name_runs_on_any_page(hostile, careful, path):
    """Nor does what an address says."""
    careful.goto(hostile + path)
    if careful.locator(".folium-map").count():
        careful.wait_for_selector("html[data-map=drawn]", state="attached")
        assert careful.locator("path.leaflet-interactive").count() == 24
        careful.locator(f"path[data-ward={code(1)}]").hover(force=True)
        assert name(1) in careful.locator(".tip").text_content()
    unharmed(careful)


def test_no_name_runs_while_the_explorer_is_used(hostile, careful):
    """Panels, filters, search and its list show names as they are."""
    careful.goto(hostile)
    careful.wait_for_selector("html[data-map=drawn]", state="attached")
    for number in range(1, 9):
        careful.locator(f"path[data-ward={code(number)}]").click(force=True)
        careful.locator("#panel .where", has_text=code(number)).wait_for()
        assert careful.locator("#panel-title").text_content() == name(number).strip()
        unharmed(careful)
    careful.select_option("#f-district", label=DISTRICTS[0])
    careful.locator("h1", has_text=DISTRICTS[0]).wait_for()
    careful.focus("#find")
    listed = careful.evaluate("[...document.querySelectorAll('#places option')].map(o => o.value)")
    assert set(DISTRICTS) <= set(listed)
    careful.fill("#find", "<img")
    careful.keyboard.press("Enter")
    careful.locator("#found button").first.wait_for()
    unharmed(careful)


@pytest.mark.parametrize("measure", ["count", "rate", "harm", "funnel"])
def test_a_saved_map_runs_no_name_and_asks_nobody(store, careful, wardwatch, tmp_path, measure):
    """Opened from `file://`: the map, its legend, table, period and attribution are in the one file."""
    saved = tmp_path / "map.html"
    wardwatch("map", saved, "--measure", measure, store=store)
    asked = []
    careful.on("request", lambda request: asked.append(request.url))
    careful.goto(saved.as_uri())
    careful.wait_for_selector("html[data-map=drawn]", state="attached")
    assert [url for url in asked if not url.startswith("data:")] == [saved.as_uri()]
    paths = careful.locator("path.leaflet-interactive")
    assert paths.count() == 24
    fills = careful.evaluate("[...document.querySelectorAll('path.leaflet-interactive')].map(p => p.getAttribute('fill'))")
    assert len(set(fills)) == careful.locator(".legend-classes li").count()
    assert careful.locator(".leaflet-container").bounding_box()["height"] >= 300
    assert "2020 to February 2021" in careful.locator("h1").text_content()
    caption = careful.locator(".map-caption").text_content()
    assert "Contains OS data." in caption
    assert SOURCE in caption
    assert "Data as of February 2021" in caption
    assert "August 2020" in caption
    names = careful.locator("table.figures tbody th").all_text_contents()
    assert sorted(names) == sorted(name(n) for n in range(1, 25))
    careful.locator(f"path[data-ward={code(1)}]").click(force=True)
    # What this test reads itself is inline: the file's own policy allows its scripts by their hashes, and no other.
    policy = careful.locator("meta[http-equiv]").get_attribute("content")
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert careful.locator("img, [onerror], [onload], [onfocus], iframe").count() == 0
