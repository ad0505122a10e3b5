"""Checks a definition as AWS does when it is created, and finds all faults at once.

In: the definition as JSON and the type of machine.  Out: faults whose places are JSON pointers.
Nothing is built here; parse.py builds from what passed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.machine.care import check_catchers, check_retriers
from runner.machine.choices import check_choices
from runner.machine.definition import Language
from runner.machine.failures import definition_fault
from runner.machine.fields import BOTH, EXCLUSIVE, Shape, fields_of, is_foreign
from runner.machine.shapes import check_payloads, fits
from runner.machine.targets import check_targets
from runner.machine.templates import is_expression
from runner.machine.waits import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.errors import Fault

MAX_NAME = 80
MAX_BYTES = 1_048_576
NOT_JSON = "Definition must be a valid JSON object"
_FLOW_FIELDS = frozenset({"StartAt", "States", "Comment"})
_TOP_FIELDS = _FLOW_FIELDS | {"QueryLanguage", "TimeoutSeconds", "Version"}
_PROCESSOR_FIELDS = _FLOW_FIELDS | {"ProcessorConfig", "QueryLanguage"}
_ENDLESS = frozenset({"Choice", "Succeed", "Fail"})
_LANGUAGES = frozenset({"JSONPath", "JSONata"})
_DOWNGRADE = "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine"

Json = Any


def find_faults(source: Json, *, express: bool) -> list[Fault]:
    """Find everything that AWS would refuse in a definition."""
    if not isinstance(source, dict):
        return [_schema("", NOT_JSON)]
    return _Check(source, express=express).faults()


def _schema(pointer: str, found: str, expected: str = "a valid definition") -> Fault:
    return definition_fault(pointer, found, expected, "definition-schema")


def escape(name: str) -> str:
    """Write a key as a part of a JSON pointer.

    >>> escape("a/b")
    'a~1b'
    """
    return name.replace("~", "~0").replace("/", "~1")


class _Check:
    """One walk over a definition."""

    def __init__(self, source: Mapping[str, Json], *, express: bool) -> None:
        self._source = source
        self._express = express
        self._names: dict[str, str] = {}
        self._known: dict[tuple[str, Language], Mapping[str, Shape]] = {}

    def faults(self) -> list[Fault]:
        language = self._source.get("QueryLanguage", "JSONPath")
        found = list(self._flow(self._source, "", _TOP_FIELDS, self._language(language)))
        timeout = self._source.get("TimeoutSeconds")
        if "TimeoutSeconds" in self._source and not fits(timeout, Shape.COUNT, Language.JSONPATH):
            found.append(_schema("/TimeoutSeconds", f"{timeout!r}", "a whole number of seconds"))
        if self._source.get("Version", "1.0") != "1.0":
            found.append(_schema("/Version", f"{self._source['Version']!r}", "1.0"))
        if language not in _LANGUAGES:
            found.append(_schema("/QueryLanguage", f"{language!r}", "JSONata or JSONPath"))
        return found

    def _language(self, name: Json) -> Language:
        return Language.JSONATA if name == "JSONata" else Language.JSONPATH

    def _flow(
        self, flow: Mapping[str, Json], at: str, known: frozenset[str], language: Language
    ) -> Iterator[Fault]:
        for name in flow:
            if name not in known:
                yield _schema(f"{at}/{escape(name)}", f"The field '{name}' is not supported")
        for name in ("StartAt", "States"):
            if name not in flow:
                yield _schema(at, f"The field '{name}' is required but was missing")
        states = flow.get("States")
        if not isinstance(states, dict):
            if "States" in flow:
                yield _schema(f"{at}/States", "The field 'States' is not an object", "states")
            return
        if not states:
            yield _schema(f"{at}/States", "There are no states", "at least one state")
        for name, state in states.items():
            pointer = f"{at}/States/{escape(name)}"
            yield from self._name(name, pointer)
            yield from self._state(state, pointer, language)
        yield from check_targets(flow, at)

    def _name(self, name: str, at: str) -> Iterator[Fault]:
        if not 0 < len(name) <= MAX_NAME:
            yield _schema(at, f"a name of {len(name)} characters", f"1 to {MAX_NAME} characters")
        if name in self._names:
            yield _schema(at, f"The state name '{name}' is used twice", "a unique state name")
        self._names[name] = at

    def _state(self, state: Json, at: str, outer: Language) -> Iterator[Fault]:
        if not isinstance(state, dict):
            yield _schema(at, "The state is not an object", "a state")
            return
        kind = state.get("Type")
        if not isinstance(kind, str) or kind not in BOTH:
            told = "is required but was missing" if kind is None else f"has the value {kind!r}"
            yield _schema(f"{at}/Type", f"The field 'Type' {told}", "one of " + ", ".join(BOTH))
            return
        own = state.get("QueryLanguage", outer.value)
        if own not in _LANGUAGES:
            yield _schema(f"{at}/QueryLanguage", f"{own!r}", "JSONata or JSONPath")
        language = self._language(own)
        top = self._language(self._source.get("QueryLanguage"))
        if top is Language.JSONATA and language is Language.JSONPATH:
            yield _schema(at, _DOWNGRADE, "JSONata")
        yield from self._fields(state, kind, at, language)
        yield from self._transition(state, kind, at)
        yield from self._parts(state, kind, at, language)

    def _fields(
        self, state: Mapping[str, Json], kind: str, at: str, language: Language
    ) -> Iterator[Fault]:
        known = self._known.get((kind, language))
        if known is None:
            known = self._known[kind, language] = fields_of(kind, language)
        for name, value in state.items():
            shape = known.get(name)
            if shape is None:
                told = f"The field '{name}' is not supported"
                if is_foreign(kind, name, language):
                    told = f"{told} when the query language is {language.value}"
                yield _schema(f"{at}/{escape(name)}", told, "a field of a " + kind + " state")
            elif not fits(value, shape, language):
                expected = f"{shape.name.lower()} for {name}"
                yield _schema(f"{at}/{escape(name)}", f"{value!r}"[:200], expected)
        if language is Language.JSONPATH:
            yield from check_payloads(state, kind, at)
        for one, other in EXCLUSIVE:
            if one in state and other in state:
                yield _schema(at, f"both '{one}' and '{other}'", "one of them")

    def _transition(self, state: Mapping[str, Json], kind: str, at: str) -> Iterator[Fault]:
        if kind in _ENDLESS:
            return
        if "Next" in state and "End" in state:
            yield _schema(at, "both 'Next' and 'End'", "one of them")
        if "Next" not in state and state.get("End") is not True:
            yield _schema(at, "neither 'Next' nor 'End': true", "exactly one of them")

    def _parts(
        self, state: Mapping[str, Json], kind: str, at: str, language: Language
    ) -> Iterator[Fault]:
        if "Retry" in state:
            yield from check_retriers(state["Retry"], f"{at}/Retry", language)
        if "Catch" in state:
            yield from check_catchers(state["Catch"], f"{at}/Catch", language)
        if kind == "Task":
            yield from self._task(state, at)
        elif kind == "Choice":
            yield from check_choices(state, at, language)
        elif kind == "Wait":
            yield from self._wait(state, at)
        elif kind == "Parallel":
            yield from self._branches(state, at)
        elif kind == "Map":
            yield from self._processor(state, at)

    def _task(self, state: Mapping[str, Json], at: str) -> Iterator[Fault]:
        resource = state.get("Resource")
        if not isinstance(resource, str):
            yield _schema(at, "The field 'Resource' is required but was missing", "an ARN")
            return
        credentials = state.get("Credentials", {"RoleArn": ""})
        if isinstance(credentials, dict) and not {"RoleArn", "RoleArn.$"} & credentials.keys():
            told = "The field 'RoleArn' is required but was missing"
            yield _schema(f"{at}/Credentials", told, "the ARN of a role")
        if self._express:
            yield from self._express_task(resource, f"{at}/Resource")

    def _express_task(self, resource: str, at: str) -> Iterator[Fault]:
        if ":activity:" in resource:
            yield _schema(at, "Express state machine does not support Activity ARN")
        _, dot, pattern = resource.rpartition(".")
        pattern = pattern.partition(":")[0]
        if dot and pattern in {"sync", "waitForTaskToken"}:
            # AWS's text ends in a blank.
            told = f"Express state machine does not support '.{pattern}' service integration "
            yield _schema(at, told)

    def _wait(self, state: Mapping[str, Json], at: str) -> Iterator[Fault]:
        given = {"Seconds", "Timestamp", "SecondsPath", "TimestampPath"} & state.keys()
        if len(given) != 1:
            told = f"{len(given)} of Seconds, Timestamp, SecondsPath, TimestampPath"
            yield _schema(at, told, "exactly one of them")
        instant = state.get("Timestamp")
        is_text = isinstance(instant, str) and not is_expression(instant)
        if is_text and parse_timestamp(instant) is None:
            yield _schema(f"{at}/Timestamp", f"{instant!r}", "an instant with an offset")

    def _branches(self, state: Mapping[str, Json], at: str) -> Iterator[Fault]:
        branches = state.get("Branches")
        if not isinstance(branches, list) or not branches:
            yield _schema(f"{at}/Branches", "Value cannot be empty", "at least one branch")
            return
        language = self._inner_language()
        for index, branch in enumerate(branches):
            pointer = f"{at}/Branches[{index}]"
            if isinstance(branch, dict):
                own = self._language(branch.get("QueryLanguage", language.value))
                yield from self._flow(branch, pointer, _PROCESSOR_FIELDS, own)
            else:
                yield _schema(pointer, "The branch is not an object", "states")

    def _processor(self, state: Mapping[str, Json], at: str) -> Iterator[Fault]:
        name = "Iterator" if "Iterator" in state else "ItemProcessor"
        processor = state.get(name)
        if not isinstance(processor, dict):
            yield _schema(at, "The field 'ItemProcessor' is required but was missing", "states")
            return
        own = self._language(processor.get("QueryLanguage", self._inner_language().value))
        yield from self._flow(processor, f"{at}/{name}", _PROCESSOR_FIELDS, own)

    def _inner_language(self) -> Language:
        """Give the language of flows inside states: the machine's, not the outer state's."""
        return self._language(self._source.get("QueryLanguage"))
