"""Errors have one shape, tell the visitor what to do, and tell nothing else."""

import shutil

import pytest
from flask import Flask
from sqlalchemy import create_engine, make_url, text

import mapping.errors
from mapping.answers import answer
from mapping.errors import WardwatchError
from mapping.store import open_engine
from mapping.store.upgrade import init_store
from tests.county import load_county, visitor
from web import api
from web.errors import STATUSES

KEYS = {"status", "kind", "message", "hint", "parameter", "value", "reference"}


def error_of(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(answer.json) == {"error"}
    assert set(answer.json["error"]) == KEYS
    assert answer.json["error"]["status"] == status
    return answer.json["error"]


def assert_tells_nothing(answer, *secrets):
    for secret in (*secrets, "SELECT", "sqlite3", "psycopg.", "Traceback", 'File "', "/home", "/tmp", "s3cret"):
        assert secret not in answer.text, secret


@pytest.fixture
def county(tmp_path):
    """Give the county in an embedded store."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    load_county(url, tmp_path, protected=False)
    return url


def test_every_error_of_the_domain_has_a_status():
    declared = {getattr(mapping.errors, name) for name in mapping.errors.__all__} - {WardwatchError}

    assert set(STATUSES) == declared


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/api/v1/nothing", 404, "not-found"),
        ("GET", "/api/v1", 404, "not-found"),
        ("GET", "/api/v1/measures/nothing", 404, "not-found"),
        ("GET", "/api/v1/counts?ward=x", 400, "bad-request"),
        ("POST", "/api/v1/counts", 405, "method-not-allowed"),
        ("DELETE", "/healthz", 405, "method-not-allowed"),
    ],
)
def test_the_api_says_every_error_alike(county, method, path, status, kind):
    with visitor(county) as client:
        answer = client.open(path, method=method)

    assert error_of(answer, status)["kind"] == kind


def test_pages_say_errors_as_pages(county):
    with visitor(county) as client:
        for path, status in (
            ("/nothing", 404),
            ("/map/nothing", 404),
            ("/wards?ward=%3Cb%3E&x=1", 400),
            ("/wards/wd20/x", 404),
        ):
            answer = client.get(path)

            assert (answer.status_code, answer.mimetype) == (status, "text/html")
            assert "<h1>" in answer.text
            assert "<b>" not in answer.text


@pytest.mark.parametrize("path", ["/api/v1/counts", "/wards"])
def test_an_error_nobody_foresaw_is_told_by_its_reference_only(county, monkeypatch, caplog, path):
    def fail(*_):
        raise RuntimeError("SELECT password FROM /home/x WHERE s3cret")

    with visitor(county) as client:
        monkeypatch.setattr("mapping.reader.Reader.catalogue", fail)
        answer = client.get(path)

    assert answer.status_code == 500
    assert_tells_nothing(answer)
    reference = caplog.messages[0].split(":")[0]
    assert reference in answer.text
    assert "s3cret" in caplog.text


def test_a_page_shell_that_fails_does_not_hide_the_error(county, monkeypatch, caplog):
    def fail(*_, **__):
        raise RuntimeError("template")

    with visitor(county) as client:
        monkeypatch.setattr("web.errors.render_page", fail)
        answer = client.get("/map/%3Cb%3E")

    assert answer.status_code == 404
    assert "There is no measure &#39;&lt;b&gt;&#39;" in answer.text
    assert "the error page failed" in caplog.text


@pytest.mark.parametrize("ready", [False, True])
def test_the_application_starts_before_its_store(tmp_path, ready):
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with visitor(url) as client:
        assert client.get("/healthz").status_code == 200
        for path in ("/readyz", "/api/v1/measures/count"):
            answer = client.get(path)
            error = error_of(answer, 503)
            assert error["kind"] == "store-not-ready"
            assert "wardwatch init" in error["hint"]
            assert answer.headers["Retry-After"]
            assert_tells_nothing(answer, str(tmp_path), "store.db")
        assert client.get("/wards").status_code == 503
        assert not (tmp_path / "store.db").exists()

        if ready:
            load_county(url, tmp_path)
            assert client.get("/readyz").json["status"] == "ready"
            assert client.get("/api/v1/measures/count").status_code == 200


def test_a_store_without_tables_is_not_ready(tmp_path):
    (tmp_path / "store.db").touch()
    with visitor(f"sqlite:///{tmp_path / 'store.db'}") as client:
        error = error_of(client.get("/readyz"), 503)

    assert error["hint"] == "Run `wardwatch init`."


def test_an_empty_store_says_what_to_load(store_url):
    engine = open_engine(store_url, must_exist=False)
    init_store(engine)
    engine.dispose()
    with visitor(store_url) as client:
        assert client.get("/readyz").status_code == 200
        assert client.get("/api/v1/boundary-sets").json["rows"] == []
        assert client.get("/data").status_code == 200
        assert client.get("/methods").status_code == 200
        error = error_of(client.get("/api/v1/measures/count"), 503)

    assert error["message"] == "No boundary set is loaded."
    assert "load boundaries" in error["hint"]


def test_another_programs_file_is_not_a_store(tmp_path):
    (tmp_path / "store.db").write_text("s3cret" * 1000)
    with visitor(f"sqlite:///{tmp_path / 'store.db'}") as client:
        answer = client.get("/api/v1/counts")

    assert error_of(answer, 503)["kind"] == "store-not-ready"
    assert_tells_nothing(answer, str(tmp_path))


@pytest.mark.parametrize(
    "url",
    ["postgresql://user:s3cret@127.0.0.1:1/nowhere", "postgresql://user:s3cret@x.invalid/db", "s3cret", "mysql://s3cret/x"],
)
def test_a_database_that_is_not_there_keeps_its_address_and_password(url):
    with visitor(url) as client:
        answer = client.get("/api/v1/counts")

    error_of(answer, 503)
    assert_tells_nothing(answer, "127.0.0.1", "invalid", "user:", "nowhere")


def test_a_file_that_goes_and_comes_back(tmp_path, county):
    file = tmp_path / "store.db"
    with visitor(county) as client:
        before = client.get("/api/v1/counts")
        for name in tmp_path.glob("store.db*"):
            shutil.move(name, tmp_path / f"away-{name.name}")

        error = error_of(client.get("/api/v1/counts"), 503)
        assert (error["kind"], error["message"]) == ("store-not-ready", "The store is gone.")
        assert error_of(client.get("/readyz"), 503)
        assert client.get("/healthz").status_code == 200
        assert not file.exists()

        for name in tmp_path.glob("away-*"):
            shutil.move(name, tmp_path / name.name.removeprefix("away-"))
        assert client.get("/api/v1/counts").data == before.data


def test_another_file_in_its_place_is_read_at_once(tmp_path, county):
    with visitor(county) as client:
        assert client.get("/api/v1/counts").json["rows"]
        for name in tmp_path.glob("store.db*"):
            name.unlink()
        engine = open_engine(county, must_exist=False)
        init_store(engine)
        engine.dispose()

        assert client.get("/api/v1/boundary-sets").json["rows"] == []


def test_a_database_that_goes_and_comes_back(postgis_url, tmp_path):
    load_county(postgis_url, tmp_path)
    name = make_url(postgis_url).database
    admin = create_engine(
        make_url(postgis_url).set(database="postgres", drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    with visitor(postgis_url) as client, admin.connect() as connection:
        before = client.get("/api/v1/counts")
        connection.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'))
        connection.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"), {"name": name})

        answers = [client.get("/api/v1/counts") for _ in range(3)]
        for answer in answers:
            assert error_of(answer, 503)["kind"] == "store-not-ready"
            assert_tells_nothing(answer, name, "postgres@")
        # The explorer must not take it for an empty store.
        assert client.get("/").status_code == 503

        connection.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'))
        assert client.get("/api/v1/counts").data == before.data
    admin.dispose()


def test_control_characters_in_an_address_are_nothing(county):
    with visitor(county) as client:
        for path in ("/map/%00", "/shapes/%00.geojson", "/api/v1/measures/%00", "/wards/wd20/%00"):
            assert client.get(path).status_code == 404
        for value in ("%00", "%0d%0aSet-Cookie:x", "%ff", "%F0%9F%92%A9"):
            answer = client.get(f"/api/v1/counts?format=csv&boundaries={value}")
            assert answer.status_code == 400
            assert "Set-Cookie" not in answer.headers


def test_the_api_refuses_what_json_cannot_say(county, monkeypatch):
    def not_a_number(*arguments):
        found = answer(*arguments)
        found.rows[0]["value"] = float("nan")
        return found

    monkeypatch.setattr(api, "answer", not_a_number)
    with visitor(county) as client:
        got = client.get("/api/v1/measures/count")

    assert error_of(got, 500)["kind"] == "internal-server-error"
    assert isinstance(client.application, Flask)
