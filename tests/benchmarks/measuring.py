"""Whole processes and what they cost."""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.server import environment

CLONE = Path(__file__).parent.parent.parent


class SideFailedError(Exception):
    """A side of a comparison could not be run."""


@dataclass(frozen=True)
class Run:
    """One run of a process: its time, the most memory it held, and what it said."""

    seconds: float
    peak_mb: float
    said: str

    def told(self, name: str) -> float:
        """Return a figure that the process printed as `name=figure`."""
        found = re.search(rf"\b{name}=([\d.]+)", self.said)
        if not found:
            raise SideFailedError(f"no {name} in what was said:\n{self.said}")
        return float(found[1])

    def word(self, name: str) -> str:
        """Return a word that the process printed as `name=word`."""
        found = re.search(rf"\b{name}=(\S+)", self.said)
        if not found:
            raise SideFailedError(f"no {name} in what was said:\n{self.said}")
        return found[1]


def python(*arguments: object, store: str | None = None) -> Run:
    """Run this Python in a process of its own, on a store, and measure it."""
    command = [sys.executable, *map(str, arguments)]
    env = environment(store, {"PYTHONPATH": str(CLONE)})
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        started = time.perf_counter()
        process = subprocess.Popen(command, env=env, stdout=output, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        said = output.read()
    if process.returncode:
        raise SideFailedError(f"{' '.join(command)}\nended with {process.returncode}:\n{said}")
    kilobytes = used.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    return Run(seconds, kilobytes / 1024, said)


def wardwatch(*arguments: object, store: str) -> Run:
    """Run the command line."""
    return python("-m", "cli", *arguments, store=store)


def best(runs: int, sides: Mapping[str, Callable[[], Run]]) -> dict[str, Run]:
    """Run each side so many times, in turn so that whatever disturbs the machine disturbs all, and keep its fastest run."""
    done: dict[str, list[Run]] = {name: [] for name in sides}
    for _ in range(runs):
        for name, side in sides.items():
            done[name].append(side())
    return {name: min(found, key=lambda run: run.seconds) for name, found in done.items()}
