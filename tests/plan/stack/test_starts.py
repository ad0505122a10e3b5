"""What starts workflows, who hears of their failures, and the alarms."""

from __future__ import annotations

import json
from dataclasses import replace

from runner.plan.stack.facts import ScheduleFacts, TriggerFacts
from runner.plan.stack.limits import text_of
from runner.plan.stack.template import template_of
from tests.support import stacks
from tests.support.stacks import machine, stack
from tests.support.templates import of_type, only

MINIMAL = stack(machine("daily"))


def test_a_schedule_gives_the_nominal_time() -> None:
    one = machine("daily", schedule=ScheduleFacts("0 3 * * ? *", "America/New_York"))
    template = template_of(stack(one))
    found = only(template, "Scheduler::Schedule")
    assert found["ScheduleExpression"] == "cron(0 3 * * ? *)"
    assert found["ScheduleExpressionTimezone"] == "America/New_York"
    assert found["FlexibleTimeWindow"] == {"Mode": "OFF"}
    target = found["Target"]
    assert target["Input"] == '{"scheduled_time": "<aws.scheduler.scheduled-time>"}'
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["DeadLetters", "Arn"]}}
    assert set(target["RetryPolicy"]) == {"MaximumEventAgeInSeconds", "MaximumRetryAttempts"}
    assert only(template, "Scheduler::ScheduleGroup")["Name"] == "flights-prod"
    # In the stored text too: an escaped bracket would not be a keyword.
    assert "<aws.scheduler.scheduled-time>" in text_of(template)


def test_without_schedules_there_is_no_group() -> None:
    assert not of_type(template_of(MINIMAL), "Scheduler::ScheduleGroup")


def test_events_start_a_workflow_and_tell_when_and_what() -> None:
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": ["raw"]}}}
    files = TriggerFacts("new_files", pattern, with_key=True)
    shop = TriggerFacts("orders", {"source": ["shop"]}, bus="shop")
    template = template_of(stack(machine("daily", triggers=(files, shop))))
    found = {one["Name"]: one for one in of_type(template, "Events::Rule").values()}
    first = found["flights-prod-daily-on-new_files"]
    assert first["EventPattern"] == pattern
    assert "EventBusName" not in first
    (target,) = first["Targets"]
    assert target["InputTransformer"] == {
        "InputPathsMap": {"time": "$.time", "key": "$.detail.object.key"},
        "InputTemplate": '{"scheduled_time": <time>, "trigger": "new_files", "key": <key>}',
    }
    assert "DeadLetterConfig" in target
    assert "RetryPolicy" in target
    second = found["flights-prod-daily-on-orders"]
    assert second["EventBusName"] == "shop"
    assert second["Targets"][0]["InputTransformer"] == {
        "InputPathsMap": {"time": "$.time"},
        "InputTemplate": '{"scheduled_time": <time>, "trigger": "orders"}',
    }


def test_a_failure_of_the_workflows_own_machine_is_told() -> None:
    child = machine("daily", name="flights-prod-daily-tables-1-1", child="tables-1-1")
    parent = machine("daily", failure_topic=stacks.TOPIC)
    template = template_of(stack(parent, child, topics=("data-alerts",)))
    rule = only(template, "Events::Rule")
    assert rule["EventPattern"] == {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {
            "status": ["FAILED", "TIMED_OUT", "ABORTED"],
            "stateMachineArn": [
                "arn:aws:states:us-east-1:123456789012:stateMachine:flights-prod-daily"
            ],
        },
    }
    topics = of_type(template, "SNS::Topic")
    ours = next(p for p, one in topics.items() if one["TopicName"] == "flights-prod-data-alerts")
    assert rule["Targets"][0]["Arn"] == {"Ref": ours}


def test_a_topic_that_exists_is_told_by_its_arn() -> None:
    arn = "arn:aws:sns:us-east-1:123456789012:on-call"
    template = template_of(stack(machine("daily", failure_topic=arn)))
    assert only(template, "Events::Rule")["Targets"][0]["Arn"] == arn


def test_executions_that_ended_badly_stop_their_statements() -> None:
    child = machine("daily", name="flights-prod-daily-tables-1-1", child="tables-1-1")
    template = template_of(stack(machine("daily"), child, polling=True))
    rule = only(template, "Events::Rule")
    base = "arn:aws:states:us-east-1:123456789012:stateMachine:flights-prod-daily"
    assert rule["EventPattern"]["detail"] == {
        "status": ["ABORTED", "FAILED", "TIMED_OUT"],
        "stateMachineArn": [base, f"{base}-tables-1-1"],
    }
    assert rule["Targets"][0]["InputTransformer"] == {
        "InputPathsMap": {"execution": "$.detail.executionArn"},
        "InputTemplate": '{"op": "stop_statements", "execution": <execution>}',
    }
    permission = only(template, "Lambda::Permission")
    assert permission["Principal"] == "events.amazonaws.com"
    assert permission["SourceArn"] == {"Fn::GetAtt": ["StopStatements", "Arn"]}
    assert not of_type(template_of(MINIMAL), "Lambda::Permission")


def test_executions_inside_a_map_count_too() -> None:
    inner = {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, "StartAt": "a", "States": {"a": {}}}
    flow = {"StartAt": "each", "States": {"each": {"Type": "Map", "ItemProcessor": inner}}}
    one = machine("backfill", definition=json.dumps(flow))
    rule = only(template_of(stack(one, polling=True)), "Events::Rule")
    arn = "arn:aws:states:us-east-1:123456789012:stateMachine:flights-prod-backfill"
    assert rule["EventPattern"]["detail"]["stateMachineArn"] == [arn, {"prefix": f"{arn}/"}]


def test_many_machines_are_named_by_their_prefix() -> None:
    many = [machine(f"workflow_{number:02}") for number in range(40)]
    rule = only(template_of(stack(*many, polling=True)), "Events::Rule")
    prefix = "arn:aws:states:us-east-1:123456789012:stateMachine:flights-prod-"
    assert rule["EventPattern"]["detail"]["stateMachineArn"] == [{"prefix": prefix}]


def test_alarms_are_for_workflows_keeper_and_letters() -> None:
    child = machine("daily", name="flights-prod-daily-tables-1-1", child="tables-1-1")
    alarms = of_type(template_of(stack(machine("daily"), child)), "CloudWatch::Alarm")
    by_name = {one["AlarmName"]: one for one in alarms.values()}
    assert sorted(by_name) == [
        "flights-prod-daily-failed",
        "flights-prod-daily-throttled",
        "flights-prod-dead-letters",
        "flights-prod-keeper-errors",
        "flights-prod-keeper-throttles",
    ]
    assert {one["TreatMissingData"] for one in alarms.values()} == {"notBreaching"}
    assert [one["AlarmActions"] for one in alarms.values()] == [[{"Ref": "AlarmTopic"}]] * 5
    metrics = by_name["flights-prod-daily-failed"]["Metrics"]
    summed = [m["MetricStat"]["Metric"]["MetricName"] for m in metrics if "MetricStat" in m]
    assert summed == ["ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"]
    assert metrics[-1]["Expression"] == "FILL(failed, 0) + FILL(timedout, 0) + FILL(aborted, 0)"


def test_alarms_go_to_a_topic_that_exists() -> None:
    arn = "arn:aws:sns:us-east-1:123456789012:on-call"
    template = template_of(replace(MINIMAL, alarm_topic=arn, emails=("a@example.com",)))
    assert not of_type(template, "SNS::Topic")
    assert not of_type(template, "SNS::Subscription")
    alarms = of_type(template, "CloudWatch::Alarm").values()
    assert all(one["AlarmActions"] == [arn] for one in alarms)
    assert template["Outputs"]["Alarms"]["Value"] == arn


def test_a_workflow_may_tell_the_topic_of_alarms() -> None:
    arn = "arn:aws:sns:us-east-1:123456789012:flights-prod-alarms"
    facts = stack(machine("daily", failure_topic=arn), topics=("alarms",))
    template = template_of(facts)
    assert only(template, "SNS::Topic")["TopicName"] == "flights-prod-alarms"
    assert only(template, "Events::Rule")["Targets"][0]["Arn"] == {"Ref": "AlarmTopic"}
    services = [
        one["Principal"]["Service"]
        for one in only(template, "SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    ]
    assert services == ["cloudwatch.amazonaws.com", "events.amazonaws.com"]
    elsewhere = replace(facts, alarm_topic="arn:aws:sns:us-east-1:123456789012:on-call")
    rule = only(template_of(elsewhere), "Events::Rule")
    assert rule["Targets"][0]["Arn"] != {"Ref": "AlarmTopic"}


def test_addresses_hear_of_alarms() -> None:
    found = of_type(template_of(stacks.everything()), "SNS::Subscription").values()
    assert sorted(one["Endpoint"] for one in found) == ["data@example.com", "oncall@example.com"]
