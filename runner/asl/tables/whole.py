"""A ctas table's turn: written whole into a stage, tested, then flipped to by one catalogue call.

choose -> start -> read -> prepare -> write -> test -> read stage -> accept
-> flip? -> create | flip [-> read flip -> flipped?] -> finish -> unstage
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.asl import retries
from runner.asl.expressions import concatenation, expression, quote
from runner.asl.flow import State, catcher
from runner.asl.statements import LOCATION, SCANNED
from runner.asl.tables.common import Lane, Turn, names
from runner.asl.tablespec import codec_of, test_query, test_query_end
from runner.model.durations import seconds

if TYPE_CHECKING:
    from runner.model.project import Table


def states(lane: Lane, table: Table, following: str) -> tuple[State, ...]:
    """Give the states of a ctas table's turn."""
    turn = Turn(lane, table, following)
    return (
        *turn.entering(),
        turn.keeper(
            "prepare",
            "prepare",
            {"window": expression("$window"), "target": expression("$target")},
            Assign={"plan": expression("$states.result.Payload")},
            Retry=retries.keeper_waiting(seconds(turn.lane.defaults.lease_wait)),
            Next=turn.entry("write"),
        ),
        *_staging(turn),
        *_flipping(turn),
        turn.keeper(
            "finish",
            "finish",
            {"change": expression("$change"), "scanned": expression("$scanned")},
            Assign=turn.result("published", ', "result": $states.result.Payload'),
            Next=turn.name("unstage"),
        ),
        turn.glue(
            "unstage",
            "deleteTable",
            _staged(turn),
            Catch=[catcher(["States.ALL"], following)],
            Next=following,
        ),
        *turn.failing(),
    )


def _staged(turn: Turn) -> dict[str, str]:
    return {"DatabaseName": turn.stage_database, "Name": expression("$plan.tag")}


def _staging(turn: Turn) -> tuple[State, ...]:
    everything = [turn.catch_all()]
    test = concatenation(
        [
            quote(f'{test_query(turn.table)}"{turn.stage_database}"."'),
            "$plan.tag",
            quote(f'"{test_query_end(turn.table)}'),
        ]
    )
    terms, reading = turn.reading("write", "$plan.values", catch=everything)
    return (
        *reading,
        *turn.statement(
            "write",
            expression(_ctas(turn, terms)),
            keep={"scanned": SCANNED},
            catch=everything,
            following=turn.name("test"),
            texts=(turn.table.sql,),
        ),
        *turn.statement(
            "test",
            expression(test),
            keep={"tested": LOCATION},
            catch=everything,
            following=turn.name("read stage"),
        ),
        turn.glue(
            "read stage",
            "getTable",
            _staged(turn),
            Assign={"staged": expression("$states.result.Table")},
            Catch=everything,
            Next=turn.name("accept"),
        ),
        turn.keeper(
            "accept",
            "accept",
            {
                "plan": expression("$plan"),
                "target": expression("$target"),
                "staged": expression("$staged"),
                "result": expression("$tested"),
            },
            Assign={"change": expression("$states.result.Payload")},
            Retry=retries.keeper_waiting(seconds(turn.lane.defaults.lease_wait)),
            Next=turn.name("flip?"),
        ),
    )


def _ctas(turn: Turn, terms: list[str]) -> str:
    table, header = turn.table, turn.table.header
    properties = [
        f"format = '{header.format.upper()}'",
        f"write_compression = '{codec_of(table)}'",
    ]
    if header.partition:
        columns = ", ".join(f"'{column}'" for column in header.partition)
        properties.append(f"partitioned_by = ARRAY[{columns}]")
    if header.bucket:
        columns = ", ".join(f"'{column}'" for column in header.bucket.columns)
        properties.append(f"bucketed_by = ARRAY[{columns}]")
        properties.append(f"bucket_count = {header.bucket.count}")
    before, after = _wrapping(table)
    return concatenation(
        [
            quote(f'CREATE TABLE "{turn.stage_database}"."'),
            "$plan.tag",
            quote(f"\" WITH ({', '.join(properties)}, external_location = '"),
            "$plan.stage",
            quote(f"data/') AS {before}\n"),
            *terms,
            *([quote(after)] if after else []),
        ]
    )


def _wrapping(table: Table) -> tuple[str, str]:
    """Athena wants partition columns last; put them there when the columns are known."""
    partition = list(table.header.partition)
    columns = [column.name for column in table.columns]
    if not partition or not columns or columns[-len(partition) :] == partition:
        return "", ""
    ordered = [column for column in columns if column not in partition] + partition
    return f"SELECT {names(ordered)} FROM (", "\n)"


def _flipping(turn: Turn) -> tuple[State, ...]:
    unsure = _unsure(turn)
    return (
        State(
            turn.name("flip?"),
            {
                "Type": "Choice",
                "Choices": [
                    {
                        "Condition": expression('$change.action = "create"'),
                        "Next": turn.name("create"),
                    }
                ],
                "Default": turn.name("flip"),
            },
        ),
        turn.glue(
            "create",
            "createTable",
            _described(turn, "change"),
            Catch=[unsure],
            Next=turn.name("finish"),
        ),
        *flip_states(turn, "change", location="$change.location"),
    )


def _described(turn: Turn, variable: str) -> dict[str, str]:
    return {
        "DatabaseName": turn.table.database,
        "TableInput": expression(f"${variable}.table_input"),
    }


def _unsure(turn: Turn) -> dict[str, Any]:
    """Look at the table when it is not known whether a catalogue update came through."""
    noted = {"problem": expression("$states.errorOutput")}
    return catcher(["States.ALL"], turn.name("read flip"), Assign=noted)


def flip_states(turn: Turn, variable: str, *, location: str) -> tuple[State, ...]:
    """Give the one catalogue update that makes another location the table.

    `variable` holds `table_input` and `version`; an unknown outcome is resolved by reading back.
    """
    return (
        turn.glue(
            "flip",
            "updateTable",
            {
                **_described(turn, variable),
                "VersionId": expression(f"${variable}.version"),
                "SkipArchive": True,
            },
            Catch=[_unsure(turn)],
            Next=turn.name("finish"),
        ),
        turn.glue(
            "read flip",
            "getTable",
            {"DatabaseName": turn.table.database, "Name": turn.table.name.table},
            Assign={"flipped": expression("$states.result.Table.StorageDescriptor.Location")},
            Catch=[catcher(["States.ALL"], turn.name("diagnose"))],
            Next=turn.name("flipped?"),
        ),
        State(
            turn.name("flipped?"),
            {
                "Type": "Choice",
                "Choices": [
                    {
                        "Condition": expression(f"$flipped = {location}"),
                        "Next": turn.name("finish"),
                    }
                ],
                "Default": turn.name("diagnose"),
            },
        ),
    )
