"""On AWS every backfill is an execution of one machine, compiled with the workflows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from runner.app.compiled import compile_project
from tests.semantics.little import CONFIG, WORKFLOW, insert, project, rows_of, sql
from tests.support.definitions import AWS

if TYPE_CHECKING:
    from pathlib import Path

WINDOW = " WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'"
FILES = {
    "staging/x": insert(f"SELECT id, dt FROM {rows_of((1, '2024-01-01'))}{WINDOW}"),
    "marts/x": insert(f"SELECT id, dt FROM staging.x{WINDOW}", "load: {keys: [dt], mode: merge}"),
    "marts/total": sql("SELECT count(*) AS n FROM marts.x"),
    "workflows/other.yaml": WORKFLOW,
}


def maps(flow: dict[str, Any]) -> dict[str, str]:
    """Give the Map states of a flow and how they are run."""
    found: dict[str, str] = {}
    for name, state in flow["States"].items():
        for inner in (*state.get("Branches", ()), *filter(None, [state.get("ItemProcessor")])):
            found |= maps(inner)
        if state["Type"] == "Map":
            found[name] = state["ItemProcessor"]["ProcessorConfig"]["Mode"]
    return found


def test_an_environment_on_aws_has_a_machine_for_backfills(tmp_path: Path) -> None:
    root = project(tmp_path, FILES, config=f"{CONFIG}  prod: {json.dumps(AWS)}\n")
    made = compile_project(root, environment="prod")
    names = [path.rpartition("/")[2] for path in made.definitions]
    own = ["backfill.asl.json", "load.asl.json"]
    assert names == ["daily.asl.json", "other.asl.json", *own]
    definition = json.loads((root / made.definitions[-2]).read_text())
    assert maps(definition) == {
        "staging.x write": "DISTRIBUTED",
        "marts.x write": "DISTRIBUTED",
    }
    text = json.dumps(definition)
    assert all(
        f'"{name}"' in text for name in ("marts.x flip", "marts.x load run", "marts.total flip")
    )
    assert '"Seconds"' in text


def test_a_local_environment_makes_it_for_the_plan_that_is_carried_out(tmp_path: Path) -> None:
    root = project(tmp_path, FILES)
    names = [path.rpartition("/")[2] for path in compile_project(root).definitions]
    assert names == ["daily.asl.json", "other.asl.json"]
