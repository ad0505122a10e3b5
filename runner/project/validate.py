"""Plain data to the models of what users write, or to faults where each key stands.

In: data of a YAML text and its places.  Out: a frozen model, or every fault that pydantic found,
said in our words.  Values are validated strictly: a quoted number is no number.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from runner.errors import Fault
from runner.model.fields import KEY_ADVICE
from runner.model.nearest import suggestion
from runner.model.refusal import RefusedValueError
from runner.project.fieldpath import field_description, keys_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

    from runner.model.places import Path, Places
    from runner.project.yamltext import Data

Model = TypeVar("Model", bound="BaseModel")

_SECRET_ADVICE = {
    "password": "put the value into an environment variable and write ${env:ITS_NAME} here",
    "secrets": "write `NAME: <ARN of the secret>` below it, indented",
    "hash": KEY_ADVICE,
}
_HIDDEN_KEYS = tuple(_SECRET_ADVICE)
"""Keys below which somebody may have written a secret's value: it is never shown."""
_TYPES = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping (`key: value` lines)",
    "model_type": "a mapping (`key: value` lines)",
    "model_attributes_type": "a mapping (`key: value` lines)",
    "none_required": "nothing",
}


def validate(
    model: type[Model], data: Data, places: Places
) -> tuple[Model | None, tuple[Fault, ...]]:
    """Make the model, or say everything that is wrong with the data."""
    shown = {} if data is None else data
    try:
        return model.model_validate_json(json.dumps(shown), strict=True), ()
    except ValidationError as error:
        problems = [_Problem.of(detail, shown) for detail in error.errors(include_url=False)]
        return None, tuple(_faults(model, shown, places, problems))


@dataclass(frozen=True, slots=True)
class _Problem:
    """One of pydantic's errors, at a path of the data."""

    path: Path
    kind: str
    loc: tuple[str | int, ...]
    context: dict[str, Any]

    @classmethod
    def of(cls, detail: ErrorDetails, data: Data) -> _Problem:
        kind = detail["type"]
        path = _path(detail["loc"], data, absent=kind == "missing")
        return cls(path, kind, tuple(detail["loc"]), dict(detail.get("ctx") or {}))


def _path(loc: tuple[str | int, ...], data: Data, *, absent: bool) -> Path:
    """Keep the parts of a location that are keys and indexes; drop names of union members."""
    path: list[str | int] = []
    value: Data = data
    for index, part in enumerate(loc):
        known = part in value if isinstance(value, dict) else isinstance(value, list)
        if known and not (isinstance(value, list) and isinstance(part, str)):
            value = value[part]
        elif not (absent and index == len(loc) - 1):
            continue
        path.append(part)
    return tuple(path)


def _at(data: Data, path: Path) -> Data:
    for part in path:
        data = data[part]
    return data


def _faults(
    model: type[BaseModel], data: Data, places: Places, problems: list[_Problem]
) -> Iterator[Fault]:
    """Say each problem once: the members of a union complain together about one value."""
    by_path: dict[Path, list[_Problem]] = {}
    for problem in problems:
        by_path.setdefault(problem.path, []).append(problem)
    for path, group in by_path.items():
        inner = [p for p in by_path if len(p) > len(path) and p[: len(path)] == path]
        mistyped = all(p.kind in _TYPES or p.kind in ("literal_error", "enum") for p in group)
        short = bool(inner) and group[0].kind == "too_short"  # what is wrong was not counted
        if (short or (inner and mistyped)) and isinstance(_at(data, path), dict | list):
            continue
        yield _fault(model, data, places, group)


def _fault(model: type[BaseModel], data: Data, places: Places, group: Sequence[_Problem]) -> Fault:
    problem = group[0]
    match problem.kind:
        case "extra_forbidden":
            return _unknown_key(model, places, problem)
        case "missing":
            return _missing_key(model, places, problem)
        case "union_tag_invalid" | "union_tag_not_found":
            return _wrong_tag(data, places, problem)
        case "literal_error" | "enum":
            return _wrong_choice(data, places, group)
        case kind if kind in _TYPES:
            return _wrong_type(data, places, group)
        case _:
            return _wrong_value(data, places, problem)


def _unknown_key(model: type[BaseModel], places: Places, problem: _Problem) -> Fault:
    known = keys_at(model, problem.loc[:-1])
    name = str(problem.path[-1])
    return Fault(
        places.key(*problem.path),
        "unknown-key",
        f"the key `{name}`",
        f"one of {', '.join(known)}",
        suggestion(name, known, otherwise="remove it"),
    )


def _missing_key(model: type[BaseModel], places: Places, problem: _Problem) -> Fault:
    name = str(problem.path[-1])
    where = f" in `{problem.path[-2]}`" if len(problem.path) > 1 else ""
    meaning = field_description(model, problem.loc)
    return Fault(
        places.key(*problem.path[:-1]),
        "missing-key",
        f"no `{name}`{where}",
        f"`{name}`: {meaning.rstrip('.')}" if meaning else f"`{name}`",
        f"add the line `{name}: ...`",
    )


def _wrong_tag(data: Data, places: Places, problem: _Problem) -> Fault:
    key = str(problem.context["discriminator"]).strip("'")
    value = _at(data, problem.path)
    if problem.kind == "union_tag_not_found":
        where = f" in `{problem.path[-1]}`" if problem.path else ""
        return Fault(
            places.key(*problem.path),
            "missing-key",
            f"no `{key}`{where}",
            f"`{key}`, which says what it is",
            f"add the line `{key}: ...`",
        )
    known = [word.strip("' ") for word in str(problem.context["expected_tags"]).split(",")]
    return Fault(
        places.value(*problem.path, key),
        "wrong-value",
        f"`{key}: {value[key]}`",
        f"one of {', '.join(known)}",
        suggestion(str(value[key]), known, otherwise="choose one of them"),
    )


def _wrong_choice(data: Data, places: Places, group: Sequence[_Problem]) -> Fault:
    path = group[0].path
    value = _at(data, path)
    choices = [p for p in group if p.kind in ("literal_error", "enum")]
    known = [
        word.strip(" '")
        for problem in choices
        for word in str(problem.context["expected"]).replace(" or ", ", ").split(",")
    ]
    others = [_TYPES[p.kind] for p in group if p.kind in _TYPES and p.kind != "none_required"]
    expected = " or ".join([f"one of {', '.join(known)}", *dict.fromkeys(others)])
    return Fault(
        places.value(*path),
        "wrong-value",
        f"`{path[-1]}: {value}`" if isinstance(value, str) else described(value),
        expected,
        suggestion(str(value), known, otherwise="choose one of them"),
    )


def _wrong_type(data: Data, places: Places, group: Sequence[_Problem]) -> Fault:
    path = group[0].path
    value = _at(data, path)
    wanted = dict.fromkeys(_TYPES[p.kind] for p in group if p.kind in _TYPES)
    if len(wanted) > 1:
        wanted.pop("nothing", None)
    expected = " or ".join(wanted)
    hidden = any(part in _HIDDEN_KEYS for part in path)
    return Fault(
        places.value(*path),
        "wrong-type",
        f"{described(value, secret=hidden)}{_named(path)}",
        expected,
        _type_advice(path, value, tuple(wanted)),
    )


def _named(path: Path) -> str:
    names = [part for part in path if isinstance(part, str)]
    return f" for `{names[-1]}`" if names else ""


def _type_advice(path: Path, value: Data, wanted: tuple[str, ...]) -> str:
    for key, advice in _SECRET_ADVICE.items():
        if key in path:
            return advice
    match value, wanted:
        case None, _:
            advice = "write a value after the colon, or remove the key"
        case ((bool() | int() | float() | str()), _) if "text" in wanted:
            advice = f'quote it: "{json.dumps(value)}"'
        case ((bool() | int() | float() | str()), _) if "a list" in wanted:
            shown = value if isinstance(value, str) else json.dumps(value)
            advice = f"write it as a list: [{shown}]"
        case _, ("true or false",):
            advice = "write true or false, without quotes"
        case str(), (first, *_) if "number" in first:
            advice = "write a decimal number, without quotes, zeros in front or a unit"
        case _, (first, *_) if first.startswith("a mapping"):
            advice = "write its keys below it, indented, as `key: value`"
        case _, ("text",):
            advice = "write one value"
        case _:
            advice = "write the value in the expected form"
    return advice


def described(value: Data, *, secret: bool = False) -> str:
    """Say what a value is, without showing it when it is secret.

    >>> described(5), described("x"), described(5, secret=True)
    ('the number 5', 'the text "x"', 'a number')
    """
    match value:
        case None:
            return "nothing"
        case bool():
            return "a plain value" if secret else json.dumps(value)
        case int() | float():
            return "a number" if secret else f"the number {value}"
        case str():
            shown = value if len(value) <= 60 else f"{value[:57]}..."  # noqa: PLR2004
            return "a plain text" if secret else f"the text {json.dumps(shown, ensure_ascii=False)}"
        case list():
            return "a list"
        case _:
            return "a mapping"


_LIMITS = {
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "greater_than": "more than {gt}",
    "less_than": "less than {lt}",
    "too_short": "at least {min_length}",
    "too_long": "at most {max_length}",
    "string_too_long": "at most {max_length} characters",
    "string_too_short": "at least {min_length} characters",
}
_PATTERNS = {
    r"^[a-z][a-z0-9-]*$": "small letters, digits and hyphens, a letter first",
    r"^\d{12}$": "twelve digits in quotes",
    r"^s3://": "a location that begins with s3://",
    r"^(s3://|\$\{)": "a location that begins with s3://",
    r"^(\*|[a-z0-9-]+:[A-Za-z0-9*?]+)$": "an action of IAM, such as s3:GetObject",
    r"^builtin:[a-z][a-z0-9_]*$": "builtin: and a name, such as builtin:notify",
    r"^arn:aws[a-z-]*:kinesis:[a-z0-9-]+:\d{12}:stream/.+$": "the ARN of a Kinesis stream, such as "
    "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks",
}


def _wrong_value(data: Data, places: Places, problem: _Problem) -> Fault:
    value = _at(data, problem.path)
    secret = any(part in _HIDDEN_KEYS for part in problem.path)
    expected, advice = _limits(problem)
    counted = problem.kind in ("too_short", "too_long")
    found = f"{len(value)} values" if counted else described(value, secret=secret)
    code = "plain-secret" if secret else "wrong-value"
    return Fault(
        places.value(*problem.path), code, f"{found}{_named(problem.path)}", expected, advice
    )


def _limits(problem: _Problem) -> tuple[str, str]:
    reason = problem.context.get("error")
    if isinstance(reason, RefusedValueError):
        return reason.expected, reason.advice
    if problem.kind == "string_pattern_mismatch":
        pattern = str(problem.context["pattern"])
        return _PATTERNS.get(pattern, f"text that matches {pattern}"), "write it in that form"
    template = _LIMITS.get(problem.kind)
    if template is not None:
        return template.format(**problem.context), "choose a value within the limit"
    return str(reason or problem.kind.replace("_", " ")), "write a value that is allowed here"
