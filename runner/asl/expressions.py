"""JSONata inside a definition: `{% ... %}` strings, and SQL as literals (SEMANTICS 18)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.model.sqltext import Mark, SqlText


def expression(text: str) -> str:
    """Wrap a JSONata expression the way a definition wants it."""
    return f"{{% {text} %}}"


def quote(text: str) -> str:
    r"""Write text as a JSONata string: double quotes and JSON's escapes.

    >>> quote('say "a\'b"')
    '"say \\"a\'b\\""'
    """
    return _json(text)


_json = json.JSONEncoder(ensure_ascii=False).encode


def names_of(sql: SqlText) -> dict[Mark, str]:
    """Name the distinct marks of a statement: m0, m1, ... in order of appearance."""
    return {mark: f"m{number}" for number, mark in enumerate(sql.marks())}


def sql_terms(sql: SqlText, names: Mapping[Mark, str], values: str) -> list[str]:
    """Give the terms whose concatenation is the statement; `values` is a JSONata path."""
    return [
        quote(part) if isinstance(part, str) else f"{values}.{names[part]}" for part in sql.parts
    ]


def concatenation(terms: list[str]) -> str:
    """Join JSONata terms by `&`, neighbouring literals merged."""
    merged: list[str] = []
    for term in terms:
        if merged and term.startswith('"') and merged[-1].startswith('"'):
            merged[-1] = merged[-1][:-1] + term[1:]
        else:
            merged.append(term)
    return " & ".join(merged)


def names_in(names: list[str]) -> str:
    """Write a JSONata array of strings."""
    return json.dumps(names, ensure_ascii=False)
