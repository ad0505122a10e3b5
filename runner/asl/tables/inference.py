"""How a table's target is made, or changed, before its first chunk: by the types of its query.

infer -> read types -> reconcile -> [create | update] -> drop types
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.asl import sql_texts
from runner.asl.expressions import concatenation, expression, quote, sql_terms
from runner.asl.flow import State, catcher
from runner.asl.tablespec import (
    codec_of,
    file_format,
    injected_conditions,
    mark_names,
)

if TYPE_CHECKING:
    from runner.asl.tables.common import Turn
    from runner.model.project import Table
    from runner.model.sqltext import SqlText

FIRST = "$target = null"
"""JSONata for a table that is not there yet."""


def types_of(turn: Turn) -> dict[str, Any]:
    """Name the stage table whose columns tell the query's types."""
    return {
        "DatabaseName": turn.stage_database,
        "Name": expression('$plan.tag & "_types"'),
    }


def entry_of_types(turn: Turn) -> str:
    """Name the state with which learning the query's types begins."""
    return turn.name(sql_texts.verb("infer") if turn.is_stored(*_typed_texts(turn)) else "infer")


def inferring(turn: Turn) -> tuple[State, ...]:
    """Learn the query's types by a CTAS without data."""
    everything = [turn.catch_all()]
    query, reading = _inferring_query(turn)
    return (
        *reading,
        *turn.statement(
            "infer",
            expression(query),
            catch=everything,
            following=turn.name("read types"),
            texts=_typed_texts(turn),
        ),
        turn.glue(
            "read types",
            "getTable",
            types_of(turn),
            Assign={"inferred": expression("$states.result.Table.StorageDescriptor.Columns")},
            Catch=everything,
            Next=turn.name("reconcile"),
        ),
    )


def _typed_texts(turn: Turn) -> tuple[SqlText, ...]:
    """Give the texts whose types are learnt.

    Before its first write a table that reads itself finds an empty one in its place.
    """
    table = turn.table
    if table.alone is not None and _empty_self(table):
        return table.alone, table.sql
    return (table.sql,)


def _inferring_query(turn: Turn) -> tuple[str, tuple[State, ...]]:
    table, values = turn.table, "$plan.values"
    texts, names = _typed_texts(turn), mark_names(table)
    stubs = (_empty_self(table), "")[-len(texts) :]
    condition = FIRST if len(texts) > 1 else ""
    reading: tuple[State, ...] = ()
    if turn.is_stored(*texts):
        wanted = sql_texts.Reading(turn.subject, "infer", values, (turn.catch_all(),))
        both = [(text, names) for text in texts]
        reading = (sql_texts.reading(turn.lane.target, wanted, both, condition=condition),)
        queries = [_types_query(turn, [sql_texts.READ], stub) for stub in stubs]
    else:
        pairs = zip(texts, stubs, strict=True)
        queries = [_types_query(turn, sql_terms(t, names, values), stub) for t, stub in pairs]
    query = " : ".join(queries)
    return f"{condition} ? {query}" if condition else query, reading


def _types_query(turn: Turn, terms: list[str], stub: str = "") -> str:
    """Write the CTAS without data; the analyst's text begins on its second line."""
    table = turn.table
    head = (
        f" WITH (format = '{file_format(table).upper()}', "
        f"write_compression = '{codec_of(table)}', external_location = '"
    )
    conditions = injected_conditions(table)
    before, after = (f" {stub}SELECT * FROM (", ")\n") if stub or conditions else ("", "")
    if conditions:
        after = f") WHERE {conditions[0]}\n"
    return concatenation(
        [
            quote(f'CREATE TABLE "{turn.stage_database}"."'),
            "$plan.tag",
            quote(f'_types"{head}'),
            "$plan.stage",
            quote(f"types/') AS{before}\n"),
            *terms,
            quote(f"\n{after}WITH NO DATA"),
        ]
    )


def _empty_self(table: Table) -> str:
    """Write a CTE that stands for a table without rows, whose NULLs fit any type.

    Empty when the columns' names are not known.
    """
    names = [column.name for column in table.columns]
    if not names or any(name.endswith("*") for name in names):
        return ""
    nulls = ", ".join(f'NULL AS "{name}"' for name in names)
    return f'WITH "{table.name.table}" AS (SELECT {nulls} WHERE false) '


def typing(turn: Turn) -> tuple[State, ...]:
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
                    },
                    {
                        "Condition": expression('$plan.action = "keep"'),
                        "Next": turn.name("drop types"),
                    },
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
