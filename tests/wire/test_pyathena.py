"""PyAthena as it comes, led here by the environment: its cursors and its SQLAlchemy dialect."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy
from pyathena import connect
from pyathena.async_cursor import AsyncCursor
from pyathena.error import DatabaseError, OperationalError
from pyathena.pandas.cursor import PandasCursor

from tests.support.athena_wire import ENDLESS, Wire, open_endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator

STAGING = "s3://results/pyathena/"


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with open_endpoint(tmp_path_factory.mktemp("wire")) as made:
        made.run(
            "CREATE TABLE flights WITH (external_location = 's3://lake/flights/') AS SELECT * FROM "
            "(VALUES (1, 'UA', DECIMAL '1.50', DATE '2013-01-05', REAL '1.2345'), "
            "(2, 'AA', NULL, NULL, NULL)) AS t (n, carrier, fare, day, r)"
        )
        yield made


@pytest.fixture(autouse=True)
def environment(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", wire.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


def connected(**more: Any) -> Any:  # noqa: ANN401 - PyAthena has no types that hold
    return closing(connect(s3_staging_dir=STAGING, schema_name="default", **more))


def test_rows_come_with_their_types() -> None:
    with connected() as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT * FROM flights WHERE n = %(n)s", {"n": 1})
        assert cursor.fetchall() == [(1, "UA", Decimal("1.50"), date(2013, 1, 5), 1.2345)]
        assert [column[:2] for column in cursor.description] == [
            ("n", "integer"),
            ("carrier", "varchar"),
            ("fare", "decimal"),
            ("day", "date"),
            ("r", "float"),
        ]
        assert cursor.output_location == f"{STAGING}{cursor.query_id}.csv"
        assert cursor.data_scanned_in_bytes > 0
        assert cursor.rowcount == -1


def test_a_ctas_tells_its_rows() -> None:
    with connected() as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE TABLE py WITH (format = 'PARQUET') AS SELECT n FROM flights")
        assert cursor.rowcount == 2
        assert [column[0] for column in cursor.description] == ["rows"]
        cursor.execute("INSERT INTO py SELECT 3")
        assert cursor.rowcount == 1
        cursor.execute("SELECT sum(n) FROM py")
        assert cursor.fetchone() == (6,)


def test_errors_are_those_of_the_api() -> None:
    with connected() as connection:
        cursor = connection.cursor()
        with pytest.raises(OperationalError, match="TABLE_NOT_FOUND"):
            cursor.execute("SELECT * FROM nowhere")
        with pytest.raises(DatabaseError, match="mismatched input"):
            cursor.execute("? SELECT")


def test_a_cursor_cancels_its_query() -> None:
    with connected(poll_interval=0.02) as connection:
        cursor = connection.cursor()
        failed: list[OperationalError] = []

        def work() -> None:
            try:
                cursor.execute(ENDLESS)
            except OperationalError as error:
                failed.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        while cursor.query_id is None:
            thread.join(0.01)
        cursor.cancel()
        thread.join()
        assert [str(error) for error in failed] == ["Query cancelled by user"]


def test_pandas_reads_the_result_file() -> None:
    with connected(cursor_class=PandasCursor) as connection:
        frame = connection.cursor().execute("SELECT n, carrier FROM flights ORDER BY n").as_pandas()
        assert frame.to_dict("list") == {"n": [1, 2], "carrier": ["UA", "AA"]}
        assert connection.cursor().execute("SHOW TABLES").fetchall()[0] == ("flights",)


def test_async_gives_a_future() -> None:
    with connected(cursor_class=AsyncCursor) as connection, closing(connection.cursor()) as cursor:
        _, future = cursor.execute("SELECT n FROM flights ORDER BY n")
        assert future.result().fetchall() == [(1,), (2,)]


def test_sqlalchemy_reflects_and_selects() -> None:
    address = f"athena.us-east-1.amazonaws.com:443/default?s3_staging_dir={STAGING}"
    engine = sqlalchemy.create_engine(f"awsathena+rest://local:local@{address}")
    inspector = sqlalchemy.inspect(engine)
    assert "default" in inspector.get_schema_names()
    assert inspector.has_table("flights")
    assert not inspector.has_table("nowhere")
    columns = {each["name"]: str(each["type"]) for each in inspector.get_columns("flights")}
    assert columns == {
        "n": "INTEGER",
        "carrier": "VARCHAR",
        "fare": "DECIMAL(3, 2)",
        "day": "DATE",
        "r": "FLOAT",
    }
    table = sqlalchemy.Table("flights", sqlalchemy.MetaData(), autoload_with=engine)
    with engine.connect() as connection:
        chosen = sqlalchemy.select(table.c.carrier).where(table.c.n == 2)
        assert connection.execute(chosen).scalar_one() == "AA"
    engine.dispose()
