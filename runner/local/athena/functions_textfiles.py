"""Functions over the lines of text files: fields of CSV with quotes, timestamps with patterns."""

from __future__ import annotations

import re
from contextlib import suppress

from runner.local.athena.functions_dates import joda_instant
from runner.local.athena.javaregex import compile_java
from runner.local.athena.udfs import Udf

_PLAIN = re.compile(r"\d{4}-\d\d?-\d\d? \d\d?:\d\d?:\d\d?(\.\d{1,9})?")
_MILLIS = "millis"


def csv_fields(line: str | None, separator: str, quote: str, escape: str) -> list[str] | None:
    """Split a line as the opencsv library does, which is not quite as RFC 4180 has it.

    >>> csv_fields("a,'b, ''c''!',d'e'f", ",", "'", "/")
    ['a', "b, 'c'!", "d'e'f"]
    """
    if line is None:
        return None
    return _Line(line, separator, quote, escape).fields()


class _Line:
    """A line while it is split."""

    def __init__(self, line: str, separator: str, quote: str, escape: str) -> None:
        self._line = line
        self._marks = (separator, quote, escape)
        self._text: list[str] = []
        self._found: list[str] = []
        self._in_quotes = self._in_field = False

    def fields(self) -> list[str]:
        """Split it; a field whose quote is never closed is left out."""
        separator, quote, escape = self._marks
        place = 0
        while place < len(self._line):
            letter = self._line[place]
            if letter == escape:
                place += self._escaped(place)
            elif letter == quote:
                place += self._quoted(place)
            elif letter == separator and not self._in_quotes:
                self._found.append("".join(self._text))
                self._text.clear()
                self._in_field = False
            else:
                self._text.append(letter)
                self._in_field = True
            place += 1
        return self._found if self._in_quotes else [*self._found, "".join(self._text)]

    def _next(self, place: int) -> str:
        return self._line[place + 1 : place + 2]

    def _escaped(self, place: int) -> int:
        """Take what an escape makes plain; gives how many letters that is."""
        after = self._next(place)
        if (self._in_quotes or self._in_field) and after and after in self._marks[1:]:
            self._text.append(after)
            return 1
        return 0

    def _quoted(self, place: int) -> int:
        """Open or close quotes, or take a quote that is part of the text."""
        separator, quote, _ = self._marks
        after = self._next(place)
        if (self._in_quotes or self._in_field) and after == quote:
            self._text.append(after)
            self._in_field = not self._in_field
            return 1
        self._in_quotes = not self._in_quotes
        inside = place > 2 and self._line[place - 1] != separator  # noqa: PLR2004 - the library's
        if inside and after and after != separator:
            if self._text and not "".join(self._text).strip():
                self._text.clear()
            else:
                self._text.append(quote)
        self._in_field = not self._in_field
        return 0


def text_timestamp(text: str | None, formats: str) -> int | None:
    """Read a timestamp by the first pattern that fits, as microseconds; raises ValueError.

    >>> text_timestamp("2013-01-02T00:00:00.5Z", "yyyy-MM-dd'T'HH:mm:ss.S'Z'")
    1357084800500000
    """
    if text is None:
        return None
    for pattern in formats.split(","):
        with suppress(ValueError):
            if pattern.strip() == _MILLIS:
                return round(float(text) * 1000)
            return joda_instant(text, pattern)
    if _PLAIN.fullmatch(text):
        pattern = "yyyy-MM-dd HH:mm:ss" + (".S" if "." in text else "")
        return joda_instant(text, pattern)
    raise ValueError(f"HIVE_CURSOR_ERROR: Cannot create timestamp, parsing error {text}")


def text_groups(line: str | None, pattern: str) -> list[str | None] | None:
    """Give the groups of a line that a Java pattern matches whole; None if it does not.

    >>> text_groups("ab", "(?=a)(.)(x)?(.)"), text_groups("b", "(?=a)(.)")
    (['a', None, 'b'], None)
    """
    match = None if line is None else compile_java(pattern).fullmatch(line)
    return None if match is None else list(match.groups())


FUNCTIONS = {
    "__line_fields": Udf(csv_fields, ("VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR"), "VARCHAR[]"),
    "__line_groups": Udf(text_groups, ("VARCHAR", "VARCHAR"), "VARCHAR[]"),
    "__line_timestamp": Udf(text_timestamp, ("VARCHAR", "VARCHAR"), "BIGINT"),
}
