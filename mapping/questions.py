"""What is asked, and what it comes down to: the sources, months, counts and areas that an answer stands on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from mapping.default_places import count_at_default_places
from mapping.errors import BadRequest, StoreNotReady
from mapping.measures import Area, Measure, View, find_measure
from mapping.nearness import read_nearness
from mapping.reach import group_areas, streams_of_wards
from mapping.vocabulary import Month, Period, group_members

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mapping.counts import Counts
    from mapping.coverage import Coverage
    from mapping.reader import BoundarySetInfo, Catalogue, Reader

__all__ = ["Ground", "Question", "chosen_measure", "read_ground", "read_view", "resolve_period", "wanted_areas", "wanted_wards"]


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
class Ground:
    """What a question comes down to, whatever is asked of it.

    `dated` is the coverage that periods are taken from; `supplied` are the streams in view as far as they come onto the set,
    `sending` those that send its crime types, and `covers` says which of these cover each ward of the set.
    """

    catalogue: Catalogue
    boundary_set: BoundarySetInfo
    crime_types: tuple[str, ...]
    period: Period
    counts: Counts
    dated: Coverage
    supplied: Coverage
    sending: Coverage
    covers: NDArray[np.bool_]

    def latest(self, months: int) -> Period | None:
        """The last so many months up to the latest supplied, fewer if there are fewer; None where nothing is."""
        return resolve_period(Question(), self.dated, months=months) if self.dated.span else None


def read_ground(reader: Reader, question: Question, *, months: int | None) -> Ground:
    """Read it; `months` as in `resolve_period`."""
    catalogue = reader.catalogue()
    boundary_set = catalogue.boundary_set(question.boundaries)
    sources = [s.id for s in catalogue.sources_in_view(question.source)]
    members = tuple(t.id for t in group_members(question.crime_type, catalogue.crime_types))
    supplied = catalogue.coverage.of(sources=sources)
    in_view = reader.coverage_on(catalogue, boundary_set).of(sources=sources)
    sending = in_view.of(crime_types=members)
    dated = in_view if in_view.span else supplied
    return Ground(
        catalogue=catalogue,
        boundary_set=boundary_set,
        crime_types=members,
        period=resolve_period(question, dated, months=months),
        counts=reader.counts(catalogue, boundary_set, question.source),
        dated=dated,
        supplied=in_view,
        sending=sending,
        covers=streams_of_wards(reader.reach(catalogue, boundary_set), sending, wards=len(boundary_set.wards)),
    )


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


def chosen_measure(measure_id: str, question: Question) -> tuple[Measure, dict[str, str]]:
    """The measure as it is under the options asked for, and all of these."""
    measure = find_measure(measure_id)
    options = _options(measure, question.options)
    return measure.chosen(measure, options) if measure.chosen else measure, options


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


def read_view(reader: Reader, ground: Ground, question: Question, options: dict[str, str]) -> View:
    """What a measure may look at."""
    catalogue, boundary_set = ground.catalogue, ground.boundary_set
    covered: NDArray[np.bool_] = np.any(ground.covers, axis=1)
    areas, area_of_ward = _areas(boundary_set, question.by, covered=int(covered.sum()))
    groups, group_of_area = group_areas(ground.covers, ground.sending, area_of_ward, areas=len(areas))
    types = frozenset(ground.crime_types)
    breaks = tuple(
        tuple(b for b in reader.breaks(catalogue) if any(b.touches(s.source, s.stream, types) for s in group.counting))
        for group in groups
    )

    def of_every_type() -> View:
        every = replace(question, crime_type="all")
        return read_view(reader, replace(read_ground(reader, every, months=None), period=ground.period), every, options)

    return View(
        areas=areas,
        area_of_ward=area_of_ward,
        covered_wards=covered,
        crime_type_name=catalogue.crime_type_name(question.crime_type),
        crime_types=ground.crime_types,
        period=ground.period,
        counts=ground.counts,
        coverage=ground.sending,
        groups=groups,
        group_of_area=group_of_area,
        denominators=reader.denominators(catalogue, boundary_set),
        options=options,
        nearness=lambda: read_nearness(reader, catalogue, boundary_set, question.source) if question.by == "ward" else None,
        at_default=count_at_default_places(reader, catalogue, boundary_set, question.source),
        source_names={source.id: source.name for source in catalogue.sources},
        type_names={t.id: t.name for t in catalogue.crime_types},
        breaks=breaks,
        of_wards_alone=lambda: read_view(reader, ground, replace(question, by="ward"), options),
        of_every_type=of_every_type,
        neighbours=lambda: reader.neighbours(catalogue, boundary_set),
        weights=lambda: reader.harm_weights(catalogue),
        ward_groups=lambda: reader.ward_groups(catalogue, boundary_set),
    )


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


def wanted_wards(question: Question, boundary_set: BoundarySetInfo) -> list[int]:
    """Indices of the wards that `district` and `ward` choose; a district or ward that the set does not have is refused."""
    return wanted_areas(question, boundary_set, ())


def wanted_areas(question: Question, boundary_set: BoundarySetInfo, areas: tuple[Area, ...]) -> list[int]:
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
