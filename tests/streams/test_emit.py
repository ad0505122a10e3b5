"""`runner emit`: logs, records and changes for the functions of a project."""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.project.projects import write_files
from tests.support.commands import Cli, cli

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["cli"]
CLICKS = "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks"
ORDERS = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/2024-05-06T00:00:00.000"
CONFIG = f"""project: shop
streams:
  clicks: {{prefix: "raw/!{{timestamp:yyyy}}/", compression: none, source: "{CLICKS}"}}
environments:
  local: {{engine: local, streams_to: "s3://shop-lake/"}}
  prod:
    engine: aws
    region: eu-west-1
    account: "123456789012"
    lake: s3://shop-lake/
    results: s3://shop-results/
    streams_to: s3://shop-raw/
"""
KEEP = """
import json
import os

def handler(event, context):
    with open(os.environ["KEPT"], "a") as kept:
        kept.write(json.dumps(event) + "\\n")
    if "bad" in json.dumps(event):
        raise ValueError("bad event")
"""
EVENTS = f"""events:
  web: {{type: logs, group: /shop/web, filter: "ERROR -healthcheck"}}
  orders: {{type: dynamodb, stream: "{ORDERS}", batch: 2, attempts: 1}}
  clicks: {{type: kinesis, stream: "{CLICKS}"}}
"""


@pytest.fixture
def root(tmp_path: Path, cli: Cli) -> Path:
    files = {
        "config.yaml": CONFIG,
        "lambdas/keep/handler.py": KEEP,
        "lambdas/keep/function.yaml": f"environment: {{KEPT: {tmp_path / 'kept'}}}\n{EVENTS}",
    }
    root = write_files(tmp_path, files)
    cli.cd(root)
    return root


def kept(root: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (root / "kept").read_text().splitlines()]


def test_lines_of_a_log_come_packed_and_filtered(root: Path, cli: Cli) -> None:
    (root / "web.log").write_text("GET /\n\nERROR no stöck\nERROR healthcheck\n")
    said = cli("emit", "logs", "/shop/web", "web.log", "--at", "2024-05-06", "--log-stream", "w1")
    assert (said.status, said.out) == (0, "keep (web): 1 of 3, 1 call\n")
    (event,) = kept(root)
    told = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    (line,) = told.pop("logEvents")
    assert told == {
        "messageType": "DATA_MESSAGE",
        "owner": "000000000000",
        "logGroup": "/shop/web",
        "logStream": "w1",
        "subscriptionFilters": ["web"],
    }
    assert len(line.pop("id")) == 56
    assert line == {"timestamp": 1714953600000, "message": "ERROR no stöck"}


def test_changes_of_a_table_go_on_behind_one_that_fails(root: Path, cli: Cli) -> None:
    changes = [{"dynamodb": {"NewImage": {"id": {"S": name}}}} for name in ("a", "bad", "c")]
    (root / "c.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in changes))
    said = cli("emit", "dynamodb", "orders", "c.jsonl")
    assert said.status == 1
    assert said.out == "keep (orders): 3 of 3, 5 calls\n"
    assert said.err == "keep (orders): given up from line 2: ValueError: bad event\n"
    ids = [
        [one["dynamodb"]["NewImage"]["id"]["S"] for one in event["Records"]] for event in kept(root)
    ]
    assert ids == [["a", "bad"], ["a"], ["bad"], ["bad"], ["c"]]


def test_a_kinesis_stream_reaches_functions_and_delivery_streams(root: Path, cli: Cli) -> None:
    (root / "clicks").write_text(f"{base64.b64encode(b'one').decode()}\n")
    said = cli("emit", "kinesis", CLICKS, "clicks", "--base64", "--at", "2024-05-06", "--json")
    told = json.loads(said.out)
    (uri,) = told["objects"]
    assert uri.startswith("s3://shop-lake/raw/2024/")
    assert (root / ".runner/s3" / uri.removeprefix("s3://")).read_bytes() == b"one"
    assert [(one["reader"], one["event"], one["records"]) for one in told["given"]] == [
        ("keep", "clicks", 1),
        ("clicks", "source", 1),
    ]
    (event,) = kept(root)
    assert base64.b64decode(event["Records"][0]["kinesis"]["data"]) == b"one"
    assert event["Records"][0]["eventSourceARN"] == CLICKS


def test_lines_that_are_no_changes_are_all_told(root: Path, cli: Cli) -> None:
    (root / "c.jsonl").write_text('{"id": 1}\n[]\n{"dynamodb"\n')
    said = cli("emit", "dynamodb", ORDERS, "c.jsonl")
    assert said.status == 2
    assert [f"c.jsonl:{n}:" in said.err for n in (1, 2, 3)] == [True] * 3
    assert not (root / "kept").exists()


@pytest.mark.parametrize(
    ("kind", "name", "near"),
    [
        ("logs", "/shop/wep", "/shop/web"),
        ("kinesis", "click", CLICKS),
        ("dynamodb", "clicks", ORDERS),
    ],
)
def test_what_nothing_reads_is_said(root: Path, cli: Cli, kind: str, name: str, near: str) -> None:
    (root / "lines").write_text("{}\n")
    said = cli("emit", kind, name, "lines")
    assert said.status == 2
    assert f"`{name}`, which nothing of the project reads" in said.err
    assert near in said.err


def test_a_filter_of_another_form_is_named(root: Path, cli: Cli) -> None:
    settings = root / "lambdas/keep/function.yaml"
    settings.write_text(settings.read_text().replace('"ERROR -healthcheck"', "'{ $.n > 1 }'"))
    (root / "lines").write_text("{}\n")
    said = cli("emit", "logs", "/shop/web", "lines")
    assert said.status == 2
    assert "lambdas/keep/function.yaml" in said.err
    assert "events.web.filter: a JSON pattern" in said.err


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (("emit", "logs", "/shop/web", "in"), "what is deployed reads the source itself"),
        (("stream", "put", "clicks", "in"), "producers put records with the SDK"),
        (("invoke", "keep", "--event", "in"), "call it with `aws lambda invoke`"),
    ],
)
def test_an_environment_on_aws_is_refused(
    root: Path, cli: Cli, words: tuple[str, ...], advice: str
) -> None:
    (root / "in").write_text("{}\n")
    said = cli(*words, "--env", "prod")
    assert said.status == 2
    assert "--env: not-local" in said.err
    assert advice in said.err
    assert not (root / "kept").exists()


@pytest.mark.parametrize(("kind", "most"), [("logs", 1_048_576), ("kinesis", 1_048_576)])
def test_lines_that_are_too_large_are_all_told(root: Path, cli: Cli, kind: str, most: int) -> None:
    (root / "lines").write_bytes((b"x" * most + b"y\n") * 2 + b"z\n")
    said = cli("emit", kind, {"logs": "/shop/web"}.get(kind, "clicks"), "lines")
    assert said.status == 2
    assert [f"lines:{n}:1: large-record" in said.err for n in (1, 2, 3)] == [True, True, False]
    assert not (root / "kept").exists()


def test_the_name_of_a_stream_is_suggested(root: Path, cli: Cli) -> None:
    (root / "lines").write_text("{}\n")
    assert "did you mean clicks?" in cli("emit", "kinesis", "click", "lines").err
    assert "did you mean orders?" in cli("emit", "dynamodb", "order", "lines").err


BROKEN = r"""
import base64

def handler(event, context):
    datas = [base64.b64decode(record["data"]) for record in event["records"]]
    if b"raise\n" in datas:
        raise ValueError("COLUMNS is empty")
    return {
        "records": [
            {**record, "result": "ProcessingFailed" if data == b"no\n" else "Ok"}
            for record, data in zip(event["records"], datas)
        ]
    }
"""


@pytest.fixture
def broken(root: Path) -> Path:
    write_files(root, {"lambdas/broken/handler.py": BROKEN})
    config = root / "config.yaml"
    config.write_text(config.read_text().replace("{prefix:", "{transform: broken, prefix:"))
    return root


def test_why_a_stream_keeps_records_aside_is_told(broken: Path, cli: Cli) -> None:
    (broken / "lines").write_text("ok\nno\nok\nno\n")
    refused = "Lambda.ProcessingFailedStatus: ProcessingFailed status set\n"
    put = cli("stream", "put", "clicks", "lines")
    lie = "2 failed and lie below its `errors`, the first from line 2: "
    assert put.status == 0
    assert put.err == f"4 records: 0 dropped, 2 failed\n{lie}{refused}"
    fed = cli("emit", "kinesis", "clicks", "lines")
    assert (fed.status, fed.err) == (0, f"clicks (source): {lie}{refused}")


def test_a_stream_whose_function_fails_makes_the_command_fail(broken: Path, cli: Cli) -> None:
    (broken / "lines").write_text("raise\n")
    why = "from line 1: Lambda.FunctionError: ValueError: COLUMNS is empty\n"
    put = cli("stream", "put", "clicks", "lines")
    assert (put.status, put.err.endswith(why)) == (1, True)
    fed = cli("emit", "kinesis", "clicks", "lines", "--json")
    assert fed.status == 1
    (cause,) = json.loads(fed.out)["given"][1]["causes"]
    assert cause == {
        "code": "Lambda.FunctionError",
        "message": "ValueError: COLUMNS is empty",
        "records": 1,
        "first": 1,
    }


def test_a_large_record_is_refused_before_any_is_delivered(root: Path, cli: Cli) -> None:
    fits = b"x" * 1_023_999 + b"\n"
    (root / "lines").write_bytes(fits * 17 + b"x" + fits + b"x" + fits)
    said = cli("stream", "put", "clicks", "lines")
    assert said.status == 2
    assert [f"lines:{n}:1: large-record" in said.err for n in (17, 18, 19)] == [False, True, True]
    assert not (root / ".runner/s3/shop-lake").exists()
