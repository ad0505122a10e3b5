"""An insert table's turn: chunks, each staged, tested and promoted.

choose -> start -> read -> prepare -> [infer -> read types -> reconcile -> create | update]
-> write (a Map: stage -> insert -> test -> publish ... -> unstage) -> more? -> finish

In a full refresh the chunks go to a new generation of the table: more? -> flip -> finish.  Where
the chunks are many, each is an execution of its own, and tells of its failure in its output.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.asl import retries, sql_texts
from runner.asl.expressions import concatenation, expression, quote
from runner.asl.flow import Flow, State, catcher
from runner.asl.statements import LOCATION, SCANNED
from runner.asl.tables.common import NO_OUTPUT, REDRIVE, Lane, Turn
from runner.asl.tables.inference import entry_of_types, typing
from runner.asl.tables.whole import flip_states
from runner.asl.tablespec import (
    format_parameters,
    injected_conditions,
    is_iceberg,
    storage_of,
    test_query,
    test_query_end,
)
from runner.model.durations import seconds

if TYPE_CHECKING:
    from runner.model.project import Table


_OPEN_WRITERS = 100
"""Partitions x buckets that one statement of Athena may write."""
_OWN = "own_"
"""What the names of variables begin with in the execution of a chunk."""


def states(lane: Lane, table: Table, following: str) -> tuple[State, ...]:
    """Give the states of an insert table's turn."""
    turn = Turn(lane, table, following)
    return (
        *turn.entering(),
        preparing(turn, "prepare", "types?"),
        State(
            turn.name("types?"),
            {
                "Type": "Choice",
                "Choices": [{"Condition": expression("$plan.types"), "Next": entry_of_types(turn)}],
                "Default": turn.name("write"),
            },
        ),
        *typing(turn),
        *_write(turn),
        *_flip(turn),
        turn.keeper(
            "finish",
            "finish",
            {
                "written": expression("$written"),
                "refresh": expression("$plan.refresh"),
                "begun": expression("$plan.begun"),
            },
            Assign=turn.result("published", ', "result": $states.result.Payload'),
            Next=following,
        ),
        *turn.failing(),
    )


def preparing(turn: Turn, operation: str, following: str) -> State:
    """Have the keeper plan the window's chunks, waiting for a lease that another run holds."""
    return turn.keeper(
        "prepare",
        operation,
        {
            "window": expression("$window"),
            "target": expression("$target"),
            "split": expression("$split"),
        },
        Assign={
            "plan": expression("$states.result.Payload"),
            "largest": expression("$states.result.Payload.largest"),
        },
        Retry=retries.keeper_waiting(seconds(turn.lane.defaults.lease_wait)),
        Next=turn.name(following),
    )


def _write(turn: Turn) -> tuple[State, ...]:
    """Write the chunks; those of a table that reads itself one after the other (SEMANTICS 21)."""
    reads_itself = any(read.table == turn.table.name for read in turn.table.reads)
    apart = _is_apart(turn)
    fields: dict[str, Any] = {
        "Type": "Map",
        "Items": expression("$plan.chunks"),
        "MaxConcurrency": 1 if reads_itself else turn.lane.chunks,
        "ItemProcessor": Flow(_chunk_states(turn), distributed=apart),
        "Assign": {"written": expression("$states.result")},
        "Output": NO_OUTPUT,
        "Catch": [turn.catch_all()],
        "Next": turn.name("more?"),
    }
    if apart:
        fields["ItemSelector"] = {
            "chunk": expression("$states.context.Map.Item.Value"),
            "plan": expression('$sift($plan, function($v, $k) { $k != "chunks" })'),
            "spec": expression("$spec"),
            "attempt": expression("$attempt"),
        }
    name, most = turn.name("write"), most_chunks(turn)
    return State(name, fields, subject=turn.subject, most_items=most), more(turn)


def most_chunks(turn: Turn) -> int:
    """Count the chunks of one round of the largest run (SEMANTICS 22, 23).

    A table without time partitions has one.
    """
    parts, most = turn.table.partitioning, turn.lane.defaults.max_window
    if not parts.grain:
        return 1
    reads_itself = any(read.table == turn.table.name for read in turn.table.reads)
    size = 1 if reads_itself else max(1, _OPEN_WRITERS // parts.combinations)
    return -(-most // size)


def more(turn: Turn) -> State:
    """Go on after a round of chunks: with the next round, with the flip, or to the end."""
    after: list[dict[str, Any]] = [
        {"Condition": expression("$plan.more"), "Next": turn.name("read")},
    ]
    if _is_apart(turn):
        failed = {
            "Condition": expression("$exists($written.failed)"),
            "Assign": {"problem": expression("$written[$exists(failed)][0].failed")},
            "Next": turn.name("diagnose"),
        }
        after.insert(0, failed)
    if _is_refreshed(turn):
        after.append(
            {"Condition": expression("$plan.refresh != null"), "Next": turn.name("flip")},
        )
    return State(
        turn.name("more?"),
        {"Type": "Choice", "Choices": after, "Default": turn.name("finish")},
    )


def _is_apart(turn: Turn) -> bool:
    return turn.subject in turn.lane.distributed and not is_iceberg(turn.table)


def _is_refreshed(turn: Turn) -> bool:
    return turn.subject in turn.lane.refreshed and not is_iceberg(turn.table)


def _flip(turn: Turn) -> tuple[State, ...]:
    """Make a new generation the table, once all of it is there."""
    if not _is_refreshed(turn):
        return ()
    return flip_states(turn, "plan", location="$plan.refresh.location")


def _chunk_states(turn: Turn) -> tuple[State, ...]:
    receiving: tuple[State, ...] = ()
    failing: tuple[State, ...] = ()
    if _is_apart(turn):
        turn = Turn(turn.lane, turn.table, turn.following, _OWN)
        receiving = (_receive(turn),)
        failing = (
            State(
                turn.name("give up"),
                {
                    "Type": "Pass",
                    "Output": {"failed": expression("$chunk_problem")},
                    "End": True,
                },
            ),
        )
    return (
        *receiving,
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
        *failing,
    )


def staging(turn: Turn, following: str) -> tuple[State, ...]:
    """Write a chunk into a stage table of its own and count its rows; `following` comes next."""
    return (_stage(turn), *_inserting(turn), *_test(turn, following))


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


def _receive(turn: Turn) -> State:
    """Take over what an execution of its own cannot see: the variables around the Map."""
    names = ("plan", "spec", "attempt")
    return State(
        turn.name("receive"),
        {
            "Type": "Pass",
            "Assign": {_OWN + name: expression(f"$states.input.{name}") for name in names},
            "Output": expression("$states.input.chunk"),
            "Next": turn.name("stage"),
        },
    )


def _giving_up(turn: Turn) -> list[dict[str, Any]]:
    """Catch what fails in an execution of its own: a failed one would hide its cause."""
    if not _is_apart(turn):
        return []
    noted = {"chunk_problem": turn.problem}
    return [catcher(["States.ALL"], turn.name("give up"), Assign=noted)]


def _stage(turn: Turn) -> State:
    """Make the chunk's stage table: the target's columns, no projection."""
    table = turn.table
    keep = {"chunk": expression("$states.input")}
    alone = not injected_conditions(table)
    following = turn.entry("insert") if alone else turn.name("insert each")
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
                    "Columns": expression(f"${turn.own}plan.stage_columns"),
                    "Location": expression("$states.input.stage"),
                    **storage_of(table),
                },
            },
        },
        Assign=keep,
        Catch=[
            catcher(["Glue.AlreadyExistsException"], following, Assign=keep),
            *_giving_up(turn),
        ],
        Next=following,
    )


def _inserting(turn: Turn) -> tuple[State, ...]:
    """Write the chunk by one statement, or by one for each injected value (SEMANTICS 22)."""
    conditions = injected_conditions(turn.table)
    redriven = State(
        turn.name("redriven"),
        {
            "Type": "Fail",
            "Error": "StageAbandoned",
            "Cause": "Redriven: the stage may hold files of an aborted INSERT.",
        },
    )
    if not conditions:
        insert = _insert(turn, salt="$chunk.start", keep="chunk_scanned", following="test")
        return *insert, redriven
    each = _insert(turn, salt=f'$chunk.start & "|" & {_condition(turn)}')
    return (
        State(
            turn.name("insert each"),
            {
                "Type": "Map",
                "Items": list(conditions),
                "MaxConcurrency": 1,
                "ItemProcessor": Flow((*each, redriven)),
                "Assign": {"chunk_scanned": expression("$sum($states.result)")},
                "Output": NO_OUTPUT,
                **_caught(turn),
                "Next": turn.name("test"),
            },
            most_items=len(conditions),
        ),
    )


def _condition(turn: Turn) -> str:
    """Give JSONata for the condition that one INSERT of several has as its input."""
    return sql_texts.GIVEN if turn.is_stored() else "$states.input"


def _insert(turn: Turn, *, salt: str, keep: str = "", following: str = "") -> tuple[State, ...]:
    """Write the chunk: columns by name on both sides, the analyst's text from the second line.

    A redriven execution goes on here with the stage of the run before, in which an aborted INSERT
    may have left files.  Then the statement is undefined, the Map fails with an error that its
    catcher sees, and the next attempt writes to a stage of its own.

    With injected partition columns the input of the first state is the condition for their values,
    and what was scanned is the output of the last.
    """
    alone = not injected_conditions(turn.table)
    giving_up = _giving_up(turn) if alone else []
    sql, reading = turn.reading("insert", "$chunk.values", catch=giving_up)
    terms = [
        quote(f'INSERT INTO "{turn.stage_database}"."'),
        "$chunk.tag",
        quote('" ('),
        f"${turn.own}plan.columns",
        quote(") SELECT "),
        f"${turn.own}plan.columns",
        quote(" FROM (\n"),
        *sql,
        quote("\n)"),
        *([] if alone else [quote(" WHERE "), _condition(turn)]),
    ]
    query = concatenation(terms)
    redriven = catcher(["States.QueryEvaluationError"], turn.name("redriven"), Output=NO_OUTPUT)
    inserting = turn.statement(
        "insert",
        expression(f"${turn.own}spec.redrive = {REDRIVE} ? {query}"),
        salt=salt,
        keep={keep: SCANNED} if keep else None,
        output="" if keep else SCANNED,
        catch=[redriven, *giving_up],
        following=turn.name(following) if following else "",
        texts=(turn.table.sql,),
    )
    return *reading, *inserting


def _caught(turn: Turn) -> dict[str, Any]:
    found = _giving_up(turn)
    return {"Catch": found} if found else {}


def _test(turn: Turn, following: str) -> tuple[State, ...]:
    query = concatenation(
        [
            quote(f'{test_query(turn.table)}"{turn.stage_database}"."'),
            "$chunk.tag",
            quote(f'"{test_query_end(turn.table)}'),
        ]
    )
    return turn.statement(
        "test",
        expression(query),
        salt="$chunk.start",
        keep={"chunk_tested": LOCATION},
        catch=_giving_up(turn),
        following=following,
    )


def _publish(turn: Turn) -> State:
    plan = {
        "location": expression(f"${turn.own}plan.location"),
        "stage_columns": expression(f"${turn.own}plan.stage_columns"),
        "refresh": expression(f"${turn.own}plan.refresh"),
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
        Catch=_giving_up(turn),
        Next=turn.name("published?"),
    )
