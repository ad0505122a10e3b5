"""A message to people: to a topic of SNS, to a webhook that takes what Slack's takes, or to both.

In: a subject and a text.  Out: nothing if at least one target has it; `NotToldError` if none has,
so that the invocation is repeated.  The webhook's URL is a secret: no message shows it.
"""

from __future__ import annotations

import json
import os
from functools import cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING or __package__:
    from .wire import UnreachableError, Wire
else:  # in Lambda the folder itself is on the path
    from wire import UnreachableError, Wire

_MOST_SUBJECT = 99
_MOST_BYTES = 250_000
"""Of a message to SNS, which takes 262,144."""
_MOST_LETTERS = 30_000
"""Of a message to Slack, which takes 40,000."""
_OK = range(200, 300)


class NotToldError(Exception):
    """No target took the message; the invocation is to be repeated."""


class Targets(NamedTuple):
    """Where messages go."""

    topic: str
    wire: Wire | None
    """To the webhook."""
    path: str = ""


def deliver(targets: Targets, subject: str, text: str) -> None:
    """Tell it to every target; what one of several refuses is in the log."""
    troubles: list[str] = []
    told = 0
    for name, send in (("SNS", _to_topic), ("webhook", _to_webhook)):
        trouble = send(targets, subject, text)
        if trouble:
            print(f"not told by {name}: {trouble}")
            troubles.append(f"{name}: {trouble}")
        told += trouble == ""
    if not told:
        read_targets.cache_clear()  # the secret may have changed
        if targets.wire is not None:
            targets.wire.close()
        raise NotToldError("; ".join(troubles))


def _to_topic(targets: Targets, subject: str, text: str) -> str | None:
    """Publish; gives why not, and None where there is no topic."""
    if not targets.topic:
        return None
    import boto3  # noqa: PLC0415 - only where there is a topic
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - likewise

    message = text.encode("utf-8", "replace")[:_MOST_BYTES].decode("utf-8", "ignore")
    try:
        boto3.client("sns").publish(
            TopicArn=targets.topic, Subject=_subject(subject), Message=message or subject
        )
    except (BotoCoreError, ClientError) as error:
        return str(error)
    return ""


def _subject(text: str) -> str:
    """Make a subject that SNS takes: one line of ASCII, below 100 characters."""
    line = " ".join(text.encode("ascii", "replace").decode().split())
    printable = "".join(letter for letter in line if letter.isprintable())
    return printable if len(printable) <= _MOST_SUBJECT else f"{printable[: _MOST_SUBJECT - 3]}..."


def _to_webhook(targets: Targets, subject: str, text: str) -> str | None:
    """Post; gives why not, and None where there is no webhook."""
    if targets.wire is None:
        return None
    plain = f"{subject}\n{text}".encode("utf-8", "replace").decode()[:_MOST_LETTERS]
    escaped = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    body = json.dumps({"text": escaped}).encode()
    try:
        answer = targets.wire.post(targets.path, body, lambda: {"Content-Type": "application/json"})
    except UnreachableError as error:
        return str(error)
    return "" if answer.status in _OK else f"{answer.status} {answer.text}"


@cache
def read_targets() -> Targets:
    """Read TOPIC_ARN, SECRET_ARN and WEBHOOK_URL, once; ValueError names the one that is wrong."""
    topic = os.environ.get("TOPIC_ARN", "")
    if topic and not topic.startswith("arn:"):
        raise ValueError(f"TOPIC_ARN is {topic!r}; expected the ARN of a topic")
    url = _secret_url() or os.environ.get("WEBHOOK_URL", "")
    if not topic and not url:
        raise ValueError(
            "TOPIC_ARN and SECRET_ARN are missing; expected one of them at least: the ARN of a "
            "topic, the ARN of the secret that is the webhook's URL"
        )
    if not url:
        return Targets(topic, None)
    try:
        wire, parts = Wire(url), urlsplit(url)
    except ValueError as error:
        raise ValueError(f"the webhook's URL is wrong; expected {error}") from None
    path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    if not (path.isascii() and path.isprintable()) or " " in path:
        raise ValueError("the webhook's URL is wrong; expected ASCII without blanks")
    return Targets(topic, wire, path)


def _secret_url() -> str:
    """Read the URL from the secret: as it stands, or as {"url": ...}."""
    arn = os.environ.get("SECRET_ARN", "")
    if not arn:
        return ""
    import boto3  # noqa: PLC0415 - only where there is a secret

    secret = boto3.client("secretsmanager").get_secret_value(SecretId=arn)
    text = str(secret["SecretString"]).strip()
    if not text.startswith("{"):
        return text
    try:
        return str(json.loads(text)["url"])
    except (ValueError, KeyError, TypeError):
        raise ValueError(
            'SECRET_ARN leads to another secret; expected a URL, or {"url": ...}'
        ) from None
