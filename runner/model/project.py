"""What loading makes of the user's files: values that later stages read and never change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.model.config import AwsEnvironment, Config, LocalEnvironment
    from runner.model.function import FunctionSettings
    from runner.model.header import Header, Kind
    from runner.model.names import TableName
    from runner.model.sqltext import SqlText
    from runner.model.workflow import Workflow


@dataclass(frozen=True, slots=True)
class Column:
    """A column and its Athena type; the type is empty where it is not known before a run."""

    name: str
    type: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """A table of the project that a file reads."""

    table: TableName
    windowed: bool
    """Whether the SQL filters it by the window; if not, all of it is read."""
    lookback: int = 0
    """Periods before the window that are read, 0 or more (SEMANTICS 19)."""


@dataclass(frozen=True, slots=True)
class ReadByTests:
    """A table that a header's tests read as it is published."""

    name: str
    """`database.table`: a table of the project or a source."""
    physical: str
    """The same in this environment."""
    ours: bool
    """Whether it is a table of the project."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """Values that a partition column beside the time columns may have."""

    column: str
    values: tuple[str, ...] = ()
    """Every value (enum, injected); empty for a range."""
    least: int = 0
    greatest: int = 0
    digits: int = 0
    """Zero padding of an integer column; 0 means none."""


@dataclass(frozen=True, slots=True)
class Partitioning:
    """What the header's `partition:` says, computed."""

    grain: str = ""
    """Period of the time columns: hour, day, month, year; empty without time columns."""
    time: tuple[tuple[str, str], ...] = ()
    """Time columns and their Java date patterns, in partition order."""
    others: tuple[Allowed, ...] = ()
    """The partition columns after the time columns."""
    parameters: tuple[tuple[str, str], ...] = ()
    """Table properties of the projection: projection.enabled and so on."""
    combinations: int = 1
    """Values of the other columns x buckets, per period."""


@dataclass(frozen=True, slots=True)
class PersonalStep:
    """A column on the way that personal data takes."""

    table: str
    """`database.table`: the source first, then tables of the project."""
    column: str
    file: str = ""
    """SQL file of the table; empty for a source."""
    offset: int = -1
    """Where that file's SQL (its sample) reads the step before; -1 where the way begins."""


@dataclass(frozen=True, slots=True)
class PersonalColumn:
    """An output column that holds personal data without a mask."""

    column: str
    steps: tuple[PersonalStep, ...]
    """From the tagged column to this one."""

    @property
    def tagged(self) -> str:
        """Name the column that was tagged: `database.table.column`."""
        return f"{self.steps[0].table}.{self.steps[0].column}"


@dataclass(frozen=True, slots=True)
class Table:
    """One SQL file, loaded for one environment."""

    name: TableName
    file: str
    """Path relative to the project, with forward slashes."""
    header: Header
    kind: Kind
    sql: SqlText
    """Rendered text with the environment's physical database names; no header, no semicolon."""
    sql_line: int
    """Line of the file on which the SQL body starts (for errors that Athena reports)."""
    reads: tuple[Read, ...]
    sources: tuple[str, ...]
    """Declared sources that are read, as database.table."""
    columns: tuple[Column, ...]
    """Output columns in order; empty when they are not known before a run."""
    fingerprint: str
    """64 hex digits over everything that changes the bytes written (SEMANTICS 20)."""
    partitioning: Partitioning = Partitioning()
    """Partition columns, computed from the header."""
    database: str = ""
    """Physical database of this environment: the name's database and the environment's suffix."""
    alone: SqlText | None = None
    """Of a table that reads itself: its SQL with a CTE of its name in place of the table."""
    tests_read: tuple[ReadByTests, ...] = ()
    """Tables that the header's tests read as published; they make nothing stale (SEMANTICS 13)."""
    test_sql: tuple[str, ...] = ()
    """For each test of the header its SQL with physical names, empty for tests of other kinds."""
    pii: tuple[PersonalColumn, ...] = ()
    """Output columns that hold columns tagged `pii` without a mask in between."""


@dataclass(frozen=True, slots=True)
class StepQuery:
    """What a `sql` step asks."""

    sql: SqlText
    """Rendered text with the environment's physical database names."""
    reads: tuple[TableName, ...] = ()
    """Tables of the project."""
    sources: tuple[str, ...] = ()
    """Declared sources, as database.table."""


@dataclass(frozen=True, slots=True)
class NamedWorkflow:
    """A workflow file."""

    name: str
    file: str
    workflow: Workflow
    queries: Mapping[str, StepQuery] = field(default_factory=dict)
    """What its `sql` steps ask, by their names."""


@dataclass(frozen=True, slots=True)
class NamedFunction:
    """A function: a folder with a handler.py."""

    name: str
    """The folder's name; `builtin:<name>` for one that comes with us."""
    settings: FunctionSettings


@dataclass(frozen=True, slots=True)
class Project:
    """Everything that the files say, for one environment."""

    root: str
    config: Config
    environment_name: str
    environment: LocalEnvironment | AwsEnvironment
    tables: tuple[Table, ...]
    """In an order in which every table stands after what it reads."""
    workflows: tuple[NamedWorkflow, ...]
    lambdas: tuple[str, ...]
    """Names of the folders under lambdas/."""
    functions: tuple[NamedFunction, ...] = ()
    """The same, with what their function.yaml says; then those that come with us."""
    by_name: Mapping[TableName, Table] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Make the index: large projects ask for each of their tables many times."""
        object.__setattr__(self, "by_name", {table.name: table for table in self.tables})

    def table(self, name: TableName) -> Table:
        """Find a table by name; raises KeyError."""
        return self.by_name[name]
