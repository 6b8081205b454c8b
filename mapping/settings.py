"""Settings, read from the environment by the entry points only."""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from mapping.errors import BadRequest

__all__ = ["Settings", "load_settings"]

_TILES_URL = re.compile(r"https?://(\{s\}\.)?[A-Za-z0-9.-]+(:\d{1,5})?/[!-~]+")
_SERVICE_URL = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?(/[A-Za-z0-9._~/-]*)?")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_BREAKS_A_HEADER = re.compile(r"[\s\"'`;,\\<>]")


class Settings(BaseSettings):
    """Every setting: its name (with `WARDWATCH_` before it, in capitals), default and meaning."""

    model_config = SettingsConfigDict(env_prefix="WARDWATCH_", frozen=True, extra="ignore")

    database_url: str = Field(
        default="",
        description="The store: `postgresql+psycopg://user@host/name` or `sqlite:////path/file.db`. "
        "Empty: `instance/wardwatch.db` under the current directory.",
    )
    audience: Literal["public", "internal"] = Field(
        default="public",
        description="`public`: open sources only, ward aggregates, read-only. `internal`: the operator vouches that only "
        "staff can reach the server; protected sources and the values of issues are shown too, "
        "and what staff decide about places is kept.",
    )
    title: str = Field(default="wardwatch", description="The name that stands at the head of every page.")
    tiles_url: str = Field(
        default="",
        description="Background map tiles, `https://host/{z}/{x}/{y}.png`. Empty: none, and no request to another server.",
    )
    tiles_attribution: str = Field(default="", description="What the supplier of the tiles wants printed.")
    police_uk_url: str = Field(
        default="https://data.police.uk", description="Where `fetch police-uk` asks: the site or a mirror."
    )
    ons_url: str = Field(
        default="https://services1.arcgis.com/ESMARspQHYMw9BZ9/arcgis/rest/services",
        description="Where `fetch boundaries` asks: the folder of services of ONS's Open Geography portal, or a mirror.",
    )
    fetch_pause_s: float = Field(
        default=1.0, ge=0, le=60, description="Seconds between two requests of `fetch` to one server, at least."
    )
    hosts: str = Field(
        default="",
        description="The names under which an `internal` server answers, with commas between them, beside addresses "
        "(IP), `localhost` and the machine's own name: a page of another site cannot pass itself off under its own.",
    )
    secret: str = Field(
        default="",
        repr=False,
        description="What forms are signed with, any long random text. Empty: one that lasts as long as the server; needed "
        "where several processes that `wardwatch serve` did not start answer together.",
    )
    now: datetime | None = Field(default=None, description="A fixed clock (ISO date and time), for tests and rehearsals.")

    @field_validator("tiles_url")
    @classmethod
    def _is_of_tiles(cls, value: str) -> str:
        """Its host goes into a header that says what a page may fetch: nothing else must get in there."""
        right = _TILES_URL.fullmatch(value) and not _BREAKS_A_HEADER.search(value)
        if value and not (right and all(part in value for part in ("{z}", "{x}", "{y}"))):
            raise ValueError(
                "it must be http(s)://host/... with {z}, {x} and {y}, and without spaces, quotes, commas and semicolons"
            )
        return value

    @field_validator("hosts")
    @classmethod
    def _are_names(cls, value: str) -> str:
        if value and not all(_HOST.fullmatch(name.strip()) for name in value.split(",")):
            raise ValueError("it must be names of hosts with commas between them, without ports and stars")
        return value.lower()

    @field_validator("police_uk_url", "ons_url")
    @classmethod
    def _is_of_a_service(cls, value: str) -> str:
        if not _SERVICE_URL.fullmatch(value):
            raise ValueError("it must be http(s)://host/..., without a name, a password, a query and spaces")
        return value.rstrip("/")

    @property
    def store_url(self) -> str:
        """The database URL in force."""
        return self.database_url or sqlite_url(Path("instance") / "wardwatch.db")

    def with_secret(self) -> Settings:
        """The same with a secret, made up where none is set. Whoever starts several workers does this before."""
        return self if self.secret else self.model_copy(update={"secret": secrets.token_hex(32)})

    def clock(self) -> datetime:
        """The current local time, to the second."""
        return (self.now or datetime.now()).replace(microsecond=0, tzinfo=None)  # noqa: DTZ005 - the partnership's own clock


def sqlite_url(path: Path) -> str:
    """The SQLAlchemy URL of an embedded store in a file."""
    return f"sqlite:///{path.absolute()}"


def load_settings(**overrides: object) -> Settings:
    """Read the environment; `overrides` win.

    Raises
    ------
    BadRequest
        If a variable has a value that it cannot have.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = "WARDWATCH_" + str(first["loc"][0]).upper()
        raise BadRequest(
            f"{name} is '{first['input']}': {first['msg'].removeprefix('Value error, ')}.",
            hint="docs/settings.md lists every setting and what it may be.",
            parameter=name,
            value=str(first["input"]),
        ) from error
