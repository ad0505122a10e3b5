"""S3 for a load: what comes down, and the names of what goes wrong."""

from __future__ import annotations

import threading
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import NoCredentialsError
from botocore.stub import Stubber

from runner.aws.s3 import ERRORS, S3Objects, open_s3, place_of
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

URI = "s3://lake/a.json"


def client(**more: Any) -> Any:  # noqa: ANN401 - boto3's client
    return boto3.client(
        "s3",
        region_name="us-east-1",
        aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key="x",
        **more,
    )


@pytest.mark.parametrize("uri", ["lake/a", "s3://lake", "s3://lake/", "s3:///a", "file:///a/b", ""])
def test_what_is_no_address(uri: str) -> None:
    with pytest.raises(ServiceError, match="expected s3://bucket/key"):
        place_of(uri)


def test_a_key_with_odd_letters() -> None:
    assert place_of("s3://lake/a?b#c=1/d e") == ("lake", "a?b#c=1/d e")


CODES = {
    ("NoSuchKey", 404): "S3.NotFound",
    ("NoSuchBucket", 404): "S3.NotFound",
    ("AccessDenied", 403): "S3.Denied",
    ("ExpiredToken", 400): "S3.Denied",
    ("SlowDown", 503): "S3.Busy",
    ("InternalError", 500): "S3.Busy",
    ("NewWord", 503): "S3.Busy",
    ("InvalidObjectState", 403): "S3.Denied",
    ("NewWord", 400): "S3.Failed",
}


@pytest.mark.parametrize(("said", "name"), CODES.items(), ids=str)
def test_answers_of_s3_have_a_few_names(said: tuple[str, int], name: str) -> None:
    code, status = said
    boto = client()
    with Stubber(boto) as stub:
        stub.add_client_error("get_object", code, "a word of S3", http_status_code=status)
        with pytest.raises(ServiceError) as caught:
            S3Objects(boto).read(URI)
        stub.assert_no_pending_responses()
    assert caught.value.error == name
    assert URI in caught.value.cause
    assert "a word of S3" in caught.value.cause
    assert name in ERRORS


def test_a_task_without_a_role(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with (
        closing(open_s3("us-east-1")) as objects,
        pytest.raises(ServiceError, match="needs a task role") as caught,
    ):
        objects.read(URI)
    assert caught.value.error == "S3.Denied"
    assert isinstance(caught.value.__cause__, NoCredentialsError)


# --- downloads ------------------------------------------------------------------------------------

BODY = bytes(range(256)) * 8192  # two mebibytes


class Fickle(BaseHTTPRequestHandler):
    """Breaks off in the middle of a body as often as `breaks` says; /missing is not there."""

    breaks: list[str]
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        if self.path.endswith("missing"):
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        broken = bool(self.breaks)
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        if broken:
            self.breaks.pop()
            self.wfile.write(BODY[:1000])
            self.close_connection = True
            return
        self.wfile.write(BODY)


@contextmanager
def fickle(breaks: int) -> Iterator[S3Objects]:
    class Handler(Fickle):
        pass

    Handler.breaks = ["break"] * breaks
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        boto = client(endpoint_url=url, config=Config(retries={"total_max_attempts": 1}))
        try:
            yield S3Objects(boto)
        finally:
            boto.close()
            server.shutdown()
            thread.join()


def test_a_download_that_breaks_off_is_tried_again(tmp_path: Path) -> None:
    with fickle(breaks=2) as objects:
        objects.download([("s3://lake/a", tmp_path / "a")])
    assert (tmp_path / "a").read_bytes() == BODY


def test_many_downloads(tmp_path: Path) -> None:
    names = [f"{number:03d}" for number in range(40)]
    with fickle(breaks=1) as objects:
        objects.download([(f"s3://lake/{name}", tmp_path / name) for name in names])
    assert {path.name for path in tmp_path.iterdir()} == set(names)
    assert {path.stat().st_size for path in tmp_path.iterdir()} == {len(BODY)}


def test_a_download_that_keeps_breaking_off(tmp_path: Path) -> None:
    with fickle(breaks=99) as objects, pytest.raises(ServiceError) as caught:
        objects.download([("s3://lake/a", tmp_path / "a")])
    assert caught.value.error == "S3.Unreachable"


def test_one_missing_file_ends_the_others(tmp_path: Path) -> None:
    wanted = [(f"s3://lake/{number}", tmp_path / str(number)) for number in range(200)]
    with fickle(breaks=0) as objects, pytest.raises(ServiceError) as caught:
        objects.download([("s3://lake/missing", tmp_path / "missing"), *wanted])
    assert caught.value.error == "S3.NotFound"
    assert len(list(tmp_path.iterdir())) < len(wanted)


def test_nothing_to_download(tmp_path: Path) -> None:
    with fickle(breaks=0) as objects:
        objects.download([])
    assert list(tmp_path.iterdir()) == []
