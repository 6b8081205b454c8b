"""The demo county: the same everywhere, believable, and with the stories in it that it says."""

import csv
import json
import re
import tomllib
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import shapely

from loaders.demo import STORIES, DemoExtract, DemoFiles, write_demo
from mapping.vocabulary import BUILT_IN_CRIME_TYPES, to_metres

COMMITTED = Path(__file__).parents[1] / "data" / "boundaries" / "demo-county.geojson"
MONTHS = 84
TYPES = [t.id for t in BUILT_IN_CRIME_TYPES]


@dataclass(frozen=True)
class Row:
    """One line of an extract, read by its layout."""

    source: str
    reference: str
    recorded: date
    start: datetime | None
    end: datetime | None
    x: str
    y: str
    kind: str


@dataclass(frozen=True)
class Wards:
    """A boundary set as the application has it: shapes in EPSG:27700 metres."""

    codes: list[str]
    names: list[str]
    districts: list[str]
    shapes: np.ndarray


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_demo(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def sent(files):
    """The rows of each extract."""
    return [(extract, read_extract(extract)) for extract in files.extracts]


@pytest.fixture(scope="module")
def rows(sent):
    return [row for _, sent_rows in sent for row in sent_rows]


@pytest.fixture(scope="module")
def wards(files):
    return {boundaries.name: read_wards(boundaries.path) for boundaries in files.boundaries}


@pytest.fixture(scope="module")
def counts(rows, wards):
    """Incidents of demo25; shape (wards, types, months)."""
    located = [row for row in rows if row.x]
    tree = shapely.STRtree(wards["demo25"].shapes)
    points = shapely.points([float(row.x) for row in located], [float(row.y) for row in located])
    table = np.zeros((len(wards["demo25"].codes), len(TYPES), MONTHS), dtype=np.int64)
    for point, ward in tree.query(points, predicate="within").T.tolist():
        table[ward, TYPES.index(located[point].kind), month(located[point].recorded)] += 1
    return table


def read_extract(extract: DemoExtract) -> list[Row]:
    layout = tomllib.loads(extract.layout.read_text(encoding="utf-8"))
    column = layout["columns"]
    rows = []
    for path in extract.paths:
        with path.open(encoding=layout["encoding"], newline="") as file:
            for line in csv.DictReader(file, delimiter=layout["delimiter"]):
                window = [moment(line[column[name]]) if name in column else None for name in ("from", "to")]
                rows.append(
                    Row(
                        layout["source"], line[column["reference"]], moment(line[column["date"]]).date(), *window,
                        line[column["x"]], line[column["y"]], layout["crime_types"][line[column["crime_type"]]],
                    )
                )  # fmt: skip
    return rows


def moment(text: str) -> datetime:
    day, time = (text if " " in text else f"{text} 00:00").split(" ")
    return datetime(int(day[6:]), int(day[3:5]), int(day[:2]), int(time[:2]), int(time[3:]))  # noqa: DTZ001


def read_wards(path: Path) -> Wards:
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    year = path.stem[-2:]
    properties = [feature["properties"] for feature in features]
    shapes = shapely.from_geojson([json.dumps(feature["geometry"]) for feature in features])
    return Wards(
        *(
            [each[f"{column}{year}{suffix}"] for each in properties]
            for column, suffix in (("WD", "CD"), ("WD", "NM"), ("LAD", "NM"))
        ),
        shapely.transform(shapes, lambda lonlat: np.column_stack(to_metres(*lonlat.T))),
    )


def month(day: date) -> int:
    return 12 * (day.year - 2019) + day.month - 1


def everything(files: DemoFiles) -> dict[str, bytes]:
    (folder,) = {extract.layout.parent for extract in files.extracts}
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_committed_boundaries_are_written_again_byte_for_byte(files):
    (demo25,) = (boundaries for boundaries in files.boundaries if boundaries.name == "demo25")
    assert demo25.path.read_bytes() == COMMITTED.read_bytes()


def test_two_runs_write_the_same_bytes(files, tmp_path):
    assert everything(write_demo(tmp_path)) == everything(files)


def test_another_seed_imagines_other_incidents_in_the_same_county(files, tmp_path):
    this, other = everything(files), everything(write_demo(tmp_path, seed=2))
    assert {name for name in this if this[name] != other[name]} == {e.paths[0].name for e in files.extracts}


@pytest.mark.parametrize("name", ["demo21", "demo25"])
def test_wards_meet_without_gap_or_overlap(wards, name):
    shapes = wards[name].shapes
    assert shapely.is_valid(shapes).all()
    assert shapely.coverage_is_valid(shapes)
    assert shapely.union_all(shapes).geom_type == "Polygon"
    assert shapely.get_num_interior_rings(shapely.union_all(shapes)) == 0


@pytest.mark.parametrize("name", ["demo21", "demo25"])
def test_wards_are_about_sixty_in_four_districts_of_one_piece(wards, name):
    county = wards[name]
    assert 58 <= len(county.codes) <= 64
    assert len(set(county.codes)) == len(county.codes)
    assert all(re.fullmatch(r"X05\d{6}", code) for code in county.codes)
    assert len(set(county.districts)) == 4
    for district in set(county.districts):
        parts = county.shapes[np.array(county.districts) == district]
        assert shapely.union_all(parts).geom_type == "Polygon", district


def test_two_wards_share_a_name_in_different_districts(wards):
    county = wards["demo25"]
    (shared,) = (name for name, times in Counter(county.names).items() if times > 1)
    assert len({d for d, n in zip(county.districts, county.names, strict=True) if n == shared}) == 2


def test_the_review_redraws_a_handful_of_wards_under_new_codes(wards):
    before, after = (dict(zip(w.codes, w.shapes, strict=True)) for w in (wards["demo21"], wards["demo25"]))
    kept = before.keys() & after.keys()
    assert all(shapely.equals_identical(before[code], after[code]) for code in kept)
    assert 4 <= len(before.keys() - kept) <= 10
    assert shapely.union_all(list(before.values())).equals(shapely.union_all(list(after.values())))
    assert {code for story in STORIES for code in story.wards} <= kept


def test_residents_are_given_for_every_ward(files, wards):
    for population in files.populations:
        with population.path.open(encoding="utf-8", newline="") as file:
            lines = list(csv.DictReader(file))
        assert [line["code"] for line in lines] == wards[population.boundaries].codes
        residents = [int(line["residents"]) for line in lines]
        assert 320_000 <= sum(residents) <= 350_000
        assert min(residents) >= 1_100
        assert max(residents) <= 12_000


def test_a_town_centre_leads_per_resident_and_not_per_person_there_by_day(files, counts, wards):
    def rates(what):
        given = (*files.populations, *files.denominators)
        (path,) = (p.path for p in given if (p.boundaries, p.what, p.year) == ("demo25", what, 2024))
        with path.open(encoding="utf-8", newline="") as file:
            numbers = np.array([int(list(line.values())[-1]) for line in csv.DictReader(file)])
        return counts[:, :, -12:].sum(axis=(1, 2)) / numbers

    centre = wards["demo25"].names.index("Marling Central")
    fifth = len(wards["demo25"].codes) // 5
    assert rates("residents").argmax() == centre
    assert (rates("workday") > rates("workday")[centre]).sum() > fifth


def test_extracts_are_few_and_leave_out_only_the_month_that_the_council_missed(files):
    assert len(files.extracts) <= 16
    for source, missing in (("police", set()), ("council", {month(date(2023, 6, 1))})):
        windows = [(e.window_from, e.window_to) for e in files.extracts if source in e.layout.stem]
        assert (windows[0][0], windows[-1][1]) == (date(2019, 1, 1), date(2025, 12, 31))
        covered = [m for first, last in windows for m in range(month(first), month(last) + 1)]
        assert covered == [m for m in range(MONTHS) if m not in missing]


def test_rows_lie_in_the_window_of_their_extract(sent):
    for extract, rows in sent:
        days = [row.recorded for row in rows]
        assert extract.window_from <= min(days)
        assert max(days) <= extract.window_to


def test_about_two_hundred_thousand_incidents_each_with_its_own_reference(rows):
    assert 190_000 <= len(rows) <= 215_000
    assert len({(row.source, row.reference) for row in rows}) == len(rows)
    assert {row.kind for row in rows} == set(TYPES) - {"public-disorder-weapons"}


def test_some_rows_have_no_coordinates_or_lie_elsewhere(rows, counts):
    without = sum(row.x == "" for row in rows) / len(rows)
    at_zero = sum(row.x == row.y == "0" for row in rows) / len(rows)
    assert 0.010 <= without <= 0.020
    assert 0.0005 <= at_zero <= 0.003
    outside = 1 - without - at_zero - counts.sum() / len(rows)
    assert 0.005 <= outside <= 0.010


def test_no_incident_ends_before_it_starts_or_is_recorded_before_it_ends(rows):
    timed = [row for row in rows if row.start and row.end]
    assert not [row for row in timed if not row.start <= row.end or row.end.date() > row.recorded]
    assert all(row.start < row.end for row in timed if row.kind == "burglary")


def test_one_town_centre_leads_clearly(counts, wards):
    totals = counts.sum(axis=(1, 2))
    first, second = np.argsort(-totals)[:2]
    assert wards["demo25"].names[first] == "Marling Central"
    assert totals[first] > 1.4 * totals[second]
    assert totals.min() > 200


def test_seasons_are_as_they_are(counts):
    by_month = counts.reshape(*counts.shape[:2], 7, 12).sum(axis=(0, 2))
    winter, summer = [10, 11, 0, 1], [5, 6, 7, 8]
    asb, burglary = by_month[TYPES.index("anti-social-behaviour")], by_month[TYPES.index("burglary")]
    assert asb[summer].sum() > 1.15 * asb[winter].sum()
    assert burglary[winter].sum() > 1.1 * burglary[summer].sum()


def test_months_vary_a_little_more_than_chance(counts):
    """Pearson chi-square over degrees of freedom, of a type whose wards have no story, about ward and month totals."""
    table = counts[:, TYPES.index("violent-crime")]
    means = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / table.sum()
    phi = ((table - means) ** 2 / means).sum() / ((table.shape[0] - 1) * (MONTHS - 1))
    assert 1.1 <= phi <= 1.6


def test_planted_anti_social_behaviour_rises(counts, wards):
    (story,) = (s for s in STORIES if s.kind == "rising-hot-spot")
    codes = wards["demo25"].codes
    positions = [codes.index(code) for code in story.wards]
    shapes = wards["demo25"].shapes[positions]
    assert all(shapely.touches(a, b) for a, b in pairwise(shapes[[1, 0, 2]]))
    asb = counts[positions, TYPES.index(story.crime_type)]
    # July to December of 2025 against the same months of 2023, before it began. While the last month has 2.5 times the
    # usual, the last six have 2.3 times on average.
    usual, last = asb[:, 54:60].mean(axis=1), asb[:, 78:84].mean(axis=1)
    assert (last / usual > 1.5).all()
    assert 1.8 <= last.sum() / usual.sum() <= 2.6


def test_planted_burglary_series_is_about_four_times_the_usual_in_few_places(counts, wards, rows):
    (story,) = (s for s in STORIES if s.kind == "burglary-series")
    position = wards["demo25"].codes.index(story.wards[0])
    burglary = counts[position, TYPES.index(story.crime_type)]
    usual = burglary[story.months.start - 36 : story.months.start].mean()
    assert 3.0 <= burglary[story.months].mean() / usual <= 5.0
    shape = wards["demo25"].shapes[position]
    places = Counter(
        (row.x, row.y)
        for row in rows
        if row.kind == "burglary" and row.x and story.months.start <= month(row.recorded) < story.months.stop
        and shapely.contains_xy(shape, float(row.x), float(row.y))
    )  # fmt: skip
    assert sum(times for _, times in places.most_common(8)) > 0.6 * places.total()


def test_planted_station_carries_many_incidents_of_every_type(rows, wards):
    (story,) = (s for s in STORIES if s.kind == "station-pile-up")
    located = Counter((row.x, row.y) for row in rows if row.x not in {"", "0"})
    (station, first), (_, second) = located.most_common(2)
    assert first > 1.25 * second
    assert {row.kind for row in rows if (row.x, row.y) == station} == {row.kind for row in rows}
    shape = wards["demo25"].shapes[wards["demo25"].codes.index(story.wards[0])]
    assert shapely.contains_xy(shape, float(station[0]), float(station[1]))


def test_stories_name_the_wards_that_their_codes_stand_for(wards):
    names = dict(zip(wards["demo25"].codes, wards["demo25"].names, strict=True))
    for story in STORIES:
        assert all(names[code] in story.words for code in story.wards)
