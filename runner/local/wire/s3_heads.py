"""What S3 keeps of an object beside its bytes: headers, metadata of the user, and tags.

In: buckets and ETags, or keys.  Out: what was kept.  It lies in the bucket's invisible folder, one
small file for an object that has something to keep; objects that came by other means have none.
Headers belong to an ETag, which no two writes share: a copy of the object has them too, and they
are there before the object is.  Tags belong to a key and are void once its ETag is another.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from runner.local.s3_keys import TEMP

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from runner.local.s3 import FolderS3


class Heads:
    """Keeps headers and tags of all buckets."""

    def __init__(self, client: FolderS3) -> None:
        """Take the client whose buckets they are."""
        self._client = client

    def read(self, bucket: str, etag: str) -> dict[str, str]:
        """Give the headers of an object; none if nothing was kept."""
        return _read(self._head(bucket, etag))

    def write(self, bucket: str, etag: str, headers: Mapping[str, str]) -> None:
        """Keep an object's headers."""
        if headers:
            self._write(bucket, self._head(bucket, etag), headers)

    def forget(self, bucket: str, etag: str) -> None:
        """Drop headers that no object has any more."""
        if etag:
            self._head(bucket, etag).unlink(missing_ok=True)

    def read_tags(self, bucket: str, key: str, etag: str) -> dict[str, str]:
        """Give the tags of an object."""
        kept = _read(self._tags(bucket, key))
        return kept if kept.pop("", "") == etag else {}

    def write_tags(self, bucket: str, key: str, etag: str, tags: Mapping[str, str]) -> None:
        """Keep an object's tags in the place of others."""
        place = self._tags(bucket, key)
        if tags:
            self._write(bucket, place, {"": etag, **tags})
        else:
            place.unlink(missing_ok=True)

    def forget_tags(self, bucket: str, key: str) -> None:
        """Drop the tags of a key."""
        self._tags(bucket, key).unlink(missing_ok=True)

    def _head(self, bucket: str, etag: str) -> Path:
        name = etag.strip('"')
        return self._client.bucket_folder(bucket) / TEMP / "heads" / name[:2] / f"{name}.json"

    def _write(self, bucket: str, path: Path, kept: Mapping[str, str]) -> None:
        unfinished = self._client.temporary_folder(bucket) / f"{secrets.token_hex(8)}.new"
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            unfinished.write_text(json.dumps(kept), encoding="utf-8")
            os.replace(unfinished, path)  # noqa: PTH105 - says that it replaces
        finally:
            with suppress(FileNotFoundError):
                unfinished.unlink()

    def _tags(self, bucket: str, key: str) -> Path:
        name = hashlib.sha256(key.encode()).hexdigest()
        return self._client.bucket_folder(bucket) / TEMP / "tags" / name[:2] / f"{name}.json"


def _read(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    return dict(found)
