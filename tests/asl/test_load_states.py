"""The states of a load: their order, what they are told, when a load is tried again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from runner.asl.build import render
from runner.asl.compile import compile_workflow
from runner.asl.validate import check_machine
from runner.machine import parse_definition
from tests.machine.machines import Fails, Script, play
from tests.support.projects import project, select_all, table, workflow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.machine import Outcome, TaskRequest
    from runner.model.project import Table

NATIVE = table("marts.a", load={"table": "a_table"})
EMBULK = table(
    "marts.b",
    load={
        "engine": "embulk",
        "mode": "merge",
        "keys": ["id"],
        "columns": ["dt", "id"],
        "types": {"id": "BIGINT UNSIGNED"},
        "before": "SET @x = 1",
        "after": "DO 1",
        "min_rows": 3,
        "create": False,
    },
)
APPENDING = table("marts.c", kind="ctas", load={"engine": "embulk", "mode": "insert_direct"})
INSERTING = table("marts.d", kind="ctas", load={"engine": "embulk", "mode": "insert"})
DIRECT = table("marts.e", kind="ctas", load={"engine": "native", "mode": "insert_direct"})
TABLES = (NATIVE, EMBULK, APPENDING, INSERTING, DIRECT)


def definition(*tables: Table, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Compile a workflow, validated as for a deployment."""
    found, named = project(*tables), workflow(**fields)
    machine = compile_workflow(found, named, select_all(named, found))
    text = render(machine)
    check_machine(machine, text, file=named.file)
    value: dict[str, Any] = json.loads(text)
    parse_definition(value)
    return value


def every_state(states: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, state in states.items():
        yield name, state
        for inner in (*state.get("Branches", ()), *filter(None, [state.get("ItemProcessor")])):
            yield from every_state(inner["States"])


def loads(*tables: Table, **step: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Compile a workflow of loads only."""
    return definition(*tables, steps={"loads": {"type": "loads", **step}})


STATES = dict(every_state(loads(*TABLES)["States"]))


def of(name: str) -> dict[str, dict[str, Any]]:
    """Give the states of one load by their verbs."""
    return {
        state.removeprefix(f"{name} load "): fields
        for state, fields in STATES.items()
        if state.startswith(f"{name} load ")
    }


def test_a_load_goes_from_its_choice_to_its_confirmation() -> None:
    native, embulk = of("marts.a"), of("marts.b")
    assert list(native) == [
        *("choose", "plan", "run", "confirm", "explain", "again?", "wait", "fail")
    ]
    assert embulk.keys() - native.keys() == {"extract"}
    nexts = {verb: state.get("Next", "").rpartition(" ")[2] for verb, state in native.items()}
    assert nexts["plan"] == "run"
    assert nexts["run"] == "confirm"
    assert nexts["explain"] == "again?"
    assert nexts["wait"] == "plan"
    assert native["choose"]["Default"] == "marts.a load plan"
    assert native["again?"]["Default"] == "marts.a load fail"
    assert native["again?"]["Choices"][0]["Next"] == "marts.a load wait"
    assert native["confirm"]["Next"] == native["fail"]["Next"]
    assert embulk["plan"]["Next"] == "marts.b load extract"
    assert embulk["extract"]["Next"] == "marts.b load run"


@pytest.mark.parametrize("name", ["marts.a", "marts.b"])
def test_every_failure_of_a_load_is_explained(name: str) -> None:
    for verb in of(name).keys() & {"plan", "extract", "run", "confirm"}:
        (catcher,) = of(name)[verb]["Catch"]
        assert (catcher["ErrorEquals"], catcher["Next"]) == (["States.ALL"], f"{name} load explain")
    (unexplained,) = of(name)["explain"]["Catch"]
    assert unexplained["Next"] == f"{name} load fail"


def test_the_keeper_is_told_all_that_the_header_says() -> None:
    asked = of("marts.b")["plan"]["Arguments"]["Payload"]
    assert asked["op"] == "load"
    assert asked["load"] == {
        "table": "b",
        "mode": "merge",
        "keys": ["id"],
        "columns": ["dt", "id"],
        "types": {"id": "BIGINT UNSIGNED"},
        "format": "parquet",
        "min_rows": 3,
        "engine": "embulk",
        "create": False,
        "before": "SET @x = 1",
        "after": "DO 1",
    }
    told = of("marts.a")["plan"]["Arguments"]["Payload"]["load"]
    assert (told["table"], told["mode"], told["engine"]) == ("a_table", "replace_window", "native")
    assert told["before"] is told["after"] is told["min_rows"] is None


def test_a_task_is_told_names_and_addresses_and_nothing_else() -> None:
    """SEMANTICS 32: no secret, no row and no statement goes through the state machine."""
    for name in ("marts.a", "marts.b"):
        arguments = of(name)["run"]["Arguments"]
        assert arguments.keys() == {"Cluster", "TaskDefinition", "LaunchType", "Overrides"}
        (container,) = arguments["Overrides"]["ContainerOverrides"]
        assert container.keys() == {"Name", "Environment"}
        assert container["Name"] == "load"
        given = {one["Name"]: one["Value"] for one in container["Environment"]}
        rows = {"RUNNER_LOAD_ROWS": "{% $csv %}"} if name == "marts.b" else {}
        assert given == {
            "RUNNER_LOAD_MANIFEST": "{% $manifest.manifest %}",
            "RUNNER_MART": "main",
            **rows,
        }


MYSQL = {
    "engine": "mysql",
    "host": "canary-host",
    "database": "canary-database",
    "user": "canary-user",
    "secret": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:canary-secret-AbCdEf",
}


def test_what_opens_a_mart_is_not_in_the_definition() -> None:
    environment = {
        "engine": "aws",
        "region": "eu-west-1",
        "account": "123456789012",
        "lake": "s3://lake/",
        "results": "s3://results/",
        "cluster": "loads",
        "network": {"subnets": ["subnet-1"], "security_groups": ["sg-1"]},
        "marts": {"main": MYSQL},
    }
    found = project(NATIVE, EMBULK, environment=environment)
    named = workflow(steps={"loads": {"type": "loads"}})
    text = render(compile_workflow(found, named, select_all(named, found))).decode()
    assert "canary" not in text
    states = dict(every_state(json.loads(text)["States"]))
    network = states["marts.a load run"]["Arguments"]["NetworkConfiguration"]
    assert network["AwsvpcConfiguration"] == {
        "Subnets": ["subnet-1"],
        "SecurityGroups": ["sg-1"],
        "AssignPublicIp": "DISABLED",
    }
    # The environment's default of AWS is Embulk: the load without an engine is read by a query.
    assert "marts.a load extract" in states


def test_a_result_is_written_once_for_each_try() -> None:
    arguments = of("marts.b")["extract"]["Arguments"]
    assert arguments["QueryString"] == "{% $manifest.select %}"
    for part in ("Execution.Id", "RedriveCount", "State.Name", "$tries"):
        assert part in arguments["ClientRequestToken"]
    assert of("marts.b")["extract"]["Assign"] == {
        "csv": "{% $states.result.QueryExecution.ResultConfiguration.OutputLocation %}"
    }


@pytest.mark.parametrize(
    ("name", "repeatable"),
    [
        ("marts.a", True),
        ("marts.b", True),
        ("marts.c", False),
        ("marts.d", False),
        ("marts.e", True),
    ],
)
def test_semantics_38_what_embulk_appends_is_not_tried_again(
    name: str, *, repeatable: bool
) -> None:
    payload = of(name)["explain"]["Arguments"]["Payload"]
    assert (payload["op"], payload["repeatable"]) == ("load_failed", repeatable)
    assert (payload["tries"], payload["max_tries"]) == ("{% $tries %}", 3)
    retried = {error for one in of(name)["run"]["Retry"] for error in one["ErrorEquals"]}
    # After any other error of a submission the task may be at work all the same.
    unknown = {"ECS.SdkClientException", "ECS.ServerException", "ECS.AmazonECSException"}
    assert retried == {"ECS.ThrottlingException", *(unknown if repeatable else ())}


def test_the_retriers_of_the_step_take_the_place_of_ours() -> None:
    retry = [{"errors": ["States.TaskFailed"], "interval": "7s", "max_attempts": 2}]
    states = dict(every_state(loads(NATIVE, retry=retry, timeout="9m")["States"]))
    assert states["marts.a load run"]["Retry"] == [
        {
            "ErrorEquals": ["States.TaskFailed"],
            "IntervalSeconds": 7,
            "MaxAttempts": 2,
            "JitterStrategy": "FULL",
        }
    ]
    assert states["marts.a load run"]["TimeoutSeconds"] == 540
    assert states["marts.a load plan"]["Retry"] == of("marts.a")["plan"]["Retry"]


def flows(states: dict[str, Any], outer: frozenset[str]) -> Iterator[tuple[set[str], set[str]]]:
    """Give for each scope the names that it assigns, and those of the scopes around it."""
    own: set[str] = set()
    inner: list[dict[str, Any]] = []
    for state in states.values():
        parts = [state, *state.get("Choices", ()), *state.get("Catch", ())]
        own |= {name for part in parts for name in part.get("Assign", {})}
        inner += [*state.get("Branches", ()), *filter(None, [state.get("ItemProcessor")])]
    yield own, set(outer)
    for flow in inner:
        yield from flows(flow["States"], outer | own)


def test_no_name_is_assigned_in_a_scope_and_in_one_around_it() -> None:
    """Amazon States Language refuses it only when the state is entered."""
    steps = {"tables": {"type": "tables"}, "loads": {"type": "loads", "needs": ["tables"]}}
    scopes = list(flows(definition(*TABLES, steps=steps)["States"], frozenset()))
    assert any({"manifest", "tries", "csv", "done"} <= own for own, _ in scopes)
    for own, outer in scopes:
        assert not own & outer


class Keeper:
    """Answers about loads: their manifests, and failures that may pass, as often as told."""

    def __init__(self, passing: int = 99) -> None:
        self.asked: list[dict[str, Any]] = []
        self.left = passing

    def plan(self, request: TaskRequest) -> Any:  # noqa: ANN401 - JSON
        name = request.arguments["Payload"]["name"]
        uri = f"s3://lake/{name}.json"
        return payload({"manifest": uri, "rows": 5, "files": 1, "select": f"SELECT {name}"})

    def explain(self, request: TaskRequest) -> Any:  # noqa: ANN401 - JSON
        asked = request.arguments["Payload"]
        self.asked.append(asked)
        retry = asked["repeatable"] and asked["tries"] < asked["max_tries"] and self.left > 0
        self.left -= 1
        return payload({"retry": retry, "wait": 5, "message": "it broke", "advice": "mend it"})


def payload(value: Any) -> Any:  # noqa: ANN401 - JSON
    return {"Payload": value}


def played(
    *tables: Table,
    keeper: Keeper,
    **answers: Any,  # noqa: ANN401 - JSON
) -> tuple[Outcome, Script]:
    """Play the loads of these tables, one after the other; answers by `table verb`."""
    names = [str(one.name) for one in tables]
    window = {"start": "2013-01-05", "end": "2013-01-05", "grain": "day"}
    script = {
        "begin": payload({"window": window, "selected": names}),
        **{f"{name} load plan": keeper.plan for name in names},
        **{f"{name} load explain": keeper.explain for name in names},
        **{f"{name} load extract": EXTRACTED for name in names},
        **{f"{name} load run": {} for name in names},
        **{f"{name} load confirm": payload({"rows": 5}) for name in names},
        **answers,
    }
    found = definition(
        *tables, steps={"loads": {"type": "loads"}}, concurrency={"dml": 1, "loads": 1}
    )
    service = Script(**script)
    data = {"start": "2013-01-05", "end": "2013-01-05"}
    return play(found, data, service), service


CSV = "s3://results/q.csv"
EXTRACTED = {"QueryExecution": {"ResultConfiguration": {"OutputLocation": CSV}}}
BUSY = Fails("States.TaskFailed", "Load.MartBusy")


def test_each_try_has_a_manifest_and_a_result_of_its_own() -> None:
    keeper = Keeper()
    outcome, service = played(EMBULK, keeper=keeper, **{"marts.b load run": [BUSY, BUSY, {}]})
    assert outcome.status == "SUCCEEDED", outcome.cause
    verbs = [one.state.rpartition(" ")[2] for one in service.requests if "load " in one.state]
    once = ["plan", "extract", "run"]
    assert verbs == [*once, "explain", *once, "explain", *once, "confirm"]
    tokens = [
        one.arguments["ClientRequestToken"]
        for one in service.requests
        if one.state == "marts.b load extract"
    ]
    assert len(set(tokens)) == 3
    assert [one["tries"] for one in keeper.asked] == [1, 2]
    assert {one["error"] for one in keeper.asked} == {"States.TaskFailed"}
    runs = [one for one in service.requests if one.state == "marts.b load run"]
    given = runs[0].arguments["Overrides"]["ContainerOverrides"][0]["Environment"]
    assert {one["Name"]: one["Value"] for one in given} == {
        "RUNNER_LOAD_MANIFEST": "s3://lake/marts.b.json",
        "RUNNER_MART": "main",
        "RUNNER_LOAD_ROWS": CSV,
    }


def test_tries_are_counted_anew_for_the_next_load_of_a_lane() -> None:
    other = table("marts.b2", load={})
    keeper = Keeper()
    outcome, _ = played(
        NATIVE,
        other,
        keeper=keeper,
        **{"marts.a load run": BUSY, "marts.b2 load run": [BUSY, BUSY, {}]},
    )
    assert outcome.status == "FAILED"  # marts.a
    assert [one["tries"] for one in keeper.asked] == [1, 2, 3, 1, 2]
    assert outcome.cause == "marts.a failed: it broke"


def test_what_a_later_try_fails_by_is_not_explained_by_an_earlier_one() -> None:
    """The outcome beside the first manifest tells of the first try."""
    keeper = Keeper()
    gone = Fails("NothingPublished", "run the table first")
    played(
        NATIVE,
        keeper=keeper,
        **{"marts.a load run": BUSY, "marts.a load plan": [keeper_plan(keeper), gone]},
    )
    assert [(one["error"], one["manifest"] is None) for one in keeper.asked] == [
        ("States.TaskFailed", False),
        ("NothingPublished", True),
        ("NothingPublished", True),
    ]


def keeper_plan(keeper: Keeper) -> Any:  # noqa: ANN401 - an answer of a script
    return keeper.plan


def test_a_load_that_embulk_appends_is_tried_once() -> None:
    keeper = Keeper()
    outcome, service = played(APPENDING, keeper=keeper, **{"marts.c load run": BUSY})
    assert outcome.status == "FAILED"
    assert [one.state for one in service.requests].count("marts.c load run") == 1
    assert len(keeper.asked) == 1


def test_a_load_that_nobody_can_explain_fails_once() -> None:
    keeper = Keeper()
    outcome, _ = played(
        NATIVE,
        keeper=keeper,
        **{"marts.a load run": BUSY, "marts.a load explain": Fails("Lambda.Unknown", "x")},
    )
    assert outcome.status == "FAILED"


def test_rows_that_are_not_in_the_mart_fail_the_load() -> None:
    keeper = Keeper(passing=0)
    wrong = Fails("LoadNotReconciled", "5 rows were loaded, 4 are there")
    outcome, _ = played(NATIVE, keeper=keeper, **{"marts.a load confirm": wrong})
    assert outcome.status == "FAILED"
    assert [one["error"] for one in keeper.asked] == ["LoadNotReconciled"]
