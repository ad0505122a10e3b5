"""The mocks of AWS's Step Functions Local: `MockConfigFile.json`.

    {"StateMachines": {"Pay": {"TestCases": {"Busy": {"Charge card": "ChargeBusy"}}}},
     "MockedResponses": {"ChargeBusy": {"0": {"Throw": {"Error": "Busy", "Cause": "again"}},
                                        "1-2": {"Return": {"ok": true}}}}}

In: the parsed file and the name of a test case.  Out: mocks by state; a call beyond the numbers
that a response lists has no answer, as there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from runner.machine.mocks import Mock, Raise, Reply, Return, Row
from runner.model.nearest import listed, suggestion

if TYPE_CHECKING:
    from runner.model.places import Path
    from runner.project.mocks_file import Reader

Data = Any
_RANGE = re.compile(r"(0|[1-9]\d{0,5})(?:-([1-9]\d{0,5}))?\Z")
_RESPONSES = "MockedResponses"


def read_aws_mocks(
    reader: Reader, data: dict[str, Data], *, test_case: str | None
) -> dict[str, Mock]:
    """Read the mocks of one test case; `MACHINE/CASE` where several machines have one so named."""
    reader.known(data, (), ("StateMachines", _RESPONSES))
    responses = reader.mapping(data.get(_RESPONSES, {}), (_RESPONSES,))
    mocks = {
        name: _response(reader, value, (_RESPONSES, name)) for name, value in responses.items()
    }
    cases = _cases(reader, data.get("StateMachines", {}))
    chosen = _choose(reader, cases, test_case)
    if chosen is None:
        return {}
    found: dict[str, Mock] = {}
    path = ("StateMachines", chosen[0], "TestCases", chosen[1])
    for state, name in reader.mapping(cases[chosen], path).items():
        if isinstance(name, str) and name in mocks:
            found[state] = mocks[name]._replace(place=reader.places.key(*path, state))
        else:
            advice = suggestion(str(name), mocks, otherwise="write the response out there")
            reader.say((*path, state), f"{name!r}", f"a name below {_RESPONSES}", advice)
    return found


def _cases(reader: Reader, data: Data) -> dict[tuple[str, str], Data]:
    found: dict[tuple[str, str], Data] = {}
    for machine, value in reader.mapping(data, ("StateMachines",)).items():
        path = ("StateMachines", machine)
        about = reader.mapping(value, path)
        reader.known(about, path, ("TestCases",))
        cases = reader.mapping(about.get("TestCases", {}), (*path, "TestCases"))
        found |= {(machine, case): states for case, states in cases.items()}
    return found


def _choose(
    reader: Reader, cases: dict[tuple[str, str], Data], wanted: str | None
) -> tuple[str, str] | None:
    fits = [pair for pair in cases if wanted is None or wanted in (pair[1], f"{pair[0]}/{pair[1]}")]
    if len(fits) == 1:
        return fits[0]
    names = listed(f"{machine}/{case}" for machine, case in (fits or cases))
    if wanted is None:
        found = f"{len(fits)} test cases, and no --test-case that chooses"
    else:
        found = f"--test-case {wanted}, which {'several are' if fits else 'none is'} called"
    reader.say(("StateMachines",), found, "one test case", f"name one with --test-case: {names}")
    return None


def _response(reader: Reader, data: Data, path: Path) -> Mock:
    calls: dict[int, Reply] = {}
    for numbers, value in reader.mapping(data, path).items():
        reply = _reply(reader, value, (*path, numbers))
        for number in _numbers(reader, numbers, (*path, numbers)):
            if number in calls:
                found = f"call {number} a second time"
                reader.say((*path, numbers), found, "each call once", "correct the ranges")
            calls[number] = reply
    last = max(calls, default=-1)
    replies = tuple(calls.get(number) for number in range(last + 1))
    return Mock((Row(replies, repeats=False),), reader.places.key(*path))


def _numbers(reader: Reader, text: str, path: Path) -> range:
    match = _RANGE.match(text)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, -1)
    if last < first:
        expected = "the number of a call, from 0, or a range of such: `0`, `1-2`"
        reader.say(path, f"{text!r}", expected, "correct the key")
    return range(first, last + 1)


def _reply(reader: Reader, data: Data, path: Path) -> Reply:
    told = reader.mapping(data, path)
    if len(told) != 1 or not set(told) <= {"Return", "Throw"}:
        keys = ", ".join(told) or "nothing"
        reader.say(path, keys, "one of Return, Throw", "see the manual of Step Functions Local")
        return Reply(Return(None))
    if "Return" in told:
        return Reply(Return(told["Return"]))
    thrown = reader.mapping(told["Throw"], (*path, "Throw"))
    reader.known(thrown, (*path, "Throw"), ("Error", "Cause"))
    error = reader.text(thrown.get("Error"), (*path, "Throw", "Error"))
    return Reply(Raise(error, reader.text(thrown.get("Cause"), (*path, "Throw", "Cause"))))
