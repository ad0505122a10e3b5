"""The command line against moto's server: executions of the very definitions that are compiled."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

import pytest

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
HOPELESS = query_failed("COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved")


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
    with moto_states(monkeypatch, world.do) as client:
        deploy(client, "flights-env-daily", workflow.definition)
        yield client


@pytest.mark.usefixtures("states")
def test_a_deployed_definition_is_started_followed_and_summed_up(cli: Cli) -> None:
    said = cli("run", "daily", *WINDOW, "--env", "env")
    assert said.err == ""
    assert said.out == ""
