"""Athena's query language as we read it: Trino's, with what sqlglot loses kept.

A literal such as DECIMAL '1.50' has the precision of its digits; and functions whose meaning the
passes must see whole stay calls by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import ParseError
from sqlglot.parsers.athena import AthenaTrinoParser

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.functions_maths import PAIRS, SCALARS

if TYPE_CHECKING:
    from typing import TypeVar

    from sqlglot.parser import Parser

    E = TypeVar("E", bound=exp.Expr)

MOST_DIGITS = 38
_AFTER_VALUES = frozenset({"UNION", "INTERSECT", "EXCEPT", "ORDER", "LIMIT", "OFFSET", "FETCH"})


def _decimal_literal(_parser: Parser, literal: exp.Expr, kind: exp.DataType) -> exp.Expr:
    """Type DECIMAL '12.30' by its digits: DECIMAL(4, 2)."""
    if not kind.expressions:
        kind = decimal_type(*digits_of(literal.name))
    return exp.cast(exp.Literal.string(literal.name.strip()), kind)


def digits_of(text: str) -> tuple[int, int]:
    """Give precision and scale of a decimal literal's text; raises AthenaFailure.

    >>> digits_of("-0012.30"), digits_of(".5"), digits_of("0")
    ((4, 2), (1, 1), (1, 0))
    """
    whole, _, fraction = text.strip().lstrip("+-").partition(".")
    if not (whole + fraction).isdigit():
        raise AthenaFailure("INVALID_LITERAL", f"'{text}' is not a valid DECIMAL literal")
    precision = max(len(whole.lstrip("0")) + len(fraction), 1)
    if precision > MOST_DIGITS:
        raise AthenaFailure("INVALID_LITERAL", f"'{text}' is not a valid DECIMAL literal")
    return precision, len(fraction)


def decimal_type(precision: int, scale: int) -> exp.DataType:
    """Make the type."""
    return exp.DataType(
        this=exp.DataType.Type.DECIMAL,
        expressions=[
            exp.DataTypeParam(this=exp.Literal.number(number)) for number in (precision, scale)
        ],
        nested=False,
    )


class Given(NamedTuple):
    """A call's node, and what it was given as it was written."""

    node: exp.Expr
    arguments: list[exp.Expr]
    error: ParseError | None
    """Set if they are more or fewer than the parser knows of."""


class AthenaQuery(Trino):
    """The dialect in which queries are read."""

    class Parser(AthenaTrinoParser):
        """Trino's parser with our literals, and without sqlglot's own reading of some calls."""

        FUNCTIONS: ClassVar = {
            name: build
            for name, build in AthenaTrinoParser.FUNCTIONS.items()
            if name.lower() not in SCALARS | PAIRS
        }
        TYPE_LITERAL_PARSERS: ClassVar = {
            **AthenaTrinoParser.TYPE_LITERAL_PARSERS,
            exp.DataType.Type.DECIMAL: _decimal_literal,
        }

        def validate_expression(self, expression: E, args: list[exp.Expr] | None = None) -> E:
            """Note what a call was given, which its node may hold in another order.

            How many arguments a function takes is told later, in Trino's words.
            """
            if args is None:
                return super().validate_expression(expression)
            found, error = expression, None
            try:
                found = super().validate_expression(expression, args)
            except ParseError as wrong:
                error = wrong
            self.__dict__.setdefault("given", {})[id(found)] = Given(found, args, error)
            return found

        def _parse_derived_table_values(
            self,
            allow_value_synonym: bool = False,  # noqa: FBT001, FBT002 - sqlglot's own
        ) -> exp.Values | None:
            """Leave `(VALUES 1 UNION VALUES 2)` to the parser of queries."""
            if self._curr is not None and self._curr.text == "(" and self._goes_on():
                return None
            return super()._parse_derived_table_values(allow_value_synonym)

        def _goes_on(self) -> bool:
            depth = 0
            for token in self._tokens[self._index :]:
                depth += {"(": 1, ")": -1}.get(token.text, 0)
                if depth == 0:
                    return False
                if depth == 1 and token.text.upper() in _AFTER_VALUES:
                    return token.token_type.name != "STRING"
            return False
