"""Steps that wait for something, repeated by a map: what each item calls, in two interpreters."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from runner.asl.build import render
from runner.asl.compile import compile_workflow
from runner.asl.validate import check_machine
from runner.machine import ExecutionContext, VirtualClock, parse_definition, run
from runner.machine.validate import find_refusals
from runner.model.ports import Json, ServiceError
from runner.model.project import StepQuery
from runner.model.sqltext import Mark, SqlText
from runner.plan.stack.iam.uses import uses_of
from tests.support.definitions import QUICK
from tests.support.moto_machine import EXECUTION, MACHINE
from tests.support.projects import project, select_all, workflow
from tests.support.source_steps import Answer, Sources, play_twice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from runner.machine import Outcome

QUERY = StepQuery(SqlText(("SELECT count(*) AS n FROM t WHERE c = ? AND dt = '", Mark("end"), "'")))
CRAWLER = {"type": "crawler", "name": "{% $item %}"}
JOB = {"type": "glue_job", "job": "mask", "arguments": {"shop": "{% $item %}", "day": "{{ end }}"}}
BUILD = {
    "type": "codebuild",
    "project": "site",
    "environment": {"SHOP": "{% $item %}", "DAY": "{{ start }}"},
    "version": "{% 'v' & $item %}",
}
REDSHIFT = {
    "type": "redshift",
    "workgroup": "wg-1",
    "database": "dev",
    "sql": "DELETE FROM d WHERE shop = :shop AND dt = :end",
    "parameters": {"shop": "{% $item %}"},
}
SQL: dict[str, Any] = {"type": "sql", "sql": "see QUERY", "parameters": ["{% $item %}"]}
STEPS: dict[str, dict[str, Any]] = {
    "crawler": CRAWLER,
    "job": JOB,
    "build": BUILD,
    "redshift": REDSHIFT,
    "sql": SQL,
}
OBJECTS = {"objects": "s3://bucket/in/"}


def flow(over: Any, step: dict[str, Any], **more: Any) -> bytes:  # noqa: ANN401 - JSON
    found = project(defaults=QUICK)
    steps = {"m": {"type": "map", "over": over, "step": step, "concurrency": 1, **more}}
    named = replace(workflow(steps=steps), queries={"m": QUERY} if step["type"] == "sql" else {})
    machine = compile_workflow(found, named, select_all(named, found))
    text = render(machine)
    check_machine(machine, text, file=named.file)
    assert find_refusals(json.loads(text), express=False) == []
    return text


def crawled(started: str) -> Json:
    last = {"StartTime": started, "Status": "SUCCEEDED"}
    return {"Crawler": {"Name": "x", "State": "READY", "LastCrawl": last}}


ENDED = {"Status": {"State": "SUCCEEDED"}, "ResultConfiguration": {"OutputLocation": "s3://r/1"}}
ROWS = {
    "ResultSet": {
        "Rows": [{"Data": [{"VarCharValue": "n"}]}, {"Data": [{"VarCharValue": "7"}]}],
        "ResultSetMetadata": {"ColumnInfo": [{"Name": "n", "Type": "bigint"}]},
    }
}
ANSWERS: Mapping[str, Mapping[str, Sequence[Answer]]] = {
    "crawler": {
        "m each before": [crawled("2013-01-01T00:00:00Z")],
        "m each crawl": [{}],
        "m each look": [crawled("2013-01-02T00:00:00Z")],
    },
    "job": {"m each job": [{"Id": "jr_1", "JobRunState": "SUCCEEDED"}]},
    "build": {"m each build": [{"Build": {"Id": "site:1", "BuildStatus": "SUCCEEDED"}}]},
    "redshift": {
        "m each execute": [{"Id": "1"}],
        "m each look": [{"Id": "1", "Status": "FINISHED", "Duration": 5, "ResultRows": 1}],
    },
    "sql": {
        "m each run": [{"QueryExecution": {"QueryExecutionId": "1", **ENDED}}],
        "m each rows": [ROWS],
    },
}
FIRST = {
    "crawler": "m each crawl",
    "job": "m each job",
    "build": "m each build",
    "redshift": "m each execute",
    "sql": "m each run",
}
CALLED: dict[str, Any] = {
    "crawler": lambda item: {"Name": item},
    "job": lambda item: {
        "JobName": "mask",
        "Arguments": {"--shop": item, "--day": "2013-01-01"},
    },
    "build": lambda item: {
        "ProjectName": "site",
        "EnvironmentVariablesOverride": [
            {"Name": "SHOP", "Value": item, "Type": "PLAINTEXT"},
            {"Name": "DAY", "Value": "2013-01-01", "Type": "PLAINTEXT"},
        ],
        "SourceVersion": f"v{item}",
    },
    "redshift": lambda item: {
        "WorkgroupName": "wg-1",
        "Database": "dev",
        "Sql": "DELETE FROM d WHERE shop = :shop AND dt = :end",
        "StatementName": "m each",
        "Parameters": [
            {"Name": "shop", "Value": item},
            {"Name": "end", "Value": "2013-01-01"},
        ],
    },
    "sql": lambda item: {
        "QueryString": "SELECT count(*) AS n FROM t WHERE c = ? AND dt = '2013-01-01'",
        "ExecutionParameters": [f"'{item}'"],
    },
}
VALUES: dict[str, Any] = {
    "job": {"run": "jr_1"},
    "build": {"id": "site:1"},
    "redshift": {"Id": "1", "Status": "FINISHED", "Duration": 5, "ResultRows": 1, "Error": ""},
    "sql": {"n": 7},
}
TOKENS = ("ClientToken", "ClientRequestToken", "IdempotencyToken")


def without_tokens(called: Json) -> Json:
    dropped = (*TOKENS, "WorkGroup", "ResultConfiguration")
    return {key: value for key, value in called.items() if key not in dropped}


def alone(folder: Path, text: bytes, kind: str, given: Json) -> tuple[Outcome, Sources]:
    """Run with our interpreter only, in which no time passes but in a Wait."""
    world = Sources(folder, answers=ANSWERS[kind])
    ended = run(
        parse_definition(text),
        given,
        service=world,
        clock=VirtualClock(),
        context=ExecutionContext(EXECUTION, "run-1", MACHINE, "daily"),
        random=random.Random(1),  # noqa: S311 - the seed of jitter
    )
    return ended, world


WINDOW = {"start": "2013-01-01", "end": "2013-01-01"}


@pytest.mark.parametrize("kind", sorted(STEPS))
def test_each_item_is_called_with_what_it_is(kind: str, tmp_path: Path) -> None:
    played = play_twice(tmp_path, flow(["a", "b"], STEPS[kind]), ANSWERS[kind])
    called = played.world.statements(FIRST[kind])
    assert [without_tokens(one) for one in called] == [CALLED[kind]("a"), CALLED[kind]("b")]
    value = played.result["value"]
    item = {"status": "succeeded", **({"value": VALUES[kind]} if kind in VALUES else {})}
    assert value == {"count": 2, "failed": 0, "items": [item, item]}


@pytest.mark.parametrize("kind", ["build", "crawler", "job", "redshift"])
def test_a_number_is_told_as_text(kind: str, tmp_path: Path) -> None:
    played = play_twice(tmp_path, flow([7], STEPS[kind]), ANSWERS[kind])
    (called,) = played.world.statements(FIRST[kind])
    assert without_tokens(called) == CALLED[kind]("7")


@pytest.mark.parametrize("kind", ["build", "redshift", "sql"])
def test_items_of_the_same_moment_have_tokens_of_their_own(kind: str, tmp_path: Path) -> None:
    text = flow(["a", "a"], STEPS[kind], concurrency=2)
    _, world = alone(tmp_path, text, kind, WINDOW)
    called = world.statements(FIRST[kind])
    tokens = {one[key] for one in called for key in TOKENS if key in one}
    assert len(tokens) == 2
    assert all(32 <= len(token) <= 128 for token in tokens)


TELL = {
    "type": "sns",
    "topic": "arn:aws:sns:us-east-1:123456789012:t.fifo",
    "group": "g",
    "subject": "{% 'shop ' & $item %}",
    "message": "{% $item & ' on ' & $window.end %}",
    "attributes": {"shop": "{% $item %}"},
}


def test_each_item_has_a_message_of_its_own(tmp_path: Path) -> None:
    _, world = alone(tmp_path, flow(["a", "b"], TELL), "sql", WINDOW)
    told = world.statements("m item run")
    assert [one["Message"] for one in told] == ["a on 2013-01-01", "b on 2013-01-01"]
    assert [one["Subject"] for one in told] == ["shop a", "shop b"]
    assert told[1]["MessageAttributes"]["shop"]["StringValue"] == "b"
    assert len({one["MessageDeduplicationId"] for one in told}) == 2


def test_a_message_tells_the_value_of_a_step(tmp_path: Path) -> None:
    steps = {
        "q": {"type": "sql", "sql": "see QUERY"},
        "tell": {
            "type": "sns",
            "topic": "t",
            "subject": "{% $string($values.q.n) & ' of ' & $window.start %}",
            "message": "{% $string($values.q.n) %}",
            "attributes": {"n": "{% $string($values.q.n) %}"},
            "needs": ["q"],
        },
    }
    found = project(defaults=QUICK)
    named = replace(workflow(steps=steps), queries={"q": StepQuery(SqlText(("SELECT 7 AS n",)))})
    text = render(compile_workflow(found, named, select_all(named, found)))
    answers = {one.replace("m each", "q"): said for one, said in ANSWERS["sql"].items()}
    played = play_twice(tmp_path, text, answers)
    (told,) = played.world.statements("tell run")
    assert (told["Subject"], told["Message"]) == ("7 of 2013-01-01", "7")
    assert told["MessageAttributes"]["n"]["StringValue"] == "7"


def test_a_failed_item_is_told_and_may_be_tolerated(tmp_path: Path) -> None:
    bad = ServiceError("Glue.EntityNotFoundException", "no such job")
    answers = {"m each job": [bad, *ANSWERS["job"]["m each job"]]}
    text = flow(["a", "b"], JOB, tolerated={"count": 1}, concurrency=1)
    value = play_twice(tmp_path, text, answers).result["value"]
    assert (value["count"], value["failed"]) == (2, 1)
    assert [one["status"] for one in value["items"]] == ["failed", "succeeded"]
    assert value["items"][0]["error"] == "Glue.EntityNotFoundException"


@pytest.mark.parametrize("kind", sorted(STEPS))
def test_an_execution_of_its_own_has_item_and_window(kind: str, tmp_path: Path) -> None:
    """Run what the child execution of an item does."""
    states = json.loads(flow(OBJECTS, STEPS[kind]))["States"]
    processor = dict(states["m run"]["ItemProcessor"])
    assert processor.pop("ProcessorConfig")["Mode"] == "DISTRIBUTED"
    child = json.dumps({"QueryLanguage": "JSONata", **processor}).encode()
    ended, world = alone(tmp_path, child, kind, {"item": "a", "window": WINDOW})
    assert ended.status.value == "SUCCEEDED"
    assert ended.output == {
        "status": "succeeded",
        **({"value": VALUES[kind]} if kind in VALUES else {}),
    }
    (called,) = world.statements(FIRST[kind])
    assert without_tokens(called) == CALLED[kind]("a")


@pytest.mark.parametrize(
    ("item", "literal"),
    [
        ("it's", "'it''s'"),
        (7, "7"),
        (2.5, "2.5"),
        (True, "true"),
        (None, "NULL"),
        ("", "''"),
        ("' OR 'a' = 'a", "''' OR ''a'' = ''a'"),
    ],
)
def test_a_parameter_is_one_literal(item: Any, literal: str, tmp_path: Path) -> None:  # noqa: ANN401
    played = play_twice(tmp_path, flow([item], SQL), ANSWERS["sql"])
    (called,) = played.world.statements("m each run")
    assert called["ExecutionParameters"] == [literal]


def test_parameters_that_are_known_are_written_at_once(tmp_path: Path) -> None:
    step = {**SQL, "parameters": ["it's", 7, True, "{% $item.of %}"]}
    played = play_twice(tmp_path, flow([{"of": "x"}], step), ANSWERS["sql"])
    (called,) = played.world.statements("m each run")
    assert called["ExecutionParameters"] == ["'it''s'", "7", "true", "'x'"]


def test_a_parameter_that_is_not_there_fails_the_item(tmp_path: Path) -> None:
    step = {**SQL, "parameters": ["{% $item.nothing %}"]}
    text = flow([{"of": "x"}], step, tolerated={"count": 1})
    ended, _ = alone(tmp_path, text, "sql", WINDOW)
    (found,) = ended.output["results"]
    (item,) = found["value"]["items"]
    assert item["status"] == "failed"
    assert "no text, number" in item["message"]


@pytest.mark.parametrize("over", [["a"], OBJECTS], ids=["inline", "distributed"])
def test_permissions_are_those_of_the_inner_calls(over: Any) -> None:  # noqa: ANN401 - JSON
    actions = {
        kind: {(call.service, call.action) for call in uses_of(flow(over, step).decode()).calls}
        for kind, step in STEPS.items()
    }
    assert {("glue", "startCrawler"), ("glue", "getCrawler")} <= actions["crawler"]
    assert ("glue", "startJobRun") in actions["job"]
    assert ("codebuild", "startBuild") in actions["build"]
    assert {("redshiftdata", "executeStatement"), ("redshiftdata", "describeStatement")} <= (
        actions["redshift"]
    )
    assert {("athena", "startQueryExecution"), ("athena", "getQueryResults")} <= actions["sql"]
