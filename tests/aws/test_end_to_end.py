"""A project's life on AWS, in a process of its own: its plug-ins reach no other test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCENARIO = Path(__file__).with_name("life_on_aws.py")


def test_the_life_of_a_project() -> None:
    root = SCENARIO.parent.parent.parent
    words = ("-q", "-p", "no:randomly", "-p", "no:cacheprovider", str(SCENARIO))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words],
        cwd=root,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert "1 passed" in done.stdout
