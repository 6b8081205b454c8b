"""The tables: one set of models for PostGIS and for the embedded file.

Ids are given by the load, not by the database, so that both engines hold the same rows. The tables that grow with the data
(`incident`, `held_incident`, `outcome`, `place_ward`, `ward_month_count`, `area_count`, `ward_area_count`) carry no foreign
keys: a trigger would run for every row of a load, every id in them comes from a row that the same transaction wrote or read,
and a test looks for orphans.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, MetaData, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import Text

from mapping.store.geometry import MetresGeometry

__all__ = [
    "AreaCount",
    "AreaLookup",
    "AreaLookupFile",
    "Base",
    "BoundarySet",
    "BoundaryShapes",
    "CoverageNote",
    "CrimeTypeRow",
    "Denominator",
    "DenominatorFile",
    "District",
    "Extract",
    "ExtractFile",
    "ExtractTypeCount",
    "HeldIncident",
    "Incident",
    "IssueRow",
    "Load",
    "LoadChange",
    "MonthPlaces",
    "OutcomeRow",
    "Phrase",
    "Place",
    "PlaceVerdict",
    "PlaceWard",
    "Source",
    "SourceDistrict",
    "StoreState",
    "SuppliedWindow",
    "Ward",
    "WardAreaCount",
    "WardMonthCount",
]


class Base(DeclarativeBase):
    """Names every constraint, so that migrations can name them on both engines."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    # Sorted by its bytes whatever the database's language, as in the embedded file: answers list ids and codes in order.
    type_annotation_map = {str: Text().with_variant(Text(collation="C"), "postgresql")}  # noqa: RUF012 - SQLAlchemy's own attribute


class StoreState(Base):
    """One row: what every reader looks at to know whether anything changed."""

    __tablename__ = "store_state"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data_version: Mapped[str]


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


class CrimeTypeRow(Base):
    """A crime type: the built-in ones, and those that a layout added."""

    __tablename__ = "crime_type"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    group: Mapped[str] = mapped_column("type_group")


class Source(Base):
    """Who supplied it. `access` is `open` (already published) or `protected`."""

    __tablename__ = "source"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    access: Mapped[str]
    attribution: Mapped[str]


class Extract(Base):
    """What one source sent of one stream for one window. Never deleted: the ledger keeps every extract ever loaded.

    `counted_by` is `date`, or `from` where incidents count in the month they began. The row counts are those of the
    load; what is left of it now is in `incident`, `held_incident`, `outcome`, `area_count` and `supplied_window`.

    `kind` is `window` (complete for its window, which it replaces) or `changes` (by reference; it covers no window, and
    `date_from` and `date_to` are the first and last day that its rows count in). `records` says what its rows are:
    `incidents`, `outcomes` or `area-counts`, the last of the areas that `areas` names. `as_of` is the day that it was cut,
    where known: changes up to that day are in it already. `precision_m` is how far, in metres, its points may lie from where
    it happened; none where they are exact.
    """

    __tablename__ = "extract"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    stream: Mapped[str]
    layout: Mapped[str]
    layout_sha256: Mapped[str] = mapped_column(String(64))
    counted_by: Mapped[str]
    date_from: Mapped[date]
    date_to: Mapped[date]
    loaded_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    rows_read: Mapped[int]
    rows_kept: Mapped[int]
    rows_repaired: Mapped[int]
    rows_set_aside: Mapped[int]
    rows_rejected: Mapped[int]
    rows_without_coordinates: Mapped[int]
    repeated_references: Mapped[int]
    kind: Mapped[str] = mapped_column(server_default="window")
    records: Mapped[str] = mapped_column(server_default="incidents")
    areas: Mapped[str] = mapped_column(server_default="")
    as_of: Mapped[date | None]
    precision_m: Mapped[int | None]


class ExtractTypeCount(Base):
    """Incidents of each type that an extract brought; 0 of a type that its layout can say: tells which streams send a type."""

    __tablename__ = "extract_type_count"

    extract_id: Mapped[int] = mapped_column(ForeignKey("extract.id"), primary_key=True)
    crime_type_id: Mapped[int] = mapped_column(ForeignKey("crime_type.id"), primary_key=True)
    count: Mapped[int]


class ExtractFile(Base):
    """One received file of an extract."""

    __tablename__ = "extract_file"

    extract_id: Mapped[int] = mapped_column(ForeignKey("extract.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64))


class SuppliedWindow(Base):
    """Days that are covered, and by which extract. Of one source and stream the windows never overlap."""

    __tablename__ = "supplied_window"

    extract_id: Mapped[int] = mapped_column(ForeignKey("extract.id"), primary_key=True)
    date_from: Mapped[date] = mapped_column(primary_key=True)
    date_to: Mapped[date]


class IssueRow(Base):
    """Why a row was repaired, set aside or rejected (`outcome`), or only noted."""

    __tablename__ = "issue"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    extract_id: Mapped[int] = mapped_column(ForeignKey("extract.id"), index=True)
    incident_id: Mapped[int | None]
    outcome: Mapped[str]
    kind: Mapped[str]
    file: Mapped[str]
    line: Mapped[int]
    field: Mapped[str]
    value: Mapped[str]


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


class Phrase(Base):
    """A text that many rows share: a street, an LSOA code, an outcome. Rows hold its number and stay small."""

    __tablename__ = "phrase"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[str] = mapped_column(unique=True)


class Incident(Base):
    """One recorded row: what, when, where.

    It counts in the month of `date`, by which windows are cut. It happened in the window `started_at` to `ended_at` (local
    time) or, where those are empty, in the month or the day that `date` and `precision` (`month`, `day`, `minute`) name. Its
    location in words, its LSOA code, its last outcome, its offence or closing code, its opening code, its class (of ASB:
    personal, nuisance, environmental) and its status are phrases. `updated_at` is when its supplier last changed it.
    """

    __tablename__ = "incident"
    # Holds all that `month_places` is made of, so that the rows themselves are not touched.
    __table_args__ = (Index("ix_incident_extract_id_date", "extract_id", "date", "crime_type_id", "place_id"),)

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


class HeldIncident(Base):
    """A row that was kept and does not count now; `why` is `superseded`, `cancelled` or `waiting`.

    Superseded: an extract of changes brought a newer state of its reference. Cancelled: its newest state says that it was
    none (`cancels` marks the row that says so). Waiting: a changed row whose day no window covers. Its columns are those of
    `incident`; withdrawing an extract of changes moves rows back.
    """

    __tablename__ = "held_incident"
    __table_args__ = (Index("ix_held_incident_extract_id", "extract_id"),)

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


class Load(Base):
    """One command that changed which incidents count, in the order of their ids."""

    __tablename__ = "load"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    done_at: Mapped[datetime]
    what: Mapped[str]


class LoadChange(Base):
    """What a load altered in a month that was supplied before it: incidents of a source and type before and after.

    `gone` and `added` count incidents by place: a point that moved is one of each.
    """

    __tablename__ = "load_change"

    load_id: Mapped[int] = mapped_column(ForeignKey("load.id"), primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"), primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    crime_type_id: Mapped[int] = mapped_column(ForeignKey("crime_type.id"), primary_key=True)
    before: Mapped[int]
    after: Mapped[int]
    gone: Mapped[int]
    added: Mapped[int]


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


class CoverageNote(Base):
    """What an analyst knows of a source's months beyond its extracts: a status given by hand, with the reason.

    `stream` is empty where it holds for all of them, `month_to` where it goes on.
    """

    __tablename__ = "coverage_note"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    source: Mapped[str]
    stream: Mapped[str]
    month_from: Mapped[date]
    month_to: Mapped[date | None]
    status: Mapped[str]
    reason: Mapped[str]
    noted_at: Mapped[datetime]


class SourceDistrict(Base):
    """A district that a source covers, by code: where any is given, these are all of its area."""

    __tablename__ = "source_district"

    source: Mapped[str] = mapped_column(primary_key=True)
    district_code: Mapped[str] = mapped_column(primary_key=True)


class PlaceVerdict(Base):
    """What an analyst decided of a place that looked like a default location: `confirmed` or `dismissed`."""

    __tablename__ = "place_verdict"

    place_id: Mapped[int] = mapped_column(ForeignKey("place.id"), primary_key=True)
    verdict: Mapped[str]
    reason: Mapped[str]
    decided_at: Mapped[datetime]


class AreaCount(Base):
    """Incidents of a type in an area in a month, where a source gives counts and no places."""

    __tablename__ = "area_count"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own attribute

    extract_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    area_code: Mapped[str] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    crime_type_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    count: Mapped[int]


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
