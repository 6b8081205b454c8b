"""`wardwatch`: the command line. Results go to stdout, messages to stderr; 1 says that data or a request is wrong, 2 usage."""

from __future__ import annotations

import gc
import json
import sys
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mapping.errors import BadRequest, WardwatchError
from mapping.settings import Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

__all__ = ["main"]


class _Commands(click.Group):
    """Translates what the domain raises; nothing else knows exit codes."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; a `WardwatchError` becomes its message on stderr and exit code 1."""
        try:
            return super().invoke(ctx)
        except WardwatchError as error:
            click.secho(f"Error: {error.message}", err=True, fg="red")
            if error.hint:
                click.echo(error.hint, err=True)
            ctx.exit(1)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="wardwatch")
@click.option("--quiet", is_flag=True, help="No progress bars.")
@click.pass_context
def main(ctx: click.Context, *, quiet: bool) -> None:
    """Crime and anti-social behaviour, ward by ward: what is happening, what has changed, and is it more than chance."""
    ctx.obj = {"quiet": quiet}


def _settings() -> Settings:
    return load_settings()


def _engine(settings: Settings, *, must_exist: bool = True) -> Engine:
    """The store, closed again when the command ends."""
    from mapping.store import open_engine

    engine = open_engine(settings.store_url, must_exist=must_exist)
    click.get_current_context().call_on_close(engine.dispose)
    return engine


@contextmanager
def _progress() -> Iterator[Callable[[str, float], None]]:
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


_QUIET = click.option("--quiet", is_flag=True, expose_value=False, callback=_set_quiet, help="No progress bar.")


@main.command()
def init() -> None:
    """Create or upgrade the tables (and the postgis extension where it may)."""
    from mapping.store.upgrade import init_store

    engine = _engine(_settings(), must_exist=False)
    done = init_store(engine)
    click.echo(f"The store {engine.url.render_as_string()} is ready ({done}).", err=True)


@main.group()
def load() -> None:
    """Load boundaries, population or incidents."""
    # A load makes millions of small objects, hardly a cycle, and then ends: looking for cycles costs a tenth of its time.
    gc.disable()


class _Day(click.ParamType[date]):
    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(f"'{value}' is not a date; write YYYY-MM-DD", param, ctx)


@load.command("boundaries")
@_QUIET
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", help="Name of the set; else made of its column of codes (WD20CD -> wd20).")
@click.option("--kind", default="ward", show_default=True, help="What its areas are: ward, beat, lsoa, district ...")
@click.option("--effective", type=_Day(), help="Since when it is in force; else 31 December of the code column's year.")
@click.option("--code-column", help="Where codes are not in a column named as ONS names them.")
@click.option("--name-column", help="Where names are not.")
@click.option("--district-column", help="Where the codes of districts are not.")
@click.option("--crs", help="Coordinate system of a file that does not state one, e.g. EPSG:27700.")
@click.option("--attribution", help="What must be printed with maps made from it.")
@click.option("--replace", is_flag=True, help="Replace the set of that name.")
def load_boundaries_command(file: Path, **options: Any) -> None:
    """Load a boundary set from a shapefile (zipped or not), GeoPackage or GeoJSON."""
    from loaders.boundaries import load_boundaries

    settings = _settings()
    with _progress() as progress:
        report = load_boundaries(_engine(settings), file, now=settings.clock(), progress=progress, **options)
    _say(report.lines())


@load.command("population")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--boundaries", required=True, help="The boundary set whose wards it counts.")
@click.option("--year", required=True, type=int, help="The year of the figures; of residents the mid-year of the estimate.")
@click.option(
    "--what",
    type=click.Choice(["residents", "households", "workday", "premises"]),
    default="residents",
    show_default=True,
    help="What it counts.",
)
@click.option("--match", type=click.Choice(["code", "name"]), help="How rows find their ward.  [default: code]")
@click.option("--column", "--residents-column", "column", help="The column of numbers, where several or none look like it.")
@click.option("--attribution", help="What must be printed with figures made from it.")
@click.option("--from-boundaries", help="In place of a file: apportion what is loaded of this set, by the lookup between them.")
def load_population_command(file: Path | None, *, from_boundaries: str | None, **options: Any) -> None:
    """Load what rates are per, for every ward of a set: residents, households ... from a CSV file."""
    from loaders.population import load_population
    from loaders.population_shares import apportion_population

    given = {name: value for name, value in options.items() if value is not None}
    if bool(file) == bool(from_boundaries):
        raise click.UsageError("Give a file, or --from-boundaries.")
    settings = _settings()
    if file:
        _say(load_population(_engine(settings), file, now=settings.clock(), **given).lines())
        return
    wrong = {"match", "column", "attribution"} & given.keys()
    if wrong:
        raise click.UsageError(f"--{min(wrong)} says how a file is read; with --from-boundaries there is none.")
    report = apportion_population(_engine(settings), from_boundaries=from_boundaries or "", now=settings.clock(), **given)
    _say(report.lines())


@load.command("lookup")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--areas", help="What the areas are called, as `load counts` calls them: lsoa21 ...")
@click.option("--boundaries", required=True, help="The boundary set that they lie in.")
@click.option("--from-boundaries", help="In place of a file: the areas are those of this set, weighted from the shapes.")
@click.option("--weighted-by", type=click.Choice(["population", "area", "best-fit"]), help="What the weights are of.")
@click.option("--attribution", default="", help="What must be printed with figures made from it.")
def load_lookup_command(
    file: Path | None, *, areas: str | None, from_boundaries: str | None, boundaries: str, **options: Any
) -> None:
    """Load which share of each small area lies in each ward of a set, from a CSV or XLSX file."""
    from loaders.lookups import load_lookup, load_lookup_from_shapes

    if from_boundaries and (file or areas or options["weighted_by"] not in (None, "area")):
        raise click.UsageError("With --from-boundaries give no file and no --areas: shapes can only be weighted by area.")
    settings = _settings()
    if from_boundaries:
        report = load_lookup_from_shapes(
            _engine(settings), from_boundaries=from_boundaries, boundaries=boundaries, now=settings.clock()
        )
    elif file and areas:
        report = load_lookup(_engine(settings), file, areas=areas, boundaries=boundaries, now=settings.clock(), **options)
    else:
        raise click.UsageError("Give a file and --areas, or --from-boundaries.")
    _say(report.lines())


@load.command("counts")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--areas", required=True, help="What the areas are called: a loaded boundary set, or lsoa21 and a lookup.")
@click.option("--source", required=True, help="Id of the source.")
@click.option(
    "--access", type=click.Choice(["open", "protected"]), default="protected", show_default=True, help="Who may see it."
)
@click.option("--window", help="The months that the file is complete for: 2024-01:2024-12.")
@click.option(
    "--match", type=click.Choice(["code", "name"]), default="code", show_default=True, help="How rows find their area."
)
@click.option("--crime-type", help="The type of every row, where no column says it.")
@click.option("--attribution", default="", help="What must be printed with figures made from it.")
@click.option("--replace", is_flag=True, help="Allow the window to be left with less than half of what it counted.")
def load_counts_command(file: Path, *, window: str | None, **options: Any) -> None:
    """Load counts of areas by month and crime type, from a source that gives no places: CSV or XLSX."""
    from loaders.area_counts import load_area_counts

    settings = _settings()
    report = load_area_counts(
        _engine(settings), file, now=settings.clock(), window=_window(window) if window else None, **options
    )
    _say(report.lines())


@load.command("incidents")
@_QUIET
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--layout", help="A layout's name, or the path of a TOML file; else each file's header tells.")
@click.option("--source", help="Id of the source, in place of what the layout or the rows say.")
@click.option("--window", help="The days that the files are complete for: 2024-03-01:2024-03-31, or months 2024-03:2024-03.")
@click.option("--as-of", type=_Day(), help="The day on which the files were cut: changes of up to that day are in them.")
@click.option("--replace", is_flag=True, help="Allow a window to be left with less than half the rows it had.")
@click.option("--skip-bad-rows", is_flag=True, help="Reject rows with another number of fields, instead of refusing the file.")
@click.option("--set-aside-unknown", is_flag=True, help="Set rows of unknown crime types aside, instead of refusing the file.")
def load_incidents_command(files: tuple[Path, ...], *, window: str | None, **options: Any) -> None:
    """Load incidents: CSV, TSV or XLSX files, folders, zip or gz archives."""
    from loaders.incidents import load_incidents

    settings = _settings()
    with _progress() as progress:
        report = load_incidents(
            _engine(settings),
            files,
            now=settings.clock(),
            window=_window(window) if window else None,
            progress=progress,
            **options,
        )
    _say(report.lines())


def _window(text: str) -> Any:
    from loaders.incidents import Window
    from mapping.vocabulary import Month

    try:
        first, last = text.split(":")
        start = date.fromisoformat(first) if len(first) > 7 else Month.parse(first).first
        end = date.fromisoformat(last) if len(last) > 7 else Month.parse(last).last
    except (ValueError, BadRequest):
        raise click.BadParameter("write FROM:TO, for example 2024-03-01:2024-03-31", param_hint="--window") from None
    if end < start:
        raise click.BadParameter(f"it ends ({end}) before it starts ({start})", param_hint="--window")
    return Window(start, end)


@main.group(invoke_without_command=True)
@click.pass_context
def coverage(ctx: click.Context) -> None:
    """List what was noted by hand of the months and the areas of sources, or note it."""
    if ctx.invoked_subcommand is None:
        from mapping.coverage_notes import list_notes
        from mapping.store import check_ready, reading

        engine = _engine(_settings())
        check_ready(engine)
        with reading(engine) as connection:
            click.echo("\n".join(list_notes(connection)))


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

    settings = _settings()
    engine = _engine(settings)
    check_ready(engine)
    months = Month.parse(first, parameter="from"), Month.parse(last, parameter="to") if last else None
    made = set_note(engine, source, first=months[0], last=months[1], now=settings.clock(), **options)
    _say([f"Noted: {made.line}"])


@coverage.command("clear")
@click.argument("note", type=int)
def coverage_clear(note: int) -> None:
    """Forget a note, by its number."""
    from mapping.coverage_notes import clear_note
    from mapping.store import check_ready

    engine = _engine(_settings())
    check_ready(engine)
    clear_note(engine, note)
    _say([f"Note {note} is gone."])


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
    engine = _engine(_settings())
    check_ready(engine)
    given = set_districts(engine, source, [EVERYWHERE] if everywhere else codes)
    _say([f"{source} covers {'what the rule says' if clear else 'everywhere' if everywhere else ', '.join(given)}."])


@main.group()
def fetch() -> None:
    """Fetch files that `load` reads, from the services that publish them; the store is not touched."""


@fetch.command("police-uk")
@_QUIET
@click.option("--force", required=True, help="The force as data.police.uk names it in addresses, e.g. hertfordshire.")
@click.option("--from", "first", required=True, help="First month, YYYY-MM.")
@click.option("--to", "last", help="Last month, YYYY-MM; else the newest that is published.")
@click.option("--with", "more", default="", metavar="outcomes,stops", help="Outcomes and stop and search too.")
@click.option("--into", type=click.Path(path_type=Path), help="The folder to write into; else police-uk-FORCE.")
@click.option("--cache", type=click.Path(path_type=Path), help="Where whole archives are kept; else the user's cache.")
@click.option("--whole", is_flag=True, help="Fetch archives whole (1.7 GB each), resumed, and check their MD5.")
@click.option("--replace", is_flag=True, help="Replace files that are there and differ.")
def fetch_police_uk_command(
    *, force: str, first: str, last: str | None, more: str, into: Path | None, cache: Path | None, **options: Any
) -> None:
    """Fetch a force's months from the archives of data.police.uk."""
    from loaders.fetching.files import cache_folder
    from loaders.fetching.http import Web
    from loaders.fetching.police_uk import fetch_police_uk, read_wish, ways_by_hand
    from mapping.vocabulary import Month

    settings = _settings()
    wish = read_wish(force, first, last, more)
    by_hand = ways_by_hand(settings.police_uk_url, wish, now=Month.of(settings.clock()))
    with Web(pause_s=settings.fetch_pause_s, by_hand=by_hand) as web, _progress() as progress:
        report = fetch_police_uk(
            web,
            settings.police_uk_url,
            wish,
            into=into or Path(f"police-uk-{force}"),
            cache=cache_folder(cache),
            progress=progress,
            **options,
        )
    _say(report.lines())


@fetch.command("boundaries")
@_QUIET
@click.argument("title")
@click.option("--area", help="Only what is in this district or county: its name or its code.")
@click.option(
    "--resolution", "grade", type=click.Choice(["BFC", "BFE", "BGC", "BSC"]), help="Else BFC, or BGC where it is not."
)
@click.option(
    "--into", type=click.Path(path_type=Path, dir_okay=False), help="The file to write; else named by title and area."
)
@click.option("--cache", type=click.Path(path_type=Path), help="Where pages are kept; else the user's cache.")
@click.option("--replace", is_flag=True, help="Replace the file if it is there and differs.")
def fetch_boundaries_command(title: str, *, area: str | None, into: Path | None, cache: Path | None, **options: Any) -> None:
    """Fetch a set of boundaries from the ONS Open Geography portal, e.g. "Wards December 2024"."""
    from loaders.fetching.files import cache_folder
    from loaders.fetching.http import Web
    from loaders.fetching.ons_boundaries import default_file, fetch_boundaries, way_by_hand

    settings = _settings()
    with Web(pause_s=settings.fetch_pause_s, by_hand=way_by_hand(title)) as web, _progress() as progress:
        report = fetch_boundaries(
            web,
            settings.ons_url,
            title,
            area=area,
            into=into or default_file(title, area),
            cache=cache_folder(cache),
            progress=progress,
            **options,
        )
    _say(report.lines())


@main.group()
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

    proposal = propose_layout(file, today=_settings().clock().date())
    click.echo(proposal.text, nl=False)
    if proposal.questions:
        _say([f"Questions that it leaves: {proposal.questions} (`# ?`). Until they are answered, no load uses it."])


@main.command()
@click.argument("what")
@click.argument("name", required=False)
def unload(what: str, name: str | None) -> None:
    """Take an extract (its number), or `boundaries NAME`, back out of the store."""
    from loaders.ledger import unload_boundaries, unload_extract
    from mapping.store import check_ready

    settings = _settings()
    engine = _engine(settings)
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
    _say([*done.lines(), "To load it again: " + ", ".join(done.files)])
    if done.replaced_files:
        _say(["What it had taken the place of: " + ", ".join(done.replaced_files)])


@main.command()
@click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("--changes", is_flag=True, help="Also what the last load altered in past months.")
def status(format_: str, *, changes: bool) -> None:
    """Show what is loaded and what is missing."""
    from mapping.reader import Reader
    from mapping.status import alteration_lines, read_status, status_lines

    engine = _engine(_settings())
    found = read_status(engine, open_only=False)
    lines = status_lines(found)
    if changes:
        found["changes"] = Reader(engine, open_only=False).alterations()
        lines += alteration_lines(found["changes"])
    click.echo(json.dumps(found, indent=2, ensure_ascii=False) if format_ == "json" else "\n".join(lines))


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
    from mapping.answers import Question
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


_FORMAT = click.option("--format", "format_", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)


@main.command()
@_question_options
@_FORMAT
def counts(*, format_: str, **asked: Any) -> None:
    """Print incidents by ward, month and crime type."""
    from mapping.answers import COUNT_COLUMNS, count_rows
    from mapping.reader import Reader

    rows, meta = count_rows(Reader(_engine(_settings()), open_only=False), _question(**asked))
    _print_rows(COUNT_COLUMNS, rows, meta, format_)


@main.command()
@click.argument("name")
@_measure_options
@_FORMAT
def measure(name: str, *, format_: str, **asked: Any) -> None:
    """Print one figure per ward, with its range and its sentence."""
    from mapping.answers import MEASURE_COLUMNS, answer
    from mapping.reader import Reader

    given = answer(Reader(_engine(_settings()), open_only=False), name, _question(**asked))
    _print_rows(MEASURE_COLUMNS, given.rows, given.meta, format_)


@main.command()
@_question_options
@_FORMAT
def nearness(*, format_: str, **asked: Any) -> None:
    """Print how many of each ward's incidents lie so near another ward that they may belong there."""
    from mapping.lines import NEARNESS_COLUMNS, nearness_rows
    from mapping.reader import Reader

    rows, meta = nearness_rows(Reader(_engine(_settings()), open_only=False), _question(**asked))
    _print_rows(NEARNESS_COLUMNS, rows, meta, format_)


@main.group(invoke_without_command=True)
@_FORMAT
@click.pass_context
def places(ctx: click.Context, *, format_: str) -> None:
    """List places that may be default locations, with the evidence, and what was decided about them."""
    from mapping.default_places import DEFAULT_PLACE_COLUMNS, ZERO_POINT, default_place_rows, read_default_places
    from mapping.reader import Reader
    from mapping.tables import write_csv, write_text

    if ctx.invoked_subcommand:
        return
    reader = Reader(_engine(_settings()), open_only=False)
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
    _say([f"{found['source']}: {found['rows']:,} rows are at 0,0; they are kept without coordinates." for found in nowhere])


_PLACE = click.argument("place", type=click.IntRange(1, 2**31 - 1))


def _decide(place: int, verdict: str, reason: str) -> None:
    from mapping.verdicts import decide_verdict

    settings = _settings()
    said = decide_verdict(_engine(settings), place, verdict=verdict, reason=reason, now=settings.clock())
    _say([f"Place {place} is {said.verdict} as {'a' if verdict == 'confirmed' else 'no'} default location: {said.reason}"])


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

    clear_verdict(_engine(_settings()), place)
    _say([f"Nothing is said of place {place} now."])


@main.command("map")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--measure", "name", default="count", show_default=True, help="The measure to draw.")
@_OPTION
@_question_options
def map_command(file: Path, *, name: str, **asked: Any) -> None:
    """Write a map into one self-contained file that opens anywhere, without a network."""
    from mapping.answers import answer
    from mapping.reader import Reader
    from web.pages import render_map_file

    settings = _settings()
    reader = Reader(_engine(settings), open_only=False)
    given = answer(reader, name, _question(**asked))
    html = render_map_file(reader, given, settings)
    try:
        file.write_text(html, encoding="utf-8")
    except OSError as error:
        raise BadRequest(f"{file}: {error.strerror}.", hint="Name a file that can be written.") from error
    _say_meta(given.meta)
    protected = [s.id for s in reader.catalogue().sources if s.access == "protected" and s.id in given.meta["sources"]]
    if protected:
        _say([f"This file holds figures of protected sources: {', '.join(protected)}. Do not publish it."])


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64), help="Server processes.")
def serve(host: str, port: int, workers: int) -> None:
    """Serve the explorer and the API."""
    _serve(_settings(), host=host, port=port, workers=workers)


@main.command()
@_QUIET
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
def demo(port: int) -> None:
    """Fill instance/demo.db with a made-up county (once) and serve it."""
    from loaders.demo.fill import fill_demo
    from mapping.settings import sqlite_url

    store = Path("instance") / "demo.db"
    settings = load_settings(database_url=sqlite_url(store), audience="public")
    with _progress() as progress:
        fill_demo(store, progress=progress)
    _serve(settings, host="127.0.0.1", port=port, workers=2)


def _serve(settings: Settings, *, host: str, port: int, workers: int) -> None:
    from app import create_app
    from web.server import run_server

    shared = settings.with_secret()
    run_server(lambda: create_app(shared), host=host, port=port, workers=workers)


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
    _say([f"{version}; {stands_on}.", sources, *estimated, *divided, *meta["attribution"]])


def _say(lines: list[str]) -> None:
    for line in lines:
        click.echo(line, err=True)


if __name__ == "__main__":
    main()
