"""load_groups: which wards are comparable with which."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from loaders.judging import JudgingReport, open_table, texts_of
from loaders.listings import distinct, fitting, refuse_long, shown
from loaders.quality import number_of
from mapping.errors import DataRefused
from mapping.store import check_ready, writing
from mapping.store.models import BoundarySet, Ward, WardGroup, WardGroupFile
from mapping.store.stamp import stamp

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Connection, Engine

    from loaders.extracts import Received
    from loaders.tables import Table

__all__ = ["load_groups"]

FEW = 10
"""With fewer wards in a group there is little to compare a ward with."""


def load_groups(
    engine: Engine,
    path: Path,
    *,
    now: datetime,
    boundaries: str | None = None,
    column: str | None = None,
    attribution: str = "",
) -> JudgingReport:
    """Load groups of comparable wards from a table with a row for each ward, in place of those of the set before.

    Parameters
    ----------
    boundaries
        The set; by default the one that most of the codes belong to.
    column
        The column of groups, where none is called so.

    Raises
    ------
    DataRefused
        If no set has the codes, a ward stands in two groups, or the column cannot be told.
    """
    check_ready(engine)
    received, table = open_table(path)
    with writing(engine) as connection:
        name, set_id, wards = _set_of(connection, table, received, boundaries)
        code_column = fitting(table, lambda text: text in wards)
        if code_column is None:
            raise DataRefused(f"{received.name}: no column holds codes of the wards of {name}.", hint="Is it of that vintage?")
        of_groups = _group_column(table, received, code_column, column)
        refuse_long(table, of_groups, received.name)
        found: dict[str, str] = {}
        for code, group in zip(texts_of(table, code_column), texts_of(table, of_groups), strict=True):
            if code not in wards or not group:
                continue
            if found.setdefault(code, group) != group:
                raise DataRefused(
                    f"{received.name}: the ward {code} is in two groups, {found[code][:40]} and {group[:40]}.",
                    hint="Give one group a ward.",
                )
        for model in (WardGroup, WardGroupFile):
            connection.execute(delete(model).where(model.boundary_set_id == set_id))
        file = {"file_name": received.base_name, "sha256": received.sha256, "loaded_at": now, "attribution": attribution}
        connection.execute(insert(WardGroupFile).values(file | {"boundary_set_id": set_id}))
        connection.execute(
            insert(WardGroup), [{"boundary_set_id": set_id, "ward_code": c, "name": g} for c, g in sorted(found.items())]
        )
        stamp(connection)
    sizes = Counter(found.values())
    report = JudgingReport(
        f"Groups of {name}: {number_of(len(found), 'ward')} in {number_of(len(sizes), 'group')} ({of_groups})."
    )
    if len(found) < len(wards):
        report.notes.append(
            f"{number_of(len(wards) - len(found), 'ward')} of {name} in no group: not compared with similar wards."
        )
    small = sorted(group for group, size in sizes.items() if size < FEW)
    if small:
        report.notes.append(f"Groups of fewer than {FEW} wards say little: {shown(small)}.")
    return report


def _set_of(connection: Connection, table: Table, received: Received, boundaries: str | None) -> tuple[str, int, set[str]]:
    sets = connection.execute(select(BoundarySet.id, BoundarySet.name).order_by(BoundarySet.id)).all()
    wards = {row.id: set(connection.scalars(select(Ward.code).where(Ward.boundary_set_id == row.id))) for row in sets}
    if boundaries is not None:
        chosen = [row for row in sets if row.name == boundaries]
        if not chosen:
            raise DataRefused(
                f"There is no boundary set '{boundaries}'.", hint=f"Loaded: {', '.join(row.name for row in sets) or 'none'}."
            )
        return boundaries, chosen[0].id, wards[chosen[0].id]
    texts = {text for column in table.columns for text in distinct(table, column)}
    hits = {row: len(texts & wards[row.id]) for row in sets}
    best = [row for row in sets if hits[row] and hits[row] == max(hits.values())]
    if not best:
        raise DataRefused(
            f"{received.name}: no column holds codes of wards of a loaded set.", hint="Load the boundaries first."
        )
    if len(best) > 1:
        raise DataRefused(
            f"{received.name}: its codes are in {' and in '.join(row.name for row in best)} alike.",
            hint="Say which set is meant with --boundaries.",
        )
    return best[0].name, best[0].id, wards[best[0].id]


def _group_column(table: Table, received: Received, code_column: str, column: str | None) -> str:
    if column is not None:
        if column not in table.columns:
            raise DataRefused(
                f"{received.name}: has no column '{column}'.", hint=f"Its columns: {shown(table.columns, most=20)}."
            )
        return column
    called = [c for c in table.columns if c != code_column and re.search(r"group|cluster|family", c, re.IGNORECASE)]
    others = [c for c in table.columns if c != code_column]
    chosen = called if len(called) == 1 else others if len(others) == 1 else []
    if not chosen:
        raise DataRefused(
            f"{received.name}: {'several columns look' if called else 'no column looks'} like groups.",
            hint=f"Say which with --column. Its columns: {shown(table.columns, most=20)}.",
        )
    return chosen[0]
