"""One test of one state, and how it ended: the values of AWS's TestState."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from runner.machine.templates import UNDEFINED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from runner.machine.state_mocks import Mock
    from runner.machine.templates import Undefined
    from runner.model.ports import Json


class InspectionLevel(StrEnum):
    """How much a result tells beside the output."""

    INFO = "INFO"
    DEBUG = "DEBUG"
    """Also the data after each field."""
    TRACE = "TRACE"
    """The same; AWS adds the requests of HTTP tasks, which a mock never makes."""


class TestStatus(StrEnum):
    """How a test ended."""

    __test__ = False  # not a class of tests

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    RETRIABLE = "RETRIABLE"
    """The state failed, and a retrier would try it again."""
    CAUGHT_ERROR = "CAUGHT_ERROR"
    """The state failed, and a catcher took the error."""


class StateConfiguration(NamedTuple):
    """What happened before, or inside, the state under test."""

    retries: int | None = None
    """Retries so far of the retrier that takes the error; None: what the context says, or 0."""
    error_caused_by: str | None = None
    """The state inside the Map or Parallel from which the mocked error comes."""
    failed_iterations: int = 0
    """Iterations of the Map that failed."""
    reader_data: str | None = None
    """What the ItemReader of the Map reads."""


@dataclass(frozen=True, slots=True)
class StateTest:
    """One test of one state."""

    definition: bytes | str | Mapping[str, Any]
    data: Json = field(default_factory=dict)
    state_name: str | None = None
    """Which state of the definition; None: the definition is the state."""
    mock: Mock | None = None
    variables: Mapping[str, Json] = field(default_factory=dict)
    context: Mapping[str, Json] | None = None
    level: InspectionLevel = InspectionLevel.INFO
    configuration: StateConfiguration = field(default_factory=StateConfiguration)
    role_arn: str | None = None
    reveal_secrets: bool = False


@dataclass(frozen=True, slots=True)
class StateResult:
    """How a state behaved."""

    status: TestStatus
    output: Json | Undefined = UNDEFINED
    error: str | None = None
    cause: str | None = None
    next_state: str | None = None
    inspection: Mapping[str, Json] = field(default_factory=dict)
    """`inspectionData` in AWS's shape, with values instead of JSON texts."""
