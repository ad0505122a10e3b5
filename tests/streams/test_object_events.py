"""Functions that objects call, in a project on this machine.

Only one function here imports boto3, which takes a second; the others speak S3 by hand.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from runner.app.run import RunRequest, run
from tests.project.projects import write_files
from tests.support.commands import Cli, cli

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["cli"]
CONFIG = """project: shop
streams:
  orders: {prefix: "raw/", compression: none}
environments:
  local: {engine: local, streams_to: "s3://shop-lake/"}
"""
RIGHTS = """permissions:
  - {actions: [s3:GetObject, s3:PutObject], resources: ["arn:aws:s3:::shop-lake/*"]}
"""
FLAT = f"""uses: builtin:s3_flatten
environment: {{TO: "s3://shop-lake/flat/", FROM: raw/}}
{RIGHTS}events:
  written: {{type: object, bucket: shop-lake, prefix: raw/}}
"""
WRITE = """
import os
import urllib.request

def handler(event, context):
    key = event["detail"]["object"]["key"] if "detail" in event else "start"
    url = f"{os.environ['AWS_ENDPOINT_URL_S3']}/shop-lake/{os.environ['TO']}{key[:40]}"
    signed = f"AWS4-HMAC-SHA256 Credential={os.environ['AWS_ACCESS_KEY_ID']}/20240101/x/s3"
    headers = {"Authorization": signed, "Content-Length": "2"}
    request = urllib.request.Request(url, b"{}", headers, method="PUT")
    urllib.request.urlopen(request).close()
"""
FAIL = """
def handler(event, context):
    raise ValueError(event["detail"]["reason"])
"""


def writer(to: str, reads: str = "") -> str:
    event = f"{{type: object, bucket: shop-lake, prefix: {reads}}}"
    return f"environment: {{TO: {to}}}\n{RIGHTS}" + (f"events:\n  came: {event}\n" if reads else "")


@pytest.fixture
def root(tmp_path: Path, cli: Cli) -> Path:
    files = {
        "config.yaml": CONFIG,
        "lambdas/write/handler.py": WRITE,
        "lambdas/write/function.yaml": writer("in/"),
        "workflows/daily.yaml": "steps:\n  write: {type: lambda, function: write}\n",
        "event.json": "{}",
    }
    root = write_files(tmp_path, files)
    cli.cd(root)
    return root


def test_a_streams_objects_are_flattened(root: Path, cli: Cli) -> None:
    write_files(root, {"orders.jsonl": '{"o": {"id": 7}}\n', "lambdas/flat/function.yaml": FLAT})
    said = cli("stream", "put", "orders", "orders.jsonl", "--json")
    told = json.loads(said.out)
    (uri,) = told["objects"]
    assert f"called flat (written: {uri})" in said.err
    assert told["called"] == [{"function": "flat", "event": "written", "what": uri, "problem": ""}]
    files = (root / ".runner/s3/shop-lake/flat").rglob("*")
    assert [one.read_text() for one in files if one.is_file()] == ['{"o_id":7}\n']
    assert said.status == 0


def test_a_call_that_fails_is_told_by_invoke_and_changes_no_run(root: Path, cli: Cli) -> None:
    second = {
        "lambdas/second/handler.py": WRITE,
        "lambdas/second/function.yaml": writer("out/", reads="in/"),
        "lambdas/third/handler.py": FAIL,
        "lambdas/third/function.yaml": "events:\n"
        "  late: {type: object, bucket: shop-lake, prefix: out/, suffix: start}\n",
    }
    write_files(root, second)
    said = cli("invoke", "write", "--event", "event.json")
    told = [line for line in said.err.splitlines() if "s3://" in line]
    assert told == [
        "called second (came: s3://shop-lake/in/start)",
        "third failed (late: s3://shop-lake/out/in/start): ValueError: PutObject",
    ]
    assert said.status == 1
    heard: list[str] = []
    request = RunRequest(root, workflow="daily", start="2024-01-01", end="2024-01-01")
    assert run(request, say=heard.append).status == "SUCCEEDED"
    assert heard == told


def test_functions_that_call_each_other_are_named(root: Path, cli: Cli) -> None:
    back = {
        "lambdas/back/handler.py": WRITE,
        "lambdas/back/function.yaml": writer("in/", reads="out/"),
        "lambdas/write/function.yaml": writer("out/", reads="in/"),
    }
    write_files(root, back)
    said = cli("invoke", "write", "--event", "event.json")
    assert said.status == 1
    (loop,) = [line for line in said.err.splitlines() if "failed" in line]
    assert "a loop, cut after 16 calls: write -> back -> write;" in loop
