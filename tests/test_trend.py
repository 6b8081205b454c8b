"""The measure `trend` on series that a person can check by hand."""

import numpy as np
import pytest

from tests.calibration.counties import HARD, LAST, constant, figures


def test_counts_that_double_every_year():
    counts = constant(24, months=36)
    counts[0] = np.repeat([10, 20, 40], 12)

    found = figures("trend", counts)

    assert found.value[0] == pytest.approx(100, abs=1e-6)
    assert found.classes[0] == "rising"
    assert found.sentences[0].startswith("Ward 0: rising about 100% a year (between 8")
    assert found.classes[1] == "no-clear-trend"


def test_a_second_opinion_where_there_is_enough():
    counts = constant(24, months=60)
    counts[0] = np.arange(60) + 20
    counts[1] = 1

    found = figures("trend", counts)

    # The same month of the year is 12 more each year.
    assert (
        "A rank test that allows for drift finds one too; the same month of the year typically rises by 12.0 a year."
        in (found.sentences[0])
    )
    assert "rank test" not in found.sentences[1]


@pytest.mark.parametrize(
    ("months", "a_month", "status"), [(24, 1, "ok"), (23, 24, "too-short"), (60, 0, "too-few"), (24, 2, "ok")]
)
def test_what_it_takes(months, a_month, status):
    found = figures("trend", constant(a_month, months=months))

    assert set(found.status) == {status}
    assert np.isnan(found.value[0]) == (status != "ok")


def test_months_that_are_missing_are_left_out():
    counts = constant(24, months=60)
    counts[:, 30] = 0

    found = figures("trend", counts, missing=[LAST.plus(-29)])

    assert set(found.status) == {"partial"}
    assert found.value[0] == pytest.approx(0, abs=1e-6)
    assert LAST.plus(-29).words in found.sentences[0]


def test_a_break_is_a_step_and_no_trend():
    counts = constant(10, months=60)
    counts[:, -6:] = 30

    plain, allowed = (figures("trend", counts, breaks=breaks) for breaks in ((), (HARD,)))

    assert plain.value[0] > 10
    assert allowed.value[0] == pytest.approx(0, abs=1e-6)
    assert "Recording changed: July 2031: a new system." in allowed.sentences[0]
