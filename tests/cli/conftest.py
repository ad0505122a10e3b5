"""A small project that was run once, copied for each test."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from runner.app.run import RunRequest, run
from runner.app.scaffold import init_project
from tests.support.commands import Cli, cli

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["cli"]


@pytest.fixture(scope="session")
def fresh_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of `runner init`, compiled and never run."""
    folder = tmp_path_factory.mktemp("fresh") / "shop"
    init_project(folder, name="shop")
    return folder


@pytest.fixture(scope="session")
def ran_shop(fresh_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same after a run of all its days."""
    folder = tmp_path_factory.mktemp("ran") / "shop"
    shutil.copytree(fresh_shop, folder)
    ended = run(RunRequest(folder, "daily", start="2024-01-01", end="2024-01-03"))
    assert ended.status == "SUCCEEDED"
    return folder


@pytest.fixture
def shop(ran_shop: Path, tmp_path: Path, cli: Cli) -> Path:
    """A copy that was run, and the folder that commands are typed in."""
    folder = tmp_path / "shop"
    shutil.copytree(ran_shop, folder)
    cli.cd(folder)
    return folder


@pytest.fixture
def new_shop(fresh_shop: Path, tmp_path: Path, cli: Cli) -> Path:
    """A copy that was never run, and the folder that commands are typed in."""
    folder = tmp_path / "shop"
    shutil.copytree(fresh_shop, folder)
    cli.cd(folder)
    return folder
