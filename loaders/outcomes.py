"""Extracts of outcomes go into the store: beside the incidents, counted in no figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from loaders.ledger import next_id
from loaders.shelf import store_issues, store_phrases
from mapping.outcomes import count_outcomes
from mapping.store import bulk_insert
from mapping.store.models import OutcomeRow

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from loaders.entering import Fresh

__all__ = ["report_joined", "store_outcomes"]


def store_outcomes(connection: Connection, fresh: list[Fresh]) -> None:
    """Store the rows of new extracts of outcomes."""
    for extract, done, _ in fresh:
        rows = extract.rows.unify_dictionaries()
        (outcome_ids,) = store_phrases(connection, [rows["outcome"]])
        first = next_id(connection, OutcomeRow)
        stored = {
            "id": np.arange(first, first + rows.num_rows),
            "extract_id": np.full(rows.num_rows, done.extract_id),
            "date": rows["date"],
            "reference": rows["reference"],
            "outcome_id": outcome_ids,
        }
        bulk_insert(connection, OutcomeRow.__table__, pa.table(stored))  # type: ignore[arg-type]
    store_issues(connection, [(done, None) for _, done, _ in fresh])


def report_joined(connection: Connection, fresh: list[Fresh]) -> None:
    """Say in the reports how many of the outcomes belong to a crime that is loaded, those of the same command included."""
    for extract, done, _ in fresh:
        done.joined = count_outcomes(connection, extract.source, extracts=[done.extract_id or 0])["joined"]
