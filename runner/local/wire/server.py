"""The HTTP server: one port, the service chosen by the request, a thread for each connection.

In: connections on an address.  Out: responses; connections stay open for more requests.
"""

from __future__ import annotations

import sys
import tempfile
import traceback
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import TYPE_CHECKING, BinaryIO, cast
from urllib.parse import parse_qsl

from runner.local.wire.messages import FilePart, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.local.wire.messages import Service

    Route = Callable[[Request], Service]
_IN_MEMORY = 4 << 20
"""Bytes of a body that are kept in memory; a larger one is a temporary file."""
_PIECE = 1 << 20


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

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (ConnectionError, TimeoutError):  # the client went away
            self.close_connection = True

    def _serve(self) -> None:
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as spool:
            body = cast("BinaryIO", spool)
            length = self._receive(body)
            body.seek(0)
            request = self._request(body, length)
            try:
                response = cast("WireServer", self.server).route(request).answer(request)
            except Exception:  # noqa: BLE001 - a defect of ours must not end the server
                traceback.print_exc(file=sys.stderr)
                response = Response(500, {}, b"")
        self._send(response)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - http.server's names

    def _request(self, body: BinaryIO, length: int) -> Request:
        path, _, query = self.path.partition("?")
        return Request(
            method=self.command,
            path=path,
            query=tuple(parse_qsl(query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
            length=length,
        )

    def _receive(self, body: BinaryIO) -> int:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            length = 0
            while size := int(self.rfile.readline().split(b";")[0], 16):
                length += self._copy(body, size)
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return length
        return self._copy(body, int(self.headers.get("Content-Length") or 0))

    def _copy(self, body: BinaryIO, size: int) -> int:
        left = size
        while left:
            piece = self.rfile.read(min(left, _PIECE))
            if not piece:
                raise ConnectionError("the body ended early")
            body.write(piece)
            left -= len(piece)
        return size

    def _send(self, response: Response) -> None:
        part = response.body
        length = part.length if isinstance(part, FilePart) else len(part)
        headers = {
            "x-amzn-RequestId": str(uuid.uuid4()),
            "Content-Length": str(length),
            **response.headers,
        }
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
        file.seek(part.start)
        left = part.length
        while left:
            piece = file.read(min(left, _PIECE))
            if not piece:
                raise ConnectionError("the file became shorter")
            self.wfile.write(piece)
            left -= len(piece)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's
        """Say nothing of every request."""
