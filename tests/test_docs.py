"""The docs are complete, fresh and true: reference pages, and every code block.

Blocks of a page run in order in a scratch copy of the example project. A block's first line says
what it is: ```sql <path>, ```python <path> and ```yaml <path> are files of the project; ```yaml
config.yaml <key> is what stands under that key, and is put there for `streams` and
`environments.local`; ```json, ```yaml and ```python machines/<file> are
files of a state machine; ```bash runs; ```bash needs=<command> runs where that command is; ```bash
not-run: <reason> does not; ```text is for the eye.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from runner.model.config import Config
from runner.model.function import FunctionSettings
from runner.model.header import Header
from runner.model.unit_test import UnitTest
from runner.model.workflow import Workflow
from runner.query.source import split_header
from scripts import make_reference
from tests.test_public_names import dependencies

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("docs/how-to/*.md")],
    key=lambda path: path.as_posix(),
)
EXAMPLE = ("config.yaml", "sql", "workflows", "lambdas", "jobs", "data", "tests/sql")
UNDER = {"config.yaml streams": "streams", "config.yaml environments.local": "  local"}
FILES = ("workflows/", "tests/", "lambdas/", "machines/")
FENCE = re.compile(r"^```(\w*)[ ]?(.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")


@dataclass(frozen=True, slots=True)
class Block:
    """A code block of a page."""

    language: str
    about: str
    text: str

    @property
    def runs(self) -> bool:
        needed = re.match(r"needs=(\S+)", self.about)
        if needed is not None:
            return shutil.which(needed[1]) is not None
        return not self.about.startswith("not-run: ")


def blocks_of(page: Path) -> list[Block]:
    return [Block(*found) for found in FENCE.findall(page.read_text("utf-8"))]


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


# --- complete and fresh ---------------------------------------------------------------------------


def test_reference_pages_are_fresh() -> None:
    # In a process of its own: click remembers how a command was first called, here by other tests.
    script = ROOT / "scripts" / "make_reference.py"
    check = subprocess.run(
        [sys.executable, str(script), "--check"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (check.returncode, check.stdout, check.stderr) == (0, "", "")


def test_every_fault_code_has_a_meaning_and_no_other() -> None:
    assert sorted(make_reference.meanings()) == sorted(make_reference.codes_used())


def test_fault_codes_are_found_in_source() -> None:
    source = """
from runner.errors import Fault
first = Fault(place, "cycle", "found", "expected", "advice")
second = Fault(place=place, code="loop", found="", expected="", advice="")
def explain() -> tuple[str, str]:
    return "jinja-value", "An ordinary sentence, well-formed."
"""
    assert make_reference.codes_in(source) == {"cycle", "loop", "jinja-value"}
    assert make_reference.codes_in('header = "content-type"') == set()


def test_every_command_is_there_and_documented() -> None:
    from runner.cli.root import COMMANDS

    page = (make_reference.REFERENCE / "commands.md").read_text("utf-8")
    assert [command.name for command in make_reference.commands()] == list(COMMANDS)
    assert [name for name in COMMANDS if f"\n## runner {name}\n" not in page] == []


@pytest.mark.parametrize(
    ("page", "model"),
    [("config", Config), ("function", FunctionSettings), ("header", Header)],
)
def test_every_key_is_documented(
    page: str, model: type[Config | FunctionSettings | Header]
) -> None:
    text = (make_reference.REFERENCE / f"{page}.md").read_text("utf-8")
    fields = {field.alias or name for name, field in model.model_fields.items()}
    assert {name for name in fields if f"\n| `{name}` |" not in text} == set()


def test_every_step_type_is_documented() -> None:
    page = (make_reference.REFERENCE / "workflow.md").read_text("utf-8")
    schema = Workflow.model_json_schema()["properties"]["steps"]
    types = set(schema["additionalProperties"]["discriminator"]["mapping"])
    assert types >= {"tables", "loads", "lambda", "wait", "sns", "asl"}
    assert {name for name in types if f": `type: {name}`\n" not in page} == set()


def test_every_key_of_a_model_has_a_meaning() -> None:
    silent = [
        f"{title}.{key}"
        for address, _ in make_reference.PAGES.values()
        for schema in [make_reference.load_model(address).model_json_schema()]
        for title, section in [("", schema), *make_reference.sections(schema)]
        for key, field in section.get("properties", {}).items()
        if not make_reference.meaning_of(field, schema)
    ]
    assert silent == []


def test_the_rules_are_numbered_without_a_gap() -> None:
    text = (ROOT / "docs/rules.md").read_text("utf-8")
    numbers = [int(number) for number in re.findall(r"^(\d+)\. ", text, re.MULTILINE)]
    assert numbers == list(range(1, 39))


def test_every_rule_that_the_code_names_exists() -> None:
    named = {
        int(number)
        for path in (ROOT / "runner").rglob("*.py")
        for number in re.findall(r"SEMANTICS (\d+)", path.read_text("utf-8"))
    }
    assert named <= set(range(1, 39))


def test_every_dependency_has_its_sentence() -> None:
    text = (ROOT / "docs/decisions.md").read_text("utf-8").lower()
    assert {name for name in dependencies() if f"| `{name}` |" not in text} == set()


# --- true -----------------------------------------------------------------------------------------


def test_links_lead_somewhere() -> None:
    dead = [
        f"{name_of(page)}: {target}"
        for page in [*PAGES, *ROOT.glob("docs/reference/*.md")]
        for target in LINK.findall(page.read_text("utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert dead == []


def test_every_block_says_what_it_is() -> None:
    strange = [
        f"{name_of(page)}: ```{block.language} {block.about}"
        for page in PAGES
        for block in blocks_of(page)
        if not is_understood(block)
    ]
    assert strange == []


KNOWN = {
    "text": "",
    "bash": r"|needs=\w+|not-run: .{10,}",
    "sql": r"sql/\w+/\w+\.sql",
    "python": r"lambdas/\w+/handler\.py|machines/\w+\.py",
    "json": r"machines/[\w.]+\.json",
    "yaml": r"workflows/\w+\.yaml|tests/sql/[\w.]+\.yaml"
    r"|config\.yaml (environments(\.local)?|sources|streams)|lambdas/\w+/function\.yaml"
    r"|machines/[\w.]+\.yaml",
}


def is_understood(block: Block) -> bool:
    known = KNOWN.get(block.language)
    return known is not None and re.fullmatch(known, block.about) is not None


CONFIG: dict[str, object] = {"project": "x", "environments": {"local": {"engine": "local"}}}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_yaml_and_headers_are_valid(page: Path) -> None:
    for block in blocks_of(page):
        if block.language == "sql":
            header = split_header(block.text, file=block.about).header_yaml
            Header.model_validate(yaml.safe_load(header))
        elif block.language == "yaml" and block.about.startswith("workflows/"):
            Workflow.model_validate(yaml.safe_load(block.text))
        elif block.language == "yaml" and block.about.startswith("lambdas/"):
            FunctionSettings.model_validate_json(json.dumps(yaml.safe_load(block.text)))
        elif block.about.startswith("machines/"):
            continue  # its commands read them
        elif block.language == "yaml" and block.about.startswith("tests/"):
            for case in yaml.load(block.text, yaml.BaseLoader).values():  # noqa: S506 - text only
                UnitTest.model_validate(case)
        elif block.language == "yaml":
            key, _, inner = block.about.split()[1].partition(".")
            if inner:
                continue  # of an environment, which the page's commands read
            written = {**as_dict(CONFIG.get(key, {})), **yaml.safe_load(block.text)}
            Config.model_validate({**CONFIG, key: written})


def as_dict(value: object) -> dict[str, object]:
    assert isinstance(value, dict)
    return value


def put_under(config: Path, key: str, text: str) -> None:
    """Add keys to the example's own, below the line of the key that they stand under."""
    before, line, after = config.read_text("utf-8").partition(f"\n{key}:")
    comment, _, rest = after.partition("\n")
    assert line
    indent = " " * (len(key) - len(key.lstrip()) + 2)
    config.write_text(f"{before}{line}{comment}\n{textwrap.indent(text, indent)}{rest}", "utf-8")


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if any(b.language == "bash" and b.runs for b in blocks_of(page))],
    ids=name_of,
)
def test_the_blocks_of_a_page_run(page: Path, tmp_path: Path) -> None:
    for part in EXAMPLE:
        source, target = ROOT / part, tmp_path / part
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    script = ["set -euo pipefail"]
    for block in blocks_of(page):
        if block.language == "sql" or block.about.startswith(FILES):
            (tmp_path / block.about).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / block.about).write_text(block.text, "utf-8")
        elif block.about in UNDER:
            put_under(tmp_path / "config.yaml", UNDER[block.about], block.text)
        elif block.language == "bash" and block.runs:
            script.append(block.text)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["/bin/bash", "-c", "\n".join(script)],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
