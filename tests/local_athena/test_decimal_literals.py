"""A bare 1.5 is a DOUBLE in Athena; a DECIMAL says so.

Athena's guide gives 1.234 as the literal of DOUBLE and DECIMAL '123.456' as that of DECIMAL ("Data
type examples"), and its clients' tests read `SELECT 1.2` as a float.  Trino's own default, DECIMAL,
is a setting: see the tests that are marked `trino_decimals`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.local_athena.conftest import World


@pytest.mark.parametrize(
    ("expression", "value", "kind"),
    [
        ("1.5", 1.5, "double"),
        ("-.25", -0.25, "double"),
        ("3.", 3.0, "double"),
        ("1.0 / 3", 1 / 3, "double"),
        ("7 * 0.1", 7 * 0.1, "double"),
        ("0.1 + 0.2", 0.1 + 0.2, "double"),
        ("round(2.55, 1)", 2.6, "double"),
        ("12345678901234567890.5", 12345678901234567890.5, "double"),
        ("DECIMAL '1.50'", Decimal("1.50"), "decimal(3,2)"),
        ("DECIMAL '1.50' * 2", Decimal("3.00"), "decimal(13,2)"),
        ("DECIMAL '1.50' * 2.0", 3.0, "double"),
        ("CAST(1.5 AS decimal(4, 2))", Decimal("1.50"), "decimal(4,2)"),
        ("CAST(1.50 AS varchar)", "1.5E0", "varchar"),
        ("ARRAY[1, 2.5]", [1.0, 2.5], "array(double)"),
        ("if(true, 1, 1.5)", 1.0, "double"),
        ("'1.5'", "1.5", "varchar(3)"),
        ("format('%s', 1.50)", "1.5", "varchar"),
    ],
)
def test_the_type_of_a_literal(world: World, expression: str, value: object, kind: str) -> None:
    assert world.rows(f"SELECT {expression}, typeof({expression})") == [(value, kind)]


def test_a_division_by_zero_is_infinite(world: World) -> None:
    assert world.rows("SELECT 1.5 / 0, -1.5 / 0") == [(float("inf"), float("-inf"))]


def test_a_column_of_such_literals_is_a_double(world: World) -> None:
    world.run(
        "CREATE TABLE t WITH (external_location='s3://b/t/') AS SELECT 0.33 AS a, 0.1 + 1 AS b"
    )
    columns = world.catalog.get_table(DatabaseName="db", Name="t")["Table"]["StorageDescriptor"]
    assert [each["Type"] for each in columns["Columns"]] == ["double", "double"]


def test_text_is_not_compared_with_one(world: World) -> None:
    reason = world.failure("SELECT '1' < 2.5")
    assert "Cannot apply operator: varchar(1) < double" in reason


def test_another_literal_has_a_translation_of_its_own_meaning(world: World) -> None:
    for text, value in (("1.5", 1.5), ("2.25", 2.25), ("10.125", 10.125)):
        assert world.rows(f"SELECT {text} * 2") == [(value * 2,)]
