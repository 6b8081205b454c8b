"""The national archives of data.police.uk: which there are, which to take, and what stands in them."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from itertools import zip_longest
from typing import TYPE_CHECKING

from loaders.fetching.downloads import RemoteFile, download
from loaders.fetching.files import said_of_disk
from loaders.fetching.http import Unreachable
from mapping.vocabulary import Month

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from loaders.fetching.http import Web
    from loaders.progress import Progress

__all__ = ["FIRST_MONTH", "Archives", "plan_archives", "read_archive_page"]

FIRST_MONTH = Month(2010, 12)
_LAST_LONG = Month(2017, 4)
"""Archives up to this one reach back to the first month; later ones hold 36 months (docs/fetching.md)."""

_MONTHS_HELD = 36


def read_archive_page(page: str) -> dict[Month, str]:
    """The archives that the page lists, each with its MD5; empty where there is none, or more than one, by its link.

    >>> read_archive_page('<a href="/data/archive/2024-01.zip">January 2024</a>')
    {Month(year=2024, number=1): ''}
    """
    links = [*re.finditer(r"(\d{4})-(0[1-9]|1[0-2])\.zip", page)]
    found: dict[Month, set[str]] = {}
    for link, after in zip_longest(links, links[1:]):
        until = page[link.end() : after.start() if after else None]
        month = Month(int(link[1]), int(link[2]))
        found.setdefault(month, set()).update(re.findall(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])", until))
    return {month: sums.pop() if len(sums) == 1 else "" for month, sums in sorted(found.items())}


def plan_archives(months: Iterable[Month], published: Iterable[Month]) -> list[Month]:
    """The fewest archives that should hold all of these months, the newer where either would do; oldest first.

    Walking from the oldest month on, the newest archive that still reaches back to it covers the most.
    """
    left, chosen = sorted(months), []
    while left:
        able = [archive for archive in published if _reaches(archive) <= left[0] <= archive]
        if not able:
            left = left[1:]
            continue
        chosen.append(max(able))
        left = [month for month in left if month > chosen[-1]]
    return chosen


def _reaches(archive: Month) -> Month:
    return FIRST_MONTH if archive <= _LAST_LONG else archive.plus(1 - _MONTHS_HELD)


class Archives:
    """The archives in use, each opened once: in place where the server answers ranges, else whole from the cache."""

    def __init__(
        self, web: Web, base_url: str, published: dict[Month, str], *, cache: Path, whole: bool, progress: Progress
    ) -> None:
        self.published = published
        self.notes: list[str] = []
        self._web, self._base_url, self._cache, self._whole, self._progress = web, base_url, cache, whole, progress
        self._opened: dict[Month, tuple[zipfile.ZipFile, RemoteFile | None]] = {}

    def members(self, archive: Month) -> list[zipfile.ZipInfo]:
        """Everything that it lists."""
        return self._open(archive)[0].infolist()

    def read(self, archive: Month, member: zipfile.ZipInfo) -> bytes:
        """The bytes of a member; its CRC is checked by reading it to its end."""
        opened, remote = self._open(archive)
        if remote:
            start = member.header_offset
            # Its own header before it names it once more, and may say more than the list at the end does.
            header = 30 + 2 * len(member.orig_filename.encode()) + 1024
            remote.fetch(start, start + header + member.compress_size)
        try:
            return opened.read(member)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise Unreachable(
                f"{self._url(archive)}: {member.filename} is damaged ({error}).",
                hint="Run it again; if it happens again, with --whole.",
            ) from error

    def close(self) -> None:
        """Let go of the files."""
        for opened, _ in self._opened.values():
            opened.close()

    def _url(self, archive: Month) -> str:
        return f"{self._base_url}/data/archive/{archive}.zip"

    def _open(self, archive: Month) -> tuple[zipfile.ZipFile, RemoteFile | None]:
        if archive not in self._opened:
            url = self._url(archive)
            remote = None if self._whole else RemoteFile(self._web, url)
            try:
                if remote and remote.answers_ranges:
                    self._progress(f"listing archive {archive}", 0)
                    self._opened[archive] = (zipfile.ZipFile(io.BufferedReader(remote)), remote)
                else:
                    self._opened[archive] = (self._fetched(archive, url), None)
            except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError, struct.error) as error:
                raise Unreachable(f"{url}: is no zip archive, or is cut short ({error}).", hint="Try again later.") from error
        return self._opened[archive]

    def _fetched(self, archive: Month, url: str) -> zipfile.ZipFile:
        target = self._cache / "police-uk" / f"{archive}.zip"
        md5 = self.published[archive]
        download(self._web, url, target, md5=md5, progress=self._progress)
        checked = "its MD5 is the published one" if md5 else "no MD5 is published for it"
        self.notes.append(f"Archive {archive} is kept in {target} ({target.stat().st_size / 1e6:,.1f} MB; {checked}).")
        try:
            with said_of_disk(target):
                return zipfile.ZipFile(target)
        except zipfile.BadZipFile:
            target.unlink()  # else it would be found again
            raise
