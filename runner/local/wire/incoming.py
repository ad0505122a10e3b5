"""The body of a request as it comes from the connection, by length or in HTTP's chunks.

In: the connection's stream and the request's headers.  Out: a stream that ends where the body does.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import BinaryIO

_PIECE = 1 << 20


class Incoming(io.RawIOBase):
    """Reads a body once, from start to end; ConnectionError if it ends early."""

    def __init__(self, stream: BinaryIO, headers: Mapping[str, str]) -> None:
        """Take the connection's stream and headers (names in lower case)."""
        self._stream = stream
        self._chunked = headers.get("transfer-encoding", "").strip().lower() == "chunked"
        self.length = -1 if self._chunked else _number(headers.get("content-length") or "0", 10)
        """Bytes of the body; -1 if only its end will tell."""
        self._left = max(self.length, 0)

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # any buffer comes
        """Read some bytes; 0 at the end."""
        if not self._left and self._chunked:
            self._next_chunk()
        if not self._left or not len(buffer):
            return 0
        piece = self._stream.read(min(self._left, len(buffer)))
        if not piece:
            raise ConnectionError("the body ended early")
        buffer[: len(piece)] = piece
        self._left -= len(piece)
        if not self._left and self._chunked:
            self._stream.readline()
        return len(piece)

    def readline(self, size: int | None = -1, /) -> bytes:
        """Read a line, at once where the body is one piece."""
        if self._chunked or not self._left:
            return super().readline(size)
        most = self._left if size is None or size < 0 else min(size, self._left)
        line = self._stream.readline(most)
        if not line:
            raise ConnectionError("the body ended early")
        self._left -= len(line)
        return line

    def drain(self) -> None:
        """Read what nobody wanted, so that the next request is found."""
        while self.read(_PIECE):
            pass

    def _next_chunk(self) -> None:
        self._left = _number(self._stream.readline().split(b";")[0].decode("latin-1"), 16)
        if not self._left:
            self._chunked = False
            while self._stream.readline().strip():
                pass


def _number(text: str, base: int) -> int:
    try:
        number = int(text.strip(), base)
    except ValueError:
        raise ConnectionError(f"{text!r} is no length of a body") from None
    if number < 0:
        raise ConnectionError(f"{text!r} is no length of a body")
    return number
