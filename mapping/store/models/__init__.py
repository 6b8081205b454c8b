"""The tables: one set of models for PostGIS and for the embedded file.

Ids are given by the load, not by the database, so that both engines hold the same rows. The tables that grow with the data
(`incident`, `held_incident`, `outcome`, `place_ward`, `ward_month_count`, `area_count`, `ward_area_count`) carry no foreign
keys: a trigger would run for every row of a load, every id in them comes from a row that the same transaction wrote or read,
and a test looks for orphans.
"""

from __future__ import annotations

from mapping.store.models.base import Base
from mapping.store.models.boundaries import (
    AreaLookup,
    AreaLookupFile,
    BoundarySet,
    BoundaryShapes,
    Denominator,
    DenominatorFile,
    District,
    Ward,
)
from mapping.store.models.counts import AreaCount, MonthPlaces, StoreState, WardAreaCount, WardMonthCount
from mapping.store.models.incidents import HeldIncident, Incident, OutcomeRow, Phrase, Place, PlaceVerdict, PlaceWard
from mapping.store.models.judging import (
    BreakFile,
    HarmWeight,
    HarmWeightFile,
    RecordingBreak,
    WardGroup,
    WardGroupFile,
)
from mapping.store.models.ledger import (
    CoverageNote,
    CrimeTypeRow,
    Extract,
    ExtractFile,
    ExtractTypeCount,
    IssueRow,
    Load,
    LoadChange,
    Source,
    SourceDistrict,
    SuppliedWindow,
)

__all__ = [
    "AreaCount",
    "AreaLookup",
    "AreaLookupFile",
    "Base",
    "BoundarySet",
    "BoundaryShapes",
    "BreakFile",
    "CoverageNote",
    "CrimeTypeRow",
    "Denominator",
    "DenominatorFile",
    "District",
    "Extract",
    "ExtractFile",
    "ExtractTypeCount",
    "HarmWeight",
    "HarmWeightFile",
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
    "RecordingBreak",
    "Source",
    "SourceDistrict",
    "StoreState",
    "SuppliedWindow",
    "Ward",
    "WardAreaCount",
    "WardGroup",
    "WardGroupFile",
    "WardMonthCount",
]
