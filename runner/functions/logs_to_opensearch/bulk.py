"""Documents go to OpenSearch or Elasticsearch by `_bulk`, each once.

In: documents.  Out: those that the index will never take, with its reasons, and those that could
not be delivered now.  They are created, not written over: what is there already (409) is done.

An answer of 200 may say of any document that it was refused.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

if TYPE_CHECKING or __package__:
    from .wire import BUSY, UnreachableError
else:  # in Lambda the folder itself is on the path
    from wire import BUSY, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .access import Access
    from .documents import Document
    from .wire import Answer, Wire

MOST_DOCUMENTS = 2_000
MOST_BYTES = 5_000_000
"""Of a request; small domains take 10 MiB."""
PATH = "/_bulk"
_ASKED = f"{PATH}?filter_path={quote('errors,items.*.status,items.*.error', safe='')}"
"""Quoted as AWS quotes it, who checks the signature: the signer takes the query as it stands."""
_OK, _EXISTS, _TOO_LARGE, _FIRST_WRONG = 200, 409, 413, 300


class Rejected(NamedTuple):
    """A document that the index will never take."""

    document: Document
    reason: str


class Sent(NamedTuple):
    """How documents were taken."""

    rejected: tuple[Rejected, ...] = ()
    undelivered: tuple[Document, ...] = ()
    trouble: str = ""
    """Why, of the last of the undelivered."""


class Cluster:
    """A domain, a collection or a cluster."""

    def __init__(self, wire: Wire, access: Access) -> None:
        """Take the way there and who asks."""
        self.wire, self.access = wire, access

    def index(self, documents: Iterable[Document]) -> Sent:
        """Send documents; gives what is left of them."""
        return _joined([self._send(chunk) for chunk in _chunks(documents)])

    def _send(self, chunk: Sequence[Document]) -> Sent:
        rejected: list[Rejected] = []
        pending, trouble = chunk, ""
        for attempt in range(self.wire.attempts):
            if attempt:
                self.wire.wait(attempt)
            try:
                answer = self._post(pending)
            except (UnreachableError, OSError) as error:
                return Sent(tuple(rejected), tuple(pending), str(error))
            if answer.status == _TOO_LARGE:
                left = Sent(tuple(rejected))
                return _joined([left, self._halved(pending, answer.text)])
            if answer.status != _OK:
                trouble = f"{answer.status} {answer.text}"
                break
            wrong, pending, trouble = _judged(pending, answer)
            rejected += wrong
            if not pending:
                break
        return Sent(tuple(rejected), tuple(pending), trouble if pending else "")

    def _halved(self, documents: Sequence[Document], trouble: str) -> Sent:
        if len(documents) == 1:
            return Sent((Rejected(documents[0], f"{_TOO_LARGE} {trouble}"),))
        middle = len(documents) // 2
        return _joined([self._send(documents[:middle]), self._send(documents[middle:])])

    def _post(self, documents: Sequence[Document]) -> Answer:
        body = "".join([one.text for one in documents]).encode("ascii")
        return self.wire.post(_ASKED, body, lambda: self.access.headers(_ASKED, body))


def _judged(
    documents: Sequence[Document], answer: Answer
) -> tuple[list[Rejected], list[Document], str]:
    """Tell the documents that are wrong from those to send again; the others are in."""
    said = json.loads(answer.body)
    if not said.get("errors"):
        return [], [], ""
    wrong: list[Rejected] = []
    again: list[Document] = []
    trouble = ""
    for document, item in zip(documents, said["items"], strict=True):
        ((_, result),) = item.items()
        status = int(result["status"])
        if status < _FIRST_WRONG or status == _EXISTS:
            continue
        told = f"{status} {_reason(result.get('error'))}"
        if status in BUSY:
            again.append(document)
            trouble = told
        else:
            wrong.append(Rejected(document, told))
    return wrong, again, trouble


def _reason(error: object) -> str:
    """Write an item's error, down to what caused it."""
    if not isinstance(error, dict) or "reason" not in error:
        return str(error or "")
    within = _reason(error.get("caused_by"))
    return f"{error.get('type')}: {error['reason']}{f' ({within})' if within else ''}"


def _chunks(documents: Iterable[Document]) -> Iterator[list[Document]]:
    chunk: list[Document] = []
    size = 0
    for one in documents:
        if chunk and (len(chunk) == MOST_DOCUMENTS or size + len(one.text) > MOST_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(one)
        size += len(one.text)
    if chunk:
        yield chunk


def _joined(parts: Iterable[Sent]) -> Sent:
    found = list(parts)
    return Sent(
        tuple(one for part in found for one in part.rejected),
        tuple(one for part in found for one in part.undelivered),
        next((part.trouble for part in reversed(found) if part.undelivered), ""),
    )
