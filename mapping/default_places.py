"""Default locations: places where a recording system puts what it cannot place. Found here, decided by an analyst."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from sqlalchemy import func, or_, select

from mapping.at_places import count_at_places
from mapping.errors import NotFound
from mapping.places import read_place_wards, read_places
from mapping.statistics.pile_ups import FEWEST_INCIDENTS, OTHERS, find_pile_ups
from mapping.store.models import Extract, Incident, MonthPlaces, Phrase, Source, Ward
from mapping.verdicts import read_verdicts

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray
    from sqlalchemy import Connection

    from mapping.counts import Counts
    from mapping.reader import BoundarySetInfo, Catalogue, Reader
    from mapping.statistics.pile_ups import PileUps
    from mapping.verdicts import Verdict

__all__ = [
    "DEFAULT_PLACE_COLUMNS",
    "ZERO_POINT",
    "DefaultPlace",
    "count_at_default_places",
    "default_place_rows",
    "kept_verdicts",
    "read_default_places",
]

ZERO_POINT = "the point is at 0,0"
"""The kind of issue of a row whose point is no place at all: it is kept without coordinates."""

DEFAULT_PLACE_COLUMNS = (
    *("id", "easting", "northing", "ward_code", "ward_name", "source", "incidents", "share", "rank", "types", "months"),
    *("location", "evidence", "verdict", "reason"),
)

_NAMES = ("police station", "custody", "headquarters", "no fixed", "not known", "unknown", "default")
_BUSIEST_SHARE = 0.01  # a place of such a name is looked at if it is among these of its source, or the twenty busiest
_ROUND_M = 1000
_FEWEST_AT_ROUND = 10
_ROUND_SHARE = 0.01  # where more places of a source are round, all of its points are


@dataclass(frozen=True, slots=True)
class DefaultPlace:
    """A place that may be a source's default location, or that was decided about, with the evidence.

    `easting` and `northing` are EPSG:27700 metres; the ward is that of the default boundary set. `share` is of the source's
    incidents that have a place, in percent; `rank` is 1 for its busiest place; `months` those with incidents here. `evidence`
    is empty where the rule finds nothing; `verdict` and `reason` where nobody decided.
    """

    id: int
    easting: float
    northing: float
    ward_code: str
    ward_name: str
    source: str
    incidents: int
    share: float
    rank: int | None
    types: int
    months: int
    location: str
    evidence: tuple[str, ...]
    verdict: str
    reason: str


def read_default_places(reader: Reader, catalogue: Catalogue) -> list[DefaultPlace]:
    """What the rule finds, and what was decided, by source, the busiest first. Kept until the data change.

    Raises
    ------
    NotFound
        For the public: places are not theirs to see.
    """
    if reader.open_only:
        raise NotFound("Places are not public.")
    default_set = catalogue.boundary_set(None) if catalogue.boundary_sets else None
    return reader.keep(catalogue, "default places", lambda connection: _find(connection, catalogue, default_set))


def default_place_rows(places: list[DefaultPlace]) -> list[dict[str, Any]]:
    """Rows with the columns of `DEFAULT_PLACE_COLUMNS`."""
    return [asdict(place) | {"evidence": "; ".join(place.evidence)} for place in places]


def kept_verdicts(reader: Reader, catalogue: Catalogue) -> dict[int, Verdict]:
    """Every verdict by place id, kept until the data change."""
    return reader.keep(catalogue, "verdicts", read_verdicts)


def count_at_default_places(
    reader: Reader,
    catalogue: Catalogue,
    boundary_set: BoundarySetInfo,
    source: str | None,
    *,
    only: int | None = None,
) -> Counts | None:
    """Incidents of the sources in view at confirmed default locations (or at the one given), by ward of a set.

    They are part of the set's counts. None where no place is confirmed.
    """
    sources = [s.id for s in catalogue.sources_in_view(source)]
    verdicts = kept_verdicts(reader, catalogue)
    confirmed = [place for place, said in verdicts.items() if said.verdict == "confirmed" and only in (None, place)]
    if not confirmed:
        return None

    def count(connection: Connection) -> Counts:
        own = read_place_wards(connection, boundary_set.id)[confirmed]
        codes = [ward.code for ward in boundary_set.wards]
        wards = connection.execute(select(Ward.id, Ward.code).where(Ward.boundary_set_id == boundary_set.id)).all()
        at = {row.id: codes.index(row.code) for row in wards if row.id in own}
        placed = [(place, at[int(ward)]) for place, ward in zip(confirmed, own, strict=True) if ward]
        pairs = np.array(placed, dtype=np.int64).reshape(-1, 2)
        return count_at_places(
            connection,
            dict.fromkeys(sources, (pairs[:, 0], pairs[:, 1])),
            ward_codes=codes,
            crime_types=[t.id for t in catalogue.crime_types],
        )

    return reader.keep(catalogue, f"at default places {confirmed} on {boundary_set.id} of {','.join(sources)}", count)


@dataclass(frozen=True, slots=True)
class _Source:
    """What a source has at each place where it has anything, in the order of their ids."""

    slug: str
    place_ids: NDArray[np.int64]
    months: NDArray[np.int64]
    all_months: int
    found: PileUps

    @property
    def order(self) -> NDArray[np.int64]:
        """Indices of the places, the busiest first; of equally busy ones the lowest id."""
        return np.argsort(-self.found.counts, kind="stable")

    @property
    def busiest(self) -> NDArray[np.int64]:
        """Indices of the busiest hundredth (at least twenty) that have incidents enough, in enough months."""
        top = self.order[: max(OTHERS, round(_BUSIEST_SHARE * len(self.place_ids)))]
        return top[(self.found.counts[top] >= FEWEST_INCIDENTS) & (2 * self.months[top] >= self.all_months)]


def _find(connection: Connection, catalogue: Catalogue, default_set: BoundarySetInfo | None) -> list[DefaultPlace]:
    verdicts = read_verdicts(connection)
    sources = [found for s in catalogue.sources if (found := _read_source(connection, s.id))]
    place_ids, points = read_places(connection)
    xy = shapely.get_coordinates(points)
    wards = _ward_names(connection, default_set)
    looked_at = {int(p) for s in sources for p in s.place_ids[s.busiest]} | set(verdicts)
    signs: list[tuple[_Source, dict[int, list[str]]]] = []
    for source in sources:
        signs.append((source, _signs(source, xy[np.searchsorted(place_ids, source.place_ids)])))
        looked_at |= {int(source.place_ids[i]) for i in signs[-1][1]}
    names = _locations(connection, looked_at)
    listed: list[DefaultPlace] = []

    def add(place: int, source: _Source | None, index: int, evidence: list[str]) -> None:
        said = verdicts.get(place)
        easting, northing = xy[np.searchsorted(place_ids, place)]
        ward_code, ward_name = wards.get(place, ("", ""))
        counts = source.found.counts if source else np.zeros(1, dtype=np.int64)
        listed.append(
            DefaultPlace(
                id=place,
                easting=float(easting),
                northing=float(northing),
                ward_code=ward_code,
                ward_name=ward_name,
                source=source.slug if source else "",
                incidents=int(counts[index]),
                share=100 * int(counts[index]) / int(counts.sum()) if source else 0.0,
                rank=1 + int((counts > counts[index]).sum()) if source else None,
                types=int(source.found.types[index]) if source else 0,
                months=int(source.months[index]) if source else 0,
                location=names[place, source.slug][0] if source and (place, source.slug) in names else "",
                evidence=tuple(evidence),
                verdict=said.verdict if said else "",
                reason=said.reason if said else "",
            )
        )

    for source, by_index in signs:
        named = {int(i) for i in source.busiest if names.get((int(source.place_ids[i]), source.slug), ("", False))[1]}
        decided = set(np.flatnonzero(np.isin(source.place_ids, list(verdicts))).tolist())
        wanted = set(by_index) | named | decided
        for i in sorted(wanted, key=lambda i: (-int(source.found.counts[i]), int(source.place_ids[i]))):
            place = int(source.place_ids[i])
            name = [f"its location is named '{names[place, source.slug][0]}'"] if i in named else []
            add(place, source, i, [*by_index.get(i, []), *name])
    for place in sorted(set(verdicts) - {p.id for p in listed}):
        add(place, None, 0, [])
    return listed


def _read_source(connection: Connection, slug: str) -> _Source | None:
    mine = select(Source.id).where(Source.slug == slug).scalar_subquery()
    rows = connection.execute(select(MonthPlaces).where(MonthPlaces.source_id == mine).order_by(MonthPlaces.month)).all()
    places = [np.frombuffer(row.place_ids, "<i4") for row in rows]
    types = [np.frombuffer(row.crime_type_ids, "<i4") for row in rows]
    highest = max((int(part.max()) for part in places if len(part)), default=0)
    if not highest:
        return None
    known, at_type = np.unique(np.concatenate(types), return_inverse=True)
    by_type = np.zeros((highest + 1, len(known)), dtype=np.int64)
    np.add.at(by_type, (np.concatenate(places), at_type), 1)
    months = np.zeros(highest + 1, dtype=np.int64)
    for part in places:
        months[np.unique(part)] += 1
    by_type[0] = 0  # no place
    used = np.flatnonzero(by_type.sum(axis=1))
    found = find_pile_ups(by_type[used], months[used], all_months=len(rows))
    return _Source(slug, used, months[used], len(rows), found)


def _signs(source: _Source, xy_m: NDArray[np.float64]) -> dict[int, list[str]]:
    """What speaks against a place, by its index: from its counts and its coordinates."""
    found, signs = source.found, defaultdict[int, list[str]](list)
    for i in np.flatnonzero(found.far_more | found.like_the_whole).tolist():
        times, others = found.counts[i] / found.others[i], found.others[i]
        signs[i].append(f"{times:.1f} times the median of the {OTHERS} busiest other places ({others:,.0f})")
    for i in np.flatnonzero(found.like_the_whole).tolist():
        signs[i].append("its mix of types is that of the whole source, unlike that of other busy places")
    is_round = (xy_m % _ROUND_M == 0).all(axis=1)
    if is_round.sum() < max(1, _ROUND_SHARE * len(is_round)) or is_round.sum() == 1:
        for i in np.flatnonzero(is_round & (found.counts >= _FEWEST_AT_ROUND)).tolist():
            signs[i].append("its coordinates are whole kilometres")
    return dict(signs)


def _ward_names(connection: Connection, boundary_set: BoundarySetInfo | None) -> dict[int, tuple[str, str]]:
    if boundary_set is None:
        return {}
    rows = connection.execute(select(Ward.id, Ward.code, Ward.name).where(Ward.boundary_set_id == boundary_set.id)).all()
    names = {row.id: (row.code, row.name) for row in rows}
    own = read_place_wards(connection, boundary_set.id)
    return {int(place): names[int(own[place])] for place in np.flatnonzero(own)}


def _locations(connection: Connection, places: Collection[int]) -> dict[tuple[int, str], tuple[str, bool]]:
    """The most common location text of each place and source, and whether it is the name of a default location."""
    if not places:
        return {}
    tells = or_(*(func.lower(Phrase.text).contains(name) for name in _NAMES))
    rows = connection.execute(
        select(Incident.place_id, Source.slug, Phrase.text, tells.label("tells"), func.count().label("rows"))
        .join(Phrase, Phrase.id == Incident.location_id)
        .join(Extract, Extract.id == Incident.extract_id)
        .join(Source, Source.id == Extract.source_id)
        .where(Incident.place_id.in_(places))
        .group_by(Incident.place_id, Source.slug, Phrase.text)
    ).all()
    best: dict[tuple[int, str], tuple[str, bool]] = {}
    for row in sorted(rows, key=lambda row: (-row.rows, row.text)):
        best.setdefault((row.place_id, row.slug), (row.text, bool(row.tells)))
    return best
