"""Lines in S3, each once: an object for each partition and batch, named by its sequence numbers.

In: lines with their sequence numbers.  Out: objects
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
    from collections.abc import Iterable, Iterator

_DIGITS = 56
"""Of the longest sequence numbers, Kinesis's."""
_SUFFIX = ".json.gz"
_LEVEL = 4


@dataclass(frozen=True, slots=True)
class Line:
    """A line, and where it belongs."""

    sequence: str
    reader: str
    """Shard that it was read from, or `changes`."""
    partition: str
    """Such as dt=2024-05-06/."""
    text: str


@dataclass(frozen=True, slots=True)
class Store:
    """A place in S3."""

    bucket: str
    prefix: str
    """Empty, or with a slash at its end."""
    s3: Any
    """boto3's client."""

    def add(self, lines: Iterable[Line]) -> list[str]:
        """Write lines that are not there yet; gives the keys of new objects."""
        places: dict[tuple[str, str], dict[str, Line]] = {}
        for line in lines:
            places.setdefault((line.partition, line.reader), {})[line.sequence] = line
        made: list[str] = []
        for (partition, reader), found in places.items():
            head = f"{self.prefix}{partition}{reader}-"
            for sequence in self._there(head, found):
                found.pop(sequence, None)
            if found:
                made.append(self._write(head, found))
        return made

    def _write(self, head: str, lines: dict[str, Line]) -> str:
        order = sorted(lines, key=_padded)
        key = f"{head}{_padded(order[-1])}-{_padded(order[0])}{_SUFFIX}"
        text = "".join([lines[sequence].text for sequence in order])
        body = gzip.compress(text.encode(), _LEVEL, mtime=0)
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        return key

    def _there(self, head: str, lines: dict[str, Line]) -> Iterator[str]:
        """Give the sequence numbers in objects whose range meets that of the lines."""
        first, last = min(map(_padded, lines)), max(map(_padded, lines))
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
