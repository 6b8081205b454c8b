"""The base of all tables."""

from __future__ import annotations

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import Text

__all__ = ["Base"]


class Base(DeclarativeBase):
    """Names every constraint, so that migrations can name them on both engines."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    # Sorted by its bytes whatever the database's language, as in the embedded file: answers list ids and codes in order.
    type_annotation_map = {str: Text().with_variant(Text(collation="C"), "postgresql")}  # noqa: RUF012 - SQLAlchemy's own attribute
