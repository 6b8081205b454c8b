"""PostgreSQL for the tests: a private cluster, gone after the session, and a fresh PostGIS database for each test."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from tests.machine import find_postgres

# Durable, as a partnership's server is: a test that kills a load must meet what they would meet.
SETTINGS = {"listen_addresses": "", "port": "5432", "fsync": "on", "synchronous_commit": "on"}


@contextmanager
def private_cluster() -> Iterator[str]:
    """Run a cluster on a socket of its own, and give its URL; the machine's own cluster is never touched."""
    programs = find_postgres()
    # Not in pytest's tmp_path, which is root's, and too long for a socket.
    home = Path(tempfile.mkdtemp(prefix="ww-"))
    options = {"cwd": home, "env": {name: value for name, value in os.environ.items() if not name.startswith("PG")}}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(home, "postgres", "postgres")
        options |= {"user": "postgres", "group": "postgres", "extra_groups": []}
    initdb = [programs / "initdb", "-D", "data", "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"]
    subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, **options)
    settings = SETTINGS | {"unix_socket_directories": home}
    postgres = [programs / "postgres", "-D", "data", *(f"-c{name}={value}" for name, value in settings.items())]
    log = home / "log"
    with log.open("w") as file:
        # In a session of its own: Ctrl-C stops the tests, which then stop the server.
        server = subprocess.Popen(postgres, stdout=file, stderr=file, start_new_session=True, **options)
    try:
        url = f"postgresql+psycopg://postgres@/postgres?host={home}&port=5432"
        _wait_until_ready(url, server, log)
        yield url
    finally:
        server.send_signal(signal.SIGINT)  # what PostgreSQL calls a fast shutdown: it waits for nobody
        server.wait()
        shutil.rmtree(home)


def _wait_until_ready(url: str, server: subprocess.Popen, log: Path) -> None:
    engine = create_engine(url)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and server.poll() is None:
        try:
            engine.connect().close()
        except OperationalError:
            time.sleep(0.05)
        else:
            engine.dispose()
            return
    message = f"PostgreSQL did not start:\n{log.read_text()}"
    raise RuntimeError(message)


class Databases:
    """Fresh databases on one server, each a copy of one template that has PostGIS."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.server: Engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
        self.template = self.create("template0")
        engine = create_engine(self.url_of(self.template))
        with engine.begin() as connection:
            connection.execute(text("CREATE EXTENSION IF NOT EXISTS postgis"))
        engine.dispose()

    def url_of(self, name: str) -> str:
        """Return the URL of one database of this server."""
        return self.url.set(database=name).render_as_string(hide_password=False)

    def create(self, template: str) -> str:
        """Copy a database, and return the name of the copy."""
        name = f"wardwatch_test_{uuid4().hex[:12]}"
        with self.server.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        return name

    def drop(self, name: str) -> None:
        """Drop a database, whoever is connected to it."""
        with self.server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """Give the URL of a new database, dropped afterwards."""
        name = self.create(self.template)
        try:
            yield self.url_of(name)
        finally:
            self.drop(name)

    def close(self) -> None:
        """Leave the server as it was."""
        self.drop(self.template)
        self.server.dispose()
