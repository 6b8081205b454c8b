"""Boundary sets: their wards, shapes and districts, what rates are per, and which share of other areas is in a ward."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mapping.store.geometry import MetresGeometry
from mapping.store.models.base import Base

__all__ = [
    "AreaLookup",
    "AreaLookupFile",
    "BoundarySet",
    "BoundaryShapes",
    "Denominator",
    "DenominatorFile",
    "District",
    "Ward",
]


class BoundarySet(Base):
    """The areas of one vintage from one publisher, e.g. `wd20`."""

    __tablename__ = "boundary_set"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    effective: Mapped[date | None]
    attribution: Mapped[str]
    file_name: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64))
    loaded_at: Mapped[datetime]


class Ward(Base):
    """An area of one boundary set; `geom` is the original shape in EPSG:27700 metres."""

    __tablename__ = "ward"
    __table_args__ = (UniqueConstraint("boundary_set_id", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    boundary_set_id: Mapped[int] = mapped_column(ForeignKey("boundary_set.id"))
    code: Mapped[str]
    name: Mapped[str]
    district_code: Mapped[str]
    area_km2: Mapped[float]
    geom = mapped_column(MetresGeometry("MULTIPOLYGON"), nullable=False)


Index("ix_ward_geom", Ward.geom, postgresql_using="gist").ddl_if(dialect="postgresql")


class District(Base):
    """The name of a district of a boundary set, from the set's file or else from a population file."""

    __tablename__ = "district"

    boundary_set_id: Mapped[int] = mapped_column(ForeignKey("boundary_set.id"), primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class BoundaryShapes(Base):
    """A set's shapes for display: simplified together, GeoJSON in longitude and latitude, addressed by their hash."""

    __tablename__ = "boundary_shapes"

    boundary_set_id: Mapped[int] = mapped_column(ForeignKey("boundary_set.id"), primary_key=True)
    tolerance_m: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    geojson: Mapped[bytes] = mapped_column(LargeBinary)


class Denominator(Base):
    """What a rate is per: residents, households, workday population or premises of a ward in a year.

    Kept by ward code, so that a set that is loaded again keeps them. A resident count is of the middle of its year.
    """

    __tablename__ = "denominator"

    boundary_set_id: Mapped[int] = mapped_column(ForeignKey("boundary_set.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    ward_code: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[float]


class DenominatorFile(Base):
    """Where the denominators of a set, kind and year came from; `estimated` where they were apportioned from other areas."""

    __tablename__ = "denominator_file"

    boundary_set_id: Mapped[int] = mapped_column(ForeignKey("boundary_set.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    file_name: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64))
    loaded_at: Mapped[datetime]
    attribution: Mapped[str]
    estimated: Mapped[bool]


class AreaLookup(Base):
    """Which share of an area is in a ward; the weights of an area sum to 1, less what lies in no ward of the set."""

    __tablename__ = "area_lookup"

    areas: Mapped[str] = mapped_column(primary_key=True)
    boundary_set_id: Mapped[int] = mapped_column(ForeignKey("boundary_set.id"), primary_key=True)
    area_code: Mapped[str] = mapped_column(primary_key=True)
    ward_code: Mapped[str] = mapped_column(primary_key=True)
    weight: Mapped[float]


class AreaLookupFile(Base):
    """Where a lookup came from, and what its weights are of (`population`, `area`, `best-fit` ...)."""

    __tablename__ = "area_lookup_file"

    areas: Mapped[str] = mapped_column(primary_key=True)
    boundary_set_id: Mapped[int] = mapped_column(ForeignKey("boundary_set.id"), primary_key=True)
    weighted_by: Mapped[str]
    file_name: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64))
    loaded_at: Mapped[datetime]
    attribution: Mapped[str]
