"""A real MariaDB for tests: a server of our own on a temporary folder, gone at the end.

Every pytest process (xdist worker) that asks starts its own; half a second each.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scripts import mariadb as servers
from scripts.mariadb import MariaDb

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PASSWORD", "MariaDb", "find_server", "mariadb", "running_mariadb"]

PASSWORD = "canary-4711-pa'ss"


def find_server() -> str:
    """Find mariadbd; fails in CI and skips elsewhere when there is none."""
    found = servers.find_server()
    if found is not None:
        return found
    advice = "MariaDB's server is not installed; as root: scripts/install_mariadb.sh"
    if os.environ.get("CI") == "true":
        pytest.fail(advice)
    pytest.skip(advice)


@contextmanager
def running_mariadb(*options: str) -> Iterator[MariaDb]:
    """Start a server, with further options of its own, and stop it."""
    server = find_server()
    with (
        tempfile.TemporaryDirectory(prefix="mdb-data-", ignore_cleanup_errors=True) as folder,
        servers.serving(server, Path(folder), *options, password=PASSWORD) as database,
    ):
        yield database


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDb]:
    with running_mariadb() as database:
        yield database
