"""What is measured: the sample where it is there, else the demo county in the same form; and a million rows of it."""

import csv
import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from loaders.demo import write_demo
from loaders.demo.suppliers import POLICE
from mapping.vocabulary import BUILT_IN_CRIME_TYPES, to_lonlat

CLONE = Path(__file__).parent.parent.parent
SAMPLE = Path(os.environ.get("WARDWATCH_SAMPLE") or CLONE.parent / "shared/data")
HEADER = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Crime type,"
    "Last outcome category,Context"
)


@dataclass(frozen=True)
class Wards:
    """A ward file and its column of codes."""

    path: Path
    code: str


@dataclass(frozen=True)
class Materials:
    """Street CSVs in a zip, and two vintages of wards."""

    street: Path
    wards: Wards
    other_wards: Wards


def find_materials(folder: Path) -> Materials:
    """Return the sample's files, or write the demo county's into `folder`."""
    wards = SAMPLE / "wards"
    found = Materials(
        SAMPLE / "police/hertfordshire_2021_street.zip",
        Wards(wards / "WD20_hertfordshire_shapefile.zip", "WD20CD"),
        Wards(wards / "WD22_hertfordshire_shapefile.zip", "WD22CD"),
    )
    files = (found.street, found.wards.path, found.other_wards.path)
    return found if all(file.is_file() for file in files) else _demo(folder)


def _demo(folder: Path) -> Materials:
    """Write the incidents of the demo county's police as police.uk would publish them."""
    demo = write_demo(folder / "demo")
    names = {t.id: t.name for t in BUILT_IN_CRIME_TYPES}
    name_of = {word: names[kind] for kind, words in POLICE.words.items() for word, _ in words}
    months = defaultdict(list)
    for extract in demo.extracts:
        if extract.layout.stem == POLICE.source:
            with extract.paths[0].open(encoding=POLICE.encoding, newline="") as file:
                for row in csv.DictReader(file):
                    _, month, year = row["Recorded Date"].split("/")
                    months[f"{year}-{month}"].append(_street_line(row, f"{year}-{month}", name_of[row["Offence"]]))
    street = folder / "demo_street.zip"
    with ZipFile(street, "w", ZIP_DEFLATED) as archive:
        for month, lines in sorted(months.items()):
            archive.writestr(f"{month}/{month}-demo-street.csv", "\n".join([HEADER, *lines, ""]))
    older, newer = (Wards(s.path, f"WD{s.name[-2:]}CD") for s in demo.boundaries)
    return Materials(street, newer, older)


def _street_line(row: dict[str, str], month: str, crime_type: str) -> str:
    reference = "" if crime_type == "Anti-social behaviour" else row["Crime No"]
    lon = lat = ""
    if row["Easting"] not in ("", "0"):
        lon, lat = (f"{float(degrees):.6f}" for degrees in to_lonlat(float(row["Easting"]), float(row["Northing"])))
    return f"{reference},{month},Demo Police,Demo Police,{lon},{lat},{row['Location']},,,{crime_type},,"


def repeat(street: Path, folder: Path, *, rows: int) -> int:
    """Write the files of a zip again and again, each time for earlier years, until there are so many rows.

    Returns
    -------
    int
        How many rows there are.
    """
    with ZipFile(street) as archive:
        files = [(name, archive.read(name)) for name in archive.namelist() if name.endswith("-street.csv")]
    years = {int(Path(name).name[:4]) for name, _ in files}
    written = earlier = 0
    while written < rows:
        for name, content in files:
            month = Path(name).name[:7]
            other = f"{int(month[:4]) - earlier}{month[4:]}"
            file = folder / other / Path(name).name.replace(month, other)
            file.parent.mkdir(parents=True)
            file.write_bytes(content.replace(f",{month},".encode(), f",{other},".encode()))
            written += content.count(b"\n") - 1
        earlier += max(years) - min(years) + 1
    return written
