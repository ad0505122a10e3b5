"""Services for interpreters under test: the real keeper, a catalogue in a dict, scripted Athena.

Statements are recognised by their first words and leave in the catalogue and in the S3 folder
what Athena would leave: stage tables, one file for each day of the window, result files.  What
else shall happen, a test scripts by the name of the state.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runner.keeper.core import Keeper
from runner.keeper.handler import dispatch
from runner.keeper.storage import Storage
from runner.local.s3 import FolderS3
from runner.local.s3_service import call_s3
from runner.model.ports import Json, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_NAME = r'"?(\w+)"?\."?(\w+)"?'
_CREATE = re.compile(rf"CREATE TABLE {_NAME} WITH \((.*?)\) AS\s", re.DOTALL)
_LOCATION = re.compile(r"external_location = '([^']+)'")
_ICEBERG = re.compile(r"CREATE TABLE IF NOT EXISTS `(\w+)`.`(\w+)` \((.*?)\) .*LOCATION '([^']+)'")
_MERGE = re.compile(rf"MERGE INTO {_NAME} AS t USING \(\n")
_INSERT = re.compile(rf"INSERT INTO {_NAME} ")
_VIEW = re.compile(rf"CREATE OR REPLACE VIEW {_NAME} AS\n")
_DDL = re.compile(rf"CREATE EXTERNAL TABLE (?:IF NOT EXISTS )?{_NAME} ")
_COUNT = re.compile(rf'SELECT (?:"dt", )?count\(\*\) AS "rows".* FROM {_NAME}')
_DATES = re.compile(r"BETWEEN '([^']+)' AND '([^']+)'")
ROWS = 3
"""Rows that every scripted file has."""


def query_failed(reason: str) -> ServiceError:
    """Make the failure of a query that Athena had begun."""
    execution = {"Status": {"State": "FAILED", "StateChangeReason": reason}}
    return ServiceError("States.TaskFailed", json.dumps({"QueryExecution": execution}))


def _is_query(resource: str, failure: ServiceError) -> bool:
    """Tell a statement that starts and fails later from a call that fails."""
    starts = resource.endswith(":startQueryExecution")
    return starts and failure.error == "States.TaskFailed"


@dataclass
class Scripted:
    """All services of one execution."""

    root: Path
    functions: Mapping[str, Callable[[Json], Json]] = field(default_factory=dict)
    """The user's functions by name without the prefix `flights-env-`."""
    failures: Mapping[str, Sequence[ServiceError]] = field(default_factory=dict)
    """What the first calls of a state meet, by its name."""
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Names of a table's bigint columns besides dt; `n` for the tables that are not here."""
    others: Mapping[str, Callable[[Json], Json]] = field(default_factory=dict)
    """What answers to other resources, by what comes after `arn:aws:states:::`."""
    calls: list[tuple[str, str, Json]] = field(default_factory=list)
    tables: dict[tuple[str, str], Json] = field(default_factory=dict)
    loaded: list[tuple[str, int]] = field(default_factory=list)
    messages: list[Json] = field(default_factory=list)
    assets: Mapping[str, str] = field(default_factory=dict)
    """What a deploy has put into the lake, text by key."""
    looks: int = 1
    """How many looks at a statement that is polled find it running."""
    stopped: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.s3 = FolderS3(self.root)
        for key, text in self.assets.items():
            self.s3.put_object(Bucket="lake", Key=key, Body=text)
        self._lock = threading.RLock()
        self._met: dict[str, int] = defaultdict(int)
        self._tokens: dict[str, tuple[str, int]] = {}
        self._ended: list[Json] = []
        self._looks: dict[int, int] = defaultdict(int)
        self._seconds = 0
        self._keeper = Keeper(
            storage=Storage(self.s3, "s3://lake/", workers=1),
            is_running=lambda _execution: True,
            now=self._now,
            remaining_s=lambda: 1e9,
            grace_s=0.0,
        )

    def _now(self) -> dt.datetime:
        self._seconds += 1
        return dt.datetime(2013, 2, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=self._seconds)

    def statements(self, state: str) -> list[Json]:
        """Give the arguments of a state's calls."""
        return [arguments for name, _, arguments in self.calls if name == state]

    def do(self, state: str, resource: str, arguments: Json) -> Json:
        """Serve one call; raises ServiceError."""
        arguments = json.loads(json.dumps(arguments))
        with self._lock:
            self.calls.append((state, resource, arguments))
            number, self._met[state] = self._met[state], self._met[state] + 1
            scripted = self.failures.get(state, ())
            if number < len(scripted):
                if not _is_query(resource, scripted[number]):
                    raise scripted[number]
                return self._begin(arguments, failure=scripted[number])
            short = resource.removeprefix("arn:aws:states:::")
            if short in self.others:
                return json.loads(json.dumps(self.others[short](arguments)))
            service, _, action = short.rpartition(":")
            served: Json = {
                "athena": self._athena,
                "aws-sdk:glue": self._glue,
                "aws-sdk:s3": lambda action, arguments: call_s3(self.s3, action, arguments),
                "lambda": self._lambda,
                "ecs": self._ecs,
                "sns": self._sns,
            }[service](action, arguments)
            return json.loads(json.dumps(served))

    def _sns(self, action: str, arguments: Json) -> Json:
        assert action == "publish"
        self.messages.append(arguments)
        return {"MessageId": "1"}

    def _ecs(self, action: str, arguments: Json) -> Json:
        assert action == "runTask.sync"
        (container,) = arguments["Overrides"]["ContainerOverrides"]
        environment = {one["Name"]: one["Value"] for one in container["Environment"]}
        manifest = json.loads(self._read(environment["RUNNER_LOAD_MANIFEST"]))
        for file in manifest["files"]:
            assert self.s3.path_of(file["uri"]).is_file()
        self.loaded.append((manifest["load_key"]["mart_table"], manifest["rows"]))
        return {"Containers": [{"ExitCode": 0}], "StopCode": "EssentialContainerExited"}

    def _lambda(self, action: str, arguments: Json) -> Json:
        assert action == "invoke"
        name = arguments["FunctionName"].removeprefix("flights-env-")
        try:
            if name == "keeper":
                answer: Json = dispatch(self._keeper, arguments["Payload"])
            else:
                answer = self.functions[name](arguments["Payload"])
        except Exception as error:
            said = {"errorMessage": str(error), "errorType": type(error).__name__}
            raise ServiceError(type(error).__name__, json.dumps(said)) from error
        return {"ExecutedVersion": "$LATEST", "Payload": answer, "StatusCode": 200}

    def _glue(self, action: str, arguments: Json) -> Json:
        said = arguments.get("TableInput", {})
        key = (arguments["DatabaseName"], arguments.get("Name", said.get("Name")))
        there = self.tables.get(key)
        if action == "createTable":
            if there is not None:
                raise ServiceError("Glue.AlreadyExistsException", "Table already exists.")
            self.tables[key] = {**said, "DatabaseName": key[0], "VersionId": "0"}
            return {}
        if there is None:
            raise ServiceError("Glue.EntityNotFoundException", f"Table {key[1]} not found.")
        if action == "getTable":
            return {"Table": there}
        if action == "deleteTable":
            del self.tables[key]
            return {}
        assert action == "updateTable"
        assert arguments["SkipArchive"] is True
        if arguments["VersionId"] != there["VersionId"]:
            raise ServiceError("Glue.ConcurrentModificationException", "Update table failed.")
        version = str(int(there["VersionId"]) + 1)
        self.tables[key] = {**said, "DatabaseName": key[0], "VersionId": version}
        return {}

    def _athena(self, action: str, arguments: Json) -> Json:
        """Run a statement once for each token, as Athena does; looks at it find it running."""
        if action == "startQueryExecution":
            return self._begin(arguments)
        if action == "startQueryExecution.sync":
            return self._finished(self._submit(arguments))
        number = int(arguments["QueryExecutionId"])
        if action == "stopQueryExecution":
            self.stopped.append(number)
            return {}
        assert action == "getQueryExecution"
        self._looks[number] += 1
        if self._looks[number] > self.looks:
            return {"QueryExecution": self._ended[number]}
        text = self._ended[number]["Query"]
        running = {"QueryExecutionId": str(number), "Query": text, "Status": {"State": "RUNNING"}}
        return {"QueryExecution": running}

    def _begin(self, arguments: Json, *, failure: ServiceError | None = None) -> Json:
        number = self._submit(arguments, failure=failure)
        return {"QueryExecutionId": str(number)}

    def _finished(self, number: int) -> Json:
        execution = self._ended[number]
        if execution["Status"]["State"] != "SUCCEEDED":
            raise ServiceError("States.TaskFailed", json.dumps({"QueryExecution": execution}))
        return {"QueryExecution": execution}

    def _submit(self, arguments: Json, *, failure: ServiceError | None = None) -> int:
        token, text = arguments["ClientRequestToken"], arguments["QueryString"]
        assert re.fullmatch("[0-9a-f]{64}", token)
        before, number = self._tokens.get(token, (text, None))
        assert before == text, "one token for two texts"
        if number is not None:
            return number
        number = len(self._ended)
        output = f"{arguments['ResultConfiguration']['OutputLocation']}{number}.csv"
        self._ended.append(
            {
                "QueryExecutionId": str(number),
                "Query": text,
                "Status": {"State": "SUCCEEDED"},
                "Statistics": {"DataScannedInBytes": 100},
                "ResultConfiguration": {"OutputLocation": output},
            }
        )
        self._tokens[token] = (text, number)
        try:
            if failure is not None:
                raise failure
            self._run(text, output)
        except ServiceError as error:
            said = json.loads(error.cause)["QueryExecution"]["Status"]
            self._ended[number]["Status"] = said
        return number

    def _run(self, text: str, output: str) -> None:
        if found := _CREATE.match(text):
            self._create(text, found)
        elif found := _ICEBERG.match(text):
            self._register(found[1], found[2], location=found[4], more=("dt",))
            self.tables[found[1], found[2]]["Parameters"] = {"table_type": "ICEBERG"}
        elif found := _MERGE.match(text):
            assert (found[1], found[2]) in self.tables
        elif found := _INSERT.match(text):
            self._insert(text, found)
        elif found := _COUNT.match(text):
            self._write(output, self._count(found[1], found[2], tests=text.count(' AS "t')))
        elif found := _VIEW.match(text):
            self._register(found[1], found[2], kind="VIRTUAL_VIEW")
        elif found := _DDL.match(text):
            self._register(found[1], found[2])
        else:
            raise query_failed(f"SYNTAX_ERROR: line 1:1: mismatched input {text[:40]!r}")

    def _create(self, text: str, found: re.Match[str]) -> None:
        location = _LOCATION.search(found[3])
        assert location is not None
        table, empty = found[2], text.endswith("WITH NO DATA")
        partitions = () if not empty else ("dt",)
        self._register(found[1], table, location=location[1], more=partitions)
        if not empty:
            self._write(f"{location[1]}part-0", "rows")

    def _insert(self, text: str, found: re.Match[str]) -> None:
        stage = self.tables[found[1], found[2]]["StorageDescriptor"]["Location"]
        dates = _DATES.search(text)
        assert dates is not None
        start, end = (dt.date.fromisoformat(date) for date in dates.groups())
        for day in range((end - start).days + 1):
            self._write(f"{stage}dt={start + dt.timedelta(days=day)}/part-0", "rows")

    def _count(self, database: str, table: str, *, tests: int) -> str:
        location = self.tables[database, table]["StorageDescriptor"]["Location"]
        bucket, _, prefix = location.removeprefix("s3://").partition("/")
        found = self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", ())
        days = [m[1] for item in found if (m := re.search(r"/dt=([^/]+)/", item["Key"]))]
        passed = ',"0"' * tests
        if days:
            lines = [f'"{day}","{ROWS}"{passed}' for day in days]
            return "\n".join(['"dt","rows"', *lines]) + "\n"
        return f'"rows"\n"{ROWS * len(found)}"{passed}\n'

    def _register(
        self,
        database: str,
        table: str,
        *,
        kind: str = "EXTERNAL_TABLE",
        location: str = "",
        more: Sequence[str] = (),
    ) -> None:
        subject = f"{database.removesuffix('__stage')}.{table.partition('__')[0]}"
        columns = [{"Name": n, "Type": "bigint"} for n in self.columns.get(subject, ("n",))]
        columns += [{"Name": name, "Type": "string"} for name in more]
        self.tables[database, table] = {
            "Name": table,
            "DatabaseName": database,
            "TableType": kind,
            "Parameters": {},
            "PartitionKeys": [],
            "StorageDescriptor": {"Columns": columns, "Location": location},
            "VersionId": "0",
        }

    def _write(self, uri: str, text: str) -> None:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        self.s3.put_object(Bucket=bucket, Key=key, Body=text)

    def _read(self, uri: str) -> bytes:
        return self.s3.path_of(uri).read_bytes()
