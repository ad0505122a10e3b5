"""Which log groups a request is about, and lines over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from runner.app.bundle import open_bundle
from runner.app.cloud import Cloud
from runner.app.deployed import Deployed
from runner.app.logs import LogRequest, groups_of, lines
from runner.errors import UsageError
from tests.support.commands import Cli, cli, copy_example
from tests.support.fake_states import FakeStates, Known
from tests.support.histories import BEGAN, Written
from tests.support.moto_states import moto_states

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["cli"]

NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_example(tmp_path_factory.mktemp("example") / "flights")


@pytest.fixture
def deployed(root: Path) -> Iterator[Deployed]:
    states = FakeStates(definitions={"flights-prod-daily": "{}"})
    states.add(Known("flights-prod-daily", "e-1", {}, Written()))
    cloud = Cloud(root, open_bundle(root, "prod"), states)  # type: ignore[arg-type] # clients too
    yield Deployed(cloud)
    states.close()


def names(deployed: Deployed, root: Path, **fields: str) -> list[str]:
    request = LogRequest(root, "prod", **fields)  # type: ignore[arg-type] # texts only
    return [group.name for group in groups_of(deployed, request, now=NOW)]


def test_log_groups_by_what_is_asked_for(deployed: Deployed, root: Path) -> None:
    assert names(deployed, root) == [
        "/aws/vendedlogs/states/flights-prod-app_week",
        "/aws/vendedlogs/states/flights-prod-carrier_load",
        "/aws/vendedlogs/states/flights-prod-daily",
        "/aws/vendedlogs/states/flights-prod-startup",
        "/aws/lambda/flights-prod-keeper",
    ]
    assert names(deployed, root, function="keeper") == ["/aws/lambda/flights-prod-keeper"]
    assert names(deployed, root, function="report") == ["/aws/lambda/flights-prod-report"]
    assert names(deployed, root, load="main") == [
        "/ecs/flights-prod-embulk-main",
        "/ecs/flights-prod-load-main",
    ]


def test_an_executions_lines_are_chosen_by_its_arn(deployed: Deployed, root: Path) -> None:
    request = LogRequest(root, "prod", execution="e-1")
    (group,) = groups_of(deployed, request, now=NOW)
    assert group.name == "/aws/vendedlogs/states/flights-prod-daily"
    arn = "arn:aws:states:us-east-1:123456789012:execution:flights-prod-daily:e-1"
    assert group.pattern == f'{{ $.execution_arn = "{arn}" }}'
    assert group.since == BEGAN - timedelta(minutes=1)


def test_lines_go_back_as_far_as_is_said(deployed: Deployed, root: Path) -> None:
    request = LogRequest(root, "prod", function="keeper", since="2d")
    (group,) = groups_of(deployed, request, now=NOW)
    assert group.since == NOW - timedelta(days=2)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"function": "raport"}, "unknown-function"),
        ({"load": "other"}, "unknown-mart"),
        ({"since": "soon"}, "bad-duration"),
        ({"function": "report", "load": "main"}, "bad-option"),
    ],
)
def test_mistakes_are_named(
    deployed: Deployed, root: Path, fields: dict[str, str], code: str
) -> None:
    with pytest.raises(UsageError) as caught:
        names(deployed, root, **fields)
    assert [fault.code for fault in caught.value.faults] == [code]


class TwoReads:
    """CloudWatch as a client: no such group at first, then a line with each read."""

    exceptions = boto3.client("logs", region_name="us-east-1").exceptions

    def __init__(self) -> None:
        self.reads = 0

    def client(self, service: str) -> TwoReads:
        assert service == "logs"
        return self

    def filter_log_events(self, **_: object) -> dict[str, Any]:
        self.reads += 1
        if self.reads == 1:
            error = {"Error": {"Code": "ResourceNotFoundException", "Message": "no"}}
            raise self.exceptions.ResourceNotFoundException(error, "FilterLogEvents")
        number = self.reads
        millis = int(NOW.timestamp() * 1000) + number
        return {"events": [{"eventId": str(number), "timestamp": millis, "message": f"m{number}"}]}


def test_lines_are_followed_from_before_there_is_a_log(root: Path) -> None:
    cloud = Cloud(root, open_bundle(root, "prod"), TwoReads())  # type: ignore[arg-type] # as above
    request = LogRequest(root, "prod", function="report", follow=True)
    pauses: list[float] = []
    found = lines(Deployed(cloud), request, now=NOW, sleep=pauses.append)
    assert [next(found).message, next(found).message] == ["m2", "m3"]
    assert pauses == [3.0, 3.0]


def test_lines_of_a_function_over_http(
    cli: Cli, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.cd(root)
    with moto_states(monkeypatch):
        missing = cli("logs", "--function", "keeper", "--env", "prod")
        assert (missing.status, "no log group" in missing.err) == (3, True)
        logs = boto3.client("logs", region_name="us-east-1")
        name = "/aws/lambda/flights-prod-keeper"
        logs.create_log_group(logGroupName=name)
        empty = cli("logs", "--function", "keeper", "--env", "prod")
        assert (empty.status, empty.out) == (0, "")
        assert "nothing was logged" in empty.err
        logs.create_log_stream(logGroupName=name, logStreamName="s")
        millis = int(datetime.now(UTC).timestamp() * 1000)
        events = [{"timestamp": millis + n, "message": f"line {n}"} for n in range(2)]
        logs.put_log_events(logGroupName=name, logStreamName="s", logEvents=events)
        said = cli("logs", "--function", "keeper", "--env", "prod")
        logs.close()
    assert said.status == 0
    assert [line.split("  ")[1:] for line in said.out.splitlines()] == [
        ["flights-prod-keeper", "line 0"],
        ["flights-prod-keeper", "line 1"],
    ]
