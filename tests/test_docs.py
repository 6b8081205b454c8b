"""The docs name everything there is, and what they tell to type works."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from app import create_app
from cli import main
from loaders.layouts import Columns, Layout
from mapping.answers import COUNT_COLUMNS, MEASURE_COLUMNS
from mapping.choropleth import STATUS_WORDS
from mapping.measures import all_measures
from mapping.settings import Settings
from mapping.vocabulary import BUILT_IN_CRIME_TYPES, GROUP_NAMES
from web.errors import STATUSES
from web.params import QUESTION

CLONE = Path(__file__).parent.parent
FIXTURES = CLONE / "tests/fixtures"
DOCS = {
    path.relative_to(CLONE).as_posix(): path.read_text(encoding="utf-8")
    for path in (CLONE / "README.md", CLONE / "CHANGELOG.md", *sorted((CLONE / "docs").glob("*.md")))
}
ALL = "\n".join(DOCS.values())

BLOCK = re.compile(r"^(?:<!-- (?P<mark>[^>]*) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def commands(command=main, words=("wardwatch",)):
    yield words, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*words, name))


def documented(word, text):
    """Whether a word stands in a text as code: in backquotes or in a block."""
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", "\n".join(re.findall(r"`[^`]+`|```.*?```", text, re.DOTALL)))


@pytest.mark.parametrize(
    ("words", "command"), [*commands()], ids=lambda value: " ".join(value) if isinstance(value, tuple) else ""
)
def test_every_command_is_documented(words, command):
    assert " ".join(words) in ALL
    options = [o for p in command.params if isinstance(p, click.Option) for o in p.opts]
    assert [option for option in options if not documented(option, ALL)] == []


def test_every_setting_is_documented_with_its_default():
    table = DOCS["docs/settings.md"]
    for name, setting in Settings.model_fields.items():
        row = re.search(rf"^\| `WARDWATCH_{name.upper()}` \| ([^|]*) \|", table, re.MULTILINE)
        assert row, name
        if setting.default:
            assert row[1] == f"`{setting.default}`", name


def test_no_setting_is_documented_that_is_not_there():
    known = {f"WARDWATCH_{name.upper()}" for name in Settings.model_fields}
    known |= {"WARDWATCH_TEST_DATABASE_URL", "WARDWATCH_TEST_BROWSER", "WARDWATCH_SAMPLE"}

    assert set(re.findall(r"WARDWATCH_[A-Z_]+", ALL)) <= known


def test_every_address_is_documented():
    rules = [re.sub(r"<(?:[^<>]*:)?(\w+)>", r"<\1>", rule.rule) for rule in create_app().url_map.iter_rules()]

    assert [rule for rule in rules if f"`{rule}`" not in DOCS["docs/api.md"]] == []


def test_no_address_is_documented_that_is_not_there():
    rules = {re.sub(r"<(?:[^<>]*:)?(\w+)>", r"<\1>", rule.rule) for rule in create_app().url_map.iter_rules()}
    named = set(re.findall(r"`(/[\w/<>.-]*)`", DOCS["docs/api.md"])) - {"/api/v1"}

    assert named - rules == set()


@pytest.mark.parametrize("measure", [*all_measures().values()], ids=lambda measure: measure.id)
def test_every_measure_and_its_options_are_documented(measure):
    assert f"| `{measure.id}` |" in DOCS["docs/api.md"]
    assert [option.id for option in measure.options if not documented(option.id, DOCS["docs/api.md"])] == []


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("docs/api.md", [*STATUS_WORDS, "ok", "partial", "estimated", "supplied", "not-supplied"]),
        ("docs/api.md", [*QUESTION, "by", "format", *GROUP_NAMES]),
        ("docs/api.md", [re.sub(r"(?<!^)(?=[A-Z])", "-", e.__name__).lower() for e in STATUSES if e.__name__ != "DataRefused"]),
        ("docs/layouts.md", [t.id for t in BUILT_IN_CRIME_TYPES]),
        ("docs/layouts.md", [name for name in Layout.model_fields if name not in ("columns", "dates", "crime_types", "types")]),
        ("docs/layouts.md", [field.alias or name for name, field in Columns.model_fields.items()]),
        ("docs/loading.md", ["kept", "repaired", "set aside", "rejected"]),
    ],
    ids=["statuses", "parameters", "errors", "types", "layouts", "columns", "outcomes"],
)
def test_every_word_is_documented(file, words):
    text = DOCS[file]

    assert [word for word in words if not (documented(word, text) or f"| {word} |" in text)] == []


def test_the_columns_of_answers_are_documented():
    for columns in (MEASURE_COLUMNS, COUNT_COLUMNS):
        assert f"`{', '.join(columns)}`" in DOCS["docs/api.md"]


@pytest.mark.parametrize("file", [*DOCS])
def test_links_lead_to_files(file):
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", DOCS[file])
    local = [link for link in links if not link.startswith("https://")]

    assert [link for link in local if not (CLONE / file).parent.joinpath(link).exists()] == []


@pytest.mark.parametrize("file", [*DOCS])
def test_nothing_of_one_machine_is_written(file):
    assert re.findall(r"(?:/work|/root|/tmp|/home/\w+)/", DOCS[file]) == []


def test_the_readme_opens_with_the_two_commands():
    first = next(BLOCK.finditer(DOCS["README.md"]))["text"]
    targets = re.findall(r"^([a-z]+):", (CLONE / "Makefile").read_text(), re.MULTILINE)

    assert re.findall(r"^(make \w+)", first, re.MULTILINE) == ["make demo", "make test"]
    assert set(re.findall(r"`make (\w+)", ALL)) | {"demo", "test"} <= set(targets)


@pytest.fixture
def shell(tmp_path):
    """Run shell text in a folder that holds the files the docs name, with `wardwatch` on its path."""
    programs = tmp_path / "programs"
    programs.mkdir()
    wardwatch = programs / "wardwatch"
    wardwatch.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cli "$@"\n')
    wardwatch.chmod(0o755)
    folder = tmp_path / "here"
    folder.mkdir()
    shutil.copy(FIXTURES / "tiny_wards.geojson", folder / "wards.geojson")
    shutil.copy(FIXTURES / "tiny_population.csv", folder / "residents.csv")
    with zipfile.ZipFile(folder / "street.zip", "w") as archive:
        archive.write(FIXTURES / "2024-01-tiny-street.csv", "2024-01/2024-01-tiny-street.csv")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WARDWATCH_")}
    env = kept | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(CLONE)}

    def shell(text):
        done = subprocess.run(
            ["sh", "-eu", "-c", text], cwd=folder, env=env, capture_output=True, encoding="utf-8", check=False
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    shell.folder = folder
    return shell


@pytest.fixture
def typed(shell, monkeypatch):
    """Run shell text line by line: what is a plain `wardwatch` command in this process, which spares it seconds of starting."""
    for name in [name for name in os.environ if name.startswith("WARDWATCH_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(shell.folder)

    def run(text):
        lines = text.splitlines()
        if not all(re.fullmatch(r"wardwatch [^|<>;&$`#\\]+", line) for line in lines):
            shell(text)
            return
        for line in lines:
            done = CliRunner().invoke(main, shlex.split(line)[1:], catch_exceptions=False)
            assert done.exit_code == 0, f"{line}\n{done.stdout}\n{done.stderr}"

    return run


RUNNABLE = [name for name, text in DOCS.items() if "<!-- run -->" in text]


@pytest.mark.parametrize("file", RUNNABLE)
def test_commands_run_as_written(shell, typed, file):
    # The README as a newcomer types it, to the letter.
    run = shell if file == "README.md" else typed
    if "wardwatch init" not in "".join(b["text"] for b in BLOCK.finditer(DOCS[file]) if b["mark"] == "run"):
        # It goes on where the README ends.
        run(next(b["text"] for b in BLOCK.finditer(DOCS["README.md"]) if b["mark"] == "run"))
    for block in BLOCK.finditer(DOCS[file]):
        mark = block["mark"] or ""
        if mark.startswith("file: "):
            (shell.folder / mark.removeprefix("file: ")).write_text(block["text"], encoding="utf-8")
        elif mark == "run":
            assert block["language"] == "sh"
            run(block["text"])


def test_the_readme_and_the_guides_are_run():
    assert RUNNABLE == [
        "README.md",
        "docs/api.md",
        "docs/corrections.md",
        "docs/coverage.md",
        "docs/layouts.md",
        "docs/loading.md",
        "docs/measures.md",
        "docs/places.md",
    ]
