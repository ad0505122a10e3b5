"""A container without Docker: the context that `runner image` writes, its entry script, real ends.

S3 is a folder over HTTP, the mart is a MariaDB; the process gets what ECS would give it and no
more.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from runner.app.image import write_image
from runner.local.s3 import FolderS3
from runner.model.loads import LoadOutcome, outcome_uri
from tests.support.embulk import find_embulk
from tests.support.http_aws import serve
from tests.support.mariadb import PASSWORD, MariaDb, mariadb

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["mariadb"]

MANIFEST = "s3://lake/_runner/loads/r1/marts.carrier_day.json"
DAY = "2013-01-01"
PATIENCE_S = 60
DEAD_PORT = "9"


@dataclass
class Ended:
    """A process that has ended."""

    status: int
    output: str
    errors: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """Give the lines of standard output."""
        return [json.loads(line) for line in self.output.splitlines()]


@dataclass
class Container:
    """What a task is started with."""

    context: Path
    work: Path
    s3: Path
    environ: dict[str, str]

    def start(self, **changes: str | None) -> subprocess.Popen[str]:
        """Start the entry script; None takes a variable away."""
        environ = {**self.environ, **changes}
        return subprocess.Popen(
            ["/bin/sh", str(self.context / "entry.sh")],
            env={name: value for name, value in environ.items() if value is not None},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, **changes: str | None) -> Ended:
        return end_of(self.start(**changes))

    def outcome(self, manifest: str = MANIFEST) -> LoadOutcome:
        return LoadOutcome.from_json(json.loads(self.object(outcome_uri(manifest))))

    def object(self, uri: str) -> str:
        return (self.s3 / uri.removeprefix("s3://")).read_text("utf-8")


def end_of(process: subprocess.Popen[str]) -> Ended:
    output, errors = process.communicate(timeout=PATIENCE_S)
    return Ended(process.returncode, output, errors)


@dataclass
class Lake:
    """Published files of a table with one day, and its manifest."""

    folder: Path
    files: list[dict[str, Any]] = field(default_factory=list)

    def write(self, name: str, select: str) -> None:
        path = self.folder / "lake" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with duckdb.connect() as connection:
            connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
        size = path.stat().st_size
        self.files.append({"uri": f"s3://lake/{name}", "size": size, "partition": {"dt": DAY}})

    def manifest(self, **changes: Any) -> None:  # noqa: ANN401 - JSON
        value = {
            "load_key": {
                "mart_table": "carrier_day",
                "table": "marts.carrier_day",
                "window_start": DAY,
                "window_end": DAY,
                "publish_id": changes.pop("publish_id", "p1"),
            },
            "mode": "replace_window",
            "keys": [],
            "columns": [
                {"name": "carrier", "athena_type": "varchar(2)", "mart_type": None},
                {"name": "flights", "athena_type": "bigint", "mart_type": None},
            ],
            "partition_columns": [{"name": "dt", "type": "string"}],
            "window": {"columns": ["dt"], "values": [[DAY]]},
            "whole_table": False,
            "format": "parquet",
            "files": self.files,
            "rows": 3,
        }
        path = self.folder / MANIFEST.removeprefix("s3://")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value | changes))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Three rows in two files."""
    made = Lake(tmp_path / "s3")
    day = "SELECT * FROM (VALUES {}) t(carrier, flights)"
    made.write("dt=1/a b.parquet", day.format("('AA', 94::BIGINT), ('UA', 165)"))
    made.write("dt=1/b.parquet", day.format("('B6', 7::BIGINT)"))
    made.manifest()
    return made


@pytest.fixture(scope="session")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build context of the native image."""
    folder = tmp_path_factory.mktemp("context")
    write_image("native", folder)
    return folder


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[str]:
    with serve(FolderS3(tmp_path / "s3"), {}) as url:
        yield url


@pytest.fixture
def database(mariadb: MariaDb) -> Iterator[str]:
    name = f"mart_{uuid.uuid4().hex[:12]}"
    mariadb.query(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    yield name
    mariadb.query(f"DROP DATABASE {name}")


@pytest.fixture
def container(context: Path, lake: Lake, endpoint: str, tmp_path: Path) -> Container:
    """A container whose mart does not answer; `loading` has one that does."""
    home, work = tmp_path / "opt", tmp_path / "work"
    (home / "lib").mkdir(parents=True)
    (home / "lib" / "runner").symlink_to(context / "runner")
    work.mkdir()
    environ = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}/usr/bin:/bin",
        "RUNNER_HOME": str(home),
        "RUNNER_WORK": str(work),
        "RUNNER_LOAD_MANIFEST": MANIFEST,
        "RUNNER_MART": "main",
        "RUNNER_TASK_MART": "main",
        "RUNNER_MART_HOST": "127.0.0.1",
        "RUNNER_MART_PORT": DEAD_PORT,
        "RUNNER_MART_DATABASE": "mart",
        "RUNNER_MART_USER": "loader",
        "RUNNER_MART_PASSWORD": PASSWORD,
        "RUNNER_MART_TLS": "off",
        "AWS_ENDPOINT_URL_S3": endpoint,
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "canary-of-the-role",
        "AWS_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return Container(context, work, lake.folder, environ)


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory, as /run/runner is."""
    folder = Path(tempfile.mkdtemp(prefix="runner-", dir="/dev/shm"))
    yield folder
    shutil.rmtree(folder)


def make_embulk(container: Container, lake: Lake, memory: Path) -> Container:
    """Make it a container of the embulk image, and its load one that asks for that."""
    lake.manifest(engine="embulk")
    java = Path(shutil.which("java") or "/usr/bin/java").parent
    container.environ |= {
        "PATH": f"{container.environ['PATH']}:{java}",
        "EMBULK_HOME": str(find_embulk()),
        "RUNNER_SECRETS": str(memory),
        "JAVA_TOOL_OPTIONS": "-Xmx256m -XX:TieredStopAtLevel=1 -XX:-UsePerfData "
        f"-Djava.io.tmpdir={container.work}",
    }
    return container


@pytest.fixture
def loading(container: Container, mariadb: MariaDb, database: str) -> Container:
    """A container that can load."""
    container.environ |= {
        "RUNNER_MART_PORT": str(mariadb.port),
        "RUNNER_MART_DATABASE": database,
    }
    return container
