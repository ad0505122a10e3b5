"""What a pattern of RegexSerDe needs beyond RE2: groups that may not take part, look-around.

In: a Java pattern.  Out: whether RE2 reads it as Java does, and which of its groups are NULL where
RE2 gives the empty text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_JAVA_ALONE = re.compile(r"\(\?(?:=|!|<=|<!|>)|\\[1-9]|[*+?}]\+|&&")
_OPTIONAL = re.compile(r"\?|\*|\{0?,|\{0[,}]")


@dataclass
class _Open:
    """A group that is not closed yet; the first one is the whole pattern."""

    start: int
    number: int
    """The group's number from 0; -1 if it captures nothing."""
    has_bar: bool = False
    holds: bool = False
    """Whether there is a capturing group in it."""


@dataclass
class _Found:
    optional: set[int]
    """Capturing groups `( x)?` that cannot match nothing."""
    uncertain: bool = False
    """Whether other groups may not take part in a match."""


def optional_groups(pattern: str) -> frozenset[int]:
    """Find groups `( x)?` that cannot match nothing: when absent, Java gives NULL, RE2 ''.

    >>> sorted(optional_groups("(a)( b)?(c*)?"))
    [1]
    """
    return frozenset(_scan(pattern).optional)


def needs_java(pattern: str) -> bool:
    """Tell whether RE2 would read a pattern otherwise than Java, or not at all.

    >>> [needs_java(p) for p in ("(a|b)( c)?", "(a)|(b)", "(?:(a))?", "(a*)?", "(?!x)(.)")]
    [False, True, True, True, True]
    """
    return _JAVA_ALONE.search(pattern) is not None or _scan(pattern).uncertain


def _scan(pattern: str) -> _Found:
    found = _Found(set())
    opened = [_Open(0, -1)]
    groups, place, in_class = 0, 0, False
    while place < len(pattern):
        letter = pattern[place]
        if letter == "\\":
            place += 2
            continue
        if in_class or letter == "[":
            in_class = not (in_class and letter == "]")
        elif letter == "(":
            captures = not pattern.startswith("(?", place) or _is_named(pattern, place)
            for each in opened:
                each.holds = each.holds or captures
            opened.append(_Open(place, groups if captures else -1))
            groups += captures
        elif letter == "|":
            opened[-1].has_bar = True
        elif letter == ")" and len(opened) > 1:
            _close(pattern, place, opened.pop(), found)
        place += 1
    found.uncertain = found.uncertain or (opened[0].has_bar and opened[0].holds)
    return found


def _is_named(pattern: str, place: int) -> bool:
    return re.match(r"\(\?<[A-Za-z]", pattern[place:]) is not None


def _close(pattern: str, place: int, group: _Open, found: _Found) -> None:
    is_optional = _OPTIONAL.match(pattern, place + 1) is not None
    if group.holds and (group.has_bar or is_optional):
        found.uncertain = True
    if not is_optional or group.number < 0:
        return
    once = pattern[place + 1 : place + 2] == "?"
    if once and _never_empty(pattern[group.start + 1 : place]):
        found.optional.add(group.number)
    else:
        found.uncertain = True


def _never_empty(inner: str) -> bool:
    try:
        return re.fullmatch(inner, "") is None
    except re.error:
        return False
