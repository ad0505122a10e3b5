"""What Step Functions says of a path that leads nowhere; it depends on the field that holds it.

In: the path, its text and field, and the `Env` it was followed in.  Out: the error.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runner.machine.failures import RUNTIME, StateError
from runner.machine.paths import Index, Key, Missing, Path, Root, follow
from runner.machine.shaping import compact

if TYPE_CHECKING:
    from runner.machine.paths import Step
    from runner.machine.templates import Env
    from runner.model.ports import Json

_OF_CHOICE = re.compile(r"Variable|(Boolean|Numeric|String|Timestamp)\w+Path")
_OF_LIBRARY = frozenset({"InputPath", "OutputPath", "TimeoutSecondsPath", "HeartbeatSecondsPath"})
"""Fields whose misses are told in the words of the JSONPath library."""
_OF_WAIT = frozenset({"SecondsPath", "TimestampPath"})


def is_of_choice(field: str) -> bool:
    """Tell whether a field belongs to a rule of a Choice state."""
    return _OF_CHOICE.fullmatch(field) is not None


def not_found(path: Path, text: str, field: str, env: Env) -> StateError:
    """Make the error of a path that a field holds."""
    return StateError(RUNTIME, _told(path, text, field, env))


def _told(path: Path, text: str, field: str, env: Env) -> str:
    if is_of_choice(field):
        told = "The choice state's condition path references an invalid value."
        return f"Invalid path '{text}': {told}"
    if path.root is Root.VARIABLE:
        told = f"The JSONPath '{text}' specified for the field '{field}' references a variable"
        return f"{told} or member that could not be found"
    if path.root is Root.INPUT and field in _OF_LIBRARY:
        return f"Invalid path '{text}' : {_in_the_words_of_the_library(path, text, env.input)}"
    if path.root is Root.INPUT and field in _OF_WAIT:
        return f"The {field} parameter does not reference an input value: {text}"
    value = env.input if path.root is Root.INPUT else env.make_context()
    told = f"The JSONPath '{text}' specified for the field '{field}' could not be found"
    return f"{told} in the input '{compact(value)}'"


def no_argument(path: Path, text: str, env: Env) -> str:
    """Tell that a path leads nowhere which is an intrinsic function's argument.

    A path into the context object is told without its first `$`, and the input is shown all the
    same, as Step Functions does it.
    """
    if path.root is Root.INPUT and path.definite:
        _, step, found = _stopped_at(path, env.input)
        if isinstance(step, Index) and not isinstance(found, list):
            return _only_arrays(step, found)
    shown = text[1:] if path.root is Root.CONTEXT else text
    told = f"The JsonPath argument for the field '{shown}' could not be found in the input"
    return f"{told} '{compact(env.input)}'"


def _in_the_words_of_the_library(path: Path, text: str, value: Json) -> str:
    if not path.definite:
        return f"No results for path: {text}"
    known, step, found = _stopped_at(path, value)
    if isinstance(step, Index):
        return _only_arrays(step, found)
    if isinstance(step, Key) and not isinstance(found, dict):
        told = f"Expected to find an object with property ['{step.name}'] in path {_written(known)}"
        node = f"com.fasterxml.jackson.databind.node.{_NODES[type(found)]}"
        return f"{told} but found '{node}'. {_NO_OBJECT}"
    missed = _written((*known, step))
    last = len(known) + 1 == len(path.steps)
    return f"No results for path: {missed}" if last else f"Missing property in path {missed}"


_NODES = {
    str: "TextNode",
    int: "IntNode",
    float: "DoubleNode",
    bool: "BooleanNode",
    type(None): "NullNode",
    list: "ArrayNode",
}
_NO_OBJECT = (
    "This is not a json object according to the JsonProvider:"
    " 'com.jayway.jsonpath.spi.json.JacksonJsonNodeJsonProvider'."
)


def _only_arrays(step: Index, found: Json) -> str:
    told = f"Filter: [{step.index}] can only be applied to arrays."
    return f"{told} Current context is: {compact(found)}"


def _stopped_at(path: Path, value: Json) -> tuple[tuple[Step, ...], Step, Json]:
    """Give the steps that were found, the step that was not, and what it was applied to."""
    count = 0
    while True:
        step = path.steps[count]
        try:
            value = follow(Path(path.root, "", (step,), definite=True), value)
        except Missing:
            return path.steps[:count], step, value
        count += 1


def _written(steps: tuple[Step, ...]) -> str:
    """Write steps as the library does.

    >>> _written((Key("a"), Index(0)))
    "$['a'][0]"
    """
    parts = ("$", *map(_part, steps))
    return "".join(parts)


def _part(step: Step) -> str:
    if isinstance(step, Key):
        return f"['{step.name}']"
    return f"[{step.index}]" if isinstance(step, Index) else ""
