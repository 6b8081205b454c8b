"""Two boundary sets held against each other: which wards are the same, renamed, redrawn, split, merged, gone or new.

What a ward is depends on shapes, codes and names alone, never on incidents. Two publishers (or two resolutions of one) draw the
same border some metres apart: what differs by no more than `SLIVER_THICKNESS_M` anywhere is one shape.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely
from scipy.sparse import coo_array, csgraph
from sqlalchemy import select

from mapping.counts import count_combinations
from mapping.overlays import overlaps, read_shapes
from mapping.places import read_place_wards
from mapping.store.models import CrimeTypeRow, MonthPlaces, Source, Ward
from mapping.vocabulary import Month, name_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray
    from sqlalchemy import Connection


__all__ = [
    "CHANGED",
    "KINDS",
    "SLIVER_THICKNESS_M",
    "Comparison",
    "Moves",
    "Pair",
    "Sheet",
    "compare",
    "compare_sets",
    "read_moves",
]

SLIVER_THICKNESS_M = 30
"""Ground that is nowhere thicker is the drawing of a border.

Of the 159 wards of Hertfordshire that its files of 2020 and of 2022 both hold, none differs by a strip of more than 22 m; the
thinnest of the real changes is one of over 40 m.
"""

ALIKE = 0.9
"""Two wards that share less of either can only be different ones, however thin they are."""

LEAST_LAND = 0.001
"""A part of less than this share of both wards is not looked at."""

WHOLE = 0.98
"""What of a ward its parts must make up together for it to be split into them, or merged of them."""

KINDS = {
    "unchanged": "Unchanged",
    "renamed": "Renamed",
    "recoded": "Recoded",
    "redrawn": "Redrawn",
    "split": "Split",
    "merged": "Merged",
    "gone": "Gone",
    "new": "New",
}
"""What can become of a ward, and what it is called. `gone` is of the old set only, `new` of the new one."""

CHANGED = ("redrawn", "split", "merged", "gone", "new")
"""The kinds whose counts are not those of the other set."""


class Pair(NamedTuple):
    """Ground that an old and a new ward share: their indices, what the pair is, and its share of each.

    `kind` is one of `KINDS`, or `part` where only a part of one became a part of the other.
    """

    old: int
    new: int
    kind: str
    share_of_old: float
    share_of_new: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """What became of each old ward, what each new one is, and the ground that they share, by old and new ward."""

    old_kinds: tuple[str, ...]
    new_kinds: tuple[str, ...]
    pairs: tuple[Pair, ...]

    def counted(self) -> dict[str, int]:
        """How many wards are of each kind: of the old set, and of the new one those that are new, split off or merged."""
        old, new = Counter(self.old_kinds), Counter(self.new_kinds)
        return {kind: new[kind] if kind == "new" else old[kind] for kind in KINDS}


@dataclass(frozen=True, slots=True)
class Sheet:
    """The wards of one set by code: shapes in EPSG:27700."""

    codes: Sequence[str]
    names: Sequence[str]
    shapes: NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Moves:
    """Where incidents are on both sets: one entry a combination, -1 for in no ward; `months` are `Month.index`.

    `type_ids` are the numbers that `crime_types` holds.
    """

    old: NDArray[np.int64]
    new: NDArray[np.int64]
    months: NDArray[np.int64]
    crime_types: NDArray[np.int64]
    counts: NDArray[np.int64]
    type_ids: dict[str, int]

    def during(self, months: Iterable[Month], crime_types: Iterable[str]) -> dict[tuple[int, int], int]:
        """Incidents of these months and types by old and new ward, in no ward of both left out."""
        wanted = np.isin(self.months, [month.index for month in months])
        wanted &= np.isin(self.crime_types, [self.type_ids[crime_type] for crime_type in crime_types])
        wanted &= (self.old >= 0) | (self.new >= 0)
        pairs, at = np.unique(np.stack([self.old[wanted], self.new[wanted]]), axis=1, return_inverse=True)
        sums = np.bincount(at.reshape(-1), weights=self.counts[wanted], minlength=pairs.shape[1])
        return {(int(old), int(new)): int(count) for old, new, count in zip(*pairs, sums, strict=True)}


def compare_sets(connection: Connection, old_id: int, new_id: int) -> Comparison:
    """Compare two stored sets."""
    sheets = []
    for set_id in (old_id, new_id):
        wards = connection.execute(select(Ward.code, Ward.name).where(Ward.boundary_set_id == set_id).order_by(Ward.code)).all()
        sheets.append(Sheet([w.code for w in wards], [w.name for w in wards], read_shapes(connection, set_id)))
    return compare(*sheets)


def compare(old: Sheet, new: Sheet) -> Comparison:
    """Compare two sets of wards.

    A ward is unchanged, renamed or recoded where a ward of the other set has its shape. Of the others, one that is made up of
    several whole wards of the other set, or makes up one with others, is split or merged; one whose code goes on is redrawn;
    the rest is gone, or new.
    """
    old_kinds, new_kinds = ["gone"] * len(old.codes), ["new"] * len(new.codes)
    pairs: list[Pair] = []
    at_new = {code: j for j, code in enumerate(new.codes)}
    of_code = [(i, at_new[code]) for i, code in enumerate(old.codes) if code in at_new]
    # Most wards keep code and shape: looked at first, they need not be laid over their neighbours.
    kept = _Laid.over(old, new, np.array(of_code, dtype=np.int64).reshape(-1, 2))
    left = [np.setdiff1d(np.arange(len(sheet.codes)), part) for sheet, part in ((old, kept.i), (new, kept.j))]
    rest = _Laid.of(old, new, *left)
    same = rest.only(_same_shape(old, new, rest))
    for found in (kept, same):
        for i, j, of_a, of_b in found.each():
            old_kinds[i] = new_kinds[j] = kind = _kind_of_same(old, new, i, j)
            pairs.append(Pair(i, j, kind, of_a, of_b))
    # What overlaps a ward whose shape is known elsewhere can only be slivers.
    free = ~np.isin(rest.i, same.i) & ~np.isin(rest.j, same.j) & (np.maximum(rest.of_old, rest.of_new) >= LEAST_LAND)
    parts = rest.only(free)
    parts = parts.only(_is_thick(shapely.intersection(old.shapes[parts.i], new.shapes[parts.j])))
    group = _groups(parts, (len(old.codes), len(new.codes)))
    kinds = [_kind_of_group(parts.only(group == g)) for g in range(int(group.max(initial=-1)) + 1)]
    for i, j in of_code:
        if (old_kinds[i], new_kinds[j]) == ("gone", "new"):
            old_kinds[i] = new_kinds[j] = "redrawn"
    for (i, j, of_a, of_b), g in zip(parts.each(), group.tolist(), strict=True):
        if kinds[g]:
            old_kinds[i] = new_kinds[j] = kinds[g]
        kind = kinds[g] or ("redrawn" if old.codes[i] == new.codes[j] else "part")
        pairs.append(Pair(i, j, kind, of_a, of_b))
    return Comparison(tuple(old_kinds), tuple(new_kinds), tuple(sorted(pairs)))


@dataclass(frozen=True, slots=True)
class _Laid:
    """Pairs of wards that share ground: indices, and the share of each."""

    i: NDArray[np.int64]
    j: NDArray[np.int64]
    of_old: NDArray[np.float64]
    of_new: NDArray[np.float64]

    @classmethod
    def over(cls, old: Sheet, new: Sheet, wanted: NDArray[np.int64]) -> _Laid:
        """Those of certain pairs that have the same shape."""
        i, j = wanted[:, 0], wanted[:, 1]
        area_old, area_new = shapely.area(old.shapes[i]), shapely.area(new.shapes[j])
        equal = shapely.to_wkb(old.shapes[i], include_srid=False) == shapely.to_wkb(new.shapes[j], include_srid=False)
        differ = np.full(len(i), shapely.Polygon(), dtype=object)
        differ[~equal] = shapely.symmetric_difference(old.shapes[i[~equal]], new.shapes[j[~equal]])
        shared = (area_old + area_new - shapely.area(differ)) / 2
        found = cls(i, j, shared / area_old, shared / area_new)
        return found.only((np.minimum(found.of_old, found.of_new) >= ALIKE) & ~_is_thick(differ))

    @classmethod
    def of(cls, old: Sheet, new: Sheet, olds: NDArray[np.int64], news: NDArray[np.int64]) -> _Laid:
        """All pairs of these wards that share ground."""
        rows, columns, shared = overlaps(old.shapes[olds], new.shapes[news])
        i, j = olds[rows], news[columns]
        return cls(i, j, shared / shapely.area(old.shapes[i]), shared / shapely.area(new.shapes[j]))

    def only(self, wanted: NDArray[np.bool_]) -> _Laid:
        """Those that are wanted, one truth for each."""
        return _Laid(self.i[wanted], self.j[wanted], self.of_old[wanted], self.of_new[wanted])

    def each(self) -> list[tuple[int, int, float, float]]:
        """The pairs one by one."""
        return list(zip(self.i.tolist(), self.j.tolist(), self.of_old.tolist(), self.of_new.tolist(), strict=True))


def _same_shape(old: Sheet, new: Sheet, laid: _Laid) -> NDArray[np.bool_]:
    same: NDArray[np.bool_] = np.minimum(laid.of_old, laid.of_new) >= ALIKE
    near = np.flatnonzero(same)
    same[near] = ~_is_thick(shapely.symmetric_difference(old.shapes[laid.i[near]], new.shapes[laid.j[near]]))
    return same


def _is_thick(ground: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Whether anything of each shape is thicker than a sliver: is left when half the thickness is taken off all around."""
    reach_m = SLIVER_THICKNESS_M / 2
    parts, of = shapely.get_parts(ground, return_index=True)
    # What has less ground than that circle is not so thick anywhere; most slivers are many such crumbs.
    large = shapely.area(parts) >= np.pi * reach_m**2
    left = shapely.buffer(parts[large], -reach_m, quad_segs=2)
    thick = np.zeros(len(ground), dtype=bool)
    thick[of[large][~np.asarray(shapely.is_empty(left), dtype=bool)]] = True
    return thick


def _kind_of_same(old: Sheet, new: Sheet, i: int, j: int) -> str:
    if old.codes[i] != new.codes[j]:
        return "recoded"
    return "unchanged" if name_key(old.names[i]) == name_key(new.names[j]) else "renamed"


def _groups(laid: _Laid, shape: tuple[int, int]) -> NDArray[np.int64]:
    """For each pair the number of the group of wards that hang together through such pairs."""
    if not len(laid.i):
        return np.array([], dtype=np.int64)
    total = sum(shape)
    graph = coo_array((np.ones(len(laid.i)), (laid.i, shape[0] + laid.j)), shape=(total, total))
    label = csgraph.connected_components(graph, directed=False)[1]
    return np.unique(label[laid.i], return_inverse=True)[1].astype(np.int64)


def _kind_of_group(laid: _Laid) -> str:
    """Whether the wards of a group are one that was split, or several that were merged; empty where neither."""
    olds, news = len(np.unique(laid.i)), len(np.unique(laid.j))
    if min(olds, news) > 1 or olds == news:
        return ""
    kind, whole, parts = ("split", laid.of_old, laid.of_new) if olds == 1 else ("merged", laid.of_new, laid.of_old)
    return kind if whole.sum() >= WHOLE and parts.min() >= WHOLE else ""


def read_moves(connection: Connection, old_id: int, new_id: int, *, sources: Sequence[str]) -> Moves:
    """Where the incidents of these sources that have places are on both sets."""
    wards = [_ward_indices(connection, set_id) for set_id in (old_id, new_id)]
    parts: list[tuple[NDArray[np.int64], ...]] = []
    for row in connection.execute(
        select(MonthPlaces)
        .join(Source, Source.id == MonthPlaces.source_id)
        .where(Source.slug.in_(sources))
        .order_by(Source.slug, MonthPlaces.month)
    ):
        places = np.frombuffer(row.place_ids, "<i4")
        types = np.frombuffer(row.crime_type_ids, "<i4").astype(np.int64)
        (at_old, at_new, crime_type), counts = count_combinations(wards[0][places], wards[1][places], types)
        month = np.full(len(counts), Month.of(row.month).index, dtype=np.int64)
        parts.append((at_old, at_new, month, crime_type, counts))
    types_by_name = dict(connection.execute(select(CrimeTypeRow.slug, CrimeTypeRow.id)).all())
    none = (np.array([], dtype=np.int64),) * 5
    old_ward, new_ward, month, crime_type, count = (np.concatenate(column) for column in zip(none, *parts, strict=True))
    return Moves(old_ward, new_ward, month, crime_type, count, types_by_name)


def _ward_indices(connection: Connection, set_id: int) -> NDArray[np.int64]:
    """At each place's id the index of its ward, by code; -1 where it is in none."""
    of_place = read_place_wards(connection, set_id)
    ids = connection.scalars(select(Ward.id).where(Ward.boundary_set_id == set_id).order_by(Ward.code)).all()
    index = np.full(max([*ids, 0]) + 1, -1, dtype=np.int64)
    index[np.array(ids, dtype=np.int64)] = np.arange(len(ids))
    return index[of_place]
