"""A load that is killed leaves the store exactly as before or as after; of two loads at once one waits."""

import multiprocessing
import os
import signal
import threading
import time
from collections import Counter

import pytest
from sqlalchemy import event

from loaders.incidents import load_incidents
from mapping.store import open_engine
from tests.digest import digest
from tests.tiny import ASB, BOTH_ENGINES, BURGLARY, DRUGS, NE, NOW, NW, SE, SW, county_on, write_street

ROWS = 1200
MOMENTS = 17
IN_COMMIT = 3
STARTED, HOLDING, COMMITTING, COMMITTED, DONE = b"S", b"H", b"C", b"D", b"E"

pytestmark = pytest.mark.timeout(240)


# Children are forked by a server that has imported everything, and has no threads.
SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["loaders.incidents", "loaders.boundaries", "geoalchemy2.admin.dialects.sqlite", "psycopg"])


def load(url, path, marks, die_after_s=None, release=None):
    """Load in this process: killed `die_after_s` after its commit began, or holding the store until `release` is set."""
    engine = open_engine(url)

    @event.listens_for(engine, "commit")
    def _(connection):
        if connection.get_execution_options().get("wardwatch_writes"):
            marks.send_bytes(COMMITTING)
            if die_after_s is not None:
                threading.Thread(target=die, args=(die_after_s,)).start()

    @event.listens_for(engine, "checkin")
    def _(_connection, _record):
        marks.send_bytes(COMMITTED)

    def progress(step, share):
        if release and (step, share) == ("placing", 0):
            marks.send_bytes(HOLDING)
            release.wait()

    marks.send_bytes(STARTED)
    load_incidents(engine, [path], now=NOW, replace=True, progress=progress)
    marks.send_bytes(DONE)
    engine.dispose()


def die(after_s):
    time.sleep(after_s)
    os.kill(os.getpid(), signal.SIGKILL)


class Child:
    """A load in a process of its own."""

    def __init__(self, url, path, **options):
        self.marks, theirs = SERVER.Pipe(duplex=False)
        self.process = SERVER.Process(target=load, args=(url, path, theirs), kwargs=options)
        self.process.start()
        theirs.close()
        assert self.marks.recv_bytes() == STARTED

    def end(self):
        """Wait for its end, and tell what it still said."""
        self.process.join()
        said = b""
        try:
            while True:
                said += self.marks.recv_bytes()
        except EOFError:
            self.marks.close()
        return said


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Give a month and its re-issue."""
    folder = tmp_path_factory.mktemp("files")
    points = [NW, SW, NE, SE]
    # Many places, so that every step of the load takes a while.
    old = [((ASB, BURGLARY)[i % 2], (points[i % 4][0] + i % 400, points[i % 4][1])) for i in range(ROWS)]
    new = [((ASB, DRUGS)[i % 2], (points[i % 3][0] - i % 400, points[i % 3][1] + 1)) for i in range(ROWS)]
    return write_street(folder / "old", "2024-01", old), write_street(folder / "new", "2024-01", new, tag="n")


@pytest.fixture(scope="module", params=BOTH_ENGINES)
def county(request, tmp_path_factory, files):
    """Give a store that holds the month."""
    with county_on(request.param, request, tmp_path_factory.mktemp("county"), incidents=files[:1]) as county:
        yield county


def test_a_load_that_is_killed_leaves_before_or_after(county, files, tmp_path):
    new = files[1]
    before = digest(county.url)
    with county.copy(tmp_path) as url:
        child = Child(url, new)
        start = time.monotonic()
        assert child.end().endswith(COMMITTING + COMMITTED + DONE)
        takes = time.monotonic() - start
        after = digest(url)
    assert after != before
    seen = Counter()

    def attempt(moment_s=None, **options):
        with county.copy(tmp_path) as url:
            child = Child(url, new, **options)
            if moment_s is not None:
                time.sleep(moment_s)
                child.process.kill()
            said = child.end()
            found = digest(url)
            assert found in (before, after), f"killed after {moment_s} s, {options}: {said}"
            assert Child(url, new).end().endswith(DONE)
            assert digest(url) == after
        in_commit = COMMITTING in said and not said.endswith((COMMITTED, DONE))
        seen["in commit"] += in_commit
        seen["after" if found == after else "before"] += 1

    for number in range(MOMENTS):
        attempt(takes * number / MOMENTS)
    for delay in (0, 0.0002, 0.001, 0.0005, 0.002, 0, 0.0002, 0.001):
        if seen["in commit"] < IN_COMMIT or sum(seen.values()) - seen["in commit"] < MOMENTS + IN_COMMIT:
            attempt(die_after_s=delay)

    assert seen["in commit"] >= IN_COMMIT, seen
    assert seen["before"], seen


def test_of_two_loads_at_once_one_waits(county, files, tmp_path):
    old, new = files
    with county.copy(tmp_path) as url:
        for path in (new, old):
            assert Child(url, path).end().endswith(DONE)
        in_turn = digest(url)

    with county.copy(tmp_path) as url:
        release = SERVER.Event()
        first = Child(url, new, release=release)
        while first.marks.recv_bytes() != HOLDING:
            pass
        second = Child(url, old)
        # Long enough to end, if it did not wait.
        time.sleep(3)
        assert second.process.is_alive()
        release.set()
        assert first.end().endswith(DONE)
        assert second.end().endswith(DONE)
        assert digest(url) == in_turn
