"""Who may take a role: one service, on behalf of this account's own parts only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.plan.stack.iam.statements import document
from runner.plan.stack.names import Arns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.model.ports import Json
    from runner.plan.stack.facts import StackFacts


def machine_trust(facts: StackFacts, machine: str) -> dict[str, Json]:
    """Let Step Functions take the role for one machine, and for the runs of its Maps."""
    arn = Arns.of(facts).machine(machine)
    return _trust(facts, "states", ("ArnLike", [arn, f"{arn}/*"]))


def scheduler_trust(facts: StackFacts, group: str) -> dict[str, Json]:
    """Let the Scheduler take the role for the schedules of one group."""
    arn = Arns.of(facts).arn("scheduler", f"schedule-group/{group}")
    return _trust(facts, "scheduler", ("StringEquals", [arn]))


def rules_trust(facts: StackFacts, rules: Sequence[str]) -> dict[str, Json]:
    """Let EventBridge take the role for rules, given by the patterns of their ARNs."""
    return _trust(facts, "events", ("ArnLike", list(rules)))


def stream_trust(facts: StackFacts, stream: str) -> dict[str, Json]:
    """Let Firehose take the role for one delivery stream."""
    arn = Arns.of(facts).arn("firehose", f"deliverystream/{stream}")
    return _trust(facts, "firehose", ("StringEquals", [arn]))


def function_trust() -> dict[str, Json]:
    """Let Lambda take the role; it names no source that a condition could ask for."""
    return document(
        [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ]
    )


def _trust(facts: StackFacts, service: str, source: tuple[str, Sequence[str]]) -> dict[str, Json]:
    operator, arns = source
    conditions: dict[str, Json] = {"StringEquals": {"aws:SourceAccount": facts.account}}
    conditions.setdefault(operator, {})["aws:SourceArn"] = list(arns) if len(arns) > 1 else arns[0]
    return document(
        [
            {
                "Effect": "Allow",
                "Principal": {"Service": f"{service}.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": conditions,
            }
        ]
    )
