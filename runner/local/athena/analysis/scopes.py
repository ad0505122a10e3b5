"""What names mean: the columns that a query sees, from the innermost query outwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from runner.local.athena.analysis.types import UNSURE, Type
from runner.local.athena.errors import AthenaFailure, no_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlglot import exp


class Field(NamedTuple):
    """A column of a relation; an unnamed one has the name ''."""

    name: str
    type: Type = UNSURE
    table: str = ""
    database: str = ""
    is_hidden: bool = False
    """Whether a star does not give it."""
    shown: str = ""
    """The name as the query wrote it."""


class Relation(NamedTuple):
    """The columns of a table or query; an open one has others that are not known to us."""

    fields: tuple[Field, ...] = ()
    is_open: bool = False

    def named(self, table: str) -> Relation:
        """Give it another name."""
        return self._replace(
            fields=tuple(each._replace(table=table, database="") for each in self.fields)
        )

    def stars(self) -> tuple[Field, ...]:
        """Give what a star gives."""
        return tuple(each for each in self.fields if not each.is_hidden)


OPEN = Relation(is_open=True)


class Found(NamedTuple):
    """What a name means: its type, and the field with its scope (None for what is open)."""

    type: Type
    field: Field | None = None
    scope: Scope | None = None
    used: int = 1
    """How many parts of the name the column has; the others are fields of rows."""


@dataclass
class Scope:
    """The relation that an expression stands over, and what is around it."""

    relation: Relation = field(default_factory=Relation)
    parent: Scope | None = None
    has_from: bool = True

    def matching(self, parts: Sequence[str]) -> list[Field]:
        """Give the fields that a name with its qualifiers means."""
        *before, name = parts
        found = [each for each in self.relation.fields if each.name == name]
        if not before:
            return found
        database = before[-2] if len(before) > 1 else ""
        return [
            each
            for each in found
            if each.table == before[-1] and (not database or each.database == database)
        ]


def resolve(scope: Scope, parts: Sequence[exp.Identifier], node: exp.Expr) -> Found:
    """Find what `a`, `t.a` or `row.field` means; raises AthenaFailure if it means nothing."""
    names = [each.name.lower() for each in parts]
    shown = [each.name for each in parts]
    for count in range(len(names), 0, -1):
        found = _exact(scope, names[:count], shown, node)
        if found is not None:
            return _fields(found, shown, count, node)
    raise AthenaFailure("COLUMN_NOT_FOUND", no_column(".".join(shown)), at=node)


def _exact(
    scope: Scope, names: Sequence[str], shown: Sequence[str], node: exp.Expr
) -> Found | None:
    """Find a column by its whole name; in what is open it may be anything."""
    here: Scope | None = scope
    while here is not None:
        fields = here.matching(names)
        if len(fields) > 1:
            name = ".".join(shown[: len(names)])
            raise AthenaFailure("AMBIGUOUS_NAME", f"Column '{name}' is ambiguous", at=node)
        if fields:
            return Found(fields[0].type, fields[0], here)
        if here.relation.is_open:
            return Found(UNSURE)
        if any(here.matching(names[:count]) for count in range(1, len(names))):
            return None  # a field of a column that is nearer
        here = here.parent
    return None


def _fields(found: Found, shown: Sequence[str], count: int, node: exp.Expr) -> Found:
    """Go from a column down to the field that the rest of the name means."""
    kind = found.type
    for number in range(count, len(shown)):
        if kind == UNSURE:
            return Found(UNSURE, found.field, found.scope, count)
        kind = field_type(kind, shown[: number + 1], node)
    return Found(kind, found.field, found.scope, count)


def field_type(kind: Type, shown: Sequence[str], node: exp.Expr, *, missing: str = "") -> Type:
    """Give the type of a row's field; raises AthenaFailure if there is none."""
    if kind.name != "row":
        what = ".".join(shown[:-1])
        raise AthenaFailure("TYPE_MISMATCH", f"Expression {what} is not of type ROW", at=node)
    names = [each.lower() for each in kind.fields]
    wanted = shown[-1].lower()
    if names.count(wanted) > 1:
        raise AthenaFailure(
            "INVALID_COLUMN_REFERENCE", f"Ambiguous row field reference: {shown[-1]}", at=node
        )
    if wanted not in names:
        raise AthenaFailure("COLUMN_NOT_FOUND", no_column(missing or ".".join(shown)), at=node)
    return kind.parts[names.index(wanted)]
