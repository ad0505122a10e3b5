"""Frames of windows: which there are not, and what their bounds may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.analysis.rules import mismatch
from runner.local.athena.analysis.types import INTEGERS, Type
from runner.local.athena.errors import AthenaFailure

if TYPE_CHECKING:
    from runner.local.athena.analysis.rules import Analysis
    from runner.local.athena.analysis.scopes import Scope

_CURRENT, _UNBOUNDED = "CURRENT ROW", "UNBOUNDED"
_NO_PAIRS = {
    (_CURRENT, "PRECEDING"),
    ("FOLLOWING", "PRECEDING"),
    ("FOLLOWING", _CURRENT),
}


def check_frame(analysis: Analysis, node: exp.Expr, scope: Scope) -> None:
    """Refuse a frame that ends before it begins, or whose bounds are no numbers of rows."""
    _check_name(analysis, node)
    spec = node.args.get("spec")
    if spec is None:
        return
    start, end = _kind(spec, "start"), _kind(spec, "end")
    message = ""
    if start == f"{_UNBOUNDED} FOLLOWING":
        message = "Window frame start cannot be UNBOUNDED FOLLOWING"
    elif end == f"{_UNBOUNDED} PRECEDING":
        message = "Window frame end cannot be UNBOUNDED PRECEDING"
    elif (start, end) in _NO_PAIRS:
        message = f"Window frame starting from {start} cannot end with {end}"
    if message:
        raise AthenaFailure("INVALID_WINDOW_FRAME", message, at=spec)
    for side in ("start", "end"):
        value = spec.args.get(side)
        if isinstance(value, exp.Expr):
            _check_value(node, side, analysis.type_of(value, scope))


def _check_value(node: exp.Expr, side: str, kind: Type) -> None:
    spec = node.args["spec"]
    frame = str(spec.args.get("kind")).upper()
    if frame == "RANGE" and node.args.get("order") is None and not node.args.get("alias"):
        raise AthenaFailure(
            "MISSING_ORDER_BY",
            "Window frame of type RANGE PRECEDING or FOLLOWING requires ORDER BY",
            at=spec,
        )
    whole = kind.name in {*INTEGERS, "unknown"} or (kind.name == "decimal" and kind.numbers[1] == 0)
    if frame != "RANGE" and kind.is_sure() and not whole:
        raise mismatch(
            f"Window frame {frame} {side} value type must be exact numeric type with scale 0 "
            f"(actual {kind})",
            spec.args[side],
        )


def _kind(spec: exp.Expr, side: str) -> str:
    """Give CURRENT ROW, PRECEDING, FOLLOWING, or UNBOUNDED with one of these."""
    value, which = spec.args.get(side), str(spec.args.get(f"{side}_side") or "").upper()
    if value is None or str(value).upper() == _CURRENT:
        return _CURRENT
    return which if isinstance(value, exp.Expr) else f"{_UNBOUNDED} {which}"


def _check_name(analysis: Analysis, node: exp.Expr) -> None:
    alias = node.args.get("alias")
    if not isinstance(alias, exp.Identifier) or analysis.select is None:
        return
    names = {each.name.lower() for each in analysis.select.args.get("windows") or ()}
    if alias.name.lower() not in names:
        raise AthenaFailure(
            "INVALID_WINDOW_REFERENCE", f"Cannot resolve WINDOW name {alias.name}", at=alias
        )
