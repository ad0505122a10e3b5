"""The key under which a whole project is remembered.

In: a snapshot of the files and the caller's choice.  Out: a hash of every byte that decides what
loading makes of them.  Light: a cache hit imports nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runner.project.cache import key_of, versions

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


def snapshot_key(snapshot: Snapshot, choice: Choice) -> str:
    """Hash every byte that decides what loading makes of the files."""
    pairs = [text for file in snapshot.files for text in (file.path, file.digest)]
    folders = [*snapshot.lambdas, "/", *snapshot.incomplete_lambdas, "/", *snapshot.builtins]
    return key_of([versions(), choice.key(), snapshot.root, *pairs, "/", *folders])
