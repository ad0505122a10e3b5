"""What a Map under test would hand to its iterations; none of them runs.

In: a Map whose fields are watched, and its test.  Out: the stages of its items, or the refusal of
a configuration that does not fit them.  The Map's own work makes the inputs: its processor is
replaced by one state that gives them back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.machine.definition import Flow, JsonPathIo, Pass
from runner.machine.failures import ReportedError, StateError
from runner.machine.fibers import CallTask, Spawn
from runner.machine.shaping import compact
from runner.machine.state_mocks import MockedError, StateTestRefused
from runner.machine.work import do_work

if TYPE_CHECKING:
    from runner.machine.definition import Map
    from runner.machine.fibers import FlowRun
    from runner.machine.state_bench import Bench
    from runner.machine.state_test import StateTest
    from runner.machine.templates import Env
    from runner.model.ports import Json

_GIVE_BACK = Flow("Item", {"Item": Pass("Item", JsonPathIo(), None)})
_TOO_MANY = "Map iteration failure count must be less than or equal to the number of Map iterations"
_NO_DATA = "ItemReader data must be specified when testing a Map state with ItemReader specified."
_SIZES = "Input array does not equal the mocked result array's size."


def iterate(state: Map, bench: Bench, env: Env) -> None:
    """Make the inputs of the iterations, keep the stages, and count the failures."""
    spawn = _spawn(state, bench, env)
    plain = _spawn(_without_shaping(state), bench, env)
    _keep_items(state, bench, plain)
    _keep_numbers(bench)
    inputs = _inputs(spawn)
    if state.selector is not None:
        bench.stages["afterItemSelector"] = list(bench.seen["selector"])
    if state.distributed is not None and state.distributed.batcher is not None:
        bench.stages["afterItemBatcher"] = [_batch(one) for one in inputs]
    _check_failures(state, spawn, bench.test)
    _check_results(bench.test, {len(spawn.starts), len(plain.starts)})


def _without_shaping(state: Map) -> Map:
    """Give the Map without its selector and batcher: its inputs are the items."""
    plain = state._replace(selector=None)
    if plain.distributed is None:
        return plain
    return plain._replace(distributed=plain.distributed._replace(batcher=None))


def _spawn(state: Map, bench: Bench, env: Env) -> Spawn:
    """Drive the work to where the iterations start; what an ItemReader asks is answered."""
    bench.visit.map_run = None  # each time a new one
    work = do_work(state._replace(processor=_GIVE_BACK), bench.visit, env)
    request = next(work)
    while isinstance(request, CallTask):
        text = bench.test.configuration.reader_data
        if text is None:
            raise StateTestRefused(_NO_DATA)
        request = work.send(_read(request.request.resource, text))
    assert isinstance(request, Spawn)  # noqa: S101  (a Map does not sleep)
    return request


def _read(resource: str, text: str) -> Json:
    if not resource.endswith(":listObjectsV2"):
        return {"Body": text}
    import json  # noqa: PLC0415  (seldom used)

    try:
        listed = json.loads(text)
    except ValueError as error:
        told = "ItemReader data must be valid JSON."
        raise StateTestRefused(told) from error
    return {"Contents": listed} if isinstance(listed, list) else listed


def _inputs(spawn: Spawn) -> list[Json]:
    try:
        return [_end_of(spawn.starts[index]()) for index in range(len(spawn.starts))]
    except StateError as error:
        raise spawn.failure(error) from error


def _end_of(run: FlowRun) -> Json:
    try:
        next(run)
    except StopIteration as ended:
        return ended.value
    raise AssertionError  # pragma: no cover - a Pass asks for nothing


def _keep_items(state: Map, bench: Bench, plain: Spawn) -> None:
    """Keep the items as they were before the selector and the batcher."""
    reader = None if state.distributed is None else state.distributed.reader
    if reader is not None and "ItemsPointer" in reader.config.source:
        bench.stages["afterItemsPointer"] = _inputs(plain)
    elif isinstance(state.io, JsonPathIo):
        bench.stages["afterItemsPath"] = _inputs(plain)


def _keep_numbers(bench: Bench) -> None:
    stages = bench.stages
    stages["maxConcurrency"] = int(bench.last("max_concurrency") or 0)
    if "tolerated_count" in bench.seen:
        stages["toleratedFailureCount"] = int(bench.last("tolerated_count"))
    if "tolerated_percentage" in bench.seen:
        stages["toleratedFailurePercentage"] = float(bench.last("tolerated_percentage"))


def _batch(value: Json) -> Json:
    """Write a batch as AWS shows it: its items are JSON texts."""
    return {**value, "Items": [compact(item) for item in value["Items"]]}


def _check_failures(state: Map, spawn: Spawn, test: StateTest) -> None:
    failed, of = test.configuration.failed_iterations, len(spawn.starts)
    if failed > of:
        raise StateTestRefused(_TOO_MANY)
    if test.mock is None or isinstance(test.mock, MockedError):
        return
    tolerates = state.tolerated_count is not None or state.tolerated_percentage is not None
    is_distributed = state.distributed is not None
    if is_distributed and tolerates and spawn.tolerance.exceeded(failed, of):
        raise spawn.failure(ReportedError(None))


def _check_results(test: StateTest, sizes: set[int]) -> None:
    """Compare the number of results with the items, or with their batches."""
    results = None if isinstance(test.mock, MockedError) or test.mock is None else test.mock.value
    if isinstance(results, list) and len(results) not in sizes:
        raise StateTestRefused(_SIZES)
