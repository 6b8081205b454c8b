"""Everything that a store holds, said the same way for both engines: what "exactly as before" is measured with."""

import hashlib
from typing import Any

import shapely
from sqlalchemy import Connection, inspect, select

from mapping.store import open_engine, reading
from mapping.store.models import Base
from mapping.store.ready import revision_of


def read_tables(url: str) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table of ours, by primary key, and the version of the tables."""
    engine = open_engine(url)
    try:
        with reading(engine) as connection:
            return _tables(connection)
    finally:
        engine.dispose()


def digest(url: str) -> str:
    """One hash of all of it."""
    return hashlib.sha256(repr(read_tables(url)).encode()).hexdigest()


def _tables(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    there = set(inspect(connection).get_table_names())
    found: dict[str, list[dict[str, Any]]] = {"version": [{"revision": revision_of(connection)}]}
    for name, table in sorted(Base.metadata.tables.items()):
        if name in there:
            rows = connection.execute(select(table).order_by(*table.primary_key.columns))
            found[name] = [{column: _plain(value) for column, value in row.items()} for row in rows.mappings()]
    return found


def _plain(value: Any) -> Any:
    """Shapes as WKB without an SRID: the engines write that differently."""
    return shapely.to_wkb(shapely.set_srid(value, 0)) if isinstance(value, shapely.Geometry) else value
