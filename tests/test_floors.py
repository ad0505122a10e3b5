"""Imports go to a lower floor only, and heavy libraries stay behind their fences."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "runner"

FLOORS = {
    "": -1,  # runner/__init__.py
    "errors": -1,  # imports nothing of ours; the ground's own ground (docs/decisions.md, 11)
    "model": 0,
    "query": 1,
    "asl": 1,
    "machine": 1,
    "loads": 1,
    "checks": 1,
    "plan": 1,
    "project": 2,
    "aws": 2,
    "local": 2,
    "records": 2,
    "app": 3,
    "cli": 4,
    "web": 4,
    "__main__": 5,
}
APART = frozenset({"keeper", "functions"})
"""Deployed as they stand: they import nothing of runner; the edges (floor 2) may run them."""
SHARED = "runner.keeper.windows"
"""Calendar arithmetic that every floor may import: one arithmetic, here and in the cloud."""

FENCES = {
    "boto3": ("aws", "keeper", "functions"),
    "botocore": ("aws", "keeper", "functions"),
    "pyathena": ("aws",),
    "duckdb": ("local",),
    "stepfunctions": ("asl.build",),
    "sagemaker": (),
    "jinja2": ("query", "web"),
    "sqlglot": ("query", "checks", "local"),
    "click": ("cli",),
    "rich": ("cli",),
}
PURE_FLOOR = 1
IMPURE_MODULES = frozenset(
    {
        "asyncio",
        "fcntl",
        "ftplib",
        "getpass",
        "glob",
        "http",
        "io",
        "multiprocessing",
        "os",
        "pathlib",
        "platform",
        "random",
        "secrets",
        "select",
        "shutil",
        "signal",
        "smtplib",
        "socket",
        "sqlite3",
        "ssl",
        "subprocess",
        "tempfile",
        "time",
        "urllib",
        "uuid",
    }
)
PURE_NAMES = frozenset(
    {
        ("random", "Random"),  # seeded: its numbers follow from its arguments
        ("pathlib", "PurePath"),
        ("pathlib", "PurePosixPath"),
        ("io", "StringIO"),
        ("io", "BytesIO"),
        ("urllib", "parse"),
        ("urllib.parse", "*"),
    }
)
CLOCKS = frozenset({"now", "today", "utcnow"})


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module, and the name taken from it (empty for `import x`)."""

    module: str
    name: str
    line: int
    for_types: bool


def is_type_checking(node: ast.If) -> bool:
    return ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


def imports_of(module: str, tree: ast.AST, *, is_package: bool = False) -> list[Import]:
    typed = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and is_type_checking(node)
        for statement in node.body
        for child in ast.walk(statement)
    }
    found: list[Import] = []
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found += [Import(a.name, "", node.lineno, id(node) in typed) for a in names]
            case ast.ImportFrom(module=source, names=names, level=level):
                base = absolute(module, source or "", level, is_package=is_package)
                found += [Import(base, a.name, node.lineno, id(node) in typed) for a in names]
    return found


def absolute(module: str, source: str, level: int, *, is_package: bool) -> str:
    if level == 0:
        return source
    parts = module.split(".")
    kept = parts[: len(parts) - level + (1 if is_package else 0)]
    return ".".join([*kept, source] if source else kept)


def unit_of(dotted: str) -> str:
    parts = dotted.split(".")
    return parts[1] if len(parts) > 1 else ""


def imported_unit(found: Import) -> str:
    """Name the package of ours that is imported; `from runner import errors` means errors."""
    if found.module == "runner" and (found.name in FLOORS or found.name in APART):
        return found.name
    return unit_of(found.module)


def is_shared(found: Import) -> bool:
    full = f"{found.module}.{found.name}" if found.name else found.module
    return SHARED in (found.module, full)


def floor_fault(unit: str, found: Import) -> str | None:
    """Say what is wrong with an import of ours from a unit of ours."""
    other = imported_unit(found)
    if other == unit or is_shared(found):
        return None
    if unit in APART:
        return f"{unit} is deployed as it stands and may not import runner.{other}"
    if other in APART:
        only = f"floor {FLOORS[unit]} may import {SHARED} only, not runner.{other}"
        return None if FLOORS[unit] > PURE_FLOOR else only
    if other not in FLOORS:
        return f"runner.{other} stands on no floor"
    if FLOORS[other] == FLOORS[unit]:
        return f"{unit} may not import its floor-mate: {other}"
    return f"{unit} may not import from above: {other}" if FLOORS[other] > FLOORS[unit] else None


def fence_fault(module: str, found: Import) -> str | None:
    top = found.module.split(".")[0]
    if top not in FENCES or found.for_types:
        return None
    inside = module.removeprefix("runner.") + "."
    if any(inside.startswith(fence + ".") for fence in FENCES[top]):
        return None
    return f"{top} is imported only in {' '.join(FENCES[top]) or 'no module'}"


def purity_fault(found: Import) -> str | None:
    top = found.module.split(".")[0]
    if top not in IMPURE_MODULES or found.for_types:
        return None
    allowed = {(found.module, found.name), (found.module, "*"), (top, found.module[len(top) + 1 :])}
    return None if allowed & PURE_NAMES else f"floor 0 and 1 may not import {found.module}"


def stranger_fault(module: str, found: Import) -> str | None:
    """Functions that are deployed as they stand know the standard library and boto3 only.

    And the modules beside them, which are on the path where they are deployed.
    """
    top = found.module.split(".")[0]
    folder = ROOT.joinpath(*module.split(".")[:-1])
    known = top in sys.stdlib_module_names or top in {"boto3", "botocore", "runner"}
    known = known or (folder.parent == PACKAGE / "functions" and (folder / f"{top}.py").is_file())
    if known or found.for_types:
        return None
    return f"keeper and functions may not import {top}"


def clock_faults(tree: ast.AST) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="open" | "input" as name)):
                found.append((node.lineno, f"floor 0 and 1 may not call {name}()"))
            case ast.Call(func=ast.Name(id="Random"), args=[]):
                found.append((node.lineno, "a Random of floor 0 and 1 needs a seed"))
            case ast.Attribute(value=ast.Name(id="datetime" | "date"), attr=attribute) | (
                ast.Attribute(value=ast.Attribute(attr="datetime" | "date"), attr=attribute)
            ) if attribute in CLOCKS:
                found.append((node.lineno, f"floor 0 and 1 have no clock: {attribute}"))
    return found


def is_pure(module: str) -> bool:
    unit = unit_of(module)
    return module == SHARED or FLOORS.get(unit, PURE_FLOOR + 1) <= PURE_FLOOR


def faults_of(module: str, source: str, *, is_package: bool = False) -> list[str]:
    """List what a module of ours does against the rules, as `line: what`."""
    unit = unit_of(module)
    if unit not in FLOORS and unit not in APART:
        return [f"1: runner.{unit} stands on no floor"]
    tree = ast.parse(source)
    found: list[tuple[int, str | None]] = []
    for each in imports_of(module, tree, is_package=is_package):
        if each.module.split(".")[0] == "runner":
            found.append((each.line, floor_fault(unit, each)))
        found.append((each.line, fence_fault(module, each)))
        if unit in APART:
            found.append((each.line, stranger_fault(module, each)))
        if is_pure(module):
            found.append((each.line, purity_fault(each)))
    if is_pure(module):
        found += clock_faults(tree)
    return [f"{line}: {fault}" for line, fault in found if fault]


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def sources() -> list[Path]:
    """Every module of ours; the files of `templates/` belong to the projects made from them."""
    return [
        path
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.relative_to(PACKAGE).parts[0] != "templates"
    ]


def test_every_module_keeps_to_its_floor_and_its_fences() -> None:
    faults = [
        f"{path.relative_to(ROOT)}:{fault}"
        for path in sources()
        for fault in faults_of(
            module_name(path), path.read_text("utf-8"), is_package=path.name == "__init__.py"
        )
    ]
    assert faults == []


def test_the_walk_reaches_the_modules() -> None:
    names = {module_name(path) for path in sources()}
    assert {"runner", "runner.errors", "runner.model.header", "runner.cli"} <= names


GOOD = {
    "lower floor": ("runner.app.run", "from runner.project import load"),
    "own package": ("runner.asl.flow", "from runner.asl.steps import tables"),
    "relative import": ("runner.keeper.handler", "from .windows import chunks"),
    "relative import of a package": ("runner.keeper", "from . import windows"),
    "shared calendar": ("runner.query.render", "from runner.keeper.windows import shift"),
    "shared calendar as module": ("runner.asl.flow", "from runner.keeper import windows"),
    "edge runs the keeper": ("runner.local.functions", "from runner.keeper import handler"),
    "fence from inside": ("runner.local.athena", "import duckdb"),
    "build may import the SDK": ("runner.asl.build", "from stepfunctions.steps import Chain"),
    "seeded randomness": ("runner.machine.chance", "from random import Random\nRandom('a')"),
    "errors stand under the model": ("runner.model.places", "from runner.errors import Place"),
    "pure path": ("runner.query.source", "from pathlib import PurePosixPath"),
    "path for types": (
        "runner.query.source",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from pathlib import Path",
    ),
    "parsing of addresses": ("runner.asl.flow", "from urllib.parse import quote"),
    "civil date": ("runner.query.render", "import datetime\nx = datetime.date(2013, 1, 1)"),
    "edge has a clock": ("runner.app.run", "import time\nfrom datetime import datetime"),
}

BAD = {
    "upwards": ("runner.project.load", "from runner.app import run", "from above: app"),
    "upwards within a function": (
        "runner.model.names",
        "def f() -> None:\n    import runner.query.render",
        "from above: query",
    ),
    "upwards for types": (
        "runner.model.names",
        "if TYPE_CHECKING:\n    from runner.asl import flow",
        "from above: asl",
    ),
    "floor-mate": ("runner.query.render", "from runner.asl import flow", "floor-mate: asl"),
    "floor-mate on the edge": ("runner.local.s3", "import runner.records.list", "mate: records"),
    "the ground imports upwards": ("runner.errors", "import runner.model.names", "above: model"),
    "face to face": ("runner.web.page", "from runner.cli import main", "floor-mate: cli"),
    "relative upwards": ("runner.query.render", "from ..app import run", "from above: app"),
    "keeper imports us": ("runner.keeper.prepare", "from runner.errors import Fault", "as it"),
    "keeper imports others": ("runner.keeper.prepare", "import yaml", "may not import yaml"),
    "function imports keeper": ("runner.functions.x", "from runner.keeper import lease", "as it"),
    "pure floor imports keeper": ("runner.asl.flow", "from runner.keeper import lease", "windows"),
    "no such floor": ("runner.utils", "import json", "stands on no floor"),
    "import of no floor": ("runner.app.run", "from runner.utils import x", "stands on no floor"),
    "boto3": ("runner.local.glue", "import boto3", "boto3 is imported only in aws"),
    "botocore": ("runner.app.run", "from botocore.config import Config", "botocore is imported"),
    "pyathena": ("runner.local.athena", "import pyathena", "pyathena is imported only in aws"),
    "duckdb": ("runner.app.preview", "import duckdb", "duckdb is imported only in local"),
    "stepfunctions": ("runner.asl.flow", "import stepfunctions", "only in asl.build"),
    "a name that begins like the fence": ("runner.asl.builder", "import stepfunctions", "only in"),
    "sagemaker": ("runner.asl.build", "import sagemaker", "only in no module"),
    "jinja2": ("runner.project.load", "from jinja2 import Environment", "jinja2 is imported"),
    "click": ("runner.app.run", "import click", "click is imported only in cli"),
    "rich": ("runner.local.progress", "from rich.table import Table", "rich is imported only"),
    "sqlglot": ("runner.asl.flow", "from sqlglot import exp", "sqlglot is imported only in"),
    "environment": ("runner.query.render", "import os", "may not import os"),
    "environment by name": ("runner.plan.stack", "from os import environ", "may not import os"),
    "files": ("runner.checks.names", "from pathlib import Path", "may not import pathlib"),
    "open": ("runner.query.render", "open('x')", "may not call open()"),
    "randomness without a seed": (
        "runner.machine.chance",
        "from random import Random\nRandom()",
        "needs a seed",
    ),
    "randomness of the process": (
        "runner.machine.chance",
        "from random import random",
        "may not import random",
    ),
    "randomness": ("runner.machine.retry", "import random", "may not import random"),
    "clock": ("runner.machine.wait", "import time", "may not import time"),
    "now": ("runner.machine.wait", "from datetime import datetime\ndatetime.now()", "clock: now"),
    "today": ("runner.plan.diff", "import datetime\ndatetime.date.today()", "clock: today"),
    "network": ("runner.machine.call", "import urllib.request", "may not import urllib.request"),
    "process": ("runner.loads.start", "import subprocess", "may not import subprocess"),
    "clock in the calendar": ("runner.keeper.windows", "import time", "may not import time"),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_is_allowed_passes(name: str) -> None:
    module, source = GOOD[name]
    is_package = module.count(".") == 1
    assert faults_of(module, source, is_package=is_package) == []


@pytest.mark.parametrize("name", BAD)
def test_what_is_forbidden_is_found(name: str) -> None:
    module, source, expected = BAD[name]
    faults = faults_of(module, source)
    assert len(faults) == 1
    assert expected in faults[0]
