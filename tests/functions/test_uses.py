"""A function of lambdas/ that uses a bundled one: its settings over ours, our code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.app.bundle import open_bundle
from runner.app.functions import deployed_functions, folder_of
from runner.errors import ProjectError
from runner.project import files
from runner.project import functions as functions_
from tests.project.projects import good_project, write_files

if TYPE_CHECKING:
    from pathlib import Path

BUNDLED = """description: Cuts.
memory: 256
timeout: 90s
environment: {SEPARATOR: _, DEPTH: "3"}
permissions:
  - {actions: [s3:GetObject], resources: ["arn:aws:s3:::x/*"]}
"""
OWN = """uses: builtin:cut
memory: 512
environment: {DEPTH: "5"}
permissions:
  - {actions: [s3:PutObject], resources: ["arn:aws:s3:::y/*"]}
"""


@pytest.fixture
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with one bundled function."""
    folder = tmp_path / "bundled"
    write_files(folder, {"cut/handler.py": "def handler(event, context): return 1\n"})
    write_files(folder, {"cut/function.yaml": BUNDLED})
    monkeypatch.setattr(files, "BUNDLED", folder)
    monkeypatch.setattr(functions_, "BUNDLED", folder)
    return folder


def test_its_settings_stand_over_ours(tmp_path: Path, bundled: Path) -> None:
    root = write_files(good_project(tmp_path), {"lambdas/mine/function.yaml": OWN})
    bundle = open_bundle(root)
    found = bundle.function_settings["mine"]
    assert (found["memory"], found["timeout"]) == (512, "90s")
    assert found["environment"] == {"SEPARATOR": "_", "DEPTH": "5"}
    assert [one["actions"] for one in found["permissions"]] == [["s3:GetObject"], ["s3:PutObject"]]
    assert "mine" in deployed_functions(bundle)
    assert "builtin:cut" not in deployed_functions(bundle)
    assert bundled.name == "bundled"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"lambdas/mine/function.yaml": "uses: builtin:cutt\n"}, "unknown-function"),
        ({"lambdas/mine/function.yaml": "memory: 256\n"}, "unknown-function"),
        ({"lambdas/mine/handler.py": "def handler(e, c): return 1\n"}, "function-twice"),
    ],
)
def test_what_is_refused(tmp_path: Path, bundled: Path, more: dict[str, str], code: str) -> None:
    assert bundled.is_dir()
    files_ = {"lambdas/mine/function.yaml": OWN, **more}
    root = write_files(good_project(tmp_path), files_)
    with pytest.raises(ProjectError) as caught:
        open_bundle(root)
    assert [fault.code for fault in caught.value.faults] == [code]
    assert str(caught.value.faults[0].place).startswith("lambdas/mine/function.yaml")


def test_its_code_is_the_bundled_ones(tmp_path: Path) -> None:
    folder, shown = folder_of(tmp_path, "mine", {"uses": "builtin:cut"})
    assert (folder.name, folder.parent.name) == ("cut", "functions")
    assert shown == str(folder)
    assert folder_of(tmp_path, "mine", {"uses": None}) == (
        tmp_path / "lambdas/mine",
        "lambdas/mine",
    )
