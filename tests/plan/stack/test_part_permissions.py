"""What other roles may do: keeper, functions, schedules, rules, tasks; who writes to queues."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cfnlint
import pytest

from runner.plan.stack.facts import Grant, NetworkFacts, ScheduleFacts, TriggerFacts
from runner.plan.stack.template import template_of
from tests.support import stacks
from tests.support.iam import Role, allows, roles
from tests.support.stacks import access, function, machine, stack

GLUE = "arn:aws:glue:us-east-1:123456789012:"
STATES = "arn:aws:states:us-east-1:123456789012:"
ATHENA = "arn:aws:athena:us-east-1:123456789012:"
LOGS = "arn:aws:logs:us-east-1:123456789012:log-group:"
RULES = "arn:aws:events:us-east-1:123456789012:rule/"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:flights-prod-dead-letters"
BUCKET = "arn:aws:s3:::example-flights-lake"
KEEPER = "flights-prod-keeper-function"
WRITER = machine("daily", reads=(access("marts.daily"),), writes=(access("marts.daily"),))


def keeper(**more: Any) -> Role:  # noqa: ANN401
    return roles(template_of(stack(WRITER, **more)))[KEEPER]


def test_the_keeper_has_the_lake_and_reads_results() -> None:
    role = keeper()
    for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"):
        assert role.may(action, f"{BUCKET}/marts/daily/g=1/dt=2013-01-01/a")
        assert role.may(action, f"{BUCKET}/_runner/leases/marts/daily.json")
    assert role.may("s3:ListBucket", BUCKET, s3_prefix="_runner/records/")
    assert role.may("s3:ListBucketMultipartUploads", BUCKET)
    assert role.may("s3:GetObject", "arn:aws:s3:::example-flights-results/athena/a.csv")
    assert not role.may("s3:PutObject", "arn:aws:s3:::example-flights-results/athena/a.csv")
    assert not role.may("s3:GetObject", "arn:aws:s3:::example-flights-raw/flights/a")
    assert not role.may("s3:DeleteBucket", BUCKET)


def test_a_lake_below_a_prefix_is_all_that_the_keeper_has_of_a_bucket() -> None:
    role = keeper(lake="s3://shared/flights/prod/")
    assert role.may("s3:DeleteObject", "arn:aws:s3:::shared/flights/prod/marts/a")
    assert not role.may("s3:GetObject", "arn:aws:s3:::shared/flights/dev/marts/a")
    assert role.may("s3:ListBucket", "arn:aws:s3:::shared", s3_prefix="flights/prod/_runner/")
    assert not role.may("s3:ListBucket", "arn:aws:s3:::shared", s3_prefix="flights/dev/")
    # Without this a missing object would look like a forbidden one.
    assert role.may("s3:ListBucket", "arn:aws:s3:::shared")


def test_results_may_lie_in_the_lake() -> None:
    template = template_of(stack(WRITER, results=f"{stacks.LAKE}_runner/results/"))
    role = roles(template)[KEEPER]
    assert role.may("s3:GetObject", f"{BUCKET}/_runner/results/a.csv")
    assert "Results" not in str(role.documents)


def test_the_keeper_reaches_an_adopted_table_elsewhere_in_the_bucket() -> None:
    adopted = access("marts.old", "s3://shared/legacy/old/")
    one = machine("daily", writes=(adopted, access("marts.other", "s3://another/x/")))
    role = roles(template_of(stack(one, lake="s3://shared/flights/")))[KEEPER]
    assert role.may("s3:PutObject", "arn:aws:s3:::shared/legacy/old/dt=2013-01-01/a")
    assert role.may("s3:ListBucket", "arn:aws:s3:::shared", s3_prefix="legacy/old/dt=2013-01-01/")
    assert not role.may("s3:PutObject", "arn:aws:s3:::shared/legacy/a")
    assert not role.may("s3:PutObject", "arn:aws:s3:::another/x/a")


def test_the_keeper_asks_for_executions_of_its_environment_only() -> None:
    role = keeper()
    assert role.may("states:DescribeExecution", f"{STATES}execution:flights-prod-gone:abc")
    assert role.may("states:DescribeExecution", f"{STATES}execution:flights-prod-backfill/each:a")
    assert not role.may("states:DescribeExecution", f"{STATES}execution:flights-dev-daily:abc")
    assert not role.may("states:StopExecution", f"{STATES}execution:flights-prod-daily:abc")


def test_the_keeper_collects_garbage_in_the_catalogue() -> None:
    role = keeper()
    assert role.may("glue:GetDatabases", f"{GLUE}catalog")
    assert role.may("glue:GetTables", f"{GLUE}database/other")
    assert role.may("glue:DeleteTable", f"{GLUE}table/marts__stage/daily__0123456789_1")
    assert role.may("glue:DeleteTable", f"{GLUE}database/marts__stage")
    assert not role.may("glue:DeleteTable", f"{GLUE}table/marts/daily")
    assert not role.may("glue:DeleteTable", f"{GLUE}table/other__stage/x")
    assert not role.may("glue:UpdateTable", f"{GLUE}table/marts/daily")


def test_the_keeper_stops_statements_only_where_machines_poll() -> None:
    execution = f"{STATES}execution:flights-prod-daily:abc"
    waits, polls = keeper(), keeper(polling=True)
    for action, resource in (
        ("states:GetExecutionHistory", execution),
        ("states:ListExecutions", f"{STATES}mapRun:flights-prod-daily/Map:abc"),
        ("athena:StopQueryExecution", f"{ATHENA}workgroup/flights"),
        ("athena:BatchGetQueryExecution", f"{ATHENA}workgroup/flights"),
    ):
        assert not waits.may(action, resource)
        assert polls.may(action, resource)
    assert not polls.may("athena:StopQueryExecution", f"{ATHENA}workgroup/other")
    assert not polls.may("athena:StartQueryExecution", f"{ATHENA}workgroup/flights")


def test_the_keeper_of_the_example_has_these_actions() -> None:
    role = roles(template_of(stacks.example()))[KEEPER]
    assert role.actions == {
        "s3:GetObject",
        "s3:PutObject",
        "s3:DeleteObject",
        "s3:AbortMultipartUpload",
        "s3:ListBucket",
        "s3:ListBucketMultipartUploads",
        "states:DescribeExecution",
        "glue:GetDatabases",
        "glue:GetTables",
        "glue:GetTable",
        "glue:GetPartitions",
        "glue:DeleteTable",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    }


def test_a_users_function_has_its_log_and_its_grants() -> None:
    where = "arn:aws:s3:::inbox/*"
    given = function("report", grants=(Grant(("s3:GetObject",), (where,)),))
    found = roles(template_of(stack(functions=(given, function("plain")))))
    role, plain = (found[f"flights-prod-{name}-function"] for name in ("report", "plain"))
    assert plain.actions == {"logs:CreateLogStream", "logs:PutLogEvents"}
    assert plain.may("logs:PutLogEvents", f"{LOGS}/aws/lambda/flights-prod-plain:log-stream:a")
    assert not plain.may("logs:PutLogEvents", f"{LOGS}/aws/lambda/flights-prod-report:log-stream:a")
    assert role.may("s3:GetObject", "arn:aws:s3:::inbox/a")
    assert not role.may("s3:GetObject", f"{BUCKET}/marts/daily/a")
    assert plain.trust["Statement"][0]["Principal"] == {"Service": "lambda.amazonaws.com"}


def test_a_function_in_the_network_may_have_an_interface() -> None:
    network = NetworkFacts(("subnet-0a1b2c3d4e5f60001",), ("sg-0a1b2c3d4e5f60003",))
    functions = (function("inside", network=True), function("outside"))
    found = roles(template_of(stack(functions=functions, network=network)))
    inside, outside = (found[f"flights-prod-{n}-function"] for n in ("inside", "outside"))
    assert inside.may("ec2:CreateNetworkInterface")
    assert not outside.may("ec2:CreateNetworkInterface")


def test_the_scheduler_starts_what_has_a_schedule() -> None:
    nightly = machine("daily", schedule=ScheduleFacts("0 3 * * ? *", "Asia/Tokyo"))
    role = roles(template_of(stack(nightly, machine("other"))))["flights-prod-scheduler"]
    assert role.may("states:StartExecution", f"{STATES}stateMachine:flights-prod-daily")
    assert not role.may("states:StartExecution", f"{STATES}stateMachine:flights-prod-other")
    assert role.may("sqs:SendMessage", QUEUE)
    assert role.actions == {"states:StartExecution", "sqs:SendMessage"}
    condition = role.trust["Statement"][0]["Condition"]
    group = "arn:aws:scheduler:us-east-1:123456789012:schedule-group/flights-prod"
    assert condition == {
        "StringEquals": {"aws:SourceAccount": "123456789012", "aws:SourceArn": group}
    }
    locked = roles(template_of(stack(nightly, keys=stacks.KEYS)))["flights-prod-scheduler"]
    assert locked.may("kms:GenerateDataKey", stacks.KEYS.messages)


def test_rules_start_what_has_triggers() -> None:
    files = TriggerFacts("files", {"source": ["aws.s3"]})
    shop = TriggerFacts("shop", {"source": ["shop"]}, bus="orders")
    one = machine("daily", triggers=(files, shop))
    role = roles(template_of(stack(one, machine("other"))))["flights-prod-triggers"]
    assert role.may("states:StartExecution", f"{STATES}stateMachine:flights-prod-daily")
    assert not role.may("states:StartExecution", f"{STATES}stateMachine:flights-prod-other")
    assert role.actions == {"states:StartExecution"}
    assert role.trust["Statement"][0]["Condition"]["ArnLike"] == {
        "aws:SourceArn": [f"{RULES}flights-prod-*", f"{RULES}orders/flights-prod-*"]
    }


@pytest.mark.parametrize("engine", ["native", "embulk"])
def test_loads_have_their_two_roles(engine: str) -> None:
    task = stacks.load_task("main", engine)
    found = roles(template_of(stack(loads=(task,), keys=stacks.KEYS)))
    starts, runs = (found[f"{task.family}-{kind}"] for kind in ("execution", "task"))
    assert starts.may("secretsmanager:GetSecretValue", task.secret or "")
    assert not starts.may("secretsmanager:GetSecretValue", f"{task.secret}-other")
    assert not starts.may("s3:GetObject", f"{BUCKET}/marts/daily/a")
    assert runs.may("s3:GetObject", f"{BUCKET}/marts/daily/a")
    assert runs.may("s3:PutObject", f"{BUCKET}/_runner/loads/run/a.outcome.json")
    assert not runs.may("s3:PutObject", f"{BUCKET}/marts/daily/a")
    assert not runs.may("secretsmanager:GetSecretValue", task.secret or "")
    assert runs.may("kms:Decrypt", stacks.KEYS.data)
    results = "arn:aws:s3:::example-flights-results"
    assert runs.may("s3:ListBucket", results, s3_prefix="athena/a") is (engine == "embulk")
    assert not runs.may("s3:ListBucket", results, s3_prefix="other")


# --- who may write to queue and topics ------------------------------------------------------------


def resource_policy(template: dict[str, Any], part: str) -> list[dict[str, Any]]:
    """Give a policy of a resource, without the principal, for the evaluator."""
    document = template["Resources"][part]["Properties"]["PolicyDocument"]
    (statement,) = document["Statement"]
    said = {key: value for key, value in statement.items() if key != "Principal"}
    return [{"Statement": [{**said, "Resource": "it"}]}]


def test_only_our_rules_write_to_the_dead_letter_queue() -> None:
    template = template_of(stacks.everything())
    policy = resource_policy(template, "DeadLettersPolicy")
    ours = {"aws_SourceAccount": "123456789012", "aws_SourceArn": f"{RULES}flights-prod-daily"}
    assert allows(policy, "sqs:SendMessage", "it", **ours)
    bus = {**ours, "aws_SourceArn": f"{RULES}shop/flights-prod-daily-on-orders"}
    assert allows(policy, "sqs:SendMessage", "it", **bus)
    assert not allows(policy, "sqs:SendMessage", "it", **{**ours, "aws_SourceArn": f"{RULES}x"})
    assert not allows(policy, "sqs:SendMessage", "it")
    other = ours["aws_SourceArn"].replace("123456789012", "210987654321")
    assert not allows(policy, "sqs:SendMessage", "it", **{**ours, "aws_SourceArn": other})
    # Nothing but the ARN is asked for: that is all that EventBridge promises to tell.
    assert allows(policy, "sqs:SendMessage", "it", aws_SourceArn=ours["aws_SourceArn"])
    assert not allows(policy, "sqs:ReceiveMessage", "it", **ours)
    said = template["Resources"]["DeadLettersPolicy"]["Properties"]["PolicyDocument"]
    assert said["Statement"][0]["Principal"] == {"Service": "events.amazonaws.com"}
    assert said["Statement"][0]["Resource"] == {"Fn::GetAtt": ["DeadLetters", "Arn"]}


def test_only_our_alarms_publish_to_the_alarm_topic() -> None:
    policy = resource_policy(template_of(stacks.everything()), "AlarmTopicPolicy")
    alarms = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:"
    ours = {"aws_SourceAccount": "123456789012", "aws_SourceArn": f"{alarms}flights-prod-a"}
    assert allows(policy, "sns:Publish", "it", **ours)
    assert not allows(policy, "sns:Publish", "it", **{**ours, "aws_SourceArn": f"{alarms}x"})


def test_rules_publish_failures_unconditionally() -> None:
    """EventBridge tells SNS of no source: a condition on one would never hold."""
    failing = machine("daily", failure_topic=stacks.TOPIC)
    template = template_of(stack(failing, topics=("data-alerts",)))
    policies = [
        one["Properties"]["PolicyDocument"]["Statement"]
        for one in template["Resources"].values()
        if one["Type"] == "AWS::SNS::TopicPolicy"
    ]
    ours = [one for found in policies for one in found if "events" in str(one["Principal"])]
    assert [set(one) for one in ours] == [{"Effect", "Principal", "Action", "Resource"}]
    assert ours[0]["Action"] == "sns:Publish"


@pytest.mark.parametrize("named", [True, False])
def test_a_secrets_own_key_is_for_who_reads_the_secret(named: bool) -> None:  # noqa: FBT001
    key = "arn:aws:kms:us-east-1:123456789012:key/44444444-4444-4444-4444-444444444444"
    keys = replace(stacks.KEYS, secrets=key if named else "")
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:api-AbCdEf"
    reads = function("reads", grants=(Grant(("secretsmanager:GetSecretValue",), (arn,)),))
    task = stacks.load_task()
    facts = stack(loads=(task,), functions=(reads, function("plain")), keys=keys)
    found = roles(template_of(facts))
    may = {name for name, role in found.items() if role.may("kms:Decrypt", key)}
    expected = {f"{task.family}-execution", "flights-prod-reads-function"}
    assert may == (expected if named else set())
    assert not any(role.may("kms:GenerateDataKey", key) for role in found.values())


def test_every_role_is_bounded_where_a_boundary_is_named() -> None:
    found = roles(template_of(stacks.everything()))
    assert len(found) > 10
    assert {role.properties["PermissionsBoundary"] for role in found.values()} == {stacks.BOUNDARY}
    free = roles(template_of(replace(stacks.everything(), permissions_boundary="")))
    assert not any("PermissionsBoundary" in role.properties for role in free.values())


def test_what_knows_no_resource_is_allowed_on_any() -> None:
    """IAM never allows an action without resources where a statement names some."""
    path = Path(cfnlint.__file__).parent / "data/AdditionalSpecs/Policies.json"
    known = json.loads(path.read_text("utf-8"))
    seen = 0
    for facts in (stacks.example(), stacks.everything()):
        for name, role in roles(template_of(facts)).items():
            statements = [one for doc in role.documents for one in doc["Statement"]]
            for statement in statements:
                for action in statement["Action"]:
                    service, _, verb = action.partition(":")
                    said = known[service]["Actions"][verb.lower()]
                    if not said.get("Resources"):
                        seen += 1
                        assert statement["Resource"] == ["*"], (name, action)
    assert seen > 10


def test_no_role_may_do_everything() -> None:
    for facts in (stacks.example(), stacks.everything()):
        for name, role in roles(template_of(facts)).items():
            assert not any("*" in action for action in role.actions), name
            assert not role.may("s3:DeleteObject", f"{BUCKET}/x") or name == KEEPER
            assert not role.may("iam:CreateRole")
            assert not role.may("iam:PassRole", "arn:aws:iam::123456789012:role/admin")
