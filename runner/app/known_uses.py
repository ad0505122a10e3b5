"""What definitions use, remembered between processes: reading a thousand tables' takes seconds.

In: a file of ours and the texts of definitions.  Out: what `uses_of` says of each text, from the
file where it is known.  The key of an answer is the whole text, so that no other fact can make it
stale; a file that is absent, damaged or of another version holds none.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

from runner.plan.stack.iam.uses import Call, Uses, uses_of
from runner.project.cache import key_of, versions

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = "3"
"""Layout of the file; raise it when `Uses`, or what is read out of a definition, changes."""


class KnownUses:
    """Answers as `uses_of` does, from what it was asked in earlier processes."""

    def __init__(self, path: Path) -> None:
        """Take the file, which need not exist."""
        self._path = path
        self._version = key_of([FORMAT, versions()])
        self._found = _read(path, self._version)
        self._used: dict[str, Uses] = {}

    def uses(self, text: str) -> Uses:
        """Give what a definition uses."""
        key = hashlib.sha256(text.encode()).hexdigest()
        if key not in self._used:
            self._used[key] = self._found.get(key) or uses_of(text)
        return self._used[key]

    def save(self) -> None:
        """Write what was asked for since the file was read; the rest is forgotten."""
        if self._used == self._found:
            return
        told = {key: _written(uses) for key, uses in self._used.items()}
        temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}.tmp")
        with contextlib.suppress(OSError):  # what cannot be written is only slow
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps({"version": self._version, "uses": told}))
            temporary.replace(self._path)


def _read(path: Path, version: str) -> dict[str, Uses]:
    try:
        data = json.loads(path.read_bytes())
        if data["version"] != version:
            return {}
        return {key: _uses(said) for key, said in data["uses"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _written(uses: Uses) -> list[Any]:
    calls = [[one.service, one.action, one.pattern, one.sdk, one.arguments] for one in uses.calls]
    return [calls, uses.tables, uses.distributed, uses.exports]


def _uses(said: list[Any]) -> Uses:
    calls, tables, distributed, exports = said
    return Uses(
        tuple(
            Call(service, action, pattern, sdk, tuple((key, text) for key, text in arguments))
            for service, action, pattern, sdk, arguments in calls
        ),
        tuple((name, kind) for name, kind in tables),
        distributed,
        tuple(exports),
    )
