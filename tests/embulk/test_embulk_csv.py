"""What Embulk's csv parser makes of a text."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.embulk.conftest import Load

pytestmark = pytest.mark.mariadb

COLUMNS = {"id": "long", "v": "string"}


@pytest.fixture(autouse=True)
def _table(load: Load) -> None:
    load.sql("CREATE TABLE t (id INT PRIMARY KEY, v MEDIUMTEXT)")


def values(load: Load) -> list[str | None]:
    return [value for (value,) in load.sql("SELECT v FROM t ORDER BY id")]


def test_nothing_is_null_and_quotes_alone_are_an_empty_string(load: Load) -> None:
    csv = 'id,v\n1,\n2,""\n3,NULL\n4,"NULL"\n5,\\N\n6,a\\b\n7," x "\n8, y \n9,"c\\""d"\n'
    assert load.run(csv, COLUMNS, mode="insert").status == "loaded"
    found = [None, "", "NULL", "NULL", "\\N", "a\\b", " x ", " y ", 'c\\"d']
    assert values(load) == found


@pytest.mark.parametrize("bad", ["x,b", "2", "2,b,c", '2,"b'])
def test_an_invalid_record_fails_the_load_only_when_told_so(load: Load, bad: str) -> None:
    csv = f"id,v\n1,a\n{bad}\n"
    strict = load.run(csv, COLUMNS, mode="insert")
    assert (strict.status, values(load)) == ("failed", [])
    assert "Invalid record at" in strict.log
    lax = load.run(csv, COLUMNS, mode="insert", parser={"stop_on_invalid_record": False})
    assert (lax.status, lax.rows, lax.skipped) == ("loaded", 1, 1)
    assert values(load) == ["a"]


def test_the_log_quotes_an_invalid_record(load: Load) -> None:
    assert "private words" in load.run("id,v\nx,private words\n", COLUMNS, mode="insert").log


def test_long_quoted_fields_need_a_limit(load: Load) -> None:
    csv = f'id,v\n1,"{"x" * 131073}"\n'
    assert "exceeds the limit (131072)" in load.run(csv, COLUMNS, mode="insert").log
    limit = {"max_quoted_size_limit": 2_000_000}
    option = {"v": {"type": "MEDIUMTEXT"}}
    got = load.run(csv, COLUMNS, mode="insert", parser=limit, column_options=option)
    assert got.status == "loaded"
    assert values(load) == ["x" * 131073]


@pytest.mark.parametrize(("newline", "found"), [("LF", "\n"), ("CR", "\r"), ("CRLF", "\r\n")])
def test_every_line_break_becomes_the_one_of_the_configuration(
    load: Load, newline: str, found: str
) -> None:
    csv = b'id,v\n1,"a\rb"\n2,"a\r\nb"\n3,"a\nb"\n'
    got = load.run(csv, COLUMNS, mode="insert", parser={"newline": newline})
    assert got.status == "loaded"
    assert values(load) == [f"a{found}b"] * 3


def test_bytes_that_are_no_utf_8_become_question_marks_in_silence(load: Load) -> None:
    assert load.run(b"id,v\n1,\xff\n", COLUMNS, mode="insert").status == "loaded"
    assert values(load) == ["�"]


def test_a_nul_in_a_quoted_field_fails_the_load(load: Load) -> None:
    got = load.run(b'id,v\n1,"a\0b"\n2,c\n', COLUMNS, mode="insert")
    assert (got.status, values(load)) == ("failed", [])


def test_a_null_in_the_only_column_is_an_empty_line_and_lost_in_silence(load: Load) -> None:
    load.sql("CREATE OR REPLACE TABLE t (v MEDIUMTEXT)")
    got = load.run("v\na\n\nb\n", {"v": "string"}, mode="insert")
    assert (got.status, got.rows, got.skipped) == ("loaded", 2, 0)


def test_gzip_is_read(load: Load) -> None:
    config = load.config(gzip.compress(b"id,v\n1,a\n"), COLUMNS, mode="insert")
    changed = config.replace('"in": {', '"in": {"decoders": [{"type": "gzip"}], ')
    assert load.embulk.run(changed).status == "loaded"
    assert values(load) == ["a"]
