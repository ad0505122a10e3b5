"""A view's query in the layout in which Trino keeps it, for SHOW CREATE VIEW.

In: the text of a query.  Out: the same query, laid out anew; as it is if it holds more than one
SELECT over tables and joins, or an expression that is not known here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runner.local.athena.lexer import tokenize
from runner.local.athena.reserved import QUERY_WORDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.local.athena.lexer import Token

_CLAUSES = """
    FROM WHERE GROUP HAVING ORDER LIMIT OFFSET FETCH UNION INTERSECT EXCEPT WINDOW TABLESAMPLE
    MATCH_RECOGNIZE FOR ON USING JOIN INNER LEFT RIGHT FULL CROSS NATURAL
"""
_OWN_SYNTAX = """
    ARRAY CURRENT_CATALOG CURRENT_DATE CURRENT_PATH CURRENT_SCHEMA CURRENT_TIME CURRENT_TIMESTAMP
    CURRENT_USER EXISTS EXTRACT GROUPING INTERVAL JSON_ARRAY JSON_EXISTS JSON_OBJECT JSON_QUERY
    JSON_VALUE LISTAGG LOCALTIME LOCALTIMESTAMP NORMALIZE OVERLAY POSITION ROW SUBSTRING TRIM
    TABLE UNNEST LATERAL VALUES
"""
"""Words that begin an expression or relation of a form of its own."""
_WORDS = QUERY_WORDS | frozenset((_CLAUSES + _OWN_SYNTAX).split())
_LOUD = frozenset({"COALESCE", "IF", "NULLIF", "TRY"})
"""Functions that are syntax, and written in capitals."""
_AFTER_CALLS = frozenset({"OVER", "FILTER", "WITHIN", "IGNORE", "RESPECT", "AT"})
_SUMS = ("+", "-")
_PRODUCTS = ("*", "/", "%")
_COMPARISONS = {"=": "=", "<>": "<>", "!=": "<>", "<": "<", ">": ">", "<=": "<=", ">=": ">="}
_TYPED = frozenset({"DATE", "TIME", "TIMESTAMP", "DECIMAL"})


class _Unknown(Exception):
    """The query holds what is not known here."""


def laid_out(sql: str) -> str:
    r"""Lay out a query.

    >>> laid_out("select a, b as c from t where a=1 and not b")
    'SELECT\n  a\n, b c\nFROM\n  t\nWHERE ((a = 1) AND (NOT b))'
    >>> laid_out("select 1 union select 2")
    'select 1 union select 2'
    """
    try:
        return _Reader(tokenize(sql)).query()
    except _Unknown:
        return sql


class _Reader:
    """Reads a query's tokens and writes its pieces."""

    def __init__(self, tokens: tuple[Token, ...]) -> None:
        self._tokens = tokens
        self._place = 0

    def query(self) -> str:
        self._need("SELECT")
        lines = ["SELECT DISTINCT" if self._accept("DISTINCT") else "SELECT"]
        self._accept("ALL")
        items = self._list(self._item)
        lines = [*lines, *_indented(items)] if len(items) > 1 else [f"{lines[0]} {items[0]}"]
        if self._accept("FROM"):
            lines += ["FROM", *_indented(self._list(self._relation))]
        elif self._place < len(self._tokens):
            lines.append("")
        if self._accept("WHERE"):
            lines.append(f"WHERE {self._expression()}")
        if self._accept("GROUP", "BY"):
            lines.append(f"GROUP BY {', '.join(self._list(self._expression))}")
        if self._accept("HAVING"):
            lines.append(f"HAVING {self._expression()}")
        if self._accept("ORDER", "BY"):
            lines.append(f"ORDER BY {', '.join(self._list(self._sorted))}")
        if self._accept("LIMIT"):
            lines.append(f"LIMIT {self._take('number')}")
        if self._place < len(self._tokens):
            raise _Unknown
        return "\n".join(lines)

    def _item(self) -> str:
        if self._accept("*"):
            return "*"
        found = self._expression()
        if self._accept("."):
            self._need("*")
            return f"{found}.*"
        return found + self._alias()

    def _alias(self) -> str:
        if self._accept("AS"):
            return f" {self._name()}"
        token = self._peek()
        is_name = token is not None and (token.kind == "quoted" or _is_name(token))
        return f" {self._name()}" if is_name else ""

    def _relation(self) -> str:
        found = self._table()
        while True:
            kind = self._join()
            if not kind:
                return found
            found = f"({found}\n{kind} {self._table()}"
            if kind != "CROSS JOIN":
                found += self._condition()
            found += ")"

    def _join(self) -> str:
        for kind in ("CROSS", "INNER", "LEFT", "RIGHT", "FULL"):
            if self._accept(kind, "JOIN") or self._accept(kind, "OUTER", "JOIN"):
                return f"{kind} JOIN"
        return "INNER JOIN" if self._accept("JOIN") else ""

    def _condition(self) -> str:
        if self._accept("USING"):
            self._need("(")
            names = self._list(self._name)
            self._need(")")
            return f" USING ({', '.join(names)})"
        self._need("ON")
        return f" ON {self._expression()}"

    def _table(self) -> str:
        found = self._dotted()
        if self._is("("):
            raise _Unknown
        found += self._alias()
        if self._is("("):
            raise _Unknown
        return found

    def _dotted(self) -> str:
        parts = [self._name()]
        while self._is(".") and not self._is("*", ahead=1):
            self._need(".")
            parts.append(self._name())
        return ".".join(parts)

    def _sorted(self) -> str:
        found = self._expression()
        found += " DESC" if self._accept("DESC") else " ASC"
        self._accept("ASC")
        for place in ("FIRST", "LAST"):
            if self._accept("NULLS", place):
                found += f" NULLS {place}"
        return found

    def _expression(self) -> str:
        return self._logical("OR", lambda: self._logical("AND", self._negated))

    def _logical(self, word: str, part: Callable[[], str]) -> str:
        found = [part()]
        while self._accept(word):
            found.append(part())
        return f"({f' {word} '.join(found)})" if len(found) > 1 else found[0]

    def _negated(self) -> str:
        return f"(NOT {self._negated()})" if self._accept("NOT") else self._predicate()

    def _predicate(self) -> str:
        found = self._value()
        while True:
            token = self._peek()
            if token is not None and token.text in _COMPARISONS:
                self._place += 1
                found = f"({found} {_COMPARISONS[token.text]} {self._value()})"
            elif self._accept("IS"):
                no = " NOT" if self._accept("NOT") else ""
                self._need("NULL")
                found = f"({found} IS{no} NULL)"
            else:
                negated = self._accept("NOT")
                tested = self._tested(found)
                if not tested and negated:
                    raise _Unknown
                if not tested:
                    return found
                found = f"(NOT {tested})" if negated else tested

    def _tested(self, found: str) -> str:
        """Write BETWEEN, IN or LIKE; nothing if none of them comes."""
        if self._accept("BETWEEN"):
            low = self._value()
            self._need("AND")
            return f"({found} BETWEEN {low} AND {self._value()})"
        if self._accept("LIKE"):
            pattern = self._value()
            escape = f" ESCAPE {self._value()}" if self._accept("ESCAPE") else ""
            return f"({found} LIKE {pattern}{escape})"
        if self._accept("IN"):
            self._need("(")
            values = self._list(self._expression)
            self._need(")")
            return f"({found} IN ({', '.join(values)}))"
        return ""

    def _value(self) -> str:
        found = self._sum(_SUMS, lambda: self._sum(_PRODUCTS, self._signed))
        while self._accept("||"):
            other = self._sum(_SUMS, lambda: self._sum(_PRODUCTS, self._signed))
            found = f"concat({found}, {other})"
        return found

    def _sum(self, signs: tuple[str, ...], part: Callable[[], str]) -> str:
        found = part()
        while sign := next((each for each in signs if self._accept(each)), ""):
            found = f"({found} {sign} {part()})"
        return found

    def _signed(self) -> str:
        if self._accept("-"):
            token, found = self._peek(), self._signed()
            if token is not None and token.kind == "number":
                return f"DECIMAL '-{token.text}'" if "." in token.text else f"-{found}"
            return f"-({found})"
        if self._accept("+"):
            raise _Unknown
        found = self._primary()
        while self._accept("["):
            found += f"[{self._value()}]"
            self._need("]")
        if self._is("::") or self._is("AT"):
            raise _Unknown
        return found

    def _primary(self) -> str:
        if self._accept("("):
            found = self._expression()
            self._need(")")
            return found
        token, following = self._peek(), self._peek(1)
        word = token.word() if token is not None else ""
        if word == "CASE":
            return self._case()
        if word in {"CAST", "TRY_CAST"}:
            return self._cast()
        if word in _TYPED and following is not None and following.kind == "string":
            kind = self._take("word")
            return f"{kind if word == 'DATE' else word} {self._take('string')}"
        return self._literal() or self._named()

    def _literal(self) -> str:
        """Write a literal; nothing if none comes."""
        token = self._peek()
        if token is None:
            raise _Unknown
        if token.kind == "string":
            return self._take("string")
        if token.kind == "number":
            return _number(self._take("number"))
        if token.word() in {"NULL", "TRUE", "FALSE"}:
            return self._take("word").lower()
        return ""

    def _named(self) -> str:
        """Write a column, or a call."""
        found = self._dotted()
        if not self._accept("("):
            return found
        if found.upper() in _LOUD:
            found = found.upper()
        if self._accept("*"):
            self._need(")")
            return self._called(f"{found}(*)")
        if self._accept(")"):
            return self._called(f"{found}()")
        distinct = "DISTINCT " if self._accept("DISTINCT") else ""
        values = self._list(self._expression)
        self._need(")")
        return self._called(f"{found}({distinct}{', '.join(values)})")

    def _called(self, call: str) -> str:
        token = self._peek()
        if token is not None and token.word() in _AFTER_CALLS:
            raise _Unknown
        return call

    def _case(self) -> str:
        self._need("CASE")
        found = "CASE" if self._is("WHEN") else f"CASE {self._expression()}"
        while self._accept("WHEN"):
            found += f" WHEN {self._expression()}"
            self._need("THEN")
            found += f" THEN {self._expression()}"
        if self._accept("ELSE"):
            found += f" ELSE {self._expression()}"
        self._need("END")
        return f"({found} END)"

    def _cast(self) -> str:
        word = self._take("word").upper()
        self._need("(")
        value = self._expression()
        self._need("AS")
        kind = self._take("word")
        kind = kind.lower() if kind.upper() in {"TIME", "TIMESTAMP"} else kind
        if self._accept("("):
            kind += f"({', '.join(self._list(lambda: self._take('number')))})"
            self._need(")")
        self._need(")")
        return f"{word}({value} AS {kind})"

    def _name(self) -> str:
        token = self._peek()
        if token is None or not (_is_name(token) or token.text.startswith('"')):
            raise _Unknown
        self._place += 1
        return token.text

    def _list(self, part: Callable[[], str]) -> list[str]:
        found = [part()]
        while self._accept(","):
            found.append(part())
        return found

    def _peek(self, ahead: int = 0) -> Token | None:
        place = self._place + ahead
        return self._tokens[place] if place < len(self._tokens) else None

    def _is(self, text: str, *, ahead: int = 0) -> bool:
        token = self._peek(ahead)
        return token is not None and token.kind in {"word", "mark"} and token.text.upper() == text

    def _accept(self, *texts: str) -> bool:
        if all(self._is(text, ahead=number) for number, text in enumerate(texts)):
            self._place += len(texts)
            return True
        return False

    def _need(self, text: str) -> None:
        if not self._accept(text):
            raise _Unknown

    def _take(self, kind: str) -> str:
        token = self._peek()
        if token is None or token.kind != kind:
            raise _Unknown
        self._place += 1
        return token.text


def _is_name(token: Token) -> bool:
    word = token.word()
    return bool(word) and word not in _WORDS


def _number(text: str) -> str:
    if re.fullmatch(r"0|[1-9]\d*", text):
        return text
    if re.fullmatch(r"\d+\.\d+", text):
        return f"DECIMAL '{text}'"
    raise _Unknown


def _indented(pieces: list[str]) -> list[str]:
    return [f"{', ' if number else '  '}{piece}" for number, piece in enumerate(pieces)]
