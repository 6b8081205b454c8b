"""The store: models, engine and transactions, the one geometry type. `mapping.store.upgrade` creates and upgrades it."""

from mapping.store.engine import bulk_insert, open_engine, reading, writing
from mapping.store.ready import check_ready

__all__ = ["bulk_insert", "check_ready", "open_engine", "reading", "writing"]
