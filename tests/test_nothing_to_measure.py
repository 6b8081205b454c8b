"""Counties of which little or nothing can be said: every measure gives a status and a sentence, and no warning."""

from datetime import date

import numpy as np
import pytest
from scipy import sparse

from mapping.breaks import Break
from mapping.harm_weights import HarmWeights
from mapping.measures import all_measures, find_measure
from tests.calibration.counties import LAST, constant, view_of

WARDS = 12


WEIGHTS = HarmWeights({"burglary": 400.0}, "Made up", "1", date(2024, 11, 1), "Somebody", "weights.csv")
ISLANDS = sparse.csr_array((WARDS, WARDS))
HOSTILE = {
    "no data in the period": (constant(10, months=61), {"missing": [LAST.plus(-i) for i in range(61)]}),
    "one ward": (constant(10, months=61, wards=1), {}),
    "one ward without anything": (constant(0, months=61, wards=1), {}),
    "all zeros": (constant(0, months=84), {}),
    "a constant series": (constant(10, months=84), {}),
    "islands only": (np.random.default_rng(1).poisson(10, (WARDS, 84)), {"neighbours": ISLANDS}),
    "no residents": (constant(10, months=84), {"residents": np.full(WARDS, np.nan)}),
    "nobody lives there": (constant(10, months=84), {"residents": np.zeros(WARDS)}),
    "one month": (constant(10, months=1), {}),
    "one incident": (np.eye(WARDS, 84, dtype=int) * (np.arange(WARDS)[:, None] == 0), {}),
    "only the last month": (constant(0, months=84) + 40 * (np.arange(84) == 83), {}),
    "huge counts": (constant(10**7, months=84), {}),
    "every other month missing": (constant(10, months=84), {"missing": [LAST.plus(-i) for i in range(0, 84, 2)]}),
    "breaks everywhere": (
        np.random.default_rng(1).poisson(10, (WARDS, 84)),
        {
            "breaks": tuple(
                Break("", (), (), LAST.plus(-i), "soft", within=False, what="x", vouched_for_by="y") for i in range(60)
            )
        },
    ),
    "parts of incidents": (np.random.default_rng(1).poisson(10, (WARDS, 84)) / 3, {}),
}
NO_VALUE = {"not-supplied", "break", "too-few", "too-short", "no-denominator", "suppressed", "not-applicable"}
WITH_VALUE = {"ok", "partial", "estimated"}


@pytest.mark.parametrize("measure", all_measures())
@pytest.mark.parametrize("case", HOSTILE)
def test_bad_input_gives_a_status_and_a_sentence(measure, case):
    counts, asked = HOSTILE[case]
    declared = find_measure(measure)
    every = [{}] + [{option.id: value} for option in declared.options for value in option.values[1:]]

    for options in every:
        found = declared.compute(view_of(counts, measure, weights=WEIGHTS, **asked, **options))

        listed = {c.id for c in (declared.chosen(declared, _all(declared, options)) if declared.chosen else declared).classes}
        for i, status in enumerate(found.status):
            value, sentence = found.value[i], found.sentences[i]
            assert status in NO_VALUE | WITH_VALUE
            assert np.isfinite(value) == (status in WITH_VALUE), f"{status}: {value}"
            assert sentence.startswith(f"Ward {i}: ")
            assert sentence.endswith((".", "publish it", "published."))
            assert not {"nan", "inf", "none)"} & set(sentence.lower().replace("(", " ").replace(";", " ").split())
            assert found.classes[i] == "" or found.classes[i] in listed
            assert status in WITH_VALUE or found.classes[i] == ""
            low, high = found.low[i], found.high[i]
            assert np.isnan(low) or not np.isnan(value)
            assert np.isnan(low) or low <= high
            if found.working:
                assert found.working(i) if status in WITH_VALUE else True


def _all(declared, options):
    return {option.id: option.values[0] for option in declared.options} | options
