"""Every broken project of tests/broken through the command line: exact text, place, status."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.commands import process

if TYPE_CHECKING:
    from tests.support.commands import Cli

BROKEN = Path(__file__).parent.parent / "broken"
CASES = sorted(path.name for path in BROKEN.iterdir() if not path.name.startswith("_"))
UNUSABLE = [
    name for name in CASES if "load 2" in (BROKEN / name / "status").read_text().splitlines()
]


def lay_out(case: str, folder: Path) -> Path:
    root = folder / "project"
    shutil.copytree(BROKEN / "_base", root)
    shutil.copytree(BROKEN / case, root, dirs_exist_ok=True)
    return root


@pytest.mark.parametrize("case", CASES)
def test_check_prints_every_fault_and_ends_in_1(case: str, cli: Cli, tmp_path: Path) -> None:
    cli.cd(lay_out(case, tmp_path))
    said = cli("check")
    assert said.out == (BROKEN / case / "expected.txt").read_text()
    assert (said.status, said.err) == (1, "")


@pytest.mark.parametrize("case", UNUSABLE[::8])
def test_run_refuses_with_the_same_text_and_ends_in_2(case: str, cli: Cli, tmp_path: Path) -> None:
    root = lay_out(case, tmp_path)
    cli.cd(root)
    said = cli("run", "daily", "--start", "2024-01-01", "--end", "2024-01-01")
    assert (said.status, said.out) == (2, "")
    assert said.err == (BROKEN / case / "expected.txt").read_text()
    assert not (root / ".runner" / "runs").exists()


def test_in_a_process_of_its_own(tmp_path: Path) -> None:
    case = "63_three_column_test_step"
    done = process("check", cwd=lay_out(case, tmp_path))
    assert done.stdout == (BROKEN / case / "expected.txt").read_text()
    assert (done.returncode, done.stderr) == (1, "")
