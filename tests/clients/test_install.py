"""What the script that installs the clients says where it cannot, and when it does so anew."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from tests.support.clients import SCRIPT

if TYPE_CHECKING:
    from pathlib import Path

TOOLS = ("cat", "cut", "dirname", "sh", "sha256sum")


def copied(folder: Path) -> Path:
    """Copy the script and its lists to where no environment lies beside them."""
    copy = folder / "scripts" / SCRIPT.name
    copy.parent.mkdir(parents=True)
    shutil.copy(SCRIPT, copy)
    lists = folder / "tests" / "clients"
    lists.mkdir(parents=True)
    for path in (SCRIPT.parents[1] / "tests" / "clients").glob("requirements*.txt"):
        shutil.copy(path, lists)
    return copy


def test_without_python_it_says_what_does_not_run(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in TOOLS:
        found = shutil.which(name)
        assert found is not None
        (tools / name).symlink_to(found)
    done = subprocess.run(
        [copied(tmp_path / "checkout")],
        env={"PATH": str(tools), "XDG_CACHE_HOME": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        "The tests with real Athena clients will not run: "
        "Python 3.11 or later with its venv module is needed\n"
    )
    assert not (tmp_path / "cache").exists()


def test_the_folder_changes_with_the_lists(tmp_path: Path) -> None:
    def where(script: Path) -> str:
        return subprocess.run(
            [script, "--where"], capture_output=True, text=True, check=True
        ).stdout

    copy = copied(tmp_path)
    assert where(copy) == where(SCRIPT)
    with (tmp_path / "tests/clients/requirements.txt").open("a") as listed:
        listed.write("six==1.16.0\n")
    assert where(copy) != where(SCRIPT)
