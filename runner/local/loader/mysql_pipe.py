"""Rows on their way to LOAD DATA LOCAL, through a pipe: nothing of them touches the disk.

In: what writes the rows, and a connection.  Out: how many rows were sent and how many arrived.  A
server may answer any statement with the wish for any file of the client's; this connection sends
the one pipe that it offers, and refuses whatever else is asked for
(dev.mysql.com/doc/refman/8.4/en/load-data-local-security.html).
"""

from __future__ import annotations

import os
import secrets
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from pymysql.connections import Connection, MySQLResult
from pymysql.err import OperationalError
from pymysql.protocol import LoadLocalPacketWrapper

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.local.loader.result import Tell

_CHUNK = 1 << 16
"""Bytes that a pipe holds on Linux; each chunk is one packet of the protocol."""
_REFUSED = 2068
"""The client's own number for a LOAD DATA LOCAL that it rejects."""


class Sent(NamedTuple):
    """What one LOAD DATA did."""

    written: int
    """Rows that were written into the pipe."""
    arrived: int
    """Rows that the server says it took."""
    warnings: int


@dataclass(slots=True)
class _Offer:
    """The one file that the server may ask for, while it may."""

    name: str
    descriptor: int
    tell: Tell

    def send(self, connection: OneFileConnection) -> None:
        """Send the pipe's bytes; the file ends where its writer closes it."""
        lines = 0
        while chunk := os.read(self.descriptor, _CHUNK):
            connection.write_packet(chunk)
            lines += chunk.count(b"\n")
            self.tell(lines)


class OneFileConnection(Connection):
    """A connection that sends a file only while it is offered."""

    offer: _Offer | None = None

    def _read_query_result(self, unbuffered: bool = False) -> int:  # noqa: FBT001, FBT002 - PyMySQL's
        del unbuffered  # nobody here streams results
        self._result = None
        result = _OneFileResult(self)
        result.read()
        self._result = result
        if result.server_status is not None:
            self.server_status = result.server_status
        return int(result.affected_rows or 0)


class _OneFileResult(MySQLResult):
    """An answer of the server that may ask for the offered file."""

    def _read_load_local_packet(self, first_packet: Any) -> None:  # noqa: ANN401 - PyMySQL's
        connection = self.connection
        asked = os.fsdecode(LoadLocalPacketWrapper(first_packet).filename)
        offer = connection.offer
        refused = offer is None or asked != offer.name
        try:
            if not refused:
                offer.send(connection)
        finally:
            connection.write_packet(b"")  # the end of the file
        answer = connection._read_packet()  # noqa: SLF001 - the protocol's next step
        if refused:
            raise OperationalError(
                _REFUSED, f"the server asks for the file {asked}, which it was not offered"
            )
        self._read_ok_packet(answer)


@dataclass(slots=True)
class _Writer:
    """What the thread does that writes the rows into the pipe, and how it ended."""

    write: Callable[[str], int]
    descriptor: int
    rows: int = 0
    failure: list[BaseException] = field(default_factory=list)

    def __call__(self) -> None:
        try:
            self.rows = self.write(f"/dev/fd/{self.descriptor}")
        except BaseException as exc:  # noqa: BLE001 - handed to the thread that waits
            self.failure.append(exc)
        finally:
            os.close(self.descriptor)


def send(
    connection: OneFileConnection, write: Callable[[str], int], clause: str, *, tell: Tell
) -> Sent:
    """Load what `write` writes.

    `write` gets a path and gives the number of rows; `clause` is what follows the file's name in
    LOAD DATA LOCAL INFILE.  When the writer fails, the server has taken a file that ends early:
    the caller rolls back.
    """
    reading, writing = os.pipe()
    name = f"rows-{secrets.token_hex(8)}"
    writer = _Writer(write, writing)
    thread = threading.Thread(target=writer, name="load-rows", daemon=True)
    thread.start()
    connection.offer = _Offer(name, reading, tell)
    refusal: BaseException | None = None
    arrived = warnings = 0
    try:
        with connection.cursor() as cursor:
            arrived = int(cursor.execute(f"LOAD DATA LOCAL INFILE '{name}' {clause}"))
            warnings = int(cursor.warning_count)
    except BaseException as exc:  # noqa: BLE001 - raised below, once the writer has ended
        refusal = exc
    connection.offer = None
    with suppress(OSError):
        os.close(reading)  # a writer that is still at it sees a broken pipe
    thread.join()
    if refusal is not None:
        raise refusal
    if writer.failure:
        raise writer.failure[0]
    return Sent(writer.rows, arrived, warnings)
