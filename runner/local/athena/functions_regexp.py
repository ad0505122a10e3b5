"""Functions of regular expressions with Java's patterns; NULL arguments never arrive."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from runner.local.athena.javaregex import compile_java

if TYPE_CHECKING:
    from collections.abc import Callable

_INDEX = re.compile(r"[0-9]+")
_NAMES = re.compile(r"\{([^}]*)(\})?")


def _bad(message: str) -> ValueError:
    return ValueError(f"INVALID_FUNCTION_ARGUMENT: {message}")


def regexp_like(text: str, pattern: str) -> bool:
    """Tell whether a pattern occurs in a text."""
    return compile_java(pattern).search(text) is not None


def regexp_count(text: str, pattern: str) -> int:
    """Count a pattern's occurrences."""
    return sum(1 for _ in compile_java(pattern).finditer(text))


def regexp_extract(text: str, pattern: str, group: int) -> str | None:
    """Give a group of the first occurrence."""
    compiled = _checked(pattern, group)
    match = compiled.search(text)
    return match[group] if match else None


def regexp_extract_all(text: str, pattern: str, group: int) -> list[str | None]:
    """Give a group of every occurrence."""
    compiled = _checked(pattern, group)
    return [match[group] for match in compiled.finditer(text)]


def _checked(pattern: str, group: int) -> re.Pattern[str]:
    compiled = compile_java(pattern)
    if group < 0:
        raise _bad("Group cannot be negative")
    if group > compiled.groups:
        raise _bad(f"Pattern has {compiled.groups} groups. Cannot access group {group}")
    return compiled


def regexp_position(text: str, pattern: str, start: int, number: int) -> int:
    """Give where the n-th occurrence from a place on begins, or -1."""
    if start < 1:
        raise _bad("start position cannot be smaller than 1")
    if number < 1:
        raise _bad("occurrence cannot be smaller than 1")
    if start > len(text):
        return -1
    for count, match in enumerate(compile_java(pattern).finditer(text, start - 1), 1):
        if count == number:
            return match.start() + 1
    return -1


def regexp_split(text: str, pattern: str) -> list[str]:
    """Split at every occurrence."""
    pieces, done = [], 0
    for match in compile_java(pattern).finditer(text):
        pieces.append(text[done : match.start()])
        done = match.end()
    return [*pieces, text[done:]]


def regexp_parts(text: str, pattern: str) -> list[dict[str, object]]:
    """Give what stands before every occurrence with its groups, and at last the rest."""
    parts: list[dict[str, object]] = []
    done = 0
    for match in compile_java(pattern).finditer(text):
        parts.append({"gap": text[done : match.start()], "groups": list(match.groups())})
        done = match.end()
    return [*parts, {"gap": text[done:], "groups": None}]


def regexp_replace(text: str, pattern: str, replacement: str) -> str:
    """Replace every occurrence; `$1` and `${name}` stand for groups."""
    compiled = compile_java(pattern)
    if compiled.search(text) is None:
        return text
    pieces = replacement_of(compiled, replacement)
    if all(isinstance(each, str) for each in pieces):
        fixed = "".join(map(str, pieces))
        return compiled.sub(lambda _: fixed, text)
    return compiled.sub(_filler(pieces), text)


def _filler(pieces: tuple[str | int, ...]) -> Callable[[re.Match[str]], str]:
    def fill(match: re.Match[str]) -> str:
        return "".join(p if isinstance(p, str) else match[p] or "" for p in pieces)

    return fill


@lru_cache(maxsize=512)
def replacement_of(compiled: re.Pattern[str], text: str) -> tuple[str | int, ...]:
    """Read a replacement into texts and numbers of groups."""
    pieces: list[str | int] = []
    place = 0
    while place < len(text):
        letter = text[place]
        place += 1
        if letter == "\\":
            if place == len(text):
                raise _bad(f"Incomplete escape sequence: {text}")
            pieces.append(text[place])
            place += 1
        elif letter == "$":
            group, place = _group(compiled, text, place)
            pieces.append(group)
        else:
            pieces.append(letter)
    return tuple(pieces)


def _group(compiled: re.Pattern[str], text: str, place: int) -> tuple[int, int]:
    named = _NAMES.match(text, place)
    if named:
        if not named[2] or named[1] not in compiled.groupindex:
            raise _bad(f"Illegal replacement sequence: unknown group {{{named[1]}}}")
        return compiled.groupindex[named[1]], named.end()
    digits = _INDEX.match(text, place)
    if digits is None:
        raise _bad(f"Illegal replacement sequence: {text}")
    size = 1
    while size < len(digits[0]) and int(digits[0][: size + 1]) <= compiled.groups:
        size += 1
    group = int(digits[0][:size])
    if group > compiled.groups:
        raise _bad(f"Illegal replacement sequence: unknown group {group}")
    return group, place + size
