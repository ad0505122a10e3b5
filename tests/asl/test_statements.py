"""Statements in both ways of waiting: the same tokens, variables, failures, tables.

Definitions with `athena_wait: poll` are run by moto's interpreter and by ours, as the others are.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from runner.asl.build import render
from runner.asl.compile import compile_backfill, compile_workflow
from runner.asl.flow import catcher, every_state
from runner.asl.statements import SCANNED, Statement, count_looks, running, seconds_between
from runner.asl.steps.scope import Backfill
from runner.asl.validate import check_machine
from runner.model.ports import ServiceError
from tests.asl.test_cfn_lint import findings
from tests.asl.test_definition import STEPS as EVERY_KIND
from tests.asl.test_definition import TABLES as EVERY_TABLE
from tests.asl.test_other_interpreter import HOPELESS, PASSING, Both, statuses
from tests.machine.machines import Fails, Script, jsonata, play
from tests.support.definitions import ICEBERG, STEPS, TABLES, backfilled, compiled
from tests.support.projects import SQLITE, project, select_all, table, workflow

if TYPE_CHECKING:
    from pathlib import Path

    from runner.asl.flow import Machine

POLL = {"engine": "local", "athena_wait": "poll", "marts": {"main": SQLITE}}
ENTERED = "2013-01-01T00:00:00.000Z"


@pytest.fixture
def both(tmp_path: Path) -> Both:
    return Both(tmp_path)


def machine(*tables: Any, environment: dict[str, Any] | None = POLL) -> Machine:  # noqa: ANN401
    found, named = project(*tables, environment=environment), workflow(steps=EVERY_KIND)
    return compile_workflow(found, named, select_all(named, found))


def test_a_key_of_ones_own_encrypts_what_statements_write() -> None:
    key = "arn:aws:kms:eu-west-1:123456789012:key/1"
    aws = {
        "engine": "aws",
        "region": "eu-west-1",
        "account": "123456789012",
        "lake": "s3://lake/",
        "results": "s3://results/",
        "network": {"subnets": ["subnet-1"]},
        "marts": {"main": {"engine": "mysql", "database": "m"}},
    }
    plain, keyed = (
        {
            json.dumps(state.fields["Arguments"]["ResultConfiguration"])
            for state in every_state(machine(*EVERY_TABLE, environment=environment).flow)
            if "startQueryExecution" in state.fields.get("Resource", "")
        }
        for environment in (aws, {**aws, "keys": {"data": key}})
    )
    location = '{"OutputLocation": "s3://results/"'
    assert plain == {f"{location}}}"}
    assert keyed == {
        (
            f'{location}, "EncryptionConfiguration": '
            f'{{"EncryptionOption": "SSE_KMS", "KmsKey": "{key}"}}}}'
        )
    }


# --- the states ---------------------------------------------------------------------------------


def test_both_ways_start_with_the_same_name_arguments_and_token() -> None:
    waiting = {s.name: s.fields for s in every_state(machine(*EVERY_TABLE, environment=None).flow)}
    polled = {s.name: s.fields for s in every_state(machine(*EVERY_TABLE).flow)}
    started = [n for n, f in waiting.items() if "startQueryExecution" in f.get("Resource", "")]
    assert len(started) == 15
    for name in started:
        assert waiting[name]["Resource"].endswith(":startQueryExecution.sync")
        assert polled[name]["Resource"].endswith(":startQueryExecution")
        assert polled[name]["Arguments"] == waiting[name]["Arguments"]
    assert set(waiting) <= set(polled)


def test_a_polled_definition_is_a_definition() -> None:
    """Names, limits and shapes are those of Amazon States Language, and chunks of their own."""
    long = table(f"marts.{'x' * 70}", "staging.flights")
    whole = machine(*EVERY_TABLE, long)
    found = project(*EVERY_TABLE, environment=POLL)
    names = tuple(one.name for one in found.tables)
    chosen = frozenset(str(name) for name in names)
    backfill = compile_backfill(found, Backfill(names, (), "day", chosen, chosen))
    texts = [render(whole), render(backfill)]
    for one, text in zip((whole, backfill), texts, strict=True):
        check_machine(one, text, file="workflows/daily.yaml")
        for state in every_state(one.flow):
            if state.fields["Type"] == "Task":
                assert 0 < state.fields["TimeoutSeconds"] <= 12 * 3600
            if state.fields["Type"] == "Choice":
                assert state.fields["Default"]
    assert findings(objects=texts, texts=[]) == []


def test_only_a_submission_and_a_look_are_retried_in_place() -> None:
    """SEMANTICS 6: a call whose outcome is unknown is made again with the same token."""
    for state in every_state(machine(*EVERY_TABLE).flow):
        if "athena" not in state.fields.get("Resource", ""):
            continue
        errors = {error for one in state.fields["Retry"] for error in one["ErrorEquals"]}
        assert "States.TaskFailed" not in errors
        assert "States.ALL" not in errors
        assert "States.Timeout" in errors


def test_the_pauses_grow_and_the_looks_stay_few() -> None:
    pauses: list[int] = []
    passed = 0
    while passed < 90:
        pauses.append(seconds_between(len(pauses), passed))
        passed += pauses[-1]
    assert pauses == [1, 2, 3, 4, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 6, 6, 7, 7, 8]
    assert count_looks(4 * 3600) < 300


# --- one statement, on our interpreter ----------------------------------------------------------


def execution(state: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    fields = {"Query": "SELECT 1", "Status": {"State": state}, **more}
    return {"QueryExecution": fields}


def run_one(service: Script, *, timeout_s: int = 1800, caught: bool = True) -> Any:  # noqa: ANN401
    noted = catcher(["States.ALL"], "caught", Assign={"problem": "{% $states.errorOutput %}"})
    statement = Statement(
        "t",
        "insert",
        {"QueryString": "SELECT 1", "ClientRequestToken": "x"},
        timeout_s,
        keep={"scanned": "Statistics.DataScannedInBytes"},
        catch=(noted,) if caught else (),
        following="end",
    )
    states = {one.name: dict(one.fields) for one in running("poll", statement)}
    states["end"] = {"Type": "Pass", "Output": {"scanned": "{% $scanned %}"}, "End": True}
    if caught:
        states["caught"] = {"Type": "Pass", "Output": "{% $problem %}", "End": True}
    return play(jsonata(states), service=service)


def told(**answers: Any) -> Script:  # noqa: ANN401
    return Script(**{"t insert": {"QueryExecutionId": "q1"}, **answers})


def test_what_is_kept_comes_from_the_last_look() -> None:
    done = execution("SUCCEEDED", Statistics={"DataScannedInBytes": 7})
    looks = [execution("QUEUED"), execution("RUNNING"), execution("QUEUED"), done]
    service = told(**{"t insert look": looks})
    assert run_one(service).output == {"scanned": 7}
    asked = [one.arguments for one in service.requests if one.state == "t insert look"]
    assert asked == [{"QueryExecutionId": "q1"}] * 4


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED"])
@pytest.mark.parametrize("caught", [True, False])
def test_a_failed_statement_looks_as_if_step_functions_had_waited(
    state: str,
    caught: bool,  # noqa: FBT001
) -> None:
    failed = execution(state)
    failed["QueryExecution"]["Status"]["StateChangeReason"] = 'it said "no"'
    outcome = run_one(told(**{"t insert look": failed}), caught=caught)
    problem = outcome.output or {"Error": outcome.error, "Cause": outcome.cause}
    assert problem["Error"] == ("States.TaskFailed" if caught else "Statement.TaskFailed")
    cause = {"Status": {"State": state, "StateChangeReason": 'it said "no"'}}
    assert json.loads(problem["Cause"]) == cause


@pytest.mark.parametrize("caught", [True, False])
@pytest.mark.parametrize("stops", [{}, Fails("Athena.InvalidRequestException", "it has ended")])
def test_a_statement_that_takes_too_long_is_stopped(
    caught: bool,  # noqa: FBT001
    stops: object,
) -> None:
    service = told(**{"t insert look": execution("RUNNING"), "t insert stop": stops})
    outcome = run_one(service, timeout_s=100, caught=caught)
    problem = outcome.output or {"Error": outcome.error, "Cause": outcome.cause}
    assert problem == {"Error": "States.Timeout" if caught else "Statement.Timeout", "Cause": ""}
    assert service.requests[-1].arguments == {"QueryExecutionId": "q1"}
    looks = sum(one.state == "t insert look" for one in service.requests)
    assert count_looks(100) <= looks <= count_looks(100) + 2


def test_a_statement_that_nobody_can_look_at_is_stopped() -> None:
    denied = Fails("Athena.AccessDeniedException", "not authorized")
    service = told(**{"t insert look": denied, "t insert stop": {}})
    problem = {"Error": "Athena.AccessDeniedException", "Cause": "not authorized"}
    assert run_one(service).output == problem
    assert service.requests[-1].state == "t insert stop"


def test_a_submission_of_unknown_outcome_is_repeated_with_the_same_token() -> None:
    answers = [Fails("Athena.SdkClientException", "reset"), Fails("States.Timeout", "")]
    done = execution("SUCCEEDED", Statistics={"DataScannedInBytes": 1})
    started = [*answers, {"QueryExecutionId": "q1"}]
    service = Script(**{"t insert": started, "t insert look": done})
    assert run_one(service).output == {"scanned": 1}
    tokens = [r.arguments["ClientRequestToken"] for r in service.requests if r.state == "t insert"]
    assert tokens == ["x", "x", "x"]


# --- whole workflows, on moto's interpreter and ours --------------------------------------------


def test_a_polled_project_has_the_tables_of_one_that_waits(both: Both) -> None:
    waited, first = both(compiled())
    polled, second = both(compiled(environment=POLL), looks=3)
    assert polled.status == waited.status == "SUCCEEDED"
    assert polled.output == waited.output
    assert second.loaded == first.loaded == [("daily", 9)]
    assert set(second.tables) == set(first.tables)
    assert len(second.statements("staging.flights insert look")) == 4


@pytest.mark.parametrize(
    "state", ["staging.flights insert", "marts.daily infer", "marts.daily test"]
)
def test_a_polled_statement_that_fails_is_diagnosed_alike(both: Both, state: str) -> None:
    """Inside a Map, whose iteration fails, and beside it."""
    waited, _ = both(compiled(), failures={state: [HOPELESS]})
    polled, world = both(compiled(environment=POLL), failures={state: [HOPELESS]})
    assert (polled.error, polled.cause) == (waited.error, waited.cause)
    assert "Statement." not in str(polled.cause)
    assert world.stopped == []


@pytest.mark.parametrize("state", ["staging.flights insert", "marts.routes write"])
def test_a_polled_statement_is_tried_again_from_a_new_stage(both: Both, state: str) -> None:
    ended, world = both(compiled(environment=POLL), failures={state: [PASSING]})
    assert ended.status == "SUCCEEDED"
    first, second = world.statements(state)
    assert first["QueryString"] != second["QueryString"]
    assert first["ClientRequestToken"] != second["ClientRequestToken"]


def test_a_polled_submission_that_is_throttled_keeps_its_token(both: Both) -> None:
    throttled = [ServiceError("Athena.TooManyRequestsException", "Rate exceeded")] * 2
    failures = {"marts.routes write": throttled}
    ended, world = both(compiled(environment=POLL), failures=failures)
    assert ended.status == "SUCCEEDED"
    calls = world.statements("marts.routes write")
    assert len(calls) == 3
    assert len({one["ClientRequestToken"] for one in calls}) == 1


def test_a_polled_merge_is_made_once(both: Both) -> None:
    steps = {"tables": STEPS["tables"]}
    definition = compiled(*TABLES[:2], ICEBERG, steps=steps, environment=POLL)
    ended, world = both(definition)
    assert statuses(ended)["table marts.changes"] == "published"
    assert len(world.statements("marts.changes merge")) == 1


def test_statements_of_a_map_give_what_they_scanned_one_after_the_other() -> None:
    """As the INSERTs for injected values do (SEMANTICS 22)."""
    arguments = {"QueryString": "{% $states.input %}", "ClientRequestToken": "x"}
    each = running("poll", Statement("t", "insert", arguments, 1800, output=SCANNED))
    states = {one.name: dict(one.fields) for one in each}
    whole = {
        "Type": "Map",
        "Items": ["a", "b"],
        "MaxConcurrency": 1,
        "ItemProcessor": {"StartAt": each[0].name, "States": states},
        "End": True,
    }
    looks = [execution("SUCCEEDED", Statistics={"DataScannedInBytes": n}) for n in (3, 4)]
    service = told(**{"t insert look": looks})
    assert play(jsonata({"each": whole}), service=service).output == [3, 4]
    begun = [one for one in service.requests if one.state == "t insert"]
    assert [one.arguments["QueryString"] for one in begun] == ["a", "b"]


def test_a_polled_injected_table_is_a_definition() -> None:
    for distributed in (False, True):
        text = backfilled(environment=POLL, distributed=distributed)
        assert b"marts.tenants insert look" in text
        assert findings(objects=[text], texts=[]) == []
