"""S3 on a folder: the methods of boto3's S3 client that the project uses, atomic across processes.

In: bucket, key and body.  Out: boto3-shaped dictionaries; refusals are `S3Error`, shaped like
botocore's ClientError.  A key is the path of a file below its bucket's folder; components that a
file system cannot hold are escaped (see `encode_key`).  An ETag is derived from size and
modification time in nanoseconds, not from content: every write of ours sets a modification time
of its own, and copies keep it, so equal ETags mean equal content as far as this client writes.
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple
from urllib.parse import unquote

from runner.local.s3_buckets import Buckets
from runner.local.s3_folder import Bucket as Folder
from runner.local.s3_folder import Crowded
from runner.local.s3_keys import decode_key, encode_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

MOST_KEYS = 1000
"""Keys of one page of a listing, and of one DeleteObjects call."""


class S3Error(Exception):
    """A refusal of S3, with the `response` that botocore's ClientError carries."""

    def __init__(self, code: str, message: str, *, status: int, operation: str) -> None:
        """Take S3's error code, its message and the HTTP status."""
        self.response: dict[str, Any] = {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": secrets.token_hex(8)},
        }
        self.operation_name = operation
        super().__init__(
            f"An error occurred ({code}) when calling the {operation} operation: {message}"
        )


class Written(NamedTuple):
    """An object that was written."""

    bucket: str
    key: str
    size: int
    etag: str
    reason: str
    """Operation of S3 that wrote it, e.g. PutObject."""


class FolderS3:
    """A boto3-shaped S3 client whose buckets are folders."""

    def __init__(
        self,
        root: Path,
        buckets: Mapping[str, Path] | None = None,
        *,
        observer: Callable[[Written], None] | None = None,
    ) -> None:
        """Take the folder of all buckets, and the buckets that lie elsewhere.

        `observer` hears of each object that is put or copied, after it is there.
        """
        self.buckets = Buckets(root, buckets or {})
        self._observer = observer
        self._folders: dict[str, Folder] = {}

    def bucket_folder(self, bucket: str) -> Path:
        """Give the folder that stands for a bucket."""
        return self.buckets.folder(bucket)

    def path_of(self, url: str) -> Path:
        """Give the path of `s3://bucket/key`; it need not exist."""
        return Path(self.place_of(url))

    def place_of(self, url: str) -> str:
        """Give the path of `s3://bucket/key` as text, which costs less."""
        bucket, _, key = url.removeprefix("s3://").partition("/")
        top, key = self._folder(bucket).top, key.rstrip("/")
        return f"{top}/{encode_key(key)}" if key else top

    def url_of(self, path: Path, bucket: str) -> str:
        """Give the `s3://bucket/key` of a file below the bucket's folder."""
        return f"s3://{bucket}/{decode_key(path.relative_to(self.bucket_folder(bucket)).parts)}"

    def list_objects_v2(
        self,
        *,
        Bucket: str,  # noqa: N803 - boto3's names
        Prefix: str = "",  # noqa: N803
        ContinuationToken: str = "",  # noqa: N803
        StartAfter: str = "",  # noqa: N803
        MaxKeys: int = MOST_KEYS,  # noqa: N803
        Delimiter: str = "",  # noqa: N803
    ) -> dict[str, Any]:
        """List keys in UTF-8 order, at most 1,000 a page."""
        after = bytes.fromhex(ContinuationToken).decode() if ContinuationToken else StartAfter
        contents: list[dict[str, Any]] = []
        common: list[str] = []
        last, more = "", False
        for name, path in self._names(Bucket, Prefix, Delimiter, after):
            if len(contents) + len(common) >= min(MaxKeys, MOST_KEYS):
                more = True
                break
            if not path:
                common.append(name)
            elif (described := _describe(name, path)) is not None:
                contents.append(described)
            last = name
        page: dict[str, Any] = {
            "Name": Bucket,
            "Prefix": Prefix,
            "MaxKeys": MaxKeys,
            "KeyCount": len(contents) + len(common),
            "IsTruncated": more,
        }
        if contents:
            page["Contents"] = contents
        if common:
            page["CommonPrefixes"] = [{"Prefix": name} for name in common]
        if more:
            page["NextContinuationToken"] = last.encode().hex()
        return page

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        """Read an object; `Body` has read()."""
        found = self._folder(Bucket).read(_checked(Key))
        if found is None:
            raise _no_such_key("GetObject")
        return {**_head(found[1]), "Body": io.BytesIO(found[0])}

    def open_object(self, *, Bucket: str, Key: str) -> tuple[BinaryIO, dict[str, Any]]:  # noqa: N803
        """Open an object, which stays whole while it is open, and tell what head_object tells."""
        found = self._folder(Bucket).open(_checked(Key))
        if found is None:
            raise _no_such_key("GetObject")
        return found[0], _head(found[1])

    def etag(self, *, Bucket: str, Key: str) -> str:  # noqa: N803
        """Give the ETag of an object; "" if there is none."""
        state = self._folder(Bucket).state(_checked(Key))
        return _etag(state) if state is not None else ""

    def sole_etag(self, *, Bucket: str, Key: str) -> str:  # noqa: N803
        """Give the ETag of an object that shares its file with no other; "" for all others."""
        state = self._folder(Bucket).state(_checked(Key))
        return _etag(state) if state is not None and state.st_nlink == 1 else ""

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        """Tell size, ETag and time of an object; a missing one is error code 404."""
        state = self._folder(Bucket).state(_checked(Key))
        if state is None:
            raise S3Error("404", "Not Found", status=404, operation="HeadObject")
        return _head(state)

    def put_object(
        self,
        *,
        Bucket: str,  # noqa: N803
        Key: str,  # noqa: N803
        Body: bytes | str = b"",  # noqa: N803
        IfNoneMatch: str = "",  # noqa: N803
        IfMatch: str = "",  # noqa: N803
        **_: Any,  # noqa: ANN401 - ContentType and the like say nothing on a folder
    ) -> dict[str, Any]:
        """Write an object at once or not at all."""
        content = Body.encode() if isinstance(Body, str) else bytes(Body)
        return self.adopt(
            self._folder(Bucket).write(content),
            Bucket=Bucket,
            Key=Key,
            IfNoneMatch=IfNoneMatch,
            IfMatch=IfMatch,
        )

    def adopt(
        self,
        path: Path | str,
        *,
        Bucket: str,  # noqa: N803
        Key: str,  # noqa: N803
        IfNoneMatch: str = "",  # noqa: N803
        IfMatch: str = "",  # noqa: N803
        prepare: Callable[[str], None] | None = None,
        reason: str = "PutObject",
    ) -> dict[str, Any]:
        """Make a file of the same file system an object (the file moves); like PutObject.

        `prepare` is given the ETag before anybody can see the object; `reason` is told to whoever
        hears of it.
        """
        folder = self._folder(Bucket)
        try:
            _stamp(path)
            state = os.stat(path)  # noqa: PTH116 - see s3_folder
            if prepare is not None:
                prepare(_etag(state))
            with folder.locked(alone=bool(IfMatch)):
                if IfMatch:
                    self._check_match(Bucket, Key, IfMatch, "PutObject")
                _place(folder, str(path), _checked(Key), fresh=IfNoneMatch == "*")
        finally:
            _discard(path)
        self._tell(Bucket, Key, state, reason)
        return {"ETag": _etag(state), **_ok(200)}

    def adopt_folder(self, path: Path | str, *, Bucket: str, Prefix: str) -> bool:  # noqa: N803
        """Make a folder of files objects below a prefix at once, if nothing is there yet."""
        with os.scandir(path) as files:
            for file in files:
                _stamp(file)
        folder = self._folder(Bucket)
        with folder.locked():
            return folder.place_folder(str(path), _checked(Prefix.rstrip("/")))

    def copy_object(
        self,
        *,
        Bucket: str,  # noqa: N803
        Key: str,  # noqa: N803
        CopySource: str | Mapping[str, str],  # noqa: N803
        **_: Any,  # noqa: ANN401 - MetadataDirective and the like
    ) -> dict[str, Any]:
        """Copy an object by a hard link where the file system allows it."""
        bucket, key = _source(CopySource)
        source, target = self._folder(bucket), self._folder(Bucket)
        with target.locked():
            state = target.link(source.path(_checked(key)), _checked(Key))
        if state is None:
            found = target.copy(source, key)
            if found is None:
                raise _no_such_key("CopyObject")
            copy, state = found
            try:
                with target.locked():
                    _place(target, copy, Key, fresh=False)
            finally:
                _discard(copy)
        self._tell(Bucket, Key, state, "CopyObject")
        return {
            "CopyObjectResult": {"ETag": _etag(state), "LastModified": _modified(state)},
            **_ok(200),
        }

    def move_objects(self, *, Bucket: str, Pairs: Sequence[tuple[str, str]]) -> None:  # noqa: N803
        """Give objects new keys; a folder whose files all keep their names moves as a whole.

        S3 has no such operation: whoever uses it must be content with copies as well.
        """
        folder = self._folder(Bucket)
        moves: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for source, target in Pairs:
            places = source.rpartition("/")[0], target.rpartition("/")[0]
            moves.setdefault(places, []).append((source, target))
        left: set[str] = set()
        for (before, after), pairs in moves.items():
            with folder.locked():
                moved = _same_names(pairs) and folder.move_folder(
                    before, after, {source.rpartition("/")[2] for source, _ in pairs}
                )
            if moved:
                left.add(folder.path(before).rpartition("/")[0])
            else:
                for source, target in pairs:
                    self.copy_object(
                        Bucket=Bucket, Key=target, CopySource={"Bucket": Bucket, "Key": source}
                    )
        with folder.locked():
            folder.tidy(left)

    def delete_object(self, *, Bucket: str, Key: str, IfMatch: str = "") -> dict[str, Any]:  # noqa: N803
        """Delete an object; deleting a missing one succeeds, as on S3."""
        folder = self._folder(Bucket)
        with folder.locked(alone=bool(IfMatch)):
            if IfMatch:
                self._check_match(Bucket, Key, IfMatch, "DeleteObject")
            folder.tidy(filter(None, [folder.remove(_checked(Key))]))
        return _ok(204)

    def delete_objects(self, *, Bucket: str, Delete: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803
        """Delete up to 1,000 objects; what failed stands in `Errors`."""
        wanted: Sequence[Mapping[str, str]] = Delete["Objects"]
        if not 0 < len(wanted) <= MOST_KEYS:
            raise S3Error(
                "MalformedXML",
                "The XML you provided was not well-formed or did not validate against our "
                "published schema",
                status=400,
                operation="DeleteObjects",
            )
        deleted: list[dict[str, str]] = []
        errors: list[dict[str, str]] = []
        left: set[str] = set()
        folder = self._folder(Bucket)
        with folder.locked(alone=any(each.get("ETag") for each in wanted)):
            for each in wanted:
                try:
                    if each.get("ETag"):
                        self._check_match(Bucket, each["Key"], each["ETag"], "DeleteObject")
                    left.add(folder.remove(_checked(each["Key"])))
                    deleted.append({"Key": each["Key"]})
                except S3Error as error:
                    errors.append({"Key": each["Key"], **error.response["Error"]})
                except OSError as error:
                    errors.append(
                        {"Key": each["Key"], "Code": "InternalError", "Message": str(error)}
                    )
            folder.tidy(left - {""})
        result = _ok(200)
        if deleted and not Delete.get("Quiet"):
            result["Deleted"] = deleted
        if errors:
            result["Errors"] = errors
        return result

    def list_multipart_uploads(self, **_: str) -> dict[str, Any]:
        """Give no upload: a folder's objects appear whole."""
        return {"IsTruncated": False, **_ok(200)}

    def temporary_folder(self, bucket: str) -> Path:
        """Give an invisible folder on the bucket's file system, for files to `adopt` later."""
        return Path(self._folder(bucket).make_temporary_folder())

    def _tell(self, bucket: str, key: str, state: os.stat_result, reason: str) -> None:
        if self._observer is not None:
            self._observer(Written(bucket, key, state.st_size, _etag(state), reason))

    def _folder(self, bucket: str) -> Folder:
        found = self._folders.get(bucket)
        if found is None:
            found = self._folders.setdefault(bucket, Folder(str(self.bucket_folder(bucket))))
        return found

    def _check_match(self, bucket: str, key: str, etag: str, operation: str) -> None:
        state = self._folder(bucket).state(_checked(key))
        if state is None:
            raise _no_such_key(operation)
        if etag != "*" and _etag(state).strip('"') != etag.strip('"'):
            raise _precondition(operation)

    def _names(
        self, bucket: str, prefix: str, delimiter: str, after: str
    ) -> Iterator[tuple[str, str]]:
        """Give keys and paths in order; with a delimiter, a common prefix (path empty) once."""
        last = after
        for key, path in self._folder(bucket).walk(prefix, after):
            head, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
            if not found:
                yield key, path
            elif (name := prefix + head + delimiter) > last:
                last = name
                yield name, ""


def _same_names(pairs: Sequence[tuple[str, str]]) -> bool:
    return all(one.rpartition("/")[2] == other.rpartition("/")[2] for one, other in pairs)


def _place(folder: Folder, path: str, key: str, *, fresh: bool) -> None:
    try:
        folder.place(path, key, fresh=fresh)
    except FileExistsError:
        raise _precondition("PutObject") from None
    except Crowded:
        raise S3Error(
            "SlowDown", "Please reduce your request rate.", status=503, operation="Put"
        ) from None


def _checked(key: str) -> str:
    if not key:
        raise S3Error("InvalidRequest", "Key is empty", status=400, operation="PutObject")
    return key


def _discard(path: Path | str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)  # noqa: PTH108 - see s3_folder


def _source(source: str | Mapping[str, str]) -> tuple[str, str]:
    if not isinstance(source, str):
        return source["Bucket"], source["Key"]
    bucket, _, key = unquote(source).lstrip("/").partition("/")
    return bucket, key


def _stamp(path: str | os.PathLike[str]) -> None:
    """Set a modification time that no other write has: now, its last 10 bits random."""
    stamp = time.time_ns() & ~0x3FF | int.from_bytes(os.urandom(2)) & 0x3FF
    os.utime(path, ns=(stamp, stamp))


def _etag_of(size: int, mtime_ns: int) -> str:
    digest = hashlib.md5(f"{size} {mtime_ns}".encode(), usedforsecurity=False).hexdigest()
    return f'"{digest}-1"'


def _etag(state: os.stat_result) -> str:
    return _etag_of(state.st_size, state.st_mtime_ns)


def _modified(state: os.stat_result) -> datetime:
    """Give the time in whole seconds; S3 rounds up, so that nothing is older than its writing."""
    return datetime.fromtimestamp(-(-state.st_mtime_ns // 1_000_000_000), tz=UTC)


def _head(state: os.stat_result) -> dict[str, Any]:
    return {
        "ContentLength": state.st_size,
        "ETag": _etag(state),
        "LastModified": _modified(state),
        **_ok(200),
    }


def _describe(key: str, path: str) -> dict[str, Any] | None:
    try:
        state = os.stat(path)  # noqa: PTH116 - see s3_folder
    except FileNotFoundError:
        return None
    return {
        "Key": key,
        "Size": state.st_size,
        "ETag": _etag(state),
        "LastModified": _modified(state),
        "StorageClass": "STANDARD",
    }


def _ok(status: int) -> dict[str, Any]:
    return {"ResponseMetadata": {"HTTPStatusCode": status}}


def _no_such_key(operation: str) -> S3Error:
    return S3Error(
        "NoSuchKey", "The specified key does not exist.", status=404, operation=operation
    )


def _precondition(operation: str) -> S3Error:
    return S3Error(
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
        status=412,
        operation=operation,
    )
