"""One connection to MySQL or MariaDB, strict, in UTF-8, and its errors as the load's.

In: a target whose secrets are still references.  Out: a session.  The values of secrets live in
the arguments of one call to PyMySQL and nowhere else (SEMANTICS 32).
"""

from __future__ import annotations

import ssl
import warnings
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from runner.local.loader.targets import resolve
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from runner.local.loader.mysql_stream import OneFileConnection, Sent
    from runner.local.loader.result import Tell
    from runner.local.loader.targets import MysqlTarget

UNCHANGED = "; the target was not changed"
_CONNECT_S = 10
_READ_S = 1800
_STRICT = (
    "STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
    "NO_ENGINE_SUBSTITUTION,NO_BACKSLASH_ESCAPES,NO_AUTO_VALUE_ON_ZERO"
)
"""Whatever the server's own mode: a value that does not fit is an error, a backslash a letter, and
a zero a zero."""
_IN_TRANSACTION = 1
"""SERVER_STATUS_IN_TRANS of the protocol's status flags."""
_PASSING = frozenset({1205, 1213, 2006, 2013, 4031})
"""Lock wait timeout, deadlock, and the ways in which a connection is lost."""
_DUPLICATE_ENTRY = 1062
_UNKNOWN_DATABASE = 1049
_DENIED = frozenset({1044, 1045, 1698})
_CANNOT_CONNECT = frozenset({2002, 2003})
_NO_TLS = 2026


class MysqlError(ServiceError):
    """An error of the server or of the connection, with its number."""

    def __init__(self, number: int, error: str, cause: str) -> None:
        """Keep the number beside the text."""
        self.number = number
        super().__init__(error, cause)


def passing(error: ServiceError) -> bool:
    """Tell whether the same load may succeed when it is repeated."""
    return isinstance(error, MysqlError) and error.number in _PASSING


def duplicate_entry(error: ServiceError) -> bool:
    """Tell whether a unique key refused a row."""
    return isinstance(error, MysqlError) and error.number == _DUPLICATE_ENTRY


def name_of(text: str) -> str:
    """Quote an identifier.

    >>> print(name_of("we`ird"))
    `we``ird`
    """
    return "`" + text.replace("`", "``") + "`"


@dataclass(frozen=True, slots=True)
class Session:
    """An open connection."""

    connection: OneFileConnection
    local_infile: bool
    """Whether the server takes LOAD DATA LOCAL."""
    collation: str
    """A collation that compares as Athena does: every byte counts, blanks at the end too."""
    max_packet: int
    """Every statement, and every packet, has fewer bytes."""
    table: str
    """The mart's table, for messages."""

    def run(self, sql: str, values: Sequence[object] = ()) -> int:
        """Execute a statement; gives the number of rows that it touched."""
        with _translated(self.table), self.connection.cursor() as cursor:
            return int(cursor.execute(sql, tuple(values) if values else None))

    def all_rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Execute a query; gives every row."""
        with _translated(self.table), self.connection.cursor() as cursor:
            cursor.execute(sql, tuple(values) if values else None)
            return list(cursor.fetchall())

    def batches(self, sql: str, size: int) -> Iterator[list[tuple[Any, ...]]]:
        """Execute a query; gives its rows as the server sends them."""
        from pymysql.cursors import SSCursor  # noqa: PLC0415 - only exports need it

        with _translated(self.table), closing(self.connection.cursor(SSCursor)) as cursor:
            cursor.execute(sql)
            while rows := cursor.fetchmany(size):
                yield list(rows)

    def load_rows(self, batches: Iterable[list[str]], clause: str, *, tell: Tell) -> Sent:
        """Send rows as lines with LOAD DATA LOCAL."""
        from runner.local.loader.mysql_stream import send  # noqa: PLC0415 - needs PyMySQL

        with _translated(self.table):
            return send(self.connection, batches, clause, most=self.max_packet, tell=tell)

    @property
    def in_transaction(self) -> bool:
        """Tell whether a transaction is open, by the server's last answer."""
        return bool(self.connection.server_status & _IN_TRANSACTION)


@contextmanager
def open_session(target: MysqlTarget, table: str) -> Iterator[Session]:
    """Connect and set the session up; always closed, and with it the temporary tables."""
    connection = _connect(target, table)
    try:
        version = str(connection.get_server_info())  # type: ignore[no-untyped-call]  # stubs
        session = Session(connection, False, _collation(version), 0, table)
        session.run(f"SET SESSION sql_mode = '{_STRICT}', time_zone = '+00:00'")
        ((local_infile, most),) = session.all_rows(
            "SELECT @@GLOBAL.local_infile, @@max_allowed_packet"
        )
        yield replace(session, local_infile=bool(local_infile), max_packet=int(most))
    finally:
        connection.close()


def _collation(version: str) -> str:
    return "utf8mb4_nopad_bin" if "MariaDB" in version else "utf8mb4_0900_bin"


def _connect(target: MysqlTarget, table: str) -> OneFileConnection:
    try:
        from runner.local.loader.mysql_stream import OneFileConnection  # noqa: PLC0415 - PyMySQL
    except ImportError as exc:
        raise ServiceError(
            "Load.DriverMissing", "a MySQL mart needs PyMySQL: install athena-runner[mysql]"
        ) from exc
    environ = target.environ
    port = resolve(target.port, environ)
    if not port.isdigit():
        raise ServiceError("Load.MartFailed", f"the mart's port {target.port} is not a number")
    with _translated(table):
        return OneFileConnection(
            host=resolve(target.host, environ),
            port=int(port),
            unix_socket=resolve(target.socket, environ) if target.socket else None,
            user=resolve(target.user, environ),
            password=resolve(target.password, environ) if target.password else "",
            database=resolve(target.database, environ),
            charset="utf8mb4",
            autocommit=True,
            local_infile=True,
            connect_timeout=_CONNECT_S,
            read_timeout=_READ_S,
            **_tls(target),
        )


def _tls(target: MysqlTarget) -> Mapping[str, Any]:
    """Ask for a verified certificate and host name; without `tls` nothing is verified.

    PyMySQL alone verifies no name where it is given no file of authorities.
    """
    if not target.tls:
        return {}
    try:
        return {"ssl": ssl.create_default_context(cafile=target.ca)}
    except (OSError, ssl.SSLError) as exc:
        raise ServiceError(
            "Load.MartFailed", f"the certificate authorities in {target.ca} cannot be read: {exc}"
        ) from exc


@contextmanager
def _translated(table: str) -> Iterator[None]:
    """Turn PyMySQL's errors into the load's; the original is dropped, its frames hold secrets."""
    import pymysql  # noqa: PLC0415 - only MySQL marts need it

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", category=pymysql.Warning)
            yield
    except pymysql.MySQLError as exc:
        number = exc.args[0] if exc.args and isinstance(exc.args[0], int) else 0
        text = str(exc.args[-1]) if exc.args else type(exc).__name__
        failure = _failure(number, text, table)
    else:
        return
    raise failure from None


def _failure(number: int, text: str, table: str) -> MysqlError:
    if number == _NO_TLS or "CERTIFICATE_VERIFY_FAILED" in text:
        return MysqlError(
            number,
            "Load.MartNotTrusted",
            f"the mart cannot prove who it is: {text}; name the file of its certificate's "
            "authorities (`ca`, in a task RUNNER_MART_CA) and the host as the certificate does",
        )
    if number in _CANNOT_CONNECT:
        return MysqlError(number, "Load.MartUnreachable", f"the mart does not answer: {text}")
    if number in _DENIED:
        return MysqlError(number, "Load.MartDenied", f"the mart refuses the user: {text}")
    if number == _UNKNOWN_DATABASE:
        return MysqlError(
            number, "Load.MartFailed", f"{text}; create it: CREATE DATABASE, with utf8mb4"
        )
    if number in _PASSING:
        return MysqlError(number, "Load.MartBusy", f"{table}: {text} ({number})")
    return MysqlError(number, "Load.Rejected", f"{table}: {text} ({number}){UNCHANGED}")
