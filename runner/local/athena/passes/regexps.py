r"""Regular expressions: no match is NULL, and replacements name groups by `$1`, not `\1`."""

from __future__ import annotations

import re

from sqlglot import exp


def apply(tree: exp.Query) -> exp.Query:
    """Rewrite regexp_extract and the replacements of regexp_replace."""
    for node in list(tree.find_all(exp.RegexpExtract)):
        group = node.args.get("group") or exp.Literal.number(0)
        node.replace(
            exp.Anonymous(
                this="__regexp_extract", expressions=[node.this, node.expression, group.copy()]
            )
        )
    for replace in list(tree.find_all(exp.RegexpReplace)):
        text = replace.args.get("replacement")
        if isinstance(text, exp.Literal) and text.is_string:
            replace.set("replacement", exp.Literal.string(_groups(text.name)))
            replace.set("modifiers", exp.Literal.string("g"))
        elif text is None:
            replace.set("replacement", exp.Literal.string(""))
            replace.set("modifiers", exp.Literal.string("g"))
    return tree


def _groups(text: str) -> str:
    r"""Translate a replacement.

    >>> _groups("a$1-$2 c\\$ \\")
    'a\\1-\\2 c$ '
    """
    return re.sub(
        r"\\(.)|\\$|\$(\d)|\$\{(\d)\}|(\\)",
        lambda m: m[1] or (f"\\{m[2] or m[3]}" if m[2] or m[3] else ""),
        text,
    )
