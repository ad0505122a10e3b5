"""A distributed Map's ItemReader: which objects of S3 it reads, and the items in them.

In: the reader, the Map's visit.  Out: a generator that yields calls (s3_calls.py) and returns the
items.  Every call's answer is journalled in parts as the service gives them, so a replay reads
the same items again and calls nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from runner.machine.failures import READ_FAILED, ReportedError
from runner.machine.item_files import Inventory, parse_athena_manifest, parse_items, read_failed
from runner.machine.items import Items
from runner.machine.s3_calls import GET, LIST, S3Calls
from runner.machine.shaping import compact
from runner.machine.templates import Notation

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

    from runner.machine.definition import Reader
    from runner.machine.fibers import Request, Visit
    from runner.machine.templates import Env
    from runner.model.ports import Json

    Reading = Generator[Request, Json, Items]
    Arguments = Mapping[str, Json]

_MOST_ITEMS = 100_000_000
_LISTED = ("Etag", "LastModified", "Key", "Size", "StorageClass")
_ROWS = frozenset({"PARQUET"})
"""What the service turns into items itself."""


def read_items(reader: Reader, visit: Visit, env: Env) -> Reading:
    """Read a Map's items; whatever goes wrong in S3 is States.ItemReaderFailed."""
    arguments = {} if reader.arguments is None else reader.arguments.evaluate(env)
    if not isinstance(arguments, dict):
        raise read_failed(f"The arguments of the ItemReader are no object: {compact(arguments)}")
    config = reader.config.evaluate(env)
    most = _most_items(reader, env)
    work = _Work(S3Calls(visit, "read"), reader.resource.rpartition(":s3:")[0], config, most)
    try:
        if reader.resource.endswith(LIST):
            return (yield from work.listed(arguments))
        if config.get("InputType") == "MANIFEST" or "ManifestType" in config:
            return (yield from work.manifest(arguments))
        return (yield from work.file(arguments, most))
    except ReportedError as error:
        if error.error == READ_FAILED:
            raise
        raise ReportedError(READ_FAILED, error.cause) from error


def _most_items(reader: Reader, env: Env) -> int | None:
    """Evaluate MaxItems; None for no limit, which 0 says too."""
    template = reader.max_items
    if template is None:
        return None
    value = template.evaluate(env)
    told = "MaxItems field has the"
    if template.notation is Notation.PATH:
        told = "MaxItemsPath field refers to"
        if isinstance(value, str) and value.removeprefix("-").isdecimal():
            value = int(value)
    elif isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        told = f"The {told} value '{value}' which is not a valid integer: {template.source}"
        raise read_failed(told)
    if value < 0:
        raise read_failed("field MaxItems must be positive")
    return min(value, _MOST_ITEMS) or None


class _Work:
    """The reading of one dataset."""

    def __init__(
        self, calls: S3Calls, service: str, config: Mapping[str, Json], most: int | None
    ) -> None:
        """Take the service as an ARN without `:s3:...`, and how many items at most."""
        self._calls = calls
        self._service = service
        self._config = config
        self._most = most

    def _get(self, arguments: Arguments) -> Generator[Request, Json, Arguments]:
        return self._calls.call(f"{self._service}:{GET}", arguments)

    def file(self, arguments: Arguments, most: int | None) -> Reading:
        """Read the items of one object."""
        kind = self._config.get("InputType", "JSON")
        if kind in _ROWS:
            items = Items((yield from self._rows({**arguments, "InputType": kind}, most)))
        else:
            items = parse_items((yield from self._text(arguments)), self._config, most)
        return items._replace(sources=_uri(arguments.get("Bucket"), arguments.get("Key")))

    def _text(self, arguments: Arguments) -> Generator[Request, Json, str]:
        parts: list[str] = []
        more: Arguments = {}
        while True:
            answer = yield from self._get({**arguments, **more})
            if not isinstance(answer, dict) or not isinstance(answer.get("Body"), str):
                raise read_failed("The service gave no text for the object")
            parts.append(answer["Body"])
            if "Next" not in answer:
                return "".join(parts)
            more = {"Part": answer["Next"]}

    def _rows(self, arguments: Arguments, most: int | None) -> Generator[Request, Json, list[Json]]:
        rows: list[Json] = []
        more: Arguments = {}
        while True:
            answer = yield from self._get({**arguments, **more})
            if not isinstance(answer, dict) or not isinstance(answer.get("Items"), list):
                raise read_failed(f"The service does not read {arguments['InputType']}")
            rows += answer["Items"]
            if "Next" not in answer or (most is not None and len(rows) >= most):
                return rows[:most]
            more = {"Part": answer["Next"]}

    def listed(self, arguments: Arguments) -> Reading:
        """List objects; with LOAD_AND_FLATTEN, read the items of each."""
        flatten = self._config.get("Transformation") == "LOAD_AND_FLATTEN"
        found = yield from self._list(arguments, None if flatten else self._most)
        bucket = arguments.get("Bucket")
        if not flatten:
            return Items(found, sources=f"S3://{bucket}")
        keys = (one["Key"] for one in found if not _is_folder(one))
        return (yield from self._files((bucket, key) for key in keys))

    def _list(self, arguments: Arguments, most: int | None) -> Generator[Request, Json, list[Json]]:
        found: list[Json] = []
        more: Arguments = {}
        while True:
            page = yield from self._calls.call(f"{self._service}:{LIST}", {**arguments, **more})
            listed = page.get("Contents") or []
            if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
                raise read_failed("The service gave no list of objects")
            found += [_listed(one) for one in listed]
            token = page.get("NextContinuationToken")
            if token is None or (most is not None and len(found) >= most):
                return found[:most]
            more = {"ContinuationToken": token}

    def manifest(self, arguments: Arguments) -> Reading:
        """Read the objects that a manifest names: of an S3 inventory, or of Athena."""
        text = yield from self._text(arguments)
        if self._config.get("ManifestType") == "ATHENA_DATA":
            return (yield from self._files(parse_athena_manifest(text)))
        inventory = Inventory(text)
        values: list[Json] = []
        sources: list[str] = []
        for key in inventory.keys:
            if self._enough(values):
                break
            text = yield from self._text({"Bucket": inventory.bucket, "Key": key})
            rows = inventory.parse(text, self._left(values))
            values += rows
            sources += [_uri(inventory.bucket, key)] * len(rows)
        return Items(values, sources=sources)

    def _files(self, objects: Iterable[tuple[Json, str]]) -> Reading:
        """Read the items of several objects, one after the other."""
        values: list[Json] = []
        sources: list[str] = []
        for bucket, key in objects:
            if self._enough(values):
                break
            items = yield from self.file({"Bucket": bucket, "Key": key}, self._left(values))
            values += [items.pair_or_value(index) for index in range(len(items.values))]
            sources += [_uri(bucket, key)] * len(items.values)
        return Items(values, sources=sources)

    def _left(self, values: list[Json]) -> int | None:
        return None if self._most is None else self._most - len(values)

    def _enough(self, values: list[Json]) -> bool:
        return self._most is not None and len(values) >= self._most


def _uri(bucket: Json, key: Json) -> str:
    """Write where an object is as the context object does."""
    return f"S3://{bucket}/{key}"


def _listed(found: Mapping[str, Json]) -> dict[str, Json]:
    """Name the fields of a listed object as Step Functions does, its time in seconds."""
    named = {"Etag" if name == "ETag" else name: value for name, value in found.items()}
    modified = named.get("LastModified")
    if isinstance(modified, str):
        named["LastModified"] = int(datetime.fromisoformat(modified).timestamp())
    return {name: named[name] for name in _LISTED if name in named}


def _is_folder(listed: Mapping[str, Json]) -> bool:
    return str(listed["Key"]).endswith("/") and not listed.get("Size")
