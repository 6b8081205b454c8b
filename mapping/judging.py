"""What figures are judged with, as `status` and the page of data tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from mapping.breaks import read_breaks
from mapping.harm_weights import read_harm_weights
from mapping.store.models import BoundarySet, BreakFile, WardGroup, WardGroupFile

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["judging_lines", "read_judging"]


def read_judging(connection: Connection, sources: set[str]) -> dict[str, Any]:
    """Recording breaks that touch these sources (or all), harm weights, and groups of wards: how many, and from which files."""
    breaks = [found for found in read_breaks(connection) if found.source in sources | {""}]
    weights = read_harm_weights(connection)
    groups = connection.execute(
        select(
            BoundarySet.name,
            WardGroupFile.file_name,
            func.count(WardGroup.name.distinct()).label("groups"),
            func.count(WardGroup.ward_code).label("wards"),
        )
        .join(WardGroupFile, WardGroupFile.boundary_set_id == BoundarySet.id)
        .join(WardGroup, WardGroup.boundary_set_id == BoundarySet.id)
        .group_by(BoundarySet.name, WardGroupFile.file_name)
        .order_by(BoundarySet.name)
    ).all()
    return {
        "breaks": {
            "shipped": sum(found.shipped for found in breaks),
            "loaded": sum(not found.shipped for found in breaks),
            "file": connection.scalar(select(BreakFile.file_name)),
        },
        "weights": weights
        and {
            "source": weights.source,
            "version": weights.version,
            "date": str(weights.dated),
            "crime_types": len(weights.weights),
            "file": weights.file_name,
        },
        "groups": [{"boundaries": row.name, "groups": row.groups, "wards": row.wards, "file": row.file_name} for row in groups],
    }


def judging_lines(found: dict[str, Any]) -> list[str]:
    """The same as it is printed."""
    breaks, weights = found["breaks"], found["weights"]
    own = f" and {breaks['loaded']:,} from {breaks['file']}" if breaks["file"] else ""
    lines = [f"Recording breaks: {breaks['shipped']:,} shipped{own} (`wardwatch breaks` lists them)."]
    if weights:
        said = f"{weights['source']}, {weights['version']}, {weights['date']}"
        lines.append(f"Harm weights of {weights['crime_types']:,} crime types: {said} ({weights['file']}).")
    lines += [
        f"Groups of {row['boundaries']}: {row['wards']:,} wards in {row['groups']:,} groups ({row['file']})."
        for row in found["groups"]
    ]
    return lines
