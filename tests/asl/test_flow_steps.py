"""Steps that decide, repeat and call: what their definitions do in two interpreters."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

import pytest

from runner.asl.build import render
from runner.asl.compile import compile_workflow
from runner.asl.validate import check_machine
from runner.machine import ExecutionContext, Outcome, VirtualClock, parse_definition, run
from runner.machine.validate import find_refusals
from runner.model.ports import Json, ServiceError
from runner.model.project import StepQuery
from runner.model.sqltext import Mark, SqlText
from runner.model.workflow import AnyStep
from tests.asl.test_other_interpreter import Both, Caller, both
from tests.support.definitions import AWS, QUICK, TABLES
from tests.support.moto_machine import EXECUTION, MACHINE
from tests.support.projects import project, select_all, workflow
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.support.moto_machine import Ended

__all__ = ["both"]

STEP_MODELS = get_args(get_args(AnyStep)[0])

HTTP, START = "http:invoke", "states:startExecution.sync:2"
COUNT = {"type": "lambda", "function": "validate"}
QUERY = StepQuery(SqlText(("SELECT n FROM t WHERE dt >= '", Mark("start"), "'")))


def flow(
    steps: dict[str, Any],
    *,
    queries: Mapping[str, StepQuery] | None = None,
    environment: dict[str, Any] | None = None,
    tables: bool = False,
) -> bytes:
    found = project(*(TABLES if tables else ()), environment=environment, defaults=QUICK)
    named = replace(workflow(steps=steps), queries=queries or {})
    machine = compile_workflow(found, named, select_all(named, found))
    text = render(machine)
    check_machine(machine, text, file=named.file)
    assert find_refusals(json.loads(text), express=False) == []
    return text


def states_of(text: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)["States"]
    return found


def results(ended: Ended | Outcome) -> dict[str, Json]:
    return {one["name"]: one for one in ended.output["results"]}


def statuses(ended: Ended | Outcome) -> dict[str, str]:
    return {name: one["status"] for name, one in results(ended).items()}


def alone(text: bytes, folder: Path, **scripts: Any) -> tuple[Outcome, Scripted]:  # noqa: ANN401
    """Run with our interpreter only: moto tells errors of JSONata, and of HTTP, otherwise."""
    functions = {"validate": lambda payload: {"saw": len(payload.get("results", ()))}}
    world = Scripted(folder, **{"functions": functions, **scripts})
    ended = run(
        parse_definition(text),
        {"start": "2013-01-01", "end": "2013-01-03"},
        service=Caller(world),
        clock=VirtualClock(),
        context=ExecutionContext(EXECUTION, "run-1", MACHINE, "daily"),
        random=random.Random(1),  # noqa: S311 - the seed of jitter
    )
    return ended, world


# --- choice ---------------------------------------------------------------------------------------


def routes(condition: str, default: Any = "small", **more: Any) -> dict[str, Any]:  # noqa: ANN401
    rules = [{"if": condition, "then": "big"}, {"if": "$values.count.saw = 99", "then": "skip"}]
    return {
        "count": COUNT,
        "route": {"type": "choice", "rules": rules, "default": default, "needs": ["count"]},
        "big": COUNT,
        "small": COUNT,
        "after": {**COUNT, "needs": ["big", "small"]},
        "below": {**COUNT, "needs": ["big", "count"]},
        **more,
    }


@pytest.mark.parametrize(
    ("condition", "default", "left_out"),
    [
        ("$values.count.saw = 0", "small", ["small"]),
        ("$values.count.saw > 0", "small", ["below", "big"]),
        ("$values.nothing.of > 3", "small", ["below", "big"]),
        ('$window.start = "2013-01-01"', "small", ["small"]),
        ('$results[step = "count"].status = "succeeded"', "small", ["small"]),
        ("false", ["big", "small"], []),
        ("false", "continue", ["after", "below", "big"]),
        ("false", "skip", ["after", "below", "big"]),
    ],
)
def test_a_choice_leaves_out_what_it_does_not_choose(
    condition: str,
    default: Any,  # noqa: ANN401
    left_out: list[str],
    both: Both,
) -> None:
    ended, world = both(flow(routes(condition, default)))
    assert ended.status == "SUCCEEDED"
    found = statuses(ended)
    assert sorted(name for name, status in found.items() if status == "unchosen") == left_out
    assert {found[name] for name in found if name not in left_out} == {"succeeded"}
    called = {state.partition(" ")[0] for state, _, _ in world.calls}
    assert called.isdisjoint(left_out)


def test_skip_leaves_out_what_only_needs_the_choice_and_continue_does_not(both: Both) -> None:
    more = {"tail": {**COUNT, "needs": ["route"]}}
    for default, status in (("skip", "unchosen"), ("continue", "succeeded")):
        ended, _ = both(flow(routes("false", default, **more)))
        assert statuses(ended)["tail"] == status


def test_a_choice_decides_about_tables_and_their_loads(both: Both) -> None:
    steps: dict[str, Any] = {
        "route": {
            "type": "choice",
            "rules": [{"if": '$window.start = "1999-01-01"', "then": "tables"}],
            "default": "continue",
        },
        "tables": {"type": "tables"},
        "loads": {"type": "loads", "needs": ["tables"]},
    }
    ended, world = both(flow(steps, tables=True))
    assert statuses(ended) == {"route": "succeeded", "tables": "unchosen", "loads": "unchosen"}
    assert world.tables == {}
    steps["route"]["default"] = "tables"
    ended, world = both(flow(steps, tables=True))
    assert statuses(ended)["marts.daily"] == "loaded"


def test_what_needs_a_failed_choice_is_skipped(tmp_path: Path) -> None:
    ended, _ = alone(flow(routes('$values.count.saw > "a"')), tmp_path / "failed")
    assert ended.status.value == "FAILED"
    assert ended.cause is not None
    assert ended.cause.startswith("route failed: ")
    assert "big skipped" in ended.cause
    caught = routes('$values.count.saw > "a"')
    caught["route"]["catch"] = [{"errors": ["States.QueryEvaluationError"], "next": "continue"}]
    ended, _ = alone(flow(caught), tmp_path / "caught")
    assert statuses(ended)["route"] == "caught"
    assert statuses(ended)["big"] == "unchosen"


# --- sql ------------------------------------------------------------------------------------------


def rows(*found: list[str | None]) -> Json:
    types = ["bigint", "varchar", "boolean", "decimal", "double"]
    info = [{"Name": name, "Type": kind} for name, kind in zip("abcde", types, strict=True)]
    header: list[str | None] = [one["Name"] for one in info]
    data = [
        {"Data": [{} if one is None else {"VarCharValue": one} for one in row]}
        for row in (header, *found)
    ]
    return {"ResultSet": {"Rows": data, "ResultSetMetadata": {"ColumnInfo": info}}}


@pytest.mark.parametrize(
    ("row", "value"),
    [
        (["7", "x", "true", "1.50", "1.0E3"], {"a": 7, "b": "x", "c": True, "d": 1.5, "e": 1000}),
        (
            [None, "", "false", "-2", "NaN"],
            {"a": None, "b": "", "c": False, "d": -2, "e": "NaN"},
        ),
        (None, None),
    ],
)
@pytest.mark.parametrize("wait", ["sync", "poll"])
def test_the_first_row_of_a_query_is_its_value(
    row: list[str | None] | None, value: Json, wait: str, both: Both
) -> None:
    steps = {"q": {"type": "sql", "sql": "in the query"}}
    local = {"engine": "local", "athena_wait": wait}
    text = flow(steps, queries={"q": QUERY}, environment=local)
    answer = rows(row) if row else rows()
    others = {"athena:getQueryResults": lambda _: answer, **statement_of("ended")}
    ended, world = both(text, others=others)
    assert results(ended)["q"]["value"] == value
    assert results(ended)["q"]["location"] == "s3://results/1.csv"
    (asked,) = world.statements("q run")
    assert asked["QueryString"] == "SELECT n FROM t WHERE dt >= '2013-01-01'"
    (read,) = world.statements("q rows")
    assert read == {"QueryExecutionId": "1", "MaxResults": 2}


def statement_of(_: str) -> dict[str, Any]:
    execution = {
        "QueryExecutionId": "1",
        "Status": {"State": "SUCCEEDED"},
        "ResultConfiguration": {"OutputLocation": "s3://results/1.csv"},
    }
    return {
        "athena:startQueryExecution.sync": lambda _: {"QueryExecution": execution},
        "athena:startQueryExecution": lambda _: {"QueryExecutionId": "1"},
        "athena:getQueryExecution": lambda _: {"QueryExecution": execution},
    }


def test_marks_with_operations_are_computed_by_the_keeper(both: Both) -> None:
    week_ago = Mark("start", (("days", -7),))
    month = Mark("end", (), "yyyyMM")
    query = StepQuery(SqlText(("SELECT '", week_ago, "', ", month)))
    text = flow({"q": {"type": "sql", "sql": "s"}}, queries={"q": query})
    others = {"athena:getQueryResults": lambda _: rows(), **statement_of("ended")}
    _, world = both(text, others=others)
    (asked,) = world.statements("q run")
    assert asked["QueryString"] == "SELECT '2012-12-25', 201301"


def test_a_query_that_fails_is_explained(both: Both) -> None:
    failure = ServiceError(
        "States.TaskFailed",
        json.dumps({"QueryExecution": {"Status": {"StateChangeReason": "COLUMN_NOT_FOUND: x"}}}),
    )
    text = flow({"q": {"type": "sql", "sql": "s"}}, queries={"q": QUERY})
    ended, _ = both(text, failures={"q run": [failure]})
    assert ended.cause == "q failed: COLUMN_NOT_FOUND: x"


# --- workflow -------------------------------------------------------------------------------------

DONE = {
    "Name": "child-1",
    "Output": {
        "window": {"start": "2013-01-01"},
        "results": [{"step": "n", "value": 3}, {"step": "m"}],
    },
}


def test_another_workflow_has_this_window_and_gives_its_values(both: Both) -> None:
    steps = {
        "first": {"type": "workflow", "workflow": "hourly"},
        "then": {
            "type": "workflow",
            "workflow": "hourly",
            "needs": ["first"],
            "window": {"start": "{% $values.first.window.start %}", "end": "2013-06-01"},
        },
    }
    ended, world = both(flow(steps), others={START: lambda _: DONE})
    assert results(ended)["first"]["value"] == {
        "execution": "child-1",
        "window": {"start": "2013-01-01"},
        "values": {"n": 3},
    }
    (first,), (then,) = world.statements("first call"), world.statements("then call")
    arn = "arn:aws:states:local:000000000000:stateMachine:flights-env-hourly"
    assert first["StateMachineArn"] == arn
    assert first["Input"] == {"start": "2013-01-01", "end": "2013-01-03"}
    assert then["Input"] == {"start": "2013-01-01", "end": "2013-06-01"}
    assert len({first["Name"], then["Name"]}) == 2
    assert first["Name"].startswith("run-1-")
    assert len(first["Name"]) <= 80


def test_a_workflow_that_fails_inside_fails_the_step_with_its_cause(both: Both) -> None:
    document = {
        "ExecutionArn": "arn:aws:states:local:0:execution:flights-env-hourly:child-1",
        "Status": "FAILED",
        "Error": "Runner.StepsFailed",
        "Cause": "x failed: no rows",
    }
    failure = ServiceError("States.TaskFailed", json.dumps(document))
    steps = {"first": {"type": "workflow", "workflow": "hourly"}}
    ended, _ = both(flow(steps), failures={"first call": [failure]})
    told = "first failed: execution child-1: Runner.StepsFailed: x failed: no rows"
    assert ended.cause == told


# --- http and ecs_task ----------------------------------------------------------------------------


def test_a_request_says_what_the_step_says(tmp_path: Path) -> None:
    steps = {
        "count": COUNT,
        "ask": {
            "type": "http",
            "endpoint": "https://api.example.com/v1/orders",
            "connection": "crm",
            "method": "POST",
            "query": {"day": "{% $window.start %}"},
            "body": {"saw": "{% $values.count.saw %}"},
            "headers": {"Accept": "application/json"},
            "needs": ["count"],
        },
    }
    answer = {"StatusCode": 200, "ResponseBody": {"id": 5}, "Headers": {}}
    ended, world = alone(flow(steps), tmp_path, others={HTTP: lambda _: answer})
    assert results(ended)["ask"]["value"] == {"id": 5}
    (said,) = world.statements("ask call")
    assert said == {
        "ApiEndpoint": "https://api.example.com/v1/orders",
        "Method": "POST",
        "Authentication": {
            "ConnectionArn": "arn:aws:events:local:000000000000:connection/crm/local"
        },
        "Headers": {"Accept": "application/json"},
        "QueryParameters": {"day": "2013-01-01"},
        "RequestBody": {"saw": 0},
    }


@pytest.mark.parametrize(
    ("method", "code", "tries"),
    [("GET", 500, 6), ("POST", 500, 1), ("POST", 429, 6), ("GET", 404, 1)],
)
def test_requests_are_repeated_where_that_does_no_harm(
    method: str, code: int, tries: int, tmp_path: Path
) -> None:
    def refuse(_: Json) -> Json:
        raise ServiceError(f"States.Http.StatusCode.{code}", "no")

    ask = {"type": "http", "endpoint": "https://a.b/c", "connection": "crm", "method": method}
    ended, world = alone(flow({"ask": ask}), tmp_path, others={HTTP: refuse})
    assert ended.status.value == "FAILED"
    assert len(world.statements("ask call")) == tries


def test_a_task_of_ones_own_gets_command_and_window(both: Both) -> None:
    steps = {
        "job": {
            "type": "ecs_task",
            "task_definition": "scorer:3",
            "container": "main",
            "command": ["score", "{% $window.end %}"],
            "environment": {"MODE": "fast"},
        }
    }
    containers = [{"Name": "side"}, {"Name": "main", "ExitCode": 0}]
    answer = {"TaskArn": "arn:task", "Containers": containers}
    run = {"ecs:runTask.sync": lambda _: answer}
    ended, world = both(flow(steps, environment=AWS), others=run)
    assert results(ended)["job"]["value"] == {"task": "arn:task", "exit": 0}
    (said,) = world.statements("job call")
    assert said["Cluster"] == "flights-env-loads"
    assert said["NetworkConfiguration"]["AwsvpcConfiguration"]["Subnets"] == ["subnet-1"]
    (container,) = said["Overrides"]["ContainerOverrides"]
    assert container["Command"] == ["score", "2013-01-03"]
    assert {one["Name"]: one["Value"] for one in container["Environment"]} == {
        "MODE": "fast",
        "START": "2013-01-01",
        "END": "2013-01-03",
        "WORKFLOW": "daily",
        "STEP": "job",
    }


def test_the_exit_code_of_a_task_is_told(both: Both) -> None:
    task = {"Containers": [{"Name": "main", "ExitCode": 3}], "StoppedReason": "Essential container"}
    steps = {"job": {"type": "ecs_task", "task_definition": "scorer", "container": "main"}}
    failure = ServiceError("States.TaskFailed", json.dumps(task))
    ended, _ = both(flow(steps), failures={"job call": [failure]})
    assert ended.cause is not None
    assert "exit status 3" in ended.cause


# --- map ------------------------------------------------------------------------------------------


def each(over: Any, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    inner = {**COUNT, "payload": {"shop": "{% $item.name %}"}}
    return {"shops": {"type": "map", "over": over, "step": inner, **more}}


def asked(payload: Json) -> Json:
    if payload["shop"] == "bad":
        raise ValueError("no such shop")
    return {"shop": payload["shop"]}


def test_a_map_does_its_step_for_every_item(both: Both) -> None:
    ended, _ = both(flow(each([{"name": "a"}, {"name": "b"}])), functions={"validate": asked})
    assert results(ended)["shops"]["value"] == {
        "count": 2,
        "failed": 0,
        "items": [
            {"status": "succeeded", "value": {"shop": "a"}},
            {"status": "succeeded", "value": {"shop": "b"}},
        ],
    }


@pytest.mark.parametrize("given", [[], ["a"], ["a", "b"]])
def test_the_items_may_come_from_a_step(given: list[str], both: Both) -> None:
    steps = {
        "list": COUNT,
        **each("{% $values.list.shops.{'name': $} %}", needs=["list"]),
    }

    def answer(payload: Json) -> Json:
        return asked(payload) if "shop" in payload else {"shops": given}

    ended, _ = both(flow(steps), functions={"validate": answer})
    items = results(ended)["shops"]["value"]["items"]
    assert [one["value"]["shop"] for one in items] == given


@pytest.mark.parametrize(
    ("tolerated", "status"),
    [
        (None, "FAILED"),
        ({"count": 1}, "SUCCEEDED"),
        ({"percentage": 30}, "FAILED"),
        ({"percentage": 50}, "SUCCEEDED"),
        ({"count": 1, "percentage": 30}, "FAILED"),
    ],
)
def test_failed_items_may_be_tolerated(
    tolerated: dict[str, Any] | None, status: str, both: Both
) -> None:
    more = {"tolerated": tolerated} if tolerated else {}
    text = flow(each([{"name": "bad"}, {"name": "b"}], **more))
    ended, world = both(text, functions={"validate": asked})
    assert ended.status == status
    assert len(world.statements("shops item call")) == 2
    if status == "FAILED":
        told = "1 of 2 items failed: ValueError: no such shop"
        assert ended.cause == f"shops failed: Runner.ItemsFailed: {told}"


def test_failed_items_may_be_caught_by_another_step(both: Both) -> None:
    catch = [{"errors": ["Runner.ItemsFailed"], "next": "alert"}]
    alert = {"type": "sns", "topic": "t", "message": "m"}
    steps = {**each([{"name": "bad"}], catch=catch), "alert": alert}
    _, world = both(flow(steps), functions={"validate": asked})
    assert len(world.messages) == 1


def test_items_that_cannot_be_computed_fail_the_step_alone(tmp_path: Path) -> None:
    ended, _ = alone(flow(each('{% $number("x") %}')), tmp_path)
    assert ended.cause is not None
    assert ended.cause.startswith("shops failed: ")


def test_rows_of_a_query_are_executions_of_their_own() -> None:
    steps = {
        "q": {"type": "sql", "sql": "s"},
        **each({"rows": "q"}, needs=["q"], tolerated={"count": 2}, concurrency=7),
    }
    found = states_of(flow(steps, queries={"q": QUERY}))["shops run"]
    assert found["ItemProcessor"]["ProcessorConfig"]["Mode"] == "DISTRIBUTED"
    assert found["ItemReader"]["ReaderConfig"]["InputType"] == "CSV"
    assert found["ItemReader"]["Arguments"]["Bucket"] == "results"
    assert found["MaxConcurrency"] == 7
    assert found["ToleratedFailureCount"] == 2
    assert found["ResultWriter"]["Arguments"] == {"Bucket": "results", "Prefix": "maps/daily/shops"}


# --- side by side -------------------------------------------------------------------------------

SINGLE: dict[str, dict[str, Any]] = {
    "asl": {"state": {"Type": "Pass"}},
    "bigquery_transfer": {"transfer": "projects/p/locations/us/transferConfigs/c"},
    "choice": {"rules": [{"if": "1 = 2", "then": "skip"}], "default": "continue"},
    "codebuild": {"project": "site"},
    "crawler": {"name": "partner"},
    "ecs_task": {"task_definition": "scorer", "container": "main"},
    "glue_job": {"job": "mask"},
    "http": {"endpoint": "https://example.com/a", "connection": "files"},
    "lambda": {"function": "validate"},
    "loads": {},
    "map": {"over": ["a"], "step": {"type": "lambda", "function": "validate"}},
    "rds_export": {"source": "shop"},
    "redshift": {"database": "dev", "workgroup": "work", "sql": ["SELECT 1"]},
    "sns": {"topic": "t", "message": "m"},
    "sql": {"sql": "SELECT 1"},
    "tables": {},
    "wait": {"duration": "1s"},
    "workflow": {"workflow": "other"},
}


def test_every_type_of_step_is_here() -> None:
    types = {one.model_fields["type"].annotation.__args__[0] for one in STEP_MODELS}
    assert set(SINGLE) == types


@pytest.mark.parametrize("kind", SINGLE)
@pytest.mark.parametrize("name", ["run", "one", "start", "end"])
def test_a_step_of_any_type_may_run_beside_another(kind: str, name: str) -> None:
    environment = {
        "engine": "local",
        "marts": {"main": {"engine": "sqlite", "path": "mart.sqlite"}},
        "rds": {"shop": {"connect": {"engine": "sqlite", "path": "shop.sqlite"}}},
    }
    steps = {name: {"type": kind, **SINGLE[kind]}, "beside": {"type": "wait", "duration": "1s"}}
    text = flow(steps, queries={name: QUERY}, environment=environment, tables=True)
    (fan,) = [one for one in states_of(text).values() if one["Type"] == "Parallel"][:1]
    assert len(fan["Branches"]) == 2
