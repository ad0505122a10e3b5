"""What a run tells while it goes on: journal events turned into steps, rows and a count.

In: the interpreter's events and the compiled workflow.  Out: `Progress` values for displays.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from runner.app.results import payload_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from runner.app.bundle import WorkflowFacts
    from runner.machine import Event

Phase = Literal["running", "waiting", "done", "unchanged", "failed"]
_ENDING = {"run", "call"}
"""Verbs whose task, when it succeeds, ends the turn of a load or another step."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One change of one table, load or other step."""

    subject: str
    """`marts.daily`, `marts.daily load`, `report`."""
    phase: Phase
    verb: str
    """What it does now: prepare, insert, publish, ..."""
    done: int
    """Subjects that have ended."""
    total: int
    seconds: float
    """Since the subject began."""
    rows: int | None = None
    bytes: int | None = None
    note: str = ""
    periods: int = 0
    """Partitions that the whole run has published so far."""
    planned: int = 0
    """Partitions that a backfill is to publish; 0 for other runs."""
    rate: float = 0.0
    """Partitions a second since the first was begun."""
    left_s: float | None = None
    """Seconds until all are published at this rate; None while nothing is known."""


@dataclass(slots=True)
class Tracker:
    """Follows the events of one execution and calls `tell` for what people want to see."""

    workflow: WorkflowFacts
    tell: Callable[[Progress], None]
    planned: int = 0
    """Partitions that a backfill is to publish."""
    _periods: int = 0
    _first: datetime | None = None
    _began: dict[str, datetime] = field(default_factory=dict)
    _ended: set[str] = field(default_factory=set)
    _facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What the keeper said of tables and loads: rows, bytes."""
    _subjects: frozenset[str] = field(init=False)
    _expected: int = field(init=False)
    """Subjects that this run selects."""

    def __post_init__(self) -> None:
        """Expect everything, until the run says what it selects."""
        self._subjects = subjects_of(self.workflow)
        self._expected = len(self._subjects)

    def observe(self, event: Event) -> None:
        """Take one event."""
        if event.state == "begin" and event.kind.value == "task_succeeded":
            payload = payload_of(event)
            if "selected" in payload:  # it may have been cut
                chosen = frozenset(payload["selected"])
                self._expected = len(subjects_of(self.workflow, chosen))
            return
        subject, _, verb = event.state.rpartition(" ")
        if subject not in self._subjects or subject in self._ended or verb == "choose":
            return  # what is put away after the end concerns nobody
        match event.kind.value:
            case "state_entered":
                self._entered(subject, verb, event)
            case "task_succeeded" if verb in ("plan", "finish"):
                self._facts[subject] = payload_of(event)
                if verb == "finish":
                    self._end(subject, "done", event)
            case "task_succeeded" if verb == "publish" and self.planned:
                self._publish(subject, payload_of(event), event)
            case "task_succeeded" if verb in _ENDING:
                self._end(subject, "done", event)
            case "task_failed" if verb not in ("read", "unstage", "drop types"):
                self._say(subject, "running", verb, event, note=str(event.data.get("error", "")))
            case _:
                pass

    def _entered(self, subject: str, verb: str, event: Event) -> None:
        self._began.setdefault(subject, event.time)
        self._first = self._first or event.time
        if verb == "keep":
            self._end(subject, "unchanged", event)
        elif verb == "done":
            self._end(subject, "done", event)
        elif verb == "fail":
            self._end(subject, "failed", event)
        else:
            self._say(subject, "waiting" if verb == "wait" else "running", verb, event)

    def _publish(self, subject: str, payload: dict[str, Any], event: Event) -> None:
        """Count a chunk of a backfill."""
        if payload.get("complete"):
            self._periods += int(payload.get("partitions", 0))
            self._say(subject, "running", "published", event)

    def _end(self, subject: str, phase: Phase, event: Event) -> None:
        self._ended.add(subject)
        self._say(subject, phase, "", event)

    def _say(self, subject: str, phase: Phase, verb: str, event: Event, note: str = "") -> None:
        began = self._began.get(subject, event.time)
        spent = (event.time - (self._first or event.time)).total_seconds()
        rate = self._periods / spent if spent > 0 else 0.0
        facts = self._facts.get(subject, {}) if phase == "done" else {}
        self.tell(
            Progress(
                subject,
                phase,
                verb,
                len(self._ended),
                self._expected,
                (event.time - began).total_seconds(),
                rows=facts.get("rows"),
                bytes=facts.get("bytes"),
                note=note,
                periods=self._periods,
                planned=self.planned,
                rate=rate,
                left_s=(self.planned - self._periods) / rate if rate and self.planned else None,
            )
        )


def subjects_of(workflow: WorkflowFacts, selected: frozenset[str] | None = None) -> frozenset[str]:
    """Name everything that has a turn: tables, `<table> load`, other steps.

    With `selected`, only those of its tables and loads.
    """

    def chosen(names: tuple[str, ...]) -> list[str]:
        return [name for name in names if selected is None or name in selected]

    loads = [f"{name} load" for name in chosen(workflow.loads)]
    return frozenset((*chosen(workflow.tables), *loads, *workflow.others))
