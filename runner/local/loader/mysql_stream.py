"""Rows on their way to LOAD DATA LOCAL: made while they are sent, never on the disk.

In: rows as text, and a connection.  Out: how many were sent and how many arrived.  A server may
answer any statement with the wish for any file of the client's; this connection sends the one
stream that it offers, and refuses whatever else is asked for
(dev.mysql.com/doc/refman/8.4/en/load-data-local-security.html).
"""

from __future__ import annotations

import os
import secrets
import select
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from pymysql.connections import Connection, MySQLResult
from pymysql.err import OperationalError
from pymysql.protocol import LoadLocalPacketWrapper

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable

    from runner.local.loader.result import Tell

_PACKET = 1 << 20
"""Most bytes of one packet, where the server takes as much."""
_LOOK_S = 1.0
_ENDED = getattr(select, "POLLRDHUP", 0)
"""The other side sends no more; 0 where the system does not tell."""
_GONE = 2006
_REFUSED = 2068
"""The client's own number for a LOAD DATA LOCAL that it rejects."""


class Sent(NamedTuple):
    """What one LOAD DATA did."""

    rows: int
    """Rows that were sent."""
    arrived: int
    """Rows that the server says it took."""
    warnings: int


@dataclass(slots=True)
class _Offer:
    """The one file that the server may ask for, while it may."""

    name: str
    batches: Iterable[list[str]]
    tell: Tell
    most: int
    """Bytes of one packet."""
    rows: int = 0

    def send(self, connection: OneFileConnection) -> None:
        """Send every row, a line each."""
        for batch in self.batches:
            text = ("\n".join(batch) + "\n").encode()
            for start in range(0, len(text), self.most):
                connection.write_packet(text[start : start + self.most])
            self.rows += len(batch)
            self.tell(self.rows)


class OneFileConnection(Connection):
    """A connection that sends a file only while it is offered."""

    offer: _Offer | None = None

    def _write_bytes(self, data: bytes) -> None:
        """Send; where rows wait for a server that has gone, find that out.

        A server that was killed leaves a socket that takes nothing: TCP alone needs minutes.
        """
        if self.offer is None:
            super()._write_bytes(data)  # type: ignore[misc]  # not in the stubs
            return
        self._current_timeout = _LOOK_S  # PyMySQL sets its own before it reads
        sock: socket.socket = self._sock  # type: ignore[attr-defined]  # not in the stubs
        try:
            sock.settimeout(_LOOK_S)
            rest = memoryview(data)
            while rest:
                try:
                    rest = rest[sock.send(rest) :]
                except TimeoutError:
                    if _hung_up(sock):
                        raise ConnectionResetError("the server closed the connection") from None
        except OSError as exc:
            self._force_close()  # type: ignore[attr-defined]  # not in the stubs
            raise OperationalError(_GONE, f"MySQL server has gone away ({exc})") from exc

    def _read_query_result(self, unbuffered: bool = False) -> int:  # noqa: FBT001, FBT002 - PyMySQL's
        self._result = None
        result = _OneFileResult(self)
        if unbuffered:  # an export reads more rows than fit in memory
            result.init_unbuffered_query()
        else:
            result.read()
        self._result = result
        if result.server_status is not None:
            self.server_status = result.server_status
        return int(result.affected_rows or 0)


def _hung_up(connected: socket.socket) -> bool:
    """Tell whether the other side has ended the connection."""
    poll = select.poll()
    poll.register(connected, _ENDED)
    return bool(poll.poll(0))


class _OneFileResult(MySQLResult):
    """An answer of the server that may ask for the offered file."""

    def _read_load_local_packet(self, first_packet: Any) -> None:  # noqa: ANN401 - PyMySQL's
        connection: Any = self.connection
        asked = os.fsdecode(LoadLocalPacketWrapper(first_packet).filename)
        offer = connection.offer
        refused = offer is None or asked != offer.name
        if not refused:
            try:
                offer.send(connection)
            except BaseException:
                # A file that ends here would look whole, and a packet may have been cut in two.
                # Without the connection the server drops the statement, and with it the rows.
                connection._force_close()  # noqa: SLF001 - `close` would send another packet
                raise
        connection.write_packet(b"")  # the end of the file
        answer = connection._read_packet()  # noqa: SLF001 - the protocol's next step
        if refused:
            raise OperationalError(
                _REFUSED, f"the server asks for the file {asked}, which it was not offered"
            )
        self._read_ok_packet(answer)  # type: ignore[attr-defined]  # not in the stubs


def send(
    connection: OneFileConnection,
    batches: Iterable[list[str]],
    clause: str,
    *,
    most: int,
    tell: Tell,
) -> Sent:
    """Load rows that are lines of text.

    `clause` is what follows the file's name in LOAD DATA LOCAL INFILE, `most` the server's limit of
    a packet.  When reading the rows fails half-way, the connection is lost: nothing was loaded.
    """
    offer = _Offer(f"rows-{secrets.token_hex(8)}", batches, tell, min(_PACKET, most - 1))
    connection.offer = offer
    try:
        with connection.cursor() as cursor:
            arrived = int(cursor.execute(f"LOAD DATA LOCAL INFILE '{offer.name}' {clause}"))
            return Sent(offer.rows, arrived, int(cursor.warning_count))
    finally:
        connection.offer = None
