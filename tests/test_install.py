"""The wheel, installed away from the clone, carries all it runs on: migrations, templates, static files, the demo."""

import re
import subprocess
import sys
import sysconfig
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.server import environment, served

CLONE = Path(__file__).parent.parent
WARDS = CLONE / "tests/fixtures/tiny_wards.geojson"
INCIDENTS = CLONE / "tests/fixtures/2024-01-tiny-street.csv"


def run(*command, **options):
    done = subprocess.run([*map(str, command)], capture_output=True, encoding="utf-8", check=False, **options)
    assert done.returncode == 0, f"{command}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """Install the wheel in an environment of its own, and give the folder of its programs."""
    folder = tmp_path_factory.mktemp("install")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, CLONE)
    [wheel] = folder.glob("*.whl")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv")
    python = folder / "venv/bin/python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel)
    # Its dependencies are ours, by a line that Python reads. Ours come after its own, and the line that leads to the
    # clone is not read from there: so only the wheel's code can run.
    home = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    Path(home, "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return python.parent


@pytest.fixture
def command(installed, tmp_path):
    """Run the installed command in an empty folder."""

    def command(*arguments):
        return run(installed / "wardwatch", *arguments, cwd=tmp_path, env=environment())

    return command


def get(url):
    with urlopen(url) as answer:
        return answer.read().decode()


def assert_pages_and_files(url):
    page = get(url)
    files = re.findall(r'(?:src|href)="(/[^"]+\.(?:js|css)[^"]*)"', page)
    assert files, page
    for file in files:
        assert get(url + file), file


def test_the_wheel_runs_and_not_the_clone(installed, tmp_path):
    code = "import app, cli, loaders, mapping, web; print(*(m.__file__ for m in (app, cli, loaders, mapping, web)))"

    files = run(installed / "python", "-c", code, cwd=tmp_path, env=environment()).split()

    assert [file for file in files if not Path(file).is_relative_to(installed.parent)] == []


@pytest.mark.timeout(300)
def test_from_nothing_to_a_map(installed, command, tmp_path):
    assert "load" in command("--help")
    command("init")
    command("load", "boundaries", WARDS)
    command("load", "incidents", INCIDENTS)
    command("map", "out.html")

    assert "<html" in (tmp_path / "out.html").read_text()
    with served([installed / "wardwatch", "serve"], cwd=tmp_path, env=environment()) as url:
        assert_pages_and_files(url)


@pytest.mark.timeout(600)
def test_demo(installed, tmp_path):
    with served([installed / "wardwatch", "demo"], cwd=tmp_path, env=environment(), seconds=500) as url:
        assert_pages_and_files(url)
