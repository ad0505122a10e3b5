"""Every mask gives the values that it promises, twice the same; expected values are by hand.

The keyed hash is RFC 4231's second test case: HMAC-SHA256 of "what do ya want for nothing?" under
the key "Jefe".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.query import masking

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.query.masking import Parts
    from tests.local_athena.conftest import World

RFC_4231 = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
DAY = ("DATE '2013-06-15'",)
CASES: dict[str, tuple[Parts, Sequence[tuple[str, object]]]] = {
    "null": (masking.null("x"), [("'a'", None), ("7", None), ("DATE '2000-01-01'", None)]),
    "domain": (
        masking.domain("x"),
        [
            ("'ann@Example.COM'", "example.com"),
            ("'\"a@b\"@c.org'", "c.org"),
            ("'no address'", None),
            ("'ends@'", None),
            ("CAST(NULL AS varchar)", None),
        ],
    ),
    "truncate": (
        masking.truncate("x", 3),
        [("'Wilhelm'", "Wil"), ("'Bo'", "Bo"), ("12345", "123"), ("'åäö!'", "åäö")],
    ),
    "constant": (masking.constant("it's"), [("'a'", "it's"), ("CAST(NULL AS varchar)", "it's")]),
    "hash": (
        masking.keyed_hash("x", "db.keys.key"),
        [("'what do ya want for nothing?'", RFC_4231), ("CAST(NULL AS varchar)", None)],
    ),
    "age_decade": (
        masking.age_decade("x", DAY),
        [
            ("DATE '1983-06-15'", 30),  # thirty on the very day
            ("DATE '1983-06-16'", 20),  # tomorrow
            ("DATE '2013-06-15'", 0),
            ("DATE '2013-06-16'", None),  # not born yet
            ("DATE '1900-01-01'", 90),
            ("'1983-06-15'", 30),
            ("'yesterday'", None),  # an error would show the value
            ("TIMESTAMP '1983-06-15 23:59:59'", 30),
            ("DATE '1992-02-29'", 20),
        ],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_mask_gives_its_value(world: World, case: str) -> None:
    parts, expected = CASES[case]
    world.run("CREATE TABLE db.keys AS SELECT 'Jefe' AS key")
    mask = "".join(map(str, parts))
    for value, masked in expected:
        for _ in range(2):
            assert world.rows(f"SELECT {mask} FROM (SELECT {value} AS x)") == [(masked,)], value


@pytest.mark.parametrize(
    ("columns", "values", "born", "age"),
    [
        ([("dt", "yyyy-MM-dd")], "'2013-06-15' AS dt", "1983-06-15", 30),
        ([("dt", "yyyyMMdd")], "'20130615' AS dt", "1983-06-16", 20),
        ([("dt", "yyyy-MM-dd-HH")], "'2013-06-15-23' AS dt", "1983-06-15", 30),
        ([("m", "yyyy-MM")], "'2013-06' AS m", "1983-06-01", 30),
        ([("m", "yyyy-MM")], "'2013-06' AS m", "1983-06-02", 20),
        (
            [("y", "yyyy"), ("m", "MM"), ("d", "dd")],
            "'2013' AS y, '06' AS m, '15' AS d",
            "1983-06-15",
            30,
        ),
    ],
)
def test_an_age_is_taken_at_the_partition(
    world: World, columns: list[tuple[str, str]], values: str, born: str, age: int
) -> None:
    day = masking.day_of_partition(columns)
    mask = "".join(map(str, masking.age_decade("born", day)))
    found = world.rows(f"SELECT {mask} FROM (SELECT DATE '{born}' AS born, {values})")
    assert found == [(age,)]


def test_a_key_of_two_rows_fails_the_statement(world: World) -> None:
    world.run("CREATE TABLE db.keys AS SELECT * FROM (VALUES 'a', 'b') AS t(key)")
    mask = "".join(map(str, masking.keyed_hash("'x'", "db.keys.key")))
    assert "multiple rows" in world.failure(f"SELECT {mask}").lower()


def test_masked_columns_keep_a_type_that_a_table_can_have(world: World) -> None:
    world.run("CREATE TABLE db.keys AS SELECT 'Jefe' AS key")
    masks = {
        "a": masking.null("born"),
        "b": masking.domain("email"),
        "c": masking.truncate("email", 2),
        "d": masking.constant("x"),
        "e": masking.keyed_hash("email", "db.keys.key"),
        "f": masking.age_decade("born", DAY),
    }
    items = ", ".join(f"{''.join(map(str, parts))} AS {name}" for name, parts in masks.items())
    people = "(SELECT 'ann@example.com' AS email, DATE '1983-06-15' AS born)"
    world.run(f"CREATE TABLE db.masked AS SELECT {items} FROM {people}")
    table = world.catalog.service("getTable", {"DatabaseName": "db", "Name": "masked"})["Table"]
    types = {c["Name"]: c["Type"] for c in table["StorageDescriptor"]["Columns"]}
    assert types == {
        "a": "date",
        "b": "string",
        "c": "string",
        "d": "string",
        "e": "string",
        "f": "bigint",
    }
