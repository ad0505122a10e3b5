"""What one execution of a machine takes of AWS's quotas, counted before there is any.

In: a machine as values.  Out: `Usage`, and faults and warnings where it is too much or nearly so.
Everything is counted for the largest run (`defaults.max_window`) that goes well, with a diagnosis
for each table; a fifth of the history is left for retries.

Sources: AWS Step Functions quotas (25,000 events; 262,144 bytes of input, result or variable),
Athena's StartQueryExecution (262,144 bytes), Amazon ECS RunTask (8,192 characters of overrides).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.asl.events import MOST_EVENTS, events_of
from runner.asl.flow import every_state, size_of
from runner.asl.payloads import Measured, largest_payload, overrides_of, statement_of
from runner.asl.validate import MAX_DEFINITION_BYTES
from runner.errors import Fault, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.asl.flow import Machine

MAX_EVENTS = 25_000
MAX_PAYLOAD_BYTES = 262_144
MUCH_PAYLOAD_BYTES = 200_000
"""The result of a statement holds its text once more, beside some facts: what is above leaves too
little room for those that are known at run time only."""
MAX_STATEMENT_BYTES = 262_144
MAX_OVERRIDE_BYTES = 8_192


@dataclass(frozen=True, slots=True)
class Usage:
    """What the largest run of one machine takes."""

    machine: str
    """The workflow's name; with the part's, for a machine that it starts."""
    states: int
    definition_bytes: int
    events: int
    """Of the history, for the largest window."""
    least_events: int
    """For a window of one chunk in every table."""
    payload_bytes: int
    payload_subject: str
    """What the largest input, result or variable is about."""
    statement_bytes: int
    statement_subject: str
    override_bytes: int
    assets: int
    """Objects in the lake that it reads at run time."""


def usage_of(machine: Machine, name: str, *, definition: bytes = b"") -> Usage:
    """Count what a machine's largest run takes; `definition` is its text, if it is written."""
    states = tuple(every_state(machine.flow))
    nothing = Measured("", 0)
    statements = [statement_of(state) for state in states]
    statement = max(statements, key=lambda one: one.bytes, default=nothing)
    payload = largest_payload(machine.flow)
    return Usage(
        machine=name,
        states=len(states),
        definition_bytes=len(definition) or size_of(machine.flow),
        events=events_of(machine.flow),
        least_events=events_of(machine.flow, chunks=1),
        payload_bytes=payload.bytes,
        payload_subject=payload.subject,
        statement_bytes=statement.bytes,
        statement_subject=statement.subject,
        override_bytes=max(map(overrides_of, states), default=0),
        assets=len(machine.assets),
    )


def find_faults(usage: Usage, files: Mapping[str, str], *, file: str) -> Iterator[Fault]:
    """Say what AWS would refuse, or what would end an execution that nothing can catch.

    `files` are the files of tables; `file` is the workflow's.
    """
    if usage.least_events > MAX_EVENTS:
        yield Fault(
            Place(file),
            "history-too-long",
            f"{usage.least_events:,} events in a run of {usage.machine}",
            f"at most {MAX_EVENTS:,} (AWS Step Functions)",
            "split the workflow: select fewer tables, or fewer steps, in each",
        )
    if usage.payload_bytes > MAX_PAYLOAD_BYTES:
        yield _payload(usage, files, file, "payload-too-large", f"at most {MAX_PAYLOAD_BYTES:,}")
    if usage.statement_bytes > MAX_STATEMENT_BYTES:
        yield Fault(
            Place(files.get(usage.statement_subject, file)),
            "statement-too-large",
            f"a statement of about {usage.statement_bytes:,} bytes for {usage.statement_subject}",
            f"at most {MAX_STATEMENT_BYTES:,} bytes (Athena)",
            "split the query into two tables, or shorten what a loop or macro prints",
        )
    if usage.override_bytes > MAX_OVERRIDE_BYTES:
        yield Fault(
            Place(file),
            "overrides-too-large",
            f"container overrides of about {usage.override_bytes:,} bytes",
            f"at most {MAX_OVERRIDE_BYTES:,} (Amazon ECS)",
            "shorten the lake's prefix, or the names of the workflow and the table",
        )


def find_warnings(usage: Usage, files: Mapping[str, str], *, file: str) -> Iterator[Fault]:
    """Say what is allowed and comes near to a quota."""
    if usage.least_events <= MAX_EVENTS and usage.events > MOST_EVENTS:
        yield Fault(
            Place(file),
            "history-long",
            f"up to {usage.events:,} events in the largest run of {usage.machine}",
            f"less than {MOST_EVENTS:,}, so that retries have room below {MAX_EVENTS:,}",
            "lower `defaults.max_window`, say athena_wait: sync, or split the workflow; long "
            "windows are for `runner backfill`",
        )
    if MUCH_PAYLOAD_BYTES < usage.payload_bytes <= MAX_PAYLOAD_BYTES:
        yield _payload(usage, files, file, "payload-large", f"less than {MUCH_PAYLOAD_BYTES:,}")
    if usage.definition_bytes > MAX_DEFINITION_BYTES * 95 // 100:
        yield Fault(
            Place(file),
            "definition-too-large",
            f"a definition of {usage.definition_bytes:,} bytes for {usage.machine}",
            f"clearly less than {MAX_DEFINITION_BYTES:,} bytes (AWS Step Functions)",
            "split the workflow: select fewer tables in each",
        )


def _payload(usage: Usage, files: Mapping[str, str], file: str, code: str, expected: str) -> Fault:
    subject = usage.payload_subject
    is_table = subject in files
    return Fault(
        Place(files.get(subject, file)),
        code,
        f"about {usage.payload_bytes:,} bytes of {subject} in one state of {usage.machine}",
        f"{expected} bytes of input, result or variable (AWS Step Functions)",
        "split the query into two tables, or shorten what a loop or macro prints"
        if is_table
        else "split the workflow: select fewer tables in each",
    )
