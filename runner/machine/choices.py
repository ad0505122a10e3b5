"""The Choices of a Choice state: their checks, and their values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.machine.definition import Branch, JsonataIo, JsonPathIo, Language
from runner.machine.fields import Shape
from runner.machine.refusals import foreign, one_of, required, schema, unsupported
from runner.machine.shapes import (
    check_payload,
    check_timestamp,
    check_value,
    is_unclosed,
    wrong_type,
)
from runner.machine.templates import Notation, Template, is_expression
from runner.machine.variables import check_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.machine.refusals import Refusal
    from runner.machine.rules import Rule
    from runner.model.ports import Json

_JSONATA = frozenset({"Condition", "Next", "Assign", "Output", "Comment"})
_RULE = frozenset({"Variable", "Comment"})
_TOP = frozenset({"Next", "Assign"})
"""Fields of a rule that stands in Choices itself."""
_GROUPS = ("And", "Or", "Not")
_SELECTORS = (*_GROUPS, "Variable", "Condition")
_ORDERS = ("Equals", "GreaterThan", "GreaterThanEquals", "LessThan", "LessThanEquals")
_COMPARISONS = frozenset(
    {
        "StringMatches",
        "BooleanEquals",
        "BooleanEqualsPath",
        *(
            f"{kind}{order}{path}"
            for kind in ("Numeric", "String", "Timestamp")
            for order in _ORDERS
            for path in ("", "Path")
        ),
    }
)
_TESTS = frozenset({"IsPresent", "IsNull", "IsNumeric", "IsString", "IsBoolean", "IsTimestamp"})


def check_choices(
    state: Mapping[str, Json], at: str, language: Language, outer: frozenset[str]
) -> Iterator[Refusal]:
    """Find what is wrong with the Choices of a state; `outer` names variables of flows around."""
    if "Choices" not in state:
        yield required(at, "Choices")
        return
    choices = state["Choices"]
    if not isinstance(choices, list):
        return
    if not choices:
        yield schema(f"{at}/Choices", "Value cannot be empty", "at least one choice")
    for index, choice in enumerate(choices):
        pointer = f"{at}/Choices[{index}]"
        if not isinstance(choice, dict):
            yield wrong_type(pointer, "OBJECT")
            continue
        yield from _check_choice(choice, pointer)
        if language is Language.JSONATA:
            yield from _check_condition(choice, pointer)
        else:
            yield from _check_rule(choice, pointer, top=True)
            yield from check_payload(choice.get("Assign"), f"{pointer}/Assign")
        if "Assign" in choice:
            yield from check_names(choice["Assign"], f"{pointer}/Assign", language, outer)


def _check_choice(choice: Mapping[str, Json], at: str) -> Iterator[Refusal]:
    if "Next" not in choice:
        yield required(at, "Next")
    elif not isinstance(choice["Next"], str):
        yield wrong_type(f"{at}/Next", "STRING")
    if not isinstance(choice.get("Assign", {}), dict):
        yield wrong_type(f"{at}/Assign", "OBJECT")


def _check_condition(choice: Mapping[str, Json], at: str) -> Iterator[Refusal]:
    from runner.machine.expressions import BEFORE, check_expressions  # noqa: PLC0415  (JSONata only)

    for name, value in choice.items():
        if name in {"Condition", "Assign", "Output"}:
            yield from check_expressions(value, f"{at}/{name}", BEFORE)
        elif _is_rule_field(name):
            yield foreign(at, name, Language.JSONATA)
        elif name not in _JSONATA:
            yield unsupported(at, name, "a field of a choice")
    if "Condition" not in choice:
        yield required(at, "Condition")
        return
    condition = choice["Condition"]
    is_text = isinstance(condition, str) and not is_expression(condition)
    if (is_text and not is_unclosed(condition)) or not isinstance(condition, (str, bool)):
        told = "Expected value of type [JSONATA, BOOLEAN]"
        yield schema(f"{at}/Condition", told, "a JSONata expression or a boolean")


def _is_rule_field(name: str) -> bool:
    return name in _COMPARISONS or name in _TESTS or name in _GROUPS or name == "Variable"


def _check_rule(rule: Json, at: str, *, top: bool = False) -> Iterator[Refusal]:
    if not isinstance(rule, dict):
        yield wrong_type(at, "OBJECT")
        return
    for name in rule:
        if name in {"Condition", "Output"}:
            yield foreign(at, name, Language.JSONPATH)
        elif not _is_rule_field(name) and name not in _RULE and not (top and name in _TOP):
            yield unsupported(at, name, "a field of a rule")
    selected = [name for name in _SELECTORS if name in rule]
    if len(selected) != 1:
        named = ", ".join(_SELECTORS)
        told = f"The object must have only one of the following fields, [{named}]"
        yield schema(at, told, f"exactly one of {named}")
    elif selected == ["Variable"]:
        yield from _check_comparison(rule, at)
    for name in selected:
        if name in _GROUPS:
            yield from _check_group(rule[name], name, f"{at}/{name}")


def _check_group(inner: Json, name: str, at: str) -> Iterator[Refusal]:
    if name == "Not":
        yield from _check_rule(inner, at)
    elif not isinstance(inner, list):
        yield wrong_type(at, "ARRAY")
    elif not inner:
        yield schema(at, "Value cannot be empty", "at least one rule")
    else:
        for index, rule in enumerate(inner):
            yield from _check_rule(rule, f"{at}[{index}]")


def _check_comparison(rule: Mapping[str, Json], at: str) -> Iterator[Refusal]:
    found = _check_reference(rule["Variable"], f"{at}/Variable")
    if found:
        yield found
    operators = [name for name in rule if name in _COMPARISONS or name in _TESTS]
    if len(operators) != 1:
        yield one_of(at, operators or sorted(_COMPARISONS | _TESTS), given=len(operators))
    for name in operators[:1]:
        found = _check_operand(rule[name], name, f"{at}/{name}")
        if found:
            yield found


def _check_reference(value: Json, at: str) -> Refusal | None:
    found = check_value(value, Shape.PATH, at, Language.JSONPATH)
    if found is None or not isinstance(value, str):
        return found
    told = "Value is not a Reference Path"
    if not value.startswith("$"):
        told += ": Reference path didn't start with '$'"
    return schema(at, told, "a path such as $.a")


def _check_operand(value: Json, name: str, at: str) -> Refusal | None:
    if name.endswith("Path"):
        return _check_reference(value, at)
    if name in _TESTS or name.startswith("Boolean"):
        return check_value(value, Shape.BOOLEAN, at, Language.JSONPATH)
    if name.startswith("Numeric"):
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return None if is_number else wrong_type(at, "NUMBER")
    if not isinstance(value, str):
        return wrong_type(at, "STRING")
    if name.startswith("Timestamp"):
        return check_timestamp(value, at)
    return None


def make_branch(choice: Mapping[str, Json], index: int, language: Language) -> Branch:
    """Build a choice that passed the checks."""
    at = f"Choices[{index}]"
    if language is Language.JSONATA:
        io = JsonataIo(
            output=_optional(choice, "Output", at, Notation.JSONATA),
            assign=_optional(choice, "Assign", at, Notation.JSONATA),
        )
        condition = Template(choice["Condition"], f"{at}/Condition", Notation.JSONATA)
        return Branch(condition=condition, next=choice["Next"], io=io)
    assign = _optional(choice, "Assign", at, Notation.PAYLOAD)
    return Branch(
        condition=_make_rule(choice, at), next=choice["Next"], io=JsonPathIo(assign=assign)
    )


def _optional(
    choice: Mapping[str, Json], name: str, at: str, notation: Notation
) -> Template | None:
    return Template(choice[name], f"{at}/{name}", notation) if name in choice else None


def _make_rule(source: Mapping[str, Json], at: str) -> Rule:
    from runner.machine import rules  # noqa: PLC0415  (JSONPath definitions only)
    from runner.machine.paths import parse_path  # noqa: PLC0415

    if "And" in source:
        return rules.And(tuple(_make_rule(rule, at) for rule in source["And"]))
    if "Or" in source:
        return rules.Or(tuple(_make_rule(rule, at) for rule in source["Or"]))
    if "Not" in source:
        return rules.Not(_make_rule(source["Not"], at))
    name = next(name for name in source if name in _COMPARISONS or name in _TESTS)
    if name == "IsPresent":
        return rules.Present(parse_path(source["Variable"]), source[name])
    variable = Template(source["Variable"], "Variable", Notation.PATH)
    if name in _TESTS:
        return rules.TypeIs(variable, name, source[name])
    notation = Notation.PATH if name.endswith("Path") else Notation.CONSTANT
    operand = Template(source[name], name, notation)
    return rules.Comparison(variable, name.removesuffix("Path"), operand)
