"""Bodies on their way to a file or into memory, checked against what the client said of them.

In: a request, whose body may be `aws-chunked` (with or without signatures and trailers).
Out: the plain bytes, and what was found about them.  A body that is not what its headers
(Content-MD5, x-amz-content-sha256, x-amz-checksum-*, lengths) say is refused; signatures of chunks
are not looked at.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
from typing import TYPE_CHECKING, NamedTuple

from runner.local.wire.s3_checksums import ALGORITHMS, Digest, is_known, text_of
from runner.local.wire.s3_errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import BinaryIO

    from runner.local.wire.messages import Request

_PIECE = 1 << 20
_LINE = 4096
_PREFIX = "x-amz-checksum-"
_NOT_SUMS = {f"{_PREFIX}algorithm", f"{_PREFIX}type", f"{_PREFIX}mode"}
_SHA256 = re.compile("[0-9a-fA-F]{64}")
_DIGITS = re.compile("[0-9]{1,18}")
_LENGTH = re.compile("[0-9a-fA-F]{1,12}")
MOST_BYTES = 5 << 30
"""Of one PutObject or UploadPart."""
MOST_XML = 8 << 20


class Received(NamedTuple):
    """What is known of a body that came and was right."""

    length: int
    md5: str
    """In hexadecimal digits; "" if nobody needed it."""
    checksum: tuple[str, str]
    """Header and value to give back; both "" if the client gave none."""


def refuse_unlimited(headers: Mapping[str, str]) -> None:
    """Refuse content of which nobody said how long it is."""
    if not headers.keys() & {"content-length", "transfer-encoding"}:
        raise Refused("MissingContentLength")


def receive(request: Request, target: BinaryIO, *, md5: bool = False) -> Received:
    """Write the plain body; raises Refused if it is not what the request says."""
    headers = request.headers
    expected = dict(_expected(headers))
    digests = _digests(request, [*expected, *(["content-md5"] if md5 else ())])
    trailers: dict[str, str] = {}
    length = 0
    for piece in _pieces(request, trailers):
        length += len(piece)
        if length > MOST_BYTES:
            raise Refused("EntityTooLarge", MaxSizeAllowed=str(MOST_BYTES))
        target.write(piece)
        for digest in digests.values():
            digest.update(piece)
    _check_length(headers, length)
    for name, value in {**expected, **_sums(trailers)}.items():
        if name in digests:
            compare_sum(name, value, digests[name])
    given = next(iter({**_sums(headers), **_sums(trailers)}.items()), ("", ""))
    return Received(length, digests["content-md5"].digest().hex() if md5 else "", given)


def _digests(request: Request, names: Sequence[str]) -> dict[str, Digest]:
    """Begin the checksums of some headers, and of those that will come as trailers."""
    trailers = (each.strip() for each in request.headers.get("x-amz-trailer", "").split(","))
    said = request.headers.get("x-amz-decoded-content-length", "")
    length = int(said) if _DIGITS.fullmatch(said) else request.length
    return {
        name: ALGORITHMS[_algorithm(name)][0]()
        for name in (*names, *(each.lower() for each in trailers))
        if is_known(_algorithm(name), length)
    }


def receive_document(request: Request, *, whole: bool = True) -> bytes:
    """Give a body that is a document; raises Refused if it is too large.

    Checksums that are not of the whole body but of the object it speaks of are not looked at.
    """
    if request.length > MOST_XML:
        raise Refused("MaxMessageLengthExceeded", MaxMessageLengthBytes=str(MOST_XML))
    if not whole:
        sums = _sums(request.headers)
        others = {name: value for name, value in request.headers.items() if name not in sums}
        request = request._replace(headers=others)
    target = _Limited()
    receive(request, target)
    return target.getvalue()


def has_checksum(headers: Mapping[str, str]) -> bool:
    """Tell whether the client said a checksum of the body, or will say it at its end."""
    return bool("content-md5" in headers or _sums(headers) or "x-amz-trailer" in headers)


class _Limited(io.BytesIO):
    def write(self, piece: bytes, /) -> int:  # type: ignore[override]  # only pieces come
        if self.tell() + len(piece) > MOST_XML:
            raise Refused("MaxMessageLengthExceeded", MaxMessageLengthBytes=str(MOST_XML))
        return super().write(piece)


def _expected(headers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Give the checksums that headers say, as base64, by header."""
    if "content-md5" in headers:
        if _length_of(headers["content-md5"]) != ALGORITHMS["md5"][1]:
            raise Refused("InvalidDigest")
        yield "content-md5", headers["content-md5"]
    sums = _sums(headers)
    if len(sums) > 1:
        raise Refused(
            "InvalidRequest",
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
        )
    for name, value in sums.items():
        algorithm = _algorithm(name)
        if algorithm not in ALGORITHMS:
            raise Refused("NotImplemented", f"The checksum of {name} cannot be computed here")
        if _length_of(value) != ALGORITHMS[algorithm][1]:
            raise Refused("InvalidRequest", f"Value for {name} header is invalid.")
        yield name, value
    sha256 = headers.get("x-amz-content-sha256", "")
    if _SHA256.fullmatch(sha256):
        yield "x-amz-content-sha256", base64.b64encode(bytes.fromhex(sha256)).decode()


def _sums(headers: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in headers.items()
        if name.startswith(_PREFIX) and name not in _NOT_SUMS
    }


def _algorithm(name: str) -> str:
    own = {"content-md5": "md5", "x-amz-content-sha256": "sha256"}
    return own.get(name, name.removeprefix(_PREFIX))


def _length_of(text: str) -> int:
    try:
        return len(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return -1


def compare_sum(name: str, value: str, digest: Digest) -> None:
    """Raise Refused if a checksum is not what a header said."""
    found = text_of(digest)
    if not found or found == value:
        return
    if name == "content-md5":
        raise Refused("BadDigest", ExpectedDigest=value, CalculatedDigest=found)
    if name == "x-amz-content-sha256":
        raise Refused("XAmzContentSHA256Mismatch")
    kind = _algorithm(name).upper()
    raise Refused("BadDigest", f"The {kind} you specified did not match the calculated checksum.")


def _check_length(headers: Mapping[str, str], length: int) -> None:
    said = headers.get("x-amz-decoded-content-length", "").strip()
    if said and is_chunked(headers) and said != str(length):
        raise Refused("IncompleteBody", NumberBytesExpected=said, NumberBytesProvided=str(length))


def is_chunked(headers: Mapping[str, str]) -> bool:
    """Tell whether the body is in AWS's chunks; an encoding `aws-chunked` alone says nothing."""
    streaming = headers.get("x-amz-content-sha256", "").startswith("STREAMING-")
    return streaming or "x-amz-decoded-content-length" in headers


def _pieces(request: Request, trailers: dict[str, str]) -> Iterator[bytes]:
    body = request.body
    if is_chunked(request.headers):
        yield from _chunks(body, trailers)
        return
    while piece := body.read(_PIECE):
        yield piece


def _chunks(body: BinaryIO, trailers: dict[str, str]) -> Iterator[bytes]:
    """Give the chunks' bytes; what stands behind the last one goes into `trailers`."""
    while left := _chunk_length(body.readline(_LINE)):
        while left:
            piece = body.read(min(left, _PIECE))
            if not piece:
                raise Refused("IncompleteBody")
            left -= len(piece)
            yield piece
        if body.readline(_LINE).strip():
            raise Refused("IncompleteBody", "A chunk is longer than it says")
    while line := body.readline(_LINE).strip():
        name, _, value = line.decode("latin-1").partition(":")
        trailers[name.strip().lower()] = value.strip()


def _chunk_length(line: bytes) -> int:
    digits = line.split(b";")[0].strip().decode("latin-1")
    if not _LENGTH.fullmatch(digits):
        raise Refused("IncompleteBody", f"{digits[:40]!r} is no length of a chunk")
    return int(digits, 16)
