"""What all rules of the analysis share: the state of one query's analysis."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runner.local.athena.analysis.types import UNSURE, Type
from runner.local.athena.errors import AthenaFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlglot import exp

    from runner.local.athena.analysis.scopes import Relation, Scope
    from runner.local.athena.dialect import Given
    from runner.local.athena.tables import TableInfo

    Rule = Callable[["Analysis", exp.Expr, Scope], Type]
    """Gives a node's type; raises AthenaFailure."""


@dataclass
class Analysis:
    """One query's analysis: where tables are, what the parser noted, and the rules."""

    sql: str
    database: str
    lookup: Callable[[str, str], TableInfo | None]
    arguments: Mapping[int, Given]
    """The arguments of calls as they were written, by the identity of the call's node."""
    has_decimals: bool
    """Whether 1.5 is a decimal; else it is a double."""
    rules: Mapping[type[exp.Expr], Rule]
    call: Rule
    """The rule of all calls that have none of their own."""
    query: Callable[[Analysis, exp.Expr, Scope | None], Relation]
    fields: dict[int, tuple[int, str, str, tuple[str, ...]]] = field(default_factory=dict)
    """For columns, by identity: that of their scope, table and name, and the row's fields."""
    queries: dict[str, Relation] = field(default_factory=dict)
    """The queries that WITH names here."""
    aggregates: list[exp.Expr] = field(default_factory=list)
    windows: list[exp.Expr] = field(default_factory=list)
    groupings: list[exp.Expr] = field(default_factory=list)
    """What was found in this SELECT so far."""
    overs: set[int] = field(default_factory=set)
    """Calls, by identity, that stand before OVER."""
    select: exp.Expr | None = None
    """The SELECT that is looked at."""

    def found(self) -> tuple[int, int, int]:
        """Tell how many aggregates, windows and calls of GROUPING were found."""
        return len(self.aggregates), len(self.windows), len(self.groupings)

    def type_of(self, node: exp.Expr, scope: Scope) -> Type:
        """Give an expression's type; UNSURE for what we do not know."""
        given = self.arguments.get(id(node))
        if given is not None and given.error is not None:
            return self.call(self, node, scope)
        rule = self.rules.get(type(node))
        if rule is None:
            return self.call(self, node, scope) if given is not None else UNSURE
        return rule(self, node, scope)

    def types_of(self, nodes: Sequence[exp.Expr], scope: Scope) -> list[Type]:
        """Give the types of some expressions, from left to right."""
        return [self.type_of(each, scope) for each in nodes]


def mismatch(message: str, node: exp.Expr) -> AthenaFailure:
    """Make the failure of types that do not go together."""
    return AthenaFailure("TYPE_MISMATCH", message, at=node)


def must_be_boolean(kind: Type, message: str, node: exp.Expr) -> None:
    """Refuse what is surely no boolean; the message has a place for the type."""
    if kind.is_sure() and kind.name not in {"boolean", "unknown"}:
        raise mismatch(message.format(kind), node)
