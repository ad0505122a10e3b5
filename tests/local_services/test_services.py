"""Every resource goes to its service; one that nobody knows never passes as a success."""

from __future__ import annotations

import datetime as dt
import json
import sys
from typing import TYPE_CHECKING

import duckdb
import pytest

from runner.local.lambdas import Function
from runner.local.services import (
    LocalNames,
    LocalServices,
    OpenedAthena,
    open_local,
    open_s3,
)
from runner.model.config import LocalEnvironment
from runner.model.ports import Json, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from runner.local.glue import GlueCatalog
    from runner.local.s3 import FolderS3

NOON = dt.datetime(2013, 1, 2, 12, tzinfo=dt.UTC)
STATES = "arn:aws:states:::"


class Echo:
    """An Athena that says what it was asked, and counts how often it was opened and closed."""

    opened = 0
    closed = 0

    def service(self, action: str, arguments: Mapping[str, Json]) -> Json:
        return {"action": action, "query": arguments["QueryString"]}

    def connect(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect()

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def athena() -> Echo:
    return Echo()


@pytest.fixture
def services(tmp_path: Path, athena: Echo) -> Iterator[LocalServices]:
    for name in ("report", "helper"):
        folder = tmp_path / "lambdas" / name
        folder.mkdir(parents=True)
        (folder / "handler.py").write_text(f"def handler(e, c): return ['{name}', e]\n")
    environment = LocalEnvironment.model_validate(
        {
            "engine": "local",
            "buckets": {"raw": "data"},
            "marts": {"main": {"engine": "sqlite", "path": ".runner/mart.sqlite"}},
        }
    )
    names = LocalNames(
        "demo-local",
        {
            f"demo-local-{name}": Function(tmp_path / "lambdas" / name)
            for name in ("report", "helper")
        },
    )

    def open_athena(s3: FolderS3, catalog: GlueCatalog) -> OpenedAthena:
        assert s3.path_of("s3://lake/x") == tmp_path / ".runner/s3/lake/x"
        catalog.get_databases()
        athena.opened += 1
        return athena

    made = open_local(
        tmp_path,
        environment,
        names=names,
        keeper=lambda event, _: {"kept": event["op"]},
        open_athena=open_athena,
        environ={},
        now=lambda: NOON,
    )
    yield made
    made.close()


def error_of(act: Callable[[], Json]) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        act()
    return caught.value


def test_athena_opens_once_when_it_is_first_asked(services: LocalServices, athena: Echo) -> None:
    assert athena.opened == 0
    resource = f"{STATES}athena:startQueryExecution.sync"
    for _ in range(2):
        assert services.do(resource, {"QueryString": "SELECT 1"}) == {
            "action": "startQueryExecution.sync",
            "query": "SELECT 1",
        }
    services.close()
    services.close()
    assert (athena.opened, athena.closed) == (1, 1)


def test_functions_go_by_their_deployed_names(services: LocalServices) -> None:
    invoke = f"{STATES}lambda:invoke"
    keeper = {"FunctionName": "demo-local-keeper", "Payload": {"op": "begin"}}
    report = {"FunctionName": "demo-local-report", "Payload": {"a": 1}}
    assert services.do(invoke, keeper)["Payload"] == {"kept": "begin"}
    assert services.do(invoke, report)["Payload"] == ["report", {"a": 1}]
    arn = "arn:aws:lambda:local:000000000000:function:demo-local-helper"
    assert services.do(arn, {"b": 2}) == ["helper", {"b": 2}]


def test_glue_and_s3_answer_under_the_names_of_the_sdk(services: LocalServices) -> None:
    made = {"DatabaseInput": {"Name": "marts"}}
    services.do(f"{STATES}aws-sdk:glue:createDatabase", made)
    found = services.do(f"{STATES}aws-sdk:glue:getDatabase", {"Name": "marts"})
    assert found["Database"]["Name"] == "marts"
    put = {"Bucket": "lake", "Key": "a/b.json", "Body": '{"x": 1}'}
    services.do(f"{STATES}aws-sdk:s3:putObject", put)
    listed = services.do(f"{STATES}aws-sdk:s3:listObjectsV2", {"Bucket": "lake", "Prefix": "a/"})
    assert [(item["Key"], item["Size"]) for item in listed["Contents"]] == [("a/b.json", 8)]
    dt.datetime.fromisoformat(listed["Contents"][0]["LastModified"])
    got = services.do(f"{STATES}aws-sdk:s3:getObject", {"Bucket": "lake", "Key": "a/b.json"})
    assert got["Body"] == '{"x": 1}'
    gone = {"Bucket": "lake", "Delete": {"Objects": [{"Key": "a/b.json"}]}}
    assert services.do(f"{STATES}aws-sdk:s3:deleteObjects", gone)["Deleted"] == [
        {"Key": "a/b.json"}
    ]
    error = error_of(
        lambda: services.do(f"{STATES}aws-sdk:s3:getObject", {"Bucket": "lake", "Key": "a/b.json"})
    )
    assert error.error == "S3.NoSuchKeyException"
    assert "(Service: S3, Status Code: 404, Request ID: " in error.cause


def test_a_bucket_of_the_config_is_a_folder_of_the_project(tmp_path: Path) -> None:
    environment = LocalEnvironment.model_validate({"engine": "local", "buckets": {"raw": "data"}})
    assert open_s3(tmp_path, environment).path_of("s3://raw/f/x.gz") == tmp_path / "data/f/x.gz"


def test_messages_and_loads_leave_their_traces_in_the_state_folder(
    services: LocalServices, tmp_path: Path
) -> None:
    services.do(f"{STATES}sns:publish", {"TopicArn": "t", "Message": "m"})
    assert json.loads((tmp_path / ".runner/sns.jsonl").read_text())["Message"] == "m"
    task = {
        "TaskDefinition": "demo-local-embulk-main",
        "Overrides": {
            "ContainerOverrides": [
                {
                    "Environment": [
                        {"Name": "RUNNER_MART", "Value": "main"},
                        {"Name": "RUNNER_LOAD_MANIFEST", "Value": "s3://lake/none.json"},
                    ]
                }
            ]
        },
    }
    error = error_of(lambda: services.do(f"{STATES}ecs:runTask.sync", task))
    assert error.error == "States.TaskFailed"
    assert "s3://lake/none.json" in (tmp_path / ".runner/logs/loads.jsonl").read_text()


@pytest.mark.parametrize(
    ("resource", "word"),
    [
        (f"{STATES}glue:startJobRun", "startJobRun.sync is"),
        (f"{STATES}codebuild:startBuild", "startBuild.sync is"),
        (f"{STATES}batch:submitJob.sync", "batch:submitJob.sync"),
        (f"{STATES}aws-sdk:rds:deleteDBInstance", "rds:deleteDBInstance is not known"),
        (f"{STATES}ecs:runTask", "runTask.sync is"),
        (f"{STATES}lambda:invoke.waitForTaskToken", "invoke.waitForTaskToken is not known"),
        (f"{STATES}aws-sdk:s3:getBucketAcl", "getBucketAcl"),
        (f"{STATES}sns:publish.waitForTaskToken", "publish.waitForTaskToken"),
        ("arn:aws:states:local:000000000000:activity:x", "activity"),
        ("nonsense", "nonsense"),
        ("", "''"),
    ],
)
def test_an_unknown_resource_is_an_error_that_names_it(
    services: LocalServices, resource: str, word: str
) -> None:
    error = error_of(lambda: services.do(resource, {}))
    assert error.error == "States.Runtime"
    assert word in error.cause


def test_an_unknown_resource_says_what_is_known(services: LocalServices) -> None:
    cause = error_of(lambda: services.do("x", {})).cause
    for name in ("athena", "aws-sdk:glue", "aws-sdk:s3", "ecs", "lambda", "sns"):
        assert f"arn:aws:states:::{name}:*" in cause


def test_opening_costs_no_heavy_import(tmp_path: Path) -> None:
    import subprocess

    script = (
        "import sys, runner.local.services, runner.local.ecs, runner.local.lambdas, "
        "runner.local.journal, runner.local.runs, runner.local.sns\n"
        "heavy = {'duckdb', 'pymysql', 'pydantic', 'sqlglot', 'boto3', 'jinja2'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout == "[]\n"
