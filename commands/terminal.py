"""What every command shares: the store, the progress bar, messages on stderr."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

    from mapping.settings import Settings

__all__ = ["FORMAT", "QUIET", "obeyed_by_none", "open_store", "progress_bar", "say"]


def open_store(settings: Settings, *, must_exist: bool = True) -> Engine:
    """The store, closed again when the command ends."""
    from mapping.store import open_engine

    engine = open_engine(settings.store_url, must_exist=must_exist)
    click.get_current_context().call_on_close(engine.dispose)
    return engine


@contextmanager
def progress_bar() -> Iterator[Callable[[str, float], None]]:
    """A bar on a terminal that names the step; nothing elsewhere."""
    context = click.get_current_context()
    if context.find_root().obj["quiet"] or not sys.stderr.isatty():
        yield lambda _step, _share: None
        return
    with click.progressbar(length=100, file=sys.stderr, item_show_func=lambda step: step) as bar:
        shown = [""]

        def tell(step: str, share: float) -> None:
            if step != shown[0]:
                bar.pos, bar.finished = 0, False
                shown[0] = step
            bar.update(max(0, min(100, round(share * 100)) - bar.pos), step)

        yield tell
    click.echo(err=True)


def _set_quiet(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's own
    if value:
        ctx.find_root().obj["quiet"] = True


QUIET = click.option("--quiet", is_flag=True, expose_value=False, callback=_set_quiet, help="No progress bar.")

FORMAT = click.option("--format", "format_", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)


def say(lines: list[str]) -> None:
    """Print messages, on stderr: stdout is for results."""
    for line in lines:
        click.echo(obeyed_by_none(line), err=True)


def obeyed_by_none(text: str) -> str:
    """Lines for a terminal: what files say may hold control characters, and must not move its cursor or name its window."""
    from mapping.tables import printable

    return "\n".join(printable(line) for line in text.split("\n"))
