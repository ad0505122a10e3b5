"""An insert table's turn: chunks, each staged, tested and promoted.

choose -> start -> read -> prepare -> [infer -> read types -> reconcile -> create | update]
-> write (a Map: stage -> insert -> test -> publish ... -> unstage) -> finish
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.asl import retries
from runner.asl.expressions import concatenation, expression, quote, sql_terms
from runner.asl.flow import Flow, State, catcher
from runner.asl.tables.common import NO_OUTPUT, REDRIVE, Lane, Turn
from runner.asl.tablespec import (
    codec_of,
    file_format,
    format_parameters,
    mark_names,
    storage_of,
    test_query,
    test_query_end,
)
from runner.model.durations import seconds

if TYPE_CHECKING:
    from runner.model.project import Table


def states(lane: Lane, table: Table, following: str) -> tuple[State, ...]:
    """Give the states of an insert table's turn."""
    turn = Turn(lane, table, following)
    return (
        *turn.entering(),
        _prepare(turn),
        State(
            turn.name("types?"),
            {
                "Type": "Choice",
                "Choices": [{"Condition": expression("$plan.types"), "Next": turn.name("infer")}],
                "Default": turn.name("write"),
            },
        ),
        *_typing(turn),
        _write(turn),
        turn.keeper(
            "finish",
            "finish",
            {"written": expression("$written")},
            Assign=turn.result("published", ', "result": $states.result.Payload'),
            Next=following,
        ),
        *turn.failing(),
    )


def _prepare(turn: Turn) -> State:
    return turn.keeper(
        "prepare",
        "prepare",
        {"window": expression("$window"), "target": expression("$target")},
        Assign={"plan": expression("$states.result.Payload")},
        Retry=retries.keeper_waiting(seconds(turn.lane.defaults.lease_wait)),
        Next=turn.name("types?"),
    )


def types_of(turn: Turn) -> dict[str, Any]:
    """Name the stage table whose columns tell the query's types."""
    return {
        "DatabaseName": turn.stage_database,
        "Name": expression('$plan.tag & "_types"'),
    }


def inferring(turn: Turn) -> tuple[State, ...]:
    """Learn the query's types by a CTAS without data."""
    table = turn.table
    head = (
        f" WITH (format = '{file_format(table).upper()}', "
        f"write_compression = '{codec_of(table)}', external_location = '"
    )
    query = concatenation(
        [
            quote(f'CREATE TABLE "{turn.stage_database}"."'),
            "$plan.tag",
            quote(f'_types"{head}'),
            "$plan.stage",
            quote("types/') AS\n"),
            *sql_terms(table.sql, mark_names(table), "$plan.values"),
            quote("\nWITH NO DATA"),
        ]
    )
    everything = [turn.catch_all()]
    return (
        turn.athena("infer", expression(query), Catch=everything, Next=turn.name("read types")),
        turn.glue(
            "read types",
            "getTable",
            types_of(turn),
            Assign={"inferred": expression("$states.result.Table.StorageDescriptor.Columns")},
            Catch=everything,
            Next=turn.name("reconcile"),
        ),
    )


def _typing(turn: Turn) -> tuple[State, ...]:
    """Learn the query's types; make or change the target by them."""
    return (
        *inferring(turn),
        turn.keeper(
            "reconcile",
            "reconcile",
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
                    {
                        "Condition": expression('$plan.action = "create"'),
                        "Next": turn.name("create"),
                    }
                ],
                "Default": turn.name("update"),
            },
        ),
        *_changing(turn, types_of(turn)),
    )


def _changing(turn: Turn, types: dict[str, Any]) -> tuple[State, ...]:
    described = {
        "DatabaseName": turn.table.database,
        "TableInput": expression("$plan.table_input"),
    }
    return (
        turn.glue(
            "create",
            "createTable",
            described,
            Catch=[
                catcher(["Glue.AlreadyExistsException"], turn.name("read")),
                turn.catch_all(),
            ],
            Next=turn.name("drop types"),
        ),
        turn.glue(
            "update",
            "updateTable",
            {**described, "VersionId": expression("$plan.version"), "SkipArchive": True},
            Catch=[
                catcher(["Glue.ConcurrentModificationException"], turn.name("read")),
                turn.catch_all(),
            ],
            Next=turn.name("drop types"),
        ),
        turn.glue(
            "drop types",
            "deleteTable",
            types,
            Catch=[catcher(["States.ALL"], turn.name("write"))],
            Next=turn.name("write"),
        ),
    )


def _write(turn: Turn) -> State:
    """Write the chunks; those of a table that reads itself one after the other (SEMANTICS 21)."""
    reads_itself = any(read.table == turn.table.name for read in turn.table.reads)
    return State(
        turn.name("write"),
        {
            "Type": "Map",
            "Items": expression("$plan.chunks"),
            "MaxConcurrency": 1 if reads_itself else turn.lane.chunks,
            "ItemProcessor": Flow(_chunk_states(turn)),
            "Assign": {"written": expression("$states.result")},
            "Output": NO_OUTPUT,
            "Catch": [turn.catch_all()],
            "Next": turn.name("finish"),
        },
    )


def _chunk_states(turn: Turn) -> tuple[State, ...]:
    return (
        *staging(turn, turn.name("publish")),
        _publish(turn),
        State(
            turn.name("published?"),
            {
                "Type": "Choice",
                "Choices": [
                    {"Condition": expression("$part.complete"), "Next": turn.name("unstage")}
                ],
                "Default": turn.name("publish"),
            },
        ),
        *unstaging(turn),
    )


def staging(turn: Turn, following: str) -> tuple[State, ...]:
    """Write a chunk into a stage table of its own and count its rows; `following` comes next."""
    return (
        _stage(turn),
        _insert(turn),
        State(
            turn.name("redriven"),
            {
                "Type": "Fail",
                "Error": "StageAbandoned",
                "Cause": "Redriven: the stage may hold files of an aborted INSERT.",
            },
        ),
        _test(turn, following),
    )


def unstaging(turn: Turn) -> tuple[State, ...]:
    """Forget a chunk's stage table and end the chunk with what the keeper said of it."""
    return (
        turn.glue(
            "unstage",
            "deleteTable",
            {"DatabaseName": turn.stage_database, "Name": expression("$chunk.tag")},
            Output=expression("$part"),
            Catch=[catcher(["States.ALL"], turn.name("leave"), Output=expression("$part"))],
            End=True,
        ),
        State(turn.name("leave"), {"Type": "Pass", "End": True}),
    )


def _stage(turn: Turn) -> State:
    """Make the chunk's stage table: the target's columns, no projection."""
    table = turn.table
    keep = {"chunk": expression("$states.input")}
    return turn.glue(
        "stage",
        "createTable",
        {
            "DatabaseName": turn.stage_database,
            "TableInput": {
                "Name": expression("$states.input.tag"),
                "TableType": "EXTERNAL_TABLE",
                "Parameters": {"EXTERNAL": "TRUE", **format_parameters(table)},
                "PartitionKeys": [
                    {"Name": name, "Type": "string"} for name in table.header.partition
                ],
                "StorageDescriptor": {
                    "Columns": expression("$plan.stage_columns"),
                    "Location": expression("$states.input.stage"),
                    **storage_of(table),
                },
            },
        },
        Assign=keep,
        Catch=[catcher(["Glue.AlreadyExistsException"], turn.name("insert"), Assign=keep)],
        Next=turn.name("insert"),
    )


def _insert(turn: Turn) -> State:
    """Write the chunk: columns by name on both sides, the analyst's text from the second line.

    A redriven execution goes on here with the stage of the run before, in which an aborted INSERT
    may have left files.  Then the statement is undefined, the Map fails with an error that its
    catcher sees, and the next attempt writes to a stage of its own.
    """
    query = concatenation(
        [
            quote(f'INSERT INTO "{turn.stage_database}"."'),
            "$chunk.tag",
            quote('" ('),
            "$plan.columns",
            quote(") SELECT "),
            "$plan.columns",
            quote(" FROM (\n"),
            *sql_terms(turn.table.sql, mark_names(turn.table), "$chunk.values"),
            quote("\n)"),
        ]
    )
    return turn.athena(
        "insert",
        expression(f"$spec.redrive = {REDRIVE} ? {query}"),
        salt="$chunk.start",
        Assign={
            "chunk_scanned": expression(
                "$states.result.QueryExecution.Statistics.DataScannedInBytes"
            )
        },
        Catch=[catcher(["States.QueryEvaluationError"], turn.name("redriven"), Output=NO_OUTPUT)],
        Next=turn.name("test"),
    )


def _test(turn: Turn, following: str) -> State:
    query = concatenation(
        [
            quote(f'{test_query(turn.table)}"{turn.stage_database}"."'),
            "$chunk.tag",
            quote(f'"{test_query_end(turn.table)}'),
        ]
    )
    result = "$states.result.QueryExecution.ResultConfiguration.OutputLocation"
    return turn.athena(
        "test",
        expression(query),
        salt="$chunk.start",
        Assign={"chunk_tested": expression(result)},
        Next=following,
    )


def _publish(turn: Turn) -> State:
    plan = {
        "location": expression("$plan.location"),
        "stage_columns": expression("$plan.stage_columns"),
    }
    return turn.keeper(
        "publish",
        "publish",
        {
            "plan": plan,
            "chunk": expression("$chunk"),
            "result": expression("$chunk_tested"),
            "scanned": expression("$chunk_scanned"),
        },
        Assign={"part": expression("$states.result.Payload")},
        Catch=[],
        Next=turn.name("published?"),
    )
