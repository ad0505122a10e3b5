"""Where in the user's files a failed statement is wrong: Athena's line and column, traced back.

In: a table, the message of the failed statement.  Out: the place, also inside a macro or a loop,
or just the file when the message names none.  Renders again, so it is for failures only.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runner.errors import Place, ProjectError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from runner.app.bundle import Bundle, TableFacts
    from runner.query.rendered import Rendered

_POSITION = re.compile(r"line (\d+):(\d+): ")
_WORDS: tuple[re.Pattern[str], ...] = (
    re.compile(r"'([^']+)'"),
    re.compile(r" for function (\w+)"),
    re.compile(r"(?:function|aggregation|window) '?(\w+)"),
    re.compile(r"Cannot apply operator: .* (<=|<|=|\+|-|\*|/|%) "),
    re.compile(r"\bis (BETWEEN)\b"),
    re.compile(r"Cannot (cast|extract)\b"),
    re.compile(r"(JOIN) ON clause"),
)
"""What a message says of the text at its position, the surest first."""
_ALSO = {
    "=": ("=", "<>", "!="),
    "<": ("<", ">"),
    "<=": ("<=", ">="),
    "concat": ("concat", "||"),
}
"""Athena tells `a > b` as `b < a`, `a <> b` as `a = b`, and `a || b` as a call."""
_SHIFT = 40
"""Characters by which physical names and a window's values may move a column."""
_HEADS = (0, 1)
"""Lines that may stand before the user's text in a statement of ours."""


def message_only(message: str, place: Place) -> str:
    """Take the position out of a message that is shown beside its place, if that was found.

    >>> text = "COLUMN_NOT_FOUND: line 3:5: Column 'x' cannot be resolved"
    >>> message_only(text, Place("sql/a/b.sql", 7, 5))
    "COLUMN_NOT_FOUND: Column 'x' cannot be resolved"
    >>> message_only(text, Place("sql/a/b.sql")) == text
    True
    """
    return _POSITION.sub("", message, count=1) if place.line else message


def locate(
    root: Path,
    bundle: Bundle,
    table: TableFacts,
    message: str,
    *,
    variables: Mapping[str, str] | None = None,
) -> Place:
    """Give the place of the user's file that a statement's error message is about."""
    found = _POSITION.search(message)
    if found is None:
        return Place(table.file)
    try:
        rendered = _render(root, bundle, table, dict(variables or {}))
    except (ProjectError, OSError):  # the files have changed since
        return Place(table.file)
    offset = _offset(rendered.sample, int(found[1]), int(found[2]), message[found.end() :])
    return Place(table.file) if offset is None else rendered.locate(offset)


def _offset(text: str, line: int, column: int, message: str) -> int | None:
    r"""Find the position in the user's text: where what the message speaks of stands, or a word.

    >>> _offset("SELECT\n  a, b", 3, 6, "Column 'b' cannot be resolved")
    12
    >>> _offset("SELECT a\nFROM t WHERE a > '1'", 2, 16, "Cannot apply operator: x < y")
    24
    >>> _offset("SELECT a,\n  1 AND b", 2, 3, "Logical expression term must be ...")
    12
    """
    lines = text.split("\n")
    starts = [sum(len(one) + 1 for one in lines[:number]) for number in range(len(lines))]
    near = [(line - 1 - head, column - 1) for head in _HEADS if 0 <= line - 1 - head < len(lines)]
    for words in _words(message):
        found = [
            (abs(there - at), starts[index] + there)
            for index, at in near
            for word in words
            if (there := _nearest(lines[index].lower(), word.lower(), at)) is not None
        ]
        if found:
            return min(found, key=lambda one: one[0])[1]
    exact = [starts[index] + at for index, at in near if _begins(lines[index], at)]
    return exact[0] if len(exact) == 1 else None


def _words(message: str) -> Iterator[tuple[str, ...]]:
    for pattern in _WORDS:
        found = pattern.search(message)
        if found is not None:
            yield _ALSO.get(found[1], (found[1],))


def _nearest(line: str, word: str, at: int) -> int | None:
    """Give where a word stands in a line, next to a place and not far from it."""
    found = (match.start() for match in re.finditer(re.escape(word), line))
    close = [place for place in found if abs(place - at) <= _SHIFT]
    return min(close, key=lambda place: abs(place - at), default=None)


def _begins(line: str, at: int) -> bool:
    """Tell whether a word or a sign begins at a place of a line."""
    if at >= len(line) or line[at].isspace():
        return False
    return at == 0 or not (line[at - 1].isalnum() and line[at].isalnum())


def _render(root: Path, bundle: Bundle, table: TableFacts, given: dict[str, str]) -> Rendered:
    from runner.project import load_project  # noqa: PLC0415 - only after a failure
    from runner.query import load_macros, render  # noqa: PLC0415
    from runner.query.source import SourceFile, split_header  # noqa: PLC0415

    def source(path: str) -> SourceFile:
        text = (root / path).read_text("utf-8")
        offset = split_header(text, file=path).body_offset if path == table.file else 0
        return SourceFile(path, text, offset)

    project = load_project(
        root,
        environment=bundle.environment_name,
        variables=given,
        cache_dir=root / ".runner" / "cache",
    )
    loaded = next(one for one in project.tables if str(one.name) == table.name)
    time = loaded.partitioning.time
    paths = sorted((root / "sql" / "macros").glob("*.sql"))
    macros, _ = load_macros([source(path.relative_to(root).as_posix()) for path in paths])
    return render(
        source(table.file),
        macros=macros,
        variables={**project.config.vars, **project.environment.vars, **given},
        time_format=time[0][1] if len(time) == 1 else None,
    )
