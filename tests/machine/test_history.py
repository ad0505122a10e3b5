"""The history of an execution has AWS's events, numbers and shapes."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.parsers import create_parser
from botocore.stub import Stubber

from runner.machine import (
    EventKind,
    JournalMismatch,
    MemoryJournal,
    VirtualClock,
    conformance,
    parse_definition,
    run,
)
from runner.machine.history import history
from runner.machine.s3_objects import S3Objects
from tests.machine.forked_histories import CASES
from tests.machine.histories import (
    ACTIVITY,
    ALL,
    ARN,
    CONTEXT,
    FUNCTION,
    PASS,
    QUEUE,
    Answers,
    Case,
    each,
    expected,
    flow,
    history_of,
    lines,
    played,
)
from tests.machine.machines import jsonata, jsonpath
from tests.machine.test_conformance import FOLDER, NEEDS_CASES

if TYPE_CHECKING:
    from runner.machine import Event, TaskRequest
    from runner.machine.history import HistoryEvent

Json = Any

BEGAN = datetime(2000, 1, 1, tzinfo=UTC)
NEVER = {
    # What a local call cannot meet: a queue or a role that keeps it from being made.
    "ActivityScheduleFailed",
    "LambdaFunctionScheduleFailed",
    "LambdaFunctionStartFailed",
    "TaskStartFailed",
    # A stopped execution says that it was stopped, not its Map Runs; those are not redriven alone.
    "MapRunAborted",
    "MapRunRedriven",
}


@pytest.mark.parametrize("name", CASES)
def test_events_are_those_of_aws(name: str) -> None:
    assert lines(history_of(CASES[name])) == expected(CASES[name])


def client() -> Any:  # noqa: ANN401 - boto3's client
    keys: dict[str, Any] = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client("stepfunctions", region_name="us-east-1", **keys)


def test_every_type_of_event_is_met_or_named_as_one_that_is_not() -> None:
    kinds = set(client().meta.service_model.shape_for("HistoryEventType").enum)
    met = {line.split()[1] for case in CASES.values() for line in expected(case)}
    assert met | {"ExecutionAborted", "ExecutionRedriven"} == kinds - NEVER


@pytest.mark.parametrize("name", CASES)
def test_boto3_takes_events_and_reads_them_from_the_wire(name: str) -> None:
    """A Stubber checks types, members and required fields; the parser reads what AWS would send."""
    found = history_of(CASES[name])
    answer = {"events": [event.to_boto() for event in found]}
    service = client()
    with Stubber(service) as stubber:
        stubber.add_response("get_execution_history", answer)
        asked = service.get_execution_history(executionArn=CONTEXT.execution_id)
    assert [event["id"] for event in asked["events"]] == list(range(1, len(found) + 1))
    shape = service.meta.service_model.operation_model("GetExecutionHistory").output_shape
    sent = json.dumps({"events": [event.to_wire() for event in found]}).encode()
    parser = create_parser(service.meta.service_model.protocol)
    read = parser.parse({"body": sent, "headers": {}, "status_code": 200}, shape)
    assert read["events"] == answer["events"]


@pytest.mark.parametrize("name", CASES)
def test_what_happened_is_told_the_same_while_it_goes_on(name: str) -> None:
    """The history of every beginning of a journal is a beginning of the history."""
    events = played(CASES[name])
    definition = parse_definition(CASES[name].definition)
    whole = history(definition, events)
    for cut in range(1, len(events)):
        begun = history(definition, events[:cut])
        assert begun == whole[: len(begun)]
    assert history(definition, ()) == ()


def details(case: Case) -> dict[str, Json]:
    """Give the details of a case's events by their types; of several, those of the last."""
    return {event.kind: event.details for event in history_of(case)}


WHOLE = {"truncated": False}


def test_details_of_states_and_executions() -> None:
    case = Case(
        jsonata({"A": {"Type": "Pass", "Assign": {"x": {"é": 1}, "y": "t"}, "End": True}}),
        {"n": [1, 2]},
        {},
        "",
    )
    assert details(case) == {
        "ExecutionStarted": {
            "input": '{"n":[1,2]}',
            "inputDetails": WHOLE,
            "roleArn": "arn:aws:iam::123456789012:role/r",
        },
        "PassStateEntered": {"name": "A", "input": '{"n":[1,2]}', "inputDetails": WHOLE},
        "PassStateExited": {
            "name": "A",
            "output": '{"n":[1,2]}',
            "outputDetails": WHOLE,
            "assignedVariables": {"x": '{"é":1}', "y": '"t"'},
            "assignedVariablesDetails": WHOLE,
        },
        "ExecutionSucceeded": {"output": '{"n":[1,2]}', "outputDetails": WHOLE},
    }
    assert details(CASES["a Fail state"])["ExecutionFailed"] == {"error": "E", "cause": "c"}
    bare = Case(jsonpath({"F": {"Type": "Fail"}}), {}, {}, "")
    assert details(bare)["ExecutionFailed"] == {}
    late = details(CASES["an execution that takes too long"])
    assert late["ExecutionTimedOut"] == {"error": "States.Timeout"}


def test_details_of_calls() -> None:
    called = {"resourceType": "sqs", "resource": "sendMessage"}
    found = details(CASES["a call"])
    assert found["TaskScheduled"] == {
        **called,
        "region": "us-east-1",
        "parameters": '{"MessageBody":"b"}',
        "timeoutInSeconds": 9,
        "heartbeatInSeconds": 5,
    }
    assert found["TaskStarted"] == called
    output = {"output": '{"MessageBody":"b"}', "outputDetails": WHOLE}
    assert found["TaskSucceeded"] == {**called, **output}
    failed = details(CASES["a call that fails, is tried again, and caught"])["TaskFailed"]
    error = {"error": "SQS.QueueDoesNotExistException", "cause": "no queue"}
    assert failed == {**called, **error}
    waited = {"resourceType": "states", "resource": "startExecution.sync:2"}
    found = details(CASES["a call that is waited for"])
    begun = {"output": '{"ExecutionArn":"arn:x"}', "outputDetails": WHOLE}
    assert found["TaskSubmitted"] == {**waited, **begun}
    silent = details(CASES["a call that is waited for and says nothing of its beginning"])
    assert silent["TaskSubmitted"] == {"resourceType": "ecs", "resource": "runTask.sync"}
    refused = details(CASES["a call that is to be waited for and is refused"])
    assert refused["TaskSubmitFailed"] == {
        "resourceType": "batch",
        "resource": "submitJob.sync",
        "error": "Batch.ServerException",
        "cause": "busy",
    }
    late = details(CASES["a token that nobody sends back"])["TaskTimedOut"]
    assert late == {**called, "resource": "sendMessage.waitForTaskToken", "error": "States.Timeout"}


def test_a_call_with_a_role_of_its_own_names_it() -> None:
    credentials = {"RoleArn": "arn:aws:iam::999999999999:role/other"}
    told = {"roleArn": "arn:aws:iam::999999999999:role/other"}
    for resource, kind in ((QUEUE, "TaskScheduled"), (FUNCTION, "LambdaFunctionScheduled")):
        task = {"Type": "Task", "Resource": resource, "Credentials": credentials, "End": True}
        found = details(Case(jsonpath({"T": task}), {}, {}, ""))
        assert found[kind]["taskCredentials"] == told


def test_details_of_functions_and_activities() -> None:
    found = details(CASES["a function"])
    assert found["LambdaFunctionScheduled"] == {
        "resource": FUNCTION,
        "input": '{"a":1}',
        "inputDetails": WHOLE,
        "timeoutInSeconds": 5,
    }
    assert found["LambdaFunctionStarted"] is None
    assert found["LambdaFunctionSucceeded"] == {"output": '{"a":1}', "outputDetails": WHOLE}
    assert found["LambdaFunctionFailed"] == {"error": "ValueError", "cause": "{}"}
    found = details(CASES["activities"])
    assert found["ActivityScheduled"] == {
        "resource": ACTIVITY,
        "input": '{"Error":"Own","Cause":"c"}',
        "inputDetails": WHOLE,
        "timeoutInSeconds": 5,
    }
    assert found["ActivityStarted"] == {}
    assert found["ActivityFailed"] == {"error": "Own", "cause": "c"}
    assert found["ActivityTimedOut"] == {"error": "States.Timeout"}


def test_details_of_maps() -> None:
    found = history_of(CASES["iterations"])
    assert found[2].details == {"length": 2}
    assert [event.details for event in found if event.kind == "MapIterationStarted"] == [
        {"name": "M", "index": 0},
        {"name": "M", "index": 1},
    ]
    run_arn = details(CASES["a Map Run"])["MapRunStarted"]["mapRunArn"]
    assert re.fullmatch(f"{ARN}:mapRun:m/label:[-0-9a-f]{{36}}", run_arn)
    found = history_of(CASES["a Map Run that cannot read its items"])
    assert found[2].details == {"length": 0}
    error = {"error": "States.ItemReaderFailed", "cause": "no such key"}
    assert (found[4].kind, found[4].details) == ("MapRunFailed", error)


def test_a_failed_evaluation_names_the_place() -> None:
    found: Json = details(CASES["items that are none"])["EvaluationFailed"]
    told = "An error occurred while executing the state 'M' (entered at the event id #2). The"
    assert found["cause"].startswith(f"{told} JSONata expression '1'")
    place = {name: value for name, value in found.items() if name != "cause"}
    assert place == {"error": "States.QueryEvaluationError", "location": "Items", "state": "M"}
    inner = Case(jsonata({"A": {**PASS, "Output": {"n": "{% $no %}"}}}), {}, {}, "")
    assert details(inner)["EvaluationFailed"]["location"] == "Output/n"
    plain = Case(jsonata({"M": each(flow(A=PASS))}), {}, {}, "")
    assert "location" not in details(plain)["EvaluationFailed"]


def test_texts_name_the_events_that_the_history_numbers() -> None:
    """After a call that is waited for, a caught branch and a Map, the number is still right."""
    states: Json = {
        "T": {
            "Type": "Task",
            "Resource": "arn:aws:states:::ecs:runTask.sync",
            "Arguments": {},
            "Next": "P",
        },
        "P": {
            "Type": "Parallel",
            "Branches": [
                flow(F={"Type": "Task", "Resource": FUNCTION, "Arguments": {}, "End": True}),
                flow(W={"Type": "Wait", "Seconds": 9, "End": True}),
            ],
            "Catch": [{"ErrorEquals": ALL, "Next": "M"}],
            "End": True,
        },
        "M": {**each(flow(A=PASS), Items=[1, 2]), "Next": "L"},
        "L": {**PASS, "Output": "{% $no %}"},
    }
    del states["M"]["End"]
    case = Case(jsonata(states), {}, {"F": {"error": "E", "cause": "c"}}, "")
    found = history_of(case)
    last = found[-1]
    assert last.details is not None
    number = int(re.findall(r"event id #(\d+)", last.details["cause"])[0])
    assert found[number - 1].kind == "PassStateEntered"
    assert (found[number - 1].details or {})["name"] == "L"


@pytest.mark.parametrize("limit", range(3, 30))
def test_a_full_history_ends_the_execution(limit: int) -> None:
    """Measured on AWS: the failure is the event with the number of the quota."""
    waited = "arn:aws:states:::ecs:runTask.sync"
    definition = jsonata(
        {
            "M": {
                "Type": "Map",
                "Items": [1, 2],
                "ItemProcessor": flow(
                    T={"Type": "Task", "Resource": waited, "Arguments": {}, "Next": "A"},
                    A={"Type": "Pass", "Next": "T"},
                ),
                "Catch": [{"ErrorEquals": ALL, "Next": "Z"}],
                "End": True,
            },
            "Z": PASS,
        }
    )
    journal = MemoryJournal()
    outcome = run(
        parse_definition(definition),
        {},
        service=Answers({"T": {"submitted": {}}}),
        clock=VirtualClock(),
        context=CONTEXT,
        random=Random(7),  # noqa: S311 - a fixed seed
        journal=journal,
        max_workers=1,
        history_limit=limit,
    )
    cause = f"The execution reached the maximum number of history events ({limit})."
    assert (outcome.status, outcome.error, outcome.cause) == ("FAILED", "States.Runtime", cause)
    found = history(parse_definition(definition), journal.events(), history_limit=limit)
    assert [event.number for event in found] == list(range(1, limit + 1))
    assert (found[-1].kind, found[-1].details) == (
        "ExecutionFailed",
        {"error": "States.Runtime", "cause": cause},
    )


def test_a_child_of_a_map_run_has_a_history_of_its_own() -> None:
    """Its limit is its own; the parent's history does not grow with it."""
    loop = flow(A={"Type": "Pass", "Next": "B"}, B={"Type": "Pass", "Next": "A"})
    processor = {**loop, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    case = Case(jsonata({"M": each(processor, ToleratedFailureCount=1)}), [1], {}, "")
    found = history_of(case, history_limit=50)
    assert lines(found) == expected(CASES["a Map Run"])


class Flag:
    """Set once a call was made."""

    def __init__(self) -> None:
        self.calls = 0

    def call(self, request: TaskRequest) -> Json:
        self.calls += 1
        return request.arguments

    def is_set(self) -> bool:
        return self.calls == 1


def test_a_stopped_execution_that_goes_on_was_redriven() -> None:
    task = {"Type": "Task", "Resource": QUEUE}
    definition = parse_definition(
        jsonpath({"A": {**task, "Next": "B"}, "B": {**task, "End": True}})
    )
    journal, flag = MemoryJournal(), Flag()

    def go_on() -> tuple[HistoryEvent, ...]:
        run(
            definition,
            {},
            service=flag,
            clock=VirtualClock(),
            context=CONTEXT,
            random=Random(7),  # noqa: S311 - a fixed seed
            journal=journal,
            abort=flag,
        )
        return history(definition, journal.events())

    begun = [
        "1<0 ExecutionStarted",
        "2<0 TaskStateEntered",
        "3<2 TaskScheduled",
        "4<3 TaskStarted",
        "5<4 TaskSucceeded",
        "6<5 TaskStateExited",
        "7<6 TaskStateEntered",
        "8<7 TaskScheduled",
        "9<8 TaskStarted",
        "10<0 ExecutionAborted",
    ]
    stopped = go_on()
    assert lines(stopped) == begun
    assert stopped[-1].details == {}
    flag.calls = 5
    assert lines(go_on()) == [
        *begun,
        "11<10 ExecutionRedriven",
        "12<9 TaskSucceeded",
        "13<12 TaskStateExited",
        "14<13 ExecutionSucceeded",
    ]
    redriven = history(definition, journal.events())[10]
    assert redriven.details == {"redriveCount": 1}


@pytest.mark.parametrize("name", CASES)
def test_a_crash_leaves_no_trace_in_the_history(name: str) -> None:
    case = CASES[name]
    events = played(case)
    definition = parse_definition(case.definition)
    for cut in range(1, len(events)):
        after = played(case, events[:cut])
        assert any(event.kind is EventKind.EXECUTION_RESUMED for event in after)
        assert lines(history(definition, after)) == expected(case)


def test_calls_on_other_threads_tell_what_they_began() -> None:
    """What is told a second time, or after the task's end, is not heard."""
    late: list[TaskRequest] = []

    class Slow:
        def call(self, request: TaskRequest) -> Json:
            request.submitted({"Name": request.state})
            late.append(request)
            for one in tuple(late):
                one.submitted("late")
            return request.state

    task = {"Type": "Task", "Resource": "arn:aws:states:::ecs:runTask.sync", "End": True}
    branches = [flow(**{f"T{number}": task}) for number in range(5)]
    definition = parse_definition(
        jsonpath({"P": {"Type": "Parallel", "Branches": branches, "End": True}})
    )
    journal = MemoryJournal()
    run(
        definition,
        {},
        service=Slow(),
        clock=VirtualClock(),
        context=CONTEXT,
        random=Random(7),  # noqa: S311 - a fixed seed
        journal=journal,
    )
    found = history(definition, journal.events())
    begun = [json.loads((e.details or {})["output"]) for e in found if e.kind == "TaskSubmitted"]
    assert sorted(one["Name"] for one in begun) == ["T0", "T1", "T2", "T3", "T4"]
    assert [event.number for event in found] == list(range(1, len(found) + 1))


def test_times_are_those_of_the_journal() -> None:
    found = history_of(CASES["states one after the other"])
    waited = {event.kind: event.time for event in found}
    assert waited["WaitStateEntered"] == BEGAN
    assert (waited["WaitStateExited"] - BEGAN).total_seconds() == 5
    assert found[-1].to_wire()["timestamp"] == 946_684_805.0


def test_a_journal_of_another_definition_is_refused() -> None:
    other = parse_definition(jsonpath({"Other": PASS}))
    with pytest.raises(JournalMismatch) as caught:
        history(other, played(CASES["a call"]))
    assert caught.value.faults[0].code == "journal-definition"


@NEEDS_CASES
def test_recorded_causes_name_events_of_our_histories() -> None:
    """Where AWS's text names an event by number, that event is the entering of the state."""
    checked = 0
    for line in (FOLDER / "dev.jsonl").read_text("utf-8").splitlines():
        case = json.loads(line)
        told = re.findall(
            r"the state '([^']*)' \(entered at the event id #(\d+)\)", json.dumps(case["expect"])
        )
        if not told:
            continue
        found = history(parse_definition(case["definition"]), recorded(case))
        for state, number in told:
            event = found[int(number) - 1]
            assert event.kind.endswith("StateEntered"), case["id"]
            assert (event.details or {})["name"] == state, case["id"]
            checked += 1
    assert checked > 20


def recorded(case: Json) -> tuple[Event, ...]:
    """Run a recorded case and give its events."""
    journal = MemoryJournal()
    objects = S3Objects(case.get("s3") or {}, tuple(case.get("s3_buckets") or ()))
    run(
        parse_definition(case["definition"], express=case.get("type") == "EXPRESS"),
        case.get("input"),
        service=conformance.ScriptedService(case.get("tasks") or {}, objects),
        clock=VirtualClock(),
        context=CONTEXT,
        random=Random(0),  # noqa: S311 - a fixed seed
        journal=journal,
    )
    return journal.events()
