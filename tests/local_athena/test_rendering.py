"""Rows are written as text column by column, value for value as one by one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from runner.local.athena.render import render, render_column
from runner.local.athena.sqltypes import parse_type

if TYPE_CHECKING:
    from tests.local_athena.conftest import World

VALUES: dict[str, list[tuple[Any, str | None]]] = {
    "bigint": [(0, "0"), (-(2**63), "-9223372036854775808"), (None, None)],
    "tinyint": [(7, "7")],
    "varchar": [("", ""), ('a "b", c', 'a "b", c'), ("null", "null"), (None, None)],
    "boolean": [(True, "true"), (False, "false"), (None, None)],
    "double": [
        *[(0.0, "0.0"), (-0.0, "-0.0"), (1.5, "1.5"), (0.001, "0.001"), (0.0009, "9.0E-4")],
        *[(9999999.0, "9999999.0"), (1e7, "1.0E7"), (-1e7, "-1.0E7"), (1e300, "1.0E300")],
        *[(float("nan"), "NaN"), (float("inf"), "Infinity"), (None, None)],
    ],
    "real": [(1.100000023841858, "1.1"), (None, None)],
    "decimal(10,2)": [(Decimal("12.30"), "12.30"), (Decimal("0E-2"), "0.00"), (None, None)],
    "date": [(date(2013, 1, 5), "2013-01-05"), (date(7, 1, 5), "0007-01-05"), ("-0043", "-0043")],
    "timestamp": [
        (datetime(2013, 1, 5, 1, 2, 3, 999999), "2013-01-05 01:02:03.999"),
        (datetime(7, 1, 5), "0007-01-05 00:00:00.000"),
        (None, None),
    ],
    "timestamp with time zone": [
        (datetime(2013, 1, 5, tzinfo=UTC), "2013-01-05 00:00:00.000 UTC"),
        (None, None),
    ],
    "interval day to second": [(timedelta(days=1, hours=2), "1 02:00:00.000")],
    "varbinary": [(b"\x01\xff", "01 ff"), (None, None)],
    "array(double)": [([1.0, None], "[1.0, null]"), (None, None)],
    "row(a bigint, b boolean)": [({"a": 1, "b": True}, "{a=1, b=true}")],
}


@pytest.mark.parametrize("kind", VALUES)
def test_columns_are_written_as_values_are(kind: str) -> None:
    found = parse_type(kind)
    values = [value for value, _ in VALUES[kind]]
    texts = [text for _, text in VALUES[kind]]
    assert render_column(values, found) == texts
    assert [render(value, found) for value in values] == texts


def test_a_result_file_quotes_all_but_nulls(world: World) -> None:
    run = world.run("""SELECT 'a "b", c' AS "x""y", NULL AS n, '' AS e, 1 AS i, 'p' AS p""")
    text = world.s3.path_of(run["ResultConfiguration"]["OutputLocation"]).read_text()
    assert text == '"x""y","n","e","i","p"\n"a ""b"", c",,"","1","p"\n'
    run = world.run("SELECT 'a' AS x, 2 AS i")
    text = world.s3.path_of(run["ResultConfiguration"]["OutputLocation"]).read_text()
    assert text == '"x","i"\n"a","2"\n'


def test_a_time_has_the_digits_of_its_type(world: World) -> None:
    # awswrangler's suite met the first in AWS; PyAthena's reader wants the second with three.
    run = world.run(
        "SELECT TIME '13:24:11' AS a, CAST(TIMESTAMP '2020-01-01 01:02:03' AS time) AS b, "
        "TIME '13:24:11.5' AS c, TIME '13:24:11.123456' AS d, "
        "TIME '12:34:56.789 -00:30' AS e"
    )
    text = world.s3.path_of(run["ResultConfiguration"]["OutputLocation"]).read_text()
    assert text.splitlines()[1] == (
        '"13:24:11","01:02:03.000","13:24:11.5","13:24:11.123456","12:34:56.789-00:30"'
    )
