"""Text of a file as the user edits it: offsets to places, and the header block in front of SQL."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

from runner.errors import Fault, Place, ProjectError

_OPENING = re.compile(r"\s*/\*---")
_CLOSING = re.compile(r"^[ \t]*---\*/|---\*/", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class HeaderSplit:
    """A SQL file cut in two: the YAML of its header block, and the body."""

    header_yaml: str
    """The text between `/*---` and `---*/`; empty without a header."""
    header_line: int
    """Line of the file on which `header_yaml` begins (its first characters follow `/*---`)."""
    body: str
    body_offset: int
    """Offset of the body in the file's text."""
    body_line: int


@dataclass(frozen=True, slots=True)
class Within:
    """The file in which a text stands as a value of YAML."""

    text: str
    """All of the file."""
    offsets: tuple[int, ...]
    """Where in it each character of the value stands."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of Jinja and SQL: its path in the project, its whole text, where its body begins."""

    path: str
    text: str
    body_offset: int = 0
    within: Within | None = None
    """Of SQL that is a value in a file of YAML: that file, which `path` names."""

    def place(self, offset: int) -> Place:
        """Give line and column of an offset in the whole text."""
        if self.within is None:
            return Place(self.path, *line_and_column(self.text, offset))
        offsets = self.within.offsets
        moved = offsets[max(0, min(offset, len(offsets) - 1))]
        return Place(self.path, *line_and_column(self.within.text, moved))

    def padded(self) -> str:
        """Blank out what stands before the body, so that offsets and lines stay the file's."""
        head = re.sub(r"[^\n]", " ", self.text[: self.body_offset])
        return head + self.text[self.body_offset :]


def value_within(text: str, start: int, value: str) -> Within:
    """Find each character of a scalar of YAML that begins at an offset of a file.

    Of block scalars, plain and quoted ones; what cannot be found stands where the scalar begins.
    """
    walk = _Walk(text, start)
    offsets: list[int] = []
    for character in value:
        found = walk.find(character)
        if found is None:
            return Within(text, (start,))
        offsets.append(found)
    return Within(text, (*offsets, walk.position))


class _Walk:
    """Goes through the text of a scalar, one character of its value after the other."""

    def __init__(self, text: str, start: int) -> None:
        self._text = text
        first = text[start : start + 1]
        self._quote = first if first in ("'", '"') else ""
        self.position = start + len(self._quote)
        if first in ("|", ">"):
            self.position = text.find("\n", start) + 1

    def find(self, character: str) -> int | None:
        if character.isspace():
            return self._space(character)
        while self._text[self.position : self.position + 1].isspace():
            self.position += 1
        found = self.position
        written = self._escaped(character)
        if not self._text.startswith(written, found):
            return None
        self.position += len(written)
        return found

    def _space(self, character: str) -> int:
        """Go over white space, which YAML folds and strips as it likes."""
        found = self.position
        escape = {"\n": "\\n", "\t": "\\t"}.get(character, "")
        if self._quote == '"' and escape and self._text.startswith(escape, found):
            self.position += len(escape)
        elif self._text.startswith(character, found):
            self.position += 1
        return found

    def _escaped(self, character: str) -> str:
        if self._quote == "'" and character == "'":
            return "''"
        return f"\\{character}" if self._quote == '"' and character in '"\\' else character


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    r"""Count lines and columns from 1.

    >>> line_and_column("ab\ncd", 4)
    (2, 2)
    """
    offset = max(0, min(offset, len(text)))
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def offset_of(text: str, line: int, column: int) -> int:
    r"""Give the offset of a line and column, which count from 1.

    >>> offset_of("ab\ncd", 2, 2)
    4
    """
    starts = line_starts(text)
    return min(starts[min(line, len(starts)) - 1] + column - 1, len(text))


def line_starts(text: str) -> list[int]:
    """Give the offset at which each line begins."""
    return [0, *(match.end() for match in re.finditer("\n", text))]


def line_at(starts: list[int], offset: int) -> int:
    """Give the index (from 0) of the line that holds the offset."""
    return bisect_right(starts, offset) - 1


def split_header(text: str, *, file: str) -> HeaderSplit:
    r"""Cut the leading `/*--- ... ---*/` block off; ProjectError when it never ends.

    >>> split = split_header("/*---\nkind: view\n---*/\nSELECT 1\n", file="a.sql")
    >>> split.header_yaml, split.header_line, split.body, split.body_line
    ('\nkind: view\n', 1, '\nSELECT 1\n', 3)
    """
    opening = _OPENING.match(text.removeprefix("\ufeff"))
    if opening is None:
        return HeaderSplit("", 1, text, 0, 1)
    shift = len(text) - len(text.removeprefix("\ufeff"))
    begin = opening.end() + shift
    closing = _CLOSING.search(text, begin)
    if closing is None:
        raise ProjectError([_unterminated(text, begin, file=file)])
    header_line = line_and_column(text, begin)[0]
    body_line = line_and_column(text, closing.end())[0]
    header = text[begin : closing.start()]
    return HeaderSplit(header, header_line, text[closing.end() :], closing.end(), body_line)


def _unterminated(text: str, begin: int, *, file: str) -> Fault:
    line, column = line_and_column(text, begin - len("/*---"))
    wrong_end = text.find("*/", begin)
    found = "a header that begins with /*--- and never ends"
    if wrong_end >= 0:
        found += f"; the comment ends at line {line_and_column(text, wrong_end)[0]} with a bare */"
    return Fault(
        Place(file, line, column),
        "header-unclosed",
        found,
        "the header's last line is ---*/",
        "close the header with ---*/ before the SQL begins",
    )
