"""Each rule finds what it is for, where the user wrote it, and leaves its good twin alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.checks import RULES
from runner.project import inspect_project
from tests.project.projects import good_project, write_files

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
    "query-size": (
        f"SELECT shop FROM staging.events WHERE shop <> '{'é' * 131_072}'\n",
        f"SELECT shop FROM staging.events WHERE shop <> '{'é' * 20_000}'\n",
        "1",
    ),
}
WARNINGS = {
    "merge-keeps-rows": (
        insert("load: {mode: merge, keys: [id]}"),
        insert("load: {mode: replace_window}"),
        "4:14",
    ),
    "query-large": (
        f"SELECT shop FROM staging.events WHERE shop <> '{'a' * 100_001}'\n",
        f"SELECT shop FROM staging.events WHERE shop <> '{'a' * 90_000}'\n",
        "1",
    ),
}


@pytest.mark.parametrize("code", CASES)
def test_a_rule_finds_its_fault_and_nothing_in_the_good_twin(code: str, tmp_path: Path) -> None:
    bad, good, place = CASES[code]
    root = write_files(good_project(tmp_path), {"sql/marts/x.sql": bad})
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
        ("kind: view\nload: {}", WHOLE, True),
        ("kind: view\nload: {mode: replace}", WHOLE, True),
        ("kind: view\nload: {mode: truncate_insert}", WHOLE, False),
    ],
)
def test_load_modes_of_other_tables(header: str, sql: str, fine: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """SEMANTICS 37."""
    root = write_files(good_project(tmp_path), {"sql/marts/x.sql": table(header, sql)})
    assert [f.code for f in inspect_project(root).faults] == ([] if fine else ["load-mode"])
