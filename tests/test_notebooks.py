"""The notebooks run from top to bottom in a folder of their own, say what they should, and are kept without outputs."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

CLONE = Path(__file__).parent.parent
NOTEBOOKS = sorted((CLONE / "notebooks").glob("*.ipynb"))


@pytest.fixture
def executed(tmp_path, monkeypatch):
    """Run a notebook, and give what its cells printed and showed, as text."""
    monkeypatch.setenv("PYTHONPATH", str(CLONE))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))

    def executed(path):
        notebook = nbformat.read(path, as_version=4)
        NotebookClient(notebook, kernel_name="python3", timeout=100, resources={"metadata": {"path": str(tmp_path)}}).execute()
        outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
        assert [output for output in outputs if output.get("name") == "stderr"] == []
        return "\n".join(output.get("text") or output["data"]["text/plain"] for output in outputs)

    return executed


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_outputs_are_kept(path):
    notebook = nbformat.read(path, as_version=4)

    assert [cell.id for cell in notebook.cells] == [f"step-{i + 1:02d}" for i in range(len(notebook.cells))]
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.id for cell in code if cell.outputs or cell.execution_count is not None] == []
    assert set(notebook.metadata) == {"kernelspec", "language_info"}


@pytest.mark.timeout(300)
def test_from_extract_to_map(executed):
    said = executed(CLONE / "notebooks/01_from_extract_to_map.ipynb")

    assert "2 boundary sets, 6 populations, 15 extracts" in said
    assert "Boundary set demo25: 62 areas in 4 districts." in said
    assert re.search(r"Population of demo25, mid-2024: \d{3},\d{3} residents in 62 wards", said)
    assert re.search(r"\d\d,\d{3} rows read: \d\d,\d{3} kept .* 0 rejected", said)
    assert re.search(r"-council: .* missing months: 2023-06", said)
    # The planted series of burglaries is what the map of burglary shows first.
    assert re.search(r"^Tolsham Abbey: [\d.]+ per 1,000 residents a year", said, re.MULTILINE)
    by_hand, measured = re.search(r"([\d.]+) per 1,000 a year; measured: ([\d.]+)", said).groups()
    assert by_hand == measured
    assert re.search(r"burglary\.html: \d+ kB", said)


@pytest.mark.timeout(300)
def test_is_it_real(executed):
    said = executed(CLONE / "notebooks/02_is_it_real.ipynb")

    recorded, before = map(int, re.search(r"September to November 2025: (\d+) burglaries, (\d+) a year before", said).groups())
    assert recorded >= 2 * before
    # Each step makes the range wider.
    ranges = [(int(a), int(b)) for a, b in re.findall(r"(?:between|usual range) (\d+) (?:and|to) (\d+)[;:]", said)]
    assert [b - a for a, b in ranges] == sorted(b - a for a, b in ranges)
    assert all(high < recorded for _, high in ranges)
    assert f"Tolsham Abbey: higher than expected: {recorded} recorded" in said
    # By hand and by wardwatch the same wards are called, and the same interval comes out.
    by_hand, ours = re.search(r"Called by hand: (.*)\nby wardwatch: (.*)", said).groups()
    assert by_hand == ours == "Tolsham Abbey"
    by_hand, measured = re.search(r"by hand: ([\d. to]+) times; measured: ([\d. to]+) times", said).groups()
    assert by_hand == measured
    assert "too few to judge: 3 recorded, 1 before" in said
