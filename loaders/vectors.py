"""Opening a file of shapes: shapefile (plain or zipped), GeoPackage or GeoJSON, in any coordinate system."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import warnings
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas
import numpy as np
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError

from loaders.coordinates import find_system, metres_of
from loaders.extracts import check_archive
from mapping.errors import DataRefused
from mapping.vocabulary import in_united_kingdom, to_lonlat

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from pyproj import CRS

__all__ = ["VectorFile", "read_vectors"]

_SUFFIXES = (".shp", ".gpkg", ".geojson", ".json")
_PARTS = (".shx", ".dbf")
_COLLECTION = shapely.GeometryType.GEOMETRYCOLLECTION


@dataclass(slots=True)
class VectorFile:
    """The features of a file: text columns, and (multi)polygons in EPSG:27700 metres or None where there is none."""

    name: str
    sha256: str
    columns: dict[str, list[str]]
    shapes: NDArray[np.object_]
    repairs: list[str] = field(default_factory=list)
    outside: list[int] = field(default_factory=list)
    """Positions of the features that lie outside the United Kingdom."""
    beyond: list[int] = field(default_factory=list)
    """Positions of those that lie so far outside that they have no place on the national grid; they have no shape."""


def read_vectors(path: Path, *, crs: str | None) -> VectorFile:
    """Read every feature of a vector file.

    Parameters
    ----------
    crs
        The coordinate system of a file that does not state one.

    Raises
    ------
    DataRefused
        If it is missing, incomplete, damaged, states no coordinate system and none is given, or holds no polygons in the
        United Kingdom.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataRefused(f"{path}: {error.strerror}.", hint="Check the name and that it can be read.") from error
    if not data:
        raise DataRefused(f"{path}: the file is empty.", hint="Fetch it again.")
    with _opened(path, data) as inside:
        frame = _read(inside, str(path))
        if crs and _takes_degrees_for_granted(inside):
            frame = frame.set_crs(None, allow_override=True)
    columns = {str(c): [_text(v) for v in frame[c]] for c in frame.columns if c != frame.geometry.name}
    file = VectorFile(str(path), hashlib.sha256(data).hexdigest(), columns, np.empty(len(frame), dtype=object))
    system = _crs(frame, crs, str(path))
    file.shapes = _to_metres(_polygons(frame.geometry.to_numpy(), file, system), system, file)
    return file


@contextmanager
def _opened(path: Path, data: bytes) -> Iterator[Path]:
    """The one vector file of a path: itself, or the one in a zip archive, unpacked beside nothing of the user's."""
    suffix = path.suffix.lower()
    if suffix == ".zip":
        with tempfile.TemporaryDirectory(prefix="wardwatch-") as folder:
            _unpack(path, Path(folder))
            yield _find_one(Path(folder), str(path))
        return
    if suffix not in _SUFFIXES:
        raise DataRefused(f"{path}: is no file of boundaries that can be read.", hint=f"Give a .zip, {', '.join(_SUFFIXES)}.")
    _refuse_mislabelled(path, data, str(path))
    yield path


def _refuse_mislabelled(path: Path, data: bytes, name: str) -> None:
    suffix = path.suffix.lower()
    is_right = {
        ".shp": data[:4] == b"\x00\x00\x27\x0a",
        ".gpkg": data.startswith(b"SQLite format 3\0"),
    }.get(suffix, data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{")
    if not is_right:
        raise DataRefused(f"{name}: is not what its name says.", hint="Fetch it again, or give it its right name.")


def _unpack(path: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            check_archive(archive, str(path))
            archive.extractall(folder)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise DataRefused(f"{path}: the zip archive is damaged or cut short ({error}).", hint="Fetch it again.") from error


def _find_one(folder: Path, name: str) -> Path:
    files = [p for p in sorted(folder.rglob("*")) if p.suffix.lower() in _SUFFIXES and "__MACOSX" not in p.parts]
    if len(files) != 1:
        held = ", ".join(str(p.relative_to(folder)) for p in (files or sorted(folder.rglob("*")))[:8]) or "nothing"
        what = f"holds {len(files)} files of boundaries" if files else f"holds no {', '.join(_SUFFIXES)} file"
        raise DataRefused(f"{name}: {what}: {held}.", hint="Unpack it and give the one you mean.")
    _refuse_mislabelled(files[0], files[0].read_bytes()[:64], f"{name}: {files[0].relative_to(folder)}")
    return files[0]


def _read(path: Path, name: str) -> geopandas.GeoDataFrame:
    encoding = None
    if path.suffix.lower() == ".shp":
        beside = {p.suffix.lower() for p in path.parent.iterdir() if p.stem.lower() == path.stem.lower()}
        missing = [part for part in _PARTS if part not in beside]
        if missing:
            raise DataRefused(
                f"{name}: the shapefile lacks its {' and '.join(missing)} part.",
                hint="Keep .shp, .shx, .dbf and .prj together.",
            )
        _refuse_cut(path, name)
        encoding = None if ".cpg" in beside else _dbf_encoding(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # GDAL's remarks on ring order and column widths
            layers = pyogrio.list_layers(path)
            polygonal = [layer for layer, kind in layers if kind and "Polygon" in kind] or [layers[0][0]]
            if len(polygonal) > 1:
                raise DataRefused(
                    f"{name}: holds several layers of polygons: {', '.join(polygonal)}.",
                    hint="Export the one you mean to a file of its own.",
                )
            frame = pyogrio.read_dataframe(path, layer=polygonal[0], encoding=encoding)
    except (
        DataSourceError,
        DataLayerError,
        FeatureError,
        UnicodeDecodeError,
        shapely.errors.ShapelyError,
        IndexError,
    ) as error:
        said = (str(error).splitlines() or [type(error).__name__])[0].replace(f"{path.parent}{os.sep}", "")
        raise DataRefused(f"{name}: cannot be read: {said}.", hint="Fetch or export it again.") from error
    if not isinstance(frame, geopandas.GeoDataFrame) or not len(frame):
        raise DataRefused(f"{name}: holds no polygons.", hint="Is it the file of boundaries?")
    return frame


def _refuse_cut(path: Path, name: str) -> None:
    """The parts of a shapefile say how long they are; GDAL would read the rest of a cut one as features without a shape."""
    for part in (p for p in path.parent.iterdir() if p.stem.lower() == path.stem.lower()):
        with part.open("rb") as file:
            head, size = file.read(32), part.stat().st_size
        if part.suffix.lower() in (".shp", ".shx"):
            stated = 2 * int.from_bytes(head[24:28], "big")
        elif part.suffix.lower() == ".dbf":
            rows, start, width = (int.from_bytes(head[a:b], "little") for a, b in ((4, 8), (8, 10), (10, 12)))
            stated = start + rows * width
        else:
            continue
        if size < max(stated, 32):
            raise DataRefused(
                f"{name}: its {part.suffix} part is cut short: {size:,} of {stated:,} bytes.", hint="Fetch it again."
            )


def _takes_degrees_for_granted(path: Path) -> bool:
    """Whether a file is GeoJSON that names no coordinate system, so that GDAL takes it for longitude and latitude."""
    return path.suffix.lower() in (".geojson", ".json") and b'"crs"' not in path.read_bytes()


def _dbf_encoding(path: Path) -> str:
    """Without a .cpg: UTF-8 if the table's bytes are, else cp1252."""
    table = next(p for p in path.parent.iterdir() if p.stem.lower() == path.stem.lower() and p.suffix.lower() == ".dbf")
    data = table.read_bytes()
    start = int.from_bytes(data[8:10], "little")
    try:
        data[start:].decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _text(value: Any) -> str:  # noqa: ANN401 - whatever a column holds
    if value is None or value != value:  # noqa: PLR0124 - NaN is the only value that differs from itself
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return re.sub(r"\s+", " ", str(value)).strip()


def _polygons(geometries: NDArray[np.object_], file: VectorFile, crs: CRS) -> NDArray[np.object_]:
    """Valid polygons only: rings are repaired and reported, whatever is no polygon becomes None."""
    geometries = shapely.force_2d(geometries)
    for i in np.flatnonzero(shapely.get_type_id(geometries) == _COLLECTION):
        geometries[i] = _polygons_of_collection(geometries[i], int(i), file)
    in_metres = crs.is_projected and all(axis.unit_conversion_factor == 1 for axis in crs.axis_info[:2])
    invalid = ~shapely.is_valid(geometries) & ~shapely.is_missing(geometries)
    for i in np.flatnonzero(invalid):
        before = geometries[i].area
        why = shapely.is_valid_reason(geometries[i])
        geometries[i] = shapely.make_valid(geometries[i], method="structure", keep_collapsed=False)
        changed = f" (its area changed by {geometries[i].area - before:,.6g} m²)" if in_metres else ""
        file.repairs.append(f"Feature {i + 1}: {why}: repaired{changed}.")
    polygonal = np.isin(shapely.get_type_id(geometries), (3, 6)) & ~shapely.is_empty(geometries)
    if not polygonal.any():
        raise DataRefused(f"{file.name}: holds no polygons.", hint="Is it the file of boundaries?")
    geometries[~polygonal] = None
    return geometries


def _polygons_of_collection(collection: Any, at: int, file: VectorFile) -> Any:  # noqa: ANN401 - shapely geometries
    parts = [collection]
    while any(shapely.get_type_id(part) == _COLLECTION for part in parts):
        parts = [inner for part in parts for inner in shapely.get_parts(part)]
    parts = list(shapely.get_parts(parts))
    polygons = [part for part in parts if isinstance(part, shapely.Polygon) and not part.is_empty]
    if not polygons:
        return None
    others = f", {len(parts) - len(polygons)} other shapes left out" if len(parts) > len(polygons) else ""
    file.repairs.append(f"Feature {at + 1}: is a GeometryCollection: its polygons ({len(polygons)}) were taken{others}.")
    return shapely.MultiPolygon(polygons)


def _crs(frame: geopandas.GeoDataFrame, given: str | None, name: str) -> CRS:
    stated = frame.crs and find_system(frame.crs)
    if stated:
        return stated
    if not given:
        why = "(a .prj file is missing)" if frame.crs is None else f"but '{frame.crs.name}', which places nothing on Earth"
        raise DataRefused(
            f"{name}: does not say its coordinate system {why}.",
            hint="Give it with --crs: EPSG:27700 for national grid metres, EPSG:4326 for longitude and latitude.",
        )
    found = find_system(given)
    if found is None:
        raise DataRefused(f"'{given}' is not a coordinate system.", hint="Write for example EPSG:27700.")
    return found


def _to_metres(shapes: NDArray[np.object_], crs: CRS, file: VectorFile) -> NDArray[np.object_]:
    """Shapes in EPSG:27700; features outside the United Kingdom are noted, those that have no place there become None."""
    there = ~shapely.is_missing(shapes)
    coordinates, of = shapely.get_coordinates(shapes[there], return_index=True)
    east, north = metres_of(coordinates[:, 0], coordinates[:, 1], crs=crs.to_wkt())
    finite = np.isfinite(east) & np.isfinite(north)
    lon, lat = to_lonlat(np.where(finite, east, 0), np.where(finite, north, 0))
    finite &= np.isfinite(lon) & np.isfinite(lat)
    inside = finite & in_united_kingdom(lon, lat)
    if inside.mean() < 0.5:
        raise DataRefused(
            f"{file.name}: most of it lies outside the United Kingdom when read as {crs.name}.",
            hint="Are x and y swapped, or is it in another coordinate system? --crs gives that of a GeoJSON.",
        )
    positions = np.flatnonzero(there)
    corners = np.bincount(of, minlength=len(positions))
    file.outside = positions[np.bincount(of, weights=inside, minlength=len(positions)) < corners / 2].tolist()
    file.beyond = positions[np.bincount(of, weights=finite, minlength=len(positions)) < corners].tolist()
    result = shapes.copy()
    metres = np.where(finite[:, None], np.column_stack([east, north]), 0)
    result[there] = shapely.set_coordinates(shapes[there].copy(), metres)
    result[file.beyond] = None
    return result
