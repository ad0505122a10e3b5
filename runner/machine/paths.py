"""JSONPath as Step Functions reads it: compiled from text, evaluated on JSON.

In: the text of a path (`$.a[0]`, `$$.Execution.Id`, `$variable.b[*]`).  Out: where it starts and
its steps; evaluated, one value for a definite path, a list for one that may find several.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, TypeAlias, assert_never

from runner.machine import path_filters
from runner.machine.path_filters import Filter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from runner.model.ports import Json


class BadPath(ValueError):
    """The text is not a path."""


class Missing(LookupError):
    """A definite path leads nowhere."""


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
class Deep:
    """The value and everything below it."""


Step: TypeAlias = Key | Index | Every | Slice | Several | Deep | Filter


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Path:
    """A compiled path."""

    root: Root
    variable: str
    steps: tuple[Step, ...]
    definite: bool


_HEAD = re.compile(r"\$(\$|[A-Za-z_]\w*)?")
_DOTTED = re.compile(r"""\.([^\s.\[\](),'"*?!=<>&|]+)""")
_NAMES = re.compile(
    r"""\[\s*((?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
    r"""(?:\s*,\s*(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"))*)\s*\]"""
)
_NAME = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)\"""")
_INDEXES = re.compile(r"\[\s*(-?\d+(?:\s*,\s*-?\d+)*)\s*\]")
_SLICE = re.compile(r"\[\s*(-?\d+)?\s*:\s*(-?\d+)?\s*(?::\s*(-?\d+)?)?\s*\]")
_EVERY = re.compile(r"\.\*|\[\s*\*\s*\]")


def parse_path(text: str) -> Path:
    """Read a whole path; raises BadPath."""
    path, end = scan_path(text, 0)
    if end != len(text):
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
    definite = all(isinstance(step, (Key, Index)) for step in steps)
    return Path(root, name or "", steps, definite), position


def scan_steps(text: str, position: int) -> tuple[tuple[Step, ...], int]:
    """Read the steps that follow a position."""
    steps: list[Step] = []
    while position < len(text) and text[position] in ".[":
        if text.startswith("..", position):
            steps.append(Deep())
            position += 1 if text[position + 2 : position + 3] != "[" else 2
        step, position = _scan_step(text, position)
        steps.append(step)
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
    return path.root is Root.INPUT and path.definite


def reference_steps(text: str) -> tuple[str | int, ...]:
    """Give the keys and indexes of a reference path.

    >>> reference_steps("$.a[0]['b c']")
    ('a', 0, 'b c')
    """
    steps: list[str | int] = []
    for step in parse_path(text).steps:
        if isinstance(step, Key):
            steps.append(step.name)
        elif isinstance(step, Index):
            steps.append(step.index)
    return tuple(steps)


def follow(path: Path, value: Json) -> Json:
    """Evaluate a path on the value of its root; raises Missing for a definite path."""
    if path.definite:
        for step in path.steps:
            value = _single(step, value)
        return value
    return list(find(path.steps, value))


def _single(step: Step, value: Json) -> Json:
    if isinstance(step, Key) and isinstance(value, dict) and step.name in value:
        return value[step.name]
    if isinstance(step, Index) and isinstance(value, list) and _inside(step.index, value):
        return value[step.index]
    raise Missing


def _inside(index: int, items: list[Json]) -> bool:
    return -len(items) <= index < len(items)


def find(steps: tuple[Step, ...], value: Json) -> Iterable[Json]:
    """Find every value that the steps lead to."""
    values: Iterable[Json] = (value,)
    for step in steps:
        values = [found for one in values for found in _take(step, one)]
    return values


def _take(step: Step, value: Json) -> Iterator[Json]:
    match step:
        case Key() | Index():
            try:
                yield _single(step, value)
            except Missing:
                return
        case Every():
            yield from _members(value)
        case Slice():
            if isinstance(value, list):
                yield from value[slice(step.start, step.end, step.step or None)]
        case Several():
            for key in step.keys:
                yield from _take(Key(key) if isinstance(key, str) else Index(key), value)
        case Deep():
            yield from _descend(value)
        case Filter():
            yield from (one for one in _members(value) if path_filters.holds(step, one, value))
        case _:
            assert_never(step)


def _members(value: Json) -> Iterable[Json]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _descend(value: Json) -> Iterator[Json]:
    yield value
    for member in _members(value):
        if isinstance(member, (dict, list)):
            yield from _descend(member)
