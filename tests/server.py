"""wardwatch as its users run it: the installed command, and the server, as processes of their own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

WARDWATCH = Path(sys.executable).parent / "wardwatch"


def environment(store: str | None = None, env: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the caller's environment without its wardwatch settings, and with these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WARDWATCH_")}
    return kept | ({"WARDWATCH_DATABASE_URL": store} if store else {}) | dict(env or {})


@contextmanager
def served(command: list[str | Path], *, cwd: Path, env: dict[str, str], seconds: float = 60) -> Iterator[str]:
    """Run `command --port N` on a free port; give its URL once /healthz answers, and kill it, workers too, afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    log = cwd / f"server-{port}.log"
    with log.open("w") as file:
        # In a session of its own, so that its workers can be killed with it.
        process = subprocess.Popen(
            [*command, "--port", str(port)], cwd=cwd, env=env, stdout=file, stderr=file, start_new_session=True
        )
    try:
        deadline = time.monotonic() + seconds
        while not _answers(f"{url}/healthz"):
            if process.poll() is not None or time.monotonic() > deadline:
                message = f"{command} did not answer at {url}:\n{log.read_text()}"
                raise RuntimeError(message)
            time.sleep(0.1)
        yield url
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5):
            return True
    except OSError:  # URLError and its 503 too
        return False
