"""The entry script and what it becomes: one load, an outcome, an exit code, and no secret told."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.image.conftest import DAY, MANIFEST, PATIENCE_S, Container, Lake, end_of
from tests.support.mariadb import PASSWORD, MariaDb

if TYPE_CHECKING:
    import subprocess

    from tests.image.conftest import Ended

ROWS = "SELECT carrier, flights, dt FROM carrier_day ORDER BY carrier"
LOADED = [("AA", 94, DAY), ("B6", 7, DAY), ("UA", 165, DAY)]
SECRETS = (PASSWORD, PASSWORD.replace("'", "\\'"), "canary-of-the-role")


def assert_silent(ended: Ended, container: Container) -> None:
    """No secret is in what was printed or written, and nothing is left on the disk."""
    said = ended.output + ended.errors
    outcome = container.s3 / MANIFEST.removeprefix("s3://").replace(".json", ".outcome.json")
    said += outcome.read_text("utf-8") if outcome.exists() else ""
    assert [secret for secret in SECRETS if secret in said] == []
    assert list(container.work.iterdir()) == []


@pytest.mark.mariadb
def test_files_in_s3_become_rows(loading: Container, mariadb: MariaDb, database: str) -> None:
    ended = loading.run()
    assert ended.status == 0, ended.output + ended.errors
    assert mariadb.query(ROWS, database) == LOADED
    outcome = loading.outcome()
    assert (outcome.status, outcome.engine, outcome.rows) == ("loaded", "native", 3)
    assert [event["event"] for event in ended.events] == [
        "started",
        "downloaded",
        "loaded",
        "ended",
    ]
    loaded = ended.events[2]
    assert (loaded["rows"], loaded["mart_table"]) == (3, "carrier_day")
    assert loaded["rows_per_s"] > 0
    assert ended.errors == ""
    assert_silent(ended, loading)


@pytest.mark.mariadb
def test_the_same_load_again_is_skipped(
    loading: Container, mariadb: MariaDb, database: str
) -> None:
    assert loading.run().status == 0
    mariadb.query("DELETE FROM carrier_day WHERE carrier = 'AA'", database)
    assert loading.run().status == 0
    assert loading.outcome().status == "skipped"
    assert mariadb.query(ROWS, database) == LOADED[1:]


@pytest.mark.mariadb
def test_rows_that_the_table_refuses_exit_with_65(
    loading: Container, mariadb: MariaDb, database: str
) -> None:
    mariadb.query(
        "CREATE TABLE carrier_day (carrier VARCHAR(2), flights BIGINT CHECK (flights < 100), "
        "dt VARCHAR(10))",
        database,
    )
    mariadb.query("INSERT INTO carrier_day VALUES ('ZZ', 1, '2013-01-01')", database)
    ended = loading.run()
    assert ended.status == 65, ended.output
    outcome = loading.outcome()
    assert (outcome.status, outcome.error) == ("failed", "Load.Rejected")
    assert "CONSTRAINT" in outcome.cause
    assert mariadb.query(ROWS, database) == [("ZZ", 1, DAY)]
    assert_silent(ended, loading)


@pytest.mark.mariadb
def test_a_wrong_password_exits_with_78_and_is_not_told(loading: Container) -> None:
    ended = loading.run(RUNNER_MART_PASSWORD="canary-of-a-wrong-one")
    assert (ended.status, loading.outcome().error) == (78, "Load.MartDenied")
    assert "canary-of-a-wrong-one" not in ended.output + ended.errors
    assert_silent(ended, loading)


def test_a_mart_that_does_not_answer_exits_with_69(container: Container) -> None:
    ended = container.run()
    assert ended.status == 69, ended.output + ended.errors
    outcome = container.outcome()
    assert (outcome.error, outcome.engine) == ("Load.MartUnreachable", "native")
    assert_silent(ended, container)


def test_a_missing_variable_exits_with_78_and_says_so_beside_the_manifest(
    container: Container,
) -> None:
    ended = container.run(RUNNER_MART_PASSWORD=None, RUNNER_MART_USER="")
    assert ended.status == 78
    outcome = container.outcome()
    assert outcome.error == "Load.InvalidTask"
    assert outcome.cause == "RUNNER_MART_USER is not set; RUNNER_MART_PASSWORD is not set"


def test_a_folder_that_is_not_there_exits_with_78(container: Container) -> None:
    ended = container.run(RUNNER_WORK="/nowhere")
    assert ended.status == 78
    assert ended.events == [
        {
            "event": "refused",
            "cause": "RUNNER_WORK: /nowhere is no folder to write into; mount a volume there",
        }
    ]


def test_embulk_without_a_file_system_in_memory_exits_with_78(container: Container) -> None:
    plain = container.work.parent / "plain"
    plain.mkdir()
    ended = container.run(EMBULK_HOME="/opt/embulk", RUNNER_SECRETS=str(plain))
    kind = ended.events[0]
    assert (ended.status, kind["event"]) == (78, "refused")
    assert "is no tmpfs" in kind["cause"]


def wait_for_lock(mariadb: MariaDb, process: subprocess.Popen[str]) -> None:
    """Wait until the loader's connection waits for a table."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        assert process.poll() is None, end_of(process)
        rows = mariadb.query("SELECT state FROM information_schema.processlist")
        if any("metadata lock" in (state or "") for (state,) in rows):
            return
        time.sleep(0.02)
    pytest.fail("the load never came to the table")


def wait_for_quiet(mariadb: MariaDb) -> None:
    """Wait until the server has let go of the loader's connections."""
    until = time.monotonic() + PATIENCE_S
    seen = "SELECT count(*) FROM information_schema.processlist WHERE user = 'loader'"
    while mariadb.query(seen) != [(0,)]:
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.mariadb
def test_a_stop_in_the_middle_leaves_the_old_rows(
    loading: Container, lake: Lake, mariadb: MariaDb, database: str
) -> None:
    assert loading.run().status == 0
    lake.files.pop()
    lake.manifest(publish_id="p2", rows=2)
    holder = mariadb.connect(database)
    try:
        holder.query("LOCK TABLES carrier_day READ")
        process = loading.start()
        wait_for_lock(mariadb, process)
        words = Path(f"/proc/{process.pid}/cmdline").read_bytes().decode().split("\0")
        assert words[-3:-1] == ["runner", "load-task"]
        assert [word for word in words if "canary" in word] == []
        assert list(loading.work.iterdir()) != []
        process.terminate()
        ended = end_of(process)
    finally:
        holder.close()
    assert ended.status == 143, ended.output + ended.errors
    wait_for_quiet(mariadb)
    assert mariadb.query(ROWS, database) == LOADED
    assert loading.outcome().error == "Load.Stopped"
    assert_silent(ended, loading)
    assert loading.run().status == 0
    assert mariadb.query(ROWS, database) == [LOADED[0], LOADED[2]]
