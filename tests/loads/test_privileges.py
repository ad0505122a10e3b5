"""What SHOW GRANTS says about one schema."""

from __future__ import annotations

import pytest

from runner.loads.privileges import privileges_of

TO = " TO `ana`@`%`"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["GRANT USAGE ON *.* TO `ana`@`%` IDENTIFIED BY PASSWORD '*1'"], {"USAGE"}),
        ([f"GRANT SELECT ON *.*{TO}", f"GRANT INSERT ON `mart`.*{TO}"], {"SELECT", "INSERT"}),
        ([f"GRANT ALL PRIVILEGES ON `mart`.*{TO} WITH GRANT OPTION"], {"ALL PRIVILEGES"}),
        ([f"GRANT ALL ON `m_rt`.*{TO}"], {"ALL PRIVILEGES"}),
        ([f"GRANT ALL ON `m\\_rt`.*{TO}"], set()),
        ([f"GRANT ALL ON `ma%`.*{TO}"], {"ALL PRIVILEGES"}),
        ([f"GRANT ALL ON `other`.*{TO}"], set()),
        ([f"GRANT SELECT ON `other`.`t`{TO}"], set()),
        ([f"GRANT SELECT ON `mart`.`t`{TO}"], None),
        ([f"GRANT SELECT (`a`), INSERT ON `mart`.`t`{TO}"], None),
        ([f"GRANT `loader`{TO}"], None),
        (["REVOKE INSERT ON `mart`.* FROM `ana`@`%`"], None),
        ([f"GRANT EXECUTE ON PROCEDURE `mart`.`p`{TO}", f"GRANT PROXY ON ''@'%'{TO}"], set()),
    ],
)
def test_privileges_on_a_schema(lines: list[str], expected: set[str] | None) -> None:
    found = privileges_of(lines, "mart")
    assert found == (None if expected is None else frozenset(expected))


def test_a_mark_in_a_schemas_name() -> None:
    assert privileges_of([f"GRANT INSERT ON `m``t`.*{TO}"], "m`t") == frozenset({"INSERT"})
