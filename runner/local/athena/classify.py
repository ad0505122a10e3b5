"""What a statement is, by its first words: what GetQueryExecution tells of it from the start.

In: a statement's tokens.  Out: StatementType and SubstatementType, which also decide the name of
the result file; a statement that nobody knows has none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.local.athena.lexer import Token

StatementType = Literal["DML", "DDL", "UTILITY"]


class Classified(NamedTuple):
    """StatementType and SubstatementType."""

    kind: StatementType
    substatement: str


_OPENINGS: tuple[tuple[str, StatementType, str], ...] = (
    ("SELECT", "DML", "SELECT"),
    ("WITH", "DML", "SELECT"),
    ("(", "DML", "SELECT"),
    ("VALUES", "DML", "SELECT"),
    ("TABLE", "DML", "SELECT"),
    ("INSERT INTO", "DML", "INSERT"),
    ("MERGE INTO", "DML", "MERGE"),
    ("DELETE FROM", "DML", "DELETE"),
    ("UPDATE", "DML", "UPDATE"),
    ("UNLOAD", "DML", "UNLOAD"),
    ("CREATE EXTERNAL TABLE", "DDL", "CREATE_TABLE"),
    ("CREATE OR REPLACE VIEW", "DDL", "CREATE_VIEW"),
    ("CREATE VIEW", "DDL", "CREATE_VIEW"),
    ("CREATE DATABASE", "DDL", "CREATE_DATABASE"),
    ("CREATE SCHEMA", "DDL", "CREATE_DATABASE"),
    ("ALTER DATABASE", "DDL", "ALTER_DATABASE"),
    ("ALTER SCHEMA", "DDL", "ALTER_DATABASE"),
    ("DROP TABLE", "DDL", "DROP_TABLE"),
    ("DROP VIEW", "DDL", "DROP_VIEW"),
    ("DROP DATABASE", "DDL", "DROP_DATABASE"),
    ("DROP SCHEMA", "DDL", "DROP_DATABASE"),
    ("MSCK REPAIR TABLE", "DDL", "MSCK_REPAIR_TABLE"),
    ("OPTIMIZE", "DDL", "OPTIMIZE"),
    ("VACUUM", "DML", "VACUUM"),
    ("SHOW TABLES", "UTILITY", "SHOW_TABLES"),
    ("SHOW VIEWS", "UTILITY", "SHOW_VIEWS"),
    ("SHOW DATABASES", "UTILITY", "SHOW_DATABASES"),
    ("SHOW SCHEMAS", "UTILITY", "SHOW_DATABASES"),
    ("SHOW COLUMNS", "UTILITY", "SHOW_COLUMNS"),
    ("SHOW PARTITIONS", "UTILITY", "SHOW_PARTITIONS"),
    ("SHOW TBLPROPERTIES", "UTILITY", "SHOW_TBLPROPERTIES"),
    ("SHOW CREATE TABLE", "UTILITY", "SHOW_CREATE_TABLE"),
    ("SHOW CREATE VIEW", "UTILITY", "SHOW_CREATE_VIEW"),
    ("DESCRIBE", "UTILITY", "DESCRIBE_TABLE"),
    ("DESC", "UTILITY", "DESCRIBE_TABLE"),
    ("EXPLAIN", "UTILITY", "EXPLAIN"),
    ("PREPARE", "UTILITY", "PREPARE"),
    ("EXECUTE", "UTILITY", "EXECUTE"),
    ("DEALLOCATE PREPARE", "UTILITY", "DEALLOCATE"),
)
_ALTERS: tuple[tuple[str, str], ...] = (
    ("ADD COLUMNS", "ALTER_TABLE_ADD_COLUMN"),
    ("ADD PARTITION", "ALTER_TABLE_ADD_PARTITION"),
    ("ADD IF", "ALTER_TABLE_ADD_PARTITION"),
    ("CHANGE", "ALTER_TABLE_CHANGE_COLUMN"),
    ("DROP COLUMN", "ALTER_TABLE_DROP_COLUMN"),
    ("DROP PARTITION", "ALTER_TABLE_DROP_PARTITION"),
    ("DROP IF", "ALTER_TABLE_DROP_PARTITION"),
    ("PARTITION", "ALTER_TABLE_PARTITION"),
    ("RENAME", "ALTER_TABLE_RENAME"),
    ("REPLACE COLUMNS", "ALTER_TABLE_REPLACE_COLUMN"),
    ("SET LOCATION", "ALTER_TABLE_SET_LOCATION"),
    ("SET TBLPROPERTIES", "ALTER_TABLE_PROPERTIES"),
    ("UNSET TBLPROPERTIES", "ALTER_TABLE_PROPERTIES"),
)
_IF = ("IF", "NOT", "EXISTS")


def classify(tokens: Sequence[Token]) -> Classified | None:
    r"""Tell what a statement is; None if no statement begins so.

    >>> from runner.local.athena.lexer import tokenize
    >>> classify(tokenize("-- yesterday's\n create table t as select 1"))
    Classified(kind='DDL', substatement='CREATE_TABLE_AS_SELECT')
    """
    words = [token.text.upper() for token in tokens[:4]]
    match words[:2]:
        case ["CREATE", "TABLE"]:
            return _table(tokens[2:])
        case ["ALTER", "TABLE"]:
            return Classified("DDL", _alter(tokens[2:]))
    for opening, kind, substatement in _OPENINGS:
        parts = opening.split()
        if words[: len(parts)] == parts:
            return Classified(kind, substatement)
    return None


def _table(tokens: Sequence[Token]) -> Classified:
    """Tell CREATE TABLE of columns from that of a query."""
    if tuple(token.text.upper() for token in tokens[:3]) == _IF:
        tokens = tokens[3:]
    following = _behind_name(tokens)
    if following and following[0].text == "(":
        return Classified("DDL", "CREATE_TABLE")
    # The API's model has it as an example of DML, but AWS answers DDL: awswrangler's cache of
    # results looks for it there.
    return Classified("DDL", "CREATE_TABLE_AS_SELECT")


def _alter(tokens: Sequence[Token]) -> str:
    words = [token.text.upper() for token in _behind_name(tokens)[:2]]
    for opening, substatement in _ALTERS:
        parts = opening.split()
        if words[: len(parts)] == parts:
            return substatement
    return "ALTER_TABLE"


def _behind_name(tokens: Sequence[Token]) -> Sequence[Token]:
    place = 1
    while place + 1 < len(tokens) and tokens[place].text == ".":
        place += 2
    return tokens[place:]
