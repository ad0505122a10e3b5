"""The states of a bigquery_transfer step: exports one after the other, then a transfer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from runner.asl.build import render
from runner.asl.compile import compile_workflow
from runner.asl.validate import check_machine
from runner.machine import parse_definition
from runner.model.ports import ServiceError
from runner.plan.stack.iam.uses import uses_of
from tests.machine.machines import play
from tests.support.projects import project, table, workflow

if TYPE_CHECKING:
    from runner.machine import Outcome, TaskRequest

DAILY, WHOLE = table("marts.a"), table("marts.b", kind="ctas")
TRANSFER = "projects/p/locations/eu/transferConfigs/42"
WINDOW = {"start": "2013-01-05", "end": "2013-01-06", "grain": "day"}


def text_of(*, wait: str = "sync", **step: Any) -> str:  # noqa: ANN401 - JSON
    """Compile a workflow of one step, validated as for a deployment."""
    environment = {"engine": "local", "athena_wait": wait}
    found = project(DAILY, WHOLE, environment=environment)
    named = workflow(steps={"out": {"type": "bigquery_transfer", **step}})
    selected = {"out": tuple(one.name for one in found.tables) if step.get("tables") else ()}
    machine = compile_workflow(found, named, selected)
    text = render(machine)
    check_machine(machine, text, file=named.file)
    parse_definition(json.loads(text))
    return text.decode()


class World:
    """Keeper, Athena and Google, as a run of the definition meets them."""

    def __init__(self, **answers: Any) -> None:  # noqa: ANN401 - JSON
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.looks = iter(answers.get("looks", ()))
        self.selected = answers.get("selected", ["marts.a", "marts.b"])
        self.failing = answers.get("failing", "")

    def may_repeat(self, _request: TaskRequest) -> bool:
        return True

    def call(self, request: TaskRequest) -> Any:  # noqa: ANN401 - JSON
        arguments = request.arguments
        if "athena" in request.resource:
            return self._athena(request)
        payload = arguments["Payload"]
        op = payload["op"]
        self.asked.append((op, payload))
        if op == self.failing:
            raise ServiceError("TransferFailed", "the run failed: no access")
        return {"Payload": self._answer(op, payload)}

    def _answer(self, op: str, payload: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
        match op:
            case "begin":
                return {"window": WINDOW, "selected": self.selected}
            case "export":
                name = payload["table"]["name"]
                parts = [{"period": day, "where": f" WHERE {day}"} for day in ("d5", "d6")]
                return {
                    "folder": f"s3://lake/{payload['export']['folder']}",
                    "run": "r1",
                    "select": f"SELECT {name}",
                    "parts": parts,
                }
            case "exported":
                return {"files": len(payload["written"]), "rows": 3}
            case "start" | "look":
                return next(self.looks)
            case "explain":
                return {"message": payload["cause"], "advice": ""}
        raise AssertionError(op)

    def _athena(self, request: TaskRequest) -> Any:  # noqa: ANN401 - JSON
        self.asked.append(("unload", request.arguments))
        location = f"s3://results/{len(self.asked)}-manifest.csv"
        execution = {"Statistics": {"DataManifestLocation": location}}
        execution["Status"] = {"State": "SUCCEEDED"}
        if request.resource.endswith("startQueryExecution"):
            return {"QueryExecutionId": "q"}
        return {"QueryExecution": execution}


def run(text: str, world: World) -> Outcome:
    return play(json.loads(text), {}, world)


@pytest.mark.parametrize("wait", ["sync", "poll"])
def test_tables_are_exported_one_after_the_other(wait: str) -> None:
    world = World()
    outcome = run(text_of(tables=["marts.*"], wait=wait), world)
    assert outcome.status == "SUCCEEDED", outcome.cause
    order = [op for op, _ in world.asked]
    reads = ["unload"] * (2 if wait == "sync" else 4)
    assert order == ["begin", "export", *reads, "exported", "export", *reads, "exported"]
    (result,) = outcome.output["results"]
    exports = result["value"]["exports"]
    assert (result["kind"], result["status"]) == ("bigquery_transfer", "succeeded")
    assert [(one["table"], one["files"]) for one in exports] == [("marts.a", 2), ("marts.b", 2)]


def test_each_statement_writes_where_nothing_else_does() -> None:
    world = World(selected=["marts.a"])
    run(text_of(tables=["marts.*"]), world)
    sent = [arguments for op, arguments in world.asked if op == "unload"]
    folder = "s3://lake/exports/daily/out/marts.a/"
    assert [one["QueryString"] for one in sent] == [
        f"UNLOAD (SELECT marts.a WHERE {day}) TO '{folder}{day}/r1/0/' "
        "WITH (format = 'PARQUET', compression = 'SNAPPY')"
        for day in ("d5", "d6")
    ]
    assert len({one["ClientRequestToken"] for one in sent}) == 2


def test_what_the_keeper_is_told() -> None:
    world = World()
    run(text_of(tables=["marts.*"], folder="out/bq", columns={"marts.a": ["dt"]}), world)
    told = [payload["export"] for op, payload in world.asked if op == "export"]
    assert told == [
        {"folder": "out/bq/marts.a/", "columns": ["dt"], "timestamps": "timestamp"},
        {"folder": "out/bq/marts.b/", "columns": [], "timestamps": "timestamp"},
    ]


def test_a_transfer_is_started_and_looked_at_until_it_has_ended() -> None:
    started = {"name": "runs/1", "state": "PENDING", "ended": False, "started": 7}
    running = {**started, "state": "RUNNING"}
    world = World(looks=[started, running, {**running, "state": "SUCCEEDED", "ended": True}])
    outcome = run(text_of(transfer=TRANSFER, run_time="end", timeout="1h"), world)
    assert outcome.status == "SUCCEEDED", outcome.cause
    assert [op for op, _ in world.asked] == ["begin", "start", "look", "look"]
    assert world.asked[1][1] == {"op": "start", "transfer": TRANSFER, "run_time": "2013-01-06"}
    look = {"op": "look", "run": "runs/1", "started": 7, "timeout_s": 3600}
    assert world.asked[2][1] == look
    assert outcome.output["results"][0]["value"]["run"]["state"] == "SUCCEEDED"


def test_a_failure_is_explained_and_nothing_follows_it() -> None:
    world = World(failing="exported")
    outcome = run(text_of(tables=["marts.*"], transfer=TRANSFER), world)
    assert outcome.status == "FAILED"
    assert "no access" in (outcome.cause or "")
    assert [op for op, _ in world.asked if op != "unload"] == [
        "begin",
        "export",
        "exported",
        "explain",
    ]


def test_a_failure_that_is_caught_goes_on() -> None:
    world = World(failing="start")
    catch = [{"errors": ["States.ALL"], "next": "continue"}]
    outcome = run(text_of(transfer=TRANSFER, catch=catch), world)
    assert outcome.status == "SUCCEEDED"
    assert outcome.output["results"][0]["status"] == "caught"


def test_permissions_know_the_folders() -> None:
    text = text_of(tables=["marts.*"], transfer=TRANSFER)
    assert uses_of(text).exports == ("exports/daily/out/marts.a/", "exports/daily/out/marts.b/")
