"""Random definitions: what is right is accepted and ends, one mistake is found at its place."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from runner.machine import InvalidDefinition, parse_definition
from runner.machine.diagnose import diagnose
from runner.machine.fields import BOTH, ONLY
from runner.machine.full_query import compile_full
from runner.machine.validate import find_refusals
from tests.machine.machines import play
from tests.support.machine_grammar import machines, states_of

if TYPE_CHECKING:
    from collections.abc import Callable

Json = Any
State = dict[str, Json]
compile_full("1")  # the library sets the recursion limit, which hypothesis watches
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@QUICK
@given(machines())
def test_what_is_right_is_accepted_and_ends(machine: tuple[State, Json]) -> None:
    definition, data = machine
    assert find_refusals(definition, express=False) == []
    assert diagnose(json.dumps(definition), express=False)["result"] == "OK"
    outcome = play(definition, data, history_limit=5_000)
    assert outcome.status in {"SUCCEEDED", "FAILED"}
    assert "history events" not in (outcome.cause or "")


def _is_jsonata(state: State, definition: State) -> bool:
    return "JSONata" in (state.get("QueryLanguage"), definition.get("QueryLanguage"))


def _foreign(state: State, definition: State) -> str:
    name = "ResultPath" if _is_jsonata(state, definition) else "Output"
    state[name] = "$.x"
    return f"/{name}"


def _misspelt(state: State, _definition: State) -> str:
    state["Tpye"] = "Pass"
    return "/Tpye"


def _typeless(state: State, _definition: State) -> str:
    del state["Type"]
    return ""


def _lost(state: State, _definition: State) -> str | None:
    if "Next" not in state:
        return None
    state["Next"] = "Nowhere"
    return "/Next"


def _stuck(state: State, _definition: State) -> str | None:
    if state.pop("Next", None) or state.pop("End", None):
        return ""
    return None


def _torn(state: State, _definition: State) -> str | None:
    if "Next" not in state:
        return None
    state["End"] = True
    return ""


def _unreadable(state: State, definition: State) -> str | None:
    if state["Type"] in {"Fail", "Succeed"} or not _is_jsonata(state, definition):
        return None
    state["Assign"] = {"x": "{% 1 + %}"}
    return "/Assign/x"


def _outside(state: State, definition: State) -> str | None:
    if state["Type"] in {"Fail", "Succeed"} or not _is_jsonata(state, definition):
        return None
    state["Assign"] = {"x": ["{% $sum(prices) %}"]}
    return "/Assign/x[0]"


def _pathless(state: State, definition: State) -> str | None:
    if state["Type"] == "Fail" or _is_jsonata(state, definition):
        return None
    state["InputPath"] = "n"
    return "/InputPath"


def _unnamed(state: State, _definition: State) -> str | None:
    if state["Type"] in {"Fail", "Succeed"}:
        return None
    state["Assign"] = {"a b": 1}
    return "/Assign/a b"


def _careless(state: State, _definition: State) -> str | None:
    if "Retry" not in state:
        return None
    state["Retry"][0]["ErrorEquals"] = []
    return "/Retry[0]/ErrorEquals"


def _impatient(state: State, _definition: State) -> str | None:
    if state["Type"] != "Task":
        return None
    state["TimeoutSeconds"] = 0
    return "/TimeoutSeconds"


def _aimless(state: State, _definition: State) -> str | None:
    if state["Type"] != "Choice":
        return None
    del state["Choices"][0]["Next"]
    return "/Choices[0]"


def _undecided(state: State, _definition: State) -> str | None:
    if state["Type"] != "Choice":
        return None
    state["Choices"][0].pop("Condition", None)
    state["Choices"][0].pop("Variable", None)
    return "/Choices[0]"


def _timeless(state: State, _definition: State) -> str | None:
    if state["Type"] != "Wait":
        return None
    for name in ("Seconds", "SecondsPath", "Timestamp"):
        state.pop(name, None)
    return ""


def _idle(state: State, _definition: State) -> str | None:
    if state["Type"] not in {"Map", "Parallel"}:
        return None
    state.pop("ItemProcessor", None)
    state.pop("Branches", None)
    return ""


MISTAKES: tuple[Callable[[State, State], str | None], ...] = (
    _foreign,
    _misspelt,
    _typeless,
    _lost,
    _stuck,
    _torn,
    _unreadable,
    _outside,
    _pathless,
    _unnamed,
    _careless,
    _impatient,
    _aimless,
    _undecided,
    _timeless,
    _idle,
)


@settings(QUICK, max_examples=120)
@given(machines(), st.sampled_from(MISTAKES), st.data())
def test_one_mistake_is_found_at_its_place(
    machine: tuple[State, Json], mistake: Callable[[State, State], str | None], data: st.DataObject
) -> None:
    definition = copy.deepcopy(machine[0])
    able = [
        (at, state)
        for at, state in states_of(definition)
        if mistake(copy.deepcopy(state), definition) is not None
    ]
    assume(able)
    at, state = data.draw(st.sampled_from(able))
    place = mistake(state, definition)
    assert f"{at}{place}" in {one.pointer for one in find_refusals(definition, express=False)}
    assert diagnose(definition, express=True)["result"] == "FAIL"


def refusal_of(value: Json) -> InvalidDefinition | None:
    try:
        parse_definition(value)
    except InvalidDefinition as refused:
        return refused
    return None


FIELDS = sorted(
    {
        "StartAt",
        "States",
        "Type",
        "ProcessorConfig",
        "Mode",
        "ErrorEquals",
        "Variable",
        "And",
        "Not",
        "NumericEquals",
        "Condition",
        "ReaderConfig",
        "MaxItems",
        "a.$",
        *(name for fields in BOTH.values() for name in fields),
        *(name for kinds in ONLY.values() for fields in kinds.values() for name in fields),
    }
)
WORDS = (
    *BOTH,
    "JSONata",
    "JSONPath",
    "DISTRIBUTED",
    "States.ALL",
    "{% $x %}",
    "{% a[ %}",
    "$.a",
    "",
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(WORDS)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=3), inner, max_size=6)
    ),
    max_leaves=25,
)


@settings(QUICK, max_examples=100)
@given(VALUES)
def test_any_json_is_refused_or_makes_a_definition(value: Json) -> None:
    refused = find_refusals(value, express=True)
    assert all(one.message and one.code for one in refused)
    refusal = refusal_of(value)
    assert refusal is None or refusal.faults


@settings(QUICK, max_examples=100)
@given(machines(), VALUES, st.data())
def test_any_value_anywhere_is_refused_or_makes_a_definition(
    machine: tuple[State, Json], value: Json, data: st.DataObject
) -> None:
    definition = copy.deepcopy(machine[0])
    _, part = data.draw(st.sampled_from([("", definition), *states_of(definition)]))
    part[data.draw(st.sampled_from(sorted({*part, *FIELDS})))] = value
    refusal = refusal_of(definition)
    assert refusal is None or refusal.refusals


@settings(QUICK, max_examples=60)
@given(st.text() | st.binary())
def test_any_text_is_refused_or_makes_a_definition(text: str | bytes) -> None:
    refusal = refusal_of(text)
    told = diagnose(text, express=False)["diagnostics"]
    assert [one["code"] for one in told[:1]] == [
        one.code for one in (refusal.refusals[:1] if refusal else ())
    ]
