"""The measures `harm`, `share` and `smoothed-rate`, worked by hand."""

from datetime import date

import numpy as np
import pytest

from mapping.harm_weights import HarmWeights
from tests.calibration.counties import figures

WARDS = 12


WEIGHTS = HarmWeights({"burglary": 400.0, "robbery": 700.0}, "Made up", "1", date(2024, 11, 1), "Somebody", "weights.csv")
TYPES = ("anti-social-behaviour", "burglary", "robbery")


def weighable():
    counts = np.zeros((WARDS, 12, 3), dtype=int)
    counts[0, 0] = [50, 4, 1]
    return counts


def test_a_ward_worked_by_hand():
    found = figures("harm", weighable(), types=TYPES, weights=WEIGHTS)

    # 4 burglaries and a robbery of 5,000 residents: (4 x 400 + 700) / 5 = 460; the error is 1.96 sqrt(4 x 400^2 + 700^2) / 5.
    error = 1.959964 * np.sqrt(4 * 400**2 + 700**2) / 5
    assert found.value[0] == pytest.approx(460)
    assert (found.low[0], found.high[0]) == pytest.approx((460 - error, 460 + error), rel=1e-6)
    assert found.sentences[0].startswith(
        "Ward 0: harm 460 per 1,000 residents a year (could be 43 to 877; 5 incidents weighed;"
    )
    assert "weights: Made up, 1, 1 November 2024)" in found.sentences[0]
    assert "70% of it is burglary." in found.sentences[0]
    assert "Not weighed: anti-social-behaviour." in found.sentences[0]
    assert "Somebody" in found.attribution


def test_no_incident_is_no_certainty():
    found = figures("harm", weighable(), types=TYPES, weights=WEIGHTS)

    assert (found.value[1], found.low[1]) == (0, 0)
    # Up to 3.69 incidents of the usual mix, 460 each.
    assert found.high[1] == pytest.approx(3.688879 * 460 / 5)


@pytest.mark.parametrize(
    ("weights", "asked", "words"),
    [
        (None, ("burglary",), "no harm weights are loaded; `wardwatch load weights FILE` loads some"),
        (WEIGHTS, ("anti-social-behaviour",), "anti-social behaviour has no harm weight in any published index"),
        (
            HarmWeights({"drugs": 1.0}, "Made up", "1", date(2024, 11, 1), "", "w"),
            ("robbery",),
            "Made up has no weight for it",
        ),
    ],
)
def test_without_weights_it_says_so(weights, asked, words):
    found = figures("harm", weighable(), types=TYPES, asked=asked, weights=weights)

    assert set(found.status) == {"not-applicable"}
    assert np.isnan(found.value).all()
    assert words in found.sentences[0]


def test_a_table_of_two_by_two():
    counts = np.zeros((2, 1, 2), dtype=int)
    counts[0, 0], counts[1, 0] = [40, 60], [10, 190]

    found = figures("share", counts, types=("burglary", "robbery"), asked=("burglary",), looking_at=1)

    # METHODS' example: 40% here, 50 of 300 in all.
    assert found.value[0] == pytest.approx(2.4)
    assert found.sentences[0].startswith("Ward 0: 40 of 100 incidents here (40.0%), 16.7% in all wards: 2.40 times that share")


def test_all_types_have_no_share():
    found = figures("share", np.ones((2, 12, 2), dtype=int), types=("burglary", "robbery"))

    assert set(found.status) == {"not-applicable"}


def test_small_wards_are_drawn_further():
    counts = np.random.default_rng(2).poisson(20, (WARDS, 12))
    counts[0], counts[1] = 40, 0
    counts[1, 0] = 40
    residents = np.full(WARDS, 5000.0)
    residents[1] = 40 / counts[0].sum() * 5000  # the same raw rate, of a twelfth of the residents

    found = figures("smoothed-rate", counts, residents=residents)

    raw = 1000 * counts[0].sum() / 5000
    assert found.value[1] < found.value[0] < raw
    assert f"the raw figure is {raw:.1f} (480 recorded" in found.sentences[0]
    assert "adjusted for small numbers towards all wards" in found.sentences[0]


def test_towards_neighbours():
    counts = np.random.default_rng(2).poisson(20, (100, 12))
    counts[:50] *= 3

    all_wards, near = (figures("smoothed-rate", counts, towards=towards) for towards in ("all", "neighbours"))

    # Deep in the higher half all neighbours are high, too.
    assert near.value[22] != all_wards.value[22]
    assert "towards its neighbours" in near.sentences[22]
