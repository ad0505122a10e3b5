"""Rule 13: every test of a header runs on the staged rows, per partition, in one query."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from runner.app.bundle import open_bundle
from runner.app.inspect import find_table
from runner.app.local_places import open_places
from runner.keeper import records as kept
from tests.semantics.little import (
    NOW,
    codes,
    ended,
    go,
    insert,
    project,
    records,
    sql,
    statements,
    statuses,
)

if TYPE_CHECKING:
    from pathlib import Path

DAYS = ("2024-01-01", "2024-01-02")
FILTER = "WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'"
CARRIERS = sql("SELECT code FROM (VALUES 'AA', 'UA', CAST(NULL AS varchar)) AS t (code)")
ROWS = """(VALUES
    ('AA', 5, '2024-01-01 08:30', '2024-01-01'),
    ('UA', NULL, '2024-01-01 23:00', '2024-01-01'),
    (NULL, 7, NULL, '2024-01-01'),
    (NULL, 7, NULL, '2024-01-01'),
    ('ZZ', 9, '2024-01-02 11:00', '2024-01-02')
) AS t (carrier, delay, at, dt)"""


def checked(*tests: dict[str, Any]) -> str:
    return insert(
        f"SELECT carrier, delay, at, dt FROM {ROWS} {FILTER}", f"tests: {written(*tests)}"
    )


def written(*tests: dict[str, Any]) -> str:
    return json.dumps([{"severity": "warn", **test} for test in tests])


def results(root: Path, table: str) -> list[dict[str, Any]]:
    """Give the test results that the table's newest record keeps."""
    bundle = open_bundle(root)
    facts = find_table(bundle, table)
    storage = open_places(root, bundle, now=lambda: NOW).storage()
    name = f"{facts.database}.{facts.name.partition('.')[2]}"
    body = kept.read(storage, kept.entries(storage, name)[-1])
    found: list[dict[str, Any]] = body["tests"]
    return found


def judged(tmp_path: Path, test: dict[str, Any]) -> dict[str, Any]:
    files = {"raw/carriers": CARRIERS, "marts/t": checked(test)}
    root = project(tmp_path, files)
    assert codes(root) == []
    assert statuses(go(root, *DAYS))["marts.t"] == "published"
    return results(root, "marts.t")[0]


@pytest.mark.parametrize(
    ("test", "offending", "where"),
    [
        ({"unique": ["carrier"]}, 1, ["2024-01-01"]),
        ({"unique": ["carrier", "delay", "at"]}, 1, ["2024-01-01"]),
        ({"not_null": ["delay", "at"]}, 3, ["2024-01-01"]),
        ({"accepted_values": {"carrier": ["AA", "UA"]}}, 1, ["2024-01-02"]),
        ({"range": {"delay": [6, 8]}}, 2, ["2024-01-01", "2024-01-02"]),
        ({"range": {"delay": [None, 8]}}, 1, ["2024-01-02"]),
        ({"min_rows": 2}, 1, ["2024-01-02"]),
        ({"max_rows": 3}, 1, ["2024-01-01"]),
        ({"relationships": {"carrier": "raw.carriers.code"}}, 1, ["2024-01-02"]),
        (
            {"freshness": {"column": "at", "max_age": "12h"}},
            1,
            ["2024-01-02 (newest: 2024-01-02 11:00)"],
        ),
        ({"sql": "delay > 6 -- minutes"}, 3, ["2024-01-01", "2024-01-02"]),
        ({"sql": "length(carrier) <> 2 OR carrier = 'UA'"}, 1, ["2024-01-01"]),
        ({"sql": "SELECT * FROM {{ this }} WHERE delay = 9"}, 1, ["2024-01-02"]),
        (
            {
                "sql": "WITH few AS (SELECT dt, count(*) AS n FROM {{this}} GROUP BY dt) "
                "SELECT dt FROM few WHERE n < 2"
            },
            1,
            ["2024-01-02"],
        ),
        (
            {
                "sql": "SELECT t.dt FROM {{ this }} AS t JOIN raw.carriers AS c "
                "ON c.code = t.carrier"
            },
            2,
            ["2024-01-01"],
        ),
        (
            {
                "sql": "SELECT d.dt FROM (VALUES '2024-01-02', '2024-01-03') AS d (dt) "
                "LEFT JOIN {{ this }} AS t ON t.dt = d.dt WHERE t.dt IS NULL"
            },
            1,
            ["2024-01-03"],
        ),
    ],
)
def test_each_kind_of_test_counts_what_offends(
    test: dict[str, Any], offending: int, where: list[str], tmp_path: Path
) -> None:
    """NULL is a value for `unique`, an offence for `not_null`, and passes everything else."""
    found = judged(tmp_path, test)
    assert (found["offending"], found["where"]) == (offending, where)
    assert (found["rows"], found["partitions"], found["failing"]) == (5, 2, len(where))


def test_all_tests_of_a_table_are_one_query_on_the_stage(tmp_path: Path) -> None:
    tests = (
        {"unique": ["carrier"]},
        {"relationships": {"carrier": "raw.carriers.code"}, "name": "known carriers"},
        {"freshness": {"column": "at", "max_age": "2d"}},
        {"min_rows": 1},
        {"sql": "delay > 6"},
        {"sql": "SELECT dt FROM {{ this }} WHERE delay = 9"},
    )
    root = project(tmp_path, {"raw/carriers": CARRIERS, "marts/t": checked(*tests)})
    go(root, *DAYS)
    (query,) = (s for s in statements(root, "WITH") if "t0" in s)
    assert query.count("marts__stage") == 1
    assert [(r["test"], r["offending"]) for r in results(root, "marts.t")] == [
        ("unique: carrier", 1),
        ("known carriers", 1),
        ("freshness: at within 2d", 0),
        ("min_rows: 1", 0),
        ("sql: delay > 6", 3),
        ("sql: SELECT dt FROM {{ this }} WHERE delay = 9", 1),
    ]


def test_a_whole_table_is_tested_in_the_same_way(tmp_path: Path) -> None:
    tests = written(
        {"unique": ["carrier"]},
        {"relationships": {"carrier": "raw.carriers.code"}},
        {"freshness": {"column": "at", "max_age": "12h"}},
        {"sql": "SELECT 1 AS n FROM {{ this }} HAVING count(*) < 6"},
    )
    query = f"SELECT carrier, CAST(at AS timestamp) AS at FROM {ROWS}"
    root = project(tmp_path, {"raw/carriers": CARRIERS, "marts/t": sql(query, f"tests: {tests}")})
    assert codes(root) == []
    go(root, *DAYS)
    assert [(r["offending"], r["where"]) for r in results(root, "marts.t")] == [
        (1, []),
        (1, []),
        (1, ["(newest: 2024-01-02 11:00:00.000)"]),
        (1, []),
    ]


def test_a_test_of_severity_error_keeps_what_was_published(tmp_path: Path) -> None:
    files = {
        "raw/carriers": CARRIERS,
        "marts/t": checked(
            {"relationships": {"carrier": "raw.carriers.code"}, "severity": "error"}
        ),
    }
    root = project(tmp_path, files)
    assert statuses(go(root, "2024-01-01"))["marts.t"] == "published"
    found = ended(go(root, *DAYS))["marts.t"]
    assert found.status == "failed"
    assert "relationships: carrier in raw.carriers.code: 1 offending in 2024-01-02" in found.message
    assert records(root, "marts.t") == {"2024-01-01": 4}


def test_what_a_test_reads_comes_first_and_is_no_input(tmp_path: Path) -> None:
    """The name sorts after the table's; a table that its tests read only makes it not stale."""
    files = {
        "raw/zz": CARRIERS,
        "marts/a": checked({"relationships": {"carrier": "raw.zz.code"}}),
        "marts/b": checked({"sql": "SELECT dt FROM {{ this }} WHERE carrier IN (TABLE zzz)"}),
        "marts/zzz": sql("SELECT 'AA' AS code"),
    }
    files["marts/b"] = files["marts/b"].replace("TABLE zzz", "SELECT code FROM zzz")
    root = project(tmp_path, files)
    assert codes(root) == []
    bundle = open_bundle(root)
    names = [table.name for table in bundle.tables]
    assert names.index("raw.zz") < names.index("marts.a")
    assert names.index("marts.zzz") < names.index("marts.b")
    assert find_table(bundle, "marts.a").reads == ()
    assert set(statuses(go(root, "2024-01-01")).values()) == {"published"}


def test_names_in_tests_are_those_of_the_environment(tmp_path: Path) -> None:
    config = """\
project: little
timezone: UTC
environments:
  local:
    engine: local
    database_suffix: _dev
    marts: {main: {engine: sqlite, path: mart.sqlite}}
"""
    tests = (
        {"relationships": {"carrier": "raw.carriers.code"}},
        {"sql": "SELECT t.dt FROM {{ this }} t, raw.carriers c WHERE c.code = t.carrier"},
    )
    files = {"raw/carriers": CARRIERS, "marts/t": checked(*tests)}
    root = project(tmp_path, files, config=config)
    assert statuses(go(root, *DAYS))["marts.t"] == "published"
    (query,) = (s for s in statements(root, "WITH") if "t0" in s)
    assert '"raw_dev"."carriers"' in query
    assert "raw_dev.carriers c" in query
    assert [r["offending"] for r in results(root, "marts.t")] == [1, 2]
