"""A backfill from its plan to the rows: windows of each table, continued by name, never twice."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from runner.app.backfill_run import Order, carry_out
from runner.app.bundle import open_bundle
from runner.app.local_places import open_places
from runner.errors import UsageError
from runner.keeper import backfills
from runner.keeper.records import stamp
from runner.machine import Fail, FaultPlan, InjectedFault, When
from runner.project import load_project
from tests.semantics.little import NOW, go, insert, project, read, records, sql, statuses

if TYPE_CHECKING:
    from pathlib import Path

    from runner.app.run import RunResult

DAYS = (
    "SELECT day_of_month(d) AS n, date_format(d, '%Y-%m-%d') AS dt FROM "
    "UNNEST(sequence(DATE '{{ start }}', DATE '{{ end }}', INTERVAL '1' DAY)) AS t (d)"
)
BELOW = (
    "SELECT n * {factor} AS n, dt FROM staging.x "
    "WHERE dt BETWEEN '{{{{ start }}}}' AND '{{{{ end }}}}'"
)
LOAD = "load: {mode: replace_window}"
WHOLE = "SELECT count(*) AS n, sum(n) AS total FROM marts.x"


def lay(folder: Path, factor: int = 10) -> Path:
    files = {
        "staging/x": insert(DAYS),
        "marts/x": insert(BELOW.format(factor=factor), LOAD),
        "marts/total": sql(WHOLE),
    }
    return project(folder, files)


def plan_of(root: Path, name: str, refresh: bool = False, **windows: Any) -> dict[str, Any]:  # noqa: ANN401, FBT001, FBT002
    loaded = load_project(root, environment="local", variables={})
    tables = {
        table.replace("__", "."): {
            "name": table.replace("__", "."),
            "fingerprint": next(
                t.fingerprint for t in loaded.tables if str(t.name) == table.replace("__", ".")
            ),
            "refresh": refresh,
            "windows": spans,
        }
        for table, spans in windows.items()
    }
    spans = [span for told in windows.values() for span in told if span[0] != "all"]
    return {
        "format": 1,
        "name": name,
        "created": stamp(NOW - timedelta(minutes=1)),
        "workflow": "daily",
        "grain": "day",
        "start": min(start for start, _ in spans),
        "end": max(end for _, end in spans),
        "tables": tables,
    }


def carry(root: Path, plan: dict[str, Any], *faults: InjectedFault, **more: Any) -> RunResult:  # noqa: ANN401
    return carry_out(Order(root, plan, faults=FaultPlan(faults), **more), now=lambda: NOW)


TWO = [["2024-01-01", "2024-01-03"], ["2024-02-01", "2024-02-01"]]
WRITTEN = {"2024-01-01": 1, "2024-01-02": 1, "2024-01-03": 1, "2024-02-01": 1}


def test_each_table_writes_the_windows_of_its_plan_and_loads_just_them(tmp_path: Path) -> None:
    root = lay(tmp_path)
    plan = plan_of(root, "first", staging__x=TWO, marts__x=TWO[:1], marts__total=[["all", "all"]])
    result = carry(root, plan)
    assert (result.status, result.run) == ("SUCCEEDED", "backfill-first-1")
    assert statuses(result) == {
        "staging.x": "published",
        "marts.x": "published",
        "marts.total": "published",
        "marts.x load": "loaded",
    }
    assert records(root, "staging.x") == WRITTEN
    assert records(root, "marts.x") == dict(list(WRITTEN.items())[:3])
    assert read(root, "SELECT n, total FROM marts.total") == [(3, 60)]


def test_a_backfill_that_succeeded_is_not_done_again(tmp_path: Path) -> None:
    root = lay(tmp_path)
    plan = plan_of(root, "once", staging__x=TWO)
    assert carry(root, plan).status == "SUCCEEDED"
    again = carry(root, {**plan, "tables": {}})
    assert (again.status, again.run) == ("SUCCEEDED", "")


def test_a_failed_backfill_goes_on_by_name_where_it_stood(tmp_path: Path) -> None:
    root = lay(tmp_path)
    plan = plan_of(root, "again", staging__x=TWO, marts__x=TWO)
    failing = InjectedFault("marts.x test", Fail("TestsFailed"), visit=1)
    assert carry(root, plan, failing).status == "FAILED"
    first = {e for e in keys(root) if "/staging/x/" in e and e.endswith(".json")}
    assert len(first) == 2
    assert carry(root, plan).run == "backfill-again-2"
    assert {e for e in keys(root) if "/staging/x/" in e and e.endswith(".json")} == first
    assert records(root, "marts.x") == WRITTEN


def keys(root: Path) -> list[str]:
    local = open_places(root, open_bundle(root), now=lambda: NOW)
    return [stored.key for stored in local.storage().list("_runner/records/")]


def test_a_running_backfill_refuses_a_second_one_of_its_name(tmp_path: Path) -> None:
    root = lay(tmp_path)
    plan = plan_of(root, "busy", staging__x=TWO)
    local = open_places(root, open_bundle(root), now=lambda: NOW)
    given = {"start": "2024-01-01", "end": "2024-02-01", "backfill": "busy"}
    running = local.runs.create(
        "backfill-busy-1", workflow="backfill", execution_input=given, definition=b"{}"
    )
    with running, pytest.raises(UsageError, match="which run backfill-busy-1 carries out"):
        carry(root, plan)
    assert carry(root, plan).run == "backfill-busy-2"


@pytest.mark.parametrize("at", ["marts.x flip", "marts.x finish"])
@pytest.mark.parametrize("error", ["Glue.SdkClientException", "States.Timeout"])
@pytest.mark.parametrize("when", list(When), ids=str)
def test_a_full_refresh_flips_to_a_new_generation_whatever_fails(
    tmp_path: Path, at: str, error: str, when: When
) -> None:
    root = lay(tmp_path)
    assert go(root, "2024-01-01", "2024-01-03").status == "SUCCEEDED"
    lay(tmp_path, factor=7)
    plan = plan_of(root, "anew", refresh=True, marts__x=[["2024-01-01", "2024-01-05"]])
    failing = InjectedFault(at, Fail(error), when, visit=1, attempt=0)
    carry(root, plan, failing)
    result = carry(root, plan)
    assert result.status == "SUCCEEDED"
    assert location(root).endswith("marts/x/g=2/")
    assert read(root, "SELECT dt, n FROM marts.x WHERE dt > '' ORDER BY 1")[-1] == (
        "2024-01-03",
        21,
    )
    assert records(root, "marts.x")["2024-01-03"] == 1
    assert not [key for key in keys(root) if "refresh" in key]


def location(root: Path) -> str:
    local = open_places(root, open_bundle(root), now=lambda: NOW)
    catalog = local.catalog()
    try:
        found = catalog.service("getTable", {"DatabaseName": "marts", "Name": "x"})
    finally:
        catalog.close()
    return str(found["Table"]["StorageDescriptor"]["Location"])


def test_a_name_that_is_none_is_refused(tmp_path: Path) -> None:
    root = lay(tmp_path)
    with pytest.raises(Exception, match="is not a name of letters"):
        backfills.create(
            open_places(root, open_bundle(root), now=lambda: NOW).storage(),
            plan_of(root, "../x", staging__x=TWO),
        )
