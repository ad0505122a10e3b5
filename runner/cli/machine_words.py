"""What people write behind the options of `runner machine`: JSON, files of it, NAME=FILE."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.errors import Fault, Place, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = Any


def read_json(words: str, option: str) -> Json:
    """Read JSON, or `@FILE` with JSON or YAML in it; `@-` reads standard input."""
    if not words.startswith("@"):
        return _parsed(words, option)
    if words == "@-":
        return _parsed(sys.stdin.read(), option)
    from runner.errors import ProjectError  # noqa: PLC0415 - only for a file
    from runner.project.documents import read_document  # noqa: PLC0415

    document = read_document(Path(words[1:]), option=option)
    if document.faults:
        raise ProjectError(document.faults)
    return document.data


def _parsed(text: str, option: str) -> Json:
    try:
        value = json.loads(text, parse_constant=_no_number, parse_float=_finite)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        advice = "quote it for the shell, '{\"id\": 7}', or name a file: @input.json"
        fault = Fault(Place(option), "json-syntax", f"{text:.80}", f"JSON: {error}", advice)
        raise UsageError([fault]) from error
    return value


def _no_number(word: str) -> Json:
    message = f"{word} is no number of JSON"
    raise ValueError(message)


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _no_number(digits)


def read_mapping(words: tuple[str, ...], option: str) -> dict[str, str]:
    """Read `NAME=VALUE` words; UsageError for all others."""
    faults = [
        Fault(Place(option), "bad-option", repr(word), "NAME=FILE", f"write {option} pay=FILE")
        for word in words
        if not word.partition("=")[0] or not word.partition("=")[2]
    ]
    if faults:
        raise UsageError(faults)
    return dict(word.split("=", 1) for word in words)


def paths(words: Mapping[str, str]) -> dict[str, Path]:
    """Turn the values into paths."""
    return {name: Path(value) for name, value in words.items()}
