"""The names that Assign gives to variables, and the scopes in which they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.machine.definition import Language
from runner.machine.refusals import (
    BAD_VARIABLE,
    RESERVED_VARIABLE,
    VARIABLE_TWICE,
    Refusal,
    escape,
    refuse,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.model.ports import Json

MAX_NAME = 80
_RESERVED = "states"


def check_names(
    assign: Json, at: str, language: Language, outer: frozenset[str]
) -> Iterator[Refusal]:
    """Find names in an Assign field that no variable may have there."""
    for key in assign if isinstance(assign, dict) else ():
        name = key.removesuffix(".$") if language is Language.JSONPATH else key
        pointer = f"{at}/{escape(key)}"
        if name == _RESERVED:
            told = "Cannot assign to reserved variable '$states'."
            yield refuse(RESERVED_VARIABLE, pointer, told, "another name")
        elif not name.isidentifier():
            told = f"Invalid variable name '{name}': the variable name contains invalid characters."
            yield refuse(BAD_VARIABLE, pointer, told, "a letter, then letters, digits and _")
        elif len(name) > MAX_NAME:
            told = f"Invalid variable name '{name}': the variable name is too long."
            yield refuse(BAD_VARIABLE, pointer, told, f"at most {MAX_NAME} characters")
        elif name in outer:
            told = f"The variable name '{name}' was already defined in a parent scope."
            yield refuse(VARIABLE_TWICE, pointer, told, "a name that no outer flow assigns")


def assigned_names(states: Mapping[str, Json]) -> frozenset[str]:
    """Collect the names that the states of one flow assign, without flows inside them."""
    names: set[str] = set()
    for state in states.values():
        if not isinstance(state, dict):
            continue
        _collect(state, names)
        for field in ("Choices", "Catch"):
            parts = state.get(field)
            for part in parts if isinstance(parts, list) else ():
                if isinstance(part, dict):
                    _collect(part, names)
    return frozenset(names)


def _collect(part: Mapping[str, Json], names: set[str]) -> None:
    assign = part.get("Assign")
    if isinstance(assign, dict):
        names.update(key.removesuffix(".$") for key in assign)
