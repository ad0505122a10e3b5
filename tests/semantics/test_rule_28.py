"""SEMANTICS 28: a suffix reaches all that the project defines, and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from runner.app.bundle import open_bundle
from runner.project import check_project
from tests.semantics.little import (
    CONFIG,
    ended,
    go,
    insert,
    project,
    read,
    records,
    rows_of,
    sql,
    statuses,
)

if TYPE_CHECKING:
    from pathlib import Path

DEV = f"{CONFIG}  dev:\n    engine: local\n    buckets: {{raw: data}}\n    database_suffix: _dev\n"
DDL = """\
/*---
kind: ddl
---*/
CREATE EXTERNAL TABLE raw.lines (id bigint)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
LOCATION 's3://raw/lines/'
"""
FILES = {
    "raw/lines": DDL,
    "data/lines/one.json": '{"id": 1}\n{"id": 2}\n',
    "staging/days": insert("SELECT id, '{{ start }}' AS dt FROM raw.lines"),
    "marts/latest": sql("SELECT id FROM staging.days WHERE dt > ''", "kind: view"),
    "marts/total": sql("SELECT sum(id) AS total, '{{ vars.who }}' AS who FROM latest"),
}
VARS = "vars: {who: nobody}\n"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One project after a run in each of two environments that share a folder."""
    config = f"{DEV}    vars: {{who: dev}}\n{VARS}"
    root = project(tmp_path_factory.mktemp("rule_28"), FILES, config=config)
    for environment in ("local", "dev"):
        result = go(root, "2024-01-01", environment=environment)
        assert result.status == "SUCCEEDED"
    return root


@pytest.mark.parametrize(("environment", "suffix"), [("local", ""), ("dev", "_dev")])
def test_semantics_28_each_environment_has_its_own_tables(
    both: Path, environment: str, suffix: str
) -> None:
    assert set(open_bundle(both, environment).databases) == {
        f"raw{suffix}",
        f"staging{suffix}",
        f"marts{suffix}",
    }
    who = "dev" if suffix else "nobody"
    assert read(both, f"SELECT total, who FROM marts{suffix}.total") == [(3, who)]
    assert read(both, f"SELECT id FROM marts{suffix}.latest ORDER BY id") == [(1,), (2,)]
    assert read(both, f"SELECT count(*) FROM raw{suffix}.lines") == [(2,)]
    assert records(both, "staging.days", environment) == {"2024-01-01": 2}


@pytest.mark.parametrize(
    ("below", "databases"),
    [
        ("_runner/records", ["marts", "raw", "staging"]),
        ("_runner/stage", ["marts"]),  # where a ctas lies
        ("", ["staging"]),
    ],
)
def test_semantics_28_the_lake_and_the_records_are_apart(
    both: Path, below: str, databases: list[str]
) -> None:
    folder = both / ".runner" / "s3" / "lake" / below
    found = {path.parent.name for path in folder.glob("*/*") if path.parent.name[0] not in "_%"}
    assert {name for name in found if any((folder / name).rglob("*.*"))} >= {
        f"{name}{suffix}" for name in databases for suffix in ("", "_dev")
    }
    assert found <= {f"{n}{s}" for n in ("marts", "raw", "staging") for s in ("", "_dev")}


def test_semantics_28_the_keeper_knows_tables_by_the_suffixed_name(both: Path) -> None:
    """Leases and records are named by it."""
    bundle = open_bundle(both, "dev")
    states = json.loads(bundle.workflow("daily").definition)["States"]
    specs = json.dumps([state.get("Branches") for state in states.values()])
    for name in ("raw_dev.lines", "staging_dev.days", "marts_dev.latest", "marts_dev.total"):
        assert f'"name": "{name}", "kind"' in specs


def test_semantics_28_sources_keep_their_names(tmp_path: Path) -> None:
    config = f"{DEV}sources: {{crm.customers: {{columns: {{id: bigint}}}}}}\n"
    files = {"marts/x": sql("SELECT id FROM crm.customers"), "crm/own": sql("SELECT 1 AS id")}
    bundle = open_bundle(project(tmp_path, files, config=config), "dev")
    (table,) = [table for table in bundle.tables if table.name == "marts.x"]
    assert table.sql == "SELECT id FROM crm.customers"
    assert bundle.databases == ("crm_dev", "marts_dev")


def test_semantics_28_writes_never_leave_the_suffix(both: Path) -> None:
    definition = open_bundle(both, "dev").workflow("daily").definition
    for database in ("raw", "staging", "marts"):
        assert f'"DatabaseName": "{database}"' not in definition
        assert f'"DatabaseName": "{database}__stage"' not in definition
    assert '"DatabaseName": "marts_dev__stage"' in definition


UNSELECTED = "steps: {tables: {type: tables, select: [marts.*]}}\n"


def test_semantics_28_a_run_without_its_upstream_fails_naming_it(tmp_path: Path) -> None:
    files = {
        "staging/base": sql(f"SELECT id FROM {rows_of((1, ''))}"),
        "marts/x": sql("SELECT id FROM staging.base"),
        "marts/y": sql("SELECT 1 AS one"),
        "workflows/daily.yaml": UNSELECTED,
    }
    root = project(tmp_path, files, config=DEV)
    result = go(root, "2024-01-01", environment="dev")
    assert (result.status, statuses(result)) == (
        "FAILED",
        {"marts.x": "failed", "marts.y": "published"},
    )
    assert "staging_dev.base" in ended(result)["marts.x"].message
    assert "Make the table first" in ended(result)["marts.x"].advice


def test_semantics_28_defer_is_refused_until_it_is_followed(tmp_path: Path) -> None:
    config = f"{DEV}    defer: local\n"
    (fault,) = check_project(
        project(tmp_path, {"marts/x": sql("SELECT 1 AS n")}, config=config), environment="dev"
    )
    assert (fault.code, fault.found) == ("defer-unsupported", "`defer: local`")
