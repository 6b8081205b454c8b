"""What is judged, in a real browser: quiet maps, the sentence behind a colour, a series with its band, alarms and breaks."""

import json
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect

from tests.grid import code
from tests.server import WARDWATCH, environment, served
from tests.story import ALARMED, BROKEN, RISEN, load_story

QUIET = "#f7f7f7"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Give the URL of a server of the story."""
    folder = tmp_path_factory.mktemp("story")
    url = f"sqlite:///{folder / 'store.db'}"
    load_story(url, folder)
    with served([WARDWATCH, "serve", "--workers", "1"], cwd=folder, env=environment(url)) as address:
        yield address


@pytest.fixture
def story(server, guard) -> str:
    """Give the same, the watched browser being allowed to reach it."""
    guard.allow(server)
    return server


def shown(page, url):
    """Open a page whose map is drawn."""
    page.goto(url)
    page.wait_for_selector("html[data-map=drawn]", state="attached")


def says(page, selector, text):
    """Wait until an element holds a text."""
    expect(page.locator(selector)).to_contain_text(text)


def fills(page):
    """The colour of each ward."""
    paths = page.locator("path[data-ward]").evaluate_all("all => all.map(p => [p.dataset.ward, p.getAttribute('fill')])")
    return dict(paths)


def api(story, path):
    """What the API answers."""
    with urlopen(f"{story}/api/v1/{path}") as answer:
        return json.load(answer)


def test_a_map_of_change_is_quiet_but_where_it_is_more_than_chance(story, page):
    shown(page, f"{story}/?measure=change&crime_type=burglary")

    colours = fills(page)
    assert colours.pop(code(RISEN)) not in (QUIET, None)
    assert set(colours.values()) == {QUIET}
    says(page, ".headline .summary", "More than chance: 1 up and 0 down, of 24 looked at together")
    legend = page.locator(".legend-classes li").all_inner_texts()
    assert [line.split("\n")[0] for line in legend] == ["Up: at least twice as many", "No clear change"]
    assert "23 wards" in legend[1]
    page.locator(f"path[data-ward={code(RISEN)}]").hover()
    assert "Up: at least twice as many" in page.locator(".tip").inner_text()


def test_what_stands_out_heads_the_table_with_its_reading(story, page):
    shown(page, f"{story}/?measure=change&crime_type=burglary")

    heads = page.locator("#table thead th").all_inner_texts()
    assert [head.split("\n")[0].strip() for head in heads] == ["Ward", "District", "Change", "95% interval", "Reading"]
    first, second = (page.locator("#table tbody tr").nth(i).inner_text() for i in (0, 1))
    assert first.startswith(f"Ward {RISEN}\t")
    assert first.endswith("Up: at least twice as many")
    assert second.endswith(("No clear change", "could be chance"))


def test_the_panel_says_what_the_api_says(story, page):
    shown(page, f"{story}/?measure=change&crime_type=burglary")
    page.locator(f"path[data-ward={code(RISEN)}]").click()

    says(page, "#panel .reading", "Up: at least twice as many")
    row = next(r for r in api(story, "measures/change?crime_type=burglary")["rows"] if r["ward_code"] == code(RISEN))
    assert page.locator("#panel .big .figure").inner_text() == f"{row['value']:.2f}"
    says(page, "#panel", row["sentence"])


def test_what_is_perhaps_a_change_is_read_so_and_drawn_quiet(story, page):
    asked = (f"crime_type=burglary&to={year}-{month:02d}" for year in (2022, 2023, 2024) for month in range(1, 13))
    question, row = next(
        (question, row)
        for question in asked
        for row in api(story, f"measures/change?{question}")["rows"]
        if ": perhaps " in row["sentence"]
    )
    shown(page, f"{story}/?measure=change&{question}")

    assert fills(page)[row["ward_code"]] == QUIET
    page.locator(f"path[data-ward={row['ward_code']}]").hover()
    assert "could be chance" in page.locator(".tip").inner_text()
    assert "could be chance" in page.locator(f"#table tr[data-code={row['ward_code']}]").inner_text()


def test_a_series_shows_its_band_its_alarm_and_the_break(story, page):
    shown(page, f"{story}/?measure=expected&crime_type=burglary&ward={code(ALARMED)}")

    series = page.locator("#panel .series")
    assert series.locator("path.band").count() >= 1
    assert series.locator(".alarms text").evaluate_all("marks => marks.map(m => m.textContent[0])") == ["▲"]
    says(page, "#panel .series", "stand out by more than chance: June 2025 (higher)")
    says(page, "#panel .series", "24 ward-and-type pairs are checked each month")
    page.goto(f"{story}/wards/wd20/{code(ALARMED)}?crime_type=burglary")
    line = page.locator(".series .break line")
    assert line.count() == 1
    says(page, ".series", f"A Recording changed in January 2022: {BROKEN}. Compare across it with care.")
    # The mark stands at the left of its month's column.
    columns = page.locator(".series rect.column")
    january = columns.nth(36)
    assert "January 2022" in january.locator("title").text_content()
    assert float(line.get_attribute("x1")) <= float(january.get_attribute("x")) + 0.5
    # The twin table says the same.
    page.get_by_text("The same as a table").click()
    last = page.locator(".series tbody tr", has_text="June 2025").inner_text()
    assert "40" in last
    assert "higher than expected" in last


def test_classes_stay_while_months_are_stepped_through_unless_asked(story, page):
    def listed(question):
        return [(c["label"], c["colour"]) for c in api(story, f"measures/count?{question}")["meta"]["classes"] if c["low"]]

    def month(text):
        return f"crime_type=burglary&from={text}&to={text}"

    latest = listed(month("2025-06"))
    assert len(latest) >= 3
    for text in ("2025-05", "2022-03", "2019-01"):
        assert listed(month(text)) == latest
    assert listed(month("2019-01") + "&classes=period") != latest

    shown(page, f"{story}/?{month('2019-01')}")
    page.select_option("#f-classes", "period")
    says(page, ".legend-classes", listed(month("2019-01") + "&classes=period")[-1][0])
    assert "classes=period" in page.url


def test_another_measure_looks_at_its_own_months(story, page):
    shown(page, f"{story}/?measure=expected&crime_type=burglary")
    says(page, "h1", "June 2025")

    page.select_option("#f-measure", "trend")

    says(page, "h1", "trend, July 2020 to June 2025")
    assert parse_qs(urlsplit(page.url).query) == {"measure": ["trend"], "crime_type": ["burglary"]}
    page.select_option("#f-measure", "change")
    says(page, "h1", "change, July 2024 to June 2025 against July 2023 to June 2024")


def test_without_javascript_a_measure_is_judged_over_its_own_months(story, new_context):
    page = new_context(java_script_enabled=False).new_page()
    page.goto(f"{story}/?measure=expected&crime_type=burglary")
    page.select_option("#f-measure", "change")
    page.get_by_role("button", name="Show").click()

    says(page, "h1", "change, July 2024 to June 2025 against July 2023 to June 2024")
    assert page.locator("#table tbody tr").first.inner_text().startswith(f"Ward {RISEN}\t")


def test_the_menu_groups_measures_by_what_they_ask(story, page):
    page.goto(story)

    assert page.locator("#f-measure optgroup").evaluate_all("groups => groups.map(g => g.label)") == [
        "How much",
        "What has changed",
        "Where, and beside whom",
    ]
    ids = page.locator("#f-measure option").evaluate_all("options => options.map(o => o.value)")
    assert ids == [row["id"] for row in api(story, "measures")["rows"]]


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)])
def test_every_measure_has_a_map_a_legend_and_a_sentence(story, new_context, size):
    page = new_context(viewport={"width": size[0], "height": size[1]}).new_page()
    for measure in [row["id"] for row in api(story, "measures")["rows"]]:
        shown(page, f"{story}/?measure={measure}&crime_type=burglary")

        colours = set(fills(page).values())
        assert len(colours) == page.locator(".legend-classes li").count(), measure
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), measure
        assert "nan" not in page.locator("main").inner_text().lower().split(), measure
