"""Lines of CloudWatch logs: read since an instant, and on as they come.

In: a session, a log group, a filter.  Out: `Line`s, the oldest first.  The API allows a few calls
a second for an account; whoever follows waits between them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from runner.aws.refusals import refusals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_logs import CloudWatchLogsClient

    from runner.aws.session import Session

_MILLIS = 1000


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """One line."""

    time: datetime
    group: str
    stream: str
    message: str


@dataclass(slots=True)
class Group:
    """One log group, read on from where the last read ended."""

    session: Session
    name: str
    since: datetime
    pattern: str = ""
    """In CloudWatch's filter language; everything if empty."""
    missing: bool = False
    """Whether there is no such log group (yet)."""
    _seen: set[str] = field(default_factory=set)
    """Ids of the lines of the newest instants: they are read again."""

    def read(self) -> Iterator[Line]:
        """Give the lines since the last read."""
        client: CloudWatchLogsClient = self.session.client("logs")
        newest = self.since
        more: dict[str, Any] = {"filterPattern": self.pattern} if self.pattern else {}
        seen: set[str] = set()
        while True:
            with refusals(f"read the log group {self.name}"):
                try:
                    page = client.filter_log_events(
                        logGroupName=self.name, startTime=_millis(self.since), **more
                    )
                except client.exceptions.ResourceNotFoundException:
                    self.missing = True
                    return
            self.missing = False
            for found in page["events"]:
                seen.add(found["eventId"])
                when = datetime.fromtimestamp(found["timestamp"] / _MILLIS, UTC)
                newest = max(newest, when)
                if found["eventId"] not in self._seen:
                    stream = found.get("logStreamName", "")
                    yield Line(when, self.name, stream, found["message"].rstrip())
            if not page.get("nextToken"):
                break
            more["nextToken"] = page["nextToken"]
        self.since, self._seen = newest, seen


def _millis(when: datetime) -> int:
    return int(when.timestamp() * _MILLIS)
