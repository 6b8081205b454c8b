"""The files of the demo county, as they would arrive: boundaries, residents, layouts, extracts."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from loaders.demo.chance import Chance, IntArray
from loaders.demo.county import County, draw_county
from loaders.demo.denominators import GIVEN, given_number
from loaders.demo.incidents import imagine
from loaders.demo.names import DISTRICTS
from loaders.demo.shapes import Ring, outline
from loaders.demo.suppliers import CHANGED_MONTH, COUNCIL, POLICE, Supplier, council_rows, police_rows
from loaders.demo.times import EPOCH
from loaders.demo.wards import Ward
from mapping.vocabulary import to_lonlat

__all__ = [
    "SEED",
    "DemoBoundaries",
    "DemoExtract",
    "DemoFiles",
    "DemoGroups",
    "DemoPopulation",
    "boundaries_geojson",
    "write_demo",
]

SEED = 1
GROUPS = {"Towns": ("hub", "centre", "market", "inner", "estate"), "Suburbs": ("suburb",), "Villages": ("village",)}
EFFECTIVE = {"demo21": date(2021, 12, 31), "demo25": date(2025, 12, 31)}


@dataclass(frozen=True)
class DemoBoundaries:
    """A boundary set: GeoJSON in lon/lat, columns by the pattern of ONS (`WD25CD` ...)."""

    name: str
    effective: date
    path: Path


@dataclass(frozen=True)
class DemoPopulation:
    """What rates of the wards of a boundary set are per in a year; columns in the first line of the CSV."""

    boundaries: str
    what: str  # residents, households, workday or premises
    year: int
    path: Path


@dataclass(frozen=True)
class DemoGroups:
    """Which wards of a boundary set are like each other."""

    boundaries: str
    path: Path


@dataclass(frozen=True)
class DemoExtract:
    """What one source sent for one window (both dates included), and the layout that reads it."""

    paths: tuple[Path, ...]
    layout: Path
    window_from: date
    window_to: date


@dataclass(frozen=True)
class DemoFiles:
    """All files of the demo county, in the order to load them."""

    boundaries: tuple[DemoBoundaries, ...]
    populations: tuple[DemoPopulation, ...]
    denominators: tuple[DemoPopulation, ...]
    groups: tuple[DemoGroups, ...]
    breaks: Path
    extracts: tuple[DemoExtract, ...]


def write_demo(folder: Path, *, seed: int = SEED, progress: Callable[[str], None] | None = None) -> DemoFiles:
    """Write the demo county's files into `folder` and list them.

    Parameters
    ----------
    folder
        Is made if missing; files of the same names are overwritten.
    seed
        Of the incidents. The county and the stories planted in it are the same for every seed.
    progress
        Is told in a few words what comes next.
    """
    tell = progress or (lambda _: None)
    folder.mkdir(parents=True, exist_ok=True)
    tell("drawing a county")
    county = draw_county()
    boundaries = tuple(_write_boundaries(folder, county, name) for name in county.sets)
    given = [
        _write_population(folder, county, name, what, year) for name in county.sets for what in GIVEN for year in GIVEN[what]
    ]
    populations = tuple(population for population in given if population.what == "residents")
    denominators = tuple(population for population in given if population.what != "residents")
    tell("imagining seven years of incidents")
    incidents, places = imagine(county, county.sets["demo25"], seed=seed)
    extracts: list[DemoExtract] = []
    for supplier, rows, key in ((POLICE, police_rows, 20), (COUNCIL, council_rows, 21)):
        tell(f"writing what {supplier.source} sends")
        lines, days = rows(incidents, places, chance=Chance(seed, key))
        extracts += _write_extracts(folder, supplier, lines, days)
    groups = tuple(_write_groups(folder, county, name) for name in county.sets)
    return DemoFiles(boundaries, populations, denominators, groups, _write_breaks(folder), tuple(extracts))


def boundaries_geojson(county: County, name: str) -> str:
    """Return the wards of the boundary set `name` as GeoJSON: one feature a line, 6 decimals (about 10 cm)."""
    features = ",\n".join(json.dumps(_feature(county, ward, name[-2:])) for ward in county.sets[name])
    return f'{{"type": "FeatureCollection", "name": "{name}", "features": [\n{features}\n]}}\n'


def _feature(county: County, ward: Ward, year: str) -> dict[str, object]:
    return {
        "type": "Feature",
        "properties": {
            f"WD{year}CD": ward.code,
            f"WD{year}NM": ward.name,
            f"LAD{year}CD": _district_code(ward),
            f"LAD{year}NM": DISTRICTS[ward.district].name,
        },
        "geometry": {"type": "Polygon", "coordinates": [_lonlat(ring) for ring in outline(county.cells, ward.cells)]},
    }


def _lonlat(ring: Ring) -> list[list[float]]:
    lon, lat = to_lonlat(*np.array(ring).T)
    return [[round(x, 6), round(y, 6)] for x, y in zip(lon.tolist(), lat.tolist(), strict=True)]


def _district_code(ward: Ward) -> str:
    return f"X07{ward.district + 1:06d}"


def _write_boundaries(folder: Path, county: County, name: str) -> DemoBoundaries:
    path = folder / f"{name}.geojson"
    path.write_bytes(boundaries_geojson(county, name).encode())
    return DemoBoundaries(name, EFFECTIVE[name], path)


def _write_population(folder: Path, county: County, name: str, what: str, year: int) -> DemoPopulation:
    path = folder / f"{name}_{'population' if what == 'residents' else what}_{year}.csv"
    lines = [f"code,name,district code,district name,{'workday population' if what == 'workday' else what}"]
    for ward in county.sets[name]:
        district = f"{_district_code(ward)},{DISTRICTS[ward.district].name}"
        lines.append(f"{ward.code},{ward.name},{district},{given_number(county, ward, what, year=year)}")
    _write(path, lines, encoding="utf-8")
    return DemoPopulation(name, what, year, path)


def _write_groups(folder: Path, county: County, name: str) -> DemoGroups:
    path = folder / f"{name}_groups.csv"
    group = {kind: title for title, kinds in GROUPS.items() for kind in kinds}
    _write(path, ["code,group", *(f"{ward.code},{group[ward.kind]}" for ward in county.sets[name])], encoding="utf-8")
    return DemoGroups(name, path)


def _write_breaks(folder: Path) -> Path:
    path = folder / "recording_breaks.csv"
    what = "reports come from a new call system since the month that was not sent"
    row = f"{COUNCIL.source},anti-social-behaviour,{CHANGED_MONTH},soft,{what},made up"
    _write(path, ["source,crime_type,month,kind,what,vouched_for_by", row], encoding="utf-8")
    return path


def _write_extracts(folder: Path, supplier: Supplier, lines: list[str], days: IntArray) -> list[DemoExtract]:
    layout = folder / f"{supplier.source}.toml"
    layout.write_bytes(supplier.layout.encode())
    extracts = []
    for first, last in supplier.windows:
        path = folder / f"{supplier.source}_{supplier.stream}_{first:%Y-%m}_{last:%Y-%m}.csv"
        low, high = (np.searchsorted(days, np.datetime64(day) - EPOCH + step) for day, step in ((first, 0), (last, 1)))
        _write(path, [supplier.delimiter.join(supplier.header), *lines[low:high]], encoding=supplier.encoding)
        extracts.append(DemoExtract((path,), layout, first, last))
    return extracts


def _write(path: Path, lines: list[str], *, encoding: str) -> None:
    path.write_bytes("".join(f"{line}\r\n" for line in lines).encode(encoding))
