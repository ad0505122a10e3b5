"""Log events in BigQuery: each once, whatever they are and whatever happens on the way."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import boto3
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from runner.functions.logs_to_bigquery import handler as function
from runner.functions.logs_to_bigquery.insert import Sent, Table
from runner.functions.logs_to_bigquery.payload import LogEvent
from runner.functions.logs_to_bigquery.rows import Fields, make_row
from runner.functions.logs_to_bigquery.service_account import Tokens, read_account
from runner.functions.logs_to_bigquery.wire import Wire
from tests.support.clients import find_clients
from tests.support.stand_ins import (
    BigQuery,
    log_payload,
    plain_body,
    sent_by_kinesis,
    sent_by_logs,
    served,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.stand_ins import Reply, Request, StandIn

TABLE = "shop-1.logs.actions"
T = 1_714_979_289_123
"""2024-05-06T07:08:09.123Z."""
DEEP = "[" * 100_000
CLICK = json.dumps({"session_id": "s1", "action": "click", "params": {"x": 1, "ü": None}})


@pytest.fixture
def bigquery() -> BigQuery:
    return BigQuery()


@pytest.fixture
def server(bigquery: BigQuery, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    with served(bigquery) as stand_in:
        monkeypatch.setenv("TABLE", TABLE)
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", stand_in.url)
        for name in ("SESSION_FIELD", "ACTION_FIELD", "PARAMS_FIELD", "TIME_FIELD", "DEAD_LETTERS"):
            monkeypatch.delenv(name, raising=False)
        quick(stand_in)
        yield stand_in
        function.loader.cache_clear()


def quick(stand_in: StandIn, tokens: Tokens | None = None) -> list[float]:
    """Have the function wait in no time; gives what it would have waited."""
    function.loader.cache_clear()
    waited: list[float] = []
    table = function.loader().table
    table.wire.close()
    table.wire = Wire(stand_in.url, sleep=waited.append)
    table.tokens = tokens
    return waited


def load(event: dict[str, Any]) -> dict[str, Any]:
    wire = function.loader().table.wire
    if wire.sleep is time.sleep:
        wire.sleep = list[float]().append
    try:
        return function.handler(event, None)
    finally:
        wire.close()


def test_a_log_event_becomes_a_row(server: StandIn, bigquery: BigQuery) -> None:
    told = load(sent_by_logs(("e1", T, CLICK)))
    assert told == {"loaded": 1, "refused": 0, "unreadable": 0, "batchItemFailures": []}
    assert bigquery.rows == {
        "e1": {
            "timestamp": "2024-05-06T07:08:09.123Z",
            "session_id": "s1",
            "action": "click",
            "params": '{"x":1,"ü":null}',
        }
    }
    (request,) = server.requests
    assert request.headers["content-type"] == "application/json"


def test_control_messages_are_left_out(server: StandIn, bigquery: BigQuery) -> None:
    test = sent_by_logs(("", T, "CWL CONTROL MESSAGE"), kind="CONTROL_MESSAGE")
    assert load(test)["loaded"] == 0
    assert (bigquery.rows, server.requests) == ({}, [])


@pytest.mark.parametrize(
    ("fields", "message", "expected"),
    [
        (Fields(), "GET / 200", (None, None, '{"message":"GET / 200"}')),
        (Fields(), "[1]", (None, None, '{"message":"[1]"}')),
        (Fields(), '{"a": NaN}', (None, None, '{"message":"{\\"a\\": NaN}"}')),
        (Fields(), DEEP, (None, None, f'{{"message":"{DEEP}"}}')),
        (Fields(), '{"a": 1e999}', (None, None, '{"message":"{\\"a\\": 1e999}"}')),
        (Fields(), '{"session_id": 7, "b": [1]}', ("7", None, '{"b":[1]}')),
        (Fields(), '{"action": {"a": 1}, "params": 0}', (None, '{"a":1}', "0")),
        (Fields("user.id", "event.name"), '{"user": {"id": "u"}, "event": "x"}', ("u", None, None)),
        (Fields("user.id"), '{"user.id": "v", "params": "p"}', ("v", None, '"p"')),
    ],
)  # fmt: skip
def test_messages_of_any_kind_become_rows(
    fields: Fields, message: str, expected: tuple[str | None, ...]
) -> None:
    row = json.loads(make_row(LogEvent("e", 0, message), "", fields).text)["json"]
    found = (row["session_id"], row["action"], row["params"])
    assert found[:2] == expected[:2]
    assert expected[2] in {None, found[2]}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ('"2024-05-06T09:08:09+02:00"', "2024-05-06T07:08:09.000Z"),
        ('"2024-05-06 07:08:09.5"', "2024-05-06T07:08:09.500Z"),
        ("1714979289", "2024-05-06T07:08:09.000Z"),
        ("1714979289.25", "2024-05-06T07:08:09.250Z"),
        ("1714979289250", "2024-05-06T07:08:09.250Z"),
        ('"yesterday"', "2024-05-06T07:08:09.123Z"),
        ("true", "2024-05-06T07:08:09.123Z"),
        ("1e400", "2024-05-06T07:08:09.123Z"),
        ("-62135596800000", "0001-01-01T00:00:00.000Z"),
    ],
)
def test_the_time_may_be_a_field_of_the_message(said: str, expected: str) -> None:
    event = LogEvent("e", T, f'{{"at": {said}}}')
    row = json.loads(make_row(event, "", Fields(time="at")).text)
    assert row["json"]["timestamp"] == expected


@pytest.mark.usefixtures("moto_here")
def test_rows_that_bigquery_refuses_are_kept_and_the_others_loaded(
    server: StandIn, bigquery: BigQuery, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="dead")
    monkeypatch.setenv("DEAD_LETTERS", "s3://dead/logs/")
    quick(server)
    event = sent_by_logs(("e1", T, CLICK), ("e2", 10**17, "far away"), ("e3", T, "x"))
    for _ in range(2):  # a repeated invocation writes the same object
        told = load(event)
    assert (told["loaded"], told["refused"]) == (2, 1)
    assert list(bigquery.rows) == ["e1", "e3"]
    (kept,) = s3.list_objects_v2(Bucket="dead")["Contents"]
    assert kept["Key"].startswith("logs/dt=2024-05-06/")
    body = s3.get_object(Bucket="dead", Key=kept["Key"])["Body"].read()
    assert json.loads(body) == {
        "reason": "invalid timestamp: Could not parse",
        "id": "e2",
        "time_ms": 10**17,
        "message": "far away",
    }


def test_without_a_place_they_are_in_the_log(
    server: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    load({"awslogs": {"data": base64.b64encode(b"no gzip").decode()}})
    said = capsys.readouterr().out
    assert "not delivered: " in said
    assert base64.b64encode(b"no gzip").decode() in said
    assert server.requests == []


@pytest.mark.parametrize("reason", ["stopped", "timeout", "backendError"])
def test_only_rows_that_were_put_off_are_sent_again(
    server: StandIn, bigquery: BigQuery, reason: str
) -> None:
    bigquery.put_off["e2"] = reason
    load(sent_by_logs(*((f"e{n}", T, str(n)) for n in range(4))))
    sent = [[row["insertId"] for row in json.loads(one.body)["rows"]] for one in server.requests]
    assert sent == [["e0", "e1", "e2", "e3"], ["e2"]]
    assert sorted(bigquery.rows) == ["e0", "e1", "e2", "e3"]


def test_a_busy_bigquery_is_asked_again(server: StandIn, bigquery: BigQuery) -> None:
    limited = {"error": {"message": "Exceeded", "errors": [{"reason": "rateLimitExceeded"}]}}
    server.scripted.extend([(503, "busy"), (403, limited), (429, "")])
    waited = quick(server)
    assert load(sent_by_logs(("e1", T, CLICK)))["loaded"] == 1
    assert len(server.requests) == 4
    assert len(waited) == 3
    assert list(bigquery.rows) == ["e1"]


def test_what_stays_undelivered_fails_the_invocation(server: StandIn, bigquery: BigQuery) -> None:
    server.scripted.extend([(503, "busy")] * 5)
    with pytest.raises(function.NotDeliveredError, match="1 rows: 503 busy"):
        load(sent_by_logs(("e1", T, CLICK)))
    assert load(sent_by_logs(("e1", T, CLICK)))["loaded"] == 1
    assert list(bigquery.rows) == ["e1"]


def test_of_a_kinesis_batch_only_the_failed_records_come_again(
    server: StandIn, bigquery: BigQuery
) -> None:
    rows = [(f"a{n}", T, "x") for n in range(500)]
    event = sent_by_kinesis(
        **{"1": log_payload(rows), "2": "?", "3": log_payload([("b", T, "y"), ("c", T, "z")])}
    )
    refusal = {"error": {"message": "Access Denied", "errors": [{"reason": "accessDenied"}]}}
    bigquery_answers = server.answer

    def refuse_the_last(request: Request) -> Reply:
        return (403, refusal) if b'"insertId":"b"' in request.body else bigquery_answers(request)

    server.answer = refuse_the_last
    told = load(event)
    assert told["batchItemFailures"] == [{"itemIdentifier": "3"}]
    assert (told["loaded"], told["unreadable"], len(bigquery.rows)) == (500, 1, 500)


def test_batches_stay_under_500_rows_and_10_mb(server: StandIn, bigquery: BigQuery) -> None:
    events = [(f"s{n}", T, "x") for n in range(1201)]
    events += [(f"l{n}", T, "\x01" * 200_000) for n in range(12)]  # 7 bytes a letter, as JSON twice
    assert load(sent_by_logs(*events))["loaded"] == len(events)
    assert all(len(one.body) < 10_000_000 for one in server.requests)
    assert all(len(json.loads(one.body)["rows"]) <= 500 for one in server.requests)
    assert len(bigquery.rows) == len(events)


@pytest.mark.usefixtures("server")
def test_a_request_that_is_too_large_is_halved_down_to_the_row(bigquery: BigQuery) -> None:
    bigquery.most_bytes = 1000
    events = [(f"e{n}", T, "x") for n in range(40)]
    told = load(sent_by_logs(*events[:20], ("large", T, "y" * 1000), *events[20:]))
    assert (told["loaded"], told["refused"]) == (40, 1)
    assert set(bigquery.rows) == {id_ for id_, _, _ in events}


def test_no_event_is_lost_and_ids_are_there_once(
    server: StandIn, bigquery: BigQuery, capsys: pytest.CaptureFixture[str]
) -> None:
    """Any bytes in, faults on the way, every invocation repeated until it is done."""
    random = Random(20240506)  # noqa: S311 - the same each time
    wanted, given_up = set[str](), 0
    reasons = ("stopped", "timeout", "invalid")
    for round_ in range(25):
        events = []
        for n in range(random.randrange(1, 30)):
            text = random.randbytes(random.randrange(40)).decode("utf-8", "surrogateescape")
            message = random.choice([text, json.dumps({"action": text}), CLICK, "{" + text])
            events.append((f"{round_}-{n}", random.choice([T, 0, -1, 10**17]), message))
            if random.random() < 0.1:
                bigquery.put_off[f"{round_}-{n}"] = random.choice(reasons)
        server.scripted.extend([(503, "busy")] * random.choice([0, 0, 1, 5, 6]))
        wanted |= {one[0] for one in events}
        event = sent_by_logs(*events)
        for _ in range(3):
            try:
                given_up += load(event)["refused"]
            except function.NotDeliveredError:
                continue
            break
    said = capsys.readouterr().out
    letters = {
        json.loads(line.partition(": ")[2])["id"]
        for line in said.splitlines()
        if line.startswith("not del")
    }
    assert set(bigquery.rows) | letters == wanted
    assert not set(bigquery.rows) & letters
    assert given_up == len(letters)


# --- who may -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def private() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def account_json(private: rsa.RSAPrivateKey, uri: str) -> str:
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    said = {"client_email": "loader@shop-1.iam.gserviceaccount.com", "private_key_id": "k1"}
    return json.dumps(said | {"private_key": pem.decode(), "token_uri": uri})


def test_tokens_are_asked_for_with_a_signature_that_others_verify(
    private: rsa.RSAPrivateKey,
) -> None:
    now = [1_700_000_000.0]
    with served(lambda _: (200, {"access_token": f"t{now[0]:.0f}", "expires_in": 3599})) as google:
        uri = f"{google.url}/token"
        wire = Wire(uri)
        tokens = Tokens(
            read_account(account_json(private, uri)), wire, scope="one more", now=lambda: now[0]
        )
        assert [tokens.get(), tokens.get()] == ["t1700000000"] * 2
        now[0] += 3480  # two minutes before it expires
        assert tokens.get() == "t1700003480"
        wire.close()
        first, _ = google.requests
        assert first.path == "/token"
    form = parse_qs(first.body.decode())
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    signed, _, signature = form["assertion"][0].rpartition(".")
    head, claims = (json.loads(_bytes(part)) for part in signed.split("."))
    assert head == {"alg": "RS256", "typ": "JWT", "kid": "k1"}
    assert claims == {
        "iss": "loader@shop-1.iam.gserviceaccount.com",
        "scope": "one more",
        "aud": uri,
        "iat": 1_700_000_000,
        "exp": 1_700_003_600,
    }
    private.public_key().verify(
        _bytes(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256()
    )


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.mark.usefixtures("moto_here")
def test_the_key_comes_from_secrets_manager_and_a_stale_token_is_renewed(
    private: rsa.RSAPrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    bigquery = BigQuery(token="good")
    given = iter(["stale", "good"])
    with (
        served(bigquery) as stand_in,
        served(lambda _: (200, {"access_token": next(given)})) as google,
    ):
        text = account_json(private, f"{google.url}/token")
        secret = boto3.client("secretsmanager").create_secret(Name="google", SecretString=text)
        monkeypatch.setenv("SECRET_ARN", secret["ARN"])
        monkeypatch.delenv("BIGQUERY_EMULATOR_HOST", raising=False)
        tokens = function.tokens_of_secret()
        monkeypatch.setenv("TABLE", TABLE)
        quick(stand_in, tokens)
        assert load(sent_by_logs(("e1", T, CLICK)))["loaded"] == 1
        tokens.wire.close()
        assert [one.headers["authorization"] for one in stand_in.requests] == [
            "Bearer stale",
            "Bearer good",
        ]
    function.loader.cache_clear()


@pytest.mark.parametrize(("status", "count"), [(400, 1), (503, 5)])
@pytest.mark.usefixtures("moto_here")
def test_a_token_that_is_refused_is_asked_for_once(
    private: rsa.RSAPrivateKey, monkeypatch: pytest.MonkeyPatch, status: int, count: int
) -> None:
    """What Google's answer is about is a matter of its own: it is no trouble of BigQuery's host."""
    with (
        served(BigQuery(token="good")) as stand_in,
        served(lambda _: (status, {"error": "invalid_grant"})) as google,
    ):
        text = account_json(private, f"{google.url}/token")
        secret = boto3.client("secretsmanager").create_secret(Name="key", SecretString=text)
        monkeypatch.setenv("SECRET_ARN", secret["ARN"])
        monkeypatch.delenv("BIGQUERY_EMULATOR_HOST", raising=False)
        monkeypatch.setenv("TABLE", TABLE)
        tokens = function.tokens_of_secret()
        tokens.wire.sleep = list[float]().append
        quick(stand_in, tokens)
        with pytest.raises(function.NotDeliveredError, match=f"no token: {status}"):
            load(sent_by_logs(("e1", T, CLICK)))
        tokens.wire.close()
        assert (len(google.requests), len(stand_in.requests)) == (count, 0)
    function.loader.cache_clear()


@pytest.mark.parametrize(
    "text", ["", "{}", '{"client_email": "a", "token_uri": "u", "private_key": "s3cret"}']
)
def test_a_wrong_key_is_told_without_showing_it(text: str) -> None:
    with pytest.raises(ValueError, match="the JSON of a service account's key") as caught:
        read_account(text)
    assert "s3cret" not in str(caught.value)


def test_a_damaged_key_signs_nothing(private: rsa.RSAPrivateKey) -> None:
    key = read_account(account_json(private, "https://x/token")).key
    with pytest.raises(ValueError, match="damaged"):
        key._replace(dp=key.dp + 2).sign(b"x")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TABLE", "logs.actions", "TABLE is 'logs.actions'; expected project.dataset.table"),
        ("DEAD_LETTERS", "dead/", "DEAD_LETTERS is 'dead/'; expected s3://bucket/prefix/"),
        (
            "BIGQUERY_EMULATOR_HOST",
            "ftp://x",
            "BIGQUERY_EMULATOR_HOST is 'ftp://x'; expected a URL",
        ),
        ("SECRET_ARN", "google", "SECRET_ARN is 'google'; expected the ARN"),
    ],
)
def test_wrong_settings_are_named(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TABLE", TABLE)
    monkeypatch.delenv("BIGQUERY_EMULATOR_HOST", raising=False)
    monkeypatch.setenv(name, value)
    function.loader.cache_clear()
    with pytest.raises(ValueError, match=said):
        function.loader()


# --- the stand-in itself -------------------------------------------------------------------------


GOOGLES = """
import json, sys
from google.auth.credentials import AnonymousCredentials
from google.cloud.bigquery import Client
table, rows, ids = json.load(sys.stdin)
client = Client(project="shop-1", credentials=AnonymousCredentials())
json.dump(client.insert_rows_json(table, rows, row_ids=ids, skip_invalid_rows=True), sys.stdout)
"""


def test_the_stand_in_serves_googles_own_client(bigquery: BigQuery) -> None:
    """What we send and what Google's client sends of the same rows leaves the same."""
    python = find_clients() / "venv/bin/python"
    right = {
        "timestamp": "2024-05-06T07:08:09.123Z",
        "session_id": "s",
        "action": None,
        "params": "{}",
    }
    rows = [right, {**right, "timestamp": "never"}]
    with served(bigquery) as stand_in:
        done = subprocess.run(
            [python, "-c", GOOGLES],
            input=json.dumps([TABLE, rows, ["e1", "e2"]]),
            env={"BIGQUERY_EMULATOR_HOST": stand_in.url, "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        errors = json.loads(done.stdout)
        assert [(one["index"], one["errors"][0]["reason"]) for one in errors] == [(1, "invalid")]
        assert list(bigquery.rows) == ["e1"]
        theirs = json.loads(plain_body(stand_in.requests[0]))
        event = LogEvent("e1", T, '{"session_id": "s", "params": {}}')
        wire = Wire(stand_in.url)
        assert Table(wire, BigQuery.PATH, None).insert([make_row(event, "", Fields())]) == Sent()
        wire.close()
        ours = json.loads(stand_in.requests[1].body)
    assert ours["skipInvalidRows"] is theirs["skipInvalidRows"]
    assert ours["rows"] == theirs["rows"][:1]


def test_expected_times_are_what_they_say() -> None:
    assert datetime.fromtimestamp(T // 1000, UTC).isoformat() == "2024-05-06T07:08:09+00:00"
