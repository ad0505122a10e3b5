"""Lines in S3, each once: an object for each partition and batch, named by its sequence numbers.

In: lines by their sequence numbers.  Out: objects
`<prefix>dt=2024-05-06/<reader>-<last>-<first>.json.gz`; a reader is a shard, or `changes`.

A batch that is called again may come in other pieces: halved, or from its first failure on.  So
before an object is written, those that may hold lines of it are looked at, and what they hold is
left out.  Names begin with the last number, so that one listing from the first number of a batch on
finds them; mostly there are none.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_DIGITS = 56
"""Of the longest sequence numbers, Kinesis's."""
_SUFFIX = ".json.gz"
_LEVEL = 4


Places = dict[tuple[str, str], dict[str, str]]
"""By partition (such as dt=2024-05-06/) and reader: sequence numbers and their lines.

A reader is the shard that they were read from, or `changes`.
"""


@dataclass(frozen=True, slots=True)
class Store:
    """A place in S3."""

    bucket: str
    prefix: str
    """Empty, or with a slash at its end."""
    s3: Any
    """boto3's client."""

    def add(self, places: Places) -> list[str]:
        """Write lines that are not there yet; gives the keys of new objects."""
        made: list[str] = []
        for (partition, reader), lines in places.items():
            head = f"{self.prefix}{partition}{reader}-"
            order = sorted(lines, key=_padded)
            there = {*self._there(head, _padded(order[0]), _padded(order[-1]))}
            if there:
                order = [sequence for sequence in order if sequence not in there]
            if order:
                made.append(self._write(head, order, lines))
        return made

    def _write(self, head: str, order: list[str], lines: dict[str, str]) -> str:
        key = f"{head}{_padded(order[-1])}-{_padded(order[0])}{_SUFFIX}"
        text = "".join([lines[sequence] for sequence in order])
        body = gzip.compress(text.encode(), _LEVEL, mtime=0)
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        return key

    def _there(self, head: str, first: str, last: str) -> Iterator[str]:
        """Give the sequence numbers in objects whose range meets this one."""
        for key in self._keys(head, head + first):
            least = key.removesuffix(_SUFFIX).rpartition("-")[2]
            if key.endswith(_SUFFIX) and least <= last:
                body = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
                for each in gzip.decompress(body).splitlines():
                    yield str(json.loads(each)["sequence"])

    def _keys(self, head: str, after: str) -> Iterator[str]:
        more = {"StartAfter": after}
        while True:
            page = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=head, **more)
            yield from (each["Key"] for each in page.get("Contents", ()))
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}


def _padded(sequence: str) -> str:
    return sequence.zfill(_DIGITS)
