"""PyAthena's own file system, unmodified, with an endpoint in the environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from pyathena import connect
from pyathena.filesystem.s3 import S3FileSystem

from tests.support.s3_wire import BUCKET, Wire, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[Wire]:
    with serving(tmp_path) as wire:
        yield wire


@pytest.fixture
def files(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ANN401 - it has no types
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", wire.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    staging = f"s3://{BUCKET}/staging/"
    connection = connect(s3_staging_dir=staging, region_name="us-east-1")
    return S3FileSystem(
        connection,
        skip_instance_cache=True,
        use_listings_cache=False,
        allow_bucket_creation=True,
        allow_bucket_deletion=True,
    )


def test_files_are_written_in_parts_and_appended_to(files: Any, wire: Wire) -> None:  # noqa: ANN401
    body = os.urandom(11_000_000)
    path = f"s3://{BUCKET}/a/é b+c"
    with files.open(path, "wb") as file:
        file.write(body)
    with files.open(path, "ab") as file:
        file.write(b"more")
    assert files.cat(path) == body + b"more"
    assert files.read_block(path, 10_999_998, 4) == body[-2:] + b"mo"
    assert wire.get("a/é b+c") == body + b"more"
    assert files.list_multipart_uploads(f"s3://{BUCKET}") == []


def test_folders_are_listed_moved_and_removed(files: Any) -> None:  # noqa: ANN401
    top = f"s3://{BUCKET}/top"
    for number in range(5):
        files.pipe(f"{top}/in/test_{number}", bytes(number))
    files.touch(f"{top}/other")
    assert files.ls(top) == [f"{BUCKET}/top/in", f"{BUCKET}/top/other"]
    assert files.isdir(f"{top}/in")
    assert files.info(f"{top}/in/test_3").size == 3
    assert files.du(top) == 10
    assert len(files.glob(f"{top}/*/test_*")) == 5
    files.mv(f"{top}/in", f"{top}/moved", recursive=True)
    files.cp(f"{top}/moved/test_4", f"{top}/copy")
    assert files.find(top) == [
        f"{BUCKET}/top/copy",
        *(f"{BUCKET}/top/moved/test_{number}" for number in range(5)),
        f"{BUCKET}/top/other",
    ]
    files.rm(top, recursive=True)
    assert files.find(top) == []
    with pytest.raises(FileNotFoundError):
        files.info(f"{top}/copy")


def test_metadata_tags_and_access(files: Any) -> None:  # noqa: ANN401
    path = f"s3://{BUCKET}/told"
    files.pipe(path, b"body")
    files.setxattr(path, colour="blue")
    assert files.getxattr(path, "colour") == "blue"
    files.put_tags(path, {"a": "b"})
    assert files.get_tags(path) == {"a": "b"}
    files.chmod(path, "private")
    assert files.object_version_info(path)[0].version_id == "null"


def test_buckets(files: Any) -> None:  # noqa: ANN401
    files.mkdir("s3://another")
    assert files.ls("s3://") == ["another", BUCKET]
    assert files.exists("s3://another")
    files.rmdir("s3://another")
    files.invalidate_cache()
    assert not files.exists("s3://another")
