"""The one geometry type: PostGIS `geometry` there, WKB in the embedded file, shapely in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import shapely
from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import LargeBinary
from sqlalchemy.types import TypeDecorator

from mapping.vocabulary import METRES

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry
    from sqlalchemy.engine.interfaces import Dialect
    from sqlalchemy.types import TypeEngine

__all__ = ["MetresGeometry"]


class MetresGeometry(TypeDecorator["BaseGeometry"]):
    """A shapely geometry in EPSG:27700 metres.

    A shape that carries another SRID is refused before it is bound, because PostGIS silently stamps the column's SRID on
    whatever has none. Shapes are fetched whole; every spatial decision is made with shapely, on either engine.
    """

    impl = Geometry
    cache_ok = True

    def __init__(self, kind: Literal["POINT", "MULTIPOLYGON"]) -> None:
        super().__init__(kind, srid=METRES, spatial_index=False)
        self.kind = kind

    def load_dialect_impl(self, dialect: Dialect | None) -> TypeEngine[Any]:
        """GeoAlchemy2's type, except where there is no PostGIS (SQLAlchemy also calls this without a dialect)."""
        if dialect is not None and dialect.name == "sqlite":
            return dialect.type_descriptor(LargeBinary())
        return super().load_dialect_impl(dialect)  # type: ignore[arg-type]

    def process_bind_param(self, value: BaseGeometry | None, dialect: Dialect) -> Any:  # noqa: ANN401 - the driver's type
        """Check the SRID, then write WKB (embedded) or EWKB (PostGIS)."""
        if value is None:
            return None
        srid = shapely.get_srid(value)
        if srid not in (0, METRES):
            message = f"a shape in EPSG:{srid} cannot be stored in a column of EPSG:{METRES}"
            raise ValueError(message)
        if dialect.name == "sqlite":
            return shapely.to_wkb(value)
        return WKBElement(shapely.to_wkb(shapely.set_srid(value, METRES), include_srid=True), extended=True)

    def process_result_value(self, value: Any, dialect: Dialect) -> BaseGeometry | None:  # noqa: ANN401
        """Read either form back as shapely."""
        if value is None:
            return None
        return shapely.from_wkb(bytes(value) if dialect.name == "sqlite" else bytes(value.data))
