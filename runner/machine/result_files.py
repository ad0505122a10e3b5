"""A distributed Map's ResultWriter: the form of the results, and the files of them in S3.

In: the writer, the ended Map Run, the children's outputs.  Out: the state's result: the results
themselves, or where their manifest is.  Files: `manifest.json` beside `SUCCEEDED_0.json`,
`FAILED_0.json` (timed out and aborted children, too) and `PENDING_0.json`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from runner.machine import shaping
from runner.machine.failures import QUERY, WRITE_FAILED, ReportedError, StateError
from runner.machine.map_runs import ChildStatus
from runner.machine.s3_calls import S3Calls

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence

    from runner.machine.definition import Writer
    from runner.machine.fibers import Request, Visit
    from runner.machine.map_runs import MapRun
    from runner.machine.templates import Env
    from runner.model.ports import Json

_MOST_CHARACTERS = 64 * 1024 * 1024
"""The size at which a file of results ends and another begins: Step Functions has 5 GB."""


class _Form(StrEnum):
    """What is told of a child that succeeded."""

    NONE = "NONE"
    """Its execution, with input, output and instants."""
    COMPACT = "COMPACT"
    """Its output."""
    FLATTEN = "FLATTEN"
    """Its output; if that is an array, the elements."""


def _form(writer: Writer | None, env: Env) -> _Form:
    if writer is None:
        return _Form.COMPACT
    default = _Form.COMPACT if writer.arguments is None else _Form.NONE
    given = writer.config.evaluate(env).get("Transformation", default)
    if given not in tuple(_Form):
        raise StateError(QUERY, f"The Transformation {given} of the results is not supported")
    return _Form(given)


def keeps_ends(writer: Writer | None, env: Env) -> bool:
    """Tell whether results need more of the children that succeeded than the list of outputs."""
    exported = writer is not None and writer.arguments is not None
    return exported or _form(writer, env) is _Form.NONE


class Results:
    """The results of one Map Run."""

    def __init__(self, writer: Writer | None, run: MapRun, visit: Visit, env: Env) -> None:
        """Evaluate the writer's fields, before anything runs."""
        self._run = run
        self._form = _form(writer, env)
        self._writer = writer
        self._calls = S3Calls(visit, "write")
        self._target: Json = None
        self._by_line = False
        if writer is not None and writer.arguments is not None:
            self._target = writer.arguments.evaluate(env)
            self._by_line = writer.config.evaluate(env).get("OutputType") == "JSONL"

    def write(self, outputs: Sequence[Json]) -> Generator[Request, Json, Json]:
        """Write the files, if there are to be any; gives the state's result."""
        if self._target is None:
            return [one for index, output in enumerate(outputs) for one in self._of(index, output)]
        try:
            return (yield from self._write_files(_checked(self._target)))
        except StateError as error:
            raise ReportedError(WRITE_FAILED, error.cause) from error

    def _of(self, index: int, output: Json) -> Sequence[Json]:
        """Give what is told of a child: of one that failed, always its execution."""
        child = self._run.children.get(index)
        kept = child is not None and _succeeded(child.status)
        if self._form is _Form.NONE or (not kept and (child is not None or self._target)):
            return (self._run.record(index),)
        return output if self._form is _Form.FLATTEN and isinstance(output, list) else (output,)

    def _write_files(self, target: Mapping[str, Json]) -> Generator[Request, Json, Json]:
        bucket = target["Bucket"]
        prefix = str(target.get("Prefix") or "").rstrip("/")
        folder = f"{prefix}/{self._run.id}" if prefix else self._run.id
        files: dict[str, list[Json]] = {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
        for status, listed in files.items():
            for number, body in enumerate(self._bodies(self._in_file(status))):
                key = f"{folder}/{status}_{number}.json"
                yield from self._put(bucket, key, body)
                listed.append({"Key": key, "Size": shaping.size_of(body)})
        manifest = {
            "DestinationBucket": bucket,
            "MapRunArn": self._run.arn,
            "ResultFiles": files,
        }
        key = f"{folder}/manifest.json"
        yield from self._put(bucket, key, shaping.compact(manifest))
        self._run.written = True
        return {
            "MapRunArn": self._run.arn,
            "ResultWriterDetails": {"Bucket": bucket, "Key": key},
        }

    def _put(self, bucket: Json, key: str, body: str) -> Generator[Request, Json, None]:
        assert self._writer is not None  # noqa: S101  (there is a target)
        arguments = {"Bucket": bucket, "Key": key, "Body": body}
        yield from self._calls.call(self._writer.resource, arguments)

    def _in_file(self, name: str) -> Iterator[Json]:
        children = self._run.children
        for index in range(len(self._run.inputs)):
            child = children.get(index)
            if _file_of(ChildStatus.PENDING if child is None else child.status) == name:
                yield from self._of(index, None if child is None else child.output)

    def _bodies(self, results: Iterable[Json]) -> Iterator[str]:
        """Write the texts of files, none if there are no results."""
        for lines in split_lines(map(shaping.compact, results), most=_MOST_CHARACTERS):
            if self._by_line:
                yield "".join(f"{line}\n" for line in lines)
            else:
                yield f"[{','.join(lines)}]"


def _checked(target: Json) -> Mapping[str, Json]:
    """Give the arguments of a writer that say where the results go."""
    if isinstance(target, dict) and isinstance(target.get("Bucket"), str):
        return target
    told = f"The ResultWriter needs the name of a Bucket, but has {shaping.compact(target)}"
    raise StateError(WRITE_FAILED, told)


def split_lines(lines: Iterable[str], *, most: int) -> Iterator[list[str]]:
    """Group lines; a group ends with the line by which it has so many characters.

    >>> list(split_lines(["a", "bb", "ccc", "d"], most=3))
    [['a', 'bb'], ['ccc'], ['d']]
    >>> list(split_lines([], most=3))
    []
    """
    group: list[str] = []
    size = 0
    for line in lines:
        group.append(line)
        size += len(line)
        if size >= most:
            yield group
            group, size = [], 0
    if group:
        yield group


def _succeeded(status: ChildStatus) -> bool:
    return status is ChildStatus.SUCCEEDED


def _file_of(status: ChildStatus) -> str:
    if status in {ChildStatus.SUCCEEDED, ChildStatus.PENDING}:
        return status.value
    return "FAILED"
