"""Two boundary sets held against each other: every kind of change on small squares, and the incidents in them."""

import json

import numpy as np
import pytest
import shapely

from loaders.boundaries import load_boundaries
from mapping.coverage_notes import set_districts, set_note
from mapping.store import open_engine
from mapping.vintages import Sheet, compare
from mapping.vocabulary import Month, to_lonlat
from tests.county import visitor
from tests.tiny import ASB, BOTH_ENGINES, BURGLARY, NOW, NW, OUTSIDE, SE, SW, county_on, fill, write_street

KM = 1000.0


def sheet(wards):
    """Wards from code -> (name, shape)."""
    codes = sorted(wards)
    shapes = np.empty(len(codes), dtype=object)
    shapes[:] = [wards[code][1] for code in codes]
    return Sheet(codes, [wards[code][0] for code in codes], shapes)


def box(x0, y0, x1, y1):
    return shapely.box(x0 * KM, y0 * KM, x1 * KM, y1 * KM)


def kinds(old, new):
    found = compare(sheet(old), sheet(new))
    return dict(zip(sorted(old), found.old_kinds, strict=True)), dict(zip(sorted(new), found.new_kinds, strict=True)), found


A, B = box(0, 0, 1, 1), box(1, 0, 2, 1)


@pytest.mark.parametrize(
    ("old", "new", "of_old", "of_new"),
    [
        ({"a": ("Ash", A)}, {"a": ("Ash", A)}, ["unchanged"], ["unchanged"]),
        ({"a": ("Ash & Elm", A)}, {"a": ("Ash and Elm", A)}, ["unchanged"], ["unchanged"]),
        ({"a": ("Ash", A)}, {"a": ("Oak", A)}, ["renamed"], ["renamed"]),
        ({"a": ("Ash", A)}, {"b": ("Ash", A)}, ["recoded"], ["recoded"]),
        ({"a": ("Ash", A)}, {"a": ("Ash", box(0, 0, 1, 1.5))}, ["redrawn"], ["redrawn"]),
        ({"a": ("Ash", box(0, 0, 2, 1))}, {"b": ("B", A), "c": ("C", B)}, ["split"], ["split", "split"]),
        ({"a": ("Ash", box(0, 0, 2, 1))}, {"a": ("Ash", A), "c": ("C", B)}, ["split"], ["split", "split"]),
        ({"a": ("A", A), "b": ("B", B)}, {"c": ("C", box(0, 0, 2, 1))}, ["merged", "merged"], ["merged"]),
        ({"a": ("A", A)}, {"b": ("B", box(5, 5, 6, 6))}, ["gone"], ["new"]),
        # Two wards whose border moved by 200 m: both codes go on.
        (
            {"a": ("A", A), "b": ("B", B)},
            {"a": ("A", box(0, 0, 1.2, 1)), "b": ("B", box(1.2, 0, 2, 1))},
            ["redrawn", "redrawn"],
            ["redrawn", "redrawn"],
        ),
        # A review: three wards for two, with other codes.
        (
            {"a": ("A", A), "b": ("B", B)},
            {"x": ("X", box(0, 0, 0.7, 1)), "y": ("Y", box(0.7, 0, 1.4, 1)), "z": ("Z", box(1.4, 0, 2, 1))},
            ["gone", "gone"],
            ["new", "new", "new"],
        ),
    ],
)
def test_every_kind(old, new, of_old, of_new):
    found_old, found_new, _ = kinds(old, new)

    assert list(found_old.values()) == of_old
    assert list(found_new.values()) == of_new


@pytest.mark.parametrize(("moved_m", "kind"), [(0, "unchanged"), (25, "unchanged"), (35, "redrawn")])
def test_what_differs_nowhere_by_thirty_metres_is_one_shape(moved_m, kind):
    line = 1 + moved_m / KM
    old = {"a": ("A", A), "b": ("B", B)}
    new = {"a": ("A", box(0, 0, line, 1)), "b": ("B", box(line, 0, 2, 1))}

    assert set(kinds(old, new)[0].values()) == {kind}


def test_shares_of_ground():
    old = {"a": ("A", A), "b": ("B", B)}
    new = {"a": ("A", box(0, 0, 1.25, 1)), "b": ("B", box(1.25, 0, 2, 1))}
    found = kinds(old, new)[2]

    assert [(p.old, p.new, p.kind) for p in found.pairs] == [(0, 0, "redrawn"), (1, 0, "part"), (1, 1, "redrawn")]
    assert [p.share_of_old for p in found.pairs] == pytest.approx([1, 0.25, 0.75])
    assert [p.share_of_new for p in found.pairs] == pytest.approx([0.8, 0.2, 1])


def test_seven_thousand_wards_of_which_one_changed():
    side = 84
    old = {f"{i:05d}": (f"W{i}", box(i % side, i // side, i % side + 1, i // side + 1)) for i in range(side * side)}
    new = old | {"00000": ("W0", box(-1, 0, 1, 1))}
    found = compare(sheet(old), sheet(new))

    assert [kind for kind in found.old_kinds if kind != "unchanged"] == ["redrawn"]
    assert len(found.pairs) == side * side


def write_older(folder):
    """The tiny county before a review: both southern wards were one, and the north-east had another name."""
    shapes = {
        ("X05900001", "Northwest"): (0, 1, 1, 2),
        ("X05800009", "South"): (0, 0, 2, 1),
        ("X05900003", "Old Northeast"): (1, 1, 2, 2),
    }
    features = []
    for (code, name), (x0, y0, x1, y1) in shapes.items():
        corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]
        lon, lat = to_lonlat([500_000 + KM * x for x, _ in corners], [200_000 + KM * y for _, y in corners])
        ring = [list(pair) for pair in zip(lon.tolist(), lat.tolist(), strict=True)]
        properties = {"WD22CD": code, "WD22NM": name}
        features.append({"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}})
    path = folder / "older.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


@pytest.fixture(scope="module", params=BOTH_ENGINES)
def url(request, tmp_path_factory):
    """Give the tiny county on both sets: 3 ASB in the north-west, 2 burglaries in each southern ward, 1 outside."""
    folder = tmp_path_factory.mktemp(request.param)
    rows = [(ASB, NW)] * 3 + [(BURGLARY, SW), (BURGLARY, SE)] * 2 + [(ASB, OUTSIDE), (ASB, None)]
    with county_on(request.param, request, folder, incidents=[write_street(folder, "2024-01", rows)]) as county:
        engine = open_engine(county.url)
        load_boundaries(engine, write_older(folder), now=NOW)
        engine.dispose()
        yield county.url


@pytest.fixture
def ask(url):
    with visitor(url) as client:
        yield client.get


def test_rows_of_the_api(ask):
    answer = ask("/api/v1/boundary-changes?old=wd22&new=wd24").json

    assert [(r["old_code"], r["new_code"], r["kind"], r["incidents"]) for r in answer["rows"]] == [
        ("X05800009", "X05900002", "split", 2),
        ("X05800009", "X05900004", "split", 2),
        ("X05900001", "X05900001", "unchanged", 3),
        ("X05900003", "X05900003", "renamed", 0),
    ]
    assert answer["rows"][0]["share_of_old"] == pytest.approx(0.5, abs=1e-3)
    assert answer["meta"]["incidents"] == {
        "old": 7,
        "in_changed_old": 4,
        "new": 7,
        "in_changed_new": 4,
        "across_slivers": 0,
    }
    assert answer["meta"]["wards"] | {"unchanged": 1, "renamed": 1, "split": 1} == answer["meta"]["wards"]


def test_another_question_counts_other_incidents(ask):
    answer = ask("/api/v1/boundary-changes?old=wd22&new=wd24&crime_type=asb&from=2024-01&to=2024-01").json

    assert answer["meta"]["incidents"]["old"] == 3
    assert answer["meta"]["incidents"]["in_changed_old"] == 0


def test_what_was_not_supplied_is_no_zero(tmp_path):
    """February lies between two months that came: nothing is known of it, on the page or by the API."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    fill(url, incidents=[write_street(tmp_path, month, [(ASB, NW)] * 3) for month in ("2024-01", "2024-03")])
    engine = open_engine(url)
    load_boundaries(engine, write_older(tmp_path), now=NOW)
    engine.dispose()
    with visitor(url) as client:
        gap, whole = (f"old=wd22&new=wd24&from={first}&to=2024-02" for first in ("2024-02", "2024-01"))
        answer, other = (client.get(f"/api/v1/boundary-changes?{asked}").json for asked in (gap, whole))
        page = client.get("/boundaries/wd22/wd24?from=2024-02&to=2024-02").text
        written = client.get(f"/api/v1/boundary-changes?{gap}&format=csv").text

    assert {row["incidents"] for row in answer["rows"]} == {None}
    assert set(answer["meta"]["incidents"].values()) == {None}
    assert all(line.endswith(",") for line in written.splitlines()[1:])
    assert "February 2024: nothing was supplied" in page
    assert ">0<" not in page
    assert [row["incidents"] for row in other["rows"]] == [0, 0, 3, 0]
    assert (answer["meta"]["extracts"], other["meta"]["extracts"]) == ([], [1])


def test_rows_of_a_month_that_counts_as_not_supplied_are_in_no_figure(tmp_path):
    url = f"sqlite:///{tmp_path / 'store.db'}"
    fill(url, incidents=[write_street(tmp_path, month, [(ASB, NW)] * 3) for month in ("2024-01", "2024-02")])
    engine = open_engine(url)
    january = {"first": Month(2024, 1), "last": Month(2024, 1), "status": "not-supplied", "reason": "Half a file."}
    set_note(engine, "tiny-constabulary", stream="", now=NOW, **january)
    engine.dispose()
    with visitor(url) as client:
        answer = client.get("/api/v1/boundary-changes?old=wd24&new=wd24&from=2024-01&to=2024-02").json
        measured = client.get("/api/v1/measures/count?by=set&from=2024-01&to=2024-02").json

    assert answer["meta"]["incidents"]["old"] == measured["rows"][0]["value"] == 3


def test_of_a_ward_that_no_source_covers_there_is_no_zero(tmp_path):
    url = f"sqlite:///{tmp_path / 'store.db'}"
    fill(url, incidents=[write_street(tmp_path, "2024-01", [(ASB, NW)] * 3 + [(ASB, SE)])])
    engine = open_engine(url)
    set_districts(engine, "tiny-constabulary", ["X07900001"])
    engine.dispose()
    with visitor(url) as client:
        answer = client.get("/api/v1/boundary-changes?old=wd24&new=wd24").json
        measured = client.get("/api/v1/measures/count?by=set").json

    assert [row["incidents"] for row in answer["rows"]] == [3, 0, None, None]
    assert answer["meta"]["incidents"]["old"] == measured["rows"][0]["value"] == 3


def test_the_page_says_what_the_api_says(ask):
    page = ask("/boundaries/wd22/wd24").text

    assert "4 of the 7 counted on wd22 (57.1%)" in page
    assert "in force since 31 December 2022" in page
    assert "1 unchanged, 1 renamed, 1 split" in " ".join(page.split())
    assert ask("/boundaries/wd22/wd24?map=old").status_code == 200
    assert "From wd22 to wd24" in ask("/boundaries").text


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/boundaries/wd22/none", 404, "no boundary set"),
        ("/boundaries/wd24/wd24", 200, "Every ward of wd24 is unchanged"),
        ("/boundaries/wd22/wd24?map=both", 400, "no map"),
        ("/boundaries/wd22/wd24?source=hidden", 400, "no source"),
        ("/api/v1/boundary-changes?old=wd22", 400, "new is missing"),
        ("/api/v1/boundary-changes?old=wd22&new=none", 404, "no boundary set"),
    ],
)
def test_addresses(ask, address, status, words):
    answer = ask(address)

    assert answer.status_code == status
    assert words in answer.text


def test_shapes_need_no_incidents(tmp_path):
    url = f"sqlite:///{tmp_path / 'store.db'}"
    fill(url, incidents=())
    engine = open_engine(url)
    load_boundaries(engine, write_older(tmp_path), now=NOW)
    engine.dispose()
    with visitor(url) as client:
        page = client.get("/boundaries/wd22/wd24").text

    assert "1 unchanged, 1 renamed, 1 split" in " ".join(page.split())
    assert "no incident that has a place lies in a ward of either" in page


def test_pages_say_that_history_is_rebased(ask):
    page = ask("/?boundaries=wd24").text

    assert "History re-based from points." in page
    assert "/boundaries/wd22/wd24" in page
    assert "in force since 31 December 2024" in page
    assert "re-based" not in ask("/?boundaries=wd22").text
