"""The functions that Trino has, with what they take and give.

In: a function's name.  Out: its signatures, each as Trino's messages write it and as a pattern
that arguments are held against.  `signatures.txt` says what a Trino 435 answers of its functions.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

_WORDS = re.compile(r"[\w ]+|[(),]")


class Pattern(NamedTuple):
    """A type with variables: `map(K,array(V))`, `decimal(p,s)`."""

    name: str
    numbers: tuple[str, ...] = ()
    """Digits, or names of numbers that a call fixes."""
    parts: tuple[Pattern, ...] = ()
    is_variable: bool = False


class Signature(NamedTuple):
    """One form of a function."""

    text: str
    """The arguments and their constraints as messages have them."""
    takes: tuple[Pattern, ...]
    gives: Pattern
    is_variadic: bool
    comparable: frozenset[str]
    orderable: frozenset[str]


class Function(NamedTuple):
    """A function: `scalar`, `aggregate` or `window`, and its forms in Trino's order."""

    name: str
    kind: str
    signatures: tuple[Signature, ...]

    def expected(self) -> str:
        """Write the forms as a failure tells them."""
        return ", ".join(f"{self.name}{each.text}" for each in self.signatures)


_KINDS = {"s": "scalar", "a": "aggregate", "w": "window"}


@cache
def _lines() -> dict[str, str]:
    text = (Path(__file__).parent / "signatures.txt").read_text("utf-8")
    return {line.partition(" ")[0]: line for line in text.splitlines()}


@lru_cache(maxsize=512)
def find_function(name: str) -> Function | None:
    """Give a function of Trino's; None for one that it does not have."""
    line = _lines().get(name)
    if line is None:
        return None
    _, kind, rest = line.split(" ", 2)
    return Function(name, _KINDS[kind], tuple(_signature(each) for each in rest.split("; ")))


def _signature(text: str) -> Signature:
    shown, _, gives = text.partition(" > ")
    arguments, _, bounds = shown.rpartition(")")
    constraints = [each.strip().partition(":") for each in bounds.split(",") if each.strip()]
    names = frozenset(name.lower() for name, _, _ in constraints)
    words = _WORDS.findall(arguments[1:].replace("...", ""))
    takes: list[Pattern] = []
    while words:
        takes.append(_pattern(words, names))
        del words[:1]
    return Signature(
        text=shown.replace("...", ""),
        takes=tuple(takes),
        gives=_pattern(_WORDS.findall(gives), names),
        is_variadic="..." in shown,
        comparable=frozenset(name.lower() for name, _, rule in constraints if rule == "comparable"),
        orderable=frozenset(name.lower() for name, _, rule in constraints if rule == "orderable"),
    )


def _pattern(words: list[str], variables: frozenset[str]) -> Pattern:
    """Read a type from the words, which are used up."""
    name = words.pop(0).strip().lower()
    if name in variables:
        return Pattern(name, is_variable=True)
    numbers: list[str] = []
    parts: list[Pattern] = []
    if words and words[0] == "(":
        while words.pop(0) != ")":
            if name in {"array", "map", "row", "function", "qdigest"}:
                parts.append(_pattern(words, variables))
            else:
                numbers.append(words.pop(0).strip())
    if words and words[0].strip().startswith("with "):
        name = f"{name} {words.pop(0).strip()}"
    return Pattern(name, tuple(numbers), tuple(parts))
