"""Executions: tokens, results, refusals, stopping, and processes that die."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from runner.local.athena import AthenaFailure, LocalAthena
from runner.local.glue import GlueCatalog
from runner.local.s3 import FolderS3
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.local_athena.conftest import World

TOKEN = "t" * 32


def test_one_token_is_one_execution(world: World) -> None:
    world.run("CREATE TABLE t WITH (external_location='s3://b/t/') AS SELECT 1 AS n")
    first = world.run("INSERT INTO t VALUES 2", ClientRequestToken=TOKEN)
    again = world.run("INSERT INTO t VALUES 2", ClientRequestToken=TOKEN)
    assert again["QueryExecutionId"] == first["QueryExecutionId"]
    assert world.rows("SELECT count(*) FROM t") == [(2,)]
    with pytest.raises(ServiceError, match="Idempotent parameters do not match") as refused:
        world.run("INSERT INTO t VALUES 3", ClientRequestToken=TOKEN)
    assert refused.value.error == "Athena.InvalidRequestException"


def test_a_token_remembers_failure(world: World) -> None:
    for _ in range(2):
        with pytest.raises(ServiceError) as failed:
            world.run("SELECT * FROM t", ClientRequestToken=TOKEN)
        assert failed.value.error == "States.TaskFailed"
    world.run("CREATE TABLE t WITH (external_location='s3://b/t/') AS SELECT 1 AS n")
    with pytest.raises(ServiceError):
        world.run("SELECT * FROM t", ClientRequestToken=TOKEN)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"QueryString": ""}, "QueryString is required"),
        (
            {"QueryString": "SELECT '" + "é" * 131_072 + "'"},
            "Member must have length less than or equal to 262144",
        ),
        ({"QueryString": "SELECT 1", "ClientRequestToken": "short"}, "between 32 and 128"),
        (
            {"QueryString": "SELECT 1", "ResultConfiguration": {"OutputLocation": "b/x"}},
            "outputLocation is not a valid S3 path",
        ),
    ],
)
def test_submissions_that_are_refused(
    world: World, arguments: dict[str, object], part: str
) -> None:
    with pytest.raises(ServiceError, match=part) as refused:
        world.athena.service("startQueryExecution.sync", arguments)
    assert refused.value.error == "Athena.InvalidRequestException"


def test_a_failure_carries_the_execution(world: World) -> None:
    with pytest.raises(ServiceError) as failed:
        world.run("SELECT x\nFROM nope.t")
    status = json.loads(failed.value.cause)["Status"]
    assert status["State"] == "FAILED"
    assert status["AthenaError"] == {
        "ErrorCategory": 2,
        "ErrorType": 1110,
        "Retryable": False,
        "ErrorMessage": "TABLE_NOT_FOUND: line 2:6: Table 'awsdatacatalog.nope.t' does not exist",
    }


def test_results_are_written_as_athena_writes_them(world: World) -> None:
    execution = world.run(
        "SELECT 1 AS a, 'say \"hi\"' AS b, CAST(NULL AS varchar) AS c, 1.5e0, true, "
        "DATE '2013-01-05', TIMESTAMP '2013-01-05 01:02:03', ARRAY[1, 2], DECIMAL '1.50'",
        ResultConfiguration={"OutputLocation": "s3://b/out"},
    )
    url = execution["ResultConfiguration"]["OutputLocation"]
    assert url == f"s3://b/out/{execution['QueryExecutionId']}.csv"
    assert world.s3.path_of(url).read_text() == (
        '"a","b","c","_col3","_col4","_col5","_col6","_col7","_col8"\n'
        '"1","say ""hi""",,"1.5","true","2013-01-05","2013-01-05 01:02:03.000","[1, 2]","1.50"\n'
    )
    results = world.athena.service(
        "getQueryResults", {"QueryExecutionId": execution["QueryExecutionId"]}
    )
    rows = results["ResultSet"]["Rows"]
    assert rows[0]["Data"][0] == {"VarCharValue": "a"}
    assert rows[1]["Data"][:3] == [{"VarCharValue": "1"}, {"VarCharValue": 'say "hi"'}, {}]
    kinds = [c["Type"] for c in results["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]]
    assert kinds == [
        "integer",
        "varchar",
        "varchar",
        "double",
        "boolean",
        "date",
        "timestamp",
        "array",
        "decimal",
    ]


def test_results_are_paged(world: World) -> None:
    execution = world.run("SELECT x FROM UNNEST(sequence(1, 5)) AS t(x) ORDER BY x")
    key = {"QueryExecutionId": execution["QueryExecutionId"]}
    first = world.athena.get_query_results(**key, MaxResults=4)
    rest = world.athena.get_query_results(**key, MaxResults=4, NextToken=first["NextToken"])
    rows = [*first["ResultSet"]["Rows"], *rest["ResultSet"]["Rows"]]
    assert [row["Data"][0]["VarCharValue"] for row in rows] == ["x", "1", "2", "3", "4", "5"]
    assert "NextToken" not in rest


def test_starting_does_not_wait(world: World) -> None:
    identity = world.athena.service("startQueryExecution", {"QueryString": "SELECT 1"})
    world.athena.close()
    reopened = LocalAthena(world.s3, world.catalog, world.root / "athena.sqlite", results="s3://r/")
    found = reopened.service("getQueryExecution", identity)["QueryExecution"]
    assert found["Status"]["State"] == "SUCCEEDED"
    reopened.close()
    world.athena = LocalAthena(world.s3, world.catalog, world.root / "athena.sqlite")


def test_a_running_query_can_be_stopped(world: World) -> None:
    started = threading.Event()
    sql = "SELECT count(*) FROM UNNEST(sequence(1, 3000)) a(x), UNNEST(sequence(1, 3000)) b(y), "
    sql += "UNNEST(sequence(1, 3000)) c(z) WHERE (x * y * z) % 7 = 3"
    identity = world.athena.start_query_execution(QueryString=sql)["QueryExecutionId"]
    started.wait(0.3)
    world.athena.service("stopQueryExecution", {"QueryExecutionId": identity})
    world.athena.close()
    reopened = LocalAthena(world.s3, world.catalog, world.root / "athena.sqlite")
    status = reopened.get_query_execution(QueryExecutionId=identity)["QueryExecution"]["Status"]
    assert status["State"] == "CANCELLED"
    reopened.close()
    world.athena = LocalAthena(world.s3, world.catalog, world.root / "athena.sqlite")


DYING = """
import os, sys
from pathlib import Path
from runner.local.athena import LocalAthena
from runner.local.glue import GlueCatalog
from runner.local.s3 import FolderS3

root = Path(sys.argv[1])

def die(number: int) -> None:
    if number == 1:
        os.kill(os.getpid(), 9)

athena = LocalAthena(
    FolderS3(root / "s3"), GlueCatalog(root / "catalog.sqlite"), root / "athena.sqlite",
    results="s3://results/", before_file=die,
)
athena.run_query_execution(QueryString=sys.argv[2], ClientRequestToken="t" * 32)
"""


def test_a_query_of_a_killed_process_has_failed_and_left_its_files(world: World) -> None:
    world.run(
        "CREATE TABLE db.t WITH (external_location='s3://b/t/', partitioned_by=ARRAY['k']) AS "
        "SELECT 1 AS n, 'x' AS k WITH NO DATA"
    )
    sql = "INSERT INTO db.t VALUES (1, 'a'), (2, 'b')"
    dead = subprocess.run(
        [sys.executable, "-c", DYING, str(world.root), sql], check=False, capture_output=True
    )
    assert dead.returncode == -9
    assert [key.split("/")[1] for key in world.keys("t/")] == ["k=a"]
    arguments = {"QueryString": sql, "ClientRequestToken": TOKEN}
    with pytest.raises(ServiceError, match="the process that ran the query is gone"):
        world.athena.service("startQueryExecution.sync", arguments)


def test_a_preview_records_nothing_and_stops_at_its_limit(world: World) -> None:
    found = world.athena.query("SELECT x AS n FROM UNNEST(sequence(1, 9)) AS t(x)", most=3)
    assert found.columns == (("n", "bigint"),)
    assert len(found.rows) == 3
    assert world.s3.list_objects_v2(Bucket="results")["KeyCount"] == 0
    with pytest.raises(AthenaFailure, match="SYNTAX_ERROR"):
        world.athena.query("SELECT FROM WHERE")


class SlowCatalog(GlueCatalog):
    """A catalogue that tells of no table until it is let."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.asked, self.let = threading.Event(), threading.Event()

    def get_table(self, **given: Any) -> dict[str, Any]:  # noqa: ANN401
        self.asked.set()
        self.let.wait(10)
        return super().get_table(**given)


def test_a_stopped_query_is_cancelled_though_its_planning_goes_on(tmp_path: Path) -> None:
    catalog = SlowCatalog(tmp_path / "catalog.sqlite")

    def opened() -> LocalAthena:
        s3 = FolderS3(tmp_path / "s3")
        return LocalAthena(s3, catalog, tmp_path / "athena.sqlite", results="s3://results/")

    def state(athena: LocalAthena) -> tuple[str, str]:
        found = athena.get_query_execution(QueryExecutionId=identity)["QueryExecution"]["Status"]
        return found["State"], found["StateChangeReason"]

    busy = opened()
    identity = busy.start_query_execution(QueryString="SELECT * FROM t")["QueryExecutionId"]
    assert catalog.asked.wait(10)
    busy.stop_query_execution(QueryExecutionId=identity)
    busy.wait(identity, 10)
    assert not catalog.let.is_set()
    assert state(busy) == ("CANCELLED", "Query cancelled by user")
    catalog.let.set()
    busy.close()
    again = opened()
    assert state(again) == ("CANCELLED", "Query cancelled by user")
    again.close()
    catalog.close()


def test_the_metadata_of_a_result_is_a_protocol_buffer(world: World) -> None:
    url = world.run("SELECT 1 AS n")["ResultConfiguration"]["OutputLocation"]
    column = b"\x0a\x04hive\x22\x01n\x2a\x01n\x32\x07integer\x38\x0a\x40\x00\x48\x03\x50\x00"
    assert world.s3.path_of(f"{url}.metadata").read_bytes() == b"\x22\x1d" + column
