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
class SourceFile:
    """A file of Jinja and SQL: its path in the project, its whole text, where its body begins."""

    path: str
    text: str
    body_offset: int = 0

    def place(self, offset: int) -> Place:
        """Give line and column of an offset in the whole text."""
        line, column = line_and_column(self.text, offset)
        return Place(self.path, line, column)

    def padded(self) -> str:
        """Blank out what stands before the body, so that offsets and lines stay the file's."""
        head = re.sub(r"[^\n]", " ", self.text[: self.body_offset])
        return head + self.text[self.body_offset :]


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    r"""Count lines and columns from 1.

    >>> line_and_column("ab\ncd", 4)
    (2, 2)
    """
    offset = max(0, min(offset, len(text)))
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


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
