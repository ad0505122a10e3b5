"""Records are put into a delivery stream on this machine: changed, and written to S3.

In: a project, a stream's name, records.  Out: `Delivered`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from runner.app.bundle import open_bundle
from runner.app.emit_lines import large_record
from runner.app.function_calls import no_keeper, settled
from runner.app.functions import deployed_name
from runner.app.local_functions import local_functions
from runner.app.local_places import open_places
from runner.app.refused_options import refused_on_aws
from runner.errors import Fault, Place, UsageError
from runner.local.firehose import MOST_RECORD, Delivered
from runner.model.nearest import listed, suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from runner.app.bundle import Bundle

_TOGETHER = 16 << 20
"""Bytes that are read before they are delivered: memory stays small however many there are."""


@dataclass(frozen=True, slots=True)
class PutRequest:
    """What is put where."""

    root: Path
    environment: str
    stream: str
    arrival: datetime | None = None
    """When the records arrived; now if None."""
    variables: Mapping[str, str] | None = None
    file: str = "FILE"
    """Where records come from, for messages."""


def put_records(
    request: PutRequest,
    records: Iterable[bytes],
    *,
    say: Callable[[str], None] | None = None,
) -> Delivered:
    """Put records into a stream of a local environment; UsageError for what is not there.

    `say` hears of each function that is called because an object arrived.
    """
    bundle = open_bundle(request.root, request.environment, request.variables)
    _check(bundle, request)
    arrival = request.arrival

    def now() -> datetime:
        return arrival or datetime.now(UTC)

    local = open_places(request.root, bundle, now=now)
    function = bundle.streams[request.stream]["transform"]
    called = (f'"{deployed_name(bundle, function)}"',) if function else ()
    functions = local_functions(request.root, bundle, called, say=say)
    services = local.services(keeper=no_keeper, functions=functions)
    found = Delivered()
    try:
        firehose = services.firehose
        assert firehose is not None  # noqa: S101 - every local environment has one
        for batch in _batches(records, request.file):
            found.add(firehose.put(deployed_name(bundle, request.stream), batch))
        found.called += settled(services, say)
    finally:
        services.close()
    return found


def _check(bundle: Bundle, request: PutRequest) -> None:
    advice = "on AWS, producers put records with the SDK (PutRecordBatch)"
    faults = [*refused_on_aws(bundle.environment, request.environment, advice)]
    if request.stream not in bundle.streams:
        known = sorted(bundle.streams)
        faults.append(
            Fault(
                Place("STREAM"),
                "unknown-stream",
                f"`{request.stream}`",
                f"one of {listed(known)}" if known else "a stream under `streams:` in config.yaml",
                suggestion(request.stream, known, otherwise="add it under `streams:`"),
            )
        )
    if faults:
        raise UsageError(faults)


def check_sizes(records: Iterable[bytes], file: str) -> None:
    """Refuse records that Firehose refuses, all at once, before any is delivered."""
    faults = []
    for number, record in enumerate(records, start=1):
        faults += large_record(file, number, len(record), MOST_RECORD, "Firehose")
    if faults:
        raise UsageError(faults)


def _batches(records: Iterable[bytes], file: str) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for number, record in enumerate(records, start=1):
        if faults := large_record(file, number, len(record), MOST_RECORD, "Firehose"):
            raise UsageError(faults)
        batch.append(record)
        size += len(record)
        if size >= _TOGETHER:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
