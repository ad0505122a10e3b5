"""moto's server on the loopback, executing state machines with the interpreter that it has.

In: services for the tasks.  Out: an endpoint that boto3 and the command line talk to over HTTP.
"""

from __future__ import annotations

import json
import logging
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3
from moto.server import ThreadedMotoServer

from tests.support.moto_machine import plugged_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest
    from mypy_boto3_stepfunctions import SFNClient

    from runner.model.ports import Json

REGION = "us-east-1"
ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/machine"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_SESSION_TOKEN": "test",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
}


@contextmanager
def moto_states(
    patch: pytest.MonkeyPatch, do: Callable[[str, str, Json], Json] | None = None
) -> Iterator[SFNClient]:
    """Serve AWS to this process until the block ends; `do` takes state, resource and arguments."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    try:
        patch.setenv("AWS_ENDPOINT_URL", endpoint)
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        with executing(endpoint, do or _nothing):
            client: SFNClient = boto3.client("stepfunctions", region_name=REGION)
            yield client
            client.close()
    finally:
        server.stop()


@contextmanager
def executing(endpoint: str, do: Callable[[str, str, Json], Json]) -> Iterator[None]:
    """Let a server of moto's in this process execute its machines, until the block ends."""
    _post(f"{endpoint}/moto-api/config", {"stepfunctions": {"execute_state_machine": True}})
    try:
        with plugged_in(do):
            yield
    finally:
        _post(f"{endpoint}/moto-api/reset", {})
        _post(f"{endpoint}/moto-api/config", {"stepfunctions": {"execute_state_machine": False}})


def deploy(client: SFNClient, name: str, definition: str) -> None:
    """Make a state machine."""
    client.create_state_machine(name=name, definition=definition, roleArn=ROLE)


def _nothing(state: str, resource: str, arguments: Json) -> Json:
    raise AssertionError(f"{state} calls {resource} with {arguments}")


def _post(url: str, body: Json) -> None:
    data = json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data, headers)  # noqa: S310 - the loopback
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - likewise
        answer.read()
