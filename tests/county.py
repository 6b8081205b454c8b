"""A county of four wards, small enough to count by hand: two districts, two months, an open and a protected source.

The wards are squares of 1 km. Incidents of the police by ward, month and type:

    E05000001 Alder     2020-01  3 anti-social-behaviour, 2 burglary
    E05000002 Birch     2020-01  1 anti-social-behaviour     2020-03  1 burglary
    E05000003 (hostile)                                      2020-03  2 drugs
    E05000004 Dale      none

and in 2020-01 one ASB without coordinates and one outside every ward. February was not supplied. A fire service, protected,
sends five call-outs in Dale in January, of a type of its own.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from flask.testing import FlaskClient

from app import create_app
from loaders.boundaries import load_boundaries
from loaders.incidents import Window, load_incidents
from loaders.population import load_population
from mapping.settings import Settings
from mapping.store import open_engine
from mapping.store.upgrade import init_store
from mapping.vocabulary import to_lonlat

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC).replace(tzinfo=None)
HOSTILE = '=Cedar, "Old" <img src=x onerror=alert(1)></script>`${1}\\\''
WARDS = {"E05000001": "Alder", "E05000002": "Birch", "E05000003": HOSTILE, "E05000004": "Dale"}
DISTRICTS = {"E07000001": "West", "E07000002": "<b>East</b>"}
RESIDENTS = {"E05000001": 1000, "E05000002": 2000, "E05000003": 100, "E05000004": 4000}
SECRETS = ("hidden-fire", "callouts", "secret-fire", "Secret fire", "SECRETREF", "777777", "Hidden attribution")
"""Words of the protected source: none may be had from a public server."""

_POLICE = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Crime type,"
    "Last outcome category,Context"
)
_CORNERS = {"E05000001": (530, 201), "E05000002": (531, 201), "E05000003": (530, 200), "E05000004": (531, 200)}
_ASB, _BURGLARY, _DRUGS = "Anti-social behaviour", "Burglary", "Drugs"
_LAYOUT = """
name = "hidden-fire"
source = "hidden-fire-service"
access = "protected"
stream = "callouts"
crs = "EPSG:27700"
attribution = "Hidden attribution"
[columns]
reference = "Ref"
date = "When"
x = "East"
y = "North"
crime_type = "What"
[dates]
format = "%Y-%m-%d"
[crime_types]
"Fire" = "secret-fire"
[[types]]
id = "secret-fire"
name = "Secret fire"
group = "other"
"""


def load_county(url: str, folder: Path, *, protected: bool = True) -> None:
    """Fill an empty store with the county, its files being written to a folder."""
    engine = open_engine(url, must_exist=False)
    init_store(engine)
    load_boundaries(engine, _boundaries(folder), now=NOW, attribution="Contains Ordnance Survey data © Crown copyright.")
    load_population(engine, _population(folder), boundaries="wd20", year=2020, now=NOW)
    load_incidents(engine, _police(folder), now=NOW)
    engine.dispose()
    if protected:
        load_fire_service(url, folder)


def load_fire_service(url: str, folder: Path) -> None:
    """Add the protected source."""
    engine = open_engine(url)
    layout, extract = _fire(folder)
    january = Window(date(2020, 1, 1), date(2020, 1, 31))
    load_incidents(engine, [extract], now=NOW, layout=str(layout), window=january)
    engine.dispose()


def settings(url: str, **given: object) -> Settings:
    """Settings for a store, whatever the environment says."""
    return Settings(**{"database_url": url, "audience": "public", "title": "wardwatch", "tiles_url": "", "now": NOW} | given)


@contextmanager
def visitor(url: str, **given: object) -> Iterator[FlaskClient]:
    """Give a visitor of a server on that store, of the public unless `audience="internal"`."""
    app = create_app(settings(url, **given))
    yield app.test_client()
    app.extensions["wardwatch"].close()


def _boundaries(folder: Path) -> Path:
    features = []
    for code, (x, y) in _CORNERS.items():
        ring = [(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1), (x, y)]
        lon, lat = to_lonlat([1000 * px for px, _ in ring], [1000 * py for _, py in ring])
        district = "E07000001" if x == 530 else "E07000002"
        features.append(
            {
                "type": "Feature",
                "properties": {"WD20CD": code, "WD20NM": WARDS[code], "LAD20CD": district, "LAD20NM": DISTRICTS[district]},
                "geometry": {"type": "Polygon", "coordinates": [list(map(list, zip(lon, lat, strict=True)))]},
            }
        )
    path = folder / "wards.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def _population(folder: Path) -> Path:
    path = folder / "population.csv"
    path.write_text("WD20CD,residents\n" + "".join(f"{code},{n}\n" for code, n in RESIDENTS.items()))
    return path


def _police(folder: Path) -> list[Path]:
    rows = {
        "2020-01": 3 * [("E05000001", _ASB)]
        + 2 * [("E05000001", _BURGLARY)]
        + [("E05000002", _ASB), ("", _ASB), ("far", _ASB)],
        "2020-03": [("E05000002", _BURGLARY)] + 2 * [("E05000003", _DRUGS)],
    }
    written = []
    for month, incidents in rows.items():
        lines = [_POLICE]
        for number, (where, crime_type) in enumerate(incidents):
            reference = "" if crime_type == _ASB else f"{number:064x}"
            lines.append(f"{reference},{month},Test Constabulary,,{_point(where)},On or near,,,{crime_type},,")
        path = folder / f"{month}-test-street.csv"
        path.write_text("\n".join(lines) + "\n")
        written.append(path)
    return written


def _point(where: str) -> str:
    if not where:
        return ","
    x, y = _CORNERS.get(where, (550, 210))
    lon, lat = to_lonlat(1000 * x + 500, 1000 * y + 500)
    return f"{float(lon):.6f},{float(lat):.6f}"


def _fire(folder: Path) -> tuple[Path, Path]:
    layout = folder / "hidden-fire.toml"
    layout.write_text(_LAYOUT)
    extract = folder / "hidden-fire-january.csv"
    rows = [f"SECRETREF{day},2020-01-0{day},531500,200500,Fire" for day in range(1, 6)]
    extract.write_text("\n".join(["Ref,When,East,North,What", *rows, "SECRETREF6,2020-01-06,777777,77777777,Fire"]) + "\n")
    return layout, extract
