"""The SQL of each mask: what stands for a column, and how a reader of SQL knows that it is masked.

In: SQL of a value and the mask's settings.  Out: SQL text, between two comments that lineage reads
(`/*mask:domain*/ ... /*mask:end*/`): personal data between them goes no further.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runner.model.sqltext import Mark
from runner.query.lexer import lex

if TYPE_CHECKING:
    from collections.abc import Sequence

OPENING = "/*mask:"
CLOSING = "/*mask:end*/"
OLDEST = 90
"""Ages from here on are one group: the old are few, and easy to find."""
END_DAY = Mark("end", format="yyyy-MM-dd")
_KEY = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){2}\Z")

Parts = tuple[str | Mark, ...]


def enclosed(method: str, *parts: str | Mark) -> Parts:
    """Put a mask's SQL between the comments by which it is known."""
    return (f"{OPENING}{method}*/", *parts, CLOSING)


def quoted(name: str) -> str:
    """Write a column's name so that no word of SQL is in its way."""
    return f'"{name}"'


def literal(value: object) -> str:
    """Write a constant as SQL; a text is a varchar of any length.

    >>> literal("it's"), literal(7), literal(True)
    ("CAST('it''s' AS varchar)", '7', 'true')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return repr(value)
    escaped = str(value).replace("'", "''")
    return f"CAST('{escaped}' AS varchar)"


def null(value: str) -> Parts:
    """Give NULL of the value's own type."""
    return enclosed("null", f"IF(false, {value})")


def domain(value: str) -> Parts:
    """Give what follows the last @, in small letters; NULL for a text without one."""
    return enclosed("domain", f"lower(regexp_extract(CAST({value} AS varchar), '@([^@]+)$', 1))")


def truncate(value: str, count: int) -> Parts:
    """Give the first characters of a text."""
    return enclosed("truncate", f"substr(CAST({value} AS varchar), 1, {count})")


def constant(value: object) -> Parts:
    """Give one value."""
    return enclosed("constant", literal(value))


def is_key(text: object) -> bool:
    """Tell whether a text names the column that holds a key."""
    return isinstance(text, str) and _KEY.match(text) is not None


def keyed_hash(value: str, key: str) -> Parts:
    """Give HMAC-SHA256 as 64 hex digits; the key is what the one row of its table holds."""
    table, _, column = key.rpartition(".")
    secret = f"to_utf8(CAST((SELECT {quoted(column)} FROM {table}) AS varchar))"
    text = f"to_utf8(CAST({value} AS varchar))"
    return enclosed("hash", f"lower(to_hex(hmac_sha256({text}, {secret})))")


def age_decade(value: str, day: Sequence[str | Mark]) -> Parts:
    """Give the age at a day, cut to tens; NULL where there is no birthday before it."""
    born = f"TRY_CAST({value} AS date)"
    return enclosed(
        "age_decade",
        f"IF({born} <= ",
        *day,
        f", least(date_diff('year', {born}, ",
        *day,
        f") / 10 * 10, {OLDEST}))",
    )


def last_day() -> Parts:
    """Write the last day of the run's window."""
    return ("DATE '", END_DAY, "'")


def day_of(value: str) -> Parts:
    """Write the day of a column that is a date, a timestamp or text that begins with a date."""
    return (f"CAST(substr(CAST({value} AS varchar), 1, 10) AS date)",)


def day_of_partition(columns: Sequence[tuple[str, str]]) -> Parts:
    """Write the first day of a row's partition; each column comes with its date pattern."""
    texts = " || '-' || ".join(f"CAST({quoted(name)} AS varchar)" for name, _ in columns)
    pattern = "-".join(pattern for _, pattern in columns)
    return (f"CAST(parse_datetime({texts}, '{pattern}') AS date)",)


def spans(sample: str) -> tuple[tuple[int, int], ...]:
    """Find the masked pieces of a statement."""
    if OPENING not in sample:
        return ()
    found: list[tuple[int, int]] = []
    opened: list[int] = []
    for token in lex(sample, hive=False):
        if token.kind != "comment" or not token.text.startswith(OPENING):
            continue
        if token.text != CLOSING:
            opened.append(token.start)
        elif opened:
            found.append((opened.pop(), token.end))
    return tuple(found)
