"""What a load makes and meets: tables, columns, windows, keys that a mart takes for one."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from runner.model.ports import ServiceError
from tests.loader.conftest import Lake

if TYPE_CHECKING:
    from pathlib import Path

    from tests.loader.conftest import Mart

DAY1, DAY2 = "2013-01-01", "2013-01-02"
BOTH: dict[str, Any] = {"days": [DAY1, DAY2]}
MERGE: dict[str, Any] = {**BOTH, "mode": "merge", "keys": ["dt", "carrier"]}

EVERY_TYPE = {
    "a": "boolean", "b": "tinyint", "c": "smallint", "d": "int", "e": "bigint", "f": "real",
    "g": "double", "h": "decimal(12,2)", "i": "varchar(20)", "j": "string", "k": "varchar(5000)",
    "l": "date", "m": "timestamp", "n": "timestamp(3)", "o": "varbinary", "p": "array(int)",
}  # fmt: skip
MYSQL_TYPES = [
    "tinyint(1)", "tinyint(4)", "smallint(6)", "int(11)", "bigint(20)", "float", "double",
    "decimal(12,2)", "varchar(20)", "longtext", "longtext", "date", "datetime(6)", "datetime(3)",
    "longblob", "longtext",
]  # fmt: skip
SQLITE_TYPES = [
    "INTEGER", "INTEGER", "INTEGER", "INTEGER", "INTEGER", "REAL", "REAL", "NUMERIC", "TEXT",
    "TEXT", "TEXT", "TEXT", "TEXT", "TEXT", "BLOB", "TEXT",
]  # fmt: skip


@pytest.mark.parametrize("changes", [BOTH, MERGE, {}])
def test_create_false_refuses_a_missing_table(
    mart: Mart, lake: Lake, changes: dict[str, Any]
) -> None:
    with pytest.raises(ServiceError, match="create: false") as caught:
        lake.load(mart, **changes, create=False, publish_id="p1")
    assert caught.value.error == "Load.NoTable"
    names = "SELECT name FROM sqlite_master WHERE name = 'carrier_day'"
    if mart.engine == "mysql":
        names = "SHOW TABLES LIKE 'carrier_day'"
    assert mart.query(names) == []
    lake.load(mart, **changes, publish_id="p1")
    mart.query('DROP TABLE "carrier_day"')
    with pytest.raises(ServiceError, match="create: false"):  # though the ledger knows the load
        lake.load(mart, **changes, create=False, publish_id="p1")


def test_create_false_takes_the_table_that_is_there(mart: Mart, lake: Lake) -> None:
    lake.load(mart, **BOTH)
    assert lake.load(mart, **BOTH, create=False).rows == 4


@pytest.mark.mariadb
def test_types_keys_and_characters_of_a_new_table(mysql_mart: Mart, tmp_path: Path) -> None:
    """In a database of latin1: the table has its own character set."""
    lake = Lake(tmp_path, EVERY_TYPE)
    lake.load(mysql_mart, days=[DAY1], files=[], keys=["dt", "i"])
    described = mysql_mart.query("SHOW COLUMNS FROM carrier_day")
    assert [row[1] for row in described] == [*MYSQL_TYPES, "varchar(255)"]
    assert {row[0]: row[2] for row in described if row[2] == "NO"} == {"i": "NO", "dt": "NO"}
    ((_, made),) = mysql_mart.query("SHOW CREATE TABLE carrier_day")
    assert "PRIMARY KEY (`dt`,`i`)" in made
    assert "\n  KEY " not in made
    assert "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin" in made


@pytest.mark.mariadb
@pytest.mark.parametrize(
    ("keys", "index"),
    [([], "KEY `dt` (`dt`)"), (["carrier"], "KEY `dt` (`dt`)"), (["dt", "carrier"], None)],
)
def test_the_window_has_an_index(
    mysql_mart: Mart, lake: Lake, keys: list[str], index: str | None
) -> None:
    lake.load(mysql_mart, days=[DAY1], keys=keys)
    ((_, made),) = mysql_mart.query("SHOW CREATE TABLE carrier_day")
    found = [line.strip(" ,") for line in made.splitlines() if line.startswith("  KEY")]
    assert found == ([] if index is None else [index])


def test_a_new_table_of_sqlite(sqlite_mart: Mart, tmp_path: Path) -> None:
    lake = Lake(tmp_path, EVERY_TYPE)
    lake.load(sqlite_mart, days=[DAY1], files=[], keys=["i"])
    described = sqlite_mart.query("PRAGMA table_info(carrier_day)")
    assert [row[2] for row in described] == [*SQLITE_TYPES, "TEXT"]
    assert [row[1] for row in described if row[3]] == ["i"]
    assert [row[1] for row in described if row[5]] == ["i"]
    indexes = sqlite_mart.query("SELECT name FROM sqlite_master WHERE type = 'index' AND sql > ''")
    assert indexes == [("carrier_day_dt",)]


def test_a_subset_of_the_columns_in_an_order_of_its_own(mart: Mart, tmp_path: Path) -> None:
    lake = Lake(tmp_path, {"c": "int", "a": "string"})
    lake.write("dt=2013-01-01/x", "SELECT 1 AS a0, 'x' AS a, 2 AS b, 3 AS c", dt=DAY1)
    lake.load(mart, days=[DAY1])
    assert mart.query('SELECT * FROM "carrier_day"') == [(3, "x", DAY1)]


def test_columns_that_the_load_leaves_alone_keep_their_defaults(mart: Mart, lake: Lake) -> None:
    if mart.engine == "sqlite":
        mart.target.path.parent.mkdir(exist_ok=True)  # type: ignore[union-attr]  # it is SQLite's
    mart.query(
        "CREATE TABLE \"carrier_day\" (flights BIGINT, note VARCHAR(9) DEFAULT 'new', "
        "dt VARCHAR(10) NOT NULL, carrier VARCHAR(2) NOT NULL, PRIMARY KEY (dt, carrier))"
    )
    lake.load(mart, **MERGE)
    mart.query("UPDATE \"carrier_day\" SET note = 'mine', flights = 0 WHERE carrier = 'AA'")
    lake.load(mart, **MERGE)
    both = 'SELECT carrier, note, sum(flights) FROM "carrier_day" GROUP BY 1, 2 ORDER BY 1'
    assert mart.query(both) == [("AA", "mine", 189), ("UA", "new", 335)]
    lake.load(mart, **BOTH)
    assert mart.query(both) == [("AA", "new", 189), ("UA", "new", 335)]


def test_an_empty_window_into_no_table_makes_it(mart: Mart, lake: Lake) -> None:
    result = lake.load(mart, days=[DAY1], files=[], rows=0, publish_id="p1")
    assert (result.rows, result.deleted, result.counted, result.skipped) == (0, 0, 0, False)
    assert mart.query('SELECT count(*) FROM "carrier_day"') == [(0,)]
    assert lake.load(mart, days=[DAY1], files=[], rows=0, publish_id="p1").skipped


def test_a_window_of_400_days(mart: Mart, tmp_path: Path) -> None:
    days = [str(dt.date(2013, 1, 1) + dt.timedelta(days=n)) for n in range(401)]
    lake = Lake(tmp_path, {"n": "int"})
    for day in days[::40]:
        lake.write(f"dt={day}/a", "SELECT range::INT AS n FROM range(10)", dt=day)
    lake.load(mart, days=days)
    mart.query("INSERT INTO \"carrier_day\" (n, dt) VALUES (1, '2012-12-31')")
    result = lake.load(mart, days=days)
    assert (result.rows, result.deleted, result.counted) == (110, 110, 110)
    assert mart.query('SELECT count(*), count(DISTINCT dt) FROM "carrier_day"') == [(111, 12)]


@pytest.mark.parametrize("mode", ["replace_window", "merge"])
def test_a_window_of_three_columns_owns_its_hours_only(
    mart: Mart, tmp_path: Path, mode: str
) -> None:
    parts = ["year", "month", "day"]
    lake = Lake(tmp_path, {"n": "int"})
    for number, label in enumerate(("2012-12-31", "2013-01-01", "2013-01-31", "2013-12-01")):
        lake.write(label, f"SELECT {number} AS n")
        lake.files[label]["partition"] = dict(zip(parts, label.split("-"), strict=True))
    common = {
        "mode": mode,
        "keys": [*parts, "n"] if mode == "merge" else [],
        "whole_table": False,
        "partition_columns": [{"name": part, "type": "string"} for part in parts],
    }
    labels = list(lake.files)
    window = {"columns": parts, "values": [label.split("-") for label in labels]}
    lake.load(mart, **common, window=window)
    window = {"columns": parts, "values": [labels[1].split("-"), labels[3].split("-")]}
    files = [lake.files[labels[1]], lake.files[labels[3]]]
    result = lake.load(mart, **common, window=window, files=files)
    assert (result.rows, result.counted) == (2, 2)
    assert result.deleted == (0 if mode == "merge" else 2)
    found = 'SELECT n, year, month, day FROM "carrier_day" ORDER BY n'
    assert mart.query(found) == [(n, *label.split("-")) for n, label in enumerate(labels)]


def loose(mart: Mart, collation: str = "utf8mb4_general_ci") -> None:
    """Make the target with a key that takes texts for one that differ."""
    if mart.engine == "sqlite":
        mart.target.path.parent.mkdir(exist_ok=True)  # type: ignore[union-attr]  # it is SQLite's
        mart.query(
            "CREATE TABLE carrier_day (dt TEXT NOT NULL, carrier TEXT NOT NULL COLLATE NOCASE, "
            "flights INT, PRIMARY KEY (dt, carrier))"
        )
        return
    mart.query(
        "CREATE TABLE carrier_day (dt VARCHAR(10) NOT NULL, carrier VARCHAR(9) NOT NULL, "
        f"flights BIGINT, PRIMARY KEY (dt, carrier)) DEFAULT CHARSET utf8mb4 COLLATE {collation}"
    )


def rows_of_day2(lake: Lake, *carriers: str) -> None:
    del lake.files["dt=2013-01-02/b"]
    values = ", ".join(f"('{carrier}', {n}::BIGINT)" for n, carrier in enumerate(carriers))
    lake.write("dt=2013-01-02/a", f"SELECT * FROM (VALUES {values}) t(carrier, flights)", dt=DAY2)


@pytest.mark.parametrize("carriers", [("DL", "dl"), ("B6", "b6", "B6 ")])
def test_keys_that_the_mart_takes_for_one_are_refused(
    mart: Mart, lake: Lake, carriers: tuple[str, ...]
) -> None:
    loose(mart)
    lake.load(mart, **MERGE)
    rows_of_day2(lake, *carriers)
    with pytest.raises(ServiceError, match="takes them for one") as caught:
        lake.load(mart, **MERGE, publish_id="p2")
    assert caught.value.error == "Load.KeysNotUnique"
    assert mart.query('SELECT count(*), sum(flights) FROM "carrier_day"') == [(4, 524)]
    assert mart.query("SELECT * FROM \"_runner_loads\" WHERE publish_id = 'p2'") == []


def test_keys_that_do_not_meet_are_loaded(mart: Mart, lake: Lake) -> None:
    """The rows were looked at, so nothing is left to warn of."""
    loose(mart)
    rows_of_day2(lake, "DL", "b6")
    result = lake.load(mart, **MERGE)
    assert (result.rows, result.warnings) == (4, ())


@pytest.mark.mariadb
@pytest.mark.parametrize(
    ("collation", "carriers", "refused"),
    [
        ("utf8mb4_bin", ("DL", "dl"), False),
        ("utf8mb4_bin", ("DL", "DL "), True),
        ("utf8mb4_nopad_bin", ("DL", "DL "), False),
        ("utf8mb4_general_ci", ("e", "é"), True),
    ],
)
def test_what_each_collation_takes_for_one(
    mysql_mart: Mart, lake: Lake, collation: str, carriers: tuple[str, ...], *, refused: bool
) -> None:
    loose(mysql_mart, collation)
    rows_of_day2(lake, *carriers)
    if refused:
        with pytest.raises(ServiceError, match="takes them for one"):
            lake.load(mysql_mart, **MERGE)
    else:
        assert lake.load(mysql_mart, **MERGE).counted == 4


@pytest.mark.parametrize("key", ["dt VARCHAR(10), carrier VARCHAR(2), UNIQUE (dt, carrier)"])
def test_a_warning_reaches_the_result(mart: Mart, lake: Lake, key: str) -> None:
    if mart.engine == "sqlite":
        mart.target.path.parent.mkdir(exist_ok=True)  # type: ignore[union-attr]  # it is SQLite's
    mart.query(f'CREATE TABLE "carrier_day" (flights BIGINT, {key})')
    (warning,) = lake.load(mart, **MERGE).warnings
    assert "may be NULL" in warning
