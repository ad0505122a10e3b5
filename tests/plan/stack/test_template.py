"""The template of an environment: what is in it, what never is; CloudFormation takes it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cfnlint.api import lint

from runner.plan.stack.facts import KeysFacts, ScheduleFacts, StackFacts, TriggerFacts
from runner.plan.stack.limits import Excess, limits, text_of
from runner.plan.stack.template import template_of, workflow_output
from tests.support import stacks
from tests.support.goldens import check_golden
from tests.support.stacks import access, function, machine, stack

if TYPE_CHECKING:
    from collections.abc import Callable

GOLDEN = Path(__file__).parent.parent / "golden"
MINIMAL = stack(machine("daily"))


def of_type(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """Give the properties of the resources of a type, by logical id."""
    return {
        part: one["Properties"]
        for part, one in template["Resources"].items()
        if one["Type"] == f"AWS::{kind}"
    }


def only(template: dict[str, Any], kind: str) -> dict[str, Any]:
    (found,) = of_type(template, kind).values()
    return found


# --- CloudFormation takes it ----------------------------------------------------------------------


def findings(template: dict[str, Any]) -> list[str]:
    """Give what cfn-lint says: errors and warnings."""
    found = lint(text_of(template), regions=["us-east-1"])
    return [f"{one.rule.id} {one.message} {list(one.path or ())[:5]}" for one in found]


LINTED: dict[str, Callable[[], StackFacts]] = {
    "minimal": lambda: MINIMAL,
    "everything": stacks.everything,
    "polling": lambda: replace(MINIMAL, polling=True, log_level="OFF"),
    "keys": lambda: replace(MINIMAL, keys=stacks.KEYS, functions=(function("report"),)),
    "a thousand tables": lambda: stacks.thousand(children=5, tables=200),
}


@pytest.mark.parametrize("name", LINTED)
def test_cfn_lint_finds_nothing(name: str) -> None:
    assert findings(template_of(LINTED[name]())) == []


def test_cfn_lint_would_find_something() -> None:
    template = template_of(MINIMAL)
    only(template, "StepFunctions::StateMachine")["StateMachineTyp"] = "STANDARD"
    (found,) = findings(template)
    assert "StateMachineTyp" in found


GOLDENS = {"minimal": LINTED["minimal"], "example": stacks.example, "everything": stacks.everything}


@pytest.mark.parametrize("name", GOLDENS)
def test_the_template_is_the_one_that_was_read(name: str, *, update_golden: bool) -> None:
    text = json.dumps(template_of(GOLDENS[name]()), indent=1, ensure_ascii=False) + "\n"
    check_golden(GOLDEN / f"stack_{name}.json", text, update=update_golden)


# --- what always holds ----------------------------------------------------------------------------


def test_the_same_facts_give_the_same_text() -> None:
    assert text_of(template_of(stacks.everything())) == text_of(template_of(stacks.everything()))


def test_a_new_table_or_workflow_renames_nothing() -> None:
    before = template_of(stacks.example())
    facts = stacks.example()
    daily = facts.machines[0]
    more = replace(daily, writes=(access("aaa.first"), *daily.writes))
    after = template_of(
        replace(
            facts,
            machines=(machine("aaa"), more, *facts.machines[1:]),
            databases=("aaa", *facts.databases),
            functions=(function("aaa"), *facts.functions),
        )
    )
    assert set(before["Resources"]) < set(after["Resources"])
    for part, one in before["Resources"].items():
        assert after["Resources"][part]["Type"] == one["Type"]
    changed = {p for p, one in before["Resources"].items() if after["Resources"][p] != one}
    assert {before["Resources"][part]["Type"] for part in changed} == {"AWS::IAM::Role"}


DATA = ("AWS::S3", "AWS::Glue::Table", "AWS::Glue::Partition", "AWS::DynamoDB", "AWS::RDS")


@pytest.mark.parametrize("name", LINTED)
def test_data_is_never_a_resource(name: str) -> None:
    template = template_of(LINTED[name]())
    kinds = {one["Type"] for one in template["Resources"].values()}
    assert not [kind for kind in kinds if kind.startswith(DATA)]
    kept = {
        (one.get("DeletionPolicy"), one.get("UpdateReplacePolicy"))
        for one in template["Resources"].values()
        if one["Type"] == "AWS::Glue::Database"
    }
    assert kept <= {("Retain", "Retain")}


TAGLESS = {
    "AWS::Glue::Database",
    "AWS::IAM::ManagedPolicy",
    "AWS::Lambda::Permission",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::Scheduler::Schedule",
}
"""CloudFormation knows no tags of these."""


def test_what_can_have_tags_has_them() -> None:
    for one in template_of(stacks.everything())["Resources"].values():
        if one["Type"] not in TAGLESS:
            tags = {tag["Key"]: tag["Value"] for tag in one["Properties"]["Tags"]}
            assert tags == {
                "project": "flights",
                "team": "data",
                "runner:project": "flights",
                "runner:environment": "prod",
            }


def test_no_secret_is_in_it_but_its_name() -> None:
    text = text_of(template_of(stacks.everything()))
    assert "secret:flights/mart-AbCdEf:password::" in text
    assert "RUNNER_MART_PASSWORD" in text


def test_it_says_who_made_it_and_where_the_manifest_is() -> None:
    template = template_of(MINIMAL)
    assert template["Metadata"]["Runner"] == {
        "project": "flights",
        "environment": "prod",
        "version": "1.0.0",
        "manifest": "s3://example-flights-lake/_runner/artifacts/manifests/0123456789abcdef.json",
        "permissions": "exact",
    }
    assert "flights" in template["Description"]


def test_outputs_lead_to_the_parts() -> None:
    outputs = template_of(stacks.everything())["Outputs"]
    assert set(outputs) == {
        workflow_output("daily"),
        workflow_output("carrier_load"),
        workflow_output("backfill"),
        "Keeper",
        "Alarms",
        "UndeliveredMessages",
        "ImageRepository",
    }
    assert outputs["Alarms"]["Value"] == "arn:aws:sns:us-east-1:123456789012:flights-prod-alarms"


# --- machines -------------------------------------------------------------------------------------


def test_a_machine_by_its_text() -> None:
    found = only(template_of(MINIMAL), "StepFunctions::StateMachine")
    assert found["StateMachineName"] == "flights-prod-daily"
    assert found["StateMachineType"] == "STANDARD"
    assert json.loads(found["DefinitionString"]) == json.loads(MINIMAL.machines[0].definition)
    assert "DefinitionS3Location" not in found
    logging = found["LoggingConfiguration"]
    assert (logging["Level"], logging["IncludeExecutionData"]) == ("ERROR", False)


def test_a_machine_by_its_place() -> None:
    one = machine("daily", definition_uri="s3://lake/_runner/artifacts/daily-01.json")
    found = only(template_of(stack(one)), "StepFunctions::StateMachine")
    assert found["DefinitionS3Location"] == {
        "Bucket": "lake",
        "Key": "_runner/artifacts/daily-01.json",
    }
    assert "DefinitionString" not in found


def test_a_definition_that_looks_like_a_substitution_stays_what_it_is() -> None:
    text = stacks.definition(stacks.call("sns:publish", TopicArn=stacks.TOPIC, Message="${day} x"))
    template = template_of(stack(machine("daily", definition=text)))
    found = only(template, "StepFunctions::StateMachine")["DefinitionString"]
    assert "${" not in found
    assert json.loads(found) == json.loads(text)
    assert findings(template) == []


def test_children_are_there_before_their_parent_and_log_with_it() -> None:
    child = machine("daily", name="flights-prod-daily-tables-1-1", child="tables-1-1")
    template = template_of(stack(machine("daily"), child))
    machines = {
        one["Properties"]["StateMachineName"]: (part, one)
        for part, one in template["Resources"].items()
        if one["Type"] == "AWS::StepFunctions::StateMachine"
    }
    part, made = machines["flights-prod-daily-tables-1-1"]
    assert machines["flights-prod-daily"][1]["DependsOn"] == [part]
    groups = [one["LogGroupName"] for one in of_type(template, "Logs::LogGroup").values()]
    assert sorted(groups) == [
        "/aws/lambda/flights-prod-keeper",
        "/aws/vendedlogs/states/flights-prod-daily",
    ]
    parent = machines["flights-prod-daily"][1]["Properties"]
    assert made["Properties"]["LoggingConfiguration"] == parent["LoggingConfiguration"]


def test_without_logging_there_is_no_group() -> None:
    template = template_of(replace(MINIMAL, log_level="OFF"))
    assert "LoggingConfiguration" not in only(template, "StepFunctions::StateMachine")
    assert only(template, "Logs::LogGroup")["LogGroupName"] == "/aws/lambda/flights-prod-keeper"


def test_logs_are_kept_as_long_as_asked_and_locked() -> None:
    template = template_of(replace(stacks.everything(), log_retention_days=30))
    groups = of_type(template, "Logs::LogGroup").values()
    assert {(g["RetentionInDays"], g["KmsKeyId"]) for g in groups} == {(30, stacks.KEYS.logs)}


# --- starts and notifications ---------------------------------------------------------------------


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


def test_stopped_executions_of_any_machine_stop_their_statements() -> None:
    child = machine("daily", name="flights-prod-daily-tables-1-1", child="tables-1-1")
    template = template_of(stack(machine("daily"), child, polling=True))
    rule = only(template, "Events::Rule")
    base = "arn:aws:states:us-east-1:123456789012:stateMachine:flights-prod-daily"
    assert rule["EventPattern"]["detail"] == {
        "status": ["ABORTED", "TIMED_OUT"],
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


# --- functions, loads, Athena ---------------------------------------------------------------------


def test_a_function_is_what_its_facts_say() -> None:
    given = function(
        "report",
        memory_mib=256,
        timeout_s=60,
        disk_mib=1024,
        architecture="arm64",
        environment=(("TO", "x"),),
        description="Mails.",
    )
    template = template_of(stack(functions=(given,)))
    functions = of_type(template, "Lambda::Function").values()
    found = next(one for one in functions if one["FunctionName"] == "flights-prod-report")
    assert found["Code"] == {
        "S3Bucket": "example-flights-lake",
        "S3Key": "_runner/artifacts/functions/keeper-0123456789abcdef.zip",
    }
    said = ("Handler", "Runtime", "MemorySize", "Timeout", "EphemeralStorage", "Architectures")
    assert [found[key] for key in said] == [
        "handler.handle",
        "python3.12",
        256,
        60,
        {"Size": 1024},
        ["arm64"],
    ]
    assert found["Environment"] == {"Variables": {"TO": "x"}}
    assert not {"TracingConfig", "VpcConfig", "KmsKeyArn"} & set(found)


def test_a_load_is_a_task_definition() -> None:
    template = template_of(stack(loads=(stacks.load_task(),)))
    found = only(template, "ECS::TaskDefinition")
    (container,) = found["ContainerDefinitions"]
    assert found["Family"] == "flights-prod-load-main"
    assert found["RuntimePlatform"] == {
        "CpuArchitecture": "X86_64",
        "OperatingSystemFamily": "LINUX",
    }
    assert (
        container["LogConfiguration"]["Options"]["awslogs-group"] == "/ecs/flights-prod-load-main"
    )
    assert container["Secrets"] == [
        {
            "Name": "RUNNER_MART_PASSWORD",
            "ValueFrom": "arn:aws:secretsmanager:us-east-1:123456789012:secret:flights/mart-AbCdEf"
            ":password::",
        }
    ]
    roles = of_type(template, "IAM::Role").values()
    names = {one["RoleName"] for one in roles}
    assert {"flights-prod-load-main-execution", "flights-prod-load-main-task"} <= names


def test_cluster_and_repository_are_made_where_nobody_else_has_them() -> None:
    assert not of_type(template_of(stacks.example()), "ECS::Cluster")
    template = template_of(stacks.everything())
    assert only(template, "ECS::Cluster")["ClusterName"] == "flights-prod-loads"
    repository = only(template, "ECR::Repository")
    assert repository["ImageScanningConfiguration"] == {"ScanOnPush": True}
    assert repository["EmptyOnDelete"] is True
    (rule,) = json.loads(repository["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
    assert rule["action"] == {"type": "expire"}


def test_the_workgroup_limits_scans_and_leaves_locations_to_statements() -> None:
    assert not of_type(template_of(stacks.example()), "Athena::WorkGroup")
    found = only(template_of(stacks.everything()), "Athena::WorkGroup")
    assert found["RecursiveDeleteOption"] is True
    assert found["WorkGroupConfiguration"] == {
        "EnforceWorkGroupConfiguration": False,
        "PublishCloudWatchMetricsEnabled": True,
        "BytesScannedCutoffPerQuery": 10**12,
        "EngineVersion": {"SelectedEngineVersion": "Athena engine version 3"},
        "ResultConfiguration": {
            "OutputLocation": "s3://example-flights-results/athena/",
            "EncryptionConfiguration": {
                "EncryptionOption": "SSE_KMS",
                "KmsKey": stacks.KEYS.data,
            },
        },
    }
    plain = replace(stacks.everything(), keys=KeysFacts())
    configuration = only(template_of(plain), "Athena::WorkGroup")["WorkGroupConfiguration"]
    encryption = configuration["ResultConfiguration"]["EncryptionConfiguration"]
    assert encryption == {"EncryptionOption": "SSE_S3"}


def test_names_that_are_too_long_are_cut_and_stay_apart() -> None:
    long = "w" * 30
    first, second = (machine(long + end, name=f"flights-prod-{long * 2}{end}") for end in "ab")
    schedule = ScheduleFacts("0 3 * * ? *", "UTC")
    template = template_of(stack(*(replace(one, schedule=schedule) for one in (first, second))))
    schedules = [one["Name"] for one in of_type(template, "Scheduler::Schedule").values()]
    roles = [one["RoleName"] for one in of_type(template, "IAM::Role").values()]
    assert len(set(schedules)) == 2
    assert len(set(roles)) == 4
    assert all(len(name) <= 64 for name in (*schedules, *roles))


# --- limits ---------------------------------------------------------------------------------------


def test_a_thousand_tables_fit() -> None:
    template = template_of(stacks.thousand())
    assert limits(template) == ()
    assert len(of_type(template, "StepFunctions::StateMachine")) == 92
    width = template["Metadata"]["Runner"]["permissions"]
    assert width == "by database for workflows in several machines"


def test_permissions_are_exact_where_there_is_room() -> None:
    template = template_of(stacks.thousand(children=8))
    assert template["Metadata"]["Runner"]["permissions"] == "exact"
    assert of_type(template, "IAM::ManagedPolicy")


def test_many_large_workflows_are_widened_too() -> None:
    writes = tuple(access(f"marts.table_with_a_name_of_some_length_{n:03}") for n in range(150))
    query = stacks.call("athena:startQueryExecution.sync", WorkGroup="flights")
    many = [
        machine(f"w{n}", query, writes=writes, reads=writes, definition_uri="s3://l/d.json")
        for n in range(30)
    ]
    template = template_of(stack(*many))
    assert limits(template) == ()
    assert template["Metadata"]["Runner"]["permissions"] == "by database"


def test_what_is_too_much_is_told() -> None:
    many = stack(*(machine(f"workflow_{number:03}") for number in range(210)))
    template = template_of(many)
    resources = len(template["Resources"])
    assert limits(template) == (
        Excess("resources", "", resources, 500),
        Excess("outputs", "", 213, 200),
    )


def test_policies_that_are_too_large_are_told() -> None:
    template = template_of(MINIMAL)
    role = next(iter(of_type(template, "IAM::Role").values()))
    role["Policies"][0]["PolicyDocument"]["Statement"][0]["Resource"] = "x" * 20_000
    role["ManagedPolicyArns"] = ["arn"] * 11
    role["AssumeRolePolicyDocument"] = {"Statement": ["x" * 3000]}
    template["Resources"]["Large"] = {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {"PolicyDocument": {"Statement": ["x" * 7000]}},
    }
    assert {(one.what, one.most) for one in limits(template)} == {
        ("inline policy", 10240),
        ("managed policies", 10),
        ("managed policy", 6144),
        ("trust policy", 2048),
    }
    template["Metadata"]["text"] = "x" * 2**20
    assert "template bytes" in {one.what for one in limits(template)}


def test_what_users_write_may_be_too_large_as_well() -> None:
    trigger = TriggerFacts("files", {"source": ["x" * 2048]})
    given = function("report", environment=(("TEXT", "x" * 4096),))
    found = limits(template_of(stack(machine("daily", triggers=(trigger,)), functions=(given,))))
    assert [(one.what, one.most) for one in found] == [
        ("environment", 4096),
        ("event pattern", 2048),
    ]
