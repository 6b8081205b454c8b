"""The server: gunicorn where it runs, waitress on Windows."""

from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING

import click

from mapping.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

__all__ = ["run_server"]

_THREADS = 4


def _refuse_taken(host: str, port: int) -> None:
    """Say so before anything is announced: whoever has the port would be shown in our place."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if sys.platform != "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise BadRequest(
                f"Port {port} of {host} cannot be used: {error.strerror}.",
                hint="Another program has it. Take another: --port 8001 (or `make demo PORT=8001`).",
                parameter="port",
                value=str(port),
            ) from error


def run_server(make_app: Callable[[], Flask], *, host: str, port: int, workers: int) -> None:
    """Serve until stopped. `make_app` is called in each worker, so that none shares a connection with another."""
    shown = f"[{host}]" if ":" in host else host
    _refuse_taken(host, port)
    click.echo(f"wardwatch is at http://{shown}:{port}/  (Ctrl-C stops it)", err=True)
    if sys.platform == "win32":
        import waitress

        waitress.serve(make_app(), host=host, port=port, threads=workers * _THREADS)
        return
    from gunicorn.app.base import BaseApplication

    class Server(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            options = {"bind": f"{shown}:{port}", "workers": workers, "worker_class": "gthread", "threads": _THREADS}
            for name, value in {**options, "loglevel": "warning", "control_socket_disable": True}.items():
                if name in self.cfg.settings:
                    self.cfg.set(name, value)

        def load(self) -> Flask:
            return make_app()

    Server().run()
