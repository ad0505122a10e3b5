"""Names of Athena's functions that are answered by functions and macros of our own.

In: sqlglot's tokens.  Out: the same with such names read as `__<name>`, so that the parser keeps
their arguments as they are; and the types of their values for sqlglot.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import sqlglot
from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from runner.local.athena.dialect import AthenaQuery, Given
from runner.local.athena.families import free_tokens, watch
from runner.local.athena.natives import NATIVES
from runner.local.athena.trees import kind_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlglot.optimizer.annotate_types import TypeAnnotator
    from sqlglot.parser import Parser

# Words that the parser has a grammar for, or that arrays and maps share, stay as they are.
_KEPT = frozenset({"normalize", "replace", "reverse"})
_OURS = frozenset(name.removeprefix("__") for name in NATIVES) - _KEPT
_BEFORE_ALIAS = frozenset(
    {
        TokenType.ALIAS,
        TokenType.WITH,
        TokenType.R_PAREN,
        TokenType.DOT,
        TokenType.VAR,
        TokenType.RECURSIVE,
    }
)
_BINARY = re.compile(
    r"\b[xX]'([0-9a-fA-F]*\s[0-9a-fA-F\s]*)'|'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/",
    re.DOTALL,
)
CHAR_LITERAL = "__char_literal"
BINARY_TOO = frozenset({"__lpad", "__rpad"})


def parse(sql: str) -> list[exp.Expr | None]:
    """Parse Athena's SQL; raises sqlglot's errors."""
    return parse_noted(sql)[0]


def parse_noted(sql: str, *, free: bool = False) -> tuple[list[exp.Expr | None], dict[int, Given]]:
    """Parse, and give for calls, by the identity of their nodes, what they were given.

    `free`: the text has marks for whole numbers.
    """
    parser, tokens = noting_parser(sql, AthenaQuery.Parser, free=free)
    trees = parser.parse(tokens, sql)
    for tree in trees if free else ():
        if tree is not None:
            watch(tree)
    return trees, getattr(parser, "given", {})


def noting_parser(
    sql: str, kind: type[Parser], *, free: bool = False
) -> tuple[Parser, list[Token]]:
    """Make a parser, and the tokens that it is to parse."""
    dialect = sqlglot.Dialect.get_or_raise(AthenaQuery)
    tokens = dialect.tokenize(_BINARY.sub(_without_spaces, sql))
    _rename(tokens)
    if free:
        free_tokens(tokens)
    return kind(dialect=dialect), _with_chars(tokens)


def tokens_of(sql: str) -> Sequence[Token]:
    """Give sqlglot's tokens of a text, each with its place."""
    return sqlglot.Dialect.get_or_raise(AthenaQuery).tokenize(_BINARY.sub(_without_spaces, sql))


def _without_spaces(match: re.Match[str]) -> str:
    """Put the spaces of X'01 02' behind it; other literals stay as they are."""
    if match[1] is None:
        return match[0]
    digits = re.sub(r"\s", "", match[1])
    return f"X'{digits}'".ljust(len(match[0]))


def _rename(tokens: Sequence[Token]) -> None:
    for number, token in enumerate(tokens[:-1]):
        if (
            tokens[number + 1].token_type == TokenType.L_PAREN
            and token.token_type not in {TokenType.IDENTIFIER, TokenType.STRING}
            and token.text.lower() in _OURS
            and not _is_alias(tokens, number)
        ):
            token.text = f"__{token.text.lower()}"
            token.token_type = TokenType.VAR


def _is_alias(tokens: Sequence[Token], number: int) -> bool:
    if number and tokens[number - 1].token_type in _BEFORE_ALIAS:
        return True
    depth = 0
    for place in range(number + 1, len(tokens)):
        kind = tokens[place].token_type
        depth += (kind == TokenType.L_PAREN) - (kind == TokenType.R_PAREN)
        if depth == 0:
            following = [each.token_type for each in tokens[place + 1 : place + 3]]
            return following == [TokenType.ALIAS, TokenType.L_PAREN]
    return False


def _with_chars(tokens: list[Token]) -> list[Token]:
    """Read `CHAR 'x'` as a call, for its length is that of the literal."""
    found: list[Token] = []
    for token in tokens:
        before = found[-1] if found else None
        if (
            token.token_type == TokenType.STRING
            and before is not None
            and before.token_type == TokenType.CHAR
            and before.text.upper() == "CHAR"
        ):
            before.text, before.token_type = CHAR_LITERAL, TokenType.VAR
            found += [_mark(TokenType.L_PAREN, "(", token), token]
            found.append(_mark(TokenType.R_PAREN, ")", token))
        else:
            found.append(token)
    return found


def _mark(kind: TokenType, text: str, near: Token) -> Token:
    return Token(kind, text, near.line, near.col, near.start, near.end)


def annotate(annotator: TypeAnnotator, node: exp.Expr) -> exp.Expr:
    """Give a call of ours its type."""
    name = node.name.lower()
    kind = exp.DataType(this=exp.DType.UNKNOWN)
    if name == CHAR_LITERAL and node.expressions:
        kind = char_of(len(node.expressions[0].name))
    elif name in NATIVES:
        kind = kind_of(NATIVES[name].gives, "duckdb")
        first = node.expressions[0] if node.expressions else None
        if name in BINARY_TOO and first is not None and first.is_type(exp.DType.VARBINARY):
            kind = kind_of("varbinary")
    annotator._set_type(node, kind)  # noqa: SLF001 - the way that sqlglot's own annotators take
    return node


def _as_its_argument(annotator: TypeAnnotator, node: exp.Expr) -> exp.Expr:
    annotator._set_type(node, node.this.type)  # noqa: SLF001 - as above
    return node


def char_of(length: int) -> exp.DataType:
    """Make the type of text padded to a length."""
    size = exp.DataTypeParam(this=exp.Literal.number(length))
    return exp.DataType(this=exp.DataType.Type.CHAR, expressions=[size], nested=False)


METADATA: dict[type[exp.Expr], dict[str, Any]] = {
    **sqlglot.Dialect.get_or_raise("trino").EXPRESSION_METADATA,
    exp.Anonymous: {"annotator": annotate},
    exp.Encode: {"returns": exp.DataType.Type.VARBINARY},
    exp.Replace: {"returns": exp.DataType.Type.VARCHAR},
    exp.Normalize: {"returns": exp.DataType.Type.VARCHAR},
    exp.UnicodeString: {"returns": exp.DataType.Type.VARCHAR},
    exp.Uuid: {"returns": exp.DataType.Type.UUID},
    exp.Reverse: {"annotator": _as_its_argument},
    exp.Try: {"annotator": _as_its_argument},
}
