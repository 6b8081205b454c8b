"""Stores of earlier releases, as those releases wrote them: after `wardwatch init` they answer with equal figures.

`fixtures/release_0001` holds what the first release made of the tiny wards, their population, two months of police-uk rows and
a protected extract of calls, dumped from both engines, and what it answered.
"""

import json
import sqlite3

import psycopg
import pytest
from sqlalchemy import make_url

from tests.digest import read_tables
from tests.tiny import CLOCK, FIXTURES, STREET

FIRST = FIXTURES / "release_0001"
ANSWERS = json.loads((FIRST / "answers.json").read_text(encoding="utf-8"))


@pytest.fixture(params=["sqlite", pytest.param("postgis", marks=pytest.mark.postgis)])
def old_store(request, tmp_path):
    """Give a store of the first release, on each engine in turn."""
    if request.param == "sqlite":
        connection = sqlite3.connect(tmp_path / "old.db")
        connection.executescript((FIRST / "embedded.sql").read_text(encoding="utf-8"))
        connection.close()
        return f"sqlite:///{tmp_path / 'old.db'}"
    url = request.getfixturevalue("postgis_url")
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as connection:
        connection.execute((FIRST / "postgis.sql").read_text(encoding="utf-8").encode())
    return url


def test_a_store_of_the_first_release_says_what_to_do(invoke, old_store):
    assert "of an older wardwatch" in invoke("status", store=old_store, env=CLOCK, status=1).stderr


@pytest.mark.parametrize("question", [question for question in ANSWERS if question != "status"])
def test_its_figures_are_equal_after_the_upgrade(invoke, old_store, question):
    assert "(upgraded)" in invoke("init", store=old_store, env=CLOCK).stderr

    found = json.loads(invoke(*question.split(), "--format", "json", store=old_store, env=CLOCK).stdout)

    before = ANSWERS[question]
    # Zeros are a class of their own since: the legend is another, the figures are not.
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


def test_what_it_knew_is_still_known(invoke, old_store):
    invoke("init", store=old_store, env=CLOCK)

    found = json.loads(invoke("status", "--format", "json", store=old_store, env=CLOCK).stdout)

    assert known_before(found, ANSWERS["status"]) == ANSWERS["status"]


def test_it_goes_on_being_loaded(invoke, old_store, tmp_path):
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
