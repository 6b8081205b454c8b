"""Wards from parishes: how they are first grouped and coded, and what the review of 2025 changes."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import isqrt

from loaders.demo.chance import IntArray
from loaders.demo.shapes import Cells

__all__ = ["MERGED", "MOVED", "SPLIT", "Ward", "coded", "distance", "grow", "reviewed"]

# What the review does: a parish goes from one ward to the next, a ward becomes two, two become one.
MOVED = (("Lodge Park", "Queensway"), ("Great Tarsley", "Oxenbourne"))
SPLIT = ("Harnbury Whitegate", ("Harnbury Maltings", "Harnbury Whitegate"))
MERGED = (("Brockhurst Weir", "Hamblecote and Orton Fold"), "Brockhurst and Hamblecote")


@dataclass(frozen=True)
class Ward:
    """A ward as a set of parishes (cells)."""

    name: str
    district: int
    town: int  # -1 in the country
    kind: str  # one of model.KINDS
    cells: frozenset[int]
    code: str = ""


def coded(wards: Iterable[Ward], *, first: int = 1) -> list[Ward]:
    """Give codes that no real ward has, by district and name."""
    ordered = sorted(wards, key=lambda w: (w.district, w.name))
    return [replace(ward, code=f"X05{number:06d}") for number, ward in enumerate(ordered, start=first)]


def reviewed(wards: list[Ward], cells: Cells, residents: IntArray) -> list[Ward]:
    """Return the wards after the review: those it changes get new codes, all others stay as they are."""
    named = {ward.name: ward for ward in wards}
    changed = []
    for giver, taker in MOVED:
        parish = _edge_parish(named[giver], named[taker], cells)
        changed.append(replace(named[giver], cells=named[giver].cells - {parish}))
        changed.append(replace(named[taker], cells=named[taker].cells | {parish}))
    old, names = SPLIT
    halves = grow(cells, sorted(named[old].cells), min(named[old].cells), number=2, size=residents)
    changed += [replace(named[old], name=name, cells=half) for name, half in zip(names, halves, strict=True)]
    (one, other), new = MERGED
    changed.append(replace(named[one], name=new, cells=named[one].cells | named[other].cells))

    gone = {name for pair in MOVED for name in pair} | {old, one, other}
    kept = [ward for ward in wards if ward.name not in gone]
    return sorted([*kept, *coded(changed, first=len(wards) + 1)], key=lambda w: w.code)


def grow(cells: Cells, members: list[int], first: int, *, number: int, size: IntArray) -> list[frozenset[int]]:
    """Part `members` into groups of neighbours of about the same total `size`, the first around `first`."""
    starts = [first]
    while len(starts) < number:
        starts.append(max(members, key=lambda c: min(distance(cells, c, start) for start in starts)))
    groups = [[start] for start in starts]
    free = set(members) - set(starts)
    while free:
        smallest_first = sorted(groups, key=lambda group: sum(size[c] for c in group))
        group = next(group for group in smallest_first if _reach(cells, group) & free)
        nearest = min(_reach(cells, group) & free, key=lambda c: (sum(distance(cells, c, g) for g in group), c))
        group.append(nearest)
        free.remove(nearest)
    return [frozenset(group) for group in groups]


def distance(cells: Cells, a: int, b: int) -> int:
    """Return the metres between the middles of two cells."""
    (ax, ay), (bx, by) = cells.middles[a], cells.middles[b]
    return isqrt((ax - bx) ** 2 + (ay - by) ** 2)


def _reach(cells: Cells, group: Iterable[int]) -> set[int]:
    return {other for cell in group for other in cells.neighbours[cell]}


def _edge_parish(giver: Ward, taker: Ward, cells: Cells) -> int:
    """Return the parish of `giver` that lies closest to `taker` and that `giver` can spare without falling apart."""
    spare = [c for c in giver.cells & _reach(cells, taker.cells) if _in_one_piece(giver.cells - {c}, cells)]
    return min(spare, key=lambda c: (sum(distance(cells, c, other) for other in taker.cells), c))


def _in_one_piece(group: frozenset[int], cells: Cells) -> bool:
    found = {min(group)}
    while new := (_reach(cells, found) & group) - found:
        found |= new
    return found == group
