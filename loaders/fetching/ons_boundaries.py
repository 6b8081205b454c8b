"""fetch_boundaries: one set of ONS boundaries, or what of it is in a district or a county, into one file that `load` reads."""

from __future__ import annotations

import calendar
import filecmp
import json
import shlex
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from loaders.fetching.files import said_of_disk, writing_whole
from loaders.fetching.http import Unreachable
from loaders.fetching.ons_areas import CODE, NAME, WORDS, Chosen, choose_areas
from loaders.fetching.ons_names import KINDS, MONTHS, ServiceName, choose_service, read_title
from loaders.fetching.ons_portal import Incomplete, Layer, Portal, mapping_in
from loaders.progress import untold
from mapping.errors import BadRequest
from mapping.vocabulary import slug

if TYPE_CHECKING:
    from loaders.fetching.http import Web
    from loaders.progress import Progress

__all__ = ["BoundariesFetched", "default_file", "fetch_boundaries", "way_by_hand"]


@dataclass(slots=True)
class BoundariesFetched:
    """What was written, from where."""

    path: Path
    service: ServiceName
    areas: int = 0
    districts: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The report as it is printed."""
        inside = f" in {len(self.districts)} districts" if self.districts else ""
        return [
            f"{self.areas:,} areas{inside} of {self.service.name} written to {self.path}.",
            *self.notes,
            "Load them with: " + shlex.join(self._next()),
        ]

    def _next(self) -> list[str]:
        year, kind = min(self.service.years), KINDS[self.service.kinds[0]]
        command = ["wardwatch", "load", "boundaries", str(self.path)]
        if kind != "ward":
            command += ["--kind", kind]
        if self.service.month not in ("", "dec"):
            # `load` takes the end of the year, and the name of the year, for what ONS dates by year only.
            number = MONTHS.index(self.service.month) + 1
            last = calendar.monthrange(year, number)[1]
            name = f"{self.service.kinds[0]}{year % 100:02d}-{self.service.month}"
            command += ["--name", name, "--effective", f"{year}-{number:02d}-{last}"]
        printed = (
            "Source: Office for National Statistics licensed under the Open Government Licence v3.0. "
            f"Contains OS data © Crown copyright and database right {year}."
        )
        return [*command, "--attribution", printed]


def default_file(title: str, area: str | None) -> Path:
    """The file that is written where none is named."""
    return Path("-".join(filter(None, (slug(title), slug(area or "")))) + ".geojson")


def way_by_hand(title: str) -> str:
    """How to get the same with a browser, on a machine that has a network."""
    return (
        "Without a network here: run the same command on a machine that has one and carry the file it writes. Or open "
        f"https://geoportal.statistics.gov.uk there, search for '{title}', take it as GeoPackage or GeoJSON, and load that: a "
        "national set may be loaded whole."
    )


def fetch_boundaries(
    web: Web,
    base_url: str,
    title: str,
    *,
    area: str | None,
    grade: str | None,
    into: Path,
    cache: Path,
    replace: bool = False,
    progress: Progress = untold,
) -> BoundariesFetched:
    """Write one GeoJSON file with ONS's columns (`WD24CD`, `WD24NM`, `LAD24CD`, `LAD24NM`), in national grid metres.

    Parameters
    ----------
    title
        What ONS calls it, or part of it: `Wards December 2024`.
    area
        A district or county, by name or code.
    grade
        Of `GRADES`; None: BFC, else BGC.
    replace
        Allow the file to be replaced by another.

    Raises
    ------
    BadRequest
        If the title or the area means nothing or several things, or another file is there already.
    Unreachable
        If the service does not answer as it should, or what it sends is not complete; nothing is written.
    """
    asked = read_title(title)
    if into.suffix.lower() not in (".geojson", ".json"):
        raise BadRequest(f"{into}: what is written is GeoJSON.", hint=f"Call it {into.with_suffix('.geojson').name}.")
    portal = Portal(web, base_url, cache=cache)
    progress("asking what is published", 0)
    services = portal.services()
    service = choose_service(asked, services, grade=grade)
    layer = portal.layer(service.name)
    report = BoundariesFetched(into, service)
    if not grade and not asked.grade and service.grade != "BFC":
        report.notes.append(f"It is not published in full resolution (BFC): this is {service.grade}, generalised to 20 m.")
    columns = _columns(layer, service, report)
    progress("asking which areas", 0)
    chosen = choose_areas(portal, layer, services, area, kind=service.kinds[0], year=min(service.years))
    expected = sum(portal.count(layer, where) for where in chosen.wheres)
    if not expected or (chosen.wards is not None and chosen.wards != expected):
        listed = f", and {chosen.wards:,} are listed for {area}" if chosen.wards else ""
        raise Unreachable(f"{service.name}: has {expected:,} areas of those{listed}.", hint="Ask for a set of another date.")
    with said_of_disk(into), ExitStack() as stack:
        out = stack.enter_context(writing_whole(into))
        try:
            _write(out, _Collected(portal, layer, columns, chosen, expected), report, progress)
        except Incomplete:
            portal.forget_pages()
            raise
        out.flush()
        if into.exists() and not replace and not filecmp.cmp(into, out.name, shallow=False):
            raise BadRequest(f"{into}: another file is there already.", hint="Name another with --into, or --replace it.")
    return report


def _columns(layer: Layer, service: ServiceName, report: BoundariesFetched) -> dict[str, str]:
    """ONS's own name of each column -> what the layer calls it; a renamed one is found by its pattern, and told."""
    kind, year = service.kinds[0], min(service.years)
    wanted = [(kind, CODE, "CD"), (kind, NAME, "NM")]
    wanted += [("lad", CODE, "CD"), ("lad", NAME, "NM")] if kind == "wd" else []
    columns = {f"{of.upper()}{year % 100:02d}{ending}": layer.find(WORDS[of], words, year=year) for of, words, ending in wanted}
    missing = [usual for usual in columns if not columns[usual] and not usual.startswith("LAD")]
    missing += [usual for usual in columns if not columns[usual] and kind == "lad"]
    if missing:
        raise Unreachable(
            f"{service.name}: has no field like {' and '.join(dict.fromkeys(missing))}.",
            hint=f"Its fields: {', '.join(layer.fields)}. Fetch it from the portal by hand, and load it with --code-column.",
        )
    renamed = [f"{found} for {usual}" for usual, found in columns.items() if found and found != usual]
    if renamed:
        report.notes.append(f"The service calls its fields otherwise: {', '.join(renamed)}.")
    return {usual: found for usual, found in columns.items() if found}


@dataclass(frozen=True, slots=True)
class _Collected:
    """What to collect, of which layer, and how much of it there should be."""

    portal: Portal
    layer: Layer
    columns: dict[str, str]
    chosen: Chosen
    expected: int


def _write(out: BinaryIO, asked: _Collected, report: BoundariesFetched, progress: Progress) -> None:
    """Feature by feature, so that a national set needs the memory of one page; each is checked on its way."""
    service, ids, system = asked.layer.service, set[str](), ""
    code_column, *_ = asked.columns
    progress("fetching areas", 0)
    for where in asked.chosen.wheres:
        for feature, page in asked.portal.shapes(asked.layer, where):
            properties, shape = _parts(feature, service)
            object_id = str(properties.get(asked.layer.id_field, feature.get("id")))
            if object_id in ids:
                raise Incomplete(
                    f"{service}: sent the area with the id {object_id} twice.", hint="It may be changing just now: try again."
                )
            ids.add(object_id)
            written = {usual: str(properties.get(found) or "").strip() for usual, found in asked.columns.items()}
            code = written[code_column]
            if not code or not shape:
                raise Incomplete(f"{service}: the area with the id {object_id} has no {'shape' if code else 'code'}.")
            if code in asked.chosen.districts:
                suffix = code_column[2:4]
                written |= dict(zip((f"LAD{suffix}CD", f"LAD{suffix}NM"), asked.chosen.districts[code], strict=True))
            found = _system(page, shape, service)
            if not system:
                out.write(_head(found))
            elif system != found:
                raise Incomplete(f"{service}: sent areas in {system} and in {found}.")
            line = _json({"type": "Feature", "properties": written, "geometry": shape}, service)
            out.write((b",\n" if system else b"\n") + line)
            system = found
            report.areas += 1
            report.districts |= {
                value for column, value in written.items() if column.startswith("LAD") and column.endswith("CD")
            }
            progress("fetching areas", min(1.0, report.areas / asked.expected))
    if report.areas != asked.expected:
        raise Incomplete(
            f"{service}: announced {asked.expected:,} areas and sent {report.areas:,}.",
            hint="It may be changing just now: try again.",
        )
    report.districts -= {""}
    out.write(b"\n]}\n")


def _parts(feature: Any, service: str) -> tuple[dict[str, Any], dict[str, Any] | None]:  # noqa: ANN401 - as it came
    """The properties and the polygon of what should be a feature."""
    properties = mapping_in(feature, "properties")
    if not properties:
        raise Incomplete(f"{service}: sends something else than areas.", hint="The service has changed.")
    shape = feature.get("geometry")
    is_polygon = isinstance(shape, dict) and shape.get("type") in ("Polygon", "MultiPolygon") and shape.get("coordinates")
    return properties, {"type": shape["type"], "coordinates": shape["coordinates"]} if is_polygon else None


def _system(page: dict[str, Any], shape: dict[str, Any], service: str) -> str:
    """The coordinate system of a page: what it says, and what its numbers must be in: metres were asked for."""
    first = shape["coordinates"]
    while isinstance(first, list) and first and isinstance(first[0], list):
        first = first[0]
    numbers = [value for value in first[:2] if isinstance(value, (int, float))] if isinstance(first, list) else []
    if len(numbers) != 2:
        raise Incomplete(f"{service}: sends a shape without coordinates.", hint="The service has changed.")
    seen = "EPSG:4326" if abs(numbers[0]) <= 180 and abs(numbers[1]) <= 90 else "EPSG:27700"
    said = str(mapping_in(mapping_in(page, "crs"), "properties").get("name") or seen)
    if seen.removeprefix("EPSG:") not in said.upper().replace("CRS84", "4326"):
        raise Incomplete(f"{service}: says that its coordinates are in {said[:80]!r}, and sends {numbers}.")
    return seen


def _head(system: str) -> bytes:
    """GeoJSON is in longitude and latitude unless it says otherwise, as its first issue (2008) let it."""
    name = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::27700"}}
    crs = f'"crs": {json.dumps(name)}, ' if system == "EPSG:27700" else ""
    return f'{{"type": "FeatureCollection", {crs}"features": ['.encode()


def _json(what: dict[str, Any], service: str) -> bytes:
    try:
        return json.dumps(what, ensure_ascii=False, allow_nan=False).encode()
    except ValueError as error:
        raise Incomplete(f"{service}: sends what cannot be written as GeoJSON ({error}).") from error
