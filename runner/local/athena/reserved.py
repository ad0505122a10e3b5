"""Words that stand for no name unless they are quoted: two lists, of DDL and of queries.

The lists are those of Athena's user guide, "Reserved keywords".  In DDL a name may be put between
backticks, in queries between double quotes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.local.athena.errors import AthenaFailure, syntax_error
from runner.local.athena.lexer import position

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.local.athena.lexer import Token

_DDL = """
    ALL ALTER AND ARRAY AS AUTHORIZATION BETWEEN BIGINT BINARY BOOLEAN BOTH BY CASE CAST CHAR COLUMN
    CONF COMMIT CREATE CROSS CUBE CURRENT CURRENT_DATE CURRENT_TIMESTAMP CURSOR DATABASE DATE
    DECIMAL DELETE DESCRIBE DISTINCT DOUBLE DROP ELSE END EXCHANGE EXISTS EXTENDED EXTERNAL FALSE
    FETCH FLOAT FOLLOWING FOR FROM FULL FUNCTION GRANT GROUP GROUPING HAVING IF IMPORT IN INNER
    INSERT INT INTERSECT INTERVAL INTO IS JOIN LATERAL LEFT LESS LIKE LOCAL MACRO MAP MORE NONE NOT
    NULL OF ON OR ORDER OUT OUTER OVER PARTIALSCAN PARTITION PERCENT PRECEDING PRESERVE PROCEDURE
    RANGE READS REDUCE REVOKE RIGHT ROLLUP ROW ROWS SELECT SET SMALLINT TABLE TABLESAMPLE THEN TO
    TRANSFORM TRIGGER TRUE TRUNCATE UNBOUNDED UNION UNIQUEJOIN UPDATE USER USING UTC_TIMESTAMP
    VALUES VARCHAR WHEN WHERE WINDOW WITH
"""
"""Without DAYOFWEEK, START, TIME, TIMESTAMP and what newer Hives reserve: they are in the list,
and the guide's own examples have them bare as names of columns."""
_QUERY = """
    ALTER AND AS BETWEEN BY CASE CAST CONSTRAINT CREATE CROSS CUBE CURRENT_DATE CURRENT_PATH
    CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER DEALLOCATE DELETE DESCRIBE DISTINCT DROP ELSE END
    ESCAPE EXCEPT EXECUTE EXISTS EXTRACT FALSE FOR FROM FULL GROUP GROUPING HAVING IN INNER INSERT
    INTERSECT INTO IS JOIN LEFT LIKE LOCALTIME LOCALTIMESTAMP NATURAL NORMALIZE NOT NULL ON OR ORDER
    OUTER PREPARE RECURSIVE RIGHT ROLLUP SELECT TABLE THEN TRUE UESCAPE UNION UNNEST USING VALUES
    WHEN WHERE WITH
"""
"""FIRST and LAST are in the guide's list, too; engine version 3 takes them as names."""
_DDL_WORDS = frozenset(_DDL.split())
QUERY_WORDS = frozenset(_QUERY.split())


def refuse_name(token: Token, sql: str, *, of_queries: bool = False) -> None:
    """Refuse a bare reserved word as a name in DDL; raises AthenaFailure.

    DDL of an Iceberg table takes names that queries take, too: awswrangler's own suite makes such
    a table with a column `partition`.
    """
    words = _DDL_WORDS & QUERY_WORDS if of_queries else _DDL_WORDS
    if token.kind == "word" and token.text.upper() in words:
        line, column = position(sql, token.start)
        raise AthenaFailure(
            "FAILED",
            f"ParseException line {line}:{column - 1} Failed to recognize predicate "
            f"'{token.text.lower()}'. Failed rule: 'identifier'",
        )


def check_query(sql: str, tokens: Sequence[Token]) -> None:
    """Refuse reserved words where only names can stand; raises AthenaFailure.

    These are words behind AS, and ORDER and GROUP that begin no clause.
    """
    words = [token.word() for token in tokens]
    for number, token in enumerate(tokens):
        before = words[number - 1] if number else ""
        after = words[number + 1] if number + 1 < len(words) else ""
        is_clause = after == "BY" or before == "WITHIN"
        if (words[number] in {"ORDER", "GROUP"} and not is_clause) or (
            before == "AS" and words[number] in QUERY_WORDS
        ):
            raise syntax_error(
                *position(sql, token.start),
                f"mismatched input '{token.text}'. Expecting: <identifier>",
            )
