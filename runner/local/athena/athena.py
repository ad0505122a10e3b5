"""The local Athena: boto3's methods, Step Functions' service, and a direct query for previews.

In: requests.  Out: executions and results of AWS's shapes.  An execution is recorded before it
runs; its token makes a repeated request the same execution, in any process.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.local.athena.engine import Engine
from runner.local.athena.errors import AthenaFailure, InvalidRequest
from runner.local.athena.history import ENDED, History
from runner.local.athena.partitions import Locator
from runner.local.athena.planner import Planner, evaluate_with
from runner.local.athena.prepared import Prepared, bind
from runner.local.athena.results import MANIFESTED, output_url, pack, page, texts, write_results
from runner.local.athena.service import call
from runner.local.athena.session import Outcome, Session, read_statement
from runner.local.athena.sqltypes import parse_type
from runner.local.athena.statements import run_statement
from runner.local.athena.statements.queries import select_some
from runner.local.athena.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import duckdb

    from runner.local.athena.engine import Handle
    from runner.local.athena.sqltypes import SqlType
    from runner.local.glue import GlueCatalog
    from runner.local.s3 import FolderS3

MOST_BYTES = 262_144
"""Bytes of UTF-8 in a QueryString."""
_TOKEN_LENGTHS = range(32, 129)
_MOST_ROWS = 1000
_POLL_S = 0.02


class QueryResult(NamedTuple):
    """Rows of a query that nothing recorded: columns with Athena types, Python values."""

    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Any, ...], ...]
    bytes_scanned: int


def _never(_: int) -> None:
    """Fail nowhere."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class LocalAthena:
    """Athena on DuckDB, a folder and a SQLite catalogue."""

    def __init__(
        self,
        s3: FolderS3,
        catalog: GlueCatalog,
        state_path: Path,
        *,
        results: str = "",
        cache: Path | None = None,
        threads: int = 2,
        memory: str = "",
        now: Callable[[], datetime] = _utc_now,
        before_file: Callable[[int], None] = _never,
    ) -> None:
        """Take the services, the history's file, and the default output location.

        `cache` is a folder for translated statements; `memory` is what DuckDB may use before it
        writes to disk, as `800MB` (its own choice if empty); `now` is the clock of projections;
        `before_file` is called before each written file appears and may raise to fail there.
        """
        self._s3 = s3
        self._catalog = catalog
        self._results = results
        self._before_file = before_file
        self._history = History(state_path)
        self._engine = Engine(
            threads=threads, spill=state_path.with_suffix(".spill"), memory=memory
        )
        self._locator = Locator(s3, catalog, now, evaluate_with(self._engine))
        self._planner = Planner(self._engine, self._locator, cache)
        self.prepared = Prepared(state_path.with_suffix(".prepared.sqlite"))
        self._running: dict[str, Handle] = {}
        self._stopped: set[str] = set()
        self._threads: list[threading.Thread] = []

    def close(self) -> None:
        """Wait for running executions, then close everything but S3 and the catalogue."""
        for thread in self._threads:
            thread.join()
        self._engine.close()
        self._history.close()
        self.prepared.close()

    def connect(self) -> duckdb.DuckDBPyConnection:
        """Give a cursor of the running DuckDB, for whoever reads files beside Athena."""
        return self._engine.open_cursor()

    def query(self, sql: str, database: str = "default", *, most: int | None = None) -> QueryResult:
        """Run a SELECT without recording it; at most `most` rows; raises AthenaFailure."""
        statement = read_statement(sql)
        with self._session(str(uuid.uuid4()), database, "") as session:
            found = select_some(session, statement, most=most)
        columns = tuple((name, kind.trino()) for name, kind in found.columns)
        return QueryResult(columns, found.rows, found.bytes_scanned)

    def describe(self, sql: str, database: str = "default") -> tuple[tuple[str, SqlType], ...]:
        """Give a query's columns without reading data; raises AthenaFailure."""
        with self._session("", database, "") as session:
            text = read_statement(sql).sql
            plan = self._planner.plan(session.cursor, text, database=database)
        return tuple((name, parse_type(kind)) for name, kind in plan.columns)

    def start_query_execution(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - boto3's
        """Start a statement on a thread; raises InvalidRequest."""
        identity, fresh = self._submit(request)
        if fresh:
            thread = threading.Thread(target=self._execute, args=(identity,), daemon=True)
            self._threads = [each for each in self._threads if each.is_alive()] + [thread]
            thread.start()
        return {"QueryExecutionId": identity}

    def run_query_execution(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - boto3's
        """Run a statement to its end in this thread; gives the QueryExecution."""
        identity, fresh = self._submit(request)
        if fresh:
            self._execute(identity)
        while True:
            execution: dict[str, Any] = self.get_query_execution(QueryExecutionId=identity)[
                "QueryExecution"
            ]
            if execution["Status"]["State"] in ENDED:
                return execution
            time.sleep(_POLL_S)

    def get_query_execution(self, *, QueryExecutionId: str) -> dict[str, Any]:  # noqa: N803
        """Give an execution; raises InvalidRequest."""
        execution = self._history.get(QueryExecutionId)
        if execution is None:
            raise InvalidRequest(f"QueryExecution {QueryExecutionId} was not found")
        return {"QueryExecution": execution}

    def get_query_results(
        self,
        *,
        QueryExecutionId: str,  # noqa: N803
        MaxResults: int = _MOST_ROWS,  # noqa: N803
        NextToken: str = "0",  # noqa: N803
    ) -> dict[str, Any]:
        """Give a page of at most 1,000 rows; raises InvalidRequest unless it succeeded."""
        execution = self.get_query_execution(QueryExecutionId=QueryExecutionId)["QueryExecution"]
        state = execution["Status"]["State"]
        if state != "SUCCEEDED":
            raise InvalidRequest(
                f"Query did not finish successfully. Final query state: {state}"
                if state in ENDED
                else f"Query has not yet finished. Current state: {state}"
            )
        packed = self._history.result(QueryExecutionId) or '{"columns":[],"rows":[],"updated":0}'
        return page(packed, start=int(NextToken), most=min(MaxResults, _MOST_ROWS))

    def stop_query_execution(self, *, QueryExecutionId: str) -> dict[str, Any]:  # noqa: N803
        """Interrupt an execution; stopping one that has ended changes nothing."""
        self.get_query_execution(QueryExecutionId=QueryExecutionId)
        self._stopped.add(QueryExecutionId)
        cursor = self._running.get(QueryExecutionId)
        if cursor is not None:
            cursor.interrupt()
        return {}

    def service(self, action: str, arguments: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
        """Answer Step Functions' `athena` actions; raises ServiceError."""
        return call(self, action, arguments)

    def _submit(self, request: Mapping[str, Any]) -> tuple[str, bool]:
        """Record a request; gives its execution's id, and whether it is new."""
        execution = _new_execution(request, self._results)
        token = str(request.get("ClientRequestToken") or "")
        text = json.dumps({**request, "ClientRequestToken": ""}, sort_keys=True)
        digest = sha256(text.encode()).hexdigest()
        known = self._history.begin(execution, token=token, request=digest)
        if known is None:
            return execution["QueryExecutionId"], True
        identity, before = known
        if before != digest:
            raise InvalidRequest("Idempotent parameters do not match")
        return identity, False

    def _execute(self, identity: str) -> None:
        execution = self._history.get(identity)
        if execution is None:
            return
        began = time.monotonic()
        location = execution["ResultConfiguration"]["OutputLocation"]
        execution["Status"]["State"] = "RUNNING"
        try:
            outcome, rows = self._run(execution, location)
        except AthenaFailure as failure:
            stopped = failure.code == "USER_CANCELED" or identity in self._stopped
            _fail(execution, failure, stopped=stopped)
            execution["ResultConfiguration"]["OutputLocation"] = output_url(
                location, identity, None
            )
            self._end(execution, began)
        except BaseException as error:
            _fail(execution, AthenaFailure("GENERIC_INTERNAL_ERROR", repr(error)), stopped=False)
            self._end(execution, began)
            raise
        else:
            _succeed(execution, outcome)
            self._end(execution, began, result=pack(outcome, rows))

    def _run(
        self, execution: dict[str, Any], location: str
    ) -> tuple[Outcome, list[list[str | None]]]:
        identity = execution["QueryExecutionId"]
        database = execution["QueryExecutionContext"].get("Database", "default").lower()
        statement = read_statement(execution["Query"])
        parameters = tuple(execution.get("ExecutionParameters") or ())
        if parameters and statement.words()[:1] != ("EXECUTE",):
            statement = read_statement(bind(statement.sql, parameters))
        with self._session(identity, database, location) as session:
            session = session._replace(  # noqa: PLW2901 - what the request adds
                work_group=execution["WorkGroup"], parameters=parameters
            )
            outcome = run_statement(session, statement)
        url = output_url(location, identity, outcome)
        execution["ResultConfiguration"]["OutputLocation"] = url
        rows = texts(outcome)
        write_results(self._s3, url, outcome, rows)
        if outcome.files or outcome.substatement in MANIFESTED:
            execution["Statistics"]["DataManifestLocation"] = f"{url}-manifest.csv"
        return outcome, rows

    @contextmanager
    def _session(self, identity: str, database: str, results: str) -> Iterator[Session]:
        with self._engine.cursor() as cursor:
            self._running[identity] = cursor
            try:
                yield Session(
                    engine=self._engine,
                    cursor=cursor,
                    planner=self._planner,
                    locator=self._locator,
                    catalog=self._catalog,
                    s3=self._s3,
                    writer=Writer(self._engine, self._s3, identity, self._before_file),
                    database=database,
                    query_id=identity,
                    results=results,
                    prepared=self.prepared,
                )
            finally:
                self._running.pop(identity, None)

    def _end(self, execution: dict[str, Any], began: float, *, result: str | None = None) -> None:
        spent = max(1, round((time.monotonic() - began) * 1000))
        execution["Status"]["CompletionDateTime"] = _stamp()
        execution["Statistics"] |= {
            "EngineExecutionTimeInMillis": spent,
            "TotalExecutionTimeInMillis": spent,
            "QueryQueueTimeInMillis": 0,
            "ServiceProcessingTimeInMillis": 0,
        }
        self._history.save(execution, result=result)


def _new_execution(request: Mapping[str, Any], results: str) -> dict[str, Any]:
    sql = request.get("QueryString")
    token = request.get("ClientRequestToken")
    if not isinstance(sql, str) or not sql.strip():
        raise InvalidRequest("QueryString is required")
    if len(sql.encode()) > MOST_BYTES:
        raise InvalidRequest(
            f"Query string too long: {len(sql.encode())} bytes; the limit is {MOST_BYTES}"
        )
    if token is not None and len(str(token)) not in _TOKEN_LENGTHS:
        raise InvalidRequest("ClientRequestToken must have between 32 and 128 characters")
    location = (request.get("ResultConfiguration") or {}).get("OutputLocation") or results
    if not location:
        raise InvalidRequest(
            "No output location provided. An output location is required either through the "
            "Workgroup result configuration setting or as an API input."
        )
    if not location.startswith("s3://"):
        raise InvalidRequest("outputLocation is not a valid S3 path.")
    return {
        "QueryExecutionId": str(uuid.uuid4()),
        "Query": sql,
        "StatementType": "DML",
        "ResultConfiguration": {"OutputLocation": location.rstrip("/") + "/"},
        "QueryExecutionContext": dict(request.get("QueryExecutionContext") or {}),
        "Status": {"State": "QUEUED", "SubmissionDateTime": _stamp()},
        "Statistics": {"DataScannedInBytes": 0},
        **({"ExecutionParameters": given} if (given := _parameters(request)) else {}),
        "WorkGroup": request.get("WorkGroup") or "primary",
        "EngineVersion": {
            "SelectedEngineVersion": "AUTO",
            "EffectiveEngineVersion": "Athena engine version 3",
        },
    }


def _parameters(request: Mapping[str, Any]) -> list[str]:
    return [str(each) for each in request.get("ExecutionParameters") or ()]


def _succeed(execution: dict[str, Any], outcome: Outcome) -> None:
    execution["Status"]["State"] = "SUCCEEDED"
    execution["StatementType"] = outcome.kind
    execution["SubstatementType"] = outcome.substatement
    execution["Statistics"]["DataScannedInBytes"] = outcome.bytes_scanned


def _fail(execution: dict[str, Any], failure: AthenaFailure, *, stopped: bool) -> None:
    execution["Status"] |= {
        "State": "CANCELLED" if stopped else "FAILED",
        "StateChangeReason": "Query cancelled by user" if stopped else failure.reason,
    }
    if not stopped:
        execution["Status"]["AthenaError"] = {
            "ErrorCategory": failure.category(),
            "ErrorType": failure.error_type(),
            "Retryable": False,
            "ErrorMessage": failure.reason,
        }


def _stamp() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
