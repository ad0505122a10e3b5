"""A real PostgreSQL for tests: a server of our own on a temporary folder, gone at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

DEBIAN = Path("/usr/lib/postgresql")
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Database:
    """A running server with the database `dev`; nobody needs a password."""

    port: int

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a statement; gives its rows, if it has any."""
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user="postgres", dbname="dev", autocommit=True
        ) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []


def binaries() -> Path:
    """Find initdb and postgres; fails in CI and skips elsewhere when there are none."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else []
    folders += sorted(DEBIAN.glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    advice = "PostgreSQL's server is not installed; as root: scripts/install_postgres.sh"
    if os.environ.get("CI") == "true":
        pytest.fail(advice)
    pytest.skip(advice)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Database]:
    """Start a server; root starts it as the user `postgres`, because it refuses root."""
    programs = binaries()
    owner = "postgres" if os.getuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    if owner:
        shutil.chown(folder, owner)
    data = folder / "data"
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    home = pwd.getpwnam(owner) if owner else None
    who: dict[str, Any] = {"cwd": folder, "env": environment}
    if home is not None:
        who |= {"user": home.pw_uid, "group": home.pw_gid, "extra_groups": []}
    process: subprocess.Popen[bytes] | None = None
    try:
        initdb, server = str(programs / "initdb"), str(programs / "postgres")
        made = [initdb, "-D", str(data), "-U", "postgres", "--auth=trust", "--no-sync"]
        subprocess.run(made, check=True, capture_output=True, **who)
        port = free_port()
        words = ["-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", str(folder), "-F"]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [server, *words],
                stdout=log,
                stderr=log,
                start_new_session=True,
                **who,
            )
        wait(port, process, folder / "log")
        yield Database(port)
    finally:
        if process is not None:
            process.terminate()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until it answers, and make the database `dev`."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            with psycopg.connect(
                host="127.0.0.1", port=port, user="postgres", dbname="postgres", autocommit=True
            ) as connection:
                connection.execute("CREATE DATABASE dev")
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"PostgreSQL does not start: {log.read_text()}") from None
            time.sleep(0.05)
        else:
            return
