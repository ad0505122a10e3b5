"""What the script that assembles Trino says where it cannot."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from tests.support.trino import SCRIPT

if TYPE_CHECKING:
    from pathlib import Path

TOOLS = ("cat", "cut", "dirname", "id", "readlink", "sh", "sha256sum")


def test_without_java_it_says_what_does_not_run(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in TOOLS:
        found = shutil.which(name)
        assert found is not None
        (tools / name).symlink_to(found)
    done = subprocess.run(
        [SCRIPT],
        env={"PATH": str(tools), "XDG_CACHE_HOME": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr == (
        "The judge of the local Athena (a real Trino) will not run: it wants Java 17 and Maven; "
        "as root on Debian: apt-get install --no-install-recommends openjdk-17-jdk-headless maven\n"
    )
    assert not (tmp_path / "cache").exists()


def test_the_folder_changes_with_what_trino_is_made_of(tmp_path: Path) -> None:
    where = [str(SCRIPT), "--where"]
    one = subprocess.run(where, capture_output=True, text=True, check=True).stdout
    copy = tmp_path / "scripts" / SCRIPT.name
    shutil.copytree(SCRIPT.parent / "trino", copy.parent / "trino")
    shutil.copy(SCRIPT, copy)
    same = subprocess.run([copy, "--where"], capture_output=True, text=True, check=True).stdout
    assert same == one
    with (copy.parent / "trino" / "pom.xml").open("a") as pom:
        pom.write("<!-- changed -->\n")
    other = subprocess.run([copy, "--where"], capture_output=True, text=True, check=True).stdout
    assert other != one
