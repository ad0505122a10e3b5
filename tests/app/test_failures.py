"""What a person reads when a run of the example project fails, and what goes on nevertheless."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from runner.app.run import RunRequest, run
from tests.support.commands import without_retries

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.commands import Cli, Said

DAY = "2013-01-05"
CARRIERS = "sql/marts/daily_carrier_delay.sql"


def change(root: Path, file: str, old: str, new: str) -> None:
    path = root / file
    text = path.read_text("utf-8")
    assert text.count(old) == 1, (file, old)
    path.write_text(text.replace(old, new), "utf-8")


def statuses(said: Said) -> dict[str, str]:
    """Read the table at the end of a run: name (with `load` behind loads) -> status."""
    found = {}
    for line in said.out.splitlines()[2:]:
        if not line.strip():
            break
        name, *words = line.split()
        kind = next(word for word in words if word in {"table", "load", "step"})
        status = words[words.index(kind) + 1]
        found[f"{name} load" if kind == "load" else name] = status
    return found


def messages(root: Path) -> list[dict[str, Any]]:
    path = root / ".runner" / "sns.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_a_failing_test_stops_the_table_and_its_readers_only(flights: Path, cli: Cli) -> None:
    """SEMANTICS 34 and 35."""
    with closing(sqlite3.connect(flights / ".runner" / "mart.sqlite")) as mart:
        before = mart.execute("SELECT * FROM daily_carrier_delay ORDER BY carrier").fetchall()
    change(flights, CARRIERS, "tests:", "tests:\n  - accepted_values: {carrier: [AA, UA]}")
    said = cli("run", "daily", "--date", DAY)
    assert said.status == 1
    found = statuses(said)
    assert found["marts.daily_carrier_delay"] == "failed"
    skipped = {name for name, status in found.items() if status == "skipped"}
    assert skipped == {
        "marts.carrier_delay_7d",
        "marts.carrier_delay_7d load",
        "marts.daily_carrier_delay load",
        "report",
    }
    for unrelated in ("staging.flights", "marts.hourly_delay_weather", "marts.route_summary"):
        assert found[unrelated] == "published"
    assert found["marts.route_summary load"] == "loaded"
    assert (
        "marts.daily_carrier_delay failed: TestsFailed: marts.daily_carrier_delay: "
        "accepted_values: carrier: 12 offending in 2013-01-05. Nothing was published\n"
        "  at: sql/marts/daily_carrier_delay.sql\n"
        "  do: Look at the rows with `runner preview`, mend the input or the test.\n"
    ) in said.out
    assert "failed: 1 failed, 4 skipped of 21 steps" in said.out
    assert said.out.endswith(
        "  after mending it:  runner run daily --start 2013-01-05 --end 2013-01-05 "
        "--only marts.daily_carrier_delay --only marts.carrier_delay_7d\n"
    )
    assert "[10/21] marts.daily_carrier_delay  publish: TestsFailed" in said.err or (
        "marts.daily_carrier_delay  publish: TestsFailed" in said.err
    )
    with closing(sqlite3.connect(flights / ".runner" / "mart.sqlite")) as mart:
        after = mart.execute("SELECT * FROM daily_carrier_delay ORDER BY carrier").fetchall()
    assert after == before
    (message,) = messages(flights)
    assert message["TopicArn"].endswith(":flights-local-data-alerts")
    assert message["Subject"] == "daily failed"
    event = json.loads(message["Message"])
    assert event["source"] == "aws.states"
    assert event["detail-type"] == "Step Functions Execution Status Change"
    assert event["detail"]["status"] == "FAILED"
    assert json.loads(event["detail"]["input"]) == {"start": DAY, "end": DAY}
    assert "marts.carrier_delay_7d skipped (upstream failed)" in event["detail"]["cause"]
    assert cli("status").out.splitlines()[1].split()[2] == "FAILED"

    change(flights, CARRIERS, "tests:\n  - accepted_values: {carrier: [AA, UA]}", "tests:")
    mended = cli(*said.out.rpartition("runner ")[2].split())  # the command that it gave
    assert mended.status == 0, mended
    assert len(messages(flights)) == 1


RUNTIME = [
    pytest.param(
        "count_if(cancelled) AS cancelled,",
        "count(*) / (count(*) - count(*)) AS cancelled,",
        "DIVISION_BY_ZERO: Division by zero",
        "at: sql/marts/daily_carrier_delay.sql\n",
        "NULLIF",
        id="division by zero",
    ),
    pytest.param(
        "count_if(cancelled) AS cancelled,",
        "no_function(cancelled) AS cancelled,",
        "FUNCTION_NOT_FOUND: Function 'no_function' not registered",
        "at: sql/marts/daily_carrier_delay.sql:19:5\n",
        "Use a function that Athena has.",
        id="unknown function",
    ),
    pytest.param(
        "count_if(cancelled) AS cancelled,",
        "count_if(carrier > 1) AS cancelled,",
        "TYPE_MISMATCH: Cannot apply operator: varchar < integer",
        "at: sql/marts/daily_carrier_delay.sql:19:22\n",
        "CAST one side to the type of the other.",
        id="an operator of other types",
    ),
    pytest.param(
        "count_if(cancelled) AS cancelled,",
        "count_if(carrier || 1 = '1') AS cancelled,",
        "FUNCTION_NOT_FOUND: Unexpected parameters (varchar, integer) for function concat",
        "at: sql/marts/daily_carrier_delay.sql:19:22\n",
        "Give arguments of the types that are expected",
        id="arguments of other types",
    ),
    pytest.param(
        "count_if(cancelled) AS cancelled,",
        "count_if(CAST(carrier AS integer) = 1) AS cancelled,",
        "INVALID_CAST_ARGUMENT",
        "at: sql/marts/daily_carrier_delay.sql\n",
        "TRY_CAST",
        id="bad cast",
    ),
]


@pytest.mark.parametrize(("old", "new", "message", "place", "advice"), RUNTIME)
def test_what_only_shows_at_run_time_names_the_file_and_the_remedy(
    flights: Path, cli: Cli, old: str, new: str, message: str, place: str, advice: str
) -> None:
    change(flights, CARRIERS, old, new)
    assert cli("check").status == 0
    said = cli("run", "daily", "--date", DAY, "--only", "marts.daily_carrier_delay")
    assert said.status == 1
    assert f"marts.daily_carrier_delay failed: {message}" in said.out
    assert place in said.out
    assert advice in said.out
    assert "Traceback" not in said.out + said.err


def test_a_place_inside_a_macro_is_the_macros(flights: Path, cli: Cli) -> None:
    (flights / "sql" / "macros" / "odd.sql").write_text(
        "{% macro odd(x) %}\nno_function({{ x }})\n{% endmacro %}\n"
    )
    change(flights, CARRIERS, "count_if(cancelled)", "{{ odd('carrier') }}")
    said = cli("preview", "marts.daily_carrier_delay", "--date", DAY)
    assert said.status == 1
    assert said.err.startswith("sql/macros/odd.sql:2:1: query-failed\n")


def test_rows_outside_the_window_are_told_with_counts(flights: Path, cli: Cli) -> None:
    """SEMANTICS 4: never filtered in silence."""
    earlier = run(RunRequest(flights, "daily", date="2013-01-04", only=("staging.flights",)))
    assert earlier.status == "SUCCEEDED"
    change(flights, CARRIERS, "BETWEEN '{{ start }}'", "BETWEEN '{{ start.add(days=-1) }}'")
    said = cli("run", "daily", "--date", DAY, "--only", "marts.daily_carrier_delay")
    assert said.status == 1
    assert "RowsOutsideWindow" in said.out
    assert "Filter the input by {{ start }} and {{ end }}." in said.out


def test_a_failed_function_is_named_with_its_own_error(flights: Path, cli: Cli) -> None:
    (flights / "lambdas" / "report" / "handler.py").write_text(
        "class NoPaper(Exception):\n    pass\n\n\n"
        "def handler(event, context):\n    raise NoPaper('tray 2 is empty')\n"
    )
    said = cli("run", "daily", "--date", DAY, "--only", "marts.route_summary")
    assert said.status == 1
    assert "report failed: NoPaper: tray 2 is empty" in said.out
    assert statuses(said)["marts.route_summary load"] == "loaded"


def test_a_function_may_give_back_anything(flights: Path, cli: Cli) -> None:
    """What a user's function calls rows is no number of ours."""
    (flights / "lambdas" / "report" / "handler.py").write_text(
        "def handler(event, context):\n    return {'rows': 'plenty', 'bytes': None}\n"
    )
    said = cli("run", "daily", "--date", DAY, "--only", "raw.airlines")
    assert said.status == 0
    assert "[2/2] report  done" in said.err


def test_a_catch_of_the_workflow_runs_its_step(flights: Path, cli: Cli) -> None:
    change(flights, "workflows/carrier_load.yaml", "min_rows_per_day: 10", "min_rows_per_day: 9999")
    said = cli("run", "carrier_load", "--date", DAY)
    assert statuses(said)["alert"] == "succeeded"
    subjects = [message["Subject"] for message in messages(flights)]
    assert "Delays per carrier were not loaded" in subjects


# --- faults on purpose, windows, environments -----------------------------------------------------


@pytest.mark.usefixtures("flights")
def test_an_injected_failure_is_retried(cli: Cli) -> None:
    fault = "marts.route_summary write:fail=Athena.InternalServerException@0"
    said = cli("run", "daily", "--date", DAY, "--only", "marts.route_summary", "--fault", fault)
    assert said.status == 0
    assert "marts.route_summary  write: Athena.InternalServerException" in said.err


def test_faults_from_a_file_strike_and_those_that_do_not_are_told(flights: Path, cli: Cli) -> None:
    text = """faults:
  - {state: marts.route_summary write, fail: Athena.InternalServerException, attempt: 0}
  - {state: "marts.* write", crash: true, attempt: 9}
"""
    (flights / "faults.yaml").write_text(text, "utf-8")
    words = ("--date", DAY, "--only", "marts.route_summary", "--faults", "faults.yaml")
    said = cli("run", "daily", *words)
    assert said.status == 0
    assert "marts.route_summary  write: Athena.InternalServerException" in said.err
    told = [line for line in said.err.splitlines() if line.startswith("warning")]
    assert told == ["warning: faults.yaml:3:5: marts.* write:crash@9: this fault never struck"]


@pytest.mark.usefixtures("flights")
def test_an_injected_failure_that_stays_fails_the_step(cli: Cli) -> None:
    said = cli(
        *("run", "daily", "--date", DAY, "--only", "marts.route_summary"),
        *("--fault", "report call:fail=Report.Lost"),
    )
    assert said.status == 1
    assert "report failed: Report.Lost: injected fault" in said.out
    assert said.out.endswith(
        "  after mending it:  runner run daily --start 2013-01-05 --end 2013-01-05\n"
    )


@pytest.mark.usefixtures("flights")
def test_a_window_that_is_too_large_is_refused_with_the_remedy(cli: Cli) -> None:
    """SEMANTICS 23."""
    said = cli("run", "daily", "--start", "2012-01-01", "--end", "2013-12-31")
    assert said.status == 1
    assert "2012-01-01..2013-12-31 is 731 days, more than the 400" in said.out
    assert "`runner backfill`" in said.out
    assert "stackTrace" not in said.out


@pytest.mark.usefixtures("flights")
def test_a_workflow_without_a_schedule_needs_a_window(cli: Cli) -> None:
    said = cli("run", "carrier_load")
    assert said.status == 2
    assert "--start and --end, since carrier_load has no schedule" in said.err
    assert "--date 2013-01-01" in said.err


@pytest.mark.usefixtures("flights")
def test_one_of_two_workflows_must_be_named(cli: Cli) -> None:
    said = cli("run", "--date", DAY)
    assert said.status == 2
    assert "a workflow of this project: app_week, carrier_load, daily, startup" in said.err


@pytest.mark.usefixtures("flights")
@pytest.mark.parametrize(
    "words",
    [
        ("run", "daily", "--date", DAY),
        ("redrive",),
        ("executions",),
        ("status",),
        ("logs", "last"),
        ("preview", "marts.carrier_names"),
    ],
    ids=lambda words: words[0],
)
def test_an_environment_on_aws_wants_credentials(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    for name in ("PROFILE", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    for name in ("CONFIG_FILE", "SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(f"AWS_{name}", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    said = cli(*words, "--env", "prod")
    assert (said.status, said.out) == (3, "")
    assert "credentials" in said.err


def test_a_mart_that_cannot_be_reached_says_what_is_missing(
    flights: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOST", "PORT", "DATABASE", "USER", "PASSWORD"):
        monkeypatch.delenv(f"MART_{name}", raising=False)
    without_retries(flights)
    words = ("--date", DAY, "--only", "marts.alb_status_hourly", "--only", "raw.alb")
    said = cli("run", "daily", *words, "--env", "local_mysql")
    assert said.status == 1
    assert "marts.alb_status_hourly load failed: " in said.out
    assert "MART_" in said.out
    assert "--env local_mysql" in said.out.splitlines()[-1]
    assert (flights / ".runner" / "mysql").is_dir()
