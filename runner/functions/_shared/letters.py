"""What cannot be delivered is kept: as lines of JSON below a prefix of S3, or in the own log.

An object is named by its content: an invocation that is repeated writes it again, not twice.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping


def keep(letters: Iterable[Mapping[str, object]], prefix: str, *, day: dt.date) -> str:
    """Keep letters; gives where, empty if they are in the log only."""
    lines = [json.dumps(letter, separators=(",", ":")) for letter in letters]
    if not lines:
        return ""
    if not prefix:
        for line in lines:
            print(f"not delivered: {line}")
        return ""
    import boto3  # noqa: PLC0415 - only where something is to be kept

    body = "".join(f"{line}\n" for line in lines).encode()
    parts = urlsplit(prefix)
    name = f"dt={day}/{hashlib.sha256(body).hexdigest()[:32]}.jsonl"
    key = f"{parts.path.strip('/')}/{name}".lstrip("/")
    boto3.client("s3").put_object(
        Bucket=parts.netloc, Key=key, Body=body, ContentType="application/x-ndjson"
    )
    where = f"s3://{parts.netloc}/{key}"
    print(f"not delivered: {len(lines)} kept in {where}")
    return where
