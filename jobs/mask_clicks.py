"""A job of Glue (Python shell): the partner's clicks without who clicked.

In: --from and --to, prefixes in S3; --start and --end, days.  Out, for each day, one object below
--to with the address's domain in the address's place.  A day that is done again is replaced.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
from typing import Any

import boto3


def main() -> None:
    """Read the arguments, as Glue gives them, and mask each day."""
    parser = argparse.ArgumentParser()
    for name in ("--start", "--end", "--from", "--to"):
        parser.add_argument(name, required=True)
    given = vars(parser.parse_known_args()[0])  # Glue adds arguments of its own
    s3 = boto3.client("s3")
    day, end = dt.date.fromisoformat(given["start"]), dt.date.fromisoformat(given["end"])
    while day <= end:
        lines = [masked(line) for line in lines_of(s3, f"{given['from']}dt={day}/")]
        bucket, key = place(f"{given['to']}dt={day}/clicks.json")
        s3.put_object(Bucket=bucket, Key=key, Body="".join(lines).encode())
        day += dt.timedelta(days=1)


def lines_of(s3: Any, prefix: str) -> list[str]:  # noqa: ANN401 - boto3's client
    """Read the lines of all objects below a prefix."""
    bucket, start = place(prefix)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=start)
    keys = [one["Key"] for page in pages for one in page.get("Contents", ())]
    texts = [s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode() for key in keys]
    return [line for text in texts for line in text.splitlines()]


def masked(line: str) -> str:
    """Keep of an address what follows the @."""
    click = json.loads(line)
    click["email"] = click["email"].rpartition("@")[2].lower()
    return json.dumps(click) + "\n"


def place(uri: str) -> tuple[str, str]:
    """Split a URI into bucket and key."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


if __name__ == "__main__":
    main()
