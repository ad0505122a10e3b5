"""A function with dependencies and settings, in a run on this machine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from runner.app.check import check
from tests.project.projects import good_project, write_files
from tests.support.commands import Cli, cli
from tests.support.wheels import make_wheel, only_index

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["cli"]

HANDLER = """
import json, os
import greeting

def handler(event, context):
    seen = {
        "version": greeting.VERSION,
        "language": os.environ["LANGUAGE"],
        "secret": os.environ["API"],
        "memory": context.memory_limit_in_mb,
        "seconds": round(context.get_remaining_time_in_millis() / 1000),
    }
    print(json.dumps(seen))
"""
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/api-AbCdEf"
FILES = {
    "workflows/tell.yaml": "steps:\n  tell: {type: lambda, function: tell}\n",
    "lambdas/tell/handler.py": HANDLER,
    "lambdas/tell/requirements.txt": "greeting==1.0\n",
    "lambdas/tell/function.yaml": "timeout: 20s\nmemory: 256\nenvironment: {LANGUAGE: en}\n"
    f'secrets: {{API: "{SECRET}"}}\n',
    "lambdas/idle/handler.py": "",
    "lambdas/idle/requirements.txt": "nobody-has-this\n",
}
NOTE = "installing lambdas/tell/requirements.txt for Python"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_wheel(tmp_path / "wheels", "greeting", "1.0")
    for name, value in only_index(tmp_path / "wheels").items():
        if name.startswith("PIP_"):
            monkeypatch.setenv(name, value)
    return write_files(good_project(tmp_path), FILES)


def test_a_function_finds_its_dependencies_and_settings(root: Path, cli: Cli) -> None:
    cli.cd(root)
    said = cli("run", "tell", "--date", "2013-01-05", "--json")
    assert said.status == 0, said.err
    assert NOTE in said.out
    assert "idle" not in said.err
    ended = json.loads(said.out.splitlines()[-1])
    (entry,) = ended["ended"]
    assert entry["status"] == "succeeded"
    (log,) = (root / ".runner/logs/lambda").glob("*-tell.log")
    assert json.loads(log.read_text()) == {
        "version": "1.0",
        "language": "en",
        "secret": SECRET,
        "memory": "256",
        "seconds": 20,
    }
    again = cli("run", "tell", "--date", "2013-01-06")
    assert (again.status, NOTE in again.err) == (0, False)


def test_dependencies_that_cannot_be_installed_stop_the_run_before_it_begins(
    root: Path, cli: Cli
) -> None:
    write_files(root, {"lambdas/tell/requirements.txt": "greeting==7\n"})
    cli.cd(root)
    said = cli("run", "tell", "--date", "2013-01-05")
    assert said.status == 2
    assert "lambdas/tell/requirements.txt:1: no-wheel" in said.err
    assert "there are 1.0" in said.err
    assert not list((root / ".runner").glob("runs/*"))


def test_check_looks_into_functions(root: Path) -> None:
    files = {
        "lambdas/tell/handler.py": "import runner\n",
        "lambdas/idle/requirements.txt": "-e .\n",
    }
    found = check(write_files(root, files)).faults
    assert [f"{fault.place} {fault.code}" for fault in found] == [
        "lambdas/idle/requirements.txt:1 requirement-not-packable",
        "lambdas/tell/handler.py:1:1 function-imports-runner",
    ]
