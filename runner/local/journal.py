"""The journal of one run: every event that must survive a SIGKILL, in order, in a SQLite file.

In: events that know `to_json()`.  Out: the same events, read back with the decoder given.  An
append is one autocommitted insert into a write-ahead log: the moment it returns, its rows are
with the operating system and outlive the process.  (`synchronous=NORMAL` lets the newest rows go
when the machine itself loses power; the file stays whole, and the run repeats those states.)
"""

from __future__ import annotations

import json
import sqlite3
import threading
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from runner.machine.events import Event as MachineEvent
    from runner.model.ports import Json


class Event(Protocol):
    """What the journal keeps: anything that turns into JSON."""

    def to_json(self) -> Json:
        """Give the event as a JSON value."""
        ...


E = TypeVar("E", bound=Event)

_BUSY_S = 30.0
_INSERT = "INSERT INTO event (body) SELECT value FROM json_each(?) ORDER BY key"


class SqliteJournal(Generic[E]):
    """The journal of one run; safe to append to from several threads of one process."""

    def __init__(self, path: Path, decode: Callable[[Json], E]) -> None:
        """Open or create the file; `decode` makes an event of what its `to_json` gave."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._decode = decode
        self._lock = threading.Lock()
        self._encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
        self._connection = sqlite3.connect(
            path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
        )
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS event (seq INTEGER PRIMARY KEY, body TEXT NOT NULL)"
        )

    def append(self, event: E) -> None:
        """Keep one event; it is durable against the death of this process on return."""
        body = self._encode(event.to_json())
        with self._lock:
            self._connection.execute("INSERT INTO event (body) VALUES (?)", (body,))

    def append_all(self, events: Iterable[E]) -> None:
        """Keep several events in one transaction: all of them or none.

        It is one statement, since SQLite lets other threads go first at each.
        """
        bodies = [self._encode(event.to_json()) for event in events]
        with self._lock:
            self._connection.execute(_INSERT, (self._encode(bodies),))

    def events(self) -> Iterator[E]:
        """Give every event in the order of its append."""
        with self._lock:
            rows = self._connection.execute("SELECT body FROM event ORDER BY seq").fetchall()
        for (body,) in rows:
            yield self._decode(json.loads(body))

    def note(self, text: str) -> None:
        """Keep a line beside the events; it is durable against the death of this process."""
        with self._lock:
            self._connection.execute("CREATE TABLE IF NOT EXISTS note (body TEXT NOT NULL)")
            self._connection.execute("INSERT INTO note (body) VALUES (?)", (text,))

    def notes(self) -> tuple[str, ...]:
        """Give the lines kept beside the events, in order."""
        with self._lock:
            self._connection.execute("CREATE TABLE IF NOT EXISTS note (body TEXT NOT NULL)")
            rows = self._connection.execute("SELECT body FROM note ORDER BY rowid").fetchall()
        return tuple(body for (body,) in rows)

    def close(self) -> None:
        """Close the file; closing twice is allowed."""
        with self._lock:
            self._connection.close()


def hold(path: Path) -> Callable[[], None] | None:
    """Keep other processes from a journal until this one lets go or dies; None when one has it."""
    import fcntl  # noqa: PLC0415 - only for journals that a user names
    import os  # noqa: PLC0415

    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return lambda: os.close(descriptor)


def open_journal(path: Path) -> SqliteJournal[MachineEvent]:
    """Open the journal of an execution of the interpreter."""
    from runner.machine.events import Event as MachineEvent  # noqa: PLC0415 - only runs need it

    return SqliteJournal(path, MachineEvent.from_json)
