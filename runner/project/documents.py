"""A JSON or YAML file of a user as plain data that remembers where everything stands.

In: a path.  Out: `YamlText`, whose faults stand at their line and column.  JSON is told by the
file's name or its first character; it is read as JSON, and places are found as in YAML.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from runner.errors import Fault, Place, UsageError
from runner.model.places import Places
from runner.project.yamltext import YamlText, read_yaml

if TYPE_CHECKING:
    from pathlib import Path


def read_document(path: Path, *, option: str) -> YamlText:
    """Read a file that an option named; UsageError when it cannot be read at all."""
    return parse_document(read_text(path, option=option), file=str(path))


def read_text(path: Path, *, option: str) -> str:
    """Read the text of a file that an option named."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "bytes that are not UTF-8 text"
        raise UsageError(
            [
                Fault(
                    Place(option),
                    "unreadable-file",
                    f"{path}: {reason}",
                    "a JSON or YAML file",
                    "name a file that exists and can be read",
                )
            ]
        ) from error


def parse_document(text: str, *, file: str) -> YamlText:
    """Read JSON or YAML text."""
    if not file.endswith(".json") and not text.lstrip().startswith(("{", "[")):
        return read_yaml(text, file=file)
    try:
        data = json.loads(text)
    except ValueError as error:
        if not file.endswith(".json"):
            return read_yaml(text, file=file)  # YAML in brackets
        return _not_json(error, file)
    placed = read_yaml(text.replace("\t", " "), file=file)  # JSON may be indented by tabs
    repeated = tuple(fault for fault in placed.faults if fault.code == "yaml-duplicate-key")
    return YamlText(data, placed.places, repeated)


def _not_json(error: ValueError, file: str) -> YamlText:
    place = Place(file)
    if isinstance(error, json.JSONDecodeError):
        place = Place(file, error.lineno, error.colno)
    found = str(error).partition(": line ")[0]
    fault = Fault(place, "json-syntax", found, "JSON", "correct the file at this place")
    return YamlText(None, Places(file), (fault,))
