"""The figures that pages show, in the shape that templates want: headline, table, totals, series, most common types."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mapping.answers import Answer, Question, answer
from mapping.boundary_changes import older_sets
from mapping.choropleth import STATUS_WORDS, class_of, map_values
from mapping.concentration import concentration_rows
from mapping.lines import changeable_wards
from mapping.series import ward_series
from mapping.vocabulary import Month

if TYPE_CHECKING:
    from collections.abc import Callable

    from mapping.reader import Reader, WardInfo
    from mapping.series import Series

__all__ = [
    "GAP",
    "CommonType",
    "Headline",
    "TableRow",
    "WardFigures",
    "headline",
    "notes",
    "page_values",
    "table_rows",
    "total_rows",
    "ward_figures",
]

GAP = "some months not supplied"
"""What stands beside a figure that lacks some months."""

SERIES_MONTHS = 36
"""How many months a small series shows."""


@dataclass(frozen=True, slots=True)
class Headline:
    """What a map says, in one sentence and its parts.

    `code` is empty where no ward has a figure, where all figures are zero (`none_recorded`), and where a measure that judges
    finds no ward to name: what it finds is `told`. `partial`: some months that the figures should stand on are missing.
    """

    title: str
    word: str = ""
    code: str = ""
    ward: str = ""
    district: str = ""
    figure: str = ""
    unit: str = ""
    none_recorded: bool = False
    partial: bool = False
    told: str = ""

    @property
    def sentence(self) -> str:
        """`All crime, May 2021 — busiest: Central (Watford), 3,474`."""
        if self.told:
            return f"{self.title} — {self.told}"
        place = f"{self.ward} ({self.district})" if self.district else self.ward
        what = f"{self.word}: {place}, {self.figure}" if self.code else "no ward has a figure"
        gap = f" ({GAP})" if self.partial and (self.code or self.none_recorded) else ""
        return f"{self.title} — {'none recorded' if self.none_recorded else what}{gap}"


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of the table: figures as text, `reading` what its class is called, and `value` to sort by.

    `quiet`: there is nothing to tell of it.
    """

    code: str
    name: str
    district: str
    figure: str
    interval: str
    value: float | None
    note: str
    sentence: str
    reading: str = ""
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class CommonType:
    """A crime type of a ward in a period; `share` is of all its incidents, in percent."""

    id: str
    name: str
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class WardFigures:
    """A ward as its panel shows it; `common_partial`: some months that the common types stand on are missing.

    `common_none` is what stands where there are no common types: none recorded, or none supplied.
    """

    ward: WardInfo
    row: TableRow
    series: Series
    common: tuple[CommonType, ...]
    common_partial: bool
    common_none: str


def headline(found: Answer, type_name: str) -> Headline:
    """What the rows of an answer amount to."""
    plain_count = found.measure.id == "count"
    what = type_name if plain_count else f"{type_name}: {found.measure.name[:1].lower()}{found.measure.name[1:]}"
    title = f"{what}, {found.period.words}{f' against {found.against}' if found.against else ''}"
    partial = bool(found.meta["missing"]) or any(row["status"] == "partial" for row in found.rows)
    known = [row for row in found.rows if row["value"] is not None]
    if not known:
        return Headline(title, partial=partial)
    if found.measure.legend == "sequential" and not any(row["value"] for row in known):
        return Headline(title, none_recorded=True, partial=partial)
    told = found.meta["notes"][0] if found.measure.quiet and found.meta["notes"] else ""
    loud = [row for row in known if row["class"] not in ("", found.measure.quiet)] if told else known
    if not loud:
        return Headline(title, partial=partial, told=told)
    top = max(loud, key=lambda row: row["value"])
    districts = {ward.code: ward.district_name for ward in found.boundary_set.wards}
    return Headline(
        title,
        word="busiest" if plain_count else "highest",
        code=top["ward_code"],
        ward=top["ward_name"],
        district=districts.get(top["ward_code"], ""),
        figure=found.measure.format(top["value"]),
        unit=found.measure.unit,
        partial=partial,
        told=told,
    )


def page_values(found: Answer) -> dict[str, Any]:
    """What the renderer in the browser needs, with the wards whose figure is partial, and what that means."""
    partial = [row["ward_code"] for row in found.rows if row["status"] == "partial"]
    perhaps = {row["ward_code"]: reading_of(row, found) for row in found.rows if row["ward_code"] in found.perhaps}
    return map_values(found) | {"partial": partial, "gap": found.measure.partial, "perhaps": perhaps}


def reading_of(row: dict[str, Any], found: Answer) -> str:
    """What a figure is called: its class, or what it perhaps is; nothing where measures only tell how much."""
    if row["ward_code"] in found.perhaps:
        return f"Perhaps {found.perhaps[row['ward_code']]}: could be chance"
    kind = class_of(row, found) if row["class"] else None
    return "" if kind is None else found.classes[kind].label


def table_rows(found: Answer) -> list[TableRow]:
    """The rows of an answer as a table shows them.

    Those with something to tell come first, then the highest; those without a figure come last.
    """
    districts = {ward.code: ward.district_name for ward in found.boundary_set.wards}
    could_change = set(changeable_wards(found))
    rows = [_row(row, found, districts.get(row["ward_code"], "")) for row in found.rows]
    rows = [replace(row, note=_joined(row.note, "Class could change")) if row.code in could_change else row for row in rows]
    return sorted(rows, key=lambda row: (row.value is None, row.quiet, -(row.value or 0), row.name, row.code))


def _joined(note: str, other: str) -> str:
    return f"{note}; {other[:1].lower()}{other[1:]}" if note else other


def total_rows(reader: Reader, found: Answer, question: Question) -> list[TableRow]:
    """A row for each district in view, and one for the whole set."""
    rows: list[TableRow] = []
    plain = replace(question, ward=None)  # a total is of a whole district, or of the whole set
    if found.boundary_set.districts:
        by_district = answer(reader, found.measure.id, replace(plain, by="district"))
        rows = sorted((_row(row, found, "") for row in by_district.rows), key=lambda row: row.name)
    whole = answer(reader, found.measure.id, replace(plain, by="set", district=None))
    return [*rows, *(_row(row, found, "") for row in whole.rows)]


def _row(row: dict[str, Any], found: Answer, district: str) -> TableRow:
    write, value = found.measure.format, row["value"]
    note = {"partial": found.measure.partial.capitalize(), "estimated": "Estimated"}.get(row["status"], "")
    return TableRow(
        code=row["ward_code"],
        name=row["ward_name"],
        district=district,
        figure="" if value is None else write(value),
        interval=_interval(row["low"], row["high"], write),
        value=value,
        note=note if value is not None else STATUS_WORDS.get(row["status"], row["status"]),
        sentence=row["sentence"],
        reading=reading_of(row, found),
        quiet=bool(found.measure.quiet) and row["class"] in ("", found.measure.quiet),
    )


def _interval(low: float | None, high: float | None, write: Callable[[float], str]) -> str:
    """A range; one without an end has only where it begins."""
    if low is None:
        return ""
    return f"{write(low)} or more" if high is None else f"{write(low)} to {write(high)}"


def ward_figures(
    reader: Reader, found: Answer, question: Question, code: str, *, months: int | None = SERIES_MONTHS
) -> WardFigures:
    """A ward's figure, its series of the type in view (the last so many months, or all), and its most common types.

    Parameters
    ----------
    found
        An answer that holds the ward.
    """
    catalogue = reader.catalogue()
    ward = found.boundary_set.ward(code)
    row = next(row for row in found.rows if row["ward_code"] == code)
    counts = reader.counts(catalogue, found.boundary_set, question.source)
    of_ward = counts.values[counts.ward_codes.index(code)]
    at = {month: i for i, month in enumerate(counts.months)}
    at_ward = found.boundary_set.wards.index(ward)
    reach = reader.reach(catalogue, found.boundary_set)
    on_set = reader.coverage_on(catalogue, found.boundary_set)
    covering = on_set.only(reach[s.source, s.stream][at_ward] for s in on_set.streams)
    in_view = covering.of(sources=[s.id for s in catalogue.sources_in_view(question.source)])
    series = ward_series(
        reader, replace(question, boundaries=found.boundary_set.name), code, period=found.period, months=months
    )
    inside = [at[month] for month in found.period if month in at and in_view.status(month) != "not-supplied"]
    sums = of_ward[inside].sum(axis=0) if inside else of_ward[:0].sum(axis=0)
    every = float(sums.sum())
    named = {t.id: t.name for t in catalogue.crime_types}
    ranked = sorted((-round(n), t) for t, n in zip(counts.crime_types, sums, strict=True) if round(n))
    common = tuple(CommonType(t, named.get(t, t), -n, -100 * n / every) for n, t in ranked)
    partial = bool(in_view.missing(found.period))
    none = STATUS_WORDS["not-supplied"]
    if any(in_view.status(month) != "not-supplied" for month in found.period):
        none = f"None recorded{f' ({GAP})' if partial else ''}"
    return WardFigures(ward, _row(row, found, ward.district_name), series, common, partial, none)


def _spread(reader: Reader, found: Answer) -> list[str]:
    """How unevenly incidents are spread, beside the map of counts."""
    if found.measure.id != "count" or not any(row["value"] for row in found.rows):
        return []
    period = found.period
    return [
        row["sentence"] for row in concentration_rows(reader, replace(found.question, first=period.first, last=period.last))
    ]


def notes(reader: Reader, found: Answer) -> dict[str, Any]:
    """What a page says its figures stand on."""
    catalogue = reader.catalogue()
    in_view = [s for s in catalogue.sources if s.id in found.meta["sources"]]
    opened = {s.id for s in in_view if s.access == "open"}
    snapped = any(s.stream == "street" and s.source in opened for s in catalogue.coverage.streams)
    named = {s.id: s.name for s in in_view}
    missing: dict[str, list[str]] = {}
    for gap in found.meta["missing"]:
        words = Month.parse(gap["month"]).words + (" (in part)" if gap["status"] == "partial" else "")
        missing.setdefault(named.get(gap["source"], gap["source"]), []).append(words)
    as_of = found.meta["data_as_of"]
    effective, older = found.boundary_set.effective, older_sets(catalogue, found.boundary_set)
    return {
        "snapped": snapped,
        "sources": [s.name for s in in_view],
        "missing": missing,
        "data_as_of": Month.parse(as_of).words if as_of else "",
        "attribution": found.meta["attribution"],
        "boundaries": found.boundary_set.name,
        "effective": effective,
        "rebased": bool(effective and found.period.first.first < effective),
        "older": older[0].name if older else "",
        "estimated": bool(found.meta["estimated"]),
        "wards": len(found.boundary_set.wards),
        "explanation": found.measure.explanation,
        "told": found.meta["notes"] or _spread(reader, found),
        "family": found.meta["family"],
        "phi": found.meta["phi"],
        "breaks": found.breaks,
        "denominator": found.meta["denominator"],
    }
