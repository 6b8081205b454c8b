"""What is written over HTTP: verdicts on places, by staff, from our own pages."""

import re
import threading

import pytest

from loaders.incidents import load_incidents
from mapping.coverage_notes import clear_note, set_note
from mapping.errors import StoreNotReady
from mapping.store import open_engine, writing
from mapping.verdicts import decide_verdict
from mapping.vocabulary import Month
from tests.county import NOW, load_county, visitor
from tests.tiny import write_table

POLICE_HEAD = "Crime ID,Month,Reported by,Longitude,Latitude,Location,Crime type,Last outcome category,LSOA code"
STATION = (-0.1200, 51.6900)
HOSTILE = '</p><script>alert(1)</script>" onfocus=alert(1)'


@pytest.fixture(scope="module")
def piled(tmp_path_factory):
    """Give a county of which the police put 40 incidents at a station, whose name is hostile."""
    folder = tmp_path_factory.mktemp("piled")
    url = f"sqlite:///{folder / 'store.db'}"
    load_county(url, folder)
    engine = open_engine(url)
    for month in ("2020-04", "2020-05"):
        row = ("", month, "Test Constabulary", *STATION, f"Police Station {HOSTILE}", "Anti-social behaviour", "", "")
        file = write_table(folder / f"{month}-test-street.csv", POLICE_HEAD.split(","), [row] * 20)
        load_incidents(engine, [file], now=NOW)
    engine.dispose()
    return url


@pytest.fixture
def staff(piled):
    """Give a visitor of an internal server; what it decided is forgotten afterwards."""
    with visitor(piled, audience="internal") as client:
        yield client
        address, token, _ = form(client)
        client.post(address, data={"token": token, "verdict": "cleared"})


def form(client):
    """The address and the token of the only place's form, and the text of the section."""
    section = re.search(r'<section id="places".*?</section>', client.get("/data").text, re.DOTALL)[0]
    address = re.search(r'action="([^"]+)"', section)[1]
    token = re.search(r'name="token" value="(\w+)"', section)[1]
    return address, token, section


def send(client, *, headers=None, **fields):
    address, token, _ = form(client)
    return client.post(address, data={"token": token, "verdict": "confirmed", "reason": "desk"} | fields, headers=headers)


def test_staff_confirm_a_place_and_see_what_it_does(staff):
    _, _, before = form(staff)
    assert "<strong>40</strong> incidents of 1 type in 2 months" in before
    assert "Confirmed" not in before

    answer = send(staff, reason="the station's desk")

    assert answer.status_code == 303
    assert re.fullmatch(r"/data#place-\d+", answer.headers["Location"])
    _, _, after = form(staff)
    assert "<strong>Confirmed</strong> on 2026-01-15: the station&#39;s desk" in after
    assert re.search(r"\(wd20\), January to May 2020: \d+ incidents with the 40 here, \d+ without them", after)
    sentences = [row["sentence"] for row in staff.get("/api/v1/measures/count").json["rows"]]
    assert sum("40 of them are at a default location (not left out of counts)." in s for s in sentences) == 1

    send(staff, verdict="dismissed", reason="busy")
    assert "<strong>Dismissed</strong>" in form(staff)[2]
    send(staff, verdict="cleared", reason="")
    assert "Dismissed" not in form(staff)[2]


def test_the_effect_of_a_place_is_of_the_months_that_the_count_is_of(piled, staff):
    """Of the 40 at the station, the 20 of a month that counts as not supplied are in no count."""
    engine = open_engine(piled)
    april = Month(2020, 4)
    note = set_note(
        engine, "test-constabulary", stream="", first=april, last=april, status="not-supplied", reason="Half a file.", now=NOW
    )
    send(staff)
    after = form(staff)[2]
    clear_note(engine, note.id)
    engine.dispose()

    with_them, without = map(int, re.search(r"2020: (\d+) incidents with the 20 here, (\d+) without them", after).groups())
    assert with_them - without == 20


def test_names_of_places_add_no_markup(staff):
    send(staff, reason=HOSTILE)
    section = form(staff)[2]

    assert "<script" not in section
    assert section.count("onfocus=alert(1)") == section.count("&#34; onfocus=alert(1)") > 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://[broken"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_forms_of_other_sites_are_refused(staff, headers):
    answer = send(staff, headers=headers)

    assert answer.status_code == 403
    assert "Nothing was changed." in answer.text
    assert "Confirmed" not in form(staff)[2]


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://localhost"}, {"Sec-Fetch-Site": "same-origin", "Origin": "https://crime.example"}], ids=str
)
def test_forms_of_our_own_pages_are_taken(staff, headers):
    assert send(staff, headers=headers).status_code == 303


def test_a_form_without_our_token_or_for_another_state_is_refused(staff, piled):
    address, token, _ = form(staff)

    for wrong in ({}, {"token": ""}, {"token": "0" * 64}, {"token": "é"}):
        assert staff.post(address, data={"verdict": "confirmed", "reason": "x"} | wrong).status_code == 403
    other = re.sub(r"\d+", "1", address)
    assert staff.post(other, data={"token": token, "verdict": "confirmed", "reason": "x"}).status_code == 403
    assert "Confirmed" not in form(staff)[2]

    engine = open_engine(piled)
    decide_verdict(engine, int(re.search(r"\d+", address)[0]), verdict="dismissed", reason="meanwhile", now=NOW)
    engine.dispose()
    stale = staff.post(address, data={"token": token, "verdict": "confirmed", "reason": "x"})
    assert stale.status_code == 403
    assert "Dismissed" in form(staff)[2]


def test_what_a_form_says_is_checked(staff):
    assert "no verdict" in send(staff, verdict="maybe").text
    assert send(staff, verdict="maybe").status_code == 400
    assert send(staff, reason=" ").status_code == 400
    assert send(staff, reason="x" * 501).status_code == 400
    assert send(staff, reason="x" * 20_000).status_code == 413
    assert "Confirmed" not in form(staff)[2]


def test_the_public_can_neither_see_nor_write(piled, staff):
    address, token, _ = form(staff)
    send(staff)
    with visitor(piled) as public:
        page = public.get("/data").text
        assert "default location" not in page
        assert "Police Station" not in page
        for method in ("GET", "POST", "PUT", "OPTIONS", "HEAD"):
            answer = public.open(address, method=method, data={"token": token, "verdict": "cleared"})
            assert answer.status_code == 404, method
        sentences = "".join(row["sentence"] for row in public.get("/api/v1/measures/count").json["rows"])
        assert "40 of them are at a default location" in sentences
    assert "Confirmed" in form(staff)[2]


def test_a_secret_is_shared_by_all_workers_and_differs_between_servers(piled):
    with visitor(piled, audience="internal", secret="s" * 32) as one, visitor(piled, audience="internal") as stranger:
        with visitor(piled, audience="internal", secret="s" * 32) as other:
            assert form(one)[1] == form(other)[1]
        assert form(one)[1] != form(stranger)[1]
        assert "s" * 32 not in repr(one.application.extensions["wardwatch"].settings)


def test_while_a_load_runs_a_visitor_is_told(staff, piled, monkeypatch):
    monkeypatch.setattr("web.places._WAIT_S", 0.1)
    engine = open_engine(piled)
    held, done = threading.Event(), threading.Event()

    def load():
        with writing(engine):
            held.set()
            done.wait(20)

    running = threading.Thread(target=load)
    running.start()
    assert held.wait(20)
    try:
        answer = send(staff)
    finally:
        done.set()
        running.join()
        engine.dispose()

    assert answer.status_code == 503
    assert "The store is busy." in answer.text
    assert "Nothing was changed." in answer.text
    assert "Confirmed" not in form(staff)[2]
    assert send(staff).status_code == 303


@pytest.mark.postgis
def test_a_server_that_may_only_read_says_so(databases, tmp_path):
    with databases.fresh() as url:
        load_county(url, tmp_path, protected=False)
        owner = open_engine(url)
        with owner.begin() as connection:
            connection.exec_driver_sql("CREATE ROLE wardwatch_test_web LOGIN")
            connection.exec_driver_sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO wardwatch_test_web")
        web = open_engine(owner.url.set(username="wardwatch_test_web").render_as_string(hide_password=False))
        try:
            with pytest.raises(StoreNotReady, match="may not do this in the store: permission denied"):
                decide_verdict(web, 1, verdict="confirmed", reason="x", now=NOW)
        finally:
            web.dispose()
            with owner.begin() as connection:
                connection.exec_driver_sql("DROP OWNED BY wardwatch_test_web")
                connection.exec_driver_sql("DROP ROLE wardwatch_test_web")
            owner.dispose()
