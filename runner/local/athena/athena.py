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
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.local.athena.classify import classify
from runner.local.athena.engine import Engine
from runner.local.athena.errors import AthenaFailure, InvalidRequest
from runner.local.athena.executions import (
    Terms,
    check_request,
    end,
    fail,
    location_of,
    new_execution,
    request_digest,
    stamp,
)
from runner.local.athena.history import ENDED, History
from runner.local.athena.partitions import Locator
from runner.local.athena.planner import Planner, evaluate_with
from runner.local.athena.prepared import Prepared, bind, given_literals
from runner.local.athena.progress import POLL_S, Progress
from runner.local.athena.results import MANIFESTED, Kept, output_url, page, write_results
from runner.local.athena.service import call
from runner.local.athena.session import Session, read_statement
from runner.local.athena.sqltypes import parse_type
from runner.local.athena.statements import run_statement
from runner.local.athena.statements.queries import select_some
from runner.local.athena.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import duckdb

    from runner.local.athena.sqltypes import SqlType
    from runner.local.athena.template import DecimalLiterals
    from runner.local.glue import GlueCatalog
    from runner.local.s3 import FolderS3

_MOST_ROWS = 1000
_EXECUTE_TOKENS = 2
_MOST_AT_ONCE = 20
"""Statements that run at once where each has a thread of its own; the others are queued."""
_SAME = ("QueryExecutionContext", "ExecutionParameters", "ManagedQueryResultsConfiguration")


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
        decimals: DecimalLiterals = "double",
        now: Callable[[], datetime] = _utc_now,
        before_file: Callable[[int], None] = _never,
    ) -> None:
        """Take the services, the history's file, and the default output location.

        `cache` is a folder for translated statements; `memory` is what DuckDB may use before it
        writes to disk, as `800MB` (its own choice if empty); `decimals` is the type of 1.5: double
        on Athena ("Data type examples" in its guide), a decimal on Trino as it comes; `now` is the
        clock of projections; `before_file` is called before each written file appears and may
        raise to fail there.
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
        self._planner = Planner(self._engine, self._locator, cache, decimals=decimals)
        self.prepared = Prepared(state_path.with_suffix(".prepared.sqlite"))
        self._running: dict[str, Progress] = {}
        self._slots = threading.BoundedSemaphore(_MOST_AT_ONCE)
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    @property
    def history(self) -> History:
        """Give the executions of all processes that share it."""
        return self._history

    def warm_up(self) -> None:
        """Start DuckDB and load what the first statement would otherwise wait for."""
        import runner.local.athena.translate  # noqa: F401, PLC0415 - brings sqlglot, 0.2 s

        self.query("SELECT 1")

    def stop_all(self) -> None:
        """Interrupt every running execution; `close` then waits for little."""
        for progress in tuple(self._running.values()):
            threading.Thread(target=progress.stop, daemon=True).start()

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
        return {"QueryExecutionId": self.start(request, None)}

    def start(self, request: Mapping[str, Any], terms: Terms | None, *, reuse_s: float = 0) -> str:
        """Start a statement on the terms of its work group; raises InvalidRequest.

        The result of a query that is at most `reuse_s` seconds old is given again.
        """
        identity, work = self._submit(request, terms, reuse_s=reuse_s)
        if work is not None:
            thread = threading.Thread(
                target=self._in_turn, args=(work, self._running[identity]), daemon=True
            )
            with self._lock:
                self._threads = [each for each in self._threads if each.is_alive()] + [thread]
                thread.start()
        return identity

    def _in_turn(self, work: Callable[[], None], progress: Progress) -> None:
        """Run a statement when its turn has come, or when it was stopped before."""
        while not (taken := self._slots.acquire(timeout=POLL_S)) and not progress.stopped:
            pass
        try:
            work()
        finally:
            if taken:
                self._slots.release()

    def run_query_execution(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - boto3's
        """Run a statement to its end in this thread; gives the QueryExecution."""
        identity, work = self._submit(request, None)
        if work is not None:
            work()
        while True:
            execution: dict[str, Any] = self.get_query_execution(QueryExecutionId=identity)[
                "QueryExecution"
            ]
            if execution["Status"]["State"] in ENDED:
                return execution
            self.wait(identity, POLL_S)

    def running(self, identity: str) -> Progress | None:
        """Give an execution of this process that has not ended."""
        return self._running.get(identity)

    def wait(self, identity: str, seconds: float) -> None:
        """Wait until an execution has ended, at most so long; another process's is not seen."""
        progress = self._running.get(identity)
        if progress is not None:
            progress.ended.wait(seconds)
        elif self._history.get(identity) is not None:
            time.sleep(seconds)

    def hold(self, identity: str, seconds: float) -> None:
        """Wait so when an execution's state is asked for the first time; else not at all."""
        progress = self._running.get(identity)
        if progress is not None and not progress.asked:
            progress.asked = True
            progress.ended.wait(seconds)

    def get_query_execution(self, *, QueryExecutionId: str) -> dict[str, Any]:  # noqa: N803
        """Give an execution; raises InvalidRequest."""
        progress = self._running.get(QueryExecutionId)
        execution = self._history.get(QueryExecutionId)
        if execution is None:
            raise InvalidRequest(
                f"QueryExecution {QueryExecutionId} was not found",
                detail="QUERY_EXECUTION_NOT_FOUND",
            )
        if execution["Status"]["State"] == "QUEUED" and progress is not None:
            _tell_progress(execution, progress)
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
        if MaxResults > _MOST_ROWS:
            raise InvalidRequest(f"MaxResults is more than maximum allowed length {_MOST_ROWS}")
        _check_succeeded(execution["Status"]["State"])
        empty = Kept([], [], 0).packed()
        packed = self._history.result(QueryExecutionId) or empty
        return page(self._s3, packed, token=NextToken, most=MaxResults)

    def output_rows(self, identity: str) -> int | None:
        """Give the number of rows that an execution gave or wrote; None before its end."""
        packed = self._history.result(identity)
        return None if packed is None else Kept(**json.loads(packed)).rows_in_all

    def stop_query_execution(self, *, QueryExecutionId: str) -> dict[str, Any]:  # noqa: N803
        """Interrupt an execution; stopping one that has ended changes nothing."""
        progress = self._running.get(QueryExecutionId)  # before its state, or it may end in between
        execution = self.get_query_execution(QueryExecutionId=QueryExecutionId)["QueryExecution"]
        if progress is not None:
            overdue = partial(self._give_up, execution, progress)
            threading.Thread(target=progress.stop, args=(overdue,), daemon=True).start()
        elif execution["Status"]["State"] not in ENDED:
            raise InvalidRequest(f"QueryExecution {QueryExecutionId} runs in another process")
        return {}

    def service(self, action: str, arguments: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
        """Answer Step Functions' `athena` actions; raises ServiceError."""
        return call(self, action, arguments)

    def _submit(
        self, request: Mapping[str, Any], terms: Terms | None, *, reuse_s: float = 0
    ) -> tuple[str, Callable[[], None] | None]:
        """Record a request; gives its execution's id and, if it is new, what runs it."""
        check_request(request)
        terms = terms or Terms(location_of(request, self._results))
        classified = classify(read_statement(self._text(request)).tokens)
        execution = new_execution(request, terms, classified)
        identity: str = execution["QueryExecutionId"]
        url = output_url(terms.location, identity, classified[1] if classified else "")
        execution["ResultConfiguration"]["OutputLocation"] = url
        token = str(request.get("ClientRequestToken") or "")
        digest = request_digest(request)
        progress = self._running[identity] = Progress()
        known = self._history.begin(execution, token=token, request=digest)
        if known is None:
            began = time.monotonic()
            if reuse_s and self._reused(execution, reuse_s):
                self._leave(identity, progress)
                return identity, None
            return identity, lambda: self._execute(execution, terms, progress, since=began)
        del self._running[identity]
        identity, before = known
        if before != digest:
            raise InvalidRequest(
                "Idempotent parameters do not match", detail="IDEMPOTENT_PARAMETER_MISMATCH"
            )
        return identity, None

    def _text(self, request: Mapping[str, Any]) -> str:
        """Give the statement that a request runs: EXECUTE's is the prepared one."""
        sql = str(request["QueryString"])
        tokens = read_statement(sql).tokens
        if len(tokens) < _EXECUTE_TOKENS or tokens[0].word() != "EXECUTE":
            return sql
        group = str(request.get("WorkGroup") or "primary")
        return self.prepared.text(group, tokens[1].text.strip('"')) or sql

    def _execute(
        self, execution: dict[str, Any], terms: Terms, progress: Progress, *, since: float
    ) -> None:
        began = time.monotonic()
        execution["Status"]["State"] = "RUNNING"
        kept = None
        try:
            kept = self._run(execution, terms, progress)
        except AthenaFailure as failure:
            ended = failure.code in {"USER_CANCELED", "EXCEEDED_SCAN_LIMIT"}
            fail(execution, failure, stopped=progress.stopped or ended)
        except BaseException as error:
            # An interrupt may strike wherever DuckDB is at work, and says so in its own words.
            broken = AthenaFailure("GENERIC_INTERNAL_ERROR", repr(error))
            fail(execution, broken, stopped=progress.stopped)
            if not progress.stopped:
                raise
        else:
            execution["Status"]["State"] = "SUCCEEDED"
        finally:
            if progress.settle():
                end(execution, queued_s=began - since, engine_s=time.monotonic() - began)
                self._history.save(execution, result=kept.packed() if kept else None)
            self._leave(execution["QueryExecutionId"], progress)

    def _give_up(self, execution: dict[str, Any], progress: Progress) -> None:
        """Record a query as cancelled while its thread is busy: it will not run any more.

        Other statements may have an effect yet, which their end has to tell.
        """
        if execution.get("SubstatementType") == "SELECT" and progress.settle():
            fail(execution, AthenaFailure("USER_CANCELED", ""), stopped=True)
            end(execution, queued_s=0, engine_s=time.monotonic() - progress.began)
            self._history.save(execution)
            self._leave(execution["QueryExecutionId"], progress)

    def _leave(self, identity: str, progress: Progress) -> None:
        self._running.pop(identity, None)
        progress.ended.set()

    def _reused(self, execution: dict[str, Any], seconds: float) -> bool:
        """Give an execution the result of an earlier one of the same text, if there is one."""
        if execution.get("SubstatementType") != "SELECT":
            return False
        since = time.time() - seconds
        for before in self._history.reusable(
            execution["WorkGroup"], execution["Query"], since=since
        ):
            same = all(before.get(name) == execution.get(name) for name in _SAME)
            place = before["ResultConfiguration"]["OutputLocation"]
            if same and self._s3.path_of(place).is_file():
                execution["ResultConfiguration"] = before["ResultConfiguration"]
                execution["Status"]["State"] = "SUCCEEDED"
                execution["Statistics"]["ResultReuseInformation"] = {"ReusedPreviousResult": True}
                end(execution, queued_s=0, engine_s=0)
                packed = self._history.result(before["QueryExecutionId"])
                self._history.save(execution, result=packed)
                return True
        return False

    def _run(self, execution: dict[str, Any], terms: Terms, progress: Progress) -> Kept:
        database = execution["QueryExecutionContext"]["Database"].strip("`").lower()
        statement = read_statement(execution["Query"])
        parameters = given_literals(execution.get("ExecutionParameters") or ())
        if parameters and statement.words()[:1] != ("EXECUTE",):
            statement = read_statement(bind(statement.sql, parameters))
        identity = execution["QueryExecutionId"]
        with self._session(identity, database, terms.location) as session:
            progress.cursor = session.cursor
            session.cursor.scan_limit = terms.scan_limit
            session = session._replace(  # noqa: PLW2901 - what the request adds
                work_group=execution["WorkGroup"], parameters=parameters, streams=True
            )
            if progress.stopped:
                session.cursor.interrupt()
            outcome = run_statement(session, statement)
            url = execution["ResultConfiguration"]["OutputLocation"]
            kept = write_results(self._s3, url, outcome)
            scanned = outcome.scanned() if outcome.scanned else outcome.bytes_scanned
        statistics = execution["Statistics"]
        statistics["DataScannedInBytes"] = scanned
        if outcome.substatement in MANIFESTED:
            statistics["DataManifestLocation"] = f"{url}-manifest.csv"
        return kept

    @contextmanager
    def _session(self, identity: str, database: str, results: str) -> Iterator[Session]:
        with self._engine.cursor() as cursor:
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


def _tell_progress(execution: dict[str, Any], progress: Progress) -> None:
    """Put into the record how far an execution is that has begun and not ended."""
    if progress.cursor is None:
        return
    execution["Status"]["State"] = "RUNNING"
    if progress.cursor.is_given_up():
        fail(execution, AthenaFailure("USER_CANCELED", "Query cancelled by user"), stopped=True)
        execution["Status"]["CompletionDateTime"] = stamp()


def _check_succeeded(state: str) -> None:
    """Refuse to give results of what did not succeed; raises InvalidRequest."""
    if state == "CANCELLED":
        raise InvalidRequest("Could not find results", detail="RESULT_NOT_FOUND")
    if state != "SUCCEEDED":
        raise InvalidRequest(
            f"Query did not finish successfully. Final query state: {state}"
            if state in ENDED
            else f"Query has not yet finished. Current state: {state}",
            detail="INVALID_QUERY_EXECUTION_STATE",
        )
