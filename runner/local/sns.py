"""SNS on this machine: a message becomes a line of a file.

In: the arguments of `sns:publish`.  Out: the message's id; the line is JSON with topic, subject,
message and time, for people to read and for tests to count.
"""

from __future__ import annotations

import json
import os
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.model.ports import Json, ServiceError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping
    from pathlib import Path

_MAX_BYTES = 262_144
_MAX_SUBJECT = 99
_MORE = ("MessageAttributes", "MessageGroupId", "MessageDeduplicationId")
"""What a line holds beside topic, subject and text, where a message has it."""


@dataclass(frozen=True, slots=True)
class Sns:
    """The topics of one environment; every topic exists."""

    path: Path
    """The JSON-lines file that all topics share."""
    now: Callable[[], dt.datetime]

    def __call__(self, action: str, arguments: Mapping[str, Json]) -> Json:
        """Serve `publish`; anything else is refused by name."""
        if action != "publish":
            raise ServiceError("States.Runtime", f"sns:{action} is not known locally; publish is")
        message, subject = _checked(arguments)
        message_id = str(uuid.uuid4())
        line = {
            "MessageId": message_id,
            "TopicArn": arguments["TopicArn"],
            "Subject": subject,
            "Message": message,
            "Timestamp": self.now().isoformat(),
            **{name: arguments[name] for name in _MORE if name in arguments},
        }
        self._append(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        return {"MessageId": message_id, "SdkHttpMetadata": {"HttpStatusCode": 200}}

    def _append(self, line: bytes) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)


def _checked(arguments: Mapping[str, Json]) -> tuple[str, str]:
    """Give message and subject; refuse what SNS refuses."""
    if not arguments.get("TopicArn"):
        raise ServiceError("SNS.InvalidParameterException", "Invalid parameter: TopicArn")
    message = arguments.get("Message")
    if message is None or message == "":
        raise ServiceError("SNS.InvalidParameterException", "Invalid parameter: Empty message")
    text = message if isinstance(message, str) else json.dumps(message)
    if len(text.encode()) > _MAX_BYTES:
        raise ServiceError("SNS.InvalidParameterException", "Invalid parameter: Message too long")
    subject = arguments.get("Subject") or ""
    if len(subject) > _MAX_SUBJECT or not subject.isascii():
        raise ServiceError("SNS.InvalidParameterException", "Invalid parameter: Subject")
    _check_order(arguments)
    return text, subject


def _check_order(arguments: Mapping[str, Json]) -> None:
    """Refuse what SNS refuses of groups: a FIFO topic needs one."""
    ordered = str(arguments["TopicArn"]).endswith(".fifo")
    if ordered and not arguments.get("MessageGroupId"):
        raise ServiceError(
            "SNS.InvalidParameterException",
            "Invalid parameter: The MessageGroupId parameter is required for FIFO topics",
        )
