"""The pages of data and methods say what the store says, and the probes whether it can be asked."""

import html
import re

from mapping.measures import all_measures
from tests.county import visitor


def words(page):
    """The text of a page as a reader meets it, and what marks are called."""
    named = re.sub(r'<span role="img" aria-label="([^"]*)"[^>]*>', r"[\1] ", page)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", named)).split())


def test_the_page_of_data_counts_every_row(county):
    with visitor(county) as client:
        text = words(client.get("/data").text)

    assert "Figures are as of March 2020" in text
    assert "Test Constabulary test-constabulary , open." in text
    # read, kept, of them repaired, of them without coordinates, set aside, rejected
    assert "Rejected 11 11 0 1 0 0" in text
    assert "2020 [supplied] ● [not supplied] ✕ [supplied] ●" in text
    assert "wd20 ward 2020-12-31 4 3 9 1" in text
    assert "wd20 Residents mid-2020 7,100 population.csv as supplied" in text
    # Numbers would tell of extracts that are not shown.
    assert "Loaded In force test-constabulary street 2020-01-01 2020-01-31 2026-01-15 yes" in text


def test_reasons_are_counted_and_only_staff_see_the_rows(county):
    with visitor(county, audience="internal") as client:
        page = client.get("/data").text
        rows = words(client.get("/data/extracts/3/issues").text)

    assert "repaired the point is outside the United Kingdom 1" in words(page)
    assert 'href="/data/extracts/3/issues"' in page
    assert "hidden-fire-january.csv 7 repaired the point is outside the United Kingdom" in rows
    assert "777777" in rows


def test_many_issues_are_turned_over_page_by_page(county, monkeypatch):
    monkeypatch.setattr("web.info.ISSUES_ON_A_PAGE", 1)
    with visitor(county, audience="internal") as client:
        assert "The next issues" not in client.get("/data/extracts/3/issues").text
        assert "None." in client.get("/data/extracts/3/issues?after=99").text
        assert client.get("/data/extracts/3/issues?after=-1").status_code == 400
        assert client.get("/data/extracts/99/issues").status_code == 404
        assert client.get("/data/extracts/99999999999999999999/issues").status_code == 404


def test_every_measure_is_told_from_its_declaration_with_an_example(county):
    with visitor(county) as client:
        text = words(client.get("/methods").text)
        figures = {m: client.get(f"/api/v1/measures/{m}?ward=E05000001").json["rows"][0] for m in all_measures()}

    for measure in all_measures().values():
        for told in (measure.name, measure.unit, measure.explanation, measure.formula, *measure.needs):
            assert " ".join(told.split()) in text
        assert figures[measure.id]["sentence"] in text


def test_two_servers_give_one_tag(county):
    with visitor(county) as one, visitor(county) as other:
        for path in ("/", "/wards", "/data", "/methods", "/map/rate", "/embed/count", "/wards/wd20/E05000003"):
            first = one.get(path)
            again = other.get(path, headers={"If-None-Match": first.headers["ETag"]})

            assert (first.status_code, again.status_code) == (200, 304), path


def test_a_probe_of_no_store_is_a_line_in_the_log(tmp_path, caplog):
    with visitor(f"sqlite:///{tmp_path / 'store.db'}") as client:
        assert client.get("/readyz").status_code == 503

    assert [(record.levelname, record.exc_info) for record in caplog.records] == [("WARNING", None)]


def test_the_probes(county):
    with visitor(county) as client:
        health, ready = client.get("/healthz"), client.get("/readyz")

    assert health.json == {"status": "ok"}
    assert ready.json["status"] == "ready"
    assert health.headers["Cache-Control"] == ready.headers["Cache-Control"] == "no-store"
