"""What is deployed, for people: the tables' SQL, the windows, what each machine holds.

A template names things by hashes; the manifest is stored beside it, so that `plan` can show what
changed by table and as SQL.  In: facts and tables.  Out: JSON, the same for the same files.
"""

from __future__ import annotations

from dataclasses import dataclass


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
