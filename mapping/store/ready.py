"""Seeing that a store is ours and of this program's version, without loading what upgrades it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import column, inspect, select, table

from mapping.errors import StoreNotReady
from mapping.store.engine import reading

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

__all__ = ["HEAD", "VERSION_TABLE", "check_ready", "revision_of"]

VERSION_TABLE = "wardwatch_version"

HEAD = "0003"
"""The newest revision in `migrations/versions`, whose names count up (a test compares them)."""


def revision_of(connection: Connection) -> str | None:
    """The revision of the tables, None where there are none of ours."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.scalar(select(column("version_num")).select_from(table(VERSION_TABLE)))
    return found


def check_ready(engine: Engine) -> None:
    """See that the tables are there and of this program's version.

    Raises
    ------
    StoreNotReady
        Otherwise, saying what to run.
    """
    with reading(engine) as connection:
        revision = revision_of(connection)
    where = engine.url.render_as_string()
    if revision is None:
        raise StoreNotReady(f"The store {where} has no tables of ours.", hint="Run `wardwatch init`.")
    if revision < HEAD:
        raise StoreNotReady(f"The store {where} is of an older wardwatch.", hint="Run `wardwatch init` to upgrade it.")
    if revision > HEAD:
        raise StoreNotReady(f"The store {where} was made by a newer wardwatch.", hint="Install that version, or a later one.")
