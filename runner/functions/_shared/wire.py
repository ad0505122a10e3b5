"""HTTP for a function: connections that stay open, and patience with a busy other side.

In: a request to one host.  Out: the answer as it came; `UnreachableError` if none came.
"""

from __future__ import annotations

import http.client
import random
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses that ask for another try."""
_BROKEN = (OSError, http.client.HTTPException)
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.25, 8.0


class UnreachableError(Exception):
    """No answer came, however often it was tried."""


class Answer(NamedTuple):
    """What the other side said."""

    status: int
    body: bytes
    retry_after: str = ""

    @property
    def text(self) -> str:
        """Give the beginning of it for messages."""
        return self.body[:500].decode("utf-8", "replace").strip()


class Wire:
    """One host; safe to be used by several threads."""

    def __init__(
        self,
        url: str,
        *,
        timeout_s: float = 10.0,
        attempts: int = 5,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the URL's scheme and host; ValueError if it is no http(s) URL."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:  # it would quote the URL, which may be a secret
            host, port = "", None
        if not host or parts.scheme not in {"http", "https"}:
            raise ValueError("a URL that begins with https://")
        self._secure, self._host, self._port = parts.scheme == "https", host, port
        self._timeout_s = timeout_s
        self.attempts = attempts
        self.sleep = sleep
        self._idle: deque[http.client.HTTPConnection] = deque()

    def post(self, path: str, body: bytes, headers: Callable[[], Mapping[str, str]]) -> Answer:
        """Send it until the answer is not that the other side is busy; gives the last answer.

        `headers` is asked before every try, for signatures carry the time.
        """
        for attempt in range(self.attempts):
            last = attempt + 1 == self.attempts
            asked = headers()
            try:
                answer = self._once(path, body, asked)
            except _BROKEN as error:
                if last:
                    # Errors of the protocol quote the path, which may be a secret.
                    told = f": {error}" if isinstance(error, OSError) else ""
                    name = type(error).__name__
                    raise UnreachableError(f"{self._host}: {name}{told}") from None
                self.wait(attempt)
                continue
            if answer.status not in BUSY or last:
                break
            self.wait(attempt, answer.retry_after)
        return answer

    def wait(self, attempt: int, asked: str = "") -> None:
        """Wait before the next try: longer each time, never in step with others."""
        longest = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0**attempt)
        seconds = random.uniform(longest / 2, longest)  # noqa: S311 - it is no secret
        if asked.isdecimal():
            seconds = max(seconds, min(float(asked), _LONGEST_WAIT_S))
        self.sleep(seconds)

    def _once(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        try:
            connection, fresh = self._idle.pop(), False
        except IndexError:
            connection, fresh = self._connect(), True
        try:
            try:
                answer = self._exchange(connection, path, body, headers)
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                if fresh:
                    raise
                connection.close()  # it had been closed while it was idle; it opens anew by itself
                answer = self._exchange(connection, path, body, headers)
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        return answer

    @staticmethod
    def _exchange(
        connection: http.client.HTTPConnection, path: str, body: bytes, headers: Mapping[str, str]
    ) -> Answer:
        connection.request("POST", path, body, dict(headers))
        with connection.getresponse() as response:
            return Answer(response.status, response.read(), response.getheader("Retry-After") or "")

    def _connect(self) -> http.client.HTTPConnection:
        if self._secure:
            return http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout_s)
        return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_s)

    def close(self) -> None:
        """Close what is open."""
        while self._idle:
            self._idle.pop().close()
