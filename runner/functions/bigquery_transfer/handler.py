"""Starts a run of the BigQuery Data Transfer Service, and tells how it goes.

In: {op: start, transfer, run_time} or {op: look, run, started, timeout_s}, from the states of a
`bigquery_transfer` step.  Out: {name, state, ended, started}.  A run that failed, was cancelled or
takes too long is an exception, and so is what Google refuses.

Environment, read at the first call:

    GOOGLE_CREDENTIALS   ARN of the secret that holds the JSON key of a service account, which may
                         use the BigQuery Data Transfer Service (bigquery.transfers.update)
    DATA_TRANSFER_HOST   another address than Google's, such as that of a stand-in:
                         http://127.0.0.1:8085, asked without credentials if there are none
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from functools import cache
from typing import Any

_HOST = "https://bigquerydatatransfer.googleapis.com"
_TOKENS = "https://oauth2.googleapis.com/token"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_TIMEOUT_S = 30
_LIFE_S = 3600
_EARLY_S = 300
"""A token is asked for anew so long before it ends."""
_PASSING = frozenset({429, 500, 502, 503, 504})
_SECRET = re.compile(r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:\S+\Z")
_CIVIL = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2})(?:T(\d{2}))?)?\Z")
_UNDERWAY = ("PENDING", "RUNNING")
_SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")
"""What stands before a SHA-256 digest in a signature (RFC 8017, 9.2)."""


class Unavailable(Exception):
    """Google has trouble, or cannot be reached; the same call again may pass."""


class Refused(Exception):
    """Google refuses the call."""


class TransferFailed(Exception):
    """The run failed or was cancelled."""


class TransferTimedOut(Exception):
    """The run takes longer than the step allows; it goes on at Google."""


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Start a run, or look at one."""
    if event.get("op") == "start":
        return _start(event["transfer"], run_time_of(event["run_time"]))
    if event.get("op") == "look":
        return _look(event)
    raise ValueError(f"op is {event.get('op')!r}; expected start or look")


def run_time_of(text: str) -> str:
    """Write an end of a window as the run time of a transfer, which is UTC.

    >>> run_time_of("2013-01-05"), run_time_of("2013-01-05T07"), run_time_of("2013-01")
    ('2013-01-05T00:00:00Z', '2013-01-05T07:00:00Z', '2013-01-01T00:00:00Z')
    """
    match = _CIVIL.match(text)
    if match is None:
        raise ValueError(f"run_time is {text!r}; expected a month, day or hour such as 2013-01-05")
    year, month, day, hour = match.groups()
    return f"{year}-{month}-{day or '01'}T{hour or '00'}:00:00Z"


def _start(transfer: str, run_time: str) -> dict[str, Any]:
    """Give the run of that time that is under way, which an earlier call started, or a new one."""
    states = urllib.parse.urlencode([("states", state) for state in _UNDERWAY])
    there = _call("GET", f"{transfer}/runs?{states}").get("transferRuns", [])
    for run in there:
        if _same_instant(run.get("runTime", ""), run_time) and run.get("state") in _UNDERWAY:
            return _told(run, time.time())
    answer = _call("POST", f"{transfer}:startManualRuns", {"requestedRunTime": run_time})
    runs = answer.get("runs") or []
    if not runs:
        raise Refused(f"{transfer} started no run for {run_time}")
    return _told(runs[0], time.time())


def _look(event: dict[str, Any]) -> dict[str, Any]:
    run = _call("GET", event["run"])
    state = run.get("state", "")
    if state in ("FAILED", "CANCELLED"):
        message = (run.get("errorStatus") or {}).get("message") or "no reason is given"
        raise TransferFailed(f"{event['run']} is {state}: {message}")
    told = _told(run, event["started"])
    if not told["ended"] and time.time() - event["started"] > event["timeout_s"]:
        raise TransferTimedOut(f"{event['run']} is {state} after {event['timeout_s']} s")
    return told


def _told(run: dict[str, Any], started: float) -> dict[str, Any]:
    state = run.get("state", "")
    name = run["name"]
    return {"name": name, "state": state, "ended": state == "SUCCEEDED", "started": started}


def _same_instant(one: str, other: str) -> bool:
    """Compare instants of whole seconds, which may be written with a fraction."""
    return re.sub(r"\.0+Z\Z", "Z", one) == other


# --- calls ----------------------------------------------------------------------------------------


def _call(method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    settings = _settings()
    headers = {"Accept": "application/json"}
    if settings.credentials:
        headers["Authorization"] = f"Bearer {_Token.get(settings.credentials)}"
    data = None
    if body is not None:
        data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
    return _ask(method, f"{settings.host}/v1/{path}", data, headers)


def _ask(method: str, url: str, data: bytes | None, headers: dict[str, str]) -> dict[str, Any]:
    request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 - _web saw it
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - likewise
            found: dict[str, Any] = json.loads(answer.read() or b"{}")
            return found
    except urllib.error.HTTPError as error:
        with error:
            words = f"{method} {url}: {error.code} {_message(error.read())}"
        raise (Unavailable if error.code in _PASSING else Refused)(words) from None
    except OSError as error:
        raise Unavailable(f"{method} {url}: {error}") from error


def _message(body: bytes) -> str:
    """Give what Google says of an error, or the beginning of what it answered."""
    try:
        error = json.loads(body)["error"]
        return str(error["message"] if isinstance(error, dict) else error)
    except (ValueError, KeyError, TypeError):
        return body[:200].decode(errors="replace")


@dataclass(frozen=True)
class _Settings:
    host: str
    credentials: str
    """ARN of a secret; empty for none."""


@cache
def _settings() -> _Settings:
    host = os.environ.get("DATA_TRANSFER_HOST", _HOST).rstrip("/")
    credentials = os.environ.get("GOOGLE_CREDENTIALS", "")
    if not re.match(r"https?://[^/\s]+\Z", host):
        raise ValueError(f"DATA_TRANSFER_HOST is {host!r}; expected http:// or https:// and a host")
    if credentials and not _SECRET.match(credentials):
        raise ValueError(
            f"GOOGLE_CREDENTIALS is {credentials[:20]!r}...; expected the ARN of a secret in "
            "Secrets Manager, under `secrets:` of function.yaml"
        )
    if not credentials and host.startswith("https://"):
        raise ValueError(
            "GOOGLE_CREDENTIALS is not set; expected the ARN of a secret with a service account's "
            "key: let a function of lambdas/ use builtin:bigquery_transfer, and name it there "
            "in `secrets:`"
        )
    return _Settings(host, credentials)


# --- the token ------------------------------------------------------------------------------------


class _Token:
    """The access token of this process."""

    text = ""
    until = 0.0

    @classmethod
    def get(cls, secret: str) -> str:
        if time.time() >= cls.until - _EARLY_S:
            answer = ask_token(_key_of(secret), time.time())
            cls.text, cls.until = answer["access_token"], time.time() + answer["expires_in"]
        return cls.text


def _key_of(secret: str) -> dict[str, Any]:
    """Read the service account's key; only this function's memory ever holds it."""
    import boto3  # noqa: PLC0415 - a stand-in needs none

    region = secret.split(":")[3]
    client = boto3.client("secretsmanager", region_name=region)
    text = client.get_secret_value(SecretId=secret)["SecretString"]
    try:
        key: dict[str, Any] = json.loads(text)
        key["client_email"], key["private_key"]
    except (ValueError, KeyError, TypeError):
        raise ValueError(
            f"the secret {secret} is not the JSON key of a service account: it needs client_email "
            "and private_key"
        ) from None
    return key


def ask_token(key: dict[str, Any], now: float) -> dict[str, Any]:
    """Exchange a signed claim for an access token (RFC 7523)."""
    where = key.get("token_uri") or _TOKENS
    grant = {
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "assertion": assertion(key, where, now),
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return _ask("POST", where, urllib.parse.urlencode(grant).encode(), headers)


def assertion(key: dict[str, Any], audience: str, now: float) -> str:
    """Write the claim of a service account, signed by RS256."""
    issued = int(now)
    claims = {
        "iss": key["client_email"],
        "scope": _SCOPE,
        "aud": audience,
        "iat": issued,
        "exp": issued + _LIFE_S,
    }
    head = {"alg": "RS256", "typ": "JWT"}
    if key.get("private_key_id"):
        head["kid"] = key["private_key_id"]
    text = ".".join(_base64(json.dumps(part).encode()) for part in (head, claims))
    return f"{text}.{_base64(sign(key['private_key'], text.encode()))}"


def sign(pem: str, message: bytes) -> bytes:
    """Sign by RSASSA-PKCS1-v1_5 with SHA-256; the key is PKCS #8 in PEM, as Google gives it."""
    modulus, exponent = _numbers(pem)
    size = (modulus.bit_length() + 7) // 8
    digest = _SHA256 + hashlib.sha256(message).digest()
    padded = b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
    return pow(int.from_bytes(padded, "big"), exponent, modulus).to_bytes(size, "big")


def _numbers(pem: str) -> tuple[int, int]:
    """Read modulus and private exponent of a key."""
    match = re.search(r"-----BEGIN PRIVATE KEY-----(.+?)-----END", pem, re.DOTALL)
    if match is None:
        raise ValueError("private_key is no `BEGIN PRIVATE KEY`, as Google's keys are")
    outer = _elements(_elements(base64.b64decode("".join(match[1].split())))[0])
    inner = _elements(_elements(outer[2])[0])  # version, algorithm, the key
    return int.from_bytes(inner[1], "big"), int.from_bytes(inner[3], "big")


def _elements(der: bytes) -> list[bytes]:
    """Give the contents of the elements that stand one after the other (X.690)."""
    found, at = [], 0
    while at < len(der):
        length, at = der[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(der[at : at + size], "big"), at + size
        found.append(der[at : at + length])
        at += length
    return found


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
