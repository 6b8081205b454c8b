"""What the tests need of the machine, beside Python packages: where it is, and what to type where it is missing.

Run as a script (`make test` does) it installs what is missing on a Debian where it may, and else says what to type.
"""

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


class MissingError(Exception):
    """Something the tests cannot do without; the message says what to type."""


def find_postgres() -> Path:
    """Return the folder of the newest PostgreSQL's programs that has PostGIS beside it."""
    folders = list(Path("/usr/lib/postgresql").glob("*/bin"))  # Debian keeps them off PATH
    folders.sort(key=lambda folder: int(folder.parent.name), reverse=True)
    if on_path := shutil.which("initdb"):
        folders.append(Path(on_path).parent)
    for folder in folders:
        libraries = [*folder.parent.glob("lib*/postgis-3.*"), *folder.parent.glob("lib*/*/postgis-3.*")]
        if libraries and (folder / "initdb").exists():
            return folder
    raise MissingError(
        "The tests need PostgreSQL with PostGIS. On Debian or Ubuntu, type: sudo apt-get install postgresql-postgis; or "
        "set WARDWATCH_TEST_DATABASE_URL=postgresql+psycopg://... to a server with PostGIS and a user who may create databases."
    )


def find_browser() -> str:
    """Return the path of an installed Chromium or Chrome."""
    chosen = os.environ.get("WARDWATCH_TEST_BROWSER")
    for name in [chosen] if chosen else BROWSERS:
        if path := shutil.which(name):
            return path
    raise MissingError(
        "The tests need Chromium or Chrome. On Debian, type: sudo apt-get install chromium; "
        "or set WARDWATCH_TEST_BROWSER to the path of one."
    )


def find_driver_library() -> None:
    """Refuse where the library is missing that Playwright's own program needs on Linux."""
    if sys.platform == "linux":
        try:
            ctypes.CDLL("libatomic.so.1")
        except OSError as error:
            raise MissingError("Playwright needs libatomic. On Debian or Ubuntu: sudo apt-get install libatomic1") from error


def find_font() -> None:
    """Refuse where Debian's browser would draw no text."""
    if shutil.which("apt-get") and not any(Path("/usr/share/fonts").glob("**/*.ttf")):
        raise MissingError("The browser tests need a font. On Debian or Ubuntu: sudo apt-get install fonts-dejavu-core")


def find_missing() -> dict[str, str]:
    """Return Debian's names for what is missing, with the sentence that says so."""
    needs = {"chromium": find_browser, "libatomic1": find_driver_library, "fonts-dejavu-core": find_font}
    if not os.environ.get("WARDWATCH_TEST_DATABASE_URL"):
        needs["postgresql-postgis"] = find_postgres
    missing = {}
    for package, find in needs.items():
        try:
            find()
        except MissingError as error:
            missing[package] = str(error)
    return missing


def install(packages: list[str]) -> None:
    """Install these packages of Debian's."""
    print("Installing for the tests:", *packages, flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--no-install-recommends", *packages]):
        apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", *command]
        subprocess.run(apt, env=environment, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    missing = find_missing()
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        install([*missing])
        missing = find_missing()
    sys.exit("\n".join(missing.values()) or None)
