"""Coverage by hand, denominators of several kinds, changes by reference, outcomes, counts of areas, verdicts on places."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

WARDS_VIEW = """
CREATE VIEW wards AS
SELECT w.id, s.name AS boundary_set, w.code AS ward_code, w.name AS ward_name,
       w.district_code, coalesce(d.name, w.district_code) AS district_name, w.area_km2,
       (SELECT n.value::integer FROM denominator n
         WHERE n.boundary_set_id = s.id AND n.kind = 'residents' AND n.ward_code = w.code
         ORDER BY n.year DESC LIMIT 1) AS residents,
       w.geom
  FROM ward w
  JOIN boundary_set s ON s.id = w.boundary_set_id
  LEFT JOIN district d ON d.boundary_set_id = s.id AND d.code = w.district_code
"""

SNAPPED_M = 100
"""What the layout police-uk says of its points, for the extracts that were loaded before it said so."""


def _details() -> list[sa.Column[Any]]:
    return [
        *(sa.Column(name, sa.Integer(), nullable=True) for name in ("code_id", "opening_code_id", "class_id", "status_id")),
        sa.Column("repeat_victim", sa.Boolean(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=True),
    ]


def upgrade() -> None:
    """Add what is new; the residents move to the table of all denominators."""
    for column in _details():
        op.add_column("incident", column)
    _upgrade_extracts()
    _move_residents()
    op.create_table(
        "held_incident",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("extract_id", sa.Integer(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("crime_type_id", sa.Integer(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=True),
        sa.Column("precision", WORDS, nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=True),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("reference", WORDS, nullable=True),
        *(sa.Column(name, sa.Integer(), nullable=True) for name in ("location_id", "lsoa_id", "outcome_id")),
        *_details(),
        sa.Column("cancels", sa.Boolean(), nullable=False),
        sa.Column("why", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_held_incident"),
    )
    op.create_index("ix_held_incident_extract_id", "held_incident", ["extract_id"])
    op.create_table(
        "outcome",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("extract_id", sa.Integer(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("reference", WORDS, nullable=True),
        sa.Column("outcome_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_outcome"),
    )
    op.create_index("ix_outcome_extract_id", "outcome", ["extract_id"])
    _create_load_log()
    _create_analysts_notes()
    _create_area_counts()


def _upgrade_extracts() -> None:
    # With a default, because rows are there: SQLite cannot take it away again without making the table anew.
    for name, given in (("kind", "window"), ("records", "incidents"), ("areas", "")):
        op.add_column("extract", sa.Column(name, WORDS, nullable=False, server_default=given))
    op.add_column("extract", sa.Column("as_of", sa.Date(), nullable=True))
    op.add_column("extract", sa.Column("precision_m", sa.Integer(), nullable=True))
    op.execute(f"UPDATE extract SET precision_m = {SNAPPED_M} WHERE layout = 'police-uk'")  # noqa: S608 - our own number


def _move_residents() -> None:
    op.create_table(
        "denominator",
        sa.Column("boundary_set_id", sa.Integer(), nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ward_code", WORDS, nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["boundary_set_id"], ["boundary_set.id"], name="fk_denominator_boundary_set_id"),
        sa.PrimaryKeyConstraint("boundary_set_id", "kind", "year", "ward_code", name="pk_denominator"),
    )
    op.create_table(
        "denominator_file",
        sa.Column("boundary_set_id", sa.Integer(), nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("file_name", WORDS, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("loaded_at", sa.DateTime(), nullable=False),
        sa.Column("attribution", WORDS, nullable=False),
        sa.Column("estimated", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["boundary_set_id"], ["boundary_set.id"], name="fk_denominator_file_boundary_set_id"),
        sa.PrimaryKeyConstraint("boundary_set_id", "kind", "year", name="pk_denominator_file"),
    )
    op.execute(
        "INSERT INTO denominator (boundary_set_id, kind, year, ward_code, value) "
        "SELECT boundary_set_id, 'residents', year, ward_code, residents FROM population"
    )
    op.execute(
        "INSERT INTO denominator_file (boundary_set_id, kind, year, file_name, sha256, loaded_at, attribution, estimated) "
        "SELECT boundary_set_id, 'residents', year, file_name, sha256, loaded_at, '', false FROM population_file"
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP VIEW wards")
        op.execute(WARDS_VIEW)
    op.drop_table("population")
    op.drop_table("population_file")


def _create_load_log() -> None:
    op.create_table(
        "load",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("done_at", sa.DateTime(), nullable=False),
        sa.Column("what", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_load"),
    )
    op.create_table(
        "load_change",
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("crime_type_id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("before", "after", "gone", "added")),
        sa.ForeignKeyConstraint(["load_id"], ["load.id"], name="fk_load_change_load_id"),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name="fk_load_change_source_id"),
        sa.ForeignKeyConstraint(["crime_type_id"], ["crime_type.id"], name="fk_load_change_crime_type_id"),
        sa.PrimaryKeyConstraint("load_id", "source_id", "month", "crime_type_id", name="pk_load_change"),
    )


def _create_analysts_notes() -> None:
    op.create_table(
        "coverage_note",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", WORDS, nullable=False),
        sa.Column("stream", WORDS, nullable=False),
        sa.Column("month_from", sa.Date(), nullable=False),
        sa.Column("month_to", sa.Date(), nullable=True),
        sa.Column("status", WORDS, nullable=False),
        sa.Column("reason", WORDS, nullable=False),
        sa.Column("noted_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_coverage_note"),
    )
    op.create_table(
        "source_district",
        sa.Column("source", WORDS, nullable=False),
        sa.Column("district_code", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("source", "district_code", name="pk_source_district"),
    )
    op.create_table(
        "place_verdict",
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.Column("verdict", WORDS, nullable=False),
        sa.Column("reason", WORDS, nullable=False),
        sa.Column("decided_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name="fk_place_verdict_place_id"),
        sa.PrimaryKeyConstraint("place_id", name="pk_place_verdict"),
    )


def _create_area_counts() -> None:
    op.create_table(
        "area_count",
        sa.Column("extract_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("area_code", WORDS, nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("crime_type_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("extract_id", "area_code", "month", "crime_type_id", name="pk_area_count"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "area_lookup",
        sa.Column("areas", WORDS, nullable=False),
        sa.Column("boundary_set_id", sa.Integer(), nullable=False),
        sa.Column("area_code", WORDS, nullable=False),
        sa.Column("ward_code", WORDS, nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["boundary_set_id"], ["boundary_set.id"], name="fk_area_lookup_boundary_set_id"),
        sa.PrimaryKeyConstraint("areas", "boundary_set_id", "area_code", "ward_code", name="pk_area_lookup"),
    )
    op.create_table(
        "area_lookup_file",
        sa.Column("areas", WORDS, nullable=False),
        sa.Column("boundary_set_id", sa.Integer(), nullable=False),
        sa.Column("weighted_by", WORDS, nullable=False),
        sa.Column("file_name", WORDS, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("loaded_at", sa.DateTime(), nullable=False),
        sa.Column("attribution", WORDS, nullable=False),
        sa.ForeignKeyConstraint(["boundary_set_id"], ["boundary_set.id"], name="fk_area_lookup_file_boundary_set_id"),
        sa.PrimaryKeyConstraint("areas", "boundary_set_id", name="pk_area_lookup_file"),
    )
    op.create_table(
        "ward_area_count",
        sa.Column("boundary_set_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("ward_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("crime_type_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("estimated", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("boundary_set_id", "source_id", "month", "ward_id", "crime_type_id", name="pk_ward_area_count"),
        sqlite_with_rowid=False,
    )
