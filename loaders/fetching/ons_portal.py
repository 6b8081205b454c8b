"""Asking the feature services of the ONS Open Geography portal (ArcGIS REST): they say errors with HTTP status 200."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from loaders.fetching.files import writing_whole
from loaders.fetching.http import TooLarge, Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from loaders.fetching.http import Web

__all__ = ["Incomplete", "Layer", "Portal", "mapping_in"]

_TRIES = 4
_PAGE = 2000
_SMALLEST_PAGE = 10
_LARGEST_PAGE_MIB = 128
"""In memory it takes about six times that."""

_SERVICE = re.compile(r"[\w(),.&' -]{1,200}")
_MOST_ROWS = 100_000
"""The United Kingdom has 45,000 small areas and 8,400 wards: a service that sends more sends the same again."""


class Incomplete(Unreachable):
    """What arrived, each answer being as it should, is not what was announced."""


class _Refused(Unreachable):
    """The service's own error."""


@dataclass(frozen=True, slots=True)
class Layer:
    """The one layer of a service."""

    service: str
    fields: list[str]
    id_field: str
    page: int
    edited: str

    def find(self, words: str, ending: str, *, year: int | None) -> str:
        """The field of a kind of area: `WD24CD`, `wd24cd`, `WARDCD`, `ward_code` for `WD|WARD` and `CD|CODE`; empty if none.

        Where fields of several years fit, the one of this year; where that does not settle it, none.
        """
        fitting = {f: re.fullmatch(rf"(?:{words})_?(\d\d)?_?(?:{ending})", f, re.IGNORECASE) for f in self.fields}
        found = {name: match[1] for name, match in fitting.items() if match}
        if len(found) > 1 and year:
            found = {name: told for name, told in found.items() if told == f"{year % 100:02d}"}
        return next(iter(found)) if len(found) == 1 else ""


class Portal:
    """The portal's services.

    Parameters
    ----------
    cache
        Where pages are kept that belong to a state of a layer which the service dates.
    """

    def __init__(self, web: Web, base_url: str, *, cache: Path) -> None:
        self._web, self._base_url, self._cache = web, base_url, cache
        self._kept: list[Path] = []

    def services(self) -> list[str]:
        """The names of the feature services; an empty list is asked for again: it comes of a limit now and then."""
        for tries in range(_TRIES):
            if tries:
                self._web.back_off(tries)
            listed = self._ask("", {}).get("services")
            if listed and isinstance(listed, list):
                named = [s.get("name") for s in listed if isinstance(s, dict) and s.get("type") == "FeatureServer"]
                return [name for name in named if isinstance(name, str) and _SERVICE.fullmatch(name)]
        raise Unreachable(f"{self._base_url}: lists no services.", hint="Try again in some minutes.")

    def layer(self, service: str) -> Layer:
        """What a service says of its layer 0."""
        told = self._ask(self._path(service), {})
        try:
            fields = [_printable(field["name"]) for field in told["fields"]]
            id_field = str(told.get("objectIdField") or next(f for f in fields if f.lower() in ("objectid", "fid")))
            page = min(_PAGE, int(told.get("maxRecordCount") or _PAGE))
            edited = str(mapping_in(told, "editingInfo").get("lastEditDate") or "")
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError, StopIteration) as error:
            raise Unreachable(f"{service}: does not describe its fields.", hint="The service has changed.") from error
        return Layer(service, fields, id_field, max(page, 1), edited)

    def count(self, layer: Layer, where: str) -> int:
        """How many features there are."""
        told = self._ask(f"{self._path(layer.service)}/query", {"where": where, "returnCountOnly": "true"})
        if not isinstance(told.get("count"), int):
            raise Unreachable(f"{layer.service}: does not say how many areas there are.", hint="The service has changed.")
        return int(told["count"])

    def distinct(self, layer: Layer, fields: list[str]) -> list[tuple[str, ...]]:
        """Every combination of these fields, as text, ordered."""
        asked = {
            "where": "1=1",
            "outFields": ",".join(fields),
            "returnDistinctValues": "true",
            "returnGeometry": "false",
            "orderByFields": ",".join(fields),
        }
        rows = [mapping_in(feature, "attributes") for feature in self._features(layer, asked)]
        return sorted({tuple(_printable(row.get(field) or "") for field in fields) for row in rows})

    def shapes(self, layer: Layer, where: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Every feature as GeoJSON in national grid metres, with the collection it came in; in the order of their ids."""
        asked = {"where": where, "outFields": "*", "outSR": "27700", "orderByFields": layer.id_field, "f": "geojson"}
        yield from self._pages(layer, asked, kept=True)

    def forget_pages(self) -> None:
        """Throw away the pages of this run: what they hold together is not right."""
        for file in self._kept:
            file.unlink(missing_ok=True)

    def _features(self, layer: Layer, asked: dict[str, str]) -> Iterator[dict[str, Any]]:
        yield from (feature for feature, _ in self._pages(layer, asked, kept=False))

    def _pages(self, layer: Layer, asked: dict[str, str], *, kept: bool) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Page by page, until the service says that there is no more; pages halve while it cannot answer one."""
        size, offset, empty = layer.page, 0, 0
        while True:
            paged = asked | {"resultOffset": str(offset), "resultRecordCount": str(size)}
            try:
                told = self._page(layer, paged, kept=kept)
            except (_Refused, TooLarge):
                if size <= _SMALLEST_PAGE:
                    raise
                size //= 2
                continue
            features = told.get("features")
            if not isinstance(features, list):
                raise Unreachable(f"{layer.service}: sends a page without features.", hint="The service has changed.")
            for feature in features:
                yield feature, told
            offset += len(features)
            if offset > _MOST_ROWS:
                raise Unreachable(f"{layer.service}: sends more than {_MOST_ROWS:,} rows.", hint="The service has changed.")
            # Esri: a page may be short, even empty, while there is more (query of a feature layer, exceededTransferLimit).
            more = told.get("exceededTransferLimit") or mapping_in(told, "properties").get("exceededTransferLimit")
            empty = 0 if features else empty + 1
            if (not more and len(features) < size) or empty == _TRIES:
                return

    def _page(self, layer: Layer, paged: dict[str, str], *, kept: bool) -> dict[str, Any]:
        path = f"{self._path(layer.service)}/query"
        if not kept or not layer.edited:
            return self._ask(path, paged)
        key = hashlib.sha256(json.dumps([self._base_url, path, layer.edited, paged]).encode()).hexdigest()
        file = self._cache / "boundaries" / f"{key}.json"
        if file.is_file():
            try:
                found: dict[str, Any] = json.loads(file.read_bytes())
            except ValueError:
                file.unlink()
            else:
                self._kept.append(file)
                return found
        return self._ask(path, paged, keep=file)

    def _path(self, service: str) -> str:
        return f"/{quote(service, safe='()')}/FeatureServer/0"

    def _ask(self, path: str, params: Mapping[str, str], *, keep: Path | None = None) -> dict[str, Any]:
        """What a service says; a page of features is kept in a file."""
        tries, address = 0, f"{self._base_url}{path}"
        while True:
            body = self._web.read(address, params={"f": "json", **params}, largest_mib=_LARGEST_PAGE_MIB)
            told = self._web.parse_json(body, address)
            if not isinstance(told, dict):
                raise Unreachable(f"{address}: answers with something else than a service does.")
            if "error" not in told:
                if keep and isinstance(told.get("features"), list) and told["features"]:
                    with writing_whole(keep) as out:
                        out.write(body)
                    self._kept.append(keep)
                return told
            error = told["error"] if isinstance(told["error"], dict) else {"message": told["error"]}
            code, tries = error.get("code"), tries + 1
            if not (isinstance(code, int) and (code == 429 or code >= 500)) or tries == _TRIES:
                said = " ".join(str(part) for part in (code, error.get("message")) if part)
                raise _Refused(f"{address}: the service says: {said[:200]!r}.", hint="Try again later.")
            self._web.back_off(tries)


def _printable(value: object) -> str:
    """A name from a network, fit for a terminal."""
    return "".join(letter for letter in str(value) if letter.isprintable())


def mapping_in(what: object, key: str) -> dict[str, Any]:
    """The object under a key of another, empty where either is none: what comes from a network may be anything."""
    found = what.get(key) if isinstance(what, dict) else None
    return found if isinstance(found, dict) else {}
