"""A lake in a folder, and the same tests over boto3's client (moto) where both must agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.local.s3 import FolderS3
from tests.support.lake import BUCKET, Lake

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(FolderS3(tmp_path))


@pytest.fixture(params=["folder", "boto3"])
def any_lake(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Lake]:
    if request.param == "folder":
        yield Lake(FolderS3(tmp_path))
        return
    import boto3
    from moto import mock_aws

    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield Lake(client, workers=4)
