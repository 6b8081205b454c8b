"""The job as a user of PostGIS would write it by hand: COPY the street CSVs, join the wards, GROUP BY.

by_hand_postgis.py prepare URL WARDS CODE_COLUMN          the wards: as they are, indexed, and subdivided (not measured)
by_hand_postgis.py plain|indexed|subdivided URL FOLDER    the incidents, stored and counted
"""

import sys
from pathlib import Path

import geopandas as gpd
import psycopg

PREPARE = """
CREATE TABLE wards (code text PRIMARY KEY, geom geometry(MultiPolygon, 27700) NOT NULL);
CREATE TABLE street (
    crime_id text, month text, reported_by text, falls_within text, longitude double precision, latitude double precision,
    location text, lsoa_code text, lsoa_name text, crime_type text, last_outcome_category text, context text,
    geom geometry(Point, 27700)
        GENERATED ALWAYS AS (ST_Transform(ST_SetSRID(ST_MakePoint(longitude, latitude), 4326), 27700)) STORED
);
"""
INDEXES = """
CREATE TABLE indexed_wards AS SELECT * FROM wards;
CREATE INDEX ON indexed_wards USING gist (geom);
CREATE TABLE pieces AS SELECT code, ST_Subdivide(geom, 64) AS geom FROM wards;
CREATE INDEX ON pieces USING gist (geom);
ANALYZE wards;
ANALYZE indexed_wards;
ANALYZE pieces;
"""
COPY = """
COPY street (crime_id, month, reported_by, falls_within, longitude, latitude, location, lsoa_code, lsoa_name, crime_type,
             last_outcome_category, context)
FROM STDIN (FORMAT csv, HEADER)
"""
COUNT = """
CREATE TABLE ward_counts AS
SELECT areas.code, street.month, street.crime_type, count(*) AS incidents
  FROM street JOIN {areas} AS areas ON ST_Contains(areas.geom, street.geom)
 GROUP BY 1, 2, 3
"""
TABLES = {"plain": "wards", "indexed": "indexed_wards", "subdivided": "pieces"}


def prepare(url: str, wards_path: str, code: str) -> None:
    """Make the tables, and load the wards."""
    wards = gpd.read_file(wards_path).to_crs("EPSG:27700")
    with psycopg.connect(url) as connection:
        connection.execute(PREPARE)
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO wards VALUES (%s, ST_Multi(ST_GeomFromWKB(%s, 27700)))",
                zip(wards[code], wards.geometry.to_wkb(), strict=True),
            )
        connection.execute(INDEXES)


def load(url: str, folder: str, *, areas: str) -> None:
    """Store every row with its point, and count."""
    with psycopg.connect(url) as connection:
        for file in sorted(Path(folder).rglob("*-street.csv")):
            with connection.cursor().copy(COPY) as copy:
                copy.write(file.read_bytes())
        connection.execute("ANALYZE street")
        connection.execute(COUNT.format(areas=areas))
        (in_ward,) = connection.execute("SELECT sum(incidents) FROM ward_counts").fetchone()
    print(f"in_ward={in_ward}")


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    if what == "prepare":
        prepare(*arguments)
    else:
        load(*arguments, areas=TABLES[what])
