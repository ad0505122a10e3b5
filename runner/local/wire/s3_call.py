"""What a request asks of S3: bucket, key, and the options in query and headers.

In: a request; its host may name the bucket (`bucket.localhost`, `bucket.s3.region.amazonaws.com`).
Out: a `Call`; a path that cannot be read is refused.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote_to_bytes

from runner.local.wire.s3_errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.local.wire.messages import Request

_HOST = re.compile(
    r"(?P<bucket>.+?)\.(?:s3(?:[.-][a-z0-9-]+)*?\.)?(?:localhost(?:\..+)?|amazonaws\.com(?:\.cn)?)"
)
_SERVICE = re.compile(r"s3(?:[.-][a-z0-9-]+)*?\.(?:localhost(?:\..+)?|amazonaws\.com(?:\.cn)?)")
_LONGEST_KEY = 1024
_WEEK = 7 * 24 * 3600


class Call(NamedTuple):
    """A request as S3 sees it."""

    method: str
    bucket: str
    key: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case; options that a presigned URL carries in its query are among them."""
    request: Request

    def number(self, name: str, default: int, *, most: int = 2**31 - 1) -> int:
        """Give a number of the query."""
        text = self.query.get(name, "")
        if not text:
            return default
        if not text.isascii() or not text.isdigit() or int(text) > most:
            raise Refused(
                "InvalidArgument",
                f"Argument {name} must be an integer between 0 and {most}",
                ArgumentName=name,
                ArgumentValue=text,
            )
        return int(text)


def read_call(request: Request) -> Call:
    """Find bucket and key in host and path."""
    bucket = bucket_of_host(request.headers.get("host", ""))
    rest = request.path.removeprefix("/")
    if not bucket:
        name, _, rest = rest.partition("/")
        bucket = _decoded(name)
        if not bucket.isprintable():
            raise Refused("InvalidURI", URI=name)
    key = _decoded(rest)
    if len(key.encode()) > _LONGEST_KEY:
        raise Refused(
            "KeyTooLongError", Size=str(len(key.encode())), MaxSizeAllowed=str(_LONGEST_KEY)
        )
    query = dict(request.query)
    options = {name.lower(): value for name, value in query.items() if _is_option(name)}
    return Call(request.method, bucket, key, query, {**options, **request.headers}, request)


def bucket_of_host(host: str) -> str:
    """Give the bucket that a host's name begins with; "" where the path begins with it.

    >>> bucket_of_host("lake.localhost:4566"), bucket_of_host("127.0.0.1:4566")
    ('lake', '')
    >>> bucket_of_host("my.lake.s3.eu-west-1.amazonaws.com"), bucket_of_host("s3.localhost")
    ('my.lake', '')
    """
    name = host.lower() if host.endswith("]") else re.sub(r":\d*$", "", host.lower())
    found = _HOST.fullmatch(name)
    return found["bucket"] if found and not _SERVICE.fullmatch(name) else ""


def refuse_expired(query: Mapping[str, str], now: datetime) -> None:
    """Refuse a presigned URL whose time has passed; signatures themselves are not checked."""
    try:
        if "X-Amz-Expires" in query:
            signed = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            ends = signed + timedelta(seconds=_seconds(query["X-Amz-Expires"]))
        elif "Signature" in query and "Expires" in query:
            ends = datetime.fromtimestamp(int(query["Expires"]), tz=UTC)
        else:
            return
    except (KeyError, ValueError, OverflowError, OSError):
        raise Refused(
            "AccessDenied", "Query-string authentication needs a date and a time to expire"
        ) from None
    if now > ends:
        raise Refused(
            "AccessDenied",
            "Request has expired",
            Expires=f"{ends:%Y-%m-%dT%H:%M:%SZ}",
            ServerTime=f"{now:%Y-%m-%dT%H:%M:%SZ}",
        )


def _seconds(text: str) -> int:
    if not 0 <= int(text) <= _WEEK:
        raise Refused(
            "AuthorizationQueryParametersError",
            "X-Amz-Expires must be non-negative"
            if int(text) < 0
            else "X-Amz-Expires must be less than a week (in seconds); that is, the given "
            f"X-Amz-Expires must be less than {_WEEK} seconds",
        )
    return int(text)


def _is_option(name: str) -> bool:
    lower = name.lower()
    return lower.startswith("x-amz-") and not name.startswith("X-Amz-")


def _decoded(text: str) -> str:
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise Refused("InvalidURI", URI=text) from None
