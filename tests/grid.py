"""A county of 24 wards in a grid of 6 by 4, in four districts, a quarter of it each: enough for every class of a legend.

Ward number n (from 1, row by row from the south-west) has n incidents of anti-social behaviour and n // 2 burglaries in every
month but one of 2020 and of January and February 2021; August 2020 was not supplied. Ward 24 has 150 residents, too few for a
rate, the others have 1,000 each.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

from loaders.boundaries import load_boundaries
from loaders.incidents import load_incidents
from loaders.population import load_population
from mapping.store import open_engine
from mapping.store.upgrade import init_store
from mapping.vocabulary import to_lonlat

COLUMNS, ROWS = 6, 4
MONTHS = [f"2020-{m:02d}" for m in range(1, 13) if m != 8] + ["2021-01", "2021-02"]
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC).replace(tzinfo=None)
SOURCE = "Grid Constabulary"
DISTRICTS = ("West", "East", "North", "Far North")

_HEAD = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,"
    "Crime type,Last outcome category,Context"
)


def code(number: int) -> str:
    """Code of a ward."""
    return f"E0500{number:04d}"


def ward_name(number: int) -> str:
    """Name of a ward, unless a test gives others."""
    return f"Ward {number}"


def load_grid(url, folder: Path, *, names=ward_name, districts=DISTRICTS, source=SOURCE) -> None:
    """Fill an empty store with the county; `names` gives the name of a ward by its number."""
    engine = open_engine(url, must_exist=False)
    init_store(engine)
    load_boundaries(engine, write_boundaries(folder, names, districts), now=NOW, attribution="Contains OS data.")
    load_population(engine, write_population(folder), boundaries="wd20", year=2020, now=NOW)
    load_incidents(engine, [_month(folder, month, source) for month in MONTHS], now=NOW)
    engine.dispose()


def middle(number: int) -> tuple[float, float]:
    """Longitude and latitude of the middle of a ward."""
    row, column = divmod(number - 1, COLUMNS)
    lon, lat = to_lonlat(530_500 + 1000 * column, 200_500 + 1000 * row)
    return round(float(lon), 6), round(float(lat), 6)


def write_boundaries(folder, names=ward_name, districts=DISTRICTS) -> Path:
    """Write the wards, as GeoJSON."""
    features = []
    for number in range(1, COLUMNS * ROWS + 1):
        row, column = divmod(number - 1, COLUMNS)
        quarter = column // 3 + 2 * (row // 2)
        x, y = 530_000 + 1000 * column, 200_000 + 1000 * row
        lon, lat = to_lonlat([x, x + 1000, x + 1000, x, x], [y, y, y + 1000, y + 1000, y])
        properties = {
            "WD20CD": code(number),
            "WD20NM": names(number),
            "LAD20CD": f"E0700000{quarter + 1}",
            "LAD20NM": districts[quarter],
        }
        shape = {"type": "Polygon", "coordinates": [[[float(a), float(b)] for a, b in zip(lon, lat, strict=True)]]}
        features.append({"type": "Feature", "properties": properties, "geometry": shape})
    path = folder / "wards.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


def write_population(folder) -> Path:
    """Write the residents of each."""
    path = folder / "population.csv"
    lines = [f"{code(n)},{150 if n == 24 else 1000}" for n in range(1, 25)]
    path.write_text("\n".join(["WD20CD,residents", *lines]) + "\n")
    return path


def _month(folder, month, source):
    quoted = '"' + source.replace('"', '""') + '"'
    lines = [_HEAD]
    for number in range(1, 25):
        lon, lat = middle(number)
        where = f"{month},{quoted},,{lon},{lat},On or near,,"
        lines += [f",{where},Anti-social behaviour,,"] * number
        lines += [f"{month}-{number}-{i},{where},Burglary,," for i in range(number // 2)]
    path = folder / f"{month}-grid-street.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
