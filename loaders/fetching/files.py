"""Files on this disk: where fetched ones are kept, and how they are written whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from mapping.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["cache_folder", "crc_of", "said_of_disk", "writing_whole"]


def cache_folder(given: Path | None) -> Path:
    """Where what was fetched is kept for the next time: as given, else the user's own cache."""
    if given:
        return given
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local") / "wardwatch" / "Cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wardwatch"


@contextmanager
def writing_whole(path: Path) -> Iterator[BinaryIO]:
    """Write a file beside its place, and put it there when all of it is written; on any failure nothing is left."""
    with said_of_disk(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".fetching-", delete=False) as file:
            try:
                yield file  # type: ignore[misc]
                file.close()
                Path(file.name).chmod(0o666 & ~_umask())
                Path(file.name).replace(path)
            except BaseException:
                file.close()
                Path(file.name).unlink(missing_ok=True)
                raise


@contextmanager
def said_of_disk(path: Path) -> Iterator[None]:
    """A full disk, or a folder that may not be written, in plain words."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise BadRequest(
                f"{path}: the disk is full.", hint="Make room, or name another folder, and run it again."
            ) from error
        raise BadRequest(f"{path}: {error.strerror or error}.", hint="Name a place that can be written.") from error


def crc_of(path: Path) -> int:
    """The CRC-32 of a file, as zip archives list it."""
    crc = 0
    with path.open("rb") as file:
        while chunk := file.read(2**20):
            crc = zlib.crc32(chunk, crc)
    return crc


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
