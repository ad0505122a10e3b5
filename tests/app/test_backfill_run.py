"""A backfill from its plan to the rows: windows of each table, continued by name, never twice."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from runner.app.backfill_run import Order, execute_plan
from runner.app.bundle import open_bundle
from runner.app.local_places import open_places
from runner.app.run import RunRequest, run
from runner.errors import UsageError
from runner.keeper import backfills, prepare
from runner.keeper.records import stamp
from runner.machine import Fail, FaultPlan, InjectedFault, When
from runner.project import load_project
from tests.semantics.little import (
    CONFIG,
    DAY,
    NOW,
    ended,
    go,
    insert,
    project,
    read,
    records,
    sql,
    statements,
    statuses,
)

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
    return project(folder, files, config=CONFIG + "defaults: {retry: {interval: 1s}}\n")


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
    order = Order(root, plan, faults=FaultPlan(faults), loads=("main:x",), **more)
    return execute_plan(order, now=lambda: NOW)


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


EXHAUSTED = '{"Status": {"StateChangeReason": "Query exhausted resources at this scale factor"}}'
"""What the failure of a query says, as the catcher gets it."""


@pytest.mark.parametrize(
    ("struck", "status", "sent"),
    [
        ("*staging.x write#1.0[[]0]/staging.x insert#1", "SUCCEEDED", 5),  # 8 days, then 4 times 2
        ("*/staging.x insert#1", "FAILED", 3),  # 8 days, 2, 1: then nothing is left to split
    ],
)
def test_a_query_too_large_for_the_engine_is_split_into_smaller_windows(
    tmp_path: Path, struck: str, status: str, sent: int
) -> None:
    root = lay(tmp_path)
    too_large = InjectedFault(struck, Fail("States.TaskFailed", EXHAUSTED), attempt=0)
    plan = FaultPlan((too_large,))
    request = RunRequest(root, "daily", start="2024-01-01", end="2024-01-08", faults=plan)
    found = run(request, now=lambda: NOW)
    assert found.status == status
    assert len(statements(root, 'INSERT INTO "staging__stage"')) == sent
    if status == "SUCCEEDED":
        assert list(records(root, "staging.x").values()) == [1] * 8
        assert read(root, "SELECT sum(n) FROM staging.x WHERE dt > ''") == [(36,)]
    else:
        assert "Narrow the window" in ended(found)["staging.x"].advice
        assert records(root, "staging.x") == {}


def test_more_chunks_than_a_payload_holds_are_told_in_rounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare, "_MOST_CHUNKS", 2)
    partition = f'{DAY}\n  n: {{type: integer, range: "1,100"}}'
    query = DAYS.replace("day_of_month(d) AS n", "1 AS one, '7' AS n")
    root = project(tmp_path, {"staging/x": insert(query, partition=partition)})
    found = go(root, "2024-01-01", "2024-01-05")
    assert found.status == "SUCCEEDED"
    assert (ended(found)["staging.x"].rows, ended(found)["staging.x"].partitions) == (5, 5)
    assert len(statements(root, "INSERT INTO")) == 5


def test_many_chunks_are_executions_of_their_own(tmp_path: Path) -> None:
    root = lay(tmp_path)
    spans = [[f"2024-01-{day:02}", f"2024-01-{day:02}"] for day in range(1, 29, 2)]
    plan = plan_of(root, "wide", staging__x=spans, marts__x=spans)
    many = {"staging.x": 500, "marts.x": 500}
    failing = InjectedFault("marts.x test", Fail("TestsFailed", "two rows"), visit=1)
    result = carry(root, plan, failing, chunks=many)
    assert result.status == "FAILED"
    assert ended(result)["marts.x"].message == "TestsFailed: two rows"
    assert len(records(root, "staging.x")) == 14
    assert '"Mode": "DISTRIBUTED"' in (root / ".runner/runs" / result.run / FILE).read_text()
    assert carry(root, plan, chunks=many).status == "SUCCEEDED"
    assert read(root, "SELECT count(*), sum(n) FROM marts.x WHERE dt > ''") == [(14, 1960)]


FILE = "definition.asl.json"


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
