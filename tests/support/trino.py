"""A real Trino on loopback, with the Hive connector on a file metastore in a stand-in for S3.

`scripts/install_trino.sh` assembles it, outside the checkout.  One server a process; it speaks
Trino's own REST protocol.  This build of the connector reads S3 only, hence moto's server.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SCRIPT = Path(__file__).parents[2] / "scripts" / "install_trino.sh"
BUCKET = "judge"
CATALOG = "awsdatacatalog"
_START_S = 180
_HEAP = "2G"
_JAVA = (
    f"-Xmx{_HEAP}",
    "-XX:+UseSerialGC",
    "-XX:-OmitStackTraceInFastThrow",
    "-XX:PerMethodRecompilationCutoff=10000",
    "-XX:PerBytecodeRecompilationCutoff=10000",
    "-Djdk.attach.allowAttachSelf=true",
    "-Djdk.nio.maxCachedBufferSize=2000000",
    "-Dfile.encoding=UTF-8",
)
_CONFIG = """\
coordinator=true
node-scheduler.include-coordinator=true
http-server.http.port={port}
node.internal-address=127.0.0.1
node.bind-ip=127.0.0.1
discovery.uri=http://127.0.0.1:{port}
plugin.dir={home}/plugin
catalog.config-dir={folder}/catalog
query.max-length=10000000
http-server.log.enabled=false
"""
_HIVE = """\
connector.name=hive
hive.metastore=file
hive.metastore.catalog.dir=s3://{bucket}/metastore
hive.security=allow-all
hive.non-managed-table-writes-enabled=true
fs.hadoop.enabled=false
fs.native-s3.enabled=true
s3.endpoint={endpoint}
s3.region=us-east-1
s3.path-style-access=true
s3.aws-access-key=judge
s3.aws-secret-key=judge
"""


class Answer(NamedTuple):
    """What Trino said: types and rows, or the name of an error and its message."""

    types: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    error: str = ""
    message: str = ""


@dataclass(frozen=True)
class Trino:
    """A server that answers, and the address of its S3."""

    url: str
    s3: str

    def query(self, sql: str, schema: str = "db") -> Answer:
        """Run one statement to its end."""
        headers = {
            "X-Trino-User": "judge",
            "X-Trino-Catalog": CATALOG,
            "X-Trino-Schema": schema,
            "X-Trino-Time-Zone": "UTC",
            "X-Trino-Client-Capabilities": "PARAMETRIC_DATETIME",
        }
        page = _ask(
            urllib.request.Request(  # noqa: S310 - loopback
                f"{self.url}/v1/statement", data=sql.encode(), headers=headers
            )
        )
        types: tuple[str, ...] = ()
        rows: list[tuple[Any, ...]] = []
        while True:
            if page.get("columns"):
                types = tuple(each["type"] for each in page["columns"])
            rows += (tuple(row) for row in page.get("data") or ())
            if "error" in page:
                return Answer(error=page["error"]["errorName"], message=page["error"]["message"])
            if "nextUri" not in page:
                return Answer(types, tuple(rows))
            page = _ask(urllib.request.Request(page["nextUri"]))  # noqa: S310 - loopback

    def put(self, key: str, body: bytes) -> None:
        """Put an object into its S3; an empty key makes the bucket."""
        path = f"{BUCKET}/{urllib.parse.quote(key)}".rstrip("/")
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{self.s3}/{path}",
            data=body,
            method="PUT",
            headers={"Content-Type": "application/octet-stream"},
        )
        with urllib.request.urlopen(request, timeout=30):  # noqa: S310 - loopback
            pass


def _ask(request: urllib.request.Request) -> dict[str, Any]:
    with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310 - loopback
        page: dict[str, Any] = json.load(answer)
        return page


def find_trino() -> Path | None:
    """Find the assembled folder; None when it is not there."""
    asked = subprocess.run(
        ["/bin/sh", SCRIPT, "--where"], capture_output=True, text=True, check=True
    )
    home = Path(asked.stdout.strip())
    return home if (home / "java").exists() else None


@contextmanager
def running_trino(home: Path) -> Iterator[Trino]:
    """Start a server and its S3, wait until it answers, and end both."""
    folder = Path(tempfile.mkdtemp(prefix="trino-"))
    s3_port, port = _free_port(), _free_port()
    trino = Trino(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{s3_port}")
    _configure(folder, home=home, port=port, endpoint=trino.s3)
    # A process of its own: other tests empty the account of this one's moto.
    moto = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(s3_port)]
    try:
        with (
            _running(moto, folder / "moto.log"),
            _running(_command(home, folder), folder / "log") as process,
        ):
            _wait(trino, process, folder / "log")
            trino.put("", b"")
            yield trino
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(command: Sequence[str | Path], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as written:
        process = subprocess.Popen(
            command, stdout=written, stderr=written, start_new_session=True, cwd=log.parent
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _configure(folder: Path, *, home: Path, port: int, endpoint: str) -> None:
    (folder / "catalog").mkdir()
    (folder / "config.properties").write_text(
        _CONFIG.format(port=port, home=home, folder=folder), "utf-8"
    )
    (folder / "log.properties").write_text("io.trino=WARN\nio.airlift=WARN\n", "utf-8")
    (folder / "catalog" / f"{CATALOG}.properties").write_text(
        _HIVE.format(bucket=BUCKET, endpoint=endpoint), "utf-8"
    )


def _command(home: Path, folder: Path) -> list[str | Path]:
    return [
        home / "java",
        *os.environ.get("TRINO_JAVA_OPTS", "").split(),
        *_JAVA,
        "-Dnode.environment=judge",
        "-Dnode.id=judge",
        f"-Dnode.data-dir={folder}/data",
        f"-Dconfig={folder}/config.properties",
        f"-Dlog.levels-file={folder}/log.properties",
        "-cp",
        f"{home}/classes:{home}/lib/*",
        "RunTrino",
        "435",
    ]


def _wait(trino: Trino, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a query is answered; raises RuntimeError with the end of the log."""
    until = time.monotonic() + _START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            if not trino.query("SELECT 1").error:
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass
        time.sleep(0.5)
    raise RuntimeError(f"Trino did not start: {log.read_text('utf-8')[-3000:]}")


@pytest.fixture(scope="session")
def trino() -> Iterator[Trino]:
    home = find_trino()
    if home is None:
        pytest.skip(
            "the judge did not run: no Trino is assembled (no Java 17, or no download): "
            "scripts/install_trino.sh"
        )
    with running_trino(home) as running:
        yield running
