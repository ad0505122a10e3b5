"""Indexes what CloudWatch Logs sends in OpenSearch or Elasticsearch, for dashboards.

In: the event of a subscription filter, or a Kinesis batch that one writes to.  Out: counts; for
Kinesis the records to send again.  Settings are environment variables, listed in function.yaml.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING or __package__:
    from .access import Anonymous, Basic, Signed, service_of
    from .bulk import Cluster
    from .documents import make_documents
    from .letters import keep
    from .payload import Batch, Unreadable, read_batches
    from .wire import Wire
else:  # in Lambda the folder itself is on the path
    from access import Anonymous, Basic, Signed, service_of
    from bulk import Cluster
    from documents import make_documents
    from letters import keep
    from payload import Batch, Unreadable, read_batches
    from wire import Wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .access import Access
    from .bulk import Sent

_PREFIX = re.compile(r"[a-z0-9.][a-z0-9._-]{0,199}\Z")


class NotDeliveredError(Exception):
    """Documents are not indexed; the invocation is to be repeated."""


class Indexer(NamedTuple):
    """What an invocation needs."""

    cluster: Cluster
    prefix: str
    parse: bool
    dead_letters: str


def handler(event: Mapping[str, object], context: object) -> dict[str, object]:  # noqa: ARG001
    """Index the log events of an invocation."""
    used = indexer()
    found = list(read_batches(event))
    broken = [one for one in found if isinstance(one, Unreadable)]
    batches = [one for one in found if isinstance(one, Batch)]
    documents = [
        one for batch in batches for one in make_documents(batch, used.prefix, parse=used.parse)
    ]
    sent = used.cluster.index(documents)
    keep(_letters(broken, sent), used.dead_letters, day=_day(batches))
    count = len(documents) - len(sent.rejected) - len(sent.undelivered)
    print(f"{count} indexed, {len(sent.rejected)} refused, {len(sent.undelivered)} left over")
    told = {"indexed": count, "refused": len(sent.rejected), "unreadable": len(broken)}
    if sent.undelivered:
        indexer.cache_clear()  # the password may have changed
        used.cluster.wire.close()
    if sent.undelivered and not sent.undelivered[0].record:
        raise NotDeliveredError(f"{len(sent.undelivered)} documents: {sent.trouble}")
    if sent.undelivered:
        print(f"to be sent again: {sent.trouble}")
    again = dict.fromkeys(one.record for one in sent.undelivered)
    return {**told, "batchItemFailures": [{"itemIdentifier": one} for one in again]}


def _letters(broken: list[Unreadable], sent: Sent) -> Iterator[dict[str, object]]:
    for one in broken:
        yield {"reason": one.reason, "record": one.record, "data": one.data}
    for refused in sent.rejected:
        yield {"reason": refused.reason, **refused.document.event._asdict()}


def _day(batches: list[Batch]) -> dt.date:
    """Give the day of the first event, so that what is repeated has the same name; else today."""
    for batch in batches:
        for one in batch.events:
            try:
                return dt.datetime.fromtimestamp(one.time_ms / 1000, dt.UTC).date()
            except (ValueError, OverflowError, OSError):
                continue
    return dt.datetime.now(dt.UTC).date()


@cache
def indexer() -> Indexer:
    """Read the settings, once; ValueError names the variable that is wrong."""
    endpoint = os.environ.get("ENDPOINT", "")
    try:
        wire = Wire(endpoint, timeout_s=30)
    except ValueError as error:
        raise ValueError(f"ENDPOINT is {endpoint!r}; expected {error}") from None
    if urlsplit(endpoint).path not in {"", "/"}:
        raise ValueError(f"ENDPOINT is {endpoint!r}; expected a URL without a path")
    prefix = os.environ.get("INDEX_PREFIX") or "logs-"
    if _PREFIX.match(prefix) is None:
        raise ValueError(
            f"INDEX_PREFIX is {prefix!r}; expected small letters, digits, '.', '_' and '-', "
            "one of the first three in front"
        )
    parse = os.environ.get("PARSE") or "yes"
    if parse not in {"yes", "no"}:
        raise ValueError(f"PARSE is {parse!r}; expected yes or no")
    dead = os.environ.get("DEAD_LETTERS", "")
    if dead and not re.match(r"s3://[a-z0-9][a-z0-9.-]+(/|\Z)", dead):
        raise ValueError(f"DEAD_LETTERS is {dead!r}; expected s3://bucket/prefix/")
    return Indexer(Cluster(wire, _access(endpoint)), prefix, parse == "yes", dead)


def _access(endpoint: str) -> Access:
    """Find out who asks: the secret's user, else for AWS's addresses the function's role."""
    arn = os.environ.get("SECRET_ARN", "")
    if arn:
        import boto3  # noqa: PLC0415 - only where AWS is asked

        secret = boto3.client("secretsmanager").get_secret_value(SecretId=arn)
        try:
            return Basic(secret["SecretString"])
        except ValueError as error:
            raise ValueError(f"SECRET_ARN leads to another secret; expected {error}") from None
    service, region = service_of(endpoint)
    named = os.environ.get("SIGN_AS") or service
    if not named:
        return Anonymous()
    if named not in {"es", "aoss"}:
        raise ValueError(f"SIGN_AS is {named!r}; expected es, or aoss for a serverless collection")
    return _signed(endpoint, named, region or os.environ.get("AWS_REGION", ""))


def _signed(endpoint: str, service: str, region: str) -> Signed:
    import boto3  # noqa: PLC0415 - only where AWS is asked

    credentials = boto3.Session().get_credentials()
    if credentials is None:
        raise ValueError("no credentials of AWS are there to sign requests with")
    return Signed(endpoint, credentials, service=service, region=region)
