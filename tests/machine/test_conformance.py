"""The recorded behaviour of AWS, where its cases lie beside this checkout.

The cases are LocalStack's AWS-validated snapshots (Apache-2.0); without the folder these tests are
skipped.
"""

from __future__ import annotations

import importlib.util
import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from runner.machine import conformance

if TYPE_CHECKING:
    from types import ModuleType

FOLDER = Path(__file__).parents[3] / "shared" / "conformance" / "asl"
NEEDS_CASES = pytest.mark.skipif(
    not (FOLDER / "dev.jsonl").exists(), reason=f"no conformance cases in {FOLDER}"
)
LAMBDA = "arn:aws:lambda:us-east-1:111111111111:function:f"
MASKED = {
    # Its recorded trace masks an ARN in one event and not in the next.
    (
        "credentials.test_credentials_base:test_cross_account_states_start_sync_execution"
        "[SFN_START_EXECUTION_SYNC_ROLE_ARN_PATH_CONTEXT]"
    )
}


def checker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("asl_check", FOLDER / "check.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@NEEDS_CASES
def test_every_case_ends_as_it_did_on_aws() -> None:
    check = checker()
    cases = [json.loads(line) for line in (FOLDER / "dev.jsonl").read_text("utf-8").splitlines()]
    wrong = {}
    for case in cases:
        parts = check.compare(case, conformance.answer(check.public(case), traced=True))
        if parts and not (case["id"] in MASKED and parts == ["trace"]):
            wrong[case["id"]] = parts
    assert wrong == {}


def test_lines_in_lines_out(monkeypatch: pytest.MonkeyPatch) -> None:
    task: dict[str, Any] = {"Type": "Task", "Resource": LAMBDA, "End": True}
    case = {
        "id": "one",
        "definition": {"StartAt": "T", "States": {"T": task}},
        "input": {"x": 1},
        "tasks": {
            "T": {
                "kind": "by_input",
                "table": [{"input": {"x": 1}, "then": [{"kind": "return", "value": 5}]}],
            }
        },
    }
    bad: dict[str, Any] = {"id": "two", "definition": None, "definition_text": "{", "input": {}}
    unscripted = {**case, "id": "three", "input": {"x": 2}}
    out = io.StringIO()
    monkeypatch.setattr(sys, "argv", ["conformance"])
    lines = "\n\n".join(json.dumps(one) for one in (case, unscripted, bad))
    monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
    monkeypatch.setattr(sys, "stdout", out)
    conformance.main()
    one, three, two = (json.loads(line) for line in out.getvalue().splitlines())
    assert one == {
        "id": "one",
        "status": "SUCCEEDED",
        "output": 5,
        "error": None,
        "cause": None,
        "states_entered": ["T"],
    }
    assert (two["id"], two["status"]) == ("two", "INVALID")
    assert (three["id"], three["status"]) == ("three", "BROKEN")
    assert "no behaviour" in three["cause"]
