"""An Iceberg table's turn: chunks, each staged and tested as an insert table's, then merged.

choose -> start -> read -> prepare -> fence -> types? -> [infer -> read types -> reconcile
-> change? -> [apply -> read again -> settle ->] drop types]
-> write (a Map: stage -> insert -> test -> judge -> merge -> publish -> unstage) -> more? -> finish

The keeper writes the DDL and the MERGE: their columns are known at run time only.  The chunks of
one table run one after the other, because commits to one Iceberg table would only meet as
conflicts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.asl.expressions import expression
from runner.asl.flow import Flow, State, catcher
from runner.asl.statements import SCANNED
from runner.asl.tables.common import NO_OUTPUT, REDRIVE, Lane, Turn
from runner.asl.tables.inference import entry_of_types, inferring, types_of
from runner.asl.tables.insert import more, most_chunks, preparing, staging, unstaging

if TYPE_CHECKING:
    from runner.model.project import Table


def states(lane: Lane, table: Table, following: str) -> tuple[State, ...]:
    """Give the states of an Iceberg table's turn."""
    turn = Turn(lane, table, following)
    return (
        *turn.entering(),
        preparing(turn, "iceberg_prepare", "fence"),
        _fence(turn),
        State(
            turn.name("types?"),
            {
                "Type": "Choice",
                "Choices": [{"Condition": expression("$plan.types"), "Next": entry_of_types(turn)}],
                "Default": turn.name("write"),
            },
        ),
        *inferring(turn),
        *_changing(turn),
        _write(turn),
        more(turn),
        turn.keeper(
            "finish",
            "finish",
            {"written": expression("$written"), "begun": expression("$plan.begun")},
            Assign=turn.result("published", ', "result": $states.result.Payload'),
            Next=following,
        ),
        *turn.failing(),
    )


def _fence(turn: Turn) -> State:
    """Take away the stage tables of merges that dead runs may have left: they can start no more."""
    forget = turn.glue(
        "forget",
        "deleteTable",
        {"DatabaseName": turn.stage_database, "Name": expression("$states.input")},
        Catch=[catcher(["Glue.EntityNotFoundException"], turn.name("forgotten"))],
        End=True,
    )
    gone = State(turn.name("forgotten"), {"Type": "Pass", "End": True})
    return State(
        turn.name("fence"),
        {
            "Type": "Map",
            "Items": expression("$plan.fence"),
            "MaxConcurrency": 1,
            "ItemProcessor": Flow((forget, gone)),
            "Output": NO_OUTPUT,
            "Catch": [turn.catch_all()],
            "Next": turn.name("types?"),
        },
    )


def _changing(turn: Turn) -> tuple[State, ...]:
    """Make the target or add columns to it, and look at what is there afterwards."""
    named = {"DatabaseName": turn.table.database, "Name": turn.table.name.table}
    return (
        turn.keeper(
            "reconcile",
            "iceberg_reconcile",
            {
                "plan": expression("$plan"),
                "target": expression("$target"),
                "inferred": expression("$inferred"),
            },
            Assign={"plan": expression("$states.result.Payload")},
            Next=turn.name("change?"),
        ),
        State(
            turn.name("change?"),
            {
                "Type": "Choice",
                "Choices": [
                    {"Condition": expression('$plan.ddl = ""'), "Next": turn.name("drop types")}
                ],
                "Default": turn.name("apply"),
            },
        ),
        *turn.statement(
            "apply",
            expression("$plan.ddl"),
            catch=[turn.catch_all()],
            following=turn.name("read again"),
        ),
        turn.glue(
            "read again",
            "getTable",
            named,
            Assign={"target": expression("$states.result.Table")},
            Catch=[turn.catch_all()],
            Next=turn.name("settle"),
        ),
        turn.keeper(
            "settle",
            "iceberg_settle",
            {"plan": expression("$plan"), "target": expression("$target")},
            Next=turn.name("drop types"),
        ),
        turn.glue(
            "drop types",
            "deleteTable",
            types_of(turn),
            Catch=[catcher(["States.ALL"], turn.name("write"))],
            Next=turn.name("write"),
        ),
    )


def _write(turn: Turn) -> State:
    return State(
        turn.name("write"),
        {
            "Type": "Map",
            "Items": expression("$plan.chunks"),
            "MaxConcurrency": 1,
            "ItemProcessor": Flow(_chunk_states(turn)),
            "Assign": {"written": expression("$states.result")},
            "Output": NO_OUTPUT,
            "Catch": [turn.catch_all()],
            "Next": turn.name("more?"),
        },
        most_items=most_chunks(turn),
    )


def _chunk_states(turn: Turn) -> tuple[State, ...]:
    """Stage and test; `judge` begins the record, `merge` commits, `publish` ends the record.

    As for the INSERT, a redriven execution must not go on with a MERGE of the run before: another
    run may have had the lease meanwhile.  The statement is undefined then, and the next attempt
    begins with the lease.
    """
    plan = {"stage_columns": expression("$plan.stage_columns")}
    return (
        *staging(turn, turn.name("judge")),
        turn.keeper(
            "judge",
            "merge",
            {
                "plan": plan,
                "chunk": expression("$chunk"),
                "result": expression("$chunk_tested"),
                "scanned": expression("$chunk_scanned"),
                "stage_database": turn.stage_database,
            },
            Assign={"merging": expression("$states.result.Payload")},
            Catch=[],
            Next=turn.name("merge"),
        ),
        *turn.statement(
            "merge",
            expression(f"$spec.redrive = {REDRIVE} ? $merging.statement"),
            salt="$chunk.start",
            keep={"merge_scanned": SCANNED},
            catch=[
                catcher(["States.QueryEvaluationError"], turn.name("redriven"), Output=NO_OUTPUT)
            ],
            following=turn.name("publish"),
        ),
        turn.keeper(
            "publish",
            "merged",
            {"chunk": expression("$chunk"), "scanned": expression("$merge_scanned")},
            Assign={"part": expression("$states.result.Payload")},
            Catch=[],
            Next=turn.name("unstage"),
        ),
        *unstaging(turn),
    )
