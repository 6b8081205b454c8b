"""Sentences say what figures say: direction and numbers, read back from the words, are those of value, low, high and class.

Counties are drawn at random, with stories, gaps and breaks of recording in them.
"""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.measures import all_measures, find_measure
from tests.calibration.counties import HARD, LAST, SOFT, view_of
from tests.test_levels import WEIGHTS

WARDS, MONTHS = 14, 75
N = r"-?\d{1,3}(?:,\d{3})*(?:\.\d+)?"
TYPES = ("burglary", "robbery")
CHANCE = "could be chance, given how many wards are looked at"


@st.composite
def counties(draw):
    """Counts of two types in 14 wards over more than six years; and which months, and changes of recording, are known."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    level = draw(st.sampled_from([0.1, 1, 4, 20, 300])) * rng.lognormal(0, draw(st.sampled_from([0.1, 0.7])), (WARDS, 1))
    season = 1 + 0.3 * np.sin(np.arange(MONTHS) * np.pi / 6)
    means = level * season
    wards, months = draw(st.integers(0, WARDS)), draw(st.sampled_from([1, 6, 12]))
    means[:wards, -months:] *= draw(st.sampled_from([0.05, 0.5, 1, 2, 6]))
    means = np.maximum(means, 1e-9)
    phi = draw(st.sampled_from([1, 2]))
    counts = np.stack([rng.poisson(means) if phi == 1 else rng.negative_binomial(means, 0.5) for _ in TYPES], axis=2)
    missing = draw(st.sets(st.integers(0, MONTHS - 1), max_size=2))
    breaks = draw(st.sampled_from([(), (SOFT,), (HARD,)]))
    return counts, {"missing": [LAST.plus(-m) for m in missing], "breaks": breaks, "weights": WEIGHTS, "types": TYPES}


def number(text):
    return float(text.replace(",", ""))


def is_said(text, value, *, off=0.5):
    """Whether a number in a sentence is a value, rounded to as many decimals as it is written with."""
    if text.startswith("less than "):
        return 0 < abs(value) < number(text.removeprefix("less than "))
    decimals = len(text.partition(".")[2])
    return abs(number(text) - value) <= off * 10.0**-decimals * (1 + 1e-9) + 1e-9 * abs(value)


def found_in(pattern, sentence):
    found = re.search(pattern, sentence)
    assert found, f"{pattern}\n{sentence}"
    return found.groupdict()


def hold(given, **values):
    """Hold the numbers of a sentence to those of the figures."""
    for name, value in values.items():
        assert is_said(given[name], value), f"{name}: {given[name]} is said, {value} is meant"


RANGE = rf"(?:between (?P<low>{N}) and (?P<high>{N}) times|at least (?P<least>{N}) times)"


def read_change(figures, i, view):
    sentence, value, low, high = figures.sentences[i], figures.value[i], figures.low[i], figures.high[i]
    said = found_in(
        rf"(?P<perhaps>perhaps )?(?P<way>up|down) from (?P<x0>none|{N}) to (?P<x1>none|{N})(?: \((?P<pc>less than 1|{N})%\))?"
        rf"(?P<sure>, more than chance would usually give)?(?:: {CHANCE})?"
        rf"|no clear change: (?P<now>{N}) recorded, (?P<then>{N}) before",
        sentence,
    )
    x1, x0 = (view.observed(p).sum(axis=1)[i] for p in (view.period, view.period.shifted(-12)))
    bounds = found_in(rf"(?:(?P<value>{N}) times as many )?\({RANGE};", sentence)
    if bounds["value"]:
        hold(bounds, value=value)
    if bounds["least"]:
        assert np.isinf(high)
        hold(bounds, least=low)
    else:
        hold(bounds, low=low, high=high)
    if said["way"] is None:
        hold(said, now=x1, then=x0)
        assert figures.classes[i] == "no-clear-change"
        assert low <= 1 <= high
        return
    assert [number(said[x].replace("none", "0")) for x in ("x0", "x1")] == [x0, x1]
    assert (said["way"] == "up") == (value > 1)
    assert low > 1 or high < 1
    assert bool(said["perhaps"]) != bool(said["sure"]), sentence
    assert figures.classes[i] == (said["way"] if said["sure"] else "no-clear-change")
    if said["pc"] and said["pc"] != "less than 1":
        hold(said, pc=abs(100 * (x1 / x0 - 1)))
    # Percent only of what is enough to take percent of.
    assert bool(said["pc"]) == (x0 >= 50)


def read_expected(figures, i, _):
    said = found_in(
        r"(?P<said>perhaps higher|perhaps lower|higher|lower|within)(?: than expected| the usual range): (?:" + CHANCE + "; )?"
        rf"(?P<x>{N}) recorded, about (?:less than )?(?P<mean>{N}) expected \(usual range (?P<low>{N}) to (?P<high>{N});",
        figures.sentences[i],
    )
    value, low, high = figures.value[i], figures.low[i], figures.high[i]
    hold(said, x=value, low=low, high=high)
    assert figures.classes[i] == {"higher": "higher", "lower": "lower"}.get(said["said"], "within")
    outside = "higher" if value > high else "lower" if value < low else "within"
    assert said["said"].removeprefix("perhaps ") == outside
    assert low <= number(said["mean"]) + 0.5
    assert number(said["mean"]) - 0.5 <= high


def read_trend(figures, i, _):
    sentence, value, low, high = figures.sentences[i], figures.value[i], figures.low[i], figures.high[i]
    size = rf"(?:less than )?{N}"
    said = found_in(
        rf"(?P<perhaps>perhaps )?(?P<way>rising|falling) about (?P<size>{size})% a year \(between (?P<small>{size})% and "
        rf"(?P<large>{size})%\)|(?P<none>no clear trend): between falling (?P<fall>{size})% and rising (?P<rise>{size})% a year"
        rf"|(?P<zero>no clear trend): between (?P<from>{size})% and (?P<to>{size})% a year",
        sentence,
    )
    if said["way"]:
        small, large = sorted((abs(low), abs(high)))
        hold(said, size=abs(value), small=small, large=large)
        assert (said["way"] == "rising") == (value > 0)
        assert low > 0 or high < 0
        assert figures.classes[i] == ("no-clear-trend" if said["perhaps"] else said["way"])
    elif said["none"]:
        hold(said, fall=abs(low), rise=high)
        assert low <= 0 <= high
        assert figures.classes[i] == "no-clear-trend"
    else:
        assert low == 0 or high == 0


def read_funnel(figures, i, _):
    said = found_in(
        rf"(?P<said>perhaps higher|perhaps lower|higher|lower|in line)(?: than| with) other wards(?:: {CHANCE})?; (?P<x>{N}) "
        rf"recorded, about (?:less than )?(?P<e>{N}) at their rate: (?P<value>{N}) times \(could be (?P<low>{N}) to "
        rf"(?P<high>{N});",
        figures.sentences[i],
    )
    hold(said, value=figures.value[i], low=figures.low[i], high=figures.high[i])
    way = "higher" if figures.value[i] > 1 else "lower"
    assert said["said"].removeprefix("perhaps ") in (way, "in line")
    assert figures.classes[i] == (said["said"] if said["said"] in ("higher", "lower") else "in-line")


def read_cluster(figures, i, _):
    said = found_in(
        r"(?:part of a cluster of (?P<side>high|low) wards, less than 1 in (?P<odds>\d+) by chance after|(?P<none>not part of "
        rf"a cluster)).* \(z (?P<z>{N}); smoothed rate (?P<rate>{N}) per",
        figures.sentences[i],
    )
    hold(said, z=figures.value[i])
    side = "hot" if said["side"] == "high" else "cold"
    assert figures.classes[i] == ("none" if said["none"] else f"{side}-{100 - 100 // int(said['odds'])}")
    assert bool(said["none"]) or (said["side"] == "high") == (figures.value[i] > 0)


def read_emerging(figures, i, view):
    said = found_in(
        rf"Ward \d+: (?P<word>no hot|[a-z]+)(?P<cold> cold spot)?.*\((?P<hot>\d+) of (?P<of>\d+) months hot, (?P<colds>\d+) "
        rf"cold; last z (?P<z>{N});",
        figures.sentences[i],
    )
    hold(said, z=figures.value[i])
    assert int(said["of"]) == len(view.period)
    word = "none" if said["word"] == "no hot" else f"{said['word']}{'-cold' if said['cold'] else ''}"
    assert figures.classes[i] == word
    assert (word == "none") or int(said["colds"] if said["cold"] else said["hot"]) > 0


def read_harm(figures, i, _):
    said = found_in(rf"harm (?P<value>{N}) per .* \(could be (?P<low>{N}) to (?P<high>{N});", figures.sentences[i])
    hold(said, value=figures.value[i], low=figures.low[i], high=figures.high[i])


def read_share(figures, i, _):
    said = found_in(
        rf"(?P<x>{N}) of (?P<all>{N}) incidents here \((?P<here>{N})%\), (?P<there>{N})% in all wards: (?P<value>{N}) times",
        figures.sentences[i],
    )
    hold(said, value=figures.value[i], here=100 * number(said["x"]) / number(said["all"]))
    assert abs(number(said["here"]) / max(number(said["there"]), 0.1) - figures.value[i]) < 0.2 * figures.value[i] + 0.2


def read_smoothed_rate(figures, i, _):
    said = found_in(rf"(?P<value>{N}) per .*; the raw figure is (?P<raw>{N}) \((?P<x>{N}) recorded", figures.sentences[i])
    hold(said, value=figures.value[i])


def read_rate(figures, i, _):
    said = found_in(rf"(?P<value>{N}) per .* \(could be (?P<low>{N}) to (?P<high>{N});", figures.sentences[i])
    hold(said, value=figures.value[i], low=figures.low[i], high=figures.high[i])


def read_count(figures, i, _):
    said = found_in(rf"(?P<value>{N}) recorded .* its level is (?P<low>{N}) to (?P<high>{N})\.", figures.sentences[i])
    hold(said, value=figures.value[i], low=figures.low[i], high=figures.high[i])


READ = {name.removeprefix("read_").replace("_", "-"): f for name, f in list(globals().items()) if name.startswith("read_")}


def test_every_measure_is_read_back():
    assert set(READ) == set(all_measures())


@pytest.mark.parametrize("measure", READ)
@given(county=counties())
def test_words_and_figures_agree(measure, county):
    counts, asked = county
    kind = TYPES if measure == "harm" else ("burglary",)
    view = view_of(counts, measure, asked=kind, **asked)

    figures = find_measure(measure).compute(view)

    for i, sentence in enumerate(figures.sentences):
        # Whose it is, of what, of which months, from whom.
        assert sentence.startswith(f"Ward {i}: ")
        assert view.period.words in sentence or view.period.last.words in sentence
        assert " and ".join(kind) in sentence
        assert "County Police" in sentence
        missing = [m for m in asked["missing"] if view.period.first <= m <= view.period.last]
        for month in missing:
            assert names_month(sentence, month), f"{month}: {sentence}"
        if np.isfinite(figures.value[i]):
            READ[measure](figures, i, view)
            changed = [b for b in asked["breaks"] if view.period.first < b.month <= view.period.last]
            if measure in ("change", "expected", "trend", "emerging"):
                assert all(b.words in sentence for b in changed)


def names_month(sentence, month):
    """Whether a sentence names a month that is missing, by itself or within a list of its year."""
    said = re.search(r"Not supplied: (.*?)\.(?: |$)", sentence)
    return bool(said) and f"{month.first:%B}" in said[1] and str(month.year) in said[1]
