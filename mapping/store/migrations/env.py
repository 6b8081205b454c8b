"""Alembic's entry: the connection comes from `mapping.store.upgrade`, never from a file."""

from __future__ import annotations

from typing import Any

from alembic import context
from geoalchemy2 import Geometry

from mapping.store.geometry import MetresGeometry
from mapping.store.models import Base
from mapping.store.ready import VERSION_TABLE
from mapping.vocabulary import METRES


def _include(subject: Any, name: str | None, type_: str, reflected: bool, compare_to: object) -> bool:  # noqa: ANN401, FBT001
    """Leave alone what is not ours: a PostgreSQL database may be shared, and PostGIS brings tables of its own."""
    if type_ == "index" and connection.dialect.name == "sqlite" and subject.dialect_kwargs.get("postgresql_using"):
        return False
    return not (type_ == "table" and reflected and compare_to is None and name not in Base.metadata.tables)


def _compare_type(_context: object, _inspected: object, _metadata: object, found: Any, wanted: Any) -> bool | None:  # noqa: ANN401
    if isinstance(wanted, MetresGeometry):
        return isinstance(found, Geometry) and (found.geometry_type, found.srid) != (wanted.kind, METRES)
    return None


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    version_table=VERSION_TABLE,
    include_object=_include,
    compare_type=_compare_type,
    render_as_batch=connection.dialect.name == "sqlite",
    transaction_per_migration=False,
)
# The caller holds the transaction, so that an upgrade that fails half-way leaves the store as it was.
context.run_migrations()
