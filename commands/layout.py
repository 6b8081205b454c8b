"""`wardwatch layout`: the layouts that exist, and a proposal for a file that has none."""

from __future__ import annotations

from pathlib import Path

import click

from commands.terminal import say
from mapping.settings import load_settings

__all__ = ["layout"]


@click.group()
def layout() -> None:
    """Show the layouts and tables of codes that exist, or propose a layout for an unknown file."""


@layout.command("list")
def layout_list() -> None:
    """Print the built-in layouts: what is received of each, and from whom it may be shown."""
    from loaders.layouts import built_in_layouts

    for name, found in sorted(built_in_layouts().items()):
        click.echo(f"{name}: {found.records} of the stream {found.stream}, {found.access}")


@layout.command("show")
@click.argument("name")
def layout_show(name: str) -> None:
    """Print a built-in layout, to be copied or extended."""
    from loaders.layouts import layout_text

    click.echo(layout_text(name), nl=False)


@layout.command("codes")
@click.argument("name")
def layout_codes(name: str) -> None:
    """Print a table of codes of ours, to be copied, edited and named by a layout of your own."""
    from loaders.layouts.codes import code_table_text

    click.echo(code_table_text(name), nl=False)


@layout.command("new")
@click.argument("file", type=click.Path(path_type=Path))
def layout_new(file: Path) -> None:
    """Look at an unknown file and print a layout for it to correct: what it saw, and what it must ask, as comments."""
    from loaders.proposals import propose_layout

    proposal = propose_layout(file, today=load_settings().clock().date())
    click.echo(proposal.text, nl=False)
    if proposal.questions:
        say([f"Questions that it leaves: {proposal.questions} (`# ?`). Until they are answered, no load uses it."])
