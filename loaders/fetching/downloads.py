"""Large files: brought whole into the cache and resumed where they broke off, or read in parts where they stand."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from loaders.fetching.files import said_of_disk
from loaders.fetching.http import MIB, CutShort, Unreachable
from loaders.progress import untold
from mapping.errors import BadRequest

if TYPE_CHECKING:
    from pathlib import Path

    import requests
    from _typeshed import WriteableBuffer

    from loaders.fetching.http import Web
    from loaders.progress import Progress

__all__ = ["RemoteFile", "download"]

_TRIES = 5
_TAIL_BYTES = MIB
"""The list of members stands at the end of a zip archive: that of a national one takes about half of this."""

_AHEAD_BYTES = 64 * 1024
_LARGEST_PART_BYTES = 512 * MIB
_ZIP = b"PK"
_RAW = {"Accept-Encoding": "identity"}
"""Parts of a file can only be counted where it is sent as it is."""


@dataclass(frozen=True, slots=True)
class _Issue:
    """Which issue of a file a server has: parts of two issues must never be put together."""

    etag: str = ""
    modified: str = ""
    size_bytes: int | None = None

    @property
    def validator(self) -> str:
        """What `If-Range` takes; empty where the server names nothing that it could compare byte by byte."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.modified

    def is_other(self, later: _Issue) -> bool:
        """Whether a later answer speaks of another issue; what it leaves out (a part may, RFC 9110 15.3.7) says nothing."""
        pairs = zip((self.etag, self.modified, self.size_bytes), (later.etag, later.modified, later.size_bytes), strict=True)
        return any(mine and its and mine != its for mine, its in pairs)


def _issue_of(response: requests.Response) -> _Issue:
    told = response.headers
    size = told.get("Content-Length", "")
    if response.status_code == 206:
        _, size = _content_range(response)
    return _Issue(told.get("ETag", ""), told.get("Last-Modified", ""), int(size) if size.isdigit() else None)


def _content_range(response: requests.Response) -> tuple[int, str]:
    """Where a part begins, and how large the whole is (as text: it may be `*`)."""
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", "").strip())
    if not found:
        raise Unreachable(f"{response.url}: sends a part without saying which.", hint="Try again with --whole.")
    return int(found[1]), found[2]


def download(web: Web, url: str, target: Path, *, md5: str = "", progress: Progress = untold) -> None:
    """Bring a zip archive whole to `target`; a part that is there is gone on with, a whole one of the same issue kept.

    Raises
    ------
    Unreachable
        If it cannot be had, or is not what its length or its MD5 (hexadecimal, where given) says.
    BadRequest
        If the disk has no room for it.
    """
    part = target.with_name(target.name + ".part")
    with said_of_disk(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_file() and md5 and _md5(target) == md5:
            return
        if not (target.is_file() and not md5 and _is_still(web, url, target)):
            _fill(web, url, part, progress)
            if md5 and _md5(part) != md5:
                part.unlink()
                raise Unreachable(
                    f"{url}: what arrived is not what was published: its MD5 is not {md5}.",
                    hint="It was thrown away. Try again; if it happens again, tell the publisher.",
                )
            _note(part).replace(_note(target))
            part.replace(target)


def _fill(web: Web, url: str, part: Path, progress: Progress) -> None:
    furthest, fruitless = 0, 0
    while True:
        try:
            _go_on(web, url, part, progress)
        except CutShort:
            reached = part.stat().st_size if part.exists() else 0
            fruitless = 0 if reached > furthest else fruitless + 1
            furthest = max(furthest, reached)
            if fruitless == _TRIES:
                raise
            web.back_off(fruitless)
        else:
            return


def _go_on(web: Web, url: str, part: Path, progress: Progress) -> None:
    """One request for what is missing; the part on disk grows, or begins anew where the server has another issue."""
    known = _read_note(part)
    had = part.stat().st_size if part.exists() and known.validator else 0
    if had and had == known.size_bytes:
        return
    headers = {**_RAW, "Range": f"bytes={had}-", "If-Range": known.validator} if had else _RAW
    with web.open(url, headers=headers) as response:
        issue = _issue_of(response)
        is_part = response.status_code == 206
        if response.status_code == 416 or (is_part and (_content_range(response)[0] != had or known.is_other(issue))):
            part.unlink(missing_ok=True)
            raise CutShort(f"{url}: was replaced by another issue while it was fetched.", hint="Try again.")
        if response.status_code == 200:
            had = 0
            _refuse_pages(web, url, response)
            _note(part).write_text(json.dumps(asdict(issue)), encoding="utf-8")
        _check_room(part, (issue.size_bytes or 0) - had)
        with part.open("r+b" if had else "wb") as file:
            file.seek(had)
            for chunk in web.pieces(response):
                if not had and not chunk.startswith(_ZIP):
                    raise web.no_data(url, "a zip archive") if chunk.lstrip()[:1] == b"<" else _no_archive(url)
                file.write(chunk)
                had += len(chunk)
                progress(f"downloading {part.stem}", had / issue.size_bytes if issue.size_bytes else 0)
    if issue.size_bytes and had != issue.size_bytes:
        raise CutShort(f"{url}: {had:,} bytes arrived of {issue.size_bytes:,}.", hint="Try again.")


def _is_still(web: Web, url: str, target: Path) -> bool:
    """Whether the server has the very issue that is kept."""
    kept = _read_note(target)
    asked = {"If-None-Match": kept.etag} if kept.etag else {"If-Modified-Since": kept.modified} if kept.modified else {}
    if not asked or kept.size_bytes not in (None, target.stat().st_size):
        return False
    with web.open(url, headers=_RAW | asked) as response:
        return response.status_code == 304 or not kept.is_other(_issue_of(response))


def _refuse_pages(web: Web, url: str, response: requests.Response) -> None:
    if response.headers.get("Content-Type", "").startswith("text/html"):
        raise web.no_data(url, "a zip archive")


def _no_archive(url: str) -> Unreachable:
    return Unreachable(f"{url}: what it sends is no zip archive.", hint="Look at the address in a browser.")


def _check_room(part: Path, needed_bytes: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if needed_bytes > free:
        raise BadRequest(
            f"{part.parent}: {needed_bytes / MIB:,.0f} MiB are needed and {free / MIB:,.0f} MiB are free.",
            hint="Make room, or name another folder with --cache.",
        )


def _note(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _read_note(path: Path) -> _Issue:
    try:
        return _Issue(**json.loads(_note(path).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return _Issue()


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


class RemoteFile(io.RawIOBase):
    """A file on a server that answers ranges, read where it is wanted: a few MiB of an archive of 1.7 GB."""

    def __init__(self, web: Web, url: str) -> None:
        """Ask whether it answers ranges: `answers_ranges` says so, and nothing else can be done where it does not."""
        super().__init__()
        self._web, self._url = web, url
        self._at, self._start, self._window = 0, 0, b""
        self.read_bytes = 0
        with web.open(url, headers=_RAW | {"Range": "bytes=0-3"}) as response:
            self.answers_ranges = response.status_code == 206
            _refuse_pages(web, url, response)
            self._issue = _issue_of(response)
            # The address behind any forwarding: asked once, not for every part.
            self._url = response.url
        self.answers_ranges = self.answers_ranges and bool(self._issue.size_bytes)
        self.size_bytes = self._issue.size_bytes or 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go there; nothing is asked for yet."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size_bytes}[whence]
        if base + offset < 0:
            raise ValueError("before the start of the file")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer from what was fetched last, or fetch what is missing."""
        wanted = memoryview(buffer).cast("B")
        if self._at >= self.size_bytes or not wanted:
            return 0
        if not self._start <= self._at < self._start + len(self._window):
            tail = self.size_bytes - _TAIL_BYTES
            self.fetch(max(tail, 0) if self._at > tail else self._at, self._at + max(len(wanted), _AHEAD_BYTES))
        piece = self._window[self._at - self._start :][: len(wanted)]
        wanted[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def fetch(self, start: int, stop: int) -> None:
        """Have these bytes at hand, in one request unless it breaks off; the end of the file is fetched whole."""
        stop = min(stop, self.size_bytes) if start < self.size_bytes - _TAIL_BYTES else self.size_bytes
        if stop - start > _LARGEST_PART_BYTES:
            raise Unreachable(f"{self._url}: one file in it is larger than {_LARGEST_PART_BYTES // MIB} MiB: not read.")
        got, fruitless = bytearray(), 0
        while len(got) < stop - start:
            before = len(got)
            try:
                self._fetch_rest(start, stop, got)
            except CutShort:
                fruitless = 0 if len(got) > before else fruitless + 1
                if fruitless == _TRIES:
                    raise
                self._web.back_off(fruitless)
        self._start, self._window = start, bytes(got)
        self.read_bytes += len(got)

    def _fetch_rest(self, start: int, stop: int, got: bytearray) -> None:
        headers = {**_RAW, "Range": f"bytes={start + len(got)}-{stop - 1}"}
        if self._issue.validator:
            headers["If-Range"] = self._issue.validator
        with self._web.open(self._url, headers=headers) as response:
            changed = response.status_code != 206 or self._issue.is_other(_issue_of(response))
            if changed or _content_range(response)[0] != start + len(got):
                raise Unreachable(
                    f"{self._url}: was replaced by another issue while it was read.",
                    hint="Run it again: files that are there already are compared, not fetched again.",
                )
            for chunk in self._web.pieces(response):
                got += chunk[: stop - start - len(got)]
        if len(got) < stop - start:
            raise CutShort(f"{self._url}: fewer bytes arrived than were asked for.", hint="Try again.")
