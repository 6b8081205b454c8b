"""The stamp: one hash of the store's content, which every reader looks at."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import shapely
from sqlalchemy import delete, func, insert, select

from mapping.store.models import (
    AreaLookup,
    AreaLookupFile,
    BoundarySet,
    BoundaryShapes,
    CoverageNote,
    CrimeTypeRow,
    Denominator,
    DenominatorFile,
    District,
    Extract,
    ExtractFile,
    ExtractTypeCount,
    HarmWeight,
    HarmWeightFile,
    Place,
    PlaceVerdict,
    RecordingBreak,
    Source,
    SourceDistrict,
    StoreState,
    SuppliedWindow,
    WardGroup,
    WardGroupFile,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Executable

__all__ = ["stamp"]


def stamp(connection: Connection) -> str:
    """Write the hash of the store's content. It depends neither on when anything was loaded nor on the engine."""
    digest = hashlib.sha256()
    for statement in (*_extracts(), *_boundaries(), *_notes(), *_judging()):
        for row in connection.execute(statement):
            digest.update(repr([_plain(field) for field in row]).encode())
        digest.update(b"\n")
    version = digest.hexdigest()[:16]
    connection.execute(delete(StoreState))
    connection.execute(insert(StoreState).values(id=1, data_version=version))
    return version


def _plain(field: object) -> str:
    return shapely.to_wkb(field, hex=True, include_srid=False) if isinstance(field, shapely.Point) else str(field)


def _extracts() -> list[Executable]:
    cut = (Extract.layout_sha256, Extract.rows_kept, Extract.rows_rejected, Extract.as_of, ExtractFile.sha256)
    of_source = select(Source.slug, Extract.stream)
    return [
        select(Source.slug, Source.name, Source.access, Source.attribution).order_by(Source.slug),
        select(Source.slug, Extract.stream, SuppliedWindow.date_from, SuppliedWindow.date_to, *cut)
        .join(Extract, Extract.id == SuppliedWindow.extract_id)
        .join(Source, Source.id == Extract.source_id)
        .join(ExtractFile, ExtractFile.extract_id == Extract.id)
        .order_by(Source.slug, Extract.stream, SuppliedWindow.date_from, ExtractFile.position),
        of_source.add_columns(*cut)
        .join(Source, Source.id == Extract.source_id)
        .join(ExtractFile, ExtractFile.extract_id == Extract.id)
        .where(Extract.kind == "changes", Extract.withdrawn_at.is_(None))
        .order_by(Source.slug, Extract.stream, Extract.id, ExtractFile.position),
        # What was ever supplied is known too: its months that are gone, and the types that a stream sends.
        of_source.add_columns(func.min(Extract.date_from), func.max(Extract.date_to))
        .join(Source, Source.id == Extract.source_id)
        .where(Extract.kind == "window")
        .group_by(Source.slug, Extract.stream)
        .order_by(Source.slug, Extract.stream),
        of_source.add_columns(CrimeTypeRow.slug)
        .join(Extract, Extract.source_id == Source.id)
        .join(ExtractTypeCount, ExtractTypeCount.extract_id == Extract.id)
        .join(CrimeTypeRow, CrimeTypeRow.id == ExtractTypeCount.crime_type_id)
        .where(Extract.withdrawn_at.is_(None))
        .group_by(Source.slug, Extract.stream, CrimeTypeRow.slug)
        .order_by(Source.slug, Extract.stream, CrimeTypeRow.slug),
        select(CrimeTypeRow.slug, CrimeTypeRow.name, CrimeTypeRow.group).order_by(CrimeTypeRow.slug),
    ]


def _boundaries() -> list[Executable]:
    about = (BoundarySet.name, BoundarySet.kind, BoundarySet.effective, BoundarySet.attribution, BoundarySet.sha256)
    file = DenominatorFile  # its name is part of what figures say
    made_of = (file.kind, file.year, file.file_name, file.attribution, file.estimated)
    number = (Denominator.kind, Denominator.year, Denominator.ward_code, Denominator.value)
    share = (AreaLookup.areas, AreaLookup.area_code, AreaLookup.ward_code, AreaLookup.weight)
    return [
        select(*about, BoundaryShapes.sha256)
        .join(BoundaryShapes, BoundaryShapes.boundary_set_id == BoundarySet.id)
        .order_by(BoundarySet.name, BoundaryShapes.tolerance_m),
        select(BoundarySet.name, District.code, District.name)
        .join(BoundarySet, BoundarySet.id == District.boundary_set_id)
        .order_by(BoundarySet.name, District.code),
        select(BoundarySet.name, *number)
        .join(BoundarySet, BoundarySet.id == Denominator.boundary_set_id)
        .order_by(BoundarySet.name, *number[:3]),
        select(BoundarySet.name, *made_of)
        .join(BoundarySet, BoundarySet.id == DenominatorFile.boundary_set_id)
        .order_by(BoundarySet.name, *made_of[:2]),
        select(BoundarySet.name, *share)
        .join(BoundarySet, BoundarySet.id == AreaLookup.boundary_set_id)
        .order_by(BoundarySet.name, *share[:3]),
        select(BoundarySet.name, AreaLookupFile.areas, AreaLookupFile.weighted_by, AreaLookupFile.attribution)
        .join(BoundarySet, BoundarySet.id == AreaLookupFile.boundary_set_id)
        .order_by(BoundarySet.name, AreaLookupFile.areas),
    ]


def _notes() -> list[Executable]:
    note = (CoverageNote.source, CoverageNote.stream, CoverageNote.month_from, CoverageNote.month_to)
    return [
        select(*note, CoverageNote.status, CoverageNote.reason).order_by(*note, CoverageNote.id),
        select(SourceDistrict.source, SourceDistrict.district_code).order_by(
            SourceDistrict.source, SourceDistrict.district_code
        ),
        select(Place.geom, PlaceVerdict.verdict, PlaceVerdict.reason)
        .join(PlaceVerdict, PlaceVerdict.place_id == Place.id)
        .order_by(PlaceVerdict.place_id),
    ]


def _judging() -> list[Executable]:
    changed, file = RecordingBreak, HarmWeightFile
    of_set = (BoundarySet, BoundarySet.id == WardGroup.boundary_set_id)
    return [
        select(
            changed.source,
            changed.stream,
            changed.crime_types,
            changed.month,
            changed.kind,
            changed.within,
            changed.what,
            changed.vouched_for_by,
        ).order_by(changed.id),
        select(file.source, file.version, file.dated, file.attribution, file.file_name),
        select(HarmWeight.crime_type, HarmWeight.weight).order_by(HarmWeight.crime_type),
        select(BoundarySet.name, WardGroup.ward_code, WardGroup.name)
        .join(*of_set)
        .order_by(BoundarySet.name, WardGroup.ward_code),
        select(BoundarySet.name, WardGroupFile.file_name, WardGroupFile.attribution)
        .join(BoundarySet, BoundarySet.id == WardGroupFile.boundary_set_id)
        .order_by(BoundarySet.name),
    ]
