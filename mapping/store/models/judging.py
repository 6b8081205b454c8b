"""What figures are judged with: when recording changed, how harmful types are, which wards are comparable."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from mapping.store.models.base import Base

__all__ = ["BreakFile", "HarmWeight", "HarmWeightFile", "RecordingBreak", "WardGroup", "WardGroupFile"]


class BreakFile(Base):
    """The file of recording breaks that was loaded last: one row at most."""

    __tablename__ = "break_file"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    file_name: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64))
    loaded_at: Mapped[datetime]


class RecordingBreak(Base):
    """From a month on, something is recorded in another way: `kind` is `hard`, `soft` or, to strike a shipped one out, `none`.

    `source` and `stream` are empty where it holds for all; `crime_types` are ids with spaces between, empty for all.
    `within` where incidents only moved between these types, so that their sum goes on.
    """

    __tablename__ = "recording_break"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    source: Mapped[str]
    stream: Mapped[str]
    crime_types: Mapped[str]
    month: Mapped[date]
    kind: Mapped[str]
    within: Mapped[bool]
    what: Mapped[str]
    vouched_for_by: Mapped[str]


class HarmWeightFile(Base):
    """Where the harm weights are from: one row at most."""

    __tablename__ = "harm_weight_file"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    source: Mapped[str]
    version: Mapped[str]
    dated: Mapped[date]
    attribution: Mapped[str]
    file_name: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64))
    loaded_at: Mapped[datetime]


class HarmWeight(Base):
    """The harm of one incident of a type, in whatever unit the weights have."""

    __tablename__ = "harm_weight"

    crime_type: Mapped[str] = mapped_column(primary_key=True)
    weight: Mapped[float]


class WardGroupFile(Base):
    """Where the groups of a set's wards are from."""

    __tablename__ = "ward_group_file"

    boundary_set_id: Mapped[int] = mapped_column(ForeignKey("boundary_set.id"), primary_key=True)
    attribution: Mapped[str]
    file_name: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64))
    loaded_at: Mapped[datetime]


class WardGroup(Base):
    """The group of comparable wards that a ward belongs to. Kept by ward code, so that a set that is loaded again keeps it."""

    __tablename__ = "ward_group"

    boundary_set_id: Mapped[int] = mapped_column(ForeignKey("boundary_set.id"), primary_key=True)
    ward_code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
