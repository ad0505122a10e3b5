"""What is deployed, for people: the tables' SQL, the windows, what each machine holds.

A template names things by hashes; the manifest is stored beside it, so that `plan` can show what
changed by table and as SQL.  In: facts and tables.  Out: JSON, the same for the same files.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.model.ports import Json

FORMAT = 1
"""Layout of the stored text; raise it when a field changes its meaning."""


@dataclass(frozen=True, slots=True)
class DeployedTable:
    """A table as it was deployed."""

    name: str
    kind: str
    file: str
    sql: str
    """Rendered text, with run-time values as {{ start }} and {{ end }}."""
    fingerprint: str
    settings: tuple[tuple[str, str], ...] = ()
    """What else of its header matters, as text by key: partition, format, load."""


@dataclass(frozen=True, slots=True)
class DeployedMachine:
    """A state machine as it was deployed."""

    name: str
    workflow: str
    child: str
    definition_sha256: str
    definition_uri: str
    """Where its text is stored, so that two versions can be compared state by state."""
    tables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything that a person may want to know of a deploy."""

    project: str
    environment: str
    version: str
    commit: str
    """Of the checkout it was deployed from; empty outside of Git."""
    tables: tuple[DeployedTable, ...]
    machines: tuple[DeployedMachine, ...]


def write_manifest(manifest: Manifest) -> str:
    """Write a manifest as JSON, the same text for the same manifest."""
    whole = {"format": FORMAT, **asdict(manifest)}
    return json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def read_manifest(text: str) -> Manifest | None:
    """Read a stored manifest; None for one of another layout.

    >>> read_manifest('{"format": 0}') is None
    True
    """
    whole: Json = json.loads(text)
    if not isinstance(whole, dict) or whole.pop("format", None) != FORMAT:
        return None
    tables = (
        DeployedTable(**{**one, "settings": tuple((k, v) for k, v in one["settings"])})
        for one in whole["tables"]
    )
    machines = (
        DeployedMachine(**{**one, "tables": tuple(one["tables"])}) for one in whole["machines"]
    )
    return Manifest(**{**whole, "tables": tuple(tables), "machines": tuple(machines)})
