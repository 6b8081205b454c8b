"""The job as a user would write it by hand: street CSVs and a ward file to counts by ward, month and type, and a map.

by_hand.py STREET.zip|FOLDER WARDS CODE_COLUMN [MAP.html]
"""

import sys
import time
from pathlib import Path
from zipfile import ZipFile

import geopandas as gpd
import pandas as pd


def read_street(path: Path) -> pd.DataFrame:
    """Read every street CSV in a zip or a folder."""
    if path.suffix == ".zip":
        with ZipFile(path) as archive:
            frames = [pd.read_csv(archive.open(name)) for name in archive.namelist() if name.endswith("-street.csv")]
    else:
        frames = [pd.read_csv(file) for file in sorted(path.rglob("*-street.csv"))]
    return pd.concat(frames, ignore_index=True)


def join_and_count(street: pd.DataFrame, wards: gpd.GeoDataFrame, code: str) -> pd.Series:
    """Count incidents by ward, month and crime type."""
    located = street.dropna(subset=["Longitude", "Latitude"])
    points = gpd.GeoDataFrame(located, geometry=gpd.points_from_xy(located["Longitude"], located["Latitude"]), crs="EPSG:4326")
    joined = gpd.sjoin(points, wards[[code, "geometry"]], predicate="within")
    return joined.groupby([code, "Month", "Crime type"]).size()


def draw(counts: pd.Series, wards: gpd.GeoDataFrame, code: str, file: str) -> None:
    """Write a choropleth of the totals."""
    import folium  # noqa: PLC0415 - nobody who only counts pays for it

    totals = counts.groupby(code).sum().rename("incidents").reset_index()
    west, south, east, north = wards.total_bounds
    ward_map = folium.Map(location=[(south + north) / 2, (west + east) / 2], zoom_start=10)
    folium.Choropleth(
        geo_data=wards[[code, "geometry"]],
        data=totals,
        columns=[code, "incidents"],
        key_on=f"feature.properties.{code}",
        fill_color="YlOrRd",
        legend_name="Incidents",
    ).add_to(ward_map)
    ward_map.save(file)


def main(street_path: str, wards_path: str, code: str, map_file: str = "") -> None:
    """Read, join, count, draw."""
    street = read_street(Path(street_path))
    # Wards to longitude and latitude, not a million points to metres: the cheaper way round.
    wards = gpd.read_file(wards_path).to_crs("EPSG:4326")
    started = time.perf_counter()
    counts = join_and_count(street, wards, code)
    seconds = time.perf_counter() - started
    if map_file:
        draw(counts, wards, code, map_file)
    print(f"in_ward={counts.sum()} join_and_group_s={seconds:.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
