"""Other people's Athena clients, in an environment of their own: where it is, and how it runs.

`scripts/install_clients.sh` installs them, outside the checkout. A scenario is a file that their
Python runs against a real `runner athena serve`; all that it is told is the endpoint's address.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = Path(__file__).parents[2] / "scripts" / "install_clients.sh"
SCENARIOS = Path(__file__).parents[1] / "clients" / "scenarios"
_OWN_PYTEST = (
    "-q",
    "-c",
    os.devnull,
    "-p",
    "no:cacheprovider",
    f"--rootdir={SCENARIOS}",
    f"--confcutdir={SCENARIOS}",
)
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR")


class Clients(NamedTuple):
    """The installed clients, and the endpoint that they are led to."""

    home: Path
    url: str

    def environment(self, *, pyathena4: bool) -> dict[str, str]:
        """Give the whole environment of a client: an endpoint, keys, a region, and no more."""
        return {
            **{name: os.environ[name] for name in _KEPT if name in os.environ},
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ALLOW_HTTP": "true",  # polars reads it
            "PYTHONDONTWRITEBYTECODE": "1",
            **({"PYTHONPATH": str(self.home / "pyathena4")} if pyathena4 else {}),
        }

    def run(self, scenario: str, folder: Path, *, pyathena4: bool = False) -> None:
        """Run a scenario; when it fails, the test fails with its output."""
        python = self.home / "venv/bin/python"
        done = subprocess.run(
            [python, "-m", "pytest", *_OWN_PYTEST, SCENARIOS / scenario],
            cwd=folder,
            env=self.environment(pyathena4=pyathena4),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            pytest.fail(f"{scenario}\n{done.stdout}{done.stderr}", pytrace=False)


def find_clients() -> Path:
    """Find the installed clients; without them the test is skipped, and the script said why."""
    asked = subprocess.run(
        ["/bin/sh", SCRIPT, "--where"], capture_output=True, text=True, check=True
    )
    home = Path(asked.stdout.strip())
    if home.is_dir():
        return home
    pytest.skip("Athena's clients are not installed (no download): scripts/install_clients.sh")


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Run the real command on an empty folder; gives its endpoint."""
    command = [sys.executable, "-m", "runner", "athena", "serve", "--port", "0"]
    log = folder / "serve.log"
    with (
        log.open("w") as written,
        subprocess.Popen(
            [*command, "--data", folder / "data"],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=written,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            assert url.startswith("http://127.0.0.1:"), log.read_text()
            yield url
        finally:
            process.terminate()
