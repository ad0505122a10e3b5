"""JSONata inside a definition: `{% ... %}` strings, and SQL as literals (SEMANTICS 18)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.model.sqltext import Mark, SqlText


_MOST_TERMS = 30


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
    """Join JSONata terms by `&`, neighbouring literals merged.

    AWS evaluates expressions about 100 levels deep, and every `&` is one below the next; many
    terms are joined in groups.
    """
    merged: list[str] = []
    for term in terms:
        if merged and term.startswith('"') and merged[-1].startswith('"'):
            merged[-1] = merged[-1][:-1] + term[1:]
        else:
            merged.append(term)
    while len(merged) > _MOST_TERMS:
        groups = [
            merged[start : start + _MOST_TERMS] for start in range(0, len(merged), _MOST_TERMS)
        ]
        merged = [f"({' & '.join(group)})" for group in groups]
    return " & ".join(merged)


def names_in(names: list[str]) -> str:
    """Write a JSONata array of strings."""
    return json.dumps(names, ensure_ascii=False)
