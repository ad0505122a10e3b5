"""The template of an environment: what is in it, what never is; CloudFormation takes it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cfnlint.api import lint

from runner.plan.stack.facts import KeysFacts, ScheduleFacts, StackFacts
from runner.plan.stack.limits import text_of
from runner.plan.stack.template import template_of, workflow_output
from tests.support import stacks
from tests.support.goldens import check_golden
from tests.support.stacks import access, function, machine, stack
from tests.support.templates import of_type, only

if TYPE_CHECKING:
    from collections.abc import Callable

GOLDEN = Path(__file__).parent.parent / "golden"
MINIMAL = stack(machine("daily"))


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
