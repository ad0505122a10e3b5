"""SEMANTICS 17: what an execution's input may be; nothing in it can become SQL."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.app.bundle import open_bundle
from runner.errors import UsageError
from runner.keeper.begin import begin
from runner.keeper.faults import InvalidInput
from tests.semantics.little import go, project, sql, statuses

if TYPE_CHECKING:
    from pathlib import Path

DAY = {"start": "2024-01-01", "end": "2024-01-02"}
AT = "2024-01-03T03:00:00Z"
WORKFLOW = """
schedule: {cron: "0 3 * * ? *"}
steps: {tables: {type: tables, select: [marts.*]}}
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tables in the workflow, one outside of it."""
    files = {f"{name}": sql("SELECT 1 AS n") for name in ("marts/a", "marts/b", "other/c")}
    folder = tmp_path_factory.mktemp("rule_17")
    return project(folder, {**files, "workflows/daily.yaml": WORKFLOW})


@pytest.fixture(scope="module")
def payload(root: Path) -> dict[str, Any]:
    """What the compiled definition gives the keeper beside the input."""
    definition = json.loads(open_bundle(root).workflow("daily").definition)
    found: dict[str, Any] = definition["States"]["begin"]["Arguments"]["Payload"]
    return found


@pytest.mark.parametrize(
    ("said", "window", "selected"),
    [
        (DAY, ("2024-01-01", "2024-01-02"), ["marts.a", "marts.b"]),
        ({"scheduled_time": AT}, ("2024-01-02", "2024-01-02"), ["marts.a", "marts.b"]),
        ({**DAY, "only": ["marts.b"]}, ("2024-01-01", "2024-01-02"), ["marts.b"]),
        ({**DAY, "only": ["marts.b", "marts.a"]}, ("2024-01-01", "2024-01-02"),
         ["marts.a", "marts.b"]),
        ({"scheduled_time": AT, "only": ["marts.a"]}, ("2024-01-02",) * 2, ["marts.a"]),
        ({**DAY, "backfill": "history"}, ("2024-01-01", "2024-01-02"), ["marts.a", "marts.b"]),
    ],
)  # fmt: skip
def test_semantics_17_what_is_accepted(
    payload: dict[str, Any], said: dict[str, Any], window: tuple[str, str], selected: list[str]
) -> None:
    found = begin({**payload, "input": said})
    assert (found["window"]["start"], found["window"]["end"]) == window
    assert found["selected"] == selected


@pytest.mark.parametrize(
    "said",
    [
        {},
        [],
        "2024-01-01",
        None,
        {"start": "2024-01-01"},
        {"end": "2024-01-01"},
        {**DAY, "scheduled_time": AT},
        {**DAY, "sql": "DROP TABLE x"},
        {**DAY, "Start": "2024-01-01"},
        {**DAY, "vars": {"limit": 1}},
        {**DAY, "only": "marts.a"},
        {**DAY, "only": []},
        {**DAY, "only": ["other.c"]},
        {**DAY, "only": ["marts.*"]},
        {**DAY, "only": [1]},
        {**DAY, "backfill": True},
        {"scheduled_time": "2024-01-03"},
        {"scheduled_time": "2024-01-03T03:00:00"},
        {"scheduled_time": 1704250800},
        {"start": 20240101, "end": 20240102},
        {"start": "2024-01-01", "end": "2024-01-01' OR ''='"},
        {"start": "2024-1-1", "end": "2024-01-02"},
        {"start": "2024-01-01\n", "end": "2024-01-02"},
        {"start": "2023-02-29", "end": "2024-01-02"},
        {"start": "20240101", "end": "20240102"},
        {"start": "+2024-01-01", "end": "2024-01-02"},
        {"start": "２０２４-01-01", "end": "2024-01-02"},
        {"start": "2024-01-02", "end": "2024-01-01"},
    ],
    ids=json.dumps,
)
def test_semantics_17_everything_else_is_refused(payload: dict[str, Any], said: object) -> None:
    with pytest.raises(InvalidInput):
        begin({**payload, "input": said})


@given(st.one_of(st.text(max_size=12), st.from_regex(r"[0-9]{1,5}-[0-9]{1,2}-[0-9]{1,3}")))
def test_semantics_17_whatever_passes_is_digits_and_two_hyphens(text: str) -> None:
    event = {
        "input": {"start": text, "end": text},
        "grain": "day",
        "timezone": "UTC",
        "tables": [],
        "max_window": 400,
    }
    try:
        found = begin(event)
    except InvalidInput:
        return
    assert re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", found["window"]["start"], re.ASCII)
    assert found["window"]["start"] == text


def test_semantics_17_only_writes_what_it_names(root: Path) -> None:
    assert statuses(go(root, "2024-01-01", only=("marts.b",))) == {"marts.b": "published"}


def test_semantics_17_only_of_a_table_outside_the_workflow_is_refused_with_the_nearest(
    root: Path,
) -> None:
    with pytest.raises(UsageError) as refused:
        go(root, "2024-01-01", only=("marts.c",))
    (fault,) = refused.value.faults
    assert (fault.code, fault.found) == ("unknown-table", "marts.c")
    assert fault.advice == "did you mean marts.b or marts.a?"
