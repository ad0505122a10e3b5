"""Schedules of EventBridge Scheduler: one group and one role, a schedule for each workflow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from runner.plan.stack.iam.statements import Statement, allow
from runner.plan.stack.iam.trust import scheduler_trust
from runner.plan.stack.machines import machine_id
from runner.plan.stack.names import Arns, dead_letters, fitting, logical_id
from runner.plan.stack.parts import (
    RETRIES,
    Resources,
    arn_of,
    dead_letter_target,
    ref,
    resource,
    role,
    role_id,
    tags,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runner.plan.stack.facts import MachineFacts, ScheduleFacts, StackFacts

GROUP = "Schedules"
INPUT = json.dumps({"scheduled_time": "<aws.scheduler.scheduled-time>"})
"""The Scheduler puts the nominal time in place of the keyword, in UTC."""


def schedule_resources(facts: StackFacts) -> Resources:
    """Make the schedules, if any workflow has one."""
    scheduled = [(one, one.schedule) for one in facts.machines if one.schedule is not None]
    if not scheduled:
        return {}
    group, name = fitting(facts.prefix), f"{facts.prefix}-scheduler"
    machines = [machine for machine, _ in scheduled]
    return {
        GROUP: resource("Scheduler::ScheduleGroup", {"Name": group, "Tags": tags(facts)}),
        **role(
            facts,
            name,
            why="Starts workflows by their schedules.",
            trust=scheduler_trust(facts, group),
            statements=tuple(_statements(facts, machines)),
        ),
        **{
            logical_id("Schedule", machine.name): _schedule(machine, schedule, role_id(name))
            for machine, schedule in scheduled
        },
    }


def _schedule(machine: MachineFacts, schedule: ScheduleFacts, role_of: str) -> object:
    return resource(
        "Scheduler::Schedule",
        {
            "Name": fitting(machine.name),
            "GroupName": ref(GROUP),
            "Description": f"Starts {machine.workflow}.",
            "State": "ENABLED",
            "ScheduleExpression": f"cron({schedule.cron})",
            "ScheduleExpressionTimezone": schedule.timezone,
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {
                "Arn": ref(machine_id(machine.name)),
                "RoleArn": arn_of(role_of),
                "Input": INPUT,
                "RetryPolicy": dict(RETRIES),
                "DeadLetterConfig": dead_letter_target(),
            },
        },
    )


def _statements(facts: StackFacts, machines: Sequence[MachineFacts]) -> Iterator[Statement]:
    arns = Arns.of(facts)
    yield allow("Starts", ["states:StartExecution"], [arns.machine(one.name) for one in machines])
    yield allow("DeadLetters", ["sqs:SendMessage"], [arns.queue(dead_letters(facts))])
    if facts.keys.messages:
        key = [facts.keys.messages]
        yield allow("MessagesKey", ["kms:Decrypt", "kms:GenerateDataKey"], key)
