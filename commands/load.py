"""`wardwatch load`: files into the store."""

from __future__ import annotations

import gc
from datetime import date
from pathlib import Path
from typing import Any

import click

from commands.terminal import QUIET, open_store, progress_bar, say
from mapping.errors import BadRequest
from mapping.settings import load_settings

__all__ = ["load"]


@click.group()
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
@QUIET
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

    settings = load_settings()
    with progress_bar() as progress:
        report = load_boundaries(open_store(settings), file, now=settings.clock(), progress=progress, **options)
    say(report.lines())


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
    settings = load_settings()
    if file:
        say(load_population(open_store(settings), file, now=settings.clock(), **given).lines())
        return
    wrong = {"match", "column", "attribution"} & given.keys()
    if wrong:
        raise click.UsageError(f"--{min(wrong)} says how a file is read; with --from-boundaries there is none.")
    report = apportion_population(open_store(settings), from_boundaries=from_boundaries or "", now=settings.clock(), **given)
    say(report.lines())


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
    settings = load_settings()
    if from_boundaries:
        report = load_lookup_from_shapes(
            open_store(settings), from_boundaries=from_boundaries, boundaries=boundaries, now=settings.clock()
        )
    elif file and areas:
        report = load_lookup(open_store(settings), file, areas=areas, boundaries=boundaries, now=settings.clock(), **options)
    else:
        raise click.UsageError("Give a file and --areas, or --from-boundaries.")
    say(report.lines())


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

    settings = load_settings()
    report = load_area_counts(
        open_store(settings), file, now=settings.clock(), window=_window(window) if window else None, **options
    )
    say(report.lines())


@load.command("incidents")
@QUIET
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

    settings = load_settings()
    with progress_bar() as progress:
        report = load_incidents(
            open_store(settings),
            files,
            now=settings.clock(),
            window=_window(window) if window else None,
            progress=progress,
            **options,
        )
    say(report.lines())


@load.command("breaks")
@click.argument("file", type=click.Path(path_type=Path))
def load_breaks_command(file: Path) -> None:
    """Load the months from which something is recorded in another way: CSV or XLSX, in place of those loaded before."""
    from loaders.recording_breaks import load_breaks

    settings = load_settings()
    say(load_breaks(open_store(settings), file, now=settings.clock()).lines())


@load.command("weights")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--attribution", default="", help="What must be printed with figures made from it.")
def load_weights_command(file: Path, attribution: str) -> None:
    """Load the harm of one incident of each crime type: CSV or XLSX with crime_type, weight, source, version and date."""
    from loaders.harm_weights import load_weights

    settings = load_settings()
    say(load_weights(open_store(settings), file, now=settings.clock(), attribution=attribution).lines())


@load.command("groups")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--boundaries", help="The boundary set; else the one that the codes belong to.")
@click.option("--column", help="The column of groups, where none is called so.")
@click.option("--attribution", default="", help="What must be printed with figures made from it.")
def load_groups_command(file: Path, **options: Any) -> None:
    """Load which wards are comparable, for `similar wards`: CSV or XLSX with a row for each ward and its group."""
    from loaders.ward_groups import load_groups

    settings = load_settings()
    say(load_groups(open_store(settings), file, now=settings.clock(), **options).lines())


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
