"""Which way rows go into MySQL, and that a way that fails leaves the mart as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from runner.model.ports import ServiceError
from tests.loader.conftest import Lake
from tests.loader.test_values import NASTY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.loader.conftest import Mart
    from tests.support.mariadb import MariaDb

pytestmark = pytest.mark.mariadb

DAY1, DAY2 = "2013-01-01", "2013-01-02"
BOTH: dict[str, Any] = {"days": [DAY1, DAY2]}
MERGE: dict[str, Any] = {**BOTH, "mode": "merge", "keys": ["dt", "carrier"]}
TOTAL = "SELECT count(*), sum(flights) FROM carrier_day"
LEDGER = "SELECT count(*) FROM _runner_loads"


@pytest.fixture
def without_files(mariadb: MariaDb) -> Iterator[None]:
    """Make the server refuse LOAD DATA LOCAL."""
    mariadb.query("SET GLOBAL local_infile = OFF")
    yield
    mariadb.query("SET GLOBAL local_infile = ON")


@pytest.fixture
def small_packets(mariadb: MariaDb) -> Iterator[int]:
    """Let the server take statements and packets of 64 KiB only."""
    ((size,),) = mariadb.query("SELECT @@GLOBAL.max_allowed_packet")
    mariadb.query("SET GLOBAL max_allowed_packet = 65536")
    yield 65536
    mariadb.query(f"SET GLOBAL max_allowed_packet = {size}")


@pytest.mark.parametrize(
    ("changes", "way"),
    [
        (BOTH, "direct"),
        ({}, "direct"),
        ({"mode": "truncate_insert"}, "direct"),
        ({"mode": "insert"}, "direct"),
        ({"mode": "insert_direct"}, "direct"),
        (MERGE, "staged"),
        ({**MERGE, "mode": "merge_direct"}, "staged"),
    ],
)
def test_rows_that_are_only_added_go_directly(
    mysql_mart: Mart, lake: Lake, changes: dict[str, Any], way: str
) -> None:
    for publish in ("p1", "p1"):
        result = lake.load(mysql_mart, **changes, publish_id=publish)
    assert (result.skipped, result.way) == (True, "")
    mysql_mart.query("DROP TABLE carrier_day")
    assert lake.load(mysql_mart, **changes, publish_id="p2").way == way
    assert mysql_mart.query(TOTAL) == [(4, 524)]


@pytest.mark.parametrize("column", ["ENUM('AA', 'UA')", "SET('AA', 'UA')"])
def test_columns_that_take_numbers_for_positions_are_staged(
    mysql_mart: Mart, lake: Lake, column: str
) -> None:
    mysql_mart.query(f"CREATE TABLE carrier_day (dt DATE, carrier {column}, flights BIGINT)")
    columns = [
        {"name": "carrier", "athena_type": "varchar(2)", "mart_type": None},
        {"name": "flights", "athena_type": "bigint", "mart_type": None},
        {"name": "dt", "athena_type": "string", "mart_type": "DATE"},
    ]
    assert lake.load(mysql_mart, **BOTH, columns=columns).way == "staged"
    assert mysql_mart.query("SELECT carrier, sum(flights) FROM carrier_day GROUP BY 1") == [
        ("AA", 189),
        ("UA", 335),
    ]


def test_booleans_into_bits_are_staged(mysql_mart: Mart, tmp_path: Path) -> None:
    """LOAD DATA would take the character: 1 is 0x31, which BIT(8) keeps as 49."""
    lake = Lake(tmp_path, {"n": "int", "x": "boolean"}, None)
    lake.write("a", "SELECT * FROM (VALUES (1, true), (2, false), (3, NULL)) t(n, x)")
    mysql_mart.query("CREATE TABLE carrier_day (n INT, x BIT(8))")
    assert lake.load(mysql_mart, mode="truncate_insert").way == "staged"
    assert mysql_mart.query("SELECT n, x + 0 FROM carrier_day ORDER BY n") == [
        (1, 1),
        (2, 0),
        (3, None),
    ]


@pytest.mark.usefixtures("without_files")
def test_without_files_rows_go_by_insert_in_every_mode(mysql_mart: Mart, lake: Lake) -> None:
    for number, changes in enumerate((BOTH, {}, {"mode": "truncate_insert"}, MERGE)):
        mysql_mart.query("DROP TABLE IF EXISTS carrier_day")
        for again in ("", "again"):
            result = lake.load(mysql_mart, **changes, publish_id=f"p{number}{again}")
            assert (result.way, result.rows) == ("insert", 4)
            assert mysql_mart.query(TOTAL) == [(4, 524)]


@pytest.mark.usefixtures("without_files")
def test_a_merge_by_insert_updates_and_keeps(mysql_mart: Mart, lake: Lake) -> None:
    lake.load(mysql_mart, **MERGE)
    del lake.files["dt=2013-01-02/b"]
    lake.write("dt=2013-01-02/a", "SELECT 'AA' AS carrier, 7::BIGINT AS flights", dt=DAY2)
    assert lake.load(mysql_mart, **MERGE).rows == 3
    assert mysql_mart.query("SELECT dt, carrier, flights FROM carrier_day ORDER BY 1, 2") == [
        (DAY1, "AA", 94),
        (DAY1, "UA", 165),
        (DAY2, "AA", 7),
        (DAY2, "UA", 170),
    ]


@pytest.mark.usefixtures("without_files")
def test_every_value_by_insert(mysql_mart: Mart, tmp_path: Path) -> None:
    lake = Lake(tmp_path, {"n": "int", "s": "string", "b": "varbinary", "d": "double"}, None)
    values = ", ".join(
        f"({n}, '{s.replace(chr(39), chr(39) * 2)}', '\\x00\\x27\\xFF'::BLOB, 0.1::DOUBLE)"
        for n, s in enumerate([*NASTY, "a\0b"])
    ).replace("\0", "' || chr(0) || '")
    lake.write("a", f"SELECT * FROM (VALUES {values}, (99, NULL, NULL, NULL)) t(n, s, b, d)")
    assert lake.load(mysql_mart).way == "insert"
    assert mysql_mart.query("SELECT s, b, d FROM carrier_day ORDER BY n") == [
        *((s, b"\x00'\xff", 0.1) for s in [*NASTY, "a\0b"]),
        (None, None, None),
    ]


@pytest.mark.usefixtures("without_files")
@pytest.mark.parametrize("letter", ["x", "漢", "😀", "''"])
def test_more_than_one_statement_takes(
    mysql_mart: Mart, tmp_path: Path, small_packets: int, letter: str
) -> None:
    """Statements are cut by bytes: an emoji has four, and a quote is doubled."""
    lake = Lake(tmp_path, {"n": "int", "s": "string"}, None)
    lake.write("a", f"SELECT i AS n, repeat('{letter}', 1000) AS s FROM range(500) t(i)")
    size = len(letter.replace("''", "'").encode()) * 1000 * 500
    assert size > small_packets * 5
    assert lake.load(mysql_mart).rows == 500
    total = "SELECT count(DISTINCT n), sum(length(s)), count(DISTINCT s) FROM carrier_day"
    assert mysql_mart.query(total) == [(500, size, 1)]


@pytest.mark.usefixtures("without_files")
def test_a_row_that_no_statement_takes_is_refused_by_name(
    mysql_mart: Mart, tmp_path: Path, small_packets: int
) -> None:
    lake = Lake(tmp_path, {"n": "int", "s": "string"}, None)
    lake.write("a", f"SELECT 1 AS n, 'a' AS s UNION ALL SELECT 2, repeat('x', {small_packets})")
    with pytest.raises(ServiceError) as caught:
        lake.load(mysql_mart)
    assert caught.value.error == "Load.RowTooLarge"
    assert "max_allowed_packet" in caught.value.cause
    assert mysql_mart.query("SELECT count(*) FROM carrier_day") == [(0,)]


@pytest.mark.parametrize("mode", ["truncate_insert", "merge"])
def test_small_packets_and_larger_values(
    mysql_mart: Mart, tmp_path: Path, small_packets: int, mode: str
) -> None:
    """LOAD DATA knows no limit of a value, only one of a packet; directly, and staged."""
    lake = Lake(tmp_path, {"n": "int", "s": "string", "b": "varbinary"}, None)
    size = small_packets * 3
    lake.write("a", f"SELECT i AS n, repeat('x', {size}) AS s, 'ab'::BLOB AS b FROM range(9) t(i)")
    result = lake.load(mysql_mart, mode=mode, keys=["n"] if mode == "merge" else [])
    assert result.rows == 9
    assert mysql_mart.query("SELECT n, length(s), b FROM carrier_day ORDER BY n") == [
        (n, size, b"ab") for n in range(9)
    ]


@pytest.mark.usefixtures("small_packets")
@pytest.mark.parametrize("mode", ["truncate_insert", "merge"])
def test_a_large_binary_arrives_or_is_refused(mysql_mart: Mart, tmp_path: Path, mode: str) -> None:
    """UNHEX is bounded by max_allowed_packet on some servers, with NULL for what is longer."""
    lake = Lake(tmp_path, {"n": "int", "b": "varbinary"}, None)
    lake.write("a", "SELECT 1 AS n, repeat('x', 300000)::BLOB AS b")
    try:
        lake.load(mysql_mart, mode=mode, keys=["n"] if mode == "merge" else [])
    except ServiceError:
        assert mysql_mart.query("SELECT count(*) FROM carrier_day") == [(0,)]
    else:
        assert mysql_mart.query("SELECT length(b) FROM carrier_day") == [(300_000,)]


TOO_LONG = "SELECT 'LONG' AS carrier, 1::BIGINT AS flights"
TWICE = "SELECT 'AA' AS carrier, 1::BIGINT AS flights UNION ALL SELECT 'AA', 2"
LACKING = "SELECT NULL::VARCHAR AS carrier, 1::BIGINT AS flights"
UNKNOWN = "SELECT 'ZZ' AS carrier, 1::BIGINT AS flights"


@pytest.mark.parametrize(
    ("table", "rows", "types", "words"),
    [
        ("carrier VARCHAR(3)", TOO_LONG, {}, "Data too long for column 'carrier' at row 1 (1406)"),
        (
            "carrier VARCHAR(9), UNIQUE (dt, carrier)",
            TWICE,
            {},
            "Duplicate entry '2013-01-02-AA' for key 'dt' (1062)",
        ),
        (
            "carrier VARCHAR(9) NOT NULL",
            LACKING,
            {},
            "Column 'carrier' cannot be null (1048)",
        ),
        (
            "carrier DATE",
            UNKNOWN,
            {"carrier": "DATE"},
            "Incorrect date value: 'ZZ' for column `{database}`.`carrier_day`.`carrier` at row 1",
        ),
        (
            "carrier VARCHAR(9), FOREIGN KEY (carrier) REFERENCES carriers (code)",
            UNKNOWN,
            {},
            "Cannot add or update a child row: a foreign key constraint fails",
        ),
        (
            "carrier VARCHAR(9), CHECK (flights > 5)",
            UNKNOWN,
            {},
            "CONSTRAINT `CONSTRAINT_1` failed for `{database}`.`carrier_day` (4025)",
        ),
    ],
)
def test_what_would_only_warn_is_refused_with_the_servers_words(
    mysql_mart: Mart, lake: Lake, table: str, rows: str, types: dict[str, str], words: str
) -> None:
    """LOAD DATA LOCAL would cut, drop or invent these; the strict way says what is wrong."""
    mysql_mart.query("CREATE TABLE carriers (code VARCHAR(9) PRIMARY KEY) ENGINE=InnoDB")
    mysql_mart.query("INSERT INTO carriers VALUES ('AA'), ('UA')")
    mysql_mart.query(
        f"CREATE TABLE carrier_day (dt VARCHAR(10), flights BIGINT, {table}) ENGINE=InnoDB"
    )
    mysql_mart.query(f"INSERT INTO carrier_day (dt, flights) VALUES ('{DAY2}', 9)") if (
        "NOT NULL" not in table
    ) else None
    before = mysql_mart.query("SELECT * FROM carrier_day")
    lake.columns["carrier"] = "string"
    lake.files = {}
    lake.write("x", rows, dt=DAY2)
    columns = [
        {"name": name, "athena_type": kind, "mart_type": types.get(name)}
        for name, kind in lake.columns.items()
    ]
    with pytest.raises(ServiceError) as caught:
        lake.load(mysql_mart, days=[DAY2], columns=columns)
    assert caught.value.error == "Load.Rejected"
    assert words.format(database=mysql_mart.database) in caught.value.cause
    assert mysql_mart.query("SELECT * FROM carrier_day") == before
    assert mysql_mart.query(LEDGER) == [(0,)]


def test_a_zero_stays_a_zero_in_a_numbered_column(mysql_mart: Mart, tmp_path: Path) -> None:
    lake = Lake(tmp_path, {"id": "int", "v": "int"}, None)
    lake.write("a", "SELECT * FROM (VALUES (0, 1), (5, 2)) t(id, v)")
    mysql_mart.query("CREATE TABLE carrier_day (id INT AUTO_INCREMENT PRIMARY KEY, v INT)")
    for mode in ("truncate_insert", "merge"):
        lake.load(mysql_mart, mode=mode, keys=["id"])
        assert mysql_mart.query("SELECT id, v FROM carrier_day ORDER BY id") == [(0, 1), (5, 2)]


@pytest.mark.parametrize(
    ("column", "athena", "values"),
    [
        ("INT AUTO_INCREMENT UNIQUE", "int", "7, NULL"),
        ("TIMESTAMP NOT NULL", "timestamp", "TIMESTAMP '2013-01-01 00:00:00', NULL"),
    ],
)
def test_a_null_never_becomes_a_value_of_the_servers(
    mysql_mart: Mart, tmp_path: Path, column: str, athena: str, values: str
) -> None:
    """For these columns NULL is no error, in strict mode either: a number, or the time now."""
    lake = Lake(tmp_path, {"x": athena}, None)
    lake.write("a", f"SELECT unnest([{values}]) AS x")
    mysql_mart.query(f"CREATE TABLE carrier_day (x {column})")
    with pytest.raises(ServiceError, match="is NOT NULL, and 1 rows have NULL there") as caught:
        lake.load(mysql_mart, mode="truncate_insert")
    assert caught.value.error == "Load.ValuesDoNotFit"
    assert mysql_mart.query("SELECT count(*) FROM carrier_day") == [(0,)]


def test_a_null_key_of_a_sqlite_file_becomes_no_number(sqlite_mart: Mart, tmp_path: Path) -> None:
    lake = Lake(tmp_path, {"id": "int", "v": "int"}, None)
    lake.write("a", "SELECT * FROM (VALUES (1, 1), (NULL, 2)) t(id, v)")
    with pytest.raises(ServiceError, match="1 rows have a NULL key"):
        lake.load(sqlite_mart, mode="truncate_insert", keys=["id"])
