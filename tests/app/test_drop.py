"""SEMANTICS 30: `drop` removes what records prove to be ours, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.app.adopt import plan_adopt
from runner.app.drop import drop, plan_drop
from runner.app.leftovers import leftovers
from runner.app.tenure import holding
from runner.errors import RunFailed, UsageError
from runner.local.glue import GlueCatalog
from tests.semantics.little import CONFIG, go, insert, project, read, records, rows_of, sql
from tests.support.little_lake import files, opened

if TYPE_CHECKING:
    from pathlib import Path

ROWS = rows_of((1, "2024-01-01"), (2, "2024-01-02"), (3, "2024-01-03"))
WINDOW = "dt BETWEEN '{{ start }}' AND '{{ end }}'"
DAILY = insert(f"SELECT id, dt FROM {ROWS} WHERE {WINDOW}", "load: {}")
FILES = {
    "marts/daily": DAILY,
    "marts/whole": sql("SELECT count(*) AS n FROM marts.daily"),
    "marts/seen": sql("SELECT n FROM marts.whole", "kind: view"),
    "marts/other": sql("SELECT 1 AS one"),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = project(tmp_path, FILES)
    assert go(made, "2024-01-01", "2024-01-02").status == "SUCCEEDED"
    assert go(made, "2024-01-03").status == "SUCCEEDED"
    return made


def test_a_table_goes_and_its_files_stay(root: Path) -> None:
    before = files(root)
    plan = plan_drop(root, "marts.daily", data=False)
    assert (plan.in_catalogue, plan.prefixes, plan.records) == (True, (), 0)
    assert plan.warnings == (
        "sql/marts/daily.sql is still there: the next run makes the table again",
        "these tables of the project read it: marts.whole",
        "the mart main keeps its table daily",
        "files and records stay; --data removes them too",
    )
    drop(root, "marts.daily", data=False)
    assert files(root) == before
    assert not plan_drop(root, "marts.daily", data=False).in_catalogue
    assert go(root, "2024-01-03").status == "SUCCEEDED"  # over the files that stayed
    assert read(root, "SELECT count(*) FROM marts.daily WHERE dt > ''") == [(3,)]


@pytest.mark.parametrize("name", ["daily", "whole", "seen"])
def test_with_its_data_nothing_of_the_table_is_left_and_all_else_stays(
    root: Path, name: str
) -> None:
    kept = {key for key in files(root) if f"/{name}/" not in key}
    assert any(f"/{name}/" in key for key in files(root))
    plan = plan_drop(root, f"marts.{name}", data=True)
    assert plan.records == (1 if name == "seen" else 2)
    drop(root, f"marts.{name}", data=True)
    assert files(root) == kept
    assert records(root, f"marts.{name}") == {}
    with pytest.raises(UsageError, match="of which there is neither a table nor a record in local"):
        plan_drop(root, f"marts.{name}", data=True)
    assert read(root, "SELECT one FROM marts.other") == [(1,)]


def test_a_run_after_a_drop_with_data_writes_its_window_only(root: Path) -> None:
    drop(root, "marts.daily", data=True)
    assert go(root, "2024-01-02").status == "SUCCEEDED"
    assert records(root, "marts.daily") == {"2024-01-02": 1}
    assert read(root, "SELECT n FROM marts.whole") == [(1,)]


def test_a_table_whose_file_is_gone_is_listed_and_can_be_dropped(root: Path) -> None:
    assert leftovers(root) == ()
    (root / "sql/marts/seen.sql").unlink()
    (root / "sql/marts/whole.sql").unlink()
    found = leftovers(root)
    assert [(one.name, one.physical, one.periods) for one in found] == [
        ("marts.seen", "marts.seen", 1),
        ("marts.whole", "marts.whole", 1),
    ]
    assert found[0].last_published.startswith("2024-03-05T04:30:00")
    with pytest.raises(UsageError, match=r"did you mean marts.whole"):
        plan_drop(root, "marts.whol", data=True)
    drop(root, "marts.whole", data=True)
    assert [one.name for one in leftovers(root)] == ["marts.seen"]


def test_a_table_of_another_project_or_of_nobody_is_refused(root: Path) -> None:
    local = opened(root)
    catalog = local.catalog()
    table = catalog.get_table(DatabaseName="marts", Name="daily")["Table"]
    for owner, found in (({"runner.project": "x"}, "project x"), ({}, "not made by this project")):
        given = {
            name: table[name]
            for name in ("Name", "TableType", "PartitionKeys", "StorageDescriptor")
        }
        catalog.update_table(DatabaseName="marts", TableInput={**given, "Parameters": owner})
        before = files(root)
        for attempt in (plan_drop, drop):
            with pytest.raises(RunFailed, match=found):
                attempt(root, "marts.daily", data=True)
        assert files(root) == before
    catalog.close()


def test_a_table_without_records_is_not_ours(root: Path) -> None:
    catalog = GlueCatalog(root / ".runner" / "catalog.sqlite")
    storage = {"Columns": [], "Location": "s3://lake/theirs/"}
    catalog.create_table(
        DatabaseName="marts", TableInput={"Name": "theirs", "StorageDescriptor": storage}
    )
    catalog.close()
    with pytest.raises(RunFailed, match="was not made by this project"):
        plan_drop(root, "marts.theirs", data=False)


def test_a_table_that_is_being_written_is_refused(root: Path) -> None:
    """By a run or by another command: its lease is held by something that is at work."""
    local = opened(root)
    with holding(local, "marts.daily", verb="adopt") as owner:
        for attempt in (plan_drop, drop):
            with pytest.raises(RunFailed, match="table-busy"):
                attempt(root, "marts.daily", data=True)
        assert local.is_running(owner.execution)
    assert not local.is_running(owner.execution)
    assert list((root / ".runner/commands").iterdir()) == []
    drop(root, "marts.daily", data=True)


def test_a_prefix_that_another_table_uses_stays(root: Path) -> None:
    catalog = GlueCatalog(root / ".runner" / "catalog.sqlite")
    storage = {"Columns": [], "Location": "s3://lake/marts/daily/g=1/dt=2024-01-01"}
    catalog.create_table(
        DatabaseName="marts", TableInput={"Name": "theirs", "StorageDescriptor": storage}
    )
    catalog.close()
    assert plan_drop(root, "marts.daily", data=True).kept == ("marts/daily/g=1/",)
    drop(root, "marts.daily", data=True)
    assert len([key for key in files(root) if key.startswith("marts/daily/g=1/")]) == 3


@pytest.mark.parametrize("name", ["daily", "a.b.c", "marts.Daily"])
def test_a_name_that_is_none_is_refused(root: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"not a table name"):
        plan_drop(root, name, data=False)


AWS = """\
  prod: {engine: aws, region: eu-west-1, account: "123456789012", lake: "s3://l/", results: "s3://r/"}
"""


def test_an_environment_on_aws_has_nothing_to_adopt_so_far(tmp_path: Path) -> None:
    made = project(tmp_path, {"marts/one": sql("SELECT 1 AS one")}, config=CONFIG + AWS)
    with pytest.raises(UsageError, match="prod, which is on AWS"):
        plan_adopt(made, "marts.one", environment="prod")


def test_an_iceberg_table_of_ours_goes_only_with_its_data(tmp_path: Path) -> None:
    """Who made it is told by the claim: the catalogue's parameters are Athena's own."""
    header = "format: iceberg\nkeys: [id]"
    made = insert(f"SELECT id, dt FROM {ROWS} WHERE {WINDOW}", header)
    root = project(tmp_path, {**FILES, "marts/ice": made})
    assert go(root, "2024-01-01", "2024-01-03").status == "SUCCEEDED"
    with pytest.raises(RunFailed, match="its data are lost"):
        drop(root, "marts.ice", data=False)
    others = {name for name in files(root) if "/ice/" not in name}
    drop(root, "marts.ice", data=True)
    assert {name for name in files(root) if "/ice/" not in name} == others
    assert not [name for name in files(root) if name.startswith("marts/ice/")]
    assert records(root, "marts.ice") == {}
    assert go(root, "2024-01-02").status == "SUCCEEDED"
    assert read(root, "SELECT id, dt FROM marts.ice") == [(2, "2024-01-02")]
