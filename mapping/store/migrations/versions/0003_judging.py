"""What figures are judged with: recording breaks, harm weights, groups of wards."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _received() -> list[sa.Column[Any]]:
    return [
        sa.Column("file_name", WORDS, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("loaded_at", sa.DateTime(), nullable=False),
    ]


def upgrade() -> None:
    """Add the tables, all empty: what is shipped is not in the store."""
    op.create_table(
        "break_file",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        *_received(),
        sa.PrimaryKeyConstraint("id", name="pk_break_file"),
    )
    op.create_table(
        "recording_break",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        *(sa.Column(name, WORDS, nullable=False) for name in ("source", "stream", "crime_types")),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("within", sa.Boolean(), nullable=False),
        *(sa.Column(name, WORDS, nullable=False) for name in ("what", "vouched_for_by")),
        sa.PrimaryKeyConstraint("id", name="pk_recording_break"),
    )
    op.create_table(
        "harm_weight_file",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        *(sa.Column(name, WORDS, nullable=False) for name in ("source", "version")),
        sa.Column("dated", sa.Date(), nullable=False),
        sa.Column("attribution", WORDS, nullable=False),
        *_received(),
        sa.PrimaryKeyConstraint("id", name="pk_harm_weight_file"),
    )
    op.create_table(
        "harm_weight",
        sa.Column("crime_type", WORDS, nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("crime_type", name="pk_harm_weight"),
    )
    op.create_table(
        "ward_group_file",
        sa.Column("boundary_set_id", sa.Integer(), nullable=False),
        sa.Column("attribution", WORDS, nullable=False),
        *_received(),
        sa.ForeignKeyConstraint(["boundary_set_id"], ["boundary_set.id"], name="fk_ward_group_file_boundary_set_id"),
        sa.PrimaryKeyConstraint("boundary_set_id", name="pk_ward_group_file"),
    )
    op.create_table(
        "ward_group",
        sa.Column("boundary_set_id", sa.Integer(), nullable=False),
        sa.Column("ward_code", WORDS, nullable=False),
        sa.Column("name", WORDS, nullable=False),
        sa.ForeignKeyConstraint(["boundary_set_id"], ["boundary_set.id"], name="fk_ward_group_boundary_set_id"),
        sa.PrimaryKeyConstraint("boundary_set_id", "ward_code", name="pk_ward_group"),
    )
