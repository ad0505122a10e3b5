"""A real Embulk for tests: one Java process per pytest process, fed one configuration at a time.

`scripts/install_embulk.sh` assembles it, outside the checkout, from what the image is made of.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = Path(__file__).parents[2] / "scripts" / "install_embulk.sh"


@dataclass(frozen=True)
class Outcome:
    """What became of one configuration: `loaded`, `failed` or `refused`."""

    status: str
    rows: int
    skipped: int
    seconds: float
    log: str


@dataclass
class Embulk:
    """A running launcher that waits for names of configurations."""

    home: Path
    folder: Path
    process: subprocess.Popen[str]
    log: IO[bytes]
    count: int = field(default=0, init=False)

    def run(self, config: str) -> Outcome:
        """Run one YAML text."""
        self.count += 1
        path = self.folder / f"{self.count}.yml"
        path.write_text(config, encoding="utf-8")
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{path}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        log = self.log.read().decode()
        if not answer.startswith("{"):
            raise RuntimeError(f"Embulk ended: {answer}{log[-2000:]}")
        word = json.loads(answer)
        assert word["config"] == str(path)
        return Outcome(word["status"], word["rows"], word["skipped"], word["seconds"], log)


def find_embulk() -> Path:
    """Find the assembled folder; without it the test is skipped, and the script said why."""
    asked = subprocess.run(
        ["/bin/sh", SCRIPT, "--where"], capture_output=True, text=True, check=True
    )
    home = Path(asked.stdout.strip())
    if home.is_dir() and shutil.which("java"):
        return home
    pytest.skip("Embulk is not assembled (no Java, or no download): scripts/install_embulk.sh")


@contextmanager
def running_embulk(home: Path, **environ: str) -> Iterator[Embulk]:
    """Start a launcher, with this environment besides ours, and end it."""
    folder = Path(tempfile.mkdtemp(prefix="embulk-"))
    try:
        log = folder / "log"
        with (
            log.open("wb") as written,
            log.open("rb") as read,
            subprocess.Popen(
                [home / "run-embulk.sh", "-"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=written,
                text=True,
                env=os.environ | {"JAVA_OPTS": "-Xmx512m -XX:TieredStopAtLevel=1"} | environ,
                start_new_session=True,  # a test's Ctrl-C is not meant for it
            ) as process,
        ):
            try:
                yield Embulk(home, folder, process, read)
            finally:
                process.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def embulk() -> Iterator[Embulk]:
    with running_embulk(find_embulk()) as running:
        yield running
