"""The HTTP server: one port, the service chosen by the request, a thread for each connection.

In: connections on an address.  Out: responses; connections stay open for more requests.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import traceback
import uuid
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import TYPE_CHECKING, BinaryIO, cast
from urllib.parse import parse_qsl

from runner.local.wire.incoming import Incoming
from runner.local.wire.messages import FilePart, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.local.wire.messages import Service

    Route = Callable[[Request], Service]
_IN_MEMORY = 4 << 20
"""Bytes of a body that are kept in memory; a larger one is a temporary file."""
_PIECE = 1 << 20
_IDLE_S = 600
"""A connection on which nothing comes or goes for so long is closed, and its thread ends."""
_BODILESS = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}


class WireServer(ThreadingHTTPServer):
    """Serves until it is shut down; port 0 takes a free one."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, *, route: Route) -> None:
        """Bind the address; `route` gives the service that answers a request."""
        self.route = route
        super().__init__((host, port), _Handler)

    @property
    def url(self) -> str:
        """The endpoint, e.g. http://127.0.0.1:4566."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def server_bind(self) -> None:
        """Bind without asking a name server who we are."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "athena-runner"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = _IDLE_S

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (ConnectionError, TimeoutError):  # the client went away
            self.close_connection = True

    def handle_expect_100(self) -> bool:
        """Say at once that the body may come: the client waits for it."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def _serve(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        incoming = Incoming(cast("BinaryIO", self.rfile), headers)
        request = self._request(headers, incoming)
        try:
            response = self._answer(request, incoming)
        except ConnectionError:  # the client went away, or says nonsense about its body
            raise
        except Exception:  # noqa: BLE001 - a defect of ours must not end the server
            traceback.print_exc(file=sys.stderr)
            response = Response(500, {}, b"")
        incoming.drain()
        self._send(response)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - http.server's names
    do_OPTIONS = do_PATCH = _serve  # noqa: N815

    def _answer(self, request: Request, incoming: Incoming) -> Response:
        service = cast("WireServer", self.server).route(request)
        if getattr(service, "streams", False):
            return service.answer(request)
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as spool:
            shutil.copyfileobj(incoming, spool, _PIECE)
            length = spool.tell()
            spool.seek(0)
            return service.answer(request._replace(body=cast("BinaryIO", spool), length=length))

    def _request(self, headers: dict[str, str], incoming: Incoming) -> Request:
        # self.path has lost a slash of `//key`, which is a key of its own.
        path, _, query = self.requestline.split()[1].partition("?")
        return Request(
            method=self.command,
            path=path,
            query=tuple(parse_qsl(query, keep_blank_values=True)),
            headers=headers,
            body=cast("BinaryIO", incoming),
            length=incoming.length,
        )

    def _send(self, response: Response) -> None:
        part = response.body
        headers = dict(response.headers)
        if not {"x-amzn-RequestId", "x-amz-request-id"} & headers.keys():
            headers["x-amzn-RequestId"] = str(uuid.uuid4())
        if response.status not in _BODILESS:
            length = part.length if isinstance(part, FilePart) else len(part)
            headers.setdefault("Content-Length", str(length))
        self.send_response(response.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if isinstance(part, FilePart):
            with part.file as file:
                if self.command != "HEAD":
                    self._send_file(file, part)
        elif self.command != "HEAD":
            self.wfile.write(part)

    def _send_file(self, file: BinaryIO, part: FilePart) -> None:
        if not part.length:
            return
        self.wfile.flush()
        if self.connection.sendfile(file, part.start, part.length) != part.length:
            raise ConnectionError("the file became shorter")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's
        """Say nothing of every request."""
