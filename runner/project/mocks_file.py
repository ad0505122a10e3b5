"""A file of mocks, in our format or in that of AWS's Step Functions Local.

In: a path, and a test case's name for AWS's format.  Out: `Mocks`, or every fault at its line and
column.  Ours:

    states:
      Charge card:                       # by the state's name
        - raise: {error: Busy}           # the first call
        - return: {ok: true}             # every later one
    resources:
      "lambda:invoke": {payload: {}}     # by the resource, `*` for anything
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.errors import Fault, ProjectError
from runner.machine.mocks import Deed, Fit, Mock, Mocks, Plain, Raise, Reply, Return, Row
from runner.model.nearest import suggestion
from runner.project.documents import read_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path as FilePath

    from runner.model.places import Path, Places

Data = Any

_DEEDS = ("return", "payload", "raise", "echo", "hang", "token")
_TIMES = ("after", "heartbeats")
_MAPPING = "a mapping (`key: value` lines)"


def read_mocks(path: FilePath, *, test_case: str | None = None) -> Mocks:
    """Read a file of mocks; ProjectError lists all that is wrong with it."""
    document = read_document(path, option="--mocks")
    reader = Reader(document.places)
    reader.faults += document.faults
    data = document.data
    if isinstance(data, dict) and ("StateMachines" in data or "MockedResponses" in data):
        from runner.project.aws_mocks import read_aws_mocks  # noqa: PLC0415 - only for theirs

        states = read_aws_mocks(reader, data, test_case=test_case)
        resources: dict[str, Mock] = {}
    else:
        states, resources = _read_ours(reader, data, test_case=test_case)
    if reader.faults:
        raise ProjectError(reader.faults)
    return Mocks(states, resources, str(path))


def _read_ours(
    reader: Reader, data: Data, *, test_case: str | None
) -> tuple[dict[str, Mock], dict[str, Mock]]:
    if test_case is not None:
        found, advice = f"--test-case {test_case}", "leave --test-case away"
        reader.say((), found, "a file in the format of Step Functions Local", advice)
    top = reader.mapping(data if data is not None else {}, ())
    reader.known(top, (), ("states", "resources"))
    parts: list[dict[str, Mock]] = []
    for part in ("states", "resources"):
        mocks = reader.mapping(top.get(part) or {}, (part,))
        parts.append({name: _mock(reader, value, (part, name)) for name, value in mocks.items()})
    return parts[0], parts[1]


class Reader:
    """Takes data apart and collects faults with their places."""

    def __init__(self, places: Places) -> None:
        """Take where everything stands."""
        self.places = places
        self.faults: list[Fault] = []

    def say(self, path: Path, found: str, expected: str, advice: str) -> None:
        """Remember a fault of the value at a path."""
        place = self.places.value(*path)
        self.faults.append(Fault(place, "bad-mock", found, expected, advice))

    def mapping(self, data: Data, path: Path) -> dict[str, Data]:
        """Give a mapping; an empty one, with a fault, for anything else."""
        if isinstance(data, dict):
            return data
        self.say(path, shown(data), _MAPPING, "see docs/how-to/run-a-state-machine.md")
        return {}

    def known(self, data: dict[str, Data], path: Path, names: tuple[str, ...]) -> None:
        """Say which keys nobody knows."""
        for key in data:
            if key not in names:
                expected = f"one of {', '.join(names)}"
                advice = suggestion(key, names, otherwise="remove it")
                place = self.places.key(*path, key)
                self.faults.append(Fault(place, "bad-mock", f"the key {key!r}", expected, advice))

    def seconds(self, data: Data, path: Path) -> float:
        """Give a number of seconds."""
        if isinstance(data, (int, float)) and not isinstance(data, bool) and data >= 0:
            return data
        self.say(path, shown(data), "seconds, from 0", "write a number")
        return 0.0

    def text(self, data: Data, path: Path) -> str | None:
        """Give a text, or None where there is none."""
        if data is None or isinstance(data, str):
            return data
        self.say(path, shown(data), "text", "quote it")
        return None


def shown(data: Data) -> str:
    """Write a value in a fault.

    >>> shown({"a": 1}), shown("yes"), shown(None)
    ("{'a': 1}", "'yes'", 'nothing')
    """
    return "nothing" if data is None else f"{data!r:.80}"


def _mock(reader: Reader, data: Data, path: Path) -> Mock:
    place = reader.places.key(*path)
    if isinstance(data, dict) and "by_input" in data:
        reader.known(data, path, ("by_input",))
        rows = data["by_input"]
        if not isinstance(rows, list) or not rows:
            expected = "a list of {input, then}"
            reader.say((*path, "by_input"), shown(rows), expected, "write one row or more")
            rows = []
        return Mock(
            tuple(_row(reader, row, (*path, "by_input", n)) for n, row in enumerate(rows)), place
        )
    return Mock((Row(tuple(_replies(reader, data, path))),), place)


def _row(reader: Reader, data: Data, path: Path) -> Row:
    row = reader.mapping(data, path)
    reader.known(row, path, ("input", "where", "then"))
    if "then" not in row:
        reader.say(path, "a row without `then`", "what to answer", "add `then: {return: ...}`")
        return Row(())
    if "input" in row and "where" in row:
        reader.say(path, "both `input` and `where`", "one of them", "remove one")
    replies = tuple(_replies(reader, row["then"], (*path, "then")))
    if "input" in row:
        return Row(replies, Fit.EQUAL, row["input"])
    return Row(replies, Fit.PART, row["where"]) if "where" in row else Row(replies)


def _replies(reader: Reader, data: Data, path: Path) -> Iterator[Reply]:
    if not isinstance(data, list):
        yield _reply(reader, data, path)
        return
    if not data:
        reader.say(path, "an empty list", "one reply per call", "write one reply or more")
    for index, item in enumerate(data):
        yield _reply(reader, item, (*path, index))


_NOTHING = Reply(Plain.ECHO)
"""Stands for a reply that has a fault; it is never given."""


def _reply(reader: Reader, data: Data, path: Path) -> Reply:
    if data in ("echo", "hang"):
        return Reply(Plain(data))
    deeds = [name for name in _DEEDS if isinstance(data, dict) and name in data]
    if len(deeds) != 1:
        found = " and ".join(f"`{name}`" for name in deeds) or shown(data)
        example = "for example {return: {ok: true}} or {raise: {error: Busy, cause: again}}"
        reader.say(path, found, f"one of {', '.join(_DEEDS)}", example)
        return _NOTHING
    name = deeds[0]
    if name == "token":
        reader.known(data, path, ("token",))
        return _token(reader, data[name], (*path, name))
    reader.known(data, path, (name, *_TIMES))
    return _timed(reader, data, path, deed=_deed(reader, name, data[name], (*path, name)))


def _deed(reader: Reader, name: str, value: Data, path: Path) -> Deed:
    match name:
        case "return":
            return Return(value)
        case "payload":
            return Return({"ExecutedVersion": "$LATEST", "Payload": value, "StatusCode": 200})
        case "raise":
            return _error(reader, value, path)
        case _:
            if value is not True:
                reader.say(path, shown(value), "true", f"write `{name}: true`")
            return Plain(name)


def _error(reader: Reader, data: Data, path: Path) -> Raise:
    if isinstance(data, str):
        return Raise(data)
    told = reader.mapping(data, path)
    reader.known(told, path, ("error", "cause"))
    error = reader.text(told.get("error"), (*path, "error"))
    return Raise(error, reader.text(told.get("cause"), (*path, "cause")))


def _token(reader: Reader, data: Data, path: Path) -> Reply:
    """Read what comes back by a task token: an output, an error, or heartbeats and silence."""
    told = reader.mapping(data, path)
    reader.known(told, path, ("output", "error", "cause", *_TIMES))
    if "output" in told and "error" in told:
        reader.say(path, "both `output` and `error`", "one of them", "remove one")
    deed: Deed = Plain.HANG
    if "error" in told or "cause" in told:
        error = {name: told[name] for name in ("error", "cause") if name in told}
        deed = _error(reader, error, path)
    elif "output" in told:
        deed = Return(told["output"])
    return _timed(reader, told, path, deed=deed)


def _timed(reader: Reader, data: dict[str, Data], path: Path, *, deed: Deed) -> Reply:
    after = reader.seconds(data.get("after", 0.0), (*path, "after"))
    beats = data.get("heartbeats", [])
    if not isinstance(beats, list):
        expected = "a list of seconds from the call"
        reader.say((*path, "heartbeats"), shown(beats), expected, "for example [10, 20]")
        beats = []
    number: Callable[[int, Data], float] = lambda index, beat: reader.seconds(  # noqa: E731 - short
        beat, (*path, "heartbeats", index)
    )
    return Reply(deed, after, tuple(number(index, beat) for index, beat in enumerate(beats)))
