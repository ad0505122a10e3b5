"""`preview` in an environment on AWS: PyAthena over HTTP, to an Athena that really runs it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from runner.app.bundle import open_bundle
from runner.app.local_places import open_places
from runner.app.preview import preview
from runner.errors import CloudRefused, ProjectError, RunFailed
from tests.support.http_athena import Asked, serve_athena

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from runner.aws.queries import QueryState
    from tests.support.aws import Aws
    from tests.support.commands import Cli

DAY = "2013-01-05"
DAILY = "marts.daily_carrier_delay"


@pytest.fixture
def asked(shared: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    local = open_places(shared, open_bundle(shared), now=lambda: datetime.now(UTC))
    catalog = local.catalog()
    athena = local.athena(local.s3(), catalog)
    try:
        with serve_athena(athena) as (url, heard):
            monkeypatch.setenv("AWS_ENDPOINT_URL_ATHENA", url)
            yield heard
    finally:
        athena.close()
        catalog.close()


@pytest.mark.parametrize(
    "table",
    [
        DAILY,
        "marts.carrier_names",
        "marts.alb_status_hourly",
        "marts.route_summary",
        "raw.airlines",
    ],
)
def test_types_and_counts_are_those_of_this_machine(shared: Path, asked: Asked, table: str) -> None:
    here = preview(shared, table, start=DAY, limit=4)
    there = preview(shared, table, start=DAY, limit=4, environment="prod")
    assert there.columns == tuple((name, _as_told(kind)) for name, kind in here.columns)
    assert (there.start, there.end, there.windowed) == (here.start, here.end, here.windowed)
    assert (len(there.rows), there.more) == (4, here.more)
    assert there.notes == ()
    (start,) = asked.of("StartQueryExecution")
    assert start["QueryString"].endswith("\n) LIMIT 5")
    assert start["WorkGroup"] == "flights-prod"
    assert start["ResultConfiguration"] == {"OutputLocation": "s3://results/"}
    assert "ResultReuseConfiguration" not in start
    assert not asked.of("StopQueryExecution")


def _as_told(kind: str) -> str:
    """GetQueryResults leaves out the precision of a timestamp."""
    return kind.partition("(")[0] if kind.startswith("timestamp") else kind


def test_values_are_as_athena_writes_them(shared: Path, asked: Asked) -> None:
    path = shared / "sql" / "marts" / "kinds.sql"
    path.write_text(
        "SELECT 1 AS n, 1.5E0 AS x, CAST(2.50 AS decimal(10,2)) AS d, true AS yes,\n"
        "  CAST(NULL AS varchar) AS nothing, ARRAY[1, 2] AS many, DATE '2013-01-05' AS day\n"
    )
    try:
        found = preview(shared, "marts.kinds", environment="prod")
    finally:
        path.unlink()
    assert found.columns == (
        ("n", "integer"),
        ("x", "double"),
        ("d", "decimal(10,2)"),
        ("yes", "boolean"),
        ("nothing", "varchar"),
        ("many", "array"),
        ("day", "date"),
    )
    assert found.rows == ((1, "1.5", "2.50", True, None, "[1, 2]", "2013-01-05"),)
    assert asked.of("StartQueryExecution")[0]["QueryExecutionContext"]["Database"] == "marts"


def test_the_price_of_the_scan_and_the_progress_are_told(
    shared: Path, asked: Asked, cli: Cli
) -> None:
    """Ten megabytes are charged at least: 0.00005 USD of 5 USD for a terabyte."""
    cli.cd(shared)
    said = cli("preview", DAILY, "--date", DAY, "--limit", "2", "--env", "prod")
    assert said.status == 0, said.err
    assert said.out.splitlines()[-1].startswith(f"{DAILY} {DAY}..{DAY}: the first 2 rows, ")
    assert said.out.splitlines()[-1].endswith(" scanned (USD <0.01), nothing published")
    assert "succeeded" in said.err
    told = json.loads(cli("preview", DAILY, "--date", DAY, "--json", "--env", "prod").out)
    assert told["usd"] == pytest.approx(0.00005)
    assert isinstance(told["rows"][0]["mean_dep_delay"], float)
    assert asked.requests


def test_a_wrong_column_is_shown_at_its_line(shared: Path, asked: Asked) -> None:
    path = shared / "sql" / "marts" / "wrong.sql"
    path.write_text("SELECT\n    carrier,\n    upper(distination) AS dest\nFROM staging.flights\n")
    try:
        with pytest.raises(RunFailed) as refused:
            preview(shared, "marts.wrong", environment="prod")
    finally:
        path.unlink()
    (fault,) = refused.value.faults
    assert str(fault.place) == "sql/marts/wrong.sql:3:11"
    assert fault.found.startswith("COLUMN_NOT_FOUND: Column 'distination' cannot be resolved")
    assert fault.advice == "Correct the column's name, or add it upstream."
    assert len(asked.of("StartQueryExecution")) == 1


def test_what_is_not_published_is_named(shared: Path, asked: Asked) -> None:
    found = preview(shared, DAILY, start="2013-01-04", end="2013-01-07", environment="prod")
    assert found.notes == ("staging.flights: 3 of 4 not published (2013-01-04..2013-01-07)",)
    assert asked.of("StartQueryExecution")


def test_a_table_that_does_not_exist_yet_is_named_and_nothing_is_asked(
    shared: Path, asked: Asked, account: Aws
) -> None:
    kept = account.glue.get_table(DatabaseName="staging", Name="flights")["Table"]
    account.glue.delete_table(DatabaseName="staging", Name="flights")
    try:
        with pytest.raises(RunFailed, match=r"staging\.flights, which prod does not have yet"):
            preview(shared, DAILY, start=DAY, environment="prod")
    finally:
        given = {name: kept[name] for name in ("Name", "StorageDescriptor", "Parameters")}
        account.glue.create_table(DatabaseName="staging", TableInput=given)  # type: ignore[arg-type]
    assert not asked.requests


def test_ctrl_c_stops_the_query(shared: Path, asked: Asked) -> None:
    path = shared / "sql" / "marts" / "slow.sql"
    path.write_text("SELECT 1 AS endless\n")
    states = []

    def interrupted(state: QueryState) -> None:
        states.append(state.state)
        if state.state == "RUNNING":
            raise KeyboardInterrupt

    try:
        with pytest.raises(KeyboardInterrupt):
            preview(shared, "marts.slow", environment="prod", tell=interrupted)
    finally:
        path.unlink()
    (stop,) = asked.of("StopQueryExecution")
    assert stop["QueryExecutionId"]
    assert states == ["RUNNING", "CANCELLED"]


def test_a_refused_call_is_not_blamed_on_the_sql(shared: Path, account: Aws, cli: Cli) -> None:
    """moto's Athena has no workgroup of that name."""
    assert account.client("athena").list_work_groups()["WorkGroups"][0]["Name"] == "primary"
    with pytest.raises(CloudRefused, match="WorkGroup does not exist"):
        preview(shared, DAILY, start=DAY, environment="prod")
    cli.cd(shared)
    said = cli("preview", DAILY, "--date", DAY, "--env", "prod")
    assert said.status == 3
    assert "Traceback" not in said.err


def test_a_variable_is_refused(shared: Path) -> None:
    with pytest.raises(ProjectError, match="--var"):
        preview(shared, DAILY, environment="prod", variables={"late_minutes": "1"})
