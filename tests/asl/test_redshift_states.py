"""The states of a redshift step: one call of the Data API for each transaction, waited for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from runner.asl.build import render
from runner.asl.compile import compile_workflow
from runner.asl.validate import check_machine
from runner.machine import parse_definition
from runner.model.ports import ServiceError
from tests.machine.machines import play
from tests.support.projects import project, table, workflow

if TYPE_CHECKING:
    from runner.machine import Outcome, TaskRequest

WINDOW = {"start": "2013-01-05", "end": "2013-01-06", "grain": "day"}
ROLE = "arn:aws:iam::123456789012:role/spectrum"


def text_of(**step: Any) -> str:  # noqa: ANN401 - JSON
    """Compile a workflow of one step, validated as for a deployment."""
    fields = {"type": "redshift", "workgroup": "wg-1", "database": "dev", **step}
    found, named = project(table("marts.a")), workflow(steps={"rs": fields})
    machine = compile_workflow(found, named, {})
    text = render(machine)
    check_machine(machine, text, file=named.file)
    parse_definition(json.loads(text))
    return text.decode()


class DataApi:
    """The Data API: statements by their token, each with the statuses that it goes through."""

    def __init__(self, *statuses: str, lost: int = 0) -> None:
        self.statuses = statuses or ("FINISHED",)
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.tokens: dict[str, str] = {}
        self.looks: dict[str, int] = {}
        self.lost = lost
        """Answers to a submission that get lost on the way."""

    def may_repeat(self, _request: TaskRequest) -> bool:
        return True

    def call(self, request: TaskRequest) -> Any:  # noqa: ANN401 - JSON
        name, arguments = request.resource.rpartition(":")[2], request.arguments
        if name == "invoke":
            return {"Payload": self._keeper(arguments["Payload"])}
        self.sent.append((name, arguments))
        if name in ("executeStatement", "batchExecuteStatement"):
            token = arguments["ClientToken"]
            identity = self.tokens.setdefault(token, f"id{len(self.tokens) + 1}")
            if self.lost:
                self.lost -= 1
                raise ServiceError("RedshiftData.SdkClientException", "reset")
            return {"Id": identity}
        if name == "describeStatement":
            number = self.looks[arguments["Id"]] = self.looks.get(arguments["Id"], -1) + 1
            status = self.statuses[min(number, len(self.statuses) - 1)]
            error = {"Error": "ERROR: no such table"} if status == "FAILED" else {}
            return {
                "Id": arguments["Id"],
                "Status": status,
                "Duration": 5,
                "ResultRows": 1,
                **error,
            }
        return {"Status": True}

    def _keeper(self, payload: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
        if payload["op"] == "begin":
            return {"window": WINDOW, "selected": []}
        return {"message": payload["cause"], "advice": ""}

    @property
    def actions(self) -> list[str]:
        return [name.removesuffix("Statement") for name, _ in self.sent]


def run(api: DataApi, **step: Any) -> Outcome:  # noqa: ANN401 - JSON
    return play(json.loads(text_of(**step)), {}, api)


def test_a_statement_is_submitted_and_looked_at_until_it_has_ended() -> None:
    api = DataApi("SUBMITTED", "PICKED", "STARTED", "FINISHED")
    outcome = run(api, sql="CALL p(:start, :label)", parameters={"label": 7}, secret=None)
    assert outcome.status == "SUCCEEDED", outcome.cause
    assert api.actions == ["execute", *["describe"] * 4]
    arguments = api.sent[0][1]
    token = arguments.pop("ClientToken")
    assert len(token) == 64
    assert arguments == {
        "WorkgroupName": "wg-1",
        "Database": "dev",
        "Sql": "CALL p(:start, :label)",
        "StatementName": "rs",
        "Parameters": [
            {"Name": "start", "Value": "2013-01-05"},
            {"Name": "label", "Value": "7"},
        ],
    }
    (result,) = outcome.output["results"]
    assert (result["status"], result["value"]["Status"]) == ("succeeded", "FINISHED")


def test_a_submission_that_is_repeated_is_the_same_statement() -> None:
    api = DataApi(lost=2)
    assert run(api, sql="SELECT 1").status == "SUCCEEDED"
    assert api.actions == ["execute"] * 3 + ["describe"]
    assert len(api.tokens) == 1


def test_several_statements_are_one_transaction_or_follow_each_other() -> None:
    api = DataApi()
    run(api, sql=["DELETE FROM t", "INSERT INTO t SELECT 1"])
    assert api.actions == ["batchExecute", "describe"]
    assert api.sent[0][1]["Sqls"] == ["DELETE FROM t", "INSERT INTO t SELECT 1"]
    api = DataApi()
    run(api, sql=["VACUUM t", "ANALYZE t"], transaction=False)
    assert api.actions == ["execute", "describe"] * 2
    assert [one["Sql"] for name, one in api.sent if name == "executeStatement"] == [
        "VACUUM t",
        "ANALYZE t",
    ]
    assert len(api.tokens) == 2


def test_an_external_schema_comes_first_and_by_itself() -> None:
    api = DataApi()
    external = {"name": "lake", "database": "marts", "role": ROLE}
    run(api, sql=["SELECT 1", "SELECT 2"], external_schema=external)
    assert api.actions == ["execute", "describe", "batchExecute", "describe"]
    assert api.sent[0][1]["Sql"] == (
        'CREATE EXTERNAL SCHEMA IF NOT EXISTS "lake"\n'
        "FROM DATA CATALOG DATABASE 'marts'\n"
        f"IAM_ROLE '{ROLE}'"
    )


@pytest.mark.parametrize(
    ("status", "words"), [("FAILED", "FAILED: ERROR: no such table"), ("ABORTED", "ABORTED: ")]
)
def test_a_statement_that_fails_fails_the_step_in_its_own_words(status: str, words: str) -> None:
    outcome = run(DataApi("STARTED", status), sql="SELECT 1")
    assert outcome.status == "FAILED"
    assert words in (outcome.cause or "")


def test_a_failure_can_be_caught_and_retried() -> None:
    catch = [{"errors": ["Redshift.StatementFailed"], "next": "continue"}]
    outcome = run(DataApi("FAILED"), sql="SELECT 1", catch=catch)
    assert outcome.output["results"][0]["status"] == "caught"
    api = DataApi("FAILED")
    retry = [{"errors": ["Redshift.StatementFailed"], "max_attempts": 1}]
    run(api, sql="SELECT 1", retry=retry)
    assert api.actions == ["execute", "describe"] * 2
    assert len(api.tokens) == 2  # another statement, not the failed one again


def test_a_statement_that_takes_too_long_is_cancelled() -> None:
    api = DataApi("STARTED")
    outcome = run(api, sql="SELECT 1", timeout="10s", poll="4s")
    assert outcome.status == "FAILED"
    assert "not ended in 10 s" in (outcome.cause or "")
    assert api.actions == ["execute", "describe", "describe", "describe", "cancel"]


def test_who_connects_is_told() -> None:
    api = DataApi()
    run(api, sql="SELECT 1", workgroup=None, cluster="main", user="etl")
    told = {key: api.sent[0][1].get(key) for key in ("ClusterIdentifier", "DbUser", "SecretArn")}
    assert told == {"ClusterIdentifier": "main", "DbUser": "etl", "SecretArn": None}


def test_half_a_day_of_looks_fits_into_the_history_of_an_execution() -> None:
    api = DataApi("STARTED")
    run(api, sql="SELECT 1", timeout="12h", poll="1s")
    assert 700 < api.actions.count("describe") < 900  # of at most 9 events each, below 25,000
    api = DataApi("STARTED")
    run(api, sql="SELECT 1", timeout="1h", poll="5m")
    assert api.actions.count("describe") == 12
