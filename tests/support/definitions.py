"""Small projects that between them use everything a definition can hold, compiled."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from runner.asl.build import render
from runner.asl.compile import compile_backfill, compile_workflow
from runner.asl.steps.scope import Backfill
from runner.asl.validate import check_machine
from runner.model.project import StepQuery
from runner.model.sqltext import Mark, SqlText
from tests.support.projects import project, select_all, table, workflow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.model.project import Table

RAW = "CREATE EXTERNAL TABLE raw.flights (n bigint) LOCATION 's3://raw/flights/'"
TABLES = (
    replace(table("raw.flights", kind="ddl"), sql=SqlText((RAW,))),
    table("staging.flights", "raw.flights"),
    table(
        "marts.daily",
        "staging.flights",
        load={"mode": "merge", "keys": ["dt"]},
        tests=[{"min_rows": 1}],
    ),
    table("marts.routes", "staging.flights", kind="ctas"),
    table("marts.names", "raw.flights", kind="view"),
)
ICEBERG = table("marts.changes", "staging.flights", format="iceberg", keys=["n"])
STEPS: dict[str, Any] = {
    "tables": {"type": "tables"},
    "validate": {"type": "lambda", "function": "validate", "needs": ["tables"]},
    "loads": {"type": "loads", "needs": ["validate"]},
}
QUICK = {"retry": {"max_attempts": 3, "interval": "1s"}}
_INNER = {"StartAt": "inner", "States": {"inner": {"Type": "Pass", "End": True}}}
EVERY_STEP: dict[str, Any] = {
    "first": {
        "type": "lambda",
        "function": "validate",
        "catch": [
            {"errors": ["TooFew"], "next": "alert"},
            {"errors": ["NotToday"], "next": "continue"},
        ],
    },
    "tables": {"type": "tables", "needs": ["first"]},
    "pause": {"type": "wait", "duration": "1s", "needs": ["tables"]},
    "beside": {"type": "lambda", "function": "validate", "needs": ["tables"]},
    "queue": {
        "type": "asl",
        "state": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage",
            "Arguments": {"QueueUrl": "https://q", "MessageBody": "{% $window.start %}"},
        },
        "needs": ["tables"],
    },
    "both": {
        "type": "asl",
        "state": {"Type": "Parallel", "Branches": [_INNER]},
        "needs": ["pause", "beside", "queue"],
    },
    "loads": {
        "type": "loads",
        "needs": ["both"],
        "catch": [{"errors": ["States.ALL"], "next": "alert"}],
    },
    "tell": {
        "type": "sns",
        "topic": "done",
        "message": "m",
        "needs": ["loads"],
        "catch": [{"errors": ["States.ALL"], "next": "continue"}],
    },
    "alert": {"type": "sns", "topic": "alerts", "subject": "s", "message": "m"},
}
_WEEK_AGO = Mark("start", (("days", -7),))
_CALL = {"type": "lambda", "function": "validate"}
FLOW_STEPS: dict[str, Any] = {
    "count": {"type": "sql", "sql": "in the queries"},
    "route": {
        "type": "choice",
        "rules": [
            {"if": "$values.count.n > 2", "then": ["each", "other"]},
            {"if": "$values.count.n = 0", "then": "skip"},
        ],
        "default": "tables",
        "needs": ["count"],
    },
    "tables": {"type": "tables"},
    "each": {"type": "map", "over": [1, "{% $window.start %}"], "step": _CALL},
    "other": {
        "type": "workflow",
        "workflow": "other",
        "catch": [{"errors": ["States.ALL"], "next": "continue"}],
    },
    "rows": {
        "type": "map",
        "over": {"rows": "count"},
        "tolerated": {"percentage": 10},
        "step": {**_CALL, "payload": {"n": "{% $item.n & $values.count.n %}"}},
        "needs": ["each", "other"],
    },
    "objects": {
        "type": "map",
        "over": {"objects": "s3://inbox/in/"},
        "step": {"type": "workflow", "workflow": "other"},
        "needs": ["rows"],
    },
    "job": {
        "type": "ecs_task",
        "task_definition": "scorer",
        "container": "main",
        "needs": ["tables", "objects"],
    },
    "ask": {
        "type": "http",
        "endpoint": "https://api.example.com/orders",
        "connection": "crm",
        "method": "POST",
        "form": True,
        "body": {"n": "{% $values.count.n %}"},
        "needs": ["job"],
    },
}
"""Steps that decide, repeat and call."""
QUERIES = {"count": StepQuery(SqlText(("SELECT n FROM t WHERE dt > '", _WEEK_AGO, "'")))}
AWS = {
    "engine": "aws",
    "region": "us-east-1",
    "account": "123456789012",
    "lake": "s3://lake/",
    "results": "s3://results/",
    "network": {"subnets": ["subnet-1"]},
    "connections": {"crm": "arn:aws:events:us-east-1:123456789012:connection/crm/0a1b"},
    "marts": {
        "main": {
            "engine": "mysql",
            "host": "mart",
            "database": "mart",
            "user": "loader",
            "secret": "arn:aws:secretsmanager:us-east-1:123456789012:secret:mart-AbCdEf",
        }
    },
}


def compiled(
    *tables: Table,
    environment: dict[str, Any] | None = None,
    lanes: int = 5,
    queries: Mapping[str, StepQuery] | None = None,
    **fields: Any,  # noqa: ANN401
) -> bytes:
    """Compile a workflow (its fields are given) over all tables of a project, by default ours."""
    defaults = {**QUICK, "concurrency": {"dml": lanes}}
    found = project(*(tables or TABLES), environment=environment, defaults=defaults)
    named = replace(workflow(**{"steps": STEPS, **fields}), queries=queries or {})
    machine = compile_workflow(found, named, select_all(named, found))
    text = render(machine)
    check_machine(machine, text, file=named.file)
    return text


def backfilled(*, environment: dict[str, Any] | None = None, distributed: bool = False) -> bytes:
    """Compile the machine of a backfill that may also write a table anew as a whole."""
    tenant = {"type": "injected", "values": ["a", "b"]}
    dt = {"type": "date", "format": "yyyy-MM-dd", "range": "2013-01-01,NOW+1DAYS"}
    tenants = table("marts.tenants", "staging.flights", partition={"dt": dt, "tenant": tenant})
    found = project(*TABLES, tenants, environment=environment, defaults=QUICK)
    names = tuple(one.name for one in found.tables)
    inserts = frozenset(str(one.name) for one in found.tables if one.kind == "insert")
    machine = compile_backfill(
        found,
        Backfill(
            tables=names,
            loads=tuple(one.name for one in found.tables if one.header.load),
            grain="day",
            refreshed=inserts,
            distributed=inserts if distributed else frozenset(),
        ),
    )
    text = render(machine)
    check_machine(machine, text, file="backfill")
    return text


def variety() -> dict[str, bytes]:
    """Give definitions that hold every kind of table, step and nesting, by what they show."""
    return {
        "kinds": compiled(),
        "one lane": compiled(lanes=1),
        "iceberg": compiled(*TABLES[:2], ICEBERG, steps={"tables": STEPS["tables"]}),
        "steps": compiled(steps=EVERY_STEP),
        "aws": compiled(environment=AWS, steps=EVERY_STEP),
        "flow": compiled(environment=AWS, steps=FLOW_STEPS, queries=QUERIES),
        "tables beside tables": compiled(
            *TABLES[:2],
            steps={"tables": {"type": "tables"}, "a": STEPS["validate"] | {"needs": []}},
        ),
        "backfill": backfilled(),
        "backfill of many chunks": backfilled(distributed=True),
        "backfill on aws": backfilled(environment=AWS, distributed=True),
        "no tables": compiled(steps={"pause": {"type": "wait", "duration": "1s"}}),
        "no loads": compiled(TABLES[0], steps={"loads": {"type": "loads"}}),
    }
