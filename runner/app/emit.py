"""Events of a file are handed to what reads them: logs, records of Kinesis, changes of tables.

In: a project, the name of a log group, a stream or a table, and lines.  Out: `Emitted`: what each
reader was given and what came of it.  On this machine nothing produces such events; on AWS the
deployed mappings and subscriptions do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.app.bundle import open_bundle
from runner.app.emit_lines import read_changes, read_datas, read_messages
from runner.app.function_calls import Reader, no_keeper, readers, settled
from runner.app.functions import deployed_name
from runner.app.local_functions import local_functions
from runner.app.local_places import open_places
from runner.app.refused_options import refused_on_aws
from runner.errors import Fault, Place, UsageError
from runner.local.firehose import REFUSED, Cause, Delivered
from runner.local.lambdas import problem_of
from runner.local.log_filter import LogFilter, UnknownFilterError, parse_filter
from runner.local.log_payloads import batches, log_events, payload
from runner.local.stream_records import GivenUp, change_records, hand_over, kinesis_records
from runner.model.nearest import listed, suggestion
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from runner.app.bundle import Bundle
    from runner.local.arrivals import Called
    from runner.local.services import LocalServices
    from runner.model.ports import Json

_INVOKE = "arn:aws:states:::lambda:invoke"


@dataclass(frozen=True, slots=True)
class EmitRequest:
    """What is handed to whom."""

    root: Path
    environment: str
    source: str
    """A log group, or a stream or table by its ARN or name."""
    arrival: datetime | None = None
    """When the events happened; now if None."""
    log_stream: str = "local"
    variables: Mapping[str, str] | None = None
    file: str = "FILE"
    """Where the lines come from, for messages."""


class Given(NamedTuple):
    """What a reader was given."""

    reader: str
    """A function, or a stream of config.yaml."""
    event: str
    """Name of the event in function.yaml; `source` for a stream."""
    records: int
    calls: int
    given_up: tuple[GivenUp, ...] = ()
    causes: tuple[Cause, ...] = ()
    """Why a stream kept records aside."""


class Emitted(NamedTuple):
    """What came of all."""

    records: int
    given: tuple[Given, ...]
    objects: tuple[str, ...]
    """URIs of what streams wrote."""
    called: tuple[Called, ...]
    """What was called by objects."""

    @property
    def failed(self) -> bool:
        """Tell whether something did not get through."""
        gone = any(one.given_up for one in self.given)
        broken = any(cause.code != REFUSED for one in self.given for cause in one.causes)
        return gone or broken or any(one.problem for one in self.called)


@dataclass(frozen=True, slots=True)
class _Scene:
    """A local environment whose functions are ready."""

    bundle: Bundle
    services: LocalServices
    now: datetime

    def call(self, function: str, event: Json) -> Json:
        name = deployed_name(self.bundle, function)
        return self.services.do(_INVOKE, {"FunctionName": name, "Payload": event})["Payload"]


def emit_logs(
    request: EmitRequest, lines: Iterable[bytes], *, say: Callable[[str], None] | None = None
) -> Emitted:
    """Hand lines of a log to the functions that subscribe its group, each by its filter."""
    bundle = open_bundle(request.root, request.environment, request.variables)
    waiting = list(readers(bundle, "logs"))
    ours = [one for one in waiting if one.said["group"] == request.source]
    _check(request, bundle, "GROUP", (ours, [one.said["group"] for one in waiting]))
    filters = _filters(ours)
    texts = read_messages(lines, request.file)

    def work(scene: _Scene) -> Iterator[Given]:
        events = list(log_events((text for _, text in texts), scene.now))
        lines_of = {event.id: line for event, (line, _) in zip(events, texts, strict=True)}
        for one, wanted in zip(ours, filters, strict=True):
            matching = [event for event in events if wanted.matches(event.message)]
            calls, problems = 0, []
            for batch in batches(matching):
                told = payload(
                    batch, group=request.source, stream=request.log_stream, subscription=one.event
                )
                calls += 1
                try:
                    scene.call(one.function, told)
                except ServiceError as error:
                    first = batch[0].id
                    problems.append(GivenUp(lines_of[first], first, problem_of(error)))
            yield Given(one.function, one.event, len(matching), calls, tuple(problems))

    return _run(request, bundle, (ours, ()), count=len(texts), work=work, say=say)


def emit_kinesis(
    request: EmitRequest, lines: Iterable[bytes], *, say: Callable[[str], None] | None = None
) -> Emitted:
    """Put lines into a Kinesis stream: the functions and delivery streams that read it get them."""
    bundle = open_bundle(request.root, request.environment, request.variables)
    waiting = list(readers(bundle, "kinesis"))
    ours = [one for one in waiting if _is_named(one.said["stream"], request.source)]
    sources = {name: said["source"] for name, said in bundle.streams.items() if said["source"]}
    fed = [name for name, arn in sorted(sources.items()) if _is_named(arn, request.source)]
    known = [*(one.said["stream"] for one in waiting), *sources.values()]
    _check(request, bundle, "STREAM", ([*ours, *fed], known))
    datas = read_datas(lines, request.file)

    def work(scene: _Scene) -> Iterator[Given]:
        for one in ours:
            records = kinesis_records(datas, one.said["stream"], scene.now)
            yield _handed(scene, one, records)

    return _run(request, bundle, (ours, fed), count=len(datas), work=work, datas=datas, say=say)


def emit_changes(
    request: EmitRequest, lines: Iterable[bytes], *, say: Callable[[str], None] | None = None
) -> Emitted:
    """Hand changes of a DynamoDB table to the functions that read its stream."""
    bundle = open_bundle(request.root, request.environment, request.variables)
    waiting = list(readers(bundle, "dynamodb"))
    ours = [one for one in waiting if _is_named(one.said["stream"], request.source)]
    _check(request, bundle, "TABLE", (ours, [one.said["stream"] for one in waiting]))
    changes = list(read_changes(lines, request.file))

    def work(scene: _Scene) -> Iterator[Given]:
        for one in ours:
            yield _handed(scene, one, change_records(changes, one.said["stream"], scene.now))

    return _run(request, bundle, (ours, ()), count=len(changes), work=work, say=say)


def _handed(scene: _Scene, reader: Reader, records: Iterable[Any]) -> Given:
    found = hand_over(
        records,
        lambda event: scene.call(reader.function, event),
        batch=reader.said["batch"],
        attempts=reader.said["attempts"],
    )
    return Given(reader.function, reader.event, *found)


def _run(
    request: EmitRequest,
    bundle: Bundle,
    readers_of: tuple[Sequence[Reader], Sequence[str]],
    *,
    count: int,
    work: Callable[[_Scene], Iterator[Given]],
    datas: Sequence[bytes] = (),
    say: Callable[[str], None] | None,
) -> Emitted:
    """Open the environment, do the work, feed delivery streams, wait for what objects call."""
    functions, fed = readers_of
    now = request.arrival or datetime.now(UTC)
    local = open_places(request.root, bundle, now=lambda: now)
    transforms = [bundle.streams[name]["transform"] for name in fed]
    called = [*(one.function for one in functions), *filter(None, transforms)]
    wanted = [f'"{deployed_name(bundle, name)}"' for name in called]
    ready = local_functions(request.root, bundle, wanted, say=say)
    services = local.services(keeper=no_keeper, functions=ready)
    try:
        given = list(work(_Scene(bundle, services, now)))
        objects: list[str] = []
        for name in fed:
            found = _fed(services, deployed_name(bundle, name), datas)
            given.append(Given(name, "source", found.records, 1, causes=tuple(found.causes)))
            objects += found.objects
        calls = settled(services, say)
    finally:
        services.close()
    return Emitted(count, tuple(given), tuple(objects), calls)


def _fed(services: LocalServices, stream: str, datas: Sequence[bytes]) -> Delivered:
    firehose = services.firehose
    assert firehose is not None  # noqa: S101 - every local environment has one
    return firehose.put(stream, datas)


def _is_named(arn: str, name: str) -> bool:
    """Tell whether a stream's ARN, or its or its table's name, is meant.

    >>> _is_named("arn:aws:dynamodb:eu-west-1:1:table/orders/stream/2024-05-06T00:00:00", "orders")
    True
    """
    return name in {arn, _short(arn)}


def _short(arn: str) -> str:
    """Give the name of a stream, or of the table whose changes it carries."""
    resource = arn.split(":", 5)[-1]  # the label of a table's stream has colons itself
    return resource.split("/")[1]


def _check(
    request: EmitRequest,
    bundle: Bundle,
    word: str,
    found: tuple[Sequence[object], Sequence[str]],
) -> None:
    """Refuse an environment on AWS, and a source that nothing reads."""
    ours, known = found
    advice = "on AWS, what is deployed reads the source itself"
    faults = [*refused_on_aws(bundle.environment, request.environment, advice)]
    if not ours:
        faults.append(
            Fault(
                Place(word),
                "no-reader",
                f"`{request.source}`, which nothing of the project reads",
                f"one of {listed(known)}" if known else "a source that `events` of a function name",
                _near(request.source, known),
            )
        )
    if faults:
        raise UsageError(faults)


def _near(source: str, known: Sequence[str]) -> str:
    """Give the source that was meant: by its ARN, or by its or its table's name."""
    names = [_short(arn) for arn in known if arn.startswith("arn:")]
    return suggestion(source, [*known, *names], otherwise="name it in `events` of function.yaml")


def _filters(ours: Sequence[Reader]) -> list[LogFilter]:
    found, faults = [], []
    for one in ours:
        try:
            found.append(parse_filter(one.said["filter"]))
        except UnknownFilterError as error:
            faults.append(
                Fault(
                    Place(f"lambdas/{one.function}/function.yaml"),
                    "unsupported-filter",
                    f"events.{one.event}.filter: {error}",
                    'words, phrases in "quotation marks", ?words or -words',
                    "on this machine only such filters are understood; AWS takes the others",
                )
            )
    if faults:
        raise UsageError(faults)
    return found
