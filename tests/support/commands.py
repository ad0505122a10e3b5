"""The command line in this process: what a user types, and what comes back."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runner.cli.root import run_command_line

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
EXAMPLE = ("config.yaml", "data", "sql", "workflows", "lambdas")
PATIENCE_S = 60.0
LOADS = "{type: loads, needs: [tables]}"


@dataclass(frozen=True, slots=True)
class Said:
    """What a command said, and how it ended."""

    status: int
    out: str
    err: str


class Cli:
    """Types commands in a folder."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def cd(self, folder: Path) -> None:
        self._monkeypatch.chdir(folder)

    def __call__(self, *words: str) -> Said:
        self._capsys.readouterr()
        status = run_command_line(words)
        said = self._capsys.readouterr()
        return Said(status, said.out, said.err)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return Cli(capsys, monkeypatch)


def process(
    *words: str, cwd: Path, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Type a command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "runner", *words],
        cwd=cwd,
        env=child_environment(environ),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def child_environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", **(environ or {})}


def copy_example(folder: Path) -> Path:
    """Copy the example project, without anything that runs of it left."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in EXAMPLE:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / part)
    return folder


def without_retries(root: Path) -> None:
    """Let the example's loads fail at once: their retries wait for real."""
    path = root / "workflows" / "daily.yaml"
    text = path.read_text("utf-8")
    assert text.count(LOADS) == 1
    path.write_text(text.replace(LOADS, LOADS[:-1] + ", retry: []}"), "utf-8")
