"""What the store holds and says: `status`, `counts`, `measure`, `nearness` and `map`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commands.terminal import FORMAT, obeyed_by_none, open_store, say
from mapping.errors import BadRequest
from mapping.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["breaks", "concentration", "counts", "map_command", "measure", "nearness", "status"]


@click.command()
@click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("--changes", is_flag=True, help="Also what the last load altered in past months.")
def status(format_: str, *, changes: bool) -> None:
    """Show what is loaded and what is missing."""
    from mapping.reader import Reader
    from mapping.status import alteration_lines, read_status, status_lines

    engine = open_store(load_settings())
    found = read_status(engine, open_only=False)
    lines = status_lines(found)
    if changes:
        found["changes"] = Reader(engine, open_only=False).alterations()
        lines += alteration_lines(found["changes"])
    click.echo(json.dumps(found, indent=2, ensure_ascii=False) if format_ == "json" else obeyed_by_none("\n".join(lines)))


def _question_options(command: Callable[..., None]) -> Callable[..., None]:
    """The parameters that are the same everywhere."""
    options = [
        click.option("--crime-type", default="all", show_default=True, help="A crime type or group (all, crime, asb, other)."),
        click.option("--from", "first", help="First month, YYYY-MM."),
        click.option("--to", "last", help="Last month, YYYY-MM."),
        click.option("--boundaries", help="The boundary set."),
        click.option("--source", help="Only this source."),
        click.option("--district", help="Only wards of this district (its code)."),
        click.option("--ward", help="Only this ward (its code)."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


_OPTION = click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="An option of the measure.")


def _measure_options(command: Callable[..., None]) -> Callable[..., None]:
    by = click.option(
        "--by", type=click.Choice(["ward", "district", "set"]), default="ward", show_default=True, help="Totals for what."
    )
    return _question_options(by(_OPTION(command)))


def _question(*, crime_type: str, first: str | None, last: str | None, options: tuple[str, ...] = (), **rest: Any) -> Any:
    from mapping.questions import Question
    from mapping.vocabulary import Month

    wrong = next((o for o in options if "=" not in o), None)
    if wrong:
        raise click.BadParameter(f"'{wrong}' is not NAME=VALUE", param_hint="--option")
    return Question(
        crime_type=crime_type,
        first=Month.parse(first, parameter="from") if first else None,
        last=Month.parse(last, parameter="to") if last else None,
        options=dict(o.split("=", 1) for o in options),
        **rest,
    )


@click.command()
@_question_options
@FORMAT
def counts(*, format_: str, **asked: Any) -> None:
    """Print incidents by ward, month and crime type."""
    from mapping.answers import COUNT_COLUMNS, count_rows
    from mapping.reader import Reader

    rows, meta = count_rows(Reader(open_store(load_settings()), open_only=False), _question(**asked))
    _print_rows(COUNT_COLUMNS, rows, meta, format_)


@click.command()
@click.argument("name")
@_measure_options
@FORMAT
def measure(name: str, *, format_: str, **asked: Any) -> None:
    """Print one figure per ward, with its range and its sentence."""
    from mapping.answers import MEASURE_COLUMNS, answer
    from mapping.reader import Reader

    given = answer(Reader(open_store(load_settings()), open_only=False), name, _question(**asked))
    _print_rows(MEASURE_COLUMNS, given.rows, given.meta, format_)


@click.command()
@_question_options
@FORMAT
def nearness(*, format_: str, **asked: Any) -> None:
    """Print how many of each ward's incidents lie so near another ward that they may belong there."""
    from mapping.lines import NEARNESS_COLUMNS, nearness_rows
    from mapping.reader import Reader

    rows, meta = nearness_rows(Reader(open_store(load_settings()), open_only=False), _question(**asked))
    _print_rows(NEARNESS_COLUMNS, rows, meta, format_)


@click.command()
@_question_options
@FORMAT
def concentration(*, format_: str, **asked: Any) -> None:
    """Print how many wards, and how many places, hold half of the incidents."""
    from mapping.concentration import CONCENTRATION_COLUMNS, concentration_rows
    from mapping.reader import Reader

    reader, question = Reader(open_store(load_settings()), open_only=False), _question(**asked)
    _print_plain(CONCENTRATION_COLUMNS, concentration_rows(reader, question), format_)


@click.command()
@FORMAT
def breaks(*, format_: str) -> None:
    """Print the recording breaks, those shipped and those loaded: as CSV a file to edit and load again."""
    from mapping.breaks import BREAK_COLUMNS, break_rows
    from mapping.reader import Reader

    reader = Reader(open_store(load_settings()), open_only=False)
    # A table is to be read on a terminal: who vouches for them is in the CSV.
    columns = tuple(c for c in BREAK_COLUMNS if format_ != "table" or c not in {"within", "vouched_for_by"})
    _print_plain(columns, break_rows(reader.breaks(reader.catalogue())), format_)


def _print_plain(columns: tuple[str, ...], rows: list[dict[str, Any]], format_: str) -> None:
    """Rows that say themselves what they stand on."""
    from mapping.tables import write_csv, write_text

    if format_ == "json":
        click.echo(json.dumps({"rows": rows}, ensure_ascii=False, allow_nan=False, indent=2))
    else:
        click.echo(write_csv(columns, rows) if format_ == "csv" else write_text(columns, rows), nl=format_ != "csv")


@click.command("map")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--measure", "name", default="count", show_default=True, help="The measure to draw.")
@_OPTION
@_question_options
def map_command(file: Path, *, name: str, **asked: Any) -> None:
    """Write a map into one self-contained file that opens anywhere, without a network."""
    from mapping.answers import answer
    from mapping.reader import Reader
    from web.pages import render_map_file

    settings = load_settings()
    reader = Reader(open_store(settings), open_only=False)
    given = answer(reader, name, _question(**asked))
    html = render_map_file(reader, given, settings)
    try:
        file.write_text(html, encoding="utf-8")
    except OSError as error:
        raise BadRequest(f"{file}: {error.strerror}.", hint="Name a file that can be written.") from error
    _say_meta(given.meta)
    protected = [s.id for s in reader.catalogue().sources if s.access == "protected" and s.id in given.meta["sources"]]
    if protected:
        say([f"This file holds figures of protected sources: {', '.join(protected)}. Do not publish it."])


def _print_rows(columns: tuple[str, ...], rows: list[dict[str, Any]], meta: dict[str, Any], format_: str) -> None:
    from mapping.tables import write_csv, write_text

    if format_ == "json":
        click.echo(json.dumps({"meta": meta, "rows": rows}, ensure_ascii=False, allow_nan=False, indent=2))
        return
    if format_ == "csv":
        click.echo(write_csv(columns, rows), nl=False)
    else:
        click.echo(write_text(columns, rows))
    _say_meta(meta)


def _say_meta(meta: dict[str, Any]) -> None:
    missing = ", ".join(f"{m['source']} {m['month']} {m['status']}" for m in meta["missing"]) or "none"
    version = f"Data as of {meta['data_as_of']}, version {meta['data_version']}"
    stands_on = f"{meta['from']} to {meta['to']}; boundaries {meta['boundaries']}"
    sources = f"Sources: {', '.join(meta['sources'])}. Missing months: {missing}."
    divided = [f"Divided by {meta['denominator']}."] if meta["denominator"] else []
    estimated = [f"Estimated: {e['source']}, from {e['areas']} by {e['weighted_by']}." for e in meta["estimated"]]
    say([f"{version}; {stands_on}.", sources, *estimated, *divided, *meta["attribution"]])
