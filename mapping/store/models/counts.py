"""Counts, kept by every load, and the stamp of the whole."""

from __future__ import annotations

from datetime import date

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from mapping.store.models.base import Base

__all__ = ["AreaCount", "MonthPlaces", "StoreState", "WardAreaCount", "WardMonthCount"]


class StoreState(Base):
    """One row: what every reader looks at to know whether anything changed."""

    __tablename__ = "store_state"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data_version: Mapped[str]


class MonthPlaces(Base):
    """Where the incidents of a source and month are: each one's place (0 for none) and crime type, by place and type.

    Both are packed as little-endian 32-bit numbers. Any boundary set is counted from them, in a fraction of the time that
    reading the incidents takes.
    """

    __tablename__ = "month_places"

    source_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    month: Mapped[date] = mapped_column(primary_key=True)
    place_ids: Mapped[bytes] = mapped_column(LargeBinary)
    crime_type_ids: Mapped[bytes] = mapped_column(LargeBinary)


class WardMonthCount(Base):
    """Incidents of a type in a ward in a month, maintained by every load; months are given by their first day."""

    __tablename__ = "ward_month_count"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own attribute

    boundary_set_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    source_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    month: Mapped[date] = mapped_column(primary_key=True)
    ward_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    crime_type_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    count: Mapped[int]


class AreaCount(Base):
    """Incidents of a type in an area in a month, where a source gives counts and no places."""

    __tablename__ = "area_count"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own attribute

    extract_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    area_code: Mapped[str] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    crime_type_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    count: Mapped[int]


class WardAreaCount(Base):
    """Incidents in a ward that were supplied as counts of areas; `estimated` unless the areas are the wards themselves."""

    __tablename__ = "ward_area_count"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own attribute

    boundary_set_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    source_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    month: Mapped[date] = mapped_column(primary_key=True)
    ward_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    crime_type_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    value: Mapped[float]
    estimated: Mapped[bool]
