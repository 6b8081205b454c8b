"""Who may see what: the one way from a request to the store, and the audience that every route declares."""

from __future__ import annotations

import ipaddress
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar, cast
from urllib.parse import urlsplit

import werkzeug.exceptions as http
from flask import current_app, request

from mapping.errors import BadRequest, StoreNotReady
from mapping.reader import Reader
from mapping.store import open_engine

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from sqlalchemy import Engine

    from mapping.settings import Settings

__all__ = ["Store", "audience", "declared_audience", "init_app", "reader", "settings"]

Audience = Literal["public", "internal"]
V = TypeVar("V", bound="Callable[..., object]")


class Store:
    """The store of an application, opened when it is first needed, and again when its file became another one."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._reader: Reader | None = None
        self._file: tuple[int, int] | None = None

    def reader(self) -> Reader:
        """The reader of this audience.

        Raises
        ------
        StoreNotReady
            If there is no store; the next request tries again.
        """
        with self._lock:
            if self._reader and self._file == _identity(self._reader.engine):
                return self._reader
            self._close()
            engine = open_engine(self.settings.store_url)
            self._file = _identity(engine)
            self._reader = Reader(engine, open_only=self.settings.audience == "public")
            return self._reader

    def close(self) -> None:
        """Let go of the store; the next reader opens it again."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._reader:
            self._reader.engine.dispose()
            self._reader = None


def _identity(engine: Engine) -> tuple[int, int] | None:
    """What tells an embedded file from another one at the same place: an open connection would go on with the old one."""
    if engine.dialect.name != "sqlite" or not engine.url.database:
        return None
    try:
        found = Path(engine.url.database).stat()
    except OSError:
        raise StoreNotReady("The store is gone.", hint="Put the file back, or run `wardwatch init` to make one.") from None
    return found.st_dev, found.st_ino


def reader() -> Reader:
    """The store as this application's audience may see it: the only way for a view to read."""
    return cast("Store", current_app.extensions["wardwatch"]).reader()


def settings() -> Settings:
    """The settings that the application was made with."""
    return cast("Store", current_app.extensions["wardwatch"]).settings


def audience(who: Audience) -> Callable[[V], V]:
    """Declare who may ask for a route. `internal` ones do not exist (404) in a public application.

    Every view must be declared; `create_app` fails on one that is not.
    """

    def declare(view: V) -> V:
        view.audience = who  # type: ignore[attr-defined]
        return view

    return declare


def declared_audience(app: Flask, endpoint: str) -> Audience | None:
    """What the view of an endpoint declares."""
    return getattr(app.view_functions[endpoint], "audience", None)


def init_app(app: Flask, settings: Settings) -> None:
    """Give the application its store and its guard. Call it after the routes are there.

    Raises
    ------
    RuntimeError
        If a route declares no audience.
    """
    undeclared = sorted(endpoint for endpoint in app.view_functions if declared_audience(app, endpoint) is None)
    if undeclared:
        message = f"these views declare no audience: {', '.join(undeclared)}"
        raise RuntimeError(message)
    app.extensions["wardwatch"] = Store(settings.with_secret())
    app.before_request(_guard)


def _guard() -> None:
    _refuse_other_names()
    endpoint = request.endpoint
    if isinstance(request.routing_exception, http.MethodNotAllowed) and (allowed := request.routing_exception.valid_methods):
        # A wrong method must not tell that the address exists.
        rule, _ = current_app.create_url_adapter(request).match(method=next(iter(allowed)), return_rule=True)  # type: ignore[union-attr]
        endpoint = rule.endpoint
    hidden = endpoint is not None and declared_audience(current_app, endpoint) == "internal"
    if (hidden and settings().audience != "internal") or "\0" in request.path:
        raise http.NotFound


def _refuse_other_names() -> None:
    """See that an internal server is asked under a name of its own.

    Else a page of any site could have its name resolve to this server (DNS rebinding), and read as staff what its visitor may.
    """
    if settings().audience != "internal":
        return
    try:
        name = (urlsplit(f"//{request.host}").hostname or "").rstrip(".")
    except ValueError:
        name = ""
    own = {"localhost", socket.gethostname().lower(), *(host.strip() for host in settings().hosts.split(","))} - {""}
    if name not in own and not name.endswith(".localhost") and not _is_address(name):
        raise BadRequest(
            "This server does not answer under the name that was asked for.",
            hint="If it is its name, whoever runs it adds it to WARDWATCH_HOSTS.",
            parameter="Host",
        )


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True
