"""fetch_police_uk: the months of one force out of data.police.uk's national archives, as few of them as hold the months."""

from __future__ import annotations

import difflib
import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loaders.extracts import check_members
from loaders.fetching.files import crc_of, said_of_disk, writing_whole
from loaders.fetching.http import Unreachable
from loaders.fetching.police_archives import FIRST_MONTH, Archives, plan_archives, read_archive_page
from loaders.progress import untold
from mapping.errors import BadRequest
from mapping.vocabulary import Month, Period

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Sequence
    from pathlib import Path

    from loaders.fetching.http import Web
    from loaders.progress import Progress

__all__ = ["STREAMS", "PoliceUkReport", "Wish", "fetch_police_uk", "read_wish", "ways_by_hand"]

STREAMS = {"street": "street", "outcomes": "outcomes", "stops": "stop-and-search"}
"""What of a force may be fetched, and how the names of its files end."""

LAYOUTS = {"outcomes": "police-uk-outcomes", "stops": "police-uk-stop-and-search"}
"""The layouts that read what `load incidents` leaves out of a folder unless it is told."""

_UNLISTED_FORCES = ("btp",)
"""Forces of the archives that the API's list of forces leaves out: British Transport Police."""

_FORCE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
"""It becomes part of the names of files."""

_MEMBER = re.compile(r"(?:[\w-]+/)*(\d{4}-\d{2})-([a-z0-9-]+?)-(street|outcomes|stop-and-search)\.csv")


@dataclass(slots=True)
class PoliceUkReport:
    """What was fetched; `missing` are the months that no archive has for the force, by the stream's name."""

    folder: Path
    streams: tuple[str, ...]
    written: list[str] = field(default_factory=list)
    unchanged: int = 0
    missing: dict[str, list[Month]] = field(default_factory=dict)
    archives: list[Month] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The report as it is printed."""
        there = f", {self.unchanged:,} were there already and are the same" if self.unchanged else ""
        said = [f"{len(self.written):,} files written to {self.folder}{there} (archives {', '.join(map(str, self.archives))})."]
        said += [
            f"Not published: {_listed(months)} ({stream}): counts as not supplied." for stream, months in self.missing.items()
        ]
        load = f"wardwatch load incidents {shlex.quote(str(self.folder))}"
        layouts = [LAYOUTS[stream] for stream in self.streams if stream in LAYOUTS]
        more = "".join(f"; and: {load} --layout {layout}" for layout in layouts)
        return [*said, *self.notes, f"Load them with: {load}{more}"]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One member of one archive, and the file that it becomes: the name in the archive is never used as a path."""

    month: Month
    stream: str
    archive: Month
    member: zipfile.ZipInfo
    path: Path


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: `last` None is the newest month that is published, `streams` are of `STREAMS`."""

    force: str
    first: Month
    last: Month | None
    streams: tuple[str, ...]


def read_wish(force: str, first: str, last: str | None, more: str) -> Wish:
    """What the command line says; `more` are the streams beside `street`, with commas.

    Raises
    ------
    BadRequest
        If a month is none, the period ends before it starts, or there is no such stream.
    """
    beside = [word.strip() for word in more.split(",") if word.strip()]
    unknown = [word for word in beside if word not in STREAMS]
    if unknown:
        raise BadRequest(
            f"'{unknown[0]}' is nothing that can be fetched.",
            hint="Write --with outcomes, --with stops or --with outcomes,stops.",
        )
    start, end = Month.parse(first, parameter="from"), Month.parse(last, parameter="to") if last else None
    Period(start, end or start)
    return Wish(force, start, end, tuple(dict.fromkeys(["street", *beside])))


def ways_by_hand(base_url: str, wish: Wish, *, now: Month) -> str:
    """How to get the same with a browser, on a machine that has a network."""
    # The newest archive is of two months ago or so; which it is cannot be asked, and it has an address of its own.
    newest = now.plus(-2)
    last = min(wish.last or newest, newest)
    archives = plan_archives(Period(wish.first, last), Period(Month(2013, 12), newest)) if wish.first <= last else [newest]
    addresses = ", ".join(f"{base_url}/data/archive/{'latest' if month == newest else month}.zip" for month in archives)
    return (
        "Without a network here: run the same command on a machine that has one and carry the folder it writes. Or open "
        f"{base_url}/data/ there, choose the months and the force, and load the zip it gives; of months older than three years "
        f"unpack the files named ...-{wish.force}-street.csv from {addresses}."
    )


def fetch_police_uk(
    web: Web,
    base_url: str,
    wish: Wish,
    *,
    into: Path,
    cache: Path,
    whole: bool = False,
    replace: bool = False,
    progress: Progress = untold,
) -> PoliceUkReport:
    """Write `into/YYYY-MM/YYYY-MM-force-street.csv` for every month asked for that is published.

    Parameters
    ----------
    cache
        Where whole archives are kept.
    whole
        Fetch archives whole and check their published MD5, instead of the force's files out of them.
    replace
        Allow files that are there to be replaced by others.

    Raises
    ------
    BadRequest
        If there is no such force or month, or a file that is there differs: nothing is written then.
    Unreachable
        If the service does not answer as it should; the files written so far are whole, and are not fetched again.
    """
    progress("asking what is published", 0)
    _check_force(web, base_url, wish.force)
    published = _published(web, base_url)
    period = _check_months(wish, published, base_url)
    report = PoliceUkReport(into, wish.streams)
    sources = Archives(web, base_url, published, cache=cache, whole=whole, progress=progress)
    try:
        wanted = _find(sources, wish, period, into=into, report=report)
        fresh = _compare(wanted, report, replace=replace)
        for done, file in enumerate(fresh):
            progress(f"fetching {file.month}", done / len(fresh))
            with writing_whole(file.path) as out:
                out.write(sources.read(file.archive, file.member))
            report.written.append(file.path.name)
    finally:
        sources.close()
    report.notes += sources.notes
    return report


def _check_force(web: Web, base_url: str, force: str) -> None:
    listed = web.read_json(f"{base_url}/api/forces", largest_mib=1)
    try:
        known: dict[str, str] = {entry["id"]: str(entry["name"]) for entry in listed if _FORCE.fullmatch(entry["id"])}
    except (TypeError, KeyError) as error:
        raise Unreachable(f"{base_url}/api/forces: is no list of forces.", hint="The service has changed.") from error
    if force in known or force in _UNLISTED_FORCES:
        return
    by_name = {name.casefold(): i for i, name in known.items()}
    near = difflib.get_close_matches(force.casefold(), [*known, *by_name], n=5, cutoff=0.5)
    near += [i for i, name in known.items() if force.casefold() in name.casefold()]
    ids: list[str] = list(dict.fromkeys(by_name.get(found, found) for found in near))
    raise BadRequest(
        f"data.police.uk has no force '{force}'.",
        hint=f"Near to it: {', '.join(ids)}." if ids else f"There are: {', '.join(sorted([*known, *_UNLISTED_FORCES]))}.",
        parameter="force",
        value=force,
    )


def _published(web: Web, base_url: str) -> dict[Month, str]:
    """The archives there are, with their MD5; of a page that names none, the months that the API has are taken for them."""
    listed = read_archive_page(web.read(f"{base_url}/data/archive/").decode("utf-8", "replace"))
    if listed:
        return listed
    address = f"{base_url}/api/crimes-street-dates"
    try:
        return {Month.parse(entry["date"]): "" for entry in web.read_json(address, largest_mib=1)}
    except (TypeError, KeyError, BadRequest) as error:
        raise Unreachable(f"{address}: is no list of months.", hint="The service has changed.") from error


def _check_months(wish: Wish, published: dict[Month, str], base_url: str) -> Period:
    if not published:
        raise Unreachable(f"{base_url}/data/archive/: lists no archive.", hint="The page has changed, or is another's.")
    newest, first, last = max(published), wish.first, wish.last
    if first < FIRST_MONTH:
        raise BadRequest(f"data.police.uk begins with {FIRST_MONTH}, not {first}.", hint=f"Ask --from {FIRST_MONTH}.")
    for name, month in (("from", first), ("to", last)):
        if month and month > newest:
            raise BadRequest(
                f"{month} is not published yet: the newest month is {newest}.", hint=f"Ask --{name} {newest} or before."
            )
    return Period(first, last or newest)


def _find(sources: Archives, wish: Wish, period: Period, *, into: Path, report: PoliceUkReport) -> list[_Wanted]:
    """Where each month stands: in the newest opened archive that has it. An archive that does not reach so far is left."""
    found: dict[tuple[Month, str], _Wanted] = {}
    looked: set[Month] = set()
    seen: set[Month] = set()
    left = set(period)
    while left:
        archive = next(iter(plan_archives(left, set(sources.published) - looked)), None)
        if archive is None:
            break
        looked.add(archive)
        months, wanted = _members_of(sources, archive, wish, into)
        seen |= months
        for file in wanted:
            had = found.get((file.month, file.stream))
            if file.month in set(period) and (had is None or had.archive < archive):
                found[file.month, file.stream] = file
        left = {month for month in left if month not in months}
    report.archives = sorted({file.archive for file in found.values()} or looked)
    unheld = sorted(set(period) - seen)
    if unheld:
        report.notes.append(f"No archive holds {_listed(unheld)} of any force.")
    for stream in wish.streams:
        missing = [month for month in period if (month, stream) not in found]
        if missing:
            report.missing[stream] = missing
    if not found:
        raise BadRequest(
            f"data.police.uk has nothing of {wish.force} for {period.first} to {period.last} ({', '.join(wish.streams)}).",
            hint="Ask for other months: forces miss some.",
        )
    return [found[key] for key in sorted(found)]


def _members_of(sources: Archives, archive: Month, wish: Wish, into: Path) -> tuple[set[Month], list[_Wanted]]:
    """The months of an archive, of whatever force, and the files of this force."""
    endings = {STREAMS[stream]: stream for stream in wish.streams}
    months: set[Month] = set()
    wanted: dict[str, _Wanted] = {}
    for member in sources.members(archive):
        name = _MEMBER.fullmatch(member.filename)
        if not name or not "01" <= name[1][5:] <= "12":
            continue
        month = Month.parse(name[1])
        months.add(month)
        if name[2] == wish.force and name[3] in endings:
            file_name = f"{month}-{wish.force}-{name[3]}.csv"
            if file_name in wanted:
                raise Unreachable(f"Archive {archive} holds {file_name} twice.", hint="It is damaged: tell the publisher.")
            path = into / str(month) / file_name
            wanted[file_name] = _Wanted(month, endings[name[3]], archive, member, path)
    check_members([file.member for file in wanted.values()], f"archive {archive}")
    return months, list(wanted.values())


def _compare(wanted: list[_Wanted], report: PoliceUkReport, *, replace: bool) -> list[_Wanted]:
    """Those that are not there yet; files that differ are named and refused before anything is written."""
    fresh, differing = [], []
    for file in wanted:
        with said_of_disk(file.path):
            if not file.path.exists():
                fresh.append(file)
            elif file.path.stat().st_size == file.member.file_size and crc_of(file.path) == file.member.CRC:
                report.unchanged += 1
            else:
                fresh.append(file)
                sizes = f"{file.path.stat().st_size:,} bytes here, {file.member.file_size:,} in archive {file.archive}"
                differing.append(f"{file.path} ({sizes})")
    if differing and not replace:
        shown = "; ".join(differing[:5]) + (f"; and {len(differing) - 5} more" if len(differing) > 5 else "")
        raise BadRequest(
            f"Other files are there already: {shown}. Nothing was written.",
            hint="Months are issued again with corrections: --replace takes the new issue, --into DIR keeps both.",
        )
    report.notes += [f"Replaced: {text}." for text in differing]
    return fresh


def _listed(months: Sequence[Month]) -> str:
    """`2024-01, 2024-03 to 2024-05`."""
    runs: list[list[Month]] = []
    for month in months:
        if runs and month == runs[-1][-1].plus(1):
            runs[-1].append(month)
        else:
            runs.append([month])
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
