"""The command line, a database server, and the example project with one day in it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from runner.app.run import RunRequest, run
from tests.support.commands import Cli, cli, copy_example
from tests.support.mariadb import mariadb

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["cli", "mariadb"]

DAY = "2013-01-05"


@pytest.fixture(scope="session")
def example_with_a_day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = copy_example(tmp_path_factory.mktemp("example") / "flights")
    ended = run(RunRequest(root, "daily", start=DAY, end=DAY))
    assert ended.status == "SUCCEEDED", ended
    return root


@pytest.fixture
def flights(example_with_a_day: Path, tmp_path: Path, cli: Cli) -> Path:
    """A copy of the example in which 2013-01-05 is published; commands are typed there."""
    root = tmp_path / "flights"
    shutil.copytree(example_with_a_day, root)
    cli.cd(root)
    return root
