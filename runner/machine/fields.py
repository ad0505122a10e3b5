"""Which fields each type of state has, in each query language, and what their values must be.

The tables follow the Amazon States Language specification and the fields that Step Functions adds.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from runner.machine.definition import Language

if TYPE_CHECKING:
    from collections.abc import Mapping


class Shape(Enum):
    """What a field's value must be: of a Python type, or else what shapes.py checks."""

    TEXT = ("text", str)
    NAME = ("name", str)
    """A state's name."""
    BOOLEAN = ("boolean", bool)
    COUNT = ("count", None)
    """A whole number, or in JSONata an expression."""
    NUMBER = ("number", None)
    """A number, or in JSONata an expression."""
    PATH = ("path", None)
    """A JSONPath, a context path, a variable, or an intrinsic function."""
    NULLABLE_PATH = ("nullable path", None)
    REFERENCE = ("reference", None)
    """A reference path or null."""
    OBJECT = ("object", dict)
    ITEMS = ("items", (list, dict))
    """An array, an object, or an expression."""
    ANY = ("any", object)
    LIST = ("list", list)

    def __init__(self, told: str, plain: type | tuple[type, ...] | None) -> None:
        """Keep the Python type, and whether an expression may stand instead."""
        self.plain = plain
        self.takes_expression = told not in {"name", "boolean", "list"}


_COMMON = {"Type": Shape.TEXT, "Comment": Shape.TEXT, "QueryLanguage": Shape.TEXT}
_STEP = {"Next": Shape.NAME, "End": Shape.BOOLEAN}
_CARE = {"Retry": Shape.LIST, "Catch": Shape.LIST}
_PATHS = {"InputPath": Shape.NULLABLE_PATH, "OutputPath": Shape.NULLABLE_PATH}
_ASSIGN = {"Assign": Shape.OBJECT}
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
        "Resource": Shape.TEXT,
        "TimeoutSeconds": Shape.COUNT,
        "HeartbeatSeconds": Shape.COUNT,
        "Credentials": Shape.OBJECT,
    },
    "Choice": {"Choices": Shape.LIST, "Default": Shape.NAME},
    "Wait": {**_STEP, "Seconds": Shape.COUNT, "Timestamp": Shape.TEXT},
    "Succeed": {},
    "Fail": {"Error": Shape.TEXT, "Cause": Shape.TEXT},
    "Parallel": {**_STEP, **_CARE, "Branches": Shape.LIST},
    "Map": {
        **_STEP,
        **_CARE,
        "ItemProcessor": Shape.OBJECT,
        "Iterator": Shape.OBJECT,
        "ItemSelector": Shape.ANY,
        "MaxConcurrency": Shape.COUNT,
        "ToleratedFailureCount": Shape.COUNT,
        "ToleratedFailurePercentage": Shape.NUMBER,
        "ItemReader": Shape.OBJECT,
        "ItemBatcher": Shape.OBJECT,
        "ResultWriter": Shape.OBJECT,
        "Label": Shape.TEXT,
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
        "Fail": {"ErrorPath": Shape.PATH, "CausePath": Shape.PATH},
        "Parallel": _SHAPED,
        "Map": {
            **_SHAPED,
            "ItemsPath": Shape.PATH,
            "MaxConcurrencyPath": Shape.PATH,
            "ToleratedFailureCountPath": Shape.PATH,
            "ToleratedFailurePercentagePath": Shape.PATH,
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
    ("ItemProcessor", "Iterator"),
    ("ItemSelector", "Parameters"),
)
"""Pairs of which a state has at most one."""


def fields_of(kind: str, language: Language) -> dict[str, Shape]:
    """Give every field of a type of state in a language."""
    return {**_COMMON, **BOTH[kind], **ONLY[language][kind]}


def is_foreign(kind: str, name: str, language: Language) -> bool:
    """Tell whether a field belongs to the other language."""
    other = Language.JSONPATH if language is Language.JSONATA else Language.JSONATA
    return name in ONLY[other][kind]
