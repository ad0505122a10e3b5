"""PyAthena's cursors that read the result object itself: pandas, Arrow, Polars, plain S3."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pandas as pd
import pyarrow.fs
import pytest
from pyathena.arrow.cursor import ArrowCursor
from pyathena.error import OperationalError
from pyathena.pandas.async_cursor import AsyncPandasCursor
from pyathena.pandas.cursor import PandasCursor
from pyathena.pandas.util import to_sql
from pyathena.polars.cursor import PolarsCursor
from pyathena.s3fs.cursor import S3FSCursor

if TYPE_CHECKING:
    from tests.clients.scenarios.conftest import Place

TYPES = """
SELECT 1 AS n, BIGINT '9223372036854775807' AS b, DOUBLE '0.5' AS d, REAL '1.25' AS r, true AS t,
  DATE '2024-02-29' AS day, TIMESTAMP '2024-02-29 01:02:03.456' AS at,
  DECIMAL '12.50' AS amount, 'it is "text"' AS s
"""
NUMBERS = "SELECT x, cast(x AS varchar) AS s FROM UNNEST(sequence(1, 2500)) AS t (x) ORDER BY x"
GAPS = "SELECT * FROM (VALUES (1, '', 1.5), (2, NULL, NULL), (3, 'x', 2.5)) AS t (n, s, d)"


def test_pandas(connection: Any) -> None:
    with connection.cursor(PandasCursor) as cursor:
        frame = cursor.execute(TYPES).as_pandas()
        assert [str(kind) for kind in frame.dtypes[:5]] == [
            *("Int64", "Int64", "float64", "float64", "bool")
        ]
        assert frame["b"][0] == 9223372036854775807
        assert frame["amount"][0] == Decimal("12.50")
        assert frame["s"][0] == 'it is "text"'
        cursor.execute(TYPES)
        row = cursor.fetchone()
        assert pd.Timestamp(row[5]).date() == date(2024, 2, 29)
        assert row[6] == datetime(2024, 2, 29, 1, 2, 3, 456000)


def test_pandas_by_pieces(connection: Any) -> None:
    with connection.cursor(PandasCursor) as cursor:
        pieces = list(cursor.execute(NUMBERS, chunksize=1000).as_pandas())
        assert [len(piece) for piece in pieces] == [1000, 1000, 500]
        assert int(pieces[2]["x"].iloc[-1]) == 2500


def test_pandas_through_unload(connection: Any) -> None:
    with connection.cursor(PandasCursor, unload=True) as cursor:
        frame = cursor.execute(NUMBERS).as_pandas()
        assert sorted(frame["x"]) == list(range(1, 2501))
        assert cursor.data_manifest_location.endswith("-manifest.csv")
        gaps = cursor.execute(GAPS).as_pandas().sort_values("n")
        assert list(gaps["s"].fillna("nothing")) == ["", "nothing", "x"]
        assert cursor.execute("SELECT 1 AS n WHERE false").as_pandas().empty


def test_pandas_in_threads(connection: Any) -> None:
    with connection.cursor(AsyncPandasCursor) as cursor:
        _, future = cursor.execute(GAPS)
        assert len(future.result().as_pandas()) == 3


def test_a_frame_becomes_a_table(connection: Any, place: Place) -> None:
    frame = pd.DataFrame({"n": [1, 2, 3], "s": ["a", "b", None], "part": ["x", "x", "y"]})
    to_sql(
        frame,
        "framed",
        connection,
        place.path("framed"),
        schema=place.database,
        partitions=["part"],
        if_exists="replace",
        index=False,
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT n, s, part FROM framed ORDER BY n")
        assert cursor.fetchall() == [(1, "a", "x"), (2, "b", "x"), (3, None, "y")]


def arrow_cursor(connection: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lead pyarrow to the endpoint: its S3FileSystem reads no variable (PyAthena 3 builds it)."""
    endpoint = urlsplit(connection.session.client("s3").meta.endpoint_url)
    plain = pyarrow.fs.S3FileSystem

    def led(*_: Any, **__: Any) -> Any:
        return plain(
            endpoint_override=endpoint.netloc,
            scheme=endpoint.scheme,
            access_key="local",
            secret_key="local",
            region="us-east-1",
        )

    monkeypatch.setattr(pyarrow.fs, "S3FileSystem", led)
    return connection.cursor(ArrowCursor)


def test_arrow(connection: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with arrow_cursor(connection, monkeypatch) as cursor:
        table = cursor.execute(TYPES).as_arrow()
        assert [str(kind) for kind in table.schema.types[:5]] == [
            *("int32", "int64", "double", "float", "bool")
        ]
        (row,) = table.to_pylist()
        assert row["day"] in {date(2024, 2, 29), datetime(2024, 2, 29)}
        assert row["at"] == datetime(2024, 2, 29, 1, 2, 3, 456000)
        assert row["amount"] == "12.50"  # PyAthena reads decimals as text here
        assert cursor.execute(NUMBERS).as_arrow().num_rows == 2500


def test_arrow_through_unload(connection: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with arrow_cursor(connection, monkeypatch) as cursor:
        cursor._unload = True  # noqa: SLF001 - the helper takes no options
        table = cursor.execute(GAPS).as_arrow().sort_by("n")
        assert table["s"].to_pylist() == ["", None, "x"]


def test_polars(connection: Any) -> None:
    with connection.cursor(PolarsCursor) as cursor:
        frame = cursor.execute(TYPES).as_polars()
        row = frame.row(0, named=True)
        assert (row["n"], row["b"], row["d"], row["t"]) == (1, 9223372036854775807, 0.5, True)
        assert row["day"] == date(2024, 2, 29)
        assert row["amount"] == Decimal("12.50")
        assert cursor.execute(NUMBERS).as_polars().height == 2500


def test_plain_s3_tells_nothing_from_empty(connection: Any) -> None:
    with connection.cursor(S3FSCursor) as cursor:
        cursor.execute(GAPS)
        assert sorted(cursor.fetchall()) == [
            (1, "", Decimal("1.5")),
            (2, None, None),
            (3, "x", Decimal("2.5")),
        ]
        with pytest.raises(OperationalError, match="TABLE_NOT_FOUND"):
            cursor.execute("SELECT * FROM nowhere")
