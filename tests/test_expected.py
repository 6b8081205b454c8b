"""The measure `expected` on counties that a person can check by hand: values, ranges, classes, statuses, words."""

import numpy as np
import pytest
from scipy import stats

from mapping.breaks import Break
from mapping.vocabulary import Month
from tests.calibration.counties import HARD, LAST, constant, figures

WARDS = 12


def test_a_quiet_month():
    found = figures("expected", constant(24, months=61))

    assert found.value[0] == 24
    # A constant series: the mean is 24, and the range that of a Poisson count and of the error of its mean.
    assert found.low[0] <= stats.poisson.ppf(0.025, 24) == 15
    assert found.high[0] >= stats.poisson.ppf(0.975, 24) == 34
    assert found.classes[0] == "within"
    assert found.sentences[0].startswith("Ward 0: within the usual range: 24 recorded, about 24 expected (usual range 1")


def test_an_alarm():
    counts = constant(24, months=61)
    counts[0, -1] = 60

    found = figures("expected", counts)

    assert (found.status[0], found.classes[0]) == ("ok", "higher")
    assert found.value[0] > found.high[0]
    assert found.sentences[0].startswith("Ward 0: higher than expected: 60 recorded, about 24 expected (usual range ")
    assert found.family == WARDS
    assert found.notes[0].startswith("More than chance: 1 higher and 0 lower than expected. 12 ward-and-type pairs are checked")


@pytest.mark.parametrize(
    ("months", "status", "words"),
    [
        (61, "ok", None),
        (40, "ok", "Less than five years of history"),
        (25, "ok", "Less than five years of history"),
        (24, "partial", "Short history: the mean of the last 12 months"),
        (13, "partial", "Short history: the mean of the last 12 months"),
        (12, "too-short", "not judged, because there is less than a year of history"),
    ],
)
def test_what_history_allows(months, status, words):
    found = figures("expected", constant(24, months=months))

    assert set(found.status) == {status}
    assert (words or "expected") in found.sentences[0]
    assert words or "history" not in found.sentences[0]
    assert np.isnan(found.value[0]) == (status == "too-short")
    if status == "partial":
        assert found.value[0] == 24
        assert "about 24 expected" in found.sentences[0]


def test_a_short_history_has_the_season_of_all_wards():
    season = 20 + 10 * (np.arange(13) % 12 == 0)  # the first month and the last are the same one of the year
    found = figures("expected", np.tile(season, (WARDS, 1)))

    # The last 12 months hold one of the 30: mean 20.83, times 30 / 20.83.
    assert "about 30 expected" in found.sentences[0]


def test_too_few_are_not_tested():
    counts = constant(0, months=61)
    counts[0, -1] = 4

    found = figures("expected", counts)

    assert found.status[0] == "too-few"
    assert "Fewer than 5 with the 3 months before." in found.sentences[0]


@pytest.mark.parametrize(("months", "longer"), [("1", " Look at 3 or 12 months."), ("3", " Look at 12 months.")])
def test_a_weak_window_says_so_and_offers_longer_ones(months, longer):
    counts = np.tile([1, 1, 2], (WARDS, 28))

    found = figures("expected", counts, months=months)

    weak = f"With fewer than 5 expected a doubling goes unseen most of the time.{longer}"
    assert found.sentences[0].endswith(weak)
    assert found.notes[1] == (
        "In 12 of them fewer than 5 are expected: there a doubling goes unseen most of the time, and silence is no "
        f"all-clear.{longer}"
    )


def test_a_longer_window_finds_what_a_month_cannot():
    counts = constant(1, months=96)
    counts[0, -12:] = 4

    month = figures("expected", counts)
    year = figures("expected", counts, months="12")

    assert (month.classes[0], year.classes[0]) == ("within", "higher")
    assert "48 recorded, about 12 expected" in year.sentences[0]
    assert "January to December 2031" in year.sentences[0]


def test_a_month_that_was_not_supplied_is_not_judged():
    found = figures("expected", constant(24, months=61), missing=[LAST])

    assert set(found.status) == {"not-supplied"}
    assert "not every month was supplied whole" in found.sentences[0]


def test_the_pandemic_is_not_looked_back_on():
    counts = constant(24, months=84)
    last = Month(2023, 6)
    first = last.plus(1 - 84)
    counts[:, Month(2020, 4).index - first.index : Month(2021, 8).index - first.index] = 3

    assert "about 24 expected" in figures("expected", counts, last=last).sentences[0]


def test_after_a_hard_break_history_begins_anew():
    counts = constant(24, months=84)
    counts[:, -30:] = 6
    change = Break("", (), (), LAST.plus(-29), "hard", within=False, what="a new system", vouched_for_by="us")

    found, late = (figures("expected", counts, breaks=(b,)) for b in (change, HARD))

    assert "about 6.0 expected" in found.sentences[0]
    assert set(late.status) == {"break"}
    assert "recording changed and there is less than a year since" in late.sentences[0]
