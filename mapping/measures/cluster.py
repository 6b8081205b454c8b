"""Where wards of high or low rates lie together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from mapping.classes import LegendClass
from mapping.measures.base import Figures, Measure, Option
from mapping.measures.per import PER, read_base
from mapping.measures.smoothed_rate import smooth
from mapping.statistics.clusters import gi_star, local_moran, two_sided
from mapping.statistics.discovery import SIGNIFICANT, false_discovery

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mapping.measures.base import View
    from mapping.measures.per import Base

__all__ = ["FEWEST_WARDS", "MEASURE"]

FEWEST_WARDS = 10
"""Among fewer wards nothing can be said to lie together."""

LOCAL_MORAN = "local-moran"

_BINS = ((0.01, "99"), (0.05, "95"), (0.1, "90"))
_ODDS = {"99": "1 in 100", "95": "1 in 20", "90": "1 in 10"}


def _compute(view: View) -> Figures:
    base = read_base(view, without_default_places=True)
    n = len(view.areas)
    rates = np.array(smooth(view, base))
    at = np.flatnonzero(base.known)
    why = _why_not(view, rates[at])
    if why:
        of_rate = [base.status(view, i) for i in range(n)]
        status = [s if s in {"not-supplied", "no-denominator"} else "not-applicable" for s in of_rate]
        none = np.full(n, np.nan)
        sentences = [
            f"{area.name}: {base.why_none(view, i, 'cluster')}"
            if status[i] != "not-applicable"
            else f"{area.name}: no cluster: {why} ({base.subject.what[i]}).{base.subject.missing[i]}"
            for i, area in enumerate(view.areas)
        ]
        return base.cite(Figures(none, none.copy(), none.copy(), status, [""] * n, sentences))
    assert view.neighbours is not None  # noqa: S101 - `_why_not` looked
    neighbours = sparse.csr_array(view.neighbours()[at][:, at])
    if view.options["method"] == LOCAL_MORAN:
        return base.cite(_of_local_moran(view, base, rates, at, neighbours))
    z, q = np.full((2, n), np.nan)
    z[at] = gi_star(rates[at], neighbours)
    tested = ~np.isnan(z)
    q = false_discovery(np.where(tested, two_sided(z), np.nan))
    classes = [_bin(z[i], q[i]) if tested[i] else "" for i in range(n)]
    status, sentences = [], []
    for i, area in enumerate(view.areas):
        if not base.known[i]:
            status.append(base.status(view, i))
            sentences.append(f"{area.name}: {base.why_none(view, i, 'cluster')}")
        elif not tested[i]:
            status.append("not-applicable")
            sentences.append(f"{area.name}: no cluster: it touches every other ward ({base.subject.what[i]}).")
        else:
            status.append(base.status(view, i))
            said = _said(classes[i])
            scores = f"z {z[i]:.2f}; smoothed rate {rates[i]:,.1f} per {base.kind.unit} a year; {base.subject.what[i]}"
            sentences.append(f"{area.name}: {said} ({scores}).{base.ending(i)}")

    def working(i: int) -> str:
        around = int(neighbours[[int(np.searchsorted(at, i))]].sum())
        return f"z = {z[i]:.4g} of it and {around} neighbours among {len(at)} wards; q = {q[i]:.4g}."

    hot, cold = (sum(c.startswith(side) and not c.endswith("90") for c in classes) for side in ("hot", "cold"))
    figures = Figures(
        z,
        np.full(n, np.nan),
        np.full(n, np.nan),
        status,
        classes,
        sentences,
        family=n,
        working=working,
        notes=(f"In clusters, with less than 1 in 20 by chance: {hot:,} wards of high rates, {cold:,} of low ones.",),
    )
    return base.cite(figures)


def _why_not(view: View, rates: NDArray[np.float64]) -> str:
    """Why nothing can be said to lie together; empty where it can."""
    if not view.by_ward or view.neighbours is None:
        return "wards lie together, not totals of them"
    if len(rates) < FEWEST_WARDS:
        return f"among fewer than {FEWEST_WARDS} wards with a rate nothing can be said to lie together"
    if np.ptp(rates) <= 1e-12 * max(1.0, float(np.abs(rates).max())):
        return "no ward's rate differs from the others' by more than chance"
    return ""


def _bin(z: float, q: float) -> str:
    name = next((name for level, name in _BINS if q <= level), "")
    return f"{'hot' if z > 0 else 'cold'}-{name}" if name else "none"


def _said(kind: str) -> str:
    if kind == "none":
        return "not part of a cluster of high or low wards"
    side, _, name = kind.partition("-")
    high = "high" if side == "hot" else "low"
    return f"part of a cluster of {high} wards, less than {_ODDS[name]} by chance after allowing for looking at every ward"


def _of_local_moran(
    view: View, base: Base, rates: NDArray[np.float64], at: NDArray[np.int64], neighbours: sparse.csr_array
) -> Figures:
    """The same by Anselin's local Moran: who is like its neighbours, or unlike them."""
    n = len(view.areas)
    found = local_moran(rates[at], neighbours, rng=np.random.default_rng(_SEED), permutations=_PERMUTATIONS)
    value, q = np.full((2, n), np.nan)
    value[at] = found.value
    p = np.full(n, np.nan)
    p[at] = found.p
    q = false_discovery(p)
    quadrants = dict(zip(at.tolist(), found.quadrants, strict=True))
    classes = ["" if not base.known[i] else quadrants[i] if q[i] <= SIGNIFICANT else "none" for i in range(n)]
    status, sentences = [], []
    for i, area in enumerate(view.areas):
        status.append(base.status(view, i))
        if not base.known[i]:
            sentences.append(f"{area.name}: {base.why_none(view, i, 'cluster')}")
            continue
        rate = f"smoothed rate {rates[i]:,.1f} per {base.kind.unit} a year"
        said = f"{_QUADRANTS[classes[i]]} (local Moran {value[i]:.2f}; {rate}; {base.subject.what[i]})"
        sentences.append(f"{area.name}: {said}.{base.ending(i)}")
    together = found.moran_p <= SIGNIFICANT and found.moran > 0
    alike = f"{'lie' if together else 'do not lie'} together more than chance would have it"

    def working(i: int) -> str:
        return f"I = {value[i]:.4g}, p = {p[i]:.4g} of {_PERMUTATIONS:,} permutations, q = {q[i]:.4g}."

    return Figures(
        value,
        np.full(n, np.nan),
        np.full(n, np.nan),
        status,
        classes,
        sentences,
        family=n,
        working=working,
        notes=(f"Over all wards, rates that are alike {alike} (Moran's I {found.moran:.2f}, p {found.moran_p:.2g}).",),
    )


_SEED = 20260101
_PERMUTATIONS = 9999
_QUADRANTS = {
    "high-high": "high among high wards, more than chance would have it",
    "low-low": "low among low wards, more than chance would have it",
    "high-low": "high among low wards: it stands out from its neighbours more than chance would have it",
    "low-high": "low among high wards: it stands out from its neighbours more than chance would have it",
    "none": "neither like its neighbours nor unlike them by more than chance",
}
_LOCAL_CLASSES = (
    LegendClass("high-high", "High among high wards", None, None, "#b2182b"),
    LegendClass("high-low", "High among low wards", None, None, "#f4a582"),
    LegendClass("low-high", "Low among high wards", None, None, "#92c5de"),
    LegendClass("low-low", "Low among low wards", None, None, "#2166ac"),
    LegendClass("none", "Nothing to tell", None, None, "#f7f7f7"),
)


def _chosen(measure: Measure, options: dict[str, str]) -> Measure:
    if options["method"] != LOCAL_MORAN:
        return measure
    return replace(measure, name="Clusters and outliers", unit="local Moran's I", classes=_LOCAL_CLASSES)


MEASURE = Measure(
    id="cluster",
    name="Clusters",
    unit="Gi* z",
    legend="categorical",
    explanation="Where wards of high rates, or of low ones, lie together more than chance would have it: each ward is looked "
    "at with all that touch it. A ward can be part of a cluster because of its neighbours; by itself it need not be high. "
    "What is at a confirmed default location is left out. The other method, local Moran, also tells wards that stand out from "
    "their neighbours.",
    formula="Gi* = (sum w x - mean W) / (S sqrt((n W - W^2) / (n - 1))), x the smoothed rate, w 1 for the ward and all that "
    "touch it, also at a point (islands: the nearest), W their number: the z that ArcGIS shows. Two-sided p; 99, 95 and 90: "
    "Benjamini and Hochberg's q up to 0.01, 0.05 and 0.10 over all wards. Local Moran: 9,999 permutations, q up to 0.05. At "
    "least 10 wards.",
    compute=_compute,
    format=lambda value: f"{value:,.2f}",
    decimals=2,
    needs=("population", "neighbours"),
    options=(
        Option("method", "Method", ("gi-star", LOCAL_MORAN), labels=("Gi* (hot and cold)", "Local Moran (outliers)")),
        PER,
    ),
    chosen=_chosen,
    classes=(
        LegendClass("hot-99", "High cluster, 99% sure", None, None, "#b2182b"),
        LegendClass("hot-95", "High cluster, 95% sure", None, None, "#ef8a62"),
        LegendClass("hot-90", "High cluster, 90% sure", None, None, "#fddbc7"),
        LegendClass("cold-90", "Low cluster, 90% sure", None, None, "#d1e5f0"),
        LegendClass("cold-95", "Low cluster, 95% sure", None, None, "#67a9cf"),
        LegendClass("cold-99", "Low cluster, 99% sure", None, None, "#2166ac"),
        LegendClass("none", "Not part of a cluster", None, None, "#f7f7f7"),
    ),
    quiet="none",
    asks="place",
    interval="",
)
