"""The explorer in a real browser: by mouse, by keyboard alone, and with JavaScript off."""

import json
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect

from tests.grid import MONTHS, code, middle


@pytest.fixture
def explorer(grid, page):
    """Give the explorer's page, its map drawn, and a list of every request made since."""
    page.goto(grid)
    drawn(page)
    asked = []
    page.on("request", lambda request: request.url.endswith("icon.svg") or asked.append(request.url))
    return page, asked


def drawn(page):
    """Wait until the map is there."""
    page.wait_for_selector("html[data-map=drawn]", state="attached")


def says(page, selector, text):
    """Wait until an element holds a text."""
    expect(page.locator(selector)).to_contain_text(text)


def api(grid, path):
    """What the API answers."""
    with urlopen(f"{grid}/api/v1/{path}") as answer:
        return json.load(answer)


def test_wards_without_a_figure_are_hatched(grid, page):
    """Never coloured as a value; the legend and the tooltip say why."""
    page.goto(f"{grid}/?measure=rate")
    drawn(page)
    without = page.locator(f"path[data-ward={code(24)}]")
    assert without.get_attribute("fill") == "url(#hatch-no-denominator)"
    assert page.locator("pattern#hatch-no-denominator").count() == 1
    assert "too few to divide by" in page.locator(".legend-classes .hatched").inner_text()
    without.hover()
    assert page.locator(".tip").inner_text() == "Ward 24, Far North\nNo rate: too few to divide by, or not known"


def test_a_change_of_filter_is_one_request(explorer):
    """The shapes are not fetched again and the paths stay the same nodes; the address says what is shown."""
    page, asked = explorer
    page.evaluate("window.before = [...document.querySelectorAll('path.leaflet-interactive')]")
    page.select_option("#f-type", "burglary")
    says(page, "h1", "Burglary")
    assert [urlsplit(url).path for url in asked] == ["/api/v1/measures/count"]
    assert page.evaluate("[...document.querySelectorAll('path.leaflet-interactive')].every((p, i) => p === window.before[i])")
    assert parse_qs(urlsplit(page.url).query) == {"crime_type": ["burglary"]}
    label = page.locator(f"path[data-ward={code(24)}]").get_attribute("aria-label")
    assert label.startswith("Ward 24: 132 recorded (burglary")
    # The same page from the server says the same.
    shown = page.locator("#table").inner_text()
    page.reload()
    drawn(page)
    assert page.locator("#table").inner_text() == shown
    assert page.locator("#f-type").input_value() == "burglary"


def test_back_returns_to_the_filters_before(explorer):
    """Each change of a filter is a step; the figures, the form and the address go back together."""
    page, _ = explorer
    start = page.locator("#table").inner_text()
    page.select_option("#f-type", "burglary")
    says(page, "h1", "Burglary")
    page.select_option("#f-district", label="East")
    says(page, "h1", "East")
    page.go_back()
    expect(page.locator("h1")).not_to_contain_text("East")
    assert parse_qs(urlsplit(page.url).query) == {"crime_type": ["burglary"]}
    page.go_back()
    says(page, "h1", "All crime")
    assert page.locator("#f-type").input_value() == "all"
    assert page.locator("#table").inner_text() == start
    page.go_forward()
    says(page, "h1", "Burglary")


def test_missing_months_are_said_beside_the_figures(grid, page):
    """In the headline, the tooltip, the ward's own label, the legend and the panel; and not where nothing is missing."""
    gap = "some months not supplied"
    for path in ("/", "/map/count", "/embed/count"):
        page.goto(grid + path)
        drawn(page)
        says(page, ".headline .summary", f"396 incidents ({gap})")
        says(page, ".legend", "Some months were not supplied: see below the map.")
        assert page.locator(f"path[data-ward={code(3)}]").get_attribute("aria-label").endswith(gap)
        page.locator(f"path[data-ward={code(3)}]").hover()
        assert page.locator(".tip").inner_text().endswith(f"44 incidents, {gap}")
    page.goto(f"{grid}/?from=2021-01&ward={code(3)}")
    drawn(page)
    assert gap not in page.locator("main").inner_text().lower()
    assert gap not in page.locator(f"path[data-ward={code(3)}]").get_attribute("aria-label")
    page.goto(f"{grid}/?ward={code(3)}")
    says(page, "#panel .big", gap)
    says(page, "#panel h3", gap)
    page.goto(f"{grid}/wards/wd20/{code(3)}")
    says(page, "table.figures tbody tr:first-child", f"44 ({gap})")


def test_a_period_that_would_end_before_it_starts_is_mended(explorer):
    """The month chosen last wins."""
    page, _ = explorer
    page.select_option("#f-from", "2021-02")
    page.select_option("#f-to", "2020-05")
    says(page, "h1", "May 2020")
    assert page.locator("#f-from").input_value() == "2020-05"


def test_a_district_zooms_and_dims(explorer):
    """Other wards stay coloured; the table holds the district, its total and that of all."""
    page, asked = explorer
    far, near = f"path[data-ward={code(20)}]", f"path[data-ward={code(6)}]"
    width, fill = page.locator(near).bounding_box()["width"], page.locator(far).get_attribute("fill")
    page.select_option("#f-district", label="East")
    says(page, "h1", "East")
    assert len(asked) == 1
    assert page.locator(near).bounding_box()["width"] > 1.3 * width
    assert page.locator(far).get_attribute("fill") == fill
    assert float(page.locator(far).get_attribute("fill-opacity")) < 0.5
    assert page.locator("#table tbody tr").count() == 6
    assert page.locator("#table tfoot th").all_inner_texts() == ["East", "All wards of wd20"]


def test_a_click_opens_the_panel_with_one_request(explorer):
    """Figure, range, series with the missing month hatched, common types; the address keeps the ward."""
    page, asked = explorer
    page.locator(f"path[data-ward={code(20)}]").click()
    page.wait_for_selector("#panel .series")
    assert [urlsplit(url).path for url in asked] == [f"/wards/wd20/{code(20)}"]
    panel = page.locator("#panel")
    assert panel.locator("h2").inner_text() == "Ward 20"
    assert panel.locator(".big .figure").inner_text() == f"{30 * 11:,}"
    hatched = panel.locator(".series rect[fill='url(#hatch-not-supplied)'] title")
    assert hatched.all_text_contents() == ["August 2020: not supplied"]
    assert panel.locator(".series rect.column").count() == len(MONTHS)
    assert panel.locator(".common th").all_inner_texts() == ["Anti-social behaviour", "Burglary"]
    assert f"ward={code(20)}" in page.url
    page.select_option("#f-measure", "rate")
    says(page, "#panel .big", "per 1,000")
    page.reload()
    drawn(page)
    assert panel.locator("h2").inner_text() == "Ward 20"
    panel.locator("[data-close]").click()
    page.wait_for_selector("#panel .highest")
    assert "ward=" not in page.url


def test_by_keyboard_alone(explorer):
    """One stop for Tab; arrows to the neighbour, Enter opens, Escape closes and comes back."""
    page, asked = explorer
    assert page.locator("path[tabindex='0']").count() == 1
    assert page.locator("path[role=button][aria-label]").count() == 24
    focused = "document.activeElement.dataset.ward"
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate(focused):
            break
    assert page.evaluate(focused) == code(24)
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(focused) == code(23)
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focused) == code(17)
    assert page.locator(".tip").inner_text().startswith("Ward 17")
    page.keyboard.press("Enter")
    page.wait_for_selector("#panel .series")
    assert page.evaluate("document.activeElement.id") == "panel-title"
    assert len(asked) == 1
    page.keyboard.press("Escape")
    page.wait_for_selector("#panel .highest")
    assert page.evaluate(focused) == code(17)
    page.keyboard.press("Tab")
    assert page.evaluate(focused) != code(16)


@pytest.mark.parametrize(
    ("text", "panel"),
    [("ward 7", "Ward 7"), (code(9), "Ward 9"), ("{lon}, {lat}", "Ward 11"), ("Ward 12, East", "Ward 12")],
)
def test_search_finds_a_ward(explorer, text, panel):
    """By name, code, or longitude and latitude."""
    page, _ = explorer
    lon, lat = middle(11)
    page.fill("#find", text.format(lon=lon, lat=lat))
    page.keyboard.press("Enter")
    expect(page.locator("#panel-title")).to_have_text(panel)


@pytest.mark.parametrize(
    ("text", "hint"), [("477878,240974", "degrees are expected"), ("52.0, -0.5", "Longitude first: try -0.5, 52.")]
)
def test_search_says_what_is_wrong_with_a_point(explorer, text, hint):
    """Metres, and latitude before longitude."""
    page, asked = explorer
    page.fill("#find", text)
    page.keyboard.press("Enter")
    says(page, "#found", hint)
    assert asked == []


def test_search_finds_a_district_and_says_what_it_does_not_find(explorer):
    """A district is a filter; an unknown name and a point far out are answered in words."""
    page, _ = explorer
    page.fill("#find", "Nowhere")
    page.keyboard.press("Enter")
    assert "Nowhere" in page.locator("#found").inner_text()
    page.fill("#find", "-3.5, 50.7")
    page.keyboard.press("Enter")
    says(page, "#found", "km away")
    page.fill("#find", "far north")
    page.keyboard.press("Enter")
    says(page, "h1", "Far North")


def test_the_table_sorts(explorer):
    """Highest first from the server; then by the heading that is pressed."""
    page, asked = explorer
    names = page.locator("#table tbody th")
    assert names.first.inner_text() == "Ward 24"
    page.get_by_role("button", name="Incidents").click()
    assert names.first.inner_text() == "Ward 1"
    page.locator("#table thead").get_by_role("button", name="Ward").click()
    assert names.all_inner_texts()[:3] == ["Ward 1", "Ward 10", "Ward 11"]
    assert asked == []


def test_without_javascript_the_same_figures(grid, new_context):
    """The form and the links work, and the table's figures are the API's."""
    page = new_context(java_script_enabled=False).new_page()
    page.goto(grid)
    page.select_option("#f-type", "burglary")
    page.select_option("#f-from", "2020-03")
    page.select_option("#f-district", label="West")
    page.get_by_role("button", name="Show").click()
    rows = page.locator("#table tbody tr")
    shown = {r.get_attribute("data-code"): r.locator("td.number").first.inner_text() for r in rows.all()}
    district = parse_qs(urlsplit(page.url).query)["district"][0]
    found = api(grid, f"measures/count?crime_type=burglary&from=2020-03&to=2021-02&district={district}")["rows"]
    assert shown == {row["ward_code"]: f"{row['value']:,}" for row in found}
    assert len(shown) == 6
    page.locator("#table tbody a").first.click()
    assert page.locator("#panel h2").inner_text() == page.locator("#table tbody th").first.inner_text()
    page.locator("#panel [data-close]").click()
    assert page.locator("#panel .highest").count() == 1
    page.fill("#find", "ward 2")
    page.get_by_role("button", name="Find").click()
    assert page.locator("table.figures tbody th").all_inner_texts() == ["Ward 2"]  # of the district West
    assert parse_qs(urlsplit(page.url).query).keys() == {"find", "crime_type", "from", "to", "district"}
    assert page.locator("table.figures tfoot").count() == 0


def test_without_javascript_a_point_finds_its_ward(grid, new_context):
    """Or the nearest; what is no point is answered in words. A map's own page shows its table."""
    page = new_context(java_script_enabled=False).new_page()
    lon, lat = middle(11)
    for text, said, rows in (
        (f"{lon}, {lat}", "is in Ward 11", ["Ward 11"]),
        ("-3.5, 50.7", "km away", ["Ward 1"]),
        ("52.0, -0.5", "Longitude comes first", []),
        ("477878,240974", "degrees", []),
    ):
        page.goto(grid)
        page.fill("#find", text)
        page.get_by_role("button", name="Find").click()
        says(page, "main", said)
        assert page.locator("table.figures tbody th").all_inner_texts() == rows
    for path in ("/map/rate", "/embed/rate"):
        page.goto(grid + path)
        expect(page.locator("table.figures tbody tr").first).to_be_visible()


def test_what_a_rate_is_per_is_a_choice_beside_the_measure(grid, page):
    """It changes text, figures and address together, keeps the keyboard's focus, and goes with the measure."""
    page.goto(f"{grid}/?measure=rate")
    drawn(page)
    assert page.locator("#f-per option:checked").inner_text() == "residents"
    assert "households (not loaded)" in page.locator("#f-per").inner_text()

    page.focus("#f-per")
    page.select_option("#f-per", "area")
    says(page, "h1", "rate per km²")

    assert page.evaluate("document.activeElement.id") == "f-per"
    assert page.locator(".legend-title").inner_text() == "Rate per km²"
    assert "per km² a year" in page.locator("#table caption").inner_text()
    assert page.url == f"{grid}/?measure=rate&per=area"
    assert "per=area" in page.locator(".downloads a").first.get_attribute("href")
    page.reload()
    assert page.locator("#f-per option:checked").inner_text() == "km²"

    page.select_option("#f-measure", "count")
    expect(page.locator("#f-per")).to_have_count(0)
    assert page.url == f"{grid}/"
