"""What alarms remember: counts, which payloads are counted, and what has been told.

In a table of DynamoDB, which all invocations share; without one in this process, which knows only
what came to itself.  A payload is counted once, however often it is sent.  Who tells people first
takes a short lease: if it dies meanwhile, the next one tells them, and nobody else does at the
same time.
"""

from __future__ import annotations

import hashlib
import random
import time
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING or __package__:
    from .rule import PARTS, Count
else:  # in Lambda the folder itself is on the path
    from rule import PARTS, Count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

LEASE_S = 60
_KEPT_S = 86_400
"""Counts and payloads are forgotten a day after the last window that they may count in."""
_MOST_UPDATES = 99
"""Of a transaction, which has 100 items: the payload's own is one."""
_MOST_KEYS = 100
_MOST_KEPT = 10_000
_ATTEMPTS = 8


class Memory(Protocol):
    """Remembers for one rule."""

    def add(self, ids: Iterable[str], counts: Mapping[int, Count]) -> None:
        """Add the counts of a payload, unless its events are counted already."""

    def read(self, parts: Iterable[int]) -> dict[int, Count]:
        """Give the counts of tenths."""

    def claim(self, time_ms: int) -> bool:
        """Take the telling of an incident at a time; False if it is told, or being told."""

    def settle(self, until_ms: int) -> None:
        """Note that it is told: nothing before this time is another incident."""

    def release(self) -> None:
        """Give the telling back."""


class ProcessMemory:
    """In this process."""

    def __init__(self) -> None:
        """Know nothing."""
        self._counts: dict[int, Count] = {}
        self._seen: dict[str, None] = {}
        self._until_ms: int | None = None

    def add(self, ids: Iterable[str], counts: Mapping[int, Count]) -> None:
        """Add the counts of a payload, unless its events are counted already."""
        digest = _digest(ids)
        if digest in self._seen:
            return
        self._seen[digest] = None
        for part, count in counts.items():
            self._counts[part] = self._counts.get(part, Count()) + count
        while len(self._seen) > _MOST_KEPT:
            del self._seen[next(iter(self._seen))]
        while len(self._counts) > _MOST_KEPT:
            del self._counts[next(iter(self._counts))]

    def read(self, parts: Iterable[int]) -> dict[int, Count]:
        """Give the counts of tenths."""
        return {part: self._counts[part] for part in parts if part in self._counts}

    def claim(self, time_ms: int) -> bool:
        """Take the telling of an incident at a time; False if it is told."""
        return self._until_ms is None or time_ms > self._until_ms

    def settle(self, until_ms: int) -> None:
        """Note that it is told: nothing before this time is another incident."""
        self._until_ms = until_ms

    def release(self) -> None:
        """Do nothing: nobody else is here."""


class TableMemory:
    """In a table with the key `id` (S), whose items expire by `expires`."""

    def __init__(
        self,
        client: Any,  # noqa: ANN401 - boto3 makes its classes at run time
        table: str,
        name: str,
        *,
        part_ms: int,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        most_updates: int = _MOST_UPDATES,
    ) -> None:
        """Take a client of DynamoDB, the table, the rule's name and tenth, and the clock."""
        self._sleep, self._most_updates = sleep, most_updates
        self._client, self._table, self._name = client, table, name
        self._part_ms, self._now = part_ms, now

    def add(self, ids: Iterable[str], counts: Mapping[int, Count]) -> None:
        """Add the counts of a payload, unless its events are counted already."""
        digest, parts = _digest(ids), sorted(counts)
        for at in range(0, len(parts), self._most_updates):
            chosen = parts[at : at + self._most_updates]
            seen = {"id": {"S": f"{self._name}#seen#{digest}#{at}"}, "expires": self._expires()}
            first = {
                "Put": {
                    "TableName": self._table,
                    "Item": seen,
                    "ConditionExpression": "attribute_not_exists(id)",
                }
            }
            updates = [{"Update": self._update(part, counts[part])} for part in chosen]
            self._transact([first, *updates])

    def _transact(self, items: list[dict[str, Any]]) -> None:
        """Write all or nothing; other payloads that count the same tenths make it wait."""
        for attempt in range(_ATTEMPTS):
            try:
                self._client.transact_write_items(TransactItems=items)
            except self._client.exceptions.TransactionCanceledException as error:
                reasons = error.response.get("CancellationReasons") or [{}]
                if reasons[0].get("Code") == "ConditionalCheckFailed":
                    return  # it is counted already
                if attempt + 1 == _ATTEMPTS:
                    raise
                self._pause(attempt)
            else:
                return

    def _pause(self, attempt: int) -> None:
        """Wait before the next try: longer each time, never in step with others."""
        self._sleep(random.uniform(0, 0.05 * 2.0**attempt))  # noqa: S311 - no secret

    def _update(self, part: int, count: Count) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "Key": self._key(part),
            "UpdateExpression": "ADD matching :m, all_events :t SET expires = :e",
            "ExpressionAttributeValues": {
                ":m": {"N": str(count.matches)},
                ":t": {"N": str(count.total)},
                ":e": self._expires(),
            },
        }

    def _key(self, part: int) -> dict[str, Any]:
        return {"id": {"S": f"{self._name}#count#{self._part_ms}#{part}"}}

    def _expires(self) -> dict[str, str]:
        return {"N": str(int(self._now()) + _KEPT_S + PARTS * self._part_ms // 1000)}

    def read(self, parts: Iterable[int]) -> dict[int, Count]:
        """Give the counts of tenths."""
        found: dict[int, Count] = {}
        keys = [self._key(part) for part in parts]
        put_off = 0
        while keys:
            asked = {"Keys": keys[:_MOST_KEYS], "ConsistentRead": True}
            answer = self._client.batch_get_item(RequestItems={self._table: asked})
            left = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
            keys = [*left, *keys[_MOST_KEYS:]]
            if left:
                self._pause(put_off := min(put_off + 1, _ATTEMPTS))
            for item in answer["Responses"].get(self._table, ()):
                part = int(item["id"]["S"].rpartition("#")[2])
                found[part] = Count(int(item["matching"]["N"]), int(item["all_events"]["N"]))
        return found

    def claim(self, time_ms: int) -> bool:
        """Take the telling of an incident at a time; False if it is told, or being told."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key={"id": {"S": f"{self._name}#told"}},
                UpdateExpression="SET lease_s = :lease",
                ConditionExpression="(attribute_not_exists(until_ms) OR until_ms < :at) "
                "AND (attribute_not_exists(lease_s) OR lease_s < :now)",
                ExpressionAttributeValues={
                    ":at": {"N": str(time_ms)},
                    ":now": {"N": str(int(self._now()))},
                    ":lease": {"N": str(int(self._now()) + LEASE_S)},
                },
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def settle(self, until_ms: int) -> None:
        """Note that it is told: nothing before this time is another incident."""
        self._told("SET until_ms = :until REMOVE lease_s", {":until": {"N": str(until_ms)}})

    def release(self) -> None:
        """Give the telling back."""
        self._told("REMOVE lease_s", {})

    def _told(self, expression: str, values: Mapping[str, Any]) -> None:
        more = {"ExpressionAttributeValues": values} if values else {}
        self._client.update_item(
            TableName=self._table,
            Key={"id": {"S": f"{self._name}#told"}},
            UpdateExpression=expression,
            **more,
        )


def _digest(ids: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(ids).encode("utf-8", "replace")).hexdigest()[:32]
