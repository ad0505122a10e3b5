"""S3 for a task that loads: read one object, write one, download many.

In: `s3://` URIs.  Out: bytes and files.  Credentials and the endpoint are boto3's own business: in
a container the task's role, and `AWS_ENDPOINT_URL_S3` where that is set.  Everything that goes
wrong is a ServiceError of a few names, with a cause that says what to look at.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import boto3
from botocore import exceptions as boto
from botocore.config import Config

from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

NOT_FOUND = "S3.NotFound"
DENIED = "S3.Denied"
BUSY = "S3.Busy"
UNREACHABLE = "S3.Unreachable"
FAILED = "S3.Failed"
ERRORS = (NOT_FOUND, DENIED, BUSY, UNREACHABLE, FAILED)
"""Every name that this module raises."""

_CODES = {
    "NoSuchKey": NOT_FOUND,
    "NoSuchBucket": NOT_FOUND,
    "NoSuchVersion": NOT_FOUND,
    "404": NOT_FOUND,
    "AccessDenied": DENIED,
    "AllAccessDisabled": DENIED,
    "ExpiredToken": DENIED,
    "InvalidAccessKeyId": DENIED,
    "InvalidToken": DENIED,
    "SignatureDoesNotMatch": DENIED,
    "KMS.DisabledException": DENIED,
    "KMS.NotFoundException": DENIED,
    "401": DENIED,
    "403": DENIED,
    "InternalError": BUSY,
    "RequestTimeout": BUSY,
    "ServiceUnavailable": BUSY,
    "SlowDown": BUSY,
    "Throttling": BUSY,
    "ThrottlingException": BUSY,
    "500": BUSY,
    "503": BUSY,
}
_ADVICE = {
    NOT_FOUND: "it is not there",
    DENIED: "access is denied (or it is not there: without s3:ListBucket S3 does not say which); "
    "the task's role needs s3:GetObject on it, s3:PutObject to write, and kms:Decrypt if the "
    "bucket has a key of its own",
    BUSY: "S3 is busy or throttles; try again",
    UNREACHABLE: "S3 cannot be reached; the task's subnet needs a way there (a gateway endpoint)",
    FAILED: "S3 refuses",
}
_NO_CREDENTIALS = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.MetadataRetrievalError,
)
_BROKEN = (boto.ConnectionError, boto.HTTPClientError, boto.IncompleteReadError)
_WORKERS = 8
_CHUNK = 1024**2
_ATTEMPTS = 4
_PAUSE_S = 0.2


class _Cancelled(Exception):
    """Another download failed, or the task is being stopped."""


@dataclass(frozen=True, slots=True)
class S3Objects:
    """S3 behind one boto3 client."""

    client: S3Client

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def read(self, uri: str) -> bytes:
        """Give a small object."""
        bucket, key = place_of(uri)
        with (
            _translated(uri),
            closing(self.client.get_object(Bucket=bucket, Key=key)["Body"]) as body,
        ):
            return body.read()

    def write(self, uri: str, body: bytes) -> None:
        """Write an object, whether there is one or not."""
        bucket, key = place_of(uri)
        with _translated(uri):
            self.client.put_object(
                Bucket=bucket, Key=key, Body=body, ContentType="application/json"
            )

    def download(self, wanted: Sequence[tuple[str, Path]]) -> None:
        """Write objects into files, a few at once, a mebibyte of each in memory.

        The first failure ends the others.
        """
        cancelled = threading.Event()
        with ThreadPoolExecutor(_WORKERS, thread_name_prefix="download") as pool:
            try:
                tasks = [pool.submit(self._fetch, uri, path, cancelled) for uri, path in wanted]
                done, _ = wait(tasks, return_when=FIRST_EXCEPTION)
                for task in done:
                    task.result()
            finally:
                cancelled.set()
                pool.shutdown(wait=False, cancel_futures=True)

    def _fetch(self, uri: str, path: Path, cancelled: threading.Event) -> None:
        """Download one object; a connection that breaks in the middle is tried again."""
        bucket, key = place_of(uri)
        with _translated(uri):
            for attempt in range(1, _ATTEMPTS + 1):
                try:
                    self._copy(bucket, key, path, cancelled)
                except _BROKEN:
                    if attempt == _ATTEMPTS:
                        raise
                    time.sleep(_PAUSE_S * 2**attempt)
                else:
                    return

    def _copy(self, bucket: str, key: str, path: Path, cancelled: threading.Event) -> None:
        answer = self.client.get_object(Bucket=bucket, Key=key)
        with closing(answer["Body"]) as body, path.open("wb") as file:
            for chunk in body.iter_chunks(_CHUNK):
                if cancelled.is_set():
                    raise _Cancelled
                file.write(chunk)


def open_s3(region: str | None = None) -> S3Objects:
    """Open S3 the way boto3 finds it; `region` where its own variables do not say one.

    How often a request is repeated is said by AWS_MAX_ATTEMPTS.
    """
    settings = Config(
        connect_timeout=5,
        read_timeout=60,
        max_pool_connections=_WORKERS + 1,
    )
    return S3Objects(boto3.Session().client("s3", region_name=region, config=settings))


def place_of(uri: str) -> tuple[str, str]:
    """Split a URI into bucket and key.

    >>> place_of("s3://lake/_runner/loads/r1/marts.t.json")
    ('lake', '_runner/loads/r1/marts.t.json')
    """
    parts = urlsplit(uri)
    key = uri.removeprefix("s3://").partition("/")[2]
    if parts.scheme != "s3" or not parts.netloc or not key:
        raise ServiceError(NOT_FOUND, f"{uri!r} is no object's address; expected s3://bucket/key")
    return parts.netloc, key


@contextmanager
def _translated(uri: str) -> Iterator[None]:
    try:
        yield
    except boto.ClientError as exc:
        said = exc.response.get("Error", {})
        code = str(said.get("Code", ""))
        status = str(exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
        error = _CODES.get(code) or _CODES.get(status, FAILED)
        raise ServiceError(
            error, f"{uri}: {_ADVICE[error]} ({code}: {said.get('Message', '')})"
        ) from exc
    except _NO_CREDENTIALS as exc:
        raise ServiceError(
            DENIED, f"{uri}: no AWS credentials; the task definition needs a task role ({exc})"
        ) from exc
    except _BROKEN as exc:
        raise ServiceError(UNREACHABLE, f"{uri}: {_ADVICE[UNREACHABLE]} ({exc})") from exc
    except boto.BotoCoreError as exc:
        raise ServiceError(FAILED, f"{uri}: {_ADVICE[FAILED]} ({exc})") from exc
