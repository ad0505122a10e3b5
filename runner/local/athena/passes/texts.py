"""Text and varbinary: calls with Trino's meaning of every form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.calls import (
    BINARY,
    CHAR,
    TEXT,
    as_varchar,
    call,
    checked,
    fits,
    is_type,
    known_text,
    mismatch,
    number_literal,
    size_of,
    text_literal,
    unicode_text,
)
from runner.local.athena.errors import AthenaFailure, unsupported
from runner.local.athena.families import is_free
from runner.local.athena.names import char_of
from runner.local.athena.natives import NATIVES
from runner.local.athena.passes import patterns, values
from runner.local.athena.trees import ByClass, walk

if TYPE_CHECKING:
    from runner.local.athena.calls import Rule

_SPACES = "".join(
    map(
        chr,
        [
            *range(9, 14),
            *range(28, 33),
            0x1680,
            *range(0x2000, 0x2007),
            *range(0x2008, 0x200B),
            0x2028,
            0x2029,
            0x205F,
            0x3000,
        ],
    )
)

_SHORT_PAD = 10_000

_FAR = 2**31
"""DuckDB takes no place in a text beyond."""


def apply(tree: exp.Query) -> exp.Query:
    """Rewrite every call, innermost first."""
    for node in reversed(walk(tree)):
        rule = _rule(node)
        new = rule(node) if rule is not None else None
        if new is not None and new is not node:
            if new.type is None:
                new.type = node.type
            if node.parent is not None:
                node.replace(new)
    values.replace_types(tree)
    return tree


def _rule(node: exp.Expr) -> Rule | None:
    if isinstance(node, exp.Anonymous):
        name = node.name.lower()
        return _CALLS.get(name, _native) if name.startswith("__") else None
    return _NODES.of(node)


def _native(node: exp.Anonymous) -> exp.Expr | None:
    """Check the types that are known against those that a function takes."""
    name = node.name.lower()
    native = NATIVES.get(name)
    if native is None or native.takes is None:
        return None
    return checked(name, node.expressions, node)


def _format(node: exp.Anonymous) -> exp.Expr:
    """Hand reals over as the doubles that are written alike."""
    arguments = [
        exp.cast(exp.cast(each.copy(), "varchar"), "double")
        if is_type(each, exp.DataType.Type.FLOAT)
        else each
        for each in node.expressions
    ]
    return call("__format", *arguments, like=node)


def _pad(node: exp.Anonymous) -> exp.Expr:
    binary = bool(node.expressions) and is_type(node.expressions[0], *BINARY)
    name = node.name.lower() + ("_binary" if binary else "")
    native = checked(name, node.expressions, node)
    size, padding = node.expressions[1:]
    simple = isinstance(size, exp.Literal) and padding.is_string and padding.name
    if binary or not simple or int(size.name) > _SHORT_PAD:
        return native
    return call(name.removeprefix("__"), *node.expressions, like=node)


def _split_part(node: exp.Anonymous) -> exp.Expr:
    native = checked("__split_part", node.expressions, node)
    text, delimiter, number = node.expressions
    simple = delimiter.is_string and delimiter.name and isinstance(number, exp.Literal)
    if not simple or int(number.name) < 1:
        return native
    return call("list_extract", call("str_split", text, delimiter), number, like=node)


def _from_utf8(node: exp.Anonymous) -> exp.Expr:
    """Replace by U+FFFD, by a character, or by that of a code point."""
    data, *rest = node.expressions
    replacement = rest[0] if rest else text_literal("\ufffd")
    if is_type(replacement, *exp.DataType.INTEGER_TYPES):
        replacement = as_varchar(call("__chr", replacement))
    return checked("__from_utf8", [data, replacement, *rest[1:]], node)


def _from_encoded(node: exp.Anonymous) -> exp.Expr:
    """Take text, or text as varbinary."""
    arguments = [
        as_varchar(call("decode", each)) if is_type(each, *BINARY) else each
        for each in node.expressions
    ]
    return checked(node.name.lower(), arguments, node)


def _word_stem(node: exp.Anonymous) -> exp.Expr:
    if len(node.expressions) == 2:  # noqa: PLR2004 - a word and its language
        language = node.expressions[1]
        if not language.is_string or language.name != "en":
            raise unsupported(f"word_stem in the language {language.sql('trino')}")
    return checked("__word_stem", node.expressions[:1], node)


def _split(node: exp.Anonymous) -> exp.Expr:
    arguments = node.expressions
    if len(arguments) == 2 and arguments[1].is_string and arguments[1].name:  # noqa: PLR2004
        if not fits(arguments[0], "VARCHAR"):
            raise mismatch("split", arguments)
        return call("str_split", *arguments, like=node)
    name = "__split" if len(arguments) == 2 else "__split_most"  # noqa: PLR2004
    return checked(name, arguments, node)


def _position(node: exp.StrPosition) -> exp.Expr | None:
    instance = node.args.get("occurrence")
    if instance is not None:
        arguments = (node.this, node.args["substr"], instance)
        return checked("__strpos_nth", arguments, node)
    return None


def _substring(node: exp.Substring) -> exp.Expr:
    start, size = node.args.get("start"), node.args.get("length")
    if start is None:
        raise mismatch("substr", [node.this])
    if is_type(node.this, *BINARY):
        whole = number_literal(2**31) if size is None else size
        return call("__substr_binary", node.this, start, whole, like=node)
    if not fits(node.this, "VARCHAR"):
        raise mismatch("substr", [node.this, start])
    given = [each for each in (start, size) if each is not None]
    if all(_is_near(each) for each in given):
        return as_varchar(call("substr", node.this, *given))
    return as_varchar(call("__substr" if size is None else "__substr_size", node.this, *given))


def _is_near(node: exp.Expr) -> bool:
    """Tell whether a place is a number from 1 that DuckDB takes."""
    if is_free(node):
        return True
    return isinstance(node, exp.Literal) and node.is_int and 0 < int(node.name) < _FAR


def _reverse(node: exp.Reverse) -> exp.Expr | None:
    if is_type(node.this, *BINARY):
        return call("__reverse_binary", node.this, like=node)
    if is_type(node.this, *TEXT):
        return as_varchar(call("__reverse", node.this))
    if node.type is not None and not node.is_type(exp.DType.UNKNOWN):
        return None
    aggregate = node.this.find(exp.AggFunc, exp.Window) is not None
    return call("__reverse" if aggregate else "__any_reverse", node.this)


def _trim(node: exp.Trim) -> exp.Expr:
    letters = node.expression or text_literal(_SPACES)
    name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(node.text("position").upper(), "trim")
    if not fits(node.this, "VARCHAR") or not fits(letters, "VARCHAR"):
        raise mismatch(name, [node.this, letters])
    if not is_type(node.this, CHAR):
        return as_varchar(call(name, node.this, letters))
    text = call("rtrim", node.this, text_literal(" "))
    return as_varchar(call("rtrim", call(name, text, letters), text_literal(" ")))


def _length(node: exp.Length) -> exp.Expr | None:
    if is_type(node.this, *BINARY):
        return call("octet_length", node.this, like=node)
    if not fits(node.this, "VARCHAR"):
        raise mismatch("length", [node.this])
    return None


def _normalize(node: exp.Normalize) -> exp.Expr:
    form = text_literal(node.text("form").upper() or "NFC")
    return checked("__normalize", (node.this, form), node)


def _unicode(node: exp.UnicodeString) -> exp.Expr:
    return text_literal(unicode_text(node))


def _starts(node: exp.StartsWith) -> None:
    if not fits(node.this, "VARCHAR") or not fits(node.expression, "VARCHAR"):
        raise mismatch("starts_with", [node.this, node.expression])


def _one_text(node: exp.Upper | exp.Lower) -> exp.Expr | None:
    if not fits(node.this, "VARCHAR"):
        raise mismatch(node.key, [node.this])
    if is_type(node.this, CHAR):
        node.type = node.this.type
    if isinstance(node, exp.Upper) and not (known_text(node.this) or "\xdf").isascii():
        return call("__upper", node.this, like=node)
    return None


def _replace(node: exp.Replace) -> exp.Expr | None:
    if node.expression.is_string and node.expression.name:
        return None
    replacement = node.args.get("replacement") or text_literal("")
    return call("__replace", node.this, node.expression, replacement, like=node)


def _concat_ws(node: exp.ConcatWs) -> exp.Expr:
    arguments = node.expressions
    if len(arguments) == 2 and is_type(arguments[1], exp.DataType.Type.ARRAY):  # noqa: PLR2004
        return call("__concat_ws_array", *arguments, like=node)
    if len(arguments) < 2 or not all(fits(each, "VARCHAR") for each in arguments):  # noqa: PLR2004
        raise mismatch("concat_ws", arguments)
    return as_varchar(call("concat_ws", *arguments))


def _concat(node: exp.Concat | exp.DPipe) -> exp.Expr | None:
    sides = node.expressions if isinstance(node, exp.Concat) else [node.this, node.expression]
    if len(sides) <= 1:
        raise AthenaFailure(
            "INVALID_FUNCTION_ARGUMENT", "There must be two or more concatenation arguments"
        )
    if any(is_type(side, exp.DataType.Type.ARRAY) for side in sides):
        return None
    texts = any(is_type(side, *TEXT) for side in sides)
    wrong = texts and not all(fits(side, "VARCHAR") for side in sides)
    if wrong or any(is_type(side, *exp.DataType.NUMERIC_TYPES) for side in sides):
        raise mismatch("concat", sides)
    if any(is_type(side, CHAR) for side in sides):
        sizes = [size_of(side) for side in sides]
        if None in sizes:
            raise unsupported("Concatenation of char and varchar of unknown length")
        node.type = char_of(sum(size for size in sizes if size is not None))
        return None
    if isinstance(node, exp.Concat) and texts:
        joined = sides[0].copy()
        for side in sides[1:]:
            joined = exp.DPipe(this=joined, expression=side.copy(), safe=True)
        return as_varchar(exp.paren(joined))
    return None


def _hex(node: exp.HexString) -> None:
    digits = re.sub(r"\\s", "", node.name)
    if len(digits) % 2 or re.search("[^0-9a-fA-F]", digits):
        why = (
            "must contain an even number of digits"
            if len(digits) % 2
            else "contains a non-hex digit"
        )
        raise AthenaFailure("SYNTAX_ERROR", f"Binary literal {why}")


def _like(node: exp.Escape) -> None:
    """Refuse an escape that stands before nothing that needs it, as far as it can be seen."""
    mark, pattern = node.expression, node.this.expression
    if mark is None or not mark.is_string:
        return
    if len(mark.name) != 1:
        raise AthenaFailure("INVALID_FUNCTION_ARGUMENT", "Escape string must be a single character")
    wrong = re.sub(f"{re.escape(mark.name)}[%_{re.escape(mark.name)}]", "", pattern.name)
    if pattern.is_string and mark.name in wrong:
        raise AthenaFailure(
            "INVALID_FUNCTION_ARGUMENT",
            "Escape character must be followed by '%', '_' or the escape character itself",
        )


_CALLS: dict[str, Rule] = {
    "__format": _format,
    "__word_stem": _word_stem,
    **dict.fromkeys(
        ("__from_hex", "__from_base32", "__from_base64", "__from_base64url"), _from_encoded
    ),
    "__lpad": _pad,
    "__rpad": _pad,
    "__split": _split,
    "__from_utf8": _from_utf8,
    "__split_part": _split_part,
    **patterns.CALLS,
    **values.CALLS,
}
_NODES: ByClass[Rule] = ByClass(
    (
        (exp.HexString, _hex),
        (exp.StrPosition, _position),
        (exp.Substring, _substring),
        (exp.Reverse, _reverse),
        (exp.Trim, _trim),
        (exp.Length, _length),
        (exp.Normalize, _normalize),
        ((exp.Upper, exp.Lower), _one_text),
        (exp.Replace, _replace),
        (exp.ConcatWs, _concat_ws),
        ((exp.Concat, exp.DPipe), _concat),
        (exp.Escape, _like),
        (exp.UnicodeString, _unicode),
        (exp.StartsWith, _starts),
        *values.NODES,
    )
)
