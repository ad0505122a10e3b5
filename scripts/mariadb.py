"""A MariaDB of one's own: a server in a folder, without any service, until the block ends."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SYSTEM_TABLES = ("mysql_system_tables.sql", "mysql_system_tables_data.sql")
SHARE = Path("/usr/share/mysql")
PATIENCE_S = 60.0


@dataclass(frozen=True)
class MariaDb:
    """A running server; `root` without password through the socket, `loader` with one."""

    socket: str
    port: int
    pid: int = 0

    def connect(self, database: str | None = None) -> Any:  # noqa: ANN401 - PyMySQL's connection
        """Connect as root; the caller closes."""
        import pymysql  # noqa: PLC0415 - comes with the extra `mysql`

        return pymysql.connect(
            unix_socket=self.socket, user="root", database=database, autocommit=True
        )

    def query(self, sql: str, database: str | None = None) -> list[tuple[Any, ...]]:
        """Run a statement as root and give its rows."""
        connection = self.connect(database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return list(cursor.fetchall())
        finally:
            connection.close()


def find_server() -> str | None:
    """Find mariadbd with the files that a new data folder needs."""
    found = shutil.which("mariadbd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin")
    complete = all((SHARE / name).exists() for name in SYSTEM_TABLES)
    return found if found and complete else None


@contextmanager
def serving(server: str, folder: Path, *options: str, password: str) -> Iterator[MariaDb]:
    """Start a server whose data lie in a folder, with further options, and stop it at the end.

    `password` is that of the user `loader`, set when the folder is new.
    """
    data = folder / "data"
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
    if not (data / "mysql").exists():
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(parents=True)
        _bootstrap(common, password)
    # A short path: names of Unix sockets end at 107 bytes.
    with tempfile.TemporaryDirectory(prefix="mdb-", dir="/tmp") as short:
        where = f"{short}/s"
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [
                    *common,
                    f"--socket={where}",
                    "--bind-address=127.0.0.1",
                    f"--port={port}",
                    f"--pid-file={short}/pid",
                    "--skip-name-resolve",
                    "--performance-schema=OFF",
                    "--innodb-lock-wait-timeout=5",
                    *options,
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C is not meant for the server
            )
        try:
            _wait(where, process, folder)
            yield MariaDb(where, port, process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _bootstrap(common: list[str], password: str) -> None:
    tables = "".join((SHARE / name).read_text(encoding="utf-8") for name in SYSTEM_TABLES)
    escaped = password.replace("'", "''")
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


def _wait(where: str, process: subprocess.Popen[bytes], folder: Path) -> None:
    until = time.monotonic() + PATIENCE_S
    while not _answers(where):
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
