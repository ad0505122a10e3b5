"""A definition as values: what `parse` makes of the JSON and the interpreter walks.

Everything here is frozen.  Expressions are `Template`s: they keep their source and compile
themselves when they are first needed, so a long definition costs only what runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.machine.rules import Rule
    from runner.machine.templates import Template
    from runner.model.ports import Json


class Language(StrEnum):
    """The query language of a state."""

    JSONPATH = "JSONPath"
    JSONATA = "JSONata"


@dataclass(frozen=True, slots=True)
class JsonataIo:
    """How a JSONata state makes its arguments, output and variables; None: field not given."""

    arguments: Template | None = None
    output: Template | None = None
    assign: Template | None = None


@dataclass(frozen=True, slots=True)
class Discard:
    """A null path: `{}` for InputPath and OutputPath, the raw input for ResultPath."""


@dataclass(frozen=True, slots=True)
class ReferencePath:
    """Where ResultPath puts a result: keys and indexes below the root."""

    steps: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class JsonPathIo:
    """How a JSONPath state shapes its data; None: field not given."""

    input_path: Template | Discard | None = None
    parameters: Template | None = None
    result_selector: Template | None = None
    result_path: ReferencePath | Discard | None = None
    output_path: Template | Discard | None = None
    assign: Template | None = None


Io: TypeAlias = JsonataIo | JsonPathIo


@dataclass(frozen=True, slots=True)
class Retrier:
    """When and how a failed state is tried again."""

    errors: tuple[str, ...]
    interval_s: int = 1
    max_attempts: int = 3
    backoff_rate: float = 2.0
    max_delay_s: int | None = None
    full_jitter: bool = False


@dataclass(frozen=True, slots=True)
class Catcher:
    """Where an error that no retrier took goes."""

    errors: tuple[str, ...]
    next: str
    io: Io


@dataclass(frozen=True, slots=True, kw_only=True)
class _Base:
    name: str
    io: Io


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass(_Base):
    """Hands its input, or a fixed result, on."""

    next: str | None
    result: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(_Base):
    """Calls a resource."""

    next: str | None
    resource: str
    timeout_s: Template | None = None
    heartbeat_s: Template | None = None
    credentials: Template | None = None
    retry: tuple[Retrier, ...] = ()
    catch: tuple[Catcher, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One way out of a Choice, with what it assigns and puts out."""

    condition: Template | Rule
    next: str
    io: Io


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(_Base):
    """Takes the first branch whose condition holds."""

    branches: tuple[Branch, ...]
    default: str | None = None


class WaitFor(StrEnum):
    """What a Wait state's value says."""

    SECONDS = "Seconds"
    TIMESTAMP = "Timestamp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait(_Base):
    """Waits for some seconds or until an instant."""

    next: str | None
    wait_for: WaitFor
    value: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Succeed(_Base):
    """Ends its flow well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail(_Base):
    """Ends its flow with an error."""

    error: Template | None = None
    cause: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallel(_Base):
    """Runs its branches at the same time."""

    next: str | None
    branches: tuple[Flow, ...]
    retry: tuple[Retrier, ...] = ()
    catch: tuple[Catcher, ...] = ()


@dataclass(frozen=True, slots=True)
class Reader:
    """Where a distributed Map's items come from."""

    resource: str
    arguments: Template | None
    config: Template
    max_items: Template | None = None


@dataclass(frozen=True, slots=True)
class Batcher:
    """How a distributed Map groups its items."""

    max_items: Template | None
    max_bytes: Template | None
    batch_input: Template | None


@dataclass(frozen=True, slots=True)
class Distributed:
    """What only a distributed Map has."""

    reader: Reader | None = None
    batcher: Batcher | None = None
    writer: Reader | None = None
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Map(_Base):
    """Runs its processor once per item."""

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


@dataclass(frozen=True, slots=True)
class Flow:
    """States and where they start."""

    start: str
    states: Mapping[str, State]


@dataclass(frozen=True, slots=True)
class Definition:
    """A whole state machine."""

    flow: Flow
    digest: str
    """SHA-256 (hex) of the definition as canonical JSON."""
    source: Json = field(repr=False)
    comment: str = ""
    timeout_s: int | None = None
