"""A lake for tests of the keeper: events as a state machine sends them, staged files, crashes."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from runner.keeper.core import Attempt, Keeper
from runner.keeper.handler import dispatch
from runner.keeper.storage import Storage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

BUCKET = "lake"
LAKE = f"s3://{BUCKET}/prod/"
NOW = dt.datetime(2013, 2, 1, 3, tzinfo=dt.UTC)
ARN = "arn:aws:states:eu-west-1:123456789012:execution:daily:"
PARQUET = {"InputFormat": "in", "OutputFormat": "out", "SerdeInfo": {"SerializationLibrary": "s"}}
FINGERPRINT = "f" * 64


def insert_spec(name: str = "marts.daily", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Describe a daily insert table as a definition does."""
    return {
        "name": name,
        "kind": "insert",
        "project": "flights",
        "fingerprint": FINGERPRINT,
        "grain": "day",
        "time": [["dt", "yyyy-MM-dd"]],
        "partitions": ["dt"],
        "allowed": {},
        "combinations": 1,
        "marks": {"m0": {"base": "start", "steps": [], "format": "yyyy-MM-dd"}},
        "storage": PARQUET,
        "parameters": {"projection.enabled": "true", "projection.dt.format": "yyyy-MM-dd"},
        "tests": [],
        "max_window": 400,
        **more,
    }


def ctas_spec(name: str = "marts.routes", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Describe a whole table as a definition does."""
    return {
        "name": name,
        "kind": "ctas",
        "project": "flights",
        "fingerprint": FINGERPRINT,
        "storage": PARQUET,
        "parameters": {"classification": "parquet"},
        **more,
    }


def target(
    spec: Mapping[str, Any], columns: Mapping[str, str] | None = None, **parameters: str
) -> dict[str, Any]:
    """Describe the published table as Glue does."""
    database, _, name = spec["name"].partition(".")
    return {
        "Name": name,
        "VersionId": "7",
        "Parameters": {
            "EXTERNAL": "TRUE",
            **spec["parameters"],
            "runner.project": spec["project"],
            "runner.fingerprint": spec["fingerprint"],
            **parameters,
        },
        "PartitionKeys": [{"Name": c, "Type": "string"} for c in spec.get("partitions", ())],
        "StorageDescriptor": {
            "Location": f"{LAKE}{database}/{name}/g=1/",
            "Columns": [
                {"Name": name, "Type": kind, "Comment": ""}
                for name, kind in (columns or {"carrier": "string", "flights": "bigint"}).items()
            ],
        },
    }


@dataclass
class Lake:
    """One lake, what runs on it, and the time there."""

    client: Any
    running: set[str] = field(default_factory=set)
    now: dt.datetime = NOW
    remaining_s: Callable[[], float] = lambda: 900.0
    workers: int = 1

    def keeper(self, client: Any = None) -> Keeper:  # noqa: ANN401 - boto3's client has no type
        """Give the keeper, by another client if one is given."""
        return Keeper(
            storage=Storage(client or self.client, LAKE, workers=self.workers),
            is_running=lambda execution: execution in self.running,
            now=lambda: self.now,
            remaining_s=self.remaining_s,
        )

    @property
    def storage(self) -> Storage:
        """Give the storage of the keeper."""
        return self.keeper().storage

    def put(self, key: str, body: str = "x") -> None:
        """Write an object below the lake."""
        self.client.put_object(Bucket=BUCKET, Key=f"prod/{key}", Body=body.encode())

    def keys(self, prefix: str = "") -> list[str]:
        """List keys below the lake."""
        found = self.storage.list(f"prod/{prefix}")
        return [stored.key.removeprefix("prod/") for stored in found]

    def text(self, key: str) -> str:
        """Read an object below the lake."""
        return self.storage.read_uri(LAKE + key).decode()

    def contents(self, prefix: str = "") -> dict[str, str]:
        """Read every object below a prefix."""
        return {key: self.text(key) for key in self.keys(prefix)}

    def body(self, key: str) -> dict[str, Any]:
        """Read a JSON object below the lake."""
        value: dict[str, Any] = json.loads(self.text(key))
        return value


@dataclass
class Turn:
    """One attempt at one table, as the state machine goes through it."""

    lake: Lake
    spec: dict[str, Any]
    execution: str = ARN + "r1"
    attempt: int = 1
    start: str = "2013-01-05"
    end: str = "2013-01-05"

    def call(
        self,
        op: str,
        *,
        client: Any = None,  # noqa: ANN401 - boto3's client has no type
        **event: Any,  # noqa: ANN401 - JSON
    ) -> dict[str, Any]:
        """Call the keeper about this table; JSON goes in and out."""
        whole = {
            "op": op,
            "attempt": self.attempt,
            "table": {**self.spec, "execution": self.execution, "redrive": 0},
            **event,
        }
        answer = dispatch(self.lake.keeper(client), json.loads(json.dumps(whole)))
        value: dict[str, Any] = json.loads(json.dumps(answer))
        return value

    @property
    def window(self) -> dict[str, str]:
        """Give the run's window."""
        return {"start": self.start, "end": self.end, "grain": "day"}

    @property
    def identity(self) -> Attempt:
        """Give the attempt as the keeper reads it."""
        table = {**self.spec, "execution": self.execution, "redrive": 0}
        return Attempt.read({"table": table, "attempt": self.attempt})

    def prepare(
        self,
        published: dict[str, Any] | None = None,
        client: Any = None,  # noqa: ANN401 - boto3's client has no type
    ) -> dict[str, Any]:
        """Prepare over a target that exists already."""
        found = target(self.spec) if published is None else published
        return self.call("prepare", window=self.window, target=found, client=client)

    def stage(
        self,
        where: str,
        files: Mapping[str, str],
        rows: Sequence[Sequence[str | int | None]],
    ) -> str:
        """Write staged files (path below the stage: text) and the test query's result."""
        prefix = self.lake.storage.key(where).removeprefix("prod/")
        for path, text in files.items():
            self.lake.put(prefix + path, text)
        result = f"results/{prefix.replace('/', '-')}{self.attempt}.csv"
        self.lake.put(result, result_csv(rows))
        return LAKE + result

    def stage_days(self, chunk: Mapping[str, Any], days: Mapping[str, str]) -> str:
        """Stage one file a day; an empty text stages nothing."""
        return self.stage(
            chunk["stage"],
            {f"dt={day}/part-0": text for day, text in days.items() if text},
            [[day, len(text)] for day, text in days.items() if text],
        )

    def publish(
        self,
        plan: Mapping[str, Any],
        chunk: Mapping[str, Any],
        result: str,
        client: Any = None,  # noqa: ANN401 - boto3's client has no type
    ) -> dict[str, Any]:
        """Publish a chunk, once."""
        return self.call(
            "publish", plan=plan, chunk=chunk, result=result, scanned=10, client=client
        )

    def write(self, days: Mapping[str, str]) -> dict[str, Any]:
        """Go through the whole turn of an insert table; gives what `finish` says."""
        plan = self.prepare()
        written = []
        for chunk in plan["chunks"]:
            inside = {d: text for d, text in days.items() if chunk["start"] <= d <= chunk["end"]}
            result = self.stage_days(chunk, inside)
            part = self.publish(plan, chunk, result)
            while not part["complete"]:
                part = self.publish(plan, chunk, result)
            written.append(part)
        return self.call("finish", written=written)


def result_csv(rows: Sequence[Sequence[str | int | None]]) -> str:
    """Write what Athena writes: every value quoted, NULL an empty field."""
    text = io.StringIO()
    width = max((len(row) for row in rows), default=2)
    text.write(",".join(f'"c{number}"' for number in range(width)) + "\n")
    for row in rows:
        text.write(",".join("" if value is None else f'"{value}"' for value in row) + "\n")
    assert list(csv.reader(io.StringIO(text.getvalue())))
    return text.getvalue()


class Killed(BaseException):
    """The process died; nothing that handles exceptions may handle it."""


class CrashingS3:
    """A client that dies at its n-th call, before or after the call takes effect."""

    def __init__(self, client: Any, *, at: int = 0, after: bool = False) -> None:  # noqa: ANN401
        """Count calls; die at call `at` (from 1)."""
        self._client = client
        self._at = at
        self._after = after
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any method of the client
        """Wrap a method of the client."""
        method = getattr(self._client, name)

        def call(**arguments: Any) -> Any:  # noqa: ANN401 - likewise
            self.calls.append(name)
            dies = len(self.calls) == self._at
            if dies and not self._after:
                raise Killed(name)
            try:
                return method(**arguments)
            finally:
                if dies:
                    raise Killed(name)

        return call


class HookedS3:
    """A client that does something else before or after chosen calls."""

    def __init__(self, client: Any, **hooks: Callable[[Any, dict[str, Any]], Any]) -> None:  # noqa: ANN401
        """Take by method name what to do in its place: hook(client, arguments)."""
        self._client = client
        self._hooks = hooks

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any method of the client
        """Give the hook, or the method."""
        hook = self._hooks.get(name)
        if hook is None:
            return getattr(self._client, name)
        return lambda **arguments: hook(self._client, arguments)
