"""Each folder of tests/broken is a project with faults, and the text that must tell of them.

A case's files are laid over those of `_base`, which has no faults.  Its `expected.txt` and
`status` were written by hand.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from runner.errors import CheckFailed, ProjectError
from runner.project import check_project, inspect_project, load_project

BROKEN = Path(__file__).parent.parent / "broken"
CASES = sorted(path.name for path in BROKEN.iterdir() if not path.name.startswith("_"))


def lay_out(case: str, folder: Path) -> Path:
    root = folder / "project"
    shutil.copytree(BROKEN / "_base", root)
    if case:
        shutil.copytree(BROKEN / case, root, dirs_exist_ok=True)
    return root


def statuses(case: str) -> dict[str, int]:
    lines = (BROKEN / case / "status").read_text().splitlines()
    return {command: int(status) for command, status in (line.split() for line in lines)}


def load_status(root: Path) -> int:
    try:
        load_project(root)
    except ProjectError as error:
        return error.exit_status
    return 0


@pytest.mark.parametrize("case", CASES)
def test_check_tells_every_fault_word_for_word(case: str, tmp_path: Path) -> None:
    root = lay_out(case, tmp_path)
    refused = CheckFailed(check_project(root))
    assert f"{refused}\n" == (BROKEN / case / "expected.txt").read_text()
    assert refused.exit_status == statuses(case)["check"]


@pytest.mark.parametrize("case", CASES)
def test_other_commands_refuse_what_cannot_be_compiled(case: str, tmp_path: Path) -> None:
    assert load_status(lay_out(case, tmp_path)) == statuses(case)["load"]


def test_the_base_has_no_faults(tmp_path: Path) -> None:
    root = lay_out("", tmp_path)
    findings = inspect_project(root)
    assert findings.faults == ()
    assert findings.warnings == ()
    assert [str(table.name) for table in load_project(root).tables] == [
        "raw.events",
        "staging.events",
        "marts.daily",
    ]


def test_there_are_enough_cases() -> None:
    """Forty projects, five of them with three faults in three files."""
    assert len(CASES) >= 40
    threes = [case for case in CASES if case.partition("_")[2].startswith("three_")]
    for case in threes:
        lines = (BROKEN / case / "expected.txt").read_text().splitlines()
        files = {line.split(":")[0] for line in lines[:-1] if not line.startswith(" ")}
        assert len(files) == 3
        assert lines[-1] == "3 faults found"
    assert len(threes) >= 5
