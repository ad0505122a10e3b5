"""The facts of one SQL file as plain values, which are cached and compared; no library is needed.

What `analysis` and `lineage` find and `reads`, `physical` and `columns` use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.model.header import Kind, Mask
    from runner.model.names import TableName
    from runner.model.project import Column
    from runner.model.sqltext import Mark


@dataclass(frozen=True, slots=True)
class Mention:
    """A table's name in the SQL text; offsets are those of `Rendered.sample`."""

    table: str
    """`database.table` in lower case, the own database filled in."""
    start: int
    end: int
    """The whole name, quotes included."""
    database_start: int
    database_end: int
    """The database's token, quotes included; both equal `start` when the name is unqualified."""
    is_target: bool = False
    """The name of the CREATE EXTERNAL TABLE itself."""


@dataclass(frozen=True, slots=True)
class WindowFilter:
    """A condition that keeps rows of one mention from some moment of the window on."""

    mention: int
    """Index into `Analysis.mentions`."""
    column: str
    marks: tuple[Mark, ...]
    """The lower bounds; date arithmetic of the SQL is added to their steps."""


@dataclass(frozen=True, slots=True)
class ColumnMention:
    """`database.table.column` in an expression: its database is a name to replace as well."""

    table: str
    database_start: int
    database_end: int


@dataclass(frozen=True, slots=True)
class Analysis:
    """The facts of one SQL file."""

    name: TableName
    kind: Kind
    mentions: tuple[Mention, ...]
    column_mentions: tuple[ColumnMention, ...]
    filters: tuple[WindowFilter, ...]
    columns: tuple[Column, ...]
    """Output columns in order; a name `*` or `alias.*` stands for columns not yet known.
    Types are known for ddl only; its partition columns come last."""
    partition_columns: tuple[str, ...] = ()
    """Columns of a ddl's PARTITIONED BY."""
    location: str = ""
    """LOCATION of a ddl."""


@dataclass(frozen=True, slots=True)
class MaskedSource:
    """A source with masks: its columns in order, each with its mask where it has one."""

    columns: tuple[str, ...]
    masks: tuple[tuple[str, Mask], ...]


@dataclass(frozen=True, slots=True, order=True)
class Carried:
    """An output column and a tagged column that it holds."""

    output: str
    table: str
    column: str
    offset: int
    """Where the SQL's sample reads the tagged column."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """What one file does with the tagged columns of its inputs."""

    carried: tuple[Carried, ...] = ()
    lost: str = ""
    """Why something cannot be followed; empty when all can."""
    lost_at: int = 0
