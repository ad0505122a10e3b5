"""Rules of EventBridge: events that start workflows, failures that are told, statements to stop.

A rule's target that cannot be reached leaves the event in the dead-letter queue.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from runner.plan.stack.iam.statements import allow
from runner.plan.stack.iam.trust import rules_trust
from runner.plan.stack.machines import machine_id
from runner.plan.stack.names import Arns, fitting, logical_id
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
    topic_id,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.model.ports import Json
    from runner.plan.stack.facts import MachineFacts, StackFacts, TriggerFacts
    from runner.plan.stack.iam.uses import Uses

_DEFAULT_BUS = "default"
_MOST_PATTERN = 2048
_ENDED = "Step Functions Execution Status Change"
_FAILED = ["FAILED", "TIMED_OUT", "ABORTED"]
_STOPPED = ["ABORTED", "FAILED", "TIMED_OUT"]
STOP_RULE = "StopStatements"


def event_resources(facts: StackFacts, uses: Mapping[str, Uses]) -> Resources:
    """Make the rules of an environment; `uses` are those of its machines, by name."""
    return {
        **_triggers(facts),
        **_failures(facts),
        **(_stops(facts, uses) if facts.polling else {}),
    }


def rule_patterns(facts: StackFacts) -> list[str]:
    """Give the patterns that the ARNs of the environment's rules match, for trust and policies."""
    arns, name = Arns.of(facts), f"{facts.prefix}-*"
    buses = {_DEFAULT_BUS} | {one.bus for machine in facts.machines for one in machine.triggers}
    return sorted(arns.rule(bus, name) for bus in buses)


# --- events that start workflows ------------------------------------------------------------------


def _triggers(facts: StackFacts) -> Resources:
    triggered = [machine for machine in facts.machines if machine.triggers]
    if not triggered:
        return {}
    name = f"{facts.prefix}-triggers"
    machines = [Arns.of(facts).machine(one.name) for one in triggered]
    made = role(
        facts,
        name,
        why="Starts workflows when events happen.",
        trust=rules_trust(facts, rule_patterns(facts)),
        statements=(allow("Starts", ["states:StartExecution"], machines),),
    )
    for machine in triggered:
        for trigger in machine.triggers:
            full = f"{machine.name}-{trigger.name}"
            made[logical_id("Trigger", full)] = _trigger(facts, machine, trigger, role_id(name))
    return made


def _trigger(
    facts: StackFacts, machine: MachineFacts, trigger: TriggerFacts, role_of: str
) -> object:
    bus = trigger.bus
    return resource(
        "Events::Rule",
        {
            "Name": fitting(f"{machine.name}-on-{trigger.name}"),
            "Description": f"Starts {machine.workflow} by the event {trigger.name}.",
            "EventBusName": None if bus == _DEFAULT_BUS else bus,
            "EventPattern": trigger.pattern,
            "State": "ENABLED",
            "Targets": [
                {
                    "Id": "machine",
                    "Arn": ref(machine_id(machine.name)),
                    "RoleArn": arn_of(role_of),
                    "InputTransformer": _trigger_input(trigger),
                    "RetryPolicy": dict(RETRIES),
                    "DeadLetterConfig": dead_letter_target(),
                }
            ],
            "Tags": tags(facts),
        },
    )


def _trigger_input(trigger: TriggerFacts) -> Json:
    """Tell the execution the event's time; a value in angle brackets brings its own quotes."""
    paths = {"time": "$.time"}
    template = f'{{"scheduled_time": <time>, "trigger": {json.dumps(trigger.name)}'
    if trigger.with_key:
        paths["key"] = "$.detail.object.key"
        template += ', "key": <key>'
    return {"InputPathsMap": paths, "InputTemplate": template + "}"}


# --- executions that ended badly ------------------------------------------------------------------


def _failures(facts: StackFacts) -> Resources:
    """Tell a topic of every failed execution: the uncatchable failures too."""
    return {
        logical_id("Failure", machine.name): _rule(
            facts,
            fitting(f"{machine.name}-failed"),
            f"Tells of failed executions of {machine.workflow}.",
            pattern=_ended(_FAILED, [Arns.of(facts).machine(machine.name)]),
            target={"Id": "topic", "Arn": _topic(facts, machine.failure_topic)},
        )
        for machine in facts.machines
        if machine.failure_topic
    }


def _topic(facts: StackFacts, arn: str) -> Json:
    """Refer to a topic of the stack, so that it is there before the rule."""
    made = {Arns.of(facts).topic(f"{facts.prefix}-{name}"): name for name in facts.topics}
    return ref(topic_id(facts, made[arn])) if arn in made else arn


def _stops(facts: StackFacts, uses: Mapping[str, Uses]) -> Resources:
    """Let the keeper stop what executions that ended badly left at work: Step Functions does not.

    A definition that polls only starts statements; nothing ends them with it.
    """
    arns = Arns.of(facts)
    keeper = logical_id("Function", facts.keeper.name)
    exact = [
        pattern
        for one in facts.machines
        for pattern in _executions(arns.machine(one.name), uses[one.name])
    ]
    every: list[Json] = [{"prefix": arns.machine(f"{facts.prefix}-")}]
    pattern = _ended(_STOPPED, exact)
    if len(json.dumps(pattern)) > _MOST_PATTERN:
        pattern = _ended(_STOPPED, every)
    transformer = {
        "InputPathsMap": {"execution": "$.detail.executionArn"},
        "InputTemplate": '{"op": "stop_statements", "execution": <execution>}',
    }
    return {
        STOP_RULE: _rule(
            facts,
            fitting(f"{facts.prefix}-stop-statements"),
            "Stops the statements of executions that ended badly.",
            pattern=pattern,
            target={"Id": "keeper", "Arn": arn_of(keeper), "InputTransformer": transformer},
        ),
        "StopStatementsPermission": resource(
            "Lambda::Permission",
            {
                "Action": "lambda:InvokeFunction",
                "FunctionName": ref(keeper),
                "Principal": "events.amazonaws.com",
                "SourceArn": arn_of(STOP_RULE),
            },
        ),
    }


def _executions(arn: str, uses: Uses) -> list[Json]:
    """Match a machine, and the runs of its Maps, whose executions belong to its labels."""
    return [arn, {"prefix": f"{arn}/"}] if uses.distributed else [arn]


def ended_pattern(
    facts: StackFacts, statuses: Sequence[str], *, workflows: Sequence[str]
) -> dict[str, Json]:
    """Match the ends of executions of these workflows, or of all; children end with theirs."""
    arns = Arns.of(facts)
    machines: list[Json] = [
        arns.machine(one.name)
        for one in facts.machines
        if not one.child and (not workflows or one.workflow in workflows)
    ]
    pattern = _ended(statuses, machines)
    if len(json.dumps(pattern)) > _MOST_PATTERN and not workflows:
        return _ended(statuses, [{"prefix": arns.machine(f"{facts.prefix}-")}])
    return pattern


def _ended(statuses: Sequence[str], machines: list[Json]) -> dict[str, Json]:
    return {
        "source": ["aws.states"],
        "detail-type": [_ENDED],
        "detail": {"status": list(statuses), "stateMachineArn": machines},
    }


def _rule(
    facts: StackFacts, name: str, why: str, *, pattern: Json, target: dict[str, Json]
) -> object:
    delivery = {"RetryPolicy": dict(RETRIES), "DeadLetterConfig": dead_letter_target()}
    return resource(
        "Events::Rule",
        {
            "Name": name,
            "Description": why,
            "EventPattern": pattern,
            "State": "ENABLED",
            "Targets": [{**target, **delivery}],
            "Tags": tags(facts),
        },
    )
