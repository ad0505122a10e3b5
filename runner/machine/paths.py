"""JSONPath as Step Functions reads it: compiled from text, evaluated on JSON.

In: the text of a path (`$.a[0]`, `$$.Execution.Id`, `$variable.b[*]`).  Out: where it starts and
its steps; evaluated, one value for a definite path, a list for one that may find several.

Step Functions evaluates paths with Jayway's JsonPath on Jackson's tree, whose habits are kept:
several names give one object of these members, a filter tests an object itself and an array's
items, `$` in a filter is the whole document, an array's step on something else is a miss, and
an index behind an array's end finds nothing where it matters and null elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from types import NoneType
from typing import TYPE_CHECKING, TypeAlias, assert_never

from runner.machine import path_filters
from runner.machine.path_filters import Filter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from runner.model.ports import Json


class BadPath(ValueError):
    """The text is not a path."""


class Missing(LookupError):
    """A path leads nowhere."""


class PastEnd(Missing):
    """A path leads to an item behind an array's end."""


class Root(Enum):
    """Where a path starts."""

    INPUT = auto()
    CONTEXT = auto()
    VARIABLE = auto()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Key:
    """One member of an object."""

    name: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Index:
    """One item of an array; negative counts from the end."""

    index: int


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Every:
    """All members or items."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Slice:
    """A range of items."""

    start: int | None
    end: int | None
    step: int | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Several:
    """Some members or items by name or index."""

    keys: tuple[str | int, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Merged:
    """An object of some members, by name."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Deep:
    """The value and everything below it."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Function:
    """A function of what the steps before it find; only the size of a container is known."""

    name: str


Finder: TypeAlias = Key | Index | Every | Slice | Several | Merged | Deep | Filter
Step: TypeAlias = Finder | Function


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Path:
    """A compiled path."""

    root: Root
    variable: str
    steps: tuple[Step, ...]
    definite: bool


_HEAD = re.compile(r"\$(\$|[A-Za-z_]\w*)?")
_FUNCTION = re.compile(r"\.([A-Za-z]\w*)\([^()]*\)")
_DOTTED = re.compile(r"""\.([^\s.\[\](),'"*?!=<>&|]+)""")
_NAMES = re.compile(
    r"""\[\s*((?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
    r"""(?:\s*,\s*(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"))*)\s*\]"""
)
_NAME = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)\"""")
_INDEXES = re.compile(r"\[\s*(-?\d{1,20}(?:\s*,\s*-?\d{1,20})*)\s*\]")
_SLICE = re.compile(r"\[\s*(-?\d{1,20})?\s*:\s*(-?\d{1,20})?\s*(?::\s*(-?\d{1,20})?)?\s*\]")
_MOST_FILTERS = 20
_EVERY = re.compile(r"\.\*|\[\s*\*\s*\]")


def parse_path(text: str) -> Path:
    """Read a whole path; raises BadPath."""
    if text.count("[?") > _MOST_FILTERS:
        raise BadPath(text)
    path, end = scan_path(text, 0)
    if text[end:].strip(" "):
        raise BadPath(text)
    return path


def scan_path(text: str, start: int) -> tuple[Path, int]:
    """Read a path that begins at a position; give it and the position behind it."""
    head = _HEAD.match(text, start)
    if head is None:
        raise BadPath(text)
    name = head[1]
    root = Root.INPUT if not name else Root.CONTEXT if name == "$" else Root.VARIABLE
    steps, position = scan_steps(text, head.end())
    definite = all(isinstance(step, (Key, Index)) for step in steps[:-1])
    definite = definite and isinstance(steps[-1] if steps else None, (Key, Index, Merged, NoneType))
    return Path(root, name or "", steps, definite), position


def scan_steps(text: str, position: int) -> tuple[tuple[Step, ...], int]:
    """Read the steps that follow a position."""
    steps: list[Step] = []
    while position < len(text) and text[position] in ".[":
        if steps and isinstance(steps[-1], Function):
            raise BadPath(text)
        if text.startswith("..", position):
            steps.append(Deep())
            position += 1
        if text.startswith(".[", position):
            position += 1
        step, position = _scan_step(text, position)
        steps.append(step)
    if steps and isinstance(steps[-1], Several) and isinstance(steps[-1].keys[0], str):
        steps[-1] = Merged(tuple(str(key) for key in steps[-1].keys))
    return tuple(steps), position


def _scan_step(text: str, position: int) -> tuple[Step, int]:
    if text.startswith("[?", position):
        return path_filters.scan_filter(text, position)
    for pattern, make in _STEPS:
        match = pattern.match(text, position)
        if match is not None:
            return make(match), match.end()
    raise BadPath(text)


def _named(match: re.Match[str]) -> Step:
    found = [single or double for single, double in _NAME.findall(match[1])]
    names = tuple(re.sub(r"\\(.)", r"\1", name) for name in found)
    return Key(names[0]) if len(names) == 1 else Several(names)


def _indexed(match: re.Match[str]) -> Step:
    indexes = tuple(int(part) for part in match[1].split(","))
    return Index(indexes[0]) if len(indexes) == 1 else Several(indexes)


def _sliced(match: re.Match[str]) -> Step:
    start, end, step = (int(part) if part else None for part in match.groups())
    return Slice(start, end, step)


_STEPS = (
    (_EVERY, lambda _match: Every()),
    (_FUNCTION, lambda match: Function(match[1])),
    (_DOTTED, lambda match: Key(match[1])),
    (_NAMES, _named),
    (_INDEXES, _indexed),
    (_SLICE, _sliced),
)


def is_path(text: str) -> bool:
    """Tell whether a text is a path."""
    try:
        parse_path(text)
    except BadPath:
        return False
    return True


def is_reference(text: str) -> bool:
    """Tell whether a text is a reference path: keys and indexes below `$`."""
    try:
        path = parse_path(text)
    except BadPath:
        return False
    return path.root is Root.INPUT and all(isinstance(step, (Key, Index)) for step in path.steps)


def reference_steps(text: str) -> tuple[str | int, ...]:
    """Give the keys and indexes of a reference path.

    >>> reference_steps("$.a[0]['b c']")
    ('a', 0, 'b c')
    """
    steps = parse_path(text).steps
    return tuple(
        step.name if isinstance(step, Key) else step.index
        for step in steps
        if isinstance(step, (Key, Index))
    )


def follow(path: Path, value: Json) -> Json:
    """Evaluate a path on the value of its root; raises Missing."""
    steps = path.steps
    if path.definite:
        for step in steps:
            value = _single(step, value)
        return value
    if isinstance(steps[-1], Function):
        inner = Path(path.root, path.variable, steps[:-1], all(map(_is_single, steps[:-1])))
        return _size(steps[-1], follow(inner, value))
    return list(find(steps, value, value))


def _is_single(step: Step) -> bool:
    return isinstance(step, (Key, Index))


def _single(step: Step, value: Json) -> Json:
    if isinstance(step, Key):
        if isinstance(value, dict) and step.name in value:
            return value[step.name]
    elif isinstance(step, Index):
        if isinstance(value, list):
            if -len(value) <= step.index < len(value):
                return value[step.index]
            raise PastEnd
    elif isinstance(step, Merged) and isinstance(value, dict):
        return {name: value[name] for name in step.names if name in value}
    raise Missing


def _size(function: Function, value: Json) -> Json:
    """Give the length of an array or object: all that Step Functions has of such functions."""
    if function.name in {"length", "size"} and isinstance(value, (list, dict)):
        return len(value)
    raise Missing


def find(steps: tuple[Step, ...], value: Json, root: Json) -> Iterable[Json]:
    """Find every value that the steps lead to, in a document; raises Missing.

    A member that is not there is no miss of a path that may find several, but a step of an array
    is one when it is the first that may find several, and meets something else.
    """
    values: list[Json] = [value]
    definite, before = True, None
    for step in steps:
        if definite and values and not _suits(step, values[0]):
            raise Missing
        if isinstance(step, Function):
            return [_size(step, _alone(values) if definite else values)]
        if isinstance(step, Filter) and isinstance(before, Deep):
            values = [one for one in values if isinstance(one, dict)]
        values = [found for one in values for found in _take(step, one, root)]
        definite, before = definite and _is_single(step), step
    return values


def _alone(values: list[Json]) -> Json:
    if not values:
        raise Missing
    return values[0]


def _suits(step: Step, value: Json) -> bool:
    if isinstance(step, Filter):
        return isinstance(value, (list, dict))
    return isinstance(value, list) or not isinstance(step, (Index, Slice, Several))


def _take(step: Finder, value: Json, root: Json) -> Iterable[Json]:
    match step:
        case Key() | Index() | Merged():
            return _at(step, value)
        case Every():
            return _members(value)
        case Slice() | Several():
            return _items(step, value)
        case Deep():
            return _descend(value)
        case Filter():
            candidates = [value] if isinstance(value, dict) else _members(value)
            return [one for one in candidates if path_filters.holds(step, one, root)]
        case _:
            assert_never(step)


def _at(step: Key | Index | Merged, value: Json) -> Iterable[Json]:
    if isinstance(step, Merged) and not any(name in _members_by_name(value) for name in step.names):
        return ()
    try:
        return (_single(step, value),)
    except Missing:
        return ()


def _members_by_name(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _items(step: Slice | Several, value: Json) -> Iterable[Json]:
    if isinstance(step, Several):
        return [
            found
            for key in step.keys
            for found in _at(Key(key) if isinstance(key, str) else Index(key), value)
        ]
    if not isinstance(value, list):
        return ()
    return value[slice(step.start, step.end, step.step or None)]


def _members(value: Json) -> Iterable[Json]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _descend(value: Json) -> Iterator[Json]:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        yield one
        below = [member for member in _members(one) if isinstance(member, (dict, list))]
        waiting.extend(reversed(below))
