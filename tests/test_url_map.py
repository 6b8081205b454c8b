"""Every route is walked in both audiences: access, headers, and that a protected source stays unknown to the public."""

import re
import socket
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest
from flask import Flask

from app import create_app
from tests.county import SECRETS, load_county, settings, visitor
from web.audiences import audience, declared_audience, init_app

FIRE = "hidden-fire-service"


@pytest.fixture(scope="module")
def open_county(tmp_path_factory):
    """Give the county without its protected source."""
    folder = tmp_path_factory.mktemp("open")
    url = f"sqlite:///{folder / 'store.db'}"
    load_county(url, folder, protected=False)
    return url


@pytest.fixture(params=["public", "internal"])
def client(request, county):
    """Give a visitor of each audience in turn."""
    with visitor(county, audience=request.param) as client:
        yield client


def rules(app):
    return sorted(app.url_map.iter_rules(), key=str)


def writes(app):
    return {rule.endpoint for rule in rules(app) if "GET" not in rule.methods}


def audience_of(client):
    return client.application.extensions["wardwatch"].settings.audience


def addresses(client):
    """Addresses of every route by its endpoint, with sensible arguments; a route with a new argument fails until it has one."""
    page = client.get("/map/count").text
    script = re.search(r"/maps/(?P<shapes_sha256>[0-9a-f]{64})-(?P<version>\w+)\.js", page).groupdict()
    asset = re.search(r"/assets/(?P<version>\w+)/(?P<name>[\w./-]+\.css)", page).groupdict()
    known = {
        "measure": "rate",
        "measure_id": "rate",
        "boundaries": "wd20",
        "old": "wd20",
        "new": "wd20",
        "code": "E05000004",
        "extract_id": 3,  # the protected one
        "place_id": 1,
        "sha256": script["shapes_sha256"],
    }
    queries = {
        "api.ward_at": {"lon": -0.1, "lat": 51.7},
        "api.boundary_changes_between": {"old": "wd20", "new": "wd20"},
    }
    with client.application.test_request_context():
        for rule in rules(client.application):
            special = {"assets.map_script": script, "assets.asset": asset}.get(rule.endpoint, {})
            arguments = {name: {**known, **special}[name] for name in rule.arguments}
            yield rule.endpoint, client.application.url_for(rule.endpoint, **arguments, **queries.get(rule.endpoint, {}))


def everything(client):
    """Whatever a visitor can get: every route, with the parameters that could widen an answer."""
    tries = [
        {},
        {"source": FIRE},
        {"crime_type": "secret-fire"},
        {"crime_type": "other"},
        {"format": "csv"},
        {"view": "explorer"},
    ]
    tries += [{"by": "set"}, {"district": "E07000002"}, {"ward": "E05000004"}, {"from": "2020-01", "to": "2020-01"}]
    for _, address in addresses(client):
        for parameters in tries:
            for method in ("GET", "HEAD", "OPTIONS", "POST"):
                joined = f"{address}{'&' if '?' in address else '?'}{urlencode(parameters)}"
                answer = client.open(joined, method=method)
                yield (method, address, tuple(parameters.items())), answer


def test_every_route_declares_its_audience(client):
    for rule in rules(client.application):
        assert declared_audience(client.application, rule.endpoint) in ("public", "internal"), rule


def test_whatever_writes_is_for_staff(client):
    app = client.application

    assert writes(app) == {"places.decide"}
    assert {declared_audience(app, endpoint) for endpoint in writes(app)} == {"internal"}
    assert all(rule.methods <= {"GET", "HEAD", "OPTIONS"} for rule in rules(app) if rule.endpoint not in writes(app))


def test_an_application_with_an_undeclared_route_does_not_start():
    app = Flask("planted")
    app.add_url_rule("/planted", "planted", lambda: "")

    with pytest.raises(RuntimeError, match=r"no audience: planted, static"):
        init_app(app, settings("sqlite:////nowhere"))


def test_every_route_answers_its_audience_and_no_other(client):
    seen = set()
    for endpoint, address in addresses(client):
        seen.add(endpoint)
        hidden = declared_audience(client.application, endpoint) == "internal" and audience_of(client) == "public"
        written = endpoint in writes(client.application)

        assert client.get(address).status_code == (404 if hidden else 405 if written else 200), address
        # What writes takes nothing without a form of ours.
        assert client.post(address).status_code == (404 if hidden else 403 if written else 405), address

    assert seen == {rule.endpoint for rule in rules(client.application)}


def test_an_internal_server_answers_only_under_names_of_its_own(county):
    """Else a page whose name resolves to this machine (DNS rebinding) would read it as staff."""
    own = (
        "localhost",
        "localhost:8000",
        "127.0.0.1:8000",
        "[::1]:8000",
        "10.1.2.3",
        socket.gethostname(),
        "Wards.example.org:81",
    )
    others = (
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "wards.example.org.evil",
        "a@b",
    )
    with visitor(county, audience="internal", hosts="wards.example.org, other.example.org") as staff, visitor(county) as public:
        for host in own:
            assert staff.get("/data", headers={"Host": host}).status_code == 200, host
        for host in others:
            refused = [staff.get(path, headers={"Host": host}) for path in ("/data", "/api/v1/counts", "/nowhere")]
            assert [answer.status_code for answer in refused] == [400] * 3, host
            assert all("does not answer under the name" in answer.text for answer in refused), host
        assert public.get("/data", headers={"Host": "evil.example"}).status_code == 200


def test_the_issues_of_an_extract_are_internal(client):
    answers = [client.open("/data/extracts/3/issues", method=method) for method in ("GET", "POST", "OPTIONS")]

    if audience_of(client) == "public":
        nowhere = [client.open("/nowhere", method=method) for method in ("GET", "POST", "OPTIONS")]
        assert [(a.status_code, a.text) for a in answers] == [(a.status_code, a.text) for a in nowhere]
    else:
        assert [a.status_code for a in answers] == [200, 405, 200]
        assert "777777" in answers[0].text


def test_internal_answers_do_show_the_protected_source(county):
    with visitor(county, audience="internal") as client:
        got = "".join(
            answer.text for (method, *_), answer in everything(client) if method == "GET" and answer.mimetype != "image/png"
        )

        assert all(secret in got for secret in SECRETS if secret != "SECRETREF")
        assert client.get("/api/v1/measures/count?ward=E05000004").json["rows"][0]["value"] == 5


def test_nothing_protected_can_be_had_from_a_public_server(county):
    with visitor(county) as client:
        for (_, address, parameters), answer in everything(client):
            told = answer.get_data() + str(answer.headers).encode()
            asked = {value for _, value in parameters}
            for secret in SECRETS:
                if not any(secret in value for value in asked):
                    assert secret.encode() not in told, (address, parameters)


def test_a_protected_source_changes_no_public_answer(county, open_county):
    """Whoever asks cannot even tell that it is there: its name is as unknown as any other."""
    with visitor(county) as client, visitor(open_county) as other:
        version = client.get("/readyz").json["data_version"]
        other_version = other.get("/readyz").json["data_version"]
        without = dict(everything(other))

        for asked, answer in everything(client):
            plain, expected = (told(a, v) for a, v in ((answer, version), (without[asked], other_version)))
            assert plain == expected, asked


def told(answer, version):
    """An answer, but for what says which state of the store it is of."""
    headers = {name: value for name, value in answer.headers if name not in ("Date", "ETag", "X-Wardwatch-Data-Version")}
    text = answer.get_data().replace(version.encode(), b"-")
    text = re.sub(rb"Reference: <code>\w+", b"", re.sub(rb'"reference":"\w+"', b"", text))
    return answer.status_code, headers if answer.mimetype != "text/html" else None, text


def test_every_answer_carries_the_security_headers(client):
    found = [*addresses(client), ("none", "/nowhere"), ("none", "/api/v1/nowhere"), ("embeds.error", "/embed/nothing")]
    for endpoint, address in found:
        headers = client.get(address).headers
        embedded = endpoint.startswith("embeds")

        assert headers["Content-Security-Policy"] == (
            "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
            f"frame-ancestors {'*' if embedded else chr(39) + 'none' + chr(39)}"
        )
        assert headers.get("X-Frame-Options") == (None if embedded else "DENY")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == ("no-referrer" if audience_of(client) == "public" else "same-origin")
        assert "geolocation=()" in headers["Permissions-Policy"]
        assert headers["Cross-Origin-Resource-Policy"] in ("same-origin", "cross-origin")
        assert "Set-Cookie" not in headers
        assert "Cookie" not in headers.get("Vary", "")
        assert headers["Cache-Control"]


def test_tiles_are_let_in_by_their_origin_only(county):
    with visitor(county, tiles_url="https://{s}.tiles.example:8443/{z}/{x}/{y}.png?key=secret") as client:
        headers = client.get("/api/v1/measures").headers

    assert "img-src 'self' data: blob: https://*.tiles.example:8443;" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"


def test_no_answer_repeats_the_host_header(client):
    for path in [*(a for _, a in addresses(client)), "/data/", "/wards/", "/nowhere", "/api/v1/counts?x=1"]:
        answer = client.get(path, headers={"Host": "evil.example"})

        assert b"evil.example" not in answer.get_data() + str(answer.headers).encode()
        assert "Location" not in answer.headers


@pytest.mark.parametrize("path", ["", "//data", "//evil.example/data", "/wards//wd20"])
def test_no_redirect_leads_elsewhere(client, path):
    answer = client.get("/", environ_overrides={"PATH_INFO": path}, headers={"Host": "evil.example"})

    assert answer.headers.get("Location", "/") == "/"
    assert b"evil.example" not in answer.get_data()


class Injected(HTMLParser):
    """Notes what markup the hostile names of the county would add, were they not escaped."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        """Note an element that runs script."""
        if any(name.startswith("on") for name, _ in attrs) or (tag == "img" and ("src", "x") in attrs):
            self.found.append((tag, attrs))


@pytest.mark.parametrize(
    "what", ["/nowhere", "/wards?crime_type=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E", "/map/%3Cimg%20src=x%20onerror=x%3E"]
)
def test_what_a_visitor_writes_is_escaped(client, what):
    answer = client.get(what)

    assert answer.mimetype == "text/html"
    assert not Injected(answer.text).found


def test_names_from_data_add_no_markup(client):
    for _, address in addresses(client):
        answer = client.get(address)
        if answer.mimetype == "text/html":
            assert not Injected(answer.text).found, address


def test_the_declaration_keeps_the_view():
    def view():
        return "x"

    assert audience("internal")(view) is view


def test_bare_flask_finds_the_application():
    assert isinstance(create_app(settings("sqlite:////nowhere")), Flask)
