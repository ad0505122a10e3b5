"""A server that speaks MySQL's protocol just far enough to ask a client for a file."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_OK = b"\x00\x00\x00\x02\x00\x00\x00"
_CAPABILITIES = 0x000FA685 & ~0x800  # protocol 4.1, plugin authentication, LOCAL FILES; no TLS
_SALT = b"12345678", b"901234567890"


@dataclass
class Thief:
    """What it asks for, when, and what it was given."""

    asks_for: str
    at: bytes
    """Asks where a statement begins so; any other is simply well."""
    port: int = 0
    asked: int = 0
    stolen: bytes = b""
    statements: list[bytes] = field(default_factory=list)


@contextmanager
def thief(asks_for: str, *, at: bytes) -> Iterator[Thief]:
    """Serve one connection."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        state = Thief(asks_for, at, port=listener.getsockname()[1])
        thread = threading.Thread(target=_serve, args=(listener, state), daemon=True)
        thread.start()
        yield state
        thread.join(10)
        assert not thread.is_alive()


def _serve(listener: socket.socket, state: Thief) -> None:
    peer, _ = listener.accept()
    with peer, peer.makefile("rb") as stream:
        _send(peer, 0, _greeting())
        _, _ = _read(stream)
        _send(peer, 2, _OK)
        while True:
            number, statement = _read(stream)
            if number < 0 or statement[:1] != b"\x03":
                return
            state.statements.append(statement[1:])
            if not statement[1:].startswith(state.at):
                _send(peer, number + 1, _OK)
                continue
            state.asked += 1
            _send(peer, number + 1, b"\xfb" + state.asks_for.encode())
            number, part = _read(stream)
            while part:
                state.stolen += part
                number, part = _read(stream)
            _send(peer, number + 1, _OK)


def _greeting() -> bytes:
    return (
        b"\x0a8.4.0\x00"
        + struct.pack("<I", 1)
        + _SALT[0]
        + b"\x00"
        + struct.pack("<HBHH", _CAPABILITIES & 0xFFFF, 45, 2, _CAPABILITIES >> 16)
        + bytes([21])
        + bytes(10)
        + _SALT[1]
        + b"\x00mysql_native_password\x00"
    )


def _send(peer: socket.socket, number: int, payload: bytes) -> None:
    peer.sendall(struct.pack("<I", len(payload))[:3] + bytes([number % 256]) + payload)


def _read(stream: object) -> tuple[int, bytes]:
    """Read a packet; (-1, nothing) at the end."""
    head = stream.read(4)  # type: ignore[attr-defined]  # a binary file
    if len(head) < 4:
        return -1, b""
    size = int.from_bytes(head[:3], "little")
    return head[3], stream.read(size)  # type: ignore[attr-defined]  # a binary file
