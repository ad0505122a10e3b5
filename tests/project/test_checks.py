"""Each rule finds what it is for, where the user wrote it, and leaves its good twin alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from runner.checks import RULES
from runner.project import inspect_project
from tests.project.projects import BASE, good_project, write_files

if TYPE_CHECKING:
    from pathlib import Path

DAY = 'dt: {type: date, format: yyyy-MM-dd, range: "2013-01-01,NOW+1DAYS"}'
WINDOWED = "SELECT shop, id, dt FROM staging.events WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'"
WHOLE = "SELECT shop, id FROM staging.events"


def table(header: str, sql: str = WINDOWED) -> str:
    return f"/*---\n{header}\n---*/\n{sql}\n"


def insert(header: str, sql: str = WINDOWED) -> str:
    return table(f"partition:\n  {DAY}\n{header}", sql)


CASES = {
    "insert-without-partition": (
        table("kind: insert", WHOLE),
        insert("kind: insert"),
        "2:7",
    ),
    "key-unfit": (
        table("kind: view\ntests: [{not_null: [id]}]", WHOLE),
        table("tests: [{not_null: [id]}]", WHOLE),
        "3:1",
    ),
    "ctas-partitions": (
        table(
            'kind: ctas\npartition:\n  n: {type: integer, range: "1,101"}', "SELECT 1 AS n, 2 AS a"
        ),
        table(
            'kind: ctas\npartition:\n  n: {type: integer, range: "1,100"}', "SELECT 1 AS n, 2 AS a"
        ),
        "3:1",
    ),
    "insert-partitions": (
        insert('  n: {type: integer, range: "1,101"}', WINDOWED.replace("id", "id AS n, id")),
        insert('  n: {type: integer, range: "1,100"}', WINDOWED.replace("id", "id AS n, id")),
        "2:1",
    ),
    "header-column": (
        insert("tests: [{accepted_values: {shap: [a]}}]"),
        insert("tests: [{accepted_values: {shop: [a]}}]"),
        "4:28",
    ),
    "partition-name": (
        table(
            "kind: ctas\npartition:\n  2shop: {type: enum, values: [a]}",
            'SELECT id, shop AS "2shop" FROM staging.events',
        ),
        table("kind: ctas\npartition:\n  shop: {type: enum, values: [a]}", WHOLE),
        "4:3",
    ),
    "partition-only": (
        insert("", "SELECT dt FROM staging.events WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'"),
        insert(""),
        "2:1",
    ),
    "load-mode": (
        insert("load: {mode: insert_direct}"),
        insert("load: {mode: replace_window}"),
        "4:14",
    ),
    "merge-without-keys": (
        table("load: {mode: merge_direct}", WHOLE),
        table("load: {mode: merge_direct, keys: [id]}", WHOLE),
        "2:14",
    ),
    "load-columns": (
        insert("load: {columns: [shop, id]}"),
        insert("load: {columns: [shop, dt]}"),
        "4:8",
    ),
    "load-statement": (
        table("load: {before: 'DELETE FROM a; DELETE FROM b'}", WHOLE),
        table("load: {before: 'DELETE FROM a -- ; DELETE FROM b'}", WHOLE),
        "2:16",
    ),
    "load-before": (
        table("load: {before: DO 1, engine: embulk}", WHOLE),
        table("load: {before: DO 1, engine: native}", WHOLE),
        "2:8",
    ),
    "load-repeated": (
        table("load: {mode: insert_direct, engine: embulk}", WHOLE),
        table("load: {mode: insert_direct, engine: native}", WHOLE),
        "2:14",
    ),
    "load-rows": (
        table("load: {min_rows: 0}", WHOLE),
        table("load: {min_rows: 1}", WHOLE),
        "2:18",
    ),
    "load-format": (
        table("format: orc\nload: {}", WHOLE),
        table("format: orc", WHOLE),
        "2:9",
    ),
    "header-input": (
        insert("watch: [marts.daily]"),
        insert("watch: [staging.events]"),
        "4:9",
    ),
    "lookback-negative": (
        insert("lookback: {staging.events: -6}"),
        insert("lookback: {staging.events: 6}"),
        "4:28",
    ),
    "window-unused": (
        insert("watch: [staging.events]", "SELECT shop, dt FROM staging.events"),
        insert(""),
        "6",
    ),
    "input-unfiltered": (
        insert(
            "",
            WINDOWED.replace("FROM staging.events", "FROM marts.daily, staging.events")
            .replace("shop, id, dt", "events.shop, id, events.dt")
            .replace("WHERE dt", "WHERE events.dt"),
        ),
        insert(
            "watch: [marts.daily]",
            WINDOWED.replace("FROM staging.events", "FROM marts.daily, staging.events")
            .replace("shop, id, dt", "events.shop, id, events.dt")
            .replace("WHERE dt", "WHERE events.dt"),
        ),
        "6:40",
    ),
    "backfill-from": (
        insert("backfill: {from: 2013-02-30}"),
        insert("backfill: {from: 2013-02-28}"),
        "4:18",
    ),
    "test-shape": (
        table("tests:\n  - not_null: [id]\n    unique: [id]", WHOLE),
        table("tests:\n  - not_null: [id]\n  - unique: [id]", WHOLE),
        "3:5",
    ),
    "test-range": (
        table("tests: [{range: {id: [5, 1]}}]", WHOLE),
        table("tests: [{range: {id: [1, 5]}}]", WHOLE),
        "2:22",
    ),
    "test-relationship": (
        table("tests: [{relationships: {id: events.id}}]", WHOLE),
        table("tests: [{relationships: {id: raw.events.id}}]", WHOLE),
        "2:30",
    ),
    "compression": (
        table("compression: zlib", WHOLE),
        table("compression: zlib\nformat: orc", WHOLE),
        "2:14",
    ),
    "property-reserved": (
        table("properties: {projection.enabled: 'false'}", WHOLE),
        table("properties: {comment: 'false'}", WHOLE),
        "2:14",
    ),
    "iceberg-rows": (
        table("format: iceberg", WHOLE),
        table("format: iceberg\nkeys: [id]", WHOLE),
        "2:9",
    ),
    "iceberg-setting": (
        table("format: iceberg\nkeys: [id]\nproperties: {comment: x}", WHOLE),
        table(
            "format: iceberg\nkeys: [id]\nproperties: {vacuum_min_snapshots_to_keep: '3'}", WHOLE
        ),
        "4:14",
    ),
    "pii-load": (
        table("load: {}", "SELECT upper(name) AS who, id FROM crm.customers"),
        table("load: {columns: [id]}", "SELECT upper(name) AS who, id FROM crm.customers"),
        "2:1",
    ),
    "pii-database": (
        "SELECT id,\n  upper(name) AS who\nFROM crm.customers\n",
        "SELECT id,\n  count(name) AS who\nFROM crm.customers\nGROUP BY id\n",
        "2:9",
    ),
    "query-size": (
        f"SELECT shop FROM staging.events WHERE shop <> '{'é' * 131_072}'\n",
        f"SELECT shop FROM staging.events WHERE shop <> '{'é' * 20_000}'\n",
        "1",
    ),
}
TAGGED = "sources: {crm.customers: {columns: {id: bigint, name: string}, pii: [name]}}"
UNTAGGED = "sources:\n  crm.customers: {columns: {id: bigint, name: string}}"
CONFIG = (BASE / "config.yaml").read_text("utf-8")
BESIDE = {
    "pii-load": {"config.yaml": CONFIG.replace(UNTAGGED, TAGGED)},
    "pii-database": {
        "config.yaml": CONFIG.replace(UNTAGGED, f"{TAGGED}\npii_databases: [staging]"),
    },
    "load-repeated": {
        "workflows/daily.yaml": "steps:\n"
        "  tables: {type: tables}\n"
        "  loads: {type: loads, needs: [tables], retry: [{errors: [States.TaskFailed]}]}\n"
    },
}
"""Files that a case needs beside its SQL file."""
WARNINGS = {
    "merge-keeps-rows": (
        insert("load: {mode: merge, keys: [id]}"),
        insert("load: {mode: replace_window}"),
        "4:14",
    ),
    "query-large": (
        f"SELECT shop FROM staging.events WHERE shop <> '{'a' * 200_001}'\n",
        f"SELECT shop FROM staging.events WHERE shop <> '{'a' * 190_000}'\n",
        "1",
    ),
}


@pytest.mark.parametrize("code", CASES)
def test_a_rule_finds_its_fault_and_nothing_in_the_good_twin(code: str, tmp_path: Path) -> None:
    bad, good, place = CASES[code]
    files = {"sql/marts/x.sql": bad, **BESIDE.get(code, {})}
    root = write_files(good_project(tmp_path), files)
    faults = inspect_project(root).faults
    assert [(f.code, str(f.place)) for f in faults] == [(code, f"sql/marts/x.sql:{place}")]
    write_files(root, {"sql/marts/x.sql": good})
    assert inspect_project(root).faults == ()


@pytest.mark.parametrize("code", WARNINGS)
def test_a_warning_is_no_fault(code: str, tmp_path: Path) -> None:
    bad, good, place = WARNINGS[code]
    root = write_files(good_project(tmp_path), {"sql/marts/x.sql": bad})
    findings = inspect_project(root)
    assert findings.faults == ()
    assert [(f.code, str(f.place)) for f in findings.warnings] == [
        (code, f"sql/marts/x.sql:{place}")
    ]
    write_files(root, {"sql/marts/x.sql": good})
    assert inspect_project(root).warnings == ()


def test_every_rule_has_a_case_and_an_explanation() -> None:
    assert {rule.code for rule in RULES} == {*CASES, *WARNINGS}
    assert all(rule.explanation.endswith(".") for rule in RULES)
    assert len({rule.code for rule in RULES}) == len(RULES)


@pytest.mark.parametrize(
    ("mode", "fine"),
    [
        ("insert", False),
        ("insert_direct", False),
        ("truncate_insert", True),
        ("replace", True),
        ("replace_window", True),
        ("merge, keys: [id]", True),
        ("merge_direct, keys: [id]", True),
    ],
)
def test_load_modes_of_a_windowed_table(mode: str, fine: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """SEMANTICS 37."""
    files = {"sql/marts/x.sql": insert(f"load: {{mode: {mode}}}")}
    root = write_files(good_project(tmp_path), files)
    assert [f.code for f in inspect_project(root).faults] == ([] if fine else ["load-mode"])


@pytest.mark.parametrize(
    ("header", "sql", "fine"),
    [
        ("load: {mode: insert}", WHOLE, True),
        ("load: {mode: replace_window}", WHOLE, False),
        ("kind: view\nload: {}", WHOLE, False),
        ("kind: view\nload: {mode: replace}", WHOLE, False),
        ("kind: view\nload: {mode: truncate_insert}", WHOLE, False),
    ],
)
def test_load_modes_of_other_tables(header: str, sql: str, fine: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """SEMANTICS 37."""
    root = write_files(good_project(tmp_path), {"sql/marts/x.sql": table(header, sql)})
    assert [f.code for f in inspect_project(root).faults] == ([] if fine else ["load-mode"])


MYSQL = "marts: {main: {engine: mysql, database: shop}}"
TWO_KEYS = "mode: merge, keys: [shop, id]"


@pytest.mark.parametrize(
    ("load", "found"),
    [
        (f"{TWO_KEYS}, columns: [id, dt]", ["the key `shop`, which `columns` leaves out"]),
        (
            "columns: [dt, shop], types: {id: INT, shop: CHAR(2)}",
            ["a type for `id`, which `columns` leaves out"],
        ),
        (
            f"{TWO_KEYS}, columns: [shop, id]",
            ["`columns` without dt, which tells the window's rows in the mart"],
        ),
        ("mode: truncate_insert, columns: [shop]", []),
        ("mode: replace, columns: [shop]", []),
        ("mode: replace_window, columns: [dt]", []),
        (
            "columns: [id], keys: [shop, dt], types: {dt: DATE}",
            [
                "the key `shop`, which `columns` leaves out",
                "the key `dt`, which `columns` leaves out",
                "a type for `dt`, which `columns` leaves out",
                "`columns` without dt, which tells the window's rows in the mart",
            ],
        ),
        ("types: {id: INT}, keys: [shop]", []),
    ],
)
def test_what_a_load_leaves_out(load: str, found: list[str], tmp_path: Path) -> None:
    files = {"sql/marts/x.sql": insert(f"load: {{{load}}}")}
    faults = inspect_project(write_files(good_project(tmp_path), files)).faults
    told = [f.found for f in faults if f.code == "load-columns"]
    assert sorted(told) == sorted(found)
    assert {f.code for f in faults} <= {"load-columns"}


def with_mysql(root: Path) -> Path:
    config = root / "config.yaml"
    text = config.read_text().replace(
        "marts:\n      main: {engine: sqlite, path: mart.sqlite}", MYSQL
    )
    assert MYSQL in text
    config.write_text(text)
    return root


@pytest.mark.parametrize(
    ("statement", "mysql", "sqlite"),
    [
        ("DELETE FROM a WHERE b = ';'", True, True),
        ("DELETE FROM `a;b`; -- done;", True, True),
        ("/* first; */ UPDATE t SET a = 1;", True, True),
        ("CREATE TEMPORARY TABLE t (a int)", True, True),
        ("TRUNCATE t", False, True),
        ("create table t (a int)", False, True),
        ("-- why\n COMMIT", False, False),
        ("ROLLBACK", False, False),
        ("DO 1; DO 2", False, False),
        ("-- nothing", False, False),
        (";", False, False),
        ("CALL refresh()", True, True),
    ],
)
@pytest.mark.parametrize("key", ["before", "after"])
def test_statements_of_a_load_are_one_each_and_commit_nothing(
    key: str, statement: str, tmp_path: Path, *, mysql: bool, sqlite: bool
) -> None:
    """DDL commits in MySQL and MariaDB, not in SQLite."""
    header = f"load: {{{key}: {json.dumps(statement)}}}"
    files = {"sql/marts/x.sql": table(header, WHOLE)}
    root = write_files(good_project(tmp_path), files)
    assert codes(root) == ([] if sqlite else ["load-statement"])
    assert codes(with_mysql(root)) == ([] if mysql else ["load-statement"])


def codes(root: Path) -> list[str]:
    return [fault.code for fault in inspect_project(root).faults]


@pytest.mark.parametrize(
    ("load", "fine"),
    [
        ("before: DO 1", False),
        ("before: DO 1, engine: native", True),
        ("before: DO 1, mode: replace", False),
        ("before: DO 1, mode: truncate_insert", True),
        ("before: DO 1, mode: merge, keys: [id, dt]", True),
        ("after: DO 1", True),
    ],
)
def test_embulk_as_the_environments_loader_is_embulk(
    load: str, tmp_path: Path, *, fine: bool
) -> None:
    root = write_files(good_project(tmp_path), {"sql/marts/x.sql": insert(f"load: {{{load}}}")})
    assert codes(root) == []
    config = root / "config.yaml"
    config.write_text(f"{config.read_text()}    loader: embulk\n")
    assert codes(root) == ([] if fine else ["load-before"])


@pytest.mark.parametrize(
    ("load", "retry", "fine"),
    [
        ("mode: insert_direct, engine: embulk", "[{errors: [E]}]", False),
        ("mode: insert_direct, engine: embulk", "[{errors: [E], max_attempts: 0}]", True),
        ("mode: insert_direct, engine: embulk", "[]", True),
        ("mode: insert, engine: embulk", "[{errors: [E]}]", True),
        ("mode: truncate_insert, engine: embulk", "[{errors: [E]}]", True),
        ("mode: insert_direct", "[{errors: [E]}]", True),
    ],
)
@pytest.mark.parametrize("selected", [True, False])
def test_semantics_38_a_step_does_not_repeat_what_embulk_appends(
    load: str, retry: str, tmp_path: Path, *, fine: bool, selected: bool
) -> None:
    pattern = "marts.*" if selected else "staging.*"
    step = f"{{type: loads, select: [{pattern}], needs: [tables], retry: {retry}}}"
    files = {
        "sql/marts/x.sql": table(f"load: {{{load}}}", WHOLE),
        "workflows/daily.yaml": f"steps:\n  tables: {{type: tables}}\n  loads: {step}\n",
    }
    root = write_files(good_project(tmp_path), files)
    faults = inspect_project(root).faults
    assert [fault.code for fault in faults] == ([] if fine or not selected else ["load-repeated"])
    if faults:
        assert "`retry` of step loads in workflows/daily.yaml" in faults[0].found


@pytest.mark.parametrize(
    ("header", "fine"),
    [
        ("load: {min_rows: 0, mode: replace}", False),
        ("load: {min_rows: 0, mode: truncate_insert}", False),
        ("load: {min_rows: 0}", True),
        ("load: {min_rows: 5}", True),
        ("allow_empty: true\nload: {min_rows: 0, mode: replace}", True),
        ("allow_empty: true\nload: {min_rows: 5, mode: replace}", False),
    ],
)
def test_a_floor_of_rows_and_what_it_contradicts(
    header: str, tmp_path: Path, *, fine: bool
) -> None:
    """SEMANTICS 12."""
    root = write_files(good_project(tmp_path), {"sql/marts/x.sql": insert(header)})
    assert codes(root) == ([] if fine else ["load-rows"])


def test_a_whole_table_may_be_published_empty_and_not_be_loaded_so(tmp_path: Path) -> None:
    header = "allow_empty: true\nload: {min_rows: 5}"
    root = write_files(good_project(tmp_path), {"sql/marts/x.sql": table(header, WHOLE)})
    assert codes(root) == []


@pytest.mark.parametrize(
    ("header", "fine"),
    [
        ("format: parquet", True),
        ("format: iceberg\nkeys: [id]", True),
        *((f"format: {one}", False) for one in ("orc", "avro", "json", "textfile")),
    ],
)
@pytest.mark.parametrize("engine", ["native", "embulk"])
def test_loads_read_parquet_files_whatever_the_engine(
    engine: str, header: str, tmp_path: Path, *, fine: bool
) -> None:
    """Embulk reads Athena's result; its checks read the files."""
    text = table(f"{header}\nload: {{engine: {engine}}}", WHOLE)
    root = write_files(good_project(tmp_path), {"sql/marts/x.sql": text})
    assert codes(root) == ([] if fine else ["load-format"])
