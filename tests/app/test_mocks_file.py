"""Mocks from files: what each kind answers, AWS's own format, and what is wrong with a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from runner.errors import ProjectError, UsageError
from runner.machine.mocks import Mocks
from tests.support.machines import machine, mocked, ran, task, write

if TYPE_CHECKING:
    from pathlib import Path

JOB = "arn:aws:states:::glue:startJobRun.sync"
TOKEN = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"


def each(items: list[Any], resource: str = JOB, **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    """Make a Map that calls a task with each item, and puts out results or error names."""
    inner = {
        "T": task(
            resource,
            Arguments={"FunctionName": "pay", "n": "{% $states.input %}"},
            Catch=[
                {"ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput %}", "Next": "C"}
            ],
            **fields,
        ),
        "C": {"Type": "Pass", "End": True},
    }
    processor = {"StartAt": "T", "States": inner}
    return {"M": {"Type": "Map", "Items": items, "ItemProcessor": processor, "End": True}}


def answers(tmp_path: Path, text: str, items: list[Any], resource: str = JOB) -> Any:  # noqa: ANN401
    return ran(each(items, resource), mocks=mocked(tmp_path, text)).output


def test_replies_come_one_per_call_and_the_last_repeats(tmp_path: Path) -> None:
    text = "states: {T: [{return: a}, {raise: {error: E, cause: c}}, {return: null}]}"
    assert answers(tmp_path, text, [1, 2, 3, 4]) == ["a", {"Error": "E", "Cause": "c"}, None, None]


def test_an_echo_gives_back_what_the_task_sends(tmp_path: Path) -> None:
    sent = {"FunctionName": "pay", "n": 1}
    assert answers(tmp_path, "states: {T: echo}", [1]) == [sent]
    assert answers(tmp_path, "states: {T: {echo: true}}", [1]) == [sent]


def test_a_payload_is_what_a_function_gives_to_lambda_invoke(tmp_path: Path) -> None:
    (found,) = answers(tmp_path, "states: {T: {payload: {ok: 1}}}", [1])
    assert found == {"ExecutedVersion": "$LATEST", "Payload": {"ok": 1}, "StatusCode": 200}


def test_an_error_may_be_a_word(tmp_path: Path) -> None:
    assert answers(tmp_path, "states: {T: {raise: Busy}}", [1])[0]["Error"] == "Busy"


def test_replies_by_input(tmp_path: Path) -> None:
    text = """
states:
  T:
    by_input:
      - input: {FunctionName: pay, n: 1}
        then: [{return: one}, {return: one again}]
      - where: {n: {deep: true}}
        then: {return: deep}
      - then: {return: other}
"""
    items = [2, 1, {"deep": True, "more": 0}, 1, 1]
    found = answers(tmp_path, text, items)
    assert found == ["other", "one", "deep", "one again", "one again"]


@pytest.mark.parametrize(
    ("resource", "patterns", "taken"),
    [
        (JOB, ["lambda:*", "glue:startJobRun.sync"], 1),
        (JOB, ["glue:startJobRun", "arn:aws:states:::glue:*", "*"], 1),
        ("arn:aws:states:::lambda:invoke", ["function:other", "function:pay"], 1),
        ("arn:aws:lambda:eu-west-1:123456789012:function:pay:live", ["function:pay", "*"], 0),
        ("arn:aws:states:eu-west-1:123456789012:activity:pack", ["*:activity:pack", "*"], 0),
    ],
)
def test_mocks_by_resource(tmp_path: Path, resource: str, patterns: list[str], taken: int) -> None:
    lines = [f'  "{pattern}": {{return: {n}}}' for n, pattern in enumerate(patterns)]
    text = "\n".join(["resources:", *lines])
    assert answers(tmp_path, text, [1], resource) == [taken]


def test_a_state_goes_before_a_resource(tmp_path: Path) -> None:
    text = 'states: {T: {return: state}}\nresources: {"*": {return: resource}}'
    mocks = mocked(tmp_path, text)
    found = ran(each([1]), mocks=mocks)
    assert found.output == ["state"]
    assert found.unused_mocks == (f"{mocks}:2:13",)


def test_a_token_is_answered_in_time_or_not(tmp_path: Path) -> None:
    text = """
states:
  Approve:
    - token: {output: {by: anna}, after: 50, heartbeats: [20, 40]}
    - token: {error: Refused, cause: no}
    - token: {heartbeats: [20]}
"""
    states = {
        "Approve": task(
            TOKEN,
            HeartbeatSeconds=30,
            Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Bad"}],
            Next="Good",
        ),
        "Good": {"Type": "Succeed"},
        "Bad": {"Type": "Succeed"},
    }
    inner = {"StartAt": "Approve", "States": states}
    outer = {"Type": "Map", "Items": [1, 2, 3], "ItemProcessor": inner, "MaxConcurrency": 1}
    found = ran({"M": {**outer, "End": True}}, mocks=mocked(tmp_path, text))
    assert found.output[0] == {"by": "anna"}
    assert found.output[1] == {"Error": "Refused", "Cause": "no"}
    assert found.output[2]["Error"] in {"States.Timeout", "States.HeartbeatTimeout"}
    assert (found.ended - found.started).total_seconds() == 50 + 20 + 30


def test_a_reply_may_take_its_time(tmp_path: Path) -> None:
    found = ran({"T": task()}, mocks=mocked(tmp_path, "states: {T: {return: 1, after: 86400}}"))
    assert (found.output, (found.ended - found.started).days) == (1, 1)


def test_silence_is_ended_by_the_timeout(tmp_path: Path) -> None:
    found = ran({"T": task(TimeoutSeconds=90)}, mocks=mocked(tmp_path, "states: {T: hang}"))
    assert (found.error, (found.ended - found.started).seconds) == ("States.Timeout", 90)


# --- what is missing -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resource", "advice"),
    [
        (JOB, 'write `states: {"T": {return: ...}}` into the mocks'),
        ("arn:aws:states:::lambda:invoke", "--lambda pay=path/to/handler.py"),
        ("arn:aws:lambda:eu-west-1:123456789012:function:pack", "--lambda pack=path/to/handler.py"),
        (TOKEN, '{"T": {token: {output: ...}}}'),
        ("arn:aws:states:::s3:getObject", "--s3 FOLDER"),
        ("arn:aws:states:::aws-sdk:s3:getObject", "--s3 FOLDER"),
        ("arn:aws:states:::states:startExecution.sync:2", "--machine child=other.asl.json"),
    ],
)
def test_what_nobody_answers_says_what_to_write(resource: str, advice: str) -> None:
    arguments = {
        "FunctionName": "pay",
        "StateMachineArn": "arn:aws:states:eu-west-1:123456789012:stateMachine:child",
    }
    with pytest.raises(UsageError) as caught:
        ran({"T": task(resource, Arguments=arguments, Catch=CATCH), "P": PASS})
    (fault,) = caught.value.faults
    assert fault.code == "no-mock"
    assert f"'T' calls {resource}" in fault.found
    assert advice in fault.advice


PASS = {"Type": "Pass", "End": True}
CATCH = [{"ErrorEquals": ["States.ALL"], "Next": "P"}]


def test_an_input_without_a_row_is_told(tmp_path: Path) -> None:
    mocks = mocked(tmp_path, "states:\n  T: {by_input: [{input: 1, then: echo}]}")
    with pytest.raises(UsageError, match="no row for what 'T' sends") as caught:
        ran({"T": task(Arguments={"n": 2})}, mocks=mocks)
    assert str(caught.value.faults[0].place) == f"{mocks}:2:3"


def test_a_mock_of_a_state_that_is_not_there(tmp_path: Path) -> None:
    mocks = mocked(tmp_path, "states:\n  Chrge: echo\n  T: echo")
    with pytest.raises(UsageError, match="did you mean Charge") as caught:
        ran({"T": task(Next="Charge"), "Charge": task()}, mocks=mocks)
    (fault,) = caught.value.faults
    assert (fault.code, str(fault.place)) == ("unknown-state", f"{mocks}:2:3")


def test_all_that_is_wrong_with_a_file_is_told_at_once(tmp_path: Path) -> None:
    text = """states:
  A: {retrun: 1}
  B: {return: 1, raise: E}
  C: []
  D: {by_input: []}
  E: {by_input: [{input: 1}, {input: 1, where: 1, then: echo}, 3]}
  F: {return: 1, after: soon, heartbeats: 5}
  G: {token: {outptu: 1}}
  H: {token: {output: 1, error: E}}
  I: {raise: {error: 5, casue: x}}
  J: {echo: 1}
  K: {return: 1, heartbeats: [1, -1]}
resource: {}
"""
    with pytest.raises(ProjectError) as caught:
        ran({"T": task()}, mocks=mocked(tmp_path, text))
    found = [(fault.code, fault.place.line, fault.found) for fault in caught.value.faults]
    assert found == [
        ("bad-mock", 2, "{'retrun': 1}"),
        ("bad-mock", 3, "`return` and `raise`"),
        ("bad-mock", 4, "an empty list"),
        ("bad-mock", 5, "[]"),
        ("bad-mock", 6, "a row without `then`"),
        ("bad-mock", 6, "both `input` and `where`"),
        ("bad-mock", 6, "3"),
        ("bad-mock", 6, "a row without `then`"),
        ("bad-mock", 7, "'soon'"),
        ("bad-mock", 7, "5"),
        ("bad-mock", 8, "the key 'outptu'"),
        ("bad-mock", 9, "both `output` and `error`"),
        ("bad-mock", 10, "5"),
        ("bad-mock", 10, "the key 'casue'"),
        ("bad-mock", 11, "1"),
        ("bad-mock", 12, "-1"),
        ("bad-mock", 13, "the key 'resource'"),
    ]


@pytest.mark.parametrize("text", ["", "{}", "states:\n", "{}\n"])
def test_no_mocks_are_no_mistake(tmp_path: Path, text: str) -> None:
    assert ran({"P": PASS}, {"n": 1}, mocks=mocked(tmp_path, text)).output == {"n": 1}


def test_a_file_that_is_no_yaml(tmp_path: Path) -> None:
    with pytest.raises(ProjectError) as caught:
        ran({"P": PASS}, mocks=mocked(tmp_path, "states: [\n"))
    assert caught.value.faults[0].code == "yaml-syntax"


def test_mocks_as_values() -> None:
    with pytest.raises(UsageError, match="no-mock"):
        ran({"T": task()}, mocks=Mocks({}, {}))


# --- the format of Step Functions Local -------------------------------------------------------

AWS: dict[str, Any] = {
    "StateMachines": {
        "Pay": {"TestCases": {"Busy": {"T": "Busy"}, "Fine": {"T": "Fine"}}},
        "Other": {"TestCases": {"Busy": {}}},
    },
    "MockedResponses": {
        "Busy": {
            "0": {"Throw": {"Error": "Busy", "Cause": "again"}},
            "1-2": {"Return": {"ok": True}},
        },
        "Fine": {"0": {"Return": "fine"}},
    },
}


def test_the_format_of_step_functions_local(tmp_path: Path) -> None:
    mocks = write(tmp_path / "MockConfigFile.json", AWS)
    found = ran(each([1, 2, 3]), mocks=mocks, test_case="Pay/Busy").output
    assert found == [{"Error": "Busy", "Cause": "again"}, {"ok": True}, {"ok": True}]
    assert ran(each([1]), mocks=mocks, test_case="Fine").output == ["fine"]


def test_a_call_beyond_the_numbers_has_no_reply(tmp_path: Path) -> None:
    mocks = write(tmp_path / "MockConfigFile.json", AWS)
    with pytest.raises(UsageError, match=r"no reply to call 1 \(from 0\) of 'T'"):
        ran(each([1, 2]), mocks=mocks, test_case="Fine")


@pytest.mark.parametrize(
    ("case", "found"),
    [
        (None, "3 test cases, and no --test-case that chooses"),
        ("Busy", "--test-case Busy, which several are called"),
        ("Bsy", "--test-case Bsy, which none is called"),
    ],
)
def test_a_test_case_is_chosen_by_its_name(tmp_path: Path, case: str | None, found: str) -> None:
    mocks = write(tmp_path / "MockConfigFile.json", AWS)
    with pytest.raises(ProjectError) as caught:
        ran({"T": task()}, mocks=mocks, test_case=case)
    (fault,) = caught.value.faults
    assert (fault.found, fault.place.line) == (found, 2)


def test_what_is_wrong_with_a_file_of_step_functions_local(tmp_path: Path) -> None:
    text = """{
\t"StateMachines": {"Pay": {"TestCases": {"Case": {"T": "Nobody"}}, "Extra": 1}},
\t"MockedResponses": {
\t\t"One": {"0": {"Return": 1, "Throw": {}}, "2-1": {"Return": 1}},
\t\t"Two": {"0-1": {"Return": 1}, "1": {"Throw": {"Error": 5}}, "x": {"Retrun": 1}}
\t}
}"""
    mocks = write(tmp_path / "MockConfigFile.json", text)
    with pytest.raises(ProjectError) as caught:
        ran({"T": task()}, mocks=mocks)
    found = [(fault.place.line, fault.found) for fault in caught.value.faults]
    assert found == [
        (2, "'Nobody'"),
        (2, "the key 'Extra'"),
        (4, "Return, Throw"),
        (4, "'2-1'"),
        (5, "call 1 a second time"),
        (5, "5"),
        (5, "'x'"),
        (5, "Retrun"),
    ]


def test_a_test_case_belongs_to_that_format(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="leave --test-case away"):
        ran({"T": task()}, mocks=mocked(tmp_path, "states: {T: echo}"), test_case="Busy")


def test_a_json_file_that_is_none(tmp_path: Path) -> None:
    mocks = write(tmp_path / "mocks.json", '{"states":\n {"T": }}')
    with pytest.raises(ProjectError) as caught:
        ran({"T": task()}, mocks=mocks)
    (fault,) = caught.value.faults
    assert (fault.code, fault.place.line, fault.place.column) == ("json-syntax", 2, 8)


def test_an_example_of_a_machine_is_no_mock_file(tmp_path: Path) -> None:
    mocks = write(tmp_path / "mocks.json", machine({"P": PASS}))
    with pytest.raises(ProjectError) as caught:
        ran({"P": PASS}, mocks=mocks)
    assert len(caught.value.faults) == 3
