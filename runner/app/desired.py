"""What an environment is to become: facts, template, artifacts and manifest of the project's files.

In: an environment on AWS.  Out: `Desired`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runner.app.cloud import Cloud
    from runner.model.artifacts import Artifact
    from runner.plan.stack.facts import StackFacts
    from runner.plan.stack.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Desired:
    """Everything that a deploy needs to know."""

    facts: StackFacts
    template: dict[str, Any]
    artifacts: tuple[Artifact, ...]
    manifest: Manifest


def desired(cloud: Cloud, *, existing: frozenset[str] = frozenset(), commit: str = "") -> Desired:
    """Compute it from the files; `existing` are databases that exist outside the stack."""
    raise NotImplementedError(cloud, existing, commit)
