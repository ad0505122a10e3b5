"""Random state machines that are right by construction, and end.

`machines()` gives (definition, input).  States lead only to later states of their flow, Maps have
few items, retriers few attempts: a run takes a bounded number of steps.  Names of states and
variables are unique in a machine.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Json = Any
Draw = Any

LAMBDA = "arn:aws:states:::lambda:invoke"
FUNCTION = "arn:aws:lambda:us-east-1:111111111111:function:f"
_DEEPEST = 2
_INPUT = st.fixed_dictionaries(
    {
        "n": st.integers(-3, 3),
        "text": st.sampled_from(["", "a", "é", "a*b"]),
        "flag": st.booleans(),
        "items": st.lists(st.integers(0, 3), max_size=3),
        "nested": st.just({"a": {"b": [1, 2, 3]}}),
        "nothing": st.none(),
    }
)
_EXPRESSIONS = (
    "{% $states.input %}",
    "{% $states.input.n %}",
    "{% $states.input.nested.a.b[$ > 1] %}",
    "{% $string($states.context.State.Name) & 'x' %}",
    "{% $exists($states.input.n) ? [1, 2] : {'a': null} %}",
    "{% $map([1..3], function($v, $i) { $v * $i }) %}",
    "{% ($a := 1; $a + 1) %}",
    "{% {'k': $states.input.text} %}",
    1,
    None,
    [True, {"x": 0.5}],
    "text",
)
_PATHS = ("$", "$.nested", "$.nested.a.b[0]", "$['items']", "$$.Execution.Name", "$.items[*]")
_TEMPLATES: tuple[dict[str, Json], ...] = (
    {"a.$": "$.n", "b": 1},
    {"a.$": "States.Format('{} {}', $.text, $.n)", "c": [{"d.$": "$$.State.Name"}]},
    {"a.$": "States.ArrayLength($.items)"},
    {},
)
_RULES: tuple[dict[str, Json], ...] = (
    {"Variable": "$.n", "NumericGreaterThan": 0},
    {"Variable": "$.n", "NumericEqualsPath": "$.n"},
    {"Variable": "$.text", "StringMatches": "a*"},
    {"Variable": "$.flag", "BooleanEquals": True},
    {"Variable": "$.none", "IsPresent": False},
    {"Variable": "$.text", "IsTimestamp": True},
    {"Not": {"Variable": "$.nothing", "IsNull": True}},
    {
        "And": [
            {"Variable": "$.n", "IsNumeric": True},
            {"Or": [{"Variable": "$", "IsPresent": True}]},
        ]
    },
)
_CONDITIONS = (True, "{% $states.input.n > 0 %}", "{% $exists($states.input.text) %}")
_RETRIERS: tuple[dict[str, Json], ...] = (
    {"ErrorEquals": ["Bad", "States.Timeout"], "MaxAttempts": 1, "BackoffRate": 1.5},
    {"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 3, "MaxAttempts": 2},
)
_LAST_RETRIER = {
    "ErrorEquals": ["States.ALL"],
    "MaxAttempts": 1,
    "MaxDelaySeconds": 9,
    "JitterStrategy": "FULL",
}


@st.composite
def machines(draw: Draw) -> tuple[dict[str, Json], Json]:
    """Draw a definition that AWS would accept, and an input."""
    language = draw(st.sampled_from(["JSONata", "JSONPath"]))
    definition = _Grammar(draw, language).flow(0)
    if language == "JSONata" or draw(st.booleans()):
        definition["QueryLanguage"] = language
    definition |= draw(
        st.sampled_from([{}, {"Comment": "c"}, {"Version": "1.0", "TimeoutSeconds": 99_999_999}])
    )
    return definition, draw(_INPUT)


class _Grammar:
    """Draws the states of one machine."""

    def __init__(self, draw: Draw, language: str) -> None:
        self._draw = draw
        self._top = language
        self._numbers = count()

    def flow(self, depth: int) -> dict[str, Json]:
        names = [f"S{next(self._numbers)}" for _ in range(self._draw(st.integers(1, 3)))]
        states = {
            name: self._state(name, names[index + 1 :], depth) for index, name in enumerate(names)
        }
        return {"StartAt": names[0], "States": states}

    def _pick(self, choices: Any) -> Json:  # noqa: ANN401
        return self._draw(st.sampled_from(choices))

    def _maybe(self) -> bool:
        return bool(self._draw(st.booleans()))

    def _state(self, name: str, later: list[str], depth: int) -> dict[str, Json]:
        kinds = ["Pass", "Task", "Wait", "Parallel", "Map"][: 5 if depth < _DEEPEST else 3]
        kind = self._pick([*kinds, "Choice"] if later else [*kinds, "Succeed", "Fail"])
        state: dict[str, Json] = {"Type": kind}
        language = self._top
        if language == "JSONPath" and self._maybe():
            language = state["QueryLanguage"] = "JSONata"
        if kind not in {"Choice", "Succeed", "Fail"}:
            state |= {"Next": later[0]} if later else {"End": True}
        _BUILDERS[kind](self, state, later, language, depth)
        if kind not in {"Succeed", "Fail"} and self._maybe():
            state["Assign"] = self._assign(name, language)
        if kind in {"Task", "Parallel", "Map"}:
            self._care(state, name, later, language)
        return state

    def _assign(self, name: str, language: str) -> dict[str, Json]:
        if language == "JSONata":
            return {f"v{name}": self._pick(_EXPRESSIONS)}
        return self._pick([{f"v{name}.$": "$"}, {f"v{name}": {"a": 1}}])  # type: ignore[no-any-return]

    def _shape(self, state: dict[str, Json], language: str) -> None:
        if language == "JSONata":
            if self._maybe():
                state["Output"] = self._pick(_EXPRESSIONS)
        elif self._maybe():
            state["OutputPath"] = self._pick(["$", None])

    def _care(
        self,
        state: dict[str, Json],
        name: str,
        later: list[str],
        language: str,
    ) -> None:
        if self._maybe():
            state["Retry"] = [*self._pick([(), _RETRIERS]), _LAST_RETRIER]
        if later and self._maybe():
            catcher = {"ErrorEquals": ["States.ALL"], "Next": self._pick(later)}
            if language == "JSONata":
                catcher |= {"Output": "{% $states.errorOutput %}", "Assign": {f"e{name}": 1}}
            else:
                catcher["ResultPath"] = self._pick(["$.error", None, "$"])
            state["Catch"] = [catcher]

    def a_pass(
        self,
        state: dict[str, Json],
        _later: list[str],
        language: str,
        _depth: int,
    ) -> None:
        self._shape(state, language)
        if language != "JSONata" and self._maybe():
            state["Parameters"] = self._pick(_TEMPLATES)
            state["ResultPath"] = "$.result"

    def a_task(
        self,
        state: dict[str, Json],
        _later: list[str],
        language: str,
        _depth: int,
    ) -> None:
        self._shape(state, language)
        own = "Arguments" if language == "JSONata" else "Parameters"
        state |= self._pick(
            [
                {"Resource": LAMBDA, own: {"FunctionName": "f", "Payload": {}}},
                {"Resource": FUNCTION},
            ]
        )
        if self._maybe():
            state |= {"TimeoutSeconds": 60, "HeartbeatSeconds": 5}

    def a_choice(
        self,
        state: dict[str, Json],
        later: list[str],
        language: str,
        _depth: int,
    ) -> None:
        rule = (
            {"Condition": self._pick(_CONDITIONS)}
            if language == "JSONata"
            else dict(self._pick(_RULES))
        )
        state["Choices"] = [{**rule, "Next": self._pick(later)}]
        state["Default"] = later[0]

    def a_wait(
        self,
        state: dict[str, Json],
        _later: list[str],
        language: str,
        _depth: int,
    ) -> None:
        waits = [{"Seconds": 5}, {"Timestamp": "1999-12-31T23:59:59+09:00"}]
        own = (
            {"Seconds": "{% $abs($states.input.n) %}"}
            if language == "JSONata"
            else {"SecondsPath": "$.n"}
        )
        state |= self._pick([*waits, own])

    def a_succeed(
        self,
        state: dict[str, Json],
        _later: list[str],
        language: str,
        _depth: int,
    ) -> None:
        self._shape(state, language)

    def a_fail(
        self,
        state: dict[str, Json],
        _later: list[str],
        language: str,
        _depth: int,
    ) -> None:
        own = (
            {"Error": "{% $states.input.text %}"}
            if language == "JSONata"
            else {"ErrorPath": "$.text"}
        )
        state |= self._pick([{}, {"Error": "Bad", "Cause": "because"}, own])

    def a_parallel(
        self,
        state: dict[str, Json],
        _later: list[str],
        language: str,
        depth: int,
    ) -> None:
        self._shape(state, language)
        state["Branches"] = [self.flow(depth + 1) for _ in range(self._draw(st.integers(1, 2)))]

    def a_map(
        self,
        state: dict[str, Json],
        _later: list[str],
        language: str,
        depth: int,
    ) -> None:
        self._shape(state, language)
        distributed = {"Mode": "DISTRIBUTED", "ExecutionType": self._pick(["STANDARD", "EXPRESS"])}
        config = self._pick(
            [{}, {"ProcessorConfig": {"Mode": "INLINE"}}, {"ProcessorConfig": distributed}]
        )
        state["ItemProcessor"] = {**config, **self.flow(depth + 1)}
        state |= {"Items": [1, 2]} if language == "JSONata" else {"ItemsPath": "$.items"}
        if self._maybe():
            state |= {"MaxConcurrency": 2, "ToleratedFailurePercentage": 50}


_BUILDERS: dict[str, Callable[[_Grammar, dict[str, Json], list[str], str, int], None]] = {
    "Pass": _Grammar.a_pass,
    "Task": _Grammar.a_task,
    "Choice": _Grammar.a_choice,
    "Wait": _Grammar.a_wait,
    "Succeed": _Grammar.a_succeed,
    "Fail": _Grammar.a_fail,
    "Parallel": _Grammar.a_parallel,
    "Map": _Grammar.a_map,
}


def states_of(flow: dict[str, Json], at: str = "") -> Iterator[tuple[str, dict[str, Json]]]:
    """Give every state of a definition, at any depth, with its pointer."""
    for name, state in flow["States"].items():
        pointer = f"{at}/States/{name}"
        yield pointer, state
        for index, branch in enumerate(state.get("Branches", ())):
            yield from states_of(branch, f"{pointer}/Branches[{index}]")
        if "ItemProcessor" in state:
            yield from states_of(state["ItemProcessor"], f"{pointer}/ItemProcessor")
