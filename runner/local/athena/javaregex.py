r"""Patterns of Java's regular expressions as Python's `re` reads them.

In: a pattern.  Out: a compiled one; raises ValueError, with Athena's words for a pattern that is
none, with ours for one that has no faithful form here.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_SINGLE = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "a": "\a", "e": "\x1b", "v": "\v"}
_CLASSES = {
    "d": "0-9",
    "D": "\\x00-/:-\\U0010ffff",
    "w": "a-zA-Z0-9_",
    "W": "\\x00-/:-@\\[-\\^`{-\\U0010ffff",
    "s": "\\t-\\r\\x20",
    "S": "\\x00-\\x08\\x0e-\\x1f!-\\U0010ffff",
}
"""The short classes hold ASCII only; named ones, and \\b, know all letters."""
_NAMED = {
    "Alpha": "L M Nl",
    "Digit": "Nd",
    "Alnum": "L M Nl Nd",
    "Upper": "Lu",
    "Lower": "Ll",
    "Punct": "P",
    "Cntrl": "Cc",
}
_ASCII_CLASSES = {
    "ASCII": "\\x00-\\x7f",
    "XDigit": "0-9a-fA-F",
    "Space": "\\s",
    "Blank": "\\t\\x20",
}
_CATEGORIES = frozenset(
    """
    C Cc Cf Co Cs Cn L Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps
    S Sc Sk Sm So Z Zl Zp Zs
    """.split()  # noqa: SIM905 - a list of names
)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_OPENING = re.compile(
    r"\((?:\?(?:<(?![=!])(?P<name>[^>]*)>|(?P<plain>:|=|!|>|<=|<!|#)|(?P<flags>[a-zA-Z-]*)(?P<end>[:)])))?"
)


def _refused(what: str) -> ValueError:
    return ValueError(
        f"NOT_SUPPORTED: {what} in a regular expression is not supported by the local engine"
    )


def _bad(why: str) -> ValueError:
    return ValueError(f"INVALID_FUNCTION_ARGUMENT: {why}")


@lru_cache(maxsize=512)
def compile_java(pattern: str) -> re.Pattern[str]:
    r"""Compile a pattern.

    >>> compile_java(r"(?<word>[a-z&&[^x]]+)\z").fullmatch("abc")["word"]
    'abc'
    """
    text = _Translator(pattern).translate()
    try:
        return re.compile(text)
    except re.error as error:
        if "look-behind " in str(error):
            raise _refused("A look-behind of no fixed width") from error
        raise _bad(str(error)) from error
    except OverflowError as error:
        raise _bad(str(error)) from error


@dataclass
class _Translator:
    """Walks over a pattern once; `depth` holds how many groups of flags each group has open."""

    pattern: str
    place: int = 0

    def translate(self) -> str:
        """Translate the whole pattern."""
        self._opened = [0]
        self._comments = [False]
        out: list[str] = []
        while self.place < len(self.pattern):
            out.append(self._next())
        if len(self._opened) != 1:
            raise _bad("end pattern with unmatched parenthesis")
        return "".join(out) + ")" * self._opened[0]

    def _next(self) -> str:
        letter = self.pattern[self.place]
        if letter == "\\":
            return self._escape(inside=False)
        if letter == "[":
            return self._bracket()
        if letter == "(":
            return self._group()
        self.place += 1
        if letter == ")":
            if len(self._opened) == 1:
                raise _bad("unmatched close parenthesis")
            self._comments.pop()
            return ")" * (self._opened.pop() + 1)
        if letter == "{" and not re.match(r"\d+(,\d*)?\}", self.pattern[self.place :]):
            return "\\{"
        if letter == "#" and self._comments[-1]:
            raise _refused("A comment")
        return letter

    def _group(self) -> str:
        match = _OPENING.match(self.pattern, self.place)
        if match is None:
            raise _bad("undefined group option")
        self.place = match.end()
        if match["plain"] == "#":
            end = self.pattern.find(")", self.place)
            if end < 0:
                raise _bad("end pattern in group")
            self.place = end + 1
            return ""
        if match["end"] == ")":
            return self._flags_on(match["flags"])
        self._opened.append(0)
        self._comments.append(self._comments[-1] or "x" in (match["flags"] or ""))
        if match["name"] is not None:
            if not _NAME.fullmatch(match["name"]):
                raise _bad(f"invalid group name <{match['name']}>")
            return f"(?P<{match['name']}>"
        if match["flags"] is not None:
            _check_flags(match["flags"])
        return match[0]

    def _flags_on(self, flags: str) -> str:
        """Let flags hold to the end of their group."""
        _check_flags(flags)
        self._opened[-1] += 1
        self._comments[-1] = self._comments[-1] or "x" in flags.partition("-")[0]
        return f"(?{flags}:"

    def _escape(self, *, inside: bool) -> str:  # noqa: PLR0911 - one return a form
        """Translate what begins with a backslash."""
        if self.place + 1 >= len(self.pattern):
            raise _bad("end pattern at escape")
        letter = self.pattern[self.place + 1]
        self.place += 2
        if letter == "Q" and not inside:
            end = self.pattern.find("\\E", self.place)
            quoted = self.pattern[self.place : end if end >= 0 else None]
            self.place = end + 2 if end >= 0 else len(self.pattern)
            return re.escape(quoted)
        if letter in "pP":
            body = self._property(negated=letter == "P")
            return body if inside else f"[{body}]"
        if letter in "xu0c":
            return re.escape(self._code(letter))
        if letter in _SINGLE:
            return re.escape(_SINGLE[letter])
        if letter in _CLASSES:
            return _CLASSES[letter] if inside else f"[{_CLASSES[letter]}]"
        if letter.isdigit() and not inside:
            return f"\\{letter}"
        if not inside and letter in "bBAzZk":
            return self._anchor(letter)
        if letter.isascii() and letter.isalnum():
            raise _refused(f"\\{letter}")
        return re.escape(letter)

    def _anchor(self, letter: str) -> str:
        if letter == "k":
            match = re.compile(r"<(\w+)>").match(self.pattern, self.place)
            if match is None:
                raise _bad("invalid backref number/name")
            self.place = match.end()
            return f"(?P={match[1]})"
        return {"z": "\\Z", "Z": "(?=\\n?\\Z)"}.get(letter, f"\\{letter}")

    def _code(self, letter: str) -> str:
        forms = {
            "x": r"([0-9a-fA-F]{1,2})|\{([0-9a-fA-F]+)\}",
            "u": r"([0-9a-fA-F]{4})",
            "0": r"([0-7]{1,3})",
            "c": r"([@-_a-z])",
        }
        match = re.compile(forms[letter]).match(self.pattern, self.place)
        if match is None:
            raise _bad(f"invalid escape \\{letter}")
        self.place = match.end()
        digits = next(each for each in match.groups() if each)
        if letter == "c":
            return chr(ord(digits.upper()) ^ 64)
        return chr(int(digits, 8 if letter == "0" else 16))

    def _property(self, *, negated: bool) -> str:
        match = re.compile(r"\{(\^?)(\w+)\}|([A-Z])").match(self.pattern, self.place)
        if match is None:
            raise _bad("invalid character property name")
        self.place = match.end()
        name = (match[2] or match[3]).removeprefix("Is")
        known = {each.lower(): each for each in (*_NAMED, *_ASCII_CLASSES, *_CATEGORIES)}
        if name.lower() not in known:
            raise _refused(f"The property \\p{{{name}}}")
        return class_of(known[name.lower()], negated=negated != bool(match[1]))

    def _bracket(self) -> str:
        """Translate a class; an intersection becomes look-aheads."""
        self.place += 1
        negated = self.pattern.startswith("^", self.place)
        self.place += negated
        sides = [self._side(first=True)]
        while self.pattern.startswith("&&", self.place):
            self.place += 2
            sides.append(self._side(first=False))
        if self.place >= len(self.pattern):
            raise _bad("premature end of char-class")
        self.place += 1
        if len(sides) == 1 and sides[0].startswith("["):
            return f"[^{sides[0][1:]}" if negated else sides[0]
        both = "".join(f"(?={side})" for side in sides)
        return f"(?:(?!{both})[\\s\\S])" if negated else f"(?:{both}[\\s\\S])"

    def _side(self, *, first: bool) -> str:
        """Translate a union of characters, ranges and nested classes."""
        plain, nested = "", list[str]()
        while self.place < len(self.pattern):
            letter = self.pattern[self.place]
            if (letter == "]" and (plain or nested or not first)) or self.pattern.startswith(
                "&&", self.place
            ):
                break
            if letter == "[" and self.pattern.startswith("[:", self.place):
                plain += self._posix()
            elif letter == "[":
                nested.append(self._bracket())
            elif letter == "\\":
                plain += self._escape(inside=True)
            else:
                self.place += 1
                plain += "\\" + letter if letter in "[]^&~|\\" else letter
        if plain.endswith("-"):
            plain = plain[:-1] + "\\-"
        parts = [*([f"[{plain}]"] if plain else []), *nested]
        if not parts:
            raise _bad("empty char-class")
        return parts[0] if len(parts) == 1 else f"(?:{'|'.join(parts)})"

    def _posix(self) -> str:
        match = re.compile(r"\[:(\^?)(\w+):\]").match(self.pattern, self.place)
        if match is None:
            raise _refused("[: in a class")
        known = {each.lower(): each for each in (*_NAMED, *_ASCII_CLASSES)}
        if match[2] not in known:
            raise _refused(f"[:{match[2]}:]")
        self.place = match.end()
        return class_of(known[match[2]], negated=bool(match[1]))


def _check_flags(flags: str) -> None:
    strange = set(flags) - set("imsx-")
    if strange:
        raise _bad("undefined group option")


@lru_cache(maxsize=64)
def class_of(name: str, *, negated: bool) -> str:
    """Write a property as the inside of a class."""
    if name in _ASCII_CLASSES and not negated:
        return _ASCII_CLASSES[name]
    if name in _ASCII_CLASSES:
        wanted = re.compile(f"[{_ASCII_CLASSES[name]}]")
        return _ranges([not wanted.match(chr(each)) for each in range(sys.maxunicode + 1)])
    kinds = _NAMED.get(name, name).split()
    found = [
        any(unicodedata.category(chr(each)).startswith(kind) for kind in kinds) != negated
        for each in range(sys.maxunicode + 1)
    ]
    return _ranges(found)


def _ranges(wanted: list[bool]) -> str:
    pieces: list[str] = []
    start = -1
    for number, each in enumerate([*wanted, False]):
        if each and start < 0:
            start = number
        elif not each and start >= 0:
            pieces.append(f"\\U{start:08x}-\\U{number - 1:08x}")
            start = -1
    return "".join(pieces)
