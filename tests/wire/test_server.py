"""The HTTP server and the JSON protocol, through Python's own client."""

from __future__ import annotations

import http.client
import io
import json
import threading
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from runner.local.wire.json11 import Json11, Refusal
from runner.local.wire.messages import FilePart, Request, Response
from runner.local.wire.server import WireServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


class Echo:
    """Says what came: method, path, query, length and first bytes."""

    def answer(self, request: Request) -> Response:
        if request.path == "/broken":
            raise RuntimeError("a defect")
        if request.path == "/part":
            return Response(206, {}, FilePart(io.BytesIO(b"0123456789"), 2, 5))
        start = request.body.read(3).decode()
        said = [request.method, request.path, request.query, request.length, start]
        return Response(200, {"X-Said": "yes"}, json.dumps(said).encode())


def refuse(_: Mapping[str, Any]) -> Mapping[str, Any]:
    raise Refusal("InvalidRequestException", "no such query", details={"AthenaErrorCode": "X"})


OPERATIONS: dict[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {
    "Double": lambda members: {"Twice": members["Once"] * 2},
    "When": lambda _: {"At": datetime(2026, 1, 2, tzinfo=UTC)},
    "Refuse": refuse,
}
JSON = Json11("AmazonAthena", OPERATIONS)


@pytest.fixture(scope="module")
def server() -> Iterator[WireServer]:
    def route(request: Request) -> Any:  # noqa: ANN401 - either service
        return JSON if "x-amz-target" in request.headers else Echo()

    with WireServer("127.0.0.1", 0, route=route) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def client(server: WireServer) -> Iterator[http.client.HTTPConnection]:
    with closing(http.client.HTTPConnection("127.0.0.1", server.server_port)) as connection:
        yield connection


def call(
    client: http.client.HTTPConnection, operation: str, body: bytes
) -> tuple[int, dict[str, Any]]:
    client.request("POST", "/", body, {"X-Amz-Target": f"AmazonAthena.{operation}"})
    answer = client.getresponse()
    return answer.status, json.loads(answer.read())


def test_one_connection_serves_many_requests(client: http.client.HTTPConnection) -> None:
    client.request("PUT", "/b/k%20x?acl&a=1&a=%2B", b"body")
    first = client.getresponse()
    assert (first.status, first.headers["X-Said"]) == (200, "yes")
    assert first.headers["x-amzn-RequestId"]
    assert json.loads(first.read()) == [
        "PUT",
        "/b/k%20x",
        [["acl", ""], ["a", "1"], ["a", "+"]],
        4,
        "bod",
    ]
    connected = client.sock
    client.request("DELETE", "/")
    assert json.loads(client.getresponse().read()) == ["DELETE", "/", [], 0, ""]
    assert client.sock is connected


def test_chunks_are_joined(client: http.client.HTTPConnection) -> None:
    client.request("POST", "/", iter([b"ab", b"cdef"]), encode_chunked=True)
    assert json.loads(client.getresponse().read()) == ["POST", "/", [], 6, "abc"]


def test_a_body_larger_than_memory_arrives_whole(client: http.client.HTTPConnection) -> None:
    client.request("POST", "/", b"x" * 6_000_000)
    assert json.loads(client.getresponse().read())[3] == 6_000_000


def test_a_part_of_a_file_is_sent_and_not_for_head(client: http.client.HTTPConnection) -> None:
    client.request("GET", "/part")
    assert client.getresponse().read() == b"23456"
    client.request("HEAD", "/part")
    answer = client.getresponse()
    assert (answer.headers["Content-Length"], answer.read()) == ("5", b"")


def test_a_defect_is_500_and_the_server_goes_on(
    client: http.client.HTTPConnection, capfd: pytest.CaptureFixture[str]
) -> None:
    client.request("GET", "/broken")
    answer = client.getresponse()
    answer.read()
    assert answer.status == 500
    assert "RuntimeError: a defect" in capfd.readouterr().err
    client.request("GET", "/")
    assert client.getresponse().status == 200


def test_operations_are_called_with_members(client: http.client.HTTPConnection) -> None:
    assert call(client, "Double", b'{"Once": 4}') == (200, {"Twice": 8})


def test_a_request_to_a_json_service_has_an_end(client: http.client.HTTPConnection) -> None:
    status, answer = call(client, "Double", b"[" * 100_000)
    assert (status, answer["__type"]) == (400, "SerializationException")
    request = Request(
        "POST", "/", (), {"x-amz-target": "AmazonAthena.Double"}, io.BytesIO(), 1 << 30
    )
    response = JSON.answer(request)
    assert (response.status, response.headers["x-amzn-ErrorType"]) == (
        413,
        "RequestEntityTooLargeException",
    )


def test_instants_are_epoch_seconds(client: http.client.HTTPConnection) -> None:
    assert call(client, "When", b"") == (200, {"At": 1767312000.0})


@pytest.mark.parametrize(
    ("operation", "body", "expected"),
    [
        (
            "Refuse",
            b"{}",
            {
                "__type": "InvalidRequestException",
                "Message": "no such query",
                "AthenaErrorCode": "X",
            },
        ),
        (
            "Sing",
            b"{}",
            {
                "__type": "UnknownOperationException",
                "Message": "AmazonAthena.Sing is not served here",
            },
        ),
        (
            "Double",
            b"[]",
            {"__type": "SerializationException", "Message": "The body is not a JSON object"},
        ),
    ],
)
def test_refusals_are_400_with_a_type(
    client: http.client.HTTPConnection, operation: str, body: bytes, expected: dict[str, str]
) -> None:
    assert call(client, operation, body) == (400, expected)
