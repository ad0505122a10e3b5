"""Definitions as files of the cache, and what machines became when they were last rendered.

In: the folder of a project.  Out: texts by name, where a text's name is the hash of its content, so
that bundles share them; and the text and usage of a machine that was rendered before, known by all
that decides them.  A file that is absent, damaged or of another version is a miss.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from functools import cached_property
from pathlib import Path
from typing import Any

from runner.project.cache import key_of, versions

FORMAT = "1"
"""Layout of the files; raise it when it changes."""
FOLDER = Path(".runner") / "cache" / "definitions"
_KEPT = 4_000
"""Files, two for each machine: those of some environments of a thousand tables, before and after
some changes."""


class Definitions:
    """The folder of definitions."""

    def __init__(self, root: Path) -> None:
        """Take the project's folder."""
        self._folder = root / FOLDER

    def put(self, text: str) -> str:
        """Store a definition; gives its name."""
        data = text.encode()
        name = hashlib.sha256(data).hexdigest()
        path = self._folder / f"{name}.asl"
        try:
            os.utime(path)
        except OSError:
            self._write(path, data)
        return name

    def get(self, name: str) -> str:
        """Give a definition; OSError or ValueError when it is not there as it was stored."""
        data = (self._folder / f"{name}.asl").read_bytes()
        if hashlib.sha256(data).hexdigest() != name:
            raise ValueError(name)
        return data.decode()

    def note(self, machine: str, text: str, usage: dict[str, Any]) -> None:
        """Remember what a machine became; `machine` is the hash of all that decides it."""
        told = {"definition": self.put(text), "usage": usage}
        self._write(self._noted(machine), json.dumps(told).encode())

    def noted(self, machine: str) -> tuple[str, dict[str, Any]] | None:
        """Give the text and the usage of a machine that was rendered before."""
        try:
            told = json.loads(self._noted(machine).read_bytes())
            return self.get(told["definition"]), dict(told["usage"])
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def trim(self) -> None:
        """Keep the files that were used last."""
        with contextlib.suppress(OSError):  # another process may trim as well
            found = [(one.stat().st_mtime_ns, one.path) for one in os.scandir(self._folder)]
            for _, path in sorted(found)[:-_KEPT]:
                Path(path).unlink(missing_ok=True)

    def plain(self, value: object) -> dict[str, Any]:
        """Give the fields of a dataclass, for json, with a definition's name for its text."""
        names: tuple[str, ...] = getattr(value, "__match_args__", ())
        said = {name: getattr(value, name) for name in names}
        if "definition" in said:
            said["definition"] = self.put(said["definition"])
        return said

    def _noted(self, machine: str) -> Path:
        return self._folder / f"{key_of([FORMAT, self._version, machine])}.json"

    @cached_property
    def _version(self) -> str:
        return versions()

    def _write(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        temporary.write_bytes(data)
        temporary.replace(path)
