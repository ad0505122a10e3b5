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

import http.client
import json
import os
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from .service_account import Tokens, read_account
    from .wire import UnreachableError, Wire
else:  # in Lambda the folder itself is on the path
    from service_account import Tokens, read_account
    from wire import UnreachableError, Wire

_HOST = "https://bigquerydatatransfer.googleapis.com"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_TIMEOUT_S = 30
_PASSING = frozenset({429, 500, 502, 503, 504})
_SECRET = re.compile(r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:\S+\Z")
_CIVIL = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2})(?:T(\d{2}))?)?\Z")
_UNDERWAY = ("PENDING", "RUNNING")


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
        headers["Authorization"] = f"Bearer {_token(settings.credentials)}"
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
    except (OSError, http.client.HTTPException, ValueError) as error:  # cut off, or no JSON
        raise Unavailable(f"{method} {url}: {type(error).__name__}: {error}") from error


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


@cache
def _tokens(secret: str) -> Tokens:
    """Read the service account's key; only this function's memory ever holds it."""
    import boto3  # noqa: PLC0415 - a stand-in needs none

    client = boto3.client("secretsmanager", region_name=secret.split(":")[3])
    text = client.get_secret_value(SecretId=secret)["SecretString"]
    try:
        account = read_account(text)
        return Tokens(account, Wire(account.token_uri), scope=_SCOPE)
    except ValueError as error:
        raise ValueError(f"the secret {secret} is no key: {error}") from None


def _token(secret: str) -> str:
    try:
        return _tokens(secret).get()
    except UnreachableError as error:
        raise Unavailable(str(error)) from None
    except PermissionError as error:
        _tokens.cache_clear()  # the key may have changed
        raise Refused(str(error)) from None
