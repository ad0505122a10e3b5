"""Text, varbinary, regular expressions, addresses: calls with Trino's meaning of every form.

Text of type char(n) is held with its spaces; comparisons leave them out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.errors import AthenaFailure, unsupported
from runner.local.athena.names import CHAR_LITERAL, char_of
from runner.local.athena.natives import IP_TYPE, NATIVES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_CHAR = exp.DataType.Type.CHAR
_TEXT = exp.DataType.TEXT_TYPES
_IP = exp.DataType.Type.IPADDRESS
_UUID = exp.DataType.Type.UUID
_BINARY = (exp.DataType.Type.VARBINARY, exp.DataType.Type.BINARY, exp.DataType.Type.BLOB)
_SCALARS = (
    exp.DataType.NUMERIC_TYPES | exp.DataType.TEMPORAL_TYPES | {exp.DataType.Type.BOOLEAN, *_BINARY}
) - {exp.DataType.Type.UNKNOWN}
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
_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.In, exp.Between)
_COMPARISONS += (exp.NullSafeEQ, exp.NullSafeNEQ)
# What RE2 and Java's expressions read alike, where only "is there a match" is asked.
_ALIKE = re.compile(
    r"(?:(?P<end>\$)(?=$|[|)])|(?P<digit>\\d)|(?:[\w \-/,:;@#%&=<>~\"'!.^]|\\[.\-/()+*?$|\[\]^]"
    r"|\((?!\?)|\)|\||\[\^?(?:[\w ./,:;@#%=<>~!+*]|(?<=\w)-(?=\w))+\])"
    r"|(?<=[\w)\].])[+*?](?![+*?]))",
    re.ASCII,
)


def apply(tree: exp.Query) -> exp.Query:
    """Rewrite every call, innermost first."""
    for node in reversed(list(tree.walk())):
        rule = _rule(node)
        new = rule(node) if rule is not None else None
        if new is not None and new is not node:
            if new.type is None:
                new.type = node.type
            if node.parent is not None:
                node.replace(new)
    _replace_types(tree)
    return tree


def _rule(node: exp.Expr) -> Callable[..., exp.Expr | None] | None:
    if isinstance(node, exp.Anonymous):
        name = node.name.lower()
        return _CALLS.get(name, _native) if name.startswith("__") else None
    return next((rule for kind, rule in _NODES if isinstance(node, kind)), None)


def _call(name: str, *arguments: exp.Expr, like: exp.Expr | None = None) -> exp.Anonymous:
    new = exp.Anonymous(this=name, expressions=[each.copy() for each in arguments])
    if like is not None:
        new.type = like.type
    return new


def _is(node: exp.Expr | None, *kinds: exp.DataType.Type) -> bool:
    return node is not None and node.type is not None and node.type.this in kinds


def _text_literal(text: str) -> exp.Literal:
    new = exp.Literal.string(text)
    new.type = exp.DataType.build("varchar")
    return new


def _number(value: int) -> exp.Literal:
    return exp.Literal.number(value)


def _name_of(kind: exp.DataType | None) -> str:
    if kind is None:
        return "unknown"
    text = kind.sql("trino").lower()
    return {"timestamptz": "timestamp with time zone", "int": "integer"}.get(text, text)


def _mismatch(name: str, arguments: Sequence[exp.Expr]) -> AthenaFailure:
    kinds = ", ".join(_name_of(each.type) for each in arguments)
    return AthenaFailure(
        "FUNCTION_NOT_FOUND", f"Unexpected parameters ({kinds}) for function {name}"
    )


def _native(node: exp.Anonymous) -> exp.Expr | None:
    """Check the types that are known against those that a function takes."""
    name = node.name.lower()
    native = NATIVES.get(name)
    if native is None or native.takes is None:
        return None
    return _checked(name, node.expressions, node)


def _checked(name: str, arguments: Sequence[exp.Expr], node: exp.Expr) -> exp.Expr:
    takes = NATIVES[name].takes or ()
    public = name.removeprefix("__").removesuffix("_binary")
    wrong = len(arguments) != len(takes) or any(
        not _fits(each, wanted) for each, wanted in zip(arguments, takes, strict=True)
    )
    if wrong:
        raise _mismatch(public, arguments)
    return _call(name, *arguments, like=node)


def _fits(node: exp.Expr, wanted: str) -> bool:
    kind = node.type.this if node.type is not None else exp.DataType.Type.UNKNOWN
    if kind not in _SCALARS | _TEXT or isinstance(node, exp.Null):
        return kind not in {exp.DataType.Type.ARRAY, exp.DataType.Type.MAP}
    if wanted == "VARCHAR":
        return kind in _TEXT
    if wanted == "BLOB":
        return kind in _BINARY
    return kind in exp.DataType.NUMERIC_TYPES


# --- text ---


def _format(node: exp.Anonymous) -> exp.Expr:
    """Hand reals over as the doubles that are written alike."""
    arguments = [
        exp.cast(exp.cast(each.copy(), "varchar"), "double")
        if _is(each, exp.DataType.Type.FLOAT)
        else each
        for each in node.expressions
    ]
    return _call("__format", *arguments, like=node)


def _pad(node: exp.Anonymous) -> exp.Expr:
    binary = bool(node.expressions) and _is(node.expressions[0], *_BINARY)
    name = node.name.lower() + ("_binary" if binary else "")
    return _checked(name, node.expressions, node)


def _from_encoded(node: exp.Anonymous) -> exp.Expr:
    """Take text, or text as varbinary."""
    arguments = [
        _varchar(_call("decode", each)) if _is(each, *_BINARY) else each
        for each in node.expressions
    ]
    return _checked(node.name.lower(), arguments, node)


def _word_stem(node: exp.Anonymous) -> exp.Expr:
    if len(node.expressions) == 2:  # noqa: PLR2004 - a word and its language
        language = node.expressions[1]
        if not language.is_string or language.name != "en":
            raise unsupported(f"word_stem in the language {language.sql('trino')}")
    return _checked("__word_stem", node.expressions[:1], node)


def _split(node: exp.Anonymous) -> exp.Expr:
    arguments = node.expressions
    if len(arguments) == 2 and arguments[1].is_string and arguments[1].name:  # noqa: PLR2004
        if not _fits(arguments[0], "VARCHAR"):
            raise _mismatch("split", arguments)
        return _call("str_split", *arguments, like=node)
    name = "__split" if len(arguments) == 2 else "__split_most"  # noqa: PLR2004
    return _checked(name, arguments, node)


def _position(node: exp.StrPosition) -> exp.Expr | None:
    instance = node.args.get("occurrence")
    if instance is not None:
        arguments = (node.this, node.args["substr"], instance)
        return _checked("__strpos_nth", arguments, node)
    return None


def _substring(node: exp.Substring) -> exp.Expr:
    start, size = node.args.get("start"), node.args.get("length")
    if start is None:
        raise _mismatch("substr", [node.this])
    if _is(node.this, *_BINARY):
        whole = _number(2**31) if size is None else size
        return _call("__substr_binary", node.this, start, whole, like=node)
    if not _fits(node.this, "VARCHAR"):
        raise _mismatch("substr", [node.this, start])
    given = [each for each in (start, size) if each is not None]
    if all(isinstance(each, exp.Literal) and each.is_int and int(each.name) > 0 for each in given):
        return _varchar(_call("substr", node.this, *given))
    return _varchar(_call("__substr" if size is None else "__substr_size", node.this, *given))


def _varchar(node: exp.Expr) -> exp.Expr:
    node.type = exp.DataType.build("varchar")
    return node


def _reverse(node: exp.Reverse) -> exp.Expr | None:
    if _is(node.this, *_BINARY):
        return _call("__reverse_binary", node.this, like=node)
    if _is(node.this, *_TEXT):
        return _varchar(_call("__reverse", node.this))
    return None


def _trim(node: exp.Trim) -> exp.Expr:
    letters = node.expression or _text_literal(_SPACES)
    name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(node.text("position").upper(), "trim")
    if not _fits(node.this, "VARCHAR") or not _fits(letters, "VARCHAR"):
        raise _mismatch(name, [node.this, letters])
    if not _is(node.this, _CHAR):
        return _varchar(_call(name, node.this, letters))
    text = _call("rtrim", node.this, _text_literal(" "))
    return _varchar(_call("rtrim", _call(name, text, letters), _text_literal(" ")))


def _length(node: exp.Length) -> exp.Expr | None:
    if _is(node.this, *_BINARY):
        return _call("octet_length", node.this, like=node)
    if not _fits(node.this, "VARCHAR"):
        raise _mismatch("length", [node.this])
    return None


def _normalize(node: exp.Normalize) -> exp.Expr:
    form = _text_literal(node.text("form").upper() or "NFC")
    return _checked("__normalize", (node.this, form), node)


def _one_text(node: exp.Func) -> None:
    if not _fits(node.this, "VARCHAR"):
        raise _mismatch(node.key, [node.this])


def _replace(node: exp.Replace) -> exp.Expr | None:
    if node.expression.is_string and node.expression.name:
        return None
    replacement = node.args.get("replacement") or _text_literal("")
    return _call("__replace", node.this, node.expression, replacement, like=node)


def _concat_ws(node: exp.ConcatWs) -> exp.Expr:
    arguments = node.expressions
    if len(arguments) == 2 and _is(arguments[1], exp.DataType.Type.ARRAY):  # noqa: PLR2004
        return _call("__concat_ws_array", *arguments, like=node)
    if len(arguments) < 2 or not all(_fits(each, "VARCHAR") for each in arguments):  # noqa: PLR2004
        raise _mismatch("concat_ws", arguments)
    return _varchar(_call("concat_ws", *arguments))


def _concat(node: exp.Concat | exp.DPipe) -> exp.Expr | None:
    sides = node.expressions if isinstance(node, exp.Concat) else [node.this, node.expression]
    if len(sides) <= 1:
        raise AthenaFailure(
            "INVALID_FUNCTION_ARGUMENT", "There must be two or more concatenation arguments"
        )
    if any(_is(side, exp.DataType.Type.ARRAY) for side in sides):
        return None
    texts = any(_is(side, *_TEXT) for side in sides)
    wrong = texts and not all(_fits(side, "VARCHAR") for side in sides)
    if wrong or any(_is(side, *exp.DataType.NUMERIC_TYPES) for side in sides):
        raise _mismatch("concat", sides)
    if any(_is(side, _CHAR) for side in sides):
        sizes = [_size_of(side) for side in sides]
        if None in sizes:
            raise unsupported("Concatenation of char and varchar of unknown length")
        node.type = char_of(sum(size for size in sizes if size is not None))
        return None
    if isinstance(node, exp.Concat) and texts:
        joined = sides[0].copy()
        for side in sides[1:]:
            joined = exp.DPipe(this=joined, expression=side.copy(), safe=True)
        return _varchar(exp.paren(joined))
    return None


def _size_of(node: exp.Expr) -> int | None:
    if isinstance(node, exp.Literal):
        return len(node.name)
    if _is(node, _CHAR) and node.type is not None and node.type.expressions:
        return int(node.type.expressions[0].name)
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


# --- char(n) ---


def _char_literal(node: exp.Anonymous) -> exp.Expr:
    literal = node.expressions[0].copy()
    literal.type = char_of(len(literal.name))
    return literal


def _cast(node: exp.Cast) -> exp.Expr | None:
    kind = node.to.this
    if kind == _CHAR:
        return _to_char(node)
    if kind in {_IP, _UUID}:
        return _tried(node, _to_special(node))
    if _is(node.this, _IP):
        return _tried(node, _from_ip(node))
    if _is(node.this, _UUID) and kind in _BINARY:
        return _tried(node, _call("__uuid_binary", node.this))
    if kind in _BINARY and _is(node.this, *_TEXT):
        return _call("encode", node.this, like=node)
    return None


def _to_char(node: exp.Cast) -> exp.Expr:
    size = int(node.to.expressions[0].name) if node.to.expressions else 1
    text = node.this if _is(node.this, *_TEXT) else exp.cast(node.this.copy(), "varchar")
    cut = _call("left", text, _number(size))
    new = _call("rpad", cut, _number(size), _text_literal(" "))
    new.type = char_of(size)
    return new


def _column(node: exp.Column) -> exp.Expr | None:
    """Fill a column of char(n) up: files hold it without its spaces."""
    size = _size_of(node) if _is(node, _CHAR) else None
    if size is None or isinstance(node.parent, exp.Lambda):
        return None
    return _call("rpad", node, _number(size), _text_literal(" "), like=node)


def _comparison(node: exp.Expr) -> None:
    sides = [node.this, node.args.get("expression"), node.args.get("low"), node.args.get("high")]
    operands = [each for each in [*sides, *node.expressions] if isinstance(each, exp.Expr)]
    if not any(_is(each, _CHAR) for each in operands):
        return
    for each in operands:
        if _is(each, *_TEXT):
            each.replace(_call("rtrim", each, _text_literal(" "), like=each))


# --- regular expressions ---


def _regexp_like(node: exp.Anonymous) -> exp.Expr:
    checked = _checked("__regexp_like", node.expressions, node)
    pattern = node.expressions[1]
    alike = _alike(pattern.name) if pattern.is_string and not _is(pattern, _CHAR) else None
    if alike is None:
        return checked
    return _call("regexp_matches", node.expressions[0], exp.Literal.string(alike), like=node)


def _alike(pattern: str) -> str | None:
    r"""Write a simple pattern for RE2, which is much faster; None if it may mean another thing.

    >>> _alike(r"^a\d+$"), _alike("(?i)a")
    ('^a\\p{Nd}+\\n?\\z', None)
    """
    pieces: list[str] = []
    place = 0
    while place < len(pattern):
        match = _ALIKE.match(pattern, place)
        if match is None:
            return None
        pieces.append({"end": "\\n?\\z", "digit": "\\p{Nd}"}.get(match.lastgroup or "", match[0]))
        place = match.end()
    return "".join(pieces)


def _regexp_group(node: exp.Anonymous) -> exp.Expr:
    arguments = [*node.expressions]
    if len(arguments) == 2:  # noqa: PLR2004 - without a group
        arguments.append(_number(0))
    return _checked(node.name.lower(), arguments, node)


def _regexp_position(node: exp.Anonymous) -> exp.Expr:
    arguments = [*node.expressions, _number(1), _number(1)]
    return _checked("__regexp_position", arguments[: max(4, len(node.expressions))], node)


def _regexp_replace(node: exp.Anonymous) -> exp.Expr:
    arguments = [*node.expressions]
    if len(arguments) == 2:  # noqa: PLR2004 - matches are removed
        arguments.append(_text_literal(""))
    if not isinstance(arguments[-1], exp.Lambda):
        return _checked("__regexp_replace", arguments, node)
    return _replaced_by(arguments[0], arguments[1], arguments[2])


def _replaced_by(text: exp.Expr, pattern: exp.Expr, call: exp.Expr) -> exp.Expr:
    """Replace every match by what a lambda makes of its groups."""
    part = exp.to_identifier("part__")
    groups = exp.Dot(this=exp.column("part__"), expression=exp.to_identifier("groups"))
    name = call.expressions[0].name
    body = exp.Paren(this=call.this.copy())
    for each in list(body.find_all(exp.Column, exp.Identifier)):
        if each.name == name and not isinstance(each.parent, exp.Column | exp.Dot):
            each.replace(groups.copy())
    filled = _call("__filled", exp.column("part__"), body)
    parts = _checked("__regexp_parts", (text, pattern), call)
    made = exp.Anonymous(
        this="list_transform",
        expressions=[parts, exp.Lambda(this=filled, expressions=[part])],
    )
    return _varchar(_call("array_to_string", made, _text_literal("")))


# --- addresses and UUIDs ---


def _tried(node: exp.Cast, new: exp.Expr) -> exp.Expr:
    new.type = node.to
    if not isinstance(node, exp.TryCast):
        return new
    return _call("TRY", new, like=new)


def _to_special(node: exp.Cast) -> exp.Expr:
    address = node.to.this == _IP
    if _is(node.this, node.to.this):
        return node.this.copy()
    if isinstance(node.this, exp.Null):
        return exp.cast(exp.Null(), IP_TYPE if address else "uuid", dialect="duckdb")
    word = "ip" if address else "uuid"
    name = f"__{word}_of_{'binary' if _is(node.this, *_BINARY) else 'text'}"
    return _call(name, node.this)


def _from_ip(node: exp.Cast) -> exp.Expr:
    data = _call("struct_extract", node.this, exp.Literal.string("__ipaddress"))
    if node.to.this in _TEXT:
        return _call("__ip_text", data)
    if node.to.this in _BINARY:
        return data
    raise _mismatch("cast", [node.this])


def _contains(node: exp.Expr) -> exp.Expr | None:
    if not _is(node.expression, _IP):
        return None
    data = _call("struct_extract", node.expression, exp.Literal.string("__ipaddress"))
    return _call("__ip_contains", node.this, data, like=node)


def _replace_types(tree: exp.Query) -> None:
    for kind in list(tree.find_all(exp.DataType)):
        if kind.this == exp.DataType.Type.IPPREFIX:
            raise AthenaFailure("TYPE_NOT_FOUND", "Unknown type: ipprefix")
        if kind.this == _IP:
            kind.replace(exp.DataType.build(IP_TYPE, dialect="duckdb"))


_CALLS: dict[str, Callable[..., exp.Expr | None]] = {
    CHAR_LITERAL: _char_literal,
    "__format": _format,
    "__word_stem": _word_stem,
    **dict.fromkeys(
        ("__from_hex", "__from_base32", "__from_base64", "__from_base64url"), _from_encoded
    ),
    "__lpad": _pad,
    "__rpad": _pad,
    "__split": _split,
    "__from_utf8": lambda node: _checked(
        "__from_utf8", [*node.expressions, _text_literal("\ufffd")][:2], node
    ),
    "__regexp_extract": _regexp_group,
    "__regexp_extract_all": _regexp_group,
    "__regexp_like": _regexp_like,
    "__regexp_position": _regexp_position,
    "__regexp_replace": _regexp_replace,
}
_NODES: tuple[
    tuple[type[exp.Expr] | tuple[type[exp.Expr], ...], Callable[..., exp.Expr | None]], ...
] = (
    (exp.Cast, _cast),
    (exp.HexString, _hex),
    (exp.Column, _column),
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
    (exp.ArrayContains, _contains),
    (_COMPARISONS, _comparison),
)
