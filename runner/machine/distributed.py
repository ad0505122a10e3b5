"""What only a distributed Map does: read its items from S3, batch them, write results to S3.

Reading and writing are calls of the task service (`s3:getObject` gives {"Body": text},
`s3:listObjectsV2` gives {"Contents": [...]}, `s3:putObject` takes Bucket, Key, Body), so they are
journalled like any other call.
"""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

from runner.machine import shaping
from runner.machine.chance import uuid_of
from runner.machine.events import EventKind
from runner.machine.failures import ReportedError, StateError
from runner.machine.fibers import CallTask
from runner.machine.numbers import whole_number
from runner.machine.ports import TaskRequest

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from runner.machine.definition import Batcher, Distributed, Map, Reader
    from runner.machine.fibers import Request, Visit
    from runner.machine.templates import Env
    from runner.model.ports import Json

READ_FAILED = "States.ItemReaderFailed"
WRITE_FAILED = "States.ResultWriterFailed"
_GET = "s3:getObject"
_LIST = "s3:listObjectsV2"
_PUT = "s3:putObject"
_LISTED = ("Etag", "LastModified", "Key", "Size", "StorageClass")


def _failed(cause: str) -> ReportedError:
    return ReportedError(READ_FAILED, cause)


def read_items(reader: Reader, visit: Visit, env: Env) -> Generator[Request, Json, list[Json]]:
    """Read a Map's items."""
    arguments = {} if reader.arguments is None else reader.arguments.evaluate(env)
    config = reader.config.evaluate(env)
    try:
        answer = yield from _call(visit, "read", reader.resource, arguments)
    except StateError as error:
        raise ReportedError(READ_FAILED, error.cause) from error
    if reader.resource.endswith(_LIST):
        items = [_listed(one) for one in answer.get("Contents", [])]
    else:
        items = _parse(answer["Body"], config)
    most = whole_number(reader.max_items, env, least=0)
    return items[:most] if most else items


def _call(
    visit: Visit, verb: str, resource: str, arguments: Json
) -> Generator[Request, Json, Json]:
    shared = visit.frame.shared
    request = TaskRequest(
        key=f"{visit.attempt_key}~{verb}",
        state=visit.state,
        resource=resource,
        arguments=arguments,
        attempt=visit.attempt,
        timeout_s=None,
        heartbeat_s=None,
        context=visit.context(),
        repeated=shared.recorder.replaying(),
    )
    told = {"resource": resource, "arguments": arguments}
    shared.recorder.emit(EventKind.TASK_SCHEDULED, request.key, visit.state, told)
    return (yield CallTask(visit, request))


def _listed(found: Mapping[str, Json]) -> dict[str, Json]:
    renamed = {"Etag" if name == "ETag" else name: value for name, value in found.items()}
    return {name: renamed[name] for name in _LISTED if name in renamed}


def _parse(text: str, config: Mapping[str, Json]) -> list[Json]:
    kind = config.get("InputType", "JSON")
    if kind == "CSV":
        return _parse_csv(text, config)
    try:
        if kind == "JSONL":
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        if kind == "JSON":
            return _json_items(json.loads(text), config)
    except ValueError as error:
        raise _failed(f"The content of the file is not valid {kind}: {error}") from error
    raise _failed(f"InputType {kind} is not supported")


def _json_items(value: Json, config: Mapping[str, Json]) -> list[Json]:
    for part in str(config.get("ItemsPointer", "")).split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (LookupError, TypeError, ValueError) as error:
            raise _failed(f"ItemsPointer {config['ItemsPointer']} leads nowhere") from error
    if not isinstance(value, list):
        raise _failed("Attempting to map over non-iterable node.")
    return value


_DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}


def _parse_csv(text: str, config: Mapping[str, Json]) -> list[Json]:
    delimiter = _DELIMITERS.get(config.get("CSVDelimiter", "COMMA"), ",")
    rows = [row for row in csv.reader(text.splitlines(), delimiter=delimiter) if row]
    if config.get("CSVHeaderLocation") == "GIVEN":
        headers = list(config.get("CSVHeaders", []))
    elif rows:
        headers = rows.pop(0)
    else:
        return []
    if len(set(headers)) != len(headers):
        raise _failed("CSV headers cannot contain duplicates.")
    width = len(headers)
    return [dict(zip(headers, [*row, *[""] * width][:width], strict=True)) for row in rows]


def batch_items(batcher: Batcher, values: Sequence[Json], env: Env) -> list[Json]:
    """Group items into batches of a Map's ItemBatcher."""
    most = whole_number(batcher.max_items, env, least=0) or len(values)
    most_bytes = whole_number(batcher.max_bytes, env, least=0) or shaping.MAX_PAYLOAD_BYTES
    around: dict[str, Json] = {}
    if batcher.batch_input is not None:
        around["BatchInput"] = batcher.batch_input.evaluate(env)
    empty = _bytes_of({**around, "Items": []})
    batches: list[list[Json]] = []
    size = empty
    for value in values:
        needed = _bytes_of(value) + 1
        if not batches or len(batches[-1]) >= most or size + needed > most_bytes:
            batches.append([])
            size = empty
        batches[-1].append(value)
        size += needed
    return [{**around, "Items": batch} for batch in batches]


def _bytes_of(value: Json) -> int:
    return len(shaping.compact(value).encode())


def map_run_arn(state: Map, visit: Visit) -> str:
    """Make the name of a new Map Run."""
    machine = visit.context()["StateMachine"]["Id"].replace(":stateMachine:", ":mapRun:")
    label = "" if state.distributed is None else state.distributed.label
    return f"{machine}/{label or state.name}:{uuid_of(visit.random())}"


def write_results(
    distributed: Distributed, visit: Visit, env: Env, results: Sequence[Json], arn: str
) -> Generator[Request, Json, Json]:
    """Write the results of a Map to S3; the state's result tells where."""
    writer = distributed.writer
    if writer is None or writer.arguments is None:
        return results
    target = writer.arguments.evaluate(env)
    run = arn.rpartition(":")[2]
    prefix = f"{target['Prefix']}/{run}" if target.get("Prefix") else run
    lines = [{"Output": shaping.compact(result), "Status": "SUCCEEDED"} for result in results]
    part = f"{prefix}/SUCCEEDED_0.json"
    body = shaping.compact(lines)
    manifest = {
        "DestinationBucket": target["Bucket"],
        "MapRunArn": arn,
        "ResultFiles": {
            "FAILED": [],
            "PENDING": [],
            "SUCCEEDED": [{"Key": part, "Size": len(body.encode())}],
        },
    }
    files = ((part, body), (f"{prefix}/manifest.json", shaping.compact(manifest)))
    for number, (key, text) in enumerate(files):
        arguments = {"Bucket": target["Bucket"], "Key": key, "Body": text}
        try:
            yield from _call(visit, f"write{number}", writer.resource, arguments)
        except StateError as error:
            raise ReportedError(WRITE_FAILED, error.cause) from error
    details = {"Bucket": target["Bucket"], "Key": f"{prefix}/manifest.json"}
    return {"MapRunArn": arn, "ResultWriterDetails": details}


class S3Objects:
    """S3 as a dictionary: what item readers see and result writers fill."""

    RESOURCES = tuple(f"arn:aws:states:::{action}" for action in (_GET, _LIST, _PUT))

    def __init__(self, objects: Mapping[str, str], buckets: tuple[str, ...] = ()) -> None:
        """Take texts by `bucket/key`."""
        self._objects = dict(objects)
        self._buckets = {*buckets, *(name.partition("/")[0] for name in objects)}

    def call(self, resource: str, arguments: Mapping[str, Any]) -> Json:
        """Answer one call; raises KeyError for an object that is not there."""
        bucket = arguments["Bucket"]
        if resource.endswith(_LIST):
            return {"Contents": self._contents(bucket, arguments.get("Prefix", ""))}
        name = f"{bucket}/{arguments['Key']}"
        if resource.endswith(_PUT):
            self._objects[name] = arguments["Body"]
            return {}
        return {"Body": self._objects[name]}

    def _contents(self, bucket: str, prefix: str) -> list[Json]:
        start = f"{bucket}/{prefix}"
        return [
            {
                "Etag": "",
                "LastModified": 0,
                "Key": name.partition("/")[2],
                "Size": len(text.encode()),
                "StorageClass": "STANDARD",
            }
            for name, text in sorted(self._objects.items())
            if name.startswith(start)
        ]
