"""A question put to a measure, and its answer: the same for the command line, the API and the pages."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mapping.classes import sequential_classes
from mapping.measures.base import CLASSES, FOR_THESE
from mapping.measures.where import near_rows
from mapping.questions import Question, chosen_measure, read_ground, read_view, wanted_areas, wanted_wards
from mapping.reach import reaching

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mapping.breaks import Break
    from mapping.classes import LegendClass
    from mapping.measures import Area, Figures, Measure, View
    from mapping.measures.where import NearRow
    from mapping.questions import Ground
    from mapping.reader import BoundarySetInfo, Catalogue, Reader
    from mapping.vocabulary import Period

    Classes = tuple[LegendClass, ...]

__all__ = ["COUNT_COLUMNS", "MEASURE_COLUMNS", "Answer", "Question", "answer", "attribution", "count_rows"]

MEASURE_COLUMNS = ("ward_code", "ward_name", "value", "low", "high", "status", "class", "sentence")
COUNT_COLUMNS = ("ward_code", "ward_name", "month", "crime_type", "count")


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows with the columns of `MEASURE_COLUMNS`, what they stand on, and the legend of all areas (not only these rows).

    `near` has for each area what is near the line, where that is known; `working` gives the formula with an area's numbers;
    `breaks` are the recording breaks of the types and sources in view,
    within the period; `against` are the months that it is held against, in words. `perhaps` gives the class that a quiet area
    would be in if none but it were looked at.
    """

    question: Question
    measure: Measure
    boundary_set: BoundarySetInfo
    period: Period
    meta: dict[str, Any]
    rows: list[dict[str, Any]]
    classes: Classes
    near: dict[str, NearRow]
    working: Callable[[str], str]
    breaks: tuple[Break, ...]
    against: str
    perhaps: dict[str, str]

    @property
    def unusual_options(self) -> dict[str, str]:
        """The measure's options that were chosen and are not its defaults."""
        usual = {option.id: option.values[0] for option in self.measure.options}
        return {name: value for name, value in self.question.options.items() if value != usual[name]}


def answer(reader: Reader, measure_id: str, question: Question) -> Answer:
    """One figure for each ward (or district, or the whole set).

    Raises
    ------
    NotFound, BadRequest, StoreNotReady
        If the measure, another parameter, or the store cannot answer.
    """
    measure, options = chosen_measure(measure_id, question)
    ground = read_ground(reader, question, months=measure.default_months)
    if measure.narrowed:
        ground = replace(ground, period=measure.narrowed(ground.period, options))
    view = read_view(reader, ground, question, options)
    figures = measure.compute(view)
    classes = _classes(ground, view, measure, question, figures.value)
    meta = _meta(reader, ground, question) | {
        "measure": measure.id,
        "unit": measure.unit,
        "denominator": figures.denominator,
        "family": figures.family,
        "phi": figures.phi,
        "notes": list(figures.notes),
        "classes": [{"class": c.id, "label": c.label, "low": c.low, "high": c.high, "colour": c.colour} for c in classes],
    }
    meta["attribution"] = list(dict.fromkeys([*meta["attribution"], *figures.attribution]))
    rows = _rows(figures, view.areas, whole=measure.whole)
    wanted = wanted_areas(question, ground.boundary_set, view.areas)
    near = near_rows(figures.near, view.areas)
    at = {area.code: i for i, area in enumerate(view.areas)}
    return Answer(
        question=question,
        measure=measure,
        boundary_set=ground.boundary_set,
        period=ground.period,
        meta=meta,
        rows=[rows[i] for i in wanted],
        classes=classes,
        near=near,
        breaks=_breaks(view),
        against=figures.against,
        perhaps={view.areas[i].code: way for i, way in figures.perhaps.items()},
        working=lambda code: figures.working(at[code]) if figures.working else "",
    )


def _breaks(view: View) -> tuple[Break, ...]:
    every = dict.fromkeys(found for of_group in view.breaks for found in of_group)
    return tuple(found for found in every if view.period.first <= found.month <= view.period.last)


def _classes(ground: Ground, view: View, measure: Measure, question: Question, value: NDArray[np.float64]) -> Classes:
    """What the legend lists.

    Ranges are those of the latest months of the same number, so that a colour means the same when the months change, unless it
    is asked for those of these months alone.
    """
    if measure.legend != "sequential":
        return measure.classes
    values = value
    if question.by == "ward" and view.options.get(CLASSES.id) != FOR_THESE:
        latest = ground.latest(len(view.period))
        if latest not in (None, view.period):
            of_latest = measure.compute(replace(view, period=latest)).value
            values = of_latest if (np.nan_to_num(of_latest) != 0).any() else value
    none = bool((value == 0).any())
    return sequential_classes(values, write=measure.format, decimals=measure.decimals, with_zero=none)


def _rows(figures: Figures, areas: tuple[Area, ...], *, whole: bool) -> list[dict[str, Any]]:
    return [
        {
            "ward_code": area.code,
            "ward_name": area.name,
            "value": _plain(figures.value[i], as_whole=whole),
            "low": _plain(figures.low[i], as_whole=False),
            "high": _plain(figures.high[i], as_whole=False),
            "status": figures.status[i],
            "class": figures.classes[i],
            "sentence": figures.sentences[i],
        }
        for i, area in enumerate(areas)
    ]


def _plain(value: float, *, as_whole: bool) -> float | int | None:
    """A figure as answers write it: whole numbers as such, unless what was apportioned made them fractions.

    None where there is none, or a bound is infinite.
    """
    if not math.isfinite(value):
        return None
    return int(value) if as_whole and float(value).is_integer() else float(value)


def attribution(catalogue: Catalogue, boundary_set: BoundarySetInfo | None, source: str | None) -> list[str]:
    """What must be printed with figures on this set from these sources."""
    wanted = [s.attribution for s in catalogue.sources_in_view(source)]
    wanted += [boundary_set.attribution] if boundary_set else []
    return list(dict.fromkeys(text for text in wanted if text))


def count_rows(reader: Reader, question: Question) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Counts by ward, month and type with the columns of `COUNT_COLUMNS`, zeros left out; and what they stand on."""
    ground = read_ground(reader, question, months=None)
    boundary_set, period, counts = ground.boundary_set, ground.period, ground.counts
    chosen = set(wanted_wards(question, boundary_set))
    types = sorted((t, i) for i, t in enumerate(counts.crime_types) if t in ground.crime_types)
    rows = []
    for w, m in np.argwhere(counts.values.sum(axis=2) > 0):
        if w in chosen and period.first <= counts.months[m] <= period.last:
            ward = boundary_set.wards[w]
            rows += [
                {"ward_code": ward.code, "ward_name": ward.name, "month": str(counts.months[m]), "crime_type": t, "count": n}
                for t, i in types
                if (n := _plain(counts.values[w, m, i], as_whole=True))
            ]
    return rows, _meta(reader, ground, question)


def _meta(reader: Reader, ground: Ground, question: Question) -> dict[str, Any]:
    """What figures stand on, with every key that `meta` has; a measure adds its own."""
    catalogue, boundary_set, period = ground.catalogue, ground.boundary_set, ground.period
    sources = [s.id for s in catalogue.sources_in_view(question.source)]
    latest = catalogue.coverage.of(sources=sources).latest
    apportioned = [s for s in ground.counts.supplies if s.weighted_by and not s.months.isdisjoint(period)]
    printed = [s.attribution for s in apportioned if s.attribution]
    how = dict.fromkeys((s.source, s.areas, s.weighted_by) for s in apportioned)
    estimated = [{"source": source, "areas": areas, "weighted_by": by} for source, areas, by in how]
    return {
        "measure": None,
        "unit": "incidents",
        "denominator": None,
        "crime_type": question.crime_type,
        "from": str(period.first),
        "to": str(period.last),
        "boundaries": boundary_set.name,
        "sources": sources,
        "extracts": reader.ledger(catalogue).behind(ground.sending, period),
        "missing": reaching(ground.sending, ground.covers).missing(period),
        "family": None,
        "phi": None,
        "notes": [],
        "data_as_of": str(latest) if latest else None,
        "data_version": catalogue.data_version,
        "attribution": list(dict.fromkeys([*attribution(catalogue, boundary_set, question.source), *printed])),
        "estimated": estimated,
        "classes": [],
    }
