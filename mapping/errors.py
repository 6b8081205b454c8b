"""What can go wrong, as the domain says it. Only the faces (`cli`, `web.errors`) translate these."""

from __future__ import annotations

__all__ = [
    "BadRequest",
    "DataRefused",
    "NotFound",
    "StoreBusy",
    "StoreNotReady",
    "WardwatchError",
]


class WardwatchError(Exception):
    """Something the user can understand and mend: what happened, and `hint`, what to do next."""

    def __init__(self, message: str, *, hint: str = "", parameter: str = "", value: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.parameter = parameter
        self.value = value

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class DataRefused(WardwatchError):
    """A file cannot be loaded as it is; nothing was stored."""


class BadRequest(WardwatchError):
    """A parameter has a value that the store or the vocabulary does not know."""


class NotFound(WardwatchError):
    """The thing that an address or a command names does not exist."""


class StoreNotReady(WardwatchError):
    """There is no store, it is not ours, or its tables are of another version."""


class StoreBusy(WardwatchError):
    """Another load holds the store."""
