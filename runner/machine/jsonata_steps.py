"""A matcher of regular expressions that counts its steps.

In: a pattern that `re` accepts.  Out: a program that searches a text like `re` does (the first
alternative wins, repeats are greedy or not), and pays for every step, so that a pattern like
`(a+)+b` ends in LimitExceeded where `re` would run for ever.
"""

from __future__ import annotations

import math
from importlib import import_module
from re import IGNORECASE, MULTILINE
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.machine.jsonata_meter import Meter
    from runner.machine.jsonata_text import Value

_parser: Value = import_module("re._parser")
sre: Value = import_module("re._constants")

_COST = 16
_MOST_CODE = 20_000
_MANY = 16
"""A repeat that may vary by more than this counts as one of any length."""

_NO_BOUND = float("inf")
_MOST_WAYS = 1e18
_MOST_POWER = 40.0  # what is above is far too long, and no double

Test: TypeAlias = "Callable[[str], bool]"
Spans: TypeAlias = tuple[int, ...]


class Risk(NamedTuple):
    """How long a search may take: a power of the text's length, times a number of ways."""

    power: float
    ways: float

    def bound(self, size: int) -> float:
        """Bound the steps of a search in a text."""
        return math.pow(max(size, 2), min(self.power + 1, _MOST_POWER)) * self.ways


def risk_of(pattern: str, flags: int) -> Risk:
    """Judge a pattern: repeats of any length multiply, and one inside another has no bound."""
    return _risk(_parser.parse(pattern, flags))


def _risk(tree: Value) -> Risk:
    power, ways = 0.0, 1.0
    for kind, value in tree:
        part = _part(kind, value)
        power, ways = power + part.power, ways * part.ways
    return Risk(power, min(ways, _MOST_WAYS))


def _part(kind: Value, value: Value) -> Risk:
    if kind in {sre.MAX_REPEAT, sre.MIN_REPEAT}:
        least, most, inner = value
        if most > 1 and (_risk(inner).power or _choices(inner)):
            return Risk(_NO_BOUND, 1.0)
        inside, varies = _risk(inner), int(most) - least
        long = varies > _MANY
        return Risk(inside.power + long, inside.ways * (1 if long else varies + 1))
    if kind is sre.BRANCH:
        branches = [_risk(branch) for branch in value[1]]
        return Risk(max(one.power for one in branches), sum(one.ways for one in branches))
    if kind is sre.SUBPATTERN:
        return _risk(value[3])
    if kind in {sre.ASSERT, sre.ASSERT_NOT}:
        return _risk(value[1])
    return Risk(_NO_BOUND if kind is sre.GROUPREF else 0.0, 1.0)


def _choices(tree: Value) -> int:
    """Count what can match in several ways; inside a repeat they multiply."""
    count = 0
    for kind, value in tree:
        if kind is sre.BRANCH:
            count += 1
        elif kind in {sre.MAX_REPEAT, sre.MIN_REPEAT}:
            count += value[0] != value[1]
            count += _choices(value[2])
        elif kind is sre.SUBPATTERN:
            count += _choices(value[3])
    return count


class Program:
    """Instructions: (name, argument, argument), the last of which is `match`."""

    def __init__(self, flags: int) -> None:
        """Start without instructions."""
        self.code: list[tuple[str, Value, Value]] = []
        self.flags = flags
        self.groups = 0

    def emit(self, name: str, first: Value = None, second: Value = None) -> int:
        """Add an instruction."""
        if len(self.code) > _MOST_CODE:
            raise OverflowError("the pattern is too long")
        self.code.append((name, first, second))
        return len(self.code) - 1

    def search(self, text: str, position: int, meter: Meter) -> Spans | None:
        """Find the first match from a position on: starts and ends of it and of its groups."""
        for start in range(position, len(text) + 1):
            spans = self.match(text, start, meter)
            if spans is not None:
                return spans
        return None

    def match(self, text: str, start: int, meter: Meter) -> Spans | None:
        """Match at one position."""
        saved: Spans = (start, -1) + (-1,) * (2 * self.groups)
        waiting: list[tuple[int, int, Spans]] = [(0, start, saved)]
        while waiting:
            counter, at, spans = waiting.pop()
            while counter >= 0:
                meter.charge(_COST)
                name, first, second = self.code[counter]
                if name == "match":
                    return (spans[0], at, *spans[2:])
                if name == "split":
                    waiting.append((second, at, spans))
                    counter = first
                else:
                    here = _Here(self, counter, at, spans, text, meter)
                    counter, at, spans = _STEPS[name](here, first, second)
        return None


class _Here(NamedTuple):
    """Where a match stands."""

    program: Program
    counter: int
    at: int
    spans: Spans
    text: str
    meter: Meter

    def go(self, passed: object) -> _Next:
        """Go on at the next instruction, or give up."""
        return self.counter + 1 if passed else -1, self.at, self.spans


_Next: TypeAlias = tuple[int, int, Spans]


def _char(here: _Here, test: Value, _second: Value) -> _Next:
    if here.at < len(here.text) and test(here.text[here.at]):
        return here.counter + 1, here.at + 1, here.spans
    return -1, here.at, here.spans


def _jump(here: _Here, target: Value, _second: Value) -> _Next:
    return target, here.at, here.spans


def _save(here: _Here, slot: Value, _second: Value) -> _Next:
    spans = (*here.spans[:slot], here.at, *here.spans[slot + 1 :])
    return here.counter + 1, here.at, spans


def _moved(here: _Here, slot: Value, _second: Value) -> _Next:
    """Leave a loop that made no progress."""
    return here.go(here.spans[slot] != here.at)


def _edge(here: _Here, where: Value, _second: Value) -> _Next:
    return here.go(_AT[str(where)](here.text, here.at, bool(here.program.flags & MULTILINE)))


def _back(here: _Here, group: Value, _second: Value) -> _Next:
    start, end = here.spans[2 * group], here.spans[2 * group + 1]
    if end < 0:
        return here.go(passed=True)
    wanted, found = here.text[start:end], here.text[here.at : here.at + end - start]
    alike = wanted == found
    if here.program.flags & IGNORECASE:
        alike = wanted.lower() == found.lower()
    return here._replace(at=here.at + end - start).go(alike)


def _look(here: _Here, inner: Value, wanted: Value) -> _Next:
    program, behind = inner
    text = here.text[: here.at] if behind else here.text
    for start in range(here.at, -1, -1) if behind else (here.at,):
        found = program.match(text, start, here.meter)
        if found is not None and (not behind or found[1] == here.at):
            return here.go(wanted)
    return here.go(not wanted)


_STEPS: dict[str, Callable[[_Here, Value, Value], _Next]] = {
    "char": _char,
    "jump": _jump,
    "save": _save,
    "moved": _moved,
    "edge": _edge,
    "back": _back,
    "look": _look,
}


def _word(text: str, at: int) -> bool:
    def is_word(index: int) -> bool:
        return 0 <= index < len(text) and text[index].isascii() and (
            text[index].isalnum() or text[index] == "_"
        )  # fmt: skip

    return is_word(at - 1) is not is_word(at)


_AT: dict[str, Callable[[str, int, bool], bool]] = {
    "AT_BEGINNING": lambda text, at, many: at == 0 or (many and text[at - 1] == "\n"),
    "AT_BEGINNING_STRING": lambda _text, at, _many: at == 0,
    "AT_END": lambda text, at, many: at == len(text) or (many and text[at] == "\n"),
    "AT_END_STRING": lambda text, at, _many: at == len(text),
    "AT_BOUNDARY": lambda text, at, _many: _word(text, at),
    "AT_NON_BOUNDARY": lambda text, at, _many: not _word(text, at),
}


def assemble(pattern: str, flags: int) -> Program:
    """Make the program of a pattern."""
    tree = _parser.parse(pattern, flags)
    program = Program(flags)
    program.groups = tree.state.groups - 1
    _sequence(program, tree)
    program.emit("match")
    return program


def _sequence(program: Program, tree: Value) -> None:
    for kind, value in tree:
        if kind in {sre.MAX_REPEAT, sre.MIN_REPEAT}:
            _repeat(program, *value, greedy=kind is sre.MAX_REPEAT)
        elif kind is sre.BRANCH:
            _branch(program, value[1])
        elif kind is sre.SUBPATTERN:
            _group(program, value[0], value[3])
        elif kind is sre.AT:
            program.emit("edge", value)
        elif kind is sre.GROUPREF:
            program.emit("back", value)
        elif kind in {sre.ASSERT, sre.ASSERT_NOT}:
            inner = Program(program.flags)
            inner.groups = program.groups
            _sequence(inner, value[1])
            inner.emit("match")
            program.emit("look", (inner, value[0] < 0), kind is sre.ASSERT)
        else:
            program.emit("char", _tested(kind, value, program.flags))


def _group(program: Program, group: int | None, tree: Value) -> None:
    if group is None:
        _sequence(program, tree)
        return
    program.emit("save", 2 * group)
    _sequence(program, tree)
    program.emit("save", 2 * group + 1)


def _branch(program: Program, branches: list[Value]) -> None:
    ends: list[int] = []
    for tree in branches[:-1]:
        split = program.emit("split")
        _sequence(program, tree)
        ends.append(program.emit("jump"))
        program.code[split] = ("split", split + 1, len(program.code))
    _sequence(program, branches[-1])
    for end in ends:
        program.code[end] = ("jump", len(program.code), None)


def _repeat(program: Program, least: int, most: Value, tree: Value, *, greedy: bool) -> None:
    for _ in range(least):
        _sequence(program, tree)
    if most is sre.MAXREPEAT:
        split = program.emit("split")
        slot = 2 + 2 * program.groups
        program.groups += 1  # a hidden group: where this round of the loop began
        program.emit("save", slot)
        _sequence(program, tree)
        program.emit("moved", slot)
        program.emit("jump", split)
        _point(program, split, len(program.code), greedy=greedy)
        return
    splits: list[int] = []
    for _ in range(most - least):
        splits.append(program.emit("split"))
        _sequence(program, tree)
    for split in splits:
        _point(program, split, len(program.code), greedy=greedy)


def _point(program: Program, split: int, end: int, *, greedy: bool) -> None:
    program.code[split] = ("split", split + 1, end) if greedy else ("split", end, split + 1)


def _tested(kind: Value, value: Value, flags: int) -> Test:
    test = _test(kind, value)
    if not flags & IGNORECASE:
        return test
    negative = kind is sre.NOT_LITERAL or (kind is sre.IN and value[0][0] is sre.NEGATE)
    several = all if negative else any
    return lambda char: several(map(test, (char, char.lower(), char.upper())))


def _test(kind: Value, value: Value) -> Test:
    if kind is sre.LITERAL:
        return lambda char: ord(char) == value if len(char) == 1 else False
    if kind is sre.NOT_LITERAL:
        return lambda char: char != chr(value)
    if kind is sre.ANY:
        return lambda char: char != "\n"
    if kind is sre.IN:
        return _class(value)
    raise OverflowError(f"no step for {kind}")


def _class(items: list[Value]) -> Test:
    negated = bool(items) and items[0][0] is sre.NEGATE
    tests = [_member(kind, value) for kind, value in items[1 if negated else 0 :]]
    return lambda char: any(test(char) for test in tests) is not negated


def _member(kind: Value, value: Value) -> Test:
    if kind is sre.RANGE:
        low, high = chr(value[0]), chr(value[1])
        return lambda char: low <= char <= high
    if kind is sre.CATEGORY:
        space, other = value is sre.CATEGORY_SPACE, value is sre.CATEGORY_NOT_SPACE
        if not space and not other:
            raise OverflowError(f"no step for {value}")
        return lambda char: char.isspace() is space
    return lambda char: char == chr(value)
