"""`http:invoke` on this machine: real requests to a server of this process."""

from __future__ import annotations

import base64
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from runner.local.http import Http
from runner.model.ports import ServiceError
from runner.model.steps_flow import LocalConnection

if TYPE_CHECKING:
    from collections.abc import Iterator

ARN = "arn:aws:events:local:000000000000:connection/crm/local"


class Server(ThreadingHTTPServer):
    """Remembers what it was asked; the path says what it answers."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append((self.command, self.path, headers, body))
        kind, answer, status = {
            "/json": ("application/problem+json", b'{"n": [1]}', 200),
            "/broken": ("application/json", b"{", 200),
            "/text": ("text/plain", "ä".encode(), 201),
            "/image": ("image/png", b"\x89", 200),
            "/latin": ("text/plain", b"\xe4", 200),
            "/large": ("text/plain", b"x" * 262_145, 200),
            "/busy": ("text/plain", b"slow down", 429),
            "/gone": ("text/plain", b"", 404),
            "/away": ("text/plain", b"", 302),
        }[self.path.partition("?")[0]]
        self.send_response(status)
        if status == 302:
            self.send_header("Location", f"http://localhost:{self.server.server_port}/json")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with Server() as found:
        thread = threading.Thread(target=found.serve_forever, args=(0.01,))
        thread.start()
        yield found
        found.shutdown()
        thread.join()


@pytest.fixture
def server(running: Server) -> Server:
    running.asked.clear()
    return running


def ask(path: str, connection: LocalConnection | None = None, **arguments: Any) -> Any:  # noqa: ANN401
    given = {
        "ApiEndpoint": f"https://api.example.com{path}",
        "Method": "GET",
        "Authentication": {"ConnectionArn": ARN},
        **arguments,
    }
    service = Http({"crm": connection} if connection else {}, {"USER_NAME": "u", "WORD": "p"})
    return service("invoke", given)


def test_an_answer_is_json_where_its_type_says_so(server: Server) -> None:
    here = LocalConnection(url=server.url)
    told = ask("/json", here)
    assert told["ResponseBody"] == {"n": [1]}
    assert (told["StatusCode"], told["StatusText"]) == (200, "OK")
    assert told["Headers"]["content-type"] == ["application/problem+json"]
    assert ask("/broken", here)["ResponseBody"] == "{"
    told = ask("/text", here)
    assert (told["ResponseBody"], told["StatusCode"]) == ("ä", 201)


def test_what_is_sent_is_what_the_arguments_say(server: Server) -> None:
    here = LocalConnection(
        url=server.url,
        user="${env:USER_NAME}",
        password="${env:WORD}",
        headers={"X-A": "1-${env:WORD}"},
    )
    query = {"day": "2013-01-01", "n": [1, True]}
    ask("/json", here, Method="POST", RequestBody={"a": "ä"}, QueryParameters=query)
    ((method, path, headers, body),) = server.asked
    assert (method, path) == ("POST", "/json?day=2013-01-01&n=1&n=true")
    assert body == '{"a": "ä"}'.encode()
    assert headers["content-type"] == "application/json; charset=UTF-8"
    assert headers["authorization"] == f"Basic {base64.b64encode(b'u:p').decode()}"
    assert headers["x-a"] == "1-p"


def test_a_body_may_be_a_form_or_text(server: Server) -> None:
    here, transform = LocalConnection(url=server.url), {"RequestBodyEncoding": "URL_ENCODED"}
    ask("/json", here, Method="POST", RequestBody={"a": "b c", "n": 1}, Transform=transform)
    ask("/json", here, Method="POST", RequestBody="plain", Headers={"Content-Type": "text/x"})
    (_, _, form, first), (_, _, text, second) = server.asked
    assert (first, form["content-type"]) == (b"a=b+c&n=1", "application/x-www-form-urlencoded")
    assert (second, text["content-type"]) == (b"plain", "text/x")


@pytest.mark.parametrize(
    ("path", "error", "cause"),
    [
        ("/busy", "States.Http.StatusCode.429", "slow down"),
        ("/gone", "States.Http.StatusCode.404", "Not Found"),
        ("/image", "States.Runtime", "an answer of type image/png"),
        ("/latin", "States.Runtime", "an answer that is no text"),
        ("/large", "States.DataLimitExceeded", "more than 262,144 bytes"),
    ],
)
def test_what_no_state_takes_is_an_error(path: str, error: str, cause: str, server: Server) -> None:
    with pytest.raises(ServiceError) as caught:
        ask(path, LocalConnection(url=server.url))
    assert caught.value.error == error
    assert cause in caught.value.cause


def test_credentials_do_not_follow_to_another_host(server: Server) -> None:
    key = LocalConnection(url=server.url, headers={"X-Key": "${env:WORD}"})
    assert ask("/away", key)["ResponseBody"] == {"n": [1]}
    first, second = (headers for _, _, headers, _ in server.asked)
    assert first["x-key"] == "p"
    assert "x-key" not in second


@pytest.mark.parametrize(
    ("connection", "error", "cause"),
    [
        (None, "Events.ConnectionResource.ResourceNotFound", "add it to `connections`"),
        (
            LocalConnection(headers={"A": "${env:NOT_SET}"}),
            "Events.ConnectionResource.InvalidConnectionState",
            "the environment variable NOT_SET",
        ),
        (LocalConnection(url="http://example.com"), "States.Runtime", "is no https:// address"),
        (LocalConnection(url="http://127.0.0.1:1"), "States.Http.Socket", "http://127.0.0.1:1"),
    ],
)
def test_what_cannot_be_asked_is_told(
    connection: LocalConnection | None, error: str, cause: str
) -> None:
    with pytest.raises(ServiceError) as caught:
        ask("/json", connection)
    assert caught.value.error == error
    assert cause in caught.value.cause
