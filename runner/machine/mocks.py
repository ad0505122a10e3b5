"""Mocks: answers written down beforehand, given in place of services.

In: mocks by state name or by resource, and each task's request.  Out: the answer that is due, or
whatever another service says of a task without a mock.  Counting goes by calls: a mock that lists
several replies gives one per call.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, assert_never

from runner.errors import Fault, Place, UsageError
from runner.machine.calls import may_repeat
from runner.machine.events import EventKind
from runner.machine.ports import AnswerLater, NoAnswerYet
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from runner.machine.events import Event
    from runner.machine.ports import TaskRequest, TaskService
    from runner.model.ports import Json

_INTEGRATION = "arn:aws:states:::"
_SHOWN = 300


class Return(NamedTuple):
    """The task's raw result."""

    value: Json


class Raise(NamedTuple):
    """The call fails; a service may give neither name nor cause."""

    error: str | None
    cause: str | None = None


class Plain(Enum):
    """Replies that need no value."""

    ECHO = "echo"
    """The result is what the task was given."""
    HANG = "hang"
    """No answer ever comes."""


Deed: TypeAlias = Return | Raise | Plain


class Reply(NamedTuple):
    """One answer, and when it comes by the execution's clock."""

    deed: Deed
    after_s: float = 0.0
    heartbeats: tuple[float, ...] = ()
    """When the worker says that it is still at it, in seconds from the call."""


class Fit(Enum):
    """Which inputs a row takes."""

    ANY = "any"
    EQUAL = "equal"
    PART = "part"
    """What the row says is in the input; the input may have more."""


class Row(NamedTuple):
    """Replies for some inputs, one per call; the last repeats unless that is turned off."""

    replies: tuple[Reply | None, ...]
    fit: Fit = Fit.ANY
    input: Json = None
    repeats: bool = True

    def takes(self, given: Json) -> bool:
        """Tell whether the row is for an input."""
        if self.fit is Fit.ANY:
            return True
        return given == self.input if self.fit is Fit.EQUAL else is_part(self.input, given)

    def reply(self, number: int) -> Reply | None:
        """Give the reply to the call with that number (from 0); None when there is none."""
        if number < len(self.replies):
            return self.replies[number]
        return self.replies[-1] if self.repeats and self.replies else None


def is_part(wanted: Json, given: Json) -> bool:
    """Tell whether mappings at every depth have at least what is wanted.

    >>> is_part({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}), is_part({"a": [1]}, {"a": [1, 2]})
    (True, False)
    """
    if isinstance(wanted, dict) and isinstance(given, dict):
        return all(key in given and is_part(value, given[key]) for key, value in wanted.items())
    return bool(wanted == given)


class Mock(NamedTuple):
    """What is answered in place of one state's, or one resource's, service."""

    rows: tuple[Row, ...]
    place: Place = Place("mocks")


@dataclass(frozen=True, slots=True)
class Mocks:
    """All mocks of an execution; those by state go before those by resource."""

    states: Mapping[str, Mock]
    resources: Mapping[str, Mock]
    """By pattern; the first that fits is taken."""
    file: str = "--mocks"

    def find(self, state: str, resource: str, arguments: Json) -> tuple[str, Mock] | None:
        """Give a task's mock with a name for it, unique among all mocks."""
        if state in self.states:
            return f"state {state}", self.states[state]
        names = names_of(resource, arguments)
        for pattern, mock in self.resources.items():
            if any(fnmatchcase(name, pattern) for name in names):
                return f"resource {pattern}", mock
        return None


def names_of(resource: str, arguments: Json) -> tuple[str, ...]:
    """Give what a pattern may call a task's resource: in full, in short, by what it calls.

    >>> names_of("arn:aws:states:::lambda:invoke", {"FunctionName": "pay:live"})
    ('arn:aws:states:::lambda:invoke', 'lambda:invoke', 'function:pay')
    """
    found = [resource]
    short = resource.removeprefix(_INTEGRATION)
    if short != resource:
        found.append(short)
    given = arguments if isinstance(arguments, dict) else {}
    if short.startswith("lambda:invoke"):
        found.append(f"function:{_last(given.get('FunctionName'), 'function')}")
    elif ":function:" in resource:
        found.append(f"function:{_last(resource, 'function')}")
    elif short.startswith("states:startExecution"):
        found.append(f"machine:{_last(given.get('StateMachineArn'), 'stateMachine')}")
    return tuple(found)


def _last(arn: object, kind: str) -> str:
    """Give the name in an ARN of that kind, or of a name with a version."""
    return str(arn).rpartition(f":{kind}:")[2].partition(":")[0]


class MockService:
    """Answers tasks by their mocks and leaves the others to another service; safe on any thread."""

    def __init__(self, mocks: Mocks, otherwise: TaskService) -> None:
        """Take the mocks and who answers tasks that have none."""
        self._mocks = mocks
        self._otherwise = otherwise
        self._calls: Counter[tuple[str, int]] = Counter()
        self._used: set[str] = set()
        self._lock = threading.Lock()

    def call(self, request: TaskRequest) -> Json:
        """Answer one call."""
        found = self._mocks.find(request.state, request.resource, request.arguments)
        if found is None:
            return self._otherwise.call(request)
        name, mock = found
        row, number = self._count(name, mock, request.arguments)
        reply = None if row is None else row.reply(number)
        if reply is None:
            raise UsageError([_no_reply(name, mock, request, number=None if not row else number)])
        return _give(reply, request)

    def may_repeat(self, request: TaskRequest) -> bool:
        """Say yes of mocks, which do nothing, and what the other service says of the rest."""
        found = self._mocks.find(request.state, request.resource, request.arguments)
        return found is not None or may_repeat(self._otherwise, request)

    def remember(self, events: Iterable[Event]) -> None:
        """Count calls that a journal holds with their ends: they will not be made again."""
        begun: dict[str, Event] = {}
        for event in events:
            if event.kind is EventKind.TASK_SCHEDULED:
                begun[event.key] = event
            elif event.key in begun and event.kind in _ENDS:
                call = begun.pop(event.key)
                told = call.data["arguments"]
                found = self._mocks.find(call.state, call.data["resource"], told)
                if found is not None:
                    self._count(*found, told)

    def unused(self) -> tuple[Place, ...]:
        """Give the places of mocks that answered nothing."""
        named = {f"state {name}": mock for name, mock in self._mocks.states.items()}
        named |= {f"resource {name}": mock for name, mock in self._mocks.resources.items()}
        return tuple(mock.place for name, mock in named.items() if name not in self._used)

    def _count(self, name: str, mock: Mock, given: Json) -> tuple[Row | None, int]:
        for index, row in enumerate(mock.rows):
            if row.takes(given):
                with self._lock:
                    self._used.add(name)
                    number = self._calls[name, index]
                    self._calls[name, index] = number + 1
                return row, number
        return None, 0


_ENDS = frozenset({EventKind.TASK_SUCCEEDED, EventKind.TASK_FAILED, EventKind.TASK_TIMED_OUT})


def _give(reply: Reply, request: TaskRequest) -> Json:
    match reply.deed:
        case Return(value):
            result, error = value, None
        case Raise(name, cause):
            result, error = None, ServiceError(name, cause)  # type: ignore[arg-type]  # may be None
        case Plain.ECHO:
            result, error = request.arguments, None
        case Plain.HANG:
            if reply.heartbeats:
                raise AnswerLater(None, after_s=None, heartbeats=reply.heartbeats)
            raise NoAnswerYet
        case _:
            assert_never(reply.deed)
    if reply.after_s or reply.heartbeats:
        raise AnswerLater(result, after_s=reply.after_s, error=error, heartbeats=reply.heartbeats)
    if error is not None:
        raise error
    return result


def _no_reply(name: str, mock: Mock, request: TaskRequest, *, number: int | None) -> Fault:
    shown = _shown(request.arguments)
    if number is None:
        found = f"the mock of {name} has no row for what {request.state!r} sends: {shown}"
        advice = "add a row with that `input`, or a last row without one, which takes any"
    else:
        found = f"the mock of {name} has no reply to call {number} (from 0) of {request.state!r}"
        advice = "add a reply for that call"
    return Fault(mock.place, "no-reply", found, "a reply to every call that is made", advice)


class Unanswered:
    """The service of last resort: says what nobody answers, and what can be done about it."""

    def __init__(self, file: str) -> None:
        """Take what the mocks file is called."""
        self._file = file

    def may_repeat(self, request: TaskRequest) -> bool:
        """Say yes: a call that was refused has done nothing."""
        del request
        return True

    def call(self, request: TaskRequest) -> Json:
        """Refuse a call."""
        state, resource = request.state, request.resource
        found = f"state {state!r} calls {resource} with {_shown(request.arguments)}"
        expected = "a mock by the state's name or by the resource, or a local service that answers"
        raise UsageError(
            [Fault(Place(self._file), "no-mock", found, expected, _advice(state, request))]
        )


_LOCAL = (
    ("lambda:", "have it answered by a handler: --lambda {}=path/to/handler.py"),
    ("states:startExecution", "have it started from a file: --machine {}=other.asl.json"),
    ("s3:", "give a folder that stands for S3: --s3 FOLDER"),
    ("aws-sdk:s3:", "give a folder that stands for S3: --s3 FOLDER"),
)


def _advice(state: str, request: TaskRequest) -> str:
    import json  # noqa: PLC0415 - only for a mistake

    names = names_of(request.resource, request.arguments)
    reply = "{token: {output: ...}}" if names[0].endswith(".waitForTaskToken") else "{return: ...}"
    written = f"write `states: {{{json.dumps(state, ensure_ascii=False)}: {reply}}}` into the mocks"
    called = names[-1].partition(":")[2] if len(names) > 1 or "function:" in names[-1] else "NAME"
    for begin, text in _LOCAL:
        if any(name.startswith(begin) for name in names) or (
            begin == "lambda:" and names[-1].startswith("function:")
        ):
            return f"{written}; or {text.format(called)}"
    return written


def _shown(value: Json) -> str:
    from runner.machine.shaping import compact  # noqa: PLC0415 - only for a mistake

    text = compact(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
