"""The key under which a whole project is remembered.

In: a snapshot of the files and the caller's choice.  Out: a hash of every byte that decides what
loading makes of them.  Light: a cache hit imports nothing else.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from runner.project.cache import key_of, versions
from runner.project.files import CONFIG

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.project.files import Snapshot


@dataclass(frozen=True, slots=True)
class Choice:
    """What the caller chose beside the files."""

    environment: str
    variables: Mapping[str, str]
    values: Mapping[str, str] = field(default_factory=dict)
    """What references of an aws environment stand for: `env:NAME` or `ssm:/name`, and the text."""

    def key(self) -> str:
        """Hash the choice."""
        pairs = [text for pair in sorted(self.variables.items()) for text in pair]
        values = [text for pair in sorted(self.values.items()) for text in pair]
        return key_of([self.environment, *pairs, "/", *values])

    def file_name(self) -> str:
        """Name the cache's file: one for each environment, the last variables win."""
        return key_of([self.environment])[:16]


_REFERENCE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")


def with_environ(choice: Choice, snapshot: Snapshot) -> Choice:
    """Add the values of environment variables that an environment on AWS names.

    Those of an environment on this machine are resolved when something connects, so that no
    password gets near a cache.  The text is looked at, not parsed: this comes before every cache.
    """
    config = next((file.data for file in snapshot.files if file.path == CONFIG), b"")
    if b"${env:" not in config:
        return choice
    block = _block(config.decode(errors="replace"), choice.environment)
    if re.search(r"\bengine:\s*[\"']?aws\b", block) is None:
        return choice
    names = dict.fromkeys(_REFERENCE.findall(block))
    found = {f"env:{name}": os.environ[name] for name in names if os.environ.get(name)}
    return replace(choice, values={**found, **choice.values})


def _block(config: str, environment: str) -> str:
    r"""Cut out the lines of an environment: its key's, and those that are set in further.

    >>> _block("environments:\n  a: {x: 1}\n  b:\n    y: 2\n  c: {}\n", "b")
    '  b:\n    y: 2\n'
    """
    lines: list[str] = []
    margin = 0
    for line in config.splitlines(keepends=True):
        if line.lstrip().startswith("#"):
            continue
        indent = len(line) - len(line.lstrip(" "))
        if lines:
            if line.strip() and indent <= margin:
                break
            lines.append(line)
        elif indent and re.match(rf"[\"']?{re.escape(environment)}[\"']?\s*:", line.lstrip(" ")):
            margin = indent
            lines.append(line)
    return "".join(lines)


def snapshot_key(snapshot: Snapshot, choice: Choice) -> str:
    """Hash every byte that decides what loading makes of the files."""
    pairs = [text for file in snapshot.files for text in (file.path, file.digest)]
    folders = [*snapshot.lambdas, "/", *snapshot.incomplete_lambdas, "/", *snapshot.builtins]
    return key_of([versions(), choice.key(), snapshot.root, *pairs, "/", *folders])
