"""Running any state machine: what comes back, time, local services, journals, child executions."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from runner.app.faults import Strikes, collect_faults
from runner.app.machine_definition import machine_name, read_machine
from runner.app.machine_history import history_of
from runner.app.machine_run import Hooks, MachineRequest, run_machine
from runner.app.stopping import Stopper
from runner.errors import ProjectError, UsageError
from runner.local.journal import open_journal
from runner.machine import (
    Crash,
    Fail,
    FaultPlan,
    InjectedFault,
    NotRedrivable,
    SimulatedCrash,
    When,
)
from runner.model.ports import ServiceError
from tests.support.machines import RETRY, Heard, machine, mocked, ran, task, write

if TYPE_CHECKING:
    from pathlib import Path

    from runner.app.machine_trace import Step, Trace
    from runner.machine import TaskRequest

DAY_S = 86_400
START = "arn:aws:states:::states:startExecution"
PASS = {"Type": "Pass", "End": True}
CHILD = "arn:aws:states:eu-west-1:123456789012:stateMachine:child"


class Service:
    """Counts its calls."""

    def __init__(self, *answers: Any) -> None:  # noqa: ANN401
        self._answers = list(answers)
        self.states: list[str] = []

    def call(self, request: TaskRequest) -> Any:  # noqa: ANN401 - JSON
        self.states.append(request.state)
        answer = self._answers.pop(0) if self._answers else request.state
        if isinstance(answer, Exception):
            raise answer
        return answer

    def may_repeat(self, request: TaskRequest) -> bool:
        del request
        return True


# --- results ----------------------------------------------------------------------------------


def test_a_machine_from_a_file_of_json_or_yaml(tmp_path: Path) -> None:
    source = machine({"P": {**PASS, "Output": "{% $states.input.n + 1 %}"}})
    text = "QueryLanguage: JSONata\nStartAt: P\nStates:\n  P:\n    Type: Pass\n"
    text += "    Output: '{% $states.input.n + 1 %}'\n    End: true\n"
    for path in (write(tmp_path / "a.asl.json", source), write(tmp_path / "b.asl.yaml", text)):
        result = run_machine(MachineRequest(path, {"n": 1}))
        assert (result.status, result.output) == ("SUCCEEDED", 2)
        assert result.machine_arn.endswith(f":stateMachine:{path.name[0]}")


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("pay.asl.json", "pay"),
        ("pay.yaml", "pay"),
        ("my pay.json", "my-pay"),
        ("...json", "machine"),
    ],
)
def test_a_machine_is_named_by_its_file(tmp_path: Path, file: str, name: str) -> None:
    assert machine_name(tmp_path / file) == name


def test_faults_of_a_definition_stand_at_their_lines(tmp_path: Path) -> None:
    text = '{"StartAt": "A",\n "States": {\n  "A": {"Type": "Pass",\n   "Next": "B"}}}'
    with pytest.raises(ProjectError) as caught:
        read_machine(write(tmp_path / "a.json", text))
    fault = next(one for one in caught.value.faults if "/States/A/Next" in one.found)
    assert str(fault.place) == f"{tmp_path}/a.json:4:4"


@pytest.mark.parametrize("text", ["[]", "null", "5", "", "{", "a: [", '{"a": 1'])
def test_a_file_that_is_no_machine_is_refused(tmp_path: Path, text: str) -> None:
    for name in ("a.json", "a.yaml"):
        with pytest.raises(ProjectError):
            read_machine(write(tmp_path / name, text))


def test_a_result_tells_what_describe_execution_does() -> None:
    context = {
        "Execution": {"Id": "arn:e", "Name": "mine", "StartTime": "2013-01-05T06:00:00Z"},
        "StateMachine": {"Id": "arn:m", "Name": "pay"},
    }
    wait = {"Type": "Wait", "Seconds": 90, "Next": "P"}
    states = {"W": wait, "P": {**PASS, "Output": "{% $states.context.Execution.StartTime %}"}}
    assert ran(states, {"ä": 1}, context=context).described() == {
        "executionArn": "arn:e",
        "stateMachineArn": "arn:m",
        "name": "mine",
        "status": "SUCCEEDED",
        "startDate": "2013-01-05T06:00:00.000+00:00",
        "stopDate": "2013-01-05T06:01:30.000+00:00",
        "input": '{"ä":1}',
        "inputDetails": {"included": True},
        "redriveCount": 0,
        "redriveStatus": "NOT_REDRIVABLE",
        "redriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
        "output": '"2013-01-05T06:00:00.000Z"',
        "outputDetails": {"included": True},
    }


def test_the_description_of_a_failure_has_error_and_cause() -> None:
    told = ran({"F": {"Type": "Fail", "Error": "E", "Cause": "c"}}).described()
    assert (told["status"], told["error"], told["cause"]) == ("FAILED", "E", "c")
    assert not {"output", "outputDetails"} & set(told)


def test_a_seed_makes_names_and_numbers_the_same() -> None:
    states = {"P": {**PASS, "Output": "{% [$uuid(), $random()] %}"}}
    first, second = (ran(states, seed=7) for _ in range(2))
    assert (first.output, first.name) == (second.output, second.name)
    assert ran(states, seed=8).output != first.output


def test_an_own_service_answers_what_mocks_do_not(tmp_path: Path) -> None:
    service = Service("mine")
    states = {"A": task(Next="B"), "B": task()}
    result = ran(states, service=service, mocks=mocked(tmp_path, "states: {A: {return: 1}}"))
    assert (result.output, service.states) == ("mine", ["B"])


def test_express_machines_refuse_what_aws_refuses() -> None:
    with pytest.raises(ProjectError):
        ran({"T": task("arn:aws:states:::sqs:sendMessage.waitForTaskToken")}, express=True)


# --- time -------------------------------------------------------------------------------------


def test_a_day_long_back_off_takes_no_time() -> None:
    service = Service(ServiceError("Busy"), ServiceError("Busy"), "done")
    result = ran({"T": task(Retry=RETRY)}, service=service)
    assert (result.output, result.ended - result.started) == ("done", timedelta(days=2))


def test_scaled_time_passes_as_much_faster() -> None:
    """A day, 100 million times as fast, is a wait of less than a millisecond."""
    service = Service(ServiceError("Busy"), "done")
    result = ran({"T": task(Retry=RETRY)}, service=service, time="x100000000")
    assert (result.output, service.states) == ("done", ["T", "T"])
    assert result.ended - result.started >= timedelta(days=1)


def test_real_time_is_that_of_the_machine() -> None:
    before = datetime.now(UTC)
    result = ran({"W": {"Type": "Wait", "Seconds": 0, "Next": "P"}, "P": PASS}, time="real")
    assert before <= result.started <= result.ended <= datetime.now(UTC)


@pytest.mark.parametrize("time", ["", "fast", "x", "x0", "x-1", "60", "xyz"])
def test_other_times_are_refused(time: str) -> None:
    with pytest.raises(UsageError) as caught:
        ran({"P": PASS}, time=time)
    assert caught.value.faults[0].code == "bad-time"


def test_a_start_time_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="StartTime 'yesterday'"):
        ran({"P": PASS}, context={"Execution": {"StartTime": "yesterday"}})


# --- faults -----------------------------------------------------------------------------------


def test_faults_of_a_file_strike(tmp_path: Path) -> None:
    text = """faults:
  - "A:fail=Busy@0"
  - {state: A, delay: 30, when: after, attempt: 1}
  - {state: B, fail: {error: Gone, cause: far away}, visit: 1, first: true}
  - {state: B, hang: true, visit: 2}
"""
    strikes = collect_faults((), write(tmp_path / "faults.yaml", text))
    states = {"A": task(Next="B", Retry=RETRY), "B": task()}
    result = ran(states, service=Service(), faults=strikes)
    assert (result.error, result.cause) == ("Gone", "far away")
    assert (result.ended - result.started).total_seconds() == DAY_S + 30
    assert result.unstruck_faults == (f"{tmp_path}/faults.yaml:5:5: B:hang (visit 2)",)


def test_words_and_a_file_are_tried_in_this_order(tmp_path: Path) -> None:
    file = write(tmp_path / "faults.yaml", "faults: [{state: T, fail: Second}]")
    result = ran({"T": task()}, faults=collect_faults(["T:fail=First"], file))
    assert result.error == "First"
    assert len(result.unstruck_faults) == 1


def test_all_that_is_wrong_with_faults_is_told_at_once(tmp_path: Path) -> None:
    text = """faults:
  - "T:dely=3"
  - {state: T, delay: x}
  - {state: T, hang: 1, when: later, attempt: -1}
  - {state: T, fail: E, hang: true}
  - {state: "", fail: {cause: c}, visit: 0, first: 1}
  - {state: T, fail: {error: 5}, atempt: 1}
  - 7
more: 1
"""
    with pytest.raises(ProjectError) as caught:
        collect_faults(["T", "T:delay=x", "T:crash=1"], write(tmp_path / "faults.yaml", text))
    found = [(fault.place.line, fault.found) for fault in caught.value.faults]
    assert found == [
        (0, "'T' has no state"),
        (0, "action 'crash' in 'T:crash=1'"),
        (0, "seconds 'x' in 'T:delay=x'"),
        (2, "action 'dely' in 'T:dely=3'"),
        (3, "'x'"),
        (4, "1"),
        (4, "'later'"),
        (4, "-1"),
        (5, "fail and hang"),
        (6, "no state"),
        (6, "{'cause': 'c'}"),
        (6, "0"),
        (6, "1"),
        (7, "{'error': 5}"),
        (7, "the key 'atempt'"),
        (8, "7"),
        (9, "the key 'more'"),
    ]


def test_a_file_without_faults_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="no list `faults`"):
        collect_faults((), write(tmp_path / "faults.yaml", "states: {}"))


def test_a_fault_of_a_state_that_is_not_there() -> None:
    plan = FaultPlan((InjectedFault("Chrge", Fail("E")),))
    with pytest.raises(UsageError, match="did you mean Charge"):
        ran({"Charge": task()}, faults=plan)


@pytest.mark.parametrize("kind", ["Wait", "Pass"])
def test_a_state_that_calls_nothing_can_only_crash(kind: str) -> None:
    state = {"Type": "Wait", "Seconds": 1, "End": True} if kind == "Wait" else PASS
    with pytest.raises(UsageError) as caught:
        ran({"P": state}, faults=FaultPlan((InjectedFault("P", Fail("E")),)))
    (fault,) = caught.value.faults
    assert (fault.code, fault.found) == ("bad-fault", f"P:fail=E, though P is a {kind}")
    with pytest.raises(SimulatedCrash):
        ran({"P": state}, faults=crash("P"))


def test_a_plan_from_python_hears_of_its_strikes() -> None:
    heard: list[InjectedFault] = []
    fault = InjectedFault("T", Fail("E"))
    result = ran({"T": task()}, faults=FaultPlan((fault,), heard.append))
    assert (result.error, heard, result.unstruck_faults) == ("E", [fault], ())


# --- local services ---------------------------------------------------------------------------


def test_handlers_answer_their_functions(tmp_path: Path) -> None:
    write(tmp_path / "handler.py", "def handler(event, context):\n    return {'got': event}\n")
    write(
        tmp_path / "app.py",
        "class Broken(Exception): pass\n\ndef main(event, _):\n    raise Broken(event['n'])\n",
    )
    states = {
        "A": task("arn:aws:lambda:eu-west-1:123456789012:function:first", Next="B"),
        "B": task(
            "arn:aws:states:::lambda:invoke",
            Arguments={
                "FunctionName": "second:live",
                "Payload": {"n": "{% $states.input.got.n %}"},
            },
        ),
    }
    lambdas = {"first": str(tmp_path), "second": f"{tmp_path}/app.py:main"}
    result = ran(states, {"n": "seven"}, lambdas=lambdas)
    assert result.error == "Broken"
    assert [reason.told for reason in result.reasons][1] == "Broken: seven"


@pytest.mark.parametrize("file", ["gone.py", "a.txt", "empty"])
def test_a_handler_that_is_not_there_is_refused(tmp_path: Path, file: str) -> None:
    (tmp_path / "empty").mkdir()
    write(tmp_path / "a.txt", "")
    with pytest.raises(UsageError) as caught:
        ran({"P": PASS}, lambdas={"f": str(tmp_path / file)})
    assert caught.value.faults[0].code == "no-handler"


def test_a_folder_stands_for_s3(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    write(tmp_path / "in" / "items.json", [1, 2])
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON"},
        "Arguments": {"Bucket": "in", "Key": "items.json"},
    }
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "P",
        "States": {"P": PASS},
    }
    put = task(
        "arn:aws:states:::aws-sdk:s3:putObject",
        Arguments={"Bucket": "out", "Key": "sum", "Body": {"sum": "{% $sum($states.input) %}"}},
    )
    each = {"Type": "Map", "ItemReader": reader, "ItemProcessor": processor, "Next": "Put"}
    assert ran({"Each": each, "Put": put}, s3=tmp_path).status == "SUCCEEDED"
    assert (tmp_path / "out" / "sum").read_text() == '{"sum":3}'


def test_a_reader_unpacks_what_is_packed_and_a_bucket_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "items.jsonl.gz").write_bytes(gzip.compress(b"1\n2\n"))

    def each(bucket: str) -> dict[str, Any]:
        reader = {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSONL"},
            "Arguments": {"Bucket": bucket, "Key": "items.jsonl.gz"},
        }
        config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
        processor = {"ProcessorConfig": config, "StartAt": "P", "States": {"P": PASS}}
        return {"E": {"Type": "Map", "ItemReader": reader, "ItemProcessor": processor, "End": True}}

    assert ran(each("in"), s3=tmp_path).output == [1, 2]
    refused = ran(each("nowhere"), s3=tmp_path)
    assert refused.error == "States.ItemReaderFailed"
    assert "bucket does not exist" in (refused.cause or "")
    with pytest.raises(UsageError, match="no-folder"):
        ran({"P": PASS}, s3=tmp_path / "nowhere")


def test_machines_that_start_machines_have_names_of_their_own() -> None:
    """A Map starts a machine per item, which starts another: no two are taken for one."""
    start = "arn:aws:states:::states:startExecution.sync:2"

    def starts(name: str) -> dict[str, Any]:
        arn = f"arn:aws:states:us-east-1:111111111111:stateMachine:{name}"
        arguments = {"StateMachineArn": arn, "Input": {"n": "{% $states.input.n %}"}}
        return task(start, Arguments=arguments, Output="{% $states.result.Output %}")

    leaf = machine({"L": {**PASS, "Output": "{% $states.input.n * 2 %}"}})
    middle = machine({"M": starts("leaf")})
    inner = {"StartAt": "S", "States": {"S": starts("middle")}}
    items = [{"n": 1}, {"n": 2}, {"n": 3}]
    states = {"E": {"Type": "Map", "Items": items, "ItemProcessor": inner, "End": True}}
    result = ran(states, machines={"leaf": leaf, "middle": middle})
    assert (result.error, result.output) == (None, [2, 4, 6])


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"data": "x" * 262_143}, "input-size"),
        ({"name": "a b"}, "bad-name"),
        ({"stops": ("Q",)}, "unknown-state"),
        ({"resume": True, "redrive": True}, "bad-option"),
    ],
)
def test_what_a_start_would_refuse(options: dict[str, Any], code: str) -> None:
    with pytest.raises(UsageError, match=code):
        ran({"P": PASS}, **options)


def test_an_express_execution_ends_after_five_minutes() -> None:
    states = {"W": {"Type": "Wait", "Seconds": 301, "End": True}}
    assert ran(states, express=True).status == "TIMED_OUT"
    assert ran(states).status == "SUCCEEDED"


def test_a_journal_that_is_none_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "order.json", "{" + " " * 5_000)
    for path in (tmp_path, tmp_path / "order.json"):
        with pytest.raises(UsageError, match="no-journal"):
            ran({"P": PASS}, journal=path)


# --- other machines ---------------------------------------------------------------------------


def starts(kind: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401
    given = {"StateMachineArn": CHILD, "Input": {"n": 1}, "Name": "c1", **arguments}
    return {"S": task(START + kind, Arguments=given)}


CHILDREN = {"child": machine({"W": {"Type": "Wait", "Seconds": DAY_S, "Next": "T"}, "T": task()})}


def test_a_child_execution_is_waited_for(tmp_path: Path) -> None:
    mocks = mocked(tmp_path, "states: {T: {return: {ok: true}}}")
    parsed = ran(starts(".sync:2"), mocks=mocks, machines=CHILDREN)
    assert parsed.output["Output"] == {"ok": True}
    assert parsed.output["StateMachineArn"] == CHILD
    text = ran(starts(".sync"), mocks=mocks, machines=CHILDREN)
    assert text.output["Output"] == '{"ok":true}'
    assert (text.ended - text.started).days == 1


def test_the_failure_of_a_child_is_explained_to_its_field(tmp_path: Path) -> None:
    child = machine({"T": {**PASS, "Output": "{% $states.input.m.k + 'x' %}"}})
    result = ran(starts(".sync:2"), machines={"child": child})
    assert result.error == "States.TaskFailed"
    places = [reason.place for reason in result.reasons]
    assert places == ["S (Task)", "", ""]
    assert "the execution arn:aws:states:local:000000000000:execution:child:c1" in (
        result.reasons[1].told
    )
    assert result.reasons[2].field == "Output"
    assert mocked(tmp_path, "") is not None


def test_a_child_that_is_only_started_runs_to_its_end(tmp_path: Path) -> None:
    heard = Heard()
    mocks = mocked(tmp_path, "states: {T: echo}")
    result = ran(starts(""), mocks=mocks, machines=CHILDREN, hooks=Hooks(heard))
    assert set(result.output) == {"ExecutionArn", "StartDate"}
    ended = [step for step in heard.steps if step.what.value == "ended"]
    assert {(step.machine, step.status) for step in ended} == {
        ("", "SUCCEEDED"),
        ("child/c1", "SUCCEEDED"),
    }
    assert result.unused_mocks == ()


def test_what_a_child_lacks_is_told(tmp_path: Path) -> None:
    for kind in ("", ".sync:2"):
        with pytest.raises(UsageError, match="'T' calls"):
            ran(starts(kind), machines=CHILDREN)
    assert mocked(tmp_path, "") is not None


def test_a_machine_that_was_not_given_is_told() -> None:
    with pytest.raises(UsageError, match="--machine child=other"):
        ran(starts(".sync:2"))


# --- durability -------------------------------------------------------------------------------

TWO = {"A": task(Next="W"), "W": {"Type": "Wait", "Seconds": DAY_S, "Next": "B"}, "B": task()}


def crash(state: str, when: When = When.BEFORE) -> FaultPlan:
    return FaultPlan((InjectedFault(state, Crash(), when),))


@pytest.mark.parametrize(("when", "calls"), [(When.BEFORE, 1), (When.AFTER, 2)], ids=str)
def test_a_crashed_execution_goes_on_with_the_same_command(
    tmp_path: Path, when: When, calls: int
) -> None:
    """The crash is asked for again, and does not strike again; what had ended is not called."""
    service, journal = Service(), tmp_path / "j.sqlite"
    request = MachineRequest(
        machine(TWO), {"n": 1}, service=service, journal=journal, faults=crash("B", when)
    )
    with pytest.raises(SimulatedCrash):
        run_machine(request)
    again = MachineRequest(
        machine(TWO), service=service, journal=journal, faults=crash("B", when), resume=True
    )
    result = run_machine(again)
    assert (result.status, result.output, result.input) == ("SUCCEEDED", "B", {"n": 1})
    assert service.states == ["A", *["B"] * calls]
    assert result.unstruck_faults == ()
    assert result.ended - result.started >= timedelta(days=1)
    assert run_machine(again).output == "B", "an execution that ended is only told again"
    assert service.states == ["A", *["B"] * calls]


def test_a_failed_execution_is_redriven_where_it_failed(tmp_path: Path) -> None:
    journal, mocks = (
        tmp_path / "j.sqlite",
        mocked(tmp_path, "states: {A: echo, B: {raise: {error: E}}}"),
    )
    failed = ran(TWO, {"n": 1}, mocks=mocks, journal=journal)
    assert (failed.status, failed.error) == ("FAILED", "E")
    mocked(tmp_path, "states: {A: {raise: {error: Never}}, B: {return: 2}}")
    result = ran(TWO, {"n": 1}, mocks=mocks, journal=journal, redrive=True)
    assert (result.status, result.output, result.unused_mocks) == ("SUCCEEDED", 2, ())
    kinds = [event["type"] for event in history_of(result)["events"]]
    assert kinds[-8:] == [
        "ExecutionFailed",
        "ExecutionRedriven",
        "TaskScheduled",
        "TaskStarted",
        "TaskSubmitted",
        "TaskSucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ]
    with pytest.raises(NotRedrivable, match="an execution that succeeded"):
        ran(TWO, {"n": 1}, mocks=mocks, journal=journal, redrive=True)
    with pytest.raises(UsageError, match="redrive-express"):
        ran({"P": {"Type": "Pass", "End": True}}, journal=journal, redrive=True, express=True)


def test_a_mock_that_was_missing_can_be_added_and_the_execution_continued(tmp_path: Path) -> None:
    journal, mocks = tmp_path / "j.sqlite", mocked(tmp_path, "states: {A: [{return: 1}, echo]}")
    with pytest.raises(UsageError, match="'B' calls"):
        ran(TWO, mocks=mocks, journal=journal)
    mocked(tmp_path, "states: {A: [{return: 1}, echo], B: {return: 2}}")
    result = ran(TWO, mocks=mocks, journal=journal, resume=True)
    assert (result.output, result.unused_mocks) == (2, ())


def test_replies_go_on_where_the_journal_ends(tmp_path: Path) -> None:
    states = {"T": task(Retry=[{"ErrorEquals": ["Busy"], "MaxAttempts": 5}])}
    text = "states: {T: [{raise: Busy}, {raise: Busy}, {return: third}, {return: fourth}]}"
    options: dict[str, Any] = {
        "mocks": mocked(tmp_path, text),
        "journal": tmp_path / "j.sqlite",
        "faults": FaultPlan((InjectedFault("T", Crash(), attempt=1),)),
    }
    with pytest.raises(SimulatedCrash):
        ran(states, **options)
    assert ran(states, **options, resume=True).output == "third"


def test_a_child_goes_on_too(tmp_path: Path) -> None:
    service = Service()
    child = machine({"A": task(Next="B"), "B": task()})
    for kind in ("", ".sync:2"):
        options: dict[str, Any] = {
            "service": service,
            "journal": tmp_path / f"j{kind[:1]}.sqlite",
            "machines": {"child": child},
            "faults": crash("B"),
        }
        with pytest.raises(SimulatedCrash):
            ran(starts(kind), **options)
        assert ran(starts(kind), **options, resume=True).status == "SUCCEEDED"
    assert service.states == ["A", "B"] * 2


def test_a_stopped_execution_can_be_continued(tmp_path: Path) -> None:
    stopper, journal = Stopper(), tmp_path / "j.sqlite"

    def stop(step: Step, trace: Trace) -> None:
        del trace
        if step.state == "W":
            stopper.stop()

    service = Service()
    first = ran(TWO, service=service, journal=journal, hooks=Hooks(stop, stopper))
    assert (first.status, service.states) == ("ABORTED", ["A"])
    assert ran(TWO, service=service, journal=journal, resume=True).status == "SUCCEEDED"
    assert service.states == ["A", "B"]


def test_a_journal_is_not_written_over(tmp_path: Path) -> None:
    journal = tmp_path / "j.sqlite"
    ran({"P": PASS}, journal=journal)
    with pytest.raises(UsageError, match="journal-exists"):
        ran({"P": PASS}, journal=journal)
    with pytest.raises(UsageError, match="journal-definition"):
        ran({"Q": PASS}, journal=journal, resume=True)
    with pytest.raises(UsageError, match="journal-input"):
        ran({"P": PASS}, {"other": 1}, journal=journal, resume=True)
    with pytest.raises(UsageError, match="add --journal FILE"):
        ran({"P": PASS}, resume=True)


def test_a_journal_has_one_writer(tmp_path: Path) -> None:
    journal = tmp_path / "j.sqlite"

    def another(step: Step, trace: Trace) -> None:
        del step, trace
        with pytest.raises(UsageError, match="journal-busy"):
            ran({"P": PASS}, journal=journal, resume=True)

    assert ran({"P": PASS}, journal=journal, hooks=Hooks(another)).status == "SUCCEEDED"


def test_resume_without_anything_in_the_journal_begins(tmp_path: Path) -> None:
    """A process that was killed before its first step leaves such a file; no file is a mistake."""
    journal = tmp_path / "new" / "j.sqlite"
    with pytest.raises(UsageError, match="which is not there"):
        ran({"P": PASS}, journal=journal, resume=True)
    open_journal(journal).close()
    assert ran({"P": PASS}, journal=journal, resume=True).output == {}


# --- why it failed ----------------------------------------------------------------------------


def why(states: dict[str, Any], data: Any = None, **options: Any) -> list[tuple[str, str, str]]:  # noqa: ANN401
    result = ran(states, data, **options)
    assert result.status in {"FAILED", "TIMED_OUT"}
    return [(reason.place, reason.field, reason.told) for reason in result.reasons]


def test_the_reason_of_a_task_inside_branch_and_item() -> None:
    inner = {"StartAt": "T", "States": {"T": task(Retry=RETRY)}}
    each = {"Type": "Map", "Items": [1, 2], "ItemProcessor": inner, "End": True}
    side = {"StartAt": "Quiet", "States": {"Quiet": PASS}}
    branch = {"StartAt": "Each", "States": {"Each": each}}
    states = {"Both": {"Type": "Parallel", "Branches": [side, branch], "End": True}}
    busy = [ServiceError("Busy", "again")] * 4
    service = Service("fine", *busy)
    assert why(states, service=service) == [
        ("Both (Parallel)", "", "a branch of it failed"),
        ("Both[1] / Each (Map)", "", "an item of it failed"),
        (
            "Both[1] / Each[1] / T (Task)",
            "",
            "the last of 4 calls of arn:aws:states:::glue:startJobRun.sync failed",
        ),
        ("", "", "Busy: again"),
    ]


def test_the_reason_of_a_path_that_leads_nowhere() -> None:
    states = {"P": {**PASS, "Parameters": {"a.$": "$.b"}}}
    result = run_machine(MachineRequest({"StartAt": "P", "States": states}, {"c": 1}))
    (reason,) = result.reasons
    assert (reason.place, reason.field) == ("P (Pass)", "a.$")
    assert reason.told == 'States.Runtime: the path $.b leads nowhere in the input: {"c":1}'


def test_the_reason_of_an_expression_of_the_wrong_type() -> None:
    states = {"W": {"Type": "Wait", "Seconds": "{% 'x' %}", "Next": "P"}, "P": PASS}
    ((place, field, told),) = why(states)
    assert (place, field) == ("W (Wait)", "Seconds")
    assert told.endswith("'x' gives \"x\": string, where number is wanted")


def test_the_reason_of_a_fail_state_and_of_a_timeout() -> None:
    fail = {"Type": "Fail", "Error": "Refused", "Cause": "no money"}
    assert why({"F": fail}) == [("F (Fail)", "", "Refused: no money")]
    assert why({"F": {"Type": "Fail"}}) == [("F (Fail)", "", "an error without a name")]


def test_the_reason_is_the_state_that_failed_last_not_one_that_was_caught() -> None:
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "B"}]
    service = Service(ServiceError("First", "1"), ServiceError("Second", "2"))
    found = why({"A": task(Catch=catch, Next="B"), "B": task()}, service=service)
    assert [place for place, _, _ in found] == ["B (Task)", ""]


# --- steps ------------------------------------------------------------------------------------


def test_steps_tell_of_calls_retries_catches_and_variables() -> None:
    heard = Heard()
    catch = [
        {"ErrorEquals": ["States.ALL"], "Next": "P", "Assign": {"e": "{% $states.errorOutput %}"}}
    ]
    retry = [{"ErrorEquals": ["Busy"], "IntervalSeconds": 60, "MaxAttempts": 1}]
    states = {"T": task(Retry=retry, Catch=catch, Next="Q"), "Q": PASS, "P": PASS}
    service = Service(ServiceError("Busy", "1"), ServiceError("Busy", "2"))
    ran(states, service=service, hooks=Hooks(heard))
    assert heard.told() == [
        ("started", ""),
        ("entered", "T"),
        ("called", "T"),
        ("failed", "T"),
        ("retrying", "T"),
        ("called", "T"),
        ("failed", "T"),
        ("left", "T"),
        ("caught", "T"),
        ("entered", "P"),
        ("left", "P"),
        ("ended", ""),
    ]
    retrying, left, caught = heard.steps[4], heard.steps[7], heard.steps[8]
    assert (retrying.number, retrying.seconds) == (1, 60)
    assert left.assigned == {"e": {"Error": "Busy", "Cause": "2"}}
    assert (left.seconds, caught.target) == (60, "P")


@pytest.mark.parametrize("fails", [True, False])
def test_a_catch_shows_even_where_it_leads_to_the_next_state(*, fails: bool) -> None:
    heard = Heard()
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "P"}]
    answer = ServiceError("Busy") if fails else 1
    states = {"T": task(Catch=catch, Next="P"), "P": PASS}
    ran(states, service=Service(answer), hooks=Hooks(heard))
    assert (("caught", "T") in heard.told()) is fails


def test_steps_know_where_they_are_and_what_variables_are_seen() -> None:
    seen: list[tuple[str, tuple[str, ...], dict[str, Any]]] = []

    def look(step: Step, trace: Trace) -> None:
        if step.what.value == "entered":
            newest = next(reversed(trace.open))
            seen.append((step.state, step.within, trace.variables(newest)))

    inner = {
        "StartAt": "a/b#1",
        "States": {
            "a/b#1": {"Type": "Pass", "Assign": {"z": 2}, "Next": "C"},
            "C": PASS,
        },
    }
    states = {
        "A": {"Type": "Pass", "Assign": {"x": 1, "y": 1}, "Next": "M"},
        "M": {"Type": "Map", "Items": [1], "ItemProcessor": inner, "End": True},
    }
    ran(states, hooks=Hooks(look))
    outer = {"x": 1, "y": 1}
    assert seen == [
        ("A", (), {}),
        ("M", (), outer),
        ("a/b#1", ("M[0]",), outer),
        ("C", ("M[0]",), {**outer, "z": 2}),
    ]


def test_the_history_is_that_of_get_execution_history() -> None:
    pytest.importorskip("runner.machine.history")
    from runner.app.machine_history import history_of

    found = history_of(ran({"P": PASS}, {"n": 1}))
    assert [event["type"] for event in found["events"]] == [
        "ExecutionStarted",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
    ]
    assert json.loads(found["events"][1]["stateEnteredEventDetails"]["input"]) == {"n": 1}


def test_strikes_are_counted_by_the_fault_itself() -> None:
    strikes = Strikes((InjectedFault("T", Fail("E")), InjectedFault("U", Fail("E"))))
    strikes.struck(InjectedFault("T", Fail("E")))
    assert strikes.unstruck() == ("--fault: U:fail=E",)
