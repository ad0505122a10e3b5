"""YAML to plain data that remembers where everything stands.

In: the text of a YAML file, or of the header of a SQL file.  Out: mappings, lists and scalars, the
`Places` of each, and faults (syntax, duplicate keys).  Scalars are those of YAML 1.2's core, so
that `yes`, `010`, `1:30` and `2013-01-01` are text: nothing turns into what was not written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml

from runner.errors import Fault, Place
from runner.model.places import Places

if TYPE_CHECKING:
    from runner.model.places import Path, Position

Data = Any
"""Mappings with text keys, lists, text, numbers, true, false and None."""

_MOST_NODES = 50_000
_TAG = "tag:yaml.org,2002:"
_PLAIN = (
    ("null", re.compile(r"(?:~|null|Null|NULL|)\Z"), "~nN\0"),
    ("bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), "tTfF"),
    ("int", re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z"), "-+0123456789"),
    (
        "float",
        re.compile(r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)\Z"),
        "-+0123456789",
    ),
)


@dataclass(frozen=True, slots=True)
class YamlText:
    """What a YAML text says."""

    data: Data
    """None when the text is empty or cannot be read."""
    places: Places
    faults: tuple[Fault, ...]


def read_yaml(text: str, *, file: str, line: int = 1) -> YamlText:
    """Read a YAML text that begins on a line of a file; faults come beside what could be read."""
    padded = "\n" * (line - 1) + text
    try:
        root = yaml.compose(padded, Loader=_loader())
    except yaml.reader.ReaderError as error:
        return YamlText(None, Places(file, (line, 1)), (_unreadable(error, file, line),))
    except yaml.MarkedYAMLError as error:
        return YamlText(None, Places(file, (line, 1)), (_syntax_fault(error, file, padded),))
    if root is None:
        return YamlText(None, Places(file, (line, 1)), ())
    walk = _Walk(file)
    data = walk.read(root, ())
    start = _position(root)
    return YamlText(data, Places(file, start, walk.keys, walk.values), tuple(walk.faults))


@cache
def _loader() -> type[yaml.SafeLoader]:
    """Make the loader: libyaml's where it is built in, with the scalars of YAML 1.2."""
    resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    for kind, pattern, first in _PLAIN:
        for character in first:
            resolvers.setdefault(character.replace("\0", ""), []).append((_TAG + kind, pattern))
    base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return type("_CoreLoader", (base,), {"yaml_implicit_resolvers": resolvers})


def _position(node: yaml.Node) -> Position:
    return node.start_mark.line + 1, node.start_mark.column + 1


@dataclass(slots=True)
class _Walk:
    """One pass over a composed document."""

    file: str
    keys: dict[Path, Position] = field(default_factory=dict)
    values: dict[Path, Position] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    open: list[int] = field(default_factory=list)
    nodes: int = 0

    def read(self, node: yaml.Node, path: Path) -> Data:
        self.values[path] = _position(node)
        self.nodes += 1
        if id(node) in self.open or self.nodes > _MOST_NODES:
            self._say(
                node,
                "yaml-alias",
                "an alias that repeats too much, or itself",
                f"at most {_MOST_NODES} values, all in all",
                "write the value out instead of using `*`",
            )
            return None
        self.open.append(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            if isinstance(node, yaml.SequenceNode):
                items = enumerate(node.value)
                return [self.read(item, (*path, index)) for index, item in items]
            return self._scalar(node) if isinstance(node, yaml.ScalarNode) else None
        finally:
            self.open.pop()

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Data]:
        data: dict[str, Data] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or not key.tag.endswith(":str"):
                self._say(
                    key,
                    "yaml-key",
                    f"the key {key.value}"
                    if isinstance(key, yaml.ScalarNode)
                    else "a key that is not a word",
                    "text as the key",
                    "quote it; quote the whole value when it begins with { or [",
                )
            elif key.value in data:
                first = self.keys[(*path, key.value)][0]
                self._say(
                    key,
                    "yaml-duplicate-key",
                    f"`{key.value}` a second time (first on line {first})",
                    "each key once",
                    "remove one of the two, or merge them",
                )
            else:
                self.keys[(*path, key.value)] = _position(key)
                data[key.value] = None
                data[key.value] = self.read(value, (*path, key.value))
        return data

    def _scalar(self, node: yaml.ScalarNode) -> Data:
        kind = node.tag.removeprefix(_TAG)
        text: str = node.value
        match kind:
            case "str":
                return text
            case "null":
                return None
            case "bool" if text.lower() in ("true", "false"):
                return text.lower() == "true"
            case "int" | "float" if re.fullmatch(r"[-+]?[0-9.eE+-]+", text):
                return int(text) if kind == "int" else float(text)
            case _:
                self._say(
                    node,
                    "yaml-tag",
                    f"the tag {node.tag.replace(_TAG, '!!')}",
                    "a value without a tag",
                    "remove the word that begins with `!`",
                )
                return None

    def _say(self, node: yaml.Node, code: str, found: str, expected: str, advice: str) -> None:
        self.faults.append(Fault(Place(self.file, *_position(node)), code, found, expected, advice))


# --- syntax -------------------------------------------------------------------------------------

_SYNTAX = (
    (
        "mapping values are not allowed",
        "a `:` inside a value, or a line that is indented too far",
        "`key: value`, one on a line, indented like its neighbours",
        "quote the value, or indent the line like its neighbours",
    ),
    (
        "could not find expected ':'",
        "a line without `:`",
        "`key: value`",
        "add the `:` and a value, or quote the text of the line above",
    ),
    (
        "did not find expected key",
        "a line that does not fit the lines above",
        "the indentation of its neighbours, and quotes and brackets closed before it",
        "indent it like the keys beside it",
    ),
    (
        "did not find expected '-' indicator",
        "a line that does not fit the list above",
        "`- item`, indented like the other items",
        "begin it with `- `, or indent it like the keys of the mapping around the list",
    ),
    (
        "did not find expected ',' or",
        "a bracket that is not closed",
        "`[a, b]` or `{a: 1, b: 2}`",
        "close the bracket, or add the comma between two items",
    ),
    (
        "found unexpected end of stream",
        "a quote that is never closed",
        "a closing quote of the same kind",
        "close the quote",
    ),
    (
        "found undefined alias",
        "a value that begins with `*`",
        "text in quotes, or the name of an anchor (`&name`)",
        "quote the value",
    ),
    (
        "but found another document",
        "a second document",
        "one document in a file",
        "remove the line `---`",
    ),
)


def _syntax_fault(error: yaml.MarkedYAMLError, file: str, text: str) -> Fault:
    problem = str(error.problem or "")
    mark = error.problem_mark or error.context_mark
    if any(words in problem for words in ("end of stream", "',' or", "expected ':'")):
        mark = error.context_mark or mark
    place = Place(file) if mark is None else Place(file, mark.line + 1, mark.column + 1)
    if mark is not None and ("cannot start any token" in problem or "tab character" in problem):
        return _bad_character(place, text)
    for begin, found, expected, advice in _SYNTAX:
        if begin in problem:
            return Fault(place, "yaml-syntax", found, expected, advice)
    return Fault(
        place,
        "yaml-syntax",
        problem or "text that is not YAML",
        "YAML: `key: value` lines, `- item` lists",
        "correct the line, or quote the value",
    )


def _bad_character(place: Place, text: str) -> Fault:
    line = text.split("\n")[place.line - 1]
    character = line[place.column - 1 : place.column]
    if character == "\t":
        return Fault(
            place, "yaml-syntax", "a tab", "spaces for indentation", "replace the tab by spaces"
        )
    return Fault(
        place,
        "yaml-syntax",
        f"a value that begins with {character}",
        f"text that begins with {character} in quotes",
        "quote the value",
    )


def _unreadable(error: yaml.reader.ReaderError, file: str, line: int) -> Fault:
    return Fault(
        Place(file, line),
        "yaml-syntax",
        f"the character U+{int(error.character):04X}"
        if isinstance(error.character, int)
        else "a character that YAML does not allow",
        "printable characters",
        "remove the character",
    )
