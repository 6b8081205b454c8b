"""Stores of earlier releases, as those releases wrote them: after `wardwatch init` they answer with equal figures.

Each is named by the version of its tables, dumped from both engines, with what the release answered. `fixtures/release_0001`
holds the tiny wards, their population, two months of police-uk rows and a protected extract of calls; `release_0002` also
households, a note on coverage, a lookup and counts of parishes.
"""

import json
import sqlite3

import psycopg
import pytest
from sqlalchemy import make_url

from tests.digest import read_tables
from tests.tiny import CLOCK, FIXTURES, STREET

RELEASES = ("release_0001", "release_0002")
ANSWERS = {name: json.loads((FIXTURES / name / "answers.json").read_text(encoding="utf-8")) for name in RELEASES}
QUESTIONS = [(name, question) for name in RELEASES for question in ANSWERS[name] if question != "status"]


@pytest.fixture(params=["sqlite", pytest.param("postgis", marks=pytest.mark.postgis)])
def store_of(request, tmp_path):
    """Make the store of a release, on each engine in turn."""

    def make(release):
        if request.param == "sqlite":
            connection = sqlite3.connect(tmp_path / "old.db")
            connection.executescript((FIXTURES / release / "embedded.sql").read_text(encoding="utf-8"))
            connection.close()
            return f"sqlite:///{tmp_path / 'old.db'}"
        url = request.getfixturevalue("postgis_url")
        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain) as connection:
            connection.execute((FIXTURES / release / "postgis.sql").read_text(encoding="utf-8").encode())
        return url

    return make


@pytest.mark.parametrize("release", RELEASES)
def test_an_older_store_says_what_to_do(invoke, store_of, release):
    assert "of an older wardwatch" in invoke("status", store=store_of(release), env=CLOCK, status=1).stderr


@pytest.mark.parametrize(("release", "question"), QUESTIONS)
def test_its_figures_are_equal_after_the_upgrade(invoke, store_of, release, question):
    old_store = store_of(release)
    assert "(upgraded)" in invoke("init", store=old_store, env=CLOCK).stderr

    found = json.loads(invoke(*question.split(), "--format", "json", store=old_store, env=CLOCK).stdout)

    before = ANSWERS[release][question]
    # Zeros are a class of their own since, and classes are of the latest months: the legend is another, the figures are not.
    meta = before["meta"] | {"classes": found["meta"]["classes"]}
    assert known_before(found["meta"], meta) == meta
    assert [figures(row) for row in found["rows"]] == [figures(row) for row in before["rows"]]


def figures(row):
    """A row without its words, which later releases say more fully."""
    return {key: value for key, value in row.items() if key != "sentence"}


def known_before(found, before):
    """What was found, without the keys that later releases add."""
    if isinstance(before, dict):
        return {key: known_before(found[key], old) for key, old in before.items()}
    if isinstance(before, list) and len(before) == len(found):
        return [known_before(row, old) for row, old in zip(found, before, strict=True)]
    return found


@pytest.mark.parametrize("release", RELEASES)
def test_what_it_knew_is_still_known(invoke, store_of, release):
    old_store = store_of(release)
    invoke("init", store=old_store, env=CLOCK)

    found = json.loads(invoke("status", "--format", "json", store=old_store, env=CLOCK).stdout)

    assert known_before(found, ANSWERS[release]["status"]) == ANSWERS[release]["status"]


@pytest.mark.parametrize("release", RELEASES)
def test_it_goes_on_being_loaded(invoke, store_of, release, tmp_path):
    old_store = store_of(release)
    invoke("init", store=old_store, env=CLOCK)
    invoke("load", "incidents", STREET, store=old_store, env=CLOCK)

    fresh = f"sqlite:///{tmp_path / 'fresh.db'}"
    invoke("init", store=fresh, env=CLOCK)
    invoke("load", "boundaries", FIXTURES / "tiny_wards.geojson", store=fresh, env=CLOCK)
    invoke("load", "incidents", STREET, store=fresh, env=CLOCK)
    january = ("counts", "--from", "2024-01", "--to", "2024-01", "--source", "tiny-constabulary", "--format", "csv")
    answers = [invoke(*january, store=url, env=CLOCK).stdout for url in (old_store, fresh)]
    assert answers[0] == answers[1]
    assert len(answers[0].splitlines()) > 1
    assert {row["precision_m"] for row in read_tables(old_store)["extract"] if row["layout"] == "police-uk"} == {100}
