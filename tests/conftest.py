"""Fixtures: stores on both engines, the command line, a running server, a watched browser.

Nothing here skips: where PostgreSQL or the browser is missing, the tests that need it fail, saying what to type.
"""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from os import environ

import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser import Guard, launched_browser
from tests.cluster import Databases, private_cluster
from tests.county import load_county
from tests.grid import load_grid
from tests.server import WARDWATCH, environment, served


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests by what they need, so that `-m "not browser"` works and nobody has to remember."""
    for item in items:
        for fixture, mark in (("postgis_url", "postgis"), ("browser", "browser")):
            if fixture in item.fixturenames:
                item.add_marker(mark)


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """Give the PostgreSQL server of this session: a private one, or that of WARDWATCH_TEST_DATABASE_URL."""
    with ExitStack() as stack:
        url = environ.get("WARDWATCH_TEST_DATABASE_URL") or stack.enter_context(private_cluster())
        databases = Databases(url)
        stack.callback(databases.close)
        yield databases


@pytest.fixture
def postgis_url(databases) -> Iterator[str]:
    """Give an empty PostGIS database."""
    with databases.fresh() as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path) -> str:
    """Give an SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture(params=["sqlite", pytest.param("postgis", marks=pytest.mark.postgis)])
def store_url(request) -> str:
    """Give an empty store, on each engine in turn."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture(scope="module")
def county(tmp_path_factory) -> str:
    """Give the county with its protected source, in an embedded store."""
    folder = tmp_path_factory.mktemp("county")
    url = f"sqlite:///{folder / 'store.db'}"
    load_county(url, folder)
    return url


@pytest.fixture
def wardwatch(tmp_path) -> Callable[..., subprocess.CompletedProcess]:
    """Run the installed command: wardwatch("load", "incidents", path, store=url, env={...}, status=1)."""

    def run(*arguments, store=None, env=None, status=0, **options):
        command = [WARDWATCH, *map(str, arguments)]
        settings = {"cwd": tmp_path, "env": environment(store, env), "capture_output": True, "encoding": "utf-8"}
        done = subprocess.run(command, check=False, **settings | options)
        assert done.returncode == status, f"{arguments}: status {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    return run


@pytest.fixture
def invoke(tmp_path, monkeypatch) -> Callable[..., subprocess.CompletedProcess]:
    """Call the command in this process: as `wardwatch`, a second faster, but blind to what only a process shows."""
    from cli import main  # noqa: PLC0415 - the tests of the rooms below do not need it

    monkeypatch.chdir(tmp_path)

    def run(*arguments, store=None, env=None, status=0):
        settings = {name: None for name in environ if name.startswith("WARDWATCH_")} | environment(store, env)
        done = CliRunner().invoke(main, [*map(str, arguments)], env=settings, catch_exceptions=False)
        assert done.exit_code == status, f"{arguments}: status {done.exit_code}\n{done.stdout}\n{done.stderr}"
        return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)

    return run


@pytest.fixture
def serve(tmp_path, guard) -> Iterator[Callable[..., str]]:
    """Start the real server, and return its URL: serve(store_url, "--workers", 2, env={"WARDWATCH_NOW": ...})."""
    with ExitStack() as stack:

        def start(store=None, *arguments, env=None):
            command = [WARDWATCH, "serve", *map(str, arguments)]
            url = stack.enter_context(served(command, cwd=tmp_path, env=environment(store, env)))
            guard.allow(url)
            return url

        yield start


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Give the installed browser, running."""
    with launched_browser() as browser:
        yield browser


@pytest.fixture
def guard() -> Iterator[Guard]:
    """Give what watches the pages of this test; servers started by `serve` are allowed already."""
    guard = Guard()
    yield guard
    assert not guard.problems, "\n".join(guard.problems)


@pytest.fixture
def new_context(browser, guard) -> Iterator[Callable[..., BrowserContext]]:
    """Make a watched browser context of its own: new_context(viewport=..., java_script_enabled=False)."""
    with ExitStack() as stack:

        def make(**options):
            context = stack.enter_context(browser.new_context(service_workers="block", **options))
            guard.watch(context)
            return context

        yield make


@pytest.fixture
def page(new_context) -> Page:
    """Give an empty page in a fresh, watched context: page.goto(serve(store_url))."""
    return new_context().new_page()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Give the URL of a server of the grid county."""
    folder = tmp_path_factory.mktemp("grid")
    url = f"sqlite:///{folder / 'store.db'}"
    load_grid(url, folder)
    with served([WARDWATCH, "serve", "--workers", "1"], cwd=folder, env=environment(url)) as address:
        yield address


@pytest.fixture
def grid(server, guard) -> str:
    """Give the same, the watched browser being allowed to reach it."""
    guard.allow(server)
    return server
