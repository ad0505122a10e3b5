"""Statements that users write for a mart (`before`, `after` of a load), as far as we read them.

In: SQL of MySQL, MariaDB or SQLite.  Out: what a load has to know about it.
"""

from __future__ import annotations

import re

_COMMITS = re.compile(
    r"(alter|analyze|begin|change\s|check\s+table|commit|create|drop|flush|grant|install|load\s|"
    r"lock|optimize|purge|rename|repair|reset|revoke|rollback|start|stop|truncate|uninstall|unlock)",
    re.IGNORECASE,
)
"""dev.mysql.com/doc/refman/8.4/en/implicit-commit.html"""
_TEMPORARY = re.compile(r"(create|drop)\s+temporary\s+table", re.IGNORECASE)
_ENDS = re.compile(r"(begin|commit|end|rollback)\b", re.IGNORECASE)
_COMMENT = re.compile(r"\s*(/\*.*?\*/|--[^\n]*(?:\n|\Z)|#[^\n]*(?:\n|\Z))", re.DOTALL)
_PART = re.compile(
    r"(?P<comment>/\*.*?\*/|--(?=\s|\Z)[^\n]*|#[^\n]*)"
    r"|(?P<quoted>'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\"|`[^`]*`)"
    r"|(?P<end>;)"
    r"|(?P<other>.)",
    re.DOTALL,
)


def commits(statement: str) -> bool:
    r"""Tell whether a MySQL statement ends the transaction.

    >>> commits("-- first\n TRUNCATE t"), commits("create temporary table t (x int)")
    (True, False)
    """
    text = _without_head(statement)
    return bool(_COMMITS.match(text)) and not _TEMPORARY.match(text)


def ends_transaction(statement: str) -> bool:
    """Tell whether a SQLite statement ends the transaction, or begins one inside it.

    >>> ends_transaction("COMMIT"), ends_transaction("CREATE TABLE t (x)")
    (True, False)
    """
    return bool(_ENDS.match(_without_head(statement)))


def count_statements(text: str) -> int:
    r"""Count the statements of a text; semicolons in literals, names and comments end none.

    >>> count_statements("DO 1; -- ; and\n DELETE FROM t WHERE a = ';';"), count_statements(";")
    (2, 0)
    """
    count, inside = 0, False
    for match in _PART.finditer(text):
        match match.lastgroup:
            case "end":
                count, inside = count + inside, False
            case "quoted":
                inside = True
            case "other" if not match[0].isspace():
                inside = True
            case _:
                pass
    return count + inside


def _without_head(statement: str) -> str:
    """Take away blanks and comments at the beginning."""
    text = statement
    while match := _COMMENT.match(text):
        text = text[match.end() :]
    return text.lstrip()
