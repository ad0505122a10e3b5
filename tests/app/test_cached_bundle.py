"""`run` needs a definition and an input: nothing that reads, renders or builds."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from runner.app.scaffold import init_project
from tests.support.commands import PATIENCE_S, child_environment, process

if TYPE_CHECKING:
    from pathlib import Path

FORBIDDEN = (
    *("runner.query", "runner.asl", "runner.checks"),
    *("jinja2", "pydantic", "yaml", "stepfunctions"),  # sqlglot is the local Athena's too
    # Of runner.project only what hashes the files may be there.
    *("runner.project.load", "runner.project.configuration", "runner.project.drafts"),
    *("runner.project.tables", "runner.project.workflows", "runner.project.workshop"),
)
WITHOUT = """
import sys
from importlib.abc import MetaPathFinder

FORBIDDEN = {forbidden!r}


class Refuse(MetaPathFinder):
    def find_spec(self, fullname, path, target=None):
        if any(fullname == name or fullname.startswith(name + ".") for name in FORBIDDEN):
            raise ImportError("a run must not import " + fullname)
        return None


sys.meta_path.insert(0, Refuse())
from runner.cli.root import run_command_line

status = run_command_line(sys.argv[1:])
loaded = sorted(name for name in sys.modules if name in FORBIDDEN)
assert not loaded, loaded
sys.exit(status)
"""


def run_without(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT.format(forbidden=FORBIDDEN), *words],
        cwd=root,
        env=child_environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_a_compiled_project_runs_where_nothing_can_be_compiled(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    init_project(root, name="shop")
    window = ("--start", "2024-01-01", "--end", "2024-01-03", "--project", str(root))
    refused = run_without(root, "run", "daily", *window)
    assert refused.returncode == 70  # the refusal works: without a compiled project there is no run
    assert "a run must not import runner." in refused.stderr

    assert process("compile", cwd=root).returncode == 0
    done = run_without(root, "run", "daily", *window, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    ended = json.loads(done.stdout.splitlines()[-1])
    assert ended["status"] == "SUCCEEDED"
    assert {one["name"]: one["rows"] for one in ended["ended"]}["staging.orders"] == 12


def test_the_run_executes_the_bytes_that_compile_wrote(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    init_project(root, name="shop")
    assert process("compile", cwd=root).returncode == 0
    assert process("run", "daily", "--date", "2024-01-01", cwd=root).returncode == 0
    (run,) = (root / ".runner" / "runs").iterdir()
    compiled = root / ".runner" / "compiled" / "local" / "daily.asl.json"
    assert (run / "definition.asl.json").read_bytes() == compiled.read_bytes()
