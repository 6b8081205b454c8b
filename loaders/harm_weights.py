"""load_weights: the harm of one incident of each crime type."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert

from loaders.judging import JudgingReport, find_named, known_types, lines_of, one_text, open_table, texts_of
from loaders.listings import shown
from loaders.quality import number_of
from mapping.errors import DataRefused
from mapping.store import check_ready, writing
from mapping.store.models import HarmWeight, HarmWeightFile
from mapping.store.stamp import stamp

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

__all__ = ["load_weights"]


_NEEDED = ("crime_type", "weight", "source", "version", "date")


def load_weights(engine: Engine, path: Path, *, now: datetime, attribution: str = "") -> JudgingReport:
    """Load harm weights from a table with the columns crime_type, weight, source, version and date, in place of those before.

    Source, version and date may stand in the first row only; they are printed with every figure.

    Raises
    ------
    DataRefused
        If one of them is missing or differs between rows, a type is unknown or stands twice, or a weight is no number.
    """
    check_ready(engine)
    received, table = open_table(path, names=_NEEDED)
    columns = find_named(table, received, _NEEDED, ())
    said = {name: one_text(table, columns[name], received) for name in ("source", "version", "date")}
    try:
        dated = date.fromisoformat(said["date"][:10])
    except ValueError:
        raise DataRefused(f"{received.name}: '{said['date'][:40]}' is not a date.", hint="Write it as YYYY-MM-DD.") from None
    pairs = [
        (line, kind, weight)
        for line, kind, weight in zip(
            lines_of(table), texts_of(table, columns["crime_type"]), texts_of(table, columns["weight"]), strict=True
        )
        if kind or weight
    ]
    with writing(engine) as connection:
        types = {t.id: t for t in known_types(connection)}
        weights: dict[str, float] = {}
        for line, kind, text in pairs:
            where = f"{received.name}, line {line}"
            if kind not in types:
                raise DataRefused(f"{where}: there is no crime type '{kind[:60]}'.", hint=f"Known: {', '.join(sorted(types))}.")
            if kind in weights:
                raise DataRefused(f"{where}: the crime type {kind} stands twice.", hint="Give one weight a type.")
            if types[kind].group == "asb":
                raise DataRefused(
                    f"{where}: anti-social behaviour has no harm weight.",
                    hint="No published index weighs it. Leave the row out; its harm is then said to be unknown, not nought.",
                )
            if not re.fullmatch(r"\d{1,7}(\.\d+)?", text.replace(",", "")):
                raise DataRefused(f"{where}: '{text[:40]}' is not a weight.", hint="Write a number, 0 or more.")
            weights[kind] = float(text.replace(",", ""))
        if not any(weights.values()):
            raise DataRefused(f"{received.name}: no type has a weight above 0.", hint="Give a weight for each crime type.")
        for model in (HarmWeight, HarmWeightFile):
            connection.execute(delete(model))
        file = {"id": 1, "file_name": received.base_name, "sha256": received.sha256, "loaded_at": now}
        about = {"source": said["source"], "version": said["version"], "dated": dated, "attribution": attribution}
        connection.execute(insert(HarmWeightFile).values(file | about))
        connection.execute(insert(HarmWeight), [{"crime_type": k, "weight": w} for k, w in sorted(weights.items())])
        stamp(connection)
    report = JudgingReport(
        f"Harm weights of {number_of(len(weights), 'crime type')}: {said['source']}, {said['version']}, {dated}."
    )
    without = sorted(t.id for t in types.values() if t.group == "crime" and t.id not in weights)
    if without:
        report.notes.append(f"Without a weight, and so not in the measure: {shown(without, most=20)}.")
    return report
