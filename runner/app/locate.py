"""Where in the user's files a failed statement is wrong: Athena's line and column, traced back.

In: a table, the message of the failed statement.  Out: the place, also inside a macro or a loop,
or just the file when the message names none.  Renders again, so it is for failures only.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runner.errors import Place, ProjectError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from runner.app.bundle import Bundle, TableFacts
    from runner.query.rendered import Rendered

_POSITION = re.compile(r"line (\d+):(\d+): ")
_QUOTED = re.compile(r"'([^']+)'")
_SHIFT = 40
"""Characters by which physical names and a window's values may move a column."""
_HEADS = (0, 1)
"""Lines that may stand before the user's text in a statement of ours."""


def message_only(message: str) -> str:
    """Take the position out of a message that is shown beside its place.

    >>> message_only("COLUMN_NOT_FOUND: line 3:5: Column 'x' cannot be resolved")
    "COLUMN_NOT_FOUND: Column 'x' cannot be resolved"
    """
    return _POSITION.sub("", message, count=1)


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
    r"""Find the position in the user's text: where the name stands that the message quotes.

    >>> _offset("SELECT\n  a, b", 3, 6, "Column 'b' cannot be resolved")
    12
    """
    named = _QUOTED.search(message)
    lines = text.split("\n")
    for head in _HEADS:
        index = line - 1 - head
        if not 0 <= index < len(lines) or named is None:
            continue
        there = lines[index].lower().find(named[1].lower(), max(0, column - 1 - _SHIFT))
        if 0 <= there <= column - 1 + _SHIFT:
            return sum(len(one) + 1 for one in lines[:index]) + there
    return None


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
