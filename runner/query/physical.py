"""The text that Athena gets: the analyst's own, with an environment's database names put in.

In: rendered SQL, its analysis, the physical names of the databases.  Out: `SqlText` in which only
database tokens of the project's tables differ from the file (SEMANTICS 25, 28).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.model.names import TableName
from runner.model.sqltext import Mark, SqlText

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from runner.query.facts import Analysis
    from runner.query.rendered import Rendered

Edit = tuple[int, int, str]
"""Start, end and new text of a replaced piece; offsets of `Rendered.sample`."""


def physical(
    rendered: Rendered,
    analysis: Analysis,
    *,
    tables: Collection[TableName],
    databases: Mapping[str, str],
) -> SqlText:
    """Write the environment's database names; unqualified tables of the project become qualified.

    `databases` maps a logical database to its physical name; what it lacks keeps its name.
    """
    project = _named(analysis, tables) | {str(analysis.name)}
    return _edited(rendered, _edits(rendered.sample, analysis, project, databases))


def _edited(rendered: Rendered, edits: Iterable[Edit]) -> SqlText:
    parts: list[str | Mark] = []
    position = 0
    for start, end, text in sorted(set(edits)):
        parts += _between(rendered, position, start)
        parts.append(text)
        position = end
    parts += _between(rendered, position, len(rendered.sample))
    return SqlText(tuple(_joined(parts)))


def without_itself(
    rendered: Rendered,
    analysis: Analysis,
    *,
    tables: Collection[TableName],
    databases: Mapping[str, str],
) -> SqlText:
    """Write the text of a table that reads itself as if a CTE of its name stood for the table.

    Before its first write there is no table to read; whoever needs the text's columns then puts
    an empty CTE before it.
    """
    own, name = str(analysis.name), analysis.name.table
    edits = [
        (mention.start, mention.end, f'"{name}"')
        for mention in analysis.mentions
        if mention.table == own
    ]
    edits += [
        (column.database_start, column.database_end + 1, "")  # the dot as well
        for column in analysis.column_mentions
        if column.table == own
    ]
    others = _named(analysis, tables) - {own}
    edits += _edits(rendered.sample, analysis, others, databases)
    return _edited(rendered, edits)


def _named(analysis: Analysis, tables: Collection[TableName]) -> set[str]:
    """Give the tables of the project that the text names."""
    named = {mention.table for mention in analysis.mentions}
    named |= {column.table for column in analysis.column_mentions}
    return {text for text in named if TableName.split(text) in tables}


def _edits(
    sample: str, analysis: Analysis, project: set[str], databases: Mapping[str, str]
) -> Iterator[Edit]:
    for mention in analysis.mentions:
        if mention.table not in project:
            continue
        logical = mention.table.partition(".")[0]
        name = databases.get(logical, logical)
        if mention.database_start == mention.database_end:
            yield mention.start, mention.start, f"{name}."
        else:
            yield _renamed(sample, mention.database_start, mention.database_end, name, logical)
    for column in analysis.column_mentions:
        if column.table in project:
            logical = column.table.partition(".")[0]
            name = databases.get(logical, logical)
            yield _renamed(sample, column.database_start, column.database_end, name, logical)


def _renamed(sample: str, start: int, end: int, name: str, logical: str) -> Edit:
    """Replace what stands between the quotes, and nothing when the name stays."""
    if name == logical:
        return start, end, sample[start:end]
    if sample[start] in '"`':
        return start + 1, end - 1, name
    return start, end, name


def _between(rendered: Rendered, start: int, end: int) -> Iterator[str | Mark]:
    position = start
    for printed in rendered.printed:
        if start <= printed.sample_start < end:
            yield rendered.sample[position : printed.sample_start]
            yield printed.mark
            position = printed.sample_end
    yield rendered.sample[position:end]


def _joined(parts: list[str | Mark]) -> Iterator[str | Mark]:
    text = ""
    for part in parts:
        if isinstance(part, Mark):
            if text:
                yield text
            yield part
            text = ""
        else:
            text += part
    if text:
        yield text
