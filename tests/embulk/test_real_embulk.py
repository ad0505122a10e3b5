"""What a real Embulk does with a MariaDB: facts that our configurations and checks rest on."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.embulk.conftest import Load

pytestmark = pytest.mark.mariadb

NASTY = (
    "id,name,at\n"
    '1,"a ""quoted"" word, a \\ and a\nnew line",2013-01-01 05:15:00.123456\n'
    '2,"",\n'
    "3,,1969-12-31 23:59:59.999999\n"
    '4,"\U0001f600 東京",2013-01-01 00:00:00.000000\n'
)
COLUMNS = {"id": "long", "name": "string", "at": "timestamp"}
EXPECTED = [
    (1, 'a "quoted" word, a \\ and a\nnew line', datetime(2013, 1, 1, 5, 15, 0, 123456)),
    (2, "", None),
    (3, None, datetime(1969, 12, 31, 23, 59, 59, 999999)),
    (4, "\U0001f600 東京", datetime(2013, 1, 1)),
]
OPTIONS = {
    "id": {"type": "BIGINT"},
    "name": {"type": "VARCHAR(100)"},
    "at": {"type": "DATETIME(6)"},
}
TARGET = "CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR(100), at DATETIME(6))"
MODES = ["insert", "insert_direct", "truncate_insert", "replace", "merge", "merge_direct"]


@pytest.mark.parametrize("mode", MODES)
def test_nulls_empty_strings_quotes_new_lines_and_emoji_arrive(load: Load, mode: str) -> None:
    load.sql(TARGET)
    got = load.run(NASTY, COLUMNS, mode=mode, column_options=OPTIONS)
    assert (got.status, got.rows, got.skipped) == ("loaded", 4, 0), got.log
    assert load.sql("SELECT * FROM t ORDER BY id") == EXPECTED
    assert load.leftovers() == []
