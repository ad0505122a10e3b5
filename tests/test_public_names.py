"""What the package promises to importers, pinned by hand."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points, version
from pathlib import Path

import runner
from runner import errors
from runner.errors import (
    CheckFailed,
    CloudRefused,
    ProjectError,
    RunFailed,
    RunnerError,
    UsageError,
)

ROOT = Path(__file__).parent.parent


def test_exit_statuses_of_the_error_tree() -> None:
    statuses = {
        error.__name__: error.exit_status
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, RunnerError)
    }
    assert statuses == {
        RunnerError.__name__: 1,
        UsageError.__name__: 2,
        ProjectError.__name__: 2,
        CheckFailed.__name__: 1,
        RunFailed.__name__: 1,
        CloudRefused.__name__: 3,
    }


def test_the_version_is_one() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    newest = next(line for line in changelog.splitlines() if line.startswith("## "))
    assert version("athena-runner") == runner.__version__
    assert newest == f"## {runner.__version__}"


def test_the_command_is_installed() -> None:
    commands = {
        entry.name: entry.value
        for entry in entry_points(group="console_scripts")
        if entry.dist is not None and entry.dist.name == "athena-runner"
    }
    assert commands == {"runner": "runner.cli:main"}


def test_importing_the_package_is_light() -> None:
    heavy = "boto3 click duckdb jinja2 pandas pydantic rich sagemaker sqlglot stepfunctions yaml"
    code = f"import runner, sys; print(sorted(set({heavy.split()}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_constraints_pin_every_dependency_and_name_no_host() -> None:
    text = (ROOT / "constraints.txt").read_text("utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert [line for line in lines if "==" not in line or "/" in line or "@" in line] == []
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in lines}
    assert dependencies() - pinned == set()


def dependencies() -> set[str]:
    """Name what pyproject.toml asks for, extras included, without versions."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"]]
    for extra in project["optional-dependencies"].values():
        wanted += extra
    names = {re.split(r"[^\w-]", word)[0].lower() for word in wanted}
    return names - {"athena-runner"}
