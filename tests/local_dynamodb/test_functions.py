"""A function of a project reaches DynamoDB and Secrets Manager of this machine with boto3."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import boto3
import pytest

from runner.functions.logs_alarm.memory import TableMemory
from runner.functions.logs_alarm.rule import Count
from runner.local.dynamodb import TARGET, DynamoDb, TableShape
from runner.local.secrets import Secrets
from runner.local.wire.json11 import Json11, Refusal
from runner.local.wire.server import WireServer
from tests.project.projects import write_files
from tests.support.aws import REGION, credentials_only
from tests.support.commands import Cli, cli

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["cli"]
HOOK = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/hook-AbCdEf"
VALUE = "canary-8f2e"
CONFIG = f"""project: shop
environments:
  local:
    engine: local
    dynamodb: {{counts: {{key: id}}}}
    secrets: {{"{HOOK}": "${{env:SHOP_HOOK}}"}}
"""
SETTINGS = f"""secrets: {{HOOK: "{HOOK}"}}
permissions:
  - {{actions: [dynamodb:UpdateItem], resources: ["arn:aws:dynamodb:*:*:table/counts"]}}
"""
HANDLER = """
import os

import boto3

def handler(event, context):
    table = boto3.client("dynamodb")
    secrets = boto3.client("secretsmanager")
    add = {"TableName": "counts", "Key": {"id": {"S": "x"}}, "ReturnValues": "ALL_NEW",
           "UpdateExpression": "ADD n :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
    table.update_item(**add)
    found = table.update_item(**add)["Attributes"]
    refused = []
    try:
        table.update_item(**add, ConditionExpression="attribute_not_exists(id)")
    except table.exceptions.ConditionalCheckFailedException as error:
        refused.append(error.response["Error"]["Message"])
    fresh = {"Put": {"TableName": "counts", "Item": {"id": {"S": "x"}},
                     "ConditionExpression": "attribute_not_exists(id)"}}
    try:
        table.transact_write_items(TransactItems=[fresh])
    except table.exceptions.TransactionCanceledException as error:
        refused.append(error.response["CancellationReasons"][0]["Code"])
    try:
        secrets.get_secret_value(SecretId="other")
    except secrets.exceptions.ResourceNotFoundException as error:
        refused.append(error.response["Error"]["Code"])
    secret = secrets.get_secret_value(SecretId=os.environ["HOOK"])["SecretString"]
    return {"n": found["n"], "refused": refused, "ends": secret[-4:]}
"""


def test_a_function_reaches_them(tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_HOOK", VALUE)
    files = {
        "config.yaml": CONFIG,
        "lambdas/count/handler.py": HANDLER,
        "lambdas/count/function.yaml": SETTINGS,
        "event.json": "{}",
    }
    cli.cd(write_files(tmp_path, files))
    said = cli("invoke", "count", "--event", "event.json")
    assert json.loads(said.out) == {
        "n": {"N": "2"},
        "refused": [
            "The conditional request failed",
            "ConditionalCheckFailed",
            "ResourceNotFoundException",
        ],
        "ends": "8f2e",
    }, said.err
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert (tmp_path / ".runner/dynamodb.sqlite") in written
    assert not [path for path in written if VALUE.encode() in path.read_bytes()]


def test_a_plain_secret_is_refused(tmp_path: Path, cli: Cli) -> None:
    text = CONFIG.replace("${env:SHOP_HOOK}", VALUE)
    cli.cd(write_files(tmp_path, {"config.yaml": text}))
    said = cli("check")
    assert said.status != 0
    assert "${env:NAME}, the name of an environment variable" in said.err + said.out


@pytest.mark.parametrize(
    ("named", "asked"),
    [(HOOK, HOOK), ("shop/hook", HOOK), (HOOK, "shop/hook"), ("shop/hook", "shop/hook")],
)
def test_a_secret_is_found_by_arn_and_by_name(named: str, asked: str) -> None:
    secrets = Secrets({named: "${env:X}"}, {"X": VALUE})
    found = secrets.value({"SecretId": asked})
    assert (found["SecretString"], found["Name"]) == (VALUE, "shop/hook")
    assert found["ARN"].rpartition(":")[2].startswith("shop/hook-")


def test_what_is_missing_is_said() -> None:
    secrets = Secrets({"a": "${env:GONE}"}, {})
    with pytest.raises(Refusal, match="GONE is not set, which stands for a"):
        secrets.value({"SecretId": "a"})
    with pytest.raises(Refusal, match="under `secrets` of the local environment"):
        secrets.value({"SecretId": "b"})


def test_the_memory_of_alarms_works_in_a_table_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that builtin:logs_alarm asks of its table, by boto3 over HTTP."""
    credentials_only(monkeypatch)
    tables = DynamoDb(tmp_path / "d.sqlite", {"alarms": TableShape("id")})
    wire = Json11(TARGET, tables.operations)
    with WireServer("127.0.0.1", 0, route=lambda _: wire) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        client = boto3.client("dynamodb", region_name=REGION, endpoint_url=server.url)
        now = [1000.0]
        memory = TableMemory(client, "alarms", "a", part_ms=30, now=lambda: now[0])
        for ids in (["1", "2"], ["1", "2"], ["3"]):  # the second payload came again
            memory.add(ids, {part: Count(1, 2) for part in (0, 1)})
        assert memory.read(range(3)) == {0: Count(2, 4), 1: Count(2, 4)}
        assert [memory.claim(50), memory.claim(50)] == [True, False]
        memory.release()
        assert memory.claim(50)
        memory.settle(60)
        now[0] += 61
        assert [memory.claim(at) for at in (59, 60, 61)] == [False, False, True]
        server.shutdown()
        thread.join()
    tables.close()
