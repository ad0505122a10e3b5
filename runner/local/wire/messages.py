"""Requests and responses of HTTP, as the services of the wire see them.

In: what a client sent.  Out: what it gets back.  A body may be larger than memory: it is a file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import BinaryIO


class Request(NamedTuple):
    """A request; its body was received whole, or comes as it is read if the service streams."""

    method: str
    path: str
    """Percent-encoded, as it came; begins with a slash."""
    query: tuple[tuple[str, str], ...]
    """Decoded names and values in the order of the URL; `?acl` has the value ""."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: BinaryIO
    """At its start, to be read once; HTTP's chunks are joined, `aws-chunked` is left as it is."""
    length: int
    """Bytes of the body; -1 for a service that streams, if only the body's end will tell."""


class FilePart(NamedTuple):
    """Bytes of an open file; whoever sends them closes it."""

    file: BinaryIO
    start: int
    length: int


class Response(NamedTuple):
    """What is sent back; Content-Length and x-amzn-RequestId are added where they are missing."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes | FilePart = b""


class Service(Protocol):
    """Answers the requests of one service; may be called by several threads at once.

    A service with the attribute `streams = True` reads bodies from the connection itself.
    """

    def answer(self, request: Request) -> Response:
        """Give the response; refusals are responses too."""
        ...
