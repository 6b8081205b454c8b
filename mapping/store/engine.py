"""Opening a store: the engine, its pragmas, its transactions and its bulk insert. All that knows which engine it is."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pyarrow as pa
import pyarrow.csv
import shapely
import sqlalchemy
from sqlalchemy import create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError, ProgrammingError

from mapping.errors import StoreBusy, StoreNotReady
from mapping.store.geometry import MetresGeometry
from mapping.vocabulary import METRES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine, Table

__all__ = ["WAIT_FOR_OTHER_LOAD_S", "bulk_insert", "open_engine", "reading", "writing"]

WAIT_FOR_OTHER_LOAD_S = 300
"""How long a load waits for another one to finish before it stops, in seconds."""

_ADVISORY_LOCK = 0x57415244  # "WARD": one load at a time in a PostgreSQL database
_WRITES = "wardwatch_writes"
_BATCH_ROWS = 50_000


def open_engine(url: str, *, must_exist: bool = True) -> Engine:
    """An engine for a store URL; nothing connects yet.

    Raises
    ------
    StoreNotReady
        If the URL is not one of the two forms, or names an embedded file that is not there.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            return _sqlite_engine(parsed, must_exist=must_exist)
        if parsed.get_backend_name() == "postgresql":
            _refuse_unknown_options(parsed)
            driver = parsed.set(drivername="postgresql+psycopg")
            # The ping finds connections that a restart of the server has cut.
            return create_engine(driver, pool_pre_ping=True, connect_args={"application_name": "wardwatch"})
    except (ArgumentError, NoSuchModuleError, ValueError):
        parsed = None
    raise StoreNotReady(
        f"'{parsed.render_as_string() if parsed else url.rsplit('@', 1)[-1]}' is not the address of a store.",
        hint="Set WARDWATCH_DATABASE_URL to postgresql+psycopg://user@host/name or sqlite:////path/file.db.",
    )


def _refuse_unknown_options(url: sqlalchemy.URL) -> None:
    known = {option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()}
    unknown = sorted(set(url.query) - known)
    if unknown:
        raise StoreNotReady(
            f"The address of the store has options that PostgreSQL does not know: {', '.join(unknown)}.",
            hint="Take them out of WARDWATCH_DATABASE_URL; what stands after its '?' are connection options of libpq.",
        )


def _sqlite_engine(url: sqlalchemy.URL, *, must_exist: bool) -> Engine:
    if not url.database:
        raise ValueError(url)
    if url.query:
        raise StoreNotReady(
            f"The address of a store in a file takes no options: {', '.join(sorted(url.query))}.",
            hint="Take what stands after the '?' out of WARDWATCH_DATABASE_URL.",
        )
    path = Path(url.database)
    if must_exist and not path.is_file():
        raise StoreNotReady(f"There is no store at {path}.", hint="Run `wardwatch init` to make one.")
    engine = create_engine(url, connect_args={"timeout": WAIT_FOR_OTHER_LOAD_S})

    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own class
        connection.isolation_level = None  # the driver must not begin transactions of its own; `_begin` does
        for pragma in ("foreign_keys=ON", "journal_mode=WAL", "cache_size=-65536", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        wait_s = connection.get_execution_options().get(_WRITES)
        if wait_s is not None:
            connection.exec_driver_sql(f"PRAGMA busy_timeout={round(1000 * wait_s)}")
        connection.exec_driver_sql("BEGIN" if wait_s is None else "BEGIN IMMEDIATE")

    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that reads one consistent state of the store."""
    one_state = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with _understood(engine), engine.connect() as connection:
        # In SQLite every transaction sees one state.
        options = one_state if engine.dialect.name == "postgresql" else {}
        with connection.execution_options(**options).begin():
            yield connection


@contextmanager
def writing(engine: Engine, *, wait_s: float | None = None) -> Iterator[Connection]:
    """A transaction that is the only one to write: all of it is stored, or nothing.

    Another writer is waited for, so many seconds at most (`WAIT_FOR_OTHER_LOAD_S` unless given).

    Raises
    ------
    StoreBusy
        If the other one has not finished by then; the message names it where the engine knows.
    """
    wait_s = WAIT_FOR_OTHER_LOAD_S if wait_s is None else wait_s
    with _understood(engine, wait_s=wait_s), engine.connect() as connection:
        options = connection.execution_options(**{_WRITES: wait_s})
        with options.begin():
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {round(1000 * wait_s)}")
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
            yield connection


@contextmanager
def _understood(engine: Engine, *, wait_s: float = WAIT_FOR_OTHER_LOAD_S) -> Iterator[None]:
    """Say in the user's words what the database's own errors mean."""
    where = engine.url.render_as_string()
    try:
        yield
    except DBAPIError as error:
        said = str(error.orig).strip()
        if "database is locked" in said or "lock timeout" in said:
            raise StoreBusy(
                f"Another load has held the store {where} for {wait_s:g} seconds{_holder(engine)}.",
                hint="Wait for it to finish, then run this again. Nothing was changed.",
            ) from error
        if isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
            raise StoreNotReady(
                f"The user of this program may not do this in the store: {said.splitlines()[0]}.",
                hint="Give it the right; docs/operating.md says which rights a server needs.",
            ) from error
        if "not a database" in said or "malformed" in said:
            raise StoreNotReady(
                f"{engine.url.database} is not a store, or a damaged one: {said}.",
                hint="Name another file in WARDWATCH_DATABASE_URL, or restore this one from a backup.",
            ) from error
        if "readonly database" in said or ("unable to open" in said and _is_read_only(engine)):
            raise StoreNotReady(
                f"The store {engine.url.database} cannot be used: its folder, or the file, cannot be written by this user.",
                hint="Reading needs that too (SQLite keeps files of its own beside it): give the user the right to write "
                "there, or copy the store to another folder.",
            ) from error
        # Without a statement it was the connection that failed: an option with a value it cannot have, say.
        connecting = isinstance(error, ProgrammingError) and error.statement is None
        if isinstance(error, OperationalError) or connecting or error.connection_invalidated:
            raise StoreNotReady(
                f"The store {where} cannot be used: {said.splitlines()[0]}.",
                hint="See that the database runs and that WARDWATCH_DATABASE_URL names it. What was stored is as it was.",
            ) from error
        raise


def _is_read_only(engine: Engine) -> bool:
    folder = Path(engine.url.database or "").parent
    return engine.dialect.name == "sqlite" and folder.is_dir() and not os.access(folder, os.W_OK)


def _holder(engine: Engine) -> str:
    if engine.dialect.name != "postgresql":
        return ""
    with engine.connect() as connection:
        found = connection.execute(
            text(
                "SELECT a.pid, a.usename, coalesce(a.client_addr::text, 'this machine'), a.xact_start::timestamp(0) "
                "FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
                "WHERE l.locktype = 'advisory' AND l.objid = :lock AND l.granted"
            ),
            {"lock": _ADVISORY_LOCK},
        ).first()
    return f" (process {found[0]} of {found[1]} from {found[2]}, since {found[3]})" if found else ""


def bulk_insert(connection: Connection, table: Table, rows: pa.Table) -> None:
    """Insert columns by name: COPY into PostgreSQL, `executemany` into SQLite.

    Geometry columns are given as WKB in EPSG:27700. SQLAlchemy's own insert would be 5 to 9 times slower.
    """
    if not rows.num_rows:
        return
    # A column without any value is left to the database: a tenth of the time for each.
    rows = rows.select([name for name in rows.column_names if rows.column(name).null_count < rows.num_rows])
    if connection.dialect.name == "postgresql":
        _copy(connection, table, rows)
    else:
        names = ", ".join(f'"{name}"' for name in rows.column_names)
        marks = ", ".join("?" * rows.num_columns)
        statement = f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})'  # noqa: S608 - our own names
        cursor = _cursor(connection)
        for batch in rows.to_batches(max_chunksize=_BATCH_ROWS):
            columns = [_for_sqlite(column).to_pylist() for column in batch.columns]
            cursor.executemany(statement, zip(*columns, strict=True))


def _cursor(connection: Connection) -> Any:  # noqa: ANN401 - the driver's own class
    return connection.connection.cursor()


def _for_sqlite(column: pa.Array) -> pa.Array:
    """Dates and times as the texts that SQLAlchemy keeps in SQLite."""
    if pa.types.is_date(column.type):
        return column.cast(pa.string())
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.timestamp("us")).cast(pa.string())
    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    return column


def _copy(connection: Connection, table: Table, rows: pa.Table) -> None:
    for index, name in enumerate(rows.column_names):
        column = rows.column(index)
        if isinstance(table.c[name].type, MetresGeometry):
            shapes = shapely.set_srid(shapely.from_wkb(column.to_numpy()), METRES)
            column = pa.chunked_array([pa.array(shapely.to_wkb(shapes, hex=True, include_srid=True), pa.string())])
        elif pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        rows = rows.set_column(index, name, column)
    names = ", ".join(f'"{name}"' for name in rows.column_names)
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")
    with _cursor(connection).copy(f'COPY "{table.name}" ({names}) FROM STDIN (FORMAT csv)') as copy:
        for batch in rows.to_batches(max_chunksize=_BATCH_ROWS):
            buffer = pa.BufferOutputStream()
            pyarrow.csv.write_csv(batch, buffer, write_options=options)
            copy.write(memoryview(buffer.getvalue()))
