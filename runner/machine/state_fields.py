"""The fields of one state: which it has, what their values are, and the expressions in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.machine.definition import Language
from runner.machine.fields import EXCLUSIVE, WITH_RESULT, Shape, fields_of, is_foreign
from runner.machine.refusals import foreign, one_of, unsupported
from runner.machine.shapes import check_payload, check_value
from runner.machine.templates import is_expression

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.machine.refusals import Refusal
    from runner.model.ports import Json

_PAYLOADS = ("Parameters", "ResultSelector", "Assign", "ItemSelector", "Credentials")


def check_fields(
    state: Mapping[str, Json], at: str, language: Language, *, downgraded: bool
) -> Iterator[Refusal]:
    """Find what is wrong with the fields of a state.

    Of a state that is `downgraded` to a language that it may not have, AWS does not tell which
    fields that language lacks.
    """
    known = fields_of(state["Type"], language)
    yield from _check_values(state, at, language, downgraded=downgraded)
    if language is Language.JSONATA:
        yield from _check_expressions(state, at, known)
    else:
        for name in _PAYLOADS:
            if name in state and name in known:
                yield from check_payload(state[name], f"{at}/{name}")
    for pair in EXCLUSIVE:
        if pair[0] in state and pair[1] in state:
            yield one_of(at, pair, given=2)


def _check_values(
    state: Mapping[str, Json], at: str, language: Language, *, downgraded: bool
) -> Iterator[Refusal]:
    kind = state["Type"]
    known = fields_of(kind, language)
    for name, value in state.items():
        shape = known.get(name)
        if shape is None:
            if not is_foreign(kind, name, language):
                yield unsupported(at, name, f"a field of a {kind} state")
            elif not downgraded:
                yield foreign(at, name, language)
        elif shape is not Shape.ANY or isinstance(value, str):
            found = check_value(value, shape, f"{at}/{name}", language)
            if found:
                yield found


def _check_expressions(
    state: Mapping[str, Json], at: str, known: Mapping[str, Shape]
) -> Iterator[Refusal]:
    from runner.machine.expressions import (  # noqa: PLC0415  (JSONata only)
        AFTER,
        BEFORE,
        check_expressions,
    )

    for name, value in state.items():
        shape = known.get(name)
        # a text without one of its braces was told when its shape was checked
        is_plain = isinstance(value, str) and not is_expression(value)
        if shape is not None and shape.takes_expression and not is_plain:
            is_late = state["Type"] in WITH_RESULT and name in {"Output", "Assign"}
            yield from check_expressions(value, f"{at}/{name}", AFTER if is_late else BEFORE)
