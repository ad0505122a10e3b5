"""Embulk inside the container: a real one, its configuration in memory, the same outcome."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.image.conftest import DAY, Container, Lake, end_of, make_embulk
from tests.image.test_container import (
    LOADED,
    ROWS,
    assert_silent,
    wait_for_lock,
    wait_for_quiet,
)
from tests.support.mariadb import PASSWORD, MariaDb

pytestmark = pytest.mark.mariadb

RESULT = f"""\
"carrier","flights","dt"
"AA","94","{DAY}"
"UA","165","{DAY}"
"B6","7","{DAY}"
"""


@pytest.fixture
def embulk(loading: Container, lake: Lake, memory: Path) -> Container:
    return make_embulk(loading, lake, memory)


def test_embulk_loads_the_files(
    embulk: Container, mariadb: MariaDb, database: str, memory: Path
) -> None:
    ended = embulk.run()
    assert ended.status == 0, ended.output + ended.errors
    assert mariadb.query(ROWS, database) == LOADED
    outcome = embulk.outcome()
    assert (outcome.status, outcome.engine, outcome.rows) == ("loaded", "embulk", 3)
    assert {"downloaded", "written", "embulk", "loaded", "ended"} <= {
        event["event"] for event in ended.events
    }
    assert_silent(ended, embulk)
    assert list(memory.iterdir()) == []
    again = embulk.run()
    assert (again.status, embulk.outcome().status) == (0, "skipped")


def test_embulk_reads_athenas_result_from_s3(
    embulk: Container, mariadb: MariaDb, database: str
) -> None:
    result = embulk.s3 / "results" / "q1.csv"
    result.parent.mkdir(parents=True)
    result.write_text(RESULT)
    (result.parent / "q1.csv.metadata").write_bytes(b"\0binary")
    ended = embulk.run(RUNNER_LOAD_ROWS="s3://results/q1.csv")
    assert ended.status == 0, ended.output + ended.errors
    assert mariadb.query(ROWS, database) == LOADED
    assert "written" not in {event["event"] for event in ended.events}
    assert_silent(ended, embulk)


def test_a_stop_ends_embulk_too(
    embulk: Container, mariadb: MariaDb, database: str, lake: Lake, memory: Path
) -> None:
    assert embulk.run().status == 0
    lake.files.pop()
    lake.manifest(engine="embulk", publish_id="p2", rows=2)
    holder = mariadb.connect(database)
    try:
        holder.query("LOCK TABLES carrier_day READ")
        process = embulk.start()
        wait_for_lock(mariadb, process)
        (java,) = children(process.pid)
        for place in ("cmdline", "environ"):
            assert PASSWORD.encode() not in Path(f"/proc/{java}/{place}").read_bytes()
        (folder,) = memory.iterdir()
        (job,) = folder.glob("*.yml")
        assert (folder.stat().st_mode & 0o777, job.stat().st_mode & 0o777) == (0o700, 0o600)
        process.terminate()
        ended = end_of(process)
    finally:
        holder.close()
    assert ended.status == 143, ended.output + ended.errors
    assert not Path(f"/proc/{java}").exists()
    wait_for_quiet(mariadb)
    assert mariadb.query(ROWS, database) == LOADED
    assert list(memory.iterdir()) == []
    assert_silent(ended, embulk)


def children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()


def test_the_native_image_says_that_it_has_no_embulk(container: Container, lake: Lake) -> None:
    lake.manifest(engine="embulk")
    ended = container.run()
    assert ended.status == 78
    assert "this image has none" in container.outcome().cause
