"""What machines may do: everything that they call, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from runner.plan.stack.facts import Access, Grant, MachineFacts
from runner.plan.stack.template import template_of
from tests.support import stacks
from tests.support.iam import Role, roles
from tests.support.stacks import RESULTS, access, call, elsewhere, machine, stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.plan.stack.facts import StackFacts

GLUE = "arn:aws:glue:us-east-1:123456789012:"
STATES = "arn:aws:states:us-east-1:123456789012:"
LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function:"
ECS = "arn:aws:ecs:us-east-1:123456789012:"
ATHENA = "arn:aws:athena:us-east-1:123456789012:"
EVENTS = "arn:aws:events:us-east-1:123456789012:rule/"
ROLE = "arn:aws:iam::123456789012:role/"
SNS = "arn:aws:sns:us-east-1:123456789012:"
S3 = "arn:aws:s3:::"
BUCKET, RESULTS_BUCKET = f"{S3}example-flights-lake", f"{S3}example-flights-results"
ATHENA_CALL = call(
    "athena:startQueryExecution.sync",
    QueryString="SELECT 1",
    WorkGroup="flights",
    ResultConfiguration={"OutputLocation": RESULTS},
)
KEEPER_ONLY = {"lambda:InvokeFunction"}
LOGGING = {
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
}
ATHENA_ACTIONS = {
    "lakeformation:GetDataAccess",
    "athena:StartQueryExecution",
    "athena:StopQueryExecution",
    "athena:GetQueryExecution",
    "athena:GetDataCatalog",
}
GLUE_READ = {
    "glue:GetDatabase",
    "glue:GetTable",
    "glue:GetTables",
    "glue:GetPartition",
    "glue:GetPartitions",
    "glue:BatchGetPartition",
}
GLUE_STAGE = {
    "glue:CreateTable",
    "glue:UpdateTable",
    "glue:CreatePartition",
    "glue:BatchCreatePartition",
    "glue:UpdatePartition",
}
S3_ACTIONS = {
    "s3:GetObject",
    "s3:PutObject",
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
    "s3:ListBucket",
    "s3:GetBucketLocation",
    "s3:ListBucketMultipartUploads",
}
TASK_ACTIONS = {
    "ecs:RunTask",
    "ecs:StopTask",
    "ecs:DescribeTasks",
    "iam:PassRole",
    "events:PutTargets",
    "events:PutRule",
    "events:DescribeRule",
}


def role_of(one: MachineFacts, facts: StackFacts | None = None) -> Role:
    return roles(template_of(facts or stack(one)))[f"{one.name}-machine"]


def spec(name: str, kind: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"Type": "Pass", "Assign": {"spec": {"name": name, "kind": kind, **more}}}


def with_states(one: MachineFacts, **states: dict[str, Any]) -> MachineFacts:
    definition = json.loads(one.definition)
    definition["States"] |= {name: {**state, "Next": "done"} for name, state in states.items()}
    return replace(one, definition=json.dumps(definition))


# --- the example project --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def example() -> dict[str, Role]:
    return roles(template_of(stacks.example()))


def tasks(flow: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - JSON
    """Find Tasks by a way of its own: anything that says it is one."""
    if isinstance(flow, dict):
        if flow.get("Type") == "Task":
            yield flow
        for key, value in flow.items():
            if key != "Arguments":
                yield from tasks(value)
    elif isinstance(flow, list):
        for one in flow:
            yield from tasks(one)


Need = tuple[str, str, dict[str, str]]
ATHENA_WAITS = (
    "athena:StartQueryExecution",
    "athena:StopQueryExecution",
    "athena:GetQueryExecution",
)


def needed(task: dict[str, Any]) -> Iterator[Need]:
    """Say what AWS asks for when a Task of ours runs."""
    name, given = task["Resource"].removeprefix("arn:aws:states:::"), task["Arguments"]
    if name == "lambda:invoke":
        yield "lambda:InvokeFunction", LAMBDA + given["FunctionName"], {}
    elif name == "athena:startQueryExecution.sync":
        for action in ATHENA_WAITS:
            yield action, f"{ATHENA}workgroup/{given['WorkGroup']}", {}
        yield "athena:GetDataCatalog", f"{ATHENA}datacatalog/AwsDataCatalog", {}
    elif name.startswith("aws-sdk:glue:"):
        yield from needed_of_glue("glue:" + name.removeprefix("aws-sdk:glue:"), given)
    elif name == "ecs:runTask.sync":
        yield from needed_of_ecs(given)
    elif name == "sns:publish":
        yield "sns:Publish", given["TopicArn"], {}
    else:
        message = f"say what {name} needs"
        raise AssertionError(message)


def needed_of_glue(action: str, given: dict[str, Any]) -> Iterator[Need]:
    database, table = given["DatabaseName"], given.get("Name", "{%")
    yield action, f"{GLUE}catalog", {}
    yield action, f"{GLUE}database/{database}", {}
    if not table.startswith("{%"):
        yield action, f"{GLUE}table/{database}/{table}", {}
    elif database.endswith("__stage"):
        yield action, f"{GLUE}table/{database}/any__0123456789_1", {}


def needed_of_ecs(given: dict[str, Any]) -> Iterator[Need]:
    yield "ecs:RunTask", f"{ECS}task-definition/{given['TaskDefinition']}:7", {}
    yield "ecs:StopTask", f"{ECS}task/{given['Cluster']}/0123", {}
    yield "ecs:DescribeTasks", f"{ECS}task/{given['Cluster']}/0123", {}
    for kind in ("execution", "task"):
        to = {"iam_PassedToService": "ecs-tasks.amazonaws.com"}
        yield "iam:PassRole", f"{ROLE}{given['TaskDefinition']}-{kind}", to
    for action in ("events:PutTargets", "events:PutRule", "events:DescribeRule"):
        yield action, f"{EVENTS}StepFunctionsGetEventsForECSTaskRule", {}


@pytest.mark.parametrize("name", ["daily", "carrier_load", "backfill"])
def test_every_task_of_the_example_is_allowed(name: str, example: dict[str, Role]) -> None:
    role = example[f"flights-prod-{name}-machine"]
    asked = [need for one in tasks(json.loads(stacks.compiled()[name])) for need in needed(one)]
    assert len(asked) > 50
    refused = [(a, r) for a, r, context in asked if not role.may(a, r, **context)]
    assert refused == []


@pytest.mark.parametrize("name", ["daily", "carrier_load", "backfill"])
def test_what_the_statements_of_the_example_do_is_allowed(
    name: str, example: dict[str, Role]
) -> None:
    role = example[f"flights-prod-{name}-machine"]
    stage = "_runner/stage/staging/flights/run/0/1/2013-01-01/part-0"
    assert role.may("s3:GetObject", f"{S3}example-flights-raw/flights/a.csv")
    assert role.may("s3:ListBucket", f"{S3}example-flights-raw", s3_prefix="flights/")
    assert role.may("s3:PutObject", f"{BUCKET}/{stage}")
    assert role.may("s3:GetObject", f"{BUCKET}/{stage}")
    assert role.may("s3:AbortMultipartUpload", f"{BUCKET}/{stage}")
    assert role.may("s3:ListBucket", BUCKET, s3_prefix="_runner/stage/staging/flights/run/0/1/")
    assert role.may("s3:GetObject", f"{BUCKET}/staging/flights/g=1/dt=2013-01-01/a")
    assert role.may("s3:PutObject", f"{RESULTS_BUCKET}/athena/q.csv")
    assert role.may("s3:GetBucketLocation", BUCKET)
    assert role.may("s3:GetBucketLocation", RESULTS_BUCKET)
    assert role.may("s3:ListBucketMultipartUploads", BUCKET)
    for action in ("glue:CreateTable", "glue:BatchCreatePartition", "glue:GetTable"):
        assert role.may(action, f"{GLUE}table/staging__stage/flights__0123456789_1_0")
    assert role.may("glue:GetDatabase", f"{GLUE}database/default")
    assert role.may("glue:GetPartitions", f"{GLUE}table/marts/daily_carrier_delay")
    # Made from what the first statement tells: the names are not in the definition.
    assert role.may("glue:CreateTable", f"{GLUE}table/marts/daily_carrier_delay")
    assert role.may("glue:UpdateTable", f"{GLUE}table/marts/daily_carrier_delay")
    # Made by a statement of Athena.
    assert role.may("glue:CreateTable", f"{GLUE}table/raw/flights")
    assert role.may("glue:DeleteTable", f"{GLUE}table/raw/flights")


@pytest.mark.parametrize("name", ["daily", "carrier_load", "backfill"])
def test_what_the_example_does_not_need_is_refused(name: str, example: dict[str, Role]) -> None:
    role = example[f"flights-prod-{name}-machine"]
    published = f"{BUCKET}/marts/daily_carrier_delay/g=1/dt=2013-01-01/a"
    assert not role.may("s3:PutObject", published)
    assert not role.may("s3:DeleteObject", published)
    assert not role.may("s3:DeleteObject", f"{BUCKET}/_runner/stage/staging/flights/run/a")
    assert not role.may("s3:GetObject", f"{BUCKET}/_runner/records/staging/flights/a.json")
    assert not role.may("s3:GetObject", f"{BUCKET}/someone/else")
    assert not role.may("s3:PutObject", f"{S3}example-flights-raw/flights/a.csv")
    assert not role.may("s3:ListBucket", BUCKET, s3_prefix="")
    assert not role.may("s3:ListBucket", BUCKET, s3_prefix="_runner/records/")
    assert not role.may("s3:GetObject", f"{RESULTS_BUCKET}/other/q.csv")
    # Tables with data are never deleted, and databases neither made nor deleted.
    assert not role.may("glue:DeleteTable", f"{GLUE}table/marts/daily_carrier_delay")
    assert not role.may("glue:UpdateTable", f"{GLUE}table/other/table")
    assert not role.may("glue:GetTable", f"{GLUE}table/other/table")
    for action in ("glue:CreateDatabase", "glue:DeleteDatabase", "glue:DeletePartition"):
        assert not role.may(action, f"{GLUE}database/marts")
    assert not role.may("athena:StartQueryExecution", f"{ATHENA}workgroup/primary")
    assert not role.may("ecs:RunTask", f"{ECS}task-definition/other:1")
    execution = f"{ROLE}flights-prod-embulk-main-execution"
    assert not role.may("iam:PassRole", execution)
    assert not role.may("iam:PassRole", execution, iam_PassedToService="lambda.amazonaws.com")
    admin = {"iam_PassedToService": "ecs-tasks.amazonaws.com"}
    assert not role.may("iam:PassRole", f"{ROLE}admin", **admin)
    assert not role.may("secretsmanager:GetSecretValue")
    assert not role.may("states:StartExecution", f"{STATES}stateMachine:flights-prod-daily")


def test_each_workflow_of_the_example_has_its_own_calls(example: dict[str, Role]) -> None:
    daily = example["flights-prod-daily-machine"]
    carrier = example["flights-prod-carrier_load-machine"]
    assert daily.may("lambda:InvokeFunction", f"{LAMBDA}flights-prod-report")
    assert not daily.may("lambda:InvokeFunction", f"{LAMBDA}flights-prod-validate")
    assert carrier.may("lambda:InvokeFunction", f"{LAMBDA}flights-prod-validate")
    assert not carrier.may("lambda:InvokeFunction", f"{LAMBDA}flights-prod-report")
    assert carrier.may("sns:Publish", f"{SNS}flights-prod-data-alerts")
    assert not carrier.may("sns:Publish", f"{SNS}flights-prod-alarms")
    assert not daily.may("sns:Publish", f"{SNS}flights-prod-data-alerts")
    assert not carrier.may("glue:GetTable", f"{GLUE}table/marts/route_summary")
    assert not carrier.may("s3:GetObject", f"{BUCKET}/staging/weather/a")
    shared = LOGGING | KEEPER_ONLY | ATHENA_ACTIONS | GLUE_READ | GLUE_STAGE | S3_ACTIONS
    assert daily.actions == shared | TASK_ACTIONS | {"glue:DeleteTable"}
    assert carrier.actions == daily.actions | {"sns:Publish"}


# --- machines of one kind -------------------------------------------------------------------------


def test_a_machine_that_calls_functions_only() -> None:
    role = role_of(machine("notes", call("lambda:invoke", FunctionName="flights-prod-validate")))
    assert role.actions == KEEPER_ONLY | LOGGING
    assert role.may("lambda:InvokeFunction", f"{LAMBDA}flights-prod-validate")
    assert not role.may("lambda:InvokeFunction", f"{LAMBDA}flights-prod-validate:1")
    assert not role.may("lambda:InvokeFunction", f"{LAMBDA}flights-prod-report")


def test_a_function_of_a_version_or_by_its_arn() -> None:
    role = role_of(
        machine(
            "notes",
            call("lambda:invoke", FunctionName="versioned", Qualifier="live"),
            {"Resource": f"{LAMBDA}by-arn"},
        )
    )
    assert role.may("lambda:InvokeFunction", f"{LAMBDA}versioned:live")
    assert role.may("lambda:InvokeFunction", f"{LAMBDA}by-arn")


def test_without_a_log_there_is_no_delivery() -> None:
    one = machine("notes")
    assert role_of(one, stack(one, log_level="OFF")).actions == KEEPER_ONLY


def load_only(engine: str) -> MachineFacts:
    kind = "embulk" if engine == "embulk" else "load"
    run = call("ecs:runTask.sync", Cluster="loads", TaskDefinition=f"flights-prod-{kind}-main")
    return machine("loads", run, reads=(access("marts.daily"),))


def test_a_machine_that_loads_only() -> None:
    one = load_only("native")
    role = role_of(one, stack(one, loads=(stacks.load_task(), stacks.load_task("other"))))
    assert role.actions == KEEPER_ONLY | LOGGING | TASK_ACTIONS
    to = {"iam_PassedToService": "ecs-tasks.amazonaws.com"}
    for kind in ("execution", "task"):
        assert role.may("iam:PassRole", f"{ROLE}flights-prod-load-main-{kind}", **to)
        assert not role.may("iam:PassRole", f"{ROLE}flights-prod-load-other-{kind}", **to)
    assert role.may("ecs:RunTask", f"{ECS}task-definition/flights-prod-load-main:3")
    assert not role.may("ecs:RunTask", f"{ECS}task-definition/flights-prod-load-other:3")
    assert role.may("ecs:StopTask", f"{ECS}task/loads/abc")
    assert not role.may("ecs:StopTask", f"{ECS}task/web/abc")
    assert not role.may("events:PutRule", f"{EVENTS}other")


def test_embulk_needs_a_statement_that_writes_results_only() -> None:
    one = load_only("embulk")
    extract = machine("loads", ATHENA_CALL, reads=one.reads)
    role = role_of(extract)
    assert role.may("s3:GetObject", f"{BUCKET}/marts/daily/dt=2013-01-01/a")
    assert role.may("s3:PutObject", f"{RESULTS_BUCKET}/athena/a.csv")
    assert not role.may("s3:PutObject", f"{BUCKET}/marts/daily/a")
    assert role.actions == KEEPER_ONLY | LOGGING | ATHENA_ACTIONS | GLUE_READ | S3_ACTIONS


def test_an_iceberg_table_is_written_where_it_is() -> None:
    written = access("marts.orders")
    one = with_states(
        machine("daily", ATHENA_CALL, reads=(written,), writes=(written,)),
        start=spec("marts.orders", "insert", iceberg={"keys": ["id"]}),
    )
    role = role_of(one)
    assert role.may("s3:PutObject", f"{BUCKET}/marts/orders/metadata/1.json")
    assert role.may("s3:PutObject", f"{BUCKET}/_runner/stage/marts/orders/run/0/1/a")
    assert not role.may("s3:DeleteObject", f"{BUCKET}/marts/orders/data/a")
    assert role.may("glue:UpdateTable", f"{GLUE}table/marts/orders")
    assert role.may("glue:CreateTable", f"{GLUE}table/marts/orders")
    assert not role.may("glue:DeleteTable", f"{GLUE}table/marts/orders")


def test_a_view_has_no_stage() -> None:
    written = (Access("marts", "recent", ()),)
    one = with_states(
        machine("daily", ATHENA_CALL, reads=(access("staging.flights"),), writes=written),
        start=spec("marts.recent", "view"),
    )
    role = role_of(one)
    assert role.may("glue:CreateTable", f"{GLUE}table/marts/recent")
    assert role.may("glue:UpdateTable", f"{GLUE}table/marts/recent")
    assert not role.may("glue:CreateTable", f"{GLUE}table/marts__stage/recent")
    assert not role.may("s3:PutObject", f"{BUCKET}/_runner/stage/marts/recent/a")


def test_what_is_absent_is_told_from_what_is_forbidden(example: dict[str, Role]) -> None:
    """Athena looks at a CTAS's target: without the right to list, S3 says 403 and not 404."""
    role = example["flights-prod-daily-machine"]
    assert role.may("s3:GetObject", f"{BUCKET}/_runner/stage/marts/route_summary/run/0")
    assert role.may("s3:ListBucket", BUCKET)  # such a request has no prefix


def test_an_external_table_is_looked_for_by_its_folder() -> None:
    """Hadoop asks for the location as a key, without its slash, before it lists it."""
    written = (elsewhere("raw.flights", "s3://raw-bucket/flights/"),)
    states = spec("raw.flights", "ddl")
    one = with_states(machine("daily", ATHENA_CALL, writes=written), start=states)
    role = role_of(one)
    assert role.may("s3:GetObject", f"{S3}raw-bucket/flights")
    assert not role.may("s3:GetObject", f"{S3}raw-bucket/flight")
    reads = machine("daily", ATHENA_CALL, reads=written)
    assert not role_of(reads).may("s3:GetObject", f"{S3}raw-bucket/flights")


def test_an_external_table_is_read_only() -> None:
    written = (elsewhere("raw.flights", "s3://raw-bucket/flights/"),)
    one = with_states(
        machine("daily", ATHENA_CALL, writes=written), start=spec("raw.flights", "ddl")
    )
    role = role_of(one)
    assert role.may("s3:GetObject", f"{S3}raw-bucket/flights/a")
    assert not role.may("s3:PutObject", f"{S3}raw-bucket/flights/a")
    assert not role.may("s3:GetObject", f"{S3}raw-bucket/weather/a")
    assert role.may("glue:CreateTable", f"{GLUE}table/raw/flights")
    assert not role.may("glue:UpdateTable", f"{GLUE}table/raw/flights")


def test_a_machine_that_polls_may_not_wait_otherwise() -> None:
    start = call("athena:startQueryExecution", WorkGroup="flights", QueryString="SELECT 1")
    look = call("athena:getQueryExecution", QueryExecutionId="{% $id %}")
    role = role_of(machine("daily", start, look))
    assert role.may("athena:StartQueryExecution", f"{ATHENA}workgroup/flights")
    assert role.may("athena:GetQueryExecution", f"{ATHENA}workgroup/flights")
    assert not role.may("athena:StopQueryExecution", f"{ATHENA}workgroup/flights")
    assert not role.may("athena:GetQueryExecution", f"{ATHENA}workgroup/other")


def test_a_parent_may_start_its_children_and_nothing_of_theirs() -> None:
    arn = f"{STATES}stateMachine:flights-prod-daily-tables-1-1"
    parent = machine("daily", call("states:startExecution.sync:2", StateMachineArn=arn, Input={}))
    child = machine(
        "daily",
        ATHENA_CALL,
        name="flights-prod-daily-tables-1-1",
        child="tables-1-1",
        writes=(access("marts.daily"),),
    )
    found = roles(template_of(stack(parent, child)))
    role = found["flights-prod-daily-machine"]
    assert role.may("states:StartExecution", arn)
    assert not role.may("states:StartExecution", f"{STATES}stateMachine:flights-prod-other")
    executions = f"{STATES}execution:flights-prod-daily-tables-1-1:abc"
    assert role.may("states:DescribeExecution", executions)
    assert role.may("states:StopExecution", executions)
    assert not role.may("states:StopExecution", f"{STATES}execution:flights-prod-other:abc")
    rule = f"{EVENTS}StepFunctionsGetEventsForStepFunctionsExecutionRule"
    assert role.may("events:PutRule", rule)
    assert not any(one.startswith(("athena:", "s3:", "glue:")) for one in role.actions)
    own = found["flights-prod-daily-tables-1-1-machine"]
    assert own.may("s3:PutObject", f"{BUCKET}/_runner/stage/marts/daily/a")
    assert not own.may("states:StartExecution", arn)


def test_a_distributed_map_runs_its_own_machine() -> None:
    inner = {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, "StartAt": "a", "States": {}}
    inner["States"] = {"a": {"Type": "Task", **ATHENA_CALL, "End": True}}
    one = with_states(machine("backfill"), each={"Type": "Map", "ItemProcessor": inner})
    role = role_of(one)
    assert role.may("states:StartExecution", f"{STATES}stateMachine:flights-prod-backfill")
    run = f"{STATES}execution:flights-prod-backfill/each:abc"
    for action in ("DescribeExecution", "StopExecution", "RedriveExecution"):
        assert role.may(f"states:{action}", run)
    assert not role.may("states:RedriveExecution", f"{STATES}execution:flights-prod-backfill:abc")
    assert role.may("athena:StartQueryExecution", f"{ATHENA}workgroup/flights")
    plain = role_of(machine("backfill"))
    assert not any(action.startswith("states:") for action in plain.actions)


def test_keys_are_granted_where_they_are_used() -> None:
    written = access("marts.daily")
    publish = call("sns:publish", TopicArn=stacks.TOPIC, Message="x")
    queries = machine("daily", ATHENA_CALL, writes=(written,))
    tells = machine("tells", publish)
    found = roles(template_of(stack(queries, tells, keys=stacks.KEYS)))
    data, messages = stacks.KEYS.data, stacks.KEYS.messages
    daily, other = found["flights-prod-daily-machine"], found["flights-prod-tells-machine"]
    for action in ("kms:Decrypt", "kms:GenerateDataKey"):
        assert daily.may(action, data)
        assert not daily.may(action, messages)
        assert other.may(action, messages)
        assert not other.may(action, data)
    assert not any(one.startswith("kms:") for one in role_of(queries).actions)


def test_what_a_user_grants_is_granted() -> None:
    grants = (Grant(("dynamodb:PutItem",), ("arn:aws:dynamodb:us-east-1:123456789012:table/t",)),)
    role = role_of(machine("daily", grants=grants))
    assert role.may("dynamodb:PutItem", "arn:aws:dynamodb:us-east-1:123456789012:table/t")
    assert not role.may("dynamodb:PutItem", "arn:aws:dynamodb:us-east-1:123456789012:table/u")


def test_only_step_functions_takes_the_role_and_for_this_machine_only() -> None:
    trust = role_of(machine("daily")).trust
    assert trust["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "states.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {"aws:SourceAccount": "123456789012"},
                "ArnLike": {
                    "aws:SourceArn": [
                        f"{STATES}stateMachine:flights-prod-daily",
                        f"{STATES}stateMachine:flights-prod-daily/*",
                    ]
                },
            },
        }
    ]
