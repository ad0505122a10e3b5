"""S3 on the wire for tests: a server on a folder, and clients that know nothing of it."""

from __future__ import annotations

import http.client
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree import ElementTree as ET

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from runner.local.s3 import FolderS3
from runner.local.wire.s3 import S3Service
from runner.local.wire.server import WireServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

BUCKET = "lake"


class Answer(NamedTuple):
    """What came back to a plain HTTP client."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """Give the code of an error document."""
        return self.text("Code") if self.body else ""

    def text(self, path: str) -> str:
        """Give the text of an element, whatever its namespace is."""
        names = "/".join(f"{{*}}{name}" for name in path.split("/"))
        return ET.fromstring(self.body).findtext(names, "")  # noqa: S314 - our own server said it


class Wire:
    """A running server, and the folder behind it."""

    def __init__(self, server: WireServer, folder: FolderS3) -> None:
        """Take both."""
        self.url = server.url
        self.port = server.server_port
        self.folder = folder
        self.client = s3_client(server.url)

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,  # noqa: ANN401 - what http.client takes
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request as it is."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port)) as connection:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())

    def put(self, key: str, body: bytes = b"x", **options: Any) -> str:  # noqa: ANN401 - boto3's
        """Put an object into the bucket; gives its ETag."""
        return self.client.put_object(Bucket=BUCKET, Key=key, Body=body, **options)["ETag"]

    def get(self, key: str, **options: Any) -> bytes:  # noqa: ANN401 - boto3's
        """Read an object of the bucket."""
        return self.client.get_object(Bucket=BUCKET, Key=key, **options)["Body"].read()


def refusal(act: Callable[..., Any], **options: Any) -> tuple[str, int]:  # noqa: ANN401 - boto3's
    """Call for something in the bucket that is refused; gives code and status."""
    with pytest.raises(ClientError) as caught:
        act(Bucket=BUCKET, **options)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


def s3_client(url: str, signature_version: str = "s3v4") -> S3Client:
    """Give boto3's client as a user makes it."""
    client: S3Client = boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}, signature_version=signature_version),
    )
    return client


@contextmanager
def serving(root: Path, mapping: Mapping[str, Path] | None = None) -> Iterator[Wire]:
    """Serve a folder with one bucket."""
    folder = FolderS3(root, mapping)
    service = S3Service(folder)
    with WireServer("127.0.0.1", 0, route=lambda _: service) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            wire = Wire(server, folder)
            if not folder.buckets.has(BUCKET):
                folder.buckets.make(BUCKET)
            yield wire
            wire.client.close()
        finally:
            server.shutdown()
            thread.join()
