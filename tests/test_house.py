"""The house's own rules bite: a planted violation of each is found, with the project's settings."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import machine

CLONE = Path(__file__).parent.parent
PROGRAMS = Path(sys.executable).parent


@pytest.fixture
def house(tmp_path):
    """Give a copy of the code, in which a violation can be planted."""
    for folder in ("commands", "mapping", "loaders", "web"):
        shutil.copytree(CLONE / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("app.py", "cli.py", "pyproject.toml"):
        shutil.copy(CLONE / file, tmp_path)
    return tmp_path


def check(house, *command):
    done = subprocess.run(
        [PROGRAMS / command[0], *command[1:]],
        cwd=house,
        env=os.environ | {"PYTHONPATH": str(house)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_imports_run_one_way(house):
    status, said = check(house, "lint-imports", "--no-cache")

    assert status == 0, said


@pytest.mark.parametrize(
    ("module", "imports", "contract"),
    [
        ("mapping/errors.py", "loaders", "loaders and web stand on mapping"),
        ("loaders/__init__.py", "web", "loaders and web stand on mapping"),
        ("web/__init__.py", "loaders", "loaders and web stand on mapping"),
        ("web/__init__.py", "app", "app.py and cli.py sit on top"),
        ("loaders/__init__.py", "commands", "app.py and cli.py sit on top"),
        ("mapping/vocabulary.py", "mapping.store", "inside mapping imports run one way"),
        ("mapping/unplaced.py", "mapping.errors", "inside mapping imports run one way"),
        ("mapping/statistics/__init__.py", "mapping.counts", "statistics are pure"),
        ("mapping/statistics/__init__.py", "sqlalchemy", "statistics are pure"),
        ("mapping/counts.py", "flask", "mapping knows no HTTP and no files"),
        ("loaders/__init__.py", "flask", "loaders serve no pages"),
    ],
)
def test_an_import_against_the_stream_is_found(house, module, imports, contract):
    with (house / module).open("a") as file:
        file.write(f"\nimport {imports}\n")

    status, said = check(house, "lint-imports", "--no-cache")

    assert status == 1
    assert any(line.startswith(contract) and line.endswith("BROKEN") for line in said.splitlines()), said


@pytest.mark.parametrize(
    ("command", "code", "complaint"),
    [
        (["ruff", "check"], '"""Planted."""\n\nimport os\n', "F401"),
        (["ruff", "format", "--check"], "x = 'planted'\n", "reformatted"),
        (["mypy", "--strict"], "def planted(x):\n    return x\n", "no-untyped-def"),
    ],
)
def test_a_fault_is_found(house, command, code, complaint):
    (house / "planted.py").write_text(code)

    status, said = check(house, *command, "planted.py")

    assert status == 1
    assert complaint in said


def test_a_missing_engine_is_named_not_skipped(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("WARDWATCH_TEST_BROWSER", raising=False)

    with pytest.raises(machine.MissingError, match="apt-get install chromium"):
        machine.find_browser()
