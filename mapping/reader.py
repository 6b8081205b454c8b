"""The one way to read the store: knows the audience, and keeps what it read until the data change."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import select

from mapping.area_counts import (
    add_area_counts,
    coverage_on_set,
    reach_of_supplies,
    read_area_figures,
    read_supplies,
)
from mapping.breaks import Break, read_breaks
from mapping.counts import Counts, Supply, read_counts
from mapping.denominators import Denominators, read_denominators
from mapping.errors import BadRequest, NotFound, StoreBusy, StoreNotReady
from mapping.harm_weights import HarmWeights, read_harm_weights
from mapping.issues import IssueCount, IssueLine, read_issue_counts, read_issues
from mapping.ledger import Ledger, last_load, read_alterations, read_ledger
from mapping.neighbours import read_neighbours
from mapping.places import WardFinder
from mapping.reach import read_reach
from mapping.store import check_ready, reading
from mapping.store.models import (
    BoundarySet,
    BoundaryShapes,
    CrimeTypeRow,
    District,
    Source,
    StoreState,
    Ward,
)
from mapping.supply import read_coverage
from mapping.vocabulary import BUILT_IN_CRIME_TYPES, GROUP_NAMES, CrimeType
from mapping.ward_groups import WardGroups, read_ward_groups

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date, datetime

    import numpy as np
    from numpy.typing import NDArray
    from scipy import sparse
    from sqlalchemy import Connection, Engine

    from mapping.coverage import Coverage

__all__ = ["BoundarySetInfo", "Catalogue", "Reader", "SourceInfo", "WardInfo"]

_KEPT = 64
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class WardInfo:
    """A ward as everything but the map needs it."""

    code: str
    name: str
    district_code: str
    district_name: str
    area_km2: float


@dataclass(frozen=True, slots=True)
class BoundarySetInfo:
    """A boundary set, its wards by code, and the hashes of its display shapes by tolerance in metres."""

    id: int
    name: str
    kind: str
    effective: date | None
    attribution: str
    loaded_at: datetime
    wards: tuple[WardInfo, ...]
    shapes: dict[int, str]

    @property
    def districts(self) -> dict[str, str]:
        """Names of the districts by code, by name."""
        found = {w.district_code: w.district_name for w in self.wards if w.district_code}
        return dict(sorted(found.items(), key=lambda item: item[1]))

    def ward(self, code: str) -> WardInfo:
        """The ward of a code; `NotFound` if it is not in the set."""
        for ward in self.wards:
            if ward.code == code:
                return ward
        raise NotFound(
            f"There is no ward '{code}' in the boundary set {self.name}.",
            hint="`/wards` lists the wards of a set; a ward of another vintage has another code.",
            parameter="ward",
            value=code,
        )


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """A source that this reader may see."""

    id: str
    name: str
    access: str
    attribution: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the store holds, as this audience may see it."""

    data_version: str
    boundary_sets: tuple[BoundarySetInfo, ...]
    sources: tuple[SourceInfo, ...]
    crime_types: tuple[CrimeType, ...]
    coverage: Coverage

    def boundary_set(self, name: str | None) -> BoundarySetInfo:
        """The set of a name; without one the only set of wards, else that with the latest date, else the last loaded.

        Raises
        ------
        BadRequest
            If there is no set of that name.
        StoreNotReady
            If there is no set at all.
        """
        if not self.boundary_sets:
            raise StoreNotReady("No boundary set is loaded.", hint="Run `wardwatch load boundaries FILE`.")
        if name:
            for found in self.boundary_sets:
                if found.name == name:
                    return found
            raise BadRequest(
                f"There is no boundary set '{name}'.",
                hint="Loaded: " + ", ".join(s.name for s in self.boundary_sets) + ".",
                parameter="boundaries",
                value=name,
            )
        wards = [s for s in self.boundary_sets if s.kind == "ward"] or list(self.boundary_sets)
        dated = [s for s in wards if s.effective]
        return max(dated, key=lambda s: (s.effective, s.id)) if dated else max(wards, key=lambda s: (s.loaded_at, s.id))

    def crime_type_name(self, crime_type: str) -> str:
        """The name of a type or group; where there are incidents that are neither crime nor ASB, `all` says so."""
        if crime_type == "all" and any(t.group == "other" for t in self.crime_types):
            return "All incidents"
        return GROUP_NAMES.get(crime_type) or next(t.name for t in self.crime_types if t.id == crime_type)

    def sources_in_view(self, source: str | None) -> tuple[SourceInfo, ...]:
        """All sources, or the one asked for; `BadRequest` if it is not there (or not for this audience)."""
        if not source:
            return self.sources
        found = tuple(s for s in self.sources if s.id == source)
        if not found:
            raise BadRequest(
                f"There is no source '{source}'.",
                hint="Loaded: " + (", ".join(s.id for s in self.sources) or "none") + ".",
                parameter="source",
                value=source,
            )
        return found


class Reader:
    """Reads for one audience. Safe to share between threads.

    Parameters
    ----------
    engine
        An open store.
    open_only
        True for the public: protected sources do not exist for this reader.
    """

    def __init__(self, engine: Engine, *, open_only: bool) -> None:
        self.engine = engine
        self.open_only = open_only
        self._lock = threading.RLock()
        self._kept: OrderedDict[tuple[object, ...], Any] = OrderedDict()
        self._ready = False

    def data_version(self) -> str:
        """The hash of the store's content, read anew at each call.

        Raises
        ------
        StoreNotReady
            If the store cannot be used.
        """
        if not self._ready:
            check_ready(self.engine)
            self._ready = True
        with reading(self.engine) as connection:
            return connection.scalar(select(StoreState.data_version)) or "empty"

    def catalogue(self) -> Catalogue:
        """What there is."""
        version = self.data_version()
        return self._keep((version, "catalogue"), lambda c: _read_catalogue(c, version, open_only=self.open_only))

    def counts(self, catalogue: Catalogue, boundary_set: BoundarySetInfo, source: str | None) -> Counts:
        """Counts on a set, of the sources in view, for every type."""
        sources = [s.id for s in catalogue.sources_in_view(source)]
        types = [t.id for t in catalogue.crime_types]
        return self._keep(
            (catalogue.data_version, "counts", boundary_set.id, *sources),
            lambda c: add_area_counts(
                read_counts(c, boundary_set.id, sources=sources, crime_types=types),
                read_area_figures(c, boundary_set.id, sources=sources),
            ),
        )

    def supplies(self, catalogue: Catalogue, boundary_set: BoundarySetInfo) -> tuple[Supply, ...]:
        """How the counts of areas of every source come onto a set."""
        return self._keep(
            (catalogue.data_version, "supplies", boundary_set.id),
            lambda c: read_supplies(c, boundary_set.id, sources=[s.id for s in catalogue.sources]),
        )

    def coverage_on(self, catalogue: Catalogue, boundary_set: BoundarySetInfo) -> Coverage:
        """The coverage of every stream as far as it comes onto a set."""
        return coverage_on_set(catalogue.coverage, self.supplies(catalogue, boundary_set), boundary_set.name)

    def reach(self, catalogue: Catalogue, boundary_set: BoundarySetInfo) -> dict[tuple[str, str], NDArray[np.bool_]]:
        """For each source and stream, which wards of a set it covers, in the order of the set's wards."""
        of_areas = reach_of_supplies(self.supplies(catalogue, boundary_set), wards=len(boundary_set.wards))

        def read(connection: Connection) -> dict[tuple[str, str], NDArray[np.bool_]]:
            incidents = dict.fromkeys((s.id for s in catalogue.sources), 0)
            for stream in catalogue.coverage.counting:
                if stream.records == "incidents":
                    incidents[stream.source] += sum(month.rows for month in stream.months.values())
            districts = [ward.district_code for ward in boundary_set.wards]
            by_source = read_reach(connection, boundary_set.id, districts, incidents=incidents)
            return {(s.source, s.stream): by_source[s.source] for s in catalogue.coverage.streams} | of_areas

        return self._keep((catalogue.data_version, "reach", boundary_set.id), read)

    def ledger(self, catalogue: Catalogue) -> Ledger:
        """Every extract, by number. The numbers may change where the data do not: what was taken out and loaded again."""
        with reading(self.engine) as connection:
            load = last_load(connection)
        return self._keep((catalogue.data_version, "ledger", load), lambda c: read_ledger(c, open_only=self.open_only))

    def alterations(self) -> dict[str, Any] | None:
        """What the last load altered in months that were supplied before it; None before the first load."""
        with reading(self.engine) as connection:
            return read_alterations(connection, open_only=self.open_only)

    def issue_counts(self, catalogue: Catalogue) -> list[IssueCount]:
        """Issues by source, outcome and kind."""
        return self._keep((catalogue.data_version, "issues"), lambda c: read_issue_counts(c, open_only=self.open_only))

    def issues(self, extract_id: int, *, after: int, limit: int) -> Sequence[IssueLine]:
        """Issues of an extract with their values; for the public there is no such thing."""
        if self.open_only:
            raise NotFound("The values of issues are not public.")
        with reading(self.engine) as connection:
            return read_issues(connection, extract_id, after=after, limit=limit)

    def denominators(self, catalogue: Catalogue, boundary_set: BoundarySetInfo) -> Denominators:
        """What rates on a set can be per; arrays are in the order of its wards."""
        return self._keep(
            (catalogue.data_version, "denominators", boundary_set.id), lambda c: read_denominators(c, boundary_set.id)
        )

    def breaks(self, catalogue: Catalogue) -> tuple[Break, ...]:
        """The recording breaks that hold for all sources or for one that this reader may see, by month."""
        visible = {"", *(source.id for source in catalogue.sources)}
        return self._keep((catalogue.data_version, "breaks"), lambda c: tuple(b for b in read_breaks(c) if b.source in visible))

    def neighbours(self, catalogue: Catalogue, boundary_set: BoundarySetInfo) -> sparse.csr_array:
        """Which wards of a set touch each other: shape (wards, wards), in the order of its wards."""
        return self._keep(
            (catalogue.data_version, "neighbours", boundary_set.id), lambda c: read_neighbours(c, boundary_set.id)
        )

    def harm_weights(self, catalogue: Catalogue) -> HarmWeights | None:
        """The harm weights that are loaded; None where there are none."""
        return self._keep((catalogue.data_version, "harm weights"), read_harm_weights)

    def ward_groups(self, catalogue: Catalogue, boundary_set: BoundarySetInfo) -> WardGroups | None:
        """The groups of a set's wards; None where none are loaded."""
        return self._keep((catalogue.data_version, "groups", boundary_set.id), lambda c: read_ward_groups(c, boundary_set.id))

    def ward_finder(self, catalogue: Catalogue, boundary_set: BoundarySetInfo) -> WardFinder:
        """The live R-tree over a set's wards."""
        return self._keep((catalogue.data_version, "finder", boundary_set.id), lambda c: WardFinder(c, boundary_set.id))

    def keep(self, catalogue: Catalogue, name: str, read: Callable[[Connection], T]) -> T:
        """What another module reads of the store, kept under a name until the data change."""
        return self._keep((catalogue.data_version, name), read)

    def shapes(self, sha256: str) -> bytes:
        """The display shapes of that hash, GeoJSON in EPSG:4326; `NotFound` if no set has them now."""
        with reading(self.engine) as connection:
            found = connection.scalar(select(BoundaryShapes.geojson).where(BoundaryShapes.sha256 == sha256).limit(1))
        if found is None:
            raise NotFound(
                f"There are no shapes '{sha256}'.",
                hint="`/api/v1/boundary-sets` gives the address of each set's shapes.",
                parameter="shapes",
                value=sha256,
            )
        return bytes(found)

    def _keep(self, key: tuple[object, ...], read: Callable[[Connection], T]) -> T:
        """What was read under this key, else read it now; the oldest is let go. The data version is part of the key."""
        with self._lock:
            if key not in self._kept:
                with reading(self.engine) as connection:
                    found_now = read(connection)
                    version = connection.scalar(select(StoreState.data_version)) or "empty"
                if version != key[0]:
                    # A load came between: figures of two states must not meet, nor be kept under either.
                    raise StoreBusy("The data changed while this was worked out.", hint="Ask again.")
                self._kept[key] = found_now
                if len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            found: T = self._kept[key]
            return found


def _read_catalogue(connection: Connection, version: str, *, open_only: bool) -> Catalogue:
    visible = Source.access == "open" if open_only else Source.access.is_not(None)
    sources = connection.execute(select(Source).where(visible).order_by(Source.slug)).all()
    types = connection.execute(select(CrimeTypeRow).order_by(CrimeTypeRow.id)).all()
    coverage = read_coverage(connection, open_only=open_only)
    # A type that only a protected source's layout added is not the public's to know.
    known = {t.id for t in BUILT_IN_CRIME_TYPES}.union(*(s.crime_types for s in coverage.streams))
    return Catalogue(
        data_version=version,
        boundary_sets=tuple(
            _read_set(connection, row) for row in connection.execute(select(BoundarySet).order_by(BoundarySet.id)).all()
        ),
        sources=tuple(SourceInfo(s.slug, s.name, s.access, s.attribution) for s in sources),
        crime_types=tuple(CrimeType(t.slug, t.name, t.type_group) for t in types if t.slug in known),
        coverage=coverage,
    )


def _read_set(connection: Connection, row: Any) -> BoundarySetInfo:  # noqa: ANN401 - a row of the boundary_set table
    names = dict(connection.execute(select(District.code, District.name).where(District.boundary_set_id == row.id)).all())
    wards = connection.execute(
        select(Ward.code, Ward.name, Ward.district_code, Ward.area_km2)
        .where(Ward.boundary_set_id == row.id)
        .order_by(Ward.code)
    )
    shapes = connection.execute(
        select(BoundaryShapes.tolerance_m, BoundaryShapes.sha256).where(BoundaryShapes.boundary_set_id == row.id)
    )
    return BoundarySetInfo(
        id=row.id,
        name=row.name,
        kind=row.kind,
        effective=row.effective,
        attribution=row.attribution,
        loaded_at=row.loaded_at,
        wards=tuple(
            WardInfo(w.code, w.name, w.district_code, names.get(w.district_code, w.district_code), w.area_km2) for w in wards
        ),
        shapes=dict(shapes.all()),
    )
