"""`fetch police-uk` against a server that answers as data.police.uk does, faults included."""

import errno
import hashlib
import random
import time
from dataclasses import replace as altered
from types import SimpleNamespace

import pytest

from loaders.fetching.downloads import download
from loaders.fetching.files import writing_whole
from loaders.fetching.http import Unreachable, Web
from loaders.fetching.police_archives import plan_archives, read_archive_page
from mapping.errors import BadRequest
from mapping.vocabulary import Month, Period
from tests.publishers import Answer, published
from tests.tiny import ASB, CLOCK, HEADER, NW, SE, WARDS, street_rows


def street(month, *, force="Hertfordshire Constabulary", rows=3):
    points = [NW, SE, None]
    written = street_rows(month, [(ASB, points[i % 3]) for i in range(rows)], force=force)
    return "\n".join(",".join(row) for row in [HEADER, *written]) + "\n"


def members(months, *, forces=("hertfordshire", "bedfordshire"), rows=3, without=()):
    """Members of an archive, as they are named there."""
    found = {}
    for month in months:
        for force in forces:
            for kind, text in (("street", street(month, rows=rows)), ("outcomes", "a,b\n"), ("stop-and-search", "c,d\n")):
                found[f"{month}/{month}-{force}-{kind}.csv"] = text
    return {name: text for name, text in found.items() if not name.endswith(tuple(without) or "\0")}


QUARTER = ["2024-01", "2024-02", "2024-03"]


@pytest.fixture
def police():
    """Give a publisher with one archive of a quarter."""
    with published() as publisher:
        publisher.police_uk({"2024-03": members(QUARTER)})
        yield publisher


@pytest.fixture
def fetch(invoke, police, tmp_path):
    """Run `fetch police-uk` against it, without waits."""
    settings = {
        **CLOCK,
        "WARDWATCH_POLICE_UK_URL": police.url,
        "WARDWATCH_FETCH_PAUSE_S": "0",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "NO_PROXY": "*",
    }

    def run(*options, force="hertfordshire", first="2024-01", env=None, status=0):
        arguments = ("fetch", "police-uk", "--force", force, "--from", first, *options)
        return invoke(*arguments, env=settings | (env or {}), status=status).stderr

    return run


def written(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()) if folder.exists() else []


STREET_FILES = [f"{month}/{month}-hertfordshire-street.csv" for month in QUARTER]


def test_what_is_fetched_is_what_load_reads(fetch, police, invoke, sqlite_url, tmp_path):
    said = fetch()

    assert written(tmp_path / "police-uk-hertfordshire") == STREET_FILES
    assert (tmp_path / "police-uk-hertfordshire" / STREET_FILES[0]).read_text() == street("2024-01")
    assert said.splitlines()[-1] == "Load them with: wardwatch load incidents police-uk-hertfordshire"
    invoke("init", store=sqlite_url)
    invoke("load", "boundaries", WARDS, store=sqlite_url)
    invoke("load", "incidents", "police-uk-hertfordshire", store=sqlite_url, env=CLOCK)
    status = invoke("status", store=sqlite_url).stdout
    assert "hertfordshire-constabulary" in status
    # Only the force's members were read out of the archive, from where the server forwards to, by its own name.
    spans = police.spans("/s3/")
    assert all(spans)
    assert spans[0] == "bytes=0-3"
    assert police.asked[0][2]["user-agent"].startswith("wardwatch/")
    assert len(police.paths("/data/archive/2024-03.zip")) == 1


def test_little_is_read_of_a_large_archive(fetch, police, tmp_path):
    noise = random.Random(1).randbytes(2 * 2**20).hex()
    first = {"2024-01/2024-01-aaa-street.csv": noise}
    police.police_uk({"2024-03": first | members(QUARTER) | {"2024-03/2024-03-zzz-street.csv": noise}})

    said = fetch("--with", "outcomes,stops")

    assert len(written(tmp_path / "police-uk-hertfordshire")) == 9
    size = len(police.files["/s3/archive/2024-03.zip"].body)
    spans = [tuple(map(int, span.removeprefix("bytes=").split("-"))) for span in police.spans("/s3/")]
    assert sum(stop - start + 1 for start, stop in spans) < size / 4
    load = "wardwatch load incidents police-uk-hertfordshire"
    layouts = (f"{load} --layout police-uk-outcomes", f"{load} --layout police-uk-stop-and-search")
    assert said.splitlines()[-1] == f"Load them with: {'; and: '.join((load, *layouts))}"


def test_a_second_run_fetches_nothing_and_names_what_differs(fetch, police, tmp_path):
    fetch()
    police.asked.clear()

    assert "3 were there already and are the same" in fetch()
    assert len(police.spans("/s3/")) == 2  # whether there are ranges, and the list of members

    file = tmp_path / "police-uk-hertfordshire" / STREET_FILES[1]
    before = file.read_bytes()
    file.write_bytes(before + b"mine")
    said = fetch("--to", "2024-02", status=1)
    assert f"2024-02-hertfordshire-street.csv ({len(before) + 4} bytes here, {len(before)} in archive 2024-03)" in said
    assert "Nothing was written" in said
    assert file.read_bytes() == before + b"mine"
    assert "Replaced: " in fetch("--replace")
    assert file.read_bytes() == before
    file.write_bytes(before[:-2] + b"5\n")  # as long, and not the same
    assert "Other files are there already" in fetch(status=1)


def test_months_that_the_force_did_not_supply_are_named(fetch, police, tmp_path):
    police.police_uk({"2024-03": members(QUARTER, without=["2024-02-hertfordshire-street.csv"])})

    said = fetch("--with", "stops")

    assert "Not published: 2024-02 (street): counts as not supplied." in said
    police.police_uk({"2024-03": members(QUARTER, without=["2024-02-hertfordshire-street.csv", "hertfordshire-outcomes.csv"])})
    assert "Not published: 2024-01 to 2024-03 (outcomes)" in fetch("--with", "outcomes", "--into", "again")
    assert written(tmp_path / "again") == [STREET_FILES[0], STREET_FILES[2]]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"force": "hertford"}, "Near to it: hertfordshire"),
        ({"force": "Hertfordshire Constabulary"}, "Near to it: hertfordshire"),
        ({"force": "../up"}, "There are: bedfordshire, btp, hertfordshire, west-yorkshire."),
        ({"force": "west-yorkshire"}, "data.police.uk has nothing of west-yorkshire for 2024-01 to 2024-03 (street)."),
        ({"first": "2024-04"}, "2024-04 is not published yet: the newest month is 2024-03."),
        ({"first": "2010-11"}, "data.police.uk begins with 2010-12, not 2010-11."),
        ({"first": "January"}, "'January' is not a month."),
    ],
    ids=["near", "name", "climbing", "nothing", "future", "before", "no-month"],
)
def test_a_wish_that_cannot_be_is_refused(fetch, tmp_path, options, complaint):
    assert complaint in fetch(status=1, **options)
    assert written(tmp_path) == []


def test_other_wishes_that_cannot_be(fetch):
    assert "'jails' is nothing that can be fetched." in fetch("--with", "jails", status=1)
    assert "ends (2023-01) before it starts" in fetch("--to", "2023-01", status=1)
    assert "2024-05 is not published yet" in fetch("--to", "2024-05", status=1)


def months(first, last):
    return [*Period(Month.parse(first), Month.parse(last))]


@pytest.mark.parametrize(
    ("asked", "newest", "plan"),
    [
        (("2024-01", "2024-03"), "2024-03", ["2024-03"]),
        (("2021-04", "2024-03"), "2024-03", ["2024-03"]),
        (("2021-03", "2024-03"), "2024-03", ["2024-02", "2024-03"]),
        (("2022-01", "2022-01"), "2026-07", ["2024-12"]),
        (("2015-06", "2024-03"), "2024-03", ["2018-05", "2021-05", "2024-03"]),
        (("2010-12", "2017-04"), "2024-03", ["2017-04"]),
        (("2017-05", "2017-05"), "2024-03", ["2020-04"]),
    ],
)
def test_the_fewest_archives_are_planned(asked, newest, plan):
    assert list(map(str, plan_archives(months(*asked), months("2013-12", newest)))) == plan


def test_an_archive_that_reaches_less_far_than_thought_is_not_the_end(fetch, police, tmp_path):
    """What archives hold is seen in them: of two that should hold a month one does, of whichever force."""
    police.police_uk({"2024-02": members(QUARTER[:2]), "2024-03": members(QUARTER[2:])})

    said = fetch()

    assert written(tmp_path / "police-uk-hertfordshire") == STREET_FILES
    assert "(archives 2024-02, 2024-03)" in said
    assert "Not published" not in said


def test_of_two_archives_with_a_month_the_newer_is_taken(fetch, police, tmp_path):
    longer = members(QUARTER, rows=5)
    police.police_uk({"2021-01": members(["2021-01", *QUARTER]), "2024-03": longer})

    fetch(first="2021-01")

    assert (tmp_path / "police-uk-hertfordshire" / STREET_FILES[0]).read_text() == street("2024-01", rows=5)


def test_the_archive_page_tells_the_md5_of_each():
    page = (
        f'<a href="/data/archive/2024-02.zip">x</a>\n {"a" * 32}\n<a href="2024-01.zip">2024-01.zip</a> {"b" * 32} {"c" * 32}'
    )

    assert read_archive_page(page) == {Month(2024, 1): "", Month(2024, 2): "a" * 32}


# What goes wrong.


@pytest.mark.parametrize("path", ["/api/forces", "/data/archive/", "/s3/archive/2024-03.zip"])
@pytest.mark.parametrize(
    "faults",
    [
        [Answer(status=500), Answer(status=503)],
        [Answer(status=429, headers={"Retry-After": "0"})],
        [lambda right: altered(right, cut_after=len(right.body) // 2)] * 2,
    ],
    ids=["500s", "429", "cut"],
)
def test_passing_faults_are_outlasted(fetch, police, tmp_path, path, faults):
    police.faults[path] = list(faults)

    fetch()

    assert written(tmp_path / "police-uk-hertfordshire") == STREET_FILES


def test_a_cut_part_goes_on_at_the_right_byte(fetch, police, tmp_path):
    # The list of members comes second; it breaks off after 100 bytes.
    police.faults["/s3/archive/2024-03.zip"] = [lambda right: right, lambda right: altered(right, cut_after=100)]

    fetch()

    size = len(police.files["/s3/archive/2024-03.zip"].body)
    assert police.spans("/s3/")[1:3] == [f"bytes=0-{size - 1}", f"bytes=100-{size - 1}"]
    assert all(headers["if-range"] for path, _, headers in police.asked[-2:])
    assert written(tmp_path / "police-uk-hertfordshire") == STREET_FILES


PAGE = Answer(b"<!doctype html><title>Log in to Station WiFi</title>", headers={"Content-Type": "text/html"})


@pytest.mark.parametrize(
    "lasting",
    [
        ("/api/forces", PAGE, "answers with a web page instead of JSON"),
        ("/s3/archive/2024-03.zip", PAGE, "answers with a web page instead of a zip archive"),
        ("/s3/archive/2024-03.zip", Answer(b"PK gone", headers={"Content-Type": "application/zip"}), "its MD5 is not"),
        ("/api/forces", Answer(b'{"error": 1}'), "is no list of forces"),
        ("/api/forces", Answer(status=403), "answered 403 Forbidden"),
        ("/data/archive/2024-03.zip", Answer(status=404), "It is not published (any more)"),
        ("/api/forces", Answer(status=429, headers={"Retry-After": "0"}), "It wants fewer requests"),
        ("/data/archive/", Answer(status=502), "answered 502 Bad Gateway"),
    ],
)
@pytest.mark.parametrize("options", [(), ("--whole",)], ids=["parts", "whole"])
def test_lasting_faults_are_told_and_leave_nothing(fetch, police, tmp_path, lasting, options):
    path, fault, complaint = lasting
    police.faults[path] = [fault] * 20

    said = fetch(*options, status=1)

    assert complaint in said
    assert [path for path in written(tmp_path) if not path.startswith("cache/")] == []
    assert [path for path in written(tmp_path) if path.endswith(".zip")] == []


@pytest.mark.parametrize("body", [b"PK gone", b"GIF89a"])
def test_what_is_no_archive_is_not_kept(fetch, police, tmp_path, body):
    police.police_uk({"2024-03": members(QUARTER)}, md5=False)
    police.files["/s3/archive/2024-03.zip"] = Answer(body, headers={"ETag": '"a"'})

    for options in ((), ("--whole",)):
        assert "no zip archive" in fetch(*options, status=1)
        assert [path for path in written(tmp_path) if path.endswith(".zip")] == []


def test_a_page_that_names_no_archives_is_done_without(fetch, police, tmp_path):
    police.faults["/data/archive/"] = [PAGE] * 2

    assert "no MD5 is published for it" in fetch("--whole")

    assert written(tmp_path / "police-uk-hertfordshire") == STREET_FILES
    police.files["/api/crimes-street-dates"] = Answer(b'[{"month": "2024-03"}]')
    assert "is no list of months" in fetch(status=1)


def test_a_server_that_stalls_is_given_up(fetch, police, tmp_path, monkeypatch):
    monkeypatch.setattr("loaders.fetching.http._READ_S", 0.1)

    def stall(right):
        time.sleep(0.3)
        return right

    police.faults["/api/forces"] = [stall]
    fetch()
    assert written(tmp_path / "police-uk-hertfordshire") == STREET_FILES
    police.faults["/api/forces"] = [stall] * 5
    assert "127.0.0.1 did not answer within 0.1 s." in fetch(status=1)


def test_an_answer_without_end_is_not_read(fetch, police):
    police.files["/api/forces"] = Answer(b"[" + b" " * (2 * 2**20))

    assert "larger than 1 MiB: not read" in fetch(status=1)


@pytest.mark.parametrize("target", ["http://[::1", "http://" + "a" * 70 + ".example/"])
def test_a_redirect_to_what_is_no_address_is_told(fetch, police, target):
    police.files["/api/forces"] = Answer(status=302, headers={"Location": target})

    assert "Error" in fetch(status=1)


def test_no_network_is_said_in_plain_words_with_a_way_out(fetch):
    said = fetch("--to", "2024-02", env={"WARDWATCH_POLICE_UK_URL": "http://no-such-host.invalid"}, status=1)

    assert "This machine reaches no network, or not the name no-such-host.invalid." in said
    assert "http://no-such-host.invalid/data/archive/latest.zip." in said
    assert "run the same command on a machine that has one" in said
    said = fetch("--to", "2020-03", first="2018-01", env={"WARDWATCH_POLICE_UK_URL": "http://no-such-host.invalid"}, status=1)
    assert "http://no-such-host.invalid/data/archive/2020-12.zip." in said
    assert "This machine does not reach 127.0.0.1." in fetch(env={"WARDWATCH_POLICE_UK_URL": "http://127.0.0.1:1"}, status=1)


def test_certificates_and_proxies_are_checked_and_told(fetch, police):
    https = police.url.replace("http:", "https:")
    assert "its certificate could not be checked" in fetch(env={"WARDWATCH_POLICE_UK_URL": https}, status=1)
    proxied = {
        "NO_PROXY": "",
        "HTTP_PROXY": "http://name:s3cret@127.0.0.1:1",
        "WARDWATCH_POLICE_UK_URL": "http://police.invalid",
    }
    said = fetch(env=proxied, status=1)
    assert "The proxy does not answer." in said
    assert "s3cret" not in said


def test_the_address_is_one_of_a_web_server(fetch):
    for wrong in ("ftp://data.police.uk", "file:///etc/passwd", "http://a b", "https://user:word@host", "data.police.uk"):
        assert "WARDWATCH_POLICE_UK_URL" in fetch(env={"WARDWATCH_POLICE_UK_URL": wrong}, status=1)


def test_a_member_that_is_damaged_bombs_or_climbs(fetch, police, tmp_path):
    right = police.files["/s3/archive/2024-03.zip"]
    at = right.body.index(b"hertfordshire-street.csv") + 40
    police.files["/s3/archive/2024-03.zip"] = altered(right, body=right.body[:at] + b"\0\0\0\0" + right.body[at + 4 :])
    assert "is damaged" in fetch(status=1)
    assert written(tmp_path) == []

    police.police_uk({"2024-03": {"2024-03/2024-03-hertfordshire-street.csv": "0" * (60 * 2**20)}})
    assert "This looks like a zip bomb" in fetch(first="2024-03", status=1)
    police.police_uk({"2024-03": {"../../2024-03-hertfordshire-street.csv": "x", "2024-03/2024-03-b-street.csv": "y"}})
    assert "has nothing of hertfordshire" in fetch(first="2024-03", status=1)
    assert written(tmp_path) == []


def test_a_disk_that_cannot_be_written(fetch, tmp_path):
    (tmp_path / "taken").write_text("a file")

    assert "Name a place that can be written." in fetch("--into", tmp_path / "taken", status=1)


# Whole archives.


def test_whole_archives_are_kept_checked_and_used_again(fetch, police, tmp_path):
    kept = tmp_path / "kept"

    said = fetch("--whole", "--cache", kept)

    assert "its MD5 is the published one" in said
    assert written(kept) == ["police-uk/2024-03.zip", "police-uk/2024-03.zip.json"]
    assert written(tmp_path / "police-uk-hertfordshire") == STREET_FILES
    police.asked.clear()
    fetch("--whole", "--cache", kept, "--with", "outcomes")
    assert police.paths(".zip") == []


def test_a_server_without_ranges_gives_the_whole(fetch, police, tmp_path):
    police.ranges = False

    said = fetch()

    assert written(tmp_path / "police-uk-hertfordshire") == STREET_FILES
    assert f"Archive 2024-03 is kept in {tmp_path / 'cache/wardwatch/police-uk/2024-03.zip'}" in said


def test_another_issue_is_fetched_where_no_md5_is_published(fetch, police, tmp_path):
    police.police_uk({"2024-03": members(QUARTER)}, md5=False)
    assert "no MD5 is published for it" in fetch("--whole")
    police.asked.clear()
    fetch("--whole")
    assert police.asked[-1][2]["if-none-match"] == police.files["/s3/archive/2024-03.zip"].headers["ETag"]

    police.police_uk({"2024-03": members(QUARTER, rows=5)}, md5=False)
    fetch("--whole", "--replace")

    assert (tmp_path / "police-uk-hertfordshire" / STREET_FILES[0]).read_text() == street("2024-01", rows=5)


def test_a_wrong_md5_is_thrown_away(fetch, police, tmp_path):
    right = police.files["/s3/archive/2024-03.zip"]
    police.files["/s3/archive/2024-03.zip"] = altered(right, body=right.body + b"more")

    assert "its MD5 is not " in fetch("--whole", status=1)
    assert [path for path in written(tmp_path) if path.endswith((".zip", ".part", ".csv"))] == []


DATA = b"PK" + random.Random(2).randbytes(300_000)


@pytest.fixture
def target(police, tmp_path):
    """Publish a large file, and give where it is to go."""
    police.files["/big.zip"] = Answer(DATA, headers={"ETag": '"one"'})
    return tmp_path / "big.zip"


def bring(police, target, **options):
    with Web(pause_s=0) as web:
        download(web, f"{police.url}/big.zip", target, **options)
    return target.read_bytes()


def cut_at(count):
    return lambda right: altered(right, cut_after=count)


def test_a_download_that_breaks_off_goes_on_at_its_byte(police, target):
    police.faults["/big.zip"] = [cut_at(100_000), cut_at(50_000), Answer(status=500)]

    assert bring(police, target, md5=hashlib.md5(DATA).hexdigest()) == DATA
    assert police.spans("/big.zip") == ["", "bytes=100000-", "bytes=150000-", "bytes=150000-"]
    assert [headers.get("if-range") for _, _, headers in police.asked] == [None, '"one"', '"one"', '"one"']


def test_as_long_as_something_arrives_it_goes_on(police, target):
    police.faults["/big.zip"] = [cut_at(20_000)] * 12

    assert bring(police, target) == DATA


def test_a_later_run_goes_on_with_the_part(police, target):
    police.faults["/big.zip"] = [cut_at(100_000)] + [cut_at(0)] * 20
    with pytest.raises(Unreachable, match="broke off"):
        bring(police, target)
    assert not target.exists()
    police.faults.clear()

    assert bring(police, target) == DATA
    assert police.spans("/big.zip")[-1] == "bytes=100000-"


@pytest.mark.parametrize("ranges", [True, False])
def test_parts_of_two_issues_are_never_put_together(police, target, ranges):
    """Another ETag in between, or a server that ignores `Range`: the whole is sent again, and taken from its first byte."""
    police.ranges = ranges
    newer = b"PK" + random.Random(3).randbytes(250_000)

    def changing(right):
        police.files["/big.zip"] = Answer(newer, headers={"ETag": '"two"'})
        return altered(right, cut_after=100_000)

    police.faults["/big.zip"] = [changing]

    assert bring(police, target) == newer


def test_a_server_that_overlooks_if_range_is_found_out(police, target):
    """It answers with a part of another issue: the part that is there is thrown away."""
    newer = b"PK" + random.Random(4).randbytes(250_000)

    def changing(right):
        police.files["/big.zip"] = Answer(newer, headers={"ETag": '"two"'})
        return altered(right, cut_after=100_000)

    part = Answer(newer[100_000:], 206, {"ETag": '"two"', "Content-Range": f"bytes 100000-{len(newer) - 1}/{len(newer)}"})
    police.faults["/big.zip"] = [changing, part]

    assert bring(police, target) == newer


def test_an_issue_that_changes_while_parts_are_read_is_told(fetch, police, tmp_path):
    def changing(right):
        police.police_uk({"2024-03": members(QUARTER, rows=5)})
        return right

    police.faults["/s3/archive/2024-03.zip"] = [lambda right: right, changing]

    assert "was replaced by another issue while it was read" in fetch(status=1)
    fetch()
    assert (tmp_path / "police-uk-hertfordshire" / STREET_FILES[0]).read_text() == street("2024-01", rows=5)


def test_a_full_disk_is_told_before_it_is_full(police, target, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _path: SimpleNamespace(free=1000))

    with pytest.raises(BadRequest, match="are needed and 0 MiB are free"):
        bring(police, target)


def test_a_disk_that_fills_meanwhile_is_told(tmp_path):
    def fill():
        with writing_whole(tmp_path / "file") as out:
            out.write(b"some")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(BadRequest, match="the disk is full"):
        fill()
    assert written(tmp_path) == []


def test_requests_to_a_host_are_spaced(police, monkeypatch):
    waited = []
    monkeypatch.setattr("time.sleep", waited.append)
    with Web(pause_s=1) as web:
        for _ in range(3):
            web.read(f"{police.url}/api/forces")

    assert len(waited) == 2
    assert all(0.9 < seconds <= 1 for seconds in waited)


def test_what_a_service_asks_is_waited_but_not_for_ever(police, monkeypatch):
    waited = []
    monkeypatch.setattr("time.sleep", waited.append)
    police.faults["/api/forces"] = [Answer(status=429, headers={"Retry-After": value}) for value in ("7", "86400")]
    with Web(pause_s=0) as web:
        web.read(f"{police.url}/api/forces")

    assert [seconds for seconds in waited if seconds] == [7, 120]
