"""The store: one set of tables on two engines, upgraded by Alembic, seen through two views, written by one at a time."""

import json
from collections import Counter
from pathlib import Path

import pytest
import shapely
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, event, inspect, text

import mapping.store.engine
import mapping.store.migrations
from mapping.errors import BadRequest, StoreNotReady
from mapping.settings import load_settings
from mapping.store import check_ready, open_engine, reading, writing
from mapping.store.models import Base, Place
from mapping.store.ready import HEAD
from mapping.store.upgrade import alembic_config, init_store
from tests.digest import digest, read_tables
from tests.tiny import (
    ASB,
    BOTH_ENGINES,
    BURGLARY,
    CLOCK,
    DRUGS,
    NE,
    NW,
    OUTSIDE,
    POPULATION,
    SE,
    STREET,
    SW,
    WARDS,
    county_on,
    write_street,
)


@pytest.fixture
def engine(store_url):
    """Give an engine for an empty store."""
    engine = open_engine(store_url, must_exist=False)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module", params=BOTH_ENGINES)
def county(request, tmp_path_factory):
    """Give a store that holds the wards and January."""
    with county_on(request.param, request, tmp_path_factory.mktemp("county"), incidents=[STREET]) as county:
        yield county


# Addresses


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql+psycopg://u@/x?host=/nowhere&banana=1", "options that PostgreSQL does not know: banana"),
        ("sqlite:////tmp/x.db?mode=ro", "takes no options: mode"),
    ],
)
def test_options_that_an_address_cannot_have(invoke, url, says):
    assert says in invoke("status", store=url, status=1).stderr


def test_a_value_that_an_option_cannot_have(invoke):
    url = "postgresql+psycopg://u@/x?host=/nowhere&connect_timeout=soon"

    assert "cannot be used" in invoke("status", store=url, status=1).stderr


def test_a_store_that_cannot_be_written_says_so(sqlite_url):
    engine = open_engine(sqlite_url, must_exist=False)
    init_store(engine)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("PRAGMA query_only=ON"))
    with pytest.raises(StoreNotReady, match="its folder, or the file, cannot be written"), writing(engine) as connection:
        connection.execute(text("DELETE FROM ward"))
    engine.dispose()


@pytest.mark.parametrize(
    "url",
    [
        *("https://a.example/{z}/{x}.png", "ftp://a.example/{z}/{x}/{y}", "//a.example/{z}/{x}/{y}", "https://*/{z}/{x}/{y}"),
        *(f"https://a.example{bad}/{{z}}/{{x}}/{{y}}" for bad in (" ", ";script-src *", ",b", "'", '"', "\n", "/\\")),
    ],
)
def test_tiles_that_would_break_the_header_are_refused(url):
    with pytest.raises(BadRequest, match=r"(?s)WARDWATCH_TILES_URL is .*it must be http"):
        load_settings(tiles_url=url)


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:8080/{z}/{x}/{y}", "https://{s}.a.example/{z}/{x}/{y}{r}.png?key=a&b=c"])
def test_tiles_that_are_right(url):
    assert load_settings(tiles_url=url).tiles_url == url


# Tables and their versions


def test_init_creates_once(invoke, store_url):
    assert "(created)" in invoke("init", store=store_url).stderr
    before = digest(store_url)
    assert "(unchanged)" in invoke("init", store=store_url).stderr
    assert digest(store_url) == before


def test_the_migrations_lead_to_the_models(engine):
    init_store(engine)

    with writing(engine) as connection:
        command.check(alembic_config(connection))


def test_a_model_without_a_migration_is_seen(engine):
    init_store(engine)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE source DROP COLUMN attribution"))

    with pytest.raises(Exception, match="attribution"), writing(engine) as connection:
        command.check(alembic_config(connection))


def test_the_newest_migration_is_the_version_that_is_asked_for(engine):
    with reading_nothing(engine) as connection:
        heads = ScriptDirectory.from_config(alembic_config(connection)).get_heads()

    assert heads == [HEAD]
    versions = Path(mapping.store.migrations.__path__[0]) / "versions"
    assert max(path.name for path in versions.glob("*.py"))[:4] == HEAD


def reading_nothing(engine):
    engine.url.database and engine.dialect.name == "sqlite" and Path(engine.url.database).touch()
    return engine.connect()


def described(engine):
    """All that the engine knows of our tables."""
    found = {}
    look = inspect(engine)
    for name in Base.metadata.tables:
        columns = {c["name"]: (str(c["type"]), c["nullable"], c["default"]) for c in look.get_columns(name)}
        keys = [look.get_pk_constraint(name), *look.get_foreign_keys(name), *look.get_unique_constraints(name)]
        indexes = sorted(str(index) for index in look.get_indexes(name))
        found[name] = (columns, sorted(str(key) for key in keys), indexes)
    return found


def test_the_migrations_make_what_the_models_describe(engine, tmp_path, request):
    init_store(engine)
    if engine.dialect.name == "sqlite":
        compare(engine, f"sqlite:///{tmp_path / 'models.db'}")
    else:
        with request.getfixturevalue("databases").fresh() as url:
            compare(engine, url)


def compare(engine, url):
    models = create_engine(url)
    Base.metadata.create_all(models)
    assert described(engine) == described(models)
    models.dispose()


def test_an_upgrade_that_fails_leaves_nothing(engine, monkeypatch):
    monkeypatch.setattr("mapping.store.upgrade.command.upgrade", failing(command.upgrade))

    with pytest.raises(RuntimeError, match="half-way"):
        init_store(engine)

    assert inspect(engine).get_table_names() in ([], ["spatial_ref_sys"])
    monkeypatch.undo()
    assert init_store(engine) == "created"


def failing(work):
    def fail(*arguments):
        work(*arguments)
        raise RuntimeError("half-way")

    return fail


# What others see in PostGIS


@pytest.fixture
def postgis(request, tmp_path_factory):
    """Give an engine on the tiny county in PostGIS."""
    with county_on("postgis", request, tmp_path_factory.mktemp("county"), incidents=[STREET]) as county:
        engine = create_engine(county.url)
        yield engine
        engine.dispose()


def test_the_views_tell_what_the_tables_hold(postgis, invoke):
    url = postgis.url.render_as_string(hide_password=False)
    invoke("load", "population", POPULATION, "--boundaries", "wd24", "--year", 2020, store=url, env=CLOCK)

    with postgis.connect() as connection:
        wards = connection.execute(
            text(
                "SELECT boundary_set, ward_code, ward_name, district_name, round(area_km2::numeric, 3), residents,"
                " ST_SRID(geom), GeometryType(geom) FROM wards ORDER BY ward_code"
            )
        ).all()
        counts = connection.execute(
            text(
                "SELECT ward_name, source, month::text, crime_type, count FROM ward_counts"
                " WHERE boundary_set = 'wd24' ORDER BY ward_code, crime_type LIMIT 2"
            )
        ).all()
        total = connection.scalar(text("SELECT sum(count) FROM ward_counts"))

    assert tuple(map(str, wards[0])) == (
        *("wd24", "X05900001", "Northwest", "Westshire", "1.000", "2000"),
        *("27700", "MULTIPOLYGON"),
    )
    assert len(wards) == 4
    assert counts[0] == ("Northwest", "tiny-constabulary", "2024-01-01", "anti-social-behaviour", 2)
    assert total == 8


def test_geometry_is_typed_and_indexed(postgis):
    with postgis.connect() as connection:
        columns = connection.execute(
            text("SELECT f_table_name, type, srid FROM geometry_columns WHERE f_table_name IN ('ward', 'place') ORDER BY 1")
        ).all()
        indexed = connection.scalars(
            text("SELECT tablename FROM pg_indexes WHERE indexdef LIKE '%USING gist (geom)%' ORDER BY 1")
        ).all()

    assert [tuple(column) for column in columns] == [("place", "POINT", 27700), ("ward", "MULTIPOLYGON", 27700)]
    assert indexed == ["place", "ward"]


def test_a_shape_of_another_coordinate_system_is_refused_before_it_is_bound(county, tmp_path):
    with county.copy(tmp_path) as url:
        engine = open_engine(url)
        lonlat = shapely.set_srid(shapely.Point(-0.5, 51.7), 4326)
        with (
            pytest.raises(Exception, match="EPSG:4326 cannot be stored in a column of EPSG:27700"),
            writing(engine) as connection,
        ):
            connection.execute(Place.__table__.insert().values(id=99, geom=lonlat))
        engine.dispose()


# What holds after any load


def test_nothing_points_at_what_is_not_there(county, invoke, tmp_path):
    with county.copy(tmp_path) as url:

        def run(*arguments):
            invoke(*arguments, store=url, env=CLOCK)

        run("load", "incidents", write_street(tmp_path, "2024-02", [(BURGLARY, NW), (ASB, SE), (DRUGS, OUTSIDE), (ASB, None)]))
        run("load", "boundaries", WARDS, "--name", "other")
        run("load", "incidents", write_street(tmp_path / "new", "2024-02", [(BURGLARY, SW), (ASB, NE)]))
        run("load", "boundaries", WARDS, "--replace")
        run("unload", 1)
        run("load", "incidents", STREET)
        run("unload", "boundaries", "other")
        tables = read_tables(url)

    ids = {name: {row["id"] for row in tables[name]} for name in ("place", "crime_type", "extract", "phrase", "ward", "source")}
    for row in tables["incident"]:
        assert row["extract_id"] in ids["extract"]
        assert row["crime_type_id"] in ids["crime_type"]
        assert {row["place_id"]} <= ids["place"] | {None}
        assert {row["location_id"], row["lsoa_id"], row["outcome_id"]} <= ids["phrase"] | {None}
    for row in tables["place_ward"]:
        assert (row["place_id"], row["ward_id"]) in {(p, w) for p in ids["place"] for w in ids["ward"]}
        assert row["boundary_set_id"] == 1
    for row in tables["ward_month_count"]:
        assert (row["ward_id"] in ids["ward"], row["source_id"] in ids["source"], row["boundary_set_id"]) == (True, True, 1)
    days = Counter((w["extract_id"], w["date_from"]) for w in tables["supplied_window"])
    assert days.most_common(1)[0][1] == 1
    assert {row["extract_id"] for row in tables["incident"]} == {w["extract_id"] for w in tables["supplied_window"]}


# One writer at a time


def test_a_load_that_waits_too_long_says_who_holds_the_store(county, invoke, tmp_path, monkeypatch):
    with county.copy(tmp_path) as url:
        before = digest(url)
        holder = open_engine(url)
        with writing(holder):
            monkeypatch.setattr(mapping.store.engine, "WAIT_FOR_OTHER_LOAD_S", 1)
            done = invoke("load", "incidents", write_street(tmp_path, "2024-02", [(ASB, NW)]), store=url, env=CLOCK, status=1)
            assert json.loads(invoke("status", "--format", "json", store=url).stdout)["data_as_of"] == "2024-01"
        holder.dispose()
        assert "Another load has held the store" in done.stderr
        assert "Wait for it to finish" in done.stderr
        if url.startswith("postgresql"):
            assert "(process " in done.stderr
        assert digest(url) == before


def test_a_reader_sees_one_state_while_a_load_goes_on(county, invoke, tmp_path):
    with county.copy(tmp_path) as url:
        engine = open_engine(url)
        count = text("SELECT count(*) FROM incident")
        with reading(engine) as connection:
            before = connection.scalar(count)
            invoke("load", "incidents", write_street(tmp_path, "2024-02", [(ASB, NW)]), store=url, env=CLOCK)
            assert connection.scalar(count) == before
        with reading(engine) as connection:
            assert connection.scalar(count) == before + 1
        engine.dispose()


def test_a_load_that_fails_at_its_end_leaves_everything_as_it_was(county, invoke, tmp_path):
    """A trigger that refuses the last statement stands for a disk that is full."""
    with county.copy(tmp_path) as url:
        engine = create_engine(url)
        with engine.begin() as connection:
            if engine.dialect.name == "sqlite":
                connection.execute(
                    text("CREATE TRIGGER refuse BEFORE INSERT ON store_state BEGIN SELECT RAISE(ABORT, 'disk full'); END")
                )
            else:
                connection.execute(
                    text("CREATE FUNCTION refuse() RETURNS trigger AS $$BEGIN RAISE 'disk full'; END$$ LANGUAGE plpgsql")
                )
                connection.execute(
                    text("CREATE TRIGGER refuse BEFORE INSERT ON store_state FOR EACH ROW EXECUTE FUNCTION refuse()")
                )
        engine.dispose()
        before = digest(url)

        with pytest.raises(Exception, match="disk full"):
            invoke("load", "incidents", write_street(tmp_path, "2024-02", [(ASB, NW)]), store=url, env=CLOCK)

        assert digest(url) == before


def test_a_store_is_ready_only_with_its_tables(engine):
    with pytest.raises(StoreNotReady, match="no tables of ours"):
        check_ready(engine)
    init_store(engine)
    check_ready(engine)
