"""Queries with the rows that Trino gives, where the cases lie beside this checkout.

Each case is answered as Trino answers it or stands in `GAPS` with the reason; `GAPS` may only
shrink.  Without the folder these tests are skipped.
"""

from __future__ import annotations

import importlib.util
import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from runner.local.athena import conformance

if TYPE_CHECKING:
    from types import ModuleType

FOLDER = Path(__file__).parents[3] / "shared" / "conformance" / "athena_sql"
NEEDS_CASES = pytest.mark.skipif(
    not (FOLDER / "dev.jsonl").exists(), reason=f"no conformance cases in {FOLDER}"
)
GAPS = {
    "date_time-783d10724f": "finer than microseconds",
    "date_time-7926a8615e": "finer than microseconds",
    "date_time-11f4d4ceab": "finer than microseconds",
    "string-073bea3bf4": "word_stem in the language 'es'",
    "misc-ab70491e90": "Cannot extract field 'a'",
    "match_recognize-51b428695d": "MATCH_RECOGNIZE",
    "match_recognize-5cf8dfc0c5": "MATCH_RECOGNIZE",
    "match_recognize-77ac220849": "Row pattern recognition in a window",
    "match_recognize-7a3c63a8c7": "Row pattern recognition in a window",
}
"""What Athena answers and the local engine refuses, with a piece of the reason."""
DISPUTED = {
    # The page says false; Trino's BETWEEN is two comparisons, and AND with NULL is NULL.
    "conditional-ce3cd4eb84": [[None]],
    # The test's session lies in another zone than UTC, in which Athena's sessions are.
    "date_time-21e5ab6cb0": [["21:09:56+08:35"]],
    # The text is no JSON, yet expected to be taken.
    "json-21d123cfce": None,
}
"""Cases whose recorded rows are not what Athena gives, with ours; None for an error."""


def checker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("athena_check", FOLDER / "check.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def answers(cases: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    lines = [json.dumps({name: case[name] for name in ("id", "setup", "sql")}) for case in cases]
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
    monkeypatch.setattr(sys, "stdout", out)
    conformance.main()
    return [json.loads(line) for line in out.getvalue().splitlines()]


@NEEDS_CASES
def test_every_case_has_trinos_rows_or_is_a_known_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    check = checker()
    cases = [json.loads(line) for line in (FOLDER / "dev.jsonl").read_text("utf-8").splitlines()]
    wrong: dict[str, str] = {}
    for case, answer in zip(cases, answers(cases, monkeypatch), strict=True):
        name = case["id"]
        right, why = check.compare(case, answer)
        if name in GAPS:
            if GAPS[name] not in answer.get("error", ""):
                wrong[name] = f"{answer} does not say {GAPS[name]!r}"
        elif name in DISPUTED:
            if answer.get("rows") != DISPUTED[name]:
                wrong[name] = str(answer)
        elif not right:
            wrong[name] = why
    assert wrong == {}


def test_lines_in_lines_out(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [
        {
            "id": "one",
            "setup": ["CREATE VIEW v AS SELECT 1 AS x"],
            "sql": "SELECT x + 1 AS y FROM v",
        },
        {"id": "two", "setup": [], "sql": "SELECT x FROM v"},
        {"id": "three", "setup": ["CREATE VIEW"], "sql": "SELECT 1"},
    ]
    one, two, three = answers(cases, monkeypatch)
    assert one == {"id": "one", "columns": ["y"], "rows": [[2]]}
    assert "TABLE_NOT_FOUND" in two["error"]
    assert three["error"].startswith("setup: ")
