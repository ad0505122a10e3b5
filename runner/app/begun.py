"""An execution that was started on AWS, who hears of it, and what follows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.app.cloud import Cloud
    from runner.app.progress import Progress
    from runner.app.run import RunResult
    from runner.app.stopping import Stopper


@dataclass(frozen=True, slots=True)
class Begun:
    """An execution that was started on AWS."""

    run: str
    machine: str
    """What the deployed machine is called."""
    arn: str
    start: str
    end: str
    environment: str
    backfill: str = ""


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who hears of an execution while it is followed."""

    tell: Callable[[Progress], None] | None = None
    started: Callable[[str, str, str], None] | None = None
    """Hears the run's name, its workflow and its window."""
    stopper: Stopper | None = None
    planned: int = 0
    """Partitions that a backfill is to publish."""
    say: Callable[[str], None] | None = None
    """Hears what else people should know: a link, a warning."""


class Follow(Protocol):
    """Follows an execution to its end: its events told, stopped when the stopper says so."""

    def __call__(self, cloud: Cloud, begun: Begun, listeners: Listeners) -> RunResult:
        """Give what came of it."""
        ...
