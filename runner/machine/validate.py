"""Checks a definition as AWS does when it is created, and finds all faults at once.

In: the definition as JSON and the type of machine.  Out: refusals in AWS's words.  Nothing is built
here; parse.py builds from what passed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.machine.care import check_catchers, check_retriers
from runner.machine.choices import check_choices
from runner.machine.definition import Language
from runner.machine.fields import (
    BOTH,
    LONGEST_S,
    PROCESSORS,
    WITH_RESULT,
    Range,
)
from runner.machine.refusals import (
    BAD_STATE_NAME,
    LABEL_TWICE,
    NESTED,
    SCHEMA,
    STATE_TWICE,
    Refusal,
    among,
    escape,
    nowhere,
    one_of,
    refuse,
    required,
    schema,
    unsupported,
)
from runner.machine.resources import check_express, check_resource
from runner.machine.shapes import (
    check_number,
    check_timestamp,
    wrong_type,
)
from runner.machine.state_fields import check_fields
from runner.machine.targets import check_targets
from runner.machine.templates import is_expression
from runner.machine.variables import assigned_names, check_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_NAME = 80
MAX_BYTES = 1_048_576
MAX_LEVELS = 250
"""Levels of objects and arrays; an inner flow takes four."""
NOT_JSON = "Definition must be a valid JSON object"
_FLOW_FIELDS = frozenset({"StartAt", "States", "Comment"})
_TOP_FIELDS = _FLOW_FIELDS | {"QueryLanguage", "TimeoutSeconds", "Version"}
_PROCESSOR_FIELDS = _FLOW_FIELDS | {"ProcessorConfig"}
_ENDLESS = frozenset({"Choice", "Succeed", "Fail"})
_WAITS = ("SecondsPath", "Seconds", "TimestampPath", "Timestamp")
_LANGUAGES = ("JSONPath", "JSONata")
_DOWNGRADE = "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine"
_NOBODY: frozenset[str] = frozenset()
_CONTAINERS = frozenset({dict, list})

Json = Any


def find_refusals(source: Json, *, express: bool, any_resource: bool = False) -> list[Refusal]:
    """Find everything that AWS would refuse in a definition, in AWS's words.

    With `any_resource` a task's resource may be any text, and its arguments are left to the
    service that it names.
    """
    if not isinstance(source, dict):
        return [nowhere(SCHEMA, NOT_JSON, "a JSON object")]
    if _is_deep(source):
        told = f"at most {MAX_LEVELS} levels of objects and arrays"
        return [nowhere(NESTED, "The states are too deeply nested", told)]
    return _Check(source, express=express, any_resource=any_resource).refusals()


def _is_deep(source: Json) -> bool:
    """Tell whether a value has more levels than the calls that walk it can have."""
    level = [source]
    for _ in range(MAX_LEVELS):
        level = [
            inner
            for part in level
            for inner in (part.values() if type(part) is dict else part)
            if type(inner) in _CONTAINERS
        ]
        if not level:
            return False
    return True


class _Check:
    """One walk over a definition."""

    def __init__(self, source: Mapping[str, Json], *, express: bool, any_resource: bool) -> None:
        self._source = source
        self._express = express
        self._any_resource = any_resource
        self._top = self._language(source.get("QueryLanguage", "JSONPath"))
        self._names: set[str] = set()
        self._labels: set[str] = set()
        self._variables: dict[int, frozenset[str]] = {}

    def refusals(self) -> list[Refusal]:
        source = self._source
        found = list(self._flow(source, "", _TOP_FIELDS, _NOBODY))
        if "TimeoutSeconds" in source:
            wrong = check_number(source["TimeoutSeconds"], Range(0, LONGEST_S), "/TimeoutSeconds")
            found += [wrong] if wrong else []
        if source.get("Version", "1.0") != "1.0":
            found.append(among("/Version", ["1.0"]))
        found += self._query_language(source, "")
        return found

    @staticmethod
    def _language(name: Json) -> Language:
        """Give the language of a name: what is not JSONPath to the letter counts as JSONata."""
        return Language.JSONPATH if name == "JSONPath" else Language.JSONATA

    @staticmethod
    def _query_language(part: Mapping[str, Json], at: str) -> Iterator[Refusal]:
        name = part.get("QueryLanguage", "JSONPath")
        if not isinstance(name, str):
            yield wrong_type(f"{at}/QueryLanguage", "STRING")
        elif name not in _LANGUAGES:
            yield among(f"{at}/QueryLanguage", _LANGUAGES)

    def _flow(
        self, flow: Mapping[str, Json], at: str, known: frozenset[str], outer: frozenset[str]
    ) -> Iterator[Refusal]:
        for name in flow:
            if name not in known:
                yield unsupported(at, name, ", ".join(sorted(known)))
        missing = [name for name in ("StartAt", "States") if name not in flow]
        if missing:
            yield required(at, *missing)
        if not isinstance(flow.get("StartAt", ""), str):
            yield wrong_type(f"{at}/StartAt", "STRING")
        if not isinstance(flow.get("Comment", ""), str):
            yield wrong_type(f"{at}/Comment", "STRING")
        states = flow.get("States")
        if not isinstance(states, dict):
            if "States" in flow:
                yield wrong_type(f"{at}/States", "OBJECT")
            return
        if not states:
            yield schema(f"{at}/States", "Value cannot be empty", "at least one state")
        for name, state in states.items():
            pointer = f"{at}/States/{escape(name)}"
            yield from self._name(name, pointer)
            yield from self._state(state, pointer, outer, states)
        yield from check_targets(flow, at)

    def _name(self, name: str, at: str) -> Iterator[Refusal]:
        if not 0 < len(name) <= MAX_NAME:
            told = f"The state name '{name}' exceeds the {MAX_NAME}-character limit"
            told = f"{told} allowed by the service" if name else "The state name is empty"
            yield refuse(BAD_STATE_NAME, at, told, f"1 to {MAX_NAME} characters")
        if name in self._names:
            yield refuse(STATE_TWICE, at, f"Duplicate State name: {name}", "a unique name")
        self._names.add(name)

    def _state(
        self, state: Json, at: str, outer: frozenset[str], siblings: Mapping[str, Json]
    ) -> Iterator[Refusal]:
        if not isinstance(state, dict):
            yield wrong_type(at, "OBJECT")
            return
        kind = state.get("Type")
        if not isinstance(kind, str) or kind not in BOTH:
            if "Type" not in state:
                yield required(at, "Type")
            else:
                yield among(f"{at}/Type", BOTH)
            return
        language = self._top
        if "QueryLanguage" in state:
            language = self._language(state["QueryLanguage"])
            yield from self._query_language(state, at)
        downgraded = self._top is Language.JSONATA and language is Language.JSONPATH
        if downgraded:
            yield schema(f"{at}/QueryLanguage", _DOWNGRADE, "JSONata", within=at)
        yield from check_fields(state, at, language, downgraded=downgraded)
        yield from self._transition(state, kind, at)
        if "Assign" in state:
            yield from check_names(state["Assign"], f"{at}/Assign", language, outer)
        yield from self._parts(state, kind, at, language, outer)
        if kind in {"Parallel", "Map"}:
            yield from self._flows(state, kind, at, outer | self._assigned(siblings))

    def _assigned(self, states: Mapping[str, Json]) -> frozenset[str]:
        if id(states) not in self._variables:
            self._variables[id(states)] = assigned_names(states)
        return self._variables[id(states)]

    @staticmethod
    def _transition(state: Mapping[str, Json], kind: str, at: str) -> Iterator[Refusal]:
        if kind in _ENDLESS:
            return
        if "Next" in state and "End" in state:
            yield one_of(at, ("Next", "End"), given=2)
        elif "Next" not in state and state.get("End") is not True:
            yield one_of(at, ("Next", "End"), given=0)

    def _parts(
        self,
        state: Mapping[str, Json],
        kind: str,
        at: str,
        language: Language,
        outer: frozenset[str],
    ) -> Iterator[Refusal]:
        if kind in WITH_RESULT:
            if "Retry" in state:
                yield from check_retriers(state["Retry"], f"{at}/Retry")
            if "Catch" in state:
                yield from check_catchers(state["Catch"], f"{at}/Catch", language, outer)
        if kind == "Task":
            yield from check_resource(state, at, language, any_resource=self._any_resource)
            if self._express:
                yield from check_express(state.get("Resource"), f"{at}/Resource")
        elif kind == "Choice":
            yield from check_choices(state, at, language, outer)
        elif kind == "Wait":
            yield from self._wait(state, at, language)
        elif kind == "Map":
            from runner.machine.map_checks import check_map  # noqa: PLC0415  (not every machine)

            yield from check_map(state, at, language, express=self._express)
            yield from self._label(state.get("Label"), at)

    def _label(self, label: Json, at: str) -> Iterator[Refusal]:
        if not isinstance(label, str):
            return
        if label in self._labels:
            told = f"Duplicate Label name: {label}"
            yield refuse(LABEL_TWICE, f"{at}/Label", told, "a label that no other Map has")
        self._labels.add(label)

    @staticmethod
    def _wait(state: Mapping[str, Json], at: str, language: Language) -> Iterator[Refusal]:
        given = sum(name in state for name in _WAITS)
        if given != 1:
            yield one_of(at, _WAITS, given=given)
        instant = state.get("Timestamp")
        if isinstance(instant, str) and not (
            language is Language.JSONATA and is_expression(instant)
        ):
            found = check_timestamp(instant, f"{at}/Timestamp")
            if found:
                yield found

    def _flows(
        self, state: Mapping[str, Json], kind: str, at: str, outer: frozenset[str]
    ) -> Iterator[Refusal]:
        """Check the flows inside a state; they have the machine's language, not the state's."""
        if kind == "Map":
            for name in PROCESSORS:
                processor = state.get(name)
                if isinstance(processor, dict):
                    around = _NOBODY if _is_distributed(processor) else outer
                    yield from self._flow(processor, f"{at}/{name}", _PROCESSOR_FIELDS, around)
            return
        if "Branches" not in state:
            yield required(at, "Branches")
            return
        branches = state["Branches"]
        if branches == []:
            yield schema(f"{at}/Branches", "Value cannot be empty", "at least one branch")
        for index, branch in enumerate(branches if isinstance(branches, list) else ()):
            pointer = f"{at}/Branches[{index}]"
            if isinstance(branch, dict):
                yield from self._flow(branch, pointer, _FLOW_FIELDS, outer)
            else:
                yield wrong_type(pointer, "OBJECT")


def _is_distributed(processor: Mapping[str, Json]) -> bool:
    config = processor.get("ProcessorConfig")
    return isinstance(config, dict) and config.get("Mode") == "DISTRIBUTED"
