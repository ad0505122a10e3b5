"""Log events in OpenSearch: each once, whatever they are and whatever happens on the way."""

from __future__ import annotations

import base64
import json
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from runner.functions.logs_to_opensearch import handler as function
from runner.functions.logs_to_opensearch.access import Signed, service_of
from runner.functions.logs_to_opensearch.documents import make_documents
from runner.functions.logs_to_opensearch.payload import Batch, LogEvent
from tests.support.stand_ins import (
    OpenSearch,
    log_payload,
    sent_by_kinesis,
    sent_by_logs,
    served,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.stand_ins import StandIn

T = 1_714_979_289_123
"""2024-05-06T07:08:09.123Z."""
NAMES = ("INDEX_PREFIX", "PARSE", "SECRET_ARN", "SIGN_AS", "DEAD_LETTERS")


@pytest.fixture
def search() -> OpenSearch:
    return OpenSearch()


@pytest.fixture
def server(search: OpenSearch, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    with served(search) as stand_in:
        monkeypatch.setenv("ENDPOINT", stand_in.url)
        for name in NAMES:
            monkeypatch.delenv(name, raising=False)
        function.indexer.cache_clear()
        yield stand_in
        function.indexer.cache_clear()


def index(event: dict[str, Any]) -> dict[str, Any]:
    wire = function.indexer().cluster.wire
    wire.sleep = list[float]().append
    try:
        return function.handler(event, None)
    finally:
        wire.close()


def test_a_log_event_becomes_a_document_of_its_day(server: StandIn, search: OpenSearch) -> None:
    late = T + 17 * 3_600_000  # 2024-05-07T00:08:09.123Z
    message = '{"status": 500, "user": {"id": "ü"}}'
    told = index(sent_by_logs(("e1", T, message), ("e2", late, "GET /")))
    assert told == {"indexed": 2, "refused": 0, "unreadable": 0, "batchItemFailures": []}
    shared = {"log_group": "/shop/web", "log_stream": "web-1"}
    assert search.documents == {
        ("logs-2024.05.06", "e1"): {
            "@timestamp": "2024-05-06T07:08:09.123Z",
            "message": message,
            "fields": {"status": 500, "user": {"id": "ü"}},
            **shared,
        },
        ("logs-2024.05.07", "e2"): {
            "@timestamp": "2024-05-07T00:08:09.123Z",
            "message": "GET /",
            **shared,
        },
    }
    assert len(server.requests) == 1


@pytest.mark.usefixtures("server")
def test_a_repeated_invocation_changes_nothing(search: OpenSearch) -> None:
    event = sent_by_logs(("e1", T, "a"), ("e2", T, "b"))
    assert index(event) == index(event)
    assert len(search.documents) == 2


def test_only_documents_that_were_put_off_are_sent_again(
    server: StandIn, search: OpenSearch
) -> None:
    search.put_off["e2"] = 2
    assert index(sent_by_logs(("e1", T, "a"), ("e2", T, "b"), ("e3", T, "c")))["indexed"] == 3
    lines = [one.body.count(b"\n") // 2 for one in server.requests]
    assert lines == [3, 1, 1]


@pytest.mark.usefixtures("moto_here")
def test_refused_documents_are_told_and_kept(
    server: StandIn, search: OpenSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="dead")
    monkeypatch.setenv("DEAD_LETTERS", "s3://dead")
    told = index(sent_by_logs(("e1", T, "a"), ("far", 10**18, "b")))
    assert (told["indexed"], told["refused"], len(search.documents)) == (1, 1, 1)
    assert b'"_index":"logs-undated"' in server.requests[0].body
    (kept,) = s3.list_objects_v2(Bucket="dead")["Contents"]
    letter = json.loads(s3.get_object(Bucket="dead", Key=kept["Key"])["Body"].read())
    reason = "400 mapper_parsing_exception: failed to parse [@timestamp]"
    assert letter == {"reason": reason, "id": "far", "time_ms": 10**18, "message": "b"}


def test_a_busy_cluster_is_asked_again_and_then_given_up(
    server: StandIn, search: OpenSearch
) -> None:
    event = sent_by_logs(("e1", T, "a"))
    server.scripted.extend([(429, "slow down")] * 5)
    with pytest.raises(function.NotDeliveredError, match="1 documents: 429 slow down"):
        index(event)
    assert index(event)["indexed"] == 1
    assert len(search.documents) == 1


@pytest.mark.usefixtures("server")
def test_of_a_kinesis_batch_only_the_failed_records_come_again(search: OpenSearch) -> None:
    search.put_off["b"] = 100
    first, second = log_payload([("a", T, "x")]), log_payload([("b", T, "y"), ("c", T, "z")])
    told = index(sent_by_kinesis(**{"1": first, "2": second, "3": "?"}))
    assert told["batchItemFailures"] == [{"itemIdentifier": "2"}]
    assert (told["indexed"], told["unreadable"]) == (2, 1)


def test_a_request_that_is_too_large_is_halved(server: StandIn, search: OpenSearch) -> None:
    search.most_bytes = 1000
    events = [(f"e{n}", T, "x") for n in range(20)]
    told = index(sent_by_logs(*events, ("large", T, "y" * 1000)))
    assert (told["indexed"], told["refused"]) == (20, 1)
    assert len(search.documents) == 20
    search.most_bytes = 10 << 20
    index(sent_by_logs(*((f"l{n}", T, "\x01" * 100_000) for n in range(30))))
    assert max(len(one.body) for one in server.requests) < 10 << 20
    assert len(search.documents) == 50


def test_no_event_is_lost_and_ids_are_there_once(
    server: StandIn, search: OpenSearch, capsys: pytest.CaptureFixture[str]
) -> None:
    random = Random(7)  # noqa: S311 - the same each time
    wanted = set[str]()
    for round_ in range(20):
        events = []
        for n in range(random.randrange(1, 20)):
            text = random.randbytes(random.randrange(40)).decode("utf-8", "surrogateescape")
            message = random.choice([text, json.dumps({"a": text}), '{"a": 1e999}', "{" + text])
            events.append((f"{round_}-{n}", random.choice([T, 0, -1, 10**18]), message))
            search.put_off[f"{round_}-{n}"] = random.choice([0, 0, 0, 1, 2])
        server.scripted.extend([(503, "busy")] * random.choice([0, 0, 1, 5]))
        wanted |= {one[0] for one in events}
        for _ in range(2):
            try:
                index(sent_by_logs(*events))
            except function.NotDeliveredError:
                continue
            break
    lines = capsys.readouterr().out.splitlines()
    kept = [line.partition(": ")[2] for line in lines if line.startswith("not delivered: ")]
    letters = [json.loads(line)["id"] for line in kept]
    indexed = [id_ for _, id_ in search.documents]
    assert sorted([*indexed, *letters]) == sorted(wanted)


def test_parsing_can_be_left_out() -> None:
    batch = Batch("", "g", "s", (LogEvent("e", T, '{"a": 1}'),))
    (made,) = make_documents(batch, "x-", parse=False)
    assert "fields" not in json.loads(made.text.splitlines()[1])


# --- who may -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("moto_here")
def test_a_secret_gives_name_and_password(server: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    text = json.dumps({"username": "runner", "password": "pä:ss"})
    secret = boto3.client("secretsmanager").create_secret(Name="search", SecretString=text)
    monkeypatch.setenv("SECRET_ARN", secret["ARN"])
    index(sent_by_logs(("e1", T, "a")))
    said = server.requests[0].headers["authorization"].removeprefix("Basic ")
    assert base64.b64decode(said).decode() == "runner:pä:ss"


def test_requests_to_aws_are_signed(server: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """The signature that arrives is the one that botocore computes from what arrived.

    botocore signs a query as it stands, and AWS checks it with every byte quoted that is no
    letter, digit, or one of `-._~`: it has to arrive like that.
    """
    monkeypatch.setenv("SIGN_AS", "es")
    for name, value in {
        "REGION": "eu-west-1",
        "ACCESS_KEY_ID": "AK",
        "SECRET_ACCESS_KEY": "s",
    }.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "tok")
    index(sent_by_logs(("e1", T, "a")))
    (came,) = server.requests
    assert came.headers["x-amz-security-token"] == "tok"
    names = ("content-type", "x-amz-content-sha256")
    again = AWSRequest(
        "POST", server.url + came.path, {name: came.headers[name] for name in names}, came.body
    )
    signer = SigV4Auth(Credentials("AK", "s", "tok"), "es", "eu-west-1")
    again.context["timestamp"] = came.headers["x-amz-date"]
    again.headers["X-Amz-Date"] = came.headers["x-amz-date"]
    again.headers["X-Amz-Security-Token"] = "tok"
    signature = signer.signature(
        signer.string_to_sign(again, signer.canonical_request(again)), again
    )
    assert came.headers["authorization"].endswith(f"Signature={signature}")
    assert "/eu-west-1/es/aws4_request" in came.headers["authorization"]
    (pair,) = came.path.partition("?")[2].split("&")
    assert all(part == quote(unquote(part), safe="-._~") for part in pair.split("="))


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("https://search-x-1.eu-west-1.es.amazonaws.com", ("es", "eu-west-1")),
        ("https://abc.us-east-1.aoss.amazonaws.com:443/", ("aoss", "us-east-1")),
        ("https://x.cn-north-1.es.amazonaws.com.cn", ("es", "cn-north-1")),
        ("https://logs.example.com", ("", "")),
        ("https://x.eu-west-1.es.amazonaws.com.evil.example", ("", "")),
    ],
)
def test_addresses_of_aws_are_known(endpoint: str, expected: tuple[str, str]) -> None:
    assert service_of(endpoint) == expected


def test_a_signature_is_made_for_the_time_of_the_try() -> None:
    signed = Signed("https://x", Credentials("AK", "s"), service="es", region="r")
    assert "X-Amz-Date" in signed.headers("/_bulk", b"{}\n")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ENDPOINT", "search", "ENDPOINT is 'search'; expected a URL"),
        ("ENDPOINT", "https://x/search", "ENDPOINT is .*; expected a URL without a path"),
        ("INDEX_PREFIX", "Logs", "INDEX_PREFIX is 'Logs'; expected small letters"),
        ("PARSE", "true", "PARSE is 'true'; expected yes or no"),
        ("DEAD_LETTERS", "dead/", "DEAD_LETTERS is 'dead/'; expected s3://bucket/prefix/"),
        ("SIGN_AS", "s3", "SIGN_AS is 's3'; expected es"),
    ],
)
@pytest.mark.usefixtures("server")
def test_wrong_settings_are_named(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=said):
        function.indexer()
