"""Following, stopping and redriving executions of the example, whose histories are by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from runner.app.bundle import ChildFacts, open_bundle
from runner.app.cloud import Cloud
from runner.app.cloud_run import CloudHooks, run_on_aws
from runner.app.deployed import Deployed
from runner.app.execution_history import deployed_history
from runner.app.execution_watch import Pace
from runner.app.redrive import RedriveRequest, redrive_on_aws
from runner.app.run import RunRequest, run
from runner.app.status import Wanted, execution_detail, recent_executions
from runner.app.stopping import Stopper
from runner.errors import CloudRefused, UsageError
from tests.support.commands import copy_example
from tests.support.fake_states import STATES, FakeStates, Known
from tests.support.histories import Written, query_execution

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from runner.app.bundle import Bundle
    from runner.app.progress import Progress

NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
WINDOW = {"start": "2013-01-01", "end": "2013-01-01", "grain": "day"}
ACTION = "startQueryExecution.sync"
CHILD = "flights-prod-daily-tables-1-1"
SELECTED = [
    "raw.flights",
    "staging.flights",
    "staging.weather",
    "marts.daily_carrier_delay",
    "marts.carrier_delay_7d",
    "marts.route_summary",
]
REASON = "COLUMN_NOT_FOUND: line 1:20: Column 'carier' cannot be resolved"
TASK = "arn:aws:ecs:us-east-1:123456789012:task/loads/0123456789abcdef"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_example(tmp_path_factory.mktemp("example") / "flights")


@pytest.fixture(scope="module")
def nested(root: Path) -> Bundle:
    """The example for prod; two of its tables stand in an execution of their own."""
    bundle = open_bundle(root, "prod")
    child = ChildFacts("tables-1-1", CHILD, "tables wave 1 part 1", ("staging.weather",), "{}")
    workflows = tuple(
        replace(one, children=(child,)) if one.name == "daily" else one for one in bundle.workflows
    )
    return replace(bundle, workflows=workflows)


@pytest.fixture
def states(nested: Bundle) -> Iterator[FakeStates]:
    definitions = {f"flights-prod-{one.name}": one.definition for one in nested.workflows}
    fake = FakeStates(definitions={**definitions, CHILD: "{}"})
    yield fake
    fake.close()


@pytest.fixture
def deployed(root: Path, nested: Bundle, states: FakeStates) -> Deployed:
    return Deployed(Cloud(root, nested, states))  # type: ignore[arg-type] # it gives clients too


class Heard:
    """What was told of an execution."""

    def __init__(self) -> None:
        self.progress: list[Progress] = []
        self.notes: list[str] = []
        self.slept = 0.0
        self.stopper = Stopper()

    def sleep(self, seconds: float) -> None:
        self.slept += seconds

    @property
    def hooks(self) -> CloudHooks:
        return CloudHooks(
            tell=self.progress.append,
            say=self.notes.append,
            stopper=self.stopper,
            chance=Random(1),  # noqa: S311 - of waiting
            sleep=self.sleep,
        )


def request(root: Path, **fields: Any) -> RunRequest:  # noqa: ANN401
    window = {"start": "2013-01-01", "end": "2013-01-01"}
    return RunRequest(root, "daily", "prod", **{**window, **fields})


def insert_turn(written: Written, table: str, query: str, *, rows: int, scanned: int) -> None:
    """Write the turn of a table that is published."""
    written.enter(f"{table} choose", "Choice")
    written.enter(f"{table} start", "Pass")
    written.keeper(f"{table} prepare", {"change": "none"})
    written.statement(f"{table} insert", query, scanned)
    written.keeper(f"{table} publish", {"complete": True, "partitions": 1})
    written.keeper(f"{table} finish", {"rows": rows, "bytes": 2048, "partitions": 1})


def failing_turn(written: Written, table: str, query: str) -> None:
    written.enter(f"{table} choose", "Choice")
    written.enter(f"{table} start", "Pass")
    written.submit(f"{table} insert", query)
    cause = query_execution(query, "FAILED", reason=REASON)
    written.fail("athena", ACTION, "States.TaskFailed", {"QueryExecution": cause})
    found = {"retry": False, "message": REASON, "advice": "Correct the column's name."}
    written.keeper(f"{table} diagnose", found)
    written.enter(f"{table} fail", "Pass")


def load_turn(written: Written, table: str, rows: int) -> None:
    name = f"{table} load"
    written.enter(f"{name} choose", "Choice")
    written.keeper(f"{name} plan", {"rows": rows, "bytes": 100})
    written.called(f"{name} run", "ecs", "runTask.sync")
    task = {
        "TaskArn": TASK,
        "ClusterArn": "arn:aws:ecs:us-east-1:123456789012:cluster/loads",
        "TaskDefinitionArn": "arn:aws:ecs:us-east-1:123456789012:task-definition/"
        "flights-prod-embulk-main:3",
    }
    kind: dict[str, Any] = {"resourceType": "ecs", "resource": "runTask.sync"}
    written.add("TaskSubmitted", **kind, output=json.dumps({"Tasks": [task], "Failures": []}))
    ended: dict[str, Any] = {
        **task,
        "StopCode": "EssentialContainerExited",
        "Containers": [{"ExitCode": 0}],
    }
    written.answered(f"{name} run", "ecs", "runTask.sync", ended)
    written.keeper(f"{name} confirm", {"rows": rows})


def whole_run(states: FakeStates, name: str) -> tuple[Written, Known]:
    """Write a run with a table that fails, one in a child, and a load; gives it and the child."""
    parent, child = Written(), Written()
    parent.start({"start": "2013-01-01", "end": "2013-01-01"})
    parent.keeper("begin", {"window": WINDOW, "selected": SELECTED})
    parent.enter("raw.flights choose", "Choice")
    parent.keeper("raw.flights prepare", {"change": "none"})
    parent.enter("raw.flights keep", "Pass")
    insert_turn(parent, "staging.flights", "q-1", rows=842, scanned=25_000_000)
    parent.called("tables wave 1 part 1 execute", "states", "startExecution.sync:2")
    nested: dict[str, Any] = {"resourceType": "states", "resource": "startExecution.sync:2"}
    arn = f"{STATES}:execution:{CHILD}:{name}"
    parent.add("TaskSubmitted", **nested, output=json.dumps({"ExecutionArn": arn}))
    child.began = parent.events[-1]["timestamp"]
    child.start({"window": WINDOW, "selected": SELECTED, "down": []})
    child.enter("receive", "Pass")
    insert_turn(child, "staging.weather", "q-2", rows=139, scanned=1000)
    child.end("Succeeded", output="{}")
    told = {"ExecutionArn": arn, "Status": "SUCCEEDED", "Output": {"results": []}}
    parent.answered("tables wave 1 part 1 execute", "states", "startExecution.sync:2", told)
    failing_turn(parent, "marts.daily_carrier_delay", "q-3")
    parent.enter("marts.carrier_delay_7d choose", "Choice")
    insert_turn(parent, "marts.route_summary", "q-4", rows=176, scanned=1_000_000)
    load_turn(parent, "marts.route_summary", 176)
    parent.enter("marts.daily_carrier_delay load choose", "Choice")
    parent.enter("failed", "Fail")
    parent.end("Failed", error="Runner.StepsFailed", cause="marts.daily_carrier_delay failed")
    return parent, states.add(Known(CHILD, name, {}, child))


def starting(states: FakeStates, **fields: Any) -> None:  # noqa: ANN401
    def start(machine: str, name: str, given: dict[str, Any]) -> Known:
        written, _ = whole_run(states, name)
        ended: dict[str, Any] = {"status": "FAILED", "error": "Runner.StepsFailed", "cause": "see"}
        return Known(machine, name, given, written, **{**ended, **fields})

    states.on_start = start


def test_a_whole_run_is_told_and_summed_up_as_one_on_this_machine(
    deployed: Deployed, states: FakeStates, root: Path
) -> None:
    starting(states, shown=4, step=7)
    heard = Heard()
    result = run_on_aws(request(root), deployed.cloud, now=lambda: NOW, hooks=heard.hooks)
    assert (result.status, result.error) == ("FAILED", "Runner.StepsFailed")
    assert (result.start, result.end) == ("2013-01-01", "2013-01-01")
    assert result.run.startswith("daily-20261125T080000-")
    assert {(one.name, one.kind): (one.status, one.rows) for one in result.ended} == {
        ("raw.flights", "table"): ("unchanged", 0),
        ("staging.flights", "table"): ("published", 842),
        ("staging.weather", "table"): ("published", 139),
        ("marts.daily_carrier_delay", "table"): ("failed", 0),
        ("marts.carrier_delay_7d", "table"): ("skipped", 0),
        ("marts.route_summary", "table"): ("published", 176),
        ("marts.route_summary", "load"): ("loaded", 176),
        ("marts.daily_carrier_delay", "load"): ("skipped", 0),
    }
    (failed,) = [one for one in result.ended if one.status == "failed"]
    assert failed.message == "COLUMN_NOT_FOUND: line 1:20: Column 'carier' cannot be resolved"
    assert failed.place.startswith("sql/marts/daily_carrier_delay.sql")
    assert failed.advice == "Correct the column's name."
    ends = [(one.subject, one.phase) for one in heard.progress if one.phase in ("done", "failed")]
    assert ends == [
        ("staging.flights", "done"),
        ("staging.weather", "done"),
        ("marts.daily_carrier_delay", "failed"),
        ("marts.route_summary", "done"),
        ("marts.route_summary load", "done"),
    ]
    assert result.again == f"runner redrive {result.run} --env prod"


def test_statements_are_told_with_what_they_cost(
    deployed: Deployed, states: FakeStates, root: Path
) -> None:
    """25 MB, 10 MB at least for two others, nothing for one that failed: 45 MB at 5 USD a TB."""
    starting(states)
    result = run_on_aws(request(root), deployed.cloud, now=lambda: NOW, hooks=Heard().hooks)
    statements = sorted(result.statements, key=lambda one: one.query)
    assert [(one.query, one.state, one.status, one.scanned) for one in statements] == [
        ("q-1", "staging.flights insert", "SUCCEEDED", 25_000_000),
        ("q-2", "staging.weather insert", "SUCCEEDED", 1000),
        ("q-3", "marts.daily_carrier_delay insert", "FAILED", 0),
        ("q-4", "marts.route_summary insert", "SUCCEEDED", 1_000_000),
    ]
    assert result.cost == pytest.approx(45e6 / 1e12 * 5)
    assert statements[2].reason == REASON
    assert statements[0].seconds == 61.5
    links = dict(result.links)
    task = "https://us-east-1.console.aws.amazon.com/ecs/v2/clusters/loads/tasks/0123456789abcdef"
    assert links["task of marts.route_summary load run"] == f"{task}?region=us-east-1"
    assert "$252Fecs$252Fflights-prod-embulk-main" in links["log of flights-prod-embulk-main"]
    assert CHILD in links[f"execution of {CHILD}"]


def test_ctrl_c_stops_the_execution_first_then_its_children_and_statements(
    deployed: Deployed, states: FakeStates, root: Path
) -> None:
    def start(machine: str, name: str, given: dict[str, Any]) -> Known:
        written = Written()
        written.start(given)
        written.keeper("begin", {"window": WINDOW, "selected": SELECTED})
        written.submit("staging.flights insert", "q-1")
        written.submit("marts.route_summary insert", "q-2")
        written.called("tables wave 1 part 1 execute", "states", "startExecution.sync:2")
        arn = f"{STATES}:execution:{CHILD}:{name}"
        kind: dict[str, Any] = {"resourceType": "states", "resource": "startExecution.sync:2"}
        written.add("TaskSubmitted", **kind, output=json.dumps({"ExecutionArn": arn}))
        child = Written(began=written.events[-1]["timestamp"])
        child.start({})
        child.submit("staging.weather insert", "q-3")
        shown = len(child.events)
        child.enter("never seen", "Pass")
        states.add(Known(CHILD, name, {}, child, shown=shown))
        shown = len(written.events)
        written.enter("never seen", "Pass")
        return Known(machine, name, given, written, shown=shown)

    states.on_start, states.ended_queries = start, frozenset({"q-2"})
    heard = Heard()
    heard.stopper.stop()
    result = run_on_aws(request(root), deployed.cloud, now=lambda: NOW, hooks=heard.hooks)
    made = [call for call in states.calls if call[0].startswith("stop")]
    assert made == [
        ("stop", result.run),
        ("stop", result.run),
        ("stop query", "q-1"),
        ("stop query", "q-2"),
        ("stop query", "q-3"),
    ]
    assert (result.status, result.error) == ("ABORTED", "Runner.Stopped")
    assert {one.status for one in result.statements} == {"CANCELLED"}
    assert heard.stopper.left == (
        f"left; AWS goes on without you: runner run --follow {result.run} --env prod"
    )


def test_an_execution_is_told_of_before_it_is_started(
    deployed: Deployed, states: FakeStates, root: Path
) -> None:
    """A Ctrl-C that comes while it is being started stops it too."""
    starting(states)
    heard = Heard()

    def started(name: str, workflow: str, window: str) -> None:
        assert states.calls == []
        assert (workflow, window) == ("daily", "2013-01-01..2013-01-01")
        assert heard.stopper.left.endswith(f"--follow {name} --env prod")
        heard.stopper.stop()

    hooks = replace(heard.hooks, started=started)
    result = run_on_aws(request(root), deployed.cloud, now=lambda: NOW, hooks=hooks)
    assert states.calls[:2] == [("start", "flights-prod-daily"), ("stop", result.run)]


def test_a_redrive_of_failed_steps_starts_what_is_left(
    deployed: Deployed, states: FakeStates, root: Path
) -> None:
    """SEMANTICS 34: the same window, failed and skipped tables; a scheduled run has no window."""
    written, _ = whole_run(states, "e-1")
    given = {"scheduled_time": "2013-01-02T08:00:00Z"}
    ended: dict[str, Any] = {"status": "FAILED", "error": "Runner.StepsFailed"}
    states.add(Known("flights-prod-daily", "e-1", given, written, **ended))
    starting(states)
    order = RedriveRequest(root, environment="prod", detach=True)
    result = redrive_on_aws(order, deployed, hooks=Heard().hooks, now=NOW)
    started = states.executions[f"{STATES}:execution:flights-prod-daily:{result.run}"]
    assert started.given == {
        "start": "2013-01-01",
        "end": "2013-01-01",
        "only": ["marts.daily_carrier_delay", "marts.carrier_delay_7d"],
    }
    assert ("redrive", "") not in states.calls


def stopped(states: FakeStates, **fields: Any) -> Known:  # noqa: ANN401
    written = Written()
    written.start({})
    written.end("Aborted", error="Runner.Stopped", cause="c")
    window = {"start": "2013-01-01", "end": "2013-01-01"}
    ended: dict[str, Any] = {"status": "ABORTED", "error": "Runner.Stopped", **fields}
    return states.add(Known("flights-prod-daily", "e-2", window, written, **ended))


def test_a_redrive_of_a_stopped_execution_is_awss_own(
    deployed: Deployed, states: FakeStates, root: Path
) -> None:
    known = stopped(states)
    heard = Heard()
    order = RedriveRequest(root, name="e-2", environment="prod")
    result = redrive_on_aws(order, deployed, hooks=heard.hooks, now=NOW)
    assert (result.run, result.status, known.redrives) == ("e-2", "SUCCEEDED", 1)
    (token,) = [what for call, what in states.calls if call == "redrive"]
    assert len(token) == 64
    assert heard.notes[0].startswith("AWS goes on with e-2 where it ended")


def test_what_aws_will_not_redrive_is_said_with_the_way_out(
    deployed: Deployed, states: FakeStates, root: Path
) -> None:
    stopped(states, not_redrivable="Execution redrivable period exceeded")
    order = RedriveRequest(root, name="e-2", environment="prod")
    with pytest.raises(CloudRefused) as caught:
        redrive_on_aws(order, deployed, hooks=Heard().hooks, now=NOW)
    assert "e-2: Execution redrivable period exceeded" in str(caught.value)
    assert "less than 14 days ago" in str(caught.value)
    assert "runner run" in str(caught.value)
    with pytest.raises(CloudRefused, match="redrivable period exceeded"):
        deployed.executions.redrive(f"{STATES}:execution:flights-prod-daily:e-2", "t" * 64)


@pytest.mark.parametrize(
    ("status", "found"), [("SUCCEEDED", "which succeeded"), ("RUNNING", "which is running")]
)
def test_nothing_is_redriven_that_succeeded_or_runs(
    deployed: Deployed, states: FakeStates, root: Path, status: str, found: str
) -> None:
    stopped(states, status=status, error="")
    order = RedriveRequest(root, name="e-2", environment="prod")
    with pytest.raises(UsageError, match=found):
        redrive_on_aws(order, deployed, hooks=Heard().hooks, now=NOW)


def test_without_a_window_the_schedules_is_started(
    deployed: Deployed, states: FakeStates, root: Path
) -> None:
    """8:00 UTC on the 25th is 3:00 in New York: the day before is the 24th."""
    starting(states)
    order = request(root, start=None, end=None, detach=True)
    result = run_on_aws(order, deployed.cloud, now=lambda: NOW, hooks=Heard().hooks)
    assert (result.start, result.end) == ("2026-11-24", "2026-11-24")
    assert result.again == f"runner run --follow {result.run} --env prod"


@pytest.mark.parametrize(
    ("fields", "option", "advice"),
    [
        ({"resume": "x"}, "--resume", "runner redrive x --env prod"),
        ({"follow": "x"}, "WORKFLOW", "leave WORKFLOW away"),
        ({"follow": "x", "only": ("marts.a",)}, "--only", "leave --only away"),
    ],
)
def test_options_that_aws_has_no_use_for_are_refused(
    root: Path, fields: dict[str, Any], option: str, advice: str
) -> None:
    with pytest.raises(UsageError) as caught:
        run(request(root, **fields))
    assert any(fault.place.file == option for fault in caught.value.faults)
    assert advice in str(caught.value)


def test_only_names_tables_of_the_workflow(deployed: Deployed, root: Path) -> None:
    with pytest.raises(UsageError, match="marts.nothing"):
        run_on_aws(
            request(root, only=("marts.nothing",)),
            deployed.cloud,
            now=lambda: NOW,
            hooks=Heard().hooks,
        )


def test_executions_are_listed_over_all_machines_the_newest_first(
    deployed: Deployed, states: FakeStates
) -> None:
    for number, machine in enumerate(("daily", "carrier_load", "daily")):
        written = Written(began=datetime(2026, 11, 1 + number, tzinfo=UTC))
        written.start({})
        given = {"start": "2013-01-01", "end": "2013-01-02"}
        states.add(Known(f"flights-prod-{machine}", f"e-{number}", given, written))
    found = recent_executions(deployed, Wanted(limit=2))
    assert [(one.run, one.workflow, one.start) for one in found] == [
        ("e-2", "daily", "2013-01-01"),
        ("e-1", "carrier_load", "2013-01-01"),
    ]
    only = recent_executions(deployed, Wanted(workflow="daily", status="FAILED"))
    assert only == ()


def test_a_list_reads_no_more_pages_than_are_shown(deployed: Deployed, states: FakeStates) -> None:
    for number in range(250):
        written = Written(began=datetime(2026, 11, 1, number // 60, number % 60, tzinfo=UTC))
        states.add(Known("flights-prod-daily", f"e-{number}", {}, written))
    assert len(recent_executions(deployed, Wanted(limit=150, workflow="daily"))) == 150
    assert states.calls.count(("list", "flights-prod-daily")) == 2


def test_an_execution_is_found_by_name_arn_or_last(deployed: Deployed, states: FakeStates) -> None:
    known = stopped(states)
    assert deployed.find("e-2").arn == known.arn
    assert deployed.find(known.arn).name == "e-2"
    assert deployed.find("last").name == "e-2"
    with pytest.raises(UsageError, match="an execution of prod of the last 90 days"):
        deployed.find("e-3")


def test_an_execution_that_runs_is_shown_as_far_as_it_is(
    deployed: Deployed, states: FakeStates
) -> None:
    written, _ = whole_run(states, "e-4")
    given = {"start": "2013-01-01", "end": "2013-01-01"}
    states.add(Known("flights-prod-daily", "e-4", given, written, shown=20))
    detail = execution_detail(deployed, "e-4")
    assert (detail.about.status, detail.result.status) == ("RUNNING", "RUNNING")
    assert [(one.name, one.status) for one in detail.result.ended] == [
        ("raw.flights", "unchanged"),
        ("staging.flights", "unfinished"),
    ]


def test_the_history_of_an_execution_is_what_the_api_answers(
    deployed: Deployed, states: FakeStates
) -> None:
    written, _ = whole_run(states, "e-5")
    given = {"start": "2013-01-01", "end": "2013-01-01"}
    known = states.add(Known("flights-prod-daily", "e-5", given, written))
    found = deployed_history(deployed, "e-5")
    assert found.arn == known.arn
    assert [event["id"] for event in found.events] == [event["id"] for event in written.events]
    first = dict(written.events[0]) | {"timestamp": 1_795_507_201.0}
    assert found.to_json()["events"][0] == first


def test_waiting_grows_while_nothing_happens_and_with_the_histories() -> None:
    class Even(Random):
        def uniform(self, a: float, b: float) -> float:
            del a, b
            return 1.0

    pace = Pace(Even())
    assert [pace.next(0, 1) for _ in range(3)] == [1.5, 2.25, 3.375]
    assert pace.next(1, 1) == 1.0
    assert pace.next(1, 40) == 8.0
    assert max(pace.next(0, 1) for _ in range(20)) == 10.0
