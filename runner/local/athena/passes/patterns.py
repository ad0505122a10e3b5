"""Calls of regular expressions: defaults filled in, lambdas unrolled, simple patterns for RE2."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.calls import (
    CHAR,
    as_varchar,
    call,
    checked,
    is_type,
    known_text,
    number_literal,
    text_literal,
)
from runner.local.athena.javaregex import compile_java

if TYPE_CHECKING:
    from runner.local.athena.calls import Rule

# What RE2 and Java's expressions read alike, where only "is there a match" is asked.
_ALIKE = re.compile(
    r"(?:(?P<end>\$)(?=$|[|)])|\\d|(?:[\w \-/,:;@#%&=<>~\"'!.^]|\\[.\-/()+*?$|\[\]^]"
    r"|\((?!\?)|\)|\||\[\^?(?:[\w ./,:;@#%=<>~!+*]|(?<=\w)-(?=\w))+\])"
    r"|(?<=[\w)\].])[+*?](?![+*?]))",
    re.ASCII,
)


def _regexp_like(node: exp.Anonymous) -> exp.Expr:
    native = checked("__regexp_like", node.expressions, node)
    pattern = node.expressions[1]
    known = None if is_type(pattern, CHAR) else known_text(pattern)
    alike = None if known is None else _alike(known)
    if alike is None:
        return native
    return call("regexp_matches", node.expressions[0], exp.Literal.string(alike), like=node)


def _alike(pattern: str) -> str | None:
    r"""Write a simple pattern for RE2, which is much faster; None if it may mean another thing.

    >>> _alike(r"^a\d+$"), _alike("(?i)a")
    ('^a\\d+\\n?\\z', None)
    """
    pieces: list[str] = []
    place = 0
    while place < len(pattern):
        match = _ALIKE.match(pattern, place)
        if match is None:
            return None
        pieces.append("\\n?\\z" if match.lastgroup == "end" else match[0])
        place = match.end()
    return "".join(pieces)


def _regexp_extract(node: exp.Anonymous) -> exp.Expr:
    native = _regexp_group(node)
    text, pattern, group = native.expressions
    alike = _searched(pattern)
    if alike is None or not group.is_int or group.name != "0":
        return native
    found = call("regexp_extract", text, alike, like=node)
    case = exp.Case().when(call("regexp_matches", text, alike), found)
    case.type = node.type
    return case


def _searched(pattern: exp.Expr) -> exp.Expr | None:
    """Give a simple pattern for RE2 if its first match begins and ends where Java's does."""
    known = known_text(pattern)
    if known is None or is_type(pattern, CHAR) or "$" in known:
        return None
    alike = _alike(known)
    return None if alike is None else text_literal(alike)


def _regexp_group(node: exp.Anonymous) -> exp.Anonymous:
    arguments = [*node.expressions]
    if len(arguments) == 2:  # noqa: PLR2004 - without a group
        arguments.append(number_literal(0))
    return checked(node.name.lower(), arguments, node)


def _regexp_position(node: exp.Anonymous) -> exp.Expr:
    arguments = [*node.expressions, number_literal(1), number_literal(1)]
    return checked("__regexp_position", arguments[: max(4, len(node.expressions))], node)


def _regexp_replace(node: exp.Anonymous) -> exp.Expr:
    arguments = [*node.expressions]
    if len(arguments) == 2:  # noqa: PLR2004 - matches are removed
        arguments.append(text_literal(""))
    if not isinstance(arguments[-1], exp.Lambda):
        native = checked("__regexp_replace", arguments, node)
        return _replaced_alike(native, *arguments)
    return _replaced_by(arguments[0], arguments[1], arguments[2])


def _replaced_alike(
    native: exp.Expr, text: exp.Expr, pattern: exp.Expr, replacement: exp.Expr
) -> exp.Expr:
    """Leave a plain replacement to RE2, where no match may be empty."""
    alike = _searched(pattern)
    known = known_text(replacement)
    plain = known is not None and not re.search(r"[$\\]", known)
    if alike is None or not plain or _matches_nothing(pattern.name):
        return native
    return call("regexp_replace", text, alike, replacement, text_literal("g"), like=native)


def _matches_nothing(pattern: str) -> bool:
    try:
        return compile_java(pattern).search("") is not None
    except ValueError:
        return True


def _replaced_by(text: exp.Expr, pattern: exp.Expr, made_by: exp.Expr) -> exp.Expr:
    """Replace every match by what a lambda makes of its groups."""
    part = exp.to_identifier("part__")
    groups = exp.Dot(this=exp.column("part__"), expression=exp.to_identifier("groups"))
    name = made_by.expressions[0].name
    body = exp.Paren(this=made_by.this.copy())
    for each in list(body.find_all(exp.Column, exp.Identifier)):
        if each.name == name and not isinstance(each.parent, exp.Column | exp.Dot):
            each.replace(groups.copy())
    filled = call("__filled", exp.column("part__"), body)
    parts = checked("__regexp_parts", (text, pattern), made_by)
    made = exp.Anonymous(
        this="list_transform",
        expressions=[parts, exp.Lambda(this=filled, expressions=[part])],
    )
    return as_varchar(call("array_to_string", made, text_literal("")))


CALLS: dict[str, Rule] = {
    "__regexp_extract": _regexp_extract,
    "__regexp_extract_all": _regexp_group,
    "__regexp_like": _regexp_like,
    "__regexp_position": _regexp_position,
    "__regexp_replace": _regexp_replace,
}
