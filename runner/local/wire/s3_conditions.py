"""Conditions and ranges of reading requests.

In: headers, ETag, time and size of an object.  Out: the part to send; what does not hold is
refused.  A range that makes no sense is not looked at, as HTTP has it.
"""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from runner.local.wire.s3_errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)


def check_conditions(
    headers: Mapping[str, str], *, etag: str, modified: datetime, prefix: str = ""
) -> None:
    """Raise Refused where If-Match and its like do not hold; a copy's have a prefix."""
    if_match = headers.get(f"{prefix}if-match")
    if if_match is not None:
        if not _matches(if_match, etag):
            raise Refused("PreconditionFailed", Condition="If-Match")
    elif (since := _instant(headers.get(f"{prefix}if-unmodified-since"))) and modified > since:
        raise Refused("PreconditionFailed", Condition="If-Unmodified-Since")
    if_none_match = headers.get(f"{prefix}if-none-match")
    if if_none_match is not None:
        if _matches(if_none_match, etag):
            raise _unchanged(prefix, "If-None-Match", etag)
    elif (since := _instant(headers.get(f"{prefix}if-modified-since"))) and modified <= since:
        raise _unchanged(prefix, "If-Modified-Since", etag)


def _unchanged(prefix: str, condition: str, etag: str) -> Refused:
    if prefix:
        return Refused("PreconditionFailed", Condition=condition)
    return Refused("NotModified", ETag=etag)


def _matches(wanted: str, etag: str) -> bool:
    plain = etag.strip('"')
    each = (one.strip().removeprefix("W/").strip('"') for one in wanted.split(","))
    return any(one in {"*", plain} for one in each)


def _instant(text: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(text) if text else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def find_range(header: str, size: int) -> tuple[int, int] | None:
    """Give start and length of the part that a Range header asks for; None for the whole.

    >>> find_range("bytes=2-4", 10), find_range("bytes=8-99", 10), find_range("bytes=-3", 10)
    ((2, 3), (8, 2), (7, 3))
    >>> find_range("lines=1-2", 10), find_range("bytes=4-2", 10), find_range("bytes=0-1,3-4", 10)
    (None, None, None)
    """
    found = _RANGE.fullmatch(header.strip())
    if found is None or not any(found.groups()):
        return None
    first, last = found.groups()
    if not first:
        start, length = max(size - int(last), 0), min(int(last), size)
    else:
        start = int(first)
        if last and int(last) < start:
            return None
        length = min(int(last) + 1 if last else size, size) - start
    if length <= 0:
        raise Refused("InvalidRange", ActualObjectSize=str(size), RangeRequested=header.strip())
    return start, length
