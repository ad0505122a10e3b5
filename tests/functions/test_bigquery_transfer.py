"""The bundled function that runs a transfer of BigQuery, against an HTTP stand-in of Google."""

from __future__ import annotations

import base64
import importlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from runner.functions.bigquery_transfer import handler

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

TRANSFER = "projects/p/locations/eu/transferConfigs/42"


class Google:
    """Runs of transfers, and tokens, as Google's REST APIs have them."""

    def __init__(self) -> None:
        self.runs: dict[str, dict[str, Any]] = {}
        self.asked: list[tuple[str, str, str]] = []
        self.failing: list[int] = []
        self.grants: list[dict[str, list[str]]] = []
        self.url = ""

    def answer(self, method: str, target: str, body: bytes, token: str) -> tuple[int, Any]:
        url = urlsplit(target)
        path = url.path.removeprefix("/v1/")
        self.asked.append((method, path, token))
        if self.failing:
            return self.failing.pop(0), {"error": {"message": "not now"}}
        if path == "/token":
            self.grants.append(parse_qs(body.decode()))
            return 200, {"access_token": "t0ken", "expires_in": 3600}
        if path == f"{TRANSFER}/runs":
            wanted = parse_qs(url.query)["states"]
            return 200, {"transferRuns": [r for r in self.runs.values() if r["state"] in wanted]}
        if path == f"{TRANSFER}:startManualRuns":
            name = f"{TRANSFER}/runs/{len(self.runs) + 1}"
            time = json.loads(body)["requestedRunTime"]
            self.runs[name] = {"name": name, "state": "PENDING", "runTime": time}
            return 200, {"runs": [self.runs[name]]}
        if path in self.runs:
            return 200, self.runs[path]
        return 404, {"error": {"code": 404, "message": "Requested entity was not found."}}


@pytest.fixture
def google() -> Iterator[Google]:
    google = Google()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.serve()

        def do_POST(self) -> None:
            self.serve()

        def serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            token = self.headers.get("Authorization", "")
            status, told = google.answer(self.command, self.path, body, token)
            text = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    google.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield google
    server.shutdown()
    server.server_close()


@pytest.fixture
def function(google: Google, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("DATA_TRANSFER_HOST", google.url)
    monkeypatch.delenv("GOOGLE_CREDENTIALS", raising=False)
    return load()


def load() -> ModuleType:
    """Load the handler anew, with nothing remembered."""
    return importlib.reload(handler)


def start(function: ModuleType, run_time: str = "2013-01-05") -> dict[str, Any]:
    event = {"op": "start", "transfer": TRANSFER, "run_time": run_time}
    told: dict[str, Any] = function.handler(event, None)
    return told


def look(function: ModuleType, told: dict[str, Any], *, timeout_s: int = 60) -> dict[str, Any]:
    event = {"op": "look", "run": told["name"], "started": told["started"], "timeout_s": timeout_s}
    seen: dict[str, Any] = function.handler(event, None)
    return seen


def test_a_run_is_started_and_seen_to_its_end(function: ModuleType, google: Google) -> None:
    told = start(function)
    assert told["name"] == f"{TRANSFER}/runs/1"
    assert google.runs[told["name"]]["runTime"] == "2013-01-05T00:00:00Z"
    assert (told["state"], told["ended"]) == ("PENDING", False)
    google.runs[told["name"]]["state"] = "RUNNING"
    seen = look(function, told)
    assert (seen["state"], seen["ended"], seen["started"]) == ("RUNNING", False, told["started"])
    google.runs[told["name"]]["state"] = "SUCCEEDED"
    assert look(function, seen)["ended"] is True


def test_a_start_that_is_repeated_finds_the_run_of_the_first(
    function: ModuleType, google: Google
) -> None:
    first = start(function)
    google.runs[first["name"]]["runTime"] = "2013-01-05T00:00:00.000000Z"
    assert start(function)["name"] == first["name"]
    assert start(function, "2013-01-06")["name"] != first["name"]
    google.runs[first["name"]]["state"] = "SUCCEEDED"
    assert start(function)["name"] not in (first["name"], f"{TRANSFER}/runs/2")


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED"])
def test_a_run_that_failed_is_an_error_with_googles_words(
    function: ModuleType, google: Google, state: str
) -> None:
    told = start(function)
    google.runs[told["name"]] |= {"state": state, "errorStatus": {"message": "no such bucket"}}
    with pytest.raises(function.TransferFailed, match=f"{state}: no such bucket"):
        look(function, told)


def test_a_run_that_takes_too_long_is_an_error(function: ModuleType, google: Google) -> None:
    told = start(function)
    told["started"] -= 61
    with pytest.raises(function.TransferTimedOut, match="PENDING after 60 s"):
        look(function, told)
    google.runs[told["name"]]["state"] = "SUCCEEDED"
    assert look(function, told)["ended"] is True


@pytest.mark.parametrize("status", [429, 500, 503])
def test_trouble_that_passes_has_a_name_of_its_own(
    function: ModuleType, google: Google, status: int
) -> None:
    google.failing = [status]
    with pytest.raises(function.Unavailable, match=f"{status} not now"):
        start(function)


def test_a_refusal_says_what_google_says(function: ModuleType, google: Google) -> None:
    with pytest.raises(function.Refused, match="entity was not found"):
        look(function, {"name": f"{TRANSFER}/runs/9", "started": 0})
    google.failing = [403]
    with pytest.raises(function.Refused, match="403 not now"):
        start(function)


def test_a_host_that_is_not_there_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_TRANSFER_HOST", "http://127.0.0.1:1")
    function = load()
    with pytest.raises(function.Unavailable, match=r"127\.0\.0\.1:1"):
        start(function)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, "GOOGLE_CREDENTIALS is not set"),
        ({"GOOGLE_CREDENTIALS": '{"private_key": 1}'}, "expected the ARN of a secret"),
        ({"DATA_TRANSFER_HOST": "ftp://x"}, "DATA_TRANSFER_HOST is 'ftp://x'"),
    ],
)
def test_settings_that_are_wrong_are_named(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], words: str
) -> None:
    for name in ("GOOGLE_CREDENTIALS", "DATA_TRANSFER_HOST"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=words):
        start(load())


def test_events_that_are_wrong_are_named(function: ModuleType) -> None:
    with pytest.raises(ValueError, match="expected start or look"):
        function.handler({}, None)
    with pytest.raises(ValueError, match="expected a month, day or hour"):
        start(function, "yesterday")


def test_the_key_comes_from_the_secret_and_signs_as_google_checks(
    google: Google, monkeypatch: pytest.MonkeyPatch
) -> None:
    import boto3
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from moto import mock_aws

    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    key = {
        "client_email": "runner@p.iam.gserviceaccount.com",
        "private_key": pem,
        "private_key_id": "k1",
        "token_uri": f"{google.url}/token",
    }
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("DATA_TRANSFER_HOST", google.url)
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="eu-west-1")
        made = client.create_secret(Name="google", SecretString=json.dumps(key))
        monkeypatch.setenv("GOOGLE_CREDENTIALS", made["ARN"])
        function = load()
        told = start(function)
        look(function, told)
    assert [token for _, path, token in google.asked if path != "/token"] == ["Bearer t0ken"] * 3
    (grant,) = google.grants  # one token for all calls
    assert grant["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    text, _, signature = grant["assertion"][0].rpartition(".")
    private.public_key().verify(
        base64.urlsafe_b64decode(signature + "=="),
        text.encode(),
        padding.PKCS1v15(),
        hashes.SHA256(),
    )
    head, claims = (json.loads(base64.urlsafe_b64decode(one + "==")) for one in text.split("."))
    assert head == {"alg": "RS256", "typ": "JWT", "kid": "k1"}
    assert (claims["iss"], claims["aud"]) == (key["client_email"], key["token_uri"])
    assert claims["exp"] - claims["iat"] == 3600


@pytest.mark.parametrize("body", [b'{"name": ', b"<html>"])
def test_an_answer_that_is_cut_off_or_no_json_may_pass(
    monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    """A proxy's page, or a connection that ended early: the run has not failed."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv("DATA_TRANSFER_HOST", f"http://127.0.0.1:{server.server_port}")
    try:
        function = load()
        with pytest.raises(function.Unavailable, match="IncompleteRead"):
            look(function, {"name": f"{TRANSFER}/runs/1", "started": 0})
    finally:
        server.shutdown()
        server.server_close()


def test_a_secret_that_is_no_key_is_told_without_its_value(
    google: Google, monkeypatch: pytest.MonkeyPatch
) -> None:
    import boto3
    from moto import mock_aws

    monkeypatch.setenv("DATA_TRANSFER_HOST", google.url)
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="eu-west-1")
        made = client.create_secret(Name="google", SecretString="hunter2")
        monkeypatch.setenv("GOOGLE_CREDENTIALS", made["ARN"])
        with pytest.raises(
            ValueError, match="is no key: the JSON of a service account's key"
        ) as caught:
            start(load())
    assert "hunter2" not in str(caught.value)
