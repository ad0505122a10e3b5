"""Facts of stacks, for tests of templates and permissions."""

from __future__ import annotations

import functools
import json
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from runner.app.compiled import compile_project
from runner.plan.load_tasks import LoadTask
from runner.plan.stack.facts import (
    Access,
    FunctionFacts,
    Grant,
    KeysFacts,
    MachineFacts,
    NetworkFacts,
    ScheduleFacts,
    StackFacts,
    TriggerFacts,
)

ROOT = Path(__file__).parent.parent.parent
ACCOUNT, REGION = "123456789012", "us-east-1"
LAKE = "s3://example-flights-lake/"
RESULTS = "s3://example-flights-results/athena/"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:flights-prod-data-alerts"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
KEYS = KeysFacts(
    data=f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-1111-1111-1111-111111111111",
    logs=f"arn:aws:kms:{REGION}:{ACCOUNT}:key/22222222-2222-2222-2222-222222222222",
    messages=f"arn:aws:kms:{REGION}:{ACCOUNT}:key/33333333-3333-3333-3333-333333333333",
)
CODE = "s3://example-flights-lake/_runner/artifacts/functions/keeper-0123456789abcdef.zip"


def definition(*tasks: dict[str, Any]) -> str:
    """Write a definition that runs tasks one after the other."""
    names = [f"task {number}" for number in range(1, len(tasks) + 1)]
    states = {
        name: {"Type": "Task", "TimeoutSeconds": 60, **task, "Next": following}
        for name, task, following in zip(names, tasks, [*names[1:], "done"], strict=True)
    }
    start = names[0] if names else "done"
    return json.dumps(
        {
            "QueryLanguage": "JSONata",
            "StartAt": start,
            "States": {**states, "done": {"Type": "Succeed"}},
        }
    )


def call(resource: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401
    """Write the fields of a Task."""
    return {"Resource": f"arn:aws:states:::{resource}", "Arguments": arguments}


KEEPER_CALL = call("lambda:invoke", FunctionName="flights-prod-keeper", Payload={"op": "begin"})
"""What every machine of ours begins with."""


def machine(workflow: str, *tasks: dict[str, Any], **more: Any) -> MachineFacts:  # noqa: ANN401
    """Make a machine that runs tasks after the keeper's."""
    fields: dict[str, Any] = {
        "name": f"flights-prod-{workflow}",
        "workflow": workflow,
        "child": "",
        "definition": definition(KEEPER_CALL, *tasks),
        "definition_uri": "",
        **more,
    }
    return MachineFacts(**fields)


def function(name: str, **more: Any) -> FunctionFacts:  # noqa: ANN401
    """Make a function."""
    return FunctionFacts(
        name=f"flights-prod-{name}", handler="handler.handle", code_uri=CODE, **more
    )


def load_task(mart: str = "main", engine: str = "native") -> LoadTask:
    """Make a task definition's facts."""
    kind = "embulk" if engine == "embulk" else "load"
    return LoadTask(
        family=f"flights-prod-{kind}-{mart}",
        mart=mart,
        engine=engine,
        region=REGION,
        account=ACCOUNT,
        image=f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/flights-prod:{engine}-1.0.0",
        lake=LAKE,
        results=RESULTS,
        host="mart.example.us-east-1.rds.amazonaws.com",
        port="3306",
        database="mart",
        user="loader",
        secret=f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:flights/mart-AbCdEf",
        tls=True,
        ca=None,
    )


def stack(*machines: MachineFacts, **more: Any) -> StackFacts:  # noqa: ANN401
    """Make the smallest stack that holds these machines."""
    keeper = function("keeper", environment=(("RUNNER_LAKE", LAKE),), memory_mib=1024)
    fields: dict[str, Any] = {
        "project": "flights",
        "environment": "prod",
        "prefix": "flights-prod",
        "version": "1.0.0",
        "region": REGION,
        "account": ACCOUNT,
        "lake": LAKE,
        "results": RESULTS,
        "artifacts": f"{LAKE}_runner/artifacts/",
        "manifest_uri": f"{LAKE}_runner/artifacts/manifests/0123456789abcdef.json",
        "workgroup": "flights",
        "scan_limit_bytes": None,
        "cluster": "loads",
        "own_cluster": False,
        "repository": "",
        "databases": (),
        "keeper": keeper,
        "functions": (),
        "machines": machines,
        "loads": (),
        "streams": (),
        "topics": (),
        "alarm_topic": "",
    }
    return StackFacts(**{**fields, **more})


def access(name: str, *locations: str) -> Access:
    """Make a table, by default where the lake has it."""
    database, _, table = name.partition(".")
    return Access(database, table, locations or (f"{LAKE}{database}/{table}/",), name)


def staged(name: str) -> Access:
    """Make a ctas table: its files lie where they were staged."""
    return access(name, f"{LAKE}_runner/stage/{name.replace('.', '/')}/")


def elsewhere(name: str, location: str) -> Access:
    """Make a table outside of the lake."""
    return access(name, location)


# --- the example project --------------------------------------------------------------------------

RAW = "s3://example-flights-raw/"
_DDL = ("raw.airlines", "raw.airports", "raw.alb", "raw.flights", "raw.planes", "raw.weather")
_FILES = ("airlines", "airports", "planes", "weather", "flights")
_TABLES = (
    "staging.flights",
    "staging.weather",
    "marts.alb_status_hourly",
    "marts.carrier_delay_7d",
    "marts.daily_carrier_delay",
    "marts.hourly_delay_weather",
    "marts.route_summary",
    "marts.route_summary_by_origin",
)
_CTAS = ("marts.route_summary", "marts.route_summary_by_origin")
DAILY_WRITES = (
    *(elsewhere(f"raw.{one}", f"{RAW}{one}/") for one in _FILES),
    elsewhere("raw.alb", f"{RAW}alb/"),
    Access("marts", "carrier_names", (), "marts.carrier_names"),
    *(staged(one) if one in _CTAS else access(one) for one in _TABLES),
)


@functools.cache
def compiled() -> dict[str, str]:
    """Compile the example project for `prod`; definitions by name."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in ("sql", "workflows", "lambdas"):
            shutil.copytree(ROOT / name, root / name)
        shutil.copy(ROOT / "config.yaml", root)
        files = compile_project(root, environment="prod")
        return {
            Path(path).name.removesuffix(".asl.json"): (root / path).read_text(encoding="utf-8")
            for path in files.definitions
        }


def example() -> StackFacts:
    """Give the facts of the example project's environment `prod`."""
    texts = compiled()
    daily = machine(
        "daily",
        definition=texts["daily"],
        definition_uri=f"{LAKE}_runner/artifacts/definitions/daily-0123456789abcdef.asl.json",
        reads=DAILY_WRITES,
        writes=DAILY_WRITES,
        schedule=ScheduleFacts("0 3 * * ? *", "America/New_York"),
        failure_topic=TOPIC,
    )
    few = ("raw.flights", "staging.flights", "marts.daily_carrier_delay")
    some = tuple(one for one in DAILY_WRITES if f"{one.database}.{one.table}" in few)
    carrier = machine(
        "carrier_load",
        definition=texts["carrier_load"],
        definition_uri=f"{LAKE}_runner/artifacts/definitions/carrier-0123456789abcdef.asl.json",
        reads=some,
        writes=some,
        failure_topic=TOPIC,
    )
    backfill = machine(
        "backfill",
        definition=texts["backfill"],
        definition_uri=f"{LAKE}_runner/artifacts/definitions/backfill-0123456789abcdef.asl.json",
        reads=DAILY_WRITES,
        writes=DAILY_WRITES,
    )
    return stack(
        daily,
        carrier,
        backfill,
        functions=(function("report"), function("validate")),
        loads=(load_task("main", "embulk"),),
        topics=("data-alerts",),
        databases=tuple(
            f"{name}{suffix}" for name in ("raw", "staging", "marts") for suffix in ("", "__stage")
        ),
        tags=(("project", "flights"), ("team", "data")),
    )


# --- more stacks ----------------------------------------------------------------------------------


def everything() -> StackFacts:
    """Give a stack in which every part and every option is there."""
    facts = example()
    trigger = TriggerFacts(
        "new_files",
        {"source": ["aws.s3"], "detail-type": ["Object Created"]},
        with_key=True,
    )
    other = TriggerFacts("orders", {"source": ["shop"]}, bus="shop")
    daily = replace(facts.machines[0], triggers=(trigger, other))
    child = machine("daily", name="flights-prod-daily-tables-1-1", child="tables-1-1")
    return replace(
        facts,
        machines=(daily, *facts.machines[1:], child),
        functions=(
            function(
                "report",
                network=True,
                grants=(Grant(("ses:SendEmail",), ("*",)),),
                description="Mails numbers.",
                environment=(("TO", "data@example.com"),),
            ),
        ),
        loads=(load_task("main", "embulk"), load_task("main"), load_task("other")),
        cluster="flights-prod-loads",
        own_cluster=True,
        repository="flights-prod",
        scan_limit_bytes=10**12,
        workgroup="flights-prod",
        emails=("data@example.com", "oncall@example.com"),
        network=NetworkFacts(
            ("subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"), ("sg-0a1b2c3d4e5f60003",)
        ),
        permissions_boundary=BOUNDARY,
        keys=KEYS,
        log_level="ALL",
        polling=True,
    )


def thousand(children: int = 45, tables: int = 22) -> StackFacts:
    """Give a stack of a thousand tables: a nightly workflow and the backfill, in many machines."""
    machines: list[MachineFacts] = []
    for workflow in ("daily", "backfill"):
        starts = []
        for number in range(children):
            names = [f"marts.some_table_of_the_project_{number:03}_{i:02}" for i in range(tables)]
            writes = tuple(access(name) for name in names)
            reads = tuple(access(f"staging.input_{number:03}_{i:02}") for i in range(3 * tables))
            tasks = [
                call(
                    "athena:startQueryExecution.sync",
                    QueryString="{% $q %}",
                    WorkGroup="flights",
                    ResultConfiguration={"OutputLocation": RESULTS},
                ),
                *(
                    call("aws-sdk:glue:getTable", DatabaseName="marts", Name=one.table)
                    for one in writes
                ),
                call("aws-sdk:glue:createTable", DatabaseName="marts", TableInput="{% $t %}"),
                call("aws-sdk:glue:updateTable", DatabaseName="marts", TableInput="{% $t %}"),
                call("aws-sdk:glue:deleteTable", DatabaseName="marts__stage", Name="{% $n %}"),
            ]
            name = f"flights-prod-{workflow}-tables-1-{number}"
            child = machine(
                workflow,
                *tasks,
                name=name,
                child=f"tables-1-{number}",
                reads=(*reads, *writes),
                writes=writes,
                definition_uri=f"{LAKE}_runner/artifacts/definitions/{name}.json",
            )
            machines.append(child)
            arn = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{name}"
            starts.append(call("states:startExecution.sync:2", StateMachineArn=arn, Input={}))
        machines.append(machine(workflow, *starts, failure_topic=TOPIC))
    return stack(*machines, topics=("data-alerts",), databases=("staging", "marts", "marts__stage"))
