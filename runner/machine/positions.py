"""Where each value of a JSON text stands: for faults, which are shown with line and column.

In: the text.  Out: the `Places` of its keys and values, and what json.loads does not tell: keys
that an object has twice, and where in the definition a text stops being JSON.  Read only when
something is to be shown.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from runner.machine.refusals import unescape
from runner.model.places import Places

if TYPE_CHECKING:
    from runner.model.places import Path, Position

_DECODER = json.JSONDecoder()
_BLANK = re.compile(r"[ \t\r\n]*")
_SCALAR = re.compile(r"true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?")
_PART = re.compile(r"/([^/\[]*)|\[(\d+)\]")


class Broken(NamedTuple):
    """Where a text stops being JSON, and why."""

    position: Position
    path: Path
    """What was being read."""
    told: str


class Read(NamedTuple):
    """What a reading found."""

    places: Places
    twice: tuple[Path, ...]
    broken: Broken | None


def parse_pointer(pointer: str) -> Path:
    """Give the keys and indexes of a pointer.

    >>> parse_pointer("/States/a~1b/Choices[0]/Next")
    ('States', 'a/b', 'Choices', 0, 'Next')
    """
    return tuple(int(index) if index else unescape(key) for key, index in _PART.findall(pointer))


def read_positions(text: str, *, file: str) -> Read:
    """Read the places of all keys and values of a JSON text."""
    return _Reader(text).read(file)


class _Stop(Exception):
    """The text is not JSON from here on."""

    def __init__(self, index: int, told: str) -> None:
        self.index = index
        self.told = told
        super().__init__(told)


class _Container(NamedTuple):
    """An object or array that is being read."""

    path: Path
    keys: set[str] | None
    """The keys read so far; None: an array."""
    close: str


class _Reader:
    """Reads with a stack of its own: a text may be nested deeper than calls can be."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._index = 0
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]
        self._keys: dict[Path, Position] = {}
        self._values: dict[Path, Position] = {}
        self._twice: list[Path] = []
        self._stack: list[_Container] = []
        self._lengths: list[int] = []

    def read(self, file: str) -> Read:
        broken = None
        try:
            self._read()
        except _Stop as stop:
            path = self._stack[-1].path if self._stack else ()
            broken = Broken(self._position(stop.index), path, stop.told)
        start = self._values.get((), (1, 1))
        places = Places(file, start, self._keys, self._values)
        return Read(places, tuple(self._twice), broken)

    def _position(self, index: int) -> Position:
        line = bisect_right(self._lines, index)
        return line, index - self._lines[line - 1] + 1

    def _read(self) -> None:
        self._value(())
        while self._stack:
            self._next(self._stack[-1])
        self._skip()
        if self._index < len(self._text):
            raise _Stop(self._index, "there is more behind the definition")

    def _skip(self) -> str:
        """Go to the next character that is not blank and give it."""
        blank = _BLANK.match(self._text, self._index)
        self._index = blank.end() if blank else self._index
        return self._text[self._index : self._index + 1]

    def _value(self, path: Path) -> None:
        character = self._skip()
        self._values[path] = self._position(self._index)
        if character in {"{", "["}:
            is_object = character == "{"
            container = _Container(path, set() if is_object else None, "}" if is_object else "]")
            self._stack.append(container)
            self._lengths.append(0)
            self._index += 1
        elif character == '"':
            self._string()
        else:
            match = _SCALAR.match(self._text, self._index)
            if match is None:
                raise _Stop(self._index, "a value was expected")
            self._index = match.end()

    def _string(self) -> str:
        start = self._index
        try:
            value, self._index = _DECODER.raw_decode(self._text, start)
        except ValueError as error:
            raise _Stop(start, "the text does not end, or has a bad escape") from error
        return str(value)

    def _next(self, container: _Container) -> None:
        """Read the next member, or the end, of the innermost container."""
        count = self._lengths[-1]
        character = self._skip()
        if character == container.close:
            self._index += 1
            self._stack.pop()
            self._lengths.pop()
            return
        if count:
            if character != ",":
                raise _Stop(self._index, f"',' or '{container.close}' was expected")
            self._index += 1
            self._skip()
        self._lengths[-1] = count + 1
        if container.keys is None:
            self._value((*container.path, count))
        else:
            self._member(container.path, container.keys)

    def _member(self, within: Path, keys: set[str]) -> None:
        start = self._index
        if not self._text.startswith('"', start):
            raise _Stop(start, "a name in double quotes was expected")
        name = self._string()
        path = (*within, name)
        if name in keys:
            self._twice.append(path)
        keys.add(name)
        self._keys[path] = self._position(start)
        if self._skip() != ":":
            raise _Stop(self._index, "':' was expected")
        self._index += 1
        self._value(path)
