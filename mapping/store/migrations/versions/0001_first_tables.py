"""The first tables, and in PostGIS the two views that QGIS and Power BI open."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mapping.store.geometry import MetresGeometry

revision = "0001"
down_revision = None

WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

WARDS_VIEW = """
CREATE VIEW wards AS
SELECT w.id, s.name AS boundary_set, w.code AS ward_code, w.name AS ward_name,
       w.district_code, coalesce(d.name, w.district_code) AS district_name, w.area_km2,
       (SELECT p.residents FROM population p
         WHERE p.boundary_set_id = s.id AND p.ward_code = w.code ORDER BY p.year DESC LIMIT 1) AS residents,
       w.geom
  FROM ward w
  JOIN boundary_set s ON s.id = w.boundary_set_id
  LEFT JOIN district d ON d.boundary_set_id = s.id AND d.code = w.district_code
"""

WARD_COUNTS_VIEW = """
CREATE VIEW ward_counts AS
SELECT s.name AS boundary_set, w.code AS ward_code, w.name AS ward_name, o.slug AS source,
       c.month, t.slug AS crime_type, c.count
  FROM ward_month_count c
  JOIN boundary_set s ON s.id = c.boundary_set_id
  JOIN ward w ON w.id = c.ward_id
  JOIN source o ON o.id = c.source_id
  JOIN crime_type t ON t.id = c.crime_type_id
"""


def upgrade() -> None:
    """Create everything in an empty database."""
    op.create_table(
        "boundary_set",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", WORDS, nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("effective", sa.Date(), nullable=True),
        sa.Column("attribution", WORDS, nullable=False),
        sa.Column("file_name", WORDS, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("loaded_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_boundary_set"),
        sa.UniqueConstraint("name", name="uq_boundary_set_name"),
    )
    op.create_table(
        "crime_type",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("slug", WORDS, nullable=False),
        sa.Column("name", WORDS, nullable=False),
        sa.Column("type_group", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_crime_type"),
        sa.UniqueConstraint("slug", name="uq_crime_type_slug"),
    )
    op.create_table(
        "incident",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("extract_id", sa.Integer(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("crime_type_id", sa.Integer(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=True),
        sa.Column("precision", WORDS, nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=True),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("reference", WORDS, nullable=True),
        sa.Column("location_id", sa.Integer(), nullable=True),
        sa.Column("lsoa_id", sa.Integer(), nullable=True),
        sa.Column("outcome_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_incident"),
    )
    op.create_index("ix_incident_extract_id_date", "incident", ["extract_id", "date", "crime_type_id", "place_id"])

    op.create_table(
        "month_places",
        sa.Column("source_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("place_ids", sa.LargeBinary(), nullable=False),
        sa.Column("crime_type_ids", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "month", name="pk_month_places"),
    )
    op.create_table(
        "phrase",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_phrase"),
        sa.UniqueConstraint("text", name="uq_phrase_text"),
    )
    op.create_table(
        "place",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("geom", MetresGeometry("POINT"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_place"),
    )
    op.create_table(
        "place_ward",
        sa.Column("boundary_set_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("place_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ward_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("boundary_set_id", "place_id", name="pk_place_ward"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "source",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("slug", WORDS, nullable=False),
        sa.Column("name", WORDS, nullable=False),
        sa.Column("access", WORDS, nullable=False),
        sa.Column("attribution", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_source"),
        sa.UniqueConstraint("slug", name="uq_source_slug"),
    )
    op.create_table(
        "store_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("data_version", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_store_state"),
    )
    op.create_table(
        "ward_month_count",
        sa.Column("boundary_set_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("ward_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("crime_type_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "boundary_set_id", "source_id", "month", "ward_id", "crime_type_id", name="pk_ward_month_count"
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "boundary_shapes",
        sa.Column("boundary_set_id", sa.Integer(), nullable=False),
        sa.Column("tolerance_m", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("geojson", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["boundary_set_id"], ["boundary_set.id"], name="fk_boundary_shapes_boundary_set_id"),
        sa.PrimaryKeyConstraint("boundary_set_id", "tolerance_m", name="pk_boundary_shapes"),
    )
    op.create_index("ix_boundary_shapes_sha256", "boundary_shapes", ["sha256"])

    op.create_table(
        "district",
        sa.Column("boundary_set_id", sa.Integer(), nullable=False),
        sa.Column("code", WORDS, nullable=False),
        sa.Column("name", WORDS, nullable=False),
        sa.ForeignKeyConstraint(["boundary_set_id"], ["boundary_set.id"], name="fk_district_boundary_set_id"),
        sa.PrimaryKeyConstraint("boundary_set_id", "code", name="pk_district"),
    )
    op.create_table(
        "extract",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("stream", WORDS, nullable=False),
        sa.Column("layout", WORDS, nullable=False),
        sa.Column("layout_sha256", sa.String(length=64), nullable=False),
        sa.Column("counted_by", WORDS, nullable=False),
        sa.Column("date_from", sa.Date(), nullable=False),
        sa.Column("date_to", sa.Date(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(), nullable=True),
        sa.Column("rows_read", sa.Integer(), nullable=False),
        sa.Column("rows_kept", sa.Integer(), nullable=False),
        sa.Column("rows_repaired", sa.Integer(), nullable=False),
        sa.Column("rows_set_aside", sa.Integer(), nullable=False),
        sa.Column("rows_rejected", sa.Integer(), nullable=False),
        sa.Column("rows_without_coordinates", sa.Integer(), nullable=False),
        sa.Column("repeated_references", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name="fk_extract_source_id"),
        sa.PrimaryKeyConstraint("id", name="pk_extract"),
    )
    op.create_table(
        "population",
        sa.Column("boundary_set_id", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ward_code", WORDS, nullable=False),
        sa.Column("residents", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["boundary_set_id"], ["boundary_set.id"], name="fk_population_boundary_set_id"),
        sa.PrimaryKeyConstraint("boundary_set_id", "year", "ward_code", name="pk_population"),
    )
    op.create_table(
        "population_file",
        sa.Column("boundary_set_id", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("file_name", WORDS, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("loaded_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["boundary_set_id"], ["boundary_set.id"], name="fk_population_file_boundary_set_id"),
        sa.PrimaryKeyConstraint("boundary_set_id", "year", name="pk_population_file"),
    )
    op.create_table(
        "ward",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("boundary_set_id", sa.Integer(), nullable=False),
        sa.Column("geom", MetresGeometry("MULTIPOLYGON"), nullable=False),
        sa.Column("code", WORDS, nullable=False),
        sa.Column("name", WORDS, nullable=False),
        sa.Column("district_code", WORDS, nullable=False),
        sa.Column("area_km2", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["boundary_set_id"], ["boundary_set.id"], name="fk_ward_boundary_set_id"),
        sa.PrimaryKeyConstraint("id", name="pk_ward"),
        sa.UniqueConstraint("boundary_set_id", "code", name="uq_ward_boundary_set_id"),
    )
    op.create_table(
        "extract_file",
        sa.Column("extract_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", WORDS, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["extract_id"], ["extract.id"], name="fk_extract_file_extract_id"),
        sa.PrimaryKeyConstraint("extract_id", "position", name="pk_extract_file"),
    )
    op.create_table(
        "issue",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("extract_id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=True),
        sa.Column("outcome", WORDS, nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("file", WORDS, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("field", WORDS, nullable=False),
        sa.Column("value", WORDS, nullable=False),
        sa.ForeignKeyConstraint(["extract_id"], ["extract.id"], name="fk_issue_extract_id"),
        sa.PrimaryKeyConstraint("id", name="pk_issue"),
    )
    op.create_index("ix_issue_extract_id", "issue", ["extract_id"])

    op.create_table(
        "extract_type_count",
        sa.Column("extract_id", sa.Integer(), nullable=False),
        sa.Column("crime_type_id", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["extract_id"], ["extract.id"], name="fk_extract_type_count_extract_id"),
        sa.ForeignKeyConstraint(["crime_type_id"], ["crime_type.id"], name="fk_extract_type_count_crime_type_id"),
        sa.PrimaryKeyConstraint("extract_id", "crime_type_id", name="pk_extract_type_count"),
    )
    op.create_table(
        "supplied_window",
        sa.Column("extract_id", sa.Integer(), nullable=False),
        sa.Column("date_from", sa.Date(), nullable=False),
        sa.Column("date_to", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["extract_id"], ["extract.id"], name="fk_supplied_window_extract_id"),
        sa.PrimaryKeyConstraint("extract_id", "date_from", name="pk_supplied_window"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.create_index("ix_ward_geom", "ward", ["geom"], postgresql_using="gist")
        op.create_index("ix_place_geom", "place", ["geom"], postgresql_using="gist")
        op.execute(WARDS_VIEW)
        op.execute(WARD_COUNTS_VIEW)
