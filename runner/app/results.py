"""How the tables, loads and steps of an execution ended, gathered from its events.

The events tell more than the execution's output: a failed execution has none.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from runner.keeper.diagnose import Diagnosis, explain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from runner.app.bundle import Bundle, WorkflowFacts
    from runner.machine import Event

_FAILING = {"diagnose", "again?", "explain", "fail"}
"""Verbs of states that deal with the last error of a subject."""
_STARTING = {"start", "plan", "call", "run"}
"""Verbs that only a subject whose turn really comes enters."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How one table, load or other step ended."""

    name: str
    kind: str
    """table, load or step."""
    status: str
    """published, unchanged, loaded, succeeded, failed, skipped or unfinished."""
    rows: int = 0
    bytes: int = 0
    partitions: int = 0
    message: str = ""
    advice: str = ""
    place: str = ""
    """Where the failure is in the user's files: `sql/marts/x.sql:3:5`."""
    warnings: tuple[str, ...] = ()
    mart: str = ""
    mart_table: str = ""


@dataclass(slots=True)
class Gatherer:
    """Collects what the events say of each subject."""

    workflow: WorkflowFacts
    bundle: Bundle
    window: tuple[str, str] = ("", "")
    """What the run writes, once it has said so."""
    _started: set[str] = field(default_factory=set)
    _called: set[str] = field(default_factory=set)
    """Subjects of tasks."""
    _passed: set[str] = field(default_factory=set)
    _selected: frozenset[str] | None = None
    _ended: dict[str, Ended] = field(default_factory=dict)
    _diagnosis: dict[str, dict[str, Any]] = field(default_factory=dict)
    _manifest: dict[str, dict[str, Any]] = field(default_factory=dict)
    _errors: dict[str, tuple[str, str]] = field(default_factory=dict)

    def observe(self, event: Event) -> None:
        """Take one event."""
        if event.state == "begin" and event.kind.value == "task_succeeded":
            self._begun(payload_of(event))
            return
        subject, _, verb = event.state.rpartition(" ")
        match event.kind.value:
            case "state_entered":
                self._entered(subject, verb)
            case "state_exited" if verb == "run" and self._is_plain(subject):
                self._ended[subject] = Ended(subject, "step", "succeeded")
            case "task_scheduled":
                self._called.add(subject)
            case "task_succeeded":
                self._succeeded(subject, verb, payload_of(event))
            case "task_failed":
                error, cause = event.data.get("error"), event.data.get("cause")
                self._errors[subject] = (str(error or ""), str(cause or ""))
            case _:
                pass

    def _is_plain(self, subject: str) -> bool:
        """Tell whether a step is carried out without a task of its own: it waits, or decides."""
        return subject in self.workflow.others and subject not in self._called

    def _begun(self, payload: dict[str, Any]) -> None:
        """Take what the run selects; a payload that was cut says nothing."""
        if "selected" in payload:
            self._selected = frozenset(payload["selected"])
        window = payload.get("window") or {}
        self.window = (str(window.get("start", "")), str(window.get("end", "")))

    def _entered(self, subject: str, verb: str) -> None:
        if verb not in _FAILING:  # what was caught is no failure any more
            self._errors.pop(subject, None)
        if verb == "choose":
            self._passed.add(subject)
            self._started.discard(subject)  # of several side by side, where the branch begins
        elif verb in _STARTING:
            self._started.add(subject)
        elif verb == "keep":
            self._ended[subject] = Ended(subject, "table", "unchanged")
        elif verb == "done" and subject in self.workflow.others:
            self._ended[subject] = Ended(subject, "step", "succeeded")
        elif verb == "fail" and self._part(subject):
            self._ended |= dict(self._failed(subject))
        elif verb == "fail":
            found = self._diagnosis.get(subject, {})
            self._ended[subject] = Ended(
                self._name(subject),
                self._kind(subject),
                "failed",
                message=str(found.get("message") or self._error(subject).message),
                advice=str(found.get("advice") or ""),
            )

    def _part(self, subject: str) -> tuple[str, ...]:
        """Give the tables of an execution of its own; none for other subjects."""
        return next((c.tables for c in self.workflow.children if c.subject == subject), ())

    def _failed(self, subject: str) -> Iterator[tuple[str, Ended]]:
        """Count tables as failed when their execution as such failed, unless they are known."""
        found = self._error(subject)
        kind = next((c.kind for c in self.workflow.children if c.subject == subject), "table")
        for name in self._part(subject):
            of = f"{name} load" if kind == "load" else name
            if of not in self._ended and self._chosen(name):
                yield of, Ended(name, kind, "failed", 0, 0, 0, found.message, found.advice)

    def _succeeded(self, subject: str, verb: str, payload: dict[str, Any]) -> None:
        if verb in ("diagnose", "explain"):
            self._diagnosis[subject] = payload
        elif verb == "plan":
            self._manifest[subject] = payload
        elif verb == "finish":
            self._ended[subject] = Ended(
                subject,
                "table",
                "published",
                rows=int(payload.get("rows", 0)),
                bytes=int(payload.get("bytes", 0)),
                partitions=int(payload.get("partitions", 0)),
                warnings=tuple(payload.get("warnings", ())),
            )
        elif verb == "confirm":
            self._ended[subject] = self._loaded(subject, payload)
        elif verb in ("call", "run") and subject not in self._manifest:
            self._ended[subject] = Ended(subject, "step", "succeeded")

    def _loaded(self, subject: str, payload: dict[str, Any]) -> Ended:
        name = self._name(subject)
        table = next((table for table in self.bundle.tables if table.name == name), None)
        return Ended(
            name,
            "load",
            "loaded",
            rows=int(payload.get("rows") or 0),
            warnings=tuple(payload.get("warnings", ())),
            mart=table.load_mart if table else "",
            mart_table=table.load_table if table else "",
        )

    def ended(self) -> tuple[Ended, ...]:
        """Tell how everything ended, in the workflow's order."""
        loads = [f"{name} load" for name in self.workflow.loads]
        result = []
        for subject in (*self.workflow.tables, *loads, *self.workflow.others):
            if subject in self._ended:
                result.append(self._ended[subject])
            elif subject in self._started:
                status = "failed" if subject in self._errors else "unfinished"
                message = self._error(subject).message
                name = self._name(subject)
                result.append(Ended(name, self._kind(subject), status, message=message))
            elif subject in self._passed and self._chosen(self._name(subject)):
                result.append(Ended(self._name(subject), self._kind(subject), "skipped"))
        return tuple(result)

    def _error(self, subject: str) -> Diagnosis:
        """Say how the last failure of a subject reads, for those that nobody diagnosed."""
        return explain(*self._errors.get(subject, ("", "")))

    def _chosen(self, name: str) -> bool:
        return name in self.workflow.others or self._selected is None or name in self._selected

    def _name(self, subject: str) -> str:
        return subject.removesuffix(" load")

    def _kind(self, subject: str) -> str:
        if subject.endswith(" load"):
            return "load"
        return "step" if subject in self.workflow.others else "table"


def payload_of(event: Event) -> dict[str, Any]:
    """Give the payload that a function returned; empty for the results of other services."""
    result = event.data.get("result")
    payload = result.get("Payload") if isinstance(result, dict) else None
    return payload if isinstance(payload, dict) else {}


def located(
    root: Path, bundle: Bundle, ended: Iterable[Ended], *, variables: Mapping[str, str]
) -> tuple[Ended, ...]:
    """Add the place in the user's file to every table that failed."""
    tables = {table.name: table for table in bundle.tables}
    result = []
    for one in ended:
        if one.kind != "table" or one.status != "failed" or one.name not in tables:
            result.append(one)
            continue
        from runner.app.locate import locate, message_only  # noqa: PLC0415 - only for a failure

        place = locate(root, bundle, tables[one.name], one.message, variables=variables)
        result.append(replace(one, place=str(place), message=message_only(one.message, place)))
    return tuple(result)
