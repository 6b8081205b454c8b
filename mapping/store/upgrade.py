"""Creating and upgrading the tables with Alembic."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from mapping.errors import StoreNotReady
from mapping.store.engine import writing
from mapping.store.models import Base
from mapping.store.ready import HEAD, revision_of

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

__all__ = ["alembic_config", "init_store"]


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration for an open connection; there is no file of it."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def init_store(engine: Engine) -> str:
    """Create the tables, or upgrade them; the postgis extension too, where the user may.

    Returns
    -------
    str
        `created`, `upgraded` or `unchanged`.

    Raises
    ------
    StoreNotReady
        If the database holds tables of another program under our names, or PostGIS is missing.
    """
    if engine.dialect.name == "sqlite" and engine.url.database:
        Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)
    with writing(engine) as connection:
        before = revision_of(connection)
        if before and before > HEAD:
            raise StoreNotReady(
                "The store was made by a newer wardwatch.", hint="Install that version, or a later one. Nothing was changed."
            )
        if before is None:
            _refuse_a_stranger(connection)
            if connection.dialect.name == "postgresql":
                _ensure_postgis(connection)
        if before == HEAD:
            return "unchanged"
        command.upgrade(alembic_config(connection), "head")
        return "created" if before is None else "upgraded"


def _refuse_a_stranger(connection: Connection) -> None:
    there = set(inspect(connection).get_table_names())
    ours = set(Base.metadata.tables)
    # A PostgreSQL database may well be shared; an embedded file that holds anything else is another program's.
    clash = there if connection.dialect.name == "sqlite" else there & ours
    if clash:
        raise StoreNotReady(
            f"The database holds tables that are not ours: {', '.join(sorted(clash)[:5])}.",
            hint="Name an empty database in WARDWATCH_DATABASE_URL. Nothing was changed.",
        )


def _ensure_postgis(connection: Connection) -> None:
    if connection.execute(text("SELECT 1 FROM pg_extension WHERE extname = 'postgis'")).first():
        return
    try:
        connection.execute(text("CREATE EXTENSION postgis"))
    except DBAPIError as error:
        raise StoreNotReady(
            f"PostGIS is missing and could not be added: {str(error.orig).strip().splitlines()[0]}.",
            hint="Have the database's administrator run `CREATE EXTENSION postgis`, then run `wardwatch init` again.",
        ) from error
