"""Query executions through boto3: from StartQueryExecution to pages of rows."""

from __future__ import annotations

import csv
import threading
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.support.athena_wire import ENDLESS, Wire, open_endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with open_endpoint(tmp_path_factory.mktemp("wire")) as made:
        made.run(
            "CREATE TABLE flights WITH (external_location = 's3://lake/flights/') AS "
            "SELECT * FROM (VALUES (1, 'UA', 1.5), (2, 'AA', NULL)) AS t (n, carrier, delay)"
        )
        yield made


def refusal(error: ClientError) -> tuple[str, str, str]:
    told: dict[str, Any] = dict(error.response)
    found = told["Error"]
    return found["Code"], told.get("AthenaErrorCode", ""), found["Message"]


def test_a_select_from_start_to_rows(wire: Wire) -> None:
    sql = '/* {"app": "dbt\'s"} */ SELECT n, carrier, delay FROM flights ORDER BY n'
    identity = wire.start(
        sql,
        QueryExecutionContext={"Database": "default", "Catalog": "AwsDataCatalog"},
        ResultConfiguration={"OutputLocation": "s3://mine/here"},
    )
    assert str(uuid.UUID(identity, version=4)) == identity
    found = wire.wait(identity)
    assert found["Query"] == sql
    assert (found["StatementType"], found["SubstatementType"]) == ("DML", "SELECT")
    assert found["QueryExecutionContext"] == {"Database": "default", "Catalog": "awsdatacatalog"}
    assert found["ResultConfiguration"] == {"OutputLocation": f"s3://mine/here/{identity}.csv"}
    assert found["WorkGroup"] == "primary"
    assert found["EngineVersion"]["EffectiveEngineVersion"] == "Athena engine version 3"
    assert "StateChangeReason" not in found["Status"]
    assert found["Status"]["SubmissionDateTime"] <= found["Status"]["CompletionDateTime"]
    statistics = found["Statistics"]
    assert statistics["DataScannedInBytes"] > 0
    assert statistics["EngineExecutionTimeInMillis"] > 0
    assert statistics["QueryQueueTimeInMillis"] > 0
    assert statistics["TotalExecutionTimeInMillis"] > 1
    assert statistics["ResultReuseInformation"] == {"ReusedPreviousResult": False}
    assert "DataManifestLocation" not in statistics
    assert wire.rows(identity) == [
        ["n", "carrier", "delay"],
        ["1", "UA", "1.5"],
        ["2", "AA", None],
    ]
    assert wire.read(f"s3://mine/here/{identity}.csv") == (
        '"n","carrier","delay"\n"1","UA","1.5"\n"2","AA",\n'
    )
    assert wire.s3.path_of(f"s3://mine/here/{identity}.csv.metadata").is_file()


def test_the_first_poll_waits_for_the_end(wire: Wire) -> None:
    for _ in range(3):
        identity = wire.start("SELECT count(*) FROM flights")
        found = wire.athena.get_query_execution(QueryExecutionId=identity)["QueryExecution"]
        assert found["Status"]["State"] == "SUCCEEDED"


class Counted(threading.Event):
    """An event that counts who waits for it."""

    waits = 0

    def wait(self, timeout: float | None = None) -> bool:
        self.waits += 1
        return super().wait(timeout)


def test_only_the_first_poll_waits(wire: Wire) -> None:
    identity = wire.start(ENDLESS)
    progress = wire.local.running(identity)
    assert progress is not None
    ended = progress.ended = Counted()
    waits = []
    for _ in range(3):
        found = wire.athena.get_query_execution(QueryExecutionId=identity)["QueryExecution"]
        assert found["Status"]["State"] in {"QUEUED", "RUNNING"}
        waits.append(ended.waits)
    wire.athena.stop_query_execution(QueryExecutionId=identity)
    assert wire.wait(identity)["Status"]["State"] == "CANCELLED"
    assert waits == [1, 1, 1]


def test_a_stopped_query_is_cancelled_and_has_no_results(wire: Wire) -> None:
    identity = wire.start(ENDLESS)
    wire.athena.get_query_execution(QueryExecutionId=identity)
    with pytest.raises(ClientError) as early:
        wire.athena.get_query_results(QueryExecutionId=identity)
    code, detail, message = refusal(early.value)
    assert (code, detail) == ("InvalidRequestException", "INVALID_QUERY_EXECUTION_STATE")
    assert message.startswith("Query has not yet finished. Current state: ")
    for _ in range(2):
        wire.athena.stop_query_execution(QueryExecutionId=identity)
    status = wire.wait(identity)["Status"]
    assert (status["State"], status["StateChangeReason"]) == (
        "CANCELLED",
        "Query cancelled by user",
    )
    assert "AthenaError" not in status
    wire.athena.stop_query_execution(QueryExecutionId=identity)
    with pytest.raises(ClientError, match="Could not find results"):
        wire.athena.get_query_results(QueryExecutionId=identity)


def test_a_query_that_is_still_translated_is_cancelled_at_once(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    going_on = threading.Event()

    def slow(_: str) -> None:
        going_on.wait(60)

    monkeypatch.setattr("runner.local.athena.translate.check_functions", slow)
    identity = wire.start("SELECT 1 AS one_that_no_other_test_asks")
    progress = wire.local.running(identity)
    assert progress is not None
    wire.athena.stop_query_execution(QueryExecutionId=identity)
    status = wire.wait(identity)["Status"]
    going_on.set()
    assert (status["State"], status["StateChangeReason"]) == (
        "CANCELLED",
        "Query cancelled by user",
    )
    progress.ended.wait(60)
    assert wire.wait(identity)["Status"]["State"] == "CANCELLED"


def test_a_held_poll_and_a_running_query_let_others_through(wire: Wire) -> None:
    slow = wire.start(ENDLESS)
    held = threading.Thread(
        target=wire.athena.get_query_execution, kwargs={"QueryExecutionId": slow}
    )
    held.start()
    found = wire.run("SELECT 1")
    held.join()
    assert wire.rows(found["QueryExecutionId"]) == [["_col0"], ["1"]]
    wire.athena.stop_query_execution(QueryExecutionId=slow)
    assert wire.wait(slow)["Status"]["State"] == "CANCELLED"


def test_queries_beyond_those_that_run_are_queued(wire: Wire) -> None:
    identities = [wire.start(ENDLESS) for _ in range(22)]
    found = wire.athena.batch_get_query_execution(QueryExecutionIds=identities)
    states = [each["Status"]["State"] for each in found["QueryExecutions"]]
    assert states.count("QUEUED") >= 2
    for identity in reversed(identities):
        wire.athena.stop_query_execution(QueryExecutionId=identity)
    assert {wire.wait(identity)["Status"]["State"] for identity in identities} == {"CANCELLED"}


def test_many_threads_each_get_their_own_rows(wire: Wire) -> None:
    found: dict[int, list[list[str | None]]] = {}

    def work(number: int) -> None:
        execution = wire.run(f"SELECT {number} AS n")
        found[number] = wire.rows(execution["QueryExecutionId"])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: [["n"], [str(number)]] for number in range(8)}


def test_a_failure_says_what_and_why(wire: Wire) -> None:
    identity = wire.start("-- c\nINSERT INTO nowhere SELECT 1")
    found = wire.wait(identity)
    assert (found["StatementType"], found["SubstatementType"]) == ("DML", "INSERT")
    assert found["Status"]["State"] == "FAILED"
    reason = found["Status"]["StateChangeReason"]
    assert "TABLE_NOT_FOUND" in reason
    error = found["Status"]["AthenaError"]
    assert error["ErrorMessage"] == reason
    assert (error["ErrorCategory"], error["Retryable"]) == (2, False)
    with pytest.raises(ClientError) as refused:
        wire.athena.get_query_results(QueryExecutionId=identity)
    assert refusal(refused.value) == (
        "InvalidRequestException",
        "INVALID_QUERY_EXECUTION_STATE",
        "Query did not finish successfully. Final query state: FAILED",
    )


def test_one_token_is_one_execution(wire: Wire) -> None:
    first = wire.start("SELECT 5", ClientRequestToken=TOKEN)
    assert wire.start("SELECT 5", ClientRequestToken=TOKEN) == first
    with pytest.raises(ClientError) as refused:
        wire.start("SELECT 6", ClientRequestToken=TOKEN)
    assert refusal(refused.value) == (
        "InvalidRequestException",
        "IDEMPOTENT_PARAMETER_MISMATCH",
        "Idempotent parameters do not match",
    )


def test_parameters_take_the_place_of_question_marks(wire: Wire) -> None:
    found = wire.run(
        "SELECT carrier FROM flights WHERE n = ? AND carrier = ?",
        ExecutionParameters=["1", "'UA'"],
    )
    assert found["ExecutionParameters"] == ["1", "'UA'"]
    assert wire.rows(found["QueryExecutionId"]) == [["carrier"], ["UA"]]


def test_a_database_may_come_in_backticks_and_capitals(wire: Wire) -> None:
    found = wire.run("DESCRIBE flights", QueryExecutionContext={"Database": "`DEFAULT`"})
    assert (found["StatementType"], found["SubstatementType"]) == ("UTILITY", "DESCRIBE_TABLE")
    assert found["ResultConfiguration"]["OutputLocation"].endswith(".txt")


def test_writes_count_rows_and_leave_a_manifest(wire: Wire) -> None:
    made = wire.run(
        "CREATE TABLE copy WITH (external_location = 's3://lake/copy/') AS SELECT * FROM flights"
    )
    identity = made["QueryExecutionId"]
    assert (made["StatementType"], made["SubstatementType"]) == ("DDL", "CREATE_TABLE_AS_SELECT")
    assert made["ResultConfiguration"]["OutputLocation"] == f"s3://results/tables/{identity}"
    added = wire.run("INSERT INTO copy SELECT * FROM flights WHERE n = 1")
    other = added["QueryExecutionId"]
    assert added["ResultConfiguration"]["OutputLocation"] == f"s3://results/{other}"
    for execution, rows in ((made, 2), (added, 1)):
        page = wire.athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])
        assert page["UpdateCount"] == rows
        assert page["ResultSet"]["Rows"] == []
        (column,) = page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
        assert (column["Name"], column["Type"], column["Precision"]) == ("rows", "bigint", 19)
        place = execution["Statistics"]["DataManifestLocation"]
        assert place == execution["ResultConfiguration"]["OutputLocation"] + "-manifest.csv"
        files = wire.read(place).splitlines()
        assert all(wire.s3.path_of(file).is_file() for file in files)
        assert len(files) == 1


def test_ddl_has_no_columns_and_utilities_no_header(wire: Wire) -> None:
    found = wire.run("CREATE DATABASE IF NOT EXISTS other")
    page = wire.athena.get_query_results(QueryExecutionId=found["QueryExecutionId"])
    assert page["ResultSet"]["Rows"] == []
    assert page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"] == []
    assert "UpdateCount" not in page
    found = wire.run("SHOW TABLES IN default 'flights'")
    assert wire.rows(found["QueryExecutionId"]) == [["flights"]]
    page = wire.athena.get_query_results(QueryExecutionId=found["QueryExecutionId"])
    (column,) = page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
    assert (column["Name"], column["Type"], column["Precision"]) == ("tab_name", "string", 0)


def test_texts_of_several_lines_are_rows(wire: Wire) -> None:
    wire.run("CREATE VIEW lined AS SELECT 1 AS one,\n  2 AS two")
    found = wire.run("SHOW CREATE VIEW lined")
    assert wire.rows(found["QueryExecutionId"]) == [
        ["CREATE VIEW default.lined AS"],
        ["SELECT"],
        ["  1 one"],
        [", 2 two"],
    ]
    plan = wire.rows(wire.run("EXPLAIN SELECT 1")["QueryExecutionId"])
    assert plan[0] == ["Query Plan"]
    assert len(plan) > 2
    assert not any("\n" in str(line) for (line,) in plan)


def test_types_and_cells_are_athenas(wire: Wire) -> None:
    wanted = [
        ("true", "boolean", 0, "true"),
        ("CAST(1 AS tinyint)", "tinyint", 3, "1"),
        ("CAST(1 AS smallint)", "smallint", 5, "1"),
        ("1", "integer", 10, "1"),
        ("BIGINT '1'", "bigint", 19, "1"),
        ("REAL '1.2345'", "float", 17, "1.2345"),
        ("0.5e0", "double", 17, "0.5"),
        ("1e10", "double", 17, "1.0E10"),
        ("'a'||'b'", "varchar", 2147483647, "ab"),
        ("TIMESTAMP '2017-01-01 00:00:00'", "timestamp", 3, "2017-01-01 00:00:00.000"),
        (
            "TIMESTAMP '2017-01-01 00:00:00 UTC'",
            "timestamp with time zone",
            3,
            "2017-01-01 00:00:00.000 UTC",
        ),
        ("TIME '01:02:03'", "time", 3, "01:02:03"),
        ("DATE '2017-01-02'", "date", 0, "2017-01-02"),
        ("to_utf8('123')", "varbinary", 1073741824, "31 32 33"),
        ("ARRAY[1, 2]", "array", 0, "[1, 2]"),
        ("MAP(ARRAY[1, 3], ARRAY[2, 4])", "map", 0, "{1=2, 3=4}"),
        ("CAST(ROW(1, 2) AS row(a int, b int))", "row", 0, "{a=1, b=2}"),
        ("CAST(0.1 AS decimal(10, 2))", "decimal", 10, "0.10"),
        ("CAST(1e-11 AS decimal(20, 11))", "decimal", 20, "0.00000000001"),
        ("JSON '[1, {\"a\": 2}]'", "json", 0, '[1,{"a":2}]'),
        ("NULL", "unknown", 0, None),
    ]
    columns = ", ".join(f"{sql} AS c{number}" for number, (sql, *_) in enumerate(wanted))
    identity = wire.run(f"SELECT {columns}")["QueryExecutionId"]
    page = wire.athena.get_query_results(QueryExecutionId=identity)
    told = page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
    found = [
        (sql, column["Type"], column["Precision"], cell.get("VarCharValue"))
        for (sql, *_), column, cell in zip(
            wanted, told, page["ResultSet"]["Rows"][1]["Data"], strict=True
        )
    ]
    assert found == wanted
    assert all(column["CatalogName"] == "hive" for column in told)
    assert all(column["Nullable"] == "UNKNOWN" for column in told)


def test_declared_lengths_stay(wire: Wire) -> None:
    wire.run(
        "CREATE EXTERNAL TABLE lengths (v varchar(10), c char(5), s string) "
        "ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://lake/lengths/'"
    )
    sql = "SELECT *, CAST(s AS varchar(3)) AS x, v || 'a' AS y FROM lengths"
    for _ in range(2):  # translated, and from the cache
        page = wire.athena.get_query_results(QueryExecutionId=wire.run(sql)["QueryExecutionId"])
        told = page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
        assert [(each["Type"], each["Precision"]) for each in told] == [
            ("varchar", 10),
            ("char", 5),
            ("varchar", 2147483647),
            ("varchar", 3),
            ("varchar", 2147483647),
        ]


def test_pages_count_the_header(wire: Wire) -> None:
    sql = "SELECT x FROM UNNEST(sequence(1, 5)) AS t(x) ORDER BY x"
    identity = wire.run(sql)["QueryExecutionId"]
    sizes, token, values = [], None, []
    while True:
        more: Any = {"NextToken": token} if token else {}
        page = wire.athena.get_query_results(QueryExecutionId=identity, MaxResults=3, **more)
        rows = page["ResultSet"]["Rows"]
        sizes.append(len(rows))
        values += [row["Data"][0]["VarCharValue"] for row in rows]
        token = page.get("NextToken")
        if token is None:
            break
    assert sizes == [3, 3, 0]  # a full page has a token, as Athena's has
    assert values == ["x", "1", "2", "3", "4", "5"]


def test_a_large_result_is_paged_from_its_file(wire: Wire) -> None:
    sql = (
        "SELECT x, IF(x % 3 = 0, NULL, 'l\"i\n' || CAST(x AS varchar)) AS s, '' AS e "
        "FROM UNNEST(sequence(1, 4500)) AS t(x) ORDER BY x"
    )
    found = wire.run(sql)
    pages = wire.athena.get_paginator("get_query_results").paginate(
        QueryExecutionId=found["QueryExecutionId"]
    )
    rows = [
        tuple(cell.get("VarCharValue") for cell in row["Data"])
        for page in pages
        for row in page["ResultSet"]["Rows"]
    ]
    expected: list[tuple[str | None, ...]] = [("x", "s", "e")]
    expected += [(str(n), None if n % 3 == 0 else f'l"i\n{n}', "") for n in range(1, 4501)]
    assert rows == expected
    url = found["ResultConfiguration"]["OutputLocation"]
    with wire.s3.path_of(url).open(newline="") as file:
        assert sum(1 for _ in csv.reader(file)) == 4501
    wire.s3.path_of(url).unlink()
    with pytest.raises(ClientError, match="Could not find results"):
        wire.athena.get_query_results(QueryExecutionId=found["QueryExecutionId"])


@pytest.mark.parametrize(
    ("operation", "members", "code", "message"),
    [
        (
            "get_query_execution",
            {"QueryExecutionId": "nope"},
            "QUERY_EXECUTION_NOT_FOUND",
            "QueryExecution nope was not found",
        ),
        (
            "get_query_execution",
            {},
            "INVALID_INPUT",
            (
                "1 validation error detected: Value at 'queryExecutionId' failed to satisfy "
                "constraint: Member must not be null"
            ),
        ),
        (
            "get_query_results",
            {"QueryExecutionId": "nope", "MaxResults": 0},
            "INVALID_INPUT",
            (
                "1 validation error detected: Value at 'maxResults' failed to satisfy constraint: "
                "Member must have value greater than or equal to 1"
            ),
        ),
        (
            "list_query_executions",
            {"MaxResults": 51},
            "INVALID_INPUT",
            (
                "1 validation error detected: Value at 'maxResults' failed to satisfy constraint: "
                "Member must have value less than or equal to 50"
            ),
        ),
        (
            "start_query_execution",
            {"QueryString": "SELECT 1", "WorkGroup": "none"},
            "INVALID_INPUT",
            "WorkGroup is not found.",
        ),
        (
            "start_query_execution",
            {"QueryString": "SELECT 1", "ResultConfiguration": {"OutputLocation": "b/x"}},
            "INVALID_INPUT",
            "outputLocation is not a valid S3 path.",
        ),
        (
            "start_query_execution",
            {"QueryString": "CREATE TABLE x WITH (format = 'ORC') AS\nDESC t"},
            "MALFORMED_QUERY",
            (
                "line 2:1: extraneous input 'DESC' "
                "expecting {'(', 'SELECT', 'TABLE', 'VALUES', 'WITH'}"
            ),
        ),
        (
            "start_query_execution",
            {"QueryString": "; SELECT 1"},
            "MALFORMED_QUERY",
            "line 1:1: mismatched input ';'",
        ),
        (
            "start_query_execution",
            {"QueryString": "SELECT 1", "ExecutionParameters": []},
            "INVALID_INPUT",
            (
                "1 validation error detected: Value at 'executionParameters' failed to satisfy "
                "constraint: Member must have length greater than or equal to 1"
            ),
        ),
    ],
)
def test_requests_that_are_refused(
    wire: Wire, operation: str, members: dict[str, Any], code: str, message: str
) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(wire.athena, operation)(**members)
    assert refusal(refused.value) == ("InvalidRequestException", code, message)


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT FROM WHERE", "line 1:"),
        ("SELECT 1 +\n  FROM t GROUP", "line 2:"),
        ("SELECT 1; SELECT 2", "Only one sql statement is allowed"),
        ("SELECT (1", "line 1:"),
    ],
)
def test_a_query_that_does_not_parse_is_not_submitted(wire: Wire, sql: str, message: str) -> None:
    for _ in range(2):
        with pytest.raises(ClientError) as refused:
            wire.start(sql)
        code, detail, told = refusal(refused.value)
        assert (code, detail) == ("InvalidRequestException", "MALFORMED_QUERY")
        assert message in told


def test_a_query_that_means_nothing_is_submitted_and_fails(wire: Wire) -> None:
    for sql, reason in (
        ("SELECT nope FROM flights", "COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be"),
        ("SELECT nope(1)", "FUNCTION_NOT_FOUND"),
        (
            "SELECT * FROM flights MATCH_RECOGNIZE (PATTERN (a) DEFINE a AS true)",
            "NOT_SUPPORTED",
        ),
    ):
        status = wire.wait(wire.start(f"{sql};"))["Status"]
        assert status["State"] == "FAILED"
        assert reason in status["StateChangeReason"]


def test_more_rows_than_a_page_may_have_are_refused(wire: Wire) -> None:
    identity = wire.run("SELECT 1")["QueryExecutionId"]
    with pytest.raises(ClientError, match="MaxResults is more than maximum allowed length 1000"):
        wire.athena.get_query_results(QueryExecutionId=identity, MaxResults=1001)
    with pytest.raises(ClientError, match="Malformed nextPageToken abc"):
        wire.athena.get_query_results(QueryExecutionId=identity, NextToken="abc")


def test_a_member_of_another_type_is_refused(wire: Wire) -> None:
    with pytest.raises(ClientError) as refused:
        wire.athena.start_query_execution(QueryString=5)  # type: ignore[arg-type] # on purpose
    assert refused.value.response["Error"]["Code"] == "SerializationException"


def test_what_is_not_served_is_refused_by_its_name(wire: Wire) -> None:
    with pytest.raises(ClientError, match=r"AmazonAthena\.StartSession is not served here"):
        wire.athena.start_session(WorkGroup="primary", EngineConfiguration={})


def test_history_is_by_work_group_and_newest_first(wire: Wire) -> None:
    wire.athena.create_work_group(Name="history")
    for_it = {
        "WorkGroup": "history",
        "ResultConfiguration": {"OutputLocation": "s3://results/h/"},
    }
    identities = [wire.start(f"SELECT {number}", **for_it) for number in range(5)]
    assert (
        wire.athena.list_query_executions(WorkGroup="history")["QueryExecutionIds"]
        == (identities[::-1])
    )
    pages = wire.athena.get_paginator("list_query_executions").paginate(
        WorkGroup="history", PaginationConfig={"PageSize": 2}
    )
    listed = [page["QueryExecutionIds"] for page in pages]
    assert listed == [identities[4:2:-1], identities[2:0:-1], identities[:1]]
    found = wire.athena.batch_get_query_execution(QueryExecutionIds=[*identities, "nope"])
    assert [each["QueryExecutionId"] for each in found["QueryExecutions"]] == identities
    assert found["UnprocessedQueryExecutionIds"] == [
        {
            "QueryExecutionId": "nope",
            "ErrorCode": "QUERY_EXECUTION_NOT_FOUND",
            "ErrorMessage": "QueryExecution nope was not found",
        }
    ]


def test_an_earlier_result_is_given_again(wire: Wire) -> None:
    reuse: dict[str, Any] = {
        "ResultReuseConfiguration": {
            "ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 60}
        }
    }
    sql = "SELECT count(*) AS reused FROM default.flights"
    first = wire.run(sql, **reuse)
    assert first["Statistics"]["ResultReuseInformation"] == {"ReusedPreviousResult": False}
    assert first["ResultReuseConfiguration"] == reuse["ResultReuseConfiguration"]
    again = wire.run(sql, **reuse)
    assert again["QueryExecutionId"] != first["QueryExecutionId"]
    assert again["Statistics"]["ResultReuseInformation"] == {"ReusedPreviousResult": True}
    assert again["ResultConfiguration"] == first["ResultConfiguration"]
    assert wire.rows(again["QueryExecutionId"]) == [["reused"], ["2"]]
    other = wire.run(sql, QueryExecutionContext={"Database": "x"}, **reuse)
    assert other["Statistics"]["ResultReuseInformation"] == {"ReusedPreviousResult": False}


def test_runtime_statistics_are_those_of_the_query(wire: Wire) -> None:
    found = wire.run("SELECT * FROM flights")
    told = wire.athena.get_query_runtime_statistics(QueryExecutionId=found["QueryExecutionId"])
    statistics = told["QueryRuntimeStatistics"]
    scanned = found["Statistics"]["DataScannedInBytes"]
    assert statistics["Rows"]["InputBytes"] == scanned
    assert statistics["Rows"]["OutputRows"] == 2
    assert (
        statistics["Timeline"]["TotalExecutionTimeInMillis"]
        == (found["Statistics"]["TotalExecutionTimeInMillis"])
    )
