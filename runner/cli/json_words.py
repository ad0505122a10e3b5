"""Options whose value is JSON, or @FILE, with everything that is wrong with them told at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from runner.errors import Fault, Place, UsageError


class JsonWords:
    """Reads options whose value is a text or @FILE, and keeps what is wrong with them."""

    def __init__(self) -> None:
        """Begin with nothing wrong."""
        self._faults: list[Fault] = []

    def wrong(self, option: str, found: str, expected: str, advice: str) -> None:
        """Keep what is wrong with an option."""
        self._faults.append(Fault(Place(option), "bad-option", found, expected, advice))

    def check(self) -> None:
        """Raise all faults at once."""
        if self._faults:
            raise UsageError(self._faults)

    def text(self, option: str, word: str | None) -> str | None:
        """Give the text itself, or that of the file."""
        if word is None or not word.startswith("@"):
            return word
        try:
            return Path(word[1:]).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            self.wrong(option, str(error), "a readable file", "name a file after the @")
            return None

    def json(self, option: str, word: str | None, default: Any) -> Any:  # noqa: ANN401 - JSON
        """Give the JSON value; the default when the option is absent or wrong."""
        text = self.text(option, word)
        if text is None:
            return default
        try:
            return json.loads(text)
        except ValueError as error:
            told = f"no JSON: {error}"
            self.wrong(option, told, "JSON or @FILE", "quote it for the shell, or use a file")
            return default

    def object(self, option: str, word: str | None) -> dict[str, Any] | None:
        """Give the JSON object; None when the option is absent or wrong."""
        value = self.json(option, word, None)
        if value is None or isinstance(value, dict):
            return value
        self.wrong(option, f"{json.dumps(value)[:60]}", "a JSON object", 'write {"name": value}')
        return None
