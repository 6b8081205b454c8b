"""The real sample beside the project, where it is there: exactly the figures of reference, on both engines."""

import json
from pathlib import Path

import pytest

from tests.county import visitor
from tests.tiny import BOTH_ENGINES

DATA = Path(__file__).parents[2] / "shared" / "data"
STREET = DATA / "police" / "hertfordshire_2021_street.zip"
OUTCOMES = DATA / "outcomes" / "2021-01-hertfordshire-outcomes.csv"
WD20 = DATA / "wards" / "WD20_hertfordshire_shapefile.zip"
WD22 = DATA / "wards" / "WD22_hertfordshire_shapefile.zip"
GEOJSON = DATA / "wards" / "hertfordshire_WD20.geojson"
CAMDEN = DATA / "wards" / "Wards_(May_2022)_UK_BFC_V2.zip"
VIOLENCE = DATA / "series" / "camden_violence_2015_2020.csv"
POPULATION = DATA / "population" / "hertfordshire_WD20_population_mid2020.csv"
DRAG_FILLED = DATA / "population" / "ONS_mid2020_ward2020_persons_by_age.csv"

# Everything else skips nothing: this folder alone may be absent.
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the sample is not beside this clone")


@pytest.fixture(scope="module", params=BOTH_ENGINES)
def url(request, tmp_path_factory):
    """Give an empty store, kept for the whole file."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('sample') / 'store.db'}"
    else:
        with request.getfixturevalue("databases").fresh() as url:
            yield url


@pytest.fixture
def run(url, invoke):
    """Run a command on it."""
    return lambda *arguments, status=0: invoke(*arguments, store=url, status=status)


def state(run):
    return json.loads(run("status", "--format", "json").stdout)


def counts(run, *options):
    """Incidents by ward."""
    found = {}
    for line in run("counts", "--format", "csv", *options).stdout.splitlines()[1:]:
        found[line[:9]] = found.get(line[:9], 0) + int(line.rsplit(",", 1)[1])
    return found


def test_the_sample_gives_the_figures_of_reference(run):
    run("init")
    run("load", "boundaries", WD20)
    run("load", "population", POPULATION, "--boundaries", "wd20", "--year", "2020")
    done = run("load", "incidents", STREET)

    assert "100,407 rows read: 100,407 kept" in done.stderr
    assert "On wd20: 97,476 in a ward, 1,263 outside every ward." in done.stderr
    found = state(run)
    [source] = found["sources"]
    assert (source["id"], source["access"]) == ("hertfordshire-constabulary", "open")
    assert (source["read"], source["rejected"], source["set_aside"]) == (100_407, 0, 0)
    assert source["without_coordinates"] == 1_668
    assert [month["status"] for month in source["months"]] == ["supplied"] * 12
    wd20 = {"name": "wd20", "kind": "ward", "wards": 179, "wards_with_incidents": 179, "in_ward": 97_476, "outside": 1_263}
    assert found["boundary_sets"] == [wd20 | {"effective": "2020-12-31", "area_counts": []}]
    assert found["population"] == [{"boundaries": "wd20", "year": 2020, "residents": 1_195_672}]
    assert found["data_as_of"] == "2021-12"
    everything, asb = counts(run), counts(run, "--crime-type", "asb")
    assert (sum(everything.values()), sum(asb.values()), len(everything)) == (97_476, 26_063, 179)
    assert (everything["E05011047"], asb["E05011047"]) == (3_474, 762)
    assert (everything["E05004806"], everything["E05004705"], asb["E05004705"]) == (2_263, 2_141, 642)
    assert max(everything, key=everything.get) == "E05011047"


def test_the_same_command_again_changes_no_figure(run):
    before = state(run)

    done = run("load", "incidents", STREET)

    assert done.stderr.count("already loaded from the same files") == 12
    assert state(run) == before


def test_outcomes_are_joined_to_their_crimes(run):
    before = state(run)["sources"][0]
    figures = counts(run)

    done = run("load", "incidents", OUTCOMES)

    assert "7,203 outcomes kept: 2,047 belong to a crime that is loaded." in done.stderr
    after = state(run)["sources"][0]
    assert after == before | {"streams": ["outcomes", "street"], "outcomes": {"rows": 7_203, "joined": 2_047}}
    assert counts(run) == figures


def test_another_vintage_counts_the_same_incidents_and_leaves_the_first_alone(run):
    before = counts(run, "--boundaries", "wd20")

    run("load", "boundaries", WD22)

    wd20, wd22 = state(run)["boundary_sets"]
    assert (wd20["in_ward"], wd22["in_ward"], wd22["name"]) == (97_476, 97_489, "wd22")
    assert counts(run, "--boundaries", "wd20") == before
    assert sum(counts(run, "--boundaries", "wd22").values()) == 97_489


def test_what_changed_between_the_vintages(url):
    with visitor(url) as client:
        found = client.get("/api/v1/boundary-changes?old=wd20&new=wd22").json

    # The review replaced the 20 wards of St Albans; two of them only got another code.
    wards = {kind: n for kind, n in found["meta"]["wards"].items() if n}
    assert wards == {"unchanged": 159, "recoded": 2, "gone": 18, "new": 18}
    incidents = found["meta"]["incidents"]
    assert (incidents["old"], incidents["new"], incidents["in_changed_old"]) == (97_476, 97_489, 9_312)
    both = sum(row["incidents"] for row in found["rows"] if row["old_code"] and row["new_code"])
    assert both + sum(row["incidents"] for row in found["rows"] if not row["new_code"]) == 97_476
    assert both + sum(row["incidents"] for row in found["rows"] if not row["old_code"]) == 97_489


def test_the_population_of_one_vintage_goes_to_the_other(run):
    run("load", "lookup", "--from-boundaries", "wd20", "--boundaries", "wd22")

    said = run("load", "population", "--from-boundaries", "wd20", "--boundaries", "wd22", "--year", "2020")

    assert "Residents of wd22, mid-2020: 1,195,672 in 179 wards, estimated from wd20" in said.stderr
    totals = {row["boundaries"]: (row["total"], row["estimated"]) for row in state(run)["denominators"]}
    assert totals == {"wd20": (1_195_672, False), "wd22": (1_195_672, True)}


def test_the_drag_filled_population_is_refused_and_its_names_are_right(run):
    load = ("load", "population", DRAG_FILLED, "--boundaries", "wd20", "--year", "2020")
    before = state(run)

    refused = run(*load, status=1)

    assert "102 of 179" in refused.stderr
    assert "--match name" in refused.stderr
    assert state(run) == before
    run(*load, "--match", "name")
    assert state(run)["population"] == before["population"]


def test_an_untouched_export_with_its_shapefile_in_a_subfolder(run):
    run("load", "boundaries", CAMDEN, "--name", "camden")

    camden = state(run)["boundary_sets"][-1]
    assert (camden["name"], camden["wards"]) == ("camden", 20)


def test_a_long_series_of_counts_of_older_wards(run):
    told = ("--source", "metropolitan", "--match", "name")

    refused = run("load", "counts", VIOLENCE, "--areas", "camden", *told, status=1)
    loaded = run("load", "counts", VIOLENCE, "--areas", "camden02", *told)

    assert "'Cantelowes' (72 rows)" in refused.stderr
    assert "41,515 incidents in 18 areas (camden02), from 1,296 rows" in loaded.stderr
    assert "On camden they give no figure: no lookup from camden02 to camden is loaded" in loaded.stderr
    run("unload", json.loads(run("status", "--format", "json").stdout)["extracts"][-1]["id"])


def test_the_same_wards_in_degrees_hold_nearly_the_same(run, url):
    """The file's shapes are rounded and were made with another transform: some incidents on borders differ."""
    run(
        "load",
        "boundaries",
        GEOJSON,
        "--name",
        "degrees",
        *([] if b"WD20CD" in GEOJSON.read_bytes() else ["--code-column", "x"]),
    )

    degrees = state(run)["boundary_sets"][-1]
    assert degrees["wards"] == 179
    assert abs(degrees["in_ward"] - 97_476) < 100
    with visitor(url) as client:
        found = client.get("/api/v1/boundary-changes?old=wd20&new=degrees").json
    assert {kind: n for kind, n in found["meta"]["wards"].items() if n} == {"unchanged": 179}
