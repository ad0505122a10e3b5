"""S3 on a folder: the methods of boto3's S3 client that the project uses, atomic across processes.

In: bucket, key and body.  Out: boto3-shaped dictionaries; refusals are `S3Error`, shaped like
botocore's ClientError.  A key is the path of a file below its bucket's folder; components that a
file system cannot hold are escaped (see `encode_key`).  An ETag is derived from size and
modification time in nanoseconds, not from content: every write of ours sets a modification time
of its own, and copies keep it, so equal ETags mean equal content as far as this client writes.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import shutil
import time
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from runner.local.s3_keys import TEMP, decode_key, encode_key, self_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MOST_KEYS = 1000
"""Keys of one page of a listing, and of one DeleteObjects call."""
_TRIES = 50


class S3Error(Exception):
    """A refusal of S3, with the `response` that botocore's ClientError carries."""

    def __init__(self, code: str, message: str, *, status: int, operation: str) -> None:
        """Take S3's error code, its message and the HTTP status."""
        self.response: dict[str, Any] = {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": uuid.uuid4().hex[:16]},
        }
        self.operation_name = operation
        super().__init__(
            f"An error occurred ({code}) when calling the {operation} operation: {message}"
        )


@dataclass(frozen=True, slots=True)
class _Entry:
    key: str
    path: Path


class FolderS3:
    """A boto3-shaped S3 client whose buckets are folders."""

    def __init__(self, root: Path, buckets: Mapping[str, Path] | None = None) -> None:
        """Take the folder of all buckets, and the buckets that lie elsewhere."""
        self._root = root
        self._buckets = {name: Path(path) for name, path in (buckets or {}).items()}

    def bucket_folder(self, bucket: str) -> Path:
        """Give the folder that stands for a bucket."""
        return self._buckets.get(bucket, self._root / bucket)

    def path_of(self, url: str) -> Path:
        """Give the path of `s3://bucket/key`; it need not exist."""
        bucket, _, key = url.removeprefix("s3://").partition("/")
        folder = self.bucket_folder(bucket)
        return folder / encode_key(key.rstrip("/")) if key.rstrip("/") else folder

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
        for name, entry in self._names(Bucket, Prefix, Delimiter):
            if name.encode() <= after.encode() and after:
                continue
            if len(contents) + len(common) >= min(MaxKeys, MOST_KEYS):
                more = True
                break
            if entry is None:
                common.append(name)
            elif (described := _describe(entry)) is not None:
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
        path = self._existing(Bucket, Key, "GetObject")
        try:
            with path.open("rb") as file:
                body = file.read()
                state = os.fstat(file.fileno())
        except FileNotFoundError:
            raise _no_such_key("GetObject") from None
        return {**_head(state), "Body": io.BytesIO(body)}

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        """Tell size, ETag and time of an object; a missing one is error code 404."""
        path = self._find(Bucket, Key)
        with suppress(FileNotFoundError):
            if path is not None:
                return _head(path.stat())
        raise S3Error("404", "Not Found", status=404, operation="HeadObject")

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
        temporary = self._temporary(Bucket)
        temporary.write_bytes(content)
        return self.adopt(
            temporary, Bucket=Bucket, Key=Key, IfNoneMatch=IfNoneMatch, IfMatch=IfMatch
        )

    def adopt(
        self,
        path: Path,
        *,
        Bucket: str,  # noqa: N803
        Key: str,  # noqa: N803
        IfNoneMatch: str = "",  # noqa: N803
        IfMatch: str = "",  # noqa: N803
    ) -> dict[str, Any]:
        """Make a file of the same file system an object (the file moves); like PutObject."""
        stamp = _stamp()
        os.utime(path, ns=(stamp, stamp))
        try:
            with self._locked(Bucket, alone=bool(IfMatch)):
                if IfMatch:
                    self._check_match(Bucket, Key, IfMatch, "PutObject")
                self._place(path, Bucket, Key, fresh=IfNoneMatch == "*", operation="PutObject")
        finally:
            path.unlink(missing_ok=True)
        return {"ETag": _etag_of(self._size(Bucket, Key), stamp), **_ok(200)}

    def adopt_folder(self, path: Path, *, Bucket: str, Prefix: str) -> bool:  # noqa: N803
        """Make a folder of files objects below a prefix at once, if nothing is there yet."""
        for file in path.iterdir():
            stamp = _stamp()
            os.utime(file, ns=(stamp, stamp))
        with self._locked(Bucket):
            for _ in range(_TRIES):
                target = self._target(Bucket, Prefix.rstrip("/"))
                try:
                    self._make_parents(target, self.bucket_folder(Bucket))
                    path.rename(target)
                except FileNotFoundError:
                    continue
                except OSError:
                    return False
                return True
        return False

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
        source = self._existing(bucket, key, "CopyObject")
        temporary = self._temporary(Bucket)
        try:
            _link_or_copy(source, temporary)
            state = temporary.stat()
            with self._locked(Bucket):
                self._place(temporary, Bucket, Key, fresh=False, operation="CopyObject")
        except FileNotFoundError:
            raise _no_such_key("CopyObject") from None
        finally:
            temporary.unlink(missing_ok=True)
        return {
            "CopyObjectResult": {"ETag": _etag(state), "LastModified": _modified(state)},
            **_ok(200),
        }

    def delete_object(self, *, Bucket: str, Key: str, IfMatch: str = "") -> dict[str, Any]:  # noqa: N803
        """Delete an object; deleting a missing one succeeds, as on S3."""
        with self._locked(Bucket, alone=bool(IfMatch)):
            if IfMatch:
                self._check_match(Bucket, Key, IfMatch, "DeleteObject")
            self._remove(Bucket, Key)
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
        for each in wanted:
            try:
                self.delete_object(Bucket=Bucket, Key=each["Key"], IfMatch=each.get("ETag", ""))
                deleted.append({"Key": each["Key"]})
            except S3Error as error:
                errors.append({"Key": each["Key"], **error.response["Error"]})
            except OSError as error:
                errors.append({"Key": each["Key"], "Code": "InternalError", "Message": str(error)})
        result = _ok(200)
        if deleted and not Delete.get("Quiet"):
            result["Deleted"] = deleted
        if errors:
            result["Errors"] = errors
        return result

    def temporary_folder(self, bucket: str) -> Path:
        """Give an invisible folder on the bucket's file system, for files to `adopt` later."""
        folder = self.bucket_folder(bucket) / TEMP
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _temporary(self, bucket: str) -> Path:
        return self.temporary_folder(bucket) / uuid.uuid4().hex

    def _target(self, bucket: str, key: str) -> Path:
        if not key:
            raise S3Error("InvalidRequest", "Key is empty", status=400, operation="PutObject")
        return self.bucket_folder(bucket) / encode_key(key)

    def _find(self, bucket: str, key: str) -> Path | None:
        path = self._target(bucket, key)
        for _ in range(2):  # a file may just be turning into a folder
            if path.is_file():
                return path
            if (path / self_name()).is_file():
                return path / self_name()
        return None

    def _existing(self, bucket: str, key: str, operation: str) -> Path:
        path = self._find(bucket, key)
        if path is None:
            raise _no_such_key(operation)
        return path

    def _size(self, bucket: str, key: str) -> int:
        path = self._find(bucket, key)
        with suppress(FileNotFoundError):
            return path.stat().st_size if path is not None else 0
        return 0

    def _check_match(self, bucket: str, key: str, etag: str, operation: str) -> None:
        path = self._existing(bucket, key, operation)
        if _etag(path.stat()).strip('"') != etag.strip('"'):
            raise _precondition(operation)

    def _place(self, path: Path, bucket: str, key: str, *, fresh: bool, operation: str) -> None:
        """Move the file to the key; parents may vanish meanwhile (a delete), so it tries again."""
        for _ in range(_TRIES):
            target = self._target(bucket, key)
            if target.is_dir():
                target = target / self_name()
            try:
                self._make_parents(target, self.bucket_folder(bucket))
                if not fresh:
                    path.replace(target)
                else:
                    os.link(path, target)
            except FileExistsError:
                if fresh and target.is_file():
                    raise _precondition(operation) from None
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                if not path.exists():
                    raise
            else:
                return
        raise S3Error("SlowDown", "Please reduce your request rate.", status=503, operation="Put")

    def _make_parents(self, target: Path, top: Path) -> None:
        """Make the folders above a key; an object standing in the way moves into its folder."""
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            for folder in reversed(target.parents):
                if top in folder.parents and folder.is_file():
                    _turn_into_folder(folder, self._temporary_at(top))
            target.parent.mkdir(parents=True, exist_ok=True)

    @staticmethod
    def _temporary_at(top: Path) -> Path:
        return top / TEMP / uuid.uuid4().hex

    def _remove(self, bucket: str, key: str) -> None:
        path = self._find(bucket, key)
        if path is None:
            return
        path.unlink(missing_ok=True)
        top = self.bucket_folder(bucket)
        for folder in path.parents:
            if folder == top or top not in folder.parents:
                return
            try:
                folder.rmdir()
            except OSError:
                return

    @contextmanager
    def _locked(self, bucket: str, *, alone: bool = False) -> Iterator[None]:
        """Let conditional writes run alone in the bucket, all others beside each other."""
        with (self.temporary_folder(bucket) / "lock").open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
            yield

    def _names(
        self, bucket: str, prefix: str, delimiter: str
    ) -> Iterator[tuple[str, _Entry | None]]:
        """Give keys in order; with a delimiter, a common prefix (entry None) once for its keys."""
        seen: set[str] = set()
        for entry in self._walk(bucket, prefix):
            if delimiter:
                head, found, _ = entry.key[len(prefix) :].partition(delimiter)
                if found:
                    name = prefix + head + delimiter
                    if name not in seen:
                        seen.add(name)
                        yield name, None
                    continue
            yield entry.key, entry

    def _walk(self, bucket: str, prefix: str) -> list[_Entry]:
        top = self.bucket_folder(bucket)
        folder = prefix.rpartition("/")[0]
        start = top / encode_key(folder) if folder else top
        found: list[_Entry] = []
        base = start.relative_to(top).parts
        stack = [(start, base)]
        while stack:
            place, parts = stack.pop()
            with suppress(FileNotFoundError, NotADirectoryError), os.scandir(place) as entries:
                for each in entries:
                    if each.name == TEMP:
                        continue
                    path = (*parts, each.name)
                    if each.is_dir():
                        stack.append((Path(each.path), path))
                        continue
                    key = decode_key(path)
                    if key.startswith(prefix):
                        found.append(_Entry(key, Path(each.path)))
        found.sort(key=lambda entry: entry.key.encode())
        return found


def _turn_into_folder(path: Path, temporary: Path) -> None:
    """Move the object `a` to `a/<itself>`, because a key `a/b` is being written."""
    with suppress(FileNotFoundError, FileExistsError):
        path.rename(temporary)
        path.mkdir(exist_ok=True)
        temporary.rename(path / self_name())


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copy2(source, target)
        state = source.stat()
        os.utime(target, ns=(state.st_mtime_ns, state.st_mtime_ns))


def _source(source: str | Mapping[str, str]) -> tuple[str, str]:
    if not isinstance(source, str):
        return source["Bucket"], source["Key"]
    bucket, _, key = unquote(source).lstrip("/").partition("/")
    return bucket, key


def _stamp() -> int:
    """Give a modification time that no other write has: now, its last 10 bits random."""
    return time.time_ns() & ~0x3FF | int.from_bytes(os.urandom(2)) & 0x3FF


def _etag_of(size: int, mtime_ns: int) -> str:
    digest = hashlib.md5(f"{size} {mtime_ns}".encode(), usedforsecurity=False).hexdigest()
    return f'"{digest}-1"'


def _etag(state: os.stat_result) -> str:
    return _etag_of(state.st_size, state.st_mtime_ns)


def _modified(state: os.stat_result) -> datetime:
    return datetime.fromtimestamp(state.st_mtime_ns // 1_000_000_000, tz=UTC)


def _head(state: os.stat_result) -> dict[str, Any]:
    return {
        "ContentLength": state.st_size,
        "ETag": _etag(state),
        "LastModified": _modified(state),
        **_ok(200),
    }


def _describe(entry: _Entry) -> dict[str, Any] | None:
    try:
        state = entry.path.stat()
    except FileNotFoundError:
        return None
    return {
        "Key": entry.key,
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
