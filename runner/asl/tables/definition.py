"""The turn of a view or a ddl table: made when absent or changed, else left alone.

choose -> start -> read -> prepare -> change? -> [drop ->] create -> finish
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.asl.expressions import concatenation, expression, quote
from runner.asl.flow import State, catcher
from runner.asl.tables.common import Lane, Turn
from runner.model.header import Kind

if TYPE_CHECKING:
    from runner.model.project import Table


def states(lane: Lane, table: Table, following: str) -> tuple[State, ...]:
    """Give the states of a view's or a ddl table's turn."""
    turn = Turn(lane, table, following)
    replacing = table.kind is Kind.DDL
    choices = [
        {"Condition": expression('$plan.action = "none"'), "Next": turn.name("keep")},
        {"Condition": expression('$plan.action = "replace"'), "Next": turn.name("drop")},
    ]
    return (
        *turn.entering(),
        turn.keeper(
            "prepare",
            "prepare",
            {"window": expression("$window"), "target": expression("$target")},
            Assign={"plan": expression("$states.result.Payload")},
            Next=turn.name("change?"),
        ),
        State(
            turn.name("change?"),
            {
                "Type": "Choice",
                "Choices": choices if replacing else choices[:1],
                "Default": turn.entry("create"),
            },
        ),
        State(
            turn.name("keep"),
            {"Type": "Pass", "Assign": turn.result("unchanged", ""), "Next": following},
        ),
        *((_drop(turn),) if replacing else ()),
        *_creating(turn),
        turn.keeper(
            "finish",
            "finish",
            {},
            Assign=turn.result("published", ', "result": $states.result.Payload'),
            Next=following,
        ),
        *turn.failing(),
    )


def _drop(turn: Turn) -> State:
    """Forget the old definition of an external table; its data is not touched."""
    return turn.glue(
        "drop",
        "deleteTable",
        {"DatabaseName": turn.table.database, "Name": turn.table.name.table},
        Catch=[
            catcher(["Glue.EntityNotFoundException"], turn.entry("create")),
            turn.catch_all(),
        ],
        Next=turn.entry("create"),
    )


def _creating(turn: Turn) -> tuple[State, ...]:
    table, everything = turn.table, [turn.catch_all()]
    terms, reading = turn.reading("create", "$plan.values", catch=everything)
    if table.kind is Kind.VIEW:
        head = f'CREATE OR REPLACE VIEW "{table.database}"."{table.name.table}" AS\n'
        terms = [quote(head), *terms]
    query = expression(concatenation(terms))
    return (
        *reading,
        *turn.statement(
            "create", query, catch=everything, following=turn.name("finish"), texts=(table.sql,)
        ),
    )
