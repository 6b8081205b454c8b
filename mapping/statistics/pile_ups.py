"""Places with implausibly many incidents of many types: where a recording system puts what it cannot place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FEWEST_INCIDENTS", "PileUps", "find_pile_ups"]

FEWEST_INCIDENTS = 30
"""With fewer incidents a place is no pile-up."""

OTHERS = 20
"""With how many of the busiest other places a place is compared."""

_FEWEST_OTHERS = 5
_FAR_MORE = 2.5  # times the median of the others
_MANY_TYPES = 0.6  # of the effective number of types of the whole source
_FEWEST_TYPES = 3.0  # effective types of a source whose mix tells anything
_LIKE_THE_WHOLE = 0.25  # of the median divergence of the others


@dataclass(frozen=True, slots=True)
class PileUps:
    """What is known of each place of a source, in the order given.

    `others` is the median count of the twenty busiest other places (NaN where there are too few to compare with). `types` is
    how many types were seen, `breadth` how many it amounts to when rare ones count for little (the exponential of Shannon's
    entropy; Hill 1973). `far_more` and `like_the_whole` say which of the two signs a place shows.
    """

    counts: NDArray[np.int64]
    others: NDArray[np.float64]
    types: NDArray[np.int64]
    breadth: NDArray[np.float64]
    far_more: NDArray[np.bool_]
    like_the_whole: NDArray[np.bool_]


def find_pile_ups(by_type: NDArray[np.int64], months: NDArray[np.int64], *, all_months: int) -> PileUps:
    """Tell pile-ups from places that are merely busy.

    A place can be one with 30 incidents or more, in at least half of the source's months, and of many types: its effective
    number of types is at least 0.6 of that of the whole source (a supermarket has hundreds of incidents, nearly all
    shoplifting). Of those it shows a sign of one

    - where it has at least 2.5 times the median of the twenty busiest other places;
    - where it has at least that median, and its mix of types lies nearer to that of all the rest of the source than a
      quarter of the distance that is usual among those twenty (Kullback-Leibler divergence, the median): a town centre has
      a mix of its own, a heap of what could not be placed has the mix of everything.

    Parameters
    ----------
    by_type
        Incidents of one source: shape (places, crime types).
    months
        In how many months each place has incidents.
    all_months
        In how many months the source has incidents.
    """
    counts = by_type.sum(axis=1)
    others, divergence_of_others = (np.full(len(counts), np.nan) for _ in range(2))
    breadth = _effective_types(by_type)
    whole = float(_effective_types(by_type.sum(axis=0, keepdims=True))[0]) if len(counts) else 0.0
    busiest = np.argsort(-counts, kind="stable")[: OTHERS + 1]
    divergence = np.full(len(counts), np.nan)
    divergence[busiest] = _divergence(by_type[busiest], by_type.sum(axis=0))
    if len(busiest) > _FEWEST_OTHERS:
        others[:] = np.median(counts[busiest[:OTHERS]])
        for place in busiest:
            rest = busiest[busiest != place]
            others[place] = np.median(counts[rest])
            divergence_of_others[place] = np.median(divergence[rest])
    possible = (counts >= FEWEST_INCIDENTS) & (2 * months >= all_months) & (breadth >= _MANY_TYPES * whole)
    with np.errstate(invalid="ignore"):
        far_more = possible & (counts >= _FAR_MORE * others)
        near = divergence <= _LIKE_THE_WHOLE * divergence_of_others
        like = possible & (counts >= others) & near & (whole >= _FEWEST_TYPES)
    return PileUps(counts, others, (by_type > 0).sum(axis=1), breadth, far_more, like)


def _effective_types(by_type: NDArray[np.int64]) -> NDArray[np.float64]:
    total = np.maximum(by_type.sum(axis=1, keepdims=True), 1)
    share = by_type / total
    logs = np.log(share, out=np.zeros_like(share), where=share > 0)
    result: NDArray[np.float64] = np.exp(-(share * logs).sum(axis=1))
    return result


def _divergence(by_type: NDArray[np.int64], total: NDArray[np.int64]) -> NDArray[np.float64]:
    """Kullback-Leibler divergence of each place's mix from that of all other places of the source, in nats."""
    # Half an incident more of each type: one that only this place has is unlikely elsewhere, not impossible.
    rest = total - by_type + 0.5
    rest = rest / rest.sum(axis=1, keepdims=True)
    share = by_type / np.maximum(by_type.sum(axis=1, keepdims=True), 1)
    logs = np.log(np.divide(share, rest), out=np.zeros_like(share), where=share > 0)
    result: NDArray[np.float64] = (share * logs).sum(axis=1)
    return result
