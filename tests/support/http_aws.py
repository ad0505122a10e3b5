"""S3 and Step Functions over HTTP on the loopback, as far as the deployed keeper calls them.

For a process that has nothing but boto3: the bucket is a folder, executions are a dictionary.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from runner.local.s3 import S3Error

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.local.s3 import FolderS3

_JSON = "application/x-amz-json-1.0"


@contextmanager
def serve(s3: FolderS3, executions: Mapping[str, str]) -> Iterator[str]:
    """Serve both services; gives the endpoint's URL. Executions are status by ARN."""

    class Handler(_Handler):
        client = s3
        statuses = executions

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    client: FolderS3
    statuses: Mapping[str, str]
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """List, or read an object."""
        bucket, key, query = self._parts()
        if key:
            self._guarded(lambda: self._object(self.client.get_object(Bucket=bucket, Key=key)))
            return
        page = self.client.list_objects_v2(
            Bucket=bucket,
            Prefix=query.get("prefix", ""),
            ContinuationToken=query.get("continuation-token", ""),
        )
        rows = "".join(
            f"<Contents><Key>{quote(each['Key'])}</Key><Size>{each['Size']}</Size>"
            f"<ETag>{escape(each['ETag'])}</ETag><StorageClass>STANDARD</StorageClass></Contents>"
            for each in page.get("Contents", ())
        )
        more = page.get("NextContinuationToken", "")
        token = f"<NextContinuationToken>{more}</NextContinuationToken>" if more else ""
        truncated = str(page["IsTruncated"]).lower()
        head = f"<EncodingType>url</EncodingType><IsTruncated>{truncated}</IsTruncated>"
        self._xml(f"<ListBucketResult>{head}{token}{rows}</ListBucketResult>")

    def do_HEAD(self) -> None:
        """Say how large an object is."""
        bucket, key, _ = self._parts()
        self._guarded(lambda: self._object(self.client.get_object(Bucket=bucket, Key=key)))

    def do_PUT(self) -> None:
        """Write or copy an object."""
        bucket, key, _ = self._parts()
        body = self._body()
        source = self.headers.get("x-amz-copy-source")

        def put() -> None:
            if source is not None:
                done = self.client.copy_object(Bucket=bucket, Key=key, CopySource=source)
                etag = escape(done["CopyObjectResult"]["ETag"])
                self._xml(f"<CopyObjectResult><ETag>{etag}</ETag></CopyObjectResult>")
                return
            done = self.client.put_object(
                Bucket=bucket,
                Key=key,
                Body=body,
                IfNoneMatch=self.headers.get("If-None-Match", ""),
                IfMatch=self.headers.get("If-Match", ""),
            )
            self._answer(200, b"", ETag=done["ETag"])

        self._guarded(put)

    def do_POST(self) -> None:
        """Delete objects, or describe an execution."""
        body = self._body()
        if "DescribeExecution" in self.headers.get("X-Amz-Target", ""):
            self._describe(json.loads(body)["executionArn"])
            return
        bucket, _, _ = self._parts()
        root = ET.fromstring(body)  # noqa: S314 - our own client's request
        keys = [{"Key": node.text or ""} for node in root.iter() if node.tag.endswith("Key")]
        self.client.delete_objects(Bucket=bucket, Delete={"Objects": keys})
        self._xml("<DeleteResult/>")

    def _describe(self, arn: str) -> None:
        status = self.statuses.get(arn)
        if status is None:
            error = {"__type": "ExecutionDoesNotExist", "message": f"no {arn}"}
            self._answer(400, json.dumps(error).encode(), **{"Content-Type": _JSON})
            return
        found = {"executionArn": arn, "status": status}
        self._answer(200, json.dumps(found).encode(), **{"Content-Type": _JSON})

    def _parts(self) -> tuple[str, str, dict[str, str]]:
        url = urlsplit(self.path)
        bucket, _, key = url.path.removeprefix("/").partition("/")
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        return bucket, unquote(key), query

    def _body(self) -> bytes:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "aws-chunked" not in self.headers.get("Content-Encoding", ""):
            return data
        size, _, rest = data.partition(b"\r\n")
        return rest[: int(size, 16)]

    def _object(self, found: Mapping[str, Any]) -> None:
        self._answer(200, found["Body"].read(), ETag=found["ETag"])

    def _guarded(self, action: Any) -> None:  # noqa: ANN401 - a function without arguments
        try:
            action()
        except S3Error as error:
            code = error.response["Error"]["Code"]
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            self._xml(f"<Error><Code>{code}</Code><Message>no</Message></Error>", status)

    def _xml(self, text: str, status: int = 200) -> None:
        self._answer(status, text.encode(), **{"Content-Type": "application/xml"})

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
