"""Groups of comparable wards, from a file of the partnership's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from mapping.store.models import Ward, WardGroup, WardGroupFile

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["WardGroups", "read_ward_groups"]


@dataclass(frozen=True, slots=True)
class WardGroups:
    """The group of each ward of a set, in order of code, empty where a ward is in none; and where they are from."""

    of_ward: tuple[str, ...]
    file_name: str
    attribution: str


def read_ward_groups(connection: Connection, boundary_set_id: int) -> WardGroups | None:
    """Those of a set; None where none are loaded."""
    file = connection.execute(select(WardGroupFile).where(WardGroupFile.boundary_set_id == boundary_set_id)).first()
    if file is None:
        return None
    rows = connection.execute(
        select(WardGroup.ward_code, WardGroup.name).where(WardGroup.boundary_set_id == boundary_set_id)
    ).all()
    names = {row.ward_code: row.name for row in rows}
    codes = connection.scalars(select(Ward.code).where(Ward.boundary_set_id == boundary_set_id).order_by(Ward.code))
    return WardGroups(tuple(names.get(code, "") for code in codes), file.file_name, file.attribution)
