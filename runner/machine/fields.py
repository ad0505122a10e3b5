"""Which fields each type of state has, in each query language, and what their values must be.

The tables follow the Amazon States Language specification and the fields that Step Functions adds;
the limits of numbers are those that AWS names when it refuses a definition.
"""

from __future__ import annotations

from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from runner.machine.definition import Language

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_S = 99_999_999


class Range(NamedTuple):
    """The numbers that a field takes."""

    least: float
    most: float | None = None
    whole: bool = True


class Shape(Enum):
    """What a field's value must be: of a Python type, in a range, or what shapes.py checks."""

    TEXT = ("text", str)
    NAME = ("name", str)
    """A text that is never an expression: a state's name, a comment."""
    BOOLEAN = ("boolean", bool)
    OBJECT = ("object", dict)
    """An object without expressions of its own."""
    FILLED = ("filled object", dict)
    """An object that may hold expressions, but is none itself."""
    LIST = ("list", list)
    ITEMS = ("items", (list, dict))
    """An array, an object, or an expression."""
    ANY = ("any", object)
    WAITING = ("seconds", Range(0, LONGEST_S))
    PERIOD = ("period", Range(1, LONGEST_S))
    AMOUNT = ("amount", Range(0))
    SHARE = ("share", Range(0.0, 100.0, whole=False))
    PATH = ("path", None)
    """A JSONPath, a context path or a variable."""
    NULLABLE_PATH = ("nullable path", None)
    SINGLE_PATH = ("single path", None)
    """A path of the input or a variable that leads to one value."""
    TEXT_PATH = ("text path", None)
    """A path, or an intrinsic function that gives a text."""
    REFERENCE = ("reference path", None)
    """A reference path or null."""

    def __init__(self, told: str, accepted: type | tuple[type, ...] | Range | None) -> None:
        """Keep what is accepted, and whether expressions may stand there."""
        self.told = told
        self.range = accepted if isinstance(accepted, Range) else None
        self.plain = None if isinstance(accepted, Range) else accepted
        self.takes_expression = told not in {"name", "boolean", "object", "list"}


_COMMON = {"Type": Shape.NAME, "Comment": Shape.NAME, "QueryLanguage": Shape.ANY}
_STEP = {"Next": Shape.NAME, "End": Shape.BOOLEAN}
_CARE = {"Retry": Shape.LIST, "Catch": Shape.LIST}
_PATHS = {"InputPath": Shape.NULLABLE_PATH, "OutputPath": Shape.NULLABLE_PATH}
_ASSIGN = {"Assign": Shape.FILLED}
_OUTPUT = {"Output": Shape.ANY, **_ASSIGN}
_SHAPED = {
    **_PATHS,
    **_ASSIGN,
    "Parameters": Shape.ANY,
    "ResultSelector": Shape.OBJECT,
    "ResultPath": Shape.REFERENCE,
}

BOTH: Mapping[str, Mapping[str, Shape]] = {
    "Pass": _STEP,
    "Task": {
        **_STEP,
        **_CARE,
        "Resource": Shape.NAME,
        "TimeoutSeconds": Shape.PERIOD,
        "HeartbeatSeconds": Shape.PERIOD,
        "Credentials": Shape.FILLED,
    },
    "Choice": {"Choices": Shape.LIST, "Default": Shape.NAME},
    "Wait": {**_STEP, "Seconds": Shape.WAITING, "Timestamp": Shape.TEXT},
    "Succeed": {},
    "Fail": {"Error": Shape.TEXT, "Cause": Shape.TEXT},
    "Parallel": {**_STEP, **_CARE, "Branches": Shape.LIST},
    "Map": {
        **_STEP,
        **_CARE,
        "ItemProcessor": Shape.OBJECT,
        "Iterator": Shape.OBJECT,
        "ItemSelector": Shape.ANY,
        "MaxConcurrency": Shape.AMOUNT,
        "ToleratedFailureCount": Shape.AMOUNT,
        "ToleratedFailurePercentage": Shape.SHARE,
        "ItemReader": Shape.OBJECT,
        "ItemBatcher": Shape.OBJECT,
        "ResultWriter": Shape.OBJECT,
        "Label": Shape.NAME,
    },
}
"""Fields that a type of state has in both languages, beside the common ones."""

ONLY: Mapping[Language, Mapping[str, Mapping[str, Shape]]] = {
    Language.JSONATA: {
        "Pass": _OUTPUT,
        "Task": {**_OUTPUT, "Arguments": Shape.ANY},
        "Choice": _OUTPUT,
        "Wait": _OUTPUT,
        "Succeed": {"Output": Shape.ANY},
        "Fail": {},
        "Parallel": {**_OUTPUT, "Arguments": Shape.ANY},
        "Map": {**_OUTPUT, "Items": Shape.ITEMS},
    },
    Language.JSONPATH: {
        "Pass": {
            **_PATHS,
            **_ASSIGN,
            "Parameters": Shape.ANY,
            "Result": Shape.ANY,
            "ResultPath": Shape.REFERENCE,
        },
        "Task": {
            **_SHAPED,
            "TimeoutSecondsPath": Shape.PATH,
            "HeartbeatSecondsPath": Shape.PATH,
        },
        "Choice": {**_PATHS, **_ASSIGN},
        "Wait": {
            **_PATHS,
            **_ASSIGN,
            "SecondsPath": Shape.PATH,
            "TimestampPath": Shape.PATH,
        },
        "Succeed": _PATHS,
        "Fail": {"ErrorPath": Shape.TEXT_PATH, "CausePath": Shape.TEXT_PATH},
        "Parallel": _SHAPED,
        "Map": {
            **_SHAPED,
            "ItemsPath": Shape.PATH,
            "MaxConcurrencyPath": Shape.SINGLE_PATH,
            "ToleratedFailureCountPath": Shape.SINGLE_PATH,
            "ToleratedFailurePercentagePath": Shape.SINGLE_PATH,
        },
    },
}
"""Fields that a type of state has in one language only."""

EXCLUSIVE = (
    ("TimeoutSeconds", "TimeoutSecondsPath"),
    ("HeartbeatSeconds", "HeartbeatSecondsPath"),
    ("MaxConcurrency", "MaxConcurrencyPath"),
    ("ToleratedFailureCount", "ToleratedFailureCountPath"),
    ("ToleratedFailurePercentage", "ToleratedFailurePercentagePath"),
    ("Error", "ErrorPath"),
    ("Cause", "CausePath"),
    ("ItemSelector", "Parameters"),
)
"""Pairs of which a state has at most one."""

PROCESSORS = ("ItemProcessor", "Iterator")
"""Names of a Map's inner flow; the second is the older one."""

WITH_RESULT = frozenset({"Task", "Parallel", "Map"})
"""Types of state whose Output and Assign see `$states.result`."""


@cache
def fields_of(kind: str, language: Language) -> Mapping[str, Shape]:
    """Give every field of a type of state in a language."""
    return {**_COMMON, **BOTH[kind], **ONLY[language][kind]}


def other_of(language: Language) -> Language:
    """Give the other query language."""
    return Language.JSONPATH if language is Language.JSONATA else Language.JSONATA


def is_foreign(kind: str, name: str, language: Language) -> bool:
    """Tell whether a field belongs to the other language."""
    return name in ONLY[other_of(language)][kind]
