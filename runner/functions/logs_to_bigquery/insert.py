"""Rows go to BigQuery by tabledata.insertAll, in batches, each row once.

In: rows.  Out: the rows that BigQuery will never take, with its reasons, and those that could not
be delivered now.  What is sent again carries the same insertId, so that BigQuery drops what it has.

https://cloud.google.com/bigquery/docs/reference/rest/v2/tabledata/insertAll: an answer of 200 may
name rows that were not inserted.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING or __package__:
    from .wire import UnreachableError
else:  # in Lambda the folder itself is on the path
    from wire import UnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .rows import Row
    from .wire import Answer, Wire

MOST_ROWS = 500
MOST_BYTES = 9_000_000
"""Of a request; BigQuery takes 10 MB."""
_HEAD, _TAIL = '{"skipInvalidRows":true,"rows":[', "]}"
_AGAIN = frozenset(
    {"stopped", "timeout", "backendError", "internalError", "rateLimitExceeded", "quotaExceeded"}
)
"""Reasons that pass by themselves. `stopped`: another row of the request was wrong."""
_LIMITED = frozenset({"rateLimitExceeded", "quotaExceeded"})
_AT_ONCE = 4
_OK, _UNAUTHORIZED, _FORBIDDEN, _TOO_LARGE = 200, 401, 403, 413
_BAD = 400


class Bearer(Protocol):
    """Gives tokens."""

    def get(self) -> str:
        """Give one that is valid."""

    def forget(self) -> None:
        """Do not give the last one again."""


class Rejected(NamedTuple):
    """A row that BigQuery will never take."""

    row: Row
    reason: str


class Sent(NamedTuple):
    """How rows were taken."""

    rejected: tuple[Rejected, ...] = ()
    undelivered: tuple[Row, ...] = ()
    trouble: str = ""
    """Why, of the last of the undelivered."""


class Table:
    """One table of BigQuery."""

    def __init__(self, wire: Wire, path: str, tokens: Bearer | None) -> None:
        """Take the way to BigQuery, the table's path, and whose tokens; None: an emulator."""
        self.wire, self._path, self.tokens = wire, path, tokens

    def insert(self, rows: Iterable[Row]) -> Sent:
        """Send rows; gives what is left of them."""
        chunks = list(_chunks(rows))
        if len(chunks) < 2:  # noqa: PLR2004 - one needs no thread
            return _joined([self._send(chunk) for chunk in chunks])
        with ThreadPoolExecutor(min(_AT_ONCE, len(chunks))) as pool:
            return _joined(pool.map(self._send, chunks))

    def _send(self, chunk: Sequence[Row]) -> Sent:
        """Send a batch until every row of it is in or given up."""
        rejected: list[Rejected] = []
        pending, trouble = chunk, ""
        for attempt in range(self.wire.attempts):
            if attempt:
                self.wire.wait(attempt)
            try:
                answer = self._post(pending)
            except (UnreachableError, OSError) as error:
                return Sent(tuple(rejected), tuple(pending), str(error))
            if answer.status == _OK:
                wrong, pending = _judged(pending, answer)
                rejected += wrong
                trouble = f"{len(pending)} rows were put off by BigQuery"
                if not pending:
                    return Sent(tuple(rejected))
                continue
            trouble = f"{answer.status} {answer.text}"
            if answer.status == _FORBIDDEN and _reason(answer) in _LIMITED:
                continue
            if answer.status == _TOO_LARGE or _is_too_large(answer):
                return _joined([Sent(tuple(rejected)), self._halved(pending, trouble)])
            break
        return Sent(tuple(rejected), tuple(pending), trouble)

    def _halved(self, rows: Sequence[Row], trouble: str) -> Sent:
        if len(rows) == 1:
            return Sent((Rejected(rows[0], trouble),))
        middle = len(rows) // 2
        return _joined([self._send(rows[:middle]), self._send(rows[middle:])])

    def _post(self, rows: Sequence[Row]) -> Answer:
        body = f"{_HEAD}{','.join([row.text for row in rows])}{_TAIL}".encode("ascii")
        answer = self.wire.post(self._path, body, self._headers)
        if answer.status == _UNAUTHORIZED and self.tokens is not None:
            self.tokens.forget()
            answer = self.wire.post(self._path, body, self._headers)
        return answer

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json"}
        if self.tokens is not None:
            headers["Authorization"] = f"Bearer {self.tokens.get()}"
        return headers


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Cut rows into requests; a row that is too large for any is sent alone, to be told so."""
    chunk: list[Row] = []
    size = 0
    for row in rows:
        length = len(row.text) + 1
        if chunk and (len(chunk) == MOST_ROWS or size + length > MOST_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(row)
        size += length
    if chunk:
        yield chunk


def _judged(rows: Sequence[Row], answer: Answer) -> tuple[list[Rejected], list[Row]]:
    """Tell the rows of a batch that are wrong from those to send again; the others are in."""
    wrong: list[Rejected] = []
    again: list[Row] = []
    for entry in json.loads(answer.body).get("insertErrors", ()):
        row = rows[int(entry.get("index", 0))]
        errors = entry.get("errors") or [{}]
        if all(error.get("reason") in _AGAIN for error in errors):
            again.append(row)
        else:
            told = "; ".join(
                f"{one.get('reason', '')} {one.get('location', '')}: {one.get('message', '')}"
                for one in errors
            )
            wrong.append(Rejected(row, told))
    return wrong, again


def _error(answer: Answer) -> dict[str, object]:
    try:
        said = json.loads(answer.body)["error"]
    except (ValueError, KeyError, TypeError):
        return {}
    return said if isinstance(said, dict) else {}


def _reason(answer: Answer) -> str:
    match _error(answer):
        case {"errors": [{"reason": str(reason)}, *_]}:
            return reason
    return ""


def _is_too_large(answer: Answer) -> bool:
    message = str(_error(answer).get("message", "")).lower()
    return answer.status == _BAD and ("too large" in message or "size exceeded" in message)


def _joined(parts: Iterable[Sent]) -> Sent:
    found = list(parts)
    return Sent(
        tuple(one for part in found for one in part.rejected),
        tuple(row for part in found for row in part.undelivered),
        next((part.trouble for part in reversed(found) if part.undelivered), ""),
    )
