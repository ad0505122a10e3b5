"""Loads what CloudWatch Logs sends into a table of BigQuery, a row for each log event.

In: the event of a subscription filter, or a Kinesis batch that one writes to.  Out: counts; for
Kinesis the records to send again.  Settings are environment variables, listed in function.yaml.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING or __package__:
    from .insert import Table
    from .letters import keep
    from .payload import Batch, Unreadable, read_batches
    from .rows import Fields, make_row
    from .service_account import Tokens, read_account
    from .wire import Wire
else:  # in Lambda the folder itself is on the path
    from insert import Table
    from letters import keep
    from payload import Batch, Unreadable, read_batches
    from rows import Fields, make_row
    from service_account import Tokens, read_account
    from wire import Wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .insert import Sent

SCOPE = "https://www.googleapis.com/auth/bigquery.insertdata"
_API = "https://bigquery.googleapis.com"
_TABLE = re.compile(r"([a-z][a-z0-9.:-]+)\.([A-Za-z0-9_]+)\.([A-Za-z0-9_]+)\Z")


class NotDeliveredError(Exception):
    """Rows are not in BigQuery; the invocation is to be repeated."""


class Loader(NamedTuple):
    """What an invocation needs."""

    table: Table
    fields: Fields
    dead_letters: str


def handler(event: Mapping[str, object], context: object) -> dict[str, object]:  # noqa: ARG001
    """Load the log events of an invocation."""
    used = loader()
    found = list(read_batches(event))
    broken = [one for one in found if isinstance(one, Unreadable)]
    batches = [one for one in found if isinstance(one, Batch)]
    rows = [make_row(one, batch.record, used.fields) for batch in batches for one in batch.events]
    sent = used.table.insert(rows)
    keep(_letters(broken, sent), used.dead_letters, day=_day(batches))
    count = len(rows) - len(sent.rejected) - len(sent.undelivered)
    print(f"{count} rows loaded, {len(sent.rejected)} refused, {len(sent.undelivered)} left over")
    told = {"loaded": count, "refused": len(sent.rejected), "unreadable": len(broken)}
    if sent.undelivered:
        loader.cache_clear()  # the key may have changed
        used.table.wire.close()
    if sent.undelivered and not sent.undelivered[0].record:
        raise NotDeliveredError(f"{len(sent.undelivered)} rows: {sent.trouble}")
    if sent.undelivered:
        print(f"to be sent again: {sent.trouble}")
    again = dict.fromkeys(row.record for row in sent.undelivered)
    return {**told, "batchItemFailures": [{"itemIdentifier": one} for one in again]}


def _letters(broken: list[Unreadable], sent: Sent) -> Iterator[dict[str, object]]:
    return chain(
        ({"reason": one.reason, "record": one.record, "data": one.data} for one in broken),
        ({"reason": one.reason, **one.row.event._asdict()} for one in sent.rejected),
    )


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
def loader() -> Loader:
    """Read the settings, once; ValueError names the variable that is wrong."""
    named = os.environ.get("TABLE", "")
    if (match := _TABLE.match(named)) is None:
        raise ValueError(f"TABLE is {named!r}; expected project.dataset.table")
    project, dataset, table = match.groups()
    path = f"/bigquery/v2/projects/{project}/datasets/{dataset}/tables/{table}/insertAll"
    dead = os.environ.get("DEAD_LETTERS", "")
    if dead and not re.match(r"s3://[a-z0-9][a-z0-9.-]+(/|\Z)", dead):
        raise ValueError(f"DEAD_LETTERS is {dead!r}; expected s3://bucket/prefix/")
    fields = Fields(
        session=os.environ.get("SESSION_FIELD") or "session_id",
        action=os.environ.get("ACTION_FIELD") or "action",
        params=os.environ.get("PARAMS_FIELD") or "params",
        time=os.environ.get("TIME_FIELD", ""),
    )
    if emulator := os.environ.get("BIGQUERY_EMULATOR_HOST", ""):
        url = emulator if "://" in emulator else f"http://{emulator}"
        return Loader(Table(_wire("BIGQUERY_EMULATOR_HOST", url), path, None), fields, dead)
    return Loader(Table(Wire(_API, timeout_s=30), path, tokens_of_secret()), fields, dead)


def tokens_of_secret() -> Tokens:
    """Read the key that SECRET_ARN names; ValueError if it is none."""
    arn = os.environ.get("SECRET_ARN", "")
    if not arn.startswith("arn:"):
        raise ValueError(f"SECRET_ARN is {arn!r}; expected the ARN of the service account's key")
    import boto3  # noqa: PLC0415 - not where an emulator needs no secret

    secret = boto3.client("secretsmanager").get_secret_value(SecretId=arn)
    try:
        account = read_account(secret["SecretString"])
        return Tokens(account, Wire(account.token_uri), scope=SCOPE)
    except ValueError as error:
        raise ValueError(f"SECRET_ARN leads to no key: {error}") from None


def _wire(variable: str, url: str) -> Wire:
    try:
        return Wire(url, timeout_s=30)
    except ValueError as error:
        raise ValueError(f"{variable} is {url!r}; expected {error}") from None
