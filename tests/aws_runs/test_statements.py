"""Statements of Athena in events: both ways to wait for them, and what is paid for."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from runner.app.deployed import same_definition
from runner.app.statements import Statement, Statements
from runner.machine import Event, EventKind
from tests.support.commands import Cli, cli, copy_example
from tests.support.histories import query_execution

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["cli"]

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def event(kind: EventKind, state: str, resource: str, **data: Any) -> Event:  # noqa: ANN401
    return Event(kind, state, state, NOW, {"resource": resource, **data})


def collected(*events: Event) -> tuple[Statement, ...]:
    statements = Statements()
    for one in events:
        statements.observe(one)
    return statements.all()


def test_a_statement_that_is_looked_at_again_and_again() -> None:
    """`athena_wait: poll`: started in one state, looked at in another, until it has ended."""
    running = {"QueryExecution": query_execution("q-1", "RUNNING")}
    failed = {"QueryExecution": query_execution("q-1", "FAILED", reason="SYNTAX_ERROR: x")}
    get = "athena:getQueryExecution"
    started = event(
        EventKind.TASK_SUCCEEDED,
        "a.b insert",
        "athena:startQueryExecution",
        result={"QueryExecutionId": "q-1"},
    )
    (one,) = collected(started)
    assert (one.query, one.state, one.open) == ("q-1", "a.b insert", True)
    looked = event(EventKind.TASK_SUCCEEDED, "a.b insert look", get, result=running)
    (one,) = collected(started, looked)
    assert (one.state, one.status, one.open) == ("a.b insert", "RUNNING", True)
    ended = event(EventKind.TASK_SUCCEEDED, "a.b insert look", get, result=failed)
    (one,) = collected(started, looked, ended)
    assert (one.status, one.open, one.reason) == ("FAILED", False, "SYNTAX_ERROR: x")


def test_a_statement_that_failed_may_lack_the_outer_key() -> None:
    cause = json.dumps(query_execution("q-1", "FAILED", reason="no"))
    sync = "athena:startQueryExecution.sync"
    (one,) = collected(event(EventKind.TASK_FAILED, "a.b insert", sync, cause=cause))
    assert (one.query, one.status, one.reason) == ("q-1", "FAILED", "no")


@pytest.mark.parametrize("cause", ["", "plain", "[1]", '{"errorMessage": "x"}'])
def test_a_submission_that_failed_is_no_statement(cause: str) -> None:
    sync = "athena:startQueryExecution.sync"
    failed = event(EventKind.TASK_FAILED, "a.b insert", sync, error="E", cause=cause)
    other = event(
        EventKind.TASK_SUCCEEDED, "a.b x", "lambda:invoke", result={"QueryExecutionId": 1}
    )
    assert collected(failed, other) == ()


@pytest.mark.parametrize(
    ("status", "kind", "charged"),
    [
        ("SUCCEEDED", "DML", 26_000_000),
        ("CANCELLED", "DML", 26_000_000),
        ("FAILED", "DML", 0),
        ("SUCCEEDED", "DDL", 0),
        ("RUNNING", "", 0),
    ],
)
def test_what_athena_charges_for(status: str, kind: str, charged: int) -> None:
    """Rounded up to megabytes; failed statements and DDL are free, cancelled ones are not."""
    assert Statement("q", "a.b insert", status, kind, 25_000_001).charged == charged


def test_a_ctas_that_says_ddl_of_itself_is_charged() -> None:
    made = {"StatementType": "DDL", "SubstatementType": "CREATE_TABLE_AS_SELECT"}
    found = query_execution("q-1", "SUCCEEDED", scanned=25_000_001) | made
    sync = "athena:startQueryExecution.sync"
    ended = event(EventKind.TASK_SUCCEEDED, "a.b c", sync, result={"QueryExecution": found})
    (one,) = collected(ended)
    assert one.charged == 26_000_000


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--fault", "begin:crash"), "not-on-aws"),
        (("--resume", "last"), "not-on-aws"),
        (("--var", "late_minutes=1"), "variable-in-aws"),
    ],
)
def test_what_only_this_machine_can_do_is_refused_before_aws_is_asked(
    cli: Cli, tmp_path: Path, words: tuple[str, ...], code: str
) -> None:
    cli.cd(copy_example(tmp_path / "flights"))
    said = cli("run", "daily", "--env", "prod", *words)
    assert (said.status, said.out) == (2, "")
    assert code in said.err


def test_definitions_are_compared_as_json() -> None:
    """CloudFormation may store the same definition with other blanks."""
    assert same_definition('{"a": [1, 2]}', '{"a":[1,2]}')
    assert not same_definition('{"a": 1}', '{"a": 2}')
    assert not same_definition('{"a": 1}', None)
    assert not same_definition('{"a": 1}', "no JSON")
