"""Compiled definitions run by an interpreter that is not ours, and by ours, with the same end.

moto's interpreter knows nothing of this project, so a definition that it runs is Amazon States
Language and not a dialect.  The services are in this process: the real keeper on a folder, the
rest scripted.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from runner.asl.build import render
from runner.asl.compile import compile_loads
from runner.asl.validate import check_machine
from runner.machine import ExecutionContext, TaskRequest, VirtualClock, parse_definition, run
from runner.model.ports import Json, ServiceError
from tests.support.definitions import EVERY_STEP, ICEBERG, STEPS, TABLES, compiled
from tests.support.moto_machine import EXECUTION, MACHINE, Ended, run_with_moto
from tests.support.projects import project, table
from tests.support.scripted import ROWS, Scripted, query_failed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WINDOW = {"start": "2013-01-01", "end": "2013-01-03"}
HOPELESS = query_failed("COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved")
PASSING = query_failed("HIVE_CURSOR_ERROR: Please reduce your request rate")
THROTTLED = ServiceError("Athena.TooManyRequestsException", "Rate exceeded")


class Both:
    """Runs a definition with moto's interpreter and with ours, each on services of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    def __call__(
        self,
        definition: bytes,
        given: Json = WINDOW,
        **scripts: Any,  # noqa: ANN401
    ) -> tuple[Ended, Scripted]:
        functions = {"validate": lambda payload: {"saw": len(payload["results"])}}
        self._count += 1
        worlds = [
            Scripted(self._folder / f"{name}{self._count}", **{"functions": functions, **scripts})
            for name in ("moto", "ours")
        ]
        theirs = run_with_moto(definition, given, worlds[0].do)
        ours = run(
            parse_definition(definition),
            given,
            service=Caller(worlds[1]),
            clock=VirtualClock(),
            context=ExecutionContext(EXECUTION, EXECUTION.rpartition(":")[2], MACHINE, "daily"),
            random=random.Random(1),  # noqa: S311 - the seed of jitter
        )
        told = (ours.status.value, ours.output, ours.error, ours.cause)
        assert told == (theirs.status, theirs.output, theirs.error, theirs.cause)
        assert worlds[0].loaded == worlds[1].loaded
        assert worlds[0].tables == worlds[1].tables
        assert calls(worlds[0]) == calls(worlds[1])
        return theirs, worlds[0]


class Caller:
    """Our interpreter's port to the scripted services."""

    def __init__(self, world: Scripted) -> None:
        self._world = world

    def call(self, request: TaskRequest) -> Json:
        return self._world.do(request.state, request.resource, request.arguments)


def calls(world: Scripted) -> list[str]:
    """Name the states that called, in an order that does not depend on parallel lanes."""
    return sorted(state for state, _, _ in world.calls)


@pytest.fixture
def both(tmp_path: Path) -> Both:
    return Both(tmp_path)


def statuses(ended: Ended) -> dict[str, str]:
    return {f"{one['kind']} {one['name']}": one["status"] for one in ended.output["results"]}


def test_a_project_of_every_kind_of_table_runs_to_its_end(both: Both) -> None:
    ended, world = both(compiled())
    assert ended.status == "SUCCEEDED"
    assert statuses(ended) == {
        "table raw.flights": "published",
        "table staging.flights": "published",
        "table marts.daily": "published",
        "table marts.routes": "published",
        "table marts.names": "published",
        "lambda validate": "succeeded",
        "load marts.daily": "loaded",
    }
    assert ended.output["window"] == {**WINDOW, "grain": "day"}
    assert world.loaded == [("daily", 9)]
    assert sorted(world.tables) == [
        ("marts", "daily"),
        ("marts", "names"),
        ("marts", "routes"),
        ("raw", "flights"),
        ("staging", "flights"),
    ]
    days = sorted(path.name for path in (world.root / "lake/marts/daily/g=1").iterdir())
    assert days == ["dt=2013-01-01", "dt=2013-01-02", "dt=2013-01-03"]


def test_the_analysts_text_reaches_athena_unchanged(both: Both) -> None:
    """SEMANTICS 25: quotes, backslashes and what looks like an expression included."""
    _, world = both(compiled())
    (view,) = world.statements("marts.names create")
    assert view["QueryString"] == (
        'CREATE OR REPLACE VIEW "marts"."names" AS\n'
        "SELECT 'it''s \"quoted\" \\ {% x %}' AS a FROM raw.flights"
    )
    (insert,) = world.statements("staging.flights insert")
    assert insert["QueryString"].endswith(
        ' ("n", "dt") SELECT "n", "dt" FROM (\n'
        "SELECT * FROM raw.flights WHERE dt BETWEEN '2013-01-01' AND '2013-01-03'\n)"
    )


def test_a_ctas_and_an_insert_share_a_lane(both: Both) -> None:
    ended, _ = both(compiled(lanes=1))
    assert ended.status == "SUCCEEDED"
    assert len(statuses(ended)) == 7


def test_a_window_over_100_partitions_runs_in_chunks(both: Both) -> None:
    """SEMANTICS 22 and 23."""
    window = {"start": "2013-01-01", "end": "2013-04-11", "only": ["staging.flights"]}
    ended, world = both(compiled(), window)
    assert [one["result"]["partitions"] for one in ended.output["results"][:1]] == [101]
    inserts = world.statements("staging.flights insert")
    assert [one["QueryString"][-39:] for one in inserts] == [
        "BETWEEN '2013-01-01' AND '2013-04-10'\n)",
        "BETWEEN '2013-04-11' AND '2013-04-11'\n)",
    ]
    assert len({one["ClientRequestToken"] for one in inserts}) == 2


def test_semantics_34_a_failed_table_skips_its_readers_and_the_end_lists_all(both: Both) -> None:
    failures = {"staging.flights insert": [HOPELESS]}
    ended, world = both(compiled(), failures=failures)
    assert (ended.status, ended.error) == ("FAILED", "Runner.StepsFailed")
    assert ended.cause == (
        "staging.flights failed: COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved; "
        "marts.daily skipped (upstream failed); marts.routes skipped (upstream failed); "
        "validate skipped (upstream failed); loads skipped (upstream failed)"
    )
    assert ("marts", "names") in world.tables  # reads only raw.flights
    assert world.loaded == []
    assert len(world.statements("staging.flights insert")) == 1  # hopeless: not tried again


def test_semantics_6_a_failure_that_may_pass_is_tried_again_from_a_new_stage(both: Both) -> None:
    ended, world = both(compiled(), failures={"staging.flights insert": [PASSING]})
    assert ended.status == "SUCCEEDED"
    first, second = world.statements("staging.flights insert")
    assert first["QueryString"] != second["QueryString"]
    assert first["ClientRequestToken"] != second["ClientRequestToken"]
    assert {path.name for path in world.root.glob("lake/_runner/stage/*")} <= {"marts"}


def test_semantics_6_attempts_are_limited(both: Both) -> None:
    ended, world = both(compiled(), failures={"marts.routes write": [PASSING] * 5})
    assert ended.cause == (
        "marts.routes failed: HIVE_CURSOR_ERROR: Please reduce your request rate; "
        "validate skipped (upstream failed); loads skipped (upstream failed)"
    )
    assert len(world.statements("marts.routes write")) == 3


def test_semantics_6_throttling_is_retried_in_place_with_the_same_token(
    both: Both,
) -> None:
    ended, world = both(compiled(), failures={"marts.routes write": [THROTTLED, THROTTLED]})
    assert ended.status == "SUCCEEDED"
    calls = world.statements("marts.routes write")
    assert len(calls) == 3
    assert len({(one["ClientRequestToken"], one["QueryString"]) for one in calls}) == 1


def test_only_leaves_the_other_tables_alone(both: Both) -> None:
    """SEMANTICS 17 and 33."""
    ended, world = both(compiled(), {**WINDOW, "only": ["raw.flights", "staging.flights"]})
    assert statuses(ended) == {
        "table raw.flights": "published",
        "table staging.flights": "published",
        "lambda validate": "succeeded",
    }
    assert world.loaded == []


def test_an_input_with_unknown_keys_ends_the_execution(both: Both) -> None:
    """SEMANTICS 17."""
    ended, world = both(compiled(), {**WINDOW, "sql": "DROP TABLE x"})
    assert (ended.status, ended.error) == ("FAILED", "InvalidInput")
    assert calls(world) == ["begin"]


def test_semantics_13_a_failed_test_publishes_nothing(both: Both) -> None:
    strict = table("marts.daily", "staging.flights", tests=[{"min_rows": ROWS + 1}])
    ended, world = both(compiled(*TABLES[:2], strict, steps={"tables": STEPS["tables"]}))
    assert ended.cause is not None
    assert ended.cause.startswith("marts.daily failed: TestsFailed: marts.daily: min_rows: 4: 3 ")
    assert not (world.root / "lake/marts/daily").exists()


def raising(name: str) -> Callable[[Json], Json]:
    error = type(name, (Exception,), {})

    def handle(payload: Json) -> Json:
        raise error(payload["step"])

    return handle


def test_steps_of_every_type_run(both: Both) -> None:
    steps = {name: step for name, step in EVERY_STEP.items() if name != "queue"}
    steps["both"] = {**steps["both"], "needs": ["pause", "beside"]}
    ended, world = both(compiled(steps=steps))
    assert ended.status == "SUCCEEDED"
    found = statuses(ended)
    assert {name: status for name, status in found.items() if not name.startswith("table")} == {
        "lambda first": "succeeded",
        "wait pause": "succeeded",
        "lambda beside": "succeeded",
        "asl both": "succeeded",
        "load marts.daily": "loaded",
        "sns tell": "succeeded",
    }
    assert [one["Message"] for one in world.messages] == ["m"]


@pytest.mark.parametrize(
    ("error", "status", "entered"),
    [
        ("NotToday", "caught", "tables wave 1"),
        ("TooFew", "failed", "alert run"),
        ("Other", "failed", "first explain"),
    ],
)
def test_a_steps_own_catchers_come_before_the_explanation(
    both: Both, error: str, status: str, entered: str
) -> None:
    steps = {name: EVERY_STEP[name] for name in ("first", "tables", "alert")}
    ended, _ = both(compiled(steps=steps), functions={"validate": raising(error)})
    assert entered in ended.entered
    if status == "caught":
        assert statuses(ended)["lambda first"] == "caught"
    else:
        assert ended.status == "FAILED"
        assert ended.cause is not None
        assert ended.cause.startswith("first failed: ")


def test_a_step_that_was_skipped_whole_skips_what_needs_it(both: Both) -> None:
    """SEMANTICS 34: the loads must not go on with what an earlier run published."""
    steps = {
        "first": EVERY_STEP["first"],
        "tables": {"type": "tables", "needs": ["first"]},
        "loads": {"type": "loads", "needs": ["tables"]},
        "alert": EVERY_STEP["alert"],
    }
    ended, world = both(compiled(steps=steps), functions={"validate": raising("Other")})
    assert ended.cause == (
        "first failed: Other: first; "
        "tables skipped (upstream failed); loads skipped (upstream failed)"
    )
    assert world.loaded == []


def test_semantics_1_a_redriven_insert_leaves_the_stage_of_the_run_before(tmp_path: Path) -> None:
    """The redrive comes between the stage table and the INSERT, which was aborted."""
    world = Scripted(tmp_path)
    execution: dict[str, Json] = {"RedriveCount": 0}

    def do(state: str, resource: str, arguments: Json) -> Json:
        if state == "staging.flights stage":
            execution["RedriveCount"] = 1
        return world.do(state, resource, arguments)

    definition = compiled(*TABLES[:2], steps={"tables": STEPS["tables"]})
    ended = run_with_moto(definition, WINDOW, do, execution=execution)
    assert ended.status == "SUCCEEDED"
    first, second = world.statements("staging.flights stage")
    assert "/daily.run-1/0/1/" in first["TableInput"]["StorageDescriptor"]["Location"]
    assert "/daily.run-1/1/2/" in second["TableInput"]["StorageDescriptor"]["Location"]
    (insert,) = world.statements("staging.flights insert")
    assert second["TableInput"]["Name"] in insert["QueryString"]


def test_an_iceberg_table_is_made_and_merged(both: Both) -> None:
    failures = {"marts.changes merge": [query_failed("ICEBERG_COMMIT_ERROR: Failed to commit")]}
    definition = compiled(*TABLES[:2], ICEBERG, steps={"tables": STEPS["tables"]})
    ended, world = both(definition, failures=failures)
    assert ended.status == "SUCCEEDED", ended.cause
    assert statuses(ended)["table marts.changes"] == "published"
    first, second = world.statements("marts.changes merge")
    assert first["QueryString"] != second["QueryString"]
    assert first["ClientRequestToken"] != second["ClientRequestToken"]
    assert world.tables["marts", "changes"]["Parameters"] == {"table_type": "ICEBERG"}


def test_the_machine_of_loads_refuses_what_is_not_published(both: Both) -> None:
    """SEMANTICS 37: it loads records' files, and there are none of this window."""
    machine = compile_loads(project(*TABLES))
    check_machine(machine, render(machine), file="load")
    ended, world = both(render(machine))
    assert ended.status == "FAILED"
    assert ended.cause is not None
    assert ended.cause.startswith("marts.daily failed: NothingPublished: marts.daily: 2013-01-01, ")
    assert world.loaded == []


def test_the_machine_of_loads_loads_only_what_it_is_told(both: Both) -> None:
    """Neither a schedule nor a table without a load is part of it."""
    definition = render(compile_loads(project(*TABLES)))
    for given, complaint in (
        ({**WINDOW, "only": ["staging.flights"]}, "which this workflow does not write"),
        ({"scheduled_time": "2013-01-05T16:00:00Z"}, "no schedule"),
    ):
        ended, world = both(definition, given)
        assert (ended.error, world.loaded) == ("InvalidInput", [])
        assert complaint in str(ended.cause)
