"""Alarms: executions that failed or are throttled, a keeper that fails, letters nobody got."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.plan.stack.names import Arns, dead_letters, logical_id
from runner.plan.stack.parts import ALARM_TOPIC, Resources, ref, resource, tags

if TYPE_CHECKING:
    from runner.model.ports import Json
    from runner.plan.stack.facts import StackFacts

_FAILURES = {
    "failed": "ExecutionsFailed",
    "timedout": "ExecutionsTimedOut",
    "aborted": "ExecutionsAborted",
}
_PERIOD_S = 300
_KEEPER_ERRORS = 20
"""Errors in each of three periods.  A table that waits for a lease, or fails its tests, is an error
of the keeper too, and is told by its execution; only many of them mean that the keeper is ill."""


def alarm_resources(facts: StackFacts) -> Resources:
    """Make the alarms of an environment."""
    made: Resources = {}
    for machine in facts.machines:
        if machine.child:  # its parent fails with it
            continue
        arn = Arns.of(facts).machine(machine.name)
        dimension = ("StateMachineArn", arn)
        name = machine.name
        made[logical_id("FailedAlarm", name)] = _alarm(
            facts,
            f"{name}-failed",
            f"An execution of {machine.workflow} failed, timed out or was aborted.",
            **_sum(dimension),
        )
        made[logical_id("ThrottledAlarm", name)] = _alarm(
            facts,
            f"{name}-throttled",
            f"Executions of {machine.workflow} are slowed down by a quota of Step Functions.",
            **_metric("States", "ExecutionThrottled", dimension),
        )
    return {**made, **_keeper(facts), **_letters(facts)}


def _keeper(facts: StackFacts) -> Resources:
    dimension = ("FunctionName", facts.keeper.name)
    often: dict[str, Json] = {
        "Threshold": _KEEPER_ERRORS,
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": 3,
    }
    return {
        "KeeperErrorsAlarm": _alarm(
            facts,
            f"{facts.prefix}-keeper-errors",
            "The keeper fails again and again; look at its log.",
            **{**_metric("Lambda", "Errors", dimension), **often},
        ),
        "KeeperThrottlesAlarm": _alarm(
            facts,
            f"{facts.prefix}-keeper-throttles",
            "Calls of the keeper are refused: the account's concurrent functions are used up.",
            **_metric("Lambda", "Throttles", dimension),
        ),
    }


def _letters(facts: StackFacts) -> Resources:
    name = dead_letters(facts)
    return {
        "DeadLettersAlarm": _alarm(
            facts,
            f"{facts.prefix}-dead-letters",
            "A start or a notification was not delivered; it is in the dead-letter queue.",
            **{
                **_metric("SQS", "ApproximateNumberOfMessagesVisible", ("QueueName", name)),
                "Statistic": "Maximum",
            },
        )
    }


def _alarm(facts: StackFacts, name: str, why: str, **properties: Json) -> Json:
    to = [facts.alarm_topic or ref(ALARM_TOPIC)]
    return resource(
        "CloudWatch::Alarm",
        {
            "AlarmName": name,
            "AlarmDescription": why,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "Threshold": 1,
            "EvaluationPeriods": 1,
            "TreatMissingData": "notBreaching",
            "AlarmActions": to,
            **properties,
            "Tags": tags(facts),
        },
    )


def _metric(service: str, metric: str, dimension: tuple[str, str]) -> dict[str, Json]:
    return {
        "Namespace": f"AWS/{service}",
        "MetricName": metric,
        "Dimensions": [_dimension(dimension)],
        "Statistic": "Sum",
        "Period": _PERIOD_S,
    }


def _sum(dimension: tuple[str, str]) -> dict[str, Json]:
    """Add up the ways to fail: one alarm for a workflow, not three."""
    metrics: list[Json] = [
        {
            "Id": name,
            "ReturnData": False,
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/States",
                    "MetricName": metric,
                    "Dimensions": [_dimension(dimension)],
                },
                "Stat": "Sum",
                "Period": _PERIOD_S,
            },
        }
        for name, metric in _FAILURES.items()
    ]
    added = " + ".join(f"FILL({name}, 0)" for name in _FAILURES)
    metrics.append({"Id": "total", "Expression": added, "ReturnData": True})
    return {"Metrics": metrics}


def _dimension(dimension: tuple[str, str]) -> Json:
    return {"Name": dimension[0], "Value": dimension[1]}
