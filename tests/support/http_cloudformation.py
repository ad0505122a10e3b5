"""CloudFormation over HTTP on the loopback, its answers scripted by action.

For what moto does not do (drift, rollbacks) in tests that type commands.  The last answer of an
action is given again and again.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterator


class Script:
    """What is answered, and what was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Any]] = defaultdict(list)
        self.asked: list[str] = []

    def say(self, action: str, *answers: Any) -> None:  # noqa: ANN401 - answers as boto3 gives them
        self.answers[action] += answers

    def take(self, action: str) -> Any:  # noqa: ANN401 - likewise
        self.asked.append(action)
        known = self.answers[action]
        return known.pop(0) if len(known) > 1 else known[0]


@contextmanager
def serve(script: Script) -> Iterator[str]:
    """Serve a script; gives the endpoint's URL."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_POST(self) -> None:
            """Answer an action of the query protocol."""
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            action = parse_qs(body)["Action"][0]
            status, said = _said(script, action)
            text = said.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _said(script: Script, action: str) -> tuple[int, str]:
    """Write the answer to an action; one that nobody scripted is refused by name."""
    if not script.answers[action]:
        error = {"Code": "NotScripted", "Message": f"no answer to {action} is scripted"}
        return 400, f"<ErrorResponse><Error>{_xml(error)}</Error></ErrorResponse>"
    result = _xml(script.take(action))
    return 200, f"<{action}Response><{action}Result>{result}</{action}Result></{action}Response>"


def _xml(value: Any) -> str:  # noqa: ANN401 - JSON and times
    match value:
        case dict():
            return "".join(f"<{key}>{_xml(one)}</{key}>" for key, one in value.items())
        case list():
            return "".join(f"<member>{_xml(one)}</member>" for one in value)
        case datetime():
            return value.isoformat()
        case bool():
            return str(value).lower()
        case _:
            return escape(str(value))
