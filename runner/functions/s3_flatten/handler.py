"""Flattens what arrives in S3: nested JSON to one level, to another prefix, under the same name.

In: an event of S3 or of EventBridge (`Object Created`); the objects are newline JSON, plain or
gzip.  Out: what was written.  An object that is written again is flattened again, over what was
there.

    TO             s3://bucket/prefix/ of the flat objects (needed)
    FROM           prefix of the objects that are read; names are kept from there on (default: all)
    SEPARATOR, MAX_DEPTH, ARRAYS, LOWER_CASE    as of firehose_flatten

Lines that are no objects of JSON are kept as they are in `<TO>_errors/`, which Athena passes over.
What lies in TO is never read: the function does not call itself.
"""

from __future__ import annotations

import functools
import gzip
import io
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

if TYPE_CHECKING or __package__:
    from .flatten import Flattener, Rules
    from .often import checked
else:
    from flatten import Flattener, Rules
    from often import checked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Event = dict[str, Any]
ERRORS = "_errors/"
_PLACE = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.*)\Z")
_GZIP = b"\x1f\x8b"
_LEVEL = 4
_READ = 1 << 20


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says."""

    bucket: str
    prefix: str
    source: str
    flattener: Flattener


def settings_of(environ: Mapping[str, str]) -> Settings:
    """Read the environment; ValueError names the variable that is wrong."""
    place = _PLACE.match(environ.get("TO", ""))
    if place is None:
        raise ValueError(f"TO is {environ.get('TO', '')!r}; expected s3://bucket/prefix/")
    depth = environ.get("MAX_DEPTH", "0")
    if not (depth.isascii() and depth.isdigit()):
        raise ValueError(f"MAX_DEPTH is {depth!r}; expected a number, 0 for no limit")
    rules = Rules(
        separator=environ.get("SEPARATOR", "_"),
        max_depth=int(depth),
        index_arrays=_choice(environ, "ARRAYS", ("json", "index")) == "index",
        lower_case=_choice(environ, "LOWER_CASE", ("false", "true")) == "true",
    )
    if not rules.separator:
        raise ValueError("SEPARATOR is empty; expected one or more letters, such as _")
    prefix = f"{place[2].rstrip('/')}/".lstrip("/")
    return Settings(place[1], prefix, environ.get("FROM", ""), Flattener(rules))


def _choice(environ: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    found = environ.get(name, choices[0])
    if found not in choices:
        raise ValueError(f"{name} is {found!r}; expected {' or '.join(choices)}")
    return found


@functools.cache
def _settings() -> Settings:
    return settings_of(os.environ)


@functools.cache
def _s3() -> Any:  # noqa: ANN401 - boto3's client
    import boto3  # noqa: PLC0415 - where it is used

    return boto3.client("s3")


def handler(event: Event, context: object) -> Event:  # noqa: ARG001 - Lambda's signature
    """Flatten the objects that an event tells of."""
    return answer(event, _settings(), _s3())


def answer(event: Event, settings: Settings, s3: Any) -> Event:  # noqa: ANN401 - boto3's client
    """Flatten objects; gives what was written, passed over, and how many lines were refused."""
    told: Event = {"written": [], "skipped": [], "lines": 0, "refused": 0}
    for bucket, key in objects_of(event):
        ours = bucket == settings.bucket and key.startswith(settings.prefix)
        if ours or not key.startswith(settings.source) or key.endswith("/"):
            told["skipped"].append(f"s3://{bucket}/{key}")
            continue
        data = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        flat, refused, (lines, bad) = _flattened(data, settings.flattener)
        name = key.removeprefix(settings.source).lstrip("/")
        for where, body in (("", flat), (ERRORS, refused)):
            if body is not None:
                place = f"{settings.prefix}{where}{name}"
                s3.put_object(Bucket=settings.bucket, Key=place, Body=body)
                told["written"].append(f"s3://{settings.bucket}/{place}")
        told["lines"] += lines
        told["refused"] += bad
    return told


def objects_of(event: Event) -> Iterator[tuple[str, str]]:
    """Give bucket and key of each object that an event tells of."""
    if "detail" in event:
        if event.get("detail-type") == "Object Created":
            detail = event["detail"]
            yield detail["bucket"]["name"], detail["object"]["key"]
        return
    for record in event.get("Records", ()):
        if "s3" in record and str(record.get("eventName")).startswith("ObjectCreated"):
            yield record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"])


class _Output:
    """Lines, compressed as the object was that they come from."""

    def __init__(self, *, zipped: bool) -> None:
        self._buffer = io.BytesIO()
        self._zip = None
        if zipped:
            self._zip = gzip.GzipFile("", "wb", _LEVEL, self._buffer, mtime=0)
        self.lines = 0

    def write(self, lines: list[bytes]) -> None:
        if lines:
            (self._zip or self._buffer).write(b"".join(lines))
            self.lines += len(lines)

    def body(self) -> bytes | None:
        """Give the bytes; None if nothing was written."""
        if self._zip is not None:
            self._zip.close()
        return self._buffer.getvalue() if self.lines else None


def _flattened(
    data: bytes, flattener: Flattener
) -> tuple[bytes | None, bytes | None, tuple[int, int]]:
    """Give flat lines, refused lines, and how many there are of both."""
    zipped = data.startswith(_GZIP)
    stream: io.BufferedIOBase = io.BytesIO(data)
    if zipped:
        unzipped: Any = gzip.GzipFile(fileobj=stream)
        stream = io.BufferedReader(unzipped, _READ)  # which finds lines faster
    flat, refused = _Output(zipped=zipped), _Output(zipped=zipped)
    while lines := stream.readlines(_READ):
        texts = checked(lines)
        flats = flattener.flatten_all(texts)
        good = [each for each in flats if each is not None]
        bad: list[bytes] = []
        if len(good) < len(flats):
            for line, text, each in zip(lines, texts, flats, strict=True):
                if each is None and text:
                    bad.append(line if line.endswith(b"\n") else line + b"\n")
        flat.write(good)
        refused.write(bad)
    return flat.body(), refused.body(), (flat.lines, refused.lines)
