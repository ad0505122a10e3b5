"""What users' own JSONata sees: `$values` of the steps before, `$window`, in a map `$item`.

In: JSON of a user's file, in which texts between {% and %} are JSONata.  Out: the same with these
names defined where the definition calls them otherwise.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from runner.asl.expressions import expression

if TYPE_CHECKING:
    from runner.asl.steps.scope import Scope

_WHOLE = re.compile(r"\{%\s*(.*?)\s*%\}\Z", re.DOTALL)
_VALUES = re.compile(r"\$values\b")
_WINDOW = re.compile(r"\$window\b")


def jsonata_of(text: str) -> str:
    """Give the JSONata between {% and %}."""
    match = _WHOLE.match(text)
    return match[1] if match else text


def is_jsonata(value: object) -> bool:
    """Tell whether a value is a text that is JSONata as a whole."""
    return isinstance(value, str) and bool(_WHOLE.match(value))


def seeing(scope: Scope, jsonata: str) -> str:
    """Let JSONata see the values of steps and the window under their names."""
    bound = ""
    if _VALUES.search(jsonata):
        bound += f"$values := {scope.values}; "
    if scope.window != "$window" and _WINDOW.search(jsonata):
        bound += f"$window := {scope.window}; "
    return f"( {bound}{jsonata} )" if bound else jsonata


def with_values(scope: Scope, value: Any) -> Any:  # noqa: ANN401 - JSON
    """Let every expression in a value see them."""
    if isinstance(value, dict):
        return {key: with_values(scope, one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [with_values(scope, one) for one in value]
    if isinstance(value, str) and _WHOLE.match(value):
        return expression(seeing(scope, jsonata_of(value)))
    return value


def mentions_values(value: Any) -> bool:  # noqa: ANN401 - JSON
    """Tell whether an expression in a value speaks of the values of steps."""
    if isinstance(value, dict):
        return any(map(mentions_values, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(mentions_values, value))
    return isinstance(value, str) and bool(_WHOLE.match(value) and _VALUES.search(value))
