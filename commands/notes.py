"""What analysts know beyond the files: `wardwatch coverage` of months and areas, `wardwatch places` of default locations."""

from __future__ import annotations

import json
from typing import Any

import click

from commands.terminal import FORMAT, obeyed_by_none, open_store, say
from mapping.settings import load_settings

__all__ = ["coverage", "places"]


@click.group(invoke_without_command=True)
@click.pass_context
def coverage(ctx: click.Context) -> None:
    """List what was noted by hand of the months and the areas of sources, or note it."""
    if ctx.invoked_subcommand is None:
        from mapping.coverage_notes import list_notes
        from mapping.store import check_ready, reading

        engine = open_store(load_settings())
        check_ready(engine)
        with reading(engine) as connection:
            click.echo(obeyed_by_none("\n".join(list_notes(connection))))


@coverage.command("set")
@click.argument("source")
@click.option("--stream", default="", help="Only this stream of it; else all.")
@click.option("--from", "first", required=True, help="First month, YYYY-MM.")
@click.option("--to", "last", help="Last month, YYYY-MM; else until further notice.")
@click.option("--status", required=True, type=click.Choice(["supplied", "partial", "not-supplied"]), help="What holds.")
@click.option("--reason", required=True, help="How it is known, in a sentence; it is shown beside the figures.")
def coverage_set(source: str, *, first: str, last: str | None, **options: Any) -> None:
    """Note the status of a source's months; it comes before what the rule says."""
    from mapping.coverage_notes import set_note
    from mapping.store import check_ready
    from mapping.vocabulary import Month

    settings = load_settings()
    engine = open_store(settings)
    check_ready(engine)
    months = Month.parse(first, parameter="from"), Month.parse(last, parameter="to") if last else None
    made = set_note(engine, source, first=months[0], last=months[1], now=settings.clock(), **options)
    say([f"Noted: {made.line}"])


@coverage.command("clear")
@click.argument("note", type=int)
def coverage_clear(note: int) -> None:
    """Forget a note, by its number."""
    from mapping.coverage_notes import clear_note
    from mapping.store import check_ready

    engine = open_store(load_settings())
    check_ready(engine)
    clear_note(engine, note)
    say([f"Note {note} is gone."])


@coverage.command("area")
@click.argument("source")
@click.option("--districts", help="The codes of all districts that it covers, with commas between them.")
@click.option("--everywhere", is_flag=True, help="It covers every ward of every set.")
@click.option("--clear", is_flag=True, help="The rule shall say again.")
def coverage_area(source: str, *, districts: str | None, everywhere: bool, clear: bool) -> None:
    """Say which districts a source covers; outside them it has no figures, and its gaps do not matter."""
    from mapping.coverage_notes import EVERYWHERE, set_districts
    from mapping.store import check_ready

    codes = [code.strip() for code in (districts or "").split(",") if code.strip()]
    if bool(codes) + everywhere + clear != 1:
        raise click.UsageError("Give one of --districts CODE,CODE, --everywhere and --clear.")
    engine = open_store(load_settings())
    check_ready(engine)
    given = set_districts(engine, source, [EVERYWHERE] if everywhere else codes)
    say([f"{source} covers {'what the rule says' if clear else 'everywhere' if everywhere else ', '.join(given)}."])


@click.group(invoke_without_command=True)
@FORMAT
@click.pass_context
def places(ctx: click.Context, *, format_: str) -> None:
    """List places that may be default locations, with the evidence, and what was decided about them."""
    from mapping.default_places import DEFAULT_PLACE_COLUMNS, ZERO_POINT, default_place_rows, read_default_places
    from mapping.reader import Reader
    from mapping.tables import write_csv, write_text

    if ctx.invoked_subcommand:
        return
    reader = Reader(open_store(load_settings()), open_only=False)
    catalogue = reader.catalogue()
    rows = default_place_rows(read_default_places(reader, catalogue))
    nowhere = [{"source": c.source, "rows": c.rows} for c in reader.issue_counts(catalogue) if c.kind == ZERO_POINT]
    if format_ == "json":
        meta = {"data_version": catalogue.data_version, "at_zero": nowhere}
        click.echo(json.dumps({"meta": meta, "rows": rows}, ensure_ascii=False, indent=2))
        return
    if format_ == "csv":
        click.echo(write_csv(DEFAULT_PLACE_COLUMNS, rows), nl=False)
    else:
        shown = (
            "id",
            "source",
            "ward_name",
            "incidents",
            "share",
            "rank",
            "types",
            "months",
            "location",
            "verdict",
            "evidence",
        )
        click.echo(write_text(shown, rows) if rows else "No place looks like a default location, and none was decided about.")
    say([f"{found['source']}: {found['rows']:,} rows are at 0,0; they are kept without coordinates." for found in nowhere])


_PLACE = click.argument("place", type=click.IntRange(1, 2**31 - 1))


def _decide(place: int, verdict: str, reason: str) -> None:
    from mapping.verdicts import decide_verdict

    settings = load_settings()
    said = decide_verdict(open_store(settings), place, verdict=verdict, reason=reason, now=settings.clock())
    say([f"Place {place} is {said.verdict} as {'a' if verdict == 'confirmed' else 'no'} default location: {said.reason}"])


@places.command("confirm")
@_PLACE
@click.option("--reason", required=True, help="Why.")
def confirm_place(*, place: int, reason: str) -> None:
    """Say that a place is a default location: counts keep its incidents, clusters and hot places leave them out."""
    _decide(place, "confirmed", reason)


@places.command("dismiss")
@_PLACE
@click.option("--reason", required=True, help="Why.")
def dismiss_place(*, place: int, reason: str) -> None:
    """Say that a place is merely busy."""
    _decide(place, "dismissed", reason)


@places.command("clear")
@_PLACE
def clear_place(*, place: int) -> None:
    """Forget what was said of a place."""
    from mapping.verdicts import clear_verdict

    clear_verdict(open_store(load_settings()), place)
    say([f"Nothing is said of place {place} now."])
