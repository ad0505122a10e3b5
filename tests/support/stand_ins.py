"""Stand-ins for services that functions call: real HTTP servers on the loopback, in threads.

In: how each answers.  Out: a server that keeps every request.  `sent_by_logs` and `sent_by_kinesis`
make what CloudWatch Logs would send.
"""

from __future__ import annotations

import base64
import gzip
import json
import threading
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

Reply = tuple[int, object]
"""Status, and what becomes JSON (or text, as it is)."""


class Request(NamedTuple):
    """What came."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class StandIn:
    """A server; `scripted` replies go out first, then `answer` decides."""

    answer: Callable[[Request], Reply]
    requests: list[Request] = field(default_factory=list)
    scripted: deque[Reply] = field(default_factory=deque)
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reply(self, request: Request) -> Reply:
        with self.lock:
            self.requests.append(request)
            return self.scripted.popleft() if self.scripted else self.answer(request)


@contextmanager
def served(answer: Callable[[Request], Reply]) -> Iterator[StandIn]:
    """Serve on a free port."""
    stand_in = StandIn(answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer in one piece: in two, the second waits for the first's receipt

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, said = stand_in.reply(Request(self.path, headers, body))
            data = said.encode() if isinstance(said, str) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=UTF-8")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    stand_in.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield stand_in
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# --- what CloudWatch Logs sends -------------------------------------------------------------------


def log_payload(
    events: Iterable[tuple[str, int, str]],
    *,
    kind: str = "DATA_MESSAGE",
    group: str = "/shop/web",
    stream: str = "web-1",
) -> str:
    """Write events (id, milliseconds, message) as CloudWatch Logs does."""
    said = {
        "messageType": kind,
        "owner": "123456789012",
        "logGroup": group,
        "logStream": stream,
        "subscriptionFilters": ["all"],
        "logEvents": [
            {"id": id_, "timestamp": time, "message": message} for id_, time, message in events
        ],
    }
    return base64.b64encode(gzip.compress(json.dumps(said).encode())).decode()


def sent_by_logs(*events: tuple[str, int, str], **more: str) -> dict[str, Any]:
    """Give the event of a subscription that calls the function."""
    return {"awslogs": {"data": log_payload(events, **more)}}


def sent_by_kinesis(**payloads: str) -> dict[str, Any]:
    """Give a batch of a stream, data by sequence number."""
    return {
        "Records": [
            {"eventSource": "aws:kinesis", "kinesis": {"sequenceNumber": number, "data": data}}
            for number, data in payloads.items()
        ]
    }


# --- BigQuery -------------------------------------------------------------------------------------


class BigQuery:
    """One table that takes insertAll as BigQuery's reference tells it.

    Rows are kept by insertId, so a repeated one is dropped.  A row is invalid if a field is
    unknown, a text is none, or the timestamp is none.
    """

    PATH = "/bigquery/v2/projects/shop-1/datasets/logs/tables/actions/insertAll"

    def __init__(self, token: str | None = None) -> None:
        self.token = token
        self.rows: dict[str, dict[str, Any]] = {}
        self.put_off: dict[str, str] = {}
        """insertIds that are answered with this reason, once."""
        self.most_bytes = 10_000_000

    def __call__(self, request: Request) -> Reply:
        if self.token and request.headers.get("authorization") != f"Bearer {self.token}":
            return _refusal(401, "authError", "Invalid Credentials")
        if request.path.partition("?")[0] != self.PATH:
            return _refusal(404, "notFound", f"Not found: {request.path}")
        if len(request.body) > self.most_bytes:
            return _refusal(413, "uploadTooLarge", "Request payload size exceeds the limit")
        said = json.loads(plain_body(request))
        assert len(said["rows"]) <= 50_000
        wrong = {at: why for at, row in enumerate(said["rows"]) if (why := self._fault(row))}
        if wrong and not said.get("skipInvalidRows"):
            stopped = range(len(said["rows"]))
            wrong = {at: wrong.get(at, {"reason": "stopped", "message": ""}) for at in stopped}
        for at, row in enumerate(said["rows"]):
            if at not in wrong:
                self.rows.setdefault(row["insertId"], row["json"])
        errors = [{"index": at, "errors": [why]} for at, why in wrong.items()]
        answer: dict[str, object] = {"kind": "bigquery#tableDataInsertAllResponse"}
        return 200, answer | ({"insertErrors": errors} if errors else {})

    def _fault(self, row: dict[str, Any]) -> dict[str, str] | None:
        if reason := self.put_off.pop(row["insertId"], ""):
            return {"reason": reason, "message": "try again"}
        for name, value in row["json"].items():
            if name not in {"timestamp", "session_id", "action", "params"}:
                return {"reason": "invalid", "location": name, "message": f"no such field: {name}."}
            if not (isinstance(value, str) or (value is None and name != "timestamp")):
                return {"reason": "invalid", "location": name, "message": "not a text"}
        try:
            datetime.fromisoformat(row["json"]["timestamp"])
        except (KeyError, ValueError):
            return {"reason": "invalid", "location": "timestamp", "message": "Could not parse"}
        return None


def plain_body(request: Request) -> bytes:
    """Give a request's body unpacked."""
    gzipped = request.headers.get("content-encoding") == "gzip"
    return gzip.decompress(request.body) if gzipped else request.body


def _refusal(status: int, reason: str, message: str) -> Reply:
    error = {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}
    return status, {"error": error}


# --- OpenSearch -----------------------------------------------------------------------------------


class OpenSearch:
    """Indices that take `_bulk` as the reference tells it; `create` refuses what is there."""

    def __init__(self) -> None:
        self.documents: dict[tuple[str, str], dict[str, Any]] = {}
        self.put_off: dict[str, int] = {}
        """Ids that are answered with 429, so many times."""
        self.most_bytes = 10 << 20

    def __call__(self, request: Request) -> Reply:
        assert request.path.partition("?")[0] == "/_bulk"
        assert request.headers["content-type"] == "application/x-ndjson"
        if len(request.body) > self.most_bytes:
            return 413, "Request size exceeded"
        assert request.body.endswith(b"\n")
        lines = [json.loads(line) for line in request.body.splitlines()]
        items = [
            self._create(action["create"], document)
            for action, document in zip(lines[::2], lines[1::2], strict=True)
        ]
        wrong = any(item["create"]["status"] >= 300 for item in items)
        return 200, {"took": 1, "errors": wrong, "items": items}

    def _create(self, action: dict[str, str], document: dict[str, Any]) -> dict[str, Any]:
        key = (action["_index"], action["_id"])
        if self.put_off.get(key[1], 0) > 0:
            self.put_off[key[1]] -= 1
            return _item(key, 429, "rejected_execution_exception", "queue is full")
        if key in self.documents:
            return _item(key, 409, "version_conflict_engine_exception", "document already exists")
        if not isinstance(document["@timestamp"], str):
            return _item(key, 400, "mapper_parsing_exception", "failed to parse [@timestamp]")
        self.documents[key] = document
        return {"create": {"_index": key[0], "_id": key[1], "status": 201}}


def _item(key: tuple[str, str], status: int, kind: str, reason: str) -> dict[str, Any]:
    error = {"type": kind, "reason": reason}
    return {"create": {"_index": key[0], "_id": key[1], "status": status, "error": error}}
