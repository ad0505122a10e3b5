"""The quick ways to cast text take exactly what the thorough ones take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from runner.local.athena.macros import definition, macros_called

if TYPE_CHECKING:
    from tests.local_athena.conftest import World

NUMBERS = (
    *("0", "7", "-7", "+7", "007", "12345678901234567890", "", " ", "7 ", " 7", "1.5", "-.5", "5."),
    *("1e5", "1E-5", "1.5d", "2f", "1_000", "0x10", "NaN", "Infinity", "-Infinity", "inf", "true"),
    *("1,5", "١", "7\n", "--7", "+-7", "e5", ".", "1e", "9" * 40),
)


@pytest.mark.parametrize("kind", ["integer", "decimal", "float"])
def test_plain_macros_give_what_the_others_give(kind: str) -> None:
    with duckdb.connect() as connection:
        call = f"__plain_{kind}_text(t), __{kind}_text(t)"
        for name in macros_called(call):
            connection.execute(definition(name))
        rows = connection.execute(
            f"SELECT t, {call} FROM (SELECT unnest(?) AS t)", [[*NUMBERS, None]]
        ).fetchall()
    assert len(rows) == len(NUMBERS) + 1
    assert [(text, one) for text, one, _ in rows] == [(text, other) for text, _, other in rows]


DATES = {
    "2013-01-05": "2013-01-05",
    " 2013-01-05 ": "2013-01-05",
    "2013-1-5": "2013-01-05",
    "2012-02-29": "2012-02-29",
    "2013-02-29": None,
    "  13-01-01": "0013-01-01",
    "13-01-0001": None,
    "2013/01/05": None,
    "2013-01-5x": None,
    "20130105": None,
    "epoch": None,
    "infinity": None,
    "0044-03-15 (BC)": None,
    "": None,
}


@pytest.mark.parametrize("text", DATES)
def test_dates_of_usual_and_other_forms(world: World, text: str) -> None:
    assert one(world, text, "date") == DATES[text]


STAMPS = {
    "2013-01-05": "2013-01-05 00:00:00.000",
    "2013-01-05 01:02:03": "2013-01-05 01:02:03.000",
    "2013-01-05 01:02:03.5": "2013-01-05 01:02:03.500",
    "2013-01-05 01:02:03.1234": "2013-01-05 01:02:03.123",
    "2013-01-05 01:02:03.1235": "2013-01-05 01:02:03.124",
    "2013-01-05 01:02:03.999999": "2013-01-05 01:02:04.000",
    "2013-01-05 01:02:03.1234567": "2013-01-05 01:02:03.123",
    "2013-01-05 1:2": "2013-01-05 01:02:00.000",
    "2013-01-05 24:00:00": None,
    "2013-01-05T01:02:03": None,
    "2013-01-05  1:02:03": None,
    "2013-01-05  1:02:03.5": None,
    "2013-01-05 01:02:3 ": "2013-01-05 01:02:03.000",
    "2013-01-05 23:59:60": None,
    "2013-01-05 01:02:03+01": None,
    "2013-01-05 01:02:03.5Z": "2013-01-05 01:02:03.500",
    "2013-01-05 01:02:03.": None,
    "2013-01-05 01:02:03.5 ": "2013-01-05 01:02:03.500",
    "2013-02-30 01:02:03": None,
}


@pytest.mark.parametrize("text", STAMPS)
def test_timestamps_of_usual_and_other_forms(world: World, text: str) -> None:
    assert one(world, text, "timestamp") == STAMPS[text]


def one(world: World, text: str, kind: str) -> object:
    sql = f"SELECT CAST(TRY_CAST(t AS {kind}) AS varchar) FROM (VALUES '{text}') AS v(t)"
    return world.rows(sql)[0][0]


def test_a_failure_inside_of_try_stays_there(world: World) -> None:
    values = "(VALUES ('1', 1), ('x', 0)) AS v(t, n)"
    sql = "SELECT {} FROM " + values + " ORDER BY t"
    assert world.rows(sql.format("try(CAST(t AS integer))")) == [(1,), (None,)]
    inner = "try(CAST(CAST(1 / n AS varchar) AS integer))"
    assert world.rows(sql.format(inner)) == [(1,), (None,)]


def test_a_value_of_chance_is_taken_once(world: World) -> None:
    once = "CAST(CAST(random(1000000000) AS varchar) AS bigint)"
    rows = world.rows(f"SELECT {once} BETWEEN 0 AND 999999999 FROM UNNEST(sequence(1, 50)) AS s(x)")
    assert rows == [(True,)] * 50
