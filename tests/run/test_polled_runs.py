"""Runs that look at their statements (`athena_wait: poll`) leave what runs that wait leave."""

from __future__ import annotations

import gc
import shutil
from typing import TYPE_CHECKING

import pytest

from runner.app.run import RunRequest, run
from runner.app.scaffold import init_project
from runner.machine import Crash, FaultPlan, InjectedFault, When
from tests.support.forks import (
    left_behind,
    preload,
    resume,
    run_in_child,
    start,
    swift_folder,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.forks import Left

WINDOW = ("2024-01-01", "2024-01-03")


def left_of(root: Path) -> Left:
    return left_behind(root, root / ".runner" / "mart.sqlite")


def poll(root: Path) -> Path:
    config = root / "config.yaml"
    text = config.read_text()
    config.write_text(text.replace("engine: local\n", "engine: local\n    athena_wait: poll\n", 1))
    assert "athena_wait: poll" in config.read_text()
    return root


@pytest.fixture(scope="module")
def waited() -> Iterator[Path]:
    preload()
    with swift_folder() as folder:
        init_project(folder / "waited", name="polled")
        shutil.copytree(folder / "waited", folder / "fresh")
        assert run_in_child(start(folder / "waited", WINDOW)) == 0
        yield folder


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_a_polled_run_leaves_the_same_tables_and_rows(waited: Path) -> None:
    root = poll(shutil.copytree(waited / "fresh", waited / "polled"))
    assert run_in_child(start(root, WINDOW)) == 0
    assert left_of(root) == left_of(waited / "waited")


def test_a_run_killed_between_two_looks_goes_on(waited: Path) -> None:
    root = poll(shutil.copytree(waited / "fresh", waited / "killed"))
    killed = InjectedFault("staging.orders insert look", Crash(), When.BEFORE, visit=1)
    assert run_in_child(start(root, WINDOW, FaultPlan((killed,)))) == -9
    assert run_in_child(resume(root)) == 0
    assert left_of(root) == left_of(waited / "waited")


def test_a_statement_that_fails_is_told_with_its_place(waited: Path) -> None:
    root = poll(shutil.copytree(waited / "fresh", waited / "failing"))
    sql = root / "sql" / "staging" / "orders.sql"
    text = sql.read_text()
    head, separator, rest = text.rpartition("---*/\n")
    assert separator
    sql.write_text(head + separator + rest.replace("SELECT", "SELECT\n    1 / 0 AS wrong,", 1))
    result = run(RunRequest(root=root, start=WINDOW[0], end=WINDOW[1]))
    assert result.status == "FAILED"
    told = {one.name: one for one in result.ended if one.kind == "table"}
    assert told["staging.orders"].status == "failed"
    assert "DIVISION_BY_ZERO" in told["staging.orders"].message
