"""The states that write one table, by kind: insert, ctas, view and ddl; and Iceberg tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.asl.tables import definition, iceberg, insert, whole
from runner.asl.tablespec import is_iceberg
from runner.model.header import Kind

if TYPE_CHECKING:
    from runner.asl.flow import State
    from runner.asl.tables.common import Lane
    from runner.model.project import Table

_WRITERS = {
    Kind.INSERT: insert.states,
    Kind.CTAS: whole.states,
    Kind.VIEW: definition.states,
    Kind.DDL: definition.states,
}


def table_states(lane: Lane, table: Table, *, following: str) -> tuple[State, ...]:
    """Give the states of one table's turn; whatever happens, `following` comes next."""
    writer = iceberg.states if is_iceberg(table) else _WRITERS[table.kind]
    return writer(lane, table, following)
