"""SQLAlchemy over PyAthena: reflection, statements, pandas both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import pandas as pd
import pytest
import sqlalchemy as sa
from pyathena.sqlalchemy.types import AthenaStruct  # noqa: F401 - the dialect is there

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.clients.scenarios.conftest import Place


@pytest.fixture(scope="module")
def engine(place: Place, connection: Any) -> Iterator[Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""CREATE EXTERNAL TABLE trips (
              id bigint COMMENT 'the key', carrier varchar(2), fare decimal(10, 2), at timestamp,
              tags array<string>, extra struct<a: int, b: string>)
            COMMENT 'all trips' PARTITIONED BY (day date) STORED AS PARQUET
            LOCATION '{place.path("trips")}' TBLPROPERTIES ('parquet.compress' = 'SNAPPY')"""
        )
        cursor.execute(
            "INSERT INTO trips SELECT 1, CAST('UA' AS varchar(2)), CAST(1.5 AS decimal(10, 2)), "
            "TIMESTAMP '2024-01-01 10:00:00', ARRAY['x'], "
            "CAST(ROW(1, 'b') AS ROW(a integer, b varchar)), DATE '2024-01-01'"
        )
        cursor.execute("CREATE OR REPLACE VIEW few AS SELECT id, carrier FROM trips")
    made = sa.create_engine(
        f"awsathena+rest://@athena.us-east-1.amazonaws.com:443/{place.database}"
        f"?s3_staging_dir={quote_plus(place.staging)}"
        f"&location={quote_plus(place.path('alchemy'))}&poll_interval=0.05"
    )
    yield made
    made.dispose()


def test_what_there_is(engine: Any, place: Place) -> None:
    found = sa.inspect(engine)
    assert place.database in found.get_schema_names()
    assert "trips" in found.get_table_names()
    assert found.get_view_names() == ["few"]
    assert found.has_table("trips")
    assert not found.has_table("no_trips")
    with pytest.raises(sa.exc.NoSuchTableError):
        sa.Table("no_trips", sa.MetaData(), autoload_with=engine)
    assert "SELECT" in found.get_view_definition("few").upper()


def test_columns_are_reflected(engine: Any, place: Place) -> None:
    columns = {each["name"]: each for each in sa.inspect(engine).get_columns("trips")}
    assert list(columns) == ["id", "carrier", "fare", "at", "tags", "extra", "day"]
    assert isinstance(columns["id"]["type"], sa.BIGINT)
    assert columns["id"]["comment"] == "the key"
    assert columns["carrier"]["type"].length == 2
    assert (columns["fare"]["type"].precision, columns["fare"]["type"].scale) == (10, 2)
    assert isinstance(columns["at"]["type"], sa.TIMESTAMP)
    table = sa.Table("trips", sa.MetaData(), autoload_with=engine)
    assert table.comment == "all trips"
    options = table.dialect_options["awsathena"]
    assert options["location"] == place.path("trips").rstrip("/")


def test_statements_are_made(engine: Any) -> None:
    trips = sa.Table("trips", sa.MetaData(), autoload_with=engine)
    asked = (
        sa.select(trips.c.carrier, sa.func.count().label("n"))
        .where(trips.c.id > sa.bindparam("least"))
        .group_by(trips.c.carrier)
        .limit(5)
    )
    with engine.connect() as connection:
        assert [tuple(row) for row in connection.execute(asked, {"least": 0})] == [("UA", 1)]
        assert connection.execute(sa.text("SELECT id FROM few")).scalar() == 1
        with pytest.raises(sa.exc.DBAPIError, match="COLUMN_NOT_FOUND"):
            connection.execute(sa.text("SELECT nothing FROM few"))


def test_tables_are_made_and_dropped(engine: Any, place: Place) -> None:
    metadata = sa.MetaData()
    made = sa.Table(
        "made",
        metadata,
        sa.Column("n", sa.Integer, comment="a number"),
        sa.Column("s", sa.String),
        awsathena_location=place.path("made"),
        awsathena_file_format="PARQUET",
    )
    metadata.create_all(engine)
    with engine.connect() as connection:
        connection.execute(made.insert(), [{"n": 1, "s": "one"}, {"n": 2, "s": None}])
        rows = connection.execute(sa.select(made).order_by(made.c.n)).fetchall()
    assert [tuple(row) for row in rows] == [(1, "one"), (2, None)]
    metadata.drop_all(engine)
    assert not sa.inspect(engine).has_table("made")


def test_pandas_reads_and_writes(engine: Any) -> None:
    frame = pd.DataFrame({"n": [1, 2], "s": ["a", "b"]})
    with engine.connect() as connection:
        frame.to_sql("framed", connection, index=False, method="multi")
        found = pd.read_sql("SELECT * FROM framed ORDER BY n", connection)
    assert found.to_dict("list") == {"n": [1, 2], "s": ["a", "b"]}
