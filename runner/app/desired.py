"""What an environment on AWS should be: the facts of its stack, its template, what it uploads.

In: an opened environment and the databases that exist outside its stack.  Out: `Desired`.  No
account is asked: the same files, values and databases give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import runner
from runner.app.machines import all_machines
from runner.app.mart_tasks import mart_faults, mart_tasks, repository
from runner.app.packages import package_all
from runner.app.stack_access import Reach, check_sources
from runner.errors import Fault, Place, ProjectError
from runner.model.artifacts import Artifact
from runner.model.fields import size_bytes
from runner.model.names import STAGE_SUFFIX
from runner.plan.stack.facts import (
    Grant,
    KeysFacts,
    MachineFacts,
    NetworkFacts,
    ScheduleFacts,
    StackFacts,
    TriggerFacts,
)
from runner.plan.stack.manifest import DeployedMachine, DeployedTable, Manifest
from runner.plan.stack.patterns import pattern_of
from runner.plan.stack.template import template_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.app.bundle import Bundle, WorkflowFacts
    from runner.app.cloud import Cloud
    from runner.model.ports import Json
    from runner.plan.load_tasks import LoadTask

ARTIFACTS = "_runner/artifacts/"
"""Below the lake, unless config.yaml names another place."""
_DEFINITION_INLINE = 0


@dataclass(frozen=True, slots=True)
class Desired:
    """An environment as the files want it."""

    facts: StackFacts
    template: dict[str, Json]
    artifacts: tuple[Artifact, ...]
    """What must be in S3 before the stack refers to it, named by content."""
    manifest: Manifest
