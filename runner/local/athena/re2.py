r"""Patterns that DuckDB's RE2 reads as Athena's engine does, in RE2's words.

In: a pattern.  Out: the same for RE2 with what is known of its groups, or None where the two may
differ: look-arounds, back references, `\b`, possessive quantifiers, named groups, flags but a
leading `(?i)`, loops over what may be empty.  RE2 runs inside DuckDB, a hundred times faster.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_CLASSES = {"d": "0-9", "w": "0-9A-Za-z_", "s": "\\t-\\r\\x20"}
_NEGATED = {"D": "d", "W": "w", "S": "s"}
_CONTROLS = frozenset("tnrf")
_META = frozenset("\\^$.[](){}|*+?")
_FOLDED = {"i": "\u0130\u0131", "k": "\u212a", "s": "\u017f"}
"""Letters that `(?i)` takes for an ASCII letter, beside the other case."""
_COUNTS = re.compile(r"\{(\d{1,4})(,(\d{1,4})?)?\}")
_MOST_COPIES = 200
"""What all counted repetitions together may multiply a pattern by."""
MOST_GROUPS = 9
"""Groups that DuckDB can extract."""


class Group(NamedTuple):
    """What is known of a capturing group."""

    empty: bool
    """Whether it may match nothing."""
    certain: bool = True
    """Whether it takes part in every match."""
    looped: bool = False
    """Whether it may match several times, so that engines differ in which they keep."""
    ends: bool = False
    """Whether it has a `$`."""


class Alike(NamedTuple):
    """A pattern for RE2."""

    text: str
    empty: bool
    """Whether it may match nothing."""
    ends: bool
    r"""Whether it has a `$`, which takes the newline before the end into the match."""
    groups: tuple[Group, ...]

    def extracts(self, group: int) -> bool:
        """Tell whether a group's text, or that there is none, can be seen from outside."""
        if not 0 <= group <= min(len(self.groups), MOST_GROUPS):
            return False
        found = self.groups[group - 1] if group else Group(self.empty, ends=self.ends)
        return not (found.ends or found.looped) and (found.certain or not found.empty)

    def is_looped(self, group: int) -> bool:
        """Tell whether a group may match several times, or take its newline along."""
        return group > 0 and (self.groups[group - 1].looped or self.groups[group - 1].ends)

    def is_empty(self, group: int) -> bool:
        """Tell whether a group, or the whole match for 0, may be of no letters."""
        return self.groups[group - 1].empty if group else self.empty


class _Different(Exception):
    """RE2 may read the pattern in another way."""


class _Piece(NamedTuple):
    text: str
    empty: bool
    groups: tuple[Group, ...] = ()


@lru_cache(maxsize=512)
def alike(pattern: str) -> Alike | None:
    r"""Write a pattern for RE2; None if it may mean another thing there.

    >>> alike(r"^a\d+$").text, alike(r"(a|b)\1")
    ('^a[0-9]+\\n?\\z', None)
    """
    reader = _Reader(pattern.removeprefix("(?i)"), folds=pattern.startswith("(?i)"))
    try:
        found = reader.alternatives()
    except _Different:
        return None
    if reader.place < len(reader.pattern):
        return None
    return Alike(found.text, found.empty, reader.ends, found.groups)


class _Reader:
    def __init__(self, pattern: str, *, folds: bool) -> None:
        self.pattern = pattern
        self.place = 0
        self.ends = False
        self._folds = folds
        self._copies = 1

    def alternatives(self) -> _Piece:
        """Read branches up to a closing parenthesis or the end."""
        branches = [self._branch()]
        while self._accept("|"):
            branches.append(self._branch())
        groups = tuple(group for each in branches for group in each.groups)
        if len(branches) > 1:
            groups = tuple(group._replace(certain=False) for group in groups)
        text = "|".join(each.text for each in branches)
        return _Piece(text, any(each.empty for each in branches), groups)

    def _branch(self) -> _Piece:
        pieces: list[_Piece] = []
        while self.place < len(self.pattern) and self.pattern[self.place] not in "|)":
            pieces.append(self._repeated())
        groups = tuple(group for each in pieces for group in each.groups)
        return _Piece("".join(p.text for p in pieces), all(p.empty for p in pieces), groups)

    def _repeated(self) -> _Piece:
        atom = self._atom()
        mark, least, most = self._quantifier()
        if not mark:
            return atom
        if atom.empty:
            raise _Different
        groups = tuple(g._replace(looped=g.looped or most != 1) for g in atom.groups)
        if not least:
            groups = tuple(group._replace(certain=False) for group in groups)
        lazy = "?" if self._accept("?") else ""
        if self.pattern[self.place : self.place + 1] in {"*", "+", "?", "{"}:
            raise _Different
        return _Piece(f"{atom.text}{mark}{lazy}", not least, groups)

    def _quantifier(self) -> tuple[str, int, int | None]:
        """Give a quantifier with the least and the most it allows; None is without end."""
        for mark, least, most in (("*", 0, None), ("+", 1, None), ("?", 0, 1)):
            if self._accept(mark):
                return mark, least, most
        match = _COUNTS.match(self.pattern, self.place)
        if match is None:
            return "", 1, 1
        self.place = match.end()
        least = int(match[1])
        most = least if match[2] is None else int(match[3]) if match[3] else None
        self._copies *= max(least, most or 0, 1)
        if self._copies > _MOST_COPIES or (most is not None and not least <= most > 0):
            raise _Different
        return match[0], least, most

    def _atom(self) -> _Piece:
        letter = self.pattern[self.place]
        self.place += 1
        match letter:
            case "(":
                return self._group()
            case "." | "^":
                return _Piece(letter, empty=letter == "^")
            case "[" | "\\":
                text = self._class() if letter == "[" else self._escape()
                return _Piece(text, empty=False)
            case "$" if self.place == len(self.pattern) or self.pattern[self.place] in "|)":
                self.ends = True
                return _Piece("\\n?\\z", empty=True)
            case _ if letter in _META or not letter.isprintable():
                raise _Different
        return _Piece(self._letter(letter), empty=False)

    def _group(self) -> _Piece:
        captures = not self._accept("?:")
        if captures and self.pattern[self.place : self.place + 1] == "?":
            raise _Different
        before, self.ends = self.ends, False
        inner = self.alternatives()
        ends, self.ends = self.ends, self.ends or before
        if not self._accept(")") or not inner.text:
            raise _Different
        if ends and self.pattern[self.place : self.place + 1] not in {"", "|", ")"}:
            raise _Different  # something may follow the newline that RE2 has taken
        if not captures:
            return _Piece(f"(?:{inner.text})", inner.empty, inner.groups)
        group = Group(inner.empty, ends=ends)
        return _Piece(f"({inner.text})", inner.empty, (group, *inner.groups))

    def _letter(self, letter: str) -> str:
        if not self._folds or not letter.isalpha():
            return letter
        return f"[{self._both(letter)}]"

    def _both(self, letter: str) -> str:
        """Write what `(?i)` takes for a letter."""
        if not letter.isascii():
            raise _Different
        return letter.lower() + letter.upper() + _FOLDED.get(letter.lower(), "")

    def _escape(self) -> str:
        letter = self.pattern[self.place : self.place + 1]
        self.place += 1
        if letter in _CLASSES:
            return f"[{_CLASSES[letter]}]"
        if letter in _NEGATED:
            return f"[^{_CLASSES[_NEGATED[letter]]}]"
        return self._escaped(letter)

    def _escaped(self, letter: str) -> str:
        plain = letter.isascii() and letter.isprintable() and not letter.isalnum()
        if not letter or not (plain or letter in _CONTROLS):
            raise _Different
        return f"\\{letter}"

    def _class(self) -> str:
        """Read a class of letters, ranges and short classes."""
        negated = self._accept("^")
        if negated and self._folds:
            raise _Different
        items: list[str] = []
        while not self._accept("]"):
            items.append(self._item(first=not items))
        if not items:
            raise _Different
        return f"[{'^' if negated else ''}{''.join(items)}]"

    def _item(self, *, first: bool) -> str:
        letter, text = self._member()
        follows = self.pattern[self.place : self.place + 2]
        if letter == "-" and not first and follows[:1] != "]":
            raise _Different
        if not letter or follows[:1] != "-" or follows == "-]":
            return self._both(letter) if self._folds and letter.isalpha() else text
        self.place += 1
        last, end = self._member()
        if not last or letter == "-" or letter > last:
            raise _Different
        return self._range(letter, last) if self._folds else f"{text}-{end}"

    def _range(self, first: str, last: str) -> str:
        """Write a range of letters of one case, or of none, for both cases."""
        if first.isdigit() and last.isdigit():
            return f"{first}-{last}"
        if not (first + last).isascii() or not (first + last).isalpha():
            raise _Different
        if first.islower() != last.islower():
            raise _Different
        return "".join(self._both(chr(code)) for code in range(ord(first), ord(last) + 1))

    def _member(self) -> tuple[str, str]:
        """Give a letter of a class, empty for a short class, and its text."""
        letter = self.pattern[self.place : self.place + 1]
        self.place += 1
        if letter == "\\":
            escaped = self.pattern[self.place : self.place + 1]
            self.place += 1
            if escaped in _CLASSES:
                return "", _CLASSES[escaped]
            return ("" if escaped.isalnum() else escaped), self._escaped(escaped)
        ampersands = letter == "&" and self.pattern[self.place : self.place + 1] == "&"
        if not letter or letter in "[]" or ampersands or not letter.isprintable():
            raise _Different
        return letter, f"\\{letter}" if letter in "-^" else letter

    def _accept(self, text: str) -> bool:
        if not self.pattern.startswith(text, self.place):
            return False
        self.place += len(text)
        return True
