"""What a load refuses, and that a refused or failed load leaves the mart as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from tests.loader.conftest import Lake, Mart

DAY1, DAY2 = "2013-01-01", "2013-01-02"
WINDOW: dict[str, Any] = {"days": [DAY1, DAY2]}
MERGE: dict[str, Any] = {**WINDOW, "mode": "merge", "keys": ["dt", "carrier"]}


def refusal(lake: Lake, mart: Mart, **changes: Any) -> ServiceError:  # noqa: ANN401 - JSON
    with pytest.raises(ServiceError) as caught:
        lake.load(mart, **changes)
    return caught.value


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ("dt VARCHAR(10), carrier VARCHAR(2)", "it has no column flights"),
        ("dt VARCHAR(10), flights BIGINT", "it has no column carrier"),
        ("dt VARCHAR(10), carrier VARCHAR(2), flights VARCHAR(9)", "column flights is varchar"),
        (
            "dt VARCHAR(10), carrier VARCHAR(2), flights BIGINT, owner VARCHAR(9) NOT NULL",
            "its column owner is NOT NULL without a default",
        ),
    ],
)
def test_schema_drift_is_reported_before_anything_changes(
    mart: Mart, lake: Lake, columns: str, words: str
) -> None:
    mart_before = make(mart, columns)
    error = refusal(lake, mart, **WINDOW)
    assert error.error == "Load.SchemaDrift"
    assert words in error.cause.lower().replace("owner is not null", "owner is NOT NULL")
    assert "mode: replace" in error.cause
    assert mart.query('SELECT * FROM "carrier_day"') == mart_before


def make(mart: Mart, columns: str) -> list[tuple[Any, ...]]:
    """Make the target by hand with one row of ones."""
    if mart.engine == "sqlite":
        mart.target.path.parent.mkdir(exist_ok=True)  # type: ignore[union-attr]  # it is SQLite's
    mart.query(f'CREATE TABLE "carrier_day" ({columns})')
    ones = ", ".join("'1'" for _ in columns.split(", "))
    mart.query(f'INSERT INTO "carrier_day" VALUES ({ones})')
    return mart.query('SELECT * FROM "carrier_day"')


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ("dt VARCHAR(10), carrier VARCHAR(2), flights INT", "column flights is int"),
        ("dt VARCHAR(10), carrier VARCHAR(1), flights BIGINT", "column carrier is varchar(1)"),
    ],
)
def test_a_narrower_type_is_drift_on_mysql(
    mysql_mart: Mart, lake: Lake, columns: str, words: str
) -> None:
    make(mysql_mart, columns)
    assert words in refusal(lake, mysql_mart, **WINDOW).cause


@pytest.mark.parametrize(
    ("column", "athena", "fits"),
    [
        ("DECIMAL(12,2)", "decimal(12,2)", True),
        ("DECIMAL(12,1)", "decimal(12,2)", False),
        ("DECIMAL(11,2)", "decimal(12,2)", False),
        ("DECIMAL(19,0)", "bigint", True),
        ("BIGINT", "int", True),
        ("FLOAT", "double", False),
        ("DOUBLE", "real", True),
        ("BIGINT", "double", False),
        ("DATETIME(6)", "timestamp", True),
        ("DATETIME(3)", "timestamp(3)", True),
        ("DATETIME", "timestamp", False),
        ("DATETIME", "date", True),
        ("VARCHAR(5)", "string", True),
        ("TEXT", "varchar(5)", True),
        ("DATE", "string", False),
        ("TINYINT(1)", "boolean", True),
        ("BLOB", "varbinary", True),
        ("VARCHAR(9)", "varbinary", False),
        ("JSON", "array(int)", True),
        ("VARCHAR(9)", "map<string,int>", False),
    ],
)
def test_which_mysql_columns_hold_which_athena_types(
    mysql_mart: Mart, lake: Lake, column: str, athena: str, *, fits: bool
) -> None:
    lake.columns, lake.partition, lake.files = {"x": athena}, None, {}
    mysql_mart.query(f"CREATE TABLE carrier_day (x {column})")
    if fits:
        assert lake.load(mysql_mart, mode="truncate_insert").rows == 0
    else:
        assert refusal(lake, mysql_mart, mode="truncate_insert").error == "Load.SchemaDrift"


@pytest.mark.parametrize(
    ("declared", "asked", "fits"),
    [
        ("INT", "INT", True),
        ("INT", "integer", True),
        ("INT UNSIGNED", "int unsigned", True),
        ("SMALLINT", "INT", False),
        ("VARCHAR(20)", "varchar( 20 ) not null", True),
        ("VARCHAR(20)", "VARCHAR(30)", False),
        ("DECIMAL(10,2)", "numeric(10, 2)", True),
        ("LONGTEXT", "JSON", True),
    ],
)
def test_a_type_that_the_header_asks_for_is_the_users_word(
    mysql_mart: Mart, lake: Lake, declared: str, asked: str, *, fits: bool
) -> None:
    lake.partition, lake.files = None, {}
    mysql_mart.query(f"CREATE TABLE carrier_day (x {declared})")
    columns = [{"name": "x", "athena_type": "bigint", "mart_type": asked}]
    changes: dict[str, Any] = {"mode": "truncate_insert", "columns": columns}
    if fits:
        assert lake.load(mysql_mart, **changes).rows == 0
    else:
        assert refusal(lake, mysql_mart, **changes).error == "Load.SchemaDrift"


def test_replace_changes_a_table_of_another_shape(mart: Mart, lake: Lake) -> None:
    make(mart, "carrier VARCHAR(2), gone INT")
    mart.query('CREATE VIEW "seen" AS SELECT carrier FROM "carrier_day"')
    result = lake.load(mart, mode="replace")
    assert (result.rows, result.deleted) == (4, 1)
    assert mart.query('SELECT dt, sum(flights) FROM "carrier_day" GROUP BY 1 ORDER BY 1') == [
        (DAY1, 259),
        (DAY2, 265),
    ]
    assert mart.query('SELECT count(*) FROM "seen"') == [(4,)]


def test_replace_keeps_indexes_whose_columns_stay(sqlite_mart: Mart, lake: Lake) -> None:
    make(sqlite_mart, "carrier VARCHAR(2), gone INT")
    sqlite_mart.query("CREATE INDEX by_carrier ON carrier_day (carrier)")
    sqlite_mart.query("CREATE INDEX by_gone ON carrier_day (gone)")
    lake.load(sqlite_mart, mode="replace")
    names = sqlite_mart.query("SELECT name FROM sqlite_master WHERE type = 'index'")
    assert ("by_carrier",) in names
    assert ("by_gone",) not in names


def test_replace_refuses_to_lose_a_trigger(mysql_mart: Mart, lake: Lake) -> None:
    make(mysql_mart, "carrier VARCHAR(2), gone INT")
    mysql_mart.query(
        "CREATE TRIGGER watch BEFORE INSERT ON carrier_day FOR EACH ROW SET NEW.gone = 1"
    )
    error = refusal(lake, mysql_mart, mode="replace")
    assert "watch" in error.cause
    assert mysql_mart.query("SELECT * FROM carrier_day") == [("1", 1)]


def test_merge_into_a_table_without_the_key_is_refused(mart: Mart, lake: Lake) -> None:
    before = make(mart, "dt VARCHAR(10), carrier VARCHAR(2), flights BIGINT")
    mart.query('CREATE INDEX plain ON "carrier_day" (dt, carrier)')
    mart.query('CREATE UNIQUE INDEX other ON "carrier_day" (dt)')
    error = refusal(lake, mart, **MERGE)
    assert error.error == "Load.NoUniqueKey"
    assert "(dt, carrier)" in error.cause
    assert mart.query('SELECT * FROM "carrier_day"') == before


def test_merge_finds_a_unique_key_in_any_order(mart: Mart, lake: Lake) -> None:
    make(mart, "dt VARCHAR(10), carrier VARCHAR(2), flights BIGINT")
    mart.query('CREATE UNIQUE INDEX mine ON "carrier_day" (carrier, dt)')
    assert lake.load(mart, **MERGE).rows == 4
    assert mart.query('SELECT count(*) FROM "carrier_day"') == [(5,)]


def test_a_second_unique_key_is_refused_on_mysql(mysql_mart: Mart, lake: Lake) -> None:
    make(mysql_mart, "dt VARCHAR(10), carrier VARCHAR(2), flights BIGINT")
    mysql_mart.query("CREATE UNIQUE INDEX mine ON carrier_day (carrier, dt)")
    mysql_mart.query("CREATE UNIQUE INDEX other ON carrier_day (flights)")
    assert refusal(lake, mysql_mart, **MERGE).error == "Load.SecondUniqueKey"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ("('AA', 1::BIGINT), ('AA', 2), ('AA', 3)", "0 rows have a NULL key, 2 rows repeat"),
        ("('AA', 1::BIGINT), (NULL, 2)", "1 rows have a NULL key"),
    ],
)
def test_keys_that_do_not_name_one_row_are_refused(
    mart: Mart, lake: Lake, values: str, words: str
) -> None:
    lake.load(mart, **MERGE)
    del lake.files["dt=2013-01-02/b"]
    lake.write("dt=2013-01-02/a", f"SELECT * FROM (VALUES {values}) t(carrier, flights)", dt=DAY2)
    error = refusal(lake, mart, **MERGE)
    assert error.error == "Load.KeysNotUnique"
    assert words in error.cause
    assert mart.query('SELECT count(*) FROM "carrier_day"') == [(4,)]


def test_a_row_that_the_mart_refuses_rolls_everything_back(mart: Mart, lake: Lake) -> None:
    lake.load(mart, days=[DAY1, DAY2])
    mart.query('CREATE UNIQUE INDEX one ON "carrier_day" (dt, carrier)')
    lake.write("dt=2013-01-02/b", "SELECT 'AA' AS carrier, 1::BIGINT AS flights", dt=DAY2)
    error = refusal(lake, mart, days=[DAY2], publish_id="p9")
    assert error.error == "Load.Rejected"
    assert mart.query('SELECT sum(flights) FROM "carrier_day"') == [(524,)]
    assert mart.query("SELECT count(*) FROM \"_runner_loads\" WHERE publish_id = 'p9'") == [(0,)]


def test_strict_mode_refuses_what_it_would_have_to_cut(mysql_mart: Mart, lake: Lake) -> None:
    columns = [
        {"name": "carrier", "athena_type": "varchar(2)", "mart_type": "VARCHAR(1)"},
        {"name": "flights", "athena_type": "bigint", "mart_type": "TINYINT"},
    ]
    error = refusal(lake, mysql_mart, days=[DAY1], columns=columns)
    assert error.error == "Load.Rejected"
    assert "Data too long for column 'carrier'" in error.cause
    assert mysql_mart.query("SELECT count(*) FROM carrier_day") == [(0,)]


def test_files_that_differ_from_their_record_are_refused(mart: Mart, lake: Lake) -> None:
    lake.load(mart, **WINDOW)
    lake.files["dt=2013-01-02/b"]["size"] += 1
    assert refusal(lake, mart, **WINDOW).error == "Load.FileChanged"
    (lake.folder / "dt=2013-01-02/b").unlink()
    error = refusal(lake, mart, **WINDOW)
    assert error.error == "Load.FileMissing"
    assert "s3://lake/dt=2013-01-02/b" in error.cause
    assert mart.query('SELECT count(*) FROM "carrier_day"') == [(4,)]


def test_rows_that_differ_from_the_record_are_refused(mart: Mart, lake: Lake) -> None:
    assert lake.load(mart, **WINDOW, rows=4).rows == 4
    error = refusal(lake, mart, **WINDOW, rows=5)
    assert error.error == "Load.RowsDiffer"
    assert mart.query('SELECT count(*) FROM "carrier_day"') == [(4,)]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"carrier": "bigint", "flights": "bigint"}, "carrier is VARCHAR in the files and bigint"),
        ({"carrier": "string", "flights": "double"}, "flights is BIGINT in the files and double"),
        ({"kerrier": "string"}, "the files hold none of the table's columns"),
    ],
)
def test_files_that_are_not_what_the_catalogue_says_are_refused(
    sqlite_mart: Mart, lake: Lake, columns: dict[str, str], words: str
) -> None:
    lake.columns = columns
    assert words in refusal(lake, sqlite_mart, **WINDOW).cause


def test_a_column_added_later_reads_null_in_older_files(mart: Mart, lake: Lake) -> None:
    lake.columns["late"] = "double"
    lake.write(
        "dt=2013-01-02/b",
        "SELECT 'UA' AS carrier, 170::BIGINT AS flights, 1.5::DOUBLE AS late",
        dt=DAY2,
    )
    lake.load(mart, **WINDOW)
    assert mart.query('SELECT late, count(*) FROM "carrier_day" GROUP BY 1 ORDER BY 1') == [
        (None, 3),
        (1.5, 1),
    ]


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"mode": "append"}, "'append' is not a mode"),
        ({"files": [{"uri": "s3://lake/x"}]}, "size"),
        ({"window": None, "whole_table": False}, "a window or is of the whole table"),
        ({"load_key": {"table": "x"}}, "mart_table"),
    ],
)
def test_a_broken_manifest_is_named(lake: Lake, changes: dict[str, Any], word: str) -> None:
    with pytest.raises(ServiceError, match=word) as caught:
        lake.manifest(**changes)
    assert caught.value.error == "Load.InvalidManifest"


def test_other_formats_are_refused_by_name(sqlite_mart: Mart, lake: Lake) -> None:
    assert "not orc" in refusal(lake, sqlite_mart, **WINDOW, format="orc").cause


def test_a_manifest_survives_json(lake: Lake) -> None:
    from runner.model.loads import LoadManifest

    for manifest in (lake.manifest(**MERGE, rows=4), lake.manifest()):
        assert LoadManifest.from_json(manifest.to_json()) == manifest
