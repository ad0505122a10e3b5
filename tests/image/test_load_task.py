"""One load from an environment: what is refused before a row moves, and what is told of it."""

from __future__ import annotations

import ast
import errno
import json
import os
import re
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runner.app.load_task import run_load_task
from runner.aws.s3 import open_s3
from runner.loads.exits import EXIT_CODES, exit_code
from runner.model.loads import LoadOutcome, outcome_uri
from runner.model.ports import ServiceError
from tests.image.conftest import MANIFEST, PATIENCE_S, Container, Lake

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.aws.s3 import S3Objects
    from runner.model.ports import Json, Objects
    from tests.support.mariadb import MariaDb

ROOT = Path(__file__).parent.parent.parent
SECRET = "canary-in-a-message"


@dataclass
class Memory:
    """Objects in a dictionary; an exception as a value is raised."""

    held: dict[str, bytes | BaseException] = field(default_factory=dict)
    broken: ServiceError | None = None
    files: BaseException | None = None

    def read(self, uri: str) -> bytes:
        found = self.held[uri]
        if isinstance(found, BaseException):
            raise found
        return found

    def write(self, uri: str, body: bytes) -> None:
        if self.broken is not None:
            raise self.broken
        self.held[uri] = body

    def download(self, wanted: Sequence[tuple[str, Path]]) -> None:
        del wanted
        if self.files is not None:
            raise self.files


@dataclass
class Ran:
    """What one load in this process gave and told."""

    outcome: LoadOutcome
    lines: list[Mapping[str, Json]]

    @property
    def end(self) -> tuple[int, str]:
        return exit_code(self.outcome), self.outcome.error


@pytest.fixture(autouse=True)
def _role(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in container.environ.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)


def run(container: Container, objects: Objects | None = None, **changes: str | None) -> Ran:
    environ = {**container.environ, **changes}
    lines: list[Mapping[str, Json]] = []
    with closing(open_s3("us-east-1")) as s3:
        outcome = run_load_task(
            {name: value for name, value in environ.items() if value is not None},
            objects=objects or s3,
            work=Path(environ["RUNNER_WORK"] or ""),
            tell=lines.append,
        )
    assert list(container.work.iterdir()) == []
    return Ran(outcome, lines)


def test_a_task_without_a_manifest(container: Container) -> None:
    ran = run(container, RUNNER_LOAD_MANIFEST=None)
    assert ran.end == (78, "Load.InvalidTask")
    assert ran.outcome.cause == "RUNNER_LOAD_MANIFEST is not set"


WRONG: dict[str, tuple[dict[str, str | None], str]] = {
    "another mart": ({"RUNNER_MART": "other"}, "the task definition is for mart main"),
    "tls": ({"RUNNER_MART_TLS": "on"}, "RUNNER_MART_TLS is 'on', expected verify or off"),
    "port": ({"RUNNER_MART_PORT": "33o6"}, "RUNNER_MART_PORT is not a number"),
    "ca": ({"RUNNER_MART_TLS": None, "RUNNER_MART_CA": "/nowhere.pem"}, "no file /nowhere.pem"),
    "work": ({"RUNNER_WORK": "/nowhere"}, "RUNNER_WORK is no folder to write into"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_variable(container: Container, name: str) -> None:
    changes, said = WRONG[name]
    ran = run(container, None, **changes)
    assert ran.end == (78, "Load.InvalidTask")
    assert said in ran.outcome.cause
    assert container.outcome() == ran.outcome


def test_every_wrong_variable_is_told_at_once(container: Container) -> None:
    ran = run(container, RUNNER_MART_HOST="", RUNNER_MART_TLS="on", RUNNER_MART="other")
    assert ran.outcome.cause.count(";") == 2


def test_a_manifest_that_is_not_there(container: Container) -> None:
    ran = run(container, RUNNER_LOAD_MANIFEST="s3://lake/no.json")
    assert ran.end == (65, "S3.NotFound")
    assert container.outcome("s3://lake/no.json") == ran.outcome


def test_an_address_that_is_none(container: Container) -> None:
    assert run(container, RUNNER_LOAD_MANIFEST="/etc/passwd").end == (65, "S3.NotFound")


@pytest.mark.parametrize("text", ["{'a'}", "\xff", "[]", "{}"])
def test_a_manifest_that_is_none(container: Container, text: str) -> None:
    (container.s3 / "lake" / "odd.json").write_bytes(text.encode("latin1"))
    ran = run(container, RUNNER_LOAD_MANIFEST="s3://lake/odd.json")
    assert ran.end == (65, "Load.InvalidManifest")


def test_a_file_that_is_gone(container: Container) -> None:
    (container.s3 / "lake" / "dt=1" / "b.parquet").unlink()
    ran = run(container)
    assert ran.end == (65, "S3.NotFound")
    assert "s3://lake/dt=1/b.parquet" in ran.outcome.cause


def test_a_file_of_another_size(container: Container) -> None:
    with (container.s3 / "lake" / "dt=1" / "b.parquet").open("ab") as file:
        file.write(b"x")
    assert run(container).end == (65, "Load.FileChanged")


def test_an_s3_that_does_not_answer(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    assert run(container).end == (69, "S3.Unreachable")


def test_files_larger_than_the_disk(container: Container, lake: Lake) -> None:
    lake.files[0]["size"] = 10**18
    lake.manifest()
    ran = run(container)
    assert ran.end == (78, "Load.NoSpace")
    assert "ephemeralStorage.sizeInGiB" in ran.outcome.cause


def manifest_of(container: Container) -> dict[str, bytes | BaseException]:
    return {MANIFEST: container.object(MANIFEST).encode()}


def test_a_disk_that_fills(container: Container) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    ran = run(container, Memory(manifest_of(container), files=full))
    assert ran.end == (78, "Load.NoSpace")


def test_a_defect_is_told_with_its_traceback_and_without_the_secret(container: Container) -> None:
    objects = Memory({MANIFEST: RuntimeError(f"odd: {SECRET}")})
    ran = run(container, objects, RUNNER_MART_PASSWORD=SECRET)
    assert ran.end == (70, "Load.Defect")
    assert ran.outcome.cause == "RuntimeError: odd: ***"
    assert "Traceback" in ran.lines[0]["traceback"]
    assert SECRET not in json.dumps([*ran.lines, ran.outcome.to_json()])
    assert objects.held[outcome_uri(MANIFEST)] == json.dumps(ran.outcome.to_json()).encode()


def test_an_outcome_that_cannot_be_written(container: Container) -> None:
    denied = ServiceError("S3.Denied", "no s3:PutObject")
    ran = run(container, Memory(manifest_of(container), broken=denied))
    assert ran.end == (65, "Load.FileMissing")  # what went wrong first
    assert {"event": "unreported", "error": "S3.Denied", "cause": "no s3:PutObject"} in ran.lines


@dataclass
class Unwritable(Memory):
    """S3 that gives and does not take."""

    s3: S3Objects = field(default_factory=lambda: open_s3("us-east-1"))

    def read(self, uri: str) -> bytes:
        return self.s3.read(uri)

    def download(self, wanted: Sequence[tuple[str, Path]]) -> None:
        self.s3.download(wanted)


@pytest.mark.mariadb
def test_rows_without_an_outcome_are_a_failure(
    loading: Container, mariadb: MariaDb, database: str
) -> None:
    objects = Unwritable(broken=ServiceError("S3.Denied", "no s3:PutObject"))
    with closing(objects.s3):
        ran = run(loading, objects)
    assert ran.end == (78, "S3.Denied")
    assert ran.outcome.cause == "the rows are in (loaded), their outcome is not: no s3:PutObject"
    assert mariadb.query("SELECT count(*) FROM carrier_day", database) == [(3,)]


STUCK = """
import hashlib, pathlib, sys
from runner.app import load_stop
load_stop.PATIENCE_S = 0.1
folder = pathlib.Path(sys.argv[1])
folder.mkdir()
with load_stop.stoppable(folder):
    while True:
        try:
            print("ready", flush=True)
            hashlib.pbkdf2_hmac('sha256', b'', b'', 10**9)  # C code that does not look for signals
        except load_stop.Stopped:
            pass  # it came before the C code began
"""


def test_a_stop_ends_a_call_that_does_not_come_back(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", STUCK, str(tmp_path / "stuck")],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.terminate()
        assert process.wait(PATIENCE_S) == 143
    assert not (tmp_path / "stuck").exists()


# --- the table of exit codes ----------------------------------------------------------------------

NAME = re.compile(r"(Load|S3)\.[A-Z][A-Za-z]+\Z")


def names_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and NAME.match(node.value)
    }


def test_every_error_of_a_load_has_an_exit_code() -> None:
    package = ROOT / "runner"
    paths = [path for path in package.rglob("*.py") if path.name != "exits.py"]
    loads = {n for path in paths for n in names_in(path) if n.startswith("Load.")}
    s3 = names_in(package / "aws" / "s3.py")
    assert {*loads, *s3} == set(EXIT_CODES)


def test_exit_codes_of_outcomes() -> None:
    assert exit_code(LoadOutcome("loaded", "native")) == 0
    assert exit_code(LoadOutcome("skipped", "native")) == 0
    assert exit_code(LoadOutcome("failed", "native", error="Load.MartBusy")) == 75
    assert exit_code(LoadOutcome("failed", "native", error="S3.Busy")) == 75
    assert exit_code(LoadOutcome("failed", "native", error="Load.SchemaDrift")) == 65
    assert exit_code(LoadOutcome("failed", "", error="Load.NobodyKnows")) == 70
    assert set(EXIT_CODES.values()) == {65, 69, 70, 75, 78, 143}
