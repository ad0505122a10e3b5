"""Requests that no SDK for Python sends: chunked bodies, hosts, paths, broken documents."""

from __future__ import annotations

import base64
import hashlib
import socket
import zlib
from typing import TYPE_CHECKING

import pytest

from runner.local.wire.s3_checksums import ALGORITHMS, text_of
from tests.support.s3_wire import BUCKET, Wire, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

HELLO_CRC = base64.b64encode(zlib.crc32(b"hello world").to_bytes(4, "big")).decode()
SIGNED = ";chunk-signature=" + "0" * 64


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with serving(tmp_path_factory.mktemp("s3")) as wire:
        wire.put("plain", b"hello")
        yield wire


def chunked(sign: str, trailer: str) -> bytes:
    text = f"6{sign}\r\nhello \r\n5{sign}\r\nworld\r\n0{sign}\r\n{trailer}\r\n"
    return text.encode()


@pytest.mark.parametrize(
    ("kind", "sign", "trailer"),
    [
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", SIGNED, ""),
        (
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            SIGNED,
            f"x-amz-checksum-crc32:{HELLO_CRC}\r\nx-amz-trailer-signature:{'0' * 64}\r\n",
        ),
        ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", "", f"x-amz-checksum-crc32:{HELLO_CRC}\r\n"),
    ],
)
@pytest.mark.parametrize("framed", [True, False])
def test_chunks_of_every_kind_are_joined(
    wire: Wire, kind: str, sign: str, trailer: str, *, framed: bool
) -> None:
    body = chunked(sign, trailer)
    headers = {
        "X-Amz-Content-Sha256": kind,
        "X-Amz-Decoded-Content-Length": "11",
        "Content-Encoding": "aws-chunked,identity",
    }
    if trailer:
        headers["X-Amz-Trailer"] = "x-amz-checksum-crc32"
    pieces = iter([body[:4], body[4:20], body[20:]]) if framed else body
    answer = wire.send("PUT", f"/{BUCKET}/chunks", pieces, headers)
    assert answer.status == 200
    assert answer.headers.get("x-amz-checksum-crc32") == (HELLO_CRC if trailer else None)
    found = wire.client.get_object(Bucket=BUCKET, Key="chunks")
    assert (found["Body"].read(), found["ContentEncoding"]) == (b"hello world", "identity")


@pytest.mark.parametrize(
    ("body", "headers", "code"),
    [
        (chunked("", ""), {"X-Amz-Decoded-Content-Length": "12"}, "IncompleteBody"),
        (b"6\r\nhello world\r\n0\r\n\r\n", {}, "IncompleteBody"),
        (b"6\r\nhel", {}, "IncompleteBody"),
        (b"-6\r\nhello \r\n0\r\n\r\n", {}, "IncompleteBody"),
        (
            chunked("", "x-amz-checksum-crc32:AAAAAA==\r\n"),
            {"X-Amz-Trailer": "x-amz-checksum-crc32"},
            "BadDigest",
        ),
    ],
)
def test_wrong_chunks_are_refused(
    wire: Wire, body: bytes, headers: dict[str, str], code: str
) -> None:
    kind = {"X-Amz-Content-Sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}
    answer = wire.send("PUT", f"/{BUCKET}/wrong", body, kind | headers)
    assert (answer.status, answer.code) == (400, code)
    assert wire.send("HEAD", f"/{BUCKET}/wrong").status == 404


@pytest.mark.parametrize(
    ("name", "good", "bad", "code"),
    [
        ("Content-MD5", "XUFAKrxLKna5cZ2REBfFkg==", "1B2M2Y8AsgTpgAmY7PhCfg==", "BadDigest"),
        ("Content-MD5", "XUFAKrxLKna5cZ2REBfFkg==", "XUFA", "InvalidDigest"),
        ("x-amz-checksum-crc32", "NhCmhg==", "AAAAAA==", "BadDigest"),
        ("x-amz-checksum-crc32", "NhCmhg==", "?", "InvalidRequest"),
        ("x-amz-checksum-crc32c", "mnG7TA==", "AAAAAA==", "BadDigest"),
        ("x-amz-checksum-sha1", "qvTGHdzF6KLavt4PO0gs2a6pQ00=", "A" * 27 + "=", "BadDigest"),
        (
            "x-amz-content-sha256",
            hashlib.sha256(b"hello").hexdigest(),
            "0" * 64,
            "XAmzContentSHA256Mismatch",
        ),
    ],
)
def test_bodies_are_checked(wire: Wire, name: str, good: str, bad: str, code: str) -> None:
    assert wire.send("PUT", f"/{BUCKET}/sum", b"hello", {name: good}).status == 200
    answer = wire.send("PUT", f"/{BUCKET}/sum-2", b"hello", {name: bad})
    assert (answer.status, answer.code) == (400, code)
    assert wire.send("HEAD", f"/{BUCKET}/sum-2").status == 404


@pytest.mark.parametrize(
    ("name", "expected"),
    # The check values of the catalogue of CRC algorithms, over the text 123456789.
    [("crc32", 0xCBF43926), ("crc32c", 0xE3069283), ("crc64nvme", 0xAE8B14860A799888)],
)
def test_checksums_are_those_of_the_catalogue(name: str, expected: int) -> None:
    make, size = ALGORITHMS[name]
    digest = make()
    digest.update(b"1234")
    digest.update(b"56789")
    assert base64.b64decode(text_of(digest)) == expected.to_bytes(size, "big")


def test_two_checksums_are_too_many(wire: Wire) -> None:
    headers = {"x-amz-checksum-crc32": "NhCmhg==", "x-amz-checksum-sha256": "A" * 43 + "="}
    answer = wire.send("PUT", f"/{BUCKET}/sums", b"hello", headers)
    assert (answer.status, answer.code) == (400, "InvalidRequest")


@pytest.mark.parametrize(
    "host", ["lake.localhost", "lake.localhost:4566", "lake.s3.localhost", "LAKE.s3.amazonaws.com"]
)
def test_the_host_may_name_the_bucket(wire: Wire, host: str) -> None:
    assert wire.send("GET", "/plain", headers={"Host": host}).body == b"hello"
    assert wire.send("GET", "/?list-type=2", headers={"Host": host}).text("Name") == BUCKET


def test_keys_that_begin_with_a_slash(wire: Wire) -> None:
    host = {"Host": "lake.localhost"}
    assert wire.send("PUT", "//x", b"1", host).status == 200
    assert wire.send("GET", f"/{BUCKET}//x").body == b"1"
    assert wire.send("HEAD", f"/{BUCKET}/x").status == 404
    wire.client.delete_object(Bucket=BUCKET, Key="/x")


@pytest.mark.parametrize(
    "path",
    [
        "/../plain",
        "/%2e%2e/plain",
        "/lake%2F..%2Flake/plain",
        "/.%2Flake/plain",
        "/%2Fetc/passwd",
        "/..%2F..%2Fetc/passwd",
    ],
)
def test_no_name_of_a_bucket_leads_out(wire: Wire, path: str) -> None:
    answer = wire.send("GET", path)
    assert (answer.status, answer.code) == (404, "NoSuchBucket")
    answer = wire.send("PUT", path.rpartition("/")[0])
    assert (answer.status, answer.code) == (400, "InvalidBucketName")


def test_no_key_leads_out(wire: Wire) -> None:
    top = wire.folder.bucket_folder(BUCKET)
    around = sorted(path.name for path in top.parent.iterdir())
    for key in (
        "../out",
        "%2e%2e/out",
        "a/../../out",
        "..",
        "%2Fetc%2Fout",
        "a%00b",
        ".",
        "%_tmp/x",
    ):
        assert wire.send("PUT", f"/{BUCKET}/{key}", b"1").status == 200
        assert wire.send("GET", f"/{BUCKET}/{key}").body == b"1"
        assert wire.send("DELETE", f"/{BUCKET}/{key}").status == 204
    assert sorted(path.name for path in top.parent.iterdir()) == around


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/lake/%ff", 400, "InvalidURI"),
        ("/lake%00/plain", 400, "InvalidURI"),
        ("/lake/" + "k" * 1025, 400, "KeyTooLongError"),
        ("/lake" + "/" * 1024, 400, "KeyTooLongError"),
        ("/none/key", 404, "NoSuchBucket"),
        ("/lake/none", 404, "NoSuchKey"),
        ("/lake/plain?torrent", 501, "NotImplemented"),
        ("/lake?analytics", 501, "NotImplemented"),
    ],
)
def test_refusals_are_documents(wire: Wire, path: str, status: int, code: str) -> None:
    answer = wire.send("GET", path)
    assert (answer.status, answer.code) == (status, code)
    assert answer.headers["content-type"] == "application/xml"
    assert answer.text("RequestId") == answer.headers["x-amz-request-id"]
    if code == "NoSuchKey":
        assert (answer.text("Key"), answer.text("BucketName")) == ("none", "lake")


def test_what_the_file_system_refuses_is_said(wire: Wire) -> None:
    top = wire.folder.bucket_folder(BUCKET)
    (top / "loop").symlink_to("loop")
    answer = wire.send("GET", "/lake/loop")
    assert (answer.status, answer.code) == (500, "InternalError")
    assert "Too many levels" in answer.text("Message")
    (top / "loop").unlink()


def test_methods_that_nothing_has(wire: Wire) -> None:
    assert wire.send("PATCH", "/lake/plain").code == "MethodNotAllowed"
    assert wire.send("POST", "/lake/plain", b"").status == 405
    assert wire.send("DELETE", "/").code == "MethodNotAllowed"
    assert wire.send("OPTIONS", "/lake/plain").code == "AccessForbidden"


def delete(wire: Wire, body: bytes) -> str:
    md5 = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
    answer = wire.send("POST", "/lake?delete", body, {"Content-MD5": md5})
    return answer.code or str(answer.status)


def test_documents_are_read_with_care(wire: Wire) -> None:
    wire.put("victim")
    good = b"<Delete><Object><Key>victim</Key></Object></Delete>"
    assert delete(
        wire, b'<!DOCTYPE d [<!ENTITY k "victim">]>' + good.replace(b"victim", b"&k;")
    ) == ("MalformedXML")
    assert delete(wire, b"<Delete><Object>") == "MalformedXML"
    assert delete(wire, b"<Other/>") == "MalformedXML"
    assert delete(wire, b"") == "MalformedXML"
    assert delete(wire, b"<Delete>" + b" " * (8 << 20) + b"</Delete>") == "MaxMessageLengthExceeded"
    answer = wire.send("POST", "/lake?delete", good)
    assert (answer.status, answer.code) == (400, "InvalidRequest")
    assert wire.send("HEAD", "/lake/victim").status == 200
    assert delete(wire, good) == "200"
    assert wire.send("HEAD", "/lake/victim").status == 404


def test_names_of_headers_cannot_be_smuggled_in(wire: Wire) -> None:
    answer = wire.send("GET", "/lake/plain?response-content-type=a%0d%0aX-Evil:%20yes")
    assert (answer.status, answer.code) == (400, "InvalidArgument")
    assert "x-evil" not in answer.headers


def test_a_client_that_waits_is_told_to_go_on(wire: Wire) -> None:
    with socket.create_connection(("127.0.0.1", wire.port)) as connection:
        connection.sendall(
            b"PUT /lake/waited HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
            b"Expect: 100-continue\r\nConnection: close\r\n\r\n"
        )
        assert connection.recv(1000).startswith(b"HTTP/1.1 100")
        connection.sendall(b"hello")
        assert connection.makefile("rb").readline().startswith(b"HTTP/1.1 200")
    assert wire.get("waited") == b"hello"


@pytest.mark.parametrize(("path", "status"), [(b"/lake/k", b"411"), (b"/bucket", b"200")])
def test_content_needs_a_length_and_a_new_bucket_none(
    wire: Wire, path: bytes, status: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", wire.port)) as connection:
        connection.sendall(b"PUT %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path)
        assert connection.makefile("rb").readline().startswith(b"HTTP/1.1 " + status)


def test_a_client_that_goes_away_leaves_nothing(wire: Wire) -> None:
    before = {path.name for path in wire.folder.temporary_folder(BUCKET).iterdir()}
    with socket.create_connection(("127.0.0.1", wire.port)) as connection:
        connection.sendall(b"PUT /lake/half HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nhello")
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1000) == b""
    assert wire.send("HEAD", "/lake/half").status == 404
    assert {path.name for path in wire.folder.temporary_folder(BUCKET).iterdir()} == before


def test_a_refused_body_does_not_spoil_the_connection(wire: Wire) -> None:
    with socket.create_connection(("127.0.0.1", wire.port)) as connection:
        request = b"PUT /%s/k HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
        connection.sendall(request % b"none" + request % b"lake")
        connection.shutdown(socket.SHUT_WR)
        answers = connection.makefile("rb").read()
    assert answers.startswith(b"HTTP/1.1 404")
    assert b"HTTP/1.1 200" in answers
