"""The store and the server: `init`, `unload`, `serve` and `demo`."""

from __future__ import annotations

from pathlib import Path

import click

from commands.terminal import QUIET, open_store, progress_bar, say
from mapping.settings import Settings, load_settings

__all__ = ["demo", "init", "serve", "unload"]


@click.command()
def init() -> None:
    """Create or upgrade the tables (and the postgis extension where it may)."""
    from mapping.store.upgrade import init_store

    engine = open_store(load_settings(), must_exist=False)
    done = init_store(engine)
    click.echo(f"The store {engine.url.render_as_string()} is ready ({done}).", err=True)


@click.command()
@click.argument("what")
@click.argument("name", required=False)
def unload(what: str, name: str | None) -> None:
    """Take an extract (its number), `boundaries NAME`, `groups NAME`, `weights` or `breaks` back out of the store."""
    from loaders.judging import unload_judging
    from loaders.ledger import unload_boundaries, unload_extract
    from mapping.store import check_ready

    settings = load_settings()
    engine = open_store(settings)
    if what in ("weights", "breaks", "groups"):
        if (what == "groups") != bool(name):
            raise click.UsageError("Give `weights`, `breaks`, or `groups` and the name of their boundary set.")
        check_ready(engine)
        files = unload_judging(engine, what, name)
        say([f"Taken out: {what}{f' of {name}' if name else ''}.", "To load it again: " + ", ".join(files)])
        return
    if what != "boundaries" and not (what.isdigit() and name is None):
        raise click.UsageError("Give the number of an extract (see `wardwatch status`), or `boundaries NAME`.")
    if what == "boundaries" and not name:
        raise click.UsageError("Give the name of the boundary set: `wardwatch unload boundaries NAME`.")
    check_ready(engine)
    done = (
        unload_boundaries(engine, name or "")
        if what == "boundaries"
        else unload_extract(engine, int(what), now=settings.clock())
    )
    say([*done.lines(), "To load it again: " + ", ".join(done.files)])
    if done.replaced_files:
        say(["What it had taken the place of: " + ", ".join(done.replaced_files)])


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64), help="Server processes.")
def serve(host: str, port: int, workers: int) -> None:
    """Serve the explorer and the API."""
    _serve(load_settings(), host=host, port=port, workers=workers)


@click.command()
@QUIET
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
def demo(port: int) -> None:
    """Fill instance/demo.db with a made-up county (once) and serve it."""
    from loaders.demo.fill import fill_demo
    from mapping.settings import sqlite_url

    store = Path("instance") / "demo.db"
    settings = load_settings(database_url=sqlite_url(store), audience="public")
    with progress_bar() as progress:
        fill_demo(store, progress=progress)
    _serve(settings, host="127.0.0.1", port=port, workers=2)


def _serve(settings: Settings, *, host: str, port: int, workers: int) -> None:
    from app import create_app
    from web.server import run_server

    shared = settings.with_secret()
    run_server(lambda: create_app(shared), host=host, port=port, workers=workers)
