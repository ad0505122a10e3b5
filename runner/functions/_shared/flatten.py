r"""Nested JSON to one level, as newline JSON.

In: a text of one or more JSON objects.  Out: a line of JSON for each, whose values are texts,
numbers, booleans and nulls.  Values keep their letters: no number is rounded.

`{"user": {"id": 1, "tags": ["a"]}}` becomes `{"user_id":1,"user_tags":"[\"a\"]"}`.

Names that meet: the one of the shorter path, then of the path that sorts first, keeps the name;
the others get a number, `a_b_2`, `a_b_3`, passing over what is taken.  So names do not depend on
the order of keys.  A key that an object has twice counts as two, in their order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from json.encoder import encode_basestring
from typing import TYPE_CHECKING

if TYPE_CHECKING or __package__:
    from .often import Often, is_plain
    from .skeleton import Hole, NotJsonError, Number, Object, cut, cut_scalars, quoted, read
    from .template import Template, template_of
else:
    from often import Often, is_plain
    from skeleton import (
        Hole,
        NotJsonError,
        Number,
        Object,
        cut,
        cut_scalars,
        quoted,
        read,
    )
    from template import Template, template_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .skeleton import Tree

_CHUNK = 500
_MOST_SHAPES = 4096
_MOST_LETTERS = 16 << 20
"""Of all shapes that are kept."""
_LARGE_SHAPE = 64 << 10
_SAMPLED, _SAMPLES = 2, 25
"""Every second use is a sample; with so many of them, a shape gets a pattern of its own."""
_WORDS = {True: "true", False: "false", None: "null"}


@dataclass(frozen=True, slots=True)
class Rules:
    """How to flatten."""

    separator: str = "_"
    """Between the keys of a path."""
    max_depth: int = 0
    """Keys of a path; objects below stay JSON text.  0 for no limit."""
    index_arrays: bool = False
    """Whether an array's items become columns, `tags_0`; else it is one column of JSON text."""
    lower_case: bool = False
    """Whether names are in small letters."""
    time: str = ""
    """The name whose values `flatten` tells."""


class NotFlatError(ValueError):
    """A text that cannot be flattened."""


@dataclass(slots=True)
class _Shape:
    """What stands between the values of the flat text."""

    between: list[str] = field(default_factory=lambda: [""])
    inner: set[int] = field(default_factory=set)
    """Places of values that stand in JSON text, which is a text itself."""
    times: list[int | str] = field(default_factory=list)
    """Where the time of each object stands, or itself."""
    whole: tuple[int, ...] = ()
    """Places of the other values."""
    uses: int = 0
    samples: tuple[list[list[str]], list[list[str]]] = field(default_factory=lambda: ([], []))
    """Values of some uses, of plain texts and of others."""

    def say(self, text: str) -> None:
        self.between[-1] += text

    def leave(self, hole: Hole, *, inner: bool) -> None:
        if inner:
            self.inner.add(2 * hole + 1)
        self.between.append("")


class Flattener:
    """Flattens texts by one set of rules, and remembers their shapes."""

    def __init__(self, rules: Rules) -> None:
        """Begin without shapes."""
        self._rules = rules
        self._cut = cut_scalars if rules.index_arrays else cut
        self._shapes: dict[tuple[str, ...], _Shape] = {}
        self._letters = 0
        self._often = Often[Template](b":")

    def flatten(self, text: str) -> str:
        r"""Give a line for each object of a text.

        Raises NotFlatError: nothing of the text was flattened then.

        >>> Flattener(Rules()).flatten('{"a": {"b": 1.50}, "c": "x"}')
        '{"a_b":1.50,"c":"x"}\n'
        """
        return self._any(text.strip(" \t\r\n"), None)

    def flatten_all(
        self, texts: Sequence[bytes], times: Sequence[list[str]] | None = None
    ) -> list[bytes | None]:
        """Flatten texts of UTF-8 without blanks around them; None for one that cannot be.

        The lists of `times` get what the texts hold under the rules' `time`.
        """
        found: list[bytes | None] = [None] * len(texts)
        left: Sequence[int] = range(len(texts))
        while left:
            left = self._known(texts, left, found, times)
            for at in left[:_CHUNK]:  # what these teach is known to those behind them
                try:
                    flat = self._any(texts[at].decode(), None if times is None else times[at])
                    found[at] = flat.encode()
                except NotFlatError:
                    pass  # None says so
            left = left[_CHUNK:]
        return found

    def _known(
        self,
        texts: Sequence[bytes],
        places: Sequence[int],
        found: list[bytes | None],
        times: Sequence[list[str]] | None,
    ) -> Sequence[int]:
        """Flatten the texts at these places whose shapes come often; gives the other places."""
        often, rest = self._often.take([texts[at] for at in places])
        for taken in often:
            own = [places[at] for at in taken.places]
            for at, flat in zip(own, taken.plan.filled(taken.columns), strict=True):
                found[at] = flat
            if times is not None:
                of_each = taken.plan.times_of(taken.columns)
                for at, those in zip(own, of_each, strict=True):
                    times[at][:] = those
        return [places[at] for at in rest]

    def _any(self, text: str, times: list[str] | None) -> str:
        """Flatten a text of one object, a line, or of several."""
        if "\n" in text:
            found: list[str] = []
            try:
                lines = [self._one(line, found) for line in text.split("\n") if line.strip()]
            except NotFlatError:
                pass  # an object of several lines
            else:
                if times is not None:
                    times += found
                return "".join(lines)
        return self._one(text, times)

    def _one(self, text: str, times: list[str] | None) -> str:
        """Flatten a text by its shape."""
        parts = self._cut(text)
        key = tuple(parts[::2])
        shape = self._shapes.get(key)
        if shape is None:
            shape = self._learn(key)
            if shape is None:
                parts = [text]
                shape = self._made(parts)
        shape.uses += 1
        if not shape.uses % _SAMPLED:
            self._sample(shape, parts, text)
        if times is not None:
            times += [parts[at] if type(at) is int else str(at) for at in shape.times]
        if shape.inner:
            for at in shape.inner:
                parts[at] = encode_basestring(parts[at])[1:-1]
        if "[" in text:
            for at in shape.whole:
                if parts[at][0] == "[":
                    parts[at] = encode_basestring(parts[at])
        parts[::2] = shape.between
        return "".join(parts)

    def _sample(self, shape: _Shape, parts: list[str], text: str) -> None:
        """Remember values; when there are enough of them, make a pattern for the shape."""
        if shape.inner or len(parts) == 1:
            return
        plain = is_plain(text.encode())
        samples = shape.samples[plain]
        samples.append(parts[1::2])
        if len(samples) < _SAMPLES:
            return
        made = template_of(parts[::2], samples, shape, spaced='": ' in text, plain=plain)
        samples.clear()
        if made is not None:
            self._often.add(text, *made)

    def _learn(self, key: tuple[str, ...]) -> _Shape | None:
        """Make a shape and remember it; None if it is none."""
        try:
            shape = self._made(key)
        except NotFlatError:
            return None
        letters = sum(map(len, key)) + sum(map(len, shape.between))
        if letters > _LARGE_SHAPE:
            return shape
        self._letters += letters
        if len(self._shapes) >= _MOST_SHAPES or self._letters > _MOST_LETTERS:
            self._shapes.clear()
            self._letters = letters
        self._shapes[key] = shape
        return shape

    def _made(self, key: tuple[str, ...] | list[str]) -> _Shape:
        shape = _Shape()
        try:
            trees = read(key)
            for tree in trees:
                if not isinstance(tree, Object):
                    raise NotFlatError("not an object")
                self._write(shape, tree)
        except (NotJsonError, RecursionError) as error:
            raise NotFlatError(f"not JSON: {error}") from error
        if not trees:
            raise NotFlatError("nothing in it")
        count = len(shape.between)
        shape.whole = tuple(at for at in range(1, 2 * count - 1, 2) if at not in shape.inner)
        return shape

    def _write(self, shape: _Shape, tree: Object) -> None:
        found = list(self._leaves(tree, ()))
        names = self._names([path for path, _ in found])
        before, time = "{", None
        for name, (_, leaf) in zip(names, found, strict=True):
            if name == self._rules.time:
                time = 2 * leaf + 1 if isinstance(leaf, Hole) else _scalar(leaf)
            shape.say(f"{before}{quoted(name)}:")
            _write_leaf(shape, leaf)
            before = ","
        shape.say("}\n" if found else "{}\n")
        if self._rules.time:
            shape.times.append("" if time is None else time)

    def _leaves(self, tree: Tree, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Tree]]:
        """Give the values of an object, with the keys that lead to them."""
        items: Iterator[tuple[str, Tree]]
        if isinstance(tree, Object):
            items = iter(tree)
        elif isinstance(tree, list) and self._rules.index_arrays:
            items = ((str(number), item) for number, item in enumerate(tree))
        else:
            yield path, tree
            return
        if path and (not tree or len(path) == self._rules.max_depth):
            yield path, tree
            return
        for key, value in items:
            yield from self._leaves(value, (*path, key))

    def _names(self, paths: list[tuple[str, ...]]) -> list[str]:
        names = [self._rules.separator.join(path) for path in paths]
        if self._rules.lower_case:
            names = [name.lower() for name in names]
        if len(set(names)) == len(names):
            return names
        order = sorted(range(len(paths)), key=lambda at: (len(paths[at]), paths[at], at))
        taken: set[str] = set()
        later = [at for at in order if names[at] in taken or taken.add(names[at])]  # type: ignore[func-returns-value]  # adds
        following: dict[str, int] = {}
        for at in later:
            number = following.get(names[at], 2)
            while (name := f"{names[at]}{self._rules.separator}{number}") in taken:
                number += 1
            following[names[at]] = number + 1
            taken.add(name)
            names[at] = name
        return names


def _scalar(leaf: Tree) -> str:
    """Write a text, number, boolean or null; empty for anything else."""
    if isinstance(leaf, Number):
        return str(leaf)
    if isinstance(leaf, str):
        return quoted(leaf)
    return _WORDS[leaf] if leaf is None or isinstance(leaf, bool) else ""


def _write_leaf(shape: _Shape, leaf: Tree) -> None:
    if isinstance(leaf, Hole):
        shape.leave(leaf, inner=False)
    elif isinstance(leaf, Object | list):
        shape.say('"')
        _write_inner(shape, leaf)
        shape.say('"')
    else:
        shape.say(_scalar(leaf))


def _write_inner(shape: _Shape, tree: Tree) -> None:
    """Write JSON within a text."""
    if isinstance(tree, Hole):
        shape.leave(tree, inner=True)
    elif isinstance(tree, Object):
        before = "{"
        for key, value in tree:
            shape.say(before + encode_basestring(quoted(key))[1:-1] + ":")
            _write_inner(shape, value)
            before = ","
        shape.say("}" if tree else "{}")
    elif isinstance(tree, list):
        before = "["
        for item in tree:
            shape.say(before)
            _write_inner(shape, item)
            before = ","
        shape.say("]" if tree else "[]")
    else:
        shape.say(encode_basestring(_scalar(tree))[1:-1])
