"""The local Athena over HTTP on the loopback, as a client of AWS calls it.

PyAthena and boto3 cannot tell it from Athena: a query that they send is really run.  A query whose
text holds `endless` stays RUNNING until it is stopped.
"""

from __future__ import annotations

import datetime as dt
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from runner.local.athena.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.local.athena import LocalAthena

_JSON = "application/x-amz-json-1.1"
_ENDLESS = "endless"


@dataclass
class Asked:
    """What clients asked for, in order."""

    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def of(self, action: str) -> list[dict[str, Any]]:
        """Give the requests of an action."""
        return [given for name, given in self.requests if name == action]


@contextmanager
def serve_athena(athena: LocalAthena) -> Iterator[tuple[str, Asked]]:
    """Serve it; gives the endpoint's URL and what was asked."""
    heard = Asked()

    class Handler(_Handler):
        local = athena
        asked = heard

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", heard
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    local: LocalAthena
    asked: Asked
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        """Answer one call."""
        action = self.headers["X-Amz-Target"].rpartition(".")[2]
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.requests.append((action, given))
        try:
            found = self._answers(action, given)
        except InvalidRequest as error:
            said = {"__type": error.code, "Message": error.message}
            self._answer(400, said)
            return
        self._answer(200, found)

    def _answers(self, action: str, given: dict[str, Any]) -> dict[str, Any]:
        if action == "StartQueryExecution":
            return self.local.start_query_execution(**given)
        if action == "GetQueryExecution":
            found = self.local.get_query_execution(**given)
            return self._endless(found) or found
        if action == "GetQueryResults":
            return self.local.get_query_results(**given)
        assert action == "StopQueryExecution"
        return self.local.stop_query_execution(**given)

    def _endless(self, found: dict[str, Any]) -> dict[str, Any] | None:
        """Keep a query at work until somebody stops it."""
        execution = found["QueryExecution"]
        if _ENDLESS not in execution["Query"]:
            return None
        stopped = {one["QueryExecutionId"] for one in self.asked.of("StopQueryExecution")}
        state = "CANCELLED" if execution["QueryExecutionId"] in stopped else "RUNNING"
        return {"QueryExecution": {**execution, "Status": {"State": state}}}

    def _answer(self, status: int, value: dict[str, Any]) -> None:
        body = json.dumps(value, default=_instant).encode()
        self.send_response(status)
        self.send_header("Content-Type", _JSON)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _instant(value: object) -> float:
    assert isinstance(value, dt.datetime), value
    return value.timestamp()
