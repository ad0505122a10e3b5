"""Multipart uploads that are under way: their parts, beside the bucket's objects.

In: buckets, keys, parts.  Out: what was uploaded.  An upload is a folder of files in the bucket's
invisible folder, so that it survives the server; a part's file is named by its number and MD5.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from runner.local.s3_keys import TEMP

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from runner.local.s3 import FolderS3

_ID = re.compile("[A-Za-z0-9_-]{20,200}")
_PART = re.compile("([0-9]{5})[.]([0-9a-f]{32})")
_ABOUT = "upload.json"


class Upload(NamedTuple):
    """An upload, with what its object will have beside its bytes."""

    id: str
    key: str
    started: datetime
    kept: Mapping[str, str]
    tags: Mapping[str, str]
    folder: Path


class Part(NamedTuple):
    """A part that was uploaded."""

    number: int
    md5: str
    size: int
    modified: datetime
    path: Path


class Uploads:
    """Keeps the uploads of all buckets."""

    def __init__(self, client: FolderS3) -> None:
        """Take the client whose buckets they are for."""
        self._client = client

    def start(
        self, bucket: str, key: str, *, kept: Mapping[str, str], tags: Mapping[str, str]
    ) -> str:
        """Begin an upload; gives its id."""
        name = secrets.token_urlsafe(48)
        about = {
            "key": key,
            "started": datetime.now(UTC).isoformat(),
            "kept": dict(kept),
            "tags": dict(tags),
        }
        folder = self._folder(bucket) / name
        folder.mkdir(parents=True)
        unfinished = folder / f"{_ABOUT}.new"
        unfinished.write_text(json.dumps(about), encoding="utf-8")
        unfinished.rename(folder / _ABOUT)
        return name

    def find(self, bucket: str, name: str) -> Upload | None:
        """Give an upload; None if it never was, or is over."""
        if not _ID.fullmatch(name):
            return None
        folder = self._folder(bucket) / name
        try:
            about = json.loads((folder / _ABOUT).read_bytes())
        except FileNotFoundError:
            return None
        started = datetime.fromisoformat(about["started"])
        return Upload(name, about["key"], started, about["kept"], about["tags"], folder)

    def all(self, bucket: str) -> list[Upload]:
        """Give the uploads of a bucket, in the order of keys and times."""
        names: Sequence[str] = ()
        with suppress(FileNotFoundError):
            names = os.listdir(self._folder(bucket))  # noqa: PTH208 - names are what is wanted
        found = [upload for name in names if (upload := self.find(bucket, name))]
        return sorted(found, key=lambda upload: (upload.key, upload.started, upload.id))

    def end(self, upload: Upload) -> None:
        """Drop an upload and its parts."""
        with suppress(FileNotFoundError):
            (upload.folder / _ABOUT).unlink()
        shutil.rmtree(upload.folder, ignore_errors=True)

    def _folder(self, bucket: str) -> Path:
        return self._client.bucket_folder(bucket) / TEMP / "uploads"


def keep_part(upload: Upload, number: int, *, md5: str, path: Path) -> Part:
    """Make a file the part of an upload, in the place of one with the same number."""
    target = upload.folder / f"{number:05d}.{md5}"
    path.rename(target)
    for other in upload.folder.glob(f"{number:05d}.*"):
        if other != target:
            other.unlink(missing_ok=True)
    state = target.stat()
    return Part(number, md5, state.st_size, _modified(state), target)


def parts_of(upload: Upload) -> list[Part]:
    """Give the parts of an upload by number."""
    return sorted(_parts(upload.folder))


def _parts(folder: Path) -> Iterator[Part]:
    with suppress(FileNotFoundError):
        for path in folder.iterdir():
            found = _PART.fullmatch(path.name)
            if found:
                state = path.stat()
                yield Part(int(found[1]), found[2], state.st_size, _modified(state), path)


def _modified(state: os.stat_result) -> datetime:
    return datetime.fromtimestamp(state.st_mtime, tz=UTC)
