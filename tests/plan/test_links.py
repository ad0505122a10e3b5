"""Addresses of AWS's console, in every partition, whatever is in a name."""

from __future__ import annotations

import json
from pathlib import Path

import botocore
import pytest

from runner.asl.target import Target
from runner.model.names import deployed_name
from runner.model.regions import partition_of
from runner.plan.links import Console

PARTITIONS = json.loads((Path(botocore.__file__).parent / "data/partitions.json").read_text())
REGIONS = [
    (region, one["id"])
    for one in PARTITIONS["partitions"]
    for region in one["regions"]
    if "global" not in region
]


@pytest.mark.parametrize(("region", "partition"), REGIONS)
def test_partitions_are_those_that_botocore_knows(region: str, partition: str) -> None:
    assert partition_of(region) == partition


@pytest.mark.parametrize(
    ("region", "host", "partition"),
    [
        ("ap-northeast-1", "ap-northeast-1.console.aws.amazon.com", "aws"),
        ("cn-north-1", "cn-north-1.console.amazonaws.cn", "aws-cn"),
        ("us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com", "aws-us-gov"),
    ],
)
def test_an_executions_page(region: str, host: str, partition: str) -> None:
    console = Console(region, "123456789012")
    arn = console.execution_arn("flights-prod-daily", "daily-1")
    assert (
        arn == f"arn:{partition}:states:{region}:123456789012:execution:flights-prod-daily:daily-1"
    )
    page = f"https://{host}/states/home?region={region}#/v2/executions/details/"
    assert console.execution(arn) == page + arn
    machine = f"arn:{partition}:states:{region}:123456789012:stateMachine:flights-prod-daily"
    assert console.machine("flights-prod-daily") == (
        f"https://{host}/states/home?region={region}#/statemachines/view/{machine}"
    )
    target = Target("flights-prod", "", "", "", "", None, region, "123456789012")
    assert target.machine_arn(target.workflow_machine("daily")) == machine
    assert (
        target.topic("alerts") == f"arn:{partition}:sns:{region}:123456789012:flights-prod-alerts"
    )


def test_names_are_encoded() -> None:
    console = Console("eu-west-1", "123456789012")
    base = "https://eu-west-1.console.aws.amazon.com"
    assert console.query("1/2 #3") == (
        f"{base}/athena/home?region=eu-west-1#/query-editor/history/1%2F2%20%233"
    )
    assert console.log_group("/aws/vendedlogs/states/x") == (
        f"{base}/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/"
        "$252Faws$252Fvendedlogs$252Fstates$252Fx"
    )
    stack = "arn:aws:cloudformation:eu-west-1:1:stack/flights-prod/0a"
    assert console.stack(stack) == (
        f"{base}/cloudformation/home?region=eu-west-1#/stacks/stackinfo?stackId="
        "arn%3Aaws%3Acloudformation%3Aeu-west-1%3A1%3Astack%2Fflights-prod%2F0a"
    )
    cluster, task = "arn:aws:ecs:eu-west-1:1:cluster/loads", "arn:aws:ecs:eu-west-1:1:task/loads/9f"
    assert console.task(cluster, task) == f"{base}/ecs/v2/clusters/loads/tasks/9f?region=eu-west-1"


def test_a_deployed_name_has_80_characters_at_most_and_stays_apart() -> None:
    long = "w" * 90
    name = deployed_name("flights-prod", long)
    assert len(name) == 80
    assert name.startswith("flights-prod-www")
    assert name != deployed_name("flights-prod", long + "x")
    target = Target("flights-prod", "", "", "", "", None, "eu-west-1", "1")
    assert target.workflow_machine(long) == name
    assert len(target.machine(long, "tables-1-1")) == 80
