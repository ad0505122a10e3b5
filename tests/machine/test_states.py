"""What each type of JSONata state does, and what expressions in it see."""

from __future__ import annotations

from typing import Any

import pytest

from tests.machine.machines import Fails, Script, error_of, jsonata, output_of, play

Json = Any

PASS = {"Type": "Pass", "End": True}


def one(**fields: Json) -> dict[str, Json]:
    """A machine of one Pass state."""
    return jsonata({"A": {**PASS, **fields}})


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("plain", "plain"),
        (None, None),
        (
            {"a": ["{% $states.input.x + 1 %}", {"b": "{% $states.input.x %}"}]},
            {"a": [3, {"b": 2}]},
        ),
        ("{% $states.input.list[1] %}", "b"),
        ("{% $states.input.none %}", None),
        ("{% [$states.input.x] %}", [2]),
        ("{% $states.input.list[$ = 'a'] %}", "a"),
        ("{% $count($states.input.list) %}", 2),
        ("{% 6 / 3 %}", 2),
        ("{% $number('4') %}", 4),
        ("{% 7 / 2 %}", 3.5),
        ("{% $map([1, 2], function($v) { $v * 2 }) %}", [2, 4]),
        ("{% $states.input.pairs.v %}", [1, 2]),
        ("{% $partition([1, 2, 3], 2) %}", [[1, 2], [3]]),
        ("{% $range(0, 10, 5) %}", [0, 5, 10]),
        ("{% $range(3, 1, -1) %}", [3, 2, 1]),
        ("{% $range(1, 5, 9) %}", 1),
        ("{% $hash('', 'MD5') %}", "d41d8cd98f00b204e9800998ecf8427e"),
        ("{% $parse('{\"a\": [1, null]}') %}", {"a": [1, None]}),
        ("{% $parse('null') %}", None),
        ("{% $length($uuid()) %}", 36),
        ("{% $random() < 1 %}", True),
        ("{% $partition(1, 2) %}", [[1]]),
        ("{% $states.context.Execution & '' != '' %}", True),
        ("{% $count($keys($states)) %}", 2),
        ("{% [1..3] %}", [1, 2, 3]),
        ("{% $count([1..3]) & ' ' & $sum([1..3]) & ' ' & [1..3][2] %}", "3 6 3"),
        ("{% $map([1..3], function($n) { $n * $n }) %}", [1, 4, 9]),
        ("{% $sort([3, 1, 2]) %}", [1, 2, 3]),
        ("{% $merge([{'a': 1}, {'b': null}]) %}", {"a": 1, "b": None}),
        ("{% $filter([1, null, 2], function($n) { $n != null }) %}", [1, 2]),
        ("{% $states.input.pairs[v = 2].v %}", 2),
        ("{% $states.input.pairs{$string(v): v} %}", {"1": 1, "2": 2}),
        ("{% $states.input.nothing.at.all ? 1 : 2 %}", 2),
        ("{% $exists($sum) %}", True),
        ("{% 'b' > 'a' and 'é' > 'a' and 1.5 > 1 %}", True),
        ("{% 'x' in 'x' %}", True),
        ("{% 1 in [1, 2] %}", True),
        ("{% $append([], 1) %}", [1]),
        ("{% $append([1], [2]) %}", [1, 2]),
        ("{% $hash($string(1), 'MD5') %}", "c4ca4238a0b923820dcc509a6f75849b"),
        ("{% $random(5) = $random(5) %}", True),
        ("{% $now() %}", "2000-01-01T00:00:00.000Z"),
        ("{% $millis() %}", 946684800000),
        ("{% $states.context.State.Name %}", "A"),
        ("{% $states.context.Execution.Input.x %}", 2),
        ("{% $states.context.Execution.RedriveCount %}", 0),
        ("{% $type($states.input.list[2]) %}", None),
        ('{% "\\ud83d\\ude00" & $string($length("\\ud83d\\ude00")) %}', "😀1"),
    ],
)
def test_outputs(output: Json, expected: Json) -> None:
    data = {"x": 2, "list": ["a", "b"], "none": None, "pairs": [{"v": 1}, {"v": 2}]}
    definition = one(Output=output)
    if expected is None and isinstance(output, str) and "type" in output:
        assert error_of(definition, data) == "States.QueryEvaluationError"
    else:
        assert output_of(definition, data) == expected


@pytest.mark.parametrize(
    ("expression", "cause"),
    [
        ("$nothing", "specified for the field 'Output' returned nothing (undefined)."),
        ("$states.input.no.such", "returned nothing (undefined)."),
        ("1 + 'a'", "threw an error during evaluation. T2002"),
        ("$nofunction(1)", "T1006: Attempted to invoke a non-function"),
        ("$eval('1')", "T1006: Attempted to invoke a non-function"),
        ("$sum", "which is not JSON"),
        ("1 / 0 + 1", "D1001: Number out of range: null"),
        ("$parse('{')", "not JSON"),
        ("$hash('a', 'CRC')", "not one of the hash algorithms"),
        ("$range(1, 2, 0)", "returned nothing (undefined)."),
        ("$range(1, 9e9, 1)", "evaluation: Expression evaluation memory limit exceeded"),
        ("$partition([1], 0)", "must be a positive number"),
        ("$range('a', 2, 1)", 'Argument 1 of function "range"'),
        ("$partition([1], true)", 'Argument 2 of function "partition"'),
        ("$hash(1, 'MD5')", 'Argument 1 of function "hash"'),
        ("$parse(1)", 'Argument 1 of function "parse"'),
        ("$range(5, 1, 1)", "returned nothing (undefined)."),
        ("$range($nothing, 1, 1)", "returned nothing (undefined)."),
        ("$partition($nothing, 1)", "returned nothing (undefined)."),
        ("$hash($nothing, 'MD5')", "returned nothing (undefined)."),
        ("$substring(1, {})", "threw an error during evaluation. T0410"),
        ("$power(10, 400)", "base=10, exponent=400"),
        ("function($x) { $x }", "which is not JSON"),
        ("($f := function($n) { 1 + $f($n) }; $f(1))", "evaluation: Stack overflow error: "),
    ],
)
def test_failing_expressions(expression: str, cause: str) -> None:
    outcome = play(one(Output=f"{{% {expression} %}}"), {})
    assert (outcome.status, outcome.error) == ("FAILED", "States.QueryEvaluationError")
    assert "executing the state 'A' (entered at the event id #2)" in (outcome.cause or "")
    assert cause in (outcome.cause or "")


def test_assignments_see_the_values_of_entry_and_hold_from_the_next_state() -> None:
    definition = jsonata(
        {
            "A": {"Type": "Pass", "Assign": {"x": 1}, "Next": "B"},
            "B": {
                "Type": "Pass",
                "Assign": {"x": "{% $x + 1 %}", "y": "{% $x %}"},
                "Output": "{% $x %}",
                "Next": "C",
            },
            "C": {"Type": "Pass", "Output": "{% [$states.input, $x, $y] %}", "End": True},
        }
    )
    assert output_of(definition) == [1, 2, 1]


def test_inner_flows_read_outer_variables_and_keep_their_own() -> None:
    inner = {
        "StartAt": "B",
        "States": {
            "B": {"Type": "Pass", "Assign": {"y": "{% $x + 1 %}"}, "Next": "C"},
            "C": {"Type": "Pass", "Output": "{% $y %}", "End": True},
        },
    }
    definition = jsonata(
        {
            "A": {"Type": "Pass", "Assign": {"x": 1}, "Next": "P"},
            "P": {"Type": "Parallel", "Branches": [inner], "Next": "D"},
            "D": {"Type": "Pass", "Output": "{% [$states.input, $exists($y)] %}", "End": True},
        }
    )
    assert output_of(definition) == [2, False]


def test_a_task_gets_its_arguments_and_its_result_can_be_put_out_and_assigned() -> None:
    definition = jsonata(
        {
            "T": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Arguments": {"n": "{% $states.input.n %}"},
                "Output": {"got": "{% $states.result.Payload %}", "was": "{% $states.input %}"},
                "Assign": {"kept": "{% $states.result.Payload.a %}"},
                "Next": "E",
            },
            "E": {"Type": "Pass", "Output": "{% [$states.input, $kept] %}", "End": True},
        }
    )
    service = Script(T={"Payload": {"a": 5}})
    outcome = play(definition, {"n": 3}, service)
    assert outcome.output == [{"got": {"a": 5}, "was": {"n": 3}}, 5]
    (request,) = service.requests
    assert (request.arguments, request.resource) == ({"n": 3}, "arn:aws:states:::lambda:invoke")
    assert (request.key, request.attempt, request.repeated) == ("T#1.0", 0, False)
    assert request.context["State"]["RetryCount"] == 0


def test_a_task_without_arguments_gets_the_input() -> None:
    definition = jsonata({"T": {"Type": "Task", "Resource": "r", "End": True}})
    assert output_of(definition, {"a": 1}) == {"a": 1}


def test_a_token_task_sees_its_token() -> None:
    definition = jsonata(
        {
            "T": {
                "Type": "Task",
                "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
                "Arguments": {"token": "{% $states.context.Task.Token %}"},
                "End": True,
            }
        }
    )
    assert len(output_of(definition)["token"]) == 36


CHOICE = jsonata(
    {
        "C": {
            "Type": "Choice",
            "Choices": [
                {"Condition": "{% $states.input = 1 %}", "Next": "Out", "Output": "one"},
                {
                    "Condition": "{% $states.input = 2 %}",
                    "Next": "Out",
                    "Assign": {"v": "two"},
                },
            ],
            "Default": "Out",
            "Output": "other",
            "Assign": {"v": "none"},
        },
        "Out": {
            "Type": "Pass",
            "Output": "{% [$states.input, $exists($v) ? $v : '-'] %}",
            "End": True,
        },
    }
)


@pytest.mark.parametrize(
    ("data", "expected"), [(1, ["one", "-"]), (2, [2, "two"]), (3, ["other", "none"])]
)
def test_a_choice_puts_out_what_its_branch_says(data: int, expected: Json) -> None:
    assert output_of(CHOICE, data) == expected


def test_a_condition_must_be_boolean() -> None:
    definition = jsonata(
        {
            "C": {
                "Type": "Choice",
                "Choices": [{"Condition": "{% 'yes' %}", "Next": "S"}],
                "Default": "S",
            },
            "S": {"Type": "Succeed"},
        }
    )
    outcome = play(definition)
    assert outcome.error == "States.QueryEvaluationError"
    assert "'Choices[0]/Condition' returned an unexpected result type" in (outcome.cause or "")
    assert "Expected 'boolean', but was 'string' for value: \"yes\"" in (outcome.cause or "")


def test_no_choice_and_no_default_is_a_runtime_error() -> None:
    definition = jsonata(
        {
            "C": {"Type": "Choice", "Choices": [{"Condition": "{% false %}", "Next": "S"}]},
            "S": {"Type": "Succeed"},
        }
    )
    assert error_of(definition) == "States.Runtime"


@pytest.mark.parametrize(
    ("wait", "seconds"),
    [
        ({"Seconds": 90}, 90),
        ({"Seconds": "{% $states.input.s %}"}, 5),
        ({"Timestamp": "2000-01-01T00:01:00Z"}, 60),
        ({"Timestamp": "{% $states.input.t %}"}, 3600),
        ({"Timestamp": "1999-01-01T00:00:00Z"}, 0),
    ],
)
def test_waits(wait: Json, seconds: int) -> None:
    definition = jsonata({"W": {"Type": "Wait", **wait, "End": True}})
    outcome = play(definition, {"s": 5, "t": "2000-01-01T09:30:00.5+08:30"})
    assert int((outcome.ended - outcome.started).total_seconds()) == seconds


@pytest.mark.parametrize(
    "wait", [{"Seconds": "{% 'x' %}"}, {"Seconds": "{% -1 %}"}, {"Timestamp": "{% 'noon' %}"}]
)
def test_waits_that_cannot_be(wait: Json) -> None:
    definition = jsonata({"W": {"Type": "Wait", **wait, "End": True}})
    assert error_of(definition) == "States.QueryEvaluationError"


def test_succeed_and_fail() -> None:
    assert output_of(jsonata({"S": {"Type": "Succeed", "Output": {"a": 1}}})) == {"a": 1}
    definition = jsonata({"F": {"Type": "Fail", "Error": "E", "Cause": "{% $states.input.why %}"}})
    outcome = play(definition, {"why": "rain"})
    assert (outcome.status, outcome.error, outcome.cause) == ("FAILED", "E", "rain")


def test_parallel_gives_results_in_the_order_of_branches() -> None:
    def branch(name: str, seconds: int) -> Json:
        wait = {"Type": "Wait", "Seconds": seconds, "Next": f"{name}2"}
        last = {"Type": "Pass", "Output": name, "End": True}
        return {"StartAt": name, "States": {name: wait, f"{name}2": last}}

    definition = jsonata(
        {"P": {"Type": "Parallel", "Branches": [branch("a", 9), branch("b", 1)], "End": True}}
    )
    outcome = play(definition)
    assert outcome.output == ["a", "b"]
    assert (outcome.ended - outcome.started).total_seconds() == 9


def test_the_first_failing_branch_stops_its_siblings() -> None:
    def branch(name: str, seconds: int, last: Json) -> Json:
        wait = {"Type": "Wait", "Seconds": seconds, "Next": f"{name}2"}
        return {"StartAt": name, "States": {name: wait, f"{name}2": last}}

    definition = jsonata(
        {
            "P": {
                "Type": "Parallel",
                "Branches": [
                    branch("a", 9, {"Type": "Task", "Resource": "r", "End": True}),
                    branch("b", 1, {"Type": "Fail", "Error": "E", "Cause": "c"}),
                ],
                "Catch": [{"ErrorEquals": ["E"], "Next": "H"}],
                "Next": "H",
            },
            "H": {"Type": "Wait", "Seconds": 60, "End": True},
        }
    )
    service = Script()
    assert play(definition, {}, service).output == {"Error": "E", "Cause": "c"}
    assert service.requests == []


def item_machine(**fields: Json) -> dict[str, Json]:
    task = {"Type": "Task", "Resource": "r", "End": True}
    processor = {"StartAt": "I", "States": {"I": task}}
    return jsonata({"M": {"Type": "Map", "ItemProcessor": processor, "End": True, **fields}})


def test_map_runs_its_processor_for_each_item() -> None:
    service = Script(I=lambda request: request.arguments * 10)
    outcome = play(item_machine(Items="{% $states.input.n %}"), {"n": [1, 2, 3]}, service)
    assert outcome.output == [10, 20, 30]
    assert sorted(service.keys) == ["M#1.0[0]/I#1.0", "M#1.0[1]/I#1.0", "M#1.0[2]/I#1.0"]


def test_map_selects_what_an_item_gets() -> None:
    selector = {
        "i": "{% $states.context.Map.Item.Index %}",
        "v": "{% $states.context.Map.Item.Value %}",
        "all": "{% $count($states.input) %}",
    }
    assert output_of(item_machine(ItemSelector=selector), ["a", "b"]) == [
        {"i": 0, "v": "a", "all": 2},
        {"i": 1, "v": "b", "all": 2},
    ]


def test_map_of_nothing_gives_nothing() -> None:
    assert output_of(item_machine(), []) == []


@pytest.mark.parametrize("most", [1, 2, 0])
def test_map_runs_at_most_so_many_at_once(most: int) -> None:
    processor = {"StartAt": "I", "States": {"I": {"Type": "Wait", "Seconds": 1, "End": True}}}
    state = {"Type": "Map", "ItemProcessor": processor, "MaxConcurrency": most, "End": True}
    outcome = play(jsonata({"M": state}), [1, 2, 3, 4])
    seconds = {1: 4, 2: 2, 0: 1}[most]
    assert (outcome.ended - outcome.started).total_seconds() == seconds


def test_a_failing_item_fails_the_map_with_its_error() -> None:
    assert error_of(item_machine(), [1, 2], I=[1, Fails("Odd")]) == "Odd"


def test_a_payload_over_the_limit_ends_the_execution() -> None:
    """262,144 bytes of UTF-8; States.ALL does not take States.DataLimitExceeded."""
    task = {
        "Type": "Task",
        "Resource": "r",
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "S"}],
        "Next": "S",
    }
    definition = jsonata({"T": task, "S": {"Type": "Succeed"}})
    assert error_of(definition, {}, T="x" * 262_143) == "States.DataLimitExceeded"
    assert error_of(definition, {}, T="é" * 131_072) == "States.DataLimitExceeded"
    assert output_of(definition, {}, T="x" * 262_142) == "x" * 262_142


def test_the_history_is_limited() -> None:
    again = {"Condition": True, "Next": "A"}
    states = {
        "A": {"Type": "Pass", "Next": "B"},
        "B": {"Type": "Choice", "Choices": [again], "Default": "C"},
        "C": {"Type": "Succeed"},
    }
    outcome = play(jsonata(states), {}, history_limit=100)
    assert outcome.error == "States.Runtime"
    assert "maximum number of history events (100)" in (outcome.cause or "")


def test_a_variable_may_be_called_like_a_function() -> None:
    definition = jsonata(
        {
            "A": {"Type": "Pass", "Assign": {"count": {"n": 5}}, "Next": "B"},
            "B": {"Type": "Pass", "Output": "{% $count.n + 1 %}", "End": True},
        }
    )
    assert output_of(definition) == 6


def test_the_error_output_is_seen_by_the_full_language() -> None:
    task = {
        "Type": "Task",
        "Resource": "r",
        "Catch": [
            {
                "ErrorEquals": ["E"],
                "Output": "{% $uppercase($states.errorOutput.Cause) %}",
                "Next": "S",
            }
        ],
        "End": True,
    }
    definition = jsonata({"T": task, "S": {"Type": "Succeed"}})
    assert output_of(definition, {}, T=Fails("E", "why")) == "WHY"


@pytest.mark.parametrize(
    ("field", "error"),
    [
        ({"Items": "{% 1 %}"}, "Expected 'array', but was 'number'"),
        ({"Items": [1], "MaxConcurrency": "{% 'x' %}"}, "Expected 'number', but was 'string'"),
        ({"Items": [1], "MaxConcurrency": "{% 1.5 %}"}, "Expected 'number'"),
        (
            {"Items": [1], "MaxConcurrency": "{% -1 %}"},
            "Expected non-negative integer for MaxConcurrency, got '-1' instead.",
        ),
        ({"Items": [1], "ItemSelector": "{% $no %}"}, "returned nothing (undefined)"),
        ({"Items": [1], "ToleratedFailurePercentage": "{% 101 %}"}, "must be between 0 and 100."),
    ],
)
def test_fields_of_a_map_that_cannot_be(field: Json, error: str) -> None:
    outcome = play(item_machine(**field), {})
    assert outcome.error == "States.QueryEvaluationError"
    assert error in (outcome.cause or "")


def test_a_text_of_fail_must_be_text() -> None:
    outcome = play(jsonata({"F": {"Type": "Fail", "Cause": "{% true %}"}}))
    assert outcome.error == "States.QueryEvaluationError"
    assert "Expected 'string', but was 'boolean' for value: true" in (outcome.cause or "")


def test_a_map_may_fail_in_its_last_item_while_others_wait() -> None:
    inner = {
        "C": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $states.input = 2 %}", "Next": "F"}],
            "Default": "W",
        },
        "F": {"Type": "Fail", "Error": "Two"},
        "W": {"Type": "Wait", "Seconds": 100, "End": True},
    }
    state = {
        "Type": "Map",
        "Items": [1, 2],
        "ItemProcessor": {"StartAt": "C", "States": inner},
        "End": True,
    }
    outcome = play(jsonata({"M": state}))
    assert outcome.error == "Two"
    assert outcome.ended == outcome.started
