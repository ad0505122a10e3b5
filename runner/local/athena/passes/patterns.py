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
from runner.local.athena.functions_regexp import replacement_of
from runner.local.athena.javaregex import compile_java
from runner.local.athena.re2 import MOST_GROUPS, alike
from runner.local.athena.trees import find_all

if TYPE_CHECKING:
    from runner.local.athena.calls import Rule
    from runner.local.athena.re2 import Alike

_DOLLAR = re.compile(r"[\\$]")


def _regexp_like(node: exp.Anonymous) -> exp.Expr:
    native = checked("__regexp_like", node.expressions, node)
    pattern = node.expressions[1]
    known = None if is_type(pattern, CHAR) else known_text(pattern)
    same = None if known is None else alike(known)
    if same is None:
        return native
    return call("regexp_matches", node.expressions[0], text_literal(same.text), like=node)


def _same(pattern: exp.Expr) -> Alike | None:
    """Give a pattern for RE2 if the text of its matches is the same there."""
    known = None if is_type(pattern, CHAR) else known_text(pattern)
    return None if known is None else alike(known)


def _regexp_extract(node: exp.Anonymous) -> exp.Expr:
    """Leave a group of the first match to RE2, where one that is not there can be told."""
    native = _regexp_group(node)
    text, pattern, group = native.expressions
    same = _same(pattern)
    if same is None or not group.is_int or not same.extracts(int(group.name)):
        return native
    given = text_literal(same.text)
    found = call("regexp_extract", text, given, group, like=node)
    if not same.is_empty(int(group.name)):
        return call("nullif", found, text_literal(""), like=node)
    case = exp.Case().when(call("regexp_matches", text, given), found)
    case.type = node.type
    return case


def _regexp_extract_all(node: exp.Anonymous) -> exp.Expr:
    native = _regexp_group(node)
    text, pattern, group = native.expressions
    same = _same(pattern)
    if same is None or same.empty or not group.is_int:
        return native
    number = int(group.name)
    if not same.extracts(number) or (number and not same.groups[number - 1].certain):
        return native
    return call("regexp_extract_all", text, text_literal(same.text), group, like=native)


def _regexp_count(node: exp.Anonymous) -> exp.Expr:
    native = checked("__regexp_count", node.expressions, node)
    same = _same(native.expressions[1])
    if same is None or same.empty or same.ends:
        return native
    found = call("regexp_extract_all", native.expressions[0], text_literal(same.text))
    return call("len", found, like=native)


def _regexp_split(node: exp.Anonymous) -> exp.Expr:
    native = checked("__regexp_split", node.expressions, node)
    same = _same(native.expressions[1])
    if same is None or same.empty or same.ends:
        return native
    given = text_literal(same.text)
    return call("regexp_split_to_array", native.expressions[0], given, like=native)


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
    """Leave a known replacement to RE2, where no match may be empty."""
    same, known = _same(pattern), known_text(replacement)
    if same is None or known is None or same.empty or same.ends:
        return native
    given = _replacement(pattern.name, known, same)
    if given is None:
        return native
    made = text_literal(given)
    return call(
        "regexp_replace", text, text_literal(same.text), made, text_literal("g"), like=native
    )


def _replacement(pattern: str, text: str, same: Alike) -> str | None:
    r"""Write a replacement for RE2, `\1` for `$1`; None where the two may fill in another text."""
    if not _DOLLAR.search(text):
        return text
    try:
        pieces = replacement_of(compile_java(pattern), text)
    except ValueError:
        return None
    numbers = [each for each in pieces if isinstance(each, int)]
    if any(number > MOST_GROUPS or same.is_looped(number) for number in numbers):
        return None
    return "".join(f"\\{p}" if isinstance(p, int) else p.replace("\\", "\\\\") for p in pieces)


def _replaced_by(text: exp.Expr, pattern: exp.Expr, made_by: exp.Expr) -> exp.Expr:
    """Replace every match by what a lambda makes of its groups."""
    part = exp.to_identifier("part__")
    groups = exp.Dot(this=exp.column("part__"), expression=exp.to_identifier("groups"))
    name = made_by.expressions[0].name
    body = exp.Paren(this=made_by.this.copy())
    for each in find_all(body, exp.Column, exp.Identifier):
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
    "__regexp_count": _regexp_count,
    "__regexp_extract": _regexp_extract,
    "__regexp_extract_all": _regexp_extract_all,
    "__regexp_like": _regexp_like,
    "__regexp_position": _regexp_position,
    "__regexp_replace": _regexp_replace,
    "__regexp_split": _regexp_split,
}
