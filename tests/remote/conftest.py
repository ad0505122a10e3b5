"""The example project with a day in it, on this machine and in an account on the loopback."""

from __future__ import annotations

import logging
import shutil
from typing import TYPE_CHECKING

import pytest

from runner.app.run import RunRequest, run
from tests.support.aws import Aws, aws, fresh_account, moto_url
from tests.support.commands import Cli, cli, copy_example
from tests.support.remote_lake import add_prod, copy_lake

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["aws", "cli", "moto_url"]

DAY = "2013-01-05"
logging.getLogger("werkzeug").setLevel(logging.ERROR)


@pytest.fixture(scope="session")
def example_with_a_day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example with an environment `prod` of the same names, and a published day."""
    root = copy_example(tmp_path_factory.mktemp("example") / "flights")
    add_prod(root)
    ended = run(RunRequest(root, "daily", start=DAY, end=DAY))
    assert ended.status == "SUCCEEDED", ended
    return root


@pytest.fixture(scope="module")
def account(moto_url: str) -> Iterator[Aws]:
    """One account for all tests of a module, which change nothing in it."""
    with pytest.MonkeyPatch.context() as patch:
        yield fresh_account(moto_url, patch)


@pytest.fixture(scope="module")
def shared(
    example_with_a_day: Path, account: Aws, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The project and its copy in the account, for tests that change nothing."""
    root = tmp_path_factory.mktemp("shared") / "flights"
    shutil.copytree(example_with_a_day, root)
    copy_lake(root, account)
    return root


@pytest.fixture
def flights(example_with_a_day: Path, tmp_path: Path, aws: Aws, cli: Cli) -> Path:
    """A copy of it, whose lake and catalogue are in the account too; commands are typed there."""
    root = tmp_path / "flights"
    shutil.copytree(example_with_a_day, root)
    aws.s3.create_bucket(
        Bucket="flights-raw", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    copy_lake(root, aws, raw=False)
    cli.cd(root)
    return root
