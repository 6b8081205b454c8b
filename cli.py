"""`wardwatch`: the command line. Results go to stdout, messages to stderr; 1 says that data or a request is wrong, 2 usage."""

from __future__ import annotations

from typing import Any

import click

from commands.fetch import fetch
from commands.layout import layout
from commands.load import load
from commands.look import breaks, concentration, counts, map_command, measure, nearness, status
from commands.notes import coverage, places
from commands.run import demo, init, serve, unload
from commands.terminal import obeyed_by_none
from mapping.errors import WardwatchError

__all__ = ["main"]


class _Commands(click.Group):
    """Translates what the domain raises; nothing else knows exit codes."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; a `WardwatchError` becomes its message on stderr and exit code 1."""
        try:
            return super().invoke(ctx)
        except WardwatchError as error:
            click.secho(f"Error: {obeyed_by_none(error.message)}", err=True, fg="red")
            if error.hint:
                click.echo(obeyed_by_none(error.hint), err=True)
            ctx.exit(1)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="wardwatch")
@click.option("--quiet", is_flag=True, help="No progress bars.")
@click.pass_context
def main(ctx: click.Context, *, quiet: bool) -> None:
    """Crime and anti-social behaviour, ward by ward: what is happening, what has changed, and is it more than chance."""
    ctx.obj = {"quiet": quiet}


_BY_USE = (
    *(init, load, unload, fetch, layout),
    *(coverage, places),
    *(status, counts, measure, nearness, concentration, breaks, map_command),
    *(serve, demo),
)
for _command in _BY_USE:
    main.add_command(_command)


if __name__ == "__main__":
    main()
