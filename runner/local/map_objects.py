"""What a distributed Map reads and writes in the folder that stands for S3.

In: the actions `getObject`, `listObjectsV2`, `putObject` of a Map's ItemReader and ResultWriter
(runner/machine/s3_calls.py says what they may ask and be answered).  Out: text decompressed, rows
of Parquet files as JSON, both in parts; refusals are ServiceErrors named as S3's.
"""

from __future__ import annotations

import gzip
import json
import threading
from typing import TYPE_CHECKING, NamedTuple

from runner.local import zstd
from runner.local.s3 import S3Error
from runner.local.s3_service import call_s3
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.local.s3 import FolderS3
    from runner.model.ports import Json

_TEXT_PART = 1_000_000
"""Characters of a part: one line of the journal."""
_ROWS_PART = 5_000
_GZIP = b"\x1f\x8b"
_PARQUET = b"PAR1"


class _Opened(NamedTuple):
    """An object, decoded: it is kept while its parts are asked for."""

    uri: str
    etag: str
    kind: str
    content: Sequence[Json]
    """A text, or a list of rows."""


class MapObjects:
    """S3 as a distributed Map asks it; safe on any thread."""

    def __init__(self, s3: FolderS3) -> None:
        """Take the folder."""
        self._s3 = s3
        self._lock = threading.Lock()
        self._last: _Opened | None = None

    def __call__(self, action: str, arguments: Mapping[str, Json]) -> Json:
        """Do one action."""
        if action == "getObject":
            return self._part(arguments)
        if action in {"listObjectsV2", "putObject"}:
            return call_s3(self._s3, action, arguments)
        known = "getObject, listObjectsV2 and putObject are"
        raise ServiceError("States.Runtime", f"s3:{action} is not known locally; {known}")

    def _part(self, arguments: Mapping[str, Json]) -> Json:
        kind = str(arguments.get("InputType", ""))
        etag, _, start = str(arguments.get("Part", "")).rpartition(":")
        with self._lock:
            opened = self._open(_text_of(arguments, "Bucket"), _text_of(arguments, "Key"), kind)
            self._last = opened
        if etag and etag != opened.etag:
            told = f"{opened.uri} changed while a Map was reading it"
            raise ServiceError("S3.PreconditionFailedException", told)
        begin = int(start or 0)
        end = begin + (_ROWS_PART if kind else _TEXT_PART)
        answer: dict[str, Json] = {"Items" if kind else "Body": opened.content[begin:end]}
        if end < len(opened.content):
            answer["Next"] = f"{opened.etag}:{end}"
        else:
            self._last = None
        return answer

    def _open(self, bucket: str, key: str, kind: str) -> _Opened:
        uri = f"s3://{bucket}/{key}"
        try:
            head = self._s3.head_object(Bucket=bucket, Key=key)
        except S3Error as error:
            told = "The specified key does not exist. (Service: S3, Status Code: 404)"
            raise ServiceError("S3.NoSuchKeyException", told) from error
        etag = head["ETag"].strip('"')
        last = self._last
        if last is not None and (last.uri, last.etag, last.kind) == (uri, etag, kind):
            return last
        return _Opened(uri, etag, kind, self._rows(uri, kind) if kind else self._text(uri))

    def _text(self, uri: str) -> str:
        path = self._s3.path_of(uri)
        body = path.read_bytes()
        try:
            if body.startswith(zstd.MAGIC):
                return zstd.unpack(str(path))
            return (gzip.decompress(body) if body.startswith(_GZIP) else body).decode()
        except (OSError, EOFError, ValueError) as error:
            raise ServiceError("S3.InvalidObject", f"{uri} holds no text: {error}") from error

    def _rows(self, uri: str, kind: str) -> list[Json]:
        import duckdb  # noqa: PLC0415 - only Parquet files need it

        path = self._s3.path_of(uri)
        with path.open("rb") as file:
            if kind != "PARQUET" or file.read(4) != _PARQUET:
                raise ServiceError("S3.InvalidObject", f"{uri} is no Parquet file")
        query = "SELECT to_json(t) FROM read_parquet(?) t"
        try:
            with duckdb.connect() as connection:
                rows = connection.execute(query, [str(path)]).fetchall()
        except duckdb.Error as error:
            raise ServiceError("S3.InvalidObject", f"{uri} cannot be read: {error}") from error
        return [json.loads(row) for (row,) in rows]


def _text_of(arguments: Mapping[str, Json], name: str) -> str:
    value = arguments.get(name)
    if isinstance(value, str):
        return value
    raise ServiceError("S3.InvalidRequestException", f"s3:getObject needs a {name} that is a text")
