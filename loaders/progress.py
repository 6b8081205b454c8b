"""How a load tells how far it is."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Progress", "untold"]

Progress = Callable[[str, float], None]
"""Is told the step and the share of it that is done, 0 to 1."""


def untold(_step: str, _share: float) -> None:
    """For callers who do not want to know."""
