"""Incidents and where they are."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from mapping.store.geometry import MetresGeometry
from mapping.store.models.base import Base

__all__ = ["HeldIncident", "Incident", "OutcomeRow", "Phrase", "Place", "PlaceVerdict", "PlaceWard"]


class Place(Base):
    """One distinct pair of coordinates, in EPSG:27700 metres to the millimetre."""

    __tablename__ = "place"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    geom = mapped_column(MetresGeometry("POINT"), nullable=False)


Index("ix_place_geom", Place.geom, postgresql_using="gist").ddl_if(dialect="postgresql")


class PlaceWard(Base):
    """Which ward of a boundary set a place is in; no row where it is in none."""

    __tablename__ = "place_ward"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own attribute

    boundary_set_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    place_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    ward_id: Mapped[int]


class PlaceVerdict(Base):
    """What an analyst decided of a place that looked like a default location: `confirmed` or `dismissed`."""

    __tablename__ = "place_verdict"

    place_id: Mapped[int] = mapped_column(ForeignKey("place.id"), primary_key=True)
    verdict: Mapped[str]
    reason: Mapped[str]
    decided_at: Mapped[datetime]


class Phrase(Base):
    """A text that many rows share: a street, an LSOA code, an outcome. Rows hold its number and stay small."""

    __tablename__ = "phrase"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[str] = mapped_column(unique=True)


class IncidentColumns:
    """What `incident` and `held_incident` keep of a row."""

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    extract_id: Mapped[int]
    date: Mapped[date]
    crime_type_id: Mapped[int]
    place_id: Mapped[int | None]
    precision: Mapped[str]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    reference: Mapped[str | None]
    location_id: Mapped[int | None]
    lsoa_id: Mapped[int | None]
    outcome_id: Mapped[int | None]
    code_id: Mapped[int | None]
    opening_code_id: Mapped[int | None]
    class_id: Mapped[int | None]
    status_id: Mapped[int | None]
    repeat_victim: Mapped[bool | None]
    updated_at: Mapped[datetime | None]


class Incident(IncidentColumns, Base):
    """One recorded row: what, when, where.

    It counts in the month of `date`, by which windows are cut. It happened in the window `started_at` to `ended_at` (local
    time) or, where those are empty, in the month or the day that `date` and `precision` (`month`, `day`, `minute`) name. Its
    location in words, its LSOA code, its last outcome, its offence or closing code, its opening code, its class (of ASB:
    personal, nuisance, environmental) and its status are phrases. `updated_at` is when its supplier last changed it.
    """

    __tablename__ = "incident"
    # Holds all that `month_places` is made of, so that the rows themselves are not touched.
    __table_args__ = (Index("ix_incident_extract_id_date", "extract_id", "date", "crime_type_id", "place_id"),)


class HeldIncident(IncidentColumns, Base):
    """A row that was kept and does not count now; `why` is `superseded`, `cancelled` or `waiting`.

    Superseded: an extract of changes brought a newer state of its reference. Cancelled: its newest state says that it was
    none (`cancels` marks the row that says so). Waiting: a changed row whose day no window covers. Its columns are those of
    `incident`; withdrawing an extract of changes moves rows back.
    """

    __tablename__ = "held_incident"
    __table_args__ = (Index("ix_held_incident_extract_id", "extract_id"),)

    cancels: Mapped[bool]
    why: Mapped[str]


class OutcomeRow(Base):
    """What became of a crime, as an extract of outcomes says it; `reference` is that of the crime, `date` its month."""

    __tablename__ = "outcome"
    __table_args__ = (Index("ix_outcome_extract_id", "extract_id"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    extract_id: Mapped[int]
    date: Mapped[date]
    reference: Mapped[str | None]
    outcome_id: Mapped[int | None]
