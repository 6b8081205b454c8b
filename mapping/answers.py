"""A question put to a measure, and its answer: the same for the command line, the API and the pages."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mapping.classes import LegendClass, sequential_classes
from mapping.default_places import count_at_default_places
from mapping.errors import BadRequest, StoreNotReady
from mapping.measures import Area, Figures, Measure, View, find_measure
from mapping.measures.where import near_rows
from mapping.nearness import read_nearness
from mapping.reach import group_areas, reaching, streams_of_wards
from mapping.vocabulary import Month, Period, group_members

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mapping.counts import Counts
    from mapping.coverage import Coverage
    from mapping.measures.where import NearRow
    from mapping.reader import BoundarySetInfo, Catalogue, Reader

__all__ = [
    "COUNT_COLUMNS",
    "MEASURE_COLUMNS",
    "Answer",
    "Question",
    "answer",
    "attribution",
    "count_rows",
    "resolve_period",
    "wanted_wards",
]

MEASURE_COLUMNS = ("ward_code", "ward_name", "value", "low", "high", "status", "class", "sentence")
COUNT_COLUMNS = ("ward_code", "ward_name", "month", "crime_type", "count")


@dataclass(frozen=True, slots=True)
class Question:
    """What every face asks with; empty means the default. `district` and `ward` choose rows, never the family."""

    crime_type: str = "all"
    first: Month | None = None
    last: Month | None = None
    boundaries: str | None = None
    source: str | None = None
    district: str | None = None
    ward: str | None = None
    by: Literal["ward", "district", "set"] = "ward"
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows with the columns of `MEASURE_COLUMNS`, what they stand on, and the legend of all areas (not only these rows).

    `near` has for each area what is near the line, where that is known.
    """

    question: Question
    measure: Measure
    boundary_set: BoundarySetInfo
    period: Period
    meta: dict[str, Any]
    rows: list[dict[str, Any]]
    classes: tuple[LegendClass, ...]
    near: dict[str, NearRow]

    @property
    def unusual_options(self) -> dict[str, str]:
        """The measure's options that were chosen and are not its defaults."""
        usual = {option.id: option.values[0] for option in self.measure.options}
        return {name: value for name, value in self.question.options.items() if value != usual[name]}


@dataclass(frozen=True, slots=True)
class _Ground:
    """What a question comes down to, whatever is asked of it.

    `sending` are the streams in view that send its crime types, `covers` which of them cover each ward of the set.
    """

    catalogue: Catalogue
    boundary_set: BoundarySetInfo
    crime_types: tuple[str, ...]
    period: Period
    counts: Counts
    sending: Coverage
    covers: NDArray[np.bool_]


def _ground(reader: Reader, question: Question, *, months: int | None) -> _Ground:
    """Read it; `months` as in `resolve_period`."""
    catalogue = reader.catalogue()
    boundary_set = catalogue.boundary_set(question.boundaries)
    sources = [s.id for s in catalogue.sources_in_view(question.source)]
    members = tuple(t.id for t in group_members(question.crime_type, catalogue.crime_types))
    supplied = catalogue.coverage.of(sources=sources)
    in_view = reader.coverage_on(catalogue, boundary_set).of(sources=sources)
    sending = in_view.of(crime_types=members)
    return _Ground(
        catalogue=catalogue,
        boundary_set=boundary_set,
        crime_types=members,
        period=resolve_period(question, in_view if in_view.span else supplied, months=months),
        counts=reader.counts(catalogue, boundary_set, question.source),
        sending=sending,
        covers=streams_of_wards(reader.reach(catalogue, boundary_set), sending, wards=len(boundary_set.wards)),
    )


def answer(reader: Reader, measure_id: str, question: Question) -> Answer:
    """One figure for each ward (or district, or the whole set).

    Raises
    ------
    NotFound, BadRequest, StoreNotReady
        If the measure, another parameter, or the store cannot answer.
    """
    measure = find_measure(measure_id)
    options = _options(measure, question.options)
    measure = measure.chosen(measure, options) if measure.chosen else measure
    ground = _ground(reader, question, months=measure.default_months)
    catalogue, boundary_set, sending, covers = ground.catalogue, ground.boundary_set, ground.sending, ground.covers
    covered: NDArray[np.bool_] = np.any(covers, axis=1)
    areas, area_of_ward = _areas(boundary_set, question.by, covered=int(covered.sum()))
    groups, group_of_area = group_areas(covers, sending, area_of_ward, areas=len(areas))
    view = View(
        areas=areas,
        area_of_ward=area_of_ward,
        covered_wards=covered,
        crime_type_name=catalogue.crime_type_name(question.crime_type),
        crime_types=ground.crime_types,
        period=ground.period,
        counts=ground.counts,
        coverage=sending,
        groups=groups,
        group_of_area=group_of_area,
        denominators=reader.denominators(catalogue, boundary_set),
        options=options,
        nearness=lambda: read_nearness(reader, catalogue, boundary_set, question.source) if question.by == "ward" else None,
        at_default=count_at_default_places(reader, catalogue, boundary_set, question.source),
    )
    figures = measure.compute(view)
    classes = sequential_classes(figures.value, write=measure.format) if measure.legend == "sequential" else ()
    meta = _meta(reader, ground, question) | {
        "measure": measure.id,
        "unit": measure.unit,
        "denominator": figures.denominator,
        "family": figures.family,
        "phi": figures.phi,
        "classes": [{"class": c.id, "label": c.label, "low": c.low, "high": c.high, "colour": c.colour} for c in classes],
    }
    meta["attribution"] = list(dict.fromkeys([*meta["attribution"], *figures.attribution]))
    rows = _rows(figures, areas, whole=measure.whole)
    wanted = _wanted(question, boundary_set, areas)
    near = near_rows(figures.near, areas)
    return Answer(question, measure, boundary_set, ground.period, meta, [rows[i] for i in wanted], classes, near)


def resolve_period(question: Question, coverage: Coverage, *, months: int | None) -> Period:
    """The period asked for; by default the last so many months up to the latest supplied (None: all).

    Raises
    ------
    StoreNotReady
        If nothing is loaded and the question does not say.
    """
    span, latest = coverage.span, coverage.latest
    if span is None or latest is None:
        if question.first and question.last:
            return Period(question.first, question.last)
        raise StoreNotReady("No incidents are loaded.", hint="Run `wardwatch load incidents FILE...`.")
    last = question.last or (span.last if months is None else latest)
    if question.first:
        # Asked for from a month that is not whole yet, or not there: as far as anything goes.
        return Period(question.first, last if question.last or question.first <= last else max(span.last, question.first))
    if months is None:
        return Period(min(span.first, last), last)
    first = last.plus(1 - months)
    return Period(min(max(first, span.first), last), last)


def attribution(catalogue: Catalogue, boundary_set: BoundarySetInfo | None, source: str | None) -> list[str]:
    """What must be printed with figures on this set from these sources."""
    wanted = [s.attribution for s in catalogue.sources_in_view(source)]
    wanted += [boundary_set.attribution] if boundary_set else []
    return list(dict.fromkeys(text for text in wanted if text))


def count_rows(reader: Reader, question: Question) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Counts by ward, month and type with the columns of `COUNT_COLUMNS`, zeros left out; and what they stand on."""
    ground = _ground(reader, question, months=None)
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


def wanted_wards(question: Question, boundary_set: BoundarySetInfo) -> list[int]:
    """Indices of the wards that `district` and `ward` choose; a district or ward that the set does not have is refused."""
    return _wanted(question, boundary_set, ())


def _meta(reader: Reader, ground: _Ground, question: Question) -> dict[str, Any]:
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
        "data_as_of": str(latest) if latest else None,
        "data_version": catalogue.data_version,
        "attribution": list(dict.fromkeys([*attribution(catalogue, boundary_set, question.source), *printed])),
        "estimated": estimated,
        "classes": [],
    }


def _areas(boundary_set: BoundarySetInfo, by: str, *, covered: int) -> tuple[tuple[Area, ...], NDArray[np.int64]]:
    """The areas that figures are given for, and the area of each ward; a total of fewer wards than the set has says so."""
    wards = boundary_set.wards
    if by == "ward":
        return tuple(Area(w.code, w.name) for w in wards), np.arange(len(wards))
    if by == "set":
        name = f"The {covered:,} covered wards" if 0 < covered < len(wards) else "All wards"
        return (Area(boundary_set.name, f"{name} of {boundary_set.name}"),), np.zeros(len(wards), dtype=np.int64)
    codes = sorted({w.district_code for w in wards})
    if codes == [""]:
        raise BadRequest(
            f"The boundary set {boundary_set.name} has no districts.",
            hint="Load it again with --district-column, or ask by ward or by set.",
            parameter="by",
            value=by,
        )
    names = boundary_set.districts
    at = {code: i for i, code in enumerate(codes)}
    return tuple(Area(c, names.get(c, "No district")) for c in codes), np.array([at[w.district_code] for w in wards])


def _options(measure: Measure, given: dict[str, str]) -> dict[str, str]:
    chosen = {option.id: option.values[0] for option in measure.options}
    for name, value in given.items():
        allowed = next((option.values for option in measure.options if option.id == name), None)
        if allowed is None or value not in allowed:
            known = "; ".join(f"{o.id} = {' or '.join(o.values)}" for o in measure.options) or "none"
            raise BadRequest(
                f"The measure {measure.id} has no option {name}={value}.",
                hint=f"Its options: {known}.",
                parameter=name,
                value=value,
            )
        chosen[name] = value
    return chosen


def _plain(value: float, *, as_whole: bool) -> float | int | None:
    """A figure as answers write it: whole numbers as such, unless what was apportioned made them fractions."""
    if math.isnan(value):
        return None
    return int(value) if as_whole and float(value).is_integer() else float(value)


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


def _wanted(question: Question, boundary_set: BoundarySetInfo, areas: tuple[Area, ...]) -> list[int]:
    """Which areas the question chooses; a district or ward that the set does not have, or that `by` sums up, is refused."""
    summed = "ward" if question.ward else "district" if question.district and question.by == "set" else ""
    if summed and question.by != "ward":
        raise BadRequest(
            f"A total by {question.by} cannot be of one {summed}.",
            hint=f"Leave out `{summed}`, or `by`.",
            parameter=summed,
            value=question.ward or question.district or "",
        )
    if question.ward and all(ward.code != question.ward for ward in boundary_set.wards):
        raise BadRequest(
            f"There is no ward '{question.ward}' in the boundary set {boundary_set.name}.",
            hint="A ward of another vintage has another code: name its set with `boundaries`.",
            parameter="ward",
            value=question.ward,
        )
    if question.district and question.district not in boundary_set.districts:
        raise BadRequest(
            f"There is no district '{question.district}' in the boundary set {boundary_set.name}.",
            hint="Known: " + (", ".join(boundary_set.districts) or "none") + ".",
            parameter="district",
            value=question.district,
        )
    if question.by == "set":
        return [0]
    if question.by == "district":
        return [i for i, area in enumerate(areas) if question.district in (None, "", area.code)]
    return [
        i
        for i, ward in enumerate(boundary_set.wards)
        if question.district in (None, "", ward.district_code) and question.ward in (None, "", ward.code)
    ]
