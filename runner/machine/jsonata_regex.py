"""Regular expressions as JSONata means them (JavaScript's), which cannot hang a run.

In: the pattern between the slashes, its flags, and a text.  Out: matches.  Python's `re` does the
work after a small translation, but it cannot be stopped: where a pattern could take too long on a
text (several repeats of any length, or one inside another), a matcher that counts its steps takes
over.  Both read the same parsed pattern, so that they find the same.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from jsonata import Jsonata

from runner.machine.jsonata_errors import Complaint
from runner.machine.jsonata_steps import Program, Risk, assemble, risk_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsonata.regex_engine import RegexFlags

    from runner.machine.jsonata_meter import Meter
    from runner.machine.jsonata_text import Value

_SAFE = 20_000_000
"""Steps of `re` that pass in about a second."""

_SPACE = r"\s\ufeff"
_CLASSES = {"d": "0-9", "w": "A-Za-z0-9_", "s": _SPACE}
_ALONE = {
    "D": "[^0-9]",
    "W": "[^A-Za-z0-9_]",
    "S": f"[^{_SPACE}]",
    "b": r"(?a:\b)",
    "B": r"(?a:\B)",
    "/": "/",
    "-": r"\-",
    "0": r"\x00",
}
_PIECE = re.compile(
    r"\\(?:c([A-Za-z])|k<(\w+)>|u\{?([0-9A-Fa-f]{4,6})\}?|(.))|(\[\^?\]?)|(\])|(\$)|(\(\?<)(?=[A-Za-z_])",
    re.DOTALL,
)


class Compiled(NamedTuple):
    """A pattern, in both forms."""

    source: str
    expression: re.Pattern[str]
    flags: int
    risk: Risk


class Found(NamedTuple):
    """Where a match is, and its groups."""

    start: int
    end: int
    groups: tuple[str | None, ...]


def compile_pattern(source: str, flags: RegexFlags) -> Compiled:
    """Compile the pattern of a regex literal."""
    number = (re.IGNORECASE if flags.case_insensitive else 0) | (
        re.MULTILINE if flags.multiline else 0
    )
    text = _translated(source, multiline=flags.multiline)
    try:
        expression = re.compile(text, number)
        risk = risk_of(text, number)
    except (re.error, OverflowError, RecursionError) as error:
        shown = f"Invalid regular expression: /{source}/: {error}"
        raise Complaint("S0201", token=shown) from error
    return Compiled(source, expression, number, risk)


def _translated(source: str, *, multiline: bool) -> str:
    """Write JavaScript's pattern as Python's: digits and words are ASCII, `$` is the very end."""
    inside = False
    pieces: list[str] = []
    position = 0
    for piece in _PIECE.finditer(source):
        pieces.append(_between(source[position : piece.start()], inside=inside))
        position = piece.end()
        control, named, code, escaped, opened, closed, end, group = piece.groups()
        if opened and not inside:
            pieces.append(_opened(opened))
            inside = not opened.endswith("]")
        elif closed:
            inside = False
            pieces.append("]")
        elif end:
            pieces.append("$" if inside or multiline else r"\Z")
        elif group:
            pieces.append("(?P<")
        elif opened:
            pieces.append(opened.replace("[", r"\[").rstrip("]"))
            inside = not opened.endswith("]")
            pieces.append("" if inside else "]")
        else:
            pieces.append(_escape(control, named, code, escaped, inside=inside))
    pieces.append(source[position:])
    return "".join(pieces)


def _between(text: str, *, inside: bool) -> str:
    """Escape what Python warns of inside a class, for it may mean something one day."""
    return re.sub(r"([&~|])", r"\\\1", text) if inside else text


def _opened(text: str) -> str:
    return {"[]": "(?!)", "[^]": r"[\s\S]"}.get(text, text)


def _escape(
    control: str | None, named: str | None, code: str | None, escaped: str, *, inside: bool
) -> str:
    if control:
        return re.escape(chr(ord(control) % 32))
    if named:
        return f"(?P={named})"
    if code:
        return re.escape(chr(int(code, 16)))
    if inside:
        return _CLASSES.get(escaped) or (r"\x08" if escaped == "b" else _plain(escaped))
    if escaped in _CLASSES:
        return f"[{_CLASSES[escaped]}]"
    return _ALONE.get(escaped) or _plain(escaped)


def _plain(escaped: str) -> str:
    """Keep what both languages escape alike; any other letter stands for itself."""
    known = "fnrtvxDWSAZ" if escaped in "DWS" else "fnrtvx"
    if escaped.isalpha() and escaped.isascii() and escaped not in known:
        return escaped
    return f"\\{escaped}"


class Pattern(Jsonata.JLambda):  # type: ignore[misc]  # (the library is not typed)
    """A regular expression as a function of a text, which gives a match and the next ones."""

    arity = 2

    def __init__(self, compiled: Compiled, meter: Meter, _evaluator: object) -> None:
        """Take the pattern and whom its matching is charged to."""
        super().__init__(self._first)
        self.compiled = compiled
        self._meter = meter
        self._program: Program | None = None

    def _first(self, text: object = None, *_more: object) -> Value:
        if not isinstance(text, str):
            return None
        return self._closure(text, 0)

    def _closure(self, text: str, position: int) -> Value:
        found = self.search(text, position)
        if found is None:
            return None

        def following(*_arguments: object) -> Value:
            if found.end >= len(text):
                return None
            after = self._closure(text, found.end)
            if after is not None and after["match"] == "":
                raise Complaint("D1004", value=self.compiled.source)
            return after

        return {
            "match": text[found.start : found.end],
            "start": found.start,
            "end": found.end,
            "groups": list(found.groups),
            "next": Jsonata.JLambda(following),
        }

    def search(self, text: str, position: int) -> Found | None:
        """Find the next match from a position on."""
        self._meter.charge(64)
        if self.compiled.risk.bound(len(text) - position) <= _SAFE:
            match = self.compiled.expression.search(text, position)
            if match is None:
                return None
            return Found(match.start(), match.end(), match.groups())
        if self._program is None:
            self._program = assemble(self.compiled.expression.pattern, self.compiled.flags)
        spans = self._program.search(text, position, self._meter)
        if spans is None:
            return None
        last = 2 + 2 * self.compiled.expression.groups
        groups = zip(spans[2:last:2], spans[3:last:2], strict=True)
        return Found(
            spans[0], spans[1], tuple(None if end < 0 else text[start:end] for start, end in groups)
        )

    def matches(self, text: str) -> Iterator[dict[str, Value]]:
        """Find all matches, as `$match` and `$replace` want them."""
        match = self._first(text)
        while match is not None:
            yield match
            match = match["next"].call(None, [])
