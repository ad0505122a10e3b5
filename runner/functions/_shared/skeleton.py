"""JSON text cut at its values: what stands between them is a shape that many texts share.

In: JSON text.  Out: its pieces, and for the pieces between the values a tree with holes where
values were.  A text whose shape is known needs no parsing again: its values go into what was made
of the shape, to the letter.

Why that is right: `read` accepts a shape only if it is JSON with a constant in each hole.  JSON's
grammar does not look into values, so the text is then JSON too, and of the same tree, whatever
values of JSON stand in the holes; and only such values are cut out.
"""

from __future__ import annotations

import json
import re
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SPACE = r"[ \t\r\n]*+"
_PLAIN = r'[^"\\\x00-\x1f]*+'
_STRING = rf'"{_PLAIN}(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{{4}}){_PLAIN})*+"'
_NUMBER = r"-?+(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][-+]?+[0-9]++)?+"
_SCALAR = rf"{_STRING}|{_NUMBER}|true|false|null"
_LEVELS = 4
"""Of what lies in an array that is cut out as one value; a deeper one is part of the shape."""
_BLANK = re.compile(_SPACE)
_SURROGATE = re.compile("[\ud800-\udfff]")
_HOLE = "NaN"


def _array(levels: int) -> str:
    """Give a pattern of arrays, of so many levels below them."""
    inner = _SCALAR
    if levels:
        inner += f"|{_array(levels - 1)}|{_object(levels - 1)}"
    item = rf"(?:{inner}){_SPACE}(?:,{_SPACE}(?!\])|(?=\]))"
    return rf"\[{_SPACE}(?:{item})*+\]"


def _object(levels: int) -> str:
    inner = _SCALAR
    if levels:
        inner += f"|{_array(levels - 1)}|{_object(levels - 1)}"
    item = rf"{_STRING}{_SPACE}:{_SPACE}(?:{inner}){_SPACE}(?:,{_SPACE}(?!\}})|(?=\}}))"
    return rf"\{{{_SPACE}(?:{item})*+\}}"


cut = re.compile(rf":{_SPACE}({_SCALAR}|{_array(_LEVELS)})").split
"""Cuts a text at its scalars and arrays: shape, value, shape, ..., value, shape."""
cut_scalars = re.compile(rf":{_SPACE}({_SCALAR})").split
"""Cuts a text at its scalars only."""
number_pattern = _NUMBER
is_number = re.compile(number_pattern).fullmatch
"""Tells whether a text is a number of JSON."""

is_texts = re.compile(rf"\[(?:{_STRING}(?:, ?(?!\])|(?=\])))*+\]").fullmatch
"""Tells whether a text is an array of texts, as it is mostly written."""

_SIMPLE = f'"{_PLAIN}"'
_UNTIL_QUOTE = '"[^"]*+"'
"""A text of JSON, in what holds no backslash and no control character: the fastest to find."""
_KINDS = {"t": "true|false", "f": "true|false", "n": "null"}


def _kind(value: str, *, plain: bool) -> str:
    if value[0] == '"':
        return _UNTIL_QUOTE if plain else _STRING if "\\" in value else _SIMPLE
    return _KINDS.get(value[0], "")


def like(values: Iterable[str], *, plain: bool = False) -> str:
    """Give a pattern of values of the kinds that these have.

    `plain`: for JSON that holds no backslash and no control character.
    """
    found = {value: _kind(value, plain=plain) for value in values}
    others = [value for value, kind in found.items() if not kind]
    numbers = [value for value in others if value[0] != "["]
    arrays = [value for value in others if value[0] == "["]
    kinds = {*found.values()} - {""} - ({_SIMPLE} if _STRING in found.values() else set())
    if numbers:
        kinds.add(number_like(numbers))
    if arrays:
        space = " ?+" if any(" " in value for value in arrays) else ""
        string = _UNTIL_QUOTE if plain else _STRING
        kinds.add(_like_trees([*map(_tree, arrays)], string, space if plain else _SPACE))
    several = sorted(kinds)
    return several[0] if len(several) == 1 and "|" not in several[0] else f"(?:{'|'.join(several)})"


def _tree(value: str) -> Tree:
    return read((value,))[0]


def _like_trees(trees: Sequence[Tree], string: str, space: str) -> str:
    """Give a pattern of values of the kinds that these have, and that lie in these."""
    found: list[str] = []
    objects = [tree for tree in trees if isinstance(tree, Object)]
    arrays = [tree for tree in trees if isinstance(tree, list)]
    numbers = [tree for tree in trees if isinstance(tree, Number)]
    if any(isinstance(tree, str) and not isinstance(tree, Number) for tree in trees):
        found.append(string)
    if objects:
        inner = _like_trees([value for tree in objects for _, value in tree], string, space)
        item = rf"{string}{space}:{space}{inner}{space}(?:,{space}(?!\}})|(?=\}}))"
        found.append(rf"\{{{space}(?:{item})*+\}}")
    if arrays:
        inner = _like_trees([item for tree in arrays for item in tree], string, space)
        found.append(rf"\[{space}(?:{inner}{space}(?:,{space}(?!\])|(?=\])))*+\]")
    if any(tree is None or isinstance(tree, bool) for tree in trees):
        found.append("true|false|null")
    if numbers:
        found.append(number_like(numbers))
    return f"(?:{'|'.join(found)})" if found else "(?!)"


def number_like(values: Sequence[str]) -> str:
    """Give a pattern of numbers that have the parts that these have."""
    pattern = "-?+" if any(value[0] == "-" for value in values) else ""
    pattern += "(?:[1-9][0-9]*+|0)"
    if all("." in value for value in values):
        pattern += r"\.[0-9]++"
    elif any("." in value for value in values):
        pattern += r"(?:\.[0-9]++)?+"
    if any("e" in value.lower() for value in values):
        pattern += "(?:[eE][-+]?+[0-9]++)?+"
    return pattern


def quoted_number_like(values: Iterable[str]) -> str:
    """Give a pattern of numbers that are written as texts, like these; its group is the number."""
    numbers = [value[1:-1] for value in values if is_number(value[1:-1])]
    return f'"({number_like(numbers) if numbers else _NUMBER})"'


class Hole(int):
    """Where the value of this number stood."""

    __slots__ = ()


class Number(str):
    """A number as it was written."""

    __slots__ = ()


class Object(tuple["tuple[str, Tree]", ...]):
    """Keys and values, as they were written: a key may be there twice."""

    __slots__ = ()


Tree = Object | list["Tree"] | Hole | Number | str | bool | None


class NotJsonError(ValueError):
    """The text is no JSON."""


def read(shape: Sequence[str]) -> list[Tree]:
    """Read what stands between values; one or more trees follow one another.

    Raises NotJsonError also if a value was cut out of a key: read (text,) then.

    >>> read(('{"a"', '}'))
    [((('a', 0),),)]
    """
    holes = len(shape) - 1
    if holes and any(_HOLE in each for each in shape):
        raise NotJsonError("a hole cannot be told from the text")
    found: list[Hole] = []

    def hole(name: str) -> Hole:
        if name != _HOLE or len(found) == holes:
            raise NotJsonError(f"{name} is no value of JSON")
        found.append(Hole(len(found)))
        return found[-1]

    decoder = json.JSONDecoder(
        parse_constant=hole, parse_int=Number, parse_float=Number, object_pairs_hook=Object
    )
    try:
        trees = _all(decoder, f":{_HOLE}".join(shape))
    except (ValueError, RecursionError) as error:
        raise NotJsonError(str(error)) from error
    if len(found) != holes:
        raise NotJsonError("a value was cut out of a key")
    return trees


def _all(decoder: json.JSONDecoder, text: str) -> list[Tree]:
    trees: list[Tree] = []
    at = _after_blank(text, 0)
    while at < len(text):
        tree, at = decoder.raw_decode(text, at)
        trees.append(tree)
        at = _after_blank(text, at)
    return trees


def _after_blank(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def quoted(text: str) -> str:
    """Write a text as JSON; half a surrogate pair, which UTF-8 cannot hold, as an escape."""
    found = encode_basestring(text)
    if found.isascii() or not _SURROGATE.search(found):
        return found
    return encode_basestring_ascii(text)
