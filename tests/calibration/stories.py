"""The stories planted in the demo county, and whether the measures that are meant to find them do."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from loaders.demo.county import County, draw_county
from loaders.demo.incidents import imagine
from loaders.demo.model import MONTHS, TYPES
from loaders.demo.stories import RISING, SERIES
from loaders.demo.times import EPOCH
from mapping.measures import find_measure
from mapping.vocabulary import Month
from tests.calibration.counties import view_of

LAST = Month(2025, 12)


@dataclass(frozen=True)
class Found:
    """What a measure says of the ward of a story, for one seed."""

    story: str
    measure: str
    counted: int
    usual: float
    called: bool


@cache
def county() -> County:
    return draw_county()


def counts_of(seed: int, crime_type: str) -> NDArray[np.int64]:
    """Incidents of a type as they arrive, by ward of demo25 and month of their recording."""
    wards = county().sets["demo25"]
    incidents, places = imagine(county(), wards, seed=seed)
    kind = [spec.id for spec in TYPES].index(crime_type)
    there = (incidents.kind == kind) & ~incidents.nowhere & ~incidents.at_zero & (places.ward[incidents.place] < len(wards))
    month = (EPOCH + incidents.recorded[there]).astype("datetime64[M]").astype(int) - EPOCH.astype("datetime64[M]").astype(int)
    counts = np.zeros((len(wards), MONTHS), dtype=np.int64)
    np.add.at(counts, (places.ward[incidents.place[there]], month), 1)
    return counts


def look_for_stories(seed: int) -> list[Found]:
    """The rising hot spot by change and trend in the ward around whose ground it gathers, the series by what was expected."""
    codes = [ward.code for ward in county().sets["demo25"]]
    asb, heart = counts_of(seed, RISING.crime_type), codes.index(RISING.wards[0])
    rising = [
        Found(RISING.kind, measure, int(asb[heart, -12:].sum()), float(asb[heart, -24:-12].sum()), said == called)
        for measure, called in (("change", "up"), ("trend", "rising"))
        if (said := find_measure(measure).compute(view_of(asb, measure, last=LAST)).classes[heart])
    ]
    burglary, ward = counts_of(seed, SERIES.crime_type)[:, : SERIES.months.stop], codes.index(SERIES.wards[0])
    view = view_of(burglary, "expected", last=Month.parse(SERIES.last), months="3")
    said = find_measure("expected").compute(view).classes[ward]
    usual = burglary[ward, :-3].mean() * 3
    return [*rising, Found(SERIES.kind, "expected, 3 months", int(burglary[ward, -3:].sum()), usual, said == "higher")]
