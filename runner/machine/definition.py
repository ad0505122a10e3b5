"""A definition as values: what `parse` makes of the JSON and the interpreter walks.

Everything here is frozen.  Expressions are `Template`s: they keep their source and compile
themselves when they are first needed, so a long definition costs only what runs.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.machine.rules import Rule
    from runner.machine.templates import Template
    from runner.model.ports import Json


class Language(StrEnum):
    """The query language of a state."""

    JSONPATH = "JSONPath"
    JSONATA = "JSONata"


class JsonataIo(NamedTuple):
    """How a JSONata state makes its arguments, output and variables; None: field not given."""

    arguments: Template | None = None
    output: Template | None = None
    assign: Template | None = None


class Discard(NamedTuple):
    """A null path: `{}` for InputPath and OutputPath, the raw input for ResultPath."""


class ReferencePath(NamedTuple):
    """Where ResultPath puts a result: keys and indexes below the root."""

    steps: tuple[str | int, ...]


class JsonPathIo(NamedTuple):
    """How a JSONPath state shapes its data; None: field not given."""

    input_path: Template | Discard | None = None
    parameters: Template | None = None
    result_selector: Template | None = None
    result_path: ReferencePath | Discard | None = None
    output_path: Template | Discard | None = None
    assign: Template | None = None


Io: TypeAlias = JsonataIo | JsonPathIo


class Retrier(NamedTuple):
    """When and how a failed state is tried again."""

    errors: tuple[str, ...]
    interval_s: int = 1
    max_attempts: int = 3
    backoff_rate: float = 2.0
    max_delay_s: int | None = None
    full_jitter: bool = False


class Catcher(NamedTuple):
    """Where an error that no retrier took goes."""

    errors: tuple[str, ...]
    next: str
    io: Io


class Pass(NamedTuple):
    """Hands its input, or a fixed result, on."""

    name: str
    io: Io
    next: str | None
    result: Template | None = None


class Task(NamedTuple):
    """Calls a resource."""

    name: str
    io: Io
    next: str | None
    resource: str
    timeout_s: Template | None = None
    heartbeat_s: Template | None = None
    credentials: Template | None = None
    retry: tuple[Retrier, ...] = ()
    catch: tuple[Catcher, ...] = ()


class Branch(NamedTuple):
    """One way out of a Choice, with what it assigns and puts out."""

    condition: Template | Rule
    next: str
    io: Io


class Choice(NamedTuple):
    """Takes the first branch whose condition holds."""

    name: str
    io: Io
    branches: tuple[Branch, ...]
    default: str | None = None


class WaitFor(StrEnum):
    """What a Wait state's value says."""

    SECONDS = "Seconds"
    TIMESTAMP = "Timestamp"


class Wait(NamedTuple):
    """Waits for some seconds or until an instant."""

    name: str
    io: Io
    next: str | None
    wait_for: WaitFor
    value: Template


class Succeed(NamedTuple):
    """Ends its flow well."""

    name: str
    io: Io


class Fail(NamedTuple):
    """Ends its flow with an error."""

    name: str
    io: Io
    error: Template | None = None
    cause: Template | None = None


class Parallel(NamedTuple):
    """Runs its branches at the same time."""

    name: str
    io: Io
    next: str | None
    branches: tuple[Flow, ...]
    retry: tuple[Retrier, ...] = ()
    catch: tuple[Catcher, ...] = ()


class Reader(NamedTuple):
    """Where a distributed Map's items come from."""

    resource: str
    arguments: Template | None
    config: Template
    """The ReaderConfig without its limit."""
    max_items: Template | None = None


class Writer(NamedTuple):
    """Where a distributed Map's results go; without a resource they stay the state's result."""

    resource: str
    arguments: Template | None
    config: Template


class Batcher(NamedTuple):
    """How a distributed Map groups its items."""

    max_items: Template | None
    max_bytes: Template | None
    batch_input: Template | None


class Distributed(NamedTuple):
    """What only a distributed Map has."""

    reader: Reader | None = None
    batcher: Batcher | None = None
    writer: Writer | None = None
    label: str = ""
    express: bool = False
    """Whether the child executions are EXPRESS ones."""


class Map(NamedTuple):
    """Runs its processor once per item."""

    name: str
    io: Io
    next: str | None
    processor: Flow
    items: Template | None = None
    selector: Template | None = None
    max_concurrency: Template | None = None
    tolerated_count: Template | None = None
    tolerated_percentage: Template | None = None
    distributed: Distributed | None = None
    retry: tuple[Retrier, ...] = ()
    catch: tuple[Catcher, ...] = ()


State: TypeAlias = Pass | Task | Choice | Wait | Succeed | Fail | Parallel | Map


class Flow(NamedTuple):
    """States and where they start."""

    start: str
    states: Mapping[str, State]


class Definition(NamedTuple):
    """A whole state machine."""

    flow: Flow
    digest: str
    """SHA-256 (hex) of the definition as canonical JSON."""
    source: Json
    comment: str = ""
    timeout_s: int | None = None
