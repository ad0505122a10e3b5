"""AWS on the loopback: moto's server over real HTTP, and clients whose answers are scripted."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client

ACCOUNT = "123456789012"
"""moto's."""
REGION = "eu-west-1"
BUCKET = "lake"
_VARIABLES = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}
_FOREIGN = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION")


@dataclass(frozen=True, slots=True)
class Aws:
    """An account of moto's with one bucket and nothing else; the environment leads to it."""

    url: str

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes its classes at run time
        return boto3.client(service, region_name=REGION)

    @property
    def s3(self) -> S3Client:
        client: S3Client = self.client("s3")
        return client

    @property
    def cloudformation(self) -> CloudFormationClient:
        client: CloudFormationClient = self.client("cloudformation")
        return client

    @property
    def glue(self) -> GlueClient:
        client: GlueClient = self.client("glue")
        return client

    def stored(self, bucket: str = BUCKET) -> list[str]:
        return [one["Key"] for one in self.s3.list_objects_v2(Bucket=bucket).get("Contents", ())]


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """moto's server, one for the session."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    with _remembered_hosts():
        server.start()
        try:
            host, port = server.get_host_and_port()
            yield f"http://{host}:{port}"
        finally:
            server.stop()


@contextmanager
def _remembered_hosts() -> Iterator[None]:
    """Let moto find the backend of a host once: at each request, it reads its own folder anew."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication

    find, known = DomainDispatcherApplication.get_backend_for_host, dict[str | None, Any]()

    def remember(self: DomainDispatcherApplication, host: str | None) -> Any:  # noqa: ANN401
        if host not in known:
            known[host] = find(self, host)
        return known[host]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DomainDispatcherApplication, "get_backend_for_host", remember)
        yield


@pytest.fixture
def aws(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """The account, emptied; AWS_ENDPOINT_URL leads there, with credentials that are none."""
    return fresh_account(moto_url, monkeypatch)


def empty_account(moto_url: str) -> None:
    """Take everything out of the account, whoever left it there."""
    server = HTTPConnection(moto_url.removeprefix("http://"))
    server.request("POST", "/moto-api/reset")
    server.getresponse().read()
    server.close()


def fresh_account(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """Empty the account and lead the environment's variables there."""
    empty_account(moto_url)
    credentials_only(monkeypatch)
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_url)
    account = Aws(moto_url)
    account.s3.create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    return account


def credentials_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing of this machine's own AWS settings reach a client."""
    for name in _FOREIGN:
        monkeypatch.delenv(name, raising=False)
    for name, value in _VARIABLES.items():
        monkeypatch.setenv(name, value)


@contextmanager
def stubbed(service: str) -> Iterator[tuple[Any, Stubber]]:
    """Give a client and its script; every answer must have been asked for, in this order."""
    client = boto3.client(
        service,
        region_name=REGION,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        endpoint_url="http://127.0.0.1:9",
    )
    with Stubber(client) as script:
        yield client, script
        script.assert_no_pending_responses()
