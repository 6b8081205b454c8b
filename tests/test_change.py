"""The measure `change` on counties that a person can check by hand: values, ranges, classes, statuses, words."""

import numpy as np
import pytest
from scipy import stats

from mapping.breaks import Break
from mapping.vocabulary import Month
from tests.calibration.counties import HARD, LAST, SOFT, constant, figures


def spread_over(total, months):
    """A total over months as evenly as whole numbers go."""
    return np.array([total // months + (i < total % months) for i in range(months)])


def two_years(before, after, **asked):
    """The change of ward 0 from one total to another, all other wards staying at 24 a year."""
    counts = constant()
    counts[0] = [*spread_over(before, 12), *spread_over(after, 12)]
    return figures("change", counts, **asked)


def test_the_figures_are_those_of_r():
    found = two_years(24, 41)

    # R's poisson.test(c(41, 24)); the interval is its, the p its doubled smaller tail.
    assert (found.value[0], found.low[0], found.high[0]) == pytest.approx((1.708333, 1.008029668, 2.955797677), rel=1e-6)
    assert found.phi == 1
    assert "p = 0.04635, q = 0.5562 among 12." in found.working(0)


def test_what_could_be_chance_is_said_and_drawn_quiet():
    found = two_years(24, 41)

    assert found.classes[0] == "no-clear-change"
    assert found.sentences[0] == (
        "Ward 0: perhaps up from 24 to 41: could be chance, given how many wards are looked at; 1.71 times as many (between "
        "1.01 and 2.96 times; burglary, January to December 2031 against January to December 2030; County Police)."
    )


def test_what_is_more_than_chance_has_the_word_and_the_class():
    up, down = two_years(24, 80), two_years(80, 24)

    assert (up.classes[0], down.classes[0]) == ("up", "down")
    assert up.sentences[0].startswith("Ward 0: up from 24 to 80, more than chance would usually give: 3.33 times as many (")
    assert down.sentences[0].startswith("Ward 0: down from 80 to 24 (70%), more than chance would usually give: 0.30 times")
    assert up.notes == (
        "More than chance: 1 up and 0 down, of 12 looked at together; on average no more than 5% of those are chance.",
    )


def test_percent_only_where_the_base_allows():
    assert "(" not in two_years(24, 80).sentences[0].split(",")[0]
    assert "(60%)" in two_years(100, 160).sentences[0]


def test_nothing_to_tell():
    found = two_years(24, 24)

    assert found.value[0] == 1
    assert found.sentences[0].startswith("Ward 0: no clear change: 24 recorded, 24 before; 1 times as many (between 0.54")


@pytest.mark.parametrize(("before", "after", "status"), [(1, 3, "too-few"), (0, 0, "too-few"), (2, 4, "ok")])
def test_five_are_too_few_and_six_are_not(before, after, status):
    found = two_years(before, after)

    assert found.status[0] == status
    assert np.isnan(found.value[0]) == (status == "too-few")
    if status == "too-few":
        assert f"too few to judge: {after} recorded, {before} before, and a change of this size is" in found.sentences[0]


def test_from_none_to_many_there_is_no_upper_bound():
    found = two_years(0, 30)

    assert found.value[0] == pytest.approx(30.5 / 0.5)
    assert np.isinf(found.high[0])
    assert "up from none to 30, more than chance would usually give: (at least 7.64 times;" in found.sentences[0]


def test_a_month_that_was_not_supplied_is_no_fall():
    for missing in (LAST.plus(-20), LAST.plus(-2)):
        found = two_years(24, 80, missing=[missing])

        assert set(found.status) == {"not-supplied"}
        assert np.isnan(found.value).all()
        assert "not compared, because not every month was supplied (b" in found.sentences[0]
        assert missing.words in found.sentences[0]


def test_a_partial_month_is_not_compared_either():
    assert set(two_years(24, 80, partly=[LAST.plus(-2)]).status) == {"not-supplied"}


def test_before_anything_was_supplied_is_too_short():
    found = figures("change", constant(months=18))

    assert set(found.status) == {"too-short"}
    assert "there is nothing from so long ago" in found.sentences[0]


def test_nothing_is_compared_over_a_hard_break():
    found = two_years(24, 80, breaks=(HARD,))

    assert set(found.status) == {"break"}
    assert found.sentences[0].endswith(" Recording changed: July 2031: a new system.")


def test_over_a_soft_break_the_sentence_warns():
    found = two_years(24, 80, breaks=(SOFT,))

    assert found.classes[0] == "up"
    assert found.sentences[0].endswith(" Recording changed: July 2031: a new form.")


def test_a_break_before_all_that_is_compared_says_nothing():
    for month in (LAST.plus(-23), LAST.plus(-40)):
        early = Break("", (), (), month, "hard", within=False, what="a new system", vouched_for_by="us")
        assert two_years(24, 80, breaks=(early,)).sentences == two_years(24, 80).sentences


def test_months_of_other_length_are_compared_by_the_day():
    counts = constant(31, months=26)
    counts[:, -2] = 28  # February 2032 has 29 days

    found = figures("change", counts, last=Month(2030, 3), looking_at=1, against="period-before")

    assert found.value[1] == pytest.approx(1)
    assert "1 times as many a day (between" in found.sentences[1]


def test_counts_that_vary_more_than_chance_widen_the_interval():
    rng = np.random.default_rng(5)
    counts = rng.negative_binomial(10, 0.5, size=(60, 24))  # phi is 2

    found = figures("change", counts)

    x1, x0 = counts[0, 12:].sum(), counts[0, :12].sum()
    assert found.phi == pytest.approx(2, abs=0.25)
    # Clopper and Pearson's interval of x / phi, as SciPy has it.
    n, k = (x1 + x0) / found.phi, x1 / found.phi
    low, high = stats.beta.ppf([0.025, 0.975], [k, k + 1], [n - k + 1, n - k])
    assert (found.low[0], found.high[0]) == pytest.approx((low / (1 - low), high / (1 - high)))


def test_all_wards_that_fall_alike_do_not_hide_each_other():
    counts = np.hstack([constant(8, months=12), constant(2, months=12)])

    assert set(figures("change", counts).classes) == {"down"}
