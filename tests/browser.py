"""A browser for the tests, and a guard that fails a test whose pages reach elsewhere or complain."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Request, Route, sync_playwright

from tests.machine import find_browser

# Without these Chromium calls its maker at every start, and will not run as root.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LOCAL_SCHEMES = {"about", "blob", "data", "file"}


@contextmanager
def launched_browser() -> Iterator[Browser]:
    """Run the installed browser without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=ARGUMENTS)
        yield browser
        browser.close()


class Guard:
    """Watches every page of a test: only allowed origins are reached, and nothing lands in the console.

    problems: what went wrong, one sentence each; the `guard` fixture fails the test when there are any.
    """

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._origins: set[str] = set()
        self._expected: list[str] = []

    def allow(self, url: str) -> None:
        """Let pages reach the origin of this URL."""
        self._origins.add(_origin(url))

    def expect(self, pattern: str) -> None:
        """Forgive problems in which this regular expression is found, such as the 404 a test asks for."""
        self._expected.append(pattern)

    def watch(self, context: BrowserContext) -> None:
        """Watch all pages of a browser context, popups too."""
        context.route("**/*", self._route)
        context.on("console", self._read)
        context.on("weberror", lambda error: self._note(f"script: {error.error}"))
        context.on("page", lambda page: page.on("websocket", lambda socket: self._check(socket.url)))

    def _route(self, route: Route, request: Request) -> None:
        if self._check(request.url):
            route.continue_()
        else:
            route.abort()

    def _read(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._note(f"console: {message.text} ({message.location['url']})")

    def _check(self, url: str) -> bool:
        allowed = urlsplit(url).scheme in LOCAL_SCHEMES or _origin(url) in self._origins
        if not allowed:
            self._note(f"asked another server: {url}")
        return allowed

    def _note(self, problem: str) -> None:
        if not any(re.search(pattern, problem) for pattern in self._expected):
            self.problems.append(problem)


def _origin(url: str) -> str:
    return "{0.scheme}://{0.netloc}".format(urlsplit(url))
