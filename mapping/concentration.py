"""How unevenly incidents are spread over wards, and over the places within them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import select

from mapping.measures.base import NOT_SUPPLIED
from mapping.measures.words import Subject, counted
from mapping.places import read_place_wards
from mapping.questions import read_ground, read_view
from mapping.statistics.concentration import generalised_gini, gini, holding
from mapping.store.models import CrimeTypeRow, MonthPlaces, Source

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sqlalchemy import Connection

    from mapping.questions import Ground, Question
    from mapping.reader import Reader

__all__ = ["CONCENTRATION_COLUMNS", "concentration_rows"]

CONCENTRATION_COLUMNS = (*("level", "number", "incidents", "holding_half", "share", "gini", "generalised_gini", "sentence"),)


def concentration_rows(reader: Reader, question: Question) -> list[dict[str, Any]]:
    """A row for wards and one for places, with the columns of `CONCENTRATION_COLUMNS`.

    `holding_half` is the fewest of them that hold half of the incidents, `share` what part of their `number` that is. Places
    are all those of the sources in view that lie in a ward of the set and ever had an incident; there is no row for them where
    no source gives places.
    """
    ground = read_ground(reader, question, months=12)
    view = read_view(reader, ground, question, {})
    known = view.month_codes(ground.period) > NOT_SUPPLIED
    wards = np.where(known, view.observed(ground.period), 0).sum(axis=1)[view.covered_wards]
    name = f"places {ground.boundary_set.id} {question.source} {question.crime_type} {ground.period}"
    places = reader.keep(ground.catalogue, name, lambda connection: _of_places(connection, ground))
    subject = Subject.of(view, [ground.period])
    said = (next(iter(subject.what), ""), next(iter(subject.missing), ""))
    rows = [_row("wards", wards, *said)]
    return [*rows, _row("places", places, *said)] if len(places) else rows


def _row(level: str, counts: NDArray[Any], subject: str, missing: str) -> dict[str, Any]:
    total, n, half = float(counts.sum()), len(counts), int(holding(counts)) if len(counts) else 0
    sentence = f"Nothing recorded in any of {n:,} {level} ({subject}).{missing}"
    if total:
        sentence = (
            f"Half of {counted(total)} incidents are in {half:,} of {n:,} {level} ({100 * half / n:.1f}%; {subject}). Gini "
            f"{float(gini(counts)):.2f}, generalised {float(generalised_gini(counts)):.2f}.{missing}"
        )
    return {
        "level": level,
        "number": n,
        "incidents": int(total) if total.is_integer() else total,
        "holding_half": half if total else None,
        "share": half / n if total else None,
        "gini": float(gini(counts)) if total else None,
        "generalised_gini": float(generalised_gini(counts)) if total else None,
        "sentence": sentence,
    }


def _of_places(connection: Connection, ground: Ground) -> NDArray[np.int64]:
    """Incidents of the question at each place that ever had any, in wards of the set."""
    sources = {stream.source for stream in ground.sending.streams}
    types = connection.scalars(select(CrimeTypeRow.id).where(CrimeTypeRow.slug.in_(ground.crime_types))).all()
    wards = read_place_wards(connection, ground.boundary_set.id)
    counts, ever = np.zeros(len(wards), dtype=np.int64), np.zeros(len(wards), dtype=bool)
    for row in connection.execute(
        select(MonthPlaces)
        .join(Source, Source.id == MonthPlaces.source_id)
        .where(Source.slug.in_(sources))
        .execution_options(yield_per=60)
    ):
        places = np.frombuffer(row.place_ids, "<i4")
        ever[places] = True
        if ground.period.first.first <= row.month <= ground.period.last.first:
            asked = np.isin(np.frombuffer(row.crime_type_ids, "<i4"), types)
            counts += np.bincount(places[asked], minlength=len(wards))
    return counts[ever & (wards > 0)]
