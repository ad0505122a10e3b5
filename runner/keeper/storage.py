"""Objects of one lake, through a client shaped like boto3's S3 client.

Every method repeats what S3 leaves to its caller: pages, batches of 1,000, per-key errors,
conditional writes.  Errors of the client are told apart by their code alone, so that boto3's
client and the folder on this machine behave alike.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator, Sequence

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")
WORKERS = 16
"""Requests that are under way at once."""
_BATCH = 1000
_COPY_LIMIT = 5 * 1024**3
_PART = 512 * 1024**2


@dataclass(frozen=True)
class Stored:
    """An object: key without bucket, size in bytes, etag with its quotes, when it was written."""

    key: str
    size: int
    etag: str
    modified: dt.datetime | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Upload:
    """A multipart upload that was begun and neither completed nor given up."""

    key: str
    upload: str
    begun: dt.datetime


class Conflict(Exception):
    """A conditional write found another object there."""


class StorageError(Exception):
    """S3 answered 200 but refused some keys, or what was written is not what is there."""


def code_of(error: Exception) -> str:
    """Give the service's error code of a client error; empty for any other exception."""
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return ""
    return str(response.get("Error", {}).get("Code", ""))


def split_uri(uri: str) -> tuple[str, str]:
    """Split `s3://bucket/key` into bucket and key."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


class Storage:
    """One lake: a bucket and prefix, and the client to reach it."""

    def __init__(
        self,
        client: Any,  # noqa: ANN401 - boto3's client has no type
        lake: str,
        *,
        workers: int = WORKERS,
        moves: bool = False,
    ) -> None:
        """Take the client and the lake's URI (`s3://bucket/prefix/`).

        `moves` says that the client has `move_objects` (the folder on this machine has).
        """
        self._moves = moves
        self._client = client
        self.bucket, prefix = split_uri(lake)
        self.prefix = prefix if not prefix or prefix.endswith("/") else prefix + "/"
        self._workers = workers

    def uri(self, key: str) -> str:
        """Write the URI of a key of this lake."""
        return f"s3://{self.bucket}/{key}"

    def folder(self, uri: str) -> str:
        """Give the key prefix of a table's location, with its slash; ValueError for a bucket."""
        key = self.key(uri).rstrip("/")
        if not key:
            raise ValueError(f"{uri} is a whole bucket, not a table's own folder")
        return key + "/"

    def key(self, uri: str) -> str:
        """Give the key of a URI of this lake; ValueError for another bucket."""
        bucket, key = split_uri(uri)
        if bucket != self.bucket:
            raise ValueError(f"{uri} is not in the lake's bucket {self.bucket}")
        return key

    def list(self, prefix: str, *, after: str = "", first: int = _BATCH) -> Iterator[Stored]:
        """Give every object below the prefix, page after page, in key order; from `after` on.

        `first` is the size of the first page, for who will not look further in most cases.
        """
        token: dict[str, Any] = {"StartAfter": after} if after else {}
        if first < _BATCH:
            token["MaxKeys"] = first
        while True:
            page = self._client.list_objects_v2(Bucket=self.bucket, Prefix=prefix, **token)
            for item in page.get("Contents", ()):
                yield Stored(item["Key"], item["Size"], item["ETag"], item.get("LastModified"))
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def folders(self, prefix: str) -> Iterator[str]:
        """Give the names of the folders right below a prefix, without what lies in them."""
        token: dict[str, Any] = {}
        while True:
            page = self._client.list_objects_v2(
                Bucket=self.bucket, Prefix=prefix, Delimiter="/", **token
            )
            for item in page.get("CommonPrefixes", ()):
                yield item["Prefix"][len(prefix) : -1]
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def read_uri(self, uri: str) -> bytes:
        """Read an object of any bucket whole."""
        bucket, key = split_uri(uri)
        data: bytes = self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
        return data

    def read_json(self, key: str) -> tuple[Any, str] | None:
        """Read a JSON object and its etag; None when there is none."""
        try:
            answer = self._client.get_object(Bucket=self.bucket, Key=key)
        except Exception as error:
            if code_of(error) in ("NoSuchKey", "404"):
                return None
            raise
        return json.loads(answer["Body"].read()), answer["ETag"]

    def write_json(self, key: str, value: object) -> None:
        """Write a JSON object, whatever was there."""
        self._put(key, value, {})

    def create_json(self, key: str, value: object) -> None:
        """Write a JSON object where none is; Conflict if there is one."""
        self._put(key, value, {"IfNoneMatch": "*"})

    def replace_json(self, key: str, value: object, *, etag: str) -> None:
        """Write a JSON object over the one with that etag; Conflict if another is there."""
        self._put(key, value, {"IfMatch": etag})

    def _put(self, key: str, value: object, condition: dict[str, str]) -> None:
        body = json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
        try:
            self._client.put_object(Bucket=self.bucket, Key=key, Body=body, **condition)
        except Exception as error:
            if code_of(error) in (
                "PreconditionFailed",
                "ConditionalRequestConflict",
                "412",
                "409",
                "NoSuchKey",
            ):
                raise Conflict(key) from error
            raise

    def put_in_place(self, pairs: Sequence[tuple[Stored, str]]) -> None:
        """Give staged objects their published keys; the staged ones may be gone afterwards.

        S3 can only copy.  A client that `moves` moves whole folders, which costs a small part.
        """
        if self._moves:
            moved = [(source.key, target) for source, target in pairs]
            self._client.move_objects(Bucket=self.bucket, Pairs=moved)
        else:
            self.copy_all(pairs)

    def copy_all(self, pairs: Sequence[tuple[Stored, str]]) -> None:
        """Copy objects to new keys of the same bucket, several at once."""
        self.each(lambda pair: self._copy(*pair), pairs)

    @property
    def gains(self) -> bool:
        """Tell whether requests are faster when several are under way at once."""
        return self._workers > 1

    def each(self, do: Callable[[_Given], _Made], given: Sequence[_Given]) -> Sequence[_Made]:
        """Do the same to many things, several at once where that is faster; answers in order."""
        if len(given) <= 1 or not self.gains:
            return [do(one) for one in given]
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - a folder needs none

        with ThreadPoolExecutor(self._workers) as pool:
            return list(pool.map(do, given))

    def _copy(self, source: Stored, target: str) -> None:
        origin = {"Bucket": self.bucket, "Key": source.key}
        if source.size <= _COPY_LIMIT:
            self._client.copy_object(Bucket=self.bucket, Key=target, CopySource=origin)
            return
        upload = self._client.create_multipart_upload(Bucket=self.bucket, Key=target)
        where = {"Bucket": self.bucket, "Key": target, "UploadId": upload["UploadId"]}
        try:
            parts = []
            for number, first in enumerate(range(0, source.size, _PART), start=1):
                last = min(first + _PART, source.size) - 1
                answer = self._client.upload_part_copy(
                    **where,
                    CopySource=origin,
                    PartNumber=number,
                    CopySourceRange=f"bytes={first}-{last}",
                )
                parts.append({"ETag": answer["CopyPartResult"]["ETag"], "PartNumber": number})
            self._client.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
        except Exception:
            self._client.abort_multipart_upload(**where)
            raise

    def empty(self, prefix: str, *, rounds: int = 5) -> int:
        """Delete everything below the prefix, listing again until nothing is left.

        Gives the number of objects deleted; StorageError when some survive every round.
        """
        deleted = 0
        refused: Sequence[str] = ()
        for _ in range(rounds):
            keys = [stored.key for stored in self.list(prefix)]
            if not keys:
                return deleted
            refused = self.delete(keys)
            deleted += len(keys) - len(refused)
        if any(True for _ in self.list(prefix)):
            why = refused[0] if refused else "new ones appear"
            raise StorageError(f"objects below {self.uri(prefix)} cannot be deleted: {why}")
        return deleted

    def delete(self, keys: Iterable[str]) -> Sequence[str]:
        """Delete keys in batches of 1,000; gives a line for each that S3 refused to delete."""
        keys, refused = [*keys], []
        for first in range(0, len(keys), _BATCH):
            batch = [{"Key": key} for key in keys[first : first + _BATCH]]
            answer = self._client.delete_objects(
                Bucket=self.bucket, Delete={"Objects": batch, "Quiet": True}
            )
            refused += [
                f"{error.get('Key')}: {error.get('Code')} {error.get('Message', '')}".rstrip()
                for error in answer.get("Errors", ())
            ]
        return refused

    def delete_all(self, keys: Sequence[str]) -> None:
        """Delete keys; StorageError when S3 refuses one of them."""
        refused = self.delete(keys)
        if refused:
            raise StorageError(f"{len(refused)} objects cannot be deleted: {refused[0]}")

    def uploads(self, prefix: str) -> Iterator[Upload]:
        """Give the multipart uploads below the prefix that nobody has completed."""
        more: dict[str, str] = {}
        while True:
            page = self._client.list_multipart_uploads(Bucket=self.bucket, Prefix=prefix, **more)
            for item in page.get("Uploads", ()):
                yield Upload(item["Key"], item["UploadId"], item["Initiated"])
            if not page.get("IsTruncated"):
                return
            more = {
                "KeyMarker": page["NextKeyMarker"],
                "UploadIdMarker": page["NextUploadIdMarker"],
            }

    def abort(self, upload: Upload) -> None:
        """Give up a multipart upload; its parts are deleted.  It may be gone already."""
        try:
            self._client.abort_multipart_upload(
                Bucket=self.bucket, Key=upload.key, UploadId=upload.upload
            )
        except Exception as error:
            if code_of(error) != "NoSuchUpload":
                raise

    def delete_if(self, key: str, *, etag: str) -> None:
        """Delete one object if it still has that etag (read first: works on every S3)."""
        found = self.read_json(key)
        if found is not None and found[1] == etag:
            self.delete([key])
