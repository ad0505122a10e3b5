"""`runner athena serve` as a process of its own: ready line, signals, and what outlives a kill."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.athena_wire import ENDED, ENDLESS, client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_athena import AthenaClient


@contextmanager
def served(folder: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start the command; gives it with its first line of output, when that is there."""
    command = [sys.executable, "-m", "runner", "athena", "serve", "--port", "0", *words]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            if process.poll() is None:
                process.kill()


@contextmanager
def athena_of(url: str) -> Iterator[AthenaClient]:
    with closing(client(url, "athena")) as found:
        yield found


def run(athena: AthenaClient, sql: str) -> tuple[str, str]:
    identity = athena.start_query_execution(QueryString=sql)["QueryExecutionId"]
    while True:
        found = athena.get_query_execution(QueryExecutionId=identity)["QueryExecution"]
        if found["Status"]["State"] in ENDED:
            return identity, found["Status"]["State"]


def rows(athena: AthenaClient, identity: str) -> list[Any]:
    page = athena.get_query_results(QueryExecutionId=identity)
    return [row["Data"][0].get("VarCharValue") for row in page["ResultSet"]["Rows"]]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_cancels_what_runs(tmp_path: Path, number: signal.Signals) -> None:
    with served(tmp_path) as (process, url):
        assert url.startswith("http://127.0.0.1:")
        with athena_of(url) as athena:
            identity = athena.start_query_execution(QueryString=ENDLESS)["QueryExecutionId"]
            athena.get_query_execution(QueryExecutionId=identity)
        process.send_signal(number)
        out, told = process.communicate()
        assert (process.returncode, out) == (0, "")
        assert f"export AWS_ENDPOINT_URL={url}\n" in told
        assert "Traceback" not in told
    with served(tmp_path) as (_, again), athena_of(again) as athena:
        status = athena.get_query_execution(QueryExecutionId=identity)["QueryExecution"]["Status"]
        assert (status["State"], status["StateChangeReason"]) == (
            "CANCELLED",
            "Query cancelled by user",
        )


def test_history_and_tables_outlive_a_kill(tmp_path: Path) -> None:
    with served(tmp_path, "--data", "there") as (process, url):
        with athena_of(url) as athena:
            sql = "CREATE TABLE t WITH (external_location = 's3://lake/t/') AS SELECT 7 AS n"
            made, state = run(athena, sql)
            assert state == "SUCCEEDED"
            read, _ = run(athena, "SELECT n FROM t")
            athena.create_work_group(Name="kept")
            running = athena.start_query_execution(QueryString=ENDLESS)["QueryExecutionId"]
            athena.get_query_execution(QueryExecutionId=running)
        process.kill()
        process.wait()
    with served(tmp_path, "--data", "there") as (_, again), athena_of(again) as athena:
        assert athena.list_query_executions()["QueryExecutionIds"] == [running, read, made]
        status = athena.get_query_execution(QueryExecutionId=running)["QueryExecution"]["Status"]
        assert status["State"] == "FAILED"
        assert "the process that ran the query is gone" in status["StateChangeReason"]
        assert rows(athena, read) == ["n", "7"]
        assert rows(athena, run(athena, "SELECT n + 1 AS m FROM t")[0]) == ["m", "8"]
        assert athena.get_work_group(WorkGroup="kept")["WorkGroup"]["Name"] == "kept"


def test_a_projects_tables_are_served(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(
        "project: little\ntimezone: UTC\nenvironments:\n  local: {engine: local}\n"
    )
    table = tmp_path / "sql" / "marts" / "one.sql"
    table.parent.mkdir(parents=True)
    table.write_text("/*---\ndescription: One row.\n---*/\nSELECT 1 AS n\n")
    workflow = tmp_path / "workflows" / "daily.yaml"
    workflow.parent.mkdir()
    workflow.write_text('steps:\n  tables: {type: tables, select: ["marts.*"]}\n')
    command = [sys.executable, "-m", "runner", "run", "daily", "--date", "2026-01-01"]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with served(tmp_path, "--json") as (_, line):
        told = json.loads(line)
        assert told["results"] == "s3://results/"
        assert told["environment"]["AWS_ENDPOINT_URL"] == told["endpoint"]
        with athena_of(told["endpoint"]) as athena:
            identity, state = run(athena, "SELECT n FROM marts.one")
            assert state == "SUCCEEDED"
            assert rows(athena, identity) == ["n", "1"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--host", "0.0.0.0"), "not-loopback"),  # noqa: S104 - it is what is refused
        (("--host", "example.org"), "not-loopback"),
    ],
)
def test_addresses_of_other_machines_are_refused(
    tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    with served(tmp_path, *words) as (process, line):
        _, said = process.communicate()
        assert (line, process.returncode) == ("", 2)
        assert told in said


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with served(tmp_path) as (_, url):
        port = url.rpartition(":")[2]
        command = [sys.executable, "-m", "runner", "athena", "serve", "--port", port]
        done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert "port-taken" in done.stderr
    assert port in done.stderr
