"""load_boundaries: any vector file -> one boundary set, repaired and simplified once, with every place put in its wards."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import shapely
from sqlalchemy import delete, func, insert, select, update

from loaders.ledger import supplied_months
from loaders.lookups import keep_lookups
from loaders.progress import Progress, untold
from loaders.shapes import check_coverage, display_shapes
from loaders.vectors import VectorFile, read_vectors
from mapping.area_counts import recount_areas
from mapping.counts import recount
from mapping.errors import DataRefused
from mapping.places import replace_all_places
from mapping.store import bulk_insert, check_ready, writing
from mapping.store.models import (
    BoundarySet,
    BoundaryShapes,
    Denominator,
    DenominatorFile,
    District,
    Place,
    PlaceWard,
    Ward,
    WardGroup,
    WardGroupFile,
)
from mapping.store.stamp import stamp
from mapping.vocabulary import slug

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from numpy.typing import NDArray
    from sqlalchemy import Connection, Engine

__all__ = ["BoundariesReport", "load_boundaries"]

_CODE_PREFIXES = {"ward": "WD", "lsoa": "LSOA", "msoa": "MSOA", "district": "LAD"}
"""ONS's column names by kind: `WD20CD` and `WD20NM`, `LSOA21CD` and `LSOA21NM`."""

_LONGEST_NAME = 300

_DISTRICT = re.compile(r"^LAD(\d\d)?(CD(_ACTIVE)?|NM)$", re.IGNORECASE)


@dataclass(slots=True)
class BoundariesReport:
    """What became of a boundary file."""

    name: str
    wards: int
    districts: int
    places_in_ward: int
    places: int
    notes: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The report as it is printed."""
        districts = f" in {self.districts} districts" if self.districts else ""
        written = [f"Boundary set {self.name}: {self.wards:,} areas{districts}."]
        if self.places:
            written.append(f"{self.places_in_ward:,} of {self.places:,} places are in one of them.")
        return written + self.notes


@dataclass(frozen=True, slots=True)
class _Areas:
    codes: list[str]
    names: list[str]
    district_codes: list[str]
    district_names: dict[str, str]
    shapes: NDArray[np.object_]


def load_boundaries(
    engine: Engine,
    path: Path,
    *,
    now: datetime,
    name: str | None = None,
    kind: str = "ward",
    effective: date | None = None,
    code_column: str | None = None,
    name_column: str | None = None,
    district_column: str | None = None,
    crs: str | None = None,
    attribution: str | None = None,
    replace: bool = False,
    progress: Progress = untold,
) -> BoundariesReport:
    """Load one boundary set and count every incident on it.

    Parameters
    ----------
    name
        Of the set; else made of the code column (`WD20CD` -> `wd20`).
    kind
        `ward`, `beat`, `lsoa`, `district` ...: what its areas are.
    effective
        The day it came into force; else 31 December of the code column's year.
    code_column, name_column, district_column
        Where ONS's names are not used.
    crs
        The coordinate system of a file that does not state one, e.g. `EPSG:27700`.
    replace
        Allow a set of that name to be replaced; its population is kept where the codes are the same.

    Raises
    ------
    DataRefused
        If the file cannot become a boundary set; nothing is stored.
    """
    check_ready(engine)
    progress("reading", 0)
    file = read_vectors(path, crs=crs)
    progress("reading", 1)
    code, found_name, found_effective = _code_column(file, kind, code_column, name)
    set_name = name or found_name
    if set_name != slug(set_name) or not set_name:
        raise DataRefused(f"'{set_name}' is not the name of a set.", hint=f"Write it as '{slug(set_name) or 'wards'}'.")
    report = BoundariesReport(set_name, 0, 0, 0, 0)
    areas = _areas(file, code, _name_column(file, code, name_column), district_column, report)
    report.notes += check_coverage(areas.shapes)
    progress("simplifying", 0)
    shapes = display_shapes(areas.shapes, codes=areas.codes, names=areas.names, district_codes=areas.district_codes)
    progress("simplifying", 1)
    entry: dict[str, object] = {
        "name": set_name,
        "kind": slug(kind),
        "effective": effective or found_effective,
        "attribution": attribution or _default_attribution(code),
        "file_name": str(path),
        "sha256": file.sha256,
        "loaded_at": now,
    }
    with writing(engine) as connection:
        set_id = _enter_set(connection, entry, areas, replace=replace, report=report)
        for tolerance, geojson in shapes.items():
            digest = hashlib.sha256(geojson).hexdigest()
            values = {"boundary_set_id": set_id, "tolerance_m": tolerance, "sha256": digest, "geojson": geojson}
            connection.execute(insert(BoundaryShapes).values(values))
        progress("placing", 0)
        replace_all_places(connection, set_id)
        progress("placing", 1)
        recount(
            connection,
            set_ids=[set_id],
            months=supplied_months(connection),
            progress=lambda share: progress("counting", share),
        )
        recount_areas(connection)
        report.places, report.places_in_ward = _placed(connection, set_id)
        stamp(connection)
    return report


def _code_column(file: VectorFile, kind: str, given: str | None, name: str | None) -> tuple[str, str, date | None]:
    """The column of codes, and the set's name and date that it tells."""
    columns = list(file.columns)
    if given:
        if given not in columns:
            raise DataRefused(f"{file.name}: has no column '{given}'.", hint=f"Its columns: {', '.join(columns)}.")
        chosen = given
    else:
        prefix = _CODE_PREFIXES.get(slug(kind), "")
        fitting = [c for c in columns if prefix and re.fullmatch(rf"{prefix}\d\dCD", c, re.IGNORECASE)]
        if len(fitting) != 1:
            what = (
                f"several columns of codes: {', '.join(fitting)}" if fitting else "no column of codes named as ONS names them"
            )
            raise DataRefused(
                f"{file.name}: has {what}.",
                hint="Say which with --code-column (and --name-column), and give the set a --name. "
                f"Its columns: {', '.join(columns)}.",
            )
        chosen = fitting[0]
    told = re.fullmatch(r"([A-Z]+)(\d\d)CD", chosen, re.IGNORECASE)
    if told:
        return chosen, f"{told[1]}{told[2]}".lower(), date(2000 + int(told[2]), 12, 31)
    if not name:
        raise DataRefused(
            f"{file.name}: the column '{chosen}' does not tell the vintage.",
            hint="Give the set a name with --name, e.g. --name beats24.",
        )
    return chosen, name, None


def _name_column(file: VectorFile, code: str, given: str | None) -> str:
    if given:
        if given not in file.columns:
            raise DataRefused(f"{file.name}: has no column '{given}'.", hint=f"Its columns: {', '.join(file.columns)}.")
        return given
    beside = re.sub("CD$", "NM", code, flags=re.IGNORECASE)
    matching = [c for c in file.columns if c.upper() == beside.upper() and c != code]
    return matching[0] if matching else code


def _areas(file: VectorFile, code: str, name: str, district: str | None, report: BoundariesReport) -> _Areas:
    """Features to areas, ordered by code: null codes are left out, parts of one code joined, invalid rings repaired."""
    if district and district not in file.columns:
        raise DataRefused(f"{file.name}: has no column '{district}'.", hint=f"Its columns: {', '.join(file.columns)}.")
    district_code, district_name = _district_columns(file, district)
    _refuse_unwritable(file, [code, name, district_code, district_name])
    outside, beyond = set(file.outside), set(file.beyond)
    parts: dict[str, list[int]] = {}
    for i, value in enumerate(file.columns[code]):
        if not value:
            report.notes.append(f"Feature {i + 1} ({file.columns[name][i] or 'no name'}) has no code in '{code}': left out.")
        elif i in beyond:
            report.notes.append(f"Feature {i + 1} ({value}) lies outside the United Kingdom, too far to be placed: left out.")
        elif file.shapes[i] is None:
            report.notes.append(f"Feature {i + 1} ({value}) has no polygon: left out.")
        else:
            if i in outside:
                report.notes.append(f"Feature {i + 1} ({value}) lies outside the United Kingdom.")
            parts.setdefault(value, []).append(i)
    if not parts:
        raise DataRefused(
            f"{file.name}: no feature has both a code in '{code}' and a polygon.", hint="Is it the right file, or column?"
        )
    _report_repeats(file, parts, name, report)
    report.notes += file.repairs
    codes = sorted(parts)
    firsts = [parts[c][0] for c in codes]
    joined = [shapely.union_all(file.shapes[parts[c]]) if len(parts[c]) > 1 else file.shapes[parts[c][0]] for c in codes]
    shapes = np.empty(len(codes), dtype=object)
    shapes[:] = [shapely.MultiPolygon(list(shapely.get_parts(shape))) for shape in joined]
    district_codes = [file.columns[district_code][i] if district_code else "" for i in firsts]
    names = (
        {file.columns[district_code][i]: file.columns[district_name][i] for i in firsts}
        if district_code and district_name
        else {}
    )
    report.wards, report.districts = len(codes), len(set(district_codes) - {""})
    return _Areas(
        codes,
        [file.columns[name][i] or codes[k] for k, i in enumerate(firsts)],
        district_codes,
        {c: n for c, n in names.items() if c and n},
        shapes,
    )


def _refuse_unwritable(file: VectorFile, columns: list[str]) -> None:
    """No page could show such a code or name, and no database need hold it."""
    for column in dict.fromkeys(c for c in columns if c):
        for i, value in enumerate(file.columns[column]):
            long, control = len(value) > _LONGEST_NAME, any(unicodedata.category(c) in ("Cc", "Cs") for c in value)
            if long or control:
                what = f"is {len(value):,} characters long, over {_LONGEST_NAME}" if long else "holds a control character"
                raise DataRefused(
                    f"{file.name}: feature {i + 1}: its '{column}' {what}: {value[:40]!a}.",
                    hint="Correct the file, or name other columns with --code-column, --name-column and --district-column.",
                )


def _report_repeats(file: VectorFile, parts: dict[str, list[int]], name: str, report: BoundariesReport) -> None:
    for code, indices in parts.items():
        if len(indices) > 1:
            names = {file.columns[name][i] for i in indices}
            where = ", ".join(str(i + 1) for i in indices)
            if len(names) > 1:
                raise DataRefused(
                    f"{file.name}: the code {code} stands for different names in features {where}: {', '.join(sorted(names))}.",
                    hint="Correct the file: a code must stand for one ward.",
                )
            report.notes.append(f"The code {code} stands in features {where}: joined into one.")


def _district_columns(file: VectorFile, given: str | None) -> tuple[str, str]:
    if given:
        beside = re.sub("CD$", "NM", given, flags=re.IGNORECASE)
        return given, beside if beside != given and beside in file.columns else ""
    fitting = [c for c in file.columns if _DISTRICT.match(c)]
    codes = [c for c in fitting if not c.upper().endswith("NM")]
    names = [c for c in fitting if c.upper().endswith("NM")]
    return (codes or [""])[0], (names or [""])[0]


def _default_attribution(code: str) -> str:
    if not re.fullmatch(r"(WD|LAD|LSOA|MSOA)\d\dCD", code, re.IGNORECASE):
        return ""
    return (
        "Source: Office for National Statistics licensed under the Open Government Licence v3.0. "
        "Contains OS data © Crown copyright and database right."
    )


def _enter_set(
    connection: Connection, entry: dict[str, object], areas: _Areas, *, replace: bool, report: BoundariesReport
) -> int:
    known = connection.execute(select(BoundarySet).where(BoundarySet.name == entry["name"])).first()
    if known and not replace:
        raise DataRefused(
            f"A boundary set {entry['name']} is loaded already (from {known.file_name}).",
            hint="Give this one another --name, or --replace the old one.",
        )
    if known:
        set_id = int(known.id)
        _keep_population(connection, set_id, areas, report)
        report.notes += keep_lookups(connection, known.id, areas.codes)
        for model in (BoundaryShapes, District, Ward):
            connection.execute(delete(model).where(model.boundary_set_id == set_id))
        connection.execute(update(BoundarySet).where(BoundarySet.id == set_id).values(**entry))
    else:
        set_id = (connection.scalar(select(func.max(BoundarySet.id))) or 0) + 1
        connection.execute(insert(BoundarySet).values(id=set_id, **entry))
    first = (connection.scalar(select(func.max(Ward.id))) or 0) + 1
    wards = {
        "id": np.arange(first, first + len(areas.codes)),
        "boundary_set_id": np.full(len(areas.codes), set_id),
        "code": areas.codes,
        "name": areas.names,
        "district_code": areas.district_codes,
        "area_km2": shapely.area(areas.shapes) / 1e6,
        "geom": shapely.to_wkb(areas.shapes),
    }
    bulk_insert(connection, Ward.__table__, pa.table(wards))  # type: ignore[arg-type]
    if areas.district_names:
        rows = [{"boundary_set_id": set_id, "code": c, "name": n} for c, n in sorted(areas.district_names.items())]
        connection.execute(insert(District), rows)
    return set_id


def _keep_population(connection: Connection, set_id: int, areas: _Areas, report: BoundariesReport) -> None:
    """A set that is loaded again keeps population, the names of districts from it, and groups, if its codes are the same."""
    had = set(connection.scalars(select(Denominator.ward_code).where(Denominator.boundary_set_id == set_id)))
    if had and had != set(areas.codes):
        for model in (Denominator, DenominatorFile):
            connection.execute(delete(model).where(model.boundary_set_id == set_id))
        report.notes.append("Its codes are not those it had: its population was taken out. Load it again.")
    elif had:
        for row in connection.execute(select(District.code, District.name).where(District.boundary_set_id == set_id)):
            if row.code in areas.district_codes:
                areas.district_names.setdefault(row.code, row.name)
    grouped = set(connection.scalars(select(WardGroup.ward_code).where(WardGroup.boundary_set_id == set_id)))
    if not grouped <= set(areas.codes):
        for groups in (WardGroup, WardGroupFile):
            connection.execute(delete(groups).where(groups.boundary_set_id == set_id))
        report.notes.append("Its codes are not those it had: the groups of its wards were taken out. Load them again.")


def _placed(connection: Connection, set_id: int) -> tuple[int, int]:
    places = connection.scalar(select(func.count()).select_from(Place)) or 0
    inside = connection.scalar(select(func.count()).select_from(PlaceWard).where(PlaceWard.boundary_set_id == set_id)) or 0
    return places, inside
