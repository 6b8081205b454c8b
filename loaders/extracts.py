"""Opening received files: plain, in folders, in zip or gzip archives, each with its checksum and nothing trusted."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import zipfile
import zlib
from dataclasses import dataclass
from functools import reduce
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from mapping.errors import DataRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["LARGEST_EXPANDED_BYTES", "Received", "check_archive", "check_members", "open_received"]

TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx")

LARGEST_EXPANDED_BYTES = 8 * 2**30
_HIGHEST_RATIO = 200  # real CSV shrinks 10 to 30 times
_SMALL_BYTES = 50 * 2**20
_MOST_CELLS = 50_000_000  # 1.6 GB where the reader lays them out
_FAR_COLUMN = re.compile(rb"""r=["']([A-Z]{2,3})[0-9]""")
_ROW = re.compile(rb"""r=["'][A-Z]*([0-9]{1,9})["']""")


@dataclass(frozen=True, slots=True)
class Received:
    """One received table file. `name` is how it was given: a path, or `archive.zip/member.csv`."""

    name: str
    data: bytes
    sha256: str

    @property
    def base_name(self) -> str:
        """The last part of its name."""
        return PurePosixPath(self.name.replace("\\", "/")).name


def open_received(
    paths: Iterable[Path], *, left_out: list[str], wanted: Callable[[str], bool] = lambda _name: True
) -> Iterator[Received]:
    """Every table file in the files, folders and archives given, in the order given and by name within each.

    Parameters
    ----------
    left_out
        Is filled with the names of files in folders and archives that are not read.
    wanted
        Whether a table of that name in a folder or archive is to be read.

    Raises
    ------
    DataRefused
        If a file is missing, empty, unreadable, not what its name says, or an archive that expands too far or climbs out.
    """
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith("."))
            chosen = [p for p in inside if _is_table(p.name.removesuffix(".gz"), wanted) or p.suffix.lower() == ".zip"]
            left_out += [str(p) for p in inside if p not in chosen]
            if not chosen:
                raise DataRefused(f"{path}: the folder holds no {', '.join(TABLE_SUFFIXES)} or .zip file to read.")
            nothing = True
            for found in chosen:
                for received in _open_file(found, left_out=left_out, wanted=wanted, in_folder=True):
                    nothing = False
                    yield received
            if nothing:
                raise DataRefused(f"{path}: no archive in the folder holds a file to read.")
        else:
            yield from _open_file(path, left_out=left_out, wanted=wanted)


def _is_table(name: str, wanted: Callable[[str], bool]) -> bool:
    return name.lower().endswith(TABLE_SUFFIXES) and wanted(name)


def _open_file(
    path: Path, *, left_out: list[str], wanted: Callable[[str], bool], in_folder: bool = False
) -> Iterator[Received]:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise DataRefused(f"{path}: {error.strerror}.", hint="Check the name and that it can be read.") from error
    if not path.is_file():
        raise DataRefused(f"{path}: is no file.")
    if not size:
        raise DataRefused(f"{path}: the file is empty.", hint="Fetch it again.")
    suffix = path.suffix.lower()
    if suffix == ".zip":
        yield from _open_zip(path, left_out=left_out, wanted=wanted, in_folder=in_folder)
        return
    if suffix not in (*TABLE_SUFFIXES, ".gz"):
        raise DataRefused(f"{path}: is not a table that can be read.", hint=f"Give {', '.join(TABLE_SUFFIXES)}, .gz or .zip.")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataRefused(f"{path}: {error.strerror}.") from error
    name = str(path)
    if suffix == ".gz":
        data, name = _expand_gzip(data, path), name[:-3]
    yield _received(name, data)


def _received(name: str, data: bytes) -> Received:
    if data.isspace():
        raise DataRefused(f"{name}: the file is empty.", hint="Fetch it again.")
    is_workbook = name.lower().endswith(".xlsx")
    if is_workbook != data.startswith(b"PK\x03\x04"):
        what = "is no XLSX workbook" if is_workbook else "is an archive or a workbook, not a text table"
        raise DataRefused(f"{name}: {what}, whatever its name says.", hint="Save it again in the form that its name says.")
    if is_workbook:
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                check_archive(archive, name)
                _refuse_vast(archive, name)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise DataRefused(f"{name}: the workbook is damaged or cut short.", hint="Fetch it again.") from error
    elif b"\0" in data and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataRefused(f"{name}: is a binary file, not a text table.", hint="Export it as CSV or XLSX.")
    return Received(name, data, hashlib.sha256(data).hexdigest())


def _refuse_vast(workbook: zipfile.ZipFile, name: str) -> None:
    """Refuse a sheet with a cell far from all others: the reader lays out every cell up to it, and dies for want of memory."""
    for sheet in (member for member in workbook.namelist() if member.endswith(".xml") and "sharedStrings" not in member):
        columns = max((_column_number(letters) for letters in _found(workbook, sheet, _FAR_COLUMN)), default=0)
        # Up to column Z a sheet of every row there can be is no more than is read.
        rows = max(map(int, _found(workbook, sheet, _ROW)), default=0) if columns else 0
        if rows * columns > _MOST_CELLS:
            raise DataRefused(
                f"{name}: a sheet reaches to row {rows:,} and column {columns:,}, too far to be read.",
                hint="Delete what stands far from the table, or save the sheet with the table as CSV.",
            )


def _found(archive: zipfile.ZipFile, member: str, pattern: re.Pattern[bytes]) -> Iterator[bytes]:
    """What a pattern finds in a member, read in pieces (whatever stands across two is found, and perhaps twice)."""
    with archive.open(member) as part:
        text = b""
        while piece := part.read(2**22):
            text = text[-30:] + piece
            yield from (found[1] for found in pattern.finditer(text))


def _column_number(letters: bytes) -> int:
    return reduce(lambda number, letter: 26 * number + letter - 64, letters, 0)


def check_archive(archive: zipfile.ZipFile, name: str) -> None:
    """Refuse an archive whose members climb out, are encrypted, or expand beyond reason.

    Raises
    ------
    DataRefused
        Naming the member and the rule.
    """
    check_members(archive.infolist(), name)


def check_members(members: Iterable[zipfile.ZipInfo], name: str) -> None:
    """Do the same for those members that are wanted of an archive that is larger than anybody would unpack."""
    total = 0
    for member in members:
        parts = PurePosixPath(member.filename.replace("\\", "/")).parts
        if ".." in parts or member.filename.startswith(("/", "\\")) or ":" in parts[0] if parts else False:
            raise DataRefused(
                f"{name}: the member '{member.filename}' climbs out of the archive.", hint="Do not trust this file."
            )
        if member.flag_bits & 1:
            raise DataRefused(
                f"{name}: the member '{member.filename}' is encrypted.", hint="Give an archive without a password."
            )
        total += member.file_size
        ratio = member.file_size / max(member.compress_size, 1)
        if total > LARGEST_EXPANDED_BYTES or (member.file_size > _SMALL_BYTES and ratio > _HIGHEST_RATIO):
            raise DataRefused(
                f"{name}: '{member.filename}' would expand {ratio:,.0f} times, to {member.file_size / 2**20:,.0f} MiB.",
                hint="This looks like a zip bomb. If it is real, unpack it yourself and load the folder.",
            )


def _open_zip(path: Path, *, left_out: list[str], wanted: Callable[[str], bool], in_folder: bool) -> Iterator[Received]:
    try:
        with zipfile.ZipFile(path) as archive:
            check_archive(archive, str(path))
            members = sorted(m.filename for m in archive.infolist() if not m.is_dir())
            hidden = [m for m in members if m.startswith("__MACOSX/") or PurePosixPath(m).name.startswith(".")]
            chosen = [m for m in members if _is_table(m, wanted) and m not in hidden]
            left_out += [f"{path}/{m}" for m in members if m not in chosen and m not in hidden]
            # Of a folder some archives may hold something else: they are left out, and named.
            if not chosen and not in_folder:
                raise DataRefused(
                    f"{path}: the archive holds no {', '.join(TABLE_SUFFIXES)} file to read.",
                    hint="It holds: " + (", ".join(members[:5]) or "nothing") + ".",
                )
            for member in chosen:
                yield _received(f"{path}/{member}", archive.read(member))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise DataRefused(f"{path}: the zip archive is damaged or cut short ({error}).", hint="Fetch it again.") from error


def _expand_gzip(data: bytes, path: Path) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            allowed = min(LARGEST_EXPANDED_BYTES, max(_SMALL_BYTES, len(data) * _HIGHEST_RATIO))
            expanded = stream.read(allowed + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataRefused(f"{path}: the gzip file is damaged or cut short ({error}).", hint="Fetch it again.") from error
    if len(expanded) > allowed:
        raise DataRefused(
            f"{path}: would expand to more than {allowed / 2**20:,.0f} MiB.",
            hint="This looks like a bomb. If it is real, unpack it yourself.",
        )
    return expanded
