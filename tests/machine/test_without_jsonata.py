"""What the compiler writes runs on the quick path: a run that succeeds never imports jsonata."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from runner.app.bundle import open_bundle
from runner.app.scaffold import init_project
from runner.machine.quick import compile_quick
from runner.machine.templates import expression_text, is_expression
from tests.support.definitions import EVERY_STEP, compiled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RUN = """
import random, sys
from pathlib import Path
from runner.machine import ExecutionContext, VirtualClock, parse_definition, run
from tests.support.scripted import Scripted

class Caller:
    def __init__(self, world):
        self.world = world

    def call(self, request):
        return self.world.do(request.state, request.resource, request.arguments)

functions = {"validate": lambda payload: {"saw": len(payload["results"])}}
arn = "arn:aws:states:us-east-1:123456789012:execution:daily:once"
outcome = run(
    parse_definition(sys.stdin.read()),
    {"start": "2013-01-01", "end": "2013-01-03"},
    service=Caller(Scripted(Path(sys.argv[1]), functions=functions)),
    clock=VirtualClock(),
    context=ExecutionContext(arn, "once", arn, "daily"),
    random=random.Random(1),
)
assert outcome.status.value == "SUCCEEDED", outcome
assert "jsonata" not in sys.modules
"""


WITHOUT_QUEUE = {name: step for name, step in EVERY_STEP.items() if name != "queue"}
WITHOUT_QUEUE["both"] = {**EVERY_STEP["both"], "needs": ["pause", "beside"]}


@pytest.mark.parametrize(
    "fields", [{}, {"lanes": 1}, {"steps": WITHOUT_QUEUE}], ids=["kinds", "one lane", "steps"]
)
def test_a_compiled_definition_succeeds_without_the_library(
    fields: dict[str, Any], tmp_path: Path
) -> None:
    command = [sys.executable, "-c", RUN, str(tmp_path)]
    subprocess.run(command, input=compiled(**fields), check=True)


def test_the_example_needs_the_library_only_to_tell_of_a_failure(tmp_path: Path) -> None:
    init_project(tmp_path / "example", name="example")
    workflows = open_bundle(tmp_path / "example").workflows
    texts = {text for one in workflows for text in expressions(json.loads(one.definition))}
    declined = {text for text in texts if compile_quick(text) is None}
    assert len(texts) > 100
    assert all('" failed: "' in text for text in declined), declined


def expressions(value: Any) -> Iterator[str]:  # noqa: ANN401
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from expressions(item)
    elif is_expression(value):
        yield expression_text(value)
