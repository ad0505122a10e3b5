"""The types of expressions, by all families of functions together.

In: what each family says of a kind of node, beside what sqlglot says of Trino.  Out: one table for
sqlglot's annotator; where several know a kind of node, the first that knows the type is right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlglot import exp
from sqlglot.dialects.trino import Trino

from runner.local.athena import names, nested, numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlglot.optimizer.annotate_types import TypeAnnotator
    from sqlglot.typing import ExprMetadataType

    Says = Mapping[str, Any]

_STANDARD = Trino.EXPRESSION_METADATA
_FAMILIES: tuple[Mapping[type[exp.Expr], Says], ...] = (
    nested.METADATA,
    numbers.METADATA,
    names.METADATA,
)


def _one_after_another(says: Sequence[Says]) -> Callable[[TypeAnnotator, exp.Expr], exp.Expr]:
    def annotate(annotator: TypeAnnotator, node: exp.Expr) -> exp.Expr:
        for one in says:
            if "returns" in one:
                annotator._set_type(node, one["returns"])  # noqa: SLF001 - sqlglot's own way
            else:
                one["annotator"](annotator, node)
            if node.type is not None and not node.is_type(exp.DType.UNKNOWN):
                break
        return node

    return annotate


def _united() -> dict[type[exp.Expr], Says]:
    found: dict[type[exp.Expr], Says] = dict(_STANDARD)
    for kind in {kind for family in _FAMILIES for kind in family}:
        own = [
            family[kind]
            for family in _FAMILIES
            if kind in family and family[kind] != _STANDARD.get(kind)
        ]
        if len(own) == 1:
            found[kind] = own[0]
        elif own:
            found[kind] = {"annotator": _one_after_another(own)}
    return found


METADATA: ExprMetadataType = _united()  # type: ignore[assignment]  # built as sqlglot's own
