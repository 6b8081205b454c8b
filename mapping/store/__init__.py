"""The store: models, engine and transactions, the one geometry type, and its upgrades."""

from mapping.store.engine import bulk_insert, open_engine, reading, writing
from mapping.store.upgrade import check_ready, init_store

__all__ = ["bulk_insert", "check_ready", "init_store", "open_engine", "reading", "writing"]
