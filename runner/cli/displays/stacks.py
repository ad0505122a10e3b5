"""Stacks as plain text: changes, events, causes of a failure, drift."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.cli.texts import columns, count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.app.destroy import Destroying
    from runner.app.stack_changes import Pending
    from runner.aws.stack_events import Cause
    from runner.model.stacks import Drift, ResourceChange, StackEvent, StackResource

_SIGNS = {"Add": "+", "Modify": "~", "Remove": "-", "Import": "+", "Dynamic": "?"}
_STATUS_WIDTH = 20
_MINUTE = 60


def pending_text(pending: Pending) -> str:
    """Write what a deploy would do."""
    lines = [f"stack {pending.stack}: {_counts(pending.changes)}"]
    if pending.removes_first and pending.state is not None:
        lines.append(
            f"  the first deploy failed ({pending.state.status}): what it left of the stack is "
            "removed first; tables and objects are none of it"
        )
    if pending.changes:
        rows = [_change_row(one) for one in pending.changes]
        head = ("", "resource", "type", "what changes")
        lines += [f"  {line}" for line in columns(head, rows).splitlines()]
    elif pending.change_set is not None and not pending.change_set.empty:
        lines.append("  no resource changes, only what the stack says of itself")
    if pending.uploads:
        lines.append(f"{count(len(pending.uploads), 'artifact')} to upload")
    return "\n".join(lines)


def _counts(changes: Sequence[ResourceChange]) -> str:
    words = {"Add": "to add", "Modify": "to change", "Remove": "to remove", "Import": "to import"}
    counts = [
        (sum(one.action == action for one in changes), text) for action, text in words.items()
    ]
    said = [f"{number} {text}" for number, text in counts if number]
    return ", ".join(said) if said else "no resource to change"


def _change_row(change: ResourceChange) -> tuple[str, str, str, str]:
    notes = [", ".join(change.properties)] if change.properties else []
    if change.replacement == "True":
        notes.append("REPLACED")
    if change.replacement == "Conditional":
        notes.append("perhaps REPLACED")
    if change.action == "Remove" and not change.destroys:
        notes.append("leaves the stack and stays")
    return _SIGNS.get(change.action, "?"), change.logical_id, change.type, "; ".join(notes)


def event_line(event: StackEvent, seconds: float) -> str:
    """Write an event on one line, after the time since the operation began."""
    whole = int(seconds)
    since = f"{whole // _MINUTE}:{whole % _MINUTE:02d}"
    line = f"{since:>6}  {event.status:<{_STATUS_WIDTH}}  {event.logical_id}"
    short = event.type.removeprefix("AWS::")
    line += "" if event.of_stack else f"  {short}"
    return f"{line}  {event.reason}" if event.reason else line


def causes_text(causes: Sequence[Cause]) -> str:
    """Write what failed by itself, the first first."""
    lines = []
    for place, one in enumerate(causes):
        lead = "also" if place else "first cause"
        lines += [
            f"{lead}: {one.logical_id} ({one.type}) {one.status}",
            f"  found:    {one.reason or 'AWS gives no reason'}",
            f"  do:       {one.advice}",
        ]
    return "\n".join(lines)


def destroying_text(plan: Destroying) -> str:
    """Write what destroying an environment deletes, and what stays."""
    lines = [f"stack {plan.stack.name}: {count(len(plan.goes), 'resource')} to delete"]
    lines += _resource_lines(plan.goes)
    lines.append("stays:")
    lines += _resource_lines(plan.stays)
    lines += [f"  {place}  {what}" for what, place in plan.places]
    if plan.running:
        named = ", ".join(plan.running[:5]) + (", ..." if len(plan.running) > 5 else "")  # noqa: PLR2004
        lines.append(f"at work, and ended by this: {named}")
    return "\n".join(lines)


def _resource_lines(resources: Sequence[StackResource]) -> list[str]:
    """Write resources by type: one that is deleted with all that it holds says so."""
    holds = {
        "AWS::ECR::Repository": "with its images",
        "AWS::Logs::LogGroup": "with its logs",
        "AWS::StepFunctions::StateMachine": "with the history of its executions",
    }
    rows = [
        (
            one.type.removeprefix("AWS::"),
            _name(one.physical_id),
            holds.get(one.type, ""),
        )
        for one in sorted(resources, key=lambda one: (one.type, one.physical_id))
    ]
    if not rows:
        return []
    return [f"  {line}" for line in columns(("type", "name", ""), rows).splitlines()[1:]]


def _name(physical_id: str) -> str:
    """Give the name in what identifies a resource: a name, an ARN, a queue's URL.

    >>> _name("https://sqs.eu-west-1.amazonaws.com/123456789012/dead"), _name("arn:aws:sns:x:1:t")
    ('dead', 't')
    """
    mark = "/" if physical_id.startswith("https://") else ":"
    return physical_id.rpartition(mark)[2]


def drift_text(drift: Drift) -> str:
    """Write what was changed or deleted beside the stack."""
    lines = []
    for one in drift.drifted:
        lines.append(f"{one.status}  {one.logical_id}  {one.type}  {one.physical_id}")
        lines += [
            f"  {each.path}: {each.expected or '(nothing)'} -> {each.actual or '(nothing)'}"
            for each in one.differences
        ]
    lines.append(
        f"stack {drift.stack}: {len(drift.drifted)} drifted, {drift.in_sync} as deployed, "
        f"{drift.unchecked} that CloudFormation cannot compare"
    )
    return "\n".join(lines)
