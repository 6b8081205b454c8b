"""`wardwatch fetch`: files from the services that publish them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from commands.terminal import QUIET, progress_bar, say
from mapping.settings import load_settings

__all__ = ["fetch"]


@click.group()
def fetch() -> None:
    """Fetch files that `load` reads, from the services that publish them; the store is not touched."""


@fetch.command("police-uk")
@QUIET
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

    settings = load_settings()
    wish = read_wish(force, first, last, more)
    by_hand = ways_by_hand(settings.police_uk_url, wish, now=Month.of(settings.clock()))
    with Web(pause_s=settings.fetch_pause_s, by_hand=by_hand) as web, progress_bar() as progress:
        report = fetch_police_uk(
            web,
            settings.police_uk_url,
            wish,
            into=into or Path(f"police-uk-{force}"),
            cache=cache_folder(cache),
            progress=progress,
            **options,
        )
    say(report.lines())


@fetch.command("boundaries")
@QUIET
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

    settings = load_settings()
    with Web(pause_s=settings.fetch_pause_s, by_hand=way_by_hand(title)) as web, progress_bar() as progress:
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
    say(report.lines())
