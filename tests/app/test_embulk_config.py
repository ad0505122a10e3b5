"""`embulk`: the configuration of a load, from what is published."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml

from runner.app.embulk_config import embulk_config
from runner.errors import RunFailed, UsageError
from runner.loads.checks import LoadCase, judge
from runner.loads.shapes import MartServer
from tests.loads.cases import manifest
from tests.support.commands import copy_example

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.commands import Cli

DAY = "2013-01-05"
NAME = "marts.daily_carrier_delay"


def test_a_merge_of_the_newest_day(flights: Path) -> None:
    found = embulk_config(flights, NAME)
    assert (found.start, found.end, found.file) == (DAY, DAY, "daily_carrier_delay.yml")
    job = yaml.safe_load(found.text)
    assert job["out"]["mode"] == "merge"
    assert job["out"]["create_table_constraint"] == "PRIMARY KEY (`dt`, `carrier`)"
    assert job["out"]["password"] == "${RUNNER_MART_PASSWORD}"
    types = {name: option["type"] for name, option in job["out"]["column_options"].items()}
    assert types["flights"] == "BIGINT"
    assert types["dt"] == "VARCHAR(255)"
    columns = [column["name"] for column in job["in"]["parser"]["columns"]]
    assert columns[0] == "carrier"
    assert columns[-1] == "dt"
    assert "'2013-01-05', '2013-01-05'" in job["out"]["after_load"]


def test_what_is_printed_passes_the_checks(flights: Path) -> None:
    job = yaml.safe_load(embulk_config(flights, NAME).text)
    case = LoadCase(manifest(), None, MartServer("mysql"), engine="embulk", job=job)
    assert judge(case, only=["tasks", "secrets"]) == ()


@pytest.mark.parametrize(
    ("table", "mode", "window"),
    [
        ("marts.route_summary", "truncate_insert", "all"),
        ("marts.hourly_delay_weather", "insert", DAY),
    ],
)
def test_other_modes(flights: Path, table: str, mode: str, window: str) -> None:
    found = embulk_config(flights, table, start=DAY)
    assert (found.start, found.end) == (window, window)
    out = yaml.safe_load(found.text)["out"]
    assert out["mode"] == mode
    assert ("before_load" in out) == (mode == "insert")
    assert embulk_config(flights, table).text == found.text


def test_nothing_is_written(flights: Path) -> None:
    before = sorted(flights.rglob("*"))
    embulk_config(flights, NAME, start=DAY)
    assert sorted(flights.rglob("*")) == before


def test_the_published_form(flights: Path) -> None:
    found = embulk_config(flights, NAME, start=DAY, as_published=True)
    assert found.file == "daily_carrier_delay.yml.liquid"
    assert 'type: "athena"' in found.text
    assert "{{ env.RUNNER_MART_PASSWORD }}" in found.text


def test_what_is_not_published_says_what_to_run(flights: Path) -> None:
    with pytest.raises(RunFailed) as refused:
        embulk_config(flights, NAME, start="2013-01-06")
    (fault,) = refused.value.faults
    assert fault.code == "not-published"
    assert fault.advice.startswith(f"runner run carrier_load --only {NAME}")


def test_a_project_without_a_run(tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match="nothing of it is published"):
        embulk_config(copy_example(tmp_path / "flights"), NAME)


def test_a_window_that_is_none(flights: Path) -> None:
    with pytest.raises(UsageError, match="bad-window"):
        embulk_config(flights, NAME, start="yesterday")


def test_tables_without_a_load(flights: Path) -> None:
    with pytest.raises(UsageError, match="no `load:` in its header"):
        embulk_config(flights, "staging.flights")
    path = flights / "sql" / "marts" / "alone.sql"
    path.write_text("/*---\nkind: ctas\nload: {}\n---*/\nSELECT 1 AS x\n", encoding="utf-8")
    for workflow in (flights / "workflows").glob("*.yaml"):
        workflow.unlink()
    (flights / "lambdas" / "tell" / "function.yaml").unlink()  # it waits for one of them
    with pytest.raises(UsageError, match="no workflow loads marts.alone"):
        embulk_config(flights, "marts.alone")


@pytest.mark.usefixtures("flights")
def test_the_command(cli: Cli) -> None:
    shown = cli("embulk", NAME, "--date", DAY)
    assert yaml.safe_load(shown.out)["out"]["table"] == "daily_carrier_delay"
    assert shown.err == f"{NAME}, {DAY}..{DAY}; save it as daily_carrier_delay.yml\n"
    told = json.loads(cli("embulk", "marts.route_summary", "--published", "--json").out)
    assert told["file"] == "route_summary.yml.liquid"
    assert "whole table" in cli("embulk", "marts.route_summary").err
