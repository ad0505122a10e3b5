"""SQL text to a tree, or to a fault that says what stands where and what was expected.

In: rendered SQL and the table's kind.  Out: sqlglot's tree (kept inside this package).  sqlglot is
lenient (`SELECT a, FROM t` passes), Athena is not: the commonest slips are looked for first.
"""

from __future__ import annotations

import difflib
import itertools
import logging
import re
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp

from runner.errors import Fault, ProjectError
from runner.model.header import Kind
from runner.query.lexer import SqlToken, is_hive, lex

if TYPE_CHECKING:
    from runner.query.rendered import Rendered

_CLAUSES = [
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP",
    "HAVING",
    "ORDER",
    "LIMIT",
    "OFFSET",
    "UNION",
    "INTERSECT",
    "EXCEPT",
    "WINDOW",
]
_KEYWORDS = (
    *_CLAUSES,
    *[
        "WITH",
        "AS",
        "BY",
        "ON",
        "AND",
        "OR",
        "NOT",
        "IN",
        "BETWEEN",
        "JOIN",
        "LEFT",
        "RIGHT",
        "FULL",
        "INNER",
        "OUTER",
        "CROSS",
        "USING",
        "UNNEST",
    ],
    *[
        "DISTINCT",
        "CASE",
        "WHEN",
        "THEN",
        "ELSE",
        "END",
        "PARTITION",
        "OVER",
        "VALUES",
        "CREATE",
        "EXTERNAL",
        "TABLE",
    ],
    *["PARTITIONED", "LOCATION", "STORED", "FORMAT", "TBLPROPERTIES", "SERDE"],
)
_QUERY_STARTS = ("SELECT", "WITH", "(", "VALUES", "TABLE")


def parse(rendered: Rendered, kind: Kind) -> exp.Expr:
    """Parse the one statement of a file; ProjectError when it is not one of the table's kind."""
    words = [t for t in lex(rendered.sample, hive=is_hive(rendered.sample)) if t.meaningful]
    faults = [*_second_statement(rendered, words), *_first_word(rendered, words, kind)]
    if not faults:
        faults = _slips(rendered, words)
    if faults:
        raise ProjectError(faults)
    tree = _tree(rendered, words)
    fault = _wrong_kind(rendered, tree, kind)
    if fault is not None:
        raise ProjectError([fault])
    return tree


def _tree(rendered: Rendered, words: list[SqlToken]) -> exp.Expr:
    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # what it falls back from is a fault here
    try:
        statements = sqlglot.parse(without_comments(rendered.sample), read="athena")
    except sqlglot.ParseError as error:
        raise ProjectError([_syntax_fault(rendered, words, error)]) from error
    except sqlglot.TokenError as error:
        raise ProjectError(
            [
                rendered.fault(
                    words[0].start,
                    "sql-syntax",
                    found="text that cannot be cut into SQL words",
                    expected="SQL of Athena",
                    advice="look for an unclosed quote or comment",
                )
            ]
        ) from error
    tree = statements[0]
    if tree is None:  # pragma: no cover - an empty statement was refused before
        raise AssertionError("no statement")
    return tree


def without_comments(sql: str) -> str:
    """Blank comments out, offsets kept: sqlglot cannot read one inside ORDER BY or GROUP BY."""
    if "--" not in sql and "/*" not in sql:
        return sql
    return "".join(
        re.sub(r"[^\n]", " ", token.text) if token.kind == "comment" else token.text
        for token in lex(sql, hive=is_hive(sql))
    )


# --- what is looked for before parsing ----------------------------------------------------------


def _second_statement(rendered: Rendered, words: list[SqlToken]) -> list[Fault]:
    for token, following in itertools.pairwise(words):
        if token.text == ";":
            return [
                rendered.fault(
                    following.start,
                    "sql-statements",
                    found=f"a second statement: {following.text} ...",
                    expected="one statement in a file",
                    advice="move it to a file of its own, or remove the semicolon before it",
                )
            ]
    return []


def _first_word(rendered: Rendered, words: list[SqlToken], kind: Kind) -> list[Fault]:
    first = words[0]
    word = first.text.upper()
    if kind is Kind.DDL:
        if word == "CREATE":
            return []
        wanted: tuple[str, ...] = ("CREATE",)
        expected = "CREATE EXTERNAL TABLE, because the header says kind: ddl"
        advice = "write the CREATE EXTERNAL TABLE statement, or change the header's kind"
    else:
        if word in _QUERY_STARTS:
            return []
        wanted = ("SELECT", "WITH", "VALUES")
        expected = "a query: SELECT ... or WITH ... SELECT"
        advice = "write the query only; the statement around it is made from the header"
    close = difflib.get_close_matches(word, wanted, n=1, cutoff=0.6)
    code = "sql-syntax" if close or word not in _STATEMENTS else "sql-kind"
    if close:
        advice = f"did you mean {close[0]}?"
    elif word == "CREATE":
        advice += "; for an external table write kind: ddl"
    return [
        rendered.fault(
            first.start, code, found=f"{first.text} ...", expected=expected, advice=advice
        )
    ]


_STATEMENTS = frozenset(
    {
        *("CREATE", "INSERT", "UPDATE", "DELETE", "MERGE", "DROP", "ALTER", "UNLOAD", "MSCK"),
        *("SHOW", "DESCRIBE", "EXPLAIN", "VACUUM", "OPTIMIZE", "PREPARE", "EXECUTE", "SELECT"),
        *("WITH", "VALUES", "TABLE", "("),
    }
)


def _slips(rendered: Rendered, words: list[SqlToken]) -> list[Fault]:
    faults: list[Fault] = []
    ends = [*words[1:], SqlToken("symbol", "", words[-1].end, words[-1].end)]
    for token, following in zip(words, ends, strict=True):
        slip = _slip(token, following)
        if slip is not None:
            found, expected, advice = slip
            faults.append(
                rendered.fault(
                    token.start, "sql-syntax", found=found, expected=expected, advice=advice
                )
            )
    return faults


def _slip(token: SqlToken, following: SqlToken) -> tuple[str, str, str] | None:
    upper = following.text.upper()
    ends_list = upper in ("", ")", ",") or (following.kind == "word" and upper in _CLAUSES[1:])
    if token.text == "," and ends_list:
        before = f"before {following.text}" if following.text else "at the end"
        return f"a comma {before}", "another item after the comma", "remove the comma"
    if token.kind == "word" and token.text.upper() == "BY" and ends_list:
        return "BY without columns", "columns after BY", "name the columns, or remove the clause"
    if token.text == following.text == "=" and token.end == following.start:
        return "==", "= (SQL compares with one)", "write ="
    return None


# --- sqlglot's errors ---------------------------------------------------------------------------


def _syntax_fault(rendered: Rendered, words: list[SqlToken], error: sqlglot.ParseError) -> Fault:
    detail = error.errors[0] if error.errors else {}
    end = _offset(rendered.sample, int(detail.get("line") or 1), int(detail.get("col") or 1))
    index = next((i for i, word in enumerate(words) if word.end >= end), len(words) - 1)
    token = words[index]
    expected = _expectation(str(detail.get("description") or ""))
    if index == len(words) - 1 and expected != _FITTING:
        found = f"the statement ends after {token.text}"
        return rendered.fault(
            token.start,
            "sql-syntax",
            found=found,
            expected=expected,
            advice="complete the statement",
        )
    token, advice = _advice(words, index)
    return rendered.fault(
        token.start, "sql-syntax", found=f"{token.text} here", expected=expected, advice=advice
    )


_FITTING = "SQL that Athena can read"


def _offset(text: str, line: int, column: int) -> int:
    lines = text.split("\n")
    return sum(len(row) + 1 for row in lines[: line - 1]) + column


def _expectation(description: str) -> str:
    needed = re.match(r"Expect(?:ing|ed) (.+)", description)
    if needed is not None:
        return re.sub(r" but got .*", "", needed[1], flags=re.DOTALL)
    missing = re.match(
        r"Required keyword: '(\w+)' missing for <class '[\w.]+\.(\w+)'>", description
    )
    if missing is not None:
        return f"an operand ({missing[2]})"
    return _FITTING


def _advice(words: list[SqlToken], index: int) -> tuple[SqlToken, str]:
    """Look at the word in question and the one before it for a misspelt keyword."""
    for token in (words[index], words[max(0, index - 1)]):
        upper = token.text.upper()
        if token.kind == "word" and upper not in _KEYWORDS:
            close = difflib.get_close_matches(upper, _KEYWORDS, n=1, cutoff=0.7)
            if close:
                return token, f"did you mean {close[0]}?"
    return words[index], "look for a missing comma, operator, bracket or keyword before it"


# --- the right statement for the kind -----------------------------------------------------------


def _wrong_kind(rendered: Rendered, tree: exp.Expr, kind: Kind) -> Fault | None:
    if kind is not Kind.DDL:
        if isinstance(tree, exp.Query | exp.Values):
            return None
        return rendered.fault(
            0,
            "sql-kind",
            found="a statement that is not a query",
            expected="a query: SELECT ... or WITH ... SELECT",
            advice="write the query only; the statement around it is made from the header",
        )
    if isinstance(tree, exp.Create) and tree.kind == "TABLE" and tree.find(exp.ExternalProperty):
        return None
    found = "a statement that cannot be read"
    if isinstance(tree, exp.Create):
        found = (
            f"CREATE {tree.kind} without EXTERNAL"
            if tree.kind == "TABLE"
            else f"CREATE {tree.kind}"
        )
    return rendered.fault(
        0,
        "sql-kind",
        found=found,
        expected="CREATE EXTERNAL TABLE, because the header says kind: ddl",
        advice="write the CREATE EXTERNAL TABLE statement, or change the header's kind",
    )


# --- what a query gives ------------------------------------------------------------------------


def selects(tree: exp.Expr) -> list[exp.Expr]:
    """Give the output expressions of a query; of a UNION, those of its first branch."""
    return list(tree.selects) if isinstance(tree, exp.Query) else []


def output_name(item: exp.Expr) -> str:
    """Name an output expression: its alias or column; `*`, `alias.*`; empty when it has none."""
    if isinstance(item, exp.Star):
        return "*"
    if isinstance(item, exp.Column) and isinstance(item.this, exp.Star):
        return f"{item.table}.*"
    return item.alias_or_name.lower() if isinstance(item, exp.Alias | exp.Column) else ""


def type_name(kind: exp.Expr) -> str:
    """Write a type as Hive and Glue do: `array<struct<a:int>>`, `decimal(10,2)`, `string`."""
    text = kind.sql(dialect="hive").lower()
    return text.replace(", ", ",").replace(": ", ":")
