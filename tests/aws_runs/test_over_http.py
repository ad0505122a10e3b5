"""The command line against moto's server: executions of the very definitions that are compiled."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

from runner.app import execution_watch
from runner.app.bundle import open_bundle
from tests.support.commands import Cli, cli
from tests.support.moto_states import deploy, moto_states
from tests.support.scripted import Scripted, query_failed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_stepfunctions import SFNClient

__all__ = ["cli"]

FILES = {
    "config.yaml": """
        project: flights
        defaults: {retry: {max_attempts: 1, interval: 1s}}
        environments:
          local: {engine: local, marts: {main: {engine: sqlite, path: .runner/mart.sqlite}}}
          env:
            engine: aws
            region: us-east-1
            account: "123456789012"
            lake: s3://lake/
            results: s3://results/
            loader: native
            network: {subnets: [subnet-1]}
            marts:
              main:
                engine: mysql
                host: mart
                database: mart
                user: loader
                secret: arn:aws:secretsmanager:us-east-1:123456789012:secret:mart-AbCdEf
        """,
    "sql/raw/flights.sql": """
        /*---
        kind: ddl
        ---*/
        CREATE EXTERNAL TABLE raw.flights (n bigint, dt string) LOCATION 's3://raw/flights/'
        """,
    "sql/staging/flights.sql": """
        /*---
        partition:
          dt: {type: date, format: yyyy-MM-dd, range: "2013-01-01,NOW+1DAYS"}
        ---*/
        SELECT n, dt FROM raw.flights WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'
        """,
    "sql/marts/daily.sql": """
        /*---
        partition:
          dt: {type: date, format: yyyy-MM-dd, range: "2013-01-01,NOW+1DAYS"}
        load: {mode: merge, keys: [dt]}
        ---*/
        SELECT n, dt FROM staging.flights WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'
        """,
    "workflows/daily.yaml": """
        steps:
          tables: {type: tables, select: ["*.*"]}
          loads: {type: loads, needs: [tables]}
        """,
}
WINDOW = ("--start", "2013-01-01", "--end", "2013-01-03")
HOPELESS = query_failed("COLUMN_NOT_FOUND: line 1:8: Column 'n' cannot be resolved")


@pytest.fixture
def flights(tmp_path: Path, cli: Cli) -> Path:
    folder = tmp_path / "flights"
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip(), "utf-8")
    cli.cd(folder)
    return folder


@pytest.fixture
def world(tmp_path: Path) -> Scripted:
    return Scripted(tmp_path / "world")


@pytest.fixture
def states(flights: Path, world: Scripted, monkeypatch: pytest.MonkeyPatch) -> Iterator[SFNClient]:
    workflow = open_bundle(flights, "env").workflow("daily")
    monkeypatch.setattr(execution_watch, "_SOON_S", 0.05)
    monkeypatch.setattr(execution_watch, "_SHARE_S", 0.01)
    with moto_states(monkeypatch, world.do) as client:
        deploy(client, "flights-env-daily", workflow.definition)
        yield client


def run(cli: Cli, *words: str) -> tuple[int, list[dict[str, Any]]]:
    said = cli(*words, "--json", "--env", "env")
    return said.status, [json.loads(line) for line in said.out.splitlines()]


def statuses(ended: dict[str, Any]) -> dict[str, str]:
    return {f"{one['kind']} {one['name']}": one["status"] for one in ended["ended"]}


@pytest.mark.usefixtures("states")
def test_a_deployed_definition_is_started_followed_and_summed_up(cli: Cli, world: Scripted) -> None:
    said = cli("run", "daily", *WINDOW, "--env", "env")
    assert said.status == 0
    head, console, *lines = said.err.splitlines()
    name = head.removeprefix("daily 2013-01-01..2013-01-03 (run ").removesuffix(")")
    page = "https://us-east-1.console.aws.amazon.com/states/home?region=us-east-1#/v2/executions/"
    arn = f"arn:aws:states:us-east-1:123456789012:execution:flights-env-daily:{name}"
    assert console == f"console: {page}details/{arn}"
    assert [line.split()[1] for line in lines] == [
        "raw.flights",
        "staging.flights",
        "marts.daily",
        "marts.daily",
    ]
    assert world.loaded == [("daily", 9)]
    table = [line.split() for line in said.out.splitlines() if "published" in line]
    assert table[1] == ["staging.flights", "table", "published", "9", "12", "B"]
    assert f"(run {name})" in said.out
    assert f"  console:  {page}details/{arn}" in said.out.splitlines()


@pytest.mark.usefixtures("states")
def test_what_failed_or_was_skipped_is_done_by_a_redrive(cli: Cli, world: Scripted) -> None:
    """SEMANTICS 34: a new execution, the same window, only what is left."""
    world.failures = {"staging.flights insert": [HOPELESS]}
    status, told = run(cli, "run", "daily", *WINDOW)
    first = told[-1]
    assert (status, first["status"], first["error"]) == (1, "FAILED", "Runner.StepsFailed")
    assert statuses(first) == {
        "table raw.flights": "published",
        "table staging.flights": "failed",
        "table marts.daily": "skipped",
        "load marts.daily": "skipped",
    }
    assert first["ended"][1]["place"] == "sql/staging/flights.sql:5:8"
    assert first["ended"][1]["advice"] == "Correct the column's name, or add it upstream."
    assert first["again"] == f"runner redrive {first['run']} --env env"

    world.failures, world.calls = {}, []
    status, told = run(cli, "redrive")
    assert (status, told[-1]["status"]) == (0, "SUCCEEDED")
    assert statuses(told[-1]) == {
        "table staging.flights": "published",
        "table marts.daily": "published",
        "load marts.daily": "loaded",
    }
    assert told[-1]["run"] != first["run"]
    (begin,) = world.statements("begin")
    assert begin["Payload"]["input"] == {
        "start": "2013-01-01",
        "end": "2013-01-03",
        "only": ["staging.flights", "marts.daily"],
    }

    said = cli("redrive", first["run"], "--env", "env", "--detach")
    assert said.status == 0
    assert "follow it:  runner run --follow daily-" in said.out
    listed = json.loads(cli("executions", "--env", "env", "--json").out)
    assert [one["workflow"] for one in listed] == ["daily"] * 3
    assert listed[-1]["run"] == first["run"]
    assert [one["status"] for one in listed[1:]] == ["SUCCEEDED", "FAILED"]
    assert {one["start"] for one in listed} == {"2013-01-01"}


@pytest.mark.usefixtures("states")
def test_an_execution_is_shown_in_detail(cli: Cli, world: Scripted) -> None:
    world.failures = {"marts.daily insert": [HOPELESS]}
    run(cli, "run", "daily", *WINDOW)
    shown = cli("executions", "last", "--env", "env").out
    assert "marts.daily failed: COLUMN_NOT_FOUND: Column 'n' cannot be resolved" in shown
    assert "staging.flights insert  SUCCEEDED    100 B" in shown
    assert "log-group/$252Faws$252Flambda$252Fflights-env-keeper" in shown
    detail = json.loads(cli("executions", "last", "--env", "env", "--json").out)
    assert detail["about"]["status"] == "FAILED"
    assert detail["result"]["statements"][0]["link"].endswith("#/query-editor/history/0")
    assert detail["result"]["cost"] > 0
    recent = cli("status", "--env", "env")
    assert detail["about"]["run"] in recent.out
    assert "2013-01-01..2013-01-03" in recent.out


def test_what_is_deployed_may_differ_from_the_checkout(
    cli: Cli, flights: Path, states: SFNClient
) -> None:
    path = flights / "sql/staging/flights.sql"
    path.write_text(path.read_text("utf-8").replace("SELECT n,", "SELECT n + 1 AS n,"), "utf-8")
    said = cli("run", "daily", *WINDOW, "--env", "env", "--detach")
    assert said.status == 0
    assert "warning: what is deployed of daily is not what these files say" in said.err
    (one,) = states.list_executions(
        stateMachineArn="arn:aws:states:us-east-1:123456789012:stateMachine:flights-env-daily"
    )["executions"]
    assert f"runner run --follow {one['name']} --env env" in said.out
    followed = cli("run", "--follow", one["name"], "--env", "env")
    assert (followed.status, "succeeded" in followed.out) == (0, True)


@pytest.mark.usefixtures("flights")
def test_nothing_is_deployed_yet(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    with moto_states(monkeypatch):
        said = cli("run", "daily", *WINDOW, "--env", "env")
        assert (said.status, said.out) == (3, "")
        assert "found:    no state machine flights-env-daily" in said.err
        assert "do:       deploy first: runner deploy --env env" in said.err
        assert cli("executions", "--env", "env").err == "no execution yet\n"
        missing = cli("executions", "last", "--env", "env")
        assert (missing.status, "no execution yet" in missing.err) == (2, True)
