"""A measure of one's own, the one that docs/measures.md prints: as a file in `mapping/measures`, and as another package's.

Each way it is found by the command line, the API, the explorer's menu, its legend and table, a ward's page and `/methods`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CLONE = Path(__file__).parents[1]
DAILY = re.search(r"<!-- file: daily\.py -->\n```python\n(.*?)```", (CLONE / "docs/measures.md").read_text("utf-8"), re.DOTALL)[
    1
]
FACES = """
import json
import sys
from app import create_app
from mapping.settings import Settings
client = create_app(Settings(database_url=sys.argv[1])).test_client()
asked = {"api": "/api/v1/measures", "figures": "/api/v1/measures/daily", "menu": "/", "map": "/?measure=daily",
         "page": "/map/daily", "embed": "/embed/daily", "ward": "/wards/wd20/E05000001", "methods": "/methods"}
print(json.dumps({name: client.get(path).text for name, path in asked.items()}))
"""


@pytest.fixture
def in_folder(tmp_path):
    """A copy of the code with the file dropped in."""
    for part in ("commands", "mapping", "loaders", "web", "app.py", "cli.py", "data"):
        source = CLONE / part
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tmp_path / part)
    (tmp_path / "mapping" / "measures" / "daily.py").write_text(DAILY, encoding="utf-8")
    return tmp_path


@pytest.fixture
def in_package(tmp_path):
    """Another package, as pip would have installed it."""
    return installed(tmp_path, DAILY)


def installed(folder, code):
    (folder / "daily_measure.py").write_text(code, encoding="utf-8")
    info = folder / "daily_measure-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: daily-measure\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[wardwatch.measures]\ndaily = daily_measure:MEASURE\n", encoding="utf-8")
    return folder


def run(folder, *arguments):
    env = {name: value for name, value in os.environ.items() if not name.startswith("WARDWATCH_")}
    env |= {"PYTHONPATH": os.pathsep.join([str(folder), str(CLONE)])}
    return subprocess.run([sys.executable, *arguments], cwd=folder, env=env, capture_output=True, encoding="utf-8", check=False)


@pytest.mark.parametrize("way", ["in_folder", "in_package"])
def test_it_is_found_by_every_face(request, county, way):
    folder = request.getfixturevalue(way)
    env = f"import os; os.environ['WARDWATCH_DATABASE_URL'] = {county!r}; from cli import main; main()"
    printed = run(folder, "-c", env, "measure", "daily", "--from", "2020-01", "--to", "2020-01", "--format", "csv")
    assert printed.returncode == 0, printed.stderr
    # Alder has 3 + 2 incidents in the 31 days of January.
    assert "Alder: 5 in 31 days, 0.16 a day (January 2020)." in printed.stdout

    asked = run(folder, "-c", FACES, county)
    assert asked.returncode == 0, asked.stderr
    shown = json.loads(asked.stdout)

    assert "daily" in {row["id"] for row in json.loads(shown["api"])["rows"]}
    figures = json.loads(shown["figures"])
    assert figures["meta"]["unit"] == "incidents a day"
    assert re.search(r'<option value="daily"[^>]*>\s*Incidents a day', shown["menu"])
    for face in ("map", "page", "embed"):
        assert "Incidents a day" in shown[face]
        for legend in figures["meta"]["classes"]:
            assert legend["label"] in shown[face]
    assert "days, " in shown["map"]
    assert "Incidents a day" in shown["ward"]
    assert "on an average day of the months that are there whole" in shown["methods"]
    assert "x / d, with the exact (Garwood) interval" in shown["methods"]


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("raise RuntimeError('no such table')", "cannot be loaded: no such table"),
        ("MEASURE = 'daily'", "is no Measure"),
        (DAILY.replace("decimals=2", "asks='when'"), "the measure daily asks 'when'; it must be one of level"),
        (DAILY.replace('id="daily"', 'id="rate"'), "is called rate, as another is"),
    ],
)
def test_what_is_no_measure_is_named(tmp_path, county, code, complaint):
    env = f"import os; os.environ['WARDWATCH_DATABASE_URL'] = {county!r}; from cli import main; main()"

    done = run(installed(tmp_path, code), "-c", env, "measure", "rate")

    assert done.returncode == 1
    assert f"The {'entry point' if 'no Measure' in complaint else 'measure'} daily_measure:MEASURE" in done.stderr
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr
