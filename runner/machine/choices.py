"""The Choices of a Choice state: their checks, and their values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.machine.definition import Branch, JsonataIo, JsonPathIo, Language
from runner.machine.failures import definition_fault
from runner.machine.fields import Shape
from runner.machine.shapes import fits
from runner.machine.templates import Notation, Template

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.errors import Fault
    from runner.machine.rules import Rule
    from runner.model.ports import Json

_JSONATA = frozenset({"Condition", "Next", "Assign", "Output", "Comment"})
_RULE = frozenset({"Variable", "Next", "Assign", "Comment"})
_GROUPS = ("And", "Or", "Not")
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


def check_choices(state: Mapping[str, Json], at: str, language: Language) -> Iterator[Fault]:
    """Find what is wrong with the Choices of a state."""
    choices = state.get("Choices")
    if not isinstance(choices, list) or not choices:
        yield _fault(f"{at}/Choices", "no choices", "at least one choice")
        return
    for index, choice in enumerate(choices):
        pointer = f"{at}/Choices[{index}]"
        if not isinstance(choice, dict):
            yield _fault(pointer, "The choice is not an object", "a choice")
            continue
        if not isinstance(choice.get("Next"), str):
            yield _fault(pointer, "The field 'Next' is required but was missing", "a state")
        if language is Language.JSONATA:
            yield from _check_condition(choice, pointer)
        else:
            yield from _check_rule(choice, pointer)


def _check_condition(choice: Mapping[str, Json], at: str) -> Iterator[Fault]:
    condition = choice.get("Condition")
    is_expression = fits(condition, Shape.COUNT, Language.JSONATA) and isinstance(condition, str)
    if not is_expression and not isinstance(condition, bool):
        yield _fault(f"{at}/Condition", f"{condition!r}", "a JSONata expression")
    for name in choice:
        if name not in _JSONATA:
            yield _fault(f"{at}/{name}", f"The field '{name}' is not supported", "a known field")


def _check_rule(rule: Json, at: str) -> Iterator[Fault]:
    if not isinstance(rule, dict):
        yield _fault(at, "The rule is not an object", "a rule")
        return
    operators = [name for name in rule if name in _COMPARISONS or name in _TESTS]
    groups = [name for name in _GROUPS if name in rule]
    if len(operators) + len(groups) != 1:
        found = ", ".join(operators + groups) or "none"
        yield _fault(at, f"operators: {found}", "exactly one operator")
    for name in rule:
        if name not in _RULE and name not in operators and name not in groups:
            yield _fault(f"{at}/{name}", f"The field '{name}' is not supported", "a known field")
    if operators:
        yield from _check_operator(rule, operators[0], at)
    for name in groups:
        yield from _check_group(rule[name], name, f"{at}/{name}")


def _check_group(inner: Json, name: str, at: str) -> Iterator[Fault]:
    if name == "Not":
        yield from _check_rule(inner, at)
    elif not isinstance(inner, list) or not inner:
        yield _fault(at, f"{inner!r}"[:100], "a list of rules")
    else:
        for index, rule in enumerate(inner):
            yield from _check_rule(rule, f"{at}[{index}]")


def _check_operator(rule: Mapping[str, Json], name: str, at: str) -> Iterator[Fault]:
    if not fits(rule.get("Variable"), Shape.PATH, Language.JSONPATH):
        yield _fault(f"{at}/Variable", f"{rule.get('Variable')!r}", "a path")
    value = rule[name]
    if name.endswith("Path"):
        right = fits(value, Shape.PATH, Language.JSONPATH)
    elif name in _TESTS or name.startswith("Boolean"):
        right = isinstance(value, bool)
    elif name.startswith("Numeric"):
        right = isinstance(value, (int, float)) and not isinstance(value, bool)
    else:
        right = isinstance(value, str)
    if not right:
        yield _fault(f"{at}/{name}", f"{value!r}", f"a value for {name}")


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


def _fault(at: str, found: str, expected: str) -> Fault:
    return definition_fault(at, found, expected, "definition-schema")
