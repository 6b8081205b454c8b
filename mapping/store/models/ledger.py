"""The ledger: sources, what each sent of which days, what became of its rows, what loads altered, and what is noted by hand."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from mapping.store.models.base import Base

__all__ = [
    "CoverageNote",
    "CrimeTypeRow",
    "Extract",
    "ExtractFile",
    "ExtractTypeCount",
    "IssueRow",
    "Load",
    "LoadChange",
    "Source",
    "SourceDistrict",
    "SuppliedWindow",
]


class Source(Base):
    """Who supplied it. `access` is `open` (already published) or `protected`."""

    __tablename__ = "source"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    access: Mapped[str]
    attribution: Mapped[str]


class CrimeTypeRow(Base):
    """A crime type: the built-in ones, and those that a layout added."""

    __tablename__ = "crime_type"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    group: Mapped[str] = mapped_column("type_group")


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
