"""Small versions of what docs/calibration.md tells at length: false alarms, coverage, power, stories and past months.

Bounds are the nominal ones and twice the Monte Carlo error of as many draws as are made here.
"""

import subprocess
import sys

import numpy as np
import pytest

from loaders.demo.stories import RISING, SERIES
from tests.calibration import __main__ as calibrate
from tests.calibration import backtest, checks, stories
from tests.calibration.counties import LAST, constant, view_of

SEEDS = 120


def at_most(share, nominal=0.05):
    return share.value <= nominal + share.error(nominal)


@pytest.mark.parametrize("measure", checks.MEASURES)
@pytest.mark.parametrize(("phi", "usual"), [(1, 5), (1.5, 20)])
def test_a_county_with_no_story_is_left_alone(measure, phi, usual):
    assert at_most(checks.any_called(measure, phi=phi, usual=usual, seeds=SEEDS))


@pytest.mark.parametrize("test", checks.PER_TEST)
@pytest.mark.parametrize(("mean", "phi"), [(1, 1), (5, 1.5), (20, 2.5)])
def test_a_single_test_finds_nothing_five_times_in_a_hundred(test, mean, phi):
    assert at_most(checks.PER_TEST[test](mean, phi, counties=30, rng=np.random.default_rng(1)))


@pytest.mark.parametrize("mean", [1, 5, 25, 100])
def test_exact_intervals_hold_the_truth(mean):
    for found in checks.exact_coverage(mean, draws=20_000, rng=np.random.default_rng(2)):
        assert found.value >= 0.95 - found.error(0.95)
        assert mean < 25 or found.value <= 0.97 + found.error(0.97)


@pytest.mark.parametrize(("mean", "low", "high"), [(1, 0.95, 0.99), (5, 0.95, 0.99), (20, 0.94, 0.975), (50, 0.94, 0.975)])
@pytest.mark.parametrize("phi", [1, 1.5])
def test_expected_ranges_hold_what_comes(mean, phi, low, high):
    inside, distance, _ = checks.range_coverage(mean, phi, counties=60, rng=np.random.default_rng(3))

    assert low - inside.error(low) <= inside.value <= high + inside.error(high)
    # Kolmogorov's 1% bound for so many, and as much again for a phi that is estimated.
    assert distance < 1.63 / np.sqrt(inside.of) + 0.05


@pytest.mark.parametrize(("mean", "phi"), [(2, 1), (20, 1.5)])
def test_the_interval_of_a_trend_holds_the_truth(mean, phi):
    found = checks.trend_coverage(mean, phi, counties=30, rng=np.random.default_rng(4))

    assert found.value >= 0.95 - found.error(0.95)


def test_power_grows_with_what_there_is_to_see():
    doubled = [checks.power("change", mean, 2, seeds=40).value for mean in (0.5, 2, 10)]
    half_more = checks.power("change", 10, 1.5, seeds=40).value

    assert doubled == sorted(doubled)
    assert doubled[-1] >= 0.9 > half_more


def test_the_planted_stories_are_found():
    found = [each for seed in range(3) for each in stories.look_for_stories(seed)]

    assert {(each.story, each.measure) for each in found if each.called} == {
        (RISING.kind, "change"),
        (RISING.kind, "trend"),
        (SERIES.kind, "expected, 3 months"),
    }
    assert sum(each.called for each in found) >= 8
    assert all(each.counted > 1.3 * each.usual for each in found)


def test_a_backtest_tells_of_months_by_what_came_before_them():
    counts = constant(24, months=75, wards=20)
    counts[:, -1] = 80

    (tested,) = backtest.backtest(view_of(counts, "expected"), "made up", [LAST.plus(-2), LAST.plus(-1), LAST])

    assert (tested.number, tested.inside, tested.above, tested.below) == (60, 40, 20, 0)
    assert tested.line == "| made up | five years | 60 | 24.0 | 66.7% | 33.3% | 0.0% |"


def test_a_store_is_backtested(county, monkeypatch, capsys):
    monkeypatch.setenv("WARDWATCH_DATABASE_URL", county)

    backtest.main()

    # Three months of history are no history.
    assert capsys.readouterr().out.splitlines()[:2] == backtest.HEAD


def test_every_table_has_its_place_in_the_page():
    page = calibrate.PAGE.read_text(encoding="utf-8")

    for name in calibrate.TABLES:
        assert "| new | row |" in calibrate.put(page, name, ["| new | row |"])
    assert page.count("<!-- end -->") == len(calibrate.TABLES)
    with pytest.raises(ValueError, match="has no place for the table 'other'"):
        calibrate.put(page, "other", [])


def test_tables_are_written_as_they_are_worked_out(tmp_path, monkeypatch):
    page = tmp_path / "calibration.md"
    page.write_text("<!-- exact -->\n<!-- end -->\n", encoding="utf-8")
    monkeypatch.setattr(calibrate, "PAGE", page)

    said = list(calibrate.main(["--only", "exact", "--seeds", "5"]))

    assert "| 400 | 9" in page.read_text(encoding="utf-8")
    assert said[0].startswith("exact:\n| mean |")


def test_calibrate_says_how_it_is_used():
    done = subprocess.run(
        [sys.executable, "-m", "tests.calibration", "--help"], capture_output=True, encoding="utf-8", check=True
    )

    assert "--seeds" in done.stdout
