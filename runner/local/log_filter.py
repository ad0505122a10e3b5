"""Filter patterns of CloudWatch Logs: those that look for words.

In: a pattern.  Out: what decides about a message.  Understood are words, phrases in quotation
marks, `?word` (any of these) and `-word` (none of these); a pattern of another form, which looks
into JSON or columns or has a regular expression, is refused by its name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TERM = re.compile(r'\s*([?-]?)(?:"((?:[^"\\]|\\.)*)"|(\w+))(?=\s|\Z)', re.ASCII)
_FORMS = {"{": "a JSON pattern", "[": "a pattern of columns", "%": "a regular expression"}


class UnknownFilterError(ValueError):
    """A pattern that is not understood here; the text says what it is."""


@dataclass(frozen=True, slots=True)
class LogFilter:
    """What a message must hold, and what it must not; all of it case by case."""

    every: tuple[str, ...] = ()
    any: tuple[str, ...] = ()
    none: tuple[str, ...] = ()

    def matches(self, message: str) -> bool:
        """Tell whether a message passes."""
        return (
            all(term in message for term in self.every)
            and (not self.any or any(term in message for term in self.any))
            and not any(term in message for term in self.none)
        )


def parse_filter(pattern: str) -> LogFilter:
    """Read a pattern; UnknownFilterError says what it is.

    >>> parse_filter('ERROR -healthcheck "no stock"')
    LogFilter(every=('ERROR', 'no stock'), any=(), none=('healthcheck',))
    """
    text = pattern.strip()
    if form := _FORMS.get(text[:1]):
        raise UnknownFilterError(form)
    terms: dict[str, list[str]] = {"": [], "?": [], "-": []}
    at = 0
    while at < len(text):
        match = _TERM.match(text, at)
        if match is None:
            word = text[at:].split()[0]
            raise UnknownFilterError(f"`{word}`, which is neither a word nor in quotation marks")
        quoted = match[2]
        word = match[3] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        terms[match[1]].append(word)
        at = match.end()
    if terms["?"] and (terms[""] or terms["-"]):
        raise UnknownFilterError("?words together with others")
    return LogFilter(tuple(terms[""]), tuple(terms["?"]), tuple(terms["-"]))
