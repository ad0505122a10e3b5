"""Objects that arrive in S3, and the functions that are called with them.

In: objects that streams and functions write.  Out: calls of the functions whose `events` name a
place that the object lies in, with EventBridge's `Object Created`, one after the other, beside
whoever wrote.  What these functions write arrives as well.  A chain of calls that goes on and on is
cut: AWS cuts such loops where it sees them, and bills them where it does not.

Who wrote is known by the name that a function's clients sign with.
"""

from __future__ import annotations

import secrets
import threading
import time
import uuid
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, NamedTuple

from runner.local.lambdas import problem_of
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from datetime import datetime

    from runner.local.s3 import Written
    from runner.model.ports import Json

MOST_DEEP = 16
"""Calls in a chain, about as many as Lambda's own detection of loops allows."""
_ACCOUNT = "000000000000"
_TICK_S = 0.2


@dataclass(frozen=True, slots=True)
class ObjectReader:
    """A function that is called when an object arrives."""

    function: str
    """Its deployed name."""
    shown: str
    """As the project names it."""
    event: str
    """Name of the event in function.yaml."""
    bucket: str
    prefix: str = ""
    suffix: str = ""

    def reads(self, bucket: str, key: str) -> bool:
        """Tell whether an object is one of those that it is called for."""
        return (
            bucket == self.bucket
            and key.startswith(self.prefix)
            and key.endswith(self.suffix)
            and len(key) >= len(self.prefix) + len(self.suffix)
        )


class Called(NamedTuple):
    """A call that an event made."""

    function: str
    event: str
    what: str
    """URI of the object, or what else happened."""
    problem: str = ""
    """Why it failed; empty if it did not."""

    def __str__(self) -> str:
        """Say it in a line."""
        if self.problem:
            return f"{self.function} failed ({self.event}: {self.what}): {self.problem}"
        return f"called {self.function} ({self.event}: {self.what})"


class _Arrival(NamedTuple):
    written: Written
    chain: tuple[str, ...]
    """Functions that led to it, by deployed names."""


class _Writer(threading.local):
    """Whom a thread works for."""

    name = ""


class Arrivals:
    """The calls that objects make, in one environment."""

    def __init__(
        self,
        readers: tuple[ObjectReader, ...],
        invoke: Callable[[str, Json], Json],
        now: Callable[[], datetime],
        known: Collection[str] = (),
    ) -> None:
        """Take the functions that are called, and what calls one by its deployed name.

        `known` are the deployed names of all functions.
        """
        self._readers = readers
        self._invoke = invoke
        self._now = now
        self._known = known
        self._names = {one.function: one.shown for one in readers}
        self._waiting: deque[_Arrival] = deque()
        self._changed = threading.Condition()
        self._working = False
        self._closed = False
        self._current: tuple[str, ...] = ()
        self._chains: dict[str, tuple[str, ...]] = {}
        self._called: list[Called] = []
        self._writer = _Writer()

    def works_for(self, name: str) -> None:
        """Say on whose behalf this thread writes from now on: a function's deployed name."""
        self._writer.name = name

    @contextmanager
    def calling(self, function: str) -> Iterator[None]:
        """Know, while it lasts, that the function is called on behalf of this thread's."""
        with self._as_part_of(function, (*self._chain(), function)):
            yield

    def wrote(self, written: Written) -> None:
        """Take an object that was written; calls follow without anybody waiting for them."""
        if not any(one.reads(written.bucket, written.key) for one in self._readers):
            return
        with self._changed:
            if self._closed:
                return
            self._waiting.append(_Arrival(written, self._chain()))
            if not self._working:
                self._working = True
                threading.Thread(target=self._work, daemon=True, name="arrivals").start()

    def settle(self, stop: Callable[[], bool] | None = None) -> tuple[Called, ...]:
        """Wait until every call is over, or until `stop`; gives those that nobody was told of."""
        with self._changed:
            while self._working and not (stop is not None and stop()):
                self._changed.wait(_TICK_S)
            found, self._called = tuple(self._called), []
        return found

    def close(self) -> None:
        """Forget what is still to be called."""
        with self._changed:
            self._closed = True
            self._waiting.clear()

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._waiting:
                    self._working = False
                    self._changed.notify_all()
                    return
                arrival = self._waiting.popleft()
            for reader in self._readers:
                if reader.reads(arrival.written.bucket, arrival.written.key) and not self._closed:
                    called = self._call(reader, arrival)
                    with self._changed:
                        self._called.append(called)

    def _call(self, reader: ObjectReader, arrival: _Arrival) -> Called:
        written = arrival.written
        uri = f"s3://{written.bucket}/{written.key}"
        chain = (*arrival.chain, reader.function)
        if len(chain) > MOST_DEEP:
            return Called(reader.shown, reader.event, uri, self._loop(chain))
        self._current = chain
        try:
            with self._as_part_of(reader.function, chain):
                self._invoke(reader.function, object_created(written, self._now()))
        except ServiceError as error:
            return Called(reader.shown, reader.event, uri, problem_of(error))
        except Exception as error:  # noqa: BLE001 - who waits for the calls would wait for ever
            return Called(reader.shown, reader.event, uri, f"{type(error).__name__}: {error}")
        finally:
            self._current = ()
        return Called(reader.shown, reader.event, uri)

    @contextmanager
    def _as_part_of(self, function: str, chain: tuple[str, ...]) -> Iterator[None]:
        before = self._chains.get(function)
        self._chains[function] = chain
        try:
            yield
        finally:
            if before is None:
                self._chains.pop(function, None)
            else:
                self._chains[function] = before

    def _chain(self) -> tuple[str, ...]:
        """Give the calls that led to what this thread does; who is unknown belongs to the last."""
        name = self._writer.name
        return self._chains.get(name) or ((name,) if name in self._known else self._current)

    def _loop(self, chain: tuple[str, ...]) -> str:
        """Name the functions that call each other, from the last call back to the same one."""
        last = chain[-1]
        before = next((n for n in range(len(chain) - 2, -1, -1) if chain[n] == last), 0)
        names = " -> ".join(self._names.get(one, one) for one in chain[before:])
        return (
            f"a loop, cut after {MOST_DEEP} calls: {names}; what is written there calls "
            "again: let one of them write below a prefix that calls none of them"
        )


def object_created(written: Written, now: datetime) -> Json:
    """Make the event that S3 sends to EventBridge.

    Fields: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
    """
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": _ACCOUNT,
        "time": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "local",
        "resources": [f"arn:aws:s3:::{written.bucket}"],
        "detail": {
            "version": "0",
            "bucket": {"name": written.bucket},
            "object": {
                "key": written.key,
                "size": written.size,
                "etag": written.etag.strip('"'),
                "sequencer": f"{time.time_ns():018X}",
            },
            "request-id": secrets.token_hex(8).upper(),
            "requester": _ACCOUNT,
            "source-ip-address": "127.0.0.1",
            "reason": written.reason,
        },
    }
