"""A real MariaDB for tests: a server of our own on a temporary folder, gone at the end.

Every pytest process (xdist worker) that asks starts its own; half a second each.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

SYSTEM_TABLES = ("mysql_system_tables.sql", "mysql_system_tables_data.sql")
SHARE = Path("/usr/share/mysql")
PASSWORD = "canary-4711-pa'ss"
PATIENCE_S = 60.0


@dataclass(frozen=True)
class MariaDb:
    """A running server; `root` without password through the socket, `loader` with one."""

    socket: str
    port: int
    pid: int = 0

    def connect(self, database: str | None = None) -> Any:  # noqa: ANN401 - PyMySQL's connection
        import pymysql

        return pymysql.connect(
            unix_socket=self.socket, user="root", database=database, autocommit=True
        )

    def query(self, sql: str, database: str | None = None) -> list[tuple[Any, ...]]:
        connection = self.connect(database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return list(cursor.fetchall())
        finally:
            connection.close()


def find_server() -> str:
    """Find mariadbd; fails in CI and skips elsewhere when there is none."""
    found = shutil.which("mariadbd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin")
    if found and all((SHARE / name).exists() for name in SYSTEM_TABLES):
        return found
    advice = "MariaDB's server is not installed; as root: scripts/install_mariadb.sh"
    if os.environ.get("CI") == "true":
        pytest.fail(advice)
    pytest.skip(advice)


@contextmanager
def running_mariadb(*options: str) -> Iterator[MariaDb]:
    """Start a server, with further options of its own, and stop it."""
    server = find_server()
    # A short path: names of Unix sockets end at 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="mdb-", dir="/tmp"))
    process = None
    try:
        data = folder / "data"
        data.mkdir()
        port = _free_port()
        common = [
            server,
            "--no-defaults",
            f"--user={pwd.getpwuid(os.getuid()).pw_name}",
            f"--datadir={data}",
            "--innodb-log-file-size=16M",
            "--innodb-buffer-pool-size=64M",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-flush-method=nosync",
        ]
        _bootstrap(common)
        where = f"{folder}/s"
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [
                    *common,
                    f"--socket={where}",
                    "--bind-address=127.0.0.1",
                    f"--port={port}",
                    f"--pid-file={folder}/pid",
                    "--skip-name-resolve",
                    "--performance-schema=OFF",
                    "--innodb-lock-wait-timeout=5",
                    *options,
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,  # a test's Ctrl-C is not meant for the server
            )
        database = MariaDb(where, port, process.pid)
        _wait(database, process, folder)
        yield database
    finally:
        if process is not None:
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _bootstrap(common: list[str]) -> None:
    tables = "".join((SHARE / name).read_text(encoding="utf-8") for name in SYSTEM_TABLES)
    escaped = PASSWORD.replace("'", "''")
    script = (
        f"CREATE DATABASE mysql;\nUSE mysql;\n{tables}\nFLUSH PRIVILEGES;\n"
        "CREATE OR REPLACE USER 'root'@'localhost' IDENTIFIED BY '';\n"
        "GRANT ALL ON *.* TO 'root'@'localhost' WITH GRANT OPTION;\n"
        f"CREATE OR REPLACE USER 'loader'@'127.0.0.1' IDENTIFIED BY '{escaped}';\n"
        "GRANT ALL ON *.* TO 'loader'@'127.0.0.1';\n"
    )
    done = subprocess.run(
        [*common, "--bootstrap", "--skip-networking"],
        input=script.encode(),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"MariaDB's bootstrap failed: {done.stderr.decode()[-2000:]}")


def _wait(database: MariaDb, process: subprocess.Popen[bytes], folder: Path) -> None:
    until = time.monotonic() + PATIENCE_S
    while not _answers(database.socket):
        if process.poll() is not None or time.monotonic() > until:
            log = (folder / "log").read_text(errors="replace")[-2000:]
            raise RuntimeError(f"MariaDB does not start: {log}")
        time.sleep(0.02)


def _answers(where: str) -> bool:
    """Tell whether the server listens (PyMySQL would leave its socket open when it does not)."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(where)
        except OSError:
            return False
        return bool(probe.recv(1))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDb]:
    with running_mariadb() as database:
        yield database
