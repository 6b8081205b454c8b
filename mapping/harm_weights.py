"""The harm of one incident of each type, from a file of the partnership's own: none are shipped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from mapping.store.models import HarmWeight, HarmWeightFile

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import Connection

__all__ = ["HarmWeights", "read_harm_weights"]


@dataclass(frozen=True, slots=True)
class HarmWeights:
    """Weights by crime type, and where they are from: a type without one has none."""

    weights: dict[str, float]
    source: str
    version: str
    dated: date
    attribution: str
    file_name: str

    @property
    def words(self) -> str:
        """What they are, as a sentence says it."""
        return f"{self.source}, {self.version}, {self.dated.day} {self.dated:%B %Y}"


def read_harm_weights(connection: Connection) -> HarmWeights | None:
    """Those loaded; None where there are none."""
    file = connection.execute(select(HarmWeightFile)).first()
    if file is None:
        return None
    rows = connection.execute(select(HarmWeight.crime_type, HarmWeight.weight).order_by(HarmWeight.crime_type)).all()
    weights = {row.crime_type: row.weight for row in rows}
    return HarmWeights(weights, file.source, file.version, file.dated, file.attribution, file.file_name)
